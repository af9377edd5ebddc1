//! A form half filled in: the answers so far, each with where it was read. Replies are merged into it one
//! after the other.

use super::{Found, Reading, Value};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Earlier answers that are remembered of one question, to know them in a quote.
const MAX_BEFORE: usize = 8;

/// The answers so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Draft {
    entries: BTreeMap<String, Entry>,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// None: left out on purpose.
    pub value: Option<Value>,
    pub source: Source,
    /// What stood here before, the latest first: an old mail quoted back says nothing new.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Value>,
}

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The register, or an earlier form.
    OnFile,
    /// A letter, by the name the caller gives it, and when it arrived.
    Letter { letter: String, at: DateTime<Utc> },
}

impl Draft {
    /// A draft with what is already known.
    pub fn prefilled(known: impl IntoIterator<Item = (String, Value)>) -> Draft {
        let entry = |value| Entry { value: Some(value), source: Source::OnFile, before: Vec::new() };
        Draft { entries: known.into_iter().map(|(id, value)| (id, entry(value))).collect() }
    }

    /// What is known of one question.
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// The answer to one question.
    pub fn value(&self, id: &str) -> Option<&Value> {
        self.entries.get(id)?.value.as_ref()
    }

    /// Every answer, by question.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().filter_map(|(id, entry)| Some((id.as_str(), entry.value.as_ref()?)))
    }

    /// The draft after a letter: a later answer replaces the earlier one of the same question and nothing
    /// else. Merging the same reading twice changes nothing more.
    #[must_use]
    pub fn merged(&self, reading: &Reading, source: &Source) -> Draft {
        let mut draft = self.clone();
        for (id, found) in &reading.found {
            let value = match found {
                Found::Answer(value) => Some(value.clone()),
                Found::Nothing => None,
                Found::Same | Found::Trouble(_) => continue,
            };
            draft.set(id, value, source.clone());
        }
        draft
    }

    /// Takes an answer and all that stood there before away, as if it had never been given.
    pub fn forget(&mut self, id: &str) {
        self.entries.remove(id);
    }

    /// Writes one answer; `None` leaves it out on purpose.
    pub fn set(&mut self, id: &str, value: Option<Value>, source: Source) {
        let old = self.entries.get(id);
        if old.is_some_and(|old| old.value == value) {
            return;
        }
        let mut before = old.map(|old| old.before.clone()).unwrap_or_default();
        if let Some(gone) = old.and_then(|old| old.value.clone()) {
            before.retain(|known| *known != gone);
            before.insert(0, gone);
            before.truncate(MAX_BEFORE);
        }
        self.entries.insert(id.to_owned(), Entry { value, source, before });
    }
}
