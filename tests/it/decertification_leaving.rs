//! A structure that wants to leave says so by its prime; its word is notice and answer, and the committee votes all the same.

use crate::decertification_rig::{check, check_after};
use crate::decertification_stories::PROPOSED;
use expect_test::expect;

#[test]
fn a_structure_that_wants_to_leave_shortens_its_notice_and_is_voted_on_all_the_same() {
    check_after(
        PROPOSED,
        r#"5 09:00 r3 to:notice: "LEAVE"
        5 10:00 r1 forged to:notice: "LEAVE"
        5 11:00 r1 sure to:notice: "LEAVE/We dissolve in June."
        6 09:00 votes: 15
        11 09:00 clock: passes"#,
        expect![[r#"
            5 09:00 r3 to:notice: "LEAVE"
                not-done not-prime → r3
            5 10:00 r1 forged to:notice: "LEAVE"
                unsure → r1
            5 11:00 r1 sure to:notice: "LEAVE/We dissolve in June."
                response-received → r1 r3
                response → all s1 s2
                [responded]
                progress vote-opened → r1 r3
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            6 09:00 votes: 15
            (8 11:00)
            (9 23:00)
            (10 11:00)
                ballot/result-carried → all
                [closed]
                decertified → r1 r3
                decided → all sec p32 s1 s2
                consequences → s1 s2
                in the register: p41 N41, 1 ended
                in the register: p43 N43, 1 ended
                in the register: o1 Open Net, until 2026-12-11, 0 speak
                published: "decertified"
                [decertified]
                [notified]
            11 09:00 clock: passes
        "#]],
    );
    check(
        r#"0 09:00 open by s1: decertification {"organisation": "o1", "leaving": {"statement": "We dissolve in June."}}
        1 09:00 m3: order vote
        2 09:00 r3 to:confirm: CONFIRM
        3 09:00 r1 to:confirm: "What?"
        4 09:00 post: stops
        4 10:00 r1 to:confirm: CONFIRM
        5 09:00 chair: order vote
        6 09:00 post: goes
        7 09:00 votes: 12 3
        12 09:00 clock: passes"#,
        expect![[r#"
            0 09:00 open by s1: decertification {"organisation": "o1", "leaving": {"statement": "We dissolve in June."}}
                leave-confirm → r1
                [leave-asked]
            1 09:00 m3: order vote
                refused at the keyboard: not-done order
            2 09:00 r3 to:confirm: CONFIRM
                not-done leave-asked → r3
            3 09:00 r1 to:confirm: "What?"
                not-done leave-asked → r1
            4 09:00 post: stops
            4 10:00 r1 to:confirm: CONFIRM
                response-received → r1 r3
                response → all s1 s2
                [responded]
            5 09:00 chair: order vote
                refused at the keyboard: not-done vote-forwarding
            6 09:00 post: goes
                progress vote-opened → r1 r3
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            7 09:00 votes: 12 3
            (9 09:00)
            (10 21:00)
            (11 09:00)
                ballot/result-carried → all
                [closed]
                decertified → r1 r3
                decided → all sec p32 s1 s2
                consequences → s1 s2
                in the register: p41 N41, 1 ended
                in the register: p43 N43, 1 ended
                in the register: o1 Open Net, until 2026-12-12, 0 speak
                published: "decertified"
                [decertified]
                [notified]
            12 09:00 clock: passes
        "#]],
    );
    check(
        r#"0 09:00 open by s1: decertification {"organisation": "o1", "leaving": {"statement": "We dissolve in June."}}
        1 09:00 r1 to:confirm: DECLINE"#,
        expect![[r#"
            0 09:00 open by s1: decertification {"organisation": "o1", "leaving": {"statement": "We dissolve in June."}}
                leave-confirm → r1
                [leave-asked]
            1 09:00 r1 to:confirm: DECLINE
                closed stays → all s1 s2
                closed-structure stays → r1
                [closed]
        "#]],
    );
    check(
        r#"0 09:00 open by s1: decertification {"organisation": "o1", "leaving": {"statement": "We dissolve in June."}}
        31 09:00 clock: passes"#,
        expect![[r#"
            0 09:00 open by s1: decertification {"organisation": "o1", "leaving": {"statement": "We dissolve in June."}}
                leave-confirm → r1
                [leave-asked]
            (30 09:00)
                closed stays → all s1 s2
                closed-structure stays → r1
                [closed]
            31 09:00 clock: passes
        "#]],
    );
}

#[test]
fn a_structure_that_changes_its_mind_stays_in_the_proposal_of_others() {
    check_after(
        PROPOSED,
        r#"5 09:00 post: stops
        5 10:00 r1 to:notice: "LEAVE"
        6 08:00 r3 to:responded: WITHDRAW
        6 09:00 r1 to:responded: WITHDRAW
        6 10:00 post: goes
        29 09:00 r1 to:responded: WITHDRAW"#,
        expect![[r#"
            5 09:00 post: stops
            5 10:00 r1 to:notice: "LEAVE"
                response-received → r1 r3
                response → all s1 s2
                [responded]
            6 08:00 r3 to:responded: WITHDRAW
                not-done not-prime → r3
            6 09:00 r1 to:responded: WITHDRAW
                told stays → all s1 s2
                thanks stays → r1
                [hearing]
            6 10:00 post: goes
            (14 09:00)
                reminder → r1 r3
            (19 09:00)
                reminder → r1 r3
            (21 09:00)
                progress elapsed → r1 r3
                told elapsed → all s1 s2
                [elapsed]
            29 09:00 r1 to:responded: WITHDRAW
                not-done withdraw-not-yours → r1
        "#]],
    );
}

#[test]
fn who_takes_it_back_in_time_is_heard_as_if_nothing_had_been() {
    check_after(
        PROPOSED,
        r#"1 09:00 post: stops
        1 10:00 r1 to:notice: "LEAVE"
        2 09:00 r1 to:responded: WITHDRAW
        2 10:00 post: goes
        22 09:00 r1 to:progress: WITHDRAW"#,
        expect![[r#"
            1 09:00 post: stops
            1 10:00 r1 to:notice: "LEAVE"
                response-received → r1 r3
                response → all s1 s2
                [responded]
            2 09:00 r1 to:responded: WITHDRAW
                told stays → all s1 s2
                thanks stays → r1
                [hearing]
            2 10:00 post: goes
            (14 09:00)
                reminder → r1 r3
            (19 09:00)
                reminder → r1 r3
            (21 09:00)
                progress elapsed → r1 r3
                told elapsed → all s1 s2
                [elapsed]
            22 09:00 r1 to:progress: WITHDRAW
                not-done withdraw-not-yours → r1
        "#]],
    );
    check(
        r#"0 09:00 post: stops
        0 09:00 open by m3: decertification {"organisation": "o1", "proposal": {"exception": "It has dissolved."}}
        0 10:00 r1 to:notice: "LEAVE"
        1 09:00 r1 to:responded: WITHDRAW
        2 09:00 post: goes"#,
        expect![[r#"
            0 09:00 post: stops
            0 09:00 open by m3: decertification {"organisation": "o1", "proposal": {"exception": "It has dissolved."}}
                proposed → all s1 s2
                notice → r1 r3
                [proposed]
            0 10:00 r1 to:notice: "LEAVE"
                response-received → r1 r3
                response → all s1 s2
                [responded]
            1 09:00 r1 to:responded: WITHDRAW
                told stays → all s1 s2
                thanks stays → r1
                [proposed]
            2 09:00 post: goes
                [hearing]
        "#]],
    );
}
