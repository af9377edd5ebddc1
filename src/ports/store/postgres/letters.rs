//! Letters and clocks: who takes which next, and what their mail's letters add up to.

use super::super::rules::storable;
use super::super::{Claimed, NewLetter};
use super::{JsonExt, decode};
use crate::advance::{CaseRow, Ending, LetterBody};
use crate::kernel::ids::{CaseId, LetterId, MailId};
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use sqlx::{Connection, PgConnection, PgPool};

/// Tries at a letter whose case somebody else takes between our finding and our taking it.
const TRIES: usize = 8;

const UNREADABLE: &str = "this build cannot read it";

pub(super) struct CaseRecord {
    pub(super) id: i64,
    pub(super) kind: String,
    pub(super) phase: String,
    pub(super) title: String,
    pub(super) seq: i64,
    pub(super) wake_at: Option<DateTime<Utc>>,
    pub(super) parent: Option<i64>,
    pub(super) opened_at: DateTime<Utc>,
    pub(super) state: Value,
    pub(super) duties: Value,
    pub(super) confidences: Value,
}

impl TryFrom<CaseRecord> for CaseRow {
    type Error = sqlx::Error;

    fn try_from(row: CaseRecord) -> Result<CaseRow, sqlx::Error> {
        Ok(CaseRow {
            id: CaseId(row.id),
            kind: row.kind,
            phase: row.phase,
            title: row.title,
            seq: super::number(row.seq)?,
            wake_at: row.wake_at,
            parent: row.parent.map(CaseId),
            opened_at: row.opened_at,
            state: row.state,
            duties: decode(row.duties)?,
            confidences: decode(row.confidences)?,
        })
    }
}

/// Inserts a letter unless its key is known.
pub(super) async fn insert(
    tx: &mut PgConnection,
    letter: &NewLetter,
) -> Result<Option<LetterId>, sqlx::Error> {
    let target = match &letter.body {
        LetterBody::ToCase(case, _) => Some(case.0),
        LetterBody::Opens(_) => None,
    };
    let id = sqlx::query_scalar!(
        "insert into letters (key, target, body, arrived, mail, message_id) values ($1, $2, $3, $4, $5, $6)
         on conflict (key) do nothing returning id",
        storable(&letter.key),
        target,
        letter.body.json()?,
        letter.arrived,
        letter.mail.map(|mail| mail.0),
        letter.message_id.as_deref().map(storable)
    )
    .fetch_optional(tx)
    .await?;
    Ok(id.map(LetterId))
}

pub(super) async fn post(pool: &PgPool, letter: &NewLetter) -> Result<(LetterId, bool), sqlx::Error> {
    let mut tx = pool.begin().await?;
    if let Some(id) = insert(&mut tx, letter).await? {
        super::tell(&mut tx).await?;
        tx.commit().await?;
        return Ok((id, true));
    }
    let id = sqlx::query_scalar!("select id from letters where key = $1", storable(&letter.key))
        .fetch_one(&mut *tx)
        .await?;
    Ok((LetterId(id), false))
}

/// Brings a mail's status up to what its letters add up to. Its row is locked first: two letters of one
/// mail may end at the same time, and whoever comes second has to see how the first ended.
pub(super) async fn add_up(tx: &mut PgConnection, mail: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("select id from mails where id = $1 for update", mail).fetch_optional(&mut *tx).await?;
    sqlx::query!(
        "update mails m set status = s.status
         from (select case when bool_or(status = 'quarantined') then 'quarantined'
                           when bool_or(status = 'waiting') then 'waiting'
                           when bool_or(status = 'acted') then 'acted'
                           when bool_or(status = 'refused') then 'refused'
                           else 'silent' end as status
               from letters where mail = $1) s
         where m.id = $1",
        mail
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn ending(
    pool: &PgPool,
    letter: LetterId,
) -> Result<Option<(Ending, Option<CaseId>)>, sqlx::Error> {
    let row = sqlx::query!("select status, why, moved from letters where id = $1", letter.0)
        .fetch_optional(pool)
        .await?;
    Ok(row.and_then(|row| {
        let ending = super::super::rules::ending_of(&row.status, row.why)?;
        Some((ending, row.moved.map(CaseId)))
    }))
}

pub(super) async fn claim(
    connection: &mut PgConnection,
    hand: i64,
    now: DateTime<Utc>,
) -> Result<Option<Claimed>, sqlx::Error> {
    for _ in 0..TRIES {
        match try_claim(connection, hand, now).await? {
            Try::Taken(claimed) => return Ok(Some(*claimed)),
            Try::Nothing => return Ok(None),
            Try::Again => {}
        }
    }
    Ok(None)
}

enum Try {
    Taken(Box<Claimed>),
    Nothing,
    /// Somebody took the case between our finding the letter and taking it, or this build cannot read it.
    Again,
}

async fn try_claim(connection: &mut PgConnection, hand: i64, now: DateTime<Utc>) -> Result<Try, sqlx::Error> {
    let mut tx = connection.begin().await?;
    let found = sqlx::query!(
        r#"select l.id, l.key, l.target, l.body, l.arrived, l.mail, l.message_id, c.id as "case?"
           from letters l left join cases c on c.id = l.target
           where l.status = 'waiting' and l.hand is null and c.hand is null
             and (l.not_before is null or l.not_before <= $1)
             and not exists (select from held where held.hand = $2 and (held.suspect or l.suspect))
             and not exists (select from letters e where e.target = l.target and e.status = 'waiting'
                             and (e.arrived, e.id) < (l.arrived, l.id))
           order by l.arrived, l.id limit 1 for update of l skip locked"#,
        now,
        hand
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = found else { return Ok(Try::Nothing) };
    let Ok(body) = decode(row.body) else {
        set_aside(&mut tx, row.id, row.mail).await?;
        tx.commit().await?;
        return Ok(Try::Again);
    };
    let case = match row.case {
        None => None,
        Some(case) => match take_case(&mut tx, case, hand).await? {
            None => return Ok(Try::Again),
            case => case,
        },
    };
    sqlx::query!("update letters set hand = $2, not_before = null where id = $1", row.id, hand)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    let letter = NewLetter {
        key: row.key,
        body,
        arrived: row.arrived,
        mail: row.mail.map(MailId),
        message_id: row.message_id,
    };
    Ok(Try::Taken(Box::new(Claimed { id: LetterId(row.id), letter, case })))
}

/// A letter written by a newer build waits for it, or for a person, and holds up nobody else.
async fn set_aside(tx: &mut PgConnection, letter: i64, mail: Option<i64>) -> Result<(), sqlx::Error> {
    sqlx::query!("update letters set status = 'quarantined', why = $2 where id = $1", letter, UNREADABLE)
        .execute(&mut *tx)
        .await?;
    match mail {
        Some(mail) => add_up(tx, mail).await,
        None => Ok(()),
    }
}

async fn take_case(tx: &mut PgConnection, case: i64, hand: i64) -> Result<Option<CaseRow>, sqlx::Error> {
    sqlx::query_as!(
        CaseRecord,
        "update cases set hand = $2 where id = $1 and hand is null
         returning id, kind, phase, title, seq, wake_at, parent, opened_at, state, duties,
             confidences",
        case,
        hand
    )
    .fetch_optional(tx)
    .await?
    .map(CaseRow::try_from)
    .transpose()
}

/// The moment up to which every mailbox has been read, `settle` before the earliest last fetch; none where
/// a mailbox has never been read whole.
async fn read_up_to(
    connection: &mut PgConnection,
    settle: Duration,
    mailboxes: &[String],
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select min(fetched_began) as began, count(*) as "known!" from mailboxes where mailbox = any($1)"#,
        mailboxes
    )
    .fetch_one(connection)
    .await?;
    if mailboxes.is_empty() {
        return Ok(Some(DateTime::<Utc>::MAX_UTC));
    }
    if row.known < mailboxes.len() as i64 {
        return Ok(None);
    }
    Ok(row.began.and_then(|began| began.checked_sub_signed(settle)))
}

pub(super) async fn claim_due(
    connection: &mut PgConnection,
    hand: i64,
    now: DateTime<Utc>,
    settle: Duration,
    mailboxes: &[String],
) -> Result<Option<CaseRow>, sqlx::Error> {
    let Some(read) = read_up_to(connection, settle, mailboxes).await? else { return Ok(None) };
    sqlx::query_as!(
        CaseRecord,
        "update cases set hand = $1 where id = (
             select c.id from cases c
             where c.wake_at <= $2 and c.stuck is null and c.hand is null
               and (c.not_before is null or c.not_before <= $3)
               and not exists (select from held where held.hand = $1 and (held.suspect or c.suspect))
               and not exists (select from letters l where l.target = c.id
                               and l.status in ('waiting', 'quarantined') and l.arrived <= c.wake_at)
               and not exists (select from mails m where m.status = 'unsorted' and m.arrived <= c.wake_at)
               and not exists (select from mails m where m.status = 'quarantined'
                               and m.case_hint = c.id and m.arrived <= c.wake_at)
             order by c.wake_at, c.id limit 1 for update of c skip locked)
         returning id, kind, phase, title, seq, wake_at, parent, opened_at, state, duties,
             confidences",
        hand,
        now.min(read),
        now
    )
    .fetch_optional(connection)
    .await?
    .map(CaseRow::try_from)
    .transpose()
}

pub(super) async fn release_case(pool: &PgPool, case: CaseId, hand: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("update cases set hand = null, suspect = false where id = $1 and hand = $2", case.0, hand)
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn put_back_clock(
    pool: &PgPool,
    case: CaseId,
    hand: i64,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update cases set hand = null, suspect = false, not_before = $3 where id = $1 and hand = $2",
        case.0,
        hand,
        at
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn stick_clock(
    pool: &PgPool,
    case: CaseId,
    hand: i64,
    why: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update cases set hand = null, suspect = false, stuck = $3 where id = $1 and hand = $2",
        case.0,
        hand,
        storable(why)
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Whether another mail brought a letter of this Message-ID.
pub(super) async fn message_id_seen(
    pool: &PgPool,
    message_id: &str,
    mail: MailId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from letters where message_id = $1 and mail <> $2) as "seen!""#,
        storable(message_id),
        mail.0
    )
    .fetch_one(pool)
    .await
}

pub(super) async fn put_back(
    pool: &PgPool,
    letter: LetterId,
    hand: i64,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with back as (update letters set hand = null, suspect = false, not_before = $3
                       where id = $1 and hand = $2 returning target)
         update cases set hand = null where id in (select target from back) and hand = $2",
        letter.0,
        hand,
        at
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn quarantine(
    pool: &PgPool,
    letter: LetterId,
    hand: i64,
    why: &str,
) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query!(
        "update letters set status = 'quarantined', why = $3, hand = null
         where id = $1 and hand = $2 and status = 'waiting' returning target, mail",
        letter.0,
        hand,
        storable(why)
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(()) };
    if let Some(case) = row.target {
        sqlx::query!("update cases set hand = null where id = $1 and hand = $2", case, hand)
            .execute(&mut *tx)
            .await?;
    }
    if let Some(mail) = row.mail {
        add_up(&mut tx, mail).await?;
    }
    tx.commit().await
}

pub(super) async fn new_case(pool: &PgPool) -> Result<CaseId, sqlx::Error> {
    let number =
        sqlx::query_scalar!(r#"select nextval('case_numbers') as "number!""#).fetch_one(pool).await?;
    Ok(CaseId(number))
}
