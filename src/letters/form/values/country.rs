//! Countries by name in any of the seven languages, by code, or somewhere in a sentence.

use super::super::words::squash;
use super::Fault;
use crate::kernel::form::{Country, Value, Why};
use crate::letters::fold::is_unspaced;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Words of an answer that are looked through.
const MAX_WORDS: usize = 60;
/// Words of the longest name that is found inside a sentence.
const LONGEST_NAME: usize = 8;

/// By squashed name; a name two countries share has both.
static NAMES: LazyLock<HashMap<String, Vec<Country>>> = LazyLock::new(|| {
    let mut names: HashMap<String, Vec<Country>> = HashMap::new();
    for country in Country::all() {
        for name in country.names() {
            let known = names.entry(squash(name)).or_default();
            if !known.contains(&country) {
                known.push(country);
            }
        }
    }
    names
});

/// The one country of an answer.
pub fn read(text: &str) -> Result<Country, Fault> {
    let text: String = text.chars().take(1000).collect();
    if let Some(found) = NAMES.get(&squash(&text)) {
        return one(found);
    }
    let code = text.trim().trim_matches(['.', '(', ')', '"']);
    if let Some(country) = Country::from_code(code) {
        return Ok(country);
    }
    one(&within(&text))
}

fn one(found: &[Country]) -> Result<Country, Fault> {
    match found {
        [] => Err(Why::NoCountry.into()),
        [one] => Ok(*one),
        many => {
            let could_be = many.iter().take(4).copied().map(Value::Country).collect();
            Err(Fault { why: Why::ManyCountries, could_be })
        }
    }
}

/// Every country named in a sentence, the longest names first: Papua New Guinea is not Guinea.
fn within(text: &str) -> Vec<Country> {
    let mut found: Vec<Country> = Vec::new();
    let mut add = |countries: &[Country]| {
        if !countries.iter().any(|c| found.contains(c)) {
            found.extend(countries);
        }
    };
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || ",;:/()[]\"\u{60c}\u{ff0c}\u{3001}".contains(c))
        .filter(|w| !w.is_empty())
        .take(MAX_WORDS)
        .collect();
    let mut at = 0;
    while at < words.len() {
        let longest = (1..=LONGEST_NAME.min(words.len() - at)).rev().find_map(|length| {
            let name = squash(&words[at..at + length].concat());
            NAMES.get(&name).filter(|_| name.chars().count() >= 3).map(|countries| (length, countries))
        });
        match longest {
            Some((length, countries)) => {
                add(countries);
                at += length;
            }
            None => {
                if words[at].chars().any(is_unspaced) {
                    unspaced(words[at]).iter().for_each(|countries| add(countries));
                } else if let Some(country) = code_among(words[at], words.len()) {
                    add(&[country]);
                }
                at += 1;
            }
        }
    }
    found
}

/// A code of three letters, or of two beside one other word at most: "NO" in a sentence is no country.
fn code_among(word: &str, words: usize) -> Option<Country> {
    let word = word.trim_matches(['.', '-']);
    (word.len() == 3 || (word.len() == 2 && words <= 2)).then(|| Country::from_code(word)).flatten()
}

/// The names inside a run written without spaces.
fn unspaced(run: &str) -> Vec<&'static [Country]> {
    let chars: Vec<char> = squash(run).chars().take(200).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let longest = (2..=12.min(chars.len() - at)).rev().find_map(|length| {
            let name: String = chars[at..at + length].iter().collect();
            NAMES.get(&name).map(|countries| (length, countries.as_slice()))
        });
        at += longest.map_or(1, |(length, _)| length);
        found.extend(longest.map(|(_, countries)| countries));
    }
    found
}
