//! The desk: what is told in confidence. Each test is a table of mails and what becomes of them.

use atlarged::desk::{Addressed, Asking, Confidence, Counter, Heard, Outcome, Token, desk, in_confidence};
use atlarged::kernel::assurance::Matrix;
use atlarged::kernel::ids::{AnonymousId, CaseId, NoticeId, OrganisationId, Party, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Organisation, OrganisationKind, Person, Region, Role, RoleHeld};
use atlarged::kernel::register::{Change, Register};
use atlarged::kernel::workflow::{Asks, Input};
use atlarged::letters::{Trust, read};
use chrono::{DateTime, Duration, Utc};

const APPLICATION: CaseId = CaseId(7);
const AUTHSERV: &str = "mx.a.example";
const ARRIVED: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn person(id: u32, address: &str, role: Option<(Role, u32)>) -> Change {
    let held = |(role, organisation)| RoleHeld {
        role,
        region: None,
        organisation: Some(OrganisationId(organisation)),
        from: ARRIVED - Duration::days(9),
        until: None,
    };
    Change::Person(Person {
        id: PersonId(id),
        name: format!("N{id}"),
        language: Language::En,
        zone: chrono_tz::UTC,
        addresses: vec![address.to_owned()],
        roles: role.into_iter().map(held).collect(),
    })
}

/// Ann, p1, and Amu, p4, represent a structure in Africa, Eve, p2, one in Europe; Sue, p3, is staff.
fn register() -> Register {
    let structure = |id, region| {
        Change::Organisation(Organisation {
            id: OrganisationId(id),
            name: format!("O{id}"),
            country: "KE".into(),
            region,
            kind: OrganisationKind::Als,
            report: None,
            representatives: Vec::new(),
            prime: None,
            until: None,
        })
    };
    Register::fold(&[
        person(1, "ann@a.example", Some((Role::AlsRepresentative, 1))),
        person(2, "eve@e.example", Some((Role::AlsRepresentative, 2))),
        person(3, "sue@s.example", Some((Role::Staff, 1))),
        person(4, "amu@a.example", Some((Role::AlsRepresentative, 1))),
        structure(1, Region::Africa),
        structure(2, Region::Europe),
    ])
}

fn asking(to: Party, asks: Asks, template: &str) -> Token {
    Token::Known(Asking {
        notice: NoticeId { case: APPLICATION, seq: 1, n: 0 },
        label: "invitation".to_owned(),
        template: template.to_owned(),
        to,
        address: 0,
        asks,
        confidential: true,
    })
}

struct Mail<'a> {
    from: &'a str,
    login: bool,
    headers: &'a str,
    body: &'a str,
    asked: Token,
    /// The register as it was when it arrived.
    then: Register,
}

impl Default for Mail<'_> {
    fn default() -> Self {
        Mail {
            from: "ann@a.example",
            login: true,
            headers: "",
            body: "They meet every month.",
            asked: asking(Party::Person(PersonId(1)), Asks::Comment(Region::Africa), "x/invitation"),
            then: register(),
        }
    }
}

fn with<T>(mail: &Mail<'_>, look: impl FnOnce(&atlarged::letters::Letter, &Counter<'_>) -> T) -> T {
    let vouched = if mail.login {
        format!("Authentication-Results: {AUTHSERV}; auth=pass smtp.auth={}\r\n", mail.from)
    } else {
        String::new()
    };
    let raw = format!(
        "{vouched}From: {}\r\nTo: clerk@c.example\r\nSubject: Re: x\r\nMessage-ID: <1@a.example>\r\n{}\r\n{}\r\n",
        mail.from, mail.headers, mail.body
    );
    let letter = read(raw.as_bytes(), &Trust { authserv_id: Some(AUTHSERV), ..Trust::default() });
    let register = register();
    let counter = Counter {
        register: &register,
        applying: Vec::new(),
        office: CaseId(1),
        clerk: "clerk@c.example",
        arrived: ARRIVED,
        junk: false,
        repeated: false,
        header_only: false,
        asked: mail.asked.clone(),
        waits: Vec::new(),
        answered: Vec::new(),
        own_stranger: false,
        stranger: None,
        verified: None,
        readable: vec![APPLICATION],
        papers: Vec::new(),
        nonce: "00",
    };
    look(&letter, &counter)
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Silent(why) => format!("silent: {why}"),
        Outcome::Quarantined(why) => format!("a person: {why}"),
        Outcome::Letters(letters) => {
            let shown = letters.iter().map(|addressed| match addressed {
                Addressed::ToCase(case, Input::Reading(reading)) => {
                    format!("{case} read by {}{}", reading.by, if reading.sure { "" } else { "?" })
                }
                Addressed::ToCase(case, Input::Reply(reply)) => {
                    format!("{case} from {}: {:?}", reply.from, reply.said.text)
                }
                other => format!("{other:?}"),
            });
            shown.collect::<Vec<_>>().join("; ")
        }
    }
}

fn check(mail: Mail<'_>, expected: &str) {
    let acts = Matrix::default();
    let of = Confidence { case: APPLICATION, region: Some(Region::Africa), then: &mail.then, acts: &acts };
    let heard = match with(&mail, |letter, counter| in_confidence(letter, counter, &of)) {
        Heard::Else(other) => outcome(&other),
        Heard::Comment(told) => {
            let named = told.named.map(|person| format!(" named {person}")).unwrap_or_default();
            match told.barred {
                Some(bar) => format!("{bar:?} to {}", told.author),
                None => format!("{:?}{named} to {}", told.words, told.author),
            }
        }
    };
    assert_eq!(heard, expected, "{}", mail.body);
}

#[test]
fn a_members_comment_is_taken_without_her_name_unless_she_says_named() {
    check(Mail::default(), r#""They meet every month." to p1"#);
    check(
        Mail { body: "NAMED\r\nThey meet every month.", ..Mail::default() },
        r#""They meet every month." named p1 to p1"#,
    );
    check(
        Mail { body: "Ils se réunissent.\r\n\r\nnominatif\r\n", ..Mail::default() },
        r#""Ils se réunissent." named p1 to p1"#,
    );
}

#[test]
fn signature_quote_and_attachment_are_left_out() {
    let body = "They meet.\r\n\r\n-- \r\nAnn Other, +254 1\r\n\r\nOn Monday the clerk wrote:\r\n> What do you say?\r\n";
    check(Mail { body, ..Mail::default() }, r#""They meet." to p1"#);
}

#[test]
fn who_is_no_member_is_told_so_and_nothing_is_taken() {
    for from in ["eve@e.example", "sue@s.example"] {
        let to = if from.starts_with("eve") { "p2" } else { "p3" };
        check(Mail { from, ..Mail::default() }, &format!("NotAMember to {to}"));
    }
}

#[test]
fn a_mail_from_an_unknown_address_is_answered_at_the_address_on_file() {
    check(Mail { from: "ann@home.example", ..Mail::default() }, "Unsure to p1");
    check(Mail { from: "ann@home.example", login: false, ..Mail::default() }, "Unsure to p1");
}

#[test]
fn a_token_of_somebody_elses_is_no_proof() {
    check(Mail { from: "amu@a.example", ..Mail::default() }, r#""They meet every month." to p4"#);
    check(Mail { from: "amu@a.example", login: false, ..Mail::default() }, "Unsure to p4");
}

#[test]
fn membership_is_what_it_was_when_the_mail_arrived() {
    let mut left = register();
    left.apply(&person(1, "ann@a.example", None));
    check(Mail { then: left, ..Mail::default() }, "NotAMember to p1");
    check(Mail { then: Register::default(), ..Mail::default() }, "Unsure to p1");
}

#[test]
fn a_mail_without_words_is_no_comment() {
    for body in ["", "NAMED", "> They meet every month."] {
        check(Mail { body, ..Mail::default() }, "Empty to p1");
    }
}

#[test]
fn comments_alone_asks_for_them_and_with_a_comment_it_is_part_of_that() {
    for body in ["COMMENTS", "commentaires", "评论"] {
        check(Mail { body, ..Mail::default() }, "c7 read by p1");
    }
    check(Mail { body: "COMMENTS", from: "ann@home.example", ..Mail::default() }, "c7 read by p1?");
    let body = "I have comments:\r\nCOMMENTS\r\nThey meet.";
    check(Mail { body, ..Mail::default() }, r#""I have comments:\nCOMMENTS\nThey meet." to p1"#);
}

#[test]
fn other_commands_go_to_the_office_without_a_word_beside_them() {
    check(Mail { body: "HELP", ..Mail::default() }, r#"c1 from p1: """#);
}

#[test]
fn an_answer_to_a_receipt_is_never_a_comment() {
    let receipt = || asking(Party::Anonymous(AnonymousId(5)), Asks::Nothing, "comment/receipt");
    check(Mail { asked: receipt(), body: "Thank you!", ..Mail::default() }, "silent: thanks");
    let body = "Thank you. One more thing: I have my doubts about how they choose who speaks for them.";
    check(Mail { asked: receipt(), body, ..Mail::default() }, "NotHere to p1");
    check(Mail { asked: receipt(), from: "x@y.example", ..Mail::default() }, "silent: unsolicited");
    let refusal = asking(Party::Anonymous(AnonymousId(5)), Asks::Nothing, "comment/not-a-member");
    let silent = "silent: answer to a mail in confidence that asks for none";
    check(Mail { asked: refusal, body, ..Mail::default() }, silent);
}

#[test]
fn machines_say_nothing_in_confidence() {
    let automatic = "Auto-Submitted: auto-replied\r\n";
    check(Mail { headers: automatic, ..Mail::default() }, "silent: automatic reply");
}

#[test]
fn who_is_confided_in_does_not_show() {
    let acts = Matrix::default();
    let of = Confidence { case: APPLICATION, region: None, then: &register(), acts: &acts };
    let heard = with(&Mail::default(), |letter, counter| in_confidence(letter, counter, &of));
    assert_eq!(format!("{heard:?}"), "Comment(Told(None))");
}

#[test]
fn comments_may_be_asked_for_in_any_mail() {
    let asked = |body: &str, from: &str| {
        let mail = Mail { body, from, asked: Token::None, ..Mail::default() };
        with(&mail, |letter, counter| outcome(&desk(letter, counter)))
    };
    assert_eq!(asked("COMMENTS", "sue@s.example"), "c7 read by p3");
    assert_eq!(
        asked("COMMENTS\r\nSTATUS", "sue@s.example"),
        r#"c1 from p3: "COMMENTS\nSTATUS"; c7 read by p3"#
    );
    assert_eq!(asked("COMMENTS", "x@y.example"), "silent: unsolicited");
}
