//! The first steps of an application, its end before a decision, and what follows a decision.

use crate::accreditation_rig::{EXAMINED, check, check_after, played};
use atlarged::kernel::language::Language;
use atlarged::letters::acts::{Act, line};
use atlarged::workflows::Policies;
use expect_test::expect;
use serde_json::Value;

#[test]
fn a_form_is_filled_in_over_several_mails_and_counts_from_the_last() {
    check(
        "0 09:00 open: a
        1 10:00 a to:form: FORM goals=-
        3 11:00 a to:form: \"Safe access for all.\"",
        expect![[r#"
            0 09:00 open: a
                form/whole → a
                [drafting]
            1 10:00 a to:form: FORM goals=-
                form/missing → a
            3 11:00 a to:form: "Safe access for all."
                form/receipt → a
                received → a
                diligence → s1 s2
                [due-diligence]
        "#]],
    );
    let script =
        "0 09:00 open: a\n1 10:00 a to:form: FORM goals=-\n3 11:00 a to:form: \"Safe access for all.\"";
    let file = played(Policies::default(), script).application().state["running"]["file"].clone();
    assert_eq!(file["received"], "2026-12-04T11:00:00Z");
    assert_eq!(file["first_contact"], "2026-12-01T09:00:00Z");
}

#[test]
fn without_certification_and_the_leaders_nothing_is_complete() {
    check(
        "0 09:00 open: a
        1 10:00 a to:form: FORM certifies=No;leaders-know=No
        1 11:00 a to:form: FORM certifies=Yes;leaders-know=No
        1 12:00 a to:form: YES",
        expect![[r#"
            0 09:00 open: a
                form/whole → a
                [drafting]
            1 10:00 a to:form: FORM certifies=No;leaders-know=No
                attest → a
            1 11:00 a to:form: FORM certifies=Yes;leaders-know=No
                attest → a
            1 12:00 a to:form: YES
                form/receipt → a
                received → a
                diligence → s1 s2
                [due-diligence]
        "#]],
    );
}

#[test]
fn a_form_nobody_completes_is_closed() {
    check(
        "0 09:00 open: a
        5 09:00 r1 for:a to:form: FORM
        100 09:00 clock: passes
        101 09:00 a to:form: FORM",
        expect![[r#"
            0 09:00 open: a
                form/whole → a
                [drafting]
            5 09:00 r1 for:a to:form: FORM
                not-done not-yours → r1
            (7 09:00)
                form/whole → a
            (30 09:00)
                form/whole → a
            (90 09:00)
                withdrawn lapsed → a
                comments are destroyed
                [withdrawn]
            100 09:00 clock: passes
            101 09:00 a to:form: FORM
                not-done over → a
        "#]],
    );
}

#[test]
fn staff_record_ask_and_finish_by_replying() {
    check(
        "0 09:00 open: a
        0 10:00 a to:form: FORM
        1 09:00 s1 to:diligence: \"Thank you\"
        1 09:10 s1 to:diligence: \"3 MET: funded by its members/A: two references, both good/ASK: How many members/live in Senegal?\"
        1 09:20 a to:question: \"One hundred and ninety.\"
        1 09:30 r1 for:s1 to:diligence: \"FINISHED\"
        1 09:40 s2 to:information: \"1 MET/2 MET/FINISHED\"
        1 09:50 s1: order criterion {\"number\":\"4\",\"result\":\"not-met\",\"note\":\"No page.\"}
        1 10:00 s2 to:diligence: \"1 rempli/2 满足/5 cumple/6 atendido/7 неясно/8 مستوفى/9 met/PUBLISH/terminé\"",
        expect![[r#"
            0 09:00 open: a
                form/whole → a
                [drafting]
            0 10:00 a to:form: FORM
                form/receipt → a
                received → a
                diligence → s1 s2
                [due-diligence]
            1 09:00 s1 to:diligence: "Thank you"
                diligence-noted unclear → s1
            1 09:10 s1 to:diligence: "3 MET: funded by its members/A: two references, both good/ASK: How many members/live in Senegal?"
                question → a
                diligence-noted none → s1
            1 09:20 a to:question: "One hundred and ninety."
                information → s1 s2
                progress information → a
            1 09:30 r1 for:s1 to:diligence: "FINISHED"
                unsure → r1
            1 09:40 s2 to:information: "1 MET/2 MET/FINISHED"
                diligence-noted open → s2
            1 09:50 s1: order criterion {"number":"4","result":"not-met","note":"No page."}
            1 10:00 s2 to:diligence: "1 rempli/2 满足/5 cumple/6 atendido/7 неясно/8 مستوفى/9 met/PUBLISH/terminé"
                invitation → r1 r2
                dossier → all
                progress in-review → a
                office/task-taken → s1
                published: "due-diligence"
                [regional-review]
        "#]],
    );
}

#[test]
fn every_word_a_mail_prints_is_understood() {
    let acts = [
        ("accredit", Act::Accredit),
        ("not_accredit", Act::NotAccredit),
        ("no_advice", Act::NoAdvice),
        ("elsewhere", Act::Elsewhere),
        ("request_vote", Act::RequestVote),
        ("met", Act::Met),
        ("not_met", Act::NotMet),
        ("unclear", Act::Unclear),
        ("ask", Act::Ask),
        ("finish", Act::Finish),
        ("review", Act::Review),
        ("release", Act::Release),
        ("propose", Act::Propose),
        ("failed", Act::Failed),
        ("exception", Act::Exception),
        ("leave", Act::Leave),
        ("non_public", Act::NonPublic),
        ("close", Act::Close),
    ];
    for language in Language::ALL {
        let path = format!("{}/templates/_words/{language}.toml", env!("CARGO_MANIFEST_DIR"));
        let words: toml::Table = std::fs::read_to_string(path).expect("words").parse().expect("TOML");
        for (name, act) in acts {
            let word = words["words"][name].as_str().expect("a word");
            for written in [word.to_owned(), word.to_lowercase(), format!("{word}.")] {
                assert_eq!(line(&written).map(|line| line.act), Some(act), "{written} in {language}");
            }
            let noted = format!("3. {word}: a note");
            assert_eq!(line(&noted).map(|line| (line.act, line.note)), Some((act, "a note")), "{noted}");
        }
    }
}

#[test]
fn due_diligence_that_is_late_is_reminded_of() {
    check(
        "0 09:00 open: a
        0 10:00 a to:form: FORM
        37 09:00 clock: passes",
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
            37 09:00 clock: passes
        "#]],
    );
}

#[test]
fn a_country_of_no_region_needs_the_eye_of_staff() {
    check(
        "0 09:00 open: a
        0 10:00 a to:form: FORM country=Antarctica
        1 09:00 s1 to:diligence: \"1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED\"
        1 09:10 s1: order region {\"region\":\"europe\"}
        1 09:20 s1 to:diligence: \"1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED\"",
        expect![[r#"
            0 09:00 open: a
                form/whole → a
                [drafting]
            0 10:00 a to:form: FORM country=Antarctica
                form/receipt → a
                received → a
                diligence → s1 s2
                [due-diligence]
            1 09:00 s1 to:diligence: "1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED"
                diligence-noted open → s1
            1 09:10 s1: order region {"region":"europe"}
            1 09:20 s1 to:diligence: "1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED"
                invitation → x1
                dossier → all
                progress in-review → a
                office/task-taken → s2
                [regional-review]
        "#]],
    );
}

#[test]
fn the_applicant_can_withdraw_until_it_is_decided() {
    check_after(
        EXAMINED,
        "5 10:00 a to:progress: WITHDRAW\n6 10:00 a to:progress: \"Please go on\"",
        expect![[r#"
            5 10:00 a to:progress: WITHDRAW
                withdrawn withdrawn → a
                withdrawn-told withdrawn → all sec s1 s2
                comments are destroyed
                [withdrawn]
            6 10:00 a to:progress: "Please go on"
                not-done over → a
        "#]],
    );
    check_after(
        EXAMINED,
        "5 10:00 a forged to:progress: WITHDRAW
        5 11:00 a to:confirm: \"What is this?\"
        5 12:00 a to:confirm: CONFIRM",
        expect![[r#"
            5 10:00 a forged to:progress: WITHDRAW
                confirm withdraw → a
            5 11:00 a to:confirm: "What is this?"
                confirm withdraw → a
            5 12:00 a to:confirm: CONFIRM
                withdrawn withdrawn → a
                withdrawn-told withdrawn → all sec s1 s2
                comments are destroyed
                [withdrawn]
        "#]],
    );
    check_after(
        &format!("{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\""),
        "25 10:00 a to:progress: WITHDRAW",
        expect![[r#"
            25 10:00 a to:progress: WITHDRAW
                withdrawn withdrawn → a
                withdrawn-told withdrawn → all sec s1 s2
                c2 is told: "end"
                comments are destroyed
                [withdrawn]
                ballot/ended → all
                [annulled]
        "#]],
    );
}

#[test]
fn a_ballot_that_is_annulled_is_held_again_only_when_somebody_says_so() {
    check_after(
        &format!("{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\""),
        "24 10:00 ballot by s1: order annul {\"reason\":\"a wrong name\"}
        24 11:00 s2 to:annulment: YES
        25 10:00 s1 to:vote-stuck: YES
        26 10:00 majority: YES
        31 09:00 clock: passes",
        expect![[r#"
            24 10:00 ballot by s1: order annul {"reason":"a wrong name"}
                ballot/annul-confirm → m1 s2 s3
            24 11:00 s2 to:annulment: YES
                ballot/annulled → all
                ballot/task-done → s2
                office/task-taken → m1 s3
                [annulled]
                vote-stuck annulled → m1 s1 s2
            25 10:00 s1 to:vote-stuck: YES
                progress vote-opened → a
                office/task-taken → m1 s2
                opens a ballot: Does the ALAC wish to accredit Open Net?
                  YES: Open Net is accredited as an At-Large Structure.
                  NO: Open Net is not accredited.
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
            31 09:00 clock: passes
        "#]],
    );
}

/// Refused on day 30 by a vote on the advice.
fn refused() -> String {
    format!(
        "{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"
        24 10:00 m7 to:window: \"REQUEST VOTE\"\n25 10:00 majority: YES\n30 09:00 clock: passes"
    )
}

#[test]
fn the_notice_of_a_refusal_leads_to_a_review() {
    check_after(
        &refused(),
        "31 10:00 a to:decision: \"Why?\"
        31 11:00 a to:decision: \"REVIEW\"
        31 12:00 a to:decision: \"REVIEW\"
        31 13:00 m3 to:decided: \"REQUEST VOTE\"
        32 10:00 s1 to:review: \"Handed to the Board.\"",
        expect![[r#"
            31 10:00 a to:decision: "Why?"
                not-done decided-already → a
            31 11:00 a to:decision: "REVIEW"
                progress review-requested → a
                review-task VOTE_B_OVERTURNED → m1 s1 s2
                [review-requested]
            31 12:00 a to:decision: "REVIEW"
                progress review-requested → a
            31 13:00 m3 to:decided: "REQUEST VOTE"
                not-done vote-late → m3
            32 10:00 s1 to:review: "Handed to the Board."
                office/task-taken → m1 s2
        "#]],
    );
}

#[test]
fn the_ninety_days_end_only_when_the_notice_has_reached_somebody() {
    check_after(
        &refused(),
        "31 10:00 bounce: decision
        32 10:00 s1 to:unreachable: \"I told them by telephone.\"",
        expect![[r#"
            31 10:00 bounce: decision
                refused VOTE_B_OVERTURNED → a
                [decided]
                [notified]
            32 10:00 s1 to:unreachable: "I told them by telephone."
        "#]],
    );
}

#[test]
fn the_public_record_shows_what_the_form_says_is_public_and_nothing_else() {
    let script =
        "0 09:00 open: a\n0 10:00 a to:form: FORM goals=Write to amina@open-net.example for our goals.
        1 09:00 s1 to:diligence: \"PUBLISH\"";
    let record = played(Policies::default(), script).records.pop().expect("it is published");
    let text = record.to_string();
    let secret =
        ["amina", "representatives", "submitter", "references", "leaders\"", "funding", "updates-address"];
    for word in secret {
        assert!(!text.contains(word), "{word} in {text}");
    }
    assert_eq!(record["content"]["withheld"], serde_json::json!(["goals"]));
    assert_eq!(record["content"]["goals"], Value::Null);
    assert_eq!(record["name"], "Open Net");
}

#[test]
fn an_accredited_structure_is_in_the_register_with_those_who_speak_for_it() {
    let script = format!(
        "{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"\n31 09:00 clock: passes"
    );
    let world = played(Policies::default(), &script);
    let structure = world.register.organisations().last().expect("a structure");
    assert_eq!((structure.name.as_str(), structure.country.as_str()), ("Open Net", "SN"));
    assert!(
        structure.representatives.len() >= 2 && structure.prime == structure.representatives.first().copied()
    );
    let references = &world.application().state["decided"]["file"]["talk"]["draft"]["references"];
    assert_eq!(*references, Value::Null, "what was kept until it was decided is gone");
}
