//! Grounds: requirements that were not met, each with its day; and what must never be one (policy M). Read from
//! mails, a line for each thing, and from orders.

use super::mails;
use crate::kernel::workflow::Refusal;
use crate::letters::acts::{self, Act, Item};
use crate::letters::fold::fold;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Characters of a note, a step or reasons.
const LONGEST: usize = 4_000;
/// Bytes of the note to a failure, of the reasons of a proposal and of its exception: the notice must hold all of them
/// whole, in any script, and no mail is longer than 30,000 bytes.
const NOTE: usize = 150;
pub(super) const REASONS: usize = 1_500;
pub(super) const EXCEPTION: usize = 600;
/// Failures that are kept.
pub(super) const FAILURES: usize = 8;
/// Lines of a mail that are looked at.
const MAX_LINES: usize = 500;

/// What is asked of a structure; failing in it, persistently, may be a ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requirement {
    /// Its report every two years.
    Report,
    /// Two to four representatives who can be reached.
    Representatives,
    /// It passes on to its members what it gets.
    Distribution,
    /// Current information about it on the web.
    Web,
    PublicContact,
    SelfSupporting,
    /// People of its region prevail in it.
    Region,
    /// Its leadership knows and agrees.
    Leadership,
    /// It has members besides its leaders and representatives.
    Members,
}

impl Requirement {
    /// In the order of their numbers in mails, from 1.
    pub const ALL: [Requirement; 9] = [
        Requirement::Report,
        Requirement::Representatives,
        Requirement::Distribution,
        Requirement::Web,
        Requirement::PublicContact,
        Requirement::SelfSupporting,
        Requirement::Region,
        Requirement::Leadership,
        Requirement::Members,
    ];

    fn numbered(number: u8) -> Option<Requirement> {
        Requirement::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// What must not be a ground: no structure is judged by participation (policy M).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoGround {
    NotVoting,
    /// Not taking part in activities.
    NoActivities,
    /// Not producing active participants.
    NoParticipants,
    /// A rule on participation that a region made for itself.
    RegionalRule,
}

static PHRASES: LazyLock<Vec<(NoGround, String)>> = LazyLock::new(|| {
    let table: HashMap<NoGround, Vec<String>> =
        toml::from_str(include_str!("no-grounds.toml")).expect("a test holds the phrases");
    table.into_iter().flat_map(|(what, all)| all.into_iter().map(move |p| (what, fold(&p).into()))).collect()
});

impl NoGround {
    /// What of this a text cites, if anything.
    pub(super) fn cited_in(text: &str) -> Option<NoGround> {
        let text = fold(text);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        PHRASES.iter().filter(|(_, phrase)| text.contains(phrase.as_str())).map(|(what, _)| *what).min()
    }
}

/// One time that a requirement was not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub requirement: Requirement,
    pub date: NaiveDate,
    pub note: String,
}

/// A failure as an order or a file names it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    requirement: String,
    date: NaiveDate,
    #[serde(default)]
    note: String,
}

impl Named {
    /// The failure; refused where what it names is none, or must not be one.
    pub(super) fn read(self, name: &str, today: NaiveDate) -> Result<Failure, Refusal> {
        let written = json!(self.requirement);
        if let Ok(what) = serde_json::from_value::<NoGround>(written.clone()) {
            return Err(not_a_ground(name, what));
        }
        let Ok(requirement) = serde_json::from_value::<Requirement>(written) else {
            let known = Requirement::ALL.map(|one| json!(one).as_str().unwrap_or_default().to_owned());
            let why = format!("{:?} is no requirement; write one of {}", self.requirement, known.join(", "));
            return Err(mails::unreadable(&why));
        };
        let failure = Failure { requirement, date: self.date, note: cut(&self.note) };
        failure.allowed(name, today)
    }
}

impl Failure {
    /// The same, unless it lies ahead or cites what must not be a ground.
    fn allowed(self, name: &str, today: NaiveDate) -> Result<Failure, Refusal> {
        if let Some(what) = NoGround::cited_in(&self.note) {
            return Err(not_a_ground(name, what));
        }
        if self.date > today {
            return Err(mails::not_done(name, "failure-ahead"));
        }
        if self.note.len() > NOTE {
            return Err(mails::not_done(name, "note-long"));
        }
        Ok(self)
    }
}

/// The rule, told to who cites what must not be a ground.
pub(super) fn not_a_ground(name: &str, what: NoGround) -> Refusal {
    Refusal::new("decertification/not-a-ground", json!({ "organisation": name, "what": what }))
}

/// What a mail says, line by line; what is no such line is `words`.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub acts: Vec<Act>,
    pub failures: Vec<Failure>,
    /// A line on a failure without a requirement of that number, or without its day.
    pub unclear: bool,
    /// Why it is proposed without several failures.
    pub exception: Option<String>,
    /// Questions to the structure.
    pub questions: Vec<String>,
    pub words: String,
}

impl Said {
    pub(super) fn of(text: &str) -> Said {
        let mut said = Said::default();
        let mut words: Vec<&str> = Vec::new();
        for written in text.lines().take(MAX_LINES) {
            let Some(line) = acts::line(written) else {
                words.push(written);
                continue;
            };
            match line.act {
                Act::Failed => match failure(&line) {
                    Some(failure) => said.failures.push(failure),
                    None => said.unclear = true,
                },
                Act::Exception => said.exception = Some(cut(line.note)).filter(|note| !note.is_empty()),
                Act::Ask if !line.note.is_empty() => said.questions.push(cut(line.note)),
                act => {
                    said.acts.push(act);
                    words.push(line.note);
                }
            }
        }
        said.words = cut(&words.join("\n"));
        said
    }

    pub(super) fn has(&self, act: Act) -> bool {
        self.acts.contains(&act)
    }

    /// The failures it names, if none lies ahead or must not be a ground.
    pub(super) fn failures(&self, name: &str, today: NaiveDate) -> Result<Vec<Failure>, Refusal> {
        self.failures.iter().map(|failure| failure.clone().allowed(name, today)).collect()
    }
}

/// "1 FAILED: 2026-05-31 no report came".
fn failure(line: &acts::Line<'_>) -> Option<Failure> {
    let Some(Item::Number(number)) = line.item else { return None };
    let requirement = Requirement::numbered(number)?;
    let note = line.note.trim();
    let (day, note) = note.split_once(char::is_whitespace).unwrap_or((note, ""));
    let date = day.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok()?;
    Some(Failure { requirement, date, note: cut(note) })
}

pub(super) fn cut(text: &str) -> String {
    text.trim().chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_a_ground_is_noticed_in_every_language() {
        let check = |text: &str, what| assert_eq!(NoGround::cited_in(text), what, "{text}");
        let voting = Some(NoGround::NotVoting);
        for text in [
            "They DID NOT  vote in 2025.",
            "L’ALS n’a pas voté.",
            "La ALS no votó en 2025",
            "Ela nunca votou",
            "Организация не голосовала",
            "该组织没有投票",
            "لم تصوّت الهيئة",
        ] {
            check(text, voting);
        }
        for text in [
            "low participation in calls",
            "Faible participation",
            "Не участвует в работе",
            "参与度低",
            "لا تشارك",
        ] {
            check(text, Some(NoGround::NoActivities));
        }
        check("there are no active members in working groups", Some(NoGround::NoParticipants));
        check("As the rules of our RALO demand", Some(NoGround::RegionalRule));
        for text in ["No report in 2024", "the web page is inactive", "no answer to three mails", ""] {
            check(text, None);
        }
    }

    #[test]
    fn a_mail_is_read_line_by_line() {
        let said = Said::of("PROPOSE\n1 FAILED: 2024-05-31 no report\n4. failed: 2025-01-02\nWe tried hard.");
        assert!(said.has(Act::Propose) && !said.unclear);
        let found: Vec<_> = said.failures.iter().map(|f| (f.requirement, f.date.to_string())).collect();
        let expected = [(Requirement::Report, "2024-05-31"), (Requirement::Web, "2025-01-02")];
        assert_eq!(found, expected.map(|(r, day)| (r, day.to_owned())));
        assert_eq!(said.failures[0].note, "no report");
        assert_eq!(said.words, "We tried hard.");
        for text in ["1 FAILED: last May", "FAILED: 2024-05-31", "10 FAILED: 2024-05-31 x"] {
            let said = Said::of(text);
            assert!(said.failures.is_empty() && (said.unclear || !said.words.is_empty()), "{text}");
        }
    }

    #[test]
    fn a_failure_has_a_requirement_and_a_day_that_is_past() {
        let today: NaiveDate = "2026-12-01".parse().unwrap();
        let read = |requirement: &str, day: &str| {
            let named =
                Named { requirement: requirement.into(), date: day.parse().unwrap(), note: "n".into() };
            named.read("O", today).map_err(|refusal| refusal.template)
        };
        assert_eq!(read("report", "2026-12-01").unwrap().requirement, Requirement::Report);
        assert_eq!(read("report", "2026-12-02"), Err("decertification/not-done"));
        assert_eq!(read("not-voting", "2026-01-01"), Err("decertification/not-a-ground"));
        assert_eq!(read("no-activities", "2026-01-01"), Err("decertification/not-a-ground"));
        assert_eq!(read("laziness", "2026-01-01"), Err("decertification/unreadable"));
    }
}
