//! The register: who people and organisations are and which roles they hold. A fold of dated, numbered
//! changes; the store keeps the changes, workflows read the fold.

use super::ids::{OrganisationId, Party, PersonId};
use super::language::Language;
use super::people::{Organisation, Person, Region, Role};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One change of the register: a record as it stands from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    Person(Person),
    Organisation(Organisation),
    /// A person asked to be written to in another language.
    Language(PersonId, Language),
}

/// Everything known at one version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Register {
    /// How many changes it folds; a Commit names the version it read.
    pub version: u64,
    people: BTreeMap<PersonId, Person>,
    organisations: BTreeMap<OrganisationId, Organisation>,
    by_address: BTreeMap<String, PersonId>,
}

impl Register {
    /// The register after these changes, first to last.
    pub fn fold<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Register {
        let mut register = Register::default();
        for change in changes {
            register.apply(change);
        }
        register
    }

    pub fn apply(&mut self, change: &Change) {
        self.version += 1;
        match change {
            Change::Person(person) => self.put(person.clone()),
            Change::Organisation(organisation) => {
                self.organisations.insert(organisation.id, organisation.clone());
            }
            Change::Language(id, language) => {
                if let Some(person) = self.people.get_mut(id) {
                    person.language = *language;
                }
            }
        }
    }

    fn put(&mut self, person: Person) {
        for address in self.people.get(&person.id).iter().flat_map(|before| &before.addresses) {
            let address = address.to_lowercase();
            if self.by_address.get(&address) == Some(&person.id) {
                self.by_address.remove(&address);
            }
        }
        for address in &person.addresses {
            self.by_address.insert(address.to_lowercase(), person.id);
        }
        self.people.insert(person.id, person);
    }

    pub fn person(&self, id: PersonId) -> Option<&Person> {
        self.people.get(&id)
    }

    pub fn organisation(&self, id: OrganisationId) -> Option<&Organisation> {
        self.organisations.get(&id)
    }

    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    pub fn organisations(&self) -> impl Iterator<Item = &Organisation> {
        self.organisations.values()
    }

    /// Whose address this is.
    pub fn owner(&self, address: &str) -> Option<&Person> {
        self.person(*self.by_address.get(&address.trim().to_lowercase())?)
    }

    /// The person who answers for a party: herself, or the prime of an organisation.
    pub fn speaker(&self, party: Party) -> Option<&Person> {
        match party {
            Party::Person(id) => self.person(id),
            Party::Organisation(id) => {
                let organisation = self.organisation(id)?;
                let prime = organisation.prime.or(organisation.representatives.first().copied())?;
                self.person(prime)
            }
            Party::Stranger(_) | Party::Anonymous(_) => None,
        }
    }

    /// What a party is called; a stranger has no name here.
    pub fn name(&self, party: Party) -> Option<&str> {
        match party {
            Party::Person(id) => self.person(id).map(|p| p.name.as_str()),
            Party::Organisation(id) => self.organisation(id).map(|o| o.name.as_str()),
            Party::Stranger(_) | Party::Anonymous(_) => None,
        }
    }

    /// Who holds a role at a moment, in a region if one is named, by number.
    pub fn holders(&self, role: Role, region: Option<Region>, at: DateTime<Utc>) -> Vec<PersonId> {
        self.people
            .values()
            .filter(|person| {
                person.roles.iter().any(|held| {
                    held.role == role && held.holds_at(at) && (region.is_none() || held.region == region)
                })
            })
            .map(|person| person.id)
            .collect()
    }
}
