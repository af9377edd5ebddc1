//! An installation of a test's own on the shared servers: its database, its clerk's mailbox, its people with
//! mail programs. The test turns the crank by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use atlarged::advance::{CaseRow, Ending, LetterBody, NewLetter};
use atlarged::cli::ConfigArg;
use atlarged::cli::assemble::{self, Installation, Source};
use atlarged::daemon::Daemon;
use atlarged::kernel::ids::{CaseId, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Person, Role, RoleHeld};
use atlarged::kernel::register::Change;
use atlarged::kernel::workflow::Opening;
use atlarged::ports::mailbox::{Mailbox, Offset};
use atlarged::ports::postman::smtp::Smtp;
use atlarged::ports::store::postgres::PostgresStore;
use atlarged::ports::store::{Books, Store};
use atlarged::replay;
use atlarged::sandbox::mail_program::{MailProgram, Received};
use atlarged::sandbox::{AUTHSERV_ID, Account, Sandbox};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::servers;

/// Real servers on a busy machine answer well within this.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// p1 and p3 read English, p2 French; p4 and p5 are staff, p6 is known but neither.
const PEOPLE: [(&str, Language, Option<Role>); 6] = [
    ("Ana", Language::En, Some(Role::AlacMember)),
    ("Benoit", Language::Fr, Some(Role::AlacMember)),
    ("Chidi", Language::En, Some(Role::AlacMember)),
    ("Sam", Language::En, Some(Role::Staff)),
    ("Tove", Language::En, Some(Role::Staff)),
    ("Olu", Language::En, None),
];

pub struct Village {
    pub sandbox: &'static Sandbox,
    /// The clerk's mailbox.
    pub clerk: Account,
    pub daemon: Daemon<PostgresStore>,
    pub offset: Offset,
    pub people: Vec<MailProgram>,
    mailboxes: Vec<(String, Source)>,
    postman: Smtp,
    delivered: AtomicUsize,
    directory: tempfile::TempDir,
}

/// What the books and the outbox said at some moment.
#[derive(Debug)]
pub struct Mark {
    books: Books,
    notices: BTreeSet<String>,
}

/// What happened since: how mails ended, and who was told what.
#[derive(Debug, PartialEq, Eq)]
pub struct Since {
    pub ended: BTreeMap<&'static str, u64>,
    /// "p1 ballot/receipt", in order.
    pub told: Vec<String>,
}

impl Village {
    pub async fn new() -> Village {
        let sandbox = servers::sandbox().await;
        let clerk = servers::mailbox("clerk").await;
        let url = sandbox.database(&servers::own_name("real")).await.expect("a database");
        let directory = tempfile::tempdir().expect("a directory");
        let config = ConfigArg { config: write_config(sandbox, &clerk, &url, directory.path(), "") };
        let (people, accounts) = people(sandbox, clerk.address.trim_start_matches("clerk"));
        install(&config, &people, wall(directory.path())).await;
        let installation = assemble::installation(&config).await.expect("an installation");
        let (mailboxes, mut postmen) = (installation.mailboxes(), installation.postmen());
        let Installation { daemon, offset, .. } = installation;
        daemon.prepare(wall(directory.path())).await.expect("prepared");
        let program = |account| MailProgram::open(sandbox, account).expect("a mail program");
        let people = accounts.into_iter().map(program).collect();
        let mut village = Village {
            sandbox,
            clerk,
            daemon,
            offset,
            people,
            mailboxes,
            postman: postmen.remove(0),
            delivered: AtomicUsize::new(0),
            directory,
        };
        village.turn().await;
        village
    }

    /// The moment on the clerk's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.offset.shift(wall(self.directory.path()))
    }

    /// One turn of the crank. Returns how much was done.
    pub async fn turn(&mut self) -> usize {
        let now = self.now();
        let turned = self.daemon.turn(&mut self.mailboxes, &mut self.postman, now).await.expect("a turn");
        turned.fetched + turned.steps + turned.sent
    }

    /// Turns until so many mails more have come in, and everything they cause is done.
    pub async fn take(&mut self, mails: u64) {
        let wanted = self.books().await.received + mails;
        self.take_up_to(wanted).await;
    }

    /// Turns until that many mails have come in, and everything they cause is done.
    pub async fn take_up_to(&mut self, received: u64) {
        within("mail for the clerk", async {
            loop {
                while self.turn().await > 0 {}
                if self.books().await.received >= received {
                    return;
                }
                let (_, mailbox) = &mut self.mailboxes[0];
                mailbox.wait(Duration::from_secs(2)).await.expect("a mailbox");
            }
        })
        .await;
    }

    pub async fn books(&self) -> Books {
        self.daemon.store.books().await.expect("the books")
    }

    pub async fn mark(&self) -> Mark {
        let notices = self.daemon.store.notices(None).await.expect("the outbox");
        let notices = notices.iter().map(|notice| notice.row.id.to_string()).collect();
        Mark { books: self.books().await, notices }
    }

    pub async fn since(&self, mark: &Mark) -> Since {
        let (old, new) = (&mark.books, self.books().await);
        let ended = [
            ("acted", new.acted - old.acted),
            ("refused", new.refused - old.refused),
            ("silent", new.silent - old.silent),
            ("quarantined", new.quarantined - old.quarantined),
            ("waiting", new.waiting - old.waiting),
        ];
        let notices = self.daemon.store.notices(None).await.expect("the outbox");
        let fresh = notices.iter().filter(|notice| !mark.notices.contains(&notice.row.id.to_string()));
        let mut told: Vec<String> =
            fresh.map(|notice| format!("{} {}", notice.row.to, notice.row.template)).collect();
        told.sort();
        Since { ended: ended.into_iter().filter(|(_, count)| *count > 0).collect(), told }
    }

    /// Puts a ballot to p1, p2 and p3, and sends it out.
    pub async fn open_ballot(&mut self) -> CaseId {
        match self.open(ballot(&["p1", "p2", "p3"])).await {
            (Ending::Acted, Some(case)) => case,
            other => panic!("the ballot was not opened: {other:?}"),
        }
    }

    /// Opens a case as `case open ballot --by p4` does.
    pub async fn open(&mut self, body: Value) -> (Ending, Option<CaseId>) {
        let (id, _) = post_ballot(&self.daemon.store, body, self.now()).await;
        while self.turn().await > 0 {}
        self.daemon.store.ending(id).await.expect("the store").expect("an ending")
    }

    /// The so manieth mail in somebody's mailbox, once it is there.
    pub async fn mail(&mut self, person: usize, number: usize) -> Received {
        let program = &mut self.people[person - 1];
        program.wait_for(number - 1, "a mail", PATIENCE, |_| true).await.expect("a mail")
    }

    /// Puts a mail into the clerk's mailbox as it is, past every SMTP server.
    pub fn deliver(&self, raw: &[u8]) {
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        drop_into(&maildir(self.sandbox, &self.clerk.login), &format!("{number:06}.test"), raw);
    }

    pub async fn case(&self, case: CaseId) -> CaseRow {
        self.daemon.store.case(case).await.expect("the store").expect("a case")
    }

    /// Who voted what: "p1" → "yes".
    pub async fn votes(&self, case: CaseId) -> BTreeMap<String, String> {
        votes(&self.case(case).await.state)
    }

    /// What must be true whatever arrived: the books balance, nothing waits, and the journal tells the truth.
    pub async fn well(&self) {
        let books = self.books().await;
        assert!(books.balance() && books.waiting == 0, "{books:?}");
        for case in self.daemon.store.cases().await.expect("the cases") {
            let again = replay::replay(&self.daemon.store, case.id).await.expect("the journal");
            assert_eq!((again.mismatch, again.state), (None, case.state), "{}", case.id);
        }
    }
}

/// Answers of a ballot's state by voter.
pub fn votes(state: &Value) -> BTreeMap<String, String> {
    let poll = state.get("open").or_else(|| state.pointer("/closed/poll")).expect("a ballot");
    let entries = poll["entries"].as_object().expect("entries");
    let choice = |entry: &Value| entry.pointer("/what/voted/choice")?.as_str().map(str::to_owned);
    entries.iter().filter_map(|(voter, entry)| Some((voter.clone(), choice(entry)?))).collect()
}

/// Posts the opening of a ballot in the name of p4.
pub async fn post_ballot(
    store: &PostgresStore,
    body: Value,
    now: DateTime<Utc>,
) -> (atlarged::kernel::ids::LetterId, bool) {
    let opening = Opening {
        kind: "ballot".to_owned(),
        parent: None,
        by: Some(PersonId(4)),
        body,
        arrived: now,
        nonce: "00".repeat(16),
    };
    let letter = NewLetter {
        key: servers::own_name("open:"),
        body: LetterBody::Opens(opening),
        arrived: now,
        mail: None,
        message_id: None,
    };
    store.post(&letter, now).await.expect("the store")
}

/// A plain question in seven languages.
pub fn ballot(voters: &[&str]) -> Value {
    let texts = |text: &str| -> Value {
        Language::ALL
            .iter()
            .map(|language| (language.to_string(), json!(format!("{text} ({language})"))))
            .collect()
    };
    json!({
        "question": texts("Shall we meet by video?"),
        "yes_means": texts("we meet by video"),
        "no_means": texts("all stays as it is"),
        "polarity": "straight",
        "secrecy": "open",
        "voters": { "listed": voters },
        "rule": { "majority": "of-quorum" },
    })
}

/// Fails the test when something takes unreasonably long.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}

/// What the mail servers' clock says: they stamp what arrives with the time of the file they write.
pub fn wall(directory: &Path) -> DateTime<Utc> {
    let file = directory.join("wall-clock");
    std::fs::write(&file, "").expect("a file");
    std::fs::metadata(&file).and_then(|written| written.modified()).expect("a time").into()
}

/// Where the server keeps somebody's mails.
pub fn maildir(sandbox: &Sandbox, login: &str) -> PathBuf {
    sandbox.dir().join("mail").join(login).join("Maildir")
}

/// A file in a Maildir, which the server's user may move and link: it does both. Returns when it was written.
pub fn drop_into(maildir: &Path, name: &str, raw: &[u8]) -> SystemTime {
    use std::os::unix::fs::PermissionsExt;
    let unfinished = maildir.join("tmp").join(name);
    std::fs::write(&unfinished, raw).expect("a mail");
    let everybody = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(&unfinished, everybody).expect("permissions");
    let written = std::fs::metadata(&unfinished).and_then(|file| file.modified()).expect("a time");
    std::fs::rename(&unfinished, maildir.join("new").join(name)).expect("a mail");
    written
}

/// The register's people and their mailboxes.
pub fn people(sandbox: &Sandbox, suffix: &str) -> (Vec<Change>, Vec<Account>) {
    let mut changes = Vec::new();
    let mut accounts = Vec::new();
    for (n, (name, language, role)) in PEOPLE.into_iter().enumerate() {
        let local = format!("{}{}", name.to_lowercase(), suffix.split('@').next().unwrap_or_default());
        let address = format!("{local}@village.example");
        let account = Account::new(name, &address, language).expect("an account");
        sandbox.add_account(account.clone()).expect("a mailbox");
        accounts.push(account);
        let number = u32::try_from(n + 1).expect("few people");
        changes.push(Change::Person(person(number, name, language, &address, role)));
    }
    (changes, accounts)
}

/// Somebody of the register, who has held a role since long ago.
pub fn person(number: u32, name: &str, language: Language, address: &str, role: Option<Role>) -> Person {
    let from = DateTime::from_timestamp(0, 0).expect("a time");
    let held = |role| RoleHeld { role, region: None, organisation: None, from, until: None };
    Person {
        id: PersonId(number),
        name: name.to_owned(),
        language,
        zone: chrono_tz::UTC,
        addresses: vec![address.to_owned()],
        roles: role.into_iter().map(held).collect(),
    }
}

/// Makes database and keys, and fills the register.
pub async fn install(config: &ConfigArg, people: &[Change], now: DateTime<Utc>) {
    atlarged::cli::daemon::migrate(config).await.unwrap_or_else(|error| panic!("{error}"));
    let (_, store) = assemble::store(config).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(store.change_register(0, people, "test", now).await.expect("a register"));
}

/// A mail as the border server would leave it in the mailbox: its sender logged in with the From address.
pub fn written(from: &str, to: &str, headers: &str, text: &str) -> String {
    format!(
        "Authentication-Results: {AUTHSERV_ID}; auth=pass smtp.auth={from}\r\n\
         From: Somebody <{from}>\r\nTo: {to}\r\nSubject: Re: your mail\r\n{headers}\r\n{text}\r\n"
    )
}

/// A configuration file on the shared servers; `more` stands in its `[daemon]` section.
pub fn write_config(sandbox: &Sandbox, clerk: &Account, url: &str, dir: &Path, more: &str) -> PathBuf {
    let zone = dir.join("zone");
    if !zone.exists() {
        std::fs::write(&zone, "; nothing\n").expect("a file");
    }
    let password = dir.join("clerk.password");
    std::fs::write(&password, &clerk.password).expect("a file");
    let (imap, smtp, address) = (sandbox.imap(), sandbox.smtp(), &clerk.address);
    let text = format!(
        "[clerk]\naddress = {address:?}\n\n[database]\nurl = {url:?}\n\n[keys]\ndirectory = {keys:?}\n\n\
         [trust]\nauthserv_id = {AUTHSERV_ID:?}\n\n[dns]\nzone_file = {zone:?}\n\n\
         [imap.main]\nhost = {imap_host:?}\nport = {imap_port}\nca_file = {ca:?}\nuser = {address:?}\n\
         password_file = {password:?}\njunk = [\"Junk\"]\nhandled = \"Handled\"\n\n\
         [smtp]\nhost = {smtp_host:?}\nport = {smtp_port}\nsecurity = \"starttls\"\nca_file = {ca:?}\n\
         user = {address:?}\npassword_file = {password:?}\n\n\
         [daemon]\nrehearsal = true\n{more}\n\n[public]\ndirectory = {public:?}\n",
        keys = dir.join("keys"),
        imap_host = imap.host,
        imap_port = imap.port,
        ca = imap.ca,
        smtp_host = smtp.host,
        smtp_port = smtp.port,
        public = dir.join("public"),
    );
    let file = dir.join("atlarged.toml");
    std::fs::write(&file, text).expect("a file");
    file
}
