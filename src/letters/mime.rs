//! The tree of a mail's parts (RFC 2045 to 2049), cut in one place and bounded everywhere.
//!
//! Parts are slices of the mail; nothing is decoded until it is asked for. Depth, number of parts and decoded
//! size are limited, so that no mail makes reading cost more than a few times its size.

use std::borrow::Cow;

use memchr::memchr2;

use super::charset;
use super::headers::{Headers, line_end};
use super::sieve::{Gone, Skeleton};

/// How deep parts may nest; deeper ones are left out.
pub const MAX_DEPTH: usize = 16;
/// How many parts are kept.
pub const MAX_PARTS: usize = 500;
/// Lines of text that are looked at.
pub const MAX_LINES: usize = 50_000;
/// Decoded bytes of one text part that are looked at.
pub const MAX_TEXT: usize = 1 << 20;

/// A part, with those it holds.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    pub headers: Headers<'a>,
    pub body: &'a [u8],
    /// `type/subtype` in lower case; `text/plain` where nothing better is said.
    pub media: String,
    pub charset: Option<String>,
    pub flowed: bool,
    pub delsp: bool,
    pub name: Option<String>,
    pub attached: bool,
    /// The `report-type` of a multipart/report, lower case.
    pub report: Option<String>,
    /// Bytes its body decodes to where a sieve left it out, wholly or in part.
    pub whole: Option<usize>,
    pub children: Vec<Part<'a>>,
}

/// A parsed mail and what had to be left out of it.
#[derive(Debug)]
pub struct Tree<'a> {
    pub root: Part<'a>,
    pub too_deep: bool,
    pub too_many: bool,
}

struct Budget<'g> {
    left: usize,
    too_deep: bool,
    too_many: bool,
    /// Where the mail lies, to tell the places of bodies.
    base: usize,
    gone: &'g [Gone],
}

/// Takes a mail apart. Never fails: what has no header is one part of plain text.
pub fn parse(raw: &[u8]) -> Tree<'_> {
    parse_beside(raw, &[])
}

/// The same of what a sieve left of a mail: bodies that went keep their sizes.
pub fn parse_skeleton(skeleton: &Skeleton) -> Tree<'_> {
    parse_beside(&skeleton.bytes, &skeleton.gone)
}

fn parse_beside<'a>(raw: &'a [u8], gone: &[Gone]) -> Tree<'a> {
    let base = raw.as_ptr().addr();
    let mut budget = Budget { left: MAX_PARTS, too_deep: false, too_many: false, base, gone };
    let start = raw.iter().position(|b| !b"\r\n\xef\xbb\xbf".contains(b)).unwrap_or(0);
    let root = part(&raw[start..], 0, "text/plain", &mut budget);
    Tree { root, too_deep: budget.too_deep, too_many: budget.too_many }
}

/// A part without its body's parts: what its header section says, and the boundary that names.
pub fn head<'a>(bytes: &'a [u8], default: &str) -> (Part<'a>, Option<String>) {
    let (headers, body) = Headers::split(bytes);
    let mut part = Part {
        headers,
        body,
        media: default.to_string(),
        charset: None,
        flowed: false,
        delsp: false,
        name: None,
        attached: false,
        report: None,
        whole: None,
        children: Vec::new(),
    };
    let boundary = describe(&mut part);
    (part, boundary)
}

fn part<'a>(bytes: &'a [u8], depth: usize, default: &str, budget: &mut Budget<'_>) -> Part<'a> {
    let (mut part, boundary) = head(bytes, default);
    part.whole = budget.whole(part.body);
    if depth >= MAX_DEPTH {
        budget.too_deep |= part.is_multipart() || part.is_message();
        return part;
    }
    if part.is_multipart() {
        let inner = if part.media == "multipart/digest" { "message/rfc822" } else { "text/plain" };
        let boundary = boundary.or_else(|| guess_boundary(part.body));
        for slice in boundary.map(|b| split(part.body, b.as_bytes())).unwrap_or_default() {
            if budget.left == 0 {
                budget.too_many = true;
                break;
            }
            budget.left -= 1;
            part.children.push(self::part(slice, depth + 1, inner, budget));
        }
    } else if part.is_message() && budget.left > 0 {
        budget.left -= 1;
        let decoded = part.encoding();
        if !matches!(decoded, Encoding::Base64 | Encoding::Quoted) {
            part.children.push(self::part(part.body, depth + 1, "text/plain", budget));
        }
    }
    part
}

impl Budget<'_> {
    /// The size of a body that is not all there.
    fn whole(&self, body: &[u8]) -> Option<usize> {
        let at = body.as_ptr().addr().wrapping_sub(self.base);
        let found = self.gone.binary_search_by_key(&at, |gone| gone.at).ok()?;
        Some(self.gone[found].size)
    }
}

/// Fills in what Content-Type and Content-Disposition say; gives the boundary.
fn describe(part: &mut Part<'_>) -> Option<String> {
    let headers = std::mem::take(&mut part.headers);
    let boundary = headers.content_type("content-type", |ct| {
        if let Some(sub) = ct.subtype() {
            part.media = [ct.ctype(), "/", sub].concat();
            part.media.make_ascii_lowercase();
        } else if ct.ctype().eq_ignore_ascii_case("text") {
            part.media = "text/plain".into();
        }
        part.charset = ct.attribute("charset").map(String::from);
        part.flowed = ct.attribute("format").is_some_and(|f| f.eq_ignore_ascii_case("flowed"));
        part.delsp = ct.attribute("delsp").is_some_and(|f| f.eq_ignore_ascii_case("yes"));
        part.name = ct.attribute("name").map(String::from);
        part.report = ct.attribute("report-type").map(str::to_ascii_lowercase);
        ct.attribute("boundary").map(String::from).filter(|b| !b.is_empty())
    });
    headers.content_type("content-disposition", |cd| {
        part.attached = cd.ctype().eq_ignore_ascii_case("attachment");
        if let Some(name) = cd.attribute("filename") {
            part.name = Some(name.to_string());
        }
    });
    part.headers = headers;
    boundary.flatten()
}

/// The boundary a multipart forgot to declare: its first line of the shape `--something` that comes back.
fn guess_boundary(body: &[u8]) -> Option<String> {
    let mut at = 0;
    for _ in 0..50 {
        if at >= body.len() {
            return None;
        }
        let end = line_end(body, at);
        let line = body[at..end].trim_ascii_end();
        if line.len() > 4 && line.starts_with(b"--") && !line.contains(&b' ') {
            return std::str::from_utf8(&line[2..]).ok().map(String::from);
        }
        at = end;
    }
    None
}

/// The slices between boundary lines.
fn split<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut slices = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at < body.len() && slices.len() <= MAX_PARTS {
        let end = line_end(body, at);
        let line = &body[at..end];
        let rest = line.strip_prefix(b"--").and_then(|l| l.strip_prefix(boundary));
        if let Some(rest) = rest.map(<[u8]>::trim_ascii)
            && (rest.is_empty() || rest.starts_with(b"--"))
        {
            if let Some(from) = start {
                slices.push(trim_last_line_end(&body[from..at]));
            }
            start = rest.is_empty().then_some(end);
            if start.is_none() {
                return slices;
            }
        }
        at = end;
    }
    if let Some(from) = start.filter(|&f| f < body.len()) {
        slices.push(&body[from..]);
    }
    slices
}

fn trim_last_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// The transfer encodings that change bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Plain,
    Quoted,
    Base64,
    Uu,
}

impl<'a> Part<'a> {
    pub fn is_multipart(&self) -> bool {
        self.media.starts_with("multipart/")
    }

    pub fn is_message(&self) -> bool {
        matches!(self.media.as_str(), "message/rfc822" | "message/global" | "message/news")
    }

    pub fn is_text(&self) -> bool {
        self.media.starts_with("text/")
    }

    pub fn encoding(&self) -> Encoding {
        match self.headers.token("content-transfer-encoding").as_deref() {
            Some("quoted-printable") => Encoding::Quoted,
            Some("base64") => Encoding::Base64,
            Some("x-uuencode" | "uuencode" | "x-uue") => Encoding::Uu,
            _ => Encoding::Plain,
        }
    }

    /// The decoded bytes, at most `limit` of them.
    pub fn bytes(&self, limit: usize) -> Cow<'a, [u8]> {
        match self.encoding() {
            Encoding::Plain | Encoding::Uu => Cow::Borrowed(&self.body[..self.body.len().min(limit)]),
            Encoding::Quoted => Cow::Owned(quoted(&self.body[..self.body.len().min(limit * 3)], limit)),
            Encoding::Base64 => Cow::Owned(base64(&self.body[..self.body.len().min(limit * 2)], limit)),
        }
    }

    /// The text, line ends made `\n`, and whether it was cut at [`MAX_TEXT`].
    pub fn text(&self) -> (String, bool) {
        let bytes = self.bytes(MAX_TEXT);
        let text = charset::decode(&bytes, self.charset.as_deref());
        let cut = self.body.len() > MAX_TEXT && bytes.len() >= MAX_TEXT;
        (line_feeds(text), cut)
    }

    /// Every part below and including this one, in order, not entering enclosed messages.
    pub fn walk(&self) -> Walk<'_, 'a> {
        Walk { next: Some(self), rest: Vec::new(), enter: false }
    }

    /// Every part, enclosed messages entered.
    pub fn walk_all(&self) -> Walk<'_, 'a> {
        Walk { next: Some(self), rest: Vec::new(), enter: true }
    }
}

/// The parts of a mail, one after the other.
#[derive(Debug)]
pub struct Walk<'l, 'a> {
    next: Option<&'l Part<'a>>,
    rest: Vec<&'l Part<'a>>,
    /// Enclosed messages are entered.
    enter: bool,
}

impl<'l, 'a> Iterator for Walk<'l, 'a> {
    type Item = &'l Part<'a>;

    fn next(&mut self) -> Option<&'l Part<'a>> {
        let part = self.next.take()?;
        if self.enter || !part.is_message() {
            self.rest.extend(part.children.iter().rev());
        }
        self.next = self.rest.pop();
        Some(part)
    }
}

/// CRLF and lone CR become LF, NUL disappears.
fn line_feeds(text: String) -> String {
    if memchr2(b'\r', 0, text.as_bytes()).is_none() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(i) = memchr2(b'\r', 0, rest.as_bytes()) {
        out.push_str(&rest[..i]);
        let cr = rest.as_bytes()[i] == b'\r';
        rest = &rest[i + 1..];
        if cr && !rest.starts_with('\n') {
            out.push('\n');
        }
    }
    out.push_str(rest);
    out
}

/// Quoted-printable, forgiving: what is no valid escape stays as it is (RFC 2045 section 6.7). White space at
/// the end of a line goes unless it was encoded.
pub fn quoted(bytes: &[u8], limit: usize) -> Vec<u8> {
    let hex = |b: Option<&u8>| b.and_then(|b| (*b as char).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len().min(limit));
    // Up to here nothing may be taken back: it was encoded, or stands before what was.
    let mut told = 0;
    let mut i = 0;
    while i < bytes.len() && out.len() < limit {
        match bytes[i] {
            b'=' => {
                if let (Some(h), Some(l)) = (hex(bytes.get(i + 1)), hex(bytes.get(i + 2))) {
                    out.push((h * 16 + l) as u8);
                    i += 3;
                } else {
                    let end = line_end(bytes, i + 1);
                    if bytes[i + 1..end].trim_ascii().is_empty() {
                        i = end;
                    } else {
                        out.push(b'=');
                        i += 1;
                    }
                }
                told = out.len();
            }
            b'\n' => {
                let loose = |b: &u8| matches!(b, b' ' | b'\t' | b'\r');
                let end = out[told..].iter().rposition(|b| !loose(b)).map_or(told, |n| told + n + 1);
                out.truncate(end);
                out.push(b'\n');
                i += 1;
            }
            _ => {
                let run = memchr2(b'=', b'\n', &bytes[i..]).unwrap_or(bytes.len() - i);
                let run = run.min(limit - out.len());
                out.extend_from_slice(&bytes[i..i + run]);
                i += run;
            }
        }
    }
    out
}

/// Base64, forgiving: foreign bytes are skipped, padding may be missing or stand in the middle.
pub fn base64(bytes: &[u8], limit: usize) -> Vec<u8> {
    base64_on(bytes, limit, &mut (0, 0))
}

/// The same of bytes that come in pieces; between them `state` holds the bits that are over, and their number.
pub fn base64_on(bytes: &[u8], limit: usize, state: &mut (u32, u32)) -> Vec<u8> {
    let mut out = Vec::with_capacity((bytes.len() / 4 * 3 + 3).min(limit));
    let (mut bits, mut count) = *state;
    for &b in bytes {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                (bits, count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            if out.len() >= limit {
                break;
            }
        }
    }
    *state = (bits, count);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipart_is_taken_apart() {
        let raw = b"Content-Type: multipart/mixed; boundary=\"b c\"\n\npreamble\n--b c\n\none\n--b \
        c\nContent-Type: text/html\n\ntwo\n--b c--\nepilogue";
        let tree = parse(raw);
        let bodies: Vec<_> = tree.root.children.iter().map(|p| p.text().0).collect();
        assert_eq!(bodies, ["one", "two"]);
        assert_eq!(tree.root.children[1].media, "text/html");
    }

    #[test]
    fn broken_encodings_give_what_they_can() {
        assert_eq!(quoted(b"a=3Db=\r\nc=zz =", 99), b"a=bc=zz ");
        assert_eq!(quoted(b"a \t\r\nb", 99), b"a\nb");
        assert_eq!(quoted(b"--=20\r\nb", 99), b"-- \nb");
        assert_eq!(base64(b"T1V\nJ=!", 99), b"OUI");
    }

    #[test]
    fn ten_thousand_nested_parts_are_bounded() {
        let mut raw = Vec::new();
        for i in 0..10_000 {
            raw.extend_from_slice(
                format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n").as_bytes(),
            );
        }
        let tree = parse(&raw);
        assert!(tree.too_deep);
        assert!(tree.root.walk_all().count() <= MAX_DEPTH + 1);
    }
}
