//! Confidences in memory.

use super::super::confidential::{Confided, OVER, forgotten, handle_of, may_leave};
use super::super::{Answer, Confidential, Sealed, Sorted};
use super::MemoryStore;
use super::world::{World, index};
use crate::kernel::confidential::day;
use crate::kernel::ids::{CaseId, MailId, Party};
use crate::ports::mailbox::Place;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// What is sealed, for which case.
pub(super) struct Secret {
    case: CaseId,
    sealed: Sealed,
}

impl World {
    fn sort_confided(&mut self, id: MailId, sorted: &Sorted, confided: &Confided) {
        if self.mail(id).is_none_or(|row| row.status != "unsorted") {
            return;
        }
        let Some(row) = self.mail(id) else { return };
        let before = (row.mail.arrived, id);
        let key = std::mem::take(&mut row.mail.raw.key);
        row.mail.raw = confided.raw.clone().unwrap_or(Sealed { key: String::new(), bytes: Vec::new() });
        row.mail.confidential = Some(confided.case);
        row.mail.case_hint = confided.raw.as_ref().map(|_| confided.case);
        row.mail.size = 0;
        row.checked = None;
        row.not_before = None;
        if confided.raw.is_none() {
            row.mail.arrived = day(row.mail.arrived);
        }
        if confided.raw.is_none() {
            self.drop_parts_of(id);
        }
        self.unsorted.remove(&before);
        self.spend(&key);
        for kept in &confided.kept {
            let secret = Secret { case: confided.case, sealed: kept.sealed.clone() };
            self.sealed.insert(kept.handle.clone(), secret);
        }
        let found = self.places.iter().filter(|(_, mail)| **mail == id).map(|(place, _)| place.clone());
        self.expunges.extend(found.collect::<Vec<_>>());
        self.sort(id, sorted);
    }

    pub(super) fn spend(&mut self, key: &str) {
        if key.starts_with("once-") {
            self.spent.insert(key.to_owned());
        }
    }

    /// Forgets whom notices went to that will not leave again.
    pub(super) fn forget_recipients(&mut self) {
        let handles = self.sealed.keys().filter(|handle| handle.starts_with('a'));
        let parties: Vec<Party> = handles.filter_map(|handle| handle.parse().ok()).collect();
        for party in parties {
            let of = |status: fn(&str) -> bool| {
                self.outbox.values().any(|notice| notice.row.to == party && status(notice.status))
            };
            if of(|status| !may_leave(status)) && !of(may_leave) {
                self.forget_recipient(party);
            }
        }
    }

    fn forget_recipient(&mut self, party: Party) {
        let secret = handle_of(party).and_then(|handle| self.sealed.remove(&handle));
        if let Some(secret) = secret {
            self.spend(&secret.sealed.key);
        }
    }

    pub(super) fn forget(&mut self, handles: &[String]) {
        handles.iter().for_each(|handle| {
            self.sealed.remove(handle);
        });
    }

    /// Nothing stays of a mail in confidence that a person discarded.
    pub(super) fn discard(&mut self, id: MailId) {
        let Some(row) = self.mail(id).filter(|row| row.mail.confidential.is_some()) else { return };
        let key = std::mem::take(&mut row.mail.raw.key);
        row.mail.raw.bytes.clear();
        row.mail.case_hint = None;
        row.checked = None;
        self.spend(&key);
        self.drop_parts_of(id);
    }

    pub(super) fn shred(&mut self, case: CaseId) {
        self.shreds.insert(case);
        let waiting: BTreeSet<Party> = self
            .outbox
            .values()
            .filter(|notice| may_leave(notice.status))
            .map(|notice| notice.row.to)
            .collect();
        let still = |handle: &str| handle.parse().is_ok_and(|party: Party| waiting.contains(&party));
        let of_case = self.sealed.iter().filter(|(handle, secret)| secret.case == case && !still(handle));
        let gone: Vec<(String, String)> =
            of_case.map(|(handle, secret)| (handle.clone(), secret.sealed.key.clone())).collect();
        for (handle, key) in gone {
            self.sealed.remove(&handle);
            self.spend(&key);
        }
        let mails = (1..)
            .zip(&self.mails)
            .filter(|(_, row)| row.mail.confidential == Some(case) && row.status != "unsorted");
        let mails: Vec<MailId> = mails.map(|(id, _)| MailId(id)).collect();
        for id in mails {
            let row = &mut self.mails[index(id.0)];
            let key = std::mem::take(&mut row.mail.raw.key);
            row.mail.raw.bytes.clear();
            row.mail.case_hint = None;
            row.checked = None;
            let (known, code) = (row.mail.dedup, forgotten(id));
            row.mail.dedup = code;
            let waits = row.status == "quarantined";
            if waits {
                row.why = Some(OVER.to_owned());
            }
            self.dedup.remove(&known);
            self.dedup.insert(code, id);
            self.spend(&key);
            self.drop_parts_of(id);
            if waits {
                self.set_mail(id, "silent");
            }
        }
    }
}

impl MemoryStore {
    /// How much is sealed for a case, for checkers.
    pub fn secrets(&self, case: CaseId) -> usize {
        self.world().sealed.values().filter(|secret| secret.case == case).count()
    }

    /// Every mail as it is stored, for checkers.
    pub fn raw_mails(&self) -> Vec<(MailId, Sealed)> {
        let world = self.world();
        let rows = (1..).zip(&world.mails);
        rows.map(|(id, row)| (MailId(id), row.mail.raw.clone())).collect()
    }
}

impl Confidential for MemoryStore {
    async fn confidential_cases(&self) -> Answer<BTreeSet<CaseId>> {
        let world = self.world();
        let cases = world.cases.iter().filter(|(_, case)| !case.row.confidences.is_empty());
        Ok(cases.map(|(id, _)| *id).collect())
    }

    async fn register_version_at(&self, at: DateTime<Utc>) -> Answer<u64> {
        let world = self.world();
        let last = world.change_times.iter().rposition(|changed| *changed <= at);
        Ok(last.map_or(0, |last| last as u64 + 1))
    }

    async fn sort_confided(
        &self,
        mail: MailId,
        sorted: &Sorted,
        confided: &Confided,
        _now: DateTime<Utc>,
    ) -> Answer<()> {
        self.world().sort_confided(mail, sorted, confided);
        Ok(())
    }

    async fn sealed(&self, handle: &str) -> Answer<Option<Sealed>> {
        Ok(self.world().sealed.get(handle).map(|secret| secret.sealed.clone()))
    }

    async fn expunges(&self, mailbox: &str) -> Answer<Vec<Place>> {
        let world = self.world();
        let of = world.expunges.iter().filter(|(name, _)| name == mailbox);
        Ok(of.map(|(_, place)| place.clone()).collect())
    }

    async fn expunged(&self, mailbox: &str, places: &[Place]) -> Answer<()> {
        let mut world = self.world();
        for place in places {
            let place = (mailbox.to_owned(), place.clone());
            if world.expunges.remove(&place) {
                world.places.remove(&place);
            }
        }
        Ok(())
    }

    async fn spent(&self) -> Answer<Vec<String>> {
        let mut world = self.world();
        world.forget_recipients();
        Ok(world.spent.iter().cloned().collect())
    }

    async fn destroyed(&self, key: &str) -> Answer<()> {
        self.world().spent.remove(key);
        Ok(())
    }

    async fn keys_needed(&self) -> Answer<BTreeSet<String>> {
        let world = self.world();
        let mails = world.mails.iter().map(|row| &row.mail.raw.key);
        let checked = world.mails.iter().filter_map(|row| Some(&row.checked.as_ref()?.key));
        let sealed = world.sealed.values().map(|secret| &secret.sealed.key);
        let papers = world.papers.values().map(|paper| &paper.sealed.key);
        let all = mails.chain(checked).chain(sealed).chain(papers).chain(&world.spent);
        Ok(all.filter(|key| key.starts_with("once-")).cloned().collect())
    }
}
