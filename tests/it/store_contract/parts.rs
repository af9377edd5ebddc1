//! Parts of large mails: nobody sees them until their mail is there, and none outlives it.

use super::record::*;
use atlarged::kernel::ids::MailId;
use atlarged::ports::mailbox::Place;
use atlarged::ports::store::{Confided, Confidential, NewMail, Paper, Parts, Sealed, Sorted, Store, Upload};
use chrono::NaiveDate;

super::promises! {
    parts_are_there_once_and_in_their_order
    parts_of_a_mail_that_never_came_are_thrown_away_in_time
    a_mail_met_again_brings_no_parts_twice
    parts_go_with_the_key_of_their_day
    nothing_stays_of_the_parts_of_a_mail_in_confidence
    a_document_is_kept_once_and_needs_its_key
    a_document_that_is_thrown_away_goes_with_its_parts_and_its_key
    a_document_that_is_destroyed_takes_its_mail_along
}

const UPLOAD: Upload = Upload([7; 16]);
const OTHER: Upload = Upload([8; 16]);

async fn keep(store: &impl Store, upload: Upload) {
    for n in [1_u32, 0, 1] {
        store.keep_part(upload, n, &[n as u8, 0, 255], t(1)).await.unwrap();
    }
}

async fn there(store: &impl Store, upload: Upload) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    while let Some(part) = store.part(upload, parts.len() as u32).await.unwrap() {
        parts.push(part);
    }
    parts
}

fn large(n: u8, upload: Upload) -> NewMail {
    NewMail { upload: Some(upload), ..mail(n, 5) }
}

async fn parts_are_there_once_and_in_their_order(record: impl Record) {
    let store = record.instance().await;
    keep(&store, UPLOAD).await;
    assert_eq!(store.books().await.unwrap().received, 0, "no mail is there");
    assert!(store.claim_mail(t(9)).await.unwrap().is_none());
    receive(&store, &[large(1, UPLOAD)]).await;
    let mail = store.claim_mail(t(9)).await.unwrap().unwrap();
    assert_eq!(mail.upload, Some(UPLOAD));
    assert_eq!(there(&store, UPLOAD).await, [[0, 0, 255], [1, 0, 255]]);
    store.forget_parts(UPLOAD).await.unwrap();
    assert_eq!(there(&store, UPLOAD).await.len(), 2, "a mail names them");
}

async fn parts_of_a_mail_that_never_came_are_thrown_away_in_time(record: impl Record) {
    let store = record.instance().await;
    keep(&store, UPLOAD).await;
    keep(&store, OTHER).await;
    receive(&store, &[large(1, OTHER)]).await;
    assert_eq!(store.tidy_parts(t(1), NaiveDate::MIN).await.unwrap(), 0, "they may still be coming");
    assert_eq!(store.tidy_parts(t(2), NaiveDate::MIN).await.unwrap(), 1);
    assert_eq!((there(&store, UPLOAD).await.len(), there(&store, OTHER).await.len()), (0, 2));
    keep(&store, UPLOAD).await;
    store.forget_parts(UPLOAD).await.unwrap();
    assert_eq!(there(&store, UPLOAD).await.len(), 0);
}

async fn a_mail_met_again_brings_no_parts_twice(record: impl Record) {
    let store = record.instance().await;
    keep(&store, UPLOAD).await;
    assert_eq!(receive(&store, &[large(1, UPLOAD)]).await, [(1, true)]);
    for place in [place(1, 1), place(9, 1)] {
        keep(&store, OTHER).await;
        let again = NewMail { place, ..large(1, OTHER) };
        assert_eq!(receive(&store, &[again]).await, [(1, false)]);
        assert_eq!((there(&store, UPLOAD).await.len(), there(&store, OTHER).await.len()), (2, 0));
    }
}

async fn parts_go_with_the_key_of_their_day(record: impl Record) {
    let store = record.instance().await;
    keep(&store, UPLOAD).await;
    receive(&store, &[large(1, UPLOAD)]).await;
    let day = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
    store.tidy_parts(t(100), day).await.unwrap();
    assert_eq!(there(&store, UPLOAD).await.len(), 2);
    assert_eq!(store.tidy_parts(t(100), day.succ_opt().unwrap()).await.unwrap(), 1);
    assert_eq!(store.claim_mail(t(100)).await.unwrap().unwrap().upload, None);
}

async fn nothing_stays_of_the_parts_of_a_mail_in_confidence(record: impl Record) {
    let store = record.instance().await;
    let sealed = |key: &str| Sealed { key: key.to_owned(), bytes: vec![1] };
    for (n, raw, left) in [(1, None, 0), (2, Some(sealed("case-7")), 2)] {
        let upload = Upload([n; 16]);
        keep(&store, upload).await;
        let raw_key = sealed("once-2026-03-01-01");
        receive(&store, &[NewMail { confidential: Some(CASE), raw: raw_key, ..large(n, upload) }]).await;
        let mail = store.claim_mail(t(9)).await.unwrap().unwrap();
        assert_eq!(mail.id, MailId(i64::from(n)));
        let sorted = match raw {
            Some(_) => Sorted::Quarantined("odd".to_owned()),
            None => Sorted::Silent("odd".to_owned()),
        };
        let confided = Confided { case: CASE, kept: vec![], raw };
        store.sort_confided(mail.id, &sorted, &confided, t(9)).await.unwrap();
        assert_eq!(there(&store, upload).await.len(), left, "mail {n}");
    }
}

/// A document of mail 1, whose parts are there.
async fn paper(store: &impl Store, handle: &str, upload: Upload) -> Paper {
    keep(store, upload).await;
    let sealed = Sealed { key: format!("once-2026-03-01-{handle}"), bytes: vec![1, 0, 255] };
    Paper { handle: format!("paper:{handle}"), mail: MailId(1), upload, sealed }
}

async fn a_document_is_kept_once_and_needs_its_key(record: impl Record) {
    let store = record.instance().await;
    receive(&store, &[mail(1, 5)]).await;
    let first = paper(&store, "aa", UPLOAD).await;
    store.keep_paper(&first).await.unwrap();
    let again = Paper { upload: OTHER, ..paper(&store, "aa", OTHER).await };
    store.keep_paper(&again).await.unwrap();
    assert_eq!(store.paper("paper:aa").await.unwrap(), Some(first.clone()));
    assert_eq!(store.paper("paper:bb").await.unwrap(), None);
    assert_eq!((there(&store, UPLOAD).await.len(), there(&store, OTHER).await.len()), (2, 0));
    assert_eq!(store.tidy_parts(t(100_000), NaiveDate::MIN).await.unwrap(), 0);
    assert_eq!(store.keys_needed().await.unwrap(), [first.sealed.key].into());
}

async fn a_document_that_is_thrown_away_goes_with_its_parts_and_its_key(record: impl Record) {
    let store = record.instance().await;
    receive(&store, &[mail(1, 5)]).await;
    for (handle, upload) in [("aa", UPLOAD), ("bb", OTHER)] {
        store.keep_paper(&paper(&store, handle, upload).await).await.unwrap();
    }
    let mut commit = step(CASE, 0, 1);
    commit.forget = vec!["paper:aa".to_owned(), "paper:cc".to_owned()];
    store.commit(&commit).await.unwrap();
    assert_eq!(store.paper("paper:aa").await.unwrap(), None);
    assert!(store.paper("paper:bb").await.unwrap().is_some());
    assert_eq!((there(&store, UPLOAD).await.len(), there(&store, OTHER).await.len()), (0, 2));
    assert_eq!(store.spent().await.unwrap(), ["once-2026-03-01-aa"]);
    assert!(store.expunges("clerk").await.unwrap().is_empty(), "its mail stays");
}

async fn a_document_that_is_destroyed_takes_its_mail_along(record: impl Record) {
    let store = record.instance().await;
    let whole = Upload([9; 16]);
    keep(&store, whole).await;
    receive(&store, &[large(1, whole)]).await;
    let handled = Place { folder: "Handled".to_owned(), uid_validity: 5, uid: 77 };
    store.moved("clerk", &[(place(1, 1), handled.clone()), (place(1, 2), place(1, 3))]).await.unwrap();
    store.keep_paper(&paper(&store, "aa", UPLOAD).await).await.unwrap();
    let in_hand = store.claim_mail(t(9)).await.unwrap().unwrap();
    store.sort(in_hand.id, &Sorted::Silent("odd".to_owned()), t(9)).await.unwrap();
    let mut commit = step(CASE, 0, 1);
    commit.destroy = vec!["paper:aa".to_owned()];
    store.commit(&commit).await.unwrap();
    assert_eq!((there(&store, UPLOAD).await.len(), there(&store, whole).await.len()), (0, 0));
    assert_eq!(store.expunges("clerk").await.unwrap(), [handled], "wherever it lies now");
    assert_eq!(store.spent().await.unwrap(), ["once-2026-03-01-aa"]);
    assert_eq!(store.oldest_intake_key().await.unwrap(), None);
    assert!(store.books().await.unwrap().balance());
}
