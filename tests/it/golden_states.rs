//! States that were stored must load for ever: one file a phase under golden/states/. A state of a new shape
//! gets a new file; an old file is never edited, its shape is migrated.

use crate::accreditation_rig::{EXAMINED, played};
use crate::decertification_rig;
use crate::decertification_stories::PROPOSED;
use crate::story::reach;
use atlarged::advance::CaseRow;
use atlarged::workflows::{Case, Kind, Policies};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// A script for each phase a ballot can be stored in.
const BALLOTS: [(&str, &str); 7] = [
    ("planned", "0 09:00 open: planned straight open child"),
    (
        "open",
        "0 09:00 open: straight open child\n1 10:00 m1: YES\n1 10:01 m2 forged: NO\n1 10:02 m3: RECUSE\n1 10:03 m4: WITHDRAW",
    ),
    ("frozen", "0 09:00 open: reversed open child\n1 09:00 parent: freeze"),
    (
        "awaiting-confirmation",
        "0 09:00 open: two-thirds non-public\n1 10:00 m2 forged: NO\n5 09:01 clock: ticks",
    ),
    (
        "escalated",
        "0 09:00 open: straight open\n5 09:01 clock: ticks\n8 09:02 clock: ticks\n13 09:03 clock: ticks\n16 09:04 clock: ticks",
    ),
    (
        "annulled",
        "0 09:00 open: straight open\n1 11:01 s1: order annul {\"reason\":\"wrong\"}\n1 11:04 s2 to:annulment: YES",
    ),
    (
        "closed",
        "0 09:00 open: straight open\n1 09:00 m1: YES\n1 09:00 m2: YES\n1 09:00 m3: YES\n1 09:00 m4: YES\n1 09:00 m5: YES\n1 09:00 m6: NO\n1 09:00 m7: NO\n1 09:00 s1: order record {\"voter\":\"p8\",\"choice\":\"no\",\"reference\":\"r\"}\n5 09:01 clock: ticks",
    ),
];

/// The same of an application, after due diligence where the script does not begin one.
const APPLICATIONS: [(&str, &str); 14] = [
    ("drafting", "0 09:00 open: a\n1 10:00 a to:form: FORM goals=-"),
    (
        "due-diligence",
        "0 09:00 open: a\n0 10:00 a to:form: FORM\n1 10:00 s1 to:diligence: \"1 MET: a note/A: good\"",
    ),
    ("regional-review", "2 09:00 comments: 1"),
    ("advice-due", "35 09:00 clock: passes"),
    ("telling", "2 09:00 comments: 1\n23 09:00 post: stops\n23 10:00 sec to:advice: \"ACCREDIT/Reasons.\""),
    (
        "window",
        "2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"\n24 10:00 m7 forged to:window: \"REQUEST VOTE\"",
    ),
    ("held", "2 09:00 comments: 1\n23 10:00 sec to:advice: \"NOT ACCREDIT\"\n31 09:00 clock: passes"),
    (
        "voting",
        "2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"\n24 10:00 m7 to:window: \"REQUEST VOTE\"",
    ),
    (
        "suspended",
        "2 10:00 a to:progress: SUSPEND\n3 10:00 m3 to:dossier: \"SUSPEND/The rules.//They matter.\"
        4 10:00 m4 to:wanted: \"SUSPEND\"\n5 10:00 m5 to:dossier: \"SUSPEND/More.//It matters.\"
        6 10:00 m6 to:dossier: \"REQUEST VOTE\"",
    ),
    (
        "decided",
        "2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"\n24 09:00 post: stops\n31 09:00 clock: passes",
    ),
    ("notified", "2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"\n31 09:00 clock: passes"),
    (
        "review-requested",
        "23 10:00 sec to:advice: \"NO ADVICE\"\n24 10:00 majority: NO\n29 09:00 clock: passes\n30 09:00 a to:decision: \"REVIEW\"",
    ),
    ("withdrawn", "2 10:00 a to:progress: WITHDRAW"),
    // Released, with something kept back, a page and words proposed for it.
    (
        "notified.released",
        "0 09:00 open: a\n0 10:00 a to:form: FORM web=none
        1 09:00 s1 to:diligence: \"1 MET/2 MET/3 MET/4 MET/5 MET/6 MET/7 MET/8 MET/9 MET/FINISHED\"
        2 09:00 comments: 1\n23 10:00 sec to:advice: \"ACCREDIT\"\n31 09:00 s1 to:release: \"PUBLISH\"
        32 09:00 s1: order withhold {\"field\":\"goals\",\"reason\":\"it names a member\"}
        33 09:00 s1 to:page: \"PUBLISH\"\n34 09:00 rep for:o4 to:page-own: \"We teach in three towns.\"",
    ),
];

/// The same of a decertification, after its proposal where the script does not begin one.
const DECERTIFICATIONS: [(&str, &str); 16] = [
    (
        "anomaly",
        r#"0 09:00 open: decertification {"organisation": "o1", "contacts": ["p51"], "anomaly": {"sign": "bounces", "note": "n"}}"#,
    ),
    (
        "investigation",
        "0 09:00 open: decertification {\"organisation\": \"o1\", \"anomaly\": {\"sign\": \"silence\"}}
        1 09:00 s1 to:anomaly: YES\n2 09:00 s1 to:investigation: \"A step./4 FAILED: 2026-05-31 no page\"",
    ),
    (
        "investigated",
        "0 09:00 open: decertification {\"organisation\": \"o1\", \"anomaly\": {\"sign\": \"silence\"}}
        1 09:00 s1 to:anomaly: YES\n2 09:00 s1 to:investigation: \"FINISHED\"
        3 09:00 sec to:findings: \"PROPOSE/They did not vote.\"",
    ),
    (
        "leave-asked",
        r#"0 09:00 open by s1: decertification {"organisation": "o1", "leaving": {"statement": "We dissolve."}}"#,
    ),
    ("proposed", "1 09:00 bounce: notice r1\n1 10:00 bounce: notice r1 1\n1 11:00 bounce: notice r3"),
    ("hearing", "1 09:00 bounce: notice r1\n2 09:00 m4 to:proposed: \"NONPUBLIC VOTE\""),
    (
        "responded",
        "2 09:00 post: stops\n3 09:00 r1 forged to:notice: \"No.\"\n4 09:00 r1 to:notice: \"LEAVE\"",
    ),
    ("elapsed", "22 09:00 clock: passes"),
    ("voting", "31 09:00 clock: passes"),
    ("frozen", "31 09:00 bounce: notice r3"),
    ("inquorate", "31 09:00 votes: 3\n47 09:00 clock: passes"),
    ("decertified", "31 09:00 votes: 10 5\n32 09:00 post: stops\n36 09:00 clock: passes"),
    ("retained", "31 09:00 votes: 5 5\n32 09:00 post: stops\n36 09:00 clock: passes"),
    ("notified", "31 09:00 votes: 5 5\n36 09:00 clock: passes"),
    ("review-requested", "31 09:00 votes: 10 5\n36 09:00 r1 to:decision: \"REVIEW\""),
    ("closed", "2 09:00 m3 to:proposed: WITHDRAW"),
];

fn folder(kind: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/states").join(kind)
}

fn stored(kind: &str) -> Vec<(String, Value)> {
    let entries = fs::read_dir(folder(kind)).expect("a folder of states");
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, serde_json::from_str(&fs::read_to_string(path).expect("a state")).expect("JSON"))
    };
    entries.flatten().map(|entry| read(entry.path())).collect()
}

#[test]
fn every_state_ever_stored_still_loads_and_is_saved_as_it_was() {
    for kind in Kind::ALL {
        for (name, state) in stored(kind.name()) {
            let case =
                Case::load(*kind, &state).unwrap_or_else(|error| panic!("{}/{name}: {error}", kind.name()));
            assert_eq!(case.save(), state, "{}/{name}", kind.name());
            let phase = name.split('.').next().unwrap_or_default();
            assert_eq!(case.phase(), phase, "the file is named after the phase");
        }
    }
}

#[test]
fn every_phase_of_a_ballot_has_a_state_on_file() {
    BALLOTS.iter().for_each(|(phase, script)| check("ballot", phase, &reach(script)));
}

#[test]
fn every_phase_of_an_application_has_a_state_on_file() {
    for (phase, script) in APPLICATIONS {
        let begun = script.starts_with("0 ");
        let script = if begun { script.to_owned() } else { format!("{EXAMINED}\n{script}") };
        check("accreditation", phase, played(Policies::default(), &script).application());
    }
}

#[test]
fn every_phase_of_a_decertification_has_a_state_on_file() {
    for (phase, script) in DECERTIFICATIONS {
        let begun = script.starts_with("0 ");
        let script = if begun { script.to_owned() } else { format!("{PROPOSED}\n{script}") };
        let world = decertification_rig::played(Policies::default(), &script);
        check("decertification", phase, world.matter());
    }
}

#[test]
fn an_application_with_documents_has_a_state_on_file() {
    let script = "0 09:00 open: a
        0 10:00 a to:form with:statutes.pdf with:setup.exe with:passports.pdf: FORM
        1 10:00 s1 to:information: \"3 PROOF OF IDENTITY\"
        2 10:00 s1 to:diligence: \"F: all seen\"";
    let world = played(Policies::default(), script);
    check("accreditation", "due-diligence.documents", world.application());
}

/// Holds that a state of the phase is on file; writes the first one.
fn check(kind: &str, phase: &str, reached: &CaseRow) {
    let (expected, _) = phase.split_once('.').unwrap_or((phase, ""));
    assert_eq!(reached.phase, expected, "the script reaches the phase");
    let file = folder(kind).join(format!("{phase}.json"));
    if std::env::var_os("UPDATE_EXPECT").is_some() && !file.exists() {
        let text = serde_json::to_string_pretty(&reached.state).expect("JSON");
        fs::write(file, text + "\n").expect("written");
    } else {
        assert!(file.exists(), "no state on file for {phase}; write it with UPDATE_EXPECT=1");
    }
}
