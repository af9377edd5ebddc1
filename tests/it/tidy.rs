//! The house rules nobody remembers, held by reading the sources: who imports whom, how long things are,
//! what is never written.

use std::fs;
use std::path::{Path, PathBuf};

/// A module imports only from those after it.
const LADDER: [&str; 15] = [
    "main",
    "cli",
    "sandbox",
    "sim",
    "web",
    "config",
    "replay",
    "daemon",
    "ports",
    "render",
    "advance",
    "desk",
    "workflows",
    "letters",
    "kernel",
];

/// Libraries and the only places that may name them.
const LIBRARIES: [(&str, &[&str]); 7] = [
    ("sqlx", &["ports/store/postgres"]),
    ("lettre", &["ports/postman", "render", "sandbox/mail_program.rs"]),
    ("async_imap", &["ports/mailbox/imap"]),
    ("mail_parser", &["letters"]),
    ("mail_auth", &["letters", "ports/postman/dkim.rs", "ports/resolver"]),
    ("axum", &["web"]),
    ("clap", &["cli"]),
];

/// Modules that know no I/O and no runtime.
const PURE: [&str; 6] = ["kernel", "letters", "workflows", "desk", "advance", "render"];

const LONGEST_FILE: usize = 500;
const LONGEST_LINE: usize = 120;

struct Source {
    /// Below src/: "daemon/run.rs".
    path: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, ending, into);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            into.push(path);
        }
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let base = root().join(folder);
    let mut paths = Vec::new();
    files(&base, "rs", &mut paths);
    paths.sort();
    let read = |path: PathBuf| Source {
        path: path.strip_prefix(&base).expect("below").to_string_lossy().into_owned(),
        text: fs::read_to_string(&path).expect("a source"),
    };
    paths.into_iter().map(read).collect()
}

fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or_default()
}

/// The code without comments and without its tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| *line != "#[cfg(test)]")
        .map(|(n, line)| (n + 1, line.split("//").next().unwrap_or_default()))
}

fn check(rule: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn a_module_imports_only_from_its_right() {
    let mut found = Vec::new();
    for source in sources("src") {
        let from = LADDER.iter().position(|rung| *rung == module(&source.path));
        for (n, line) in code(&source.text) {
            for (at, _) in line.match_indices("crate::") {
                let to = module(
                    line[at + 7..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(""),
                );
                let to_rung = LADDER.iter().position(|rung| *rung == to);
                let climbs = matches!((from, to_rung), (Some(from), Some(to)) if to < from);
                if climbs {
                    found.push(format!("src/{}:{n}: {} imports {to}", source.path, module(&source.path)));
                }
            }
        }
    }
    check("imports run down the ladder", found);
}

#[test]
fn each_library_stays_in_its_room() {
    let mut found = Vec::new();
    for source in sources("src") {
        for (library, rooms) in LIBRARIES {
            let home = rooms.iter().any(|room| source.path.starts_with(room));
            let named = format!("{library}::");
            for (n, line) in code(&source.text) {
                if !home && line.contains(&named) {
                    found.push(format!("src/{}:{n}: {library} belongs in {rooms:?}", source.path));
                }
            }
        }
    }
    check("a library is named in its room alone", found);
}

#[test]
fn pure_modules_know_no_clock_no_socket_and_no_runtime() {
    const BANNED: [&str; 6] = ["tokio::", "std::net", "std::fs", "std::process", "tracing::", "async fn"];
    let mut found = Vec::new();
    for source in sources("src") {
        if !PURE.contains(&module(&source.path)) {
            continue;
        }
        for (n, line) in code(&source.text) {
            found.extend(
                BANNED
                    .iter()
                    .filter(|banned| line.contains(**banned))
                    .map(|banned| format!("src/{}:{n}: {banned}", source.path)),
            );
        }
    }
    check("the core is pure", found);
}

#[test]
fn sql_never_asks_the_database_for_the_time() {
    let mut paths = Vec::new();
    files(&root().join("migrations"), "sql", &mut paths);
    files(&root().join("src/ports/store/postgres"), "rs", &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("a file").to_lowercase();
        for (n, line) in text.lines().enumerate() {
            let said = line.split("--").next().unwrap_or_default();
            if ["now()", "current_timestamp", "clock_timestamp", "current_date"]
                .iter()
                .any(|f| said.contains(f))
            {
                found.push(format!("{}:{}", path.display(), n + 1));
            }
        }
    }
    check("`now` is an argument in SQL too", found);
}

#[test]
fn files_begin_by_saying_what_they_are_for_and_end_in_time() {
    let mut found = Vec::new();
    for folder in ["src", "tests"] {
        for source in sources(folder) {
            let lines = source.text.lines().count();
            if lines > LONGEST_FILE {
                found.push(format!("{folder}/{}: {lines} lines, at most {LONGEST_FILE}", source.path));
            }
            if !source.text.starts_with("//!") {
                found.push(format!("{folder}/{}: does not begin with //!", source.path));
            }
            for (n, line) in source.text.lines().enumerate() {
                let long = line.chars().count();
                // A transcript or a mail in a test is as wide as it is.
                if folder == "src" && long > LONGEST_LINE {
                    found.push(format!("{folder}/{}:{}: {long} characters", source.path, n + 1));
                }
            }
        }
    }
    check("files are short and say what they are for", found);
}

#[test]
fn functions_are_read_in_one_view() {
    const LONGEST: usize = 70;
    let mut found = Vec::new();
    for source in sources("src") {
        let mut open: Option<(usize, &str, usize)> = None;
        for (n, line) in source.text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let said = line.trim_start();
            let begins =
                ["fn ", "pub fn ", "pub(super) fn ", "async fn ", "pub async fn ", "pub(super) async fn "];
            if open.is_none() && begins.iter().any(|word| said.starts_with(word)) && !line.ends_with(';') {
                open = Some((n, said, indent));
            } else if let Some((start, name, depth)) = open
                && indent == depth
                && (said == "}" || said.ends_with(';'))
            {
                if n - start + 1 > LONGEST {
                    found.push(format!("src/{}:{}: {} lines: {name}", source.path, start + 1, n - start + 1));
                }
                open = None;
            }
        }
    }
    check("functions are at most 70 lines", found);
}

#[test]
fn nothing_unfinished_is_left_lying() {
    let words =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("unimpl", "emented!(")];
    let ignored = concat!("#[ig", "nore");
    let mut found = Vec::new();
    for folder in ["src", "tests"] {
        for source in sources(folder) {
            for (n, line) in source.text.lines().enumerate() {
                if words.iter().any(|word| line.contains(word)) || line.contains(ignored) {
                    found.push(format!("{folder}/{}:{}: {}", source.path, n + 1, line.trim()));
                }
            }
        }
    }
    check("what is begun is finished", found);
}
