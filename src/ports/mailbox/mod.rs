//! The mailbox port: where letters come from. Read, make durable, and only then flag or move.

pub mod imap;
pub mod maildir;
mod plan;

use super::Fault;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// No batch holds more mails than this.
pub const BATCH_MAILS: usize = 100;
/// No batch of several mails holds more bytes than this.
pub const BATCH_BYTES: u64 = 8 << 20;
/// A mail over this size comes in parts; and of one that is not read at most so much header.
pub const LARGE_BYTES: u64 = 1 << 20;
/// Bytes of a part.
pub const PART_BYTES: u64 = 512 << 10;

/// Where reading of one folder left off. Valid only with its `uid_validity` (RFC 3501, 2.3.1.1).
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    pub uid_validity: u32,
    /// The next UID to be read.
    pub next_uid: u32,
}

/// Where one mail lies.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    pub folder: String,
    pub uid_validity: u32,
    pub uid: u32,
}

/// One mail as the mailbox gives it.
#[derive(Clone, PartialEq, Debug)]
pub struct Arrival {
    pub place: Place,
    /// When the mail store took it in, plus the crank's [`Offset`]. The Unix epoch if the server gave no
    /// usable date: far enough from any Received line that a person looks at it.
    pub internal_date: DateTime<Utc>,
    /// Bytes, as the server announced them.
    pub size: u64,
    /// It lay in a folder for junk.
    pub junk: bool,
    pub body: Body,
}

/// The bytes of a mail.
#[derive(Clone, PartialEq)]
pub enum Body {
    Whole(Vec<u8>),
    /// One part of a mail over [`LARGE_BYTES`], alone in its batch. Parts of a mail follow each other in order, and the
    /// cursor goes past the mail with the last alone. Where anything else comes before that, the mail is not complete:
    /// what was taken of it is to be forgotten.
    Part {
        bytes: Vec<u8>,
        last: bool,
    },
    /// The mail is over the size limit, or the server cannot give its body; at most 1 MiB of header, empty if
    /// the server cannot even give that.
    HeaderOnly(Vec<u8>),
}

impl Body {
    /// The bytes there are.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Body::Whole(bytes) | Body::Part { bytes, .. } | Body::HeaderOnly(bytes) => bytes,
        }
    }
}

impl std::fmt::Debug for Body {
    /// Says how much there is, never what it says.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            Body::Whole(_) => "Whole",
            Body::Part { .. } => "Part",
            Body::HeaderOnly(_) => "HeaderOnly",
        };
        write!(f, "{name}({} bytes)", self.bytes().len())
    }
}

/// What is stored in one go: at most [`BATCH_MAILS`] mails and [`BATCH_BYTES`] bytes, or one part of a large mail.
#[derive(Debug)]
pub struct Batch {
    pub folder: String,
    /// In UID order. Empty when only the cursor changed (a new folder, a renumbered one).
    pub arrivals: Vec<Arrival>,
    /// The folder's cursor once this batch is durable; store both in one transaction.
    pub cursor: Cursor,
}

/// What a fetch found.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Folders that were read again from the start: their numbering changed or fell back.
    pub rescanned: Vec<String>,
    /// Folders that could not be read. The others were.
    pub faults: Vec<Fault>,
}

impl Fetched {
    /// Every configured folder was read to its end: clocks may trust it.
    pub fn complete(&self) -> bool {
        self.faults.is_empty()
    }
}

/// What becomes of a mail in the mailbox after it was dealt with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Done {
    /// Mark it read, and move it to the folder for handled mail if there is one.
    Handled,
    /// Leave it alone: junk without a valid token, quarantined mail.
    Keep,
    /// Remove it for good: confidential mail.
    Expunge,
}

/// What [`Mailbox::finish`] could not do by place.
#[derive(Debug, Default)]
pub struct Finished {
    /// Mails whose folder was renumbered since: the re-scan meets them again under a new place.
    pub stale: Vec<Place>,
    /// Mails that lie elsewhere now, and where, as far as the server tells.
    pub moved: Vec<(Place, Place)>,
}

/// Why [`Mailbox::wait`] returned. After either it is time to fetch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Woken {
    Mail,
    Timeout,
}

/// A source of letters. One reader per mailbox; the store dedups what a re-scan brings again.
pub trait Mailbox: Send {
    /// Reads all folders from their cursors on (`None`: from the start). Each batch is given to `take`, which
    /// returns once it is durable; nothing in the mailbox is changed by a fetch.
    ///
    /// # Errors
    /// The mailbox cannot be reached, or `take` failed. What was taken before stays taken.
    fn fetch<F, Fut>(
        &mut self,
        cursors: &BTreeMap<String, Cursor>,
        take: F,
    ) -> impl Future<Output = Result<Fetched, Fault>> + Send
    where
        F: FnMut(Batch) -> Fut + Send,
        Fut: Future<Output = Result<(), Fault>> + Send;

    /// Flags, moves or removes mails that were dealt with. Doing it again is harmless. `Ok` means the server
    /// confirmed: a mail to expunge is no longer in its folder.
    ///
    /// # Errors
    /// The mailbox cannot be reached or refuses; nothing is lost, do it again later.
    fn finish(&mut self, done: &[(Place, Done)]) -> impl Future<Output = Result<Finished, Fault>> + Send;

    /// Waits until mail arrives, for at most `at_most`.
    ///
    /// # Errors
    /// The mailbox cannot be reached.
    fn wait(&mut self, at_most: std::time::Duration) -> impl Future<Output = Result<Woken, Fault>> + Send;
}

/// How far the crank runs ahead of the wall clock: zero in production, moved by sandbox and tests. Copies
/// share it.
#[derive(Clone, Debug, Default)]
pub struct Offset(Arc<AtomicI64>);

impl Offset {
    /// Sets it for all copies, to the millisecond.
    pub fn set(&self, ahead: Duration) {
        self.0.store(ahead.num_milliseconds(), Ordering::Relaxed);
    }

    /// The moment on the crank's clock.
    pub fn shift(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let ahead = Duration::milliseconds(self.0.load(Ordering::Relaxed));
        at.checked_add_signed(ahead).unwrap_or(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_an_offset_move_together() {
        let offset = Offset::default();
        let copy = offset.clone();
        offset.set(Duration::days(3));
        assert_eq!(copy.shift(DateTime::UNIX_EPOCH), DateTime::UNIX_EPOCH + Duration::days(3));
    }

    #[test]
    fn a_body_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", Body::Whole(b"I vote no".to_vec())), "Whole(9 bytes)");
    }
}
