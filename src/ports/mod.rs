//! The outside world behind five small doors: store, mailbox, postman, resolver, keys.

pub mod keys;
pub mod mailbox;
pub mod net;
pub mod postman;
pub mod resolver;
pub mod store;

/// The world is unwell: retried with back-off, logged once where it is handled. Never a person's mistake.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Fault {
    /// What was being done, for an operator: "fetching mail from imap.example.org".
    pub what: String,
    /// What went wrong, and where known what to do next.
    pub why: String,
}

impl Fault {
    pub fn new(what: impl Into<String>, why: impl std::fmt::Display) -> Fault {
        Fault { what: what.into(), why: why.to_string() }
    }
}
