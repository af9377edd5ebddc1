//! What people and the daemon look up in memory, and how a sending ended.

use super::super::rules::{asks, courtesy, sent_letter, undelivered_letter};
use super::super::{OpenAsk, OpenTask, Posted, Quarantined, Release};
use super::world::World;
use crate::kernel::ids::{CaseId, LetterId, MailId, NoticeId, Party};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

impl World {
    pub(super) fn posted(&mut self, hand: u64, id: NoticeId, outcome: &Posted, now: DateTime<Utc>) {
        let Some(notice) = self.outbox.get_mut(&id).filter(|notice| notice.status == "waiting") else {
            return;
        };
        // What was accepted is sent, even where it is in another hand meanwhile.
        if notice.hand != Some(hand) && *outcome != Posted::Accepted {
            return;
        }
        notice.tries += 1;
        let row = notice.row.clone();
        match outcome {
            Posted::Accepted => {
                notice.sent_at = Some(now);
                self.set_notice(id, "sent", None);
                if row.report_sent {
                    self.insert(&sent_letter(&row, now));
                }
            }
            Posted::Later { at, why } => {
                notice.next_try = Some(*at);
                notice.suspect = false;
                self.set_notice(id, "waiting", Some(why.clone()));
            }
            Posted::Never { status, why } => {
                self.set_notice(id, "failed", Some(why.clone()));
                self.insert(&undelivered_letter(&row, status.as_deref(), now));
            }
            Posted::Lapsed => self.set_notice(id, "lapsed", None),
            Posted::Stuck { why } => self.set_notice(id, "stuck", Some(why.clone())),
        }
    }

    pub(super) fn answered(&self, party: Party, since: DateTime<Utc>) -> u64 {
        let answers = self.outbox.values().filter(|notice| {
            notice.row.to == party
                && notice.row.answers.is_some()
                && courtesy(&notice.row)
                && notice.sent_at.is_some_and(|sent| sent >= since)
        });
        u64::try_from(answers.count()).unwrap_or(u64::MAX)
    }

    /// Names of intake keys sort by day.
    pub(super) fn oldest_intake_key(&self) -> Option<String> {
        let unfinished =
            self.mails.iter().filter(|row| matches!(row.status, "unsorted" | "waiting" | "quarantined"));
        let mails = unfinished.map(|row| &row.mail.raw.key);
        let bytes = self.outbox.values().filter_map(|notice| Some(&notice.bytes.as_ref()?.key));
        mails.chain(bytes).filter(|key| key.starts_with("intake-")).min().cloned()
    }

    pub(super) fn message_id_seen(&self, message_id: &str, mail: MailId) -> bool {
        let of_another = |of: Option<MailId>| of.is_some_and(|of| of != mail);
        let mut letters = self.letters.iter().map(|row| &row.letter);
        letters.any(|letter| letter.message_id.as_deref() == Some(message_id) && of_another(letter.mail))
    }

    pub(super) fn open_asks(&self, party: Party) -> Vec<OpenAsk> {
        let mut newest = BTreeMap::new();
        for (id, notice) in &self.outbox {
            let open = !notice.closed && matches!(notice.status, "waiting" | "sent");
            if open && notice.row.to == party && asks(&notice.row) {
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

    pub(super) fn open_tasks(&self) -> Vec<OpenTask> {
        let open = self.tasks.iter().filter(|task| !task.closed);
        let mut tasks: Vec<OpenTask> = open
            .filter_map(|task| {
                let title = self.cases.get(&task.row.case)?.row.title.clone();
                Some(OpenTask { task: task.row.clone(), title, opened_at: task.opened_at })
            })
            .collect();
        tasks.sort_by_key(|task| task.opened_at);
        tasks
    }

    pub(super) fn next_event(&self) -> Option<DateTime<Utc>> {
        let due = self.due.iter().filter_map(|(at, id)| Some((*at).max(self.cases.get(id)?.not_before?)));
        let put_back = |id: &CaseId| self.cases.get(id).is_some_and(|case| case.not_before.is_some());
        let clock = self.due.iter().find(|(_, id)| !put_back(id)).map(|(at, _)| *at);
        let letters =
            self.waiting.iter().filter_map(|(_, id)| self.letters[super::world::index(id.0)].not_before);
        let mails =
            self.unsorted.iter().filter_map(|(_, id)| self.mails[super::world::index(id.0)].not_before);
        let notices = self.outgoing.iter().filter_map(|(_, id)| self.outbox[id].next_try);
        clock.into_iter().chain(due).chain(letters).chain(mails).chain(notices).min()
    }

    pub(super) fn quarantined(&self) -> Vec<Quarantined> {
        let mut all = Vec::new();
        for (row, id) in self.letters.iter().zip(1..).filter(|(row, _)| row.status == "quarantined") {
            let why = row.why.clone().unwrap_or_default();
            let (mail, letter, case) = (row.letter.mail, Some(LetterId(id)), row.target());
            all.push(Quarantined { mail, letter, case, arrived: row.letter.arrived, why, stays: row.stays });
        }
        for (row, id) in self.mails.iter().zip(1..).filter(|(row, _)| row.status == "quarantined") {
            if all.iter().any(|letter| letter.mail == Some(MailId(id))) {
                continue;
            }
            let why = row.why.clone().unwrap_or_default();
            let (mail, letter, case) = (Some(MailId(id)), None, row.mail.case_hint);
            all.push(Quarantined { mail, letter, case, arrived: row.mail.arrived, why, stays: row.stays });
        }
        for (id, case) in &self.cases {
            let Some(why) = case.stuck.clone() else { continue };
            let arrived = case.row.wake_at.unwrap_or(case.row.opened_at);
            let (mail, letter, stays) = (None, None, case.stays);
            all.push(Quarantined { mail, letter, case: Some(*id), arrived, why, stays });
        }
        all.sort_by_key(|item| (item.arrived, item.mail, item.letter, item.case));
        all
    }

    pub(super) fn unquarantine(&mut self, item: &Quarantined, release: Release<'_>) {
        let why = release.reason().map(str::to_owned);
        if let Some(id) = item.letter {
            let Some(row) = self.letter(id).filter(|row| row.status == "quarantined") else { return };
            row.attempts = 0;
            row.stays += 1;
            row.not_before = None;
            self.set_letter(id, if why.is_some() { "silent" } else { "waiting" }, why);
        } else if let Some(id) = item.mail {
            let Some(row) = self.mail(id).filter(|row| row.status == "quarantined") else { return };
            row.attempts = 0;
            row.stays += 1;
            row.accepted |= release == Release::Accept;
            row.not_before = None;
            row.status = if why.is_some() { "silent" } else { "unsorted" };
            row.why = why;
            if row.status == "unsorted" {
                let key = (row.mail.arrived, id);
                self.unsorted.insert(key);
            }
        } else if let Some(id) = item.case {
            self.unstick(id, release.reason().is_some());
        }
    }

    fn unstick(&mut self, id: CaseId, drop_clock: bool) {
        let Some(case) = self.cases.get_mut(&id).filter(|case| case.stuck.is_some()) else { return };
        case.stuck = None;
        case.stays += 1;
        case.attempts = 0;
        if drop_clock {
            case.row.wake_at = None;
        }
        if let Some(at) = case.row.wake_at {
            self.due.insert((at, id));
        }
    }
}
