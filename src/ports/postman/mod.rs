//! The postman port: one mail to one person at a time, and what became of it.

pub mod dkim;
mod link;
pub mod smtp;

use super::Fault;
use std::future::Future;

/// One mail for one recipient, rendered and signed.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// Where bounces go; empty for the null sender (RFC 5321, 4.5.5).
    pub envelope_from: &'a str,
    pub to: &'a str,
    /// The whole mail; sent as it is, so that a retry is identical.
    pub bytes: &'a [u8],
}

impl std::fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outgoing({} bytes)", self.bytes.len())
    }
}

/// What became of a mail. Texts carry no addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// The relay took responsibility.
    Accepted { answer: String },
    /// Not now: try again, with the same bytes. Also when the connection ended before the relay's last answer
    /// was heard: then it may have been taken.
    Later { why: String, status: Option<String> },
    /// Never to this recipient, or never this mail. `status`: enhanced status code (RFC 3463), if one was
    /// given.
    Never { why: String, status: Option<String> },
}

/// Hands mails to the world.
pub trait Postman: Send {
    /// Sends one mail. The next mail over this connection is begun only by the next call, so a caller that
    /// makes each outcome durable first sends at most one mail twice after a crash.
    ///
    /// # Errors
    /// The trouble is ours, not the recipient's: no relay, no trust, no login, sending not permitted.
    fn send(&mut self, mail: Outgoing<'_>) -> impl Future<Output = Result<Delivery, Fault>> + Send;
}
