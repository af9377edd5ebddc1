//! Reading what arrives: bytes in, a `Letter` out. Pure, and it never fails.
//!
//! `read` takes a mail apart (`mime`), decides what kind of thing it is (`gate`), tells the author's words
//! from quotes (`quote`, `attribution`, `html`) and signatures (`signature`), and looks in them, and
//! nowhere else, for an answer (`answer`) and commands (`command`). Reports are read by `bounce`. The words
//! of all languages are in `words/*.toml`.

mod answer;
mod attribution;
mod authentication;
mod ballot;
mod body;
mod bounce;
mod charset;
mod command;
mod fold;
pub mod forwarded;
mod gate;
mod headers;
mod homemade;
mod html;
mod inspect;
mod language;
mod letter;
mod mime;
mod phrases;
pub mod print;
mod quote;
mod signature;
mod token;
mod tokens;
mod words;

use std::cell::OnceCell;

use chrono::{DateTime, Utc};

pub use inspect::inspect_json;
pub use letter::{
    Address, Answer, Attachment, Authentication, Bounce, Carrier, Class, Command, Letter, Place, Problem,
    Reason, Trust, Verdict,
};

use command::Commands;
use fold::fold;
use gate::Facts;
use mime::Part;

/// Reads a mail. Never fails and never panics; time and memory are bounded by a small multiple of its size.
pub fn read(raw: &[u8], trust: &Trust<'_>) -> Letter {
    let tree = mime::parse(raw);
    let root = &tree.root;
    let headers = &root.headers;
    let from = headers.addresses("from").into_iter().next();
    let subject = headers.text("subject").unwrap_or_default();
    let return_path = return_path(root);
    let body = body::read(root, from.as_ref());
    let facts = Facts {
        root,
        subject: fold(&subject).into_owned(),
        return_path: return_path.as_ref().map(|p| p.to_lowercase()),
        from: from.as_ref().map(|f| f.address.to_lowercase()).unwrap_or_default(),
        from_name: from
            .as_ref()
            .and_then(|f| f.name.as_deref())
            .map(|n| fold(n).into_owned())
            .unwrap_or_default(),
        text: &body.raw,
        own: &body.text,
        head: OnceCell::new(),
        report: OnceCell::new(),
        encloses: root.walk().iter().any(|p| p.is_message() || p.media == "text/rfc822-headers"),
    };
    let (class, rule) = gate::decide(&facts);
    let list = gate::is_list(root) || class == Class::ListCopy || is_munged(root, from.as_ref());
    let human = class == Class::Reply;
    let report = class == Class::Bounce || rule == gate::DELAY;
    let answer =
        if human { body.answer(&subject) } else { Answer { choice: None, problem: Problem::NoAnswer } };
    let mut commands = if human { command::read(&body.text) } else { Commands::default() };
    commands.near.retain(|near| !facts.from_name.contains(near.wrote.as_str()));
    let bounces =
        if report { bounce::read(root, &body.raw, &own_addresses(root), &facts.subject) } else { Vec::new() };
    let original_id = (class == Class::Bounce).then(|| token::returned_id(root, &body.raw)).flatten();
    let to = recipients(root);
    let (in_reply_to, references) = (headers.ids("in-reply-to"), headers.ids("references"));
    let tokens = token::carriers(root, &to, [&in_reply_to, &references], &body.raw);
    let mut problems = doubts(&tree, class);
    problems.extend(body.problems);
    Letter {
        class,
        language: language::detect(if body.text.trim().is_empty() { &subject } else { &body.text }),
        text: body.text,
        signature: body.signature,
        quoted: body.quoted,
        answer,
        commands: commands.all,
        near: commands.near,
        over_budget: commands.over,
        subject,
        from,
        to,
        reply_to: headers.addresses("reply-to").into_iter().next(),
        message_id: headers.ids("message-id").into_iter().next(),
        in_reply_to,
        references,
        return_path,
        date: headers.date("date"),
        received: trust.border_host.and_then(|host| received(root, host)),
        authentication: authentication::read(headers, trust.authserv_id, trust.border_host),
        bounces,
        original_id,
        attachments: body.attachments,
        tokens,
        list,
        signed: is_signed(root) || body.raw.contains(signature::PGP_HEAD),
        problems,
    }
}

/// What had to be left out.
fn doubts(tree: &mime::Tree<'_>, class: Class) -> Vec<String> {
    let told = [
        (class == Class::Unreadable, "not a mail: it has no header"),
        (tree.too_deep, "parts nested too deep were left out"),
        (tree.too_many, "too many parts; the rest was left out"),
        (tree.root.headers.cut, "too many header fields; the rest was left out"),
    ];
    told.into_iter().filter(|(holds, _)| *holds).map(|(_, what)| what.to_string()).collect()
}

/// The envelope sender as the last server noted it; empty for `<>`.
fn return_path(root: &Part<'_>) -> Option<String> {
    let value = root.headers.text("return-path")?;
    let bare = value.trim().trim_start_matches('<').trim_end_matches('>').trim();
    Some(bare.chars().take(320).collect())
}

/// The addresses a report bears itself: never those that failed.
fn own_addresses(root: &Part<'_>) -> Vec<String> {
    const FIELDS: &[&str] = &["to", "from", "sender", "reply-to", "delivered-to", "errors-to", "return-path"];
    FIELDS.iter().flat_map(|f| root.headers.addresses(f)).map(|a| a.address.to_lowercase()).collect()
}

fn recipients(root: &Part<'_>) -> Vec<Address> {
    const FIELDS: &[&str] = &["to", "cc", "delivered-to", "x-original-to", "envelope-to"];
    let mut found: Vec<Address> = Vec::new();
    for address in FIELDS.iter().flat_map(|f| root.headers.addresses(f)) {
        if found.len() < 200 && !found.iter().any(|a| a.address.eq_ignore_ascii_case(&address.address)) {
            found.push(address);
        }
    }
    found
}

/// When the border host took the mail in: the time of the topmost Received field it wrote.
fn received(root: &Part<'_>, host: &str) -> Option<DateTime<Utc>> {
    root.headers.all("received").take(50).find_map(|raw| {
        let value = headers::text(raw);
        let when = value.rsplit(';').next()?;
        authentication::by(raw)?.eq_ignore_ascii_case(host).then(|| headers::date(when.as_bytes())).flatten()
    })
}

/// A list wrote its own address into From: "Ann via Announce <announce@lists.example>".
fn is_munged(root: &Part<'_>, from: Option<&Address>) -> bool {
    let named = from.and_then(|f| f.name.as_deref()).is_some_and(|n| {
        let folded = fold(n).into_owned();
        folded.contains(" via ") || folded.ends_with(" via")
    });
    named || root.headers.has("x-original-from")
}

fn is_signed(root: &Part<'_>) -> bool {
    root.walk().iter().any(|p| {
        matches!(
            p.media.as_str(),
            "multipart/signed"
                | "application/pkcs7-mime"
                | "application/x-pkcs7-mime"
                | "application/pgp-signature"
        )
    })
}
