//! A mail as a villager's mail program shows it: headers, the text part, the answer links. Just enough
//! MIME for what the clerk writes; villagers know nothing else of a mail than this.

use chrono::{DateTime, NaiveDateTime, Utc};
use std::borrow::Cow;

/// One mail in a villager's mailbox.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Without angle brackets.
    pub message_id: String,
    pub in_reply_to: Option<String>,
    /// As it stands: mail programs copy it.
    pub references: String,
    /// As it stands, encoded words and all.
    pub subject: String,
    /// The subject as it is shown.
    pub title: String,
    pub reply_to: String,
    /// The plain text, decoded.
    pub text: String,
    /// Where each answer link writes to, and the word it holds.
    pub links: Vec<(String, String)>,
    /// It shows the line above which one writes.
    pub asks: bool,
    /// It is automatic, but in answer to somebody.
    pub replied: bool,
    /// The moment in its calendar entry.
    pub until: Option<DateTime<Utc>>,
}

impl Incoming {
    pub fn read(bytes: &[u8]) -> Incoming {
        let raw = text_of(bytes);
        let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((&raw, ""));
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let header = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.map(str::trim).unwrap_or_default().to_owned()
        };
        let text = part(body, "text/plain").unwrap_or_default();
        let bare = |id: &str| id.trim_matches(['<', '>', ' ']).to_owned();
        let reply_to = match header("Reply-To") {
            none if none.is_empty() => header("From"),
            some => some,
        };
        Incoming {
            message_id: bare(&header("Message-ID")),
            in_reply_to: Some(bare(&header("In-Reply-To"))).filter(|id| !id.is_empty()),
            references: header("References"),
            title: shown(&header("Subject")),
            subject: header("Subject"),
            reply_to: address(&reply_to),
            links: links(&text),
            asks: text.contains(crate::render::MARK.0),
            replied: header("Auto-Submitted") == "auto-replied",
            until: part(body, "text/calendar").as_deref().and_then(start),
            text,
        }
    }

    /// The words of its answer links.
    pub fn words(&self) -> Vec<&str> {
        self.links.iter().map(|(_, word)| word.as_str()).collect()
    }

    /// A receipt shows a code of four groups of four; nothing else the clerk writes does.
    pub fn is_receipt(&self) -> bool {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let is_code = |word: &str| {
            word.len() == 19 && word.bytes().enumerate().all(|(n, byte)| (byte == b'-') == (n % 5 == 4))
        };
        self.text.split(|c: char| !word(c)).any(is_code)
    }

    /// Its text with quote marks, as a reply repeats it.
    pub fn quoted(&self) -> String {
        let lines: Vec<String> = self.text.lines().map(|line| format!("> {line}")).collect();
        lines.join("\r\n")
    }
}

/// Octets as text. The clerk's mail is ASCII, which is seen at a glance.
pub fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// A header with its encoded words decoded (RFC 2047); neighbours belong together.
fn shown(header: &str) -> String {
    if !header.contains("=?") {
        return header.to_owned();
    }
    let mut out: Vec<u8> = Vec::new();
    let mut joined = true;
    for (n, word) in header.split(' ').enumerate() {
        let decoded = encoded_word(word);
        if n > 0 && !(joined && decoded.is_some()) {
            out.push(b' ');
        }
        joined = decoded.is_some();
        out.extend(decoded.unwrap_or_else(|| word.as_bytes().to_vec()));
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encoded_word(word: &str) -> Option<Vec<u8>> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let mut parts = inner.splitn(3, '?');
    let (_, how, text) = (parts.next()?, parts.next()?, parts.next()?);
    match how {
        "b" | "B" => data_encoding::BASE64.decode(text.as_bytes()).ok(),
        _ => Some(hex_escapes(&text.replace('_', " "), b'=').into_bytes()),
    }
}

/// `"Name" <a@b>` or `a@b`.
fn address(value: &str) -> String {
    let inner = value.rsplit_once('<').and_then(|(_, rest)| rest.split('>').next());
    inner.unwrap_or(value).trim().to_owned()
}

/// The first part of a media type, decoded.
fn part(body: &str, media: &str) -> Option<String> {
    let at = body.find(&format!("Content-Type: {media}"))?;
    let start = body[..at].rfind("\r\n--").map_or(0, |line| line + 2);
    let (head, rest) = body[start..].split_once("\r\n\r\n")?;
    let boundary = head.lines().next().filter(|line| line.starts_with("--"))?;
    let content = rest.split(&format!("\r\n{boundary}")).next()?;
    let encoding = head.lines().find_map(|line| line.strip_prefix("Content-Transfer-Encoding: "));
    Some(match encoding.map(str::trim) {
        Some("quoted-printable") => quoted_printable(content),
        Some("base64") => {
            let packed: String = content.split_whitespace().collect();
            let bytes = data_encoding::BASE64.decode(packed.as_bytes()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => content.to_owned(),
    })
}

/// RFC 2045, section 6.7.
fn quoted_printable(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    hex_escapes(&joined, b'=')
}

/// Replaces a mark and two hexadecimal digits by the octet they name.
fn hex_escapes(text: &str, mark: u8) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |n: usize| char::from(*bytes.get(at + n)?).to_digit(16);
        let octet = if *byte == mark { digit(1).zip(digit(2)) } else { None };
        match octet.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(octet) => {
                out.push(octet);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// `mailto:` links with a body (RFC 6068).
fn links(text: &str) -> Vec<(String, String)> {
    let link = |rest: &str| {
        let url = rest.split(['>', '\r', '\n', ' ']).next()?;
        let (to, query) = url.split_once('?')?;
        let word = query.split('&').find_map(|pair| pair.strip_prefix("body="))?;
        Some((hex_escapes(to, b'%'), hex_escapes(word, b'%')))
    };
    text.split("mailto:").skip(1).filter_map(link).collect()
}

/// The start of a calendar entry in UTC (RFC 5545).
fn start(ics: &str) -> Option<DateTime<Utc>> {
    let at = ics.lines().find_map(|line| line.trim().strip_prefix("DTSTART:"))?;
    NaiveDateTime::parse_from_str(at, "%Y%m%dT%H%M%SZ").ok().map(|at| at.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_read_as_a_mail_program_shows_it() {
        let raw = "From: \"Clerk\" <clerk@a.example>\r\nReply-To: \"Clerk\"\r\n <clerk+t@a.example>\r\n\
            Message-ID: <t@a.example>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
            Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\n\
            Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            ##- Reply -##\r\nOui =C3=A0 tous: <mailto:clerk%2Bt@a.example?subject=3Dx&body=3D%C3%A9=\r\nt>\r\n\
            \r\n--b--\r\n";
        let mail = Incoming::read(raw.as_bytes());
        assert_eq!(mail.reply_to, "clerk+t@a.example");
        assert!(mail.asks && !mail.replied && mail.text.contains("Oui à tous"));
        assert_eq!(mail.links, [("clerk+t@a.example".to_owned(), "ét".to_owned())]);
    }

    #[test]
    fn a_subject_is_shown_decoded() {
        assert_eq!(shown("Re: =?utf-8?b?T3Vp?= =?utf-8?Q?_=C3=A0?= tous"), "Re: Oui à tous");
    }

    #[test]
    fn a_receipt_is_known_by_its_code() {
        let mut mail = Incoming::read(b"Subject: x\r\n\r\n");
        mail.text = "Your receipt code is 4zvt-3z6f-2aaq-krx7.".to_owned();
        assert!(mail.is_receipt());
        mail.text = "auto-generated: 2026-11-23".to_owned();
        assert!(!mail.is_receipt());
    }
}
