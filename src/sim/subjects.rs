//! How villagers know what a mail about an application is: by its subject, as people do, in any of the seven languages.

use crate::render;
use std::sync::LazyLock;

/// The kinds they know.
const KINDS: [&str; 42] = [
    "form/whole",
    "form/missing",
    "form/lost",
    "form/receipt",
    "accreditation/attest",
    "accreditation/received",
    "accreditation/question",
    "accreditation/suspended",
    "accreditation/suspended-own",
    "accreditation/progress",
    "accreditation/accredited",
    "accreditation/refused",
    "accreditation/welcome",
    "accreditation/withdrawn",
    "accreditation/diligence",
    "accreditation/diligence-noted",
    "accreditation/information",
    "accreditation/unreachable",
    "accreditation/review-task",
    "accreditation/invitation",
    "accreditation/review-reminder",
    "accreditation/comment-plain",
    "comment/receipt",
    "comment/list",
    "comment/gone",
    "comment/empty",
    "comment/unsure",
    "comment/too-late",
    "comment/not-a-member",
    "comment/not-here",
    "accreditation/advice",
    "accreditation/advice-taken",
    "accreditation/advice-not-taken",
    "accreditation/dossier",
    "accreditation/window",
    "accreditation/window-reminder",
    "accreditation/information-wanted",
    "accreditation/lifted-told",
    "accreditation/held",
    "accreditation/held-task",
    "accreditation/suspend-no-information",
    "accreditation/vote-requested",
];

/// A kind, what stands around the data of its subject, and how much that is.
type Known = (&'static str, Vec<&'static str>, usize);

static SUBJECTS: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let of = |kind: &'static str| {
        let all = render::subjects(kind).into_iter();
        all.map(move |pieces| (kind, pieces.iter().map(|piece| piece.len()).sum(), pieces))
    };
    let mut all: Vec<Known> =
        KINDS.into_iter().flat_map(of).map(|(kind, length, pieces)| (kind, pieces, length)).collect();
    // What says most is asked first.
    all.sort_by_key(|(_, _, length)| std::cmp::Reverse(*length));
    all
});

/// What kind of mail has this subject.
pub fn kind(subject: &str) -> Option<&'static str> {
    SUBJECTS.iter().find(|(_, pieces, _)| fits(subject, pieces)).map(|(kind, ..)| *kind)
}

fn fits(subject: &str, pieces: &[&str]) -> bool {
    let [first, between @ .., last] = pieces else {
        return pieces.first().is_some_and(|one| *one == subject);
    };
    let Some(mut rest) = subject.strip_prefix(first) else { return false };
    // A long subject is cut: what is left of it must fit.
    let cut = rest.ends_with('\u{2026}') && !first.is_empty();
    if !cut {
        let Some(whole) = rest.strip_suffix(last) else { return false };
        rest = whole;
    }
    between.iter().all(|piece| {
        let found = rest.find(piece);
        rest = found.map_or("", |at| &rest[at + piece.len()..]);
        found.is_some() || cut
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_known_by_its_subject_in_every_language() {
        for (subject, known) in [
            ("Please check an application by 3 May 2026: Net 7", Some("accreditation/diligence")),
            ("Пожалуйста, проверьте заявление не позднее 3 мая: Сеть", Some("accreditation/diligence")),
            ("Net 7 waits: a vote is held only if one of you asks", Some("accreditation/held")),
            ("Net 7 waits for a decision of the ALAC", Some("accreditation/held-task")),
            ("Please vote by Monday", None),
        ] {
            assert_eq!(kind(subject), known, "{subject}");
        }
        assert!(KINDS.iter().all(|kind| render::subjects(kind).len() == 7));
    }
}
