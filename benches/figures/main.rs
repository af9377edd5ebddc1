//! How fast and how small: each figure beside the limit measured in the same run, as a table and as
//! `target/bench.json`. `cargo bench` runs all; `cargo bench -- latency memory` those.
//!
//! Real servers, the program as it is installed, durable storage where time is measured.

mod clerk;
mod latency;
mod memory;
mod reader;
mod rows;
mod start;
mod stopwatch;
mod tap;

#[path = "../../tests/it/letters_mails.rs"]
mod letters_mails;
#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/letters_speech.rs"]
mod letters_speech;
#[path = "../../tests/it/servers.rs"]
mod servers;

#[expect(dead_code, reason = "the tests use the rest")]
mod real;

use rows::Row;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let mut rows: Vec<Row> = Vec::new();
    if wants("start") {
        rows.extend(start::ready().await);
    }
    if wants("demo") {
        rows.extend(start::demo().await);
    }
    if wants("reader") {
        rows.extend(reader::measure());
    }
    if wants("latency") {
        rows.extend(latency::measure().await);
    }
    if wants("memory") {
        rows.extend(memory::measure().await);
    }
    rows::print(&rows);
    rows::write(&rows);
}
