//! Letters, then clocks, until neither is left. One step is one transaction.

use super::{BUILD, Daemon, OFFICE, OFFICE_KEY};
use crate::advance::{self, Before, LetterBody, REFUSED};
use crate::kernel::ids::{CaseId, LetterId};
use crate::kernel::workflow::Input;
use crate::ports::store::{Answer, Claimed, CommitError, Store};
use crate::workflows::Surroundings;
use chrono::{DateTime, Utc};
use tracing::{debug, error, info};

impl<S: Store> Daemon<S> {
    /// Does all that is due. Returns how many steps were taken.
    ///
    /// # Errors
    /// The store or the key store cannot be reached; what was done stays done.
    pub async fn think(&self, now: DateTime<Utc>) -> Answer<usize> {
        let mut steps = 0;
        loop {
            while self.sort_one(now).await? {}
            if let Some(claimed) = self.store.claim_letter(now).await? {
                steps += usize::from(self.answer(claimed, now).await?);
            } else if !self.fire(now).await? {
                return Ok(steps);
            } else {
                steps += 1;
            }
        }
    }

    /// One letter to one case.
    async fn answer(&self, claimed: Claimed, now: DateTime<Utc>) -> Answer<bool> {
        let Claimed { id, letter, case } = claimed;
        let (number, before) = match (letter.body, case) {
            (LetterBody::Opens(opening), _) => (self.number(&letter.key).await?, Before::Opening(opening)),
            (LetterBody::ToCase(_, input), Some(case)) if case.phase != REFUSED => {
                (case.id, Before::Case(case, input))
            }
            (LetterBody::ToCase(..), _) => {
                self.store.quarantine(id, "it is for a case that was never opened", now).await?;
                self.tell_quarantined(now).await?;
                return Ok(false);
            }
        };
        let stepped = self.step(number, before, Some(id), now).await;
        if let Err(fault) = stepped {
            // The letter is put back so that it is tried again when the world is well; if even that fails,
            // the hand is freed when this process ends.
            self.store.put_back(id, now).await?;
            return Err(fault);
        }
        stepped
    }

    /// The first number is the office's, whoever comes first, and however often its opening was cut short.
    async fn number(&self, key: &str) -> Answer<CaseId> {
        if key == OFFICE_KEY {
            return Ok(OFFICE);
        }
        let number = self.store.new_case().await?;
        if number == OFFICE { self.store.new_case().await } else { Ok(number) }
    }

    /// Fires the most overdue clock, if letters allow it. False: none is due.
    async fn fire(&self, now: DateTime<Utc>) -> Answer<bool> {
        let due = self.store.claim_due(now, self.settings.settle, &self.settings.mailboxes).await?;
        let Some(case) = due else { return Ok(false) };
        let number = case.id;
        match self.step(number, Before::Case(case, Input::Wake), None, now).await {
            Ok(true) => Ok(true),
            // Not committed: a letter came first. It is read before the clock is looked at again.
            Ok(false) => {
                self.store.release_case(number).await?;
                Ok(true)
            }
            Err(fault) => {
                self.store.release_case(number).await?;
                Err(fault)
            }
        }
    }

    /// Computes and applies one step. False: it must be computed again, and nothing was applied.
    async fn step(
        &self,
        case: CaseId,
        before: Before,
        letter: Option<LetterId>,
        now: DateTime<Utc>,
    ) -> Answer<bool> {
        let register = self.register().await?;
        let at = Surroundings { case, now, policies: &self.policies, register: &register };
        let commit = match advance::advance(before, letter, &at, BUILD) {
            Ok(commit) => commit,
            Err(unreadable) => {
                error!(case = %case, %unreadable, "install the build that wrote this state, or a newer one");
                if let Some(letter) = letter {
                    self.store.quarantine(letter, &unreadable.to_string(), now).await?;
                }
                return Ok(false);
            }
        };
        match self.store.commit(&commit).await {
            Ok(()) => {
                let phase = commit.case.phase.as_str();
                let outcome = commit.journal.outcome.split(" {").next().unwrap_or_default();
                info!(case = %case, kind = commit.case.kind, phase, seq = commit.case.seq, outcome, "step");
                Ok(true)
            }
            Err(CommitError::Conflict(why)) => {
                debug!(case = %case, why, "the step is computed again");
                if let Some(letter) = letter {
                    self.store.put_back(letter, now).await?;
                }
                Ok(false)
            }
            Err(CommitError::Fault(fault)) => Err(fault),
        }
    }
}
