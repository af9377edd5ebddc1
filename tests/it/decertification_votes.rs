//! The vote itself: who sees it, what stops it, what follows where nothing comes of it, and when the structure knows.

use crate::decertification_rig::check_after;
use crate::decertification_stories::{PROPOSED, voting};
use expect_test::expect;

#[test]
fn a_vote_stands_still_where_the_notice_turns_out_not_to_have_arrived_and_by_order() {
    check_after(
        &voting(),
        r#"31 09:00 votes: 4 4
        32 09:00 bounce: notice r3
        37 09:00 s1 to:unreachable: "Visited her."
        43 09:00 clock: passes"#,
        expect![[r#"
            31 09:00 votes: 4 4
            32 09:00 bounce: notice r3
                unreachable notice → s1 s2
                progress frozen → r1 r3
                c2 is told: "freeze"
                [frozen]
                ballot/frozen → all
                [frozen]
            (35 09:00)
                unreachable notice (deputy) → s3
            37 09:00 s1 to:unreachable: "Visited her."
                progress thawed → r1 r3
                office/task-taken → s2 s3
                c2 is told: "thaw"
                [voting]
                ballot/thawed → all
                [open]
            (38 09:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (39 21:00)
                ballot/reminder → m9 m10 m11 m12 m13 m14 m15
            (40 09:00)
                ballot/result-tie → all
                [closed]
                retained → r1 r3
                decided → all sec p32 s1 s2
                published: "retained"
                [retained]
                [notified]
            43 09:00 clock: passes
        "#]],
    );
    check_after(
        &voting(),
        r#"31 09:00 r1: order freeze {"reason":"x"}
        31 10:00 chair: order freeze {"reason":"A court asks us to wait."}
        41 09:00 r1 to:progress: "Thank you."
        42 09:00 s1: order thaw
        43 09:00 votes: 5 5
        48 09:00 clock: passes"#,
        expect![[r#"
            31 09:00 r1: order freeze {"reason":"x"}
                refused at the keyboard: not-done order
            31 10:00 chair: order freeze {"reason":"A court asks us to wait."}
                progress frozen → r1 r3
                c2 is told: "freeze"
                [frozen]
                ballot/frozen → all
                [frozen]
            41 09:00 r1 to:progress: "Thank you."
                response-received → r1 r3
                response → all s1 s2
            42 09:00 s1: order thaw
                progress thawed → r1 r3
                c2 is told: "thaw"
                [voting]
                ballot/thawed → all
                [open]
            43 09:00 votes: 5 5
            (44 08:00)
                ballot/reminder → m11 m12 m13 m14 m15
            (45 20:00)
                ballot/reminder → m11 m12 m13 m14 m15
            (46 08:00)
                ballot/result-tie → all
                [closed]
                retained → r1 r3
                decided → all sec p32 s1 s2
                published: "retained"
                [retained]
                [notified]
            48 09:00 clock: passes
        "#]],
    );
}

#[test]
fn one_member_can_have_a_vote_that_is_not_public_until_it_opens() {
    check_after(
        PROPOSED,
        r#"1 09:00 sec to:proposed: "NONPUBLIC VOTE"
        2 09:00 m4 to:proposed: "vote non public"
        31 09:00 m5 to:proposed: "NONPUBLIC VOTE""#,
        expect![[r#"
            1 09:00 sec to:proposed: "NONPUBLIC VOTE"
                not-done non-public → sec
            2 09:00 m4 to:proposed: "vote non public"
                thanks non-public → m4
            (14 09:00)
                reminder → r1 r3
            (19 09:00)
                reminder → r1 r3
            (21 09:00)
                progress elapsed → r1 r3
                told elapsed → all s1 s2
                [elapsed]
            (30 09:00)
                progress vote-opened → r1 r3
                opens a ballot, "non-public": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            31 09:00 m5 to:proposed: "NONPUBLIC VOTE"
                not-done non-public-late → m5
        "#]],
    );
}

#[test]
fn a_ballot_that_is_annulled_or_never_opened_is_asked_about() {
    check_after(
        &voting(),
        r#"31 09:00 ballot by s1: order annul {"reason":"wrong"}
        31 10:00 s2 to:annulment: YES
        32 09:00 m3 to:vote-stuck: YES
        33 09:00 s1 to:vote-stuck: "hm"
        34 09:00 s1 to:vote-stuck: YES"#,
        expect![[r#"
            31 09:00 ballot by s1: order annul {"reason":"wrong"}
                ballot/annul-confirm → m1 s2 s3
            31 10:00 s2 to:annulment: YES
                ballot/annulled → all
                ballot/task-done → s2
                office/task-taken → m1 s3
                [annulled]
                vote-stuck annulled → m1 s1 s2
            32 09:00 m3 to:vote-stuck: YES
                not-done nothing-to-do → m3
            33 09:00 s1 to:vote-stuck: "hm"
                decision-unclear → s1
            34 09:00 s1 to:vote-stuck: YES
                progress vote-opened → r1 r3
                office/task-taken → m1 s2
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                ballot/ballot → all
                [open]
        "#]],
    );
}

#[test]
fn a_vote_held_again_waits_until_who_took_a_seat_since_has_every_answer() {
    check_after(
        &voting(),
        r#"30 12:00 r1 to:progress: "Our secretary fell ill."
        31 09:00 ballot by s1: order annul {"reason":"wrong"}
        31 10:00 s2 to:annulment: YES
        32 09:00 joins: s3
        33 09:00 post: stops
        34 09:00 s1 to:vote-stuck: YES
        35 09:00 post: goes"#,
        expect![[r#"
            30 12:00 r1 to:progress: "Our secretary fell ill."
                response-received → r1 r3
                response → all s1 s2
            31 09:00 ballot by s1: order annul {"reason":"wrong"}
                ballot/annul-confirm → m1 s2 s3
            31 10:00 s2 to:annulment: YES
                ballot/annulled → all
                ballot/task-done → s2
                office/task-taken → m1 s3
                [annulled]
                vote-stuck annulled → m1 s1 s2
            32 09:00 joins: s3
            33 09:00 post: stops
            34 09:00 s1 to:vote-stuck: YES
                response → s3
                office/task-taken → m1 s2
                [responded]
            35 09:00 post: goes
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
fn the_notice_of_the_decision_counts_once_it_has_reached_everybody() {
    check_after(
        &voting(),
        r#"31 09:00 votes: 10 5
        36 09:00 bounce: decision r1
        37 09:00 bounce: decision r1 1
        38 09:00 s1 forged to:unreachable: "Called her."
        39 09:00 s1 to:unreachable: "Called her."
        40 09:00 s1: order review {"from":"p43"}
        41 09:00 s1: order done
        42 09:00 m3: order done
        43 09:00 s1: order freeze {"reason":"late"}"#,
        expect![[r#"
            31 09:00 votes: 10 5
            (33 09:00)
            (34 21:00)
            (35 09:00)
                ballot/result-carried → all
                [closed]
                decertified → r1 r3
                decided → all sec p32 s1 s2
                consequences → s1 s2
                in the register: p41 N41, 1 ended
                in the register: p43 N43, 1 ended
                in the register: o1 Open Net, until 2027-01-05, 0 speak
                published: "decertified"
                [decertified]
                [notified]
            36 09:00 bounce: decision r1
                decertified (next address) → r1
                [decertified]
                [notified]
            37 09:00 bounce: decision r1 1
                unreachable decision → s1 s2
                [decertified]
            38 09:00 s1 forged to:unreachable: "Called her."
                unsure → s1
            (38 09:00)
                consequences (deputy) → s3
            39 09:00 s1 to:unreachable: "Called her."
                office/task-taken → s2
                [notified]
            40 09:00 s1: order review {"from":"p43"}
                progress review-requested → r3
                review-task → m1 s1 s2
                published: "decertified"
                [review-requested]
            41 09:00 s1: order done
                office/task-taken → s2 s3
            42 09:00 m3: order done
                refused at the keyboard: not-done order
            (43 09:00)
                review-task (deputy) → s3
            43 09:00 s1: order freeze {"reason":"late"}
                refused at the keyboard: unreadable a matter in phase review-requested takes no order "freeze"
        "#]],
    );
}

#[test]
fn no_quorum_twice_decides_nothing_and_the_chair_may_leave_it_there() {
    check_after(
        &voting(),
        r#"31 10:00 votes: 7
        47 08:00 chair to:escalation: NO
        47 09:00 chair to:vote-stuck: NO"#,
        expect![[r#"
            31 10:00 votes: 7
            (33 09:00)
                ballot/reminder → m8 m9 m10 m11 m12 m13 m14 m15
            (34 21:00)
                ballot/reminder → m8 m9 m10 m11 m12 m13 m14 m15
            (35 09:00)
                ballot/extended → m8 m9 m10 m11 m12 m13 m14 m15
            (37 21:00)
                ballot/reminder → m8 m9 m10 m11 m12 m13 m14 m15
            (38 09:00)
                ballot/rerun → all
            (41 09:00)
                ballot/reminder → all
            (42 21:00)
                ballot/reminder → all
            (43 09:00)
                ballot/extended → all
            (45 21:00)
                ballot/reminder → all
            (46 09:00)
                ballot/result-inquorate → all
                ballot/escalation → m1 s1 s2
                [escalated]
                progress inquorate → r1 r3
                [inquorate]
            47 08:00 chair to:escalation: NO
                ballot/left-undecided → all
                ballot/task-done → m1
                office/task-taken → s1 s2
                [closed]
                vote-stuck left-undecided → m1 s1 s2
            47 09:00 chair to:vote-stuck: NO
                closed undecided → all s1 s2
                closed-structure undecided → r1 r3
                office/task-taken → s1 s2
                [closed]
        "#]],
    );
    check_after(
        &voting(),
        r#"31 10:00 votes: 7
        47 08:00 chair to:escalation: YES
        47 09:00 votes: 8 4
        52 09:00 clock: passes"#,
        expect![[r#"
            31 10:00 votes: 7
            (33 09:00)
                ballot/reminder → m8 m9 m10 m11 m12 m13 m14 m15
            (34 21:00)
                ballot/reminder → m8 m9 m10 m11 m12 m13 m14 m15
            (35 09:00)
                ballot/extended → m8 m9 m10 m11 m12 m13 m14 m15
            (37 21:00)
                ballot/reminder → m8 m9 m10 m11 m12 m13 m14 m15
            (38 09:00)
                ballot/rerun → all
            (41 09:00)
                ballot/reminder → all
            (42 21:00)
                ballot/reminder → all
            (43 09:00)
                ballot/extended → all
            (45 21:00)
                ballot/reminder → all
            (46 09:00)
                ballot/result-inquorate → all
                ballot/escalation → m1 s1 s2
                [escalated]
                progress inquorate → r1 r3
                [inquorate]
            47 08:00 chair to:escalation: YES
                ballot/rerun → all
                ballot/task-done → m1
                office/task-taken → s1 s2
                [open]
            47 09:00 votes: 8 4
            (50 08:00)
                ballot/reminder → m13 m14 m15
            (51 20:00)
                ballot/reminder → m13 m14 m15
            (52 08:00)
                ballot/result-carried → all
                [closed]
                decertified → r1 r3
                decided → all sec p32 s1 s2
                consequences → s1 s2
                in the register: p41 N41, 1 ended
                in the register: p43 N43, 1 ended
                in the register: o1 Open Net, until 2027-01-22, 0 speak
                published: "decertified"
                [decertified]
                [notified]
            52 09:00 clock: passes
        "#]],
    );
    check_after(
        &voting(),
        r#"31 10:00 votes: 7
        47 08:00 chair to:escalation: NO
        47 09:00 m4 to:vote-stuck: YES
        48 09:00 s1 to:vote-stuck: YES
        49 09:00 votes: 4 8
        54 09:00 clock: passes"#,
        expect![[r#"
            31 10:00 votes: 7
            (33 09:00)
                ballot/reminder → m8 m9 m10 m11 m12 m13 m14 m15
            (34 21:00)
                ballot/reminder → m8 m9 m10 m11 m12 m13 m14 m15
            (35 09:00)
                ballot/extended → m8 m9 m10 m11 m12 m13 m14 m15
            (37 21:00)
                ballot/reminder → m8 m9 m10 m11 m12 m13 m14 m15
            (38 09:00)
                ballot/rerun → all
            (41 09:00)
                ballot/reminder → all
            (42 21:00)
                ballot/reminder → all
            (43 09:00)
                ballot/extended → all
            (45 21:00)
                ballot/reminder → all
            (46 09:00)
                ballot/result-inquorate → all
                ballot/escalation → m1 s1 s2
                [escalated]
                progress inquorate → r1 r3
                [inquorate]
            47 08:00 chair to:escalation: NO
                ballot/left-undecided → all
                ballot/task-done → m1
                office/task-taken → s1 s2
                [closed]
                vote-stuck left-undecided → m1 s1 s2
            47 09:00 m4 to:vote-stuck: YES
                not-done nothing-to-do → m4
            48 09:00 s1 to:vote-stuck: YES
                progress vote-opened → r1 r3
                office/task-taken → m1 s2
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            49 09:00 votes: 4 8
            (51 09:00)
                ballot/reminder → m13 m14 m15
            (52 21:00)
                ballot/reminder → m13 m14 m15
            (53 09:00)
                ballot/result-not-carried → all
                [closed]
                retained → r1 r3
                decided → all sec p32 s1 s2
                published: "retained"
                [retained]
                [notified]
            54 09:00 clock: passes
        "#]],
    );
}
