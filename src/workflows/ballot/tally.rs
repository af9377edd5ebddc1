//! The public record of a ballot: everything needed to recount it from the file alone.

use super::{Ballot, Policy, Poll, Secrecy, What, setup};
use crate::kernel::ballot::{Counts, Verdict};
use crate::kernel::ids::Party;
use crate::kernel::tally::{Body, Cast};
use crate::kernel::workflow::{Cx, Record};
use std::collections::BTreeMap;

/// The tally as it is published. Names stand in it only where the ballot was open; ballots are sorted by
/// receipt code, so that their order says nothing of who answered when.
pub(super) fn record(poll: &Poll, verdict: Option<Verdict>, cx: &Cx<Policy>) -> Record {
    let open = poll.matter.secrecy == Secrecy::Open;
    let mut ballots: Vec<Cast> = poll
        .entries
        .iter()
        .filter_map(|(voter, entry)| match &entry.what {
            What::Voted { choice, code, .. } => {
                Some(Cast { code: code.clone(), choice: *choice, voter: open.then_some(*voter) })
            }
            What::Withdrawn | What::Recused => None,
        })
        .collect();
    ballots.sort_by(|a, b| a.code.cmp(&b.code));
    let names: BTreeMap<Party, String> = poll
        .electorate
        .iter()
        .filter_map(|party| Some((*party, cx.register.name(*party)?.to_owned())))
        .collect();
    let body = Body {
        case: cx.case.to_string(),
        frozen: setup::frozen(poll),
        electorate_hash: poll.hash.clone(),
        names,
        closed: cx.now,
        closes: poll.closes,
        ballots,
        counts: poll.counts(),
        verdict,
        earlier: poll
            .earlier
            .iter()
            .map(|round| {
                serde_json::json!({
                    "round": round.round, "opened": round.opened, "closed": round.closed,
                    "counts": round.counts, "verdict": round.verdict,
                })
            })
            .collect(),
        annulled: None,
    };
    publish(&body, cx)
}

/// The record of a ballot that was annulled: what was asked and why it does not count. No answers.
pub(super) fn annulled(poll: &Poll, reason: &str, cx: &Cx<Policy>) -> Record {
    let body = Body {
        case: cx.case.to_string(),
        frozen: setup::frozen(poll),
        electorate_hash: poll.hash.clone(),
        names: BTreeMap::new(),
        closed: cx.now,
        closes: poll.closes,
        ballots: Vec::new(),
        counts: Counts::default(),
        verdict: None,
        earlier: Vec::new(),
        annulled: Some(reason.to_owned()),
    };
    publish(&body, cx)
}

fn publish(body: &Body, cx: &Cx<Policy>) -> Record {
    Record {
        path: format!("{}s/{}.json", <Ballot as crate::kernel::workflow::Workflow>::KIND, cx.case),
        body: serde_json::to_value(body).unwrap_or_default(),
    }
}
