//! The village: real servers, a register, and the daemon among them, in one process.

use crate::cli::assemble::{self, Installation};
use crate::cli::{ConfigArg, Trouble, daemon, import};
use crate::daemon::{Clock, Shutdown};
use crate::kernel::language::Language;
use crate::kernel::people::Person;
use crate::kernel::register::Register;
use crate::ports::mailbox::Offset;
use crate::ports::store::Store;
use crate::ports::store::postgres::PostgresStore;
use crate::render::Renderer;
use crate::sandbox::mail_program::MailProgram;
use crate::sandbox::{AUTHSERV_ID, Account, CLERK, Sandbox};
use chrono::{DateTime, Utc};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The sample community.
const REGISTER: &str = include_str!("../../../config/village/register.toml");
/// Who has a mailbox and stands in no register: they want to join.
pub const NEWCOMERS: [(&str, &str, Language); 2] = [
    ("Esperança Domingos", "esperanca@kianda.example", Language::Pt),
    ("Joaquim Sebastião", "joaquim@kianda.example", Language::Pt),
];

pub struct Village {
    pub sandbox: Sandbox,
    pub config: ConfigArg,
    pub register: Register,
    pub offset: Offset,
    pub clock: Clock,
    pub shutdown: Shutdown,
    pub store: PostgresStore,
    /// Knows which notice a mail is.
    pub renderer: Arc<Renderer>,
    running: tokio::task::JoinHandle<Result<(), Trouble>>,
}

impl Village {
    /// Starts servers and daemon; `say` tells each step as it begins.
    pub async fn start(dir: &Path, clock: &Clock, say: impl Fn(&str)) -> Result<Village, Trouble> {
        let changes = import::changes(REGISTER, false, &Register::default())
            .map_err(|wrong| Trouble::new(format!("config/village/register.toml: {wrong:?}")))?;
        let register = Register::fold(&changes);
        say("starting Postgres, an IMAP server and an SMTP server, private to this demo …");
        let mut accounts: Vec<Account> = register.people().map(account).collect::<Result<_, _>>()?;
        for (name, address, language) in NEWCOMERS {
            accounts.push(Account::new(name, address, language)?);
        }
        let sandbox = Sandbox::start(dir, &accounts).await?;
        let url = sandbox.database("atlarged").await?;
        let config = write_config(&sandbox, &url)?;
        say("making the database, the keys and the register …");
        daemon::migrate(&config).await?;
        let (_, store) = assemble::store(&config).await?;
        store.change_register(0, &changes, "demo", clock()).await?;
        let installation = assemble::installation(&config).await?;
        let offset = installation.offset.clone();
        let renderer = installation.daemon.renderer.clone();
        let web = installation.config.web.as_ref().map(|web| format!("http://{}/", web.listen));
        sandbox.write_json("atlarged", web.as_deref(), &config.config)?;
        let shutdown = Shutdown::default();
        let running = tokio::spawn(serve(installation, clock.clone(), shutdown.clone()));
        say("the clerk is at work");
        let clock = clock.clone();
        Ok(Village { sandbox, config, register, offset, clock, shutdown, store, renderer, running })
    }

    /// What time it is in the village.
    pub fn now(&self) -> DateTime<Utc> {
        self.offset.shift((self.clock)())
    }

    /// Moves the village's clock forward to a moment.
    pub fn jump_to(&self, moment: DateTime<Utc>) {
        self.offset.set(moment - (self.clock)());
    }

    pub fn account(&self, person: &Person) -> Option<Account> {
        self.sandbox.people().into_iter().find(|account| person.owns(&account.address))
    }

    /// The mail program of whoever has this address.
    pub fn program(&self, address: &str) -> Result<MailProgram, Trouble> {
        let account = self.sandbox.people().into_iter().find(|account| account.address == address);
        let account = account.ok_or_else(|| Trouble::new(format!("nobody has the mailbox {address}")))?;
        Ok(MailProgram::open(&self.sandbox, account)?)
    }

    /// Stops the daemon; the servers stop when the village is dropped.
    pub async fn stop(self) -> Result<(), Trouble> {
        self.shutdown.stop();
        self.running.await.map_err(|error| Trouble::new(format!("the daemon died: {error}")))?
    }
}

async fn serve(installation: Installation, clock: Clock, shutdown: Shutdown) -> Result<(), Trouble> {
    installation.daemon.prepare(installation.offset.shift(clock())).await?;
    daemon::serve(installation, &clock, &shutdown).await
}

fn account(person: &Person) -> Result<Account, Trouble> {
    let preferred = person.addresses.first().map_or("", String::as_str);
    let mut account = Account::new(&person.name, preferred, person.language)?;
    account.more_addresses = person.addresses.iter().skip(1).map(|address| address.to_lowercase()).collect();
    account.roles = person
        .roles
        .iter()
        .filter_map(|held| Some(serde_json::to_value(held.role).ok()?.as_str()?.to_owned()))
        .collect();
    Ok(account)
}

fn write_config(sandbox: &Sandbox, url: &str) -> Result<ConfigArg, Trouble> {
    let dir = sandbox.dir();
    let wrong = |error: std::io::Error| Trouble::new(format!("writing the demo's configuration: {error}"));
    let (password, zone) = (dir.join("clerk.password"), dir.join("zone"));
    std::fs::write(&password, &sandbox.clerk().password).map_err(wrong)?;
    let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).map_err(wrong)?.port();
    let (imap, smtp) = (sandbox.imap(), sandbox.smtp());
    let text = format!(
        "[clerk]\naddress = {CLERK:?}\n\n[database]\nurl = {url:?}\n\n[keys]\ndirectory = {keys:?}\n\n\
         [trust]\nauthserv_id = {AUTHSERV_ID:?}\n\n[dns]\nzone_file = {zone:?}\n\n\
         [imap.main]\nhost = {imap_host:?}\nport = {imap_port}\nca_file = {ca:?}\nuser = {CLERK:?}\n\
         password_file = {password:?}\njunk = [\"Junk\"]\nhandled = \"Handled\"\n\n\
         [smtp]\nhost = {smtp_host:?}\nport = {smtp_port}\nsecurity = \"starttls\"\nca_file = {ca:?}\n\
         user = {CLERK:?}\npassword_file = {password:?}\n\n\
         [daemon]\npoll_seconds = 1\nrehearsal = true\n\n[public]\ndirectory = {public:?}\n\n\
         [web]\nlisten = \"127.0.0.1:{port}\"\n",
        keys = dir.join("keys"),
        imap_host = imap.host,
        imap_port = imap.port,
        ca = imap.ca,
        smtp_host = smtp.host,
        smtp_port = smtp.port,
        public = dir.join("public"),
    );
    std::fs::write(&zone, "; what DNS says in this village: nothing\n").map_err(wrong)?;
    let config: PathBuf = dir.join("atlarged.toml");
    std::fs::write(&config, text).map_err(wrong)?;
    Ok(ConfigArg { config })
}
