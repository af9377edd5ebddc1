//! What a ballot tells its parent, read back.

use super::ParentSays;
use crate::kernel::ballot::Outcome;
use crate::kernel::workflow::{Effect, Note};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// News of a ballot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It is open; whom the note is from is its number.
    Opened,
    Extended,
    Ballot(Tidings),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tidings {
    Counted(Outcome),
    /// No quorum, and the Chair left it there.
    LeftUndecided,
    Annulled,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Body {
    Opened(IgnoredAny),
    #[serde(rename = "extended_to")]
    ExtendedTo(IgnoredAny),
    Ballot(Count),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Counted(Outcome),
    Other(Other),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Other {
    LeftUndecided,
    Annulled,
}

impl News {
    /// What the body of a note says; none where it is no news of a ballot.
    pub fn of(body: &Value) -> Option<News> {
        Some(match serde_json::from_value(body.clone()).ok()? {
            Body::Opened(_) => News::Opened,
            Body::ExtendedTo(_) => News::Extended,
            Body::Ballot(Count::Counted(outcome)) => News::Ballot(Tidings::Counted(outcome)),
            Body::Ballot(Count::Other(Other::LeftUndecided)) => News::Ballot(Tidings::LeftUndecided),
            Body::Ballot(Count::Other(Other::Annulled)) => News::Ballot(Tidings::Annulled),
        })
    }
}

/// What a matter that has ended answers to a ballot of it that opens only now.
pub fn too_late(note: &Note) -> Option<Effect> {
    let opened = News::of(&note.body) == Some(News::Opened);
    opened.then(|| Effect::Note { to: note.from, body: json!(ParentSays::End) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_ballot_tells_is_read_back() {
        let check = |body, expected| assert_eq!(News::of(&body), expected, "{body}");
        check(json!({ "opened": "2026-12-01T09:00:00Z" }), Some(News::Opened));
        check(json!({ "extended_to": "2026-12-01T09:00:00Z" }), Some(News::Extended));
        let counted = |outcome| Some(News::Ballot(Tidings::Counted(outcome)));
        check(json!({ "ballot": Outcome::Inquorate }), counted(Outcome::Inquorate));
        check(json!({ "ballot": Outcome::Carried }), counted(Outcome::Carried));
        check(json!({ "ballot": "left-undecided" }), Some(News::Ballot(Tidings::LeftUndecided)));
        check(json!({ "ballot": "annulled" }), Some(News::Ballot(Tidings::Annulled)));
        check(json!("freeze"), None);
    }
}
