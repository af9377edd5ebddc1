//! The tables of words a translator edits, one file per language, compiled once for looking up.
//!
//! `words/*.toml` holds, per language: words of answer, of command, the words mail programs put around
//! quotes, signatures, automatic replies and failure reports. Every word is folded before it is compared.

use std::collections::HashMap;
use std::iter::repeat;
use std::sync::LazyLock;

use serde::Deserialize;

use super::fold::{fold, is_unspaced};
use super::phrases::Phrases;
use super::table::{Set, Table};
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
struct Source {
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
    /// Whole phrases that hold an answer word and yet are none: "no doubt".
    Double,
    /// Phrases that say nobody is against it: "no objection". A no beside one is no vote against it.
    Unopposed,
    /// Says that the author only supposes so, when nothing else stands in the clause: "I think, yes".
    Guess,
    /// Opens a clause that leads up to "I vote ...": "on behalf of", "having read".
    LeadIn,
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
    pub const ALL: [Role; 23] = [
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
        Role::Unopposed,
        Role::LeadIn,
        Role::Guess,
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
    Apply,
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
#[derive(Debug)]
pub struct Words {
    /// By first token, longest entries first.
    pub lexicon: Table<Vec<Entry>>,
    /// The longest token of the lexicon written without spaces, in characters.
    pub longest_unspaced: usize,
    /// Every answer word and every phrase that holds one, to see at a glance whether a text has any.
    pub answers: Phrases,
    pub commands: Table<(Verb, Option<Language>)>,
    /// The languages by their names in all of them.
    pub languages: Table<Language>,
    pub on: Set,
    pub wrote: Set,
    /// The bytes in ASCII a line can end with that ends with one of them, or with a mark that closes one.
    pub wrote_ends: [bool; 256],
    /// Verbs of more than one word, or of scripts without spaces.
    pub wrote_phrases: Set,
    pub wrote_inside: Phrases,
    pub original: Set,
    pub forwarded: Set,
    pub labels: Table<u8>,
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
    /// How much a word speaks for each language, in the order of [`Language::ALL`].
    pub speech: Table<[u8; 7]>,
}

static WORDS: LazyLock<Words> = LazyLock::new(compile);

/// The compiled tables.
pub fn words() -> &'static Words {
    &WORDS
}

/// One list of all languages together, folded.
fn gather(tables: &[Source], pick: impl Fn(&Source) -> &Vec<String>) -> Vec<String> {
    tables.iter().flat_map(|t| pick(t).iter().map(|w| fold(w).into_owned())).collect()
}

fn phrases(tables: &[Source], pick: impl Fn(&Source) -> &Vec<String>) -> Phrases {
    Phrases::new(gather(tables, pick).iter().map(String::as_str))
}

fn marks(tables: &[Source], mark: Mark) -> impl Iterator<Item = String> {
    let forms = tables.iter().flat_map(move |t| t.quote.get(&mark).into_iter().flatten());
    forms.map(|f| fold(f).trim_end_matches(':').trim().to_string())
}

/// The answers among the words.
fn telling(lexicon: &HashMap<String, Vec<Entry>>) -> Vec<String> {
    lexicon.values().flatten().filter(|e| is_telling(e.role)).map(|e| e.tokens.join(" ")).collect()
}

fn longest_first(entries: &mut [Entry]) {
    entries.sort_by(|a, b| b.tokens.len().cmp(&a.tokens.len()).then(a.role.cmp(&b.role)));
}

fn compile() -> Words {
    let read =
        |(_, source): &(_, &str)| toml::from_str(source).expect("the built-in tables are checked by a test");
    let tables: Vec<Source> = TABLES.iter().map(read).collect();
    let mut lexicon: HashMap<String, Vec<Entry>> = HashMap::new();
    let (mut commands, mut speech) = (HashMap::new(), HashMap::<String, [u8; 7]>::new());
    let mut languages = HashMap::new();
    for ((language, _), table) in TABLES.iter().zip(&tables) {
        add_answers(&mut lexicon, *language, table);
        for (form, verb) in table.command.iter().flat_map(|(verb, forms)| forms.iter().zip(repeat(verb))) {
            commands.entry(fold(form).into_owned()).or_insert((*verb, *language));
        }
        for (named, forms) in &table.languages {
            languages.extend(forms.iter().map(|form| (fold(form).into_owned(), *named)));
        }
        let common = |l| table.speech.common.iter().map(move |w| (l, w));
        for (language, word) in language.iter().flat_map(common) {
            speech.entry(fold(word).into_owned()).or_default()[*language as usize] += 2;
        }
    }
    for (word, entry) in lexicon.iter().flat_map(|(w, list)| list.iter().map(move |e| (w, e))) {
        if let (Some(language), 1) = (entry.language, entry.tokens.len()) {
            speech.entry(word.clone()).or_default()[language as usize] += 1;
        }
    }
    lexicon.values_mut().for_each(|list| longest_first(list));
    let unspaced = |w: &str| w.chars().any(is_unspaced);
    let wrote: Vec<String> = marks(&tables, Mark::Wrote).collect();
    let (wrote_phrases, wrote): (Vec<_>, Vec<_>) =
        wrote.into_iter().partition(|w| w.contains(' ') || w.chars().next().is_some_and(is_unspaced));
    let sent_from = gather(&tables, |t| &t.signature.sent_from);
    let answers = telling(&lexicon);
    let delayed = gather(&tables, |t| &t.bounce.delayed);
    Words {
        answers: Phrases::new(answers.iter().map(String::as_str)),
        longest_unspaced: lexicon
            .keys()
            .filter(|k| unspaced(k))
            .map(|k| k.chars().count())
            .max()
            .unwrap_or(1),
        lexicon: lexicon.into_iter().collect(),
        commands: commands.into_iter().collect(),
        languages: languages.into_iter().collect(),
        on: marks(&tables, Mark::On).collect(),
        wrote_ends: last_bytes(&wrote),
        wrote: wrote.into_iter().collect(),
        wrote_inside: Phrases::new(wrote_phrases.iter().map(String::as_str)),
        wrote_phrases: wrote_phrases.into_iter().collect(),
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
        bounce_text: Phrases::new(
            gather(&tables, |t| &t.bounce.text).iter().chain(&delayed).map(String::as_str),
        ),
        bounce_delayed: Phrases::new(delayed.iter().map(String::as_str)),
        bounce_original: phrases(&tables, |t| &t.bounce.original),
        speech: speech.into_iter().collect(),
    }
}

/// The last byte of each word, in either letter case, and what may stand behind one.
fn last_bytes(words: &[String]) -> [bool; 256] {
    let mut found = [false; 256];
    let last = words.iter().filter_map(|w| w.bytes().last());
    for b in last.chain(*b":->)*|") {
        found[usize::from(b)] = true;
        found[usize::from(b.to_ascii_uppercase())] = true;
    }
    found
}

/// Whether a word of this role makes a text worth reading for an answer.
fn is_telling(role: Role) -> bool {
    let denies = matches!(role, Role::Double | Role::Unopposed);
    denies || matches!(role, Role::Yes | Role::No | Role::Abstain | Role::Support | Role::Oppose)
}

fn add_answers(lexicon: &mut HashMap<String, Vec<Entry>>, language: Option<Language>, table: &Source) {
    for (&role, forms) in &table.answer {
        for form in forms {
            let tokens: Vec<String> = fold(form).split_whitespace().map(String::from).collect();
            if let Some(first) = tokens.first().cloned() {
                lexicon.entry(first).or_default().push(Entry { tokens, role, language });
            }
        }
    }
}

fn labels(tables: &[Source]) -> Table<u8> {
    let kinds = [
        (Mark::From, label::FROM),
        (Mark::To, label::TO),
        (Mark::Cc, label::CC),
        (Mark::Date, label::DATE),
        (Mark::Subject, label::SUBJECT),
        (Mark::ReplyTo, label::OTHER),
    ];
    let mut found = HashMap::<String, u8>::new();
    for (mark, bit) in kinds {
        for form in marks(tables, mark) {
            *found.entry(form).or_default() |= bit;
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_can_be_read_and_no_answer_word_stands_for_two_answers() {
        for (language, source) in TABLES {
            let table: Source = toml::from_str(source).expect("readable");
            let mut seen: HashMap<String, Role> = HashMap::new();
            for role in [Role::Yes, Role::No, Role::Abstain, Role::Support, Role::Oppose] {
                for word in table.answer.get(&role).into_iter().flatten() {
                    let before = seen.insert(fold(word).into_owned(), role);
                    assert!(before.is_none() || before == Some(role), "{language:?} {word}");
                }
            }
        }
        assert!(words().lexicon.words().count() > 100);
    }
}
