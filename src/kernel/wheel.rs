//! The wheel of reports: every structure reports in the same month of every two years, and the months bear about as
//! many of each region (policy D: spread over the year, evenly by region and by month). A place on it never moves.

use super::people::{OrganisationKind, Region};
use super::register::Register;
use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Months in which the wheel turns once.
const MONTHS: u32 = 24;

/// A month of the wheel: 0 is January of every even year, 23 December of every odd one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Slot(u8);

impl TryFrom<u8> for Slot {
    type Error = String;

    fn try_from(month: u8) -> Result<Slot, String> {
        if u32::from(month) < MONTHS {
            return Ok(Slot(month));
        }
        Err(format!("{month} is no month of the wheel; write 0 to {}", MONTHS - 1))
    }
}

impl From<Slot> for u8 {
    fn from(slot: Slot) -> u8 {
        slot.0
    }
}

impl Slot {
    fn all() -> impl Iterator<Item = Slot> {
        (0..24).map(Slot)
    }

    /// Months from a moment to the next beginning of this one: 1 to 24.
    fn ahead(self, after: DateTime<Utc>) -> u32 {
        let now = after.year().rem_euclid(2).unsigned_abs() * 12 + after.month0();
        match (u32::from(self.0) + MONTHS - now) % MONTHS {
            0 => MONTHS,
            ahead => ahead,
        }
    }

    /// The first day of this month that comes after a moment: never more than 24 months later.
    pub fn next(self, after: DateTime<Utc>) -> NaiveDate {
        let month = NaiveDate::from_ymd_opt(after.year(), after.month(), 1).unwrap_or_default();
        month + Months::new(self.ahead(after))
    }

    /// The month for a structure that begins now: that with the fewest of its region, of these the one with the
    /// fewest of all, of these the one that leaves it the longest time. What is decertified holds no month any more.
    pub fn free(register: &Register, region: Region, at: DateTime<Utc>) -> Slot {
        let structures = register
            .organisations()
            .filter(|one| one.kind == OrganisationKind::Als && one.until.is_none_or(|until| at < until));
        let taken: Vec<(Region, Slot)> =
            structures.filter_map(|one| Some((one.region, one.report?))).collect();
        let load = |slot: &Slot| {
            let all = taken.iter().filter(|(_, taken)| taken == slot);
            let own = all.clone().filter(|(of, _)| *of == region).count();
            (own, all.count(), MONTHS - slot.ahead(at))
        };
        Slot::all().min_by_key(load).unwrap_or(Slot(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::OrganisationId;
    use crate::kernel::people::Organisation;
    use crate::kernel::register::Change;
    use std::collections::BTreeMap;

    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}T12:00:00Z").parse().unwrap()
    }

    fn structure(id: u32, region: Region, report: Option<Slot>) -> Change {
        Change::Organisation(Organisation {
            id: OrganisationId(id),
            name: format!("O{id}"),
            country: "KE".into(),
            region,
            kind: OrganisationKind::Als,
            report,
            representatives: Vec::new(),
            prime: None,
            until: None,
        })
    }

    #[test]
    fn a_month_comes_round_within_twenty_four() {
        let check = |slot: u8, after: &str, expected: &str| {
            assert_eq!(Slot::try_from(slot).unwrap().next(at(after)).to_string(), expected);
        };
        check(0, "2026-12-31", "2028-01-01");
        check(0, "2027-12-31", "2028-01-01");
        check(11, "2026-12-31", "2028-12-01");
        check(23, "2027-11-30", "2027-12-01");
        check(1, "2028-02-29", "2030-02-01");
        check(13, "2027-02-01", "2029-02-01");
        assert!(Slot::try_from(24).is_err());
    }

    #[test]
    fn months_fill_evenly_in_every_region_and_together() {
        let mut register = Register::default();
        let mut begins = at("2027-01-15");
        let mut places: BTreeMap<u32, Slot> = BTreeMap::new();
        for id in 0..240 {
            // Regions of very different sizes.
            let region = Region::ALL[[0, 0, 0, 1, 1, 2, 2, 3, 4, 2][id as usize % 10]];
            let slot = Slot::free(&register, region, begins);
            let due = slot.next(begins);
            assert!(begins.date_naive() < due && due <= begins.date_naive() + Months::new(MONTHS));
            register.apply(&structure(id, region, Some(slot)));
            places.insert(id, slot);
            begins += chrono::Duration::days(5);
        }
        let spread = |of: &dyn Fn(&Organisation) -> bool| {
            let counts = Slot::all().map(|slot| {
                register.organisations().filter(|one| of(one) && one.report == Some(slot)).count()
            });
            let counts: Vec<usize> = counts.collect();
            counts.iter().max().unwrap() - counts.iter().min().unwrap()
        };
        for region in Region::ALL {
            assert!(spread(&|one| one.region == region) <= 1, "{region:?}");
        }
        assert!(spread(&|_| true) <= 2, "all regions together");
        let moved = register.organisations().filter(|one| one.report != places.get(&one.id.0).copied());
        assert_eq!(moved.count(), 0, "a place never moves");
    }

    #[test]
    fn who_is_decertified_gives_its_month_back() {
        let Change::Organisation(mut gone) = structure(1, Region::Africa, Some(Slot(23))) else { panic!() };
        let check = |gone: &Organisation, expected: &str| {
            let register = Register::fold(&[Change::Organisation(gone.clone())]);
            let slot = Slot::free(&register, Region::Africa, at("2027-12-15"));
            assert_eq!(slot.next(at("2027-12-15")).to_string(), expected);
        };
        check(&gone, "2029-11-01");
        gone.until = Some(at("2027-12-31"));
        check(&gone, "2029-11-01");
        gone.until = Some(at("2027-12-15"));
        check(&gone, "2029-12-01");
    }

    #[test]
    fn who_has_no_place_yet_takes_none_away() {
        let register = Register::fold(&[structure(1, Region::Africa, None)]);
        let slot = Slot::free(&register, Region::Africa, at("2027-01-15"));
        assert_eq!(slot.next(at("2027-01-15")).to_string(), "2029-01-01", "the longest time");
    }
}
