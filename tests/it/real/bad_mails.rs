//! Mail of hostile size or shape, and strangers: nothing is lost, nothing falls over, nobody is bothered.

use super::village::{Since, Village, written};

/// Delivers mails one after the other and says what each caused.
async fn check(village: &mut Village, raw: &[u8], ended: &'static str, told: &[&str]) {
    let mark = village.mark().await;
    village.deliver(raw);
    village.take(1).await;
    let mut told: Vec<String> = told.iter().map(ToString::to_string).collect();
    told.sort();
    assert_eq!(village.since(&mark).await, Since { ended: [(ended, 1)].into(), told });
    village.well().await;
}

fn reply_to(mail: &atlarged::sandbox::mail_program::Received) -> String {
    mail.letter.reply_to.as_ref().expect("a reply address").address.clone()
}

/// A vote with so many megabytes of document.
fn with_document(from: &str, to: &str, megabytes: usize) -> Vec<u8> {
    let headers = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n";
    let text = "--b\r\nContent-Type: text/plain\r\n\r\nYES\r\n--b\r\n\
                Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\
                Content-Disposition: attachment; filename=a.pdf\r\n\r\n";
    let mut raw = written(from, to, headers, text).into_bytes();
    let line = [b"QUJD".repeat(19), b"\r\n".to_vec()].concat();
    while raw.len() < megabytes * 1_000_000 {
        raw.extend_from_slice(&line);
    }
    raw.extend_from_slice(b"--b--\r\n");
    raw
}

#[tokio::test]
async fn a_vote_with_fifty_megabytes_attached_is_counted() {
    let mut village = Village::new().await;
    let case = village.open_ballot().await;
    let ballot = village.mail(1, 1).await;
    let raw = with_document(&village.people[0].account.address, &reply_to(&ballot), 50);
    check(&mut village, &raw, "acted", &["p1 ballot/receipt"]).await;
    assert_eq!(village.votes(case).await["p1"], "yes");
}

#[tokio::test]
async fn a_mail_of_a_hundred_megabytes_is_not_fetched_and_its_sender_is_told() {
    let mut village = Village::new().await;
    let case = village.open_ballot().await;
    let ballot = village.mail(1, 1).await;
    let raw = with_document(&village.people[0].account.address, &reply_to(&ballot), 100);
    check(&mut village, &raw, "refused", &["p1 office/too-large"]).await;
    assert!(village.votes(case).await.is_empty());
    let stranger = with_document("stranger@elsewhere.example", &village.clerk.address, 61);
    check(&mut village, &stranger, "silent", &[]).await;
}

#[tokio::test]
async fn ten_thousand_nested_parts_are_taken_for_what_can_be_read_of_them() {
    let mut village = Village::new().await;
    let case = village.open_ballot().await;
    let ballot = village.mail(1, 1).await;
    let mut text = String::new();
    for n in 1..10_000 {
        text += &format!("--b{}\r\nContent-Type: multipart/mixed; boundary=b{n}\r\n\r\n", n - 1);
    }
    text += "--b9999\r\nContent-Type: text/plain\r\n\r\nYES\r\n";
    let headers = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b0\r\n";
    let raw = written(&village.people[0].account.address, &reply_to(&ballot), headers, &text);
    check(&mut village, raw.as_bytes(), "refused", &["p1 ballot/no-answer"]).await;
    assert!(village.votes(case).await.is_empty());
}

#[tokio::test]
async fn a_vote_under_a_header_of_a_megabyte_is_counted() {
    let mut village = Village::new().await;
    let case = village.open_ballot().await;
    let ballot = village.mail(1, 1).await;
    let headers = "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(15_000);
    let raw = written(&village.people[0].account.address, &reply_to(&ballot), &headers, "YES");
    assert!(raw.len() > 1_000_000);
    check(&mut village, raw.as_bytes(), "acted", &["p1 ballot/receipt"]).await;
    assert_eq!(village.votes(case).await["p1"], "yes");
}

#[tokio::test]
async fn a_line_break_hidden_in_a_subject_makes_no_header_in_what_we_send() {
    let mut village = Village::new().await;
    let (olu, clerk) = (village.people[5].account.address.clone(), village.clerk.address.clone());
    let raw = written(&olu, &clerk, "", "When is the next meeting, please?")
        .replace("Re: your mail", "=?utf-8?q?Hello=0D=0ABcc:_victim=40x.example=0D=0A=0D=0ABuy?=");
    let told = ["p6 enquiry/received", "p4 enquiry/task", "p5 enquiry/task"];
    check(&mut village, raw.as_bytes(), "acted", &told).await;
    for person in [6, 4, 5] {
        no_injected_header(&village.mail(person, 1).await.raw);
    }
}

/// Every line of the header block is a field of ours, or the rest of one.
pub fn no_injected_header(raw: &[u8]) {
    let text = String::from_utf8_lossy(raw);
    let header = text.split("\r\n\r\n").next().unwrap_or_default();
    let injected =
        header.lines().find(|line| line.to_lowercase().starts_with("bcc") || line.starts_with("Buy"));
    assert_eq!(injected, None);
    assert!(header.contains("\nMessage-ID:") || header.starts_with("Message-ID:"), "cut short:\n{header}");
}

#[tokio::test]
async fn spam_from_strangers_is_answered_by_nobody() {
    let mut village = Village::new().await;
    let clerk = village.clerk.address.clone();
    let forged = written("winner@lottery.example", &clerk, "", "You won! YES YES YES")
        .replace("Authentication-Results", "X-Was-Not");
    check(&mut village, forged.as_bytes(), "silent", &[]).await;
    let from_nobody = forged.replace("From: Somebody <winner@lottery.example>\r\n", "");
    check(&mut village, from_nobody.as_bytes(), "silent", &[]).await;
}

#[tokio::test]
async fn a_stranger_whose_server_vouches_for_her_is_answered_once_a_day() {
    let mut village = Village::new().await;
    let clerk = village.clerk.address.clone();
    let ask = |text: &str| written("zoe@remote.example", &clerk, "", text).into_bytes();
    let told = ["s1 enquiry/received", "p4 enquiry/task", "p5 enquiry/task"];
    check(&mut village, &ask("How can our group join?"), "acted", &told).await;
    check(&mut village, &ask("And by when?"), "silent", &[]).await;
}

#[tokio::test]
async fn an_empty_mail_that_answers_nothing_goes_to_staff_and_is_acknowledged() {
    let mut village = Village::new().await;
    let raw = written(&village.people[5].account.address, &village.clerk.address, "", "");
    let told = ["p6 enquiry/received", "p4 enquiry/task", "p5 enquiry/task"];
    check(&mut village, raw.as_bytes(), "acted", &told).await;
}

#[tokio::test]
async fn bytes_that_are_no_mail_go_to_a_person() {
    let mut village = Village::new().await;
    let noise: Vec<u8> = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let told = ["p4 office/quarantined", "p5 office/quarantined"];
    check(&mut village, &noise, "quarantined", &told).await;
}
