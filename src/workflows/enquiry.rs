//! Enquiry: a mail nobody else takes. Acknowledged, handed to staff as a task, answered by their reply.
//!
//! ```text
//! waiting ──staff reply──► answered ──the asker writes again──► waiting
//!    └ staff reminded, then their deputies
//! ```

use crate::kernel::assurance::Act;
use crate::kernel::ids::Party;
use crate::kernel::people::Role;
use crate::kernel::workflow::{within, 
    Asks, Audience, Cx, Effect, Input, Notice, Opening, Refusal, Reply, Step, Task, Workflow,
};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Days after which staff are reminded, and after as many again their deputies are asked.
    pub remind_days: u32,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { remind_days: 3 }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enquiry {
    /// Staff owe an answer.
    Waiting {
        asked: Asked,
        since: DateTime<Utc>,
        remind_at: DateTime<Utc>,
        /// Once staff have been reminded, deputies are asked too.
        reminded: bool,
    },
    Answered {
        asked: Asked,
        at: DateTime<Utc>,
    },
}

/// What somebody wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    pub from: Party,
    pub subject: String,
    pub text: String,
    /// Whether the writer may be answered at once; a stranger is, once a day.
    pub acknowledge: bool,
}

const TASK: &str = "task";
const UNDELIVERABLE: &str = "undeliverable";

fn is_staff(reply: &Reply, cx: &Cx<Policy>) -> bool {
    let roles = [Role::Staff, Role::StaffDeputy];
    let Party::Person(id) = reply.from else { return false };
    cx.register.person(id).is_some_and(|person| roles.iter().any(|role| person.has(*role, reply.arrived)))
}

fn task(label: &str, asked: &Asked, to: Role, template: &'static str) -> Effect {
    let notice = Notice::new(label, Audience::Role(to, None), template, asked).asking(Asks::Text);
    Effect::Task(Task { notice, due: None })
}

impl Enquiry {
    fn waiting(asked: Asked, cx: &Cx<Policy>) -> Step<Enquiry> {
        let hand_over = task(TASK, &asked, Role::Staff, "enquiry/task");
        let remind_at = cx.now + Duration::days(i64::from(cx.policy.remind_days));
        let received = asked
            .acknowledge
            .then(|| Notice::new("received", asked.from, "enquiry/received", json!({ "subject": asked.subject })));
        let state = Enquiry::Waiting { asked, since: cx.now, remind_at, reminded: false };
        received.into_iter().fold(Step::to(state).with(hand_over), Step::tell)
    }

    /// Staff's words go to the asker as they are.
    fn answer(asked: Asked, reply: &Reply, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        if !is_staff(reply, cx) {
            return Err(Refusal::new("enquiry/not-staff", json!({ "subject": asked.subject })));
        }
        if !cx.acts.allows(Act::Task, reply.assurance) {
            return Err(Refusal::new("enquiry/unsure", json!({ "subject": asked.subject })).asking(Asks::Text));
        }
        if reply.said.text.trim().is_empty() {
            return Err(Refusal::new("enquiry/empty", json!({ "subject": asked.subject })).asking(Asks::Text));
        }
        let data = json!({ "subject": asked.subject, "question": asked.text, "answer": reply.said.text });
        let answer = Notice::new("answer", asked.from, "enquiry/answer", data).asking(Asks::Text);
        let done = Notice::new("done", reply.from, "enquiry/done", json!({ "subject": asked.subject }));
        Ok(Step::to(Enquiry::Answered { asked, at: cx.now })
            .with(Effect::Cancel(TASK.to_owned()))
            .tell(answer)
            .tell(done))
    }

    fn reply(self, reply: &Reply, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        let label = reply.answers.as_ref().map_or("", |answers| answers.label.as_str());
        match self {
            Enquiry::Waiting { asked, .. } if label == TASK => Enquiry::answer(asked, reply, cx),
            Enquiry::Answered { asked, at } if label == UNDELIVERABLE && is_staff(reply, cx) => {
                let done = Notice::new("done", reply.from, "enquiry/done", json!({ "subject": asked.subject }));
                Ok(Step::to(Enquiry::Answered { asked, at })
                    .with(Effect::Cancel(UNDELIVERABLE.to_owned()))
                    .tell(done))
            }
            Enquiry::Answered { asked, .. } if label == TASK => {
                Err(Refusal::new("enquiry/already-answered", json!({ "subject": asked.subject })))
            }
            // Somebody else with the asker's mail: neither her question nor her answer.
            Enquiry::Waiting { asked, .. } | Enquiry::Answered { asked, .. } if asked.from != reply.from => {
                Err(Refusal::new("enquiry/not-staff", json!({ "subject": asked.subject })))
            }
            // The asker again: staff see the new words; nothing she wrote before is lost, it is in the
            // journal and in the task sent then.
            Enquiry::Waiting { asked, .. } | Enquiry::Answered { asked, .. } => {
                let again = Asked { text: reply.said.text.clone(), ..asked };
                let step = Enquiry::waiting(again, cx);
                Ok(Step {
                    effects: [Effect::Cancel(TASK.to_owned())].into_iter().chain(step.effects).collect(),
                    ..step
                })
            }
        }
    }
}

impl Workflow for Enquiry {
    const KIND: &'static str = "enquiry";
    type Policy = Policy;

    fn check(policy: &Policy) -> Result<(), String> {
        within("remind_days", policy.remind_days, 1..=366)
    }

    fn open(opening: &Opening, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        let asked: Asked = serde_json::from_value(opening.body.clone())
            .map_err(|error| Refusal::new("enquiry/unreadable", json!({ "why": error.to_string() })))?;
        Ok(Enquiry::waiting(asked, cx))
    }

    fn step(self, input: &Input, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        match (self, input) {
            (enquiry, Input::Reply(reply)) => enquiry.reply(reply, cx),
            (Enquiry::Waiting { asked, since, remind_at, reminded }, Input::Wake) if remind_at <= cx.now => {
                let to = if reminded { Role::StaffDeputy } else { Role::Staff };
                let remind = task(TASK, &asked, to, "enquiry/reminder");
                // After staff and deputies the weekly digest goes on telling; a mail now and then is enough.
                let days = i64::from(cx.policy.remind_days) * if reminded { 10 } else { 1 };
                let remind_at = cx.now + Duration::days(days);
                Ok(Step::to(Enquiry::Waiting { asked, since, remind_at, reminded: true }).with(remind))
            }
            (_, Input::Order(order)) => {
                let why = format!("an enquiry takes no order {:?}", order.verb);
                Err(Refusal::new("enquiry/unreadable", json!({ "why": why })))
            }
            (Enquiry::Answered { asked, at }, Input::Undelivered(bounce))
                if bounce.label == "answer" && bounce.permanent =>
            {
                let undelivered = task(UNDELIVERABLE, &asked, Role::Staff, "enquiry/undeliverable");
                Ok(Step::to(Enquiry::Answered { asked, at }).with(undelivered))
            }
            (enquiry, _) => Ok(Step::to(enquiry)),
        }
    }

    fn wake_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Enquiry::Waiting { remind_at, .. } => Some(*remind_at),
            Enquiry::Answered { .. } => None,
        }
    }

    fn phase(&self) -> &'static str {
        match self {
            Enquiry::Waiting { .. } => "waiting",
            Enquiry::Answered { .. } => "answered",
        }
    }

    fn title(&self) -> String {
        match self {
            Enquiry::Waiting { asked, .. } | Enquiry::Answered { asked, .. } => asked.subject.clone(),
        }
    }
}
