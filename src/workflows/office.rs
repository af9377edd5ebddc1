//! Office: the clerk's own desk, one case for the whole installation. It answers commands, tells people
//! why a mail could not be taken, and writes to staff about the clerk itself.

use crate::kernel::assurance::Act;
use crate::kernel::ids::{NoticeId, Party, StrangerId};
use crate::kernel::language::Language;
use crate::kernel::people::Role;
use crate::kernel::register::Change;
use crate::kernel::said::Command;
use crate::kernel::workflow::{Audience, Cx, Effect, Input, Notice, Opening, Refusal, Reply, Step, Workflow};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Office {
    Staffed,
}

/// Why the desk brought a mail here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    Commands,
    /// It answers a mail of which nothing is known any more.
    UnknownToken,
    TooLarge,
    /// An answer without a token by somebody who owes several.
    WhichMatter,
}

/// What the desk found out for the office.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Brought {
    pub why: Why,
    /// What waits for the writer.
    #[serde(default)]
    pub waits: Vec<Waits>,
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
        let brought: Option<Brought> = serde_json::from_value(reply.desk.clone()).ok();
        let waits = brought.as_ref().map(|brought| brought.waits.clone()).unwrap_or_default();
        match brought.map(|brought| brought.why) {
            Some(Why::UnknownToken) => Err(Refusal::new("office/unknown-token", json!({ "waits": waits }))),
            Some(Why::TooLarge) => Err(Refusal::new("office/too-large", json!({ "megabytes": 60 }))),
            Some(Why::WhichMatter) => Err(Refusal::new("office/which-matter", json!({ "waits": waits }))),
            Some(Why::Commands) | None => Office::transcript(reply, waits, cx),
        }
    }

    /// Each command and what came of it. Sections are lists of one, so that a template needs no condition.
    fn transcript(reply: &Reply, waits: Vec<Waits>, cx: &Cx<Policy>) -> Result<Step<Office>, Refusal> {
        if !cx.acts.allows(Act::Command, reply.assurance) {
            return Err(Refusal::new("office/unsure", json!({})));
        }
        let mut help = Vec::new();
        let mut status = Vec::new();
        let mut languages: Vec<Language> = Vec::new();
        let mut which = Vec::new();
        let mut unknown: Vec<&str> = Vec::new();
        for command in &reply.said.commands {
            match command {
                Command::Help => help.push(true),
                Command::Status => status.push(waits.clone()),
                Command::Language(language) => languages.push(*language),
                Command::LanguageUnknown(word) => unknown.push(word),
                // Everything else belongs to a matter, and this mail names none.
                _ => which.push(true),
            }
        }
        // A stranger is answered in the language she writes in; there is nothing to change.
        let known = cx.register.speaker(reply.from).is_some();
        let language = languages.last().copied().filter(|_| known);
        help.truncate(1);
        status.truncate(1);
        which.truncate(1);
        unknown.truncate(1);
        let sections = [help.len(), status.len(), which.len(), unknown.len()];
        if sections.iter().sum::<usize>() == 0 && language.is_none() {
            help.push(true);
        }
        let data = json!({
            "help": help, "status": status, "language": Vec::from_iter(language), "which": which,
            "unknown": unknown,
        });
        let step =
            Step::to(Office::Staffed).tell(Notice::new("transcript", reply.from, "office/transcript", data));
        let person = cx.register.speaker(reply.from);
        Ok(match (language, person) {
            (Some(language), Some(person)) => {
                step.with(Effect::Register(Change::Language(person.id, language)))
            }
            _ => step,
        })
    }

    fn news(news: News) -> Notice {
        let staff = Audience::Role(Role::Staff, None);
        match news {
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
                Ok(news) => Ok(Step::to(self).tell(Office::news(news))),
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
