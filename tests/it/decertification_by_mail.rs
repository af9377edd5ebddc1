//! A decertification as its mails come and go: proposed, answered, joined, voted on, published.

use crate::daemon_rig::{BORDER, Rig, t};
use atlarged::advance::LetterBody;
use atlarged::kernel::ids::{OrganisationId, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Organisation, OrganisationKind, Person, Region, Role, RoleHeld};
use atlarged::kernel::register::Change;
use atlarged::kernel::workflow::Opening;
use atlarged::ports::store::{NoticeRow, Store};
use serde_json::{Value, json};

const DAY: i64 = 24 * 60;

/// Eve speaks for a structure; Ann, who sits on the committee, proposes to decertify it.
async fn proposed() -> Rig {
    let mut rig = Rig::new().await;
    let speaks = RoleHeld {
        role: Role::AlsRepresentative,
        region: Some(Region::Africa),
        organisation: Some(OrganisationId(1)),
        from: t(0),
        until: None,
    };
    let eve = Person {
        id: PersonId(5),
        name: "Eve".to_owned(),
        language: Language::Fr,
        zone: chrono_tz::UTC,
        addresses: vec!["eve@e.example".to_owned()],
        roles: vec![speaks],
    };
    let structure = Organisation {
        id: OrganisationId(1),
        name: "Open Net".to_owned(),
        country: "SN".to_owned(),
        region: Region::Africa,
        kind: OrganisationKind::Als,
        report: None,
        representatives: vec![PersonId(5)],
        prime: Some(PersonId(5)),
        until: None,
    };
    let version = rig.store().register().await.expect("a register").version;
    let changes = [Change::Person(eve), Change::Organisation(structure)];
    rig.store().change_register(version, &changes, "p3", t(0)).await.expect("a register");
    let failure = |day: &str| json!({ "requirement": "report", "date": day });
    let body = json!({
        "organisation": "o1",
        "proposal": { "failures": [failure("2024-05-31"), failure("2026-05-31")] },
    });
    let opening = Opening {
        kind: "decertification".to_owned(),
        parent: None,
        by: Some(PersonId(1)),
        body,
        arrived: t(1),
        nonce: String::new(),
    };
    rig.post("a proposal", LetterBody::Opens(opening)).await;
    // The notice leaves, and then the matter learns that it has left.
    rig.turn(2).await;
    rig.turn(3).await;
    rig
}

async fn newest(rig: &Rig, template: &str, to: &str) -> NoticeRow {
    let notices = rig.notices(template).await;
    notices
        .into_iter()
        .rfind(|notice| notice.row.to.to_string() == to)
        .unwrap_or_else(|| panic!("no {template}"))
}

/// Somebody answers the newest notice of a template to her at that minute.
async fn answers(rig: &mut Rig, minutes: i64, who: (&str, &str), login: bool, template: &str, text: &str) {
    let (number, from) = who;
    let to = rig.reply_address(newest(rig, template, number).await.row.id);
    let vouched = if login {
        format!("Authentication-Results: {BORDER}; auth=pass smtp.auth={from}\r\n")
    } else {
        String::new()
    };
    let mail = format!(
        "{vouched}From: {from}\r\nTo: {to}\r\nSubject: Re: a notice\r\nMessage-ID: <{minutes}@x.example>\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    );
    rig.inbox.mails.push((t(minutes), mail));
    rig.turn(minutes).await;
}

const ANN: (&str, &str) = ("p1", "ann@a.example");
const BOB: (&str, &str) = ("p2", "bob@b.example");
const EVE: (&str, &str) = ("p5", "eve@e.example");

async fn phase(rig: &Rig) -> String {
    let cases = rig.store().cases().await.expect("cases");
    cases.into_iter().find(|case| case.kind == "decertification").expect("a matter").phase
}

#[tokio::test]
async fn a_structure_is_told_in_its_language_heard_and_decided_about() {
    let mut rig = proposed().await;
    assert_eq!(phase(&rig).await, "hearing");
    let notice = rig.out.sent.iter().find(|mail| mail.contains("To: Eve <eve@e.example>")).expect("a notice");
    assert!(notice.contains("Content-Language: fr"), "{notice}");
    answers(&mut rig, 2 * DAY, EVE, true, "decertification/notice", "Notre secrétaire était malade.").await;
    assert_eq!(phase(&rig).await, "responded");
    for member in ["p1", "p2"] {
        let response = newest(&rig, "decertification/response", member).await;
        assert_eq!(response.row.data["text"], "Notre secrétaire était malade.", "{member}");
        assert_eq!(response.row.data["proven"], true);
    }
    // Once a day and again, until the vote on day 30.
    for day in [10, 21, 31] {
        rig.turn(day * DAY).await;
    }
    assert_eq!(phase(&rig).await, "voting");
    for (n, voter) in (0..).zip([ANN, BOB]) {
        answers(&mut rig, 32 * DAY + n, voter, true, "ballot/ballot", "YES").await;
    }
    for day in [40, 41] {
        rig.turn(day * DAY).await;
    }
    assert_eq!(phase(&rig).await, "notified");
    let told = newest(&rig, "decertification/decertified", "p5").await;
    assert_eq!(told.row.data["citation"], "Article XII, Section (d)(i-ix)");
    let file = rig.dir.path().join("public/decertifications/c2.json");
    let public: Value = serde_json::from_str(&std::fs::read_to_string(file).expect("a file")).expect("JSON");
    assert_eq!((public["status"].as_str(), public["name"].as_str()), (Some("decertified"), Some("Open Net")));
    let register = rig.store().register().await.expect("a register");
    assert!(register.organisation(OrganisationId(1)).expect("known").until.is_some());
    answers(&mut rig, 42 * DAY, EVE, true, "decertification/decertified", "RÉEXAMEN").await;
    assert_eq!(phase(&rig).await, "review-requested");
}

#[tokio::test]
async fn who_is_not_proven_sends_the_same_once_more_and_a_proposal_can_be_taken_back() {
    let mut rig = proposed().await;
    answers(&mut rig, DAY, BOB, false, "decertification/proposed", "PROPOSE").await;
    assert!(rig.notices("decertification/thanks").await.is_empty());
    answers(&mut rig, DAY + 5, BOB, false, "decertification/unsure", "PROPOSE").await;
    assert_eq!(newest(&rig, "decertification/thanks", "p2").await.row.data["what"], "joined");
    answers(&mut rig, DAY + 10, ANN, true, "decertification/proposed", "WITHDRAW").await;
    assert_eq!(phase(&rig).await, "hearing", "Bob still proposes");
    answers(&mut rig, DAY + 15, BOB, true, "decertification/proposed", "WITHDRAW").await;
    assert_eq!(phase(&rig).await, "closed");
    assert_eq!(newest(&rig, "decertification/closed-structure", "p5").await.row.data["why"], "withdrawn");
}
