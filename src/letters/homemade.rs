//! Failure notices in forms of their own: what they say about whom, without a machine-readable part.

use super::bounce::{address_in, judge, reply_code};
use super::fold::fold;
use super::letter::{Bounce, Reason};
use super::words::words;

/// Characters of a notice that are looked at.
const MAX_TEXT: usize = 32 << 10;
/// Lines of a notice that are looked at.
const MAX_LINES: usize = 300;

/// The part of a text that is the notice's own, before the mail it returns.
pub fn report(text: &str) -> &str {
    let text = text.char_indices().nth(MAX_TEXT).map_or(text, |(n, _)| &text[..n]);
    let mut at = 0;
    let mut seen_words = false;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        if n >= MAX_LINES || (seen_words && starts_original(line)) {
            return &text[..at];
        }
        seen_words |= line.chars().any(char::is_alphabetic);
        at += line.len();
    }
    text
}

/// Whether a line opens the returned mail: "--- Original message follows.", or its first trace field.
fn starts_original(line: &str) -> bool {
    let bare = line.trim_start_matches([' ', '\t', '>']);
    if ["Received:", "Return-Path:", "X-Mailer:", "Message-ID:", "Message-Id:"]
        .iter()
        .any(|f| bare.starts_with(f))
    {
        return line.starts_with(['R', 'X', 'M', '>']);
    }
    let core = line.trim().trim_matches(|c: char| !c.is_alphanumeric());
    if core.is_empty() || core.chars().count() > 90 {
        return false;
    }
    let ruled = line.trim().starts_with(['-', '=', '*', '|', '_']);
    let closed = line.trim().ends_with([':', '.', '-']);
    if !ruled && !closed {
        return false;
    }
    let folded = fold(core);
    let at = words().bounce_original.first_in(&folded);
    at.is_some_and(|n| ruled || (closed && n <= 20))
}

/// Whether the notice's own words tell of a failure or delay.
pub fn tells_failure(report: &str) -> bool {
    let folded = fold(report);
    let text = squeeze(&folded);
    words().bounce_text.are_in(&text)
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether it only warns that delivery takes long.
pub fn only_delayed(report: &str, subject: &str) -> bool {
    let text = squeeze(&fold(report));
    let told = |t: &str| words().bounce_delayed.are_in(t);
    told(&text) || told(subject)
}

/// The recipients a notice names. `own`: addresses of the notice itself, which are never the failed ones.
pub fn recipients(report: &str, subject: &str, own: &[String], domain: Option<&str>) -> Vec<Bounce> {
    let lines: Vec<&str> = report.lines().collect();
    let mut found: Vec<(String, String)> = Vec::new();
    let accept = |address: String, context: String, found: &mut Vec<(String, String)>| {
        let lower = address.to_lowercase();
        let local = lower.split('@').next().unwrap_or("");
        let foreign = !own.contains(&lower) && !["postmaster", "mailer-daemon", "abuse"].contains(&local);
        if foreign && !found.iter().any(|(a, _)| a.eq_ignore_ascii_case(&address)) && found.len() < 200 {
            found.push((address, context));
        }
    };
    for (i, line) in lines.iter().enumerate() {
        if let Some(address) = leading_address(line) {
            accept(address, context(&lines, i), &mut found);
        }
    }
    if found.is_empty() {
        let told = placeholders(&lines);
        for (name, domain) in bare_names(&lines)
            .iter()
            .flat_map(|n| told.iter().copied().chain(domain.filter(|_| told.is_empty())).map(move |d| (n, d)))
        {
            accept(format!("{name}@{domain}"), report.chars().take(500).collect(), &mut found);
        }
    }
    if found.is_empty()
        && let Some(i) = lines.iter().position(|l| l.contains('@') && fold(l).contains("was addressed"))
    {
        addresses_in(lines[i]).into_iter().for_each(|a| accept(a, context(&lines, i), &mut found));
    }
    if found.is_empty() {
        for (i, line) in lines.iter().enumerate().filter(|(_, l)| speaks_of_recipient(l)) {
            for address in addresses_in(line) {
                accept(address, context(&lines, i), &mut found);
            }
        }
    }
    if found.is_empty() {
        for (i, line) in lines.iter().enumerate().filter(|(_, l)| !speaks_of_helper(l)) {
            for address in addresses_in(line) {
                accept(address, context(&lines, i), &mut found);
            }
        }
        found.truncate(3);
    }
    if found.is_empty() {
        addresses_in(subject).into_iter().for_each(|a| accept(a, String::new(), &mut found));
    }
    let delayed = only_delayed(report, subject);
    let whole = &report[..report.floor_char_boundary(4_000)];
    found.into_iter().map(|(address, near)| verdict(address, &near, whole, delayed)).collect()
}

/// Judged by what stands near the address, and where that says nothing by the whole notice.
fn verdict(address: String, near: &str, whole: &str, delayed: bool) -> Bounce {
    let mut bounce = judge(address.clone(), "", near, delayed);
    if bounce.status.is_none() || bounce.reason == Reason::Unknown {
        let wide = judge(address, "", whole, delayed);
        bounce.status = bounce.status.or(wide.status);
        if bounce.reason == Reason::Unknown {
            bounce.reason = wide.reason;
        }
        bounce.permanent = !delayed && !bounce.status.as_deref().is_some_and(|s| s.starts_with('4'));
    }
    bounce
}

/// The line of an address and those after it up to the next blank one or the next address.
fn context(lines: &[&str], at: usize) -> String {
    let more =
        lines[at + 1..].iter().take(8).take_while(|l| !l.trim().is_empty() && leading_address(l).is_none());
    std::iter::once(&lines[at]).chain(more).copied().collect::<Vec<_>>().join(" ")
}

/// `<a@b>: ...`, `a@b`, ` * a@b`, `[a@b]: ...`, `(expanded from: a@b)`: a line that opens with an address.
fn leading_address(line: &str) -> Option<String> {
    let mut bare = line.trim();
    let expanded = bare.strip_prefix("(expanded from:").or_else(|| bare.strip_prefix("(generated from"));
    bare = expanded
        .unwrap_or(bare)
        .trim_start_matches(['*', '-', '\u{2022}', '>', ' ', '\t', '(', '[', '"', '\'']);
    let open = bare.starts_with('<');
    let bare = bare.trim_start_matches(['<', '"', '\'']);
    let end = bare.find(|c: char| c.is_whitespace() || matches!(c, '>' | ',' | ';' | ')' | ']' | '"' | '\''));
    let (word, rest) = bare.split_at(end.unwrap_or(bare.len()));
    let word = word.trim_end_matches([':', '.']);
    let address = address_in(word).filter(|a| a.eq_ignore_ascii_case(word))?;
    let rest = rest.trim_start_matches(['>', ')', ']', '"', '\'', ':', ',', ';', ' ', '\t']);
    let told = rest.is_empty()
        || open
        || rest.starts_with(['-', '.', '('])
        || reply_code(rest).is_some()
        || tells_failure(rest)
        || rest.starts_with("on ");
    (told && (expanded.is_some() || !speaks_of_helper(line))).then_some(address)
}

/// Every address of a line.
fn addresses_in(line: &str) -> Vec<String> {
    line.split(|c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | '"' | '\'' | '=')
    })
    .filter_map(|w| {
        address_in(w.rsplit_once(':').map_or(w, |(_, tail)| if tail.contains('@') { tail } else { w }))
    })
    .collect()
}

/// A line that names whom the mail could not reach.
fn speaks_of_recipient(line: &str) -> bool {
    const TELLS: &[&str] = &[
        "recipient",
        "rcpt to",
        "addressed to",
        "error-for",
        "undeliverable",
        "user",
        "mailbox",
        "deliver",
        "generated from",
        "smtp=",
        "smtp:",
        "message to",
        "failed",
        "not exist",
    ];
    let words: Vec<&str> =
        line.split_whitespace().filter(|w| !w.contains('@') || w.contains([':', '='])).collect();
    let folded = fold(&words.join(" ")).into_owned();
    !speaks_of_helper(line)
        && (TELLS.iter().any(|t| folded.contains(t)) || reply_code(line).is_some() || tells_failure(line))
}

/// A line that names whom to ask, or who sent it.
fn speaks_of_helper(line: &str) -> bool {
    const TELLS: &[&str] = &[
        "contact",
        "assistance",
        "postmaster",
        "send mail to",
        "from:",
        "administrator",
        "help",
        "support",
        "reply-to:",
        "sender:",
        "message-id",
    ];
    let folded = fold(line);
    TELLS.iter().any(|t| folded.contains(t))
}

/// The domains of addresses a notice explains by the example of NAME: "reachable by emailing NAME@x.example".
fn placeholders<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    let domain = |line: &&'t str| {
        let (before, after) = line.split_once("NAME@")?;
        let end =
            after.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-')).unwrap_or(after.len());
        before.contains("mailing").then(|| after[..end].trim_end_matches('.'))
    };
    lines.iter().filter_map(domain).collect()
}

/// Local parts without a domain, below a line that ends with a colon: alone on their line, or with the reason
/// set apart behind them.
fn bare_names<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    let is_name = |w: &str| {
        !w.is_empty() && w.len() <= 64 && w.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c))
    };
    let mut found = Vec::new();
    for (n, line) in lines.iter().enumerate().skip(1) {
        let above = if lines[n - 1].trim().is_empty() && n > 1 { lines[n - 2] } else { lines[n - 1] };
        let name = match line.trim().split_once("  ") {
            Some((name, reason)) if tells_failure(reason) => name,
            Some(_) => continue,
            None if lines[n - 1].trim().is_empty() => continue,
            None => line.trim(),
        };
        if line.starts_with(['\t', ' ']) && above.trim_end().ends_with(':') && is_name(name) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(report: &str, expected: &[&str]) {
        let found = recipients(report, "", &["me@here.example".into()], Some("there.example"));
        assert_eq!(found.iter().map(|b| b.address.as_str()).collect::<Vec<_>>(), expected, "{report}");
    }

    #[test]
    fn recipients_are_found_in_notices_of_many_makes() {
        check("Hi me@here.example.\n\n<a@b.example>:\n550 no such user\n", &["a@b.example"]);
        check("Unable to deliver your message to a@b.example for\nContact help@b.example", &["a@b.example"]);
        check("could not be delivered to:\n\tann\n", &["ann@there.example"]);
        check("failed permanently:\n   * a@b.example\n", &["a@b.example"]);
    }

    #[test]
    fn the_returned_mail_is_no_part_of_the_notice() {
        assert_eq!(report("a\n--- Original message follows.\nTo: x@y"), "a\n");
        assert_eq!(report("a\nReceived: from x\n"), "a\n");
    }
}
