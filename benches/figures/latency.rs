//! From an answer announced by the mailbox to its receipt at the relay, and in the member's mailbox.

use super::clerk::Measured;
use super::rows::Row;
use super::stopwatch::{self, median, milliseconds, quantile};
use super::tap::{Line, Tap};
use atlarged::ports::postman::smtp::{Smtp, SmtpConfig};
use atlarged::ports::postman::{Delivery, Outgoing, Postman};
use atlarged::sandbox::{Durability, Sandbox};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

const ANSWERS: usize = 500;
const APART: Duration = Duration::from_millis(200);

pub async fn measure() -> Vec<Row> {
    let sandbox = Sandbox::start_scratch(Durability::Full).await.expect("the servers start");
    let mut clerks = Measured::new(&sandbox, ANSWERS).await;
    let imap = Tap::on(sandbox.imap_starttls().port, |line| {
        [" EXISTS", " EXPUNGE", " \"INBOX\"", " \"Junk\""].iter().any(|end| line.ends_with(end))
    })
    .await;
    let smtp = Tap::on(sandbox.smtp().port, |line| {
        line.starts_with("In-Reply-To: ") || (line.starts_with("250") && line.contains(" id="))
    })
    .await;
    clerks.in_plain_text(imap.port, smtp.port);
    let clerk = clerks.load.start();
    clerks.load.until("a login", || !imap.lines().is_empty()).await;
    let mut given: Vec<SystemTime> = Vec::new();
    let mut beat = tokio::time::interval(APART);
    for number in 1..=ANSWERS {
        beat.tick().await;
        given.extend(clerks.load.give_up_to(number));
    }
    clerks.load.until("the receipts", || accepted(&smtp.lines()).len() == ANSWERS).await;
    let (announced, at_relay) = (announced(&imap.lines()), accepted(&smtp.lines()));
    clerks.load.finish(clerk, 0).await;
    let arrived = clerks.receipts();
    let mut to_relay = Vec::new();
    let mut to_member = Vec::new();
    for (number, written) in given.iter().enumerate() {
        to_relay.push(milliseconds(at_relay[&number].saturating_duration_since(announced[number])));
        let came = arrived[&number].duration_since(*written).unwrap_or_default();
        to_member.push(milliseconds(came));
    }
    let limit = transaction(&sandbox).await;
    vec![
        Row::new("EXISTS to receipt at the relay, median", "ms", median(&to_relay), limit, ANSWERS, 40.0),
        Row::new(
            "EXISTS to receipt at the relay, p99",
            "ms",
            quantile(&to_relay, 0.99),
            limit,
            ANSWERS,
            200.0,
        ),
        Row::new(
            "answer to receipt in the mailbox, median",
            "ms",
            median(&to_member),
            limit,
            ANSWERS,
            2000.0,
        ),
        Row::new(
            "answer to receipt in the mailbox, p99",
            "ms",
            quantile(&to_member, 0.99),
            limit,
            ANSWERS,
            2000.0,
        ),
    ]
}

/// When the mailbox first said that it holds each answer: what it counts, and what it has given away before.
fn announced(lines: &[Line]) -> Vec<Instant> {
    let (mut inbox, mut gone, mut announced) = (true, 0, Vec::new());
    for line in lines {
        if !line.from_server {
            inbox = line.text.ends_with("\"INBOX\"");
        } else if inbox && line.text.ends_with(" EXPUNGE") {
            gone += 1;
        } else if inbox && line.text.ends_with(" EXISTS") {
            let count: usize =
                line.text.split(' ').nth(1).and_then(|count| count.parse().ok()).expect("a number");
            announced.resize((gone + count).max(announced.len()), line.at);
        }
    }
    announced
}

/// When the relay took the receipt for each answer.
fn accepted(lines: &[Line]) -> BTreeMap<usize, Instant> {
    let mut answering: BTreeMap<usize, usize> = BTreeMap::new();
    let mut accepted = BTreeMap::new();
    for line in lines {
        if let Some(id) = line.text.strip_prefix("In-Reply-To: <") {
            let number = id.split('@').next().and_then(|number| number.parse().ok());
            answering.insert(line.connection, number.expect("one of our answers"));
        } else if line.from_server
            && let Some(number) = answering.remove(&line.connection)
        {
            accepted.insert(number, line.at);
        }
    }
    accepted
}

/// What handing one mail of a receipt's size to the same relay takes over an open connection, milliseconds.
async fn transaction(sandbox: &Sandbox) -> f64 {
    let relay = sandbox.smtp();
    let config: SmtpConfig =
        toml::from_str(&format!("host = {:?}\nport = {}\nsecurity = \"none\"\n", relay.host, relay.port))
            .expect("a configuration");
    let mut smtp = Smtp::new(config);
    let text = "x".repeat(70) + "\r\n";
    let mail =
        format!("From: a@remote.example\r\nTo: b@remote.example\r\nSubject: x\r\n\r\n{}", text.repeat(140));
    let mut spans = Vec::new();
    for _ in 0..100 {
        let mail =
            Outgoing { envelope_from: "a@remote.example", to: "b@remote.example", bytes: mail.as_bytes() };
        let begun = stopwatch::now();
        let sent = smtp.send(mail).await.expect("sent");
        assert!(matches!(sent, Delivery::Accepted { .. }));
        spans.push(milliseconds(begun.elapsed()));
    }
    median(&spans)
}
