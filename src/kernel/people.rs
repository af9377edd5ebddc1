//! Who people and organisations are.

use super::ids::{OrganisationId, PersonId};
use super::language::Language;
use super::wheel::Slot;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One of ICANN's five regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Region {
    Africa,
    AsiaPacific,
    Europe,
    LatinAmerica,
    NorthAmerica,
}

impl Region {
    pub const ALL: [Region; 5] =
        [Region::Africa, Region::AsiaPacific, Region::Europe, Region::LatinAmerica, Region::NorthAmerica];

    /// The Regional At-Large Organization of the region.
    pub fn ralo(self) -> &'static str {
        match self {
            Region::Africa => "AFRALO",
            Region::AsiaPacific => "APRALO",
            Region::Europe => "EURALO",
            Region::LatinAmerica => "LACRALO",
            Region::NorthAmerica => "NARALO",
        }
    }
}

/// What a person may do, for as long as it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    AlacMember,
    AlacChair,
    /// Deputises for the Chair.
    AlacViceChair,
    RaloSecretariat,
    RaloChair,
    Staff,
    /// Steps in when staff do not answer.
    StaffDeputy,
    AlsRepresentative,
    /// An individual member of the region's organisation, where it admits individuals.
    RaloMember,
}

impl Role {
    /// Who steps in when nobody holding this role has answered.
    pub fn deputy(self) -> Option<Role> {
        match self {
            Role::AlacChair => Some(Role::AlacViceChair),
            Role::Staff => Some(Role::StaffDeputy),
            Role::RaloSecretariat => Some(Role::RaloChair),
            _ => None,
        }
    }
}

/// A role from a moment until another; an open end is still held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleHeld {
    pub role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<OrganisationId>,
    pub from: DateTime<Utc>,
    /// The first moment at which it is no longer held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl RoleHeld {
    pub fn holds_at(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub language: Language,
    /// IANA time zone, for local times in what we write.
    pub zone: chrono_tz::Tz,
    /// All of a person's addresses; we write to the first.
    pub addresses: Vec<String>,
    #[serde(default)]
    pub roles: Vec<RoleHeld>,
}

impl Person {
    pub fn has(&self, role: Role, at: DateTime<Utc>) -> bool {
        self.roles.iter().any(|held| held.role == role && held.holds_at(at))
    }

    /// Whether this is one of the person's addresses. Letter case never matters here: no mail system in
    /// use tells local parts apart by it, and people write their address as they please.
    pub fn owns(&self, address: &str) -> bool {
        let lower = address.trim().to_lowercase();
        self.addresses.iter().any(|own| own.to_lowercase() == lower)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    pub id: OrganisationId,
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub region: Region,
    pub kind: OrganisationKind,
    /// The month in which a structure reports; none before it has been given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Slot>,
    #[serde(default)]
    pub representatives: Vec<PersonId>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prime: Option<PersonId>,
    /// The first moment at which it is no longer accredited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrganisationKind {
    /// An accredited At-Large Structure.
    Als,
    Ralo,
}
