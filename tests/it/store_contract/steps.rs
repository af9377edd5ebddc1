//! A step is applied whole or not at all, and the journal shows it.

use super::record::*;
use atlarged::advance::{Commit, TaskRow};
use atlarged::kernel::ids::{CaseId, NoticeId, OrganisationId, Party, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::Person;
use atlarged::kernel::register::Change;
use atlarged::kernel::workflow::{Asks, Record as Publish};
use atlarged::ports::store::chain::verify_chain;
use atlarged::ports::store::{CommitError, JournalRow, Store};
use serde_json::json;

super::promises! {
    a_step_is_applied_whole
    a_step_that_comes_too_late_changes_nothing
    a_register_that_moved_stops_a_step
    an_import_gives_way_to_a_newer_register
    the_register_is_read_as_it_was
    the_journal_holds_together
    what_is_asked_is_listed_until_it_is_cancelled
    a_task_asked_again_is_the_same_task
    the_next_event_is_the_earliest
    small_facts_are_kept
}

fn person(id: u32, name: &str) -> Change {
    Change::Person(Person {
        id: PersonId(id),
        name: name.into(),
        language: Language::Fr,
        zone: chrono_tz::Africa::Dakar,
        addresses: vec![format!("p{id}@village.example")],
        roles: Vec::new(),
    })
}

/// A step with every effect there is.
fn full(case: CaseId) -> Commit {
    Commit {
        outbox: (0..3).map(|n| notice(case, 0, n)).collect(),
        letters: vec![letter("case:7:0:0", CaseId(9), 3)],
        changes: vec![person(1, "Aminata"), Change::Language(PersonId(1), Language::En)],
        records: vec![Publish { path: "ballots/c7.json".into(), body: json!({"yes": 3}) }],
        tasks: vec![TaskRow {
            case,
            label: "check".into(),
            template: "office/check".into(),
            to: vec![Party::Person(PersonId(1)), Party::Organisation(OrganisationId(2))],
            due: Some(t(99)),
        }],
        shred: true,
        ..waking(step(case, 0, 3), 60)
    }
}

async fn a_step_is_applied_whole(record: impl Record) {
    let store = record.instance().await;
    let (id, new) = store.post(&opening("order:1", 2), t(2)).await.unwrap();
    assert!(new);
    assert_eq!(claim(&store, 3).await.unwrap().0, id);
    let commit = answering(full(CASE), id);
    store.commit(&commit).await.unwrap();
    assert_eq!(store.case(CASE).await.unwrap().unwrap(), commit.case);
    assert_eq!(store.cases().await.unwrap(), std::slice::from_ref(&commit.case));
    assert_eq!(store.ending(id).await.unwrap().unwrap().1, Some(CASE));
    let register = store.register().await.unwrap();
    assert_eq!((register.version, register.person(PersonId(1)).unwrap().language), (2, Language::En));
    let sent: Vec<_> = store.notices(Some(CASE)).await.unwrap().into_iter().map(|n| n.row).collect();
    assert_eq!(sent, commit.outbox);
    assert_eq!(store.notices(Some(CaseId(8))).await.unwrap(), []);
    assert_eq!(claim(&store, 3).await.unwrap().1, "case:7:0:0");
    let tasks = store.tasks().await.unwrap();
    assert_eq!((&tasks[0].task, tasks[0].opened_at), (&commit.tasks[0], t(3)));
    let journal = store.journal(None).await.unwrap();
    assert_eq!(journal[0].entry, commit.journal);
    let published = store.publications(0).await.unwrap().remove(0);
    assert_eq!((published.record, published.at), (commit.records[0].clone(), t(3)));
    assert_eq!(published.journal_head, store.journal_head().await.unwrap());
    assert_eq!(store.publications(published.number).await.unwrap(), []);
    assert_eq!(store.shreds().await.unwrap(), [CASE]);
    store.shredded(CASE).await.unwrap();
    assert_eq!(store.shreds().await.unwrap(), []);
}

/// Everything that a step could have changed.
async fn everything(store: &impl Store) -> String {
    format!(
        "{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}",
        store.cases().await.unwrap(),
        store.notices(None).await.unwrap(),
        store.tasks().await.unwrap(),
        store.journal(None).await.unwrap(),
        store.journal_head().await.unwrap(),
        store.publications(0).await.unwrap(),
        store.register().await.unwrap().version,
        store.shreds().await.unwrap(),
    )
}

async fn refused(store: &impl Store, commit: &Commit, why: &str) {
    let before = everything(store).await;
    match store.commit(commit).await {
        Err(CommitError::Conflict(said)) => assert_eq!(said, why),
        other => panic!("{why}: {other:?}"),
    }
    assert_eq!(everything(store).await, before, "{why}");
}

async fn a_step_that_comes_too_late_changes_nothing(record: impl Record) {
    let (store, other) = (record.instance().await, record.instance().await);
    open_case(&store, CASE, 60).await;
    let moved = |seq| {
        let mut commit = Commit { opens: false, ..full(CASE) };
        (commit.case.seq, commit.journal.seq) = (seq, seq);
        commit.outbox = vec![notice(CASE, seq, 0)];
        commit
    };
    refused(&store, &full(CASE), "a case of this number is open already").await;
    let gone = Commit { opens: false, ..step(CaseId(8), 1, 3) };
    refused(&store, &gone, "there is no such case").await;
    for seq in [0, 2] {
        refused(&store, &moved(seq), "the case moved").await;
    }
    let (id, _) = store.post(&letter("a", CASE, 1), t(1)).await.unwrap();
    refused(&store, &answering(moved(1), id), "the letter is no longer in hand").await;
    assert_eq!(claim(&other, 3).await.unwrap().0, id);
    refused(&store, &answering(moved(1), id), "the letter is no longer in hand").await;
    let clock = Commit { clock: Some(t(0)), ..moved(1) };
    refused(&store, &clock, "the case is no longer in hand").await;
    other.commit(&answering(moved(1), id)).await.unwrap();
    refused(&other, &answering(moved(2), id), "the letter is no longer in hand").await;
}

async fn a_register_that_moved_stops_a_step(record: impl Record) {
    let (store, other) = (record.instance().await, record.instance().await);
    assert!(other.change_register(0, &[person(1, "Aminata")], "p9", t(1)).await.unwrap());
    refused(&store, &full(CASE), "the register moved").await;
    let again = Commit { register_version: store.register().await.unwrap().version, ..full(CASE) };
    store.commit(&again).await.unwrap();
    assert_eq!(other.register().await.unwrap().version, 3);
}

async fn an_import_gives_way_to_a_newer_register(record: impl Record) {
    let store = record.instance().await;
    assert!(store.change_register(0, &[person(1, "A"), person(2, "B")], "p9", t(1)).await.unwrap());
    assert!(!store.change_register(0, &[person(3, "C")], "p9", t(1)).await.unwrap());
    assert_eq!(store.register().await.unwrap().people().count(), 2);
}

async fn the_register_is_read_as_it_was(record: impl Record) {
    let store = record.instance().await;
    store.change_register(0, &[person(1, "A"), person(1, "Aminata")], "p9", t(1)).await.unwrap();
    store.change_register(2, &[person(2, "B")], "p9", t(2)).await.unwrap();
    for (version, name) in [(1, "A"), (2, "Aminata"), (3, "Aminata")] {
        let register = store.register_at(version).await.unwrap();
        assert_eq!(register.version, version);
        assert_eq!(register.person(PersonId(1)).unwrap().name, name);
    }
    assert_eq!(store.register_at(0).await.unwrap().people().count(), 0);
    assert_eq!(*store.register().await.unwrap(), *store.register_at(3).await.unwrap());
}

async fn the_journal_holds_together(record: impl Record) {
    let store = record.instance().await;
    assert_eq!(store.journal_head().await.unwrap(), "0".repeat(64));
    for seq in 0..4 {
        for case in [CASE, CaseId(8)] {
            let mut commit = step(case, seq, i64::from(seq));
            commit.journal.input = json!({"é\u{2028}": [1, -2, u64::MAX, null, "\0\\u0000"], "a": {}});
            store.commit(&commit).await.unwrap();
        }
    }
    let journal = store.journal(None).await.unwrap();
    assert_eq!(verify_chain(&journal), Ok(store.journal_head().await.unwrap()));
    assert_eq!(journal.iter().map(|row| row.number).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    let own: Vec<JournalRow> = store.journal(Some(CASE)).await.unwrap();
    assert_eq!(own.iter().map(|row| row.entry.seq).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

async fn what_is_asked_is_listed_until_it_is_cancelled(record: impl Record) {
    let store = record.instance().await;
    let mut first = full(CASE);
    first.outbox[1].asks = Asks::Nothing;
    first.outbox[2].not_after = Some(t(80));
    store.commit(&first).await.unwrap();
    let mut reminder = Commit { opens: false, register_version: 2, ..step(CASE, 1, 4) };
    reminder.outbox = vec![notice(CASE, 1, 0)];
    store.commit(&reminder).await.unwrap();
    let voter = Party::Person(PersonId(5));
    let asks = store.open_asks(voter).await.unwrap();
    let newest = [NoticeId { case: CASE, seq: 1, n: 0 }, NoticeId { case: CASE, seq: 0, n: 2 }];
    assert_eq!(asks.iter().map(|ask| ask.notice).collect::<Vec<_>>(), newest);
    assert_eq!((asks[1].not_after, asks[1].title.as_str()), (Some(t(80)), "ça va?"));
    assert_eq!(store.open_asks(Party::Person(PersonId(6))).await.unwrap(), []);
    let mut close = Commit { register_version: 2, ..step(CASE, 2, 5) };
    close.cancelled = vec!["ballot:0".into(), "check".into(), "unheard of".into()];
    close.outbox = vec![notice(CASE, 2, 1)];
    store.commit(&close).await.unwrap();
    let open = store.open_asks(voter).await.unwrap();
    assert_eq!(open.iter().map(|ask| ask.label.as_str()).collect::<Vec<_>>(), ["ballot:1", "ballot:2"]);
    assert_eq!(store.tasks().await.unwrap(), []);
    let lapsed = store.notice(newest[0]).await.unwrap().unwrap();
    assert_eq!(lapsed.status, "lapsed");
}

async fn a_task_asked_again_is_the_same_task(record: impl Record) {
    let store = record.instance().await;
    let first = full(CASE);
    store.commit(&first).await.unwrap();
    let mut again = Commit { register_version: 2, ..step(CASE, 1, 5) };
    let deputies = vec![Party::Person(PersonId(1)), Party::Person(PersonId(4))];
    again.tasks = vec![TaskRow { to: deputies.clone(), ..first.tasks[0].clone() }];
    store.commit(&again).await.unwrap();
    let open = store.tasks().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((&open[0].task.to, open[0].opened_at), (&deputies, t(3)), "it waits since the first time");
    let mut anew = Commit { register_version: 2, ..step(CASE, 2, 6) };
    anew.cancelled = vec!["check".into()];
    anew.tasks.clone_from(&first.tasks);
    store.commit(&anew).await.unwrap();
    let open = store.tasks().await.unwrap();
    assert_eq!((open.len(), open[0].opened_at), (1, t(6)), "done, and asked another time");
}

async fn the_next_event_is_the_earliest(record: impl Record) {
    let store = record.instance().await;
    assert_eq!(store.next_event().await.unwrap(), None);
    open_case(&store, CASE, 60).await;
    open_case(&store, CaseId(8), 50).await;
    assert_eq!(store.next_event().await.unwrap(), Some(t(50)));
    let (id, _) = store.post(&letter("a", CASE, 1), t(1)).await.unwrap();
    claim(&store, 1).await.unwrap();
    store.put_back(id, t(40)).await.unwrap();
    assert_eq!(store.next_event().await.unwrap(), Some(t(40)));
}

async fn small_facts_are_kept(record: impl Record) {
    let (store, other) = (record.instance().await, record.instance().await);
    assert_eq!(store.fact("epoch").await.unwrap(), None);
    store.set_fact("epoch", "1").await.unwrap();
    store.set_fact("epoch", "2").await.unwrap();
    assert_eq!(other.fact("epoch").await.unwrap().as_deref(), Some("2"));
    store.put_policy("d1", "{}").await.unwrap();
    store.put_policy("d1", "{}").await.unwrap();
    assert_eq!(other.policy("d1").await.unwrap().as_deref(), Some("{}"));
    assert_eq!(other.policy("d2").await.unwrap(), None);
    assert_eq!(store.new_case().await.unwrap(), CaseId(1));
    assert_eq!(other.new_case().await.unwrap(), CaseId(2));
}
