//! Notices on their way to the outbox: one to a hundred people has its data once, in memory and in its digest.

use crate::kernel::canonical;
use crate::kernel::ids::{LetterId, NoticeId, Party};
use crate::kernel::workflow::{Asks, Calendar, Class};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// One notice to one recipient, waiting to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxRow {
    pub id: NoticeId,
    pub label: String,
    pub to: Party,
    pub address: u8,
    pub template: String,
    /// Shared by all to whom a step tells the same.
    #[serde(with = "shared")]
    pub data: Arc<Value>,
    pub asks: Asks,
    pub class: Class,
    pub not_after: Option<DateTime<Utc>>,
    pub report_sent: bool,
    pub calendar: Option<Calendar>,
    /// The letter this answers; its Message-ID becomes In-Reply-To.
    pub answers: Option<LetterId>,
    /// It says politely that a letter was not acted on: how many a party gets in a day is limited.
    #[serde(default)]
    pub refusal: bool,
}

impl OutboxRow {
    /// The same without the number of the letter it answers.
    pub fn by_itself(&self) -> OutboxRow {
        OutboxRow { answers: None, ..self.clone() }
    }
}

/// The canonical JSON of notices, each by itself. Data that several share is written out once and repeated.
pub(super) fn canonical(rows: &[OutboxRow]) -> String {
    let mut last: Option<(&Arc<Value>, String)> = None;
    let mut text = String::from("[");
    for (n, row) in rows.iter().enumerate() {
        let data = match last.take() {
            Some((of, data)) if Arc::ptr_eq(of, &row.data) => data,
            _ => row.data.to_string(),
        };
        let shell = OutboxRow { data: Arc::new(Value::Null), ..row.by_itself() };
        let shell = canonical::canonical(&shell);
        let (before, after) = shell.split_once(EMPTY).unwrap_or((&shell, ""));
        text.push_str(if n == 0 { "" } else { "," });
        [before, r#","data":"#, &data, after].into_iter().for_each(|piece| text.push_str(piece));
        last = Some((&row.data, data));
    }
    text.push(']');
    text
}

/// Where the data stands in the canonical JSON of a notice without any. No text holds it: there quotes are escaped.
const EMPTY: &str = r#","data":null"#;

/// What is shared is stored as what it is.
mod shared {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;
    use std::sync::Arc;

    pub fn serialize<S: Serializer>(data: &Arc<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        data.as_ref().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Value>, D::Error> {
        Value::deserialize(deserializer).map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::{CaseId, PersonId};
    use serde_json::json;

    fn row(n: u16, data: &Arc<Value>) -> OutboxRow {
        OutboxRow {
            id: NoticeId { case: CaseId(3), seq: 1, n },
            label: r#"ask","data":null"#.to_owned(),
            to: Party::Person(PersonId(u32::from(n))),
            address: 0,
            template: "ballot/ballot".to_owned(),
            data: data.clone(),
            asks: Asks::Vote,
            class: Class::Action,
            not_after: Some(DateTime::UNIX_EPOCH),
            report_sent: n == 1,
            calendar: None,
            answers: Some(LetterId(7)),
            refusal: false,
        }
    }

    #[test]
    fn notices_are_written_as_any_json_is() {
        let (one, other) = (Arc::new(json!({ "b": [1, null], "a": "\"é" })), Arc::new(Value::Null));
        let rows = [row(0, &one), row(1, &one), row(2, &other), row(3, &one)];
        let plain: Vec<OutboxRow> = rows.iter().map(OutboxRow::by_itself).collect();
        assert_eq!(canonical(&rows), canonical::canonical(&plain));
        assert_eq!(canonical(&[]), "[]");
    }

    #[test]
    fn shared_data_is_stored_and_read_as_it_is() {
        let data = Arc::new(json!({ "question": "ça va?" }));
        let stored = serde_json::to_value(row(0, &data)).unwrap();
        assert_eq!(stored["data"], *data);
        assert_eq!(serde_json::from_value::<OutboxRow>(stored).unwrap(), row(0, &data));
    }
}
