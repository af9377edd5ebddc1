//! The IMAP mailbox against a real server.

use super::ports_rig::{Kept, Path, State, mail, rig, subject};
use atlarged::ports::mailbox::{Body, Cursor, Done, Mailbox, Offset, Woken, imap::Imap};
use std::time::Duration;

#[tokio::test]
async fn each_mail_is_read_once_also_over_a_restart() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    for n in 1..=3 {
        hand.put("INBOX", &mail(&format!("first {n}"))).await;
    }
    assert!(kept.fetch(&mut rig.imap("")).await.expect("a fetch").complete());
    assert_eq!(kept.subjects(), ["first 1", "first 2", "first 3"]);
    hand.put("INBOX", &mail("second")).await;
    let mut restarted = rig.imap("");
    kept.fetch(&mut restarted).await.expect("a fetch");
    assert_eq!(kept.subjects(), ["second"]);
    kept.fetch(&mut restarted).await.expect("a fetch");
    assert!(kept.subjects().is_empty());
}

#[tokio::test]
async fn what_others_flag_or_read_is_still_read_by_us() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    hand.put("INBOX", &mail("seen by a person")).await;
    hand.search("INBOX", "ALL").await;
    hand.run("UID STORE 1:* +FLAGS (\\Seen)").await;
    kept.fetch(&mut rig.imap("")).await.expect("a fetch");
    assert_eq!(kept.subjects(), ["seen by a person"]);
}

#[tokio::test]
async fn five_hundred_mails_come_in_batches() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    for n in 0..500 {
        hand.put("INBOX", &mail(&n.to_string())).await;
    }
    kept.fetch(&mut rig.imap("")).await.expect("a fetch");
    assert_eq!(kept.look(|kept| kept.batches.clone()), [100; 5]);
    assert_eq!(kept.subjects(), (0..500).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_renumbered_folder_is_read_again_from_its_start() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    hand.run("CREATE Letters").await;
    hand.put("Letters", &mail("old")).await;
    let mut imap = rig.imap("inbox = \"Letters\"");
    assert!(kept.fetch(&mut imap).await.expect("a fetch").rescanned.is_empty());
    hand.run("DELETE Letters").await;
    hand.run("CREATE Letters").await;
    hand.put("Letters", &mail("new 1")).await;
    hand.put("Letters", &mail("new 2")).await;
    let fetched = kept.fetch(&mut imap).await.expect("a fetch");
    assert_eq!(fetched.rescanned, ["Letters"]);
    assert_eq!(kept.subjects(), ["old", "new 1", "new 2"]);
    assert!(kept.fetch(&mut imap).await.expect("a fetch").rescanned.is_empty());
}

#[tokio::test]
async fn a_uidnext_that_fell_back_means_reading_again() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    hand.put("INBOX", &mail("restored from a backup")).await;
    let mut imap = rig.imap("");
    kept.fetch(&mut imap).await.expect("a fetch");
    kept.look(|kept| {
        let cursor = kept.cursors.get_mut("INBOX").expect("a cursor");
        *cursor = Cursor { next_uid: 900, ..*cursor };
    });
    assert_eq!(kept.fetch(&mut imap).await.expect("a fetch").rescanned, ["INBOX"]);
    assert_eq!(kept.subjects(), ["restored from a backup", "restored from a backup"]);
}

#[tokio::test]
async fn nothing_is_flagged_before_it_is_durable() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    hand.put("INBOX", &mail("precious")).await;
    kept.look(|kept| kept.fail_after = Some(0));
    let mut imap = rig.imap("");
    let fault = kept.fetch(&mut imap).await.expect_err("the store is down");
    assert_eq!(fault.what, "storing letters");
    assert_eq!(hand.search("INBOX", "UNSEEN").await.len(), 1);
    kept.look(|kept| kept.fail_after = None);
    kept.fetch(&mut imap).await.expect("a fetch");
    assert_eq!(kept.subjects(), ["precious"]);
    assert_eq!(hand.search("INBOX", "UNSEEN").await.len(), 1);
}

#[tokio::test]
async fn handled_mail_moves_kept_mail_stays_confidential_mail_is_gone() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    for name in ["handled", "kept", "confidential"] {
        hand.put("INBOX", &mail(name)).await;
    }
    let mut imap = rig.imap("handled = \"Handled\"");
    kept.fetch(&mut imap).await.expect("a fetch");
    let work = [Done::Handled, Done::Keep, Done::Expunge];
    let done: Vec<_> =
        kept.look(|kept| kept.arrivals.iter().zip(work).map(|(a, what)| (a.place.clone(), what)).collect());
    let finished = imap.finish(&done).await.expect("finished");
    assert_eq!(finished.moved.len(), 1, "the server tells where it went");
    assert_eq!((&finished.moved[0].0, finished.moved[0].1.folder.as_str()), (&done[0].0, "Handled"));
    let again = imap.finish(&done).await.expect("finished");
    assert!(finished.stale.is_empty() && again.stale.is_empty() && again.moved.is_empty());
    assert_eq!(hand.search("INBOX", "ALL").await.len(), 1);
    assert_eq!(hand.search("INBOX", "UNSEEN SUBJECT kept").await.len(), 1);
    assert_eq!(hand.search("Handled", "SEEN SUBJECT handled").await.len(), 1);
    assert_eq!(hand.search("Handled", "ALL").await.len(), 1);
    imap.finish(&[(finished.moved[0].1.clone(), Done::Expunge)]).await.expect("finished");
    assert_eq!(hand.search("Handled", "ALL").await.len(), 0);
}

#[tokio::test]
async fn starttls_protects_as_tls_does() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    hand.put("INBOX", &mail("protected")).await;
    let mut config = rig.imap_config("security = \"starttls\"");
    config.port = rig.sandbox.imap_starttls().port;
    kept.fetch(&mut Imap::new(config.clone(), Offset::default())).await.expect("a fetch");
    assert_eq!(kept.subjects(), ["protected"]);
    let path = Path::hiding(config.port, &["STARTTLS"]).await;
    config.port = path.port;
    config.ca_file = None;
    assert!(kept.fetch(&mut Imap::new(config, Offset::default())).await.is_err());
}

#[tokio::test]
async fn places_of_a_renumbered_folder_are_not_touched() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    hand.put("INBOX", &mail("other")).await;
    let mut imap = rig.imap("");
    kept.fetch(&mut imap).await.expect("a fetch");
    let mut place = kept.look(|kept| kept.arrivals[0].place.clone());
    place.uid_validity += 1;
    let finished = imap.finish(&[(place.clone(), Done::Expunge)]).await.expect("finished");
    assert_eq!(finished.stale, [place]);
    assert_eq!(hand.search("INBOX", "ALL").await.len(), 1);
}

#[tokio::test]
async fn junk_is_read_and_marked_as_such() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    hand.run("CREATE Spam").await;
    hand.put("INBOX", &mail("wanted")).await;
    hand.put("Spam", &mail("a vote taken for junk")).await;
    kept.fetch(&mut rig.imap("junk = [\"Spam\"]")).await.expect("a fetch");
    let junk = kept.look(|kept| kept.arrivals.iter().map(|a| a.junk).collect::<Vec<_>>());
    assert_eq!(junk, [false, true]);
}

#[tokio::test]
async fn a_missing_folder_makes_a_fetch_incomplete_but_the_others_are_read() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    hand.put("INBOX", &mail("wanted")).await;
    let fetched = kept.fetch(&mut rig.imap("junk = [\"Nowhere\"]")).await.expect("a fetch");
    assert!(!fetched.complete());
    assert!(fetched.faults[0].what.contains("Nowhere"), "{}", fetched.faults[0]);
    assert_eq!(kept.subjects(), ["wanted"]);
}

#[tokio::test]
async fn a_large_mail_comes_whole_in_parts_and_an_oversize_one_as_its_header() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    let fill = |n: usize| (0..n / 16).map(|n| format!("line {n:08}\r\n")).collect::<String>();
    let large = mail("large") + &fill(5 << 19);
    let exact = mail("exact");
    let exact = format!("{exact}{}\r\n", "x".repeat((1 << 21) - exact.len() - 2));
    let oversize = mail("oversize") + &fill(4 << 20);
    for text in ["small", &large, &exact, &oversize] {
        hand.put("INBOX", if text == "small" { "Subject: small\r\n\r\n" } else { text }).await;
    }
    kept.fetch(&mut rig.imap("max_mail_bytes = 3000000")).await.expect("a fetch");
    kept.look(|kept| {
        assert_eq!(
            kept.arrivals.iter().map(|a| subject(&a.body)).collect::<Vec<_>>(),
            ["small", "large", "exact", "oversize"]
        );
        assert!(kept.arrivals[1].body == Body::Whole(large.clone().into_bytes()));
        assert!(kept.arrivals[2].body == Body::Whole(exact.clone().into_bytes()));
        let header = mail("oversize").split("I vote").next().expect("a header").as_bytes().to_vec();
        assert!(kept.arrivals[3].body == Body::HeaderOnly(header), "{:?}", kept.arrivals[3].body);
        assert_eq!(kept.arrivals[3].size, oversize.len() as u64);
        assert_eq!(kept.batches, [1, 1, 1, 1]);
    });
}

#[tokio::test]
async fn arrival_times_come_in_utc_plus_the_offset_of_the_crank() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    hand.put_at("INBOX", "\"01-Jul-2026 08:00:00 +0200\"", &mail("dated")).await;
    let offset = Offset::default();
    offset.set(chrono::Duration::days(10));
    kept.fetch(&mut Imap::new(rig.imap_config(""), offset)).await.expect("a fetch");
    let at = kept.look(|kept| kept.arrivals[0].internal_date.to_rfc3339());
    assert_eq!(at, "2026-07-11T06:00:00+00:00");
}

#[tokio::test]
async fn waiting_ends_when_mail_arrives() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    let mut imap = rig.imap("");
    kept.fetch(&mut imap).await.expect("a fetch");
    let text = mail("news");
    let (woken, ()) = tokio::join!(imap.wait(Duration::from_secs(30)), hand.put("INBOX", &text));
    assert_eq!(woken.expect("a wait"), Woken::Mail);
    kept.fetch(&mut imap).await.expect("a fetch");
    assert_eq!(kept.subjects(), ["news"]);
}

#[tokio::test]
async fn mail_between_fetching_and_waiting_is_noticed() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    let mut imap = rig.imap("");
    kept.fetch(&mut imap).await.expect("a fetch");
    hand.put("INBOX", &mail("in between")).await;
    assert_eq!(imap.wait(Duration::from_secs(30)).await.expect("a wait"), Woken::Mail);
}

#[tokio::test]
async fn waiting_ends_in_time_when_nothing_arrives_and_renews_idle_meanwhile() {
    let rig = rig().await;
    let mut imap = rig.imap("idle_seconds = 1");
    Kept::default().fetch(&mut imap).await.expect("a fetch");
    assert_eq!(imap.wait(Duration::from_millis(2200)).await.expect("a wait"), Woken::Timeout);
}

#[tokio::test]
async fn a_wait_may_be_dropped_and_the_connection_goes_on() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    let path = Path::to(rig.sandbox.imap().port).await;
    let mut config = rig.imap_config("");
    config.port = path.port;
    let mut imap = Imap::new(config, Offset::default());
    kept.fetch(&mut imap).await.expect("a fetch");
    for n in 0..3 {
        let dropped =
            tokio::time::timeout(Duration::from_millis(100), imap.wait(Duration::from_secs(30))).await;
        assert!(dropped.is_err());
        hand.put("INBOX", &mail(&n.to_string())).await;
        assert_eq!(imap.wait(Duration::from_secs(30)).await.expect("a wait"), Woken::Mail);
        kept.fetch(&mut imap).await.expect("a fetch");
        assert_eq!(kept.subjects(), [n.to_string()]);
    }
    assert_eq!(path.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_is_opened_again() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    let path = Path::to(rig.sandbox.imap().port).await;
    let mut config = rig.imap_config("");
    config.port = path.port;
    let mut imap = Imap::new(config, Offset::default());
    kept.fetch(&mut imap).await.expect("a fetch");
    path.set(State::Cut);
    assert!(kept.fetch(&mut imap).await.is_err());
    let why = kept.fetch(&mut imap).await.expect_err("still in back-off").why;
    assert!(why.contains("next attempt within"), "{why}");
    path.set(State::Open);
    hand.put("INBOX", &mail("after the outage")).await;
    imap.wait(Duration::from_secs(5)).await.expect("waits the back-off out");
    kept.fetch(&mut imap).await.expect("a fetch");
    assert_eq!(kept.subjects(), ["after the outage"]);
}

#[tokio::test]
async fn an_answer_that_breaks_off_never_looks_like_a_mailbox_without_mail() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    for n in 0..40 {
        hand.put("INBOX", &mail(&n.to_string())).await;
    }
    for bytes in [200, 600, 1500, 3000, 5000] {
        let path = Path::to(rig.sandbox.imap().port).await;
        let mut config = rig.imap_config("");
        config.port = path.port;
        let mut imap = Imap::new(config, Offset::default());
        let none = Kept::default();
        none.look(|kept| kept.fail_after = Some(0));
        // The store refuses, so the connection is open, logged in and in the middle of its work.
        none.fetch(&mut imap).await.expect_err("no store");
        path.set(State::CutAfter(bytes));
        kept.look(|kept| kept.cursors.clear());
        assert!(kept.fetch(&mut imap).await.is_err(), "cut after {bytes} bytes");
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_a_fault_in_time() {
    let rig = rig().await;
    let kept = Kept::default();
    let path = Path::to(rig.sandbox.imap().port).await;
    let mut config = rig.imap_config("timeout_seconds = 1");
    config.port = path.port;
    let mut imap = Imap::new(config, Offset::default());
    kept.fetch(&mut imap).await.expect("a fetch");
    path.set(State::Silent);
    let fault = kept.fetch(&mut imap).await.expect_err("silence");
    assert!(fault.why.contains("within 1 s"), "{fault}");
}

#[tokio::test]
async fn a_refused_login_is_a_fault_that_tells_no_secret() {
    let rig = rig().await;
    std::fs::write(rig.password_file(), "wr0ng-secret").expect("a file");
    let fault = Kept::default().fetch(&mut rig.imap("")).await.expect_err("no login").to_string();
    assert!(fault.contains("login refused") && fault.contains("check user and password"), "{fault}");
    assert!(!fault.contains("wr0ng") && !fault.contains(&rig.address), "{fault}");
    let config = format!("{:?}", rig.imap_config(""));
    assert!(!config.contains("wr0ng"));
}

#[tokio::test]
async fn a_certificate_nobody_vouched_for_is_refused() {
    let rig = rig().await;
    let mut config = rig.imap_config("");
    config.ca_file = None;
    let fault = Kept::default().fetch(&mut Imap::new(config, Offset::default())).await.expect_err("no trust");
    assert!(fault.what.contains("TLS handshake"), "{fault}");
}
