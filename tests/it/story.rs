//! Stories of ballots. A script's lines are `DAY HH:MM who: what`; the transcript says what came of each.
//! `mN` is a member, `s1` and `s2` are staff, `s3` is their deputy, `chair` is m1, m5 the Vice-Chair. Answers: YES NO ABSTAIN, SUPPORT (a word of
//! support), THANKS ("Yes, thank you"), BOTH, QUOTE (an answer only in the quote), WORDS, IF (a condition), WITHDRAW, RECUSE, CONFIRM, DECLINE.
//! `forged` after a name: the right token, an unproven From; `to:LABEL`: which mail is answered.

use atlarged::advance::{self, Before, CaseRow, Commit};
use atlarged::kernel::assurance::Assurance;
use atlarged::kernel::ballot::{Majority, Quorum, Rule};
use atlarged::kernel::choice::Choice;
use atlarged::kernel::duties::DEPUTY_FOR;
use atlarged::kernel::ids::{CaseId, NoticeId, Party, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Person, Role, RoleHeld};
use atlarged::kernel::register::{Change, Register};
use atlarged::kernel::said::{Command, Problem, Said};
use atlarged::kernel::workflow::{Answers, Input, Note, Opening, Order, Reply, Undelivered};
use atlarged::workflows::ballot::{ParentSays, Polarity, Secrecy, Voters};
use atlarged::workflows::{Kind, Policies, Surroundings};
use chrono::{DateTime, Duration, NaiveTime, Utc};
use expect_test::Expect;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Day 0 of every story: 1 December 2026.
fn day_zero() -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_083_200, 0).unwrap()
}

const STAFF: u32 = 100;

fn register() -> Register {
    let person = |id: u32, roles: &[Role], addresses: usize| {
        Change::Person(Person {
            id: PersonId(id),
            name: format!("N{id}"),
            language: Language::ALL[id as usize % 7],
            zone: chrono_tz::UTC,
            addresses: (0..addresses).map(|n| format!("p{id}.{n}@a.example")).collect(),
            roles: roles
                .iter()
                .map(|role| RoleHeld {
                    role: *role,
                    region: None,
                    organisation: None,
                    from: DateTime::UNIX_EPOCH,
                    until: None,
                })
                .collect(),
        })
    };
    let members = (1..=15).map(|id| match id {
        1 => person(id, &[Role::AlacMember, Role::AlacChair], 1),
        2 => person(id, &[Role::AlacMember], 2),
        5 => person(id, &[Role::AlacMember, Role::AlacViceChair], 1),
        _ => person(id, &[Role::AlacMember], 1),
    });
    let staff = [STAFF + 1, STAFF + 2].map(|id| person(id, &[Role::Staff], 1));
    let deputy = person(STAFF + 3, &[Role::StaffDeputy], 1);
    Register::fold(&members.chain(staff).chain([deputy]).collect::<Vec<_>>())
}

struct Story {
    register: Register,
    policies: Policies,
    row: Option<CaseRow>,
    transcript: String,
    nonce: u64,
    /// Of every mail written so far.
    labels: Vec<String>,
}

fn texts(word: &str) -> BTreeMap<Language, String> {
    Language::ALL.into_iter().map(|language| (language, word.to_owned())).collect()
}

fn party(name: &str) -> Party {
    let number = |digits: &str| digits.parse().unwrap();
    match name.split_at(1) {
        ("m", digits) => Party::Person(PersonId(number(digits))),
        ("s", digits) => Party::Person(PersonId(STAFF + number(digits))),
        _ => Party::Person(PersonId(1)),
    }
}

fn name(party: Party) -> String {
    match party {
        Party::Person(PersonId(id)) if id > STAFF => format!("s{}", id - STAFF),
        Party::Person(PersonId(id)) => format!("m{id}"),
        other => other.to_string(),
    }
}

fn said(word: &str) -> Said {
    let (choice, problem, commands) = match word {
        "YES" => (Some(Choice::Yes), Problem::None, vec![]),
        "NO" => (Some(Choice::No), Problem::None, vec![]),
        "ABSTAIN" => (Some(Choice::Abstain), Problem::None, vec![]),
        "SUPPORT" => (Some(Choice::Yes), Problem::SupportWord, vec![]),
        "BOTH" => (None, Problem::TwoAnswers, vec![]),
        "QUOTE" => (None, Problem::QuotedOnly, vec![]),
        "IF" => (None, Problem::Conditional, vec![]),
        "WITHDRAW" => (None, Problem::NoAnswer, vec![Command::Withdraw]),
        "RECUSE" => (None, Problem::NoAnswer, vec![Command::Recuse]),
        "CONFIRM" => (None, Problem::NoAnswer, vec![Command::Confirm]),
        "DECLINE" => (None, Problem::NoAnswer, vec![Command::Decline]),
        "THANKS" => (Some(Choice::Yes), Problem::None, vec![]),
        _ => (None, Problem::NoAnswer, vec![]),
    };
    let text = if word == "THANKS" { "Yes, thank you" } else { word };
    Said { text: text.to_owned(), choice, problem, commands, language: None, sheet: None }
}

impl Story {
    fn open(&mut self, words: &str, now: DateTime<Utc>) {
        let has = |word: &str| words.contains(word);
        let majority = if has("two-thirds") {
            Majority::TwoThirds { abstain_counts_as_cast: true }
        } else {
            Majority::OfQuorum
        };
        let opens = now + Duration::days(if has("planned") { 2 } else { 0 });
        let body = json!({
            "opens": opens, "closes": opens + Duration::days(5),
            "question": texts("Shall we?"), "yes_means": texts("we shall"), "no_means": texts("we shall not"),
            "polarity": if has("reversed") { Polarity::Reversed } else { Polarity::Straight },
            "rule": Rule { quorum: Quorum::default(), majority },
            "secrecy": if has("non-public") { Secrecy::NonPublic } else { Secrecy::Open },
            "voters": Voters::Alac,
        });
        let parent = has("child").then_some(CaseId(7));
        let opening = Opening {
            kind: "ballot".into(),
            parent,
            by: Some(PersonId(STAFF + 1)),
            body,
            arrived: now,
            nonce: String::new(),
        };
        self.advance(Before::Opening(opening), now);
    }

    fn advance(&mut self, before: Before, now: DateTime<Utc>) {
        let at = Surroundings { case: CaseId(9), now, policies: &self.policies, register: &self.register };
        let commit = advance::advance(before, None, &at, "test").unwrap();
        self.tell(&commit);
        self.row = Some(commit.case);
    }

    fn step(&mut self, input: Input, now: DateTime<Utc>) {
        let row = self.row.clone().unwrap();
        self.advance(Before::Case(row, input), now);
    }

    /// What came of a step: who gets what, what is published, the phase.
    fn tell(&mut self, commit: &Commit) {
        let mut mails: Vec<(String, Vec<String>)> = Vec::new();
        for task in &commit.tasks {
            let known = Kind::Ballot.tasks().iter().any(|(template, _)| *template == task.template);
            assert!(known, "{} is not among the tasks a ballot says it can ask for", task.template);
        }
        self.labels.extend(commit.outbox.iter().map(|row| row.label.clone()));
        for row in &commit.outbox {
            let word = |key: &str| row.data.get(key).and_then(|c| c.as_str()).map(|c| format!(" {c}"));
            let choice = word("choice").or_else(|| word("done"));
            let address = if row.address > 0 { format!("#{}", row.address) } else { String::new() };
            let deputy = if row.data.get(DEPUTY_FOR).is_some() { " (deputy)" } else { "" };
            let choice = choice.or_else(|| Some(deputy.to_owned()));
            let what =
                format!("{}{}", row.template.trim_start_matches("ballot/"), choice.unwrap_or_default());
            let to = format!("{}{address}", name(row.to));
            match mails.iter_mut().find(|(known, _)| *known == what) {
                Some((_, everybody)) => everybody.push(to),
                None => mails.push((what, vec![to])),
            }
        }
        for (what, to) in mails {
            let to = if to.len() == 15 { "all".to_owned() } else { to.join(" ") };
            writeln!(self.transcript, "    {what} → {to}").unwrap();
        }
        if commit.outbox.is_empty()
            && let Some(why) = commit.journal.outcome.strip_prefix("refused: ")
        {
            let template = why.split(' ').next().unwrap_or_default();
            writeln!(self.transcript, "    refused at the keyboard: {template}").unwrap();
        }
        for letter in &commit.letters {
            if let advance::LetterBody::ToCase(case, Input::Note(note)) = &letter.body {
                writeln!(self.transcript, "    note to {case}: {}", note.body).unwrap();
            }
        }
        for record in &commit.records {
            let body = &record.body;
            writeln!(self.transcript, "    published {}: {}", record.path, body["counts"]).unwrap();
        }
        let moved = self.row.as_ref().is_none_or(|row| row.phase != commit.case.phase);
        if moved {
            writeln!(self.transcript, "    [{}]", commit.case.phase).unwrap();
        }
    }

    fn reply(&mut self, who: &str, word: &str, now: DateTime<Utc>) {
        self.nonce += 1;
        let mut words = who.split_whitespace();
        let from = party(words.next().unwrap());
        let mut label = format!("ask:{from}");
        let mut to = from;
        let mut sure = true;
        for word in words {
            match word.split_once(':') {
                Some(("to", what)) if what.starts_with('m') => {
                    to = party(what);
                    label = format!("ask:{to}");
                }
                // The newest mail under a label that begins so.
                Some(("to", what)) => {
                    let begins = what.replace("mine", &from.to_string());
                    label =
                        self.labels.iter().rev().find(|l| l.starts_with(&begins)).cloned().unwrap_or(begins);
                }
                _ => sure = false,
            }
        }
        let confirmed = label.starts_with("confirm:");
        let assurance = Assurance { token: true, from_on_file: true, aligned: sure, confirmed };
        let notice = NoticeId { case: CaseId(9), seq: 0, n: 0 };
        let reply = Reply {
            from,
            answers: Some(Answers { notice, label, to }),
            said: said(word),
            arrived: now,
            assurance,
            nonce: format!("{:032x}", u128::from(self.nonce) << 64),
            desk: serde_json::Value::Null,
        };
        self.step(Input::Reply(reply), now);
    }

    fn order(&mut self, who: &str, words: &str, now: DateTime<Utc>) {
        let Party::Person(by) = party(who) else { panic!("{who} is nobody") };
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        let args =
            if rest.is_empty() { serde_json::Value::Null } else { serde_json::from_str(rest).unwrap() };
        let order = Order {
            by,
            verb: verb.into(),
            args,
            at: now,
            os_user: format!("account of {who}"),
            nonce: "00112233445566778899aabbccddeeff".into(),
        };
        self.step(Input::Order(order), now);
    }

    fn line(&mut self, line: &str) {
        writeln!(self.transcript, "{line}").unwrap();
        let mut parts = line.splitn(3, ' ');
        let day: i64 = parts.next().unwrap().parse().unwrap();
        let time = NaiveTime::parse_from_str(parts.next().unwrap(), "%H:%M").unwrap();
        let now = day_zero() + Duration::days(day) + time.signed_duration_since(NaiveTime::MIN);
        let (who, what) = parts.next().unwrap().split_once(": ").unwrap();
        match who {
            "open" => self.open(what, now),
            "clock" => self.step(Input::Wake, now),
            "parent" => {
                let says = match what {
                    "freeze" => ParentSays::Freeze,
                    "thaw" => ParentSays::Thaw,
                    _ => ParentSays::End,
                };
                let note = Note { from: CaseId(7), body: json!(says), arrived: now };
                self.step(Input::Note(note), now);
            }
            "bounce" => {
                let (to, address) = what.split_once('#').unwrap_or((what, "0"));
                let to = party(to);
                let bounce = Undelivered {
                    notice: NoticeId { case: CaseId(9), seq: 0, n: 0 },
                    label: format!("ask:{to}"),
                    to,
                    address: address.parse().unwrap(),
                    permanent: true,
                    status: Some("5.1.1".into()),
                    at: now,
                };
                self.step(Input::Undelivered(bounce), now);
            }
            "leaves" => {
                let Party::Person(id) = party(what) else { panic!() };
                let mut person = self.register.person(id).unwrap().clone();
                person.roles[0].until = Some(now);
                self.register.apply(&Change::Person(person));
            }
            who if what.starts_with("order ") => self.order(who, what.trim_start_matches("order "), now),
            who => self.reply(who, what, now),
        }
    }
}

/// The case a script ends in.
pub fn reach(script: &str) -> CaseRow {
    play(script).row.expect("the script opens a ballot")
}

/// Plays a script and holds what came of it against the transcript.
pub fn check(script: &str, expected: Expect) {
    expected.assert_eq(&play(script).transcript);
}

fn play(script: &str) -> Story {
    let mut story = Story {
        register: register(),
        policies: Policies::default(),
        row: None,
        transcript: String::new(),
        nonce: 0,
        labels: Vec::new(),
    };
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        story.line(line);
    }
    story
}
