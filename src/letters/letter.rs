//! What a letter is once it has been read: the types every other module works with.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::choice::Choice;
use crate::kernel::language::Language;
pub use crate::kernel::said::{Command, Near, Problem};

/// Whose word on the way a letter came is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trust<'a> {
    /// The authserv-id (RFC 8601 section 2.5) whose Authentication-Results count; any other is hearsay.
    pub authserv_id: Option<&'a str>,
    /// The host name our own border server writes after `by` in its Received field.
    pub border_host: Option<&'a str>,
}

/// What kind of thing arrived. The order in which kinds are tried is in `gate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A person wrote it.
    Reply,
    /// A report that mail could not be, or has not yet been, delivered.
    Bounce,
    /// An answering machine wrote it (RFC 3834), a challenge or a receipt included.
    AutoReply,
    /// A complaint or other feedback report (ARF, RFC 5965).
    Feedback,
    /// A copy that passed through a mailing list; no command is taken from one.
    ListCopy,
    /// Not a mail.
    Unreadable,
}

/// A mailbox: the address as written, its display name if any.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    pub name: Option<String>,
    /// `local@domain`, the domain in lower case.
    pub address: String,
}

impl Address {
    /// The part after the last `@`, or nothing.
    pub fn domain(&self) -> Option<&str> {
        self.address.rsplit_once('@').map(|(_, d)| d)
    }
}

/// The answer found in the author's own words, or why none is credited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Present only with `Problem::None` or `Problem::SupportWord`.
    pub choice: Option<Choice>,
    pub problem: Problem,
}

/// One recipient a report speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bounce {
    pub address: String,
    /// The enhanced status code (RFC 3463), the best that could be found: "5.1.1".
    pub status: Option<String>,
    /// False for delays and for failures that may pass.
    pub permanent: bool,
    pub reason: Reason,
}

/// Why delivery failed, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    UserUnknown,
    DomainUnknown,
    MailboxFull,
    TooLarge,
    Policy,
    Spam,
    Disabled,
    Moved,
    NoConnection,
    Loop,
    Delayed,
    Unknown,
}

/// A document that came along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub name: String,
    /// `type/subtype` in lower case.
    pub media_type: String,
    /// Bytes once decoded; for base64 an estimate that may be two too high.
    pub size: usize,
}

/// Where a token was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In a recipient's address, after `+`.
    Recipient,
    /// In an id of In-Reply-To or References.
    Thread,
    /// In the text, the quoted part included.
    Body,
    /// In the mail a bounce returns: its ids, its sender, its recipients.
    Returned,
}

/// A string shaped like one of our tokens and the place it was found in. Evidence, not proof.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Carrier {
    pub place: Place,
    /// 32 characters of base32 in lower case.
    pub token: String,
}

/// One method's outcome as our own border server saw it (RFC 8601).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// "pass", "fail", "softfail", "none", ... in lower case.
    pub result: String,
    /// The domain it speaks for: header.d, smtp.mailfrom's domain, header.from; smtp.auth's user.
    pub subject: Option<String>,
}

/// The topmost block of Authentication-Results of the trusted server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    pub spf: Option<Verdict>,
    /// One per signature.
    pub dkim: Vec<Verdict>,
    pub dmarc: Option<Verdict>,
    pub arc: Option<Verdict>,
    /// The submission's user.
    pub auth: Option<Verdict>,
}

/// Everything read out of one mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub class: Class,
    /// The author's own words.
    pub text: String,
    /// What was cut as a signature, footer or disclaimer.
    pub signature: String,
    /// What was cut as quoted or forwarded.
    pub quoted: String,
    pub language: Option<Language>,
    pub answer: Answer,
    pub commands: Vec<Command>,
    /// Lines that are nearly a command.
    pub near: Vec<Near>,
    /// There were more commands than one mail may hold; the rest was left alone.
    pub over_budget: bool,
    pub subject: String,
    pub from: Option<Address>,
    /// To, Cc, Delivered-To, X-Original-To and Envelope-To, without repetition.
    pub to: Vec<Address>,
    pub reply_to: Option<Address>,
    /// Without the angle brackets.
    pub message_id: Option<String>,
    pub in_reply_to: Vec<String>,
    pub references: Vec<String>,
    /// The envelope sender; `Some("")` for the null sender `<>`.
    pub return_path: Option<String>,
    /// The author's clock; never decides anything.
    pub date: Option<DateTime<Utc>>,
    /// When the border host took it in.
    pub received: Option<DateTime<Utc>>,
    pub authentication: Authentication,
    pub bounces: Vec<Bounce>,
    /// Of a bounce: the Message-ID of the mail that came back.
    pub original_id: Option<String>,
    pub attachments: Vec<Attachment>,
    pub tokens: Vec<Carrier>,
    /// Passed through a mailing list, or its From was rewritten by one.
    pub list: bool,
    /// The raw bytes carry an S/MIME or OpenPGP signature.
    pub signed: bool,
    /// What was doubtful, in plain English; never the mail's own words.
    pub problems: Vec<String>,
}
