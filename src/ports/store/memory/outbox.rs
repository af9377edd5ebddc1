//! Notices in memory, found by what is asked of them: which is the next to leave, which have lost their
//! moment, who owes an answer, what a label cancels. No question goes through all there ever were.

use super::super::confidential::anonymous;
use super::super::rules::{self, Item, courtesy, sent_letter, undelivered_letter};
use super::super::{OpenAsk, Outgoing, Posted};
use super::rows::{Moment, Notice};
use super::world::{World, put};
use crate::advance::{Commit, OutboxRow};
use crate::kernel::ids::{CaseId, NoticeId, Party};
use std::collections::{BTreeMap, BTreeSet};

/// Every notice, with its indexes.
#[derive(Default)]
pub(super) struct Outbox {
    rows: BTreeMap<NoticeId, Notice>,
    /// Waiting, in the order in which they leave.
    waiting: BTreeSet<(Moment, NoticeId)>,
    /// Waiting, by the moment after which they are of no use.
    lapsing: BTreeSet<(Moment, NoticeId)>,
    /// Waiting though cancelled: they are in a hand.
    cancelled: BTreeSet<NoticeId>,
    stuck: BTreeSet<NoticeId>,
    /// Those that wait for an answer of a party.
    asking: BTreeMap<Party, BTreeSet<NoticeId>>,
    /// Courtesies sent to a party in answer to it, by when.
    courtesies: BTreeMap<Party, BTreeSet<(Moment, NoticeId)>>,
    /// Not cancelled, by case and label.
    labelled: BTreeMap<CaseId, BTreeMap<String, Vec<NoticeId>>>,
}

impl Outbox {
    pub(super) fn get(&self, id: NoticeId) -> Option<&Notice> {
        self.rows.get(&id)
    }

    /// For what no index depends on: bytes, hands, counts.
    pub(super) fn get_mut(&mut self, id: NoticeId) -> Option<&mut Notice> {
        self.rows.get_mut(&id)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Notice> {
        self.rows.values()
    }

    /// The notices of a case.
    pub(super) fn of(&self, case: CaseId) -> impl Iterator<Item = &Notice> {
        let from = NoticeId { case, seq: 0, n: 0 };
        self.rows.range(from..).take_while(move |(id, _)| id.case == case).map(|(_, notice)| notice)
    }

    pub(super) fn stuck(&self) -> impl Iterator<Item = NoticeId> {
        self.stuck.iter().copied()
    }

    /// When notices that failed once are tried again.
    pub(super) fn tries(&self) -> impl Iterator<Item = Moment> {
        self.waiting.iter().filter_map(|(_, id)| self.rows.get(id)?.next_try)
    }

    pub(super) fn insert(&mut self, row: &OutboxRow, created: Moment) {
        let id = row.id;
        let labels = self.labelled.entry(id.case).or_default();
        labels.entry(row.label.clone()).or_default().push(id);
        self.rows.insert(id, Notice::new(row.clone(), created));
        self.index(id);
    }

    /// Puts a notice where it is to be found as it stands now.
    fn index(&mut self, id: NoticeId) {
        let Some(notice) = self.rows.get(&id) else { return };
        let waits = notice.status == "waiting";
        put(&mut self.waiting, (notice.created, id), waits);
        put(&mut self.cancelled, id, waits && notice.closed);
        put(&mut self.stuck, id, notice.status == "stuck");
        if let Some(until) = notice.row.not_after {
            put(&mut self.lapsing, (until, id), waits);
        }
        if rules::asks(&notice.row) {
            let open = !notice.closed && matches!(notice.status, "waiting" | "sent");
            put(self.asking.entry(notice.row.to).or_default(), id, open);
        }
        if let Some(sent) = notice.sent_at
            && notice.row.answers.is_some()
            && courtesy(&notice.row)
        {
            self.courtesies.entry(notice.row.to).or_default().insert((sent, id));
        }
    }

    /// Gives a notice another status, out of any hand, and returns that hand; what is final keeps no bytes.
    /// What is stuck may have left before, and may be sent again: identical, then.
    fn set(&mut self, id: NoticeId, status: &'static str, why: Option<String>) -> Option<u64> {
        let notice = self.rows.get_mut(&id)?;
        notice.status = status;
        notice.why = why;
        if status != "waiting" {
            notice.next_try = None;
            if status != "stuck" {
                notice.bytes = None;
            }
        }
        let hand = notice.hand.take();
        self.index(id);
        hand
    }

    /// Closes what bears one of these labels; the notices that can lapse at once.
    fn close(&mut self, case: CaseId, labels: &[String]) -> Vec<NoticeId> {
        let Some(of_case) = self.labelled.get_mut(&case) else { return Vec::new() };
        let closed: Vec<NoticeId> =
            labels.iter().filter_map(|label| of_case.remove(label)).flatten().collect();
        for id in &closed {
            if let Some(notice) = self.rows.get_mut(id) {
                notice.closed = true;
            }
            self.index(*id);
        }
        let free = |id: &NoticeId| {
            self.rows.get(id).is_some_and(|notice| notice.status == "waiting" && notice.hand.is_none())
        };
        closed.into_iter().filter(free).collect()
    }

    /// What waits in no hand and has lost its moment, or was cancelled.
    fn past(&self, now: Moment) -> Vec<NoticeId> {
        let late = self.lapsing.iter().take_while(|(until, _)| *until < now).map(|(_, id)| id);
        let past: BTreeSet<NoticeId> = late.chain(&self.cancelled).copied().collect();
        let free = |id: &NoticeId| self.rows.get(id).is_some_and(|notice| notice.hand.is_none());
        past.into_iter().filter(free).collect()
    }
}

impl World {
    pub(super) fn set_notice(&mut self, id: NoticeId, status: &'static str, why: Option<String>) {
        if let Some(hand) = self.outbox.set(id, status, why) {
            self.let_go(hand, Item::Notice(id));
        }
    }

    pub(super) fn cancel(&mut self, commit: &Commit) {
        let case = commit.case.id;
        for id in self.outbox.close(case, &commit.cancelled) {
            self.set_notice(id, "lapsed", None);
        }
        if let Some(tasks) = self.tasks.get_mut(&case).filter(|_| !commit.cancelled.is_empty()) {
            tasks.retain(|task| !commit.cancelled.contains(&task.row.label));
        }
    }

    pub(super) fn claim_outgoing(&mut self, hand: u64, now: Moment) -> Option<Outgoing> {
        self.seen = now;
        self.lapse(now);
        let free = |(_, id): &&(Moment, NoticeId)| {
            self.outbox.get(*id).is_some_and(|notice| {
                notice.hand.is_none()
                    && notice.next_try.is_none_or(|at| at <= now)
                    && self.may_take(hand, notice.suspect)
            })
        };
        let (created, id) = *self.outbox.waiting.iter().find(free)?;
        self.take(hand, Item::Notice(id));
        let notice = self.outbox.get_mut(id)?;
        notice.hand = Some(hand);
        let (row, attempts, bytes) = (notice.row.clone(), notice.tries, notice.bytes.clone());
        let in_reply_to = row.answers.and_then(|id| self.letter(id)?.letter.message_id.clone());
        Some(Outgoing { row, created, attempts, bytes, in_reply_to })
    }

    fn lapse(&mut self, now: Moment) {
        for id in self.outbox.past(now) {
            let Some(notice) = self.outbox.get(id) else { continue };
            let owed = (rules::asks(&notice.row) && !notice.closed).then(|| notice.row.clone());
            self.set_notice(id, "lapsed", None);
            if let Some(row) = owed {
                self.insert(&rules::unsent_letter(&row, now));
            }
        }
    }

    pub(super) fn posted(&mut self, hand: u64, id: NoticeId, outcome: &Posted, now: Moment) {
        let Some(notice) = self.outbox.get_mut(id).filter(|notice| notice.status == "waiting") else {
            return;
        };
        // What was accepted is sent, even where it is in another hand meanwhile.
        if notice.hand != Some(hand) && *outcome != Posted::Accepted {
            return;
        }
        notice.tries += 1;
        let to = notice.row.to;
        match outcome {
            Posted::Accepted => {
                notice.sent_at = Some(now);
                let told = (notice.row.report_sent && !anonymous(to)).then(|| sent_letter(&notice.row, now));
                self.set_notice(id, "sent", None);
                if let Some(letter) = told {
                    self.insert(&letter);
                }
            }
            Posted::Later { at, why } => {
                notice.next_try = Some(*at);
                notice.suspect = false;
                self.set_notice(id, "waiting", Some(why.clone()));
            }
            Posted::Never { status, why } => {
                let letter = undelivered_letter(&notice.row, status.as_deref(), now);
                self.set_notice(id, "failed", Some(why.clone()));
                if !anonymous(to) {
                    self.insert(&letter);
                }
            }
            Posted::Lapsed => self.set_notice(id, "lapsed", None),
            Posted::Stuck { why } => self.set_notice(id, "stuck", Some(why.clone())),
        }
        if anonymous(to) {
            self.forget_recipients();
        }
    }

    /// Courtesies sent to a party since then.
    pub(super) fn answered(&self, party: Party, since: Moment) -> u64 {
        let from = (since, NoticeId { case: CaseId(i64::MIN), seq: 0, n: 0 });
        let sent = self.outbox.courtesies.get(&party).map_or(0, |sent| sent.range(from..).count());
        u64::try_from(sent).unwrap_or(u64::MAX)
    }

    pub(super) fn open_asks(&self, party: Party) -> Vec<OpenAsk> {
        let mut newest = BTreeMap::new();
        for id in self.outbox.asking.get(&party).into_iter().flatten() {
            if let Some(notice) = self.outbox.get(*id) {
                newest.insert((id.case, notice.row.label.as_str()), (id, notice));
            }
        }
        let asks = newest.into_values().filter_map(|(id, notice)| {
            let case = &self.cases.get(&id.case)?.row;
            Some(OpenAsk {
                notice: *id,
                case: id.case,
                kind: case.kind.clone(),
                title: case.title.clone(),
                label: notice.row.label.clone(),
                asks: notice.row.asks,
                not_after: notice.row.not_after,
            })
        });
        asks.collect()
    }
}
