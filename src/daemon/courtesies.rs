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

/// Refusals and acknowledgements one party gets in a day. No person writes so many letters that need them; a
/// machine that answers ours does. Nothing else is limited.
pub(super) const COURTESIES_A_DAY: u64 = 40;
/// The fact under which the store keeps the day and what is sealed of it.
const REFUSED: &str = "refused-in-confidence";
/// Parties counted in a day; the count of one more takes the place of another's.
const PARTIES: usize = 2_000;

impl<S: Store> Daemon<S> {
    /// Whether another refusal to somebody who is to be forgotten may leave today; it is counted.
    pub(super) async fn may_refuse(&self, to: Party, now: DateTime<Utc>) -> Answer<bool> {
        let day = now.date_naive();
        let mut counts = self.refused_before(day).await?;
        let hash = self.minter.keyed_hash(REFUSED, format!("{day} {to}").as_bytes());
        let hash = HEXLOWER.encode(&hash);
        let count = counts.get(&hash).copied().unwrap_or(0);
        if count >= COURTESIES_A_DAY {
            return Ok(false);
        }
        if counts.len() >= PARTIES && count == 0 {
            counts.pop_first();
        }
        counts.insert(hash, count + 1);
        let text = serde_json::to_vec(&counts).map_err(|error| Fault::new("counting refusals", error))?;
        let sealed = self.keys.seal(&KeyName::Intake(day), &text, REFUSED.as_bytes())?;
        let fact = format!("{day} {} {}", sealed.key, HEXLOWER.encode(&sealed.bytes));
        self.store.set_fact(REFUSED, &fact).await?;
        Ok(true)
    }

    /// What was counted on this day so far.
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
