//! The clock of a ballot: reminders, the close, and what follows from too few answers.

use super::{Ballot, Policy, Poll, Round, mails, setup, staff, tally};
use crate::kernel::ballot::{Outcome, Verdict};
use crate::kernel::workflow::{Cx, Effect, Notice, Step};
use chrono::Duration;
use serde_json::json;

/// Reminds, waits for confirmations, or closes; harmless when early.
pub(super) fn wake(mut poll: Poll, cx: &Cx<Policy>) -> Step<Ballot> {
    if poll.frozen.is_some() {
        return Step::to(Ballot::Open(poll));
    }
    if cx.now < poll.over() {
        let reminders = if poll.reminders.climb(cx.now) { remind(&poll, cx) } else { Vec::new() };
        return reminders.into_iter().fold(Step::to(Ballot::Open(poll)), Step::tell);
    }
    let until = poll.closes + cx.policy.grace();
    let unconfirmed = poll.pending.values().any(|pending| poll.in_time(pending.arrived));
    if unconfirmed && cx.now <= until {
        poll.waiting = Some(until + Duration::seconds(1));
        return Step::to(Ballot::Open(poll));
    }
    poll.pending.clear();
    poll.waiting = None;
    close(poll, cx)
}

/// One mail to each who still owes something: an answer, or the word that an answer was hers.
fn remind(poll: &Poll, cx: &Cx<Policy>) -> Vec<Notice> {
    let until = poll.closes + cx.policy.grace();
    let answers = poll.owing().into_iter().map(|voter| mails::reminder(poll, voter));
    let words = poll.pending.iter().map(|(voter, pending)| mails::confirm(poll, *voter, pending, until));
    answers.chain(words).collect()
}

/// Counts, and decides or gives those who are silent another chance.
pub(super) fn close(mut poll: Poll, cx: &Cx<Policy>) -> Step<Ballot> {
    let counts = poll.counts();
    let verdict = poll.matter.rule.decide(counts, poll.sitting());
    if verdict.outcome != Outcome::Inquorate {
        return decided(poll, verdict, cx);
    }
    if !poll.extended {
        return extend(poll, cx);
    }
    poll.earlier.push(Round { round: poll.round, opened: poll.opened, closed: cx.now, counts, verdict });
    if poll.round <= cx.policy.reruns {
        let cancel = mails::asked_no_more(&poll);
        let next = setup::begin(poll.matter, poll.round + 1, poll.earlier, poll.asked, cx);
        // The old round's asks go before the new round's are written.
        return Step { state: next.state, effects: cancel.into_iter().chain(next.effects).collect() };
    }
    escalate(poll, verdict, cx)
}

/// Everybody learns the result; the parent is told; the tally is published.
fn decided(poll: Poll, verdict: Verdict, cx: &Cx<Policy>) -> Step<Ballot> {
    let counts = poll.counts();
    let result = mails::result(&poll, counts, verdict, cx.case.to_string());
    let record = tally::record(&poll, Some(verdict), cx);
    let note = poll.matter.parent.map(|to| Effect::Note { to, body: json!({ "ballot": verdict.outcome }) });
    let over = mails::asked_no_more(&poll);
    let closed = Ballot::Closed { poll, verdict: Some(verdict), counts, at: cx.now };
    let step = over.into_iter().fold(Step::to(closed), Step::with).tell(result);
    note.into_iter().fold(step.with(Effect::Publish(record)), Step::with)
}

fn extend(mut poll: Poll, cx: &Cx<Policy>) -> Step<Ballot> {
    poll.extended = true;
    poll.waiting = None;
    poll.closes = poll.closes.max(cx.now) + Duration::days(i64::from(cx.policy.extend_days));
    poll.reminders = cx.policy.ladder(poll.closes, cx.now);
    let asks: Vec<_> = poll.owing().into_iter().map(|voter| mails::extended(&poll, voter)).collect();
    let note = poll.matter.parent.map(|to| Effect::Note { to, body: json!({ "extended_to": poll.closes }) });
    let step = asks.into_iter().fold(Step::to(Ballot::Open(poll)), Step::tell);
    note.into_iter().fold(step, Step::with)
}

/// No quorum after an extension and a re-run: nothing is decided, and the Chair is asked.
fn escalate(poll: Poll, verdict: Verdict, cx: &Cx<Policy>) -> Step<Ballot> {
    let result = mails::result(&poll, poll.counts(), verdict, cx.case.to_string());
    let task = mails::escalation(&poll, verdict, staff::deciding(cx));
    let record = tally::record(&poll, Some(verdict), cx);
    let note = poll.matter.parent.map(|to| Effect::Note { to, body: json!({ "ballot": verdict.outcome }) });
    let remind_at = cx.now + Duration::days(i64::from(cx.policy.chair_reminder_days));
    let over = mails::asked_no_more(&poll);
    let step = over
        .into_iter()
        .fold(Step::to(Ballot::Escalated { poll, verdict, remind_at }), Step::with)
        .tell(result)
        .with(Effect::Task(task))
        .with(Effect::Publish(record));
    note.into_iter().fold(step, Step::with)
}
