//! Makes data harmless: a name or a member's text comes out as the letters it was written in, never as
//! markup, a link, a header or a change of writing direction.

use std::borrow::Cow;

/// Opens and closes a passage whose direction is its own (Unicode UAX #9: FSI and PDI).
pub(super) const ISOLATE: char = '\u{2068}';
pub(super) const POP: char = '\u{2069}';

/// What data may never bring along: control characters, everything that steers bidirectional text, invisible
/// characters and private use. Joiners stay, since Persian, Indic scripts and emoji are spelt with them.
fn is_banned(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Spaces that part words; those that hold words together (U+00A0, U+202F) are letters here.
fn is_space(c: char) -> bool {
    is_break(c) || (c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{3000}'))
}

/// One line of plain text: breaks and runs of white space become one space, banned characters go, and no
/// more than `cap` bytes stay.
pub(super) fn line(text: &str, cap: usize) -> String {
    if text.len() < cap && is_plain(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(cap));
    for word in text.split(is_space) {
        let gap = usize::from(!out.is_empty());
        let before = out.len();
        for c in word.chars().filter(|c| !is_banned(*c)) {
            if out.len() + c.len_utf8() + gap > cap {
                out.push('…');
                return out;
            }
            if out.len() == before && gap == 1 {
                out.push(' ');
            }
            out.push(c);
        }
    }
    out
}

/// Visible ASCII with single spaces within: what most lines are, and as it should be.
fn is_plain(text: &str) -> bool {
    let mut before = b' ';
    for byte in text.bytes() {
        if !(b' '..=b'~').contains(&byte) || (byte == b' ' && before == b' ') {
            return false;
        }
        before = byte;
    }
    before != b' ' || text.is_empty()
}

/// The lines of a free text, cleaned, without trailing empty ones; and how many characters were left out
/// beyond `cap` bytes.
pub(super) fn lines(text: &str, cap: usize) -> (Vec<String>, usize) {
    let unix = text.replace("\r\n", "\n");
    let mut left_out = 0;
    let mut used = 0;
    let mut out: Vec<String> = Vec::new();
    for raw in unix.split(is_break) {
        if used >= cap {
            left_out += raw.chars().count() + 1;
            continue;
        }
        let room = cap - used;
        let whole = line(raw, usize::MAX);
        if whole.len() > room {
            let kept = line(raw, room);
            left_out += whole.chars().count().saturating_sub(kept.chars().count() - 1);
            out.push(kept);
        } else {
            out.push(whole.clone());
        }
        used += whole.len() + 1;
    }
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    (out, left_out)
}

/// Markdown that shows this text as it is: every ASCII punctuation character is escaped (CommonMark 2.4).
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c.is_ascii_punctuation()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
    }
    Cow::Owned(out)
}

/// Whether a letter is written from right to left: Hebrew, Arabic and their neighbours.
fn is_rtl(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
        && !is_arabic_mark(c)
}

/// Commas and digits of the Arabic block: they go with what surrounds them.
fn is_arabic_mark(c: char) -> bool {
    matches!(c, '\u{60c}' | '\u{61b}' | '\u{61f}' | '\u{660}'..='\u{66c}' | '\u{6f0}'..='\u{6f9}')
}

fn is_ltr(c: char) -> bool {
    c.is_alphabetic() && !is_rtl(c)
}

/// A value that begins in the other direction, set apart from its sentence; any other unchanged.
pub(super) fn isolate(text: &str, rtl_page: bool) -> Cow<'_, str> {
    let first = text.chars().find(|c| is_ltr(*c) || is_rtl(*c));
    match first {
        Some(c) if is_rtl(c) != rtl_page => Cow::Owned(format!("{ISOLATE}{text}{POP}")),
        _ => Cow::Borrowed(text),
    }
}

/// Sets every run of the other direction apart, passages already isolated excepted: "REPLY YES" in an
/// Arabic sentence, an Arabic name in an English one.
pub(super) fn isolate_runs(text: &str, rtl_page: bool) -> Cow<'_, str> {
    let foreign: fn(char) -> bool = if rtl_page { is_ltr } else { is_rtl };
    // U+0590, the first letter from right to left, begins with this octet in UTF-8.
    let none = !rtl_page && text.bytes().all(|byte| byte < 0xd6);
    if none || !text.chars().any(foreign) {
        return Cow::Borrowed(text);
    }
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 12);
    let mut at = 0;
    let mut depth = 0_u32;
    while at < chars.len() {
        let c = chars[at];
        match c {
            ISOLATE => depth += 1,
            POP => depth = depth.saturating_sub(1),
            _ => {}
        }
        let end = if depth == 0 { run_end(&chars, at, rtl_page) } else { at };
        if end > at {
            out.push(ISOLATE);
            out.extend(&chars[at..end]);
            out.push(POP);
            at = end;
        } else {
            out.push(c);
            at += 1;
        }
    }
    Cow::Owned(out)
}

/// Where the foreign run that starts here ends; `at` itself where none starts. A run starts and ends with a
/// letter or a number, holds what stands between, takes the bracket it opened, and has a foreign letter.
fn run_end(chars: &[char], at: usize, rtl_page: bool) -> usize {
    let foreign = |c: char| if rtl_page { is_ltr(c) } else { is_rtl(c) };
    let own = |c: char| if rtl_page { is_rtl(c) } else { is_ltr(c) };
    let member = |c: char| foreign(c) || (rtl_page && c.is_ascii_digit());
    let starts = member(chars[at]) || (rtl_page && matches!(chars[at], '+' | '@' | '#'));
    if !starts || (at > 0 && chars[at - 1].is_alphanumeric()) {
        return at;
    }
    let mut end = at;
    let mut letters = false;
    let mut brackets = 0_u32;
    for (i, &c) in chars.iter().enumerate().skip(at) {
        // A bracket that the sentence opened is the sentence's to close: "(YES): 9" is two runs.
        let closes = c == ')' && brackets == 0;
        if own(c) || is_arabic_mark(c) || closes || matches!(c, ISOLATE | POP | '\n') {
            break;
        }
        match c {
            '(' => brackets += 1,
            ')' => brackets -= 1,
            _ => {}
        }
        letters |= foreign(c);
        if member(c) {
            end = i + 1;
        }
    }
    if !letters {
        return at;
    }
    let open = chars[at..end].iter().filter(|c| **c == '(').count();
    let shut = chars[at..end].iter().filter(|c| **c == ')').count();
    if open > shut && chars.get(end) == Some(&')') { end + 1 } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_breaks_controls_or_direction_marks() {
        assert_eq!(line("  a\r\nBcc: x\u{202e}\u{0}\t b\u{2028}c ", 99), "a Bcc: x b c");
        assert_eq!(line("ééééé", 6), "ééé…");
        assert_eq!(line("quoi\u{a0}?  x", 99), "quoi\u{a0}? x");
        assert_eq!(line("", 9), "");
        assert_eq!(line("\u{200b} a", 9), "a");
    }

    #[test]
    fn a_bracket_of_the_sentence_stays_outside_the_run_within_it() {
        let expected = format!("نعم ({ISOLATE}YES{POP}): 9، {ISOLATE}EN (English){POP}");
        assert_eq!(isolate_runs("نعم (YES): 9، EN (English)", true), expected);
    }

    #[test]
    fn a_long_text_says_how_much_is_left_out() {
        assert_eq!(lines("one\r\n\r\ntwo\n\n", 99), (vec!["one".into(), String::new(), "two".into()], 0));
        let (kept, left_out) = lines("abcdef\nghi", 4);
        assert_eq!(kept, ["abcd…"]);
        assert_eq!(left_out, 2 + 4);
    }

    #[test]
    fn every_mark_is_escaped() {
        assert_eq!(escape("[x](http://y) <b>"), r"\[x\]\(http\:\/\/y\) \<b\>");
        assert_eq!(escape("plain"), "plain");
    }

    #[test]
    fn runs_of_the_other_direction_are_set_apart() {
        let shown = |text: &str, rtl| isolate_runs(text, rtl).replace(ISOLATE, "[").replace(POP, "]");
        assert_eq!(shown("أجب YES أو NO، الآن", true), "أجب [YES] أو [NO]، الآن");
        assert_eq!(shown("في 13:00 Africa/Cairo (12:00 UTC).", true), "في [13:00 Africa/Cairo (12:00 UTC)].");
        assert_eq!(shown("العدد 15 فقط", true), "العدد 15 فقط");
        assert_eq!(shown("call جمعية الإنترنت now", false), "call [جمعية الإنترنت] now");
        assert_eq!(shown("plain", false), "plain");
        let apart = format!("{ISOLATE}Name{POP} x");
        assert_eq!(isolate_runs(&apart, true), format!("{ISOLATE}Name{POP} {ISOLATE}x{POP}"));
    }
}
