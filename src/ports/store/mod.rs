//! The record. One trait, two stores: Postgres for people, memory for the simulator; one contract test.

pub mod chain;
pub mod confidential;
pub mod memory;
pub mod parts;
pub mod postgres;
pub mod rules;

pub use confidential::{Confided, Confidential, Kept};
pub use parts::{Paper, Parts, Upload};

use super::Fault;
use super::mailbox::{Cursor, Place};
use crate::advance::{CaseRow, Commit, Ending, JournalEntry, NewLetter, OutboxRow, TaskRow};
use crate::kernel::ids::{CaseId, LetterId, MailId, NoticeId, Party, StrangerId};
use crate::kernel::language::Language;
use crate::kernel::register::{Change, Register};
use crate::kernel::workflow::{Asks, Record};
use crate::letters::print::Print;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

/// Bytes sealed by the key store: ciphertext and the name of the key that opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub key: String,
    pub bytes: Vec<u8>,
}

/// A mail to be stored, as it was found in a mailbox.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMail {
    pub place: Place,
    /// Keyed hash over Message-ID and the mail without trace headers: the same mail in another place or
    /// under another UIDVALIDITY is known by it.
    pub dedup: [u8; 32],
    pub arrived: DateTime<Utc>,
    /// Octets as the mailbox reports them.
    pub size: u64,
    pub junk: bool,
    /// Too large to be fetched whole: only its header is stored.
    pub header_only: bool,
    /// The case its token names, where a token can be made out without reading the mail: such a mail holds
    /// up the case's clocks even while it is quarantined.
    pub case_hint: Option<CaseId>,
    /// The case whose confidential notice it answers.
    pub confidential: Option<CaseId>,
    /// Its bytes; of a mail that came in parts what is read of it, and the key of its parts.
    pub raw: Sealed,
    /// Where its parts are, if it came in parts.
    pub upload: Option<Upload>,
}

/// A stored mail in hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    pub id: MailId,
    pub arrived: DateTime<Utc>,
    pub size: u64,
    pub junk: bool,
    pub header_only: bool,
    /// A person looked and decided that its times and carriers are fine.
    pub accepted: bool,
    /// How often it has left quarantine.
    pub stays: u32,
    /// The case in whose confidence it was written.
    pub confidential: Option<CaseId>,
    pub raw: Sealed,
    /// As [`NewMail::upload`].
    pub upload: Option<Upload>,
    /// What our own check of its sender found, where there was one.
    pub checked: Option<Sealed>,
}

/// What became of a mail at the desk.
#[derive(Debug, Clone, PartialEq)]
pub enum Sorted {
    /// Addressed as these letters.
    Letters(Vec<NewLetter>),
    /// Unanswered on purpose: "auto-reply", "unsolicited", "bounce of c42.7.0".
    Silent(String),
    /// A person must look: why.
    Quarantined(String),
}

/// A letter in hand, with the case it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    pub id: LetterId,
    pub letter: NewLetter,
    /// None for one that opens a case, or whose case does not exist.
    pub case: Option<CaseRow>,
}

/// Why a Commit was not applied. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The case or the register moved, the letter is no longer ours, or an earlier letter came in before
    /// a clock: compute the step again.
    #[error("the step must be redone: {0}")]
    Conflict(&'static str),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A notice about to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    pub row: OutboxRow,
    pub created: DateTime<Utc>,
    /// Times it was tried.
    pub attempts: u32,
    /// The very bytes of the first try, so that a retry is identical.
    pub bytes: Option<Sealed>,
    /// Message-ID of the letter it answers.
    pub in_reply_to: Option<String>,
}

/// How a try at sending ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    Accepted,
    /// Try again at this moment.
    Later {
        at: DateTime<Utc>,
        why: String,
    },
    /// Refused for good: becomes `Input::Undelivered` of its case.
    Never {
        status: Option<String>,
        why: String,
    },
    /// Past its `not_after`, answered or cancelled.
    Lapsed,
    /// It cannot be written, a template fails: kept, and staff are told.
    Stuck {
        why: String,
    },
}

/// A notice as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticeRow {
    pub row: OutboxRow,
    pub created: DateTime<Utc>,
    /// "waiting", "sent", "lapsed", "failed", "stuck".
    pub status: String,
    pub sent_at: Option<DateTime<Utc>>,
}

/// Received = acted + refused + silent + quarantined + waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Books {
    pub received: u64,
    pub acted: u64,
    pub refused: u64,
    pub silent: u64,
    pub quarantined: u64,
    pub waiting: u64,
}

impl Books {
    pub fn balance(&self) -> bool {
        self.received == self.acted + self.refused + self.silent + self.quarantined + self.waiting
    }
}

/// A mail or a letter that waits for a person because reading it killed us three times, or carriers
/// disagreed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quarantined {
    pub mail: Option<MailId>,
    pub letter: Option<LetterId>,
    /// The case a letter is for. Alone: the case whose clock no longer fires.
    pub case: Option<CaseId>,
    pub arrived: DateTime<Utc>,
    pub why: String,
    /// How often it has left quarantine before: staff are told of each stay.
    #[serde(default)]
    pub stays: u32,
}

impl Quarantined {
    /// What staff call it: "l901", "m812", "c42" for the clock of a case.
    pub fn name(&self) -> String {
        match (self.letter, self.mail, self.case) {
            (Some(letter), _, _) => letter.to_string(),
            (None, Some(mail), _) => mail.to_string(),
            (None, None, Some(case)) => case.to_string(),
            (None, None, None) => "nothing".to_owned(),
        }
    }
}

/// How a person lets something out of quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release<'a> {
    /// Another try, after the cause is mended.
    Retry,
    /// Another try; a mail's times and carriers are taken for fine.
    Accept,
    /// Ended silently, with a reason.
    Discard(&'a str),
}

impl<'a> Release<'a> {
    fn reason(self) -> Option<&'a str> {
        match self {
            Release::Discard(why) => Some(why),
            Release::Retry | Release::Accept => None,
        }
    }
}

/// A row of the journal with its place in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalRow {
    pub number: i64,
    pub entry: JournalEntry,
    /// SHA-256 over the hash before it and this entry as canonical JSON, in hex.
    pub hash: String,
}

/// How many mails for whose writers nobody vouches become tasks in a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    pub per_domain: u32,
    pub per_day: u32,
}

/// What a party still owes an answer to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenAsk {
    pub notice: NoticeId,
    pub case: CaseId,
    pub kind: String,
    pub title: String,
    pub label: String,
    pub asks: Asks,
    pub not_after: Option<DateTime<Utc>>,
}

/// An open task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenTask {
    pub task: TaskRow,
    pub title: String,
    pub opened_at: DateTime<Utc>,
}

/// A published file and the moment it was committed; `number` grows with every publication.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    pub number: i64,
    pub record: Record,
    pub at: DateTime<Utc>,
    /// The journal's head at that commit.
    pub journal_head: String,
}

pub type Answer<T> = Result<T, Fault>;

/// The record. Every method is one transaction. A store belongs to one running instance: what it claims is
/// freed when the instance dies.
pub trait Store: Confidential + Parts {
    /// The newest register; cheap when it has not moved.
    fn register(&self) -> impl Future<Output = Answer<Arc<Register>>> + Send;
    /// The register as it was at a version.
    fn register_at(&self, version: u64) -> impl Future<Output = Answer<Arc<Register>>> + Send;
    /// Appends changes made outside a case (import), if the version is still `from`. False: it moved.
    fn change_register(
        &self,
        from: u64,
        changes: &[Change],
        by: &str,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<bool>> + Send;

    /// Where reading each folder of a mailbox left off.
    fn cursors(&self, mailbox: &str) -> impl Future<Output = Answer<BTreeMap<String, Cursor>>> + Send;
    /// Stores a batch and its cursor. For each mail: its number, and whether it is new.
    fn receive(
        &self,
        mailbox: &str,
        folder: &str,
        cursor: &Cursor,
        mails: &[NewMail],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<Vec<(MailId, bool)>>> + Send;
    /// A complete fetch of every folder, begun at this moment, is committed.
    fn fetched(&self, mailbox: &str, began: DateTime<Utc>) -> impl Future<Output = Answer<()>> + Send;

    /// The earliest mail not yet sorted, in hand from now on.
    fn claim_mail(&self, now: DateTime<Utc>) -> impl Future<Output = Answer<Option<Mail>>> + Send;
    fn sort(
        &self,
        mail: MailId,
        sorted: &Sorted,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<()>> + Send;
    /// Puts a mail back for another try at `at` because the world is unwell. Never counts as an attempt.
    fn put_back_mail(&self, mail: MailId, at: DateTime<Utc>) -> impl Future<Output = Answer<()>> + Send;
    /// Keeps what the check of a mail in hand found, so that DNS is not asked for it again.
    fn keep_checked(&self, mail: MailId, found: &Sealed) -> impl Future<Output = Answer<()>> + Send;
    /// Adds letters that were read from no mail (orders, notes of the daemon). True where the key is new.
    fn post(
        &self,
        letter: &NewLetter,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<(LetterId, bool)>> + Send;
    /// How a letter ended, `None` while it waits, with the case it opened or moved.
    fn ending(
        &self,
        letter: LetterId,
    ) -> impl Future<Output = Answer<Option<(Ending, Option<CaseId>)>>> + Send;

    fn notice(&self, id: NoticeId) -> impl Future<Output = Answer<Option<NoticeRow>>> + Send;
    /// The number of somebody outside the register, who is answered at most once a day: the moment of the
    /// last answer is returned and, if it is a day or more ago, set to `now`.
    fn stranger(
        &self,
        address: &str,
        language: Language,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<(StrangerId, Option<DateTime<Utc>>)>> + Send;
    /// Whether a mail for whose writer nobody vouches may become a task: in the day before `now` fewer than
    /// `limits` of its domain, and of all, were let in. The same mail always gets the same answer.
    fn admit(
        &self,
        mail: MailId,
        domain: &str,
        limits: Admission,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<bool>> + Send;
    /// How many mails of which domains were not let in since a moment, most first, at most twenty domains.
    fn turned_away(&self, since: DateTime<Utc>) -> impl Future<Output = Answer<Vec<(String, u64)>>> + Send;
    fn stranger_address(
        &self,
        id: StrangerId,
    ) -> impl Future<Output = Answer<Option<(String, Language)>>> + Send;
    /// How many refusals and acknowledgements (`rules::courtesy`) were sent to a party since a moment: two
    /// machines that answer each other are told apart from a person by it.
    fn answered(&self, party: Party, since: DateTime<Utc>) -> impl Future<Output = Answer<u64>> + Send;
    /// Whether a letter with this Message-ID was read from another mail than this one.
    fn message_id_seen(&self, message_id: &str, mail: MailId) -> impl Future<Output = Answer<bool>> + Send;
    fn open_asks(&self, party: Party) -> impl Future<Output = Answer<Vec<OpenAsk>>> + Send;

    /// The earliest-arrived letter whose case is not in hand elsewhere; it and its case are in hand from now.
    fn claim_letter(&self, now: DateTime<Utc>) -> impl Future<Output = Answer<Option<Claimed>>> + Send;
    /// Puts a letter back for another try at `at` because the world is unwell. Never counts as an attempt.
    fn put_back(&self, letter: LetterId, at: DateTime<Utc>) -> impl Future<Output = Answer<()>> + Send;
    fn quarantine(
        &self,
        letter: LetterId,
        why: &str,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<()>> + Send;
    /// A number for a case about to be opened.
    fn new_case(&self) -> impl Future<Output = Answer<CaseId>> + Send;
    /// The case whose clock is most overdue, if letters come before it: every mailbox in `mailboxes` has a
    /// complete fetch begun after the due moment plus `settle`, and nothing for the case that arrived by then
    /// is unfinished. In hand from now on until committed or released.
    fn claim_due(
        &self,
        now: DateTime<Utc>,
        settle: Duration,
        mailboxes: &[String],
    ) -> impl Future<Output = Answer<Option<CaseRow>>> + Send;
    fn release_case(&self, case: CaseId) -> impl Future<Output = Answer<()>> + Send;
    /// Releases a case whose clock could not be fired, for another try at `at`. Never counts as an attempt.
    fn put_back_clock(&self, case: CaseId, at: DateTime<Utc>) -> impl Future<Output = Answer<()>> + Send;
    /// Releases a case in hand whose clock no longer fires until a person looked or a letter moved it: why.
    fn stick_clock(&self, case: CaseId, why: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Applies a step whole; checks the case's seq, the register's version, that the letter is in hand, and
    /// for a clock once more that no letter that arrived by then is unfinished.
    fn commit(&self, commit: &Commit) -> impl Future<Output = Result<(), CommitError>> + Send;

    /// The next notice due to be sent, in hand from now on. What is past its `not_after` or cancelled never
    /// leaves: it lapses as soon as nothing else is to be sent, and where it asks and was not cancelled, its
    /// case hears of it by `Input::Undelivered`.
    fn claim_outgoing(&self, now: DateTime<Utc>) -> impl Future<Output = Answer<Option<Outgoing>>> + Send;
    /// Keeps the bytes about to be sent, before they are, and their print, which stays.
    fn keep_bytes(
        &self,
        id: NoticeId,
        bytes: &Sealed,
        print: &Print,
    ) -> impl Future<Output = Answer<()>> + Send;
    /// The print of a notice as it was last sent; none for one that never was.
    fn print(&self, id: NoticeId) -> impl Future<Output = Answer<Option<Print>>> + Send;
    /// Records how a try ended. Accepted with `report_sent` posts `Input::Sent`; Never posts
    /// `Input::Undelivered`; both in the same transaction. The bytes go once the outcome is final.
    fn posted(
        &self,
        id: NoticeId,
        outcome: &Posted,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<()>> + Send;
    /// Sends a stuck or failed notice once more.
    fn resend(&self, id: NoticeId, now: DateTime<Utc>) -> impl Future<Output = Answer<bool>> + Send;

    /// The next moment at which something is due: a clock, a retry.
    fn next_event(&self) -> impl Future<Output = Answer<Option<DateTime<Utc>>>> + Send;
    fn books(&self) -> impl Future<Output = Answer<Books>> + Send;
    fn cases(&self) -> impl Future<Output = Answer<Vec<CaseRow>>> + Send;
    fn case(&self, id: CaseId) -> impl Future<Output = Answer<Option<CaseRow>>> + Send;
    /// The journal of one case, or all of it, in order.
    fn journal(&self, case: Option<CaseId>) -> impl Future<Output = Answer<Vec<JournalRow>>> + Send;
    /// The hash of the newest row; 64 zeros for an empty journal.
    fn journal_head(&self) -> impl Future<Output = Answer<String>> + Send;
    /// A row of the journal by its number, the newest where none is given: its number and hash, in hex.
    fn journal_at(&self, number: Option<i64>) -> impl Future<Output = Answer<Option<(i64, String)>>> + Send;
    /// The name of the oldest intake key under which lies anything not yet dealt with.
    fn oldest_intake_key(&self) -> impl Future<Output = Answer<Option<String>>> + Send;
    fn notices(&self, case: Option<CaseId>) -> impl Future<Output = Answer<Vec<NoticeRow>>> + Send;
    fn tasks(&self) -> impl Future<Output = Answer<Vec<OpenTask>>> + Send;
    fn quarantined(&self) -> impl Future<Output = Answer<Vec<Quarantined>>> + Send;
    fn quarantined_mail(&self, id: MailId) -> impl Future<Output = Answer<Option<Mail>>> + Send;
    /// Lets a mail, a letter or a clock out of quarantine.
    fn unquarantine(
        &self,
        item: &Quarantined,
        release: Release<'_>,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<()>> + Send;
    fn publications(&self, after: i64) -> impl Future<Output = Answer<Vec<Publication>>> + Send;

    /// Cases whose keys a committed step wants destroyed and nobody has reported destroyed.
    fn shreds(&self) -> impl Future<Output = Answer<Vec<CaseId>>> + Send;
    fn shredded(&self, case: CaseId) -> impl Future<Output = Answer<()>> + Send;

    fn put_policy(&self, digest: &str, body: &str) -> impl Future<Output = Answer<()>> + Send;
    fn policy(&self, digest: &str) -> impl Future<Output = Answer<Option<String>>> + Send;
    /// Small facts of the installation: "epoch", "heartbeat", "alarm".
    fn fact(&self, name: &str) -> impl Future<Output = Answer<Option<String>>> + Send;
    fn set_fact(&self, name: &str, value: &str) -> impl Future<Output = Answer<()>> + Send;
}
