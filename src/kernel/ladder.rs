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
    fn a_rung_before_the_question_is_left_out() {
        let at = |h: i64| DateTime::from_timestamp(h * 3600, 0).unwrap();
        assert_eq!(Ladder::before(at(10), &[Duration::hours(20)], at(0)), Ladder::default());
    }
}
