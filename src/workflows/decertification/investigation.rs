//! From an anomaly to what was found: one of the staff takes it up, records each step with its moment, asks the
//! structure, and finishes. Whoever lets it lie is reminded, and then others are told. Nothing here decides.

use super::grounds::{FAILURES, Failure, Said, cut};
use super::{At, Deed, Next, Running, Stage, Timer, Why, days, mails, over, who};
use crate::kernel::choice::Choice;
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::Role;
use crate::kernel::said::Problem;
use crate::kernel::workflow::{Asks, Audience, Deputies, Effect, Notice, Refusal, Reply, Task};
use crate::letters::acts::Act;
use chrono::{DateTime, Utc};
use serde_json::json;

pub(super) const ANOMALY: &str = "anomaly";
pub(super) const LABEL: &str = "investigation";
pub(super) const FINDINGS: &str = "findings";
/// What the structure said, handed on.
pub(super) const ANSWER: &str = "answer";

/// Steps that are kept.
const MOST: usize = 200;

/// Staff are asked to look at what was noticed.
pub(super) fn raise(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let due = cx.now + days(cx.policy.anomaly_days);
    out.push(Effect::Task(anomaly(running, Audience::Role(Role::Staff, None), due, cx)));
    running.stage = Stage::Anomaly { remind_at: due, reminded: false };
}

fn anomaly(running: &Running, to: Audience, due: DateTime<Utc>, cx: &At) -> Task {
    let mut data = mails::findings(&running.file, cx);
    data["due"] = json!(due);
    Task::new(Notice::new(ANOMALY, to, "decertification/anomaly", data).asking(Asks::Decision), Some(due))
}

/// Nobody has taken it up: staff are reminded, and from the second time on the Chair is asked as well.
pub(super) fn remind(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let Stage::Anomaly { remind_at, reminded } = running.stage else { return };
    if remind_at > cx.now {
        return;
    }
    let due = cx.now + days(cx.policy.anomaly_days);
    let to = if reminded { Audience::Parties(who::officers(cx)) } else { Audience::Role(Role::Staff, None) };
    out.push(Effect::Cancel(ANOMALY.to_owned()));
    out.push(Effect::Task(anomaly(running, to, due, cx)));
    running.stage = Stage::Anomaly { remind_at: due, reminded: true };
}

/// Somebody of the staff takes it up.
pub(super) fn begin(
    running: &mut Running,
    owner: PersonId,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    if !matches!(running.stage, Stage::Anomaly { .. }) {
        return Err(mails::not_done(&running.file.name, "task-over"));
    }
    if !who::is_staff(owner, cx.now, cx) {
        return Err(mails::not_done(&running.file.name, "owner"));
    }
    running.file.owner = Some(owner);
    let due = cx.now + days(cx.policy.investigation_days);
    running.stage = Stage::Investigation(Timer::new(due, &cx.policy.investigation_reminder_days, cx.now));
    out.push(Effect::Cancel(ANOMALY.to_owned()));
    ask(running, due, "new", out, cx);
    Ok(())
}

/// Somebody else of the staff goes on with it.
pub(super) fn hand_over(
    running: &mut Running,
    owner: PersonId,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let Stage::Investigation(timer) = &running.stage else {
        return Err(mails::not_done(&running.file.name, "task-over"));
    };
    if !who::is_staff(owner, cx.now, cx) {
        return Err(mails::not_done(&running.file.name, "owner"));
    }
    let due = timer.due;
    running.file.owner = Some(owner);
    ask(running, due, "new", out, cx);
    Ok(())
}

/// The task of who investigates; of all the staff where that person is none of them any more.
fn ask(running: &Running, due: DateTime<Utc>, what: &str, out: &mut Vec<Effect>, cx: &At) {
    let file = &running.file;
    let mut data = mails::findings(file, cx);
    data["due"] = json!(due);
    data["what"] = json!(what);
    let owner = file.owner.filter(|owner| who::is_staff(*owner, cx.now, cx));
    let to = match owner {
        Some(owner) => Audience::Parties(vec![Party::Person(owner)]),
        None => Audience::Role(Role::Staff, None),
    };
    let notice = Notice::new(LABEL, to, "decertification/investigation", data).asking(Asks::Text);
    out.push(Effect::Cancel(LABEL.to_owned()));
    // It takes its time: deputies are for when that is over.
    out.push(Effect::Task(Task { notice, due: Some(due), deputies: Deputies::At(due) }));
}

/// Reminds the owner; once it is overdue, staff and the Chair are told as well, again and again.
pub(super) fn wake(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let Stage::Investigation(timer) = &mut running.stage else { return };
    let due = timer.due;
    let reminds = timer.reminders.climb(cx.now);
    if over(due) > cx.now {
        if reminds {
            ask(running, due, "reminder", out, cx);
        }
        return;
    }
    timer.due = cx.now + days(cx.policy.overdue_reminder_days);
    ask(running, due, "overdue", out, cx);
    let mut data = mails::facts(&running.file, cx);
    data["due"] = json!(due);
    data["owner"] = json!(running.file.owner.map(Party::Person));
    let officers = Audience::Parties(who::officers(cx));
    out.push(Effect::Tell(Notice::new("overdue", officers, "decertification/overdue", data)));
}

/// YES takes it up, NO dismisses it.
pub(super) fn decide(
    running: &mut Running,
    by: PersonId,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<Next, Refusal> {
    match (reply.said.problem, reply.said.choice) {
        (Problem::None, Some(Choice::Yes)) => {
            begin(running, by, out, cx)?;
            Ok(Next::Stay)
        }
        (Problem::None, Some(Choice::No)) => dismiss(running, by, &reply.said.text, reply.arrived),
        _ => Err(mails::decision_unclear(&running.file.name)),
    }
}

/// Nothing that must be followed up. The reason stays in the file's last step, which the journal keeps.
pub(super) fn dismiss(
    running: &mut Running,
    by: PersonId,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<Next, Refusal> {
    if !matches!(running.stage, Stage::Anomaly { .. } | Stage::Investigation(_)) {
        return Err(mails::not_done(&running.file.name, "task-over"));
    }
    step(running, Party::Person(by), reason, at);
    Ok(Next::Close(Why::Dismissed, at))
}

/// Notes a step.
pub(super) fn step(running: &mut Running, by: Party, what: &str, at: DateTime<Utc>) {
    let what = cut(what);
    if !what.is_empty() && running.file.steps.len() < MOST {
        running.file.steps.push(Deed { at, by, what });
    }
}

/// Notes a failure, once for each requirement and day.
pub(super) fn fail(running: &mut Running, failure: Failure) {
    let failures = &mut running.file.failures;
    let same = |known: &Failure| (known.requirement, known.date) == (failure.requirement, failure.date);
    if failures.len() < FAILURES && !failures.iter().any(same) {
        failures.push(failure);
    }
}

/// What staff write to the task's mail: steps, failures, questions to the structure; that it is finished, or closed.
pub(super) fn reply(
    running: &mut Running,
    by: PersonId,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<Next, Refusal> {
    let name = running.file.name.clone();
    let Stage::Investigation(timer) = &running.stage else { return Err(mails::not_done(&name, "task-over")) };
    let due = timer.due;
    let said = Said::of(&reply.said.text);
    let failures = said.failures(&name, cx.now.date_naive())?;
    let nothing = said.acts.is_empty() && said.questions.is_empty() && failures.is_empty();
    if said.unclear || (nothing && said.words.is_empty()) {
        return Err(noted(running, due, "unclear", cx).asking(Asks::Text).about(LABEL.to_owned()));
    }
    step(running, reply.from, &said.words, reply.arrived);
    failures.into_iter().for_each(|failure| fail(running, failure));
    for question in &said.questions {
        put(running, question, out, cx);
    }
    if said.has(Act::Close) {
        return dismiss(running, by, "", reply.arrived);
    }
    if said.has(Act::Finish) {
        finish(running, out, cx)?;
        return Ok(Next::Stay);
    }
    let Refusal { template, data, .. } = noted(running, due, "none", cx);
    out.push(Effect::Tell(Notice::new(LABEL, reply.from, template, data).asking(Asks::Text)));
    Ok(Next::Stay)
}

/// What is recorded so far; one can go on by answering.
fn noted(running: &Running, due: DateTime<Utc>, problem: &str, cx: &At) -> Refusal {
    let mut data = mails::findings(&running.file, cx);
    data["due"] = json!(due);
    data["problem"] = json!(problem);
    Refusal::new("decertification/noted", data)
}

/// A question to the structure, in staff's words. It accuses of nothing and starts no clock.
pub(super) fn put(running: &mut Running, question: &str, out: &mut Vec<Effect>, cx: &At) {
    running.file.questions += 1;
    let mut data = mails::facts(&running.file, cx);
    data["question"] = json!(question);
    let label = format!("question:{}", running.file.questions);
    let none = Audience::Parties(Vec::new());
    let notice = Notice::new(&label, none, "decertification/question", data).asking(Asks::Text);
    mails::addressed(&notice, &who::structure(&running.file, cx), &running.file.addresses, out);
}

/// The structure answers a question: a step of its own, handed on to staff.
pub(super) fn answered(
    running: &mut Running,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    if reply.said.text.trim().is_empty() {
        return Err(mails::not_done(&running.file.name, "empty").asking(Asks::Text));
    }
    step(running, reply.from, &reply.said.text, reply.arrived);
    let mut data = mails::facts(&running.file, cx);
    data["text"] = json!(reply.said.text);
    data["from"] = json!(reply.from);
    let staff = Audience::Parties(who::staff(cx));
    out.push(Effect::Tell(Notice::new(ANSWER, staff, "decertification/answer", data).asking(Asks::Text)));
    out.push(mails::thanks(&running.file, reply.from, "answer", cx));
    Ok(())
}

/// What was found goes to those who may propose. If nobody does, it ends there.
pub(super) fn finish(running: &mut Running, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    if !matches!(running.stage, Stage::Investigation(_)) {
        return Err(mails::not_done(&running.file.name, "task-over"));
    }
    let until = cx.now + days(cx.policy.proposal_days);
    let mut data = mails::findings(&running.file, cx);
    data["until"] = json!(until);
    data["days"] = json!(cx.policy.proposal_days);
    let to = Audience::Parties(who::proposers(running.file.region, cx));
    let notice = Notice::new(FINDINGS, to, "decertification/findings", data).asking(Asks::Text);
    out.push(Effect::Cancel(LABEL.to_owned()));
    out.push(Effect::Tell(notice.not_after(until)));
    running.stage = Stage::Investigated { until };
    Ok(())
}
