//! What villagers write, as bytes: with the trace fields the clerk's border server would add. Whether it
//! vouches for the author is the author's doing: she logged in, her provider signed, or nobody knows her.

use super::incoming::Incoming;
use chrono::{DateTime, Utc};

/// The border server, trusted for arrival and authentication.
pub const BORDER: &str = "mx.atlarge.example";
/// The clerk's address.
pub const CLERK: &str = "clerk@atlarge.example";

/// Who vouches for the From.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Submitted after login.
    Login,
    /// Signed by the domain.
    Signed,
    /// Nobody: forged, or a domain without signatures.
    None,
}

/// A mail to be written.
#[derive(Debug, Clone)]
pub struct Draft {
    pub from: String,
    pub name: String,
    pub proof: Proof,
    pub to: String,
    pub subject: String,
    /// The author's words.
    pub text: String,
    /// What follows them: the quote.
    pub quote: String,
    pub in_reply_to: Option<String>,
    pub references: String,
    /// Header lines more.
    pub more: String,
    /// The whole body and its type where it is not plain text: a delivery report.
    pub whole: Option<(String, String)>,
    pub return_path: String,
}

impl Draft {
    /// A mail of her own.
    pub fn fresh(from: &str, name: &str, subject: &str, text: &str) -> Draft {
        Draft {
            from: from.to_owned(),
            name: name.to_owned(),
            proof: Proof::Login,
            to: CLERK.to_owned(),
            subject: subject.to_owned(),
            text: text.to_owned(),
            quote: String::new(),
            in_reply_to: None,
            references: String::new(),
            more: String::new(),
            whole: None,
            return_path: from.to_owned(),
        }
    }

    /// A reply that quotes what it answers, as mail programs do.
    pub fn reply(from: &str, name: &str, to: &Incoming, text: &str) -> Draft {
        let quote = format!("On Mon, 23 Nov 2026 at 10:15, {} wrote:\r\n\r\n{}\r\n", CLERK, to.quoted());
        Draft {
            to: to.reply_to.clone(),
            subject: format!("Re: {}", to.subject),
            quote,
            in_reply_to: Some(to.message_id.clone()),
            references: format!("{} <{}>", to.references, to.message_id),
            ..Draft::fresh(from, name, "", text)
        }
    }

    /// The bytes as they lie in the clerk's mailbox.
    pub fn bytes(&self, message_id: &str, arrived: DateTime<Utc>) -> Vec<u8> {
        let domain = self.from.rsplit('@').next().unwrap_or_default();
        let date = arrived.to_rfc2822();
        let proof = match self.proof {
            Proof::Login => format!("auth=pass (plain) smtp.auth={}", self.from),
            Proof::Signed => format!("dkim=pass header.d={domain}; dmarc=pass header.from={domain}"),
            Proof::None => "dkim=none; dmarc=none".to_owned(),
        };
        let mut head = format!(
            "Return-Path: <{}>\r\nAuthentication-Results: {BORDER}; {proof}\r\n\
             Received: from {domain} by {BORDER} with ESMTPS id x1; {date}\r\n\
             From: {} <{}>\r\nTo: <{}>\r\nSubject: {}\r\nDate: {date}\r\nMessage-ID: <{message_id}>\r\n",
            self.return_path,
            quoted_name(&self.name),
            self.from,
            self.to,
            self.subject,
        );
        if let Some(id) = &self.in_reply_to {
            head.push_str(&format!("In-Reply-To: <{id}>\r\nReferences: {}\r\n", self.references.trim()));
        }
        head.push_str(&self.more);
        let (media, body) = match &self.whole {
            Some((media, body)) => (media.as_str(), body.clone()),
            None => ("text/plain; charset=utf-8", self.body()),
        };
        format!(
            "{head}MIME-Version: 1.0\r\nContent-Type: {media}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}"
        )
        .into_bytes()
    }

    fn body(&self) -> String {
        let words = self.text.replace('\n', "\r\n");
        if self.quote.is_empty() { format!("{words}\r\n") } else { format!("{words}\r\n\r\n{}", self.quote) }
    }
}

/// A display name as an encoded word (RFC 2047); plain where it is ASCII.
fn quoted_name(name: &str) -> String {
    if name.is_ascii() {
        return format!("\"{name}\"");
    }
    format!("=?utf-8?B?{}?=", data_encoding::BASE64.encode(name.as_bytes()))
}

/// A delivery report in the form of Exim's, for a mail that did not reach this address.
pub fn bounce(original: &[u8], envelope_from: &str, address: &str) -> Draft {
    let text = super::incoming::text_of(original);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let boundary = "1700000000-eximdsn-1";
    let body = format!(
        "--{boundary}\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n\
         This message was created automatically by mail delivery software.\r\n\r\n\
         A message that you sent could not be delivered to one or more of its\r\n\
         recipients. This is a permanent error. The following address(es) failed:\r\n\r\n\
         \x20 {address}\r\n    host mx [192.0.2.1]\r\n\
         \x20   SMTP error from remote mail server after RCPT TO:<{address}>:\r\n\
         \x20   550 5.1.1 User unknown\r\n\r\n\
         --{boundary}\r\nContent-type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; relay.example\r\n\r\n\
         Action: failed\r\nFinal-Recipient: rfc822;{address}\r\nStatus: 5.0.0\r\n\
         Remote-MTA: dns; mx\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n\
         --{boundary}\r\nContent-type: message/rfc822\r\n\r\n\
         Return-path: <{envelope_from}>\r\n{head}\r\n\r\n--{boundary}--\r\n"
    );
    let media = format!("multipart/report; report-type=delivery-status; boundary={boundary}");
    Draft {
        proof: Proof::None,
        to: envelope_from.to_owned(),
        subject: "Mail delivery failed: returning message to sender".to_owned(),
        more: format!("X-Failed-Recipients: {address}\r\nAuto-Submitted: auto-replied\r\n"),
        whole: Some((media, body)),
        return_path: String::new(),
        ..Draft::fresh("mailer-daemon@relay.example", "Mail Delivery System", "", "")
    }
}
