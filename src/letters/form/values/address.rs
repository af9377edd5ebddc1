//! E-mail addresses (RFC 5321, RFC 6531) and links (RFC 3986) out of what people write around them.

use super::Fault;
use crate::kernel::form::{Value, Why};

/// Addresses or links looked at in one answer.
const MAX_FOUND: usize = 200;

/// The one address of an answer.
pub fn email(text: &str) -> Result<String, Fault> {
    let found = emails(text);
    match found.as_slice() {
        [] => Err(Why::NoAddress.into()),
        [one] => Ok(one.clone()),
        many => {
            let could_be = many.iter().take(4).cloned().map(Value::Email).collect();
            Err(Fault { why: Why::ManyAddresses, could_be })
        }
    }
}

/// Every address of a text, each once.
pub fn emails(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for piece in pieces(text).filter(|p| p.contains(['@', '\u{ff20}'])).take(MAX_FOUND) {
        if let Some(address) = address(piece)
            && !found.iter().any(|known| known.eq_ignore_ascii_case(&address))
        {
            found.push(address);
        }
    }
    found
}

/// What stands between spaces, brackets, quotes and the like.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '<' | '>' | '(' | ')' | '[' | ']' | '"' | ',' | ';' | '|' | '*' | '\u{ab}' | '\u{bb}'
            )
            || matches!(
                c,
                '\u{201c}' | '\u{201d}' | '\u{ff0c}' | '\u{ff1b}' | '\u{3001}' | '\u{60c}' | '\u{61b}'
            )
            || matches!(c, '\u{ff08}' | '\u{ff09}' | '\u{ff1a}')
    })
    .filter(|piece| !piece.is_empty())
}

/// One address written as it is sent to, or nothing.
pub fn address(piece: &str) -> Option<String> {
    let piece = piece.replace('\u{ff20}', "@");
    let piece = piece.strip_prefix("mailto:").unwrap_or(&piece);
    // "E-mail:ann@example.org" without a space.
    let piece = piece.rsplit([':', '=']).next()?;
    let piece = piece.split('?').next()?.trim_matches(['.', '\'', '`', '\u{3002}', '!', '-', '/']);
    let (local, domain) = piece.rsplit_once('@')?;
    let local_fits = !local.is_empty()
        && local.len() <= 64
        && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    (local_fits && is_host(domain) && piece.len() <= 254)
        .then(|| format!("{local}@{}", domain.to_lowercase()))
}

/// A host name of two labels or more, the last of letters; other scripts are welcome.
fn is_host(host: &str) -> bool {
    let label = |l: &str| {
        let marks = |c: char| c == '-' || is_vowel_sign(c);
        let inside = l.chars().all(|c| c.is_alphanumeric() || marks(c));
        !l.is_empty() && l.len() <= 63 && !l.starts_with('-') && !l.ends_with('-') && inside
    };
    let labels: Vec<&str> = host.split('.').collect();
    let last = labels.last().copied().unwrap_or_default();
    let named = last.chars().any(char::is_alphabetic) && last.chars().count() >= 2;
    labels.len() >= 2 && host.len() <= 253 && labels.iter().all(|l| label(l)) && named
}

/// Signs of Indic and Southeast Asian scripts that are no letters by themselves.
fn is_vowel_sign(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// The one link of an answer, with its scheme.
pub fn url(text: &str) -> Result<String, Fault> {
    let mut found: Vec<String> = Vec::new();
    for piece in link_pieces(text).take(MAX_FOUND) {
        if let Some(link) = link(piece)
            && !found.iter().any(|known| key(known) == key(&link))
        {
            found.push(link);
        }
    }
    match found.as_slice() {
        [] => Err(Why::NoLink.into()),
        [one] => Ok(one.clone()),
        many => {
            let could_be = many.iter().take(4).cloned().map(Value::Url).collect();
            Err(Fault { why: Why::ManyLinks, could_be })
        }
    }
}

fn link_pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| {
        c.is_whitespace()
            || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '"' | '|' | '\u{ab}' | '\u{bb}' | '\u{ff0c}')
            || matches!(c, '\u{3002}' | '\u{ff08}' | '\u{ff09}' | '\u{3001}' | '\u{60c}' | '\u{ff1b}')
    })
    .filter(|piece| !piece.is_empty())
}

/// What tells two writings of one link.
fn key(link: &str) -> String {
    let bare = link.split_once("://").map_or(link, |(_, rest)| rest);
    bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches('/').to_lowercase()
}

fn link(piece: &str) -> Option<String> {
    let piece = piece.trim_matches(['*', '_', '\'', '`', ',', ';']);
    let piece = piece.trim_end_matches(['.', ':', '!', '?', '/']);
    let lower = piece.to_ascii_lowercase();
    let (scheme, rest) = match lower.split_once("://") {
        Some(("http", _)) => ("http", &piece[7..]),
        Some(("https", _)) => ("https", &piece[8..]),
        Some(_) => return None,
        None => ("https", piece.trim_start_matches('/')),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, Some(port)),
        Some(_) => return None,
        None => (authority, None),
    };
    let clean = !path.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '`' | '\''));
    if !is_host(host) || !clean || piece.len() > 500 {
        return None;
    }
    let port = port.map(|p| format!(":{p}")).unwrap_or_default();
    Some(format!("{scheme}://{}{port}{path}", host.to_lowercase()))
}
