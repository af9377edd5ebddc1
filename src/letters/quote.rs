//! Whose words are whose: the author's above, between or below what is quoted or forwarded.
//!
//! Works on lines. The plain-text reader brings bare lines; the HTML reader also brings what the structure
//! says (a quote container, a signature), which is believed before any wording.

use super::attribution;
use super::fold::is_invisible;

/// What a line is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    #[default]
    Own,
    Quote,
    Signature,
}

/// One line of a text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line<'a> {
    pub text: &'a str,
    pub part: Part,
    /// Set by structure (HTML), not to be overruled by wording.
    pub fixed: bool,
    /// How many `>` stand before it.
    pub level: usize,
    /// What kinds of characters it has: the bits of [`mark`], all of them where it is quoted.
    marks: u8,
}

/// The bits of a line's marks: most rules can tell by them that they need not look.
pub mod mark {
    pub const COLON: u8 = 1;
    pub const DIGIT: u8 = 2;
    pub const AT: u8 = 4;
    /// What rules and frames are made of.
    pub const RULE: u8 = 8;
    /// Beyond ASCII.
    pub const WIDE: u8 = 16;
}

const MARKS: [u8; 256] = {
    let mut marks = [0; 256];
    let mut b = 0;
    while b < 256 {
        marks[b] = match b as u8 {
            b':' => mark::COLON,
            b'0'..=b'9' => mark::DIGIT,
            b'@' => mark::AT,
            b'-' | b'_' | b'=' | b'~' | b'*' | b'#' | b'|' | b'>' => mark::RULE,
            128.. => mark::WIDE,
            _ => 0,
        };
        b += 1;
    }
    marks
};

impl<'a> Line<'a> {
    /// A line of the author's, as far as is known yet.
    pub fn new(text: &'a str) -> Line<'a> {
        let level = match text.as_bytes().first() {
            Some(b'>' | b'|' | b' ' | b'\t' | 128..) => level(text),
            _ => 0,
        };
        let told = |text: &str| text.bytes().fold(0, |marks, b| marks | MARKS[usize::from(b)]);
        let marks = if level > 0 { u8::MAX } else { told(text) };
        Line { text, part: Part::Own, fixed: false, level, marks }
    }

    /// A line of which the structure may say what it is part of.
    pub fn told(text: &'a str, part: Option<Part>) -> Line<'a> {
        Line { part: part.unwrap_or_default(), fixed: part.is_some(), ..Line::new(text) }
    }

    /// Whether it has any of these kinds of characters.
    pub fn holds(&self, marks: u8) -> bool {
        self.marks & marks != 0
    }

    pub fn is_blank(&self) -> bool {
        self.text.chars().all(|c| c.is_whitespace() || (!c.is_ascii() && is_invisible(c)))
    }
}

/// What was noticed on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Doubts {
    /// An unmarked quote starts at the very top: an answer below it could not be told from it.
    pub quote_at_top: bool,
}

/// Splits a text into lines, counting the quote marks of each.
pub fn lines(text: &str) -> Vec<Line<'_>> {
    let mut out = Vec::with_capacity(text.len() / 32 + 4);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]) {
        let text = &text[start..end];
        start = end + 1;
        let line = Line::new(text);
        let may = line.level == 0 && line.holds(mark::DIGIT) && text.trim_end().ends_with(':');
        match if may { attribution::split_point(text) } else { None } {
            Some(n) => {
                out.push(Line::new(text[..n].trim_end().trim_end_matches('-')));
                out.push(Line::new(&text[n..]));
            }
            None => out.push(line),
        }
    }
    initials(&mut out);
    out
}

/// Lines of a text that need to bear the same initials before one counts as quoted.
const SAME: usize = 3;

/// Counts initials before a quote mark as one: "AB> text", as The Bat and supercite write it.
fn initials(lines: &mut [Line<'_>]) {
    let tag = |line: &Line<'_>| {
        let text = line.text.trim_start();
        let end = text.find('>').filter(|n| (1..=12).contains(n) && line.level == 0)?;
        let (tag, rest) = (&line.text.trim_start()[..end], &text[end + 1..]);
        let plain = tag.chars().all(char::is_alphabetic) && tag.starts_with(char::is_uppercase);
        (plain && (rest.is_empty() || rest.starts_with([' ', '>']))).then_some(end)
    };
    let tags: Vec<&str> = lines
        .iter()
        .filter(|l| l.holds(mark::RULE))
        .filter_map(|l| tag(l).map(|end| &l.text.trim_start()[..end]))
        .collect();
    let Some(most) =
        tags.iter().copied().find(|t| tags.iter().filter(|o| *o == t).take(SAME).count() == SAME)
    else {
        return;
    };
    let most = most.to_owned();
    for line in lines.iter_mut().filter(|l| l.holds(mark::RULE)) {
        if tag(line).is_some_and(|end| line.text.trim_start()[..end] == *most) {
            line.level = 1;
            line.marks = u8::MAX;
        }
    }
}

/// The number of quote marks before a line. Code, arrows and `>>> ... <<<` are no quotes.
pub fn level(text: &str) -> usize {
    let trimmed = text.trim_start_matches([' ', '\t', '\u{a0}']);
    if text.len() - trimmed.len() > 8 || !trimmed.starts_with(['>', '\u{ff1e}', '|']) {
        return 0;
    }
    if let Some(rest) = trimmed.strip_prefix('|') {
        return usize::from(rest.starts_with([' ', '>']) && !rest.contains('|'));
    }
    if attribution::is_chevrons(trimmed)
        || trimmed.trim_end().ends_with("<<<")
        || trimmed.starts_with(">=")
        || trimmed.starts_with(">:")
    {
        return 0;
    }
    trimmed.chars().take_while(|c| matches!(c, '>' | ' ' | '\u{ff1e}')).filter(|c| *c != ' ').count()
}

/// Decides for every line whether it is the author's or a quote.
pub fn separate(lines: &mut [Line<'_>]) -> Doubts {
    let mut doubts = Doubts::default();
    for line in lines.iter_mut().filter(|l| l.level > 0 && !l.fixed) {
        line.part = Part::Quote;
    }
    let closing = attribution::closing(lines);
    let (mut i, mut forwarded) = (0, false);
    while i < lines.len() {
        if lines[i].part != Part::Own || lines[i].fixed || lines[i].is_blank() {
            i += 1;
            continue;
        }
        let Some(found) = attribution::at(lines, i, &closing) else {
            i += 1;
            continue;
        };
        for line in &mut lines[found.start..found.end] {
            line.part = Part::Quote;
        }
        let next = (found.end..lines.len()).find(|&n| !lines[n].is_blank());
        let marked = next.is_some_and(|n| lines[n].part == Part::Quote);
        forwarded |= found.forward;
        if !marked {
            let top = lines[..found.start].iter().all(|l| l.is_blank() || l.part != Part::Own);
            doubts.quote_at_top |= top && next.is_some() && !found.forward;
            for line in lines[found.end..].iter_mut().filter(|l| !l.fixed) {
                line.part = Part::Quote;
            }
            return doubts;
        }
        i = found.end;
    }
    rejoin(lines, forwarded);
    doubts
}

/// A line of a quote that lost its mark in wrapping: between two quoted lines, starting in lower case, below
/// a long line that does not end a sentence; or starting with a bracket or link. Once a mail has shown to
/// wrap so, lower case alone tells; and in what was `forwarded` nobody answers between the lines.
fn rejoin(lines: &mut [Line<'_>], forwarded: bool) {
    let mut wraps = false;
    for i in 1..lines.len().saturating_sub(1) {
        let (before, here, after) = (lines[i - 1], lines[i], lines[i + 1]);
        let between = before.level > 0 && after.level > 0;
        if here.part != Part::Own || here.fixed || here.is_blank() || !between {
            continue;
        }
        let text = here.text.trim_start();
        let long = before.text.chars().count() >= 55;
        let odd = text.starts_with(['(', ')', '_', '<', '&', '=', '/']);
        let ended = before.text.trim_end().ends_with(['.', '?', '!', ':', ';']);
        let lower = text.chars().next().is_some_and(char::is_lowercase);
        let torn = long && lower && !ended;
        if torn || odd || forwarded || (wraps && long && lower && text.split_whitespace().count() > 1) {
            lines[i].part = Part::Quote;
            wraps |= torn;
        }
    }
}
