//! Our own notices quoted back by forty mail programs in seven languages, answered in every way they offer:
//! the answer typed is the answer read.

use atlarged::kernel::choice::Choice;
use atlarged::kernel::language::Language;
use atlarged::letters::{self, Problem, Trust};

use crate::letters_mails::{LAYOUTS, WAYS, mail, mails};
use crate::letters_speech::SPEECHES;

/// One mail and the answer typed into it; none where it holds nothing but our notice quoted.
pub struct Answered {
    pub what: String,
    pub language: Language,
    pub typed: Option<Choice>,
    pub raw: Vec<u8>,
}

/// Every answer in every way in every layout and language.
pub fn answered() -> impl Iterator<Item = Answered> {
    let places = LAYOUTS.iter().enumerate().flat_map(|place| SPEECHES.iter().map(move |s| (place, s)));
    places.flat_map(|((n, (name, layout)), speech)| {
        let is_html = !layout(speech, "").html.is_empty();
        Choice::ALL.into_iter().flat_map(move |choice| {
            let own = WAYS.iter().map(move |write| write(speech, speech.word(choice))).enumerate();
            own.filter(move |(_, own)| !is_html || !own.contains('\n')).map(move |(way, own)| Answered {
                what: format!("{name}, way {way}"),
                language: speech.language,
                typed: Some(choice),
                raw: mail(&layout(speech, &own), n + way),
            })
        })
    })
}

/// Every layout in every language around nothing.
pub fn unanswered() -> impl Iterator<Item = Answered> {
    let places = LAYOUTS.iter().enumerate().flat_map(|place| SPEECHES.iter().map(move |s| (place, s)));
    places.map(|((n, (name, layout)), speech)| Answered {
        what: (*name).to_owned(),
        language: speech.language,
        typed: None,
        raw: mail(&layout(speech, ""), n),
    })
}

#[test]
fn every_layout_in_every_language_gives_the_answer_typed() {
    let (mut count, mut wrong, mut asked) = (0, Vec::new(), Vec::new());
    for Answered { what, language, typed, raw } in answered() {
        let letter = letters::read(&raw, &Trust::default());
        count += 1;
        let what = format!("{what} {language} {typed:?}: {:?} {:?}", letter.answer, letter.text);
        match letter.answer.choice {
            Some(_) if letter.answer.choice != typed => wrong.push(what),
            None => asked.push(what),
            Some(_) if letter.answer.problem != Problem::None => asked.push(what),
            Some(_) => {}
        }
    }
    assert!(LAYOUTS.len() >= 40 && count > 2_500, "{count}");
    assert!(wrong.is_empty(), "wrong {}: {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
    assert!(asked.is_empty(), "asked {} of {count}: {:#?}", asked.len(), &asked[..asked.len().min(60)]);
}

#[test]
fn a_quote_alone_is_no_answer() {
    for (n, (name, layout)) in LAYOUTS.iter().enumerate() {
        for speech in &SPEECHES {
            let letter = letters::read(&mail(&layout(speech, ""), n), &Trust::default());
            assert_eq!(letter.answer.choice, None, "{name} {}: {:?}", speech.language, letter.text);
        }
    }
}

#[test]
fn a_mail_read_again_or_with_other_line_ends_says_the_same() {
    for raw in mails().concat() {
        let letter = letters::read(&raw, &Trust::default());
        assert_eq!(letter, letters::read(&raw, &Trust::default()));
        let bare: Vec<u8> = raw.iter().copied().filter(|b| *b != b'\r').collect();
        let again = letters::read(&bare, &Trust::default());
        assert_eq!((&letter.text, letter.answer), (&again.text, again.answer), "{}", letter.text);
        assert_eq!(letter.quoted, again.quoted);
    }
}
