//! What people send back in answer to a mail of ours is understood: the circle from rendering to reading.

use crate::render::{ballot, minter, parsed, recipient, renderer_of_ballots, send};
use atlarged::advance::OutboxRow;
use atlarged::kernel::choice::Choice;
use atlarged::kernel::language::Language;
use atlarged::kernel::said::Command;
use atlarged::kernel::workflow::Asks;
use atlarged::letters::{Class, Letter, Trust, read};
use atlarged::render::Rendered;

/// The answer links of a mail's HTML, decoded: (address, subject, body).
fn links(mail: &Rendered) -> Vec<(String, String, String)> {
    let html = parsed(mail).body_html(0).expect("an HTML part").into_owned();
    let page = scraper::Html::parse_document(&html);
    let anchors = scraper::Selector::parse("a[href^='mailto:']").expect("a valid selector");
    page.select(&anchors).filter_map(|a| link(a.attr("href")?)).collect()
}

fn link(href: &str) -> Option<(String, String, String)> {
    let (address, rest) = href.strip_prefix("mailto:")?.split_once("?subject=")?;
    let (subject, body) = rest.split_once("&body=")?;
    Some((unpercent(address), unpercent(subject), unpercent(body)))
}

fn unpercent(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [a, b, after @ ..]) => {
                let hex = String::from_utf8(vec![*a, *b]).expect("two digits");
                bytes.push(u8::from_str_radix(&hex, 16).expect("hexadecimal"));
                rest = after;
            }
            (byte, after) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// A reply as a simple mail program writes it, read by the clerk.
fn reply(to: &str, subject: &str, body: &str) -> Letter {
    let raw = format!(
        "From: Amina Diallo <amina@example.org>\r\nTo: <{to}>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n\
         Message-ID: <1@example.org>\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
        body.replace('\n', "\r\n")
    );
    read(raw.as_bytes(), &Trust::default())
}

/// A reply in HTML that holds our own page below the word, as a mail program that marks nothing writes it.
fn html_reply(to: &str, word: &str, page: &str) -> Letter {
    let raw = format!(
        "From: Amina Diallo <amina@example.org>\r\nTo: <{to}>\r\nSubject: Re: vote\r\nMIME-Version: 1.0\r\n\
         Message-ID: <2@example.org>\r\nContent-Type: text/html; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n<html><body><p>{word}</p>{page}</body></html>\r\n"
    );
    read(raw.as_bytes(), &Trust::default())
}

/// The ways mail programs put a word above the mail that is answered.
fn quoting(word: &str, original: &str) -> [String; 4] {
    let marked: String = original.lines().map(|line| format!("> {line}\n")).collect();
    [
        word.to_owned(),
        format!("{word}\n\n{marked}"),
        format!(
            "{word}\n\nOn Mon, 23 Nov 2026, 10:00 At-Large Clerk <clerk@atlarge.example> wrote:\n{marked}"
        ),
        // No marks at all: the line at the top of our mail alone tells where the quote begins.
        format!("{word}\n\n{original}"),
    ]
}

#[test]
fn a_tap_on_an_answer_is_that_answer_in_every_language() {
    let renderer = renderer_of_ballots();
    for language in Language::ALL {
        let mail = send(&renderer, &ballot(), &recipient(language)).expect("it renders");
        let original = parsed(&mail).body_text(0).expect("a text part").replace("\r\n", "\n");
        let links = links(&mail);
        assert_eq!(links.len(), 3, "{language}");
        for ((address, subject, word), choice) in links.iter().zip(Choice::ALL) {
            for body in quoting(word, &original) {
                let letter = reply(address, subject, &body);
                assert_eq!(letter.class, Class::Reply, "{language} {body}");
                assert_eq!(letter.answer.choice, Some(choice), "{language} {:?} of {body}", letter.answer);
                let token = letter.tokens.first().map(|carrier| carrier.token.clone());
                assert_eq!(token, minter().mint(ballot().id), "{language}");
            }
            let letter = html_reply(address, word, &parsed(&mail).body_html(0).expect("an HTML part"));
            assert_eq!(letter.answer.choice, Some(choice), "{language} {:?} {}", letter.answer, letter.text);
        }
    }
}

#[test]
fn an_answer_without_a_word_is_no_answer() {
    let renderer = renderer_of_ballots();
    for language in Language::ALL {
        let mail = send(&renderer, &ballot(), &recipient(language)).expect("it renders");
        let original = parsed(&mail).body_text(0).expect("a text part").replace("\r\n", "\n");
        for body in quoting("", &original) {
            let letter = reply(&mail.envelope_from, "Re: c42", &body);
            assert_eq!(letter.answer.choice, None, "{language} {body}");
            assert_eq!(letter.commands, [], "{language} {body}");
        }
    }
}

#[test]
fn the_words_a_mail_offers_are_commands_in_every_language() {
    let expected = [
        ("confirm", Command::Confirm),
        ("withdraw", Command::Withdraw),
        ("recuse", Command::Recuse),
        ("help", Command::Help),
        ("status", Command::Status),
        ("decline", Command::Decline),
        ("suspend", Command::Suspend),
        ("resume", Command::Resume),
        ("certify", Command::Certify),
        ("questions", Command::Questions),
        ("verify", Command::Verify),
        ("documents", Command::Documents(None)),
        ("comments", Command::Comments),
        ("named", Command::Named),
        ("my_data", Command::MyData),
        ("erase", Command::Erase),
        ("apply", Command::Apply),
    ];
    for language in Language::ALL {
        let path = format!("{}/templates/_words/{language}.toml", env!("CARGO_MANIFEST_DIR"));
        let words: toml::Table = std::fs::read_to_string(path).expect("words").parse().expect("TOML");
        let word = |constant: &str| words["words"][constant].as_str().expect("a word").to_owned();
        for (constant, command) in &expected {
            let letter = reply("clerk@atlarge.example", "Re: c42", &word(constant));
            assert_eq!(letter.commands, std::slice::from_ref(command), "{language}: {}", word(constant));
        }
        let letter = reply("clerk@atlarge.example", "Re: c42", &format!("{} ES", word("language")));
        assert_eq!(letter.commands, [Command::Language(Language::Es)], "{language}: {}", word("language"));
    }
}

#[test]
fn a_tap_on_confirm_confirms() {
    let renderer = renderer_of_ballots();
    for language in Language::ALL {
        let row = OutboxRow { asks: Asks::Confirm, ..ballot() };
        let mail = send(&renderer, &row, &recipient(language)).expect("it renders");
        let links = links(&mail);
        assert_eq!(links.len(), 1, "{language}");
        let (address, subject, word) = &links[0];
        assert_eq!(reply(address, subject, word).commands, [Command::Confirm], "{language}");
    }
}
