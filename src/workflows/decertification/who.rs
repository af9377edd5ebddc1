//! Who is who in a decertification: who may propose it, who speaks for the structure, who is told.

use super::{At, File};
use crate::kernel::ids::{OrganisationId, Party, PersonId};
use crate::kernel::people::{Region, Role};
use crate::kernel::register::Register;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// In which capacity somebody proposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capacity {
    /// The Chair of the ALAC.
    Chair,
    /// A member of the ALAC.
    Member,
    /// The leadership of the structure's own region: a request, which binds nobody.
    Ralo,
}

fn holds(person: PersonId, roles: &[Role], region: Option<Region>, at: DateTime<Utc>, cx: &At) -> bool {
    cx.register.person(person).is_some_and(|person| {
        person.roles.iter().any(|held| {
            roles.contains(&held.role) && held.holds_at(at) && (region.is_none() || held.region == region)
        })
    })
}

/// Whether a person is staff, or deputises for them.
pub(super) fn is_staff(person: PersonId, at: DateTime<Utc>, cx: &At) -> bool {
    holds(person, &[Role::Staff, Role::StaffDeputy], None, at, cx)
}

/// Staff, the Chair, and who deputises for them.
pub(super) fn is_officer(person: PersonId, at: DateTime<Utc>, cx: &At) -> bool {
    is_staff(person, at, cx) || holds(person, &[Role::AlacChair, Role::AlacViceChair], None, at, cx)
}

/// Whether a person sits on the committee.
pub(super) fn sits(person: PersonId, at: DateTime<Utc>, cx: &At) -> bool {
    holds(person, &[Role::AlacMember], None, at, cx)
}

/// In which capacity a person may propose to decertify a structure of this region (ambiguity 33).
pub(super) fn entitled(person: PersonId, region: Region, at: DateTime<Utc>, cx: &At) -> Option<Capacity> {
    let own = [
        (Capacity::Chair, holds(person, &[Role::AlacChair], None, at, cx)),
        (Capacity::Member, sits(person, at, cx)),
        (Capacity::Ralo, holds(person, &[Role::RaloChair, Role::RaloSecretariat], Some(region), at, cx)),
    ];
    own.into_iter().find(|(capacity, held)| *held && cx.policy.proposers.contains(capacity)).map(|own| own.0)
}

/// Everybody who speaks for an organisation: its representatives by list and by role, its prime.
fn representatives(register: &Register, id: OrganisationId, at: DateTime<Utc>) -> BTreeSet<Party> {
    let listed = register
        .organisation(id)
        .into_iter()
        .flat_map(|known| known.representatives.iter().chain(&known.prime).copied());
    let by_role = register.people().filter(|person| {
        let speaks = |held: &crate::kernel::people::RoleHeld| {
            held.role == Role::AlsRepresentative && held.organisation == Some(id) && held.holds_at(at)
        };
        person.roles.iter().any(speaks)
    });
    listed.chain(by_role.map(|person| person.id)).map(Party::Person).collect()
}

/// Whom the structure is written to: every representative, and what is known of its leaders and public contact.
pub(super) fn structure(file: &File, cx: &At) -> BTreeSet<Party> {
    let mut people = representatives(cx.register, file.organisation, cx.now);
    people.extend(&file.contacts);
    people
}

/// The person who answers for the structure alone.
pub(super) fn prime(file: &File, cx: &At) -> Option<Party> {
    let prime = cx.register.speaker(Party::Organisation(file.organisation))?;
    Some(Party::Person(prime.id))
}

fn people(role: Role, region: Option<Region>, cx: &At) -> Vec<Party> {
    cx.register.holders(role, region, cx.now).into_iter().map(Party::Person).collect()
}

/// Staff; where there are none, who deputises.
pub(super) fn staff(cx: &At) -> Vec<Party> {
    let staff = people(Role::Staff, None, cx);
    if staff.is_empty() { people(Role::StaffDeputy, None, cx) } else { staff }
}

/// Staff and the Chair, or who deputises for her.
pub(super) fn officers(cx: &At) -> Vec<Party> {
    let chairs = people(Role::AlacChair, None, cx);
    let chairs = if chairs.is_empty() { people(Role::AlacViceChair, None, cx) } else { chairs };
    once(chairs.into_iter().chain(staff(cx)))
}

/// The members of the committee as they sit now.
pub(super) fn members(cx: &At) -> BTreeSet<Party> {
    people(Role::AlacMember, None, cx).into_iter().collect()
}

/// Who leads the structure's region.
fn leadership(region: Region, cx: &At) -> impl Iterator<Item = Party> {
    let roles = [Role::RaloChair, Role::RaloSecretariat];
    roles.into_iter().flat_map(move |role| people(role, Some(region), cx))
}

/// Those who may propose: the committee, and the region's leadership.
pub(super) fn proposers(region: Region, cx: &At) -> Vec<Party> {
    once(members(cx).into_iter().chain(leadership(region, cx)))
}

/// Those who see what is alleged and answered: the committee, staff, and who proposes.
pub(super) fn committee(file: &File, cx: &At) -> Vec<Party> {
    let proposers = file.proposers.iter().map(|one| Party::Person(one.by));
    once(members(cx).into_iter().chain(officers(cx)).chain(proposers))
}

/// Everybody on this side: the committee, the region's leadership, staff and the Chair.
pub(super) fn committee_and_staff(region: Region, cx: &At) -> Vec<Party> {
    once(proposers(region, cx).into_iter().chain(officers(cx)))
}

fn once(parties: impl Iterator<Item = Party>) -> Vec<Party> {
    parties.collect::<BTreeSet<_>>().into_iter().collect()
}
