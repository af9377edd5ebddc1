//! The configuration: the samples are its documentation and are held to the code; what is wrong is refused with
//! where it stands and what to do.

use atlarged::config::Config;
use atlarged::workflows::Policies;
use std::collections::BTreeSet;
use std::path::Path;

const SAMPLE: &str = include_str!("../../config/atlarged.toml");
const POLICY: &str = include_str!("../../config/policy.toml");

/// The least that runs; each test breaks one thing.
const LEAST: &str = r#"
[clerk]
address = "clerk@example.org"
[database]
url = "postgres://localhost/atlarged"
[keys]
directory = "keys"
[maildir.main]
path = "mail"
[smtp]
host = "localhost"
"#;

/// A name no setting has.
const STRANGE: &str = "no_such_setting";

/// The sample with everything switched on that it leaves out.
fn everything() -> String {
    let on = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') && !rest.is_empty() => rest.to_owned(),
        _ => line.to_owned(),
    };
    SAMPLE.lines().map(on).collect::<Vec<_>>().join("\n")
}

/// A table of the sample by its dotted name; the root for "".
fn table<'a>(root: &'a toml::Table, name: &str) -> &'a toml::Table {
    name.split('.').filter(|part| !part.is_empty()).fold(root, |at, part| {
        at.get(part).and_then(toml::Value::as_table).unwrap_or_else(|| panic!("no [{name}] in the sample"))
    })
}

/// The settings a section knows, in the words of the error about one it does not know.
fn known(section: &str) -> BTreeSet<String> {
    let mut root: toml::Table = toml::from_str(&everything()).expect("the sample is TOML");
    let mut at = &mut root;
    for part in section.split('.').filter(|part| !part.is_empty()) {
        at = at.get_mut(part).and_then(toml::Value::as_table_mut).expect("a section of the sample");
    }
    at.insert(STRANGE.to_owned(), toml::Value::Boolean(true));
    let error = root.try_into::<Config>().expect_err("a strange setting is refused").to_string();
    let (_, expected) = error.split_once("expected").unwrap_or_else(|| panic!("{section}: {error}"));
    let quoted = expected.lines().next().unwrap_or_default().split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

/// What a file is refused with.
fn refusal(text: &str) -> String {
    Config::parse(text, Path::new("test.toml")).expect_err("it must be refused").to_string()
}

#[track_caller]
fn check(text: &str, words: &[&str]) {
    let error = refusal(text);
    for word in words.iter().chain(&["test.toml"]) {
        assert!(error.contains(word), "{word:?} is missing from: {error}");
    }
}

#[test]
fn the_sample_is_a_configuration() {
    let config = Config::parse(SAMPLE, Path::new("config/atlarged.toml")).expect("the sample");
    assert_eq!(config.mailboxes(), ["main"]);
}

#[test]
fn what_the_sample_leaves_out_could_be_switched_on() {
    let config: Config = toml::from_str(&everything()).expect("every setting of the sample is one");
    assert_eq!(config.mailboxes(), ["main", "local"]);
    assert!(config.dkim.is_some() && config.alarm.is_some());
}

#[test]
fn every_setting_stands_in_the_sample() {
    let sample: toml::Table = toml::from_str(&everything()).expect("the sample is TOML");
    let sections = [
        "",
        "clerk",
        "database",
        "keys",
        "trust",
        "imap.main",
        "maildir.local",
        "smtp",
        "dkim",
        "daemon",
        "public",
        "web",
        "alarm",
    ];
    let mut settings = 0;
    for section in sections {
        let told: BTreeSet<String> = table(&sample, section).keys().cloned().collect();
        let known = known(section);
        assert_eq!(told, known, "[{section}]");
        settings += known.len();
    }
    assert!(settings > 50, "only {settings} settings were looked at");
}

#[test]
fn every_setting_of_the_samples_is_explained_above_it() {
    for sample in [SAMPLE, POLICY] {
        let lines: Vec<&str> = sample.lines().collect();
        let setting = |line: &str| {
            let name = line.trim_start_matches('#').split(" = ").next().unwrap_or_default();
            line.contains(" = ")
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
        };
        // One comment may stand for lines that follow each other: host and port, one text in two languages.
        for (n, line) in lines.iter().enumerate().filter(|(_, line)| setting(line)) {
            let above = lines[..n].iter().rev().find(|line| !setting(line) && !line.starts_with('['));
            assert!(above.is_some_and(|line| line.starts_with("# ")), "line {}: {line}", n + 1);
        }
    }
}

#[test]
fn the_policies_of_the_sample_are_the_defaults_and_all_of_them() {
    let policies: Policies = toml::from_str(POLICY).expect("config/policy.toml");
    assert_eq!(policies, Policies::default());
    let told: toml::Table = toml::from_str(POLICY).expect("config/policy.toml");
    let all = toml::Table::try_from(Policies::default()).expect("policies are a table");
    assert_eq!(told, all);
}

#[test]
fn the_least_configuration_is_enough() {
    let config = Config::parse(LEAST, Path::new("test.toml")).expect("enough");
    assert_eq!((config.daemon.settle_seconds, config.daemon.poll_seconds), (120, 60));
    assert_eq!(config.daemon.smtp_connections, 2);
}

#[test]
fn an_unknown_setting_is_refused_with_its_line() {
    check(&format!("{LEAST}[daemon]\npoll_secs = 5\n"), &["line 13", "poll_secs", "poll_seconds"]);
    check(&format!("colour = 1\n{LEAST}"), &["line 1", "colour"]);
}

#[test]
fn what_is_missing_is_named() {
    check("", &["clerk"]);
    check(&LEAST.replace("host = \"localhost\"", ""), &["host"]);
}

#[test]
fn unsafe_settings_are_refused_with_what_to_do() {
    let maildir = "[maildir.main]\npath = \"mail\"\n";
    check(&LEAST.replace(maildir, ""), &["no mailbox", "add [imap.NAME]"]);
    let twice = "[imap.main]\nhost = \"h\"\nuser = \"u\"\n";
    check(&format!("{LEAST}{twice}"), &["two mailboxes are called main", "rename"]);
    check(&LEAST.replace("clerk@", "clerk+x@"), &["without +", "write clerk@example.org"]);
    check(&LEAST.replace("clerk@example.org", "clerk"), &["[clerk] address"]);
    let url = "url = \"postgres://localhost/atlarged\"\n";
    check(
        &LEAST.replace(url, &format!("{url}url_file = \"database\"\n")),
        &["exactly one of url and url_file"],
    );
    check(&LEAST.replace(url, ""), &["exactly one of url and url_file"]);
    check(&format!("{LEAST}[daemon]\noffset_seconds = 5\n"), &["rehearsals", "remove it"]);
    for days in [0, 3661, u32::MAX] {
        let keys = format!("directory = \"keys\"\nintake_days = {days}");
        check(&LEAST.replace("directory = \"keys\"", &keys), &["[keys] intake_days", "write 90"]);
    }
    check(&format!("{LEAST}[daemon]\nsmtp_connections = 0\n"), &["smtp_connections must be at least 1"]);
}

#[test]
fn a_rehearsal_may_run_ahead() {
    let text = format!("{LEAST}[daemon]\noffset_seconds = 5\nrehearsal = true\n");
    assert!(Config::parse(&text, Path::new("test.toml")).is_ok());
}

#[test]
fn the_address_of_the_database_may_lie_in_a_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("database");
    std::fs::write(&file, "postgres://db.example/atlarged\n").expect("a file");
    let text = LEAST.replace("url = \"postgres://localhost/atlarged\"", &format!("url_file = {file:?}"));
    let config = Config::parse(&text, Path::new("test.toml")).expect("a configuration");
    assert_eq!(config.database_url().expect("an address"), "postgres://db.example/atlarged");
    std::fs::remove_file(&file).expect("removed");
    let error = config.database_url().expect_err("the file is gone").to_string();
    assert!(error.contains("url_file") && error.contains("database"), "{error}");
}

/// What a file of policies is refused with.
#[track_caller]
fn policy(text: &str, words: &[&str]) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("policy.toml");
    std::fs::write(&file, text).expect("a file");
    let config = Config::parse(&format!("policy_file = {file:?}\n{LEAST}"), Path::new("test.toml"));
    let error = config.expect("a configuration").policies().expect_err("it must be refused").to_string();
    for word in words.iter().chain(&["policy.toml"]) {
        assert!(error.contains(word), "{word:?} is missing from: {error}");
    }
}

#[test]
fn a_policy_with_which_no_matter_can_run_is_refused() {
    policy("[ballot]\ndays = 0\n", &["[ballot] days is 0", "from 1 to 366"]);
    policy("[ballot]\ndays = 4294967295\n", &["[ballot] days", "from 1 to 366"]);
    policy("[ballot]\nremind_hours_before = [48, 9000]\n", &["[ballot] remind_hours_before is 9000", "8784"]);
    let many = format!("[ballot]\nremind_hours_before = {:?}\n", [1; 21]);
    policy(&many, &["more than 20 reminders"]);
    policy("[ballot]\nextend_days = 0\n", &["[ballot] extend_days is 0"]);
    policy("[ballot]\nreruns = 6\n", &["[ballot] reruns is 6", "from 0 to 5"]);
    policy("[ballot]\nconfirm_grace_hours = 8785\n", &["[ballot] confirm_grace_hours", "8784"]);
    policy("[ballot]\nchair_reminder_days = 0\n", &["[ballot] chair_reminder_days"]);
    policy("[enquiry]\nremind_days = 0\n", &["[enquiry] remind_days is 0", "from 1 to 366"]);
}
