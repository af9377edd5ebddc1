//! Countries and territories by their codes (ISO 3166-1) and their names in seven languages.
//!
//! `countries.txt` holds a line for each: the two codes, the names in the order of `Language::ALL`, and
//! other names people write. The names are those of the Unicode CLDR, the other names are our own.

use crate::kernel::language::Language;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

const TABLE: &str = include_str!("countries.txt");

struct Row {
    code: &'static str,
    code3: &'static str,
    names: Vec<&'static str>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let (code, rest) = line.split_once(' ')?;
        let (code3, names) = rest.split_once(' ')?;
        Some(Row { code, code3, names: names.split('|').collect() })
    };
    TABLE.lines().filter_map(row).collect()
});

/// A country or territory: its place in the table. Written as its two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Country(u16);

impl Country {
    /// Every country there is, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Country> {
        (0..ROWS.len()).filter_map(|n| u16::try_from(n).ok().map(Country))
    }

    /// By two or three capital letters: "SN", "SEN".
    pub fn from_code(code: &str) -> Option<Country> {
        let at = ROWS.iter().position(|row| row.code == code || row.code3 == code)?;
        u16::try_from(at).ok().map(Country)
    }

    /// The two letters: "SN".
    pub fn code(self) -> &'static str {
        ROWS[usize::from(self.0)].code
    }

    /// What it is called in a language.
    pub fn name(self, language: Language) -> &'static str {
        ROWS[usize::from(self.0)].names[language as usize]
    }

    /// Every name it goes by, in any language.
    pub fn names(self) -> &'static [&'static str] {
        &ROWS[usize::from(self.0)].names
    }
}

impl From<Country> for String {
    fn from(country: Country) -> String {
        country.code().to_owned()
    }
}

impl TryFrom<String> for Country {
    type Error = String;
    fn try_from(code: String) -> Result<Country, String> {
        Country::from_code(&code)
            .filter(|c| c.code() == code)
            .ok_or_else(|| "no code of ISO 3166-1".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_its_codes_and_seven_names() {
        assert_eq!(Country::all().count(), 249);
        for country in Country::all() {
            assert!(country.names().len() >= 7, "{}", country.code());
            assert!(country.names().iter().all(|name| !name.trim().is_empty()), "{}", country.code());
            assert_eq!(Country::from_code(country.code()), Some(country));
        }
        let senegal = Country::from_code("SEN").unwrap();
        assert_eq!((senegal.code(), senegal.name(Language::Fr)), ("SN", "Sénégal"));
    }
}
