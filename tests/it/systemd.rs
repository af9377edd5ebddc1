//! The unit as systemd itself judges it: no mistake in it, and little that a daemon taken over could reach. Skipped
//! where systemd's tools are not installed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const UNIT: &str = include_str!("../../systemd/atlarged.service");
const USERS: &str = include_str!("../../systemd/atlarged.sysusers");
const FILES: &str = include_str!("../../systemd/atlarged.tmpfiles");

/// The unit in a directory of its own, with the program of this build in place of the installed one.
fn unit() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let built = UNIT.replace("/usr/bin/atlarged", env!("CARGO_BIN_EXE_atlarged"));
    assert_ne!(built, UNIT, "the unit starts another program");
    fs::write(dir.path().join("atlarged.service"), built).expect("a file");
    dir
}

/// Runs one of systemd's tools; none where it is not installed.
fn tool(name: &str, arguments: &[&str], file: &Path) -> Option<Output> {
    match Command::new(name).args(arguments).arg(file).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: {name} is not installed");
            None
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_unit_is_without_mistakes() {
    let dir = unit();
    let file = dir.path().join("atlarged.service");
    let Some(verified) = tool("systemd-analyze", &["verify"], &file) else { return };
    let said = said(&verified);
    assert!(verified.status.success() && !said.contains("atlarged"), "{said}");
}

#[test]
fn little_is_open_to_the_service() {
    let dir = unit();
    let file = dir.path().join("atlarged.service");
    // 20 stands for an exposure of 2.0 of 10; above it the tool fails.
    let arguments = ["security", "--offline=true", "--threshold=20", "--no-pager"];
    let Some(judged) = tool("systemd-analyze", &arguments, &file) else { return };
    assert!(judged.status.success(), "{}", said(&judged));
}

#[test]
fn the_unit_lets_the_daemon_run_long_enough_to_show_signs_of_life() {
    // The thinker may rest for a minute after a fault, and is looked at every third of the limit.
    for setting in ["Type=notify", "WatchdogSec=5min", "Restart=always", "StartLimitIntervalSec=0"] {
        assert!(UNIT.lines().any(|line| line == setting), "{setting}");
    }
}

#[test]
fn user_and_directories_are_made_as_the_daemon_needs_them() {
    if fs::metadata("/proc/self").map_or(u32::MAX, |own| own.uid()) != 0 {
        eprintln!("skipped: only root can make a user");
        return;
    }
    let root = tempfile::tempdir().expect("a directory");
    fs::create_dir(root.path().join("etc")).expect("a directory");
    let config = tempfile::tempdir().expect("a directory");
    let at = format!("--root={}", root.path().display());
    for (name, text, arguments) in
        [("systemd-sysusers", USERS, vec![at.as_str()]), ("systemd-tmpfiles", FILES, vec!["--create", &at])]
    {
        let file = config.path().join(name);
        fs::write(&file, text).expect("a file");
        let Some(made) = tool(name, &arguments, &file) else { return };
        assert!(made.status.success(), "{name}: {}", said(&made));
    }
    for (path, mode) in [("keys", 0o700), ("public", 0o750)] {
        let metadata = fs::metadata(root.path().join("var/lib/atlarged").join(path)).expect(path);
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{path}");
        assert_ne!(metadata.uid(), 0, "{path} belongs to the daemon");
    }
}
