//! Step 4: the region's Secretariat gives its view of the comments as advice: ACCREDIT, NOT ACCREDIT, or that there is
//! none. Silence is reminded of; only staff can let the advice lapse.

use super::{Advice, AdviceDue, At, File, Running, Stage, Telling, View, days, mails};
use crate::kernel::ids::{Party, PersonId};
use crate::kernel::people::Role;
use crate::kernel::workflow::{Asks, Audience, Effect, Notice, Refusal, Task};
use crate::letters::acts::{self, Act};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) const LABEL: &str = "advice";
pub(super) const OVERDUE: &str = "advice-overdue";

/// What a reply of the Secretariat says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub views: BTreeSet<View>,
    pub elsewhere: bool,
    pub reasons: String,
}

impl Said {
    /// Reads the words out of a reply. What stands below them are reasons.
    pub(super) fn of(text: &str) -> Said {
        let mut said = Said { views: BTreeSet::new(), elsewhere: false, reasons: String::new() };
        let mut reasons: Vec<&str> = Vec::new();
        for written in text.lines().take(500) {
            let Some(line) = acts::line(written) else {
                reasons.push(written);
                continue;
            };
            match view(line.act) {
                // "Accredit, if they answer" is no advice.
                Some(view) if line.note.is_empty() && line.item.is_none() => {
                    said.views.insert(view);
                }
                _ if line.act == Act::Elsewhere => {
                    said.elsewhere = true;
                    reasons.push(line.note);
                }
                // "Done: they have answered" is a reason, whatever the word says elsewhere.
                _ => reasons.push(written),
            }
        }
        said.reasons = super::diligence::cut(&reasons.join("\n"));
        said
    }
}

fn view(act: Act) -> Option<View> {
    match act {
        Act::Accredit => Some(View::Accredit),
        Act::NotAccredit => Some(View::NotAccredit),
        Act::NoAdvice => Some(View::NoAdvice),
        _ => None,
    }
}

/// Asks the Secretariat; the region's Chair deputises.
pub(super) fn task(file: &File, due: DateTime<Utc>, cx: &At) -> Task {
    let mut data = mails::facts(file, cx);
    data["due"] = json!(due);
    data["comments"] = json!(file.comments);
    let to = Audience::Role(Role::RaloSecretariat, file.region);
    Task::new(Notice::new(LABEL, to, "accreditation/advice", data).asking(Asks::Text), Some(due))
}

/// The time for advice is over: the Secretariat is reminded, staff are asked whether it has lapsed. No jump.
pub(super) fn wake(file: &File, wait: &mut AdviceDue, out: &mut Vec<Effect>, cx: &At) {
    if super::over(wait.timer.due) > cx.now {
        return;
    }
    out.push(Effect::Cancel(LABEL.to_owned()));
    out.push(Effect::Task(task(file, wait.timer.due, cx)));
    let data = mails::facts(file, cx);
    let to = Audience::Parties(mails::officers(cx));
    let overdue = Notice::new(OVERDUE, to, "accreditation/advice-overdue", data).asking(Asks::Decision);
    out.push(Effect::Cancel(OVERDUE.to_owned()));
    out.push(Effect::Task(Task::new(overdue, None)));
    wait.overdue = true;
    wait.timer.due = cx.now + days(cx.policy.overdue_reminder_days);
}

/// Who gives advice, and who entered it.
pub(super) struct Adviser {
    pub by: PersonId,
    pub entered_by: Option<PersonId>,
}

/// Takes advice: once the review is over, and again as a correction until a vote has opened.
pub(super) fn take(
    running: &mut Running,
    adviser: &Adviser,
    said: &Said,
    at: DateTime<Utc>,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let file = &running.file;
    let about = |problem: &str| {
        let data = json!({ "applicant": file.name(), "problem": problem });
        Refusal::new("accreditation/advice-not-taken", data).asking(Asks::Text).about(LABEL.to_owned())
    };
    match running.stage {
        Stage::DueDiligence(_) | Stage::RegionalReview(_) => {
            return Err(mails::not_done(&file.name(), "advice-early"));
        }
        Stage::Voting(_) => return Err(mails::not_done(&file.name(), "advice-late")),
        Stage::AdviceDue(_) | Stage::Telling(_) | Stage::Window(_) | Stage::Held { .. } => {}
    }
    if file.suspended() {
        return Err(mails::not_done(&file.name(), "suspended-now"));
    }
    let mut views = said.views.iter();
    let (Some(view), None) = (views.next().copied(), views.next()) else {
        return Err(about("unclear"));
    };
    let offline = said.elsewhere && cx.policy.accept_offline_comments;
    if view == View::NoAdvice && file.comments > 0 && !cx.policy.allow_no_advice_with_comments {
        return Err(about("comments"));
    }
    if view != View::NoAdvice && file.comments == 0 && !offline {
        return Err(about("no-comments"));
    }
    let before = file.advised().filter(|before| before.by != adviser.by && !before.lapsed);
    if let Some(before) = before {
        let mut data = mails::facts(file, cx);
        data["advice"] = json!(view);
        data["by"] = json!(Party::Person(adviser.by));
        let told =
            Notice::new("advice-replaced", Party::Person(before.by), "accreditation/advice-replaced", data);
        out.push(Effect::Tell(told.asking(Asks::Text)));
    }
    let advice = Advice {
        view,
        reasons: said.reasons.clone(),
        elsewhere: said.elsewhere,
        by: adviser.by,
        entered_by: adviser.entered_by,
        lapsed: false,
        at,
    };
    give(running, advice, out, cx);
    Ok(())
}

/// Staff record that no advice was given in its time (ambiguity 25).
pub(super) fn lapse(
    running: &mut Running,
    by: PersonId,
    at: DateTime<Utc>,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let over = matches!(&running.stage, Stage::AdviceDue(wait) if wait.overdue || wait.timer.due < at);
    if !over || running.file.suspended() {
        return Err(mails::not_done(&running.file.name(), "advice-not-overdue"));
    }
    let advice = Advice {
        view: View::NoAdvice,
        reasons: String::new(),
        elsewhere: false,
        by,
        entered_by: None,
        lapsed: true,
        at,
    };
    give(running, advice, out, cx);
    Ok(())
}

/// Advice is in force: without any a vote is compulsory, with some every member of the committee is told.
fn give(running: &mut Running, advice: Advice, out: &mut Vec<Effect>, cx: &At) {
    let view = advice.view;
    out.extend(labels(&running.file).map(Effect::Cancel));
    running.file.advice.push(advice);
    if view == View::NoAdvice {
        super::deciding::vote_without_advice(running, out, cx);
        return;
    }
    let members: Vec<Party> =
        cx.register.holders(Role::AlacMember, None, cx.now).into_iter().map(Party::Person).collect();
    let data = mails::window(&running.file, cx);
    let notice = Notice::new(
        &window_label(&running.file),
        Audience::Parties(members.clone()),
        "accreditation/window",
        data,
    );
    out.push(Effect::Tell(Notice { report_sent: true, ..notice.asking(Asks::Text) }));
    let telling = Telling { awaiting: members.into_iter().collect(), latest: None };
    running.stage = Stage::Telling(telling);
    super::deciding::nobody_to_tell(running, out, cx);
}

/// The label under which the advice in force goes out.
pub(super) fn window_label(file: &File) -> String {
    format!("window:{}", file.advice.len())
}

/// What is asked about advice, in force or not.
fn labels(file: &File) -> impl Iterator<Item = String> {
    [LABEL.to_owned(), OVERDUE.to_owned(), window_label(file), "held".to_owned(), "held-task".to_owned()]
        .into_iter()
}

/// Thanks for advice, with what follows.
pub(super) fn thanks(file: &File, to: Party, cx: &At) -> Notice {
    let mut data = mails::facts(file, cx);
    data["advice"] = file.advised().map_or(Value::Null, |advice| json!(advice.view));
    Notice::new("advice-taken", to, "accreditation/advice-taken", data).asking(Asks::Text)
}
