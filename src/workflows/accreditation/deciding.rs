//! Step 5: without advice a vote is compulsory; with advice every member has N days to ask for one, counted from when
//! the advice had left to all of them. Silence decides only as the rules say, and never because nobody could write.

use super::outcome::Decision;
use super::{
    At, Next, OnNegativeAdvice, Pending, Question, Request, Route, Running, Stage, Stuck, Telling, Timer,
    Unsure, View, Voting, Window, advice, days, mails, over,
};
use crate::kernel::assurance::Act;
use crate::kernel::ballot::{Majority, Outcome, Quorum, Rule};
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::Role;
use crate::kernel::workflow::{
    Asks, Audience, Effect, Note, Notice, Opening, Refusal, Reply, Task, Workflow,
};
use crate::workflows::ballot::{Ballot, News, ParentSays, Polarity, Secrecy, Tidings, Voters};
use chrono::{DateTime, Duration, Utc};
use serde_json::json;

pub(super) const HELD: &str = "held";
pub(super) const HELD_TASK: &str = "held-task";
pub(super) const STUCK: &str = "vote-stuck";
pub(super) const REMINDER: &str = "window-reminder";

/// A ballot that has not told its number after so long could not be opened.
const SILENT: Duration = Duration::days(1);

impl Voting {
    pub(super) fn wake_at(&self) -> Option<DateTime<Utc>> {
        (self.ballot.is_none() && self.stuck.is_none()).then(|| self.since + SILENT)
    }
}

/// Whether a vote carried means that the applicant is accredited.
fn accredits(carried: bool, view: View) -> bool {
    match view {
        View::NoAdvice | View::NotAccredit => carried,
        View::Accredit => !carried,
    }
}

/// The advice has left to a member, or cannot: after the last one the days begin.
pub(super) fn told(
    running: &mut Running,
    label: &str,
    to: Party,
    at: Option<DateTime<Utc>>,
    out: &mut Vec<Effect>,
    cx: &At,
) {
    if label != advice::window_label(&running.file) {
        return;
    }
    let Stage::Telling(telling) = &mut running.stage else { return };
    telling.awaiting.remove(&to);
    telling.latest = telling.latest.max(at);
    if telling.awaiting.is_empty() {
        let given = telling.latest.unwrap_or(cx.now);
        begin(running, given, out, cx);
    }
}

/// A committee without members is told by nobody leaving: the days begin at once.
pub(super) fn nobody_to_tell(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    if matches!(&running.stage, Stage::Telling(Telling { awaiting, .. }) if awaiting.is_empty()) {
        begin(running, cx.now, out, cx);
    }
}

/// The advice is given (ambiguity 8). A request made before takes effect now (ambiguity 53).
fn begin(running: &mut Running, given: DateTime<Utc>, out: &mut Vec<Effect>, cx: &At) {
    let n = cx.policy.window_days;
    let timer = Timer::new(given + days(n), &[cx.policy.window_reminder_days], cx.now);
    running.stage = Stage::Window(Window { given, days: n, timer, waiting: None });
    requested(running, out, cx);
}

/// Opens the vote that a member asked for, unless clocks stand still.
pub(super) fn requested(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let asked = !running.file.requests.is_empty() && !running.file.suspended();
    if asked && matches!(running.stage, Stage::Window(_) | Stage::Held { .. }) {
        vote(running, Question::B, out, cx);
    }
}

/// Step 5 (a): nobody need ask for it.
pub(super) fn vote_without_advice(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let committee = Audience::Role(Role::AlacMember, None);
    let data = mails::window(&running.file, cx);
    out.push(Effect::Tell(Notice::new("no-advice", committee, "accreditation/no-advice", data)));
    vote(running, Question::A, out, cx);
}

/// Puts the question: a ballot of its own, whose parent this is.
fn vote(running: &mut Running, question: Question, out: &mut Vec<Effect>, cx: &At) {
    let file = &running.file;
    let window = advice::window_label(file);
    for label in [window.as_str(), REMINDER, HELD, HELD_TASK, STUCK] {
        out.push(Effect::Cancel(label.to_owned()));
    }
    let means = |carried| mails::means(file, question, accredits(carried, file.view()), carried);
    let body = json!({
        "question": mails::question(file, question),
        "yes_means": means(true), "no_means": means(false),
        "polarity": match question { Question::A => Polarity::Straight, Question::B => Polarity::Reversed },
        "rule": Rule { quorum: Quorum::default(), majority: Majority::OfQuorum },
        // Ambiguity 26.
        "secrecy": match question { Question::A => Secrecy::NonPublic, Question::B => Secrecy::Open },
        "act": Act::Vote,
        "voters": Voters::Alac,
        "closes": cx.now + days(cx.policy.ballot_days),
    });
    out.push(Effect::Open(Opening {
        kind: Ballot::KIND.to_owned(),
        parent: Some(cx.case),
        by: None,
        body,
        arrived: cx.now,
        nonce: String::new(),
    }));
    let told = mails::progress(file, "vote-opened", None, cx);
    out.push(Effect::Tell(told));
    running.stage = Stage::Voting(Voting { question, ballot: None, since: cx.now, stuck: None });
}

/// Reminds of the window, or ends it.
pub(super) fn wake(running: &mut Running, out: &mut Vec<Effect>, cx: &At) -> Next {
    let grace = Duration::hours(i64::from(cx.policy.confirm_grace_hours));
    let Stage::Window(window) = &mut running.stage else { return Next::Stay };
    let due = window.timer.due;
    let reminds = window.timer.reminders.climb(cx.now);
    if over(due) > cx.now {
        if reminds {
            let mut data = mails::window(&running.file, cx);
            data["due"] = json!(due);
            let committee = Audience::Role(Role::AlacMember, None);
            let notice = Notice::new(REMINDER, committee, "accreditation/window-reminder", data);
            out.push(Effect::Tell(notice.asking(Asks::Text).not_after(due)));
        }
        return Next::Stay;
    }
    let unsure = |pending: &Pending| matches!(pending.what, Unsure::VoteRequest(_));
    if running.file.pending.iter().any(unsure) && cx.now <= due + grace {
        window.waiting = Some(due + grace + Duration::seconds(1));
        return Next::Stay;
    }
    running.file.pending.retain(|pending| !unsure(pending));
    expired(running, due, out, cx)
}

/// Nobody asked for a vote.
fn expired(running: &mut Running, due: DateTime<Utc>, out: &mut Vec<Effect>, cx: &At) -> Next {
    let consent =
        |accredited| Next::Decide(Decision { accredited, route: Route::Consent, at: due, ballot: None });
    match (running.file.view(), cx.policy.on_negative_advice) {
        (View::Accredit, _) | (_, OnNegativeAdvice::AccreditLiteral) => consent(true),
        (_, OnNegativeAdvice::Refuse) => consent(false),
        (_, OnNegativeAdvice::ForceVote) => {
            vote(running, Question::B, out, cx);
            Next::Stay
        }
        (_, OnNegativeAdvice::Hold) => {
            out.push(Effect::Tell(mails::progress(&running.file, "held", None, cx)));
            running.stage = Stage::Held { since: due, remind_at: cx.now };
            held(running, out, cx);
            Next::Stay
        }
    }
}

/// Asks the committee, and staff and the Chair by name, for a request; and again every week (ambiguity 61).
pub(super) fn held(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let Stage::Held { remind_at, .. } = &mut running.stage else { return };
    if *remind_at > cx.now {
        return;
    }
    *remind_at = cx.now + days(cx.policy.held_reminder_days);
    let data = mails::window(&running.file, cx);
    let committee = Audience::Role(Role::AlacMember, None);
    out.push(Effect::Cancel(HELD.to_owned()));
    let notice = Notice::new(HELD, committee, "accreditation/held", data.clone());
    out.push(Effect::Tell(notice.asking(Asks::Text)));
    let officers = Audience::Parties(mails::officers(cx));
    let task = Notice::new(HELD_TASK, officers, "accreditation/held-task", data).asking(Asks::Text);
    out.push(Effect::Cancel(HELD_TASK.to_owned()));
    out.push(Effect::Task(Task::new(task, None)));
}

/// Whether a person sat on the committee at a moment.
pub(super) fn sits(person: PersonId, at: DateTime<Utc>, cx: &At) -> bool {
    cx.register.person(person).is_some_and(|person| person.has(Role::AlacMember, at))
}

/// A member's request by mail. One that may be forged is kept as it arrived, and the address on file is asked.
pub(super) fn reply(
    running: &mut Running,
    by: PersonId,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    may_request(running, by, reply.arrived, cx)?;
    if cx.acts.allows(Act::Vote, reply.assurance) {
        request(running, Request { by, at: reply.arrived, entered_by: None }, out, cx);
        return Ok(());
    }
    super::replies::ask_back(running, Unsure::VoteRequest(by), reply, out, cx);
    Ok(())
}

/// Whether a request of a person that arrived then counts.
pub(super) fn may_request(
    running: &Running,
    by: PersonId,
    at: DateTime<Utc>,
    cx: &At,
) -> Result<(), Refusal> {
    let file = &running.file;
    if !sits(by, at, cx) {
        return Err(mails::not_done(&file.name(), "vote-not-member"));
    }
    let late = match &running.stage {
        Stage::Voting(_) => return Err(mails::not_done(&file.name(), "vote-already")),
        Stage::Window(window) => {
            let stood_still = file.frozen.is_some_and(|since| since <= window.timer.due && at >= since);
            at.timestamp() > window.timer.due.timestamp() && !stood_still
        }
        _ => false,
    };
    if late {
        return Err(mails::not_done(&file.name(), "vote-late"));
    }
    if file.requests.iter().any(|request| request.by == by) {
        return Err(mails::not_done(&file.name(), "vote-already"));
    }
    Ok(())
}

/// One is enough: no seconder, no reason.
pub(super) fn request(running: &mut Running, request: Request, out: &mut Vec<Effect>, cx: &At) {
    let mut data = mails::facts(&running.file, cx);
    data["by"] = json!(Party::Person(request.by));
    let now = matches!(running.stage, Stage::Window(_) | Stage::Held { .. });
    data["opens"] = json!(if running.file.suspended() {
        "resumed"
    } else if now {
        "now"
    } else {
        "advised"
    });
    let committee = Audience::Role(Role::AlacMember, None);
    out.push(Effect::Tell(Notice::new("vote-requested", committee, "accreditation/vote-requested", data)));
    running.file.requests.push(request);
    if let Stage::Window(window) = &mut running.stage {
        window.waiting = None;
    }
    requested(running, out, cx);
}

/// News of the ballot.
pub(super) fn note(running: &mut Running, note: &Note, out: &mut Vec<Effect>, cx: &At) -> Next {
    let Some(news) = News::of(&note.body) else { return Next::Stay };
    let suspended = running.file.suspended();
    let Stage::Voting(voting) = &mut running.stage else { return Next::Stay };
    if voting.ballot.is_some_and(|ballot| ballot != note.from) {
        return Next::Stay;
    }
    match news {
        News::Opened if voting.ballot.is_none() => {
            voting.ballot = Some(note.from);
            voting.stuck = None;
            out.push(Effect::Cancel(STUCK.to_owned()));
            if suspended {
                out.push(Effect::Note { to: note.from, body: json!(ParentSays::Freeze) });
            }
            Next::Stay
        }
        News::Opened | News::Extended => Next::Stay,
        News::Ballot(_) if voting.ballot.is_none() => Next::Stay,
        News::Ballot(Tidings::Counted(Outcome::Inquorate)) => {
            out.push(Effect::Tell(mails::progress(&running.file, "inquorate", None, cx)));
            Next::Stay
        }
        News::Ballot(Tidings::Counted(outcome)) => {
            let carried = outcome == Outcome::Carried;
            let route = match (voting.question, carried) {
                (Question::A, _) => Route::VoteA,
                (Question::B, false) => Route::VoteBUpheld,
                (Question::B, true) => Route::VoteBOverturned,
            };
            let accredited = accredits(carried, running.file.view());
            Next::Decide(Decision { accredited, route, at: note.arrived, ballot: Some(note.from) })
        }
        News::Ballot(other @ (Tidings::LeftUndecided | Tidings::Annulled)) => {
            let why = if other == Tidings::Annulled { Stuck::Annulled } else { Stuck::LeftUndecided };
            voting.ballot = None;
            stuck(running, why, out, cx);
            Next::Stay
        }
    }
}

/// Nothing is decided, and only a vote can: staff and the Chair say when to hold it again.
fn stuck(running: &mut Running, why: Stuck, out: &mut Vec<Effect>, cx: &At) {
    let Stage::Voting(voting) = &mut running.stage else { return };
    voting.stuck = Some(why);
    let mut data = mails::facts(&running.file, cx);
    data["why"] = json!(why);
    let to = Audience::Parties(mails::officers(cx));
    let task = Notice::new(STUCK, to, "accreditation/vote-stuck", data).asking(Asks::Decision);
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

/// Staff or the Chair have the same question put again.
pub(super) fn vote_again(running: &mut Running, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    match &running.stage {
        Stage::Voting(voting) if voting.stuck.is_some() && !running.file.suspended() => {
            let question = voting.question;
            vote(running, question, out, cx);
            Ok(())
        }
        _ => Err(mails::not_done(&running.file.name(), "task-over")),
    }
}

/// Tells an open ballot to stand still, or to go on.
pub(super) fn tell_ballot(file_stage: &Stage, says: ParentSays, out: &mut Vec<Effect>) {
    if let Stage::Voting(Voting { ballot: Some(to), .. }) = file_stage {
        out.push(Effect::Note { to: *to, body: json!(says) });
    }
}
