//! The text of a mail: which parts hold it, what of it is the author's, what came attached.

use super::answer;
use super::command;
use super::gate;
use super::html;
use super::letter::{Address, Answer, Attachment, Problem};
use super::mime::{Encoding, Part};
use super::quote::{self, Line};
use super::signature::{self, Sender};

/// Attachments that are listed.
const MAX_ATTACHMENTS: usize = 100;

/// The text taken apart.
#[derive(Debug, Default)]
pub struct Body {
    pub text: String,
    pub signature: String,
    pub quoted: String,
    /// Everything, quotes included.
    pub raw: String,
    /// The author's words as the other form (HTML beside plain text) has them.
    pub other: Option<String>,
    /// Text of the author's that cannot be seen.
    pub hidden: String,
    pub attachments: Vec<Attachment>,
    pub problems: Vec<String>,
}

#[derive(Debug, Default)]
struct Split {
    text: String,
    signature: String,
    quoted: String,
    raw: String,
    hidden: String,
    quote_at_top: bool,
}

/// Reads the text of a mail.
pub fn read(root: &Part<'_>, from: Option<&Address>) -> Body {
    let sender = Sender::new(from.and_then(|f| f.name.as_deref()), from.map(|f| f.address.as_str()));
    let mut body = Body::default();
    let mut plain: Vec<&Part<'_>> = Vec::new();
    let mut rich: Vec<&Part<'_>> = Vec::new();
    collect(root, &mut plain, &mut rich, &mut body.attachments);
    if plain.is_empty() && rich.is_empty() {
        plain.extend(root.walk().filter(|p| p.media == "text/plain" && !p.attached).take(1));
    }
    let sealed = |p: &&Part<'_>| p.media == "multipart/encrypted" || p.media.ends_with("pkcs7-mime");
    if root.walk().any(|p| sealed(&p)) {
        body.problems.push("sealed by S/MIME or OpenPGP; what is inside was not read".into());
    }
    let mut cut = false;
    let mut join = |parts: &[&Part<'_>]| {
        let mut text = String::new();
        for part in parts {
            let (next, was_cut) = part.text();
            let fits = text.len() + next.len() <= super::mime::MAX_TEXT;
            cut |= was_cut || !fits;
            let next = if part.flowed { unflow(&next, part.delsp) } else { next };
            if fits && text.is_empty() {
                text = next;
            } else if fits {
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push_str(&next);
            }
        }
        text
    };
    let (mut plain_text, html_text) = (join(&plain), join(&rich));
    cut |= limit_lines(&mut plain_text);
    let from_plain = (!plain_text.trim().is_empty()).then(|| split_plain(plain_text, &sender));
    let from_html = (!html_text.trim().is_empty()).then(|| split_html(&html_text, &sender));
    if cut {
        body.problems.push("the text is too long; its end was not read".into());
    }
    let (main, other) = match (from_plain, from_html) {
        (Some(p), Some(h)) if p.text.trim().is_empty() && !h.text.trim().is_empty() => (h, None),
        (Some(p), h) => (p, h),
        (None, Some(h)) => (h, None),
        (None, None) => (Split::default(), None),
    };
    if main.quote_at_top {
        body.problems
            .push("the text starts with an unmarked quote; words below it may be the author's".into());
    }
    body.hidden = other.as_ref().map_or(main.hidden, |o| o.hidden.clone());
    body.other = other.map(|o| o.text);
    body.text = main.text;
    body.signature = main.signature;
    body.quoted = main.quoted;
    body.raw = main.raw;
    body
}

impl Body {
    /// The answer in the author's words, checked against the subject, the other form and hidden text.
    pub fn answer(&self, subject: &str) -> Answer {
        let mut found = answer::read(&self.text);
        let bare = gate::strip_reply_marks(subject);
        if bare.len() == subject.trim().len() && !subject.trim().is_empty() {
            let told = answer::read(bare);
            match (found.choice, told.choice, told.problem) {
                (Some(a), Some(b), Problem::None) if a != b => return none(Problem::SubjectDisagrees),
                (None, Some(_), Problem::None)
                    if matches!(found.problem, Problem::Empty | Problem::NoAnswer) =>
                {
                    found = told;
                }
                _ => {}
            }
        }
        if let Some(other) = &self.other {
            let also = answer::read(other);
            if also.choice != found.choice && (also.choice.is_some() || found.choice.is_some()) {
                return none(Problem::PartsDisagree);
            }
        }
        if answer::mentions(&self.hidden) {
            return none(Problem::Hidden);
        }
        if matches!(found.problem, Problem::Empty | Problem::NoAnswer) && answer::mentions(&self.quoted) {
            return none(Problem::QuotedOnly);
        }
        found
    }
}

/// A line the author must not lose to a signature: an answer or a command.
fn is_meant(line: &str) -> bool {
    answer::is_plain(line) || command::line_command(line).is_some()
}

fn none(problem: Problem) -> Answer {
    Answer { choice: None, problem }
}

/// Cuts a text after so many lines; tells whether it did.
fn limit_lines(text: &mut String) -> bool {
    if text.len() < super::mime::MAX_LINES {
        return false;
    }
    let end =
        text.bytes().enumerate().filter(|(_, b)| *b == b'\n').nth(super::mime::MAX_LINES).map(|(n, _)| n);
    text.truncate(end.unwrap_or(text.len()));
    end.is_some()
}

/// Sorts the parts into plain text, HTML and attachments.
fn collect<'l, 'a>(
    part: &'l Part<'a>,
    plain: &mut Vec<&'l Part<'a>>,
    rich: &mut Vec<&'l Part<'a>>,
    attachments: &mut Vec<Attachment>,
) {
    if part.is_multipart() {
        for child in &part.children {
            collect(child, plain, rich, attachments);
        }
        return;
    }
    let text = part.is_text() && !part.attached && (part.name.is_none() || part.media == "text/html");
    match part.media.as_str() {
        "text/plain" if text => plain.push(part),
        "text/html" if text => rich.push(part),
        "text/enriched" if text => plain.push(part),
        _ if attachments.len() < MAX_ATTACHMENTS => attachments.push(attachment(part)),
        _ => {}
    }
}

/// The letters of base64.
const BASE64: [bool; 256] = {
    let mut letters = [false; 256];
    let mut b = 0;
    while b < 256 {
        letters[b] = matches!(b as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'/');
        b += 1;
    }
    letters
};

pub(super) fn is_base64(byte: u8) -> bool {
    BASE64[usize::from(byte)]
}

fn attachment(part: &Part<'_>) -> Attachment {
    let size = match (part.whole, part.encoding()) {
        (Some(whole), _) => whole,
        (None, Encoding::Base64) => {
            part.body.iter().map(|b| usize::from(BASE64[usize::from(*b)])).sum::<usize>() * 3 / 4
        }
        (None, Encoding::Quoted) => super::mime::quoted(part.body, usize::MAX).len(),
        (None, _) => part.body.len(),
    };
    let name: String =
        part.name.as_deref().unwrap_or("").chars().filter(|c| !c.is_control()).take(255).collect();
    Attachment { name, media_type: part.media.clone(), size }
}

/// Joins the soft line breaks of format=flowed (RFC 3676).
pub(super) fn unflow(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut soft: Option<usize> = None;
    for line in text.split('\n') {
        let level = line.bytes().take_while(|b| *b == b'>').count();
        let content = &line[level..];
        let content = content.strip_prefix(' ').unwrap_or(content);
        let separator = content.trim_end() == "--";
        if soft == Some(level) && !separator {
            out.push_str(content);
        } else {
            if !out.is_empty() || soft.is_some() {
                out.push('\n');
            }
            out.push_str(&">".repeat(level.min(50)));
            if level > 0 {
                out.push(' ');
            }
            out.push_str(content);
        }
        let flows = content.ends_with(' ') && !separator;
        if flows && delsp {
            out.pop();
        }
        soft = flows.then_some(level);
    }
    out
}

fn split_plain(text: String, sender: &Sender) -> Split {
    let mut lines = quote::lines(&text);
    let doubts = quote::separate(&mut lines);
    signature::mark(&mut lines, sender, &is_meant);
    let mut split = gather(&lines);
    split.quote_at_top = doubts.quote_at_top;
    split.raw = text;
    split
}

fn split_html(html_text: &str, sender: &Sender) -> Split {
    let mut page = html::read(html_text);
    limit_lines(&mut page.text);
    let mut lines: Vec<Line<'_>> = page
        .text
        .split('\n')
        .zip(page.parts.iter().chain(std::iter::repeat(&None)))
        .map(|(text, part)| Line::told(text, *part))
        .collect();
    let doubts = quote::separate(&mut lines);
    signature::mark(&mut lines, sender, &is_meant);
    let mut split = gather(&lines);
    split.quote_at_top = doubts.quote_at_top;
    let own = |at: &usize| lines.get(*at).is_none_or(|l| l.part == quote::Part::Own);
    split.hidden =
        page.hidden.iter().filter(|(at, _)| own(at)).map(|(_, t)| t.as_str()).collect::<Vec<_>>().join("\n");
    drop(lines);
    split.raw = page.text;
    split
}

/// Puts the lines of each kind together again; blank lines at both ends go.
fn gather(lines: &[Line<'_>]) -> Split {
    let mut sizes = [0; 3];
    lines.iter().for_each(|l| sizes[l.part as usize] += l.text.len() + 2);
    let mut texts = sizes.map(String::with_capacity);
    let mut before = None;
    for line in lines {
        let text = &mut texts[line.part as usize];
        if before != Some(line.part) && !text.is_empty() && !text.ends_with("\n\n") {
            text.push('\n');
        }
        before = Some(line.part);
        text.push_str(line.text.trim_end());
        text.push('\n');
    }
    for text in &mut texts {
        text.truncate(text.trim_end().len());
        let blank = text.len() - text.trim_start_matches(['\n', '\r']).len();
        text.drain(..blank);
    }
    let [text, quoted, signature] = texts;
    Split { text, signature, quoted, ..Split::default() }
}
