//! What is done now and then beside the steps: the witness beside the keys, by which a restored database is
//! noticed, and the destruction of intake keys whose time is over.

use super::Daemon;
use crate::ports::keys::{KeyName, Witness};
use crate::ports::store::parts::ABANDONED;
use crate::ports::store::{Answer, Store};
use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use tracing::info;

/// No more often is the witness written while steps are taken: a backup is older than that.
const WITNESS_EVERY: Duration = Duration::seconds(2);

/// When each of the works beside the steps was last done, by one thinker.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    witnessed: Option<DateTime<Utc>>,
    retained: Option<NaiveDate>,
}

impl Upkeep {
    /// Does what is due.
    pub(super) async fn keep<S: Store>(&mut self, daemon: &Daemon<S>, now: DateTime<Utc>) -> Answer<()> {
        if self.witnessed.is_none_or(|last| now < last || now - last >= WITNESS_EVERY) {
            daemon.witness().await?;
            self.witnessed = Some(now);
        }
        if self.retained != Some(now.date_naive()) {
            daemon.retain(now).await?;
            self.retained = Some(now.date_naive());
        }
        Ok(())
    }
}

impl<S: Store> Daemon<S> {
    /// Notes beside the keys how far the journal has come. The keys are outside the database and its backups.
    ///
    /// # Errors
    /// The store or the key store cannot be reached.
    pub async fn witness(&self) -> Answer<()> {
        let Some((number, hash)) = self.store.journal_at(None).await? else { return Ok(()) };
        let seen = Witness { number, hash };
        if self.keys.witness()?.as_ref() != Some(&seen) {
            self.keys.set_witness(&seen)?;
        }
        Ok(())
    }

    /// Holds the journal against the witness. Some: why this database is not the one that was last at work.
    ///
    /// # Errors
    /// The store or the key store cannot be reached.
    pub async fn restored(&self) -> Answer<Option<String>> {
        let Some(seen) = self.keys.witness()? else { return Ok(None) };
        Ok(match self.store.journal_at(Some(seen.number)).await? {
            Some((_, hash)) if hash == seen.hash => None,
            Some(_) => {
                Some(format!("step {} of its journal is not the one that was taken here", seen.number))
            }
            None => Some(format!("{} steps were taken here, and its journal has fewer", seen.number)),
        })
    }

    /// Destroys the intake keys of days longer ago than the installation keeps them, as far as everything of
    /// those days is dealt with. What they sealed stays stored and opens no more. Returns how many.
    ///
    /// # Errors
    /// The store or the key store cannot be reached; what is left is destroyed another time.
    pub async fn retain(&self, now: DateTime<Utc>) -> Answer<usize> {
        let kept = Days::new(u64::from(self.settings.intake_days));
        let Some(limit) = now.date_naive().checked_sub_days(kept) else { return Ok(0) };
        let before = match self.store.oldest_intake_key().await?.map(|key| key.parse()) {
            None => limit,
            Some(Ok(KeyName::Intake(day))) => limit.min(day),
            Some(_) => return Ok(0),
        };
        let yesterday = now.date_naive().checked_sub_days(Days::new(1)).unwrap_or(limit);
        self.keys.tidy(yesterday, &self.store.keys_needed().await?)?;
        let gone = self.keys.expire_intake(before)?;
        self.store.tidy_parts(now - ABANDONED, before).await?;
        if gone > 0 {
            info!(gone, %before, "intake keys are destroyed: mail of before then can no longer be opened");
        }
        Ok(gone)
    }
}
