//! Notice and hearing: who is told, what is handed on to whom, and what holds a vote back.

use crate::decertification_rig::{check_after, played};
use crate::decertification_stories::PROPOSED;
use atlarged::workflows::Policies;
use expect_test::expect;

const ANOMALY: &str =
    r#"0 09:00 open: decertification {"organisation": "o1", "anomaly": {"sign": "report-overdue"}}"#;

#[test]
fn an_answer_goes_to_every_member_as_it_is_and_the_vote_waits_its_days() {
    check_after(
        PROPOSED,
        r#"10 10:00 r3 to:notice: "Our secretary fell ill./The report is here now."
        11 10:00 r1 to:responded: "I add: the page is back."
        12 10:00 m4 to:response: "REQUEST VOTE"
        31 10:00 votes: 3 5
        32 10:00 r1 to:progress: "One thing more."
        36 09:00 clock: passes"#,
        expect![[r#"
            10 10:00 r3 to:notice: "Our secretary fell ill./The report is here now."
                response-received → r1 r3
                response → all s1 s2
                [responded]
            11 10:00 r1 to:responded: "I add: the page is back."
                response-received → r1 r3
                response → all s1 s2
            12 10:00 m4 to:response: "REQUEST VOTE"
                not-done vote-advance → m4
            (30 09:00)
                progress vote-opened → r1 r3
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            31 10:00 votes: 3 5
            32 10:00 r1 to:progress: "One thing more."
                response-received → r1 r3
                response → all s1 s2
            (33 09:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (34 21:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (35 09:00)
                ballot/result-not-carried → all
                [closed]
                retained → r1 r3
                decided → all sec p32 s1 s2
                published: "retained"
                [retained]
                [notified]
            36 09:00 clock: passes
        "#]],
    );
}

#[test]
fn who_does_not_answer_is_reminded_and_may_still_answer_later() {
    check_after(
        PROPOSED,
        r#"22 09:00 r1 to:notice: "We were away."
        31 09:00 clock: passes"#,
        expect![[r#"
            (14 09:00)
                reminder → r1 r3
            (19 09:00)
                reminder → r1 r3
            (21 09:00)
                progress elapsed → r1 r3
                told elapsed → all s1 s2
                [elapsed]
            22 09:00 r1 to:notice: "We were away."
                response-received → r1 r3
                response → all s1 s2
                [responded]
            (30 09:00)
                progress vote-opened → r1 r3
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            31 09:00 clock: passes
        "#]],
    );
}

#[test]
fn no_vote_opens_before_notice_hearing_and_forwarding() {
    check_after(
        ANOMALY,
        r#"0 10:00 s1: order investigate
        0 11:00 chair: order vote
        0 12:00 s1: order failure {"requirement":"report","date":"2024-05-31"}
        0 13:00 s1: order failure {"requirement":"report","date":"2026-05-31"}
        0 14:00 post: stops
        0 15:00 m3: order propose
        0 16:00 m4 to:proposed: "REQUEST VOTE"
        1 09:00 post: goes
        1 10:00 m4 to:proposed: "REQUEST VOTE"
        2 09:00 post: stops
        2 10:00 r1 to:notice: "Please wait."
        33 09:00 chair: order vote
        33 10:00 r1 to:proposed: "REQUEST VOTE"
        34 09:00 post: goes
        35 09:00 chair: order vote"#,
        expect![[r#"
            0 10:00 s1: order investigate
                investigation new → s1
                office/task-taken → s2
                [investigation]
            0 11:00 chair: order vote
                refused at the keyboard: not-done vote-proposal
            0 12:00 s1: order failure {"requirement":"report","date":"2024-05-31"}
            0 13:00 s1: order failure {"requirement":"report","date":"2026-05-31"}
            0 14:00 post: stops
            0 15:00 m3: order propose
                proposed → all s1 s2
                notice → r1 r3
                office/task-taken → s1
                [proposed]
            0 16:00 m4 to:proposed: "REQUEST VOTE"
                not-done vote-notice → m4
            1 09:00 post: goes
                [hearing]
            1 10:00 m4 to:proposed: "REQUEST VOTE"
                not-done vote-hearing → m4
            2 09:00 post: stops
            2 10:00 r1 to:notice: "Please wait."
                response-received → r1 r3
                response → all s1 s2
                [responded]
            (31 09:00)
            33 09:00 chair: order vote
                refused at the keyboard: not-done vote-forwarding
            33 10:00 r1 to:proposed: "REQUEST VOTE"
                not-done vote-not-member → r1
            34 09:00 post: goes
                progress vote-opened → r1 r3
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            35 09:00 chair: order vote
                refused at the keyboard: not-done vote-already
        "#]],
    );
}

#[test]
fn a_member_who_took_a_seat_since_gets_every_answer_before_the_vote_opens() {
    check_after(
        PROPOSED,
        r#"10 10:00 r1 to:notice: "Our secretary fell ill."
        20 09:00 joins: s3
        29 09:00 post: stops
        31 09:00 chair: order vote
        32 09:00 post: goes"#,
        expect![[r#"
            10 10:00 r1 to:notice: "Our secretary fell ill."
                response-received → r1 r3
                response → all s1 s2
                [responded]
            20 09:00 joins: s3
            29 09:00 post: stops
            (30 09:00)
                response → s3
            31 09:00 chair: order vote
                refused at the keyboard: not-done vote-forwarding
            32 09:00 post: goes
                progress vote-opened → r1 r3
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all s3
                [open]
        "#]],
    );
}

#[test]
fn a_notice_that_comes_back_holds_the_vote_until_staff_have_reached_her() {
    check_after(
        PROPOSED,
        r#"1 09:00 bounce: notice r1
        2 09:00 bounce: notice r1 1
        3 09:00 bounce: notice r1 1
        31 09:00 chair: order vote
        32 09:00 s1 to:unreachable: ""
        32 10:00 m3: order reached {"who":"p41","how":"by telephone"}
        33 09:00 s1 to:unreachable: "Handed over by telephone.""#,
        expect![[r#"
            1 09:00 bounce: notice r1
                notice (next address) → r1
            2 09:00 bounce: notice r1 1
                unreachable notice → s1 s2
            3 09:00 bounce: notice r1 1
            (5 09:00)
                unreachable notice (deputy) → s3
            (14 09:00)
                reminder → r1 r3
            (19 09:00)
                reminder → r1 r3
            (21 09:00)
                progress elapsed → r1 r3
                told elapsed → all s1 s2
                [elapsed]
            (30 09:00)
            31 09:00 chair: order vote
                refused at the keyboard: not-done vote-unreached
            32 09:00 s1 to:unreachable: ""
                not-done empty → s1
            32 10:00 m3: order reached {"who":"p41","how":"by telephone"}
                refused at the keyboard: not-done order
            33 09:00 s1 to:unreachable: "Handed over by telephone."
                progress vote-opened → r1 r3
                office/task-taken → s2 s3
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
        "#]],
    );
    check_after(
        PROPOSED,
        r#"1 09:00 bounce: notice r1
        1 10:00 bounce: notice r1 1
        1 11:00 bounce: notice r3
        30 09:00 clock: passes
        40 09:00 s1: order reached {"who":"p43","how":"by letter"}
        41 09:00 s1: order reached {"who":"p41","how":"by letter"}
        62 09:00 clock: passes"#,
        expect![[r#"
            1 09:00 bounce: notice r1
                notice (next address) → r1
            1 10:00 bounce: notice r1 1
                unreachable notice → s1 s2
            1 11:00 bounce: notice r3
                unreachable notice → s1 s2
                [proposed]
            (4 10:00)
                unreachable notice (deputy) → s3
            (4 11:00)
                unreachable notice (deputy) → s3
            30 09:00 clock: passes
            40 09:00 s1: order reached {"who":"p43","how":"by letter"}
                office/task-taken → s2 s3
                [hearing]
            41 09:00 s1: order reached {"who":"p41","how":"by letter"}
                office/task-taken → s2 s3
            (54 09:00)
                reminder → r1 r3
            (59 09:00)
                reminder → r1 r3
            (61 09:00)
                progress elapsed → r1 r3
                told elapsed → all s1 s2
                [elapsed]
            62 09:00 clock: passes
        "#]],
    );
}

#[test]
fn an_answer_that_comes_back_from_a_member_holds_the_vote() {
    check_after(
        PROPOSED,
        r#"10 10:00 r1 to:notice: "Our secretary fell ill."
        11 09:00 bounce: response m7
        31 09:00 chair: order vote
        32 09:00 s1 to:unreachable: "Sent it by another way.""#,
        expect![[r#"
            10 10:00 r1 to:notice: "Our secretary fell ill."
                response-received → r1 r3
                response → all s1 s2
                [responded]
            11 09:00 bounce: response m7
                unreachable response → s1 s2
            (14 09:00)
                unreachable response (deputy) → s3
            (30 09:00)
            31 09:00 chair: order vote
                refused at the keyboard: not-done vote-forwarding
            32 09:00 s1 to:unreachable: "Sent it by another way."
                progress vote-opened → r1 r3
                office/task-taken → s2 s3
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
        "#]],
    );
    check_after(
        PROPOSED,
        r#"10 10:00 r1 to:notice: "Our secretary fell ill."
        10 11:00 r1 to:notice: "And the page is back."
        11 09:00 bounce: response:1 m2
        11 09:05 bounce: response:2 m2
        11 09:10 bounce: response:2 m2 1
        11 09:15 bounce: response:1 m2 1
        12 09:00 s1 to:unreachable: "By telephone."
        31 09:00 clock: passes"#,
        expect![[r#"
            10 10:00 r1 to:notice: "Our secretary fell ill."
                response-received → r1 r3
                response → all s1 s2
                [responded]
            10 11:00 r1 to:notice: "And the page is back."
                response-received → r1 r3
                response → all s1 s2
            11 09:00 bounce: response:1 m2
                response (next address) → m2
            11 09:05 bounce: response:2 m2
                response (next address) → m2
            11 09:10 bounce: response:2 m2 1
                unreachable response → s1 s2
            11 09:15 bounce: response:1 m2 1
            12 09:00 s1 to:unreachable: "By telephone."
                office/task-taken → s2
            (30 09:00)
                progress vote-opened → r1 r3
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            31 09:00 clock: passes
        "#]],
    );
}

#[test]
fn what_may_be_forged_is_shown_as_such_and_never_costs_a_hearing() {
    check_after(
        PROPOSED,
        r#"10 10:00 r1 forged to:notice: "We admit everything."
        10 11:00 r3 to:responded: "That was none of us."
        10 12:00 x1 to:notice: "I speak for them too."
        10 13:00 r1 to:notice: ""
        10 14:00 s1: order respond {"from":"p43","text":"By letter: we object.","received":"2026-12-10T09:00:00Z"}
        10 15:00 s1: order respond {"from":"p51","text":"x"}"#,
        expect![[r#"
            10 10:00 r1 forged to:notice: "We admit everything."
                response-received → r1 r3
                response → all s1 s2
                [responded]
            10 11:00 r3 to:responded: "That was none of us."
                response-received → r1 r3
                response → all s1 s2
            10 12:00 x1 to:notice: "I speak for them too."
                not-done not-yours → x1
            10 13:00 r1 to:notice: ""
                not-done empty → r1
            10 14:00 s1: order respond {"from":"p43","text":"By letter: we object.","received":"2026-12-10T09:00:00Z"}
                response-received → r1 r3
                response → all s1 s2
            10 15:00 s1: order respond {"from":"p51","text":"x"}
                refused at the keyboard: not-done not-structure
        "#]],
    );
}

#[test]
fn what_is_not_proven_is_marked_for_the_members() {
    let answer = "10 10:00 r1 forged to:notice: \"We admit everything.\"";
    let world = played(Policies::default(), &format!("{PROPOSED}\n{answer}"));
    let shown: Vec<_> = world.mails.iter().filter(|row| row.template.ends_with("/response")).collect();
    assert!(shown.iter().all(|row| row.data["proven"] == false) && shown.len() == 17, "members and staff");
}

#[test]
fn so_many_answers_are_handed_on_and_no_more() {
    let answers = (0..21).map(|n| format!("10 {:02}:00 r1 to:notice: \"Word {n}.\"", n + 1));
    let script: Vec<String> = [PROPOSED.to_owned()].into_iter().chain(answers).collect();
    let world = played(Policies::default(), &script.join("\n"));
    let handed_on = world.mails.iter().filter(|row| row.label.starts_with("response:")).count();
    assert_eq!(handed_on, 20 * 15);
    assert_eq!(world.mails.last().expect("a mail").data["why"], "too-many");
}
