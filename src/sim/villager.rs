//! A villager: she sees the mails that reach her and decides, by her own stream of chance, what to write
//! back and when. What she means by it is told to the model alone.

use super::applicant::Group;
use super::chance::{Chance, VILLAGER};
use super::incoming::Incoming;
use super::model::Meaning;
use super::offices::Part;
use super::outgoing::{Draft, Proof};
pub use super::planned::{Peer, Planned};
use crate::kernel::choice::Choice;
use crate::kernel::ids::PersonId;
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeSet;

pub struct Villager {
    pub id: PersonId,
    pub name: String,
    pub addresses: Vec<String>,
    /// Does tasks: staff, their deputies, Chair and Vice-Chairs.
    pub officer: bool,
    pub part: Part,
    /// Who she is when she applies.
    pub group: Option<Group>,
    /// So many of a thousand invitations to comment she takes up.
    pub talks: u64,
    pub peers: Vec<Peer>,
    /// Some who do not sit on the committee.
    pub outsiders: Vec<Peer>,
    /// Different mails that reached her, and those among them that asked for something.
    pub mails: u64,
    pub owed: u64,
    pub(super) chance: Chance,
    seen: BTreeSet<String>,
    /// Message-IDs of what she wrote herself, and of those whose refusal she will mend.
    mine: BTreeSet<String>,
    mending: BTreeSet<String>,
    /// Threads she has made up her mind about.
    decided: BTreeSet<String>,
    numbers: u64,
}

/// What she does about a question, and how often: in 100 ballots.
const WAYS: [(Way, u64); 23] = [
    (Way::Silent, 10),
    (Way::Plain, 32),
    (Way::Link, 8),
    (Way::Decorated, 10),
    (Way::Twice, 3),
    (Way::ChangesMind, 5),
    (Way::Hasty, 3),
    (Way::Nonsense, 3),
    (Way::TwoAnswers, 3),
    (Way::QuotedOnly, 2),
    (Way::Elsewhere, 4),
    (Way::ElsewhereTwice, 1),
    (Way::Forged, 3),
    (Way::Unsigned, 2),
    (Way::Away, 3),
    (Way::Gone, 2),
    (Way::Withdraws, 2),
    (Way::Recuses, 2),
    (Way::LastSecond, 4),
    (Way::Late, 3),
    (Way::Tokenless, 2),
    (Way::Forwarded, 1),
    (Way::TooLarge, 1),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Silent,
    Plain,
    Link,
    Decorated,
    Twice,
    ChangesMind,
    Hasty,
    Nonsense,
    TwoAnswers,
    QuotedOnly,
    Elsewhere,
    ElsewhereTwice,
    Forged,
    Unsigned,
    Away,
    Gone,
    Withdraws,
    Recuses,
    LastSecond,
    Late,
    Tokenless,
    Forwarded,
    TooLarge,
}

/// A question marked so interests few.
pub const MINOR: &str = "§";

impl Villager {
    pub fn new(seed: u64, id: PersonId, name: &str, addresses: &[String]) -> Villager {
        Villager {
            id,
            name: name.to_owned(),
            addresses: addresses.to_vec(),
            officer: false,
            part: Part::Representative,
            group: None,
            talks: 0,
            peers: Vec::new(),
            outsiders: Vec::new(),
            mails: 0,
            owed: 0,
            chance: Chance::new(seed, VILLAGER + u64::from(id.0)),
            seen: BTreeSet::new(),
            mine: BTreeSet::new(),
            mending: BTreeSet::new(),
            decided: BTreeSet::new(),
            numbers: 0,
        }
    }

    /// A Message-ID of her own.
    pub fn message_id(&mut self, planned: &Planned) -> String {
        self.numbers += 1;
        let id =
            format!("n{}.{}@{}", self.numbers, self.id, self.addresses[0].rsplit('@').next().unwrap_or("x"));
        // A forger's mail is none of hers.
        if planned.by == self.id {
            self.mine.insert(id.clone());
            if planned.mends {
                self.mending.insert(id.clone());
            }
        }
        id
    }

    /// A mail reaches her. The same Message-ID twice is shown once.
    pub fn receive(
        &mut self,
        at: DateTime<Utc>,
        mail: &Incoming,
        raw: &[u8],
        envelope: &str,
    ) -> Vec<Planned> {
        if !self.seen.insert(mail.message_id.clone()) {
            return Vec::new();
        }
        self.mails += 1;
        let answers_mine = mail.in_reply_to.as_ref().is_some_and(|id| self.mine.contains(id));
        let receipt = mail.is_receipt();
        self.owed += u64::from(mail.asks && !receipt && !answers_mine);
        if mail.links.is_empty()
            && let Some(kind) = super::subjects::kind(&mail.title)
        {
            return self.knows(kind, at, mail, raw, envelope);
        }
        match mail.links.len() {
            3 if receipt => self.has_receipt(at, mail),
            3 if mail.until.is_some() => self.asked(at, mail, raw, envelope),
            3 if !mail.replied => self.reminded(at, mail, raw, envelope),
            3 => self.refused(at, mail),
            2 => self.decides(at, mail),
            1 => self.confirms(at, mail, answers_mine),
            _ if mail.asks => self.writes(at, mail),
            _ => Vec::new(),
        }
    }

    /// Whether she wrote the mail of this Message-ID.
    pub(super) fn wrote(&self, message_id: &str) -> bool {
        self.mine.contains(message_id)
    }

    fn thread(mail: &Incoming) -> String {
        mail.references.split_whitespace().next().unwrap_or_default().to_owned()
    }

    fn token(mail: &Incoming) -> Option<String> {
        mail.message_id.split('@').next().map(str::to_owned)
    }

    /// A moment at which one comes to answer, before the close.
    fn moment(&mut self, at: DateTime<Utc>, mail: &Incoming) -> DateTime<Utc> {
        let until = mail.until.unwrap_or(at + Duration::days(2)).max(at + Duration::minutes(30));
        let minutes = (until - at).num_minutes() - 5;
        at + Duration::seconds(self.chance.between(5 * 60, minutes.max(10) * 60))
    }

    fn choice(&mut self) -> Choice {
        match self.chance.below(10) {
            0..5 => Choice::Yes,
            5..8 => Choice::No,
            _ => Choice::Abstain,
        }
    }

    fn planned(&self, at: DateTime<Utc>, mail: &Incoming, draft: Draft, meaning: Meaning) -> Planned {
        Planned { meaning, answers: Villager::token(mail), ..Planned::plain(at, self.id, draft) }
    }

    /// A reply from her own address.
    pub(super) fn reply(
        &mut self,
        at: DateTime<Utc>,
        mail: &Incoming,
        text: &str,
        meaning: Meaning,
    ) -> Planned {
        let mut draft = Draft::reply(&self.addresses[0], &self.name, mail, text);
        if self.chance.permille(400) {
            draft.proof = Proof::Signed;
        }
        self.planned(at, mail, draft, meaning)
    }

    fn word(mail: &Incoming, choice: Choice) -> String {
        let index = Choice::ALL.iter().position(|of| *of == choice).unwrap_or(0);
        mail.links.get(index).map_or(choice.word(), |(_, word)| word).to_owned()
    }

    fn vote(&mut self, at: DateTime<Utc>, mail: &Incoming, choice: Choice) -> Planned {
        let word = Villager::word(mail, choice);
        self.reply(at, mail, &word, Meaning::Act(super::model::What::Vote(choice)))
    }

    fn asked(&mut self, at: DateTime<Utc>, mail: &Incoming, raw: &[u8], envelope: &str) -> Vec<Planned> {
        let minor = mail.text.contains(MINOR);
        let again = self.decided.contains(&Villager::thread(mail));
        let weights = WAYS.map(|(way, weight)| match way {
            Way::Silent if minor && !again => 140,
            Way::Silent if minor => 60,
            _ => weight,
        });
        let way = WAYS[self.chance.weighed(&weights)].0;
        if way != Way::Silent {
            self.decided.insert(Villager::thread(mail));
        }
        self.acts(way, at, mail, raw, envelope)
    }

    fn reminded(&mut self, at: DateTime<Utc>, mail: &Incoming, raw: &[u8], envelope: &str) -> Vec<Planned> {
        if self.decided.contains(&Villager::thread(mail)) || self.chance.permille(350) {
            return Vec::new();
        }
        self.decided.insert(Villager::thread(mail));
        let way = if self.chance.permille(800) { Way::Plain } else { Way::Link };
        self.acts(way, at, mail, raw, envelope)
    }

    fn acts(
        &mut self,
        way: Way,
        at: DateTime<Utc>,
        mail: &Incoming,
        raw: &[u8],
        envelope: &str,
    ) -> Vec<Planned> {
        let when = self.moment(at, mail);
        let choice = self.choice();
        let close = mail.until.unwrap_or(when);
        match way {
            Way::Silent => Vec::new(),
            Way::Plain => vec![self.vote(when, mail, choice)],
            Way::Link => vec![self.linked(when, mail, choice)],
            Way::Decorated => vec![self.decorated(when, mail, choice)],
            Way::Twice => {
                vec![self.vote(when, mail, choice), self.vote(when + Duration::minutes(7), mail, choice)]
            }
            Way::ChangesMind => {
                let (later, other) = (self.moment(when, mail).max(when), self.choice());
                vec![self.vote(when, mail, choice), self.vote(later, mail, other)]
            }
            Way::Hasty => {
                let other = if choice == Choice::Yes { Choice::No } else { Choice::Yes };
                vec![self.vote(when, mail, choice), self.vote(when + Duration::seconds(20), mail, other)]
            }
            Way::LastSecond => {
                let last = close - Duration::seconds(self.chance.between(0, 60));
                vec![self.vote(last.max(at + Duration::minutes(1)), mail, choice)]
            }
            Way::Late => {
                let after = Duration::seconds(self.chance.between(1, 2 * 86_400));
                vec![self.vote(close + after, mail, choice)]
            }
            Way::Withdraws | Way::Recuses => self.retires(way, when, mail, choice),
            Way::Nonsense | Way::TwoAnswers | Way::QuotedOnly => vec![self.unclear(way, when, mail)],
            Way::Away => self.away(at, when, mail, choice),
            Way::Gone => vec![self.gone(at, mail, raw, envelope)],
            _ => self.unsure(way, when, mail, choice),
        }
    }

    /// She taps a link: a new mail, addressed and filled in, without threading.
    fn linked(&mut self, at: DateTime<Utc>, mail: &Incoming, choice: Choice) -> Planned {
        let mut planned = self.vote(at, mail, choice);
        let index = Choice::ALL.iter().position(|of| *of == choice).unwrap_or(0);
        if let Some((to, word)) = mail.links.get(index) {
            planned.draft =
                Draft { to: to.clone(), ..Draft::fresh(&self.addresses[0], &self.name, "Re: vote", word) };
        }
        planned
    }

    /// The same word with what people put around it, or in another language.
    fn decorated(&mut self, at: DateTime<Utc>, mail: &Incoming, choice: Choice) -> Planned {
        const ABROAD: [[&str; 3]; 4] = [
            ["Yes", "No", "Abstain"],
            ["oui", "non", "abstention"],
            ["ДА", "НЕТ", "ВОЗДЕРЖИВАЮСЬ"],
            ["是", "否", "弃权"],
        ];
        let index = Choice::ALL.iter().position(|of| *of == choice).unwrap_or(0);
        let word = Villager::word(mail, choice);
        let text = match self.chance.below(4) {
            0 => format!("{word}.\n\n{}", self.name),
            1 => format!("{}!", word.to_lowercase()),
            2 => self.chance.pick(&ABROAD).map_or(word, |words| words[index].to_owned()),
            _ => format!("{word}\n\n-- \n{}\nSent from my phone", self.name),
        };
        let mut planned = self.vote(at, mail, choice);
        planned.draft.text = text;
        planned
    }

    fn unclear(&mut self, way: Way, at: DateTime<Utc>, mail: &Incoming) -> Planned {
        let text = match way {
            Way::Nonsense => "What is the quorum for this one?".to_owned(),
            Way::TwoAnswers => {
                format!("{}\n{}", Villager::word(mail, Choice::Yes), Villager::word(mail, Choice::No))
            }
            _ => String::new(),
        };
        let planned = self.reply(at, mail, &text, Meaning::Nothing);
        Planned { mends: true, ..planned }
    }

    fn retires(&mut self, way: Way, at: DateTime<Utc>, mail: &Incoming, choice: Choice) -> Vec<Planned> {
        use super::model::What;
        let (word, what) = match way {
            Way::Recuses => ("RECUSE", What::Recused),
            _ => ("WITHDRAW", What::Withdrawn),
        };
        let later = self.moment(at, mail).max(at);
        vec![self.vote(at, mail, choice), self.reply(later, mail, word, Meaning::Act(what))]
    }

    /// Her answering machine answers at once, she herself later.
    fn away(
        &mut self,
        at: DateTime<Utc>,
        when: DateTime<Utc>,
        mail: &Incoming,
        choice: Choice,
    ) -> Vec<Planned> {
        let soon = at + Duration::seconds(30);
        let mut machine =
            self.reply(soon, mail, "I am away until Monday. YES, I read mail then.", Meaning::Nothing);
        machine.draft.more = "Auto-Submitted: auto-replied\r\n".to_owned();
        machine.draft.return_path = String::new();
        vec![machine, self.vote(when, mail, choice)]
    }

    /// Her address is dead: her provider says so.
    pub(super) fn gone(&mut self, at: DateTime<Utc>, mail: &Incoming, raw: &[u8], envelope: &str) -> Planned {
        let minutes = self.chance.between(1, 60);
        let draft = super::outgoing::bounce(raw, envelope, &self.addresses[0]);
        let bounce = self.planned(at + Duration::minutes(minutes), mail, draft, Meaning::Nothing);
        self.decided.remove(&Villager::thread(mail));
        bounce
    }

    /// Answers of which the clerk cannot be sure whose they are.
    fn unsure(&mut self, way: Way, at: DateTime<Utc>, mail: &Incoming, choice: Choice) -> Vec<Planned> {
        use super::model::What;
        let mut planned = self.vote(at, mail, choice);
        planned.meaning = Meaning::Unsure(What::Vote(choice));
        match way {
            Way::Elsewhere | Way::ElsewhereTwice => {
                planned.draft.from = format!("{}@elsewhere.example", self.id);
                planned.draft.proof = Proof::None;
            }
            Way::Forged => {
                planned.draft.proof = Proof::None;
                planned.by = PersonId(0);
                planned.draft.return_path = "forger@evil.example".to_owned();
                let (own, then) = (self.choice(), self.chance_after(at));
                let again = self.vote(then, mail, own);
                return if self.chance.permille(500) { vec![planned, again] } else { vec![planned] };
            }
            Way::Tokenless => {
                planned.answers = None;
                let word = Villager::word(mail, choice);
                planned.draft = Draft::fresh(&self.addresses[0], &self.name, "my vote", &word);
            }
            Way::Forwarded => {
                let Some(peer) = self.chance.pick(&self.peers).cloned() else { return Vec::new() };
                planned.draft.from = peer.address;
                planned.draft.name = peer.name;
                planned.by = peer.id;
                planned.meaning = Meaning::Nothing;
            }
            Way::TooLarge => {
                planned.too_large = true;
                planned.meaning = Meaning::Nothing;
            }
            _ => planned.draft.proof = Proof::None,
        }
        if way != Way::ElsewhereTwice {
            return vec![planned];
        }
        let other = if choice == Choice::Yes { Choice::No } else { Choice::Yes };
        let mut second = self.vote(at + Duration::seconds(40), mail, other);
        second.meaning = Meaning::Unsure(What::Vote(other));
        second.draft.from.clone_from(&planned.draft.from);
        second.draft.proof = Proof::None;
        vec![planned, second]
    }

    fn chance_after(&mut self, at: DateTime<Utc>) -> DateTime<Utc> {
        at + Duration::seconds(self.chance.between(-3_000, 3_000).max(1 - 3_000))
    }

    fn has_receipt(&mut self, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        if !self.chance.permille(25) {
            return Vec::new();
        }
        let (when, choice) = (at + Duration::hours(self.chance.between(1, 20)), self.choice());
        vec![self.vote(when, mail, choice)]
    }

    /// She was told how to mend her answer.
    fn refused(&mut self, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        let mending = mail.in_reply_to.as_ref().is_some_and(|id| self.mending.contains(id));
        if !mending || self.chance.permille(100) {
            return Vec::new();
        }
        let (when, choice) = (at + Duration::minutes(self.chance.between(5, 600)), self.choice());
        vec![self.vote(when, mail, choice)]
    }

    fn decides(&mut self, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        if !self.officer || self.chance.permille(200) {
            return Vec::new();
        }
        let (when, no) = (at + Duration::minutes(self.chance.between(60, 2_000)), self.chance.permille(400));
        let words = mail.words();
        let word = words.get(usize::from(no)).copied().unwrap_or("YES").to_owned();
        let meaning = if no { Meaning::Refuses } else { Meaning::Agrees };
        vec![self.reply(when, mail, &word, meaning)]
    }

    /// Was that mail hers?
    fn confirms(&mut self, at: DateTime<Utc>, mail: &Incoming, hers: bool) -> Vec<Planned> {
        if !hers || self.chance.permille(150) {
            return Vec::new();
        }
        let when = at + Duration::minutes(self.chance.between(1, 1_800));
        let word = mail.words().first().copied().unwrap_or("CONFIRM").to_owned();
        let planned = self.reply(when, mail, &word, Meaning::Confirm);
        vec![Planned { confirms: mail.in_reply_to.clone(), ..planned }]
    }

    /// A task that wants words, or the answer to a question of her own.
    fn writes(&mut self, at: DateTime<Utc>, mail: &Incoming) -> Vec<Planned> {
        let likely = if self.officer { 700 } else { 60 };
        if !self.chance.permille(likely) {
            return Vec::new();
        }
        let when = at + Duration::minutes(self.chance.between(30, 4_000));
        vec![self.reply(when, mail, "We have looked into it and will come back to you.", Meaning::Nothing)]
    }
}
