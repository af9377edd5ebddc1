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
}

impl Line<'_> {
    pub fn is_blank(&self) -> bool {
        self.text.chars().all(|c| c.is_whitespace() || is_invisible(c))
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
    text.split('\n').map(|text| Line { text, level: level(text), ..Line::default() }).collect()
}

/// The number of quote marks before a line. Code, arrows and `>>> ... <<<` are no quotes.
pub fn level(text: &str) -> usize {
    let trimmed = text.trim_start_matches([' ', '\t', '\u{a0}']);
    if text.len() - trimmed.len() > 8 || !trimmed.starts_with(['>', '\u{ff1e}', '|']) {
        return 0;
    }
    if trimmed.starts_with('|') {
        let bars = trimmed.bytes().take_while(|b| *b == b'|').count();
        return usize::from(bars == 1 && trimmed[1..].starts_with([' ', '>']) && !trimmed[1..].contains('|'));
    }
    if trimmed.trim_end().ends_with("<<<") || trimmed.starts_with(">=") || trimmed.starts_with(">:") {
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
    let mut i = 0;
    while i < lines.len() {
        if lines[i].part != Part::Own || lines[i].fixed || lines[i].is_blank() {
            i += 1;
            continue;
        }
        let Some(found) = attribution::at(lines, i) else {
            i += 1;
            continue;
        };
        let top = lines[..found.start].iter().all(|l| l.is_blank() || l.part != Part::Own);
        for line in &mut lines[found.start..found.end] {
            line.part = Part::Quote;
        }
        let next = (found.end..lines.len()).find(|&n| !lines[n].is_blank());
        let marked = next.is_some_and(|n| lines[n].part == Part::Quote);
        if !marked {
            doubts.quote_at_top |= top && next.is_some() && !found.forward;
            for line in lines[found.end..].iter_mut().filter(|l| !l.fixed) {
                line.part = Part::Quote;
            }
            return doubts;
        }
        i = found.end;
    }
    rejoin(lines);
    doubts
}

/// A line of a quote that lost its mark in wrapping: one short line between two quoted ones, starting in lower
/// case or with a bracket, is the end of the line above it.
fn rejoin(lines: &mut [Line<'_>]) {
    for i in 1..lines.len().saturating_sub(1) {
        let (before, here, after) = (lines[i - 1], lines[i], lines[i + 1]);
        if here.part != Part::Own || here.fixed || here.is_blank() || before.level == 0 || after.level == 0 {
            continue;
        }
        let long = before.text.chars().count() >= 55;
        let odd = here.text.trim_start().starts_with(['(', ')', '_', '<', '&', '=', '/', '?']);
        let words = here.text.split_whitespace().count();
        let lower = here.text.trim_start().chars().next().is_some_and(char::is_lowercase);
        if (long && words <= 4 && lower) || odd {
            lines[i].part = Part::Quote;
        }
    }
}
