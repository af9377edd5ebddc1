//! What people write about a matter under way, and who may: the structure, those entitled to propose, staff.

use super::{
    At, Decertification, Next, Running, Stage, Why, conclude, deciding, hearing, investigation, mails,
};
use super::{orders, proposal, who};
use crate::kernel::assurance::Act as Need;
use crate::kernel::choice::Choice;
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::said::{Command, Problem};
use crate::kernel::workflow::{Asks, Effect, Input, Refusal, Reply, Step};
use crate::letters::acts::{self, Act};

impl Running {
    pub(super) fn step(mut self, input: &Input, cx: &At) -> Result<Step<Decertification>, Refusal> {
        let mut out = Vec::new();
        let mut next = Next::Stay;
        match input {
            Input::Reply(reply) => next = self.reply(reply, &mut out, cx)?,
            Input::Order(order) => return orders::order(self, order, cx),
            Input::Note(note) => next = deciding::note(&mut self, note, &mut out, cx),
            Input::Sent { label, to, .. } => hearing::sent(&mut self, label, *to, &mut out, cx),
            Input::Undelivered(bounce) if bounce.permanent => {
                hearing::bounced(&mut self, bounce, &mut out, cx);
            }
            Input::Wake => next = self.wake(&mut out, cx),
            Input::Undelivered(_) | Input::Progress { .. } | Input::Reading(_) | Input::Comment(_) => {}
        }
        Ok(conclude(self, &next, out, cx))
    }

    /// A clock strikes; which one is seen here, so that an early or a second strike is harmless. None decides.
    fn wake(&mut self, out: &mut Vec<Effect>, cx: &At) -> Next {
        match &self.stage {
            Stage::Anomaly { .. } => investigation::remind(self, out, cx),
            Stage::Investigation(_) => investigation::wake(self, out, cx),
            Stage::Investigated { until } if super::over(*until) <= cx.now => {
                return Next::Close(Why::NotProposed, *until);
            }
            Stage::LeaveAsked { until } if super::over(*until) <= cx.now => {
                return Next::Close(Why::Stays, *until);
            }
            Stage::Hearing { .. } | Stage::Heard { .. } => hearing::wake(self, out, cx),
            Stage::Voting(_) => deciding::silent_ballot(self, out, cx),
            Stage::Investigated { .. } | Stage::LeaveAsked { .. } | Stage::Proposed => {}
        }
        Next::Stay
    }

    fn reply(&mut self, reply: &Reply, out: &mut Vec<Effect>, cx: &At) -> Result<Next, Refusal> {
        let name = self.file.name.clone();
        let label = reply.answers.as_ref().map_or("", |answers| answers.label.as_str());
        let structure = who::structure(&self.file, cx).contains(&reply.from)
            || self.file.noticed_to.contains(&reply.from);
        if to_structure(label) {
            if !structure {
                return Err(mails::not_done(&name, "not-yours"));
            }
            return of_structure(self, label, reply, out, cx);
        }
        let Party::Person(person) = reply.from else { return Err(mails::not_done(&name, "reply")) };
        officials(self, person, label, reply, out, cx)
    }
}

/// Whether a mail of this label goes to the structure.
fn to_structure(label: &str) -> bool {
    let kind = label.split(':').next().unwrap_or_default();
    matches!(kind, "notice" | "reminder" | "responded" | "progress" | "question" | "confirm")
}

/// What the structure writes: that it leaves or does not, its answer, or an answer to a question of staff.
fn of_structure(
    running: &mut Running,
    label: &str,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<Next, Refusal> {
    let name = running.file.name.clone();
    if label == hearing::LEAVE {
        return confirmed(running, reply, out, cx);
    }
    let leaves = acts::lines(&reply.said.text).0.iter().any(|line| line.act == Act::Leave);
    let stays = reply.said.has(&Command::Withdraw);
    if stays && running.file.leaving.is_none() {
        return Err(mails::not_done(&name, "withdraw-not-yours").asking(Asks::Text));
    }
    if leaves || stays {
        if who::prime(&running.file, cx) != Some(reply.from) {
            return Err(mails::not_done(&name, "not-prime").asking(Asks::Text));
        }
        if !cx.acts.allows(Need::Decertification, reply.assurance) {
            return Err(mails::unsure(&name));
        }
    }
    match running.stage {
        _ if stays => stay(running, reply, out, cx),
        Stage::LeaveAsked { .. } => Err(mails::not_done(&name, "leave-asked")),
        Stage::Anomaly { .. } | Stage::Investigation(_) | Stage::Investigated { .. } => {
            investigation::answered(running, reply, out, cx)?;
            Ok(Next::Stay)
        }
        Stage::Proposed | Stage::Hearing { .. } | Stage::Heard { .. } | Stage::Voting(_) => {
            if !cx.acts.allows(Need::Comment, reply.assurance) {
                return Err(mails::unsure(&name));
            }
            // Nobody is to lose her hearing over a signature: what is not proven is marked, and shown to all who
            // speak for the structure.
            let proven = cx.acts.allows(Need::Vote, reply.assurance);
            let (from, at, text) = (reply.from, reply.arrived, reply.said.text.clone());
            let answer = hearing::Answer { from, entered_by: None, at, text, proven, leaves };
            hearing::respond(running, answer, out, cx)?;
            Ok(Next::Stay)
        }
    }
}

/// The prime takes back that her structure leaves, until a vote opens.
fn stay(running: &mut Running, reply: &Reply, out: &mut Vec<Effect>, cx: &At) -> Result<Next, Refusal> {
    if matches!(running.stage, Stage::Voting(_)) {
        return Err(mails::not_done(&running.file.name, "leave-late"));
    }
    running.file.leaving = None;
    if running.file.proposers.is_empty() {
        return Ok(Next::Close(Why::Stays, reply.arrived));
    }
    // The proposal of others goes on, with the notice that was given.
    hearing::resume(running, out, cx);
    out.push(mails::told(&running.file, "stays", mails::vote_at(&running.file, cx), cx));
    out.push(mails::thanks(&running.file, reply.from, "stays", cx));
    Ok(Next::Stay)
}

/// The prime says whether her structure wants to leave.
fn confirmed(running: &mut Running, reply: &Reply, out: &mut Vec<Effect>, cx: &At) -> Result<Next, Refusal> {
    let file = &running.file;
    if !matches!(running.stage, Stage::LeaveAsked { .. }) {
        return Err(mails::not_done(&file.name, "task-over"));
    }
    if who::prime(file, cx) != Some(reply.from) || !reply.assurance.confirmed {
        return Err(mails::not_done(&file.name, "not-prime"));
    }
    let choice = reply.said.choice.filter(|_| reply.said.problem == Problem::None);
    let agrees = reply.said.has(&Command::Confirm) || choice == Some(Choice::Yes);
    let declines = reply.said.has(&Command::Decline) || choice == Some(Choice::No);
    if agrees == declines {
        return Err(mails::not_done(&file.name, "leave-asked").asking(Asks::Confirm));
    }
    if declines {
        return Ok(Next::Close(Why::Stays, reply.arrived));
    }
    // The words that were confirmed are the structure's own.
    let text = file.steps.last().map_or_else(String::new, |step| step.what.clone());
    out.push(Effect::Cancel(hearing::LEAVE.to_owned()));
    let (from, at) = (reply.from, reply.arrived);
    let answer = hearing::Answer { from, entered_by: None, at, text, proven: true, leaves: true };
    hearing::respond(running, answer, out, cx)?;
    Ok(Next::Stay)
}

/// What members, the region's leadership and staff write, vouched for.
fn officials(
    running: &mut Running,
    person: PersonId,
    label: &str,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<Next, Refusal> {
    let at = reply.arrived;
    let said: Vec<Act> = acts::lines(&reply.said.text).0.into_iter().map(|line| line.act).collect();
    let withdraws = reply.said.has(&Command::Withdraw);
    let weighty = withdraws || said.contains(&Act::Propose) || said.contains(&Act::NonPublic);
    if said.contains(&Act::Propose) && who::entitled(person, running.file.region, at, cx).is_none() {
        return Err(mails::not_done(&running.file.name, "propose"));
    }
    let need = if weighty { Need::Decertification } else { Need::Task };
    if !cx.acts.allows(need, reply.assurance) {
        return Err(mails::unsure(&running.file.name));
    }
    if withdraws {
        return proposal::withdraw(running, person, at, out, cx);
    }
    if said.contains(&Act::Propose) {
        proposal::reply(running, person, reply, out, cx)?;
        return Ok(Next::Stay);
    }
    if said.contains(&Act::NonPublic) {
        hearing::non_public(running, person, at, out, cx)?;
        return Ok(Next::Stay);
    }
    if said.contains(&Act::RequestVote) {
        if !who::sits(person, at, cx) {
            return Err(mails::not_done(&running.file.name, "vote-not-member"));
        }
        deciding::asked(running, out, cx)?;
        return Ok(Next::Stay);
    }
    let staff = who::is_staff(person, at, cx);
    match label {
        // The Chair may close it; who takes it up is of the staff.
        investigation::ANOMALY if who::is_officer(person, at, cx) => {
            investigation::decide(running, person, reply, out, cx)
        }
        investigation::LABEL | investigation::ANSWER if staff => {
            investigation::reply(running, person, reply, out, cx)
        }
        deciding::STUCK if who::is_officer(person, at, cx) => deciding::decide(running, reply, out, cx),
        _ if staff && label.starts_with("unreachable:") => {
            let who = label.strip_prefix("unreachable:").and_then(|who| who.parse().ok());
            let who = who.ok_or_else(|| mails::not_done(&running.file.name, "task-over"))?;
            hearing::reached(running, who, person, &reply.said.text, at, out, cx)?;
            Ok(Next::Stay)
        }
        _ => {
            let entitled = who::entitled(person, running.file.region, at, cx).is_some();
            let why = if entitled { "nothing-to-do" } else { "propose" };
            Err(mails::not_done(&running.file.name, why).asking(Asks::Text))
        }
    }
}
