//! Private, real servers on loopback for the demo and the tests: Postgres, Dovecot (IMAP) and Exim (SMTP).
//!
//! Everything lives in one directory; the servers run as an unprivileged user and end with the program. Several
//! sandboxes run side by side: ports are chosen when they start.

mod account;
mod keeper;
mod mail;
pub mod mail_program;
mod place;
mod postgres;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

pub use account::Account;
pub use mail::{AUTHSERV_ID, DOMAIN};
pub use postgres::Durability;

use crate::kernel::language::Language;
use crate::ports::Fault;
use keeper::Keeper;
use mail::Ports;
use place::{Identity, Place, io};
use postgres::Postgres;

/// The clerk's address; mail to `clerk+anything@` arrives in the same mailbox.
pub const CLERK: &str = "clerk@atlarge.example";

/// A server's address, with the certificate authority to trust for it and nothing else.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// "localhost": the name in the certificate; it stands for 127.0.0.1.
    pub host: String,
    pub port: u16,
    /// A PEM file.
    pub ca: PathBuf,
}

/// Running servers. Dropping it stops them; if the program dies instead, the kernel does.
pub struct Sandbox {
    postgres: Postgres,
    ports: Ports,
    clerk: Account,
    people: Mutex<Vec<Account>>,
    identity: Identity,
    // The servers end (keeper) before the directory is given up (place): fields drop in this order.
    keeper: Keeper,
    place: Place,
}

impl Sandbox {
    /// Starts the servers in `dir` and returns when each answers, about a second later. The clerk's mailbox is there
    /// without being named; `people` get theirs. What an earlier sandbox left in `dir` is removed.
    ///
    /// # Errors
    /// When a server is missing or does not start, when an account cannot be held, when the directory is unfit
    /// or in use.
    pub async fn start(dir: &Path, people: &[Account]) -> Result<Sandbox, Fault> {
        let identity = Identity::find()?;
        let place = Place::take(dir, &identity)?;
        Sandbox::start_in(place, identity, people, Durability::None).await
    }

    /// The same in the first free of a few directories among the temporary files, for tests: the next run cleans it.
    ///
    /// # Errors
    /// As `start`.
    pub async fn start_scratch(durability: Durability) -> Result<Sandbox, Fault> {
        let identity = Identity::find()?;
        let place = Place::take_scratch("atlarged", &identity)?;
        Sandbox::start_in(place, identity, &[], durability).await
    }

    async fn start_in(
        place: Place,
        identity: Identity,
        people: &[Account],
        durability: Durability,
    ) -> Result<Sandbox, Fault> {
        let mut clerk = Account::new("At-Large clerk", CLERK, Language::En)?;
        clerk.roles.push("clerk".to_owned());
        let keeper = Keeper::new()?;
        let everybody: Vec<Account> = std::iter::once(clerk.clone()).chain(people.iter().cloned()).collect();
        for account in &everybody {
            account.check()?;
        }
        mail::write_accounts(&place, &identity, &everybody)?;
        let postgres = Postgres::create(&place, &identity, &keeper, durability).await?;
        tracing::info!("Postgres answers");
        let ports = mail::start(&place, &identity, &keeper).await?;
        tracing::info!(imap = ports.imaps, smtp = ports.smtp, "mail servers answer");
        Ok(Sandbox { postgres, ports, clerk, people: Mutex::new(people.to_vec()), identity, keeper, place })
    }

    /// The sandbox's directory.
    pub fn dir(&self) -> &Path {
        &self.place.dir
    }

    /// IMAP with TLS from the first byte.
    pub fn imap(&self) -> Endpoint {
        self.endpoint(self.ports.imaps)
    }

    /// IMAP with STARTTLS.
    pub fn imap_starttls(&self) -> Endpoint {
        self.endpoint(self.ports.imap)
    }

    /// SMTP with STARTTLS.
    pub fn smtp(&self) -> Endpoint {
        self.endpoint(self.ports.smtp)
    }

    /// SMTP with TLS from the first byte.
    pub fn smtp_tls(&self) -> Endpoint {
        self.endpoint(self.ports.smtps)
    }

    fn endpoint(&self, port: u16) -> Endpoint {
        Endpoint { host: "localhost".to_owned(), port, ca: self.place.dir.join("cert.pem") }
    }

    /// The daemon's own mailbox.
    pub fn clerk(&self) -> &Account {
        &self.clerk
    }

    /// Everybody else who has a mailbox.
    pub fn people(&self) -> Vec<Account> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives somebody a mailbox while the servers run; mail may be sent there at once.
    ///
    /// # Errors
    /// When the account cannot be held, one of its addresses is taken, or a file cannot be written.
    pub fn add_account(&self, account: Account) -> Result<(), Fault> {
        account.check()?;
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let mut everybody = vec![self.clerk.clone()];
        everybody.extend(people.iter().cloned());
        if let Some(taken) =
            account.addresses().find(|a| everybody.iter().any(|e| e.addresses().any(|b| b == *a)))
        {
            return Err(Fault::new(format!("adding mailbox {taken}"), "somebody has it already"));
        }
        everybody.push(account.clone());
        mail::write_accounts(&self.place, &self.identity, &everybody)?;
        people.push(account);
        Ok(())
    }

    /// Creates an empty database and returns its URL.
    ///
    /// # Errors
    /// When the name is taken or has other signs than a-z, 0-9 and _.
    pub async fn database(&self, name: &str) -> Result<String, Fault> {
        self.postgres.database(name, None).await
    }

    /// Creates a database as a copy of another, which nobody may be connected to; in about 35 ms.
    ///
    /// # Errors
    /// As `database`, and when the template is in use.
    pub async fn database_from(&self, name: &str, template: &str) -> Result<String, Fault> {
        self.postgres.database(name, Some(template)).await
    }

    /// The URL of a database that is there.
    pub fn database_url(&self, name: &str) -> String {
        self.postgres.url(name)
    }

    /// An outage: Postgres ends as in a crash, connections and all.
    pub async fn postgres_stop(&self) {
        self.postgres.crash(&self.keeper).await;
    }

    /// The outage's end: Postgres is back, recovered, and answers.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn postgres_start(&self) -> Result<(), Fault> {
        self.postgres.start(&self.keeper).await
    }

    /// Writes `DIR/sandbox.json`, readable by its owner alone (it holds passwords), and returns its path. A program
    /// that knows only this file can take part as anybody. Its names are stable; more may be added.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_json(&self, database: &str, web: Option<&str>, config: &Path) -> Result<PathBuf, Fault> {
        let (imap, smtp) = (self.imap(), self.smtp());
        let told = json!({
            "imap": { "host": imap.host, "port": imap.port, "ca": imap.ca, "tls": "implicit",
                "starttls_port": self.ports.imap },
            "smtp": { "host": smtp.host, "port": smtp.port, "ca": smtp.ca, "tls": "starttls",
                "implicit_tls_port": self.ports.smtps },
            "postgres": { "url": self.postgres.url(database) },
            "web": { "url": web },
            "clerk": { "address": self.clerk.address, "login": self.clerk.login, "password": self.clerk.password },
            "authserv_id": AUTHSERV_ID,
            "people": self.people(),
            "config": config,
        });
        self.place.write(&self.identity, "sandbox.json", &format!("{told:#}\n"))
    }
}

/// Sends what a server says to a file, appending.
fn to_log(command: &mut Command, path: &Path) -> Result<(), Fault> {
    let file =
        std::fs::File::options().create(true).append(true).open(path).map_err(|e| io("writing", path, &e))?;
    let twin = file.try_clone().map_err(|e| io("writing", path, &e))?;
    command.stdout(twin).stderr(file);
    Ok(())
}
