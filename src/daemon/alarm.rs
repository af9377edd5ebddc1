//! The alarm: an hourly mail to ourselves through the whole path. When it does not come home, a mailbox cannot be
//! read, or something is long overdue, somebody is told by another channel than mail, and told again when it works.

use super::run::{Clock, Mailroom, Rest, Shutdown, resting};
use super::{Daemon, OFFICE};
use crate::kernel::language::Language;
use crate::ports::store::{Answer, Store};
use crate::workflows::office::News;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tracing::{error, info, warn};

/// The fact under which the store keeps when our own mail last came home.
pub(super) const HOME: &str = "heartbeat-home";
/// The fact under which the store keeps the first start since then.
const SINCE: &str = "alarm-since";
pub(super) const TEMPLATE: &str = "office/heartbeat";
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(20);
/// The record must answer a look within this.
const LOOK_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);
/// What is due may be late by this, beside the time mail may take.
const OVERDUE: Duration = Duration::minutes(15);
const COMMAND_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

/// `[alarm]` of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmConfig {
    /// The program and its arguments; the message is added as the last argument. Environment:
    /// `ATLARGED_ALARM` is `raised` or `recovered`. A webhook: `["curl", "-fsS", "https://…", "--data"]`.
    pub command: Vec<String>,
    /// Minutes between mails to ourselves.
    #[serde(default = "an_hour")]
    pub every_minutes: u32,
    /// Minutes such a mail may take to come home, and a mailbox may be unreadable.
    #[serde(default = "twenty_minutes")]
    pub patience_minutes: u32,
}

fn an_hour() -> u32 {
    60
}

fn twenty_minutes() -> u32 {
    20
}

/// What the loops tell the alarm.
#[derive(Default)]
pub(super) struct Watch {
    /// When each mailbox was last read to its end.
    read: Mutex<BTreeMap<String, DateTime<Utc>>>,
    /// What fails for itself, and since when.
    failing: Mutex<BTreeMap<&'static str, DateTime<Utc>>>,
}

impl Watch {
    pub(super) fn read(&self, mailbox: &str, now: DateTime<Utc>) {
        if let Ok(mut times) = self.read.lock() {
            times.insert(mailbox.to_owned(), now);
        }
    }

    pub(super) fn last(&self, mailbox: &str) -> Option<DateTime<Utc>> {
        self.read.lock().ok()?.get(mailbox).copied()
    }

    /// Something fails since a moment, or works.
    pub(super) fn fails(&self, what: &'static str, since: Option<DateTime<Utc>>) {
        if let Ok(mut failing) = self.failing.lock() {
            match since {
                Some(since) => failing.insert(what, since),
                None => failing.remove(what),
            };
        }
    }

    pub(super) fn failing(&self) -> Vec<(&'static str, DateTime<Utc>)> {
        self.failing.lock().map(|failing| failing.iter().map(|(k, v)| (*k, *v)).collect()).unwrap_or_default()
    }
}

/// What one look saw.
struct Seen {
    /// When this instance began.
    began: DateTime<Utc>,
    /// The first start since our mail last came home: a crash loop does not begin it anew.
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    home: Option<DateTime<Utc>>,
    read: Vec<(String, Option<DateTime<Utc>>)>,
    failing: Vec<(&'static str, DateTime<Utc>)>,
    /// The earliest thing to be done.
    next: Option<DateTime<Utc>>,
    settle: Duration,
}

/// What an operator gets to read, by what it is about: what was told is not told again.
type Complaints = BTreeMap<String, String>;

/// What is wrong with the path, pure: none when all is well.
fn complaints(seen: &Seen, config: &AlarmConfig) -> Complaints {
    let now = seen.now;
    let patience = Duration::minutes(i64::from(config.patience_minutes));
    let mut complaints = Complaints::new();
    for (mailbox, last) in &seen.read {
        let last = last.unwrap_or(seen.began);
        if now - last > patience {
            let text = format!(
                "mailbox {mailbox} has not been read to its end since {last}; no deadline falls meanwhile. \
                 Run: atlarged doctor"
            );
            complaints.insert(format!("mailbox {mailbox}"), text);
        }
    }
    let overdue = Duration::minutes(i64::from(config.every_minutes)) + patience;
    let home = seen.home.unwrap_or(seen.since);
    if now - home > overdue && now - seen.since > patience {
        let text = format!(
            "the clerk's mail to itself has not come home since {home}: mail does not leave or does not arrive. \
             Run: atlarged doctor"
        );
        complaints.insert("heartbeat".to_owned(), text);
    }
    for (doing, since) in &seen.failing {
        if now - *since > patience {
            let text = format!("{doing} has failed since {since}. The log says why");
            complaints.insert((*doing).to_owned(), text);
        }
    }
    if let Some(next) = seen.next
        && now - next.max(seen.began) > seen.settle + OVERDUE
    {
        let text = format!(
            "something was due at {next} and is not done: a deadline or a mail waits. Run: atlarged status, \
             atlarged quarantine list, atlarged doctor"
        );
        complaints.insert("overdue".to_owned(), text);
    }
    complaints
}

/// Keeps the alarm.
pub struct Alarm {
    pub config: AlarmConfig,
}

impl Alarm {
    pub(super) async fn keep<S: Store>(
        self,
        daemon: Arc<Daemon<S>>,
        clock: Clock,
        room: Arc<Mailroom>,
        watch: Arc<Watch>,
        ways: Ways,
        shutdown: Shutdown,
    ) {
        let Ways { tell, rest } = ways;
        let began = clock();
        let mut told: BTreeSet<String> = BTreeSet::new();
        while !shutdown.stopping() {
            let now = clock();
            let look = tokio::time::timeout(LOOK_TIMEOUT, self.look(&daemon, &watch, began, now));
            let unreachable = |why: String| {
                let text = format!("{why}; the clerk cannot reach its record. Run: atlarged doctor");
                Complaints::from([("record".to_owned(), text)])
            };
            let complaints = match look.await {
                Ok(Ok(complaints)) => complaints,
                Ok(Err(fault)) => unreachable(fault.to_string()),
                Err(_) => unreachable(format!("no answer within {LOOK_TIMEOUT:?}")),
            };
            room.wake();
            let about: BTreeSet<String> = complaints.keys().cloned().collect();
            let message = complaints.into_values().collect::<Vec<_>>().join("\n");
            if about.is_empty() {
                if !told.is_empty() && tell("recovered", "all is well again".to_owned()).await {
                    told.clear();
                }
            } else if about.is_subset(&told) || tell("raised", message).await {
                told = about;
            }
            rest(LOOK_EVERY).await;
        }
    }

    async fn look<S: Store>(
        &self,
        daemon: &Daemon<S>,
        watch: &Watch,
        began: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Answer<Complaints> {
        daemon.heartbeat(self.config.every_minutes, now).await?;
        let home = daemon.store.fact(HOME).await?.and_then(|at| at.parse().ok());
        let read = daemon.settings.mailboxes.iter().map(|name| (name.clone(), watch.last(name)));
        let seen = Seen {
            began,
            since: daemon.alarm_since(began, home).await?,
            now,
            home,
            read: read.collect(),
            failing: watch.failing(),
            next: daemon.store.next_event().await?,
            settle: daemon.settings.settle,
        };
        Ok(complaints(&seen, &self.config))
    }

    /// Tells by the command, and rests by the real clock.
    pub(super) fn ways(&self, shutdown: &Shutdown) -> Ways {
        let command = self.config.command.clone();
        let tell = move |what: &'static str, message: String| -> Told {
            let command = command.clone();
            Box::pin(async move { run(&command, what, &message).await })
        };
        Ways { tell: Arc::new(tell), rest: resting(shutdown) }
    }
}

/// Whether a message was told; otherwise it is told at the next look.
pub(super) type Told = Pin<Box<dyn Future<Output = bool> + Send>>;

/// How the alarm tells, "raised" or "recovered" and what, and how it rests between two looks.
pub(super) struct Ways {
    pub(super) tell: Arc<dyn Fn(&'static str, String) -> Told + Send + Sync>,
    pub(super) rest: Rest,
}

/// Runs the command. True: it was told; otherwise it is tried again at the next look.
async fn run(command: &[String], what: &str, message: &str) -> bool {
    match what {
        "raised" => error!(message, "alarm"),
        _ => info!(message, "alarm over"),
    }
    let Some((program, arguments)) = command.split_first() else { return true };
    let child = tokio::process::Command::new(program)
        .args(arguments)
        .arg(message)
        .env("ATLARGED_ALARM", what)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status();
    match tokio::time::timeout(COMMAND_TIMEOUT, child).await {
        Ok(Ok(status)) if status.success() => true,
        Ok(Ok(status)) => {
            warn!(%status, "the alarm command failed; it is run again in {LOOK_EVERY:?}");
            false
        }
        Ok(Err(error)) => {
            warn!(%error, "the alarm command cannot be run; correct [alarm] command");
            false
        }
        Err(_) => {
            warn!("the alarm command did not end within {COMMAND_TIMEOUT:?}");
            false
        }
    }
}

impl<S: Store> Daemon<S> {
    /// Writes to ourselves, once per period whoever asks.
    pub(super) async fn heartbeat(&self, every_minutes: u32, now: DateTime<Utc>) -> Answer<()> {
        let period = now.timestamp() / (i64::from(every_minutes.max(1)) * 60);
        let (to, _) = self.store.stranger(&self.settings.clerk, Language::En, now).await?;
        let news = News::Heartbeat { to, at: now };
        self.tell_office(&format!("heartbeat:{every_minutes}:{period}"), news, now).await
    }

    /// The first start since our mail last came home.
    async fn alarm_since(&self, began: DateTime<Utc>, home: Option<DateTime<Utc>>) -> Answer<DateTime<Utc>> {
        let known: Option<DateTime<Utc>> = self.store.fact(SINCE).await?.and_then(|at| at.parse().ok());
        match known.filter(|known| home.is_none_or(|home| home <= *known)) {
            Some(known) => Ok(known),
            None => {
                self.store.set_fact(SINCE, &began.to_rfc3339()).await?;
                Ok(began)
            }
        }
    }

    /// Our own mail came home.
    pub(super) async fn came_home(&self, case: crate::kernel::ids::CaseId, at: DateTime<Utc>) -> Answer<()> {
        if case == OFFICE { self.store.set_fact(HOME, &at.to_rfc3339()).await } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::minutes(minutes)
    }

    /// All is well at minute 100: begun at 0, home at 60, read at 99.
    fn well() -> Seen {
        Seen {
            began: at(0),
            since: at(0),
            now: at(100),
            home: Some(at(60)),
            read: vec![("main".to_owned(), Some(at(99)))],
            failing: vec![],
            next: Some(at(101)),
            settle: Duration::minutes(2),
        }
    }

    /// What is complained about.
    #[track_caller]
    fn check(seen: Seen, about: &[&str]) {
        let config = AlarmConfig { command: vec![], every_minutes: 60, patience_minutes: 20 };
        let told = complaints(&seen, &config);
        assert_eq!(told.keys().collect::<Vec<_>>(), about, "{told:?}");
    }

    #[test]
    fn all_is_well_while_our_mail_comes_home_and_the_mailbox_is_read() {
        check(well(), &[]);
    }

    #[test]
    fn a_mail_that_does_not_come_home_is_told() {
        check(Seen { home: None, ..well() }, &["heartbeat"]);
    }

    #[test]
    fn a_start_after_a_long_stop_is_given_time() {
        let stopped = |minutes: i64| Seen { since: at(100 - minutes), home: Some(at(-900)), ..well() };
        check(stopped(19), &[]);
        check(stopped(21), &["heartbeat"]);
    }

    #[test]
    fn a_mailbox_that_is_not_read_to_its_end_is_told() {
        let last = vec![("main".to_owned(), Some(at(79)))];
        check(Seen { read: last, ..well() }, &["mailbox main"]);
        check(Seen { read: vec![("main".to_owned(), None)], ..well() }, &["mailbox main"]);
    }

    #[test]
    fn what_is_long_overdue_is_told() {
        check(Seen { next: Some(at(84)), ..well() }, &[]);
        check(Seen { next: Some(at(82)), ..well() }, &["overdue"]);
        check(Seen { next: Some(at(-900)), began: at(95), ..well() }, &[]);
    }

    #[test]
    fn what_fails_for_long_is_told() {
        check(Seen { failing: vec![("publishing", at(81))], ..well() }, &[]);
        check(Seen { failing: vec![("publishing", at(79))], ..well() }, &["publishing"]);
    }
}
