//! The sample community keeps the rules that a real one must keep.

use std::collections::{BTreeMap, BTreeSet};

use atlarged::kernel::language::Language;
use toml::{Table, Value};

fn village() -> Table {
    let text = std::fs::read_to_string("config/village/register.toml").expect("the sample is there");
    text.parse().expect("TOML")
}

fn records<'a>(village: &'a Table, kind: &str) -> Vec<&'a Table> {
    let all = village[kind].as_array().expect("a list");
    all.iter().map(|r| r.as_table().expect("a record")).collect()
}

fn text<'a>(record: &'a Table, key: &str) -> &'a str {
    record.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(record: &Table, key: &str) -> i64 {
    record.get(key).and_then(Value::as_integer).unwrap_or_default()
}

/// The role still held, if it is.
fn held<'a>(person: &'a Table, role: &str) -> Option<&'a Table> {
    let roles = person["roles"].as_array().expect("roles").iter().filter_map(Value::as_table);
    roles.into_iter().find(|r| text(r, "role") == role && !r.contains_key("until"))
}

fn per_region(village: &Table, role: &str) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for held in records(village, "person").iter().filter_map(|p| held(p, role)) {
        *count.entry(text(held, "region").to_owned()).or_default() += 1;
    }
    count
}

#[test]
fn every_region_has_three_members_a_secretariat_and_a_deputy_for_it() {
    let village = village();
    for (role, each) in [("alac-member", 3), ("ralo-secretariat", 1), ("ralo-chair", 1)] {
        let regions = per_region(&village, role);
        let names = ["africa", "asia-pacific", "europe", "latin-america", "north-america"];
        assert_eq!(regions.keys().map(String::as_str).collect::<Vec<_>>(), names, "{role}");
        assert!(regions.values().all(|n| *n == each), "{role}: {regions:?}");
    }
}

#[test]
fn officers_and_staff_are_there_with_deputies() {
    let village = village();
    let people = records(&village, "person");
    for (role, expected) in [("alac-chair", 1), ("alac-vice-chair", 2), ("staff", 2), ("staff-deputy", 1)] {
        let holders: Vec<_> = people.iter().filter(|p| held(p, role).is_some()).collect();
        assert_eq!(holders.len(), expected, "{role}");
        let officer = role.starts_with("alac");
        assert!(holders.iter().all(|p| !officer || held(p, "alac-member").is_some()), "{role} is no member");
    }
}

#[test]
fn all_seven_languages_are_spoken_in_the_alac_and_among_representatives() {
    let village = village();
    for role in ["alac-member", "als-representative"] {
        let spoken: BTreeSet<_> = records(&village, "person")
            .into_iter()
            .filter(|p| held(p, role).is_some())
            .filter_map(|p| Language::from_code(text(p, "language")))
            .collect();
        assert_eq!(spoken.len(), Language::ALL.len(), "{role}: {spoken:?}");
    }
}

#[test]
fn numbers_and_addresses_belong_to_one_person_and_reach_nobody_outside() {
    let village = village();
    let (mut numbers, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    for person in records(&village, "person") {
        let name = text(person, "name");
        assert!(numbers.insert(number(person, "id")), "{name} shares a number");
        assert!(text(person, "zone").parse::<chrono_tz::Tz>().is_ok(), "{name} lives in no time zone");
        let own = person["addresses"].as_array().expect("addresses");
        assert!(!own.is_empty(), "{name} cannot be reached");
        for address in own.iter().map(|a| a.as_str().expect("text")) {
            assert!(addresses.insert(address), "{address} is somebody else's too");
            assert!(address.ends_with(".example"), "{address} may belong to a real person");
        }
    }
}

#[test]
fn each_structure_has_two_to_four_representatives_one_of_them_prime() {
    let village = village();
    let people = records(&village, "person");
    for organisation in records(&village, "organisation") {
        let (id, name) = (number(organisation, "id"), text(organisation, "name"));
        let listed = organisation["representatives"].as_array().expect("a list");
        let listed: BTreeSet<i64> = listed.iter().filter_map(Value::as_integer).collect();
        assert!((2..=4).contains(&listed.len()), "{name}");
        assert!(listed.contains(&number(organisation, "prime")), "{name}");
        let said: BTreeSet<i64> = people
            .iter()
            .filter(|p| held(p, "als-representative").is_some_and(|r| number(r, "organisation") == id))
            .map(|p| number(p, "id"))
            .collect();
        assert_eq!(said, listed, "{name}: the people's roles and its list differ");
    }
}
