//! What the platform does about documents, so that no workflow has to: what a step does not keep is thrown away, what a
//! case holds no more is destroyed, and whoever may see the rest gets it.

use super::draft::Draft;
use super::{CaseRow, Commit, Ending};
use crate::kernel::confidential::Reading;
use crate::kernel::documents::{Document, Filed, Sees, Shelf, sees};
use crate::kernel::ids::Party;
use crate::kernel::workflow::{Asks, Class, Input, Notice, Refusal, documents_in};
use crate::workflows::Case;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Bytes of documents in one mail; one that is larger travels alone.
const PER_MAIL: u64 = 5 << 20;
/// Bytes of a document that goes by mail at all.
const BY_MAIL: u64 = 10 << 20;
/// Documents in one mail.
const MOST: usize = 20;

/// The documents of a step before it is taken.
#[derive(Debug, Default)]
pub(super) struct Came {
    /// Those that the case held.
    before: BTreeSet<String>,
    /// Those that came with this letter.
    new: BTreeSet<String>,
}

impl Came {
    /// With what opens a matter.
    pub(super) fn with(body: &Value) -> Came {
        let new = documents_in(body).iter().map(|document| document.handle.to_string()).collect();
        Came { new, ..Came::default() }
    }

    /// To a case that is open.
    pub(super) fn to(case: &Case, input: &Input) -> Came {
        let before = case.shelf().map(|shelf| shelf.folder.handles()).unwrap_or_default();
        match input {
            Input::Reply(reply) => Came { before, ..Came::with(&reply.desk) },
            _ => Came { before, ..Came::default() },
        }
    }

    pub(super) fn handles(self) -> BTreeSet<String> {
        self.new
    }

    /// What is not kept now, and was not handed on, goes.
    pub(super) fn settle(&self, held: &BTreeSet<String>, commit: &mut Commit) {
        if !self.new.is_subset(held) {
            let handed_on = json!(commit.letters).to_string();
            let gone =
                self.new.iter().filter(|handle| !held.contains(*handle) && !handed_on.contains(*handle));
            commit.forget.extend(gone.cloned());
        }
        commit.destroy.extend(self.before.difference(held).cloned());
        if !commit.destroy.is_empty() {
            let count = commit.destroy.len();
            commit.journal.outcome = format!("{}; documents destroyed: {count}", commit.journal.outcome);
        }
    }
}

impl Draft<'_> {
    /// The list of documents and themselves, to whoever may see them now; or why not.
    pub(super) fn hand_out(self, reading: &Reading, row: CaseRow, case: &Case) -> Commit {
        let to = Party::Person(reading.by);
        let unmoved = CaseRow { seq: self.seq, ..row };
        let number = self.at.case.to_string();
        let seen = |shelf: &Shelf<'_>| sees(shelf, self.at.register, reading.by, self.at.now);
        let shelf = case.shelf().filter(|shelf| seen(shelf) > Sees::Nothing);
        let refusal = match &shelf {
            _ if !reading.sure => Some(Refusal::new("office/unsure", json!({}))),
            // Whoever may not see them does not learn what the matter is either.
            None => Some(Refusal::new("documents/not-yours", json!({ "case": number }))),
            Some(shelf) => shown(shelf, seen(shelf))
                .is_empty()
                .then(|| Refusal::new("documents/none", json!({ "title": case.titles(), "case": number }))),
        };
        let (Some(shelf), None) = (&shelf, &refusal) else {
            let refusal = refusal.unwrap_or_else(|| Refusal::new("office/unsure", json!({})));
            return self.refused(&refusal, unmoved, Some((to, "documents".to_owned())));
        };
        let filed = shown(shelf, seen(shelf));
        let mut commit = self.commit(unmoved, Ending::Acted, "acted".to_owned(), None);
        let mails = parcels(&filed);
        for (n, mail) in mails.iter().enumerate() {
            let several =
                if mails.len() > 1 { vec![json!({ "n": n + 1, "of": mails.len() })] } else { vec![] };
            let listed: Vec<Value> = filed.iter().map(|filed| line(filed, mail)).collect();
            let files: Vec<Value> = mail
                .iter()
                .map(|(_, d)| json!({ "paper": d.handle, "name": d.name, "media": d.media }))
                .collect();
            let data = json!({
                "title": case.titles(), "case": number, "part": several, "documents": listed, "files": files,
            });
            let notice = Notice::new(shelf.label, to, "documents/list", data).asking(Asks::Text);
            let notice = Notice { class: Class::Confidential, ..notice };
            self.tell(notice, &mut commit);
        }
        commit
    }
}

/// What of a folder somebody sees.
fn shown<'a>(shelf: &Shelf<'a>, sees: Sees) -> Vec<&'a Filed> {
    let all = sees == Sees::Everything;
    shelf.folder.filed().iter().filter(|filed| all || (!filed.proof && filed.document.is_some())).collect()
}

/// A document that goes by mail.
fn goes(filed: &Filed) -> Option<(u32, &Document)> {
    let document = filed.document.as_ref()?;
    (document.harmless && document.size <= BY_MAIL).then_some((filed.number, document))
}

/// The documents that travel, mail by mail; one mail at least, for the list.
fn parcels<'a>(filed: &[&'a Filed]) -> Vec<Vec<(u32, &'a Document)>> {
    let mut mails: Vec<Vec<(u32, &Document)>> = vec![Vec::new()];
    let mut size = 0;
    for (number, document) in filed.iter().filter_map(|filed| goes(filed)) {
        let full = mails.last().is_some_and(|mail| !mail.is_empty() && mail.len() >= MOST);
        if full || (size > 0 && size + document.size > PER_MAIL) {
            mails.push(Vec::new());
            size = 0;
        }
        size += document.size;
        if let Some(mail) = mails.last_mut() {
            mail.push((number, document));
        }
    }
    mails
}

/// A line of the list: what it is, and where it is.
fn line(filed: &Filed, mail: &[(u32, &Document)]) -> Value {
    let here = mail.iter().any(|(number, _)| *number == filed.number);
    let (name, size, place) = match &filed.document {
        None => ("", 0, "destroyed"),
        Some(document) => {
            let place = match document {
                _ if here => "here",
                document if !document.harmless => "kept",
                document if document.size > BY_MAIL => "large",
                _ => "other-mail",
            };
            (document.name.as_str(), document.size, place)
        }
    };
    json!({
        "number": filed.number.to_string(), "name": name, "kilobytes": size.div_ceil(1024), "place": place,
        "proof": filed.proof,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::documents::Handle;
    use chrono::DateTime;

    fn filed(number: u32, megabytes: u64, harmless: bool) -> Filed {
        let document = Document {
            handle: Handle([0; 16]),
            name: format!("{number}.pdf"),
            media: "application/pdf".to_owned(),
            size: megabytes << 20,
            hash: String::new(),
            harmless,
        };
        let (document, at) = (Some(document), DateTime::UNIX_EPOCH);
        Filed { number, document, at, proof: false, destroyed: None }
    }

    fn check(all: &[Filed], expected: &[&[u32]]) {
        let all: Vec<&Filed> = all.iter().collect();
        let mails = parcels(&all);
        let numbers: Vec<Vec<u32>> =
            mails.iter().map(|mail| mail.iter().map(|(n, _)| *n).collect()).collect();
        assert_eq!(numbers, expected);
    }

    #[test]
    fn documents_travel_in_mails_of_a_sane_size_and_what_may_not_stays() {
        check(&[], &[&[]]);
        check(&[filed(1, 2, true), filed(2, 2, true), filed(3, 2, true)], &[&[1, 2], &[3]]);
        check(&[filed(1, 1, true), filed(2, 9, true), filed(3, 1, true)], &[&[1], &[2], &[3]]);
        check(&[filed(1, 9, true), filed(2, 11, true), filed(3, 1, false)], &[&[1]]);
        let many: Vec<Filed> = (1..=21).map(|n| filed(n, 0, true)).collect();
        check(&many, &[&(1..=20).collect::<Vec<u32>>(), &[21]]);
    }

    #[test]
    fn the_list_says_of_each_where_it_is() {
        let all = [filed(1, 2, true), filed(2, 5, true), filed(3, 11, true), filed(4, 1, false)];
        let destroyed = Filed { document: None, ..filed(5, 0, true) };
        let refs: Vec<&Filed> = all.iter().chain([&destroyed]).collect();
        let mails = parcels(&refs);
        let places: Vec<Value> = refs.iter().map(|filed| line(filed, &mails[0])["place"].clone()).collect();
        assert_eq!(places, ["here", "other-mail", "large", "kept", "destroyed"]);
    }
}
