//! Mails over 1 MiB: they come in parts, and all is as if they had come whole.

use crate::daemon_rig::{Rig, t, with_document};
use atlarged::ports::store::{Parts, Store};
use chrono::NaiveDate;

const LARGE: usize = 3 << 20;

/// A ballot is open; a mail of Ann's with a large document that answers it.
async fn asked(text: &str) -> (Rig, String) {
    let mut rig = Rig::new().await;
    rig.ballot().await;
    let to = format!("To: {}", rig.reply_address(rig.asked(1).await.id));
    rig.arrives(10, 1, &to, text);
    let (_, raw) = rig.inbox.mails.pop().expect("a mail");
    (rig, with_document(&raw, LARGE))
}

impl Rig {
    /// How many mails there are, how many receipts, and how many uploads that nothing names.
    async fn large(&self) -> (u64, usize, u64) {
        let books = self.store().books().await.expect("the books");
        let orphans = self.store().tidy_parts(t(100_000), NaiveDate::MIN).await.expect("tidy");
        (books.received, self.notices("ballot/receipt").await.len(), orphans)
    }
}

#[tokio::test]
async fn an_answer_with_a_large_document_counts() {
    let (mut rig, raw) = asked("YES").await;
    rig.inbox.mails.push((t(10), raw));
    rig.turn(11).await;
    assert_eq!(rig.large().await, (1, 1, 0));
}

#[tokio::test]
async fn a_fetch_that_breaks_in_the_middle_leaves_nothing_and_loses_nothing() {
    let (mut rig, raw) = asked("YES").await;
    rig.inbox.mails.push((t(10), raw));
    rig.inbox.dies_after = Some(12);
    assert!(rig.daemon.fetch("main", &mut rig.inbox, t(11)).await.is_err());
    assert_eq!(rig.large().await, (0, 0, 0));
    rig.turn(12).await;
    rig.turn(13).await;
    assert_eq!(rig.large().await, (1, 1, 0));
}

#[tokio::test]
async fn the_same_large_mail_by_another_way_is_one_mail() {
    let (mut rig, raw) = asked("YES").await;
    rig.inbox.mails.push((t(10), raw.clone()));
    rig.inbox.mails.push((t(11), format!("Received: by another way\r\n{raw}")));
    rig.inbox.mails.push((t(12), raw.replacen("QUJD", "QUJE", 1)));
    rig.turn(13).await;
    let (received, _, orphans) = rig.large().await;
    assert_eq!((received, orphans), (2, 0), "the third is another mail");
}

#[tokio::test]
async fn what_waits_for_a_person_shows_what_is_read_of_it() {
    let (mut rig, raw) = asked("YES").await;
    rig.inbox.mails.push((t(500), raw));
    rig.turn(10).await;
    let item = rig.store().quarantined().await.unwrap().remove(0);
    let mail = rig.store().quarantined_mail(item.mail.unwrap()).await.unwrap().unwrap();
    assert!(mail.size > LARGE as u64 && mail.raw.bytes.len() < 10_000, "{}", mail.raw.bytes.len());
    let opened = rig.daemon.open_mail(&mail).unwrap().expect("its key is there");
    let letter = atlarged::letters::read_skeleton(&opened.skeleton, &Default::default());
    assert_eq!((letter.text.as_str(), letter.attachments.len()), ("YES", 1));
    assert!(letter.attachments[0].size > LARGE / 2);
    assert!(rig.daemon.keys.open(&mail.raw, b"mail").is_err(), "it is no whole mail");
}

#[tokio::test]
async fn parts_go_with_the_key_of_their_day() {
    let (mut rig, raw) = asked("YES").await;
    rig.inbox.mails.push((t(10), raw));
    rig.turn(11).await;
    let orphans = |kept| rig.store().tidy_parts(t(100_000), kept);
    let day = t(0).date_naive();
    assert_eq!(orphans(day).await.unwrap(), 0);
    assert_eq!(orphans(day.succ_opt().unwrap()).await.unwrap(), 1, "nobody can open them any more");
}
