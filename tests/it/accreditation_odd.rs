//! What people really do with an application: answers in pieces, in two languages, twice, to the wrong address, too late;
//! each is answered precisely, and nothing is lost.

use crate::accreditation_rig::{EXAMINED, check, check_after, played};
use crate::daemon_rig::{BORDER, CLERK, Rig, t};
use crate::forms::RENDERER;
use crate::render::{parsed, recipient, send};
use atlarged::daemon::Daemon;
use atlarged::kernel::ids::{OrganisationId, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Organisation, OrganisationKind, Person, Region};
use atlarged::kernel::register::Change;
use atlarged::ports::store::{Confidential, Store};
use atlarged::workflows::Policies;
use expect_test::expect;
use serde_json::{Value, json};

#[test]
fn information_in_three_mails_ends_the_suspension_once_and_all_of_it_reaches_who_asked() {
    check_after(
        &format!("{EXAMINED}\n23 09:00 clock: passes"),
        "23 10:00 sec to:advice: \"SUSPEND/The statutes in three parts.//They matter.\"
        26 10:00 a to:suspension: \"Part one.\"
        26 10:05 a to:suspension: \"Part two.\"
        27 10:00 a to:suspension: \"Part three.\"
        27 10:10 a to:suspension: \"\"",
        expect![[r#"
            23 10:00 sec to:advice: "SUSPEND/The statutes in three parts.//They matter."
                suspended They matter. → a
                suspended-told They matter. → all sec s1 s2
                [suspended]
            (25 09:00)
                advice (deputy) → p32
            26 10:00 a to:suspension: "Part one."
                information → sec s1 s2
                progress information → a
                progress lifted → a
                lifted-told → all sec s1 s2
                [advice-due]
            26 10:05 a to:suspension: "Part two."
                information → sec s1 s2
                progress information → a
            27 10:00 a to:suspension: "Part three."
                information → sec s1 s2
                progress information → a
            27 10:10 a to:suspension: ""
                not-done empty → a
        "#]],
    );
    let script = format!(
        "{EXAMINED}\n23 09:00 clock: passes\n23 10:00 sec to:advice: \"SUSPEND/The statutes.//They matter.\"
        26 10:00 a to:suspension: \"Part one.\"\n26 10:05 a to:suspension: \"Part two.\""
    );
    let world = played(Policies::default(), &script);
    let told = world.mails.iter().filter(|row| row.template == "accreditation/information");
    let words: Vec<&str> = told.filter_map(|row| row.data["text"].as_str()).collect();
    assert_eq!(words.iter().filter(|text| **text == "Part two.").count(), 3, "to the Secretariat and staff");
    let suspension = &world.application().state["running"]["file"]["suspensions"][0];
    assert_eq!(suspension["lifted"], "2026-12-27T10:00:00Z", "the first mail ended it");
}

#[test]
fn of_two_advices_that_contradict_each_other_the_newest_counts_and_both_authors_know() {
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 2\n25 10:00 clock: passes"),
        "25 11:00 sec to:advice: \"ACCREDIT/We know them.\"
        25 11:05 ralo to:advice: \"NOT ACCREDIT/I do not.\"
        25 12:00 sec to:advice-replaced: \"What does this mean?\"
        25 12:05 sec to:advice-replaced: \"ACCREDIT/It is settled between us.\"",
        expect![[r#"
            25 11:00 sec to:advice: "ACCREDIT/We know them."
                window accredited → all
                advice-taken → sec
                office/task-taken → p32
                [telling]
                [window]
            25 11:05 ralo to:advice: "NOT ACCREDIT/I do not."
                advice-replaced → sec
                window held → all
                advice-taken → p32
                [telling]
                [window]
            25 12:00 sec to:advice-replaced: "What does this mean?"
                not-done nothing-to-do → sec
            25 12:05 sec to:advice-replaced: "ACCREDIT/It is settled between us."
                advice-replaced → p32
                window accredited → all
                advice-taken → sec
                [telling]
                [window]
        "#]],
    );
    let script = format!(
        "{EXAMINED}\n2 09:00 comments: 2\n25 10:00 clock: passes
        25 11:00 sec to:advice: \"ACCREDIT/We know them./Done: they answered us.\"
        25 11:05 ralo to:advice: \"NOT ACCREDIT\""
    );
    let world = played(Policies::default(), &script);
    let advice = &world.application().state["running"]["file"]["advice"];
    let kept: Vec<&Value> = [0, 1].iter().map(|n| &advice[*n as usize]["view"]).collect();
    assert_eq!(kept, [&json!("accredit"), &json!("not-accredit")], "the first one stays in the record");
    assert_eq!(advice[0]["reasons"], "We know them.\nDone: they answered us.", "and every line of it");
}

#[test]
fn an_application_in_two_languages_at_once_is_one_application() {
    let form = "FORM country=Sénégal;leaders-know=Oui;members=environ 200;region=Sí;self-supporting=是;\
                certifies=نعم;founded=5 марта 2012 г.;goals=Un accès sûr pour tous. Safe access for all.";
    let script = format!("0 09:00 open: a\n0 10:00 a to:form: {form}");
    let world = played(Policies::default(), &script);
    assert_eq!(world.application().phase, "due-diligence", "{}", world.transcript);
    check(
        "0 09:00 open: a
        0 10:00 a to:form: FORM goals=-;structure=-
        1 10:00 a to:form: \"Objectifs : Un accès sûr pour tous./Estructura: Votan todos los miembros.\"",
        expect![[r#"
            0 09:00 open: a
                form/whole → a
                [drafting]
            0 10:00 a to:form: FORM goals=-;structure=-
                form/missing → a
            1 10:00 a to:form: "Objectifs : Un accès sûr pour tous./Estructura: Votan todos los miembros."
                form/receipt → a
                received → a
                diligence → s1 s2
                [due-diligence]
        "#]],
    );
}

#[test]
fn a_withdrawal_while_a_ballot_is_open_ends_the_application_and_people_annul_the_ballot() {
    check_after(
        &format!(
            "{EXAMINED}\n2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"\n24 10:00 m7 to:window: \"REQUEST VOTE\""
        ),
        "25 09:00 m5 to:ask: YES
        25 10:00 a to:progress: WITHDRAW
        25 11:00 m6 to:ask: NO
        26 09:00 m3: reads
        26 10:00 a to:progress: \"Please go on.\"
        27 10:00 ballot by s1: order annul {\"reason\":\"the applicant withdrew\"}
        27 11:00 s2 to:annulment: YES
        27 12:00 m8 to:ask: YES
        40 09:00 clock: passes",
        expect![[r#"
            25 09:00 m5 to:ask: YES
                ballot/receipt → m5
            25 10:00 a to:progress: WITHDRAW
                withdrawn withdrawn → a
                withdrawn-told withdrawn → all sec s1 s2
                c2 is told: "freeze"
                comments are destroyed
                [withdrawn]
                ballot/frozen → all
                [frozen]
            25 11:00 m6 to:ask: NO
                ballot/receipt → m6
            26 09:00 m3: reads
                comment/gone → m3
            26 10:00 a to:progress: "Please go on."
                not-done over → a
            27 10:00 ballot by s1: order annul {"reason":"the applicant withdrew"}
                ballot/annul-confirm → m1 s2 s3
            27 11:00 s2 to:annulment: YES
                ballot/annulled → all
                ballot/task-done → s2
                office/task-taken → m1 s3
                [annulled]
            27 12:00 m8 to:ask: YES
                ballot/was-annulled → m8
            40 09:00 clock: passes
        "#]],
    );
    check_after(
        &format!("{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\""),
        "25 10:00 a forged to:progress: WITHDRAW
        25 11:00 m6 to:ask: NO
        25 12:00 a to:confirm: DECLINE",
        expect![[r#"
            25 10:00 a forged to:progress: WITHDRAW
                confirm withdraw → a
            25 11:00 m6 to:ask: NO
                ballot/receipt → m6
            25 12:00 a to:confirm: DECLINE
                kept → a
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
fn a_notice_that_comes_back_is_tried_at_the_addresses_of_the_form_and_then_is_a_task() {
    check_after(
        &refused(),
        "31 10:00 bounce: decision a #0
        31 11:00 bounce: decision a #0
        32 10:00 bounce: decision a #1
        33 10:00 bounce: decision a #2
        34 10:00 s1 to:unreachable: \"Told by telephone.\"",
        expect![[r#"
            31 10:00 bounce: decision a #0
                refused VOTE_B_OVERTURNED → a
                [decided]
                [notified]
            31 11:00 bounce: decision a #0
            32 10:00 bounce: decision a #1
                refused VOTE_B_OVERTURNED → a
                [decided]
                [notified]
            (32 10:00)
                release VOTE_B_OVERTURNED (deputy) → s3
            33 10:00 bounce: decision a #2
                unreachable → s1 s2
                [decided]
            34 10:00 s1 to:unreachable: "Told by telephone."
                office/task-taken → s2
                [notified]
        "#]],
    );
    let world = played(Policies::default(), &format!("{}\n31 10:00 bounce: decision", refused()));
    let notices: Vec<_> = world.mails.iter().filter(|row| row.label == "decision").collect();
    let [first, second] = notices.as_slice() else { panic!("{} notices", notices.len()) };
    assert_eq!(
        (first.address, first.data.get("_also_at")),
        (0, None),
        "at first the address she writes from"
    );
    let also = json!(["amina@open-net.example", "info@open-net.example"]);
    assert_eq!((second.address, second.data.get("_also_at")), (1, Some(&also)));
    assert_eq!(second.template, "accreditation/refused");
}

#[test]
fn the_notice_of_a_suspension_says_what_is_needed_and_that_it_is_suspended() {
    let script = format!(
        "{EXAMINED}\n23 09:00 clock: passes\n23 10:00 sec to:advice: \"SUSPEND/The statutes in force.//They decide.\""
    );
    let world = played(Policies::default(), &script);
    let row = world.mails.iter().find(|row| row.template == "accreditation/suspended").expect("a notice");
    let suspended = [
        "Your application is suspended until this information is received.",
        "Votre candidature est suspendue jusqu’à la réception de ces informations.",
        "Su solicitud queda suspendida hasta que se reciba esta información.",
        "A sua candidatura fica suspensa até que estas informações sejam recebidas.",
        "Рассмотрение вашего заявления приостановлено, пока эти сведения не получены.",
        "在收到这些信息之前，您的申请暂停办理。",
        "طلبك موقوف مؤقتًا إلى أن تُستلم هذه المعلومات.",
    ];
    for (language, sentence) in Language::ALL.into_iter().zip(suspended) {
        let mail = send(&RENDERER, row, &recipient(language)).expect("it renders");
        let text = parsed(&mail).body_text(0).expect("a text").replace("\r\n", " ").replace('\n', " ");
        for said in ["The statutes in force.", "They decide.", sentence] {
            assert!(text.contains(said), "{language}: no {said:?} in {text}");
        }
    }
}

#[test]
fn however_step_five_ends_nobody_reads_a_comment_and_the_count_stays() {
    let ended = |what: &str, script: &str| {
        let mut world = played(Policies::default(), &format!("{EXAMINED}\n2 09:00 comments: 3\n{script}"));
        world.transcript.clear();
        world.play("50 09:00 m3: reads\n50 09:10 s1: reads\n50 09:20 r1: reads\n50 09:30 sec: reads");
        assert_eq!(world.transcript.matches("comment/gone →").count(), 4, "{what}: {}", world.transcript);
        let row = world.application();
        let held = serde_json::to_value(&row.confidences).expect("confidences");
        assert_eq!((held["count"].as_u64(), held.get("comments")), (Some(3), None), "{what}");
    };
    let advice = "23 10:00 sec to:advice: \"ACCREDIT\"";
    ended("the window", &format!("{advice}\n31 09:00 clock: passes"));
    let vote = "24 10:00 m7 to:window: \"REQUEST VOTE\"\n25 10:00 majority: NO\n30 09:00 clock: passes";
    ended("a ballot", &format!("{advice}\n{vote}"));
    ended("a withdrawal", "5 10:00 a to:progress: WITHDRAW");
    ended("staff", "5 10:00 s1: order withdraw");
}

/// A mail submitted after login.
fn mail(number: u32, from: &str, to: &str, text: &str) -> String {
    let text = text.replace('\n', "\r\n");
    format!(
        "Authentication-Results: {BORDER}; auth=pass smtp.auth={from}\r\nFrom: {from}\r\nTo: {to}\r\n\
         Subject: An application\r\nMessage-ID: <{number}@e.example>\r\n\r\n{text}\r\n"
    )
}

#[tokio::test]
async fn who_applies_twice_is_told_of_the_first_and_loses_neither() {
    let mut rig = Rig::new().await;
    let day = 24 * 60;
    for (number, minutes) in [(1, 10), (2, 20), (3, 2 * day)] {
        rig.inbox.mails.push((t(minutes), mail(number, "eve@e.example", CLERK, "APPLY")));
        rig.turn(minutes).await;
    }
    let lines: Vec<Value> = rig
        .notices("office/transcript")
        .await
        .into_iter()
        .map(|row| row.row.data["lines"][0].clone())
        .collect();
    let outcomes: Vec<&str> = lines.iter().filter_map(|line| line["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["apply", "apply-again"], "a stranger is answered once a day");
    let first = rig.notices("form/whole").await.remove(0).row.id;
    assert_eq!(lines[1]["waits"][0]["notice"], json!(first), "she is told which mail to answer");
    let cases = rig.store().cases().await.expect("cases");
    let phases: Vec<&str> =
        cases.iter().filter(|case| case.kind == "accreditation").map(|case| case.phase.as_str()).collect();
    assert_eq!(phases, ["drafting", "drafting"]);
    // A member is answered each time.
    rig.inbox.mails.push((t(2 * day + 10), mail(4, "bob@b.example", CLERK, "APPLY")));
    rig.turn(2 * day + 10).await;
    rig.inbox.mails.push((t(2 * day + 20), mail(5, "bob@b.example", CLERK, "APPLY")));
    rig.turn(2 * day + 30).await;
    let outcome = |row: &atlarged::ports::store::NoticeRow| row.row.data["lines"][0]["outcome"].clone();
    let last: Vec<Value> = rig.notices("office/transcript").await.iter().rev().take(2).map(outcome).collect();
    assert_eq!(last, [json!("apply-again"), json!("apply")]);
}

#[tokio::test]
async fn comments_of_the_applicant_of_another_region_and_of_strangers_are_refused_and_nothing_is_kept() {
    let mut rig = Rig::new().await;
    rig.ballot().await;
    let version = rig.store().register().await.expect("a register").version;
    let person = Person {
        id: PersonId(8),
        name: "Xu".to_owned(),
        language: Language::En,
        zone: chrono_tz::UTC,
        addresses: vec!["xu@x.example".to_owned()],
        roles: Vec::new(),
    };
    let elsewhere = Organisation {
        id: OrganisationId(2),
        name: "Users of Lyon".into(),
        country: "FR".into(),
        region: Region::Europe,
        kind: OrganisationKind::Als,
        report: None,
        representatives: vec![PersonId(8)],
        prime: Some(PersonId(8)),
        until: None,
    };
    let changes = [crate::invited::structure(&[1]), Change::Person(person), Change::Organisation(elsewhere)];
    assert!(rig.store().change_register(version, &changes, "p3", t(1)).await.expect("a register"));
    let case = crate::invited::in_review(rig.store(), t(20)).await;
    rig.turn(20).await;
    rig.out.sent.clear();
    let to = rig.reply_address(crate::invited::invitation(rig.store(), case, 1).await);
    let from = ["eve@e.example", "xu@x.example", "who@w.example"];
    for (n, from) in from.into_iter().enumerate() {
        let number = u32::try_from(n).expect("few");
        rig.inbox.mails.push((t(100), mail(number, from, &to, "canary: they are very good")));
    }
    rig.turn(110).await;
    let held = rig.store().case(case).await.expect("the store").expect("a case");
    assert_eq!((held.confidences.count, held.state["running"]["file"]["comments"].as_u64()), (0, Some(0)));
    let all = format!(
        "{held:?}{:?}{:?}",
        rig.store().journal(None).await.expect("a journal"),
        rig.store().notices(None).await.expect("notices")
    );
    assert!(!all.contains("canary") && !all.contains("xu@"), "nothing of their mails is kept");
    let inputs = rig.inputs(case).await;
    for comment in inputs.iter().filter_map(|input| input.get("comment")) {
        let words =
            rig.store().sealed(comment["words"].as_str().expect("a handle")).await.expect("the store");
        assert!(words.is_none(), "nothing is sealed");
    }
    let mut answered: Vec<&str> = Vec::new();
    for sent in &rig.out.sent {
        assert!(!sent.contains("canary"), "{sent}");
        answered.extend(["ann@a.example", "xu@x.example"].iter().filter(|to| sent.contains(**to)));
    }
    assert!(answered.contains(&"xu@x.example"), "who is known is told that she is no member: {answered:?}");
    assert_eq!(rig.inbox.expunged.len(), 3, "and the mails are gone from the mailbox");
}

#[tokio::test]
async fn refusals_in_confidence_are_counted_over_a_restart_of_the_clerk() {
    let mut rig = Rig::new().await;
    rig.ballot().await;
    let version = rig.store().register().await.expect("a register").version;
    let changes = [crate::invited::structure(&[1])];
    assert!(rig.store().change_register(version, &changes, "p3", t(1)).await.expect("a register"));
    let case = crate::invited::in_review(rig.store(), t(20)).await;
    rig.turn(20).await;
    let to = rig.reply_address(crate::invited::invitation(rig.store(), case, 1).await);
    rig.out.sent.clear();
    let mut number = 0;
    let mut write = |rig: &mut Rig, times: u32, minutes: i64| {
        for _ in 0..times {
            number += 1;
            rig.inbox.mails.push((t(minutes), mail(number, "bob@b.example", &to, "I am of another region.")));
        }
    };
    write(&mut rig, 30, 100);
    rig.turn(101).await;
    assert_eq!(rig.out.sent.len(), 30);
    // Another process goes on, which knows nothing but the record and the keys.
    let memory = rig.daemon;
    rig.daemon = Daemon {
        store: memory.store,
        minter: memory.keys.minter(1),
        keys: memory.keys,
        renderer: memory.renderer,
        signer: None,
        policies: memory.policies,
        settings: memory.settings,
        resolver: None,
    };
    write(&mut rig, 30, 200);
    rig.turn(201).await;
    assert_eq!(rig.out.sent.len(), 40, "forty in a day, however often the clerk was started");
    let kept = rig.store().fact("refused-in-confidence").await.expect("the store").expect("a count");
    assert!(!kept.contains("p2") && !kept.contains("bob"), "{kept}");
    write(&mut rig, 1, 24 * 60 + 10);
    rig.turn(24 * 60 + 11).await;
    assert_eq!(rig.out.sent.len(), 41, "another day");
}
