//! What only Postgres has: a server that goes away and comes back, a schema, somebody to wake.

use super::record::*;
use atlarged::advance::OutboxRow;
use atlarged::kernel::ids::CaseId;
use atlarged::ports::store::postgres::{PostgresStore, pending_migrations};
use atlarged::ports::store::{Posted, Sorted, Store};
use atlarged::sandbox::{Durability, Sandbox};
use sqlx::{Connection, PgConnection};
use std::time::Duration;

/// Asks until the answer is no fault: what the daemon does, without its pauses.
async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, atlarged::ports::Fault>>,
{
    let asking = async {
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(fault) => assert!(fault.to_string().contains(": "), "{fault}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await.expect("it heals")
}

#[tokio::test]
async fn a_store_heals_when_postgres_comes_back() {
    let sandbox = Sandbox::start_scratch(Durability::None).await.unwrap();
    let url = sandbox.database("outage").await.unwrap();
    let store = PostgresStore::connect_and_migrate(&url).await.unwrap();
    let other = PostgresStore::connect(&url).await.unwrap();
    open_case(&store, CASE, 10_000).await;
    for n in 0..10 {
        let key = format!("order:{n}");
        patiently(|| async { store.post(&letter(&key, CASE, n), t(n)).await }).await;
        let claimed = patiently(|| store.claim_letter(t(n))).await.expect("the letter");
        sandbox.postgres_stop().await;
        assert!(store.books().await.is_err(), "Postgres is down");
        assert!(store.claim_letter(t(n)).await.is_err(), "Postgres is down");
        sandbox.postgres_start().await.unwrap();
        // The other instance is first to come back, and cannot know whether the first one lives.
        let taken = patiently(|| other.claim_letter(t(n))).await;
        let holder = if taken.is_some() { &other } else { &store };
        let seq = claimed.case.expect("a case").seq + 1;
        let commit = answering(step(CASE, seq, n), claimed.id);
        let asked = || async {
            match holder.commit(&commit).await {
                Err(atlarged::ports::store::CommitError::Fault(fault)) => Err(fault),
                done => Ok(done),
            }
        };
        patiently(asked).await.expect("no conflict");
    }
    assert_eq!(patiently(|| store.case(CASE)).await.unwrap().seq, 10);
    assert_eq!(patiently(|| store.quarantined()).await, [], "an outage is nobody's fault");
}

#[tokio::test]
async fn an_outage_leaves_nothing_in_hand_and_sends_nothing_twice() {
    let sandbox = Sandbox::start_scratch(Durability::None).await.unwrap();
    let store = PostgresStore::connect_and_migrate(&sandbox.database("hand").await.unwrap()).await.unwrap();
    open_case(&store, CASE, 60).await;
    let mut told = step(CaseId(8), 0, 0);
    told.outbox = vec![OutboxRow { report_sent: true, ..notice(CaseId(8), 0, 0) }, notice(CaseId(8), 0, 1)];
    store.commit(&told).await.unwrap();
    store.post(&letter("a", CaseId(8), 1), t(1)).await.unwrap();
    receive(&store, &[mail(1, 61)]).await;
    let mail = store.claim_mail(t(70)).await.unwrap().unwrap().id;
    let (letter, _) = claim(&store, 70).await.unwrap();
    assert_eq!(due(&store, 70).await, Some(CASE));
    let sent = store.claim_outgoing(t(70)).await.unwrap().unwrap().row.id;
    let unsent = store.claim_outgoing(t(70)).await.unwrap().unwrap().row.id;
    sandbox.postgres_stop().await;
    assert!(store.sort(mail, &Sorted::Silent("copy".into()), t(70)).await.is_err());
    assert!(store.put_back(letter, t(70)).await.is_err());
    assert!(store.release_case(CASE).await.is_err());
    assert!(store.posted(sent, &Posted::Accepted, t(70)).await.is_err());
    let later = Posted::Later { at: t(80), why: "no route".into() };
    assert!(store.posted(unsent, &later, t(70)).await.is_err());
    sandbox.postgres_start().await.unwrap();
    assert_eq!(patiently(|| store.claim_outgoing(t(79))).await, None, "one is sent, one waits");
    assert_eq!(store.notice(sent).await.unwrap().unwrap().status, "sent");
    assert_eq!(store.claim_outgoing(t(80)).await.unwrap().unwrap().row.id, unsent);
    assert_eq!(store.claim_mail(t(80)).await.unwrap().unwrap().id, mail);
    assert_eq!(claim(&store, 80).await.unwrap().0, letter);
    assert_eq!(due(&store, 80).await, Some(CASE));
    store.put_back(letter, t(80)).await.unwrap();
    assert_eq!(claim(&store, 80).await.unwrap().0, letter, "and the news of the sending comes after it");
}

#[tokio::test]
async fn a_waiting_daemon_is_woken_by_a_letter() {
    let record = Postgres::fresh().await;
    let (store, other) = (record.instance().await, record.instance().await);
    assert!(!store.wait(Duration::from_millis(1)).await || store.books().await.is_ok());
    let waiting = async { while !store.wait(Duration::from_secs(20)).await {} };
    let posting = async {
        // The listener may not be there yet when the first letter is posted: letters go on coming.
        for n in 0.. {
            other.post(&letter(&format!("order:{n}"), CaseId(1), 1), t(1)).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let woken = async {
        tokio::select! {
            () = waiting => {}
            () = posting => {}
        }
    };
    tokio::time::timeout(Duration::from_secs(15), woken).await.expect("somebody is woken");
}

#[tokio::test]
async fn an_unfit_schema_is_refused_with_what_to_do() {
    let sandbox = crate::servers::sandbox().await;
    let url = sandbox.database(&crate::servers::own_name("schema")).await.unwrap();
    let pending = pending_migrations(&url).await.unwrap();
    assert_eq!(pending[0], "0001 record");
    let refused = |result: Result<PostgresStore, atlarged::ports::Fault>| result.err().unwrap().to_string();
    assert!(refused(PostgresStore::connect(&url).await).contains("run `atlarged migrate`"));
    PostgresStore::connect_and_migrate(&url).await.unwrap();
    assert_eq!(pending_migrations(&url).await.unwrap(), Vec::<String>::new());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'of tomorrow', true, '', 0)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    for result in [PostgresStore::connect(&url).await, PostgresStore::connect_and_migrate(&url).await] {
        assert!(refused(result).contains("install that build"));
    }
}

#[tokio::test]
async fn a_letter_of_another_build_does_not_hold_up_the_rest() {
    let record = Postgres::fresh().await;
    let store = record.instance().await;
    let mut connection = PgConnection::connect(&record.url).await.unwrap();
    let strange =
        "insert into letters (key, body, arrived) values ('k', '{\"of tomorrow\": 1}', '2026-01-01')";
    sqlx::query(strange).execute(&mut connection).await.unwrap();
    store.post(&letter("a", CASE, 1), t(1)).await.unwrap();
    assert_eq!(claim(&store, 1).await.unwrap().1, "a");
    assert_eq!(store.quarantined().await.unwrap()[0].why, "this build cannot read it");
}

#[tokio::test]
async fn a_fault_tells_no_data() {
    let record = Postgres::fresh().await;
    let store = record.instance().await;
    let mut connection = PgConnection::connect(&record.url).await.unwrap();
    let spoiled = "insert into cases (id, kind, phase, title, seq, opened_at, state, duties)
                   values (1, 'ballot', 'open', 'secret words', -1, '2026-03-01', '{}', '{}')";
    sqlx::query(spoiled).execute(&mut connection).await.unwrap();
    let fault = store.cases().await.unwrap_err().to_string();
    assert_eq!(fault, "listing cases: a stored value cannot be read by this build");
    let wrong = PostgresStore::connect("postgres://u:hunter2@").await.err().unwrap().to_string();
    assert!(!wrong.contains("hunter2"), "{wrong}");
}
