//! Doing the journal again finds every difference to what was stored: in mails, files, clocks, tasks, letters.

use super::record::*;
use atlarged::advance::{self, Before, Commit, LetterBody};
use atlarged::kernel::ids::{CaseId, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Person, Role, RoleHeld};
use atlarged::kernel::register::Change;
use atlarged::kernel::workflow::{Input, Opening, Order};
use atlarged::ports::store::Store;
use atlarged::replay::replay;
use atlarged::workflows::{Policies, Surroundings};
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use std::collections::BTreeMap;

super::promises! {
    a_journal_done_again_gives_what_is_stored
    a_mail_stored_otherwise_is_found
    a_clock_stored_otherwise_is_found
    a_file_stored_otherwise_is_found
    a_letter_caused_otherwise_is_found
}

fn register() -> Vec<Change> {
    let person = |id: u32, role: Role| {
        let role =
            RoleHeld { role, region: None, organisation: None, from: DateTime::UNIX_EPOCH, until: None };
        Change::Person(Person {
            id: PersonId(id),
            name: format!("N{id}"),
            language: Language::Fr,
            zone: chrono_tz::UTC,
            addresses: vec![format!("p{id}@village.example")],
            roles: vec![role],
        })
    };
    let members = (1..=3).map(|id| person(id, Role::AlacMember));
    members.chain([person(8, Role::Staff), person(9, Role::Staff)]).collect()
}

fn question() -> serde_json::Value {
    let texts = |word: &str| -> BTreeMap<_, _> { Language::ALL.map(|l| (l.code(), word.to_owned())).into() };
    json!({
        "question": texts("Shall we?"), "yes_means": texts("we shall"), "no_means": texts("we shall not"),
        "rule": { "quorum": { "numerator": 1, "denominator": 2, "min_absolute": 0 }, "majority": "of-quorum" },
        "secrecy": "open", "voters": "alac",
    })
}

/// Opens a ballot, asks to annul it and annuls it; each commit may be spoiled before it is stored, its journal
/// row excepted. What doing it again says.
async fn play(record: &impl Record, spoil: impl Fn(&mut Commit)) -> Option<String> {
    let store = record.instance().await;
    let policies = Policies::default();
    let body = serde_json::to_string(&policies).expect("JSON");
    store.put_policy(&policies.digest(), &body).await.expect("kept");
    assert!(store.change_register(0, &register(), "test", t(0)).await.expect("changed"));
    let register = store.register().await.expect("a register");
    let order = |by: u32, verb: &str, args, at: DateTime<Utc>| {
        let (verb, nonce, os_user) = (verb.to_owned(), "00".repeat(16), format!("account {by}"));
        Input::Order(Order { by: PersonId(by), verb, args, at, os_user, nonce })
    };
    let opening = Opening {
        kind: "ballot".into(),
        parent: Some(CaseId(77)),
        by: Some(PersonId(8)),
        body: question(),
        arrived: t(1),
        nonce: String::new(),
    };
    let inputs =
        [order(8, "annul", json!({ "reason": "wrong" }), t(2)), order(9, "confirm-annul", json!(null), t(3))];
    let mut before = Before::Opening(opening);
    let mut inputs = inputs.into_iter();
    // A moment finer than a database keeps.
    let mut now = t(1) + Duration::nanoseconds(1_234_567);
    loop {
        let at = Surroundings { case: CASE, now, policies: &policies, register: &register };
        let mut commit = advance::advance(before, None, &at, "test").expect("a step");
        spoil(&mut commit);
        store.commit(&commit).await.expect("applied");
        let Some(input) = inputs.next() else { break };
        before = Before::Case(commit.case, input);
        now += Duration::minutes(1);
    }
    let replayed = replay(&store, CASE).await.expect("done again");
    assert_eq!(replayed.steps, 3);
    replayed.mismatch
}

async fn check(record: impl Record, spoil: impl Fn(&mut Commit), found: &str) {
    let mismatch = play(&record, spoil).await.unwrap_or_default();
    assert!(mismatch.contains(found), "{mismatch:?} does not tell {found:?}");
}

async fn a_journal_done_again_gives_what_is_stored(record: impl Record) {
    assert_eq!(play(&record, |_| {}).await, None);
}

async fn a_mail_stored_otherwise_is_found(record: impl Record) {
    let spoil = |commit: &mut Commit| {
        if let Some(row) = commit.outbox.first_mut() {
            std::sync::Arc::make_mut(&mut row.data)["question"]["fr"] = json!("Shall we not?");
        }
    };
    check(record, spoil, "step 0 of c7 comes out otherwise than it is on record: the mails").await;
}

async fn a_clock_stored_otherwise_is_found(record: impl Record) {
    let spoil = |commit: &mut Commit| commit.case.wake_at = Some(t(9));
    check(record, spoil, "c7 as stored is not what its last step left").await;
}

async fn a_file_stored_otherwise_is_found(record: impl Record) {
    let spoil = |commit: &mut Commit| {
        if let Some(file) = commit.records.first_mut() {
            file.body["annulled"] = json!("another reason");
        }
    };
    check(record, spoil, "step 2 of c7 comes out otherwise than it is on record: the published files").await;
}

/// What leaves nothing to compare with is in the digest of the journal: here a letter to another case.
async fn a_letter_caused_otherwise_is_found(record: impl Record) {
    let spoil = |commit: &mut Commit| {
        let note = commit.letters.iter_mut().find_map(|letter| match &mut letter.body {
            LetterBody::ToCase(_, Input::Note(note)) if note.body.get("opened").is_none() => Some(note),
            _ => None,
        });
        if let Some(note) = note {
            note.body = json!({ "ballot": "carried" });
            commit.journal.effects_hash = commit.effects_hash();
        }
    };
    check(record, spoil, "step 2 of c7 comes out otherwise than it is on record: its effects").await;
}
