//! Notices on their way out.

use super::super::rules::{ACKNOWLEDGEMENTS, sent_letter, storable, undelivered_letter, unsent_letter};
use super::super::{NoticeRow, OpenAsk, Outgoing, Posted, Sealed};
use super::{JsonExt, decode, letters};
use crate::advance::OutboxRow;
use crate::kernel::ids::{CaseId, NoticeId, Party};
use crate::letters::print::Print;
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, PgPool};

/// A notice's number as its columns.
fn columns(id: NoticeId) -> (i64, i64, i32) {
    (id.case.0, i64::from(id.seq), i32::from(id.n))
}

pub(super) async fn claim(
    connection: &mut PgConnection,
    hand: i64,
    now: DateTime<Utc>,
) -> Result<Option<Outgoing>, sqlx::Error> {
    let row = sqlx::query!(
        r#"update outbox o set hand = $1 from (
             select case_id, seq, n from outbox w
             where status = 'waiting' and hand is null and (next_try is null or next_try <= $2)
               and not closed and (not_after is null or not_after >= $2)
               and not exists (select from held where held.hand = $1 and (held.suspect or w.suspect))
             order by created, case_id, seq, n limit 1 for update skip locked) next
           where (o.case_id, o.seq, o.n) = (next.case_id, next.seq, next.n)
           returning o.notice, o.created, o.tries, o.key, o.bytes,
             (select l.message_id from letters l
              where l.id = (o.notice->>'answers')::bigint) as in_reply_to"#,
        hand,
        now
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else {
        lapse(connection, now).await?;
        return Ok(None);
    };
    Ok(Some(Outgoing {
        row: decode(row.notice)?,
        created: row.created,
        attempts: super::number(row.tries)?,
        bytes: row.key.zip(row.bytes).map(|(key, bytes)| Sealed { key, bytes }),
        in_reply_to: row.in_reply_to,
    }))
}

/// What is past its time, or was cancelled while it was being sent, is not sent any more.
async fn lapse(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let unsent = sqlx::query_scalar!(
        r#"with gone as (
             update outbox set status = 'lapsed', key = null, bytes = null, next_try = null
             where status = 'waiting' and hand is null and (closed or (not_after < $1 and not asks)))
           select exists (select from outbox where status = 'waiting' and hand is null and not closed
                          and not_after < $1 and asks) as "unsent!""#,
        now
    )
    .fetch_one(&mut *connection)
    .await?;
    if unsent { lapse_asks(connection, now).await } else { Ok(()) }
}

/// A question that could not leave in time lapses, and its case hears of it in the same transaction.
async fn lapse_asks(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin().await?;
    let lapsed = sqlx::query_scalar!(
        "update outbox set status = 'lapsed', key = null, bytes = null, next_try = null
         where status = 'waiting' and hand is null and not closed and not_after < $1 and asks
         returning notice",
        now
    )
    .fetch_all(&mut *tx)
    .await?;
    for notice in lapsed {
        letters::insert(&mut tx, &unsent_letter(&decode(notice)?, now)).await?;
    }
    super::tell(&mut tx).await?;
    tx.commit().await
}

pub(super) async fn keep_bytes(
    pool: &PgPool,
    id: NoticeId,
    bytes: &Sealed,
    print: &Print,
) -> Result<(), sqlx::Error> {
    let (case, seq, n) = columns(id);
    sqlx::query!(
        "update outbox set key = $4, bytes = $5, print = $6
         where case_id = $1 and seq = $2 and n = $3 and status = 'waiting'",
        case,
        seq,
        n,
        bytes.key,
        bytes.bytes,
        print.json()?
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn print(pool: &PgPool, id: NoticeId) -> Result<Option<Print>, sqlx::Error> {
    let (case, seq, n) = columns(id);
    let print = sqlx::query_scalar!(
        "select print from outbox where case_id = $1 and seq = $2 and n = $3",
        case,
        seq,
        n
    )
    .fetch_optional(pool)
    .await?;
    print.flatten().map(decode).transpose()
}

pub(super) async fn posted(
    pool: &PgPool,
    hand: i64,
    id: NoticeId,
    outcome: &Posted,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let (case, seq, n) = columns(id);
    if let Posted::Later { at, why } = outcome {
        sqlx::query!(
            "update outbox set hand = null, suspect = false, next_try = $5, why = $6, tries = tries + 1
             where case_id = $1 and seq = $2 and n = $3 and hand = $4 and status = 'waiting'",
            case,
            seq,
            n,
            hand,
            at,
            storable(why)
        )
        .execute(pool)
        .await?;
        return Ok(());
    }
    let (status, why) = match outcome {
        Posted::Accepted => ("sent", None),
        Posted::Never { why, .. } => ("failed", Some(why)),
        Posted::Stuck { why } => ("stuck", Some(why)),
        Posted::Lapsed | Posted::Later { .. } => ("lapsed", None),
    };
    let mut tx = pool.begin().await?;
    // What was accepted is sent, even where our lock was lost meanwhile and another has it in hand.
    let notice = sqlx::query_scalar!(
        "update outbox set status = $5, why = $6, hand = null, next_try = null, key = null, bytes = null,
             tries = tries + 1, sent_at = case when $5 = 'sent' then $7 else sent_at end
         where case_id = $1 and seq = $2 and n = $3 and status = 'waiting' and (hand = $4 or $5 = 'sent')
         returning notice",
        case,
        seq,
        n,
        hand,
        status,
        why.map(|why| storable(why)),
        now
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(notice) = notice else { return Ok(()) };
    let row: OutboxRow = decode(notice)?;
    let letter = match outcome {
        Posted::Accepted if row.report_sent => Some(sent_letter(&row, now)),
        Posted::Never { status, .. } => Some(undelivered_letter(&row, status.as_deref(), now)),
        _ => None,
    };
    if let Some(letter) = letter {
        letters::insert(&mut tx, &letter).await?;
        super::tell(&mut tx).await?;
    }
    tx.commit().await
}

pub(super) async fn resend(pool: &PgPool, id: NoticeId, now: DateTime<Utc>) -> Result<bool, sqlx::Error> {
    let (case, seq, n) = columns(id);
    let mut tx = pool.begin().await?;
    let updated = sqlx::query!(
        "update outbox set status = 'waiting', why = null, attempts = 0, next_try = $4
         where case_id = $1 and seq = $2 and n = $3 and status in ('stuck', 'failed')",
        case,
        seq,
        n,
        now
    )
    .execute(&mut *tx)
    .await?;
    super::tell(&mut tx).await?;
    tx.commit().await?;
    Ok(updated.rows_affected() > 0)
}

struct NoticeRecord {
    notice: serde_json::Value,
    created: DateTime<Utc>,
    status: String,
    sent_at: Option<DateTime<Utc>>,
}

impl TryFrom<NoticeRecord> for NoticeRow {
    type Error = sqlx::Error;

    fn try_from(row: NoticeRecord) -> Result<NoticeRow, sqlx::Error> {
        let (created, status, sent_at) = (row.created, row.status, row.sent_at);
        Ok(NoticeRow { row: decode(row.notice)?, created, status, sent_at })
    }
}

pub(super) async fn notice(pool: &PgPool, id: NoticeId) -> Result<Option<NoticeRow>, sqlx::Error> {
    let (case, seq, n) = columns(id);
    sqlx::query_as!(
        NoticeRecord,
        "select notice, created, status, sent_at from outbox where case_id = $1 and seq = $2 and n = $3",
        case,
        seq,
        n
    )
    .fetch_optional(pool)
    .await?
    .map(NoticeRow::try_from)
    .transpose()
}

pub(super) async fn notices(pool: &PgPool, case: Option<CaseId>) -> Result<Vec<NoticeRow>, sqlx::Error> {
    sqlx::query_as!(
        NoticeRecord,
        "select notice, created, status, sent_at from outbox where $1::bigint is null or case_id = $1
         order by created, case_id, seq, n",
        case.map(|case| case.0)
    )
    .fetch_all(pool)
    .await?
    .into_iter()
    .map(NoticeRow::try_from)
    .collect()
}

/// Refusals and acknowledgements, as `rules::courtesy` says, sent since.
pub(super) async fn answered(pool: &PgPool, party: Party, since: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let count = sqlx::query_scalar!(
        "select count(*) as \"count!\" from outbox
         where recipient = $1 and sent_at >= $2 and notice ->> 'answers' is not null
           and (notice -> 'refusal' = 'true' or notice ->> 'template' = any($3))",
        party.to_string(),
        since,
        &ACKNOWLEDGEMENTS.map(str::to_owned)
    )
    .fetch_one(pool)
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The newest notice under each label that asks this party something and was not cancelled.
pub(super) async fn open_asks(pool: &PgPool, party: Party) -> Result<Vec<OpenAsk>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select distinct on (o.case_id, o.label) o.case_id, o.seq, o.n, o.label, o.not_after, c.kind, c.title,
             o.notice->'asks' as "asks!"
         from outbox o join cases c on c.id = o.case_id
         where o.recipient = $1 and o.asks and not o.closed and o.status in ('waiting', 'sent')
         order by o.case_id, o.label, o.seq desc, o.n desc"#,
        party.to_string()
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let case = CaseId(row.case_id);
            let notice = NoticeId { case, seq: super::number(row.seq)?, n: super::number(row.n)? };
            let (kind, title, label) = (row.kind, row.title, row.label);
            let asks = decode(row.asks)?;
            Ok(OpenAsk { notice, case, kind, title, label, asks, not_after: row.not_after })
        })
        .collect()
}
