//! One step, applied whole, in memory: everything is checked before anything is changed.

use super::super::chain;
use super::super::rules::{Item, ending_text};
use super::super::{CommitError, JournalRow, Publication};
use super::rows::{Case, Moment, Task};
use super::world::World;
use crate::advance::Commit;
use crate::kernel::register::{Change, Register};
use std::sync::Arc;

/// One register in so many changes is kept as it was, so that one of before is a few changes away.
const KEPT_EVERY: u64 = 16;

impl World {
    pub(super) fn commit(&mut self, hand: u64, commit: &Commit) -> Result<(), CommitError> {
        self.check(hand, commit).map_err(CommitError::Conflict)?;
        if let Some((letter, ending)) = &commit.letter {
            let (status, why) = ending_text(ending);
            self.set_letter(*letter, status, why.map(str::to_owned));
            if let Some(row) = self.letter(*letter) {
                row.moved = Some(commit.case.id);
            }
        }
        self.put_case(hand, commit);
        self.cancel(commit);
        for task in &commit.tasks {
            let open = self.tasks.entry(task.case).or_default();
            match open.iter_mut().find(|open| open.row.label == task.label) {
                Some(open) => open.row = task.clone(),
                None => {
                    self.task_numbers += 1;
                    let number = self.task_numbers;
                    open.push(Task { row: task.clone(), opened_at: commit.now, number });
                }
            }
        }
        for row in &commit.outbox {
            self.outbox.insert(row, commit.now);
        }
        for letter in &commit.letters {
            self.insert(letter);
        }
        self.forget(&commit.forget);
        self.drop_papers(&commit.forget);
        self.destroy_papers(&commit.destroy);
        if commit.shred {
            self.shred(commit.case.id);
        }
        self.write_down(commit);
        Ok(())
    }

    fn check(&mut self, hand: u64, commit: &Commit) -> Result<(), &'static str> {
        let id = commit.case.id;
        match (commit.opens, self.cases.get(&id)) {
            (true, Some(_)) => return Err("a case of this number is open already"),
            (false, None) => return Err("there is no such case"),
            (false, Some(case)) if case.row.seq + 1 != commit.case.seq => return Err("the case moved"),
            (false, Some(case)) if commit.clock.is_some() && case.hand != Some(hand) => {
                return Err("the case is no longer in hand");
            }
            _ => {}
        }
        if commit.clock.is_some_and(|clock| self.letters_first(id, clock)) {
            return Err("a letter came in before the clock");
        }
        if let Some((letter, _)) = &commit.letter {
            let ours = self.letter(*letter).is_some_and(|row| row.hand == Some(hand));
            if !ours {
                return Err("the letter is no longer in hand");
            }
        }
        if self.changes.len() as u64 != commit.register_version {
            return Err("the register moved");
        }
        Ok(())
    }

    fn put_case(&mut self, hand: u64, commit: &Commit) {
        let id = commit.case.id;
        self.let_go(hand, Item::Clock(id));
        let before = self.cases.remove(&id);
        if let Some(at) = before.as_ref().and_then(|case| case.row.wake_at) {
            self.due.remove(&(at, id));
        }
        if let Some(at) = commit.case.wake_at {
            self.due.insert((at, id));
        }
        let other = before.as_ref().and_then(|case| case.hand).filter(|other| *other != hand);
        self.cases.insert(
            id,
            Case {
                hand: other,
                stays: before.as_ref().map_or(0, |case| case.stays),
                ..Case::new(commit.case.clone())
            },
        );
    }

    fn write_down(&mut self, commit: &Commit) {
        self.head = chain::link(&self.head, &commit.journal);
        let hash = chain::hex(&self.head);
        let number = self.journal.len() as i64 + 1;
        for record in &commit.records {
            let number = self.publications.len() as i64 + 1;
            let (record, journal_head) = (record.clone(), hash.clone());
            self.publications.push(Publication { number, record, at: commit.now, journal_head });
        }
        self.steps.entry(commit.case.id).or_default().push(self.journal.len());
        self.journal.push(JournalRow { number, entry: commit.journal.clone(), hash });
        self.change(&commit.changes, commit.now);
    }

    pub(super) fn change(&mut self, changes: &[Change], now: Moment) {
        if changes.is_empty() {
            return;
        }
        for change in changes {
            if self.register.version.is_multiple_of(KEPT_EVERY) {
                self.registers.insert(self.register.version, self.register.clone());
            }
            Arc::make_mut(&mut self.register).apply(change);
            self.changes.push(change.clone());
            self.change_times.push(now);
        }
    }

    /// The register of a version: the nearest that was kept before it, and the changes since.
    pub(super) fn register_at(&mut self, version: u64) -> Arc<Register> {
        if version >= self.register.version {
            return self.register.clone();
        }
        let kept = self.registers.range(..=version).next_back();
        let mut register = kept.map(|(_, register)| register.clone()).unwrap_or_default();
        let until = usize::try_from(version).unwrap_or(usize::MAX);
        let from = usize::try_from(register.version).unwrap_or(usize::MAX);
        for change in self.changes.get(from..until).unwrap_or_default() {
            Arc::make_mut(&mut register).apply(change);
        }
        register
    }
}
