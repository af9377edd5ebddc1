//! What a record promises about mails that come in parts: nobody sees a part until its mail is there, and none outlives
//! what names it.

use super::{Answer, Sealed};
use crate::kernel::ids::MailId;
use crate::ports::mailbox::Place;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use std::fmt;
use std::future::Future;

/// Parts that nothing names are thrown away once they are this old: whatever was bringing them is dead.
pub const ABANDONED: Duration = Duration::days(2);

/// The parts of one large mail, by a number drawn by chance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Upload(pub [u8; 16]);

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({:032x})", u128::from_be_bytes(self.0))
    }
}

/// A document as it is stored: its bytes are parts like those of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// "paper:…"
    pub handle: String,
    /// The mail it came in.
    pub mail: MailId,
    pub upload: Upload,
    /// What opens its parts, sealed under a key for this document alone.
    pub sealed: Sealed,
}

/// The half of a record that keeps parts. They come sealed (`Keys::seal_part`).
pub trait Parts: Send + Sync {
    /// Keeps a part of something that is not there yet; a second time it is the same part.
    fn keep_part(
        &self,
        upload: Upload,
        n: u32,
        sealed: &[u8],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<()>> + Send;
    /// A part; none that was thrown away.
    fn part(&self, upload: Upload, n: u32) -> impl Future<Output = Answer<Option<Vec<u8>>>> + Send;
    /// Throws away the parts of something that did not come to be; not of what is there.
    fn forget_parts(&self, upload: Upload) -> impl Future<Output = Answer<()>> + Send;
    /// Keeps a document whose parts are there. One of this handle that is there already stays, and the parts that were
    /// brought for it once more are thrown away.
    fn keep_paper(&self, paper: &Paper) -> impl Future<Output = Answer<()>> + Send;
    /// A document; none that was thrown away or destroyed.
    fn paper(&self, handle: &str) -> impl Future<Output = Answer<Option<Paper>>> + Send;
    /// These mails lie elsewhere now: whoever is to remove them for good looks there.
    fn moved(&self, mailbox: &str, moved: &[(Place, Place)]) -> impl Future<Output = Answer<()>> + Send;
    /// Throws away what was begun before a moment and is named by nothing, and the parts of mails sealed under intake
    /// keys of days before `kept`, which nobody can open any more. Returns how many uploads.
    fn tidy_parts(&self, before: DateTime<Utc>, kept: NaiveDate) -> impl Future<Output = Answer<u64>> + Send;
}
