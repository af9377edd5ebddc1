//! Signatures, phone footers, list footers and disclaimers at the end of the author's words.

use super::fold::fold;
use super::quote::{Line, Part};
use super::words::words;

/// Who the mail says it is from; helps to know a name under a text for one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sender<'a> {
    pub name: Option<&'a str>,
    pub address: Option<&'a str>,
}

/// Marks the signature lines of what is left to the author. Lines for which `keep` holds (they are an answer)
/// are never cut by likeness alone.
pub fn mark(lines: &mut [Line<'_>], _sender: Sender<'_>, keep: &dyn Fn(&str) -> bool) {
    let _ = keep;
    for i in 0..lines.len() {
        if lines[i].part == Part::Own
            && !lines[i].fixed
            && (is_separator(lines[i].text) || is_phone(lines[i].text))
        {
            cut(lines, i);
        }
    }
}

/// Everything own from `from` to the next quote is signature.
fn cut(lines: &mut [Line<'_>], from: usize) {
    for line in lines[from..].iter_mut() {
        if line.part == Part::Quote {
            break;
        }
        line.part = Part::Signature;
    }
}

/// `-- ` (RFC 3676 section 4.3), and `--` or `__` alone, as people's programs write it.
fn is_separator(text: &str) -> bool {
    matches!(text.trim_end_matches([' ', '\u{a0}', '\r']), "--" | "__" | "\u{2014}" | "\u{2013}")
}

/// "Sent from my iPhone" and its like.
fn is_phone(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() || text.len() > 160 {
        return false;
    }
    let folded = fold(text);
    let core = folded.trim_start_matches(|c: char| !c.is_alphanumeric());
    words().sent_from.iter().any(|p| core.starts_with(p.as_str()))
        && words().devices.iter().any(|d| core.contains(d.as_str()))
}
