//! What is told in confidence is kept sealed, and forgotten whole.

use super::record::*;
use atlarged::advance::{LetterBody, NewLetter, OutboxRow};
use atlarged::kernel::confidential::Confidences;
use atlarged::kernel::ids::{AnonymousId, CaseId, MailId, Party, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::register::Change;
use atlarged::kernel::workflow::Input;
use atlarged::ports::mailbox::Place;
use atlarged::ports::store::{
    Confided, Confidential, Kept, Mail, NewMail, Posted, Release, Sealed, Sorted, Store,
};
use serde_json::json;

super::promises! {
    a_mail_in_confidence_is_forgotten_when_it_is_sorted
    one_that_waits_for_a_person_is_kept_sealed_until_its_case_is_shredded
    what_a_person_discards_leaves_nothing
    a_mail_is_to_be_expunged_until_that_is_confirmed
    a_mail_found_again_elsewhere_is_to_be_expunged_there_too
    whom_a_receipt_goes_to_is_forgotten_once_it_has_left
    a_receipt_that_is_refused_for_good_tells_nobody
    what_a_refused_step_was_told_is_thrown_away
    shredding_leaves_handles_of_nothing
    the_register_of_a_moment_is_found
    confidences_are_kept_beside_the_state
}

const ANN: Party = Party::Anonymous(AnonymousId(u64::MAX));

fn sealed(key: &str) -> Sealed {
    Sealed { key: key.to_owned(), bytes: vec![1, 2, 3] }
}

fn kept(handle: &str, key: &str) -> Kept {
    Kept { handle: handle.to_owned(), sealed: sealed(key) }
}

fn told() -> Vec<Kept> {
    vec![kept("sealed:01", "case-7"), kept(&ANN.to_string(), "once-2026-03-01-aa")]
}

fn confided(raw: Option<Sealed>) -> Confided {
    Confided { case: CASE, kept: told(), raw }
}

fn for_case(mail: MailId) -> Sorted {
    let body = LetterBody::ToCase(CASE, Input::Wake);
    let key = format!("mail:{}:0", mail.0);
    Sorted::Letters(vec![NewLetter { key, body, arrived: t(0), mail: Some(mail), message_id: None }])
}

/// A mail in confidence, in hand.
async fn in_hand(store: &impl Store) -> Mail {
    let mail = NewMail { confidential: Some(CASE), raw: sealed("once-2026-03-01-01"), ..mail(1, 5) };
    store.receive("main", "INBOX", &cursor(1, 2), &[mail], t(6)).await.unwrap();
    let mail = store.claim_mail(t(6)).await.unwrap().unwrap();
    assert_eq!(mail.confidential, Some(CASE));
    mail
}

/// A case that holds something in confidence.
async fn case(store: &impl Store) {
    let mut commit = step(CASE, 0, 1);
    commit.case.confidences = held(json!({"region": "africa", "told": true}));
    store.commit(&commit).await.unwrap();
}

fn held(value: serde_json::Value) -> Confidences {
    serde_json::from_value(value).unwrap()
}

async fn a_mail_in_confidence_is_forgotten_when_it_is_sorted(record: impl Record) {
    let store = record.instance().await;
    case(&store).await;
    let mail = in_hand(&store).await;
    store.keep_checked(mail.id, &sealed("once-2026-03-01-01")).await.unwrap();
    assert_eq!(store.keys_needed().await.unwrap().len(), 1);
    store.sort_confided(mail.id, &for_case(mail.id), &confided(None), t(7)).await.unwrap();
    assert_eq!(store.spent().await.unwrap(), ["once-2026-03-01-01"]);
    assert_eq!(store.sealed("sealed:01").await.unwrap(), Some(sealed("case-7")));
    assert_eq!(store.sealed("sealed:02").await.unwrap(), None);
    assert_eq!(store.books().await.unwrap().waiting, 1);
    let letter = store.claim_letter(t(7)).await.unwrap().unwrap();
    assert_eq!((letter.letter.mail, letter.letter.message_id), (Some(mail.id), None));
    // Sorted a second time, as after a lost answer, nothing comes of it.
    store.sort_confided(mail.id, &Sorted::Silent("again".into()), &confided(None), t(8)).await.unwrap();
    store.destroyed("once-2026-03-01-01").await.unwrap();
    assert!(store.spent().await.unwrap().is_empty());
    assert_eq!(store.keys_needed().await.unwrap(), ["once-2026-03-01-aa".to_owned()].into());
}

async fn one_that_waits_for_a_person_is_kept_sealed_until_its_case_is_shredded(record: impl Record) {
    let store = record.instance().await;
    case(&store).await;
    let mail = in_hand(&store).await;
    let why = Sorted::Quarantined("two matters".into());
    store.sort_confided(mail.id, &why, &confided(Some(sealed("case-7"))), t(7)).await.unwrap();
    let waits = store.quarantined_mail(mail.id).await.unwrap().unwrap();
    assert_eq!((waits.raw, waits.confidential, waits.arrived), (sealed("case-7"), Some(CASE), t(5)));
    // No clock of its case goes past it.
    store.commit(&waking(step(CASE, 1, 8), 9)).await.unwrap();
    store.fetched("main", t(60)).await.unwrap();
    let due = || store.claim_due(t(60), chrono::Duration::zero(), &[]);
    assert!(due().await.unwrap().is_none());
    let mut shredding = step(CASE, 2, 9);
    shredding.shred = true;
    store.commit(&shredding).await.unwrap();
    assert!(store.quarantined_mail(mail.id).await.unwrap().is_none());
    let books = store.books().await.unwrap();
    assert_eq!((books.silent, books.balance()), (1, true));
}

async fn what_a_person_discards_leaves_nothing(record: impl Record) {
    let store = record.instance().await;
    case(&store).await;
    let mail = in_hand(&store).await;
    let why = Sorted::Quarantined("two matters".into());
    let raw = sealed("once-2026-03-01-02");
    store.sort_confided(mail.id, &why, &confided(Some(raw)), t(7)).await.unwrap();
    let item = store.quarantined().await.unwrap().remove(0);
    store.unquarantine(&item, Release::Discard("spam"), t(8)).await.unwrap();
    let spent = store.spent().await.unwrap();
    assert_eq!(spent, ["once-2026-03-01-01", "once-2026-03-01-02"]);
    assert_eq!(store.keys_needed().await.unwrap().len(), 3, "these and whom an answer would go to");
    assert_eq!(store.books().await.unwrap().silent, 1);
}

async fn a_mail_is_to_be_expunged_until_that_is_confirmed(record: impl Record) {
    let store = record.instance().await;
    case(&store).await;
    let mail = in_hand(&store).await;
    let places: Vec<Place> = store.expunges("main").await.unwrap();
    assert_eq!(places, [place(1, 1)]);
    assert!(store.expunges("other").await.unwrap().is_empty());
    store.sort_confided(mail.id, &for_case(mail.id), &confided(None), t(7)).await.unwrap();
    assert_eq!(store.expunges("main").await.unwrap(), places);
    store.expunged("main", &places).await.unwrap();
    assert!(store.expunges("main").await.unwrap().is_empty());
}

async fn a_mail_found_again_elsewhere_is_to_be_expunged_there_too(record: impl Record) {
    let store = record.instance().await;
    case(&store).await;
    let mail = in_hand(&store).await;
    store.sort_confided(mail.id, &for_case(mail.id), &confided(None), t(7)).await.unwrap();
    store.expunged("main", &[place(1, 1)]).await.unwrap();
    let again = NewMail { place: place(2, 9), confidential: Some(CASE), ..super::record::mail(1, 5) };
    let stored = store.receive("main", "INBOX", &cursor(2, 10), &[again], t(9)).await.unwrap();
    assert_eq!(stored, [(mail.id, false)]);
    assert_eq!(store.expunges("main").await.unwrap(), [place(2, 9)]);
}

/// A case that answers somebody it does not know.
async fn answering_somebody(store: &impl Store) -> OutboxRow {
    case(store).await;
    let mail = in_hand(store).await;
    store.sort_confided(mail.id, &for_case(mail.id), &confided(None), t(7)).await.unwrap();
    let letter = store.claim_letter(t(7)).await.unwrap().unwrap();
    let receipt = OutboxRow { to: ANN, ..notice(CASE, 1, 0) };
    let mut commit = answering(step(CASE, 1, 8), letter.id);
    commit.outbox = vec![receipt.clone()];
    store.commit(&commit).await.unwrap();
    receipt
}

async fn whom_a_receipt_goes_to_is_forgotten_once_it_has_left(record: impl Record) {
    let store = record.instance().await;
    let receipt = answering_somebody(&store).await;
    let handle = ANN.to_string();
    let out = store.claim_outgoing(t(8)).await.unwrap().unwrap();
    assert_eq!(out.row.to, ANN);
    let later = Posted::Later { at: t(9), why: "busy".into() };
    store.posted(receipt.id, &later, t(8)).await.unwrap();
    assert!(store.sealed(&handle).await.unwrap().is_some());
    store.claim_outgoing(t(9)).await.unwrap().unwrap();
    store.posted(receipt.id, &Posted::Accepted, t(9)).await.unwrap();
    assert!(store.sealed(&handle).await.unwrap().is_none());
    assert!(store.spent().await.unwrap().contains(&"once-2026-03-01-aa".to_owned()));
    assert_eq!(store.notice(receipt.id).await.unwrap().unwrap().row.to, ANN);
}

async fn a_receipt_that_is_refused_for_good_tells_nobody(record: impl Record) {
    let store = record.instance().await;
    let receipt = answering_somebody(&store).await;
    store.claim_outgoing(t(8)).await.unwrap().unwrap();
    let never = Posted::Never { status: None, why: "no".into() };
    store.posted(receipt.id, &never, t(8)).await.unwrap();
    assert!(store.sealed(&ANN.to_string()).await.unwrap().is_none());
    assert!(store.claim_letter(t(9)).await.unwrap().is_none(), "no news of it for the case");
}

async fn what_a_refused_step_was_told_is_thrown_away(record: impl Record) {
    let store = record.instance().await;
    case(&store).await;
    let mail = in_hand(&store).await;
    store.sort_confided(mail.id, &for_case(mail.id), &confided(None), t(7)).await.unwrap();
    let letter = store.claim_letter(t(7)).await.unwrap().unwrap();
    let mut commit = answering(step(CASE, 1, 8), letter.id);
    commit.forget = vec!["sealed:01".to_owned()];
    store.commit(&commit).await.unwrap();
    assert!(store.sealed("sealed:01").await.unwrap().is_none());
    assert!(store.sealed(&ANN.to_string()).await.unwrap().is_some(), "she is still to be answered");
}

async fn shredding_leaves_handles_of_nothing(record: impl Record) {
    let store = record.instance().await;
    let receipt = answering_somebody(&store).await;
    let mut shredding = step(CASE, 2, 9);
    shredding.shred = true;
    store.commit(&shredding).await.unwrap();
    assert!(store.sealed("sealed:01").await.unwrap().is_none());
    // Whoever has not got her answer yet gets it.
    assert!(store.sealed(&ANN.to_string()).await.unwrap().is_some());
    store.claim_outgoing(t(10)).await.unwrap().unwrap();
    store.posted(receipt.id, &Posted::Accepted, t(10)).await.unwrap();
    assert!(store.sealed(&ANN.to_string()).await.unwrap().is_none());
    assert_eq!(store.shreds().await.unwrap(), [CASE]);
}

async fn the_register_of_a_moment_is_found(record: impl Record) {
    let store = record.instance().await;
    for (version, minutes) in [(0, 10), (1, 20)] {
        assert!(
            store
                .change_register(version, &[Change::Language(PersonId(1), Language::Fr)], "test", t(minutes))
                .await
                .unwrap()
        );
    }
    for (minutes, version) in [(9, 0), (10, 1), (19, 1), (20, 2), (99, 2)] {
        assert_eq!(store.register_version_at(t(minutes)).await.unwrap(), version, "after {minutes}");
    }
}

async fn confidences_are_kept_beside_the_state(record: impl Record) {
    let store = record.instance().await;
    store.commit(&step(CaseId(8), 0, 1)).await.unwrap();
    assert!(store.confidential_cases().await.unwrap().is_empty());
    case(&store).await;
    let comment = "sealed:000102030405060708090a0b0c0d0e0f";
    let full = held(json!({"region": "africa", "comments": {comment: null}, "count": 3, "told": true}));
    let mut commit = step(CASE, 1, 2);
    commit.case.confidences = full.clone();
    store.commit(&commit).await.unwrap();
    assert_eq!(store.case(CASE).await.unwrap().unwrap().confidences, full);
    assert_eq!(store.confidential_cases().await.unwrap(), [CASE].into());
}
