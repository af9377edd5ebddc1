//! The IMAP mailbox against a real server.

use super::ports_fake;
use super::ports_rig::{Kept, Path, State, mail, rig, subject};
use atlarged::ports::mailbox::{Body, Cursor, Done, Mailbox, Offset, Woken, imap::Imap};
use atlarged::ports::net::Security;
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
    for _ in 0..2 {
        assert!(imap.finish(&done).await.expect("finished").stale.is_empty());
    }
    assert_eq!(hand.search("INBOX", "ALL").await.len(), 1);
    assert_eq!(hand.search("INBOX", "UNSEEN SUBJECT kept").await.len(), 1);
    assert_eq!(hand.search("Handled", "SEEN SUBJECT handled").await.len(), 1);
    assert_eq!(hand.search("Handled", "ALL").await.len(), 1);
}

/// Handles one mail and expunges another at a server that hides some abilities.
async fn check_without(words: &'static [&'static str]) {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    for name in ["handled", "confidential", "kept"] {
        hand.put("INBOX", &mail(name)).await;
    }
    let path = Path::hiding(rig.sandbox.imap_starttls().port, words).await;
    let mut config = rig.imap_config("handled = \"Handled\"\npoll_seconds = 1");
    (config.port, config.security) = (path.port, Security::None);
    let mut imap = Imap::new(config, Offset::default());
    kept.fetch(&mut imap).await.expect("a fetch");
    let work = [Done::Handled, Done::Expunge, Done::Keep];
    let places = kept.look(|kept| kept.arrivals.iter().map(|a| a.place.clone()).collect::<Vec<_>>());
    imap.finish(&places.into_iter().zip(work).collect::<Vec<_>>()).await.expect("finished");
    assert_eq!(hand.search("INBOX", "ALL").await.len(), 1, "without {words:?}");
    assert_eq!(hand.search("INBOX", "SUBJECT kept").await.len(), 1, "without {words:?}");
    assert_eq!(hand.search("Handled", "SEEN SUBJECT handled").await.len(), 1, "without {words:?}");
    let wait = imap.wait(Duration::from_secs(2)).await.expect("a wait");
    assert_eq!(wait, Woken::Timeout);
}

#[tokio::test]
async fn servers_without_move_uidplus_or_idle_will_do() {
    check_without(&["MOVE"]).await;
    check_without(&["MOVE", "UIDPLUS"]).await;
    check_without(&["IDLE"]).await;
}

#[tokio::test]
async fn without_uidplus_mail_that_others_marked_deleted_is_not_taken_along() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    hand.put("INBOX", &mail("confidential")).await;
    hand.put("INBOX", &mail("marked by a person")).await;
    hand.search("INBOX", "ALL").await;
    hand.run("UID STORE 2 +FLAGS (\\Deleted)").await;
    let path = Path::hiding(rig.sandbox.imap_starttls().port, &["UIDPLUS"]).await;
    let mut config = rig.imap_config("");
    (config.port, config.security) = (path.port, Security::None);
    let mut imap = Imap::new(config, Offset::default());
    kept.fetch(&mut imap).await.expect("a fetch");
    let place = kept.look(|kept| kept.arrivals[0].place.clone());
    let fault = imap.finish(&[(place, Done::Expunge)]).await.expect_err("not ours to expunge");
    assert!(fault.why.contains("UIDPLUS"), "{fault}");
    assert_eq!(hand.search("INBOX", "ALL").await.len(), 2);
}

#[tokio::test]
async fn a_mail_that_the_server_cannot_give_stops_nobody_behind_it() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    for name in ["before", "broken", "behind"] {
        hand.put("INBOX", &mail(name)).await;
    }
    rig.spoil("broken");
    let mut imap = rig.imap("");
    // Dovecot hangs up over a file it cannot read; each time is a fault, and after a few the mail is passed
    // on.
    let faults = [kept.fetch(&mut imap).await, kept.fetch(&mut imap).await, kept.fetch(&mut imap).await];
    for fault in faults {
        let why = fault.expect_err("a goodbye").why;
        assert!(why.contains("hung up"), "{why}");
    }
    let mut more = 0;
    while kept.fetch(&mut imap).await.is_err() {
        more += 1;
        assert!(more < 3, "the mail blocks the mailbox");
    }
    let bodies = kept.look(|kept| kept.arrivals.iter().map(|a| a.body.clone()).collect::<Vec<_>>());
    assert_eq!(kept.subjects(), ["before", "", "behind"]);
    assert!(bodies[1] == Body::HeaderOnly(Vec::new()), "{bodies:?}");
}

#[tokio::test]
async fn a_probe_shows_whether_expunged_mail_is_gone() {
    let rig = rig().await;
    let mut hand = rig.hand().await;
    hand.put("INBOX", &mail("bystander")).await;
    assert_eq!(rig.imap("").expunge_probe().await.expect("a probe"), Vec::<String>::new());
    assert_eq!(hand.search("INBOX", "ALL").await.len(), 1);
    // As at servers with an archive of all mail: a copy is made before the mail goes.
    let archiving = "UID COPY 3 Archive\r\nzz1 UID STORE 3";
    hand.run("CREATE Archive").await;
    let path = Path::twisting(rig.sandbox.imap_starttls().port, "UID STORE 3", archiving).await;
    let mut config = rig.imap_config("");
    (config.port, config.security) = (path.port, Security::None);
    let left = Imap::new(config, Offset::default()).expunge_probe().await;
    assert_eq!(left.expect("a probe"), ["Archive"]);
}

#[tokio::test]
async fn an_expunge_that_the_server_only_claims_is_found_out() {
    let rig = rig().await;
    let (mut hand, kept) = (rig.hand().await, Kept::default());
    hand.put("INBOX", &mail("confidential")).await;
    let path = Path::twisting(rig.sandbox.imap_starttls().port, "UID EXPUNGE", "UID SEARCH UID").await;
    let mut config = rig.imap_config("");
    (config.port, config.security) = (path.port, Security::None);
    let mut imap = Imap::new(config, Offset::default());
    kept.fetch(&mut imap).await.expect("a fetch");
    let place = kept.look(|kept| kept.arrivals[0].place.clone());
    let fault = imap.finish(&[(place.clone(), Done::Expunge)]).await.expect_err("it is still there");
    assert!(fault.why.contains("1 mails are still there"), "{fault}");
    rig.imap("").finish(&[(place, Done::Expunge)]).await.expect("finished");
    assert!(hand.search("INBOX", "ALL").await.is_empty());
}

#[tokio::test]
async fn a_password_outside_ascii_is_sent_as_sasl() {
    let rig = rig().await;
    std::fs::write(rig.password_file(), "пароль").expect("a file");
    let fault = Kept::default().fetch(&mut rig.imap("")).await.expect_err("not the password").to_string();
    assert!(fault.contains("login refused"), "{fault}");
}

fn at_fake(port: u16, more: &str) -> Imap {
    let text = format!("host = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nuser = \"clerk\"\n{more}");
    Imap::new(toml::from_str(&text).expect("a configuration"), Offset::default())
}

#[tokio::test]
async fn an_oauth2_token_logs_in() {
    let (port, heard) = ports_fake::imap(|line| match line.split(' ').next().unwrap_or_default() {
        "GREETING" => "* OK hello\r\n",
        "AUTHENTICATE" => "+ ",
        "CAPABILITY" => "* CAPABILITY IMAP4rev1\nOK done",
        "EXAMINE" => "* 0 EXISTS\n* OK [UIDVALIDITY 7] yes\n* OK [UIDNEXT 1] yes\nOK done",
        _ => "OK done",
    })
    .await;
    let kept = Kept::default();
    let mut imap = at_fake(port, "oauth2_token_command = [\"echo\", \"token\"]");
    assert!(kept.fetch(&mut imap).await.expect("a fetch").complete());
    assert_eq!(kept.look(|kept| kept.cursors["INBOX"]), Cursor { uid_validity: 7, next_uid: 1 });
    let said = heard.lock().expect("an ear").clone();
    assert!(said[0].ends_with(" AUTHENTICATE XOAUTH2"), "{said:?}");
    let message = data_encoding::BASE64.decode(said[1].as_bytes()).expect("base64");
    assert_eq!(String::from_utf8_lossy(&message), "user=clerk\x01auth=Bearer token\x01\x01");
}

/// Fetches from a server that answers as told; gives the fault's text.
async fn check_fault(answer: fn(&str) -> &'static str, expected: &str) {
    let (port, _) = ports_fake::imap(answer).await;
    let more = "timeout_seconds = 1\noauth2_token_command = [\"echo\", \"s3cret\"]";
    let fault = match Kept::default().fetch(&mut at_fake(port, more)).await {
        Ok(fetched) => fetched.faults.into_iter().next().expect("a fault"),
        Err(fault) => fault,
    };
    let text = fault.to_string();
    assert!(text.contains(expected), "{text}");
    assert!(!text.contains("s3cret") && !text.contains("ana@") && !text.contains("vote"), "{text}");
}

#[tokio::test]
async fn servers_that_talk_nonsense_are_faults_in_plain_words() {
    check_fault(|_| "220 smtp.example ESMTP\r\n", "does not speak IMAP").await;
    check_fault(|_| "* BYE full\r\n", "not ready to serve us").await;
    fn hello(line: &str, then: &'static str) -> &'static str {
        if line == "GREETING" { "* OK hello\r\n" } else { then }
    }
    check_fault(|line| hello(line, "NO ana@als.example may not"), "login refused").await;
    check_fault(|line| hello(line, "* 1 FETCH (BODY[] I vote yes\nOK"), "could not be understood").await;
    check_fault(|line| hello(line, "+ bm8="), "no answer").await;
    fn inside(line: &str, then: &'static str) -> &'static str {
        match line.split(' ').next().unwrap_or_default() {
            "AUTHENTICATE" => "+ ",
            "CAPABILITY" => "* CAPABILITY IMAP4rev1\nOK done",
            "EXAMINE" => then,
            _ => hello(line, "OK done"),
        }
    }
    check_fault(|line| inside(line, "OK no uidvalidity"), "UIDVALIDITY").await;
    check_fault(|line| inside(line, "NO not for ana@als.example"), "create it or correct").await;
    check_fault(|line| inside(line, "* BYE bye ana@als.example\nOK"), "hung up: bye <address>").await;
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
