//! Office: the clerk's own desk, one case for the whole installation. It answers commands, tells people
//! why a mail could not be taken, and writes to staff about the clerk itself.

use super::accreditation::Accreditation;
use super::enquiry::{Asked, Enquiry};
use crate::kernel::assurance::Act;
use crate::kernel::ids::{NoticeId, Party, StrangerId};
use crate::kernel::language::Language;
use crate::kernel::people::Role;
use crate::kernel::register::Change;
use crate::kernel::said::{Command, Differs, Near};
use crate::kernel::workflow::{Audience, Cx, Effect, Input, Notice, Opening, Refusal, Reply, Step, Workflow};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Office {
    Staffed,
}

/// Why the desk brought a mail here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    #[default]
    Commands,
    /// It answers a mail of which nothing is known any more.
    UnknownToken,
    TooLarge,
    /// An answer without a token by somebody who owes several.
    WhichMatter,
}

/// What the desk found out for the office.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Brought {
    pub why: Why,
    /// What waits for the writer.
    #[serde(default)]
    pub waits: Vec<Waits>,
    /// Lines of hers that are nearly a command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<Near>,
    /// She wrote more commands than one mail may hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over_budget: bool,
    /// What VERIFY found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
    /// Applications of the writer's that are under way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applying: Vec<Waits>,
}

/// Whether the clerk wrote a mail that was forwarded to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verified {
    /// No mail was forwarded.
    Nothing,
    /// Word for word as it was sent to her who asks.
    Mine { at: DateTime<Utc> },
    /// Sent by us and not as it stands there.
    Altered { differs: Vec<Differs> },
    /// It bears the number of a mail of ours and no link or address that is not ours. Whether the words are ours
    /// is told to the one it was sent to, and to nobody else.
    Number,
    /// Not ours.
    Other,
    /// It bears no number of ours.
    Unknown,
}

/// One thing that waits for somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waits {
    pub notice: NoticeId,
    /// A text, or a map from language to text.
    pub title: Value,
    #[serde(default)]
    pub until: Option<DateTime<Utc>>,
}

/// One line of the transcript: what was asked and what came of it.
#[derive(Debug, Serialize)]
struct Line {
    /// The key of the command's word.
    key: &'static str,
    outcome: &'static str,
    /// The line as she wrote it, where it is no command.
    wrote: String,
    language: Option<Language>,
    waits: Vec<Waits>,
    at: Option<DateTime<Utc>>,
    differs: Vec<Differs>,
}

impl Line {
    fn new(key: &'static str, outcome: &'static str) -> Line {
        let (language, at) = (None, None);
        Line { key, outcome, wrote: String::new(), language, waits: Vec::new(), at, differs: Vec::new() }
    }

    /// A command that is the office's own to do, or to say why not.
    fn of(command: &Command, known: bool, brought: &Brought) -> Line {
        let key = command.key();
        match command {
            Command::Help => Line { waits: brought.waits.clone(), ..Line::new(key, "help") },
            Command::Status => Line { waits: brought.waits.clone(), ..Line::new(key, "status") },
            // A stranger is answered in the language she writes in; there is nothing to change.
            Command::Language(_) if !known => Line::new(key, "language-stranger"),
            Command::Language(language) => Line { language: Some(*language), ..Line::new(key, "language") },
            Command::LanguageUnknown(_) => Line::new(key, "language-unknown"),
            Command::Withdraw | Command::Recuse | Command::Confirm | Command::Decline => {
                Line::new(key, "matter")
            }
            Command::Suspend
            | Command::Resume
            | Command::Certify
            | Command::Questions
            | Command::Documents(_)
            | Command::Comments
            | Command::Named => Line::new(key, "nothing"),
            Command::MyData | Command::Erase => Line::new(key, "handed-on"),
            // Another group may be meant: she gets the form, and is told what she has begun.
            Command::Apply if !brought.applying.is_empty() => {
                Line { waits: brought.applying.clone(), ..Line::new(key, "apply-again") }
            }
            Command::Apply => Line::new(key, "apply"),
            Command::Verify => Line::verified(key, brought.verified.as_ref()),
        }
    }

    fn verified(key: &'static str, verified: Option<&Verified>) -> Line {
        match verified {
            None | Some(Verified::Nothing) => Line::new(key, "verify-nothing"),
            Some(Verified::Mine { at }) => Line { at: Some(*at), ..Line::new(key, "verify-mine") },
            Some(Verified::Altered { differs }) => {
                Line { differs: differs.clone(), ..Line::new(key, "verify-altered") }
            }
            Some(Verified::Number) => Line::new(key, "verify-number"),
            Some(Verified::Other) => Line::new(key, "verify-other"),
            Some(Verified::Unknown) => Line::new(key, "verify-unknown"),
        }
    }
}

/// What the daemon tells staff about the clerk itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum News {
    /// The weekly digest: what waits for whom, and how many mails ended how.
    Digest {
        tasks: Vec<Waiting>,
        books: Value,
        quarantined: u64,
        silent: u64,
        /// Mails of the week that were too many while nobody vouched for their writers.
        #[serde(default)]
        turned_away: Vec<TurnedAway>,
    },
    /// What has taken longer than its rules give it.
    Overdue(Vec<Late>),
    /// A notice cannot be written or sent until somebody helps.
    Stuck { notice: NoticeId, why: String },
    /// A mail to ourselves, to see that mail comes and goes.
    Heartbeat { to: StrangerId, at: DateTime<Utc> },
    /// Mail that a person must look at.
    Quarantined { what: String, why: String },
}

/// A domain of which more mails came than are let in unproven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnedAway {
    pub domain: String,
    pub count: u64,
}

/// A matter on the list of those that are overdue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Late {
    pub case: String,
    /// A text, or a map from language to text.
    pub title: Value,
    pub days: i64,
    pub why: String,
    pub end: DateTime<Utc>,
}

/// A line of the digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    pub case: String,
    /// A text, or a map from language to text.
    pub title: Value,
    pub to: Vec<Party>,
    pub since: DateTime<Utc>,
    /// Whole days left; negative when overdue.
    pub days_left: Option<i64>,
}

impl Office {
    fn reply(reply: &Reply, cx: &Cx<Policy>) -> Result<Step<Office>, Refusal> {
        let brought: Brought = serde_json::from_value(reply.desk.clone()).unwrap_or_default();
        let waits = || json!({ "waits": brought.waits });
        match brought.why {
            Why::UnknownToken => Err(Refusal::new("office/unknown-token", waits())),
            Why::TooLarge => Err(Refusal::new("office/too-large", json!({ "megabytes": 60 }))),
            Why::WhichMatter => Err(Refusal::new("office/which-matter", waits())),
            Why::Commands => Office::transcript(reply, &brought, cx),
        }
    }

    /// Each line of hers and what came of it, in one mail.
    fn transcript(reply: &Reply, brought: &Brought, cx: &Cx<Policy>) -> Result<Step<Office>, Refusal> {
        // A stranger has nothing on file that could be changed or told; that the mail is hers is enough.
        let stranger = matches!(reply.from, Party::Stranger(_)) && reply.assurance.aligned;
        if !stranger && !cx.acts.allows(Act::Command, reply.assurance) {
            return Err(Refusal::new("office/unsure", json!({})));
        }
        let person = cx.register.speaker(reply.from);
        let commands = &reply.said.commands;
        let mut lines: Vec<Line> =
            commands.iter().map(|command| Line::of(command, person.is_some(), brought)).collect();
        // Of several languages the last holds.
        let language = lines.iter().rev().find_map(|line| line.language);
        lines.retain(|line| line.language.is_none() || line.language == language);
        for near in &brought.near {
            let meant = Command::KEYS.into_iter().find(|key| *key == near.meant);
            lines.extend(meant.map(|key| Line { wrote: near.wrote.clone(), ..Line::new(key, "near") }));
        }
        if brought.over_budget {
            lines.push(Line::new("help", "over"));
        }
        if lines.is_empty() {
            lines.push(Line::of(&Command::Help, true, brought));
        }
        let data = json!({ "lines": lines });
        let transcript = Notice::new("transcript", reply.from, "office/transcript", data);
        let mut step = Step::to(Office::Staffed).tell(transcript);
        let wanted: Vec<&str> = commands
            .iter()
            .filter(|c| matches!(c, Command::MyData | Command::Erase))
            .map(Command::key)
            .collect();
        if !wanted.is_empty() {
            step = step.with(Effect::Open(for_staff(&wanted, reply)));
        }
        if commands.contains(&Command::Apply) {
            step = step.with(Effect::Open(application(reply, cx)));
        }
        Ok(match (language, person) {
            (Some(language), Some(person)) => {
                step.with(Effect::Register(Change::Language(person.id, language)))
            }
            _ => step,
        })
    }

    fn news(news: News, cx: &Cx<Policy>) -> Notice {
        let staff = Audience::Role(Role::Staff, None);
        match news {
            News::Overdue(late) => {
                Notice::new("overdue", officers(cx), "office/overdue", json!({ "late": late }))
            }
            News::Digest { .. } => Notice::new("digest", staff, "office/digest", digest(news)),
            News::Stuck { notice, why } => {
                Notice::new("stuck", staff, "office/stuck", json!({ "notice": notice, "why": why }))
            }
            News::Heartbeat { to, at } => {
                Notice::new("heartbeat", Party::Stranger(to), "office/heartbeat", json!({ "at": at }))
            }
            News::Quarantined { what, why } => {
                Notice::new("quarantined", staff, "office/quarantined", json!({ "what": what, "why": why }))
            }
        }
    }
}

/// Staff and the Chair, or who deputises for them.
fn officers(cx: &Cx<Policy>) -> Audience {
    let holders = |role| cx.register.holders(role, None, cx.now);
    let or = |role, deputy| {
        let people = holders(role);
        if people.is_empty() { holders(deputy) } else { people }
    };
    let chairs = or(Role::AlacChair, Role::AlacViceChair);
    let all: BTreeSet<Party> =
        or(Role::Staff, Role::StaffDeputy).into_iter().chain(chairs).map(Party::Person).collect();
    Audience::Parties(all.into_iter().collect())
}

/// What a person asks of the data held on her, as an enquiry that staff answer: the words by their English
/// constants, beside her own.
fn for_staff(wanted: &[&str], reply: &Reply) -> Opening {
    let subject = wanted.join(", ").replace('_', " ").to_uppercase();
    let asked = Asked { from: reply.from, subject, text: reply.said.text.clone(), acknowledge: false };
    Opening {
        kind: Enquiry::KIND.to_owned(),
        parent: None,
        by: None,
        body: json!(asked),
        arrived: reply.arrived,
        nonce: reply.nonce.clone(),
    }
}

/// The application of whoever wrote APPLY, in her language.
fn application(reply: &Reply, cx: &Cx<Policy>) -> Opening {
    let on_file = cx.register.speaker(reply.from).map(|person| person.language);
    let language = on_file.or(reply.said.language).unwrap_or(Language::En);
    let mut body = json!({ "from": reply.from, "language": language });
    let documents = reply.documents();
    if !documents.is_empty() {
        body["documents"] = json!(documents);
    }
    Opening {
        kind: Accreditation::KIND.to_owned(),
        parent: None,
        by: None,
        body,
        arrived: reply.arrived,
        nonce: reply.nonce.clone(),
    }
}

/// The digest's data: overdue, dated and undated tasks as sections of their own.
fn digest(news: News) -> Value {
    let News::Digest { tasks, books, quarantined, silent, turned_away } = news else { return Value::Null };
    let (overdue, tasks): (Vec<_>, Vec<_>) =
        tasks.into_iter().partition(|task| task.days_left.is_some_and(|days| days < 0));
    let (dated, undated): (Vec<_>, Vec<_>) = tasks.into_iter().partition(|task| task.days_left.is_some());
    let section = |tasks: Vec<Waiting>| if tasks.is_empty() { vec![] } else { vec![tasks] };
    json!({
        "overdue": section(overdue), "dated": section(dated), "undated": section(undated),
        "books": books, "quarantined": quarantined, "silent": silent,
        "turned_away": if turned_away.is_empty() { vec![] } else { vec![turned_away] },
    })
}

impl Workflow for Office {
    const KIND: &'static str = "office";
    type Policy = Policy;

    fn open(_: &Opening, _: &Cx<Policy>) -> Result<Step<Office>, Refusal> {
        Ok(Step::to(Office::Staffed))
    }

    fn step(self, input: &Input, cx: &Cx<Policy>) -> Result<Step<Office>, Refusal> {
        match input {
            Input::Reply(reply) => Office::reply(reply, cx),
            Input::Order(order) => {
                let why = format!("the office takes no order {:?}", order.verb);
                Err(Refusal::new("enquiry/unreadable", json!({ "why": why })))
            }
            Input::Note(note) => match serde_json::from_value(note.body.clone()) {
                Ok(news) => Ok(Step::to(self).tell(Office::news(news, cx))),
                Err(_) => Ok(Step::to(self)),
            },
            _ => Ok(Step::to(self)),
        }
    }

    fn wake_at(&self) -> Option<DateTime<Utc>> {
        None
    }

    fn phase(&self) -> &'static str {
        "staffed"
    }

    fn title(&self) -> String {
        "the clerk's own desk".to_owned()
    }
}
