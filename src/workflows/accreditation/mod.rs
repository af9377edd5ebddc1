//! Accreditation: an application to become an At-Large Structure, from the mail that asks for the form to the notice
//! of the decision. Rules: policy A, steps 1 to 6 and 9; suspension: B; what is public: P.
//!
//! ```text
//! drafting ──complete──► due-diligence ──finished──► regional-review ──its end──► advice-due ──advice──┐
//!    │                                                                                                │
//!    │      ┌──────── none: question (a) ◄───────────────────────────────────────────── telling ◄─────┘
//!    │      ▼                                                                            │  ▲ corrected
//!    │   voting ◄── one member asks: question (b) ── window ◄── some: N days from Sent ──┘──┘
//!    │      │  ▲                                      │ │
//!    │      │  └── asked ── held ◄── silence, advised against                silence, advised for
//!    ▼      ▼                                         ▼
//! withdrawn ◄──── the applicant ────  decided ──sent──► notified ──asked──► review-requested
//! ```
//!
//! Whatever runs may be suspended (`suspension`): its clocks stand still then, and the 90 days (`clock`) with them.

mod advice;
mod application;
mod clock;
mod deciding;
mod diligence;
mod documents;
mod mails;
mod orders;
mod outcome;
mod overdue;
mod page;
mod policy;
mod record;
mod release;
mod replies;
mod review;
mod state;
mod suspension;

pub use policy::{OnNegativeAdvice, Policy};
pub use state::*;

use crate::kernel::documents::Shelf;
use crate::kernel::language::Language;
use crate::kernel::said::Command;
use crate::kernel::workflow::{Cx, Effect, Input, Opening, Overdue, Refusal, Step, Twin, Workflow};
use chrono::{DateTime, Duration, Timelike, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An application in its phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accreditation {
    /// The form is being filled in; nothing has been applied for yet.
    Drafting(Drafting),
    /// Steps 2 to 5.
    Running(Box<Running>),
    /// Step 6.
    Decided(Box<Decided>),
    Withdrawn(Withdrawn),
}

/// What a step leads to beside the state it changes in place.
enum Next {
    Stay,
    Decide(outcome::Decision),
    Withdraw(Why, DateTime<Utc>),
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

impl Workflow for Accreditation {
    const KIND: &'static str = "accreditation";
    type Policy = Policy;
    const TASKS: &'static [Twin] = &[
        ("accreditation/diligence", &["criterion", "check", "ask", "region", "release", "finish", "proof"]),
        ("accreditation/advice", &["advice"]),
        ("accreditation/advice-overdue", &["lapse"]),
        ("accreditation/held-task", &["request-vote"]),
        ("accreditation/vote-stuck", &["vote-again"]),
        ("accreditation/unreachable", &["reached"]),
        ("accreditation/review-task", &["done"]),
        ("accreditation/release", &["release"]),
        ("accreditation/page-task", &["publish-page", "no-page"]),
    ];

    fn check(policy: &Policy) -> Result<(), String> {
        policy.check()
    }

    fn takes(command: &Command) -> bool {
        use Command::{Confirm, Decline, Resume, Suspend, Withdraw};
        matches!(command, Withdraw | Suspend | Resume | Confirm | Decline)
    }

    fn open(opening: &Opening, cx: &At) -> Result<Step<Accreditation>, Refusal> {
        application::open(opening, cx)
    }

    fn step(self, input: &Input, cx: &At) -> Result<Step<Accreditation>, Refusal> {
        match self {
            Accreditation::Drafting(drafting) => application::step(drafting, input, cx),
            Accreditation::Running(running) => running.step(input, cx),
            Accreditation::Decided(decided) => outcome::step(decided, input, cx),
            Accreditation::Withdrawn(withdrawn) => match input {
                Input::Reply(_) | Input::Order(_) => Err(mails::not_done(&withdrawn.name, "over")),
                _ => Ok(Step::to(Accreditation::Withdrawn(withdrawn))),
            },
        }
    }

    fn wake_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Accreditation::Drafting(drafting) => {
                Some(drafting.reminders.next().map_or(drafting.lapses, |rung| rung.min(drafting.lapses)))
            }
            Accreditation::Running(running) => running.wake_at(),
            Accreditation::Decided(_) | Accreditation::Withdrawn(_) => None,
        }
    }

    fn phase(&self) -> &'static str {
        match self {
            Accreditation::Drafting(_) => "drafting",
            Accreditation::Running(running) if running.file.suspended() => "suspended",
            Accreditation::Running(running) => running.stage.name(),
            Accreditation::Decided(decided) => match (decided.review, decided.notified) {
                (Some(_), _) => "review-requested",
                (None, Some(_)) => "notified",
                (None, None) => "decided",
            },
            Accreditation::Withdrawn(_) => "withdrawn",
        }
    }

    const DOCUMENTS: bool = true;

    fn shelf(&self) -> Option<Shelf<'_>> {
        documents::shelf(self)
    }

    fn title(&self) -> String {
        mails::title(&self.name(), Language::En)
    }

    fn titles(&self) -> Value {
        mails::titles(&self.name())
    }

    fn overdue(&self, now: DateTime<Utc>, policy: &Policy) -> Option<Overdue> {
        overdue::overdue(self, now, policy)
    }
}

impl Accreditation {
    /// Whether a mail of this label goes to the applicant.
    pub fn to_applicant(label: &str) -> bool {
        replies::to_applicant(label)
    }

    /// Whether an application in this phase is still to be decided.
    pub fn is_under_way(phase: &str) -> bool {
        !matches!(phase, "decided" | "notified" | "review-requested" | "withdrawn" | "refused")
    }

    /// The applicant's name; empty until it is known.
    fn name(&self) -> String {
        match self {
            Accreditation::Drafting(drafting) => application::name(&drafting.talk),
            Accreditation::Running(running) => running.file.name(),
            Accreditation::Decided(decided) => decided.file.name(),
            Accreditation::Withdrawn(withdrawn) => withdrawn.name.clone(),
        }
    }
}

/// The state and effects after a step that changed a running application in place.
fn conclude(running: Running, next: Next, out: Vec<Effect>, cx: &At) -> Step<Accreditation> {
    match next {
        Next::Stay => Step { state: Accreditation::Running(Box::new(running)), effects: out },
        Next::Decide(decision) => outcome::decide(running, &decision, out, cx),
        Next::Withdraw(why, at) => outcome::withdraw(&running, why, at, out, cx),
    }
}
