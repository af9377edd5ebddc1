//! What a voter writes, and what becomes of it. Worst is a wrong choice credited; next, a needless question.

use super::{Ballot, Entry, Pending, Polarity, Policy, Poll, What, mails, staff};
use crate::kernel::choice::Choice;
use crate::kernel::ids::Party;
use crate::kernel::said::{Command, Problem, Said};
use crate::kernel::workflow::{Asks, Cx, Effect, Refusal, Reply, Step};
use mails::Taken;
use serde_json::{Value, json};

/// Characters of a receipt code: 80 bits of the letter's nonce.
const CODE: usize = 16;

pub(super) fn reply(poll: Poll, reply: &Reply, cx: &Cx<Policy>) -> Result<Step<Ballot>, Refusal> {
    if let Some(answers) = &reply.answers
        && let Some(task) = staff::Task::of(&answers.label)
    {
        return staff::answer(poll, task, reply, cx);
    }
    let voter = voter(&poll, reply, cx)?;
    if !poll.in_time(reply.arrived) && !confirms(&poll, voter, reply) {
        let data =
            json!({ "question": poll.matter.question, "closes": poll.closes, "arrived": reply.arrived });
        return Err(Refusal::new("ballot/late", data));
    }
    if confirms(&poll, voter, reply) {
        return confirmed(poll, voter, reply, cx);
    }
    if !cx.acts.allows(poll.matter.act, reply.assurance) {
        return unsure(poll, voter, reply, cx);
    }
    if reply.said.has(&Command::Withdraw) {
        return Ok(retire(poll, voter, reply, What::Withdrawn));
    }
    if reply.said.has(&Command::Recuse) {
        return Ok(retire(poll, voter, reply, What::Recused));
    }
    let choice = choice(&poll, voter, &reply.said)?;
    Ok(record(poll, voter, Entry { arrived: reply.arrived, what: voted(choice, code(&reply.nonce)) }))
}

/// Whose seat the answer is for. A forwarded ballot gives nobody else's seat away: where the mail was
/// written to one voter and comes from another, it is refused and the writer pointed to her own ballot.
fn voter(poll: &Poll, reply: &Reply, cx: &Cx<Policy>) -> Result<Party, Refusal> {
    let speaks_for = |party: Party| match (reply.from, cx.register.speaker(party)) {
        (Party::Person(from), Some(speaker)) => speaker.id == from,
        _ => false,
    };
    let seat = |party: &Party| poll.electorate.contains(party);
    let asked = reply.answers.as_ref().map(|answers| answers.to);
    match asked.filter(seat) {
        Some(asked) if asked == reply.from || speaks_for(asked) => return Ok(asked),
        Some(_) if poll.electorate.iter().any(|party| speaks_for(*party)) => {
            return Err(Refusal::new("ballot/not-yours", mails::facts(poll)).asking(Asks::Vote));
        }
        _ => {}
    }
    let own = poll.electorate.iter().copied().find(|party| speaks_for(*party));
    own.ok_or_else(|| Refusal::new("ballot/not-a-voter", json!({ "question": poll.matter.question })))
}

/// The one choice of an answer, or precisely why there is none.
fn choice(poll: &Poll, voter: Party, said: &Said) -> Result<Choice, Refusal> {
    let template = match (said.problem, said.choice) {
        (Problem::None, Some(choice)) => return Ok(choice),
        (Problem::SupportWord, Some(choice)) if poll.matter.polarity == Polarity::Straight => {
            return Ok(choice);
        }
        (Problem::SupportWord, _) => "ballot/support-word",
        (Problem::TwoAnswers, _) => "ballot/two-answers",
        (Problem::QuotedOnly, _) => "ballot/quoted-only",
        (Problem::Conditional | Problem::Negated | Problem::Question | Problem::Unclear, _) => "ballot/unclear",
        (
            Problem::SubjectDisagrees | Problem::PartsDisagree | Problem::Hidden | Problem::Disguised,
            _,
        ) => "ballot/disagrees",
        (Problem::NoAnswer | Problem::NumberOnly | Problem::Empty | Problem::None, _) => "ballot/no-answer",
    };
    Err(Refusal::new(template, with_standing(poll, voter)).asking(Asks::Vote))
}

/// The facts of the ballot and, as the one item of a section, the answer that stands unchanged.
fn with_standing(poll: &Poll, voter: Party) -> Value {
    let standing: Vec<Choice> = match poll.entries.get(&voter) {
        Some(Entry { what: What::Voted { choice, .. }, .. }) => vec![*choice],
        _ => Vec::new(),
    };
    let mut data = serde_json::to_value(mails::facts(poll)).unwrap_or_default();
    data["standing"] = json!(standing);
    data
}

fn voted(choice: Choice, code: String) -> What {
    What::Voted { choice, code, paper: None }
}

/// The receipt code of a nonce: base32, lower case, in groups that can be read over the telephone.
pub(super) fn code(nonce: &str) -> String {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(nonce.as_bytes()).unwrap_or_default();
    let text = data_encoding::BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
    let groups: Vec<String> = text.as_bytes()[..CODE.min(text.len())]
        .chunks(4)
        .map(|c| String::from_utf8_lossy(c).into())
        .collect();
    groups.join("-")
}

/// Takes an answer unless a later one stands already: by arrival, not by the order of reading.
pub(super) fn record(mut poll: Poll, voter: Party, entry: Entry) -> Step<Ballot> {
    let before = poll.entries.get(&voter);
    let taken = match (before, &entry.what) {
        (Some(standing), _) if standing.arrived > entry.arrived => Taken::Older,
        (_, What::Voted { paper: Some(_), .. }) => Taken::Paper,
        (Some(Entry { what: What::Voted { .. }, .. }), _) => Taken::Changed,
        _ => Taken::First,
    };
    if taken != Taken::Older {
        poll.entries.insert(voter, entry);
        poll.pending.remove(&voter);
        // Nothing more to wait for: the close is due at once.
        if poll.pending.is_empty() {
            poll.waiting = poll.waiting.map(|_| poll.closes);
        }
    }
    let stands = mails::standing(&poll, voter, taken);
    let step = Step::to(Ballot::Open(poll))
        .with(Effect::Cancel(mails::asking(voter)))
        .with(Effect::Cancel(staff::Task::unreachable(voter)));
    stands.into_iter().fold(step, Step::tell)
}

/// Withdraws a ballot or declares a recusal.
fn retire(mut poll: Poll, voter: Party, reply: &Reply, what: What) -> Step<Ballot> {
    let later = poll.entries.get(&voter).filter(|standing| standing.arrived > reply.arrived);
    if later.is_some() {
        let stands = mails::standing(&poll, voter, Taken::Older);
        return stands.into_iter().fold(Step::to(Ballot::Open(poll)), Step::tell);
    }
    let notice = match what {
        What::Recused => mails::recused(&poll, voter),
        _ => mails::withdrawn(&poll, voter),
    };
    poll.entries.insert(voter, Entry { arrived: reply.arrived, what });
    poll.pending.remove(&voter);
    Step::to(Ballot::Open(poll)).with(Effect::Cancel(mails::asking(voter))).tell(notice)
}

/// Not sure enough who wrote it: the choice is kept as it arrived and the address on file is asked.
fn unsure(mut poll: Poll, voter: Party, reply: &Reply, cx: &Cx<Policy>) -> Result<Step<Ballot>, Refusal> {
    let choice = choice(&poll, voter, &reply.said)?;
    let until = poll.closes + cx.policy.grace();
    let notice = mails::confirm(&poll, voter, choice, until);
    poll.pending.insert(voter, Pending { arrived: reply.arrived, choice, code: code(&reply.nonce) });
    // An older question about another answer must not confirm this one.
    Ok(Step::to(Ballot::Open(poll)).with(Effect::Cancel(mails::confirming(voter))).tell(notice))
}

/// Whether it answers a confirmation request while something waits for confirmation.
fn confirms(poll: &Poll, voter: Party, reply: &Reply) -> bool {
    let label = reply.answers.as_ref().map(|answers| answers.label.as_str());
    label == Some(mails::confirming(voter).as_str()) && poll.pending.contains_key(&voter)
}

/// The answer to "was that yours?". CONFIRM credits it as it arrived. A bare YES or NO is taken only where
/// both ways of reading it agree: YES to a YES. Anything else is asked again, never guessed.
fn confirmed(mut poll: Poll, voter: Party, reply: &Reply, cx: &Cx<Policy>) -> Result<Step<Ballot>, Refusal> {
    let Some(pending) = poll.pending.get(&voter).cloned() else {
        return Err(Refusal::new("ballot/no-answer", with_standing(&poll, voter)).asking(Asks::Vote));
    };
    let until = poll.closes + cx.policy.grace();
    if reply.arrived.timestamp() > until.timestamp() {
        let data =
            json!({ "question": poll.matter.question, "closes": poll.closes, "arrived": reply.arrived });
        return Err(Refusal::new("ballot/late", data));
    }
    let agrees = reply.said.problem == Problem::None
        && reply.said.choice == Some(Choice::Yes)
        && pending.choice == Choice::Yes;
    if reply.said.has(&Command::Confirm) || agrees {
        poll.pending.remove(&voter);
        let what = voted(pending.choice, pending.code);
        return Ok(record(poll, voter, Entry { arrived: pending.arrived, what }));
    }
    let data = json!({ "question": poll.matter.question, "choice": pending.choice, "until": until });
    Err(Refusal::new("ballot/confirm-unclear", data).asking(Asks::Confirm))
}

/// The refusal to somebody who writes about a ballot that takes no answers.
pub(super) fn over(ballot: &Ballot, reply: &Reply) -> Refusal {
    match ballot {
        Ballot::Planned(matter) => {
            Refusal::new("ballot/early", json!({ "question": matter.question, "opens": matter.opens }))
        }
        Ballot::Annulled { matter, .. } => {
            Refusal::new("ballot/was-annulled", json!({ "question": matter.question }))
        }
        Ballot::Open(poll) | Ballot::Escalated { poll, .. } | Ballot::Closed { poll, .. } => {
            let data =
                json!({ "question": poll.matter.question, "closes": poll.closes, "arrived": reply.arrived });
            Refusal::new("ballot/late", data)
        }
    }
}
