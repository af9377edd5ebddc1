//! What both stores do alike: letters the sender causes, endings as text, text that a database can hold.

use super::Books;
use crate::advance::{Ending, LetterBody, NewLetter, OutboxRow};
use crate::kernel::ids::{CaseId, LetterId, MailId, NoticeId};
use crate::kernel::workflow::{Asks, Input, Undelivered};
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;

/// Instances that may die with an item alone in hand before it is quarantined.
pub const LIVES: i16 = 3;
/// How long an item that was alone in a dead hand rests. Where it was chance, the next instance does other
/// work first, and whoever kills at random does not meet the same item again and again.
pub const RESTS: [Duration; 2] = [Duration::seconds(3), Duration::seconds(30)];
/// Why an item that ended that many instances waits for a person.
pub const POISON: &str = "working on it ended the process three times";
/// How long a stranger waits for another answer.
pub const STRANGER_REST: Duration = Duration::days(1);
/// Octets of the longest address kept (RFC 5321, 4.5.3.1: 64 + 1 + 255).
pub const ADDRESS: usize = 320;

/// What an instance can have in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    Mail(MailId),
    Letter(LetterId),
    Clock(CaseId),
    Notice(NoticeId),
}

/// The letter by which a case learns that a notice was accepted for sending.
pub fn sent_letter(row: &OutboxRow, now: DateTime<Utc>) -> NewLetter {
    let input = Input::Sent { notice: row.id, label: row.label.clone(), to: row.to, at: now };
    letter(format!("sent:{}", row.id), row.id, input, now)
}

/// The letter by which a case learns that a notice was refused for good. Only a status of class 4 (RFC 3463)
/// leaves hope for later.
pub fn undelivered_letter(row: &OutboxRow, status: Option<&str>, now: DateTime<Utc>) -> NewLetter {
    let input = Input::Undelivered(Undelivered {
        notice: row.id,
        label: row.label.clone(),
        to: row.to,
        address: row.address,
        permanent: !status.is_some_and(|status| status.starts_with('4')),
        status: status.map(str::to_owned),
        at: now,
    });
    letter(format!("undelivered:{}:{}", row.id, row.address), row.id, input, now)
}

/// The letter by which a case learns that the time of a question was over before it could leave.
pub fn unsent_letter(row: &OutboxRow, now: DateTime<Utc>) -> NewLetter {
    undelivered_letter(row, None, now)
}

/// Templates of acknowledgements: friendly, and owed to nobody who writes forty times a day.
pub const ACKNOWLEDGEMENTS: [&str; 3] = ["office/transcript", "enquiry/received", "comment/list"];

/// Whether a notice is a refusal or an acknowledgement: what two machines could exchange without end.
/// Questions, receipts, results and tasks are none, however many there are.
pub fn courtesy(row: &OutboxRow) -> bool {
    row.refusal || ACKNOWLEDGEMENTS.contains(&row.template.as_str())
}

fn letter(key: String, notice: NoticeId, input: Input, now: DateTime<Utc>) -> NewLetter {
    let body = LetterBody::ToCase(notice.case, input);
    NewLetter { key, body, arrived: now, mail: None, message_id: None }
}

/// Whether a notice waits for an answer.
pub fn asks(row: &OutboxRow) -> bool {
    row.asks != Asks::Nothing
}

/// An ending as a status and why.
pub fn ending_text(ending: &Ending) -> (&'static str, Option<&str>) {
    match ending {
        Ending::Acted => ("acted", None),
        Ending::Refused(template) => ("refused", Some(template)),
        Ending::Silent(why) => ("silent", Some(why)),
    }
}

/// The ending a status stands for; none while a letter is unfinished.
pub fn ending_of(status: &str, why: Option<String>) -> Option<Ending> {
    match status {
        "acted" => Some(Ending::Acted),
        "refused" => Some(Ending::Refused(why.unwrap_or_default())),
        "silent" => Some(Ending::Silent(why.unwrap_or_default())),
        _ => None,
    }
}

/// Where mails of a status are booked.
pub fn column<'a>(books: &'a mut Books, status: &str) -> &'a mut u64 {
    match status {
        "acted" => &mut books.acted,
        "refused" => &mut books.refused,
        "silent" => &mut books.silent,
        "quarantined" => &mut books.quarantined,
        _ => &mut books.waiting,
    }
}

/// The same text without NUL, which a mail may hold and a database's text may not; U+FFFD takes its place.
pub fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Whether a value is kept as it is.
pub fn is_storable(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains('\0'),
        Value::Array(items) => items.iter().all(is_storable),
        Value::Object(map) => map.iter().all(|(key, value)| !key.contains('\0') && is_storable(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The same value with `storable` text throughout.
pub fn storable_json(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(storable(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(storable_json).collect()),
        Value::Object(map) => Value::Object(
            map.into_iter().map(|(key, value)| (storable(&key), storable_json(value))).collect(),
        ),
        other => other,
    }
}

/// An address as it is kept: lower case, bounded.
pub fn kept_address(address: &str) -> String {
    storable(address.trim()).to_lowercase().chars().take(ADDRESS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nul_is_replaced_wherever_it_stands() {
        let hostile = json!({"a\0": ["x\0y", 1, {"b": "\0"}]});
        assert!(!is_storable(&hostile) && is_storable(&storable_json(hostile.clone())));
        assert_eq!(storable_json(hostile), json!({"a\u{fffd}": ["x\u{fffd}y", 1, {"b": "\u{fffd}"}]}));
    }

    #[test]
    fn an_ending_is_read_back_as_written() {
        for ending in [Ending::Acted, Ending::Refused("ballot/late".into()), Ending::Silent("bounce".into())]
        {
            let (status, why) = ending_text(&ending);
            assert_eq!(ending_of(status, why.map(str::to_owned)), Some(ending));
        }
        assert_eq!(ending_of("waiting", None), None);
        assert_eq!(ending_of("quarantined", Some("why".into())), None);
    }
}
