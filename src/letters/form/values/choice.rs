//! Options by their letter, number or words, or by a mark in their box.

use super::super::words::{ascii_digit, squash};
use super::Fault;
use crate::kernel::form::{Field, Value, Why};
use crate::letters::fold::{fold, is_unspaced};
use std::collections::BTreeSet;

/// Pieces of one answer that are looked at.
const MAX_PIECES: usize = 100;
/// Options are lettered in these scripts, in their order.
const LETTERS: [&str; 4] = [
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдежзиклмнопрстуфхцчшщэю",
    "ابجدهوزحطيكلمنسعفصقرشت",
    "甲乙丙丁戊己庚辛壬癸",
];

/// The id of the one option.
pub fn one(field: &Field, text: &str) -> Result<String, Fault> {
    let found = find(field, text);
    match found.iter().collect::<Vec<_>>().as_slice() {
        [] => Err(Why::NoOption.into()),
        [only] => Ok(field.options[**only].id.clone()),
        many => {
            let could_be =
                many.iter().take(4).map(|n| Value::Choice(field.options[**n].id.clone())).collect();
            Err(Fault { why: Why::ManyOptions, could_be })
        }
    }
}

/// The ids of the options, in the form's order.
pub fn several(field: &Field, text: &str) -> Result<Vec<String>, Fault> {
    let found = find(field, text);
    if found.is_empty() {
        return Err(Why::NoOption.into());
    }
    Ok(found.into_iter().map(|n| field.options[n].id.clone()).collect())
}

fn find(field: &Field, text: &str) -> BTreeSet<usize> {
    let marked: Vec<&str> = text.lines().filter_map(ticked).take(MAX_PIECES).collect();
    if !marked.is_empty() {
        return marked.into_iter().flat_map(|line| piece(field, line)).collect();
    }
    let whole = piece(field, text);
    if whole.len() == 1 && !text.trim().contains(['\n', ',', ';', '\u{ff0c}', '\u{3001}', '\u{60c}']) {
        return whole;
    }
    let separators = |c: char| {
        matches!(c, '\n' | ',' | ';' | '/' | '+' | '&' | '\u{3001}' | '\u{ff0c}' | '\u{60c}' | '\u{61b}')
    };
    let mut found = BTreeSet::new();
    for part in text.split(separators).filter(|p| !p.trim().is_empty()).take(MAX_PIECES) {
        let known = piece(field, part);
        if known.is_empty() {
            // "a c", "a and c": single letters between words.
            let each = part.split_whitespace().filter(|w| squash(w).chars().count() == 1);
            found.extend(each.filter_map(|w| by_mark(field, w)));
        } else {
            found.extend(known);
        }
    }
    if found.is_empty() { whole } else { found }
}

/// What stands behind a ticked box; nothing for an empty one or none.
pub fn ticked(line: &str) -> Option<&str> {
    let line = line.trim_start_matches([' ', '\t', '>', '-', '*']);
    for tick in ["\u{2611}", "\u{2612}", "\u{2713}", "\u{2714}", "\u{2705}"] {
        if let Some(rest) = line.strip_prefix(tick) {
            return Some(rest);
        }
    }
    let (inside, rest) = line.strip_prefix('[').and_then(|l| l.split_once(']'))?;
    let inside = fold(inside.trim()).into_owned();
    matches!(inside.as_str(), "x" | "х" | "v" | "*" | "\u{2713}" | "\u{2714}" | "\u{221a}").then_some(rest)
}

/// Whether a line is an option with an empty box, as a form prints it.
pub fn unticked(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t', '>', '-', '*']);
    if line.starts_with('\u{2610}') {
        return true;
    }
    let inside = line.strip_prefix('[').and_then(|l| l.split_once(']'));
    inside.is_some_and(|(inside, _)| inside.chars().all(|c| c.is_whitespace() || c == '_'))
}

/// The options one piece names.
fn piece(field: &Field, text: &str) -> BTreeSet<usize> {
    let text =
        text.trim().trim_matches(['"', '\u{ab}', '\u{bb}', '\u{201c}', '\u{201d}', '.', '*', '_', '!']);
    let text = text.trim();
    if let Some(n) = by_mark(field, text) {
        return BTreeSet::from([n]);
    }
    let squashed = squash(text);
    let options = || field.options.iter().enumerate();
    let labels = |n: usize| field.options[n].label.all().map(|(_, label)| squash(label));
    if let Some((n, _)) =
        options().find(|(n, o)| labels(*n).any(|l| l == squashed) || squash(&o.id) == squashed)
    {
        return BTreeSet::from([n]);
    }
    let lettered = head(text).and_then(|head| by_mark(field, head));
    let enough = |s: &str| s.chars().count() >= 4 || (s.chars().count() >= 2 && s.chars().all(is_unspaced));
    let mut named: BTreeSet<usize> = options()
        .filter(|(n, _)| labels(*n).any(|label| enough(&label) && squashed.contains(&label)))
        .map(|(n, _)| n)
        .collect();
    if named.is_empty() && enough(&squashed) {
        named =
            options().filter(|(n, _)| labels(*n).any(|l| l.starts_with(&squashed))).map(|(n, _)| n).collect();
        if named.len() > 1 {
            named.clear();
        }
    }
    named.extend(lettered);
    named
}

/// What stands before the bracket or stop of "a) …", "2. …".
fn head(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(['(', '[', '\u{ff08}']);
    let end =
        text.find([')', '.', ':', ']', '\u{ff09}', '\u{ff1a}', '\u{3001}', ' ', '\u{2013}', '\u{2014}'])?;
    let (head, rest) = text.split_at(end);
    let marked = rest.trim_start().starts_with(|c: char| !c.is_alphanumeric());
    (head.chars().count() <= 2 && marked).then_some(head)
}

/// The option a lone letter or number stands for.
fn by_mark(field: &Field, text: &str) -> Option<usize> {
    let core = squash(text);
    let mut chars = core.chars();
    let (first, more) = (chars.next()?, chars.next());
    let n = if core.chars().all(|c| ascii_digit(c).is_ascii_digit()) && core.len() <= 2 {
        core.parse::<usize>().ok()?.checked_sub(1)?
    } else if more.is_none() {
        LETTERS.iter().find_map(|row| row.chars().position(|c| c == first))?
    } else {
        return None;
    };
    (n < field.options.len()).then_some(n)
}
