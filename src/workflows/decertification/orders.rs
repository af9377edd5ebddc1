//! What is done at the keyboard: the twins of replies, and what reached staff on another way, entered for the person
//! who said it.

use super::grounds::Named;
use super::{At, Decertification, Frozen, Next, Running, Stage, conclude, deciding, hearing, investigation};
use super::{mails, opening, proposal, who};
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::workflow::{Effect, Order, Refusal, Step};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// The arguments of an order; an unknown one is refused, not overlooked.
pub(super) fn arguments<T: DeserializeOwned>(order: &Order) -> Result<T, Refusal> {
    let args = if order.args.is_null() { json!({}) } else { order.args.clone() };
    serde_json::from_value(args).map_err(|error| mails::unreadable(&error.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Owner {
    /// Who investigates; whoever gives the order where left out.
    owner: Option<Party>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contact {
    who: Party,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposes {
    on_behalf: Option<Party>,
    exception: Option<String>,
    #[serde(default)]
    reasons: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnBehalf {
    on_behalf: Option<Party>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Responds {
    /// Who of the structure said it.
    from: Party,
    text: String,
    /// When it reached us; the moment of the order where left out.
    received: Option<DateTime<Utc>>,
}

/// Who was reached, and how.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reached {
    pub who: Party,
    #[serde(default)]
    pub how: String,
    pub at: Option<DateTime<Utc>>,
}

/// Who of the structure said it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    pub from: Party,
}

pub(super) fn staff_alone(order: &Order, cx: &At) -> Result<(), Refusal> {
    let staff = who::is_staff(order.by, order.at, cx);
    if staff { Ok(()) } else { Err(mails::not_done("", "order")) }
}

fn officers_alone(order: &Order, cx: &At) -> Result<(), Refusal> {
    let officer = who::is_officer(order.by, order.at, cx);
    if officer { Ok(()) } else { Err(mails::not_done("", "order")) }
}

/// An order that nothing takes now.
pub(super) fn no_such(verb: &str, phase: &str) -> Refusal {
    mails::unreadable(&format!("a matter in phase {phase} takes no order {verb:?}"))
}

/// Gives an order.
pub(super) fn order(mut running: Running, order: &Order, cx: &At) -> Result<Step<Decertification>, Refusal> {
    let mut out = Vec::new();
    let next = match order.verb.as_str() {
        "investigate" | "dismiss" | "step" | "failure" | "ask" | "owner" | "contact" | "finish" => {
            staff_alone(order, cx)?;
            investigates(&mut running, order, &mut out, cx)?
        }
        "propose" | "withdraw" | "non-public" => spoken_for(&mut running, order, &mut out, cx)?,
        "respond" | "reached" => {
            staff_alone(order, cx)?;
            entered(&mut running, order, &mut out, cx)?;
            Next::Stay
        }
        "vote" | "end" | "freeze" | "thaw" => {
            officers_alone(order, cx)?;
            votes(&mut running, order, &mut out, cx)?
        }
        verb => return Err(no_such(verb, running.phase())),
    };
    Ok(conclude(running, &next, out, cx))
}

fn investigates(
    running: &mut Running,
    order: &Order,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<Next, Refusal> {
    let name = running.file.name.clone();
    let by = Party::Person(order.by);
    let early = matches!(running.stage, Stage::Anomaly { .. } | Stage::Investigation(_));
    if !early && order.verb != "contact" {
        return Err(no_such(&order.verb, running.phase()));
    }
    match order.verb.as_str() {
        "investigate" => {
            let owner = owner(order)?;
            investigation::begin(running, owner, out, cx)?;
        }
        "dismiss" => {
            let Reason { reason } = arguments(order)?;
            return investigation::dismiss(running, order.by, &reason, order.at);
        }
        "step" => {
            let Text { text } = arguments(order)?;
            investigation::step(running, by, &text, order.at);
        }
        "failure" => {
            let failure = arguments::<Named>(order)?.read(&name, cx.now.date_naive())?;
            investigation::fail(running, failure);
        }
        "ask" => {
            let Text { text } = arguments(order)?;
            investigation::put(running, text.trim(), out, cx);
        }
        "owner" => {
            let owner = owner(order)?;
            investigation::hand_over(running, owner, out, cx)?;
        }
        "contact" => {
            let Contact { who } = arguments(order)?;
            if cx.register.speaker(who).is_none() {
                return Err(mails::unreadable(&format!("{who} is nobody in the register")));
            }
            if !early && !matches!(running.stage, Stage::Investigated { .. }) {
                return Err(mails::not_done(&name, "contact-late"));
            }
            running.file.contacts.insert(who);
        }
        _ => {
            let Nothing {} = arguments(order)?;
            investigation::finish(running, out, cx)?;
        }
    }
    Ok(Next::Stay)
}

fn owner(order: &Order) -> Result<PersonId, Refusal> {
    let Owner { owner } = arguments(order)?;
    owner.map_or(Ok(order.by), opening::person)
}

/// What one of those entitled does, at the keyboard or through staff.
fn spoken_for(running: &mut Running, order: &Order, out: &mut Vec<Effect>, cx: &At) -> Result<Next, Refusal> {
    if order.verb == "propose" {
        let Proposes { on_behalf, exception, reasons } = arguments(order)?;
        let acting = proposal::acting(order.by, on_behalf, order.at, cx)?;
        let words = proposal::Words { failures: Vec::new(), exception, reasons };
        proposal::propose(running, acting, words, order.at, out, cx)?;
        return Ok(Next::Stay);
    }
    let OnBehalf { on_behalf } = arguments(order)?;
    let acting = proposal::acting(order.by, on_behalf, order.at, cx)?;
    if order.verb == "withdraw" {
        return proposal::withdraw(running, acting.by, order.at, out, cx);
    }
    hearing::non_public(running, acting.by, order.at, out, cx)?;
    Ok(Next::Stay)
}

/// What the structure said to staff, and that somebody was reached.
fn entered(running: &mut Running, order: &Order, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    if order.verb == "reached" {
        let Reached { who, how, at } = arguments(order)?;
        let at = at.unwrap_or(order.at).min(order.at);
        return hearing::reached(running, who, order.by, &how, at, out, cx);
    }
    let Responds { from, text, received } = arguments(order)?;
    let hears = matches!(
        running.stage,
        Stage::Proposed | Stage::Hearing { .. } | Stage::Heard { .. } | Stage::Voting(_)
    );
    if !hears {
        return Err(no_such("respond", running.phase()));
    }
    if !who::structure(&running.file, cx).contains(&from) && !running.file.noticed_to.contains(&from) {
        return Err(mails::not_done(&running.file.name, "not-structure"));
    }
    let at = received.unwrap_or(order.at).min(order.at);
    let (entered_by, proven, leaves) = (Some(order.by), true, false);
    let answer = hearing::Answer { from, entered_by, at, text, proven, leaves };
    hearing::respond(running, answer, out, cx)
}

fn votes(running: &mut Running, order: &Order, out: &mut Vec<Effect>, cx: &At) -> Result<Next, Refusal> {
    let open = matches!(running.stage, Stage::Voting(_));
    match order.verb.as_str() {
        "vote" => {
            let Nothing {} = arguments(order)?;
            deciding::asked(running, out, cx)?;
        }
        "end" => return deciding::end(running, order.at),
        "freeze" if open => {
            let Reason { reason } = arguments(order)?;
            investigation::step(running, Party::Person(order.by), &reason, order.at);
            deciding::freeze(running, Frozen::Ordered, out, cx);
        }
        "thaw" if open => {
            let Nothing {} = arguments(order)?;
            if !hearing::all_reached(&running.file) {
                return Err(mails::not_done(&running.file.name, "vote-unreached"));
            }
            deciding::thaw(running, out, cx);
        }
        verb => return Err(no_such(verb, running.phase())),
    }
    Ok(Next::Stay)
}
