//! The words of forms, compiled from `words/form.toml`: what is said instead of an answer, and what is
//! printed.

use crate::kernel::form::{Sees, Why, Words};
use crate::kernel::language::Language;
use crate::letters::fold::fold;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

const TABLE: &str = include_str!("../words/form.toml");
const TROUBLES_TABLE: &str = include_str!("../words/form-troubles.toml");

/// Why an answer could not be taken, by the name of the reason; "missing" stands beside them.
static TROUBLES: LazyLock<BTreeMap<String, Words>> =
    LazyLock::new(|| toml::from_str(TROUBLES_TABLE).expect("the built-in table is checked by a test"));

/// The sentence that explains a trouble, or that an answer is missing.
pub fn trouble(why: Option<Why>) -> Option<&'static Words> {
    let name = match why {
        None => "missing".to_owned(),
        Some(why) => serde_json::to_value(why).ok()?.as_str()?.to_owned(),
    };
    TROUBLES.get(&name)
}

type Lists = BTreeMap<Language, Vec<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    none: Lists,
    no_change: Lists,
    skip: Lists,
    whole: Lists,
    question: Lists,
    about: Lists,
    until: Lists,
    between: Lists,
    thousand: Lists,
    million: Lists,
    person: Lists,
    months: Lists,
    printed: Printed,
}

/// What a form prints beside labels and help.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Printed {
    pub required: Words,
    pub optional: Words,
    public: Words,
    ralo: Words,
    staff: Words,
    until_decided: Words,
    pub end: Words,
    pub yes: Words,
    pub no: Words,
    pub about: Words,
    pub range: Words,
}

impl Printed {
    /// Who will see an answer.
    pub fn sees(&self, sees: Sees) -> &Words {
        match sees {
            Sees::Public => &self.public,
            Sees::Ralo => &self.ralo,
            Sees::Staff => &self.staff,
            Sees::UntilDecided => &self.until_decided,
        }
    }
}

/// What the whole of an answer can be instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sign {
    None,
    NoChange,
    Skip,
    Whole,
}

/// What a word does beside a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Near {
    About,
    Until,
    Between,
    Thousand,
    Million,
}

/// All of it, by squashed word.
#[derive(Debug)]
pub struct FormWords {
    pub signs: HashMap<String, Sign>,
    pub question: HashMap<String, ()>,
    /// A word can do more than one thing: "до" is "up to" and "to".
    pub near: HashMap<String, Vec<Near>>,
    pub person: HashMap<String, ()>,
    /// By squashed name, the month from 1.
    pub months: HashMap<String, u32>,
    pub printed: Printed,
}

static WORDS: LazyLock<FormWords> = LazyLock::new(compile);

/// The compiled words.
pub fn words() -> &'static FormWords {
    &WORDS
}

/// Letters and digits alone, folded, digits of any script as ours: what two writings of one phrase share.
pub fn squash(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).map(ascii_digit).collect()
}

/// A decimal digit of a script people write numbers in, as ours; anything else as it is.
pub fn ascii_digit(c: char) -> char {
    let zero = match c {
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6f0}'..='\u{6f9}' => 0x6f0,
        '\u{966}'..='\u{96f}' => 0x966,
        '\u{9e6}'..='\u{9ef}' => 0x9e6,
        '\u{ff10}'..='\u{ff19}' => 0xff10,
        _ => return c,
    };
    char::from_digit(u32::from(c) - zero, 10).unwrap_or(c)
}

fn all(lists: &Lists) -> impl Iterator<Item = String> {
    lists.values().flatten().map(|word| squash(word))
}

fn compile() -> FormWords {
    let table: Table = toml::from_str(TABLE).expect("the built-in table is checked by a test");
    let mut signs = HashMap::new();
    let kinds = [
        (&table.none, Sign::None),
        (&table.no_change, Sign::NoChange),
        (&table.skip, Sign::Skip),
        (&table.whole, Sign::Whole),
    ];
    for (lists, sign) in kinds {
        for word in all(lists) {
            signs.entry(word).or_insert(sign);
        }
    }
    let mut near: HashMap<String, Vec<Near>> = HashMap::new();
    let kinds = [
        (&table.about, Near::About),
        (&table.until, Near::Until),
        (&table.between, Near::Between),
        (&table.thousand, Near::Thousand),
        (&table.million, Near::Million),
    ];
    for (lists, what) in kinds {
        for word in all(lists) {
            near.entry(word).or_default().push(what);
        }
    }
    let mut months = HashMap::new();
    for names in table.months.values() {
        for (month, forms) in (1..).zip(names) {
            for form in forms.split('|') {
                months.entry(squash(form)).or_insert(month);
            }
        }
    }
    FormWords {
        signs,
        question: all(&table.question).map(|w| (w, ())).collect(),
        near,
        person: all(&table.person).map(|w| (w, ())).collect(),
        months,
        printed: table.printed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_written_in_all_seven_languages_and_no_word_means_two_things() {
        let table: Table = toml::from_str(TABLE).expect("readable");
        let kinds = [&table.none, &table.no_change, &table.skip, &table.whole];
        let others = [&table.question, &table.about, &table.until, &table.between, &table.thousand];
        for lists in kinds.into_iter().chain(others).chain([&table.million, &table.person, &table.months]) {
            for language in Language::ALL {
                assert!(lists.get(&language).is_some_and(|l| !l.is_empty()), "{language}: {lists:?}");
            }
        }
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (n, lists) in kinds.into_iter().enumerate() {
            for word in all(lists) {
                assert!(!word.is_empty());
                assert_eq!(*seen.entry(word.clone()).or_insert(n), n, "{word}");
            }
        }
        let mut months: HashMap<String, u32> = HashMap::new();
        for names in table.months.values() {
            assert_eq!(names.len(), 12);
            for (month, forms) in (1..).zip(names) {
                for form in forms.split('|') {
                    assert_eq!(*months.entry(squash(form)).or_insert(month), month, "{form}");
                }
            }
        }
    }

    #[test]
    fn what_is_printed_is_written_in_all_seven_languages() {
        let p = &words().printed;
        let all = [&p.required, &p.optional, &p.public, &p.ralo, &p.staff, &p.until_decided, &p.end];
        for text in all.into_iter().chain([&p.yes, &p.no, &p.about, &p.range]) {
            assert!(Language::ALL.iter().all(|l| !text.get(*l).is_empty()), "{text:?}");
        }
    }

    #[test]
    fn every_trouble_is_explained_in_all_seven_languages_and_cannot_pass_for_an_answer() {
        for why in Why::ALL.map(Some).into_iter().chain([None]) {
            let words = trouble(why).unwrap_or_else(|| panic!("{why:?} is not explained"));
            for language in Language::ALL {
                let text = words.get(language);
                assert_eq!(text.matches("{label}").count(), 1, "{why:?} in {language}");
                let behind = text.split("{label}").nth(1).unwrap_or_default();
                let quoted = behind.trim_start_matches(['\u{a0}', ' ', '»', '”']);
                assert!(!quoted.starts_with([':', '?']) && !quoted.is_empty(), "{why:?} in {language}");
            }
        }
        assert_eq!(TROUBLES.len(), Why::ALL.len() + 1);
    }

    #[test]
    fn squashing_leaves_what_two_writings_share() {
        assert_eq!(squash("  Pays :  Côte\u{a0}d’Ivoire"), squash("pays cote d'ivoire"));
        assert_eq!(squash("٢٠٠ ２００"), "200200");
    }
}
