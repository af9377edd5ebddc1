//! What must have come of every application, worked out from mails and the record: that a decision has a route which
//! the rules know, that comments counted which came in time, that nothing is left of what was told in confidence, and
//! that whatever is not decided waits for somebody.

use super::model::{Deed, Done, Evidence};
use super::ninety::arrival;
use super::world::World;
use crate::advance::CaseRow;
use crate::kernel::confidential::{day, is_member};
use crate::kernel::ids::{CaseId, OrganisationId, Party, PersonId};
use crate::kernel::people::Role;
use crate::kernel::register::Register;
use crate::kernel::tally::Body;
use crate::kernel::workflow::Asks;
use crate::ports::store::{JournalRow, NoticeRow, Store};
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Days in which a member may ask for a vote.
const WINDOW: Duration = Duration::days(7);

/// What the record says of an application.
#[derive(Debug, Deserialize)]
pub struct File {
    pub received: DateTime<Utc>,
    pub suspensions: Vec<Suspended>,
    pub requests: Vec<Requested>,
    pub comments: u64,
    pub advice: Vec<Advised>,
}

#[derive(Debug, Deserialize)]
pub struct Suspended {
    pub number: u32,
    pub ground: String,
    pub asked: DateTime<Utc>,
    pub started: Option<DateTime<Utc>>,
    pub lifted: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize)]
pub struct Requested {
    by: PersonId,
    at: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
pub struct Advised {
    view: String,
}

#[derive(Debug, Deserialize)]
pub struct Decided {
    accredited: bool,
    route: String,
    at: DateTime<Utc>,
    ballot: Option<CaseId>,
    pub notified: Option<DateTime<Utc>>,
    organisation: Option<OrganisationId>,
}

/// One application and everything there is to know about it.
pub struct Matter<'a> {
    pub case: &'a CaseRow,
    pub notices: &'a [NoticeRow],
    pub steps: Vec<&'a JournalRow>,
    pub file: Option<File>,
    pub decided: Option<Decided>,
    /// What was done about it, by whom as the register has them.
    deeds: Vec<Done>,
    register: &'a Register,
    tallies: &'a BTreeMap<String, Body>,
}

/// Checks every application, and counts what it cost.
pub async fn audit(world: &mut World, evidence: &Evidence) {
    let Ok(register) = world.store.register().await else { return };
    let cases = world.store.cases().await.unwrap_or_default();
    let mut tallies = BTreeMap::new();
    for publication in world.store.publications(0).await.unwrap_or_default() {
        if let Ok(body) = serde_json::from_value(publication.record.body) {
            tallies.insert(publication.record.path, body);
        }
    }
    let mut steps: BTreeMap<CaseId, Vec<&JournalRow>> = BTreeMap::new();
    for row in &evidence.journal {
        steps.entry(row.entry.case).or_default().push(row);
    }
    let mut deeds: BTreeMap<CaseId, Vec<Done>> = BTreeMap::new();
    for done in &world.model.deeds {
        if let Some(case) = done.answers.as_ref().and_then(|token| evidence.case_of(token)) {
            // Who has applied stands in the register under another number than among the villagers.
            let villager = world.village.people.get(&done.by);
            let known = villager.and_then(|villager| register.owner(&villager.addresses[0]));
            let by = known.map_or(done.by, |person| person.id);
            deeds.entry(case).or_default().push(Done { by, ..done.clone() });
        }
    }
    let (mut wrong, mut touches) = (Vec::new(), Vec::new());
    for case in cases.iter().filter(|case| case.kind == "accreditation") {
        let part = |name: &str| case.state.get(name).cloned().unwrap_or_default();
        let file = [part("running"), part("decided")].into_iter().find_map(|of| of.get("file").cloned());
        let matter = Matter {
            case,
            notices: evidence.notices.get(&case.id).map_or(&[][..], Vec::as_slice),
            steps: steps.remove(&case.id).unwrap_or_default(),
            file: file.and_then(|file| serde_json::from_value(file).ok()),
            decided: serde_json::from_value(part("decided")).ok(),
            deeds: deeds.remove(&case.id).unwrap_or_default(),
            register: &register,
            tallies: &tallies,
        };
        wrong.extend(matter.clock());
        wrong.extend(matter.route());
        wrong.extend(matter.comments());
        if case.phase != "drafting" && case.phase != "withdrawn" {
            touches.push(matter.touches());
        }
    }
    wrong.extend(super::confidence::gone(world, evidence, &cases, &register).await);
    wrong.extend(joined(&register));
    world.report.applications += cases.iter().filter(|case| case.kind == "accreditation").count() as u64;
    world.report.decided += cases.iter().filter(|case| case.state.get("decided").is_some()).count() as u64;
    touches.into_iter().for_each(|touches| world.report.burden.touched(touches));
    world.wrong.extend(wrong);
}

/// Nobody stands in the register for two structures of one application.
fn joined(register: &Register) -> Vec<String> {
    let mut seen: BTreeMap<Vec<PersonId>, OrganisationId> = BTreeMap::new();
    let twice = |one: &crate::kernel::people::Organisation| {
        let other = seen.insert(one.representatives.clone(), one.id)?;
        Some(format!("{other} and {} have the same representatives", one.id))
    };
    register.organisations().filter_map(twice).collect()
}

impl<'a> Matter<'a> {
    /// The mails of a kind.
    pub fn told(&self, template: &'a str) -> impl Iterator<Item = &'a NoticeRow> {
        self.notices.iter().filter(move |notice| notice.row.template == template)
    }

    /// The first step that is so.
    pub fn step_of(&self, is: impl Fn(&JournalRow) -> bool) -> Option<u32> {
        self.steps.iter().find(|step| is(step)).map(|step| step.entry.seq)
    }

    fn says(&self, what: &str) -> String {
        format!("{} ({}): {what}", self.case.id, self.case.phase)
    }

    fn requests(&self) -> impl Iterator<Item = &Done> {
        let sits = |done: &&Done| {
            let person = self.register.person(done.by);
            person.is_some_and(|person| person.has(Role::AlacMember, done.arrived))
        };
        self.deeds.iter().filter(move |done| done.deed == Deed::RequestVote && done.proven && sits(done))
    }

    /// What is wrong with how it was decided.
    fn route(&self) -> Vec<String> {
        let (Some(decided), Some(file)) = (&self.decided, &self.file) else { return Vec::new() };
        let advice = file.advice.last().map_or("none", |advice| advice.view.as_str());
        let mut wrong = Vec::new();
        let carried = decided.ballot.and_then(|ballot| self.carried(ballot));
        let fits = match (decided.route.as_str(), advice, carried) {
            ("CONSENT", "accredit", None) => decided.accredited,
            ("VOTE_A", "no-advice", Some(carried)) => decided.accredited == carried,
            ("VOTE_B_UPHELD", "accredit", Some(false)) => decided.accredited,
            ("VOTE_B_UPHELD", "not-accredit", Some(false)) => !decided.accredited,
            ("VOTE_B_OVERTURNED", "accredit", Some(true)) => !decided.accredited,
            ("VOTE_B_OVERTURNED", "not-accredit", Some(true)) => decided.accredited,
            _ => false,
        };
        if !fits {
            wrong.push(self.says(&format!("no route leads here: {decided:?}, advice {advice}, {carried:?}")));
        }
        if decided.route == "CONSENT" {
            wrong.extend(self.silence(decided, file));
        }
        let asked = |one: &Requested| {
            self.register.person(one.by).is_some_and(|person| person.has(Role::AlacMember, one.at))
        };
        if decided.route.starts_with("VOTE_B") && !file.requests.iter().any(asked) {
            wrong.push(self.says("a vote was held that no member had asked for"));
        }
        if decided.accredited != decided.organisation.is_some() {
            wrong.push(self.says("the register does not say what was decided"));
        }
        wrong
    }

    /// Whether the vote carried, counted again here; none where it decides nothing.
    fn carried(&self, ballot: CaseId) -> Option<bool> {
        let body = self.tallies.get(&format!("ballots/{ballot}.json"))?;
        let electorate = body.frozen.get("electorate").and_then(Value::as_array).map_or(0, Vec::len) as u64;
        let counts = serde_json::to_value(body.counts).ok()?;
        let count = |of: &str| counts.get(of).and_then(Value::as_u64).unwrap_or(0);
        let (yes, no, abstain) = (count("yes"), count("no"), count("abstain"));
        let quorum = electorate / 2 + 1;
        (yes + no + abstain >= quorum).then_some(yes > no && yes > quorum / 2)
    }

    /// Silence decides when seven days have run since the advice had left to every member, and no member had asked
    /// for a vote by then.
    fn silence(&self, decided: &Decided, file: &File) -> Vec<String> {
        let mut wrong = Vec::new();
        let label = format!("window:{}", file.advice.len());
        let told = self.told("accreditation/window").filter(|notice| notice.row.label == label);
        let Some(given) = told.filter_map(|notice| notice.sent_at).max() else { return Vec::new() };
        let (mut at, mut left) = (given, WINDOW);
        let mut rests: Vec<_> = file.suspensions.iter().map(|one| (one.asked, one.lifted)).collect();
        rests.sort_unstable();
        for (from, to) in rests {
            let (from, to) = (from.max(at), to.unwrap_or(DateTime::<Utc>::MAX_UTC));
            if to > from && from - at < left {
                left -= from - at;
                at = to;
            }
        }
        let end = at + left;
        if decided.at != end {
            wrong.push(self.says(&format!("silence decided at {}, its days were over at {end}", decided.at)));
        }
        for done in self.requests().filter(|done| done.arrived.timestamp() <= end.timestamp()) {
            wrong.push(self.says(&format!("{} asked for a vote at {}, in time", done.by, done.arrived)));
        }
        wrong
    }

    /// Comments that came in time from members count, and no others.
    fn comments(&self) -> Vec<String> {
        let taken = self.told("comment/receipt").count();
        let invited = self.told("accreditation/invitation").next();
        let Some((first, Asks::Comment(region))) = invited.and_then(|notice| {
            let due = serde_json::from_value(notice.row.data.get("due")?.clone()).ok()?;
            Some((due, notice.row.asks))
        }) else {
            return if taken > 0 { vec![self.says("comments, and nobody was invited")] } else { Vec::new() };
        };
        let first: DateTime<Utc> = first;
        let later = self.told("accreditation/lifted-told").filter_map(|notice| {
            let of_review = notice.row.data.get("stage").and_then(Value::as_str) == Some("regional-review");
            let until = notice.row.data.get("until")?.get(0).filter(|_| of_review)?;
            serde_json::from_value::<DateTime<Utc>>(until.clone()).ok()
        });
        let last = later.fold(first, DateTime::max);
        let proper = |done: &&Done| {
            let member = is_member(self.register, done.by, region, done.arrived);
            matches!(done.deed, Deed::Comment(_)) && done.proven && member
        };
        let proper: Vec<_> = self.deeds.iter().filter(proper).map(|done| done.arrived).collect();
        let over = self.told("accreditation/advice").map(|notice| notice.created).min();
        let surely = |at: &&DateTime<Utc>| **at <= last && over.is_some_and(|over| **at < over);
        let (least, most) =
            (proper.iter().filter(surely).count(), proper.iter().filter(|at| day(**at) <= last).count());
        let mut wrong = Vec::new();
        if taken < least || taken > most {
            wrong.push(self.says(&format!(
                "{taken} comments were taken, {least} to {most} came in time, until {last}: {proper:?}"
            )));
        }
        let counted = self.file.as_ref().map_or(taken as u64, |file| file.comments);
        if counted != taken as u64 || self.case.confidences.count != taken as u64 {
            wrong.push(self.says(&format!("{taken} comments were taken, {counted} are counted")));
        }
        wrong
    }

    /// How often staff had to write about it.
    fn touches(&self) -> u64 {
        let staff = |party: &Party| matches!(party, Party::Person(PersonId(901..=903)));
        let by = |step: &&&JournalRow| {
            let input = &step.entry.input;
            let from = input.pointer("/reply/from").or_else(|| input.pointer("/order/by"));
            let who = from.cloned().and_then(|from| serde_json::from_value::<Party>(from).ok());
            arrival(step).is_some() && who.as_ref().is_some_and(staff)
        };
        self.steps.iter().filter(by).count() as u64
    }
}
