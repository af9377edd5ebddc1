//! The day of the general meeting: five members of the committee, the Chair among them, and the Secretariat of the region
//! change at noon, while an application is voted on, may be asked to be voted on, or is suspended.

use crate::accreditation_rig::{EXAMINED, check_after, played};
use atlarged::workflows::Policies;
use expect_test::expect;

/// At noon of a day: m1, the Chair, and m12 to m15 leave; m16 to m19 come, and p20, who is the new Chair; the Secretariat
/// passes from `sec` to `sec3`.
fn meeting(day: u32) -> String {
    let mut script = String::new();
    for who in ["m1", "m12", "m13", "m14", "m15", "sec"] {
        script.push_str(&format!("{day} 12:00 leaves: {who}\n"));
    }
    for who in ["m16", "m17", "m18", "m19", "chair2", "sec3"] {
        script.push_str(&format!("{day} 12:00 joins: {who}\n"));
    }
    script
}

/// A script before the meeting, and after it.
fn check(before: &str, day: u32, after: &str, expected: expect_test::Expect) {
    check_after(&format!("{EXAMINED}\n{before}\n{}", meeting(day)), after, expected);
}

#[test]
fn a_ballot_that_is_open_stays_with_those_who_sat_when_it_opened() {
    check(
        "23 10:00 sec to:advice: \"NO ADVICE\"\n24 09:00 m12 to:ask: YES",
        24,
        "24 13:00 m13 to:ask: YES
        24 13:10 m1 to:ask: YES
        24 13:20 m16 for:m2 to:ask: YES
        24 13:30 m12 to:ask: NO
        25 10:00 m2 to:ask: YES
        25 10:10 m3 to:ask: YES
        25 10:20 m4 to:ask: YES
        25 10:30 m5 to:ask: YES
        25 10:40 m6 to:ask: YES
        29 09:00 clock: passes",
        expect![[r#"
            24 13:00 m13 to:ask: YES
                ballot/receipt → m13
            24 13:10 m1 to:ask: YES
                ballot/receipt → m1
            24 13:20 m16 for:m2 to:ask: YES
                ballot/not-a-voter → m16
            24 13:30 m12 to:ask: NO
                ballot/receipt-changed → m12
            25 10:00 m2 to:ask: YES
                ballot/receipt → m2
            25 10:10 m3 to:ask: YES
                ballot/receipt → m3
            25 10:20 m4 to:ask: YES
                ballot/receipt → m4
            25 10:30 m5 to:ask: YES
                ballot/receipt → m5
            25 10:40 m6 to:ask: YES
                ballot/receipt → m6
            (26 10:00)
                ballot/reminder → m7 m8 m9 m10 m11 m14 m15
            (27 22:00)
                ballot/reminder → m7 m8 m9 m10 m11 m14 m15
            (28 10:00)
                ballot/result-carried → all
                [closed]
                accredited VOTE_A → a
                decided VOTE_A → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20 sec3 s1 s2
                welcome → o4
                release VOTE_A → s1 s2
                in the register: p104 Amina Diallo
                in the register: p105 Bo Chen
                in the register: o4 Open Net
                comments are destroyed
                [decided]
                [notified]
            29 09:00 clock: passes
        "#]],
    );
}

#[test]
fn a_ballot_without_a_quorum_is_the_new_chairs_to_settle() {
    check(
        "23 10:00 sec to:advice: \"NO ADVICE\"",
        24,
        "40 09:00 clock: passes
        40 10:00 m1 to:ask: YES
        40 10:10 chair2 to:escalation: YES
        41 09:00 m16 to:ask: YES",
        expect![[r#"
            (26 10:00)
                ballot/reminder → all
            (27 22:00)
                ballot/reminder → all
            (28 10:00)
                ballot/extended → all
            (30 22:00)
                ballot/reminder → all
            (31 10:00)
                ballot/rerun → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
            (34 10:00)
                ballot/reminder → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
            (35 22:00)
                ballot/reminder → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
            (36 10:00)
                ballot/extended → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
            (38 22:00)
                ballot/reminder → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
            (39 10:00)
                ballot/result-inquorate → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
                ballot/escalation → m20 s1 s2
                [escalated]
                progress inquorate → a
            40 09:00 clock: passes
            40 10:00 m1 to:ask: YES
                ballot/late → m1
            40 10:10 chair2 to:escalation: YES
                ballot/rerun → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
                ballot/task-done → m20
                office/task-taken → s1 s2
                [open]
            41 09:00 m16 to:ask: YES
                ballot/receipt → m16
        "#]],
    );
}

#[test]
fn in_a_window_those_ask_who_sit_when_they_ask() {
    check(
        "2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"",
        25,
        "26 09:00 m12 to:window: \"REQUEST VOTE\"
        26 09:10 m1 to:window: \"REQUEST VOTE\"
        26 09:20 sec to:advice: \"NOT ACCREDIT\"
        28 11:00 clock: passes
        29 09:00 m16 to:window-reminder: \"REQUEST VOTE\"
        29 10:00 m12 to:ask: NO
        29 10:10 m16 to:ask: NO
        30 09:00 chair2 to:ask: NO",
        expect![[r#"
            26 09:00 m12 to:window: "REQUEST VOTE"
                not-done vote-not-member → m12
            26 09:10 m1 to:window: "REQUEST VOTE"
                not-done vote-not-member → m1
            26 09:20 sec to:advice: "NOT ACCREDIT"
                not-done advice → sec
            (28 10:00)
                window-reminder accredited → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
            28 11:00 clock: passes
            29 09:00 m16 to:window-reminder: "REQUEST VOTE"
                vote-requested now → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is not accredited.
                  NO: The region’s advice stands. Open Net is accredited as an At-Large Structure.
                [voting]
                ballot/ballot → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
                [open]
            29 10:00 m12 to:ask: NO
                not-done nothing-to-do → m12
            29 10:10 m16 to:ask: NO
                ballot/receipt → m16
            30 09:00 chair2 to:ask: NO
                ballot/receipt → m20
        "#]],
    );
}

#[test]
fn a_request_outlasts_the_seat_of_who_made_it() {
    let script = format!(
        "{EXAMINED}\n2 09:00 comments: 1\n5 10:00 m12 to:dossier: \"REQUEST VOTE\"\n{}
        23 10:00 sec3 to:advice: \"ACCREDIT\"",
        meeting(6)
    );
    assert_eq!(played(Policies::default(), &script).application().phase, "voting", "others relied on it");
    let silent = script.replace("m12 to:dossier: \"REQUEST VOTE\"", "m12 to:dossier: \"Thank you\"");
    assert_eq!(played(Policies::default(), &silent).application().phase, "window");
}

#[test]
fn advice_is_asked_of_who_holds_the_office_and_given_by_nobody_else() {
    check(
        "2 09:00 comments: 1\n22 10:00 clock: passes",
        22,
        "23 10:00 sec to:advice: \"ACCREDIT\"
        30 09:00 clock: passes
        30 10:00 sec to:advice: \"SUSPEND/The statutes.//They matter.\"
        30 11:00 sec3 to:advice: \"ACCREDIT\"",
        expect![[r#"
            23 10:00 sec to:advice: "ACCREDIT"
                not-done advice → sec
            (25 09:00)
                advice (deputy) → sec3
            (29 09:00)
                advice → sec3
                advice-overdue → m20 s1 s2
            30 09:00 clock: passes
            30 10:00 sec to:advice: "SUSPEND/The statutes.//They matter."
                not-done suspend → sec
            30 11:00 sec3 to:advice: "ACCREDIT"
                window accredited → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
                advice-taken → sec3
                [telling]
                [window]
        "#]],
    );
}

#[test]
fn what_the_secretariat_asked_for_goes_to_who_is_the_secretariat_when_it_comes() {
    check(
        "22 10:00 clock: passes\n22 11:00 sec to:advice: \"SUSPEND/The statutes.//They matter.\"",
        23,
        "24 10:00 sec to:suspended: \"RESUME\"
        26 10:00 a to:suspension: \"Here they are.\"",
        expect![[r#"
            24 10:00 sec to:suspended: "RESUME"
                not-done nothing-to-do → sec
            (25 09:00)
                advice (deputy) → sec3
            26 10:00 a to:suspension: "Here they are."
                information → sec3 s1 s2
                progress information → a
                progress lifted → a
                lifted-told → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20 sec3 s1 s2
                [advice-due]
        "#]],
    );
}

#[test]
fn what_members_asked_for_goes_to_those_of_them_who_still_sit() {
    let wanted = "2 09:00 comments: 1\n3 10:00 m3 to:dossier: \"SUSPEND/The statutes.//They matter.\"
        3 11:00 m12 to:wanted: \"SUSPEND\"";
    check(
        wanted,
        4,
        "5 10:00 a to:suspension: \"Here they are.\"",
        expect![[r#"
            5 10:00 a to:suspension: "Here they are."
                information → m3 s1 s2
                progress information → a
                progress lifted → a
                lifted-told → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20 sec3 s1 s2
                review-reminder → r1 r2
                [regional-review]
        "#]],
    );
    let gone = wanted.replace("m3 to:dossier", "m13 to:dossier");
    check(
        &gone,
        4,
        "5 10:00 a to:suspension: \"Here they are.\"",
        expect![[r#"
            5 10:00 a to:suspension: "Here they are."
                information → m20 s1 s2
                progress information → a
                progress lifted → a
                lifted-told → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20 sec3 s1 s2
                review-reminder → r1 r2
                [regional-review]
        "#]],
    );
}

#[test]
fn who_has_left_wants_nothing_any_more() {
    check(
        "2 09:00 comments: 1\n3 10:00 m12 to:dossier: \"SUSPEND/The statutes.//They matter.\"",
        4,
        "5 10:00 m3 to:wanted: \"SUSPEND\"
        5 11:00 m12 to:wanted: \"SUSPEND\"
        6 10:00 m3 to:wanted: \"SUSPEND/The rules of voting.//They matter too.\"
        7 10:00 m17 to:wanted: \"SUSPEND\"",
        expect![[r#"
            5 10:00 m3 to:wanted: "SUSPEND"
                suspend-no-information → m3
            5 11:00 m12 to:wanted: "SUSPEND"
                not-done suspend → m12
            6 10:00 m3 to:wanted: "SUSPEND/The rules of voting.//They matter too."
                information-wanted → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
            7 10:00 m17 to:wanted: "SUSPEND"
                suspended They matter too. → a
                suspended-told They matter too. → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20 sec3 s1 s2
                [suspended]
        "#]],
    );
}

#[test]
fn comments_are_read_by_those_who_hold_an_office_now() {
    check(
        "2 09:00 comments: 2",
        4,
        "5 10:00 m12: reads
        5 10:10 sec: reads
        5 10:20 m16: reads
        5 10:30 chair2: reads
        5 10:40 sec3: reads",
        expect![[r#"
            5 10:00 m12: reads
                comment/not-yours → m12
            5 10:10 sec: reads
                comment/not-yours → sec
            5 10:20 m16: reads
                comment/list → m16
            5 10:30 chair2: reads
                comment/list → m20
            5 10:40 sec3: reads
                comment/list → sec3
        "#]],
    );
}

#[test]
fn an_application_that_is_held_waits_for_the_new_committee() {
    check(
        "2 09:00 comments: 1\n23 10:00 sec to:advice: \"NOT ACCREDIT\"\n31 09:00 clock: passes",
        31,
        "36 09:00 m12 to:held: \"REQUEST VOTE\"
        38 09:00 clock: passes
        38 10:00 m17 to:held: \"REQUEST VOTE\"",
        expect![[r#"
            (33 10:00)
                held-task held (deputy) → m20 s3
            36 09:00 m12 to:held: "REQUEST VOTE"
                not-done vote-not-member → m12
            (37 10:00)
                held held → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
                held-task held → m20 s1 s2 s3
            38 09:00 clock: passes
            38 10:00 m17 to:held: "REQUEST VOTE"
                vote-requested now → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is accredited as an At-Large Structure.
                  NO: The region’s advice stands. Open Net is not accredited.
                [voting]
                ballot/ballot → m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m16 m17 m18 m19 m20
                [open]
        "#]],
    );
}
