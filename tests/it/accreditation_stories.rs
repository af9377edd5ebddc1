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
        expect![[r#"
            0 09:00 open: a
                form/whole → a
                [drafting]
            0 10:00 a to:form: FORM
                form/receipt → a
                received → a
                diligence → s1 s2
                [due-diligence]
            1 09:00 s1 to:diligence: "1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 UNCLEAR/8 MET/9 MET/FINISHED"
                invitation → r1 r2
                dossier → all
                progress in-review → a
                office/task-taken → s2
                [regional-review]
            2 09:00 comments: 3
                comment/receipt → its author
                comment/receipt → its author
                comment/receipt → its author
            (19 09:00)
                review-reminder → r1 r2
            (22 09:00)
                advice → sec
                [advice-due]
            23 10:00 sec to:advice: "ACCREDIT/They are active in three towns."
                window accredited → all
                advice-taken → sec
                [telling]
                [window]
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
            31 09:00 clock: passes
        "#]],
    );
}

#[test]
fn without_advice_a_vote_is_compulsory_and_nobody_need_ask() {
    check_after(
        EXAMINED,
        r#"23 10:00 sec to:advice: "NO ADVICE"
        24 10:00 majority: YES
        29 09:00 clock: passes"#,
        expect![[r#"
            (19 09:00)
                review-reminder → r1 r2
            (22 09:00)
                advice → sec
                [advice-due]
            23 10:00 sec to:advice: "NO ADVICE"
                no-advice held → all
                progress vote-opened → a
                advice-taken → sec
                opens a ballot: Does the ALAC wish to accredit Open Net?
                  YES: Open Net is accredited as an At-Large Structure.
                  NO: Open Net is not accredited.
                [voting]
                ballot/ballot → all
                [open]
            24 10:00 majority: YES
                ballot/receipt → m1 m2 m3 m4 m5 m6 m7 m8
            (26 10:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (27 22:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (28 10:00)
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
            29 09:00 clock: passes
        "#]],
    );
    check_after(
        EXAMINED,
        r#"23 10:00 sec to:advice: "NO ADVICE"
        24 10:00 everybody: NO
        29 09:00 clock: passes"#,
        expect![[r#"
            (19 09:00)
                review-reminder → r1 r2
            (22 09:00)
                advice → sec
                [advice-due]
            23 10:00 sec to:advice: "NO ADVICE"
                no-advice held → all
                progress vote-opened → a
                advice-taken → sec
                opens a ballot: Does the ALAC wish to accredit Open Net?
                  YES: Open Net is accredited as an At-Large Structure.
                  NO: Open Net is not accredited.
                [voting]
                ballot/ballot → all
                [open]
            24 10:00 everybody: NO
                ballot/receipt → m1 m2 m3 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15
            (26 10:00)
            (27 22:00)
            (28 10:00)
                ballot/result-not-carried → all
                [closed]
                refused VOTE_A → a
                decided VOTE_A → all sec s1 s2
                release VOTE_A → s1 s2
                comments are destroyed
                [decided]
                [notified]
            29 09:00 clock: passes
        "#]],
    );
}

#[test]
fn one_request_in_time_opens_a_vote_on_the_advice() {
    check_after(
        &advised("ACCREDIT"),
        "30 10:00 m7 to:window: \"REQUEST VOTE\"
        31 10:00 majority: NO
        36 09:00 clock: passes",
        expect![[r#"
            (28 10:00)
                window-reminder accredited → all
            30 10:00 m7 to:window: "REQUEST VOTE"
                vote-requested now → all
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is not accredited.
                  NO: The region’s advice stands. Open Net is accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            31 10:00 majority: NO
                ballot/receipt → m1 m2 m3 m4 m5 m6 m7 m8
            (33 10:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (34 22:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (35 10:00)
                ballot/result-not-carried → all
                [closed]
                accredited VOTE_B_UPHELD → a
                decided VOTE_B_UPHELD → all sec s1 s2
                welcome → o4
                release VOTE_B_UPHELD → s1 s2
                in the register: p104 Amina Diallo
                in the register: p105 Bo Chen
                in the register: o4 Open Net
                comments are destroyed
                [decided]
                [notified]
            36 09:00 clock: passes
        "#]],
    );
    check_after(
        &advised("ACCREDIT"),
        "25 10:00 m7 to:window: \"je demande un vote\"
        26 10:00 majority: YES
        36 09:00 clock: passes",
        expect![[r#"
            25 10:00 m7 to:window: "je demande un vote"
                vote-requested now → all
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is not accredited.
                  NO: The region’s advice stands. Open Net is accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            26 10:00 majority: YES
                ballot/receipt → m1 m2 m3 m4 m5 m6 m7 m8
            (28 10:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (29 22:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (30 10:00)
                ballot/result-carried → all
                [closed]
                refused VOTE_B_OVERTURNED → a
                decided VOTE_B_OVERTURNED → all sec s1 s2
                release VOTE_B_OVERTURNED → s1 s2
                comments are destroyed
                [decided]
                [notified]
            (33 10:00)
                release VOTE_B_OVERTURNED (deputy) → s3
            36 09:00 clock: passes
        "#]],
    );
}

#[test]
fn a_vote_on_negative_advice_can_go_both_ways() {
    check_after(
        &advised("NOT ACCREDIT"),
        "25 10:00 m7 to:window: \"REQUEST VOTE\"
        26 10:00 majority: YES
        36 09:00 clock: passes",
        expect![[r#"
            25 10:00 m7 to:window: "REQUEST VOTE"
                vote-requested now → all
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is accredited as an At-Large Structure.
                  NO: The region’s advice stands. Open Net is not accredited.
                [voting]
                ballot/ballot → all
                [open]
            26 10:00 majority: YES
                ballot/receipt → m1 m2 m3 m4 m5 m6 m7 m8
            (28 10:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (29 22:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (30 10:00)
                ballot/result-carried → all
                [closed]
                accredited VOTE_B_OVERTURNED → a
                decided VOTE_B_OVERTURNED → all sec s1 s2
                welcome → o4
                release VOTE_B_OVERTURNED → s1 s2
                in the register: p104 Amina Diallo
                in the register: p105 Bo Chen
                in the register: o4 Open Net
                comments are destroyed
                [decided]
                [notified]
            (33 10:00)
                release VOTE_B_OVERTURNED (deputy) → s3
            36 09:00 clock: passes
        "#]],
    );
    check_after(
        &advised("NOT ACCREDIT"),
        "25 10:00 m7 to:window: \"REQUEST VOTE\"
        26 10:00 majority: NO
        36 09:00 clock: passes",
        expect![[r#"
            25 10:00 m7 to:window: "REQUEST VOTE"
                vote-requested now → all
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is accredited as an At-Large Structure.
                  NO: The region’s advice stands. Open Net is not accredited.
                [voting]
                ballot/ballot → all
                [open]
            26 10:00 majority: NO
                ballot/receipt → m1 m2 m3 m4 m5 m6 m7 m8
            (28 10:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (29 22:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (30 10:00)
                ballot/result-not-carried → all
                [closed]
                refused VOTE_B_UPHELD → a
                decided VOTE_B_UPHELD → all sec s1 s2
                release VOTE_B_UPHELD → s1 s2
                comments are destroyed
                [decided]
                [notified]
            (33 10:00)
                release VOTE_B_UPHELD (deputy) → s3
            36 09:00 clock: passes
        "#]],
    );
}

#[test]
fn silence_on_negative_advice_decides_nothing_until_a_member_asks() {
    check_after(
        &advised("NOT ACCREDIT"),
        "40 09:00 m3 to:held: \"REQUEST VOTE\"
        41 10:00 majority: YES
        50 09:00 clock: passes",
        expect![[r#"
            (28 10:00)
                window-reminder held → all
            (30 10:00)
                progress held → a
                held held → all
                held-task held → m1 s1 s2
                [held]
            (33 10:00)
                held-task held (deputy) → s3
            (37 10:00)
                held held → all
                held-task held → m1 s1 s2 s3
            40 09:00 m3 to:held: "REQUEST VOTE"
                vote-requested now → all
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is accredited as an At-Large Structure.
                  NO: The region’s advice stands. Open Net is not accredited.
                [voting]
                ballot/ballot → all
                [open]
            41 10:00 majority: YES
                ballot/receipt → m1 m2 m3 m4 m5 m6 m7 m8
            (43 09:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (44 21:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (45 09:00)
                ballot/result-carried → all
                [closed]
                accredited VOTE_B_OVERTURNED → a
                decided VOTE_B_OVERTURNED → all sec s1 s2
                welcome → o4
                release VOTE_B_OVERTURNED → s1 s2
                in the register: p104 Amina Diallo
                in the register: p105 Bo Chen
                in the register: o4 Open Net
                comments are destroyed
                [decided]
                [notified]
            (48 09:00)
                release VOTE_B_OVERTURNED (deputy) → s3
            50 09:00 clock: passes
        "#]],
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
        expect![[r#"
            5 10:00 m4 to:dossier: "REQUEST VOTE"
                vote-requested advised → all
            6 09:00 comments: 1
                comment/receipt → its author
            (19 09:00)
                review-reminder → r1 r2
            (22 09:00)
                advice → sec
                [advice-due]
            23 10:00 sec to:advice: "ACCREDIT"
                window requested → all
                advice-taken → sec
                [telling]
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is not accredited.
                  NO: The region’s advice stands. Open Net is accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
        "#]],
    );
}

#[test]
fn two_rounds_without_a_quorum_decide_nothing() {
    check_after(
        &format!("{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\""),
        "45 09:00 m1 to:escalation: YES
        46 09:00 majority: YES
        60 09:00 clock: passes",
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
                ballot/rerun → all
            (34 10:00)
                ballot/reminder → all
            (35 22:00)
                ballot/reminder → all
            (36 10:00)
                ballot/extended → all
            (38 22:00)
                ballot/reminder → all
            (39 10:00)
                ballot/result-inquorate → all
                ballot/escalation → m1 s1 s2
                [escalated]
                progress inquorate → a
            (42 10:00)
                ballot/escalation (deputy) → s3
            45 09:00 m1 to:escalation: YES
                ballot/rerun → all
                ballot/task-done → m1
                office/task-taken → s1 s2 s3
                [open]
            46 09:00 majority: YES
                ballot/receipt → m1 m2 m3 m4 m5 m6 m7 m8
            (48 09:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (49 21:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (50 09:00)
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
            (53 09:00)
                release VOTE_A (deputy) → s3
            60 09:00 clock: passes
        "#]],
    );
}

#[test]
fn a_tie_and_abstentions_carry_nothing() {
    let after = |answers: [(&str, u32, u32); 3]| {
        let mut script = format!("{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\"\n");
        for (answer, from, to) in answers {
            (from..=to).for_each(|n| script.push_str(&format!("24 10:00 m{n} to:ask: {answer}\n")));
        }
        let world = played(Policies::default(), &format!("{script}29 09:00 clock: passes"));
        let decided = &world.application().state["decided"];
        (decided["accredited"].as_bool(), decided["route"].as_str().unwrap_or_default().to_owned())
    };
    let refused = (Some(false), "VOTE_A".to_owned());
    assert_eq!(after([("YES", 1, 7), ("NO", 8, 14), ("ABSTAIN", 15, 15)]), refused, "a tie");
    assert_eq!(after([("YES", 1, 4), ("NO", 5, 7), ("ABSTAIN", 8, 8)]), refused, "four of a quorum of eight");
    assert_eq!(after([("ABSTAIN", 1, 9), ("YES", 10, 9), ("NO", 10, 9)]), refused, "abstentions alone");
    assert_eq!(after([("YES", 1, 5), ("NO", 6, 8), ("ABSTAIN", 9, 8)]), (Some(true), "VOTE_A".to_owned()));
}
