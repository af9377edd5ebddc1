//! A reminder ladder: moments still to come, as a value in a state.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

/// The rungs still ahead, earliest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ladder(Vec<DateTime<Utc>>);

impl Ladder {
    /// Rungs at `before` each deadline, in any order; those not after `from` are left out: nobody is
    /// reminded at the moment of being asked.
    pub fn before(deadline: DateTime<Utc>, before: &[Duration], from: DateTime<Utc>) -> Ladder {
        let mut rungs: Vec<_> =
            before.iter().map(|ahead| deadline - *ahead).filter(|rung| *rung > from).collect();
        rungs.sort_unstable();
        rungs.dedup();
        Ladder(rungs)
    }

    /// Without rungs so soon after the question, unless it would be the last: who was just asked needs no reminder.
    #[must_use]
    pub fn spaced(mut self, asked: DateTime<Utc>, least: Duration) -> Ladder {
        let last = self.0.last().copied();
        self.0.retain(|rung| *rung > asked + least || Some(*rung) == last);
        self
    }

    pub fn next(&self) -> Option<DateTime<Utc>> {
        self.0.first().copied()
    }

    /// Takes every rung due at `now`; true if there was one. Several missed rungs are one reminder.
    pub fn climb(&mut self, now: DateTime<Utc>) -> bool {
        let before = self.0.len();
        self.0.retain(|rung| *rung > now);
        self.0.len() < before
    }

    /// Moves every rung by the time a freeze lasted.
    pub fn shift(&mut self, by: Duration) {
        for rung in &mut self.0 {
            *rung += by;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_rungs_are_climbed_as_one() {
        let at = |h: i64| DateTime::from_timestamp(h * 3600, 0).unwrap();
        let mut ladder = Ladder::before(at(100), &[Duration::hours(10), Duration::hours(50)], at(0));
        assert_eq!(ladder.next(), Some(at(50)));
        assert!(!ladder.climb(at(49)));
        assert!(ladder.climb(at(95)));
        assert_eq!(ladder.next(), None);
        assert!(!ladder.climb(at(99)));
    }

    #[test]
    fn who_was_just_asked_is_reminded_once_all_the_same() {
        let at = |h: i64| DateTime::from_timestamp(h * 3600, 0).unwrap();
        let check = |close, expected: &[i64]| {
            let rungs = [48, 36, 12].map(Duration::hours);
            let mut ladder = Ladder::before(at(close), &rungs, at(0)).spaced(at(0), Duration::hours(24));
            let mut found = Vec::new();
            while let Some(next) = ladder.next() {
                found.push(next);
                ladder.climb(next);
            }
            assert_eq!(found, expected.iter().map(|hour| at(*hour)).collect::<Vec<_>>(), "{close} hours");
        };
        check(120, &[72, 84, 108]);
        check(72, &[36, 60]);
        check(20, &[8]);
        check(10, &[]);
    }

    #[test]
    fn a_rung_before_the_question_is_left_out() {
        let at = |h: i64| DateTime::from_timestamp(h * 3600, 0).unwrap();
        assert_eq!(Ladder::before(at(10), &[Duration::hours(20)], at(0)), Ladder::default());
    }
}
