//! One step, applied whole. Locks are taken in one order everywhere: case, letter, mail, head.

use super::super::CommitError;
use super::super::chain;
use super::super::rules::{ending_text, storable};
use super::{JsonExt, confidential, fault, letters, number, parts, people};
use crate::advance::{CaseRow, Commit, Ending, OutboxRow, TaskRow};
use crate::kernel::canonical::canonical;
use crate::kernel::ids::LetterId;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

/// Why a step was not applied.
pub(super) enum Stop {
    Conflict(&'static str),
    Sql(sqlx::Error),
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Stop {
        Stop::Sql(error)
    }
}

impl From<Stop> for CommitError {
    fn from(stop: Stop) -> CommitError {
        match stop {
            Stop::Conflict(why) => CommitError::Conflict(why),
            Stop::Sql(error) => CommitError::Fault(fault("applying a step")(error)),
        }
    }
}

pub(super) async fn commit(pool: &PgPool, hand: i64, commit: &Commit) -> Result<(), Stop> {
    let mut tx = pool.begin().await?;
    if commit.opens {
        open(&mut tx, &commit.case).await?;
    } else {
        advance(&mut tx, hand, commit).await?;
    }
    if let Some((letter, ending)) = &commit.letter {
        end(&mut tx, hand, *letter, ending, commit).await?;
    }
    if !commit.cancelled.is_empty() {
        cancel(&mut tx, commit).await?;
    }
    for task in &commit.tasks {
        add_task(&mut tx, task, commit.now).await?;
    }
    fill_outbox(&mut tx, &commit.outbox, commit.now).await?;
    for letter in &commit.letters {
        letters::insert(&mut tx, letter).await?;
    }
    if !commit.forget.is_empty() {
        confidential::forget(&mut tx, &commit.forget).await?;
        parts::drop_papers(&mut tx, &commit.forget).await?;
    }
    if !commit.destroy.is_empty() {
        parts::destroy_papers(&mut tx, &commit.destroy).await?;
    }
    if commit.shred {
        confidential::shred(&mut tx, commit.case.id).await?;
        sqlx::query!(
            "insert into shreds (case_id, at) values ($1, $2) on conflict do nothing",
            commit.case.id.0,
            commit.now
        )
        .execute(&mut *tx)
        .await?;
    }
    // Last, so that the row where all steps meet is held as briefly as can be.
    write_down(&mut tx, commit).await?;
    super::tell_others(&mut tx, hand).await?;
    tx.commit().await?;
    Ok(())
}

async fn open(tx: &mut PgConnection, case: &CaseRow) -> Result<(), Stop> {
    let opened = sqlx::query!(
        "insert into cases (id, kind, phase, title, seq, wake_at, parent, opened_at, state, duties,
             confidences)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
        case.id.0,
        case.kind,
        case.phase,
        storable(&case.title),
        i64::from(case.seq),
        case.wake_at,
        case.parent.map(|parent| parent.0),
        case.opened_at,
        case.state.json()?,
        case.duties.json()?,
        case.confidences.json()?
    )
    .execute(tx)
    .await?;
    match opened.rows_affected() {
        0 => Err(Stop::Conflict("a case of this number is open already")),
        _ => Ok(()),
    }
}

async fn advance(tx: &mut PgConnection, hand: i64, commit: &Commit) -> Result<(), Stop> {
    let case = &commit.case;
    let stored = sqlx::query!("select seq, hand from cases where id = $1 for update", case.id.0)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Stop::Conflict("there is no such case"))?;
    if stored.seq + 1 != i64::from(case.seq) {
        return Err(Stop::Conflict("the case moved"));
    }
    if let Some(clock) = commit.clock {
        if stored.hand != Some(hand) {
            return Err(Stop::Conflict("the case is no longer in hand"));
        }
        letters_first(tx, case, clock).await?;
    }
    sqlx::query!(
        "update cases set phase = $2, title = $3, seq = $4, wake_at = $5, state = $6, duties = $8,
             confidences = $9, attempts = 0, suspect = false, stuck = null, not_before = null,
             hand = case when hand = $7 then null else hand end
         where id = $1",
        case.id.0,
        case.phase,
        storable(&case.title),
        i64::from(case.seq),
        case.wake_at,
        case.state.json()?,
        hand,
        case.duties.json()?,
        case.confidences.json()?
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Letters before clocks, once more. One statement sees one moment: a mail is in it unsorted, or its letters
/// are. What is stored after that moment came after the clock.
async fn letters_first(tx: &mut PgConnection, case: &CaseRow, clock: DateTime<Utc>) -> Result<(), Stop> {
    let unfinished = sqlx::query_scalar!(
        r#"select (exists (select from letters where target = $1 and status in ('waiting', 'quarantined')
                           and arrived <= $2)
                or exists (select from mails where status = 'unsorted' and arrived <= $2)
                or exists (select from mails where status = 'quarantined' and case_hint = $1
                           and arrived <= $2)) as "unfinished!""#,
        case.id.0,
        clock
    )
    .fetch_one(tx)
    .await?;
    if unfinished { Err(Stop::Conflict("a letter came in before the clock")) } else { Ok(()) }
}

async fn end(
    tx: &mut PgConnection,
    hand: i64,
    letter: LetterId,
    ending: &Ending,
    commit: &Commit,
) -> Result<(), Stop> {
    let (status, why) = ending_text(ending);
    let ended = sqlx::query!(
        "update letters set status = $3, why = $4, moved = $5, ended_at = $6, hand = null
         where id = $1 and hand = $2 and status = 'waiting' returning mail",
        letter.0,
        hand,
        status,
        why.map(storable),
        commit.case.id.0,
        commit.now
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Stop::Conflict("the letter is no longer in hand"))?;
    if let Some(mail) = ended.mail {
        letters::add_up(tx, mail).await?;
    }
    Ok(())
}

/// What has not left lapses; what is being sent right now is not tried again; what was asked no longer is.
async fn cancel(tx: &mut PgConnection, commit: &Commit) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update outbox set closed = true,
             status = case when status = 'waiting' and hand is null then 'lapsed' else status end,
             bytes = case when status = 'waiting' and hand is null then null else bytes end
         where case_id = $1 and label = any($2) and not closed",
        commit.case.id.0,
        &commit.cancelled
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "update tasks set closed_at = $3 where case_id = $1 and label = any($2) and closed_at is null",
        commit.case.id.0,
        &commit.cancelled,
        commit.now
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// One open task for each label: asked again it is the same one, with everybody who was asked so far.
async fn add_task(tx: &mut PgConnection, task: &TaskRow, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let recipients: Vec<String> = task.to.iter().map(ToString::to_string).collect();
    let asked_again = sqlx::query!(
        "update tasks set template = $3, recipients = $4, due = $5
         where case_id = $1 and label = $2 and closed_at is null",
        task.case.0,
        storable(&task.label),
        task.template,
        &recipients,
        task.due
    )
    .execute(&mut *tx)
    .await?;
    if asked_again.rows_affected() > 0 {
        return Ok(());
    }
    sqlx::query!(
        "insert into tasks (case_id, label, template, recipients, due, opened_at)
         values ($1, $2, $3, $4, $5, $6)",
        task.case.0,
        storable(&task.label),
        task.template,
        &recipients,
        task.due,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// All rows in one statement: a notice may go to hundreds.
async fn fill_outbox(
    tx: &mut PgConnection,
    rows: &[OutboxRow],
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let cases: Vec<i64> = rows.iter().map(|row| row.id.case.0).collect();
    let seqs: Vec<i64> = rows.iter().map(|row| i64::from(row.id.seq)).collect();
    let ns: Vec<i32> = rows.iter().map(|row| i32::from(row.id.n)).collect();
    let labels: Vec<String> = rows.iter().map(|row| storable(&row.label)).collect();
    let recipients: Vec<String> = rows.iter().map(|row| row.to.to_string()).collect();
    let asks: Vec<bool> = rows.iter().map(super::super::rules::asks).collect();
    let limits: Vec<Option<DateTime<Utc>>> = rows.iter().map(|row| row.not_after).collect();
    let notices = rows.iter().map(JsonExt::json).collect::<Result<Vec<_>, _>>()?;
    sqlx::query!(
        "insert into outbox (case_id, seq, n, label, recipient, asks, not_after, notice, created)
         select a, b, c, d, e, f, g, h, $9
         from unnest($1::bigint[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::bool[],
                     $7::timestamptz[], $8::jsonb[]) as t (a, b, c, d, e, f, g, h)",
        &cases,
        &seqs,
        &ns,
        &labels,
        &recipients,
        &asks,
        &limits as &[Option<DateTime<Utc>>],
        &notices,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The journal, the register and what is published, under the one row where all steps meet. What is hashed
/// and published travels as text: on its way through jsonb it would lose letters and gain spaces.
async fn write_down(tx: &mut PgConnection, commit: &Commit) -> Result<(), Stop> {
    let head = sqlx::query!("select number, hash, register_version from head for update")
        .fetch_one(&mut *tx)
        .await?;
    if head.register_version != number::<i64>(commit.register_version)? {
        return Err(Stop::Conflict("the register moved"));
    }
    let before: chain::Link = number(head.hash.as_slice())?;
    let hash = chain::link(&before, &commit.journal);
    sqlx::query!(
        "insert into journal (number, case_id, seq, entry, hash) values ($1, $2, $3, $4::text::json, $5)",
        head.number + 1,
        commit.journal.case.0,
        i64::from(commit.journal.seq),
        canonical(&commit.journal),
        &hash[..]
    )
    .execute(&mut *tx)
    .await?;
    let by = commit.case.id.to_string();
    let version = people::append(tx, head.register_version, &commit.changes, &by, commit.now).await?;
    for record in &commit.records {
        sqlx::query!(
            "insert into publications (path, body, at, journal_head) values ($1, $2::text::json, $3, $4)",
            record.path,
            canonical(&record.body),
            commit.now,
            &hash[..]
        )
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query!(
        "update head set number = $1, hash = $2, register_version = $3",
        head.number + 1,
        &hash[..],
        version
    )
    .execute(tx)
    .await?;
    Ok(())
}
