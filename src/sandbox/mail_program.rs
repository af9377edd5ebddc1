//! A person's mail program: it reads her mailbox by IMAP, and replies as mail programs do, above the quote.

use super::{Account, Sandbox};
use crate::letters::{self, Letter, Trust};
use crate::ports::Fault;
use crate::ports::mailbox::imap::{Imap, ImapConfig};
use crate::ports::mailbox::{Cursor, Mailbox, Offset};
use crate::ports::postman::smtp::{Smtp, SmtpConfig};
use crate::ports::postman::{Delivery, Outgoing, Postman};
use lettre::message::{Mailbox as Address, Message, header::ContentType};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

/// One mail in the mailbox.
#[derive(Debug, Clone)]
pub struct Received {
    pub raw: Vec<u8>,
    pub letter: Letter,
}

/// How somebody answers.
#[derive(Debug, Clone, Default)]
pub struct Reply<'a> {
    pub text: &'a str,
    /// In place of `Re: …`.
    pub subject: Option<&'a str>,
    /// From another address than the account's own.
    pub from: Option<&'a str>,
    /// Without logging in: nobody vouches for the From.
    pub anonymous: bool,
    /// Header lines more, each "Name: value".
    pub headers: &'a [(&'a str, &'a str)],
    /// Nothing of the mail answered is quoted.
    pub bare: bool,
}

/// A mail program, logged in as one person.
pub struct MailProgram {
    pub account: Account,
    imap: Imap,
    smtp: Smtp,
    stranger: Smtp,
    cursors: BTreeMap<String, Cursor>,
    inbox: Vec<Received>,
}

impl MailProgram {
    /// # Errors
    /// The password cannot be left where the program reads it.
    pub fn open(sandbox: &Sandbox, account: Account) -> Result<MailProgram, Fault> {
        let password = password_file(sandbox, &account)?;
        let (imap, smtp) = (sandbox.imap(), sandbox.smtp());
        let text = |error: toml::de::Error| Fault::new("configuring a mail program", error);
        let imap: ImapConfig = toml::from_str(&format!(
            "host = {:?}\nport = {}\nca_file = {:?}\nuser = {:?}\npassword_file = {password:?}\n",
            imap.host, imap.port, imap.ca, account.login
        ))
        .map_err(text)?;
        let server = format!(
            "host = {:?}\nport = {}\nca_file = {:?}\nsecurity = \"starttls\"\n",
            smtp.host, smtp.port, smtp.ca
        );
        let stranger: SmtpConfig = toml::from_str(&server).map_err(text)?;
        let login = format!("{server}user = {:?}\npassword_file = {password:?}\n", account.login);
        let smtp: SmtpConfig = toml::from_str(&login).map_err(text)?;
        Ok(MailProgram {
            account,
            imap: Imap::new(imap, Offset::default()),
            smtp: Smtp::new(smtp),
            stranger: Smtp::new(stranger),
            cursors: BTreeMap::new(),
            inbox: Vec::new(),
        })
    }

    /// Reads what is new. Returns everything in the inbox, oldest first.
    ///
    /// # Errors
    /// The mailbox cannot be read.
    pub async fn look(&mut self) -> Result<&[Received], Fault> {
        let fresh = Mutex::new((Vec::new(), BTreeMap::new()));
        self.imap
            .fetch(&self.cursors, |batch| {
                if let Ok(mut fresh) = fresh.lock() {
                    fresh.1.insert(batch.folder, batch.cursor);
                    fresh.0.extend(batch.arrivals.into_iter().map(|arrival| arrival.body.bytes().to_vec()));
                }
                async { Ok(()) }
            })
            .await?;
        let (raws, cursors) = fresh.into_inner().unwrap_or_default();
        self.cursors.extend(cursors);
        let read = |raw: Vec<u8>| Received { letter: letters::read(&raw, &Trust::default()), raw };
        self.inbox.extend(raws.into_iter().map(read));
        Ok(&self.inbox)
    }

    /// Waits for a mail that `wanted` takes, among those from number `from` on; at most so long.
    ///
    /// # Errors
    /// The mailbox cannot be read, or no such mail came.
    pub async fn wait_for(
        &mut self,
        from: usize,
        what: &str,
        at_most: Duration,
        wanted: impl Fn(&Received) -> bool,
    ) -> Result<Received, Fault> {
        let found = async {
            loop {
                let inbox = self.look().await?;
                if let Some(found) = inbox.iter().skip(from).find(|mail| wanted(mail)) {
                    return Ok(found.clone());
                }
                self.imap.wait(Duration::from_secs(5)).await?;
            }
        };
        match tokio::time::timeout(at_most, found).await {
            Ok(found) => found,
            Err(_) => Err(Fault::new(format!("waiting for {what}"), format!("none came within {at_most:?}"))),
        }
    }

    pub fn count(&self) -> usize {
        self.inbox.len()
    }

    /// Answers a mail.
    ///
    /// # Errors
    /// The server does not take it.
    pub async fn reply(&mut self, to: &Received, reply: &Reply<'_>) -> Result<(), Fault> {
        let bytes = self.write(to, reply)?;
        let target = to.letter.reply_to.as_ref().or(to.letter.from.as_ref());
        let target = target.map(|address| address.address.clone()).unwrap_or_default();
        self.send(&bytes, &target, reply).await
    }

    /// Sends a mail as it is.
    ///
    /// # Errors
    /// The server does not take it.
    pub async fn send(&mut self, bytes: &[u8], to: &str, reply: &Reply<'_>) -> Result<(), Fault> {
        let from = reply.from.unwrap_or(&self.account.address).to_owned();
        let mail = Outgoing { envelope_from: &from, to, bytes };
        let smtp = if reply.anonymous { &mut self.stranger } else { &mut self.smtp };
        match smtp.send(mail).await? {
            Delivery::Accepted { .. } => Ok(()),
            Delivery::Later { why, .. } | Delivery::Never { why, .. } => {
                Err(Fault::new("sending as a member of the village", why))
            }
        }
    }

    fn write(&self, to: &Received, reply: &Reply<'_>) -> Result<Vec<u8>, Fault> {
        let fault = |error: String| Fault::new("writing a reply", error);
        let address = reply.from.unwrap_or(&self.account.address);
        let from = Address::new(
            Some(self.account.name.clone()),
            address.parse().map_err(|error: lettre::address::AddressError| fault(error.to_string()))?,
        );
        let target = to.letter.reply_to.as_ref().or(to.letter.from.as_ref());
        let target = target.map(|a| a.address.clone()).unwrap_or_default();
        let subject = reply.subject.map_or_else(|| format!("Re: {}", to.letter.subject), str::to_owned);
        let id = to.letter.message_id.as_ref().map(|id| format!("<{id}>")).unwrap_or_default();
        let earlier = to.letter.references.iter().map(|id| format!("<{id}> ")).collect::<String>();
        let quoted = || {
            let whole = plain_text(to);
            let lines: String = whole.lines().map(|line| format!("> {line}\n")).collect();
            let from = to.letter.from.as_ref().map(|a| a.address.clone()).unwrap_or_default();
            format!("\n\nOn Mon, 23 Nov 2026 at 10:15, {from} wrote:\n\n{lines}")
        };
        let body = if reply.bare { reply.text.to_owned() } else { format!("{}{}", reply.text, quoted()) };
        let message = Message::builder()
            .from(from)
            .to(target.parse().map_err(|error: lettre::address::AddressError| fault(error.to_string()))?)
            .subject(subject)
            .in_reply_to(id.clone())
            .references(format!("{earlier}{id}"))
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(|error| fault(error.to_string()))?;
        let mut bytes = Vec::new();
        for (name, value) in reply.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(&message.formatted());
        Ok(bytes)
    }
}

/// Everything a reader sees of a mail's text.
fn plain_text(mail: &Received) -> String {
    let letter = &mail.letter;
    [&letter.text, &letter.signature, &letter.quoted].into_iter().filter(|part| !part.is_empty()).fold(
        String::new(),
        |mut all, part| {
            all.push_str(part);
            all.push('\n');
            all
        },
    )
}

/// Where the program finds the account's password.
fn password_file(sandbox: &Sandbox, account: &Account) -> Result<PathBuf, Fault> {
    let directory = sandbox.dir().join("passwords");
    let file = directory.join(&account.login);
    std::fs::create_dir_all(&directory)
        .and_then(|()| std::fs::write(&file, &account.password))
        .map_err(|error| Fault::new("leaving a password for a mail program", error))?;
    Ok(file)
}
