//! Parts of large mails in Postgres.

use super::super::Answer;
use super::super::Sealed;
use super::super::parts::{Paper, Parts, Upload};
use super::{PostgresStore, fault, within};
use crate::kernel::ids::MailId;
use crate::ports::keys::KeyName;
use crate::ports::mailbox::Place;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, PgPool};

async fn keep(
    pool: &PgPool,
    upload: Upload,
    n: i32,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into mail_parts (upload, n, at, bytes) values ($1, $2, $3, $4) on conflict do nothing",
        &upload.0[..],
        n,
        now,
        sealed
    )
    .execute(pool)
    .await?;
    Ok(())
}

async fn part(pool: &PgPool, upload: Upload, n: i32) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar!("select bytes from mail_parts where upload = $1 and n = $2", &upload.0[..], n)
        .fetch_optional(pool)
        .await
}

/// Throws away the parts of an upload that names no mail.
pub(super) async fn forget(connection: &mut PgConnection, upload: Upload) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from mail_parts where upload = $1 and not exists (select from mails where mails.upload = $1)
             and not exists (select from documents where documents.upload = $1)",
        &upload.0[..]
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Throws away the parts of a mail of which nothing is to stay.
pub(super) async fn drop_of(connection: &mut PgConnection, mail: i64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with was as (
             update mails m set upload = null from (select id, upload from mails where id = $1) as old
             where m.id = old.id and old.upload is not null returning old.upload)
         delete from mail_parts p using was where p.upload = was.upload",
        mail
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn keep_paper(pool: &PgPool, paper: &Paper) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    let kept = sqlx::query!(
        "insert into documents (handle, mail, key, bytes, upload) values ($1, $2, $3, $4, $5) on conflict do nothing",
        paper.handle,
        paper.mail.0,
        paper.sealed.key,
        paper.sealed.bytes,
        &paper.upload.0[..]
    )
    .execute(&mut *tx)
    .await?;
    if kept.rows_affected() == 0 {
        forget(&mut tx, paper.upload).await?;
    }
    tx.commit().await
}

async fn paper(pool: &PgPool, handle: &str) -> Result<Option<Paper>, sqlx::Error> {
    let row = sqlx::query!("select mail, key, bytes, upload from documents where handle = $1", handle)
        .fetch_optional(pool)
        .await?;
    row.map(|row| {
        let upload = row.upload.try_into().map_err(|_| sqlx::Error::Decode("an upload's number".into()))?;
        let sealed = Sealed { key: row.key, bytes: row.bytes };
        Ok(Paper { handle: handle.to_owned(), mail: MailId(row.mail), upload: Upload(upload), sealed })
    })
    .transpose()
}

/// Throws documents away: rows and parts now, for good once the key store has destroyed their keys.
pub(super) async fn drop_papers(tx: &mut PgConnection, handles: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with gone as (delete from documents where handle = any($1) returning key, upload),
              keys as (insert into spent (key) select key from gone on conflict do nothing)
         delete from mail_parts p using gone where p.upload = gone.upload",
        handles
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Destroys documents with the mails they came in: nothing of those stays, here or in the mailbox.
pub(super) async fn destroy_papers(tx: &mut PgConnection, handles: &[String]) -> Result<(), sqlx::Error> {
    let mails = sqlx::query_scalar!(
        "select distinct m.id from mails m join documents d on d.mail = m.id where d.handle = any($1)
         order by m.id",
        handles
    )
    .fetch_all(&mut *tx)
    .await?;
    drop_papers(tx, handles).await?;
    for mail in mails {
        sqlx::query!(
            "insert into expunges (mailbox, folder, uid_validity, uid)
             select mailbox, folder, uid_validity, uid from places where mail = $1 on conflict do nothing",
            mail
        )
        .execute(&mut *tx)
        .await?;
        drop_of(tx, mail).await?;
        sqlx::query!("update mails set key = '', raw = '' where id = $1", mail).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn moved(pool: &PgPool, mailbox: &str, moved: &[(Place, Place)]) -> Result<(), sqlx::Error> {
    let folders = |of: fn(&(Place, Place)) -> &Place| -> Vec<String> {
        moved.iter().map(|pair| of(pair).folder.clone()).collect()
    };
    let numbers = |of: fn(&(Place, Place)) -> u32| -> Vec<i64> {
        moved.iter().map(|pair| i64::from(of(pair))).collect()
    };
    sqlx::query!(
        "update places p set folder = t.nf, uid_validity = t.nv, uid = t.nu
         from unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[])
             as t (f, v, u, nf, nv, nu)
         where (p.mailbox, p.folder, p.uid_validity, p.uid) = ($1, t.f, t.v, t.u)
           and not exists (select from places q
                           where (q.mailbox, q.folder, q.uid_validity, q.uid) = ($1, t.nf, t.nv, t.nu))",
        mailbox,
        &folders(|(from, _)| from),
        &numbers(|(from, _)| from.uid_validity),
        &numbers(|(from, _)| from.uid),
        &folders(|(_, to)| to),
        &numbers(|(_, to)| to.uid_validity),
        &numbers(|(_, to)| to.uid)
    )
    .execute(pool)
    .await?;
    Ok(())
}

async fn tidy(pool: &PgPool, before: DateTime<Utc>, kept: &str) -> Result<u64, sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query!(
        "update mails set upload = null where upload is not null and key like 'intake-%' and key < $1",
        kept
    )
    .execute(&mut *tx)
    .await?;
    let gone = sqlx::query_scalar!(
        r#"with gone as (
               delete from mail_parts p where not exists (select from mails m where m.upload = p.upload)
                   and not exists (select from documents d where d.upload = p.upload)
                   and p.upload in (select upload from mail_parts where n = 0 and at < $1)
               returning p.n)
           select count(*) filter (where n = 0) as "gone!" from gone"#,
        before
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(gone.unsigned_abs())
}

impl Parts for PostgresStore {
    async fn keep_part(&self, upload: Upload, n: u32, sealed: &[u8], now: DateTime<Utc>) -> Answer<()> {
        let n = i32::try_from(n).unwrap_or(i32::MAX);
        within(keep(&self.pool, upload, n, sealed, now)).await.map_err(fault("storing a part of a mail"))
    }

    async fn part(&self, upload: Upload, n: u32) -> Answer<Option<Vec<u8>>> {
        let n = i32::try_from(n).unwrap_or(i32::MAX);
        within(part(&self.pool, upload, n)).await.map_err(fault("reading a part of a mail"))
    }

    async fn forget_parts(&self, upload: Upload) -> Answer<()> {
        let forget = async {
            let mut connection = self.pool.acquire().await?;
            forget(&mut connection, upload).await
        };
        within(forget).await.map_err(fault("forgetting parts of a mail"))
    }

    async fn keep_paper(&self, paper: &Paper) -> Answer<()> {
        within(keep_paper(&self.pool, paper)).await.map_err(fault("storing a document"))
    }

    async fn paper(&self, handle: &str) -> Answer<Option<Paper>> {
        within(paper(&self.pool, handle)).await.map_err(fault("looking up a document"))
    }

    async fn moved(&self, mailbox: &str, moved_to: &[(Place, Place)]) -> Answer<()> {
        within(moved(&self.pool, mailbox, moved_to)).await.map_err(fault("recording where mails lie"))
    }

    async fn tidy_parts(&self, before: DateTime<Utc>, kept: NaiveDate) -> Answer<u64> {
        let kept = KeyName::Intake(kept).to_string();
        within(tidy(&self.pool, before, &kept)).await.map_err(fault("forgetting parts of mails"))
    }
}
