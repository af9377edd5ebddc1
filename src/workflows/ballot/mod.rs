//! Ballot: a question put to voters by mail, closed by its rule, counted so that anybody can recount it.
//!
//! ```text
//! planned ──opens──► open ──closes──► closed (carried | not carried)
//!    │               │ ▲  no quorum: extended once, then run again, then
//!    │               │ └───── one more run ────── escalated (to the Chair)
//!    └───────────────┴── annulled (a reason, and a second person)
//! ```
//!
//! Rules: policy A part V. The electorate and the question are frozen when it opens. The last valid answer
//! by arrival counts, up to and including the closing second. A parent case may freeze and thaw it.

mod annulment;
mod answers;
mod closing;
mod mails;
mod news;
mod setup;
mod staff;
mod tally;

pub use news::{News, Tidings, too_late};

use crate::kernel::assurance::Act;
use crate::kernel::ballot::{Counts, Rule, Verdict};
use crate::kernel::choice::Choice;
use crate::kernel::ids::{CaseId, Party, PersonId};
use crate::kernel::ladder::Ladder;
use crate::kernel::language::Language;
use crate::kernel::said::Command;
use crate::kernel::workflow::{Cx, Effect, Input, Note, Opening, Refusal, Step, Twin, Workflow};
use chrono::{DateTime, Duration, Timelike, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One text in each language.
pub type Texts = BTreeMap<Language, String>;

/// Numbers an administrator may tune (80-ambiguities 5, 7, 60).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Days a ballot is open where its file names no closing time.
    pub days: u32,
    /// Hours before the close at which those who still owe an answer are reminded. Of several moments, those within a
    /// day of the question are left out.
    pub remind_hours_before: Vec<u32>,
    /// Days a ballot without quorum is extended, once.
    pub extend_days: u32,
    /// How often a ballot without quorum is run again after its extension.
    pub reruns: u32,
    /// Hours after the close within which an answer that arrived in time may still be confirmed.
    pub confirm_grace_hours: u32,
    /// Days between reminders to the Chair about a ballot that found no quorum.
    pub chair_reminder_days: u32,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            days: 5,
            remind_hours_before: vec![48, 12],
            extend_days: 3,
            reruns: 1,
            confirm_grace_hours: 24,
            chair_reminder_days: 7,
        }
    }
}

impl Policy {
    fn grace(&self) -> Duration {
        Duration::hours(i64::from(self.confirm_grace_hours))
    }

    /// When those are reminded who do not answer; of several times none within a day of the question.
    fn ladder(&self, closes: DateTime<Utc>, asked: DateTime<Utc>) -> Ladder {
        let before: Vec<Duration> =
            self.remind_hours_before.iter().map(|hours| Duration::hours(i64::from(*hours))).collect();
        Ladder::before(closes, &before, asked).spaced(asked, Duration::days(1))
    }
}

/// A ballot in its phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ballot {
    Planned(Plan),
    Open(Poll),
    /// Twice without a quorum: nothing is decided, the Chair is asked (ambiguity 62).
    Escalated {
        poll: Poll,
        verdict: Verdict,
        remind_at: DateTime<Utc>,
    },
    Closed {
        poll: Poll,
        /// None where the Chair left it undecided.
        verdict: Option<Verdict>,
        counts: Counts,
        at: DateTime<Utc>,
    },
    Annulled {
        matter: Matter,
        reason: String,
        /// The two who agreed; none where what it was about has ended.
        by: Option<PersonId>,
        second: Option<PersonId>,
        at: DateTime<Utc>,
    },
}

/// A ballot that opens later. Its voters know nothing of it yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    #[serde(flatten)]
    pub matter: Matter,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annulment: Option<Annulment>,
}

/// What is asked, of whom, by which rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matter {
    pub question: Texts,
    pub yes_means: Texts,
    pub no_means: Texts,
    pub polarity: Polarity,
    pub rule: Rule,
    pub secrecy: Secrecy,
    /// Which assurance an answer needs: `vote` or `decertification`.
    pub act: Act,
    pub voters: Voters,
    pub opens: DateTime<Utc>,
    pub closes: DateTime<Utc>,
    pub parent: Option<CaseId>,
    pub by: Option<PersonId>,
}

/// Whether YES supports the thing people talk about, or overturns it. With a reversed question "I support"
/// says nothing (ambiguity 64).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Polarity {
    Straight,
    Reversed,
}

/// Who can see how somebody voted. Secret ballots are not offered yet (ambiguity 65).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Secrecy {
    /// Everybody, by name, when it is over.
    Open,
    /// The Chair and staff; the published ballots bear receipt codes alone.
    NonPublic,
}

/// Who may vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Voters {
    /// The ALAC members sitting when it opens.
    Alac,
    Listed(Vec<Party>),
}

/// A ballot that takes answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Poll {
    pub matter: Matter,
    /// 1, and 2 when it is run again.
    pub round: u32,
    pub opened: DateTime<Utc>,
    /// Moves when it is extended or was frozen.
    pub closes: DateTime<Utc>,
    /// Fixed at opening; an election in the middle changes nothing.
    pub electorate: Vec<Party>,
    /// Of question, rule and electorate as frozen at opening.
    pub hash: String,
    pub entries: BTreeMap<Party, Entry>,
    /// Answers that wait for their author's confirmation.
    pub pending: BTreeMap<Party, Pending>,
    /// How many confirmations were asked for.
    #[serde(default)]
    pub asked: u32,
    pub reminders: Ladder,
    pub extended: bool,
    /// Past the close, waiting until then for confirmations of answers that arrived in time.
    pub waiting: Option<DateTime<Utc>>,
    pub frozen: Option<DateTime<Utc>>,
    pub annulment: Option<Annulment>,
    /// Which address of a voter takes mail, where it is not the preferred one.
    #[serde(default)]
    pub addresses: BTreeMap<Party, u8>,
    /// Voters none of whose addresses took mail: staff have been asked to reach them.
    #[serde(default)]
    pub unreachable: BTreeSet<Party>,
    /// Those of them whom staff have reached since.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reached: BTreeSet<Party>,
    /// Rounds that found no quorum.
    pub earlier: Vec<Round>,
}

/// The newest word of one voter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub arrived: DateTime<Utc>,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Voted {
        choice: Choice,
        /// Receipt code: unguessable, known to the voter, published with the choice.
        code: String,
        paper: Option<Paper>,
    },
    Withdrawn,
    /// Takes no part; counts as not recorded (ambiguity 30).
    Recused,
}

/// A ballot received on paper and entered by staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    pub by: PersonId,
    pub reference: String,
}

/// Something a voter wrote, we cannot be sure that she did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub arrived: DateTime<Utc>,
    pub what: What,
    /// Which question to the address on file is about it: the answer to an older one confirms nothing.
    pub number: u32,
}

/// Asked for by one person of the staff; a second must agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annulment {
    pub by: PersonId,
    /// The account at the operating system: the second person uses another one.
    #[serde(default)]
    pub os_user: String,
    pub reason: String,
    pub at: DateTime<Utc>,
}

/// A round that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    pub round: u32,
    pub opened: DateTime<Utc>,
    pub closed: DateTime<Utc>,
    pub counts: Counts,
    pub verdict: Verdict,
}

/// What a parent case may tell its ballot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParentSays {
    Freeze,
    Thaw,
    /// The matter has ended: there is nothing left to vote on.
    End,
}

impl Workflow for Ballot {
    const KIND: &'static str = "ballot";
    type Policy = Policy;
    const TASKS: &'static [Twin] = &[
        ("ballot/annul-confirm", &["confirm-annul", "refuse-annul"]),
        ("ballot/annul-planned", &["confirm-annul", "refuse-annul"]),
        ("ballot/escalation", &["run-again", "leave"]),
        ("ballot/unreachable", &["reached"]),
    ];

    fn check(policy: &Policy) -> Result<(), String> {
        setup::check(policy)
    }

    fn takes(command: &Command) -> bool {
        matches!(command, Command::Withdraw | Command::Recuse | Command::Confirm | Command::Decline)
    }

    fn open(opening: &Opening, cx: &Cx<Policy>) -> Result<Step<Ballot>, Refusal> {
        let matter = setup::matter(opening, cx)?;
        if matter.opens > cx.now {
            return Ok(Step::to(Ballot::Planned(Plan { matter, annulment: None })));
        }
        let closes = matter.closes;
        let opened = matter.parent.map(|to| Effect::Note { to, body: json!({ "opened": closes }) });
        let step = setup::begin(matter, 1, Vec::new(), 0, cx);
        // Its parent learns its number by it.
        Ok(opened.into_iter().fold(step, Step::with))
    }

    fn step(self, input: &Input, cx: &Cx<Policy>) -> Result<Step<Ballot>, Refusal> {
        match (self, input) {
            (Ballot::Planned(plan), Input::Wake) if plan.matter.opens <= cx.now => {
                Ok(setup::planned(plan, cx))
            }
            (Ballot::Open(poll), Input::Wake) => Ok(closing::wake(poll, cx)),
            (ballot @ (Ballot::Planned(_) | Ballot::Open(_)), Input::Reply(reply))
                if annulment::is_about(reply) =>
            {
                annulment::reply(ballot, reply, cx)
            }
            (Ballot::Open(poll), Input::Reply(reply)) => answers::reply(poll, reply, cx),
            (ballot, Input::Note(note)) if annulment::ends(&ballot, note) => Ok(annulment::ended(ballot, cx)),
            (Ballot::Open(poll), Input::Note(note)) => Ok(poll.parent_says(note)),
            (ballot, Input::Order(order)) => staff::order(ballot, order, cx),
            (Ballot::Open(poll), Input::Undelivered(bounce)) => Ok(staff::undelivered(poll, bounce, cx)),
            (Ballot::Escalated { poll, verdict, remind_at }, input) => {
                staff::escalated(poll, verdict, remind_at, input, cx)
            }
            (ballot, Input::Reply(reply)) => Err(answers::over(&ballot, reply, cx)),
            (ballot, _) => Ok(Step::to(ballot)),
        }
    }

    fn wake_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Ballot::Planned(plan) => Some(plan.matter.opens),
            Ballot::Open(poll) => poll.wake_at(),
            Ballot::Escalated { remind_at, .. } => Some(*remind_at),
            Ballot::Closed { .. } | Ballot::Annulled { .. } => None,
        }
    }

    fn phase(&self) -> &'static str {
        match self {
            Ballot::Planned(_) => "planned",
            Ballot::Open(Poll { frozen: Some(_), .. }) => "frozen",
            Ballot::Open(Poll { waiting: Some(_), .. }) => "awaiting-confirmation",
            Ballot::Open(_) => "open",
            Ballot::Escalated { .. } => "escalated",
            Ballot::Closed { .. } => "closed",
            Ballot::Annulled { .. } => "annulled",
        }
    }

    fn title(&self) -> String {
        self.matter().question.get(&Language::En).cloned().unwrap_or_default()
    }

    fn titles(&self) -> Value {
        json!(self.matter().question)
    }
}

impl Poll {
    /// Those who have recorded no answer and have not recused themselves.
    fn owing(&self) -> Vec<Party> {
        let silent = |party: &&Party| {
            !self.pending.contains_key(party)
                && !matches!(
                    self.entries.get(party).map(|entry| &entry.what),
                    Some(What::Voted { .. } | What::Recused)
                )
        };
        self.electorate.iter().filter(silent).copied().collect()
    }

    fn counts(&self) -> Counts {
        Counts::of(self.entries.values().filter_map(|entry| match entry.what {
            What::Voted { choice, .. } => Some(choice),
            What::Withdrawn | What::Recused => None,
        }))
    }

    /// The answer of a voter that stands.
    fn vote_of(&self, voter: Party) -> Option<Choice> {
        match self.entries.get(&voter)?.what {
            What::Voted { choice, .. } => Some(choice),
            What::Withdrawn | What::Recused => None,
        }
    }

    /// Those who recorded no answer, for whatever reason.
    fn silent(&self) -> Vec<Party> {
        let voted =
            |party: &Party| matches!(self.entries.get(party), Some(Entry { what: What::Voted { .. }, .. }));
        self.electorate.iter().filter(|party| !voted(party)).copied().collect()
    }

    fn sitting(&self) -> u32 {
        u32::try_from(self.electorate.len()).unwrap_or(u32::MAX)
    }

    fn wake_at(&self) -> Option<DateTime<Utc>> {
        if self.frozen.is_some() {
            return None;
        }
        // Once the closing second is over: woken within it, a ballot would only ask to be woken again.
        let over = self.over();
        Some(self.waiting.unwrap_or_else(|| self.reminders.next().map_or(over, |rung| rung.min(over))))
    }

    /// The first moment after the closing second, which still counts.
    fn over(&self) -> DateTime<Utc> {
        self.closes.with_nanosecond(0).unwrap_or(self.closes) + Duration::seconds(1)
    }

    /// Whether something that arrived then was in time: from the opening second up to and including the
    /// closing second; and while frozen before the close, since the clock stood still.
    fn in_time(&self, arrived: DateTime<Utc>) -> bool {
        let second = arrived.timestamp();
        let stood_still = |since: DateTime<Utc>| since <= self.closes && second >= since.timestamp();
        self.opened.timestamp() <= second
            && (second <= self.closes.timestamp() || self.frozen.is_some_and(stood_still))
    }

    /// Freeze and thaw, by the parent alone. The time frozen is added to the time left; answers that
    /// arrive meanwhile are kept and count.
    fn parent_says(mut self, note: &Note) -> Step<Ballot> {
        let says: Option<ParentSays> = serde_json::from_value(note.body.clone()).ok();
        if self.matter.parent != Some(note.from) {
            return Step::to(Ballot::Open(self));
        }
        match (says, self.frozen) {
            (Some(ParentSays::Freeze), None) => {
                self.frozen = Some(note.arrived);
                let tell = mails::frozen(&self);
                Step::to(Ballot::Open(self)).tell(tell)
            }
            (Some(ParentSays::Thaw), Some(since)) => {
                let lasted = note.arrived - since;
                self.frozen = None;
                self.waiting = None;
                self.closes += lasted;
                self.reminders.shift(lasted);
                let tell = mails::thawed(&self);
                Step::to(Ballot::Open(self)).tell(tell)
            }
            _ => Step::to(Ballot::Open(self)),
        }
    }
}
