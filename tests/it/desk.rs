//! The desk: which mail goes where. Each test is a table of mails and what becomes of them.

use atlarged::desk::{Addressed, Asking, Counter, Outcome, Owed, Token, desk};
use atlarged::kernel::ids::{CaseId, NoticeId, Party, PersonId, StrangerId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::Person;
use atlarged::kernel::register::{Change, Register};
use atlarged::kernel::said::Command;
use atlarged::kernel::workflow::{Asks, Input};
use atlarged::letters::{Trust, read};
use atlarged::workflows::office::{Verified, Waits};
use chrono::{DateTime, Utc};
use serde_json::Value;

const OFFICE: CaseId = CaseId(1);
const BALLOT: CaseId = CaseId(42);
const AUTHSERV: &str = "mx.a.example";

fn register() -> Register {
    let person = |id, address: &str| {
        Change::Person(Person {
            id: PersonId(id),
            name: format!("N{id}"),
            language: Language::En,
            zone: chrono_tz::UTC,
            addresses: vec![address.to_owned()],
            roles: vec![],
        })
    };
    Register::fold(&[person(1, "ann@a.example"), person(2, "bob@b.example")])
}

fn asking(to: u32, asks: Asks, label: &str) -> Token {
    Token::Known(Asking {
        notice: NoticeId { case: BALLOT, seq: 1, n: 0 },
        label: label.to_owned(),
        template: "ballot/ballot".to_owned(),
        to: Party::Person(PersonId(to)),
        address: 0,
        asks,
        confidential: matches!(asks, Asks::Comment(_)),
    })
}

/// A mail and what the desk knows of it.
struct Mail<'a> {
    from: &'a str,
    /// The account that logged in to send it.
    login: Option<&'a str>,
    headers: &'a str,
    body: &'a str,
    asked: Token,
    owes: usize,
    /// How many of her answers she may still change.
    has_answered: usize,
    junk: bool,
    stranger: bool,
    /// It comes from the address of the stranger who was written to.
    own_stranger: bool,
}

impl Default for Mail<'_> {
    fn default() -> Self {
        Mail {
            from: "ann@a.example",
            login: Some("ann@a.example"),
            headers: "",
            body: "YES",
            asked: asking(1, Asks::Vote, "ask:p1"),
            owes: 0,
            has_answered: 0,
            junk: false,
            stranger: false,
            own_stranger: false,
        }
    }
}

/// Where it goes, in a word or two, with the evidence: t token, f From on file, a aligned, c confirmed.
fn sent_to(mail: Mail<'_>) -> String {
    let vouched = mail
        .login
        .map(|login| format!("Authentication-Results: {AUTHSERV}; auth=pass smtp.auth={login}\r\n"))
        .unwrap_or_default();
    let raw = format!(
        "{vouched}From: {}\r\nTo: clerk@c.example\r\nSubject: Re: x\r\nMessage-ID: <1@a.example>\r\n{}\r\n{}\r\n",
        mail.from, mail.headers, mail.body
    );
    let letter = read(raw.as_bytes(), &Trust { authserv_id: Some(AUTHSERV), ..Trust::default() });
    let notice = |n: usize| NoticeId { case: CaseId(42 + i64::try_from(n).expect("few")), seq: 1, n: 0 };
    let owed =
        |n| Owed { asks: Asks::Vote, waits: Waits { notice: notice(n), title: Value::Null, until: None } };
    let register = register();
    let counter = Counter {
        readable: Vec::new(),
        papers: Vec::new(),
        repeated: false,
        register: &register,
        office: OFFICE,
        clerk: "clerk@c.example",
        arrived: DateTime::<Utc>::UNIX_EPOCH,
        junk: mail.junk,
        header_only: false,
        applying: Vec::new(),
        asked: mail.asked,
        waits: (0..mail.owes).map(owed).collect(),
        answered: (0..mail.has_answered).map(owed).collect(),
        stranger: mail.stranger.then_some(StrangerId(9)),
        own_stranger: mail.own_stranger,
        verified: letter.commands.contains(&Command::Verify).then_some(Verified::Nothing),
        nonce: "00",
    };
    match desk(&letter, &counter) {
        Outcome::Silent(why) => format!("silent: {why}"),
        Outcome::Quarantined(why) => format!("a person: {why}"),
        Outcome::Letters(letters) => letters.iter().map(destination).collect::<Vec<_>>().join("; "),
    }
}

fn destination(addressed: &Addressed) -> String {
    match addressed {
        Addressed::Opens(opening) => format!("opens {} from {}", opening.kind, opening.body["from"]),
        Addressed::ToCase(case, Input::Reply(reply)) => {
            let evidence = [
                (reply.assurance.token, 't'),
                (reply.assurance.from_on_file, 'f'),
                (reply.assurance.aligned, 'a'),
                (reply.assurance.confirmed, 'c'),
            ];
            let evidence: String =
                evidence.iter().filter(|(holds, _)| *holds).map(|(_, sign)| sign).collect();
            format!("{case} from {} {evidence}", reply.from)
        }
        Addressed::ToCase(case, Input::Undelivered(bounce)) => format!("{case} undelivered to {}", bounce.to),
        Addressed::ToCase(case, other) => format!("{case} {other:?}"),
    }
}

fn check(mail: Mail<'_>, expected: &str) {
    assert_eq!(sent_to(mail), expected);
}

#[test]
fn an_answer_goes_to_its_case_with_the_evidence_it_carries() {
    check(Mail::default(), "c42 from p1 tfa");
    check(Mail { login: None, ..Mail::default() }, "c42 from p1 tf");
    check(Mail { login: Some("eve@e.example"), ..Mail::default() }, "c42 from p1 tf");
    check(Mail { from: "eve@e.example", login: Some("eve@e.example"), ..Mail::default() }, "c42 from p1 ta");
}

#[test]
fn somebody_elses_token_is_no_evidence() {
    let forwarded = Mail { from: "bob@b.example", login: Some("bob@b.example"), ..Mail::default() };
    check(forwarded, "c42 from p2 fa");
}

#[test]
fn only_the_reply_to_a_confirmation_confirms() {
    let asked = asking(1, Asks::Confirm, "confirm:p1");
    check(Mail { asked, login: None, body: "CONFIRM", ..Mail::default() }, "c42 from p1 tfc");
}

#[test]
fn machines_and_lists_are_never_answered() {
    let auto = Mail { headers: "Auto-Submitted: auto-replied\r\n", ..Mail::default() };
    check(auto, "silent: automatic reply");
    let own = Mail { from: "clerk@c.example", ..Mail::default() };
    check(own, "silent: our own");
    let list = Mail {
        headers: "List-Id: <x.lists.example>\r\nList-Post: <mailto:x@lists.example>\r\n",
        ..Mail::default()
    };
    check(list, "silent: list copy");
}

#[test]
fn a_stranger_is_heard_only_if_somebody_vouches_for_her() {
    let mail = |stranger| Mail {
        from: "eve@e.example",
        login: Some("eve@e.example"),
        body: "How do we join?",
        asked: Token::None,
        stranger,
        ..Mail::default()
    };
    check(mail(true), "opens enquiry from \"s9\"");
    check(mail(false), "silent: unsolicited");
    check(Mail { login: None, ..mail(true) }, "silent: unsolicited");
}

#[test]
fn an_answer_without_a_token_finds_the_one_question_that_waits() {
    let mail = |owes| Mail { asked: Token::None, owes, ..Mail::default() };
    check(mail(1), "c42 from p1 fa");
    check(mail(2), "c1 from p1 fa");
    check(mail(0), "opens enquiry from \"p1\"");
}

#[test]
fn what_was_answered_can_be_taken_back_without_a_token_where_it_can_be_only_one() {
    let mail = |has_answered| Mail { asked: Token::None, body: "WITHDRAW", has_answered, ..Mail::default() };
    check(mail(1), "c42 from p1 fa");
    check(Mail { login: None, ..mail(1) }, "c42 from p1 f");
    check(mail(2), "c1 from p1 fa");
    check(Mail { body: "Thank you", ..mail(1) }, "opens enquiry from \"p1\"");
    check(Mail { owes: 1, ..mail(2) }, "c42 from p1 fa");
}

#[test]
fn commands_go_to_the_office_and_what_belongs_to_a_matter_stays_there() {
    check(Mail { body: "HELP", ..Mail::default() }, "c1 from p1 tfa");
    check(Mail { body: "LANGUAGE fr", asked: Token::None, ..Mail::default() }, "c1 from p1 fa");
    check(Mail { body: "WITHDRAW", ..Mail::default() }, "c42 from p1 tfa");
    for body in ["SUSPEND", "CERTIFY", "DOCUMENTS 2", "COMMENTS", "NAMED", "MY DATA", "ERASE"] {
        check(Mail { body, ..Mail::default() }, "c1 from p1 tfa");
        check(Mail { body, asked: Token::None, owes: 1, ..Mail::default() }, "c1 from p1 fa");
    }
    check(Mail { body: "WITHDRAW", asked: Token::None, ..Mail::default() }, "c1 from p1 fa");
}

#[test]
fn a_line_nearly_a_command_is_told_the_word_unless_it_is_part_of_more() {
    check(Mail { body: "STATSU", asked: Token::None, ..Mail::default() }, "c1 from p1 fa");
    let more = "Statsu\r\n\r\nis what I wrote, and nobody answered.";
    check(Mail { body: more, asked: Token::None, ..Mail::default() }, "opens enquiry from \"p1\"");
}

#[test]
fn a_mail_forwarded_below_verify_answers_nothing_whosever_it_is() {
    let body = "VERIFY\r\n\r\n---------- Forwarded message ---------\r\nFrom: c@c.example\r\n\r\nYES\r\n";
    check(Mail { body, ..Mail::default() }, "c1 from p1 tfa");
    check(Mail { body, asked: asking(2, Asks::Vote, "ask:p2"), ..Mail::default() }, "c1 from p1 fa");
    check(Mail { body, asked: Token::Unknown, ..Mail::default() }, "c1 from p1 fa");
    let stranger = |stranger, login| Mail { body, from: "eve@e.example", login, stranger, ..Mail::default() };
    check(stranger(true, Some("eve@e.example")), "c1 from s9 a");
    check(stranger(true, None), "silent: unsolicited");
    check(stranger(false, Some("eve@e.example")), "silent: unsolicited");
}

#[test]
fn a_stranger_we_wrote_to_is_known_by_her_address() {
    let asked = || match asking(1, Asks::Text, "received") {
        Token::Known(asking) => Token::Known(Asking { to: Party::Stranger(StrangerId(9)), ..asking }),
        other => other,
    };
    let mail = |own_stranger| Mail {
        from: "eve@e.example",
        login: Some("eve@e.example"),
        asked: asked(),
        body: "Our statutes are below.",
        own_stranger,
        ..Mail::default()
    };
    check(mail(true), "c42 from s9 tfa");
    check(mail(false), "c42 from s9 ta");
}

#[test]
fn a_stranger_who_applies_between_other_words_gets_the_form() {
    let mail = |body| Mail {
        from: "eve@e.example",
        login: Some("eve@e.example"),
        asked: Token::None,
        stranger: true,
        body,
        ..Mail::default()
    };
    check(mail("Good morning,\r\n\r\nAPPLY\r\n\r\nThank you"), "c1 from s9 a");
    check(mail("Bonjour,\r\n\r\nCandidature\r\n\r\nMerci"), "c1 from s9 a");
    check(mail("How can our club apply?"), "opens enquiry from \"s9\"");
}

#[test]
fn a_vote_beside_a_command_is_a_vote_and_a_command() {
    check(Mail { body: "LANGUAGE fr\r\nYES", ..Mail::default() }, "c1 from p1 tfa; c42 from p1 tfa");
    let unasked = Mail { body: "YES\r\nHELP", asked: Token::None, owes: 1, ..Mail::default() };
    check(unasked, "c1 from p1 fa; c42 from p1 fa");
}

#[test]
fn a_line_of_an_answer_to_an_enquiry_is_no_command() {
    let body = "Status\r\n\r\nYour club is on the list since May.";
    check(Mail { body, asked: asking(1, Asks::Text, "task"), ..Mail::default() }, "c42 from p1 tfa");
    let alone = Mail { body: "STATUS", asked: asking(1, Asks::Text, "task"), ..Mail::default() };
    check(alone, "c1 from p1 tfa");
}

#[test]
fn thanks_for_a_receipt_are_no_failed_vote() {
    let asked = asking(1, Asks::Vote, "receipt:p1");
    check(
        Mail { asked: asked.clone(), body: "Thank you, all clear.", ..Mail::default() },
        "opens enquiry from \"p1\"",
    );
    check(Mail { asked, body: "NO", ..Mail::default() }, "c42 from p1 tfa");
}

#[test]
fn carriers_that_disagree_and_unknown_tokens_are_never_guessed() {
    let disagree = Mail { asked: Token::Disagree, ..Mail::default() };
    check(disagree, "a person: its reply address, references and text name different matters");
    check(Mail { asked: Token::Unknown, ..Mail::default() }, "c1 from p1 fa");
}

#[test]
fn junk_counts_only_with_a_token() {
    check(Mail { junk: true, ..Mail::default() }, "c42 from p1 tfa");
    check(Mail { junk: true, asked: Token::None, ..Mail::default() }, "silent: junk");
}
