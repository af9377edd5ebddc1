//! Files that staff give the clerk with something wrong in them: refused whole, with every reason.

use atlarged::advance::Ending;
use atlarged::cli::import;
use atlarged::kernel::language::Language;
use atlarged::kernel::people::Role;
use atlarged::kernel::register::{Change, Register};
use atlarged::ports::store::Store;
use chrono::Duration;
use serde_json::{Value, json};

use super::village::{Since, Village, ballot, person};

/// Importing this file fails, and each of these is said of its line.
fn check_register(text: &str, expect: &[(usize, &str)]) {
    let wrong = import::changes(text, false, &Register::default()).expect_err("refused");
    let said: Vec<(usize, String)> = wrong.into_iter().map(|wrong| (wrong.line, wrong.what)).collect();
    assert_eq!(said.len(), expect.len(), "{said:?}");
    for ((line, what), (expected, word)) in said.iter().zip(expect) {
        assert!(line == expected && what.contains(word), "{line}: {what}");
    }
}

#[test]
fn a_register_file_with_a_bad_address_is_refused_by_line() {
    check_register(
        "[[person]]\nid = 1\nname = \"Ana\"\nlanguage = \"en\"\nzone = \"UTC\"\naddresses = [\"ana at home\"]\n\
         roles = []\n",
        &[(1, "address")],
    );
}

#[test]
fn a_role_that_ends_before_it_begins_is_refused_by_line() {
    check_register(
        "[[person]]\nid = 1\nname = \"Ana\"\nlanguage = \"en\"\nzone = \"UTC\"\naddresses = [\"a@b.example\"]\n\
         roles = [{ role = \"alac-member\", region = \"africa\", from = 2026-02-01, until = 2026-01-01 }]\n",
        &[(1, "ends before it begins")],
    );
}

/// Opening this ballot is refused, and whoever ordered it at the keyboard reads this reason.
async fn check_ballot(change: impl FnOnce(&mut Value, &Village), template: &str, reason: &str) {
    let mut village = Village::new().await;
    let mut body = ballot(&["p1", "p2", "p3"]);
    change(&mut body, &village);
    let mark = village.mark().await;
    let (ending, case) = village.open(body).await;
    assert_eq!(ending, Ending::Refused(template.to_owned()));
    assert_eq!(village.since(&mark).await, Since { ended: [].into(), told: Vec::new() });
    let journal = village.daemon.store.journal(case).await.expect("the journal");
    let outcome = &journal.last().expect("a step").entry.outcome;
    assert!(outcome.contains(reason), "{outcome}");
    village.well().await;
}

#[tokio::test]
async fn a_ballot_that_closes_before_it_opens_is_refused_with_both_times() {
    let change = |body: &mut Value, village: &Village| {
        body["opens"] = json!(village.now() + Duration::days(2));
        body["closes"] = json!(village.now() + Duration::days(1));
    };
    check_ballot(change, "ballot/closes-too-early", "\"opens\":").await;
}

#[tokio::test]
async fn a_ballot_without_one_language_is_refused_and_the_language_named() {
    let change = |body: &mut Value, _: &Village| {
        body["question"].as_object_mut().expect("texts").remove("pt");
    };
    check_ballot(change, "ballot/language-missing", "pt").await;
}

#[tokio::test]
async fn a_ballot_for_somebody_unknown_is_refused_by_number() {
    check_ballot(
        |body, _| body["voters"] = json!({ "listed": ["p1", "p99"] }),
        "ballot/voters-unknown",
        "p99",
    )
    .await;
}

#[tokio::test]
async fn a_ballot_that_is_no_ballot_is_refused() {
    check_ballot(|body, _| *body = json!({ "question": 3 }), "ballot/unreadable", "expected a map").await;
}

#[tokio::test]
async fn a_line_break_in_a_name_or_a_question_makes_no_header() {
    let mut village = Village::new().await;
    let address = village.people[0].account.address.clone();
    let name = "Ana\r\nBcc: victim@x.example\r\n\r\nBuy";
    let ana = person(1, name, Language::En, &address, Some(Role::AlacMember));
    let now = village.now();
    let store = &village.daemon.store;
    let version = store.register().await.expect("a register").version;
    assert!(store.change_register(version, &[Change::Person(ana)], "test", now).await.expect("changed"));
    let mut body = ballot(&["p1"]);
    body["question"]["en"] = json!("Shall we?\r\nBcc: victim@x.example\r\n\r\nBuy");
    let (ending, _) = village.open(body).await;
    assert_eq!(ending, Ending::Acted);
    super::bad_mails::no_injected_header(&village.mail(1, 1).await.raw);
    village.well().await;
}
