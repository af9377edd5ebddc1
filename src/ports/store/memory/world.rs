//! The record's rows in memory, and the indexes by which claims find theirs.

use super::super::rules::{self, Item};
use super::super::{Books, Claimed, Mail, NewMail, Publication, Sorted};
use super::confidential::Secret;
use super::outbox::Outbox;
use super::rows::{Case, LetterRow, MailRow, Moment, Task};
use crate::advance::{CaseRow, Ending, NewLetter};
use crate::kernel::ids::{CaseId, LetterId, MailId, StrangerId};
use crate::kernel::language::Language;
use crate::kernel::register::{Change, Register};
use crate::ports::mailbox::{Cursor, Place};
use crate::ports::store::chain::{GENESIS, Link};
use crate::ports::store::{JournalRow, Paper, Upload};
use chrono::Duration;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

#[derive(Default)]
pub(super) struct World {
    pub(super) changes: Vec<Change>,
    /// When each of them was made.
    pub(super) change_times: Vec<Moment>,
    pub(super) register: Arc<Register>,
    /// Registers of before, by their versions: one in so many.
    pub(super) registers: BTreeMap<u64, Arc<Register>>,
    pub(super) strangers: Vec<(String, Language, Moment)>,
    /// Mails nobody vouches for: when, from which domain, whether let in.
    pub(super) knocks: BTreeMap<MailId, (Moment, String, bool)>,
    pub(super) stranger_by_address: HashMap<String, StrangerId>,
    pub(super) mailboxes: BTreeMap<String, Moment>,
    pub(super) cursors: BTreeMap<(String, String), Cursor>,
    pub(super) mails: Vec<MailRow>,
    pub(super) dedup: HashMap<[u8; 32], MailId>,
    pub(super) papers: BTreeMap<String, Paper>,
    pub(super) places: BTreeMap<(String, Place), MailId>,
    /// Parts of large mails: when they came, and their sealed bytes.
    pub(super) parts: BTreeMap<(Upload, u32), (Moment, Vec<u8>)>,
    pub(super) letters: Vec<LetterRow>,
    pub(super) keys: HashMap<String, LetterId>,
    pub(super) cases: BTreeMap<CaseId, Case>,
    pub(super) case_numbers: i64,
    /// Open tasks by case.
    pub(super) tasks: BTreeMap<CaseId, Vec<Task>>,
    pub(super) task_numbers: u64,
    pub(super) journal: Vec<JournalRow>,
    pub(super) head: Link,
    pub(super) outbox: Outbox,
    pub(super) publications: Vec<Publication>,
    pub(super) shreds: BTreeSet<CaseId>,
    /// What is sealed, by handle.
    pub(super) sealed: BTreeMap<String, Secret>,
    /// Mails to be removed from their mailbox.
    pub(super) expunges: BTreeSet<(String, Place)>,
    pub(super) spent: BTreeSet<String>,
    pub(super) policies: BTreeMap<String, String>,
    pub(super) facts: BTreeMap<String, String>,
    pub(super) instances: u64,
    /// The last moment at which anybody looked for work.
    pub(super) seen: Moment,
    /// How the mails stand, counted as they change.
    pub(super) books: Books,
    /// Indexes: mails not sorted, mails and letters in quarantine, letters waiting, letters unfinished by
    /// case, letters by mail, mails by Message-ID, cases by clock, rows of the journal by case.
    pub(super) unsorted: BTreeSet<(Moment, MailId)>,
    pub(super) held_mails: BTreeSet<MailId>,
    pub(super) held_letters: BTreeSet<LetterId>,
    pub(super) waiting: BTreeSet<(Moment, LetterId)>,
    pub(super) unfinished: BTreeMap<CaseId, BTreeSet<(Moment, LetterId)>>,
    pub(super) of_mail: BTreeMap<MailId, Vec<LetterId>>,
    pub(super) said: HashMap<String, BTreeSet<MailId>>,
    pub(super) due: BTreeSet<(Moment, CaseId)>,
    pub(super) steps: BTreeMap<CaseId, Vec<usize>>,
    pub(super) in_hand: BTreeMap<u64, BTreeSet<Item>>,
}

/// Into a set or out of it.
pub(super) fn put<T: Ord>(set: &mut BTreeSet<T>, item: T, belongs: bool) {
    if belongs {
        set.insert(item);
    } else {
        set.remove(&item);
    }
}

/// Rows are numbered from 1 in the order in which they came.
pub(super) fn index(id: i64) -> usize {
    usize::try_from(id - 1).unwrap_or(usize::MAX)
}

impl World {
    pub(super) fn new() -> World {
        World { head: GENESIS, ..World::default() }
    }

    pub(super) fn mail(&mut self, id: MailId) -> Option<&mut MailRow> {
        self.mails.get_mut(index(id.0))
    }

    pub(super) fn letter(&mut self, id: LetterId) -> Option<&mut LetterRow> {
        self.letters.get_mut(index(id.0))
    }

    /// Gives a mail another status, and the books their due.
    pub(super) fn set_mail(&mut self, id: MailId, status: &'static str) {
        let Some(row) = self.mails.get_mut(index(id.0)) else { return };
        *rules::column(&mut self.books, row.status) -= 1;
        *rules::column(&mut self.books, status) += 1;
        row.status = status;
        let key = (row.mail.arrived, id);
        put(&mut self.unsorted, key, status == "unsorted");
        put(&mut self.held_mails, id, status == "quarantined");
    }

    pub(super) fn take(&mut self, hand: u64, item: Item) {
        self.in_hand.entry(hand).or_default().insert(item);
    }

    /// What is suspect goes alone: nothing beside it in this hand, and it beside nothing.
    pub(super) fn may_take(&self, hand: u64, suspect: bool) -> bool {
        let Some(items) = self.in_hand.get(&hand) else { return true };
        items.is_empty() || !(suspect || items.iter().any(|item| self.is_suspect(item)))
    }

    fn is_suspect(&self, item: &Item) -> bool {
        match item {
            Item::Mail(id) => self.mails[index(id.0)].suspect,
            Item::Letter(id) => self.letters[index(id.0)].suspect,
            Item::Clock(id) => self.cases[id].suspect,
            Item::Notice(id) => self.outbox.get(*id).is_some_and(|notice| notice.suspect),
        }
    }

    pub(super) fn let_go(&mut self, hand: u64, item: Item) {
        if let Some(items) = self.in_hand.get_mut(&hand) {
            items.remove(&item);
        }
    }

    pub(super) fn store(&mut self, mailbox: &str, mail: &NewMail) -> (MailId, bool) {
        let place = (mailbox.to_owned(), mail.place.clone());
        if let Some(id) = self.places.get(&place).copied() {
            mail.upload.into_iter().for_each(|upload| self.forget_parts(upload));
            return (id, false);
        }
        let known = self.dedup.get(&mail.dedup).copied();
        let id = known.unwrap_or(MailId(self.mails.len() as i64 + 1));
        self.places.insert(place.clone(), id);
        if let Some(row) = self.mail(id) {
            row.mail.junk &= mail.junk;
            if row.mail.confidential.is_some() {
                self.expunges.insert(place);
            }
            mail.upload.into_iter().for_each(|upload| self.forget_parts(upload));
            return (id, false);
        }
        if mail.confidential.is_some() {
            self.expunges.insert(place);
        }
        self.dedup.insert(mail.dedup, id);
        let row = MailRow::new(mail.clone());
        self.books.received += 1;
        *rules::column(&mut self.books, row.status) += 1;
        self.mails.push(row);
        self.unsorted.insert((mail.arrived, id));
        (id, true)
    }

    pub(super) fn claim_mail(&mut self, hand: u64, now: Moment) -> Option<Mail> {
        self.seen = now;
        let free = |(_, id): &&(Moment, MailId)| {
            let row = &self.mails[index(id.0)];
            row.hand.is_none()
                && row.not_before.is_none_or(|at| at <= now)
                && self.may_take(hand, row.suspect)
        };
        let (_, id) = *self.unsorted.iter().find(free)?;
        self.take(hand, Item::Mail(id));
        let row = self.mail(id)?;
        row.hand = Some(hand);
        Some(row.as_mail(id))
    }

    pub(super) fn sort(&mut self, id: MailId, sorted: &Sorted) {
        let (status, why) = match sorted {
            Sorted::Letters(letters) if letters.is_empty() => ("silent", Some("no letter in it")),
            Sorted::Letters(_) => ("waiting", None),
            Sorted::Silent(why) => ("silent", Some(why.as_str())),
            Sorted::Quarantined(why) => ("quarantined", Some(why.as_str())),
        };
        let Some(row) = self.mail(id).filter(|row| row.status == "unsorted") else { return };
        row.why = why.map(str::to_owned);
        if let Some(hand) = row.hand.take() {
            self.let_go(hand, Item::Mail(id));
        }
        self.set_mail(id, status);
        if let Sorted::Letters(letters) = sorted {
            for letter in letters {
                self.insert(letter);
            }
            if !letters.is_empty() {
                self.add_up(id);
            }
        }
    }

    /// Inserts a letter unless its key is known.
    pub(super) fn insert(&mut self, letter: &NewLetter) -> (LetterId, bool) {
        if let Some(id) = self.keys.get(&letter.key) {
            return (*id, false);
        }
        let id = LetterId(self.letters.len() as i64 + 1);
        self.keys.insert(letter.key.clone(), id);
        if let Some(mail) = letter.mail {
            self.of_mail.entry(mail).or_default().push(id);
        }
        if let (Some(mail), Some(message_id)) = (letter.mail, &letter.message_id) {
            self.said.entry(message_id.clone()).or_default().insert(mail);
        }
        self.letters.push(LetterRow::new(letter.clone()));
        self.wait(id);
        (id, true)
    }

    /// Puts a waiting letter into the indexes.
    fn wait(&mut self, id: LetterId) {
        let Some(row) = self.letter(id) else { return };
        let (arrived, target) = (row.letter.arrived, row.target());
        self.waiting.insert((arrived, id));
        if let Some(case) = target {
            self.unfinished.entry(case).or_default().insert((arrived, id));
        }
    }

    /// Gives a letter another status, out of any hand, and its mail the sum of its letters'.
    pub(super) fn set_letter(&mut self, id: LetterId, status: &'static str, why: Option<String>) {
        let Some(row) = self.letter(id) else { return };
        row.status = status;
        row.why = why;
        let (arrived, target, mail) = (row.letter.arrived, row.target(), row.letter.mail);
        self.free_letter(id);
        self.waiting.remove(&(arrived, id));
        put(&mut self.held_letters, id, status == "quarantined");
        if let Some(letters) = target.and_then(|case| self.unfinished.get_mut(&case)) {
            letters.remove(&(arrived, id));
        }
        match (status, target) {
            ("waiting", _) => self.wait(id),
            ("quarantined", Some(case)) => {
                self.unfinished.entry(case).or_default().insert((arrived, id));
            }
            _ => {}
        }
        if let Some(mail) = mail {
            self.add_up(mail);
        }
    }

    /// Takes a letter, and the case it is for, out of the hand they are in.
    pub(super) fn free_letter(&mut self, id: LetterId) {
        let Some(row) = self.letter(id) else { return };
        let target = row.target();
        let Some(hand) = row.hand.take() else { return };
        self.let_go(hand, Item::Letter(id));
        if let Some(case) = target.and_then(|case| self.cases.get_mut(&case))
            && case.hand == Some(hand)
        {
            case.hand = None;
        }
    }

    fn add_up(&mut self, mail: MailId) {
        let letters = self.of_mail.get(&mail).map_or(&[][..], Vec::as_slice);
        let any = |status| letters.iter().any(|id| self.letters[index(id.0)].status == status);
        let sum = ["quarantined", "waiting", "acted", "refused"].into_iter().find(|status| any(*status));
        self.set_mail(mail, sum.unwrap_or("silent"));
    }

    pub(super) fn claim_letter(&mut self, hand: u64, now: Moment) -> Option<Claimed> {
        self.seen = now;
        let free = |(arrived, id): &&(Moment, LetterId)| {
            let row = &self.letters[index(id.0)];
            row.hand.is_none()
                && row.not_before.is_none_or(|at| at <= now)
                && self.may_take(hand, row.suspect)
                && row.target().is_none_or(|case| {
                    self.cases.get(&case).is_none_or(|case| case.hand.is_none())
                        && self.first_waiting(case) == Some((*arrived, *id))
                })
        };
        let (_, id) = *self.waiting.iter().find(free)?;
        self.take(hand, Item::Letter(id));
        let row = self.letter(id)?;
        row.hand = Some(hand);
        row.not_before = None;
        let (letter, target) = (row.letter.clone(), row.target());
        let case = target.and_then(|case| self.cases.get_mut(&case)).map(|case| {
            case.hand = Some(hand);
            case.row.clone()
        });
        Some(Claimed { id, letter, case })
    }

    fn first_waiting(&self, case: CaseId) -> Option<(Moment, LetterId)> {
        let letters = self.unfinished.get(&case)?;
        letters.iter().find(|(_, id)| self.letters[index(id.0)].status == "waiting").copied()
    }

    /// Whether a letter for this case that arrived by `moment` is unfinished, or may be: an unsorted mail.
    pub(super) fn letters_first(&self, case: CaseId, moment: Moment) -> bool {
        self.unsorted.first().is_some_and(|(arrived, _)| *arrived <= moment)
            || self
                .unfinished
                .get(&case)
                .and_then(BTreeSet::first)
                .is_some_and(|(arrived, _)| *arrived <= moment)
            || self.held_mails.iter().any(|id| {
                let mail = &self.mails[index(id.0)].mail;
                mail.case_hint == Some(case) && mail.arrived <= moment
            })
    }

    pub(super) fn claim_due(
        &mut self,
        hand: u64,
        now: Moment,
        settle: Duration,
        mailboxes: &[String],
    ) -> Option<CaseRow> {
        self.seen = now;
        let mut until = now;
        for mailbox in mailboxes {
            until = until.min(self.mailboxes.get(mailbox)?.checked_sub_signed(settle)?);
        }
        let due = |(at, id): &&(Moment, CaseId)| {
            let free = |case: &Case| {
                case.hand.is_none()
                    && case.not_before.is_none_or(|at| at <= now)
                    && self.may_take(hand, case.suspect)
            };
            self.cases.get(id).is_some_and(free) && !self.letters_first(*id, *at)
        };
        let (_, id) = *self.due.iter().take_while(|(at, _)| *at <= until).find(due)?;
        self.take(hand, Item::Clock(id));
        let case = self.cases.get_mut(&id)?;
        case.hand = Some(hand);
        Some(case.row.clone())
    }

    pub(super) fn release_case(&mut self, hand: u64, id: CaseId) {
        self.let_go(hand, Item::Clock(id));
        if let Some(case) = self.cases.get_mut(&id)
            && case.hand == Some(hand)
        {
            case.hand = None;
            case.suspect = false;
        }
    }

    pub(super) fn put_back_clock(&mut self, hand: u64, id: CaseId, at: Moment) {
        if let Some(case) = self.cases.get_mut(&id).filter(|case| case.hand == Some(hand)) {
            case.not_before = Some(at);
        }
        self.release_case(hand, id);
    }

    pub(super) fn stick_clock(&mut self, hand: u64, id: CaseId, why: &str) {
        if let Some(case) = self.cases.get_mut(&id).filter(|case| case.hand == Some(hand)) {
            case.stuck = Some(why.to_owned());
            if let Some(at) = case.row.wake_at {
                self.due.remove(&(at, id));
            }
        }
        self.release_case(hand, id);
    }

    pub(super) fn ending(&mut self, id: LetterId) -> Option<(Ending, Option<CaseId>)> {
        let row = self.letter(id)?;
        Some((rules::ending_of(row.status, row.why.clone())?, row.moved))
    }
}
