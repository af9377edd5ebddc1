//! The first steps of an application, its end before a decision, and what follows a decision.

use crate::accreditation_rig::{EXAMINED, check, check_after, played};
use atlarged::workflows::Policies;
use expect_test::expect;
use serde_json::Value;

#[test]
fn a_form_is_filled_in_over_several_mails_and_counts_from_the_last() {
    check(
        "0 09:00 open: a
        1 10:00 a to:form: FORM goals=-
        3 11:00 a to:form: \"Safe access for all.\"",
        expect![""],
    );
    let script =
        "0 09:00 open: a\n1 10:00 a to:form: FORM goals=-\n3 11:00 a to:form: \"Safe access for all.\"";
    let file = played(Policies::default(), script).application().state["running"]["file"].clone();
    assert_eq!(file["received"], "2026-12-04T11:00:00Z");
    assert_eq!(file["first_contact"], "2026-12-01T09:00:00Z");
}

#[test]
fn without_certification_and_the_leaders_nothing_is_complete() {
    check(
        "0 09:00 open: a
        1 10:00 a to:form: FORM certifies=No;leaders-know=No
        1 11:00 a to:form: FORM certifies=Yes;leaders-know=No
        1 12:00 a to:form: YES",
        expect![""],
    );
}

#[test]
fn a_form_nobody_completes_is_closed() {
    check(
        "0 09:00 open: a
        5 09:00 r1 for:a to:form: FORM
        100 09:00 clock: passes
        101 09:00 a to:form: FORM",
        expect![""],
    );
}

#[test]
fn staff_record_ask_and_finish_by_replying() {
    check(
        "0 09:00 open: a
        0 10:00 a to:form: FORM
        1 09:00 s1 to:diligence: \"Thank you\"
        1 09:10 s1 to:diligence: \"3 MET: funded by its members/A: two references, both good/ASK: How many members/live in Senegal?\"
        1 09:20 a to:question: \"One hundred and ninety.\"
        1 09:30 r1 for:s1 to:diligence: \"FINISHED\"
        1 09:40 s2 to:information: \"1 MET/2 MET/FINISHED\"
        1 09:50 s1: order criterion {\"number\":\"4\",\"result\":\"not-met\",\"note\":\"No page.\"}
        1 10:00 s2 to:diligence: \"1 rempli/2 满足/5 cumple/6 atendido/7 неясно/8 مستوفى/9 met/PUBLISH/terminé\"",
        expect![""],
    );
}

#[test]
fn due_diligence_that_is_late_is_reminded_of() {
    check(
        "0 09:00 open: a
        0 10:00 a to:form: FORM
        37 09:00 clock: passes",
        expect![""],
    );
}

#[test]
fn a_country_of_no_region_needs_the_eye_of_staff() {
    check(
        "0 09:00 open: a
        0 10:00 a to:form: FORM country=Antarctica
        1 09:00 s1 to:diligence: \"1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED\"
        1 09:10 s1: order region {\"region\":\"europe\"}
        1 09:20 s1 to:diligence: \"1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED\"",
        expect![""],
    );
}

#[test]
fn the_applicant_can_withdraw_until_it_is_decided() {
    check_after(
        EXAMINED,
        "5 10:00 a to:progress: WITHDRAW\n6 10:00 a to:progress: \"Please go on\"",
        expect![""],
    );
    check_after(
        EXAMINED,
        "5 10:00 a forged to:progress: WITHDRAW
        5 11:00 a to:confirm: \"What is this?\"
        5 12:00 a to:confirm: CONFIRM",
        expect![""],
    );
    check_after(
        &format!("{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\""),
        "25 10:00 a to:progress: WITHDRAW",
        expect![""],
    );
}

#[test]
fn a_ballot_that_is_annulled_is_held_again_only_when_somebody_says_so() {
    check_after(
        &format!("{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\""),
        "24 10:00 ballot by s1: order annul {\"reason\":\"a wrong name\"}
        24 11:00 s2 to:annulment: YES
        25 10:00 s1 to:vote-stuck: YES
        26 10:00 majority: YES
        31 09:00 clock: passes",
        expect![""],
    );
}

/// Refused on day 30 by a vote on the advice.
fn refused() -> String {
    format!(
        "{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"
        24 10:00 m7 to:window: \"REQUEST VOTE\"\n25 10:00 majority: YES\n30 09:00 clock: passes"
    )
}

#[test]
fn the_notice_of_a_refusal_leads_to_a_review() {
    check_after(
        &refused(),
        "31 10:00 a to:decision: \"Why?\"
        31 11:00 a to:decision: \"REVIEW\"
        31 12:00 a to:decision: \"REVIEW\"
        31 13:00 m3 to:decided: \"REQUEST VOTE\"
        32 10:00 s1 to:review: \"Handed to the Board.\"",
        expect![""],
    );
}

#[test]
fn the_ninety_days_end_only_when_the_notice_has_reached_somebody() {
    check_after(
        &refused(),
        "31 10:00 bounce: decision
        32 10:00 s1 to:unreachable: \"I told them by telephone.\"",
        expect![""],
    );
}

#[test]
fn the_public_record_shows_what_the_form_says_is_public_and_nothing_else() {
    let script =
        "0 09:00 open: a\n0 10:00 a to:form: FORM goals=Write to amina@open-net.example for our goals.
        1 09:00 s1 to:diligence: \"PUBLISH\"";
    let record = played(Policies::default(), script).records.pop().expect("it is published");
    let text = record.to_string();
    let secret =
        ["amina", "representatives", "submitter", "references", "leaders\"", "funding", "updates-address"];
    for word in secret {
        assert!(!text.contains(word), "{word} in {text}");
    }
    assert_eq!(record["content"]["withheld"], serde_json::json!(["goals"]));
    assert_eq!(record["content"]["goals"], Value::Null);
    assert_eq!(record["name"], "Open Net");
}

#[test]
fn an_accredited_structure_is_in_the_register_with_those_who_speak_for_it() {
    let script = format!(
        "{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"\n31 09:00 clock: passes"
    );
    let world = played(Policies::default(), &script);
    let structure = world.register.organisations().last().expect("a structure");
    assert_eq!((structure.name.as_str(), structure.country.as_str()), ("Open Net", "SN"));
    assert!(
        structure.representatives.len() >= 2 && structure.prime == structure.representatives.first().copied()
    );
    let references = &world.application().state["decided"]["file"]["talk"]["draft"]["references"];
    assert_eq!(*references, Value::Null, "what was kept until it was decided is gone");
}
