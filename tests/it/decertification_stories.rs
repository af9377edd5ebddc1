//! Every way a matter can end: decertified and retained, to the exact two thirds; taken back; closed before anybody
//! proposed; and what the register and the public record hold of it.

use crate::decertification_rig::{check, check_after, played};
use atlarged::kernel::confidential::is_member;
use atlarged::kernel::ids::{OrganisationId, Party, PersonId};
use atlarged::kernel::people::Region;
use atlarged::workflows::Policies;
use chrono::Duration;
use expect_test::expect;

/// m3 proposes on day 0 at 09:00; the hearing ends on day 21, the vote opens on day 30.
pub const PROPOSED: &str = r#"0 09:00 open by m3: decertification {"organisation": "o1", "proposal": {"failures": [{"requirement": "report", "date": "2024-05-31", "note": "none came"}, {"requirement": "report", "date": "2026-05-31"}], "reasons": "We asked often."}}"#;

/// The same, up to the vote on day 30: nobody has answered.
pub fn voting() -> String {
    format!("{PROPOSED}\n30 12:00 clock: passes")
}

#[test]
fn from_something_noticed_to_the_end_of_an_accreditation() {
    check(
        r#"0 09:00 open by s1: decertification {"organisation": "o1", "contacts": ["p51"], "anomaly": {"sign": "report-overdue", "note": "The report of 2026."}}
        1 09:00 s1 to:anomaly: YES
        2 09:00 s1 to:investigation: "Wrote to both representatives./1 FAILED: 2024-05-31 no report/ASK: When will your report come?"
        3 09:00 r3 to:question: "Soon, I hope."
        10 09:00 s1 to:investigation: "1 FAILED: 2026-05-31 no report again"
        20 09:00 s1 to:investigation: "FINISHED"
        21 09:00 m3 to:findings: "PROPOSE/We asked often and in vain."
        30 10:00 r1 to:notice: "Here is why: our secretary fell ill."
        52 10:00 votes: 10 5
        56 12:00 clock: passes
        57 10:00 r1 to:decision: "REVIEW"
        58 10:00 s2 to:consequences: "Lists and wiki are done."
        59 10:00 chair to:review: "Answered by letter.""#,
        expect![[r#"
            0 09:00 open by s1: decertification {"organisation": "o1", "contacts": ["p51"], "anomaly": {"sign": "report-overdue", "note": "The report of 2026."}}
                anomaly → s1 s2
                [anomaly]
            1 09:00 s1 to:anomaly: YES
                investigation new → s1
                office/task-taken → s2
                [investigation]
            2 09:00 s1 to:investigation: "Wrote to both representatives./1 FAILED: 2024-05-31 no report/ASK: When will your report come?"
                question → r1 r3 x1
                noted none → s1
            3 09:00 r3 to:question: "Soon, I hope."
                answer → s1 s2
                thanks answer → r3
            10 09:00 s1 to:investigation: "1 FAILED: 2026-05-31 no report again"
                noted none → s1
            20 09:00 s1 to:investigation: "FINISHED"
                findings → all sec p32
                [investigated]
            21 09:00 m3 to:findings: "PROPOSE/We asked often and in vain."
                proposed → all s1 s2
                notice → r1 r3 x1
                [proposed]
                [hearing]
            30 10:00 r1 to:notice: "Here is why: our secretary fell ill."
                response-received → r1 r3 x1
                response → all s1 s2
                [responded]
            (51 09:00)
                progress vote-opened → r1 r3 x1
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            52 10:00 votes: 10 5
            (54 09:00)
            (55 21:00)
            (56 09:00)
                ballot/result-carried → all
                [closed]
                decertified → r1 r3 x1
                decided → all sec p32 s1 s2
                consequences → s1 s2
                in the register: p41 N41, 1 ended
                in the register: p43 N43, 1 ended
                in the register: o1 Open Net, until 2027-01-26, 0 speak
                published: "decertified"
                [decertified]
                [notified]
            56 12:00 clock: passes
            57 10:00 r1 to:decision: "REVIEW"
                progress review-requested → r1
                review-task → m1 s1 s2
                published: "decertified"
                [review-requested]
            58 10:00 s2 to:consequences: "Lists and wiki are done."
                office/task-taken → s1
            59 10:00 chair to:review: "Answered by letter."
                office/task-taken → s1 s2
        "#]],
    );
}

#[test]
fn exactly_two_thirds_of_the_votes_cast_decide() {
    check_after(
        &voting(),
        r#"31 10:00 votes: 6 3
        36 09:00 clock: passes"#,
        expect![[r#"
            31 10:00 votes: 6 3
            (33 09:00)
                ballot/reminder → m10 m11 m12 m13 m14 m15
            (34 21:00)
                ballot/reminder → m10 m11 m12 m13 m14 m15
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
            36 09:00 clock: passes
        "#]],
    );
    check_after(
        &voting(),
        r#"31 10:00 votes: 6 2 2
        36 09:00 clock: passes"#,
        expect![[r#"
            31 10:00 votes: 6 2 2
            (33 09:00)
                ballot/reminder → m11 m12 m13 m14 m15
            (34 21:00)
                ballot/reminder → m11 m12 m13 m14 m15
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
    check_after(
        &voting(),
        r#"31 10:00 votes: 9 5 1
        36 09:00 clock: passes"#,
        expect![[r#"
            31 10:00 votes: 9 5 1
            (33 09:00)
            (34 21:00)
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
fn who_is_retained_may_ask_for_a_review_too() {
    check_after(
        &voting(),
        r#"31 10:00 votes: 5 5
        36 09:00 r3 to:decision: "review"
        37 09:00 r1 to:decision: "thank you"
        38 09:00 s1: order reviewed"#,
        expect![[r#"
            31 10:00 votes: 5 5
            (33 09:00)
                ballot/reminder → m11 m12 m13 m14 m15
            (34 21:00)
                ballot/reminder → m11 m12 m13 m14 m15
            (35 09:00)
                ballot/result-tie → all
                [closed]
                retained → r1 r3
                decided → all sec p32 s1 s2
                published: "retained"
                [retained]
                [notified]
            36 09:00 r3 to:decision: "review"
                progress review-requested → r3
                review-task → m1 s1 s2
                published: "retained"
                [review-requested]
            37 09:00 r1 to:decision: "thank you"
                not-done decided-already → r1
            38 09:00 s1: order reviewed
                office/task-taken → m1 s2
        "#]],
    );
}

#[test]
fn whoever_proposed_may_take_it_back_until_the_vote_opens() {
    check_after(
        PROPOSED,
        r#"1 09:00 m4 to:proposed: WITHDRAW
        2 09:00 m4 to:proposed: "PROPOSE"
        3 09:00 m4 to:proposed: "PROPOSE"
        4 09:00 m3 to:proposed: WITHDRAW
        5 09:00 m4 to:proposed: WITHDRAW
        6 09:00 r1 to:notice: "And now?""#,
        expect![[r#"
            1 09:00 m4 to:proposed: WITHDRAW
                not-done withdraw-not-yours → m4
            2 09:00 m4 to:proposed: "PROPOSE"
                thanks joined → m4
            3 09:00 m4 to:proposed: "PROPOSE"
                not-done propose-already → m4
            4 09:00 m3 to:proposed: WITHDRAW
                thanks withdrawn → m3
            5 09:00 m4 to:proposed: WITHDRAW
                closed withdrawn → all s1 s2
                closed-structure withdrawn → r1 r3
                [closed]
            6 09:00 r1 to:notice: "And now?"
                not-done over → r1
        "#]],
    );
    check_after(
        PROPOSED,
        r#"31 09:00 m3 to:proposed: WITHDRAW
        31 10:00 m4 to:proposed: "PROPOSE""#,
        expect![[r#"
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
                opens a ballot, "open": Shall Open Net be de-certified as an At-Large Structure?
                  YES: Open Net is de-certified and is no longer an At-Large Structure.
                  NO: Open Net stays accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
            31 09:00 m3 to:proposed: WITHDRAW
                not-done withdraw-late → m3
            31 10:00 m4 to:proposed: "PROPOSE"
                not-done propose-late → m4
        "#]],
    );
}

#[test]
fn what_nobody_proposes_ends_by_itself_and_what_is_dismissed_at_once() {
    check(
        r#"0 09:00 open: decertification {"organisation": "o1", "anomaly": {"sign": "bounces"}}
        1 09:00 s1 to:anomaly: "YES"
        2 09:00 s1 to:investigation: "FINISHED"
        33 09:00 clock: passes"#,
        expect![[r#"
            0 09:00 open: decertification {"organisation": "o1", "anomaly": {"sign": "bounces"}}
                anomaly → s1 s2
                [anomaly]
            1 09:00 s1 to:anomaly: "YES"
                investigation new → s1
                office/task-taken → s2
                [investigation]
            2 09:00 s1 to:investigation: "FINISHED"
                findings → all sec p32
                [investigated]
            (32 09:00)
                closed not-proposed → all sec p32 s1 s2
                [closed]
            33 09:00 clock: passes
        "#]],
    );
    check(
        r#"0 09:00 open: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}}
        1 09:00 s1 to:anomaly: "Perhaps."
        2 09:00 s1 to:anomaly: "NO/They answered by telephone."
        3 09:00 s1: order step {"text":"more"}"#,
        expect![[r#"
            0 09:00 open: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}}
                anomaly → s1 s2
                [anomaly]
            1 09:00 s1 to:anomaly: "Perhaps."
                decision-unclear → s1
            2 09:00 s1 to:anomaly: "NO/They answered by telephone."
                closed dismissed → m1 s1 s2
                office/task-taken → s2
                [closed]
            3 09:00 s1: order step {"text":"more"}
                refused at the keyboard: not-done over
        "#]],
    );
    check(
        r#"0 09:00 open: decertification {"organisation": "o1", "anomaly": {"sign": "complaint"}}
        1 09:00 s1: order investigate
        2 09:00 s1 to:investigation: "CLOSE: a mistake""#,
        expect![[r#"
            0 09:00 open: decertification {"organisation": "o1", "anomaly": {"sign": "complaint"}}
                anomaly → s1 s2
                [anomaly]
            1 09:00 s1: order investigate
                investigation new → s1
                office/task-taken → s2
                [investigation]
            2 09:00 s1 to:investigation: "CLOSE: a mistake"
                closed dismissed → m1 s1 s2
                [closed]
        "#]],
    );
}

#[test]
fn who_was_decertified_is_in_the_register_by_dates_alone_and_may_apply_again() {
    let end = "31 10:00 votes: 10 5\n36 09:00 clock: passes";
    let mut world = played(Policies::default(), &format!("{PROPOSED}\n{end}"));
    assert_eq!(world.matter().phase, "notified");
    let decided = world.records[0]["at"].as_str().expect("a moment").parse().expect("a moment");
    let one = world.register.organisation(OrganisationId(1)).expect("it stays known").clone();
    assert_eq!((one.until, one.prime, one.representatives.len()), (Some(decided), None, 0));
    assert!(world.register.speaker(Party::Organisation(OrganisationId(1))).is_none());
    let before = decided - Duration::seconds(1);
    for person in [PersonId(41), PersonId(43)] {
        let roles = &world.register.person(person).expect("she stays known").roles;
        assert!(roles.iter().all(|held| held.until == Some(decided)), "{roles:?}");
        let member = |at| is_member(&world.register, person, Region::Africa, at);
        assert!(!member(decided), "{person} speaks for it no more");
        assert!(roles[0].holds_at(before), "and did until then");
    }
    world.transcript.clear();
    world.play(
        r#"37 09:00 open by s1: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}}
        38 09:00 open by s1: accreditation {"from": "p41", "language": "fr"}"#,
    );
    expect![[r#"
        37 09:00 open by s1: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}}
            refused at the keyboard: not-done not-accredited
            [refused]
        38 09:00 open by s1: accreditation {"from": "p41", "language": "fr"}
            form/whole → r1
            [drafting]
    "#]]
    .assert_eq(&world.transcript);
}

#[test]
fn the_public_record_holds_the_decision_and_nothing_that_was_said() {
    let said = "10 10:00 r1 to:notice: \"Our secretary fell ill, call +221 33 123 45 67.\"";
    let end = "31 10:00 votes: 10 5\n36 09:00 r1 to:decision: \"review\"";
    let world = played(Policies::default(), &format!("{PROPOSED}\n{said}\n{end}"));
    assert_eq!(world.records.len(), 2, "once decided, and once a review is asked for");
    let newest = serde_json::to_string_pretty(&world.records[1]).expect("JSON");
    expect![[r#"
        {
          "at": "2027-01-05T09:00:02Z",
          "case": 1,
          "country": "SN",
          "name": "Open Net",
          "organisation": 1,
          "ralo": "AFRALO",
          "review_requested": true,
          "status": "decertified",
          "tally": "ballots/c2.json"
        }"#]]
    .assert_eq(&newest);
}
