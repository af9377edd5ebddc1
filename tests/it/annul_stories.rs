//! Stories of what staff and the Chair do: annul what has not opened yet, step in as deputies, give orders in
//! place of replies; and of voters asked whether something was theirs. `story` explains the words.

use crate::story::check;
use expect_test::expect;

#[test]
fn a_planned_ballot_is_annulled_by_two_people_and_no_voter_hears_of_it() {
    check(
        r#"0 09:00 open: planned straight open child
         0 10:00 m3: order annul {"reason":"too early"}
         0 10:01 s1: order annul {"reason":"too early"}
         0 10:02 s1: order confirm-annul
         0 10:03 s2 to:annulment: WORDS
         0 10:04 m3 to:annulment: YES
         0 10:05 s2 to:annulment: YES
         2 09:00 clock: ticks
         2 10:00 m2: YES"#,
        expect![[r#"
            0 09:00 open: planned straight open child
                [planned]
            0 10:00 m3: order annul {"reason":"too early"}
                refused at the keyboard: ballot/not-staff
            0 10:01 s1: order annul {"reason":"too early"}
                annul-planned → m1 m5 s2 s3
            0 10:02 s1: order confirm-annul
                refused at the keyboard: ballot/second-person
            0 10:03 s2 to:annulment: WORDS
                decision-unclear → s2
            0 10:04 m3 to:annulment: YES
                not-staff → m3
            0 10:05 s2 to:annulment: YES
                annulled-planned → s1
                task-done annulled → s2
                office/task-taken → m1 m5 s3
                note to c7: {"ballot":"annulled"}
                [annulled]
            2 09:00 clock: ticks
            2 10:00 m2: YES
                was-annulled → m2
        "#]],
    );
}

#[test]
fn a_planned_ballot_whose_annulment_is_refused_opens_as_planned() {
    check(
        r#"0 09:00 open: planned straight open
         0 10:01 s1: order annul {"reason":"too early"}
         0 10:02 s2: order refuse-annul
         0 10:03 s2: order confirm-annul
         2 09:00 clock: ticks
         2 10:00 m1: YES"#,
        expect![[r#"
            0 09:00 open: planned straight open
                [planned]
            0 10:01 s1: order annul {"reason":"too early"}
                annul-planned → m1 m5 s2 s3
            0 10:02 s2: order refuse-annul
                kept → s1
                office/task-taken → m1 m5 s3
            0 10:03 s2: order confirm-annul
                refused at the keyboard: ballot/nothing-to-annul
            2 09:00 clock: ticks
                ballot → all
                [open]
            2 10:00 m1: YES
                receipt yes → m1
        "#]],
    );
}

#[test]
fn a_request_to_annul_outlives_the_opening() {
    check(
        r#"0 09:00 open: planned straight open
         0 10:01 s1: order annul {"reason":"wrong question"}
         2 09:00 clock: ticks
         2 10:00 m1: YES
         2 11:00 chair to:annulment: YES"#,
        expect![[r#"
            0 09:00 open: planned straight open
                [planned]
            0 10:01 s1: order annul {"reason":"wrong question"}
                annul-planned → m1 m5 s2 s3
            2 09:00 clock: ticks
                ballot → all
                [open]
            2 10:00 m1: YES
                receipt yes → m1
            2 11:00 chair to:annulment: YES
                annulled → all
                task-done annulled → m1
                office/task-taken → m5 s2 s3
                published ballots/c9.json: {"abstain":0,"no":0,"yes":0}
                [annulled]
        "#]],
    );
}

#[test]
fn a_voter_reached_is_told_at_the_keyboard_too() {
    check(
        r#"0 09:00 open: straight open
         0 09:07 bounce: m3
         0 10:00 s1: order reached {"voter":"p3"}
         0 10:01 s1: order reached {"voter":"p4"}
         0 10:02 m3: order reached {"voter":"p3"}"#,
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            0 09:07 bounce: m3
                unreachable → s1 s2
            0 10:00 s1: order reached {"voter":"p3"}
                office/task-taken → s2
            0 10:01 s1: order reached {"voter":"p4"}
                refused at the keyboard: ballot/task-over
            0 10:02 m3: order reached {"voter":"p3"}
                refused at the keyboard: ballot/not-staff
        "#]],
    );
}

#[test]
fn a_task_that_nobody_did_goes_to_the_deputies_and_whoever_does_it_first_counts() {
    check(
        "0 09:00 open: straight open
         0 09:07 bounce: m3
         2 09:00 clock: ticks
         2 21:10 clock: ticks
         2 22:00 s3 to:unreachable:p3: WORDS
         2 23:00 s1 to:unreachable:p3: WORDS
         5 09:01 clock: ticks
         8 09:02 clock: ticks
         13 09:03 clock: ticks
         16 09:04 clock: ticks
         19 09:05 clock: ticks
         23 09:06 clock: ticks
         23 12:00 m5 to:escalation: NO",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            0 09:07 bounce: m3
                unreachable → s1 s2
            2 09:00 clock: ticks
            2 21:10 clock: ticks
                unreachable (deputy) → s3
            2 22:00 s3 to:unreachable:p3: WORDS
                task-done reached → s3
                office/task-taken → s1 s2
            2 23:00 s1 to:unreachable:p3: WORDS
                task-over → s1
            5 09:01 clock: ticks
                extended → all
            8 09:02 clock: ticks
                rerun → all
            13 09:03 clock: ticks
                extended → all
            16 09:04 clock: ticks
                result-inquorate → all
                escalation → m1 s1 s2
                published ballots/c9.json: {"abstain":0,"no":0,"yes":0}
                [escalated]
            19 09:05 clock: ticks
                escalation (deputy) → m5 s3
            23 09:06 clock: ticks
                escalation → m1 s1 s2 m5 s3
            23 12:00 m5 to:escalation: NO
                left-undecided → all
                task-done left-undecided → m5
                office/task-taken → m1 s1 s2 s3
                [closed]
        "#]],
    );
}

#[test]
fn an_order_at_the_keyboard_does_a_task_too_and_those_who_were_asked_are_told() {
    check(
        "0 09:00 open: straight open
         5 09:01 clock: ticks
         8 09:02 clock: ticks
         13 09:03 clock: ticks
         16 09:04 clock: ticks
         17 10:00 s2: order run-again",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            5 09:01 clock: ticks
                extended → all
            8 09:02 clock: ticks
                rerun → all
            13 09:03 clock: ticks
                extended → all
            16 09:04 clock: ticks
                result-inquorate → all
                escalation → m1 s1 s2
                published ballots/c9.json: {"abstain":0,"no":0,"yes":0}
                [escalated]
            17 10:00 s2: order run-again
                rerun → all
                office/task-taken → m1 s1
                [open]
        "#]],
    );
}

#[test]
fn the_second_person_is_another_person_at_another_account_about_the_same_request() {
    check(
        r#"0 09:00 open: straight open
         1 11:01 s1: order annul {"reason":"first"}
         1 11:02 s2 to:annulment: NO
         1 11:03 s1: order annul {"reason":"second"}
         1 11:04 s2 to:annulment:1: YES
         1 11:05 m1: order record {"voter":"p3","choice":"no","reference":"x"}
         1 11:06 s2: order confirm-annul"#,
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 11:01 s1: order annul {"reason":"first"}
                annul-confirm → m1 m5 s2 s3
            1 11:02 s2 to:annulment: NO
                kept → s1
                task-done kept → s2
                office/task-taken → m1 m5 s3
            1 11:03 s1: order annul {"reason":"second"}
                annul-confirm → m1 m5 s2 s3
            1 11:04 s2 to:annulment:1: YES
                annulled → all
                task-done annulled → s2
                office/task-taken → m1 m5 s3
                published ballots/c9.json: {"abstain":0,"no":0,"yes":0}
                [annulled]
            1 11:05 m1: order record {"voter":"p3","choice":"no","reference":"x"}
                refused at the keyboard: ballot/no-such-order
            1 11:06 s2: order confirm-annul
                refused at the keyboard: ballot/no-such-order
        "#]],
    );
}

#[test]
fn a_voter_with_a_doubtful_answer_is_asked_one_thing_and_settles_it_in_one_word() {
    check(
        "0 09:00 open: straight open
         1 10:00 m1 forged: YES
         1 10:01 m1: IF
         1 10:02 m1 to:confirm:mine: DECLINE
         1 10:03 m1: NO
         1 11:00 m1 forged: WITHDRAW
         1 11:01 m1: WORDS
         1 11:02 m1 to:confirm:mine: CONFIRM
         5 09:01 m2 forged: NO",
        expect![[r#"
            0 09:00 open: straight open
                ballot → all
                [open]
            1 10:00 m1 forged: YES
                confirm yes → m1
            1 10:01 m1: IF
                confirm-unclear yes → m1
            1 10:02 m1 to:confirm:mine: DECLINE
                declined → m1
            1 10:03 m1: NO
                receipt no → m1
            1 11:00 m1 forged: WITHDRAW
                confirm-word → m1
            1 11:01 m1: WORDS
                confirm-word → m1
            1 11:02 m1 to:confirm:mine: CONFIRM
                withdrawn → m1
            5 09:01 m2 forged: NO
                late → m2
        "#]],
    );
}

#[test]
fn a_ballot_ends_with_the_matter_it_was_about_and_its_voters_are_told_once() {
    check(
        r#"0 09:00 open: straight open child
         1 09:00 m2: YES
         1 10:00 parent: freeze
         2 09:00 s1: order annul {"reason":"too early"}
         2 10:00 parent: end
         2 11:00 s2 to:annulment: YES
         2 12:00 m3: NO
         3 09:00 parent: thaw
         9 09:00 clock: ticks"#,
        expect![[r#"
            0 09:00 open: straight open child
                ballot → all
                note to c7: {"opened":"2026-12-06T09:00:00Z"}
                [open]
            1 09:00 m2: YES
                receipt yes → m2
            1 10:00 parent: freeze
                frozen → all
                [frozen]
            2 09:00 s1: order annul {"reason":"too early"}
                annul-confirm → m1 m5 s2 s3
            2 10:00 parent: end
                ended → all
                published ballots/c9.json: {"abstain":0,"no":0,"yes":0}
                [annulled]
            2 11:00 s2 to:annulment: YES
                was-annulled → s2
            2 12:00 m3: NO
                was-annulled → m3
            3 09:00 parent: thaw
            9 09:00 clock: ticks
        "#]],
    );
}

#[test]
fn a_planned_ballot_whose_matter_ends_never_opens() {
    check(
        r#"0 09:00 open: planned straight open child
         1 09:00 parent: end
         2 09:00 clock: ticks"#,
        expect![[r#"
            0 09:00 open: planned straight open child
                [planned]
            1 09:00 parent: end
                [annulled]
            2 09:00 clock: ticks
        "#]],
    );
}
