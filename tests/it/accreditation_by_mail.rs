//! An application as it comes in: mails of a stranger, through fetching, reading, the desk and back.

use crate::daemon_rig::{BORDER, CLERK, Rig, t};
use crate::forms::{answers, application};
use atlarged::kernel::form::Form;
use atlarged::kernel::language::Language;
use atlarged::ports::store::{NoticeRow, Store};
use std::fmt::Write;

/// Somebody who is in no register.
pub const EVE: &str = "eve@e.example";

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
    let nine = "1 MET\n2 MET\n3 MET\n4 MET\n5 MET\n6 MET\n7 MET\n8 MET\n9 MET\nFINISHED";
    answers_to(&mut rig, 30, "sue@s.example", true, "accreditation/diligence", nine).await;
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
