//! The words of an answer become a value of the kind asked for, or the reason why not. Nothing is guessed:
//! what can be read in two ways is asked back.

mod address;
mod choice;
mod country;
mod date;
mod number;
mod people;

pub use choice::unticked;

use super::words::{Sign, squash, words};
use crate::kernel::choice::Choice;
use crate::kernel::form::{Field, Kind, Trouble, Value, Why};
use crate::letters::answer;
use crate::letters::fold::is_invisible;

/// Bytes of one answer that are looked at.
const MAX_ANSWER: usize = 96 << 10;
/// Characters shown back of an answer that was not understood.
const MAX_SAID: usize = 80;

/// Why an answer is none, and what it could be.
#[derive(Debug, Clone, PartialEq)]
struct Fault {
    why: Why,
    could_be: Vec<Value>,
}

impl From<Why> for Fault {
    fn from(why: Why) -> Fault {
        Fault { why, could_be: Vec::new() }
    }
}

/// What an answer comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Meant {
    Value(Value),
    /// "None", "-": to be left empty.
    Nothing,
}

/// Reads an answer that is not blank.
///
/// # Errors
/// What is wrong with it.
pub fn read(field: &Field, text: &str) -> Result<Meant, Trouble> {
    let end = (0..=MAX_ANSWER.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(0);
    let cut = end < text.len();
    let text = clean(&text[..end]);
    if is_nothing(field, &text) {
        return Ok(Meant::Nothing);
    }
    let trouble = |fault: Fault| Trouble { why: fault.why, said: said(&text), could_be: fault.could_be };
    if cut {
        return Err(trouble(Why::TooLong.into()));
    }
    value(field, &text).map(Meant::Value).map_err(trouble)
}

fn value(field: &Field, text: &str) -> Result<Value, Fault> {
    match field.kind {
        Kind::Text { max } => {
            let fits = text.chars().count() <= max as usize;
            if fits { Ok(Value::Text(text.to_owned())) } else { Err(Why::TooLong.into()) }
        }
        Kind::Number => number::read(text).map(Value::Number),
        Kind::YesNo => yes_no(text),
        Kind::Email => address::email(text).map(Value::Email),
        Kind::Url => address::url(text).map(Value::Url),
        Kind::Country => country::read(text).map(Value::Country),
        Kind::Date => date::read(text).map(Value::Date),
        Kind::Choice => choice::one(field, text).map(Value::Choice),
        Kind::Several => choice::several(field, text).map(Value::Several),
        Kind::People { min, max, email } => people::read(text, min, max, email).map(Value::People),
    }
}

/// The beginning of what was said, on one line.
pub fn said(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(MAX_SAID).collect();
    let line = words.join(" ");
    let mut shown: String = line.chars().take(MAX_SAID).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    shown
}

/// Without control characters and marks of direction; lines trimmed at their ends, at most one empty line
/// in a row. Joiners stay: some scripts need them.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        let keep = |c: &char| (!c.is_control() || *c == '\t') && (!is_invisible(*c) || is_joiner(*c));
        let line: String = line.chars().filter(keep).map(|c| if c == '\t' { ' ' } else { c }).collect();
        let line = line.trim();
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty <= 1 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.trim().to_owned()
}

/// Joins or parts letters of Persian and Indic scripts, and the parts of a picture letter.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0f}')
}

/// A dash alone, or a word for "nothing" where it cannot be the answer itself.
fn is_nothing(field: &Field, text: &str) -> bool {
    let dashes = |c: char| matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '/' | '\u{2205}');
    if !text.is_empty() && text.chars().all(|c| dashes(c) || c.is_whitespace()) {
        return true;
    }
    let word = squash(text);
    // "нет" is "no" where yes or no is asked, and "none" elsewhere.
    let no = field.kind == Kind::YesNo && answer::read(text).choice == Some(Choice::No);
    let says_nothing = words().signs.get(&word) == Some(&Sign::None);
    let an_option = field.options.iter().any(|o| o.label.all().any(|(_, label)| squash(label) == word));
    says_nothing && !no && !an_option
}

fn yes_no(text: &str) -> Result<Value, Fault> {
    match text.trim() {
        "\u{2713}" | "\u{2714}" | "\u{2611}" | "\u{2705}" | "[x]" | "[X]" => return Ok(Value::YesNo(true)),
        "\u{2717}" | "\u{2718}" | "\u{2612}" | "\u{274c}" => return Ok(Value::YesNo(false)),
        _ => {}
    }
    match answer::read(text).choice {
        Some(Choice::Yes) => Ok(Value::YesNo(true)),
        Some(Choice::No) => Ok(Value::YesNo(false)),
        _ => Err(Why::NeitherYesNorNo.into()),
    }
}

#[cfg(test)]
mod tests;
