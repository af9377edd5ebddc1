//! Letters, then clocks, until neither is left. One step is one transaction.

use super::{BUILD, Daemon, OFFICE, OFFICE_KEY};
use crate::advance::{self, Before, LetterBody, REFUSED};
use crate::kernel::confidential;
use crate::kernel::ids::{CaseId, LetterId};
use crate::kernel::workflow::Input;
use crate::ports::Fault;
use crate::ports::store::{Answer, Claimed, CommitError, Store};
use crate::workflows::Surroundings;
use chrono::{DateTime, Duration, Utc};
use tracing::{debug, error, info, warn};

/// Items done in one go, so that whoever watches sees that work goes on.
const ONE_GO: usize = 200;
/// So many faults one after the other are the world's, not the items'.
const FAULTS_IN_A_ROW: usize = 20;
/// An item that met a fault stands aside for so long, so that it blocks nobody else.
pub(super) const ASIDE: Duration = Duration::minutes(1);

/// What one go did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thought {
    pub steps: usize,
    /// The go ended before the work did.
    pub more: bool,
}

/// What became of one item.
pub(super) enum Did {
    /// There was none.
    Nothing,
    Step,
    /// Something else than a step: a mail was sorted, a letter set aside.
    Other,
    /// It stands aside for a while.
    Aside(Fault),
}

/// How computing and applying a step ended.
enum Stepped {
    Done,
    /// Nothing was applied; it must be computed again.
    Again,
    /// This build cannot read the case: why.
    Unreadable(String),
}

impl<S: Store> Daemon<S> {
    /// Does all that is due. Returns how many steps were taken.
    ///
    /// # Errors
    /// The store or the key store cannot be reached; what was done stays done.
    pub async fn think(&self, now: DateTime<Utc>) -> Answer<usize> {
        let mut steps = 0;
        loop {
            let thought = self.think_some(now, || {}).await?;
            steps += thought.steps;
            if !thought.more {
                return Ok(steps);
            }
        }
    }

    /// Does what is due, at most 200 items of it; `stepped` is told of each step, so that what it wrote leaves
    /// while the next is thought of.
    ///
    /// # Errors
    /// As `think`.
    pub async fn think_some(&self, now: DateTime<Utc>, stepped: impl Fn()) -> Answer<Thought> {
        let (mut steps, mut faults) = (0, 0);
        for _ in 0..ONE_GO {
            match self.one(now).await? {
                Did::Nothing => return Ok(Thought { steps, more: false }),
                Did::Step => {
                    (steps, faults) = (steps + 1, 0);
                    stepped();
                }
                Did::Other => faults = 0,
                Did::Aside(fault) if faults + 1 == FAULTS_IN_A_ROW => return Err(fault),
                Did::Aside(fault) => {
                    faults += 1;
                    warn!(%fault, "put aside for a minute; the rest goes on");
                }
            }
        }
        Ok(Thought { steps, more: true })
    }

    /// One mail, and at once the earliest letter, so that whoever wrote first waits for nobody else's mail to
    /// be sorted; where there is neither, one clock.
    async fn one(&self, now: DateTime<Utc>) -> Answer<Did> {
        let sorted = self.sort_one(now).await?;
        if matches!(sorted, Did::Aside(_)) {
            return Ok(sorted);
        }
        match (self.store.claim_letter(now).await?, sorted) {
            (Some(claimed), _) => self.answer(claimed, now).await,
            (None, Did::Nothing) => self.fire(now).await,
            (None, sorted) => Ok(sorted),
        }
    }

    /// One letter to one case.
    async fn answer(&self, claimed: Claimed, now: DateTime<Utc>) -> Answer<Did> {
        let id = claimed.id;
        match self.step_for(claimed, now).await {
            Ok(Stepped::Done) => Ok(Did::Step),
            Ok(Stepped::Again) => {
                self.store.put_back(id, now).await?;
                Ok(Did::Other)
            }
            Ok(Stepped::Unreadable(why)) => {
                self.store.quarantine(id, &why, now).await?;
                self.tell_quarantined(now).await?;
                Ok(Did::Other)
            }
            // Where even putting back fails, the record is away: the letter is found in hand once it is
            // there again, and tried at once.
            Err(fault) => {
                self.store.put_back(id, now + ASIDE).await?;
                Ok(Did::Aside(fault))
            }
        }
    }

    async fn step_for(&self, claimed: Claimed, now: DateTime<Utc>) -> Answer<Stepped> {
        let Claimed { id, letter, case } = claimed;
        let (number, before) = match (letter.body, case) {
            (LetterBody::Opens(opening), _) => (self.number(&letter.key).await?, Before::Opening(opening)),
            (LetterBody::ToCase(_, input), Some(case)) if case.phase != REFUSED => {
                (case.id, Before::Case(case, input))
            }
            (LetterBody::ToCase(..), _) => {
                return Ok(Stepped::Unreadable("it is for a case that was never opened".to_owned()));
            }
        };
        self.step(number, before, Some(id), now).await
    }

    /// The first number is the office's, whoever comes first, and however often its opening was cut short.
    async fn number(&self, key: &str) -> Answer<CaseId> {
        if key == OFFICE_KEY {
            return Ok(OFFICE);
        }
        let number = self.store.new_case().await?;
        if number == OFFICE { self.store.new_case().await } else { Ok(number) }
    }

    /// Fires the most overdue clock, if letters allow it.
    async fn fire(&self, now: DateTime<Utc>) -> Answer<Did> {
        let due = self.store.claim_due(now, self.settings.settle, &self.settings.mailboxes).await?;
        let Some(case) = due else { return Ok(Did::Nothing) };
        let number = case.id;
        match self.step(number, Before::Case(case, Input::Wake), None, now).await {
            Ok(Stepped::Done) => Ok(Did::Step),
            // A letter came first. It is read before the clock is looked at again.
            Ok(Stepped::Again) => {
                self.store.release_case(number).await?;
                Ok(Did::Other)
            }
            Ok(Stepped::Unreadable(why)) => {
                self.store.stick_clock(number, &why).await?;
                self.tell_quarantined(now).await?;
                Ok(Did::Other)
            }
            Err(fault) => {
                self.store.put_back_clock(number, now + ASIDE).await?;
                Ok(Did::Aside(fault))
            }
        }
    }

    /// Computes and applies one step.
    async fn step(
        &self,
        case: CaseId,
        before: Before,
        letter: Option<LetterId>,
        now: DateTime<Utc>,
    ) -> Answer<Stepped> {
        let register = self.register().await?;
        let now = moment(&before, now);
        let confided = matches!(before, Before::Case(_, Input::Comment(_)));
        let at = Surroundings { case, now, policies: &self.policies, register: &register };
        let commit = match advance::advance(before, letter, &at, BUILD) {
            Ok(commit) => commit,
            Err(unreadable) => {
                error!(case = %case, %unreadable, "install the build that wrote this state, or a newer one");
                return Ok(Stepped::Unreadable(unreadable.to_string()));
            }
        };
        match self.store.commit(&commit).await {
            // A line at the moment a comment came would lead to its author by way of the logs of mail servers.
            Ok(()) if confided => Ok(Stepped::Done),
            Ok(()) => {
                let phase = commit.case.phase.as_str();
                let outcome = commit.journal.outcome.split(" {").next().unwrap_or_default();
                info!(case = %case, kind = commit.case.kind, phase, seq = commit.case.seq, outcome, "step");
                Ok(Stepped::Done)
            }
            Err(CommitError::Conflict(why)) => {
                debug!(case = %case, why, "the step is computed again");
                Ok(Stepped::Again)
            }
            Err(CommitError::Fault(fault)) => Err(fault),
        }
    }
}

/// When a step is taken, for the record: on a comment in confidence no finer than the day.
fn moment(before: &Before, now: DateTime<Utc>) -> DateTime<Utc> {
    match before {
        Before::Case(_, Input::Comment(_)) => confidential::day(now),
        _ => now,
    }
}
