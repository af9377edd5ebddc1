//! The SMTP postman, against a real server and against one that misbehaves.

use super::{
    ports_fake::{Act, Fake, Plan},
    ports_rig::{Kept, mail, rig},
};
use atlarged::ports::{
    Fault,
    mailbox::{Mailbox, Woken},
    postman::{Delivery, Outgoing, Postman, smtp::Smtp},
};
use atlarged::sandbox::Endpoint;
use std::time::Duration;

async fn send(postman: &mut Smtp, to: &str, bytes: &str) -> Result<Delivery, Fault> {
    postman.send(Outgoing { envelope_from: "clerk@test.example", to, bytes: bytes.as_bytes() }).await
}

fn postman(fake: &Fake, more: &str) -> Smtp {
    let text = format!("host = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n{more}", fake.port);
    Smtp::new(toml::from_str(&text).expect("a configuration"))
}

fn accepted(outcome: Result<Delivery, Fault>) {
    assert!(matches!(outcome, Ok(Delivery::Accepted { .. })), "{outcome:?}");
}

/// Sends one mail to a server that does `act` at `step`, pipelined and not; gives the outcome as a line.
async fn check(step: &'static str, act: Act, expected: &str) {
    for extensions in [&["PIPELINING", "8BITMIME"][..], &["8BITMIME"]] {
        let plan = Plan { acts: vec![(step, act)], ..Plan::with(extensions) };
        let fake = Fake::start(&[plan, Plan::default()]).await;
        let mut postman = postman(&fake, "timeout_seconds = 1\ndata_timeout_seconds = 1");
        let line = match send(&mut postman, "ana@als.example", &mail("x")).await {
            Ok(Delivery::Accepted { answer }) => format!("accepted: {answer}"),
            Ok(Delivery::Later { why, status }) => format!("later {status:?}: {why}"),
            Ok(Delivery::Never { why, status }) => format!("never {status:?}: {why}"),
            Err(fault) => format!("fault: {}", fault.why),
        };
        assert!(line.contains(expected), "{step} with {extensions:?}: {line}");
        if !line.starts_with("fault: no answer") && !line.starts_with("fault: the relay closed") {
            accepted(send(&mut postman, "ana@als.example", &mail("next")).await);
        }
    }
}

#[tokio::test]
async fn a_mail_goes_out_and_arrives() {
    let rig = rig().await;
    let kept = Kept::default();
    let mut imap = rig.imap("");
    kept.fetch(&mut imap).await.expect("a fetch");
    accepted(send(&mut rig.smtp(), &rig.address, &mail("by STARTTLS")).await);
    let mut by_tls = Smtp::new(rig.smtp_config(&rig.sandbox.smtp_tls(), "tls", ""));
    accepted(send(&mut by_tls, &rig.address, &mail("by TLS")).await);
    by_tls.close().await;
    let mut subjects = Vec::new();
    while subjects.len() < 2 {
        assert_eq!(imap.wait(Duration::from_secs(30)).await.expect("a wait"), Woken::Mail);
        kept.fetch(&mut imap).await.expect("a fetch");
        subjects.extend(kept.subjects());
    }
    subjects.sort();
    assert_eq!(subjects, ["by STARTTLS", "by TLS"]);
}

#[tokio::test]
async fn a_real_server_refuses_now_or_for_ever_and_goes_on_with_the_next() {
    let rig = rig().await;
    let mut postman = rig.smtp();
    let never = send(&mut postman, "refused@village.example", &mail("x")).await;
    assert!(matches!(&never, Ok(Delivery::Never { status: Some(s), .. }) if s == "5.1.1"), "{never:?}");
    let later = send(&mut postman, "later@village.example", &mail("x")).await;
    assert!(matches!(&later, Ok(Delivery::Later { status: Some(s), .. }) if s == "4.2.1"), "{later:?}");
    let relay = send(&mut postman, "ana@elsewhere.example", &mail("x")).await;
    assert!(relay.is_err_and(|f| f.why.contains("relay permission")));
    accepted(send(&mut postman, &rig.address, &mail("x")).await);
}

#[tokio::test]
async fn a_refused_login_is_a_fault_that_tells_no_secret() {
    let rig = rig().await;
    std::fs::write(rig.password_file(), "wr0ng-secret").expect("a file");
    let login = format!("user = {:?}\npassword_file = {:?}", rig.address, rig.password_file());
    let mut postman = Smtp::new(rig.smtp_config(&rig.sandbox.smtp(), "starttls", &login));
    let fault = send(&mut postman, &rig.address, &mail("x")).await.expect_err("no login").to_string();
    assert!(fault.contains("login refused (535"), "{fault}");
    assert!(!fault.contains("wr0ng") && !fault.contains(&rig.address), "{fault}");
    let again = send(&mut postman, &rig.address, &mail("x")).await.expect_err("back-off").why;
    assert!(again.contains("next attempt within"), "{again}");
}

#[tokio::test]
async fn a_certificate_nobody_vouched_for_is_refused() {
    let rig = rig().await;
    for (endpoint, security) in [(rig.sandbox.smtp(), "starttls"), (rig.sandbox.smtp_tls(), "tls")] {
        let mut config = rig.smtp_config(&endpoint, security, "");
        config.ca_file = None;
        let outcome = send(&mut Smtp::new(config), &rig.address, &mail("x")).await;
        assert!(outcome.is_err_and(|f| f.why.contains("ca_file")), "{security}");
    }
}

#[tokio::test]
async fn plain_text_is_for_this_machine_only_and_starttls_never_falls_back() {
    let fake = Fake::start(&[Plan::default()]).await;
    let endpoint = Endpoint { host: "127.0.0.1".into(), port: fake.port, ca: "/nonexistent".into() };
    let mut config = rig().await.smtp_config(&endpoint, "starttls", "");
    config.ca_file = None;
    let outcome = send(&mut Smtp::new(config), "ana@als.example", &mail("x")).await;
    assert!(outcome.is_err_and(|f| f.what.contains("STARTTLS")));
    assert_eq!(fake.heard(|h| h.mails.len()), 0);
}

#[tokio::test]
async fn refusals_of_the_recipient_or_the_mail_are_told_apart_from_our_own_trouble() {
    use Act::Say;
    check("RCPT", Say("550 5.1.1 <ana@als.example> unknown"), "never Some(\"5.1.1\"): 550 5.1.1 <address>")
        .await;
    check("RCPT", Say("550 5.7.1 blocked by policy"), "never Some(\"5.7.1\")").await;
    check("RCPT", Say("554 5.7.1 Relay access denied"), "fault: 554").await;
    check("RCPT", Say("530 5.7.0 Authentication required"), "fault: 530").await;
    check("RCPT", Say("451 4.7.1 greylisted"), "later Some(\"4.7.1\")").await;
    check("MAIL", Say("550 5.7.1 sender not allowed"), "fault: 550").await;
    check("MAIL", Say("552 5.3.4 too big"), "never Some(\"5.3.4\")").await;
    check("MAIL", Say("452 4.3.1 disk full"), "later Some(\"4.3.1\")").await;
    check("DATA", Say("451 try later"), "later None: 451").await;
    check("BODY", Say("554 5.6.0 looks like spam"), "never Some(\"5.6.0\")").await;
    check("BODY", Say("450-first line\r\n450 4.2.0 second"), "later").await;
}

#[tokio::test]
async fn a_lost_connection_is_tried_later_and_never_silently_twice() {
    check("MAIL", Act::Say("421 4.3.2 shutting down"), "later None").await;
    check("MAIL", Act::HangUp, "later None").await;
    check("RCPT", Act::HangUp, "later None").await;
    check("RCPT", Act::Silence, "later None: no answer within 1 s").await;
    check("BODY", Act::HangUp, "it may have been taken").await;
    check("BODY", Act::Silence, "it may have been taken").await;
    check("GREETING", Act::HangUp, "fault: the relay closed").await;
    check("GREETING", Act::Silence, "fault: no answer").await;
}

#[tokio::test]
async fn a_lost_answer_to_the_mail_sends_it_only_once() {
    let fake = Fake::start(&[Plan::at("BODY", Act::HangUp)]).await;
    let outcome = send(&mut postman(&fake, ""), "ana@als.example", &mail("x")).await;
    assert!(matches!(outcome, Ok(Delivery::Later { .. })));
    assert_eq!(fake.heard(|h| h.mails.len()), 1);
}

#[tokio::test]
async fn a_relay_that_closed_an_idle_connection_is_greeted_again() {
    for extensions in [&["PIPELINING"][..], &[]] {
        let closing = Plan { mails: Some(1), ..Plan::with(extensions) };
        let fake = Fake::start(&[closing, Plan::default()]).await;
        let mut postman = postman(&fake, "");
        accepted(send(&mut postman, "ana@als.example", &mail("one")).await);
        accepted(send(&mut postman, "ana@als.example", &mail("two")).await);
        accepted(send(&mut postman, "ana@als.example", &mail("three")).await);
        assert_eq!(fake.heard(|h| (h.connections, h.mails.len())), (2, 3));
    }
}

#[tokio::test]
async fn many_mails_share_a_connection_and_its_pipeline() {
    let fake = Fake::start(&[Plan::with(&["PIPELINING", "SIZE 1000000"])]).await;
    let mut postman = postman(&fake, "hello = \"clerk.test.example\"");
    for n in 0..10 {
        accepted(send(&mut postman, "ana@als.example", &mail(&n.to_string())).await);
    }
    postman.close().await;
    fake.heard(|heard| {
        assert_eq!((heard.connections, heard.mails.len()), (1, 10));
        assert_eq!(heard.lines[0], "EHLO clerk.test.example");
        assert!(heard.lines.iter().any(|l| l.starts_with("MAIL FROM:<clerk@test.example> SIZE=")));
        assert_eq!(heard.lines.last().map(String::as_str), Some("QUIT"));
    });
}

#[tokio::test]
async fn the_bytes_arrive_as_they_were_with_every_line_end_mended() {
    let fake = Fake::start(&[Plan::with(&["8BITMIME"])]).await;
    let text = "Subject: dots\r\n\r\n.\r\n..two\nbare\n.\nSmuggled\rénd\r\n";
    accepted(send(&mut postman(&fake, ""), "ana@als.example", text).await);
    let mail = fake.heard(|h| String::from_utf8(h.mails[0].clone()).expect("text"));
    let mended = "Subject: dots\r\n\r\n.\r\n..two\r\nbare\r\n.\r\nSmuggled\r\nénd\r\n";
    assert_eq!(mail.trim_end(), mended.trim_end());
    assert!(fake.heard(|h| h.lines.iter().any(|l| l.ends_with("BODY=8BITMIME"))));
}

#[tokio::test]
async fn addresses_outside_ascii_need_a_relay_that_carries_them() {
    let (can, cannot) = (Fake::start(&[Plan::with(&["SMTPUTF8", "8BITMIME"])]).await, Fake::start(&[]).await);
    accepted(send(&mut postman(&can, ""), "анна@als.example", &mail("x")).await);
    assert!(can.heard(|h| h.lines.iter().any(|l| l.contains("SMTPUTF8"))));
    let never = send(&mut postman(&cannot, ""), "анна@als.example", &mail("x")).await;
    assert!(matches!(&never, Ok(Delivery::Never { status: Some(s), .. }) if s == "5.6.7"), "{never:?}");
}

#[tokio::test]
async fn an_address_that_is_none_never_reaches_the_relay() {
    let fake = Fake::start(&[]).await;
    for to in ["", "nobody", "a b@als.example", "ana@als.example>\r\nRCPT TO:<eve@als.example"] {
        let never = send(&mut postman(&fake, ""), to, &mail("x")).await;
        assert!(matches!(&never, Ok(Delivery::Never { status: Some(s), .. }) if s == "5.1.3"), "{never:?}");
    }
    assert_eq!(fake.heard(|h| h.connections), 0);
}

#[tokio::test]
async fn a_renewed_token_is_used_at_the_next_connect() {
    let fake = Fake::start(&[Plan { mails: Some(1), ..Plan::with(&["AUTH XOAUTH2"]) }]).await;
    let secrets = tempfile::tempdir().expect("a directory");
    let token = secrets.path().join("token");
    let more = format!("user = \"clerk@test.example\"\noauth2_token_file = {token:?}");
    let mut postman = postman(&fake, &more);
    for text in ["first", "second"] {
        std::fs::write(&token, format!("{text}\n")).expect("a token");
        accepted(send(&mut postman, "ana@als.example", &mail("x")).await);
    }
    let shown: Vec<_> =
        fake.heard(|h| h.lines.iter().filter_map(|l| l.strip_prefix("AUTH XOAUTH2 ").map(decode)).collect());
    let expected = |token| format!("user=clerk@test.example\x01auth=Bearer {token}\x01\x01");
    assert_eq!(shown, [expected("first"), expected("second")]);
}

fn decode(text: &str) -> String {
    let bytes = data_encoding::BASE64.decode(text.as_bytes()).expect("base64");
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn a_token_may_come_from_a_program() {
    let fake = Fake::start(&[Plan::with(&["AUTH XOAUTH2"])]).await;
    let more = "user = \"clerk@test.example\"\noauth2_token_command = [\"printf\", \"tok%s\", \"en\"]";
    accepted(send(&mut postman(&fake, more), "ana@als.example", &mail("x")).await);
    assert!(fake.heard(|h| {
        h.lines
            .iter()
            .filter_map(|l| l.strip_prefix("AUTH XOAUTH2 "))
            .any(|l| decode(l).contains("Bearer token\x01"))
    }));
    let failing = "user = \"clerk@test.example\"\noauth2_token_command = [\"false\"]";
    let outcome = send(&mut postman(&fake, failing), "ana@als.example", &mail("x")).await;
    assert!(outcome.is_err_and(|f| f.what.contains("token from false")));
}
