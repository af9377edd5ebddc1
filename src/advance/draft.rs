//! A Commit being written: each effect of a step becomes the rows it stands for.

use super::documents::Came;
use super::{CaseRow, Commit, Ending, JournalEntry, LetterBody, NewLetter, OutboxRow, TaskRow};
use crate::kernel::canonical;
use crate::kernel::confidential::Confidences;
use crate::kernel::duties::{self, Duties, Duty};
use crate::kernel::ids::{CaseId, LetterId, NoticeId, Party};
use crate::kernel::register::Register;
use crate::kernel::workflow::{Asks, Audience, Class, Effect, Input, Notice, Refusal, Step, Task};
use crate::workflows::{Case, Kind, Surroundings};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeSet;

/// When the cause of a step reached us; what it causes inherits that.
pub(super) fn arrived(input: &Input, otherwise: DateTime<Utc>) -> DateTime<Utc> {
    match input {
        Input::Reply(reply) => reply.arrived,
        Input::Order(order) => order.at,
        Input::Note(note) => note.arrived,
        Input::Comment(comment) => comment.arrived,
        Input::Reading(reading) => reading.arrived,
        Input::Sent { at, .. } => *at,
        Input::Undelivered(bounce) => bounce.at,
        Input::Progress { .. } | Input::Wake => otherwise,
    }
}

/// A Commit being written.
pub(super) struct Draft<'a> {
    pub(super) at: &'a Surroundings<'a>,
    pub(super) letter: Option<LetterId>,
    pub(super) writers: Vec<Party>,
    pub(super) build: &'a str,
    pub(super) kind: Kind,
    pub(super) seq: u32,
    pub(super) parent: Option<CaseId>,
    pub(super) opened_at: DateTime<Utc>,
    pub(super) input: Value,
    pub(super) arrived: DateTime<Utc>,
    /// The tasks the case waited for before this step.
    pub(super) duties: Duties,
    /// What the case was told in confidence before this step.
    pub(super) confidences: Confidences,
    pub(super) cause: Option<&'a Input>,
}

impl Draft<'_> {
    pub(super) fn row(
        &self,
        phase: &str,
        title: String,
        wake_at: Option<DateTime<Utc>>,
        state: Value,
    ) -> CaseRow {
        CaseRow {
            id: self.at.case,
            kind: self.kind.name().to_owned(),
            phase: phase.to_owned(),
            title,
            seq: self.seq,
            wake_at,
            parent: self.parent,
            opened_at: self.opened_at,
            state,
            duties: Duties::default(),
            confidences: Confidences::default(),
        }
    }

    pub(super) fn commit(
        &self,
        case: CaseRow,
        ending: Ending,
        outcome: String,
        clock: Option<DateTime<Utc>>,
    ) -> Commit {
        let journal = JournalEntry {
            at: self.at.now,
            case: case.id,
            seq: self.seq,
            kind: case.kind.clone(),
            input: self.input.clone(),
            register_version: self.at.register.version,
            policy: self.at.policies.digest(),
            build: self.build.to_owned(),
            outcome,
            state_hash: canonical::hash_json(&case.state),
            effects_hash: String::new(),
        };
        Commit {
            now: self.at.now,
            register_version: self.at.register.version,
            letter: self.letter.map(|letter| (letter, ending)),
            clock,
            opens: self.seq == 0,
            case,
            journal,
            outbox: Vec::new(),
            letters: Vec::new(),
            changes: Vec::new(),
            records: Vec::new(),
            cancelled: Vec::new(),
            tasks: Vec::new(),
            shred: false,
            forget: Vec::new(),
            destroy: Vec::new(),
        }
    }

    pub(super) fn acted(self, step: Step<Case>, clock: Option<DateTime<Utc>>, came: &Came) -> Commit {
        let case = &step.state;
        let held = case.shelf().map(|shelf| shelf.folder.handles()).unwrap_or_default();
        let row = self.row(case.phase(), case.title(), case.wake_at(), case.save());
        let mut commit = self.commit(row, Ending::Acted, "acted".to_owned(), clock);
        commit.case.duties = self.duties.clone();
        commit.case.confidences = self.confidences.clone();
        if let Some(Input::Comment(comment)) = self.cause {
            commit.case.confidences.take(comment);
        }
        for effect in step.effects {
            self.carry_out(effect, &mut commit);
        }
        self.tell_others(case.titles(), &mut commit);
        self.deputies_step_in(&mut commit);
        came.settle(&held, &mut commit);
        let clocks = [commit.case.wake_at, commit.case.duties.next()];
        commit.case.wake_at = clocks.into_iter().flatten().min();
        commit
    }

    /// Somebody did a task that others were asked to do as well: they need not.
    fn tell_others(&self, titles: Value, commit: &mut Commit) {
        let Some(cause) = self.cause else { return };
        let labels: BTreeSet<String> = commit.cancelled.iter().cloned().collect();
        for label in labels {
            let Some(doer) = duties::doer(cause, &label) else { continue };
            let Some(duty) = self.duties.get(&label).filter(|_| commit.case.duties.get(&label).is_none())
            else {
                continue;
            };
            let data = serde_json::json!({ "title": titles, "by": doer, "case": self.at.case.to_string() });
            let others = Audience::Parties(duty.others(doer));
            self.tell(Notice::new("taken", others, "office/task-taken", data), commit);
        }
    }

    /// Those who deputise for people that have not done a task in time are asked with the same mail.
    fn deputies_step_in(&self, commit: &mut Commit) {
        if self.cause != Some(&Input::Wake) {
            return;
        }
        for (label, duty) in commit.case.duties.step_in(self.at.register, self.at.now) {
            let n = commit.outbox.len();
            let (asks, class, not_after) = (duty.asks, duty.class, duty.not_after);
            let to = Audience::Parties(duty.deputies.clone());
            let notice =
                Notice { asks, class, not_after, ..Notice::new(&label, to, "", duty.for_deputies()) };
            self.tell(notice, commit);
            commit.outbox[n..].iter_mut().for_each(|row| row.template.clone_from(&duty.template));
            commit.tasks.push(self.task_row(label, &duty));
        }
    }

    /// A task with everybody who was asked so far.
    fn task_row(&self, label: String, duty: &Duty) -> TaskRow {
        let to = duty.asked.iter().chain(&duty.deputies).copied().collect();
        TaskRow { case: self.at.case, label, template: duty.template.clone(), to, due: duty.due }
    }

    pub(super) fn refused(&self, refusal: &Refusal, row: CaseRow, to: Option<(Party, String)>) -> Commit {
        let outcome = format!("refused: {} {}", refusal.template, refusal.data);
        let ending = Ending::Refused(refusal.template.to_owned());
        let mut commit = self.commit(row, ending, outcome, None);
        if let Some(Input::Comment(comment)) = self.cause {
            commit.forget = comment.handles();
        }
        if let Some((to, label)) = to {
            let anonymous = matches!(to, Party::Anonymous(_));
            let notice = Notice {
                asks: refusal.asks,
                class: if anonymous { Class::Confidential } else { Class::General },
                ..Notice::new(&label, to, refusal.template, refusal.data.clone())
            };
            self.tell(notice, &mut commit);
            commit.outbox.iter_mut().for_each(|row| row.refusal = true);
        }
        commit
    }

    fn carry_out(&self, effect: Effect, commit: &mut Commit) {
        match effect {
            Effect::Tell(notice) => self.tell(notice, commit),
            Effect::Task(task) => self.ask(task, commit),
            Effect::Cancel(label) => {
                commit.case.duties.done(&label);
                commit.cancelled.push(label);
            }
            Effect::Open(opening) => self.letter(LetterBody::Opens(opening), commit),
            Effect::Note { to, body } => {
                let note = crate::kernel::workflow::Note { from: self.at.case, body, arrived: self.arrived };
                self.letter(LetterBody::ToCase(to, Input::Note(note)), commit);
            }
            Effect::Register(change) => commit.changes.push(change),
            Effect::Publish(record) => commit.records.push(record),
            Effect::Shred => {
                commit.shred = true;
                commit.case.confidences.shred();
            }
        }
    }

    /// Asks for a task, and whoever stepped in when the same was asked before.
    fn ask(&self, mut task: Task, commit: &mut Commit) {
        let label = task.notice.label.clone();
        let before = self.duties.get(&label);
        let mut to = audience(&task.notice.to, self.at.register, self.at.now);
        let stepped_in = before.map(|duty| duty.deputies.as_slice()).unwrap_or_default();
        to.extend(stepped_in.iter().filter(|party| !to.contains(party)).copied().collect::<Vec<_>>());
        task.notice.to = Audience::Parties(to.clone());
        commit.case.duties.ask(&task, &to, before, &self.at.policies.tasks, self.at.now);
        self.tell(task.notice, commit);
        if let Some(duty) = commit.case.duties.get(&label) {
            let row = self.task_row(label, duty);
            commit.tasks.push(row);
        }
    }

    /// One row for each of the audience.
    pub(super) fn tell(&self, notice: Notice, commit: &mut Commit) {
        let confidences = &mut commit.case.confidences;
        confidences.told |= notice.class == Class::Confidential;
        if let Asks::Comment(region) = notice.asks {
            confidences.region = Some(region);
        }
        let parties = audience(&notice.to, self.at.register, self.at.now);
        for party in &parties {
            let n = u16::try_from(commit.outbox.len()).expect("an audience of a step is far below 65,536");
            commit.outbox.push(OutboxRow {
                id: NoticeId { case: self.at.case, seq: self.seq, n },
                label: notice.label.clone(),
                to: *party,
                address: notice.address,
                template: notice.template.to_owned(),
                data: notice.data.clone(),
                asks: notice.asks,
                class: notice.class,
                not_after: notice.not_after,
                report_sent: notice.report_sent,
                calendar: notice.calendar.clone(),
                answers: self.letter.filter(|_| self.writers.contains(party)),
                refusal: false,
            });
        }
    }

    fn letter(&self, body: LetterBody, commit: &mut Commit) {
        let key = format!("case:{}:{}:{}", self.at.case, self.seq, commit.letters.len());
        let letter = NewLetter { key, body, arrived: self.arrived, mail: None, message_id: None };
        commit.letters.push(letter);
    }
}

/// Who that is now. A role nobody holds falls to its deputies.
fn audience(audience: &Audience, register: &Register, now: DateTime<Utc>) -> Vec<Party> {
    match audience {
        Audience::Parties(parties) => parties.clone(),
        Audience::Role(role, region) => {
            let holders = register.holders(*role, *region, now);
            let deputies = || role.deputy().map(|deputy| register.holders(deputy, *region, now));
            let people = if holders.is_empty() { deputies().unwrap_or_default() } else { holders };
            people.into_iter().map(Party::Person).collect()
        }
    }
}
