//! Looking for many phrases in a text at once.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, MatchKind};

use super::fold::{fold, is_unspaced};
use super::table::Bits;

/// A list of folded phrases, compiled. A text in ASCII may be asked about as it is, whatever its letter case;
/// any other is folded first.
#[derive(Debug)]
pub struct Phrases {
    inside: AhoCorasick,
    /// The first two bytes of every phrase.
    heads: Bits,
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
        let mut heads = Bits::new();
        for phrase in list {
            match phrase.as_bytes() {
                [one] => (0..=255).for_each(|two| heads.add(head(*one, two))),
                [one, two, ..] => heads.add(head(*one, *two)),
                [] => {}
            }
        }
        Phrases { inside, heads }
    }

    /// Whether any phrase stands anywhere in the text.
    pub fn are_in(&self, text: &str) -> bool {
        self.inside.is_match(comparable(text).as_ref())
    }

    /// Where the first phrase starts, in the folded text.
    pub fn first_in(&self, text: &str) -> Option<usize> {
        self.inside.find(comparable(text).as_ref()).map(|m| m.start())
    }

    /// Where phrases stand in a folded text.
    pub fn all_in(&self, folded: &str) -> impl Iterator<Item = (usize, usize)> {
        self.inside.find_iter(folded).map(|m| (m.start(), m.end()))
    }

    /// The length of the longest phrase the text, which is folded or in ASCII, starts with.
    pub fn opening(&self, text: &str) -> Option<usize> {
        self.at(text, 0)
    }

    /// Whether a phrase may start with these two characters, folded.
    pub fn may_open(&self, near: &str) -> bool {
        let bytes = near.as_bytes();
        self.heads.has(head(bytes.first().copied().unwrap_or(0), bytes.get(1).copied().unwrap_or(0)))
    }

    /// Whether a phrase starts with a word among the first `limit` bytes of the folded text.
    pub fn start_within(&self, text: &str, limit: usize) -> bool {
        if text.is_ascii() {
            let bytes = text.as_bytes();
            let starts = |n: &usize| *n == 0 || !bytes[n - 1].is_ascii_alphanumeric();
            return (0..bytes.len().min(limit + 1)).filter(starts).any(|n| self.at(text, n).is_some());
        }
        let text = fold(&text[..text.floor_char_boundary(limit * 3 + 300)]);
        starts(&text).take_while(|n| *n <= limit).any(|n| self.at(&text, n).is_some())
    }

    /// Whether a phrase stands in the text as whole words (scripts without spaces know no such bounds).
    pub fn stand_in(&self, text: &str) -> bool {
        if text.is_ascii() {
            return self.next_word(text, 0).is_some();
        }
        let text = fold(text);
        let whole = |at: usize, end: usize| {
            text[at..].chars().next().is_some_and(is_unspaced)
                || text[end..].chars().next().is_none_or(|c| !c.is_alphanumeric())
        };
        starts(&text).any(|n| self.at(&text, n).is_some_and(|length| whole(n, n + length)))
    }

    /// Where in a text in ASCII the next phrase stands as whole words.
    pub fn next_word(&self, ascii: &str, from: usize) -> Option<usize> {
        let bytes = ascii.as_bytes();
        let mut inside = from.checked_sub(1).is_some_and(|n| bytes[n].is_ascii_alphanumeric());
        for (n, byte) in bytes.iter().enumerate().skip(from) {
            let starts = !inside;
            inside = byte.is_ascii_alphanumeric();
            let ends = |length: usize| bytes.get(n + length).is_none_or(|b| !b.is_ascii_alphanumeric());
            if starts && *byte != b' ' && self.at(ascii, n).is_some_and(ends) {
                return Some(n);
            }
        }
        None
    }

    /// The length of the longest phrase that starts at this byte.
    fn at(&self, text: &str, n: usize) -> Option<usize> {
        let bytes = text.as_bytes();
        let one = *bytes.get(n)?;
        if !self.heads.has(head(one, bytes.get(n + 1).copied().unwrap_or(0))) {
            return None;
        }
        let found = self.inside.find(Input::new(text).range(n..).anchored(Anchored::Yes))?;
        Some(found.end() - n)
    }
}

fn head(one: u8, two: u8) -> usize {
    usize::from(one | 0x20) * 131 + usize::from(two | 0x20) * 7
}

/// Where words start; of scripts without spaces, every character.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let mut before = ' ';
    text.char_indices().filter_map(move |(n, c)| {
        let starts = !before.is_alphanumeric() || (!c.is_ascii() && is_unspaced(c));
        before = c;
        starts.then_some(n)
    })
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
        assert!(
            p.start_within("Well, NO", 6) && !p.start_within("Well, no", 5) && !p.start_within("know", 9)
        );
    }
}
