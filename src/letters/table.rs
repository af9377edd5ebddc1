//! Looking up words in tables of folded ones, as they stand in a mail.
//!
//! Most words of a mail are in no table. So each table also keeps the shapes of its words (first and last
//! byte, length): one look at a word as written tells most of the others, before it is folded.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::fold::{fold, with_folded};

/// A hasher for the tables: their keys are ours, so that nobody can make them collide.
#[derive(Debug, Clone, Copy)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = (self.0 ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// A set of small numbers: those below 4,096.
#[derive(Debug)]
pub struct Bits([u64; 64]);

impl Bits {
    pub fn new() -> Bits {
        Bits([0; 64])
    }

    pub fn add(&mut self, n: usize) {
        self.0[n / 64 % 64] |= 1 << (n % 64);
    }

    pub fn has(&self, n: usize) -> bool {
        self.0[n / 64 % 64] & (1 << (n % 64)) != 0
    }
}

/// What a glance at a word tells: the same for ASCII of either letter case.
fn shape(word: &str) -> usize {
    let bytes = word.as_bytes();
    let lower = |b: Option<&u8>| usize::from(b.copied().unwrap_or(0) | 0x20);
    lower(bytes.first()) * 37 + lower(bytes.last()) * 101 + bytes.len() * 661
}

/// Folded words or phrases and what each stands for.
#[derive(Debug)]
pub struct Table<V> {
    words: HashMap<String, V, BuildHasherDefault<Fnv>>,
    shapes: Bits,
}

/// Words that stand for nothing but themselves.
pub type Set = Table<()>;

impl<V> Table<V> {
    /// What a folded word stands for.
    pub fn get(&self, folded: &str) -> Option<&V> {
        if self.shapes.has(shape(folded)) { self.words.get(folded) } else { None }
    }

    pub fn contains(&self, folded: &str) -> bool {
        self.get(folded).is_some()
    }

    /// What a word stands for, whatever its letter case and accents.
    pub fn look_up(&self, text: &str) -> Option<&V> {
        if !text.is_ascii() {
            return self.get(&fold(text));
        }
        if self.shapes.has(shape(text)) { with_folded(text, |t| self.words.get(t)) } else { None }
    }

    /// Whether a word is listed, whatever its letter case and accents.
    pub fn lists(&self, text: &str) -> bool {
        self.look_up(text).is_some()
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.keys().map(String::as_str)
    }
}

impl<V> FromIterator<(String, V)> for Table<V> {
    fn from_iter<I: IntoIterator<Item = (String, V)>>(list: I) -> Table<V> {
        let words: HashMap<String, V, BuildHasherDefault<Fnv>> = list.into_iter().collect();
        let mut shapes = Bits::new();
        words.keys().for_each(|w| shapes.add(shape(w)));
        Table { words, shapes }
    }
}

impl FromIterator<String> for Set {
    fn from_iter<I: IntoIterator<Item = String>>(list: I) -> Set {
        list.into_iter().map(|w| (w, ())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Set;

    #[test]
    fn words_are_found_as_written() {
        let table: Set = ["oui", "\u{434}\u{430}", "\u{e9}te"].map(String::from).into_iter().collect();
        assert!(table.lists("OUI") && table.lists("\u{414}\u{410}") && table.contains("oui"));
        assert!(!table.lists("non") && !table.contains("OUI") && !table.lists(""));
    }
}
