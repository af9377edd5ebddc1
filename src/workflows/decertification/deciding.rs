//! The vote: opened behind the gate, on one question for one structure, decided by two thirds of the votes cast. No
//! quorum decides nothing; what stands still keeps its answers.

use super::{At, Frozen, Next, Running, Stage, Stuck, Voting, Why, days, hearing, mails, over, who};
use crate::kernel::assurance::Act;
use crate::kernel::ballot::{Majority, Outcome, Quorum, Rule};
use crate::kernel::choice::Choice;
use crate::kernel::said::Problem;
use crate::kernel::workflow::{
    Asks, Audience, Effect, Note, Notice, Opening, Refusal, Reply, Task, Workflow,
};
use crate::workflows::ballot::{Ballot, News, ParentSays, Polarity, Secrecy, Tidings, Voters};
use chrono::{DateTime, Duration, Utc};
use serde_json::json;

pub(super) const STUCK: &str = "vote-stuck";
/// A ballot that has not told its number after so long could not be opened.
const SILENT: Duration = Duration::days(1);

impl Voting {
    pub(super) fn wake_at(&self) -> Option<DateTime<Utc>> {
        (self.ballot.is_none() && self.stuck.is_none()).then(|| self.since + SILENT)
    }
}

/// Opens the vote if its time has come and its gate is open. A member who took a seat since is sent every answer
/// first, and then it waits for that.
pub(super) fn open_if_due(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let due = match running.stage {
        Stage::Heard { due, vote_at } => due || over(vote_at) <= cx.now,
        _ => false,
    };
    if !due {
        return;
    }
    hearing::forward(running, out, cx);
    if hearing::gate(running, cx).is_ok() {
        vote(running, out, cx);
    }
}

/// Puts the question: a ballot of its own, whose parent this is.
fn vote(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let file = &running.file;
    out.push(Effect::Cancel(STUCK.to_owned()));
    let majority = Majority::TwoThirds { abstain_counts_as_cast: cx.policy.abstain_counts_as_cast };
    let closes = cx.now + days(cx.policy.ballot_days);
    let body = json!({
        "question": mails::question(file, cx),
        "yes_means": mails::means(file, true), "no_means": mails::means(file, false),
        // "I support" says nothing certain here: the proposal, or the structure?
        "polarity": Polarity::Reversed,
        "rule": Rule { quorum: Quorum::default(), majority },
        "secrecy": if file.non_public.is_some() { Secrecy::NonPublic } else { Secrecy::Open },
        "act": Act::Decertification,
        "voters": Voters::Alac,
        "closes": closes,
    });
    out.push(Effect::Open(Opening {
        kind: Ballot::KIND.to_owned(),
        parent: Some(cx.case),
        by: None,
        body,
        arrived: cx.now,
        nonce: String::new(),
    }));
    mails::progress(file, "vote-opened", closes, out, cx);
    let (ballot, stuck, frozen) = (None, None, None);
    running.stage = Stage::Voting(Voting { ballot, since: cx.now, inquorate: false, stuck, frozen });
}

/// Somebody asks for the vote now: it opens where it is stuck, else what holds it back is said.
pub(super) fn asked(running: &mut Running, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    let name = running.file.name.clone();
    let refused = |why| Err(mails::not_done(&name, why));
    match &running.stage {
        Stage::Voting(Voting { stuck: Some(_), .. }) => {
            if running.file.leaving.is_none() && !hearing::all_reached(&running.file) {
                return refused("vote-unreached");
            }
            // Members who took a seat since have the structure's answers first.
            out.push(Effect::Cancel(STUCK.to_owned()));
            running.stage = Stage::Heard { vote_at: mails::vote_at(&running.file, cx), due: true };
            open_if_due(running, out, cx);
            Ok(())
        }
        Stage::Voting(_) => refused("vote-already"),
        Stage::Anomaly { .. } | Stage::Investigation(_) | Stage::Investigated { .. } => {
            refused("vote-proposal")
        }
        Stage::LeaveAsked { .. } => refused("vote-leave"),
        Stage::Proposed | Stage::Hearing { .. } | Stage::Heard { .. } => match hearing::gate(running, cx) {
            Err(why) => refused(why),
            Ok(()) => {
                vote(running, out, cx);
                Ok(())
            }
        },
    }
}

/// News of the ballot.
pub(super) fn note(running: &mut Running, note: &Note, out: &mut Vec<Effect>, cx: &At) -> Next {
    let Some(news) = News::of(&note.body) else { return Next::Stay };
    let Stage::Voting(voting) = &mut running.stage else { return Next::Stay };
    if voting.ballot.is_some_and(|ballot| ballot != note.from) {
        return Next::Stay;
    }
    match news {
        News::Opened if voting.ballot.is_none() => {
            voting.ballot = Some(note.from);
            voting.stuck = None;
            out.push(Effect::Cancel(STUCK.to_owned()));
            if voting.frozen.is_some() {
                out.push(Effect::Note { to: note.from, body: json!(ParentSays::Freeze) });
            }
        }
        News::Ballot(_) if voting.ballot.is_none() => {}
        News::Ballot(Tidings::Counted(Outcome::Inquorate)) => {
            voting.inquorate = true;
            mails::progress(&running.file, "inquorate", cx.now, out, cx);
        }
        News::Ballot(Tidings::Counted(outcome)) => {
            let decertified = outcome == Outcome::Carried;
            return Next::Decide { decertified, at: note.arrived, ballot: note.from };
        }
        News::Ballot(Tidings::LeftUndecided) => stuck(running, Stuck::LeftUndecided, out, cx),
        News::Ballot(Tidings::Annulled) => stuck(running, Stuck::Annulled, out, cx),
        News::Opened | News::Extended => {}
    }
    Next::Stay
}

/// Nothing is decided: staff and the Chair say whether to vote again or to leave it there.
fn stuck(running: &mut Running, why: Stuck, out: &mut Vec<Effect>, cx: &At) {
    let Stage::Voting(voting) = &mut running.stage else { return };
    voting.ballot = None;
    voting.stuck = Some(why);
    let mut data = mails::facts(&running.file, cx);
    data["why"] = json!(why);
    let to = Audience::Parties(who::officers(cx));
    let task = Notice::new(STUCK, to, "decertification/vote-stuck", data).asking(Asks::Decision);
    out.push(Effect::Cancel(STUCK.to_owned()));
    out.push(Effect::Task(Task::new(task, None)));
}

/// A ballot that was asked for long ago has not opened.
pub(super) fn silent_ballot(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let silent =
        matches!(&running.stage, Stage::Voting(voting) if voting.wake_at().is_some_and(|at| at <= cx.now));
    if silent {
        stuck(running, Stuck::NotOpened, out, cx);
    }
}

/// YES votes again, NO leaves it there: the structure stays accredited.
pub(super) fn decide(
    running: &mut Running,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<Next, Refusal> {
    match (reply.said.problem, reply.said.choice) {
        (Problem::None, Some(Choice::Yes)) => {
            asked(running, out, cx)?;
            Ok(Next::Stay)
        }
        (Problem::None, Some(Choice::No)) => end(running, reply.arrived),
        _ => Err(mails::decision_unclear(&running.file.name)),
    }
}

/// Left without a decision.
pub(super) fn end(running: &Running, at: DateTime<Utc>) -> Result<Next, Refusal> {
    match &running.stage {
        Stage::Voting(Voting { stuck: Some(_), .. }) => Ok(Next::Close(Why::Undecided, at)),
        _ => Err(mails::not_done(&running.file.name, "task-over")),
    }
}

/// Stops an open vote. Answers given stay, and those that come meanwhile count.
pub(super) fn freeze(running: &mut Running, why: Frozen, out: &mut Vec<Effect>, cx: &At) {
    let Stage::Voting(voting) = &mut running.stage else { return };
    if voting.frozen.is_some() || voting.stuck.is_some() {
        return;
    }
    voting.frozen = Some(why);
    let ballot = voting.ballot;
    out.extend(ballot.map(|to| Effect::Note { to, body: json!(ParentSays::Freeze) }));
    mails::progress(&running.file, "frozen", cx.now, out, cx);
}

/// Lets it go on, with the time that was left.
pub(super) fn thaw(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let Stage::Voting(voting) = &mut running.stage else { return };
    if voting.frozen.take().is_none() {
        return;
    }
    let ballot = voting.ballot;
    out.extend(ballot.map(|to| Effect::Note { to, body: json!(ParentSays::Thaw) }));
    mails::progress(&running.file, "thawed", cx.now, out, cx);
}
