//! How often people whom the record forgets were refused something today. A machine that answers our refusals is told
//! from a person by it, after a restart too: the counts are kept as keyed hashes of day and party, sealed under the
//! day's key, and overwritten on the next. They say nothing of comments that were taken.

use super::Daemon;
use crate::kernel::ids::Party;
use crate::ports::Fault;
use crate::ports::keys::KeyName;
use crate::ports::store::{Answer, Sealed, Store};
use chrono::{DateTime, NaiveDate, Utc};
use data_encoding::HEXLOWER;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Refusals and acknowledgements one party gets in a day. No person writes so many letters that need them; a
/// machine that answers ours does. Nothing else is limited.
pub(super) const COURTESIES_A_DAY: u64 = 40;
/// The fact under which the store keeps the day and what is sealed of it.
const REFUSED: &str = "refused-in-confidence";
/// Parties counted in a day; more are not told apart from those counted last.
const PARTIES: usize = 10_000;

/// The counts of a day, as this process knows them.
#[derive(Debug, Default)]
pub struct Courtesies(Mutex<Option<Today>>);

#[derive(Debug)]
struct Today {
    day: NaiveDate,
    counts: BTreeMap<String, u64>,
}

impl Courtesies {
    fn known(&self, day: NaiveDate) -> bool {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.as_ref().is_some_and(|today| today.day == day)
    }

    fn begin(&self, day: NaiveDate, counts: BTreeMap<String, u64>) {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *guard = Some(Today { day, counts });
    }

    /// Counts one more; the count, and all there is to keep.
    fn count(&self, hash: String) -> Option<(u64, BTreeMap<String, u64>)> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let today = guard.as_mut()?;
        if today.counts.len() >= PARTIES && !today.counts.contains_key(&hash) {
            today.counts.pop_first();
        }
        let count = today.counts.entry(hash).or_default();
        *count += 1;
        Some((*count, today.counts.clone()))
    }
}

impl<S: Store> Daemon<S> {
    /// Whether another refusal to somebody who is to be forgotten may leave today; it is counted.
    pub(super) async fn may_refuse(&self, to: Party, now: DateTime<Utc>) -> Answer<bool> {
        let day = now.date_naive();
        if !self.courtesies.known(day) {
            let counts = self.refused_before(day).await?;
            self.courtesies.begin(day, counts);
        }
        let hash = self.minter.keyed_hash("refused-in-confidence", format!("{day} {to}").as_bytes());
        let Some((count, counts)) = self.courtesies.count(HEXLOWER.encode(&hash)) else {
            return Ok(true);
        };
        if count <= COURTESIES_A_DAY {
            let text = serde_json::to_vec(&counts).map_err(|error| Fault::new("counting refusals", error))?;
            let sealed = self.keys.seal(&KeyName::Intake(day), &text, REFUSED.as_bytes())?;
            let fact = format!("{day} {} {}", sealed.key, HEXLOWER.encode(&sealed.bytes));
            self.store.set_fact(REFUSED, &fact).await?;
        }
        Ok(count <= COURTESIES_A_DAY)
    }

    /// What an earlier process counted on this day.
    async fn refused_before(&self, day: NaiveDate) -> Answer<BTreeMap<String, u64>> {
        let fact = self.store.fact(REFUSED).await?.unwrap_or_default();
        let parts: Vec<&str> = fact.split(' ').collect();
        let [kept, key, bytes] = parts.as_slice() else { return Ok(BTreeMap::new()) };
        if *kept != day.to_string() {
            return Ok(BTreeMap::new());
        }
        let bytes = HEXLOWER.decode(bytes.as_bytes()).unwrap_or_default();
        let sealed = Sealed { key: (*key).to_owned(), bytes };
        let opened = self.keys.try_open(&sealed, REFUSED.as_bytes())?;
        Ok(opened.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default())
    }
}
