//! The chain of the journal: each row's hash covers the row and the hash before it, so that no row can be
//! altered, left out or slipped in without it showing. Pure.

use super::JournalRow;
use crate::advance::JournalEntry;
use crate::kernel::canonical::canonical;
use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};

/// A link of the chain: SHA-256, 32 octets.
pub type Link = [u8; 32];

/// The link before the first row.
pub const GENESIS: Link = [0; 32];

/// The hash of an entry that follows `before`.
pub fn link(before: &Link, entry: &JournalEntry) -> Link {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(canonical(entry).as_bytes());
    let mut link = GENESIS;
    link.copy_from_slice(context.finish().as_ref());
    link
}

/// A link as it is shown: lower-case hex.
pub fn hex(link: &[u8]) -> String {
    HEXLOWER.encode(link)
}

/// Where a journal does not hold together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("row {0} of the journal is missing or out of place")]
    Missing(i64),
    #[error("row {0} of the journal is not what was written: its hash does not follow from it")]
    Altered(i64),
}

/// Checks a whole journal from its first row, and returns its head in hex.
///
/// # Errors
/// The first row that does not follow from the one before it.
pub fn verify_chain(rows: &[JournalRow]) -> Result<String, Broken> {
    let mut before = GENESIS;
    for (row, number) in rows.iter().zip(1..) {
        if row.number != number {
            return Err(Broken::Missing(number));
        }
        before = link(&before, &row.entry);
        if row.hash != hex(&before) {
            return Err(Broken::Altered(number));
        }
    }
    Ok(hex(&before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::CaseId;
    use chrono::DateTime;
    use serde_json::json;

    fn journal(rows: u32) -> Vec<JournalRow> {
        let mut before = GENESIS;
        (0..rows)
            .map(|seq| {
                let entry = JournalEntry {
                    at: DateTime::UNIX_EPOCH,
                    case: CaseId(1),
                    seq,
                    kind: "ballot".into(),
                    input: json!({"b": 1, "a": {"d": null, "c": "é"}}),
                    register_version: 3,
                    policy: "p".into(),
                    build: "b".into(),
                    outcome: "acted".into(),
                    state_hash: "h".into(),
                    effects_hash: String::new(),
                };
                before = link(&before, &entry);
                JournalRow { number: i64::from(seq) + 1, entry, hash: hex(&before) }
            })
            .collect()
    }

    #[test]
    fn an_untouched_journal_holds_together() {
        let rows = journal(3);
        assert_eq!(verify_chain(&rows), Ok(rows[2].hash.clone()));
        assert_eq!(verify_chain(&[]), Ok("0".repeat(64)));
    }

    #[test]
    fn an_altered_row_shows() {
        let mut rows = journal(3);
        rows[1].entry.outcome = "refused: ballot/late".into();
        assert_eq!(verify_chain(&rows), Err(Broken::Altered(2)));
    }

    #[test]
    fn a_missing_row_shows_even_when_the_rest_is_renumbered() {
        let mut rows = journal(3);
        rows.remove(1);
        assert_eq!(verify_chain(&rows), Err(Broken::Missing(2)));
        rows[1].number = 2;
        assert_eq!(verify_chain(&rows), Err(Broken::Altered(2)));
    }
}
