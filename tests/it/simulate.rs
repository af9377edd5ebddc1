//! Years of a village, with seeded faults: nothing lost, nothing twice, every count as it was meant; and bugs
//! planted on purpose are caught.

use atlarged::sim::{Plan, Planted, Report, run, run_all};
use chrono::{DateTime, Duration};

fn plan(seed: u64) -> Plan {
    let start = DateTime::UNIX_EPOCH + Duration::days(20_454);
    Plan {
        seed,
        years: 1,
        members: 7,
        ballots: 60,
        alses: 12,
        applications: 3,
        faults: 4.0,
        start,
        planted: None,
    }
}

/// Runs some seeds and shows whatever went wrong, with the command that repeats it.
fn check(plan: &Plan, runs: u64) -> Report {
    let (report, failures) = run_all(plan, runs, 2);
    let told: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    report
}

#[test]
fn a_village_lives_through_faults_at_every_boundary() {
    let report = check(&plan(100), 3);
    assert!(report.faults > 100, "the weather was too fair to prove anything: {report:?}");
    assert!(report.tallies > 30 && report.letters > 300, "too little happened: {report:?}");
    let wrongs = [report.lost, report.doubled, report.unbalanced, report.replay_mismatches, report.wrong];
    assert_eq!(wrongs, [0; 5]);
}

#[test]
fn every_kind_of_fault_happens() {
    let report = check(&Plan { faults: 20.0, ..plan(200) }, 2);
    let kinds: Vec<&str> = report.faults_by_kind.keys().map(String::as_str).collect();
    assert_eq!(kinds.len(), 18, "{kinds:?}");
    assert!(report.duplicates > 0, "no lost 250 made a duplicate");
}

#[test]
fn in_fair_weather_nothing_comes_twice() {
    let report = check(&Plan { faults: 0.0, ..plan(300) }, 1);
    assert_eq!((report.faults, report.duplicates), (0, 0));
}

#[test]
fn a_seed_tells_the_same_story_again() {
    let plan = Plan { faults: 10.0, members: 5, ..plan(400) };
    assert_eq!(run(&plan), run(&plan));
}

/// The seeds tried until a planted bug shows.
const TRIES: u64 = 4;

fn caught(planted: Planted, faults: f64) {
    let found = (0..TRIES).find_map(|n| run(&Plan { planted: Some(planted), faults, ..plan(500 + n) }).1);
    let failure = found.unwrap_or_else(|| panic!("{planted:?} was not caught in {TRIES} seeds"));
    let told = failure.to_string();
    assert!(told.contains("repeat with: atlarged simulate --seed"), "{told}");
}

#[test]
fn a_mail_acknowledged_before_it_is_stored_is_missed() {
    caught(Planted::AcknowledgeFirst, 10.0);
}

#[test]
fn an_inbox_without_dedup_is_caught() {
    caught(Planted::NoDedup, 10.0);
}

#[test]
fn a_letter_marked_in_a_second_transaction_takes_effect_twice() {
    caught(Planted::TwoTransactions, 20.0);
}

#[test]
fn a_deadline_that_falls_before_the_letters_are_in_is_caught() {
    caught(Planted::ClockFirst, 4.0);
}

#[test]
fn an_order_of_processing_instead_of_arrival_is_caught() {
    caught(Planted::ByProcessing, 20.0);
}

/// A year of applications and few ballots.
fn busy(seed: u64) -> Plan {
    Plan { ballots: 2, applications: 12, faults: 2.0, ..plan(seed) }
}

#[test]
fn every_application_ends_by_a_route_or_waits_for_somebody() {
    let report = check(&busy(600), 1);
    assert!(report.applications >= 8 && report.decided >= 5, "too little happened: {report:?}");
    let burden = &report.burden;
    assert!(burden.touches_mean <= 10.0, "staff write {} times about an application", burden.touches_mean);
    assert!(burden.per_ballot_mean <= 3.5, "a voter gets {} mails of a ballot", burden.per_ballot_mean);
}

/// A planted bug in what is done about applications shows within a few seeds, and as what it is.
fn caught_as(planted: Planted, what: &str) {
    let told = |n: u64| {
        let plan = Plan { planted: Some(planted), faults: 0.0, ..busy(700 + n) };
        run(&plan).1.is_some_and(|failure| failure.to_string().contains(what))
    };
    assert!((0..3 * TRIES).any(told), "{planted:?} was not caught in {} seeds", 3 * TRIES);
}

#[test]
fn silence_that_decides_against_the_regions_advice_is_caught() {
    caught_as(Planted::SilenceAgainstAdvice, "no route leads here");
}

#[test]
fn a_comment_that_counts_after_its_time_is_caught() {
    caught_as(Planted::CommentsNeverEnd, "comments were taken");
}

#[test]
fn ninety_days_that_run_on_under_suspension_are_caught() {
    caught_as(Planted::ClockRuns, "stands still from None");
}

#[test]
fn a_key_kept_after_the_comments_are_over_is_caught() {
    caught_as(Planted::KeyKept, "the key of what was told in confidence is there");
}
