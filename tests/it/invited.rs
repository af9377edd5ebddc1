//! An application that asks the members of its region for comments in confidence.

use atlarged::advance::{CaseRow, Commit, JournalEntry};
use atlarged::kernel::confidential::Confidences;
use atlarged::kernel::duties::Duties;
use atlarged::kernel::ids::{CaseId, NoticeId, OrganisationId, Party, PersonId};
use atlarged::kernel::people::{Organisation, OrganisationKind, Region};
use atlarged::kernel::register::Change;
use atlarged::kernel::workflow::Asks;
use atlarged::ports::store::Store;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

/// A step of the case that changes nothing yet.
async fn step(store: &impl Store, case: CaseId, now: DateTime<Utc>) -> Commit {
    let mut row = store.case(case).await.expect("the store").expect("a case");
    row.seq += 1;
    unmoved(store, row, now).await
}

async fn unmoved(store: &impl Store, row: CaseRow, now: DateTime<Utc>) -> Commit {
    let case = row.id;
    let register_version = store.register().await.expect("a register").version;
    let journal = JournalEntry {
        at: now,
        case,
        seq: row.seq,
        kind: row.kind.clone(),
        input: json!("wake"),
        register_version,
        policy: "none".into(),
        build: "test".into(),
        outcome: "acted".into(),
        state_hash: String::new(),
        effects_hash: String::new(),
    };
    Commit {
        now,
        register_version,
        letter: None,
        clock: None,
        case: row,
        opens: false,
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

/// Opens the record of an application in regional review, whose reminder to comment is due.
pub async fn in_review(store: &impl Store, now: DateTime<Utc>) -> CaseId {
    let golden = include_str!("golden/states/accreditation/regional-review.json");
    let mut state: Value = serde_json::from_str(golden).expect("a state");
    state["running"]["file"]["comments"] = 0.into();
    let reminder = now - Duration::minutes(10);
    let timer = json!({ "due": now + Duration::days(20), "reminders": [reminder] });
    state["running"]["stage"]["regional-review"] = timer;
    let case = store.new_case().await.expect("a number");
    let row = CaseRow {
        id: case,
        kind: "accreditation".into(),
        phase: "regional-review".into(),
        title: "an application".into(),
        seq: 0,
        wake_at: Some(reminder),
        parent: None,
        opened_at: reminder,
        state,
        duties: Duties::default(),
        confidences: Confidences::default(),
    };
    let commit = Commit { opens: true, ..unmoved(store, row, now).await };
    store.commit(&commit).await.expect("opened");
    case
}

/// The invitation to comment that a member got.
pub async fn invitation(store: &impl Store, case: CaseId, person: u32) -> NoticeId {
    let notices = store.notices(Some(case)).await.expect("notices");
    let asked = notices
        .into_iter()
        .map(|notice| notice.row)
        .find(|row| row.asks == Asks::Comment(Region::Africa) && row.to == Party::Person(PersonId(person)));
    asked.expect("an invitation").id
}

/// Ends the time of the comments.
pub async fn shred(store: &impl Store, case: CaseId, now: DateTime<Utc>) {
    let mut commit = step(store, case, now).await;
    let mut held = json!(commit.case.confidences);
    held["over"] = true.into();
    held.as_object_mut().expect("confidences").remove("comments");
    commit.case.confidences = serde_json::from_value(held).expect("confidences");
    commit.shred = true;
    store.commit(&commit).await.expect("shredded");
}

/// A structure in Africa and who represents it.
pub fn structure(representatives: &[u32]) -> Change {
    Change::Organisation(Organisation {
        id: OrganisationId(1),
        name: "Internet Users of Kisumu".into(),
        country: "KE".into(),
        region: Region::Africa,
        kind: OrganisationKind::Als,
        report: None,
        representatives: representatives.iter().copied().map(PersonId).collect(),
        prime: None,
        until: None,
    })
}
