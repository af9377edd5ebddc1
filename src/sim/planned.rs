//! What a villager is going to send, and whom else she knows.

use super::model::{Deed, Meaning};
use super::outgoing::Draft;
use crate::kernel::ids::PersonId;
use chrono::{DateTime, Utc};

/// Something she will send.
#[derive(Debug, Clone)]
pub struct Planned {
    pub at: DateTime<Utc>,
    pub draft: Draft,
    pub by: PersonId,
    pub meaning: Meaning,
    /// The token of the mail it answers, where it carries one.
    pub answers: Option<String>,
    /// The mail of hers that it confirms.
    pub confirms: Option<String>,
    /// What she means by it for an application.
    pub deed: Option<Deed>,
    /// Nobody can doubt that it is hers.
    pub proven: bool,
    /// Over the clerk's size limit.
    pub too_large: bool,
    /// What she will do with the refusal it earns.
    pub mends: bool,
}

impl Planned {
    /// A mail that answers nothing and means nothing to a ballot.
    pub fn plain(at: DateTime<Utc>, by: PersonId, draft: Draft) -> Planned {
        Planned {
            at,
            draft,
            by,
            meaning: Meaning::Nothing,
            answers: None,
            confirms: None,
            deed: None,
            proven: true,
            too_large: false,
            mends: false,
        }
    }
}

/// Somebody else's name and address.
#[derive(Debug, Clone)]
pub struct Peer {
    pub id: PersonId,
    pub name: String,
    pub address: String,
}
