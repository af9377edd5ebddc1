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
        expect![[r#"
            5 10:00 a to:progress: SUSPEND
                suspended-own  → a
                suspended-told  → all sec s1 s2
                [suspended]
            6 10:00 a to:progress: SUSPEND
                not-done suspended-already → a
            7 10:00 sec to:advice: "SUSPEND"
                suspend-no-information → sec
            8 10:00 s1: order lift {"number":"1"}
                refused at the keyboard: accreditation/not-done lift
            (35 10:00)
                suspended-own  → a
            40 10:00 a to:suspension: RESUME
                progress lifted → a
                lifted-told → all sec s1 s2
                review-reminder → r1 r2
                [regional-review]
            41 10:00 a to:suspension: RESUME
                not-done not-suspended → a
            (54 09:00)
                review-reminder → r1 r2
            (57 09:00)
                advice → sec
                [advice-due]
            60 09:00 clock: passes
        "#]],
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
        expect![[r#"
            23 10:00 sec to:advice: "SUSPEND/The statutes in force today.//They decide who can be a member."
                suspended → a
                suspended-told → all sec s1 s2
                [suspended]
            24 10:00 sec to:advice: "NO ADVICE"
                not-done suspended-now → sec
            (25 09:00)
                advice (deputy) → p32
            25 10:00 a to:suspension: RESUME
                not-done resume-not-yours → a
            30 10:00 a to:suspension: "Here they are."
                information → sec s1 s2
                progress information → a
                progress lifted → a
                lifted-told → all sec s1 s2
                [advice-due]
            (36 09:00)
                advice → sec p32
                advice-overdue → m1 s1 s2
            36 10:00 sec to:advice: "NO ADVICE"
                no-advice held → all
                progress vote-opened → a
                advice-taken → sec
                office/task-taken → p32
                opens a ballot: Does the ALAC wish to accredit Open Net?
                  YES: Open Net is accredited as an At-Large Structure.
                  NO: Open Net is not accredited.
                [voting]
                ballot/ballot → all
                [open]
        "#]],
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
        expect![[r#"
            23 10:00 sec to:advice: "SUSPEND"
                suspend-no-information → sec
            23 10:05 sec to:advice: "SUSPEND/The statutes."
                suspend-no-information → sec
            23 10:10 m3 to:dossier: "SUSPEND"
                suspend-no-information → m3
            23 10:20 s1: order suspend {"ground":"secretariat","on_behalf":"p30","information":"The statutes."}
                refused at the keyboard: accreditation/suspend-no-information 
        "#]],
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
        expect![[r#"
            27 10:00 m3 to:window: "SUSPEND/How the board is elected.//It decides who speaks."
                information-wanted → all
            (28 10:00)
                window-reminder accredited → all
            28 10:00 m4 to:wanted: "SUSPEND"
                suspended It decides who speaks. → a
                suspended-told It decides who speaks. → all sec s1 s2
                [suspended]
            29 10:00 m9 to:window: "REQUEST VOTE"
                vote-requested resumed → all
            40 10:00 a to:suspension: "It is elected every year."
                information → m3 m4 s1 s2
                progress information → a
                progress lifted → a
                lifted-told → all sec s1 s2
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is not accredited.
                  NO: The region’s advice stands. Open Net is accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            (43 10:00)
                ballot/reminder → all
            (44 22:00)
                ballot/reminder → all
            (45 10:00)
                ballot/extended → all
            46 09:00 clock: passes
        "#]],
    );
    check_after(
        &advised(),
        "27 10:00 m3 to:window: \"SUSPEND/How the board is elected.//It decides who speaks.\"
        28 10:00 m4 to:wanted: \"SUSPEND\"
        40 10:00 a to:suspension: \"It is elected every year.\"
        43 09:00 clock: passes",
        expect![[r#"
            27 10:00 m3 to:window: "SUSPEND/How the board is elected.//It decides who speaks."
                information-wanted → all
            (28 10:00)
                window-reminder accredited → all
            28 10:00 m4 to:wanted: "SUSPEND"
                suspended It decides who speaks. → a
                suspended-told It decides who speaks. → all sec s1 s2
                [suspended]
            40 10:00 a to:suspension: "It is elected every year."
                information → m3 m4 s1 s2
                progress information → a
                progress lifted → a
                lifted-told → all sec s1 s2
                [window]
            (42 10:00)
                accredited CONSENT → a
                decided CONSENT → all sec s1 s2
                welcome → o4
                release CONSENT → s1 s2
                in the register: p104 Amina Diallo
                in the register: p105 Bo Chen
                in the register: o4 Open Net
                comments are destroyed
                [decided]
                [notified]
            43 09:00 clock: passes
        "#]],
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
        expect![[r#"
            25 10:00 a to:progress: SUSPEND
                suspended-own  → a
                suspended-told  → all sec s1 s2
                c2 is told: "freeze"
                [suspended]
                ballot/frozen → all
                [frozen]
            35 10:00 a to:suspension: RESUME
                progress lifted → a
                lifted-told → all sec s1 s2
                c2 is told: "thaw"
                [voting]
                ballot/thawed → all
                [open]
            36 09:00 majority: YES
                ballot/receipt → m1 m2 m3 m4
                ballot/receipt-changed → m5
                ballot/receipt → m6 m7 m8
            (36 10:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (37 22:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (38 10:00)
                ballot/result-carried → all
                [closed]
                accredited VOTE_A → a
                decided VOTE_A → all sec s1 s2
                welcome → o4
                release VOTE_A → s1 s2
                in the register: p104 Amina Diallo
                in the register: p105 Bo Chen
                in the register: o4 Open Net
                comments are destroyed
                [decided]
                [notified]
            40 09:00 clock: passes
        "#]],
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
        expect![[r#"
            24 10:00 a to:progress: SUSPEND
                suspended-own  → a
                suspended-told  → all sec s1 s2
                [suspended]
            (25 09:00)
                advice (deputy) → p32
            25 10:00 sec to:advice: "SUSPEND/The statutes.//They matter."
                suspended They matter. → a
                suspended-told They matter. → all sec s1 s2
            30 10:00 a to:suspension:2: "Here they are."
                information → sec s1 s2
                progress information → a
            34 10:00 a to:suspension:1: RESUME
                progress lifted → a
                lifted-told → all sec s1 s2
                [advice-due]
        "#]],
    );
    let script = format!(
        "{EXAMINED}\n23 09:00 clock: passes\n24 10:00 a to:progress: SUSPEND
        25 10:00 sec to:advice: \"SUSPEND/The statutes.//They matter.\"
        30 10:00 a to:suspension:2: \"Here they are.\"
        34 10:00 a to:suspension:1: RESUME
        35 10:00 sec to:advice: \"NO ADVICE\""
    );
    let world = played(Policies::default(), &script);
    let told =
        world.mails.iter().find(|mail| mail.template == "accreditation/no-advice").expect("it was told");
    assert_eq!(
        told.data["clock_due"], "2027-03-11T23:59:59Z",
        "ten days, not fourteen, were added to the ninety"
    );
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
        expect![[r#"
            24 10:00 s1: order suspend {"ground":"secretariat","information":"The statutes.","why":"They matter."}
                refused at the keyboard: accreditation/not-done suspend
            24 10:10 s1: order suspend {"ground":"alac","information":"The statutes.","why":"They matter."}
                refused at the keyboard: accreditation/not-done suspend
            24 10:20 sec2 to:none: "SUSPEND/The statutes.//They matter."
                not-done suspend → sec2
            24 10:30 r1 to:invitation: "SUSPEND/The statutes.//They matter."
                not-done suspend → r1
            24 10:40 x1 to:none: "SUSPEND/The statutes.//They matter."
                not-done suspend → x1
            24 10:50 s1: order suspend {"ground":"alac","on_behalf":"p41","information":"A.","why":"B."}
                refused at the keyboard: accreditation/not-done suspend
            24 11:00 sec forged to:advice: "SUSPEND/The statutes.//They matter."
                unsure → sec
            24 11:10 a forged to:progress: SUSPEND
                suspended-own  → a
                suspended-told  → all sec s1 s2
                [suspended]
            24 11:20 sec for:a to:progress: RESUME
                not-done not-yours → sec
        "#]],
    );
}

#[test]
fn what_is_decided_is_not_suspended() {
    check_after(
        &advised(),
        "30 11:00 a to:progress arrived:30/10:30: SUSPEND
        30 12:00 s1: order suspend {\"ground\":\"applicant\"}
        30 13:00 m3 to:decided: \"SUSPEND/The statutes.//They matter.\"",
        expect![[r#"
            (28 10:00)
                window-reminder accredited → all
            (30 10:00)
                accredited CONSENT → a
                decided CONSENT → all sec s1 s2
                welcome → o4
                release CONSENT → s1 s2
                in the register: p104 Amina Diallo
                in the register: p105 Bo Chen
                in the register: o4 Open Net
                comments are destroyed
                [decided]
                [notified]
            30 11:00 a to:progress arrived:30/10:30: SUSPEND
                not-done decided-already → a
            30 12:00 s1: order suspend {"ground":"applicant"}
                refused at the keyboard: accreditation/not-done suspend-late
            30 13:00 m3 to:decided: "SUSPEND/The statutes.//They matter."
                not-done decided-already → m3
        "#]],
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
    assert_eq!(due, "2027-01-04T09:00:01Z", "five days were added to the seven");
}

#[test]
fn a_long_suspension_is_reminded_of_and_nothing_else() {
    check_after(
        &format!(
            "{EXAMINED}\n23 09:00 clock: passes\n24 10:00 sec to:advice: \"SUSPEND/The statutes.//They matter.\""
        ),
        "120 09:00 clock: passes
        121 09:00 s1: order lift {\"number\":\"1\",\"received\":\"2027-03-20T09:00:00Z\"}",
        expect![[r#"
            (25 09:00)
                advice (deputy) → p32
            (54 10:00)
                suspended They matter. → a
                suspension-long They matter. → m1 sec s1 s2
            (84 10:00)
                suspended They matter. → a
                suspension-long They matter. → m1 sec s1 s2
            (114 10:00)
                suspended They matter. → a
                suspension-long They matter. → m1 sec s1 s2
            120 09:00 clock: passes
            121 09:00 s1: order lift {"number":"1","received":"2027-03-20T09:00:00Z"}
                progress lifted → a
                lifted-told → all sec s1 s2
                [advice-due]
        "#]],
    );
}
