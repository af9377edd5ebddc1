//! What comes attached to an application: kept, shown to those who may see it, never pushed at anybody, destroyed when
//! it must be.

use crate::accreditation_by_mail::{EVE, answers_to, filled, mail, newest, phase};
use crate::daemon_rig::{CLERK, Rig, t};
use crate::forms::application;
use atlarged::advance::CaseRow;
use atlarged::kernel::documents::{Filed, Folder};
use atlarged::kernel::ids::PersonId;
use atlarged::letters::{self, Trust};
use atlarged::ports::store::{Confidential, Parts, Store};
use chrono::NaiveDate;

/// The same mail with files.
pub fn with_files(raw: &str, files: &[(&str, &[u8])]) -> String {
    let (header, text) = raw.split_once("\r\n\r\n").expect("a mail");
    let part = |(name, bytes): &(&str, &[u8])| {
        let bytes = data_encoding::BASE64.encode(bytes);
        let lines: Vec<&str> =
            bytes.as_bytes().chunks(76).map(|l| std::str::from_utf8(l).expect("text")).collect();
        format!(
            "--b\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\nContent-Disposition: attachment; \
             filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            lines.join("\r\n")
        )
    };
    let parts: String = files.iter().map(part).collect();
    format!(
        "{header}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n{parts}--b--\r\n"
    )
}

/// Names of the files attached to the newest mail to an address, and its text.
fn newest_to(rig: &Rig, address: &str) -> (Vec<String>, String) {
    let to = |mail: &&String| {
        mail.contains(&format!("To: {address}")) || mail.contains(&format!("<{address}>\r\n"))
    };
    let mail = rig.out.sent.iter().rev().find(to).expect("a mail");
    let letter = letters::read(mail.as_bytes(), &Trust::default());
    (letter.attachments.into_iter().map(|file| file.name).collect(), letter.text + &letter.quoted)
}

/// A mail is read at that minute.
async fn writes(rig: &mut Rig, minutes: i64, from: &str, text: &str) {
    let number = u32::try_from(minutes).expect("few");
    rig.inbox.mails.push((t(minutes), mail(number, from, true, CLERK, text)));
    rig.turn(minutes).await;
}

const STATUTES: &[u8] = b"%PDF-1.7 the statutes";
const PROGRAM: &[u8] = b"MZ a program";
const PASSPORTS: &[u8] = b"%PDF-1.7 passports of all";

async fn application_row(rig: &Rig) -> CaseRow {
    let cases = rig.store().cases().await.expect("cases");
    cases.into_iter().find(|case| case.kind == "accreditation").expect("an application")
}

async fn folder(rig: &Rig) -> Vec<Filed> {
    let state = application_row(rig).await.state;
    let found = ["/drafting/documents", "/running/file/documents", "/decided/file/documents"];
    let folder = found.into_iter().find_map(|path| state.pointer(path));
    folder
        .map(|folder| serde_json::from_value::<Folder>(folder.clone()).expect("a folder").filed().to_vec())
        .unwrap_or_default()
}

/// Eve has applied: statutes and a program came with APPLY, passports with the form.
async fn applied() -> Rig {
    let mut rig = Rig::new().await;
    let raw = with_files(
        &mail(10, EVE, true, CLERK, "APPLY"),
        &[("statutes.pdf", STATUTES), ("../setup.exe", PROGRAM)],
    );
    rig.inbox.mails.push((t(10), raw));
    rig.turn(10).await;
    let to = rig.reply_address(newest(&rig, "form/whole").await.row.id);
    let form = mail(20, EVE, true, &to, &filled(&application()));
    rig.inbox
        .mails
        .push((t(20), with_files(&form, &[("passports.pdf", PASSPORTS), ("again.pdf", STATUTES)])));
    rig.turn(20).await;
    rig
}

#[tokio::test]
async fn what_comes_with_apply_and_with_the_form_is_kept_by_number_and_staff_are_told() {
    let rig = applied().await;
    assert_eq!(phase(&rig).await, "due-diligence");
    let filed = folder(&rig).await;
    let shown: Vec<_> = filed
        .iter()
        .map(|filed| filed.document.as_ref().map(|d| (filed.number, d.name.as_str(), d.size, d.harmless)))
        .collect();
    assert_eq!(
        shown,
        [
            Some((1, "statutes.pdf", STATUTES.len() as u64, true)),
            Some((2, "setup.exe", PROGRAM.len() as u64, false)),
            Some((3, "passports.pdf", PASSPORTS.len() as u64, true)),
        ],
        "the statutes sent again are the statutes"
    );
    assert_eq!(newest(&rig, "accreditation/documents").await.row.to.to_string(), "p3");
    let (attached, text) = newest_to(&rig, "sue@s.example");
    assert!(attached.is_empty(), "nothing is pushed at anybody: {attached:?}");
    assert!(text.contains("passports.pdf") && text.contains("setup.exe"), "{text}");
    let document = filed[0].document.as_ref().expect("it is there");
    assert_eq!(rig.daemon.document(&document.handle).await.unwrap().as_deref(), Some(STATUTES));
    let state = application_row(&rig).await.state.to_string();
    assert!(!state.contains("the statutes"), "the state holds no bytes");
    assert_eq!(rig.store().tidy_parts(t(100_000), NaiveDate::MIN).await.unwrap(), 0, "nothing lies about");
}

#[tokio::test]
async fn documents_go_by_mail_to_those_who_may_see_them_and_a_program_to_nobody() {
    let mut rig = applied().await;
    let number = application_row(&rig).await.id;
    answers_to(&mut rig, 30, "sue@s.example", true, "accreditation/documents", "DOCUMENTS").await;
    let (attached, text) = newest_to(&rig, "sue@s.example");
    assert_eq!(attached, ["statutes.pdf", "passports.pdf"]);
    assert!(text.contains("setup.exe") && text.contains("never sent on"), "{text}");
    assert!(!rig.out.sent.iter().any(|mail| mail.contains(&data_encoding::BASE64.encode(PROGRAM))));
    // Ann sits on the committee.
    writes(&mut rig, 31, "ann@a.example", &format!("DOCUMENTS {}", number.0)).await;
    assert_eq!(newest_to(&rig, "ann@a.example").0, ["statutes.pdf", "passports.pdf"]);
    assert_eq!(rig.notices("documents/list").await.len(), 2);
    let asked = rig.inputs(number).await;
    assert!(
        asked.iter().any(|input| input["reading"]["by"] == serde_json::json!(PersonId(1))),
        "who read is on record"
    );
    let forged = mail(32, "ann@a.example", false, CLERK, &format!("DOCUMENTS {number}"));
    rig.inbox.mails.push((t(32), forged));
    rig.turn(32).await;
    assert_eq!(rig.notices("documents/list").await.len(), 2, "nobody vouches for this mail");
}

#[tokio::test]
async fn whoever_may_not_see_documents_learns_nothing_of_the_matter() {
    let mut rig = applied().await;
    let number = application_row(&rig).await.id;
    let olu = crate::daemon_rig::nobody(7, "olu@o.example");
    let version = rig.store().register().await.unwrap().version;
    assert!(rig.store().change_register(version, &[olu], "p3", t(25)).await.unwrap());
    writes(&mut rig, 30, "olu@o.example", &format!("DOCUMENTS {number}")).await;
    let (attached, text) = newest_to(&rig, "olu@o.example");
    assert!(attached.is_empty() && text.contains(&number.to_string()), "{text}");
    assert!(!text.contains("statutes") && !text.contains("Open"), "{text}");
    assert_eq!(rig.notices("documents/not-yours").await.len(), 1);
    writes(&mut rig, 31, EVE, &format!("DOCUMENTS {number}")).await;
    assert!(newest_to(&rig, EVE).0.is_empty());
    assert_eq!(rig.notices("documents/list").await.len(), 0);
}

#[tokio::test]
async fn a_proof_of_identity_is_for_staff_alone_and_destroyed_once_its_conclusion_is_recorded() {
    let mut rig = applied().await;
    let number = application_row(&rig).await.id;
    let before = folder(&rig).await[2].document.clone().expect("it is there");
    let paper = rig.store().paper(&before.handle.to_string()).await.unwrap().expect("it is stored");
    answers_to(&mut rig, 30, "sue@s.example", true, "accreditation/documents", "3 PROOF OF IDENTITY").await;
    writes(&mut rig, 31, "ann@a.example", &format!("DOCUMENTS {}", number.0)).await;
    assert_eq!(newest_to(&rig, "ann@a.example").0, ["statutes.pdf"]);
    writes(&mut rig, 32, "sue@s.example", &format!("DOCUMENTS {}", number.0)).await;
    assert_eq!(newest_to(&rig, "sue@s.example").0, ["statutes.pdf", "passports.pdf"]);
    answers_to(&mut rig, 40, "sue@s.example", true, "accreditation/diligence", "F: 25 members, all seen")
        .await;
    rig.turn(41).await;
    let filed = &folder(&rig).await[2];
    assert_eq!((filed.document.as_ref(), filed.destroyed), (None, Some(t(40))));
    assert_eq!(rig.daemon.document(&before.handle).await.unwrap(), None);
    assert!(
        rig.daemon.keys.try_open(&paper.sealed, paper.handle.as_bytes()).unwrap().is_none(),
        "in no copy"
    );
    assert!(rig.store().spent().await.unwrap().is_empty(), "its key is gone");
    assert_eq!(rig.inbox.expunged, [2], "the mail it came in is removed from the mailbox");
    let journal = rig.store().journal(Some(number)).await.unwrap();
    assert!(journal.iter().any(|row| row.entry.outcome == "acted; documents destroyed: 1"));
    answers_to(&mut rig, 50, "sue@s.example", true, "accreditation/documents", "DOCUMENTS").await;
    let (attached, text) = newest_to(&rig, "sue@s.example");
    assert!(
        attached == ["statutes.pdf"] && text.contains("destroyed") && !text.contains("passports"),
        "{text}"
    );
    answers_to(&mut rig, 55, "sue@s.example", true, "documents/list", "1 PROOF OF IDENTITY").await;
    assert!(
        folder(&rig).await[0].destroyed.is_some(),
        "the list can be answered; the conclusion is there already"
    );
    answers_to(&mut rig, 60, "sue@s.example", true, "accreditation/documents", "3 PROOF OF IDENTITY").await;
    let refused = newest(&rig, "accreditation/not-done").await;
    assert_eq!(refused.row.data["why"], "no-document");
}

#[tokio::test]
async fn a_withdrawn_application_leaves_no_document() {
    let mut rig = applied().await;
    let handles: Vec<String> =
        folder(&rig).await.iter().filter_map(|f| Some(f.document.as_ref()?.handle.to_string())).collect();
    answers_to(&mut rig, 30, EVE, true, "accreditation/received", "WITHDRAW").await;
    if phase(&rig).await != "withdrawn" {
        answers_to(&mut rig, 31, EVE, true, "accreditation/confirm", "CONFIRM").await;
    }
    assert_eq!(phase(&rig).await, "withdrawn");
    for handle in handles {
        assert_eq!(rig.store().paper(&handle).await.unwrap(), None);
    }
    rig.turn(40).await;
    assert_eq!(rig.store().tidy_parts(t(100_000), NaiveDate::MIN).await.unwrap(), 0);
}

#[tokio::test]
async fn what_strangers_attach_to_other_mail_is_not_kept_and_a_refused_answer_leaves_nothing() {
    let mut rig = applied().await;
    let to = rig.reply_address(newest(&rig, "accreditation/received").await.row.id);
    let forged = mail(30, "mallory@m.example", true, &to, "More about us.");
    rig.inbox.mails.push((t(30), with_files(&forged, &[("evil.pdf", b"%PDF evil")])));
    rig.turn(30).await;
    assert_eq!(folder(&rig).await.len(), 3);
    assert_eq!(rig.store().tidy_parts(t(100_000), NaiveDate::MIN).await.unwrap(), 0);
}

#[tokio::test]
async fn a_large_document_in_an_answer_is_kept_whole_and_a_mail_of_nothing_else_is_an_answer() {
    let mut rig = applied().await;
    let film: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let large = vec![7; 11 << 20];
    let to = rig.reply_address(newest(&rig, "accreditation/received").await.row.id);
    let raw = mail(30, EVE, true, &to, "");
    rig.inbox.mails.push((t(30), with_files(&raw, &[("film.mp3", &film), ("all.pdf", &large)])));
    rig.turn(30).await;
    let filed = folder(&rig).await;
    assert_eq!(filed.len(), 5, "{filed:?}");
    let document = filed[3].document.as_ref().expect("it is there");
    assert!(rig.daemon.document(&document.handle).await.unwrap() == Some(film));
    answers_to(&mut rig, 40, "sue@s.example", true, "accreditation/documents", "DOCUMENTS").await;
    let (attached, text) = newest_to(&rig, "sue@s.example");
    assert_eq!(attached, ["statutes.pdf", "passports.pdf", "film.mp3"]);
    assert!(text.contains("too large for a mail"), "{text}");
}
