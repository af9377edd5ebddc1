//! What a ballot writes. Each function is one template under templates/ballot/ and its data.

use super::{Annulment, Ballot, Entry, Matter, Paper, Pending, Poll, Secrecy, Texts, What};
use crate::kernel::ballot::{Counts, Majority, Outcome, Verdict, Why};
use crate::kernel::choice::Choice;
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::Role;
use crate::kernel::workflow::{Asks, Audience, Class, Deputies, Effect, Notice, Task};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What every mail about an open ballot shows.
#[derive(Serialize)]
pub(super) struct Facts<'a> {
    question: &'a Texts,
    yes_means: &'a Texts,
    no_means: &'a Texts,
    closes: DateTime<Utc>,
    hash: &'a str,
    #[serde(flatten)]
    seen: Seen,
    quorum: u32,
    sitting: u32,
}

/// Who can see how somebody voted, as two sections of which one has an item: templates know no conditions.
#[derive(Serialize)]
struct Seen {
    open: Vec<bool>,
    non_public: Vec<bool>,
}

impl Seen {
    fn of(poll: &Poll) -> Seen {
        match poll.matter.secrecy {
            Secrecy::Open => Seen { open: vec![true], non_public: vec![] },
            Secrecy::NonPublic => Seen { open: vec![], non_public: vec![true] },
        }
    }
}

pub(super) fn facts(poll: &Poll) -> Facts<'_> {
    Facts {
        question: &poll.matter.question,
        yes_means: &poll.matter.yes_means,
        no_means: &poll.matter.no_means,
        closes: poll.closes,
        hash: &poll.hash,
        seen: Seen::of(poll),
        quorum: poll.matter.rule.quorum.number(poll.sitting()),
        sitting: poll.sitting(),
    }
}

/// The label under which one voter is asked: cancelled once she has answered.
pub(super) fn asking(voter: Party) -> String {
    format!("ask:{voter}")
}

/// The label of one question whether something was a voter's: each question has its own, so that the answer
/// to one never confirms what came later.
pub(super) fn confirming(voter: Party, number: u32) -> String {
    format!("confirm:{voter}:{number}")
}

/// Nobody owes an answer any more: asks that have not left never leave, and tasks to reach a voter are over.
pub(super) fn asked_no_more(poll: &Poll) -> Vec<Effect> {
    let labels = |voter: &Party| {
        [asking(*voter), format!("refusal:{voter}"), format!("unreachable:{voter}")].map(Effect::Cancel)
    };
    let annulment =
        poll.annulment.iter().map(|asked| Effect::Cancel(super::staff::Task::annulment(asked.at)));
    let questions = poll.pending.iter().map(|(voter, p)| Effect::Cancel(confirming(*voter, p.number)));
    poll.electorate.iter().flat_map(labels).chain(questions).chain(annulment).collect()
}

fn ask(poll: &Poll, voter: Party, template: &'static str) -> Notice {
    Notice::new(&asking(voter), voter, template, facts(poll))
        .asking(Asks::Vote)
        .not_after(poll.closes)
        .with_calendar(poll.closes)
        .to_address(address(poll, voter))
}

/// The address of a voter that takes mail, as far as we know.
fn address(poll: &Poll, voter: Party) -> u8 {
    poll.addresses.get(&voter).copied().unwrap_or(0)
}

pub(super) fn ballot(poll: &Poll, voter: Party) -> Notice {
    let template = if poll.round == 1 { "ballot/ballot" } else { "ballot/rerun" };
    ask(poll, voter, template)
}

pub(super) fn reminder(poll: &Poll, voter: Party) -> Notice {
    Notice { calendar: None, ..ask(poll, voter, "ballot/reminder") }
}

pub(super) fn extended(poll: &Poll, voter: Party) -> Notice {
    ask(poll, voter, "ballot/extended")
}

/// What a receipt says of the answer it acknowledges.
#[derive(Serialize)]
struct Receipt<'a> {
    question: &'a Texts,
    choice: Choice,
    /// What the choice does; none for ABSTAIN, which counts for the quorum alone.
    means: Vec<&'a Texts>,
    code: &'a str,
    arrived: DateTime<Utc>,
    closes: DateTime<Utc>,
    hash: &'a str,
    #[serde(flatten)]
    seen: Seen,
    /// Who entered it and from which paper.
    #[serde(flatten)]
    paper: Option<Entered<'a>>,
}

#[derive(Serialize)]
struct Entered<'a> {
    by: Party,
    reference: &'a str,
}

/// How an answer was taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    First,
    /// In place of an earlier answer.
    Changed,
    /// Not, because a later one stands.
    Older,
    /// From paper, by staff.
    Paper,
}

/// What stands for a voter now: a receipt of her answer, or that she withdrew or recused herself.
pub(super) fn standing(poll: &Poll, voter: Party, taken: Taken) -> Option<Notice> {
    let entry = poll.entries.get(&voter)?;
    match &entry.what {
        What::Voted { choice, code, .. } => Some(receipt(poll, voter, entry, *choice, code, taken)),
        What::Withdrawn => Some(withdrawn(poll, voter)),
        What::Recused => Some(recused(poll, voter)),
    }
}

fn receipt(poll: &Poll, voter: Party, entry: &Entry, choice: Choice, code: &str, taken: Taken) -> Notice {
    let template = match taken {
        Taken::First => "ballot/receipt",
        Taken::Changed => "ballot/receipt-changed",
        Taken::Older => "ballot/receipt-older",
        Taken::Paper => "ballot/receipt-paper",
    };
    let paper = match &entry.what {
        What::Voted { paper: Some(Paper { by, reference }), .. } => {
            Some(Entered { by: Party::Person(*by), reference })
        }
        _ => None,
    };
    let data = Receipt {
        question: &poll.matter.question,
        choice,
        means: means(poll, choice),
        paper,
        code,
        arrived: entry.arrived,
        closes: poll.closes,
        hash: &poll.hash,
        seen: Seen::of(poll),
    };
    let notice = Notice::new(&format!("receipt:{voter}"), voter, template, data);
    Notice { asks: Asks::Vote, ..notice }.to_address(address(poll, voter))
}

/// What a choice does; none for ABSTAIN.
fn means(poll: &Poll, choice: Choice) -> Vec<&Texts> {
    match choice {
        Choice::Yes => vec![&poll.matter.yes_means],
        Choice::No => vec![&poll.matter.no_means],
        Choice::Abstain => Vec::new(),
    }
}

/// The answer of a voter that stands, as the one item of a section.
pub(super) fn standing_of(poll: &Poll, voter: Party) -> Vec<Choice> {
    poll.vote_of(voter).into_iter().collect()
}

pub(super) fn withdrawn(poll: &Poll, voter: Party) -> Notice {
    Notice::new(&asking(voter), voter, "ballot/withdrawn", facts(poll)).asking(Asks::Vote)
}

pub(super) fn recused(poll: &Poll, voter: Party) -> Notice {
    Notice::new(&asking(voter), voter, "ballot/recused", facts(poll)).asking(Asks::Vote)
}

/// Asks at the address on file whether something was the voter's.
pub(super) fn confirm(poll: &Poll, voter: Party, pending: &Pending, until: DateTime<Utc>) -> Notice {
    let mut data = json!({
        "question": poll.matter.question, "closes": poll.closes, "until": until, "hash": poll.hash,
        "standing": standing_of(poll, voter),
    });
    let template = match &pending.what {
        What::Voted { choice, .. } => {
            data["choice"] = json!(choice);
            data["means"] = json!(means(poll, *choice));
            "ballot/confirm"
        }
        What::Withdrawn => {
            data["word"] = json!("withdraw");
            "ballot/confirm-word"
        }
        What::Recused => {
            data["word"] = json!("recuse");
            "ballot/confirm-word"
        }
    };
    Notice::new(&confirming(voter, pending.number), voter, template, data)
        .asking(Asks::Confirm)
        .not_after(until)
        .to_address(address(poll, voter))
}

/// Something was not the voter's: it is thrown away, and she can still vote.
pub(super) fn declined(poll: &Poll, voter: Party) -> Notice {
    let standing = standing_of(poll, voter);
    let data = json!({ "question": poll.matter.question, "closes": poll.closes, "standing": standing });
    Notice::new(&asking(voter), voter, "ballot/declined", data).asking(Asks::Vote)
}

pub(super) fn frozen(poll: &Poll) -> Notice {
    Notice::new("frozen", everybody(poll), "ballot/frozen", json!({ "question": poll.matter.question }))
}

pub(super) fn thawed(poll: &Poll) -> Notice {
    let data = json!({ "question": poll.matter.question, "closes": poll.closes });
    Notice::new("thawed", everybody(poll), "ballot/thawed", data)
}

pub(super) fn everybody(poll: &Poll) -> Audience {
    Audience::Parties(poll.electorate.clone())
}

/// What a result shows: every number a reader needs to check it by hand.
#[derive(Serialize)]
struct Result<'a> {
    question: &'a Texts,
    yes_means: &'a Texts,
    no_means: &'a Texts,
    #[serde(flatten)]
    counts: Counts,
    #[serde(flatten)]
    verdict: Verdict,
    /// Those who recorded no answer, as the one list of a section; no list where there is none, or where
    /// the ballot is not open.
    silent: Vec<Vec<Party>>,
    case: String,
    hash: &'a str,
    rule: &'static str,
    round: u32,
    extended: bool,
    /// Rounds before this one that found no quorum.
    earlier: Vec<Earlier>,
}

/// A round that found no quorum.
#[derive(Serialize)]
struct Earlier {
    round: u32,
    closed: DateTime<Utc>,
    recorded: u32,
}

/// The rule by its name in templates.
fn rule(poll: &Poll) -> &'static str {
    match poll.matter.rule.majority {
        Majority::OfQuorum => "of-quorum",
        Majority::TwoThirds { abstain_counts_as_cast: true } => "two-thirds",
        Majority::TwoThirds { abstain_counts_as_cast: false } => "two-thirds-without-abstain",
    }
}

pub(super) fn result(poll: &Poll, counts: Counts, verdict: Verdict, case: String) -> Notice {
    let template = match verdict.outcome {
        Outcome::Carried => "ballot/result-carried",
        Outcome::NotCarried(Why::Tie) => "ballot/result-tie",
        Outcome::NotCarried(_) => "ballot/result-not-carried",
        Outcome::Inquorate => "ballot/result-inquorate",
    };
    let silent = match poll.matter.secrecy {
        Secrecy::Open => Some(poll.silent()).filter(|silent| !silent.is_empty()).into_iter().collect(),
        Secrecy::NonPublic => Vec::new(),
    };
    let earlier = poll.earlier.iter().filter(|past| past.round < poll.round).map(|past| Earlier {
        round: past.round,
        closed: past.closed,
        recorded: past.verdict.recorded,
    });
    let data = Result {
        question: &poll.matter.question,
        yes_means: &poll.matter.yes_means,
        no_means: &poll.matter.no_means,
        counts,
        verdict,
        silent,
        case,
        hash: &poll.hash,
        rule: rule(poll),
        round: poll.round,
        extended: poll.extended,
        earlier: earlier.collect(),
    };
    Notice { class: Class::Public, ..Notice::new("result", everybody(poll), template, data) }
}

/// Asks the Chair and staff what to do about a ballot that found no quorum twice (ambiguity 62).
pub(super) fn escalation(poll: &Poll, verdict: Verdict, officers: Vec<Party>) -> Task {
    let data = json!({
        "question": poll.matter.question, "recorded": verdict.recorded, "quorum": verdict.quorum,
        "sitting": verdict.sitting, "rounds": poll.round,
    });
    let notice =
        Notice::new(super::staff::ESCALATION, Audience::Parties(officers), "ballot/escalation", data)
            .asking(Asks::Decision);
    Task::new(notice, None)
}

/// A voter none of whose addresses takes mail: staff must reach her another way before the close.
pub(super) fn unreachable(poll: &Poll, voter: Party) -> Task {
    let data = json!({ "question": poll.matter.question, "voter": voter, "closes": poll.closes });
    let notice = Notice::new(
        &format!("unreachable:{voter}"),
        Audience::Role(Role::Staff, None),
        "ballot/unreachable",
        data,
    )
    .asking(Asks::Text);
    Task::new(notice, Some(poll.closes))
}

/// Asks the other staff and the Chair whether to annul.
pub(super) fn annulment(ballot: &Ballot, annulment: &Annulment, others: Vec<Party>) -> Task {
    let matter = ballot.matter();
    let mut data = json!({
        "question": matter.question, "by": Party::Person(annulment.by), "reason": annulment.reason,
    });
    let (template, due) = match ballot {
        Ballot::Open(poll) => ("ballot/annul-confirm", poll.closes),
        _ => {
            data["opens"] = json!(matter.opens);
            ("ballot/annul-planned", matter.opens)
        }
    };
    let label = super::staff::Task::annulment(annulment.at);
    let notice = Notice::new(&label, Audience::Parties(others), template, data).asking(Asks::Decision);
    // There may be little time: everybody who can agree is asked at once, deputies too.
    Task { notice, due: Some(due), deputies: Deputies::Asked }
}

pub(super) fn annulled(poll: &Poll, reason: &str) -> Notice {
    let data = json!({ "question": poll.matter.question, "reason": reason });
    Notice { class: Class::Public, ..Notice::new("annulled", everybody(poll), "ballot/annulled", data) }
}

/// Tells everybody that there is nothing left to vote on.
pub(super) fn ended(poll: &Poll) -> Notice {
    let data = json!({ "question": poll.matter.question });
    Notice { class: Class::Public, ..Notice::new("annulled", everybody(poll), "ballot/ended", data) }
}

/// Tells those who planned a ballot and wanted it annulled that it will not open.
pub(super) fn annulled_planned(matter: &Matter, asked: &Annulment, second: PersonId) -> Notice {
    let data = json!({
        "question": matter.question, "reason": asked.reason, "by": Party::Person(asked.by),
        "second": Party::Person(second),
    });
    let to: BTreeSet<PersonId> = matter.by.into_iter().chain([asked.by]).filter(|to| *to != second).collect();
    let to = Audience::Parties(to.into_iter().map(Party::Person).collect());
    Notice::new("annulled", to, "ballot/annulled-planned", data)
}

/// Tells who asked for an annulment that the second person said no.
pub(super) fn kept(matter: &Matter, by: PersonId, second: PersonId) -> Notice {
    let data = json!({ "question": matter.question, "second": Party::Person(second) });
    Notice::new("kept", Party::Person(by), "ballot/kept", data)
}

/// Tells everybody that the Chair left a ballot without quorum as it is.
pub(super) fn left_undecided(poll: &Poll) -> Notice {
    let data = json!({ "question": poll.matter.question });
    Notice {
        class: Class::Public,
        ..Notice::new("undecided", everybody(poll), "ballot/left-undecided", data)
    }
}

/// What somebody did by doing a task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Annulled,
    Kept,
    RunAgain,
    LeftUndecided,
    Reached(Party),
}

/// What a mail says that is about a task and not the first about it: which task it is.
pub(super) fn task_facts(matter: &Matter, task: super::staff::Task) -> Value {
    use super::staff::Task as Kind;
    let (task, voter) = match task {
        Kind::Annulment(_) => ("annul", None),
        Kind::Escalation => ("run-again", None),
        Kind::Unreachable(voter) => ("reach", Some(voter)),
    };
    json!({ "question": matter.question, "task": task, "voter": Vec::from_iter(voter) })
}

/// Thanks for doing a task, with what came of it.
pub(super) fn task_done(matter: &Matter, to: Party, done: Done) -> Notice {
    let (word, voter) = match done {
        Done::Annulled => ("annulled", None),
        Done::Kept => ("kept", None),
        Done::RunAgain => ("run-again", None),
        Done::LeftUndecided => ("left-undecided", None),
        Done::Reached(voter) => ("reached", Some(voter)),
    };
    let data = json!({ "question": matter.question, "done": word, "voter": Vec::from_iter(voter) });
    Notice::new("done", to, "ballot/task-done", data)
}
