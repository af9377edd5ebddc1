//! What a letter brings that a form can be read from: its lines, told apart into the author's and the
//! quoted, and the text of the files that came along. It is kept with the letter, so that a replay reads
//! the same.

use super::Unread;
use serde::{Deserialize, Serialize};

/// The lines of a letter and its files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    pub pages: Vec<Page>,
    /// Files that could have held the form and were not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
    /// Something was longer than what is kept.
    #[serde(default)]
    pub cut: bool,
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    pub place: Place,
    pub lines: Vec<Line>,
}

/// Which text of a letter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    Plain,
    /// The same words once more, with the structure of HTML.
    Html,
    File,
}

/// One line, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    #[serde(rename = "t")]
    pub text: String,
    #[serde(rename = "p")]
    pub part: Part,
    /// How many quote marks stand before it.
    #[serde(rename = "l", default, skip_serializing_if = "is_zero")]
    pub level: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(level: &u8) -> bool {
    *level == 0
}

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Own,
    Quote,
    Signature,
}
