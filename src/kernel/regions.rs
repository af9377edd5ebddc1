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

    #[test]
    fn a_territory_goes_with_the_country_of_its_citizens() {
        let region = |code| region_of(Country::from_code(code).unwrap());
        let ralos = ["SN", "JP", "GL", "MX", "PR", "AQ"].map(|code| region(code).map(Region::ralo));
        let expected =
            [Some("AFRALO"), Some("APRALO"), Some("EURALO"), Some("LACRALO"), Some("NARALO"), None];
        assert_eq!(ralos, expected);
    }
}
