//! What a voter writes, and what becomes of it. Worst is a wrong choice credited; next, a needless question.

use super::{Ballot, Entry, Pending, Plan, Polarity, Policy, Poll, What, mails, staff};
use crate::kernel::choice::Choice;
use crate::kernel::ids::Party;
use crate::kernel::said::{Command, Problem, Said};
use crate::kernel::workflow::{Asks, Cx, Effect, Refusal, Reply, Step};
use chrono::{DateTime, Utc};
use mails::Taken;
use serde_json::{Value, json};

/// Characters of a receipt code: 80 bits of the letter's nonce.
const CODE: usize = 16;

/// What the mail that was answered was about, by its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// A ballot, a reminder, a refusal of an answer, or no mail of ours in particular.
    TheVote,
    /// A receipt: what it acknowledges stands already.
    Receipt,
    /// Whether something was hers: the number of that question.
    Confirmation(u32),
    /// A result, a freeze: nothing was asked.
    News,
}

impl About {
    fn of(reply: &Reply) -> About {
        let Some(answers) = &reply.answers else { return About::TheVote };
        let (kind, rest) = answers.label.split_once(':').unwrap_or((&answers.label, ""));
        match kind {
            "ask" | "refusal" => About::TheVote,
            "receipt" => About::Receipt,
            "confirm" => {
                let number = rest.rsplit(':').next().and_then(|number| number.parse().ok());
                About::Confirmation(number.unwrap_or(0))
            }
            _ => About::News,
        }
    }
}

pub(super) fn reply(poll: Poll, reply: &Reply, cx: &Cx<Policy>) -> Result<Step<Ballot>, Refusal> {
    if let Some(answers) = &reply.answers
        && let Some(task) = staff::Task::of(&answers.label)
    {
        return staff::answer(poll, task, reply, cx);
    }
    let voter = voter(&poll, reply, cx)?;
    let about = About::of(reply);
    if let About::Confirmation(number) = about {
        let asked = |pending: &&Pending| pending.number == number && reply.assurance.confirmed;
        return match poll.pending.get(&voter).filter(asked).cloned() {
            Some(pending) => confirmed(poll, voter, &pending, reply, cx),
            // An old question, or an old answer sent again: it is no vote, and it confirms nothing new.
            None => Err(ask_anew(&poll, voter, "ballot/no-answer")),
        };
    }
    if !poll.in_time(reply.arrived) {
        return Err(late(&poll, Some(voter), reply));
    }
    let what = what(&poll, voter, about, reply, cx)?;
    if cx.acts.allows(poll.matter.act, reply.assurance) {
        return Ok(record(poll, voter, Entry { arrived: reply.arrived, what }));
    }
    Ok(unsure(poll, voter, reply, what, cx))
}

/// Too late or too early. What stands for a voter is told to her alone.
fn late(poll: &Poll, voter: Option<Party>, reply: &Reply) -> Refusal {
    if reply.arrived.timestamp() < poll.opened.timestamp() {
        let data = json!({ "question": poll.matter.question, "opens": poll.opened });
        return Refusal::new("ballot/early", data);
    }
    let data = json!({
        "question": poll.matter.question, "closes": poll.closes, "arrived": reply.arrived,
        "standing": voter.map(|voter| mails::standing_of(poll, voter)).unwrap_or_default(),
    });
    Refusal::new("ballot/late", data)
}

/// Whose seat the answer is for. A forwarded ballot gives nobody else's seat away: where the mail was
/// written to one voter and comes from another, it is refused and the writer pointed to her own ballot. One
/// who speaks for several says which by the mail she answers; that is never guessed.
fn voter(poll: &Poll, reply: &Reply, cx: &Cx<Policy>) -> Result<Party, Refusal> {
    let speaks_for = |party: &Party| match (reply.from, cx.register.speaker(*party)) {
        (Party::Person(from), Some(speaker)) => speaker.id == from,
        _ => false,
    };
    let own: Vec<Party> = poll.electorate.iter().copied().filter(speaks_for).collect();
    let asked = reply.answers.as_ref().map(|answers| answers.to);
    match (asked.filter(|asked| poll.electorate.contains(asked)), own.as_slice()) {
        (Some(asked), own) if asked == reply.from || own.contains(&asked) => Ok(asked),
        (None, [seat]) => Ok(*seat),
        (Some(_), [seat]) => {
            let refusal = Refusal::new("ballot/not-yours", mails::facts(poll)).asking(Asks::Vote);
            Err(refusal.about(mails::asking(*seat)))
        }
        (_, [_, _, ..]) => Err(Refusal::new("ballot/not-yours", mails::facts(poll))),
        (_, []) => Err(Refusal::new("ballot/not-a-voter", json!({ "question": poll.matter.question }))),
    }
}

/// What the words come to: a vote, a withdrawal, a recusal; or precisely why nothing.
fn what(poll: &Poll, voter: Party, about: About, reply: &Reply, cx: &Cx<Policy>) -> Result<What, Refusal> {
    let said = &reply.said;
    if said.has(&Command::Withdraw) {
        return Ok(What::Withdrawn);
    }
    if said.has(&Command::Recuse) {
        return Ok(What::Recused);
    }
    let choice = choice(poll, voter, said, cx)?;
    // "Yes, thank you" under a receipt for NO, "Yes, understood" under a result: no change of mind.
    let bare = said.text.split_whitespace().count() <= 1;
    let changes = poll.vote_of(voter).is_some_and(|standing| standing != choice);
    match about {
        About::News => Err(ask_again(poll, voter, "ballot/no-answer", cx)),
        About::Receipt if changes && !bare => Err(ask_again(poll, voter, "ballot/unclear", cx)),
        _ => Ok(What::Voted { choice, code: code(&reply.nonce), paper: None }),
    }
}

/// The one choice of an answer, or precisely why there is none.
fn choice(poll: &Poll, voter: Party, said: &Said, cx: &Cx<Policy>) -> Result<Choice, Refusal> {
    let template = match (said.problem, said.choice) {
        (Problem::None, Some(choice)) => return Ok(choice),
        (Problem::SupportWord, Some(choice)) if poll.matter.polarity == Polarity::Straight => {
            return Ok(choice);
        }
        (Problem::SupportWord, _) => "ballot/support-word",
        (Problem::TwoAnswers, _) => "ballot/two-answers",
        (Problem::QuotedOnly, _) => "ballot/quoted-only",
        (Problem::Conditional | Problem::Negated | Problem::Question | Problem::Unclear, _) => {
            "ballot/unclear"
        }
        (Problem::SubjectDisagrees | Problem::PartsDisagree | Problem::Hidden | Problem::Disguised, _) => {
            "ballot/disagrees"
        }
        (Problem::NoAnswer | Problem::NumberOnly | Problem::Empty | Problem::None, _) => "ballot/no-answer",
    };
    Err(ask_again(poll, voter, template, cx))
}

/// A refusal that can be mended by one word, whatever mail was answered. Where an earlier answer waits for the
/// voter's word, that is what she is asked, and nothing else.
fn ask_again(poll: &Poll, voter: Party, template: &'static str, cx: &Cx<Policy>) -> Refusal {
    if let Some(pending) = poll.pending.get(&voter) {
        return confirm_first(poll, voter, pending, poll.closes + cx.policy.grace());
    }
    ask_anew(poll, voter, template)
}

/// A refusal that asks for the vote itself.
fn ask_anew(poll: &Poll, voter: Party, template: &'static str) -> Refusal {
    Refusal::new(template, with_standing(poll, voter)).asking(Asks::Vote).about(mails::asking(voter))
}

/// The facts of the ballot and, as the one item of a section, the answer that stands unchanged.
fn with_standing(poll: &Poll, voter: Party) -> Value {
    let mut data = serde_json::to_value(mails::facts(poll)).unwrap_or_default();
    data["standing"] = json!(mails::standing_of(poll, voter));
    data
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
    let taken = match (poll.entries.get(&voter), &entry.what) {
        (Some(standing), _) if standing.arrived > entry.arrived => Taken::Older,
        (_, What::Voted { paper: Some(_), .. }) => Taken::Paper,
        (Some(Entry { what: What::Voted { .. }, .. }), _) => Taken::Changed,
        _ => Taken::First,
    };
    let mut done =
        vec![Effect::Cancel(mails::asking(voter)), Effect::Cancel(staff::Task::unreachable(voter))];
    if taken != Taken::Older {
        let arrived = entry.arrived;
        poll.entries.insert(voter, entry);
        // What was written earlier needs no word any more; what was written later still does.
        if let Some(pending) = poll.pending.get(&voter).filter(|pending| pending.arrived <= arrived) {
            done.push(Effect::Cancel(mails::confirming(voter, pending.number)));
            poll.pending.remove(&voter);
        }
    }
    settle(&mut poll);
    let stands = mails::standing(&poll, voter, taken);
    let step = done.into_iter().fold(Step::to(Ballot::Open(poll)), Step::with);
    stands.into_iter().fold(step, Step::tell)
}

/// Nothing more to wait for: a close that waited for confirmations is due at once.
fn settle(poll: &mut Poll) {
    if poll.pending.is_empty() {
        poll.waiting = poll.waiting.map(|_| poll.closes);
    }
}

/// Not sure enough who wrote it: it is kept as it arrived and the address on file is asked. The same once
/// more while the question is open asks nothing new; something older than what waits changes nothing.
fn unsure(mut poll: Poll, voter: Party, reply: &Reply, what: What, cx: &Cx<Policy>) -> Step<Ballot> {
    let standing = poll.pending.get(&voter);
    if standing.is_some_and(|pending| same(&pending.what, &what) || pending.arrived > reply.arrived) {
        return Step::to(Ballot::Open(poll));
    }
    let older = standing.map(|pending| Effect::Cancel(mails::confirming(voter, pending.number)));
    poll.asked += 1;
    let pending = Pending { arrived: reply.arrived, what, number: poll.asked };
    let notice = mails::confirm(&poll, voter, &pending, poll.closes + cx.policy.grace());
    poll.pending.insert(voter, pending);
    older.into_iter().fold(Step::to(Ballot::Open(poll)), Step::with).tell(notice)
}

/// Whether two words of a voter say the same; receipt codes aside.
fn same(one: &What, other: &What) -> bool {
    match (one, other) {
        (What::Voted { choice: one, .. }, What::Voted { choice: other, .. }) => one == other,
        (one, other) => one == other,
    }
}

/// The answer to "was that yours?". CONFIRM credits it as it arrived; DECLINE throws it away. A bare YES is
/// taken only where both ways of reading it agree: YES to a YES. Anything else is asked again, never guessed.
fn confirmed(
    mut poll: Poll,
    voter: Party,
    pending: &Pending,
    reply: &Reply,
    cx: &Cx<Policy>,
) -> Result<Step<Ballot>, Refusal> {
    let until = poll.closes + cx.policy.grace();
    if reply.arrived.timestamp() > until.timestamp() && poll.frozen.is_none() {
        return Err(late(&poll, Some(voter), reply));
    }
    if reply.said.has(&Command::Decline) {
        poll.pending.remove(&voter);
        settle(&mut poll);
        let notice = mails::declined(&poll, voter);
        return Ok(Step::to(Ballot::Open(poll)).tell(notice));
    }
    let agrees = reply.said.problem == Problem::None
        && reply.said.choice == Some(Choice::Yes)
        && matches!(pending.what, What::Voted { choice: Choice::Yes, .. });
    if reply.said.has(&Command::Confirm) || agrees {
        poll.pending.remove(&voter);
        let entry = Entry { arrived: pending.arrived, what: pending.what.clone() };
        return Ok(record(poll, voter, entry));
    }
    Err(confirm_first(&poll, voter, pending, until))
}

/// What waits for the voter's word, and how one word settles it.
fn confirm_first(poll: &Poll, voter: Party, pending: &Pending, until: DateTime<Utc>) -> Refusal {
    let notice = mails::confirm(poll, voter, pending, until);
    let template = match notice.template {
        "ballot/confirm" => "ballot/confirm-unclear",
        word => word,
    };
    let label = mails::confirming(voter, pending.number);
    Refusal::new(template, notice.data).asking(Asks::Confirm).about(label)
}

/// The refusal to somebody who writes about a ballot that takes no answers.
pub(super) fn over(ballot: &Ballot, reply: &Reply, cx: &Cx<Policy>) -> Refusal {
    match ballot {
        Ballot::Planned(Plan { matter, .. }) => {
            Refusal::new("ballot/early", json!({ "question": matter.question, "opens": matter.opens }))
        }
        Ballot::Annulled { matter, .. } => {
            Refusal::new("ballot/was-annulled", json!({ "question": matter.question }))
        }
        Ballot::Open(poll) | Ballot::Escalated { poll, .. } | Ballot::Closed { poll, .. } => {
            late(poll, voter(poll, reply, cx).ok(), reply)
        }
    }
}
