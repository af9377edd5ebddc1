//! What must have come of every ballot, worked out from what the villagers meant and when their mail came,
//! and from what they were told about the time they had. It shares no code with the ballot workflow.
//!
//! The last valid answer by arrival counts, if it arrived within the time its author had been told. An
//! answer of which the clerk cannot be sure counts from its own arrival once its author confirmed it, unless
//! a later unsure one took its place before that, or the time to confirm was over.

use crate::advance::LetterBody;
use crate::kernel::ballot::Counts;
use crate::kernel::choice::Choice;
use crate::kernel::ids::{CaseId, NoticeId, Party, PersonId};
use crate::kernel::tally::Body;
use crate::kernel::token::Minter;
use crate::kernel::workflow::Input;
use crate::ports::store::memory::LetterView;
use crate::ports::store::{JournalRow, NoticeRow};
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Hours after the close within which an unsure answer can be confirmed.
const GRACE: Duration = Duration::hours(24);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Vote(Choice),
    Withdrawn,
    Recused,
}

/// What the author of a mail means by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing that changes a ballot.
    Nothing,
    /// An act of which the clerk can be sure whose it is.
    Act(What),
    /// One that needs a confirmation.
    Unsure(What),
    Confirm,
    /// A second person's word, or the Chair's.
    Agrees,
    Refuses,
}

/// Something sent to the clerk, or entered by staff.
#[derive(Debug, Clone)]
pub struct Act {
    /// Of the mail; the key of the letter where staff entered it.
    pub message_id: String,
    pub arrived: DateTime<Utc>,
    pub by: PersonId,
    pub meaning: Meaning,
    pub answers: Option<String>,
    pub confirms: Option<String>,
    /// Of a paper ballot: the case and the voter.
    pub paper: Option<(CaseId, Party)>,
}

/// What somebody means by a mail about an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    RequestVote,
    /// A comment in confidence, by its number.
    Comment(u64),
}

/// A deed and how it was done.
#[derive(Debug, Clone)]
pub struct Done {
    pub deed: Deed,
    pub arrived: DateTime<Utc>,
    pub by: PersonId,
    /// It came from an address of hers that is on file.
    pub proven: bool,
    pub answers: Option<String>,
}

/// An act with its place in the case's journal.
struct Placed<'a> {
    act: &'a Act,
    /// None: never worked on, or only after the tally.
    seq: Option<u32>,
}

/// All that was meant.
#[derive(Default)]
pub struct Model {
    pub acts: Vec<Act>,
    /// What was done about applications.
    pub deeds: Vec<Done>,
    /// Comments that somebody got to read: which, when, who.
    pub read: Vec<(u64, DateTime<Utc>, PersonId)>,
    /// Who spoke for an organisation, each from a version of the register on.
    speakers: Vec<(Party, PersonId, u64)>,
}

/// An act and the matter it is about.
struct About {
    /// Its index among the acts.
    act: usize,
    voter: Party,
    /// The step at which it was worked on, if it was.
    seq: Option<u32>,
}

/// The record as the checkers see it, indexed once.
pub struct Evidence {
    pub notices: BTreeMap<CaseId, Vec<NoticeRow>>,
    pub journal: Vec<JournalRow>,
    by_hash: HashMap<String, usize>,
    /// Where the letter of a mail was worked on: its case, and the step if there was one.
    worked: HashMap<(String, DateTime<Utc>), (CaseId, Option<u32>)>,
    /// The register by which each step was taken.
    register: HashMap<(CaseId, u32), u64>,
    tokens: HashMap<String, (NoticeId, Party)>,
    /// The acts by the case they are about, in their order.
    about: HashMap<CaseId, Vec<About>>,
    /// What became of the letters of each Message-ID.
    fates: HashMap<String, Vec<String>>,
    /// Letters that moved a case more than once.
    pub doubled: Vec<String>,
}

impl Evidence {
    pub fn new(
        notices: Vec<NoticeRow>,
        journal: Vec<JournalRow>,
        letters: &[LetterView],
        minter: &Minter,
        model: &Model,
    ) -> Evidence {
        let mut steps: HashMap<String, (CaseId, u32)> = HashMap::new();
        let mut doubled = Vec::new();
        for row in &journal {
            if let Some(nonce) = nonce(&row.entry.input)
                && let Some((case, seq)) = steps.insert(nonce.to_owned(), (row.entry.case, row.entry.seq))
            {
                doubled.push(format!("a letter moved {case} at step {seq} and at step {}", row.entry.seq));
            }
        }
        let mut worked = HashMap::new();
        let mut fates: HashMap<String, Vec<String>> = HashMap::new();
        for view in letters {
            if let Some(id) = &view.letter.message_id {
                let fate = format!("{} of {} {} {:?}", view.id, view.letter.arrived, view.status, view.why);
                fates.entry(id.clone()).or_default().push(fate);
            }
            let LetterBody::ToCase(case, input) = &view.letter.body else { continue };
            let (nonce, name) = match input {
                Input::Reply(reply) => (&reply.nonce, view.letter.message_id.clone()),
                Input::Order(order) => (&order.nonce, Some(view.letter.key.clone())),
                _ => continue,
            };
            let seq = steps.get(nonce).map(|(_, seq)| *seq);
            worked.insert((name.unwrap_or_default(), view.letter.arrived), (*case, seq));
        }
        let mut tokens = HashMap::new();
        let mut by_case: BTreeMap<CaseId, Vec<NoticeRow>> = BTreeMap::new();
        for notice in notices {
            if let Some(token) = minter.mint(notice.row.id) {
                tokens.insert(token, (notice.row.id, notice.row.to));
            }
            by_case.entry(notice.row.id.case).or_default().push(notice);
        }
        let version = |row: &JournalRow| ((row.entry.case, row.entry.seq), row.entry.register_version);
        let register = journal.iter().map(version).collect();
        let by_hash = journal.iter().enumerate().map(|(n, row)| (row.hash.clone(), n)).collect();
        let about = HashMap::new();
        let mut evidence =
            Evidence { notices: by_case, journal, by_hash, worked, register, tokens, about, fates, doubled };
        evidence.place(model);
        evidence
    }

    /// Finds the matter of each act: that of the mail of ours it answers, or of the question it was confirmed
    /// by.
    fn place(&mut self, model: &Model) {
        let mut confirmed: HashMap<&str, &Act> = HashMap::new();
        for act in &model.acts {
            if let Some(id) = &act.confirms {
                confirmed.entry(id).or_insert(act);
            }
        }
        for (n, act) in model.acts.iter().enumerate() {
            let later = || confirmed.get(act.message_id.as_str()).and_then(|other| other.answers.as_ref());
            let asked = || {
                let (notice, to) = self.tokens.get(act.answers.as_ref().or_else(later)?)?;
                Some((notice.case, *to))
            };
            let Some((case, voter)) = act.paper.or_else(asked) else { continue };
            let worked = self.worked.get(&(act.message_id.clone(), act.arrived));
            let seq = worked.and_then(|(_, seq)| *seq);
            self.about.entry(case).or_default().push(About { act: n, voter, seq });
        }
    }

    /// The matter that a token is about.
    pub fn case_of(&self, token: &str) -> Option<CaseId> {
        self.tokens.get(token).map(|(notice, _)| notice.case)
    }

    /// The step that published something.
    fn step(&self, journal_head: &str) -> Option<&JournalRow> {
        self.by_hash.get(journal_head).map(|n| &self.journal[*n])
    }
}

fn nonce(input: &Value) -> Option<&str> {
    let inner = input.get("reply").or_else(|| input.get("order"))?;
    inner.get("nonce")?.as_str()
}

/// From this step on, answers are in time until then.
struct Window {
    seq: u32,
    closes: DateTime<Utc>,
    /// Answers that wait for confirmation are dropped when it begins.
    clears: bool,
}

/// One round of one ballot.
struct Round<'a> {
    case: CaseId,
    opened: DateTime<Utc>,
    start: u32,
    end: u32,
    windows: Vec<Window>,
    /// Steps between which it was frozen, and since when.
    frozen: Vec<(u32, u32, DateTime<Utc>)>,
    electorate: Vec<Party>,
    evidence: &'a Evidence,
}

impl<'a> Round<'a> {
    fn new(case: CaseId, body: &Body, end: u32, evidence: &'a Evidence) -> Option<Round<'a>> {
        let opened: DateTime<Utc> = serde_json::from_value(body.frozen.get("opened")?.clone()).ok()?;
        let electorate = serde_json::from_value(body.frozen.get("electorate")?.clone()).ok()?;
        let notices = evidence.notices.get(&case)?;
        let told = |template: &'static [&'static str]| {
            notices.iter().filter(move |notice| template.contains(&notice.row.template.as_str()))
        };
        let asked = told(&["ballot/ballot", "ballot/rerun"]).filter(|notice| notice.created == opened);
        let start = asked.map(|notice| notice.row.id.seq).min()?;
        let mut windows = Vec::new();
        for notice in told(&["ballot/ballot", "ballot/rerun", "ballot/extended", "ballot/thawed"]) {
            let seq = notice.row.id.seq;
            let closes =
                notice.row.data.get("closes").cloned().and_then(|at| serde_json::from_value(at).ok())?;
            if seq >= start && seq < end && windows.iter().all(|window: &Window| window.seq != seq) {
                let clears = matches!(notice.row.template.as_str(), "ballot/extended" | "ballot/rerun");
                windows.push(Window { seq, closes, clears });
            }
        }
        windows.sort_by_key(|window| window.seq);
        let mut frozen: Vec<(u32, u32, DateTime<Utc>)> = Vec::new();
        let mut marks: Vec<(u32, bool, DateTime<Utc>)> = told(&["ballot/frozen", "ballot/thawed"])
            .map(|notice| (notice.row.id.seq, notice.row.template == "ballot/frozen", notice.created))
            .collect();
        marks.sort_unstable();
        marks.dedup();
        for (seq, freezes, since) in marks {
            match frozen.last_mut() {
                Some(last) if !freezes => last.1 = seq,
                _ => frozen.push((seq, u32::MAX, since)),
            }
        }
        Some(Round { case, opened, start, end, windows, frozen, electorate, evidence })
    }

    fn window(&self, seq: u32) -> Option<&Window> {
        self.windows.iter().rev().find(|window| window.seq < seq)
    }

    fn in_time(&self, placed: &Placed<'_>, grace: Duration) -> bool {
        let seq = placed.seq.unwrap_or(u32::MAX);
        let arrived = placed.act.arrived.timestamp();
        let stood_still = |(from, until, since): &(u32, u32, DateTime<Utc>)| {
            *from < seq && seq < *until && (arrived >= since.timestamp() || !grace.is_zero())
        };
        let closes = self.window(seq).map(|window| (window.closes + grace).timestamp());
        let before = closes.is_some_and(|closes| arrived <= closes);
        arrived >= self.opened.timestamp() && (before || self.frozen.iter().any(stood_still))
    }

    /// The acts about this case, whatever came of them.
    fn about(&self) -> impl Iterator<Item = &'a About> {
        self.evidence.about.get(&self.case).into_iter().flatten()
    }

    /// The acts that belong to this round, by voter: worked on within it, or never although they came in time.
    fn acts(&self, model: &'a Model) -> BTreeMap<Party, Vec<Placed<'a>>> {
        let mut acts: BTreeMap<Party, Vec<Placed<'a>>> = BTreeMap::new();
        for About { act, voter, seq } in self.about() {
            let act = &model.acts[*act];
            let within = seq.is_none_or(|seq| seq > self.start);
            let version = seq.and_then(|seq| self.evidence.register.get(&(self.case, seq)));
            if within && version.is_none_or(|version| model.entitled(act, *voter, *version)) {
                // What was worked on only after the count is judged by its arrival alone.
                let placed = Placed { act, seq: seq.filter(|seq| *seq <= self.end) };
                acts.entry(*voter).or_default().push(placed);
            }
        }
        acts
    }

    /// Whether an unsure act was confirmed in time, before another took its place.
    fn confirmed(&self, unsure: &Placed<'_>, acts: &[Placed<'_>]) -> bool {
        let at = unsure.seq.unwrap_or(u32::MAX);
        let confirms = |placed: &&Placed<'_>| {
            placed.act.confirms.as_ref() == Some(&unsure.act.message_id)
                && placed.act.meaning == Meaning::Confirm
                && self.in_time(placed, GRACE)
        };
        acts.iter().filter(confirms).any(|confirm| {
            let then = confirm.seq.unwrap_or(u32::MAX);
            let cleared = self.windows.iter().any(|w| w.clears && at < w.seq && w.seq < then);
            let replaced = acts.iter().any(|other| {
                let seq = other.seq.unwrap_or(u32::MAX);
                matches!(other.act.meaning, Meaning::Unsure(_))
                    && other.act.meaning != unsure.act.meaning
                    && other.act.message_id != unsure.act.message_id
                    && (other.act.arrived, seq) > (unsure.act.arrived, at)
                    && self.in_time(other, Duration::zero())
                    && seq < then
            });
            !cleared && !replaced
        })
    }

    /// A voter's acts and the times told, for a person who looks for the mistake.
    fn tells(&self, voter: Party, model: &'a Model) -> String {
        let own = self.about().filter(|about| about.voter == voter).map(|about| {
            let Act { arrived, meaning, message_id, by, .. } = &model.acts[about.act];
            let (step, fate) = (about.seq, self.evidence.fates.get(message_id));
            format!("{message_id} by {by} {meaning:?} at {arrived}, step {step:?} ({fate:?})")
        });
        let windows = self.windows.iter().map(|w| format!("from step {} until {}", w.seq, w.closes));
        own.chain(windows).collect::<Vec<_>>().join(", ")
    }

    /// Who voted what, by the model.
    fn votes(&self, model: &'a Model) -> BTreeMap<Party, Choice> {
        let acts = self.acts(model);
        let mut votes = BTreeMap::new();
        for voter in &self.electorate {
            let own = acts.get(voter).map_or(&[][..], Vec::as_slice);
            let valid = own.iter().filter_map(|placed| {
                let what = match placed.act.meaning {
                    Meaning::Act(what) => what,
                    Meaning::Unsure(what) if self.confirmed(placed, own) => what,
                    _ => return None,
                };
                let key = (placed.act.arrived, placed.seq.unwrap_or(u32::MAX));
                self.in_time(placed, Duration::zero()).then_some((key, what))
            });
            if let Some((_, What::Vote(choice))) = valid.max_by_key(|(key, _)| *key) {
                votes.insert(*voter, choice);
            }
        }
        votes
    }
}

impl Model {
    /// From a version of the register on, somebody speaks for an organisation.
    pub fn speaks(&mut self, party: Party, person: PersonId, since: u64) {
        self.speakers.push((party, person, since));
    }

    /// Whether who sent an act spoke for the voter by the register it was worked on with. A forger writes as
    /// whoever does.
    fn entitled(&self, act: &Act, voter: Party, version: u64) -> bool {
        let speaker = self.speakers.iter().rev().find(|(of, _, since)| *of == voter && *since <= version);
        act.paper.is_some() || act.by == PersonId(0) || speaker.is_none_or(|(_, person, _)| *person == act.by)
    }

    /// Mails that carry our token and mean something, and were read as nothing anybody answers.
    pub fn unheard(&self, evidence: &Evidence) -> Vec<String> {
        let meant = |act: &&Act| act.meaning != Meaning::Nothing && act.answers.is_some();
        let heard = |act: &&Act| evidence.worked.contains_key(&(act.message_id.clone(), act.arrived));
        let tell = |act: &Act| {
            let Act { message_id, arrived, meaning, .. } = act;
            format!("{message_id} of {arrived} meant {meaning:?} and reached no case")
        };
        self.acts.iter().filter(meant).filter(|act| !heard(act)).map(tell).collect()
    }

    /// What is wrong with a published tally, in words.
    pub fn disagrees(&self, body: &Body, journal_head: &str, evidence: &Evidence) -> Option<String> {
        let Some(step) = evidence.step(journal_head) else {
            return Some(format!("the tally of {} names a step that is not in the journal", body.case));
        };
        if body.annulled.is_some() {
            return self.not_agreed(step.entry.case, evidence);
        }
        let Some(round) = Round::new(step.entry.case, body, step.entry.seq, evidence) else {
            return Some(format!("the tally of {} has no round to belong to", body.case));
        };
        let expected = round.votes(self);
        let counts = Counts::of(expected.values().copied());
        let named: BTreeMap<Party, Choice> =
            body.ballots.iter().filter_map(|cast| Some((cast.voter?, cast.choice))).collect();
        if counts == body.counts && (named.is_empty() || named == expected) {
            return None;
        }
        let differs = |voter: &&Party| !named.is_empty() && named.get(voter) != expected.get(voter);
        let voters: Vec<String> = round
            .electorate
            .iter()
            .filter(differs)
            .map(|voter| {
                let (is, meant) = (named.get(voter), expected.get(voter));
                format!("{voter} is counted as {is:?}, meant {meant:?}: {}", round.tells(*voter, self))
            })
            .collect();
        let counted = body.counts;
        Some(format!("{}: counted {counted:?}, meant {counts:?}; {}", body.case, voters.join("; ")))
    }

    /// An annulment needs a second person's yes.
    fn not_agreed(&self, case: CaseId, evidence: &Evidence) -> Option<String> {
        let agreed = self.acts.iter().any(|act| {
            let asked = act.answers.as_ref().and_then(|token| evidence.tokens.get(token));
            let second = act.by != super::village::Village::staff()[0];
            act.meaning == Meaning::Agrees && second && asked.is_some_and(|(notice, _)| notice.case == case)
        });
        (!agreed).then(|| format!("{case} was annulled though no second person agreed"))
    }
}
