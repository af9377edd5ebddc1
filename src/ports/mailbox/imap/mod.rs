//! Letters from an IMAP server (RFC 3501, IDLE, MOVE, UIDPLUS where offered).

mod bodies;
mod finish;
mod probe;

mod session;

use super::{
    Arrival, Batch, Body, Cursor, Done, Fetched, Finished, Mailbox, Offset, PART_BYTES, Place, Woken,
    plan::{self, Listed, Standing},
};
use crate::ports::{
    Fault,
    net::{Backoff, Login, Security, Server},
};

use bodies::{First, Reader};
use serde::Deserialize;
use session::{Session, Trouble};
use std::{collections::BTreeMap, future::Future, path::PathBuf, time::Duration};

/// A mailbox on an IMAP server. Folder names are written as the server spells them.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct ImapConfig {
    pub host: String,
    #[serde(default = "default_port")]
    pub port: u16,
    /// `tls` (default), `starttls`, or `none` for a server on this machine.
    #[serde(default)]
    pub security: Security,
    /// PEM file with the only certificates to trust; default: those of the system.
    pub ca_file: Option<PathBuf>,
    pub user: String,
    /// File with the password; a bare name is a systemd credential.
    pub password_file: Option<PathBuf>,
    /// File with an OAuth2 access token, kept fresh by another program.
    pub oauth2_token_file: Option<PathBuf>,
    /// Program and arguments that print an OAuth2 access token.
    #[serde(default)]
    pub oauth2_token_command: Vec<String>,
    #[serde(default = "default_inbox")]
    pub inbox: String,
    /// Folders for junk, read as well: a vote that was taken for junk is still a vote.
    #[serde(default)]
    pub junk: Vec<String>,
    /// Folder for mail that was dealt with, created when missing; default: it stays where it is, marked read.
    pub handled: Option<String>,
    /// Seconds to wait for each answer of the server.
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
    /// Seconds after which IDLE is renewed; routers forget silent connections.
    #[serde(default = "default_idle")]
    pub idle_seconds: u64,
    /// Seconds between looks at a server that has no IDLE.
    #[serde(default = "default_poll")]
    pub poll_seconds: u64,
    /// Bytes; of a larger mail only the header is read.
    #[serde(default = "default_max_bytes")]
    pub max_mail_bytes: u64,
}

fn default_port() -> u16 {
    993
}
fn default_inbox() -> String {
    "INBOX".into()
}
fn default_timeout() -> u64 {
    60
}
fn default_idle() -> u64 {
    300
}
fn default_poll() -> u64 {
    60
}
fn default_max_bytes() -> u64 {
    60_000_000
}

/// The IMAP mailbox: connects when first used, and again after a connection broke.
#[derive(Debug)]
pub struct Imap {
    config: ImapConfig,
    server: Server,
    login: Login,
    offset: Offset,
    session: Option<Session>,
    /// The connection has just answered: nobody need ask whether it lives.
    lively: bool,
    backoff: Backoff,
    /// How the inbox stood when last fetched: mail that came between then and IDLE is noticed.
    seen: Option<Standing>,
    reader: Reader,
}

impl Imap {
    pub fn new(config: ImapConfig, offset: Offset) -> Imap {
        let server = Server {
            host: config.host.clone(),
            port: config.port,
            security: config.security,
            ca_file: config.ca_file.clone(),
            timeout: Duration::from_secs(config.timeout_seconds.max(1)),
        };
        let login = Login {
            user: config.user.clone(),
            password_file: config.password_file.clone(),
            oauth2_token_file: config.oauth2_token_file.clone(),
            oauth2_token_command: config.oauth2_token_command.clone(),
        };
        let reader = Reader::new(config.max_mail_bytes);
        let backoff = Backoff::default();
        Imap { config, server, login, offset, session: None, lively: false, backoff, seen: None, reader }
    }

    /// Takes the living connection out, or makes one. Whoever takes it puts it back when it is still good.
    async fn take_session(&mut self) -> Result<Session, Fault> {
        if let Some(mut session) = self.session.take()
            && (std::mem::take(&mut self.lively) || session.ask("NOOP", |_| ()).await.is_ok())
        {
            return Ok(session);
        }
        if let Some(pause) = self.backoff.pause() {
            let why = format!("it failed before; next attempt within {} s", pause.as_secs() + 1);
            return Err(Fault::new(format!("connecting to {}", self.server), why));
        }
        let session = Session::open(&self.server, &self.login).await;
        match &session {
            Ok(_) => self.backoff.success(),
            Err(_) => self.backoff.failure(),
        }
        session
    }

    /// Puts a connection back unless it broke, and turns trouble into a fault.
    fn settle<T>(&mut self, session: Session, what: &str, result: Result<T, Trouble>) -> Result<T, Fault> {
        if matches!(result, Ok(_) | Err(Trouble::Refused(_))) {
            self.session = Some(session);
        }
        result.map_err(|trouble| Fault::new(format!("{what} at {}", self.server), trouble.text()))
    }

    async fn read_folder<F, Fut>(
        &mut self,
        session: &mut Session,
        folder: &str,
        cursor: Option<Cursor>,
        take: &mut F,
    ) -> Result<bool, Halt>
    where
        F: FnMut(Batch) -> Fut + Send,
        Fut: Future<Output = Result<(), Fault>> + Send,
    {
        let now = session.enter(folder, false).await?;
        if folder == self.config.inbox {
            self.seen = Some(now);
        }
        let start = plan::start(cursor, now);
        let uid_validity = now.uid_validity;
        let nothing_new = now.exists == 0 || now.uid_next.is_some_and(|next| next <= start.from);
        let listed = if nothing_new { Vec::new() } else { session.list(start.from).await? };
        if listed.is_empty() && (start.rescan || cursor.is_none()) {
            // Never beyond a mail that was seen: a UID that becomes visible late is still read.
            let cursor = Cursor { uid_validity, next_uid: 1 };
            take(Batch { folder: folder.into(), arrivals: Vec::new(), cursor }).await.map_err(Halt::Store)?;
        }
        for batch in plan::batches(&listed) {
            let place = |mail: &Listed| Place { folder: folder.into(), uid_validity, uid: mail.uid };
            let places: Vec<Place> = batch.iter().map(place).collect();
            let mut found = self.reader.together(session, &places, batch).await?;
            let mut arrivals = Vec::new();
            for (mail, place) in batch.iter().zip(&places) {
                let body = match found.remove(&mail.uid) {
                    Some(bytes) => Some(Body::Whole(bytes)),
                    None => self.read_alone(session, (mail, place), &mut arrivals, take).await?,
                };
                arrivals.extend(body.map(|body| self.arrival(place, mail, body)));
            }
            // What went part by part took its cursor along.
            if !arrivals.is_empty() {
                let next_uid = batch.last().map_or(start.from, |mail| mail.uid.saturating_add(1));
                give(folder, arrivals, Cursor { uid_validity, next_uid }, take).await?;
            }
            self.reader.done(&places);
        }
        Ok(start.rescan)
    }

    /// Asks for one mail by itself. One that is large goes to `take` part by part, after what came before it.
    async fn read_alone<F, Fut>(
        &mut self,
        session: &mut Session,
        (mail, place): (&Listed, &Place),
        before: &mut Vec<Arrival>,
        take: &mut F,
    ) -> Result<Option<Body>, Halt>
    where
        F: FnMut(Batch) -> Fut + Send,
        Fut: Future<Output = Result<(), Fault>> + Send,
    {
        let mut bytes = match self.reader.first(session, mail, place).await? {
            First::Whole(bytes) => return Ok(Some(Body::Whole(bytes))),
            First::Gone => return Ok(None),
            First::Header => return Ok(Some(Body::HeaderOnly(self.reader.header(session, place).await?))),
            First::Begins(bytes) => bytes,
        };
        let here = Cursor { uid_validity: place.uid_validity, next_uid: place.uid };
        if !before.is_empty() {
            give(&place.folder, std::mem::take(before), here, take).await?;
        }
        let mut from = bytes.len() as u64;
        loop {
            let short = !(bytes.len() as u64).is_multiple_of(PART_BYTES);
            let next = match self.reader.part(session, place, from, short).await {
                Ok(Some(next)) if from + next.len() as u64 <= self.reader.most() => next,
                Ok(None) if session.still_there(&place.uid.to_string()).await?.is_empty() => return Ok(None),
                Ok(_) | Err(Trouble::Refused(_)) => {
                    return Ok(Some(Body::HeaderOnly(self.reader.header(session, place).await?)));
                }
                Err(lost) => return Err(lost.into()),
            };
            from += next.len() as u64;
            let last = next.is_empty();
            let body = Body::Part { bytes: std::mem::replace(&mut bytes, next), last };
            let next_uid = if last { place.uid.saturating_add(1) } else { place.uid };
            let arrivals = vec![self.arrival(place, mail, body)];
            give(&place.folder, arrivals, Cursor { next_uid, ..here }, take).await?;
            if last {
                return Ok(None);
            }
        }
    }

    fn arrival(&self, place: &Place, mail: &Listed, body: Body) -> Arrival {
        Arrival {
            place: place.clone(),
            internal_date: self.offset.shift(mail.internal_date),
            size: mail.size.unwrap_or(body.bytes().len() as u64),
            junk: self.config.junk.contains(&place.folder),
            body,
        }
    }
}

/// Gives a batch to be made durable.
async fn give<F, Fut>(folder: &str, arrivals: Vec<Arrival>, cursor: Cursor, take: &mut F) -> Result<(), Halt>
where
    F: FnMut(Batch) -> Fut + Send,
    Fut: Future<Output = Result<(), Fault>> + Send,
{
    take(Batch { folder: folder.into(), arrivals, cursor }).await.map_err(Halt::Store)
}

/// IDLE in the inbox, renewed now and then, until mail arrives or `at_most` is over.
async fn watch(
    session: &mut Session,
    config: &ImapConfig,
    seen: Option<Standing>,
    at_most: Duration,
) -> Result<Woken, Trouble> {
    let now = session.enter(&config.inbox, false).await?;
    let newer = |seen: Standing| seen.uid_validity != now.uid_validity || seen.uid_next < now.uid_next;
    if seen.is_some_and(newer) {
        return Ok(Woken::Mail);
    }
    let mut left = at_most;
    while !left.is_zero() {
        let slice = left.min(Duration::from_secs(config.idle_seconds.max(1)));
        if session.idle(slice).await? {
            return Ok(Woken::Mail);
        }
        left -= slice;
    }
    Ok(Woken::Timeout)
}

/// What stops the reading of a folder.
enum Halt {
    Mailbox(Trouble),
    Store(Fault),
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Halt {
        Halt::Mailbox(trouble)
    }
}

impl Mailbox for Imap {
    async fn fetch<F, Fut>(
        &mut self,
        cursors: &BTreeMap<String, Cursor>,
        mut take: F,
    ) -> Result<Fetched, Fault>
    where
        F: FnMut(Batch) -> Fut + Send,
        Fut: Future<Output = Result<(), Fault>> + Send,
    {
        let mut session = self.take_session().await?;
        let mut fetched = Fetched::default();
        let folders: Vec<String> =
            std::iter::once(self.config.inbox.clone()).chain(self.config.junk.clone()).collect();
        for folder in folders {
            let cursor = cursors.get(&folder).copied();
            let what = format!("reading folder {folder} at {}", self.server);
            match self.read_folder(&mut session, &folder, cursor, &mut take).await {
                Ok(true) => fetched.rescanned.push(folder),
                Ok(false) => {}
                Err(Halt::Mailbox(Trouble::Refused(text))) => {
                    let why = format!("the server refused: {text}; create it or correct the configuration");
                    fetched.faults.push(Fault::new(what, why));
                }
                Err(Halt::Mailbox(over)) => return Err(Fault::new(what, over.text())),
                Err(Halt::Store(fault)) => {
                    self.session = Some(session);
                    return Err(fault);
                }
            }
        }
        self.session = Some(session);
        Ok(fetched)
    }

    async fn finish(&mut self, done: &[(Place, Done)]) -> Result<Finished, Fault> {
        if done.iter().all(|(_, what)| *what == Done::Keep) {
            return Ok(Finished::default());
        }
        let mut session = self.take_session().await?;
        let result = finish::finish(&mut session, self.config.handled.as_deref(), done).await;
        self.settle(session, "tidying the mailbox", result)
    }

    async fn wait(&mut self, at_most: Duration) -> Result<Woken, Fault> {
        if self.backoff.pause().is_some() {
            // Over sooner or later; either way it is time to try.
            let _ = tokio::time::timeout(at_most, self.backoff.over()).await;
            return Ok(Woken::Timeout);
        }
        let session = self.take_session().await?;
        // It stays in its place while waiting: a caller may drop the wait and go on with the connection.
        let session = self.session.insert(session);
        if !session.can.idle {
            tokio::time::sleep(at_most.min(Duration::from_secs(self.config.poll_seconds.max(1)))).await;
            return Ok(Woken::Timeout);
        }
        match watch(session, &self.config, self.seen, at_most).await {
            Ok(woken) => {
                self.lively = true;
                Ok(woken)
            }
            Err(trouble) => {
                self.session = None;
                Err(Fault::new(format!("waiting for mail at {}", self.server), trouble.text()))
            }
        }
    }
}
