//! Who lives in the village: members of five regions in seven languages, officers, staff, and organisations
//! with representatives. Made up from the number of members alone, so that every seed has the same people.

use super::Plan;
use super::applicant::Group;
use super::chance::{APPLICANTS, Chance};
use super::offices::Part;
use super::villager::{Peer, Villager};
use crate::kernel::ids::{OrganisationId, Party, PersonId};
use crate::kernel::language::Language;
use crate::kernel::people::{Organisation, OrganisationKind, Person, Region, Role, RoleHeld};
use crate::kernel::register::Change;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Name, language and time zone, in turn.
const PEOPLE: [(&str, Language, &str); 12] = [
    ("Aminata Sarr", Language::Fr, "Africa/Dakar"),
    ("李文", Language::Zh, "Asia/Shanghai"),
    ("Oskar Lindqvist", Language::En, "Europe/Stockholm"),
    ("Inés Ferreyra", Language::Es, "America/Argentina/Buenos_Aires"),
    ("Douglas Whitfield", Language::En, "America/Toronto"),
    ("هدى منصور", Language::Ar, "Africa/Cairo"),
    ("Асель Нурланова", Language::Ru, "Asia/Almaty"),
    ("Rui Madureira", Language::Pt, "Europe/Lisbon"),
    ("Tainá Queiroz", Language::Pt, "America/Sao_Paulo"),
    ("Solange Théberge", Language::Fr, "America/Montreal"),
    ("Joseph Karanja", Language::En, "Africa/Nairobi"),
    ("Paola Riquelme", Language::Es, "America/Santiago"),
];

/// Numbers of those who are no members.
const STAFF: [u32; 2] = [901, 902];
const DEPUTY: u32 = 903;
const REPRESENTATIVES: u32 = 801;
/// Organisations that vote in some ballots, each with two representatives.
pub const ORGANISATIONS: u32 = 6;
/// Structures that do not, and who represents them.
const MORE: u32 = 2_000;
/// The two of each region who are its Secretariat, one after the other, and the region's Chair.
const SECRETARIATS: u32 = 910;
const RALO_CHAIRS: u32 = 930;
/// Who applies; in no register.
const APPLICANTS_FROM: u32 = 10_000;
/// Members of the committee who take their turn as Chair and Vice-Chairs.
const LEADERS: u32 = 6;

pub struct Village {
    pub people: BTreeMap<PersonId, Villager>,
    /// Whose address it is.
    pub addresses: BTreeMap<String, PersonId>,
    pub changes: Vec<Change>,
    pub members: Vec<PersonId>,
    /// Everybody in the register.
    pub known: Vec<PersonId>,
}

impl Village {
    pub fn new(plan: &Plan, since: DateTime<Utc>) -> Village {
        let members: Vec<PersonId> = (1..=plan.members.clamp(3, 700)).map(PersonId).collect();
        let mut changes = Vec::new();
        for id in &members {
            let mut roles = vec![held(Role::AlacMember, Some(region(id.0)), since)];
            match id.0 {
                1 => roles.push(held(Role::AlacChair, None, since)),
                2 | 3 => roles.push(held(Role::AlacViceChair, None, since)),
                _ => {}
            }
            changes.push(Change::Person(person(*id, roles)));
        }
        for id in STAFF {
            changes.push(Change::Person(person(PersonId(id), vec![held(Role::Staff, None, since)])));
        }
        changes.push(Change::Person(person(PersonId(DEPUTY), vec![held(Role::StaffDeputy, None, since)])));
        for n in 0..ORGANISATIONS {
            let pair = [PersonId(REPRESENTATIVES + 2 * n), PersonId(REPRESENTATIVES + 2 * n + 1)];
            for id in pair {
                changes.push(Change::Person(person(id, vec![held(Role::AlsRepresentative, None, since)])));
            }
            changes.push(Change::Organisation(organisation(n, pair)));
        }
        changes.extend(regions(since));
        for n in 0..plan.alses.saturating_sub(ORGANISATIONS) {
            let pair = [PersonId(MORE + 2 * n), PersonId(MORE + 2 * n + 1)];
            changes.extend(
                pair.map(|id| Change::Person(person(id, vec![held(Role::AlsRepresentative, None, since)]))),
            );
            changes.push(Change::Organisation(organisation(ORGANISATIONS + n, pair)));
        }
        let (people, addresses) = (BTreeMap::new(), BTreeMap::new());
        let mut village = Village { people, addresses, changes, members, known: Vec::new() };
        village.settle(plan);
        for number in 0..plan.applications {
            village.arrives(plan.seed, number);
        }
        village
    }

    /// Somebody who will apply.
    fn arrives(&mut self, seed: u64, number: u32) {
        let mut chance = Chance::new(seed, APPLICANTS + u64::from(number));
        let (id, address) = (PersonId(APPLICANTS_FROM + number), format!("ada@group{number}.example"));
        let mut villager = Villager::new(seed, id, "Ada Writer", std::slice::from_ref(&address));
        villager.part = Part::Applicant;
        villager.group = Some(Group::new(number, &mut chance));
        villager.talks = self.people.values().map(|other| other.talks).max().unwrap_or(0);
        self.addresses.insert(address, id);
        self.people.insert(id, villager);
    }

    /// The applicant of a number.
    pub fn applicant(number: u32) -> PersonId {
        PersonId(APPLICANTS_FROM + number)
    }

    /// Who is the Secretariat of a region at first, and who after that.
    pub fn secretariats(region: usize) -> [PersonId; 2] {
        let first = SECRETARIATS + 2 * u32::try_from(region).unwrap_or(0);
        [PersonId(first), PersonId(first + 1)]
    }

    /// A villager for each person.
    fn settle(&mut self, plan: &Plan) {
        let people: Vec<Person> = self
            .changes
            .iter()
            .filter_map(
                |change| if let Change::Person(person) = change { Some(person.clone()) } else { None },
            )
            .collect();
        let peer = |p: &Person| Peer { id: p.id, name: p.name.clone(), address: p.addresses[0].clone() };
        let peers: Vec<Peer> = people.iter().take(self.members.len()).map(peer).collect();
        let outsiders: Vec<Peer> = people.iter().skip(self.members.len()).take(12).map(peer).collect();
        // Two of a region's representatives comment on an application.
        let talks = 5_000 / u64::from(2 * plan.alses.max(ORGANISATIONS)).max(1);
        self.known = people.iter().map(|person| person.id).collect();
        for person in people {
            for address in &person.addresses {
                self.addresses.insert(address.clone(), person.id);
            }
            let mut villager = Villager::new(plan.seed, person.id, &person.name, &person.addresses);
            villager.officer = officer(person.id);
            villager.part = part(person.id, self.members.len());
            villager.talks = if villager.part == Part::Representative { talks.min(700) } else { 0 };
            villager.outsiders.clone_from(&outsiders);
            villager.peers = peers.iter().filter(|peer| peer.id != person.id).cloned().collect();
            self.people.insert(person.id, villager);
        }
    }

    /// All organisations, as voters.
    pub fn organisations() -> Vec<Party> {
        (1..=ORGANISATIONS).map(|n| Party::Organisation(OrganisationId(n))).collect()
    }

    /// Members of the staff at the keyboard.
    pub fn staff() -> [PersonId; 2] {
        STAFF.map(PersonId)
    }
}

/// Who does tasks.
fn officer(id: PersonId) -> bool {
    id.0 <= LEADERS || STAFF.contains(&id.0) || id.0 == DEPUTY
}

fn part(id: PersonId, members: usize) -> Part {
    match id.0 {
        n if n as usize <= members => Part::Member,
        n if STAFF.contains(&n) => Part::Staff,
        DEPUTY => Part::Deputy,
        SECRETARIATS..RALO_CHAIRS => Part::Secretariat,
        RALO_CHAIRS..1_000 => Part::RaloChair,
        _ => Part::Representative,
    }
}

/// The Secretariat and the Chair of each region, and who will be its Secretariat later.
fn regions(since: DateTime<Utc>) -> Vec<Change> {
    let of = |(n, region): (usize, Region)| {
        let [first, next] = Village::secretariats(n);
        let chair = PersonId(RALO_CHAIRS + u32::try_from(n).unwrap_or(0));
        [
            (first, vec![held(Role::RaloSecretariat, Some(region), since)]),
            (next, Vec::new()),
            (chair, vec![held(Role::RaloChair, Some(region), since)]),
        ]
    };
    let all = Region::ALL.into_iter().enumerate().flat_map(of);
    all.map(|(id, roles)| Change::Person(person(id, roles))).collect()
}

fn region(n: u32) -> Region {
    Region::ALL[n as usize % Region::ALL.len()]
}

pub fn held(role: Role, region: Option<Region>, from: DateTime<Utc>) -> RoleHeld {
    RoleHeld { role, region, organisation: None, from, until: None }
}

/// A person; every third has a second address.
fn person(id: PersonId, roles: Vec<RoleHeld>) -> Person {
    let (name, language, zone) = PEOPLE[id.0 as usize % PEOPLE.len()];
    let mut addresses = vec![format!("{id}@home{}.example", id.0 % 7)];
    if id.0.is_multiple_of(3) {
        addresses.push(format!("{id}@second.example"));
    }
    let zone = zone.parse().unwrap_or(chrono_tz::UTC);
    Person { id, name: format!("{name} {}", id.0), language, zone, addresses, roles }
}

fn organisation(n: u32, pair: [PersonId; 2]) -> Organisation {
    Organisation {
        id: OrganisationId(n + 1),
        name: format!("Net Users {}", n + 1),
        country: "KE".to_owned(),
        region: region(n),
        kind: OrganisationKind::Als,
        report: None,
        representatives: pair.to_vec(),
        prime: Some(pair[0]),
        until: None,
    }
}
