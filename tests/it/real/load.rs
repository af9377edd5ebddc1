//! A load of answers for a clerk that runs as a process of its own, and the checks that nothing of it was lost
//! or done twice, whatever happened meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use atlarged::advance::CaseRow;
use atlarged::cli::ConfigArg;
use atlarged::cli::assemble;
use atlarged::kernel::ids::CaseId;
use atlarged::kernel::language::Language;
use atlarged::kernel::people::Role;
use atlarged::kernel::register::Change;
use atlarged::letters::{self, Trust};
use atlarged::ports::store::Store;
use atlarged::ports::store::postgres::PostgresStore;
use atlarged::replay;
use atlarged::sandbox::{Account, Sandbox};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tokio::process::{Child, Command};

use super::super::servers;
use super::village::{
    ballot, drop_into, install, maildir, person, post_ballot, votes, wall, write_config, written,
};

/// A ballot has no more voters than this: more answers are more ballots.
const VOTERS: usize = 100;
/// Connections to the relay, as many as a daemon has where its configuration says nothing.
pub const CONNECTIONS: usize = 2;
/// Numbers below are staff's.
const FIRST_VOTER: u32 = 10;

pub struct Load<'a> {
    pub sandbox: &'a Sandbox,
    pub config: PathBuf,
    pub directory: tempfile::TempDir,
    pub clerk: Account,
    /// One mailbox with an address for each voter.
    pub voters: Account,
    /// What each voter answers in each ballot.
    expected: BTreeMap<(CaseId, String), &'static str>,
    pub answers: Vec<String>,
    given: usize,
}

/// A mail in the voters' mailbox.
struct Delivered {
    message_id: String,
    /// Without what the servers on its way added.
    bytes: Vec<u8>,
    to: String,
    reply_to: String,
}

impl<'a> Load<'a> {
    /// An installation with `answers` ballots in its voters' mailbox, and an answer to each in hand.
    pub async fn new(sandbox: &'a Sandbox, answers: usize, random: &mut ChaCha8Rng) -> Load<'a> {
        let name = servers::own_name("load");
        let clerk = account(sandbox, &format!("{name}-clerk@village.example"), &[]);
        let seats = answers.div_ceil(answers.div_ceil(VOTERS));
        let addresses: Vec<String> = (0..seats).map(|n| format!("{name}-v{n}@village.example")).collect();
        let voters = account(sandbox, &format!("{name}-all@village.example"), &addresses);
        let directory = tempfile::tempdir().expect("a directory");
        let url = sandbox.database(&name).await.expect("a database");
        let config = write_config(sandbox, &clerk, &url, directory.path(), "");
        install(&ConfigArg { config: config.clone() }, &register(&addresses), wall(directory.path())).await;
        let (expected, answers_in_hand) = (BTreeMap::new(), Vec::new());
        let mut load =
            Load { sandbox, config, directory, clerk, voters, expected, answers: answers_in_hand, given: 0 };
        load.open_ballots(answers, seats, random).await;
        load
    }

    /// Puts the ballots and waits until each voter has each of hers.
    async fn open_ballots(&mut self, answers: usize, seats: usize, random: &mut ChaCha8Rng) {
        let store = self.store().await;
        let clerk = self.start();
        let mut left = answers;
        while left > 0 {
            let here = left.min(seats);
            let voters: Vec<String> = (0..here).map(seat).collect();
            let voters: Vec<&str> = voters.iter().map(String::as_str).collect();
            post_ballot(&store, ballot(&voters), wall(self.directory.path())).await;
            left -= here;
        }
        self.until("the ballots", || self.delivered().len() == answers).await;
        end(clerk).await;
        for ballot in self.delivered() {
            let choice = ["yes", "no", "abstain"][random.random_range(0..3)];
            let id = format!("Message-ID: <{}@{}>\r\n", self.answers.len(), self.voters.address);
            self.answers.push(written(&ballot.to, &ballot.reply_to, &id, &choice.to_uppercase()));
            let number = ballot.to.split("-v").nth(1).and_then(|rest| rest.split('@').next());
            let seat = number.and_then(|n| n.parse().ok()).map(seat).expect("a voter");
            let case = case_of(&ballot.message_id, &store, self.directory.path()).await;
            self.expected.insert((case, seat), choice);
        }
    }

    /// Of the clerk's database.
    pub fn url(&self) -> String {
        let text = std::fs::read_to_string(&self.config).expect("a configuration");
        let config: toml::Table = toml::from_str(&text).expect("TOML");
        config["database"]["url"].as_str().expect("a URL").to_owned()
    }

    pub async fn store(&self) -> PostgresStore {
        let (_, store) = assemble::store(&ConfigArg { config: self.config.clone() })
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        store
    }

    /// Starts the clerk as its service manager would.
    pub fn start(&self) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.log()).expect("a log");
        Command::new(env!("CARGO_BIN_EXE_atlarged"))
            .args(["run", "--config"])
            .arg(&self.config)
            .env("ATLARGED_LOG", "warn")
            // Whoever wants to know when it is ready listens there.
            .env("NOTIFY_SOCKET", self.directory.path().join("ready"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the clerk starts")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("clerk.log")
    }

    pub fn logged(&self, words: &str) -> bool {
        std::fs::read_to_string(self.log()).unwrap_or_default().contains(words)
    }

    /// Puts the answers up to this number into the clerk's mailbox. Returns when the last was written.
    pub fn give_up_to(&mut self, number: usize) -> Option<SystemTime> {
        let maildir = maildir(self.sandbox, &self.clerk.login);
        let mut written = None;
        while self.given < number.min(self.answers.len()) {
            let name = format!("{:06}.load", self.given);
            written = Some(drop_into(&maildir, &name, self.answers[self.given].as_bytes()));
            self.given += 1;
        }
        written
    }

    pub fn answers(&self) -> usize {
        self.answers.len()
    }

    fn delivered(&self) -> Vec<Delivered> {
        let new = maildir(self.sandbox, &self.voters.login).join("new");
        let files = std::fs::read_dir(new).into_iter().flatten().flatten();
        files.map(|file| delivered(&std::fs::read(file.path()).expect("a mail"))).collect()
    }

    /// How long a clerk may take over everything that is left, on a busy machine.
    pub fn patience(&self) -> Duration {
        let mails =
            u32::try_from(self.expected.len().max(self.voters.more_addresses.len())).unwrap_or(u32::MAX);
        Duration::from_secs(60) + Duration::from_millis(300) * mails
    }

    /// Looks again and again until something is so.
    pub async fn until(&self, what: &str, so: impl Fn() -> bool) {
        let mut look = tokio::time::interval(Duration::from_millis(100));
        let wait = async {
            while !so() {
                look.tick().await;
            }
        };
        if tokio::time::timeout(self.patience(), wait).await.is_err() {
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            panic!("{what}: not within {:?}\n{log}", self.patience());
        }
    }

    /// Has the clerk reach the servers by other ports from its next start on.
    pub fn reroute(&self, imap: u16, smtp: u16) {
        self.reconfigure(&format!("port = {}\n", self.sandbox.imap().port), &format!("port = {imap}\n"));
        self.reconfigure(&format!("port = {}\n", self.sandbox.smtp().port), &format!("port = {smtp}\n"));
    }

    /// Sets the clerk's clock ahead from its next start on, past the pauses after which mail is tried again.
    pub fn set_ahead(&self) {
        self.reconfigure("rehearsal = true\n", "rehearsal = true\noffset_seconds = 600\n");
    }

    pub fn reconfigure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(&self.config).expect("a configuration");
        assert!(text.contains(from), "{from}");
        std::fs::write(&self.config, text.replace(from, to)).expect("written");
    }

    /// The clerk works for some random time, at most so many milliseconds, and must not end by itself.
    pub async fn work(&self, clerk: &mut Child, random: &mut ChaCha8Rng, at_most: u64) {
        let spared = Duration::from_millis(random.random_range(100..at_most));
        if let Ok(ended) = tokio::time::timeout(spared, clerk.wait()).await {
            panic!("{ended:?}\n{}", std::fs::read_to_string(self.log()).unwrap_or_default());
        }
    }

    /// Lets a clerk finish in peace, then checks everything. Returns how many mails were delivered twice.
    pub async fn finish(&mut self, clerk: Child, most_twice: usize) -> usize {
        self.give_up_to(self.answers());
        let notices = 2 * self.answers();
        let all_there = || {
            let ids: BTreeSet<String> = self.delivered().into_iter().map(|mail| mail.message_id).collect();
            ids.len() >= notices
        };
        self.until("the receipts", all_there).await;
        let store = self.store().await;
        self.settled(&store).await;
        end(clerk).await;
        self.check_record(&store).await;
        self.check_mailbox(most_twice)
    }

    /// Waits until the record has taken note of everything.
    async fn settled(&self, store: &PostgresStore) {
        let settled = async {
            loop {
                let books = store.books().await.expect("the books");
                let notices = store.notices(None).await.expect("the outbox");
                if books.waiting == 0 && notices.iter().all(|notice| notice.status != "waiting") {
                    return;
                }
                store.wait(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(self.patience(), settled).await.expect("all is taken note of");
    }

    /// Every answer stored once and counted once, every notice sent, nothing set aside, the journal true.
    async fn check_record(&self, store: &PostgresStore) {
        let books = store.books().await.expect("the books");
        assert!(books.balance(), "{books:?}");
        let all = u64::try_from(self.answers()).expect("a number");
        assert_eq!((books.received, books.acted, books.quarantined), (all, all, 0), "{books:?}");
        let notices = store.notices(None).await.expect("the outbox");
        let mut templates: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for notice in &notices {
            *templates.entry((&notice.row.template, &notice.status)).or_default() += 1;
        }
        let each = self.answers();
        let expected =
            BTreeMap::from([(("ballot/ballot", "sent"), each), (("ballot/receipt", "sent"), each)]);
        assert_eq!(templates, expected);
        let mut found = BTreeMap::new();
        for case in store.cases().await.expect("the cases") {
            self.check_case(store, &case).await;
            if case.kind == "ballot" {
                found
                    .extend(votes(&case.state).into_iter().map(|(voter, choice)| ((case.id, voter), choice)));
            }
        }
        let expected: BTreeMap<_, String> =
            self.expected.iter().map(|(key, choice)| (key.clone(), (*choice).to_owned())).collect();
        assert_eq!(found, expected);
    }

    async fn check_case(&self, store: &PostgresStore, case: &CaseRow) {
        let again = replay::replay(store, case.id).await.expect("the journal");
        assert_eq!((again.mismatch, &again.state), (None, &case.state), "{}", case.id);
        if case.kind == "ballot" {
            let journal = store.journal(Some(case.id)).await.expect("the journal");
            let replies = journal.iter().filter(|row| row.entry.input.get("reply").is_some()).count();
            assert_eq!(replies, votes(&case.state).len(), "{}: an answer was counted twice", case.id);
        }
    }

    /// Every notice is in the mailbox; what is there twice is the same to the byte.
    fn check_mailbox(&self, most_twice: usize) -> usize {
        let mut copies: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for mail in self.delivered() {
            copies.entry(mail.message_id).or_default().push(mail.bytes);
        }
        assert_eq!(copies.len(), 2 * self.answers());
        for (id, copies) in &copies {
            assert!(copies.iter().all(|copy| *copy == copies[0]), "{id} was sent again with other bytes");
        }
        let twice: usize = copies.values().map(|copies| copies.len() - 1).sum();
        assert!(twice <= most_twice, "{twice} mails were delivered twice, at most {most_twice} may be");
        twice
    }
}

/// `kill -9`, and gone.
pub async fn end(mut clerk: Child) {
    assert!(clerk.try_wait().expect("a process").is_none(), "the clerk ended by itself");
    clerk.kill().await.expect("killed");
}

fn account(sandbox: &Sandbox, address: &str, more: &[String]) -> Account {
    let mut account = Account::new("Load", address, Language::En).expect("an account");
    account.more_addresses = more.to_vec();
    sandbox.add_account(account.clone()).expect("a mailbox");
    account
}

fn register(addresses: &[String]) -> Vec<Change> {
    let staff = person(4, "Sam", Language::En, "sam@staff.remote.example", Some(Role::Staff));
    let voter = |(n, address): (usize, &String)| {
        let number = FIRST_VOTER + u32::try_from(n).expect("a number");
        Change::Person(person(number, &format!("Voter {n}"), Language::En, address, Some(Role::AlacMember)))
    };
    std::iter::once(Change::Person(staff)).chain(addresses.iter().enumerate().map(voter)).collect()
}

/// "p10" is the first voter.
fn seat(n: usize) -> String {
    format!("p{}", n + FIRST_VOTER as usize)
}

/// The case whose ballot this is: its token stands in its Message-ID.
async fn case_of(message_id: &str, store: &PostgresStore, directory: &Path) -> CaseId {
    let keys = atlarged::ports::keys::Keys::directory(&directory.join("keys")).expect("the keys");
    let minter = keys.minter(1);
    let words = message_id.split(|c: char| !c.is_ascii_alphanumeric());
    let (_, notice) = words.into_iter().find_map(|word| minter.check(word)).expect("a token");
    assert!(store.notice(notice).await.expect("the store").is_some());
    notice.case
}

fn delivered(raw: &[u8]) -> Delivered {
    let letter = letters::read(raw, &Trust::default());
    let address = |address: Option<&letters::Address>| address.map(|a| a.address.clone()).unwrap_or_default();
    let text = String::from_utf8_lossy(raw);
    let to = text.lines().find_map(|line| line.strip_prefix("To: ")).expect("a recipient");
    let to = to.rsplit('<').next().unwrap_or_default().trim_end_matches('>').to_owned();
    Delivered {
        message_id: letter.message_id.clone().expect("an id"),
        bytes: without_trace(&text),
        to,
        reply_to: address(letter.reply_to.as_ref()),
    }
}

/// A mail from the first header field that the clerk wrote on: servers put theirs above.
fn without_trace(mail: &str) -> Vec<u8> {
    const TRACE: [&str; 5] =
        ["return-path", "delivered-to", "received", "authentication-results", "envelope-to"];
    let mut kept = String::new();
    let mut drops = true;
    let mut header = true;
    for line in mail.split_inclusive('\n') {
        if header && !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap_or_default().to_lowercase();
            drops = TRACE.contains(&name.as_str());
            header = !line.trim().is_empty();
        }
        if !drops {
            kept.push_str(line);
        }
    }
    kept.into_bytes()
}
