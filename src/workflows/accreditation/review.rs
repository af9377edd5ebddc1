//! Step 3: the members of the applicant's region look at the application and comment in confidence. What they say
//! never comes here: a comment is sealed before any step, and this keeps how many there were.

use super::{AdviceDue, At, File, Running, Stage, Timer, advice, days, mails};
use crate::kernel::confidential::Comment;
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::{OrganisationKind, Region, Role};
use crate::kernel::register::Register;
use crate::kernel::workflow::{Asks, Audience, Effect, Notice, Refusal};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// The label of invitations to comment.
pub(super) const LABEL: &str = "invitation";
/// The label of what the committee gets to read.
pub(super) const DOSSIER: &str = "dossier";

/// The then-current members of a region's organisation: each structure through its representatives.
pub(super) fn members(register: &Register, region: Region) -> Vec<Party> {
    let structures = register
        .organisations()
        .filter(|organisation| organisation.kind == OrganisationKind::Als && organisation.region == region);
    let people: BTreeSet<PersonId> =
        structures.flat_map(|organisation| organisation.representatives.iter().copied()).collect();
    people.into_iter().filter(|id| register.person(*id).is_some()).map(Party::Person).collect()
}

fn invitation(file: &File, region: Region, due: DateTime<Utc>, template: &'static str, cx: &At) -> Notice {
    let to = Audience::Parties(members(cx.register, region));
    let notice = Notice::new(LABEL, to, template, mails::dossier(file, due, cx));
    notice.asking(Asks::Comment(region)).not_after(due)
}

/// A member commented: it is counted, and its author thanked. Once the review has ended it comes too late, however
/// long the rest takes.
pub(super) fn comment(
    running: &mut Running,
    comment: &Comment,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let titles = super::titles(&running.file.name());
    if !matches!(running.stage, Stage::RegionalReview(_)) {
        return Err(comment.too_late(&titles, running.file.comments.into()));
    }
    running.file.comments += 1;
    out.push(Effect::Tell(comment.receipt(titles)));
    Ok(())
}

/// The members are asked, the committee is told that it may read along.
pub(super) fn invite(file: &File, region: Region, due: DateTime<Utc>, out: &mut Vec<Effect>, cx: &At) {
    out.push(Effect::Tell(invitation(file, region, due, "accreditation/invitation", cx)));
    let committee = Audience::Role(Role::AlacMember, None);
    let dossier = Notice::new(DOSSIER, committee, "accreditation/dossier", mails::dossier(file, due, cx));
    out.push(Effect::Tell(dossier.asking(Asks::Text)));
    out.push(Effect::Tell(mails::progress(file, "in-review", Some(due), cx)));
}

/// Reminds, or ends the review and asks the Secretariat.
pub(super) fn wake(running: &mut Running, out: &mut Vec<Effect>, cx: &At) {
    let Stage::RegionalReview(timer) = &mut running.stage else { return };
    let due = timer.due;
    let reminds = timer.reminders.climb(cx.now);
    if super::over(due) > cx.now {
        if let Some(region) = running.file.region.filter(|_| reminds) {
            let notice = invitation(&running.file, region, due, "accreditation/review-reminder", cx);
            out.push(Effect::Cancel(LABEL.to_owned()));
            out.push(Effect::Tell(notice));
        }
        return;
    }
    out.push(Effect::Cancel(LABEL.to_owned()));
    let due = cx.now + days(cx.policy.advice_days);
    out.push(Effect::Task(advice::task(&running.file, due, cx)));
    running.stage = Stage::AdviceDue(AdviceDue { timer: Timer::new(due, &[], cx.now), overdue: false });
}
