//! One input to one case gives one `Commit`: the transaction as a value. Pure; whoever can apply a Commit
//! atomically is a store.

mod confidential;
mod documents;
mod draft;

use crate::kernel::canonical;
use crate::kernel::confidential::Confidences;
use crate::kernel::duties::Duties;
use crate::kernel::ids::{CaseId, LetterId, MailId, NoticeId, Party};
use crate::kernel::register::{Change, Register};
use crate::kernel::workflow::{Asks, Calendar, Class, Input, Opening, Record, Reply};
use crate::workflows::{Case, Kind, Surroundings};
use chrono::{DateTime, Utc};
use draft::{Draft, arrived};
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
    /// Handles of what was sealed for this step and is thrown away, since it was refused.
    pub forget: Vec<String>,
    /// Handles of documents that the case held and holds no more: they are destroyed, with the mail they came in.
    pub destroy: Vec<String>,
}

impl Commit {
    /// The digest of all that a step causes beside the new state: clocks, mails, letters, tasks, changes of the
    /// register, files. Which letter a mail answers is not part of it: that is known only when it happens.
    pub fn effects_hash(&self) -> String {
        let outbox: Vec<OutboxRow> = self.outbox.iter().map(OutboxRow::by_itself).collect();
        let case = &self.case;
        // As fine as the record keeps it.
        let wake_at = case.wake_at.map(|at| at.timestamp_micros());
        let mut all = serde_json::json!({
            "wake_at": wake_at, "phase": case.phase, "title": case.title, "duties": case.duties,
            "outbox": outbox, "letters": self.letters, "changes": self.changes, "records": self.records,
            "cancelled": self.cancelled, "tasks": self.tasks, "shred": self.shred,
        });
        // Most cases hold nothing in confidence, and rows of before this was known must give the same digest.
        if !case.confidences.is_empty() {
            all["confidences"] = serde_json::json!(case.confidences);
        }
        if !self.forget.is_empty() {
            all["forget"] = serde_json::json!(self.forget);
        }
        if !self.destroy.is_empty() {
            all["destroy"] = serde_json::json!(self.destroy);
        }
        canonical::hash(&all)
    }
}

impl OutboxRow {
    /// The same without the number of the letter it answers.
    pub fn by_itself(&self) -> OutboxRow {
        OutboxRow { answers: None, ..self.clone() }
    }
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
    /// The tasks it waits for.
    #[serde(default)]
    pub duties: Duties,
    /// What it was told in confidence, by handle.
    #[serde(default, skip_serializing_if = "Confidences::is_empty")]
    pub confidences: Confidences,
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
    /// SHA-256 of everything else it caused, as canonical JSON; empty in rows of builds that did not note it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub effects_hash: String,
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
    /// It says politely that a letter was not acted on: how many a party gets in a day is limited.
    #[serde(default)]
    pub refusal: bool,
}

/// A letter addressed to a case, or one that opens a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewLetter {
    /// Unique for ever: a second letter with the same key is the same letter and is dropped.
    /// "mail:812:0", "case:42:7:0", "order:UUID".
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

/// What a step starts from.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "it lives for one step; a box would gain nothing")]
pub enum Before {
    /// A letter that opens a case; `Surroundings::case` is its number.
    Opening(Opening),
    Case(CaseRow, Input),
}

/// Why no step can be computed: staff must look, nothing is decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("no workflow is called {0:?}")]
    Kind(String),
    #[error("the state of {0} was written by a newer build: {1}")]
    State(CaseId, String),
}

/// The phase of a case whose opening was refused: its journal says why, and nothing moves it.
pub const REFUSED: &str = "refused";

/// Computes one step. `letter` is the letter that caused it, `build` names this program.
///
/// # Errors
/// `Unreadable` where the workflow or the state is not of this build.
pub fn advance(
    before: Before,
    letter: Option<LetterId>,
    at: &Surroundings<'_>,
    build: &str,
) -> Result<Commit, Unreadable> {
    let writers = writers(&before);
    let mut commit = match before {
        Before::Opening(opening) => opened(&opening, letter, writers, at, build),
        Before::Case(row, input) => stepped(row, &input, letter, writers, at, build),
    }?;
    commit.journal.effects_hash = commit.effects_hash();
    Ok(commit)
}

fn opened(
    opening: &Opening,
    letter: Option<LetterId>,
    writers: Vec<Party>,
    at: &Surroundings<'_>,
    build: &str,
) -> Result<Commit, Unreadable> {
    let kind = Kind::from_name(&opening.kind).ok_or_else(|| Unreadable::Kind(opening.kind.clone()))?;
    let draft = Draft {
        at,
        letter,
        writers,
        build,
        kind,
        seq: 0,
        parent: opening.parent,
        opened_at: at.now,
        input: serde_json::to_value(opening).expect("openings have text keys"),
        arrived: opening.arrived,
        duties: Duties::default(),
        confidences: Confidences::default(),
        cause: None,
    };
    Ok(match Case::open(kind, opening, at) {
        Ok(step) => draft.acted(step, None, &documents::Came::with(&opening.body)),
        Err(refusal) => {
            let state = serde_json::json!({ REFUSED: refusal.template });
            let row = draft.row(REFUSED, refusal.template.to_owned(), None, state);
            let mut commit = draft.refused(&refusal, row, None);
            commit.forget.extend(documents::Came::with(&opening.body).handles());
            commit
        }
    })
}

fn stepped(
    row: CaseRow,
    input: &Input,
    letter: Option<LetterId>,
    writers: Vec<Party>,
    at: &Surroundings<'_>,
    build: &str,
) -> Result<Commit, Unreadable> {
    let kind = Kind::from_name(&row.kind).ok_or_else(|| Unreadable::Kind(row.kind.clone()))?;
    let case = Case::load(kind, &row.state).map_err(|error| Unreadable::State(row.id, error.to_string()))?;
    let clock = row.wake_at.filter(|_| *input == Input::Wake);
    let draft = Draft {
        at,
        letter,
        writers,
        build,
        kind,
        seq: row.seq + 1,
        parent: row.parent,
        opened_at: row.opened_at,
        input: serde_json::to_value(input).expect("inputs have text keys"),
        arrived: arrived(input, clock.unwrap_or(at.now)),
        duties: row.duties.clone(),
        confidences: row.confidences.clone(),
        cause: Some(input),
    };
    let barred = match input {
        Input::Reading(reading) if reading.documents => return Ok(draft.hand_out(reading, row, &case)),
        Input::Reading(reading) => return Ok(draft.read(reading, row, &case.titles())),
        Input::Comment(comment) => confidential::barred(comment, &row, &case.titles()),
        _ => None,
    };
    let came = documents::Came::to(&case, input);
    let step = match barred {
        Some(refusal) => Err(refusal),
        None => case.step(input, at),
    };
    Ok(match step {
        Ok(step) => draft.acted(step, clock, &came),
        Err(refusal) => {
            let unmoved = CaseRow { seq: draft.seq, ..row };
            let to = match input {
                Input::Reply(reply) => {
                    let label = refusal.label.clone().unwrap_or_else(|| label(reply));
                    Some((addressee(reply, at.register), label))
                }
                Input::Comment(comment) => Some((comment.author, comment.label.clone())),
                _ => None,
            };
            let mut commit = draft.refused(&refusal, unmoved, to);
            commit.forget.extend(came.handles());
            commit
        }
    })
}

/// A refusal stands for the notice that was answered: the answer that mends it must mean what the first
/// one was meant to.
fn label(reply: &Reply) -> String {
    reply.answers.as_ref().map_or_else(|| format!("refusal:{}", reply.from), |answers| answers.label.clone())
}

/// Whom a refusal is written to: the party that was asked where the writer speaks for it, so that an answer
/// for an organisation stays one; else the writer.
fn addressee(reply: &Reply, register: &Register) -> Party {
    let speaks =
        |party: &Party| register.speaker(*party).map(|person| Party::Person(person.id)) == Some(reply.from);
    reply.answers.as_ref().map(|answers| answers.to).filter(speaks).unwrap_or(reply.from)
}

/// Who wrote what caused a step: the mails to them answer theirs, the mails to others do not.
fn writers(before: &Before) -> Vec<Party> {
    match before {
        Before::Case(_, Input::Reply(reply)) => {
            std::iter::once(reply.from).chain(reply.answers.iter().map(|answers| answers.to)).collect()
        }
        Before::Case(_, Input::Reading(reading)) => vec![Party::Person(reading.by)],
        Before::Case(..) => Vec::new(),
        Before::Opening(opening) => {
            let from = opening.body.get("from").and_then(Value::as_str);
            from.and_then(|from| from.parse().ok()).into_iter().collect()
        }
    }
}
