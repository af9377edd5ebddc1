//! A case that asks people for comments in confidence, whatever its workflow: written into the record as a step
//! would write it.

use atlarged::advance::{Commit, JournalEntry, OutboxRow};
use atlarged::kernel::ids::{CaseId, NoticeId, OrganisationId, Party, PersonId};
use atlarged::kernel::people::{Organisation, OrganisationKind, Region};
use atlarged::kernel::register::Change;
use atlarged::kernel::workflow::{Asks, Class};
use atlarged::ports::store::Store;
use chrono::{DateTime, Utc};
use serde_json::json;

/// A step of the case that changes nothing yet.
async fn step(store: &impl Store, case: CaseId, now: DateTime<Utc>) -> Commit {
    let mut row = store.case(case).await.expect("the store").expect("a case");
    row.seq += 1;
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
    }
}

/// Invites people to comment as members of AFRALO; the notices in their order.
pub async fn invite(store: &impl Store, case: CaseId, people: &[u32], now: DateTime<Utc>) -> Vec<NoticeId> {
    let mut commit = step(store, case, now).await;
    let seq = commit.case.seq;
    let held = json!({ "region": "africa", "told": true });
    commit.case.confidences = serde_json::from_value(held).expect("confidences");
    commit.outbox = (0..)
        .zip(people)
        .map(|(n, person)| OutboxRow {
            id: NoticeId { case, seq, n },
            label: "invitation".into(),
            to: Party::Person(PersonId(*person)),
            address: 0,
            template: "comment/empty".into(),
            data: json!({ "title": "An application", "region": "AFRALO" }),
            asks: Asks::Comment(Region::Africa),
            class: Class::Confidential,
            not_after: None,
            report_sent: false,
            calendar: None,
            answers: None,
            refusal: false,
        })
        .collect();
    let notices = commit.outbox.iter().map(|row| row.id).collect();
    store.commit(&commit).await.expect("invited");
    notices
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
        representatives: representatives.iter().copied().map(PersonId).collect(),
        prime: None,
    })
}
