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
        expect![[r#"
            5 10:00 sec to:none: "ACCREDIT"
                not-done advice-early → sec
            (19 09:00)
                review-reminder → r1 r2
            (22 09:00)
                advice → sec
                [advice-due]
            23 09:00 clock: passes
            24 10:00 sec2 to:none: "NO ADVICE"
                not-done advice → sec2
            24 10:10 r1 to:none: "NO ADVICE"
                not-done advice → r1
            24 10:20 s1: order advice {"advice":"no-advice"}
                refused at the keyboard: accreditation/not-done advice
            24 10:30 m3 to:dossier: "NO ADVICE"
                not-done advice → m3
            24 10:40 s1: order lapse
                refused at the keyboard: accreditation/not-done advice-not-overdue
            24 10:50 sec forged to:advice: "NO ADVICE"
                unsure → sec
        "#]],
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
        expect![[r#"
            24 10:00 sec to:advice: "ACCREDIT/NOT ACCREDIT"
                advice-not-taken unclear → sec
            24 10:10 sec to:advice: "We would accredit them."
                advice-not-taken unclear → sec
            24 10:20 sec to:advice: "ACCREDIT, if they answer"
                advice-not-taken unclear → sec
            24 10:30 sec to:advice: "Accredit?"
                advice-not-taken unclear → sec
            24 10:40 sec to:advice: ""
                advice-not-taken unclear → sec
            24 10:50 sec to:advice: "не аккредитовать"
                window held → all
                advice-taken → sec
                [telling]
                [window]
        "#]],
    );
}

#[test]
fn advice_fits_the_number_of_comments() {
    check_after(
        &format!("{EXAMINED}\n23 09:00 clock: passes"),
        "24 10:00 sec to:advice: \"ACCREDIT\"
        24 10:10 sec to:advice: \"NOT ACCREDIT\"
        24 10:20 sec to:advice: \"ACCREDIT/COMMENTS ELSEWHERE: our call of 3 March\"",
        expect![[r#"
            24 10:00 sec to:advice: "ACCREDIT"
                advice-not-taken no-comments → sec
            24 10:10 sec to:advice: "NOT ACCREDIT"
                advice-not-taken no-comments → sec
            24 10:20 sec to:advice: "ACCREDIT/COMMENTS ELSEWHERE: our call of 3 March"
                window accredited → all
                advice-taken → sec
                [telling]
                [window]
        "#]],
    );
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 1\n23 09:00 clock: passes"),
        "24 10:00 sec to:advice: \"NO ADVICE\"
        24 10:10 sec to:advice: \"ACCREDIT\"",
        expect![[r#"
            24 10:00 sec to:advice: "NO ADVICE"
                advice-not-taken comments → sec
            24 10:10 sec to:advice: "ACCREDIT"
                window accredited → all
                advice-taken → sec
                [telling]
                [window]
        "#]],
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
        expect![[r#"
            (28 10:00)
                window-reminder accredited → all
            29 10:00 sec to:advice: "NOT ACCREDIT"
                window held → all
                advice-taken → sec
                [telling]
                [window]
            31 09:00 clock: passes
            (34 10:00)
                window-reminder held → all
            34 10:00 m2 to:window: "REQUEST VOTE"
                vote-requested now → all
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is accredited as an At-Large Structure.
                  NO: The region’s advice stands. Open Net is not accredited.
                [voting]
                ballot/ballot → all
                [open]
            35 10:00 sec to:advice: "ACCREDIT"
                not-done advice-late → sec
        "#]],
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
        expect![[r#"
            (25 09:00)
                advice (deputy) → p32
            (29 09:00)
                advice → sec p32
                advice-overdue → m1 s1 s2
            (32 09:00)
                advice-overdue (deputy) → s3
            (36 09:00)
                advice → sec p32
                advice-overdue → m1 s1 s2 s3
            (43 09:00)
                advice → sec p32
                advice-overdue → m1 s1 s2 s3
            45 10:00 s1 to:advice-overdue: NO
                kept → s1
            46 10:00 r1 to:advice-overdue for:s1: YES
                unsure → r1
            47 10:00 s1 to:advice-overdue: "Perhaps"
                decision-unclear → s1
            48 10:00 s1 to:advice-overdue: YES
                no-advice held → all
                progress vote-opened → a
                office/task-taken → m1 s2 s3
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
        expect![[r#"
            24 10:00 r1 to:none: "REQUEST VOTE"
                not-done vote-not-member → r1
            24 10:10 sec to:advice: "REQUEST VOTE"
                not-done vote-not-member → sec
            24 10:20 s1: order request-vote
                refused at the keyboard: accreditation/not-done vote-not-member
            24 10:30 leaves: m9
            24 10:40 m9 to:window: "REQUEST VOTE"
                not-done vote-not-member → m9
            24 10:50 m8 to:window: "I agree"
                not-done nothing-to-do → m8
            24 11:00 m8 to:window: YES
                not-done nothing-to-do → m8
            24 11:10 s1: order request-vote {"on_behalf":"p6"}
                vote-requested now → m1 m2 m3 m4 m5 m6 m7 m8 m10 m11 m12 m13 m14 m15
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is not accredited.
                  NO: The region’s advice stands. Open Net is accredited as an At-Large Structure.
                [voting]
                ballot/ballot → m1 m2 m3 m4 m5 m6 m7 m8 m10 m11 m12 m13 m14 m15
                [open]
            24 11:20 m6 to:window: "REQUEST VOTE"
                not-done vote-already → m6
        "#]],
    );
}

#[test]
fn a_request_that_may_be_forged_keeps_its_arrival_until_it_is_confirmed() {
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\""),
        "30 09:00 m7 forged to:window: \"REQUEST VOTE\"
        30 09:30 m7 forged to:window: \"REQUEST VOTE\"
        30 20:00 m7 to:confirm: CONFIRM",
        expect![[r#"
            (28 10:00)
                window-reminder accredited → all
            30 09:00 m7 forged to:window: "REQUEST VOTE"
                confirm request-vote → m7
            30 09:30 m7 forged to:window: "REQUEST VOTE"
            (30 10:00)
            30 20:00 m7 to:confirm: CONFIRM
                vote-requested now → all
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is not accredited.
                  NO: The region’s advice stands. Open Net is accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
        "#]],
    );
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\""),
        "30 09:00 m7 forged to:window: \"REQUEST VOTE\"
        30 20:00 m7 to:confirm: DECLINE
        32 09:00 clock: passes",
        expect![[r#"
            (28 10:00)
                window-reminder accredited → all
            30 09:00 m7 forged to:window: "REQUEST VOTE"
                confirm request-vote → m7
            (30 10:00)
            30 20:00 m7 to:confirm: DECLINE
                kept → m7
            (30 20:00)
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
            32 09:00 clock: passes
        "#]],
    );
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\""),
        "30 09:00 m7 forged to:window: \"REQUEST VOTE\"
        32 09:00 clock: passes",
        expect![[r#"
            (28 10:00)
                window-reminder accredited → all
            30 09:00 m7 forged to:window: "REQUEST VOTE"
                confirm request-vote → m7
            (30 10:00)
            (31 10:00)
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
            32 09:00 clock: passes
        "#]],
    );
}

#[test]
fn a_comment_is_counted_thanked_for_and_kept_nowhere() {
    check_after(
        "0 09:00 open: a\n0 10:00 a to:form: FORM",
        "0 11:00 comments: 1
        1 09:00 s1 to:diligence: \"1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED\"
        2 09:00 comments: 2
        22 09:00 comments: 1
        23 09:00 comments: 1",
        expect![[r#"
            0 11:00 comments: 1
                not-done comment-closed → its author
            1 09:00 s1 to:diligence: "1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED"
                invitation → r1 r2
                dossier → all
                progress in-review → a
                office/task-taken → s2
                [regional-review]
            2 09:00 comments: 2
                comment/receipt → its author
                comment/receipt → its author
            (19 09:00)
                review-reminder → r1 r2
            22 09:00 comments: 1
                comment/receipt → its author
            (22 09:00)
                advice → sec
                [advice-due]
            23 09:00 comments: 1
                not-done comment-closed → its author
        "#]],
    );
    let world = played(Policies::default(), &format!("{EXAMINED}\n2 09:00 comments: 2"));
    let state = world.application().state.to_string();
    assert!(state.contains("\"comments\":2") && !state.contains("sealed"));
}

#[test]
fn a_plain_reply_to_an_invitation_is_refused_and_not_a_word_is_kept() {
    check_after(
        EXAMINED,
        "2 10:00 r1 to:invitation: \"They are a front of somebody./ACCREDIT\"
        2 10:10 a for:r1 to:invitation: \"We are very good.\"
        2 10:20 x1 for:r1 to:invitation: \"I am of Europe.\"",
        expect![[r#"
            2 10:00 r1 to:invitation: "They are a front of somebody./ACCREDIT"
                comment-plain → r1
            2 10:10 a for:r1 to:invitation: "We are very good."
                not-done reply → a
            2 10:20 x1 for:r1 to:invitation: "I am of Europe."
                unsure → x1
        "#]],
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
        expect![[r#"
            0 09:00 open: a
                form/whole → a
                [drafting]
            0 10:00 a to:form: FORM
                form/receipt → a
                received → a
                diligence → s1 s2
                [due-diligence]
            (3 10:00)
                diligence (deputy) → s3
            (21 10:00)
                diligence → s1 s2 s3
            (28 10:00)
                diligence → s1 s2 s3
            (35 10:00)
                diligence → s1 s2 s3
            (42 10:00)
                diligence → s1 s2 s3
            (49 10:00)
                diligence → s1 s2 s3
            (56 10:00)
                diligence → s1 s2 s3
            (60 23:59)
                clock-warning → m1 s1 s2
            (63 10:00)
                diligence → s1 s2 s3
            (70 10:00)
                diligence → s1 s2 s3
            (75 23:59)
                clock-warning → m1 s1 s2
            (77 10:00)
                diligence → s1 s2 s3
            (84 10:00)
                diligence → s1 s2 s3
            (85 23:59)
                clock-warning → m1 s1 s2
            (90 23:59)
                clock-warning → m1 s1 s2
            (91 10:00)
                diligence → s1 s2 s3
            (98 10:00)
                diligence → s1 s2 s3
            100 09:00 clock: passes
        "#]],
    );
}
