//! Comments in confidence on real servers. Every part of three mails holds a marked word: one that is taken, one that
//! is refused, one that waits for a person. The word is looked for wherever bytes of ours can lie; and what is left
//! of a database from before the end, with the keys that are left, must open nothing.

use std::path::{Path, PathBuf};

use atlarged::cli::ConfigArg;
use atlarged::cli::assemble;
use atlarged::kernel::ids::CaseId;
use atlarged::ports::keys::Keys;
use atlarged::ports::store::{Sealed, Store};
use atlarged::sandbox::{AUTHSERV_ID, Account};
use chrono::Duration;
use sqlx::{Connection, PgConnection, Row};
use tokio::process::Command;

use super::super::invited::{in_review, invitation, shred, structure};
use super::super::servers;
use super::backup::{postgres, runs};
use super::village::{ballot, drop_into, install, maildir, people, wall, write_config};

/// What every marked word begins with, as it would lie somewhere: plain, in hex, and in base64 as the mails have it.
const MARK: &str = "zqcanary";
const CASE: CaseId = CaseId(3);

/// Files below these places that hold one of the words.
async fn holding(words: &[&str], places: &[&Path]) -> Vec<String> {
    let mut grep = Command::new("grep");
    grep.args(["-r", "-l", "-a", "-i", "-s", "-F"]);
    words.iter().for_each(|word| {
        grep.args(["-e", word]);
    });
    let output = grep.arg("--").args(places).output().await.expect("grep");
    let found = String::from_utf8(output.stdout).expect("names of files");
    found.lines().map(str::to_owned).collect()
}

/// The marked words, in every form.
fn marks() -> Vec<String> {
    let hex = data_encoding::HEXLOWER.encode(MARK.as_bytes());
    // Three bytes become four characters; what comes first depends on where the word begins.
    let base64 = (0..3).map(|before| {
        let encoded = data_encoding::BASE64.encode(format!("{}{MARK}", "-".repeat(before)).as_bytes());
        encoded[4 * usize::from(before > 0)..8 + 4 * usize::from(before > 0)].to_owned()
    });
    [MARK.to_owned(), hex].into_iter().chain(base64).collect()
}

async fn marked(places: &[&Path]) -> Vec<String> {
    let marks = marks();
    holding(&marks.iter().map(String::as_str).collect::<Vec<_>>(), places).await
}

/// A mail that holds the word in its body, name, subject, attachment and headers.
fn comment(from: &str, to: &str, more: &str, text: &str) -> String {
    let attachment = data_encoding::BASE64.encode(format!("{MARK} attachment").as_bytes());
    format!(
        "Authentication-Results: {AUTHSERV_ID}; auth=pass smtp.auth={from}\r\n\
         Received: from {MARK}.example by mx.village.example; Mon, 1 Jan 2024 00:00:00 +0000\r\n\
         From: {MARK} Name <{from}>\r\nTo: {to}\r\nSubject: Re: {MARK} subject\r\n\
         Message-ID: <{MARK}.{}@village.example>\r\nX-Mailer: {MARK} mailer\r\n{more}MIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n\
         --b\r\nContent-Type: text/plain; name=\"{MARK}.txt\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"{MARK}.txt\"\r\n\r\n{attachment}\r\n--b--\r\n",
        text.len()
    )
}

fn asks_to_read(from: &str, to: &str, number: u32) -> String {
    format!(
        "Authentication-Results: {AUTHSERV_ID}; auth=pass smtp.auth={from}\r\nFrom: {from}\r\nTo: {to}\r\n\
         Message-ID: <{number}@village.example>\r\nSubject: Re\r\n\r\nCOMMENTS\r\n"
    )
}

/// The clerk, its servers, and the people of the village.
struct Scene {
    sandbox: &'static atlarged::sandbox::Sandbox,
    account: Account,
    accounts: Vec<Account>,
    directory: tempfile::TempDir,
    config: PathBuf,
    url: String,
    delivered: usize,
}

impl Scene {
    /// p1 represents a structure in Africa and was invited to comment; p2 and p3 sit on the ALAC, p4 is staff. The
    /// reply addresses of the invitation and of a ballot.
    async fn new() -> (Scene, [String; 2]) {
        let (sandbox, account) = (servers::sandbox().await, servers::mailbox("clerk").await);
        let url = sandbox.database(&servers::own_name("secrets")).await.expect("a database");
        let directory = tempfile::tempdir().expect("a directory");
        let dir = directory.path();
        let config = write_config(sandbox, &account, &url, dir, "");
        let (mut changes, accounts) = people(sandbox, account.address.trim_start_matches("clerk"));
        changes.push(structure(&[1]));
        install(&ConfigArg { config: config.clone() }, &changes, wall(dir) - Duration::hours(1)).await;
        let scene = Scene { sandbox, account, accounts, config, url, delivered: 0, directory };
        scene.turn().await;
        let question = scene.file("question.json");
        std::fs::write(&question, ballot(&["p1", "p2", "p3"]).to_string()).expect("a file");
        let question = question.to_str().expect("a path");
        scene.clerk(&["case", "open", "ballot", question, "--by", "p4", "--wait", "0"]).await;
        scene.turn().await;
        let installation = assemble::installation(&ConfigArg { config: scene.config.clone() }).await;
        let daemon = installation.unwrap_or_else(|error| panic!("{error}")).daemon;
        assert_eq!(in_review(&daemon.store, wall(scene.directory.path())).await, CASE);
        scene.turn().await;
        let ballots = daemon.store.notices(Some(CaseId(2))).await.expect("notices");
        let notices = [invitation(&daemon.store, CASE, 1).await, ballots[0].row.id];
        let addresses = notices.map(|id| daemon.renderer.reply_address_of(id).expect("an address"));
        (scene, addresses)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A command of the clerk's; all it logs, and it logs all it can, is kept.
    async fn clerk(&self, arguments: &[&str]) {
        let config = self.config.to_str().expect("a path");
        let mut command = Command::new(env!("CARGO_BIN_EXE_atlarged"));
        let command = command.args(arguments).args(["--config", config]).env("ATLARGED_LOG", "trace");
        let output = command.output().await.expect("it starts");
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.file("log"));
        std::io::Write::write_all(&mut log.expect("a log"), &said).expect("a log");
    }

    async fn turn(&self) {
        self.clerk(&["turn"]).await;
    }

    fn deliver(&mut self, raw: &str) {
        self.delivered += 1;
        let name = format!("{:06}.test", self.delivered);
        drop_into(&maildir(self.sandbox, &self.account.login), &name, raw.as_bytes());
    }

    /// All mails of somebody that have come so far.
    fn mailbox(&self, login: &str) -> PathBuf {
        self.sandbox.dir().join("mail").join(login)
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.expect("a connection")
    }
}

/// Everything that is sealed in a database for a case in confidence, or was, and what it was sealed for.
async fn sealed_in(url: &str) -> Vec<(Sealed, String)> {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    let rows = sqlx::query(
        "select key, bytes, handle as aad from sealed
         union all select key, raw, 'mail' from mails where confidential is not null and key <> ''",
    )
    .fetch_all(&mut connection)
    .await
    .expect("rows");
    rows.into_iter().map(|row| (Sealed { key: row.get(0), bytes: row.get(1) }, row.get(2))).collect()
}

fn opened(keys: &Keys, all: &[(Sealed, String)]) -> usize {
    all.iter().filter(|(sealed, aad)| keys.open(sealed, aad.as_bytes()).is_ok()).count()
}

fn copied(from: &Path, to: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir(to).expect("a directory");
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).expect("permissions");
    for file in std::fs::read_dir(from).expect("files").flatten() {
        std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
    }
}

#[tokio::test]
async fn nothing_of_a_comment_lies_anywhere_and_an_old_database_opens_nothing_after_the_end() {
    let (mut scene, to) = Scene::new().await;
    let from: Vec<String> = scene.accounts.iter().map(|account| account.address.clone()).collect();
    let words = format!("{MARK} taken: they meet every month.");
    let twice = to[1].split(['+', '@']).nth(1).expect("a token");
    scene.deliver(&comment(&from[0], &to[0], "", &words));
    scene.deliver(&comment(&from[1], &to[0], "", &format!("{MARK} refused")));
    let other = format!("In-Reply-To: <{twice}@village.example>\r\n");
    scene.deliver(&comment(&from[2], &to[0], &other, &format!("{MARK} waits for a person")));
    scene.turn().await;
    scene.turn().await;

    let mut connection = scene.connect().await;
    let ended = "select status, count(*) from mails group by status order by status";
    let ended = sqlx::query(ended).fetch_all(&mut connection).await.expect("the books");
    let ended: Vec<(String, i64)> = ended.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(ended, [("acted".into(), 1), ("quarantined".into(), 1), ("refused".into(), 1)]);

    // What a backup would have: the dump in plain text, every file of the cluster with its log, keys, our own log.
    sqlx::query("checkpoint").execute(&mut connection).await.expect("on disk");
    let plain = scene.file("plain.sql");
    postgres("pg_dump", &["-f", plain.to_str().expect("a path"), &scene.url]).await;
    let (data, keys, log) = (scene.sandbox.dir().join("pg"), scene.file("keys"), scene.file("log"));
    let ours = scene.mailbox(&scene.account.login);
    let theirs: Vec<PathBuf> = scene.accounts.iter().map(|account| scene.mailbox(&account.login)).collect();
    let mut places: Vec<&Path> = vec![&plain, &data, &keys, &log, &ours];
    places.extend(theirs.iter().map(PathBuf::as_path));
    assert_eq!(marked(&places).await, Vec::<String>::new());
    // The same search finds what is there.
    let question = holding(&["Shall we meet by video"], &[&plain, &data]).await;
    assert!(question.len() >= 2, "{question:?}");
    assert!(!holding(&["outcome"], &[&log]).await.is_empty());

    // Whoever may read gets it; the mail of that leaves no bytes either.
    scene.deliver(&asks_to_read(&from[3], &to[0], 9));
    scene.turn().await;
    let lists = "select notice->>'template' from outbox where status = 'sent' and recipient = 'p4'
                 and notice->>'template' like 'comment/%'";
    let lists = sqlx::query(lists).fetch_all(&mut connection).await.expect("notices");
    assert_eq!(lists.len(), 1);
    sqlx::query("checkpoint").execute(&mut connection).await.expect("on disk");
    assert_eq!(marked(&[&data, &keys, &log, &ours]).await, Vec::<String>::new());

    // A backup from before the end, with the keys of then: it can be read, as it must be.
    let dump = scene.file("clerk.dump");
    postgres("pg_dump", &["-Fc", "-f", dump.to_str().expect("a path"), &scene.url]).await;
    let then = scene.file("then");
    copied(&keys, &then);
    let before = sealed_in(&scene.url).await;
    assert!(opened(&Keys::directory(&then).expect("keys"), &before) >= 2, "the comment, and what waits");

    let (_, store) = assemble::store(&ConfigArg { config: scene.config.clone() }).await.expect("a store");
    shred(&store, CASE, wall(scene.directory.path())).await;
    store.close().await.expect("closed");
    scene.turn().await;

    // The same backup with the same keys, those taken away that are destroyed here.
    for file in std::fs::read_dir(&then).expect("keys").flatten() {
        let here = std::fs::read(keys.join(file.file_name())).unwrap_or_default();
        if here.is_empty() {
            std::fs::remove_file(file.path()).expect("destroyed");
        }
    }
    let restored = scene.sandbox.database(&servers::own_name("then")).await.expect("a database");
    postgres("pg_restore", &["--no-owner", "-d", &restored, dump.to_str().expect("a path")]).await;
    let left = sealed_in(&restored).await;
    assert_eq!(left.len(), before.len());
    assert_eq!(opened(&Keys::directory(&then).expect("keys"), &left), 0);
    assert_eq!(opened(&Keys::directory(&keys).expect("keys"), &left), 0);
    assert!(sealed_in(&scene.url).await.is_empty());

    // Nor does our own code: whoever asks the restored database for the comments gets none.
    let old = scene.file("old");
    std::fs::create_dir(&old).expect("a directory");
    scene.config = write_config(scene.sandbox, &scene.account, &restored, &old, "");
    std::fs::rename(&then, old.join("keys")).expect("the keys of then");
    scene.clerk(&["resume", "--restored"]).await;
    scene.deliver(&asks_to_read(&from[3], &to[0], 10));
    scene.turn().await;
    let mut connection = PgConnection::connect(&restored).await.expect("a connection");
    let lists = "select status from outbox where notice->>'template' = 'comment/list' order by seq";
    let lists = sqlx::query(lists).fetch_all(&mut connection).await.expect("notices");
    let lists: Vec<String> = lists.iter().map(|row| row.get(0)).collect();
    assert_eq!(lists, ["sent", "lapsed"]);

    // Nor is there any key under which something lies in the cluster's log.
    let named = ["-r", "-a", "-o", "-h", "-s", "-E", "once-[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9a-f]{32}"];
    let data = data.to_str().expect("a path");
    let (_, named) = runs("grep", &[&named[..], &[data]].concat()).await;
    let named: std::collections::BTreeSet<&str> = named.lines().collect();
    assert!(named.len() >= 3, "{named:?}");
    let still: Vec<_> = named.iter().filter(|name| keys.join(name).exists()).collect();
    assert!(still.is_empty(), "{still:?}");
}
