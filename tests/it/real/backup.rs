//! Back-up and restore as docs/operating.md tells them, at the keyboard: pg_dump, an empty database, the key
//! store's witness, `resume --restored`, and the work goes on.

use std::path::Path;

use atlarged::cli::ConfigArg;
use atlarged::cli::assemble;
use atlarged::kernel::ids::CaseId;
use atlarged::ports::store::Store;
use serde_json::Value;
use tokio::process::Command;

use super::super::servers;
use super::village::{ballot, drop_into, install, maildir, people, votes, wall, write_config, written};

/// Runs a program to its end: whether it ended well, and all it said.
pub(super) async fn runs(program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).output().await.expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// A command of the clerk's that must end well; what it said.
pub(super) async fn clerk(config: &Path, arguments: &[&str]) -> String {
    let (well, said) = order(config, arguments).await;
    assert!(well, "{arguments:?}: {said}");
    said
}

async fn order(config: &Path, arguments: &[&str]) -> (bool, String) {
    let config = config.to_str().expect("a path");
    runs(env!("CARGO_BIN_EXE_atlarged"), &[arguments, &["--config", config]].concat()).await
}

pub(super) async fn postgres(program: &str, arguments: &[&str]) {
    let (well, said) = runs(program, arguments).await;
    assert!(well, "{program}: {said}");
}

async fn state(config: &Path) -> Value {
    let said = clerk(config, &["case", "show", "c2", "--json"]).await;
    serde_json::from_str::<Value>(&said).expect("JSON")["state"].clone()
}

#[tokio::test]
async fn a_database_from_a_backup_is_noticed_and_goes_on_once_a_person_says_so() {
    let (sandbox, account) = (servers::sandbox().await, servers::mailbox("clerk").await);
    let url = sandbox.database(&servers::own_name("before")).await.expect("a database");
    let directory = tempfile::tempdir().expect("a directory");
    let dir = directory.path();
    let config = write_config(sandbox, &account, &url, dir, "");
    let (people, accounts) = people(sandbox, account.address.trim_start_matches("clerk"));
    install(&ConfigArg { config: config.clone() }, &people, wall(dir)).await;
    clerk(&config, &["turn"]).await;

    // A ballot goes out, and is backed up while it is open.
    let question = dir.join("question.json");
    std::fs::write(&question, ballot(&["p1", "p2", "p3"]).to_string()).expect("a file");
    let question = question.to_str().expect("a path");
    clerk(&config, &["case", "open", "ballot", question, "--by", "p4", "--wait", "0"]).await;
    clerk(&config, &["turn"]).await;
    let installation = assemble::installation(&ConfigArg { config: config.clone() }).await;
    let daemon = installation.unwrap_or_else(|error| panic!("{error}")).daemon;
    let asked = daemon.store.notices(Some(CaseId(2))).await.expect("notices").remove(0).row;
    let reply_to = daemon.renderer.reply_address_of(asked.id).expect("an address");
    let dump = dir.join("clerk.dump");
    let dump = dump.to_str().expect("a path");
    postgres("pg_dump", &["-Fc", "-f", dump, &url]).await;

    // What happens afterwards is not in the backup.
    let annul = ["case", "order", "c2", "annul", "reason=wrong", "--by", "p4", "--wait", "0"];
    clerk(&config, &annul).await;
    clerk(&config, &["turn"]).await;
    assert!(state(&config).await["open"]["annulment"].is_object());
    drop(daemon);

    // Another database takes its place.
    let restored = sandbox.database(&servers::own_name("after")).await.expect("an empty database");
    postgres("pg_restore", &["--no-owner", "-d", &restored, dump]).await;
    let config = write_config(sandbox, &account, &restored, dir, "");
    let (well, said) = order(&config, &["turn"]).await;
    assert!(!well && said.contains("the database is not the one the key store knows"), "{said}");
    let said = clerk(&config, &["resume", "--restored"]).await;
    assert!(said.contains("epoch 2"), "{said}");
    clerk(&config, &["forecast", "--days", "1"]).await;
    assert!(clerk(&config, &["case", "list"]).await.contains("c2\tballot\topen"));
    assert!(state(&config).await["open"]["annulment"].is_null(), "the order is gone; it is given again");

    // A mail from before the backup is answered: its token names what was known then.
    let answer = written(&accounts[0].address, &reply_to, "Message-ID: <1@village.example>\r\n", "YES");
    drop_into(&maildir(sandbox, &account.login), "000001.test", answer.as_bytes());
    clerk(&config, &["turn"]).await;
    assert_eq!(votes(&state(&config).await), [("p1".to_owned(), "yes".to_owned())].into());
    let status: Value = serde_json::from_str(&clerk(&config, &["status", "--json"]).await).expect("JSON");
    assert_eq!(status["balance"], true, "{status}");
    clerk(&config, &["case", "replay", "c2"]).await;
    clerk(&config, &["turn"]).await;
}

#[tokio::test]
async fn a_key_store_beside_a_database_of_another_epoch_holds_the_daemon_until_a_person_says_so() {
    let (sandbox, account) = (servers::sandbox().await, servers::mailbox("clerk").await);
    let url = sandbox.database(&servers::own_name("keys")).await.expect("a database");
    let directory = tempfile::tempdir().expect("a directory");
    let dir = directory.path();
    let config = write_config(sandbox, &account, &url, dir, "");
    clerk(&config, &["migrate"]).await;
    clerk(&config, &["turn"]).await;
    let copy = dir.join("copy");
    let (keys, copy) = (dir.join("keys"), copy.to_str().expect("a path").to_owned());
    postgres("cp", &["-a", keys.to_str().expect("a path"), &copy]).await;
    clerk(&config, &["resume", "--restored"]).await;
    clerk(&config, &["turn"]).await;

    // The key store of before that comes back.
    std::fs::remove_dir_all(&keys).expect("gone");
    std::fs::rename(&copy, &keys).expect("restored");
    let (well, said) = order(&config, &["turn"]).await;
    assert!(!well && said.contains("the database is of epoch 2, the key store of epoch 1"), "{said}");
    assert!(clerk(&config, &["resume", "--restored"]).await.contains("epoch 3"));
    clerk(&config, &["turn"]).await;
}
