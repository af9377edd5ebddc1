//! What never happens: no clock decertifies, no right ends before the decision, no decision goes out without how to have
//! it reviewed, nothing that was said becomes public, nothing of it is left out of a mail.

use crate::decertification_rig::played;
use crate::decertification_stories::{PROPOSED, voting};
use crate::forms::RENDERER;
use crate::render::{parsed, recipient, send};
use atlarged::advance::OutboxRow;
use atlarged::kernel::confidential::is_member;
use atlarged::kernel::ids::{OrganisationId, Party, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::Region;
use atlarged::kernel::workflow::Class;
use atlarged::workflows::Policies;

/// Whether o1 is what it was, and those who speak for it still do.
#[track_caller]
fn keeps_every_right(script: &str) {
    let world = played(Policies::default(), script);
    let one = world.register.organisation(OrganisationId(1)).expect("known");
    assert_eq!((one.until, one.representatives.len()), (None, 2), "{script}");
    let now = world.matter().opened_at;
    assert!(is_member(&world.register, PersonId(41), Region::Africa, now), "{script}");
    assert!(world.register.speaker(Party::Organisation(OrganisationId(1))).is_some(), "{script}");
    assert!(world.records.is_empty(), "nothing is published: {script}");
}

#[test]
fn no_sign_and_no_silence_decertifies_however_long_it_lasts() {
    let signs = [
        "report-overdue",
        "bounces",
        "silence",
        "no-web-reference",
        "representatives",
        "distribution",
        "complaint",
    ];
    for sign in signs {
        let opened = format!(
            r#"0 09:00 open: decertification {{"organisation": "o1", "anomaly": {{"sign": "{sign}"}}}}"#
        );
        keeps_every_right(&format!("{opened}\n500 09:00 clock: passes"));
        keeps_every_right(&format!("{opened}\n1 09:00 s1: order investigate\n500 09:00 clock: passes"));
    }
}

#[test]
fn a_proposal_on_which_nobody_votes_decertifies_nobody_by_time() {
    keeps_every_right(&format!("{PROPOSED}\n500 09:00 clock: passes"));
    keeps_every_right(&format!("{PROPOSED}\n1 09:00 r1 to:notice: \"No.\"\n500 09:00 clock: passes"));
    keeps_every_right(&format!("{PROPOSED}\n0 10:00 bounce: notice r3\n500 09:00 clock: passes"));
}

#[test]
fn until_the_decision_a_structure_keeps_every_right() {
    for script in [PROPOSED.to_owned(), format!("{PROPOSED}\n22 09:00 clock: passes"), voting()] {
        keeps_every_right(&script);
    }
}

#[test]
fn a_notice_of_a_decision_says_how_to_have_it_reviewed_in_every_language_and_either_way() {
    for notice in ["decertified", "retained"] {
        for language in Language::ALL {
            let folder = format!("{}/templates/decertification/{notice}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(format!("{folder}/{language}.hbs")).expect("a template");
            assert!(
                text.contains("{{citation}}") && text.contains("{{word \"review\"}}"),
                "{notice} {language}"
            );
        }
    }
}

#[test]
fn the_notice_that_anybody_may_read_holds_nothing_that_was_alleged_or_answered() {
    let world = played(
        Policies::default(),
        &format!("{PROPOSED}\n9 09:00 r1 to:notice: \"Ill.\"\n31 09:00 votes: 10 5\n36 09:00 clock: passes"),
    );
    let public: Vec<_> = world.mails.iter().filter(|row| row.class == Class::Public).collect();
    assert!(!public.is_empty());
    let allowed = ["organisation", "case", "country", "ralo", "decertified", "at", "ballot", "citation"];
    for row in public.iter().filter(|row| row.template.starts_with("decertification/")) {
        let data = row.data.as_object().expect("data");
        assert!(data.keys().all(|key| allowed.contains(&key.as_str())), "{:?}", data.keys());
    }
}

#[test]
fn each_structure_is_voted_on_by_itself() {
    let world = played(Policies::default(), &voting());
    let ballots = world.cases.values().filter(|case| case.kind == "ballot");
    let titles: Vec<&str> = ballots.map(|case| case.title.as_str()).collect();
    assert_eq!(titles, ["Shall Open Net be de-certified as an At-Large Structure?"]);
}

/// A text without its white space and marks of quotation: lines are broken where they are too long.
fn squash(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != ">").collect()
}

/// The text of a mail in every language.
fn written(row: &OutboxRow) -> Vec<String> {
    let text = |language| {
        let mail = send(&RENDERER, row, &recipient(language)).expect("it can be written");
        parsed(&mail).body_text(0).expect("a text").into_owned()
    };
    Language::ALL.map(text).into()
}

#[test]
fn of_what_is_alleged_nothing_is_left_out_in_any_language_or_script() {
    let failure = |n: usize| {
        let note = format!("{}{n}", "语".repeat(49));
        format!(r#"{{"requirement": "region", "date": "2026-05-{:02}", "note": "{note}"}}"#, n + 1)
    };
    let failures: Vec<String> = (0..8).map(failure).collect();
    let (reasons, exception) = (format!("{}终", "由".repeat(499)), format!("{}完", "例".repeat(199)));
    let script = format!(
        r#"0 09:00 open by m3: decertification {{"organisation": "o1", "proposal": {{"failures": [{}], "reasons": "{reasons}", "exception": "{exception}"}}}}
        15 09:00 clock: passes"#,
        failures.join(", ")
    );
    let world = played(Policies::default(), &script);
    for template in ["notice", "reminder", "proposed"] {
        let row = world.mails.iter().find(|row| row.template.ends_with(template)).expect("a mail");
        for text in written(row) {
            let text = squash(&text);
            for part in [reasons.as_str(), exception.as_str(), "语7"] {
                assert!(text.contains(part), "{template} lacks {part}: {text}");
            }
        }
    }
}

#[test]
fn of_an_answer_nothing_is_left_out_however_long_it_is() {
    let answer = "Наш ответ на то, что о нас сказано. ".repeat(400);
    let script = format!("{PROPOSED}\n9 09:00 r1 to:notice: \"{}\"", answer.trim());
    let world = played(Policies::default(), &script);
    let of_one = |row: &&OutboxRow| row.label.starts_with("response:") && row.to.to_string() == "p1";
    let parts: Vec<&OutboxRow> = world.mails.iter().filter(of_one).collect();
    assert!(parts.len() > 5, "{}", parts.len());
    let told: String = parts.iter().map(|row| row.data["text"].as_str().expect("a text")).collect();
    assert_eq!(squash(&told), squash(&answer));
    for row in parts {
        let part = squash(row.data["text"].as_str().expect("a text"));
        for text in written(row) {
            assert!(squash(&text).contains(&part), "part {} is cut", row.data["part"]);
        }
    }
}
