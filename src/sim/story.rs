//! What happens in the village of its own accord: ballots, elections, questions, strangers and spam, drawn
//! from the seed before the first day, so that nothing that goes wrong later changes it.

use super::Plan;
use super::chance::{APPLY, Chance, STORY};
use super::village::Village;
use super::villager::MINOR;
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::language::Language;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

/// One thing that happens.
#[derive(Debug, Clone)]
pub enum Event {
    /// A ballot of this number is ordered.
    Ballot { number: u32, body: Value, frozen: Option<(Duration, Duration)> },
    /// The parent of a ballot freezes or thaws it.
    Parent { number: u32, says: &'static str },
    /// A member of the staff asks to annul a ballot.
    Annul { number: u32 },
    /// A ballot that came on paper is entered.
    Paper { number: u32, voter: PersonId, choice: &'static str },
    /// A member's seat goes to another, and back.
    Seat { person: PersonId, sits: bool },
    /// An organisation's other representative speaks for it now.
    Prime { organisation: u32 },
    /// Somebody writes of her own accord.
    Writes { person: PersonId, text: String },
    /// Somebody outside the register writes; vouched for by her domain, or spam.
    Stranger { vouched: bool, number: u64 },
    /// A group asks for the form of an application.
    Applies { number: u32, word: usize },
    /// The annual general meeting: another Chair and other Secretariats, in the so manieth year.
    Meeting { year: u32 },
    /// Staff look at what waits for a person.
    Office,
}

pub type Agenda = Vec<(DateTime<Utc>, Event)>;

/// Draws the whole story of so many days.
pub fn story(plan: &Plan, days: i64, village: &Village) -> Agenda {
    let chance = Chance::new(plan.seed, STORY);
    let often = u64::from(plan.ballots);
    let mut teller = Teller { chance, agenda: Vec::new(), start: plan.start, often, ballots: 0 };
    for day in 0..days {
        teller.day(day, village);
    }
    teller.applications(plan, days);
    teller.agenda.sort_by_key(|(at, _)| *at);
    teller.agenda
}

struct Teller {
    chance: Chance,
    agenda: Agenda,
    start: DateTime<Utc>,
    /// On so many of a thousand days a ballot is ordered.
    often: u64,
    ballots: u32,
}

impl Teller {
    /// Groups that apply, spread over the time, and the meetings; by a chance of their own.
    fn applications(&mut self, plan: &Plan, days: i64) {
        let ballots = std::mem::replace(&mut self.chance, Chance::new(plan.seed, APPLY));
        for number in 0..plan.applications {
            let day = self.chance.between(0, days - 1);
            let (at, word) = (self.moment(day), self.chance.below(7) as usize);
            self.agenda.push((at, Event::Applies { number, word }));
        }
        for year in 1..=plan.years {
            let at = self.moment(i64::from(year) * 365 - 70);
            self.agenda.push((at, Event::Meeting { year }));
        }
        self.chance = ballots;
    }

    fn moment(&mut self, day: i64) -> DateTime<Utc> {
        self.start + Duration::days(day) + Duration::seconds(self.chance.between(0, 86_399))
    }

    fn day(&mut self, day: i64, village: &Village) {
        let people = &village.known;
        if self.chance.permille(self.often) {
            self.ballot(day, village);
        }
        if self.chance.permille(40) {
            let text = "When is the next meeting of our regional organisation?".to_owned();
            self.writes(day, people, text);
        }
        if self.chance.permille(60) {
            let commands = ["HELP", "STATUS", "LANGUAGE FR", "LANGUAGE EN", "LANGUAGE ZH", "LANGUAGE XX"];
            let text = self.chance.pick(&commands).copied().unwrap_or("HELP").to_owned();
            self.writes(day, people, text);
        }
        if self.chance.permille(150) {
            let at = self.moment(day);
            let (vouched, number) = (self.chance.permille(200), self.chance.below(1_000_000));
            self.agenda.push((at, Event::Stranger { vouched, number }));
        }
        if self.chance.permille(15) {
            let person = self.chance.pick(&village.members).copied().unwrap_or(PersonId(1));
            let (from, back) = (self.moment(day), self.moment(day + 40));
            self.agenda.push((from, Event::Seat { person, sits: false }));
            self.agenda.push((back, Event::Seat { person, sits: true }));
        }
        if self.chance.permille(5) {
            let organisation = 1 + self.chance.below(u64::from(super::village::ORGANISATIONS)) as u32;
            let at = self.moment(day);
            self.agenda.push((at, Event::Prime { organisation }));
        }
        self.agenda.push((self.start + Duration::days(day) + Duration::hours(9), Event::Office));
    }

    fn writes(&mut self, day: i64, people: &[PersonId], text: String) {
        let person = self.chance.pick(people).copied().unwrap_or(PersonId(1));
        let at = self.moment(day);
        self.agenda.push((at, Event::Writes { person, text }));
    }

    fn ballot(&mut self, day: i64, village: &Village) {
        self.ballots += 1;
        let (number, at) = (self.ballots, self.moment(day));
        let length = Duration::hours(self.chance.between(60, 200));
        let planned = self.chance.permille(200).then(|| at + Duration::hours(self.chance.between(1, 90)));
        let opens = planned.unwrap_or(at);
        let listed = self.chance.permille(250);
        let voters = if listed { json!({ "listed": self.voters(village) }) } else { json!("alac") };
        let minor = if self.chance.permille(120) { MINOR } else { "" };
        let mut body = json!({
            "question": texts(|code| format!("{minor}{code} {number}: shall the proposal be adopted?")),
            "yes_means": texts(|code| format!("{code}: it is adopted")),
            "no_means": texts(|code| format!("{code}: it is not adopted")),
            "polarity": if self.chance.permille(200) { "reversed" } else { "straight" },
            "secrecy": if self.chance.permille(300) { "non-public" } else { "open" },
            "act": if self.chance.permille(100) { "decertification" } else { "vote" },
            "rule": self.rule(),
            "voters": voters,
            "closes": opens + length,
        });
        if let Some(planned) = planned {
            body["opens"] = json!(planned);
        }
        let frozen = self.chance.permille(80).then(|| {
            let after = self.chance.between(3, length.num_hours() - 20);
            (opens - at + Duration::hours(after), Duration::minutes(self.chance.between(30, 6_000)))
        });
        self.agenda.push((at, Event::Ballot { number, body, frozen }));
        if self.chance.permille(80) {
            self.later(opens, length, Event::Annul { number });
        }
        if self.chance.permille(150) {
            let voter = self.chance.pick(&village.members).copied().unwrap_or(PersonId(1));
            let choice = self.chance.pick(&["yes", "no", "abstain"]).copied().unwrap_or("yes");
            self.later(opens, length, Event::Paper { number, voter, choice });
        }
    }

    /// Some time while a ballot is open.
    fn later(&mut self, opens: DateTime<Utc>, length: Duration, event: Event) {
        let at = opens + Duration::minutes(self.chance.between(30, length.num_minutes() - 30));
        self.agenda.push((at, event));
    }

    fn voters(&mut self, village: &Village) -> Vec<Party> {
        let mut voters: Vec<Party> = Village::organisations();
        for member in &village.members {
            if self.chance.permille(500) {
                voters.push(Party::Person(*member));
            }
        }
        voters
    }

    fn rule(&mut self) -> Value {
        let majority = match self.chance.below(3) {
            0 => json!("of-quorum"),
            n => json!({ "two-thirds": { "abstain_counts_as_cast": n == 1 } }),
        };
        let min = if self.chance.permille(100) { 7 } else { 0 };
        json!({ "majority": majority, "quorum": { "numerator": 1, "denominator": 2, "min_absolute": min } })
    }
}

fn texts(text: impl Fn(&str) -> String) -> Value {
    let all = Language::ALL.map(|language| (language.code().to_owned(), json!(text(language.code()))));
    Value::Object(all.into_iter().collect())
}
