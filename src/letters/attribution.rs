//! The lines mail programs put above what they quote: "On ... wrote:", "-----Original Message-----",
//! "Begin forwarded message:". Blocks of From, Sent, To and Subject are read by `block`.

use super::block::{block, header, inline_block};
use super::fold::{fold, is_invisible, is_unspaced};
use super::quote::{Line, Part, mark};
use super::words::{Words, words};

/// Lines `start..end` announce a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    /// The mail below was forwarded, not answered.
    pub forward: bool,
}

/// How many lines one attribution may be wrapped over.
const MAX_WRAP: usize = 5;
/// Characters of one attribution.
const MAX_LENGTH: usize = 500;

/// Which lines may be the last of "On ... wrote:".
pub fn closing(lines: &[Line<'_>]) -> Vec<bool> {
    let words = words();
    let closes = |n: usize| {
        let line = &lines[n];
        let torn = line.level > 0 && (n == 0 || lines[n - 1].level == 0);
        (line.part == Part::Own && may_end(line, words))
            || (torn && line.text.len() <= 120 && is_verb_alone(bare(line.text), words))
    };
    (0..lines.len()).map(closes).collect()
}

/// What announces a quote at line `i`, if anything does. `closing`: what the function of that name says.
pub fn at(lines: &[Line<'_>], i: usize, closing: &[bool]) -> Option<Found> {
    let words = words();
    let line = &lines[i];
    if line.holds(mark::COLON | mark::RULE | mark::WIDE)
        && let Some(found) = divider(lines, i, closing, words).or_else(|| block(lines, i, words))
    {
        return Some(found);
    }
    let closed = closing[i..closing.len().min(i + MAX_WRAP)].contains(&true);
    if closed && (closing[i] || may_start(line, words)) { wrote(lines, i, closing, words) } else { None }
}

/// A line without quote marks, frames and what cannot be seen at its ends.
pub fn bare(text: &str) -> &str {
    if text.is_ascii() {
        let around = |b: u8| b.is_ascii_whitespace() || matches!(b, b'*' | b'|' | 11);
        let end = text.bytes().rposition(|b| !around(b)).map_or(0, |n| n + 1);
        let start = text.bytes().position(|b| !around(b) && b != b'>').unwrap_or(end);
        return text.get(start..end).unwrap_or("");
    }
    let around = |c: char| c.is_whitespace() || matches!(c, '*' | '|') || (!c.is_ascii() && is_invisible(c));
    text.trim_start_matches(|c: char| c == '>' || around(c)).trim_end_matches(around)
}

/// Where an attribution starts in the middle of a line: "reply On Wed, Apr 4, 2012, ann@x wrote:".
pub fn split_point(line: &str) -> Option<usize> {
    let words = words();
    if line.len() > MAX_LENGTH {
        return None;
    }
    let whole = fold(line.trim());
    if whole.starts_with(|c: char| c.is_ascii_digit())
        || starts_dated(&whole, words)
        || starts_weekday(&whole)
    {
        return None;
    }
    let mut before = 'x';
    for (n, c) in line.char_indices() {
        let opens = n > 0 && matches!(before, ' ' | '-' | '\u{a0}') && c.is_uppercase();
        before = c;
        if opens {
            let rest = &line[n..];
            if starts_dated(&fold(rest), words)
                && is_attribution(rest, 1, true, words)
                && !line[..n].trim().is_empty()
            {
                return Some(n);
            }
        }
    }
    None
}

/// "-----Original Message-----", "Begin forwarded message:", a rule above a block of header lines.
fn divider(lines: &[Line<'_>], i: usize, closing: &[bool], words: &Words) -> Option<Found> {
    let text =
        lines[i].text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c) || matches!(c, '>' | '|'));
    if self_evident(lines[i].text.trim()) {
        return Some(Found { start: i, end: i + 1, forward: false });
    }
    let rule = |c: char| {
        matches!(c, '-' | '_' | '=' | '~' | '*' | '#' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}')
    };
    if text.len() > 200 && !text.starts_with(rule) {
        return None;
    }
    let dashes = text.chars().take_while(|&c| rule(c)).count();
    if dashes < 2 && !text.ends_with([':', '\u{ff1a}', '#']) {
        return None;
    }
    let rest = text.trim_start_matches(rule).trim_start();
    if rest.is_empty() {
        if dashes < 3 {
            return None;
        }
        let end = below_rule(lines, following(lines, i)?, closing, words, dashes)?;
        return Some(Found { start: i, ..end });
    }
    if dashes >= 2 && inline_block(rest, words) {
        return Some(Found { start: i, end: i + 1, forward: true });
    }
    let core = match rest.find(|c: char| rule(c)) {
        Some(n) if dashes >= 2 && rest[n..].chars().take(2).all(rule) => &rest[..n],
        _ if dashes >= 2 || rest.ends_with([':', '\u{ff1a}']) || rest.ends_with("##") => rest,
        _ => return None,
    };
    let core =
        core.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '\u{ff1a}' | '*' | '.' | '#'));
    if core.len() > 120 {
        return None;
    }
    let closed = dashes >= 2 && text.ends_with(rule);
    if closed && let Some(found) = following(lines, i).and_then(|n| block(lines, n, words)) {
        return Some(Found { start: i, ..found });
    }
    let opens = |core: &str| words.forwarded.words().any(|f| f.len() > 8 && core.starts_with(f));
    let forward = words.forwarded.lists(core) || (dashes >= 2 && opens(&fold(core)));
    if !forward && !words.original.lists(core) {
        return None;
    }
    let end = following(lines, i).and_then(|n| block(lines, n, words)).map_or(i + 1, |b| b.end);
    Some(Found { start: i, end, forward })
}

/// What a rule announces: a block of header lines, perhaps under a title of one line; "On ... wrote:", perhaps
/// with "To:" and "Subject:" above it, as Yandex does.
fn below_rule(
    lines: &[Line<'_>],
    next: usize,
    closing: &[bool],
    words: &Words,
    dashes: usize,
) -> Option<Found> {
    if let Some(found) = block(lines, next, words) {
        return Some(found);
    }
    let title = lines[next].text.trim();
    if words.original.lists(title) || title.eq_ignore_ascii_case("original") {
        return following(lines, next).and_then(|n| block(lines, n, words));
    }
    let labels = lines[next..].iter().take(3).take_while(|l| header(l.text, words).is_some()).count();
    let first = next + labels;
    (dashes >= 5 && first < lines.len()).then(|| wrote(lines, first, closing, words)).flatten()
}

/// "##- Type your answer above this line -##" in whatever language, and GroupWise's ">>> Ann 2/11/2026 >>>":
/// marks that stand for themselves.
fn self_evident(text: &str) -> bool {
    let fenced = text.len() > 8 && text.starts_with("##-") && text.ends_with("-##");
    fenced || is_chevrons(text)
}

/// Who wrote and when between two rows of three quote marks, as GroupWise writes above an unmarked quote.
pub fn is_chevrons(text: &str) -> bool {
    let inside = text.trim().strip_prefix(">>>").and_then(|t| t.strip_suffix(">>>"));
    inside.is_some_and(|t| t.starts_with(' ') && t.len() <= 200 && has_when(t) && !t.contains(">>>"))
}

/// The next line with words, if it comes soon.
fn following(lines: &[Line<'_>], i: usize) -> Option<usize> {
    (i + 1..lines.len().min(i + 4)).find(|&n| !lines[n].is_blank())
}

/// Whether a text holds a time of day, a year or a date in digits.
pub fn has_when(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut run = 0;
    let mut groups = 0;
    let mut digits = 0;
    for (i, b) in bytes.iter().enumerate() {
        if b.is_ascii_digit() {
            run += 1;
            digits += 1;
            if run == 1 {
                groups += 1;
            }
        } else {
            if *b == b':' && run > 0 && run <= 2 && bytes.get(i + 1).is_some_and(u8::is_ascii_digit) {
                return true;
            }
            if run == 4 {
                return true;
            }
            run = 0;
        }
    }
    run == 4
        || (groups >= 2 && digits >= 3)
        || (groups == 0 && text.chars().filter(|c| c.is_numeric()).count() >= 4)
}

/// "On Monday, Ann <a@b> wrote:" in all its forms, over at most [`MAX_WRAP`] lines.
fn wrote(lines: &[Line<'_>], i: usize, closing: &[bool], words: &Words) -> Option<Found> {
    let mut joined = String::new();
    for end in i..lines.len().min(i + MAX_WRAP) {
        let text = lines[end].text;
        let torn = closing[end] && lines[end].level > 0;
        if lines[end].is_blank() {
            let gap = end == i + 1 && lines.get(end + 1).is_some_and(|l| l.text.trim().starts_with('<'));
            if gap {
                continue;
            }
            return None;
        }
        if (lines[end].part != lines[i].part && !torn) || (end > i && header(text, words).is_some()) {
            return None;
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(text.trim());
        if joined.len() > MAX_LENGTH * 2 {
            return None;
        }
        if !closing[end] {
            continue;
        }
        let quoted = lines[end + 1..].iter().find(|l| !l.is_blank()).is_some_and(|l| l.part == Part::Quote);
        if is_attribution(&joined, end - i + 1, quoted, words) && !inner(lines, i, end, quoted, words) {
            return Some(Found { start: i, end: end + 1, forward: false });
        }
    }
    None
}

/// Whether a later line of the window starts a complete attribution of its own.
fn inner(lines: &[Line<'_>], start: usize, end: usize, quoted: bool, words: &Words) -> bool {
    (start + 1..=end).any(|s| {
        if !may_start(&lines[s], words) {
            return false;
        }
        let joined = lines[s..=end].iter().map(|l| l.text.trim()).collect::<Vec<_>>().join(" ");
        let folded = fold(&joined);
        let named = lines[start..s].iter().any(|l| l.holds(mark::AT)) && !joined.contains('@');
        !named && starts_dated(&folded, words) && is_attribution(&joined, end - s + 1, quoted, words)
    })
}

/// The first word is an "on" word and a date follows soon.
fn starts_dated(folded: &str, words: &Words) -> bool {
    let head: String = folded.chars().take(40).collect();
    starts_on(folded, words) && head.bytes().any(|b| b.is_ascii_digit())
}

fn starts_on(folded: &str, words: &Words) -> bool {
    let text = folded.trim_start_matches(['-', ' ', '*', '[', '(']);
    let mut parts = text.splitn(3, ' ');
    let (one, two) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let pair = one.len() + 1 + two.len();
    words.on.lists(one.trim_end_matches([',', '.']))
        || text.get(..pair).is_some_and(|p| words.on.lists(p))
        || text
            .chars()
            .next()
            .is_some_and(|c| is_unspaced(c) && words.on.contains(c.encode_utf8(&mut [0; 4])))
}

fn may_start(line: &Line<'_>, words: &Words) -> bool {
    if line.holds(mark::AT) {
        return true;
    }
    let text = bare(line.text).trim_start_matches(['-', '[', '(']);
    let Some(first) = text.chars().next() else { return false };
    if first == '"' || first == '<' || first.is_numeric() {
        return true;
    }
    if line.holds(mark::DIGIT) && text.chars().take(60).any(|c| c.is_ascii_digit()) {
        return true;
    }
    let head = text.char_indices().nth(24).map_or(text, |(n, _)| &text[..n]);
    if head.is_ascii() { starts_on(head, words) } else { starts_on(&fold(head), words) }
}

fn may_end(line: &Line<'_>, words: &Words) -> bool {
    let last = line.text.bytes().last().unwrap_or(b'.');
    let timed = line.holds(mark::AT) && line.holds(mark::COLON);
    if !line.holds(mark::WIDE) && !timed && last > b' ' && !words.wrote_ends[usize::from(last)] {
        return false;
    }
    let text = bare(line.text);
    match text.bytes().last() {
        None => return false,
        Some(b':' | b'-' | b'>') => return true,
        Some(b'0'..=b'9' | b'm' | b'M') if line.holds(mark::AT) => return ends_timed(&fold(text)),
        Some(b')') if line.holds(mark::DIGIT) => return true,
        Some(128..) if text.ends_with('\u{ff1a}') => return true,
        _ => {}
    }
    let tail = match memchr::memrchr(b' ', text.as_bytes()) {
        Some(n) => &text[n + 1..],
        None => text,
    };
    let tail = if line.holds(mark::WIDE) { tail.rsplit('\u{a0}').next().unwrap_or("") } else { tail };
    tail.len() <= 40 && words.wrote.lists(tail)
}

fn is_verb_alone(text: &str, words: &Words) -> bool {
    let folded = fold(text);
    let core = folded.trim_matches([' ', ':', '>', '\u{ff1a}']);
    words.wrote.contains(core) || words.wrote_phrases.contains(core)
}

/// Where a verb of writing stands: byte range in the folded text.
fn verb(folded: &str, words: &Words) -> Option<(usize, usize)> {
    let mut at = 0;
    let mut found = None;
    for word in folded.split(|c: char| c.is_whitespace() || matches!(c, ',' | '"' | '<' | '>')) {
        let core = word.trim_matches([':', '\u{ff1a}', '-', '.', '(']);
        if words.wrote.contains(core) || words.wrote.contains(word.trim_end_matches(':')) {
            found = Some((at, at + word.len()));
        }
        at += word.len() + 1;
    }
    if found.is_some() {
        return found.filter(|f| f.1 <= folded.len());
    }
    words.wrote_inside.all_in(folded).max_by_key(|(start, end)| (end - start, *start))
}

/// Whether the joined lines are an attribution. `quoted`: marked quote lines follow.
fn is_attribution(joined: &str, count: usize, quoted: bool, words: &Words) -> bool {
    if joined.chars().count() > MAX_LENGTH {
        return false;
    }
    let dashed = joined.trim_start().starts_with("--");
    if !quoted && !dashed && !joined.contains('@') && !has_when(joined) {
        return false;
    }
    let folded = fold(joined.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '|')));
    let folded = folded.trim();
    let colon = folded.ends_with([':', '\u{ff1a}']);
    let (when, address) = (has_when(folded), folded.contains('@'));
    let on = starts_on(folded, words);
    let dashed = folded.starts_with("--") && folded.ends_with("--");
    let Some((start, end)) = verb(folded, words) else {
        let dated = folded.starts_with(|c: char| c.is_numeric()) || starts_weekday(folded);
        let timed = colon
            && address
            && has_time(folded)
            && folded.trim_end_matches([':', ' ']).ends_with(char::is_numeric);
        let few = folded.split_whitespace().count() <= 14;
        let bracketed = quoted && count == 1 && few && has_time(folded) && folded.ends_with("]:");
        return ((timed || bracketed) && few)
            || (quoted && count == 1 && few && address && ends_timed(folded))
            || when && address && ((dated && colon) || (quoted && count <= 3 && (colon || dated)));
    };
    let tail = folded.get(end..).unwrap_or("").trim_matches([' ', ':', '\u{ff1a}', '-', '.', '*', ')']);
    let last = tail.is_empty();
    if dashed {
        return last || address;
    }
    if last {
        let before = folded.get(..start).unwrap_or("");
        return match (on, colon) {
            (true, true) => when || address,
            (true, false) => when && (address || quoted || before.split_whitespace().count() >= 5),
            (false, true) => {
                let opens = folded.starts_with(|c: char| c.is_ascii_digit()) || starts_weekday(folded);
                let dated = opens && has_time(folded) && folded.split_whitespace().count() <= 12;
                address || dated || (quoted && (when || count <= 2))
            }
            (false, false) => address && (quoted || when),
        };
    }
    let short = folded.split_whitespace().count() <= 12;
    if start == 0 && ((colon && address) || (quoted && when && short)) {
        return true;
    }
    let dated = has_time(tail) && short && tail.ends_with(|c: char| c.is_ascii_digit());
    colon
        && (when || on)
        && (address || quoted || dated || (on && when && tail.split_whitespace().count() <= 5))
}

/// Whether a text ends with a time of day: "3:04 pm", "15:04".
fn ends_timed(folded: &str) -> bool {
    let text = folded.trim_end_matches(['m', 'p', 'a', '.', ' ', '\u{202f}', '\u{a0}']);
    let tail = text.rsplit(' ').next().unwrap_or("");
    tail.ends_with(|c: char| c.is_ascii_digit()) && has_time(tail)
}

/// Whether a text holds a time of day in digits.
pub fn has_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..bytes.len().saturating_sub(1)).any(|i| {
        matches!(bytes[i], b':' | b'.') && bytes[i - 1].is_ascii_digit() && bytes[i + 1].is_ascii_digit()
    })
}

/// The first word is a day's name or its abbreviation, in some language: short, and a date follows.
fn starts_weekday(folded: &str) -> bool {
    let mut parts = folded.splitn(3, [' ', ',']).filter(|p| !p.is_empty());
    let day = parts.next().unwrap_or("");
    let rest: String = folded.chars().skip(day.chars().count()).take(12).collect();
    day.chars().count() <= 13
        && day.chars().all(|c| c.is_alphabetic() || c == '.')
        && rest.bytes().any(|b| b.is_ascii_digit())
}
