//! The alarm: an hourly mail to ourselves through the whole path. When it does not come home, or a mailbox
//! cannot be read, somebody is told by another channel than mail, and told again when it works.

use super::run::{Clock, Mailroom, Shutdown};
use super::{Daemon, OFFICE};
use crate::kernel::language::Language;
use crate::ports::store::{Answer, Store};
use crate::workflows::office::News;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tracing::{error, info, warn};

/// The fact under which the store keeps when our own mail last came home.
pub(super) const HOME: &str = "heartbeat-home";
pub(super) const TEMPLATE: &str = "office/heartbeat";
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(20);
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

/// When each mailbox was last read to its end.
#[derive(Default)]
pub(super) struct Watch(Mutex<BTreeMap<String, DateTime<Utc>>>);

impl Watch {
    pub(super) fn read(&self, mailbox: &str, now: DateTime<Utc>) {
        if let Ok(mut times) = self.0.lock() {
            times.insert(mailbox.to_owned(), now);
        }
    }

    fn last(&self, mailbox: &str) -> Option<DateTime<Utc>> {
        self.0.lock().ok()?.get(mailbox).copied()
    }
}

/// What is wrong with the path, pure: the messages an operator gets, none when all is well.
fn complaints(
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    home: Option<DateTime<Utc>>,
    read: &[(String, Option<DateTime<Utc>>)],
    config: &AlarmConfig,
) -> Vec<String> {
    let patience = Duration::minutes(i64::from(config.patience_minutes));
    let mut complaints = Vec::new();
    for (mailbox, last) in read {
        let last = last.unwrap_or(since);
        if now - last > patience {
            complaints.push(format!(
                "mailbox {mailbox} has not been read since {last}; no deadline falls meanwhile. Run: atlarged doctor"
            ));
        }
    }
    let overdue = Duration::minutes(i64::from(config.every_minutes)) + patience;
    let home = home.filter(|home| *home >= since).unwrap_or(since);
    if now - home > overdue {
        complaints.push(format!(
            "the clerk's mail to itself has not come home since {home}: mail does not leave or does not arrive. \
             Run: atlarged doctor"
        ));
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
        shutdown: Shutdown,
    ) {
        let since = clock();
        let mut raised = false;
        while !shutdown.stopping() {
            let now = clock();
            let complaints = match self.look(&daemon, &watch, since, now).await {
                Ok(complaints) => complaints,
                Err(fault) => {
                    vec![format!("{fault}; the clerk cannot reach its record. Run: atlarged doctor")]
                }
            };
            room.wake();
            let message = complaints.join("\n");
            match (raised, complaints.is_empty()) {
                (false, false) if self.tell("raised", &message).await => raised = true,
                (true, true) if self.tell("recovered", "mail comes and goes again").await => raised = false,
                _ => {}
            }
            let _ = tokio::time::timeout(LOOK_EVERY, shutdown.wait()).await;
        }
    }

    async fn look<S: Store>(
        &self,
        daemon: &Daemon<S>,
        watch: &Watch,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Answer<Vec<String>> {
        daemon.heartbeat(self.config.every_minutes, now).await?;
        let home = daemon.store.fact(HOME).await?.and_then(|at| at.parse().ok());
        let read: Vec<_> =
            daemon.settings.mailboxes.iter().map(|name| (name.clone(), watch.last(name))).collect();
        Ok(complaints(since, now, home, &read, &self.config))
    }

    /// Runs the command. True: it was told; otherwise it is tried again at the next look.
    async fn tell(&self, what: &str, message: &str) -> bool {
        match what {
            "raised" => error!(message, "alarm"),
            _ => info!(message, "alarm over"),
        }
        let Some((program, arguments)) = self.config.command.split_first() else { return true };
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
}

impl<S: Store> Daemon<S> {
    /// Writes to ourselves, once per period whoever asks.
    pub(super) async fn heartbeat(&self, every_minutes: u32, now: DateTime<Utc>) -> Answer<()> {
        let period = now.timestamp() / (i64::from(every_minutes.max(1)) * 60);
        let (to, _) = self.store.stranger(&self.settings.clerk, Language::En, now).await?;
        let news = News::Heartbeat { to, at: now };
        self.tell_office(&format!("heartbeat:{every_minutes}:{period}"), news, now).await
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

    fn config() -> AlarmConfig {
        AlarmConfig { command: vec![], every_minutes: 60, patience_minutes: 20 }
    }

    #[test]
    fn all_is_well_while_our_mail_comes_home_and_the_mailbox_is_read() {
        let read = [("main".to_owned(), Some(at(99)))];
        assert!(complaints(at(0), at(100), Some(at(60)), &read, &config()).is_empty());
    }

    #[test]
    fn a_mail_that_does_not_come_home_is_told() {
        let read = [("main".to_owned(), Some(at(99)))];
        let told = complaints(at(0), at(100), None, &read, &config());
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("mail to itself"), "{told:?}");
    }

    #[test]
    fn a_mailbox_that_cannot_be_read_is_told_before_the_mail_is_missed() {
        let told = complaints(at(0), at(30), Some(at(5)), &[("main".to_owned(), Some(at(5)))], &config());
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("mailbox main"), "{told:?}");
    }
}
