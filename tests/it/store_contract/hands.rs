//! Who works on what: order, one hand at a time, and what becomes of it when an instance dies.

use super::record::*;
use atlarged::advance::Commit;
use atlarged::kernel::ids::{CaseId, LetterId, MailId};
use atlarged::ports::store::{CommitError, Posted, Release, Sorted, Store};
use std::collections::BTreeSet;

super::promises! {
    letters_are_taken_in_the_order_of_arrival
    a_case_is_in_one_hand_at_a_time
    many_hands_take_every_letter_once
    a_letter_for_no_case_is_handed_out_without_one
    a_crash_loses_nothing
    a_letter_that_was_taken_over_cannot_be_committed
    a_mail_that_kills_three_times_is_quarantined
    a_letter_that_kills_three_times_is_quarantined
    a_clock_that_kills_three_times_is_stuck
    a_clock_that_was_put_back_rests_and_others_go_on
    a_clock_set_aside_waits_for_a_person
    a_notice_that_kills_three_times_is_stuck
    faults_are_never_blamed
    what_died_in_company_goes_alone_next_time
}

async fn letters_are_taken_in_the_order_of_arrival(record: impl Record) {
    let store = record.instance().await;
    for case in [1, 2] {
        open_case(&store, CaseId(case), 1000).await;
    }
    for (key, case, minutes) in [("a", 1, 30), ("b", 1, 10), ("c", 2, 20), ("d", 1, 10)] {
        store.post(&letter(key, CaseId(case), minutes), t(40)).await.unwrap();
    }
    store.post(&opening("e", 5), t(40)).await.unwrap();
    let mut keys = Vec::new();
    let mut seqs = [0, 0, 0];
    while let Some(claimed) = store.claim_letter(t(40)).await.unwrap() {
        keys.push(claimed.letter.key.clone());
        let commit = match claimed.case {
            Some(case) => {
                let case = case.id;
                seqs[case.0 as usize] += 1;
                step(case, seqs[case.0 as usize], 40)
            }
            None => step(CaseId(3), 0, 40),
        };
        store.commit(&answering(commit, claimed.id)).await.unwrap();
    }
    assert_eq!(keys, ["e", "b", "d", "c", "a"]);
    assert_eq!(store.cases().await.unwrap().iter().map(|case| case.seq).collect::<Vec<_>>(), [3, 1, 0]);
}

async fn a_case_is_in_one_hand_at_a_time(record: impl Record) {
    let (one, two) = (record.instance().await, record.instance().await);
    open_case(&one, CASE, 30).await;
    one.post(&letter("a", CASE, 10), t(10)).await.unwrap();
    one.post(&letter("b", CASE, 20), t(20)).await.unwrap();
    let (id, key) = claim(&one, 20).await.unwrap();
    assert_eq!(key, "a");
    assert_eq!(claim(&two, 20).await, None);
    assert_eq!(claim(&one, 20).await, None);
    assert_eq!(due(&two, 90).await, None);
    one.commit(&answering(waking(step(CASE, 1, 20), 15), id)).await.unwrap();
    assert_eq!(due(&two, 90).await, Some(CASE), "the letter of minute 20 came after the clock");
    assert_eq!(claim(&one, 20).await, None);
    two.release_case(CASE).await.unwrap();
    assert_eq!(claim(&one, 20).await.unwrap().1, "b");
}

async fn many_hands_take_every_letter_once(record: impl Record) {
    let stores = [record.instance().await, record.instance().await, record.instance().await];
    let cases = 4;
    for case in 1..=cases {
        open_case(&stores[0], CaseId(case), 100_000).await;
    }
    let letters = 60;
    for n in 0..letters {
        let key = format!("order:{n:02}");
        stores[0].post(&letter(&key, CaseId(1 + n % cases), n / 7), t(0)).await.unwrap();
    }
    let (a, b, c) = tokio::join!(work(&stores[0]), work(&stores[1]), work(&stores[2]));
    let done: Vec<_> = [a, b, c].concat();
    let keys: BTreeSet<_> = done.iter().map(|(key, ..)| key.clone()).collect();
    // Whoever found nothing while the rest was in other hands has gone home; the others finish.
    assert_eq!((done.len(), keys.len()), (letters as usize, letters as usize));
    for case in 1..=cases {
        let mut own: Vec<_> = done.iter().filter(|(_, of, _)| *of == CaseId(case)).collect();
        own.sort_by_key(|(.., seq)| *seq);
        assert!(own.windows(2).all(|pair| pair[0].0 < pair[1].0), "in order: {own:?}");
    }
}

/// Takes letters until there are none, and says which, for which case, at which seq.
async fn work(store: &impl Store) -> Vec<(String, CaseId, u32)> {
    let mut done = Vec::new();
    while let Some(claimed) = store.claim_letter(t(100)).await.unwrap() {
        let case = claimed.case.unwrap();
        let commit = step(case.id, case.seq + 1, 100);
        store.commit(&answering(commit, claimed.id)).await.unwrap();
        done.push((claimed.letter.key, case.id, case.seq));
    }
    done
}

async fn a_letter_for_no_case_is_handed_out_without_one(record: impl Record) {
    let store = record.instance().await;
    store.post(&letter("a", CaseId(404), 1), t(1)).await.unwrap();
    let claimed = store.claim_letter(t(1)).await.unwrap().unwrap();
    assert_eq!(claimed.case, None);
    store.quarantine(claimed.id, "no such case", t(1)).await.unwrap();
    let item = store.quarantined().await.unwrap().remove(0);
    assert_eq!((item.letter, item.why.as_str()), (Some(claimed.id), "no such case"));
}

async fn a_crash_loses_nothing(record: impl Record) {
    let store = record.instance().await;
    open_case(&store, CASE, 30).await;
    let mut first = step(CaseId(8), 0, 0);
    first.outbox = vec![notice(CaseId(8), 0, 0)];
    store.commit(&first).await.unwrap();
    receive(&store, &[mail(1, 40)]).await;
    store.post(&letter("a", CaseId(8), 10), t(10)).await.unwrap();
    let dying = record.instance().await;
    assert_eq!(dying.claim_mail(t(50)).await.unwrap().unwrap().id, MailId(1));
    assert!(claim(&dying, 50).await.is_some());
    assert_eq!(due(&dying, 39).await, Some(CASE));
    assert!(dying.claim_outgoing(t(50)).await.unwrap().is_some());
    assert_eq!(store.claim_mail(t(50)).await.unwrap(), None);
    record.crash(dying).await;
    assert_eq!(store.claim_mail(t(50)).await.unwrap().unwrap().id, MailId(1));
    store.sort(MailId(1), &Sorted::Silent("copy".into()), t(50)).await.unwrap();
    let (id, key) = claim(&store, 50).await.unwrap();
    assert_eq!(key, "a");
    store.commit(&answering(step(CaseId(8), 1, 50), id)).await.unwrap();
    assert_eq!(due(&store, 39).await, Some(CASE));
    store.release_case(CASE).await.unwrap();
    assert!(store.claim_outgoing(t(50)).await.unwrap().is_some());
}

async fn a_letter_that_was_taken_over_cannot_be_committed(record: impl Record) {
    let (slow, quick) = (record.instance().await, record.instance().await);
    open_case(&slow, CASE, 1000).await;
    slow.post(&letter("a", CASE, 1), t(1)).await.unwrap();
    let (id, _) = claim(&slow, 1).await.unwrap();
    slow.put_back(id, t(1)).await.unwrap();
    assert_eq!(claim(&quick, 1).await.unwrap().0, id);
    let commit = answering(step(CASE, 1, 1), id);
    assert!(matches!(slow.commit(&commit).await, Err(CommitError::Conflict(_))));
    slow.put_back(id, t(9)).await.unwrap();
    slow.quarantine(id, "not ours", t(9)).await.unwrap();
    assert_eq!(store_seq(&slow).await, 0);
    quick.commit(&commit).await.unwrap();
    assert_eq!(store_seq(&slow).await, 1);
}

async fn store_seq(store: &impl Store) -> u32 {
    store.case(CASE).await.unwrap().unwrap().seq
}

async fn a_mail_that_kills_three_times_is_quarantined(record: impl Record) {
    let store = record.instance().await;
    receive(&store, &[mail(1, 1)]).await;
    for life in 1..=3 {
        let dying = record.instance().await;
        assert!(dying.claim_mail(t(life)).await.unwrap().is_some());
        record.crash(dying).await;
        assert_eq!(store.claim_mail(t(life)).await.unwrap(), None, "it rests");
    }
    assert_eq!(store.claim_mail(t(9)).await.unwrap(), None);
    let item = store.quarantined().await.unwrap().remove(0);
    assert_eq!((item.mail, item.why.contains("three times")), (Some(MailId(1)), true));
    assert_eq!(store.books().await.unwrap().quarantined, 1);
    store.unquarantine(&item, Release::Retry, t(2)).await.unwrap();
    assert!(store.claim_mail(t(2)).await.unwrap().is_some(), "it has three lives again");
}

async fn a_letter_that_kills_three_times_is_quarantined(record: impl Record) {
    let store = record.instance().await;
    open_case(&store, CASE, 60).await;
    receive(&store, &[mail(1, 1)]).await;
    let id = store.claim_mail(t(1)).await.unwrap().unwrap().id;
    let mut read = letter("mail:1:0", CASE, 1);
    read.mail = Some(id);
    store.sort(id, &Sorted::Letters(vec![read]), t(1)).await.unwrap();
    store.post(&letter("b", CASE, 2), t(2)).await.unwrap();
    for life in 3..6 {
        let dying = record.instance().await;
        assert_eq!(claim(&dying, life).await.unwrap().1, "mail:1:0");
        record.crash(dying).await;
        let next = claim(&store, life).await;
        assert_eq!(next.is_none(), life < 5, "it rests, and its case with it");
        if let Some((id, _)) = next {
            store.put_back(id, t(life)).await.unwrap();
        }
    }
    assert_eq!(claim(&store, 6).await.unwrap().1, "b", "the case goes on");
    assert_eq!(store.books().await.unwrap().quarantined, 1);
    let item = store.quarantined().await.unwrap().remove(0);
    assert_eq!((item.mail, item.letter, item.case), (Some(id), Some(LetterId(1)), Some(CASE)));
}

async fn a_clock_that_kills_three_times_is_stuck(record: impl Record) {
    let store = record.instance().await;
    open_case(&store, CASE, 60).await;
    for life in 0..3 {
        let dying = record.instance().await;
        assert_eq!(due(&dying, 90 + life).await, Some(CASE));
        record.crash(dying).await;
        assert_eq!(due(&store, 90 + life).await, None, "it rests");
    }
    assert_eq!(due(&store, 95).await, None);
    assert_eq!(store.next_event().await.unwrap(), None);
    let item = store.quarantined().await.unwrap().remove(0);
    assert_eq!((item.mail, item.letter, item.case), (None, None, Some(CASE)));
    store.unquarantine(&item, Release::Retry, t(95)).await.unwrap();
    assert_eq!(due(&store, 96).await, Some(CASE));
}

async fn a_clock_that_was_put_back_rests_and_others_go_on(record: impl Record) {
    let store = record.instance().await;
    open_case(&store, CASE, 60).await;
    open_case(&store, CaseId(8), 61).await;
    assert_eq!(due(&store, 90).await, Some(CASE));
    store.put_back_clock(CASE, t(95)).await.unwrap();
    assert_eq!(due(&store, 90).await, Some(CaseId(8)));
    assert_eq!(due(&store, 94).await, None);
    store.stick_clock(CaseId(8), "odd").await.unwrap();
    assert_eq!(store.next_event().await.unwrap(), Some(t(95)));
    assert_eq!(due(&store, 95).await, Some(CASE));
}

async fn a_clock_set_aside_waits_for_a_person(record: impl Record) {
    let store = record.instance().await;
    open_case(&store, CASE, 60).await;
    store.stick_clock(CASE, "it is not in hand").await.unwrap();
    assert_eq!(due(&store, 90).await, Some(CASE));
    store.stick_clock(CASE, "a newer build wrote it").await.unwrap();
    assert_eq!(due(&store, 90).await, None);
    let item = store.quarantined().await.unwrap().remove(0);
    let (name, why) = (item.name(), item.why.as_str());
    assert_eq!((name.as_str(), why, item.stays), ("c7", "a newer build wrote it", 0));
    store.unquarantine(&item, Release::Retry, t(91)).await.unwrap();
    assert_eq!(due(&store, 92).await, Some(CASE));
    store.stick_clock(CASE, "again").await.unwrap();
    assert_eq!(store.quarantined().await.unwrap().remove(0).stays, 1);
}

async fn a_notice_that_kills_three_times_is_stuck(record: impl Record) {
    let store = record.instance().await;
    let row = notice(CASE, 0, 0);
    store.commit(&Commit { outbox: vec![row.clone()], ..step(CASE, 0, 0) }).await.unwrap();
    for life in 1..=3 {
        let dying = record.instance().await;
        assert!(dying.claim_outgoing(t(life)).await.unwrap().is_some());
        record.crash(dying).await;
        assert_eq!(store.claim_outgoing(t(life)).await.unwrap(), None, "it rests");
    }
    assert_eq!(store.claim_outgoing(t(9)).await.unwrap(), None);
    assert_eq!(store.notice(row.id).await.unwrap().unwrap().status, "stuck");
    assert!(store.resend(row.id, t(9)).await.unwrap());
    assert!(store.claim_outgoing(t(9)).await.unwrap().is_some());
}

async fn faults_are_never_blamed(record: impl Record) {
    let store = record.instance().await;
    open_case(&store, CASE, 1000).await;
    open_case(&store, CaseId(8), 1000).await;
    store.post(&letter("a", CASE, 1), t(1)).await.unwrap();
    store.post(&letter("b", CaseId(8), 1), t(1)).await.unwrap();
    store.commit(&Commit { outbox: vec![notice(CaseId(9), 0, 0)], ..step(CaseId(9), 0, 0) }).await.unwrap();
    for _ in 0..5 {
        let (a, _) = claim(&store, 1).await.unwrap();
        store.put_back(a, t(1)).await.unwrap();
        let outgoing = store.claim_outgoing(t(1)).await.unwrap().unwrap();
        let later = Posted::Later { at: t(1), why: "the relay is down".into() };
        store.posted(outgoing.row.id, &later, t(1)).await.unwrap();
    }
    assert_eq!(store.quarantined().await.unwrap(), []);
    assert_eq!(store.claim_outgoing(t(1)).await.unwrap().unwrap().attempts, 5);
}

async fn what_died_in_company_goes_alone_next_time(record: impl Record) {
    let store = record.instance().await;
    for case in [CASE, CaseId(8)] {
        open_case(&store, case, 1000).await;
    }
    store.post(&letter("innocent", CASE, 1), t(1)).await.unwrap();
    store.post(&letter("poison", CaseId(8), 2), t(1)).await.unwrap();
    store.commit(&Commit { outbox: vec![notice(CaseId(9), 0, 0)], ..step(CaseId(9), 0, 0) }).await.unwrap();
    let dying = record.instance().await;
    assert!(claim(&dying, 3).await.is_some() && claim(&dying, 3).await.is_some());
    record.crash(dying).await;
    assert_eq!(claim(&store, 3).await.unwrap().1, "innocent");
    assert_eq!(claim(&store, 3).await, None, "what is suspect waits until the hand is empty");
    assert_eq!(store.claim_outgoing(t(3)).await.unwrap(), None, "and has no company");
    for lives in 0..3 {
        let dying = record.instance().await;
        assert_eq!(claim(&dying, 3 + lives).await.unwrap().1, "poison", "{lives}");
        record.crash(dying).await;
        assert_eq!(claim(&store, 3 + lives).await, None);
    }
    store.commit(&answering(step(CASE, 1, 3), LetterId(1))).await.unwrap();
    assert_eq!(claim(&store, 3).await, None);
    assert!(store.claim_outgoing(t(3)).await.unwrap().is_some());
    let quarantined = store.quarantined().await.unwrap();
    assert_eq!(quarantined.iter().map(|item| item.letter).collect::<Vec<_>>(), [Some(LetterId(2))]);
}
