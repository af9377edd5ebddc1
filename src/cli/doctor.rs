//! `atlarged doctor`: whether everything the daemon needs is there and works, and what to do where it is not.

use super::assemble::{self, Installation, Source};
use super::daemon::not_restored;
use super::{ConfigArg, Ended, Outcome, say};
use crate::config::Config;
use crate::daemon::{AlarmConfig, Clock};
use crate::ports::keys::Keys;
use crate::ports::mailbox::Mailbox;
use crate::ports::mailbox::imap::Imap;
use crate::ports::store::Store;
use crate::ports::store::chain::verify_chain;
use crate::ports::store::postgres::PostgresStore;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// One line for each thing the daemon needs.
struct Checkup {
    wanting: bool,
}

impl Checkup {
    fn say<T>(&mut self, what: &str, found: Result<T, impl std::fmt::Display>) -> Option<T> {
        match found {
            Ok(value) => {
                say!("ok       {what}");
                Some(value)
            }
            Err(error) => {
                say!("wanting  {what}: {error}");
                self.wanting = true;
                None
            }
        }
    }
}

pub async fn doctor(args: &ConfigArg, clock: &Clock) -> Outcome {
    let mut checkup = Checkup { wanting: false };
    let Some(config) = checkup.say("configuration", Config::load(&args.config)) else {
        return Ok(Ended::Wanting);
    };
    checkup.say("policies", config.policies());
    checkup.say("key store", Keys::directory(&config.keys.directory));
    match config.database_url() {
        Ok(url) => {
            checkup.say("database and schema", PostgresStore::connect(&url).await);
        }
        Err(error) => {
            checkup.say::<()>("database", Err(error));
        }
    }
    if let Ok(installation) = assemble::installation(args).await {
        checkup.say("templates, clock, and the database the keys know", not_restored(&installation).await);
        if let Some(steps) = checkup.say("journal", journal(&installation.daemon.store).await) {
            say!("         {steps} steps, each linked to the one before");
        }
        if let Some(resolver) = &installation.daemon.resolver {
            let domain = config.clerk.address.rsplit_once('@').map_or("", |(_, domain)| domain);
            checkup.say("DNS", resolver.answers(domain).await);
        }
        for (name, mut mailbox) in installation.mailboxes() {
            let looked = look(&installation, &name, &mut mailbox).await;
            checkup.say(&format!("mailbox {name}"), looked);
            if let Source::Imap(imap) = &mut mailbox {
                checkup.say(&format!("mailbox {name} forgets what is expunged"), forgets(imap).await);
            }
        }
        let now = installation.offset.shift(clock());
        let events = installation.daemon.store.next_event().await;
        checkup.say(&format!("clocks (it is {now})"), events);
    }
    for postman in &mut [crate::ports::postman::smtp::Smtp::new(config.smtp.clone())] {
        checkup.say("relay", postman.greet().await);
    }
    if let Some(public) = &config.public {
        checkup.say("public directory", writable(&public.directory));
    }
    if let Some(alarm) = &config.alarm {
        checkup.say("alarm", command(alarm, std::env::var_os("PATH").as_deref()));
    }
    Ok(if checkup.wanting { Ended::Wanting } else { Ended::Done })
}

/// The number of steps in a journal that holds together from its first row to its head.
async fn journal<S: Store>(store: &S) -> Result<usize, String> {
    let kept = "stop the daemon, keep the database as it is, and compare it with a backup";
    // The head first: steps taken meanwhile are then in the rows.
    let head = store.journal_head().await.map_err(|fault| fault.to_string())?;
    let rows = store.journal(None).await.map_err(|fault| fault.to_string())?;
    verify_chain(&rows).map_err(|broken| format!("{broken}; {kept}"))?;
    if rows.is_empty() || rows.iter().any(|row| row.hash == head) {
        return Ok(rows.len());
    }
    Err(format!("its last rows are missing; {kept}"))
}

/// Whether files can be written where they are published.
fn writable(directory: &Path) -> Result<(), String> {
    // The daemon makes the directory; what must be there is one in which it can.
    let there = directory.ancestors().find(|place| place.is_dir()).unwrap_or(directory);
    let probe = there.join(".doctor.partial");
    std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(|error| {
        format!("cannot write in {}: {error}; give it to the daemon's account", there.display())
    })
}

/// Whether the alarm's program is there and may be run; it is not run.
fn command(alarm: &AlarmConfig, path: Option<&std::ffi::OsStr>) -> Result<(), String> {
    let Some(program) = alarm.command.first().filter(|program| !program.is_empty()) else {
        return Err("[alarm] command names no program; write command = [\"/path/to/program\"]".to_owned());
    };
    let runs = |file: &Path| {
        std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    let found = if program.contains('/') {
        runs(Path::new(program))
    } else {
        path.is_some_and(|path| std::env::split_paths(path).any(|place| runs(&place.join(program))))
    };
    if found {
        return Ok(());
    }
    Err(format!("{program} is no program that can be run; correct [alarm] command, or chmod +x"))
}

/// Whether mail that is expunged is gone, as what is told in confidence must be: tried with a mail of our own.
async fn forgets(imap: &mut Imap) -> Result<(), String> {
    let left = imap.expunge_probe().await.map_err(|fault| fault.to_string())?;
    if left.is_empty() {
        return Ok(());
    }
    let folders = left.join(", ");
    Err(format!("it is still in {folders}; have the server keep no archive or bin for this mailbox"))
}

/// Whether a mailbox opens and its folders can be read; nothing is taken from it.
async fn look<M: Mailbox>(
    installation: &Installation,
    name: &str,
    mailbox: &mut M,
) -> Result<(), crate::ports::Fault> {
    let cursors = installation.daemon.store.cursors(name).await?;
    let refuse = || crate::ports::Fault::new("looking only", "nothing is taken");
    match mailbox.fetch(&cursors, |_batch| async move { Err(refuse()) }).await {
        Ok(fetched) => fetched.faults.into_iter().next().map_or(Ok(()), Err),
        // Mail is waiting, and it could be fetched: that is all we asked.
        Err(fault) if fault.what == "looking only" => Ok(()),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(program: &str) -> AlarmConfig {
        AlarmConfig { command: vec![program.to_owned()], every_minutes: 60, patience_minutes: 20 }
    }

    #[test]
    fn an_alarm_without_a_program_is_found_out() {
        let place = tempfile::tempdir().unwrap();
        let program = place.path().join("ring");
        let named = alarm(&program.to_string_lossy());
        let path = Some(place.path().as_os_str());
        assert!(command(&named, None).is_err(), "it is not there");
        std::fs::write(&program, "#!/bin/sh").unwrap();
        assert!(command(&alarm("ring"), path).is_err(), "it may not be run");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(command(&named, None), Ok(()));
        assert_eq!(command(&alarm("ring"), path), Ok(()));
        assert!(command(&alarm("ring"), None).is_err());
        assert!(command(&alarm(""), path).is_err());
    }

    #[test]
    fn a_public_directory_that_cannot_be_written_is_found_out() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(writable(place.path()), Ok(()));
        assert_eq!(writable(&place.path().join("made/by/the/daemon")), Ok(()));
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "nothing is left there");
        std::fs::create_dir(place.path().join(".doctor.partial")).unwrap();
        assert!(writable(place.path()).is_err());
    }
}
