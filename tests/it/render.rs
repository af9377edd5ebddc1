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

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a test's own instant")
}

pub(crate) fn minter() -> Minter {
    Minter::new(b"a secret of the tests", 1)
}

pub(crate) fn letterhead() -> Letterhead {
    Letterhead {
        clerk: "clerk@atlarge.example".to_owned(),
        name: "At-Large Clerk".to_owned(),
        domain: "atlarge.example".to_owned(),
        help: Some("https://atlarge.example/help".to_owned()),
        footer: BTreeMap::new(),
    }
}

pub(crate) fn renderer_with(overrides: &[(&str, &str)]) -> Renderer {
    let overrides = overrides.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Renderer::new(letterhead(), minter(), &overrides).expect("every template compiles")
}

pub(crate) fn register() -> Register {
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
        report: None,
        representatives: vec![],
        prime: None,
        until: None,
    });
    Register::fold(&[person(17, "Amina Diallo"), person(18, "[Bob](http://evil.example) <b>"), organisation])
}

pub(crate) fn row(template: &str, data: Value, asks: Asks) -> OutboxRow {
    OutboxRow {
        refusal: false,
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

pub(crate) fn recipient(language: Language) -> Recipient<'static> {
    let zone = match language {
        Language::Zh => chrono_tz::Asia::Shanghai,
        Language::Ru => chrono_tz::Europe::Moscow,
        Language::Ar => chrono_tz::Africa::Cairo,
        _ => chrono_tz::Africa::Dakar,
    };
    let party = Party::Person(PersonId(17));
    Recipient { party, name: Some("Amina Diallo"), address: "amina@example.org", language, zone }
}

pub(crate) fn send(
    renderer: &Renderer,
    row: &OutboxRow,
    to: &Recipient<'_>,
) -> Result<Rendered, RenderError> {
    renderer.render(row, to, &Threading::default(), &register(), at("2026-11-23T10:00:00Z"))
}

/// One line under test: a template of that body, with these data, as the text part of the mail.
pub(crate) fn shown(body: &str, data: Value, language: Language) -> String {
    let source = format!("Subject: s\n\n---\n\n{body}\n\n---\n");
    let path = format!("test/line/{}.hbs", language.code());
    let renderer = renderer_with(&[(&path, &source)]);
    let mail =
        send(&renderer, &row("test/line", data, Asks::Nothing), &recipient(language)).expect("it renders");
    let text = parsed(&mail).body_text(0).expect("a text part").replace("\r\n", "\n");
    let (_, rest) = text.split_once("----\n\n").expect("the letter's begin");
    let (line, _) = rest.split_once("\n\n----").expect("the letter's end");
    line.to_owned()
}

pub(crate) fn parsed(mail: &Rendered) -> Message<'_> {
    MessageParser::default().parse(&mail.bytes).expect("a mail that can be read back")
}

/// The names of a mail's headers, in order.
pub(crate) fn headers(mail: &Rendered) -> Vec<String> {
    parsed(mail).headers().iter().map(|header| header.name().to_owned()).collect()
}

/// The ballot these tests send; its wording is their own, so that the golden mails hold only what this
/// module adds.
const BALLOT: &str = "Subject: {{date closes}}: {{text question}}\n\n**{{text question}}**\n\n\
    - {{choice \"yes\"}}: {{text yes_means}}\n- {{choice \"abstain\"}}\n\n{{time closes}}\n\n\
    {{names voters}}\n\n{{quote remark}}\n\n{{number sitting}} / {{code hash}}\n";

pub(crate) fn ballot() -> OutboxRow {
    let data = json!({
        "question": {
            "en": "Does the ALAC wish to accredit Open Net Society?",
            "fr": "L’ALAC souhaite-t-il accréditer Open Net Society ?",
            "es": "¿Desea el ALAC acreditar a Open Net Society?",
            "pt": "O ALAC deseja credenciar a Open Net Society?",
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

pub(crate) fn renderer_of_ballots() -> Renderer {
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
        expect_test::expect_file![path].assert_eq(&readable(&mail));
    }
}

#[test]
fn a_mail_answers_the_letter_it_is_about_and_nothing_that_is_no_message_id() {
    let renderer = renderer_of_ballots();
    let answering = |id: &str| {
        let threading = Threading { in_reply_to: Some(id), attached: &[] };
        let row = OutboxRow { answers: Some(LetterId(9)), ..ballot() };
        let to = recipient(Language::En);
        let mail = renderer.render(&row, &to, &threading, &register(), at("2026-11-23T10:00:00Z"));
        mail.expect("it renders")
    };
    let mail = answering("<x.1@example.org>");
    let message = parsed(&mail);
    assert_eq!(message.in_reply_to().as_text(), Some("x.1@example.org"));
    assert_eq!(message.references().as_text_list().expect("two").len(), 2);
    assert_eq!(message.header_raw("Auto-Submitted").map(str::trim), Some("auto-replied"));
    for id in
        ["x@y", "<x>", "<x@y>\r\nBcc: z@example.org", "<x y@z>", "<é@x>", &format!("<{}@x>", "a".repeat(999))]
    {
        let mail = answering(id);
        assert_eq!(parsed(&mail).in_reply_to().as_text(), None, "{id:?}");
        assert!(!headers(&mail).contains(&"Bcc".to_owned()), "{id:?}");
    }
}

#[test]
fn a_mail_carries_its_token_in_the_envelope_the_reply_address_and_its_id() {
    let data = json!({ "x": "clerk+aaaqaaaafiaaaaahaaaqaaaaaaaaaaaa@atlarge.example" });
    let renderer = renderer_with(&[("test/token/en.hbs", "Subject: {{x}}\n\n{{x}}\n")]);
    let row = row("test/token", data, Asks::Text);
    let mail = send(&renderer, &row, &recipient(Language::En)).expect("it renders");
    let token = minter().mint(row.id).expect("a token");
    assert_eq!(mail.envelope_from, format!("clerk+{token}@atlarge.example"));
    assert_eq!(mail.message_id, format!("<{token}@atlarge.example>"));
    assert_eq!(mail.to, "amina@example.org");
    let message = parsed(&mail);
    assert_eq!(message.message_id(), Some(format!("{token}@atlarge.example").as_str()));
    let reply_to = message.reply_to().and_then(|to| to.first()).and_then(|to| to.address());
    assert_eq!(reply_to, Some(mail.envelope_from.as_str()));
    assert!(message.body_text(0).expect("text").contains(&format!("Reference: {token}")));
}

#[test]
fn the_wire_holds_short_ascii_lines_ended_by_crlf() {
    let renderer = renderer_of_ballots();
    for language in Language::ALL {
        let mail = send(&renderer, &ballot(), &recipient(language)).expect("it renders");
        assert!(mail.bytes.is_ascii(), "{language}");
        let text = String::from_utf8(mail.bytes).expect("ASCII");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{language}");
        assert_eq!(text.matches('\r').count(), text.matches("\r\n").count(), "{language}");
        assert!(text.split("\r\n").all(|line| line.len() <= 998), "{language}");
    }
}

#[test]
fn the_calendar_entry_is_a_file_to_import_and_no_invitation() {
    let renderer = renderer_of_ballots();
    let mail = send(&renderer, &ballot(), &recipient(Language::Fr)).expect("it renders");
    let message = parsed(&mail);
    let part = message.attachment(0).expect("the calendar entry");
    assert_eq!(part.attachment_name(), Some("deadline.ics"));
    let kind = part.content_type().expect("its type");
    assert!(kind.attribute("method").is_none());
    let ics = String::from_utf8(part.contents().to_vec()).expect("UTF-8");
    let token = minter().mint(ballot().id).expect("a token");
    assert!(ics.contains("DTSTART:20261201T120000Z\r\n"), "{ics}");
    assert!(
        ics.contains("TRIGGER:-P1D") || ics.contains("TRIGGER:-PT24H") || ics.contains("-PT86400S"),
        "{ics}"
    );
    assert!(!ics.contains("METHOD") && !ics.contains(&token), "calendars are shared: {ics}");
    assert!(ics.split("\r\n").all(|line| line.len() <= 75), "{ics}");
    let again = OutboxRow { id: NoticeId { seq: 9, ..ballot().id }, ..ballot() };
    let later = send(&renderer, &again, &recipient(Language::Fr)).expect("it renders");
    let later =
        String::from_utf8(parsed(&later).attachment(0).expect("again").contents().to_vec()).expect("UTF-8");
    let line = |ics: &str, key: &str| ics.lines().find(|line| line.starts_with(key)).map(str::to_owned);
    assert_eq!(line(&ics, "UID:"), line(&later, "UID:"), "a later notice moves the same entry");
    assert_eq!(
        (line(&ics, "SEQUENCE:"), line(&later, "SEQUENCE:")),
        (Some("SEQUENCE:7".into()), Some("SEQUENCE:9".into()))
    );
}

#[test]
fn a_mail_stays_small_whatever_it_quotes() {
    let renderer = renderer_of_ballots();
    for filling in ["слово ", "是", "\n"] {
        for language in [Language::En, Language::Ru, Language::Ar] {
            let mut row = ballot();
            row.data["remark"] = filling.repeat(40_000).into();
            row.data["voters"] = Value::Array(vec!["p17".into(); 5_000]);
            row.data["question"]["en"] = filling.repeat(10_000).into();
            row.data["question"][language.code()] = filling.repeat(10_000).into();
            let mail = send(&renderer, &row, &recipient(language)).expect("it renders");
            assert!(mail.bytes.len() <= MAIL_MAX, "{} bytes of {filling:?}", mail.bytes.len());
        }
    }
}

#[test]
fn what_is_left_out_of_a_quote_is_said() {
    let quoted = shown("{{quote x}}", json!({ "x": "word ".repeat(4_000) }), Language::Fr);
    assert!(quoted.ends_with("caractères omis ici]"), "{quoted}");
}
