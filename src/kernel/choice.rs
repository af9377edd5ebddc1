//! The three answers to a question put to the vote (seed 002: «YES», «NO», «ABSTAIN»).

use serde::{Deserialize, Serialize};

/// One of the three available responses. Stored and published as the English word whatever the
/// language it was given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    Yes,
    No,
    Abstain,
}

impl Choice {
    pub const ALL: [Choice; 3] = [Choice::Yes, Choice::No, Choice::Abstain];

    /// The constant English word, upper case.
    pub fn word(self) -> &'static str {
        match self {
            Choice::Yes => "YES",
            Choice::No => "NO",
            Choice::Abstain => "ABSTAIN",
        }
    }
}
