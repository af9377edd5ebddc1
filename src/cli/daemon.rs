//! The daemon and those who look after it: run, turn, migrate, status, resume.

use super::assemble::{self, Installation};
use super::{ConfigArg, Ended, Outcome, Trouble, say};
use crate::config::Config;
use crate::daemon::{Alarm, Clock, Crew, Mailroom, Shutdown, epoch_since};
use crate::ports::keys::Keys;
use crate::ports::store::Store;
use crate::ports::store::postgres::{PostgresStore, pending_migrations};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

/// The fact under which the store keeps the epoch; the key store keeps its own.
const EPOCH: &str = "epoch";
/// How long after a start without a database it is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How much longer the service manager is asked to wait each time; a try takes seconds where a host is silent.
const STILL_WAITING: u32 = 30_000_000;

pub async fn run(args: &ConfigArg, clock: &Clock) -> Outcome {
    logging();
    let shutdown = Shutdown::default();
    stop_on_signals(shutdown.clone())?;
    if let Some(installation) = started(args, clock, &shutdown).await? {
        serve(installation, clock, &shutdown).await?;
    }
    info!("stopped");
    Ok(Ended::Done)
}

/// Starts an installation. A database that is away, as after a power cut when everything comes up at once, is
/// waited for as it is later on; any other trouble ends the start. None where it is time to stop.
async fn started(
    args: &ConfigArg,
    clock: &Clock,
    shutdown: &Shutdown,
) -> Result<Option<Installation>, Trouble> {
    let url = Config::load(&args.config)?.database_url()?;
    // What failed while the database went or came back is tried once more before it is believed.
    let (mut believed, mut told) = (false, false);
    while !shutdown.stopping() {
        let trouble = match start(args, clock).await {
            Ok(installation) => return Ok(Some(installation)),
            Err(trouble) => trouble,
        };
        let Some(away) = PostgresStore::away(&url).await else {
            if std::mem::replace(&mut believed, true) {
                return Err(trouble);
            }
            continue;
        };
        if !std::mem::replace(&mut told, true) {
            warn!(%away, "waiting for the database before the first step");
        }
        believed = false;
        let _ = sd_notify::notify(&[
            sd_notify::NotifyState::Status("waiting for the database"),
            sd_notify::NotifyState::ExtendTimeoutUsec(STILL_WAITING),
        ]);
        let _ = tokio::time::timeout(LOOK_AGAIN, shutdown.wait()).await;
    }
    Ok(None)
}

async fn start(args: &ConfigArg, clock: &Clock) -> Result<Installation, Trouble> {
    let installation = assemble::installation(args).await?;
    not_restored(&installation).await?;
    installation.daemon.prepare(installation.offset.shift(clock())).await?;
    Ok(installation)
}

/// Runs an installation until shutdown: the daemon's loops, the pages, the service manager's signs of life.
pub async fn serve(installation: Installation, clock: &Clock, shutdown: &Shutdown) -> Result<(), Trouble> {
    let offset = installation.offset.clone();
    let wall = clock.clone();
    let clock: Clock = Arc::new(move || offset.shift(wall()));
    let room = Arc::new(Mailroom::default());
    let mailboxes = installation.mailboxes();
    let postmen = installation.postmen();
    let Installation { config, daemon, .. } = installation;
    let daemon = Arc::new(daemon);
    if let Some(web) = &config.web {
        let public = config.public.as_ref().map(|public| public.directory.clone());
        crate::web::serve(web.listen, daemon.clone(), public, shutdown.clone()).await?;
    }
    let crew = Crew {
        daemon: daemon.clone(),
        mailboxes,
        postmen,
        alarm: config.alarm.map(|config| Alarm { config }),
        clock,
        poll: Duration::from_secs(u64::from(config.daemon.poll_seconds)),
        room: room.clone(),
        shutdown: shutdown.clone(),
    };
    tokio::spawn(listen(daemon, room.clone(), shutdown.clone()));
    tokio::spawn(watchdog(room, shutdown.clone()));
    // Without a service manager there is nobody to tell, and that is no error.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready, sd_notify::NotifyState::Status("at work")]);
    info!("ready");
    crate::daemon::run(crew).await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    Ok(())
}

/// Wakes the loops when something is posted from outside.
async fn listen(daemon: Arc<crate::daemon::Daemon<PostgresStore>>, room: Arc<Mailroom>, shutdown: Shutdown) {
    while !shutdown.stopping() {
        tokio::select! {
            woken = daemon.store.wait(Duration::from_secs(30)) => if woken { room.wake() },
            () = shutdown.wait() => {}
        }
    }
}

/// Tells the service manager that the thinker still turns; silence makes it restart us.
async fn watchdog(room: Arc<Mailroom>, shutdown: Shutdown) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut seen = None;
    while !shutdown.stopping() {
        let beats = room.beats();
        if seen.replace(beats) != Some(beats) {
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        }
        let _ = tokio::time::timeout(limit / 3, shutdown.wait()).await;
    }
}

/// Journald where the service manager gave us to it, lines of text otherwise. `ATLARGED_LOG` filters.
fn logging() {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let filter = tracing_subscriber::EnvFilter::try_from_env("ATLARGED_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    match std::env::var_os("JOURNAL_STREAM").and_then(|_| tracing_journald::layer().ok()) {
        Some(journald) => registry.with(journald).init(),
        None => registry.with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr)).init(),
    }
}

fn stop_on_signals(shutdown: Shutdown) -> Result<(), Trouble> {
    let listen =
        |kind| signal(kind).map_err(|error| Trouble::new(format!("cannot listen to signals: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping; work in hand is finished first");
        shutdown.stop();
    });
    Ok(())
}

/// A database restored from a backup would mint tokens and send mails a second time. Its epoch is older than
/// the one beside the keys, or its journal has not come as far as the one that was last at work: a person must
/// say that it is meant.
pub(super) async fn not_restored(installation: &Installation) -> Result<(), Trouble> {
    let store = &installation.daemon.store;
    let held = |why: String| {
        Trouble::new(format!(
            "{why}: one of them was restored from a backup. Nothing is sent until you run: \
             atlarged resume --restored"
        ))
    };
    let ours = installation.daemon.keys.epoch()?.unwrap_or(assemble::FIRST_EPOCH).to_string();
    let theirs = store.fact(EPOCH).await?;
    if theirs.as_deref() != Some(&ours) {
        let theirs = theirs.as_deref().unwrap_or("none");
        return Err(held(format!("the database is of epoch {theirs}, the key store of epoch {ours}")));
    }
    match installation.daemon.restored().await? {
        Some(why) => Err(held(format!("the database is not the one the key store knows: {why}"))),
        None => Ok(()),
    }
}

#[derive(Debug, clap::Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Say that the database or the keys were restored from a backup, and that this is meant.
    #[arg(long, required = true)]
    restored: bool,
}

pub async fn resume(args: &ResumeArgs, clock: &Clock) -> Outcome {
    let (config, store) = assemble::store(&args.config).await?;
    let keys = Keys::directory(&config.keys.directory)?;
    let offset = chrono::Duration::seconds(config.daemon.offset_seconds);
    let next = begin_epoch(&store, &keys, clock() + offset).await?;
    say!(
        "epoch {next}: new mails carry new tokens; old ones name what was known before now. Start the daemon."
    );
    Ok(Ended::Done)
}

/// A new epoch for both. The database's word comes last: until then `run` goes on refusing, and whoever gives
/// the order again goes one epoch further.
async fn begin_epoch<S: Store>(store: &S, keys: &Keys, now: DateTime<Utc>) -> Result<u16, Trouble> {
    let stored: u16 = store.fact(EPOCH).await?.and_then(|epoch| epoch.parse().ok()).unwrap_or(0);
    let next = stored.max(keys.epoch()?.unwrap_or(0)).checked_add(1);
    let next = next.ok_or_else(|| Trouble::new("there are no more epochs; a new installation is needed"))?;
    store.set_fact(&epoch_since(next), &now.to_rfc3339()).await?;
    keys.set_epoch(next)?;
    keys.forget_witness()?;
    store.set_fact(EPOCH, &next.to_string()).await?;
    Ok(next)
}

pub async fn turn(args: &ConfigArg, clock: &Clock) -> Outcome {
    logging();
    let installation = assemble::installation(args).await?;
    not_restored(&installation).await?;
    let now = installation.offset.shift(clock());
    installation.daemon.prepare(now).await?;
    let mut mailboxes = installation.mailboxes();
    let mut postmen = installation.postmen();
    installation.daemon.digest(now).await?;
    let turned = installation.daemon.turn(&mut mailboxes, &mut postmen[0], now).await?;
    say!("{} new mails, {} steps, {} mails sent", turned.fetched, turned.steps, turned.sent);
    Ok(Ended::Done)
}

pub async fn migrate(args: &ConfigArg) -> Outcome {
    let config = Config::load(&args.config)?;
    let url = config.database_url()?;
    let pending = pending_migrations(&url).await?;
    let store = PostgresStore::connect_and_migrate(&url).await?;
    let keys = Keys::create(&config.keys.directory)?;
    // Both are new: one epoch for both. Where only one is, `run` says so and sends nothing.
    if keys.epoch()?.is_none() && store.fact(EPOCH).await?.is_none() {
        keys.set_epoch(assemble::FIRST_EPOCH)?;
        store.set_fact(EPOCH, &assemble::FIRST_EPOCH.to_string()).await?;
    }
    say!("the clerk signs with the key {}; publish this fingerprint", keys.fingerprint());
    match pending.len() {
        0 => say!("the schema is this build's already"),
        n => say!("{n} migrations applied: {}", pending.join(", ")),
    }
    Ok(Ended::Done)
}

#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    config: ConfigArg,
    #[arg(long)]
    json: bool,
}

pub async fn status(args: &StatusArgs, _clock: &Clock) -> Outcome {
    let (_, store) = assemble::store(&args.config).await?;
    let books = store.books().await?;
    let cases = store.cases().await?;
    let tasks = store.tasks().await?;
    let quarantined = store.quarantined().await?;
    let notices = store.notices(None).await?;
    let count = |status: &str| notices.iter().filter(|notice| notice.status == status).count();
    let outbox = json!({
        "waiting": count("waiting"), "sent": count("sent"), "lapsed": count("lapsed"),
        "failed": count("failed"), "stuck": count("stuck"),
    });
    let head = store.journal_head().await?;
    if args.json {
        let value = json!({
            "books": books, "balance": books.balance(), "outbox": outbox, "cases": cases.len(),
            "open_tasks": tasks.len(), "quarantined": quarantined.len(), "journal_head": head,
        });
        say!("{value}");
    } else {
        say!(
            "mails    {} received = {} acted + {} refused + {} silent + {} quarantined + {} waiting",
            books.received,
            books.acted,
            books.refused,
            books.silent,
            books.quarantined,
            books.waiting
        );
        say!("outbox   {outbox}");
        say!("cases    {}, open tasks {}", cases.len(), tasks.len());
        say!("journal  {head}");
        for task in &tasks {
            say!("task     {} {} ({})", task.task.case, task.title, task.task.template);
        }
    }
    if books.balance() {
        return Ok(Ended::Done);
    }
    eprintln!("atlarged: the books do not balance; stop the daemon and keep the database as it is");
    Ok(Ended::Wanting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::keys::Witness;
    use crate::ports::store::memory::MemoryStore;

    #[tokio::test]
    async fn a_new_epoch_begins_now_and_takes_the_journal_as_it_is() {
        let (store, keys) = (MemoryStore::new(), Keys::in_memory(1));
        keys.set_epoch(4).unwrap();
        keys.set_witness(&Witness { number: 9, hash: "ab".repeat(32) }).unwrap();
        store.set_fact(EPOCH, "2").await.unwrap();
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(begin_epoch(&store, &keys, now).await.unwrap(), 5);
        assert_eq!(keys.epoch().unwrap(), Some(5));
        assert_eq!(keys.witness().unwrap(), None);
        assert_eq!(store.fact(EPOCH).await.unwrap().as_deref(), Some("5"));
        assert_eq!(store.fact(&epoch_since(5)).await.unwrap(), Some(now.to_rfc3339()));
        keys.set_epoch(u16::MAX).unwrap();
        assert!(begin_epoch(&store, &keys, now).await.is_err());
    }
}
