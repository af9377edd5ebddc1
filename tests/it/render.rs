//! Mails as they leave: what they say in each language, what they look like on the wire, and that nothing a
//! person writes can become a link, a header or a vote.

use atlarged::advance::OutboxRow;
use atlarged::kernel::ids::{CaseId, LetterId, NoticeId, OrganisationId, Party, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Organisation, OrganisationKind, Person, Region};
use atlarged::kernel::register::{Change, Register};
use atlarged::kernel::token::Minter;
use atlarged::kernel::workflow::{Asks, Calendar, Class};
use atlarged::render::{Letterhead, MAIL_MAX, Recipient, RenderError, Rendered, Renderer, Threading};
use chrono::{DateTime, Utc};
use mail_parser::{Message, MessageParser, MimeHeaders};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a test's own instant")
}

fn minter() -> Minter {
    Minter::new(b"a secret of the tests", 1)
}

fn letterhead() -> Letterhead {
    Letterhead {
        clerk: "clerk@atlarge.example".to_owned(),
        name: "At-Large Clerk".to_owned(),
        domain: "atlarge.example".to_owned(),
        help: Some("https://atlarge.example/help".to_owned()),
        footer: BTreeMap::new(),
    }
}

fn renderer_with(overrides: &[(&str, &str)]) -> Renderer {
    let overrides = overrides.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Renderer::new(letterhead(), minter(), &overrides).expect("every template compiles")
}

fn register() -> Register {
    let person = |id, name: &str| {
        Change::Person(Person {
            id: PersonId(id),
            name: name.to_owned(),
            language: Language::En,
            zone: chrono_tz::UTC,
            addresses: vec![],
            roles: vec![],
        })
    };
    let organisation = Change::Organisation(Organisation {
        id: OrganisationId(3),
        name: "جمعية الإنترنت".to_owned(),
        country: "EG".to_owned(),
        region: Region::Africa,
        kind: OrganisationKind::Als,
        representatives: vec![],
        prime: None,
    });
    Register::fold(&[person(17, "Amina Diallo"), person(18, "[Bob](http://evil.example) <b>"), organisation])
}

fn row(template: &str, data: Value, asks: Asks) -> OutboxRow {
    OutboxRow {
        id: NoticeId { case: CaseId(42), seq: 7, n: 1 },
        label: "ask".to_owned(),
        to: Party::Person(PersonId(17)),
        address: 0,
        template: template.to_owned(),
        data,
        asks,
        class: Class::Action,
        not_after: None,
        report_sent: false,
        calendar: None,
        answers: None,
    }
}

fn recipient(language: Language) -> Recipient<'static> {
    let zone = match language {
        Language::Zh => chrono_tz::Asia::Shanghai,
        Language::Ru => chrono_tz::Europe::Moscow,
        Language::Ar => chrono_tz::Africa::Cairo,
        _ => chrono_tz::Africa::Dakar,
    };
    let party = Party::Person(PersonId(17));
    Recipient { party, name: Some("Amina Diallo"), address: "amina@example.org", language, zone }
}

fn send(renderer: &Renderer, row: &OutboxRow, to: &Recipient<'_>) -> Result<Rendered, RenderError> {
    renderer.render(row, to, &Threading::default(), &register(), at("2026-11-23T10:00:00Z"))
}

/// One line under test: a template of that body, with these data, as the text part of the mail.
fn shown(body: &str, data: Value, language: Language) -> String {
    let source = format!("Subject: s\n\nBEGIN\n\n{body}\n\nEND\n");
    let path = format!("test/line/{}.hbs", language.code());
    let renderer = renderer_with(&[(&path, &source)]);
    let mail =
        send(&renderer, &row("test/line", data, Asks::Nothing), &recipient(language)).expect("it renders");
    let text = parsed(&mail).body_text(0).expect("a text part").replace("\r\n", "\n");
    let (_, rest) = text.split_once("BEGIN\n\n").expect("the letter's begin");
    let (line, _) = rest.split_once("\n\nEND").expect("the letter's end");
    line.to_owned()
}

fn parsed(mail: &Rendered) -> Message<'_> {
    MessageParser::default().parse(&mail.bytes).expect("a mail that can be read back")
}

/// The ballot these tests send; its wording is their own, so that the golden mails hold only what this
/// module adds.
const BALLOT: &str = "Subject: {{date closes}}: {{text question}}\n\n**{{text question}}**\n\n\
    - {{choice \"yes\"}}: {{text yes_means}}\n- {{choice \"abstain\"}}\n\n{{time closes}}\n\n\
    {{names voters}}\n\n{{quote remark}}\n\n{{number sitting}} / {{code hash}}\n";

fn ballot() -> OutboxRow {
    let data = json!({
        "question": {
            "en": "Does the ALAC wish to accredit Open Net Society?",
            "fr": "L’ALAC souhaite-t-il accréditer Open Net Society ?",
            "es": "¿Desea el ALAC acreditar a Open Net Society?",
            "pt": "O ALAC deseja acreditar a Open Net Society?",
            "ru": "Желает ли ALAC аккредитовать Open Net Society?",
            "zh": "ALAC 是否同意认证 Open Net Society？",
            "ar": "هل ترغب ALAC في اعتماد Open Net Society؟",
        },
        "yes_means": {
            "en": "the organisation becomes an At-Large Structure",
            "ar": "تصبح المنظمة إحدى هياكل At-Large (ALS).",
        },
        "closes": "2026-12-01T12:00:00Z",
        "voters": ["p17", "o3", "s9"],
        "remark": "Fine with me.\nSee [notes](http://evil.example).\n\nموافق",
        "sitting": 15,
        "hash": "ab12cd34",
    });
    let calendar = Some(Calendar { at: at("2026-12-01T12:00:00Z") });
    OutboxRow { calendar, ..row("test/ballot", data, Asks::Vote) }
}

fn renderer_of_ballots() -> Renderer {
    let paths: Vec<String> = Language::ALL.map(|l| format!("test/ballot/{}.hbs", l.code())).into();
    let overrides: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), BALLOT)).collect();
    renderer_with(&overrides)
}

/// A mail as a person can compare it: its headers, then each part decoded.
fn readable(mail: &Rendered) -> String {
    let raw = String::from_utf8(mail.bytes.clone()).expect("ASCII on the wire");
    let (head, _) = raw.split_once("\r\n\r\n").expect("headers");
    let message = parsed(mail);
    let mut out = format!("{}\n", head.replace("\r\n", "\n"));
    for part in &message.parts {
        let kind = part.content_type().map(|kind| (kind.ctype(), kind.subtype().unwrap_or_default()));
        if let Some(text) = part.text_contents() {
            out.push_str(&format!("\n======== {kind:?}\n{}", text.replace("\r\n", "\n")));
        }
    }
    out
}

#[test]
fn a_ballot_reads_as_it_should_in_every_language() {
    let renderer = renderer_of_ballots();
    for language in Language::ALL {
        let mail = send(&renderer, &ballot(), &recipient(language)).expect("it renders");
        let golden = format!("golden/mails/ballot.{}.txt", language.code());
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(golden);
        if let Ok(dir) = std::env::var("MAILS") {
            let html = parsed(&mail).body_html(0).expect("an HTML part").into_owned();
            std::fs::write(format!("{dir}/{language}.html"), html).expect("a writable folder");
        }
        expect_test::expect_file![path].assert_eq(&readable(&mail));
    }
}
