//! What a person said in a letter, as the workflows see it.

use super::choice::Choice;
use super::language::Language;
use serde::{Deserialize, Serialize};

/// Why an answer is no choice, or is one only with care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    None,
    /// Words, but no answer among them.
    NoAnswer,
    /// More than one answer.
    TwoAnswers,
    /// An answer stands only in the quoted text.
    QuotedOnly,
    /// Support or opposition rather than YES or NO; the choice is given beside it.
    SupportWord,
    /// "Yes, if …".
    Conditional,
    /// "I do not abstain", "no objection".
    Negated,
    /// "What if I vote yes?".
    Question,
    /// The subject says one thing and the body another.
    SubjectDisagrees,
    /// The text part says one thing and the HTML part another.
    PartsDisagree,
    /// The answer is hidden from the eye, or written in look-alike letters.
    Hidden,
    /// Nothing of the author's own at all.
    Empty,
}

/// A word that asks the clerk for something, alone on its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    Help,
    Status,
    Language(Language),
    /// Take my ballot back.
    Withdraw,
    /// I have an interest and take no part.
    Recuse,
    /// Yes, that mail was mine.
    Confirm,
}

/// The author's own words and what was understood of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Without quotes and signature; at most 64 KiB.
    pub text: String,
    pub choice: Option<Choice>,
    pub problem: Problem,
    pub commands: Vec<Command>,
    pub language: Option<Language>,
}

impl Said {
    pub fn has(&self, command: Command) -> bool {
        self.commands.contains(&command)
    }
}
