//! Doing steps again: from the journal, to see that it tells the truth; into the future, to see what is to come.

use crate::advance::{self, Before, CaseRow, Commit, JournalEntry, OutboxRow};
use crate::daemon::{BUILD, Daemon};
use crate::kernel::ids::{CaseId, Party};
use crate::kernel::register::Register;
use crate::kernel::workflow::{Input, Opening, Record};
use crate::ports::Fault;
use crate::ports::store::rules::{is_storable, storable, storable_json};
use crate::ports::store::{Answer, JournalRow, Publication, Store};
use crate::workflows::{Policies, Surroundings};
use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// What came of doing the journal of a case again.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    pub steps: usize,
    pub state: Value,
    /// The first step whose outcome is not the one on record.
    pub mismatch: Option<String>,
}

/// Does every step of a case again with the register and policies of then, and holds what comes out against
/// the record: the outcome and the digests in the journal, the notices and files as they were stored, and in
/// the end the case itself with its clock and tasks.
///
/// # Errors
/// The store cannot be reached, or the journal cannot be read by this build.
pub async fn replay<S: Store>(store: &S, case: CaseId) -> Answer<Replayed> {
    let journal = store.journal(Some(case)).await?;
    let stored = Stored::of(store, case).await?;
    let mut policies: HashMap<String, Policies> = HashMap::new();
    let mut row: Option<CaseRow> = None;
    let mut mismatch = None;
    let mut last: Option<Arc<Register>> = None;
    let steps = journal.len();
    for entry in journal {
        if !policies.contains_key(&entry.entry.policy) {
            let body = store.policy(&entry.entry.policy).await?.unwrap_or_default();
            policies.insert(entry.entry.policy.clone(), serde_json::from_str(&body).map_err(unreadable)?);
        }
        let register = match last.take() {
            Some(register) if register.version == entry.entry.register_version => register,
            _ => store.register_at(entry.entry.register_version).await?,
        };
        let register: &Arc<Register> = last.insert(register);
        let Some(policies) = policies.get(&entry.entry.policy) else { continue };
        let at = Surroundings { case, now: entry.entry.at, policies, register };
        let before = before(&entry, row.take())?;
        let commit = advance::advance(before, None, &at, &entry.entry.build).map_err(unreadable)?;
        if mismatch.is_none() {
            mismatch = stored.differs(&commit, &entry.entry).map(|what| {
                format!("step {} of {case} comes out otherwise than it is on record: {what}", entry.entry.seq)
            });
        }
        row = Some(commit.case);
    }
    if mismatch.is_none() && row.as_ref().map(as_stored) != stored.case.as_ref().map(as_stored) {
        mismatch = Some(format!("{case} as stored is not what its last step left: clock, tasks or state"));
    }
    let state = row.map(|row| row.state).unwrap_or_default();
    Ok(Replayed { steps, state, mismatch })
}

/// What of a case every store keeps to the letter: a clock to the microsecond, text without zero bytes.
fn as_stored(row: &CaseRow) -> CaseRow {
    CaseRow {
        title: storable(&row.title),
        wake_at: row.wake_at.map(|at| at.trunc_subsecs(6)),
        opened_at: row.opened_at.trunc_subsecs(6),
        state: storable_json(row.state.clone()),
        ..row.clone()
    }
}

/// A notice as every store keeps it. Most data are kept as they are, and shared.
fn kept(row: &OutboxRow) -> OutboxRow {
    let data = match is_storable(&row.data) {
        true => row.data.clone(),
        false => Arc::new(storable_json(row.data.as_ref().clone())),
    };
    OutboxRow { data, label: storable(&row.label), ..row.by_itself() }
}

/// What the store has of a case beside its journal.
struct Stored {
    case: Option<CaseRow>,
    /// By step.
    notices: HashMap<u32, Vec<OutboxRow>>,
    publications: Vec<Publication>,
}

impl Stored {
    async fn of<S: Store>(store: &S, case: CaseId) -> Answer<Stored> {
        let mut notices: HashMap<u32, Vec<OutboxRow>> = HashMap::new();
        for notice in store.notices(Some(case)).await? {
            notices.entry(notice.row.id.seq).or_default().push(kept(&notice.row));
        }
        for step in notices.values_mut() {
            step.sort_by_key(|row| row.id);
        }
        Ok(Stored { case: store.case(case).await?, notices, publications: store.publications(0).await? })
    }

    /// What of a step done again is not as it was stored.
    fn differs(&self, again: &Commit, entry: &JournalEntry) -> Option<&'static str> {
        let none = Vec::new();
        let notices: Vec<OutboxRow> = again.outbox.iter().map(kept).collect();
        let published = |record: &Record| {
            self.publications.iter().any(|stored| {
                stored.at.trunc_subsecs(6) == entry.at.trunc_subsecs(6) && stored.record == *record
            })
        };
        if again.journal.outcome != entry.outcome {
            Some("the outcome")
        } else if again.journal.state_hash != entry.state_hash {
            Some("the state")
        } else if notices != *self.notices.get(&entry.seq).unwrap_or(&none) {
            Some("the mails")
        } else if !again.records.iter().all(published) {
            Some("the published files")
        } else if !entry.effects_hash.is_empty() && again.journal.effects_hash != entry.effects_hash {
            Some("its effects: clock, letters to other cases, tasks, register")
        } else {
            None
        }
    }
}

fn unreadable(why: impl std::fmt::Display) -> Fault {
    Fault::new("doing the journal again", format!("{why}; use the build that wrote it"))
}

fn before(entry: &JournalRow, row: Option<CaseRow>) -> Answer<Before> {
    let input = entry.entry.input.clone();
    match row {
        None => {
            let opening: Opening = serde_json::from_value(input).map_err(unreadable)?;
            Ok(Before::Opening(opening))
        }
        Some(row) => {
            let input: Input = serde_json::from_value(input).map_err(unreadable)?;
            Ok(Before::Case(row, input))
        }
    }
}

/// A notice that would be written if nobody answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coming {
    pub at: DateTime<Utc>,
    pub case: CaseId,
    pub template: String,
    pub label: String,
    pub to: Party,
}

/// No more steps than this are looked ahead: a clock that never rests must not hang a command.
const STEPS: usize = 100_000;

/// Every notice to come until a moment if nobody answers: all clocks fired in order, nothing stored.
///
/// # Errors
/// The store cannot be reached, or a state is of a newer build.
pub async fn forecast<S: Store>(
    daemon: &Daemon<S>,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Answer<Vec<Coming>> {
    let register = daemon.store.register().await?;
    let mut cases = daemon.store.cases().await?;
    let mut coming = Vec::new();
    for _ in 0..STEPS {
        let due = cases.iter().enumerate().filter_map(|(n, case)| Some((case.wake_at?.max(now), n)));
        let Some((at, n)) = due.min().filter(|(at, _)| *at <= until) else { return Ok(coming) };
        let row = cases[n].clone();
        let here = Surroundings { case: row.id, now: at, policies: &daemon.policies, register: &register };
        let stuck = row.wake_at;
        let commit =
            advance::advance(Before::Case(row, Input::Wake), None, &here, BUILD).map_err(unreadable)?;
        coming.extend(commit.outbox.into_iter().map(|notice| Coming {
            at,
            case: notice.id.case,
            template: notice.template,
            label: notice.label,
            to: notice.to,
        }));
        cases[n] = commit.case;
        if cases[n].wake_at == stuck {
            // A clock that does not move would be fired for ever; its case is out of the forecast.
            cases[n].wake_at = None;
        }
    }
    Ok(coming)
}
