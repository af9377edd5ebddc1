//! The two records under test, and what the tests put into them.

use crate::servers::{own_name, sandbox};
use atlarged::advance::{CaseRow, Commit, Ending, JournalEntry, LetterBody, NewLetter, OutboxRow};
use atlarged::kernel::confidential::Confidences;
use atlarged::kernel::duties::Duties;
use atlarged::kernel::ids::{CaseId, LetterId, NoticeId, Party, PersonId};
use atlarged::kernel::workflow::{Asks, Class, Input, Opening};
use atlarged::ports::mailbox::{Cursor, Place};
use atlarged::ports::store::memory::MemoryStore;
use atlarged::ports::store::postgres::PostgresStore;
use atlarged::ports::store::{NewMail, Sealed, Store};
use chrono::{DateTime, Duration, TimeZone, Utc};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

/// A record on which instances live and die.
pub trait Record {
    type Store: Store;
    async fn fresh() -> Self;
    async fn instance(&self) -> Self::Store;
    /// Ends an instance without a word; returns when others can know.
    async fn crash(&self, store: Self::Store);
}

pub struct Memory(MemoryStore);

impl Record for Memory {
    type Store = MemoryStore;

    async fn fresh() -> Memory {
        Memory(MemoryStore::new())
    }

    async fn instance(&self) -> MemoryStore {
        self.0.instance()
    }

    async fn crash(&self, store: MemoryStore) {
        drop(store);
    }
}

pub struct Postgres {
    pub url: String,
}

impl Postgres {
    /// Waits until the server knows that no more than so many instances live.
    pub async fn settled(&self, living: i64) {
        let gone = async { while self.living().await > living {} };
        tokio::time::timeout(std::time::Duration::from_secs(30), gone).await.expect("the locks go");
    }

    /// How many instances hold their lock.
    async fn living(&self) -> i64 {
        let mut connection = PgConnection::connect(&self.url).await.expect("a connection");
        let locks = "select count(*) from pg_locks where locktype = 'advisory' and granted and database =
                     (select oid from pg_database where datname = current_database())";
        sqlx::query_scalar(locks).fetch_one(&mut connection).await.expect("a count")
    }
}

impl Record for Postgres {
    type Store = PostgresStore;

    async fn fresh() -> Postgres {
        let url = sandbox().await.database(&own_name("contract")).await.expect("a database");
        PostgresStore::connect_and_migrate(&url).await.expect("migrated").close().await.expect("closed");
        Postgres { url }
    }

    async fn instance(&self) -> PostgresStore {
        PostgresStore::connect(&self.url).await.expect("an instance")
    }

    async fn crash(&self, store: PostgresStore) {
        let before = self.living().await;
        drop(store);
        self.settled(before - 1).await;
    }
}

/// That many minutes into the first of March.
pub fn t(minutes: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap() + Duration::minutes(minutes)
}

pub const INBOX: &str = "INBOX";
pub const CASE: CaseId = CaseId(7);

pub fn place(uid_validity: u32, uid: u32) -> Place {
    Place { folder: INBOX.into(), uid_validity, uid }
}

pub fn cursor(uid_validity: u32, next_uid: u32) -> Cursor {
    Cursor { uid_validity, next_uid }
}

/// The mail of this number, arrived that many minutes in.
pub fn mail(n: u8, minutes: i64) -> NewMail {
    NewMail {
        place: place(1, u32::from(n)),
        dedup: [n; 32],
        arrived: t(minutes),
        size: 1000,
        junk: false,
        header_only: false,
        confidential: None,
        case_hint: None,
        upload: None,
        raw: Sealed { key: "intake-2026-03-01".into(), bytes: vec![n, 0, 255] },
    }
}

pub async fn receive(store: &impl Store, mails: &[NewMail]) -> Vec<(i64, bool)> {
    let stored = store.receive("clerk", INBOX, &cursor(1, 100), mails, t(0)).await.expect("stored");
    stored.into_iter().map(|(id, new)| (id.0, new)).collect()
}

pub fn letter(key: &str, case: CaseId, minutes: i64) -> NewLetter {
    let input = Input::Progress { label: key.into(), sent: 1, failed: 0 };
    let body = LetterBody::ToCase(case, input);
    NewLetter { key: key.into(), body, arrived: t(minutes), mail: None, message_id: None }
}

pub fn opening(key: &str, minutes: i64) -> NewLetter {
    let opening = Opening {
        kind: "ballot".into(),
        parent: None,
        by: Some(PersonId(1)),
        body: json!({"question": "ça va?"}),
        arrived: t(minutes),
        nonce: "00".into(),
    };
    NewLetter { body: LetterBody::Opens(opening), ..letter(key, CASE, minutes) }
}

/// A task that a case waits for.
fn duties() -> Duties {
    let duty = json!({
        "template": "office/check", "data": { "x": "ça" }, "asks": "text", "class": "action", "not_after": null,
        "due": t(99), "asked": ["p1", "o2"], "deputies": [], "steps_in": t(50),
    });
    serde_json::from_value(json!({ "check": duty })).expect("duties")
}

/// A step that opens the case at seq 0 or moves it to a later one, and nothing else.
pub fn step(case: CaseId, seq: u32, minutes: i64) -> Commit {
    let state = json!({"open": {"seq": seq, "votes": {"p1": "yes"}}});
    let journal = JournalEntry {
        at: t(minutes),
        case,
        seq,
        kind: "ballot".into(),
        input: Value::String("wake".into()),
        register_version: 0,
        policy: "digest".into(),
        build: "test".into(),
        outcome: "acted".into(),
        state_hash: "hash".into(),
        effects_hash: "effects".into(),
    };
    Commit {
        now: t(minutes),
        register_version: 0,
        letter: None,
        clock: None,
        case: CaseRow {
            id: case,
            kind: "ballot".into(),
            phase: "open".into(),
            title: "ça va?".into(),
            seq,
            wake_at: None,
            parent: None,
            opened_at: t(0),
            state,
            duties: duties(),
            confidences: Confidences::default(),
        },
        opens: seq == 0,
        journal,
        outbox: Vec::new(),
        letters: Vec::new(),
        changes: Vec::new(),
        records: Vec::new(),
        cancelled: Vec::new(),
        tasks: Vec::new(),
        shred: false,
        forget: Vec::new(),
        destroy: Vec::new(),
    }
}

pub fn answering(commit: Commit, letter: LetterId) -> Commit {
    ending(commit, letter, Ending::Acted)
}

pub fn ending(commit: Commit, letter: LetterId, ending: Ending) -> Commit {
    Commit { letter: Some((letter, ending)), ..commit }
}

/// The same step with a clock set.
pub fn waking(mut commit: Commit, minutes: i64) -> Commit {
    commit.case.wake_at = Some(t(minutes));
    commit
}

/// A notice of this step to person 5 that asks for a vote.
pub fn notice(case: CaseId, seq: u32, n: u16) -> OutboxRow {
    OutboxRow {
        refusal: false,
        id: NoticeId { case, seq, n },
        label: format!("ballot:{n}"),
        to: Party::Person(PersonId(5)),
        address: 0,
        template: "ballot/ballot".into(),
        data: json!({"question": "ça va?"}),
        asks: Asks::Vote,
        class: Class::Action,
        not_after: None,
        report_sent: false,
        calendar: None,
        answers: None,
    }
}

/// Opens a case whose clock is due at that minute.
pub async fn open_case(store: &impl Store, case: CaseId, due: i64) {
    store.commit(&waking(step(case, 0, 0), due)).await.expect("opened");
}

/// Claims a letter and says which.
pub async fn claim(store: &impl Store, minutes: i64) -> Option<(LetterId, String)> {
    let claimed = store.claim_letter(t(minutes)).await.expect("claimed")?;
    Some((claimed.id, claimed.letter.key))
}

/// Whether a clock is to be had at that minute, a minute after the mailbox was read.
pub async fn due(store: &impl Store, minutes: i64) -> Option<CaseId> {
    let mailboxes = ["clerk".to_owned()];
    store.fetched("clerk", t(minutes)).await.expect("fetched");
    let case = store.claim_due(t(minutes), Duration::minutes(2), &mailboxes).await.expect("claimed");
    case.map(|case| case.id)
}
