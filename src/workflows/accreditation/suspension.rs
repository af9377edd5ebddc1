//! Suspension (B): on the applicant's wish, for the region's Secretariat, or for members of the committee who need
//! information. Under the last two one notice says what is needed and that the application is suspended until it is
//! received; there is no way to send the one without the other.

use super::clock::Interval;
use super::{
    At, File, Ground, Next, OnNegativeAdvice, Running, Stage, Suspension, View, Wanted, days, deciding,
    mails, over,
};
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::Role;
use crate::kernel::said::Command;
use crate::kernel::workflow::{Asks, Audience, Effect, Notice, Refusal};
use crate::letters;
use crate::workflows::ballot::ParentSays;
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use std::collections::BTreeSet;

/// The label of the news that a member of the committee wants information.
pub(super) const WANTED: &str = "wanted";

/// The label of the notice about one suspension.
pub(super) fn label(number: u32) -> String {
    format!("suspension:{number}")
}

/// Which suspension a mail was about.
pub(super) fn number(label: &str) -> Option<u32> {
    label.strip_prefix("suspension:")?.parse().ok()
}

impl Suspension {
    pub(super) fn open(&self) -> bool {
        self.lifted.is_none()
    }

    /// The time the 90 days stood still for it; none before the applicant was told.
    pub(super) fn interval(&self) -> Option<Interval> {
        self.started.map(|from| Interval { from, to: self.lifted })
    }
}

/// What information is needed, and why it is essential.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Needed {
    pub information: String,
    pub why: String,
}

impl Needed {
    /// Reads it out of a reply: below the word, what is needed; the last paragraph, why.
    pub(super) fn of(text: &str) -> Option<Needed> {
        let own = |line: &&str| letters::line_command(line) != Some(Command::Suspend);
        let text: Vec<&str> = text.lines().filter(own).map(str::trim).collect();
        let text = text.join("\n");
        let (information, why) = text.trim().rsplit_once("\n\n")?;
        Needed::new(information, why)
    }

    pub(super) fn new(information: &str, why: &str) -> Option<Needed> {
        let cut = super::diligence::cut;
        let needed = Needed { information: cut(information), why: cut(why) };
        (!needed.information.is_empty() && !needed.why.is_empty()).then_some(needed)
    }
}

/// Who suspends, and who entered it.
pub(super) struct By {
    pub who: Party,
    pub entered_by: Option<PersonId>,
    pub at: DateTime<Utc>,
}

/// Steps 1 to 5 alone: where silence has decided already, there is nothing left to suspend.
pub(super) fn in_time(running: &Running, at: DateTime<Utc>, cx: &At) -> Result<(), Refusal> {
    let Stage::Window(window) = &running.stage else { return Ok(()) };
    let positive = running.file.advised().is_some_and(|advice| advice.view == View::Accredit);
    let decides = positive
        || matches!(
            cx.policy.on_negative_advice,
            OnNegativeAdvice::AccreditLiteral | OnNegativeAdvice::Refuse
        );
    let asked = !running.file.requests.is_empty() || !running.file.pending.is_empty();
    if !running.file.suspended() && decides && !asked && at >= over(window.timer.due) {
        return Err(mails::not_done(&running.file.name(), "suspend-late"));
    }
    Ok(())
}

/// Ground 1: no reason is needed.
pub(super) fn by_applicant(
    running: &mut Running,
    by: By,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    in_time(running, by.at, cx)?;
    if running.file.suspensions.iter().any(|one| one.open() && one.ground == Ground::Applicant) {
        return Err(mails::not_done(&running.file.name(), "suspended-already"));
    }
    let needed = Needed { information: String::new(), why: String::new() };
    start(running, Ground::Applicant, vec![by.who], needed, &by, out, cx);
    Ok(())
}

/// Ground 2: the Secretariat of the applicant's own region.
pub(super) fn by_secretariat(
    running: &mut Running,
    by: By,
    needed: Option<Needed>,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    in_time(running, by.at, cx)?;
    let needed = needed.ok_or_else(|| no_information(&running.file, cx))?;
    start(running, Ground::Secretariat, vec![by.who], needed, &by, out, cx);
    Ok(())
}

fn no_information(file: &File, cx: &At) -> Refusal {
    Refusal::new("accreditation/suspend-no-information", mails::facts(file, cx)).asking(Asks::Text)
}

/// Ground 3: members of the committee, two of them by default (ambiguity 13). What the first one needs is kept until
/// others share it.
pub(super) fn by_member(
    running: &mut Running,
    person: PersonId,
    by: By,
    needed: Option<Needed>,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    in_time(running, by.at, cx)?;
    let file = &mut running.file;
    // Who has left the committee meanwhile wants nothing any more.
    file.wanted.retain(|wanted| deciding::sits(wanted.by, by.at, cx));
    let others: BTreeSet<PersonId> = file.wanted.iter().map(|w| w.by).filter(|by| *by != person).collect();
    let needed = match needed {
        Some(needed) => Some(needed),
        None if others.is_empty() => return Err(no_information(file, cx)),
        None => None,
    };
    file.wanted.retain(|wanted| wanted.by != person);
    if let Some(Needed { information, why }) = needed {
        file.wanted.push(Wanted { by: person, information, why, at: by.at });
    }
    let members: BTreeSet<PersonId> = others.into_iter().chain([person]).collect();
    let least = usize::try_from(cx.policy.suspension_alac_min_members).unwrap_or(usize::MAX);
    if members.len() < least {
        let mut data = mails::facts(file, cx);
        data["by"] = json!(Party::Person(person));
        data["wanted"] = mails::wanted(file);
        data["least"] = json!(least);
        let committee = Audience::Role(Role::AlacMember, None);
        let notice = Notice::new(WANTED, committee, "accreditation/information-wanted", data);
        out.push(Effect::Tell(notice.asking(Asks::Text)));
        return Ok(());
    }
    let join = |part: fn(&Wanted) -> &str| file.wanted.iter().map(part).collect::<Vec<_>>().join("\n\n");
    let needed = Needed { information: join(|w| &w.information), why: join(|w| &w.why) };
    file.wanted.clear();
    let members = members.into_iter().map(Party::Person).collect();
    start(running, Ground::Alac, members, needed, &by, out, cx);
    Ok(())
}

fn start(
    running: &mut Running,
    ground: Ground,
    members: Vec<Party>,
    needed: Needed,
    by: &By,
    out: &mut Vec<Effect>,
    cx: &At,
) {
    let file = &mut running.file;
    let number = u32::try_from(file.suspensions.len()).unwrap_or(u32::MAX).saturating_add(1);
    let Needed { information, why } = needed;
    let suspension = Suspension {
        number,
        ground,
        by: members,
        entered_by: by.entered_by,
        information,
        why,
        asked: by.at,
        // The applicant knows of his own wish; under 2 and 3 he must be told first.
        started: (ground == Ground::Applicant).then_some(by.at),
        lifted: None,
    };
    let notice = notice(file, &suspension, cx);
    out.push(Effect::Tell(Notice { report_sent: ground != Ground::Applicant, ..notice }));
    out.push(Effect::Tell(mails::suspension_told(file, &suspension, &running.stage, cx)));
    if file.frozen.is_none() {
        file.frozen = Some(by.at);
        deciding::tell_ballot(&running.stage, ParentSays::Freeze, out);
    }
    file.alert_at = Some(cx.now + days(cx.policy.suspension_alert_days));
    file.suspensions.push(suspension);
    publish(running, out, cx);
}

/// What the applicant is told: under 2 and 3 the information and the suspension in one.
fn notice(file: &File, suspension: &Suspension, cx: &At) -> Notice {
    let template = match suspension.ground {
        Ground::Applicant => "accreditation/suspended-own",
        Ground::Secretariat | Ground::Alac => "accreditation/suspended",
    };
    let data = mails::suspension(file, suspension, cx);
    let notice = Notice::new(&label(suspension.number), file.applicant, template, data);
    file.addressed(notice.asking(Asks::Text))
}

/// The notice about a suspension once more, to the address that is tried next.
pub(super) fn again(file: &File, label: &str, cx: &At) -> Option<Notice> {
    let number = number(label)?;
    let suspension = file.suspensions.iter().find(|one| one.number == number && one.open())?;
    Some(Notice { report_sent: suspension.started.is_none(), ..notice(file, suspension, cx) })
}

/// A notice of suspension has left: from now on the 90 days stand still.
pub(super) fn told(file: &mut File, label: &str, at: DateTime<Utc>) {
    let Some(number) = number(label) else { return };
    let waits = |one: &Suspension| one.started.is_none() && one.lifted.is_none_or(|lifted| at <= lifted);
    let waiting = file.suspensions.iter_mut().find(|one| one.number == number && waits(one));
    if let Some(suspension) = waiting {
        suspension.started = Some(at);
    }
}

/// The applicant ends what he began, and that alone.
pub(super) fn resume(
    running: &mut Running,
    at: DateTime<Utc>,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let own = running.file.suspensions.iter().find(|one| one.open() && one.ground == Ground::Applicant);
    let Some(number) = own.map(|one| one.number) else {
        let open = running.file.suspended();
        let why = if open { "resume-not-yours" } else { "not-suspended" };
        return Err(mails::not_done(&running.file.name(), why).asking(Asks::Text));
    };
    lift(running, number, at, out, cx);
    Ok(())
}

/// Which suspension information ends: the one that was answered, or the only one that waits for some.
pub(super) fn waits_for_information(file: &File, label: &str) -> Option<u32> {
    let open: Vec<u32> = file
        .suspensions
        .iter()
        .filter(|one| one.open() && one.ground != Ground::Applicant)
        .map(|one| one.number)
        .collect();
    let answered = number(label).filter(|number| open.contains(number));
    match open.as_slice() {
        [only] if number(label).is_none() => Some(*only),
        _ => answered,
    }
}

/// Ends one suspension at the arrival of what ends it, however late it is read. With the last one clocks go on.
pub(super) fn lift(running: &mut Running, number: u32, at: DateTime<Utc>, out: &mut Vec<Effect>, cx: &At) {
    let file = &mut running.file;
    let Some(suspension) = file.suspensions.iter_mut().find(|one| one.number == number && one.open()) else {
        return;
    };
    suspension.lifted = Some(at.max(suspension.asked));
    out.push(Effect::Cancel(label(number)));
    if file.suspensions.iter().any(Suspension::open) {
        return;
    }
    let Some(since) = file.frozen.take() else { return };
    file.alert_at = None;
    let until = file.suspensions.iter().filter_map(|one| one.lifted).max().unwrap_or(at);
    running.stage.shift(since, until);
    deciding::tell_ballot(&running.stage, ParentSays::Thaw, out);
    let everybody = mails::lifted(&running.file, &running.stage, cx);
    out.extend(everybody.into_iter().map(Effect::Tell));
    publish(running, out, cx);
    deciding::requested(running, out, cx);
}

impl Stage {
    /// Moves what remains by the time clocks stood still.
    fn shift(&mut self, since: DateTime<Utc>, until: DateTime<Utc>) {
        let lasted = |since: DateTime<Utc>| (until - since).max(Duration::zero());
        match self {
            Stage::DueDiligence(timer) | Stage::RegionalReview(timer) => timer.shift(lasted(since)),
            Stage::AdviceDue(wait) => wait.timer.shift(lasted(since)),
            // Days that began while clocks stood still have lost only what stood still since.
            Stage::Window(window) => {
                window.timer.shift(lasted(since.max(window.given)));
                window.waiting = None;
            }
            Stage::Held { remind_at, .. } => *remind_at += lasted(since),
            Stage::Voting(voting) => voting.since += lasted(since),
            Stage::Telling(_) => {}
        }
    }
}

/// A suspension has lasted long: people are reminded; nothing is lifted or refused by it.
pub(super) fn alert(file: &mut File, out: &mut Vec<Effect>, cx: &At) -> Next {
    if file.alert_at.is_none_or(|at| at > cx.now) {
        return Next::Stay;
    }
    file.alert_at = Some(cx.now + days(cx.policy.suspension_alert_days));
    for suspension in file.suspensions.iter().filter(|one| one.open()) {
        out.push(Effect::Tell(notice(file, suspension, cx)));
    }
    let open = file.suspensions.iter().filter(|one| one.open() && one.ground != Ground::Applicant);
    for suspension in open {
        let to = mails::officers_and_secretariat(file, cx);
        let data = mails::suspension(file, suspension, cx);
        let alert = Notice::new("alert", Audience::Parties(to), "accreditation/suspension-long", data);
        out.push(Effect::Tell(alert));
    }
    Next::Stay
}

/// The public list says "suspended" without a reason, where it shows the application at all.
fn publish(running: &Running, out: &mut Vec<Effect>, cx: &At) {
    if running.file.released {
        let record = super::record::running(&running.file, running.stage.name(), cx);
        out.push(Effect::Publish(record));
    }
}
