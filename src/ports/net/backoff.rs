//! Exponential back-off with jitter: after a failed connection the next attempt waits, longer each time.

use futures::FutureExt;
use std::{pin::Pin, time::Duration};
use tokio::time::Sleep;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// A span of time that began when this was made. It can be asked and awaited, and knows no clock.
#[derive(Debug)]
pub struct Timer(Pin<Box<Sleep>>);

impl Timer {
    pub fn start(span: Duration) -> Timer {
        Timer(Box::pin(tokio::time::sleep(span)))
    }

    /// Whether the span is over.
    pub fn is_over(&mut self) -> bool {
        self.0.as_mut().now_or_never().is_some()
    }

    /// Waits until it is.
    pub async fn over(&mut self) {
        self.0.as_mut().await;
    }
}

/// Failures in a row and when the next attempt may be made. Timing of I/O only; it never reaches a decision.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
    pause: Option<(Duration, Timer)>,
}

impl Backoff {
    /// The length of the pause that is not yet over; `None`: go on.
    pub fn pause(&mut self) -> Option<Duration> {
        let (span, timer) = self.pause.as_mut()?;
        (!timer.is_over()).then_some(*span)
    }

    /// Waits until the next attempt may be made.
    pub async fn over(&mut self) {
        if let Some((_, timer)) = &mut self.pause {
            timer.over().await;
        }
    }

    /// An attempt worked: the next failure starts anew.
    pub fn success(&mut self) {
        *self = Backoff::default();
    }

    /// An attempt failed: 1 s, 2 s, 4 s … 5 min, each somewhere between half and the whole of it.
    pub fn failure(&mut self) {
        self.failures = self.failures.saturating_add(1);
        let span = spread(step(self.failures), rand::random::<f64>());
        self.pause = Some((span, Timer::start(span)));
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

    #[tokio::test]
    async fn the_first_attempt_never_waits_and_success_forgets_failures() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.pause(), None);
        backoff.failure();
        assert!(backoff.pause().is_some_and(|p| p <= FIRST));
        backoff.over().await;
        assert_eq!(backoff.pause(), None);
        backoff.failure();
        assert!(backoff.pause().is_some_and(|p| p >= FIRST));
        backoff.success();
        assert_eq!(backoff.pause(), None);
    }
}
