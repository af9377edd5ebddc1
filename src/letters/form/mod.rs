//! Forms filled in by reply: the lines of a letter become answers. Pure, total and bounded.
//!
//! A person may answer above the quote by number or label, type into the quoted form, send back a file, or
//! say "no change" in a word. `sheet` takes the lines out of a mail, `scan` finds where answers begin,
//! `segment` takes out what the form printed itself, `values` reads what is left, and this puts it
//! together. Where one letter says two things of one question, neither counts: it is asked back.

mod files;
mod print;
mod scan;
mod segment;
mod sheet;
mod values;
mod words;

pub use print::{form_data, lost_data, missing_data, question_data, receipt_data, shown};
pub use sheet::{page_of, sheet, sheet_of_skeleton};

use super::words::{Verb, words as mail_words};
use crate::kernel::form::{
    Draft, Field, Form, Found, Kind, Part, Place, Reading, Sheet, Trouble, Value, Why,
};
use scan::{Anchor, Labels, Mark, Scan};
use segment::{Printed, Segment, Written};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use values::Meant;
use words::{Sign, squash, words};

/// Lines of the author's that are looked at for a word instead of answers.
const MAX_SIGN_LINES: usize = 8;

/// The form a letter is read against.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub form: &'a Form,
    /// What the form showed as already known.
    pub draft: &'a Draft,
    /// The question that was asked alone, or the only one that was asked.
    pub question: Option<&'a str>,
}

/// One answer, and whether it stood in what was quoted.
struct Piece {
    found: Found,
    quoted: bool,
}

/// Reads a letter against a form. Never fails; the same letter reads the same twice.
pub fn read(asked: &Asked<'_>, sheet: &Sheet) -> Reading {
    let labels = Labels::new(asked.form);
    let printed = asked.form.fields.iter().map(|_| OnceCell::new()).collect();
    let reader = Reader { asked, labels, printed };
    let mut body: Option<Scanned> = None;
    let mut pieces: BTreeMap<usize, Vec<Piece>> = BTreeMap::new();
    for page in &sheet.pages {
        let mut scan = Scan::new(page);
        scan.reclaim(&reader.labels);
        let scanned = reader.page(&scan);
        if page.place == Place::File {
            for (field, more) in scanned.pieces {
                pieces.entry(field).or_default().extend(more);
            }
        } else if body.as_ref().is_none_or(|known| scanned.worth() > known.worth()) {
            body = Some(scanned);
        }
    }
    let body = body.unwrap_or_default();
    let alone = reader.alone(&body);
    let mut reading = Reading { unread: sheet.unread.clone(), other_words: body.other, ..Reading::default() };
    reader.signs(&body, alone.is_none(), &mut reading);
    for (field, more) in body.pieces {
        pieces.entry(field).or_default().extend(more);
    }
    if let Some((field, found)) = alone.filter(|_| !reading.says_something()) {
        pieces.entry(field).or_default().push(Piece { found, quoted: false });
    }
    for (field, pieces) in pieces {
        if let Some(found) = together(pieces) {
            reading.found.insert(asked.form.fields[field].id.clone(), found);
        }
    }
    reading
}

/// What one page says.
#[derive(Default)]
struct Scanned {
    pieces: BTreeMap<usize, Vec<Piece>>,
    /// The author's lines above everything quoted, that belong to no question.
    top: Vec<String>,
    /// The author wrote something that belongs to no question.
    other: bool,
}

impl Scanned {
    /// How much a page says: of two forms of one text, the one that says more is believed.
    fn worth(&self) -> usize {
        self.pieces.values().flatten().filter(|piece| piece.found != Found::Same).count()
    }
}

struct Reader<'a> {
    asked: &'a Asked<'a>,
    labels: Labels,
    /// By question; squashed when an answer to it is looked at, since most letters answer few.
    printed: Vec<OnceCell<Printed>>,
}

impl Reader<'_> {
    fn page(&self, scan: &Scan<'_>) -> Scanned {
        let anchors = self.anchors(scan);
        let mut out = Scanned::default();
        let mut taken = vec![false; scan.rows.len()];
        for (n, anchor) in anchors.iter().enumerate() {
            let next = anchors.get(n + 1).map_or(scan.rows.len(), |next| next.row);
            let Mark::Field(field) = anchor.mark else { continue };
            let quoted = scan.rows[anchor.row].quoted();
            // An answer above the quote ends where the quote begins.
            let end = (anchor.row..next).find(|row| !quoted && scan.rows[*row].quoted()).unwrap_or(next);
            let segment = Segment { scan, anchor: *anchor, end };
            taken[anchor.row..end].fill(true);
            if anchor.value.row >= end {
                continue;
            }
            let question = &self.asked.form.fields[field];
            let printed = self.printed[field].get_or_init(|| Printed::new(question, self.asked.draft));
            let written = segment.read(question, printed);
            if let Some(found) = self.found(field, written, quoted) {
                out.pieces.entry(field).or_default().push(Piece { found, quoted });
            }
        }
        let own = |row: &usize| scan.rows[*row].part == Part::Own && !taken[*row];
        let first_quoted = scan.rows.iter().position(|row| row.quoted()).unwrap_or(scan.rows.len());
        let said = |row: usize| scan::says(scan.rows[row].text);
        out.other = (0..scan.rows.len()).filter(own).any(said);
        let above = (0..first_quoted).any(said);
        let top = if above { 0..first_quoted } else { 0..scan.rows.len() };
        out.top = top.filter(own).map(|row| scan.rows[row].text.trim().to_owned()).collect();
        out
    }

    /// Where answers begin, in order.
    fn anchors(&self, scan: &Scan<'_>) -> Vec<Anchor> {
        let all: Vec<Anchor> =
            (0..scan.rows.len()).filter_map(|row| scan.anchor(row, &self.labels)).collect();
        // A question that has its number and label somewhere is not meant by its bare number elsewhere.
        let sure: BTreeSet<usize> = all
            .iter()
            .filter(|a| a.labelled && a.number.is_some() && !scan.rows[a.row].quoted())
            .filter_map(|a| if let Mark::Field(n) = a.mark { Some(n) } else { None })
            .collect();
        let mut walk = Walk::default();
        all.into_iter().filter(|anchor| walk.takes(anchor, scan, &sure, self.asked.form)).collect()
    }

    fn found(&self, field: usize, written: Written, quoted: bool) -> Option<Found> {
        let question = &self.asked.form.fields[field];
        match written {
            Written::Blank => None,
            Written::Same => Some(Found::Same),
            Written::Cut(text) => {
                let trouble = Trouble { why: Why::CutShort, said: values::said(&text), could_be: Vec::new() };
                Some(Found::Trouble(trouble))
            }
            Written::Text(text) => Some(self.meant(question, &text, quoted)),
        }
    }

    fn meant(&self, field: &Field, text: &str, quoted: bool) -> Found {
        let entry = self.asked.draft.entry(&field.id);
        let old = |value: &Value| {
            segment::known(entry).take(if quoted { usize::MAX } else { 1 }).any(|k| k == value)
        };
        match values::read(field, text) {
            Ok(Meant::Value(value)) if old(&value) && entry.is_some_and(|e| quoted || e.value.is_some()) => {
                Found::Same
            }
            Ok(Meant::Value(value)) => Found::Answer(value),
            Ok(Meant::Nothing) => Found::Nothing,
            Err(trouble) => Found::Trouble(trouble),
        }
    }

    /// The answer to a question that was asked alone: the words at the top, whole or by paragraph.
    fn alone(&self, body: &Scanned) -> Option<(usize, Found)> {
        let (number, field) = self.asked.form.field(self.asked.question?)?;
        let text = body.top.join("\n");
        let text = text.trim();
        if text.is_empty() || !body.pieces.is_empty() && body.worth() > 0 {
            return None;
        }
        let whole = self.meant(field, text, false);
        if !matches!(whole, Found::Trouble(_)) || matches!(field.kind, Kind::Text { .. }) {
            return Some((number - 1, whole));
        }
        // "Hello,", then the answer, then thanks: the one paragraph that can be read.
        let mut read: Vec<Found> = text
            .split("\n\n")
            .map(|paragraph| self.meant(field, paragraph.trim(), false))
            .filter(|found| matches!(found, Found::Answer(_) | Found::Same))
            .collect();
        read.dedup();
        let found = if read.len() == 1 { read.pop()? } else { whole };
        Some((number - 1, found))
    }

    /// Words said instead of answers.
    fn signs(&self, body: &Scanned, form_open: bool, reading: &mut Reading) {
        let lines = || body.top.iter().filter(|line| !line.is_empty());
        let short = lines().count() <= 3;
        for line in lines().take(MAX_SIGN_LINES) {
            let head = line.split([',', '.', '!', ';', '\u{3002}', '\u{ff0c}', '\u{ff01}', '\u{60c}']).next();
            let known = |text: &str| words().signs.get(&squash(text)).copied();
            match known(line).or_else(|| head.and_then(known).filter(|sign| *sign == Sign::NoChange)) {
                Some(Sign::NoChange) => reading.confirms = true,
                Some(Sign::Skip) if short && self.asked.question.is_some() => reading.skips = true,
                Some(Sign::Whole) if short && (form_open || self.asked.question.is_some()) => {
                    reading.wants_whole = true
                }
                _ => {}
            }
            let folded = super::fold::fold(line).into_owned();
            let core = folded.trim_matches(|c: char| !c.is_alphanumeric());
            let verb = mail_words().commands.get(core).map(|(verb, _)| *verb);
            reading.wants_questions |=
                verb == Some(Verb::Questions) && !line.contains(['?', '\u{61f}', '\u{ff1f}']);
        }
    }
}

/// The pieces about one question as one.
fn together(pieces: Vec<Piece>) -> Option<Found> {
    let own_answer = pieces.iter().any(|p| !p.quoted && matches!(p.found, Found::Answer(_) | Found::Nothing));
    let mut said: Vec<Found> = Vec::new();
    let mut same = false;
    for piece in pieces {
        match piece.found {
            Found::Same => same = true,
            // What is odd in a quote weighs nothing beside a plain answer above it.
            Found::Trouble(_) if piece.quoted && own_answer => {}
            found if !said.contains(&found) => said.push(found),
            _ => {}
        }
    }
    if said.len() <= 1 {
        return said.pop().or(same.then_some(Found::Same));
    }
    let mut trouble = Trouble { why: Why::TwoAnswers, said: String::new(), could_be: Vec::new() };
    for found in said {
        match found {
            Found::Answer(value) => trouble.could_be.push(value),
            Found::Trouble(other) => trouble.said = other.said,
            Found::Nothing | Found::Same => {}
        }
    }
    trouble.could_be.truncate(4);
    Some(Found::Trouble(trouble))
}

/// Goes through the anchors of a page and tells those that begin an answer from numbers and labels inside
/// one.
#[derive(Default)]
struct Walk {
    /// The answer we are in: its question, and whether it began with number and label.
    inside: Option<(usize, bool)>,
    /// The last number of a list inside an answer.
    list: Option<usize>,
    /// The quote level of the form.
    level: Option<usize>,
    /// The quoted form has ended.
    quote_over: bool,
}

impl Walk {
    fn takes(&mut self, anchor: &Anchor, scan: &Scan<'_>, sure: &BTreeSet<usize>, form: &Form) -> bool {
        let row = scan.rows[anchor.row];
        let Mark::Field(field) = anchor.mark else {
            self.quote_over |= anchor.mark == Mark::End && row.quoted();
            (self.inside, self.list) = (None, None);
            return true;
        };
        let takes = if row.quoted() {
            // In what is quoted, only the form's own lines count: number and label, at its own depth.
            let deep = self.level.is_some_and(|level| row.level != level);
            anchor.labelled && anchor.number.is_some() && !deep && !self.quote_over
        } else {
            self.takes_own(anchor, field, sure, form)
        };
        if takes {
            self.inside = Some((field, anchor.labelled && anchor.number.is_some()));
            self.list = None;
            if row.quoted() {
                self.level = Some(row.level);
            }
        }
        takes
    }

    fn takes_own(&mut self, anchor: &Anchor, field: usize, sure: &BTreeSet<usize>, form: &Form) -> bool {
        let runs_on = self.inside.is_some_and(|(inside, _)| form.fields[inside].kind.runs_on());
        match (anchor.number, anchor.labelled) {
            (Some(_), true) => true,
            // A label inside a long answer of a form that is filled in by number and label is part of the
            // answer.
            (None, true) => !(runs_on && self.inside.is_some_and(|(_, whole)| whole)),
            (Some(number), false) => {
                let back = self.inside.is_some_and(|(inside, _)| field <= inside);
                let goes_on = self.list.is_some_and(|last| last + 1 == number);
                if sure.contains(&field) || (runs_on && (back || goes_on)) {
                    self.list = Some(number);
                    return false;
                }
                true
            }
            (None, false) => false,
        }
    }
}
