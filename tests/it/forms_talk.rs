//! Conversations about a form, from the mail that asks to the receipt, through rendering and reading.

use crate::forms::{RENDERER, answers, application, plain, quoted};
use crate::render::{parsed, recipient, row, send};
use atlarged::kernel::assurance::Assurance;
use atlarged::kernel::form::{Draft, Form, FormTalk, Mode, Outcome, Value};
use atlarged::kernel::ids::{Party, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::said::{Problem, Said};
use atlarged::kernel::workflow::{Asks, Notice, Reply};
use atlarged::letters::form::sheet;
use atlarged::workflows::forms::{Turn, answer, ask};
use serde_json::Value as Json;

const NOW: &str = "2026-11-23T10:00:00Z";

fn reply(raw: &[u8]) -> Reply {
    Reply {
        from: Party::Person(PersonId(17)),
        answers: None,
        said: Said {
            text: String::new(),
            choice: None,
            problem: Problem::NoAnswer,
            commands: vec![],
            language: None,
            sheet: Some(sheet(raw)),
        },
        arrived: NOW.parse().expect("a time"),
        assurance: Assurance::default(),
        nonce: String::new(),
        desk: Json::Null,
    }
}

fn shown(notice: &Notice, language: Language) -> String {
    let row = row(notice.template, notice.data.clone(), notice.asks);
    let mail = send(&RENDERER, &row, &recipient(language)).expect("it renders");
    parsed(&mail).body_text(0).expect("a text part").replace("\r\n", "\n")
}

fn say(form: &Form, talk: &FormTalk, body: &str) -> Turn {
    answer(form, talk, &reply(&plain(body)), "form", NOW.parse().expect("a time"))
}

fn word(language: Language, constant: &str) -> String {
    let path = format!("{}/templates/_words/{language}.toml", env!("CARGO_MANIFEST_DIR"));
    let words: toml::Table = std::fs::read_to_string(path).expect("words").parse().expect("TOML");
    words["words"][constant].as_str().expect("a word").to_owned()
}

fn known() -> Draft {
    let known = answers(Language::En).into_iter().filter(|(id, _, _)| *id != "other-icann");
    Draft::prefilled(known.map(|(id, _, value)| (id.to_owned(), value)))
}

#[test]
fn one_word_confirms_a_form_that_was_filled_in_before() {
    let form = application();
    for language in Language::ALL {
        let talk = FormTalk::new(&form, language, known());
        let mail = shown(&ask(&form, &talk, "form", Party::Person(PersonId(17))), language);
        for body in [
            format!("{}\n\n{}", word(language, "no_change"), quoted(&mail)),
            format!("{}.\n\n{mail}", word(language, "no_change").to_lowercase()),
        ] {
            let turn = say(&form, &talk, &body);
            assert_eq!(turn.outcome, Outcome::Complete { changed: vec![] }, "{language} {:?}", turn.reading);
            assert_eq!(turn.talk.draft, talk.draft);
            assert_eq!((turn.notice.template, turn.notice.asks), ("form/receipt", Asks::Form));
        }
        let silent = say(&form, &talk, &quoted(&mail));
        assert_eq!(silent.outcome, Outcome::NothingUnderstood { offer_questions: false }, "{language}");
    }
}

#[test]
fn a_form_is_completed_over_several_mails() {
    let form = application();
    for language in Language::ALL {
        let talk = FormTalk::new(&form, language, Draft::default());
        let lines = |from: usize, to: usize| -> String {
            let some = answers(language).into_iter().filter_map(|(id, answer, _)| {
                let (number, _) = form.field(id)?;
                (from..to).contains(&number).then(|| format!("{number}. {answer}\n"))
            });
            some.collect()
        };
        let first = say(&form, &talk, &lines(1, 10));
        assert!(matches!(first.outcome, Outcome::StillMissing { .. }), "{language}");
        let mail = shown(&first.notice, language);
        let second = say(&form, &first.talk, &format!("{}\n{}", lines(10, 25), quoted(&mail)));
        let Outcome::StillMissing { lacks, .. } = &second.outcome else {
            panic!("{language} {:?}", second.outcome)
        };
        assert_eq!(lacks.iter().map(|l| l.field.as_str()).collect::<Vec<_>>(), ["certifies"], "{language}");
        // One thing is left: its answer needs no number.
        let mail = shown(&second.notice, language);
        let third = say(&form, &second.talk, &format!("{}\n\n{}", word(language, "yes"), quoted(&mail)));
        assert_eq!(third.outcome, Outcome::Complete { changed: vec!["certifies".into()] }, "{language}");
        // The receipt quoted back says nothing; a correction in it does.
        let receipt = shown(&third.notice, language);
        let quiet = say(&form, &third.talk, &quoted(&receipt));
        assert!(matches!(quiet.outcome, Outcome::NothingUnderstood { .. }), "{language} {:?}", quiet.reading);
        let mended = say(&form, &third.talk, &format!("3. Peru\n\n{}", quoted(&receipt)));
        assert_eq!(mended.outcome, Outcome::Complete { changed: vec!["country".into()] }, "{language}");
    }
}

#[test]
fn one_question_per_mail_fills_the_whole_form() {
    let form = application();
    for language in Language::ALL {
        let talk = FormTalk::new(&form, language, Draft::default());
        let mut turn = say(&form, &talk, &word(language, "questions"));
        let expected: Vec<(&str, String, Value)> = answers(language);
        for _ in 0..form.fields.len() {
            let Mode::Question(field) = turn.talk.mode.clone() else { break };
            let mail = shown(&turn.notice, language);
            let said = expected.iter().find(|(id, _, _)| *id == field);
            let said = said.map_or_else(|| word(language, "skip"), |(_, said, _)| said.clone());
            turn = say(&form, &turn.talk, &format!("{said}\n\n{}", quoted(&mail)));
        }
        assert!(matches!(turn.outcome, Outcome::Complete { .. }), "{language} {:?}", turn.outcome);
        for (id, _, value) in expected.iter().filter(|(id, _, _)| *id != "other-icann") {
            assert_eq!(turn.talk.draft.value(id), Some(value), "{language} {id}");
        }
    }
}

#[test]
fn questions_lead_back_to_the_form_and_are_offered_to_who_is_not_understood() {
    let form = application();
    for language in Language::ALL {
        let talk = FormTalk::new(&form, language, Draft::default());
        let first = say(&form, &talk, "Hello!");
        assert_eq!(first.outcome, Outcome::NothingUnderstood { offer_questions: false }, "{language}");
        let second = say(&form, &first.talk, "Hello?");
        assert_eq!(second.outcome, Outcome::NothingUnderstood { offer_questions: true }, "{language}");
        assert!(shown(&second.notice, language).contains(&word(language, "questions")));
        let asked = say(&form, &second.talk, &word(language, "questions"));
        assert_eq!(asked.notice.template, "form/question");
        let whole = say(&form, &asked.talk, &word(language, "form"));
        assert_eq!((whole.outcome, whole.notice.template), (Outcome::SendWhole, "form/whole"), "{language}");
    }
}

#[test]
fn what_could_not_be_read_is_named_and_asked_again() {
    let form = application();
    let talk = FormTalk::new(&form, Language::En, known());
    let turn = say(&form, &talk, "12. many of us\n3. Congo\n4. 03/04/2012\n");
    let Outcome::StillMissing { lacks, .. } = &turn.outcome else { panic!("{:?}", turn.outcome) };
    assert_eq!(lacks.len(), 3);
    let mail = shown(&turn.notice, Language::En);
    for expected in ["many of us", "Congo - Kinshasa", "2012-03-04", "12. Number of members:"] {
        assert!(mail.contains(expected), "{expected}:\n{mail}");
    }
    assert!(!mail.contains("10. Goals"), "{mail}");
    let mended = say(&form, &turn.talk, &format!("12. 300\n4. 3 April 2012\n3. COD\n\n{}", quoted(&mail)));
    assert!(matches!(mended.outcome, Outcome::Complete { .. }), "{:?}", mended.outcome);
}
