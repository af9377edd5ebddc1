//! What an application writes: the data of its templates and whom they go to. Templates are under
//! templates/accreditation/.

use super::{
    AdviceDue, At, Decided, Drafting, File, OnNegativeAdvice, Question, Running, Stage, Suspension, View,
    Why, application, diligence, orders, review,
};
use crate::kernel::form::{Sees, Value as Answer};
use crate::kernel::ids::{CaseId, OrganisationId, Party};
use crate::kernel::language::Language;
use crate::kernel::people::Role;
use crate::kernel::workflow::{Asks, Audience, Notice, Refusal};
use crate::letters::form;
use crate::workflows::ballot::Texts;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Characters of one answer shown to those who review; the whole is in the record of the form.
const SHOWN: usize = 500;

/// What is put to the vote, in every language: `texts.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wordings {
    question_a: Texts,
    question_b: Texts,
    accredited: Texts,
    refused: Texts,
    overturned: Texts,
    upheld: Texts,
    title: Texts,
    page_about: Texts,
}

static WORDINGS: LazyLock<Wordings> =
    LazyLock::new(|| toml::from_str(include_str!("texts.toml")).expect("a test holds the wordings"));

fn filled(texts: &Texts, name: &str) -> Texts {
    texts.iter().map(|(language, text)| (*language, text.replace("{name}", name))).collect()
}

/// "Application: Open Net".
pub(super) fn title(name: &str, language: Language) -> String {
    let text = WORDINGS.title.get(&language).map_or("", String::as_str);
    text.replace("{name}", if name.is_empty() { "…" } else { name })
}

/// What an application is called, in every language.
pub(super) fn titles(name: &str) -> Value {
    json!(Texts::from(Language::ALL.map(|language| (language, title(name, language)))))
}

/// The question of a vote; in English word for word as the rules have it.
pub(super) fn question(file: &File, question: Question) -> Texts {
    let texts = match question {
        Question::A => &WORDINGS.question_a,
        Question::B => &WORDINGS.question_b,
    };
    filled(texts, &file.name())
}

/// What an outcome of the vote does to this applicant, in words.
pub(super) fn means(file: &File, question: Question, accredited: bool, carried: bool) -> Texts {
    let effect = filled(if accredited { &WORDINGS.accredited } else { &WORDINGS.refused }, &file.name());
    let advice = if carried { &WORDINGS.overturned } else { &WORDINGS.upheld };
    let both = |(language, text): (Language, String)| {
        let advice = advice.get(&language).map_or("", String::as_str);
        let gap = if language == Language::Zh { "" } else { " " };
        (language, format!("{advice}{gap}{text}"))
    };
    match question {
        Question::A => effect,
        Question::B => effect.into_iter().map(both).collect(),
    }
}

/// What every mail about an application may show.
pub(super) fn facts(file: &File, cx: &At) -> Value {
    let clock = file.clock(cx.now);
    let country = match file.answer("country") {
        Some(Answer::Country(country)) => Language::ALL.map(|l| (l, country.name(l).to_owned())).into(),
        _ => Texts::new(),
    };
    json!({
        "applicant": file.name(), "case": cx.case.to_string(), "country": country,
        "ralo": file.region.map_or("", |region| region.ralo()),
        "received": file.received, "first_contact": file.first_contact,
        "clock_due": clock.due, "used": clock.used,
    })
}

/// Days that have moved since a mail was written: those of the ninety, and the end of what it asks for.
pub(super) fn refresh(running: &Running, data: &mut Value, cx: &At) {
    let mut now = facts(&running.file, cx);
    if let Stage::DueDiligence(timer) | Stage::AdviceDue(AdviceDue { timer, .. }) = &running.stage {
        now["due"] = json!(timer.due);
    }
    let (Some(data), Value::Object(now)) = (data.as_object_mut(), now) else { return };
    let known = now.into_iter().filter(|(key, _)| data.contains_key(key)).collect::<Vec<_>>();
    data.extend(known);
}

fn people(role: Role, cx: &At) -> Vec<Party> {
    cx.register.holders(role, None, cx.now).into_iter().map(Party::Person).collect()
}

/// Staff; where there are none, who deputises.
pub(super) fn staff(cx: &At) -> Vec<Party> {
    let staff = people(Role::Staff, cx);
    if staff.is_empty() { people(Role::StaffDeputy, cx) } else { staff }
}

/// Staff and the Chair, or who deputises for her.
pub(super) fn officers(cx: &At) -> Vec<Party> {
    let chairs = people(Role::AlacChair, cx);
    let chairs = if chairs.is_empty() { people(Role::AlacViceChair, cx) } else { chairs };
    once(chairs.into_iter().chain(staff(cx)))
}

fn once(parties: impl Iterator<Item = Party>) -> Vec<Party> {
    parties.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The Secretariat of the applicant's region; where there is none, the region's Chair.
pub(super) fn secretariat(file: &File, cx: &At) -> Vec<Party> {
    let Some(region) = file.region else { return Vec::new() };
    let holders = |role| cx.register.holders(role, Some(region), cx.now);
    let secretariat = holders(Role::RaloSecretariat);
    let people = if secretariat.is_empty() { holders(Role::RaloChair) } else { secretariat };
    people.into_iter().map(Party::Person).collect()
}

pub(super) fn officers_and_secretariat(file: &File, cx: &At) -> Vec<Party> {
    once(officers(cx).into_iter().chain(secretariat(file, cx)))
}

/// Everybody who takes part: staff, the Secretariat, the committee.
pub(super) fn region_and_committee(file: &File, cx: &At) -> Vec<Party> {
    once(officers_and_secretariat(file, cx).into_iter().chain(people(Role::AlacMember, cx)))
}

/// The statements that a form still lacks though every question is answered.
pub(super) fn attest(drafting: &Drafting, ids: &[&str]) -> Notice {
    let field = |id: &&str| {
        let (number, field) = application::form().field(id)?;
        Some(json!({ "number": number, "label": field.label, "help": field.help }))
    };
    let fields: Vec<Value> = ids.iter().filter_map(field).collect();
    let data = json!({ "applicant": application::name(&drafting.talk), "fields": fields });
    Notice::new(application::LABEL, drafting.applicant, "accreditation/attest", data).asking(Asks::Form)
}

/// Why something was not done, in a sentence.
pub(super) fn not_done(name: &str, why: &str) -> Refusal {
    Refusal::new("accreditation/not-done", json!({ "applicant": name, "why": why }))
}

/// An order at the keyboard that nothing takes now.
pub(super) fn no_such_order(verb: &str, phase: &str) -> Refusal {
    let why = format!("an application in phase {phase} takes no order {verb:?}");
    Refusal::new("accreditation/unreadable", json!({ "why": why }))
}

/// Nothing was done, as somebody decided.
pub(super) fn kept(file: &File, to: Party) -> Notice {
    Notice::new("kept", to, "accreditation/kept", json!({ "applicant": file.name() }))
}

/// Tells the applicant how it goes on. `until` is the moment that matters with it.
pub(super) fn progress(file: &File, what: &str, until: Option<DateTime<Utc>>, cx: &At) -> Notice {
    let mut data = facts(file, cx);
    data["what"] = json!(what);
    data["until"] = json!(until);
    let notice = Notice::new("progress", file.applicant, "accreditation/progress", data);
    file.addressed(notice.asking(Asks::Text))
}

/// The application is received: its number, and what comes now.
pub(super) fn received(file: &File, cx: &At) -> Notice {
    let notice = Notice::new("received", file.applicant, "accreditation/received", facts(file, cx));
    file.addressed(notice.asking(Asks::Text))
}

/// An application, or a form, that is no more.
pub(super) fn withdrawn(to: Party, name: &str, why: Why, case: CaseId) -> Notice {
    let data = json!({ "applicant": name, "case": case.to_string(), "why": why });
    Notice::new("ended", to, "accreditation/withdrawn", data)
}

/// Answers of the form that some may see, as a list.
fn answers(file: &File, seen: impl Fn(Sees) -> bool) -> Vec<Value> {
    let fields = application::form().fields.iter().filter(|field| seen(field.sees));
    let shown = |field: &crate::kernel::form::Field| {
        let value = file.answer(&field.id)?;
        let text = |language| {
            let text = form::shown(field, value, language);
            match text.char_indices().nth(SHOWN) {
                Some((at, _)) => format!("{}…", &text[..at]),
                None => text,
            }
        };
        let value: Texts = Language::ALL.map(|language| (language, text(language))).into();
        Some(json!({ "label": field.label, "value": value }))
    };
    fields.filter_map(shown).collect()
}

/// Answers that everybody may see, as a list.
pub(super) fn public_answers(file: &File) -> Vec<Value> {
    let mut shown = answers(file, |sees| sees == Sees::Public);
    let fields = application::form().fields.iter().filter(|field| file.answer(&field.id).is_some());
    let public = fields.filter(|field| field.sees == Sees::Public);
    let mut seen = public.map(|field| super::record::public(file, &field.id).is_some());
    shown.retain(|_| seen.next().unwrap_or_default());
    shown
}

/// What the page of a structure says of it: it names ICANN and At-Large.
pub(super) fn page_about(file: &File, language: Language) -> String {
    let text = WORDINGS.page_about.get(&language).map_or("", String::as_str);
    text.replace("{name}", &file.name()).replace("{ralo}", file.region.map_or("", |region| region.ralo()))
}

/// What staff found, the newest finding of each criterion.
fn findings(file: &File) -> Vec<Value> {
    let newest = |(number, versions): (&u8, &Vec<super::Finding>)| {
        let finding = versions.last()?;
        Some(json!({ "number": number.to_string(), "result": finding.result, "note": finding.note }))
    };
    file.diligence.criteria.iter().filter_map(newest).collect()
}

fn checks(file: &File) -> Vec<Value> {
    let check = |(task, conclusion): (&char, &String)| json!({ "task": task, "conclusion": conclusion });
    file.diligence.tasks.iter().map(check).collect()
}

/// What staff need for due diligence.
pub(super) fn diligence(file: &File, due: DateTime<Utc>, cx: &At) -> Value {
    let mut data = facts(file, cx);
    data["due"] = json!(due);
    data["answers"] = json!(answers(file, |_| true));
    data["few"] = json!(diligence::few_members(file));
    data["no_region"] = json!(file.region.is_none());
    let name = file.name().to_lowercase();
    data["known"] = json!(cx.register.organisations().any(|known| known.name.to_lowercase() == name));
    data["findings"] = json!(findings(file));
    data["checks"] = json!(checks(file));
    data
}

/// What is recorded and what is missing.
pub(super) fn open_items(file: &File, problem: &str) -> Value {
    let missing: Vec<String> = (1..=diligence::CRITERIA)
        .filter(|number| !file.diligence.criteria.contains_key(number))
        .map(|number| number.to_string())
        .collect();
    json!({
        "applicant": file.name(), "findings": findings(file), "checks": checks(file), "missing": missing,
        "no_region": file.region.is_none(), "problem": problem,
    })
}

/// What those see who review: the application without what only staff see, and what staff found.
pub(super) fn dossier(file: &File, due: DateTime<Utc>, cx: &At) -> Value {
    let mut data = facts(file, cx);
    data["due"] = json!(due);
    data["answers"] = json!(answers(file, |sees| matches!(sees, Sees::Public | Sees::Ralo)));
    data["findings"] = json!(findings(file));
    data["checks"] = json!(checks(file));
    data["few"] = json!(diligence::few_members(file));
    data
}

/// What the committee is told with the advice, and what its silence will do.
pub(super) fn window(file: &File, cx: &At) -> Value {
    let mut data = facts(file, cx);
    let advice = file.advised();
    let silence = match (file.view(), cx.policy.on_negative_advice) {
        _ if !file.requests.is_empty() => "requested",
        (View::Accredit, _) | (_, OnNegativeAdvice::AccreditLiteral) => "accredited",
        (_, OnNegativeAdvice::Hold) => "held",
        (_, OnNegativeAdvice::Refuse) => "refused",
        (_, OnNegativeAdvice::ForceVote) => "vote",
    };
    data["advice"] = json!(file.view());
    data["reasons"] = json!(advice.map_or("", |advice| advice.reasons.as_str()));
    data["lapsed"] = json!(advice.is_some_and(|advice| advice.lapsed));
    data["silence"] = json!(silence);
    data["days"] = json!(cx.policy.window_days);
    data["until"] = json!(cx.now + super::days(cx.policy.window_days));
    data["corrected"] = json!(file.advice.len() > 1);
    data
}

/// What members want to know, by member.
pub(super) fn wanted(file: &File) -> Value {
    let one = |wanted: &super::Wanted| {
        let by = Party::Person(wanted.by);
        json!({ "by": by, "information": wanted.information, "why": wanted.why })
    };
    json!(file.wanted.iter().map(one).collect::<Vec<_>>())
}

/// One suspension in words.
pub(super) fn suspension(file: &File, suspension: &Suspension, cx: &At) -> Value {
    let mut data = facts(file, cx);
    data["number"] = json!(suspension.number);
    data["ground"] = json!(suspension.ground);
    data["information"] = json!(suspension.information);
    data["why"] = json!(suspension.why);
    data["asked"] = json!(suspension.asked);
    data["days"] = json!((cx.now - suspension.asked).num_days());
    data
}

/// Tells those who take part that clocks stand still; what information is wanted is for them and the applicant.
pub(super) fn suspension_told(file: &File, of: &Suspension, stage: &Stage, cx: &At) -> Notice {
    let to = Audience::Parties(involved(file, stage, cx));
    Notice::new("suspended", to, "accreditation/suspended-told", suspension(file, of, cx))
}

fn involved(file: &File, stage: &Stage, cx: &At) -> Vec<Party> {
    if orders::committee_knows(stage) {
        region_and_committee(file, cx)
    } else {
        officers_and_secretariat(file, cx)
    }
}

/// Clocks go on: to the applicant and to those who take part, and with the new end where one matters to them. The
/// region's members, who were not told that it rested, are asked for comments once more: whatever tells of their time
/// must be a mail that can be answered in confidence.
pub(super) fn lifted(file: &File, stage: &Stage, cx: &At) -> Vec<Notice> {
    let until = match stage {
        Stage::RegionalReview(timer) => vec![timer.due],
        Stage::Window(window) => vec![window.timer.due],
        _ => Vec::new(),
    };
    let mut data = facts(file, cx);
    data["until"] = json!(until);
    data["stage"] = json!(stage.name());
    let told = Audience::Parties(once(involved(file, stage, cx).into_iter()));
    let reviewed = matches!(stage, Stage::RegionalReview(_));
    let label = if reviewed { review::RESUMED } else { "lifted" };
    let told = Notice::new(label, told, "accreditation/lifted-told", data);
    let mut all = vec![progress(file, "lifted", None, cx), told];
    if let (Stage::RegionalReview(timer), Some(region)) = (stage, file.region) {
        all.push(review::reminder(file, region, timer.due, cx));
    }
    all
}

/// A decision in words.
pub(super) fn decided(decided: &Decided, cx: &At) -> Value {
    let file = &decided.file;
    let mut data = facts(file, cx);
    data["accredited"] = json!(decided.accredited);
    data["route"] = json!(decided.route);
    data["at"] = json!(decided.at);
    data["advice"] = json!(file.view());
    data["ballot"] = json!(decided.ballot.iter().map(ToString::to_string).collect::<Vec<_>>());
    data["citation"] = json!(cx.policy.review_citation);
    data
}

/// Welcomes the new structure: what it has told us, and what it will get.
pub(super) fn welcome(decided: &Decided, organisation: OrganisationId, cx: &At) -> Notice {
    let file = &decided.file;
    let mut data = facts(file, cx);
    let wanted = ["contact", "updates", "languages", "web", "representatives"];
    let fields: Vec<Value> = application::form()
        .fields
        .iter()
        .filter(|field| wanted.contains(&field.id.as_str()))
        .filter_map(|field| {
            let value = file.answer(&field.id)?;
            let value: Texts = Language::ALL.map(|l| (l, form::shown(field, value, l))).into();
            Some(json!({ "label": field.label, "value": value }))
        })
        .collect();
    data["answers"] = json!(fields);
    data["organisation"] = json!(Party::Organisation(organisation));
    data["report"] = json!(decided.first_report.iter().collect::<Vec<_>>());
    data["no_page"] = json!(decided.page.is_some());
    Notice::new("welcome", Party::Organisation(organisation), "accreditation/welcome", data)
        .asking(Asks::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_english_questions_are_those_of_the_rules_word_for_word() {
        let english = |texts: &Texts| filled(texts, "[name of applicant]")[&Language::En].clone();
        assert_eq!(english(&WORDINGS.question_a), "Does the ALAC wish to accredit [name of applicant]?");
        assert_eq!(
            english(&WORDINGS.question_b),
            "Shall the advice of the region in respect of accreditation of [name of applicant] be overturned?"
        );
    }

    #[test]
    fn a_mail_to_deputies_says_the_days_as_they_are_by_now() {
        let stored = include_str!("../../../tests/it/golden/states/accreditation/advice-due.json");
        let Ok(super::super::Accreditation::Running(running)) = serde_json::from_str(stored) else {
            panic!("a running application")
        };
        let Stage::AdviceDue(AdviceDue { timer, .. }) = &running.stage else { panic!("advice is due") };
        let (register, policy, acts) = Default::default();
        let now = running.file.received;
        let cx = At { case: CaseId(7), now, policy: &policy, acts: &acts, register: &register };
        let mut data =
            json!({ "clock_due": "long ago", "due": "long ago", "comments": 3, "_deputy_for": ["p1"] });
        refresh(&running, &mut data, &cx);
        let clock_due = running.file.clock(now).due;
        let expected =
            json!({ "clock_due": clock_due, "due": timer.due, "comments": 3, "_deputy_for": ["p1"] });
        assert_eq!(data, expected);
    }

    #[test]
    fn every_wording_is_there_in_every_language() {
        let w = &*WORDINGS;
        for texts in [&w.question_a, &w.question_b, &w.accredited, &w.refused, &w.title, &w.page_about] {
            for language in Language::ALL {
                assert!(texts[&language].contains("{name}"), "{language}");
            }
        }
        for texts in [&w.overturned, &w.upheld] {
            assert_eq!(texts.len(), 7);
        }
    }
}
