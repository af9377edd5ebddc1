//! Rows of a register file: TOML with `[[person]]` and `[[organisation]]`, or CSV with one line for each.

use super::import::Wrong;
use crate::kernel::ids::{OrganisationId, PersonId};
use crate::kernel::language::Language;
use crate::kernel::people::{Organisation, OrganisationKind, Person, Region, Role, RoleHeld};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

/// One record of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    Person(Person),
    Organisation(Organisation),
}

type Rows = (Vec<(usize, Row)>, Vec<Wrong>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    person: Vec<Spanned<toml::Table>>,
    #[serde(default)]
    organisation: Vec<Spanned<toml::Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonRow {
    id: u32,
    name: String,
    language: String,
    zone: String,
    addresses: Vec<String>,
    #[serde(default)]
    roles: Vec<RoleRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleRow {
    role: Role,
    region: Option<Region>,
    organisation: Option<u32>,
    from: toml::Value,
    until: Option<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganisationRow {
    id: u32,
    name: String,
    country: String,
    region: Region,
    kind: OrganisationKind,
    #[serde(default)]
    representatives: Vec<u32>,
    prime: Option<u32>,
    /// The day from which it is no longer accredited.
    until: Option<toml::Value>,
}

/// Rows of a TOML file, and what is wrong with those that are none.
pub fn from_toml(text: &str) -> Rows {
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            return (Vec::new(), vec![Wrong { line, what: error.message().to_owned() }]);
        }
    };
    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    for table in file.person {
        let line = line_of(text, table.span().start);
        add(line, read(table.into_inner()).and_then(person), &mut rows, &mut wrong);
    }
    for table in file.organisation {
        let line = line_of(text, table.span().start);
        add(line, read(table.into_inner()).and_then(organisation), &mut rows, &mut wrong);
    }
    (rows, wrong)
}

fn add(line: usize, row: Result<Row, Vec<String>>, rows: &mut Vec<(usize, Row)>, wrong: &mut Vec<Wrong>) {
    match row {
        Ok(row) => rows.push((line, row)),
        Err(what) => wrong.extend(what.into_iter().map(|what| Wrong { line, what })),
    }
}

fn read<T: DeserializeOwned>(table: toml::Table) -> Result<T, Vec<String>> {
    table.try_into().map_err(|error: toml::de::Error| vec![error.message().to_owned()])
}

/// The line, from 1, on which a byte stands.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn person(row: PersonRow) -> Result<Row, Vec<String>> {
    let id = PersonId(row.id);
    let mut wrong = Vec::new();
    let language = Language::from_code(&row.language);
    if language.is_none() {
        wrong.push(format!("{id}: {:?} is none of en fr es pt ru zh ar", row.language));
    }
    let zone = row.zone.parse::<chrono_tz::Tz>();
    if zone.is_err() {
        wrong.push(format!("{id}: {:?} is no time zone; write it like Africa/Dakar", row.zone));
    }
    if row.addresses.is_empty() {
        wrong.push(format!("{id} has no address; give at least one"));
    }
    for (n, address) in row.addresses.iter().enumerate() {
        if !is_address(address) {
            wrong.push(format!("{id}: address {} is not like name@example.org", n + 1));
        }
    }
    let mut roles = Vec::new();
    for held in row.roles {
        match role(held) {
            Ok(held) => roles.push(held),
            Err(what) => wrong.push(format!("{id}: {what}")),
        }
    }
    match (language, zone, wrong.is_empty()) {
        (Some(language), Ok(zone), true) => Ok(Row::Person(Person {
            id,
            name: row.name.trim().to_owned(),
            language,
            zone,
            addresses: row.addresses,
            roles,
        })),
        _ => Err(wrong),
    }
}

fn role(row: RoleRow) -> Result<RoleHeld, String> {
    let from = moment(&row.from)?;
    let until = row.until.as_ref().map(moment).transpose()?;
    if until.is_some_and(|until| until <= from) {
        return Err(format!("the role {:?} ends before it begins", row.role));
    }
    let organisation = row.organisation.map(OrganisationId);
    Ok(RoleHeld { role: row.role, region: row.region, organisation, from, until })
}

/// A date (its first moment, UTC) or a moment.
fn moment(value: &toml::Value) -> Result<DateTime<Utc>, String> {
    let text = match value {
        toml::Value::Datetime(datetime) => datetime.to_string(),
        toml::Value::String(text) => text.clone(),
        other => return Err(format!("{other} is no date; write 2026-10-30")),
    };
    let day = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    text.parse::<NaiveDate>()
        .map(day)
        .or_else(|_| DateTime::parse_from_rfc3339(&text).map(|at| at.to_utc()))
        .map_err(|_| format!("{text:?} is no date; write 2026-10-30"))
}

fn organisation(row: OrganisationRow) -> Result<Row, Vec<String>> {
    let id = OrganisationId(row.id);
    let country = row.country.trim().to_ascii_uppercase();
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(vec![format!("{id}: {:?} is no country code; write it like SN", row.country)]);
    }
    let until = row.until.as_ref().map(moment).transpose().map_err(|what| vec![format!("{id}: {what}")])?;
    Ok(Row::Organisation(Organisation {
        id,
        name: row.name.trim().to_owned(),
        country,
        region: row.region,
        kind: row.kind,
        report: None,
        representatives: row.representatives.into_iter().map(PersonId).collect(),
        prime: row.prime.map(PersonId),
        until,
    }))
}

/// Whether mail can be sent to it, as far as its form tells.
fn is_address(text: &str) -> bool {
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;:()[]\"\\".contains(c));
    plain
        && text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.contains('@')
                && domain.contains('.')
                && domain.split('.').all(|label| !label.is_empty())
        })
}

/// One line of a CSV file; lists are separated by semicolons, a role is `role@region:from..until`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    kind: String,
    id: u32,
    name: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    zone: String,
    #[serde(default)]
    addresses: String,
    #[serde(default)]
    roles: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    representatives: String,
    #[serde(default)]
    prime: Option<u32>,
    #[serde(default)]
    until: String,
}

/// Rows of a CSV file with a heading.
pub fn from_csv(text: &str) -> Rows {
    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return (rows, vec![Wrong { line: 1, what: error.to_string() }]),
    };
    for record in reader.into_records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                wrong.push(Wrong { line: usize::try_from(line).unwrap_or(0), what: error.to_string() });
                continue;
            }
        };
        let line = record.position().map_or(0, |at| usize::try_from(at.line()).unwrap_or(0));
        let row = record
            .deserialize::<Line>(Some(&headers))
            .map_err(|error| vec![error.to_string()])
            .and_then(from_line);
        add(line, row, &mut rows, &mut wrong);
    }
    (rows, wrong)
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|item| !item.is_empty())
}

fn from_line(line: Line) -> Result<Row, Vec<String>> {
    match line.kind.as_str() {
        "person" => {
            let roles = list(&line.roles).map(role_of).collect::<Result<_, _>>();
            person(PersonRow {
                id: line.id,
                name: line.name,
                language: line.language,
                zone: line.zone,
                addresses: list(&line.addresses).map(str::to_owned).collect(),
                roles: roles.map_err(|what| vec![format!("p{}: {what}", line.id)])?,
            })
        }
        kind => {
            let one = |error: String| vec![format!("o{}: {error}", line.id)];
            let ids = list(&line.representatives).map(|id| id.trim_start_matches('p').parse::<u32>());
            organisation(OrganisationRow {
                id: line.id,
                name: line.name,
                country: line.country,
                region: word(&line.region).map_err(one)?,
                kind: word(kind).map_err(one)?,
                representatives: ids.collect::<Result<_, _>>().map_err(|error| one(error.to_string()))?,
                prime: line.prime,
                until: Some(line.until).filter(|day| !day.is_empty()).map(toml::Value::String),
            })
        }
    }
}

/// A word of one of our lists: a region, a role, a kind.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|error| error.to_string())
}

/// `alac-member@africa:2025-10-30..2027-10-30`; region and end may be left out.
fn role_of(text: &str) -> Result<RoleRow, String> {
    let shape = || format!("{text:?} is no role; write it like alac-member@africa:2025-10-30..2027-10-30");
    let (what, when) = text.split_once(':').ok_or_else(shape)?;
    let (role, region) = what.split_once('@').map_or((what, None), |(role, region)| (role, Some(region)));
    let (from, until) = when.split_once("..").unwrap_or((when, ""));
    let date = |text: &str| toml::Value::String(text.trim().to_owned());
    Ok(RoleRow {
        role: word(role.trim())?,
        region: region.map(|region| word(region.trim())).transpose()?,
        organisation: None,
        from: date(from),
        until: Some(until).filter(|until| !until.trim().is_empty()).map(date),
    })
}
