//! What staff and the Chair do about a ballot: enter one from paper, reach a voter whose addresses fail,
//! decide what follows from two rounds without a quorum. Annulling has a file of its own.

use super::mails::Done;
use super::{Ballot, Entry, Matter, Paper, Policy, Poll, What, annulment, answers, mails, setup};
use crate::kernel::assurance::Act;
use crate::kernel::ballot::Verdict;
use crate::kernel::choice::Choice;
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::Role;
use crate::kernel::said::Problem;
use crate::kernel::workflow::{Asks, Cx, Effect, Input, Order, Refusal, Reply, Step, Undelivered};
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;

/// The label of the question what becomes of a vote that twice had too few voters.
pub(super) const ESCALATION: &str = "escalation";

/// A task of this workflow, by the label of the mail that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Asked for at this second: an answer is about no other request.
    Annulment(i64),
    Escalation,
    Unreachable(Party),
}

impl Task {
    pub(super) fn of(label: &str) -> Option<Task> {
        let (kind, rest) = label.split_once(':').unwrap_or((label, ""));
        match kind {
            "annulment" => rest.parse().ok().map(Task::Annulment),
            ESCALATION => Some(Task::Escalation),
            "unreachable" => rest.parse().ok().map(Task::Unreachable),
            _ => None,
        }
    }

    /// What the mail of such a task asks.
    pub(super) fn asks(self) -> Asks {
        match self {
            Task::Annulment(_) | Task::Escalation => Asks::Decision,
            Task::Unreachable(_) => Asks::Text,
        }
    }

    pub(super) fn annulment(at: DateTime<Utc>) -> String {
        format!("annulment:{}", at.timestamp())
    }

    pub(super) fn unreachable(voter: Party) -> String {
        format!("unreachable:{voter}")
    }
}

/// Roles that may order something about a ballot, or agree to it.
pub(super) const OFFICERS: [Role; 4] = [Role::Staff, Role::StaffDeputy, Role::AlacChair, Role::AlacViceChair];

fn is_staff(person: PersonId, at: DateTime<Utc>, cx: &Cx<Policy>) -> bool {
    let roles = [Role::Staff, Role::StaffDeputy];
    cx.register.person(person).is_some_and(|p| roles.iter().any(|role| p.has(*role, at)))
}

fn is_officer(person: PersonId, at: DateTime<Utc>, cx: &Cx<Policy>) -> bool {
    cx.register.person(person).is_some_and(|p| OFFICERS.iter().any(|role| p.has(*role, at)))
}

/// Who decides about a ballot without quorum: the Chair, or who deputises for her, and staff.
pub(super) fn deciding(cx: &Cx<Policy>) -> Vec<Party> {
    let chairs = cx.register.holders(Role::AlacChair, None, cx.now);
    let chairs =
        if chairs.is_empty() { cx.register.holders(Role::AlacViceChair, None, cx.now) } else { chairs };
    let staff = cx.register.holders(Role::Staff, None, cx.now);
    chairs.into_iter().chain(staff).collect::<BTreeSet<_>>().into_iter().map(Party::Person).collect()
}

/// Orders given at the keyboard: `annul`, `confirm-annul`, `refuse-annul`, `record`, `reached`; `run-again` and
/// `leave` once escalated.
pub(super) fn order(ballot: Ballot, order: &Order, cx: &Cx<Policy>) -> Result<Step<Ballot>, Refusal> {
    if !is_officer(order.by, order.at, cx) {
        return Err(Refusal::new("ballot/not-staff", json!({ "verb": order.verb })));
    }
    match (ballot, order.verb.as_str()) {
        (ballot @ (Ballot::Open(_) | Ballot::Planned(_)), "annul") => annulment::ask(ballot, order, cx),
        (ballot @ (Ballot::Open(_) | Ballot::Planned(_)), "confirm-annul") => {
            annulment::order(ballot, order, true, cx)
        }
        (ballot @ (Ballot::Open(_) | Ballot::Planned(_)), "refuse-annul") => {
            annulment::order(ballot, order, false, cx)
        }
        // The Chair and her deputies vote themselves; paper is for staff alone.
        (Ballot::Open(poll), "record") if is_staff(order.by, order.at, cx) => paper(poll, order),
        (Ballot::Open(poll), "reached") if is_staff(order.by, order.at, cx) => {
            let Reached { voter } = arguments(order)?;
            reached(poll, voter)
        }
        (Ballot::Escalated { poll, .. }, "run-again") => Ok(decided(poll, true, cx)),
        (Ballot::Escalated { poll, .. }, "leave") => Ok(decided(poll, false, cx)),
        (ballot, verb) => {
            let data = json!({ "verb": verb, "phase": crate::kernel::workflow::Workflow::phase(&ballot) });
            Err(Refusal::new("ballot/no-such-order", data))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnPaper {
    voter: Party,
    choice: Choice,
    /// Where the paper is kept.
    reference: String,
    /// When it was received; the moment of the order where left out.
    received: Option<DateTime<Utc>>,
}

fn paper(poll: Poll, order: &Order) -> Result<Step<Ballot>, Refusal> {
    let OnPaper { voter, choice, reference, received } = arguments(order)?;
    let arrived = received.unwrap_or(order.at).min(order.at);
    if !poll.electorate.contains(&voter) {
        return Err(Refusal::new("ballot/not-a-voter", json!({ "question": poll.matter.question })));
    }
    if !poll.in_time(arrived) {
        let data = json!({ "question": poll.matter.question, "closes": poll.closes, "arrived": arrived });
        return Err(Refusal::new("ballot/late", data));
    }
    let paper = Some(Paper { by: order.by, reference });
    let what = What::Voted { choice, code: answers::code(&order.nonce), paper };
    Ok(answers::record(poll, voter, Entry { arrived, what }))
}

pub(super) fn arguments<T: serde::de::DeserializeOwned>(order: &Order) -> Result<T, Refusal> {
    serde_json::from_value(order.args.clone()).map_err(|error| {
        Refusal::new("ballot/order-unreadable", json!({ "verb": order.verb, "why": error.to_string() }))
    })
}

/// A task done by replying to the mail that asked.
pub(super) fn answer(
    poll: Poll,
    task: Task,
    reply: &Reply,
    cx: &Cx<Policy>,
) -> Result<Step<Ballot>, Refusal> {
    officer(&poll.matter, task, reply, cx)?;
    match task {
        Task::Unreachable(voter) => {
            let thanks = mails::task_done(&poll.matter, reply.from, Done::Reached(voter));
            Ok(reached(poll, voter)?.tell(thanks))
        }
        // The Chair's task exists only once the ballot is escalated; annulling is done elsewhere.
        Task::Escalation | Task::Annulment(_) => {
            Err(Refusal::new("ballot/task-over", json!({ "question": poll.matter.question })))
        }
    }
}

/// Staff have reached a voter none of whose addresses took mail.
fn reached(mut poll: Poll, voter: Party) -> Result<Step<Ballot>, Refusal> {
    if !poll.unreachable.contains(&voter) || !poll.reached.insert(voter) {
        return Err(Refusal::new("ballot/task-over", json!({ "question": poll.matter.question })));
    }
    Ok(Step::to(Ballot::Open(poll)).with(Effect::Cancel(Task::unreachable(voter))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reached {
    voter: Party,
}

/// Who does the task: an officer, and surely she.
pub(super) fn officer(
    matter: &Matter,
    task: Task,
    reply: &Reply,
    cx: &Cx<Policy>,
) -> Result<PersonId, Refusal> {
    let Party::Person(by) = reply.from else {
        return Err(Refusal::new("ballot/not-staff", json!({ "verb": "" })));
    };
    if !is_officer(by, reply.arrived, cx) {
        return Err(Refusal::new("ballot/not-staff", json!({ "verb": "" })));
    }
    if !cx.acts.allows(Act::Task, reply.assurance) {
        let data = mails::task_facts(matter, task);
        return Err(Refusal::new("ballot/task-unsure", data).asking(task.asks()));
    }
    Ok(by)
}

/// YES or NO to a task that is a decision.
pub(super) fn decision(matter: &Matter, task: Task, reply: &Reply) -> Result<bool, Refusal> {
    match (reply.said.problem, reply.said.choice) {
        (Problem::None, Some(Choice::Yes)) => Ok(true),
        (Problem::None, Some(Choice::No)) => Ok(false),
        _ => {
            let data = mails::task_facts(matter, task);
            Err(Refusal::new("ballot/decision-unclear", data).asking(Asks::Decision))
        }
    }
}

/// An ask that bounced goes to the voter's next address, and becomes a task when there is none.
pub(super) fn undelivered(mut poll: Poll, bounce: &Undelivered, cx: &Cx<Policy>) -> Step<Ballot> {
    let voter = bounce.to;
    let asks = bounce.label == mails::asking(voter) && poll.owing().contains(&voter);
    let confirms =
        poll.pending.get(&voter).is_some_and(|p| bounce.label == mails::confirming(voter, p.number));
    let tried = poll.addresses.get(&voter).copied().unwrap_or(0);
    // A bounce of an address that was given up already is no news.
    if !bounce.permanent || bounce.address != tried || !(asks || confirms) {
        return Step::to(Ballot::Open(poll));
    }
    let addresses = cx.register.speaker(voter).map_or(0, |person| person.addresses.len());
    let next = tried.saturating_add(1);
    if usize::from(next) < addresses {
        poll.addresses.insert(voter, next);
        let notice = match poll.pending.get(&voter).filter(|_| confirms) {
            Some(pending) => mails::confirm(&poll, voter, pending, poll.closes + cx.policy.grace()),
            None => mails::ballot(&poll, voter),
        };
        return Step::to(Ballot::Open(poll)).tell(notice);
    }
    // Nothing is left to try: the preferred one may work again, and a person is asked, once.
    poll.addresses.remove(&voter);
    if !poll.unreachable.insert(voter) {
        return Step::to(Ballot::Open(poll));
    }
    let task = mails::unreachable(&poll, voter);
    Step::to(Ballot::Open(poll)).with(Effect::Task(task))
}

/// Waiting for the Chair: YES runs the ballot once more, NO leaves it undecided. Reminded until then.
pub(super) fn escalated(
    poll: Poll,
    verdict: Verdict,
    remind_at: DateTime<Utc>,
    input: &Input,
    cx: &Cx<Policy>,
) -> Result<Step<Ballot>, Refusal> {
    match input {
        Input::Wake if remind_at <= cx.now => {
            let task = mails::escalation(&poll, verdict, deciding(cx));
            let remind_at = cx.now + Duration::days(i64::from(cx.policy.chair_reminder_days));
            let done = Effect::Cancel(ESCALATION.into());
            Ok(Step::to(Ballot::Escalated { poll, verdict, remind_at }).with(done).with(Effect::Task(task)))
        }
        Input::Reply(reply) => {
            let label = reply.answers.as_ref().map(|answers| answers.label.as_str());
            if label.and_then(Task::of) != Some(Task::Escalation) {
                let escalated = Ballot::Escalated { poll, verdict, remind_at };
                return Err(answers::over(&escalated, reply, cx));
            }
            officer(&poll.matter, Task::Escalation, reply, cx)?;
            let again = decision(&poll.matter, Task::Escalation, reply)?;
            let done = if again { Done::RunAgain } else { Done::LeftUndecided };
            let thanks = mails::task_done(&poll.matter, reply.from, done);
            Ok(decided(poll, again, cx).tell(thanks))
        }
        _ => Ok(Step::to(Ballot::Escalated { poll, verdict, remind_at })),
    }
}

/// What was decided about a ballot without quorum: it is run once more, or left undecided and everybody told.
fn decided(poll: Poll, again: bool, cx: &Cx<Policy>) -> Step<Ballot> {
    let done = Effect::Cancel(ESCALATION.into());
    if again {
        let step = setup::begin(poll.matter, poll.round + 1, poll.earlier, poll.asked, cx);
        return Step { state: step.state, effects: std::iter::once(done).chain(step.effects).collect() };
    }
    let counts = poll.counts();
    let tell = mails::left_undecided(&poll);
    let note = poll.matter.parent.map(|to| Effect::Note { to, body: json!({ "ballot": "left-undecided" }) });
    let closed = Ballot::Closed { poll, verdict: None, counts, at: cx.now };
    note.into_iter().fold(Step::to(closed).with(done).tell(tell), Step::with)
}
