//! The confidential half of a store with planted faults, and the one that keeps parts.

use super::{Doubt, FaultyStore};
use crate::kernel::ids::{CaseId, MailId};
use crate::ports::mailbox::Place;
use crate::ports::store::{Answer, Confided, Confidential, Paper, Parts, Sealed, Sorted, Upload};
use chrono::{DateTime, NaiveDate, Utc};
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

impl Parts for FaultyStore {
    async fn keep_part(&self, upload: Upload, n: u32, sealed: &[u8], now: DateTime<Utc>) -> Answer<()> {
        call!(self, keep_part(upload, n, sealed, now))
    }

    async fn part(&self, upload: Upload, n: u32) -> Answer<Option<Vec<u8>>> {
        call!(self, part(upload, n))
    }

    async fn forget_parts(&self, upload: Upload) -> Answer<()> {
        call!(self, forget_parts(upload))
    }

    async fn keep_paper(&self, paper: &Paper) -> Answer<()> {
        call!(self, keep_paper(paper))
    }

    async fn paper(&self, handle: &str) -> Answer<Option<Paper>> {
        call!(self, paper(handle))
    }

    async fn moved(&self, mailbox: &str, moved: &[(Place, Place)]) -> Answer<()> {
        call!(self, moved(mailbox, moved))
    }

    async fn tidy_parts(&self, before: DateTime<Utc>, kept: NaiveDate) -> Answer<u64> {
        call!(self, tidy_parts(before, kept))
    }
}
