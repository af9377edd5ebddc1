//! What kind of letter it is: one ordered table, the first rule that holds decides.

use std::cell::OnceCell;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::answer;
use super::fold::{fold, with_folded};
use super::homemade;
use super::letter::Class;
use super::mime::Part;
use super::phrases::Phrases;
use super::words::words;

/// What the rules look at.
pub struct Facts<'l, 'a> {
    pub root: &'l Part<'a>,
    /// The subject, folded.
    pub subject: String,
    /// Envelope sender, lower case; empty for the null sender.
    pub return_path: Option<String>,
    /// The address in From, lower case, and its display name, folded.
    pub from: String,
    pub from_name: String,
    /// The whole text, quotes included, and what of it is the author's own.
    pub text: &'l str,
    pub own: &'l str,
    /// Worked out when first asked for: the start of the text, folded, and what a report says itself.
    pub head: OnceCell<String>,
    pub report: OnceCell<&'l str>,
    /// Whether its From is a mail system's.
    pub system: OnceCell<bool>,
    /// Mails enclosed whole.
    pub encloses: bool,
}

impl Facts<'_, '_> {
    fn head(&self) -> &str {
        self.head.get_or_init(|| {
            let end = self.text.floor_char_boundary(3_000);
            fold(&self.text[..end]).into_owned()
        })
    }

    fn report(&self) -> &str {
        self.report.get_or_init(|| homemade::report(self.text))
    }
}

/// The rule of delay warnings: no failure, but worth naming the recipients.
pub const DELAY: &str = "delivery report that only warns";

type Rule = (&'static str, fn(&Facts<'_, '_>) -> bool, Class);

/// The gate. Order matters: a report is a report even when a list or a machine sent it on.
pub const RULES: [Rule; 16] = [
    ("no header at all", |f| f.root.headers.fields.is_empty(), Class::Unreadable),
    ("feedback report (RFC 5965)", feedback_report, Class::Feedback),
    ("challenge to prove oneself a person", challenge, Class::AutoReply),
    (DELAY, delay_report, Class::AutoReply),
    ("delivery report (RFC 3464)", delivery_report, Class::Bounce),
    ("rejection told as a disposition", rejected_disposition, Class::Bounce),
    (
        "disposition notification (RFC 8098)",
        |f| has_part(f, "message/disposition-notification"),
        Class::AutoReply,
    ),
    ("failed recipients in the header", |f| f.root.headers.has("x-failed-recipients"), Class::Bounce),
    ("failure notice in a form of its own", failure_notice, Class::Bounce),
    ("automatic by RFC 3834", auto_submitted, Class::AutoReply),
    ("automatic by a vendor's header", vendor_automatic, Class::AutoReply),
    ("answer to an invitation (RFC 5546), or a reaction by a button", pressed_button, Class::AutoReply),
    ("automatic by its subject or words", automatic_words, Class::AutoReply),
    ("machine-translated list copy", |f| marks(f.text)[0], Class::ListCopy),
    ("list copy", list_copy, Class::ListCopy),
    ("a person wrote it", |_| true, Class::Reply),
];

/// The class and the rule that decided it.
pub fn decide(facts: &Facts<'_, '_>) -> (Class, &'static str) {
    let rule = RULES.iter().find(|(_, holds, _)| holds(facts));
    rule.map_or((Class::Reply, "a person wrote it"), |(name, _, class)| (*class, name))
}

/// Marks that machines leave in a text: of a translated list copy, of OpenPGP.
const MARKS: [&str; 2] = ["[[--Translated text", super::signature::PGP_HEAD];

static FINDERS: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| MARKS.map(Finder::new));

/// Whether the text of a mail was put there by a translating list, and whether OpenPGP signed it.
pub fn marks(text: &str) -> [bool; 2] {
    FINDERS.each_ref().map(|f| f.find(text.as_bytes()).is_some())
}

fn has_part(f: &Facts<'_, '_>, media: &str) -> bool {
    f.root.walk().any(|p| p.media == media)
}

fn feedback_report(f: &Facts<'_, '_>) -> bool {
    f.root.report.as_deref() == Some("feedback-report") || has_part(f, "message/feedback-report")
}

fn status_parts<'l, 'a>(f: &Facts<'l, 'a>) -> Vec<&'l Part<'a>> {
    let parts = if from_mail_system(f) { f.root.walk_all() } else { f.root.walk() };
    parts.filter(|p| p.media.ends_with("delivery-status")).take(20).collect()
}

fn challenge(f: &Facts<'_, '_>) -> bool {
    let says = |text: &str| words().challenge.are_in(text);
    let told = |p: &&Part<'_>| says(&fold(&String::from_utf8_lossy(&p.bytes(8 << 10))).replace("\n ", ""));
    let envelope = f.return_path.as_deref().is_some_and(|r| r != f.from);
    let machine =
        from_machine(f) || envelope || f.from.starts_with("noreply") || f.from.starts_with("no-reply");
    status_parts(f).iter().any(told) || (machine && !f.encloses && says(f.head()))
}

fn delivery_report(f: &Facts<'_, '_>) -> bool {
    !status_parts(f).is_empty() || (f.root.report.as_deref() == Some("delivery-status") && from_machine(f))
}

/// Every recipient's action is "delayed": nothing failed.
fn delay_report(f: &Facts<'_, '_>) -> bool {
    let actions: Vec<String> = status_parts(f)
        .iter()
        .flat_map(|p| {
            let text = String::from_utf8_lossy(&p.bytes(64 << 10)).to_ascii_lowercase();
            let lines = text.lines().filter_map(|l| l.strip_prefix("action:").map(|v| v.trim().to_string()));
            lines.collect::<Vec<_>>()
        })
        .collect();
    !actions.is_empty() && actions.iter().all(|a| a.starts_with("delayed"))
}

/// Dovecot's sieve rejects with a disposition notification that says "deleted".
fn rejected_disposition(f: &Facts<'_, '_>) -> bool {
    has_part(f, "message/disposition-notification")
        && fold(f.report()).contains("rejected")
        && from_machine(f)
}

/// What mail systems call themselves.
static NAMES: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::new([
        "mail delivery",
        "delivery subsystem",
        "delivery system",
        "system administrator",
        "postmaster",
        "mailer-daemon",
        "mailer daemon",
        "mail administrator",
    ])
});

fn from_mail_system(f: &Facts<'_, '_>) -> bool {
    *f.system.get_or_init(|| is_mail_system(f))
}

fn is_mail_system(f: &Facts<'_, '_>) -> bool {
    const LOCALS: &[&str] = &[
        "mailer-daemon",
        "postmaster",
        "mail-daemon",
        "mailerdaemon",
        "mdaemon",
        "double-bounce",
        "mail.delivery.system",
        "mailadmin",
    ];
    let local = f.from.split('@').next().unwrap_or("").trim_matches(['<', '"']);
    LOCALS.iter().any(|l| local.starts_with(l)) || NAMES.are_in(&f.from_name)
}

fn has_null_sender(f: &Facts<'_, '_>) -> bool {
    let path = f.return_path.as_deref();
    path.is_some_and(|r| r.is_empty() || r == "mailer-daemon" || r.starts_with("mailer-daemon@"))
        || f.from.is_empty()
}

fn from_machine(f: &Facts<'_, '_>) -> bool {
    has_null_sender(f) || from_mail_system(f) || auto_submitted(f)
}

/// An address nobody reads: no person answers from one.
fn is_deaf(f: &Facts<'_, '_>) -> bool {
    const LOCALS: &[&str] = &[
        "noreply",
        "no-reply",
        "no_reply",
        "donotreply",
        "do-not-reply",
        "autoreply",
        "auto-reply",
        "autoresponder",
    ];
    LOCALS.iter().any(|l| f.from.starts_with(l))
}

fn failure_notice(f: &Facts<'_, '_>) -> bool {
    let bare = strip_reply_marks(&f.subject);
    let fresh = bare.len() == f.subject.trim().len();
    let titled = words().bounce_subject.are_in(bare);
    if !(from_machine(f) || (fresh && titled)) {
        return titled && answers_with_failure(f, bare);
    }
    let report = f.report();
    let told = homemade::tells_failure(report);
    let returns = f.encloses || report.len() + 20 < f.text.len().min(3_000);
    let code = super::bounce::reply_code(report).is_some();
    if vendor_automatic(f) && !from_mail_system(f) {
        return false;
    }
    let short = report.len() < 1_500;
    if from_mail_system(f) {
        titled || told || (returns && (code || fresh))
    } else if has_null_sender(f) {
        told && (titled || returns || code || short)
    } else {
        told && titled && (fresh || from_machine(f)) && (returns || code || short)
    }
}

/// A gateway that says in brackets behind our subject that it failed, and in a few words for whom. People who
/// answer have a mail that they answer to, and more to say.
fn answers_with_failure(f: &Facts<'_, '_>, subject: &str) -> bool {
    let closing = subject.trim_end().strip_suffix(')').and_then(|s| s.rsplit_once('('));
    let told = closing.is_some_and(|(_, inside)| words().bounce_subject.are_in(inside));
    let threaded = f.root.headers.has("in-reply-to") || f.root.headers.has("references");
    told && !threaded
        && f.text.len() < 1_000
        && homemade::tells_failure(f.text)
        && super::bounce::address_in(f.text).is_some()
        && !answer::mentions(f.own)
}

fn auto_submitted(f: &Facts<'_, '_>) -> bool {
    let value = f.root.headers.token("auto-submitted");
    value.is_some_and(|v| v != "no" && !v.is_empty())
}

fn vendor_automatic(f: &Facts<'_, '_>) -> bool {
    const PRESENT: &[&str] = &[
        "x-autoreply",
        "x-autorespond",
        "x-auto-reply-from",
        "x-autoresponder-from",
        "x-mail-autoreply",
        "x-autoreply-from",
        "x-vacation",
        "x-autoresponder",
        "x-autoresponse",
        "x-auto-responder",
        "x-fc-machinegenerated",
        "x-amazon-auto-reply",
        "x-vacationbot",
    ];
    let h = &f.root.headers;
    let precedence = h.token("precedence").or_else(|| h.token("x-precedence")).unwrap_or_default();
    PRESENT.iter().any(|n| h.token(n).is_some_and(|v| v != "no" && v != "false"))
        || matches!(precedence.as_str(), "auto_reply" | "auto-reply")
        || h.token("x-autogenerated").is_some_and(|v| v == "reply")
        || h.token("x-ms-exchange-generated-message-source")
            .is_some_and(|v| v.contains("mailbox rules agent"))
        || h.has("x-ms-exchange-inbox-rules-loop")
        || h.token("delivered-to").is_some_and(|v| v == "autoresponder")
        || h.text("x-post-messageclass").is_some_and(|v| v.to_ascii_lowercase().contains("autoresponder"))
        || is_deaf(f)
}

/// What a mail program writes when a button is pressed: an invitation taken or declined, a reaction. Its YES or NO
/// is none to our question.
fn pressed_button(f: &Facts<'_, '_>) -> bool {
    let method = |p: &Part<'_>| {
        let content_type = p.headers.text("content-type").unwrap_or_default().to_ascii_lowercase();
        ["method=reply", "method=\"reply", "method=counter", "method=\"counter"]
            .iter()
            .any(|m| content_type.contains(m))
    };
    let reaction = |p: &Part<'_>| p.media.starts_with("text/vnd.google.email-reaction");
    f.root.walk().any(|p| (p.media == "text/calendar" && method(p)) || reaction(p))
}

/// An answering machine's subject, or its words under a subject that answers ours.
fn automatic_words(f: &Facts<'_, '_>) -> bool {
    let bare = strip_reply_marks(&f.subject);
    let table = &words().automatic_subject;
    let opens = |text: &str| {
        let rest = table.opening(text).map(|n| &text[n..]);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let marked = |text: &str| {
        opens(text)
            || text.match_indices(['[', '(']).take(10).any(|(n, _)| table.opening(&text[n + 1..]).is_some())
    };
    let h = &f.root.headers;
    let null = f.return_path.as_deref() == Some("");
    let bulk = matches!(h.token("precedence").as_deref(), Some("bulk" | "junk"))
        || h.has("x-auto-response-suppress");
    let fresh = bare.len() == f.subject.trim().len();
    null || (marked(bare)
        && (fresh || bulk || f.text.len() < 6_000 && words().automatic_words.are_in(f.head())))
        || opens_automatically(f)
}

/// A short text that opens with an answering machine's words and holds no answer: a person who is out of the
/// office and votes all the same is a person.
fn opens_automatically(f: &Facts<'_, '_>) -> bool {
    let early = f.own.len() < 2_000 && words().automatic_words.start_within(f.own, 160);
    early && !answer::casts(f.own)
}

/// A subject without "Re:", "AW:", "Fwd:" and their like.
pub fn strip_reply_marks(subject: &str) -> &str {
    const MARKS: &[&str] = &[
        "re",
        "aw",
        "antw",
        "sv",
        "vs",
        "rv",
        "ref",
        "res",
        "enc",
        "fw",
        "fwd",
        "wg",
        "tr",
        "i",
        "r",
        "odp",
        "ynt",
        "\u{56de}\u{590d}",
        "\u{7b54}\u{590d}",
        "\u{8f6c}\u{53d1}",
        "\u{56de}\u{8986}",
        "\u{631}\u{62f}",
        "\u{43d}\u{430}",
        "\u{43e}\u{442}\u{432}",
    ];
    let mut rest = subject.trim();
    for _ in 0..10 {
        let Some(colon) = rest.char_indices().take(12).find(|(_, c)| matches!(c, ':' | '\u{ff1a}')) else {
            break;
        };
        let head = rest[..colon.0].split('[').next().unwrap_or("").trim();
        if !with_folded(head, |head| MARKS.contains(&head)) {
            break;
        }
        rest = rest[colon.0 + colon.1.len_utf8()..].trim_start();
    }
    rest
}

fn list_copy(f: &Facts<'_, '_>) -> bool {
    is_list(f.root)
}

/// Whether the header says it came through a mailing list.
pub fn is_list(root: &Part<'_>) -> bool {
    let h = &root.headers;
    const PRESENT: &[&str] = &[
        "list-id",
        "list-post",
        "x-mailing-list",
        "mailing-list",
        "x-mailman-version",
        "x-loop-list",
        "x-listname",
    ];
    PRESENT.iter().any(|n| h.has(n)) || h.token("precedence").is_some_and(|v| v == "list")
}
