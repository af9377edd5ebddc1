//! An application as it comes in: mails of a stranger, through fetching, reading, the desk and back.

use crate::daemon_rig::{BORDER, CLERK, Rig, t};
use crate::forms::{answers, application};
use atlarged::advance::LetterBody;
use atlarged::kernel::form::Form;
use atlarged::kernel::ids::PersonId;
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Person, Region, Role, RoleHeld};
use atlarged::kernel::register::Change;
use atlarged::kernel::workflow::{Input, Undelivered};
use atlarged::ports::store::{NoticeRow, Store};
use serde_json::json;
use std::fmt::Write;

/// Somebody who is in no register.
pub const EVE: &str = "eve@e.example";

/// Due diligence done, in one reply.
const NINE: &str = "1 MET\n2 MET\n3 MET\n4 MET\n5 MET\n6 MET\n7 MET\n8 MET\n9 MET\nFINISHED";

/// A mail submitted after login as whom its From names, or by nobody in particular.
pub fn mail(number: u32, from: &str, login: bool, to: &str, text: &str) -> String {
    let vouched = if login {
        format!("Authentication-Results: {BORDER}; auth=pass smtp.auth={from}\r\n")
    } else {
        String::new()
    };
    let text = text.replace('\n', "\r\n");
    format!(
        "{vouched}From: {from}\r\nTo: {to}\r\nSubject: An application\r\n\
         Message-ID: <{number}@e.example>\r\n\r\n{text}\r\n"
    )
}

/// Every question of the form answered by its number.
pub fn filled(form: &Form) -> String {
    let mut text = String::new();
    for (id, answer, _) in answers(Language::En) {
        let (number, _) = form.field(id).expect("a question");
        writeln!(text, "{number}. {answer}").expect("text");
    }
    text
}

/// The newest notice of a template.
pub async fn newest(rig: &Rig, template: &str) -> NoticeRow {
    rig.notices(template).await.pop().unwrap_or_else(|| panic!("no {template} was written"))
}

/// A mail that answers the newest notice of a template is read at that minute.
pub async fn answers_to(rig: &mut Rig, minutes: i64, from: &str, login: bool, template: &str, text: &str) {
    let to = rig.reply_address(newest(rig, template).await.row.id);
    let number = u32::try_from(minutes).expect("few");
    rig.inbox.mails.push((t(minutes), mail(number, from, login, &to, text)));
    rig.turn(minutes).await;
}

pub async fn phase(rig: &Rig) -> String {
    let cases = rig.store().cases().await.expect("cases");
    cases.into_iter().find(|case| case.kind == "accreditation").expect("an application").phase
}

/// Eve has asked for the form, and got it.
async fn applied() -> Rig {
    let mut rig = Rig::new().await;
    let words = "Good morning,\n\nwe are a club of users in Dakar.\n\nAPPLY\n\nThank you";
    rig.inbox.mails.push((t(10), mail(10, EVE, true, CLERK, words)));
    rig.turn(10).await;
    rig
}

#[tokio::test]
async fn a_stranger_writes_apply_fills_in_the_form_and_has_applied() {
    let mut rig = applied().await;
    assert_eq!(phase(&rig).await, "drafting");
    assert_eq!(rig.notices("office/transcript").await.len(), 1);
    answers_to(&mut rig, 20, EVE, true, "form/whole", &filled(&application())).await;
    assert_eq!(phase(&rig).await, "due-diligence");
    let received = newest(&rig, "accreditation/received").await;
    let sent = rig.out.sent.iter().filter(|mail| mail.contains(&format!("To: {EVE}"))).count();
    assert_eq!(
        (received.row.to.to_string().as_str(), sent),
        ("s1", 4),
        "transcript, form, receipt, its number"
    );
    answers_to(&mut rig, 30, "sue@s.example", true, "accreditation/diligence", NINE).await;
    assert_eq!(phase(&rig).await, "regional-review");
    answers_to(&mut rig, 40, EVE, true, "accreditation/progress", "SUSPEND").await;
    assert_eq!(phase(&rig).await, "suspended");
}

#[tokio::test]
async fn who_only_has_the_applicants_mail_can_end_nothing() {
    let mut rig = applied().await;
    answers_to(&mut rig, 20, EVE, true, "form/whole", &filled(&application())).await;
    answers_to(&mut rig, 30, "mallory@m.example", true, "accreditation/received", "WITHDRAW").await;
    assert_eq!(phase(&rig).await, "due-diligence");
    let asked = newest(&rig, "accreditation/confirm").await;
    assert_eq!(asked.row.to.to_string(), "s1", "she is asked at her own address");
    answers_to(&mut rig, 40, "mallory@m.example", true, "accreditation/received", "SUSPEND").await;
    assert_eq!(phase(&rig).await, "due-diligence");
    answers_to(&mut rig, 50, EVE, true, "accreditation/confirm", "CONFIRM").await;
    assert_eq!(phase(&rig).await, "withdrawn");
}

#[tokio::test]
async fn what_comes_back_from_where_she_wrote_is_tried_at_the_address_in_her_form() {
    let mut rig = applied().await;
    answers_to(&mut rig, 20, EVE, true, "form/whole", &filled(&application())).await;
    let received = newest(&rig, "accreditation/received").await.row;
    let bounce = Undelivered {
        notice: received.id,
        label: received.label,
        to: received.to,
        address: 0,
        permanent: true,
        status: Some("5.1.1".to_owned()),
        at: t(25),
    };
    rig.post("a bounce", LetterBody::ToCase(received.id.case, Input::Undelivered(bounce))).await;
    rig.out.sent.clear();
    answers_to(&mut rig, 30, "sue@s.example", true, "accreditation/diligence", NINE).await;
    let progress = rig.out.sent.iter().find(|mail| mail.contains("the region may comment now"));
    let progress = progress.expect("she is told how it goes on");
    assert!(progress.contains("To: amina@open-net.example"), "{progress}");
}

/// A day in minutes.
const DAY: i64 = 24 * 60;

/// Eve's application, of a group with this web page, advised for: the window has begun. With the minute at which it ends.
async fn in_the_window(web: &str) -> (Rig, i64) {
    let mut rig = applied().await;
    let held = RoleHeld {
        role: Role::RaloSecretariat,
        region: Some(Region::Africa),
        organisation: None,
        from: t(0),
        until: None,
    };
    let secretariat = Person {
        id: PersonId(10),
        name: "Sec".to_owned(),
        language: Language::En,
        zone: chrono_tz::UTC,
        addresses: vec!["sec@ralo.example".to_owned()],
        roles: vec![held],
    };
    let version = rig.store().register().await.expect("a register").version;
    let changes = [Change::Person(secretariat)];
    assert!(rig.store().change_register(version, &changes, "p3", t(10)).await.expect("a register"));
    let form = filled(&application()).replace("www.open-net.example", web);
    answers_to(&mut rig, 20, EVE, true, "form/whole", &form).await;
    answers_to(&mut rig, 30, "sue@s.example", true, "accreditation/diligence", NINE).await;
    rig.turn(21 * DAY + 60).await;
    assert_eq!(phase(&rig).await, "advice-due");
    let advice = "ACCREDIT\nCOMMENTS ELSEWHERE: our call of Monday";
    answers_to(&mut rig, 22 * DAY, "sec@ralo.example", true, "accreditation/advice", advice).await;
    rig.turn(22 * DAY + 1).await;
    assert_eq!(phase(&rig).await, "window");
    (rig, 29 * DAY)
}

#[tokio::test]
async fn while_the_mailbox_cannot_be_read_silence_accredits_nobody() {
    let (mut rig, due) = in_the_window("www.open-net.example").await;
    rig.inbox.whole = false;
    for minutes in [due + 10, due + DAY, due + 3 * DAY] {
        rig.turn(minutes).await;
        assert_eq!(phase(&rig).await, "window", "{minutes}: somebody may have written");
    }
    rig.inbox.whole = true;
    rig.turn(due + 4 * DAY).await;
    assert_eq!(phase(&rig).await, "decided", "nobody had");
    let decided = newest(&rig, "accreditation/accredited").await.row.data["at"].clone();
    assert_eq!(decided, json!(t(due)), "at the end of the window all the same");
}

#[tokio::test]
async fn a_request_that_lay_in_a_dead_mailbox_at_the_deadline_opens_the_vote() {
    for (arrived, expected) in [(0, "voting"), (1, "decided")] {
        let (mut rig, due) = in_the_window("www.open-net.example").await;
        rig.inbox.whole = false;
        rig.turn(due + DAY).await;
        rig.inbox.whole = true;
        let window = rig.notices("accreditation/window").await;
        let bobs = window.iter().find(|row| row.row.to.to_string() == "p2").expect("he was told");
        let to = rig.reply_address(bobs.row.id);
        rig.inbox.mails.push((t(due + arrived), mail(99, "bob@b.example", true, &to, "REQUEST VOTE")));
        rig.turn(due + 2 * DAY).await;
        assert_eq!(phase(&rig).await, expected, "{arrived} minutes after the last moment");
    }
}

#[tokio::test]
async fn what_a_person_released_is_a_file_that_anybody_can_open_and_nothing_is_before() {
    let (mut rig, due) = in_the_window("none").await;
    rig.turn(due + 10).await;
    rig.turn(due + 11).await;
    assert_eq!(phase(&rig).await, "notified");
    rig.daemon.publish().await.expect("published");
    let before = ["applications/c2.json", "structures/o1.html"].map(|path| rig_file(&rig, path));
    assert_eq!(before, [None, None]);
    answers_to(&mut rig, due + 20, "sue@s.example", true, "accreditation/page-task", "PUBLISH").await;
    answers_to(&mut rig, due + 30, "sue@s.example", true, "accreditation/release", "PUBLISH").await;
    rig.daemon.publish().await.expect("published");
    let page = rig_file(&rig, "structures/o1.html").expect("a page");
    assert!(page.starts_with("<!doctype html>") && page.contains("<h1>Open Net</h1>"), "{page}");
    let record = rig_file(&rig, "applications/c2.json").expect("a record");
    assert!(record.contains("\"accredited\": true") && !record.contains("amina"), "{record}");
}

/// A published file.
fn rig_file(rig: &Rig, path: &str) -> Option<String> {
    std::fs::read_to_string(rig.dir.path().join("public").join(path)).ok()
}
