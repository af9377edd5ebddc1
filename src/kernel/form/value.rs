//! Answers once they are understood, each of its kind.

use super::Country;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    Text(String),
    Number(Amount),
    YesNo(bool),
    Email(String),
    /// Always with its scheme.
    Url(String),
    Country(Country),
    Date(NaiveDate),
    /// The id of the option.
    Choice(String),
    /// The ids of the options, in the form's order.
    Several(Vec<String>),
    People(Vec<Person>),
}

/// A number of things: "200", "about 200", "150 to 200".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    pub low: u64,
    /// Equal to `low` where one number was given.
    pub high: u64,
    /// The writer said so, or gave only a bound.
    pub about: bool,
}

impl Amount {
    /// An exact number.
    pub fn exactly(n: u64) -> Amount {
        Amount { low: n, high: n, about: false }
    }
}

/// Somebody named in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub name: String,
    pub email: Option<String>,
    pub role: Option<String>,
}
