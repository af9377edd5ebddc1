//! Mail as it arrives: stored once, sorted once.

use super::super::rules::storable;
use super::super::{Mail, NewMail, Sealed, Sorted, Upload};
use super::{letters, parts};
use crate::kernel::ids::{CaseId, MailId};
use crate::ports::mailbox::Cursor;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeMap;

pub(super) async fn cursors(pool: &PgPool, mailbox: &str) -> Result<BTreeMap<String, Cursor>, sqlx::Error> {
    let rows = sqlx::query!("select folder, uid_validity, next_uid from cursors where mailbox = $1", mailbox)
        .fetch_all(pool)
        .await?;
    rows.into_iter()
        .map(|row| {
            let uid_validity = super::number(row.uid_validity)?;
            Ok((row.folder, Cursor { uid_validity, next_uid: super::number(row.next_uid)? }))
        })
        .collect()
}

pub(super) async fn receive(
    pool: &PgPool,
    (mailbox, folder): (&str, &str),
    cursor: &Cursor,
    mails: &[NewMail],
    now: DateTime<Utc>,
) -> Result<Vec<(MailId, bool)>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let mut stored = Vec::with_capacity(mails.len());
    for mail in mails {
        stored.push(store(&mut tx, mailbox, mail, now).await?);
    }
    sqlx::query!(
        "insert into cursors (mailbox, folder, uid_validity, next_uid) values ($1, $2, $3, $4)
         on conflict (mailbox, folder) do update
         set uid_validity = excluded.uid_validity, next_uid = excluded.next_uid",
        mailbox,
        folder,
        i64::from(cursor.uid_validity),
        i64::from(cursor.next_uid)
    )
    .execute(&mut *tx)
    .await?;
    // Whoever thinks begins now, not once the mailbox is tidied up.
    if stored.iter().any(|(_, new)| *new) {
        super::tell(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(stored)
}

async fn store(
    tx: &mut PgConnection,
    mailbox: &str,
    mail: &NewMail,
    now: DateTime<Utc>,
) -> Result<(MailId, bool), sqlx::Error> {
    let (uid_validity, uid) = (i64::from(mail.place.uid_validity), i64::from(mail.place.uid));
    let known = sqlx::query_scalar!(
        "select mail from places where mailbox = $1 and folder = $2 and uid_validity = $3 and uid = $4",
        mailbox,
        mail.place.folder,
        uid_validity,
        uid
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(id) = known {
        forget_parts(tx, mail).await?;
        return Ok((MailId(id), false));
    }
    let new = sqlx::query_scalar!(
        "insert into mails (dedup, arrived, stored_at, size, junk, header_only, case_hint, key, raw, confidential,
             upload)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (dedup) do nothing returning id",
        &mail.dedup[..],
        mail.arrived,
        now,
        i64::try_from(mail.size).unwrap_or(i64::MAX),
        mail.junk,
        mail.header_only,
        mail.case_hint.map(|case| case.0),
        mail.raw.key,
        mail.raw.bytes,
        mail.confidential.map(|case| case.0),
        mail.upload.map(|upload| upload.0.to_vec())
    )
    .fetch_optional(&mut *tx)
    .await?;
    let id = match new {
        Some(id) => id,
        // Found again elsewhere: junk only where every place says so.
        None => {
            sqlx::query_scalar!(
                "update mails set junk = junk and $2 where dedup = $1 returning id",
                &mail.dedup[..],
                mail.junk
            )
            .fetch_one(&mut *tx)
            .await?
        }
    };
    if new.is_none() {
        forget_parts(tx, mail).await?;
    }
    found(tx, mailbox, mail, id).await?;
    Ok((MailId(id), new.is_some()))
}

/// The parts of a mail that was there already are there twice.
async fn forget_parts(tx: &mut PgConnection, mail: &NewMail) -> Result<(), sqlx::Error> {
    match mail.upload {
        Some(upload) => parts::forget(tx, upload).await,
        None => Ok(()),
    }
}

/// Notes where a mail lies; one in confidence is to be removed from there.
async fn found(tx: &mut PgConnection, mailbox: &str, mail: &NewMail, id: i64) -> Result<(), sqlx::Error> {
    let (uid_validity, uid) = (i64::from(mail.place.uid_validity), i64::from(mail.place.uid));
    sqlx::query!(
        "insert into places (mailbox, folder, uid_validity, uid, mail) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        mailbox,
        mail.place.folder,
        uid_validity,
        uid,
        id
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into expunges (mailbox, folder, uid_validity, uid)
         select $1, $2, $3, $4 from mails where id = $5 and confidential is not null on conflict do nothing",
        mailbox,
        mail.place.folder,
        uid_validity,
        uid,
        id
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn fetched(pool: &PgPool, mailbox: &str, began: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into mailboxes (mailbox, fetched_began) values ($1, $2)
         on conflict (mailbox) do update set fetched_began = greatest(mailboxes.fetched_began, $2)",
        mailbox,
        began
    )
    .execute(pool)
    .await?;
    Ok(())
}

struct MailRecord {
    id: i64,
    arrived: DateTime<Utc>,
    size: i64,
    junk: bool,
    header_only: bool,
    accepted: bool,
    stays: i32,
    confidential: Option<i64>,
    key: String,
    raw: Vec<u8>,
    upload: Option<Vec<u8>>,
    checked_key: Option<String>,
    checked: Option<Vec<u8>>,
}

impl From<MailRecord> for Mail {
    fn from(row: MailRecord) -> Mail {
        Mail {
            id: MailId(row.id),
            arrived: row.arrived,
            size: row.size.unsigned_abs(),
            junk: row.junk,
            header_only: row.header_only,
            accepted: row.accepted,
            stays: row.stays.unsigned_abs(),
            confidential: row.confidential.map(CaseId),
            raw: Sealed { key: row.key, bytes: row.raw },
            upload: row.upload.and_then(|upload| upload.try_into().ok()).map(Upload),
            checked: row.checked_key.zip(row.checked).map(|(key, bytes)| Sealed { key, bytes }),
        }
    }
}

pub(super) async fn claim(
    connection: &mut PgConnection,
    hand: i64,
    now: DateTime<Utc>,
) -> Result<Option<Mail>, sqlx::Error> {
    let row = sqlx::query_as!(
        MailRecord,
        "update mails set hand = $1 where id = (
             select id from mails m
             where status = 'unsorted' and hand is null and (not_before is null or not_before <= $2)
               and not exists (select from held where held.hand = $1 and (held.suspect or m.suspect))
             order by arrived, id limit 1 for update skip locked)
         returning id, arrived, size, junk, header_only, accepted, stays, confidential, key, raw, upload,
             checked_key, checked",
        hand,
        now
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Mail::from))
}

/// The status a sorted mail has, and why.
pub(super) fn status(sorted: &Sorted) -> (&'static str, Option<&str>) {
    match sorted {
        Sorted::Letters(letters) if letters.is_empty() => ("silent", Some("no letter in it")),
        Sorted::Letters(_) => ("waiting", None),
        Sorted::Silent(why) => ("silent", Some(why.as_str())),
        Sorted::Quarantined(why) => ("quarantined", Some(why.as_str())),
    }
}

pub(super) async fn sort(
    pool: &PgPool,
    hand: i64,
    mail: MailId,
    sorted: &Sorted,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let (status, why) = status(sorted);
    let mut tx = pool.begin().await?;
    let updated = sqlx::query!(
        "update mails set status = $2, why = $3, sorted_at = $4, hand = null, not_before = null
         where id = $1 and status = 'unsorted'",
        mail.0,
        status,
        why.map(storable),
        now
    )
    .execute(&mut *tx)
    .await?;
    if updated.rows_affected() == 0 {
        // Somebody else sorted it while our lock was lost; sorting is pure, so nothing is missed.
        return Ok(());
    }
    if let Sorted::Letters(new) = sorted {
        for letter in new {
            letters::insert(&mut tx, letter).await?;
        }
        if !new.is_empty() {
            letters::add_up(&mut tx, mail.0).await?;
        }
    }
    super::tell_others(&mut tx, hand).await?;
    tx.commit().await
}

pub(super) async fn put_back(
    pool: &PgPool,
    mail: MailId,
    hand: i64,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update mails set hand = null, suspect = false, not_before = $3 where id = $1 and hand = $2",
        mail.0,
        hand,
        at
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn keep_checked(pool: &PgPool, mail: MailId, found: &Sealed) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update mails set checked_key = $2, checked = $3 where id = $1",
        mail.0,
        found.key,
        found.bytes
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn quarantined(pool: &PgPool, id: MailId) -> Result<Option<Mail>, sqlx::Error> {
    let row = sqlx::query_as!(
        MailRecord,
        "select id, arrived, size, junk, header_only, accepted, stays, confidential, key, raw, upload,
             checked_key, checked from mails
         where id = $1 and status = 'quarantined'",
        id.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(Mail::from))
}
