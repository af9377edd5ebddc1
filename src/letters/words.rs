//! The tables of words a translator edits, one file per language, compiled once for looking up.
//!
//! `words/*.toml` holds, per language: words of answer, of command, the words mail programs put around
//! quotes, signatures, automatic replies and failure reports. Every word is folded before it is compared.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use serde::Deserialize;

use super::fold::{fold, is_unspaced};
use super::phrases::Phrases;
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
    /// What the seven languages are called, by code.
    #[serde(default)]
    languages: HashMap<Language, Vec<String>>,
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
    /// May follow an answer of no without becoming what is denied: "no to", "no for"; a filler otherwise.
    After,
    /// A no that also denies the noun after it: "no answer", "no vote".
    Particle,
    /// Tells that what follows is not the author's own vote: "your vote", "she said", "please vote".
    Other,
    /// May stand around an answer without changing it: "I vote ... on this motion".
    Filler,
    /// Greetings and thanks.
    Courtesy,
    Negation,
    /// Whole phrases that hold an answer word and yet are none: "no objection".
    Double,
    Condition,
    /// Takes something back in the same breath: "yes, but". Opening a sentence of its own it is only a
    /// remark.
    Reserve,
    /// Phrases with a condition word that set no condition: "if you need anything".
    Harmless,
    /// Takes back what was said before.
    Change,
    /// Tells that the sentence speaks of something else: the mail, the meeting, a later vote.
    Elsewhere,
    Question,
}

impl Role {
    /// Every role, those that decide most first.
    pub const ALL: [Role; 20] = [
        Role::Yes,
        Role::No,
        Role::Abstain,
        Role::Support,
        Role::Oppose,
        Role::Because,
        Role::Other,
        Role::Vote,
        Role::After,
        Role::Filler,
        Role::Courtesy,
        Role::Negation,
        Role::Double,
        Role::Condition,
        Role::Reserve,
        Role::Harmless,
        Role::Change,
        Role::Elsewhere,
        Role::Question,
        Role::Particle,
    ];
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
    Comments,
    Named,
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

/// A hasher for the tables: their keys are ours, so that nobody can make them collide, and most look-ups
/// miss.
#[derive(Debug, Clone, Copy)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = (self.0 ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

type Map<V> = HashMap<String, V, BuildHasherDefault<Fnv>>;
type Set = HashSet<String, BuildHasherDefault<Fnv>>;

/// All tables, compiled.
#[derive(Debug)]
pub struct Words {
    /// By first token, longest entries first.
    pub lexicon: Map<Vec<Entry>>,
    /// The longest token of the lexicon written without spaces, in characters.
    pub longest_unspaced: usize,
    /// Every answer word and every phrase that holds one, to see at a glance whether a text has any.
    pub answers: Phrases,
    pub commands: Map<(Verb, Option<Language>)>,
    /// The languages by their names in all of them.
    pub languages: Map<Language>,
    pub on: Set,
    pub wrote: Set,
    /// Verbs of more than one word, or of scripts without spaces.
    pub wrote_phrases: Vec<String>,
    pub original: Set,
    pub forwarded: Set,
    pub labels: Map<u8>,
    pub sent_from: Phrases,
    /// Those of scripts without spaces, which may stand at the end: "iPhoneから送信".
    pub sent_from_after: Phrases,
    pub devices: Phrases,
    pub sign_off: Set,
    pub footer: Phrases,
    /// Single words that are said for themselves, so that their capital makes no name of them.
    pub remarks: Set,
    pub automatic_subject: Phrases,
    pub automatic_words: Phrases,
    /// What machines say that want a person to prove to be one before they deliver.
    pub challenge: Phrases,
    pub bounce_subject: Phrases,
    /// Words of failure and words of delay.
    pub bounce_text: Phrases,
    pub bounce_delayed: Phrases,
    /// What stands above the returned mail in a report.
    pub bounce_original: Phrases,
    pub common: Map<Vec<Language>>,
}

static WORDS: LazyLock<Words> = LazyLock::new(compile);

/// The compiled tables.
pub fn words() -> &'static Words {
    &WORDS
}

/// One list of all languages together, folded.
fn gather(tables: &[Table], pick: impl Fn(&Table) -> &Vec<String>) -> Vec<String> {
    tables.iter().flat_map(|t| pick(t).iter().map(|w| fold(w).into_owned())).collect()
}

fn phrases(tables: &[Table], pick: impl Fn(&Table) -> &Vec<String>) -> Phrases {
    Phrases::new(gather(tables, pick).iter().map(String::as_str))
}

fn marks(tables: &[Table], mark: Mark) -> impl Iterator<Item = String> {
    let forms = tables.iter().flat_map(move |t| t.quote.get(&mark).into_iter().flatten());
    forms.map(|f| fold(f).trim_end_matches(':').trim().to_string())
}

fn compile() -> Words {
    let read =
        |(_, source): &(_, &str)| toml::from_str(source).expect("the built-in tables are checked by a test");
    let tables: Vec<Table> = TABLES.iter().map(read).collect();
    let mut lexicon: Map<Vec<Entry>> = Map::default();
    let (mut commands, mut common) = (Map::default(), Map::<Vec<Language>>::default());
    let mut languages = Map::default();
    for ((language, _), table) in TABLES.iter().zip(&tables) {
        add_answers(&mut lexicon, *language, table);
        for (verb, forms) in &table.command {
            for form in forms {
                commands.entry(fold(form).into_owned()).or_insert((*verb, *language));
            }
        }
        for (named, forms) in &table.languages {
            languages.extend(forms.iter().map(|form| (fold(form).into_owned(), *named)));
        }
        for word in language.iter().flat_map(|_| &table.speech.common) {
            common.entry(fold(word).into_owned()).or_default().extend(*language);
        }
    }
    for list in lexicon.values_mut() {
        list.sort_by(|a, b| b.tokens.len().cmp(&a.tokens.len()).then(a.role.cmp(&b.role)));
    }
    let unspaced = |w: &str| w.chars().any(is_unspaced);
    let wrote: Vec<String> = marks(&tables, Mark::Wrote).collect();
    let (wrote_phrases, wrote): (Vec<_>, Vec<_>) =
        wrote.into_iter().partition(|w| w.contains(' ') || w.chars().next().is_some_and(is_unspaced));
    let sent_from = gather(&tables, |t| &t.signature.sent_from);
    let telling = lexicon.values().flatten().filter(|e| is_telling(e.role));
    let answers: Vec<String> = telling.map(|e| e.tokens.join(" ")).collect();
    let failure = gather(&tables, |t| &t.bounce.text);
    let delayed = gather(&tables, |t| &t.bounce.delayed);
    Words {
        answers: Phrases::new(answers.iter().map(String::as_str)),
        longest_unspaced: lexicon
            .keys()
            .filter(|k| unspaced(k))
            .map(|k| k.chars().count())
            .max()
            .unwrap_or(1),
        lexicon,
        commands,
        languages,
        on: marks(&tables, Mark::On).collect(),
        wrote: wrote.into_iter().collect(),
        wrote_phrases,
        original: marks(&tables, Mark::Original).collect(),
        forwarded: marks(&tables, Mark::Forwarded).collect(),
        labels: labels(&tables),
        sent_from_after: Phrases::new(sent_from.iter().filter(|w| unspaced(w)).map(String::as_str)),
        sent_from: Phrases::new(sent_from.iter().map(String::as_str)),
        devices: phrases(&tables, |t| &t.signature.devices),
        sign_off: gather(&tables, |t| &t.signature.sign_off).into_iter().collect(),
        footer: phrases(&tables, |t| &t.signature.footer),
        remarks: gather(&tables, |t| &t.signature.remarks).into_iter().collect(),
        automatic_subject: phrases(&tables, |t| &t.automatic.subject),
        automatic_words: phrases(&tables, |t| &t.automatic.words),
        challenge: phrases(&tables, |t| &t.automatic.challenge),
        bounce_subject: phrases(&tables, |t| &t.bounce.subject),
        bounce_text: Phrases::new(failure.iter().chain(&delayed).map(String::as_str)),
        bounce_delayed: Phrases::new(delayed.iter().map(String::as_str)),
        bounce_original: phrases(&tables, |t| &t.bounce.original),
        common,
    }
}

/// Whether a word of this role makes a text worth reading for an answer.
fn is_telling(role: Role) -> bool {
    matches!(role, Role::Yes | Role::No | Role::Abstain | Role::Support | Role::Oppose | Role::Double)
}

fn add_answers(lexicon: &mut Map<Vec<Entry>>, language: Option<Language>, table: &Table) {
    for (&role, forms) in &table.answer {
        for form in forms {
            let tokens: Vec<String> = fold(form).split_whitespace().map(String::from).collect();
            if let Some(first) = tokens.first().cloned() {
                lexicon.entry(first).or_default().push(Entry { tokens, role, language });
            }
        }
    }
}

fn labels(tables: &[Table]) -> Map<u8> {
    let kinds = [
        (Mark::From, label::FROM),
        (Mark::To, label::TO),
        (Mark::Cc, label::CC),
        (Mark::Date, label::DATE),
        (Mark::Subject, label::SUBJECT),
        (Mark::ReplyTo, label::OTHER),
    ];
    let mut found = Map::default();
    for (mark, bit) in kinds {
        for form in marks(tables, mark) {
            *found.entry(form).or_default() |= bit;
        }
    }
    found
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
