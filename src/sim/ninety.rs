//! The ninety days by the words of the rule (step 9), worked out from when mails left and arrived. It shares no code
//! with the clock of the workflow.
//!
//! They run from the date on which a complete application was received to that on which the applicant is notified,
//! and stand still while the application is suspended: on the applicant's wish from its arrival, for information from
//! when the notice that asks for it has left; until what ends it has arrived.

use super::applications::Matter;
use crate::ports::store::{JournalRow, NoticeRow};
use chrono::{DateTime, Days, Duration, NaiveTime, Utc};
use serde_json::Value;

type Moment = DateTime<Utc>;

/// One suspension as mails and the record tell it.
struct Rest {
    from: Moment,
    to: Option<Moment>,
    /// The steps that knew of its beginning and of its end.
    begun: u32,
    ended: Option<u32>,
}

/// How long at least one of these lasted.
pub fn union(mut spans: Vec<(Moment, Moment)>) -> Duration {
    spans.sort_unstable();
    let (mut sum, mut covered) = (Duration::zero(), Moment::MIN_UTC);
    for (from, to) in spans {
        let from = from.max(covered);
        if to > from {
            sum += to - from;
            covered = to;
        }
    }
    sum
}

/// The last second of the ninetieth day, moved by the time that stood still.
fn due(received: Moment, stood: Duration) -> Option<Moment> {
    let last = received.date_naive().checked_add_days(Days::new(90))?;
    Some(last.and_time(NaiveTime::from_hms_opt(23, 59, 59)?).and_utc() + stood)
}

/// When what a step took in had arrived.
pub fn arrival(step: &JournalRow) -> Option<Moment> {
    let input = &step.entry.input;
    let at = [&["reply", "arrived"][..], &["order", "args", "received"], &["order", "at"]];
    let follow = |path: &[&str]| path.iter().try_fold(input, |value, key| value.get(key)).cloned();
    at.into_iter().filter_map(follow).find(|value| !value.is_null()).and_then(moment)
}

fn moment(value: Value) -> Option<Moment> {
    serde_json::from_value(value).ok()
}

impl Matter<'_> {
    /// What is wrong with the suspensions and the ninety days of an application.
    pub fn clock(&self) -> Vec<String> {
        let Some(file) = &self.file else { return Vec::new() };
        let mut wrong = Vec::new();
        let mut rests = Vec::new();
        for one in &file.suspensions {
            let label = format!("suspension:{}", one.number);
            let own = one.ground == "applicant";
            let told = self.told("accreditation/suspended").filter(|notice| notice.row.label == label);
            let left = told.filter_map(|notice| notice.sent_at).min();
            let by_wish = self.step_of(|step| arrival(step) == Some(one.asked));
            let after = |at: Moment| one.lifted.is_none_or(|lifted| at <= lifted);
            let expected = if own { by_wish.map(|_| one.asked) } else { left.filter(|at| after(*at)) };
            if one.started != expected {
                let (started, id) = (one.started, self.case.id);
                wrong.push(format!("{id} stands still from {started:?}, must from {expected:?} ({label})"));
            }
            let ended = one.lifted.and_then(|lifted| self.step_of(|step| arrival(step) == Some(lifted)));
            if one.lifted.is_some() && ended.is_none() {
                wrong.push(format!("{} goes on again, and nothing arrived ({label})", self.case.id));
            }
            let heard = |step: &JournalRow| {
                step.entry.input.pointer("/sent/label").and_then(Value::as_str) == Some(label.as_str())
            };
            let begun = if own { by_wish } else { self.step_of(heard) };
            if let (Some(from), Some(begun)) = (expected, begun) {
                rests.push(Rest { from, to: one.lifted, begun, ended });
            }
        }
        wrong.extend(self.days_told(file.received, &rests));
        wrong.extend(self.ends());
        wrong
    }

    /// Every mail says the same day as the rule. A step that changes a suspension may say it before or after; what
    /// deputies get is the mail that others got before them.
    fn days_told(&self, received: Moment, rests: &[Rest]) -> Vec<String> {
        let told = |notice: &NoticeRow| {
            let seq = notice.row.id.seq;
            let said = moment(notice.row.data.get("clock_due")?.clone())?;
            let same = |other: &NoticeRow, key| other.row.data.get(key) == notice.row.data.get(key);
            let again = |other: &NoticeRow| {
                let before = other.row.id.seq < seq && other.row.label == notice.row.label;
                before && same(other, "due") && same(other, "clock_due")
            };
            if self.notices.iter().any(again) {
                return None;
            }
            if rests.iter().any(|rest| rest.begun == seq || rest.ended == Some(seq)) {
                return None;
            }
            let spans = rests.iter().filter(|rest| rest.begun < seq).map(|rest| {
                let known = rest.to.filter(|_| rest.ended.is_some_and(|ended| ended < seq));
                (rest.from, known.unwrap_or(notice.created))
            });
            let right = due(received, union(spans.collect()))?;
            (said != right).then(|| {
                let (id, template) = (notice.row.id, &notice.row.template);
                format!("{id} {template} says the ninety days end {said}, by the rule they end {right}")
            })
        };
        self.notices.iter().filter_map(told).take(2).collect()
    }

    /// The days end when the notice of the decision has left, or somebody has reached the applicant.
    fn ends(&self) -> Option<String> {
        let at = self.decided.as_ref()?.notified?;
        let notices = ["accreditation/accredited", "accreditation/refused"];
        let left = notices.into_iter().flat_map(|template| self.told(template));
        let left = left.filter_map(|notice| notice.sent_at).any(|sent| sent == at);
        let reached = self.step_of(|step| arrival(step) == Some(at)).is_some();
        (!left && !reached).then(|| format!("{} counts as notified at {at}, when nothing left", self.case.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_stands_still_once_and_the_last_day_is_whole() {
        let at = |day: u32, hour: u32| Moment::UNIX_EPOCH + Duration::hours(i64::from(day * 24 + hour));
        let stood = union(vec![(at(10, 0), at(20, 0)), (at(15, 0), at(25, 6)), (at(12, 0), at(13, 0))]);
        assert_eq!(stood, Duration::hours(15 * 24 + 6));
        assert_eq!(due(at(0, 13), Duration::zero()), Some(at(91, 0) - Duration::seconds(1)));
    }
}
