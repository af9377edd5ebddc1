//! Who makes a decision public (P): a person. Staff are shown what everybody would see and release it by reply or at
//! the keyboard; what has been released changes only in another dated version, which says why.

use super::{At, Decided, Version, application, mails, record};
use crate::kernel::ids::PersonId;
use crate::kernel::people::Role;
use crate::kernel::workflow::{Asks, Audience, Effect, Notice, Refusal, Reply, Task};
use crate::letters::acts::{self, Act};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

pub(super) const LABEL: &str = "release";
/// Characters of a reason; it is public.
const REASON: usize = 500;

/// What everybody would see, and why staff are asked.
fn data(decided: &Decided, change: &str, cx: &At) -> Value {
    let mut data = mails::decided(decided, cx);
    let file = &decided.file;
    data["change"] = json!(change);
    data["answers"] = json!(mails::public_answers(file));
    let left_out = record::withheld(file);
    let label = |id: &&str| Some(application::form().field(id)?.1.label.clone());
    data["withheld"] = json!(left_out.iter().filter_map(label).collect::<Vec<_>>());
    let name = file.name().to_lowercase();
    let same = |one: &crate::kernel::people::Organisation| {
        one.name.to_lowercase() == name && Some(one.id) != decided.organisation
    };
    data["known"] = json!(cx.register.organisations().any(same));
    data["record"] = json!(format!("applications/{}.json", cx.case));
    data
}

/// Asks staff to look and release; `change` says what has changed since it was released.
pub(super) fn ask(decided: &Decided, change: &str, cx: &At) -> Effect {
    let staff = Audience::Role(Role::Staff, None);
    let notice = Notice::new(LABEL, staff, "accreditation/release", data(decided, change, cx));
    Effect::Task(Task::new(notice.asking(Asks::Text), None))
}

/// Staff's reply: PUBLISH, with the reason behind a colon where it changes what is public.
pub(super) fn reply(
    decided: &mut Decided,
    by: PersonId,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let (lines, _) = acts::lines(&reply.said.text);
    let Some(line) = lines.iter().find(|line| line.act == Act::Release && line.item.is_none()) else {
        return Err(not_released(decided, "release-unclear"));
    };
    release(decided, by, reply.arrived, line.note, out, cx)?;
    let released = Notice::new(LABEL, reply.from, "accreditation/released", data(decided, "", cx));
    out.push(Effect::Tell(released.asking(Asks::Text)));
    Ok(())
}

/// Why nothing was released; answering the refusal mends it.
fn not_released(decided: &Decided, why: &str) -> Refusal {
    mails::not_done(&decided.file.name(), why).asking(Asks::Text).about(LABEL.to_owned())
}

/// Makes what is known now public, as a version of its own.
pub(super) fn release(
    decided: &mut Decided,
    by: PersonId,
    at: DateTime<Utc>,
    reason: &str,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let reason: Vec<&str> = reason.split_whitespace().collect();
    let reason: String = reason.join(" ").chars().take(REASON).collect();
    if !decided.versions.is_empty() && reason.is_empty() {
        return Err(not_released(decided, "release-why"));
    }
    if record::personal(&reason) {
        return Err(not_released(decided, "release-personal"));
    }
    decided.file.released = true;
    decided.versions.push(Version { at, by, reason });
    out.push(Effect::Cancel(LABEL.to_owned()));
    out.push(Effect::Publish(record::decided(decided, cx)));
    Ok(())
}

/// Takes the answer to a question out of what is public.
pub(super) fn withhold(
    decided: &mut Decided,
    by: PersonId,
    at: DateTime<Utc>,
    (field, reason): (&str, &str),
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    if record::public(&decided.file, field).is_none() {
        let why = format!("{field:?} is no answer that is public; look at the names in the record");
        return Err(Refusal::new("accreditation/unreadable", json!({ "why": why })));
    }
    let before = decided.file.withheld.clone();
    decided.file.withheld.insert(field.to_owned());
    // Before the first release nothing changes for anybody.
    if decided.versions.is_empty() {
        return Ok(());
    }
    let released = release(decided, by, at, reason, out, cx);
    if released.is_err() {
        decided.file.withheld = before;
    }
    released
}
