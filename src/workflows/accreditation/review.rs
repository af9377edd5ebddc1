//! Step 3: the members of the applicant's region look at the application and comment in confidence. What they say
//! never comes here: a comment is sealed before any step, and this keeps how many there were.

use super::{AdviceDue, At, File, Running, Stage, Timer, advice, days, mails};
use crate::kernel::confidential::{self, Comment};
use crate::kernel::ids::Party;
use crate::kernel::people::{Person, Region, Role};
use crate::kernel::register::Register;
use crate::kernel::workflow::{Asks, Audience, Effect, Notice, Refusal};
use chrono::{DateTime, Utc};

/// The label of invitations to comment.
pub(super) const LABEL: &str = "invitation";
/// The label of what the committee gets to read.
pub(super) const DOSSIER: &str = "dossier";

/// The then-current members of a region's organisation: each structure through its representatives, and individual
/// members where it has them.
pub(super) fn members(register: &Register, region: Region, at: DateTime<Utc>) -> Vec<Party> {
    let member = |person: &&Person| confidential::is_member(register, person.id, region, at);
    register.people().filter(member).map(|person| Party::Person(person.id)).collect()
}

fn invitation(file: &File, region: Region, due: DateTime<Utc>, template: &'static str, cx: &At) -> Notice {
    let to = Audience::Parties(members(cx.register, region, cx.now));
    let notice = Notice::new(LABEL, to, template, mails::dossier(file, due, cx));
    notice.asking(Asks::Comment(region)).not_after(due)
}

/// The members are asked, the committee is told that it may read along.
pub(super) fn invite(file: &File, region: Region, due: DateTime<Utc>, out: &mut Vec<Effect>, cx: &At) {
    out.push(Effect::Tell(invitation(file, region, due, "accreditation/invitation", cx)));
    let committee = Audience::Role(Role::AlacMember, None);
    let dossier = Notice::new(DOSSIER, committee, "accreditation/dossier", mails::dossier(file, due, cx));
    out.push(Effect::Tell(dossier.asking(Asks::Text)));
    out.push(Effect::Tell(mails::progress(file, "in-review", Some(due), cx)));
}

/// Counts a comment, and thanks for it without a word of it. Its day of arrival is known and no finer time; that it was
/// read before the clock struck says the rest.
pub(super) fn comment(
    running: &mut Running,
    comment: &Comment,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let open = match &running.stage {
        // While the application rests, so does the end of the comments.
        Stage::RegionalReview(timer) => running.file.suspended() || comment.arrived <= timer.due,
        _ => false,
    };
    if !open || running.file.region != Some(comment.region) {
        return Err(mails::not_done(&running.file.name(), "comment-closed"));
    }
    running.file.comments += 1;
    let titles = mails::titles(&running.file.name());
    out.push(Effect::Tell(comment.receipt(titles)));
    Ok(())
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
