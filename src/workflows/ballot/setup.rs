//! From an order to an open ballot: what is asked is checked, frozen and hashed, and the ballots go out.

use super::{Ballot, Matter, Plan, Polarity, Policy, Poll, Round, Secrecy, Texts, Voters, mails};
use crate::kernel::assurance::Act;
use crate::kernel::ballot::Rule;
use crate::kernel::canonical;
use crate::kernel::ids::Party;
use crate::kernel::language::Language;
use crate::kernel::people::Role;
use crate::kernel::workflow::{Cx, Effect, Opening, Refusal, Step, within};
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// A ballot as staff or another case asks for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    question: Texts,
    yes_means: Texts,
    no_means: Texts,
    #[serde(default = "straight")]
    polarity: Polarity,
    rule: Rule,
    secrecy: Secrecy,
    #[serde(default = "vote")]
    act: Act,
    voters: Voters,
    /// At once where it is left out.
    opens: Option<DateTime<Utc>>,
    /// After the usual number of days where it is left out.
    closes: Option<DateTime<Utc>>,
}

fn straight() -> Polarity {
    Polarity::Straight
}

fn vote() -> Act {
    Act::Vote
}

/// Longest question or effect, in characters: it stands in every mail and every subject is cut from it.
const LONGEST: usize = 2_000;

/// No ballot opens or closes further away than this from the day it is asked for.
const FURTHEST: Duration = Duration::days(731);

/// Whether a ballot can run with these numbers.
pub(super) fn check(policy: &Policy) -> Result<(), String> {
    within("days", policy.days, 1..=366)?;
    if policy.remind_hours_before.len() > 20 {
        return Err("remind_hours_before names more than 20 reminders; write fewer".to_owned());
    }
    for hours in &policy.remind_hours_before {
        within("remind_hours_before", *hours, 0..=8784)?;
    }
    within("extend_days", policy.extend_days, 1..=366)?;
    within("reruns", policy.reruns, 0..=5)?;
    within("confirm_grace_hours", policy.confirm_grace_hours, 0..=8784)?;
    within("chair_reminder_days", policy.chair_reminder_days, 1..=366)
}

fn unreadable(why: impl std::fmt::Display) -> Refusal {
    Refusal::new("ballot/unreadable", json!({ "why": why.to_string() }))
}

/// When a ballot opens and closes, both near enough to be meant.
fn times(asked: &Asked, cx: &Cx<Policy>) -> Result<(DateTime<Utc>, DateTime<Utc>), Refusal> {
    let near = |name: &str, moment: Option<DateTime<Utc>>| match moment {
        Some(moment) if (moment - cx.now).abs() <= FURTHEST => Ok(moment),
        _ => Err(unreadable(format!("{name} must be less than two years away"))),
    };
    let opens = near("opens", Some(asked.opens.unwrap_or(cx.now)))?;
    let usual = || opens.checked_add_signed(Duration::days(i64::from(cx.policy.days)));
    let closes = near("closes", asked.closes.or_else(usual))?;
    if closes <= opens || closes <= cx.now {
        return Err(Refusal::new("ballot/closes-too-early", json!({ "opens": opens, "closes": closes })));
    }
    Ok((opens, closes))
}

pub(super) fn matter(opening: &Opening, cx: &Cx<Policy>) -> Result<Matter, Refusal> {
    let asked: Asked = serde_json::from_value(opening.body.clone()).map_err(unreadable)?;
    asked.rule.check().map_err(unreadable)?;
    let (opens, closes) = times(&asked, cx)?;
    let texts =
        [("question", &asked.question), ("yes_means", &asked.yes_means), ("no_means", &asked.no_means)];
    let missing: Vec<String> = texts.iter().flat_map(|(part, texts)| missing(part, texts)).collect();
    if !missing.is_empty() {
        return Err(Refusal::new("ballot/language-missing", json!({ "missing": missing })));
    }
    let matter = Matter {
        question: asked.question,
        yes_means: asked.yes_means,
        no_means: asked.no_means,
        polarity: asked.polarity,
        rule: asked.rule,
        secrecy: asked.secrecy,
        act: asked.act,
        voters: asked.voters,
        opens,
        closes,
        parent: opening.parent,
        by: opening.by,
    };
    let electorate = electorate(&matter, cx);
    let unknown: Vec<Party> =
        electorate.iter().filter(|party| cx.register.speaker(**party).is_none()).copied().collect();
    if electorate.is_empty() || !unknown.is_empty() {
        return Err(Refusal::new("ballot/voters-unknown", json!({ "unknown": unknown })));
    }
    let least = matter.rule.quorum.min_absolute;
    if usize::try_from(least).map_or(true, |least| least > electorate.len()) {
        let why = format!("the quorum of at least {least} is more than all {} voters", electorate.len());
        return Err(unreadable(why));
    }
    Ok(matter)
}

/// "question: pt" for each language in which a text is missing, empty or too long.
fn missing(part: &str, texts: &Texts) -> Vec<String> {
    Language::ALL
        .into_iter()
        .filter(|language| {
            let text = texts.get(language).map_or("", |text| text.trim());
            text.is_empty() || text.chars().count() > LONGEST
        })
        .map(|language| format!("{part}: {language}"))
        .collect()
}

fn electorate(matter: &Matter, cx: &Cx<Policy>) -> Vec<Party> {
    let parties: BTreeSet<Party> = match &matter.voters {
        Voters::Alac => {
            cx.register.holders(Role::AlacMember, None, cx.now).into_iter().map(Party::Person).collect()
        }
        Voters::Listed(parties) => parties.iter().copied().collect(),
    };
    parties.into_iter().collect()
}

/// Opens what was planned. A request to annul it is still one.
pub(super) fn planned(plan: Plan, cx: &Cx<Policy>) -> Step<Ballot> {
    let Plan { matter, annulment } = plan;
    begin(matter, 1, Vec::new(), 0, cx).map(|ballot| match ballot {
        Ballot::Open(poll) => Ballot::Open(Poll { annulment, ..poll }),
        other => other,
    })
}

/// Opens a round: takes the snapshot, hashes it, writes to every voter. Questions to confirm are numbered on from
/// `asked`: the answer to one of an earlier round, sent again by whoever kept it, must not answer a new one.
pub(super) fn begin(
    matter: Matter,
    round: u32,
    earlier: Vec<Round>,
    asked: u32,
    cx: &Cx<Policy>,
) -> Step<Ballot> {
    let length = matter.closes - matter.opens;
    let opened = cx.now;
    // A first round closes when it was announced to; a later one is open as long again.
    let closes = if round == 1 && matter.closes > opened { matter.closes } else { opened + length };
    let electorate = electorate(&matter, cx);
    let mut poll = Poll {
        round,
        opened,
        closes,
        electorate,
        hash: String::new(),
        entries: BTreeMap::new(),
        pending: BTreeMap::new(),
        asked,
        reminders: cx.policy.ladder(closes, opened),
        extended: false,
        waiting: None,
        frozen: None,
        annulment: None,
        addresses: BTreeMap::new(),
        unreachable: BTreeSet::new(),
        reached: BTreeSet::new(),
        earlier,
        matter,
    };
    poll.hash = frozen_hash(&poll);
    let asks: Vec<_> = poll.electorate.iter().map(|voter| mails::ballot(&poll, *voter)).collect();
    asks.into_iter().fold(Step::to(Ballot::Open(poll)), |step, notice| step.with(Effect::Tell(notice)))
}

/// What can no longer change once a ballot is open.
pub(super) fn frozen(poll: &Poll) -> serde_json::Value {
    json!({
        "question": poll.matter.question,
        "yes_means": poll.matter.yes_means,
        "no_means": poll.matter.no_means,
        "polarity": poll.matter.polarity,
        "rule": poll.matter.rule,
        "secrecy": poll.matter.secrecy,
        "electorate": poll.electorate,
        "opened": poll.opened,
        "round": poll.round,
    })
}

fn frozen_hash(poll: &Poll) -> String {
    canonical::hash(&frozen(poll))
}
