//! A large mail let through part by part: what is read of a mail stays, the bodies of its files go.
//!
//! What stays is a mail again, the skeleton: every header section, every boundary, the text as far as it would be
//! read, small files whole. `mime` takes it apart as it would have taken the whole; the sizes of bodies that went are
//! noted beside it. Memory is bounded by [`Limits`], whatever comes: a boundary never closed, a line of fifty
//! megabytes, a header without end. What does not fit is cut, and said.

use std::fmt;

use memchr::memchr;

use super::headers::MAX_HEADER;
use super::mime::{self, Encoding, MAX_DEPTH, MAX_PARTS, Part};

mod header;
mod leaf;

use header::{Section, Told};
use leaf::Leaf;

/// Bytes of a line that are held until its end is here; a longer one goes through in pieces.
const MAX_LINE: usize = 64 << 10;
/// Bytes kept of what stands before the first part of a multipart, or after its last.
const MAX_AROUND: usize = 16 << 10;
/// Lines in which a boundary that was not declared is looked for, as `mime` does.
const GUESSES: u8 = 50;

/// What a sieve keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file that is kept whole.
    pub file: usize,
    /// Bytes of all files that are kept.
    pub files: usize,
    /// Bytes of the skeleton.
    pub all: usize,
}

impl Limits {
    /// For reading: of files no more than reports and cards are.
    pub const READ: Limits = Limits { file: 64 << 10, files: 1 << 20, all: 7 << 20 };
    /// For a form that comes back as a file: those that are opened at all, in base64.
    pub const FORMS: Limits = Limits { file: 11 << 20, files: 12 << 20, all: 19 << 20 };
}

/// A body that is not, or not wholly, in the skeleton.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Where in the skeleton it would begin.
    pub at: usize,
    /// Bytes once decoded, as `Attachment::size`.
    pub size: usize,
    /// SHA-256 of the decoded bytes; none of an enclosed mail.
    pub hash: Option<[u8; 32]>,
}

/// A mail without the bodies of its large files; or, with nothing gone, any mail as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skeleton {
    pub bytes: Vec<u8>,
    /// In the order of their places.
    pub gone: Vec<Gone>,
    /// It was cut: what came later is not in it.
    pub cut: bool,
}

impl From<Vec<u8>> for Skeleton {
    fn from(bytes: Vec<u8>) -> Skeleton {
        Skeleton { bytes, ..Skeleton::default() }
    }
}

/// An entity that is open, with those it is in below it.
enum Open {
    Header(Section),
    Multipart(Multipart),
    /// The epilogue of a multipart.
    Closed {
        around: usize,
    },
    /// An enclosed mail: where its bytes begin, in the skeleton and as they come.
    Message {
        at: usize,
        begins: u64,
    },
    Leaf(Box<Leaf>),
}

struct Multipart {
    boundary: Option<Vec<u8>>,
    /// What its parts are unless they say otherwise.
    inner: &'static str,
    /// Lines in which a boundary it forgot to declare may still be found.
    guesses: u8,
    /// Bytes kept that belong to no part.
    around: usize,
}

/// A file of a mail, as it goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passing {
    /// One begins: its name, and its media type as its sender says.
    Begins { name: String, media: String },
    /// More of its decoded bytes.
    Bytes(Vec<u8>),
    /// It ends: SHA-256 of all of it.
    Ends { hash: [u8; 32] },
}

/// Takes a mail as it comes, in pieces of any size.
pub struct Sieve {
    /// What goes by of files, where somebody wants it.
    passing: Option<Vec<Passing>>,
    limits: Limits,
    out: Vec<u8>,
    gone: Vec<Gone>,
    full: bool,
    /// A line whose end is not here.
    line: Vec<u8>,
    /// The line has begun to go through in pieces.
    in_line: bool,
    /// Bytes that came before the line in hand.
    came: u64,
    /// Nothing but line ends and a byte order mark came.
    blank: bool,
    /// Bytes of files kept.
    files: usize,
    /// Bytes of the line end before the line in hand: that of a part's last line belongs to the boundary.
    last_end: usize,
    open: Vec<Open>,
}

impl Sieve {
    pub fn new(limits: Limits) -> Sieve {
        Sieve {
            passing: None,
            limits,
            out: Vec::new(),
            gone: Vec::new(),
            full: false,
            line: Vec::new(),
            in_line: false,
            came: 0,
            blank: true,
            files: 0,
            last_end: 0,
            open: vec![Open::Header(Section::new(0, "text/plain"))],
        }
    }

    /// The same, showing the files that go by.
    pub fn showing(limits: Limits) -> Sieve {
        Sieve { passing: Some(Vec::new()), ..Sieve::new(limits) }
    }

    /// What went by since the last call.
    pub fn passed(&mut self) -> Vec<Passing> {
        self.passing.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        if self.blank {
            let start = bytes.iter().position(|b| !b"\r\n\xef\xbb\xbf".contains(b)).unwrap_or(bytes.len());
            bytes = &bytes[start..];
            self.blank = bytes.is_empty();
        }
        while !bytes.is_empty() && !self.full {
            let end = memchr(b'\n', bytes).map(|at| at + 1);
            let room = MAX_LINE.saturating_sub(self.line.len());
            let taken = end.unwrap_or(bytes.len()).min(room);
            let (now, rest) = bytes.split_at(taken);
            bytes = rest;
            let whole = end == Some(taken);
            if self.line.is_empty() && whole {
                self.take(now, true);
            } else {
                self.line.extend_from_slice(now);
                if whole || self.line.len() >= MAX_LINE {
                    let line = std::mem::take(&mut self.line);
                    self.take(&line, whole);
                    self.line = line;
                    self.line.clear();
                }
            }
        }
    }

    /// What is left once all has come.
    pub fn finish(mut self) -> Skeleton {
        self.end();
        self.gone.sort_by_key(|gone| gone.at);
        Skeleton { bytes: self.out, gone: self.gone, cut: self.full }
    }

    /// All has come: whatever is open ends.
    pub fn end(&mut self) {
        if !self.line.is_empty() && !self.full {
            let line = std::mem::take(&mut self.line);
            self.take(&line, false);
        }
        while !self.open.is_empty() {
            self.close(false);
        }
    }

    /// A line, or a piece of a long one.
    fn take(&mut self, line: &[u8], whole: bool) {
        let start = !std::mem::replace(&mut self.in_line, !whole);
        if !(start && self.boundary(line)) {
            self.inside(line, start);
        }
        self.came += line.len() as u64;
        self.last_end = match line {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
    }

    /// Where the line is a boundary of any multipart that is open, the outermost first: ends what it ends.
    fn boundary(&mut self, line: &[u8]) -> bool {
        let Some(told) = line.strip_prefix(b"--") else { return false };
        let of = |open: &Open| {
            let Open::Multipart(Multipart { boundary: Some(boundary), inner, .. }) = open else {
                return None;
            };
            let rest = told.strip_prefix(&boundary[..])?.trim_ascii();
            (rest.is_empty() || rest.starts_with(b"--")).then_some((*inner, rest.is_empty()))
        };
        let found = self.open.iter().enumerate().find_map(|(n, open)| Some((n, of(open)?)));
        let Some((n, (inner, opens))) = found else { return false };
        while self.open.len() > n + 1 {
            self.close(true);
        }
        self.line_start();
        self.emit(line);
        if opens {
            self.open.push(Open::Header(Section::new(self.out.len(), inner)));
        } else {
            self.open[n] = Open::Closed { around: 0 };
        }
        true
    }

    /// A line that is no boundary, in the innermost entity.
    fn inside(&mut self, line: &[u8], start: bool) {
        let Some(mut open) = self.open.pop() else { return };
        match &mut open {
            Open::Header(section) => return self.header(std::mem::take(section), line, start),
            Open::Multipart(multipart) => {
                if let Some(inner) = multipart.guess(line, start) {
                    self.emit(line);
                    self.open.push(open);
                    self.open.push(Open::Header(Section::new(self.out.len(), inner)));
                    return;
                }
                self.around(line, &mut multipart.around);
            }
            Open::Closed { around } => self.around(line, around),
            // Its header section, or what that came to, lies above it.
            Open::Message { .. } => {}
            Open::Leaf(leaf) => {
                let room = self.limits.files.saturating_sub(self.files);
                let kept = leaf.take(line, &self.limits, room);
                show(&mut self.passing, leaf.fresh());
                if kept {
                    self.emit(line);
                } else if leaf.is_file() {
                    self.out.truncate(leaf.at);
                }
            }
        }
        self.open.push(open);
    }

    fn header(&mut self, mut section: Section, line: &[u8], start: bool) {
        let at = self.out.len();
        match section.told(line, start, at) {
            Told::Goes => {
                if at - section.at <= MAX_HEADER {
                    self.emit(line);
                } else {
                    self.line_start();
                }
                self.open.push(Open::Header(section));
            }
            Told::Over => {
                self.line_start();
                self.emit(line);
                let begins = self.came + line.len() as u64;
                self.begin_body(&section, self.out.len(), true, begins);
            }
            Told::Body { at } => {
                // White space that went for a field's is of the body.
                let before = self.out.split_off(at.min(self.out.len()));
                self.begin_body(&section, at, false, self.came - before.len() as u64);
                if !before.is_empty() {
                    self.inside(&before, true);
                }
                self.inside(line, start);
            }
        }
    }

    fn around(&mut self, line: &[u8], used: &mut usize) {
        if *used <= MAX_AROUND {
            *used += line.len();
            self.emit(line);
        }
    }

    /// A header section is over: what comes now is what it says. `empty`: an empty line ended it.
    fn begin_body(&mut self, section: &Section, at: usize, empty: bool, begins: u64) {
        let (part, boundary) = mime::head(&self.out[section.at.min(at)..at], section.default);
        let holds = |open: &&Open| !matches!(open, Open::Header(_) | Open::Leaf(_));
        let deep = self.open.iter().filter(holds).count() >= MAX_DEPTH;
        if part.is_multipart() && !deep {
            let inner = if part.media == "multipart/digest" { "message/rfc822" } else { "text/plain" };
            let boundary = boundary.map(String::into_bytes);
            self.open.push(Open::Multipart(Multipart { boundary, inner, guesses: GUESSES, around: 0 }));
        } else if part.is_message() && !deep && enters(&part) {
            self.open.push(Open::Message { at, begins });
            self.open.push(Open::Header(Section::new(at, "text/plain")));
        } else {
            let mut leaf = Leaf::new(&part, at, empty);
            if let Some(passing) = &mut self.passing
                && is_document(&part)
            {
                leaf.show();
                let name = part.name.clone().unwrap_or_default();
                passing.push(Passing::Begins { name, media: part.media.clone() });
            }
            self.open.push(Open::Leaf(Box::new(leaf)));
        }
    }

    /// Ends the innermost entity; `bounded`: a boundary does, to which the line end before it belongs.
    fn close(&mut self, bounded: bool) {
        match self.open.pop() {
            Some(Open::Message { at, begins }) if !self.full => {
                let end = if bounded { self.last_end } else { 0 };
                let size = usize::try_from(self.came.saturating_sub(begins)).unwrap_or(usize::MAX);
                self.note(Gone { at, size: size.saturating_sub(end), hash: None });
            }
            Some(Open::Leaf(leaf)) if !self.full => {
                if !leaf.is_text() {
                    self.files += self.out.len().saturating_sub(leaf.at);
                }
                let ended = leaf.end(bounded);
                show(&mut self.passing, ended.fresh);
                if let (Some(passing), Some(hash)) = (&mut self.passing, ended.shown) {
                    passing.push(Passing::Ends { hash });
                }
                if let Some((gone, empty)) = ended.gone {
                    self.leave_out(gone, empty);
                }
            }
            _ => {}
        }
    }

    /// In place of a body that went stands nothing, under an empty line.
    fn leave_out(&mut self, mut gone: Gone, empty: bool) {
        if self.out.len() == gone.at {
            if !empty {
                self.emit(b"\r\n");
                gone.at = self.out.len();
            }
            self.emit(b"\r\n");
        }
        self.note(gone);
    }

    /// More than are ever read are not noted.
    fn note(&mut self, gone: Gone) {
        if self.gone.len() < 4 * MAX_PARTS {
            self.gone.push(gone);
        }
    }

    fn line_start(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(b"\n") {
            self.emit(b"\r\n");
        }
    }

    fn emit(&mut self, bytes: &[u8]) {
        self.full |= self.out.len() + bytes.len() > self.limits.all;
        if !self.full {
            self.out.extend_from_slice(bytes);
        }
    }
}

/// Adds bytes to what goes by.
fn show(passing: &mut Option<Vec<Passing>>, bytes: Vec<u8>) {
    let Some(passing) = passing.as_mut().filter(|_| !bytes.is_empty()) else { return };
    if let Some(Passing::Bytes(before)) = passing.last_mut() {
        before.extend(bytes);
    } else {
        passing.push(Passing::Bytes(bytes));
    }
}

/// Whether a part is a document somebody sent, and not the mail's own text, its seal, a date or a picture in its text.
fn is_document(part: &Part<'_>) -> bool {
    let sealing = part.media.ends_with("-signature") || part.media.ends_with("pkcs7-mime");
    let own = sealing || part.media == "text/calendar" || part.media.starts_with("message/");
    let drawn = part.media.starts_with("image/") && part.headers.has("content-id");
    let named = part.name.is_some() && !drawn;
    !own && (part.attached || named || part.media.starts_with("application/"))
}

/// Whether `mime` enters an enclosed mail.
fn enters(part: &Part<'_>) -> bool {
    !matches!(part.encoding(), Encoding::Base64 | Encoding::Quoted)
}

impl Multipart {
    /// Where it declared no boundary, the first line of the shape of one: what its parts are.
    fn guess(&mut self, line: &[u8], start: bool) -> Option<&'static str> {
        if self.boundary.is_some() || self.guesses == 0 || !start {
            return None;
        }
        self.guesses -= 1;
        let told = line.trim_ascii_end();
        if told.len() <= 4 || !told.starts_with(b"--") || told.contains(&b' ') {
            return None;
        }
        self.guesses = 0;
        self.boundary = std::str::from_utf8(&told[2..]).ok().map(|told| told.as_bytes().to_vec());
        self.boundary.is_some().then_some(self.inner)
    }
}

impl fmt::Debug for Sieve {
    /// Says how much there is, never what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sieve({} of {} bytes)", self.out.len(), self.came)
    }
}

#[cfg(test)]
mod tests;
