//! Comments in confidence through the daemon, from the mailbox to the receipt: who is answered what, what stays,
//! and what the clock and the outbox tell.

use crate::daemon_rig::{MAILBOX, Relay, Rig, t, with_document};
use crate::invited::{in_review, invitation, shred, structure};
use atlarged::kernel::ids::{CaseId, NoticeId};
use atlarged::kernel::workflow::Input;
use atlarged::ports::store::{Books, Confidential, Parts, Store};
use serde_json::Value;

/// Ann, p1, represents a structure in Africa and was invited; Bob, p2, sits on the ALAC; Sue, p3, is staff.
async fn invited() -> (Rig, CaseId, NoticeId) {
    let mut rig = Rig::new().await;
    rig.ballot().await;
    let version = rig.store().register().await.unwrap().version;
    assert!(rig.store().change_register(version, &[structure(&[1])], "p3", t(1)).await.unwrap());
    let case = in_review(rig.store(), t(20)).await;
    rig.turn(20).await;
    rig.out.sent.clear();
    let notice = invitation(rig.store(), case, 1).await;
    (rig, case, notice)
}

/// Somebody answers a notice.
fn answers(rig: &mut Rig, minutes: i64, from: &str, notice: NoticeId, text: &str) {
    let to = rig.reply_address(notice);
    let raw = format!(
        "Authentication-Results: mx.atlarge.example; auth=pass smtp.auth={from}\r\nFrom: Canary Name <{from}>\r\n\
         To: {to}\r\nSubject: canary subject\r\nMessage-ID: <{minutes}.canary@a.example>\r\n\r\n{text}\r\n"
    );
    rig.inbox.mails.push((t(minutes), raw));
}

async fn comments(rig: &Rig, case: CaseId) -> Vec<Value> {
    let inputs = rig.inputs(case).await;
    inputs.into_iter().filter_map(|input| input.get("comment").cloned()).collect()
}

async fn all(rig: &Rig) -> String {
    let (cases, journal) = (rig.store().cases().await.unwrap(), rig.store().journal(None).await.unwrap());
    let notices = rig.store().notices(None).await.unwrap();
    format!("{cases:?}{journal:?}{notices:?}{:?}", rig.store().letters())
}

#[tokio::test]
async fn a_comment_reaches_its_case_as_handles_and_its_mail_is_gone() {
    let (mut rig, case, invitation) = invited().await;
    answers(&mut rig, 100, "ann@a.example", invitation, "They meet every month. canary body");
    rig.turn(101).await;
    let found = comments(&rig, case).await;
    assert_eq!(found.len(), 1);
    let comment = &found[0];
    assert!(comment["words"].as_str().unwrap().starts_with("sealed:"));
    assert_eq!(
        (&comment["source"], comment["arrived"].as_str()),
        (&Value::Null, Some("2026-12-01T00:00:00Z"))
    );
    let known = all(&rig).await;
    for canary in ["canary", "Canary", "ann@", "They meet"] {
        assert!(!known.contains(canary), "{canary}");
    }
    assert_eq!(rig.inbox.expunged, [1]);
    assert!(rig.store().expunges(MAILBOX).await.unwrap().is_empty());
    let held = rig.store().case(case).await.unwrap().unwrap().confidences;
    assert_eq!(held.count, 1);
    let row = rig.store().journal(Some(case)).await.unwrap().pop().unwrap();
    assert_eq!(row.entry.at, t(0), "no more than the day");
    let receipt = rig.out.sent.pop().unwrap();
    assert!(receipt.contains("ann@a.example") && receipt.contains("It bears no name"), "{receipt}");
    assert!(
        !receipt.contains("canary") && !receipt.contains("In-Reply-To") && !receipt.contains("They meet")
    );
    assert!(rig.store().sealed(comment["author"].as_str().unwrap()).await.unwrap().is_none());
    let state = rig.store().case(case).await.unwrap().unwrap().state;
    assert_eq!(state["running"]["file"]["comments"], 1);
}

#[tokio::test]
async fn a_name_is_sealed_apart_where_the_author_wants_it_told() {
    let (mut rig, case, invitation) = invited().await;
    answers(&mut rig, 100, "ann@a.example", invitation, "NAMED\r\nThey meet every month.");
    rig.turn(101).await;
    let comment = comments(&rig, case).await.remove(0);
    assert!(comment["source"].as_str().unwrap().starts_with("sealed:"));
    answers(&mut rig, 110, "sue@s.example", invitation, "COMMENTS");
    rig.turn(111).await;
    let list = rig.out.sent.pop().unwrap();
    assert!(list.contains("They meet every month.") && list.contains("By N1:"), "{list}");
}

#[tokio::test]
async fn who_is_no_member_is_refused_and_nothing_is_sealed() {
    let (mut rig, case, invitation) = invited().await;
    answers(&mut rig, 100, "bob@b.example", invitation, "canary body");
    rig.turn(101).await;
    let comment = comments(&rig, case).await.remove(0);
    assert_eq!(comment["barred"], "not-a-member");
    assert!(rig.store().sealed(comment["words"].as_str().unwrap()).await.unwrap().is_none());
    assert!(rig.store().sealed(comment["author"].as_str().unwrap()).await.unwrap().is_none());
    let mail = rig.out.sent.pop().unwrap();
    assert!(mail.contains("bob@b.example") && mail.contains("Only members of AFRALO"), "{mail}");
    assert!(!mail.contains("canary") && !mail.contains("In-Reply-To"));
    assert!(!all(&rig).await.contains("bob@"));
    let refusal = rig.notices("comment/not-a-member").await.remove(0);
    assert_eq!((refusal.created, refusal.sent_at), (t(0), Some(t(0))), "no more than the day");
    let books = rig.store().books().await.unwrap();
    assert_eq!(books, Books { received: 1, refused: 1, ..Books::default() });
}

#[tokio::test]
async fn membership_counts_as_of_arrival_however_late_the_mail_is_read() {
    let (mut rig, case, invitation) = invited().await;
    let version = rig.store().register().await.unwrap().version;
    assert!(rig.store().change_register(version, &[structure(&[2])], "p3", t(200)).await.unwrap());
    answers(&mut rig, 199, "ann@a.example", invitation, "While I was a member.");
    answers(&mut rig, 199, "bob@b.example", invitation, "Before I was a member.");
    answers(&mut rig, 201, "bob@b.example", invitation, "As a member.");
    rig.turn(300).await;
    let barred: Vec<Value> = comments(&rig, case).await.iter().map(|found| found["barred"].clone()).collect();
    assert_eq!(barred.iter().filter(|bar| bar.is_null()).count(), 2);
    assert_eq!(barred.iter().filter(|bar| **bar == "not-a-member").count(), 1);
}

#[tokio::test]
async fn a_refusal_whose_mail_waits_remembers_its_recipient_no_longer_than_that() {
    let (mut rig, case, invitation) = invited().await;
    rig.out.relay = Relay::Busy;
    answers(&mut rig, 100, "bob@b.example", invitation, "canary body");
    rig.turn(101).await;
    let author = comments(&rig, case).await.remove(0)["author"].as_str().unwrap().to_owned();
    let sealed = rig.store().sealed(&author).await.unwrap().expect("she is to be answered");
    assert!(rig.daemon.keys.open(&sealed, author.as_bytes()).is_ok());
    rig.out.relay = Relay::Well;
    rig.turn(200).await;
    assert!(rig.out.sent.pop().unwrap().contains("bob@b.example"));
    assert!(rig.store().sealed(&author).await.unwrap().is_none());
    assert!(rig.daemon.keys.open(&sealed, author.as_bytes()).is_err(), "its key is destroyed");
}

#[tokio::test]
async fn a_mail_that_cannot_be_expunged_is_tried_until_it_can() {
    let (mut rig, _, invitation) = invited().await;
    rig.inbox.tidy = false;
    answers(&mut rig, 100, "ann@a.example", invitation, "They meet every month.");
    rig.turn(101).await;
    assert_eq!(rig.store().expunges(MAILBOX).await.unwrap().len(), 1);
    rig.inbox.tidy = true;
    rig.turn(102).await;
    assert_eq!(rig.inbox.expunged, [1]);
    assert!(rig.store().expunges(MAILBOX).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_may_read_gets_all_and_it_is_known_who_asked() {
    let (mut rig, case, invitation) = invited().await;
    for (minutes, text) in [(100, "First word."), (101, "Second word."), (102, "Third word.")] {
        answers(&mut rig, minutes, "ann@a.example", invitation, text);
    }
    rig.turn(103).await;
    for (minutes, from) in [(110, "ann@a.example"), (120, "bob@b.example"), (130, "sue@s.example")] {
        answers(&mut rig, minutes, from, invitation, "COMMENTS");
        rig.turn(minutes).await;
        let list = rig.out.sent.pop().unwrap();
        assert!(list.contains(from) && ["First", "Second", "Third"].iter().all(|word| list.contains(word)));
        assert!(!list.contains("01:4"), "no times");
    }
    let asked = rig.inputs(case).await;
    let asked: Vec<&Value> = asked.iter().filter_map(|input| input.pointer("/reading/by")).collect();
    assert_eq!(asked, [1, 2, 3]);
    let lists = rig.notices("comment/list").await;
    assert_eq!(lists.len(), 3);
    assert!(lists.iter().all(|list| !list.row.data.to_string().contains("First")));
    assert!(rig.store().print(lists[0].row.id).await.unwrap().is_none());
}

#[tokio::test]
async fn after_the_end_nobody_reads_and_nobody_is_heard() {
    let (mut rig, case, invitation) = invited().await;
    answers(&mut rig, 100, "ann@a.example", invitation, "They meet every month.");
    rig.turn(101).await;
    let words = comments(&rig, case).await.remove(0)["words"].as_str().unwrap().to_owned();
    let sealed = rig.store().sealed(&words).await.unwrap().expect("it is kept");
    shred(rig.store(), case, t(200)).await;
    rig.turn(201).await;
    assert!(rig.store().sealed(&words).await.unwrap().is_none());
    assert!(rig.daemon.keys.open(&sealed, words.as_bytes()).is_err());
    rig.out.sent.clear();
    answers(&mut rig, 210, "sue@s.example", invitation, "COMMENTS");
    rig.turn(211).await;
    assert!(rig.out.sent.pop().unwrap().contains("Their number remains: 1"));
    answers(&mut rig, 220, "ann@a.example", invitation, "One more.");
    rig.turn(221).await;
    assert!(rig.out.sent.pop().unwrap().contains("The time for comments is over"));
    let late = comments(&rig, case).await.remove(1);
    assert!(rig.store().sealed(late["words"].as_str().unwrap()).await.unwrap().is_none());
    assert_eq!(rig.store().case(case).await.unwrap().unwrap().confidences.count, 1);
}

#[tokio::test]
async fn a_list_that_comes_back_leaves_nothing_either() {
    let (mut rig, case, invitation) = invited().await;
    answers(&mut rig, 100, "ann@a.example", invitation, "They meet every month.");
    answers(&mut rig, 101, "sue@s.example", invitation, "COMMENTS");
    rig.turn(102).await;
    let list = rig.notices("comment/list").await.remove(0).row.id;
    let returned = rig.out.sent.iter().find(|mail| mail.contains("They meet every month.")).unwrap();
    let to = rig.reply_address(list);
    let bounce = format!(
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@s.example\r\nTo: {to}\r\nSubject: Undelivered\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\n\r\nNo such user.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; s.example\r\n\r\nFinal-Recipient: rfc822; sue@s.example\r\nAction: failed\r\n\
         Status: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{returned}\r\n--b--\r\n"
    );
    rig.inbox.mails.push((t(110), bounce));
    rig.turn(111).await;
    let inputs = rig.inputs(case).await;
    assert_eq!(inputs.last().unwrap()["undelivered"]["to"], "p3");
    assert_eq!(rig.inbox.expunged, [1, 2, 3]);
    assert!(!all(&rig).await.contains("They meet"));
    let keys = std::fs::read_dir(rig.dir.path().join("keys")).unwrap();
    let names: Vec<String> = keys.map(|key| key.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with("once-")), "{names:?}");
}

#[tokio::test]
async fn a_record_older_than_the_destroyed_key_takes_no_comment() {
    let (mut rig, case, invitation) = invited().await;
    rig.daemon.keys.shred(case).unwrap();
    answers(&mut rig, 100, "ann@a.example", invitation, "They meet every month.");
    rig.turn(101).await;
    assert!(rig.out.sent.pop().unwrap().contains("The time for comments is over"));
    assert_eq!(comments(&rig, case).await.remove(0)["barred"], "over");
    assert_eq!(rig.store().books().await.unwrap().refused, 1);
}

#[tokio::test]
async fn a_list_that_waits_when_the_time_ends_never_leaves() {
    let (mut rig, case, invitation) = invited().await;
    answers(&mut rig, 100, "ann@a.example", invitation, "They meet every month.");
    rig.turn(101).await;
    rig.out.relay = Relay::Busy;
    answers(&mut rig, 110, "sue@s.example", invitation, "COMMENTS");
    rig.turn(111).await;
    shred(rig.store(), case, t(120)).await;
    rig.out.relay = Relay::Well;
    rig.out.sent.clear();
    rig.turn(300).await;
    assert_eq!(rig.notices("comment/list").await[0].status, "lapsed");
    assert!(rig.out.sent.iter().all(|mail| !mail.contains("They meet")));
}

#[tokio::test]
async fn a_mail_in_confidence_that_contradicts_itself_waits_sealed_under_its_case() {
    let (mut rig, case, invitation) = invited().await;
    let other = rig.asked(2).await.id;
    let token = rig.reply_address(other);
    let id = token.split(['+', '@']).nth(1).unwrap().to_owned();
    let to = rig.reply_address(invitation);
    let raw = format!(
        "From: ann@a.example\r\nTo: {to}, {token}\r\nIn-Reply-To: <{id}@atlarge.example>\r\nSubject: canary\r\n\r\ncanary\r\n"
    );
    rig.inbox.mails.push((t(100), raw));
    rig.turn(101).await;
    let item = rig.store().quarantined().await.unwrap().remove(0);
    let mail = rig.store().quarantined_mail(item.mail.unwrap()).await.unwrap().unwrap();
    assert_eq!(mail.raw.key, format!("case-{}", case.0));
    assert!(rig.daemon.keys.open(&mail.raw, b"mail").is_ok());
    assert_eq!(rig.inbox.expunged, [1]);
    shred(rig.store(), case, t(200)).await;
    rig.turn(201).await;
    assert!(rig.store().quarantined().await.unwrap().is_empty());
    assert!(rig.daemon.keys.open(&mail.raw, b"mail").is_err());
}

#[tokio::test]
async fn nothing_stays_of_a_large_mail_in_confidence() {
    let (mut rig, case, invitation) = invited().await;
    answers(&mut rig, 100, "ann@a.example", invitation, "They meet every month.");
    let (at, raw) = rig.inbox.mails.pop().unwrap();
    rig.inbox.mails.push((at, with_document(&raw, 2 << 20)));
    rig.turn(101).await;
    let input: Input = serde_json::from_value(rig.inputs(case).await.pop().unwrap()).unwrap();
    assert!(matches!(input, Input::Comment(_)), "{input:?}");
    assert_eq!(rig.store().tidy_parts(t(1_000_000), chrono::NaiveDate::MAX).await.unwrap(), 0);
    assert_eq!(rig.inbox.expunged, [1]);
}

#[tokio::test]
async fn no_key_of_a_mail_outlives_its_sorting() {
    let (mut rig, _, invitation) = invited().await;
    answers(&mut rig, 100, "ann@a.example", invitation, "They meet every month.");
    answers(&mut rig, 101, "bob@b.example", invitation, "I am no member.");
    rig.turn(102).await;
    let keys = std::fs::read_dir(rig.dir.path().join("keys")).unwrap();
    let names: Vec<String> = keys.map(|key| key.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("once-")).count(), 0, "{names:?}");
}

#[tokio::test]
async fn a_step_on_a_comment_never_sees_who_or_what() {
    let (mut rig, case, invitation) = invited().await;
    answers(&mut rig, 100, "ann@a.example", invitation, "They meet every month.");
    rig.turn(101).await;
    let input: Input = serde_json::from_value(rig.inputs(case).await.pop().unwrap()).unwrap();
    let shown = format!("{input:?}");
    assert!(shown.contains("words: Sealed") && !shown.contains("p1") && !shown.contains("meet"), "{shown}");
}
