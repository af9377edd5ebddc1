//! Where mail comes from.

use serde::{Deserialize, Serialize};

/// Where reading a folder left off.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cursor {
    pub uid_validity: u32,
    /// The next UID to be read.
    pub next_uid: u32,
}

/// Where a mail was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub folder: String,
    pub uid_validity: u32,
    pub uid: u32,
}
