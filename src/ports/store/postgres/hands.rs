//! Who works on what. An instance holds a session advisory lock under its number; what a number without a
//! lock has in hand is freed, and an item that was alone in a dead hand has one life less.

use super::super::rules::{LIVES, POISON};
use super::letters;
use sqlx::{Connection, PgConnection};

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
    .execute(connection)
    .await?;
    Ok(())
}

struct Dead {
    hand: i64,
    /// Had one item in hand, and the server has been up ever since it took its lock: it was this item, or
    /// chance. Where the server restarted, every lock is gone and nobody is known to be dead.
    blamed: bool,
}

/// Frees what dead instances have in hand. True where there was any.
pub(super) async fn free_the_dead(connection: &mut PgConnection, own: i64) -> Result<bool, sqlx::Error> {
    if the_dead(connection, own).await?.is_empty() {
        return Ok(false);
    }
    let mut tx = connection.begin().await?;
    sqlx::query!("select pg_advisory_xact_lock($1)", FREEING).fetch_one(&mut *tx).await?;
    let dead = the_dead(&mut tx, own).await?;
    let hands: Vec<i64> = dead.iter().map(|dead| dead.hand).collect();
    let blamed: Vec<i64> = dead.iter().filter(|dead| dead.blamed).map(|dead| dead.hand).collect();
    release(&mut tx, &hands, &blamed).await?;
    tx.commit().await?;
    Ok(!hands.is_empty())
}

/// Frees what a living instance has in hand; nothing is blamed.
pub(super) async fn free(connection: &mut PgConnection, own: i64) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin().await?;
    release(&mut tx, &[own], &[]).await?;
    tx.commit().await
}

async fn the_dead(connection: &mut PgConnection, own: i64) -> Result<Vec<Dead>, sqlx::Error> {
    sqlx::query_as!(
        Dead,
        r#"with held as (
             select hand from mails where hand is not null
             union all select hand from letters where hand is not null
             union all select hand from outbox where hand is not null
             union all select c.hand from cases c where c.hand is not null
                and not exists (select from letters l where l.hand = c.hand and l.target = c.id)
           )
           select h.hand as "hand!",
                  (count(*) = 1 and bool_and(coalesce(i.booted = pg_postmaster_start_time(), false))) as "blamed!"
           from held h left join instances i on i.hand = h.hand
           where h.hand <> $1 and not exists (
             select from pg_locks p
             where p.locktype = 'advisory' and p.granted and p.objsubid = 1
               and p.database = (select oid from pg_database where datname = current_database())
               and (p.classid::bigint << 32) | p.objid::bigint = h.hand)
           group by h.hand"#,
        own
    )
    .fetch_all(connection)
    .await
}

async fn release(tx: &mut PgConnection, hands: &[i64], blamed: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update cases c set hand = null,
             attempts = attempts + b.blame,
             stuck = case when attempts + b.blame >= $3::smallint then $4 else stuck end
         from (select id, case when hand = any($2) and not exists
                    (select from letters l where l.hand = d.hand and l.target = d.id)
                then 1::smallint else 0::smallint end as blame
               from cases d where hand = any($1)) b
         where c.id = b.id",
        hands,
        blamed,
        LIVES,
        POISON
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "update mails set hand = null,
             attempts = attempts + (hand = any($2))::int::smallint,
             status = case when attempts + (hand = any($2))::int >= $3::smallint then 'quarantined' else status end,
             why = case when attempts + (hand = any($2))::int >= $3::smallint then $4 else why end
         where hand = any($1)",
        hands,
        blamed,
        LIVES,
        POISON
    )
    .execute(&mut *tx)
    .await?;
    let mails = sqlx::query_scalar!(
        "update letters set hand = null,
             attempts = attempts + (hand = any($2))::int::smallint,
             status = case when attempts + (hand = any($2))::int >= $3::smallint then 'quarantined' else status end,
             why = case when attempts + (hand = any($2))::int >= $3::smallint then $4 else why end
         where hand = any($1) returning mail",
        hands,
        blamed,
        LIVES,
        POISON
    )
    .fetch_all(&mut *tx)
    .await?;
    for mail in mails.into_iter().flatten() {
        letters::add_up(tx, mail).await?;
    }
    sqlx::query!(
        "update outbox set hand = null,
             attempts = attempts + (hand = any($2))::int::smallint,
             status = case when attempts + (hand = any($2))::int >= $3::smallint then 'stuck' else status end,
             why = case when attempts + (hand = any($2))::int >= $3::smallint then $4 else why end
         where hand = any($1)",
        hands,
        blamed,
        LIVES,
        POISON
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from instances where hand = any($1)", hands).execute(tx).await?;
    Ok(())
}
