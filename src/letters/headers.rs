//! Header fields: splitting them off, and reading the few kinds of value the rest needs.
//!
//! Bounded: at most [`MAX_FIELDS`] fields and [`MAX_HEADER`] bytes are kept; a value is cut at [`MAX_VALUE`].

use chrono::{DateTime, Utc};
use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};
use memchr::memchr;

use super::charset;
use super::letter::Address;

/// Fields kept of one header section.
pub const MAX_FIELDS: usize = 1_000;
/// Bytes of one header section that are looked at.
pub const MAX_HEADER: usize = 1 << 20;
/// Bytes of one value that are parsed.
const MAX_VALUE: usize = 64 << 10;
/// Addresses kept of one field, ids likewise.
const MAX_LIST: usize = 200;

/// One field as it stands in the mail, folding and all.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    pub name: &'a [u8],
    /// Everything after the colon, the final line end included where the mail has one.
    pub raw: &'a [u8],
}

/// The header section of a mail or of one of its parts.
#[derive(Debug, Clone, Default)]
pub struct Headers<'a> {
    pub fields: Vec<Field<'a>>,
    /// The shapes of the names there are: most that are asked for are not.
    names: u64,
    /// True when fields were left out because there were too many.
    pub cut: bool,
}

/// The end of the line that starts at `from`: the index just after its line feed.
pub fn line_end(bytes: &[u8], from: usize) -> usize {
    memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |n| from + n + 1)
}

/// One bit for names of this length and these first and last letters.
fn shape(name: &[u8]) -> u64 {
    let lower = |b: Option<&u8>| u64::from(b.copied().unwrap_or(0) | 0x20);
    let mixed = lower(name.first()) * 7 + lower(name.last()) * 3 + name.len() as u64 * 11;
    1 << (mixed & 63)
}

/// Bytes that stand for themselves.
const SIMPLE: [bool; 256] = {
    let mut simple = [false; 256];
    let mut b = 32;
    while b < 127 {
        simple[b] = b != b'=' as usize;
        b += 1;
    }
    simple
};

/// A value of one line in plain ASCII without encoded words, trimmed: it means what it says.
fn simple(raw: &[u8]) -> Option<&str> {
    let value = raw.trim_ascii();
    let plain =
        value.len() <= MAX_VALUE && value.iter().fold(true, |plain, b| plain & SIMPLE[usize::from(*b)]);
    if plain { std::str::from_utf8(value).ok() } else { None }
}

pub(super) fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n" | b"\r" | b"")
}

pub(super) fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.len() < 128 && name.iter().all(|b| (33..127).contains(b))
}

impl<'a> Headers<'a> {
    /// Splits a header section from the body after it. A line that is neither a field, a continuation nor an
    /// mbox separator ends the section: such mail exists, and what follows is then taken for the body.
    pub fn split(bytes: &'a [u8]) -> (Headers<'a>, &'a [u8]) {
        let mut headers = Headers::default();
        let mut at = 0;
        while at < bytes.len() {
            let mut end = line_end(bytes, at);
            let line = &bytes[at..end];
            if is_blank(line) {
                return (headers, &bytes[end..]);
            }
            let Some(colon) = line.iter().position(|&b| b == b':') else {
                if headers.fields.is_empty() && (line.starts_with(b"From ") || line.starts_with(b">From ")) {
                    at = end;
                    continue;
                }
                return (headers, &bytes[at..]);
            };
            let name = line[..colon].trim_ascii_end();
            if !is_name(name) {
                if (line.starts_with(b"From ") || line.starts_with(b">From ")) && headers.fields.len() < 2 {
                    at = end;
                    continue;
                }
                return (headers, &bytes[at..]);
            }
            while end < bytes.len() && matches!(bytes[end], b' ' | b'\t') {
                let next = line_end(bytes, end);
                if is_blank(bytes[end..next].trim_ascii()) && bytes.get(next).is_none_or(|b| !b.is_ascii()) {
                    break;
                }
                end = next;
            }
            if headers.fields.len() < MAX_FIELDS && end <= MAX_HEADER {
                headers.names |= shape(name);
                headers.fields.push(Field { name, raw: &bytes[at + colon + 1..end] });
            } else {
                headers.cut = true;
            }
            at = end;
        }
        (headers, &[])
    }

    /// The raw values of every field of that name, from the top.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + use<'s, 'a> {
        let name = name.as_bytes();
        self.fields.iter().filter(move |f| f.name.eq_ignore_ascii_case(name)).map(|f| f.raw)
    }

    /// The raw value of the topmost field of that name.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        if self.names & shape(name.as_bytes()) == 0 { None } else { self.all(name).next() }
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The decoded, unfolded text of a field, trimmed; nothing if absent.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(text)
    }

    /// The first word of a field in lower case, up to white space, `;` or `(`: "auto-replied".
    pub fn token(&self, name: &str) -> Option<String> {
        let raw = self.get(name)?;
        let told;
        let value = match simple(raw) {
            Some(value) => value,
            None => {
                told = text(raw);
                &told
            }
        };
        let word = value.trim_start().split([' ', '\t', ';', '(']).next().unwrap_or("");
        Some(word.trim().to_ascii_lowercase())
    }

    /// Every address of every field of that name.
    pub fn addresses(&self, name: &str) -> Vec<Address> {
        if self.get(name).is_none() {
            return Vec::new();
        }
        self.all(name).take(20).flat_map(addresses).take(MAX_LIST).collect()
    }

    /// The ids (without angle brackets) of a field such as References.
    pub fn ids(&self, name: &str) -> Vec<String> {
        self.get(name).map(ids).unwrap_or_default()
    }

    /// Shows a field of the shape of Content-Type, if there is one that can be read.
    pub fn content_type<T>(&self, name: &str, see: impl FnOnce(&ContentType<'_>) -> T) -> Option<T> {
        stream(self.get(name)?, |s| match s.parse_content_type() {
            HeaderValue::ContentType(t) => Some(see(&t)),
            _ => None,
        })
    }

    pub fn date(&self, name: &str) -> Option<DateTime<Utc>> {
        self.get(name).and_then(date)
    }
}

/// Runs one of the parsers of mail-parser over a value, which they expect to end with a line feed.
fn stream<T>(raw: &[u8], parse: impl FnOnce(&mut MessageStream<'_>) -> T) -> T {
    let raw = &raw[..raw.len().min(MAX_VALUE)];
    if raw.ends_with(b"\n") && std::str::from_utf8(raw).is_ok() {
        return parse(&mut MessageStream::new(raw));
    }
    let mut owned = match std::str::from_utf8(raw) {
        Ok(_) => raw.to_vec(),
        Err(_) => charset::guess(raw).into_bytes(),
    };
    owned.push(b'\n');
    parse(&mut MessageStream::new(&owned))
}

/// The decoded, unfolded, trimmed text of a raw value (RFC 2047).
pub fn text(raw: &[u8]) -> String {
    if let Some(value) = simple(raw) {
        return value.to_string();
    }
    match stream(raw, |s| s.parse_unstructured().into_owned()) {
        HeaderValue::Text(t) => t.trim().to_string(),
        _ => String::new(),
    }
}

/// The addresses of a raw value, group members included; junk without an `@` is left out.
pub fn addresses(raw: &[u8]) -> Vec<Address> {
    if let Some(one) = simple(raw).and_then(single) {
        return vec![one];
    }
    match stream(raw, |s| s.parse_address().into_owned()) {
        HeaderValue::Address(list) => list.iter().take(MAX_LIST).filter_map(address).collect(),
        _ => Vec::new(),
    }
}

/// `a@b` or `Ann Bee <a@b>`, without anything that needs a parser.
fn single(value: &str) -> Option<Address> {
    if value.bytes().any(|b| matches!(b, b'"' | b'(' | b')' | b',' | b':' | b';' | b'\\' | b'[')) {
        return None;
    }
    let (name, bare) = match value.split_once('<') {
        Some((name, rest)) => (name.trim(), rest.strip_suffix('>')?),
        None => ("", value),
    };
    let (local, domain) = bare.split_once('@')?;
    let whole = !bare.bytes().any(|b| matches!(b, b' ' | b'<' | b'>')) && !domain.contains('@');
    if !whole || local.is_empty() || domain.is_empty() || bare.len() > 320 || name.contains("  ") {
        return None;
    }
    let name = (!name.is_empty()).then(|| name.to_string());
    let mut address = bare.to_string();
    address[local.len() + 1..].make_ascii_lowercase();
    Some(Address { name, address })
}

fn address(from: &mail_parser::Addr<'_>) -> Option<Address> {
    let raw = from.address.as_deref()?.trim();
    let (local, domain) = raw.rsplit_once('@')?;
    if local.is_empty() || domain.is_empty() || raw.len() > 320 {
        return None;
    }
    let name = from.name.as_deref().map(|n| n.trim().trim_matches('"').to_string()).filter(|n| !n.is_empty());
    Some(Address { name, address: format!("{local}@{}", domain.to_lowercase()) })
}

/// What stands between angle brackets, or failing those, words with an `@`.
pub fn ids(raw: &[u8]) -> Vec<String> {
    let raw = String::from_utf8_lossy(&raw[..raw.len().min(MAX_VALUE)]);
    let mut found: Vec<String> = Vec::new();
    let mut rest = raw.as_ref();
    while let Some(open) = rest.find('<') {
        let Some(close) = rest[open..].find('>') else { break };
        let id = &rest[open + 1..open + close];
        let id =
            if id.contains(char::is_whitespace) { id.split_whitespace().collect() } else { id.to_string() };
        if !id.is_empty() && found.len() < MAX_LIST {
            found.push(id);
        }
        rest = &rest[open + close + 1..];
    }
    if found.is_empty() {
        found = raw
            .split(|c: char| c.is_whitespace() || c == '<' || c == '>')
            .filter(|w| w.contains('@'))
            .take(MAX_LIST)
            .map(String::from)
            .collect();
    }
    found
}

/// An RFC 5322 date, if it is one that exists.
pub fn date(raw: &[u8]) -> Option<DateTime<Utc>> {
    match stream(raw, |s| s.parse_date().into_owned()) {
        HeaderValue::DateTime(d) if d.is_valid() => DateTime::from_timestamp(d.to_timestamp(), 0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_unfolded_and_decoded() {
        let (h, body) =
            Headers::split(b"From x@y Mon\r\nSubject: =?utf-8?Q?=C3=A9t=C3=A9?=\r\n folded\r\nX:\r\n\r\nhi");
        assert_eq!(h.text("subject").as_deref(), Some("\u{e9}t\u{e9} folded"));
        assert_eq!(h.fields.len(), 2);
        assert_eq!(body, b"hi");
    }

    #[test]
    fn a_value_without_a_line_end_is_read_too() {
        let (h, body) = Headers::split(b"To: A B <a.b@Example.ORG>");
        assert_eq!(h.addresses("to")[0].address, "a.b@example.org");
        assert_eq!(body, b"");
    }

    #[test]
    fn ids_survive_folding_inside_them() {
        assert_eq!(ids(b" <a@b>\r\n <c\r\n d@e>"), ["a@b", "cd@e"]);
        assert_eq!(ids(b" a@b"), ["a@b"]);
    }
}
