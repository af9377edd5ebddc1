//! What the matter writes: the data of its templates. Templates are under templates/decertification/.

use super::policy::WORDINGS;
use super::{At, Decided, File, Response, Stage, Voting};
use crate::kernel::form::Country;
use crate::kernel::ids::Party;
use crate::kernel::language::Language;
use crate::kernel::workflow::{Asks, Audience, Effect, Notice, Refusal};
use crate::workflows::ballot::Texts;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Steps shown in a mail, the newest, and bytes of each; the case has all.
const SHOWN: usize = 8;
const STEP: usize = 300;
/// Bytes of what was noticed.
const SIGN: usize = 300;

/// The first bytes of a text, in whole characters.
fn short(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(most)])
}

fn filled(texts: &Texts, name: &str) -> Texts {
    texts.iter().map(|(language, text)| (*language, text.replace("{name}", name))).collect()
}

pub(super) fn title(name: &str, language: Language) -> String {
    WORDINGS.title.get(&language).map_or("", String::as_str).replace("{name}", name)
}

/// What the matter is called, in every language.
pub(super) fn titles(name: &str) -> Value {
    json!(filled(&WORDINGS.title, name))
}

/// The question of the vote.
pub(super) fn question(file: &File, cx: &At) -> Texts {
    filled(&cx.policy.question, &file.name)
}

/// What an outcome of the vote does to the structure, in words.
pub(super) fn means(file: &File, decertified: bool) -> Texts {
    filled(if decertified { &WORDINGS.decertified } else { &WORDINGS.retained }, &file.name)
}

/// What every mail about a structure may show.
pub(super) fn facts(file: &File, cx: &At) -> Value {
    let country: Texts = match Country::from_code(&file.country) {
        Some(country) => Language::ALL.map(|l| (l, country.name(l).to_owned())).into(),
        None => Language::ALL.map(|l| (l, file.country.clone())).into(),
    };
    json!({
        "organisation": file.name, "case": cx.case.to_string(), "country": country, "ralo": file.region.ralo(),
    })
}

/// The same with what was found: requirements that were not met, steps taken.
pub(super) fn findings(file: &File, cx: &At) -> Value {
    let mut data = facts(file, cx);
    let step = |deed: &super::Deed| json!({ "at": deed.at, "by": deed.by, "what": short(&deed.what, STEP) });
    let newest = file.steps.len().saturating_sub(SHOWN);
    data["failures"] = json!(file.failures);
    data["steps"] = json!(file.steps[newest..].iter().map(step).collect::<Vec<_>>());
    data["least"] = json!(cx.policy.min_failures);
    data["enough"] = json!(super::proposal::enough(file, cx));
    let noticed = |one: &super::Anomaly| {
        let note = short(&one.note, SIGN);
        json!({ "sign": one.sign, "note": note, "at": one.at })
    };
    data["anomaly"] = json!(file.anomaly.iter().map(noticed).collect::<Vec<_>>());
    data
}

/// What is proposed, on which grounds, by whom, and when what follows.
pub(super) fn proposal(file: &File, cx: &At) -> Value {
    let mut data = facts(file, cx);
    data["failures"] = json!(file.failures);
    data["exception"] = json!(file.exception.as_deref().unwrap_or_default());
    data["reasons"] = json!(file.reasons);
    data["proposers"] = json!(file.proposers.iter().map(|one| Party::Person(one.by)).collect::<Vec<_>>());
    let remark = |one: &super::Remark| json!({ "by": Party::Person(one.by), "what": one.what });
    data["remarks"] = json!(file.remarks.iter().rev().take(SHOWN).map(remark).collect::<Vec<_>>());
    let begins = file.noticed.unwrap_or(cx.now);
    data["until"] = json!(begins + super::days(cx.policy.hearing_days));
    data["days"] = json!(cx.policy.hearing_days);
    data["vote_at"] = json!(begins + super::days(cx.policy.notice_days));
    data["ballot_days"] = json!(cx.policy.ballot_days);
    data
}

/// An answer of the structure, and what follows.
pub(super) fn response(file: &File, response: &Response, stage: &Stage, cx: &At) -> Value {
    let mut data = facts(file, cx);
    data["text"] = json!(response.text);
    data["from"] = json!(response.from);
    data["at"] = json!(response.at);
    data["proven"] = json!(response.proven);
    data["leaves"] = json!(response.leaves);
    data["entered"] = json!(response.entered_by.is_some());
    data["more"] = json!(response.answer > 1);
    data["many"] = json!(response.parts > 1);
    data["part"] = json!(response.part);
    data["parts"] = json!(response.parts);
    data["voting"] = json!(matches!(stage, Stage::Voting(_)));
    data["vote_at"] = json!(vote_at(file, cx));
    data
}

/// When a vote can open at the earliest; now, where the structure itself wants to leave.
pub(super) fn vote_at(file: &File, cx: &At) -> DateTime<Utc> {
    let begins = file.noticed.unwrap_or(cx.now);
    if file.leaving.is_some() { cx.now } else { begins + super::days(cx.policy.notice_days) }
}

/// A decision in words.
pub(super) fn decided(decided: &Decided, cx: &At) -> Value {
    let mut data = facts(&decided.file, cx);
    data["decertified"] = json!(decided.decertified);
    data["at"] = json!(decided.at);
    data["ballot"] = json!(decided.ballot.iter().map(ToString::to_string).collect::<Vec<_>>());
    data["citation"] = json!(cx.policy.review_citation);
    data
}

/// A notice to several, each at the address that takes mail.
pub(super) fn addressed(
    notice: &Notice,
    to: &BTreeSet<Party>,
    addresses: &BTreeMap<Party, u8>,
    out: &mut Vec<Effect>,
) {
    let mut groups: BTreeMap<u8, Vec<Party>> = BTreeMap::new();
    for party in to {
        groups.entry(addresses.get(party).copied().unwrap_or(0)).or_default().push(*party);
    }
    for (address, parties) in groups {
        let to = Audience::Parties(parties);
        out.push(Effect::Tell(Notice { to, ..notice.clone() }.to_address(address)));
    }
}

/// Tells the structure how it goes on. `until` is the moment that matters with it.
pub(super) fn progress(file: &File, what: &str, until: DateTime<Utc>, out: &mut Vec<Effect>, cx: &At) {
    let mut data = facts(file, cx);
    data["what"] = json!(what);
    data["until"] = json!(until);
    let to = super::who::structure(file, cx);
    let notice = Notice::new("progress", Audience::Parties(Vec::new()), "decertification/progress", data);
    addressed(&notice.asking(Asks::Text), &to, &file.addresses, out);
}

/// Tells those on this side how it goes on.
pub(super) fn told(file: &File, what: &str, until: DateTime<Utc>, cx: &At) -> Effect {
    let mut data = facts(file, cx);
    data["what"] = json!(what);
    data["until"] = json!(until);
    let to = Audience::Parties(super::who::committee(file, cx));
    Effect::Tell(Notice::new("told", to, "decertification/told", data))
}

/// Thanks to one person for what was done at her word.
pub(super) fn thanks(file: &File, to: Party, what: &str, cx: &At) -> Effect {
    let mut data = facts(file, cx);
    data["what"] = json!(what);
    Effect::Tell(Notice::new("thanks", to, "decertification/thanks", data))
}

/// Why something was not done, in a sentence.
pub(super) fn not_done(name: &str, why: &str) -> Refusal {
    Refusal::new("decertification/not-done", json!({ "organisation": name, "why": why }))
}

/// What cannot be understood of an order or a file.
pub(super) fn unreadable(why: &str) -> Refusal {
    Refusal::new("decertification/unreadable", json!({ "why": why }))
}

/// It may have been written by somebody else: the same once more, to the address on file.
pub(super) fn unsure(name: &str) -> Refusal {
    Refusal::new("decertification/unsure", json!({ "organisation": name })).asking(Asks::Text)
}

/// Neither YES nor NO.
pub(super) fn decision_unclear(name: &str) -> Refusal {
    Refusal::new("decertification/decision-unclear", json!({ "organisation": name })).asking(Asks::Decision)
}

/// Whether a vote is open on it.
pub(super) fn ballot_of(stage: &Stage) -> Option<crate::kernel::ids::CaseId> {
    match stage {
        Stage::Voting(Voting { ballot, .. }) => *ballot,
        _ => None,
    }
}
