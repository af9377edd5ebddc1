//! What a record promises about confidences: what is kept is sealed, and what is forgotten is gone for good once the
//! key store has destroyed its key.

use super::{Answer, Sealed, Sorted};
use crate::kernel::ids::{CaseId, MailId, Party};
use crate::ports::mailbox::Place;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::future::Future;

/// Something sealed, by its handle: "sealed:…" for a secret of the case, "a7" for whom an answer goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub handle: String,
    pub sealed: Sealed,
}

/// What becomes of a mail that answers a confidential notice, beside what becomes of any mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Confided {
    /// In whose confidence it was written.
    pub case: CaseId,
    pub kept: Vec<Kept>,
    /// The mail itself, sealed anew under the key of the case, where it waits for a person. Else nothing stays of it.
    pub raw: Option<Sealed>,
}

/// The confidential half of a record.
pub trait Confidential: Send + Sync {
    /// Cases that have written confidential mails.
    fn confidential_cases(&self) -> impl Future<Output = Answer<BTreeSet<CaseId>>> + Send;
    /// The number of changes of the register that were made by a moment.
    fn register_version_at(&self, at: DateTime<Utc>) -> impl Future<Output = Answer<u64>> + Send;
    /// As `Store::sort`, for a mail in confidence: its bytes, its sender's check and its exact times are gone with
    /// the same transaction, the key they were sealed under is spent, and wherever the mail lies it is to be expunged.
    fn sort_confided(
        &self,
        mail: MailId,
        sorted: &Sorted,
        confided: &Confided,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<()>> + Send;
    /// What is sealed under a handle; none for one that is forgotten.
    fn sealed(&self, handle: &str) -> impl Future<Output = Answer<Option<Sealed>>> + Send;
    /// Mails of a mailbox that are to be removed from it and have not been confirmed removed.
    fn expunges(&self, mailbox: &str) -> impl Future<Output = Answer<Vec<Place>>> + Send;
    /// These are removed, or their folder was renumbered and they are found again under another number.
    fn expunged(&self, mailbox: &str, places: &[Place]) -> impl Future<Output = Answer<()>> + Send;
    /// Keys that seal nothing any more and are to be destroyed.
    fn spent(&self) -> impl Future<Output = Answer<Vec<String>>> + Send;
    fn destroyed(&self, key: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Keys for one thing alone under which something lies.
    fn keys_needed(&self) -> impl Future<Output = Answer<BTreeSet<String>>> + Send;
}

/// Whether a notice goes to somebody who is to be forgotten.
pub fn anonymous(to: Party) -> bool {
    matches!(to, Party::Anonymous(_))
}

/// Why a notice to somebody forgotten did not leave: a relay's own words may name her.
pub const UNSENT: &str = "the relay did not take it";

/// Why a confidential mail no longer waits for a person.
pub const OVER: &str = "what was told in confidence is destroyed";

/// A mail's code of recognition once the mail is to be forgotten: its number, and nothing of it.
pub fn forgotten(mail: MailId) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("forgotten {mail}").as_bytes());
    let mut code = [0; 32];
    code.copy_from_slice(digest.as_ref());
    code
}

/// The sealed recipient's handle of a notice to somebody who is to be forgotten.
pub fn handle_of(to: Party) -> Option<String> {
    anonymous(to).then(|| to.to_string())
}

/// Notices are named here so that both stores forget by the same rule: a recipient is needed while a notice to her
/// may still leave.
pub fn may_leave(status: &str) -> bool {
    matches!(status, "waiting" | "stuck")
}
