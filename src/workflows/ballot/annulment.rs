//! Annulling a ballot, open or planned: one person asks with a reason, a second one agrees or does not. Where the
//! matter that it was about has ended, nobody is asked.

use super::mails::Done;
use super::staff::{self, OFFICERS, Task};
use super::{Annulment, Ballot, Matter, ParentSays, Plan, Policy, Poll, mails, tally};
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::workflow::{Cx, Effect, Note, Order, Refusal, Reply, Step};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

impl Ballot {
    pub(super) fn matter(&self) -> &Matter {
        match self {
            Ballot::Planned(Plan { matter, .. }) | Ballot::Annulled { matter, .. } => matter,
            Ballot::Open(poll) | Ballot::Escalated { poll, .. } | Ballot::Closed { poll, .. } => &poll.matter,
        }
    }

    fn annulment(&self) -> Option<&Annulment> {
        match self {
            Ballot::Planned(plan) => plan.annulment.as_ref(),
            Ballot::Open(poll) => poll.annulment.as_ref(),
            Ballot::Escalated { .. } | Ballot::Closed { .. } | Ballot::Annulled { .. } => None,
        }
    }

    /// The same ballot with another request to annul it, or none.
    fn with_annulment(self, annulment: Option<Annulment>) -> Ballot {
        match self {
            Ballot::Planned(plan) => Ballot::Planned(Plan { annulment, ..plan }),
            Ballot::Open(poll) => Ballot::Open(Poll { annulment, ..poll }),
            over => over,
        }
    }
}

/// Whether a mail answers the question whether to annul.
pub(super) fn is_about(reply: &Reply) -> bool {
    asked(reply).is_some()
}

/// At which second the annulment was asked for that a mail is about.
fn asked(reply: &Reply) -> Option<i64> {
    match Task::of(&reply.answers.as_ref()?.label) {
        Some(Task::Annulment(at)) => Some(at),
        _ => None,
    }
}

/// The order `annul`: everybody else who may agree is asked.
pub(super) fn ask(ballot: Ballot, order: &Order, cx: &Cx<Policy>) -> Result<Step<Ballot>, Refusal> {
    let Reason { reason } = staff::arguments(order)?;
    let before = ballot.annulment().map(|asked| Effect::Cancel(Task::annulment(asked.at)));
    let asked = Annulment { by: order.by, os_user: order.os_user.clone(), reason, at: order.at };
    let others: Vec<Party> = OFFICERS
        .iter()
        .flat_map(|role| cx.register.holders(*role, None, cx.now))
        .filter(|person| *person != order.by)
        .map(Party::Person)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let task = mails::annulment(&ballot, &asked, others);
    let step = Step::to(ballot.with_annulment(Some(asked)));
    Ok(before.into_iter().fold(step, Step::with).with(Effect::Task(task)))
}

/// The orders `confirm-annul` and `refuse-annul`: the second person, at another account than the first.
pub(super) fn order(
    ballot: Ballot,
    order: &Order,
    agrees: bool,
    cx: &Cx<Policy>,
) -> Result<Step<Ballot>, Refusal> {
    let same = ballot.annulment().is_some_and(|asked| asked.os_user == order.os_user);
    if same && !order.os_user.is_empty() {
        return Err(second_person(&ballot));
    }
    second(ballot, order.by, agrees, cx)
}

/// The second person's word by mail.
pub(super) fn reply(ballot: Ballot, reply: &Reply, cx: &Cx<Policy>) -> Result<Step<Ballot>, Refusal> {
    let at = asked(reply).unwrap_or_default();
    let by = staff::officer(ballot.matter(), Task::Annulment(at), reply, cx)?;
    if ballot.annulment().is_some_and(|known| known.at.timestamp() != at) {
        return Err(Refusal::new("ballot/task-over", json!({ "question": ballot.matter().question })));
    }
    let agrees = staff::decision(ballot.matter(), Task::Annulment(at), reply)?;
    let done = if agrees { Done::Annulled } else { Done::Kept };
    let thanks = mails::task_done(ballot.matter(), reply.from, done);
    Ok(second(ballot, by, agrees, cx)?.tell(thanks))
}

fn second_person(ballot: &Ballot) -> Refusal {
    Refusal::new("ballot/second-person", json!({ "question": ballot.matter().question }))
}

/// The second person's word on an annulment.
fn second(ballot: Ballot, by: PersonId, agrees: bool, cx: &Cx<Policy>) -> Result<Step<Ballot>, Refusal> {
    let Some(asked) = ballot.annulment().cloned() else {
        let data = json!({ "question": ballot.matter().question });
        return Err(Refusal::new("ballot/nothing-to-annul", data));
    };
    if asked.by == by {
        return Err(second_person(&ballot));
    }
    let done = Effect::Cancel(Task::annulment(asked.at));
    if !agrees {
        let tell = mails::kept(ballot.matter(), asked.by, by);
        return Ok(Step::to(ballot.with_annulment(None)).with(done).tell(tell));
    }
    let note = ballot.matter().parent.map(|to| Effect::Note { to, body: json!({ "ballot": "annulled" }) });
    // What has opened was public: its voters are told, and its record says that it does not count. What had
    // not is known to those alone who planned it.
    let (tell, record, cancelled) = match &ballot {
        Ballot::Open(poll) => (
            mails::annulled(poll, &asked.reason),
            Some(Effect::Publish(tally::annulled(poll, &asked.reason, cx))),
            mails::asked_no_more(poll),
        ),
        other => (mails::annulled_planned(other.matter(), &asked, by), None, Vec::new()),
    };
    let matter = ballot.matter().clone();
    let (first, second) = (Some(asked.by), Some(by));
    let state = Ballot::Annulled { matter, reason: asked.reason, by: first, second, at: cx.now };
    let step = [done].into_iter().chain(cancelled).fold(Step::to(state), Step::with).tell(tell);
    Ok(record.into_iter().chain(note).fold(step, Step::with))
}

/// What the public record says of a ballot whose matter has ended.
const ENDED: &str = "The matter that was voted on has ended.";

/// Whether a note ends a ballot that is not over: its parent alone can.
pub(super) fn ends(ballot: &Ballot, note: &Note) -> bool {
    let over = matches!(ballot, Ballot::Closed { .. } | Ballot::Annulled { .. });
    let says = serde_json::from_value(note.body.clone()).ok();
    !over && says == Some(ParentSays::End) && ballot.matter().parent == Some(note.from)
}

/// The parent has ended, and the ballot with it. Its voters are told once; of one that had not opened nobody knows.
pub(super) fn ended(ballot: Ballot, cx: &Cx<Policy>) -> Step<Ballot> {
    let asked = ballot.annulment().map(|asked| Effect::Cancel(Task::annulment(asked.at)));
    let mut effects: Vec<Effect> = asked.into_iter().collect();
    if let Ballot::Open(poll) | Ballot::Escalated { poll, .. } = &ballot {
        effects.push(Effect::Cancel(staff::ESCALATION.into()));
        effects.extend(mails::asked_no_more(poll));
        effects.push(Effect::Tell(mails::ended(poll)));
        effects.push(Effect::Publish(tally::annulled(poll, ENDED, cx)));
    }
    let matter = ballot.matter().clone();
    let state = Ballot::Annulled { matter, reason: ENDED.to_owned(), by: None, second: None, at: cx.now };
    effects.into_iter().fold(Step::to(state), Step::with)
}
