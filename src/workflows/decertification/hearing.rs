//! The notice and the hearing: every representative is told what is alleged and by when to answer; what the structure
//! answers goes to every member of the committee as it is. The gate holds a vote back until all of that has been.

use super::grounds::cut;
use super::{
    At, File, Frozen, Response, Running, Stage, Timer, Voting, days, deciding, investigation, mails, over,
    who,
};
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::Role;
use crate::kernel::workflow::{Asks, Audience, Effect, Notice, Refusal, Task, Undelivered};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeSet;

pub(super) const NOTICE: &str = "notice";
pub(super) const LEAVE: &str = "confirm:leave";
const RESPONSE: &str = "response";
const REMINDER: &str = "reminder";
/// Answers of a structure that are taken by mail.
const MOST: u32 = 20;
/// Bytes of an answer that one mail holds in any script; a longer one goes out in parts, none of it left out.
const PART: usize = 2_800;
/// Characters of a mail that are read.
const READ: usize = 16_000;

fn to_nobody() -> Audience {
    Audience::Parties(Vec::new())
}

/// Tells the structure what is proposed. Its time runs from when that has left to all of it.
pub(super) fn give_notice(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let to = who::structure(&running.file, cx);
    running.stage = Stage::Proposed;
    let notice = notice(&running.file, cx);
    mails::addressed(&notice, &to, &running.file.addresses, out);
    let file = &mut running.file;
    file.awaiting.clone_from(&to);
    if to.is_empty() {
        let nobody = Party::Organisation(file.organisation);
        file.noticed_to.insert(nobody);
        unreachable(file, nobody, NOTICE, out, cx);
    }
    file.noticed_to.extend(to);
}

fn notice(file: &File, cx: &At) -> Notice {
    let notice = Notice::new(NOTICE, to_nobody(), "decertification/notice", mails::proposal(file, cx));
    Notice { report_sent: true, ..notice.asking(Asks::Text) }
}

/// A mail has left.
pub(super) fn sent(running: &mut Running, label: &str, to: Party, out: &mut Vec<Effect>, cx: &At) {
    if label == NOTICE {
        running.file.awaiting.remove(&to);
        noticed(running, out, cx);
    } else if let Some(response) = numbered(&mut running.file, label) {
        response.awaiting.remove(&to);
        deciding::open_if_due(running, out, cx);
    }
}

fn numbered<'a>(file: &'a mut File, label: &str) -> Option<&'a mut Response> {
    let number: u32 = label.strip_prefix(RESPONSE)?.strip_prefix(':')?.parse().ok()?;
    file.responses.iter_mut().find(|response| response.number == number)
}

/// Begins the hearing once the notice has left to all; or, if all of it came back, once staff have reached somebody.
pub(super) fn noticed(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let file = &running.file;
    let reached = file.noticed_to.iter().any(|party| !file.unreached.contains(party));
    if !matches!(running.stage, Stage::Proposed) || !file.awaiting.is_empty() || !reached {
        return;
    }
    running.file.noticed = Some(cx.now);
    let vote_at = cx.now + days(cx.policy.notice_days);
    let due = cx.now + days(cx.policy.hearing_days);
    running.stage = if !running.file.answered() {
        let timer = Timer::new(due, &cx.policy.hearing_reminder_days, cx.now);
        Stage::Hearing { timer, vote_at }
    } else {
        Stage::Heard { vote_at, due: false }
    };
    deciding::open_if_due(running, out, cx);
}

/// Reminds the structure of its right to be heard, or notes that its time is over. It may still answer.
pub(super) fn wake(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let file = &running.file;
    match &mut running.stage {
        Stage::Hearing { timer, vote_at } => {
            let (due, vote_at) = (timer.due, *vote_at);
            if over(due) > cx.now {
                if timer.reminders.climb(cx.now) {
                    let data = mails::proposal(file, cx);
                    let notice = Notice::new(REMINDER, to_nobody(), "decertification/reminder", data);
                    let notice = notice.asking(Asks::Text).not_after(due);
                    mails::addressed(&notice, &who::structure(file, cx), &file.addresses, out);
                }
                return;
            }
            mails::progress(file, "elapsed", vote_at, out, cx);
            out.push(mails::told(file, "elapsed", vote_at, cx));
            running.stage = Stage::Heard { vote_at, due: false };
        }
        Stage::Heard { vote_at, due } if over(*vote_at) <= cx.now && !*due => *due = true,
        _ => return,
    }
    deciding::open_if_due(running, out, cx);
}

/// What a structure says, and how it came.
pub(super) struct Answer {
    pub from: Party,
    pub entered_by: Option<PersonId>,
    pub at: DateTime<Utc>,
    pub text: String,
    pub proven: bool,
    pub leaves: bool,
}

/// Takes an answer, until the decision: it goes to every member at once, and a copy to all who speak for it.
pub(super) fn respond(
    running: &mut Running,
    answer: Answer,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let name = running.file.name.clone();
    let Answer { from, entered_by, at, text, proven, leaves } = answer;
    let text = text.trim();
    let parts = in_parts(text);
    if parts.is_empty() {
        return Err(mails::not_done(&name, "empty").asking(Asks::Text));
    }
    let before = running.file.responses.last().map_or(0, |response| response.answer);
    if before >= MOST && !leaves {
        return Err(mails::not_done(&name, "too-many").asking(Asks::Text));
    }
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let first = count(running.file.responses.len()).saturating_add(1);
    for (n, part) in parts.iter().enumerate() {
        running.file.responses.push(Response {
            number: first.saturating_add(count(n)),
            from,
            entered_by,
            at,
            text: part.clone(),
            answer: before.saturating_add(1),
            part: count(n).saturating_add(1),
            parts: count(parts.len()),
            proven,
            leaves,
            sent_to: BTreeSet::new(),
            awaiting: BTreeSet::new(),
        });
    }
    if leaves {
        running.file.leaving = Some(at);
    }
    out.push(Effect::Cancel(REMINDER.to_owned()));
    running.stage = match std::mem::replace(&mut running.stage, Stage::Proposed) {
        stage @ Stage::Voting(_) => stage,
        _ if leaves => Stage::Heard { vote_at: cx.now, due: true },
        Stage::Hearing { vote_at, .. } => Stage::Heard { vote_at, due: false },
        stage => stage,
    };
    receipts(running, first, text, out, cx);
    forward(running, out, cx);
    deciding::open_if_due(running, out, cx);
    Ok(())
}

/// A text in parts that a mail can hold whole, broken between lines where that is possible.
fn in_parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for mut line in text.split_inclusive('\n') {
        while !line.is_empty() {
            let room = PART.saturating_sub(parts.last().map_or(PART, String::len));
            let (now, later) = match line.len() <= room {
                true => (line, ""),
                // A line that fits a part of its own begins one.
                false if line.len() <= PART || room == 0 => {
                    parts.push(String::new());
                    continue;
                }
                false => line.split_at(line.floor_char_boundary(room)),
            };
            if now.is_empty() {
                parts.push(String::new());
                continue;
            }
            if let Some(part) = parts.last_mut() {
                part.push_str(now);
            }
            line = later;
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// What was handed on in its name, to everybody who speaks for the structure; and a copy to staff.
fn receipts(running: &Running, first: u32, text: &str, out: &mut Vec<Effect>, cx: &At) {
    let file = &running.file;
    let parts: Vec<&Response> = file.responses.iter().filter(|part| part.number >= first).collect();
    let Some(response) = parts.first() else { return };
    let mut data = mails::response(file, response, &running.stage, cx);
    data["text"] = json!(text);
    data["whole"] = json!(text.chars().count() < READ);
    let label = format!("responded:{first}");
    let receipt = Notice::new(&label, to_nobody(), "decertification/response-received", data);
    mails::addressed(&receipt.asking(Asks::Text), &who::structure(file, cx), &file.addresses, out);
    let members = who::members(cx);
    let staff: Vec<Party> = who::staff(cx).into_iter().filter(|party| !members.contains(party)).collect();
    for part in parts {
        let data = mails::response(file, part, &running.stage, cx);
        let copy = Notice::new("copy", Audience::Parties(staff.clone()), "decertification/response", data);
        out.push(Effect::Tell(copy.asking(Asks::Text)));
    }
}

/// Every answer to every member who has not been sent it; a member who took a seat since, too.
pub(super) fn forward(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let members = who::members(cx);
    let file = &running.file;
    let mut wanting: Vec<(usize, BTreeSet<Party>)> = Vec::new();
    for (n, response) in file.responses.iter().enumerate() {
        let to: BTreeSet<Party> = members.difference(&response.sent_to).copied().collect();
        if to.is_empty() {
            continue;
        }
        let data = mails::response(file, response, &running.stage, cx);
        mails::addressed(&response_notice(response.number, data), &to, &file.addresses, out);
        wanting.push((n, to));
    }
    for (n, to) in wanting {
        let response = &mut running.file.responses[n];
        response.sent_to.extend(to.iter().copied());
        response.awaiting.extend(to);
    }
    for response in &mut running.file.responses {
        response.awaiting.retain(|party| members.contains(party));
    }
}

fn response_notice(number: u32, data: serde_json::Value) -> Notice {
    let label = format!("{RESPONSE}:{number}");
    let notice = Notice::new(&label, to_nobody(), "decertification/response", data).asking(Asks::Text);
    Notice { report_sent: true, ..notice }
}

/// What still holds a vote back: the key of the sentence that says so.
pub(super) fn gate(running: &Running, cx: &At) -> Result<(), &'static str> {
    let file = &running.file;
    let unreached = |parties: &BTreeSet<Party>| parties.iter().any(|party| file.unreached.contains(party));
    // Where the structure itself wants to leave, its own word is notice and answer.
    if file.leaving.is_none() {
        if file.noticed.is_none() || !file.awaiting.is_empty() {
            return Err("vote-notice");
        }
        if unreached(&file.noticed_to) {
            return Err("vote-unreached");
        }
        match running.stage {
            Stage::Heard { vote_at, .. } if over(vote_at) > cx.now => return Err("vote-advance"),
            Stage::Heard { .. } | Stage::Voting(_) => {}
            _ => return Err("vote-hearing"),
        }
    }
    let members = who::members(cx);
    let forwarded = |response: &Response| {
        response.awaiting.is_empty() && members.is_subset(&response.sent_to) && !unreached(&members)
    };
    if file.responses.iter().all(forwarded) { Ok(()) } else { Err("vote-forwarding") }
}

/// Whether nobody the notice was for is still without it.
pub(super) fn all_reached(file: &File) -> bool {
    !file.noticed_to.iter().any(|party| file.unreached.contains(party))
}

/// Back to where a proposal stood before the structure said that it leaves, with what is left of its time.
pub(super) fn resume(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let file = &running.file;
    let Some(noticed_at) = file.noticed else {
        running.stage = Stage::Proposed;
        return noticed(running, out, cx);
    };
    let vote_at = noticed_at + days(cx.policy.notice_days);
    let due = noticed_at + days(cx.policy.hearing_days);
    running.stage = if file.answered() || over(due) <= cx.now {
        Stage::Heard { vote_at, due: false }
    } else {
        let timer = Timer::new(due, &cx.policy.hearing_reminder_days, cx.now);
        Stage::Hearing { timer, vote_at }
    };
}

/// A mail that must reach somebody came back: another address is tried, then staff are asked. A vote that opened
/// meanwhile stands still until the structure has its notice.
pub(super) fn bounced(running: &mut Running, bounce: &Undelivered, out: &mut Vec<Effect>, cx: &At) {
    let to = bounce.to;
    let of_response = numbered(&mut running.file, &bounce.label).is_some();
    let file = &mut running.file;
    if !(of_response || bounce.label == NOTICE) || file.unreached.contains(&to) {
        return;
    }
    let tried = file.addresses.get(&to).copied().unwrap_or(0);
    let addresses = cx.register.speaker(to).map_or(0, |person| person.addresses.len());
    // Another mail to the same address may have shown already that it takes none.
    let next = if bounce.address < tried { tried } else { tried.saturating_add(1) };
    if bounce.address > tried {
        return;
    }
    if usize::from(next) < addresses {
        file.addresses.insert(to, next);
        once_more(running, &bounce.label, to, out, cx);
        return;
    }
    file.addresses.remove(&to);
    let about = if of_response { RESPONSE } else { NOTICE };
    if let Some(response) = numbered(file, &bounce.label) {
        response.awaiting.remove(&to);
    } else {
        file.awaiting.remove(&to);
    }
    unreachable(file, to, about, out, cx);
    if !of_response {
        notice_came_back(running, out, cx);
    }
}

/// The notice, or an answer, to one party again, at the address that is to be tried now.
fn once_more(running: &mut Running, label: &str, to: Party, out: &mut Vec<Effect>, cx: &At) {
    let one = BTreeSet::from([to]);
    if label == NOTICE {
        running.file.awaiting.insert(to);
        mails::addressed(&notice(&running.file, cx), &one, &running.file.addresses, out);
        return;
    }
    let Some(response) = numbered(&mut running.file, label) else { return };
    response.awaiting.insert(to);
    let response = response.clone();
    let data = mails::response(&running.file, &response, &running.stage, cx);
    mails::addressed(&response_notice(response.number, data), &one, &running.file.addresses, out);
}

/// The notice did not reach one of those it was for.
fn notice_came_back(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let file = &running.file;
    let nobody = file.noticed_to.iter().all(|party| file.unreached.contains(party));
    match &mut running.stage {
        Stage::Voting(_) => deciding::freeze(running, Frozen::Unreached, out, cx),
        Stage::Hearing { .. } | Stage::Heard { .. } if nobody && file.leaving.is_none() => {
            running.file.noticed = None;
            running.stage = Stage::Proposed;
        }
        _ => noticed(running, out, cx),
    }
}

/// Staff are asked to reach somebody in another way.
fn unreachable(file: &mut File, who: Party, about: &str, out: &mut Vec<Effect>, cx: &At) {
    if !file.unreached.insert(who) {
        return;
    }
    let mut data = mails::facts(file, cx);
    data["who"] = json!(who);
    data["about"] = json!(about);
    let label = format!("unreachable:{who}");
    let staff = Audience::Role(Role::Staff, None);
    let notice = Notice::new(&label, staff, "decertification/unreachable", data).asking(Asks::Text);
    out.push(Effect::Task(Task::new(notice, None)));
}

/// Staff have reached somebody; how is a step of the file.
pub(super) fn reached(
    running: &mut Running,
    who: Party,
    by: PersonId,
    how: &str,
    at: DateTime<Utc>,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let name = running.file.name.clone();
    if cut(how).is_empty() {
        return Err(mails::not_done(&name, "empty").asking(Asks::Text));
    }
    if !running.file.unreached.remove(&who) {
        return Err(mails::not_done(&name, "task-over"));
    }
    investigation::step(running, Party::Person(by), how, at);
    out.push(Effect::Cancel(format!("unreachable:{who}")));
    noticed(running, out, cx);
    if all_reached(&running.file)
        && matches!(&running.stage, Stage::Voting(Voting { frozen: Some(Frozen::Unreached), .. }))
    {
        deciding::thaw(running, out, cx);
    }
    deciding::open_if_due(running, out, cx);
    Ok(())
}

/// The structure is said to want to leave: its prime alone can say so.
pub(super) fn ask_to_leave(
    running: &mut Running,
    statement: &str,
    entered_by: Option<PersonId>,
    at: DateTime<Utc>,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let Some(prime) = who::prime(&running.file, cx) else {
        return Err(mails::not_done(&running.file.name, "no-prime"));
    };
    if cut(statement).is_empty() {
        return Err(mails::unreadable("statement is empty; write what the structure wrote"));
    }
    let by = entered_by.map_or(prime, Party::Person);
    investigation::step(running, by, statement, at);
    let until = super::opening::leave_by(cx);
    let mut data = mails::facts(&running.file, cx);
    data["text"] = json!(cut(statement));
    data["until"] = json!(until);
    data["days"] = json!(cx.policy.leave_days);
    let notice = Notice::new(LEAVE, prime, "decertification/leave-confirm", data).asking(Asks::Confirm);
    out.push(Effect::Tell(notice.not_after(until)));
    running.stage = Stage::LeaveAsked { until };
    Ok(())
}

/// A member asks, before a vote opens, that it be not public (ambiguity 26).
pub(super) fn non_public(
    running: &mut Running,
    by: PersonId,
    at: DateTime<Utc>,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let name = &running.file.name;
    if !who::sits(by, at, cx) {
        return Err(mails::not_done(name, "non-public"));
    }
    if matches!(running.stage, Stage::Voting(_)) {
        return Err(mails::not_done(name, "non-public-late"));
    }
    running.file.non_public.get_or_insert(by);
    out.push(mails::thanks(&running.file, Party::Person(by), "non-public", cx));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_parts_is_the_same_text_and_each_part_fits() {
        let lines = "строка ответа\n".repeat(700);
        let one = "ответ".repeat(2_000);
        for text in ["", " \n ", "short", lines.trim(), one.as_str(), &format!("{lines}{one}\n{lines}")] {
            let parts = in_parts(text);
            assert!(parts.iter().all(|part| !part.is_empty() && part.len() <= PART));
            let squash = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(squash(&parts.concat()), squash(text));
        }
        assert_eq!(in_parts(lines.trim()).len(), 7, "broken between lines");
    }
}
