//! How well mail is read, as counts in docs/accuracy.md. The part about our own notices is held to what the
//! reader does now; `make accuracy` writes the page anew, and with SETS=DIR what it makes of other people's mail.

use atlarged::kernel::choice::Choice;
use atlarged::letters::{self, Class, Letter, Problem, Trust};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::letters_layouts::{Answered, answered, unanswered};

const HEAD: &str = "\
# How well mail is read

`make accuracy` writes this page. *Right*: what was typed is what is credited. *Asked back*: no choice is credited, or one only as
a word of support, and the writer is asked. *Wrong*: another choice than the one typed is credited; nothing worse can happen.

## Our notices, answered

Forty mail programs' ways of quoting, four ways of writing an answer, three encodings, seven languages, every choice. The mails are
made by `tests/it/letters_layouts.rs`.

";
const ALONE: &str = "\n## Our notices sent back with nothing above\n\n*Right*: nothing is credited.\n\n";
/// What follows depends on mail that is not in the project.
const OTHERS: &str = "\n## Other people's mail\n";
const OTHERS_HEAD: &str = "
`make accuracy SETS=DIR` measured these. Each folder of DIR is a set: `in/ID.eml` (or `.txt` or `.html`, a body alone) and what a person reads
there, one of: `expected/ID.json` with `choice` (`yes`, `no`, `abstain` or null) and perhaps `language`; one with the failed
`addresses` of a report, or `is_bounce` 0; `expected/ID.txt` with the author's own words. No such mail is part of the project. The sets below are the
public test data of other programs; *as expected* means the words those programs expect, white space aside, and the
language is the one that this reader sees in them.
";

/// Counts of one row, in the order of the columns.
type Counts = [usize; 3];
type Table = BTreeMap<String, Counts>;

const ANSWERS: [&str; 3] = ["right", "asked back", "wrong"];
const WORDS: [&str; 3] = ["as expected", "words missing", "words too many"];
const REPORTS: [&str; 3] = ["as expected", "other addresses", "taken for another kind"];

fn read(raw: &[u8]) -> Letter {
    letters::read(raw, &Trust::default())
}

/// The column an answer counts in.
fn column(letter: &Letter, typed: Option<Choice>) -> usize {
    let plain = letter.answer.problem == Problem::None;
    match letter.answer.choice {
        credited if credited == typed => usize::from(typed.is_some() && !plain),
        Some(_) => 2,
        None => 1,
    }
}

fn tally(mails: impl Iterator<Item = Answered>) -> Table {
    let mut table = Table::new();
    for mail in mails {
        let name = format!("{} ({})", mail.language.autonym(), mail.language);
        table.entry(name).or_default()[column(&read(&mail.raw), mail.typed)] += 1;
    }
    table
}

/// A table with a row for all where there are several.
fn shown(first: &str, columns: [&str; 3], table: &Table) -> String {
    let row = |name: &str, counts: Counts| {
        let all: usize = counts.iter().sum();
        format!("| {name} | {all} | {} | {} | {} |\n", counts[0], counts[1], counts[2])
    };
    let mut page = format!("| {first} | mails | {} |\n|---|--:|--:|--:|--:|\n", columns.join(" | "));
    page.extend(table.iter().map(|(name, counts)| row(name, *counts)));
    if table.len() > 1 {
        let sum = |n: usize| table.values().map(|counts| counts[n]).sum();
        page.push_str(&row("all", [sum(0), sum(1), sum(2)]));
    }
    page
}

/// The part of the page that the project's own mails give.
fn own() -> String {
    let (filled, empty) = (tally(answered()), tally(unanswered()));
    format!("{HEAD}{}{ALONE}{}", shown("language", ANSWERS, &filled), shown("language", ANSWERS, &empty))
}

/// The files of a folder by their names without ending.
fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let named = |path: PathBuf| Some((path.file_stem()?.to_str()?.to_owned(), path));
    entries.filter(|path| path.is_file()).filter_map(named).collect()
}

/// A mail of a set; a body alone gets a header of a person's.
fn mail(path: &Path) -> Vec<u8> {
    let raw = std::fs::read(path).expect("a mail");
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("txt") => wrapped("plain", &raw),
        Some("html") => wrapped("html", &raw),
        _ => raw,
    }
}

fn wrapped(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = "From: Sarah Member <sarah@member.example>\nTo: clerk@clerk.example\nSubject: Re: your answer\n\
                Message-ID: <1@member.example>\n";
    [head.as_bytes(), format!("Content-Type: text/{kind}; charset=utf-8\n\n").as_bytes(), body].concat()
}

fn lines(text: &str) -> Vec<String> {
    let plain = |line: &str| {
        line.replace(['\u{a0}', '\u{200b}'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    text.lines().map(plain).filter(|line| !line.is_empty()).collect()
}

/// The column a report counts in: whether it is one, and whom it names where somebody noted that.
fn reported(letter: &Letter, expected: &Value) -> usize {
    let is_report = expected["is_bounce"] != 0;
    if is_report != (letter.class == Class::Bounce) {
        return 2;
    }
    let fields = ["addresses", "permanent", "temporary"].map(|field| expected[field].as_array());
    let noted = is_report && fields.iter().any(Option::is_some);
    let named = fields.into_iter().flatten().flatten().filter_map(Value::as_str).map(str::to_lowercase);
    let read: BTreeSet<String> = letter.bounces.iter().map(|bounce| bounce.address.to_lowercase()).collect();
    usize::from(noted && named.collect::<BTreeSet<_>>() != read)
}

/// What one set says: a table for each kind of expectation in it.
fn set(folder: &Path) -> [Table; 3] {
    let mut tables = [Table::new(), Table::new(), Table::new()];
    let mails = files(&folder.join("in"));
    for (id, expected) in files(&folder.join("expected")) {
        let Some(path) = mails.get(&id) else { continue };
        let letter = read(&mail(path));
        let expected_text = String::from_utf8_lossy(&std::fs::read(&expected).expect("a file")).into_owned();
        if expected.extension().is_some_and(|ending| ending == "txt") {
            let (want, got) = (lines(&expected_text), lines(&letter.text));
            let missing = want.iter().any(|line| !got.contains(line));
            let column = if want == got {
                0
            } else if missing {
                1
            } else {
                2
            };
            let language = read(&wrapped("plain", expected_text.as_bytes())).language;
            let name = language.map_or_else(|| "not told".to_owned(), |language| language.to_string());
            tables[1].entry(name).or_default()[column] += 1;
            continue;
        }
        let Ok(json) = serde_json::from_str::<Value>(&expected_text) else { continue };
        let language = json["language"].as_str().unwrap_or("not told").to_owned();
        if json.get("choice").is_some() {
            let typed = serde_json::from_value(json["choice"].clone()).expect("yes, no, abstain or null");
            tables[0].entry(language).or_default()[column(&letter, typed)] += 1;
        } else {
            tables[2].entry(language).or_default()[reported(&letter, &json)] += 1;
        }
    }
    tables
}

/// The sets of a directory, each with the kinds of tables it has.
fn others(directory: &Path) -> String {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("SETS is a directory")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    let mut page = format!("{OTHERS}{OTHERS_HEAD}");
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (table, columns) in set(&folder).iter().zip([ANSWERS, WORDS, REPORTS]) {
            if !table.is_empty() {
                page.push_str(&format!("\n{}", shown(&name, columns, table)));
            }
        }
    }
    page
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/accuracy.md")
}

#[test]
fn accuracy_of_our_own_notices_is_what_the_page_says() {
    let own = own();
    if std::env::var_os("ACCURACY_WRITE").is_some() {
        let before = std::fs::read_to_string(page()).unwrap_or_default();
        let kept = before.find(OTHERS).map(|at| before[at..].to_owned()).unwrap_or_default();
        let sets = std::env::var("ACCURACY_SETS").ok().filter(|sets| !sets.is_empty());
        let others = sets.map_or(kept, |directory| others(Path::new(&directory)));
        std::fs::write(page(), format!("{own}{others}")).expect("docs can be written");
    }
    let written = std::fs::read_to_string(page()).expect("docs/accuracy.md");
    assert!(
        written.starts_with(&own),
        "the reader has changed; write docs/accuracy.md anew with `make accuracy`:\n{own}"
    );
}

#[test]
fn a_set_in_the_kept_format_is_scored_by_what_a_person_reads_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join("mine").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
        std::fs::write(path, text).expect("it is written");
    };
    let rows = [("1", "YES\n", "yes"), ("2", "NO\n", "yes"), ("3", "Well, perhaps.\n", "yes")];
    for (id, body, choice) in rows {
        write(&format!("in/{id}.txt"), body);
        write(&format!("expected/{id}.json"), &format!("{{\"choice\": \"{choice}\", \"language\": \"en\"}}"));
    }
    write("in/4.txt", "Fine.\n\nOn Thu, Aug 20, 2026 at 10:15 AM Clerk <c@clerk.example> wrote:\n> NO\n");
    write("expected/4.txt", "Fine.\n");
    let page = others(folder.path());
    assert!(page.contains("| en | 3 | 1 | 1 | 1 |"), "{page}");
    assert!(
        page.contains("| not told | 1 | 1 | 0 | 0 |") || page.contains("| en | 1 | 1 | 0 | 0 |"),
        "{page}"
    );
}
