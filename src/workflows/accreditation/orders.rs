//! What staff do at the keyboard: what they do by replying too, what others told them on another way, named in the
//! record, and what has no mail of its own.

use super::diligence::{self, Entry};
use super::suspension::{By, Needed};
use super::{Accreditation, Suspension};
use super::{
    At, Ground, Met, Next, Request, Running, Stage, View, Why, advice, conclude, deciding, mails, suspension,
};
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::{Region, Role};
use crate::kernel::workflow::{Effect, Order, Refusal, Step};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::collections::BTreeSet;

/// Whether a person is staff, or deputises for them.
pub(super) fn is_staff(person: PersonId, at: DateTime<Utc>, cx: &At) -> bool {
    holds(person, &[Role::Staff, Role::StaffDeputy], None, at, cx)
}

/// Staff, the Chair, and who deputises for them.
pub(super) fn is_officer(person: PersonId, at: DateTime<Utc>, cx: &At) -> bool {
    is_staff(person, at, cx) || holds(person, &[Role::AlacChair, Role::AlacViceChair], None, at, cx)
}

/// The Secretariat of a region, or its Chair, who deputises.
pub(super) fn is_secretariat(person: PersonId, region: Option<Region>, at: DateTime<Utc>, cx: &At) -> bool {
    region.is_some() && holds(person, &[Role::RaloSecretariat, Role::RaloChair], region, at, cx)
}

fn holds(person: PersonId, roles: &[Role], region: Option<Region>, at: DateTime<Utc>, cx: &At) -> bool {
    cx.register.person(person).is_some_and(|person| {
        person.roles.iter().any(|held| {
            roles.contains(&held.role) && held.holds_at(at) && (region.is_none() || held.region == region)
        })
    })
}

/// The arguments of an order; an unknown one is refused, not overlooked.
pub(super) fn arguments<T: DeserializeOwned>(order: &Order) -> Result<T, Refusal> {
    let args = if order.args.is_null() { json!({}) } else { order.args.clone() };
    serde_json::from_value(args)
        .map_err(|error| Refusal::new("accreditation/unreadable", json!({ "why": error.to_string() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Criterion {
    number: String,
    result: Met,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    task: char,
    conclusion: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Numbered {
    pub number: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    region: Region,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advised {
    advice: View,
    #[serde(default)]
    reasons: String,
    /// Where comments were received that did not come by mail.
    elsewhere: Option<String>,
    /// Who of the Secretariat gave it, where staff enter it.
    on_behalf: Option<Party>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wants {
    /// Which member asked, where staff enter it.
    on_behalf: Option<Party>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suspends {
    ground: Ground,
    on_behalf: Option<Party>,
    #[serde(default)]
    information: String,
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lifts {
    number: String,
    /// When the information reached us; the moment of the order where left out.
    received: Option<DateTime<Utc>>,
}

/// Gives an order.
pub(super) fn order(mut running: Running, order: &Order, cx: &At) -> Result<Step<Accreditation>, Refusal> {
    let mut out = Vec::new();
    let next = given(&mut running, order, &mut out, cx)?;
    Ok(conclude(running, next, out, cx))
}

fn given(running: &mut Running, order: &Order, out: &mut Vec<Effect>, cx: &At) -> Result<Next, Refusal> {
    match order.verb.as_str() {
        "criterion" | "check" | "ask" | "region" | "release" | "finish" | "proof" => {
            staff_alone(order, cx)?;
            let entry = entry(order)?;
            diligence::record(running, order.by, order.at, entry, out, cx)?;
        }
        "save" => {
            staff_alone(order, cx)?;
            super::documents::saved(&running.file, order)?;
        }
        "advice" => advised(running, order, out, cx)?,
        "lapse" => {
            officers_alone(order, cx)?;
            let Nothing {} = arguments(order)?;
            advice::lapse(running, order.by, order.at, out, cx)?;
        }
        "request-vote" => wants(running, order, out, cx)?,
        "vote-again" => {
            officers_alone(order, cx)?;
            let Nothing {} = arguments(order)?;
            deciding::vote_again(running, out, cx)?;
        }
        "suspend" => suspends(running, order, out, cx)?,
        "lift" => lifts(running, order, out, cx)?,
        "withdraw" => {
            staff_alone(order, cx)?;
            suspension::in_time(running, order.at, cx)?;
            return Ok(Next::Withdraw(Why::Closed, order.at));
        }
        verb => return Err(mails::no_such_order(verb, running.stage.name())),
    }
    Ok(Next::Stay)
}

pub(super) fn not_entitled(act: &str) -> Refusal {
    mails::not_done("", act)
}

pub(super) fn staff_alone(order: &Order, cx: &At) -> Result<(), Refusal> {
    if is_staff(order.by, order.at, cx) { Ok(()) } else { Err(not_entitled("order")) }
}

fn officers_alone(order: &Order, cx: &At) -> Result<(), Refusal> {
    if is_officer(order.by, order.at, cx) { Ok(()) } else { Err(not_entitled("order")) }
}

/// Who acts: the person who orders, or who staff name.
fn acting(order: &Order, on_behalf: Option<Party>, cx: &At) -> Result<(PersonId, Option<PersonId>), Refusal> {
    match on_behalf {
        Some(Party::Person(person)) if person != order.by => {
            staff_alone(order, cx)?;
            Ok((person, Some(order.by)))
        }
        None | Some(Party::Person(_)) => Ok((order.by, None)),
        Some(_) => Err(unreadable("on_behalf names no person; write it like p9")),
    }
}

/// What cannot be understood of an order.
fn unreadable(why: &str) -> Refusal {
    Refusal::new("accreditation/unreadable", json!({ "why": why }))
}

fn entry(order: &Order) -> Result<Entry, Refusal> {
    Ok(match order.verb.as_str() {
        "criterion" => {
            let Criterion { number, result, note } = arguments(order)?;
            let number = number.parse().map_err(|_| unreadable("number is no number; write 1 to 9"))?;
            Entry::Criterion { number, result, note: diligence::cut(&note) }
        }
        "check" => {
            let Check { task, conclusion } = arguments(order)?;
            if !diligence::TASKS.contains(&task) {
                return Err(unreadable("task is none of a to f"));
            }
            Entry::Check { task, conclusion: diligence::cut(&conclusion) }
        }
        "ask" => {
            let Text { text } = arguments(order)?;
            Entry::Ask(
                Some(diligence::cut(&text))
                    .filter(|t| !t.is_empty())
                    .ok_or_else(|| unreadable("text is empty"))?,
            )
        }
        "region" => {
            let Place { region } = arguments(order)?;
            Entry::Region(region)
        }
        "proof" => {
            let Numbered { number } = arguments(order)?;
            let number = number.parse().map_err(|_| unreadable("number is no number of a document"))?;
            Entry::Proof(number)
        }
        "release" => Entry::Release,
        _ => Entry::Finish,
    })
}

fn advised(running: &mut Running, order: &Order, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    let Advised { advice: view, reasons, elsewhere, on_behalf } = arguments(order)?;
    let (by, entered_by) = acting(order, on_behalf, cx)?;
    if !is_secretariat(by, running.file.region, order.at, cx) {
        return Err(not_entitled("advice"));
    }
    let reasons = [elsewhere.clone().unwrap_or_default(), reasons].join("\n");
    let said = advice::Said {
        views: BTreeSet::from([view]),
        elsewhere: elsewhere.is_some(),
        reasons: diligence::cut(&reasons),
    };
    advice::take(running, &advice::Adviser { by, entered_by }, &said, order.at, out, cx)
}

fn wants(running: &mut Running, order: &Order, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    let Wants { on_behalf } = arguments(order)?;
    let (by, entered_by) = acting(order, on_behalf, cx)?;
    deciding::may_request(running, by, order.at, cx)?;
    deciding::request(running, Request { by, at: order.at, entered_by }, out, cx);
    Ok(())
}

/// Staff are none of those who may suspend; they enter what one of those asked for.
fn suspends(running: &mut Running, order: &Order, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    let Suspends { ground, on_behalf, information, why } = arguments(order)?;
    let needed = Needed::new(&information, &why);
    if ground == Ground::Applicant {
        staff_alone(order, cx)?;
        let by = By { who: running.file.applicant, entered_by: Some(order.by), at: order.at };
        return suspension::by_applicant(running, by, out, cx);
    }
    let (person, entered_by) = acting(order, on_behalf, cx)?;
    let by = By { who: Party::Person(person), entered_by, at: order.at };
    match ground {
        Ground::Secretariat if is_secretariat(person, running.file.region, order.at, cx) => {
            suspension::by_secretariat(running, by, needed, out, cx)
        }
        Ground::Alac if deciding::sits(person, order.at, cx) => {
            suspension::by_member(running, person, by, needed, out, cx)
        }
        _ => Err(not_entitled("suspend")),
    }
}

/// Information that reached staff on another way. What the applicant began, staff cannot end.
fn lifts(running: &mut Running, order: &Order, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    staff_alone(order, cx)?;
    let Lifts { number, received } = arguments(order)?;
    let number = number.parse::<u32>().ok();
    let known = running.file.suspensions.iter().find(|one| Some(one.number) == number && one.open());
    let Some(Suspension { number, ground, .. }) = known else {
        return Err(mails::not_done(&running.file.name(), "not-suspended"));
    };
    if *ground == Ground::Applicant {
        return Err(not_entitled("lift"));
    }
    let number = *number;
    suspension::lift(running, number, received.unwrap_or(order.at).min(order.at), out, cx);
    Ok(())
}

/// Whether a stage is one in which the committee has been told of the application.
pub(super) fn committee_knows(stage: &Stage) -> bool {
    !matches!(stage, Stage::DueDiligence(_))
}
