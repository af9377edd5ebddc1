//! What comes attached to an application is kept with it (A.1), and shown to those who examine, review and decide. A
//! proof of who the group's members are is for staff alone, and destroyed once its conclusion is recorded (A.3).

use super::diligence;
use super::{Accreditation, At, File, Running, Stage, mails, orders};
use crate::kernel::assurance::Level;
use crate::kernel::documents::{Document, Filed, Shelf};
use crate::kernel::people::Role;
use crate::kernel::workflow::{Asks, Audience, Effect, Notice, Order, Refusal, Reply};
use chrono::{DateTime, Utc};
use serde_json::json;

/// Staff answer a list of documents as they answer information: with what they record.
const LABEL: &str = "information";
/// The letter of the task whose conclusion ends the proofs: the identity of constituents.
pub(super) const IDENTITY: char = 'f';

/// Who may see what is kept of an application, as it stands.
pub(super) fn shelf(application: &Accreditation) -> Option<Shelf<'_>> {
    match application {
        Accreditation::Drafting(drafting) => Some(Shelf {
            folder: &drafting.documents,
            region: None,
            reviewed: false,
            over: true,
            label: LABEL,
        }),
        Accreditation::Running(running) => {
            let reviewed = !matches!(running.stage, Stage::DueDiligence(_));
            let (folder, region) = (&running.file.documents, running.file.region);
            Some(Shelf { folder, region, reviewed, over: false, label: LABEL })
        }
        Accreditation::Decided(decided) => {
            let (folder, region) = (&decided.file.documents, decided.file.region);
            Some(Shelf { folder, region, reviewed: true, over: true, label: LABEL })
        }
        Accreditation::Withdrawn(_) => None,
    }
}

/// What came with a reply from the applicant's own address. From anybody else who has a mail of hers it is not kept.
pub(super) fn own(reply: &Reply) -> Vec<Document> {
    if reply.assurance.level() >= Level::TokenAndAddress { reply.documents() } else { Vec::new() }
}

/// Keeps what came with a reply of the applicant's, and tells staff of it.
pub(super) fn take(file: &mut File, reply: &Reply, out: &mut Vec<Effect>, cx: &At) {
    let new = file.documents.take(&own(reply), reply.arrived);
    out.extend(arrived(file, &new, cx));
}

/// The mail by which staff learn which documents there are now.
pub(super) fn arrived(file: &File, new: &[u32], cx: &At) -> Option<Effect> {
    if new.is_empty() {
        return None;
    }
    let of = |filed: &&Filed| new.contains(&filed.number);
    let line = |filed: &Filed| {
        let document = filed.document.as_ref()?;
        Some(json!({
            "number": filed.number.to_string(), "name": document.name,
            "kilobytes": document.size.div_ceil(1024), "harmless": document.harmless,
        }))
    };
    let listed: Vec<_> = file.documents.filed().iter().filter(of).filter_map(line).collect();
    let mut data = mails::facts(file, cx);
    data["documents"] = json!(listed);
    let staff = Audience::Role(Role::Staff, None);
    let notice = Notice::new(LABEL, staff, "accreditation/documents", data);
    Some(Effect::Tell(notice.asking(Asks::Text)))
}

/// Staff say that a document proves who somebody is. Where the conclusion is recorded already, it goes at once.
pub(super) fn proof(running: &mut Running, number: u32, at: DateTime<Utc>) -> Result<(), Refusal> {
    let file = &mut running.file;
    if !file.documents.mark(number) {
        return Err(mails::not_done(&file.name(), "no-document"));
    }
    if file.diligence.tasks.contains_key(&IDENTITY) {
        concluded(file, at);
    }
    Ok(())
}

/// Staff save the document of this number, if there is one: the journal keeps who did.
pub(super) fn saved(file: &File, order: &Order) -> Result<(), Refusal> {
    let orders::Numbered { number } = orders::arguments(order)?;
    let of = |filed: &&Filed| filed.number.to_string() == *number && filed.document.is_some();
    let found = file.documents.filed().iter().find(of);
    found.map(|_| ()).ok_or_else(|| mails::not_done(&file.name(), "no-document"))
}

/// A task of due diligence has its conclusion; that of the identity ends the proofs.
pub(super) fn after(task: char, file: &mut File, at: DateTime<Utc>) {
    debug_assert!(diligence::TASKS.contains(&task));
    if task == IDENTITY {
        concluded(file, at);
    }
}

/// No proof is needed any more.
pub(super) fn concluded(file: &mut File, at: DateTime<Utc>) {
    file.documents.destroy_proofs(at);
}
