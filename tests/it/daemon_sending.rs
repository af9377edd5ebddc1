//! Mail out: what is limited and what never is, and that nobody waits in vain for a mail that cannot leave.

use crate::daemon_rig::{Relay, Rig, t};
use atlarged::kernel::ids::CaseId;
use atlarged::ports::store::Store;
use chrono::Duration;

async fn sent(rig: &Rig, template: &str) -> usize {
    rig.notices(template).await.iter().filter(|notice| notice.status == "sent").count()
}

#[tokio::test]
async fn a_person_gets_every_receipt_but_not_every_refusal_of_a_day() {
    let mut rig = Rig::new().await;
    rig.ballot().await;
    let to = format!("To: {}", rig.reply_address(rig.asked(1).await.id));
    for n in 0..50 {
        rig.arrives(10, n, &to, if n % 2 == 0 { "YES" } else { "NO" });
    }
    rig.turn(11).await;
    let receipts = sent(&rig, "ballot/receipt").await + sent(&rig, "ballot/receipt-changed").await;
    assert_eq!(receipts, 50);
    for n in 100..150 {
        rig.arrives(20, n, &to, "Yes and no");
    }
    rig.turn(21).await;
    assert_eq!(sent(&rig, "ballot/two-answers").await, 40, "a machine would go on for ever");
    rig.arrives(30, 200, &to, "YES");
    rig.turn(31).await;
    let receipts = sent(&rig, "ballot/receipt").await + sent(&rig, "ballot/receipt-changed").await;
    assert_eq!(receipts, 51, "refusals do not use up receipts");
}

/// What the ballot heard of mail that did not arrive: the first such input.
async fn undelivered(rig: &Rig, case: CaseId) -> Option<serde_json::Value> {
    rig.inputs(case).await.into_iter().find_map(|input| input.get("undelivered").cloned())
}

#[tokio::test]
async fn a_ballot_that_is_put_off_for_a_third_of_its_time_becomes_a_task() {
    let mut rig = Rig::new().await;
    let case = rig.ballot().await;
    rig.out.relay = Relay::Busy;
    let closes = rig.asked(1).await.not_after.unwrap();
    let third = (closes - t(1)) / 3;
    let mut now = t(1);
    while now < t(1) + third - Duration::hours(5) {
        rig.daemon.send(&mut rig.out, now).await.unwrap();
        now += Duration::minutes(30);
    }
    rig.daemon.think(now).await.unwrap();
    assert_eq!(undelivered(&rig, case).await, None, "it is tried meanwhile");
    while now < t(1) + third + Duration::hours(5) {
        rig.daemon.send(&mut rig.out, now).await.unwrap();
        now += Duration::minutes(30);
    }
    rig.daemon.think(now).await.unwrap();
    assert_eq!(undelivered(&rig, case).await.unwrap()["permanent"], true);
    let tasks = rig.store().tasks().await.unwrap();
    assert!(tasks.iter().any(|task| task.task.template == "ballot/unreachable"), "{tasks:?}");
}

#[tokio::test]
async fn a_question_that_never_left_is_reported_when_its_time_is_over() {
    let mut rig = Rig::new().await;
    let case = rig.ballot().await;
    rig.out.relay = Relay::Down;
    rig.daemon.send(&mut rig.out, t(2)).await.unwrap_err();
    let over = rig.asked(1).await.not_after.unwrap() + Duration::minutes(1);
    rig.out.relay = Relay::Well;
    rig.daemon.send(&mut rig.out, over).await.unwrap();
    assert_eq!(rig.notices("ballot/ballot").await[0].status, "lapsed");
    rig.daemon.think(over).await.unwrap();
    assert_eq!(undelivered(&rig, case).await.unwrap()["permanent"], true);
}

#[tokio::test]
async fn a_mail_is_tried_often_while_little_time_is_left() {
    let mut rig = Rig::new().await;
    rig.ballot().await;
    rig.out.relay = Relay::Down;
    let closes = rig.asked(1).await.not_after.unwrap();
    let mut now = t(2);
    // Nobody is there for most of the time; then the relay is down until shortly before the close.
    while now < closes - Duration::minutes(30) {
        let _ = rig.daemon.send(&mut rig.out, now).await;
        now += Duration::minutes(10);
    }
    rig.out.relay = Relay::Well;
    while now < closes - Duration::minutes(10) {
        rig.daemon.send(&mut rig.out, now).await.unwrap();
        now += Duration::minutes(1);
    }
    assert_eq!(sent(&rig, "ballot/ballot").await, 2);
}
