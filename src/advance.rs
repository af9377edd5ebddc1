//! One input to one case gives one `Commit`: the transaction as a value. Pure; whoever can apply a Commit
//! atomically is a store.

use crate::kernel::ids::{CaseId, LetterId, MailId, NoticeId, Party};
use crate::kernel::register::Change;
use crate::kernel::workflow::{Asks, Calendar, Class, Input, Opening, Record};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The transaction as a value. Applied whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    pub now: DateTime<Utc>,
    /// The register it was computed from; if the stored one is newer, the step is redone.
    pub register_version: u64,
    /// The letter it answers, and how that letter ends; none for a wake.
    pub letter: Option<(LetterId, Ending)>,
    /// The moment the case had asked to be woken at: fires only if no letter that arrived by then waits.
    pub clock: Option<DateTime<Utc>>,
    pub case: CaseRow,
    /// Whether this step opens the case (its row is inserted) or moves it (its `seq` was one less).
    pub opens: bool,
    pub journal: JournalEntry,
    pub outbox: Vec<OutboxRow>,
    pub letters: Vec<NewLetter>,
    pub changes: Vec<Change>,
    pub records: Vec<Record>,
    /// Labels of this case's notices that never leave if they have not left, and whose tasks are done.
    pub cancelled: Vec<String>,
    pub tasks: Vec<TaskRow>,
    pub shred: bool,
}

/// A case as stored. `kind`, `phase`, `title`, `wake_at` are copies for lists and SQL; `state` is the truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseRow {
    pub id: CaseId,
    pub kind: String,
    pub phase: String,
    pub title: String,
    /// Steps taken, refusals included; 0 after opening.
    pub seq: u32,
    pub wake_at: Option<DateTime<Utc>>,
    pub parent: Option<CaseId>,
    pub opened_at: DateTime<Utc>,
    pub state: Value,
}

/// What happened, enough to do it again: with the register and policies of these versions the same build
/// reaches the same state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    pub at: DateTime<Utc>,
    pub case: CaseId,
    pub seq: u32,
    pub kind: String,
    /// The `Opening` of seq 0, an `Input` otherwise.
    pub input: Value,
    pub register_version: u64,
    /// Digest of the policies in force.
    pub policy: String,
    pub build: String,
    /// "acted", or "refused: ballot/late".
    pub outcome: String,
    /// SHA-256 of the state after it, as canonical JSON.
    pub state_hash: String,
}

/// How a letter ended. Every letter ends in exactly one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Acted,
    /// Answered with how to mend it; the template's name.
    Refused(String),
    /// On purpose without an answer; why.
    Silent(String),
}

/// One notice to one recipient, waiting to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxRow {
    pub id: NoticeId,
    pub label: String,
    pub to: Party,
    pub address: u8,
    pub template: String,
    pub data: Value,
    pub asks: Asks,
    pub class: Class,
    pub not_after: Option<DateTime<Utc>>,
    pub report_sent: bool,
    pub calendar: Option<Calendar>,
    /// The letter this answers; its Message-ID becomes In-Reply-To.
    pub answers: Option<LetterId>,
}

/// A letter addressed to a case, or one that opens a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewLetter {
    /// Unique for ever: a second letter with the same key is the same letter and is dropped.
    /// "mail:812:0", "case:42:7:0", "order:<uuid>".
    pub key: String,
    pub body: LetterBody,
    pub arrived: DateTime<Utc>,
    /// The mail it was read from.
    pub mail: Option<MailId>,
    /// Its RFC 5322 Message-ID, for threading the answer.
    pub message_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LetterBody {
    ToCase(CaseId, Input),
    Opens(Opening),
}

/// Something that waits for a person; open until its label is cancelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskRow {
    pub case: CaseId,
    pub label: String,
    pub template: String,
    /// Who was asked.
    pub to: Vec<Party>,
    pub due: Option<DateTime<Utc>>,
}
