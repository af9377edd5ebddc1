//! The checkers: after each turn what must always hold, at the end what must have come of everything.

use super::model::Evidence;
use super::post::lock;
use super::world::{SETTLE, World};
use crate::advance::CaseRow;
use crate::kernel::ids::{CaseId, Party};
use crate::kernel::tally::{self, Body, FORMAT, Tally};
use crate::ports::store::{NoticeRow, Publication, Store, chain};
use crate::replay::replay;
use chrono::Duration;
use data_encoding::HEXLOWER;
use std::collections::{BTreeMap, BTreeSet};

/// No run tells more than so many wrongs.
const TOLD: usize = 12;
/// A clock of an application that goes on strikes within so long.
const SOON: Duration = Duration::days(60);

/// The books balance, and nothing that is due is left.
pub async fn after_a_turn(world: &mut World) {
    let Ok(books) = world.store.books().await else { return };
    if !books.balance() {
        world.report.unbalanced += 1;
        world.wrong.push(format!("the books do not balance: {books:?}"));
    }
    let put = lock(&world.post).put;
    if books.received < put {
        world.report.lost += put - books.received;
        world.wrong.push(format!("{put} mails came, {} are in the record", books.received));
    }
    if books.received > put {
        world.report.doubled += books.received - put;
        world.wrong.push(format!("{put} mails came, {} are in the record", books.received));
    }
    if books.waiting > 0 {
        nothing_waits(world).await;
    }
}

/// A letter may wait for another try after a fault, and for nothing else.
async fn nothing_waits(world: &mut World) {
    let due = world.store.next_event().await.ok().flatten();
    if due.is_none_or(|due| due > world.now + SETTLE) {
        world.wrong.push("mail waits though nothing is to come".to_owned());
    }
}

/// Everything that must have come of a story.
pub async fn at_the_end(world: &mut World) {
    let notices = world.store.notices(None).await.unwrap_or_default();
    let journal = world.store.journal(None).await.unwrap_or_default();
    let letters = world.store.letters();
    let minter = world.keys.minter(1);
    for notice in &notices {
        let token = minter.mint(notice.row.id).unwrap_or_default();
        let sent = lock(&world.post).has_sent(&token);
        match notice.status.as_str() {
            "sent" if !sent => world.wrong.push(format!("{} is booked as sent and was not", notice.row.id)),
            "sent" | "lapsed" | "failed" => {}
            other => world.wrong.push(format!("{} of {} is {other}", notice.row.id, notice.row.template)),
        }
    }
    match chain::verify_chain(&journal) {
        Ok(head) if world.store.journal_head().await.is_ok_and(|of| of == head) => {}
        Ok(_) => world.wrong.push("the head of the journal is not its last row".to_owned()),
        Err(broken) => world.wrong.push(broken.to_string()),
    }
    world.report.steps = journal.len() as u64;
    let (books, recounted) = (world.store.books().await.unwrap_or_default(), world.store.recounted());
    if books != recounted {
        world.report.unbalanced += 1;
        world.wrong.push(format!("the books say {books:?}, the mails {recounted:?}"));
    }
    let ended_well = world.wrong.is_empty();
    let evidence = Evidence::new(notices, journal, &letters, &minter, &world.model);
    world.report.doubled += evidence.doubled.len() as u64;
    world.wrong.extend(evidence.doubled.iter().cloned());
    world.wrong.extend(world.model.unheard(&evidence));
    tallies(world, &evidence).await;
    super::applications::audit(world, &evidence).await;
    voters(world, &evidence);
    cases(world, ended_well).await;
    sum_up(world);
}

/// Every tally recounts, and says what was meant.
async fn tallies(world: &mut World, evidence: &Evidence) {
    for publication in world.store.publications(0).await.unwrap_or_default() {
        if !publication.record.path.starts_with("ballots/") {
            continue;
        }
        world.report.tallies += 1;
        let body: Body = match serde_json::from_value(publication.record.body.clone()) {
            Ok(body) => body,
            Err(error) => {
                world.wrong.push(format!("{}: {error}", publication.record.path));
                continue;
            }
        };
        let text = serde_json::to_string(&signed(world, body.clone(), &publication)).unwrap_or_default();
        let recounted = tally::recount(&text, Some(&world.keys.fingerprint()));
        let findings = recounted.map(|(_, findings)| findings).unwrap_or_default();
        if findings.is_empty() {
            world.wrong.push(format!("{}: it is no tally", publication.record.path));
        }
        for finding in findings.iter().filter(|finding| !finding.holds) {
            world
                .wrong
                .push(format!("{}: it does not hold that {}", publication.record.path, finding.checked));
        }
        world.wrong.extend(world.model.disagrees(&body, &publication.journal_head, evidence));
    }
}

fn signed(world: &World, body: Body, publication: &Publication) -> Tally {
    let public_key = HEXLOWER.encode(world.keys.public_key());
    let signature = world.keys.sign(&tally::signed_bytes(&body, &publication.journal_head, &public_key));
    Tally {
        format: FORMAT.to_owned(),
        body,
        journal_head: publication.journal_head.clone(),
        public_key,
        signature: HEXLOWER.encode(&signature),
    }
}

/// Replay gives the stored state; a live case has a clock or waits for somebody.
async fn cases(world: &mut World, ended_well: bool) {
    let waits: Vec<_> = world.store.tasks().await.unwrap_or_default();
    let cases = world.store.cases().await.unwrap_or_default();
    for case in &cases {
        match replay(&world.store, case.id).await {
            Ok(replayed) if replayed.mismatch.is_none() && replayed.state == case.state => {}
            Ok(replayed) => {
                world.report.replay_mismatches += 1;
                let what = replayed.mismatch.unwrap_or_else(|| format!("{} comes out otherwise", case.id));
                world.wrong.push(what);
            }
            Err(fault) => world.wrong.push(fault.to_string()),
        }
        if !ended_well || over(case) {
            continue;
        }
        let asked = |id: CaseId| waits.iter().any(|open| open.task.case == id && !open.task.to.is_empty());
        let child = cases.iter().any(|other| other.parent == Some(case.id) && !over(other));
        let of = cases.iter().find(|other| Some(other.id) == case.parent);
        // The vote on an application that was taken back waits for staff, who were told so, to annul it.
        let rests = of.is_some_and(|of| matches!(of.phase.as_str(), "suspended" | "withdrawn"));
        if case.wake_at.is_none() && !asked(case.id) && !child && !rests {
            world.wrong.push(format!("{} is {} for ever: no clock, nobody asked", case.id, case.phase));
        }
        if case.kind == "ballot" && of.is_none_or(|of| of.kind != "accreditation") {
            world.wrong.push(format!("{} is still {} long after the end", case.id, case.phase));
        }
        // Reminded for ever is not enough: an application waits for its applicant, or for somebody who was asked.
        let rests = matches!(case.phase.as_str(), "suspended" | "drafting");
        let goes_on = case.wake_at.is_some_and(|at| at > world.now && at < world.now + SOON);
        if case.kind == "accreditation" && !rests && !asked(case.id) && !child && !goes_on {
            world.wrong.push(format!("{} is {} and waits for nobody", case.id, case.phase));
        }
    }
}

/// Whether nothing more is to come of a case.
fn over(case: &CaseRow) -> bool {
    let phases =
        ["closed", "annulled", "answered", "refused", "staffed", "notified", "review-requested", "withdrawn"];
    phases.contains(&case.phase.as_str())
}

/// The mails of a ballot that its voters did not ask for.
fn voters(world: &mut World, evidence: &Evidence) {
    for notices in evidence.notices.values() {
        let mut mails: BTreeMap<Party, u64> = BTreeMap::new();
        let unasked = |notice: &&NoticeRow| {
            notice.row.template.starts_with("ballot/")
                && notice.row.answers.is_none()
                && notice.sent_at.is_some()
        };
        let voter = |notice: &NoticeRow| matches!(notice.row.template.as_str(), "ballot/ballot");
        for notice in notices.iter().filter(unasked) {
            *mails.entry(notice.row.to).or_default() += 1;
        }
        let electors = notices.iter().filter(|notice| voter(notice)).map(|notice| notice.row.to);
        for elector in electors.collect::<BTreeSet<_>>() {
            world.report.burden.mailed(mails.get(&elector).copied().unwrap_or(0));
        }
    }
}

fn sum_up(world: &mut World) {
    let post = lock(&world.post);
    world.report.letters = post.put;
    world.report.notices = post.sent();
    world.report.duplicates = post.duplicates;
    world.wrong.extend(post.wrong.iter().cloned());
    drop(post);
    world.report.faults = world.faults.total();
    let counts = world.faults.counts();
    world.report.faults_by_kind = counts.into_iter().map(|(kind, n)| (format!("{kind:?}"), n)).collect();
    let years = u64::from(world.plan.years.max(1));
    for member in &world.village.members {
        if let Some(villager) = world.village.people.get(member) {
            world.report.burden.add(villager.mails / years, villager.owed / years);
        }
    }
    let more = world.wrong.len().saturating_sub(TOLD);
    world.report.wrong = world.wrong.len() as u64;
    world.wrong.truncate(TOLD);
    if more > 0 {
        world.wrong.push(format!("and {more} more"));
    }
}
