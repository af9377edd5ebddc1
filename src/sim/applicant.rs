//! A group that applies: how it fills in the form, answers, rests, gives up, and takes the decision.

use super::chance::Chance;
use super::incoming::Incoming;
use super::model::Meaning;
use super::outgoing::{Draft, Proof};
use super::villager::{Planned, Villager};
use chrono::{DateTime, Duration, Utc};
use std::ops::RangeInclusive;

/// How a group goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Proper,
    /// Half of the form at first, the rest when it is asked for.
    Half,
    /// The form in two mails, one right after the other.
    TwoMails,
    /// Words that answer nothing, then the form.
    Nonsense,
    /// Does not certify at first.
    Unattested,
    /// Applies and takes it back.
    Withdraws,
    /// Wishes that it rests for a while.
    Suspends,
    /// Never sends the form.
    Abandons,
}

const WAYS: [(Way, u64); 8] = [
    (Way::Proper, 46),
    (Way::Half, 14),
    (Way::TwoMails, 10),
    (Way::Nonsense, 6),
    (Way::Unattested, 4),
    (Way::Withdraws, 8),
    (Way::Suspends, 8),
    (Way::Abandons, 4),
];

/// A country of each region.
const COUNTRIES: [&str; 5] = ["Kenya", "Japan", "Portugal", "Chile", "Canada"];
/// How the word that asks for the form is written.
pub const APPLY: [&str; 7] =
    ["Apply", "Candidature", "Solicitud", "Candidatura", "Заявление", "申请", "طلب انضمام"];
/// Questions of the form, and those after which half of it is done.
const ALL: RangeInclusive<u32> = 1..=25;
const HALF: u32 = 12;
/// Forms that one group fills in before it leaves it at that.
const TRIES: u32 = 8;

/// Who applies.
#[derive(Debug, Clone)]
pub struct Group {
    pub number: u32,
    pub name: String,
    way: Way,
    /// It has sent its form.
    filled: bool,
    /// How often it has filled in what came; nobody does that for ever.
    tries: u32,
}

impl Group {
    /// Every so manieth is an organisation that has applied already, by somebody else of it.
    pub fn new(number: u32, chance: &mut Chance) -> Group {
        let weights = WAYS.map(|(_, weight)| weight);
        let of = if number % 13 == 12 { number - 1 } else { number };
        let name = format!("Users of the Net {of}");
        Group { number, name, way: WAYS[chance.weighed(&weights)].0, filled: false, tries: 0 }
    }

    /// The answers to some questions, a line each.
    fn sheet(&self, questions: RangeInclusive<u32>, address: &str) -> String {
        let n = self.number;
        let country = COUNTRIES[n as usize % COUNTRIES.len()];
        let answer = |question: u32| {
            Some(match question {
                1 => self.name.clone(),
                2 => "c".to_owned(),
                3 => country.to_owned(),
                5 => format!("www.group{n}.example"),
                6 => format!("info@group{n}.example"),
                7 => format!("Ada Writer, {address}, secretary"),
                8 => "Bo Leader, president".to_owned(),
                9 | 14 | 17 | 25 => "Yes".to_owned(),
                10 => "Safe access for everybody in our towns".to_owned(),
                11 => "An assembly a year, and five who lead".to_owned(),
                12 => "about 120".to_owned(),
                13 => "Neighbours, students, small shops".to_owned(),
                15 => "On a list, and once a month in a room".to_owned(),
                16 => "What members pay".to_owned(),
                18 => "Names in our languages, and access".to_owned(),
                20 | 22 => "a".to_owned(),
                23 => format!("Ada Writer, {address}; Cem Second, second@group{n}.example"),
                _ => return None,
            })
        };
        let line = |question| answer(question).map(|text| format!("{question}. {text}\n"));
        questions.filter_map(line).collect()
    }
}

impl Villager {
    /// What an applicant does about a mail of a kind.
    pub(super) fn applies(
        &mut self,
        mut group: Group,
        at: DateTime<Utc>,
        mail: &Incoming,
        raw: &[u8],
        envelope: &str,
        kind: &str,
    ) -> Vec<Planned> {
        let days = |this: &mut Villager, low, high| {
            at + Duration::minutes(this.chance.between(low, high) * 1_440 + 7)
        };
        let address = self.addresses[0].clone();
        if kind.starts_with("form/") || kind == "accreditation/attest" {
            group.tries += 1;
        }
        let planned = match kind {
            "form/whole" | "form/lost" | "form/missing" if group.tries > TRIES => Vec::new(),
            "form/whole" | "form/lost" => self.fills_in(&mut group, at, mail, kind),
            "form/missing" if self.chance.permille(850) => {
                let text = group.sheet(ALL, &address);
                vec![self.says(at, 5, 5_000, mail, &text)]
            }
            "accreditation/attest" => vec![self.says(at, 5, 5_000, mail, "9. Yes\n25. Yes")],
            "accreditation/received" => self.thinks_again(group.way, at, mail),
            "accreditation/question" | "accreditation/suspended" if self.chance.permille(800) => {
                vec![self.says(at, 60, 8_000, mail, "We meet in seven towns; the statutes are on our page.")]
            }
            "accreditation/suspended-own" if self.chance.permille(700) => {
                let when = days(self, 1, 25);
                vec![self.reply(when, mail, "RESUME", Meaning::Nothing)]
            }
            "accreditation/refused" if self.chance.permille(300) => {
                let when = days(self, 1, 20);
                vec![self.reply(when, mail, "REVIEW", Meaning::Nothing)]
            }
            "accreditation/accredited" | "accreditation/refused" if self.chance.permille(80) => {
                vec![self.gone(at, mail, raw, envelope)]
            }
            _ => Vec::new(),
        };
        self.group = Some(group);
        planned
    }

    fn says(&mut self, at: DateTime<Utc>, low: i64, high: i64, mail: &Incoming, text: &str) -> Planned {
        let when = at + Duration::minutes(self.chance.between(low, high));
        self.reply(when, mail, text, Meaning::Nothing)
    }

    fn fills_in(
        &mut self,
        group: &mut Group,
        at: DateTime<Utc>,
        mail: &Incoming,
        kind: &str,
    ) -> Vec<Planned> {
        let address = self.addresses[0].clone();
        let when = at + Duration::minutes(self.chance.between(10, 6_000));
        let again = std::mem::replace(&mut group.filled, true);
        let part = |range| group.sheet(range, &address);
        match group.way {
            Way::Abandons => Vec::new(),
            Way::Half if !again => vec![self.reply(when, mail, &part(1..=HALF), Meaning::Nothing)],
            Way::TwoMails if !again => {
                let (first, rest) = (part(1..=HALF), part(HALF + 1..=*ALL.end()));
                let soon = when + Duration::minutes(2);
                let first = self.reply(when, mail, &first, Meaning::Nothing);
                vec![first, self.reply(soon, mail, &rest, Meaning::Nothing)]
            }
            Way::Nonsense if kind == "form/whole" && !again => {
                vec![self.reply(when, mail, "Hello? We would like to join, please.", Meaning::Nothing)]
            }
            Way::Unattested if !again => {
                let text = part(ALL).replace("25. Yes", "25. No");
                vec![self.reply(when, mail, &text, Meaning::Nothing)]
            }
            _ => vec![self.reply(when, mail, &part(ALL), Meaning::Nothing)],
        }
    }

    /// It has applied; some take it back, some want it to rest.
    fn thinks_again(&mut self, way: Way, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        let when = at + Duration::minutes(self.chance.between(600, 70 * 1_440));
        match way {
            Way::Withdraws => {
                let mut planned = self.reply(when, mail, "WITHDRAW", Meaning::Nothing);
                if self.chance.permille(300) {
                    planned.draft = Draft {
                        from: format!("{}@elsewhere.example", self.id),
                        proof: Proof::None,
                        ..planned.draft
                    };
                }
                vec![planned]
            }
            Way::Suspends => vec![self.reply(when, mail, "SUSPEND", Meaning::Nothing)],
            _ => Vec::new(),
        }
    }
}
