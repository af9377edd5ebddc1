//! The open tasks of a case, whatever its workflow: when deputies step in, and who is told that somebody else
//! has done one. Kept beside the state, so that no workflow has to think of it.

use super::ids::Party;
use super::people::{Role, RoleHeld};
use super::register::Register;
use super::workflow::{Asks, Class, Deputies, Input, Task};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The key under which a mail to a deputy names those who were asked first.
pub const DEPUTY_FOR: &str = "_deputy_for";

/// Numbers an administrator may tune about tasks of every workflow: `[tasks]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaskPolicy {
    /// Days after which the deputies of those asked step in; after half the time where a task is due sooner.
    pub deputy_days: u32,
}

impl Default for TaskPolicy {
    fn default() -> TaskPolicy {
        TaskPolicy { deputy_days: 3 }
    }
}

impl TaskPolicy {
    /// Whether tasks can run with these numbers.
    ///
    /// # Errors
    /// The number that makes no sense, and what may be written.
    pub fn check(&self) -> Result<(), String> {
        super::workflow::within("deputy_days", self.deputy_days, 1..=366)
    }

    /// When deputies step in for a task that is asked now.
    fn steps_in(&self, task: &Task, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let usual = now + Duration::days(i64::from(self.deputy_days));
        match task.deputies {
            Deputies::Asked => None,
            Deputies::At(moment) => Some(moment),
            Deputies::Usual => Some(match task.due {
                Some(due) if due > now => usual.min(now + (due - now) / 2),
                _ => usual,
            }),
        }
    }
}

/// The open tasks of a case by their label.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duties(BTreeMap<String, Duty>);

/// One open task: the mail that asked, for those who are asked later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Duty {
    pub template: String,
    pub data: Value,
    pub asks: Asks,
    pub class: Class,
    pub not_after: Option<DateTime<Utc>>,
    pub due: Option<DateTime<Utc>>,
    /// Who was asked first.
    pub asked: Vec<Party>,
    /// Who has stepped in.
    pub deputies: Vec<Party>,
    /// When deputies step in; none once they have.
    pub steps_in: Option<DateTime<Utc>>,
    /// When it was asked last: who has left an office since has a successor there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<DateTime<Utc>>,
}

impl Duties {
    /// When the next deputies step in.
    pub fn next(&self) -> Option<DateTime<Utc>> {
        self.0.values().filter_map(|duty| duty.steps_in).min()
    }

    pub fn get(&self, label: &str) -> Option<&Duty> {
        self.0.get(label)
    }

    pub fn done(&mut self, label: &str) {
        self.0.remove(label);
    }

    /// Notes a task that was asked. Asked again while it is open, its deputies stay in and its time runs on.
    pub fn ask(
        &mut self,
        task: &Task,
        asked: &[Party],
        before: Option<&Duty>,
        policy: &TaskPolicy,
        now: DateTime<Utc>,
    ) {
        let notice = &task.notice;
        let deputies = before.map(|duty| duty.deputies.clone()).unwrap_or_default();
        let steps_in = match before {
            Some(duty) => duty.steps_in,
            None => policy.steps_in(task, now),
        };
        let asked = asked.iter().filter(|party| !deputies.contains(party)).copied().collect();
        let duty = Duty {
            template: notice.template.to_owned(),
            data: notice.data.clone(),
            asks: notice.asks,
            class: notice.class,
            not_after: notice.not_after,
            due: task.due,
            asked,
            deputies,
            steps_in,
            asked_at: Some(now),
        };
        self.0.insert(notice.label.clone(), duty);
    }

    /// The tasks whose deputies step in now, with those deputies; noted as having stepped in.
    pub fn step_in(&mut self, register: &Register, now: DateTime<Utc>) -> Vec<(String, Duty)> {
        let mut due = Vec::new();
        for (label, duty) in &mut self.0 {
            if duty.steps_in.is_none_or(|moment| moment > now) {
                continue;
            }
            duty.steps_in = None;
            duty.deputies = deputies(&duty.asked, duty.asked_at.unwrap_or(now), register, now);
            if !duty.deputies.is_empty() {
                due.push((label.clone(), duty.clone()));
            }
        }
        due
    }
}

impl Duty {
    /// Everybody who was asked but one.
    pub fn others(&self, than: Party) -> Vec<Party> {
        let all: BTreeSet<Party> = self.asked.iter().chain(&self.deputies).copied().collect();
        all.into_iter().filter(|party| *party != than).collect()
    }

    /// What the mail to a deputy shows: what the first showed, and for whom she is asked.
    pub fn for_deputies(&self) -> Value {
        let mut data = self.data.clone();
        if let Value::Object(map) = &mut data {
            map.insert(DEPUTY_FOR.to_owned(), json!(self.asked));
        }
        data
    }
}

/// Who deputises for these people in any role of theirs, or holds an office they have left since they were asked; of
/// these who has not been asked.
fn deputies(asked: &[Party], since: DateTime<Utc>, register: &Register, now: DateTime<Utc>) -> Vec<Party> {
    let held = |party: &Party| {
        let Party::Person(person) = party else { return Vec::new() };
        let roles = register.person(*person).map(|person| person.roles.clone()).unwrap_or_default();
        roles.into_iter().filter(|role| role.holds_at(since.min(now))).collect()
    };
    let next = |held: RoleHeld| {
        let deputy = held.role.deputy()?;
        Some((if held.holds_at(now) { deputy } else { held.role }, held.region))
    };
    let roles: BTreeSet<(Role, _)> = asked.iter().flat_map(held).filter_map(next).collect();
    let holders: BTreeSet<Party> = roles
        .into_iter()
        .flat_map(|(role, region)| register.holders(role, region, now))
        .map(Party::Person)
        .filter(|party| !asked.contains(party))
        .collect();
    holders.into_iter().collect()
}

/// Who did a task by this input: its mail was answered, or an order was given at the keyboard.
pub fn doer(input: &Input, label: &str) -> Option<Party> {
    match input {
        Input::Reply(reply) => {
            let answers = reply.answers.as_ref().filter(|answers| answers.label == label);
            answers.map(|_| reply.from)
        }
        Input::Order(order) => Some(Party::Person(order.by)),
        _ => None,
    }
}
