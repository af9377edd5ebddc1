//! Enquiry: a mail nobody else takes. Acknowledged, handed to staff as a task, answered by their reply.
//!
//! ```text
//! waiting ──staff reply──► answered ──the asker writes again──► waiting
//!    └ staff reminded, then their deputies asked too
//! ```

use crate::kernel::assurance::Act;
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::Role;
use crate::kernel::workflow::{
    Asks, Audience, Cx, Deputies, Effect, Input, Notice, Opening, Order, Refusal, Reply, Step, Task, Twin,
    Workflow, within,
};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Days after which staff are reminded, and after as many again their deputies are asked.
    pub remind_days: u32,
    /// Enquiries of one domain in a day for whose writers our mail server does not vouch; the rest waits apart.
    pub unproven_per_domain: u32,
    /// The same of all domains together.
    pub unproven_per_day: u32,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { remind_days: 3, unproven_per_domain: 10, unproven_per_day: 50 }
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
        /// Staff have been reminded.
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

fn is_staff(person: PersonId, at: DateTime<Utc>, cx: &Cx<Policy>) -> bool {
    let roles = [Role::Staff, Role::StaffDeputy];
    cx.register.person(person).is_some_and(|person| roles.iter().any(|role| person.has(*role, at)))
}

/// Whether staff wrote this.
fn by_staff(reply: &Reply, cx: &Cx<Policy>) -> bool {
    matches!(reply.from, Party::Person(person) if is_staff(person, reply.arrived, cx))
}

fn task(label: &str, asked: &Asked, template: &'static str, deputies: Deputies) -> Effect {
    let notice = Notice::new(label, Audience::Role(Role::Staff, None), template, asked).asking(Asks::Text);
    Effect::Task(Task { notice, due: None, deputies })
}

impl Enquiry {
    fn waiting(asked: Asked, cx: &Cx<Policy>) -> Step<Enquiry> {
        let remind = Duration::days(i64::from(cx.policy.remind_days));
        let hand_over = task(TASK, &asked, "enquiry/task", Deputies::At(cx.now + remind * 2));
        let remind_at = cx.now + remind;
        let received = asked.acknowledge.then(|| {
            Notice::new("received", asked.from, "enquiry/received", json!({ "subject": asked.subject }))
        });
        let state = Enquiry::Waiting { asked, since: cx.now, remind_at, reminded: false };
        received.into_iter().fold(Step::to(state).with(hand_over), Step::tell)
    }

    /// Staff's words by mail.
    fn answer(asked: Asked, reply: &Reply, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        if !by_staff(reply, cx) {
            return Err(Refusal::new("enquiry/not-staff", json!({ "subject": asked.subject })));
        }
        if !cx.acts.allows(Act::Task, reply.assurance) {
            return Err(
                Refusal::new("enquiry/unsure", json!({ "subject": asked.subject })).asking(Asks::Text)
            );
        }
        if reply.said.text.trim().is_empty() {
            return Err(Refusal::new("enquiry/empty", json!({ "subject": asked.subject })).asking(Asks::Text));
        }
        let done = Notice::new("done", reply.from, "enquiry/done", json!({ "subject": asked.subject }));
        Ok(Enquiry::answered(asked, &reply.said.text, cx).tell(done))
    }

    /// Staff's words go to the asker as they are.
    fn answered(asked: Asked, words: &str, cx: &Cx<Policy>) -> Step<Enquiry> {
        let data = json!({ "subject": asked.subject, "question": asked.text, "answer": words });
        let answer = Notice::new("answer", asked.from, "enquiry/answer", data).asking(Asks::Text);
        let answered = Enquiry::Answered { asked, at: cx.now };
        Step::to(answered).with(Effect::Cancel(TASK.to_owned())).tell(answer)
    }

    /// Orders given at the keyboard by staff or a deputy: `answer`, and `done` where an answer came back.
    fn order(self, order: &Order, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        if !is_staff(order.by, order.at, cx) {
            return Err(Refusal::new("enquiry/not-staff", json!({ "subject": self.title() })));
        }
        match (self, order.verb.as_str()) {
            (Enquiry::Waiting { asked, .. }, "answer") => {
                let text = order.args.get("text").and_then(Value::as_str).unwrap_or_default();
                if text.trim().is_empty() {
                    return Err(Refusal::new("enquiry/empty", json!({ "subject": asked.subject })));
                }
                Ok(Enquiry::answered(asked, text, cx))
            }
            (answered @ Enquiry::Answered { .. }, "done") => {
                Ok(Step::to(answered).with(Effect::Cancel(UNDELIVERABLE.to_owned())))
            }
            (enquiry, verb) => {
                let why = format!("an enquiry that is {} takes no order {verb:?}", enquiry.phase());
                Err(Refusal::new("enquiry/unreadable", json!({ "why": why })))
            }
        }
    }

    fn reply(self, reply: &Reply, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        let label = reply.answers.as_ref().map_or("", |answers| answers.label.as_str());
        match self {
            Enquiry::Waiting { asked, .. } if label == TASK => Enquiry::answer(asked, reply, cx),
            Enquiry::Answered { asked, at } if label == UNDELIVERABLE && by_staff(reply, cx) => {
                let done =
                    Notice::new("done", reply.from, "enquiry/done", json!({ "subject": asked.subject }));
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

    const TASKS: &'static [Twin] = &[
        ("enquiry/task", &["answer"]),
        ("enquiry/reminder", &["answer"]),
        ("enquiry/undeliverable", &["done"]),
    ];

    fn check(policy: &Policy) -> Result<(), String> {
        within("remind_days", policy.remind_days, 1..=366)?;
        within("unproven_per_domain", policy.unproven_per_domain, 1..=10_000)?;
        within("unproven_per_day", policy.unproven_per_day, 1..=10_000)
    }

    fn open(opening: &Opening, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        let asked: Asked = serde_json::from_value(opening.body.clone())
            .map_err(|error| Refusal::new("enquiry/unreadable", json!({ "why": error.to_string() })))?;
        Ok(Enquiry::waiting(asked, cx))
    }

    fn step(self, input: &Input, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        match (self, input) {
            (enquiry, Input::Reply(reply)) => enquiry.reply(reply, cx),
            (Enquiry::Waiting { asked, since, remind_at, .. }, Input::Wake) if remind_at <= cx.now => {
                let remind = task(TASK, &asked, "enquiry/reminder", Deputies::Usual);
                // The deputies step in next, and the weekly digest goes on telling; a mail now and then is enough.
                let remind_at = cx.now + Duration::days(i64::from(cx.policy.remind_days) * 10);
                Ok(Step::to(Enquiry::Waiting { asked, since, remind_at, reminded: true }).with(remind))
            }
            (enquiry, Input::Order(order)) => enquiry.order(order, cx),
            (Enquiry::Answered { asked, at }, Input::Undelivered(bounce))
                if bounce.label == "answer" && bounce.permanent =>
            {
                let undelivered = task(UNDELIVERABLE, &asked, "enquiry/undeliverable", Deputies::Usual);
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
