//! Signatures, phone footers, list footers and disclaimers at the end of the author's words.
//!
//! A separator line is believed outright. Everything else is likeness, and likeness never takes an answer, a
//! command or a sentence: in doubt the line stays with the author.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;

use super::fold::{fold, is_invisible, is_unspaced, with_folded};
use super::quote::{Line, Part};
use super::tokens::is_answer;
use super::words::{Entry, Role, words};

/// Who the mail says it is from; helps to know a name under a text for one.
#[derive(Debug, Clone, Default)]
pub struct Sender {
    /// The words of the name and of the address before the `@`, folded.
    words: Vec<String>,
}

impl Sender {
    pub fn new(name: Option<&str>, address: Option<&str>) -> Sender {
        let local = address.and_then(|a| a.split('@').next()).unwrap_or("");
        let both = [name.unwrap_or(""), local].map(fold);
        let known = both.iter().flat_map(|t| t.split(|c: char| !c.is_alphanumeric()));
        Sender { words: known.filter(|w| !w.is_empty()).map(String::from).collect() }
    }

    fn has(&self, word: &str) -> bool {
        with_folded(word, |w| self.words.iter().any(|k| k == w))
    }
}

/// Lines with words below a sign-off that may still be a signature.
const MAX_BLOCK: usize = 12;

/// Marks the signature lines of what is left to the author. Lines for which `keep` holds (an answer, a
/// command) are never cut by likeness.
pub fn mark(lines: &mut [Line<'_>], sender: &Sender, keep: &dyn Fn(&str) -> bool) {
    armour(lines);
    let mut i = 0;
    while i < lines.len() {
        if !is_own(&lines[i]) {
            i += 1;
            continue;
        }
        let end = lines[i..].iter().position(|l| l.part == Part::Quote).map_or(lines.len(), |n| i + n);
        if let Some(from) = separator(&lines[i..end]) {
            cut(&mut lines[i + from..end]);
        }
        i = end;
    }
    let first = lines.iter().position(|l| is_own(l) && !l.is_blank()).unwrap_or(lines.len());
    let end = lines[first..].iter().position(|l| l.part != Part::Own).map_or(lines.len(), |n| first + n);
    let own = &lines[first..end];
    if let Some(from) = likeness(own, sender, keep) {
        cut(&mut lines[first + from..end]);
    }
}

fn is_own(line: &Line<'_>) -> bool {
    line.part == Part::Own && !line.fixed
}

fn cut(lines: &mut [Line<'_>]) {
    for line in lines.iter_mut().filter(|l| l.part == Part::Own) {
        line.part = Part::Signature;
    }
}

/// The first line that can only open a signature or footer.
fn separator(lines: &[Line<'_>]) -> Option<usize> {
    lines.iter().enumerate().position(|(i, line)| {
        let apart = i == 0 || lines[i - 1].is_blank();
        is_separator(line.text) || is_phone(line.text, apart) || is_footer(lines, i)
    })
}

/// The armour of an OpenPGP signed text (RFC 9580 section 7): its head above the words, the signature below.
pub const PGP_HEAD: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const PGP_SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";

/// Marks the head of an OpenPGP signed text, up to its first blank line.
fn armour(lines: &mut [Line<'_>]) {
    let Some(head) = lines.iter().position(|l| !l.is_blank()).filter(|&n| lines[n].text.trim() == PGP_HEAD)
    else {
        return;
    };
    for line in lines[head..].iter_mut().take(10).take_while(|l| !l.is_blank()) {
        line.part = Part::Signature;
    }
}

/// `-- ` (RFC 3676 section 4.3), and `--`, `__` or a long dash alone, as people's programs write it.
fn is_separator(text: &str) -> bool {
    text.starts_with(['-', '_', '\u{2014}', '\u{2013}'])
        && matches!(text.trim_end(), PGP_SIGNATURE | "--" | "__" | "\u{2014}" | "\u{2013}" | "- --" | "--=20")
}

/// "Sent from my iPhone" and its like.
fn is_phone(text: &str, apart: bool) -> bool {
    let table = words();
    let may_open = |near: &str| {
        let folded = if near.is_ascii() { Cow::Borrowed(near) } else { fold(near) };
        table.sent_from.may_open(&folded)
    };
    if let [b'a'..=b'z' | b'A'..=b'Z', 0..128, ..] = text.as_bytes()
        && text.is_ascii()
        && !table.sent_from.may_open(&text[..2])
    {
        return false;
    }
    let core = |text: &str| text.trim_start_matches(|c: char| !c.is_alphanumeric()).len();
    let head = &text[text.len() - core(text)..];
    let near = match head.as_bytes() {
        [0..128, 0..128, ..] => &head[..2],
        _ => head.char_indices().nth(2).map_or(head, |(n, _)| &head[..n]),
    };
    let short_wide = !text.is_ascii() && text.len() <= 90 && text.contains(is_unspaced);
    if text.len() > 400 || !(short_wide || may_open(near)) {
        return false;
    }
    let text = text.split(['<', '(']).next().unwrap_or("").trim().trim_matches(['*', '_', '[', ']']);
    if text.is_empty() || text.len() > 200 || text.split_whitespace().nth(10).is_some() {
        return false;
    }
    let folded = if text.is_ascii() { Cow::Borrowed(text) } else { fold(text) };
    let core = &folded[folded.len() - core(&folded)..];
    let Some(start) = table.sent_from.opening(core) else {
        return short_wide && core.chars().count() <= 20 && table.sent_from_after.are_in(core);
    };
    let rest = &core[start..];
    let told = !rest.is_empty() && rest.split_whitespace().count() <= 4 && !core.ends_with(['.', ':', '?']);
    table.devices.are_in(core) || (apart && told)
}

/// A rule with a list's or company's footer below it, or the footer itself after a blank line.
fn is_footer(lines: &[Line<'_>], i: usize) -> bool {
    let text = lines[i].text.trim();
    if i == 0 || text.len() < 3 {
        return false;
    }
    let tells = |l: &Line<'_>| words().footer.start_within(l.text.trim(), 40);
    let rule = |c: char| matches!(c, '_' | '-' | '=' | '*' | '~' | '\u{2500}');
    if text.starts_with(rule) && text.chars().all(rule) {
        return lines[i + 1..].iter().take(4).any(|l| l.level == 0 && tells(l));
    }
    lines[i - 1].is_blank() && text.len() >= 25 && tells(&lines[i])
}

/// What one line near the end could be.
#[derive(Debug, Clone, Copy)]
struct Likely<'l> {
    index: usize,
    text: &'l str,
    contact: bool,
    /// May stand in a signature below a sign-off, and without one.
    part: bool,
    part_alone: bool,
}

/// Where a signature starts that only looks like one: a sign-off or a name near the end.
fn likeness(lines: &[Line<'_>], sender: &Sender, keep: &dyn Fn(&str) -> bool) -> Option<usize> {
    let mut tail: Vec<Likely<'_>> = Vec::new();
    let mut before = "";
    for (index, line) in lines.iter().enumerate().rev() {
        if line.is_blank() {
            continue;
        }
        let text = line.text.trim();
        if tail.len() >= MAX_BLOCK || !tail.last().is_none_or(|l| l.part || sign_off(l.text).is_some()) {
            before = text;
            break;
        }
        let contact = is_contact(text);
        let always = contact || is_part(text);
        let part = always || is_name(text, sender, true);
        tail.push(Likely { index, text, contact, part, part_alone: always || is_name(text, sender, false) });
    }
    tail.reverse();
    let full_name = |text: &str| text.split_whitespace().nth(1).is_some() && is_sender(text, sender);
    let safe = |from: usize| !lines[from..].iter().any(|l| keep(l.text) && !full_name(l.text));
    for (n, here) in tail.iter().enumerate() {
        let above = if n > 0 { tail[n - 1].text } else { before };
        if above.is_empty() {
            continue;
        }
        let below = &tail[n + 1..];
        let signed = sign_off(here.text).is_some_and(|name| {
            let opens = if name.is_empty() {
                below
                    .first()
                    .is_some_and(|f| f.contact || is_name(f.text, sender, true) || sign_off(f.text).is_some())
            } else {
                is_name(name, sender, true)
            };
            opens && below.iter().all(|b| b.part)
        });
        if (signed || named(lines, here, above, below, sender)) && safe(here.index) {
            return Some(here.index);
        }
    }
    None
}

/// A name, and below it nothing but what belongs to one.
fn named(lines: &[Line<'_>], here: &Likely<'_>, above: &str, below: &[Likely<'_>], sender: &Sender) -> bool {
    let apart = here.index == 0 || lines[here.index - 1].is_blank();
    let contact = below.iter().any(|b| b.contact);
    let close = apart || (contact && below.len() <= 2);
    close
        && (contact || is_sentence(above))
        && below.iter().all(|b| b.part_alone)
        && opens(here.text, sender, contact, apart)
}

/// Whether a line can open a signature without a sign-off.
fn opens(text: &str, sender: &Sender, contact: bool, apart: bool) -> bool {
    if is_sender(text, sender) {
        return true;
    }
    if sign_off(text).is_some() || (text.chars().count() < 3 && !contact) {
        return false;
    }
    let farewell = text.split_once(',').is_some_and(|(head, name)| {
        let words = head.split_whitespace().count();
        apart
            && words <= 3
            && text.chars().count() <= 30
            && is_name(name.trim_end_matches('.'), sender, false)
    });
    farewell || (is_name(text, sender, false) && (contact || !is_remark(text)))
}

/// Whether a line reads like running text, so that a name below it closes it.
fn is_sentence(text: &str) -> bool {
    let count = text.split_whitespace().count();
    let lower = text.split_whitespace().filter(|w| w.chars().next().is_some_and(char::is_lowercase)).count();
    text.ends_with(['.', '?', '!', ')', '"', '\u{2026}', ',', ':']) || lower * 2 >= count
}

/// If a line is a sign-off: what follows it on the same line ("Regards, Ann" gives "Ann").
fn sign_off(text: &str) -> Option<&str> {
    let listed = |t: &str| words().sign_off.lists(t.trim_matches(|c: char| !c.is_alphanumeric()));
    if text.len() > 240 || text.chars().count() > 60 {
        return None;
    }
    if listed(text) {
        return Some("");
    }
    let (head, name) = text.split_once([',', '!', '\u{ff0c}', '-', '\u{60c}'])?;
    let name = name.trim().trim_end_matches(['.', '!']);
    (listed(head) && !name.is_empty()).then_some(name)
}

/// Whether a line may stand in a signature, whoever's it is: a title, a number, a rule; no sentence.
fn is_part(text: &str) -> bool {
    let text = text.trim();
    if text.chars().all(|c| !c.is_alphanumeric()) || is_phone(text, true) || is_separator(text) {
        return true;
    }
    let count = text.split_whitespace().take(10).count();
    let upper =
        text.split_whitespace().take(10).filter(|w| w.chars().next().is_some_and(|c| !c.is_lowercase()));
    count <= 9
        && upper.count() * 2 > count
        && text.chars().count() <= 70
        && !text.ends_with(['.', '?', '!', ':'])
        && !fold(text).starts_with("p.s")
}

/// A telephone number, a mail or web address, an extension.
fn is_contact(text: &str) -> bool {
    if text.len() > 440 || text.chars().count() > 110 {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let words = text.split_whitespace().count();
    let web = text.contains("www.") || text.contains("http") || (text.contains('@') && words <= 6);
    web || (digits >= 4 && (digits * 2 >= letters || digits >= 7) && words <= 12)
}

/// One to three capitalised words, or what the From field says the author is called.
fn is_name(text: &str, sender: &Sender, after_sign_off: bool) -> bool {
    let text = text.trim().trim_start_matches(['~', '*', ' ', '\u{2013}', '\u{2014}']);
    let text = text.trim_end_matches([',', '*', ' ']);
    if text.is_empty() || text.len() > 160 || text.chars().count() > 40 {
        return false;
    }
    if is_sender(text, sender) {
        return true;
    }
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let particle = |w: &str| {
        matches!(
            w,
            "de" | "da"
                | "do"
                | "di"
                | "van"
                | "von"
                | "der"
                | "la"
                | "el"
                | "al"
                | "bin"
                | "and"
                | "&"
                | "e"
                | "y"
                | "et"
                | "del"
                | "dos"
                | "le"
        )
    };
    let plain = |w: &str| w.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '\'' | '-' | '\u{2019}'));
    let capital = |w: &str| w.chars().next().is_some_and(char::is_uppercase);
    let caseless = |w: &str| w.chars().all(|c| !c.is_lowercase() && !c.is_uppercase());
    if after_sign_off && tokens.len() <= 4 && tokens.iter().all(|w| plain(w) && caseless(w)) {
        return text.chars().count() <= 24;
    }
    let ends_well = !text.ends_with('.') || text.len() <= 3 || after_sign_off;
    let named = tokens.iter().filter(|w| capital(w)).count();
    (1..=3).contains(&named)
        && tokens.len() <= named + 2
        && ends_well
        && tokens.iter().all(|w| plain(w) && (capital(w) || particle(w)))
        && !tokens.iter().any(|w| is_listed(w))
}

/// A word of the answer tables is no name.
fn is_listed(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let answers = |list: &Vec<Entry>| list.iter().any(|e| e.tokens.len() == 1 && speaks(e.role));
    words().lexicon.look_up(word).is_some_and(answers) || words().commands.lists(word)
}

/// A role whose words mean something said alone.
fn speaks(role: Role) -> bool {
    is_answer(role) || matches!(role, Role::Negation | Role::Courtesy | Role::Change | Role::Elsewhere)
}

/// One-word remarks that look like names in the light of their capital.
fn is_remark(text: &str) -> bool {
    words().remarks.lists(text.trim())
}

/// The line is made of the words of the sender's name.
fn is_sender(text: &str, sender: &Sender) -> bool {
    let mut said =
        text.split(|c: char| !c.is_alphanumeric() && !is_mark(c)).filter(|w| !w.is_empty()).peekable();
    said.peek().is_some() && said.all(|w| sender.has(w)) && text.chars().count() <= 60 && !is_listed(text)
}

/// Goes with the letter before it.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && (is_invisible(c) || is_combining_mark(c))
}

#[cfg(test)]
mod tests {
    use super::super::quote;
    use super::*;

    fn check(text: &str, own: &str) {
        let mut lines = quote::lines(text);
        let sender = Sender::new(Some("Zoë Nguyễn"), Some("zoe@x.example"));
        mark(&mut lines, &sender, &|l| l.trim() == "YES");
        let left: Vec<_> =
            lines.iter().filter(|l| l.part == Part::Own && !l.is_blank()).map(|l| l.text).collect();
        assert_eq!(left.join("|"), own, "{text}");
    }

    #[test]
    fn signatures_are_cut() {
        check("Hello there.\n-- \nAnn\nx", "Hello there.");
        check("Yes\n\nSent from my iPhone", "Yes");
        check("Oui\n\nEnvoyé de mon iPhone", "Oui");
        check("All is well.\n\nBest regards,\nAnn Bee\n+1 234 567 89", "All is well.");
        check("All is well.\n\nZoë", "All is well.");
        check("Call me.\nAnn Bee\n(403) 974-6721", "Call me.");
        check("Text.\n\n_____\nx mailing list\nx@y", "Text.");
    }

    #[test]
    fn the_authors_words_stay() {
        check("Please read\n\nThanks", "Please read|Thanks");
        check("Hello\n\nYES", "Hello|YES");
        check(
            "Sent from my desk, which is much easier than my old mobile phone.",
            "Sent from my desk, which is much easier than my old mobile phone.",
        );
        check(
            "One.\n\nThanks,\nI will write more tomorrow about it.",
            "One.|Thanks,|I will write more tomorrow about it.",
        );
    }
}
