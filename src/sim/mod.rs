//! Years of a village in memory, through the real daemon. The villagers see only the bytes the clerk sends
//! and answer in bytes; the world fails at every boundary, as the seed says; checkers compare what came of it
//! with what was meant. A seed tells the same story every time.

mod applicant;
mod applications;
mod chance;
mod check;
mod confidence;
mod faults;
mod incoming;
mod model;
mod ninety;
mod offices;
mod orders;
mod outgoing;
mod planned;
mod post;
mod report;
mod store;
mod story;
mod subjects;
mod village;
mod villager;
mod world;

pub use report::{Burden, Report};

use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub seed: u64,
    pub years: u32,
    /// Members of the ALAC.
    pub members: u32,
    /// On so many of a thousand days a ballot is ordered.
    pub ballots: u32,
    /// At-Large Structures there are at first, and groups that apply in all.
    pub alses: u32,
    pub applications: u32,
    /// Of a thousand calls at each boundary, so many fail.
    pub faults: f64,
    /// The first day.
    pub start: DateTime<Utc>,
    pub planted: Option<Planted>,
}

/// A bug built in on purpose, to see that it is caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// A mail leaves the mailbox before it is stored.
    AcknowledgeFirst,
    /// A mail met again under another number is taken for a new one.
    NoDedup,
    /// A letter is marked in a transaction of its own, after the step.
    TwoTransactions,
    /// A deadline falls without asking for letters that arrived before it.
    ClockFirst,
    /// A mail arrives when it is read, not when it arrived.
    ByProcessing,
    /// Silence decides though the region advised against it.
    SilenceAgainstAdvice,
    /// The region's comments end when somebody gets round to it, and what comes until then counts.
    CommentsNeverEnd,
    /// The applicant is told that the application rests, and the ninety days run on.
    ClockRuns,
    /// The key of what was told in confidence is kept.
    KeyKept,
}

/// What is wrong with a run, and how to see it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub plan: Plan,
    pub at: DateTime<Utc>,
    pub wrong: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { seed, years, members, ballots, alses, applications, faults, .. } = &self.plan;
        writeln!(f, "seed {seed} went wrong on {}:", self.at.date_naive())?;
        for wrong in &self.wrong {
            writeln!(f, "  {wrong}")?;
        }
        write!(
            f,
            "repeat with: atlarged simulate --seed {seed} --runs 1 --years {years} --members {members} \
             --ballots {ballots} --alses {alses} --applications {applications} --faults {faults}"
        )
    }
}

/// One run. Its report says what was found; nothing wrong where every count of wrongs is zero.
pub fn run(plan: &Plan) -> (Report, Option<Failure>) {
    futures::executor::block_on(world::World::run(plan))
}

/// Runs of consecutive seeds, side by side on so many threads; the failures in the order of their seeds.
pub fn run_all(plan: &Plan, runs: u64, threads: usize) -> (Report, Vec<Failure>) {
    let next = AtomicU64::new(0);
    let all = Mutex::new((Report::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= runs {
                        return;
                    }
                    let (report, failure) = run(&Plan { seed: plan.seed.wrapping_add(n), ..plan.clone() });
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    all.0.add(report);
                    all.1.extend(failure);
                }
            });
        }
    });
    let (report, mut failures) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort_by_key(|failure: &Failure| failure.plan.seed);
    (report, failures)
}
