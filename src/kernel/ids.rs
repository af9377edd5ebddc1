//! Numbers that name things. People are named by number alone everywhere but in the register.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text that is not the number of anything: what was expected, and an example.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {what}; write it like {example}")]
pub struct NotAnId {
    text: String,
    what: &'static str,
    example: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($inner:ty) $letter:literal $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $letter, self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<$name, NotAnId> {
                let digits = text.trim().strip_prefix($letter).unwrap_or(text.trim());
                digits.parse().map($name).map_err(|_| NotAnId {
                    text: text.to_owned(), what: $what, example: concat!($letter, "42"),
                })
            }
        }
    )*};
}

ids! {
    /// A person in the register: a number staff choose once and never reuse.
    PersonId(u32) "p" "a person's number";
    /// An organisation in the register.
    OrganisationId(u32) "o" "an organisation's number";
    /// Somebody who wrote to us and is not in the register; the store alone knows the address.
    StrangerId(i64) "s" "a stranger's number";
    /// Somebody who told us something in confidence and is answered once: random, and what it leads to is destroyed
    /// once the answer has left.
    AnonymousId(u64) "a" "an anonymous author's number";
    /// One running matter.
    CaseId(i64) "c" "a case number";
    /// One addressed letter: an input waiting for a case.
    LetterId(i64) "l" "a letter's number";
    /// One mail as it arrived.
    MailId(i64) "m" "a mail's number";
}

/// Whoever we write to or hear from. As text "p17", "o3", "s9", "a7", so that it can key a JSON map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Party {
    Person(PersonId),
    Organisation(OrganisationId),
    Stranger(StrangerId),
    Anonymous(AnonymousId),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Person(id) => id.fmt(f),
            Party::Organisation(id) => id.fmt(f),
            Party::Stranger(id) => id.fmt(f),
            Party::Anonymous(id) => id.fmt(f),
        }
    }
}

impl FromStr for Party {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Party, NotAnId> {
        match text.chars().next() {
            Some('p') => text.parse().map(Party::Person),
            Some('o') => text.parse().map(Party::Organisation),
            Some('s') => text.parse().map(Party::Stranger),
            Some('a') => text.parse().map(Party::Anonymous),
            _ => Err(NotAnId { text: text.to_owned(), what: "a party", example: "p17" }),
        }
    }
}

impl From<Party> for String {
    fn from(party: Party) -> String {
        party.to_string()
    }
}

impl TryFrom<String> for Party {
    type Error = NotAnId;
    fn try_from(text: String) -> Result<Party, NotAnId> {
        text.parse()
    }
}

impl From<PersonId> for Party {
    fn from(id: PersonId) -> Party {
        Party::Person(id)
    }
}

impl From<OrganisationId> for Party {
    fn from(id: OrganisationId) -> Party {
        Party::Organisation(id)
    }
}

/// One notice to one recipient: the case, the step that caused it, and its place in that step.
/// As text "c42.7.0".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct NoticeId {
    pub case: CaseId,
    pub seq: u32,
    pub n: u16,
}

impl fmt::Display for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.case, self.seq, self.n)
    }
}

impl FromStr for NoticeId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<NoticeId, NotAnId> {
        let wrong = || NotAnId { text: text.to_owned(), what: "a notice's number", example: "c42.7.0" };
        let mut parts = text.split('.');
        let case = parts.next().ok_or_else(wrong)?.parse()?;
        let seq = parts.next().and_then(|p| p.parse().ok()).ok_or_else(wrong)?;
        let n = parts.next().and_then(|p| p.parse().ok()).ok_or_else(wrong)?;
        if parts.next().is_some() {
            return Err(wrong());
        }
        Ok(NoticeId { case, seq, n })
    }
}

impl From<NoticeId> for String {
    fn from(id: NoticeId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for NoticeId {
    type Error = NotAnId;
    fn try_from(text: String) -> Result<NoticeId, NotAnId> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn numbers_are_read_back_as_they_are_written() {
        for party in [
            Party::Person(PersonId(17)),
            OrganisationId(3).into(),
            Party::Stranger(StrangerId(9)),
            Party::Anonymous(AnonymousId(u64::MAX)),
        ] {
            assert_eq!(party.to_string().parse(), Ok(party));
        }
        let notice = NoticeId { case: CaseId(42), seq: 7, n: 1 };
        assert_eq!(notice.to_string(), "c42.7.1");
        assert_eq!("c42.7.1".parse(), Ok(notice));
    }

    #[test]
    fn a_text_that_is_no_number_is_refused_with_an_example() {
        for text in ["", "x17", "p", "c1.2", "c1.2.3.4", "c1.2.99999"] {
            assert!(text.parse::<Party>().is_err() || text.starts_with('c'), "{text}");
            assert!(text.parse::<NoticeId>().is_err(), "{text}");
        }
        let error = "p-1".parse::<Party>().unwrap_err();
        assert_eq!(error.to_string(), "\"p-1\" is not a person's number; write it like p42");
    }

    #[test]
    fn parties_key_a_json_map() {
        let map = BTreeMap::from([(Party::Person(PersonId(1)), 5)]);
        let json = serde_json::to_string(&map).unwrap();
        assert_eq!(json, r#"{"p1":5}"#);
        assert_eq!(serde_json::from_str::<BTreeMap<Party, i32>>(&json).unwrap(), map);
    }
}
