//! Chance with a seed. Each purpose draws from a stream of its own, so that one more fault does not change
//! what the villagers do.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Whose stream it is; a villager's is `VILLAGER` plus her number.
pub const FAULTS: u64 = 1;
pub const STORY: u64 = 2;
pub const POST: u64 = 3;
pub const APPLY: u64 = 4;
pub const VILLAGER: u64 = 1_000;
/// How a group goes about its application.
pub const APPLICANTS: u64 = 1_000_000;

/// One stream of chance.
pub struct Chance(ChaCha8Rng);

impl Chance {
    pub fn new(seed: u64, stream: u64) -> Chance {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Chance(rng)
    }

    /// A number below `n`; 0 where `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64().checked_rem(n).unwrap_or(0)
    }

    /// A number from `low` up to and including `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low + 1).unwrap_or(0);
        low + i64::try_from(self.below(width)).unwrap_or(0)
    }

    /// True so many times in a thousand.
    pub fn permille(&mut self, n: u64) -> bool {
        self.below(1_000) < n
    }

    /// True so many times in a million.
    pub fn permillion(&mut self, n: u64) -> bool {
        self.below(1_000_000) < n
    }

    /// The index of one of these weights, each as likely as it is heavy.
    pub fn weighed(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return index,
            }
        }
        0
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(usize::try_from(self.below(of.len() as u64)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_the_same_story_again_and_streams_differ() {
        let draw = |stream| {
            let mut chance = Chance::new(7, stream);
            (0..4).map(|_| chance.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(STORY), draw(STORY));
        assert_ne!(draw(STORY), draw(FAULTS));
    }

    #[test]
    fn a_weight_of_nothing_is_never_drawn() {
        let mut chance = Chance::new(1, STORY);
        assert!((0..200).all(|_| chance.weighed(&[0, 3, 0, 1]) % 2 == 1));
    }
}
