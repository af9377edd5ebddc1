//! The record in memory behind a connection that breaks: calls that are not done, calls whose answer is
//! lost, and a process that dies before or after one. As the store in Postgres does, it lets go of what an
//! unanswered call may have left in hand before it takes anything new.

use super::Planted;
use super::faults::{Faults, Kind, fault};
use crate::advance::{CaseRow, Commit, Ending, NewLetter};
use crate::kernel::ids::{CaseId, LetterId, MailId, NoticeId, Party, StrangerId};
use crate::kernel::language::Language;
use crate::kernel::register::{Change, Register};
use crate::letters::print::Print;
use crate::ports::mailbox::Cursor;
use crate::ports::store::memory::MemoryStore;
use crate::ports::store::{
    Admission, Answer, Books, Claimed, CommitError, JournalRow, Mail, NewMail, NoticeRow, OpenAsk, OpenTask,
    Outgoing, Posted, Publication, Quarantined, Release, Sealed, Sorted, Store,
};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Something this instance has let go of and the record may not know.
enum Doubt {
    Mail(MailId),
    Letter(LetterId),
    Clock(CaseId),
    /// A sending that ended and could not be recorded.
    Posted(NoticeId, Posted, DateTime<Utc>),
    /// A claim whose answer was lost.
    Outgoing(NoticeId),
}

/// One instance's connection.
pub struct FaultyStore {
    store: MemoryStore,
    faults: Arc<Faults>,
    doubts: Mutex<Vec<Doubt>>,
    planted: Option<Planted>,
}

const STORE: [Kind; 4] = [Kind::StoreAway, Kind::StoreAnswerLost, Kind::CrashBefore, Kind::CrashAfter];

/// A call that may fail; `$doubt` is what it leaves in doubt when it does.
macro_rules! call {
    ($self:ident, $call:ident($($argument:expr),*)) => { call!($self, $call($($argument),*), None) };
    ($self:ident, $call:ident($($argument:expr),*), $doubt:expr) => {{
        let strike = match $self.strike() {
            Ok(strike) => strike,
            Err(fault) => {
                $self.doubt($doubt);
                return Err(fault.into());
            }
        };
        let done = $self.store.$call($($argument),*).await;
        if let Some(fault) = $self.answer_lost(strike) {
            $self.doubt($doubt);
            return Err(fault.into());
        }
        done
    }};
}

/// A claim: what is in doubt is settled first, and a claim whose answer is lost is in doubt itself.
macro_rules! claim {
    ($self:ident, $call:ident($($argument:expr),*), |$found:ident| $doubt:expr) => {{
        let strike = $self.strike()?;
        $self.settle().await?;
        let claimed = $self.store.$call($($argument),*).await?;
        if let Some(fault) = $self.answer_lost(strike) {
            $self.doubt(claimed.as_ref().map(|$found| $doubt));
            return Err(fault);
        }
        Ok(claimed)
    }};
}

mod secrets;

impl FaultyStore {
    pub fn new(store: MemoryStore, faults: Arc<Faults>, planted: Option<Planted>) -> FaultyStore {
        FaultyStore { store, faults, doubts: Mutex::default(), planted }
    }

    /// What happens to this call; an error if it is not to be made.
    fn strike(&self) -> Answer<Option<Kind>> {
        self.faults.call()?;
        match self.faults.strike(&STORE, 1) {
            Some(Kind::CrashBefore) => Err(fault("the process died before a call")),
            Some(Kind::StoreAway) => Err(fault("the store is out of reach")),
            strike => Ok(strike),
        }
    }

    fn answer_lost(&self, strike: Option<Kind>) -> Option<crate::ports::Fault> {
        match strike {
            Some(Kind::CrashAfter) => {
                self.faults.die();
                Some(fault("the process died after a call"))
            }
            Some(_) => Some(fault("the store's answer was lost")),
            None => None,
        }
    }

    fn doubt(&self, doubt: Option<Doubt>) {
        if let Some(doubt) = doubt {
            self.doubts.lock().unwrap_or_else(PoisonError::into_inner).push(doubt);
        }
    }

    /// Lets go of what is in doubt.
    async fn settle(&self) -> Answer<()> {
        let doubts = std::mem::take(&mut *self.doubts.lock().unwrap_or_else(PoisonError::into_inner));
        for doubt in doubts {
            match doubt {
                Doubt::Mail(id) => self.store.put_back_mail(id, DateTime::UNIX_EPOCH).await?,
                Doubt::Letter(id) => self.store.put_back(id, DateTime::UNIX_EPOCH).await?,
                Doubt::Clock(id) => self.store.release_case(id).await?,
                Doubt::Posted(id, outcome, now) => self.store.posted(id, &outcome, now).await?,
                Doubt::Outgoing(id) => {
                    let again = Posted::Later { at: DateTime::UNIX_EPOCH, why: String::new() };
                    self.store.posted(id, &again, DateTime::UNIX_EPOCH).await?;
                }
            }
        }
        Ok(())
    }
}

mod planted;

impl Store for FaultyStore {
    async fn register(&self) -> Answer<Arc<Register>> {
        call!(self, register())
    }

    async fn register_at(&self, version: u64) -> Answer<Arc<Register>> {
        call!(self, register_at(version))
    }

    async fn change_register(
        &self,
        from: u64,
        changes: &[Change],
        by: &str,
        now: DateTime<Utc>,
    ) -> Answer<bool> {
        call!(self, change_register(from, changes, by, now))
    }

    async fn cursors(&self, mailbox: &str) -> Answer<BTreeMap<String, Cursor>> {
        call!(self, cursors(mailbox))
    }

    async fn receive(
        &self,
        mailbox: &str,
        folder: &str,
        cursor: &Cursor,
        mails: &[NewMail],
        now: DateTime<Utc>,
    ) -> Answer<Vec<(MailId, bool)>> {
        let mails = self.spoiled(mails, now);
        call!(self, receive(mailbox, folder, cursor, &mails, now))
    }

    async fn fetched(&self, mailbox: &str, began: DateTime<Utc>) -> Answer<()> {
        call!(self, fetched(mailbox, began))
    }

    async fn claim_mail(&self, now: DateTime<Utc>) -> Answer<Option<Mail>> {
        claim!(self, claim_mail(now), |mail| Doubt::Mail(mail.id))
    }

    async fn sort(&self, mail: MailId, sorted: &Sorted, now: DateTime<Utc>) -> Answer<()> {
        call!(self, sort(mail, sorted, now), Some(Doubt::Mail(mail)))
    }

    async fn put_back_mail(&self, mail: MailId, at: DateTime<Utc>) -> Answer<()> {
        call!(self, put_back_mail(mail, at), Some(Doubt::Mail(mail)))
    }

    async fn keep_checked(&self, mail: MailId, found: &Sealed) -> Answer<()> {
        call!(self, keep_checked(mail, found))
    }

    async fn post(&self, letter: &NewLetter, now: DateTime<Utc>) -> Answer<(LetterId, bool)> {
        call!(self, post(letter, now))
    }

    async fn ending(&self, letter: LetterId) -> Answer<Option<(Ending, Option<CaseId>)>> {
        call!(self, ending(letter))
    }

    async fn notice(&self, id: NoticeId) -> Answer<Option<NoticeRow>> {
        call!(self, notice(id))
    }

    async fn stranger(
        &self,
        address: &str,
        language: Language,
        now: DateTime<Utc>,
    ) -> Answer<(StrangerId, Option<DateTime<Utc>>)> {
        call!(self, stranger(address, language, now))
    }

    async fn admit(&self, mail: MailId, domain: &str, limits: Admission, now: DateTime<Utc>) -> Answer<bool> {
        call!(self, admit(mail, domain, limits, now))
    }

    async fn turned_away(&self, since: DateTime<Utc>) -> Answer<Vec<(String, u64)>> {
        call!(self, turned_away(since))
    }

    async fn stranger_address(&self, id: StrangerId) -> Answer<Option<(String, Language)>> {
        call!(self, stranger_address(id))
    }

    async fn open_asks(&self, party: Party) -> Answer<Vec<OpenAsk>> {
        call!(self, open_asks(party))
    }

    async fn claim_letter(&self, now: DateTime<Utc>) -> Answer<Option<Claimed>> {
        let claimed: Answer<Option<Claimed>> =
            claim!(self, claim_letter(now), |claimed| Doubt::Letter(claimed.id));
        claimed.map(|claimed| claimed.map(|claimed| self.deafened(claimed)))
    }

    async fn put_back(&self, letter: LetterId, at: DateTime<Utc>) -> Answer<()> {
        call!(self, put_back(letter, at), Some(Doubt::Letter(letter)))
    }

    async fn quarantine(&self, letter: LetterId, why: &str, now: DateTime<Utc>) -> Answer<()> {
        call!(self, quarantine(letter, why, now), Some(Doubt::Letter(letter)))
    }

    async fn new_case(&self) -> Answer<CaseId> {
        call!(self, new_case())
    }

    async fn claim_due(
        &self,
        now: DateTime<Utc>,
        settle: Duration,
        mailboxes: &[String],
    ) -> Answer<Option<CaseRow>> {
        let (settle, mailboxes) = match self.planted {
            Some(Planted::ClockFirst) => (Duration::zero(), &[][..]),
            _ => (settle, mailboxes),
        };
        let due: Answer<Option<CaseRow>> =
            claim!(self, claim_due(now, settle, mailboxes), |case| Doubt::Clock(case.id));
        self.perhaps_later(due?, now).await
    }

    async fn release_case(&self, case: CaseId) -> Answer<()> {
        call!(self, release_case(case), Some(Doubt::Clock(case)))
    }

    async fn put_back_clock(&self, case: CaseId, at: DateTime<Utc>) -> Answer<()> {
        call!(self, put_back_clock(case, at), Some(Doubt::Clock(case)))
    }

    async fn stick_clock(&self, case: CaseId, why: &str) -> Answer<()> {
        call!(self, stick_clock(case, why), Some(Doubt::Clock(case)))
    }

    async fn answered(&self, party: Party, since: DateTime<Utc>) -> Answer<u64> {
        call!(self, answered(party, since))
    }

    async fn message_id_seen(&self, message_id: &str, mail: MailId) -> Answer<bool> {
        call!(self, message_id_seen(message_id, mail))
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        if self.planted == Some(Planted::TwoTransactions) && commit.letter.is_some() && !commit.opens {
            self.faults.alive()?;
            return self.in_two_transactions(commit).await;
        }
        call!(self, commit(commit))
    }

    async fn claim_outgoing(&self, now: DateTime<Utc>) -> Answer<Option<Outgoing>> {
        claim!(self, claim_outgoing(now), |outgoing| Doubt::Outgoing(outgoing.row.id))
    }

    async fn keep_bytes(&self, id: NoticeId, bytes: &Sealed, print: &Print) -> Answer<()> {
        call!(self, keep_bytes(id, bytes, print))
    }

    async fn print(&self, id: NoticeId) -> Answer<Option<Print>> {
        call!(self, print(id))
    }

    async fn posted(&self, id: NoticeId, outcome: &Posted, now: DateTime<Utc>) -> Answer<()> {
        call!(self, posted(id, outcome, now), Some(Doubt::Posted(id, outcome.clone(), now)))
    }

    async fn resend(&self, id: NoticeId, now: DateTime<Utc>) -> Answer<bool> {
        call!(self, resend(id, now))
    }

    async fn next_event(&self) -> Answer<Option<DateTime<Utc>>> {
        call!(self, next_event())
    }

    async fn books(&self) -> Answer<Books> {
        call!(self, books())
    }

    async fn cases(&self) -> Answer<Vec<CaseRow>> {
        call!(self, cases())
    }

    async fn case(&self, id: CaseId) -> Answer<Option<CaseRow>> {
        call!(self, case(id))
    }

    async fn journal(&self, case: Option<CaseId>) -> Answer<Vec<JournalRow>> {
        call!(self, journal(case))
    }

    async fn journal_head(&self) -> Answer<String> {
        call!(self, journal_head())
    }

    async fn journal_at(&self, number: Option<i64>) -> Answer<Option<(i64, String)>> {
        call!(self, journal_at(number))
    }

    async fn oldest_intake_key(&self) -> Answer<Option<String>> {
        call!(self, oldest_intake_key())
    }

    async fn notices(&self, case: Option<CaseId>) -> Answer<Vec<NoticeRow>> {
        call!(self, notices(case))
    }

    async fn tasks(&self) -> Answer<Vec<OpenTask>> {
        call!(self, tasks())
    }

    async fn quarantined(&self) -> Answer<Vec<Quarantined>> {
        call!(self, quarantined())
    }

    async fn quarantined_mail(&self, id: MailId) -> Answer<Option<Mail>> {
        call!(self, quarantined_mail(id))
    }

    async fn unquarantine(&self, item: &Quarantined, release: Release<'_>, now: DateTime<Utc>) -> Answer<()> {
        call!(self, unquarantine(item, release, now))
    }

    async fn publications(&self, after: i64) -> Answer<Vec<Publication>> {
        call!(self, publications(after))
    }

    async fn shreds(&self) -> Answer<Vec<CaseId>> {
        let shreds: Answer<Vec<CaseId>> = call!(self, shreds());
        if self.planted == Some(Planted::KeyKept) { Ok(Vec::new()) } else { shreds }
    }

    async fn shredded(&self, case: CaseId) -> Answer<()> {
        call!(self, shredded(case))
    }

    async fn put_policy(&self, digest: &str, body: &str) -> Answer<()> {
        call!(self, put_policy(digest, body))
    }

    async fn policy(&self, digest: &str) -> Answer<Option<String>> {
        call!(self, policy(digest))
    }

    async fn fact(&self, name: &str) -> Answer<Option<String>> {
        call!(self, fact(name))
    }

    async fn set_fact(&self, name: &str, value: &str) -> Answer<()> {
        call!(self, set_fact(name, value))
    }
}
