//! Answers to a ballot that must not simply be counted: each has its outcome for the voter and for the vote.

use std::collections::BTreeMap;

use atlarged::kernel::ids::CaseId;
use atlarged::sandbox::mail_program::{Received, Reply};

use super::village::{Mark, Since, Village, written};

/// An open ballot, delivered to everybody.
struct Scene {
    village: Village,
    case: CaseId,
    /// As p1, p2 and p3 got it.
    ballots: Vec<Received>,
}

async fn scene() -> Scene {
    let mut village = Village::new().await;
    let case = village.open_ballot().await;
    let mut ballots = Vec::new();
    for voter in 1..=3 {
        ballots.push(village.mail(voter, 1).await);
    }
    Scene { village, case, ballots }
}

/// What must have happened: how the mails ended, who was told what, and how the votes stand.
struct Expect<'a> {
    ended: &'a [(&'static str, u64)],
    told: &'a [&'a str],
    votes: &'a [(&'a str, &'a str)],
}

impl Scene {
    /// p1 answers her ballot and nothing else happens.
    async fn check(mut self, reply: Reply<'_>, expect: Expect<'_>) -> Scene {
        let mark = self.village.mark().await;
        self.village.people[0].reply(&self.ballots[0], &reply).await.expect("sent");
        self.village.take(1).await;
        self.expect(&mark, expect).await;
        self
    }

    /// A mail as it is comes into the clerk's mailbox.
    async fn check_raw(&mut self, raw: &str, expect: Expect<'_>) {
        let mark = self.village.mark().await;
        self.village.deliver(raw.as_bytes());
        self.village.take(1).await;
        self.expect(&mark, expect).await;
    }

    /// Where a voter's answer goes, and the token in that address.
    fn reply_to(&self, voter: usize) -> String {
        self.ballots[voter - 1].letter.reply_to.as_ref().expect("a reply address").address.clone()
    }

    fn address(&self, person: usize) -> String {
        self.village.people[person - 1].account.address.clone()
    }

    async fn expect(&self, mark: &Mark, expect: Expect<'_>) {
        let told = expect.told.iter().map(ToString::to_string).collect();
        let since = Since { ended: expect.ended.iter().copied().collect(), told };
        assert_eq!(self.village.since(mark).await, since);
        let text = |(voter, choice): &(&str, &str)| ((*voter).to_owned(), (*choice).to_owned());
        let votes: BTreeMap<String, String> = expect.votes.iter().map(text).collect();
        assert_eq!(self.village.votes(self.case).await, votes);
        self.village.well().await;
    }
}

const ONE_YES: &[(&str, &str)] = &[("p1", "yes")];
const ACTED: &[(&str, u64)] = &[("acted", 1)];
const REFUSED: &[(&str, u64)] = &[("refused", 1)];
const SILENT: &[(&str, u64)] = &[("silent", 1)];
const QUARANTINED: &[(&str, u64)] = &[("quarantined", 1)];

#[tokio::test]
async fn an_answer_of_both_yes_and_no_is_refused_and_the_voter_is_asked_which() {
    let reply = Reply { text: "YES and NO", ..Reply::default() };
    let expect = Expect { ended: REFUSED, told: &["p1 ballot/two-answers"], votes: &[] };
    scene().await.check(reply, expect).await;
}

#[tokio::test]
async fn a_yes_that_stands_only_in_the_quote_is_refused() {
    let reply = Reply { text: "\n\n> YES\n", ..Reply::default() };
    let expect = Expect { ended: REFUSED, told: &["p1 ballot/quoted-only"], votes: &[] };
    scene().await.check(reply, expect).await;
}

#[tokio::test]
async fn an_out_of_office_reply_that_says_yes_is_neither_counted_nor_answered() {
    let headers = [("Auto-Submitted", "auto-replied")];
    let reply = Reply { text: "YES, I am away.", headers: &headers, ..Reply::default() };
    scene().await.check(reply, Expect { ended: SILENT, told: &[], votes: &[] }).await;
}

#[tokio::test]
async fn an_empty_answer_is_refused_and_says_how_to_answer() {
    let reply = Reply { text: "", bare: true, ..Reply::default() };
    scene().await.check(reply, Expect { ended: REFUSED, told: &["p1 ballot/no-answer"], votes: &[] }).await;
}

#[tokio::test]
async fn a_forwarded_ballot_gives_nobody_a_second_vote() {
    let mut scene = scene().await;
    for (who, told) in [(2, "p3 ballot/not-yours"), (5, "p6 ballot/not-a-voter")] {
        let mark = scene.village.mark().await;
        let reply = Reply { text: "YES", ..Reply::default() };
        scene.village.people[who].reply(&scene.ballots[0], &reply).await.expect("sent");
        scene.village.take(1).await;
        scene.expect(&mark, Expect { ended: REFUSED, told: &[told], votes: &[] }).await;
    }
}

#[tokio::test]
async fn the_token_of_another_person_alone_gives_her_vote_to_nobody() {
    let mut scene = scene().await;
    let raw = written(&scene.address(3), &scene.reply_to(1), "", "YES");
    let expect = Expect { ended: REFUSED, told: &["p3 ballot/not-yours"], votes: &[] };
    scene.check_raw(&raw, expect).await;
}

#[tokio::test]
async fn a_token_of_another_case_than_the_mail_it_answers_goes_to_a_person() {
    let mut scene = scene().await;
    scene.village.open_ballot().await;
    let other = scene.village.mail(1, 2).await;
    let thread = other.letter.message_id.clone().expect("an id");
    let raw = written(&scene.address(1), &scene.reply_to(1), &format!("In-Reply-To: <{thread}>\r\n"), "YES");
    let told = &["p4 office/quarantined", "p5 office/quarantined"];
    scene.check_raw(&raw, Expect { ended: QUARANTINED, told, votes: &[] }).await;
}

#[tokio::test]
async fn an_altered_token_proves_nothing_and_the_address_on_file_is_asked() {
    let mut scene = scene().await;
    let address = scene.reply_to(1);
    let (before, after) = address.split_once('@').expect("an address");
    let last = if before.ends_with('a') { 'b' } else { 'a' };
    let altered = format!("{}{last}@{after}", &before[..before.len() - 1]);
    let raw = written(&scene.address(1), &altered, "", "YES");
    scene.check_raw(&raw, Expect { ended: ACTED, told: &["p1 ballot/confirm"], votes: &[] }).await;
}

#[tokio::test]
async fn a_token_in_capitals_is_the_same_token() {
    let mut scene = scene().await;
    let raw = written(&scene.address(1), &scene.reply_to(1).to_uppercase(), "", "YES");
    scene.check_raw(&raw, Expect { ended: ACTED, told: &["p1 ballot/receipt"], votes: ONE_YES }).await;
}

#[tokio::test]
async fn the_same_mail_delivered_twice_is_one_answer_with_one_receipt() {
    let mut scene = scene().await;
    let raw = written(&scene.address(1), &scene.reply_to(1), "Message-ID: <one@x.example>\r\n", "YES");
    let mark = scene.village.mark().await;
    scene.village.deliver(raw.as_bytes());
    scene.village.deliver(raw.as_bytes());
    // Mail is read in order: once this one is in, both of the others are.
    let other = written(&scene.address(2), &scene.reply_to(2), "", "NON");
    scene.village.deliver(other.as_bytes());
    scene.village.take(2).await;
    let told = &["p1 ballot/receipt", "p2 ballot/receipt"];
    let votes = &[("p1", "yes"), ("p2", "no")];
    scene.expect(&mark, Expect { ended: &[("acted", 2)], told, votes }).await;
}

#[tokio::test]
async fn another_answer_under_a_used_message_id_is_another_answer_that_must_be_confirmed() {
    let mut scene = scene().await;
    let raw =
        |text: &str| written(&scene.address(1), &scene.reply_to(1), "Message-ID: <one@x.example>\r\n", text);
    let (yes, no) = (raw("YES"), raw("NO"));
    scene.check_raw(&yes, Expect { ended: ACTED, told: &["p1 ballot/receipt"], votes: ONE_YES }).await;
    scene.check_raw(&no, Expect { ended: ACTED, told: &["p1 ballot/confirm"], votes: ONE_YES }).await;
}

#[tokio::test]
async fn a_bounce_that_quotes_a_yes_is_news_of_a_bounce_and_no_vote() {
    let mut scene = scene().await;
    let original = String::from_utf8_lossy(&scene.ballots[0].raw).into_owned();
    let raw = format!(
        "From: Mail Delivery System <mailer-daemon@mx.example>\r\nTo: {to}\r\nReturn-Path: <>\r\n\
         Subject: Mail delivery failed\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nYES\r\n\r\n{ana}: user unknown\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; {ana}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\n{original}\r\n--b--\r\n",
        to = scene.reply_to(1),
        ana = scene.address(1),
    );
    let told = &["p4 ballot/unreachable", "p5 ballot/unreachable"];
    scene.check_raw(&raw, Expect { ended: ACTED, told, votes: &[] }).await;
}

#[tokio::test]
async fn a_spoofed_sender_with_the_right_token_counts_only_once_the_address_on_file_confirms() {
    let reply = Reply { text: "YES", anonymous: true, ..Reply::default() };
    let expect = Expect { ended: ACTED, told: &["p1 ballot/confirm"], votes: &[] };
    let mut scene = scene().await.check(reply, expect).await;
    let asked = scene.village.mail(1, 2).await;
    let mark = scene.village.mark().await;
    let confirm = Reply { text: "CONFIRM", ..Reply::default() };
    scene.village.people[0].reply(&asked, &confirm).await.expect("sent");
    scene.village.take(1).await;
    scene.expect(&mark, Expect { ended: ACTED, told: &["p1 ballot/receipt"], votes: ONE_YES }).await;
}

#[tokio::test]
async fn a_forged_confirmation_without_the_token_that_was_sent_confirms_nothing() {
    let reply = Reply { text: "YES", anonymous: true, ..Reply::default() };
    let expect = Expect { ended: ACTED, told: &["p1 ballot/confirm"], votes: &[] };
    let mut scene = scene().await.check(reply, expect).await;
    let mark = scene.village.mark().await;
    let confirm = Reply { text: "CONFIRM", anonymous: true, ..Reply::default() };
    scene.village.people[0].reply(&scene.ballots[0], &confirm).await.expect("sent");
    scene.village.take(1).await;
    scene.expect(&mark, Expect { ended: REFUSED, told: &["p1 ballot/confirm-unclear"], votes: &[] }).await;
}

#[tokio::test]
async fn an_answer_in_an_unknown_charset_is_read_as_far_as_it_is_ascii() {
    let mut scene = scene().await;
    let headers = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=x-never-heard-of\r\n";
    let raw = written(&scene.address(1), &scene.reply_to(1), headers, "YES");
    scene.check_raw(&raw, Expect { ended: ACTED, told: &["p1 ballot/receipt"], votes: ONE_YES }).await;
}

#[tokio::test]
async fn a_receipt_stands_in_the_thread_of_the_answer() {
    let mut scene = scene().await;
    let raw = written(&scene.address(1), &scene.reply_to(1), "Message-ID: <one@x.example>\r\n", "YES");
    scene.check_raw(&raw, Expect { ended: ACTED, told: &["p1 ballot/receipt"], votes: ONE_YES }).await;
    let receipt = scene.village.mail(1, 2).await;
    let text = String::from_utf8_lossy(&receipt.raw).into_owned();
    assert!(text.contains("\r\nIn-Reply-To: <one@x.example>\r\n"), "{text}");
}
