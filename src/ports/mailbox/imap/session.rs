//! One IMAP connection: a command, its answers, its end. Every command has a time limit, and its tagged
//! answer is checked: a stream that merely ends early must never look like a mailbox without mail.

use super::plan::{Listed, Standing, internal_date, quoted};
use crate::ports::{
    Fault,
    net::{Login, Proof, Security, Server, Timer, Wire, io_words, plain},
};
use async_imap::{
    Authenticator, Client, Session as Inner,
    imap_proto::{
        AttributeValue, Capability, MailboxDatum, NameAttribute, RequestId, Response, ResponseCode, Status,
    },
};
use chrono::{DateTime, Utc};
use std::{collections::HashSet, io, time::Duration};
use tokio::time::timeout;

/// Why a command did not do its work.
#[derive(Debug)]
pub enum Trouble {
    /// The server understood and refused (NO or BAD); the connection is good.
    Refused(String),
    /// The server ended the connection with a word of its own (BYE).
    Goodbye(String),
    /// The connection is of no more use.
    Lost(String),
}

impl Trouble {
    pub fn text(self) -> String {
        match self {
            Trouble::Refused(text) => format!("the server refused: {text}"),
            Trouble::Goodbye(text) => format!("the server hung up: {text}"),
            Trouble::Lost(text) => text,
        }
    }
}

/// What this server can do, asked after login.
#[derive(Clone, Copy, Debug, Default)]
pub struct Abilities {
    pub idle: bool,
    pub moves: bool,
    pub uidplus: bool,
}

/// A logged-in connection. A caller may drop the future of a command at any time: a connection in the middle
/// of one then knows it is of no more use, and one that idles ends that before the next command.
#[derive(Debug)]
pub struct Session {
    inner: Inner<Wire>,
    limit: Duration,
    pub can: Abilities,
    busy: bool,
    idling: Option<RequestId>,
}

/// SASL PLAIN or XOAUTH2: one message; to an error challenge the answer is empty.
struct OneMessage(Option<String>);

impl Authenticator for OneMessage {
    type Response = String;
    fn process(&mut self, _challenge: &[u8]) -> String {
        self.0.take().unwrap_or_default()
    }
}

fn lost(error: async_imap::error::Error) -> Trouble {
    use async_imap::error::Error;
    Trouble::Lost(match error {
        Error::Io(e) => io_words(&e),
        Error::ConnectionLost => "the server closed the connection".into(),
        Error::Validate(_) => "a text that cannot be sent by IMAP".into(),
        // These may quote what was received.
        _ => "the answer could not be understood".into(),
    })
}

/// The same where the library checks the tagged answer itself.
fn refused(error: async_imap::error::Error) -> Trouble {
    use async_imap::error::Error;
    match error {
        Error::No(text) | Error::Bad(text) => Trouble::Refused(plain(&text)),
        other => lost(other),
    }
}

impl Session {
    /// Connects, protects the connection, logs in and asks what the server can do.
    ///
    /// # Errors
    /// Nobody answers, the certificate is not trusted, or the login is refused.
    pub async fn open(server: &Server, login: &Login) -> Result<Session, Fault> {
        let proof = login.proof().await?;
        let what = format!("logging in at {server}");
        let mut client = Client::new(server.connect().await?);
        greet(&mut client, server).await?;
        if server.security == Security::Starttls {
            let starttls = timeout(server.timeout, client.run_command_and_check_ok("STARTTLS", None)).await;
            if !matches!(starttls, Ok(Ok(()))) {
                return Err(Fault::new(what, "it offers no STARTTLS; use security = \"tls\""));
            }
            // What came in plain text before the handshake is dropped with the old client.
            client = Client::new(server.protect(client.into_inner()).await?);
        }
        let inner = timeout(server.timeout, prove(client, &login.user, &proof)).await;
        let inner = match inner {
            Err(_) => Err(Fault::new(what, "no answer in time")),
            Ok(Err(Trouble::Refused(text))) => {
                Err(Fault::new(what, format!("login refused ({text}); check user and password or token")))
            }
            Ok(Err(trouble)) => Err(Fault::new(what, trouble.text())),
            Ok(Ok(inner)) => Ok(inner),
        }?;
        let (limit, can) = (server.timeout, Abilities::default());
        let mut session = Session { inner, limit, can, busy: false, idling: None };
        session.can = session
            .abilities()
            .await
            .map_err(|t| Fault::new(format!("asking what {server} can do"), t.text()))?;
        Ok(session)
    }

    /// Sends one command, shows every answer to `each`, and returns when the server said how it ended.
    ///
    /// # Errors
    /// The server refused, or the connection is lost; also when an earlier command was left half-way.
    pub async fn ask(
        &mut self,
        command: &str,
        each: impl FnMut(&Response<'_>) + Send,
    ) -> Result<(), Trouble> {
        self.end_idle().await?;
        let tag = self.begin(command).await?;
        self.until_done(tag, each).await
    }

    async fn begin(&mut self, command: &str) -> Result<RequestId, Trouble> {
        if std::mem::replace(&mut self.busy, true) {
            return Err(Trouble::Lost("an earlier command was left half-way".into()));
        }
        let sent = timeout(self.limit, self.inner.run_command(command)).await;
        sent.map_err(|_| self.late())?.map_err(lost)
    }

    async fn until_done(
        &mut self,
        tag: RequestId,
        mut each: impl FnMut(&Response<'_>) + Send,
    ) -> Result<(), Trouble> {
        loop {
            let end = self
                .next(|response| match response {
                    Response::Done { tag: of, status, outcome } if *of == tag => match status {
                        Status::Ok => Some(Ok(())),
                        _ => {
                            let text = outcome.information.as_deref().unwrap_or("no reason given");
                            Some(Err(Trouble::Refused(plain(text))))
                        }
                    },
                    other => match exists(other) {
                        Err(goodbye) => Some(Err(goodbye)),
                        Ok(_) => {
                            each(other);
                            None
                        }
                    },
                })
                .await?;
            if let Some(end) = end {
                self.busy = !matches!(end, Ok(()) | Err(Trouble::Refused(_)));
                return end;
            }
        }
    }

    /// The next answer, as `read` sees it, within the time limit of commands.
    async fn next<T>(&mut self, read: impl FnOnce(&Response<'_>) -> T + Send) -> Result<T, Trouble> {
        match timeout(self.limit, self.inner.read_response()).await {
            Err(_) => Err(self.late()),
            Ok(Ok(Some(response))) => Ok(read(response.parsed())),
            Ok(Ok(None)) => Err(Trouble::Lost("the server closed the connection".into())),
            Ok(Err(e)) => Err(Trouble::Lost(io_words(&e))),
        }
    }

    fn late(&self) -> Trouble {
        Trouble::Lost(format!("no answer within {} s", self.limit.as_secs()))
    }

    async fn abilities(&mut self) -> Result<Abilities, Trouble> {
        let mut atoms = HashSet::new();
        self.ask("CAPABILITY", |response| {
            if let Response::Capabilities(list) = response {
                atoms.extend(list.iter().filter_map(|c| match c {
                    Capability::Atom(atom) => Some(atom.to_ascii_uppercase()),
                    _ => None,
                }));
            }
        })
        .await?;
        let can = |name: &str| atoms.contains(name);
        Ok(Abilities { idle: can("IDLE"), moves: can("MOVE"), uidplus: can("UIDPLUS") })
    }

    /// EXAMINE (read only) or SELECT (to change things).
    pub async fn enter(&mut self, folder: &str, to_change: bool) -> Result<Standing, Trouble> {
        let name = name(folder)?;
        let mut standing = Standing::default();
        let verb = if to_change { "SELECT" } else { "EXAMINE" };
        self.ask(&format!("{verb} {name}"), |response| match response {
            Response::MailboxData(MailboxDatum::Exists(n)) => standing.exists = *n,
            Response::Data { outcome, .. } => match outcome.code {
                Some(ResponseCode::UidValidity(n)) => standing.uid_validity = n,
                Some(ResponseCode::UidNext(n)) => standing.uid_next = Some(n),
                _ => {}
            },
            _ => {}
        })
        .await?;
        match standing.uid_validity {
            0 => Err(Trouble::Refused(
                "the folder has no UIDVALIDITY, mails in it cannot be told apart".into(),
            )),
            _ => Ok(standing),
        }
    }

    /// Size and date of every mail from `from` on, in UID order.
    pub async fn list(&mut self, from: u32) -> Result<Vec<Listed>, Trouble> {
        let mut listed = Vec::new();
        self.ask(&format!("UID FETCH {from}:* (UID RFC822.SIZE INTERNALDATE)"), |response| {
            let Response::Fetch(_, attributes) = response else { return };
            let (mut uid, mut size, mut date) = (None, None, None);
            for attribute in attributes {
                match attribute {
                    AttributeValue::Uid(n) => uid = Some(*n),
                    AttributeValue::Rfc822Size(n) => size = Some(u64::from(*n)),
                    AttributeValue::InternalDate(text) => date = Some(text.to_string()),
                    _ => {}
                }
            }
            // `n:*` always names the last mail, even below n; and an answer about flags alone is no listing.
            let Some(uid) = uid.filter(|uid| *uid >= from) else { return };
            if size.is_some() || date.is_some() {
                let date = date.as_deref().and_then(internal_date);
                let internal_date = date.unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
                listed.push(Listed { uid, size, internal_date });
            }
        })
        .await?;
        listed.sort_unstable_by_key(|mail| mail.uid);
        listed.dedup_by_key(|mail| mail.uid);
        Ok(listed)
    }

    /// One section of each mail of a set; `section` as in `BODY.PEEK[]`, which never sets `\Seen`.
    pub async fn sections(&mut self, set: &str, section: &str) -> Result<Vec<(u32, Vec<u8>)>, Trouble> {
        let mut found = Vec::new();
        self.ask(&format!("UID FETCH {set} (UID {section})"), |response| {
            let Response::Fetch(_, attributes) = response else { return };
            let (mut uid, mut bytes) = (None, None);
            for attribute in attributes {
                match attribute {
                    AttributeValue::Uid(n) => uid = Some(*n),
                    AttributeValue::BodySection { data: Some(data), .. } => bytes = Some(data.to_vec()),
                    _ => {}
                }
            }
            if let (Some(uid), Some(bytes)) = (uid, bytes) {
                found.push((uid, bytes));
            }
        })
        .await?;
        Ok(found)
    }

    /// Which of these UIDs are still in the folder.
    pub async fn still_there(&mut self, set: &str) -> Result<Vec<u32>, Trouble> {
        self.search(&format!("UID SEARCH UID {set}")).await
    }

    /// UIDs that answer a UID SEARCH command.
    pub async fn search(&mut self, command: &str) -> Result<Vec<u32>, Trouble> {
        let mut found = Vec::new();
        self.ask(command, |response| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend(uids);
            }
        })
        .await?;
        Ok(found)
    }

    /// The folders that can be entered.
    pub async fn folders(&mut self) -> Result<Vec<String>, Trouble> {
        let mut names = Vec::new();
        self.ask("LIST \"\" \"*\"", |response| {
            if let Response::MailboxData(MailboxDatum::List(list)) = response
                && !list.name_attributes.contains(&NameAttribute::NoSelect)
            {
                names.push(list.name.to_string());
            }
        })
        .await?;
        Ok(names)
    }

    /// Puts a mail into a folder.
    pub async fn append(&mut self, folder: &str, mail: &[u8]) -> Result<(), Trouble> {
        self.end_idle().await?;
        if std::mem::replace(&mut self.busy, true) {
            return Err(Trouble::Lost("an earlier command was left half-way".into()));
        }
        let put = timeout(self.limit, self.inner.append(folder, None, None, mail)).await;
        put.map_err(|_| self.late())?.map_err(refused)?;
        self.busy = false;
        Ok(())
    }

    /// IDLE (RFC 2177) in the entered folder until mail arrives (`true`) or `at_most` is over (`false`).
    pub async fn idle(&mut self, at_most: Duration) -> Result<bool, Trouble> {
        self.end_idle().await?;
        let tag = self.begin("IDLE").await?;
        let mut arrived = false;
        loop {
            let step = self
                .next(|response| match response {
                    Response::Continue(_) => Ok(true),
                    Response::Done { tag: of, .. } if *of == tag => {
                        Err(Trouble::Lost("it offers IDLE but refuses it".into()))
                    }
                    other => exists(other).map(|yes| {
                        arrived |= yes;
                        false
                    }),
                })
                .await?;
            if step? {
                break;
            }
        }
        (self.idling, self.busy) = (Some(tag), false);
        // A server's "Still here" must not push the end further away, hence one end for the whole wait.
        let mut end = Timer::start(at_most);
        while !arrived {
            let read = tokio::select! {
                () = end.over() => break,
                read = self.inner.read_response() => read,
            };
            match read {
                Ok(Some(response)) => arrived = exists(response.parsed())?,
                Ok(None) => return Err(Trouble::Lost("the server closed the connection".into())),
                Err(e) => return Err(Trouble::Lost(io_words(&e))),
            }
        }
        Ok(self.end_idle().await? || arrived)
    }

    /// DONE, if the connection idles; whether mail arrived meanwhile.
    async fn end_idle(&mut self) -> Result<bool, Trouble> {
        let Some(tag) = self.idling.take() else { return Ok(false) };
        self.busy = true;
        let sent = timeout(self.limit, self.inner.run_command_untagged("DONE")).await;
        sent.map_err(|_| self.late())?.map_err(lost)?;
        let mut arrived = false;
        self.until_done(tag, |response| arrived |= exists(response).unwrap_or(false)).await?;
        Ok(arrived)
    }
}

/// A folder name as a quoted string.
pub fn name(folder: &str) -> Result<String, Trouble> {
    quoted(folder).ok_or_else(|| Trouble::Refused("the folder name holds a line end".into()))
}

/// Whether an untagged answer says that mail arrived; a goodbye is trouble.
fn exists(response: &Response<'_>) -> Result<bool, Trouble> {
    match response {
        Response::Data { status: Status::Bye, outcome } => {
            Err(Trouble::Goodbye(plain(outcome.information.as_deref().unwrap_or("no reason given"))))
        }
        other => Ok(matches!(other, Response::MailboxData(MailboxDatum::Exists(_)))),
    }
}

async fn greet(client: &mut Client<Wire>, server: &Server) -> Result<(), Fault> {
    let what = format!("greeting {server}");
    let greeting = timeout(server.timeout, client.read_response()).await;
    let why = match greeting {
        Err(_) => "no answer in time".to_string(),
        Ok(Err(e)) if e.kind() == io::ErrorKind::Other => {
            "it does not speak IMAP; check port and security".into()
        }
        Ok(Err(e)) => io_words(&e),
        Ok(Ok(None)) => "the server closed the connection".into(),
        Ok(Ok(Some(response))) => match response.parsed() {
            Response::Data { status: Status::Ok | Status::PreAuth, .. } => return Ok(()),
            _ => "it is not ready to serve us".into(),
        },
    };
    Err(Fault::new(what, why))
}

async fn prove(client: Client<Wire>, user: &str, proof: &Proof) -> Result<Inner<Wire>, Trouble> {
    let (mechanism, message) = match proof {
        // LOGIN is understood everywhere, but carries ASCII only.
        Proof::Password(secret) if user.is_ascii() && secret.reveal().is_ascii() => {
            return client.login(user, secret.reveal()).await.map_err(|(e, _)| refused(e));
        }
        Proof::Password(secret) => ("PLAIN", format!("\0{user}\0{}", secret.reveal())),
        Proof::Bearer(secret) => {
            ("XOAUTH2", format!("user={user}\x01auth=Bearer {}\x01\x01", secret.reveal()))
        }
    };
    client.authenticate(mechanism, OneMessage(Some(message))).await.map_err(|(e, _)| refused(e))
}
