//! What a store promises, kept by both: every promise is written once and run on memory and on Postgres.

mod arrival;
mod hands;
mod killed;
mod outage;
mod parts;
mod record;
mod replayed;
mod secrets;
mod sending;
mod steps;

/// Runs each promise on both records.
macro_rules! promises {
    ($($name:ident)*) => {
        mod in_memory {
            use super::super::record::{Memory, Record};
            $(#[tokio::test] async fn $name() { super::$name(Memory::fresh().await).await; })*
        }
        mod in_postgres {
            use super::super::record::{Postgres, Record};
            $(#[tokio::test] async fn $name() { super::$name(Postgres::fresh().await).await; })*
        }
    };
}
use promises;
