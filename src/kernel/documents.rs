//! Documents that come with a matter, as everything but the key store may know them: a number, a name, a hash and a
//! handle. Each is sealed under a key of its own. A handle that a case no longer holds is a document destroyed: the
//! platform sees that it goes, and whoever has an old copy of the record cannot open it either.

use super::ids::PersonId;
use super::people::{Region, Role};
use super::register::Register;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// How a handle begins wherever it is written.
const PREFIX: &str = "paper:";
/// Documents of one matter that are kept.
const MOST: usize = 200;
/// Characters of a document's name.
const NAME: usize = 120;

/// The handle of a document: 128 bits that say nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handle(pub [u8; 16]);

/// Says that there is a document, not even which.
impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{:032x}", u128::from_be_bytes(self.0))
    }
}

/// A text that is no handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the handle of a document")]
pub struct NotAHandle;

impl FromStr for Handle {
    type Err = NotAHandle;

    fn from_str(text: &str) -> Result<Handle, NotAHandle> {
        let figures = text.strip_prefix(PREFIX).filter(|figures| figures.len() == 32).ok_or(NotAHandle)?;
        let number = u128::from_str_radix(figures, 16).map_err(|_| NotAHandle)?;
        Ok(Handle(number.to_be_bytes()))
    }
}

impl Serialize for Handle {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Handle, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A document as it came: nothing of what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub handle: Handle,
    /// As its sender called it, on one line, without what a file system could take for more than a name.
    pub name: String,
    /// `type/subtype` as its sender says.
    pub media: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 in hex.
    pub hash: String,
    /// It is of a kind that only shows itself: it may be sent on. What can act, or hides what it holds, never is.
    pub harmless: bool,
}

/// A document that is kept with a matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filed {
    /// Counted from 1 within the matter; never given twice.
    pub number: u32,
    /// None once it is destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    pub at: DateTime<Utc>,
    /// It proves who somebody is: for staff alone, until what it shows is recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proof: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroyed: Option<DateTime<Utc>>,
}

/// The documents of a matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    last: u32,
    filed: Vec<Filed>,
    /// How many came beyond those that are kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    left_out: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Folder {
    pub fn is_empty(&self) -> bool {
        self.filed.is_empty()
    }

    pub fn filed(&self) -> &[Filed] {
        &self.filed
    }

    /// Puts documents in; those that are there already stay as they are. Returns the numbers of the new ones.
    pub fn take(&mut self, documents: &[Document], at: DateTime<Utc>) -> Vec<u32> {
        let mut numbers = Vec::new();
        for document in documents {
            let known = |filed: &Filed| filed.document.as_ref().is_some_and(|d| d.hash == document.hash);
            if self.filed.iter().any(known) {
                continue;
            }
            if self.filed.len() >= MOST {
                self.left_out += 1;
                continue;
            }
            self.last += 1;
            numbers.push(self.last);
            let document = Some(document.clone());
            self.filed.push(Filed { number: self.last, document, at, proof: false, destroyed: None });
        }
        numbers
    }

    /// Marks a document as a proof of who somebody is. False: there is none of that number.
    pub fn mark(&mut self, number: u32) -> bool {
        let found = self.filed.iter_mut().find(|filed| filed.number == number && filed.document.is_some());
        found.map(|filed| filed.proof = true).is_some()
    }

    /// Forgets every proof, its name and its hash with it. Returns their numbers.
    pub fn destroy_proofs(&mut self, at: DateTime<Utc>) -> Vec<u32> {
        let proofs = self.filed.iter_mut().filter(|filed| filed.proof && filed.document.is_some());
        proofs
            .map(|filed| {
                filed.document = None;
                filed.destroyed = Some(at);
                filed.number
            })
            .collect()
    }

    /// The handles of what is there.
    pub fn handles(&self) -> BTreeSet<String> {
        self.filed.iter().filter_map(|filed| Some(filed.document.as_ref()?.handle.to_string())).collect()
    }
}

/// Who may see a matter's documents now.
#[derive(Debug, Clone, Copy)]
pub struct Shelf<'a> {
    pub folder: &'a Folder,
    /// The region that reviews the matter.
    pub region: Option<Region>,
    /// Its members, and not its officers alone, have been asked what they think.
    pub reviewed: bool,
    /// Nothing more is reviewed.
    pub over: bool,
    /// The label under which an answer to the list of documents reaches the matter.
    pub label: &'static str,
}

/// What somebody may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sees {
    Nothing,
    /// All but proofs of who somebody is.
    Documents,
    Everything,
}

/// What a person may see: staff all; members of the ALAC, and while the region reviews the matter its Secretariat, its
/// Chair and its members, all but proofs.
pub fn sees(shelf: &Shelf<'_>, register: &Register, person: PersonId, at: DateTime<Utc>) -> Sees {
    let Some(known) = register.person(person) else { return Sees::Nothing };
    if known.has(Role::Staff, at) || known.has(Role::StaffDeputy, at) {
        return Sees::Everything;
    }
    let committee = [Role::AlacMember, Role::AlacChair, Role::AlacViceChair];
    let Some(region) = shelf.region.filter(|_| !shelf.over) else {
        let sits = committee.into_iter().any(|role| known.has(role, at));
        return if sits { Sees::Documents } else { Sees::Nothing };
    };
    let officer = |role: Role| {
        known.roles.iter().any(|held| held.role == role && held.region == Some(region) && held.holds_at(at))
    };
    let reads = committee.into_iter().any(|role| known.has(role, at))
        || officer(Role::RaloSecretariat)
        || officer(Role::RaloChair)
        || (shelf.reviewed && super::confidential::is_member(register, person, region, at));
    if reads { Sees::Documents } else { Sees::Nothing }
}

/// Endings of files that show themselves and cannot act; what opens them follows nothing they hold.
const HARMLESS: [&str; 22] = [
    "pdf", "docx", "xlsx", "pptx", "odt", "ods", "odp", "txt", "md", "csv", "png", "jpg", "jpeg", "gif",
    "webp", "tif", "tiff", "bmp", "heic", "mp3", "m4a", "wav",
];

/// Whether a file may be sent on, by its name and its first bytes: an ending that is on the list, the last of the
/// name, and no beginning of a program.
pub fn harmless(name: &str, begins: &[u8]) -> bool {
    const PROGRAMS: [&[u8]; 6] = [b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"<"];
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default();
    HARMLESS.contains(&ending.as_str()) && !PROGRAMS.iter().any(|program| begins.starts_with(program))
}

/// The name of a file as it is kept: its last part, on one line, without what turns the direction of writing.
pub fn name(written: &str) -> String {
    let last = written.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |c: char| {
        if c.is_control() || matches!(c, ':' | '"' | '<' | '>' | '|' | '*' | '?') { '_' } else { c }
    };
    let kept: String = last.chars().filter(|c| !turns(*c)).map(plain).collect();
    let kept = kept.trim().trim_start_matches('.');
    // The ending tells what it is: a name is cut before it.
    let (stem, ending) = kept.rsplit_once('.').unwrap_or((kept, ""));
    let ending: String = ending.chars().take(12).collect();
    let room = NAME.saturating_sub(ending.chars().count() + 1);
    let stem: String = stem.chars().take(room).collect();
    match (stem.is_empty(), ending.is_empty()) {
        (true, true) => "-".to_owned(),
        (_, true) => stem,
        _ => format!("{stem}.{ending}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(n: u8) -> Document {
        Document {
            handle: Handle([n; 16]),
            name: format!("{n}.pdf"),
            media: "application/pdf".into(),
            size: 3,
            hash: format!("{n:02x}"),
            harmless: true,
        }
    }

    #[test]
    fn a_handle_says_nothing_and_is_read_back() {
        let handle = Handle([171; 16]);
        assert_eq!((format!("{handle:?}").as_str(), handle.to_string().parse()), ("Handle", Ok(handle)));
        for text in ["", "paper:", "sealed:abababababababababababababababab", "paper:zz"] {
            assert_eq!(text.parse::<Handle>(), Err(NotAHandle), "{text}");
        }
    }

    #[test]
    fn numbers_are_given_once_and_the_same_document_is_kept_once() {
        let (mut folder, at) = (Folder::default(), DateTime::UNIX_EPOCH);
        assert_eq!(folder.take(&[document(1), document(2), document(1)], at), [1, 2]);
        assert!(folder.mark(2) && !folder.mark(3));
        assert_eq!(folder.destroy_proofs(at), [2]);
        assert!(!folder.mark(2), "it is gone");
        assert_eq!(folder.take(&[document(3)], at), [3]);
        assert_eq!(folder.handles().len(), 2);
        let text = serde_json::to_string(&folder).unwrap();
        assert!(!text.contains("2.pdf") && !text.contains("0202"), "{text}");
    }

    /// p1 is staff, p2 on the ALAC, p3 Africa's secretariat, p4 its Chair, p5 a member of it, p6 Europe's secretariat.
    fn register() -> Register {
        use crate::kernel::language::Language;
        use crate::kernel::people::{Person, RoleHeld};
        use crate::kernel::register::Change;
        let (africa, europe) = (Some(Region::Africa), Some(Region::Europe));
        let roles = [
            (Role::Staff, None),
            (Role::AlacMember, europe),
            (Role::RaloSecretariat, africa),
            (Role::RaloChair, africa),
            (Role::RaloMember, africa),
            (Role::RaloSecretariat, europe),
        ];
        let person = |(id, (role, region))| {
            let from = DateTime::UNIX_EPOCH;
            let held = RoleHeld { role, region, organisation: None, from, until: None };
            Change::Person(Person {
                id: PersonId(id),
                name: format!("Person {id}"),
                language: Language::En,
                zone: chrono_tz::UTC,
                addresses: vec![format!("p{id}@example.org")],
                roles: vec![held],
            })
        };
        Register::fold(&(1..).zip(roles).map(person).collect::<Vec<_>>())
    }

    /// Who of the six sees anything, and that staff alone see all.
    fn check_sees(region: Option<Region>, (reviewed, over): (bool, bool), expected: &[u32]) {
        let (folder, register) = (Folder::default(), register());
        let shelf = Shelf { folder: &folder, region, reviewed, over, label: "" };
        let seen = |id: u32| sees(&shelf, &register, PersonId(id), DateTime::UNIX_EPOCH);
        let found: Vec<u32> = (1..=7).filter(|id| seen(*id) > Sees::Nothing).collect();
        assert_eq!(found, expected);
        assert!((1..=7).all(|id| (seen(id) == Sees::Everything) == (id == 1)));
    }

    #[test]
    fn staff_the_alac_and_the_region_that_reviews_see_documents() {
        let africa = Some(Region::Africa);
        check_sees(africa, (false, false), &[1, 2, 3, 4]);
        check_sees(africa, (true, false), &[1, 2, 3, 4, 5]);
        check_sees(africa, (true, true), &[1, 2]);
        check_sees(None, (false, true), &[1, 2]);
    }

    #[test]
    fn what_can_act_or_hides_what_it_holds_is_not_sent_on() {
        for name in ["a.pdf", "A.DOCX", "my photo.JPeG", "list.csv"] {
            assert!(harmless(name, b"%PDF-1.7"), "{name}");
        }
        for name in
            ["a.exe", "a.pdf.exe", "a.docm", "a.svg", "a.html", "a.zip", "a.doc", "pdf", "", "a.js", "a.lnk"]
        {
            assert!(!harmless(name, b"%PDF-1.7"), "{name}");
        }
        assert!(!harmless("a.pdf", b"MZ\x90"), "a program under another name");
        assert!(!harmless("a.txt", b"#!/bin/sh"));
    }

    #[test]
    fn names_are_names_and_nothing_more() {
        for (written, kept) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\a.pdf", "a.pdf"),
            ("a\u{202e}fdp.exe", "afdp.exe"),
            ("a\r\nBcc: x.pdf", "a__Bcc_ x.pdf"),
            (".htaccess", "htaccess"),
            ("", "-"),
        ] {
            assert_eq!(name(written), kept, "{written}");
        }
        let long = name(&format!("{}.pdf", "x".repeat(500)));
        assert!(long.chars().count() <= NAME && long.ends_with("x.pdf"), "{long}");
    }
}
