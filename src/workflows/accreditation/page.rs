//! A page for a structure that has none (F): what its application says in public, as staff released it. Its
//! representatives may have words of their own put on it by mail; staff look first, and no version is lost.

use super::{At, Decided, File, Page, Words, application, mails, record};
use crate::kernel::ids::{OrganisationId, Party, PersonId};
use crate::kernel::language::Language;
use crate::kernel::people::Role;
use crate::kernel::workflow::{Asks, Audience, Effect, Notice, Record, Refusal, Reply, Task};
use crate::letters::acts::{self, Act};
use crate::letters::form;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The task of staff.
pub(super) const LABEL: &str = "page";
/// The mail to the structure.
pub(super) const OWN: &str = "page-own";
/// Characters of a structure's own words.
const LONGEST: usize = 4_000;

/// Whether an application names no presence on the web.
pub(super) fn wanting(file: &File) -> bool {
    file.answer("web").is_none()
}

/// Where the page stands below the public directory.
fn path(organisation: OrganisationId) -> String {
    format!("structures/{organisation}.html")
}

/// Asks staff to look at the page and release it.
pub(super) fn ask(decided: &Decided, organisation: OrganisationId, cx: &At) -> Effect {
    let page = decided.page.clone().unwrap_or_default();
    let mut data = mails::facts(&decided.file, cx);
    data["organisation"] = json!(Party::Organisation(organisation));
    data["answers"] = json!(mails::public_answers(&decided.file));
    data["words"] = json!(page.proposed.iter().map(|words| &words.text).collect::<Vec<_>>());
    data["by"] = json!(page.proposed.iter().map(|words| Party::Person(words.by)).collect::<Vec<_>>());
    data["page"] = json!(path(organisation));
    let staff = Audience::Role(Role::Staff, None);
    let notice = Notice::new(LABEL, staff, "accreditation/page-task", data).asking(Asks::Text);
    Effect::Task(Task::new(notice, None))
}

/// Asks for a page, as staff found that the structure has none that works.
pub(super) fn wanted(decided: &mut Decided, out: &mut Vec<Effect>, cx: &At) -> Result<(), Refusal> {
    let Some(organisation) = decided.organisation else {
        return Err(mails::not_done(&decided.file.name(), "page-none"));
    };
    decided.page.get_or_insert_with(Page::default);
    out.push(ask(decided, organisation, cx));
    Ok(())
}

/// Staff's reply to the task.
pub(super) fn reply(
    decided: &mut Decided,
    by: PersonId,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let (lines, _) = acts::lines(&reply.said.text);
    if !lines.iter().any(|line| line.act == Act::Release && line.item.is_none()) {
        let unclear = mails::not_done(&decided.file.name(), "release-unclear");
        return Err(unclear.asking(Asks::Text).about(LABEL.to_owned()));
    }
    release(decided, by, reply.arrived, out, cx)
}

/// Publishes the page, with what was proposed, and tells the structure where it is.
pub(super) fn release(
    decided: &mut Decided,
    by: PersonId,
    at: DateTime<Utc>,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let (Some(organisation), Some(page)) = (decided.organisation, &mut decided.page) else {
        return Err(mails::not_done(&decided.file.name(), "page-none"));
    };
    let before = page.versions.last().map(|words| words.text.clone()).unwrap_or_default();
    let words = page.proposed.take().unwrap_or(Words { text: before, by, at });
    page.versions.push(Words { at, ..words });
    out.push(Effect::Cancel(LABEL.to_owned()));
    out.push(Effect::Publish(written(decided, organisation)));
    let mut data = mails::facts(&decided.file, cx);
    data["organisation"] = json!(Party::Organisation(organisation));
    data["page"] = json!(path(organisation));
    let own = Notice::new(OWN, Party::Organisation(organisation), "accreditation/page", data);
    out.push(Effect::Tell(own.asking(Asks::Text)));
    Ok(())
}

/// What was proposed, or the page itself, does not go on it: as somebody decided.
pub(super) fn refuse(decided: &mut Decided, out: &mut Vec<Effect>) {
    if let Some(page) = &mut decided.page {
        page.proposed = None;
        if page.versions.is_empty() {
            decided.page = None;
        }
    }
    out.push(Effect::Cancel(LABEL.to_owned()));
}

/// A representative's words for the page. Whoever reads it is everybody: addresses and numbers stay away.
pub(super) fn propose(
    decided: &mut Decided,
    by: PersonId,
    reply: &Reply,
    out: &mut Vec<Effect>,
    cx: &At,
) -> Result<(), Refusal> {
    let name = decided.file.name();
    let text: String = reply.said.text.trim().chars().take(LONGEST).collect();
    let about = |why: &str| mails::not_done(&name, why).asking(Asks::Text).about(OWN.to_owned());
    let (Some(organisation), Some(page)) = (decided.organisation, &mut decided.page) else {
        return Err(mails::not_done(&name, "page-none"));
    };
    if text.is_empty() {
        return Err(about("empty"));
    }
    if record::personal(&text) {
        return Err(about("page-personal"));
    }
    page.proposed = Some(Words { text, by, at: reply.arrived });
    out.push(ask(decided, organisation, cx));
    let thanks = mails::progress(&decided.file, "information", Some(reply.arrived), cx);
    out.push(Effect::Tell(Notice { to: reply.from.into(), address: 0, ..thanks }));
    Ok(())
}

/// The page as a file: in the language of the application, and in English.
fn written(decided: &Decided, organisation: OrganisationId) -> Record {
    let file = &decided.file;
    let mut html = String::from("<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n");
    let name = plain(&file.name());
    let _ = write!(html, "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{name}</title>\n");
    html.push_str("</head>\n<body>\n");
    for language in BTreeSet::from([file.talk.language, Language::En]).into_iter().rev() {
        section(&mut html, decided, language);
    }
    html.push_str("</body>\n</html>\n");
    Record { path: path(organisation), body: Value::String(html) }
}

fn section(html: &mut String, decided: &Decided, language: Language) {
    let file = &decided.file;
    let direction = if language.is_rtl() { "rtl" } else { "ltr" };
    let name = plain(&file.name());
    let about = plain(&mails::page_about(file, language));
    let _ = write!(html, "<section lang=\"{language}\" dir=\"{direction}\">\n<h1>{name}</h1>\n");
    let _ = writeln!(html, "<p>{about}</p>");
    let words = decided.page.iter().filter_map(|page| page.versions.last());
    for paragraph in words.flat_map(|words| words.text.split("\n\n")).filter(|text| !text.trim().is_empty()) {
        let _ = writeln!(html, "<p dir=\"auto\">{}</p>", plain(paragraph));
    }
    html.push_str("<dl>\n");
    for field in &application::form().fields {
        if let Some(answer) = record::public(file, &field.id) {
            let label = plain(field.label.get(language));
            let value = plain(&form::shown(field, answer, language));
            let _ = write!(html, "<dt>{label}</dt>\n<dd dir=\"auto\">{value}</dd>\n");
        }
    }
    html.push_str("</dl>\n</section>\n");
}

/// What somebody wrote, as text and nothing else: no markup, no change of writing direction.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("<br>"),
            c if c.is_control() => out.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_somebody_wrote_is_text_and_nothing_else() {
        assert_eq!(
            plain("<b onclick='x'>&\"a\"\u{202e}\nb"),
            "&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;a&quot;<br>b"
        );
    }
}
