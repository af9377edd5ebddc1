//! What arrives: read whole or not, replayed, odd, accepted by a person; and the clerk's own mail.

use crate::daemon_rig::{CLERK, MAILBOX, Rig, t};
use atlarged::advance::LetterBody;
use atlarged::daemon::OFFICE;
use atlarged::kernel::ids::StrangerId;
use atlarged::kernel::language::Language;
use atlarged::kernel::workflow::{Input, Note};
use atlarged::ports::store::{Books, Release, Store};
use atlarged::workflows::office::News;
use serde_json::json;

#[tokio::test]
async fn a_replayed_mail_does_not_undo_a_changed_vote() {
    let mut rig = Rig::new().await;
    rig.ballot().await;
    let to = format!("To: {}", rig.reply_address(rig.asked(1).await.id));
    rig.arrives(10, 1, &to, "YES");
    rig.arrives(20, 2, &to, "NO");
    rig.turn(21).await;
    assert_eq!(rig.notices("ballot/confirm").await.len(), 0);
    rig.arrives(30, 1, &format!("X-Again: 1\r\n{to}"), "YES");
    rig.turn(31).await;
    assert_eq!(rig.notices("ballot/confirm").await.len(), 1, "asked at the address on file");
    rig.arrives(40, 4, &to, "YES");
    rig.turn(41).await;
    assert_eq!(rig.notices("ballot/confirm").await.len(), 1, "a new mail needs no confirmation");
}

#[tokio::test]
async fn a_fetch_says_whether_it_was_complete() {
    let mut rig = Rig::new().await;
    rig.inbox.whole = false;
    assert!(!rig.daemon.fetch(MAILBOX, &mut rig.inbox, t(1)).await.unwrap().complete);
    rig.inbox.whole = true;
    assert!(rig.daemon.fetch(MAILBOX, &mut rig.inbox, t(2)).await.unwrap().complete);
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_flagged_is_read_all_the_same() {
    let mut rig = Rig::new().await;
    let case = rig.ballot().await;
    let wakes = rig.store().case(case).await.unwrap().unwrap().wake_at.unwrap();
    rig.inbox.tidy = false;
    rig.arrives(5, 1, "", "HELP");
    let later = (wakes - t(0)).num_minutes() + 5;
    let brought = rig.daemon.fetch(MAILBOX, &mut rig.inbox, t(later)).await.unwrap();
    assert!(brought.complete && brought.unfinished.is_some() && brought.fresh == 1, "{brought:?}");
    rig.daemon.think(t(later)).await.unwrap();
    assert!(rig.inputs(case).await.contains(&json!("wake")), "its clock fired");
}

/// Lets what is in quarantine out, for a person found it fine.
async fn accept(rig: &mut Rig, minutes: i64) {
    let item = rig.store().quarantined().await.unwrap().remove(0);
    rig.store().unquarantine(&item, Release::Accept, t(minutes)).await.unwrap();
    rig.turn(minutes).await;
}

fn one(books: Books) -> (u64, u64) {
    (books.acted, books.quarantined)
}

#[tokio::test]
async fn a_mail_with_odd_times_counts_once_a_person_accepts_it() {
    let mut rig = Rig::new().await;
    rig.ballot().await;
    let to = format!("To: {}", rig.reply_address(rig.asked(1).await.id));
    rig.arrives(500, 1, &to, "YES");
    rig.turn(10).await;
    assert_eq!(one(rig.store().books().await.unwrap()), (0, 1), "it comes from the future");
    accept(&mut rig, 20).await;
    assert_eq!(one(rig.store().books().await.unwrap()), (1, 0));
}

#[tokio::test]
async fn a_mail_to_the_reply_addresses_of_two_people_waits_for_a_person() {
    let mut rig = Rig::new().await;
    rig.ballot().await;
    let address = |row: atlarged::advance::OutboxRow| rig.reply_address(row.id);
    let (ann, bob) = (address(rig.asked(1).await), address(rig.asked(2).await));
    rig.arrives(10, 1, &format!("To: {ann}\r\nCc: {bob}"), "YES");
    rig.turn(11).await;
    assert_eq!(one(rig.store().books().await.unwrap()), (0, 1));
    accept(&mut rig, 20).await;
    assert_eq!(one(rig.store().books().await.unwrap()), (1, 0), "the first carrier decides");
}

#[tokio::test]
async fn a_second_stay_in_quarantine_is_told_again() {
    let mut rig = Rig::new().await;
    rig.arrives(500, 1, "To: clerk@atlarge.example", "HELP");
    rig.turn(10).await;
    let item = rig.store().quarantined().await.unwrap().remove(0);
    rig.store().unquarantine(&item, Release::Retry, t(20)).await.unwrap();
    rig.turn(20).await;
    assert_eq!(rig.notices("office/quarantined").await.len(), 2);
}

#[tokio::test]
async fn only_our_own_mail_comes_home_not_its_bounce() {
    let mut rig = Rig::new().await;
    let (to, _): (StrangerId, _) = rig.store().stranger(CLERK, Language::En, t(0)).await.unwrap();
    let news = News::Heartbeat { to, at: t(1) };
    let note = Note { from: OFFICE, body: json!(news), arrived: t(1) };
    rig.post("heartbeat", LetterBody::ToCase(OFFICE, Input::Note(note))).await;
    rig.turn(1).await;
    let token = rig.reply_address(rig.notices("office/heartbeat").await[0].row.id);
    let bounce = format!(
        "From: MAILER-DAEMON@mx.atlarge.example\r\nTo: {token}\r\nReturn-Path: <>\r\n\
         Subject: Mail delivery failed\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nno such user\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.atlarge.example\r\n\r\n\
         Final-Recipient: rfc822; {CLERK}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    );
    rig.inbox.mails.push((t(2), bounce));
    rig.turn(2).await;
    assert_eq!(rig.store().fact("heartbeat-home").await.unwrap(), None);
    let own = rig.out.sent.remove(0);
    rig.inbox.mails.push((t(3), own));
    rig.turn(3).await;
    assert!(rig.store().fact("heartbeat-home").await.unwrap().is_some());
}

#[tokio::test]
async fn a_flood_under_somebodys_name_makes_few_tasks_and_few_answers_and_nothing_is_lost() {
    let mut rig = Rig::new().await;
    for n in 0..60 {
        let raw =
            format!("From: bob@b.example\r\nSubject: x\r\nMessage-ID: <{n}@b.example>\r\n\r\nBuy {n}!\r\n");
        rig.inbox.mails.push((t(10), raw));
    }
    rig.arrives(10, 99, "To: clerk@atlarge.example", "How does one join?");
    rig.turn(11).await;
    assert_eq!(rig.notices("enquiry/task").await.len(), 11, "ten that nobody vouches for, and Ann's");
    assert_eq!(rig.notices("enquiry/received").await.len(), 11);
    let set_aside = rig.store().quarantined().await.unwrap();
    assert_eq!(set_aside.len(), 50);
    assert_eq!(rig.notices("office/quarantined").await.len(), 0, "a flood of mails is no flood of news");
    rig.daemon.tell_quarantined(t(12)).await.unwrap();
    rig.turn(13).await;
    assert_eq!(rig.notices("office/quarantined").await.len(), 0);
    assert_eq!(rig.store().turned_away(t(0)).await.unwrap(), [("b.example".to_owned(), 50)]);
    rig.store().unquarantine(&set_aside[0], Release::Accept, t(14)).await.unwrap();
    rig.turn(15).await;
    assert_eq!(rig.notices("enquiry/task").await.len(), 12, "a person looked at it");
}
