//! Stories of ballots, as scripts and what came of them; the words of the scripts are explained in `story`.

use crate::story::check;
use expect_test::expect;

#[test]
fn eight_answers_carry_a_question_and_the_silent_are_reminded() {
    check(
        "0 09:00 open: straight open
         1 10:00 m1: YES
         1 10:01 m2: YES
         1 10:02 m3: YES
         1 10:03 m4: YES
         1 10:04 m5: YES
         1 10:05 m6: NO
         1 10:06 m7: NO
         3 09:00 clock: ticks
         3 10:00 m8: ABSTAIN
         5 09:01 clock: ticks",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 m1: YES
                receipt yes → m1
            1 10:01 m2: YES
                receipt yes → m2
            1 10:02 m3: YES
                receipt yes → m3
            1 10:03 m4: YES
                receipt yes → m4
            1 10:04 m5: YES
                receipt yes → m5
            1 10:05 m6: NO
                receipt no → m6
            1 10:06 m7: NO
                receipt no → m7
            3 09:00 clock: ticks
                reminder → m8 m9 m10 m11 m12 m13 m14 m15
            3 10:00 m8: ABSTAIN
                receipt abstain → m8
            5 09:01 clock: ticks
                result-carried → all
                published ballots/c9.json: {"abstain":1,"no":2,"yes":5}
                [closed]
        "#]],
    );
}

#[test]
fn the_last_answer_by_arrival_counts_and_each_is_acknowledged() {
    check(
        "0 09:00 open: straight open
         1 10:00 m1: YES
         2 10:00 m1: NO
         1 12:00 m1: ABSTAIN
         2 11:00 m1: WITHDRAW
         2 12:00 m2: RECUSE
         2 13:00 m2: YES",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 m1: YES
                receipt yes → m1
            2 10:00 m1: NO
                receipt-changed no → m1
            1 12:00 m1: ABSTAIN
                receipt-older no → m1
            2 11:00 m1: WITHDRAW
                withdrawn → m1
            2 12:00 m2: RECUSE
                recused → m2
            2 13:00 m2: YES
                receipt yes → m2
        "#]],
    );
}

#[test]
fn what_is_no_answer_is_refused_precisely_and_can_be_mended_in_one_word() {
    check(
        "0 09:00 open: straight open
         1 10:00 m1: BOTH
         1 10:01 m2: QUOTE
         1 10:02 m3: IF
         1 10:03 m4: WORDS
         1 10:04 m5: SUPPORT
         1 10:05 s1: YES
         1 10:06 m6 to:m7: YES
         1 10:07 m6: YES
         5 09:01 m7: YES",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 m1: BOTH
                two-answers → m1
            1 10:01 m2: QUOTE
                quoted-only → m2
            1 10:02 m3: IF
                unclear → m3
            1 10:03 m4: WORDS
                no-answer → m4
            1 10:04 m5: SUPPORT
                receipt yes → m5
            1 10:05 s1: YES
                not-a-voter → s1
            1 10:06 m6 to:m7: YES
                not-yours → m6
            1 10:07 m6: YES
                receipt yes → m6
            5 09:01 m7: YES
                late → m7
        "#]],
    );
}

#[test]
fn support_says_nothing_on_a_reversed_question() {
    check(
        "0 09:00 open: reversed open
         1 10:00 m1: SUPPORT
         1 10:01 m1: NO",
        expect![[r#"
            0 09:00 open: reversed open
                ballot → all
                [open]
            1 10:00 m1: SUPPORT
                support-word → m1
            1 10:01 m1: NO
                receipt no → m1
        "#]],
    );
}

#[test]
fn an_unproven_author_is_asked_at_the_address_on_file_and_the_close_waits_for_the_word() {
    check(
        "0 09:00 open: straight non-public
         1 10:00 m1 forged: YES
         1 10:01 m2 forged: NO
         1 10:02 m2 to:confirm:mine: YES
         1 10:03 m2 to:confirm:mine: CONFIRM
         5 09:01 clock: ticks
         5 20:00 m1 to:confirm:mine: CONFIRM
         6 09:02 clock: ticks",
        expect![[r#"
            0 09:00 open: straight non-public
                ballot → all
                [open]
            1 10:00 m1 forged: YES
                confirm yes → m1
            1 10:01 m2 forged: NO
                confirm no → m2
            1 10:02 m2 to:confirm:mine: YES
                confirm-unclear no → m2
            1 10:03 m2 to:confirm:mine: CONFIRM
                receipt no → m2
            5 09:01 clock: ticks
                [awaiting-confirmation]
            5 20:00 m1 to:confirm:mine: CONFIRM
                receipt yes → m1
            6 09:02 clock: ticks
                extended → m3 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15
                [open]
        "#]],
    );
}

#[test]
fn without_a_quorum_it_is_extended_then_run_again_then_the_chair_is_asked() {
    check(
        "0 09:00 open: straight open child
         1 10:00 m3: YES
         5 09:01 clock: ticks
         8 09:02 clock: ticks
         9 10:00 m3: YES
         13 09:03 clock: ticks
         16 09:04 clock: ticks
         24 09:00 clock: ticks
         24 10:00 m4: YES
         24 11:00 chair to:escalation: WORDS
         24 12:00 chair to:escalation: YES
         25 10:00 m4: YES",
        expect![[r#"
            0 09:00 open: straight open child
                ballot → all
                note to c7: {"opened":"2026-12-06T09:00:00Z"}
                [open]
            1 10:00 m3: YES
                receipt yes → m3
            5 09:01 clock: ticks
                extended → m1 m2 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15
                note to c7: {"extended_to":"2026-12-09T09:01:00Z"}
            8 09:02 clock: ticks
                rerun → all
            9 10:00 m3: YES
                receipt yes → m3
            13 09:03 clock: ticks
                extended → m1 m2 m4 m5 m6 m7 m8 m9 m10 m11 m12 m13 m14 m15
                note to c7: {"extended_to":"2026-12-17T09:03:00Z"}
            16 09:04 clock: ticks
                result-inquorate → all
                escalation → m1 s1 s2
                note to c7: {"ballot":"inquorate"}
                published ballots/c9.json: {"abstain":0,"no":0,"yes":1}
                [escalated]
            24 09:00 clock: ticks
                escalation → m1 s1 s2
                escalation (deputy) → m5 s3
            24 10:00 m4: YES
                late → m4
            24 11:00 chair to:escalation: WORDS
                decision-unclear → m1
            24 12:00 chair to:escalation: YES
                rerun → all
                task-done run-again → m1
                office/task-taken → m5 s1 s2 s3
                [open]
            25 10:00 m4: YES
                receipt yes → m4
        "#]],
    );
}

#[test]
fn a_freeze_stops_the_clock_and_keeps_the_answers() {
    check(
        "0 09:00 open: straight open child
         1 09:00 parent: freeze
         2 09:00 m1: YES
         5 09:01 clock: ticks
         7 09:00 m2: YES
         8 09:00 parent: thaw
         11 10:00 m3: YES
         12 09:00 m4: YES
         12 09:01 m5: YES",
        expect![[r#"
            0 09:00 open: straight open child
                ballot → all
                note to c7: {"opened":"2026-12-06T09:00:00Z"}
                [open]
            1 09:00 parent: freeze
                frozen → all
                [frozen]
            2 09:00 m1: YES
                receipt yes → m1
            5 09:01 clock: ticks
            7 09:00 m2: YES
                receipt yes → m2
            8 09:00 parent: thaw
                thawed → all
                [open]
            11 10:00 m3: YES
                receipt yes → m3
            12 09:00 m4: YES
                receipt yes → m4
            12 09:01 m5: YES
                late → m5
        "#]],
    );
}

#[test]
fn a_ballot_opened_wrongly_is_annulled_by_two_people() {
    check(
        r#"0 09:00 open: straight open child
         1 10:00 m1: YES
         1 11:00 m3: order annul {"reason":"wrong question"}
         1 11:01 s1: order annul {"reason":"wrong question"}
         1 11:02 s1: order confirm-annul
         1 11:03 s2 to:annulment: WORDS
         1 11:04 s2 to:annulment: YES
         1 12:00 m2: YES"#,
        expect![[r#"
            0 09:00 open: straight open child
                ballot → all
                note to c7: {"opened":"2026-12-06T09:00:00Z"}
                [open]
            1 10:00 m1: YES
                receipt yes → m1
            1 11:00 m3: order annul {"reason":"wrong question"}
                refused at the keyboard: ballot/not-staff
            1 11:01 s1: order annul {"reason":"wrong question"}
                annul-confirm → m1 m5 s2 s3
            1 11:02 s1: order confirm-annul
                refused at the keyboard: ballot/second-person
            1 11:03 s2 to:annulment: WORDS
                decision-unclear → s2
            1 11:04 s2 to:annulment: YES
                annulled → all
                task-done annulled → s2
                office/task-taken → m1 m5 s3
                note to c7: {"ballot":"annulled"}
                published ballots/c9.json: {"abstain":0,"no":0,"yes":0}
                [annulled]
            1 12:00 m2: YES
                was-annulled → m2
        "#]],
    );
}

#[test]
fn a_paper_ballot_is_entered_by_staff_and_the_voter_is_told() {
    check(
        r#"0 09:00 open: straight open
         1 10:00 s1: order record {"voter":"p3","choice":"no","reference":"folder 7"}
         1 10:00 s1: order record {"voter":"p77","choice":"no","reference":"folder 7"}
         1 11:00 m3: YES"#,
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 s1: order record {"voter":"p3","choice":"no","reference":"folder 7"}
                receipt-paper no → m3
            1 10:00 s1: order record {"voter":"p77","choice":"no","reference":"folder 7"}
                refused at the keyboard: ballot/not-a-voter
            1 11:00 m3: YES
                receipt-changed yes → m3
        "#]],
    );
}

#[test]
fn a_ballot_that_bounces_goes_to_the_next_address_and_then_becomes_a_task() {
    check(
        "0 09:00 open: straight open
         0 09:05 bounce: m2
         0 09:06 bounce: m2#1
         0 09:07 bounce: m3
         0 10:00 s1 to:unreachable:p3: WORDS
         1 09:00 m2: YES",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            0 09:05 bounce: m2
                ballot → m2#1
            0 09:06 bounce: m2#1
                unreachable → s1 s2
            0 09:07 bounce: m3
                unreachable → s1 s2
            0 10:00 s1 to:unreachable:p3: WORDS
                task-done reached → s1
                office/task-taken → s2
            1 09:00 m2: YES
                receipt yes → m2
        "#]],
    );
}

#[test]
fn an_electorate_that_changes_in_the_middle_changes_nothing() {
    check(
        "0 09:00 open: two-thirds open
         1 09:00 leaves: m3
         1 10:00 m3: YES",
        expect![[r#"
            0 09:00 open: two-thirds open
                ballot → all
                [open]
            1 09:00 leaves: m3
            1 10:00 m3: YES
                receipt yes → m3
        "#]],
    );
}

#[test]
fn the_answer_to_an_old_question_confirms_nothing_that_came_later() {
    check(
        "0 09:00 open: straight open
         1 10:00 m1 forged: NO
         1 10:01 m1 forged: YES
         1 10:02 m1 forged: YES
         1 10:03 m1 to:confirm:p1:1: CONFIRM
         1 10:04 m1 to:confirm:p1:1: YES
         1 10:05 m1 to:confirm:p1:2: DECLINE
         1 10:06 m1: NO
         1 10:07 m1 to:confirm:p1:2: YES",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 m1 forged: NO
                confirm no → m1
            1 10:01 m1 forged: YES
                confirm yes → m1
            1 10:02 m1 forged: YES
            1 10:03 m1 to:confirm:p1:1: CONFIRM
                no-answer → m1
            1 10:04 m1 to:confirm:p1:1: YES
                no-answer → m1
            1 10:05 m1 to:confirm:p1:2: DECLINE
                declined → m1
            1 10:06 m1: NO
                receipt no → m1
            1 10:07 m1 to:confirm:p1:2: YES
                no-answer → m1
        "#]],
    );
}

#[test]
fn thanks_for_a_receipt_or_a_result_are_no_vote() {
    check(
        "0 09:00 open: straight open child
         1 10:00 m1: NO
         1 10:01 m1 to:receipt: THANKS
         1 10:02 m1 to:receipt: YES
         1 11:00 parent: freeze
         1 12:00 m2 to:frozen: YES",
        expect![[r#"
            0 09:00 open: straight open child
                ballot → all
                note to c7: {"opened":"2026-12-06T09:00:00Z"}
                [open]
            1 10:00 m1: NO
                receipt no → m1
            1 10:01 m1 to:receipt: THANKS
                unclear → m1
            1 10:02 m1 to:receipt: YES
                receipt-changed yes → m1
            1 11:00 parent: freeze
                frozen → all
                [frozen]
            1 12:00 m2 to:frozen: YES
                no-answer → m2
        "#]],
    );
}

#[test]
fn a_withdrawal_that_may_be_forged_is_asked_about_too() {
    check(
        "0 09:00 open: straight open
         1 10:00 m1: NO
         1 11:00 m1 forged: WITHDRAW
         1 12:00 m2 forged: RECUSE
         1 12:01 m2 to:confirm:mine: CONFIRM",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 m1: NO
                receipt no → m1
            1 11:00 m1 forged: WITHDRAW
                confirm-word → m1
            1 12:00 m2 forged: RECUSE
                confirm-word → m2
            1 12:01 m2 to:confirm:mine: CONFIRM
                recused → m2
        "#]],
    );
}

#[test]
fn an_answer_from_before_the_opening_is_none() {
    check(
        "0 09:00 open: straight open
         0 08:59 m1: YES
         0 09:00 m2: YES",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            0 08:59 m1: YES
                early → m1
            0 09:00 m2: YES
                receipt yes → m2
        "#]],
    );
}
