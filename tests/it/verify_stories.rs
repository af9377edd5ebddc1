//! VERIFY: a mail is forwarded, and the clerk says whether it wrote it; to whom it went, and what stands in mail to
//! others, it tells nobody.

use crate::daemon_rig::{Rig, t};
use atlarged::kernel::ids::PersonId;
use atlarged::kernel::language::Language;
use atlarged::kernel::register::Change;
use atlarged::ports::store::Store;
use mail_parser::MessageParser;

/// A ballot that runs; both members have their mail.
async fn ballot(language: Language) -> Rig {
    let mut rig = Rig::new().await;
    let from = rig.store().register().await.expect("a register").version;
    let change = [Change::Language(PersonId(1), language)];
    assert!(rig.store().change_register(from, &change, "p3", t(0)).await.expect("a register"));
    rig.ballot().await;
    rig.turn(2).await;
    rig
}

/// The bytes of the ballot mail of a person.
async fn sent(rig: &Rig, person: u32) -> String {
    let id = rig.asked(person).await.id;
    let token = rig.reply_address(id);
    rig.out.sent.iter().find(|mail| mail.contains(&token)).expect("it left").clone()
}

/// A mail's text or page.
fn form(mail: &str, html: bool) -> String {
    let parsed = MessageParser::default().parse(mail).expect("a mail");
    let body = if html { parsed.body_html(0) } else { parsed.body_text(0) };
    body.expect("a body").replace("\r\n", "\n")
}

const UTF8: &str = "Content-Type: text/plain; charset=utf-8";
const HEADER: &str = "---------- Forwarded message ---------\nFrom: At-Large Clerk <clerk@atlarge.example>\n\
                      Date: Tue, 1 Dec 2026\nSubject: vote\nTo: N1 <ann@a.example>\n\n";

/// What Ann is told of a mail of hers, in the words of the first line of the transcript.
async fn told(rig: &mut Rig, more: &str, text: &str) -> String {
    let before = rig.notices("office/transcript").await.len();
    let number = u32::try_from(rig.inbox.mails.len()).expect("few") + 1_000;
    let minutes = 10 + i64::from(number - 1_000);
    rig.arrives(minutes, number, more, text);
    rig.turn(minutes).await;
    let transcripts = rig.notices("office/transcript").await;
    assert_eq!(transcripts.len(), before + 1, "one mail answers");
    let line = &transcripts.last().expect("a transcript").row.data["lines"][0];
    let differs = line["differs"].as_array().expect("a list").iter().filter_map(|kind| kind.as_str());
    let words = std::iter::once(line["outcome"].as_str().expect("a word")).chain(differs);
    words.collect::<Vec<_>>().join(" ").replace("verify-", "")
}

async fn check(rig: &mut Rig, copy: &str, expected: &str) {
    assert_eq!(told(rig, UTF8, &format!("VERIFY\n\n{HEADER}{copy}")).await, expected);
}

#[tokio::test]
async fn a_mail_of_ours_is_known_in_every_language_and_form() {
    for language in Language::ALL {
        let mut rig = ballot(language).await;
        let mail = sent(&rig, 1).await;
        let text = form(&mail, false);
        check(&mut rig, &text, "mine").await;
        let marked: String = text.lines().map(|line| format!("> {line}\n")).collect();
        check(&mut rig, &marked, "mine").await;

        let page = format!(
            "<div>VERIFY</div><br><div class=\"gmail_quote\">{}{}</div>",
            HEADER.replace('<', "&lt;").replace('\n', "<br>"),
            form(&mail, true)
        );
        let found = told(&mut rig, "Content-Type: text/html; charset=utf-8", &page).await;
        assert_eq!(found, "mine", "{language}: as a page");

        let enclosed = format!("--b\n\nVERIFY\n--b\nContent-Type: message/rfc822\n\n{mail}\n--b--\n");
        let found = told(&mut rig, "Content-Type: multipart/mixed; boundary=b", &enclosed).await;
        assert_eq!(found, "mine", "{language}: enclosed");
    }
}

#[tokio::test]
async fn a_copy_that_was_altered_is_told_by_what_kind_of_thing_differs() {
    let mut rig = ballot(Language::En).await;
    let mail = sent(&rig, 1).await;
    let text = form(&mail, false);
    assert!(text.contains("Shall we?"));
    check(&mut rig, &text.replace("we shall not", "we shall surely not"), "altered text").await;
    check(&mut rig, &format!("{text}\nhttps://evil.example/pay\n"), "altered links").await;
    let page = format!(
        "<div>VERIFY</div><div class=\"gmail_quote\">{}</div>",
        form(&mail, true).replacen("href=\"mailto:clerk", "href=\"mailto:thief", 1)
    );
    let found = told(&mut rig, "Content-Type: text/html; charset=utf-8", &page).await;
    assert_eq!(found, "altered links", "whatever the words over a link say");
}

#[tokio::test]
async fn what_is_not_ours_is_denied_and_what_bears_no_number_is_left_open() {
    let mut rig = ballot(Language::En).await;
    let text = form(&sent(&rig, 1).await, false);
    let token = rig.reply_address(rig.asked(1).await.id);
    let token = token.split(['+', '@']).nth(1).expect("a token").to_owned();
    let forged = text.replace(&token, "abcdefghijklmnopqrstuvwxyz234567");
    check(&mut rig, &forged, "other").await;
    check(&mut rig, "Dear member,\n\nplease log in at https://evil.example at once.\n", "unknown").await;
    assert_eq!(told(&mut rig, UTF8, "VERIFY\n").await, "nothing");
    let enclosed =
        "--b\n\nVERIFY\n--b\nContent-Type: message/rfc822\n\nFrom: clerk@atlarge.example\n\nPay!\n--b--\n";
    assert_eq!(told(&mut rig, "Content-Type: multipart/mixed; boundary=b", enclosed).await, "other");
}

#[tokio::test]
async fn mail_to_somebody_else_cannot_be_guessed_word_by_word() {
    let mut rig = ballot(Language::En).await;
    let text = form(&sent(&rig, 2).await, false);
    check(&mut rig, &text, "number").await;
    check(&mut rig, &text.replace("we shall not", "we shall surely not"), "number").await;
    check(&mut rig, &format!("{text}\nhttps://evil.example/pay\n"), "altered links").await;
}

#[tokio::test]
async fn a_forwarded_ballot_votes_for_nobody() {
    let mut rig = ballot(Language::En).await;
    let text = form(&sent(&rig, 2).await, false);
    check(&mut rig, &format!("{text}\nYES\n"), "number").await;
    assert_eq!(rig.notices("ballot/receipt").await.len(), 0);
}

#[tokio::test]
async fn every_line_is_answered_in_one_mail_and_a_slip_gets_the_word_that_was_meant() {
    let mut rig = ballot(Language::Fr).await;
    let lines = "STATUT\nSUSPENDRE\nMES DONN\u{c9}ES\nRETIRRER\nLANGUE klingon\n";
    assert_eq!(told(&mut rig, UTF8, lines).await, "status");
    let notice = rig.notices("office/transcript").await.remove(0);
    let lines = notice.row.data["lines"].as_array().expect("lines").clone();
    let said: Vec<String> =
        lines.iter().map(|line| format!("{} {}", line["key"], line["outcome"]).replace('"', "")).collect();
    let expected = [
        "status status",
        "suspend nothing",
        "my_data handed-on",
        "language language-unknown",
        "withdraw near",
    ];
    assert_eq!(said, expected);
    assert_eq!(lines[0]["waits"][0]["title"]["fr"], "Shall we?", "the question, not a title");
    assert_eq!(rig.notices("enquiry/task").await.len(), 1, "a person looks after the data");
}
