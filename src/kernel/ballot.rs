//! Ballot arithmetic: quorum, majority of a quorum, two thirds of votes cast. Exact integers throughout.
//! Policy A part V; ambiguities 2 to 6.

use super::choice::Choice;
use serde::{Deserialize, Serialize};

/// How many answered what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    pub yes: u32,
    pub no: u32,
    pub abstain: u32,
}

impl Counts {
    pub fn of(choices: impl IntoIterator<Item = Choice>) -> Counts {
        let mut counts = Counts::default();
        for choice in choices {
            match choice {
                Choice::Yes => counts.yes += 1,
                Choice::No => counts.no += 1,
                Choice::Abstain => counts.abstain += 1,
            }
        }
        counts
    }

    /// All who recorded an answer, ABSTAIN included.
    pub fn recorded(self) -> u32 {
        self.yes + self.no + self.abstain
    }
}

/// How many must have recorded an answer: more than `numerator/denominator` of those sitting, and never
/// fewer than `min_absolute` (ambiguity 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    pub numerator: u32,
    pub denominator: u32,
    #[serde(default)]
    pub min_absolute: u32,
}

impl Default for Quorum {
    fn default() -> Quorum {
        Quorum { numerator: 1, denominator: 2, min_absolute: 0 }
    }
}

impl Quorum {
    /// The quorum number for so many sitting: 8 of 15.
    pub fn number(self, sitting: u32) -> u32 {
        let exceeds = u64::from(sitting) * u64::from(self.numerator) / u64::from(self.denominator.max(1)) + 1;
        u32::try_from(exceeds).unwrap_or(u32::MAX).max(self.min_absolute)
    }
}

/// What the affirmative side needs once there is a quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Majority {
    /// «a majority of a quorum»: YES > NO and YES ≥ floor(q/2)+1 (ambiguity 2).
    OfQuorum,
    /// «2/3 majority of the members of the ALAC who cast a vote» (ambiguity 3).
    TwoThirds { abstain_counts_as_cast: bool },
}

/// A rule of decision, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(default)]
    pub quorum: Quorum,
    pub majority: Majority,
}

/// What the count amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Carried,
    NotCarried(Why),
    /// No decision at all, neither way (ambiguity 5).
    Inquorate,
}

/// Why it was not carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// YES = NO; there is no casting vote (ambiguity 6).
    Tie,
    /// More NO than YES.
    MoreNo,
    /// More YES than NO, but fewer YES than the rule asks.
    TooFewYes,
}

/// The count held against the rule, with every number a reader needs to check it by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    pub sitting: u32,
    pub recorded: u32,
    /// Answers needed for a quorum.
    pub quorum: u32,
    /// What the majority is taken of: the quorum number, or the votes cast.
    pub base: u32,
    /// YES needed.
    pub needed: u32,
    pub outcome: Outcome,
}

impl Rule {
    /// Whether the quorum is a fraction below one.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn check(self) -> Result<(), String> {
        let Quorum { numerator, denominator, .. } = self.quorum;
        if denominator == 0 || numerator >= denominator {
            return Err(format!("the quorum {numerator}/{denominator} is no fraction below one; write 1/2"));
        }
        Ok(())
    }

    /// Decides a count among so many sitting.
    pub fn decide(self, counts: Counts, sitting: u32) -> Verdict {
        let quorum = self.quorum.number(sitting);
        let (base, needed) = match self.majority {
            Majority::OfQuorum => (quorum, quorum / 2 + 1),
            Majority::TwoThirds { abstain_counts_as_cast } => {
                let base = if abstain_counts_as_cast { counts.recorded() } else { counts.yes + counts.no };
                (base, (2 * base).div_ceil(3).max(1))
            }
        };
        let outcome = if counts.recorded() < quorum {
            Outcome::Inquorate
        } else if counts.yes < counts.no {
            Outcome::NotCarried(Why::MoreNo)
        } else if counts.yes == counts.no {
            Outcome::NotCarried(Why::Tie)
        } else if counts.yes < needed {
            Outcome::NotCarried(Why::TooFewYes)
        } else {
            Outcome::Carried
        };
        Verdict { sitting, recorded: counts.recorded(), quorum, base, needed, outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_QUORUM: Rule = Rule {
        quorum: Quorum { numerator: 1, denominator: 2, min_absolute: 0 },
        majority: Majority::OfQuorum,
    };

    #[test]
    fn a_quorum_is_a_fraction_below_one() {
        let rule = |numerator, denominator| Rule {
            quorum: Quorum { numerator, denominator, min_absolute: 0 },
            ..OF_QUORUM
        };
        assert_eq!(rule(1, 2).check(), Ok(()));
        for rule in [rule(1, 0), rule(0, 0), rule(2, 2), rule(3, 2)] {
            assert!(rule.check().is_err(), "{rule:?}");
        }
    }

    fn two_thirds(abstain_counts_as_cast: bool) -> Rule {
        Rule { majority: Majority::TwoThirds { abstain_counts_as_cast }, ..OF_QUORUM }
    }

    fn name(outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Carried => "carried",
            Outcome::NotCarried(_) => "not",
            Outcome::Inquorate => "inquorate",
        }
    }

    #[test]
    fn each_answer_is_counted_under_its_own_word() {
        let said = [Choice::No, Choice::Yes, Choice::Abstain, Choice::Yes, Choice::Abstain, Choice::Yes];
        let counts = Counts::of(said);
        assert_eq!(counts, Counts { yes: 3, no: 1, abstain: 2 });
        assert_eq!(counts.recorded(), 6);
        assert_eq!(Counts::of([]), Counts { yes: 0, no: 0, abstain: 0 });
    }

    #[test]
    fn the_ten_vectors_of_part_v_come_out_as_written() {
        let vectors = [
            ((8, 7, 0), ["carried", "not", "not"]),
            ((7, 7, 1), ["not", "not", "not"]),
            ((4, 3, 1), ["not", "not", "not"]),
            ((5, 3, 0), ["carried", "not", "not"]),
            ((6, 3, 0), ["carried", "carried", "carried"]),
            ((6, 2, 2), ["carried", "not", "carried"]),
            ((7, 0, 0), ["inquorate", "inquorate", "inquorate"]),
            ((0, 0, 9), ["not", "not", "not"]),
            ((10, 5, 0), ["carried", "carried", "carried"]),
            ((9, 5, 1), ["carried", "not", "not"]),
        ];
        for ((yes, no, abstain), expected) in vectors {
            let counts = Counts { yes, no, abstain };
            let rules = [OF_QUORUM, two_thirds(true), two_thirds(false)];
            assert_eq!(rules.map(|rule| name(rule.decide(counts, 15).outcome)), expected, "{counts:?}");
        }
    }

    #[test]
    fn quorum_is_more_than_half_of_those_sitting() {
        let numbers = [0, 1, 2, 14, 15].map(|sitting| Quorum::default().number(sitting));
        assert_eq!(numbers, [1, 1, 2, 8, 8]);
        assert_eq!(Quorum { min_absolute: 9, ..Quorum::default() }.number(15), 9);
        assert_eq!(Quorum { numerator: 2, denominator: 3, min_absolute: 0 }.number(15), 11);
    }

    #[test]
    fn a_verdict_bears_every_number_that_decided() {
        let verdict = two_thirds(true).decide(Counts { yes: 6, no: 2, abstain: 2 }, 15);
        let outcome = Outcome::NotCarried(Why::TooFewYes);
        assert_eq!(verdict, Verdict { sitting: 15, recorded: 10, quorum: 8, base: 10, needed: 7, outcome });
        let nobody = two_thirds(false).decide(Counts { yes: 0, no: 0, abstain: 9 }, 15);
        assert_eq!((nobody.base, nobody.needed, nobody.outcome), (0, 1, Outcome::NotCarried(Why::Tie)));
        let against = OF_QUORUM.decide(Counts { yes: 3, no: 6, abstain: 0 }, 15);
        assert_eq!(against.outcome, Outcome::NotCarried(Why::MoreNo));
    }

    #[test]
    fn a_tie_is_called_a_tie() {
        let verdict = OF_QUORUM.decide(Counts { yes: 7, no: 7, abstain: 1 }, 15);
        assert_eq!(verdict.outcome, Outcome::NotCarried(Why::Tie));
        assert_eq!((verdict.quorum, verdict.needed), (8, 5));
    }
}
