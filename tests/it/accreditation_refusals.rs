//! What is not taken: by the wrong person, too early, too late, twice, or said in two ways.

use crate::accreditation_rig::{EXAMINED, check, check_after, played};
use atlarged::workflows::Policies;
use expect_test::expect;

#[test]
fn advice_is_the_secretariats_own_and_comes_in_its_time() {
    check_after(
        EXAMINED,
        "5 10:00 sec to:none: \"ACCREDIT\"
        23 09:00 clock: passes
        24 10:00 sec2 to:none: \"NO ADVICE\"
        24 10:10 r1 to:none: \"NO ADVICE\"
        24 10:20 s1: order advice {\"advice\":\"no-advice\"}
        24 10:30 m3 to:dossier: \"NO ADVICE\"
        24 10:40 s1: order lapse
        24 10:50 sec forged to:advice: \"NO ADVICE\"",
        expect![""],
    );
}

#[test]
fn advice_says_exactly_one_thing() {
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 2\n23 09:00 clock: passes"),
        "24 10:00 sec to:advice: \"ACCREDIT/NOT ACCREDIT\"
        24 10:10 sec to:advice: \"We would accredit them.\"
        24 10:20 sec to:advice: \"ACCREDIT, if they answer\"
        24 10:30 sec to:advice: \"Accredit?\"
        24 10:40 sec to:advice: \"\"
        24 10:50 sec to:advice: \"не аккредитовать\"",
        expect![""],
    );
}

#[test]
fn advice_fits_the_number_of_comments() {
    check_after(
        &format!("{EXAMINED}\n23 09:00 clock: passes"),
        "24 10:00 sec to:advice: \"ACCREDIT\"
        24 10:10 sec to:advice: \"NOT ACCREDIT\"
        24 10:20 sec to:advice: \"ACCREDIT/COMMENTS ELSEWHERE: our call of 3 March\"",
        expect![""],
    );
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 1\n23 09:00 clock: passes"),
        "24 10:00 sec to:advice: \"NO ADVICE\"
        24 10:10 sec to:advice: \"ACCREDIT\"",
        expect![""],
    );
}

#[test]
fn a_correction_starts_the_window_anew_until_a_vote_opens() {
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\""),
        "29 10:00 sec to:advice: \"NOT ACCREDIT\"
        31 09:00 clock: passes
        34 10:00 m2 to:window: \"REQUEST VOTE\"
        35 10:00 sec to:advice: \"ACCREDIT\"",
        expect![""],
    );
}

#[test]
fn silence_of_the_secretariat_is_reminded_of_and_lapses_by_staff_alone() {
    check_after(
        &format!("{EXAMINED}\n23 09:00 clock: passes"),
        "45 10:00 s1 to:advice-overdue: NO
        46 10:00 r1 to:advice-overdue for:s1: YES
        47 10:00 s1 to:advice-overdue: \"Perhaps\"
        48 10:00 s1 to:advice-overdue: YES",
        expect![""],
    );
}

#[test]
fn a_request_counts_to_the_last_second_and_not_one_later() {
    let after = |arrived: &str| {
        let script = format!(
            "{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"
            31 10:00 m7 to:window arrived:{arrived}: \"REQUEST VOTE\""
        );
        played(Policies::default(), &script).application().phase.clone()
    };
    assert_eq!(after("30/10:00"), "voting", "on the closing second, read a day later");
    assert_eq!(after("30/10:01"), "notified");
}

#[test]
fn only_sitting_members_ask_for_a_vote_and_once_is_enough() {
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\""),
        "24 10:00 r1 to:none: \"REQUEST VOTE\"
        24 10:10 sec to:advice: \"REQUEST VOTE\"
        24 10:20 s1: order request-vote
        24 10:30 leaves: m9
        24 10:40 m9 to:window: \"REQUEST VOTE\"
        24 10:50 m8 to:window: \"I agree\"
        24 11:00 m8 to:window: YES
        24 11:10 s1: order request-vote {\"on_behalf\":\"p6\"}
        24 11:20 m6 to:window: \"REQUEST VOTE\"",
        expect![""],
    );
}

#[test]
fn a_request_that_may_be_forged_keeps_its_arrival_until_it_is_confirmed() {
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\""),
        "30 09:00 m7 forged to:window: \"REQUEST VOTE\"
        30 09:30 m7 forged to:window: \"REQUEST VOTE\"
        30 20:00 m7 to:confirm: CONFIRM",
        expect![""],
    );
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\""),
        "30 09:00 m7 forged to:window: \"REQUEST VOTE\"
        30 20:00 m7 to:confirm: DECLINE
        32 09:00 clock: passes",
        expect![""],
    );
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\""),
        "30 09:00 m7 forged to:window: \"REQUEST VOTE\"
        32 09:00 clock: passes",
        expect![""],
    );
}

#[test]
fn a_plain_reply_to_an_invitation_is_refused_and_not_a_word_is_kept() {
    check_after(
        EXAMINED,
        "2 10:00 r1 to:invitation: \"They are a front of somebody./ACCREDIT\"
        2 10:10 a for:r1 to:invitation: \"We are very good.\"
        2 10:20 x1 for:r1 to:invitation: \"I am of Europe.\"",
        expect![""],
    );
    let script = format!("{EXAMINED}\n2 10:00 r1 to:invitation: \"They are a front of somebody.\"");
    let world = played(Policies::default(), &script);
    let kept = world.application().state.to_string();
    assert!(!kept.contains("front of somebody"));
}

#[test]
fn ninety_days_that_pass_decide_nothing() {
    check(
        "0 09:00 open: a
        0 10:00 a to:form: FORM
        100 09:00 clock: passes",
        expect![""],
    );
}
