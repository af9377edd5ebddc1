//! Looking for many phrases in a text at once.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, MatchKind};

use super::fold::fold;

/// A list of folded phrases, compiled. A text in ASCII may be asked about as it is, whatever its letter case;
/// any other is folded first.
#[derive(Debug)]
pub struct Phrases {
    inside: AhoCorasick,
    lengths: Vec<usize>,
}

impl Phrases {
    /// Compiles a list; an empty phrase is left out.
    pub fn new<'p>(list: impl IntoIterator<Item = &'p str>) -> Phrases {
        let list: Vec<&str> = list.into_iter().filter(|p| !p.is_empty()).collect();
        let inside = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(aho_corasick::StartKind::Both)
            .build(&list)
            .expect("the built-in tables are small");
        Phrases { inside, lengths: list.iter().map(|p| p.len()).collect() }
    }

    /// Whether any phrase stands anywhere in the text.
    pub fn are_in(&self, text: &str) -> bool {
        self.inside.is_match(comparable(text).as_ref())
    }

    /// Where the first phrase starts, in the folded text.
    pub fn first_in(&self, text: &str) -> Option<usize> {
        self.inside.find(comparable(text).as_ref()).map(|m| m.start())
    }

    /// The length of the longest phrase the text, which is folded or in ASCII, starts with.
    pub fn opening(&self, text: &str) -> Option<usize> {
        let found = self.inside.find(Input::new(text).anchored(Anchored::Yes))?;
        Some(self.lengths[found.pattern().as_usize()])
    }

    /// Whether a phrase stands in the text as whole words (scripts without spaces know no such bounds).
    pub fn stand_in(&self, text: &str) -> bool {
        let text = comparable(text);
        let text = text.as_ref();
        self.inside.find_iter(text).any(|m| {
            let before = text[..m.start()].chars().next_back();
            let after = text[m.end()..].chars().next();
            let bound = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            let unspaced = text[m.start()..].chars().next().is_some_and(super::fold::is_unspaced);
            unspaced || (bound(before) && bound(after))
        })
    }
}

fn comparable(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { fold(text) }
}

#[cfg(test)]
mod tests {
    use super::Phrases;

    #[test]
    fn phrases_are_found_where_they_stand() {
        let p = Phrases::new(["no", "no objection", "\u{540c}\u{610f}"]);
        assert_eq!(p.opening("no objection here"), Some(12));
        assert_eq!(p.first_in("I know"), Some(3));
        assert!(!p.stand_in("I know"));
        assert!(p.stand_in("I, no.") && p.stand_in("\u{6211}\u{540c}\u{610f}"));
    }
}
