//! Enquiry: a mail nobody else takes. Acknowledged, handed to staff as a task, answered by their reply.
//!
//! ```text
//! waiting ──staff reply──► answered ──the asker writes again──► waiting
//!    └ staff reminded, then their deputies asked too
//! ```
//!
//! Staff keep notes with it, for themselves alone: nothing that goes to the asker is made of them.

use crate::kernel::assurance::Act;
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::Role;
use crate::kernel::workflow::{
    Asks, Audience, Cx, Deputies, Effect, Input, Notice, Opening, Order, Refusal, Reply, Step, Task, Twin,
    Workflow, within,
};
use crate::letters::acts;
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
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<Noted>,
    },
    Answered {
        asked: Asked,
        at: DateTime<Utc>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<Noted>,
    },
}

/// A note of staff's, for staff.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    pub by: PersonId,
    pub at: DateTime<Utc>,
    pub text: String,
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
/// The label of the thanks for a note.
const NOTED: &str = "noted";
/// Characters of a note, and notes that are shown; older ones are in the journal.
const NOTE: usize = 4_000;
const NOTES: usize = 50;

fn is_staff(person: PersonId, at: DateTime<Utc>, cx: &Cx<Policy>) -> bool {
    let roles = [Role::Staff, Role::StaffDeputy];
    cx.register.person(person).is_some_and(|person| roles.iter().any(|role| person.has(*role, at)))
}

/// Whether staff wrote this.
fn by_staff(reply: &Reply, cx: &Cx<Policy>) -> bool {
    matches!(reply.from, Party::Person(person) if is_staff(person, reply.arrived, cx))
}

fn task(label: &str, asked: &Asked, notes: &[Noted], template: &'static str, deputies: Deputies) -> Effect {
    let shown = |note: &Noted| json!({ "by": Party::Person(note.by), "at": note.at, "text": note.text });
    let mut data = json!(asked);
    data["notes"] = json!(notes.iter().map(shown).collect::<Vec<_>>());
    let notice = Notice::new(label, Audience::Role(Role::Staff, None), template, data).asking(Asks::Text);
    Effect::Task(Task { notice, due: None, deputies })
}

impl Enquiry {
    fn waiting(asked: Asked, notes: Vec<Noted>, cx: &Cx<Policy>) -> Step<Enquiry> {
        let remind = Duration::days(i64::from(cx.policy.remind_days));
        let hand_over = task(TASK, &asked, &notes, "enquiry/task", Deputies::At(cx.now + remind * 2));
        let remind_at = cx.now + remind;
        let received = asked.acknowledge.then(|| {
            Notice::new("received", asked.from, "enquiry/received", json!({ "subject": asked.subject }))
        });
        let state = Enquiry::Waiting { asked, since: cx.now, remind_at, reminded: false, notes };
        received.into_iter().fold(Step::to(state).with(hand_over), Step::tell)
    }

    /// Staff's words by mail.
    fn answer(
        asked: Asked,
        notes: Vec<Noted>,
        reply: &Reply,
        cx: &Cx<Policy>,
    ) -> Result<Step<Enquiry>, Refusal> {
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
        Ok(Enquiry::answered(asked, notes, &reply.said.text, cx).tell(done))
    }

    /// Staff's words go to the asker as they are.
    fn answered(asked: Asked, notes: Vec<Noted>, words: &str, cx: &Cx<Policy>) -> Step<Enquiry> {
        let data = json!({ "subject": asked.subject, "question": asked.text, "answer": words });
        let answer = Notice::new("answer", asked.from, "enquiry/answer", data).asking(Asks::Text);
        let answered = Enquiry::Answered { asked, at: cx.now, notes };
        Step::to(answered).with(Effect::Cancel(TASK.to_owned())).tell(answer)
    }

    /// Orders given at the keyboard by staff or a deputy: `answer`, `note`, and `done` where an answer came back.
    fn order(self, order: &Order, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        if !is_staff(order.by, order.at, cx) {
            return Err(Refusal::new("enquiry/not-staff", json!({ "subject": self.title() })));
        }
        match (self, order.verb.as_str()) {
            (enquiry, "note") => {
                let text = order.args.get("text").and_then(Value::as_str).unwrap_or_default();
                Ok(Step::to(enquiry.noting(order.by, order.at, text)?))
            }
            (Enquiry::Waiting { asked, notes, .. }, "answer") => {
                let text = order.args.get("text").and_then(Value::as_str).unwrap_or_default();
                if text.trim().is_empty() {
                    return Err(Refusal::new("enquiry/empty", json!({ "subject": asked.subject })));
                }
                Ok(Enquiry::answered(asked, notes, text, cx))
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

    /// The same with one more note.
    fn noting(mut self, by: PersonId, at: DateTime<Utc>, text: &str) -> Result<Enquiry, Refusal> {
        let text: String = text.trim().chars().take(NOTE).collect();
        let (Enquiry::Waiting { asked, notes, .. } | Enquiry::Answered { asked, notes, .. }) = &mut self;
        if text.is_empty() {
            // What mends it is a note again, and must not reach the asker.
            let empty = Refusal::new("enquiry/empty", json!({ "subject": asked.subject }));
            return Err(empty.asking(Asks::Text).about(NOTED.to_owned()));
        }
        notes.push(Noted { by, at, text });
        if notes.len() > NOTES {
            notes.remove(0);
        }
        Ok(self)
    }

    /// A note of staff's by mail: the task stays as it is, and the asker hears nothing of it.
    fn note(self, reply: &Reply, text: &str, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        let data = json!({ "subject": self.title() });
        let Party::Person(by) = reply.from else { return Err(Refusal::new("enquiry/not-staff", data)) };
        if !cx.acts.allows(Act::Task, reply.assurance) {
            return Err(Refusal::new("enquiry/unsure", data).asking(Asks::Text));
        }
        let noted = self.noting(by, reply.arrived, text)?;
        Ok(Step::to(noted).tell(Notice::new(NOTED, reply.from, "enquiry/noted", data).asking(Asks::Text)))
    }

    fn reply(self, reply: &Reply, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        let label = reply.answers.as_ref().map_or("", |answers| answers.label.as_str());
        let for_staff = matches!(label, TASK | UNDELIVERABLE | NOTED) && by_staff(reply, cx);
        match acts::note(&reply.said.text).filter(|_| for_staff) {
            Some(note) => return self.note(reply, &note, cx),
            // Whatever answers the thanks for a note is another one: it must not reach the asker.
            None if for_staff && label == NOTED => return self.note(reply, &reply.said.text, cx),
            None => {}
        }
        match self {
            Enquiry::Waiting { asked, notes, .. } if label == TASK => {
                Enquiry::answer(asked, notes, reply, cx)
            }
            Enquiry::Answered { asked, at, notes } if label == UNDELIVERABLE && by_staff(reply, cx) => {
                let done =
                    Notice::new("done", reply.from, "enquiry/done", json!({ "subject": asked.subject }));
                Ok(Step::to(Enquiry::Answered { asked, at, notes })
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
            Enquiry::Waiting { asked, notes, .. } | Enquiry::Answered { asked, notes, .. } => {
                let again = Asked { text: reply.said.text.clone(), ..asked };
                let step = Enquiry::waiting(again, notes, cx);
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
        Ok(Enquiry::waiting(asked, Vec::new(), cx))
    }

    fn step(self, input: &Input, cx: &Cx<Policy>) -> Result<Step<Enquiry>, Refusal> {
        match (self, input) {
            (enquiry, Input::Reply(reply)) => enquiry.reply(reply, cx),
            (Enquiry::Waiting { asked, since, remind_at, notes, .. }, Input::Wake) if remind_at <= cx.now => {
                let remind = task(TASK, &asked, &notes, "enquiry/reminder", Deputies::Usual);
                // The deputies step in next, and the weekly digest goes on telling; a mail now and then is enough.
                let remind_at = cx.now + Duration::days(i64::from(cx.policy.remind_days) * 10);
                let waiting = Enquiry::Waiting { asked, since, remind_at, reminded: true, notes };
                Ok(Step::to(waiting).with(remind))
            }
            (enquiry, Input::Order(order)) => enquiry.order(order, cx),
            (Enquiry::Answered { asked, at, notes }, Input::Undelivered(bounce))
                if bounce.label == "answer" && bounce.permanent =>
            {
                let template = "enquiry/undeliverable";
                let undelivered = task(UNDELIVERABLE, &asked, &notes, template, Deputies::Usual);
                Ok(Step::to(Enquiry::Answered { asked, at, notes }).with(undelivered))
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
