//! What the tests of the mail ports stand on: an account of their own on the real servers, a store in memory,
//! a hand that changes the mailbox behind the daemon's back, and a network that can be cut.

use super::servers;
use atlarged::ports::{
    Fault,
    mailbox::{
        Arrival, Batch, Body, Cursor, Fetched, Mailbox, Offset,
        imap::{Imap, ImapConfig},
    },
    net::{Security, Server, Wire},
    postman::smtp::{Smtp, SmtpConfig},
};
use atlarged::{
    kernel::language::Language,
    sandbox::{Account, Endpoint, Sandbox},
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy},
    net::{TcpListener, TcpStream},
    sync::{OnceCell, watch},
};

static COUNT: AtomicUsize = AtomicUsize::new(0);
static ACCOUNTS: OnceCell<Vec<Account>> = OnceCell::const_new();

/// One account, nobody else's.
pub struct Rig {
    pub address: String,
    pub secrets: tempfile::TempDir,
    pub sandbox: &'static Sandbox,
    account: &'static Account,
}

pub async fn rig() -> Rig {
    let (sandbox, accounts) = (servers::sandbox().await, ACCOUNTS.get_or_init(accounts).await);
    let account = &accounts[COUNT.fetch_add(1, Ordering::Relaxed)];
    let secrets = tempfile::tempdir().expect("a directory");
    std::fs::write(secrets.path().join("password"), format!("{}\n", account.password))
        .expect("a password file");
    Rig { address: account.address.clone(), secrets, sandbox, account }
}

/// Accounts for all tests of the ports, made together: Dovecot looks for new ones only once a second.
async fn accounts() -> Vec<Account> {
    let sandbox = servers::sandbox().await;
    let account = |_| {
        let address = format!("{}@village.example", servers::own_name("rig"));
        Account::new("Rig", &address, Language::En).expect("an account")
    };
    let accounts: Vec<Account> = (0..60).map(account).collect();
    for account in &accounts {
        sandbox.add_account(account.clone()).expect("a mailbox");
    }
    while log_in(sandbox, &accounts[0]).await.is_none() {}
    accounts
}

async fn log_in(sandbox: &Sandbox, account: &Account) -> Option<async_imap::Session<Wire>> {
    let server = Server {
        host: sandbox.imap().host,
        port: sandbox.imap().port,
        security: Security::Tls,
        ca_file: Some(sandbox.imap().ca),
        timeout: Duration::from_secs(20),
    };
    let mut client = async_imap::Client::new(server.connect().await.expect("a connection"));
    client.read_response().await.expect("a greeting");
    client.login(&account.login, &account.password).await.ok()
}

impl Rig {
    pub fn password_file(&self) -> PathBuf {
        self.secrets.path().join("password")
    }

    /// The configuration as a file would give it, with `more` lines.
    pub fn imap_config(&self, more: &str) -> ImapConfig {
        let text = format!(
            "host = {:?}\nport = {}\nca_file = {:?}\nuser = {:?}\npassword_file = {:?}\n{more}",
            self.sandbox.imap().host,
            self.sandbox.imap().port,
            self.sandbox.imap().ca,
            self.address,
            self.password_file(),
        );
        toml::from_str(&text).expect("a configuration")
    }

    pub fn imap(&self, more: &str) -> Imap {
        Imap::new(self.imap_config(more), Offset::default())
    }

    pub fn smtp_config(&self, endpoint: &Endpoint, security: &str, more: &str) -> SmtpConfig {
        let text = format!(
            "host = {:?}\nport = {}\nsecurity = {security:?}\nca_file = {:?}\n{more}",
            endpoint.host, endpoint.port, endpoint.ca,
        );
        toml::from_str(&text).expect("a configuration")
    }

    pub fn smtp(&self) -> Smtp {
        Smtp::new(self.smtp_config(&self.sandbox.smtp(), "starttls", ""))
    }

    /// Makes the mail of this subject in the inbox unreadable for the server.
    pub fn spoil(&self, subject: &str) {
        use std::os::unix::fs::PermissionsExt;
        let maildir = self.sandbox.dir().join("mail").join(&self.account.login).join("Maildir");
        for sub in ["new", "cur"] {
            for entry in std::fs::read_dir(maildir.join(sub)).expect("a folder") {
                let path = entry.expect("a file").path();
                if std::fs::read_to_string(&path).expect("a mail").contains(&format!("Subject: {subject}")) {
                    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).expect("permissions");
                }
            }
        }
    }

    /// A mail program's own connection.
    pub async fn hand(&self) -> Hand {
        Hand(log_in(self.sandbox, self.account).await.expect("a login"))
    }
}

/// Somebody else at the same mailbox.
pub struct Hand(pub async_imap::Session<Wire>);

impl Hand {
    pub async fn run(&mut self, command: &str) {
        self.0.run_command_and_check_ok(command).await.expect(command);
    }

    pub async fn put(&mut self, folder: &str, mail: &str) {
        self.0.append(folder, None, None, mail.as_bytes()).await.expect("an append");
    }

    pub async fn put_at(&mut self, folder: &str, date: &str, mail: &str) {
        self.0.append(folder, None, Some(date), mail.as_bytes()).await.expect("an append");
    }

    /// UIDs in a folder that answer a search.
    pub async fn search(&mut self, folder: &str, query: &str) -> Vec<u32> {
        self.0.select(folder).await.expect("a folder");
        let mut uids: Vec<u32> = self.0.uid_search(query).await.expect("a search").into_iter().collect();
        uids.sort_unstable();
        uids
    }
}

/// What the daemon's store keeps, in memory.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Inner>>);

#[derive(Default)]
pub struct Inner {
    pub cursors: BTreeMap<String, Cursor>,
    pub batches: Vec<usize>,
    pub arrivals: Vec<Arrival>,
    /// What came of a mail in parts.
    pub half: Vec<u8>,
    pub fail_after: Option<usize>,
}

impl Kept {
    pub fn look<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.0.lock().expect("the store"))
    }

    pub async fn fetch(&self, mailbox: &mut impl Mailbox) -> Result<Fetched, Fault> {
        let cursors = self.look(|kept| kept.cursors.clone());
        mailbox.fetch(&cursors, |batch| std::future::ready(self.take(batch))).await
    }

    fn take(&self, batch: Batch) -> Result<(), Fault> {
        self.look(|kept| {
            if kept.fail_after == Some(kept.batches.len()) {
                return Err(Fault::new("storing letters", "the store is down"));
            }
            kept.cursors.insert(batch.folder, batch.cursor);
            if let [Arrival { body: Body::Part { bytes, last }, place, .. }] = &batch.arrivals[..] {
                kept.half.extend_from_slice(bytes);
                assert_eq!(
                    batch.cursor.next_uid,
                    place.uid + u32::from(*last),
                    "past it with the last alone"
                );
                assert!(bytes.len() <= 1 << 20, "no part is large");
                if !last {
                    return Ok(());
                }
            }
            kept.batches.push(batch.arrivals.len());
            for mut arrival in batch.arrivals {
                if let Body::Part { .. } = arrival.body {
                    arrival.body = Body::Whole(std::mem::take(&mut kept.half));
                }
                kept.arrivals.push(arrival);
            }
            Ok(())
        })
    }

    /// The subjects that arrived since the last call.
    pub fn subjects(&self) -> Vec<String> {
        self.look(|kept| kept.arrivals.drain(..).map(|a| subject(&a.body)).collect())
    }
}

pub fn subject(body: &Body) -> String {
    let text = String::from_utf8_lossy(body.bytes()).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("Subject: ").map(str::to_string));
    line.unwrap_or_default()
}

pub fn mail(subject: &str) -> String {
    format!("From: Ana <ana@als.example>\r\nTo: clerk\r\nSubject: {subject}\r\n\r\nI vote yes.\r\n")
}

/// A network path to a server that tests can cut.
pub struct Path {
    pub port: u16,
    state: watch::Sender<State>,
    count: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum State {
    Open,
    /// Connections are closed, and closed again when made.
    Cut,
    /// Connections stay, but nothing comes through any more.
    Silent,
    /// The server's bytes end after this many.
    CutAfter(usize),
}

impl Path {
    pub async fn to(port: u16) -> Path {
        Path::with(port, &[], None).await
    }

    /// A path, for plain text, on which the server seems not to know some of its abilities.
    pub async fn hiding(port: u16, words: &'static [&'static str]) -> Path {
        Path::with(port, words, None).await
    }

    /// A path, for plain text, on which lines to the server have something replaced.
    pub async fn twisting(port: u16, said: &'static str, heard: &'static str) -> Path {
        Path::with(port, &[], Some((said, heard))).await
    }

    async fn with(port: u16, words: &'static [&'static str], twist: Twist) -> Path {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address").port();
        let (state, watch) = watch::channel(State::Open);
        let count = Arc::<AtomicUsize>::default();
        let counter = count.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(carry(client, port, (words, twist), watch.clone()));
            }
        });
        Path { port: own, state, count }
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }
}

/// Overwrites a word wherever it stands after a space.
fn hide(bytes: &mut [u8], word: &[u8]) {
    for n in 1..bytes.len() {
        if bytes[n - 1] == b' ' && bytes[n..].starts_with(word) {
            bytes[n..n + word.len()].fill(b'X');
        }
    }
}

/// Waits until the path is neither open nor already limited to `limit`.
async fn changed(watch: &mut watch::Receiver<State>, limit: usize) -> State {
    let new = |state: &State| *state != State::Open && *state != State::CutAfter(limit);
    watch.wait_for(new).await.map_or(State::Cut, |state| *state)
}

type Twist = Option<(&'static str, &'static str)>;

async fn twisted(from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, said: &str, heard: &str) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let line = line.replace(said, heard) + "\r\n";
        if to.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn carry(
    mut client: TcpStream,
    port: u16,
    (words, twist): (&[&str], Twist),
    mut watch: watch::Receiver<State>,
) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.expect("the server");
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let back = async {
        let mut buffer = vec![0; 4096];
        let mut sent = 0;
        let mut limit = usize::MAX;
        loop {
            tokio::select! {
                biased;
                now = changed(&mut watch, limit) => {
                    match now {
                        State::CutAfter(n) => (sent, limit) = (0, n),
                        State::Silent => std::future::pending().await,
                        _ => return,
                    }
                }
                read = from_server.read(&mut buffer) => {
                    let Ok(n @ 1..) = read else { return };
                    let n = n.min(limit - sent);
                    words.iter().for_each(|word| hide(&mut buffer[..n], word.as_bytes()));
                    sent += n;
                    if to_client.write_all(&buffer[..n]).await.is_err() || sent == limit { return }
                }
            }
        }
    };
    let forth = async {
        match twist {
            Some((said, heard)) => twisted(from_client, to_server, said, heard).await,
            // The server notices the end as the other direction ends.
            None => drop(copy(&mut from_client, &mut to_server).await),
        }
    };
    tokio::select! { () = back => {}, () = forth => {} }
}
