//! Lists of people: name, address and role, one person per line or in blocks, in whatever order and with
//! whatever marks between.

use super::super::words::{squash, words};
use super::Fault;
use super::address;
use crate::kernel::form::{Person, Value, Why};

/// Lines of one answer that are looked at.
const MAX_LINES: usize = 400;
/// Characters of a name or role.
const MAX_PART: usize = 120;

/// Reads the list.
pub fn read(text: &str, min: u32, max: u32, need_email: bool) -> Result<Vec<Person>, Fault> {
    let people = list(text);
    let count = u32::try_from(people.len()).unwrap_or(u32::MAX);
    let why = if people.is_empty() {
        Why::NoPeople
    } else if need_email && people.iter().any(|p| p.email.is_none() || p.name.is_empty()) {
        Why::PersonWithoutAddress
    } else if count > max {
        Why::TooManyPeople
    } else if count < min {
        Why::TooFewPeople
    } else {
        return Ok(people);
    };
    let could_be = if count <= 20 && count > 0 { vec![Value::People(people)] } else { Vec::new() };
    Err(Fault { why, could_be })
}

/// What one line says of a person.
#[derive(Debug, Default)]
struct Said {
    name: Option<String>,
    email: Option<String>,
    role: Option<String>,
}

fn list(text: &str) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    let mut apart = true;
    for line in text.lines().take(MAX_LINES) {
        if line.trim().is_empty() {
            apart = true;
            continue;
        }
        // "Ann <a@x.org>; Bob <b@x.org>" on one line.
        for part in parts(line) {
            let said = said(part);
            let last = people.last_mut().filter(|_| !apart);
            apart = false;
            let Some(last) = last.filter(|last| belongs(last, &said)) else {
                if said.name.is_some() || said.email.is_some() {
                    let name = said.name.unwrap_or_default();
                    people.push(Person { name, email: said.email, role: said.role });
                }
                continue;
            };
            if last.name.is_empty() {
                last.name = said.name.unwrap_or_default();
            } else if last.role.is_none() {
                last.role = said.role.or(said.name);
            }
            last.email = last.email.take().or(said.email);
        }
    }
    people
}

/// Whether a line goes on about the person before: it brings an address or a role that one lacks, and no
/// name of somebody else.
fn belongs(last: &Person, said: &Said) -> bool {
    match (&said.name, &said.email) {
        (None, Some(_)) => last.email.is_none(),
        (None, None) => true,
        (Some(_), None) => last.name.is_empty(),
        (Some(_), Some(_)) => last.name.is_empty() && last.email.is_none(),
    }
}

/// A line is one person, unless several addresses stand in it.
fn parts(line: &str) -> Vec<&str> {
    let split: Vec<&str> = line.split([';', '\u{ff1b}', '\u{61b}']).collect();
    if split.len() > 1 && split.iter().all(|part| part.trim().is_empty() || part.contains('@')) {
        return split.into_iter().filter(|part| !part.trim().is_empty()).collect();
    }
    vec![line]
}

fn said(line: &str) -> Said {
    let line = unnumbered(line);
    let line = line.replace('\u{ff20}', "@");
    let email = address::emails(&line).into_iter().next();
    let mut bare = line.clone();
    if let Some(at) = email.as_ref().and_then(|email| find_ignoring_case(&line, email)) {
        bare.replace_range(at..at + email.as_ref().map_or(0, String::len), ",");
    }
    let mut said = Said { email, ..Said::default() };
    for piece in bare.split(is_separator).map(str::trim).filter(|p| p.chars().any(char::is_alphanumeric)) {
        let (label, value) = labelled(piece);
        let value =
            value.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '\'' | '\u{2019}'));
        if value.is_empty() || squash(value) == "mailto" {
            continue;
        }
        let value: String = value.chars().take(MAX_PART).collect();
        if said.name.is_none() && label != Label::Role {
            said.name = Some(value);
        } else if said.role.is_none() {
            said.role = Some(value);
        }
    }
    said
}

fn find_ignoring_case(line: &str, email: &str) -> Option<usize> {
    let wanted = email.as_bytes();
    line.as_bytes().windows(wanted.len()).position(|w| w.eq_ignore_ascii_case(wanted))
}

fn is_separator(c: char) -> bool {
    matches!(c, ',' | ';' | '|' | '\t' | '<' | '>' | '(' | ')' | '[' | ']' | '/' | '\u{2013}' | '\u{2014}')
        || matches!(
            c,
            '\u{ff0c}' | '\u{3001}' | '\u{60c}' | '\u{ff08}' | '\u{ff09}' | '\u{61b}' | '\u{ff1b}' | '\u{b7}'
        )
}

#[derive(Debug, PartialEq)]
enum Label {
    None,
    Role,
}

/// "Role: treasurer", "邮箱：…": the label goes. A dash with space around it parts name and role.
fn labelled(piece: &str) -> (Label, &str) {
    let Some((head, value)) = piece.split_once([':', '\u{ff1a}', '=']) else { return (Label::None, piece) };
    let key = squash(head);
    if !words().person.contains_key(&key) {
        return (Label::None, piece);
    }
    let names =
        ["name", "fullname", "firstname", "nom", "prenom", "nomcomplet", "nombre", "nombrecompleto", "nome"];
    let more = ["nomecompleto", "имя", "фио", "имяифамилия", "姓名", "名字", "الاسم", "الاسمالكامل"];
    let named = names.iter().chain(&more).any(|n| squash(n) == key);
    (if named { Label::None } else { Label::Role }, value)
}

/// Without "1.", "2)", "-", "•" before it.
fn unnumbered(line: &str) -> &str {
    let line = line.trim().trim_start_matches(['-', '*', '\u{2022}', '\u{b7}', '\u{2013}', '>']).trim_start();
    let digits = line.chars().take_while(|c| c.is_numeric()).count();
    let after: usize = line.chars().take(digits).map(char::len_utf8).sum();
    let rest = line[after..].strip_prefix(['.', ')', ':', '\u{3001}', '\u{ff0e}', '\u{ff09}']);
    rest.filter(|_| (1..=2).contains(&digits)).map_or(line, str::trim_start)
}
