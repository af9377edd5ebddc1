//! What a person said in a letter, as the workflows see it.

use super::choice::Choice;
use super::form::Sheet;
use super::language::Language;
use serde::{Deserialize, Serialize};

/// Why no choice is credited, or what to weigh about the one that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// The choice is plain.
    None,
    /// The mail holds no words of the author's.
    Empty,
    /// Words, but no answer among them.
    NoAnswer,
    /// Two different answers.
    TwoAnswers,
    /// An answer word stands only in the quoted part.
    QuotedOnly,
    /// A word of support or opposition: a straight question may take the choice.
    SupportWord,
    /// The answer hangs on a condition.
    Conditional,
    /// The answer word is negated, or stands in a double negation.
    Negated,
    /// The answer word stands in a question.
    Question,
    /// The answer word stands in a sentence too long to take it for the answer.
    Unclear,
    /// The subject says one thing and the text another.
    SubjectDisagrees,
    /// The plain text says one thing and the HTML another.
    PartsDisagree,
    /// The answer stands in text hidden from the reader's eye.
    Hidden,
    /// Look-alike letters or direction marks dress one word up as another.
    Disguised,
    /// Only a number where a word was asked for.
    NumberOnly,
}

/// A line of command found above the quote.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// How does this work?
    Help,
    /// What waits for me, how do my matters stand?
    Status,
    /// Write to me in this language from now on.
    Language(Language),
    /// `LANGUAGE` with a word that names none of the seven.
    LanguageUnknown(String),
    /// Take back what I answered, or my application.
    Withdraw,
    /// I stand aside from this matter.
    Recuse,
    /// Yes, it was I who wrote (answers a confirmation round trip).
    Confirm,
    /// No, it was not I, or I do not take this on.
    Decline,
    /// Stop writing to me about this until RESUME.
    Suspend,
    Resume,
    /// I certify what was put before me.
    Certify,
    /// Ask me one question per mail.
    Questions,
    /// Did you write the mail I forward?
    Verify,
    /// Send me the documents, or document n.
    Documents(Option<u32>),
    /// Send me the comments made in this matter.
    Comments,
    /// My comment may bear my name.
    Named,
    /// Send me what you hold on me.
    MyData,
    /// Erase what you hold on me.
    Erase,
    /// Our group applies for accreditation.
    Apply,
}

impl Command {
    /// Every key there is.
    pub const KEYS: [&'static str; 18] = [
        "help",
        "status",
        "language",
        "withdraw",
        "recuse",
        "confirm",
        "decline",
        "suspend",
        "resume",
        "certify",
        "questions",
        "verify",
        "documents",
        "comments",
        "named",
        "my_data",
        "erase",
        "apply",
    ];

    /// The key of its word in the tables of words: "status", "my_data".
    pub fn key(&self) -> &'static str {
        match self {
            Command::Help => "help",
            Command::Status => "status",
            Command::Language(_) | Command::LanguageUnknown(_) => "language",
            Command::Withdraw => "withdraw",
            Command::Recuse => "recuse",
            Command::Confirm => "confirm",
            Command::Decline => "decline",
            Command::Suspend => "suspend",
            Command::Resume => "resume",
            Command::Certify => "certify",
            Command::Questions => "questions",
            Command::Verify => "verify",
            Command::Documents(_) => "documents",
            Command::Comments => "comments",
            Command::Named => "named",
            Command::MyData => "my_data",
            Command::Erase => "erase",
            Command::Apply => "apply",
        }
    }
}

/// A line that is no command and nearly one: "STATSU".
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Near {
    /// As written, folded; at most 24 characters, letters only.
    pub wrote: String,
    /// The key of the word it comes near to.
    pub meant: String,
}

/// What kind of thing in a copy of a mail of ours is not as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Differs {
    Text,
    Links,
    Addresses,
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
    /// All its lines and files, where the mail that was answered asked for a form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<Sheet>,
}

impl Said {
    pub fn has(&self, command: &Command) -> bool {
        self.commands.contains(command)
    }
}
