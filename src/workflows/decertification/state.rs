//! What is kept of the question whether a structure stays accredited: its file, and where it stands.

use super::grounds::{Failure, NoGround};
use super::who::Capacity;
use super::{days, over};
use crate::kernel::ids::{CaseId, OrganisationId, Party, PersonId};
use crate::kernel::ladder::Ladder;
use crate::kernel::people::Region;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A matter under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Running {
    pub file: File,
    pub stage: Stage,
}

/// Everything that does not depend on where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct File {
    pub organisation: OrganisationId,
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub region: Region,
    pub anomaly: Option<Anomaly>,
    /// Who of the staff investigates.
    pub owner: Option<PersonId>,
    /// What was done, each with its moment.
    pub steps: Vec<Deed>,
    /// Requirements that were not met, each with its day.
    pub failures: Vec<Failure>,
    /// Why it is proposed without several of them.
    pub exception: Option<String>,
    /// What somebody cited that must not be a ground: recorded, binding nobody.
    pub remarks: Vec<Remark>,
    /// Leaders and public contact of the structure, as far as known, besides its representatives.
    pub contacts: BTreeSet<Party>,
    pub proposers: Vec<Proposer>,
    pub reasons: String,
    /// Whom the notice was written to.
    pub noticed_to: BTreeSet<Party>,
    /// Those of them to whom it has not left yet.
    pub awaiting: BTreeSet<Party>,
    /// When it had left to all.
    pub noticed: Option<DateTime<Utc>>,
    /// The answers of the structure.
    pub responses: Vec<Response>,
    /// The structure's own word that it wants to leave.
    pub leaving: Option<DateTime<Utc>>,
    /// Those none of whose addresses took mail that must reach them.
    pub unreached: BTreeSet<Party>,
    /// Which address takes mail, where it is not the preferred one.
    pub addresses: BTreeMap<Party, u8>,
    /// The member who asked for a vote that is not public.
    pub non_public: Option<PersonId>,
    /// Questions put to the structure.
    pub questions: u32,
}

/// Something that gave rise to a look: it decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomaly {
    pub sign: Sign,
    pub note: String,
    pub at: DateTime<Utc>,
}

/// What was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    ReportOverdue,
    Bounces,
    Silence,
    NoWebReference,
    Representatives,
    Distribution,
    /// Somebody told staff of a problem.
    Complaint,
}

/// A step of the investigation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    pub at: DateTime<Utc>,
    pub by: Party,
    pub what: String,
}

/// What is no ground, and who cited it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    pub by: PersonId,
    pub at: DateTime<Utc>,
    pub what: NoGround,
    pub text: String,
}

/// Who proposes, in which capacity, and who entered it for her.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposer {
    pub by: PersonId,
    pub capacity: Capacity,
    pub entered_by: Option<PersonId>,
    pub at: DateTime<Utc>,
}

/// An answer of the structure, or a part of one, and to which members of the committee it has not left yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    pub number: u32,
    pub from: Party,
    /// Staff who entered what came on another way.
    pub entered_by: Option<PersonId>,
    pub at: DateTime<Utc>,
    pub text: String,
    /// The how manieth answer it is.
    pub answer: u32,
    /// Which part of that answer: a long one goes out in several mails, since none of it may be left out.
    pub part: u32,
    pub parts: u32,
    /// Our mail server vouches for the writer, or staff do.
    pub proven: bool,
    /// It says that the structure wants to leave.
    pub leaves: bool,
    pub sent_to: BTreeSet<Party>,
    pub awaiting: BTreeSet<Party>,
}

/// Where a matter stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Somebody of the staff should take it up.
    Anomaly {
        remind_at: DateTime<Utc>,
        reminded: bool,
    },
    Investigation(Timer),
    /// Those entitled know what was found, and may propose until then.
    Investigated {
        until: DateTime<Utc>,
    },
    /// The structure is said to want to leave; its prime is asked.
    LeaveAsked {
        until: DateTime<Utc>,
    },
    /// The notice is on its way.
    Proposed,
    /// The structure may answer; from when the notice had left to all.
    Hearing {
        timer: Timer,
        vote_at: DateTime<Utc>,
    },
    /// It has answered, or the time to answer is over. The vote opens then, if its gate is open.
    Heard {
        vote_at: DateTime<Utc>,
        due: bool,
    },
    Voting(Voting),
}

/// A time by which something should be done, and when to remind of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timer {
    pub due: DateTime<Utc>,
    pub reminders: Ladder,
}

/// A vote of the committee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Voting {
    /// The ballot, once it has told its number.
    pub ballot: Option<CaseId>,
    pub since: DateTime<Utc>,
    /// It found no quorum so far; nothing is decided.
    pub inquorate: bool,
    /// Something keeps it from being decided, and people have been asked what to do.
    pub stuck: Option<Stuck>,
    /// Why it stands still.
    pub frozen: Option<Frozen>,
}

/// Why a vote goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stuck {
    NotOpened,
    LeftUndecided,
    Annulled,
}

/// Why an open vote stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frozen {
    /// The notice turned out to have reached nobody.
    Unreached,
    /// Staff or the Chair stopped it; the journal says why.
    Ordered,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    pub file: File,
    pub decertified: bool,
    pub at: DateTime<Utc>,
    pub ballot: Option<CaseId>,
    /// Whom the notice of the decision was written to.
    pub told: BTreeSet<Party>,
    /// Those of them to whom it has not left yet.
    pub awaiting: BTreeSet<Party>,
    pub notified: Option<DateTime<Utc>>,
    /// When a review of the decision was asked for.
    pub review: Option<DateTime<Utc>>,
}

/// A matter that ended without a decision: the structure stays accredited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    pub organisation: OrganisationId,
    pub name: String,
    pub at: DateTime<Utc>,
    pub why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Staff found nothing that must be followed up.
    Dismissed,
    /// Nobody entitled proposed anything on what was found.
    NotProposed,
    /// Everybody who proposed took it back.
    Withdrawn,
    /// The structure did not confirm that it wants to leave.
    Stays,
    /// The committee found no quorum, and the Chair left it there.
    Undecided,
}

impl Timer {
    pub(super) fn new(due: DateTime<Utc>, before: &[u32], now: DateTime<Utc>) -> Timer {
        let before: Vec<Duration> = before.iter().map(|n| days(*n)).collect();
        Timer { due, reminders: Ladder::before(due, &before, now) }
    }

    fn next(&self) -> DateTime<Utc> {
        let over = over(self.due);
        self.reminders.next().map_or(over, |rung| rung.min(over))
    }
}

impl File {
    /// Whether the structure has answered; that it wanted to leave and took it back is no answer.
    pub(super) fn answered(&self) -> bool {
        self.leaving.is_some() || self.responses.iter().any(|response| !response.leaves)
    }
}

impl Running {
    /// The next moment at which a clock of its own strikes.
    pub(super) fn wake_at(&self) -> Option<DateTime<Utc>> {
        match &self.stage {
            Stage::Anomaly { remind_at, .. } => Some(*remind_at),
            Stage::Investigation(timer) | Stage::Hearing { timer, .. } => Some(timer.next()),
            Stage::Investigated { until } | Stage::LeaveAsked { until } => Some(over(*until)),
            Stage::Heard { vote_at, due } => (!due).then(|| over(*vote_at)),
            Stage::Proposed => None,
            Stage::Voting(voting) => voting.wake_at(),
        }
    }

    pub(super) fn phase(&self) -> &'static str {
        match &self.stage {
            Stage::Anomaly { .. } => "anomaly",
            Stage::Investigation(_) => "investigation",
            Stage::Investigated { .. } => "investigated",
            Stage::LeaveAsked { .. } => "leave-asked",
            Stage::Proposed => "proposed",
            Stage::Hearing { .. } => "hearing",
            Stage::Heard { .. } if !self.file.answered() => "elapsed",
            Stage::Heard { .. } => "responded",
            Stage::Voting(Voting { frozen: Some(_), .. }) => "frozen",
            Stage::Voting(Voting { inquorate: true, .. }) => "inquorate",
            Stage::Voting(_) => "voting",
        }
    }
}

impl Decided {
    pub(super) fn phase(&self) -> &'static str {
        match (self.review, self.notified, self.decertified) {
            (Some(_), _, _) => "review-requested",
            (None, Some(_), _) => "notified",
            (None, None, true) => "decertified",
            (None, None, false) => "retained",
        }
    }
}
