//! The list of applications whose 90 days are over (step 9): how long, why, and when it would end from here. It goes to
//! people who can do something about it; nothing follows from it.

use super::{Accreditation, Policy, Running, Stage, View, days};
use crate::kernel::workflow::Overdue;
use chrono::{DateTime, Utc};

/// Whether an application is overdue at a moment.
pub(super) fn overdue(case: &Accreditation, now: DateTime<Utc>, policy: &Policy) -> Option<Overdue> {
    let (file, why, end) = match case {
        Accreditation::Running(running) if running.file.suspended() => {
            (&running.file, "suspended", projected(running, now, policy))
        }
        Accreditation::Running(running) => {
            (&running.file, running.stage.name(), projected(running, now, policy))
        }
        Accreditation::Decided(decided) if decided.notified.is_none() => (&decided.file, "decided", now),
        Accreditation::Drafting(_) | Accreditation::Decided(_) | Accreditation::Withdrawn(_) => return None,
    };
    let over = -file.clock(now).left;
    (over > 0).then_some(Overdue { days: over, why, end })
}

/// When it would be decided if what is left took its usual time from now on.
fn projected(running: &Running, now: DateTime<Utc>, policy: &Policy) -> DateTime<Utc> {
    let vote = days(policy.ballot_days);
    let step5 = days(policy.window_days) + vote;
    let advice = days(policy.advice_days) + step5;
    match &running.stage {
        Stage::DueDiligence(timer) => timer.due.max(now) + days(policy.review_days) + advice,
        Stage::RegionalReview(timer) => timer.due.max(now) + advice,
        Stage::AdviceDue(wait) => wait.timer.due.max(now) + step5,
        Stage::Telling(_) => now + step5,
        // Silence decides on positive advice alone.
        Stage::Window(window) if running.file.view() == View::Accredit => window.timer.due.max(now),
        Stage::Window(window) => window.timer.due.max(now) + vote,
        Stage::Held { .. } => now + vote,
        Stage::Voting(voting) => (voting.since + vote).max(now),
    }
}
