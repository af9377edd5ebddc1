//! The pages for volunteers say what the clerk understands: every word they name stands in its mails, and is read
//! as what the page says.

use atlarged::kernel::choice::Choice;
use atlarged::kernel::language::Language;
use atlarged::kernel::said::{Command, Problem};
use atlarged::letters::{self, Letter, Trust};
use std::fs;

fn page(language: Language) -> String {
    let path = format!("docs/answering/{}.md", language.code());
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The word that our mails name in this language.
fn word(language: Language, name: &str) -> String {
    let path = format!("templates/_words/{}.toml", language.code());
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let words: toml::Table = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let word = words["words"].get(name).and_then(toml::Value::as_str);
    word.unwrap_or_else(|| panic!("{path} has no {name}")).to_owned()
}

/// A mail that says nothing else, as a program writes it.
fn mail(text: &str) -> Letter {
    let raw = format!(
        "From: somebody@mel.example\r\nTo: clerk@atlarge.example\r\nSubject: Re: a question\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
    );
    letters::read(raw.as_bytes(), &Trust::default())
}

/// The page and the table of all languages name the word.
#[track_caller]
fn check_named(language: Language, word: &str) {
    assert!(page(language).contains(&format!("**{word}**")), "{language:?}: **{word}**");
    let table = fs::read_to_string("docs/answering.md").expect("the table");
    assert!(table.contains(word), "{language:?}: {word} in the table");
}

#[test]
fn the_answers_on_the_pages_are_understood() {
    for language in Language::ALL {
        for (name, choice) in [("yes", Choice::Yes), ("no", Choice::No), ("abstain", Choice::Abstain)] {
            let word = word(language, name);
            check_named(language, &word);
            for written in [word.clone(), word.to_lowercase()] {
                let answer = mail(&written).answer;
                assert_eq!((answer.choice, answer.problem), (Some(choice), Problem::None), "{written}");
            }
        }
    }
}

#[test]
fn the_commands_on_the_pages_are_understood() {
    for language in Language::ALL {
        for (name, command) in [
            ("confirm", Command::Confirm),
            ("withdraw", Command::Withdraw),
            ("recuse", Command::Recuse),
            ("help", Command::Help),
            ("status", Command::Status),
            ("verify", Command::Verify),
        ] {
            let word = word(language, name);
            check_named(language, &word);
            assert_eq!(mail(&word).commands, [command], "{word}");
        }
    }
}

#[test]
fn every_language_can_be_asked_for_as_the_pages_say() {
    for language in Language::ALL {
        let word = word(language, "language");
        check_named(language, &word);
        for wanted in Language::ALL {
            let code = wanted.code().to_uppercase();
            assert!(page(language).contains(&code), "{language:?}: {code}");
            assert_eq!(
                mail(&format!("{word} {code}")).commands,
                [Command::Language(wanted)],
                "{word} {code}"
            );
        }
    }
}

#[test]
fn what_the_pages_warn_of_is_not_taken_for_an_answer() {
    let conditions = [
        "Yes, if the others agree",
        "Oui, si le budget suit",
        "Sí, siempre que haya presupuesto",
        "Sim, se houver orçamento",
        "Да, если хватит денег",
        "是，如果有预算",
        "نعم، إذا توفرت الميزانية",
    ];
    let contradictions =
        ["yes and no", "oui et non", "sí y no", "sim e não", "да и нет", "是或否", "نعم أو لا"];
    for text in conditions.iter().chain(&contradictions) {
        let answer = mail(text).answer;
        assert!(answer.choice.is_none() || answer.problem != Problem::None, "{text}: {answer:?}");
    }
}

#[test]
fn each_page_is_short_enough_for_a_phone_and_linked() {
    let index = fs::read_to_string("docs/answering.md").expect("the index");
    for language in Language::ALL {
        assert!(index.contains(&format!("(answering/{}.md)", language.code())), "{language:?}");
        let characters = page(language).chars().count();
        assert!((500..4_000).contains(&characters), "{language:?}: {characters} characters");
    }
}
