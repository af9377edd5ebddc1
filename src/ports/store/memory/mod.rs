//! The record in memory, for the simulator and for tests: the same promises, without a disk to keep them.

mod commit;
mod confidential;
mod hands;
mod lists;
mod outbox;
mod parts;
mod rows;
mod world;

use super::rules::{self, Item, STRANGER_REST, kept_address};
use super::{
    Admission, Answer, Books, Claimed, CommitError, JournalRow, Mail, NewMail, NoticeRow, OpenAsk, OpenTask,
    Outgoing, Posted, Publication, Quarantined, Release, Sealed, Sorted, Store, chain,
};
use crate::advance::{CaseRow, Commit, Ending, NewLetter};
use crate::kernel::ids::{CaseId, LetterId, MailId, NoticeId, Party, StrangerId};
use crate::kernel::language::Language;
use crate::kernel::register::{Change, Register};
use crate::letters::print::Print;
use crate::ports::mailbox::Cursor;
use chrono::{DateTime, Duration, Utc};
use rows::Notice;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use world::{World, index};

/// One instance's handle on a record in memory. Dropping it is a crash: what it has in hand is freed as if
/// the process had died.
pub struct MemoryStore {
    world: Arc<Mutex<World>>,
    hand: u64,
}

impl Default for MemoryStore {
    fn default() -> MemoryStore {
        MemoryStore { world: Arc::new(Mutex::new(World::new())), hand: 0 }
    }
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        self.world().free(self.hand, true);
    }
}

/// A letter as it stands, for checkers.
#[derive(Debug, Clone, PartialEq)]
pub struct LetterView {
    pub id: LetterId,
    pub letter: NewLetter,
    /// "waiting", "acted", "refused", "silent", "quarantined".
    pub status: &'static str,
    pub why: Option<String>,
    pub case: Option<CaseId>,
}

impl MemoryStore {
    /// An empty record.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// Another instance on the same record.
    pub fn instance(&self) -> MemoryStore {
        let mut world = self.world();
        world.instances += 1;
        let hand = world.instances;
        drop(world);
        MemoryStore { world: self.world.clone(), hand }
    }

    /// Ends this instance in good order: nothing in its hand is blamed.
    pub fn close(self) {
        self.world().free(self.hand, false);
    }

    /// Every letter there ever was.
    pub fn letters(&self) -> Vec<LetterView> {
        let world = self.world();
        let rows = world.letters.iter().zip(1..);
        rows.map(|(row, id)| LetterView {
            id: LetterId(id),
            letter: row.letter.clone(),
            status: row.status,
            why: row.why.clone(),
            case: row.moved,
        })
        .collect()
    }

    /// The notices that cannot be sent until somebody helps.
    pub fn stuck(&self) -> Vec<NoticeId> {
        self.world().outbox.stuck().collect()
    }

    /// The books counted from the mails themselves, row by row.
    pub fn recounted(&self) -> Books {
        let mut books = Books::default();
        for row in &self.world().mails {
            books.received += 1;
            *rules::column(&mut books, row.status) += 1;
        }
        books
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn notice_row(notice: &Notice) -> NoticeRow {
    NoticeRow {
        row: notice.row.clone(),
        created: notice.created,
        status: notice.status.to_owned(),
        sent_at: notice.sent_at,
    }
}

impl Store for MemoryStore {
    async fn register(&self) -> Answer<Arc<Register>> {
        Ok(self.world().register.clone())
    }

    async fn register_at(&self, version: u64) -> Answer<Arc<Register>> {
        Ok(self.world().register_at(version))
    }

    async fn change_register(
        &self,
        from: u64,
        changes: &[Change],
        _by: &str,
        now: DateTime<Utc>,
    ) -> Answer<bool> {
        let mut world = self.world();
        if world.changes.len() as u64 != from {
            return Ok(false);
        }
        world.change(changes, now);
        Ok(true)
    }

    async fn cursors(&self, mailbox: &str) -> Answer<BTreeMap<String, Cursor>> {
        let world = self.world();
        let own = world.cursors.iter().filter(|((of, _), _)| of == mailbox);
        Ok(own.map(|((_, folder), cursor)| (folder.clone(), *cursor)).collect())
    }

    async fn receive(
        &self,
        mailbox: &str,
        folder: &str,
        cursor: &Cursor,
        mails: &[NewMail],
        _now: DateTime<Utc>,
    ) -> Answer<Vec<(MailId, bool)>> {
        let mut world = self.world();
        let stored = mails.iter().map(|mail| world.store(mailbox, mail)).collect();
        world.cursors.insert((mailbox.to_owned(), folder.to_owned()), *cursor);
        Ok(stored)
    }

    async fn fetched(&self, mailbox: &str, began: DateTime<Utc>) -> Answer<()> {
        let mut world = self.world();
        let known = world.mailboxes.entry(mailbox.to_owned()).or_insert(began);
        *known = began.max(*known);
        Ok(())
    }

    async fn claim_mail(&self, now: DateTime<Utc>) -> Answer<Option<Mail>> {
        Ok(self.world().claim_mail(self.hand, now))
    }

    async fn sort(&self, mail: MailId, sorted: &Sorted, _now: DateTime<Utc>) -> Answer<()> {
        self.world().sort(mail, sorted);
        Ok(())
    }

    async fn put_back_mail(&self, mail: MailId, at: DateTime<Utc>) -> Answer<()> {
        let mut world = self.world();
        if let Some(row) = world.mail(mail).filter(|row| row.hand == Some(self.hand)) {
            row.hand = None;
            row.suspect = false;
            row.not_before = Some(at);
            world.let_go(self.hand, Item::Mail(mail));
        }
        Ok(())
    }

    async fn keep_checked(&self, mail: MailId, found: &Sealed) -> Answer<()> {
        if let Some(row) = self.world().mail(mail) {
            row.checked = Some(found.clone());
        }
        Ok(())
    }

    async fn post(&self, letter: &NewLetter, _now: DateTime<Utc>) -> Answer<(LetterId, bool)> {
        Ok(self.world().insert(letter))
    }

    async fn ending(&self, letter: LetterId) -> Answer<Option<(Ending, Option<CaseId>)>> {
        Ok(self.world().ending(letter))
    }

    async fn notice(&self, id: NoticeId) -> Answer<Option<NoticeRow>> {
        Ok(self.world().outbox.get(id).map(notice_row))
    }

    async fn stranger(
        &self,
        address: &str,
        language: Language,
        now: DateTime<Utc>,
    ) -> Answer<(StrangerId, Option<DateTime<Utc>>)> {
        let mut world = self.world();
        let address = kept_address(address);
        if let Some(id) = world.stranger_by_address.get(&address).copied() {
            let row = &mut world.strangers[(id.0 - 1) as usize];
            let last = row.2;
            if now - last >= STRANGER_REST {
                (row.1, row.2) = (language, now);
            }
            return Ok((id, Some(last)));
        }
        let id = StrangerId(world.strangers.len() as i64 + 1);
        world.strangers.push((address.clone(), language, now));
        world.stranger_by_address.insert(address, id);
        Ok((id, None))
    }

    async fn admit(&self, mail: MailId, domain: &str, limits: Admission, now: DateTime<Utc>) -> Answer<bool> {
        Ok(self.world().admit(mail, kept_address(domain), limits, now))
    }

    async fn turned_away(&self, since: DateTime<Utc>) -> Answer<Vec<(String, u64)>> {
        Ok(self.world().turned_away(since))
    }

    async fn stranger_address(&self, id: StrangerId) -> Answer<Option<(String, Language)>> {
        let world = self.world();
        let row = usize::try_from(id.0 - 1).ok().and_then(|index| world.strangers.get(index));
        Ok(row.map(|(address, language, _)| (address.clone(), *language)))
    }

    async fn answered(&self, party: Party, since: DateTime<Utc>) -> Answer<u64> {
        Ok(self.world().answered(party, since))
    }

    async fn message_id_seen(&self, message_id: &str, mail: MailId) -> Answer<bool> {
        Ok(self.world().message_id_seen(message_id, mail))
    }

    async fn open_asks(&self, party: Party) -> Answer<Vec<OpenAsk>> {
        Ok(self.world().open_asks(party))
    }

    async fn claim_letter(&self, now: DateTime<Utc>) -> Answer<Option<Claimed>> {
        Ok(self.world().claim_letter(self.hand, now))
    }

    async fn put_back(&self, letter: LetterId, at: DateTime<Utc>) -> Answer<()> {
        let mut world = self.world();
        if let Some(row) = world.letter(letter).filter(|row| row.hand == Some(self.hand)) {
            row.not_before = Some(at);
            row.suspect = false;
            world.free_letter(letter);
        }
        Ok(())
    }

    async fn quarantine(&self, letter: LetterId, why: &str, _now: DateTime<Utc>) -> Answer<()> {
        let mut world = self.world();
        if world.letter(letter).is_some_and(|row| row.hand == Some(self.hand)) {
            world.set_letter(letter, "quarantined", Some(why.to_owned()));
        }
        Ok(())
    }

    async fn new_case(&self) -> Answer<CaseId> {
        let mut world = self.world();
        world.case_numbers += 1;
        Ok(CaseId(world.case_numbers))
    }

    async fn claim_due(
        &self,
        now: DateTime<Utc>,
        settle: Duration,
        mailboxes: &[String],
    ) -> Answer<Option<CaseRow>> {
        Ok(self.world().claim_due(self.hand, now, settle, mailboxes))
    }

    async fn release_case(&self, case: CaseId) -> Answer<()> {
        self.world().release_case(self.hand, case);
        Ok(())
    }

    async fn put_back_clock(&self, case: CaseId, at: DateTime<Utc>) -> Answer<()> {
        self.world().put_back_clock(self.hand, case, at);
        Ok(())
    }

    async fn stick_clock(&self, case: CaseId, why: &str) -> Answer<()> {
        self.world().stick_clock(self.hand, case, why);
        Ok(())
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.world().commit(self.hand, commit)
    }

    async fn claim_outgoing(&self, now: DateTime<Utc>) -> Answer<Option<Outgoing>> {
        Ok(self.world().claim_outgoing(self.hand, now))
    }

    async fn keep_bytes(&self, id: NoticeId, bytes: &Sealed, print: &Print) -> Answer<()> {
        let mut world = self.world();
        if let Some(notice) = world.outbox.get_mut(id).filter(|notice| notice.status == "waiting") {
            notice.bytes = Some(bytes.clone());
            notice.print = Some(print.clone());
        }
        Ok(())
    }

    async fn print(&self, id: NoticeId) -> Answer<Option<Print>> {
        Ok(self.world().outbox.get(id).and_then(|notice| notice.print.clone()))
    }

    async fn posted(&self, id: NoticeId, outcome: &Posted, now: DateTime<Utc>) -> Answer<()> {
        self.world().posted(self.hand, id, outcome, now);
        Ok(())
    }

    async fn resend(&self, id: NoticeId, now: DateTime<Utc>) -> Answer<bool> {
        let mut world = self.world();
        let Some(notice) = world.outbox.get_mut(id).filter(|n| matches!(n.status, "stuck" | "failed")) else {
            return Ok(false);
        };
        notice.attempts = 0;
        notice.next_try = Some(now);
        world.set_notice(id, "waiting", None);
        Ok(true)
    }

    async fn next_event(&self) -> Answer<Option<DateTime<Utc>>> {
        Ok(self.world().next_event())
    }

    async fn books(&self) -> Answer<Books> {
        Ok(self.world().books)
    }

    async fn cases(&self) -> Answer<Vec<CaseRow>> {
        Ok(self.world().cases.values().map(|case| case.row.clone()).collect())
    }

    async fn case(&self, id: CaseId) -> Answer<Option<CaseRow>> {
        Ok(self.world().cases.get(&id).map(|case| case.row.clone()))
    }

    async fn journal(&self, case: Option<CaseId>) -> Answer<Vec<JournalRow>> {
        let world = self.world();
        let Some(case) = case else { return Ok(world.journal.clone()) };
        let steps = world.steps.get(&case).map_or(&[][..], Vec::as_slice);
        Ok(steps.iter().map(|step| world.journal[*step].clone()).collect())
    }

    async fn journal_head(&self) -> Answer<String> {
        Ok(chain::hex(&self.world().head))
    }

    async fn journal_at(&self, number: Option<i64>) -> Answer<Option<(i64, String)>> {
        let world = self.world();
        let row = match number {
            Some(number) => world.journal.get(index(number)),
            None => world.journal.last(),
        };
        Ok(row.map(|row| (row.number, row.hash.clone())))
    }

    async fn oldest_intake_key(&self) -> Answer<Option<String>> {
        Ok(self.world().oldest_intake_key())
    }

    async fn notices(&self, case: Option<CaseId>) -> Answer<Vec<NoticeRow>> {
        let world = self.world();
        let mut rows: Vec<NoticeRow> = match case {
            Some(case) => world.outbox.of(case).map(notice_row).collect(),
            None => world.outbox.values().map(notice_row).collect(),
        };
        rows.sort_by_key(|row| (row.created, row.row.id));
        Ok(rows)
    }

    async fn tasks(&self) -> Answer<Vec<OpenTask>> {
        Ok(self.world().open_tasks())
    }

    async fn quarantined(&self) -> Answer<Vec<Quarantined>> {
        Ok(self.world().quarantined())
    }

    async fn quarantined_mail(&self, id: MailId) -> Answer<Option<Mail>> {
        let mut world = self.world();
        let row = world.mail(id).filter(|row| row.status == "quarantined");
        Ok(row.map(|row| row.as_mail(id)))
    }

    async fn unquarantine(
        &self,
        item: &Quarantined,
        release: Release<'_>,
        _now: DateTime<Utc>,
    ) -> Answer<()> {
        self.world().unquarantine(item, release);
        Ok(())
    }

    async fn publications(&self, after: i64) -> Answer<Vec<Publication>> {
        let world = self.world();
        let from = usize::try_from(after).unwrap_or(0);
        Ok(world.publications.get(from..).unwrap_or_default().to_vec())
    }

    async fn shreds(&self) -> Answer<Vec<CaseId>> {
        Ok(self.world().shreds.iter().copied().collect())
    }

    async fn shredded(&self, case: CaseId) -> Answer<()> {
        self.world().shreds.remove(&case);
        Ok(())
    }

    async fn put_policy(&self, digest: &str, body: &str) -> Answer<()> {
        let mut world = self.world();
        world.policies.entry(digest.to_owned()).or_insert_with(|| body.to_owned());
        Ok(())
    }

    async fn policy(&self, digest: &str) -> Answer<Option<String>> {
        Ok(self.world().policies.get(digest).cloned())
    }

    async fn fact(&self, name: &str) -> Answer<Option<String>> {
        Ok(self.world().facts.get(name).cloned())
    }

    async fn set_fact(&self, name: &str, value: &str) -> Answer<()> {
        self.world().facts.insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}
