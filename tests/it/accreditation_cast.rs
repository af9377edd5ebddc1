//! Who takes part in the stories of applications: fifteen members of the committee, staff, Secretariats, structures.

use atlarged::kernel::documents::{Document, Handle};
use atlarged::kernel::ids::{CaseId, OrganisationId, Party, PersonId, StrangerId};
use atlarged::kernel::language::Language;
use atlarged::kernel::people::{Organisation, OrganisationKind, Person, Region, Role, RoleHeld};
use atlarged::kernel::register::{Change, Register};
use chrono::{DateTime, Utc};

/// Day 0 of every story: 1 December 2026.
pub fn day_zero() -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_083_200, 0).unwrap()
}

/// The application of every story.
pub const CASE: CaseId = CaseId(1);
pub const APPLICANT: Party = Party::Stranger(StrangerId(9));

fn person(id: u32, roles: &[(Role, Option<Region>)]) -> Change {
    let held = |(role, region): &(Role, Option<Region>)| RoleHeld {
        role: *role,
        region: *region,
        organisation: None,
        from: DateTime::UNIX_EPOCH,
        until: None,
    };
    Change::Person(Person {
        id: PersonId(id),
        name: format!("N{id}"),
        language: Language::ALL[id as usize % 7],
        zone: chrono_tz::UTC,
        addresses: vec![format!("p{id}@a.example")],
        roles: roles.iter().map(held).collect(),
    })
}

fn structure(id: u32, region: Region, representatives: &[u32]) -> Change {
    Change::Organisation(Organisation {
        id: OrganisationId(id),
        name: format!("O{id}"),
        country: "SN".to_owned(),
        region,
        kind: OrganisationKind::Als,
        report: None,
        representatives: representatives.iter().map(|id| PersonId(*id)).collect(),
        prime: None,
        until: None,
    })
}

pub fn register() -> Register {
    let member = Role::AlacMember;
    let mut changes: Vec<Change> = (1..=15)
        .map(|id| match id {
            1 => person(id, &[(member, None), (Role::AlacChair, None)]),
            _ => person(id, &[(member, None)]),
        })
        .collect();
    changes.extend([101, 102].map(|id| person(id, &[(Role::Staff, None)])));
    changes.push(person(103, &[(Role::StaffDeputy, None)]));
    changes.push(person(30, &[(Role::RaloSecretariat, Some(Region::Africa))]));
    changes.push(person(31, &[(Role::RaloSecretariat, Some(Region::Europe))]));
    changes.push(person(32, &[(Role::RaloChair, Some(Region::Africa))]));
    changes.extend([41, 42, 51].map(|id| person(id, &[(Role::AlsRepresentative, None)])));
    changes.push(structure(1, Region::Africa, &[41]));
    changes.push(structure(2, Region::Africa, &[42]));
    changes.push(structure(3, Region::Europe, &[51]));
    Register::fold(&changes)
}

/// "m16", "chair2" or "sec3" begins to hold that role; who is known keeps what she holds.
pub fn joining(register: &Register, who: &str, from: DateTime<Utc>) -> Change {
    let Party::Person(id) = party(who) else { panic!("{who} can hold no role") };
    let roles: &[(Role, Option<Region>)] = match who.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "m" => &[(Role::AlacMember, None)],
        "chair" => &[(Role::AlacMember, None), (Role::AlacChair, None)],
        "sec" => &[(Role::RaloSecretariat, Some(Region::Africa))],
        _ => panic!("{who} is none of those who can join"),
    };
    let Change::Person(mut joins) = person(id.0, roles) else { panic!("a person") };
    joins.roles.iter_mut().for_each(|role| role.from = from);
    let before = register.person(id).map(|person| person.roles.clone()).unwrap_or_default();
    joins.roles = before.into_iter().chain(joins.roles).collect();
    Change::Person(joins)
}

pub fn party(name: &str) -> Party {
    let numbered = |prefix: &str, base: u32| {
        let digits = name.strip_prefix(prefix)?;
        Some(Party::Person(PersonId(base + digits.parse::<u32>().ok()?)))
    };
    match name {
        "a" => APPLICANT,
        "sec" => Party::Person(PersonId(30)),
        "sec2" => Party::Person(PersonId(31)),
        "sec3" => Party::Person(PersonId(33)),
        // The Chair of the region, who deputises for its Secretariat.
        "ralo" => Party::Person(PersonId(32)),
        "chair" => Party::Person(PersonId(1)),
        // The structure that an application becomes, and who represents it.
        "o4" => Party::Organisation(OrganisationId(4)),
        "rep" => Party::Person(PersonId(104)),
        "rep2" => Party::Person(PersonId(105)),
        "chair2" => Party::Person(PersonId(20)),
        _ => [("m", 0), ("s", 100), ("r", 40), ("x", 50)]
            .iter()
            .find_map(|(prefix, base)| numbered(prefix, *base))
            .unwrap_or_else(|| panic!("{name} is nobody")),
    }
}

pub fn name(party: Party) -> String {
    match party {
        APPLICANT => "a".to_owned(),
        Party::Person(PersonId(id @ 1..=20)) => format!("m{id}"),
        Party::Person(PersonId(30)) => "sec".to_owned(),
        Party::Person(PersonId(31)) => "sec2".to_owned(),
        Party::Person(PersonId(33)) => "sec3".to_owned(),
        Party::Person(PersonId(id @ 41..=49)) => format!("r{}", id - 40),
        Party::Person(PersonId(id @ 51..=59)) => format!("x{}", id - 50),
        Party::Person(PersonId(id @ 101..=103)) => format!("s{}", id - 100),
        Party::Anonymous(_) => "its author".to_owned(),
        other => other.to_string(),
    }
}

/// A document of that name.
pub fn document(name: &str) -> Document {
    let hash = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    let handle = Handle(hash.as_ref()[..16].try_into().unwrap());
    Document {
        handle,
        name: name.to_owned(),
        media: "application/pdf".to_owned(),
        size: 1_000_000,
        hash: data_encoding::HEXLOWER.encode(hash.as_ref()),
        harmless: name.ends_with(".pdf"),
    }
}
