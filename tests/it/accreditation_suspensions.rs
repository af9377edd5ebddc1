//! Suspensions of an application: who may start and end one, and that everything stands still meanwhile.

use crate::accreditation_rig::{EXAMINED, check_after, played};
use atlarged::workflows::Policies;
use expect_test::expect;

/// Examined and advised for, on day 23 at 10:00; the window runs until day 30.
fn advised() -> String {
    format!("{EXAMINED}\n2 09:00 comments: 3\n23 10:00 sec to:advice: \"ACCREDIT\"")
}

#[test]
fn the_applicant_suspends_and_resumes_at_will() {
    check_after(
        EXAMINED,
        "5 10:00 a to:progress: SUSPEND
        6 10:00 a to:progress: SUSPEND
        7 10:00 sec to:advice: \"SUSPEND\"
        8 10:00 s1: order lift {\"number\":\"1\"}
        40 10:00 a to:suspension: RESUME
        41 10:00 a to:suspension: RESUME
        60 09:00 clock: passes",
        expect![""],
    );
}

#[test]
fn the_secretariat_suspends_with_one_mail_that_says_both() {
    check_after(
        &format!("{EXAMINED}\n23 09:00 clock: passes"),
        "23 10:00 sec to:advice: \"SUSPEND/The statutes in force today.//They decide who can be a member.\"
        24 10:00 sec to:advice: \"NO ADVICE\"
        25 10:00 a to:suspension: RESUME
        30 10:00 a to:suspension: \"Here they are.\"
        36 10:00 sec to:advice: \"NO ADVICE\"",
        expect![""],
    );
}

#[test]
fn a_suspension_without_the_information_wanted_is_refused() {
    check_after(
        &format!("{EXAMINED}\n23 09:00 clock: passes"),
        "23 10:00 sec to:advice: \"SUSPEND\"
        23 10:05 sec to:advice: \"SUSPEND/The statutes.\"
        23 10:10 m3 to:dossier: \"SUSPEND\"
        23 10:20 s1: order suspend {\"ground\":\"secretariat\",\"on_behalf\":\"p30\",\"information\":\"The statutes.\"}",
        expect![""],
    );
}

#[test]
fn two_members_of_the_committee_suspend_and_the_window_keeps_what_was_left() {
    check_after(
        &advised(),
        "27 10:00 m3 to:window: \"SUSPEND/How the board is elected.//It decides who speaks.\"
        28 10:00 m4 to:wanted: \"SUSPEND\"
        29 10:00 m9 to:window: \"REQUEST VOTE\"
        40 10:00 a to:suspension: \"It is elected every year.\"
        46 09:00 clock: passes",
        expect![""],
    );
    check_after(
        &advised(),
        "27 10:00 m3 to:window: \"SUSPEND/How the board is elected.//It decides who speaks.\"
        28 10:00 m4 to:wanted: \"SUSPEND\"
        40 10:00 a to:suspension: \"It is elected every year.\"
        43 09:00 clock: passes",
        expect![""],
    );
}

#[test]
fn an_open_ballot_stands_still_and_goes_on() {
    check_after(
        &format!("{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\"\n24 09:00 m5 to:ask: YES"),
        "25 10:00 a to:progress: SUSPEND
        35 10:00 a to:suspension: RESUME
        36 09:00 majority: YES
        40 09:00 clock: passes",
        expect![""],
    );
}

#[test]
fn overlapping_suspensions_end_with_the_last() {
    check_after(
        &format!("{EXAMINED}\n23 09:00 clock: passes"),
        "24 10:00 a to:progress: SUSPEND
        25 10:00 sec to:advice: \"SUSPEND/The statutes.//They matter.\"
        30 10:00 a to:suspension:2: \"Here they are.\"
        34 10:00 a to:suspension:1: RESUME",
        expect![""],
    );
    let script = format!(
        "{EXAMINED}\n23 09:00 clock: passes\n24 10:00 a to:progress: SUSPEND
        25 10:00 sec to:advice: \"SUSPEND/The statutes.//They matter.\"
        30 10:00 a to:suspension:2: \"Here they are.\"
        34 10:00 a to:suspension:1: RESUME"
    );
    let world = played(Policies::default(), &script);
    let last = world.transcript.lines().last().unwrap_or_default();
    assert_eq!(last, "    [advice-due]");
}

#[test]
fn only_those_the_rules_name_can_suspend() {
    check_after(
        &format!("{EXAMINED}\n23 09:00 clock: passes"),
        "24 10:00 s1: order suspend {\"ground\":\"secretariat\",\"information\":\"The statutes.\",\"why\":\"They matter.\"}
        24 10:10 s1: order suspend {\"ground\":\"alac\",\"information\":\"The statutes.\",\"why\":\"They matter.\"}
        24 10:20 sec2 to:none: \"SUSPEND/The statutes.//They matter.\"
        24 10:30 r1 to:invitation: \"SUSPEND/The statutes.//They matter.\"
        24 10:40 x1 to:none: \"SUSPEND/The statutes.//They matter.\"
        24 10:50 s1: order suspend {\"ground\":\"alac\",\"on_behalf\":\"p41\",\"information\":\"A.\",\"why\":\"B.\"}
        24 11:00 sec forged to:advice: \"SUSPEND/The statutes.//They matter.\"
        24 11:10 a forged to:progress: SUSPEND
        24 11:20 sec for:a to:progress: RESUME",
        expect![""],
    );
}

#[test]
fn what_is_decided_is_not_suspended() {
    check_after(
        &advised(),
        "30 11:00 a to:progress arrived:30/10:30: SUSPEND
        30 12:00 s1: order suspend {\"ground\":\"applicant\"}
        30 13:00 m3 to:decided: \"SUSPEND/The statutes.//They matter.\"",
        expect![""],
    );
}

#[test]
fn the_suspension_starts_when_its_notice_leaves_and_ends_when_the_information_arrives() {
    let script = format!(
        "{EXAMINED}\n23 09:00 clock: passes\n24 10:00 post: stops
        24 11:00 sec to:advice: \"SUSPEND/The statutes.//They matter.\"
        25 11:00 post: goes on\n30 12:00 a to:suspension arrived:29/11:00: \"Here they are.\""
    );
    let world = played(Policies::default(), &script);
    let suspension = &world.application().state["running"]["file"]["suspensions"][0];
    let times =
        ["asked", "started", "lifted"].map(|key| suspension[key].as_str().unwrap_or_default().to_owned());
    assert_eq!(times, ["2026-12-25T11:00:00Z", "2026-12-26T11:00:00Z", "2026-12-30T11:00:00Z"]);
    let due = world.application().state["running"]["stage"]["advice-due"]["timer"]["due"].clone();
    assert_eq!(due, "2027-01-03T09:00:01Z", "five days were added to the seven");
}

#[test]
fn a_long_suspension_is_reminded_of_and_nothing_else() {
    check_after(
        &format!(
            "{EXAMINED}\n23 09:00 clock: passes\n24 10:00 sec to:advice: \"SUSPEND/The statutes.//They matter.\""
        ),
        "120 09:00 clock: passes
        121 09:00 s1: order lift {\"number\":\"1\",\"received\":\"2027-03-20T09:00:00Z\"}",
        expect![""],
    );
}
