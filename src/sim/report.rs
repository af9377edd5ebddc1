//! What a simulation found, added up over its runs.

use serde::Serialize;
use std::collections::BTreeMap;

/// The numbers of one run or of many.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    pub runs: u64,
    /// Steps of cases, refusals included.
    pub steps: u64,
    /// Mails put into the clerk's mailbox.
    pub letters: u64,
    /// Mails the clerk sent, each counted once.
    pub notices: u64,
    pub faults: u64,
    /// Faults by kind.
    pub faults_by_kind: BTreeMap<String, u64>,
    /// Mails that reached somebody once more, after a crash or a lost answer.
    pub duplicates: u64,
    /// Mails that are not in the record.
    pub lost: u64,
    /// Mails in the record, or letters in effect, more than once.
    pub doubled: u64,
    /// Turns after which the books did not balance.
    pub unbalanced: u64,
    pub replay_mismatches: u64,
    /// Anything else a checker found.
    pub wrong: u64,
    /// Tallies recounted and compared with what was meant.
    pub tallies: u64,
    /// Applications there were, and those that were decided.
    pub applications: u64,
    pub decided: u64,
    pub burden: Burden,
}

/// What the clerk's mail costs people: mails, and mails that ask for an answer, per person and year.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Burden {
    pub people: u64,
    pub mails_median: u64,
    pub mails_max: u64,
    pub owed_median: u64,
    pub owed_max: u64,
    /// How often staff wrote about an application that was received.
    pub touches_mean: f64,
    pub touches_max: u64,
    /// Mails of one ballot to one voter, receipts and answers to her own apart.
    pub per_ballot_mean: f64,
    pub per_ballot_max: u64,
    #[serde(skip)]
    touches: Sum,
    #[serde(skip)]
    per_ballot: Sum,
    #[serde(skip)]
    mails: Vec<u64>,
    #[serde(skip)]
    owed: Vec<u64>,
}

/// Numbers added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    of: u64,
    all: u64,
    most: u64,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        *self = Sum { of: self.of + other.of, all: self.all + other.all, most: self.most.max(other.most) };
    }

    fn one(number: u64) -> Sum {
        Sum { of: 1, all: number, most: number }
    }

    fn mean(self) -> f64 {
        if self.of == 0 { 0.0 } else { (self.all as f64 / self.of as f64 * 10.0).round() / 10.0 }
    }
}

impl Burden {
    /// Adds how often staff wrote about one application.
    pub fn touched(&mut self, touches: u64) {
        self.touches.add(Sum::one(touches));
        self.sum_up();
    }

    /// Adds the mails of one ballot to one voter.
    pub fn mailed(&mut self, mails: u64) {
        self.per_ballot.add(Sum::one(mails));
        self.sum_up();
    }

    /// Adds one person's numbers of a year.
    pub fn add(&mut self, mails: u64, owed: u64) {
        self.mails.push(mails);
        self.owed.push(owed);
        self.sum_up();
    }

    fn sum_up(&mut self) {
        self.mails.sort_unstable();
        self.owed.sort_unstable();
        let median = |of: &[u64]| of.get(of.len() / 2).copied().unwrap_or(0);
        let max = |of: &[u64]| of.last().copied().unwrap_or(0);
        self.people = self.mails.len() as u64;
        (self.mails_median, self.mails_max) = (median(&self.mails), max(&self.mails));
        (self.owed_median, self.owed_max) = (median(&self.owed), max(&self.owed));
        (self.touches_mean, self.touches_max) = (self.touches.mean(), self.touches.most);
        (self.per_ballot_mean, self.per_ballot_max) = (self.per_ballot.mean(), self.per_ballot.most);
    }
}

impl Report {
    pub fn add(&mut self, other: Report) {
        self.runs += other.runs;
        self.steps += other.steps;
        self.letters += other.letters;
        self.notices += other.notices;
        self.faults += other.faults;
        for (kind, count) in other.faults_by_kind {
            *self.faults_by_kind.entry(kind).or_default() += count;
        }
        self.duplicates += other.duplicates;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.unbalanced += other.unbalanced;
        self.replay_mismatches += other.replay_mismatches;
        self.wrong += other.wrong;
        self.tallies += other.tallies;
        self.applications += other.applications;
        self.decided += other.decided;
        self.burden.touches.add(other.burden.touches);
        self.burden.per_ballot.add(other.burden.per_ballot);
        self.burden.mails.extend(other.burden.mails);
        self.burden.owed.extend(other.burden.owed);
        self.burden.sum_up();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burden_of_many_runs_is_that_of_all_their_people() {
        let mut all = Report::default();
        for mails in [3, 9, 5] {
            let mut one = Report::default();
            one.burden.add(mails, 1);
            all.add(one);
        }
        assert_eq!((all.burden.people, all.burden.mails_median, all.burden.mails_max), (3, 5, 9));
    }
}
