//! The body of one part on its way through a sieve: kept, cut or left out, and measured either way.

use ring::digest::{Context, SHA256};

use super::{Gone, Limits};
use crate::letters::body::is_base64;
use crate::letters::mime::{self, Encoding, MAX_TEXT, Part};

/// Bytes kept of a report, which is read by its beginning.
const REPORT: usize = 200 << 10;
/// Beyond what is looked at: a text that is cut must show it.
const MORE: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The author's words: as much as is read.
    Text,
    /// A report, or a file of text: its beginning.
    Report,
    /// Anything else: whole or not at all.
    File,
}

/// The body in hand.
pub(super) struct Leaf {
    /// Where in the skeleton it begins.
    pub(super) at: usize,
    /// An empty line stands before it.
    empty: bool,
    kind: Kind,
    encoding: Encoding,
    kept: usize,
    /// No more of it is kept.
    dropped: bool,
    decoded: usize,
    letters: usize,
    hash: Context,
    /// The end of the last line; in quoted-printable all of it.
    held: Vec<u8>,
    bits: (u32, u32),
    /// Decoded bytes that somebody is to see; none where nobody wants them.
    fresh: Option<Vec<u8>>,
}

/// What is known of a body that ended.
pub(super) struct Ended {
    /// What is noted of one that is not wholly kept, and whether an empty line stands before it.
    pub(super) gone: Option<(Gone, bool)>,
    pub(super) fresh: Vec<u8>,
    /// Its hash, where it was shown.
    pub(super) shown: Option<[u8; 32]>,
}

impl Leaf {
    pub(super) fn new(part: &Part<'_>, at: usize, empty: bool) -> Leaf {
        let body = matches!(part.media.as_str(), "text/plain" | "text/html" | "text/enriched");
        let kind = if body && !part.attached {
            Kind::Text
        } else if part.is_text() || part.media.starts_with("message/") {
            Kind::Report
        } else {
            Kind::File
        };
        Leaf {
            at,
            empty,
            kind,
            encoding: part.encoding(),
            kept: 0,
            dropped: false,
            decoded: 0,
            letters: 0,
            hash: Context::new(&SHA256),
            held: Vec::new(),
            bits: (0, 0),
            fresh: None,
        }
    }

    /// From now on its decoded bytes are shown.
    pub(super) fn show(&mut self) {
        self.fresh = Some(Vec::new());
    }

    /// Those since the last call.
    pub(super) fn fresh(&mut self) -> Vec<u8> {
        self.fresh.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }

    pub(super) fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// Measures a line, and says whether it is kept. `room`: bytes of files that may still be kept.
    pub(super) fn take(&mut self, line: &[u8], limits: &Limits, room: usize) -> bool {
        self.measure(line);
        self.dropped |= match self.kind {
            Kind::Text => self.is_read(),
            Kind::Report => self.kept + line.len() > REPORT.max(limits.file).min(room),
            Kind::File => self.kept + line.len() > limits.file.min(room),
        };
        self.kept += if self.dropped { 0 } else { line.len() };
        !self.dropped
    }

    /// Whether as much of a text is kept as anybody looks at.
    fn is_read(&self) -> bool {
        let most = match self.encoding {
            Encoding::Plain | Encoding::Uu => MAX_TEXT,
            Encoding::Quoted => 3 * MAX_TEXT,
            Encoding::Base64 => 2 * MAX_TEXT,
        };
        // What was measured may be a line ahead of what is kept.
        let decoded = self.decoded > MAX_TEXT + self.held.len() + MORE && self.kept > MAX_TEXT + MORE;
        self.kept > most + MORE || (decoded && self.encoding != Encoding::Plain)
    }

    fn measure(&mut self, line: &[u8]) {
        match self.encoding {
            Encoding::Plain | Encoding::Uu => {
                let held = std::mem::take(&mut self.held);
                self.count(&held);
                let end = line_end(line);
                self.count(&line[..line.len() - end]);
                self.held = held;
                self.held.clear();
                self.held.extend_from_slice(&line[line.len() - end..]);
            }
            Encoding::Quoted => {
                let held = std::mem::take(&mut self.held);
                self.count(&mime::quoted(&held, usize::MAX));
                self.held = held;
                self.held.clear();
                self.held.extend_from_slice(line);
            }
            Encoding::Base64 => {
                self.letters += line.iter().filter(|byte| is_base64(**byte)).count();
                let decoded = mime::base64_on(line, usize::MAX, &mut self.bits);
                self.count(&decoded);
            }
        }
    }

    fn count(&mut self, decoded: &[u8]) {
        self.decoded += decoded.len();
        self.hash.update(decoded);
        if let Some(fresh) = &mut self.fresh {
            fresh.extend_from_slice(decoded);
        }
    }

    /// All of it has come. `bounded`: the end of its last line belongs to a boundary.
    pub(super) fn end(mut self, bounded: bool) -> Ended {
        if !self.dropped && self.fresh.is_none() {
            return Ended { gone: None, fresh: Vec::new(), shown: None };
        }
        let held = std::mem::take(&mut self.held);
        let end = if bounded { line_end(&held) } else { 0 };
        match self.encoding {
            Encoding::Plain | Encoding::Uu => self.count(&held[..held.len() - end]),
            Encoding::Quoted => self.count(&mime::quoted(&held[..held.len() - end], usize::MAX)),
            Encoding::Base64 => {}
        }
        let size = if self.encoding == Encoding::Base64 { self.letters * 3 / 4 } else { self.decoded };
        let (fresh, shows) = (self.fresh(), self.fresh.is_some());
        let hash = self.hash.finish().as_ref().try_into().ok();
        let gone = self.dropped.then_some((Gone { at: self.at, size, hash }, self.empty));
        Ended { gone, fresh, shown: hash.filter(|_| shows) }
    }
}

fn line_end(line: &[u8]) -> usize {
    match line {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}
