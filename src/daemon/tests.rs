//! What outlives a restore and what does not: the witness, tokens of an earlier epoch, keys of spent days.

use super::*;
use crate::kernel::ids::{NoticeId, PersonId};
use crate::kernel::people::{Person, Role, RoleHeld};
use crate::kernel::register::Change;
use crate::letters::Trust;
use crate::ports::keys::KeyName;
use crate::ports::mailbox::{Cursor, Place};
use crate::ports::store::memory::MemoryStore;
use crate::ports::store::{NewMail, Release, Sorted};
use crate::render::Letterhead;
use crate::workflows::office::News;
use std::collections::BTreeMap;

fn day(days: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000 + days)
}

/// A daemon on a store, with keys of an epoch.
pub(super) fn daemon(store: MemoryStore, keys: &Arc<Keys>, epoch: u16) -> Daemon<MemoryStore> {
    let letterhead = Letterhead {
        clerk: "clerk@a.example".to_owned(),
        name: "Clerk".to_owned(),
        domain: "a.example".to_owned(),
        help: None,
        footer: BTreeMap::new(),
    };
    Daemon {
        store,
        keys: keys.clone(),
        minter: keys.minter(epoch),
        renderer: Arc::new(Renderer::new(letterhead, keys.minter(epoch), &BTreeMap::new()).unwrap()),
        signer: None,
        policies: Policies::default(),
        settings: Settings {
            clerk: "clerk@a.example".to_owned(),
            authserv_id: None,
            border_host: None,
            forwarders: Vec::new(),
            mailboxes: Vec::new(),
            settle: Duration::minutes(2),
            intake_days: 90,
            public: None,
        },
        resolver: None,
    }
}

fn staff() -> Change {
    let role = RoleHeld {
        role: Role::Staff,
        region: None,
        organisation: None,
        from: DateTime::UNIX_EPOCH,
        until: None,
    };
    Change::Person(Person {
        id: PersonId(1),
        name: "Ana".to_owned(),
        language: crate::kernel::language::Language::Es,
        zone: chrono_tz::UTC,
        addresses: vec!["ana@a.example".to_owned()],
        roles: vec![role],
    })
}

#[tokio::test]
async fn a_database_that_is_not_the_one_last_at_work_is_noticed() {
    let keys = Arc::new(Keys::in_memory(1));
    let ours = daemon(MemoryStore::new(), &keys, 1);
    assert_eq!(ours.restored().await.unwrap(), None, "nothing was done here yet");
    ours.prepare(day(0)).await.unwrap();
    ours.witness().await.unwrap();
    assert_eq!(ours.restored().await.unwrap(), None);
    let empty = daemon(MemoryStore::new(), &keys, 1);
    let why = empty.restored().await.unwrap().expect("its journal is shorter");
    assert!(why.contains("fewer"), "{why}");
    empty.prepare(day(1)).await.unwrap();
    let why = empty.restored().await.unwrap().expect("its journal is another");
    assert!(why.contains("not the one"), "{why}");
    keys.forget_witness().unwrap();
    assert_eq!(empty.restored().await.unwrap(), None);
}

#[tokio::test]
async fn a_turn_leaves_a_witness() {
    let keys = Arc::new(Keys::in_memory(1));
    let daemon = daemon(MemoryStore::new(), &keys, 1);
    daemon.prepare(day(0)).await.unwrap();
    upkeep::Upkeep::default().keep(&daemon, day(0)).await.unwrap();
    let head = daemon.store.journal_head().await.unwrap();
    assert_eq!(keys.witness().unwrap().map(|seen| (seen.number, seen.hash)), Some((1, head)));
}

/// What a mail sent to a token of that epoch is taken for by a daemon of a later one.
async fn known(daemon: &Daemon<MemoryStore>, epoch: u16, notice: NoticeId) -> bool {
    let token = daemon.keys.minter(epoch).mint(notice).unwrap();
    let raw = format!("From: ana@a.example\r\nTo: clerk+{token}@a.example\r\nSubject: x\r\n\r\nYES\r\n");
    let trust = Trust::default();
    let letter = crate::letters::read(raw.as_bytes(), &trust);
    match daemon.token(&letter, false).await.unwrap() {
        crate::desk::Token::Known(asking) => {
            assert_eq!(asking.notice, notice);
            true
        }
        crate::desk::Token::Unknown => false,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_of_before_a_restore_names_only_what_was_known_then() {
    let keys = Arc::new(Keys::in_memory(1));
    let daemon = daemon(MemoryStore::new(), &keys, 3);
    assert!(daemon.store.change_register(0, &[staff()], "test", day(0)).await.unwrap());
    daemon.prepare(day(0)).await.unwrap();
    let news = |what: &str| News::Quarantined { what: what.to_owned(), why: "odd".to_owned() };
    for at in [0, 10] {
        daemon.tell_office(&format!("n{at}"), news("m1"), day(at)).await.unwrap();
        daemon.think(day(at)).await.unwrap();
    }
    let mut notices = daemon.store.notices(None).await.unwrap();
    let after = notices.pop().expect("a notice of day 10").row.id;
    let before = notices.remove(0).row.id;
    assert!(known(&daemon, 3, before).await && known(&daemon, 3, after).await, "its own epoch");
    assert!(!known(&daemon, 2, before).await, "nobody knows when epoch 3 began");
    daemon.store.set_fact(&epoch_since(3), &day(5).to_rfc3339()).await.unwrap();
    assert!(known(&daemon, 2, before).await, "it was written before epoch 3");
    assert!(!known(&daemon, 2, after).await, "its number was given out again");
    daemon.store.set_fact(&epoch_since(2), &day(0).to_rfc3339()).await.unwrap();
    assert!(!known(&daemon, 1, before).await, "it was written in epoch 2");
    assert!(!known(&daemon, u16::MAX, before).await);
}

/// A mail that came on a day.
fn mail(n: u8, days: i64, keys: &Keys) -> NewMail {
    let key = KeyName::Intake(day(days).date_naive());
    NewMail {
        place: Place { folder: "INBOX".to_owned(), uid_validity: 1, uid: u32::from(n) },
        dedup: [n; 32],
        arrived: day(days),
        size: 10,
        junk: false,
        header_only: false,
        confidential: None,
        case_hint: None,
        upload: None,
        raw: keys.seal(&key, b"Subject: x\r\n\r\nx", b"mail").unwrap(),
    }
}

#[tokio::test]
async fn the_keys_of_days_that_are_dealt_with_are_destroyed_in_their_time() {
    let keys = Arc::new(Keys::in_memory(1));
    let daemon = daemon(MemoryStore::new(), &keys, 1);
    let mails = [mail(1, 0, &keys), mail(2, 1, &keys), mail(3, 2, &keys)];
    let opens = |n: usize| keys.try_open(&mails[n].raw, b"mail").unwrap().is_some();
    let cursor = Cursor { uid_validity: 1, next_uid: 4 };
    daemon.store.receive("main", "INBOX", &cursor, &mails, day(2)).await.unwrap();
    for sorted in [Sorted::Silent("auto-reply".into()), Sorted::Quarantined("odd".into())] {
        let mail = daemon.store.claim_mail(day(3)).await.unwrap().expect("a mail");
        daemon.store.sort(mail.id, &sorted, day(3)).await.unwrap();
    }
    assert_eq!(daemon.retain(day(90)).await.unwrap(), 0, "90 days are not over");
    assert_eq!(daemon.retain(day(91)).await.unwrap(), 1);
    assert!(!opens(0) && opens(1));
    assert_eq!(daemon.retain(day(900)).await.unwrap(), 0, "a mail of day 1 waits for a person");
    let waits = daemon.store.quarantined().await.unwrap().remove(0);
    daemon.store.unquarantine(&waits, Release::Discard("spam"), day(900)).await.unwrap();
    assert_eq!(daemon.retain(day(900)).await.unwrap(), 1);
    assert!(!opens(1) && opens(2), "a mail of day 2 is not sorted");
}
