//! Where in a page an answer begins: by the number of its question, by its label in any language, or by
//! both.
//!
//! Labels are looked for in the squashed text (letters and digits alone, folded), so that a label torn over
//! two lines, with other accents, spaces or marks, is still found; every squashed letter knows where it
//! stands.

use super::words::{ascii_digit, squash, words};
use crate::kernel::form::{Form, Page, Part};
use crate::letters::fold::{fold, is_invisible};
use std::collections::HashMap;
use unicode_normalization::char::is_combining_mark;

/// Stands between the cells of a table.
pub const CELL: char = '\u{1f}';

/// Whether a text holds a letter or digit. Vowel signs and accents by themselves say nothing.
pub fn says(text: &str) -> bool {
    text.chars().any(|c| c.is_alphanumeric() && !is_combining_mark(c) && !is_invisible(c))
}

/// One line of a page without its quote marks.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub text: &'a str,
    pub part: Part,
    pub level: usize,
}

impl Row<'_> {
    pub fn quoted(&self) -> bool {
        self.part == Part::Quote
    }
}

/// A squashed letter and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Atom {
    pub c: char,
    pub row: usize,
    pub start: usize,
    pub end: usize,
}

/// A place in a page: row and byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub row: usize,
    pub at: usize,
}

/// What begins at a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The answer to the n-th question of the form.
    Field(usize),
    /// The form ends: quoted lines below belong to no question.
    End,
    /// What stood above ends.
    Break,
}

/// The beginning of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    pub row: usize,
    pub mark: Mark,
    pub number: Option<usize>,
    pub labelled: bool,
    pub value: Place,
}

/// The labels of a form in all languages, squashed, by first letter; the longest first.
pub struct Labels {
    by_first: HashMap<char, Vec<(Vec<char>, usize)>>,
    count: usize,
    ends: Vec<String>,
}

impl Labels {
    pub fn new(form: &Form) -> Labels {
        let mut by_first: HashMap<char, Vec<(Vec<char>, usize)>> = HashMap::new();
        for (n, field) in form.fields.iter().enumerate() {
            for (_, label) in field.label.all() {
                let chars: Vec<char> = squash(label).chars().collect();
                let Some(first) = chars.first() else { continue };
                let list = by_first.entry(*first).or_default();
                if !list.iter().any(|(known, _)| *known == chars) {
                    list.push((chars, n));
                }
            }
        }
        for list in by_first.values_mut() {
            list.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.1.cmp(&b.1)));
        }
        let ends = words().printed.end.all().map(|(_, text)| squash(text)).collect();
        Labels { by_first, count: form.fields.len(), ends }
    }
}

/// A page ready to be looked through.
pub struct Scan<'a> {
    pub rows: Vec<Row<'a>>,
    pub atoms: Vec<Atom>,
    /// The first atom at or after the start of each row, and the number of atoms at the end.
    pub firsts: Vec<usize>,
}

impl<'a> Scan<'a> {
    pub fn new(page: &'a Page) -> Scan<'a> {
        let rows: Vec<Row<'a>> = page
            .lines
            .iter()
            .map(|line| Row {
                text: unmarked(&line.text, line.level),
                part: line.part,
                level: line.level.into(),
            })
            .collect();
        let mut atoms = Vec::new();
        let mut firsts = Vec::with_capacity(rows.len() + 1);
        for (n, row) in rows.iter().enumerate() {
            firsts.push(atoms.len());
            squash_row(row.text, n, &mut atoms);
        }
        firsts.push(atoms.len());
        Scan { rows, atoms, firsts }
    }

    /// What was taken for a signature and goes on answering is the author's: a label, or the next number.
    pub fn reclaim(&mut self, labels: &Labels) {
        let mut highest = 0;
        let mut reclaimed = false;
        for row in 0..self.rows.len() {
            if self.rows[row].quoted() {
                reclaimed = false;
                continue;
            }
            let anchor = self.anchor(row, labels).filter(|a| matches!(a.mark, Mark::Field(_)));
            let number = anchor.and_then(|a| a.number);
            if self.rows[row].part == Part::Signature {
                reclaimed |=
                    anchor.is_some_and(|a| a.labelled) || (highest > 0 && number == Some(highest + 1));
                if reclaimed {
                    self.rows[row].part = Part::Own;
                }
            }
            highest = highest.max(number.unwrap_or(0));
        }
    }

    /// The first atom at or after a place.
    pub fn atom_at(&self, place: Place) -> usize {
        let (from, to) = (self.firsts[place.row], self.firsts[place.row + 1]);
        from + self.atoms[from..to].partition_point(|atom| atom.start < place.at)
    }

    /// Whether letters match from an atom on, and end where a word ends.
    pub fn matches(&self, at: usize, chars: &[char]) -> bool {
        let Some(atoms) = self.atoms.get(at..at + chars.len()) else { return false };
        atoms.iter().zip(chars).all(|(atom, c)| atom.c == *c) && self.ends_word(at + chars.len())
    }

    /// Whether the letter before this atom does not run on into it.
    fn ends_word(&self, at: usize) -> bool {
        let (Some(last), Some(next)) = (at.checked_sub(1).map(|n| self.atoms[n]), self.atoms.get(at)) else {
            return true;
        };
        let apart = last.row != next.row || last.end != next.start;
        apart || crate::letters::fold::is_unspaced(last.c) != crate::letters::fold::is_unspaced(next.c)
    }

    /// What begins at a row, if anything does.
    pub fn anchor(&self, row: usize, labels: &Labels) -> Option<Anchor> {
        let line = self.rows[row];
        let text = line.text;
        let start = text.len() - text.trim_start_matches(is_ornament).len();
        if text.trim_start().starts_with("##-") {
            return Some(stop(row, Mark::Break));
        }
        if line.quoted() && is_rule(text) {
            return Some(stop(row, Mark::Break));
        }
        let length = self.firsts[row + 1] - self.firsts[row];
        let whole = || self.atoms[self.firsts[row]..self.firsts[row + 1]].iter().map(|a| a.c);
        if length <= 60 && labels.ends.iter().any(|end| end.chars().eq(whole())) {
            return Some(stop(row, Mark::End));
        }
        match numbered(&text[start..]).filter(|n| (1..=labels.count).contains(&n.number)) {
            Some(found) => self.numbered_anchor(row, start, &found, labels),
            None => self.label_anchor(row, start, labels),
        }
    }

    fn numbered_anchor(&self, row: usize, start: usize, found: &Numbered, labels: &Labels) -> Option<Anchor> {
        let after = Place { row, at: start + found.after };
        let labelled = self.label(self.atom_at(after), row, labels);
        if let Some((field, last)) = labelled {
            let gap = self.gap(last);
            // A wrong number before another question's label: the label tells, where a colon says it is
            // one.
            if field + 1 == found.number || gap.separated {
                let mark = Mark::Field(field);
                return Some(Anchor {
                    row,
                    mark,
                    number: Some(found.number),
                    labelled: true,
                    value: gap.value,
                });
            }
        }
        let mark = Mark::Field(found.number - 1);
        let anchor = Anchor { row, mark, number: Some(found.number), labelled: false, value: after };
        found.separated.then_some(anchor)
    }

    fn label_anchor(&self, row: usize, start: usize, labels: &Labels) -> Option<Anchor> {
        let (field, last) = self.label(self.atom_at(Place { row, at: start }), row, labels)?;
        let gap = self.gap(last);
        let anchor = Anchor { row, mark: Mark::Field(field), number: None, labelled: true, value: gap.value };
        (gap.separated || gap.line_ends).then_some(anchor)
    }

    /// The longest label that starts at an atom of this row: its question, and its last atom. It may run on
    /// for two lines more of the same hand.
    fn label(&self, at: usize, row: usize, labels: &Labels) -> Option<(usize, usize)> {
        let first = self.atoms.get(at).filter(|atom| atom.row == row)?;
        let list = labels.by_first.get(&first.c)?;
        let fits = |chars: &Vec<char>| {
            self.matches(at, chars) && {
                let last = self.atoms[at + chars.len() - 1].row;
                last - row <= 2 && self.rows[row..=last].iter().all(|r| r.quoted() == self.rows[row].quoted())
            }
        };
        list.iter().find(|(chars, _)| fits(chars)).map(|(chars, field)| (*field, at + chars.len() - 1))
    }

    /// What stands between a label and its answer.
    fn gap(&self, last: usize) -> Gap {
        let Atom { row, end, .. } = self.atoms[last];
        let text = self.rows[row].text;
        let closing =
            |c: char| c.is_whitespace() || is_invisible(c) || "*_\"'\u{201d}\u{bb})\u{ff09}]".contains(c);
        let rest = text[end..].trim_start_matches(|c: char| closing(c) && c != CELL && c != '\t');
        let rest_at = text.len() - rest.len();
        let mut separated = false;
        let mut after = rest;
        while let Some(c) = after.chars().next() {
            let dash = matches!(c, '-' | '\u{2013}' | '\u{2014}') && !separated;
            let dash = dash && after[c.len_utf8()..].chars().next().is_none_or(char::is_whitespace);
            let mark = matches!(c, ':' | '\u{ff1a}' | '\u{fe55}' | '=' | '?' | '\u{ff1f}' | '\u{61f}' | '|');
            if mark || dash || c == CELL || c == '\t' {
                separated = true;
            } else if !(is_invisible(c) || c.is_whitespace() || (separated && matches!(c, '*' | '_'))) {
                break;
            }
            after = &after[c.len_utf8()..];
        }
        let at = if separated { text.len() - after.len() } else { rest_at };
        Gap { separated, line_ends: after.is_empty(), value: Place { row, at } }
    }
}

struct Gap {
    separated: bool,
    line_ends: bool,
    value: Place,
}

fn stop(row: usize, mark: Mark) -> Anchor {
    Anchor { row, mark, number: None, labelled: false, value: Place { row, at: 0 } }
}

/// A line without its quote marks.
fn unmarked(text: &str, level: u8) -> &str {
    if level == 0 {
        return text;
    }
    text.trim_start_matches(['>', '\u{ff1e}', '|', ' ', '\t', '\u{a0}'])
}

/// What mail programs and people put before a line: bullets, emphasis, quotation marks.
fn is_ornament(c: char) -> bool {
    c.is_whitespace()
        || is_invisible(c)
        || c == CELL
        || "*_#>\u{2022}\u{b7}-+|\"\u{201c}\u{ab}\u{25cf}\u{25e6}".contains(c)
}

fn is_rule(text: &str) -> bool {
    let text = text.trim();
    text.chars().count() >= 4 && text.chars().all(|c| matches!(c, '-' | '_' | '=' | '\u{2014}' | '\u{2500}'))
}

/// A number at the start of a line, and what stands behind it.
#[derive(Debug, PartialEq)]
struct Numbered {
    number: usize,
    /// Bytes up to what follows.
    after: usize,
    /// A bracket, stop or colon sets it off.
    separated: bool,
}

/// "3.", "(3)", "3:", "3 -", "Question 3:", "№ 3.", "第3题：", "٣."
fn numbered(text: &str) -> Option<Numbered> {
    let mut rest = text.trim_start_matches(['(', '[', '\u{ff08}', '\u{3010}', '#', ' ']);
    let word: String = rest.chars().take_while(|c| c.is_alphabetic() || *c == '\u{2116}').take(12).collect();
    if !word.is_empty() {
        words().question.get(&squash(&word))?;
        rest = rest[word.len()..].trim_start_matches(['.', '\u{b0}', '\u{ba}', ' ', '\u{a0}', '#', '(', '[']);
    }
    let digits: String = rest.chars().take_while(|c| ascii_digit(*c).is_ascii_digit()).take(4).collect();
    let number: usize = digits.chars().map(ascii_digit).collect::<String>().parse().ok()?;
    let behind = &rest[digits.len()..];
    let mut after = behind.trim_start_matches(['题', '项', '问', '題', '項']);
    let mut separated = false;
    while let Some(c) = after.chars().next() {
        let next = after[c.len_utf8()..].chars().next();
        let next_digit = next.is_some_and(|n| ascii_digit(n).is_ascii_digit());
        let mark = match c {
            // "3.5 million" and "10:30" are no numbers of questions.
            '.' | ':' | ',' => !next_digit && (c != ',' || word.is_empty()),
            ')' | ']' | '\u{ff09}' | '\u{3011}' | '\u{3001}' | '\u{ff0e}' | '\u{ff1a}' | '=' | CELL => true,
            '-' | '\u{2013}' | '\u{2014}' | '/' => !separated && next.is_some_and(char::is_whitespace),
            '\u{b0}' | '\u{ba}' | '*' | '_' => false,
            _ => break,
        };
        if !mark && !matches!(c, '\u{b0}' | '\u{ba}' | '*' | '_') {
            break;
        }
        separated |= mark && c != ',';
        after = &after[c.len_utf8()..];
        let spaces = after.len() - after.trim_start_matches([' ', '\u{a0}']).len();
        // A colon may follow a space: "3 :".
        if spaces > 0 && after[spaces..].starts_with([':', '\u{ff1a}']) {
            after = &after[spaces..];
        }
    }
    if !separated {
        let bare = after.trim_start_matches([' ', '\u{a0}']);
        for mark in [": ", "= ", "\u{ff1a}", "- ", "\u{2013} ", "\u{2014} ", ") "] {
            if let Some(behind) = bare.strip_prefix(mark) {
                separated = true;
                after = behind;
                break;
            }
        }
        separated |= bare == ":";
    }
    let after = after.trim_start_matches(|c: char| c.is_whitespace() || c == CELL);
    Some(Numbered { number, after: text.len() - after.len(), separated })
}

fn squash_row(text: &str, row: usize, into: &mut Vec<Atom>) {
    let mut buffer = [0u8; 4];
    for (start, c) in text.char_indices() {
        let end = start + c.len_utf8();
        if c.is_ascii() {
            if c.is_ascii_alphanumeric() {
                into.push(Atom { c: c.to_ascii_lowercase(), row, start, end });
            }
            continue;
        }
        let folded = fold(c.encode_utf8(&mut buffer));
        for c in folded.chars().filter(|c| c.is_alphanumeric()) {
            into.push(Atom { c: ascii_digit(c), row, start, end });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(usize, &str)>) {
        let found = numbered(text).filter(|n| n.separated);
        assert_eq!(found.map(|n| (n.number, &text[n.after..])), expected, "{text}");
    }

    #[test]
    fn numbers_of_questions_are_known_in_all_their_forms() {
        for text in [
            "3. x",
            "3) x",
            "(3) x",
            "3: x",
            "3 - x",
            "[3] x",
            "3.) x",
            "3 : x",
            "Question 3: x",
            "№ 3. x",
            "n° 3 : x",
            "第3题：x",
            "٣. x",
            "3、x",
            "３．x",
            "Вопрос 3: x",
            "السؤال 3: x",
            "#3: x",
            "3 – x",
            "3 = x",
        ] {
            check(text, Some((3, "x")));
        }
        for text in ["3.5 million", "10:30", "3 members", "2024-03-05", "in 3. x", "x", ""] {
            check(text, None);
        }
        check("3. -", Some((3, "-")));
        check("3: -", Some((3, "-")));
    }
}
