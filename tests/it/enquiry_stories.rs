//! Enquiries and the clerk's own desk: what is answered, by whom, and what staff are asked.

use atlarged::advance::{self, Before, CaseRow};
use atlarged::kernel::assurance::Assurance;
use atlarged::kernel::ids::{CaseId, NoticeId, Party, PersonId, StrangerId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Person, Role, RoleHeld};
use atlarged::kernel::register::{Change, Register};
use atlarged::kernel::said::{Command, Problem, Said};
use atlarged::kernel::workflow::{Answers, Input, Opening, Order, Reply, Undelivered};
use atlarged::letters::acts::note;
use atlarged::workflows::{Kind, Policies, Surroundings};
use chrono::{DateTime, Duration, Utc};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

const STAFF: Party = Party::Person(PersonId(1));
const DEPUTY: Party = Party::Person(PersonId(2));
const MEMBER: Party = Party::Person(PersonId(3));
const STRANGER: Party = Party::Stranger(StrangerId(9));

fn register() -> Register {
    let person = |id, role| {
        let from = DateTime::UNIX_EPOCH;
        let role = RoleHeld { role, region: None, organisation: None, from, until: None };
        Change::Person(Person {
            id: PersonId(id),
            name: format!("N{id}"),
            language: Language::En,
            zone: chrono_tz::UTC,
            addresses: vec![format!("p{id}@a.example")],
            roles: vec![role],
        })
    };
    Register::fold(&[person(1, Role::Staff), person(2, Role::StaffDeputy), person(3, Role::AlacMember)])
}

/// Stands in every note of staff's, and may be in no mail but theirs.
const NOTED: &str = "heron";

/// What happens, in order; the transcript says who gets what.
enum Event {
    Opens(&'static str, Value),
    Says { from: Party, to_label: &'static str, text: &'static str, commands: Vec<Command>, sure: bool },
    Desk(Party, Value, Vec<Command>),
    Orders(u32, &'static str, Value),
    Clock(i64),
    Bounces(&'static str, Party),
}

fn reply(from: Party, label: &str, text: &str, commands: Vec<Command>, sure: bool, desk: Value) -> Input {
    let notice = NoticeId { case: CaseId(5), seq: 0, n: 0 };
    Input::Reply(Reply {
        from,
        answers: (!label.is_empty()).then(|| Answers { notice, label: label.into(), to: from }),
        said: Said {
            text: text.into(),
            choice: None,
            problem: Problem::NoAnswer,
            commands,
            language: None,
            sheet: None,
        },
        arrived: DateTime::UNIX_EPOCH,
        assurance: Assurance { token: true, from_on_file: true, aligned: sure, confirmed: false },
        nonce: String::new(),
        desk,
    })
}

fn check(events: Vec<Event>, expected: Expect) {
    let (register, policies) = (register(), Policies::default());
    let mut row: Option<CaseRow> = None;
    let mut told = String::new();
    let mut now: DateTime<Utc> = DateTime::UNIX_EPOCH;
    for event in events {
        let known = || row.clone().expect("a case");
        let before = match event {
            Event::Opens(kind, body) => Before::Opening(Opening {
                kind: kind.into(),
                parent: None,
                by: None,
                body,
                arrived: now,
                nonce: String::new(),
            }),
            Event::Says { from, to_label, text, commands, sure } => {
                Before::Case(known(), reply(from, to_label, text, commands, sure, Value::Null))
            }
            Event::Desk(from, desk, commands) => {
                Before::Case(known(), reply(from, "", "", commands, true, desk))
            }
            Event::Orders(by, verb, args) => Before::Case(
                known(),
                Input::Order(Order {
                    by: PersonId(by),
                    verb: verb.into(),
                    args,
                    at: now,
                    os_user: String::new(),
                    nonce: String::new(),
                }),
            ),
            Event::Clock(days) => {
                now += Duration::days(days);
                Before::Case(known(), Input::Wake)
            }
            Event::Bounces(label, to) => Before::Case(
                known(),
                Input::Undelivered(Undelivered {
                    notice: NoticeId { case: CaseId(5), seq: 0, n: 0 },
                    label: label.into(),
                    to,
                    address: 0,
                    permanent: true,
                    status: None,
                    at: now,
                }),
            ),
        };
        let at = Surroundings { case: CaseId(5), now, policies: &policies, register: &register };
        let commit = advance::advance(before, None, &at, "test").expect("a step");
        for task in &commit.tasks {
            let known = Kind::Enquiry.tasks().iter().any(|(template, _)| *template == task.template);
            assert!(known, "{} is not among the tasks an enquiry says it can ask for", task.template);
        }
        for mail in &commit.outbox {
            let notes = mail.data.get("notes").and_then(Value::as_array).map_or(0, Vec::len);
            let notes = if notes > 0 { format!(" with {notes} notes") } else { String::new() };
            told.push_str(&format!("{} → {}{notes}\n", mail.template, mail.to));
            let for_staff = [STAFF, DEPUTY].contains(&mail.to);
            assert!(for_staff || !mail.data.to_string().contains(NOTED), "{} to {}", mail.template, mail.to);
        }
        for letter in &commit.letters {
            if let advance::LetterBody::Opens(opening) = &letter.body {
                told.push_str(&format!("opens {}: {}\n", opening.kind, opening.body));
            }
        }
        for change in &commit.changes {
            told.push_str(&format!("register: {change:?}\n"));
        }
        let moved = row.as_ref().is_none_or(|row| row.phase != commit.case.phase);
        told.push_str(&if moved { format!("[{}]\n", commit.case.phase) } else { "-\n".to_owned() });
        row = Some(commit.case);
    }
    expected.assert_eq(&told);
}

fn asked(from: Party, acknowledge: bool) -> Event {
    let body =
        json!({ "from": from, "subject": "Joining", "text": "How do we join?", "acknowledge": acknowledge });
    Event::Opens("enquiry", body)
}

fn says(from: Party, to_label: &'static str, text: &'static str) -> Event {
    Event::Says { from, to_label, text, commands: vec![], sure: true }
}

#[test]
fn an_enquiry_is_acknowledged_handed_to_staff_and_answered_by_their_reply() {
    check(
        vec![
            asked(STRANGER, true),
            says(STAFF, "task", "Write to us with …"),
            says(STRANGER, "answer", "And then?"),
            says(STAFF, "task", ""),
            says(MEMBER, "task", "I know!"),
            says(STAFF, "task", "Then you wait."),
            says(DEPUTY, "task", "Late."),
        ],
        expect![[r#"
            enquiry/task → p1
            enquiry/received → s9
            [waiting]
            enquiry/answer → s9
            enquiry/done → p1
            [answered]
            enquiry/task → p1
            enquiry/received → s9
            [waiting]
            enquiry/empty → p1
            -
            enquiry/not-staff → p3
            -
            enquiry/answer → s9
            enquiry/done → p1
            [answered]
            enquiry/already-answered → p2
            -
        "#]],
    );
}

#[test]
fn staff_who_do_not_answer_are_reminded_and_then_their_deputies_asked() {
    check(
        vec![asked(MEMBER, true), Event::Clock(3), Event::Clock(3), says(DEPUTY, "task", "Hello")],
        expect![[r#"
            enquiry/task → p1
            enquiry/received → p3
            [waiting]
            enquiry/reminder → p1
            -
            enquiry/reminder → p2
            -
            enquiry/answer → p3
            enquiry/done → p2
            office/task-taken → p1
            [answered]
        "#]],
    );
}

#[test]
fn an_answer_by_staff_must_surely_be_theirs() {
    let unsure = Event::Says { from: STAFF, to_label: "task", text: "Hi", commands: vec![], sure: false };
    check(
        vec![asked(MEMBER, false), unsure],
        expect![[r#"
        enquiry/task → p1
        [waiting]
        enquiry/unsure → p1
        -
    "#]],
    );
}

#[test]
fn an_answer_that_comes_back_is_a_task_that_can_be_closed() {
    check(
        vec![
            asked(STRANGER, true),
            says(STAFF, "task", "Like this"),
            Event::Bounces("answer", STRANGER),
            says(STAFF, "undeliverable", "I called."),
        ],
        expect![[r#"
            enquiry/task → p1
            enquiry/received → s9
            [waiting]
            enquiry/answer → s9
            enquiry/done → p1
            [answered]
            enquiry/undeliverable → p1
            -
            enquiry/done → p1
            -
        "#]],
    );
}

#[test]
fn staff_answer_at_the_keyboard_too() {
    check(
        vec![
            asked(STRANGER, true),
            Event::Orders(3, "answer", json!({ "text": "I know!" })),
            Event::Orders(1, "answer", json!({})),
            Event::Orders(2, "answer", json!({ "text": "Like this" })),
            Event::Bounces("answer", STRANGER),
            Event::Clock(3),
            Event::Orders(1, "done", Value::Null),
            Event::Orders(1, "answer", json!({ "text": "Once more" })),
        ],
        expect![[r#"
            enquiry/task → p1
            enquiry/received → s9
            [waiting]
            -
            -
            enquiry/answer → s9
            office/task-taken → p1
            [answered]
            enquiry/undeliverable → p1
            -
            enquiry/undeliverable → p2
            -
            office/task-taken → p2
            -
            -
        "#]],
    );
}

#[test]
fn the_office_answers_commands_and_says_why_a_mail_was_not_taken() {
    let why = |why: &str| json!({ "why": why, "waits": [] });
    check(
        vec![
            Event::Opens("office", Value::Null),
            Event::Desk(MEMBER, why("commands"), vec![Command::Language(Language::Fr), Command::Help]),
            Event::Desk(STRANGER, why("commands"), vec![Command::Language(Language::Fr)]),
            Event::Desk(MEMBER, why("unknown-token"), vec![]),
            Event::Desk(MEMBER, why("too-large"), vec![]),
            Event::Desk(MEMBER, why("which-matter"), vec![]),
        ],
        expect![[r#"
            [staffed]
            office/transcript → p3
            register: Language(PersonId(3), Fr)
            -
            office/transcript → s9
            -
            office/unknown-token → p3
            -
            office/too-large → p3
            -
            office/which-matter → p3
            -
        "#]],
    );
}

#[test]
fn who_applies_is_sent_the_form_by_a_case_of_its_own() {
    let why = json!({ "why": "commands", "waits": [] });
    check(
        vec![
            Event::Opens("office", Value::Null),
            Event::Desk(STRANGER, why.clone(), vec![Command::Apply]),
            Event::Desk(MEMBER, why, vec![Command::Apply, Command::Language(Language::Zh)]),
        ],
        expect![[r#"
            [staffed]
            office/transcript → s9
            opens accreditation: {"from":"s9","language":"en"}
            -
            office/transcript → p3
            opens accreditation: {"from":"p3","language":"en"}
            register: Language(PersonId(3), Zh)
            -
        "#]],
    );
}

#[test]
fn staff_keep_notes_with_an_enquiry_that_nobody_else_sees() {
    check(
        vec![
            asked(STRANGER, true),
            says(STAFF, "task", "NOTE: heron called us"),
            says(STAFF, "noted", "And again, the heron."),
            says(STAFF, "noted", ""),
            says(MEMBER, "task", "NOTE: a heron"),
            Event::Says { from: STAFF, to_label: "task", text: "NOTE: heron", commands: vec![], sure: false },
            Event::Orders(2, "note", json!({ "text": "a third heron" })),
            Event::Orders(3, "note", json!({ "text": "a heron of mine" })),
            Event::Orders(1, "note", json!({})),
            Event::Clock(3),
            says(STAFF, "task", "Like this."),
            says(DEPUTY, "task", "Nota: la heron quatre"),
            Event::Bounces("answer", STRANGER),
            says(STRANGER, "answer", "And then?"),
        ],
        expect![[r#"
            enquiry/task → p1
            enquiry/received → s9
            [waiting]
            enquiry/noted → p1
            -
            enquiry/noted → p1
            -
            enquiry/empty → p1
            -
            enquiry/not-staff → p3
            -
            enquiry/unsure → p1
            -
            -
            -
            -
            enquiry/reminder → p1 with 3 notes
            -
            enquiry/answer → s9
            enquiry/done → p1
            [answered]
            enquiry/noted → p2
            -
            enquiry/undeliverable → p1 with 4 notes
            -
            enquiry/task → p1 with 4 notes
            enquiry/received → s9
            [waiting]
        "#]],
    );
}

#[test]
fn the_word_for_a_note_is_understood_as_printed() {
    for language in Language::ALL {
        let path = format!("{}/templates/_words/{language}.toml", env!("CARGO_MANIFEST_DIR"));
        let words: toml::Table = std::fs::read_to_string(path).expect("words").parse().expect("TOML");
        let word = words["words"]["note"].as_str().expect("a word");
        for written in [format!("{word}: x"), format!("{}： x", word.to_lowercase()), format!("{word}\nx")] {
            assert_eq!(note(&written).as_deref(), Some("x"), "{written} in {language}");
        }
    }
}
