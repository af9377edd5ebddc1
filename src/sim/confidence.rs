//! What is told in confidence: who got to read it, and that nothing of it is left once it is over.

use super::incoming::Incoming;
use super::model::{Deed, Evidence, Model};
use super::offices::MARK;
use super::post::lock;
use super::world::World;
use crate::advance::{CaseRow, LetterBody};
use crate::kernel::confidential::is_member;
use crate::kernel::ids::{CaseId, PersonId};
use crate::kernel::people::{Person, Region, Role};
use crate::kernel::register::Register;
use crate::kernel::workflow::Asks;
use crate::ports::store::NoticeRow;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;

/// Figures of a comment's number.
const FIGURES: usize = 15;

/// Notes the comments in a mail that somebody got.
pub fn reads(model: &mut Model, who: PersonId, at: DateTime<Utc>, mail: &Incoming) {
    for after in mail.text.split(MARK).skip(1) {
        let number = after.get(..FIGURES).and_then(|figures| figures.parse().ok());
        model.read.extend(number.map(|number| (number, at, who)));
    }
}

/// The application of a comment, its region, and when it was over.
struct Told {
    case: CaseId,
    region: Option<Region>,
    over: Option<DateTime<Utc>>,
}

/// What is wrong with how confidences were kept.
pub async fn gone(world: &World, evidence: &Evidence, cases: &[CaseRow], register: &Register) -> Vec<String> {
    let mut wrong = Vec::new();
    let over = |case: &CaseRow| {
        matches!(case.phase.as_str(), "notified" | "decided" | "review-requested" | "withdrawn")
    };
    for case in cases.iter().filter(|case| case.kind == "accreditation" && over(case)) {
        if !world.keys.is_shredded(case.id).unwrap_or(false) {
            wrong.push(format!("{} is over, and the key of what was told in confidence is there", case.id));
        }
        if world.store.secrets(case.id) > 0 {
            wrong.push(format!("{} is over, and something of it is sealed still", case.id));
        }
    }
    wrong.extend(lies_open(world, evidence, cases));
    wrong.extend(overheard(world, evidence, register));
    wrong
}

fn holds(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(MARK),
        Value::Array(items) => items.iter().any(holds),
        Value::Object(map) => map.values().any(holds),
        _ => false,
    }
}

/// No row of the record holds a word of a comment, nor does the mailbox.
fn lies_open(world: &World, evidence: &Evidence, cases: &[CaseRow]) -> Vec<String> {
    let mut places = Vec::new();
    places.extend(
        cases.iter().filter(|case| holds(&case.state)).map(|case| format!("the state of {}", case.id)),
    );
    let rows = evidence.journal.iter().filter(|row| holds(&row.entry.input));
    places.extend(rows.map(|row| format!("row {} of the journal", row.number)));
    let notices = evidence.notices.values().flatten().filter(|notice| holds(&notice.row.data));
    places.extend(notices.map(|notice| format!("the outbox at {}", notice.row.id)));
    for view in world.store.letters() {
        let text = match &view.letter.body {
            LetterBody::ToCase(_, crate::kernel::workflow::Input::Reply(reply)) => &reply.said.text,
            _ => continue,
        };
        if text.contains(MARK) {
            places.push(format!("letter {}", view.id));
        }
    }
    for (id, raw) in world.store.raw_mails() {
        let opened = world.keys.try_open(&raw, b"mail").ok().flatten().unwrap_or_default();
        if super::incoming::text_of(&opened).contains(MARK) {
            places.push(format!("mail {id}"));
        }
    }
    if lock(&world.post).holds(MARK) {
        places.push("the mailbox".to_owned());
    }
    places.into_iter().take(3).map(|place| format!("{place} holds what was told in confidence")).collect()
}

/// Who read a comment was entitled to, and read it while it was there.
fn overheard(world: &World, evidence: &Evidence, register: &Register) -> Vec<String> {
    let mut of: BTreeMap<u64, Told> = BTreeMap::new();
    for done in &world.model.deeds {
        let case = done.answers.as_ref().and_then(|token| evidence.case_of(token));
        if let (Deed::Comment(number), Some(case)) = (done.deed, case) {
            of.insert(number, told(case, evidence));
        }
    }
    let mut wrong = Vec::new();
    for (number, at, who) in &world.model.read {
        let Some(Told { case, region, over }) = of.get(number) else { continue };
        let address = world.village.people.get(who).and_then(|villager| villager.addresses.first());
        let person = address.and_then(|address| register.people().find(|person| person.owns(address)));
        if !person.is_some_and(|person| entitled(register, person, *region, *at)) {
            wrong.push(format!("{who} got to read a comment on {case}"));
        }
        if over.is_some_and(|over| *at > over) {
            wrong.push(format!("a comment on {case} was read at {at}, after {over:?}"));
        }
    }
    wrong
}

fn told(case: CaseId, evidence: &Evidence) -> Told {
    let notices = evidence.notices.get(&case).map_or(&[][..], Vec::as_slice);
    let region = notices.iter().find_map(|notice| match notice.row.asks {
        Asks::Comment(region) => Some(region),
        _ => None,
    });
    let ends = |notice: &&NoticeRow| {
        matches!(notice.row.template.as_str(), "accreditation/decided" | "accreditation/withdrawn")
    };
    Told { case, region, over: notices.iter().find(ends).map(|notice| notice.created) }
}

/// Members of the region's organisation, staff, and the committee (A.4); the Secretariat and the Chair of that region.
fn entitled(register: &Register, person: &Person, region: Option<Region>, at: DateTime<Utc>) -> bool {
    let Some(region) = region else { return false };
    let everywhere = [Role::Staff, Role::StaffDeputy, Role::AlacMember, Role::AlacChair, Role::AlacViceChair];
    let there = [Role::RaloSecretariat, Role::RaloChair];
    person.roles.iter().any(|held| {
        held.holds_at(at)
            && (everywhere.contains(&held.role) || there.contains(&held.role) && held.region == Some(region))
    }) || is_member(register, person.id, region, at)
}
