//! The 90 days (step 9) as pure facts: what is used, what is left, when they end. They stand still while the
//! application is suspended, overlapping suspensions count once, and their end decides nothing.

use chrono::{DateTime, Duration, NaiveTime, Utc};
use serde::Serialize;

/// Days from the date of receipt to the date of the notice.
const DAYS: i64 = 90;

/// A time in which the clock stood still; still does where it has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    pub from: DateTime<Utc>,
    pub to: Option<DateTime<Utc>>,
}

/// What the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Reading {
    /// Whole days that have counted.
    pub used: i64,
    /// Whole days left; negative when overdue.
    pub left: i64,
    /// The end of the last day; as far as known, if it stands still.
    pub due: DateTime<Utc>,
    pub suspended: bool,
}

/// How long the clock stood still until a moment: the length of the union, exact.
pub(super) fn stood_still(intervals: &[Interval], until: DateTime<Utc>) -> Duration {
    let mut known: Vec<(DateTime<Utc>, DateTime<Utc>)> = intervals
        .iter()
        .map(|interval| (interval.from, interval.to.unwrap_or(until).min(until)))
        .filter(|(from, to)| from < to)
        .collect();
    known.sort_unstable();
    let mut sum = Duration::zero();
    let mut reached = DateTime::<Utc>::MIN_UTC;
    for (from, to) in known {
        let from = from.max(reached);
        if from < to {
            sum += to - from;
            reached = to;
        }
    }
    sum
}

/// Reads the clock.
pub(super) fn read(received: DateTime<Utc>, intervals: &[Interval], now: DateTime<Utc>) -> Reading {
    let open = intervals.iter().any(|interval| interval.to.is_none());
    // Looked at from the past, what was over later counts too: the end is moved by all of it.
    let latest = intervals.iter().filter_map(|interval| interval.to).max();
    let stood = stood_still(intervals, latest.map_or(now, |latest| latest.max(now)));
    let due = end_of_day(received + Duration::days(DAYS)) + stood;
    let used = (now - received - stood_still(intervals, now)).max(Duration::zero());
    Reading {
        used: used.num_days(),
        left: (due - now).num_seconds().div_euclid(86_400),
        due,
        suspended: open,
    }
}

/// The last second of a UTC day.
fn end_of_day(moment: DateTime<Utc>) -> DateTime<Utc> {
    let midnight = moment.date_naive().and_time(NaiveTime::MIN).and_utc();
    midnight + Duration::seconds(86_399)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}:00Z").parse().unwrap()
    }

    fn interval(from: &str, to: &str) -> Interval {
        Interval { from: at(from), to: (!to.is_empty()).then(|| at(to)) }
    }

    /// Received, intervals, now: the days used, left, and the last day.
    fn check(received: &str, intervals: &[(&str, &str)], now: &str, expected: (i64, i64, &str)) {
        let intervals: Vec<Interval> = intervals.iter().map(|(from, to)| interval(from, to)).collect();
        let reading = read(at(received), &intervals, at(now));
        let due = reading.due.format("%Y-%m-%dT%H:%M:%S").to_string();
        assert_eq!((reading.used, reading.left, due.as_str()), expected);
    }

    #[test]
    fn ninety_days_end_with_their_last_day() {
        check("2027-01-01T15:00", &[], "2027-01-01T15:00", (0, 90, "2027-04-01T23:59:59"));
        check("2027-01-01T15:00", &[], "2027-04-01T12:00", (89, 0, "2027-04-01T23:59:59"));
        check("2027-01-01T15:00", &[], "2027-04-02T00:00", (90, -1, "2027-04-01T23:59:59"));
    }

    #[test]
    fn a_leap_day_is_a_day() {
        check("2028-01-01T00:00", &[], "2028-03-01T00:00", (60, 30, "2028-03-31T23:59:59"));
    }

    #[test]
    fn overlapping_suspensions_count_once() {
        let two = [("2027-01-10T00:00", "2027-01-20T00:00"), ("2027-01-15T00:00", "2027-01-25T00:00")];
        check("2027-01-01T00:00", &two, "2027-01-31T00:00", (15, 75, "2027-04-16T23:59:59"));
        let inside = [("2027-01-10T00:00", "2027-01-20T00:00"), ("2027-01-12T00:00", "2027-01-13T00:00")];
        check("2027-01-01T00:00", &inside, "2027-01-31T00:00", (20, 70, "2027-04-11T23:59:59"));
    }

    #[test]
    fn a_suspension_counts_in_exact_time() {
        check(
            "2027-01-01T00:00",
            &[("2027-01-02T10:00", "2027-01-02T16:30")],
            "2027-01-03T06:29",
            (1, 89, "2027-04-02T06:29:59"),
        );
    }

    #[test]
    fn while_suspended_nothing_is_used() {
        let open = [("2027-01-11T00:00", "")];
        check("2027-01-01T00:00", &open, "2027-01-11T00:00", (10, 80, "2027-04-01T23:59:59"));
        check("2027-01-01T00:00", &open, "2027-06-11T00:00", (10, 80, "2027-08-30T23:59:59"));
        assert!(
            read(at("2027-01-01T00:00"), &[interval("2027-01-11T00:00", "")], at("2027-02-01T00:00"))
                .suspended
        );
    }
}
