//! Which Geographic Region a country belongs to: `config/regions.toml`. A first answer for people, no decision.

use super::form::Country;
use super::people::Region;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../../config/regions.toml");

/// The table as written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    africa: Vec<Country>,
    asia_pacific: Vec<Country>,
    europe: Vec<Country>,
    latin_america: Vec<Country>,
    north_america: Vec<Country>,
    /// Areas without citizens.
    none: Vec<Country>,
}

static REGIONS: LazyLock<BTreeMap<Country, Option<Region>>> = LazyLock::new(|| {
    let table: Table = toml::from_str(TABLE).expect("the built-in table is checked by a test");
    let rows = [
        (Some(Region::Africa), table.africa),
        (Some(Region::AsiaPacific), table.asia_pacific),
        (Some(Region::Europe), table.europe),
        (Some(Region::LatinAmerica), table.latin_america),
        (Some(Region::NorthAmerica), table.north_america),
        (None, table.none),
    ];
    rows.into_iter().flat_map(|(region, row)| row.into_iter().map(move |country| (country, region))).collect()
});

/// The region of a country; none for areas without citizens.
pub fn region_of(country: Country) -> Option<Region> {
    REGIONS.get(&country).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_stands_in_the_table_once() {
        for country in Country::all() {
            assert!(REGIONS.contains_key(&country), "{}", country.code());
            let times = TABLE.matches(&format!("\"{}\"", country.code())).count();
            assert_eq!(times, 1, "{}", country.code());
        }
    }

    /// The countries of a region, sorted by code.
    fn of(region: Region) -> String {
        let mut codes: Vec<&str> = Country::all()
            .filter(|country| region_of(*country) == Some(region))
            .map(|country| country.code())
            .collect();
        codes.sort_unstable();
        codes.join(" ")
    }

    #[test]
    fn the_table_says_what_the_communitys_lists_say() {
        assert_eq!(of(Region::NorthAmerica), "AS CA GU MP PR UM US VI");
        let latin = "AG AR BB BO BR BS BZ CL CO CR CU DM DO EC GD GT GY HN HT JM KN LC MX NI PA PE PY SR SV SX TT \
                     UY VC VE";
        assert_eq!(of(Region::LatinAmerica), latin);
        let check = |region: Region, codes: &str| {
            for code in codes.split(' ') {
                let country = Country::from_code(code).expect("a country");
                assert_eq!(region_of(country), Some(region), "{code}");
            }
        };
        // Corrected by ICANN where the map misleads, and dependent territories wherever they lie.
        check(Region::NorthAmerica, "GU");
        check(Region::Europe, "NC PF RU GL RE GP BM FK");
        check(Region::AsiaPacific, "AM AZ GE AU NZ JO LB IQ SA YE FJ WS");
        check(Region::Africa, "EH EG MA ZA SS");
        // At least as many as each region had when the lists were last counted in public (2010).
        let counts = Region::ALL.map(|region| of(region).split(' ').count());
        assert!(counts.iter().zip([54, 73, 75, 33, 8]).all(|(now, then)| *now + 1 >= then), "{counts:?}");
    }

    #[test]
    fn a_territory_goes_with_the_country_of_its_citizens() {
        let region = |code| region_of(Country::from_code(code).unwrap());
        let ralos = ["SN", "JP", "GL", "MX", "PR", "AQ"].map(|code| region(code).map(Region::ralo));
        let expected =
            [Some("AFRALO"), Some("APRALO"), Some("EURALO"), Some("LACRALO"), Some("NARALO"), None];
        assert_eq!(ralos, expected);
    }
}
