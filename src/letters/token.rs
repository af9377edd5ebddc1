//! Strings shaped like one of our tokens, wherever a mail may carry one.

use super::headers::Headers;
use super::letter::{Address, Carrier, Place};
use super::mime::Part;

/// Characters of base32 (RFC 4648, lower case here) in a token.
const LENGTH: usize = 32;
/// Tokens kept of one mail.
const MAX_TOKENS: usize = 50;
/// Bytes of text that are searched.
const MAX_TEXT: usize = 1 << 20;

/// The candidates in order of trust: recipients, thread, text, returned mail.
pub fn carriers(root: &Part<'_>, to: &[Address], ids: [&Vec<String>; 2], text: &str) -> Vec<Carrier> {
    let mut found = Vec::new();
    for address in to {
        in_address(&address.address, Place::Recipient, &mut found);
    }
    for id in ids.into_iter().flatten() {
        scan(id, Place::Thread, &mut found);
    }
    scan(text, Place::Body, &mut found);
    for part in returned(root) {
        for field in ["message-id", "return-path", "from", "reply-to", "to", "sender"] {
            if let Some(value) = part.text(field) {
                scan(&value, Place::Returned, &mut found);
            }
        }
    }
    found
}

fn in_address(address: &str, place: Place, found: &mut Vec<Carrier>) {
    let local = address.rsplit_once('@').map_or(address, |(l, _)| l);
    if let Some((_, tag)) = local.split_once('+') {
        scan(tag, place, found);
    }
}

/// Letters and digits.
const INSIDE: [bool; 256] = {
    let mut inside = [false; 256];
    let mut b = 0;
    while b < 256 {
        inside[b] = (b as u8).is_ascii_alphanumeric();
        b += 1;
    }
    inside
};

/// Adds every maximal run of letters and digits that is a token.
fn scan(text: &str, place: Place, found: &mut Vec<Carrier>) {
    let bytes = &text.as_bytes()[..text.len().min(MAX_TEXT)];
    let mut at = 0;
    // A run as long as a token covers one of any LENGTH bytes in a row: the others need no look.
    while let Some(byte) = bytes.get(at + LENGTH - 1) {
        if !INSIDE[usize::from(*byte)] {
            at += LENGTH;
            continue;
        }
        let inside = |b: &u8| INSIDE[usize::from(*b)];
        let start =
            at + LENGTH - 1 - bytes[at..at + LENGTH - 1].iter().rev().take_while(|b| inside(b)).count();
        let end = start + bytes[start..].iter().take_while(|b| inside(b)).count();
        let word = &bytes[start..end];
        let before = start > 0 && start == at && inside(&bytes[start - 1]);
        at = end + 1;
        if before
            || word.len() != LENGTH
            || !word.iter().all(|b| b.is_ascii_alphabetic() || (b'2'..=b'7').contains(b))
        {
            continue;
        }
        let token = String::from_utf8_lossy(word).to_ascii_lowercase();
        let known = found.iter().any(|c| c.place == place && c.token == token);
        if !known && found.len() < MAX_TOKENS {
            found.push(Carrier { place, token });
        }
    }
}

/// The strings of a text that are shaped like a token, in lower case, each once, at most [`MAX_TOKENS`].
pub fn shaped(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    scan(text, Place::Body, &mut found);
    found.into_iter().map(|carrier| carrier.token).collect()
}

/// The header sections of mails enclosed in this one.
fn returned<'l, 'a>(root: &'l Part<'a>) -> Vec<&'l Headers<'a>> {
    let enclosed = root.walk().filter(|p| p.is_message()).flat_map(|p| p.children.iter());
    enclosed.map(|p| &p.headers).take(5).collect()
}

/// The Message-ID of the mail a bounce returns, wherever it is quoted.
pub fn returned_id(root: &Part<'_>, text: &str) -> Option<String> {
    let enclosed = returned(root).into_iter().find_map(|h| h.ids("message-id").into_iter().next());
    enclosed.or_else(|| {
        let headers = root.walk().filter(|p| p.media.ends_with("rfc822-headers")).find_map(|p| {
            let bytes = p.bytes(64 << 10);
            Headers::split(&bytes).0.ids("message-id").into_iter().next()
        });
        headers.or_else(|| {
            let line = text
                .lines()
                .find(|l| l.trim_start_matches(['>', ' ']).to_ascii_lowercase().starts_with("message-id:"))?;
            super::headers::ids(line.as_bytes()).into_iter().next()
        })
    })
}
