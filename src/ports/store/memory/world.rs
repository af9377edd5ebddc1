//! The record's rows in memory, and the indexes by which claims find theirs.

use super::super::rules::{self, Item};
use super::super::{Claimed, Mail, NewMail, Outgoing, Publication, Sealed, Sorted};
use crate::advance::{CaseRow, Ending, LetterBody, NewLetter, OutboxRow, TaskRow};
use crate::kernel::ids::{CaseId, LetterId, MailId, NoticeId, StrangerId};
use crate::kernel::language::Language;
use crate::kernel::register::{Change, Register};
use crate::letters::print::Print;
use crate::ports::mailbox::{Cursor, Place};
use crate::ports::store::JournalRow;
use crate::ports::store::chain::{GENESIS, Link};
use chrono::{DateTime, Duration, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

type Moment = DateTime<Utc>;

pub(super) struct MailRow {
    pub(super) mail: NewMail,
    pub(super) status: &'static str,
    pub(super) why: Option<String>,
    pub(super) not_before: Option<Moment>,
    pub(super) hand: Option<u64>,
    pub(super) attempts: i16,
    pub(super) suspect: bool,
    pub(super) accepted: bool,
    pub(super) stays: u32,
    pub(super) checked: Option<Sealed>,
}

pub(super) struct LetterRow {
    pub(super) letter: NewLetter,
    pub(super) status: &'static str,
    pub(super) why: Option<String>,
    pub(super) moved: Option<CaseId>,
    pub(super) not_before: Option<Moment>,
    pub(super) hand: Option<u64>,
    pub(super) attempts: i16,
    pub(super) suspect: bool,
    pub(super) stays: u32,
}

impl LetterRow {
    pub(super) fn target(&self) -> Option<CaseId> {
        match &self.letter.body {
            LetterBody::ToCase(case, _) => Some(*case),
            LetterBody::Opens(_) => None,
        }
    }
}

pub(super) struct Case {
    pub(super) row: CaseRow,
    pub(super) hand: Option<u64>,
    pub(super) attempts: i16,
    pub(super) suspect: bool,
    /// Why its clock no longer fires.
    pub(super) stuck: Option<String>,
    /// Its clock was put back until then.
    pub(super) not_before: Option<Moment>,
    pub(super) stays: u32,
}

impl Case {
    pub(super) fn new(row: CaseRow) -> Case {
        Case { row, hand: None, attempts: 0, suspect: false, stuck: None, not_before: None, stays: 0 }
    }
}

pub(super) struct Notice {
    pub(super) row: OutboxRow,
    pub(super) created: Moment,
    pub(super) status: &'static str,
    pub(super) why: Option<String>,
    pub(super) closed: bool,
    pub(super) next_try: Option<Moment>,
    pub(super) tries: u32,
    pub(super) bytes: Option<Sealed>,
    pub(super) print: Option<Print>,
    pub(super) sent_at: Option<Moment>,
    pub(super) hand: Option<u64>,
    pub(super) attempts: i16,
    pub(super) suspect: bool,
}

pub(super) struct Task {
    pub(super) row: TaskRow,
    pub(super) opened_at: Moment,
    pub(super) closed: bool,
}

#[derive(Default)]
pub(super) struct World {
    pub(super) changes: Vec<Change>,
    pub(super) register: Arc<Register>,
    pub(super) strangers: Vec<(String, Language, Moment)>,
    /// Mails nobody vouches for: when, from which domain, whether let in.
    pub(super) knocks: BTreeMap<MailId, (Moment, String, bool)>,
    pub(super) stranger_by_address: HashMap<String, StrangerId>,
    pub(super) mailboxes: BTreeMap<String, Moment>,
    pub(super) cursors: BTreeMap<(String, String), Cursor>,
    pub(super) mails: Vec<MailRow>,
    pub(super) dedup: HashMap<[u8; 32], MailId>,
    pub(super) places: BTreeMap<(String, Place), MailId>,
    pub(super) letters: Vec<LetterRow>,
    pub(super) keys: HashMap<String, LetterId>,
    pub(super) cases: BTreeMap<CaseId, Case>,
    pub(super) case_numbers: i64,
    pub(super) tasks: Vec<Task>,
    pub(super) journal: Vec<JournalRow>,
    pub(super) head: Link,
    pub(super) outbox: BTreeMap<NoticeId, Notice>,
    pub(super) publications: Vec<Publication>,
    pub(super) shreds: BTreeSet<CaseId>,
    pub(super) policies: BTreeMap<String, String>,
    pub(super) facts: BTreeMap<String, String>,
    pub(super) instances: u64,
    /// The last moment at which anybody looked for work.
    pub(super) seen: Moment,
    /// Indexes: mails not sorted, letters waiting, letters unfinished by case, letters by mail, notices
    /// waiting.
    pub(super) unsorted: BTreeSet<(Moment, MailId)>,
    pub(super) waiting: BTreeSet<(Moment, LetterId)>,
    pub(super) unfinished: BTreeMap<CaseId, BTreeSet<(Moment, LetterId)>>,
    pub(super) of_mail: BTreeMap<MailId, Vec<LetterId>>,
    pub(super) due: BTreeSet<(Moment, CaseId)>,
    pub(super) outgoing: BTreeSet<(Moment, NoticeId)>,
    pub(super) in_hand: BTreeMap<u64, BTreeSet<Item>>,
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

    fn take(&mut self, hand: u64, item: Item) {
        self.in_hand.entry(hand).or_default().insert(item);
    }

    /// What is suspect goes alone: nothing beside it in this hand, and it beside nothing.
    fn may_take(&self, hand: u64, suspect: bool) -> bool {
        let Some(items) = self.in_hand.get(&hand) else { return true };
        items.is_empty() || !(suspect || items.iter().any(|item| self.is_suspect(item)))
    }

    fn is_suspect(&self, item: &Item) -> bool {
        match item {
            Item::Mail(id) => self.mails[index(id.0)].suspect,
            Item::Letter(id) => self.letters[index(id.0)].suspect,
            Item::Clock(id) => self.cases[id].suspect,
            Item::Notice(id) => self.outbox[id].suspect,
        }
    }

    pub(super) fn let_go(&mut self, hand: u64, item: Item) {
        if let Some(items) = self.in_hand.get_mut(&hand) {
            items.remove(&item);
        }
    }

    pub(super) fn store(&mut self, mailbox: &str, mail: &NewMail) -> (MailId, bool) {
        let place = (mailbox.to_owned(), mail.place.clone());
        if let Some(id) = self.places.get(&place) {
            return (*id, false);
        }
        let known = self.dedup.get(&mail.dedup).copied();
        let id = known.unwrap_or(MailId(self.mails.len() as i64 + 1));
        self.places.insert(place, id);
        if let Some(row) = self.mail(id) {
            row.mail.junk &= mail.junk;
            return (id, false);
        }
        self.dedup.insert(mail.dedup, id);
        self.unsorted.insert((mail.arrived, id));
        let (why, not_before, hand) = (None, None, None);
        self.mails.push(MailRow {
            mail: mail.clone(),
            status: "unsorted",
            why,
            not_before,
            hand,
            attempts: 0,
            suspect: false,
            accepted: false,
            stays: 0,
            checked: None,
        });
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
        Some(as_mail(id, row))
    }

    pub(super) fn sort(&mut self, id: MailId, sorted: &Sorted) {
        let (status, why) = match sorted {
            Sorted::Letters(letters) if letters.is_empty() => ("silent", Some("no letter in it")),
            Sorted::Letters(_) => ("waiting", None),
            Sorted::Silent(why) => ("silent", Some(why.as_str())),
            Sorted::Quarantined(why) => ("quarantined", Some(why.as_str())),
        };
        let Some(row) = self.mail(id).filter(|row| row.status == "unsorted") else { return };
        row.status = status;
        row.why = why.map(str::to_owned);
        let (arrived, hand) = (row.mail.arrived, row.hand.take());
        self.unsorted.remove(&(arrived, id));
        if let Some(hand) = hand {
            self.let_go(hand, Item::Mail(id));
        }
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
        self.letters.push(LetterRow {
            letter: letter.clone(),
            status: "waiting",
            why: None,
            moved: None,
            not_before: None,
            hand: None,
            attempts: 0,
            suspect: false,
            stays: 0,
        });
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
        if let Some(row) = self.mail(mail) {
            row.status = sum.unwrap_or("silent");
        }
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
            || self.mails.iter().any(|row| {
                row.status == "quarantined" && row.mail.case_hint == Some(case) && row.mail.arrived <= moment
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

    pub(super) fn claim_outgoing(&mut self, hand: u64, now: Moment) -> Option<Outgoing> {
        self.seen = now;
        self.lapse(now);
        let free = |(_, id): &&(Moment, NoticeId)| {
            let notice = &self.outbox[id];
            notice.hand.is_none()
                && notice.next_try.is_none_or(|at| at <= now)
                && self.may_take(hand, notice.suspect)
        };
        let (created, id) = *self.outgoing.iter().find(free)?;
        self.take(hand, Item::Notice(id));
        let notice = self.outbox.get_mut(&id)?;
        notice.hand = Some(hand);
        let (row, attempts, bytes) = (notice.row.clone(), notice.tries, notice.bytes.clone());
        let in_reply_to = row.answers.and_then(|id| self.letter(id)?.letter.message_id.clone());
        Some(Outgoing { row, created, attempts, bytes, in_reply_to })
    }

    fn lapse(&mut self, now: Moment) {
        let past = |notice: &Notice| {
            notice.hand.is_none() && (notice.closed || notice.row.not_after.is_some_and(|at| at < now))
        };
        let lapsed: Vec<NoticeId> =
            self.outgoing.iter().map(|(_, id)| *id).filter(|id| past(&self.outbox[id])).collect();
        for id in lapsed {
            let notice = &self.outbox[&id];
            let owed = (rules::asks(&notice.row) && !notice.closed).then(|| notice.row.clone());
            self.set_notice(id, "lapsed", None);
            if let Some(row) = owed {
                self.insert(&rules::unsent_letter(&row, now));
            }
        }
    }

    /// Gives a notice another status, out of any hand; what is final keeps no bytes. What is stuck may have
    /// left before, and may be sent again: identical, then.
    pub(super) fn set_notice(&mut self, id: NoticeId, status: &'static str, why: Option<String>) {
        let Some(notice) = self.outbox.get_mut(&id) else { return };
        notice.status = status;
        notice.why = why;
        let key = (notice.created, id);
        let hand = notice.hand.take();
        if status == "waiting" {
            self.outgoing.insert(key);
        } else {
            notice.next_try = None;
            if status != "stuck" {
                notice.bytes = None;
            }
            self.outgoing.remove(&key);
        }
        if let Some(hand) = hand {
            self.let_go(hand, Item::Notice(id));
        }
    }

    pub(super) fn ending(&mut self, id: LetterId) -> Option<(Ending, Option<CaseId>)> {
        let row = self.letter(id)?;
        Some((rules::ending_of(row.status, row.why.clone())?, row.moved))
    }
}

pub(super) fn as_mail(id: MailId, row: &MailRow) -> Mail {
    let mail = &row.mail;
    Mail {
        id,
        arrived: mail.arrived,
        size: mail.size,
        junk: mail.junk,
        header_only: mail.header_only,
        accepted: row.accepted,
        stays: row.stays,
        raw: mail.raw.clone(),
        checked: row.checked.clone(),
    }
}
