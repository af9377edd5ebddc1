//! The proposal: by those entitled, on grounds that are some, with several dated failures or a reason why not. What
//! must not be a ground is refused with the rule; a region's request that cites it is recorded and binds nobody.

use super::grounds::{EXCEPTION, Failure, NoGround, REASONS, Said, cut, not_a_ground};
use super::{
    At, Capacity, File, Next, Proposer, Remark, Running, Stage, Why, hearing, investigation, mails, who,
};
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::workflow::{Asks, Audience, Effect, Notice, Refusal, Reply};
use chrono::{DateTime, Utc};
use serde_json::json;

pub(super) const LABEL: &str = "proposed";
/// What is recorded of requests that bind nobody.
const REMARKS: usize = 50;

/// Who acts, and who entered it for her.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acting {
    pub by: PersonId,
    pub entered_by: Option<PersonId>,
}

/// Who acts: the person who orders, or whom staff name. Staff propose nothing of their own.
pub(super) fn acting(
    by: PersonId,
    on_behalf: Option<Party>,
    at: DateTime<Utc>,
    cx: &At,
) -> Result<Acting, Refusal> {
    match on_behalf {
        Some(party) if party != Party::Person(by) => {
            if !who::is_staff(by, at, cx) {
                return Err(mails::not_done("", "order"));
            }
            Ok(Acting { by: super::opening::person(party)?, entered_by: Some(by) })
        }
        _ => Ok(Acting { by, entered_by: None }),
    }
}

/// What a proposal says besides what is in the file.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub failures: Vec<Failure>,
    pub exception: Option<String>,
    pub reasons: String,
}

/// Whether the file shows persistence: enough dated failures, or the reason why it is proposed all the same.
pub(super) fn enough(file: &File, cx: &At) -> bool {
    usize::try_from(cx.policy.min_failures).is_ok_and(|least| file.failures.len() >= least)
        || file.exception.as_ref().is_some_and(|reason| !reason.trim().is_empty())
}

/// A proposal by mail.
pub(super) fn reply(
    running: &mut Running,
    by: PersonId,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let said = Said::of(&reply.said.text);
    let entitled = who::entitled(by, running.file.region, reply.arrived, cx);
    let today = cx.now.date_naive();
    // A region may cite what binds nobody: that is recorded below. Of others it is refused.
    let failures = match (entitled, said.failures(&running.file.name, today)) {
        (Some(Capacity::Ralo), Err(_)) => {
            let allowed = |one: &&Failure| NoGround::cited_in(&one.note).is_none() && one.date <= today;
            said.failures.iter().filter(allowed).cloned().collect()
        }
        (_, failures) => failures?,
    };
    if said.unclear {
        return Err(not_taken(running, "unclear", cx));
    }
    let noted: Vec<&str> = said.failures.iter().map(|one| one.note.as_str()).collect();
    let cites = NoGround::cited_in(&noted.join("\n")).is_some() && entitled == Some(Capacity::Ralo);
    let reasons = if cites { format!("{}\n{}", said.words, noted.join("\n")) } else { said.words };
    let words = Words { failures, exception: said.exception, reasons };
    propose(running, Acting { by, entered_by: None }, words, reply.arrived, out, cx)
}

fn not_taken(running: &Running, problem: &str, cx: &At) -> Refusal {
    let mut data = mails::findings(&running.file, cx);
    data["problem"] = json!(problem);
    let label = investigation::FINDINGS.to_owned();
    Refusal::new("decertification/proposal-not-taken", data).asking(Asks::Text).about(label)
}

/// Takes a proposal: the first sends the notice, others join it until a vote opens.
pub(super) fn propose(
    running: &mut Running,
    acting: Acting,
    words: Words,
    at: DateTime<Utc>,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let Acting { by, entered_by } = acting;
    let name = running.file.name.clone();
    let Some(capacity) = who::entitled(by, running.file.region, at, cx) else {
        return Err(mails::not_done(&name, "propose"));
    };
    match running.stage {
        Stage::Voting(_) => return Err(mails::not_done(&name, "propose-late")),
        Stage::LeaveAsked { .. } => return Err(mails::not_done(&name, "leaving-already")),
        _ if running.file.proposers.iter().any(|known| known.by == by) => {
            return Err(mails::not_done(&name, "propose-already"));
        }
        _ => {}
    }
    let Words { failures, exception, mut reasons } = words;
    let exception = exception.map(|text| cut(&text)).filter(|text| !text.is_empty());
    if reasons.trim().len() > REASONS || exception.as_ref().is_some_and(|text| text.len() > EXCEPTION) {
        return Err(not_taken(running, "long", cx));
    }
    let cited = NoGround::cited_in(&format!("{reasons}\n{}", exception.as_deref().unwrap_or_default()));
    if let Some(what) = cited {
        if capacity != Capacity::Ralo {
            return Err(not_a_ground(&name, what));
        }
        remark(running, Remark { by, at, what, text: cut(&reasons) });
        reasons = String::new();
    }
    let exception = exception.filter(|_| cited.is_none());
    let proposer = Proposer { by, capacity, entered_by, at };
    if !running.file.proposers.is_empty() {
        running.file.proposers.push(proposer);
        out.push(mails::thanks(&running.file, Party::Person(by), "joined", cx));
        return Ok(());
    }
    let before = running.file.clone();
    failures.into_iter().for_each(|failure| investigation::fail(running, failure));
    running.file.exception = exception.or(running.file.exception.take());
    if !enough(&running.file, cx) {
        let refusal = not_taken(running, "failures", cx);
        running.file = before;
        if cited.is_some() {
            not_binding(running, by, out, cx);
            return Ok(());
        }
        return Err(refusal);
    }
    running.file.reasons = cut(&reasons);
    running.file.proposers.push(proposer);
    begin(running, out, cx);
    if cited.is_some() {
        not_binding(running, by, out, cx);
    }
    Ok(())
}

fn remark(running: &mut Running, remark: Remark) {
    if running.file.remarks.len() < REMARKS {
        running.file.remarks.push(remark);
    }
}

/// The region, staff and the Chair are told what was recorded and that it binds nobody.
fn not_binding(running: &Running, by: PersonId, out: &mut Vec<Effect>, cx: &At) {
    let mut data = mails::proposal(&running.file, cx);
    data["taken"] = json!(!running.file.proposers.is_empty());
    let mut to = who::officers(cx);
    if !to.contains(&Party::Person(by)) {
        to.push(Party::Person(by));
    }
    let to = Audience::Parties(to);
    out.push(Effect::Tell(Notice::new("not-binding", to, "decertification/not-binding", data)));
}

/// The structure gets its notice; those on this side are told.
fn begin(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    for label in [investigation::ANOMALY, investigation::LABEL, investigation::FINDINGS] {
        out.push(Effect::Cancel(label.to_owned()));
    }
    let to = Audience::Parties(who::committee(&running.file, cx));
    let data = mails::proposal(&running.file, cx);
    let told = Notice::new(LABEL, to, "decertification/proposed", data).asking(Asks::Text);
    out.push(Effect::Tell(told));
    hearing::give_notice(running, out, cx);
}

/// Who proposed takes it back, until a vote opens. When nobody is left, it ends.
pub(super) fn withdraw(
    running: &mut Running,
    by: PersonId,
    at: DateTime<Utc>,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<Next, Refusal> {
    let file = &mut running.file;
    if !file.proposers.iter().any(|known| known.by == by) {
        return Err(mails::not_done(&file.name, "withdraw-not-yours"));
    }
    if matches!(running.stage, Stage::Voting(_)) {
        return Err(mails::not_done(&file.name, "withdraw-late"));
    }
    file.proposers.retain(|known| known.by != by);
    // What the structure itself asked for needs nobody's proposal.
    if file.proposers.is_empty() && file.leaving.is_none() {
        return Ok(Next::Close(Why::Withdrawn, at));
    }
    out.push(mails::thanks(file, Party::Person(by), "withdrawn", cx));
    Ok(Next::Stay)
}
