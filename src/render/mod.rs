//! Notices become mail: a template in the recipient's language, filled in, as text and HTML. Pure: the same
//! notice to the same person at the same time gives the same bytes.

mod calendar;
mod clean;
mod helpers;
mod html;
mod mail;
mod templates;
mod text;
mod words;

pub use templates::{TemplateError, Templates, subjects};

use crate::advance::OutboxRow;
use crate::kernel::duties::DEPUTY_FOR;
use crate::kernel::ids::{CaseId, NoticeId, Party};
use crate::kernel::language::Language;
use crate::kernel::register::Register;
use crate::kernel::token::Minter;
use crate::kernel::workflow::{Asks, Class};
use chrono::{DateTime, Utc};
use handlebars::Context;
use pulldown_cmark::Event;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use templates::{EMBEDDED, Tongue};

/// Bytes of a whole mail; longer quotes are cut until it fits.
pub const MAIL_MAX: usize = 30_000;
/// Bytes of a whole confidential mail: what it shows can be read nowhere else.
const CONFIDENTIAL_MAX: usize = 2_000_000;
/// Bytes of one quoted text there.
const CONFIDENTIAL_CAPS: [usize; 1] = [100_000];
/// Bytes of one quoted text, tried in turn until the mail fits.
const QUOTE_CAPS: [usize; 4] = [8_000, 3_000, 1_000, 200];
/// Bytes of a subject.
const SUBJECT_MAX: usize = 240;
/// Bytes of the subject repeated in an answer link, before percent-encoding.
const LINK_SUBJECT_MAX: usize = 72;
/// How the line begins and ends above which people write; readers of replies find the cut by it.
pub const MARK: (&str, &str) = ("##- ", " -##");

/// Who writes: what an installation calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letterhead {
    /// The clerk's address: "clerk@atlarge.example".
    pub clerk: String,
    /// The clerk's name in From.
    pub name: String,
    /// The domain of Message-IDs.
    pub domain: String,
    /// A page that explains what this is, where there is one.
    pub help: Option<String>,
    /// A line of the installation's own under every mail, by language; English stands in.
    pub footer: BTreeMap<Language, String>,
}

/// Whom a mail is for.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    pub party: Party,
    pub name: Option<&'a str>,
    pub address: &'a str,
    pub language: Language,
    pub zone: chrono_tz::Tz,
}

/// A file that goes with a mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Attached {
    pub name: String,
    /// `type/subtype`; what is none goes as bytes of no kind.
    pub media: String,
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Attached {
    /// Says how much there is, never what it says.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Attached({} bytes)", self.bytes.len())
    }
}

/// What a mail answers, and what goes with it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Threading<'a> {
    pub attached: &'a [Attached],
    /// The Message-ID of the mail that is answered, as it stood there.
    pub in_reply_to: Option<&'a str>,
}

/// A mail ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// `clerk+TOKEN@domain`: a bounce names the notice it is about.
    pub envelope_from: String,
    pub to: String,
    /// `<TOKEN@domain>`.
    pub message_id: String,
    pub bytes: Vec<u8>,
}

/// A template with its sample, as a person would see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Why a notice cannot become a mail. Nothing of the mail's content is repeated here.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("there is no template {0:?}; `atlarged preview` lists what there is")]
    NoTemplate(String),
    #[error("template {template:?} in {language}: {problem}")]
    Template { template: String, language: Language, problem: String },
    #[error("template {0:?} has no sample.json that can be read")]
    NoSample(String),
    #[error("the recipient's or the clerk's address is not one mail can be sent to")]
    Address,
    #[error("the case number is beyond what a token can hold")]
    Number,
    #[error("the mail is larger than {MAIL_MAX} bytes even with its quotes cut")]
    TooLarge,
}

/// The text of an embedded file by its path under templates/.
fn embedded(path: &str) -> Option<&'static str> {
    EMBEDDED.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
}

/// Writes mails. Templates are compiled once; rendering needs no lock.
pub struct Renderer {
    letterhead: Letterhead,
    minter: Minter,
    templates: Arc<Templates>,
}

/// A mail before MIME.
struct Page {
    subject: String,
    text: String,
    html: String,
}

/// What the pieces of a mail are made from.
struct Draft<'a> {
    tongue: &'a Tongue,
    template: &'a str,
    asks: Asks,
    data: Value,
    /// The data of the shared parts, answer links excepted.
    shared: Map<String, Value>,
    case: CaseId,
    reply_to: &'a str,
}

impl Renderer {
    /// Compiles every template. `overrides` replaces or adds single files by their path under templates/:
    /// "ballot/ballot/fr.hbs".
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn new(
        letterhead: Letterhead,
        minter: Minter,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Renderer, TemplateError> {
        Ok(Renderer::with(letterhead, minter, Arc::new(Templates::compile(overrides)?)))
    }

    /// A renderer with templates that others may write with too.
    pub fn with(letterhead: Letterhead, minter: Minter, templates: Arc<Templates>) -> Renderer {
        Renderer { letterhead, minter, templates }
    }

    /// The mail of a notice to one recipient, in their language, in English where the template has no other.
    ///
    /// # Errors
    /// A template that does not fit its data, or an address no mail can go to.
    pub fn render(
        &self,
        row: &OutboxRow,
        to: &Recipient<'_>,
        threading: &Threading<'_>,
        register: &Register,
        date: DateTime<Utc>,
    ) -> Result<Rendered, RenderError> {
        let tongue = self.tongue(&row.template, to.language)?;
        let token = self.minter.mint(row.id).ok_or(RenderError::Number)?;
        let reply_to = self.reply_address(&token);
        let message_id = format!("<{token}@{}>", self.letterhead.domain);
        let thread = format!("<case.{}@{}>", self.opaque("thread", row.id.case, ""), self.letterhead.domain);
        let uid = self.opaque("calendar", row.id.case, &to.party.to_string());
        let uid = format!("{uid}@{}", self.letterhead.domain);
        let mut names = Map::new();
        collect_names(&row.data, register, &mut names);
        let confidential = row.class == Class::Confidential;
        // In base64, with its line ends.
        let attached: usize = threading.attached.iter().map(|file| file.bytes.len() * 3 / 2 + 1_000).sum();
        let most = attached + if confidential { CONFIDENTIAL_MAX } else { MAIL_MAX };
        let caps = if confidential { &CONFIDENTIAL_CAPS[..] } else { &QUOTE_CAPS[..] };
        for cap in caps.iter().copied() {
            let draft = Draft {
                tongue,
                template: &row.template,
                asks: row.asks,
                data: ours(row.data.clone(), tongue, to.zone, Value::Object(names.clone()), cap),
                shared: self.shared(tongue, to.name, &token, row.id),
                case: row.id.case,
                reply_to: &reply_to,
            };
            let page = draft.page()?;
            let ics = row.calendar.as_ref().map(|calendar| {
                let summary = page.subject.as_str();
                let (at, sequence) = (calendar.at, row.id.seq);
                calendar::ics(&calendar::Entry { uid: &uid, sequence, at, stamp: date, summary })
            });
            let bytes = mail::bytes(mail::Parts {
                letterhead: &self.letterhead,
                to_address: to.address,
                to_name: to.name,
                subject: &page.subject,
                language: tongue.language.code(),
                text: page.text,
                html: page.html,
                ics,
                attached: threading.attached,
                token: &token,
                reply_to: &reply_to,
                message_id: &message_id,
                thread: &thread,
                in_reply_to: threading.in_reply_to,
                replied: row.answers.is_some() || threading.in_reply_to.is_some(),
                confidential,
                date,
            })?;
            if bytes.len() <= most {
                return Ok(Rendered {
                    envelope_from: reply_to,
                    to: to.address.to_owned(),
                    message_id,
                    bytes,
                });
            }
        }
        Err(RenderError::TooLarge)
    }

    /// A template with the data of its sample.json, as text and HTML.
    ///
    /// # Errors
    /// An unknown template, or a sample that does not fit it.
    pub fn preview(&self, template: &str, language: Language) -> Result<Preview, RenderError> {
        let tongue = self.tongue(template, language)?;
        let sample = embedded(&format!("{template}/sample.json"));
        let sample: Option<Value> = sample.and_then(|text| serde_json::from_str(text).ok());
        let sample = sample.ok_or_else(|| RenderError::NoSample(template.to_owned()))?;
        let setting = |key: &str| sample.get(key).cloned().unwrap_or(Value::Null);
        let asks = serde_json::from_value(setting("_asks")).unwrap_or(Asks::Nothing);
        let zone = setting("_zone").as_str().and_then(|zone| zone.parse().ok()).unwrap_or(chrono_tz::UTC);
        let recipient = setting("_recipient");
        let id = NoticeId { case: CaseId(42), seq: 7, n: 0 };
        let token = self.minter.mint(id).ok_or(RenderError::Number)?;
        let reply_to = self.reply_address(&token);
        let draft = Draft {
            tongue,
            template,
            asks,
            data: ours(sample.clone(), tongue, zone, setting("_names"), QUOTE_CAPS[0]),
            shared: self.shared(tongue, recipient.as_str(), &token, id),
            case: id.case,
            reply_to: &reply_to,
        };
        let page = draft.page()?;
        Ok(Preview { subject: page.subject, text: page.text, html: page.html })
    }

    /// Every notice there is a template for: "ballot/ballot".
    pub fn templates(&self) -> Vec<String> {
        let english = EMBEDDED.iter().filter_map(|(path, _)| path.strip_suffix("/en.hbs"));
        english.filter(|name| !name.starts_with('_')).map(str::to_owned).collect()
    }

    /// The recipient's language if the template is written in it, else English.
    fn tongue(&self, template: &str, language: Language) -> Result<&Tongue, RenderError> {
        let found = self.templates.tongue(template, language);
        found.ok_or_else(|| RenderError::NoTemplate(template.to_owned()))
    }

    /// The address that names a notice: where replies and bounces of it go.
    pub fn reply_address_of(&self, notice: NoticeId) -> Option<String> {
        self.minter.mint(notice).map(|token| self.reply_address(&token))
    }

    /// `clerk+TOKEN@domain`.
    fn reply_address(&self, token: &str) -> String {
        match self.letterhead.clerk.rsplit_once('@') {
            Some((local, domain)) => format!("{local}+{token}@{domain}"),
            None => format!("{}+{token}", self.letterhead.clerk),
        }
    }

    /// A name for something of a case that tells an outsider nothing: calendars are shared, threads are
    /// forwarded.
    fn opaque(&self, purpose: &str, case: CaseId, of: &str) -> String {
        let hash = self.minter.keyed_hash(purpose, format!("{case}:{of}").as_bytes());
        data_encoding::HEXLOWER.encode(&hash[..10])
    }

    fn shared(&self, tongue: &Tongue, name: Option<&str>, token: &str, id: NoticeId) -> Map<String, Value> {
        let footer = &self.letterhead.footer;
        let own = footer.get(&tongue.language).or_else(|| footer.get(&Language::En));
        let data = json!({
            "recipient": name.unwrap_or_default(),
            "clerk": self.letterhead.name,
            "clerk_address": self.letterhead.clerk,
            "help": self.letterhead.help,
            "own": own,
            "case": id.case.to_string(),
            "token": token,
            "_language": tongue.language.code(),
        });
        if let Value::Object(map) = data { map } else { Map::new() }
    }
}

impl Draft<'_> {
    /// Fills the template and the shared parts in and writes them as text and HTML.
    fn page(mut self) -> Result<Page, RenderError> {
        let rtl = self.tongue.language.is_rtl();
        let for_others = self.data.get(DEPUTY_FOR).cloned();
        let names = self.data.get("_names").cloned().unwrap_or_default();
        let filled =
            self.tongue.fill(self.template, std::mem::take(&mut self.data)).map_err(|e| self.failed(&e))?;
        let subject = clean::line(&text::text(&filled.subject, false), SUBJECT_MAX);
        self.shared.insert("_answers".to_owned(), self.answers(&subject));
        self.shared.insert("asked".to_owned(), for_others.clone().unwrap_or_default());
        self.shared.insert("_names".to_owned(), names);
        let shared = Context::from(Value::Object(std::mem::take(&mut self.shared)));
        let part = |name: &str| self.tongue.part(name, &shared).map_err(|e| self.failed(&e));
        let mut letter = part("greeting")?;
        letter.push_str("\n\n");
        if for_others.is_some() {
            letter.push_str(&part("deputy")?);
            letter.push_str("\n\n");
        }
        letter.push_str(&filled.body);
        if let Some(how) = how_to_answer(self.asks) {
            letter.push_str("\n\n");
            letter.push_str(&part(how)?);
        }
        let foot = part("footer")?;
        let top = match self.asks {
            Asks::Nothing => String::new(),
            _ => clean::escape(&format!("{}{}{}", MARK.0, self.tongue.words.reply_above(), MARK.1))
                .into_owned(),
        };
        let [top, letter, foot] = [&top, &letter, &foot].map(|markdown| text::read(markdown));
        let mut plain = String::new();
        for (piece, after) in [(&top, "\n"), (&letter, "\n----\n"), (&foot, "")] {
            plain.push_str(&text::of(piece, rtl));
            plain.push_str(if piece.is_empty() { "" } else { after });
        }
        let write = |events: &[Event<'_>]| html::of(events, rtl);
        let lang = self.tongue.language.code();
        let html = html::page(&subject, lang, rtl, &write(&top), &write(&letter), &write(&foot));
        Ok(Page { subject, text: plain, html })
    }

    fn failed(&self, error: &handlebars::RenderError) -> RenderError {
        RenderError::Template {
            template: self.template.to_owned(),
            language: self.tongue.language,
            problem: error.to_string(),
        }
    }

    /// `mailto:` links by constant: `long` repeats the subject for HTML, `short` fits a line of text.
    fn answers(&self, subject: &str) -> Value {
        let constants: &[&str] = match self.asks {
            Asks::Vote => &["yes", "no", "abstain"],
            Asks::Decision => &["yes", "no"],
            Asks::Confirm => &["confirm"],
            Asks::Nothing | Asks::Text | Asks::Form | Asks::Comment(_) => &[],
        };
        let long = clean::line(subject, LINK_SUBJECT_MAX);
        let links = constants.iter().filter_map(|constant| {
            let word = self.tongue.words.word(constant)?;
            let link = |subject: &str| {
                let subject = percent(&format!("Re: {subject}"));
                format!("mailto:{}?subject={subject}&body={}", percent(self.reply_to), percent(word))
            };
            let links = json!({ "long": link(&long), "short": link(&self.case.to_string()) });
            Some(((*constant).to_owned(), links))
        });
        Value::Object(links.collect())
    }
}

/// The shared part that says how to answer.
fn how_to_answer(asks: Asks) -> Option<&'static str> {
    match asks {
        Asks::Nothing | Asks::Form => None,
        Asks::Vote => Some("how-to-answer-vote"),
        Asks::Decision => Some("how-to-answer-decision"),
        Asks::Confirm => Some("how-to-answer-confirm"),
        Asks::Text => Some("how-to-answer-text"),
        Asks::Comment(_) => Some("how-to-answer-comment"),
    }
}

/// The notice's data with what helpers need under names of ours.
fn ours(data: Value, tongue: &Tongue, zone: chrono_tz::Tz, names: Value, cap: usize) -> Value {
    let mut map = if let Value::Object(map) = data { map } else { Map::new() };
    map.insert("_language".to_owned(), tongue.language.code().into());
    map.insert("_zone".to_owned(), zone.name().into());
    map.insert("_names".to_owned(), names);
    map.insert("_cap".to_owned(), cap.into());
    Value::Object(map)
}

/// The names of every party the data mention by number, as values or as keys.
fn collect_names(data: &Value, register: &Register, names: &mut Map<String, Value>) {
    let mut mention = |text: &str| {
        if text.len() < 24
            && text.starts_with(['p', 'o'])
            && let Ok(party) = text.parse::<Party>()
            && let Some(name) = register.name(party)
        {
            names.insert(text.to_owned(), name.into());
        }
    };
    match data {
        Value::String(text) => mention(text),
        Value::Array(list) => list.iter().for_each(|value| collect_names(value, register, names)),
        Value::Object(map) => {
            map.keys().for_each(|key| mention(key));
            map.values().for_each(|value| collect_names(value, register, names));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Percent-encoding for a `mailto:` link (RFC 6068): all but unreserved characters and the at sign.
fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                out.push(byte.into())
            }
            byte => {
                // Writing to a String never fails.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
