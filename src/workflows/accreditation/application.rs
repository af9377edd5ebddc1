//! Step 1: the form is sent and filled in; complete, it becomes an application with a number, and the 90 days run.

use super::{
    Accreditation, At, Diligence, Drafting, File, Running, Stage, Timer, Why, Withdrawn, days, diligence,
    mails,
};
use crate::kernel::documents::{Document, Folder};
use crate::kernel::form::{Draft, Form, FormTalk, Mode, Outcome, Value as Answer};
use crate::kernel::ids::Party;
use crate::kernel::ladder::Ladder;
use crate::kernel::language::Language;
use crate::kernel::regions;
use crate::kernel::said::Command;
use crate::kernel::workflow::{Effect, Input, Opening, Order, Refusal, Reply, Step};
use crate::workflows::forms;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::LazyLock;

static FORM: LazyLock<Form> = LazyLock::new(|| {
    Form::parse(include_str!("../../../templates/_forms/application.toml")).expect("a test holds the form")
});

/// The label of the mails that ask.
pub(super) const LABEL: &str = "form";
/// The label of the receipt of a complete form.
pub(super) const RECEIPT: &str = "receipt:form";
/// Statements without which nothing is complete (A.1): that the leadership knows, and the certification.
const ATTESTED: [&str; 2] = ["leaders-know", "certifies"];

/// The form of an application.
pub(super) fn form() -> &'static Form {
    &FORM
}

/// The applicant's name as the form has it, on one line.
pub(super) fn name(talk: &FormTalk) -> String {
    match talk.draft.value("name") {
        Some(Answer::Text(name)) => name.split_whitespace().collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

/// An application as a mail, or staff, ask for its form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Who fills it in: "p17", or "s9" for somebody who wrote to us.
    from: Party,
    #[serde(default = "english")]
    language: Language,
    /// Where it was earlier than this order.
    first_contact: Option<DateTime<Utc>>,
    /// What came with the mail that asks.
    #[serde(default)]
    documents: Vec<Document>,
}

fn english() -> Language {
    Language::En
}

/// Sends the form.
pub(super) fn open(opening: &Opening, cx: &At) -> Result<Step<Accreditation>, Refusal> {
    let unreadable = |why: String| Refusal::new("accreditation/unreadable", json!({ "why": why }));
    let asked: Asked =
        serde_json::from_value(opening.body.clone()).map_err(|error| unreadable(error.to_string()))?;
    let known = matches!(asked.from, Party::Stranger(_)) || cx.register.speaker(asked.from).is_some();
    if !known {
        return Err(unreadable(format!("{} is nobody in the register", asked.from)));
    }
    let talk = FormTalk::new(form(), asked.language, Draft::default()).asked(cx.now);
    let mut rungs: Vec<DateTime<Utc>> =
        cx.policy.draft_reminder_days.iter().map(|n| cx.now + days(*n)).collect();
    rungs.sort_unstable();
    let lapses = cx.now + days(cx.policy.draft_days);
    let before: Vec<_> = rungs.iter().map(|rung| lapses - *rung).collect();
    let ask = forms::ask(form(), &talk, LABEL, asked.from);
    let first_contact = asked.first_contact.unwrap_or(opening.arrived).min(opening.arrived);
    let reminders = Ladder::before(lapses, &before, cx.now);
    let mut documents = Folder::default();
    documents.take(&asked.documents, opening.arrived);
    let drafting = Drafting { applicant: asked.from, talk, first_contact, reminders, lapses, documents };
    Ok(Step::to(Accreditation::Drafting(drafting)).tell(ask))
}

pub(super) fn step(mut drafting: Drafting, input: &Input, cx: &At) -> Result<Step<Accreditation>, Refusal> {
    match input {
        Input::Reply(reply) => replied(drafting, reply, cx),
        Input::Order(order) => ordered(&drafting, order, cx),
        Input::Wake if drafting.lapses <= cx.now => Ok(end(&drafting, Why::Lapsed, cx.now, cx)),
        Input::Wake if drafting.reminders.climb(cx.now) => {
            drafting.talk = drafting.talk.reminded();
            let again = forms::ask(form(), &drafting.talk, LABEL, drafting.applicant);
            let cancel = Effect::Cancel(LABEL.to_owned());
            Ok(Step::to(Accreditation::Drafting(drafting)).with(cancel).tell(again))
        }
        _ => Ok(Step::to(Accreditation::Drafting(drafting))),
    }
}

/// Whether a reply is the applicant's: from her, or to a mail of hers by who speaks for her.
pub(super) fn is_from(applicant: Party, reply: &Reply, cx: &At) -> bool {
    let speaks = cx.register.speaker(applicant).map(|person| Party::Person(person.id));
    reply.from == applicant || speaks == Some(reply.from)
}

fn replied(drafting: Drafting, reply: &Reply, cx: &At) -> Result<Step<Accreditation>, Refusal> {
    if !is_from(drafting.applicant, reply, cx) {
        return Err(mails::not_done(&name(&drafting.talk), "not-yours"));
    }
    if reply.said.has(&Command::Withdraw) {
        return Ok(end(&drafting, Why::Withdrawn, reply.arrived, cx));
    }
    let turn = forms::answer(form(), &drafting.talk, reply, LABEL, cx.now);
    let complete = matches!(turn.outcome, Outcome::Complete { .. });
    let mut drafting = Drafting { talk: turn.talk, ..drafting };
    drafting.documents.take(&super::documents::own(reply), reply.arrived);
    let cancel = Effect::Cancel(LABEL.to_owned());
    if !complete {
        return Ok(Step::to(Accreditation::Drafting(drafting)).with(cancel).tell(turn.notice));
    }
    let open = unattested(&drafting.talk);
    if !open.is_empty() {
        let ask = mails::attest(&drafting, &open);
        drafting.talk.mode = Mode::Missing(open.iter().map(|id| (*id).to_owned()).collect());
        return Ok(Step::to(Accreditation::Drafting(drafting)).with(cancel).tell(ask));
    }
    Ok(received(drafting, reply.arrived, vec![cancel, Effect::Tell(turn.notice)], cx))
}

/// The statements that were answered with NO.
pub(super) fn unattested(talk: &FormTalk) -> Vec<&'static str> {
    let said = |id: &&str| talk.draft.value(id) == Some(&Answer::YesNo(true));
    ATTESTED.into_iter().filter(|id| !said(id)).collect()
}

fn ordered(drafting: &Drafting, order: &Order, cx: &At) -> Result<Step<Accreditation>, Refusal> {
    if !super::orders::is_staff(order.by, order.at, cx) {
        return Err(mails::not_done("", "order"));
    }
    match order.verb.as_str() {
        "withdraw" => Ok(end(drafting, Why::Closed, order.at, cx)),
        verb => Err(mails::no_such_order(verb, "drafting")),
    }
}

/// A form that becomes nothing.
fn end(drafting: &Drafting, why: Why, at: DateTime<Utc>, cx: &At) -> Step<Accreditation> {
    let name = name(&drafting.talk);
    let tell = mails::withdrawn(drafting.applicant, &name, why, cx.case);
    let withdrawn = Withdrawn { applicant: drafting.applicant, name, at, why };
    let step = Step::to(Accreditation::Withdrawn(withdrawn)).with(Effect::Cancel(LABEL.to_owned()));
    step.with(Effect::Shred).tell(tell)
}

/// A complete application: the clock starts with the arrival of the submission that completed it.
fn received(
    drafting: Drafting,
    arrived: DateTime<Utc>,
    mut out: Vec<Effect>,
    cx: &At,
) -> Step<Accreditation> {
    let region = match drafting.talk.draft.value("country") {
        Some(Answer::Country(country)) => regions::region_of(*country),
        _ => None,
    };
    let file = File {
        applicant: drafting.applicant,
        talk: drafting.talk,
        region,
        first_contact: drafting.first_contact,
        received: arrived,
        warnings: cx.policy.warn_days_left.clone(),
        suspensions: Vec::new(),
        frozen: None,
        alert_at: None,
        wanted: Vec::new(),
        requests: Vec::new(),
        pending: Vec::new(),
        asked: 0,
        questions: 0,
        comments: 0,
        diligence: Diligence { version: cx.policy.criteria_version, ..Diligence::default() },
        advice: Vec::new(),
        released: false,
        withheld: BTreeSet::new(),
        address: 0,
        documents: drafting.documents,
    };
    let due = arrived + days(cx.policy.diligence_days);
    let stage = Stage::DueDiligence(Timer::new(due, &[], cx.now));
    out.push(Effect::Tell(mails::received(&file, cx)));
    out.push(Effect::Task(diligence::task(&file, due, cx)));
    let all = file.documents.filed().iter().map(|filed| filed.number).collect::<Vec<_>>();
    out.extend(super::documents::arrived(&file, &all, cx));
    Step { state: Accreditation::Running(Box::new(Running { file, stage })), effects: out }
}

/// Whether a reply of the applicant's corrects the form: while staff examine it, and nothing else is waited for.
pub(super) fn corrects(running: &Running, label: &str) -> bool {
    let of_form = label == LABEL || label == RECEIPT;
    of_form && matches!(running.stage, Stage::DueDiligence(_)) && !running.file.suspended()
}

/// A correction of the form by its applicant.
pub(super) fn corrected(running: &mut Running, reply: &Reply, out: &mut Vec<Effect>, cx: &At) {
    let turn = forms::answer(form(), &running.file.talk, reply, LABEL, cx.now);
    let mut talk = turn.talk;
    let complete = talk.lacks(form()).is_empty() && unattested(&talk).is_empty();
    // What is complete stays so: a correction that takes something away is asked back, and does not count.
    if !complete {
        talk.draft = running.file.talk.draft.clone();
    }
    if let Some(Answer::Country(country)) = talk.draft.value("country")
        && talk.draft.value("country") != running.file.answer("country")
    {
        running.file.region = regions::region_of(*country);
    }
    running.file.talk = talk;
    out.push(Effect::Tell(turn.notice));
    super::documents::take(&mut running.file, reply, out, cx);
}
