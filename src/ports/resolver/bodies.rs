//! The hashes that signatures have of a mail's body (RFC 6376 section 3.4), made as the mail comes: nobody need hold
//! all of it to check who signed it.

use mail_auth::common::crypto::{HashAlgorithm, HashContext, HashImpl, Sha256};
use mail_auth::dkim::Canonicalization;
use mail_auth::dkim::canonicalize::BodyHasher;
use serde::{Deserialize, Serialize};

type Hasher = BodyHasher<<Sha256 as HashImpl>::Context>;

/// SHA-256 of a whole body in both canonical forms. Of signatures over a part of one, and of those with SHA-1, nothing
/// is known: they hold for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyHashes {
    simple: Vec<u8>,
    relaxed: Vec<u8>,
}

/// Body hashes in the making.
pub struct Bodies {
    simple: Hasher,
    relaxed: Hasher,
    last: u8,
}

impl std::fmt::Debug for Bodies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bodies")
    }
}

impl Default for Bodies {
    fn default() -> Bodies {
        let of = |form| Hasher::new(Sha256::hasher(), form, 0);
        Bodies { simple: of(Canonicalization::Simple), relaxed: of(Canonicalization::Relaxed), last: 0 }
    }
}

impl Bodies {
    /// The next bytes of the body. Bare line feeds get back the carriage returns they travelled with.
    pub fn push(&mut self, bytes: &[u8]) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let before = line.len().checked_sub(2).map_or(self.last, |at| line[at]);
            let bare = line.strip_suffix(b"\n").filter(|_| before != b'\r');
            self.write(bare.unwrap_or(line));
            if bare.is_some() {
                self.write(b"\r\n");
            }
            self.last = line.last().copied().unwrap_or(self.last);
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.simple.write(bytes);
        self.relaxed.write(bytes);
    }

    /// The hashes once all has come.
    pub fn finish(self) -> BodyHashes {
        let of = |hasher: Hasher| hasher.finish().0.complete().as_ref().to_vec();
        BodyHashes { simple: of(self.simple), relaxed: of(self.relaxed) }
    }
}

impl BodyHashes {
    /// What a signature of this kind should say; nothing where that is not known.
    pub(super) fn of(&self, form: Canonicalization, with: HashAlgorithm, length: u64) -> Vec<u8> {
        match (form, with, length) {
            (Canonicalization::Simple, HashAlgorithm::Sha256, 0) => self.simple.clone(),
            (Canonicalization::Relaxed, HashAlgorithm::Sha256, 0) => self.relaxed.clone(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_auth::AuthenticatedMessage;

    const SIGNED: &str =
        "DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=s; h=from; b=QQ==; bh=QQ==; c=relaxed/";

    /// The same as of the whole mail.
    fn check(body: &str) {
        for form in ["simple", "relaxed"] {
            let raw = format!("{SIGNED}{form}\r\nFrom: a@x.example\r\n\r\n{body}");
            let message = AuthenticatedMessage::parse_with_opts(raw.as_bytes(), None, false).expect("a mail");
            for size in [1, 2, 3, 7, 1000] {
                let mut bodies = Bodies::default();
                body.as_bytes().chunks(size).for_each(|piece| bodies.push(piece));
                let hashes = bodies.finish();
                for (form, with, length, expected) in &message.body_hashes {
                    assert_eq!(&hashes.of(*form, *with, *length), expected, "{form:?} of {body:?} by {size}");
                }
            }
        }
    }

    #[test]
    fn a_body_in_pieces_has_the_hashes_of_the_whole() {
        let bodies = ["", "\r\n", "a", "a\r\n", "a \t b  \r\n\r\n \r\n\r\n", "\r\n\r\na\r\n\r\nb c\r\n \r\n"];
        bodies.into_iter().for_each(check);
    }

    #[test]
    fn bare_line_feeds_travelled_as_line_ends() {
        let of = |body: &[u8]| {
            let mut bodies = Bodies::default();
            body.chunks(2).for_each(|piece| bodies.push(piece));
            bodies.finish()
        };
        assert_eq!(of(b"a b\n\nc\n\n"), of(b"a b\r\n\r\nc\r\n\r\n"));
    }
}
