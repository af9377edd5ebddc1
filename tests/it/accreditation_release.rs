//! What becomes public of an application, and through whom: nothing without a person, nothing that is personal or
//! confidential; a page for a structure without one; the month of its report.

use crate::accreditation_rig::{EXAMINED, World, check_after, played};
use atlarged::kernel::workflow::Class;
use atlarged::workflows::Policies;
use expect_test::expect;
use serde_json::json;

/// Accredited by silence on day 30 at 10:00.
const ACCREDITED: &str = "2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"\n30 11:00 clock: passes";

fn after(script: &str) -> World {
    played(Policies::default(), script)
}

#[test]
fn a_decision_is_public_once_a_person_has_released_it() {
    check_after(
        &format!("{EXAMINED}\n{ACCREDITED}"),
        "31 09:00 r1 for:s1 to:release: \"PUBLISH\"
        31 09:10 s1 forged to:release: \"PUBLISH\"
        31 09:20 s1 to:release: \"Thank you\"
        31 09:30 s2 to:release: \"PUBLISH\"
        31 09:40 s1 to:release: \"PUBLISH\"
        31 09:50 s1 to:release: \"PUBLISH: ask p1@a.example\"
        31 10:00 s1 to:release: \"publier : le nom du pays était faux\"
        31 10:10 m3: order release {\"reason\":\"I like it\"}
        31 10:20 s1: order release
        31 10:30 s1: order release {\"reason\":\"once more\"}",
        expect![[r#"
            31 09:00 r1 for:s1 to:release: "PUBLISH"
                not-done decided-already → r1
            31 09:10 s1 forged to:release: "PUBLISH"
                unsure → s1
            31 09:20 s1 to:release: "Thank you"
                not-done release-unclear → s1
            31 09:30 s2 to:release: "PUBLISH"
                released CONSENT → s2
                office/task-taken → s1
                published: "accredited", "CONSENT"
            31 09:40 s1 to:release: "PUBLISH"
                not-done release-why → s1
            31 09:50 s1 to:release: "PUBLISH: ask p1@a.example"
                not-done release-personal → s1
            31 10:00 s1 to:release: "publier : le nom du pays était faux"
                released CONSENT → s1
                published: "accredited", "CONSENT"
            31 10:10 m3: order release {"reason":"I like it"}
                refused at the keyboard: accreditation/not-done order
            31 10:20 s1: order release
                refused at the keyboard: accreditation/not-done release-why
            31 10:30 s1: order release {"reason":"once more"}
                published: "accredited", "CONSENT"
        "#]],
    );
    let world = after(&format!("{EXAMINED}\n{ACCREDITED}\n40 09:00 clock: passes"));
    assert!(world.records.is_empty(), "nobody released it: {:?}", world.records);
    let script = format!(
        "{EXAMINED}\n{ACCREDITED}\n31 09:00 s2 to:release: \"PUBLISH\"
        32 09:00 s1 to:release: \"PUBLISH: the country was wrong\""
    );
    let world = after(&script);
    let versions = world.records.iter().map(|record| &record["decision"]["versions"]);
    let dated = [
        json!([{ "at": "2027-01-01T09:00:00Z" }]),
        json!([
            { "at": "2027-01-01T09:00:00Z" },
            { "at": "2027-01-02T09:00:00Z", "reason": "the country was wrong" }
        ]),
    ];
    assert_eq!(versions.collect::<Vec<_>>(), dated.iter().collect::<Vec<_>>());
    let kept = &world.application().state["decided"]["versions"];
    assert_eq!(
        (&kept[0]["by"], &kept[1]["by"]),
        (&json!(102), &json!(101)),
        "who released it is known to us"
    );
}

#[test]
fn what_has_been_released_does_not_change_by_itself() {
    check_after(
        &format!(
            "{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\"\n24 10:00 everybody: NO\n29 09:00 clock: passes
            29 10:00 s1 to:release: \"PUBLISH\""
        ),
        "31 11:00 a to:decision: \"REVIEW\"
        31 12:00 s1 to:release: \"PUBLISH\"
        31 13:00 s1 to:release: \"PUBLISH: a review was asked for\"",
        expect![[r#"
            31 11:00 a to:decision: "REVIEW"
                progress review-requested → a
                review-task VOTE_A → m1 s1 s2
                release VOTE_A → s1 s2
                [review-requested]
            31 12:00 s1 to:release: "PUBLISH"
                not-done release-why → s1
            31 13:00 s1 to:release: "PUBLISH: a review was asked for"
                released VOTE_A → s1
                office/task-taken → s2
                published: "refused", "VOTE_A"
        "#]],
    );
}

#[test]
fn staff_can_keep_an_answer_back_before_and_after() {
    let before = format!("{EXAMINED}\n{ACCREDITED}\n31 09:00 s1: order withhold {{\"field\":\"goals\"}}");
    let world = after(&format!("{before}\n31 10:00 s1 to:release: \"PUBLISH\""));
    let record = world.records.last().expect("it is published");
    assert_eq!(record["content"]["withheld"], json!(["goals"]));
    assert_eq!(record["content"]["goals"], json!(null));
    assert_ne!(record["content"]["structure"], json!(null));
    check_after(
        &format!("{EXAMINED}\n{ACCREDITED}\n31 10:00 s1 to:release: \"PUBLISH\""),
        "32 09:00 s1: order withhold {\"field\":\"funding\",\"reason\":\"x\"}
        32 09:10 s1: order withhold {\"field\":\"goals\"}
        32 09:20 m2: order withhold {\"field\":\"goals\",\"reason\":\"x\"}
        32 09:30 s1: order withhold {\"field\":\"goals\",\"reason\":\"it names a member\"}
        32 09:40 s1: order withhold {\"field\":\"goals\",\"reason\":\"again\"}",
        expect![[r#"
            32 09:00 s1: order withhold {"field":"funding","reason":"x"}
                refused at the keyboard: accreditation/unreadable "funding" is no answer that is public; look at the names in the record
            32 09:10 s1: order withhold {"field":"goals"}
                refused at the keyboard: accreditation/not-done release-why
            32 09:20 m2: order withhold {"field":"goals","reason":"x"}
                refused at the keyboard: accreditation/not-done order
            32 09:30 s1: order withhold {"field":"goals","reason":"it names a member"}
                published: "accredited", "CONSENT"
            32 09:40 s1: order withhold {"field":"goals","reason":"again"}
                refused at the keyboard: accreditation/unreadable "goals" is no answer that is public; look at the names in the record
        "#]],
    );
}

/// A word that stands in everything that is personal or confidential, and nowhere else.
const CANARY: &str = "canary";

/// An application with the canary in every answer that is not public, in what staff and the Secretariat wrote, in a
/// suspension, and in free texts with addresses; on every route to the public.
fn with_canaries() -> World {
    let form = "FORM submitter=Canary One, canary@a.example;leaders=Canary Two;funding=canary gifts;\
                updates-address=canary@list.example;references=Canary Three, canary3@a.example;\
                representatives=Canary Four, canary4@a.example + Canary Five, canary5@a.example;\
                goals=Write to canary@a.example;discussion=Call canary at +221 33 123 45 67";
    after(&format!(
        "0 09:00 open: a
        0 10:00 a to:form: {form}
        0 11:00 s1 to:diligence: \"PUBLISH\"
        1 09:00 s1 to:diligence: \"1 MET: canary/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/A: canary/ASK: canary?\"
        1 10:00 a to:question: \"The canary sings.\"
        1 11:00 s1 to:diligence: \"FINISHED\"
        2 09:00 comments: 2
        3 09:00 m3 to:dossier: \"SUSPEND/The canary.//The canary matters.\"
        4 09:00 m4 to:wanted: \"SUSPEND\"
        5 09:00 a to:suspension: \"Here is the canary.\"
        30 10:00 sec to:advice: \"ACCREDIT/The canary of the region.\"
        38 09:00 clock: passes
        38 10:00 s1 to:release: \"PUBLISH\"
        38 11:00 s1: order page
        38 12:00 s1 to:page: \"PUBLISH\""
    ))
}

#[test]
fn nothing_personal_or_confidential_can_reach_the_public() {
    let world = with_canaries();
    assert_eq!(world.application().phase, "notified");
    assert_eq!(world.records.last().expect("a record")["status"], "accredited");
    assert!(world.records.len() >= 4, "released, suspended, resumed, decided: {}", world.records.len());
    assert_eq!(world.pages.len(), 1);
    for record in &world.records {
        let text = record.to_string().to_lowercase();
        assert!(!text.contains(CANARY), "{text}");
    }
    let page = world.pages[0].body.as_str().expect("a text").to_lowercase();
    assert!(!page.contains(CANARY), "{page}");
    assert!(
        page.contains("open net") && page.contains("info@open-net.example"),
        "the public contact is there"
    );
    // The same canaries are where they belong.
    let seen = |template: &str| {
        let found = world.mails.iter().find(|row| row.template == format!("accreditation/{template}"));
        found.is_some_and(|row| row.data.to_string().to_lowercase().contains(CANARY))
    };
    for template in ["diligence", "invitation", "dossier", "window", "suspended"] {
        assert!(seen(template), "{template} shows what its readers need");
    }
    assert!(!seen("release") && !seen("page-task"), "staff see what everybody will see");
}

#[test]
fn no_mail_that_everybody_may_read_holds_what_is_personal_or_confidential() {
    let world = with_canaries();
    let public: Vec<_> = world.mails.iter().filter(|row| row.class == Class::Public).collect();
    assert!(public.iter().any(|row| row.template == "accreditation/decided"));
    for row in public {
        let text = row.data.to_string().to_lowercase();
        assert!(!text.contains(CANARY), "{}: {text}", row.template);
    }
}

#[test]
fn a_structure_without_a_page_gets_one_from_what_is_public() {
    let begun = EXAMINED.replace("FORM", "FORM web=none");
    check_after(
        &format!(
            "{begun}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"\n30 09:00 clock: passes"
        ),
        "30 11:00 clock: passes
        31 09:00 r1 for:s1 to:page: \"PUBLISH\"
        31 09:10 s1 to:page: \"Nice\"
        31 09:20 s1 to:page: \"PUBLISH\"
        32 09:00 rep for:o4 to:page-own: \"We teach in three towns. Call +221 33 123 45 67\"
        32 09:10 rep for:o4 to:page-own: \"We teach <b>in three towns.\"
        32 09:20 r1 for:o4 to:page-own: \"I too.\"
        33 09:00 s2 to:page: \"PUBLISH\"
        34 09:00 rep2 for:o4 to:page-own: \"We are the best.\"
        35 09:00 s2: order no-page",
        expect![[r#"
            (30 10:00)
                accredited CONSENT → a
                decided CONSENT → all sec s1 s2
                welcome → o4
                release CONSENT → s1 s2
                page-task → s1 s2
                in the register: p104 Amina Diallo
                in the register: p105 Bo Chen
                in the register: o4 Open Net
                comments are destroyed
                [decided]
                [notified]
            30 11:00 clock: passes
            31 09:00 r1 for:s1 to:page: "PUBLISH"
                not-done decided-already → r1
            31 09:10 s1 to:page: "Nice"
                not-done release-unclear → s1
            31 09:20 s1 to:page: "PUBLISH"
                page → o4
                office/task-taken → s2
                published: structures/o4.html
            32 09:00 rep for:o4 to:page-own: "We teach in three towns. Call +221 33 123 45 67"
                not-done page-personal → o4
            32 09:10 rep for:o4 to:page-own: "We teach <b>in three towns."
                page-task → s1 s2
                progress information → p104
            32 09:20 r1 for:o4 to:page-own: "I too."
                not-done decided-already → r1
            33 09:00 s2 to:page: "PUBLISH"
                page → o4
                office/task-taken → s1
                published: structures/o4.html
            (33 10:00)
                release CONSENT (deputy) → s3
            34 09:00 rep2 for:o4 to:page-own: "We are the best."
                page-task → s1 s2
                progress information → p105
            35 09:00 s2: order no-page
                office/task-taken → s1
        "#]],
    );
    let world = after(&format!(
        "{begun}\n{ACCREDITED}\n31 09:20 s1 to:page: \"PUBLISH\"
        32 09:10 rep for:o4 to:page-own: \"We teach <b>in three towns.\"\n33 09:00 s2 to:page: \"PUBLISH\""
    ));
    let [first, second] = world.pages.as_slice() else { panic!("two versions: {}", world.pages.len()) };
    assert_eq!((first.path.as_str(), second.path.as_str()), ("structures/o4.html", "structures/o4.html"));
    let first = first.body.as_str().expect("a text");
    for word in ["<h1>Open Net</h1>", "ICANN", "At-Large", "AFRALO", "Objectifs", "Goals", "lang=\"fr\""] {
        assert!(first.contains(word), "{word} in {first}");
    }
    let second = second.body.as_str().expect("a text");
    assert!(second.contains("We teach &lt;b&gt;in three towns.") && !first.contains("three towns"));
    let versions = &world.application().state["decided"]["page"]["versions"];
    assert_eq!(versions.as_array().map(Vec::len), Some(2), "the first text is kept");
}

#[test]
fn a_page_that_dies_later_is_replaced_and_where_there_is_one_none_is_made() {
    let world = after(&format!("{EXAMINED}\n{ACCREDITED}"));
    assert!(!world.mails.iter().any(|row| row.template == "accreditation/page-task"));
    check_after(
        &format!("{EXAMINED}\n{ACCREDITED}"),
        "50 09:00 s1: order publish-page
        50 09:10 s1: order page
        50 09:20 s1: order publish-page",
        expect![[r#"
            (33 10:00)
                release CONSENT (deputy) → s3
            50 09:00 s1: order publish-page
                refused at the keyboard: accreditation/not-done page-none
            50 09:10 s1: order page
                page-task → s1 s2
            50 09:20 s1: order publish-page
                page → o4
                office/task-taken → s2
                published: structures/o4.html
        "#]],
    );
    check_after(
        &format!(
            "{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\"\n24 10:00 everybody: NO\n29 09:00 clock: passes"
        ),
        "50 09:10 s1: order page",
        expect![[r#"
            (31 10:00)
                release VOTE_A (deputy) → s3
            50 09:10 s1: order page
                refused at the keyboard: accreditation/not-done page-none
        "#]],
    );
}

#[test]
fn what_a_new_structure_answers_to_its_welcome_reaches_staff() {
    check_after(
        &format!("{EXAMINED}\n{ACCREDITED}"),
        "31 09:00 rep for:o4 to:welcome: \"Please take Cy instead of Bo.\"
        31 09:10 r1 for:o4 to:welcome: \"Please take me.\"
        31 09:20 rep to:progress: \"And thank you for all.\"",
        expect![[r#"
            31 09:00 rep for:o4 to:welcome: "Please take Cy instead of Bo."
                information → s1 s2
                progress information → p104
            31 09:10 r1 for:o4 to:welcome: "Please take me."
                not-done decided-already → r1
            31 09:20 rep to:progress: "And thank you for all."
                not-done decided-already → p104
        "#]],
    );
}

#[test]
fn the_first_report_is_set_and_told_and_stays() {
    let world = after(&format!("{EXAMINED}\n{ACCREDITED}"));
    let decided = &world.application().state["decided"];
    assert_eq!(decided["first_report"], "2028-12-01", "within 24 months, the longest time there is");
    let welcome = world.mails.iter().find(|row| row.template == "accreditation/welcome").expect("a welcome");
    assert_eq!(welcome.data["report"], json!(["2028-12-01"]));
    let structure = world.register.organisations().last().expect("a structure");
    let slot = structure.report.expect("a month of its own");
    assert_eq!(slot.next("2026-12-31T10:00:00Z".parse().expect("a time")).to_string(), "2028-12-01");
}

#[test]
fn the_same_organisation_twice_is_shown_to_staff_and_refused_by_no_machine() {
    let world = after(&format!(
        "{EXAMINED}\n{ACCREDITED}\n40 09:00 open: a again\n40 10:00 a to:form: FORM
        41 09:00 s1 to:diligence: \"1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED\"
        63 10:00 sec to:advice: \"NO ADVICE\"\n64 10:00 majority: YES\n70 09:00 clock: passes"
    ));
    let known = |template: &str| {
        let rows = world.mails.iter().filter(|row| row.template == format!("accreditation/{template}"));
        let mut known: Vec<bool> = rows.filter_map(|row| row.data["known"].as_bool()).collect();
        known.dedup();
        known
    };
    assert_eq!(known("diligence"), [false, true], "before they examine it");
    assert_eq!(known("release"), [false, true], "and before they publish the decision");
    let named: Vec<_> = world.register.organisations().filter(|one| one.name == "Open Net").collect();
    assert_eq!(named.len(), 2, "whether they are one is for people to say");
    assert_eq!(named[0].representatives, named[1].representatives, "people are known once");
    assert_ne!(named[0].report, named[1].report, "each has a month of its own");
}
