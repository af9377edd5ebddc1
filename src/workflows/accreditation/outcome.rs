//! Step 6: the decision with its route, the notice that ends the 90 days, the place in the register, the end of what
//! was confidential; and a request to have the decision reviewed.

use super::{
    Accreditation, At, Decided, File, Page, Route, Running, Stage, Why, Withdrawn, application, documents,
    mails, orders, page, release,
};
use crate::kernel::assurance::Act as Need;
use crate::kernel::form::Value as Answer;
use crate::kernel::ids::{CaseId, OrganisationId, Party, PersonId};
use crate::kernel::people::{Organisation, OrganisationKind, Person, Role, RoleHeld};
use crate::kernel::register::{Change, Register};
use crate::kernel::wheel::Slot;
use crate::kernel::workflow::{Asks, Audience, Effect, Input, Notice, Order, Refusal, Reply, Step, Task};
use crate::letters::acts::{self, Act};
use crate::workflows::ballot::ParentSays;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::json;

const LABEL: &str = "decision";
const REVIEW: &str = "review";
/// Answers that are forgotten once it is decided (ambiguity 67 and the form's own word).
const UNTIL_DECIDED: [&str; 1] = ["references"];

/// What was decided, how and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    pub accredited: bool,
    pub route: Route,
    pub at: DateTime<Utc>,
    pub ballot: Option<CaseId>,
}

/// Nothing of what was asked is asked any more.
fn asked_no_more(file: &File) -> impl Iterator<Item = Effect> {
    let fixed = [
        "diligence",
        "information",
        "invitation",
        "dossier",
        "advice",
        "advice-overdue",
        "window-reminder",
        "held",
        "held-task",
        "vote-stuck",
        "unreachable",
        "wanted",
        "alert",
    ];
    let numbered = [("window", file.advice.len()), ("suspension", file.suspensions.len())];
    let numbered = numbered
        .into_iter()
        .flat_map(|(kind, last)| (1..=last).map(move |n| format!("{kind}:{n}")))
        .chain(file.pending.iter().map(|pending| format!("confirm:{}", pending.number)))
        .chain((1..=file.questions).map(|n| format!("question:{n}")));
    fixed.into_iter().map(str::to_owned).chain(numbered).map(Effect::Cancel).collect::<Vec<_>>().into_iter()
}

/// Decides: everybody concerned is told, comments are destroyed, staff are asked to release the record.
pub(super) fn decide(
    running: Running,
    decision: &Decision,
    mut out: Vec<Effect>,
    cx: &At,
) -> Step<Accreditation> {
    let Running { mut file, .. } = running;
    out.extend(asked_no_more(&file));
    // Step 5 is over: nobody reads a comment any more.
    out.push(Effect::Shred);
    for id in UNTIL_DECIDED {
        file.talk.draft.forget(id);
    }
    documents::concluded(&mut file, decision.at);
    let Decision { accredited, route, at, ballot } = *decision;
    let changes = if accredited { admitted(&file, at, cx.register) } else { Vec::new() };
    let organisation = changes.iter().find_map(|change| match change {
        Change::Organisation(organisation) => Some(organisation.id),
        _ => None,
    });
    let report = first_report(&changes, at);
    out.extend(changes.into_iter().map(Effect::Register));
    let page = Some(Page::default()).filter(|_| organisation.is_some() && page::wanting(&file));
    let decided = Decided {
        file,
        accredited,
        route,
        at,
        ballot,
        notified: None,
        review: None,
        organisation,
        versions: Vec::new(),
        first_report: report,
        page,
    };
    out.push(Effect::Tell(notice(&decided, cx)));
    let told = Audience::Parties(mails::region_and_committee(&decided.file, cx));
    let class = crate::kernel::workflow::Class::Public;
    let decided_notice = Notice::new("decided", told, "accreditation/decided", mails::decided(&decided, cx));
    out.push(Effect::Tell(Notice { class, ..decided_notice }));
    if let Some(organisation) = organisation {
        out.push(Effect::Tell(mails::welcome(&decided, organisation, cx)));
    }
    out.push(release::ask(&decided, "", cx));
    if let (Some(organisation), Some(_)) = (organisation, &decided.page) {
        out.push(page::ask(&decided, organisation, cx));
    }
    Step { state: Accreditation::Decided(Box::new(decided)), effects: out }
}

/// The notice to the applicant. A refusal always says how to ask for a review.
fn notice(decided: &Decided, cx: &At) -> Notice {
    let template = if decided.accredited { "accreditation/accredited" } else { "accreditation/refused" };
    let notice = Notice::new(LABEL, decided.file.applicant, template, mails::decided(decided, cx));
    let notice = decided.file.addressed(notice.asking(Asks::Text));
    Notice { report_sent: true, ..notice }
}

/// The new structure and its representatives as they enter the register: whoever is known stays who she is.
fn admitted(file: &File, at: DateTime<Utc>, register: &Register) -> Vec<Change> {
    let (Some(region), Some(Answer::Country(country))) = (file.region, file.answer("country")) else {
        return Vec::new();
    };
    let Some(Answer::People(named)) = file.answer("representatives") else { return Vec::new() };
    let last = register.organisations().map(|o| o.id.0).max().unwrap_or(0);
    let id = OrganisationId(last.saturating_add(1));
    let mut next = register.people().map(|p| p.id.0).max().unwrap_or(0);
    let mut people: Vec<Person> = Vec::new();
    for one in named {
        let Some(email) = &one.email else { continue };
        if people.iter().any(|known| known.owns(email)) {
            continue;
        }
        let mut person = register.owner(email).cloned().unwrap_or_else(|| {
            next = next.saturating_add(1);
            Person {
                id: PersonId(next),
                name: one.name.clone(),
                language: file.talk.language,
                zone: chrono_tz::UTC,
                addresses: vec![email.clone()],
                roles: Vec::new(),
            }
        });
        let role = Role::AlsRepresentative;
        person.roles.push(RoleHeld {
            role,
            region: Some(region),
            organisation: Some(id),
            from: at,
            until: None,
        });
        if people.iter().all(|known| known.id != person.id) {
            people.push(person);
        }
    }
    let representatives: Vec<PersonId> = people.iter().map(|person| person.id).collect();
    let organisation = Organisation {
        id,
        name: file.name(),
        country: country.code().to_owned(),
        region,
        kind: OrganisationKind::Als,
        report: Some(Slot::free(register, region, at)),
        prime: representatives.first().copied(),
        until: None,
        representatives,
    };
    people.into_iter().map(Change::Person).chain([Change::Organisation(organisation)]).collect()
}

/// When the first report of a structure that enters the register is due.
fn first_report(changes: &[Change], at: DateTime<Utc>) -> Option<NaiveDate> {
    changes.iter().find_map(|change| match change {
        Change::Organisation(organisation) => organisation.report.map(|slot| slot.next(at)),
        _ => None,
    })
}

/// The end of an application that will not be decided.
pub(super) fn withdraw(
    running: &Running,
    why: Why,
    at: DateTime<Utc>,
    mut out: Vec<Effect>,
    cx: &At,
) -> Step<Accreditation> {
    let Running { file, stage } = running;
    out.extend(asked_no_more(file));
    out.push(Effect::Shred);
    // A vote on it stands still until two of the staff or the Chair have annulled it.
    super::deciding::tell_ballot(stage, ParentSays::Freeze, &mut out);
    let name = file.name();
    out.push(Effect::Tell(file.addressed(mails::withdrawn(file.applicant, &name, why, cx.case))));
    let told =
        if orders::committee_knows(stage) { mails::region_and_committee(file, cx) } else { mails::staff(cx) };
    let mut data = mails::facts(file, cx);
    data["why"] = json!(why);
    data["ballot"] = match stage {
        Stage::Voting(voting) => json!(voting.ballot.iter().map(ToString::to_string).collect::<Vec<_>>()),
        _ => json!([]),
    };
    out.push(Effect::Tell(Notice::new(
        "ended",
        Audience::Parties(told),
        "accreditation/withdrawn-told",
        data,
    )));
    if file.released {
        out.push(Effect::Publish(super::record::withdrawn(file, cx)));
    }
    let withdrawn = Withdrawn { applicant: file.applicant, name, at, why };
    Step { state: Accreditation::Withdrawn(withdrawn), effects: out }
}

/// After the decision: the notice leaves or comes back, a review is asked for.
pub(super) fn step(
    mut decided: Box<Decided>,
    input: &Input,
    cx: &At,
) -> Result<Step<Accreditation>, Refusal> {
    let mut out = Vec::new();
    match input {
        Input::Sent { label, at, .. } if label == LABEL && decided.notified.is_none() => {
            decided.notified = Some(*at);
        }
        Input::Undelivered(bounce)
            if bounce.permanent && bounce.label == LABEL && bounce.address == decided.file.address =>
        {
            reopened(&mut decided, &mut out, cx);
        }
        Input::Reply(reply) => replied(&mut decided, reply, &mut out, cx)?,
        Input::Order(order) => ordered(&mut decided, order, &mut out, cx)?,
        _ => {}
    }
    Ok(Step { state: Accreditation::Decided(decided), effects: out })
}

/// The notice reached nobody: the next address is tried, then staff are asked. The 90 days go on.
fn reopened(decided: &mut Decided, out: &mut Vec<Effect>, cx: &At) {
    decided.notified = None;
    let next = decided.file.address.saturating_add(1);
    if usize::from(next) < decided.file.addresses(cx.register) {
        decided.file.address = next;
        out.push(Effect::Tell(notice(decided, cx)));
        return;
    }
    out.push(Effect::Task(super::replies::unreachable(&decided.file, "decision", cx)));
}

fn replied(decided: &mut Decided, reply: &Reply, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    let label = reply.answers.as_ref().map_or("", |answers| answers.label.as_str());
    let tasks = [super::replies::UNREACHABLE, REVIEW, release::LABEL, page::LABEL];
    if let Party::Person(by) = reply.from
        && tasks.contains(&label)
        && orders::is_staff(by, reply.arrived, cx)
    {
        return by_staff(decided, by, label, reply, out, cx);
    }
    if let Some(by) = spokesperson(decided, reply, cx) {
        return by_structure(decided, by, label, reply, out, cx);
    }
    let wants_review = acts::lines(&reply.said.text).0.iter().any(|line| line.act == Act::Review);
    let wants_vote = acts::lines(&reply.said.text).0.iter().any(|line| line.act == Act::RequestVote);
    if application::is_from(decided.file.applicant, reply, cx) && wants_review {
        review(decided, reply.arrived, out, cx);
        return Ok(());
    }
    let why = if wants_vote { "vote-late" } else { "decided-already" };
    Err(mails::not_done(&decided.file.name(), why).asking(Asks::Text))
}

/// A task of staff, done by reply.
fn by_staff(
    decided: &mut Decided,
    by: PersonId,
    label: &str,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    if !cx.acts.allows(Need::Task, reply.assurance) {
        return Err(unsure(decided));
    }
    match label {
        release::LABEL => return release::reply(decided, by, reply, out, cx),
        page::LABEL => return page::reply(decided, by, reply, out, cx),
        REVIEW => {}
        _ => decided.notified = decided.notified.or(Some(reply.arrived)),
    }
    out.push(Effect::Cancel(label.to_owned()));
    Ok(())
}

fn unsure(decided: &Decided) -> Refusal {
    let refusal = Refusal::new("accreditation/unsure", json!({ "applicant": decided.file.name() }));
    refusal.asking(Asks::Text)
}

/// The representative who answers a mail that was written to the new structure.
fn spokesperson(decided: &Decided, reply: &Reply, cx: &At) -> Option<PersonId> {
    let organisation = decided.organisation?;
    let Party::Person(by) = reply.from else { return None };
    let asked = reply.answers.as_ref().is_some_and(|one| one.to == Party::Organisation(organisation));
    let speaks = cx.register.organisation(organisation)?.representatives.contains(&by);
    (asked && speaks).then_some(by)
}

/// What a new structure writes: words for its page, or anything else, which goes to staff as it is.
fn by_structure(
    decided: &mut Decided,
    by: PersonId,
    label: &str,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    if !cx.acts.allows(Need::Report, reply.assurance) {
        return Err(unsure(decided));
    }
    if label == page::OWN {
        return page::propose(decided, by, reply, out, cx);
    }
    if reply.said.text.trim().is_empty() {
        return Err(mails::not_done(&decided.file.name(), "empty").asking(Asks::Text));
    }
    super::replies::handed_on(&decided.file, reply, Audience::Role(Role::Staff, None), false, out, cx);
    Ok(())
}

/// Dated, acknowledged, passed on; the clerk judges nothing (ambiguity 66).
fn review(decided: &mut Decided, at: DateTime<Utc>, out: &mut Vec<Effect>, cx: &At) {
    let first = decided.review.is_none();
    let at = *decided.review.get_or_insert(at);
    let thanks = mails::progress(&decided.file, "review-requested", Some(at), cx);
    out.push(Effect::Tell(thanks));
    if first {
        let to = Audience::Parties(mails::officers(cx));
        let mut data = mails::decided(decided, cx);
        data["asked"] = json!(at);
        let task = Notice::new(REVIEW, to, "accreditation/review-task", data).asking(Asks::Text);
        out.push(Effect::Task(Task::new(task, None)));
        // What is public says so once a person has released that; what is not yet, will.
        if !decided.versions.is_empty() {
            out.push(release::ask(decided, "review", cx));
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reached {
    /// When the applicant learned of it; the moment of the order where left out.
    at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Because {
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Withhold {
    /// The id of a question of the form.
    field: String,
    #[serde(default)]
    reason: String,
}

fn ordered(decided: &mut Decided, order: &Order, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    orders::staff_alone(order, cx)?;
    match order.verb.as_str() {
        "reached" => {
            let Reached { at } = orders::arguments(order)?;
            decided.notified = decided.notified.or(Some(at.unwrap_or(order.at).min(order.at)));
            out.push(Effect::Cancel(super::replies::UNREACHABLE.to_owned()));
        }
        "save" => documents::saved(&decided.file, order)?,
        "review" => review(decided, order.at, out, cx),
        "done" => out.push(Effect::Cancel(REVIEW.to_owned())),
        "release" => {
            let Because { reason } = orders::arguments(order)?;
            release::release(decided, order.by, order.at, &reason, out, cx)?;
        }
        "withhold" => {
            let Withhold { field, reason } = orders::arguments(order)?;
            release::withhold(decided, order.by, order.at, (&field, &reason), out, cx)?;
        }
        "page" => page::wanted(decided, out, cx)?,
        "publish-page" => page::release(decided, order.by, order.at, out, cx)?,
        "no-page" => page::refuse(decided, out),
        "suspend" => {
            return Err(mails::not_done(&decided.file.name(), "suspend-late"));
        }
        verb => return Err(mails::no_such_order(verb, "decided")),
    }
    Ok(())
}
