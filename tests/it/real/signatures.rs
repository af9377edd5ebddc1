//! Mail that nobody logged in to send: a signature of the author's domain is as good, and none is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use atlarged::ports::resolver::Resolver;

use super::village::{Since, Village};
use crate::sandbox::send;
use crate::signing::{Signing, signed, zone};

/// An answer of p1's goes over the relay; what comes of it.
async fn check(village: &mut Village, to: &str, (number, text): (u32, &str), sign: bool, expected: &[&str]) {
    let ana = village.people[0].account.address.clone();
    let mail = format!(
        "From: Ana <{ana}>\nTo: {to}\nSubject: Re: your mail\nDate: Tue, 1 Dec 2026 10:00:0{number} +0000\n\
         Message-ID: <{number}@village.example>\n\n{text}\n.\nAna\n"
    );
    let signing = Signing { domain: "village.example", ..Signing::default() };
    let mail = if sign { signed(&mail, signing).replace("\r\n", "\n") } else { mail };
    let mark = village.mark().await;
    send(village.sandbox, None, &ana, to, &mail).await;
    village.take(1).await;
    let told = expected.iter().map(ToString::to_string).collect();
    assert_eq!(village.since(&mark).await, Since { ended: BTreeMap::from([("acted", 1)]), told });
}

#[tokio::test]
async fn a_signed_answer_counts_and_an_unsigned_one_is_asked_about() {
    let mut village = Village::new().await;
    village.daemon.resolver = Some(Arc::new(Resolver::from_zone(&zone("")).expect("a resolver")));
    let case = village.open_ballot().await;
    let ballot = village.mail(1, 1).await;
    let to = ballot.letter.reply_to.as_ref().expect("a reply address").address.clone();
    check(&mut village, &to, (1, "NO"), true, &["p1 ballot/receipt"]).await;
    check(&mut village, &to, (2, "YES"), false, &["p1 ballot/confirm"]).await;
    let voted = BTreeMap::from([("p1".to_owned(), "no".to_owned())]);
    assert_eq!(village.votes(case).await, voted);
    village.well().await;
}
