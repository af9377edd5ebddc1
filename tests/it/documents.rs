//! The documents are true: what they link to is there, and the commands they show are commands.

use atlarged::cli::Cli;
use atlarged::workflows::Kind;
use clap::Parser;
use clap::error::ErrorKind;
use std::fs;
use std::path::{Path, PathBuf};

/// Every document at the root, under docs/ and templates/.
fn documents() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in [".", "docs", "docs/answering", "templates"] {
        for entry in fs::read_dir(folder).expect(folder).flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path).expect("a text");
                found.push((path, text));
            }
        }
    }
    found
}

/// The targets of Markdown links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The name that a heading is linked by.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
    kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    let mut looked_at = 0;
    for (path, text) in documents() {
        for link in links(&text).filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap_or(Path::new(".")).join(file)
            };
            assert!(target.exists(), "{}: {link}", path.display());
            if !heading.is_empty() {
                let linked = fs::read_to_string(&target).expect("a text");
                let mut headings = linked.lines().filter(|line| line.starts_with('#'));
                let there = headings.any(|line| anchor(line.trim_start_matches('#')) == heading);
                assert!(there, "{}: {link}", path.display());
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 30, "only {looked_at} links");
}

/// A line of a shell, split into words; what comes after a comment or a redirection is left out.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            '#' | '>' | '|' if !quoted => break,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().expect("a word").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The command lines of a document: in blocks, and between backticks in a sentence.
fn commands(text: &str) -> Vec<(Vec<String>, bool)> {
    let mut found = Vec::new();
    for (n, block) in text.split("```").enumerate() {
        if n % 2 == 1 {
            found.extend(block.lines().map(|line| (words(line), true)));
        } else {
            found.extend(block.split('`').skip(1).step_by(2).map(|code| (words(code), false)));
        }
    }
    let ours = |(words, whole): (Vec<String>, bool)| {
        // The program, not the user or the package that bear its name: `sudo -u atlarged atlarged run`.
        let at = words.iter().rposition(|word| word == "atlarged" || word.ends_with("/release/atlarged"))?;
        let first = words.first().map(String::as_str);
        let run = at == 0 || first == Some("sudo") && words.get(1).is_some_and(|word| word == "-u");
        (run && words.len() > at + 1).then(|| (words[at..].to_vec(), whole))
    };
    found.into_iter().filter_map(ours).collect()
}

#[test]
fn every_command_shown_is_one() {
    let mut looked_at = 0;
    for (path, text) in documents() {
        for (command, whole) in commands(&text).into_iter().filter(|(command, _)| command[1] != "help") {
            looked_at += 1;
            let Err(error) = Cli::try_parse_from(&command) else { continue };
            // In a sentence a command may stand without what it needs; nowhere may it be another.
            let short = matches!(
                error.kind(),
                ErrorKind::MissingRequiredArgument
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                    | ErrorKind::MissingSubcommand
            );
            assert!(short && !whole, "{}: {command:?}: {error}", path.display());
        }
    }
    assert!(looked_at > 30, "only {looked_at} commands");
}

#[test]
fn every_task_has_its_twin_at_the_keyboard() {
    let operating = fs::read_to_string("docs/operating.md").expect("a text");
    let templates = crate::render::renderer_with(&[]).templates();
    for kind in Kind::ALL {
        for (template, orders) in kind.tasks() {
            assert!(templates.contains(&(*template).to_owned()), "{template} has no mail");
            assert!(!orders.is_empty(), "{template} can be done by reply alone");
            for order in *orders {
                let line = format!("`atlarged case order c42 {order}");
                assert!(operating.contains(&line), "docs/operating.md does not tell {line}");
            }
        }
    }
}
