//! The demo plays its story through, on servers of its own, and its books balance.

use std::os::unix::fs::PermissionsExt;
use tokio::process::Command;

/// What the story must tell: a tally that holds, a group that is accredited, nothing left of what was confidential.
const TOLD: [&str; 5] = [
    "holds  the rule gives the verdict",
    "2 comments are kept",
    "in the register: Rede Kianda de Utilizadores da Internet, AFRALO, with 2 representatives",
    "public/applications/c3.json",
    " 0 with a comment",
];

#[tokio::test]
async fn the_demo_tells_a_vote_and_an_application_to_their_ends() {
    let base = tempfile::Builder::new().prefix("al").tempdir().expect("a directory");
    std::fs::set_permissions(base.path(), std::fs::Permissions::from_mode(0o755)).expect("opened");
    let dir = base.path().join("demo");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_atlarged"));
    let demo = demo.args(["demo", "--fast", "--dir"]).arg(&dir).env("ATLARGED_LOG", "warn");
    let output = demo.output().await.expect("it starts");
    let (told, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{log}");
    for line in TOLD {
        assert!(told.contains(line), "{line:?} is not told:\n{told}");
    }
    assert!(!told.contains("atelier mensuel"), "the demo tells what was said in confidence");
}
