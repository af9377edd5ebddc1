//! Exponential back-off with jitter: after a failed connection the next attempt waits, longer each time.

use std::time::Duration;
use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// Failures in a row and when the next attempt may be made. Timing of I/O only; it never reaches a decision.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
    not_before: Option<Instant>,
}

impl Backoff {
    /// How long to wait before the next attempt; `None`: go on.
    pub fn pause(&self) -> Option<Duration> {
        let left = self.not_before?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// An attempt worked: the next failure starts anew.
    pub fn success(&mut self) {
        *self = Backoff::default();
    }

    /// An attempt failed: 1 s, 2 s, 4 s … 5 min, each somewhere between half and the whole of it.
    pub fn failure(&mut self) {
        self.failures = self.failures.saturating_add(1);
        let pause = spread(step(self.failures), rand::random::<f64>());
        self.not_before = Some(Instant::now() + pause);
    }
}

fn step(failures: u32) -> Duration {
    FIRST.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1).min(16))).min(LONGEST)
}

/// `chance` in 0..1 picks a place in the upper half, so that many clients do not return at the same moment.
fn spread(pause: Duration, chance: f64) -> Duration {
    pause.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let pauses: Vec<u64> = (1..=12).map(|n| step(n).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn jitter_stays_between_half_and_whole() {
        assert_eq!(spread(Duration::from_secs(8), 0.0), Duration::from_secs(4));
        assert_eq!(spread(Duration::from_secs(8), 1.0), Duration::from_secs(8));
    }

    #[test]
    fn the_first_attempt_never_waits_and_success_forgets_failures() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.pause(), None);
        backoff.failure();
        assert!(backoff.pause().is_some_and(|p| p <= Duration::from_secs(1)));
        backoff.success();
        assert_eq!(backoff.pause(), None);
    }
}
