//! Stories of ballots. A script's lines are `DAY HH:MM who: what`; the transcript says what came of each.
//! `mN` is a member, `s1` and `s2` are staff, `chair` is m1. Answers: YES NO ABSTAIN, SUPPORT (a word of
//! support), BOTH, QUOTE (an answer only in the quote), WORDS, IF (a condition), WITHDRAW, RECUSE, CONFIRM.
//! `forged` after a name: the right token, an unproven From; `to:LABEL`: which mail is answered.

use super::{Ballot, Matter, ParentSays, Polarity, Secrecy, Voters};
use crate::advance::{self, Before, CaseRow, Commit};
use crate::kernel::assurance::{Act, Assurance};
use crate::kernel::ballot::{Majority, Quorum, Rule};
use crate::kernel::choice::Choice;
use crate::kernel::ids::{CaseId, NoticeId, Party, PersonId};
use crate::kernel::language::Language;
use crate::kernel::people::{Person, Role, RoleHeld};
use crate::kernel::register::{Change, Register};
use crate::kernel::said::{Command, Problem, Said};
use crate::kernel::workflow::{Answers, Input, Note, Opening, Order, Reply, Undelivered};
use crate::workflows::{Policies, Surroundings};
use chrono::{DateTime, Duration, NaiveTime, Utc};
use expect_test::{Expect, expect};
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
        _ => person(id, &[Role::AlacMember], 1),
    });
    let staff = [STAFF + 1, STAFF + 2].map(|id| person(id, &[Role::Staff], 1));
    Register::fold(&members.chain(staff).collect::<Vec<_>>())
}

struct Story {
    register: Register,
    policies: Policies,
    row: Option<CaseRow>,
    transcript: String,
    nonce: u64,
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
        _ => (None, Problem::NoAnswer, vec![]),
    };
    Said { text: word.to_owned(), choice, problem, commands, language: None }
}

impl Story {
    fn open(&mut self, words: &str, now: DateTime<Utc>) {
        let has = |word: &str| words.contains(word);
        let majority = if has("two-thirds") {
            Majority::TwoThirds { abstain_counts_as_cast: true }
        } else {
            Majority::OfQuorum
        };
        let body = json!({
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
        let at =
            Surroundings { case: CaseId(9), now, policies: &self.policies, register: &self.register };
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
        for row in &commit.outbox {
            let choice = row.data.get("choice").and_then(|c| c.as_str()).map(|c| format!(" {c}"));
            let address = if row.address > 0 { format!("#{}", row.address) } else { String::new() };
            let what = format!("{}{}", row.template.trim_start_matches("ballot/"), choice.unwrap_or_default());
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
                Some(("to", what)) => label = what.replace("mine", &from.to_string()),
                _ => sure = false,
            }
        }
        let confirmed = label.starts_with("confirm");
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
        let args = if rest.is_empty() { serde_json::Value::Null } else { serde_json::from_str(rest).unwrap() };
        let order = Order {
            by,
            verb: verb.into(),
            args,
            at: now,
            os_user: "clerk".into(),
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
                let says = if what == "freeze" { ParentSays::Freeze } else { ParentSays::Thaw };
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

fn check(script: &str, expected: Expect) {
    let mut story = Story {
        register: register(),
        policies: Policies::default(),
        row: None,
        transcript: String::new(),
        nonce: 0,
    };
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        story.line(line);
    }
    expected.assert_eq(&story.transcript);
}

#[test]
fn eight_answers_carry_a_question_and_the_silent_are_reminded() {
    check(
        "0 09:00 open: straight open
         1 10:00 m1: YES
         1 10:01 m2: YES
         1 10:02 m3: YES
         1 10:03 m4: YES
         1 10:04 m5: YES
         1 10:05 m6: NO
         1 10:06 m7: NO
         3 09:00 clock: ticks
         3 10:00 m8: ABSTAIN
         5 09:00 clock: ticks",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 m1: YES
                receipt yes → m1
            1 10:01 m2: YES
                receipt yes → m2
            1 10:02 m3: YES
                receipt yes → m3
            1 10:03 m4: YES
                receipt yes → m4
            1 10:04 m5: YES
                receipt yes → m5
            1 10:05 m6: NO
                receipt no → m6
            1 10:06 m7: NO
                receipt no → m7
            3 09:00 clock: ticks
                reminder → m8 m9 m10 m11 m12 m13 m14 m15
            3 10:00 m8: ABSTAIN
                receipt abstain → m8
            5 09:00 clock: ticks
                result-carried → all
                published ballots/c9.json: {"abstain":1,"no":2,"yes":5}
                [closed]
        "#]],
    );
}

#[test]
fn the_last_answer_by_arrival_counts_and_each_is_acknowledged() {
    check(
        "0 09:00 open: straight open
         1 10:00 m1: YES
         2 10:00 m1: NO
         1 12:00 m1: ABSTAIN
         2 11:00 m1: WITHDRAW
         2 12:00 m2: RECUSE
         2 13:00 m2: YES",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 m1: YES
                receipt yes → m1
            2 10:00 m1: NO
                receipt-changed no → m1
            1 12:00 m1: ABSTAIN
                receipt-older no → m1
            2 11:00 m1: WITHDRAW
                withdrawn → m1
            2 12:00 m2: RECUSE
                recused → m2
            2 13:00 m2: YES
                receipt yes → m2
        "#]],
    );
}

#[test]
fn what_is_no_answer_is_refused_precisely_and_can_be_mended_in_one_word() {
    check(
        "0 09:00 open: straight open
         1 10:00 m1: BOTH
         1 10:01 m2: QUOTE
         1 10:02 m3: IF
         1 10:03 m4: WORDS
         1 10:04 m5: SUPPORT
         1 10:05 s1: YES
         1 10:06 m6 to:m7: YES
         1 10:07 m6: YES
         5 09:01 m7: YES",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 m1: BOTH
                two-answers → m1
            1 10:01 m2: QUOTE
                quoted-only → m2
            1 10:02 m3: IF
                unclear → m3
            1 10:03 m4: WORDS
                no-answer → m4
            1 10:04 m5: SUPPORT
                receipt yes → m5
            1 10:05 s1: YES
                not-a-voter → s1
            1 10:06 m6 to:m7: YES
                not-yours → m6
            1 10:07 m6: YES
                receipt yes → m6
            5 09:01 m7: YES
                late → m7
        "#]],
    );
}

#[test]
fn support_says_nothing_on_a_reversed_question() {
    check(
        "0 09:00 open: reversed open
         1 10:00 m1: SUPPORT
         1 10:01 m1: NO",
        expect![[r#"
            0 09:00 open: reversed open
                ballot → all
                [open]
            1 10:00 m1: SUPPORT
                support-word → m1
            1 10:01 m1: NO
                receipt no → m1
        "#]],
    );
}

#[test]
fn an_unproven_author_is_asked_at_the_address_on_file_and_the_close_waits_for_the_word() {
    check(
        "0 09:00 open: straight non-public
         1 10:00 m1 forged: YES
         1 10:01 m2 forged: NO
         1 10:02 m2 to:confirm:mine: YES
         1 10:03 m2 to:confirm:mine: CONFIRM
         5 09:00 clock: ticks
         5 20:00 m1 to:confirm:mine: CONFIRM
         6 09:01 clock: ticks",
        expect![[r#"
            0 09:00 open: straight non-public
                ballot → all
                [open]
            1 10:00 m1 forged: YES
                confirm yes → m1
            1 10:01 m2 forged: NO
                confirm no → m2
            1 10:02 m2 to:confirm:mine: YES
                confirm-unclear no → m2
            1 10:03 m2 to:confirm:mine: CONFIRM
                receipt no → m2
            5 09:00 clock: ticks
                [awaiting-confirmation]
            5 20:00 m1 to:confirm:mine: CONFIRM
                receipt yes → m1
            6 09:01 clock: ticks
                extended → m3 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15
                [open]
        "#]],
    );
}

#[test]
fn without_a_quorum_it_is_extended_then_run_again_then_the_chair_is_asked() {
    check(
        "0 09:00 open: straight open child
         1 10:00 m3: YES
         5 09:00 clock: ticks
         8 09:00 clock: ticks
         9 10:00 m3: YES
         13 09:00 clock: ticks
         16 09:00 clock: ticks
         23 09:00 clock: ticks
         23 10:00 m4: YES
         23 11:00 chair to:escalation: WORDS
         23 12:00 chair to:escalation: YES
         24 10:00 m4: YES",
        expect![[r#"
            0 09:00 open: straight open child
                ballot → all
                [open]
            1 10:00 m3: YES
                receipt yes → m3
            5 09:00 clock: ticks
                extended → m1 m2 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15
                note to c7: {"extended_to":"2026-12-09T09:00:00Z"}
            8 09:00 clock: ticks
                rerun → all
            9 10:00 m3: YES
                receipt yes → m3
            13 09:00 clock: ticks
                extended → m1 m2 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15
                note to c7: {"extended_to":"2026-12-17T09:00:00Z"}
            16 09:00 clock: ticks
                result-inquorate → all
                escalation → m1
                note to c7: {"ballot":"inquorate"}
                published ballots/c9.json: {"abstain":0,"no":0,"yes":1}
                [escalated]
            23 09:00 clock: ticks
                escalation → m1
            23 10:00 m4: YES
                late → m4
            23 11:00 chair to:escalation: WORDS
                decision-unclear → m1
            23 12:00 chair to:escalation: YES
                rerun → all
                task-done → m1
                [open]
            24 10:00 m4: YES
                receipt yes → m4
        "#]],
    );
}

#[test]
fn a_freeze_stops_the_clock_and_keeps_the_answers() {
    check(
        "0 09:00 open: straight open child
         1 09:00 parent: freeze
         2 09:00 m1: YES
         5 09:00 clock: ticks
         7 09:00 m2: YES
         8 09:00 parent: thaw
         11 10:00 m3: YES
         12 09:00 m4: YES
         12 09:01 m5: YES",
        expect![[r#"
            0 09:00 open: straight open child
                ballot → all
                [open]
            1 09:00 parent: freeze
                frozen → all
                [frozen]
            2 09:00 m1: YES
                receipt yes → m1
            5 09:00 clock: ticks
            7 09:00 m2: YES
                receipt yes → m2
            8 09:00 parent: thaw
                thawed → all
                [open]
            11 10:00 m3: YES
                receipt yes → m3
            12 09:00 m4: YES
                receipt yes → m4
            12 09:01 m5: YES
                late → m5
        "#]],
    );
}

#[test]
fn a_ballot_opened_wrongly_is_annulled_by_two_people() {
    check(
        r#"0 09:00 open: straight open child
         1 10:00 m1: YES
         1 11:00 m3: order annul {"reason":"wrong question"}
         1 11:01 s1: order annul {"reason":"wrong question"}
         1 11:02 s1: order confirm-annul
         1 11:03 s2 to:annulment: WORDS
         1 11:04 s2 to:annulment: YES
         1 12:00 m2: YES"#,
        expect![[r#"
            0 09:00 open: straight open child
                ballot → all
                [open]
            1 10:00 m1: YES
                receipt yes → m1
            1 11:00 m3: order annul {"reason":"wrong question"}
                refused at the keyboard: ballot/not-staff
            1 11:01 s1: order annul {"reason":"wrong question"}
                annul-confirm → m1 s2
            1 11:02 s1: order confirm-annul
                refused at the keyboard: ballot/second-person
            1 11:03 s2 to:annulment: WORDS
                decision-unclear → s2
            1 11:04 s2 to:annulment: YES
                annulled → all
                task-done → s2
                note to c7: {"ballot":"annulled"}
                published ballots/c9.json: {"abstain":0,"no":0,"yes":0}
                [annulled]
            1 12:00 m2: YES
                was-annulled → m2
        "#]],
    );
}

#[test]
fn a_paper_ballot_is_entered_by_staff_and_the_voter_is_told() {
    check(
        r#"0 09:00 open: straight open
         1 10:00 s1: order record {"voter":"p3","choice":"no","reference":"folder 7"}
         1 10:00 s1: order record {"voter":"p77","choice":"no","reference":"folder 7"}
         1 11:00 m3: YES"#,
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 s1: order record {"voter":"p3","choice":"no","reference":"folder 7"}
                receipt-paper no → m3
            1 10:00 s1: order record {"voter":"p77","choice":"no","reference":"folder 7"}
                refused at the keyboard: ballot/not-a-voter
            1 11:00 m3: YES
                receipt-changed yes → m3
        "#]],
    );
}

#[test]
fn a_ballot_that_bounces_goes_to_the_next_address_and_then_becomes_a_task() {
    check(
        "0 09:00 open: straight open
         0 09:05 bounce: m2
         0 09:06 bounce: m2#1
         0 09:07 bounce: m3
         0 10:00 s1 to:unreachable:p3: WORDS
         1 09:00 m2: YES",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            0 09:05 bounce: m2
                ballot → m2#1
            0 09:06 bounce: m2#1
                unreachable → s1 s2
            0 09:07 bounce: m3
                unreachable → s1 s2
            0 10:00 s1 to:unreachable:p3: WORDS
                task-done → s1
            1 09:00 m2: YES
                receipt yes → m2
        "#]],
    );
}

#[test]
fn an_electorate_that_changes_in_the_middle_changes_nothing() {
    check(
        "0 09:00 open: two-thirds open
         1 09:00 leaves: m3
         1 10:00 m3: YES",
        expect![[r#"
            0 09:00 open: two-thirds open
                ballot → all
                [open]
            1 09:00 leaves: m3
            1 10:00 m3: YES
                receipt yes → m3
        "#]],
    );
}

#[test]
fn a_matter_names_its_question_in_lists() {
    let matter = Matter {
        question: texts("Shall we?"),
        yes_means: texts("a"),
        no_means: texts("b"),
        polarity: Polarity::Straight,
        rule: Rule { quorum: Quorum::default(), majority: Majority::OfQuorum },
        secrecy: Secrecy::Open,
        act: Act::Vote,
        voters: Voters::Alac,
        opens: day_zero(),
        closes: day_zero(),
        parent: None,
        by: None,
    };
    assert_eq!(crate::kernel::workflow::Workflow::title(&Ballot::Planned(matter)), "Shall we?");
}
