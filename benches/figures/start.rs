//! How long until the clerk is ready, and until the demo has told its story.

use super::clerk::Measured;
use super::real::load::end;
use super::rows::Row;
use super::stopwatch::{self, median, milliseconds};
use atlarged::sandbox::{Durability, Sandbox};
use std::process::Command;

const RUNS: usize = 10;

/// `run` until it tells its service manager so, the database being up.
pub async fn ready() -> Vec<Row> {
    let sandbox = Sandbox::start_scratch(Durability::Full).await.expect("the servers start");
    let clerks = Measured::new(&sandbox, 1).await;
    let (mut spans, mut least) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let begun = stopwatch::now();
        let clerk = clerks.load.start();
        clerks.ready().await;
        spans.push(milliseconds(begun.elapsed()));
        end(clerk).await;
        let begun = stopwatch::now();
        let said = Command::new(env!("CARGO_BIN_EXE_atlarged")).arg("--version").output().expect("it runs");
        assert!(said.status.success());
        least.push(milliseconds(begun.elapsed()));
    }
    vec![Row::new("run until ready, database up", "ms", median(&spans), median(&least), RUNS, 1000.0)]
}

/// `demo --fast`, beside what starting its servers takes.
pub async fn demo() -> Vec<Row> {
    let begun = stopwatch::now();
    let told = Command::new(env!("CARGO_BIN_EXE_atlarged"))
        .args(["demo", "--fast", "--dir"])
        .arg("/tmp/atlarged-bench-demo")
        .output()
        .expect("it runs");
    let span = begun.elapsed().as_secs_f64();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let begun = stopwatch::now();
    let sandbox = Sandbox::start_scratch(Durability::None).await.expect("the servers start");
    let servers = begun.elapsed().as_secs_f64();
    drop(sandbox);
    vec![Row::new("demo --fast", "s", span, servers, 1, 30.0)]
}
