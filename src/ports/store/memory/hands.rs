//! What becomes of what an instance in memory had in hand.

use super::super::rules::{Item, LIVES, POISON, RESTS};
use super::world::World;
use crate::kernel::ids::{CaseId, LetterId, MailId, NoticeId};
use chrono::{DateTime, Utc};

/// What a death says about an item.
#[derive(Clone, Copy)]
struct Blame {
    /// 1 where the item was alone in hand.
    lives: i16,
    /// It was in hand with others: any of them may have been it.
    suspect: bool,
    /// When it was last seen at work.
    at: DateTime<Utc>,
}

impl Blame {
    /// Until when an item rests that `deaths` instances died with before.
    fn rest(self, deaths: i16) -> Option<DateTime<Utc>> {
        let rest = RESTS[usize::from(deaths > 0)];
        (self.lives > 0).then(|| self.at + rest)
    }
}

impl World {
    /// Frees what an instance has in hand; what was alone in the hand of a dead one has one life less, what
    /// was in company goes alone next time.
    pub(super) fn free(&mut self, hand: u64, dead: bool) {
        let items = self.in_hand.remove(&hand).unwrap_or_default();
        let alone = items.len() == 1;
        let blame = Blame { lives: i16::from(dead && alone), suspect: dead && !alone, at: self.seen };
        for item in items {
            match item {
                Item::Mail(id) => self.free_mail(id, blame),
                Item::Letter(id) => self.blame_letter(id, blame),
                Item::Clock(id) => self.free_clock(id, blame),
                Item::Notice(id) => self.free_notice(id, blame),
            }
        }
    }

    fn free_mail(&mut self, id: MailId, blame: Blame) {
        let Some(row) = self.mail(id) else { return };
        row.hand = None;
        row.not_before = blame.rest(row.attempts).or(row.not_before);
        row.attempts += blame.lives;
        row.suspect |= blame.suspect;
        if row.attempts >= LIVES {
            row.why = Some(POISON.into());
            self.set_mail(id, "quarantined");
        }
    }

    fn blame_letter(&mut self, id: LetterId, blame: Blame) {
        self.free_letter(id);
        let Some(row) = self.letter(id) else { return };
        row.not_before = blame.rest(row.attempts).or(row.not_before);
        row.attempts += blame.lives;
        row.suspect |= blame.suspect;
        if row.attempts >= LIVES {
            self.set_letter(id, "quarantined", Some(POISON.into()));
        }
    }

    fn free_clock(&mut self, id: CaseId, blame: Blame) {
        let Some(case) = self.cases.get_mut(&id) else { return };
        case.hand = None;
        case.not_before = blame.rest(case.attempts).or(case.not_before);
        case.attempts += blame.lives;
        case.suspect |= blame.suspect;
        if case.attempts >= LIVES {
            case.stuck = Some(POISON.to_owned());
        }
        if let Some(at) = case.row.wake_at.filter(|_| case.stuck.is_some()) {
            self.due.remove(&(at, id));
        }
    }

    fn free_notice(&mut self, id: NoticeId, blame: Blame) {
        let Some(notice) = self.outbox.get_mut(id) else { return };
        notice.hand = None;
        notice.next_try = blame.rest(notice.attempts).or(notice.next_try);
        notice.attempts += blame.lives;
        notice.suspect |= blame.suspect;
        if notice.attempts >= LIVES {
            self.set_notice(id, "stuck", Some(POISON.into()));
        }
    }
}
