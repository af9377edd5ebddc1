//! Confidences in Postgres. Whatever is forgotten is deleted here; that it is gone is the key store's doing, since a
//! database keeps what it deletes for a while, and its backups for longer.

use super::super::confidential::{Confided, OVER, forgotten};
use super::super::rules::storable;
use super::super::{Answer, Confidential, Sealed, Sorted, rules::Item};
use super::{PostgresStore, fault, letters, mail, number, parts, within};
use crate::kernel::confidential::day;
use crate::kernel::ids::{CaseId, MailId};
use crate::ports::mailbox::Place;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeSet;

pub(super) async fn cases(pool: &PgPool) -> Result<BTreeSet<CaseId>, sqlx::Error> {
    let cases = sqlx::query_scalar!("select id from cases where confidences <> '{}'").fetch_all(pool).await?;
    Ok(cases.into_iter().map(CaseId).collect())
}

pub(super) async fn register_version_at(pool: &PgPool, at: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let version = sqlx::query_scalar!(
        r#"select coalesce(max(version), 0) as "version!" from register_changes where at <= $1"#,
        at
    )
    .fetch_one(pool)
    .await?;
    number(version)
}

pub(super) async fn sort(
    pool: &PgPool,
    id: MailId,
    sorted: &Sorted,
    confided: &Confided,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let (status, why) = mail::status(sorted);
    let (key, raw) = confided.raw.as_ref().map_or(("", &[][..]), |raw| (raw.key.as_str(), &raw.bytes[..]));
    let mut tx = pool.begin().await?;
    let Some(before) =
        sqlx::query!("select key, arrived from mails where id = $1 and status = 'unsorted' for update", id.0)
            .fetch_optional(&mut *tx)
            .await?
    else {
        return Ok(());
    };
    // What waits for a person keeps its time: no clock goes past it.
    let waits = confided.raw.is_some();
    sqlx::query!(
        "update mails set status = $2, why = $3, confidential = $4::bigint, key = $5, raw = $6, checked_key = null,
             checked = null, hand = null, not_before = null, arrived = $7, stored_at = $8, sorted_at = $8, size = 0,
             case_hint = case when $9 then $4::bigint else null end
         where id = $1",
        id.0,
        status,
        why.map(storable),
        confided.case.0,
        key,
        raw,
        if waits { before.arrived } else { day(before.arrived) },
        day(now),
        waits
    )
    .execute(&mut *tx)
    .await?;
    if !waits {
        parts::drop_of(&mut tx, id.0).await?;
    }
    spend(&mut tx, &before.key).await?;
    for kept in &confided.kept {
        sqlx::query!(
            "insert into sealed (handle, case_id, key, bytes) values ($1, $2, $3, $4)",
            kept.handle,
            confided.case.0,
            kept.sealed.key,
            kept.sealed.bytes
        )
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query!(
        "insert into expunges (mailbox, folder, uid_validity, uid)
         select mailbox, folder, uid_validity, uid from places where mail = $1 on conflict do nothing",
        id.0
    )
    .execute(&mut *tx)
    .await?;
    if let Sorted::Letters(new) = sorted {
        for letter in new {
            letters::insert(&mut tx, letter).await?;
        }
        if !new.is_empty() {
            letters::add_up(&mut tx, id.0).await?;
        }
    }
    super::tell(&mut tx).await?;
    tx.commit().await
}

/// A key for one thing alone seals it no more.
async fn spend(tx: &mut PgConnection, key: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into spent (key) select $1::text where $1 like 'once-%' on conflict do nothing",
        key
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn sealed(pool: &PgPool, handle: &str) -> Result<Option<Sealed>, sqlx::Error> {
    sqlx::query_as!(Sealed, "select key, bytes from sealed where handle = $1", handle)
        .fetch_optional(pool)
        .await
}

/// Throws away what was sealed for a step that was refused.
pub(super) async fn forget(tx: &mut PgConnection, handles: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from sealed where handle = any($1)", handles).execute(tx).await?;
    Ok(())
}

/// Forgets whom notices went to that will not leave again: one of them, or all.
pub(super) async fn forget_recipients(
    connection: &mut PgConnection,
    handle: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with gone as (
             delete from sealed s where handle like 'a%' and ($1::text is null or handle = $1)
               and exists (select from outbox o where o.recipient = s.handle)
               and not exists (select from outbox o where o.recipient = s.handle
                               and o.status in ('waiting', 'stuck'))
             returning key)
         insert into spent (key) select key from gone on conflict do nothing",
        handle
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Nothing stays of a mail in confidence that a person discarded.
pub(super) async fn discard(tx: &mut PgConnection, mail: MailId) -> Result<(), sqlx::Error> {
    let key = sqlx::query_scalar!(
        "select key from mails where id = $1 and confidential is not null and status = 'silent' for update",
        mail.0
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(key) = key else { return Ok(()) };
    spend(tx, &key).await?;
    parts::drop_of(tx, mail.0).await?;
    sqlx::query!(
        "update mails set key = '', raw = '', checked_key = null, checked = null, case_hint = null where id = $1",
        mail.0
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// All that a case was told, its mails that wait for a person among it. Whoever is still to be answered stays until
/// she is.
pub(super) async fn shred(tx: &mut PgConnection, case: CaseId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with gone as (
             delete from sealed s where case_id = $1
               and not exists (select from outbox o where o.recipient = s.handle
                               and o.status in ('waiting', 'stuck'))
             returning key)
         insert into spent (key) select key from gone where key like 'once-%' on conflict do nothing",
        case.0
    )
    .execute(&mut *tx)
    .await?;
    let mails = sqlx::query!(
        "select id, key, status from mails where confidential = $1 and status <> 'unsorted' for update",
        case.0
    )
    .fetch_all(&mut *tx)
    .await?;
    for mail in mails {
        spend(tx, &mail.key).await?;
        parts::drop_of(tx, mail.id).await?;
        sqlx::query!(
            "update mails set dedup = $2, key = '', raw = '', checked_key = null, checked = null, case_hint = null,
                 why = case when $3 then $4 else why end,
                 status = case when $3 then 'silent' else status end
             where id = $1",
            mail.id,
            &forgotten(MailId(mail.id))[..],
            mail.status == "quarantined",
            OVER
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

pub(super) async fn expunges(pool: &PgPool, mailbox: &str) -> Result<Vec<Place>, sqlx::Error> {
    let rows = sqlx::query!(
        "select folder, uid_validity, uid from expunges where mailbox = $1 order by folder, uid_validity, uid",
        mailbox
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let (uid_validity, uid) = (number(row.uid_validity)?, number(row.uid)?);
            Ok(Place { folder: row.folder, uid_validity, uid })
        })
        .collect()
}

/// The places are forgotten with the requests: nothing will ever be found there again.
pub(super) async fn expunged(pool: &PgPool, mailbox: &str, places: &[Place]) -> Result<(), sqlx::Error> {
    let folders: Vec<String> = places.iter().map(|place| place.folder.clone()).collect();
    let validities: Vec<i64> = places.iter().map(|place| i64::from(place.uid_validity)).collect();
    let uids: Vec<i64> = places.iter().map(|place| i64::from(place.uid)).collect();
    sqlx::query!(
        "with gone as (
             delete from expunges e using unnest($2::text[], $3::bigint[], $4::bigint[]) as t (f, v, u)
             where (e.mailbox, e.folder, e.uid_validity, e.uid) = ($1, t.f, t.v, t.u)
             returning e.folder, e.uid_validity, e.uid)
         delete from places p using gone g
         where (p.mailbox, p.folder, p.uid_validity, p.uid) = ($1, g.folder, g.uid_validity, g.uid)",
        mailbox,
        &folders,
        &validities,
        &uids
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn spent(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    forget_recipients(&mut connection, None).await?;
    sqlx::query_scalar!("select key from spent order by key").fetch_all(&mut *connection).await
}

pub(super) async fn destroyed(pool: &PgPool, key: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from spent where key = $1", key).execute(pool).await?;
    Ok(())
}

pub(super) async fn keys_needed(pool: &PgPool) -> Result<BTreeSet<String>, sqlx::Error> {
    let keys = sqlx::query_scalar!(
        r#"select key as "key!" from (
               select key from mails union select checked_key from mails union select key from sealed
               union select key from documents
               union select key from spent) as needed
           where key like 'once-%'"#
    )
    .fetch_all(pool)
    .await?;
    Ok(keys.into_iter().collect())
}

impl Confidential for PostgresStore {
    async fn confidential_cases(&self) -> Answer<BTreeSet<CaseId>> {
        within(cases(&self.pool)).await.map_err(fault("listing cases with confidences"))
    }

    async fn register_version_at(&self, at: DateTime<Utc>) -> Answer<u64> {
        within(register_version_at(&self.pool, at))
            .await
            .map_err(fault("looking up the register of a moment"))
    }

    async fn sort_confided(
        &self,
        mail: MailId,
        sorted: &Sorted,
        confided: &Confided,
        now: DateTime<Utc>,
    ) -> Answer<()> {
        let told = within(sort(&self.pool, mail, sorted, confided, now)).await;
        self.grip.let_go(Item::Mail(mail), told.map_err(fault("sorting a mail in confidence")))
    }

    async fn sealed(&self, handle: &str) -> Answer<Option<Sealed>> {
        within(sealed(&self.pool, handle)).await.map_err(fault("looking up what is sealed"))
    }

    async fn expunges(&self, mailbox: &str) -> Answer<Vec<Place>> {
        within(expunges(&self.pool, mailbox)).await.map_err(fault("listing mails to be expunged"))
    }

    async fn expunged(&self, mailbox: &str, places: &[Place]) -> Answer<()> {
        within(expunged(&self.pool, mailbox, places)).await.map_err(fault("recording what is expunged"))
    }

    async fn spent(&self) -> Answer<Vec<String>> {
        within(spent(&self.pool)).await.map_err(fault("listing keys of no more use"))
    }

    async fn destroyed(&self, key: &str) -> Answer<()> {
        within(destroyed(&self.pool, key)).await.map_err(fault("recording a destroyed key"))
    }

    async fn keys_needed(&self) -> Answer<BTreeSet<String>> {
        within(keys_needed(&self.pool)).await.map_err(fault("listing keys that are needed"))
    }
}
