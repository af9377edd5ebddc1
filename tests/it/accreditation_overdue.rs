//! Applications whose 90 days are over: who gets the list, what it says, and that nothing follows from it.

use crate::accreditation_cast::day_zero;
use crate::accreditation_rig::{EXAMINED, played};
use crate::daemon_rig::{BORDER, CLERK, Rig, t};
use crate::forms::{RENDERER, answers, application};
use crate::render::{recipient, row, send};
use atlarged::kernel::ids::PersonId;
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Person, Role, RoleHeld};
use atlarged::kernel::register::Change;
use atlarged::kernel::workflow::{Asks, Overdue};
use atlarged::ports::store::Store;
use atlarged::workflows::{Case, Kind, Policies};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

const DAY: i64 = 24 * 60;

/// What the list says of the application of a script at the beginning of a day.
fn listed(script: &str, day: i64) -> Option<Overdue> {
    let world = played(Policies::default(), script);
    let case = Case::load(Kind::Accreditation, &world.application().state).expect("a state");
    case.overdue(day_zero() + Duration::days(day), &world.policies)
}

#[test]
fn an_application_is_listed_with_its_days_why_and_when_it_would_end() {
    let check = |script: &str, day: i64, expected: Option<(i64, &str, i64)>| {
        let found = listed(script, day);
        let shown = found.as_ref().map(|one| (one.days, one.why, (one.end - day_zero()).num_days()));
        assert_eq!(shown, expected, "{script}");
    };
    let begun = "0 09:00 open: a\n0 10:00 a to:form: FORM";
    let voting = format!("{EXAMINED}\n80 10:00 sec to:advice: \"NO ADVICE\"\n94 09:00 clock: passes");
    check("0 09:00 open: a", 95, None);
    check(begun, 90, None);
    // Received on day 0, over with the end of day 90.
    check(begun, 91, Some((1, "due-diligence", 131)));
    check(&format!("{begun}\n94 09:00 clock: passes"), 95, Some((5, "due-diligence", 138)));
    check(&format!("{EXAMINED}\n94 09:00 clock: passes"), 95, Some((5, "advice-due", 111)));
    check(&voting, 95, Some((5, "voting", 95)));
    check(&format!("{begun}\n10 09:00 a to:received: SUSPEND"), 95, None);
    check(&format!("{begun}\n93 09:00 a to:received: SUSPEND"), 95, Some((3, "suspended", 138)));
    let held = "2 09:00 comments: 1\n80 10:00 sec to:advice: \"NOT ACCREDIT\"\n94 09:00 clock: passes";
    check(&format!("{EXAMINED}\n{held}"), 95, Some((5, "held", 100)));
    let unsent = "2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"\n24 09:00 post: stops\n31 09:00 clock: passes";
    check(&format!("{EXAMINED}\n{unsent}"), 95, Some((5, "decided", 95)));
    check(&format!("{EXAMINED}\n{unsent}\n32 09:00 post: goes on"), 95, None);
    check(&format!("{begun}\n94 09:00 a to:received: WITHDRAW"), 95, None);
}

#[test]
fn the_list_can_be_written_whatever_an_application_waits_for() {
    let stages = [
        "due-diligence",
        "regional-review",
        "advice-due",
        "telling",
        "window",
        "held",
        "voting",
        "suspended",
        "decided",
    ];
    for why in stages {
        let late = json!([{ "case": "c1", "title": "Open Net", "days": 3, "why": why, "end": "2027-03-03T00:00:00Z" }]);
        for language in Language::ALL {
            let row = row("office/overdue", json!({ "late": late }), Asks::Nothing);
            assert!(send(&RENDERER, &row, &recipient(language)).is_ok(), "{why} in {language}");
        }
    }
}

/// Eve's application, complete on day 0; the Chair, p9, is on the register.
async fn applied() -> Rig {
    let mut rig = Rig::new().await;
    let held = |role| RoleHeld {
        role,
        region: None,
        organisation: None,
        from: DateTime::<Utc>::UNIX_EPOCH,
        until: None,
    };
    let chair = Person {
        id: PersonId(9),
        name: "Cy".to_owned(),
        language: Language::Fr,
        zone: chrono_tz::UTC,
        addresses: vec!["cy@c.example".to_owned()],
        roles: vec![held(Role::AlacMember), held(Role::AlacChair)],
    };
    let version = rig.store().register().await.expect("a register").version;
    rig.store().change_register(version, &[Change::Person(chair)], "p3", t(0)).await.expect("a chair");
    let mail = |number: u32, to: &str, text: &str| {
        format!(
            "Authentication-Results: {BORDER}; auth=pass smtp.auth=eve@e.example\r\nFrom: eve@e.example\r\nTo: {to}\r\n\
             Subject: x\r\nMessage-ID: <{number}@e.example>\r\n\r\n{text}\r\n"
        )
    };
    rig.inbox.mails.push((t(10), mail(1, CLERK, "APPLY")));
    rig.turn(10).await;
    let form = application();
    let number = |id: &str| form.field(id).expect("a question").0;
    let filled: String =
        answers(Language::En).iter().map(|(id, answer, _)| format!("{}. {answer}\r\n", number(id))).collect();
    let form = rig.notices("form/whole").await.pop().expect("a form");
    let to = rig.reply_address(form.row.id);
    rig.inbox.mails.push((t(20), mail(2, &to, &filled)));
    rig.turn(20).await;
    rig
}

#[tokio::test]
async fn staff_and_the_chair_get_the_list_every_week_and_nothing_is_decided() {
    let mut rig = applied().await;
    let lists = |rows: Vec<atlarged::ports::store::NoticeRow>| {
        let line =
            |row: &atlarged::ports::store::NoticeRow| (row.row.to.to_string(), row.row.data["late"].clone());
        rows.iter().map(line).collect::<Vec<(String, Value)>>()
    };
    // Day 0 is a Tuesday; so is day 84. The Mondays after it are days 90 and 97.
    rig.daemon.digest(t(20)).await.expect("the first week is not told about");
    for day in [84, 90] {
        rig.daemon.digest(t(day * DAY + 480)).await.expect("a digest");
        rig.turn(day * DAY + 490).await;
    }
    assert_eq!(rig.notices("office/digest").await.len(), 2);
    assert_eq!(lists(rig.notices("office/overdue").await), [], "day 90 still counts");
    rig.daemon.digest(t(97 * DAY + 480)).await.expect("a digest");
    rig.daemon.digest(t(97 * DAY + 500)).await.expect("once a week");
    rig.turn(97 * DAY + 510).await;
    let found = lists(rig.notices("office/overdue").await);
    let to: Vec<&str> = found.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(to, ["p3", "p9"], "staff and the Chair");
    assert_eq!((&found[0].1[0]["days"], &found[0].1[0]["why"]), (&json!(7), &json!("due-diligence")));
    assert_eq!(found[0].1[0]["title"]["en"], "Application: Open Net");
    let cases = rig.store().cases().await.expect("cases");
    let phase = cases.iter().find(|case| case.kind == "accreditation").map(|case| case.phase.as_str());
    assert_eq!(phase, Some("due-diligence"), "the calendar decides nothing");
}
