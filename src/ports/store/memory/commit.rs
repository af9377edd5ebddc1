//! One step, applied whole, in memory: everything is checked before anything is changed.

use super::super::chain;
use super::super::rules::{Item, ending_text};
use super::super::{CommitError, JournalRow, Publication};
use super::world::{Case, Notice, Task, World};
use crate::advance::Commit;
use crate::kernel::register::Change;
use std::sync::Arc;

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
            let same =
                |open: &&mut Task| !open.closed && open.row.case == task.case && open.row.label == task.label;
            match self.tasks.iter_mut().find(same) {
                Some(open) => open.row = task.clone(),
                None => self.tasks.push(Task { row: task.clone(), opened_at: commit.now, closed: false }),
            }
        }
        for row in &commit.outbox {
            let notice = Notice {
                row: row.clone(),
                created: commit.now,
                status: "waiting",
                why: None,
                closed: false,
                next_try: None,
                tries: 0,
                bytes: None,
                print: None,
                sent_at: None,
                hand: None,
                attempts: 0,
                suspect: false,
            };
            self.outbox.insert(row.id, notice);
            self.outgoing.insert((commit.now, row.id));
        }
        for letter in &commit.letters {
            self.insert(letter);
        }
        if commit.shred {
            self.shreds.insert(commit.case.id);
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

    fn cancel(&mut self, commit: &Commit) {
        if commit.cancelled.is_empty() {
            return;
        }
        let id = commit.case.id;
        let from = crate::kernel::ids::NoticeId { case: id, seq: 0, n: 0 };
        let cancelled: Vec<_> = self
            .outbox
            .range_mut(from..)
            .take_while(|(notice, _)| notice.case == id)
            .filter(|(_, notice)| commit.cancelled.contains(&notice.row.label))
            .filter_map(|(id, notice)| {
                notice.closed = true;
                (notice.status == "waiting" && notice.hand.is_none()).then_some(*id)
            })
            .collect();
        for notice in cancelled {
            self.set_notice(notice, "lapsed", None);
        }
        for task in &mut self.tasks {
            task.closed |= task.row.case == id && commit.cancelled.contains(&task.row.label);
        }
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
        self.journal.push(JournalRow { number, entry: commit.journal.clone(), hash });
        self.change(&commit.changes);
    }

    pub(super) fn change(&mut self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let register = Arc::make_mut(&mut self.register);
        for change in changes {
            register.apply(change);
            self.changes.push(change.clone());
        }
    }
}
