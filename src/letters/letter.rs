//! What a letter is once it has been read: the types every other module works with.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::vouching::{Authentication, Checked, Client, Vouching};
use crate::kernel::choice::Choice;
use crate::kernel::form::Sheet;
use crate::kernel::language::Language;
pub use crate::kernel::said::{Command, Near, Problem};

/// Whose word on the way a letter came is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trust<'a> {
    /// The authserv-id (RFC 8601 section 2.5) whose Authentication-Results count; any other is hearsay.
    pub authserv_id: Option<&'a str>,
    /// The host name our own border server writes after `by` in its Received field; several, parted by spaces.
    pub border_host: Option<&'a str>,
    /// Domains of forwarders whose ARC seal (RFC 8617) is believed about the mail they took in.
    pub forwarders: &'a [String],
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

/// A signature by the author herself, apart from those of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Seal {
    /// S/MIME (RFC 8551).
    #[serde(rename = "smime")]
    SMime,
    /// OpenPGP, as PGP/MIME (RFC 3156) or as armour around the text (RFC 9580).
    #[serde(rename = "openpgp")]
    OpenPgp,
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
    /// What the trusted server wrote about its sender.
    pub authentication: Authentication,
    /// What we found out about its sender ourselves; nothing where that was not tried.
    pub checked: Option<Checked>,
    /// Whether all that vouches for From, and why, or why not.
    pub vouching: Vouching,
    /// Who handed it to the border host.
    pub client: Option<Client>,
    /// Authors that From names, all From fields together.
    pub authors: usize,
    /// How many of `to` stand in To and Cc, which a signature covers; they come first.
    pub written_to: usize,
    pub bounces: Vec<Bounce>,
    /// Of a bounce: the Message-ID of the mail that came back.
    pub original_id: Option<String>,
    pub attachments: Vec<Attachment>,
    pub tokens: Vec<Carrier>,
    /// Passed through a mailing list, or its From was rewritten by one.
    pub list: bool,
    /// A list put its own address into From, in place of the author's.
    pub rewritten: bool,
    /// The signature by its author that the raw bytes carry. It is kept and told, not checked.
    pub signed: Option<Seal>,
    /// What was doubtful, in plain English; never the mail's own words.
    pub problems: Vec<String>,
    /// All lines and files, where somebody asked `form::sheet` for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<Sheet>,
}
