//! The public record of an application (P): typed fields from a whitelist, nothing else. Of the application itself it
//! shows what the form says is public, once staff have released it; a free text that seems to hold somebody's address
//! or telephone number is left out and named as left out. A decision is public once staff have released that, and
//! changes in dated versions with a reason.

use super::{At, Decided, File, Route, Version, View, application};
use crate::kernel::form::{Amount, Sees, Value as Answer};
use crate::kernel::ids::CaseId;
use crate::kernel::workflow::Record;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::json;

/// What everybody may see.
#[derive(Debug, Serialize)]
struct Public {
    application: CaseId,
    name: String,
    country: Option<&'static str>,
    ralo: Option<&'static str>,
    received: NaiveDate,
    /// "suspended" without a reason.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
}

/// The application, as far as its form says that everybody sees it.
#[derive(Debug, Serialize)]
struct Content {
    kind: Option<String>,
    founded: Option<NaiveDate>,
    web: Option<String>,
    /// The contact that the group itself gave for the public.
    contact: Option<String>,
    leadership_knows: Option<bool>,
    goals: Option<String>,
    structure: Option<String>,
    members: Option<Amount>,
    membership: Option<String>,
    region_predominates: Option<bool>,
    discussion: Option<String>,
    self_supporting: Option<bool>,
    intersection: Option<String>,
    other_icann: Option<String>,
    updates: Option<Vec<String>>,
    languages: Option<Vec<String>>,
    certified: Option<bool>,
    /// Left out because they seem to hold personal data, or as staff decided.
    withheld: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Decision {
    accredited: bool,
    route: Route,
    at: DateTime<Utc>,
    /// What the region advised.
    advice: Option<View>,
    /// Where the tally stands.
    tally: Option<String>,
    review_requested: bool,
    /// When a person released it, and changed it since.
    versions: Vec<Dated>,
}

/// A version of the record: when it was released, and why it differs from the one before.
#[derive(Debug, Serialize)]
struct Dated {
    at: DateTime<Utc>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
}

/// Whether a free text seems to hold an address or a telephone number.
pub(super) fn personal(text: &str) -> bool {
    let mut run = 0;
    let number = text.chars().any(|c| {
        run = match c {
            c if c.is_numeric() => run + 1,
            ' ' | '-' | '.' | '(' | ')' | '/' | '+' => run,
            _ => 0,
        };
        run >= 8
    });
    number || text.contains(['@', '\u{ff20}'])
}

/// Whether everybody may see the answer to a question at all: its form says so.
fn is_public(id: &str) -> bool {
    application::form().field(id).is_some_and(|(_, field)| field.sees == Sees::Public)
}

/// An answer that everybody may see. There is no other way from a form to the public: what its form does not call
/// public, what staff keep back, and a free text that seems to hold personal data are not there.
pub(super) fn public<'a>(file: &'a File, id: &str) -> Option<&'a Answer> {
    let shown = |answer: &&Answer| !matches!(answer, Answer::Text(text) if personal(text));
    file.answer(id).filter(shown).filter(|_| is_public(id) && !file.withheld.contains(id))
}

/// The questions everybody may see the answers of, whose answers are kept back all the same.
pub(super) fn withheld(file: &File) -> Vec<&'static str> {
    let fields = application::form().fields.iter().map(|field| field.id.as_str());
    fields.filter(|id| is_public(id) && file.answer(id).is_some() && public(file, id).is_none()).collect()
}

impl Content {
    fn of(file: &File) -> Content {
        let text = |id| match public(file, id) {
            Some(Answer::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let yes = |id| match public(file, id) {
            Some(Answer::YesNo(yes)) => Some(*yes),
            _ => None,
        };
        let several = |id| match public(file, id) {
            Some(Answer::Several(ids)) => Some(ids.clone()),
            _ => None,
        };
        let written = |id| match public(file, id) {
            Some(Answer::Choice(text) | Answer::Url(text) | Answer::Email(text)) => Some(text.clone()),
            _ => None,
        };
        Content {
            kind: written("kind"),
            founded: match public(file, "founded") {
                Some(Answer::Date(day)) => Some(*day),
                _ => None,
            },
            web: written("web"),
            contact: written("contact"),
            leadership_knows: yes("leaders-know"),
            goals: text("goals"),
            structure: text("structure"),
            members: match public(file, "members") {
                Some(Answer::Number(amount)) => Some(*amount),
                _ => None,
            },
            membership: text("membership"),
            region_predominates: yes("region"),
            discussion: text("discussion"),
            self_supporting: yes("self-supporting"),
            intersection: text("intersection"),
            other_icann: text("other-icann"),
            updates: several("updates"),
            languages: several("languages"),
            certified: yes("certifies"),
            withheld: withheld(file),
        }
    }
}

fn publish(file: &File, status: &'static str, decision: Option<Decision>, cx: &At) -> Record {
    let country = match file.answer("country") {
        Some(Answer::Country(country)) => Some(country.code()),
        _ => None,
    };
    let public = Public {
        application: cx.case,
        name: file.name(),
        country,
        ralo: file.region.map(crate::kernel::people::Region::ralo),
        received: file.received.date_naive(),
        status,
        content: file.released.then(|| Content::of(file)),
        decision,
    };
    Record { path: format!("applications/{}.json", cx.case), body: json!(public) }
}

/// An application on its way, once released.
pub(super) fn running(file: &File, stage: &'static str, cx: &At) -> Record {
    publish(file, if file.suspended() { "suspended" } else { stage }, None, cx)
}

pub(super) fn withdrawn(file: &File, cx: &At) -> Record {
    publish(file, "withdrawn", None, cx)
}

/// A decision, its date, route and tally: as somebody released it.
pub(super) fn decided(decided: &Decided, cx: &At) -> Record {
    let status = if decided.accredited { "accredited" } else { "refused" };
    let dated = |version: &Version| Dated { at: version.at, reason: version.reason.clone() };
    let decision = Decision {
        accredited: decided.accredited,
        route: decided.route,
        at: decided.at,
        advice: decided.file.advised().map(|advice| advice.view),
        tally: decided.ballot.map(|ballot| format!("ballots/{ballot}.json")),
        review_requested: decided.review.is_some(),
        versions: decided.versions.iter().map(dated).collect(),
    };
    publish(&decided.file, status, Some(decision), cx)
}

#[cfg(test)]
mod tests {
    use super::personal;

    #[test]
    fn addresses_and_telephone_numbers_are_noticed() {
        for text in ["write to amina@a.example", "Tel. +221 33 123 45 67", "call (202) 555-0143-7", "a＠b"] {
            assert!(personal(text), "{text}");
        }
        for text in ["We have 200 members since 2012.", "From 2012 to 2019 we grew to 1,500.", ""] {
            assert!(!personal(text), "{text}");
        }
    }
}
