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
    #[serde(skip)]
    mails: Vec<u64>,
    #[serde(skip)]
    owed: Vec<u64>,
}

impl Burden {
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
