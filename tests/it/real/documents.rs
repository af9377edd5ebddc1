//! An application with documents on real servers: forty megabytes of them, and a program.

use super::village::{Since, Village, maildir, written};
use crate::papers::with_files;
use atlarged::advance::{LetterBody, NewLetter};
use atlarged::kernel::ids::PersonId;
use atlarged::kernel::workflow::{Input, Order};
use atlarged::ports::store::{Confidential, Parts, Store};
use chrono::{Duration, NaiveDate};
use serde_json::Value;

/// Bytes of the largest mail in any folder of the clerk's.
fn largest(village: &Village) -> u64 {
    fn walk(folder: &std::path::Path) -> u64 {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let size = |file: std::fs::DirEntry| match file.metadata() {
            Ok(about) if about.is_dir() => walk(&file.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        };
        files.map(size).max().unwrap_or(0)
    }
    walk(&maildir(village.sandbox, &village.clerk.login))
}

#[tokio::test]
async fn an_application_with_forty_megabytes_and_a_program_is_kept_and_the_program_goes_to_nobody() {
    let mut village = Village::new().await;
    let mark = village.mark().await;
    let raw = written("zoe@remote.example", &village.clerk.address, "", "APPLY");
    let film: Vec<u8> = (0..29_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let files: [(&str, &[u8]); 3] =
        [("statutes.pdf", b"%PDF-1.7 statutes"), ("setup.exe", b"MZ program"), ("film.mp3", &film)];
    let raw = with_files(&raw, &files);
    assert!(raw.len() > 38_000_000);
    village.deliver(raw.as_bytes());
    village.take(1).await;
    let told = ["s1 form/whole", "s1 office/transcript"].map(str::to_owned).to_vec();
    assert_eq!(village.since(&mark).await, Since { ended: [("acted", 1)].into(), told });
    let cases = village.daemon.store.cases().await.expect("the cases");
    let case = cases.iter().find(|case| case.kind == "accreditation").expect("an application").id;

    let staff = village.people[3].account.address.clone();
    village.deliver(written(&staff, &village.clerk.address, "", &format!("DOCUMENTS {case}")).as_bytes());
    village.take(1).await;
    let got = village.mail(4, 1).await;
    let names: Vec<&str> = got.letter.attachments.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["statutes.pdf"]);
    let text = got.letter.text.clone() + &got.letter.quoted;
    assert!(text.contains("setup.exe") && text.contains("film.mp3"), "{text}");
    assert!(String::from_utf8_lossy(&got.raw).contains(&data_encoding::BASE64.encode(b"%PDF-1.7 statutes")));

    let other = village.people[5].account.address.clone();
    village.deliver(written(&other, &village.clerk.address, "", &format!("DOCUMENTS {case}")).as_bytes());
    village.take(1).await;
    assert!(village.mail(6, 1).await.letter.attachments.is_empty());
    // Closed by staff, nothing is left of it: not in the record, not in the mailbox.
    assert!(largest(&village) > 38_000_000);
    let (by, at) = (PersonId(4), village.now());
    let (verb, nonce) = ("withdraw".to_owned(), "00".repeat(16));
    let order = Order { by, verb, args: Value::Null, at, os_user: String::new(), nonce };
    let body = LetterBody::ToCase(case, Input::Order(order));
    let letter = NewLetter { key: "close it".to_owned(), body, arrived: at, mail: None, message_id: None };
    village.daemon.store.post(&letter, at).await.expect("posted");
    while village.turn().await > 0 {}
    village.turn().await;
    assert_eq!(village.case(case).await.phase, "withdrawn");
    assert!(largest(&village) < 1_000_000, "the mail is expunged from wherever it was put");
    assert!(village.daemon.store.spent().await.expect("the keys").is_empty());
    let later = village.now() + Duration::days(9);
    assert_eq!(village.daemon.store.tidy_parts(later, NaiveDate::MIN).await.expect("tidy"), 0);
    village.well().await;
}
