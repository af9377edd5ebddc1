//! Bugs built in on purpose, where the clerk meets its record.

use super::super::Planted;
use super::FaultyStore;
use crate::advance::{CaseRow, Commit, LetterBody};
use crate::kernel::workflow::Input;
use crate::ports::store::{Answer, Claimed, CommitError, NewMail, Quarantined, Release, Sorted, Store};
use chrono::{DateTime, Duration, Utc};

/// How long the region's comments go on where they never end.
const LATER: Duration = Duration::days(30);

impl FaultyStore {
    /// The planted bug that marks a letter in a transaction of its own, after the step.
    pub(super) async fn in_two_transactions(&self, commit: &Commit) -> Result<(), CommitError> {
        let unmarked = Commit { letter: None, ..commit.clone() };
        self.store.commit(&unmarked).await?;
        let strike = self.strike()?;
        if let Some((letter, _)) = &commit.letter {
            self.store.quarantine(*letter, "marked later", commit.now).await?;
            let item = Quarantined {
                mail: None,
                letter: Some(*letter),
                case: None,
                arrived: commit.now,
                why: String::new(),
                stays: 0,
            };
            self.store.unquarantine(&item, Release::Discard("marked later"), commit.now).await?;
        }
        self.answer_lost(strike).map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// The planted bugs of the inbox.
    pub(super) fn spoiled(&self, mails: &[NewMail], now: DateTime<Utc>) -> Vec<NewMail> {
        let spoil = |mail: &NewMail| {
            let mut mail = mail.clone();
            match self.planted {
                Some(Planted::NoDedup) => {
                    mail.dedup[..4].copy_from_slice(&mail.place.uid_validity.to_be_bytes())
                }
                Some(Planted::ByProcessing) => mail.arrived = now,
                _ => {}
            }
            mail
        };
        mails.iter().map(spoil).collect()
    }

    /// The planted bug that forgets that a notice of suspension has left.
    pub(super) fn deafened(&self, mut claimed: Claimed) -> Claimed {
        if self.planted == Some(Planted::ClockRuns)
            && let LetterBody::ToCase(_, Input::Sent { label, .. }) = &mut claimed.letter.body
            && label.starts_with("suspension:")
        {
            label.clear();
        }
        claimed
    }

    /// The planted bug that lets the region's comments go on.
    pub(super) async fn perhaps_later(
        &self,
        due: Option<CaseRow>,
        now: DateTime<Utc>,
    ) -> Answer<Option<CaseRow>> {
        let Some(case) = due else { return Ok(None) };
        let ends = case.wake_at.is_some_and(|at| now < at + LATER) && case.phase == "regional-review";
        if self.planted != Some(Planted::CommentsNeverEnd) || !ends {
            return Ok(Some(case));
        }
        self.store.put_back_clock(case.id, now + LATER).await?;
        Ok(None)
    }

    /// The same bug: a comment counts by a day on which comments were taken.
    pub(super) fn backdated(&self, mut sorted: Sorted) -> Sorted {
        if self.planted == Some(Planted::CommentsNeverEnd)
            && let Sorted::Letters(letters) = &mut sorted
        {
            for letter in letters {
                if let LetterBody::ToCase(_, Input::Comment(comment)) = &mut letter.body {
                    comment.arrived -= LATER;
                }
            }
        }
        sorted
    }
}
