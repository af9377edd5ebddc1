//! What people and the daemon look up in memory, and what becomes of what waited for a person.

use super::super::rules::STRANGER_REST;
use super::super::{Admission, OpenTask, Quarantined, Release};
use super::world::{World, index};
use crate::kernel::ids::{CaseId, MailId};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

impl World {
    /// Names of intake keys sort by day.
    pub(super) fn oldest_intake_key(&self) -> Option<String> {
        let unfinished =
            self.mails.iter().filter(|row| matches!(row.status, "unsorted" | "waiting" | "quarantined"));
        let mails = unfinished.map(|row| &row.mail.raw.key);
        let bytes = self.outbox.values().filter_map(|notice| Some(&notice.bytes.as_ref()?.key));
        mails.chain(bytes).filter(|key| key.starts_with("intake-")).min().cloned()
    }

    pub(super) fn message_id_seen(&self, message_id: &str, mail: MailId) -> bool {
        self.said.get(message_id).is_some_and(|mails| mails.iter().any(|of| *of != mail))
    }

    pub(super) fn admit(
        &mut self,
        mail: MailId,
        domain: String,
        limits: Admission,
        now: DateTime<Utc>,
    ) -> bool {
        if let Some((.., admitted)) = self.knocks.get(&mail) {
            return *admitted;
        }
        let since = now - STRANGER_REST;
        let recent = self.knocks.values().filter(|(at, _, admitted)| *at > since && *admitted);
        let (all, of_domain) =
            recent.fold((0, 0), |(all, same), (_, known, _)| (all + 1, same + u32::from(*known == domain)));
        let admitted = all < limits.per_day && of_domain < limits.per_domain;
        self.knocks.insert(mail, (now, domain, admitted));
        admitted
    }

    pub(super) fn turned_away(&self, since: DateTime<Utc>) -> Vec<(String, u64)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, domain, _) in self.knocks.values().filter(|(at, _, admitted)| *at > since && !admitted) {
            *counts.entry(domain).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().map(|(domain, n)| (domain.to_owned(), n)).collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts.truncate(20);
        counts
    }

    pub(super) fn open_tasks(&self) -> Vec<OpenTask> {
        let mut tasks: Vec<(u64, OpenTask)> = Vec::new();
        for (case, open) in &self.tasks {
            let Some(case) = self.cases.get(case) else { continue };
            tasks.extend(open.iter().map(|task| {
                let title = case.row.title.clone();
                (task.number, OpenTask { task: task.row.clone(), title, opened_at: task.opened_at })
            }));
        }
        tasks.sort_by_key(|(number, task)| (task.opened_at, *number));
        tasks.into_iter().map(|(_, task)| task).collect()
    }

    pub(super) fn next_event(&self) -> Option<DateTime<Utc>> {
        let due = self.due.iter().filter_map(|(at, id)| Some((*at).max(self.cases.get(id)?.not_before?)));
        let put_back = |id: &CaseId| self.cases.get(id).is_some_and(|case| case.not_before.is_some());
        let clock = self.due.iter().find(|(_, id)| !put_back(id)).map(|(at, _)| *at);
        let letters = self.waiting.iter().filter_map(|(_, id)| self.letters[index(id.0)].not_before);
        let mails = self.unsorted.iter().filter_map(|(_, id)| self.mails[index(id.0)].not_before);
        let notices = self.outbox.tries();
        clock.into_iter().chain(due).chain(letters).chain(mails).chain(notices).min()
    }

    pub(super) fn quarantined(&self) -> Vec<Quarantined> {
        let mut all = Vec::new();
        for id in &self.held_letters {
            let row = &self.letters[index(id.0)];
            let why = row.why.clone().unwrap_or_default();
            let (mail, letter, case) = (row.letter.mail, Some(*id), row.target());
            all.push(Quarantined { mail, letter, case, arrived: row.letter.arrived, why, stays: row.stays });
        }
        let by_letter: BTreeSet<MailId> =
            self.held_letters.iter().filter_map(|id| self.letters[index(id.0)].letter.mail).collect();
        for id in self.held_mails.difference(&by_letter) {
            let row = &self.mails[index(id.0)];
            let why = row.why.clone().unwrap_or_default();
            let (mail, letter, case) = (Some(*id), None, row.mail.case_hint);
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
            let status = if why.is_some() { "silent" } else { "unsorted" };
            row.why = why;
            self.set_mail(id, status);
            if status == "silent" {
                self.discard(id);
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
