//! Who may propose, on what, and what must never be a ground.

use crate::decertification_rig::{check, check_after, played};
use atlarged::workflows::Policies;
use atlarged::workflows::decertification::Capacity;
use expect_test::expect;

/// Staff have investigated and found one failure; those entitled may propose until day 33.
const FOUND: &str = r#"0 09:00 open by s1: decertification {"organisation": "o1", "anomaly": {"sign": "report-overdue"}}
    1 09:00 s1 to:anomaly: YES
    2 09:00 s1 to:investigation: "1 FAILED: 2024-05-31 none came"
    3 09:00 s1 to:investigation: "FINISHED""#;

#[test]
fn those_entitled_propose_and_nobody_else() {
    check_after(
        FOUND,
        r#"4 09:00 r1 to:question: "PROPOSE"
        4 10:00 s1 to:investigation: "PROPOSE/1 FAILED: 2026-05-31"
        4 11:00 sec2 to:findings: "PROPOSE/1 FAILED: 2026-05-31"
        4 12:00 r1 for:m3 to:findings: "PROPOSE/1 FAILED: 2026-05-31"
        4 13:00 m3 forged to:findings: "PROPOSE/1 FAILED: 2026-05-31"
        4 14:00 m3 sure to:findings: "PROPOSE/1 FAILED: 2026-05-31""#,
        expect![[r#"
            4 09:00 r1 to:question: "PROPOSE"
                answer → s1 s2
                thanks answer → r1
            4 10:00 s1 to:investigation: "PROPOSE/1 FAILED: 2026-05-31"
                not-done propose → s1
            4 11:00 sec2 to:findings: "PROPOSE/1 FAILED: 2026-05-31"
                not-done propose → sec2
            4 12:00 r1 for:m3 to:findings: "PROPOSE/1 FAILED: 2026-05-31"
                not-done propose → r1
            4 13:00 m3 forged to:findings: "PROPOSE/1 FAILED: 2026-05-31"
                unsure → m3
            4 14:00 m3 sure to:findings: "PROPOSE/1 FAILED: 2026-05-31"
                proposed → all s1 s2
                notice → r1 r3
                [proposed]
                [hearing]
        "#]],
    );
    check_after(
        FOUND,
        r#"4 09:00 sec to:findings: "PROPOSE/1 FAILED: 2026-05-31""#,
        expect![[r#"
        4 09:00 sec to:findings: "PROPOSE/1 FAILED: 2026-05-31"
            proposed → all sec s1 s2
            notice → r1 r3
            [proposed]
            [hearing]
    "#]],
    );
    check_after(
        FOUND,
        r#"4 09:00 chair to:findings: "PROPOSE/1 FAILED: 2026-05-31"
        5 09:00 sec to:findings: "PROPOSE""#,
        expect![[r#"
            4 09:00 chair to:findings: "PROPOSE/1 FAILED: 2026-05-31"
                proposed → all s1 s2
                notice → r1 r3
                [proposed]
                [hearing]
            5 09:00 sec to:findings: "PROPOSE"
                thanks joined → sec
        "#]],
    );
    check_after(
        FOUND,
        r#"4 09:00 s1: order propose
        4 10:00 s1: order propose {"on_behalf":"p42"}
        4 11:00 m5: order propose {"on_behalf":"p3"}
        4 12:00 s1: order propose {"on_behalf":"o1"}
        4 13:00 s1: order propose {"on_behalf":"p3","exception":"It has dissolved."}"#,
        expect![[r#"
            4 09:00 s1: order propose
                refused at the keyboard: not-done propose
            4 10:00 s1: order propose {"on_behalf":"p42"}
                refused at the keyboard: not-done propose
            4 11:00 m5: order propose {"on_behalf":"p3"}
                refused at the keyboard: not-done order
            4 12:00 s1: order propose {"on_behalf":"o1"}
                refused at the keyboard: unreadable o1 is no person; write it like p9
            4 13:00 s1: order propose {"on_behalf":"p3","exception":"It has dissolved."}
                proposed → all s1 s2
                notice → r1 r3
                [proposed]
                [hearing]
        "#]],
    );
}

#[test]
fn a_proposal_needs_several_dated_failures_or_a_reason_why_not() {
    check_after(
        FOUND,
        r#"4 09:00 m3 to:findings: "PROPOSE"
        4 10:00 m3 to:findings: "PROPOSE/1 FAILED: 2024-05-31 the same day"
        4 11:00 m3 to:findings: "PROPOSE/1 FAILED: in May"
        4 12:00 m3 to:findings: "PROPOSE/1 FAILED: 2027-05-31 to come"
        4 13:00 m3 to:findings: "PROPOSE/EXCEPTION: the group has dissolved""#,
        expect![[r#"
            4 09:00 m3 to:findings: "PROPOSE"
                proposal-not-taken failures → m3
            4 10:00 m3 to:findings: "PROPOSE/1 FAILED: 2024-05-31 the same day"
                proposal-not-taken failures → m3
            4 11:00 m3 to:findings: "PROPOSE/1 FAILED: in May"
                proposal-not-taken unclear → m3
            4 12:00 m3 to:findings: "PROPOSE/1 FAILED: 2027-05-31 to come"
                not-done failure-ahead → m3
            4 13:00 m3 to:findings: "PROPOSE/EXCEPTION: the group has dissolved"
                proposed → all s1 s2
                notice → r1 r3
                [proposed]
                [hearing]
        "#]],
    );
    check_after(
        FOUND,
        r#"4 10:00 m3 to:findings: "PROPOSE/1 FAILED: 2026-05-31 so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long "
        4 11:00 m3 to:findings: "PROPOSE/1 FAILED: 2026-05-31/why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why ""#,
        expect![[r#"
            4 10:00 m3 to:findings: "PROPOSE/1 FAILED: 2026-05-31 so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long so long "
                not-done note-long → m3
            4 11:00 m3 to:findings: "PROPOSE/1 FAILED: 2026-05-31/why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why why "
                proposal-not-taken long → m3
        "#]],
    );
    check_after(
        FOUND,
        r#"4 09:00 m3 to:findings: "je propose/4 manquement : 2026-11-02 page hors ligne""#,
        expect![[r#"
            4 09:00 m3 to:findings: "je propose/4 manquement : 2026-11-02 page hors ligne"
                proposed → all s1 s2
                notice → r1 r3
                [proposed]
                [hearing]
        "#]],
    );
}

#[test]
fn participation_is_never_a_ground() {
    check_after(
        FOUND,
        r#"4 09:00 m3 to:findings: "PROPOSE/1 FAILED: 2026-05-31 they did not vote"
        4 10:00 m3 to:findings: "PROPOSE/1 FAILED: 2026-05-31/They did not participate in any call."
        4 11:00 m3 to:findings: "PROPOSE/EXCEPTION: pas de participants actifs"
        4 12:00 s1: order propose {"on_behalf":"p3","exception":"Our RALO requires attendance."}"#,
        expect![[r#"
            4 09:00 m3 to:findings: "PROPOSE/1 FAILED: 2026-05-31 they did not vote"
                not-a-ground not-voting → m3
            4 10:00 m3 to:findings: "PROPOSE/1 FAILED: 2026-05-31/They did not participate in any call."
                not-a-ground no-activities → m3
            4 11:00 m3 to:findings: "PROPOSE/EXCEPTION: pas de participants actifs"
                not-a-ground no-participants → m3
            4 12:00 s1: order propose {"on_behalf":"p3","exception":"Our RALO requires attendance."}
                refused at the keyboard: not-a-ground regional-rule
        "#]],
    );
    check(
        r#"0 09:00 open by m3: decertification {"organisation": "o1", "proposal": {"failures": [{"requirement": "not-voting", "date": "2026-05-31"}]}}"#,
        expect![[r#"
            0 09:00 open by m3: decertification {"organisation": "o1", "proposal": {"failures": [{"requirement": "not-voting", "date": "2026-05-31"}]}}
                refused at the keyboard: not-a-ground not-voting
                [refused]
        "#]],
    );
    check(
        r#"1 09:00 open by s1: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}}
        2 09:00 s1: order investigate
        3 09:00 s1: order failure {"requirement":"no-activities","date":"2026-05-31"}
        4 09:00 s1 to:investigation: "2 FAILED: 2026-05-31 never took part"
        5 09:00 s1: order failure {"requirement":"laziness","date":"2026-05-31"}"#,
        expect![[r#"
            1 09:00 open by s1: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}}
                anomaly → s1 s2
                [anomaly]
            2 09:00 s1: order investigate
                investigation new → s1
                office/task-taken → s2
                [investigation]
            3 09:00 s1: order failure {"requirement":"no-activities","date":"2026-05-31"}
                refused at the keyboard: not-a-ground no-activities
            4 09:00 s1 to:investigation: "2 FAILED: 2026-05-31 never took part"
                not-a-ground no-activities → s1
            5 09:00 s1: order failure {"requirement":"laziness","date":"2026-05-31"}
                refused at the keyboard: unreadable "laziness" is no requirement; write one of report, representatives, distribution, web, public-contact, self-supporting, region, leadership, members
        "#]],
    );
}

#[test]
fn what_a_region_cites_without_right_is_recorded_and_binds_nobody() {
    check_after(
        FOUND,
        r#"4 09:00 sec to:findings: "PROPOSE/They have not voted in our region since 2022."
        5 09:00 sec to:findings: "PROPOSE/4 FAILED: 2026-11-02 page gone/They have not voted in our region since 2022.""#,
        expect![[r#"
            4 09:00 sec to:findings: "PROPOSE/They have not voted in our region since 2022."
                not-binding → m1 s1 s2 sec
            5 09:00 sec to:findings: "PROPOSE/4 FAILED: 2026-11-02 page gone/They have not voted in our region since 2022."
                proposed → all sec s1 s2
                notice → r1 r3
                not-binding → m1 s1 s2 sec
                [proposed]
                [hearing]
        "#]],
    );
    let script = r#"4 09:00 sec to:findings: "PROPOSE/4 FAILED: 2026-11-02 gone/They did not vote.""#;
    let world = played(Policies::default(), &format!("{FOUND}\n{script}"));
    let of =
        |template: &str| world.mails.iter().rfind(|row| row.template.ends_with(template)).expect("a mail");
    assert_eq!(of("/notice").data["reasons"], "", "the structure is not accused of it");
    assert_eq!(
        of("/proposed").data["remarks"][0]["what"],
        "not-voting",
        "the committee sees it for what it is"
    );
}

#[test]
fn who_may_propose_is_for_the_committee_to_say() {
    let mut policies = Policies::default();
    policies.decertification.proposers = vec![Capacity::Chair];
    let world =
        played(policies, &format!("{FOUND}\n4 09:00 m3 to:findings: \"PROPOSE/1 FAILED: 2026-05-31\""));
    assert_eq!(world.matter().phase, "investigated");
}

#[test]
fn an_opening_says_one_thing_about_one_structure() {
    check(
        r#"0 09:00 open by s1: decertification {"organisation": "o1"}
        0 09:01 open by s1: decertification {"organisation": "p3", "anomaly": {"sign": "silence"}}
        0 09:02 open by s1: decertification {"organisation": "o9", "anomaly": {"sign": "silence"}}
        0 09:03 open by m3: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}}
        0 09:04 open by s1: decertification {"organisation": "o1", "anomaly": {"sign": "no-votes"}}
        0 09:05 open by s1: decertification {"organisation": "o1", "proposal": {"exception": "gone"}}
        0 09:06 open: decertification {"organisation": "o1", "proposal": {"exception": "gone"}}
        0 09:07 open: decertification {"organisation": "o1", "leaving": {"statement": "gone"}}
        0 09:08 open by s1: decertification {"organisation": "o1", "contacts": ["p999"], "anomaly": {"sign": "silence"}}
        0 09:09 open by sec: decertification {"organisation": "o1", "proposal": {"exception": "they did not vote"}}
        0 09:10 open by s1: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}, "leaving": {"statement": "x"}}"#,
        expect![[r#"
            0 09:00 open by s1: decertification {"organisation": "o1"}
                refused at the keyboard: unreadable write one of [anomaly], [proposal], [leaving]
                [refused]
            0 09:01 open by s1: decertification {"organisation": "p3", "anomaly": {"sign": "silence"}}
                refused at the keyboard: unreadable p3 is no organisation; write it like o3
                [refused]
            0 09:02 open by s1: decertification {"organisation": "o9", "anomaly": {"sign": "silence"}}
                refused at the keyboard: unreadable o9 is no At-Large Structure in the register
                [refused]
            0 09:03 open by m3: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}}
                refused at the keyboard: not-done order
                [refused]
            0 09:04 open by s1: decertification {"organisation": "o1", "anomaly": {"sign": "no-votes"}}
                refused at the keyboard: unreadable unknown variant `no-votes`, expected one of `report-overdue`, `bounces`, `silence`, `no-web-reference`, `representatives`, `distribution`, `complaint`
                [refused]
            0 09:05 open by s1: decertification {"organisation": "o1", "proposal": {"exception": "gone"}}
                refused at the keyboard: not-done propose
                [refused]
            0 09:06 open: decertification {"organisation": "o1", "proposal": {"exception": "gone"}}
                refused at the keyboard: not-done propose
                [refused]
            0 09:07 open: decertification {"organisation": "o1", "leaving": {"statement": "gone"}}
                refused at the keyboard: not-done order
                [refused]
            0 09:08 open by s1: decertification {"organisation": "o1", "contacts": ["p999"], "anomaly": {"sign": "silence"}}
                refused at the keyboard: unreadable p999 is nobody in the register
                [refused]
            0 09:09 open by sec: decertification {"organisation": "o1", "proposal": {"exception": "they did not vote"}}
                refused at the keyboard: not-done nothing-binding
                [refused]
            0 09:10 open by s1: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}, "leaving": {"statement": "x"}}
                refused at the keyboard: unreadable write only one of [anomaly], [proposal], [leaving]
                [refused]
        "#]],
    );
}

#[test]
fn an_investigation_that_lies_is_reminded_of_and_told_and_decides_nothing() {
    check(
        r#"0 09:00 open: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}}
        22 09:00 s1: order investigate {"owner":"p102"}
        23 09:00 s1: order owner {"owner":"p3"}
        24 09:00 s1: order owner
        90 09:00 s1: order step {"text":"At last."}
        91 09:00 s1 to:investigation: "5 FAILED: soon"
        92 09:00 s2 to:answer: "hello"
        93 09:00 m3: order finish
        94 09:00 s1: order finish
        95 09:00 s1: order finish"#,
        expect![[r#"
            0 09:00 open: decertification {"organisation": "o1", "anomaly": {"sign": "silence"}}
                anomaly → s1 s2
                [anomaly]
            (3 09:00)
                anomaly (deputy) → s3
            (7 09:00)
                anomaly → s1 s2 s3
            (14 09:00)
                anomaly → m1 s1 s2 s3
            (21 09:00)
                anomaly → m1 s1 s2 s3
            22 09:00 s1: order investigate {"owner":"p102"}
                investigation new → s2
                office/task-taken → m1 s2 s3
                [investigation]
            23 09:00 s1: order owner {"owner":"p3"}
                refused at the keyboard: not-done owner
            24 09:00 s1: order owner
                investigation new → s1
            (45 09:00)
                investigation reminder → s1
            (52 09:00)
                investigation reminder (deputy) → s3
            (52 09:00)
                investigation overdue → s1 s3
                overdue → m1 s1 s2
            (59 09:00)
                investigation overdue → s1 s3
                overdue → m1 s1 s2
            (66 09:00)
                investigation overdue → s1 s3
                overdue → m1 s1 s2
            (73 09:00)
                investigation overdue → s1 s3
                overdue → m1 s1 s2
            (80 09:00)
                investigation overdue → s1 s3
                overdue → m1 s1 s2
            (87 09:00)
                investigation overdue → s1 s3
                overdue → m1 s1 s2
            90 09:00 s1: order step {"text":"At last."}
            91 09:00 s1 to:investigation: "5 FAILED: soon"
                noted unclear → s1
            92 09:00 s2 to:answer: "hello"
                noted none → s2
            93 09:00 m3: order finish
                refused at the keyboard: not-done order
            94 09:00 s1: order finish
                findings → all sec p32
                office/task-taken → s3
                [investigated]
            95 09:00 s1: order finish
                refused at the keyboard: unreadable a matter in phase investigated takes no order "finish"
        "#]],
    );
}
