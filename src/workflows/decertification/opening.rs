//! How a matter begins: something was noticed, somebody entitled proposes at once, or the structure wants to leave.
//! By staff or those entitled, from a file; by another case as an anomaly alone. No opening decides anything.

use super::grounds::Named;
use super::{Anomaly, At, Decertification, File, Running, Sign, Stage, days, hearing, investigation, mails};
use super::{proposal, who};
use crate::kernel::ids::{OrganisationId, Party, PersonId};
use crate::kernel::people::{Organisation, OrganisationKind};
use crate::kernel::workflow::{Opening, Refusal, Step};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A matter as a file names it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The structure: "o3".
    organisation: Party,
    /// Leaders and public contact, as far as known, who get the notice besides the representatives.
    #[serde(default)]
    contacts: BTreeSet<Party>,
    anomaly: Option<Noticed>,
    proposal: Option<Proposed>,
    leaving: Option<Leaving>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Noticed {
    sign: Sign,
    #[serde(default)]
    note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposed {
    /// Who proposes, where staff enter it.
    on_behalf: Option<Party>,
    #[serde(default)]
    failures: Vec<Named>,
    exception: Option<String>,
    #[serde(default)]
    reasons: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaving {
    /// What the structure wrote, in its own words.
    statement: String,
}

/// The structure, accredited now.
fn structure(party: Party, cx: &At) -> Result<(OrganisationId, Organisation), Refusal> {
    let Party::Organisation(id) = party else {
        return Err(mails::unreadable(&format!("{party} is no organisation; write it like o3")));
    };
    let known = cx.register.organisation(id).filter(|known| known.kind == OrganisationKind::Als);
    let Some(known) = known else {
        return Err(mails::unreadable(&format!("{id} is no At-Large Structure in the register")));
    };
    if known.until.is_some_and(|until| until <= cx.now) {
        return Err(mails::not_done(&known.name, "not-accredited"));
    }
    Ok((id, known.clone()))
}

fn file(id: OrganisationId, known: Organisation, contacts: BTreeSet<Party>) -> File {
    File {
        organisation: id,
        name: known.name.split_whitespace().collect::<Vec<_>>().join(" "),
        country: known.country,
        region: known.region,
        anomaly: None,
        owner: None,
        steps: Vec::new(),
        failures: Vec::new(),
        exception: None,
        remarks: Vec::new(),
        contacts,
        proposers: Vec::new(),
        reasons: String::new(),
        noticed_to: BTreeSet::new(),
        awaiting: BTreeSet::new(),
        noticed: None,
        responses: Vec::new(),
        leaving: None,
        unreached: BTreeSet::new(),
        addresses: BTreeMap::new(),
        non_public: None,
        questions: 0,
    }
}

/// Opens a matter.
pub(super) fn open(opening: &Opening, cx: &At) -> Result<Step<Decertification>, Refusal> {
    let asked: Asked = serde_json::from_value(opening.body.clone())
        .map_err(|error| mails::unreadable(&error.to_string()))?;
    let (id, known) = structure(asked.organisation, cx)?;
    if let Some(nobody) = asked.contacts.iter().find(|party| cx.register.speaker(**party).is_none()) {
        return Err(mails::unreadable(&format!("{nobody} is nobody in the register")));
    }
    let staff = opening.by.is_some_and(|by| who::is_staff(by, opening.arrived, cx));
    let by_a_case = opening.by.is_none() && opening.parent.is_some();
    // Where it goes from here is set below.
    let stage = Stage::Anomaly { remind_at: cx.now, reminded: false };
    let mut running = Running { file: file(id, known, asked.contacts), stage };
    let mut out = Vec::new();
    match (asked.anomaly, asked.proposal, asked.leaving) {
        (Some(Noticed { sign, note }), None, None) if staff || by_a_case => {
            let note = super::grounds::cut(&note);
            running.file.anomaly = Some(Anomaly { sign, note, at: opening.arrived });
            investigation::raise(&mut running, &mut out, cx);
        }
        (None, Some(proposed), None) => {
            let Some(by) = opening.by else { return Err(mails::not_done(&running.file.name, "propose")) };
            let proposer = proposal::acting(by, proposed.on_behalf, opening.arrived, cx)?;
            let (today, name) = (cx.now.date_naive(), running.file.name.clone());
            let failures = proposed.failures.into_iter().map(|named| named.read(&name, today));
            let said = proposal::Words {
                failures: failures.collect::<Result<_, _>>()?,
                exception: proposed.exception,
                reasons: proposed.reasons,
            };
            proposal::propose(&mut running, proposer, said, opening.arrived, &mut out, cx)?;
            if running.file.proposers.is_empty() {
                return Err(mails::not_done(&name, "nothing-binding"));
            }
        }
        (None, None, Some(Leaving { statement })) if staff => {
            hearing::ask_to_leave(&mut running, &statement, opening.by, opening.arrived, &mut out, cx)?;
        }
        (None, None, None) => return Err(mails::unreadable("write one of [anomaly], [proposal], [leaving]")),
        (Some(_), None, None) | (None, None, Some(_)) => {
            return Err(mails::not_done(&running.file.name, "order"));
        }
        _ => return Err(mails::unreadable("write only one of [anomaly], [proposal], [leaving]")),
    }
    Ok(Step { state: Decertification::Running(Box::new(running)), effects: out })
}

/// When the prime must have confirmed that her structure wants to leave.
pub(super) fn leave_by(cx: &At) -> chrono::DateTime<chrono::Utc> {
    cx.now + days(cx.policy.leave_days)
}

/// A person by her number.
pub(super) fn person(party: Party) -> Result<PersonId, Refusal> {
    match party {
        Party::Person(person) => Ok(person),
        other => Err(mails::unreadable(&format!("{other} is no person; write it like p9"))),
    }
}
