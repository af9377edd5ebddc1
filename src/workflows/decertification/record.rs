//! The public record of a decision (P): these fields and nothing else. What was alleged and what was answered is for
//! the structure, the committee and staff.

use super::{At, Decided};
use crate::kernel::ids::{CaseId, OrganisationId};
use crate::kernel::workflow::Record;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;

/// What everybody may see.
#[derive(Debug, Serialize)]
struct Public {
    case: CaseId,
    organisation: OrganisationId,
    name: String,
    country: String,
    ralo: &'static str,
    /// "decertified" or "retained".
    status: &'static str,
    at: DateTime<Utc>,
    /// Where the tally stands.
    tally: Option<String>,
    review_requested: bool,
}

pub(super) fn decided(decided: &Decided, cx: &At) -> Record {
    let file = &decided.file;
    let public = Public {
        case: cx.case,
        organisation: file.organisation,
        name: file.name.clone(),
        country: file.country.clone(),
        ralo: file.region.ralo(),
        status: if decided.decertified { "decertified" } else { "retained" },
        at: decided.at,
        tally: decided.ballot.map(|ballot| format!("ballots/{ballot}.json")),
        review_requested: decided.review.is_some(),
    };
    Record { path: format!("decertifications/{}.json", cx.case), body: json!(public) }
}
