//! Years of a village in memory: how many runs, and what they found.

use super::{Ended, Outcome, say};
use crate::daemon::Clock;
use crate::sim::{self, Plan, Report};
use chrono::{DateTime, Utc};
use serde_json::Value;

#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    /// The first seed; each further run takes the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=50))]
    years: u32,
    /// Members of the ALAC.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(3..=700))]
    members: u32,
    /// On so many of a thousand days a ballot is ordered; 40 is some fifteen a year, 100 three a month.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    ballots: u32,
    /// At-Large Structures there are at first.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(6..=1_000))]
    alses: u32,
    /// Groups that apply, over all the years; none where it is left out.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    applications: u32,
    #[arg(long, default_value_t = 1)]
    runs: u64,
    /// Of a thousand calls at each boundary, so many fail; 0 is fair weather.
    #[arg(long, default_value_t = 2.0)]
    faults: f64,
    #[arg(long)]
    json: bool,
}

/// The first day of every story.
fn first_day() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::Duration::days(20_454)
}

pub fn simulate(args: &SimulateArgs, clock: &Clock) -> Outcome {
    let SimulateArgs { seed, years, members, ballots, alses, applications, runs, faults, json } = *args;
    let start = first_day();
    let plan = Plan { seed, years, members, ballots, alses, applications, faults, start, planted: None };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let began = clock();
    let (report, failures) = sim::run_all(&plan, runs, threads);
    let seconds = (clock() - began).num_milliseconds() as f64 / 1_000.0;
    for failure in &failures {
        eprintln!("{failure}");
    }
    if json {
        let mut value = serde_json::to_value(&report).unwrap_or_default();
        value["seconds"] = Value::from(seconds);
        say!("{value}");
    } else {
        tell(&report, seconds);
    }
    Ok(if failures.is_empty() { Ended::Done } else { Ended::Wanting })
}

fn tell(report: &Report, seconds: f64) {
    let Report { runs, steps, letters, notices, faults, duplicates, tallies, burden, .. } = report;
    let Report { applications, decided, .. } = report;
    say!(
        "{runs} runs in {seconds:.1} s: {letters} letters, {steps} steps, {notices} notices, {tallies} tallies"
    );
    say!("{applications} applications, {decided} of them decided");
    say!("{faults} faults; {duplicates} mails came once more, each the same as before");
    say!(
        "lost {}, doubled {}, unbalanced {}, replayed otherwise {}, wrong {}",
        report.lost,
        report.doubled,
        report.unbalanced,
        report.replay_mismatches,
        report.wrong
    );
    say!(
        "a member's year: {} mails (at most {}), {} of which ask for an answer (at most {})",
        burden.mails_median,
        burden.mails_max,
        burden.owed_median,
        burden.owed_max
    );
    say!(
        "staff write {} times about an application (at most {}); a voter gets {} mails of a ballot (at most {})",
        burden.touches_mean,
        burden.touches_max,
        burden.per_ballot_mean,
        burden.per_ballot_max
    );
}
