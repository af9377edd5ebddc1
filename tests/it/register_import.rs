//! Register files: every error by its line, all or nothing, nothing twice.

use atlarged::cli::import::changes;
use atlarged::kernel::ids::{OrganisationId, PersonId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Region, Role};
use atlarged::kernel::register::Register;

const GOOD: &str = r#"
[[person]]
id = 1
name = "Ann"
language = "fr"
zone = "Africa/Dakar"
addresses = ["ann@a.example", "ann@b.example"]
roles = [{ role = "alac-member", region = "africa", from = 2025-10-30, until = 2027-10-30 }]

[[organisation]]
id = 3
name = "Club"
country = "sn"
region = "africa"
kind = "als"
representatives = [1]
prime = 1
"#;

/// The errors of a file as "line: text".
fn check(text: &str, csv: bool, register: &Register, expected: &[&str]) {
    let wrong = changes(text, csv, register).expect_err("a wrong file");
    let told: Vec<String> = wrong.iter().map(|wrong| format!("{}: {}", wrong.line, wrong.what)).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_good_file_makes_the_register_and_changes_nothing_the_second_time() {
    let made = changes(GOOD, false, &Register::default()).expect("a good file");
    let register = Register::fold(&made);
    let ann = register.person(PersonId(1)).expect("Ann");
    assert_eq!((ann.language, ann.addresses.len()), (Language::Fr, 2));
    let day = |text: &str| text.parse().expect("a moment");
    assert!(ann.has(Role::AlacMember, day("2025-10-30T00:00:00Z")));
    assert!(!ann.has(Role::AlacMember, day("2027-10-30T00:00:00Z")));
    assert_eq!(changes(GOOD, false, &register).expect("the same file"), []);
}

#[test]
fn only_what_differs_is_changed() {
    let register = Register::fold(&changes(GOOD, false, &Register::default()).expect("a good file"));
    let moved = GOOD.replace("Club", "Society");
    assert_eq!(changes(&moved, false, &register).expect("a good file").len(), 1);
}

#[test]
fn the_same_people_can_be_written_as_a_table() {
    let csv = "kind,id,name,language,zone,addresses,roles,country,region,representatives,prime\n\
               person,1,Ann,fr,Africa/Dakar,ann@a.example; ann@b.example,\
               alac-member@africa:2025-10-30..2027-10-30,,,,\n\
               als,3,Club,,,,,SN,africa,1,1\n";
    let register = Register::fold(&changes(csv, true, &Register::default()).expect("a good table"));
    assert_eq!(changes(GOOD, false, &register).expect("the same in TOML"), []);
    assert_eq!(register.people().next().expect("Ann").roles[0].region, Some(Region::Africa));
}

#[test]
fn every_error_is_told_by_its_line_and_nothing_is_taken() {
    let wrong = r#"[[person]]
id = 1
name = "Ann"
language = "xx"
zone = "Mars/Olympus"
addresses = ["ann at a.example"]
roles = [{ role = "alac-member", from = 2026-10-30, until = 2025-10-30 }]

[[person]]
id = 2
name = "Bob"
language = "en"
zone = "UTC"
addresses = []

[[person]]
id = 4
name = "Eve"
language = "en"
zone = "UTC"
addresses = ["eve@e.example"]
colour = "red"
"#;
    check(
        wrong,
        false,
        &Register::default(),
        &[
            "1: p1: \"Mars/Olympus\" is no time zone; write it like Africa/Dakar",
            "1: p1: \"xx\" is none of en fr es pt ru zh ar",
            "1: p1: address 1 is not like name@example.org",
            "1: p1: the role AlacMember ends before it begins",
            "9: p2 has no address; give at least one",
            "16: unknown field `colour`, expected one of `id`, `name`, `language`, `zone`, `addresses`, `roles`",
        ],
    );
}

#[test]
fn an_address_names_one_person_in_the_file_and_in_the_register() {
    let twice = format!(
        "{GOOD}\n{}",
        GOOD.split("[[organisation]]").next().expect("Ann").replace("id = 1", "id = 5")
    );
    check(
        &twice,
        false,
        &Register::default(),
        &[
            "20: an address of p5 belongs to p1 too; an address names one person",
            "20: an address of p5 belongs to p1 too; an address names one person",
        ],
    );
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    check(
        "[[person]]\nid = \n",
        false,
        &Register::default(),
        &["2: string values must be quoted, expected literal string"],
    );
}

#[test]
fn an_organisation_needs_representatives_that_are_known() {
    let lonely = GOOD.replace("representatives = [1]", "representatives = [7]");
    check(
        &lonely,
        false,
        &Register::default(),
        &[
            "10: o3 names p7, who is neither in this file nor in the register",
            "10: the prime of o3 is not one of its representatives",
        ],
    );
}

#[test]
fn a_list_that_is_older_than_a_decision_does_not_undo_it() {
    let ended = GOOD.replace("prime = 1", "until = \"2027-01-05T09:00:02Z\"");
    let ended = ended.replace("representatives = [1]", "representatives = []");
    let register = Register::fold(&changes(&ended, false, &Register::default()).expect("a good file"));
    let known = register.organisation(OrganisationId(3)).expect("the club");
    assert_eq!(known.until, "2027-01-05T09:00:02Z".parse().ok());
    let expected = "10: o3 is no longer accredited; leave it out, or write until = \"2027-01-05T09:00:02Z\"";
    check(GOOD, false, &register, &[expected]);
    assert_eq!(changes(&ended, false, &register).expect("the same file"), []);
    let csv = "kind,id,name,country,region,until\nals,3,Club,SN,africa,2027-01-05T09:00:02Z\n";
    assert_eq!(changes(csv, true, &register).expect("the same as a table"), []);
}
