//! Attributions and header blocks of mail programs in thirty languages: what stands above them is the
//! author's.

use atlarged::kernel::choice::Choice;
use atlarged::letters::{self, Trust};

const TABLE: &str = include_str!("mails/attributions.txt");

/// Reads "YES" above an attribution and a quote that says otherwise.
fn check(attribution: &str, quote: &str) {
    let raw = format!(
        "From: Ann <ann@m.example>\nSubject: Re: vote\nContent-Type: text/plain; charset=utf-8\n\nYES\n\n\
         {attribution}\n\n{quote}"
    );
    let letter = letters::read(raw.as_bytes(), &Trust::default());
    assert_eq!(letter.text, "YES", "{attribution}");
    assert_eq!(letter.answer.choice, Some(Choice::Yes), "{attribution}");
    assert!(letter.quoted.contains("ABSTAIN"), "what was cut is kept: {attribution}");
}

#[test]
fn attributions_in_many_languages_are_no_words_of_the_author() {
    let mut count = 0;
    for line in TABLE.lines().filter(|l| !l.starts_with('#')) {
        let marked = line.strip_prefix(">> ");
        let line = marked.unwrap_or(line);
        let table = line.contains("---||");
        let lines = if table {
            line.replace("---||", "---\n|").replace("||", "|\n|")
        } else {
            line.replace('|', "\n")
        };
        check(&lines, "> NO\n> ABSTAIN\n");
        if marked.is_none() {
            check(&lines, "NO\n\nABSTAIN\n");
        }
        count += 1;
    }
    assert!(count > 100, "{count}");
}

#[test]
fn sentences_that_look_like_attributions_stay() {
    for own in [
        "On Thursday I wrote to the chair:",
        "On 3 May we agreed.",
        "From: the heart",
        "Date: to be decided\nPlace: Montreal",
        "As Bob wrote: it is time.",
        "To: all of you, thanks.",
        "Subject: to change",
    ] {
        let raw = format!(
            "From: Ann <ann@m.example>\nSubject: Re: vote\n\nHello.\n\n{own}\n\nMore words follow.\n"
        );
        let letter = letters::read(raw.as_bytes(), &Trust::default());
        assert!(letter.text.contains(own) && letter.text.contains("More words"), "{own}: {:?}", letter.text);
    }
}
