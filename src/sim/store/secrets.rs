//! The confidential half of a store with planted faults.

use super::{Doubt, FaultyStore};
use crate::kernel::ids::{CaseId, MailId};
use crate::ports::mailbox::Place;
use crate::ports::store::{Answer, Confided, Confidential, Sealed, Sorted};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

impl Confidential for FaultyStore {
    async fn confidential_cases(&self) -> Answer<BTreeSet<CaseId>> {
        call!(self, confidential_cases())
    }

    async fn register_version_at(&self, at: DateTime<Utc>) -> Answer<u64> {
        call!(self, register_version_at(at))
    }

    async fn sort_confided(
        &self,
        mail: MailId,
        sorted: &Sorted,
        confided: &Confided,
        now: DateTime<Utc>,
    ) -> Answer<()> {
        let sorted = self.backdated(sorted.clone());
        call!(self, sort_confided(mail, &sorted, confided, now), Some(Doubt::Mail(mail)))
    }

    async fn sealed(&self, handle: &str) -> Answer<Option<Sealed>> {
        call!(self, sealed(handle))
    }

    async fn expunges(&self, mailbox: &str) -> Answer<Vec<Place>> {
        call!(self, expunges(mailbox))
    }

    async fn expunged(&self, mailbox: &str, places: &[Place]) -> Answer<()> {
        call!(self, expunged(mailbox, places))
    }

    async fn spent(&self) -> Answer<Vec<String>> {
        call!(self, spent())
    }

    async fn destroyed(&self, key: &str) -> Answer<()> {
        call!(self, destroyed(key))
    }

    async fn keys_needed(&self) -> Answer<BTreeSet<String>> {
        call!(self, keys_needed())
    }
}
