//! A process that is killed in the middle of its work, again and again, and what is left of it: nothing lost,
//! nothing done twice.

use super::record::*;
use atlarged::kernel::ids::CaseId;
use atlarged::ports::store::Store;
use atlarged::ports::store::chain::verify_chain;
use atlarged::ports::store::postgres::PostgresStore;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Where the worker process finds its database.
const WORK: &str = "ATLARGED_TEST_WORK";
const LETTERS: i64 = 40;
const CASES: i64 = 3;

/// At which minute.
const MINUTE: &str = "ATLARGED_TEST_MINUTE";
/// Does all there is to do, saying so after each letter taken and each step applied.
async fn work(url: &str) {
    let minute = std::env::var(MINUTE).ok().and_then(|text| text.parse().ok()).expect("a minute");
    let store = PostgresStore::connect(url).await.expect("connected");
    while let Some(claimed) = store.claim_letter(t(minute)).await.expect("claimed") {
        println!("took");
        let case = claimed.case.expect("a case");
        let mut commit = step(case.id, case.seq + 1, 100);
        commit.outbox = vec![notice(case.id, case.seq + 1, 0)];
        store.commit(&answering(commit, claimed.id)).await.expect("applied");
        println!("applied");
    }
}

/// The same test is the parent, and, started by itself with a database to work on, the worker.
#[tokio::test]
async fn a_process_killed_at_any_moment_loses_and_doubles_nothing() {
    if let Ok(url) = std::env::var(WORK) {
        return work(&url).await;
    }
    let record = Postgres::fresh().await;
    let store = record.instance().await;
    for case in 1..=CASES {
        open_case(&store, CaseId(case), 1000).await;
    }
    for n in 0..LETTERS {
        let key = format!("order:{n}");
        store.post(&letter(&key, CaseId(1 + n % CASES), n), t(n)).await.unwrap();
    }
    // One letter further each time: killed between taking and applying, or right after applying.
    for words in [1, 2, 3, 4, 5, 6, 7, 8] {
        let url = record.url.clone();
        tokio::task::spawn_blocking(move || kill_after(&url, 100 + words, words)).await.expect("killed");
    }
    record.settled(1).await;
    tokio::task::spawn_blocking({
        let url = record.url.clone();
        move || kill_after(&url, 200, usize::MAX)
    })
    .await
    .expect("finished");
    assert_eq!(claim(&store, 200).await, None);
    assert_eq!(store.quarantined().await.unwrap(), []);
    let steps: u32 = store.cases().await.unwrap().iter().map(|case| case.seq).sum();
    assert_eq!(i64::from(steps), LETTERS, "every letter moved its case once");
    assert_eq!(store.notices(None).await.unwrap().len() as i64, LETTERS);
    let journal = store.journal(None).await.unwrap();
    assert_eq!(journal.len() as i64, LETTERS + CASES);
    assert_eq!(verify_chain(&journal), Ok(store.journal_head().await.unwrap()));
}

/// Starts a worker and kills it as `kill -9` does once it has said so many words.
fn kill_after(url: &str, minute: usize, words: usize) {
    let mut worker = Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            "--nocapture",
            "store_contract::killed::a_process_killed_at_any_moment_loses_and_doubles_nothing",
        ])
        .env(WORK, url)
        .env(MINUTE, minute.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let said = BufReader::new(worker.stdout.take().expect("its words")).lines().map_while(Result::ok);
    let heard = said.filter(|line| line.ends_with("took") || line == "applied").take(words).count();
    assert!(heard > 0, "the worker worked");
    let _ = worker.kill();
    worker.wait().expect("ended");
}
