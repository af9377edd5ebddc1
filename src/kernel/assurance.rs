//! How sure we are who wrote a letter, and how sure an act needs us to be (design: assurance matrix).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The evidence a letter carries about its author. Each is a fact, none is a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Assurance {
    /// It carries the token of a notice we sent to this person.
    pub token: bool,
    /// Its From is an address on file for this person, and no list rewrote it.
    pub from_on_file: bool,
    /// The border host vouches for that From: authenticated submission, or aligned DKIM or DMARC.
    pub aligned: bool,
    /// It answers a confirmation request, which went to the address on file and nowhere else.
    #[serde(default)]
    pub confirmed: bool,
}

/// What the evidence amounts to, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Anybody could have written it.
    Nobody,
    /// Somebody who has seen one of our mails to this person.
    Token,
    /// The same, from the right address, which can be forged; or the right address, vouched for, but no
    /// token to say which matter is meant.
    TokenAndAddress,
    /// The right address, vouched for; or a confirmation from the mailbox on file.
    Vouched,
}

impl Assurance {
    /// A member of staff at the keyboard: the operating system vouches.
    pub const STAFF: Assurance =
        Assurance { token: false, from_on_file: true, aligned: true, confirmed: true };

    pub fn level(self) -> Level {
        match self {
            Assurance { confirmed: true, .. } => Level::Vouched,
            Assurance { token: true, from_on_file: true, aligned: true, .. } => Level::Vouched,
            Assurance { token: true, from_on_file: true, .. } => Level::TokenAndAddress,
            Assurance { from_on_file: true, aligned: true, .. } => Level::TokenAndAddress,
            Assurance { token: true, .. } => Level::Token,
            _ => Level::Nobody,
        }
    }
}

/// What people do by mail, as far as it matters how sure we must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    Comment,
    Report,
    Vote,
    Decertification,
    /// Doing a task that waits for staff or the Chair.
    Task,
    /// Changing one's own language or asking for help.
    Command,
}

/// What each act needs; `policy.toml` may raise or lower it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Matrix(pub BTreeMap<Act, Level>);

impl Default for Matrix {
    fn default() -> Matrix {
        Matrix(BTreeMap::from([
            (Act::Comment, Level::Token),
            (Act::Report, Level::TokenAndAddress),
            (Act::Vote, Level::Vouched),
            (Act::Decertification, Level::Vouched),
            (Act::Task, Level::Vouched),
            (Act::Command, Level::TokenAndAddress),
        ]))
    }
}

impl Matrix {
    /// Whether the evidence is enough. An act the matrix does not name needs the strongest.
    pub fn allows(&self, act: Act, assurance: Assurance) -> bool {
        assurance.level() >= self.0.get(&act).copied().unwrap_or(Level::Vouched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_from_with_a_leaked_token_is_not_enough_for_a_vote() {
        let forged = Assurance { token: true, from_on_file: true, ..Assurance::default() };
        assert!(!Matrix::default().allows(Act::Vote, forged));
        assert!(Matrix::default().allows(Act::Report, forged));
        assert!(Matrix::default().allows(Act::Vote, Assurance { confirmed: true, ..forged }));
        assert!(Matrix::default().allows(Act::Vote, Assurance { aligned: true, ..forged }));
    }
}
