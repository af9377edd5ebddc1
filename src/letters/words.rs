//! The tables of words a translator edits, one file per language, compiled once for looking up.
//!
//! `words/*.toml` holds, per language: words of answer, of command, the words mail programs put around quotes,
//! signatures, automatic replies and failure reports. Every word is folded before it is compared.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::fold::{fold, is_unspaced};
use crate::kernel::language::Language;

const TABLES: [(Option<Language>, &str); 8] = [
    (Some(Language::En), include_str!("words/en.toml")),
    (Some(Language::Fr), include_str!("words/fr.toml")),
    (Some(Language::Es), include_str!("words/es.toml")),
    (Some(Language::Pt), include_str!("words/pt.toml")),
    (Some(Language::Ru), include_str!("words/ru.toml")),
    (Some(Language::Zh), include_str!("words/zh.toml")),
    (Some(Language::Ar), include_str!("words/ar.toml")),
    (None, include_str!("words/others.toml")),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    answer: HashMap<Role, Vec<String>>,
    command: HashMap<Verb, Vec<String>>,
    quote: HashMap<Mark, Vec<String>>,
    signature: SignatureTable,
    automatic: AutomaticTable,
    bounce: BounceTable,
    speech: SpeechTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureTable {
    sent_from: Vec<String>,
    devices: Vec<String>,
    sign_off: Vec<String>,
    footer: Vec<String>,
    #[serde(default)]
    remarks: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AutomaticTable {
    subject: Vec<String>,
    words: Vec<String>,
    challenge: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BounceTable {
    subject: Vec<String>,
    text: Vec<String>,
    delayed: Vec<String>,
    original: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpeechTable {
    common: Vec<String>,
}

/// What a word does in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Yes,
    No,
    Abstain,
    /// Speaks for the matter without being the word asked for.
    Support,
    /// Speaks against it.
    Oppose,
    /// Gives a reason: what follows does not change the answer before it.
    Because,
    /// Says that a vote is being cast: "I vote".
    Vote,
    /// May stand around an answer without changing it: "I vote ... on this motion".
    Filler,
    /// Greetings and thanks.
    Courtesy,
    Negation,
    /// Whole phrases that hold an answer word and yet are none: "no objection".
    Double,
    Condition,
    /// Phrases with a condition word that set no condition: "if you need anything".
    Harmless,
    /// Takes back what was said before.
    Change,
    /// Tells that the sentence speaks of something else: the mail, the meeting, a later vote.
    Elsewhere,
    Question,
}

/// The commands, as keys of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    Help,
    Status,
    Language,
    Withdraw,
    Recuse,
    Confirm,
    Decline,
    Suspend,
    Resume,
    Certify,
    Questions,
    Verify,
    Documents,
    MyData,
    Erase,
}

/// What mail programs write around a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The first word of "On ... wrote:".
    On,
    Wrote,
    Original,
    Forwarded,
    From,
    To,
    Cc,
    Date,
    Subject,
    ReplyTo,
}

/// The bit of a header label in [`Words::labels`].
pub mod label {
    pub const FROM: u8 = 1;
    pub const TO: u8 = 2;
    pub const CC: u8 = 4;
    pub const DATE: u8 = 8;
    pub const SUBJECT: u8 = 16;
    pub const OTHER: u8 = 32;
}

/// One entry of the lexicon of answers.
#[derive(Debug)]
pub struct Entry {
    /// The words it consists of, folded.
    pub tokens: Vec<String>,
    pub role: Role,
    pub language: Option<Language>,
}

/// All tables, compiled.
#[derive(Debug, Default)]
pub struct Words {
    /// By first token, longest entries first.
    pub lexicon: HashMap<String, Vec<Entry>>,
    /// The longest token of the lexicon written without spaces, in characters.
    pub longest_unspaced: usize,
    pub commands: HashMap<String, (Verb, Option<Language>)>,
    pub on: HashSet<String>,
    pub wrote: HashSet<String>,
    /// Verbs of more than one word, or of scripts without spaces.
    pub wrote_phrases: Vec<String>,
    pub original: HashSet<String>,
    pub forwarded: HashSet<String>,
    pub labels: HashMap<String, u8>,
    pub sent_from: Vec<String>,
    pub devices: Vec<String>,
    pub sign_off: HashSet<String>,
    pub footer: Vec<String>,
    /// Single words that are said for themselves, so that their capital makes no name of them.
    pub remarks: HashSet<String>,
    pub automatic_subject: Vec<String>,
    pub automatic_words: Vec<String>,
    /// What machines say that want a person to prove to be one before they deliver.
    pub challenge: Vec<String>,
    pub bounce_subject: Vec<String>,
    pub bounce_text: Vec<String>,
    pub bounce_delayed: Vec<String>,
    /// What stands above the returned mail in a report.
    pub bounce_original: Vec<String>,
    pub common: HashMap<String, Vec<Language>>,
}

static WORDS: LazyLock<Words> = LazyLock::new(compile);

/// The compiled tables.
pub fn words() -> &'static Words {
    &WORDS
}

fn compile() -> Words {
    let mut words = Words::default();
    for (language, source) in TABLES {
        let table: Table = toml::from_str(source).expect("the built-in tables are checked by a test");
        add_answers(&mut words, language, &table);
        add_marks(&mut words, &table);
        for (verb, forms) in &table.command {
            for form in forms {
                words.commands.entry(fold(form).into_owned()).or_insert((*verb, language));
            }
        }
        let folded = |list: &[String]| list.iter().map(|w| fold(w).into_owned()).collect::<Vec<_>>();
        words.sent_from.extend(folded(&table.signature.sent_from));
        words.devices.extend(folded(&table.signature.devices));
        words.sign_off.extend(folded(&table.signature.sign_off));
        words.remarks.extend(folded(&table.signature.remarks));
        words.footer.extend(folded(&table.signature.footer));
        words.automatic_subject.extend(folded(&table.automatic.subject));
        words.automatic_words.extend(folded(&table.automatic.words));
        words.challenge.extend(folded(&table.automatic.challenge));
        words.bounce_subject.extend(folded(&table.bounce.subject));
        words.bounce_text.extend(folded(&table.bounce.text));
        words.bounce_delayed.extend(folded(&table.bounce.delayed));
        words.bounce_original.extend(folded(&table.bounce.original));
        if let Some(language) = language {
            for word in folded(&table.speech.common) {
                words.common.entry(word).or_default().push(language);
            }
        }
    }
    for list in words.lexicon.values_mut() {
        list.sort_by(|a, b| b.tokens.len().cmp(&a.tokens.len()).then(a.role.cmp(&b.role)));
    }
    words
}

fn add_answers(words: &mut Words, language: Option<Language>, table: &Table) {
    for (&role, forms) in &table.answer {
        for form in forms {
            let tokens: Vec<String> = fold(form).split_whitespace().map(String::from).collect();
            let Some(first) = tokens.first().cloned() else { continue };
            if first.chars().next().is_some_and(is_unspaced) {
                words.longest_unspaced = words.longest_unspaced.max(first.chars().count());
            }
            words.lexicon.entry(first).or_default().push(Entry { tokens, role, language });
        }
    }
}

fn add_marks(words: &mut Words, table: &Table) {
    for (&mark, forms) in &table.quote {
        for form in forms {
            let form = fold(form).trim_end_matches(':').trim().to_string();
            let bit = match mark {
                Mark::On => {
                    words.on.insert(form);
                    continue;
                }
                Mark::Wrote => {
                    if form.contains(' ') || form.chars().next().is_some_and(is_unspaced) {
                        words.wrote_phrases.push(form);
                    } else {
                        words.wrote.insert(form);
                    }
                    continue;
                }
                Mark::Original => {
                    words.original.insert(form);
                    continue;
                }
                Mark::Forwarded => {
                    words.forwarded.insert(form);
                    continue;
                }
                Mark::From => label::FROM,
                Mark::To => label::TO,
                Mark::Cc => label::CC,
                Mark::Date => label::DATE,
                Mark::Subject => label::SUBJECT,
                Mark::ReplyTo => label::OTHER,
            };
            *words.labels.entry(form).or_default() |= bit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_can_be_read_and_no_answer_word_stands_for_two_answers() {
        for (language, source) in TABLES {
            let table: Table = toml::from_str(source).expect("readable");
            let mut seen: HashMap<String, Role> = HashMap::new();
            for role in [Role::Yes, Role::No, Role::Abstain, Role::Support, Role::Oppose] {
                for word in table.answer.get(&role).into_iter().flatten() {
                    let before = seen.insert(fold(word).into_owned(), role);
                    assert!(before.is_none() || before == Some(role), "{language:?} {word}");
                }
            }
        }
        assert!(words().lexicon.len() > 100);
    }
}
