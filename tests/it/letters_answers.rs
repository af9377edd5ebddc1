//! Answers as people write them, in seven languages, and what is made of each. Every row of the table was
//! weighed by hand: a wrong choice credited is the worst outcome, a needless question the second.

use atlarged::letters::{self, Trust};

const TABLE: &str = include_str!("mails/answers.txt");

fn unescape(line: &str) -> String {
    line.replace("\\n", "\n").replace("\\u{200b}", "\u{200b}").replace("\\u{202e}", "\u{202e}")
}

fn check(text: &str, expected: &str) {
    let raw = format!(
        "From: Ann <ann@x.example>\nSubject: Re: vote\nContent-Type: text/plain; charset=utf-8\n\n{text}"
    );
    let letter = letters::read(raw.as_bytes(), &Trust::default());
    let json = letters::inspect_json("x", &letter);
    let found = format!(
        "{} {}",
        json["choice"].as_str().unwrap_or("null"),
        json["choice_problem"].as_str().unwrap_or("")
    );
    assert_eq!(found, expected, "{text}");
}

#[test]
fn every_answer_of_the_table_is_read_as_weighed() {
    let (mut heading, mut count) = ("", 0);
    for line in TABLE.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
        if let Some(next) = line.strip_prefix("== ") {
            heading = next;
        } else {
            check(&unescape(line), heading);
            count += 1;
        }
    }
    assert!(count > 350, "{count}");
}

#[test]
fn the_subject_may_answer_but_not_contradict() {
    let read = |subject: &str, text: &str| {
        let raw = format!("From: Ann <ann@x.example>\nSubject: {subject}\n\n{text}");
        let answer = letters::read(raw.as_bytes(), &Trust::default()).answer;
        let word = answer.choice.map_or("none", |c| c.word());
        format!("{word} {:?}", answer.problem)
    };
    assert_eq!(read("YES", "YES"), "YES None");
    assert_eq!(read("YES", ""), "YES None");
    assert_eq!(read("NO", "YES"), "none SubjectDisagrees");
    assert_eq!(read("Re: NO", "YES"), "YES None");
    assert_eq!(read("Re: YES", ""), "none Empty");
    assert_eq!(read("Re: YES, NO or ABSTAIN?", "ABSTAIN"), "ABSTAIN None");
}

#[test]
fn the_html_and_the_plain_text_must_say_the_same() {
    let read = |text: &str, html: &str| {
        let raw = format!(
            "From: a@b.example\nSubject: x\nContent-Type: multipart/alternative; \
            boundary=b\n\n--b\n\n{text}\n--b\n\
             Content-Type: text/html\n\n{html}\n--b--\n"
        );
        letters::read(raw.as_bytes(), &Trust::default()).answer
    };
    let problem = |text: &str, html: &str| format!("{:?}", read(text, html).problem);
    assert_eq!(problem("YES", "<p>yes</p>"), "None");
    assert_eq!(problem("YES", "<p>NO</p>"), "PartsDisagree");
    assert_eq!(problem("YES", "<p>YES</p><p style=\"display:none\">NO</p>"), "Hidden");
    assert_eq!(
        problem("YES", "<div>YES</div><blockquote>x<div style=\"display:none\">NO</div></blockquote>"),
        "None"
    );
}

#[test]
fn what_a_page_hides_or_strikes_out_is_no_answer() {
    let read = |page: &str| {
        let raw =
            format!("From: a@b.example\nSubject: Re: x\nContent-Type: text/html; charset=utf-8\n\n{page}");
        let answer = letters::read(raw.as_bytes(), &Trust::default()).answer;
        format!("{} {:?}", answer.choice.map_or("none", |c| c.word()), answer.problem)
    };
    for hidden in [
        "<p>Hello</p><div style=\"text-indent:-9999px\">YES</div>",
        "<p>Hello</p><div style=\"position:absolute;left:-9999px\">YES</div>",
        "<p>Hello</p><span style=\"color:#ffffff;background:#fff\">YES</span>",
        "<p>Hello</p><span style=\"opacity:0.0\">YES</span>",
        "<style>.x{display:none}</style><p>Hello</p><div class=\"x\">YES</div>",
        "<style>div#x, p.y { visibility: hidden }</style><p>Hello</p><p class=\"z y\">YES</p>",
    ] {
        assert_eq!(read(hidden), "none Hidden", "{hidden}");
    }
    let struck = "<p><span style=\"text-decoration: line-through\">YES</span> NO</p>";
    assert_eq!(read(struck), "NO None");
    let dark = "<body style=\"background:#1e1e1e\"><div style=\"color:white;background:#1e1e1e\">YES</div>";
    assert_eq!(read(dark), "YES None", "a dark screen hides nothing");
    let phone = "<style>@media (max-width:600px){.x{display:none}}</style><p class=\"x\">YES</p>";
    assert_eq!(read(phone), "YES None", "what some screens hide is seen on others");
}
