//! Connections to Postgres: the pool, the session whose lock says that this instance lives, migrations,
//! and how an error is told without telling data.

use super::super::Answer;
use super::grip::Grip;
use super::hands;
use crate::kernel::register::Register;
use crate::ports::Fault;
use ring::rand::SecureRandom;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

static MIGRATOR: Migrator = sqlx::migrate!();
const APPLIED: &str = "_sqlx_migrations";

const CONNECTIONS: u32 = 8;
/// How long to wait for a free connection or a new one.
const ACQUIRE: Duration = Duration::from_secs(5);
/// The server gives up on a statement or a lock first, so that an answer comes back; then we hang up.
const STATEMENT_MS: &str = "20000";
const LOCK_MS: &str = "10000";
const TRANSACTION_MS: &str = "60000";
const METHOD: Duration = Duration::from_secs(40);

/// The record in Postgres, for one running instance.
///
/// Several instances may share a database. What this one has in hand is freed when its session's lock is
/// gone. The lock needs a session of its own: a pooler that shares sessions between transactions cannot
/// stand in between.
pub struct PostgresStore {
    pub(super) pool: PgPool,
    /// This instance's number, at random: what it has in hand bears it.
    pub(super) hand: i64,
    options: PgConnectOptions,
    session: Mutex<Option<PgConnection>>,
    pub(super) grip: Grip,
    /// Whether what dead instances have in hand was freed since this one started.
    pub(super) looked_after_the_dead: AtomicBool,
    listener: Mutex<Option<PgListener>>,
    pub(super) register: std::sync::Mutex<Arc<Register>>,
}

impl PostgresStore {
    /// Connects to a database whose schema is this build's.
    ///
    /// # Errors
    /// A fault where the database is out of reach, lacks migrations, or was migrated by a newer build.
    pub async fn connect(url: &str) -> Answer<PostgresStore> {
        let pending = pending_migrations(url).await?;
        if let Some(first) = pending.first() {
            return Err(Fault::new(
                "opening the database",
                format!("its schema lacks {first:?}; run `atlarged migrate`"),
            ));
        }
        PostgresStore::open(url).await
    }

    /// Brings the schema up to this build's first.
    ///
    /// # Errors
    /// As `connect`, and where a migration fails; each one is applied whole or not at all.
    pub async fn connect_and_migrate(url: &str) -> Answer<PostgresStore> {
        pending_migrations(url).await?;
        let mut connection = connect(&options(url)?).await?;
        MIGRATOR.run_direct(None, &mut connection, false).await.map_err(|error| {
            Fault::new("migrating the database", explain(&sqlx::Error::Migrate(Box::new(error))))
        })?;
        PostgresStore::open(url).await
    }

    /// Why no server can be reached just now, where that is so and may pass: it is down, goes down, comes up, or
    /// is full. None where one answers, and where it refuses us for good.
    pub async fn away(url: &str) -> Option<Fault> {
        let options = options(url).ok()?;
        let error = match tokio::time::timeout(ACQUIRE, PgConnection::connect_with(&options)).await {
            Ok(connected) => connected.err()?,
            Err(_) => sqlx::Error::PoolTimedOut,
        };
        let passes = match &error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
            sqlx::Error::Database(said) => {
                said.code().is_some_and(|code| code.starts_with("57P0") || code == "53300")
            }
            _ => false,
        };
        passes.then(|| fault("connecting to the database")(error))
    }

    async fn open(url: &str) -> Answer<PostgresStore> {
        let options = options(url)?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .connect_lazy_with(options.clone());
        let store = PostgresStore {
            pool,
            hand: random_hand()?,
            options,
            session: Mutex::new(None),
            grip: Grip::default(),
            looked_after_the_dead: AtomicBool::new(false),
            listener: Mutex::new(None),
            register: std::sync::Mutex::default(),
        };
        drop(store.session().await?);
        Ok(store)
    }

    /// The session that holds our lock, taken again where it was lost.
    pub(super) async fn session(&self) -> Answer<Session<'_>> {
        let mut guard = self.session.lock().await;
        if guard.is_none() {
            let mut connection = connect(&self.options).await?;
            within(hands::take_lock(&mut connection, self.hand))
                .await
                .map_err(fault("taking this instance's lock"))?;
            *guard = Some(connection);
            self.grip.doubt();
        }
        let mut session = Session(guard);
        if let Some(known) = self.grip.doubted() {
            let settled =
                within(async { hands::reconcile(session.connection()?, self.hand, &known).await }).await;
            settled.map_err(|error| {
                self.grip.doubt();
                session.drop_if_lost(&error);
                fault("settling what is in hand")(error)
            })?;
        }
        Ok(session)
    }

    /// Waits until something was posted or committed by anybody, at most this long. True: something was,
    /// or may have been while the connection was lost.
    pub async fn wait(&self, at_most: Duration) -> bool {
        tokio::time::timeout(at_most, self.heard()).await.unwrap_or(false)
    }

    async fn heard(&self) -> bool {
        let mut guard = self.listener.lock().await;
        if guard.is_none() {
            match self.listen().await {
                Ok(listener) => *guard = Some(listener),
                // Out of reach: the caller's own pace decides when to look again.
                Err(_) => return std::future::pending().await,
            }
        }
        let Some(listener) = guard.as_mut() else { return true };
        let own = self.hand.to_string();
        loop {
            match listener.try_recv().await {
                Ok(Some(told)) if told.payload() == own => {}
                Ok(_) => {
                    while listener.next_buffered().is_some() {}
                    return true;
                }
                Err(_) => {
                    *guard = None;
                    return true;
                }
            }
        }
    }

    async fn listen(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen("atlarged").await?;
        Ok(listener)
    }

    /// Lets go of everything in hand and of every connection. Without it, as after a crash, what was in
    /// hand is freed by the next instance that finds nothing else to do.
    pub async fn close(&self) -> Answer<()> {
        self.grip.catch_up(&self.pool, self.hand).await?;
        let mut session = self.session().await?;
        let freed = within(async { hands::free(session.connection()?, self.hand).await }).await;
        freed.map_err(fault("letting go of what is in hand"))?;
        if let Some(connection) = session.0.take() {
            let _ = tokio::time::timeout(ACQUIRE, connection.close()).await;
        }
        drop(session);
        *self.listener.lock().await = None;
        let _ = tokio::time::timeout(ACQUIRE, self.pool.close()).await;
        Ok(())
    }
}

/// The session with the lock, one claim at a time.
pub(super) struct Session<'a>(MutexGuard<'a, Option<PgConnection>>);

impl Session<'_> {
    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.0.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Hangs up where the error says that the session is lost, and the lock with it.
    pub(super) fn drop_if_lost(&mut self, error: &sqlx::Error) {
        if !matches!(error, sqlx::Error::Database(_) | sqlx::Error::Decode(_)) {
            *self.0 = None;
        }
    }
}

/// Names of the migrations this build has and the database has not, oldest first.
///
/// # Errors
/// A fault where the database is out of reach, or was migrated by a newer build.
pub async fn pending_migrations(url: &str) -> Answer<Vec<String>> {
    let mut connection = connect(&options(url)?).await?;
    let applied =
        within(applied_migrations(&mut connection)).await.map_err(fault("reading the schema's version"))?;
    if let Some(newer) = applied.iter().find(|version| !MIGRATOR.version_exists(**version)) {
        let why = format!("migration {newer} was applied by a newer build; install that build");
        return Err(Fault::new("opening the database", why));
    }
    let pending = MIGRATOR.iter().filter(|migration| !applied.contains(&migration.version));
    Ok(pending.map(|migration| format!("{:04} {}", migration.version, migration.description)).collect())
}

async fn applied_migrations(connection: &mut PgConnection) -> Result<BTreeSet<i64>, sqlx::Error> {
    let exists = sqlx::query_scalar!(r#"select to_regclass($1) is not null as "exists!""#, APPLIED)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        return Ok(BTreeSet::new());
    }
    let applied = connection.list_applied_migrations(APPLIED).await;
    let applied = applied.map_err(|error| sqlx::Error::Migrate(Box::new(error)))?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

fn options(url: &str) -> Answer<PgConnectOptions> {
    let options: PgConnectOptions = url.parse().map_err(|_: sqlx::Error| {
        Fault::new("reading the database's URL", "write it like postgres://user:password@host:5432/atlarged")
    })?;
    Ok(options.application_name("atlarged").options([
        ("statement_timeout", STATEMENT_MS),
        ("lock_timeout", LOCK_MS),
        ("idle_in_transaction_session_timeout", TRANSACTION_MS),
        ("idle_session_timeout", "0"),
        // A host that vanished gives up its lock within two minutes.
        ("tcp_keepalives_idle", "60"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "6"),
    ]))
}

async fn connect(options: &PgConnectOptions) -> Answer<PgConnection> {
    let connecting = tokio::time::timeout(ACQUIRE, PgConnection::connect_with(options)).await;
    connecting.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(fault("connecting to the database"))
}

/// A number for this instance: positive, since a lock's number is read back from two halves.
fn random_hand() -> Answer<i64> {
    let mut bytes = [0; 8];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Fault::new("drawing a random number", "the system has none"))?;
    Ok((i64::from_be_bytes(bytes) & i64::MAX).max(1))
}

/// Bounds a method's time: a server that does not even refuse is a fault like any other.
pub(super) async fn within<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(METHOD, work).await.unwrap_or_else(|_| {
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer")))
    })
}

/// The fault an error of the database is.
pub(super) fn fault(what: &'static str) -> impl Fn(sqlx::Error) -> Fault {
    move |error| Fault::new(what, explain(&error))
}

/// An error without data: a server's message may quote what was to be stored.
fn explain(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default().into_owned();
            match error.constraint() {
                Some(constraint) => format!("Postgres says {code} ({constraint})"),
                None => format!("Postgres says {code}{}", hint(&code)),
            }
        }
        sqlx::Error::Io(error) => format!("the connection failed: {}", error.kind()),
        sqlx::Error::Tls(_) => "TLS could not be agreed on; check the certificate and sslmode".into(),
        sqlx::Error::Protocol(_) => "the server did not speak the expected protocol".into(),
        sqlx::Error::PoolTimedOut => "no connection within 5 s; is Postgres running?".into(),
        sqlx::Error::PoolClosed => "the store is closed".into(),
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
            "a stored value cannot be read by this build".into()
        }
        sqlx::Error::Encode(_) => "a value cannot be stored".into(),
        sqlx::Error::Migrate(error) => match &**error {
            sqlx::migrate::MigrateError::ExecuteMigration(error, version) => {
                format!("migration {version}: {}", explain(error))
            }
            sqlx::migrate::MigrateError::Execute(error) => explain(error),
            other => other.to_string(),
        },
        _ => "an unexpected error of the database driver".into(),
    }
}

fn hint(code: &str) -> &'static str {
    match code {
        "28P01" | "28000" => ": the user or password is refused",
        "3D000" => ": there is no such database; create it",
        "40P01" => ": a deadlock, tried again",
        "42501" => ": the user lacks a right",
        "53100" => ": the disk is full",
        "53300" => ": too many connections",
        "55P03" => ": a lock was not to be had in time",
        "57014" => ": a statement took too long",
        "57P01" | "57P02" | "57P03" => ": the server is going down or coming up",
        _ => "",
    }
}
