//! The page of rules is true: each test and each place it names is there, no rule stands in it twice, and no
//! more rules than are counted here go without a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/rules.md";
/// Rules that the program holds though no test proves it.
const UNTESTED: usize = 0;
/// Rules that it does not hold yet.
const NOT_BUILT: usize = 0;

/// One line of a table.
#[derive(Debug)]
struct Rule {
    /// "A.4/7": the part of the rules, and a number within it.
    id: String,
    places: Vec<String>,
    proof: Proof,
}

#[derive(Debug, PartialEq)]
enum Proof {
    /// By full path: "ballot_stories::support_says_nothing_on_a_reversed_question".
    Tests(Vec<String>),
    Untested,
    NotBuilt,
}

/// Whether this numbers a rule.
fn is_id(text: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let Some((part, n)) = text.split_once('/') else { return false };
    let (letter, section) = part.split_once('.').unwrap_or((part, "0"));
    letter.len() == 1 && letter.chars().all(|c| c.is_ascii_uppercase()) && number(section) && number(n)
}

/// What stands between backticks in a cell that holds nothing else.
fn quoted(cell: &str) -> Option<Vec<String>> {
    let one = |part: &str| {
        let name = part.strip_prefix('`')?.strip_suffix('`')?;
        (!name.is_empty() && !name.contains(['`', ' '])).then(|| name.to_owned())
    };
    cell.split(", ").map(one).collect()
}

/// A line of a table; what cannot be read is told, not passed over.
fn row(line: &str) -> Result<Rule, String> {
    let wrong = |what: &str| Err(format!("{what}: {line}"));
    let inner = line.strip_prefix('|').and_then(|rest| rest.strip_suffix('|')).unwrap_or_default();
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    let [id, rule, places, proof] = cells.as_slice() else { return wrong("not four cells") };
    if !is_id(id) || rule.is_empty() {
        return wrong("no rule with a number");
    }
    let proof = match *proof {
        "no test yet" => Proof::Untested,
        "not built" => Proof::NotBuilt,
        tests => match quoted(tests) {
            Some(tests) => Proof::Tests(tests),
            None => return wrong("neither tests nor a word why there are none"),
        },
    };
    let places = match (quoted(places), &proof) {
        (Some(places), Proof::Tests(_) | Proof::Untested) => places,
        (None, Proof::NotBuilt) if *places == "—" => Vec::new(),
        _ => return wrong("a place is named where it is built, and only there"),
    };
    Ok(Rule { id: (*id).to_owned(), places, proof })
}

/// The rules on a page, and what is wrong with it as a page.
fn rules(page: &str) -> (Vec<Rule>, Vec<String>) {
    let header = |line: &&str| line.starts_with("| rule |") || line.starts_with("|---");
    let lines = page.lines().filter(|line| line.starts_with('|') && !header(line));
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    let mut ids = BTreeSet::new();
    for line in lines {
        match row(line) {
            Ok(rule) if ids.insert(rule.id.clone()) => found.push(rule),
            Ok(rule) => wrong.push(format!("{} stands there twice", rule.id)),
            Err(why) => wrong.push(why),
        }
    }
    (found, wrong)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where a module may be written: "a::b" in a/b.rs or a/b/mod.rs; unit tests in a file of their own, or in
/// that of what they test.
fn files(test: &str) -> Vec<PathBuf> {
    let modules: Vec<&str> = test.split("::").collect();
    let modules = &modules[..modules.len() - 1];
    let unit = modules.last() == Some(&"tests");
    let base = root().join(if unit { "src" } else { "tests/it" });
    let at = |modules: &[&str]| {
        let path = modules.iter().fold(base.clone(), |path, module| path.join(module));
        [path.with_extension("rs"), path.join("mod.rs")]
    };
    let own = at(modules);
    let beside = if unit { at(&modules[..modules.len() - 1]).to_vec() } else { Vec::new() };
    own.into_iter().chain(beside).collect()
}

/// Whether a source has a test of this name: a function marked as one, or a promise that every store keeps.
fn has_test(source: &str, name: &str, promised: bool) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let begins = format!("fn {name}(");
    let called = |at: &usize| lines[*at].strip_prefix("async ").unwrap_or(lines[*at]).starts_with(&begins);
    let marked = |at: usize| {
        let above = lines[..at].iter().rev();
        let mut above = above.take_while(|line| line.starts_with("#[") || line.starts_with("///"));
        above.any(|line| *line == "#[test]" || line.starts_with("#[tokio::test"))
    };
    let list = source.split_once("promises! {").and_then(|(_, rest)| rest.split_once('}'));
    let listed = || list.is_some_and(|(list, _)| list.split_whitespace().any(|promise| promise == name));
    (0..lines.len()).filter(called).any(|at| if promised { listed() } else { marked(at) })
}

/// Whether a test of this path is in the sources.
fn is_test(path: &str) -> bool {
    let store = ["::in_memory::", "::in_postgres::"].into_iter().find(|store| path.contains(store));
    let plain = store.map_or_else(|| path.to_owned(), |store| path.replace(store, "::"));
    let Some((_, name)) = plain.rsplit_once("::") else { return false };
    let mut sources = files(&plain).into_iter().filter_map(|file| fs::read_to_string(file).ok());
    sources.any(|source| has_test(&source, name, store.is_some()))
}

/// Every name on a page that leads nowhere.
fn astray(rules: &[Rule]) -> Vec<String> {
    let mut found = Vec::new();
    for rule in rules {
        let gone = |place: &&String| !root().join(place).is_file();
        found.extend(rule.places.iter().filter(gone).map(|place| format!("{}: no {place}", rule.id)));
        if let Proof::Tests(tests) = &rule.proof {
            let missing = tests.iter().filter(|test| !is_test(test));
            found.extend(missing.map(|test| format!("{}: no test {test}", rule.id)));
        }
    }
    found
}

#[test]
fn every_test_and_place_that_is_named_is_there_and_no_rule_stands_twice() {
    let page = fs::read_to_string(root().join(PAGE)).expect("a page");
    let (rules, mut wrong) = rules(&page);
    wrong.extend(astray(&rules));
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
    assert!(rules.len() > 100, "only {} rules", rules.len());
}

#[test]
fn no_more_rules_go_without_a_test_than_are_counted() {
    let page = fs::read_to_string(root().join(PAGE)).expect("a page");
    let (rules, _) = rules(&page);
    let of = |proof: &Proof| rules.iter().filter(|rule| rule.proof == *proof).map(|rule| &rule.id).collect();
    let (untested, not_built): (Vec<&String>, Vec<&String>) = (of(&Proof::Untested), of(&Proof::NotBuilt));
    assert_eq!(untested.len(), UNTESTED, "{untested:?}: count them in {}", file!());
    assert_eq!(not_built.len(), NOT_BUILT, "{not_built:?}: count them in {}", file!());
}

#[test]
fn a_page_that_is_not_true_is_found_out() {
    let check = |lines: &str, expected: &str| {
        let (rules, mut wrong) = rules(lines);
        wrong.extend(astray(&rules));
        assert!(wrong.iter().any(|wrong| wrong.contains(expected)), "{lines}: {wrong:?}");
    };
    let test = "rules::a_page_that_is_not_true_is_found_out";
    let good = format!("| B/1 | x | `src/lib.rs` | `{test}` |");
    let (found, wrong) = rules(&good);
    assert!(wrong.is_empty() && astray(&found).is_empty(), "{wrong:?}");
    check(&format!("{good}\n{good}"), "B/1 stands there twice");
    check("| B/1 | x | `src/nowhere.rs` | no test yet |", "no src/nowhere.rs");
    check("| B/1 | x | `src/lib.rs` | `rules::nothing` |", "no test rules::nothing");
    check("| B/1 | x | `src/lib.rs` | `rules::is_test` |", "no test rules::is_test");
    check("| B/1 | x | `src/lib.rs` | `desk::tests::x` |", "no test desk::tests");
    check("| B/1 | x | `src/lib.rs` | `store_contract::arrival::in_postgres::x` |", "no test store_contract");
    check("| B/1 | x | `src/lib.rs` | soon |", "neither tests");
    check("| B/1 | x | `src/lib.rs` | not built |", "a place is named");
    check("| B/1 | x | — | no test yet |", "a place is named");
    check("| b1 | x | `src/lib.rs` | no test yet |", "no rule with a number");
    check("| B/1 | x | `src/lib.rs` |", "not four cells");
}
