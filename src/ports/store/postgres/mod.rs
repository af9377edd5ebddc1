//! The record in Postgres. Every method is one transaction; what each does stands in the file named after
//! its matter, and the schema with its reasons in `migrations/`.

mod commit;
mod confidential;
mod connect;
mod grip;
mod hands;
mod letters;
mod lists;
mod mail;
mod outbox;
mod parts;
mod people;

pub use connect::{PostgresStore, pending_migrations};

use super::{
    Admission, Answer, Books, Claimed, CommitError, JournalRow, Mail, NewMail, NoticeRow, OpenAsk, OpenTask,
    Outgoing, Posted, Publication, Quarantined, Release, Sealed, Sorted, Store,
    rules::{self, Item},
};
use crate::advance::{CaseRow, Commit, Ending, NewLetter};
use crate::kernel::ids::{CaseId, LetterId, MailId, NoticeId, Party, StrangerId};
use crate::kernel::language::Language;
use crate::kernel::register::{Change, Register};
use crate::letters::print::Print;
use crate::ports::mailbox::Cursor;
use chrono::{DateTime, Duration, Utc};
use connect::{fault, within};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A value as JSON that Postgres can hold.
trait JsonExt: Serialize {
    fn json(&self) -> Result<Value, sqlx::Error> {
        let value = serde_json::to_value(self).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        Ok(rules::storable_json(value))
    }
}

impl<T: Serialize> JsonExt for T {}

fn decode<T: DeserializeOwned>(value: Value) -> Result<T, sqlx::Error> {
    serde_json::from_value(value).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// A number or a fixed array out of a wider one.
fn number<T>(
    wide: impl TryInto<T, Error: std::error::Error + Send + Sync + 'static>,
) -> Result<T, sqlx::Error> {
    wide.try_into().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Wakes whoever listens once the transaction is committed.
async fn tell(tx: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_notify('atlarged', '')").fetch_one(tx).await?;
    Ok(())
}

/// Wakes the other instances: who works on what wakes its own loops itself, and better, knowing which.
async fn tell_others(tx: &mut PgConnection, hand: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_notify('atlarged', $1)", hand.to_string()).fetch_one(tx).await?;
    Ok(())
}

/// A claim, made in the session that holds the lock. Before the first, and wherever there is nothing, what
/// dead instances have in hand is freed. Until the answer is here, what is in hand is in doubt.
macro_rules! claim {
    ($store:ident, $now:ident, $what:literal, |$connection:ident| $claim:expr, $item:expr) => {{
        let mut session = $store.session().await?;
        $store.grip.claiming();
        let found = within(async {
            let $connection = session.connection()?;
            if !$store.looked_after_the_dead.load(Ordering::Relaxed) {
                hands::free_the_dead($connection, $store.hand, $now).await?;
                $store.looked_after_the_dead.store(true, Ordering::Relaxed);
            }
            if let Some(found) = $claim.await? {
                return Ok(Some(found));
            }
            if !hands::free_the_dead($connection, $store.hand, $now).await? {
                return Ok(None);
            }
            $claim.await
        })
        .await;
        match found {
            Ok(found) => {
                $store.grip.claimed(found.as_ref().map($item));
                Ok(found)
            }
            Err(error) => {
                session.drop_if_lost(&error);
                Err(fault($what)(error))
            }
        }
    }};
}

impl Store for PostgresStore {
    async fn register(&self) -> Answer<Arc<Register>> {
        within(people::register(&self.pool, &self.register)).await.map_err(fault("reading the register"))
    }

    async fn register_at(&self, version: u64) -> Answer<Arc<Register>> {
        within(people::register_at(&self.pool, &self.register, version))
            .await
            .map_err(fault("reading the register"))
    }

    async fn change_register(
        &self,
        from: u64,
        changes: &[Change],
        by: &str,
        now: DateTime<Utc>,
    ) -> Answer<bool> {
        within(people::change_register(&self.pool, from, changes, by, now))
            .await
            .map_err(fault("changing the register"))
    }

    async fn cursors(&self, mailbox: &str) -> Answer<BTreeMap<String, Cursor>> {
        within(mail::cursors(&self.pool, mailbox))
            .await
            .map_err(fault("reading where a mailbox was left off"))
    }

    async fn receive(
        &self,
        mailbox: &str,
        folder: &str,
        cursor: &Cursor,
        mails: &[NewMail],
        now: DateTime<Utc>,
    ) -> Answer<Vec<(MailId, bool)>> {
        within(mail::receive(&self.pool, (mailbox, folder), cursor, mails, now))
            .await
            .map_err(fault("storing mail"))
    }

    async fn fetched(&self, mailbox: &str, began: DateTime<Utc>) -> Answer<()> {
        within(mail::fetched(&self.pool, mailbox, began)).await.map_err(fault("recording a fetch"))
    }

    async fn claim_mail(&self, now: DateTime<Utc>) -> Answer<Option<Mail>> {
        claim!(self, now, "claiming a mail", |connection| mail::claim(connection, self.hand, now), |mail| {
            Item::Mail(mail.id)
        })
    }

    async fn sort(&self, mail: MailId, sorted: &Sorted, now: DateTime<Utc>) -> Answer<()> {
        let told = within(mail::sort(&self.pool, self.hand, mail, sorted, now))
            .await
            .map_err(fault("sorting a mail"));
        self.grip.let_go(Item::Mail(mail), told)
    }

    async fn put_back_mail(&self, mail: MailId, at: DateTime<Utc>) -> Answer<()> {
        let told = within(mail::put_back(&self.pool, mail, self.hand, at))
            .await
            .map_err(fault("putting a mail back"));
        self.grip.let_go(Item::Mail(mail), told)
    }

    async fn keep_checked(&self, mail: MailId, found: &Sealed) -> Answer<()> {
        within(mail::keep_checked(&self.pool, mail, found))
            .await
            .map_err(fault("keeping what DNS said of a mail"))
    }

    async fn post(&self, letter: &NewLetter, _now: DateTime<Utc>) -> Answer<(LetterId, bool)> {
        within(letters::post(&self.pool, letter)).await.map_err(fault("posting a letter"))
    }

    async fn ending(&self, letter: LetterId) -> Answer<Option<(Ending, Option<CaseId>)>> {
        within(letters::ending(&self.pool, letter)).await.map_err(fault("looking up a letter's end"))
    }

    async fn notice(&self, id: NoticeId) -> Answer<Option<NoticeRow>> {
        within(outbox::notice(&self.pool, id)).await.map_err(fault("looking up a notice"))
    }

    async fn stranger(
        &self,
        address: &str,
        language: Language,
        now: DateTime<Utc>,
    ) -> Answer<(StrangerId, Option<DateTime<Utc>>)> {
        within(people::stranger(&self.pool, address, language, now))
            .await
            .map_err(fault("looking up a stranger"))
    }

    async fn admit(&self, mail: MailId, domain: &str, limits: Admission, now: DateTime<Utc>) -> Answer<bool> {
        within(people::admit(&self.pool, mail, domain, limits, now))
            .await
            .map_err(fault("counting strangers"))
    }

    async fn turned_away(&self, since: DateTime<Utc>) -> Answer<Vec<(String, u64)>> {
        within(people::turned_away(&self.pool, since)).await.map_err(fault("counting strangers"))
    }

    async fn stranger_address(&self, id: StrangerId) -> Answer<Option<(String, Language)>> {
        within(people::stranger_address(&self.pool, id)).await.map_err(fault("looking up a stranger"))
    }

    async fn answered(&self, party: Party, since: DateTime<Utc>) -> Answer<u64> {
        within(outbox::answered(&self.pool, party, since)).await.map_err(fault("counting answers"))
    }

    async fn message_id_seen(&self, message_id: &str, mail: MailId) -> Answer<bool> {
        within(letters::message_id_seen(&self.pool, message_id, mail))
            .await
            .map_err(fault("looking up a Message-ID"))
    }

    async fn open_asks(&self, party: Party) -> Answer<Vec<OpenAsk>> {
        within(outbox::open_asks(&self.pool, party)).await.map_err(fault("looking up what is asked"))
    }

    async fn claim_letter(&self, now: DateTime<Utc>) -> Answer<Option<Claimed>> {
        claim!(
            self,
            now,
            "claiming a letter",
            |connection| letters::claim(connection, self.hand, now),
            |claimed| Item::Letter(claimed.id)
        )
    }

    async fn put_back(&self, letter: LetterId, at: DateTime<Utc>) -> Answer<()> {
        let told = within(letters::put_back(&self.pool, letter, self.hand, at))
            .await
            .map_err(fault("putting a letter back"));
        self.grip.let_go(Item::Letter(letter), told)
    }

    async fn quarantine(&self, letter: LetterId, why: &str, _now: DateTime<Utc>) -> Answer<()> {
        let told = within(letters::quarantine(&self.pool, letter, self.hand, why))
            .await
            .map_err(fault("quarantining a letter"));
        self.grip.let_go(Item::Letter(letter), told)
    }

    async fn new_case(&self) -> Answer<CaseId> {
        within(letters::new_case(&self.pool)).await.map_err(fault("numbering a case"))
    }

    async fn claim_due(
        &self,
        now: DateTime<Utc>,
        settle: Duration,
        mailboxes: &[String],
    ) -> Answer<Option<CaseRow>> {
        claim!(
            self,
            now,
            "claiming a clock",
            |connection| letters::claim_due(connection, self.hand, now, settle, mailboxes),
            |case| Item::Clock(case.id)
        )
    }

    async fn release_case(&self, case: CaseId) -> Answer<()> {
        let told = within(letters::release_case(&self.pool, case, self.hand))
            .await
            .map_err(fault("releasing a case"));
        self.grip.let_go(Item::Clock(case), told)
    }

    async fn put_back_clock(&self, case: CaseId, at: DateTime<Utc>) -> Answer<()> {
        let told = within(letters::put_back_clock(&self.pool, case, self.hand, at))
            .await
            .map_err(fault("putting a clock back"));
        self.grip.let_go(Item::Clock(case), told)
    }

    async fn stick_clock(&self, case: CaseId, why: &str) -> Answer<()> {
        let told = within(letters::stick_clock(&self.pool, case, self.hand, why))
            .await
            .map_err(fault("setting a clock aside"));
        self.grip.let_go(Item::Clock(case), told)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let bounded = within(async { Ok(commit::commit(&self.pool, self.hand, commit).await) }).await;
        bounded.map_err(fault("applying a step"))?.map_err(CommitError::from)?;
        let letter = commit.letter.as_ref().map(|(id, _)| Item::Letter(*id));
        for item in letter.into_iter().chain(commit.clock.map(|_| Item::Clock(commit.case.id))) {
            self.grip.let_go(item, Ok(()))?;
        }
        Ok(())
    }

    async fn claim_outgoing(&self, now: DateTime<Utc>) -> Answer<Option<Outgoing>> {
        self.grip.catch_up(&self.pool, self.hand).await?;
        claim!(
            self,
            now,
            "claiming a notice",
            |connection| outbox::claim(connection, self.hand, now),
            |outgoing| Item::Notice(outgoing.row.id)
        )
    }

    async fn keep_bytes(&self, id: NoticeId, bytes: &Sealed, print: &Print) -> Answer<()> {
        within(outbox::keep_bytes(&self.pool, id, bytes, print))
            .await
            .map_err(fault("keeping a mail's bytes"))
    }

    async fn print(&self, id: NoticeId) -> Answer<Option<Print>> {
        within(outbox::print(&self.pool, id)).await.map_err(fault("reading a mail's print"))
    }

    async fn posted(&self, id: NoticeId, outcome: &Posted, now: DateTime<Utc>) -> Answer<()> {
        self.grip.posted(&self.pool, self.hand, (id, outcome, now)).await
    }

    async fn resend(&self, id: NoticeId, now: DateTime<Utc>) -> Answer<bool> {
        within(outbox::resend(&self.pool, id, now)).await.map_err(fault("sending a notice once more"))
    }

    async fn next_event(&self) -> Answer<Option<DateTime<Utc>>> {
        within(lists::next_event(&self.pool)).await.map_err(fault("looking up what comes next"))
    }

    async fn books(&self) -> Answer<Books> {
        within(lists::books(&self.pool)).await.map_err(fault("balancing the books"))
    }

    async fn cases(&self) -> Answer<Vec<CaseRow>> {
        within(lists::cases(&self.pool)).await.map_err(fault("listing cases"))
    }

    async fn case(&self, id: CaseId) -> Answer<Option<CaseRow>> {
        within(lists::case(&self.pool, id)).await.map_err(fault("looking up a case"))
    }

    async fn journal(&self, case: Option<CaseId>) -> Answer<Vec<JournalRow>> {
        within(lists::journal(&self.pool, case)).await.map_err(fault("reading the journal"))
    }

    async fn journal_head(&self) -> Answer<String> {
        within(lists::journal_head(&self.pool)).await.map_err(fault("reading the journal"))
    }

    async fn journal_at(&self, number: Option<i64>) -> Answer<Option<(i64, String)>> {
        within(lists::journal_at(&self.pool, number)).await.map_err(fault("reading the journal"))
    }

    async fn oldest_intake_key(&self) -> Answer<Option<String>> {
        within(lists::oldest_intake_key(&self.pool)).await.map_err(fault("looking up what waits"))
    }

    async fn notices(&self, case: Option<CaseId>) -> Answer<Vec<NoticeRow>> {
        within(outbox::notices(&self.pool, case)).await.map_err(fault("listing notices"))
    }

    async fn tasks(&self) -> Answer<Vec<OpenTask>> {
        within(lists::tasks(&self.pool)).await.map_err(fault("listing tasks"))
    }

    async fn quarantined(&self) -> Answer<Vec<Quarantined>> {
        within(lists::quarantined(&self.pool)).await.map_err(fault("listing the quarantine"))
    }

    async fn quarantined_mail(&self, id: MailId) -> Answer<Option<Mail>> {
        within(mail::quarantined(&self.pool, id)).await.map_err(fault("reading a quarantined mail"))
    }

    async fn unquarantine(&self, item: &Quarantined, release: Release<'_>, now: DateTime<Utc>) -> Answer<()> {
        within(lists::unquarantine(&self.pool, item, release, now))
            .await
            .map_err(fault("emptying the quarantine"))
    }

    async fn publications(&self, after: i64) -> Answer<Vec<Publication>> {
        within(lists::publications(&self.pool, after)).await.map_err(fault("listing publications"))
    }

    async fn shreds(&self) -> Answer<Vec<CaseId>> {
        within(lists::shreds(&self.pool)).await.map_err(fault("listing keys to be destroyed"))
    }

    async fn shredded(&self, case: CaseId) -> Answer<()> {
        within(lists::shredded(&self.pool, case)).await.map_err(fault("recording a destroyed key"))
    }

    async fn put_policy(&self, digest: &str, body: &str) -> Answer<()> {
        within(lists::put_policy(&self.pool, digest, body)).await.map_err(fault("storing a policy"))
    }

    async fn policy(&self, digest: &str) -> Answer<Option<String>> {
        within(lists::policy(&self.pool, digest)).await.map_err(fault("reading a policy"))
    }

    async fn fact(&self, name: &str) -> Answer<Option<String>> {
        within(lists::fact(&self.pool, name)).await.map_err(fault("reading a fact"))
    }

    async fn set_fact(&self, name: &str, value: &str) -> Answer<()> {
        within(lists::set_fact(&self.pool, name, value)).await.map_err(fault("storing a fact"))
    }
}
