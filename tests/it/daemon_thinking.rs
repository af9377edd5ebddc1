//! Thinking: one bad thing never holds up the rest, and what a person must look at is said.

use crate::daemon_rig::{Inbox, MAILBOX, Rig, t};
use atlarged::advance::{self, Before, Commit, LetterBody};
use atlarged::daemon::OFFICE;
use atlarged::kernel::ids::CaseId;
use atlarged::kernel::workflow::{Input, Record};
use atlarged::ports::store::{Release, Store};
use atlarged::workflows::Surroundings;
use serde_json::json;
use std::fs;

/// A step that opens a ballot, to be made odd.
async fn opens(rig: &Rig) -> Commit {
    let register = rig.store().register().await.unwrap();
    let mut case = rig.store().new_case().await.unwrap();
    if case == OFFICE {
        case = rig.store().new_case().await.unwrap();
    }
    let at = Surroundings { case, now: t(1), policies: &rig.daemon.policies, register: &register };
    let mut commit = advance::advance(Before::Opening(rig.opening()), None, &at, "test").unwrap();
    commit.outbox.clear();
    commit
}

/// A case that a newer build wrote, its clock long due.
async fn newer(rig: &Rig) -> CaseId {
    let mut commit = opens(rig).await;
    commit.case.state = json!({ "Undreamt": 1 });
    commit.case.wake_at = Some(t(2));
    rig.store().commit(&commit).await.unwrap();
    rig.store().fetched(MAILBOX, t(60)).await.unwrap();
    commit.case.id
}

async fn told(rig: &Rig) -> usize {
    rig.notices("office/quarantined").await.len()
}

#[tokio::test]
async fn the_clock_of_a_newer_build_waits_for_a_person_and_staff_hear_of_each_stay() {
    let rig = Rig::new().await;
    let case = newer(&rig).await;
    rig.daemon.think(t(60)).await.unwrap();
    let item = rig.store().quarantined().await.unwrap().remove(0);
    assert_eq!((item.name(), item.why.contains("newer build")), (case.to_string(), true), "{item:?}");
    assert_eq!(told(&rig).await, 1);
    rig.daemon.think(t(61)).await.unwrap();
    assert_eq!(told(&rig).await, 1, "once for each stay");
    rig.store().unquarantine(&item, Release::Retry, t(62)).await.unwrap();
    rig.daemon.think(t(63)).await.unwrap();
    assert_eq!(told(&rig).await, 2, "it stays again");
}

#[tokio::test]
async fn a_letter_to_a_case_of_a_newer_build_is_told() {
    let rig = Rig::new().await;
    let case = newer(&rig).await;
    let progress = Input::Progress { label: "x".to_owned(), sent: 1, failed: 0 };
    rig.post("progress", LetterBody::ToCase(case, progress)).await;
    rig.daemon.think(t(60)).await.unwrap();
    assert_eq!(told(&rig).await, 1, "the letter; it holds up the clock");
}

#[tokio::test]
async fn a_mail_that_cannot_be_opened_now_blocks_no_other() {
    let mut rig = Rig::new().await;
    rig.ballot().await;
    let to = format!("To: {}", rig.reply_address(rig.asked(1).await.id));
    rig.arrives(10, 1, &to, "YES");
    let inbox = &mut rig.inbox;
    rig.daemon.fetch(MAILBOX, inbox, t(10)).await.unwrap();
    // The next day's mail is sealed under another key; that of the first day cannot be read for a while.
    let key = rig.dir.path().join("keys/intake-2026-12-01");
    fs::rename(&key, key.with_extension("away")).unwrap();
    fs::create_dir(&key).unwrap();
    rig.arrives(1500, 2, &to, "NO");
    rig.turn(1500).await;
    assert_eq!(rig.notices("ballot/receipt").await.len(), 1, "the second mail is answered");
    assert_eq!(rig.store().books().await.unwrap().waiting, 1);
    fs::remove_dir(&key).unwrap();
    fs::rename(key.with_extension("away"), &key).unwrap();
    rig.turn(1502).await;
    assert_eq!(rig.store().books().await.unwrap().waiting, 0, "it is tried again");
}

#[tokio::test]
async fn a_go_ends_so_that_the_watchdog_sees_it() {
    let rig = Rig::new().await;
    let case = rig.ballot().await;
    for n in 0..250 {
        let progress = Input::Progress { label: "x".to_owned(), sent: n, failed: 0 };
        rig.post(&format!("progress:{n}"), LetterBody::ToCase(case, progress)).await;
    }
    let first = rig.daemon.think_some(t(3), || {}).await.unwrap();
    assert_eq!((first.steps, first.more), (200, true));
    let second = rig.daemon.think_some(t(3), || {}).await.unwrap();
    assert_eq!((second.steps, second.more), (50, false));
}

#[tokio::test]
async fn a_key_is_destroyed_though_nothing_can_be_published() {
    let mut rig = Rig::new().await;
    let mut commit = opens(&rig).await;
    commit.shred = true;
    commit.records.push(Record { path: "a.json".to_owned(), body: json!({}) });
    rig.store().commit(&commit).await.unwrap();
    fs::write(rig.dir.path().join("public"), "no directory").unwrap();
    let mut mailboxes: [(String, Inbox); 0] = [];
    assert!(rig.daemon.turn(&mut mailboxes, &mut rig.out, t(2)).await.is_err());
    assert_eq!(rig.store().shreds().await.unwrap(), []);
}
