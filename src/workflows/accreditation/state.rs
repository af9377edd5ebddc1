//! What is kept of an application: its file, where it stands, and what was said about it by whom.

use super::clock::{self, Interval};
use super::{application, days, over};
use crate::kernel::documents::Folder;
use crate::kernel::form::{FormTalk, Value as Answer};
use crate::kernel::ids::{CaseId, OrganisationId, Party, PersonId};
use crate::kernel::ladder::Ladder;
use crate::kernel::people::Region;
use crate::kernel::register::Register;
use crate::kernel::workflow::Notice;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A form under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drafting {
    pub applicant: Party,
    pub talk: FormTalk,
    /// When the form was asked for; shown beside the date of receipt, it starts no clock (ambiguity 17).
    pub first_contact: DateTime<Utc>,
    pub reminders: Ladder,
    pub lapses: DateTime<Utc>,
    /// What came attached.
    #[serde(default, skip_serializing_if = "Folder::is_empty")]
    pub documents: Folder,
}

/// A received application on its way to a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Running {
    pub file: File,
    pub stage: Stage,
}

/// Everything about an application that does not depend on where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct File {
    pub applicant: Party,
    pub talk: FormTalk,
    /// Of the applicant's country by the table, or as staff set it; none where the table knows none.
    pub region: Option<Region>,
    pub first_contact: DateTime<Utc>,
    /// Arrival of the submission that completed the form: the 90 days run from here.
    pub received: DateTime<Utc>,
    /// Days left at which staff and the Chair are still to be warned.
    pub warnings: Vec<u32>,
    pub suspensions: Vec<Suspension>,
    /// Since when clocks stand still; from the arrival of what suspends.
    pub frozen: Option<DateTime<Utc>>,
    /// When a suspension has lasted long enough to remind people of it.
    pub alert_at: Option<DateTime<Utc>>,
    /// Committee members who want information; too few of them yet to suspend.
    pub wanted: Vec<Wanted>,
    /// Members who want a vote.
    pub requests: Vec<Request>,
    /// What was written, we cannot be sure by whom: it waits for a word from the address on file.
    pub pending: Vec<Pending>,
    pub asked: u32,
    /// Questions put to the applicant.
    pub questions: u32,
    /// How many confidential comments there were; never what they say, never whose they are.
    pub comments: u32,
    pub diligence: Diligence,
    /// Regional advice as it came; the last one is in force.
    pub advice: Vec<Advice>,
    /// Staff have released the whitelisted view of the application.
    pub released: bool,
    /// Answers that staff keep from the public though the form calls them public.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub withheld: BTreeSet<String>,
    /// Which of the applicant's addresses takes mail.
    pub address: u8,
    /// What came attached.
    #[serde(default, skip_serializing_if = "Folder::is_empty")]
    pub documents: Folder,
}

/// Where a received application stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Step 2.
    DueDiligence(Timer),
    /// Step 3.
    RegionalReview(Timer),
    /// Step 4.
    AdviceDue(AdviceDue),
    /// The advice is on its way to the committee; the window runs from when it has left.
    Telling(Telling),
    /// Step 5 (b).
    Window(Window),
    /// Advised against, and nobody asked for a vote (ambiguity 1).
    Held { since: DateTime<Utc>, remind_at: DateTime<Utc> },
    /// Step 5, a vote.
    Voting(Voting),
}

/// A time by which something should be done, and when to remind of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timer {
    pub due: DateTime<Utc>,
    pub reminders: Ladder,
}

/// Waiting for the Secretariat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdviceDue {
    pub timer: Timer,
    /// Its time has passed, and staff have been asked whether it lapsed.
    pub overdue: bool,
}

/// Advice on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Telling {
    /// Members to whom it has not left yet.
    pub awaiting: BTreeSet<Party>,
    /// When the last one left.
    pub latest: Option<DateTime<Utc>>,
}

/// The days in which one member may ask for a vote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// When the advice had left to every member (ambiguity 8).
    pub given: DateTime<Utc>,
    /// Kept with the window: a change of the number moves no running one.
    pub days: u32,
    pub timer: Timer,
    /// Past its end, until then waiting for the word of somebody who wrote in time.
    pub waiting: Option<DateTime<Utc>>,
}

/// A vote of the committee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Voting {
    pub question: Question,
    /// The ballot, once it has told its number.
    pub ballot: Option<CaseId>,
    pub since: DateTime<Utc>,
    /// Something keeps it from being decided, and people have been asked what to do.
    pub stuck: Option<Stuck>,
}

/// Which question is put (step 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// No advice: shall the applicant be accredited?
    A,
    /// Shall the advice be overturned?
    B,
}

/// Why a vote goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stuck {
    NotOpened,
    LeftUndecided,
    Annulled,
}

/// One suspension (B).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    pub number: u32,
    pub ground: Ground,
    /// Who asked for it: the applicant, the Secretariat, members of the committee.
    pub by: Vec<Party>,
    /// Staff who entered it on their behalf.
    pub entered_by: Option<PersonId>,
    pub information: String,
    pub why: String,
    /// Arrival of what asked for it: other clocks stand still from here.
    pub asked: DateTime<Utc>,
    /// When the applicant was told, under 2 and 3: the 90 days stand still from here.
    pub started: Option<DateTime<Utc>>,
    /// Arrival of the information, or of the applicant's request.
    pub lifted: Option<DateTime<Utc>>,
}

/// On which ground consideration is suspended (B.2 to B.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// 1: the applicant asks.
    Applicant,
    /// 2: the region's Secretariat needs information.
    Secretariat,
    /// 3: members of the committee believe that information is essential.
    Alac,
}

/// One member's wish for information, until others share it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub by: PersonId,
    pub information: String,
    pub why: String,
    pub at: DateTime<Utc>,
}

/// A member's request for a vote. It cannot be taken back: others relied on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub by: PersonId,
    pub at: DateTime<Utc>,
    pub entered_by: Option<PersonId>,
}

/// Something that waits for its author's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub number: u32,
    pub what: Unsure,
    pub arrived: DateTime<Utc>,
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unsure {
    Withdrawal,
    VoteRequest(PersonId),
}

/// What staff found (A.2, A.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diligence {
    /// Which wording of the criteria they were held against.
    pub version: u32,
    /// By the number of the criterion, the newest last.
    pub criteria: BTreeMap<u8, Vec<Finding>>,
    /// By the letter of the task: its conclusion.
    pub tasks: BTreeMap<char, String>,
    pub finished: Option<DateTime<Utc>>,
}

/// What was found of one criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub result: Met,
    pub note: String,
    pub by: PersonId,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    Met,
    NotMet,
    Unclear,
}

/// Regional advice (step 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    pub view: View,
    pub reasons: String,
    /// Comments were received on another way, as the Secretariat declares.
    pub elsewhere: bool,
    /// The Secretariat; staff where it lapsed.
    pub by: PersonId,
    pub entered_by: Option<PersonId>,
    pub lapsed: bool,
    pub at: DateTime<Utc>,
}

/// The three forms of advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    Accredit,
    NotAccredit,
    NoAdvice,
}

/// An application that was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    pub file: File,
    pub accredited: bool,
    pub route: Route,
    /// The instant the decision fell: the end of the window, the close of the ballot.
    pub at: DateTime<Utc>,
    pub ballot: Option<CaseId>,
    /// When the notice left: the 90 days end. Open again where it reached nobody.
    pub notified: Option<DateTime<Utc>>,
    /// When a review of the decision was asked for.
    pub review: Option<DateTime<Utc>>,
    pub organisation: Option<OrganisationId>,
    /// The public record of the decision as people released it, newest last; nothing of it is public before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Version>,
    /// When the first report of an accredited group is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_report: Option<NaiveDate>,
    /// The page we give to a structure that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// A version of what is public, by the person who released it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub at: DateTime<Utc>,
    pub by: PersonId,
    /// Why it was changed; of the first one nothing.
    pub reason: String,
}

/// A page of ours for a structure without one (F).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// What its representatives asked to have on it, until staff have looked.
    pub proposed: Option<Words>,
    /// As staff released it, newest last; the first has what the application says and no words beside.
    pub versions: Vec<Words>,
}

/// A structure's own words for its page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    pub text: String,
    /// Who wrote them; who released them where the page has none.
    pub by: PersonId,
    pub at: DateTime<Utc>,
}

/// How it was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Route {
    /// The window passed without a request.
    Consent,
    VoteA,
    /// The question was not carried: the advice stands.
    VoteBUpheld,
    VoteBOverturned,
}

/// An application that is no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Withdrawn {
    pub applicant: Party,
    pub name: String,
    pub at: DateTime<Utc>,
    pub why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    Withdrawn,
    /// Staff closed it; the journal says who.
    Closed,
    /// The form was never completed.
    Lapsed,
}

impl Timer {
    pub(super) fn new(due: DateTime<Utc>, before: &[u32], now: DateTime<Utc>) -> Timer {
        let before: Vec<Duration> = before.iter().map(|n| days(*n)).collect();
        Timer { due, reminders: Ladder::before(due, &before, now) }
    }

    pub(super) fn next(&self) -> DateTime<Utc> {
        let over = over(self.due);
        self.reminders.next().map_or(over, |rung| rung.min(over))
    }

    pub(super) fn shift(&mut self, by: Duration) {
        self.due += by;
        self.reminders.shift(by);
    }
}

impl File {
    /// The answer to a question of the form.
    pub(super) fn answer(&self, id: &str) -> Option<&Answer> {
        self.talk.draft.value(id)
    }

    /// The applicant's name, on one line.
    pub(super) fn name(&self) -> String {
        application::name(&self.talk)
    }

    /// The addresses that the form itself gives for the group: of who fills it in, and for the public. They are tried
    /// when those the applicant writes from take no mail.
    fn given(&self) -> Vec<&str> {
        let people = match self.answer("submitter") {
            Some(Answer::People(people)) => people.as_slice(),
            _ => &[],
        };
        let contact = match self.answer("contact") {
            Some(Answer::Email(contact)) => Some(contact.as_str()),
            _ => None,
        };
        let mut given: Vec<&str> = people.iter().filter_map(|person| person.email.as_deref()).collect();
        given.extend(contact.filter(|contact| !given.contains(contact)));
        given
    }

    /// How many addresses of the applicant can be tried.
    pub(super) fn addresses(&self, register: &Register) -> usize {
        register.speaker(self.applicant).map_or(1, |person| person.addresses.len()) + self.given().len()
    }

    /// A notice to the applicant, at the address that takes mail.
    pub(super) fn addressed(&self, notice: Notice) -> Notice {
        let notice = notice.to_address(self.address);
        if self.address > 0 { notice.also_at(&self.given()) } else { notice }
    }

    /// When the 90 days stood still.
    fn intervals(&self) -> Vec<Interval> {
        self.suspensions.iter().filter_map(Suspension::interval).collect()
    }

    pub(super) fn clock(&self, now: DateTime<Utc>) -> clock::Reading {
        clock::read(self.received, &self.intervals(), now)
    }

    pub(super) fn suspended(&self) -> bool {
        self.frozen.is_some()
    }

    /// The advice in force.
    pub(super) fn advised(&self) -> Option<&Advice> {
        self.advice.last()
    }

    /// What the region says.
    pub(super) fn view(&self) -> View {
        self.advised().map_or(View::NoAdvice, |advice| advice.view)
    }
}

impl Running {
    /// The next moment at which a clock of its own strikes.
    pub(super) fn wake_at(&self) -> Option<DateTime<Utc>> {
        if self.file.suspended() {
            return self.file.alert_at;
        }
        let stage = match &self.stage {
            Stage::DueDiligence(timer) | Stage::RegionalReview(timer) => Some(timer.next()),
            Stage::AdviceDue(wait) => Some(wait.timer.next()),
            Stage::Telling(_) => None,
            Stage::Window(window) => Some(window.waiting.unwrap_or_else(|| window.timer.next())),
            Stage::Held { remind_at, .. } => Some(*remind_at),
            Stage::Voting(voting) => voting.wake_at(),
        };
        let due = self.file.clock(self.file.received).due;
        let warning = self.file.warnings.iter().map(|left| due - days(*left)).min();
        [stage, warning].into_iter().flatten().min()
    }
}

impl Stage {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Stage::DueDiligence(_) => "due-diligence",
            Stage::RegionalReview(_) => "regional-review",
            Stage::AdviceDue(_) => "advice-due",
            Stage::Telling(_) => "telling",
            Stage::Window(_) => "window",
            Stage::Held { .. } => "held",
            Stage::Voting(_) => "voting",
        }
    }
}
