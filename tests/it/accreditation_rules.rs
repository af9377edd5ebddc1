//! Rules of applications that no other story shows: what is compulsory, what is recorded, what stands still, and that
//! nothing moves what has begun.

use crate::accreditation_cast::APPLICANT;
use crate::accreditation_rig::{EXAMINED, World, check, check_after, played};
use crate::forms::RENDERER;
use crate::render::{parsed, recipient, send};
use atlarged::advance::OutboxRow;
use atlarged::kernel::language::Language;
use atlarged::workflows::Policies;
use expect_test::expect;
use serde_json::{Value, json};

/// Up to positive advice on day 23 at 10:00; the window runs until day 30.
const ADVISED: &str = "2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"";

fn after(script: &str) -> World {
    played(Policies::default(), script)
}

/// The first mail of a template.
fn mail<'a>(world: &'a World, template: &str) -> &'a OutboxRow {
    let found = world.mails.iter().find(|row| row.template == format!("accreditation/{template}"));
    found.unwrap_or_else(|| panic!("{template} was sent"))
}

fn file(world: &World) -> Value {
    world.application().state["running"]["file"].clone()
}

/// A mail's text as somebody of that language reads it.
fn text(row: &OutboxRow, language: Language) -> String {
    let mail = send(&RENDERER, row, &recipient(language)).expect("it renders");
    parsed(&mail).body_text(0).expect("a text part").replace("\r\n", " ").replace('\n', " ")
}

/// What a mail must say in each language.
fn check_text(row: &OutboxRow, phrases: [&str; 7]) {
    for (language, phrase) in Language::ALL.into_iter().zip(phrases) {
        let text = text(row, language);
        assert!(text.contains(phrase), "{language}: no {phrase:?} in {text}");
    }
}

#[test]
fn what_connects_the_group_with_icann_is_compulsory() {
    check(
        "0 09:00 open: a
        0 10:00 a to:form: FORM intersection=-
        0 11:00 a to:form: \"We teach what a domain name is.\"",
        expect![[r#"
            0 09:00 open: a
                form/whole → a
                [drafting]
            0 10:00 a to:form: FORM intersection=-
                form/missing → a
            0 11:00 a to:form: "We teach what a domain name is."
                form/receipt → a
                received → a
                diligence → s1 s2
                [due-diligence]
        "#]],
    );
}

#[test]
fn staff_are_told_when_a_group_of_that_name_is_in_the_register() {
    let known = |name: &str| {
        let world = after(&format!("0 09:00 open: a\n0 10:00 a to:form: FORM name={name}"));
        mail(&world, "diligence").data["known"].clone()
    };
    assert_eq!(known("Open Net"), json!(false));
    assert_eq!(known("O1"), json!(true));
    assert_eq!(known("  o1 "), json!(true), "however it is written");
}

#[test]
fn whoever_was_refused_may_apply_again_at_once() {
    check_after(
        &format!(
            "{EXAMINED}\n{ADVISED}\n24 10:00 m7 to:window: \"REQUEST VOTE\"\n25 10:00 majority: YES
            30 09:00 clock: passes"
        ),
        "30 10:00 open: a again
        30 11:00 a to:form: FORM
        30 12:00 a to:decision: \"REVIEW\"",
        expect![[r#"
            30 10:00 open: a again
                form/whole → a
                [drafting]
            30 11:00 a to:form: FORM
                form/receipt → a
                received → a
                diligence → s1 s2
                [due-diligence]
            30 12:00 a to:decision: "REVIEW"
                progress review-requested → a
                review-task VOTE_B_OVERTURNED → m1 s1 s2
                [review-requested]
        "#]],
    );
}

#[test]
fn hardly_more_members_than_representatives_is_a_warning_and_nothing_more() {
    let few = |members: &str| {
        let begun = EXAMINED.replace("FORM", &format!("FORM members={members}"));
        let world = after(&format!("{begun}\n2 09:00 clock: passes"));
        assert_eq!(world.application().phase, "regional-review", "{members} members stop nothing");
        ["diligence", "dossier", "invitation"].map(|template| mail(&world, template).data["few"].clone())
    };
    assert_eq!(few("2"), [json!(true), json!(true), json!(true)]);
    assert_eq!(few("3"), [json!(true), json!(true), json!(true)], "two representatives and a leader");
    assert_eq!(few("4"), [json!(false), json!(false), json!(false)]);
}

#[test]
fn of_the_check_who_the_members_are_the_reviewers_get_the_conclusion() {
    let script = EXAMINED.replace("1 MET/2", "F: forty names held against the list, all live there/1 MET/2");
    let world = after(&script);
    let checks = json!([{ "task": "f", "conclusion": "forty names held against the list, all live there" }]);
    for template in ["invitation", "dossier"] {
        assert_eq!(mail(&world, template).data["checks"], checks, "{template}");
    }
    assert_eq!(file(&world)["diligence"]["tasks"]["f"], checks[0]["conclusion"]);
}

#[test]
fn the_secretariat_is_warned_that_its_reasons_outlive_the_comments() {
    let world = after(&format!("{EXAMINED}\n22 10:00 clock: passes"));
    check_text(
        mail(&world, "advice"),
        [
            "The reasons stay when the comments are destroyed and can be published: please let nobody be recognised",
            "Les raisons restent quand les commentaires sont détruits et peuvent être publiées",
            "Los motivos quedan cuando los comentarios se destruyen y se pueden publicar",
            "As razões ficam quando os comentários são destruídos e podem ser publicadas",
            "Объяснение останется, когда комментарии будут уничтожены, и может быть опубликовано",
            "评论销毁之后，理由仍会保留，并且可能公布",
            "تبقى الأسباب بعد إتلاف التعليقات، وقد تُنشر",
        ],
    );
}

#[test]
fn a_setting_allows_a_divided_region_to_give_no_advice() {
    let after = |allowed| {
        let mut policies = Policies::default();
        policies.accreditation.allow_no_advice_with_comments = allowed;
        let script = format!("{EXAMINED}\n2 09:00 comments: 4\n23 10:00 sec to:advice: \"NO ADVICE\"");
        played(policies, &script).application().phase.clone()
    };
    assert_eq!(after(false), "advice-due");
    assert_eq!(after(true), "voting");
}

#[test]
fn the_window_begins_when_the_advice_has_left_to_the_last_member() {
    let script = format!(
        "{EXAMINED}\n2 09:00 comments: 1\n23 09:00 post: stops\n23 10:00 sec to:advice: \"ACCREDIT\"
        24 10:00 post: leaves to m3"
    );
    assert_eq!(after(&script).application().phase, "telling", "fourteen members have not been told");
    let world = after(&format!("{script}\n25 12:00 post: goes on"));
    let window = &world.application().state["running"]["stage"]["window"];
    assert_eq!(window["given"], "2026-12-26T12:00:00Z", "day 25, when the last one left");
    assert_eq!(window["timer"]["due"], "2027-01-02T12:00:00Z", "seven days later");
}

#[test]
fn a_change_of_the_number_of_days_moves_no_window_that_runs() {
    let mut world = after(&format!("{EXAMINED}\n{ADVISED}"));
    world.policies.accreditation.window_days = 14;
    world.play("29 09:00 clock: passes");
    assert_eq!(world.application().phase, "window");
    world.play("30 11:00 clock: passes");
    assert_eq!(world.application().phase, "notified", "seven days, as it began");
    let mut world = after(&format!("{EXAMINED}\n2 09:00 comments: 1"));
    world.policies.accreditation.window_days = 14;
    world.play("23 10:00 sec to:advice: \"ACCREDIT\"\n36 09:00 clock: passes");
    assert_eq!(world.application().phase, "window", "one that begins later has the new number");
}

#[test]
fn a_request_for_a_vote_cannot_be_taken_back() {
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 1"),
        "5 10:00 m4 to:dossier: \"REQUEST VOTE\"
        6 10:00 m4 to:vote-requested: WITHDRAW
        7 10:00 m5 to:dossier: WITHDRAW
        23 10:00 sec to:advice: \"ACCREDIT\"",
        expect![[r#"
            5 10:00 m4 to:dossier: "REQUEST VOTE"
                vote-requested advised → all
            6 10:00 m4 to:vote-requested: WITHDRAW
                not-done vote-stays → m4
            7 10:00 m5 to:dossier: WITHDRAW
                not-done nothing-to-do → m5
            (19 09:00)
                review-reminder → r1 r2
            (22 09:00)
                advice → sec
                [advice-due]
            23 10:00 sec to:advice: "ACCREDIT"
                window requested → all
                advice-taken → sec
                [telling]
                progress vote-opened → a
                opens a ballot: Shall the advice of the region in respect of accreditation of Open Net be overturned?
                  YES: The region’s advice is overturned. Open Net is not accredited.
                  NO: The region’s advice stands. Open Net is accredited as an At-Large Structure.
                [voting]
                ballot/ballot → all
                [open]
        "#]],
    );
}

#[test]
fn the_welcome_says_all_that_a_new_structure_must_know() {
    let world = after(&format!("{EXAMINED}\n{ADVISED}\n31 09:00 clock: passes"));
    let welcome = mail(&world, "welcome");
    for language in Language::ALL {
        let text = text(welcome, language);
        for told in ["Amina Diallo", "bo@open-net.example", "info@open-net.example", "open-net.example"] {
            assert!(text.contains(told), "{language}: no {told} in {text}");
        }
    }
    let shown: Vec<&str> = welcome.data["answers"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["label"]["en"].as_str())
        .collect();
    assert_eq!(
        shown,
        ["Web page", "Public contact", "Our updates", "Languages of updates", "Representatives"],
        "the representatives, the contact, how updates come and in which languages"
    );
    check_text(
        welcome,
        [
            "the first representative of the application is its prime contact",
            "le premier représentant indiqué dans la candidature est le contact principal",
            "la primera persona que figura como representante en la solicitud es el contacto principal",
            "a primeira pessoa indicada como representante na candidatura é o contato principal",
            "первый представитель, названный в заявлении, — её основное контактное лицо",
            "申请中的第一位代表是首席联系人",
            "أول ممثل مذكور في الطلب هو جهة الاتصال الرئيسية",
        ],
    );
    check_text(
        welcome,
        [
            "usually one a month",
            "une par mois en général",
            "por lo general una al mes",
            "em geral uma por mês",
            "обычно раз в месяц",
            "简讯通常每月一次",
            "مرة في الشهر عادةً",
        ],
    );
}

#[test]
fn a_decision_by_silence_bears_the_end_of_the_window_however_late_it_is_seen() {
    // The mailbox could not be read for three days: what had arrived by then is read first.
    let world = after(&format!(
        "{EXAMINED}\n{ADVISED}\n33 09:00 m8 to:window arrived:30/09:00: \"Thank you\"\n34 09:00 clock: passes"
    ));
    let decided = &world.application().state["decided"];
    assert_eq!(decided["at"], "2026-12-31T10:00:00Z", "day 30 at 10:00");
    assert_eq!(decided["notified"], "2027-01-03T09:00:00Z", "day 33 at 09:00");
    assert_eq!(mail(&world, "accredited").data["at"], "2026-12-31T10:00:00Z");
}

#[test]
fn a_vote_that_is_run_again_does_not_stop_the_ninety_days() {
    let world = after(&format!("{EXAMINED}\n23 10:00 sec to:advice: \"NO ADVICE\"\n62 09:00 clock: passes"));
    assert!(world.transcript.contains("ballot/rerun → all"), "it was run again");
    let warned = mail(&world, "clock-warning");
    let received = mail(&world, "received");
    assert_eq!(warned.data["clock_due"], received.data["clock_due"]);
    assert_eq!((warned.data["used"].as_i64(), warned.data["left"].as_i64()), (Some(60), Some(30)));
}

#[test]
fn staff_enter_a_request_for_somebody_entitled_and_both_are_named() {
    let world = after(&format!(
        "{EXAMINED}\n23 09:00 clock: passes
        23 10:00 s1: order suspend {{\"ground\":\"secretariat\",\"on_behalf\":\"p30\",\"information\":\"The statutes.\",\"why\":\"They matter.\"}}"
    ));
    let suspension = &file(&world)["suspensions"][0];
    assert_eq!((&suspension["by"], &suspension["entered_by"]), (&json!(["p30"]), &json!(101)));
    let world = after(&format!("{EXAMINED}\n5 10:00 s2: order request-vote {{\"on_behalf\":\"p6\"}}"));
    let request = &file(&world)["requests"][0];
    assert_eq!((&request["by"], &request["entered_by"]), (&json!(6), &json!(102)));
    let world = after(&format!("{EXAMINED}\n5 10:00 s2: order suspend {{\"ground\":\"applicant\"}}"));
    let suspension = &file(&world)["suspensions"][0];
    assert_eq!((&suspension["by"], &suspension["entered_by"]), (&json!([APPLICANT]), &json!(102)));
}

#[test]
fn information_that_is_not_enough_leads_to_a_new_suspension_with_a_new_notice() {
    check_after(
        &format!("{EXAMINED}\n23 09:00 clock: passes"),
        "23 10:00 sec to:advice: \"SUSPEND/The statutes.//They matter.\"
        26 10:00 a to:suspension: \"Here are some pages.\"
        27 10:00 sec to:information: \"SUSPEND/The last two pages of them.//The rules of voting are there.\"
        30 10:00 a to:suspension: \"Here they are.\"",
        expect![[r#"
            23 10:00 sec to:advice: "SUSPEND/The statutes.//They matter."
                suspended They matter. → a
                suspended-told They matter. → all sec s1 s2
                [suspended]
            (25 09:00)
                advice (deputy) → p32
            26 10:00 a to:suspension: "Here are some pages."
                information → sec s1 s2
                progress information → a
                progress lifted → a
                lifted-told → all sec s1 s2
                [advice-due]
            27 10:00 sec to:information: "SUSPEND/The last two pages of them.//The rules of voting are there."
                suspended → a
                suspended-told → all sec s1 s2
                [suspended]
            30 10:00 a to:suspension: "Here they are."
                information → sec s1 s2
                progress information → a
                progress lifted → a
                lifted-told → all sec s1 s2
                [advice-due]
        "#]],
    );
}

#[test]
fn due_diligence_stands_still_while_suspended() {
    check(
        "0 09:00 open: a
        0 10:00 a to:form: FORM
        1 09:00 a to:received: SUSPEND
        2 09:00 s1 to:diligence: \"1 MET\"
        2 10:00 s1 to:diligence: \"1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED\"
        11 09:00 a to:suspension: RESUME
        32 09:00 clock: passes",
        expect![[r#"
            0 09:00 open: a
                form/whole → a
                [drafting]
            0 10:00 a to:form: FORM
                form/receipt → a
                received → a
                diligence → s1 s2
                [due-diligence]
            1 09:00 a to:received: SUSPEND
                suspended-own  → a
                suspended-told  → m1 sec s1 s2
                [suspended]
            2 09:00 s1 to:diligence: "1 MET"
                diligence-noted none → s1
            2 10:00 s1 to:diligence: "1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED"
                diligence-noted open → s1
            (3 10:00)
                diligence (deputy) → s3
            11 09:00 a to:suspension: RESUME
                progress lifted → a
                lifted-told → m1 sec s1 s2
                [due-diligence]
            (31 10:00)
                diligence → s1 s2 s3
            32 09:00 clock: passes
        "#]],
    );
}

#[test]
fn comments_can_be_read_while_suspended_and_not_after_the_decision() {
    check_after(
        &format!("{EXAMINED}\n2 09:00 comments: 2\n3 10:00 a to:progress: SUSPEND"),
        "4 10:00 m3: reads
        4 11:00 r1: reads
        4 12:00 s1: reads
        4 13:00 x1: reads
        40 10:00 a to:suspension: RESUME
        70 10:00 sec to:advice: \"ACCREDIT\"
        80 09:00 clock: passes
        80 10:00 m3: reads
        80 11:00 s1: reads",
        expect![[r#"
            4 10:00 m3: reads
                comment/list → m3
            4 11:00 r1: reads
                comment/list → r1
            4 12:00 s1: reads
                comment/list → s1
            4 13:00 x1: reads
                comment/not-yours → x1
            (33 10:00)
                suspended-own  → a
            40 10:00 a to:suspension: RESUME
                progress lifted → a
                lifted-told → all sec r1 r2 s1 s2
                [regional-review]
            (56 09:00)
                review-reminder → r1 r2
            (59 09:00)
                advice → sec
                [advice-due]
            (62 09:00)
                advice (deputy) → p32
            (66 09:00)
                advice → sec p32
                advice-overdue → m1 s1 s2
            (69 09:00)
                advice-overdue (deputy) → s3
            70 10:00 sec to:advice: "ACCREDIT"
                window accredited → all
                advice-taken → sec
                office/task-taken → p32
                [telling]
                [window]
            (75 10:00)
                window-reminder accredited → all
            (77 10:00)
                accredited CONSENT → a
                decided CONSENT → all sec s1 s2
                welcome → o4
                release CONSENT → s1 s2
                in the register: p104 Amina Diallo
                in the register: p105 Bo Chen
                in the register: o4 Open Net
                comments are destroyed
                [decided]
                [notified]
            80 09:00 clock: passes
            80 10:00 m3: reads
                comment/gone → m3
            (80 10:00)
                release CONSENT (deputy) → s3
            80 11:00 s1: reads
                comment/gone → s1
        "#]],
    );
}
