//! How much memory the clerk takes: idle, after many letters, while a large mail arrives.

use super::clerk::Measured;
use super::real::load::end;
use super::rows::Row;
use atlarged::ports::store::Store;
use atlarged::sandbox::{Durability, Sandbox};
use std::time::Duration;
use tokio::process::Child;

/// Votes among the letters; there are as many answers that must be refused.
const VOTES: usize = 1_000;
const LETTERS: usize = 20_000;

pub async fn measure() -> Vec<Row> {
    let sandbox = Sandbox::start_scratch(Durability::None).await.expect("the servers start");
    let mut clerks = Measured::new(&sandbox, VOTES).await;
    let store = clerks.load.store().await;
    let received = async |number: usize| {
        let all = u64::try_from(number).expect("a number");
        loop {
            let books = store.books().await.expect("the books");
            if books.received >= all && books.waiting == 0 {
                return;
            }
            store.wait(Duration::from_secs(1)).await;
        }
    };
    let clerk = clerks.load.start();
    clerks.ready().await;
    let idle = of(&clerk, "VmRSS");
    clerks.load.give_up_to(VOTES);
    clerks.give(VOTES, |vote| vote.replace("\r\n\r\n", "\r\n\r\nYES and NO, and: "));
    clerks.give((LETTERS - 2 * VOTES) / 2, |vote| {
        vote.replace("Subject:", "Auto-Submitted: auto-replied\r\nSubject:")
    });
    clerks.give((LETTERS - 2 * VOTES) / 2, spam);
    received(LETTERS).await;
    let (after, peak) = (of(&clerk, "VmRSS"), of(&clerk, "VmHWM"));
    end(clerk).await;
    let clerk = clerks.load.start();
    clerks.ready().await;
    clerks.give(1, |vote| with_document(vote, 50));
    received(LETTERS + 1).await;
    let large = of(&clerk, "VmHWM");
    end(clerk).await;
    vec![
        Row::new("memory, idle", "MB", idle, 40.0, 1, 40.0),
        Row::new("memory after 20,000 letters", "MB", after, 64.0, 1, 64.0),
        Row::new("memory, most while reading 20,000 letters", "MB", peak, 64.0, 1, 64.0),
        Row::new("memory, most while a mail of 50 MB arrives", "MB", large, 96.0, 1, 96.0),
    ]
}

/// From somebody nobody knows and no server vouches for.
fn spam(vote: &str) -> String {
    let (header, body) = vote.split_once("\r\n\r\n").expect("a mail");
    // Without a name of its own it would be the same mail once more, and be taken once.
    let id = header.lines().find(|line| line.starts_with("Message-ID:")).expect("an answer");
    format!("From: Winner <winner@lottery.example>\r\nTo: clerk\r\nSubject: You won\r\n{id}\r\n\r\n{body}")
}

fn with_document(vote: &str, megabytes: usize) -> String {
    let headers = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nSubject:";
    let parts = "\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nYES\r\n--b\r\nContent-Type: application/pdf\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n";
    let document = ("QUJD".repeat(19) + "\r\n").repeat(megabytes * 1_000_000 / 78);
    vote.replacen("Subject:", headers, 1).replacen("\r\n\r\n", &format!("{parts}{document}--b--\r\n"), 1)
}

/// A line of the process's status, in MB.
fn of(clerk: &Child, line: &str) -> f64 {
    let path = format!("/proc/{}/status", clerk.id().expect("a process"));
    let status = std::fs::read_to_string(path).expect("its status");
    let value = status.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(':'));
    let kilobytes = value.and_then(|value| value.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.expect("a number") / 1024.0
}
