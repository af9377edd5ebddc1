//! Who works on what. An instance holds a session advisory lock under its number; what a number without a
//! lock has in hand is freed. An item that was alone in a dead hand has one life less; what was there in
//! company goes alone next time.

use super::super::rules::{Item, LIVES, POISON, RESTS};
use super::letters;
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeSet;

/// One instance frees at a time.
const FREEING: i64 = -1;

pub(super) async fn take_lock(connection: &mut PgConnection, hand: i64) -> Result<(), sqlx::Error> {
    // Waits where the server has not noticed yet that the session before this one is gone.
    sqlx::query!("select pg_advisory_lock($1)", hand).fetch_one(&mut *connection).await?;
    sqlx::query!(
        "insert into instances (hand, booted) values ($1, pg_postmaster_start_time())
         on conflict (hand) do update set booted = excluded.booted",
        hand
    )
    .execute(&mut *connection)
    .await?;
    // Every command at the keyboard is an instance for a moment: what left nothing behind is forgotten.
    sqlx::query!(
        "delete from instances i where not exists (select from held h where h.hand = i.hand)
           and not exists (select from pg_locks p
             where p.locktype = 'advisory' and p.granted and p.objsubid = 1
               and p.database = (select oid from pg_database where datname = current_database())
               and (p.classid::bigint << 32) | p.objid::bigint = i.hand)"
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct Dead {
    hand: i64,
    /// 1 where it had one item in hand: it was this item, or chance.
    lives: i16,
    /// It had several: any of them may have been it.
    suspect: bool,
}

/// Frees what dead instances have in hand. True where there was any.
pub(super) async fn free_the_dead(
    connection: &mut PgConnection,
    own: i64,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    // Mostly nobody else holds anything, and the table of locks, which is dear to read, need not be asked.
    let others =
        sqlx::query_scalar!(r#"select exists (select from held where hand <> $1) as "others!""#, own)
            .fetch_one(&mut *connection)
            .await?;
    if !others || the_dead(connection, own).await?.is_empty() {
        return Ok(false);
    }
    let mut tx = connection.begin().await?;
    sqlx::query!("select pg_advisory_xact_lock($1)", FREEING).fetch_one(&mut *tx).await?;
    let dead = the_dead(&mut tx, own).await?;
    release(&mut tx, &dead, now).await?;
    tx.commit().await?;
    Ok(!dead.is_empty())
}

/// Frees what a living instance has in hand; nothing is blamed.
pub(super) async fn free(connection: &mut PgConnection, own: i64) -> Result<(), sqlx::Error> {
    // Without blame there is no rest, so the moment does not matter.
    let now = DateTime::UNIX_EPOCH;
    let mut tx = connection.begin().await?;
    release(&mut tx, &[Dead { hand: own, lives: 0, suspect: false }], now).await?;
    tx.commit().await
}

/// Instances without a lock that have something in hand. Where the server restarted since they took their
/// lock, every lock is gone and nobody is known to have died: what they hold is freed without blame.
async fn the_dead(connection: &mut PgConnection, own: i64) -> Result<Vec<Dead>, sqlx::Error> {
    sqlx::query_as!(
        Dead,
        r#"select h.hand as "hand!", (i.up and count(*) = 1)::int::smallint as "lives!",
                  (i.up and count(*) > 1) as "suspect!"
           from held h
           cross join lateral (select exists (select from instances i
               where i.hand = h.hand and i.booted = pg_postmaster_start_time()) as up) i
           where h.hand <> $1 and not exists (
             select from pg_locks p
             where p.locktype = 'advisory' and p.granted and p.objsubid = 1
               and p.database = (select oid from pg_database where datname = current_database())
               and (p.classid::bigint << 32) | p.objid::bigint = h.hand)
           group by h.hand, i.up"#,
        own
    )
    .fetch_all(connection)
    .await
}

async fn release(tx: &mut PgConnection, dead: &[Dead], now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let hands: Vec<i64> = dead.iter().map(|dead| dead.hand).collect();
    let lives: Vec<i16> = dead.iter().map(|dead| dead.lives).collect();
    let suspect: Vec<bool> = dead.iter().map(|dead| dead.suspect).collect();
    let [first, second] = RESTS.map(|rest| now + rest);
    // First, while it can be told whether a case was in hand for a letter or for its clock.
    sqlx::query!(
        "update cases c set hand = null, attempts = c.attempts + d.lives * d.clock,
             suspect = c.suspect or (d.suspect and d.clock = 1),
             stuck = case when c.attempts + d.lives * d.clock >= $4::smallint then $5 else c.stuck end,
             not_before = case when d.lives * d.clock = 0 then c.not_before
                               when c.attempts = 0 then $6 else $7 end
         from (select c.id, d.lives, d.suspect,
                   (not exists (select from letters l
                                where l.hand = c.hand and l.target = c.id))::int as clock
               from cases c join unnest($1::bigint[], $2::smallint[], $3::bool[]) d (hand, lives, suspect)
                   on c.hand = d.hand) d
         where c.id = d.id",
        &hands,
        &lives,
        &suspect,
        LIVES,
        POISON,
        first,
        second
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "update mails m set hand = null, attempts = m.attempts + d.lives, suspect = m.suspect or d.suspect,
             status = case when m.attempts + d.lives >= $4::smallint then 'quarantined' else m.status end,
             why = case when m.attempts + d.lives >= $4::smallint then $5 else m.why end,
             not_before = case when d.lives = 0 then m.not_before when m.attempts = 0 then $6 else $7 end
         from unnest($1::bigint[], $2::smallint[], $3::bool[]) d (hand, lives, suspect)
         where m.hand = d.hand",
        &hands,
        &lives,
        &suspect,
        LIVES,
        POISON,
        first,
        second
    )
    .execute(&mut *tx)
    .await?;
    release_letters(tx, (&hands, &lives, &suspect), [first, second]).await?;
    sqlx::query!(
        "update outbox o set hand = null, attempts = o.attempts + d.lives, suspect = o.suspect or d.suspect,
             status = case when o.attempts + d.lives >= $4::smallint then 'stuck' else o.status end,
             why = case when o.attempts + d.lives >= $4::smallint then $5 else o.why end,
             next_try = case when d.lives = 0 then o.next_try when o.attempts = 0 then $6 else $7 end
         from unnest($1::bigint[], $2::smallint[], $3::bool[]) d (hand, lives, suspect)
         where o.hand = d.hand",
        &hands,
        &lives,
        &suspect,
        LIVES,
        POISON,
        first,
        second
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from instances where hand = any($1)", &hands).execute(tx).await?;
    Ok(())
}

async fn release_letters(
    tx: &mut PgConnection,
    (hands, lives, suspect): (&[i64], &[i16], &[bool]),
    [first, second]: [DateTime<Utc>; 2],
) -> Result<(), sqlx::Error> {
    let mails = sqlx::query_scalar!(
        "update letters l set hand = null, attempts = l.attempts + d.lives, suspect = l.suspect or d.suspect,
             status = case when l.attempts + d.lives >= $4::smallint then 'quarantined' else l.status end,
             why = case when l.attempts + d.lives >= $4::smallint then $5 else l.why end,
             not_before = case when d.lives = 0 then l.not_before when l.attempts = 0 then $6 else $7 end
         from unnest($1::bigint[], $2::smallint[], $3::bool[]) d (hand, lives, suspect)
         where l.hand = d.hand returning l.mail",
        hands,
        lives,
        suspect,
        LIVES,
        POISON,
        first,
        second
    )
    .fetch_all(&mut *tx)
    .await?;
    for mail in mails.into_iter().flatten() {
        letters::add_up(tx, mail).await?;
    }
    Ok(())
}

/// Puts back what the database has in our hand and we know nothing of: the answer to a claim, or a putting
/// back, was lost with the connection. Nothing is blamed.
pub(super) async fn reconcile(
    connection: &mut PgConnection,
    hand: i64,
    known: &BTreeSet<Item>,
) -> Result<(), sqlx::Error> {
    let (mut mails, mut letters, mut clocks) = (Vec::new(), Vec::new(), Vec::new());
    let (mut cases, mut seqs, mut ns) = (Vec::new(), Vec::new(), Vec::new());
    for item in known {
        match item {
            Item::Mail(id) => mails.push(id.0),
            Item::Letter(id) => letters.push(id.0),
            Item::Clock(id) => clocks.push(id.0),
            Item::Notice(id) => {
                cases.push(id.case.0);
                seqs.push(i64::from(id.seq));
                ns.push(i32::from(id.n));
            }
        }
    }
    let mut tx = connection.begin().await?;
    sqlx::query!(
        "update cases c set hand = null where hand = $1 and id <> all($2) and not exists
             (select from letters l where l.hand = $1 and l.target = c.id and l.id = any($3))",
        hand,
        &clocks,
        &letters
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("update mails set hand = null where hand = $1 and id <> all($2)", hand, &mails)
        .execute(&mut *tx)
        .await?;
    sqlx::query!("update letters set hand = null where hand = $1 and id <> all($2)", hand, &letters)
        .execute(&mut *tx)
        .await?;
    sqlx::query!(
        "update outbox o set hand = null where hand = $1 and not exists
             (select from unnest($2::bigint[], $3::bigint[], $4::int[]) k (case_id, seq, n)
              where (k.case_id, k.seq, k.n) = (o.case_id, o.seq, o.n))",
        hand,
        &cases,
        &seqs,
        &ns
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}
