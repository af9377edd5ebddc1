//! What stands in one answer's place, once everything the form itself printed there is taken out.

use super::print::{CUT, note, shown};
use super::scan::{Anchor, Atom, Place, Scan, says};
use super::values::unticked;
use super::words::squash;
use crate::kernel::form::{Draft, Entry, Field, Kind, Part, Value};
use crate::kernel::language::Language;
use crate::letters::fold::is_unspaced;
use crate::letters::words;

/// Letters of a long answer that are shown at least before it is cut.
const MIN_SHOWN: usize = 40;
/// Characters of a row from which on a break may be a mail program's.
const MARGIN: usize = 58;
/// Letters of a printed text below which a row is not taken for a torn piece of it.
const MIN_TORN: usize = 6;

/// What was found in an answer's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    Blank,
    /// What we had printed there, unchanged.
    Same,
    Text(String),
    /// A long answer that our mail had shown in part, changed.
    Cut(String),
}

/// What a form prints for one question, squashed, in all languages.
pub struct Printed {
    notes: Vec<Vec<char>>,
    options: Vec<Vec<char>>,
    /// The answers there are now or were earlier.
    values: Vec<Vec<char>>,
}

impl Printed {
    pub fn new(field: &Field, draft: &Draft) -> Printed {
        let chars = |text: &str| squash(text).chars().collect::<Vec<char>>();
        let mut notes = Vec::new();
        let mut options = Vec::new();
        let mut values: Vec<Vec<char>> = Vec::new();
        let entry = draft.entry(&field.id);
        for language in Language::ALL {
            notes.push(chars(&note(field, language)));
            notes.push(chars(field.help.get(language)));
            for (n, offer) in field.options.iter().enumerate() {
                options.push(chars(&format!("{} {}", super::print::letter(n), offer.label.get(language))));
            }
            values.extend(known(entry).map(|value| chars(&shown(field, value, language))));
        }
        notes.sort_by_key(|note| std::cmp::Reverse(note.len()));
        notes.dedup();
        options.sort_by_key(|option| std::cmp::Reverse(option.len()));
        options.dedup();
        values.retain(|value| !value.is_empty());
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Printed { notes, options, values }
    }
}

/// What was or is known of a question, the latest first.
pub fn known(entry: Option<&Entry>) -> impl Iterator<Item = &Value> {
    entry.into_iter().flat_map(|entry| entry.value.iter().chain(&entry.before))
}

/// An answer's place: from the anchor to the next one.
pub struct Segment<'s, 'a> {
    pub scan: &'s Scan<'a>,
    pub anchor: Anchor,
    /// The rows after the anchor's that belong to it.
    pub end: usize,
}

impl Segment<'_, '_> {
    fn quoted(&self) -> bool {
        self.scan.rows[self.anchor.row].quoted()
    }

    /// Reads what stands here for a question.
    pub fn read(&self, field: &Field, printed: &Printed) -> Written {
        let (from, to) = (self.scan.atom_at(self.anchor.value), self.scan.firsts[self.end]);
        if from > to {
            return Written::Blank;
        }
        let mut gone = vec![false; to - from];
        for note in &printed.notes {
            self.strike(from, &mut gone, note);
        }
        if field.kind.offers() {
            self.strike_options(from, &mut gone, printed);
        }
        if self.quoted() {
            self.strike_torn(from, &mut gone, printed);
        }
        let shown = printed.values.iter().find_map(|value| self.shown(from, gone.len(), value));
        let before = self.lines(from, &gone);
        let Some((length, cut)) = shown else {
            let text = finish(field, &before, |_| true);
            let long = printed.values.iter().any(|value| value.len() >= MIN_SHOWN);
            let shortened = long && self.quoted() && text.trim_end().ends_with(CUT);
            return match text {
                text if shortened => Written::Cut(text),
                text if text.is_empty() => Written::Blank,
                text => Written::Text(text),
            };
        };
        gone[..length].fill(true);
        let rest = self.lines(from, &gone);
        let said = |own: bool| rest.iter().any(|l| l.own == own && says(&l.text));
        let mark = |own: bool| rest.iter().any(|l| l.own == own && is_mark(&l.text));
        if self.quoted() && (said(true) || mark(true)) && !said(false) {
            return Written::Text(finish(field, &rest, |line| line.own));
        }
        if said(true) || said(false) {
            let text = finish(field, &before, |_| true);
            return if cut { Written::Cut(text) } else { Written::Text(text) };
        }
        Written::Same
    }

    /// How many letters from here on are an answer we had shown, and whether it was cut short there.
    fn shown(&self, from: usize, room: usize, value: &[char]) -> Option<(usize, bool)> {
        if value.len() <= room && self.scan.matches(from, value) {
            return Some((value.len(), false));
        }
        let atoms = &self.scan.atoms[from..from + room];
        let length = atoms.iter().zip(value).take_while(|(atom, c)| atom.c == **c).count();
        let last = atoms.get(length.checked_sub(1)?)?;
        let behind = self.scan.rows[last.row].text[last.end..]
            .trim_start_matches(|c: char| !c.is_alphanumeric() && c != CUT);
        (length >= MIN_SHOWN && behind.starts_with(CUT)).then_some((length, true))
    }

    /// Takes out every place where a printed text stands.
    fn strike(&self, from: usize, gone: &mut [bool], chars: &[char]) {
        let Some(first) = chars.first() else { return };
        let mut at = 0;
        while at + chars.len() <= gone.len() {
            if self.scan.atoms[from + at].c == *first && !gone[at] && self.scan.matches(from + at, chars) {
                gone[at..at + chars.len()].fill(true);
                at += chars.len();
            } else {
                at += 1;
            }
        }
    }

    /// Options with an empty box are what the form printed; what is typed as an answer has no box.
    fn strike_options(&self, from: usize, gone: &mut [bool], printed: &Printed) {
        for row in self.anchor.value.row..self.end {
            if !unticked(self.scan.rows[row].text) {
                continue;
            }
            let at = self.scan.firsts[row];
            let Some(offset) = at.checked_sub(from) else { continue };
            let option = printed.options.iter().find(|option| self.scan.matches(at, option));
            if let Some(slice) = option.and_then(|option| gone.get_mut(offset..offset + option.len())) {
                slice.fill(true);
            }
        }
    }

    /// Quoted rows that are a piece of a note: a mail program tore or shortened it.
    fn strike_torn(&self, from: usize, gone: &mut [bool], printed: &Printed) {
        for row in self.anchor.value.row + 1..self.end {
            let (a, b) = (self.scan.firsts[row], self.scan.firsts[row + 1]);
            if !self.scan.rows[row].quoted() || b - a < MIN_TORN || a < from || b - from > gone.len() {
                continue;
            }
            let atoms: Vec<char> = self.scan.atoms[a..b].iter().map(|atom| atom.c).collect();
            let torn = |note: &Vec<char>| note.windows(atoms.len()).any(|piece| piece == atoms);
            if printed.notes.iter().any(torn) {
                gone[a - from..b - from].fill(true);
            }
        }
    }

    /// The rows without what is gone. A row of which only marks are left goes too.
    fn lines(&self, from: usize, gone: &[bool]) -> Vec<Left> {
        let mut out = Vec::new();
        for row in self.anchor.value.row..self.end {
            let line = self.scan.rows[row];
            if line.part == Part::Signature {
                continue;
            }
            let start = if row == self.anchor.value.row { self.anchor.value.at } else { 0 };
            let (a, b) = (self.scan.atom_at(Place { row, at: start }), self.scan.firsts[row + 1]);
            let struck: Vec<&Atom> =
                (a..b).filter(|n| gone.get(n - from) == Some(&true)).map(|n| &self.scan.atoms[n]).collect();
            let mut text = String::new();
            if struck.is_empty() {
                text.push_str(&line.text[start..]);
            } else {
                let mut at = start;
                for atom in &struck {
                    if atom.start > at {
                        push_between(&mut text, &line.text[at..atom.start]);
                    }
                    at = at.max(atom.end);
                }
                push_between(&mut text, &line.text[at..]);
            }
            let said = says(&text);
            let kept = if struck.is_empty() || said { text.trim().to_owned() } else { String::new() };
            // A box that was left empty is no answer.
            let empty_box = !said && unticked(&kept);
            let kept = if empty_box { String::new() } else { kept };
            let width = line.text.chars().count();
            out.push(Left { text: kept, own: line.part == Part::Own, bare: struck.is_empty(), width });
        }
        out
    }
}

/// What is left of a row.
struct Left {
    text: String,
    own: bool,
    /// Nothing was taken out of it.
    bare: bool,
    /// Characters of the whole row.
    width: usize,
}

/// What stands between two letters that go: kept only where it says something.
fn push_between(text: &mut String, between: &str) {
    if says(between) {
        let marks = |c: char| c.is_whitespace() || ".,;:()[]\u{ff08}\u{ff09}\u{3002}".contains(c);
        let between = between
            .trim_start_matches([')', '.', '\u{3002}', '\u{ff09}'])
            .trim_end_matches(['(', '\u{ff08}']);
        text.push_str(between.trim_matches(|c: char| marks(c) && c.is_whitespace()));
        text.push(' ');
    }
}

/// A row that is an answer without a letter in it: a dash, a tick.
fn is_mark(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty()
        && text.chars().count() <= 3
        && text.chars().all(|c| {
            "-\u{2013}\u{2014}/\u{2713}\u{2714}\u{2717}\u{2718}\u{2611}\u{2612}\u{2705}\u{274c}".contains(c)
        })
}

/// The rows as one answer of the question's kind: a line or a paragraph for most, all of it where an answer
/// may run on. Greetings at the end stay out.
fn finish(field: &Field, lines: &[Left], take: impl Fn(&Left) -> bool) -> String {
    let mut rows: Vec<&Left> = Vec::new();
    for line in lines.iter().filter(|line| take(line)) {
        if line.own && line.bare && !rows.is_empty() && is_sign_off(&line.text) {
            break;
        }
        rows.push(line);
    }
    let told = |row: &&Left| says(&row.text) || is_mark(&row.text);
    let Some(first) = rows.iter().position(told) else { return String::new() };
    let rows = &rows[first..];
    if field.kind.offers() {
        return rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>().join("\n").trim().to_owned();
    }
    let end = rows.iter().position(|row| row.text.is_empty()).filter(|_| !field.kind.runs_on());
    rewrapped(field, &rows[..end.unwrap_or(rows.len())])
}

/// The rows as lines; those that a mail program broke at its margin are joined again.
fn rewrapped(field: &Field, rows: &[&Left]) -> String {
    let people = matches!(field.kind, Kind::People { .. });
    let mut out = String::new();
    for (n, row) in rows.iter().enumerate() {
        let before = n.checked_sub(1).map(|n| rows[n]);
        match before {
            None => {}
            Some(before) if before.broken(row, people) => {
                let unspaced = out.chars().next_back().is_some_and(is_unspaced);
                out.push_str(if unspaced { "" } else { " " });
            }
            Some(_) => out.push('\n'),
        }
        out.push_str(&row.text);
    }
    out.trim().to_owned()
}

impl Left {
    /// Whether a mail program broke the line here: the next word had no room before the margin.
    fn broken(&self, next: &Left, people: bool) -> bool {
        if self.text.is_empty() || next.text.is_empty() || self.own != next.own {
            return false;
        }
        let comma = people && self.text.ends_with([',', '\u{ff0c}', '\u{60c}']);
        let word = next.text.split(' ').next().unwrap_or_default().chars().count();
        let full = self.width + 1 + word > MARGIN && !next.text.starts_with(['-', '*', '\u{2022}']);
        let tail = self.text.rsplit([';', '\u{ff1b}', '\u{61b}']).next().unwrap_or_default();
        // Two rows with an address each are two people, however long.
        let apart = people && tail.contains('@') && next.text.contains('@');
        comma || (full && !apart)
    }
}

fn is_sign_off(text: &str) -> bool {
    let folded = crate::letters::fold::fold(text).into_owned();
    let core = folded.trim_matches(|c: char| !c.is_alphanumeric());
    core.len() >= 4 && core.contains(' ') && words::words().sign_off.contains(core)
}
