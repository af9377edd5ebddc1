//! The bytes of a mail: headers, text and HTML, a calendar entry.

use super::{Attached, Letterhead, RenderError, clean};
use chrono::{DateTime, Utc};
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, Message, MultiPart, SinglePart};
use lettre::{Address, message::MessageBuilder};
use std::time::SystemTime;

/// Characters of a name in From and To.
const NAME_MAX: usize = 120;
/// Bytes of another mail's Message-ID that are still believed (RFC 5322 lines end at 998).
const MESSAGE_ID_MAX: usize = 250;

/// Everything a mail is made of, each text final.
pub(super) struct Parts<'a> {
    pub letterhead: &'a Letterhead,
    pub to_address: &'a str,
    pub to_name: Option<&'a str>,
    pub subject: &'a str,
    pub language: &'a str,
    pub text: String,
    pub html: String,
    pub ics: Option<String>,
    pub attached: &'a [Attached],
    pub token: &'a str,
    /// The address that carries the token.
    pub reply_to: &'a str,
    pub message_id: &'a str,
    /// The thread every notice of the case belongs to.
    pub thread: &'a str,
    pub in_reply_to: Option<&'a str>,
    /// Whether it answers a letter (RFC 3834).
    pub replied: bool,
    pub confidential: bool,
    pub date: DateTime<Utc>,
}

/// The mail as it goes over the wire, CRLF throughout.
pub(super) fn bytes(parts: Parts<'_>) -> Result<Vec<u8>, RenderError> {
    let clerk = mailbox(Some(&parts.letterhead.name), &parts.letterhead.clerk)?;
    let answered = parts.in_reply_to.filter(|id| is_message_id(id));
    let references = match answered {
        Some(id) => format!("{} {id}", parts.thread),
        None => parts.thread.to_owned(),
    };
    let mut builder = Message::builder()
        .from(clerk)
        .to(mailbox(parts.to_name, parts.to_address)?)
        .reply_to(mailbox(Some(&parts.letterhead.name), parts.reply_to)?)
        .subject(parts.subject)
        .date(SystemTime::from(parts.date))
        .message_id(Some(parts.message_id.to_owned()))
        .references(references);
    if let Some(id) = answered {
        builder = builder.in_reply_to(id.to_owned());
    }
    let auto = if parts.replied { "auto-replied" } else { "auto-generated" };
    builder = header(builder, "Auto-Submitted", auto);
    builder = header(builder, "X-Auto-Response-Suppress", "All");
    builder = header(builder, "Content-Language", parts.language);
    if parts.confidential {
        builder = header(builder, "Sensitivity", "Company-Confidential");
    }
    let body = MultiPart::alternative()
        .boundary(format!("=_a_{}", parts.token))
        .singlepart(SinglePart::plain(parts.text))
        .singlepart(SinglePart::html(parts.html));
    let ics = parts.ics.map(calendar).transpose()?;
    let files: Vec<SinglePart> = ics.into_iter().chain(parts.attached.iter().map(file)).collect();
    let body = match files.is_empty() {
        true => body,
        false => {
            let mixed = MultiPart::mixed().boundary(format!("=_m_{}", parts.token)).multipart(body);
            files.into_iter().fold(mixed, MultiPart::singlepart)
        }
    };
    Ok(builder.multipart(body).map_err(|_| RenderError::Address)?.formatted())
}

fn header(builder: MessageBuilder, name: &'static str, value: &str) -> MessageBuilder {
    builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()))
}

/// A file of somebody else's: under its name, and never as anything a mail program shows by itself.
fn file(file: &Attached) -> SinglePart {
    let media = ContentType::parse(&file.media).ok().filter(|_| file.media.len() <= 100);
    let bytes = ContentType::parse("application/octet-stream").ok();
    let kind = media.or(bytes).unwrap_or(ContentType::TEXT_PLAIN);
    let body = Body::new_with_encoding(file.bytes.clone(), ContentTransferEncoding::Base64);
    let body = body.unwrap_or_else(Body::new);
    Attachment::new(file.name.clone()).body(body, kind)
}

fn calendar(ics: String) -> Result<SinglePart, RenderError> {
    let kind = ContentType::parse("text/calendar; charset=utf-8").map_err(|_| RenderError::Address)?;
    Ok(Attachment::new("deadline.ics".to_owned()).body(ics, kind))
}

/// A name and an address; the name in one line, without anything that could end the header.
fn mailbox(name: Option<&str>, address: &str) -> Result<Mailbox, RenderError> {
    let address: Address = address.parse().map_err(|_| RenderError::Address)?;
    let name = name.map(|name| clean::line(name, NAME_MAX)).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, address))
}

/// `<left@right>` in printable ASCII: what another mail's Message-ID may look like to be repeated here.
fn is_message_id(id: &str) -> bool {
    let inner = id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
    inner.is_some_and(|inner| {
        inner.len() <= MESSAGE_ID_MAX
            && inner.contains('@')
            && inner.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
    })
}
