//! Step 2: staff hold the application against the criteria (A.2), do the tasks of A.3, ask the applicant, and
//! finish. By replying to the task's mail, a line for each thing, or with orders at the keyboard.

use super::{At, File, Finding, Met, Running, Stage, Timer, days, documents, mails, review};
use crate::kernel::form::Value as Answer;
use crate::kernel::ids::PersonId;
use crate::kernel::people::{Region, Role};
use crate::kernel::workflow::{Asks, Audience, Effect, Notice, Refusal, Reply, Task};
use crate::letters::acts::{self, Act, Item};
use chrono::{DateTime, Utc};
use serde_json::Value;

pub(super) const LABEL: &str = "diligence";
/// How many criteria there are.
pub(super) const CRITERIA: u8 = 9;
/// The tasks: references, interview, more information, leadership and operations (of existing organisations),
/// funding, identity of constituents.
pub(super) const TASKS: [char; 6] = ['a', 'b', 'c', 'd', 'e', 'f'];
/// Characters of a note or a question.
const LONGEST: usize = 4_000;
/// Findings of one criterion that are kept.
const VERSIONS: usize = 20;

/// One thing staff record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Entry {
    Criterion {
        number: u8,
        result: Met,
        note: String,
    },
    /// The conclusion alone is kept: a list of members that proves it is not.
    Check {
        task: char,
        conclusion: String,
    },
    Ask(String),
    Release,
    Region(Region),
    /// A document of this number proves who somebody is.
    Proof(u32),
    Finish,
}

pub(super) fn task(file: &File, due: DateTime<Utc>, cx: &At) -> Task {
    let data = mails::diligence(file, due, cx);
    let notice = Notice::new(LABEL, Audience::Role(Role::Staff, None), "accreditation/diligence", data);
    Task::new(notice.asking(Asks::Text), Some(due))
}

/// What a reply records, line by line. A question to the applicant runs on until the next such line.
pub(super) fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut asks = false;
    for written in text.lines().take(500) {
        let entry = acts::line(written).and_then(|line| of_line(&line)).or_else(|| check(written));
        match entry {
            Some(entry) => {
                asks = matches!(entry, Entry::Ask(_));
                entries.push(entry);
            }
            None if asks => {
                if let Some(Entry::Ask(question)) = entries.last_mut() {
                    question.push('\n');
                    question.push_str(written);
                }
            }
            None => {}
        }
    }
    for entry in &mut entries {
        if let Entry::Ask(question) = entry {
            *question = cut(question);
        }
    }
    entries.retain(|entry| !matches!(entry, Entry::Ask(question) if question.is_empty()));
    entries
}

fn of_line(line: &acts::Line<'_>) -> Option<Entry> {
    let criterion = |result| match line.item {
        Some(Item::Number(number)) => Some(Entry::Criterion { number, result, note: cut(line.note) }),
        _ => None,
    };
    match line.act {
        Act::Met => criterion(Met::Met),
        Act::NotMet => criterion(Met::NotMet),
        Act::Unclear => criterion(Met::Unclear),
        Act::Ask => Some(Entry::Ask(line.note.to_owned())),
        Act::Proof => match line.item {
            Some(Item::Number(number)) => Some(Entry::Proof(u32::from(number))),
            _ => line.note.trim().parse().ok().map(Entry::Proof),
        },
        Act::Release if line.note.is_empty() => Some(Entry::Release),
        Act::Finish if line.note.is_empty() => Some(Entry::Finish),
        _ => None,
    }
}

/// "A: three references, all good".
fn check(written: &str) -> Option<Entry> {
    let (item, rest) = acts::item(written.trim());
    match item {
        Some(Item::Letter(task)) if TASKS.contains(&task) && !rest.trim().is_empty() => {
            Some(Entry::Check { task, conclusion: cut(rest) })
        }
        _ => None,
    }
}

pub(super) fn cut(text: &str) -> String {
    text.trim().chars().take(LONGEST).collect()
}

/// Staff's reply to the task.
pub(super) fn reply(
    running: &mut Running,
    by: PersonId,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let entries = entries(&reply.said.text);
    if entries.is_empty() {
        return Err(unfinished(&running.file, "unclear"));
    }
    let finishes = entries.contains(&Entry::Finish);
    for entry in entries.into_iter().filter(|entry| *entry != Entry::Finish) {
        record(running, by, reply.arrived, entry, out, cx)?;
    }
    // What was recorded stays recorded, though it cannot be finished yet.
    let problem = match finishes {
        true if finish(running, reply.arrived, out, cx).is_ok() => return Ok(()),
        true => "open",
        false => "none",
    };
    let data = mails::open_items(&running.file, problem);
    let noted = Notice::new(LABEL, reply.from, "accreditation/diligence-noted", data);
    out.push(Effect::Tell(noted.asking(Asks::Text)));
    Ok(())
}

/// Why nothing was recorded, or it is not finished; one can go on by answering.
fn unfinished(file: &File, problem: &str) -> Refusal {
    let refusal = Refusal::new("accreditation/diligence-noted", mails::open_items(file, problem));
    refusal.asking(Asks::Text).about(LABEL.to_owned())
}

/// Records one thing. Only a finish, and what comes too late, can be refused.
pub(super) fn record(
    running: &mut Running,
    by: PersonId,
    at: DateTime<Utc>,
    entry: Entry,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let stage = running.stage.name();
    let open = matches!(running.stage, Stage::DueDiligence(_));
    let file = &mut running.file;
    match entry {
        Entry::Release => {
            file.released = true;
            let record = super::record::running(file, stage, cx);
            out.push(Effect::Publish(record));
        }
        Entry::Proof(number) => documents::proof(running, number, at)?,
        _ if !open => {
            return Err(mails::not_done(&file.name(), "task-over"));
        }
        Entry::Criterion { number, result, note } => {
            if !(1..=CRITERIA).contains(&number) {
                return Err(unfinished(file, "unclear"));
            }
            let versions = file.diligence.criteria.entry(number).or_default();
            versions.push(Finding { result, note, by, at });
            if versions.len() > VERSIONS {
                versions.remove(0);
            }
        }
        Entry::Check { task, conclusion } => {
            file.diligence.tasks.insert(task, conclusion);
            documents::after(task, file, at);
        }
        Entry::Region(region) => file.region = Some(region),
        Entry::Ask(question) => ask(file, &question, out, cx),
        Entry::Finish => finish(running, at, out, cx)?,
    }
    Ok(())
}

/// A question to the applicant. It suspends nothing: staff cannot (B).
fn ask(file: &mut File, question: &str, out: &mut Vec<Effect>, cx: &At) {
    file.questions += 1;
    let label = format!("question:{}", file.questions);
    let mut data = mails::facts(file, cx);
    data["question"] = Value::String(question.to_owned());
    let notice = Notice::new(&label, file.applicant, "accreditation/question", data).asking(Asks::Text);
    out.push(Effect::Tell(file.addressed(notice)));
}

/// Whether so few belong to the group that a person must judge (criterion 7). A warning, never a decision.
pub(super) fn few_members(file: &File) -> bool {
    let people = |id: &str| match file.answer(id) {
        Some(Answer::People(people)) => u64::try_from(people.len()).unwrap_or(u64::MAX),
        _ => 0,
    };
    match file.answer("members") {
        Some(Answer::Number(members)) => members.high <= people("representatives") + people("leaders"),
        _ => false,
    }
}

/// The result goes to the members of exactly one region's organisation, as it stands now.
fn finish(running: &mut Running, at: DateTime<Utc>, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    let file = &mut running.file;
    let missing = (1..=CRITERIA).any(|number| !file.diligence.criteria.contains_key(&number));
    let Some(region) = file.region.filter(|_| !missing) else {
        return Err(unfinished(file, "open"));
    };
    if file.suspended() {
        return Err(mails::not_done(&file.name(), "suspended-now"));
    }
    file.diligence.finished = Some(at);
    let due = cx.now + days(cx.policy.review_days);
    out.push(Effect::Cancel(LABEL.to_owned()));
    review::invite(file, region, due, out, cx);
    running.stage = Stage::RegionalReview(Timer::new(due, &[cx.policy.review_reminder_days], cx.now));
    Ok(())
}

/// The time for due diligence is over: staff are reminded, and again; nothing else follows.
pub(super) fn wake(file: &File, timer: &mut Timer, out: &mut Vec<Effect>, cx: &At) {
    if super::over(timer.due) > cx.now {
        return;
    }
    let task = task(file, timer.due, cx);
    out.push(Effect::Cancel(LABEL.to_owned()));
    out.push(Effect::Task(task));
    timer.due = cx.now + days(cx.policy.overdue_reminder_days);
}
