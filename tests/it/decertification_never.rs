//! What never happens: no clock decertifies, no right ends before the decision, no decision goes out without how to have
//! it reviewed, nothing that was said becomes public.

use crate::decertification_rig::played;
use crate::decertification_stories::{PROPOSED, voting};
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
