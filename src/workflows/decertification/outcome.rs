//! The decision: the notice with how to have it reviewed, either way; what the register does when a structure is no
//! longer one; what is public; a request for a review. And the end without a decision.

use super::{At, Closed, Decertification, Decided, File, Running, Why, investigation, mails, record, who};
use crate::kernel::assurance::Act as Need;
use crate::kernel::ids::{CaseId, Party};
use crate::kernel::people::{Organisation, Person, Role};
use crate::kernel::register::{Change, Register};
use crate::kernel::workflow::{
    Asks, Audience, Class, Effect, Input, Notice, Order, Refusal, Reply, Step, Task, Undelivered,
};
use crate::letters::acts::{self, Act};
use crate::workflows::ballot::ParentSays;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeSet;

pub(super) const LABEL: &str = "decision";
const REVIEW: &str = "review";
const CONSEQUENCES: &str = "consequences";

/// Nothing of what was asked is asked any more.
fn asked_no_more(file: &File) -> impl Iterator<Item = Effect> {
    let fixed = [
        investigation::ANOMALY,
        investigation::LABEL,
        investigation::FINDINGS,
        super::proposal::LABEL,
        super::hearing::LEAVE,
        super::deciding::STUCK,
        "reminder",
    ];
    let unreached = file.unreached.iter().map(|party| format!("unreachable:{party}"));
    let questions = (1..=file.questions).map(|n| format!("question:{n}"));
    let all: Vec<String> = fixed.into_iter().map(str::to_owned).chain(unreached).chain(questions).collect();
    all.into_iter().map(Effect::Cancel)
}

/// Decides: the structure and those on this side are told, the register follows, the record is published.
pub(super) fn decide(
    file: File,
    decertified: bool,
    at: DateTime<Utc>,
    ballot: Option<CaseId>,
    mut out: Vec<Effect>,
    cx: &At,
) -> Step<Decertification> {
    out.extend(asked_no_more(&file));
    let mut told: BTreeSet<Party> = who::structure(&file, cx);
    told.extend(file.noticed_to.iter().filter(|party| matches!(party, Party::Person(_))));
    let (awaiting, notified, review) = (told.clone(), None, None);
    let decided = Decided { file, decertified, at, ballot, told, awaiting, notified, review };
    let file = &decided.file;
    mails::addressed(&notice(&decided, cx), &decided.told, &file.addresses, &mut out);
    let data = mails::decided(&decided, cx);
    let to = Audience::Parties(who::committee_and_staff(file.region, cx));
    let public = Notice::new("decided", to, "decertification/decided", data.clone());
    out.push(Effect::Tell(Notice { class: Class::Public, ..public }));
    if decertified {
        out.extend(no_longer(file, at, cx.register).into_iter().map(Effect::Register));
        let staff = Audience::Role(Role::Staff, None);
        let task = Notice::new(CONSEQUENCES, staff, "decertification/consequences", data);
        out.push(Effect::Task(Task::new(task.asking(Asks::Text), None)));
    }
    out.push(Effect::Publish(record::decided(&decided, cx)));
    Step { state: Decertification::Decided(Box::new(decided)), effects: out }
}

/// The notice to the structure: whichever way it went, it says how to ask for a review.
fn notice(decided: &Decided, cx: &At) -> Notice {
    let template =
        if decided.decertified { "decertification/decertified" } else { "decertification/retained" };
    let to = Audience::Parties(Vec::new());
    let notice = Notice::new(LABEL, to, template, mails::decided(decided, cx)).asking(Asks::Text);
    Notice { report_sent: true, ..notice }
}

/// What the register does: nobody represents the structure from then on, it speaks and votes through nobody, and no
/// general mail goes to it. What it was before stays known, by its dates.
fn no_longer(file: &File, at: DateTime<Utc>, register: &Register) -> Vec<Change> {
    let own = |held: &crate::kernel::people::RoleHeld| {
        held.role == Role::AlsRepresentative && held.organisation == Some(file.organisation)
    };
    let open = |person: &&Person| person.roles.iter().any(|held| own(held) && held.holds_at(at));
    let ended = |person: &Person| {
        let mut person = person.clone();
        for held in person.roles.iter_mut().filter(|held| own(held) && held.holds_at(at)) {
            held.until = Some(at);
        }
        Change::Person(person)
    };
    let people = register.people().filter(open).map(ended);
    let organisation = register.organisation(file.organisation).map(|known| {
        let until = Some(known.until.map_or(at, |until| until.min(at)));
        let (representatives, prime) = (Vec::new(), None);
        Change::Organisation(Organisation { representatives, prime, until, ..known.clone() })
    });
    people.chain(organisation).collect()
}

/// The end without a decision: the structure stays what it is. It is told where it knew of the matter.
pub(super) fn close(
    running: &Running,
    why: Why,
    at: DateTime<Utc>,
    mut out: Vec<Effect>,
    cx: &At,
) -> Step<Decertification> {
    let file = &running.file;
    out.extend(asked_no_more(file));
    let ballot = mails::ballot_of(&running.stage);
    out.extend(ballot.map(|to| Effect::Note { to, body: json!(ParentSays::End) }));
    let mut data = mails::facts(file, cx);
    data["why"] = json!(why);
    let to = match why {
        Why::Dismissed => who::officers(cx),
        // Those who knew what was found.
        Why::NotProposed => who::committee_and_staff(file.region, cx),
        _ => who::committee(file, cx),
    };
    let told = Notice::new("closed", Audience::Parties(to), "decertification/closed", data.clone());
    out.push(Effect::Tell(told));
    let mut structure = file.noticed_to.clone();
    if why == Why::Stays {
        structure.extend(who::prime(file, cx));
    }
    structure.retain(|party| matches!(party, Party::Person(_)));
    let none = Audience::Parties(Vec::new());
    let notice = Notice::new("closed", none, "decertification/closed-structure", data);
    mails::addressed(&notice, &structure, &file.addresses, &mut out);
    let closed = Closed { organisation: file.organisation, name: file.name.clone(), at, why };
    Step { state: Decertification::Closed(closed), effects: out }
}

/// After the decision: the notice leaves or comes back, a review is asked for.
pub(super) fn step(
    mut decided: Box<Decided>,
    input: &Input,
    cx: &At,
) -> Result<Step<Decertification>, Refusal> {
    let mut out = Vec::new();
    match input {
        Input::Sent { label, to, at, .. } if label == LABEL => {
            decided.awaiting.remove(to);
            if decided.awaiting.is_empty() && decided.notified.is_none() {
                decided.notified = Some(*at);
            }
        }
        Input::Undelivered(bounce) if bounce.permanent && bounce.label == LABEL => {
            bounced(&mut decided, bounce, &mut out, cx);
        }
        Input::Reply(reply) => replied(&mut decided, reply, &mut out, cx)?,
        Input::Order(order) => ordered(&mut decided, order, &mut out, cx)?,
        _ => {}
    }
    Ok(Step { state: Decertification::Decided(decided), effects: out })
}

/// The notice of the decision came back: another address is tried, then staff are asked.
fn bounced(decided: &mut Decided, bounce: &Undelivered, out: &mut Vec<Effect>, cx: &At) {
    let to = bounce.to;
    let tried = decided.file.addresses.get(&to).copied().unwrap_or(0);
    if bounce.address != tried || !decided.told.contains(&to) {
        return;
    }
    decided.notified = None;
    decided.awaiting.insert(to);
    let addresses = cx.register.speaker(to).map_or(0, |person| person.addresses.len());
    let next = tried.saturating_add(1);
    if usize::from(next) < addresses {
        decided.file.addresses.insert(to, next);
        let notice = notice(decided, cx);
        mails::addressed(&notice, &BTreeSet::from([to]), &decided.file.addresses, out);
        return;
    }
    decided.file.addresses.remove(&to);
    let mut data = mails::facts(&decided.file, cx);
    data["who"] = json!(to);
    data["about"] = json!(LABEL);
    let staff = Audience::Role(Role::Staff, None);
    let label = format!("unreachable:{to}");
    let task = Notice::new(&label, staff, "decertification/unreachable", data).asking(Asks::Text);
    out.push(Effect::Cancel(label));
    out.push(Effect::Task(Task::new(task, None)));
}

fn reached(
    decided: &mut Decided,
    who: Party,
    at: DateTime<Utc>,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    if !decided.awaiting.remove(&who) {
        return Err(mails::not_done(&decided.file.name, "task-over"));
    }
    if decided.awaiting.is_empty() {
        decided.notified = Some(at);
    }
    out.push(Effect::Cancel(format!("unreachable:{who}")));
    Ok(())
}

fn replied(decided: &mut Decided, reply: &Reply, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    let name = decided.file.name.clone();
    let label = reply.answers.as_ref().map_or("", |answers| answers.label.as_str());
    let staff = matches!(reply.from, Party::Person(by) if who::is_officer(by, reply.arrived, cx));
    let task = label == REVIEW || label == CONSEQUENCES || label.starts_with("unreachable:");
    if staff && task {
        if !cx.acts.allows(Need::Task, reply.assurance) {
            return Err(mails::unsure(&name));
        }
        if let Some(who) = label.strip_prefix("unreachable:").and_then(|who| who.parse().ok()) {
            return reached(decided, who, reply.arrived, out);
        }
        out.push(Effect::Cancel(label.to_owned()));
        return Ok(());
    }
    let wants_review = acts::lines(&reply.said.text).0.iter().any(|line| line.act == Act::Review);
    if decided.told.contains(&reply.from) && wants_review {
        review(decided, reply.from, reply.arrived, out, cx);
        return Ok(());
    }
    Err(mails::not_done(&name, "decided-already").asking(Asks::Text))
}

/// Dated, acknowledged, passed on; the clerk judges nothing (ambiguity 66).
fn review(decided: &mut Decided, by: Party, at: DateTime<Utc>, out: &mut Vec<Effect>, cx: &At) {
    let first = decided.review.is_none();
    let at = *decided.review.get_or_insert(at);
    let mut data = mails::facts(&decided.file, cx);
    data["what"] = json!("review-requested");
    data["until"] = json!(at);
    let thanks = Notice::new("progress", by, "decertification/progress", data).asking(Asks::Text);
    out.push(Effect::Tell(thanks));
    if first {
        let to = Audience::Parties(who::officers(cx));
        let mut data = mails::decided(decided, cx);
        data["asked"] = json!(at);
        let task = Notice::new(REVIEW, to, "decertification/review-task", data).asking(Asks::Text);
        out.push(Effect::Task(Task::new(task, None)));
        out.push(Effect::Publish(record::decided(decided, cx)));
    }
}

fn ordered(decided: &mut Decided, order: &Order, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    super::orders::staff_alone(order, cx)?;
    match order.verb.as_str() {
        "reached" => {
            let super::orders::Reached { who, at, .. } = super::orders::arguments(order)?;
            reached(decided, who, at.unwrap_or(order.at).min(order.at), out)?;
        }
        "review" => {
            let super::orders::From { from } = super::orders::arguments(order)?;
            if !decided.told.contains(&from) {
                return Err(mails::not_done(&decided.file.name, "not-structure"));
            }
            review(decided, from, order.at, out, cx);
        }
        "reviewed" => out.push(Effect::Cancel(REVIEW.to_owned())),
        "done" => out.push(Effect::Cancel(CONSEQUENCES.to_owned())),
        verb => return Err(super::orders::no_such(verb, decided.phase())),
    }
    Ok(())
}
