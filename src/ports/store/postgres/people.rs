//! The register and the people outside it.

use super::super::Admission;
use super::super::rules::{STRANGER_REST, kept_address};
use super::{JsonExt, decode, number};
use crate::kernel::ids::{MailId, StrangerId};
use crate::kernel::language::Language;
use crate::kernel::register::{Change, Register};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use std::sync::{Arc, Mutex, PoisonError};

/// The newest register; only what is new since `cached` is read.
pub(super) async fn register(
    pool: &PgPool,
    cached: &Mutex<Arc<Register>>,
) -> Result<Arc<Register>, sqlx::Error> {
    let known = cached.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let stored = sqlx::query_scalar!("select register_version from head").fetch_one(pool).await?;
    if stored == number::<i64>(known.version)? {
        return Ok(known);
    }
    // A database put back to an earlier state has fewer changes than we know of.
    let base = if stored > number::<i64>(known.version)? { known } else { Arc::default() };
    let newer = Arc::new(fold(pool, (*base).clone(), stored).await?);
    *cached.lock().unwrap_or_else(PoisonError::into_inner) = newer.clone();
    Ok(newer)
}

pub(super) async fn register_at(
    pool: &PgPool,
    cached: &Mutex<Arc<Register>>,
    version: u64,
) -> Result<Arc<Register>, sqlx::Error> {
    let known = cached.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if known.version == version {
        return Ok(known);
    }
    Ok(Arc::new(fold(pool, Register::default(), number(version)?).await?))
}

async fn fold(pool: &PgPool, mut base: Register, up_to: i64) -> Result<Register, sqlx::Error> {
    let changes = sqlx::query_scalar!(
        "select change from register_changes where version > $1 and version <= $2 order by version",
        number::<i64>(base.version)?,
        up_to
    )
    .fetch_all(pool)
    .await?;
    for change in changes {
        base.apply(&decode(change)?);
    }
    Ok(base)
}

/// Appends changes after `version`, which the caller holds, and returns the version they lead to.
pub(super) async fn append(
    tx: &mut PgConnection,
    mut version: i64,
    changes: &[Change],
    by: &str,
    now: DateTime<Utc>,
) -> Result<i64, sqlx::Error> {
    for change in changes {
        version += 1;
        sqlx::query!(
            "insert into register_changes (version, at, by, change) values ($1, $2, $3, $4)",
            version,
            now,
            by,
            change.json()?
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(version)
}

pub(super) async fn change_register(
    pool: &PgPool,
    from: u64,
    changes: &[Change],
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let stored =
        sqlx::query_scalar!("select register_version from head for update").fetch_one(&mut *tx).await?;
    if stored != number::<i64>(from)? {
        return Ok(false);
    }
    let version = append(&mut tx, stored, changes, by, now).await?;
    sqlx::query!("update head set register_version = $1", version).execute(&mut *tx).await?;
    super::tell(&mut tx).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn stranger(
    pool: &PgPool,
    address: &str,
    language: Language,
    now: DateTime<Utc>,
) -> Result<(StrangerId, Option<DateTime<Utc>>), sqlx::Error> {
    let address = kept_address(address);
    let mut tx = pool.begin().await?;
    let new = sqlx::query_scalar!(
        "insert into strangers (address, language, last_answered) values ($1, $2, $3)
         on conflict (address) do nothing returning id",
        address,
        language.code(),
        now
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(id) = new {
        tx.commit().await?;
        return Ok((StrangerId(id), None));
    }
    let row = sqlx::query!("select id, last_answered from strangers where address = $1 for update", address)
        .fetch_one(&mut *tx)
        .await?;
    if now - row.last_answered >= STRANGER_REST {
        sqlx::query!(
            "update strangers set last_answered = $2, language = $3 where id = $1",
            row.id,
            now,
            language.code()
        )
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok((StrangerId(row.id), Some(row.last_answered)))
}

pub(super) async fn admit(
    pool: &PgPool,
    mail: MailId,
    domain: &str,
    limits: Admission,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let domain = kept_address(domain);
    let since = now - STRANGER_REST;
    let mut tx = pool.begin().await?;
    // One at a time, or two could each be the last.
    sqlx::query!("lock table knocks in share row exclusive mode").execute(&mut *tx).await?;
    let known = sqlx::query_scalar!("select admitted from knocks where mail = $1", mail.0)
        .fetch_optional(&mut *tx)
        .await?;
    if let Some(admitted) = known {
        return Ok(admitted);
    }
    let counts = sqlx::query!(
        r#"select count(*) as "all!", count(*) filter (where domain = $2) as "domain!"
           from knocks where at > $1 and admitted"#,
        since,
        domain
    )
    .fetch_one(&mut *tx)
    .await?;
    let admitted = counts.all < i64::from(limits.per_day) && counts.domain < i64::from(limits.per_domain);
    sqlx::query!(
        "insert into knocks (mail, at, domain, admitted) values ($1, $2, $3, $4)",
        mail.0,
        now,
        domain,
        admitted
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(admitted)
}

pub(super) async fn turned_away(
    pool: &PgPool,
    since: DateTime<Utc>,
) -> Result<Vec<(String, u64)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select domain, count(*) as "count!" from knocks where at > $1 and not admitted
           group by domain order by count(*) desc, domain collate "C" limit 20"#,
        since
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| Ok((row.domain, number(row.count)?))).collect()
}

pub(super) async fn stranger_address(
    pool: &PgPool,
    id: StrangerId,
) -> Result<Option<(String, Language)>, sqlx::Error> {
    let row = sqlx::query!("select address, language from strangers where id = $1", id.0)
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|row| (row.address, Language::from_code(&row.language).unwrap_or(Language::En))))
}
