//! Reports of delivery (RFC 3464, RFC 6533) and what home-made reports say about failed recipients.

use std::sync::LazyLock;

use super::headers::{self, Headers};
use super::homemade;
use super::letter::{Bounce, Reason};
use super::mime::Part;
use super::phrases::Phrases;

/// Recipients kept of one report.
const MAX_RECIPIENTS: usize = 200;
/// Bytes of a report's text that are looked at.
const MAX_TEXT: usize = 64 << 10;

/// Every recipient a report speaks of: by its machine-readable part, the header, or its words.
pub fn read(root: &Part<'_>, text: &str, own: &[String], subject: &str) -> Vec<Bounce> {
    let mut found = Vec::new();
    for part in root.walk_all().filter(|p| p.media.ends_with("delivery-status")).take(20) {
        for bounce in delivery_status(part) {
            push(&mut found, bounce);
        }
    }
    let report = homemade::report(text);
    if found.is_empty() {
        for field in root.headers.all("x-failed-recipients").take(20) {
            for address in headers::text(field).split(',').filter_map(address_in) {
                push(&mut found, judge(address, "5.0.0", report, false));
            }
        }
    }
    if found.is_empty() {
        let domain = root.headers.addresses("from").first().and_then(|a| a.domain().map(String::from));
        found = homemade::recipients(report, subject, own, domain.as_deref());
    }
    found
}

/// Reads the machine-readable part of a report: one block of fields per recipient.
pub fn delivery_status(part: &Part<'_>) -> Vec<Bounce> {
    let bytes = part.bytes(MAX_TEXT);
    let text = super::charset::decode(&bytes, Some("utf-8")).replace("\r\n", "\n");
    let mut found: Vec<Bounce> = Vec::new();
    for block in text.split("\n\n") {
        let raw = format!("{}\n\n", block.trim_start_matches('\n'));
        let (fields, _) = Headers::split(raw.as_bytes());
        if let Some(bounce) = recipient(&fields)
            && !found.iter().any(|b| b.address == bounce.address)
            && found.len() < MAX_RECIPIENTS
        {
            found.push(bounce);
        }
    }
    found
}

fn recipient(fields: &Headers<'_>) -> Option<Bounce> {
    let final_recipient = fields.text("final-recipient").and_then(|v| typed_address(&v));
    let original = fields.text("original-recipient").and_then(|v| typed_address(&v));
    let address = original.or(final_recipient)?;
    let action = fields.token("action").unwrap_or_default();
    if matches!(action.as_str(), "delivered" | "relayed" | "expanded") {
        return None;
    }
    let diagnostic = fields.text("diagnostic-code").unwrap_or_default();
    let status = fields.text("status").unwrap_or_default();
    let delayed = action == "delayed";
    Some(judge(address, &status, &diagnostic, delayed))
}

/// `rfc822; a@b` or a bare address; angle brackets and comments go.
fn typed_address(value: &str) -> Option<String> {
    let bare = value.rsplit(';').next()?.trim().trim_matches(['<', '>', '"', ' ']);
    let whole =
        !bare.is_empty() && !bare.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '('));
    match bare.rsplit_once('@') {
        Some((local, domain)) if whole && !local.is_empty() && !domain.is_empty() && bare.len() <= 320 => {
            Some(format!("{local}@{}", domain.to_lowercase()))
        }
        _ => address_in(bare),
    }
}

/// The first thing in a text that looks like a mail address.
pub fn address_in(text: &str) -> Option<String> {
    let at = text.find('@')?;
    let inside = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let start = text[..at].char_indices().rev().take_while(|(_, c)| inside(*c)).last().map(|(n, _)| n)?;
    let domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let end = text[at + 1..].find(|c: char| !domain(c)).map_or(text.len(), |n| at + 1 + n);
    let address = text[start..end].trim_end_matches(['.', '-']).trim_start_matches(['\'', '=']);
    let (local, host) = address.split_once('@')?;
    (!local.is_empty() && !host.is_empty() && address.len() <= 320)
        .then(|| format!("{local}@{}", host.to_lowercase()))
}

/// The best status out of a Status field and a diagnostic: the diagnostic beats a vague `x.0.0`.
fn best_status(status: &str, diagnostic: &str) -> Option<String> {
    let given = enhanced(status);
    let told = enhanced(diagnostic);
    match (given, told) {
        (Some(g), Some(t)) if vague(&g) => Some(t),
        (Some(g), None) if vague(&g) => reply_code(diagnostic).and_then(from_reply).or(Some(g)),
        (Some(g), _) => Some(g),
        (None, Some(t)) => Some(t),
        (None, None) => reply_code(diagnostic).and_then(from_reply),
    }
}

fn vague(status: &str) -> bool {
    status.ends_with(".0.0")
}

/// The first `class.subject.detail` of a text (RFC 3463).
pub fn enhanced(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let part = |b: &u8| b.is_ascii_digit() || *b == b'.';
    memchr::memchr_iter(b'.', bytes).find_map(|dot| {
        let start = dot.checked_sub(1).filter(|&s| matches!(bytes[s], b'2' | b'4' | b'5'))?;
        if !bytes[..start].iter().rev().take_while(|b| part(b)).all(|b| *b == b'.') {
            return None;
        }
        let end = start + bytes[start..].iter().take_while(|b| part(b)).count();
        let word = text.get(start..end)?.trim_end_matches('.');
        let mut details = word.split('.').skip(1);
        let both = [details.next()?, details.next()?].iter().all(|p| (1..=3).contains(&p.len()));
        (both && details.next().is_none()).then(|| word.to_string())
    })
}

/// The first SMTP reply code 4xx or 5xx of a text.
pub fn reply_code(text: &str) -> Option<u16> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|w| w.len() == 3).find_map(|w| {
        let code: u16 = w.parse().ok()?;
        matches!(code, 420..=460 | 500..=574).then_some(code)
    })
}

fn from_reply(code: u16) -> Option<String> {
    Some(
        match code {
            450 => "4.2.0",
            451 => "4.3.0",
            452 => "4.2.2",
            421 => "4.4.2",
            550 | 551 | 553 => "5.1.1",
            552 => "5.2.2",
            554 => "5.0.0",
            c if c < 500 => "4.0.0",
            _ => "5.0.0",
        }
        .to_string(),
    )
}

/// Puts together what is known about one recipient.
pub fn judge(address: String, status: &str, diagnostic: &str, delayed: bool) -> Bounce {
    let status = best_status(status, diagnostic);
    let permanent = !delayed && !status.as_deref().is_some_and(|s| s.starts_with('4'));
    let reason = if delayed { Reason::Delayed } else { reason(status.as_deref(), diagnostic) };
    Bounce { address, status, permanent, reason }
}

/// What diagnostics say, most telling first.
const TELLS: &[(Reason, &[&str])] = &[
    (
        Reason::MailboxFull,
        &["quota", "mailbox full", "mailbox is full", "over quota", "insufficient system storage"],
    ),
    (Reason::Spam, &["spam", "blacklist", "blocklist", "blocked using", "reputation"]),
    (Reason::Disabled, &["disabled", "inactive", "suspended", "deactivated"]),
    (Reason::Moved, &["has moved", "no longer works here", "address changed"]),
    (
        Reason::UserUnknown,
        &[
            "user unknown",
            "unknown user",
            "no such user",
            "does not exist",
            "doesn't have",
            "unknown recipient",
            "recipient unknown",
            "no mailbox",
            "invalid recipient",
            "unknown local",
            "user not found",
            "mailbox not found",
            "mailbox unavailable",
            "recipient not found",
            "no such recipient",
            "not our customer",
            "unroutable address",
            "address rejected",
            "not listed",
            "unknown address",
        ],
    ),
    (
        Reason::DomainUnknown,
        &[
            "host unknown",
            "domain not found",
            "host not found",
            "name service error",
            "unrouteable",
            "no such domain",
            "nxdomain",
            "host or domain name not found",
        ],
    ),
    (Reason::TooLarge, &["too large", "size limit", "exceeds size", "message size"]),
    (Reason::Loop, &["too many hops", "loop", "hop count"]),
    (
        Reason::NoConnection,
        &[
            "connection refused",
            "timed out",
            "timeout",
            "no route",
            "could not connect",
            "network is unreachable",
            "retry timeout",
        ],
    ),
];

/// What is told of each reason, to be looked for at once.
static TOLD: LazyLock<Phrases> =
    LazyLock::new(|| Phrases::new(TELLS.iter().flat_map(|(_, words)| words.iter().copied())));

fn reason(status: Option<&str>, diagnostic: &str) -> Reason {
    let by_code = by_code(status.unwrap_or(""));
    if !matches!(by_code, None | Some(Reason::Policy)) || !TOLD.are_in(diagnostic) {
        return by_code.unwrap_or(Reason::Unknown);
    }
    let told = diagnostic.to_lowercase();
    let by_words = TELLS.iter().find(|(_, words)| words.iter().any(|w| told.contains(w))).map(|(r, _)| *r);
    match (by_code, by_words) {
        (Some(Reason::Policy), Some(told)) => told,
        (Some(known), _) => known,
        (None, told) => told.unwrap_or(Reason::Unknown),
    }
}

/// The reason an enhanced status code stands for (RFC 3463).
fn by_code(status: &str) -> Option<Reason> {
    Some(match status {
        "5.1.1" | "5.1.0" | "5.1.3" | "5.1.10" | "4.1.1" => Reason::UserUnknown,
        "5.1.2" | "4.1.2" | "5.1.8" => Reason::DomainUnknown,
        "5.1.6" => Reason::Moved,
        "5.2.1" | "4.2.1" => Reason::Disabled,
        "5.2.2" | "4.2.2" => Reason::MailboxFull,
        "5.2.3" | "5.3.4" => Reason::TooLarge,
        "5.4.6" | "4.4.6" => Reason::Loop,
        s if s.starts_with("5.7.") || s.starts_with("4.7.") => Reason::Policy,
        s if s.starts_with("5.4.") || s.starts_with("4.4.") => Reason::NoConnection,
        _ => return None,
    })
}

fn push(found: &mut Vec<Bounce>, bounce: Bounce) {
    let known = found.iter().any(|b| b.address.eq_ignore_ascii_case(&bounce.address));
    if !known && found.len() < MAX_RECIPIENTS {
        found.push(bounce);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_diagnostic_beats_a_vague_status() {
        let b = judge("a@b".into(), "5.0.0", "smtp; 550 5.1.1 <a@b> unknown", false);
        assert_eq!((b.status.as_deref(), b.permanent, b.reason), (Some("5.1.1"), true, Reason::UserUnknown));
        let d = judge("a@b".into(), "4.4.1", "", true);
        assert!(!d.permanent);
    }

    #[test]
    fn addresses_are_found_in_any_dress() {
        assert_eq!(address_in("rfc822; <A.b@Ex.org>").as_deref(), Some("A.b@ex.org"));
        assert_eq!(address_in("no address here"), None);
    }
}
