//! A mail as it comes, told apart: the fields that every hop adds, the rest of the header, the body.

/// Fields that every hop adds: the same mail met in another place differs in them alone.
const TRACE: [&str; 10] = [
    "received",
    "return-path",
    "delivered-to",
    "envelope-to",
    "x-original-to",
    "authentication-results",
    "arc-authentication-results",
    "delivery-date",
    "x-spam-status",
    "x-spam-score",
];
/// Bytes by which a line of the header is known: no name of those is longer.
const HEAD: usize = 64;

/// Who sees what of a mail.
pub(super) trait Readers {
    /// All but the trace fields: what makes two copies the same mail.
    fn lasting(&mut self, bytes: &[u8]);
    /// What stands below the empty line.
    fn body(&mut self, bytes: &[u8]);
}

/// Where in a mail we are.
#[derive(Debug, Default)]
pub(super) struct Trace {
    below: bool,
    /// The beginning of a line that is not yet known.
    head: Vec<u8>,
    /// The line in hand is known: whether it goes.
    known: bool,
    drops: bool,
    /// How the line before ended: not at all (there is none), with LF, with CR LF.
    before: u8,
    last: u8,
}

impl Trace {
    /// Shows the next bytes to whom they concern.
    pub(super) fn push(&mut self, mut bytes: &[u8], readers: &mut impl Readers) {
        while !bytes.is_empty() && !self.below {
            let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            let (line, rest) = bytes.split_at(end);
            bytes = rest;
            self.line(line, readers);
        }
        if !bytes.is_empty() {
            readers.lasting(bytes);
            readers.body(bytes);
        }
    }

    /// All has come.
    pub(super) fn finish(mut self, readers: &mut impl Readers) {
        if !self.known && !self.head.is_empty() {
            self.decide(readers);
        }
    }

    /// A piece of a line of the header, with its end where that is here.
    fn line(&mut self, piece: &[u8], readers: &mut impl Readers) {
        let ends = piece.ends_with(b"\n");
        if self.known {
            if !self.drops {
                readers.lasting(piece);
            }
        } else {
            self.head.extend_from_slice(piece);
            if ends || self.head.len() > HEAD || self.head.contains(&b':') {
                self.decide(readers);
            }
        }
        if ends {
            let before = match piece {
                [.., b'\r', b'\n'] => b'\r',
                [b'\n'] if self.last == b'\r' => b'\r',
                _ => b'\n',
            };
            self.before = before;
            self.known = false;
        }
        self.last = piece.last().copied().unwrap_or(self.last);
    }

    /// What the line is by its beginning.
    fn decide(&mut self, readers: &mut impl Readers) {
        let head = std::mem::take(&mut self.head);
        let empty = match &head[..] {
            b"\n" => self.before != 0,
            b"\r\n" => self.before == b'\r',
            _ => false,
        };
        self.below = empty;
        if !empty && !head.starts_with(b" ") && !head.starts_with(b"\t") {
            let name = head.split(|byte| *byte == b':').next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
            self.drops = TRACE.contains(&name.as_str());
        }
        if empty || !self.drops {
            readers.lasting(&head);
        }
        self.known = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<u8>, Vec<u8>);

    impl Readers for Seen {
        fn lasting(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
        fn body(&mut self, bytes: &[u8]) {
            self.1.extend_from_slice(bytes);
        }
    }

    /// What lasts and the body, the same in pieces of any size.
    fn check(raw: &[u8], lasting: &[u8], body: &[u8]) {
        for size in 1..=raw.len() {
            let (mut trace, mut seen) = (Trace::default(), Seen::default());
            raw.chunks(size).for_each(|piece| trace.push(piece, &mut seen));
            trace.finish(&mut seen);
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!((text(&seen.0), text(&seen.1)), (text(lasting), text(body)), "in pieces of {size}");
        }
    }

    #[test]
    fn the_same_mail_by_another_way_is_the_same_mail() {
        let body = b"Received: in the body\r\n";
        let lasting = b"Subject: x\r\n\r\nReceived: in the body\r\n";
        let one = b"Received: by a\r\n\twith SMTP\r\nSubject: x\r\nDelivered-To: c@d\r\n\r\nReceived: in the body\r\n";
        check(one, lasting, body);
        check(b"Return-Path: <q@r>\r\nSubject: x\r\n\r\nReceived: in the body\r\n", lasting, body);
        check(b"Subject: y\n\nReceived: no\n", b"Subject: y\n\nReceived: no\n", b"Received: no\n");
    }

    #[test]
    fn a_mail_without_an_empty_line_has_no_body() {
        check(b"Received: a\nSubject: y\n\r\nReceived: b", b"Subject: y\n\r\n", b"");
        check(b"Received", b"", b"");
        check(b"To: a", b"To: a", b"");
    }
}
