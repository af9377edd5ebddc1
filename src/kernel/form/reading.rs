//! What one letter says about a form: per question an answer, "as before", "take it away", or what is
//! wrong.

use super::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything read out of one letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// By the id of the question; what the letter is silent about is not here.
    pub found: BTreeMap<String, Found>,
    /// "No change": what stands there is right.
    pub confirms: bool,
    /// "Skip": the question that was asked stays open.
    pub skips: bool,
    /// The whole form, please.
    pub wants_whole: bool,
    /// One question per mail, please.
    pub wants_questions: bool,
    /// Words of the author's that belong to no question.
    pub other_words: bool,
    /// Files that came along and could not be read.
    pub unread: Vec<Unread>,
}

impl Reading {
    /// Whether the letter says anything the form has use for.
    pub fn says_something(&self) -> bool {
        self.found.values().any(|found| *found != Found::Same)
            || self.confirms
            || self.skips
            || self.wants_whole
            || self.wants_questions
    }
}

/// What a letter says about one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    Answer(Value),
    /// Taken away on purpose, or left out on purpose.
    Nothing,
    /// The form came back with what we had put there.
    Same,
    Trouble(Trouble),
}

/// An answer that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    pub why: Why,
    /// The beginning of what was written, to show it back.
    pub said: String,
    /// What it could mean, where that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub could_be: Vec<Value>,
}

/// Why an answer could not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The same letter answers the question in two ways.
    TwoAnswers,
    /// Longer than the question takes.
    TooLong,
    /// It ends where our mail had cut a long answer short.
    CutShort,
    NoNumber,
    /// More than one number that are no range.
    ManyNumbers,
    NeitherYesNorNo,
    NoAddress,
    ManyAddresses,
    NoLink,
    ManyLinks,
    NoCountry,
    /// More than one country, or a name that two countries share.
    ManyCountries,
    NoDate,
    /// Day and month could be either way round.
    DayOrMonth,
    /// Day, month or the whole year is missing.
    DateIncomplete,
    NoOption,
    /// More than one option where one is asked for.
    ManyOptions,
    NoPeople,
    TooFewPeople,
    TooManyPeople,
    /// A person without an address where each needs one.
    PersonWithoutAddress,
}

impl Why {
    /// All of them, for tests of what explains them.
    pub const ALL: [Why; 21] = [
        Why::TwoAnswers,
        Why::TooLong,
        Why::CutShort,
        Why::NoNumber,
        Why::ManyNumbers,
        Why::NeitherYesNorNo,
        Why::NoAddress,
        Why::ManyAddresses,
        Why::NoLink,
        Why::ManyLinks,
        Why::NoCountry,
        Why::ManyCountries,
        Why::NoDate,
        Why::DayOrMonth,
        Why::DateIncomplete,
        Why::NoOption,
        Why::ManyOptions,
        Why::NoPeople,
        Why::TooFewPeople,
        Why::TooManyPeople,
        Why::PersonWithoutAddress,
    ];
}

/// Why a file that came along was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unread {
    /// Of a kind whose text is not read: PDF, pictures, old formats.
    Kind,
    /// Broken, encrypted, or not what its name says.
    Broken,
    /// It holds more than is read of one file.
    TooLarge,
}
