//! Reading what arrives: bytes in, a `Letter` out. Pure, and it never fails.
//!
//! `read` takes a mail apart (`mime`), decides what kind of thing it is (`gate`), tells the author's words
//! from quotes (`quote`, `attribution`, `html`) and signatures (`signature`), and looks in them, and
//! nowhere else, for an answer (`answer`) and commands (`command`). Reports are read by `bounce`. The words
//! of all languages are in `words/*.toml`.

pub mod acts;
mod answer;
mod attribution;
mod authentication;
mod ballot;
mod block;
mod body;
mod bounce;
mod charset;
mod command;
pub mod fold;
pub mod form;
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
pub mod sieve;
mod signature;
mod style;
mod table;
mod token;
mod tokens;
mod vouching;
mod words;

use std::cell::OnceCell;

use chrono::{DateTime, Utc};

pub use authentication::sealed;
pub use command::line_command;
pub use inspect::inspect_json;
pub use letter::{
    Address, Answer, Attachment, Bounce, Carrier, Class, Command, Letter, Place, Problem, Reason, Seal, Trust,
};
pub use vouching::{
    Authentication, Chain, Checked, Client, Ground, Sealer, Signed, Verdict, Vouching, related, speaks_for,
};

use command::Commands;
use fold::fold;
use gate::Facts;
use mime::Part;
use sieve::Skeleton;

/// Reads a mail. Never fails and never panics; time and memory are bounded by a small multiple of its size.
pub fn read(raw: &[u8], trust: &Trust<'_>) -> Letter {
    read_tree(&mime::parse(raw), trust)
}

/// Reads what a sieve left of a mail, as the whole would have been read: what is beyond its limits is said to be.
pub fn read_skeleton(skeleton: &Skeleton, trust: &Trust<'_>) -> Letter {
    let mut letter = read_tree(&mime::parse_skeleton(skeleton), trust);
    if skeleton.cut {
        letter.problems.push("too large; what came beyond the limit was left out".to_owned());
    }
    letter
}

fn read_tree(tree: &mime::Tree<'_>, trust: &Trust<'_>) -> Letter {
    let root = &tree.root;
    let headers = &root.headers;
    let authors = headers.addresses("from");
    let (from, authors) = (authors.first().cloned(), authors.len());
    let subject = headers.text("subject").unwrap_or_default();
    let return_path = return_path(root);
    let body = body::read(root, from.as_ref());
    let facts = facts(root, &subject, return_path.as_deref(), from.as_ref(), &body);
    let (class, rule) = gate::decide(&facts);
    let rewritten = is_munged(root, from.as_ref());
    let list = gate::is_list(root) || class == Class::ListCopy || rewritten;
    let human = class == Class::Reply;
    let report = class == Class::Bounce || rule == gate::DELAY;
    let answer =
        if human { body.answer(&subject) } else { Answer { choice: None, problem: Problem::NoAnswer } };
    let mut commands = if human { command::read(&body.text) } else { Commands::default() };
    commands.near.retain(|near| !facts.from_name.contains(near.wrote.as_str()));
    let bounces =
        if report { bounce::read(root, &body.raw, &own_addresses(root), &facts.subject) } else { Vec::new() };
    let original_id = (class == Class::Bounce).then(|| token::returned_id(root, &body.raw)).flatten();
    let (to, written_to) = recipients(root);
    let (in_reply_to, references) = (headers.ids("in-reply-to"), headers.ids("references"));
    let tokens = token::carriers(root, &to, [&in_reply_to, &references], &body.raw);
    let mut problems = doubts(tree, class);
    problems.extend(body.problems);
    let signed = seal(root).or(gate::marks(&body.raw)[1].then_some(Seal::OpenPgp));
    let mut letter = Letter {
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
        checked: None,
        vouching: Vouching::default(),
        client: authentication::client(headers, trust.border_host),
        authors,
        written_to,
        bounces,
        original_id,
        attachments: body.attachments,
        tokens,
        list,
        rewritten,
        signed,
        problems,
        sheet: None,
    };
    letter.weigh(None, trust);
    letter
}

/// What the gate looks at.
fn facts<'l, 'a>(
    root: &'l Part<'a>,
    subject: &str,
    return_path: Option<&str>,
    from: Option<&Address>,
    body: &'l body::Body,
) -> Facts<'l, 'a> {
    Facts {
        root,
        subject: fold(subject).into_owned(),
        return_path: return_path.map(|p| p.to_lowercase()),
        from: from.map(|f| f.address.to_lowercase()).unwrap_or_default(),
        from_name: from
            .as_ref()
            .and_then(|f| f.name.as_deref())
            .map(|n| fold(n).into_owned())
            .unwrap_or_default(),
        text: &body.raw,
        own: &body.text,
        head: OnceCell::new(),
        report: OnceCell::new(),
        system: OnceCell::new(),
        encloses: root.walk().any(|p| p.is_message() || p.media == "text/rfc822-headers"),
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

/// Everybody it was sent to, and how many of them stand in To and Cc; those come first.
fn recipients(root: &Part<'_>) -> (Vec<Address>, usize) {
    const FIELDS: [&str; 5] = ["to", "cc", "delivered-to", "x-original-to", "envelope-to"];
    let (mut found, mut written_to): (Vec<Address>, usize) = (Vec::new(), 0);
    for (n, field) in FIELDS.iter().enumerate() {
        for address in root.headers.addresses(field) {
            if found.len() < 200 && !found.iter().any(|a| a.address.eq_ignore_ascii_case(&address.address)) {
                found.push(address);
            }
        }
        if n < 2 {
            written_to = found.len();
        }
    }
    (found, written_to)
}

/// When a mail arrived, by its own account: where the border host took it in, else by whoever was last to note
/// it, else when its author wrote it.
pub fn arrival(raw: &[u8], trust: &Trust<'_>) -> Option<DateTime<Utc>> {
    let tree = mime::parse(raw);
    let noted = |raw: &[u8]| headers::date(headers::text(raw).rsplit(';').next()?.as_bytes());
    let headers = &tree.root.headers;
    let border = trust.border_host.and_then(|host| received(&tree.root, host));
    border.or_else(|| headers.all("received").find_map(noted)).or_else(|| headers.date("date"))
}

/// When the border host took the mail in: the time of the topmost Received field it wrote.
fn received(root: &Part<'_>, host: &str) -> Option<DateTime<Utc>> {
    root.headers.all("received").take(50).find_map(|raw| {
        let value = headers::text(raw);
        let when = value.rsplit(';').next()?;
        authentication::is_by(raw, host).then(|| headers::date(when.as_bytes())).flatten()
    })
}

/// A list wrote its own address into From: "Ann via Announce <announce@lists.example>", with the author's own in
/// Reply-To or in a field of its own. A mail from the very address it is sent to, to be answered elsewhere, is one.
fn is_munged(root: &Part<'_>, from: Option<&Address>) -> bool {
    let named = from.and_then(|f| f.name.as_deref()).is_some_and(|n| {
        let folded = fold(n).into_owned();
        folded.contains(" via ") || folded.ends_with(" via")
    });
    let is_from = |a: &Address| from.is_some_and(|f| f.address.eq_ignore_ascii_case(&a.address));
    let stands_in = |field| root.headers.addresses(field).iter().any(is_from);
    let answered_elsewhere = root.headers.has("reply-to") && !stands_in("reply-to");
    let own = ["x-original-from", "x-original-sender"].iter().any(|field| root.headers.has(field));
    named || own || (answered_elsewhere && (stands_in("to") || stands_in("cc")))
}

/// The kind of signature that one of the parts is.
fn seal(root: &Part<'_>) -> Option<Seal> {
    root.walk().find_map(|p| match p.media.as_str() {
        "application/pkcs7-mime"
        | "application/x-pkcs7-mime"
        | "application/pkcs7-signature"
        | "application/x-pkcs7-signature" => Some(Seal::SMime),
        "application/pgp-signature" => Some(Seal::OpenPgp),
        // The protocol is told (RFC 1847 section 2.1) though the signature itself was lost.
        "multipart/signed" if !p.children.iter().any(|c| c.media.ends_with("-signature")) => {
            let pgp = p.headers.text("content-type").is_some_and(|ct| ct.to_lowercase().contains("pgp"));
            Some(if pgp { Seal::OpenPgp } else { Seal::SMime })
        }
        _ => None,
    })
}
