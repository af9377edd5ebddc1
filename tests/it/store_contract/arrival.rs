//! Mail is stored once and sorted once; the books balance; letters come before clocks.

use super::record::*;
use atlarged::advance::{Ending, LetterBody, NewLetter};
use atlarged::kernel::ids::{CaseId, MailId};
use atlarged::kernel::language::Language;
use atlarged::letters::print::Print;
use atlarged::ports::store::{
    Admission, Books, CommitError, NewMail, Quarantined, Release, Sealed, Sorted, Store,
};
use chrono::Duration;

super::promises! {
    a_mail_is_stored_once_wherever_it_is_found
    a_renumbered_folder_brings_no_mail_twice
    mails_are_sorted_in_the_order_of_arrival
    a_mail_is_sorted_once
    a_text_that_a_database_cannot_hold_is_held
    the_books_balance_whatever_becomes_of_a_mail
    a_mail_leaves_quarantine_accepted_where_a_person_says_so
    a_message_id_is_remembered_with_its_mail
    a_mail_of_several_letters_is_finished_when_all_are
    a_stranger_is_answered_once_a_day
    strangers_are_let_in_so_many_a_day
    a_clock_waits_for_letters_that_came_before_it
    a_clock_waits_for_mail_that_may_be_for_its_case
    a_clock_waits_until_every_mailbox_was_read_after_it
    a_letter_that_slips_in_stops_the_clock
    the_oldest_key_in_use_is_that_of_the_oldest_mail_not_dealt_with
    a_row_of_the_journal_is_found_by_its_number
}

async fn a_mail_is_stored_once_wherever_it_is_found(record: impl Record) {
    let store = record.instance().await;
    assert_eq!(receive(&store, &[mail(1, 5), mail(2, 6)]).await, [(1, true), (2, true)]);
    let mut elsewhere = mail(1, 99);
    elsewhere.place.folder = "Junk".into();
    let stored = store.receive("clerk", "Junk", &cursor(3, 2), &[elsewhere.clone()], t(1)).await.unwrap();
    assert_eq!(stored, [(MailId(1), false)]);
    let other_mailbox = NewMail { place: place(1, 77), ..mail(2, 6) };
    let stored = store.receive("board", INBOX, &cursor(1, 78), &[other_mailbox], t(1)).await.unwrap();
    assert_eq!(stored, [(MailId(2), false)]);
    assert_eq!(store.claim_mail(t(100)).await.unwrap().unwrap().arrived, t(5));
    let cursors = store.cursors("clerk").await.unwrap();
    assert_eq!(cursors["Junk"], cursor(3, 2));
    assert_eq!(cursors[INBOX], cursor(1, 100));
    assert_eq!(store.books().await.unwrap().received, 2);
}

async fn a_renumbered_folder_brings_no_mail_twice(record: impl Record) {
    let store = record.instance().await;
    receive(&store, &[mail(1, 1), mail(2, 2)]).await;
    let again = [
        NewMail { place: place(9, 1), ..mail(2, 50) },
        NewMail { place: place(9, 2), ..mail(1, 50) },
        NewMail { place: place(9, 3), ..mail(3, 50) },
    ];
    let stored = store.receive("clerk", INBOX, &cursor(9, 4), &again, t(50)).await.unwrap();
    assert_eq!(stored, [(MailId(2), false), (MailId(1), false), (stored[2].0, true)]);
    assert_eq!(store.cursors("clerk").await.unwrap()[INBOX], cursor(9, 4));
    assert_eq!(store.books().await.unwrap().received, 3);
}

async fn mails_are_sorted_in_the_order_of_arrival(record: impl Record) {
    let store = record.instance().await;
    receive(&store, &[mail(1, 30), mail(2, 10), mail(3, 20)]).await;
    let first = store.claim_mail(t(40)).await.unwrap().unwrap();
    assert_eq!((first.id, first.raw.bytes.as_slice()), (MailId(2), &[2, 0, 255][..]));
    store.put_back_mail(first.id, t(60)).await.unwrap();
    for expected in [3, 1] {
        let mail = store.claim_mail(t(40)).await.unwrap().unwrap();
        assert_eq!(mail.id, MailId(expected));
        store.sort(mail.id, &Sorted::Silent("unsolicited".into()), t(40)).await.unwrap();
    }
    assert_eq!(store.claim_mail(t(59)).await.unwrap(), None);
    assert_eq!(store.next_event().await.unwrap(), Some(t(60)));
    assert_eq!(store.claim_mail(t(60)).await.unwrap().unwrap().id, MailId(2));
}

async fn a_mail_is_sorted_once(record: impl Record) {
    let store = record.instance().await;
    receive(&store, &[mail(1, 1)]).await;
    let id = store.claim_mail(t(1)).await.unwrap().unwrap().id;
    let read = NewLetter { mail: Some(id), ..letter("mail:1:0", CASE, 1) };
    store.sort(id, &Sorted::Letters(vec![read]), t(1)).await.unwrap();
    store.sort(id, &Sorted::Silent("second thoughts".into()), t(2)).await.unwrap();
    assert_eq!(store.claim_mail(t(3)).await.unwrap(), None);
    assert_eq!(claim(&store, 3).await.unwrap().1, "mail:1:0");
    assert_eq!(claim(&store, 3).await, None);
    let (again, new) = store.post(&letter("mail:1:0", CASE, 9), t(9)).await.unwrap();
    assert!(!new);
    assert_eq!(store.ending(again).await.unwrap(), None);
}

async fn a_text_that_a_database_cannot_hold_is_held(record: impl Record) {
    let store = record.instance().await;
    let mut hostile = opening("order:1", 1);
    hostile.message_id = Some("<a\0b>".into());
    if let LetterBody::Opens(opening) = &mut hostile.body {
        opening.body = serde_json::json!({"k\0": ["\0\u{fffe}", "\u{1f600}"]});
    }
    store.post(&hostile, t(1)).await.unwrap();
    assert!(store.claim_letter(t(1)).await.unwrap().is_some());
    let long = format!("{}@x.example", "a".repeat(10_000));
    let (id, _) = store.stranger(&long, Language::Fr, t(0)).await.unwrap();
    assert_eq!(store.stranger(&long, Language::Fr, t(1)).await.unwrap().0, id);
}

async fn the_books_balance_whatever_becomes_of_a_mail(record: impl Record) {
    let store = record.instance().await;
    let mails: Vec<NewMail> = (1..=7).map(|n| mail(n, i64::from(n))).collect();
    receive(&store, &mails).await;
    open_case(&store, CASE, 1000).await;
    for _ in 1..=5 {
        let id = store.claim_mail(t(10)).await.unwrap().unwrap().id;
        let read = NewLetter { mail: Some(id), ..letter(&format!("mail:{}:0", id.0), CASE, id.0) };
        store.sort(id, &Sorted::Letters(vec![read]), t(10)).await.unwrap();
    }
    let silent = store.claim_mail(t(10)).await.unwrap().unwrap().id;
    store.sort(silent, &Sorted::Silent("auto-reply".into()), t(10)).await.unwrap();
    let odd = store.claim_mail(t(10)).await.unwrap().unwrap().id;
    store.sort(odd, &Sorted::Quarantined("carriers disagree".into()), t(10)).await.unwrap();
    let endings = [Ending::Acted, Ending::Refused("ballot/late".into()), Ending::Silent("copy".into())];
    for (seq, ended) in (1..).zip(endings) {
        let (id, _) = claim(&store, 11).await.unwrap();
        store.commit(&ending(step(CASE, seq, 11), id, ended.clone())).await.unwrap();
        assert_eq!(store.ending(id).await.unwrap(), Some((ended, Some(CASE))));
    }
    let (id, _) = claim(&store, 11).await.unwrap();
    store.quarantine(id, "no such phase", t(11)).await.unwrap();
    let books = store.books().await.unwrap();
    let expected = Books { received: 7, acted: 1, refused: 1, silent: 2, quarantined: 2, waiting: 1 };
    assert_eq!(books, expected);
    assert!(books.balance());
    let quarantine = store.quarantined().await.unwrap();
    assert_eq!(quarantine.iter().map(|item| item.mail).collect::<Vec<_>>(), [Some(MailId(4)), Some(odd)]);
    assert_eq!(store.quarantined_mail(odd).await.unwrap().unwrap().raw.bytes, [7, 0, 255]);
    assert_eq!(store.quarantined_mail(silent).await.unwrap(), None);
    store.unquarantine(&quarantine[0], Release::Discard("nonsense"), t(12)).await.unwrap();
    store.unquarantine(&quarantine[1], Release::Retry, t(12)).await.unwrap();
    let expected = Books { silent: 3, quarantined: 0, waiting: 2, ..expected };
    assert_eq!(store.books().await.unwrap(), expected);
    assert_eq!(store.claim_mail(t(12)).await.unwrap().unwrap().id, odd);
}

async fn a_mail_leaves_quarantine_accepted_where_a_person_says_so(record: impl Record) {
    let store = record.instance().await;
    receive(&store, &[mail(1, 1)]).await;
    for (stays, release, accepted) in [(0, Release::Retry, false), (1, Release::Accept, true)] {
        let id = store.claim_mail(t(2)).await.unwrap().unwrap().id;
        store.sort(id, &Sorted::Quarantined("odd".into()), t(2)).await.unwrap();
        let item = store.quarantined().await.unwrap().remove(0);
        assert_eq!(item.stays, stays);
        store.unquarantine(&item, release, t(3)).await.unwrap();
        let again = store.claim_mail(t(3)).await.unwrap().unwrap();
        assert_eq!((again.stays, again.accepted), (stays + 1, accepted));
        store.put_back_mail(id, t(2)).await.unwrap();
    }
}

async fn a_message_id_is_remembered_with_its_mail(record: impl Record) {
    let store = record.instance().await;
    receive(&store, &[mail(1, 1)]).await;
    let id = store.claim_mail(t(1)).await.unwrap().unwrap().id;
    let message_id = Some("1@a.example".to_owned());
    let read = NewLetter { mail: Some(id), message_id, ..letter("mail:1:0", CASE, 1) };
    store.sort(id, &Sorted::Letters(vec![read]), t(1)).await.unwrap();
    assert!(store.message_id_seen("1@a.example", MailId(2)).await.unwrap());
    assert!(!store.message_id_seen("1@a.example", id).await.unwrap(), "it is this very mail");
    assert!(!store.message_id_seen("2@a.example", MailId(2)).await.unwrap());
}

async fn a_mail_of_several_letters_is_finished_when_all_are(record: impl Record) {
    let store = record.instance().await;
    receive(&store, &[mail(1, 1)]).await;
    let cases = [CaseId(8), CaseId(9)];
    for case in cases {
        open_case(&store, case, 1000).await;
    }
    let id = store.claim_mail(t(1)).await.unwrap().unwrap().id;
    let read = cases.map(|case| NewLetter { mail: Some(id), ..letter(&format!("mail:1:{case}"), case, 1) });
    store.sort(id, &Sorted::Letters(read.to_vec()), t(1)).await.unwrap();
    let (one, _) = claim(&store, 2).await.unwrap();
    let (two, _) = claim(&store, 2).await.unwrap();
    store.commit(&ending(step(cases[0], 1, 2), one, Ending::Refused("x".into()))).await.unwrap();
    assert_eq!(store.books().await.unwrap().waiting, 1);
    store.commit(&answering(step(cases[1], 1, 2), two)).await.unwrap();
    assert_eq!(store.books().await.unwrap(), Books { received: 1, acted: 1, ..Books::default() });
}

async fn a_stranger_is_answered_once_a_day(record: impl Record) {
    let store = record.instance().await;
    let day = 24 * 60;
    let ask = |minutes| store.stranger(" Ann@X.example", Language::Pt, t(minutes));
    let (id, last) = ask(0).await.unwrap();
    assert_eq!(last, None);
    assert_eq!(ask(day - 1).await.unwrap(), (id, Some(t(0))));
    assert_eq!(ask(day).await.unwrap(), (id, Some(t(0))));
    assert_eq!(ask(day + 1).await.unwrap(), (id, Some(t(day))));
    let found = store.stranger_address(id).await.unwrap();
    assert_eq!(found, Some(("ann@x.example".into(), Language::Pt)));
    assert_ne!(store.stranger("b@x.example", Language::En, t(0)).await.unwrap().0, id);
}

/// The case's clock is due at minute 60; says whether it can be had at minute 70.
async fn fires(store: &impl Store) -> bool {
    let case = due(store, 70).await;
    if let Some(case) = case {
        store.release_case(case).await.unwrap();
    }
    case == Some(CASE)
}

async fn strangers_are_let_in_so_many_a_day(record: impl Record) {
    let store = record.instance().await;
    let mails: Vec<NewMail> = (1..=9).map(|n| mail(n, i64::from(n))).collect();
    receive(&store, &mails).await;
    let limits = Admission { per_domain: 2, per_day: 3 };
    let mut knocks = Vec::new();
    for (id, domain) in
        [(1, "a.example"), (2, "A.example"), (3, "a.example"), (4, "b.example"), (5, "c.example")]
    {
        knocks.push(store.admit(MailId(id), domain, limits, t(id)).await.unwrap());
    }
    assert_eq!(knocks, [true, true, false, true, false], "two of a domain, three of all");
    assert!(
        store.admit(MailId(1), "a.example", limits, t(9)).await.unwrap(),
        "the same mail, the same answer"
    );
    assert!(!store.admit(MailId(3), "a.example", limits, t(9)).await.unwrap());
    let away = [("a.example".to_owned(), 1), ("c.example".to_owned(), 1)];
    assert_eq!(store.turned_away(t(0)).await.unwrap(), away);
    assert_eq!(store.turned_away(t(4)).await.unwrap(), [("c.example".to_owned(), 1)]);
    let next_day = t(24 * 60 + 5);
    assert!(store.admit(MailId(6), "a.example", limits, next_day).await.unwrap());
    assert!(
        !store
            .admit(MailId(7), "d.example", Admission { per_domain: 9, per_day: 1 }, next_day)
            .await
            .unwrap()
    );
}

async fn a_clock_waits_for_letters_that_came_before_it(record: impl Record) {
    let store = record.instance().await;
    open_case(&store, CASE, 60).await;
    assert_eq!(due(&store, 59).await, None);
    assert!(fires(&store).await);
    store.post(&letter("late", CASE, 61), t(61)).await.unwrap();
    store.post(&letter("other", CaseId(99), 1), t(61)).await.unwrap();
    assert!(fires(&store).await);
    store.post(&letter("in time", CASE, 60), t(62)).await.unwrap();
    assert!(!fires(&store).await, "a letter waits");
    store.claim_letter(t(63)).await.unwrap();
    let (id, key) = claim(&store, 63).await.unwrap();
    assert_eq!(key, "in time");
    assert!(!fires(&store).await, "a letter is in hand");
    store.put_back(id, t(500)).await.unwrap();
    assert!(!fires(&store).await, "a letter was put back");
    assert_eq!(claim(&store, 63).await, None, "a later letter does not overtake");
    claim(&store, 500).await.unwrap();
    store.quarantine(id, "unreadable", t(64)).await.unwrap();
    assert!(!fires(&store).await, "a letter is quarantined");
    let item = store.quarantined().await.unwrap().remove(0);
    assert_eq!((item.letter, item.case), (Some(id), Some(CASE)));
    store.unquarantine(&item, Release::Discard("not a vote"), t(65)).await.unwrap();
    assert!(fires(&store).await);
}

async fn a_clock_waits_for_mail_that_may_be_for_its_case(record: impl Record) {
    let store = record.instance().await;
    open_case(&store, CASE, 60).await;
    let hinted = |n, case| NewMail { case_hint: Some(case), ..mail(n, 50) };
    receive(&store, &[hinted(1, CASE), hinted(2, CaseId(99)), mail(3, 50), mail(4, 61)]).await;
    assert!(!fires(&store).await, "mails are unsorted");
    for n in 1..=3 {
        let id = store.claim_mail(t(62)).await.unwrap().unwrap().id;
        assert_eq!(id, MailId(n));
        assert!(!fires(&store).await, "a mail is in hand");
        store.sort(id, &Sorted::Quarantined("odd".into()), t(62)).await.unwrap();
    }
    assert!(!fires(&store).await, "a mail that names the case is quarantined");
    let item = |mail| Quarantined {
        mail: Some(MailId(mail)),
        letter: None,
        case: None,
        arrived: t(50),
        why: String::new(),
        stays: 0,
    };
    store.unquarantine(&item(1), Release::Discard("spam"), t(63)).await.unwrap();
    assert!(fires(&store).await, "mails that name other cases, or none, hold nothing up");
}

async fn a_clock_waits_until_every_mailbox_was_read_after_it(record: impl Record) {
    let store = record.instance().await;
    open_case(&store, CASE, 60).await;
    let mailboxes = ["clerk".to_owned(), "junk".to_owned()];
    let settle = Duration::minutes(2);
    for (mailbox, began, fires) in
        [("clerk", 70, false), ("junk", 61, false), ("junk", 60, false), ("junk", 62, true)]
    {
        store.fetched(mailbox, t(began)).await.unwrap();
        let due = store.claim_due(t(70), settle, &mailboxes).await.unwrap();
        assert_eq!(due.is_some(), fires, "{mailbox} read from {began} on");
    }
}

async fn a_letter_that_slips_in_stops_the_clock(record: impl Record) {
    let (store, other) = (record.instance().await, record.instance().await);
    open_case(&store, CASE, 60).await;
    assert_eq!(due(&store, 70).await, Some(CASE));
    assert_eq!(due(&other, 70).await, None, "one clock, one hand");
    let mut tick = step(CASE, 1, 70);
    tick.clock = Some(t(60));
    receive(&other, &[mail(1, 60)]).await;
    assert!(matches!(store.commit(&tick).await, Err(CommitError::Conflict(_))), "a mail came in");
    let id = other.claim_mail(t(70)).await.unwrap().unwrap().id;
    let read = NewLetter { mail: Some(id), ..letter("mail:1:0", CASE, 60) };
    other.sort(id, &Sorted::Letters(vec![read]), t(70)).await.unwrap();
    assert!(matches!(store.commit(&tick).await, Err(CommitError::Conflict(_))), "a letter came in");
    assert_eq!(claim(&other, 71).await, None, "the case is in hand");
    store.release_case(CASE).await.unwrap();
    let (id, _) = claim(&other, 71).await.unwrap();
    other.commit(&answering(waking(step(CASE, 1, 71), 60), id)).await.unwrap();
    assert_eq!(due(&store, 72).await, Some(CASE));
    let mut tick = step(CASE, 2, 72);
    tick.clock = Some(t(60));
    store.commit(&tick).await.unwrap();
    assert_eq!(due(&store, 73).await, None);
}

async fn the_oldest_key_in_use_is_that_of_the_oldest_mail_not_dealt_with(record: impl Record) {
    let store = record.instance().await;
    assert_eq!(store.oldest_intake_key().await.unwrap(), None);
    let of_day = |n: u8, day: u8| {
        let mut mail = mail(n, i64::from(n));
        mail.raw.key = format!("intake-2026-03-0{day}");
        mail
    };
    receive(&store, &[of_day(1, 2), of_day(2, 1), of_day(3, 3)]).await;
    assert_eq!(store.oldest_intake_key().await.unwrap().as_deref(), Some("intake-2026-03-01"));
    for sorted in [Sorted::Quarantined("odd".into()), Sorted::Silent("auto-reply".into())] {
        let id = store.claim_mail(t(9)).await.unwrap().unwrap().id;
        store.sort(id, &sorted, t(9)).await.unwrap();
    }
    assert_eq!(store.oldest_intake_key().await.unwrap().as_deref(), Some("intake-2026-03-02"));
    let mut moved = step(CASE, 0, 10);
    moved.outbox.push(notice(CASE, 0, 0));
    store.commit(&moved).await.unwrap();
    let id = store.claim_outgoing(t(10)).await.unwrap().unwrap().row.id;
    let bytes = |key: &str| Sealed { key: key.into(), bytes: vec![1] };
    store.keep_bytes(id, &bytes("case-7"), &Print::default()).await.unwrap();
    assert_eq!(store.oldest_intake_key().await.unwrap().as_deref(), Some("intake-2026-03-02"));
    store.keep_bytes(id, &bytes("intake-2026-02-28"), &Print::default()).await.unwrap();
    assert_eq!(store.oldest_intake_key().await.unwrap().as_deref(), Some("intake-2026-02-28"));
}

async fn a_row_of_the_journal_is_found_by_its_number(record: impl Record) {
    let store = record.instance().await;
    assert_eq!(store.journal_at(None).await.unwrap(), None);
    open_case(&store, CASE, 60).await;
    store.commit(&step(CASE, 1, 1)).await.unwrap();
    let head = store.journal_head().await.unwrap();
    assert_eq!(store.journal_at(None).await.unwrap(), Some((2, head.clone())));
    assert_eq!(store.journal_at(Some(2)).await.unwrap(), Some((2, head.clone())));
    assert_eq!(store.journal_at(Some(3)).await.unwrap(), None);
    let first = store.journal_at(Some(1)).await.unwrap().expect("the first row");
    assert!(first.0 == 1 && first.1 != head);
}
