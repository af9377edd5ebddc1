//! A tally anyone can check: the clerk's recount and the second verifier agree, on what holds and on what
//! was altered.

use atlarged::advance::{self, Before, CaseRow};
use atlarged::kernel::assurance::Assurance;
use atlarged::kernel::canonical;
use atlarged::kernel::choice::Choice;
use atlarged::kernel::ids::{CaseId, NoticeId, Party, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Person, Role, RoleHeld};
use atlarged::kernel::register::{Change, Register};
use atlarged::kernel::said::{Problem, Said};
use atlarged::kernel::tally::{self, Body, FORMAT, Tally};
use atlarged::kernel::workflow::{Answers, Input, Opening, Record, Reply};
use atlarged::ports::keys::Keys;
use atlarged::workflows::{Policies, Surroundings};
use chrono::{DateTime, Duration, Utc};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use std::process::Command;

fn register(members: u32) -> Register {
    let person = |id| {
        let role =
            RoleHeld { role: Role::AlacMember, region: None, organisation: None, from: start(), until: None };
        Change::Person(Person {
            id: PersonId(id),
            name: format!("Ñame {id} 名"),
            language: Language::En,
            zone: chrono_tz::UTC,
            addresses: vec![format!("p{id}@a.example")],
            roles: vec![role],
        })
    };
    Register::fold(&(1..=members).map(person).collect::<Vec<_>>())
}

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000)
}

fn reply(voter: u32, choice: Choice, arrived: DateTime<Utc>) -> Input {
    let from = Party::Person(PersonId(voter));
    let notice = NoticeId { case: CaseId(9), seq: 0, n: 0 };
    let text = choice.word().to_owned();
    Input::Reply(Reply {
        from,
        answers: Some(Answers { notice, label: format!("ask:{from}"), to: from }),
        said: Said {
            text,
            choice: Some(choice),
            problem: Problem::None,
            commands: vec![],
            language: None,
            sheet: None,
        },
        arrived,
        assurance: Assurance { token: true, from_on_file: true, aligned: true, confirmed: false },
        nonce: canonical::sha256(&voter.to_be_bytes())[..32].to_owned(),
        desk: Value::Null,
    })
}

/// Plays a ballot of fifteen to its published record.
fn play(secrecy: &str, majority: Value, answers: &[Choice]) -> Record {
    let register = register(15);
    let policies = Policies::default();
    let texts = |text: &str| Value::from_iter(Language::ALL.map(|l| (l.code().to_owned(), json!(text))));
    let body = json!({
        "question": texts("Sí, \"quote\" \\ ы 是 \u{2028}?"), "yes_means": texts("y"), "no_means": texts("n"),
        "rule": { "majority": majority }, "secrecy": secrecy, "voters": "alac",
    });
    let opening = Opening {
        kind: "ballot".into(),
        parent: None,
        by: None,
        body,
        arrived: start(),
        nonce: String::new(),
    };
    let mut now = start();
    let mut row: Option<CaseRow> = None;
    let mut records = Vec::new();
    let mut step = |before: Box<dyn FnOnce(Option<CaseRow>) -> Before>, now| {
        let at = Surroundings { case: CaseId(9), now, policies: &policies, register: &register };
        let commit = advance::advance(before(row.take()), None, &at, "test").expect("a step");
        records.extend(commit.records);
        row = Some(commit.case);
    };
    step(Box::new(|_| Before::Opening(opening)), now);
    for (voter, choice) in (1..).zip(answers) {
        now += Duration::hours(1);
        let input = reply(voter, *choice, now);
        step(Box::new(move |row| Before::Case(row.expect("a case"), input)), now);
    }
    for day in [5, 8, 13, 16] {
        let clock = Box::new(|row: Option<CaseRow>| Before::Case(row.expect("a case"), Input::Wake));
        step(clock, start() + Duration::days(day) + Duration::minutes(day));
    }
    records.pop().expect("something published")
}

fn sign(body: Body, journal_head: &str, keys: &Keys) -> Tally {
    let public_key = HEXLOWER.encode(keys.public_key());
    let signature = HEXLOWER.encode(&keys.sign(&tally::signed_bytes(&body, journal_head, &public_key)));
    Tally { format: FORMAT.into(), body, journal_head: journal_head.into(), public_key, signature }
}

fn published(secrecy: &str, majority: Value, answers: &[Choice], keys: &Keys) -> Tally {
    let record = play(secrecy, majority, answers);
    let body = serde_json::from_value(record.body).expect("a tally's body");
    sign(body, &"ab".repeat(32), keys)
}

/// What both verifiers say of a file; they must say the same.
fn verdict(file: &Value, key: &str) -> bool {
    verdict_on_text(&serde_json::to_string_pretty(file).expect("JSON"), key)
}

fn verdict_on_text(text: &str, key: &str) -> bool {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tally.json");
    std::fs::write(&path, text).expect("a file");
    let ours = tally::recount(text, Some(key))
        .is_ok_and(|(_, findings)| findings.iter().all(|finding| finding.holds));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/recount.py");
    let second =
        Command::new("python3").arg(script).arg(&path).args(["--key", key]).output().expect("python3");
    assert_eq!(ours, second.status.success(), "{}", String::from_utf8_lossy(&second.stdout));
    assert!(!String::from_utf8_lossy(&second.stderr).contains("Traceback"), "it says what is wrong");
    ours
}

fn mix(yes: usize, no: usize, abstain: usize) -> Vec<Choice> {
    let of = |choice, n| std::iter::repeat_n(choice, n);
    of(Choice::Yes, yes).chain(of(Choice::No, no)).chain(of(Choice::Abstain, abstain)).collect()
}

#[test]
fn both_verifiers_accept_every_kind_of_tally() {
    let keys = Keys::in_memory(7);
    let two_thirds = json!({ "two-thirds": { "abstain_counts_as_cast": true } });
    for (yes, no, abstain) in [(8, 7, 0), (7, 7, 1), (4, 3, 1), (6, 3, 0), (6, 2, 2), (0, 0, 9), (3, 0, 0)] {
        for secrecy in ["open", "non-public"] {
            for majority in [json!("of-quorum"), two_thirds.clone()] {
                let tally = published(secrecy, majority, &mix(yes, no, abstain), &keys);
                assert!(verdict(&json!(tally), &keys.fingerprint()), "{yes} {no} {abstain} {secrecy}");
            }
        }
    }
}

#[test]
fn a_non_public_tally_names_nobody_beside_a_ballot() {
    let tally = published("non-public", json!("of-quorum"), &mix(8, 2, 0), &Keys::in_memory(7));
    assert!(tally.body.ballots.iter().all(|cast| cast.voter.is_none()));
    let codes: Vec<_> = tally.body.ballots.iter().map(|cast| &cast.code).collect();
    assert!(codes.is_sorted(), "the order of codes says nothing of the order of answers");
}

/// An alteration of the file; what can be computed from the file is computed again afterwards.
type Alteration = (&'static str, fn(&mut Value));

const ALTERATIONS: [Alteration; 10] = [
    ("a choice is turned", |file| {
        let turned = if file["body"]["ballots"][0]["choice"] == "no" { "yes" } else { "no" };
        file["body"]["ballots"][0]["choice"] = json!(turned);
    }),
    ("a ballot is removed", |file| {
        file["body"]["ballots"].as_array_mut().expect("ballots").remove(0);
    }),
    ("a ballot is stuffed", |file| {
        let mut more = file["body"]["ballots"][0].clone();
        more["code"] = json!("zzzz-zzzz-zzzz-zzzz");
        more["voter"] = json!("p15");
        file["body"]["ballots"].as_array_mut().expect("ballots").push(more);
    }),
    ("a voter has two ballots", |file| {
        let voter = file["body"]["ballots"][0]["voter"].clone();
        file["body"]["ballots"][1]["voter"] = voter;
    }),
    ("the counts are turned", |file| file["body"]["counts"] = json!({ "yes": 2, "no": 8, "abstain": 0 })),
    ("the verdict is turned", |file| {
        file["body"]["verdict"]["outcome"] = json!({ "not-carried": "tie" });
    }),
    ("the rule is softened", |file| file["body"]["frozen"]["rule"]["quorum"]["numerator"] = json!(0)),
    ("the question is another", |file| file["body"]["frozen"]["question"]["en"] = json!("Another?")),
    ("the electorate is smaller", |file| {
        file["body"]["frozen"]["electorate"].as_array_mut().expect("voters").pop();
    }),
    ("the journal head is another", |file| file["journal_head"] = json!("cd".repeat(32))),
];

/// Makes the file agree with itself again, as a forger would, but for the signature he cannot make.
fn recompute(file: &mut Value, resign: Option<&Keys>) {
    file["body"]["electorate_hash"] = json!(canonical::hash(&file["body"]["frozen"]));
    if let Ok(tally) = serde_json::from_value::<Tally>(file.clone()) {
        let mut body = tally.body;
        body.ballots.sort_by(|a, b| a.code.cmp(&b.code));
        if let Some(keys) = resign {
            *file = json!(sign(body, &tally.journal_head, keys));
        }
    }
}

#[test]
fn ten_kinds_of_alteration_are_caught_although_the_hashes_are_recomputed() {
    let keys = Keys::in_memory(7);
    let forger = Keys::in_memory(8);
    let genuine = json!(published("open", json!("of-quorum"), &mix(8, 2, 0), &keys));
    for (what, alter) in ALTERATIONS {
        let mut file = genuine.clone();
        alter(&mut file);
        recompute(&mut file, None);
        assert!(!verdict(&file, &keys.fingerprint()), "{what}, and the signature left as it was");
        recompute(&mut file, Some(&forger));
        assert!(!verdict(&file, &keys.fingerprint()), "{what}, and signed by somebody else");
    }
    let mut resigned = genuine.clone();
    recompute(&mut resigned, Some(&forger));
    assert!(!verdict(&resigned, &keys.fingerprint()), "nothing altered but the signer");
    assert!(verdict(&genuine, &keys.fingerprint()));
}

/// Alterations that a reader of the file would not notice: what the clerk makes of the text stays the same.
const REWRITINGS: [Alteration; 12] = [
    ("a field nobody reads", |file| file["note"] = json!("carried")),
    ("a field in the body", |file| file["body"]["note"] = json!("carried")),
    ("a field beside a ballot", |file| file["body"]["ballots"][0]["note"] = json!(1)),
    ("a field in the counts", |file| file["body"]["counts"]["spoilt"] = json!(3)),
    ("a field in the verdict", |file| file["body"]["verdict"]["carried"] = json!(false)),
    ("a moment in another form", |file| {
        let closes = file["body"]["closes"].as_str().expect("a moment").replace('Z', "+00:00");
        file["body"]["closes"] = json!(closes);
    }),
    ("a party in another form", |file| {
        let voter = file["body"]["ballots"][0]["voter"].as_str().expect("a voter").replace('p', "p0");
        file["body"]["ballots"][0]["voter"] = json!(voter);
    }),
    ("a name under another form of its party", |file| {
        let names = file["body"]["names"].as_object_mut().expect("names");
        let name = names.remove("p1").expect("a name");
        names.insert("p01".to_owned(), name);
    }),
    ("a field left out", |file| {
        file["body"].as_object_mut().expect("a body").remove("annulled");
    }),
    ("digits in capitals", |file| {
        file["signature"] = json!(file["signature"].as_str().expect("digits").to_ascii_uppercase());
    }),
    ("a choice of another name", |file| file["body"]["ballots"][0]["choice"] = json!("YES")),
    ("a count that is true", |file| file["body"]["counts"]["yes"] = json!(true)),
];

/// Signs a file as it stands, whatever stands in it.
fn signed_as_it_stands(file: &mut Value, keys: &Keys) {
    file.as_object_mut().expect("an object").remove("signature");
    file["signature"] = json!(HEXLOWER.encode(&keys.sign(canonical::canonical(file).as_bytes())));
}

#[test]
fn a_file_rewritten_after_signing_is_no_longer_the_file() {
    let keys = Keys::in_memory(7);
    let genuine = json!(published("open", json!("of-quorum"), &mix(8, 2, 0), &keys));
    for (what, alter) in REWRITINGS {
        let mut file = genuine.clone();
        alter(&mut file);
        assert!(!verdict(&file, &keys.fingerprint()), "{what}");
        if what != "digits in capitals" {
            signed_as_it_stands(&mut file, &keys);
            assert!(!verdict(&file, &keys.fingerprint()), "{what}, signed by the clerk");
        }
    }
}

#[test]
fn a_text_that_two_programs_may_read_differently_is_no_tally() {
    let keys = Keys::in_memory(7);
    let genuine = json!(published("open", json!("of-quorum"), &mix(8, 2, 0), &keys)).to_string();
    assert!(verdict_on_text(&genuine, &keys.fingerprint()));
    let alterations = [
        ("\"counts\":{", "\"counts\":{\"yes\":1,"),
        ("{\"body\":", "{\"body\":{},\"body\":"),
        ("\"yes\":8", "\"yes\":8.0"),
        ("\"yes\":8", "\"yes\":8e0"),
        ("\"yes\":8", "\"yes\":NaN"),
        ("\"abstain\":0", "\"abstain\":-0"),
        ("\"yes\":8", "\"yes\":99999999999999999999"),
        ("\"annulled\":null", "\"annulled\":\"\\ud800\""),
        ("\"annulled\":null", "\"annulled\":NULL"),
    ];
    for (from, to) in alterations {
        assert!(genuine.contains(from), "{from}");
        let altered = genuine.replacen(from, to, 1);
        assert!(!verdict_on_text(&altered, &keys.fingerprint()), "{to}");
    }
    for text in ["", "null", "[]", "{}", "\u{feff}{}", "{\"body\":{\"frozen\":{}}}", &"[".repeat(200_000)] {
        assert!(!verdict_on_text(text, &keys.fingerprint()), "{}", text.get(..9).unwrap_or(text));
    }
}

/// What a ballot with this changed is refused with; none where it opens.
fn refused(change: impl FnOnce(&mut Value)) -> Option<Value> {
    let (register, policies) = (register(15), Policies::default());
    let texts = Value::from_iter(Language::ALL.map(|l| (l.code().to_owned(), json!("?"))));
    let mut body = json!({
        "question": texts, "yes_means": texts, "no_means": texts,
        "rule": { "majority": "of-quorum" }, "secrecy": "open", "voters": "alac",
    });
    change(&mut body);
    let opening = Opening {
        kind: "ballot".into(),
        parent: None,
        by: None,
        body,
        arrived: start(),
        nonce: String::new(),
    };
    let at = Surroundings { case: CaseId(9), now: start(), policies: &policies, register: &register };
    let commit = advance::advance(Before::Opening(opening), None, &at, "test").expect("a step");
    commit.journal.outcome.starts_with("refused").then(|| json!(commit.journal.outcome))
}

#[test]
fn a_ballot_that_cannot_be_counted_or_never_ends_is_not_opened() {
    assert_eq!(refused(|_| ()), None);
    let quorum = |numerator: u32, denominator: u32, min_absolute: u32| {
        move |body: &mut Value| {
            body["rule"]["quorum"] =
                json!({ "numerator": numerator, "denominator": denominator, "min_absolute": min_absolute });
        }
    };
    assert_eq!(refused(quorum(1, 2, 15)), None);
    for (numerator, denominator, least, why) in
        [(1, 0, 0, "fraction"), (2, 2, 0, "fraction"), (3, 2, 0, "fraction"), (1, 2, 16, "all 15 voters")]
    {
        let said = refused(quorum(numerator, denominator, least)).expect("refused").to_string();
        assert!(said.contains("ballot/unreadable") && said.contains(why), "{said}");
    }
    for (name, moment) in [
        ("opens", "+262142-12-31T00:00:00Z"),
        ("opens", "-262143-01-01T00:00:00Z"),
        ("opens", "2030-01-01T00:00:00Z"),
        ("closes", "+262142-12-31T00:00:00Z"),
        ("closes", "2030-01-01T00:00:00Z"),
    ] {
        let said = refused(|body| body[name] = json!(moment)).expect("refused").to_string();
        assert!(said.contains("ballot/unreadable") && said.contains("two years"), "{moment}: {said}");
    }
}
