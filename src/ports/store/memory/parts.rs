//! Parts of large mails in memory.

use super::super::Answer;
use super::super::parts::{Paper, Parts, Upload};
use super::MemoryStore;
use super::rows::MailRow;
use super::world::World;
use crate::kernel::ids::MailId;
use crate::ports::keys::KeyName;
use crate::ports::mailbox::Place;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeSet;

impl World {
    pub(super) fn is_named(&self, upload: Upload) -> bool {
        self.mails.iter().any(|row| row.mail.upload == Some(upload))
            || self.papers.values().any(|paper| paper.upload == upload)
    }

    pub(super) fn forget_parts(&mut self, upload: Upload) {
        if !self.is_named(upload) {
            self.parts.retain(|(of, _), _| *of != upload);
        }
    }

    /// Throws away the parts of a mail of which nothing is to stay.
    pub(super) fn drop_parts_of(&mut self, mail: MailId) {
        let upload = self.mail(mail).and_then(|row| row.mail.upload.take());
        if let Some(upload) = upload {
            self.forget_parts(upload);
        }
    }
}

impl World {
    /// Throws documents away: rows and parts now, for good once the key store has destroyed their keys.
    pub(super) fn drop_papers(&mut self, handles: &[String]) {
        for handle in handles {
            if let Some(paper) = self.papers.remove(handle) {
                self.spend(&paper.sealed.key);
                self.forget_parts(paper.upload);
            }
        }
    }

    /// Destroys documents with the mails they came in.
    pub(super) fn destroy_papers(&mut self, handles: &[String]) {
        let found = handles.iter().filter_map(|handle| self.papers.get(handle));
        let mails: BTreeSet<MailId> = found.map(|paper| paper.mail).collect();
        self.drop_papers(handles);
        for mail in mails {
            let places = self.places.iter().filter(|(_, of)| **of == mail).map(|(place, _)| place.clone());
            self.expunges.extend(places.collect::<Vec<_>>());
            self.drop_parts_of(mail);
            if let Some(row) = self.mail(mail) {
                row.mail.raw.key.clear();
                row.mail.raw.bytes.clear();
            }
        }
    }
}

impl Parts for MemoryStore {
    async fn keep_part(&self, upload: Upload, n: u32, sealed: &[u8], now: DateTime<Utc>) -> Answer<()> {
        self.world().parts.entry((upload, n)).or_insert_with(|| (now, sealed.to_vec()));
        Ok(())
    }

    async fn part(&self, upload: Upload, n: u32) -> Answer<Option<Vec<u8>>> {
        Ok(self.world().parts.get(&(upload, n)).map(|(_, sealed)| sealed.clone()))
    }

    async fn forget_parts(&self, upload: Upload) -> Answer<()> {
        self.world().forget_parts(upload);
        Ok(())
    }

    async fn keep_paper(&self, paper: &Paper) -> Answer<()> {
        let mut world = self.world();
        if world.papers.contains_key(&paper.handle) {
            world.forget_parts(paper.upload);
        } else {
            world.papers.insert(paper.handle.clone(), paper.clone());
        }
        Ok(())
    }

    async fn paper(&self, handle: &str) -> Answer<Option<Paper>> {
        Ok(self.world().papers.get(handle).cloned())
    }

    async fn moved(&self, mailbox: &str, moved: &[(Place, Place)]) -> Answer<()> {
        let mut world = self.world();
        for (from, to) in moved {
            if let Some(mail) = world.places.remove(&(mailbox.to_owned(), from.clone())) {
                world.places.insert((mailbox.to_owned(), to.clone()), mail);
            }
        }
        Ok(())
    }

    async fn tidy_parts(&self, before: DateTime<Utc>, kept: NaiveDate) -> Answer<u64> {
        let mut world = self.world();
        let kept = KeyName::Intake(kept).to_string();
        let gone = |row: &&mut MailRow| row.mail.raw.key.starts_with("intake-") && row.mail.raw.key < kept;
        world.mails.iter_mut().filter(gone).for_each(|row| row.mail.upload = None);
        let begun = world.parts.iter().filter(|((_, n), (at, _))| *n == 0 && *at < before);
        let uploads: Vec<Upload> = begun.map(|((upload, _), _)| *upload).collect();
        let gone: Vec<Upload> = uploads.into_iter().filter(|upload| !world.is_named(*upload)).collect();
        gone.iter().for_each(|upload| world.forget_parts(*upload));
        Ok(gone.len() as u64)
    }
}
