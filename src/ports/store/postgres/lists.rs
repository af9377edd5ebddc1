//! What people and the daemon look up: lists, counts, quarantine, policies, facts.

use super::super::rules::storable;
use super::super::{Books, JournalRow, OpenTask, Publication, Quarantined, Release, chain};
use super::confidential;
use super::letters::{self, CaseRecord};
use super::{decode, number};
use crate::advance::{CaseRow, TaskRow};
use crate::kernel::ids::{CaseId, LetterId, MailId};
use crate::kernel::workflow::Record;
use chrono::{DateTime, Utc};
use sqlx::PgPool;

pub(super) async fn next_event(pool: &PgPool) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    sqlx::query_scalar!(
        "select least(
             (select min(greatest(wake_at, not_before)) from cases where wake_at is not null and stuck is null),
             (select min(not_before) from letters where status = 'waiting'),
             (select min(not_before) from mails where status = 'unsorted'),
             (select min(next_try) from outbox where status = 'waiting'))"
    )
    .fetch_one(pool)
    .await
}

pub(super) async fn books(pool: &PgPool) -> Result<Books, sqlx::Error> {
    let rows = sqlx::query!(r#"select status, count(*) as "count!" from mails group by status"#)
        .fetch_all(pool)
        .await?;
    let mut books = Books::default();
    for row in rows {
        let count: u64 = number(row.count)?;
        books.received += count;
        *super::super::rules::column(&mut books, &row.status) += count;
    }
    Ok(books)
}

pub(super) async fn cases(pool: &PgPool) -> Result<Vec<CaseRow>, sqlx::Error> {
    sqlx::query_as!(
        CaseRecord,
        "select id, kind, phase, title, seq, wake_at, parent, opened_at, state, duties,
           confidences from cases order by id"
    )
    .fetch_all(pool)
    .await?
    .into_iter()
    .map(CaseRow::try_from)
    .collect()
}

pub(super) async fn case(pool: &PgPool, id: CaseId) -> Result<Option<CaseRow>, sqlx::Error> {
    sqlx::query_as!(
        CaseRecord,
        "select id, kind, phase, title, seq, wake_at, parent, opened_at, state, duties,
           confidences from cases where id = $1",
        id.0
    )
    .fetch_optional(pool)
    .await?
    .map(CaseRow::try_from)
    .transpose()
}

pub(super) async fn journal(pool: &PgPool, case: Option<CaseId>) -> Result<Vec<JournalRow>, sqlx::Error> {
    let rows = sqlx::query!(
        "select number, entry, hash from journal where $1::bigint is null or case_id = $1 order by number",
        case.map(|case| case.0)
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(JournalRow { number: row.number, entry: decode(row.entry)?, hash: chain::hex(&row.hash) })
        })
        .collect()
}

pub(super) async fn journal_head(pool: &PgPool) -> Result<String, sqlx::Error> {
    let hash = sqlx::query_scalar!("select hash from head").fetch_one(pool).await?;
    Ok(chain::hex(&hash))
}

pub(super) async fn journal_at(
    pool: &PgPool,
    number: Option<i64>,
) -> Result<Option<(i64, String)>, sqlx::Error> {
    let row = sqlx::query!(
        "select number, hash from journal where number = coalesce($1, (select max(number) from journal))",
        number
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (row.number, chain::hex(&row.hash))))
}

/// Names of intake keys sort by day.
pub(super) async fn oldest_intake_key(pool: &PgPool) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select min(key collate "C") from (
               select key from mails where status in ('unsorted', 'waiting', 'quarantined')
               union all select key from outbox where bytes is not null) as unfinished
           where key like 'intake-%'"#
    )
    .fetch_one(pool)
    .await
}

pub(super) async fn tasks(pool: &PgPool) -> Result<Vec<OpenTask>, sqlx::Error> {
    let rows = sqlx::query!(
        "select t.case_id, t.label, t.template, t.recipients, t.due, t.opened_at, c.title
         from tasks t join cases c on c.id = t.case_id where t.closed_at is null order by t.opened_at, t.id"
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let to = row.recipients.iter().map(|to| to.parse()).collect::<Result<_, _>>();
            let task = TaskRow {
                case: CaseId(row.case_id),
                label: row.label,
                template: row.template,
                to: to.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                due: row.due,
            };
            Ok(OpenTask { task, title: row.title, opened_at: row.opened_at })
        })
        .collect()
}

pub(super) async fn quarantined(pool: &PgPool) -> Result<Vec<Quarantined>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select m.id as mail, null::bigint as letter, m.case_hint as "case", m.arrived as "arrived!", m.why,
               m.stays as "stays!"
           from mails m where m.status = 'quarantined'
             and not exists (select from letters l where l.mail = m.id and l.status = 'quarantined')
           union all
           select mail, id, target, arrived, why, stays from letters where status = 'quarantined'
           union all
           select null, null, id, coalesce(wake_at, opened_at), stuck, stays from cases where stuck is not null
           order by 4, 1, 2, 3"#
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Quarantined {
            mail: row.mail.map(MailId),
            letter: row.letter.map(LetterId),
            case: row.case.map(CaseId),
            arrived: row.arrived,
            why: row.why.unwrap_or_default(),
            stays: row.stays.unsigned_abs(),
        })
        .collect())
}

pub(super) async fn unquarantine(
    pool: &PgPool,
    item: &Quarantined,
    release: Release<'_>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let why = release.reason().map(storable);
    let mut tx = pool.begin().await?;
    if let Some(letter) = item.letter {
        let mail = sqlx::query_scalar!(
            "update letters set why = $2, attempts = 0, not_before = null, stays = stays + 1,
                 status = case when $2::text is null then 'waiting' else 'silent' end,
                 ended_at = case when $2::text is null then null else $3::timestamptz end
             where id = $1 and status = 'quarantined' returning mail",
            letter.0,
            why,
            now
        )
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(mail) = mail.flatten() {
            letters::add_up(&mut tx, mail).await?;
        }
    } else if let Some(mail) = item.mail {
        sqlx::query!(
            "update mails set why = $2, attempts = 0, not_before = null, stays = stays + 1,
                 accepted = accepted or $4,
                 status = case when $2::text is null then 'unsorted' else 'silent' end,
                 sorted_at = case when $2::text is null then null else $3::timestamptz end
             where id = $1 and status = 'quarantined'",
            mail.0,
            why,
            now,
            release == Release::Accept
        )
        .execute(&mut *tx)
        .await?;
        if why.is_some() {
            confidential::discard(&mut tx, mail).await?;
        }
    } else if let Some(case) = item.case {
        sqlx::query!(
            "update cases set stuck = null, attempts = 0, stays = stays + 1,
                 wake_at = case when $2::text is null then wake_at else null end
             where id = $1 and stuck is not null",
            case.0,
            why
        )
        .execute(&mut *tx)
        .await?;
    }
    super::tell(&mut tx).await?;
    tx.commit().await
}

pub(super) async fn publications(pool: &PgPool, after: i64) -> Result<Vec<Publication>, sqlx::Error> {
    let rows = sqlx::query!(
        "select number, path, body, at, journal_head from publications where number > $1 order by number",
        after
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Publication {
            number: row.number,
            record: Record { path: row.path, body: row.body },
            at: row.at,
            journal_head: chain::hex(&row.journal_head),
        })
        .collect())
}

pub(super) async fn shreds(pool: &PgPool) -> Result<Vec<CaseId>, sqlx::Error> {
    let rows = sqlx::query_scalar!("select case_id from shreds order by case_id").fetch_all(pool).await?;
    Ok(rows.into_iter().map(CaseId).collect())
}

pub(super) async fn shredded(pool: &PgPool, case: CaseId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from shreds where case_id = $1", case.0).execute(pool).await?;
    Ok(())
}

pub(super) async fn put_policy(pool: &PgPool, digest: &str, body: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("insert into policies (digest, body) values ($1, $2) on conflict do nothing", digest, body)
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn policy(pool: &PgPool, digest: &str) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select body from policies where digest = $1", digest).fetch_optional(pool).await
}

pub(super) async fn fact(pool: &PgPool, name: &str) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select value from facts where name = $1", name).fetch_optional(pool).await
}

pub(super) async fn set_fact(pool: &PgPool, name: &str, value: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into facts (name, value) values ($1, $2)
         on conflict (name) do update set value = excluded.value",
        name,
        value
    )
    .execute(pool)
    .await?;
    Ok(())
}
