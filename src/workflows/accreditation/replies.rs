//! What people write about a running application, and who may: the applicant, staff, the Secretariat, members of the
//! committee. A plain reply to an invitation is nobody's comment: it is refused, and not a word of it is kept.

use super::diligence::LABEL as DILIGENCE;
use super::suspension::{By, Needed};
use super::{
    Accreditation, At, File, Ground, Next, Pending, Running, Stage, Suspension, Unsure, Why, advice,
    application, conclude, deciding, diligence, mails, orders, review, suspension,
};
use crate::kernel::assurance::Act as Need;
use crate::kernel::choice::Choice;
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::Role;
use crate::kernel::said::{Command, Problem};
use crate::kernel::workflow::{
    Asks, Audience, Deputies, Effect, Input, Notice, Refusal, Reply, Step, Task, Undelivered,
};
use crate::letters::acts::{self, Act};
use serde_json::json;
use std::collections::BTreeSet;

/// What the applicant wrote, handed on.
const INFORMATION: &str = "information";
/// Staff must reach the applicant in another way.
pub(super) const UNREACHABLE: &str = "unreachable";

impl Running {
    pub(super) fn step(mut self, input: &Input, cx: &At) -> Result<Step<Accreditation>, Refusal> {
        let mut out = Vec::new();
        let mut next = Next::Stay;
        match input {
            Input::Reply(reply) => next = self.reply(reply, &mut out, cx)?,
            Input::Order(order) if order.verb == "reached" => {
                orders::staff_alone(order, cx)?;
                out.push(Effect::Cancel(UNREACHABLE.to_owned()));
            }
            Input::Order(order) => return orders::order(self, order, cx),
            Input::Note(note) => next = deciding::note(&mut self, note, &mut out, cx),
            Input::Sent { label, to, at, .. } => {
                suspension::told(&mut self.file, label, *at);
                deciding::told(&mut self, label, *to, Some(*at), &mut out, cx);
            }
            Input::Undelivered(bounce) if bounce.permanent => self.bounced(bounce, &mut out, cx),
            Input::Wake => next = self.wake(&mut out, cx),
            Input::Comment(comment) => review::comment(&mut self, comment, &mut out)?,
            Input::Undelivered(_) | Input::Progress { .. } | Input::Reading(_) => {}
        }
        Ok(conclude(self, next, out, cx))
    }

    /// A clock strikes; which ones is seen here, so that an early or a second strike is harmless.
    fn wake(&mut self, out: &mut Vec<Effect>, cx: &At) -> Next {
        if self.file.suspended() {
            return suspension::alert(&mut self.file, out, cx);
        }
        warn(&mut self.file, &self.stage, out, cx);
        match &mut self.stage {
            Stage::DueDiligence(timer) => diligence::wake(&self.file, timer, out, cx),
            Stage::RegionalReview(_) => review::wake(self, out, cx),
            Stage::AdviceDue(wait) => advice::wake(&self.file, wait, out, cx),
            Stage::Window(_) => return deciding::wake(self, out, cx),
            Stage::Held { .. } => deciding::held(self, out, cx),
            Stage::Voting(_) => deciding::silent_ballot(self, out, cx),
            Stage::Telling(_) => {}
        }
        Next::Stay
    }

    fn reply(&mut self, reply: &Reply, out: &mut Vec<Effect>, cx: &At) -> Result<Next, Refusal> {
        let label = reply.answers.as_ref().map_or("", |answers| answers.label.as_str());
        if let Some(number) = label.strip_prefix("confirm:") {
            return confirmed(self, number.parse().unwrap_or(0), reply, out, cx);
        }
        if application::is_from(self.file.applicant, reply, cx) && to_applicant(label) {
            return applicant(self, label, reply, out, cx);
        }
        let Party::Person(person) = reply.from else { return Err(orders::not_entitled("reply")) };
        if to_applicant(label) && reply.answers.as_ref().is_some_and(|a| a.to == self.file.applicant) {
            return Err(mails::not_done(&self.file.name(), "not-yours"));
        }
        if !reply.said.has(&Command::Suspend) && wants_vote(&reply.said.text) {
            deciding::reply(self, person, reply, out, cx)?;
            return Ok(Next::Stay);
        }
        // Others relied on a request: it stays, and its author is told.
        let requested = self.file.requests.iter().any(|request| request.by == person);
        if requested && reply.said.has(&Command::Withdraw) {
            return Err(mails::not_done(&self.file.name(), "vote-stays"));
        }
        if !cx.acts.allows(Need::Task, reply.assurance) {
            let refusal = Refusal::new("accreditation/unsure", json!({ "applicant": self.file.name() }));
            return Err(refusal.asking(Asks::Text));
        }
        officials(self, person, label, reply, out, cx)?;
        Ok(Next::Stay)
    }

    /// What the applicant was sent comes back: another address is tried, then staff are asked. Advice that a member
    /// cannot be given does not keep the others waiting.
    fn bounced(&mut self, bounce: &Undelivered, out: &mut Vec<Effect>, cx: &At) {
        deciding::told(self, &bounce.label, bounce.to, None, out, cx);
        let file = &mut self.file;
        if bounce.to != file.applicant || !to_applicant(&bounce.label) || bounce.address != file.address {
            return;
        }
        let next = file.address.saturating_add(1);
        if usize::from(next) < file.addresses(cx.register) {
            file.address = next;
            out.extend(suspension::again(file, &bounce.label, cx).map(Effect::Tell));
            return;
        }
        out.push(Effect::Cancel(UNREACHABLE.to_owned()));
        out.push(Effect::Task(unreachable(file, "running", cx)));
    }
}

/// The mail by which staff are asked to reach the applicant.
pub(super) fn unreachable(file: &File, about: &str, cx: &At) -> Task {
    let mut data = mails::facts(file, cx);
    data["about"] = json!(about);
    let staff = Audience::Role(Role::Staff, None);
    let notice = Notice::new(UNREACHABLE, staff, "accreditation/unreachable", data).asking(Asks::Text);
    Task { notice, due: None, deputies: Deputies::Usual }
}

/// Whether a mail of this label goes to the applicant.
pub(super) fn to_applicant(label: &str) -> bool {
    let kind = label.split(':').next().unwrap_or_default();
    matches!(kind, "form" | "receipt" | "received" | "question" | "suspension" | "progress")
}

/// Whether a line of a mail asks for a vote.
fn wants_vote(text: &str) -> bool {
    acts::lines(text).0.iter().any(|line| line.act == Act::RequestVote && line.item.is_none())
}

/// What the applicant writes: his wishes, corrections, and information.
fn applicant(
    running: &mut Running,
    label: &str,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<Next, Refusal> {
    let applicant = running.file.applicant;
    let sure = |need| cx.acts.allows(need, reply.assurance);
    if reply.said.has(&Command::Withdraw) {
        suspension::in_time(running, reply.arrived, cx)?;
        if sure(Need::Vote) {
            return Ok(Next::Withdraw(Why::Withdrawn, reply.arrived));
        }
        ask_back(running, Unsure::Withdrawal, reply, out, cx);
        return Ok(Next::Stay);
    }
    let wishes = reply.said.has(&Command::Suspend) || reply.said.has(&Command::Resume);
    if wishes && !sure(Need::Report) {
        let refusal = Refusal::new("accreditation/unsure", json!({ "applicant": running.file.name() }));
        return Err(refusal.asking(Asks::Text));
    }
    if reply.said.has(&Command::Suspend) {
        let by = By { who: applicant, entered_by: None, at: reply.arrived };
        suspension::by_applicant(running, by, out, cx)?;
    } else if reply.said.has(&Command::Resume) {
        suspension::resume(running, reply.arrived, out, cx)?;
    } else if application::corrects(running, label) {
        application::corrected(running, reply, out, cx);
    } else {
        information(running, label, reply, out, cx)?;
    }
    Ok(Next::Stay)
}

/// Information of the applicant's: handed on as it is, and kept nowhere here. What waited for it goes on.
fn information(
    running: &mut Running,
    label: &str,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let wordless = reply.said.text.trim().is_empty() && super::documents::own(reply).is_empty();
    if wordless || !cx.acts.allows(Need::Comment, reply.assurance) {
        let refusal = mails::not_done(&running.file.name(), "empty");
        return Err(refusal.asking(Asks::Text));
    }
    let number = suspension::waits_for_information(&running.file, label);
    // What comes in a second mail ends nothing any more, and goes to those who asked all the same.
    let about = number.or(suspension::number(label));
    let asked = running.file.suspensions.iter().find(|one| Some(one.number) == about);
    let mut readers: BTreeSet<Party> = mails::staff(cx).into_iter().collect();
    readers.extend(asked.map(|asked| wanting(&running.file, asked, cx)).unwrap_or_default());
    let readers = Audience::Parties(readers.into_iter().collect());
    handed_on(&running.file, reply, readers, number.is_some(), out, cx);
    super::documents::take(&mut running.file, reply, out, cx);
    if let Some(number) = number {
        suspension::lift(running, number, reply.arrived, out, cx);
    }
    Ok(())
}

/// Who waits for information, as of now: whoever has left her office since does not get it any more, and who holds it
/// does. Where no member who asked still sits, the Chair gets it.
fn wanting(file: &File, suspension: &Suspension, cx: &At) -> Vec<Party> {
    match suspension.ground {
        Ground::Applicant => Vec::new(),
        Ground::Secretariat => mails::secretariat(file, cx),
        Ground::Alac => {
            let sits =
                |party: &&Party| matches!(party, Party::Person(one) if deciding::sits(*one, cx.now, cx));
            let sitting: Vec<Party> = suspension.by.iter().filter(sits).copied().collect();
            if sitting.is_empty() { mails::officers(cx) } else { sitting }
        }
    }
}

/// Passes somebody's words on as they are, and thanks for them.
pub(super) fn handed_on(
    file: &File,
    reply: &Reply,
    readers: Audience,
    lifts: bool,
    out: &mut Vec<Effect>,
    cx: &At,
) {
    let mut data = mails::facts(file, cx);
    data["text"] = json!(reply.said.text);
    data["lifts"] = json!(lifts);
    let told = Notice::new(INFORMATION, readers, "accreditation/information", data).asking(Asks::Text);
    out.push(Effect::Tell(told));
    let thanks = mails::progress(file, "information", Some(reply.arrived), cx);
    let ours = reply.from == file.applicant;
    let thanks = if ours { thanks } else { Notice { to: reply.from.into(), address: 0, ..thanks } };
    out.push(Effect::Tell(thanks));
}

/// What staff, the Secretariat and members write, vouched for.
fn officials(
    running: &mut Running,
    person: PersonId,
    label: &str,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let at = reply.arrived;
    let secretariat = orders::is_secretariat(person, running.file.region, at, cx);
    if reply.said.has(&Command::Suspend) {
        let by = By { who: reply.from, entered_by: None, at };
        let needed = Needed::of(&reply.said.text);
        return if secretariat {
            suspension::by_secretariat(running, by, needed, out, cx)
        } else if deciding::sits(person, at, cx) {
            suspension::by_member(running, person, by, needed, out, cx)
        } else {
            Err(orders::not_entitled("suspend"))
        };
    }
    let staff = orders::is_staff(person, at, cx);
    let examines = matches!(running.stage, Stage::DueDiligence(_));
    if staff && (label == DILIGENCE || (label == INFORMATION && examines)) {
        return diligence::reply(running, person, reply, out, cx);
    }
    let said = advice::Said::of(&reply.said.text);
    if label == advice::LABEL || (!said.views.is_empty() && label != review::LABEL) {
        if !secretariat {
            return Err(orders::not_entitled("advice"));
        }
        let adviser = advice::Adviser { by: person, entered_by: None };
        advice::take(running, &adviser, &said, at, out, cx)?;
        out.push(Effect::Tell(advice::thanks(&running.file, reply.from, cx)));
        return Ok(());
    }
    match label {
        advice::OVERDUE | deciding::STUCK if orders::is_officer(person, at, cx) => {
            decided(running, label, person, reply, out, cx)
        }
        UNREACHABLE if staff => {
            out.push(Effect::Cancel(UNREACHABLE.to_owned()));
            Ok(())
        }
        // Not one word of it goes further than this.
        review::LABEL => {
            Err(Refusal::new("accreditation/comment-plain", json!({ "applicant": running.file.name() })))
        }
        _ => Err(mails::not_done(&running.file.name(), "nothing-to-do").asking(Asks::Text)),
    }
}

/// YES or NO to a task of staff and the Chair.
fn decided(
    running: &mut Running,
    label: &str,
    person: PersonId,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    match (reply.said.problem, reply.said.choice) {
        (Problem::None, Some(Choice::Yes)) if label == advice::OVERDUE => {
            advice::lapse(running, person, reply.arrived, out, cx)
        }
        (Problem::None, Some(Choice::Yes)) => deciding::vote_again(running, out, cx),
        // Nothing is done, and one is reminded.
        (Problem::None, Some(Choice::No)) => {
            out.push(Effect::Tell(mails::kept(&running.file, reply.from)));
            Ok(())
        }
        _ => {
            let refusal = Refusal::new("accreditation/decision-unclear", mails::facts(&running.file, cx));
            Err(refusal.asking(Asks::Decision))
        }
    }
}

/// Asks the address on file whether something was written there; it keeps its arrival.
pub(super) fn ask_back(running: &mut Running, what: Unsure, reply: &Reply, out: &mut Vec<Effect>, cx: &At) {
    let file = &mut running.file;
    if file.pending.iter().any(|pending| pending.what == what) {
        return;
    }
    file.asked += 1;
    let (to, act) = match what {
        Unsure::Withdrawal => (file.applicant, "withdraw"),
        Unsure::VoteRequest(person) => (Party::Person(person), "request-vote"),
    };
    let pending = Pending { number: file.asked, what, arrived: reply.arrived };
    let mut data = mails::facts(file, cx);
    data["act"] = json!(act);
    let label = format!("confirm:{}", pending.number);
    out.push(Effect::Tell(Notice::new(&label, to, "accreditation/confirm", data).asking(Asks::Confirm)));
    file.pending.push(pending);
}

/// The answer to "was that yours?".
fn confirmed(
    running: &mut Running,
    number: u32,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<Next, Refusal> {
    let over = || mails::not_done(&running.file.name(), "task-over");
    let Some(at) = running.file.pending.iter().position(|pending| pending.number == number) else {
        return Err(over());
    };
    let Pending { what, arrived, .. } = running.file.pending[at].clone();
    let whose = match what {
        Unsure::Withdrawal => application::is_from(running.file.applicant, reply, cx),
        Unsure::VoteRequest(person) => reply.from == Party::Person(person),
    };
    if !whose || !reply.assurance.confirmed {
        return Err(over());
    }
    let choice = reply.said.choice.filter(|_| reply.said.problem == Problem::None);
    let agrees = reply.said.has(&Command::Confirm) || choice == Some(Choice::Yes);
    let declines = reply.said.has(&Command::Decline) || choice == Some(Choice::No);
    if agrees == declines {
        let mut data = mails::facts(&running.file, cx);
        data["act"] = json!(match what {
            Unsure::Withdrawal => "withdraw",
            Unsure::VoteRequest(_) => "request-vote",
        });
        return Err(Refusal::new("accreditation/confirm", data).asking(Asks::Confirm));
    }
    running.file.pending.remove(at);
    if let Stage::Window(window) = &mut running.stage {
        window.waiting = window.waiting.map(|_| window.timer.due);
    }
    match what {
        _ if declines => {
            out.push(Effect::Tell(mails::kept(&running.file, reply.from)));
        }
        Unsure::Withdrawal => return Ok(Next::Withdraw(Why::Withdrawn, arrived)),
        Unsure::VoteRequest(by) => {
            deciding::may_request(running, by, arrived, cx)?;
            let request = super::Request { by, at: arrived, entered_by: None };
            deciding::request(running, request, out, cx);
        }
    }
    Ok(Next::Stay)
}

/// Warns of the end of the 90 days, once for each mark. Passing it decides nothing.
fn warn(file: &mut File, stage: &Stage, out: &mut Vec<Effect>, cx: &At) {
    let clock = file.clock(cx.now);
    let before = file.warnings.len();
    file.warnings.retain(|left| clock.due - super::days(*left) > cx.now);
    if file.warnings.len() == before {
        return;
    }
    let mut data = mails::facts(file, cx);
    data["stage"] = json!(stage.name());
    data["left"] = json!(clock.left.max(0));
    data["over"] = json!(clock.left <= 0);
    let to = Audience::Parties(mails::officers(cx));
    out.push(Effect::Tell(Notice::new("clock", to, "accreditation/clock-warning", data)));
}
