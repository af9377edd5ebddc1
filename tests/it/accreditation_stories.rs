//! Every route an application can take, from the form to the notice.

use crate::accreditation_rig::{EXAMINED, check, check_after, played};
use atlarged::workflows::Policies;
use atlarged::workflows::accreditation::OnNegativeAdvice;
use expect_test::expect;

/// Up to positive advice on day 23 at 10:00; the window runs until day 30.
fn advised(advice: &str) -> String {
    format!("{EXAMINED}\n2 09:00 comments: 3\n23 10:00 sec to:advice: \"{advice}\"")
}

#[test]
fn silence_on_positive_advice_accredits_when_the_window_is_over() {
    check(
        &format!("{}\n31 09:00 clock: passes", advised("ACCREDIT/They are active in three towns.")),
        expect![""],
    );
}

#[test]
fn without_advice_a_vote_is_compulsory_and_nobody_need_ask() {
    check_after(
        EXAMINED,
        r#"23 10:00 sec to:advice: "NO ADVICE"
        24 10:00 majority: YES
        29 09:00 clock: passes"#,
        expect![""],
    );
    check_after(
        EXAMINED,
        r#"23 10:00 sec to:advice: "NO ADVICE"
        24 10:00 everybody: NO
        29 09:00 clock: passes"#,
        expect![""],
    );
}

#[test]
fn one_request_in_time_opens_a_vote_on_the_advice() {
    check_after(
        &advised("ACCREDIT"),
        "30 10:00 m7 to:window: \"REQUEST VOTE\"
        31 10:00 majority: NO
        36 09:00 clock: passes",
        expect![""],
    );
    check_after(
        &advised("ACCREDIT"),
        "25 10:00 m7 to:window: \"je demande un vote\"
        26 10:00 majority: YES
        36 09:00 clock: passes",
        expect![""],
    );
}

#[test]
fn a_vote_on_negative_advice_can_go_both_ways() {
    check_after(
        &advised("NOT ACCREDIT"),
        "25 10:00 m7 to:window: \"REQUEST VOTE\"
        26 10:00 majority: YES
        36 09:00 clock: passes",
        expect![""],
    );
    check_after(
        &advised("NOT ACCREDIT"),
        "25 10:00 m7 to:window: \"REQUEST VOTE\"
        26 10:00 majority: NO
        36 09:00 clock: passes",
        expect![""],
    );
}

#[test]
fn silence_on_negative_advice_decides_nothing_until_a_member_asks() {
    check_after(
        &advised("NOT ACCREDIT"),
        "40 09:00 m3 to:held: \"REQUEST VOTE\"
        41 10:00 majority: YES
        50 09:00 clock: passes",
        expect![""],
    );
}

#[test]
fn what_silence_on_negative_advice_does_is_for_the_committee_to_say() {
    let after = |on_negative_advice| {
        let mut policies = Policies::default();
        policies.accreditation.on_negative_advice = on_negative_advice;
        let script = format!("{}\n31 09:00 clock: passes", advised("NOT ACCREDIT"));
        let world = played(policies, &script);
        let state = &world.application().state;
        (world.application().phase.clone(), state["decided"]["accredited"].as_bool())
    };
    assert_eq!(after(OnNegativeAdvice::Hold), ("held".to_owned(), None));
    assert_eq!(after(OnNegativeAdvice::AccreditLiteral), ("notified".to_owned(), Some(true)));
    assert_eq!(after(OnNegativeAdvice::Refuse), ("notified".to_owned(), Some(false)));
    assert_eq!(after(OnNegativeAdvice::ForceVote), ("voting".to_owned(), None));
}

#[test]
fn a_request_before_the_advice_takes_effect_with_it() {
    check_after(
        EXAMINED,
        "5 10:00 m4 to:dossier: \"REQUEST VOTE\"
        6 09:00 comments: 1
        23 10:00 sec to:advice: \"ACCREDIT\"",
        expect![""],
    );
}

#[test]
fn two_rounds_without_a_quorum_decide_nothing() {
    check_after(
        &format!("{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\""),
        "45 09:00 m1 to:escalation: YES
        46 09:00 majority: YES
        60 09:00 clock: passes",
        expect![""],
    );
}
