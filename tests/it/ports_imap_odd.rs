//! The IMAP mailbox at servers that lack abilities, stumble, lie or talk nonsense.

use super::ports_fake;
use super::ports_rig::{Kept, Path, mail, rig};
use atlarged::ports::mailbox::{Body, Cursor, Done, Mailbox, Offset, Woken, imap::Imap};
use atlarged::ports::net::Security;
use std::time::Duration;

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
