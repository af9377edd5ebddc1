//! Decertification: whether an At-Large Structure stays accredited, from something that was noticed to the notice of
//! the decision. Rules: policy C; what must not be a ground: M; two thirds: V; what is public: P.
//!
//! ```text
//! anomaly ──staff──► investigation ──finished──► investigated ──proposed──► proposed ──notice has left──► hearing
//!    │                    │                           │                        ▲                        │    │
//!    │ dismissed          │ dismissed       silence   │    a proposal ─────────┘       it answers       │    │ its end
//!    ▼                    ▼                           ▼                                                 ▼    ▼
//! closed ◄── everybody who proposed takes it back ─────────────────────────────────── responded   elapsed
//!    ▲                                                                                       │        │
//! leave-asked ──the prime confirms: her word is notice and answer──► responded ──► voting ◄──┴────────┘
//!                                              carried by two thirds, or not │  ▲ no quorum: inquorate
//!                             decertified | retained ◄───────────────────────┘──┘ stands still: frozen
//!                                   └──sent──► notified ──asked──► review-requested
//! ```
//!
//! No clock decertifies, and no vote opens before the notice has left to all, the structure was heard, and every member
//! of the committee has its answer. Until the decision the structure keeps every right.

mod deciding;
mod grounds;
mod hearing;
mod investigation;
mod mails;
mod opening;
mod orders;
mod outcome;
mod policy;
mod proposal;
mod record;
mod replies;
mod state;
mod who;

pub use grounds::{Failure, NoGround, Requirement};
pub use policy::Policy;
pub use state::*;
pub use who::Capacity;

use crate::kernel::ids::CaseId;
use crate::kernel::language::Language;
use crate::kernel::said::Command;
use crate::kernel::workflow::{Cx, Effect, Input, Opening, Refusal, Step, Twin, Workflow};
use crate::workflows::ballot;
use chrono::{DateTime, Duration, Timelike, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The question whether a structure stays accredited, in its phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decertification {
    Running(Box<Running>),
    Decided(Box<Decided>),
    Closed(Closed),
}

/// What a step leads to beside the state it changes in place.
enum Next {
    Stay,
    Close(Why, DateTime<Utc>),
    Decide { decertified: bool, at: DateTime<Utc>, ballot: CaseId },
}

/// What a step may look at.
type At<'a> = Cx<'a, Policy>;

fn days(n: u32) -> Duration {
    Duration::days(i64::from(n))
}

/// The first moment after a second that still counts.
fn over(due: DateTime<Utc>) -> DateTime<Utc> {
    due.with_nanosecond(0).unwrap_or(due) + Duration::seconds(1)
}

impl Workflow for Decertification {
    const KIND: &'static str = "decertification";
    type Policy = Policy;
    const TASKS: &'static [Twin] = &[
        ("decertification/anomaly", &["investigate", "dismiss"]),
        ("decertification/investigation", &["step", "failure", "ask", "owner", "finish", "dismiss"]),
        ("decertification/vote-stuck", &["vote", "end"]),
        ("decertification/unreachable", &["reached"]),
        ("decertification/consequences", &["done"]),
        ("decertification/review-task", &["reviewed"]),
    ];

    fn check(policy: &Policy) -> Result<(), String> {
        policy.check()
    }

    fn takes(command: &Command) -> bool {
        matches!(command, Command::Withdraw | Command::Confirm | Command::Decline)
    }

    fn open(opening: &Opening, cx: &At) -> Result<Step<Decertification>, Refusal> {
        opening::open(opening, cx)
    }

    fn step(self, input: &Input, cx: &At) -> Result<Step<Decertification>, Refusal> {
        match self {
            Decertification::Running(running) => running.step(input, cx),
            Decertification::Decided(decided) => outcome::step(decided, input, cx),
            Decertification::Closed(closed) => match input {
                Input::Reply(_) | Input::Order(_) => Err(mails::not_done(&closed.name, "over")),
                Input::Note(note) => {
                    let step = Step::to(Decertification::Closed(closed));
                    Ok(ballot::too_late(note).into_iter().fold(step, Step::with))
                }
                _ => Ok(Step::to(Decertification::Closed(closed))),
            },
        }
    }

    fn wake_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Decertification::Running(running) => running.wake_at(),
            Decertification::Decided(_) | Decertification::Closed(_) => None,
        }
    }

    fn phase(&self) -> &'static str {
        match self {
            Decertification::Running(running) => running.phase(),
            Decertification::Decided(decided) => decided.phase(),
            Decertification::Closed(_) => "closed",
        }
    }

    fn title(&self) -> String {
        mails::title(self.name(), Language::En)
    }

    fn titles(&self) -> Value {
        mails::titles(self.name())
    }
}

impl Decertification {
    fn name(&self) -> &str {
        match self {
            Decertification::Running(running) => &running.file.name,
            Decertification::Decided(decided) => &decided.file.name,
            Decertification::Closed(closed) => &closed.name,
        }
    }
}

/// The state and effects after a step that changed a running matter in place.
fn conclude(running: Running, next: &Next, out: Vec<Effect>, cx: &At) -> Step<Decertification> {
    match *next {
        Next::Stay => Step { state: Decertification::Running(Box::new(running)), effects: out },
        Next::Close(why, at) => outcome::close(&running, why, at, out, cx),
        Next::Decide { decertified, at, ballot } => {
            outcome::decide(running.file, decertified, at, Some(ballot), out, cx)
        }
    }
}
