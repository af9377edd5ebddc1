//! What was told in confidence, as everything but the key store may know it: by handles that say nothing.
//!
//! The substance of a comment and its source are two secrets. Both are sealed before any step sees them, and opened
//! only while a mail to somebody who may read them is made. What stays, once a case has them shredded, is how many
//! comments there were.

use super::canonical;
use super::ids::{OrganisationId, Party, PersonId};
use super::people::{OrganisationKind, Region, Role};
use super::register::Register;
use super::workflow::{Asks, Class, Notice, Refusal};
use chrono::{DateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// How a handle begins wherever it is written.
const PREFIX: &str = "sealed:";

/// What somebody said in confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Substance {}

/// Who said it, where that may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {}

/// The handle of a secret: 128 random bits that have nothing to do with it. It can be kept, compared and put into
/// the data of a notice of the class `Confidential`, which shows what it stands for to whoever that mail is for.
pub struct Sealed<T> {
    number: u128,
    of: PhantomData<fn() -> T>,
}

impl<T> Sealed<T> {
    /// The handle that these bits are.
    pub fn new(chance: [u8; 16]) -> Sealed<T> {
        Sealed { number: u128::from_be_bytes(chance), of: PhantomData }
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Sealed<T> {
        *self
    }
}

impl<T> Copy for Sealed<T> {}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Sealed<T>) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> PartialOrd for Sealed<T> {
    fn partial_cmp(&self, other: &Sealed<T>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Sealed<T> {
    fn cmp(&self, other: &Sealed<T>) -> Ordering {
        self.number.cmp(&other.number)
    }
}

/// Says that there is a secret, not even which.
impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

impl<T> fmt::Display for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{:032x}", self.number)
    }
}

/// A text that is no handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the handle of anything sealed")]
pub struct NotAHandle;

impl<T> FromStr for Sealed<T> {
    type Err = NotAHandle;

    fn from_str(text: &str) -> Result<Sealed<T>, NotAHandle> {
        let figures = text.strip_prefix(PREFIX).filter(|figures| figures.len() == 32).ok_or(NotAHandle)?;
        let number = u128::from_str_radix(figures, 16).map_err(|_| NotAHandle)?;
        Ok(Sealed { number, of: PhantomData })
    }
}

impl<T> Serialize for Sealed<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Sealed<T>, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A comment in confidence, as a workflow gets it. Who wrote it was looked up, found entitled at the moment it
/// arrived, and forgotten.
///
/// To take it, go to the next state and tell `comment.receipt(…)`. To refuse it, return a `Refusal`: it reaches the
/// author, and what was sealed is thrown away. The platform keeps the handles beside the state, answers COMMENTS,
/// and refuses by itself who may not comment and whatever comes after `Effect::Shred`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comment {
    /// Whose members may comment; the author is one.
    pub region: Region,
    pub words: Sealed<Substance>,
    /// Only where the author wrote NAMED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Sealed<Source>>,
    /// Where the author can be answered, once: always `Party::Anonymous`.
    pub author: Party,
    /// The label of the notice it answers.
    pub label: String,
    /// The first moment (UTC) of the day on which it arrived: a finer time would lead to the author by way of the
    /// logs of mail servers.
    pub arrived: DateTime<Utc>,
    /// As in `Reply`.
    pub nonce: String,
    /// Why it is not taken, found out before any step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barred: Option<Bar>,
}

/// Why a comment is not taken, whatever the workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bar {
    /// Its author is no member of that region's organisation.
    NotAMember,
    /// It came from an address that is not on file, or not surely from there.
    Unsure,
    /// No words are in it.
    Empty,
    /// It answers a confidential mail that asked for nothing.
    NotHere,
    /// The key of the case is destroyed.
    Over,
}

impl Bar {
    fn template(self) -> &'static str {
        match self {
            Bar::NotAMember => "comment/not-a-member",
            Bar::Unsure => "comment/unsure",
            Bar::Empty => "comment/empty",
            Bar::NotHere => "comment/not-here",
            Bar::Over => "comment/too-late",
        }
    }

    /// Whether it can be mended by answering the refusal.
    fn mendable(self) -> bool {
        matches!(self, Bar::Unsure | Bar::Empty)
    }
}

impl Comment {
    /// The acknowledgement: quotes nothing. `titles` is what the matter is called, as `Workflow::titles` says.
    pub fn receipt(&self, titles: Value) -> Notice {
        let named = if self.source.is_some() { vec![true] } else { Vec::new() };
        let data = json!({ "title": titles, "named": named });
        Notice { class: Class::Confidential, ..Notice::new("comment:receipt", self.author, RECEIPT, data) }
    }

    /// The refusal of a comment that came when no more were taken; `count` were taken in time.
    pub fn too_late(&self, titles: &Value, count: u64) -> Refusal {
        self.refusal(Bar::Over, titles, count)
    }

    /// The refusal of what may not be taken.
    pub(crate) fn refusal(&self, bar: Bar, titles: &Value, count: u64) -> Refusal {
        let data = json!({ "title": titles, "region": self.region.ralo(), "count": count });
        let refusal = Refusal::new(bar.template(), data);
        if bar.mendable() { refusal.asking(Asks::Comment(self.region)) } else { refusal }
    }

    /// Everything of it that is sealed under the key of the case.
    pub(crate) fn handles(&self) -> Vec<String> {
        let source = self.source.iter().map(ToString::to_string);
        std::iter::once(self.words.to_string()).chain(source).collect()
    }
}

const RECEIPT: &str = "comment/receipt";

/// The day something happened, as its first moment.
pub fn day(at: DateTime<Utc>) -> DateTime<Utc> {
    at.date_naive().and_time(NaiveTime::MIN).and_utc()
}

/// Somebody asks for the comments or the documents of a matter. The platform answers; no workflow sees it, and the
/// journal keeps who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    pub by: PersonId,
    /// It is sure enough that she asked. The answer goes to her address on file and nowhere else.
    pub sure: bool,
    pub arrived: DateTime<Utc>,
    /// As in `Reply`: by it the comments are shuffled.
    pub nonce: String,
    /// It is the documents she asks for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub documents: bool,
}

/// What a case holds in confidence, beside its state, so that no workflow has to think of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Confidences {
    /// Whose members were asked; none where nobody was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// By handle and so in no order that says anything.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    comments: BTreeMap<Sealed<Substance>, Option<Sealed<Source>>>,
    /// How many comments there were: all that stays.
    #[serde(skip_serializing_if = "none")]
    pub count: u64,
    /// The keys are destroyed, or are to be.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// It has written confidential mails: replies to them are treated so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn none(count: &u64) -> bool {
    *count == 0
}

/// One comment in a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    pub words: Sealed<Substance>,
    /// A list of one where it bears a name.
    pub source: Vec<Sealed<Source>>,
}

impl Confidences {
    /// Nobody was asked for anything in confidence.
    pub fn is_empty(&self) -> bool {
        *self == Confidences::default()
    }

    pub(crate) fn take(&mut self, comment: &Comment) {
        self.comments.insert(comment.words, comment.source);
        self.count += 1;
    }

    /// Forgets the handles; the count stays.
    pub(crate) fn shred(&mut self) {
        self.comments.clear();
        self.over = true;
    }

    /// All comments, shuffled by this chance: no two lists have them in the same order.
    pub(crate) fn shuffled(&self, nonce: &str) -> Vec<Listed> {
        let listed = self.comments.iter();
        let mut listed: Vec<Listed> = listed
            .map(|(words, source)| Listed { words: *words, source: source.iter().copied().collect() })
            .collect();
        listed.sort_by_cached_key(|one| canonical::sha256(format!("{nonce} {}", one.words).as_bytes()));
        listed
    }
}

/// Who is a member of a region's organisation at a moment: every accredited structure through any of its current
/// representatives, and individual members where the organisation has them.
pub fn is_member(register: &Register, person: PersonId, region: Region, at: DateTime<Utc>) -> bool {
    let structures: BTreeSet<OrganisationId> = register
        .organisations()
        .filter(|one| one.kind == OrganisationKind::Als && one.region == region)
        .filter(|one| one.until.is_none_or(|until| at < until))
        .map(|one| one.id)
        .collect();
    let Some(known) = register.person(person) else { return false };
    let speaks_for = |id: &OrganisationId| {
        let dated: Vec<_> = known
            .roles
            .iter()
            .filter(|held| held.role == Role::AlsRepresentative && held.organisation == Some(*id))
            .collect();
        let listed = register.organisation(*id).is_some_and(|one| one.representatives.contains(&person));
        // Where the register says from when until when, that counts; else the list of representatives does.
        if dated.is_empty() { listed } else { dated.iter().any(|held| held.holds_at(at)) }
    };
    let individual = known
        .roles
        .iter()
        .any(|held| held.role == Role::RaloMember && held.region == Some(region) && held.holds_at(at));
    individual || structures.iter().any(speaks_for)
}

/// Who may read what a region's members said in confidence: they, staff, and the members of the ALAC.
pub fn may_read(register: &Register, person: PersonId, region: Region, at: DateTime<Utc>) -> bool {
    let Some(known) = register.person(person) else { return false };
    let everywhere = [Role::Staff, Role::StaffDeputy, Role::AlacMember, Role::AlacChair, Role::AlacViceChair];
    let officer = |role: Role| {
        known.roles.iter().any(|held| held.role == role && held.region == Some(region) && held.holds_at(at))
    };
    everywhere.into_iter().any(|role| known.has(role, at))
        || officer(Role::RaloSecretariat)
        || officer(Role::RaloChair)
        || is_member(register, person, region, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::language::Language;
    use crate::kernel::people::{Organisation, Person, RoleHeld};
    use crate::kernel::register::Change;
    use chrono::Duration;

    const BEGAN: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn handle<T>(n: u8) -> Sealed<T> {
        Sealed::new([n; 16])
    }

    fn comment(n: u8) -> Comment {
        Comment {
            region: Region::Africa,
            words: handle(n),
            source: None,
            author: "a7".parse().unwrap(),
            label: "invitation".into(),
            arrived: BEGAN,
            nonce: "00".into(),
            barred: None,
        }
    }

    #[test]
    fn a_handle_shows_nothing_and_is_read_back() {
        let words: Sealed<Substance> = handle(171);
        assert_eq!(format!("{words:?}"), "Sealed");
        assert_eq!(words.to_string(), "sealed:abababababababababababababababab");
        assert_eq!(words.to_string().parse(), Ok(words));
        for text in ["", "sealed:", "abababababababababababababababab", "sealed:zb"] {
            assert_eq!(text.parse::<Sealed<Substance>>(), Err(NotAHandle), "{text}");
        }
    }

    #[test]
    fn the_count_is_all_that_stays() {
        let mut held = Confidences::default();
        assert!(held.is_empty());
        (1..=3).for_each(|n| held.take(&comment(n)));
        held.shred();
        assert_eq!((held.count, held.over, held.shuffled("00").len()), (3, true, 0));
        assert!(!serde_json::to_string(&held).unwrap().contains("sealed:"));
    }

    #[test]
    fn every_list_has_an_order_of_its_own_with_all_comments_in_it() {
        let mut held = Confidences::default();
        (1..=20).for_each(|n| held.take(&comment(n)));
        let of = |nonce: &str| held.shuffled(nonce).iter().map(|one| one.words).collect::<Vec<_>>();
        let (one, other) = (of("01"), of("02"));
        assert_eq!(one, of("01"));
        assert_ne!(one, other);
        assert_eq!(one.iter().collect::<BTreeSet<_>>(), other.iter().collect::<BTreeSet<_>>());
    }

    fn held(role: Role, region: Option<Region>, organisation: Option<u32>) -> RoleHeld {
        let organisation = organisation.map(OrganisationId);
        RoleHeld { role, region, organisation, from: BEGAN, until: Some(BEGAN + Duration::days(10)) }
    }

    /// p1 is listed for o1 (Africa), p2 represents it by a dated role, p3 is an individual member, p4 sits on the
    /// ALAC, p5 represents o2 (Europe), p6 is the region's secretariat, p7 staff.
    fn register() -> Register {
        let africa = Some(Region::Africa);
        let people = [
            (1, vec![]),
            (2, vec![held(Role::AlsRepresentative, None, Some(1))]),
            (3, vec![held(Role::RaloMember, africa, None)]),
            (4, vec![held(Role::AlacMember, Some(Region::Europe), None)]),
            (5, vec![held(Role::AlsRepresentative, None, Some(2))]),
            (6, vec![held(Role::RaloSecretariat, africa, None)]),
            (7, vec![held(Role::Staff, None, None)]),
        ];
        let person = |(id, roles): (u32, Vec<RoleHeld>)| {
            Change::Person(Person {
                id: PersonId(id),
                name: format!("Person {id}"),
                language: Language::En,
                zone: chrono_tz::UTC,
                addresses: vec![format!("p{id}@example.org")],
                roles,
            })
        };
        let structure = |id: u32, region, representatives: &[u32]| {
            Change::Organisation(Organisation {
                id: OrganisationId(id),
                name: format!("Structure {id}"),
                country: "KE".into(),
                region,
                kind: OrganisationKind::Als,
                report: None,
                representatives: representatives.iter().copied().map(PersonId).collect(),
                prime: None,
                until: None,
            })
        };
        let mut changes: Vec<Change> = people.into_iter().map(person).collect();
        changes.push(structure(1, Region::Africa, &[1, 2]));
        changes.push(structure(2, Region::Europe, &[5]));
        Register::fold(&changes)
    }

    fn check(who: fn(&Register, PersonId, Region, DateTime<Utc>) -> bool, day: i64, expected: &[u32]) {
        let register = register();
        let at = BEGAN + Duration::days(day);
        let found: Vec<u32> =
            (1..=8).filter(|id| who(&register, PersonId(*id), Region::Africa, at)).collect();
        assert_eq!(found, expected, "on day {day}");
    }

    #[test]
    fn members_of_that_region_alone_may_comment_while_they_are_members() {
        check(is_member, 9, &[1, 2, 3]);
        check(is_member, 10, &[1]);
    }

    #[test]
    fn members_staff_and_the_alac_may_read() {
        check(may_read, 9, &[1, 2, 3, 4, 6, 7]);
        check(may_read, 10, &[1]);
    }

    #[test]
    fn a_day_is_all_that_is_told_of_a_time() {
        let late: DateTime<Utc> = "2026-05-04T23:59:59Z".parse().unwrap();
        assert_eq!(day(late).to_rfc3339(), "2026-05-04T00:00:00+00:00");
    }
}
