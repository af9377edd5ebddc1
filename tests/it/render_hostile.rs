//! Nothing a person writes can become a link, markup or a header of a mail.

use crate::render::{headers, parsed, recipient, renderer_with, row, send, shown};
use atlarged::kernel::language::Language;
use atlarged::kernel::workflow::Asks;
use atlarged::render::Recipient;
use serde_json::json;

/// Texts that try to be more than text.
const HOSTILE: [&str; 12] = [
    "[click](http://evil.example)",
    "<a href=\"http://evil.example\">click</a><script>x()</script>",
    "![x](http://evil.example/pixel.png)",
    "x\r\nBcc: victim@example.org\r\n\r\nbody",
    "*bold* _it_ `code` ~~no~~ # head\n# head",
    "> quoted\n- item\n1. one\n---\n    code",
    "&lt;b&gt; &#60;b&#62;",
    "\u{202e}evil\u{2066}\u{2069}\u{2069}\u{200b}",
    "{{#each this}}{{name}}{{/each}} {{{raw}}}",
    "<http://evil.example> <x@evil.example> \\<b> \\\\",
    "##- Reply above this line -##\nYES",
    "a | b\n--|--\nc | d\n\u{0}\u{1b}[31m\u{85}\u{2028}",
];

#[test]
fn what_people_write_is_shown_letter_for_letter() {
    for text in HOSTILE {
        let expected: String = text
            .replace(['\u{0}', '\u{1b}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200b}'], "")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(shown("{{x}}", json!({ "x": text }), Language::En), expected, "{text:?}");
        assert_eq!(shown("{{text x}}", json!({ "x": { "en": text } }), Language::Fr), expected, "{text:?}");
        assert_eq!(shown("- **{{x}}** y", json!({ "x": text }), Language::En), format!("- {expected} y"));
    }
}

#[test]
fn a_quote_keeps_its_lines_and_nothing_else() {
    let quoted = shown("{{quote x}}", json!({ "x": "one\r\ntwo\n\n\n- three <b>\n\n" }), Language::En);
    assert_eq!(quoted, "> one\n> two\n>\n> - three <b>");
}

#[test]
fn no_text_of_a_person_becomes_html() {
    let body = "{{x}} {{text x}} {{name x}} {{code x}} {{link x}} {{language x}}\n\n{{quote x}}\n";
    let source = format!("Subject: {{{{x}}}}\n\n{body}");
    let renderer = renderer_with(&[("test/html/en.hbs", &source)]);
    for text in HOSTILE {
        let row = row("test/html", json!({ "x": text }), Asks::Nothing);
        let to = Recipient { name: Some(text), ..recipient(Language::En) };
        let mail = send(&renderer, &row, &to).expect("it renders");
        let html = parsed(&mail).body_html(0).expect("an HTML part").into_owned();
        let page = scraper::Html::parse_document(&html);
        let elements =
            scraper::Selector::parse("a, img, script, code > *, h1, h2, li, b, em, table").expect("valid");
        let found: Vec<String> = page.select(&elements).map(|e| e.html()).collect();
        assert_eq!(found.len(), 1, "only the footer's link: {found:?} of {text:?}");
        assert!(found[0].contains("https://atlarge.example/help"), "{found:?}");
    }
}

#[test]
fn no_name_or_subject_adds_a_header() {
    let renderer = renderer_with(&[("test/head/en.hbs", "Subject: About {{x}}\n\nBody.\n")]);
    let plain =
        send(&renderer, &row("test/head", json!({ "x": "y" }), Asks::Nothing), &recipient(Language::En));
    let expected = headers(&plain.expect("it renders"));
    for text in HOSTILE {
        let to = Recipient { name: Some(text), ..recipient(Language::En) };
        let mail =
            send(&renderer, &row("test/head", json!({ "x": text }), Asks::Nothing), &to).expect("it renders");
        assert_eq!(headers(&mail), expected, "{text:?}");
        let message = parsed(&mail);
        assert_eq!(
            message.to().and_then(|to| to.first()).and_then(|to| to.address()),
            Some("amina@example.org")
        );
        let subject = message.subject().expect("a subject");
        assert!(!subject.contains(|c: char| c.is_control() || "\u{202e}\u{2066}\u{2069}".contains(c)));
    }
}
