//! What the platform does about confidences, so that no workflow has to: it refuses what may not be taken, and
//! answers whoever asks for the comments.

use super::draft::Draft;
use super::{CaseRow, Commit, Ending};
use crate::kernel::confidential::{Bar, Comment, Reading, may_read};
use crate::kernel::ids::Party;
use crate::kernel::workflow::{Class, Notice, Refusal};
use serde_json::{Value, json};

/// Comments in one mail.
const PER_MAIL: usize = 10;

/// Why a comment is not taken, found before the workflow is asked.
pub(super) fn barred(comment: &Comment, row: &CaseRow, titles: &Value) -> Option<Refusal> {
    let bar = comment.barred.or(row.confidences.over.then_some(Bar::Over))?;
    Some(comment.refusal(bar, titles, row.confidences.count))
}

impl Draft<'_> {
    /// The comments, shuffled and without times, to whoever may read them now; or why not.
    pub(super) fn read(self, reading: &Reading, row: CaseRow, titles: &Value) -> Commit {
        let held = &row.confidences;
        let entitled = |region| may_read(self.at.register, reading.by, region, self.at.now);
        let refusal = if !reading.sure {
            Some(Refusal::new("office/unsure", json!({})))
        } else if !held.region.is_some_and(entitled) {
            Some(Refusal::new("comment/not-yours", json!({ "title": titles })))
        } else {
            let gone = json!({ "title": titles, "count": held.count });
            held.over.then(|| Refusal::new("comment/gone", gone))
        };
        let to = Party::Person(reading.by);
        let unmoved = CaseRow { seq: self.seq, ..row.clone() };
        if let Some(refusal) = refusal {
            return self.refused(&refusal, unmoved, Some((to, "comments".to_owned())));
        }
        let listed = held.shuffled(&reading.nonce);
        let mut commit = self.commit(unmoved, Ending::Acted, "acted".to_owned(), None);
        let mut parts: Vec<_> = listed.chunks(PER_MAIL).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        for (n, part) in parts.iter().enumerate() {
            let several =
                if parts.len() > 1 { vec![json!({ "n": n + 1, "of": parts.len() })] } else { vec![] };
            let data = json!({ "title": titles, "count": held.count, "part": several, "comments": part });
            let notice =
                Notice { class: Class::Confidential, ..Notice::new("comments", to, "comment/list", data) };
            self.tell(notice, &mut commit);
        }
        commit
    }
}
