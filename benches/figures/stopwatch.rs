//! Reading the clock, for measuring alone; and what is made of many readings.

use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "a measurement is the one thing that time is for here")]
pub fn now() -> Instant {
    Instant::now()
}

pub fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

/// The value below which this share of all lie.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a short list"
    )]
    let at = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len());
    sorted[at - 1]
}

pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}
