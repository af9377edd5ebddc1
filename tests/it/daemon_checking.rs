//! What the daemon makes of its own check of a mail: when it asks DNS, how often, and what it keeps.

use crate::daemon_rig::{Rig, t, with_document};
use crate::signing::{Signing, USUAL, signed, zone};
use crate::story::check as story;
use atlarged::ports::resolver::{DnsConfig, Resolver};
use atlarged::ports::store::{Release, Store};
use expect_test::expect;
use std::sync::Arc;

fn knows(records: &str) -> Option<Arc<Resolver>> {
    Some(Arc::new(Resolver::from_zone(records).expect("a resolver")))
}

/// A DNS server that takes questions and never answers.
async fn deaf() -> (tokio::net::UdpSocket, Option<Arc<Resolver>>) {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let server = socket.local_addr().expect("an address");
    let config = format!("servers = [\"{server}\"]\ntimeout_seconds = 1\nmail_seconds = 1");
    let config: DnsConfig = toml::from_str(&config).expect("a configuration");
    (socket, Some(Arc::new(Resolver::new(&config).expect("a resolver"))))
}

/// A mail of Ann's to an address of the clerk's that nobody but a signature vouches for.
fn mail(to: &str, number: u32, text: &str, signing: Option<Signing<'_>>) -> String {
    let mail = format!(
        "From: ann@a.example\r\nTo: {to}\r\nSubject: Re: a question\r\n\
         Date: Tue, 1 Dec 2026 00:{number:02}:00 +0000\r\nMessage-ID: <{number}@a.example>\r\n\r\n{text}\r\n"
    );
    signing.map_or_else(|| mail.clone(), |signing| signed(&mail, signing))
}

/// A ballot is open; the address for Ann's answers.
async fn asked() -> (Rig, String) {
    let mut rig = Rig::new().await;
    rig.daemon.resolver = knows(&zone(""));
    rig.ballot().await;
    let to = rig.reply_address(rig.asked(1).await.id);
    (rig, to)
}

/// How many confirmations were asked for and how many receipts given once the mail was read.
async fn counts(rig: &Rig) -> (usize, usize) {
    let (receipts, changed) =
        (rig.notices("ballot/receipt").await, rig.notices("ballot/receipt-changed").await);
    (rig.notices("ballot/confirm").await.len(), receipts.len() + changed.len())
}

impl Rig {
    async fn takes(&mut self, minutes: i64, mail: String) -> (usize, usize) {
        self.inbox.mails.push((t(minutes), mail));
        self.turn(minutes).await;
        counts(self).await
    }
}

#[tokio::test]
async fn a_signature_under_a_large_mail_is_checked_though_it_comes_in_parts() {
    let (mut rig, to) = asked().await;
    let large = |number| with_document(&mail(&to, number, "YES", None), 2 << 20);
    assert_eq!(rig.takes(10, signed(&large(1), Signing::default())).await, (0, 1));
    let altered = signed(&large(2), Signing::default()).replacen("QUJD", "QUJE", 1);
    assert_eq!(rig.takes(20, altered).await, (1, 1));
}

#[tokio::test]
async fn a_signed_answer_is_taken_and_an_unsigned_one_is_asked_about() {
    let (mut rig, to) = asked().await;
    assert_eq!(rig.takes(10, mail(&to, 1, "YES", Some(Signing::default()))).await, (0, 1));
    assert_eq!(rig.takes(20, mail(&to, 2, "NO", None)).await, (1, 1));
    let forged = Some(Signing { by_eve: true, ..Signing::default() });
    assert_eq!(rig.takes(30, mail(&to, 3, "ABSTAIN", forged)).await, (2, 1));
}

#[tokio::test]
async fn without_an_answer_of_dns_a_mail_waits_five_minutes_and_is_then_asked_about() {
    let (mut rig, to) = asked().await;
    let (_socket, resolver) = deaf().await;
    rig.daemon.resolver = resolver;
    assert_eq!(rig.takes(10, mail(&to, 1, "YES", Some(Signing::default()))).await, (0, 0));
    assert_eq!(rig.store().books().await.unwrap().waiting, 1);
    for minutes in 11..14 {
        rig.turn(minutes).await;
        assert_eq!(counts(&rig).await, (0, 0), "{minutes}");
    }
    rig.turn(14).await;
    assert_eq!(counts(&rig).await, (1, 0));
}

#[tokio::test]
async fn a_mail_that_waited_for_dns_counts_when_dns_is_back() {
    let (mut rig, to) = asked().await;
    let (_socket, resolver) = deaf().await;
    let well = std::mem::replace(&mut rig.daemon.resolver, resolver);
    assert_eq!(rig.takes(10, mail(&to, 1, "YES", Some(Signing::default()))).await, (0, 0));
    rig.daemon.resolver = well;
    rig.turn(11).await;
    assert_eq!(counts(&rig).await, (0, 1));
}

#[tokio::test]
async fn what_was_found_is_kept_with_the_mail_though_the_key_is_withdrawn_later() {
    let (mut rig, to) = asked().await;
    let other = rig.reply_address(rig.asked(2).await.id);
    let both = format!("{to}, {other}");
    assert_eq!(rig.takes(10, mail(&both, 1, "YES", Some(Signing::default()))).await, (0, 0));
    rig.daemon.resolver = knows("");
    let item = rig.store().quarantined().await.unwrap().remove(0);
    rig.store().unquarantine(&item, Release::Accept, t(20)).await.unwrap();
    rig.turn(20).await;
    assert_eq!(counts(&rig).await, (0, 1));
}

#[tokio::test]
async fn a_signed_mail_sent_again_under_another_id_proves_nothing() {
    let (mut rig, to) = asked().await;
    let fields: Vec<&str> = USUAL.iter().copied().filter(|field| *field != "Message-ID").collect();
    let signing = Some(Signing { fields: &fields, ..Signing::default() });
    let yes = mail(&to, 1, "YES", signing);
    assert_eq!(rig.takes(10, yes.clone()).await, (0, 1));
    assert_eq!(rig.takes(20, mail(&to, 2, "NO", signing)).await, (0, 2));
    let again = yes.replace("<1@a.example>", "<new@a.example>");
    assert_eq!(rig.takes(30, again).await, (1, 2), "asked at the address on file");
}

#[tokio::test]
async fn a_confirmation_sent_again_confirms_nothing_that_came_later() {
    let (mut rig, to) = asked().await;
    assert_eq!(rig.takes(10, mail(&to, 1, "YES", None)).await, (1, 0));
    let question = rig.notices("ballot/confirm").await.remove(0).row.id;
    let confirm = mail(&rig.reply_address(question), 2, "CONFIRM", None);
    assert_eq!(rig.takes(20, confirm.clone()).await, (1, 1));
    assert_eq!(rig.takes(30, mail(&to, 3, "NO", None)).await, (2, 1));
    for (minutes, again) in
        [(40, "X-Again: 1\r\n".to_owned() + &confirm), (50, confirm.replace("<2@", "<9@"))]
    {
        assert_eq!(rig.takes(minutes, again).await, (2, 1), "the answer to an old question");
    }
}

#[tokio::test]
async fn an_answer_that_quotes_another_matter_alone_waits_for_a_person() {
    let (mut rig, to) = asked().await;
    let token = |address: &str| address.split(['+', '@']).nth(1).unwrap_or_default().to_owned();
    let other = token(&rig.reply_address(rig.asked(2).await.id));
    rig.takes(10, mail(&to, 1, &format!("YES\r\n\r\n> {other}\r\n> {}", token(&to)), None)).await;
    assert_eq!(rig.store().books().await.unwrap().quarantined, 0, "both are quoted");
    rig.takes(20, mail(&to, 2, &format!("NO\r\n\r\n> {other}"), None)).await;
    assert_eq!(rig.store().books().await.unwrap().quarantined, 1);
}

#[test]
fn the_confirmation_of_one_round_confirms_nothing_in_the_next() {
    story(
        "0 09:00 open: straight open
         1 10:00 m1 forged: NO
         1 10:01 m1 to:confirm:p1:1: CONFIRM
         5 09:01 clock: ticks
         8 09:02 clock: ticks
         9 10:00 m1 forged: YES
         9 10:01 m1 to:confirm:p1:1: CONFIRM
         9 10:02 m1 to:confirm:p1:2: CONFIRM",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 m1 forged: NO
                confirm no → m1
            1 10:01 m1 to:confirm:p1:1: CONFIRM
                receipt no → m1
            5 09:01 clock: ticks
                extended → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15
            8 09:02 clock: ticks
                rerun → all
            9 10:00 m1 forged: YES
                confirm yes → m1
            9 10:01 m1 to:confirm:p1:1: CONFIRM
                no-answer → m1
            9 10:02 m1 to:confirm:p1:2: CONFIRM
                receipt yes → m1
        "#]],
    );
}
