//! The contract of a workflow: an enum of phases and one pure function. What goes in and what comes out
//! are closed lists; they are the whole world of a workflow.

use super::assurance::{Assurance, Matrix};
use super::confidential::{Comment, Reading};
use super::documents::{Document, Shelf};
use super::ids::{CaseId, NoticeId, Party, PersonId};
use super::people::{Region, Role};
use super::register::{Change, Register};
use super::said::{Command, Said};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Debug;

/// A task's template, and the orders at the keyboard that do the same as replying to its mail.
pub type Twin = (&'static str, &'static [&'static str]);

/// A workflow is its state: an enum, one variant per phase, the phase's data inside the variant.
pub trait Workflow: Sized + Clone + PartialEq + Debug + Serialize + DeserializeOwned {
    /// Its name in the database, the template folder, the policy section and case lists.
    const KIND: &'static str;
    /// Numbers an administrator may tune: `[ballot]` in policy.toml.
    type Policy: Serialize + DeserializeOwned + Default + Clone + PartialEq + Debug;

    /// Every task it can ask for.
    const TASKS: &'static [Twin] = &[];

    /// Whether a matter can run with these numbers; else which one is wrong and what may be written.
    fn check(_policy: &Self::Policy) -> Result<(), String> {
        Ok(())
    }

    /// Whether a reply to this workflow's mail may hold this command; any other is answered by the office.
    fn takes(_command: &Command) -> bool {
        false
    }

    fn open(opening: &Opening, cx: &Cx<Self::Policy>) -> Result<Step<Self>, Refusal>;
    fn step(self, input: &Input, cx: &Cx<Self::Policy>) -> Result<Step<Self>, Refusal>;
    /// When this state next wants a `Wake`. An early, late or repeated wake is harmless.
    fn wake_at(&self) -> Option<DateTime<Utc>>;
    /// For lists and SQL: "open", "closed".
    fn phase(&self) -> &'static str;
    /// The documents that came with it, where it keeps any. What it no longer holds after a step is destroyed.
    fn shelf(&self) -> Option<Shelf<'_>> {
        None
    }
    /// Whether a matter of this kind keeps what people attach.
    const DOCUMENTS: bool = false;
    /// One line for lists, without anything confidential: the question, the organisation.
    fn title(&self) -> String;
    /// The same for mails: a text, or a map from language to text.
    fn titles(&self) -> Value {
        Value::String(self.title())
    }

    /// Whether it has taken longer than its rules give it. Nothing follows from that but a list.
    fn overdue(&self, _now: DateTime<Utc>, _policy: &Self::Policy) -> Option<Overdue> {
        None
    }
}

/// A matter that has taken longer than its rules give it, for the list that people get of those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// Whole days, a begun one counted.
    pub days: i64,
    /// What it waits for, as a key of the list's template.
    pub why: &'static str,
    /// When it would end if what is left took its usual time.
    pub end: DateTime<Utc>,
}

/// Everything a step may look at besides its own state.
pub struct Cx<'a, P> {
    pub case: CaseId,
    pub now: DateTime<Utc>,
    pub policy: &'a P,
    /// Which assurance each act needs.
    pub acts: &'a Matrix,
    pub register: &'a Register,
}

/// What can happen to a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// A person said something by mail.
    Reply(Reply),
    /// Somebody commented in confidence: who and what are sealed.
    Comment(Comment),
    /// Somebody asks for the comments. The platform answers; no step sees it.
    Reading(Reading),
    /// Staff ordered something at the keyboard.
    Order(Order),
    /// Another case has news.
    Note(Note),
    /// A notice that asked to be told was accepted for sending.
    Sent { notice: NoticeId, label: String, to: Party, at: DateTime<Utc> },
    /// A notice could not be delivered.
    Undelivered(Undelivered),
    /// How far a notice to a large list has come.
    Progress { label: String, sent: u64, failed: u64 },
    /// The time asked for by `wake_at` has come. Carries nothing on purpose.
    Wake,
}

/// A mail from an identified party about this case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    pub from: Party,
    /// The notice it answers, where it carries a token of ours.
    pub answers: Option<Answers>,
    pub said: Said,
    /// When it reached our border; never the sender's Date.
    pub arrived: DateTime<Utc>,
    pub assurance: Assurance,
    /// 128 random bits drawn when the letter was addressed, in hex: what a step needs of chance, so
    /// that a replay has it too.
    pub nonce: String,
    /// What the desk found out for the step: why nobody else took the mail, what waits for this person.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub desk: Value,
}

impl Reply {
    /// What came attached, where its matter keeps documents: the desk has sealed it.
    pub fn documents(&self) -> Vec<Document> {
        documents_in(&self.desk)
    }
}

/// The documents named in what the desk found out, or in what opens a matter.
pub fn documents_in(body: &Value) -> Vec<Document> {
    let found = body.get("documents").map(Vec::<Document>::deserialize);
    found.and_then(Result::ok).unwrap_or_default()
}

/// The notice a reply answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    pub notice: NoticeId,
    pub label: String,
    /// Whom that notice was written to: an organisation's representative answers for it.
    pub to: Party,
}

/// An order by staff, at the keyboard or by mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub by: PersonId,
    pub verb: String,
    #[serde(default)]
    pub args: Value,
    pub at: DateTime<Utc>,
    /// The account at the operating system that gave it.
    #[serde(default)]
    pub os_user: String,
    /// As in `Reply`.
    pub nonce: String,
}

/// News from another case; inherits the arrival of what caused it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    pub from: CaseId,
    pub body: Value,
    pub arrived: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    pub notice: NoticeId,
    pub label: String,
    pub to: Party,
    /// Which of the party's addresses was tried, 0 the preferred one.
    pub address: u8,
    /// False: a delay or a full mailbox, after every retry.
    pub permanent: bool,
    /// RFC 3463 status where one was given: "5.1.1".
    pub status: Option<String>,
    pub at: DateTime<Utc>,
}

/// A new matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    pub kind: String,
    pub parent: Option<CaseId>,
    /// Who ordered it; none where a case or a mail opened it.
    pub by: Option<PersonId>,
    pub body: Value,
    pub arrived: DateTime<Utc>,
    pub nonce: String,
}

/// What a step can cause.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Tell(Notice),
    /// Notices of this case under this label that have not left yet never leave; tasks under it are done.
    Cancel(String),
    Open(Opening),
    Note {
        to: CaseId,
        body: Value,
    },
    Register(Change),
    Publish(Record),
    /// Something waits for a person: a mail that asks, and a row in the list of what is open.
    Task(Task),
    /// Forget everything sealed under this case's key.
    Shred,
}

/// The state after a step and what it causes, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<S> {
    pub state: S,
    pub effects: Vec<Effect>,
}

impl<S> Step<S> {
    pub fn to(state: S) -> Step<S> {
        Step { state, effects: Vec::new() }
    }

    #[must_use]
    pub fn with(mut self, effect: Effect) -> Step<S> {
        self.effects.push(effect);
        self
    }

    #[must_use]
    pub fn tell(self, notice: Notice) -> Step<S> {
        self.with(Effect::Tell(notice))
    }

    /// The same effects around another state.
    pub fn map<T>(self, f: impl FnOnce(S) -> T) -> Step<T> {
        Step { state: f(self.state), effects: self.effects }
    }
}

/// Whom a notice is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    Parties(Vec<Party>),
    /// Whoever holds the role when the step is taken; where nobody does, its deputies.
    Role(Role, Option<Region>),
}

impl From<Party> for Audience {
    fn from(party: Party) -> Audience {
        Audience::Parties(vec![party])
    }
}

/// What a notice asks for. Anything but `Nothing` adds how to answer, a reply address of its own and
/// one-tap links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asks {
    Nothing,
    /// YES, NO or ABSTAIN.
    Vote,
    /// YES or NO: a task that is a decision.
    Decision,
    /// The word CONFIRM: was that mail yours?
    Confirm,
    /// Free text: the answer to an enquiry.
    Text,
    /// A form, whole, in part, or one question of it. The template itself says how to answer.
    Form,
    /// A comment in confidence by a member of this region's organisation. Its notice is confidential, and every
    /// reply to it is sealed.
    Comment(Region),
}

/// Who may see a template's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    General,
    Action,
    Public,
    /// For the entitled alone. It may show what is sealed, and every reply to it, or bounce of it, is kept out of
    /// the record and removed from the mailbox.
    Confidential,
}

/// The key under which a notice names addresses of its recipient's that are in no register: a number of address beyond
/// those on file counts on in them.
pub const ALSO_AT: &str = "_also_at";

/// A mail to be written: the same words to each of its audience, each in their language.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// What it is for within the case; bounces come back under it and cancelling goes by it.
    pub label: String,
    pub to: Audience,
    /// `<workflow>/<notice>` under templates/.
    pub template: &'static str,
    /// What the template shows. People by number: the register alone knows names.
    pub data: Value,
    pub asks: Asks,
    pub class: Class,
    /// Past it the notice lapses unsent.
    pub not_after: Option<DateTime<Utc>>,
    /// Whether the case wants a `Sent` for each recipient.
    pub report_sent: bool,
    /// Which of the recipient's addresses, 0 the preferred one.
    pub address: u8,
    /// A calendar entry to attach.
    pub calendar: Option<Calendar>,
}

/// An entry for the recipient's calendar (RFC 5545).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The moment by which to have answered.
    pub at: DateTime<Utc>,
}

/// Holds a number an administrator set against what makes sense.
///
/// # Errors
/// "days is 0; write a number from 1 to 366".
pub fn within(name: &str, value: u32, bounds: std::ops::RangeInclusive<u32>) -> Result<(), String> {
    if bounds.contains(&value) {
        return Ok(());
    }
    Err(format!("{name} is {value}; write a number from {} to {}", bounds.start(), bounds.end()))
}

impl Notice {
    /// A general notice that asks nothing.
    pub fn new(label: &str, to: impl Into<Audience>, template: &'static str, data: impl Serialize) -> Notice {
        Notice {
            label: label.to_owned(),
            to: to.into(),
            template,
            data: to_value(data),
            asks: Asks::Nothing,
            class: Class::General,
            not_after: None,
            report_sent: false,
            address: 0,
            calendar: None,
        }
    }

    #[must_use]
    pub fn asking(self, asks: Asks) -> Notice {
        let class = if matches!(asks, Asks::Comment(_)) { Class::Confidential } else { Class::Action };
        Notice { asks, class, ..self }
    }

    #[must_use]
    pub fn not_after(self, moment: DateTime<Utc>) -> Notice {
        Notice { not_after: Some(moment), ..self }
    }

    #[must_use]
    pub fn with_calendar(self, at: DateTime<Utc>) -> Notice {
        Notice { calendar: Some(Calendar { at }), ..self }
    }

    #[must_use]
    pub fn to_address(self, address: u8) -> Notice {
        Notice { address, ..self }
    }

    /// The recipient can be reached at these addresses too.
    #[must_use]
    pub fn also_at(mut self, addresses: &[&str]) -> Notice {
        if let Value::Object(data) = &mut self.data {
            data.insert(ALSO_AT.to_owned(), serde_json::json!(addresses));
        }
        self
    }
}

/// Something that waits for a person, with a mail that can be answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    pub notice: Notice,
    /// When it should be done; shown in the digest.
    pub due: Option<DateTime<Utc>>,
    pub deputies: Deputies,
}

/// When the deputies of those who are asked step in. Both may do the task then; whoever does it first counts,
/// and the others are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deputies {
    /// As for every task: `[tasks]` of the policies.
    Usual,
    At(DateTime<Utc>),
    /// They are among those who are asked at once.
    Asked,
}

impl Task {
    /// A task for which deputies step in as usual.
    pub fn new(notice: Notice, due: Option<DateTime<Utc>>) -> Task {
        Task { notice, due, deputies: Deputies::Usual }
    }
}

/// Something to publish: a file under `public/`, whole each time. A text is the file as it is, anything else JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Relative, without "..": "ballots/c42.json".
    pub path: String,
    pub body: Value,
}

/// A polite no: what the writer gets instead of an effect. A normal outcome, never an error.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub template: &'static str,
    pub data: Value,
    /// What the refusal asks, so that it can be mended in one word.
    pub asks: Asks,
    /// What an answer to the refusal is about, where it is not what was answered.
    pub label: Option<String>,
}

impl Refusal {
    pub fn new(template: &'static str, data: impl Serialize) -> Refusal {
        Refusal { template, data: to_value(data), asks: Asks::Nothing, label: None }
    }

    #[must_use]
    pub fn asking(self, asks: Asks) -> Refusal {
        Refusal { asks, ..self }
    }

    #[must_use]
    pub fn about(self, label: String) -> Refusal {
        Refusal { label: Some(label), ..self }
    }
}

/// Template data as JSON. Our own structs of strings, numbers and maps with text keys always are.
fn to_value(data: impl Serialize) -> Value {
    serde_json::to_value(data).expect("template data has text keys")
}
