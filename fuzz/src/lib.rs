//! What every target holds a letter to: the same each time, within bounds, and no answer but a person's own.

use atlarged::letters::sieve::{Limits, Sieve};
use atlarged::letters::{self, Class, Letter, Problem, Trust};

/// The trust of an installation with a border server of its own.
pub const TRUST: Trust<'static> =
    Trust { authserv_id: Some("mx.clerk.example"), border_host: Some("mx.clerk.example"), forwarders: &[] };

/// Reads a mail and holds the letter to what always holds.
pub fn read(raw: &[u8]) -> Letter {
    let letter = letters::read(raw, &TRUST);
    assert_eq!(letter, letters::read(raw, &TRUST), "reading twice gives the same");
    let said = letters::inspect_json("a.eml", &letter);
    assert!(said["class"].is_string() && said["choice_problem"].is_string());
    bounded(&letter, raw.len());
    credited(&letter);
    in_parts(raw, &letter);
    letter
}

/// In parts a mail is the same mail, and what is kept of it does not grow.
fn in_parts(raw: &[u8], letter: &Letter) {
    let mut sieve = Sieve::new(Limits::READ);
    raw.chunks(1 + raw.len() / 3).for_each(|part| sieve.push(part));
    let skeleton = sieve.finish();
    assert!(skeleton.bytes.len() <= Limits::READ.all.min(2 * raw.len() + 64), "what is kept grows");
    if !skeleton.cut {
        assert_eq!(*letter, letters::read_skeleton(&skeleton, &TRUST), "read in parts");
    }
}

/// Nothing grows beyond its bound. A byte becomes three at most by its charset.
fn bounded(letter: &Letter, size: usize) {
    let words = letter.text.len() + letter.signature.len() + letter.quoted.len();
    assert!(words <= 4 * size + 64, "{words} bytes of text out of {size}");
    assert!(letter.text.len() <= (4 << 20) + 3, "more text than is ever read");
    let counts = [
        (letter.commands.len(), 20),
        (letter.bounces.len(), 200),
        (letter.attachments.len(), 100),
        (letter.tokens.len(), 50),
        (letter.to.len(), 200),
        (letter.references.len(), 200),
        (letter.problems.len(), 20),
        (letter.near.len(), 5),
    ];
    for (n, (count, limit)) in counts.into_iter().enumerate() {
        assert!(count <= limit, "list {n} has {count} entries");
    }
    for carrier in &letter.tokens {
        assert!(carrier.token.len() == 32 && carrier.token.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
    for bounce in &letter.bounces {
        assert!(bounce.address.contains('@') && bounce.address.len() <= 320, "{:?}", bounce.address);
    }
    for address in letter.from.iter().chain(&letter.to).chain(&letter.reply_to) {
        assert!(address.address.contains('@') && address.address.len() <= 400, "{:?}", address.address);
    }
}

/// A choice and commands are a person's, and say why they count.
fn credited(letter: &Letter) {
    if letter.class != Class::Reply {
        assert!(letter.answer.choice.is_none() && letter.commands.is_empty(), "a machine's answer counts");
    }
    let credits = matches!(letter.answer.problem, Problem::None | Problem::SupportWord);
    assert_eq!(letter.answer.choice.is_some(), credits, "{:?}", letter.answer);
}

/// A plain mail of a person's around a text.
pub fn plain(text: &[u8]) -> Vec<u8> {
    let head: &[u8] =
        b"From: Ann Member <ann@member.example>\r\nTo: clerk@clerk.example\r\nSubject: Re: vote\r\n\
        Message-ID: <1@member.example>\r\nContent-Type: text/plain; charset=utf-8\r\n";
    [head, b"Content-Transfer-Encoding: 8bit\r\n\r\n", text].concat()
}

/// The same in base64.
pub fn plain_in_base64(text: &[u8]) -> Vec<u8> {
    let mut mail = plain(b"");
    mail.truncate(mail.len() - b"8bit\r\n\r\n".len());
    mail.extend_from_slice(b"base64\r\n\r\n");
    mail.extend_from_slice(data_encoding::BASE64_MIME.encode(text).as_bytes());
    mail
}

/// Every line of a text behind a quote mark, under the line mail programs put above a quote.
pub fn quoted(text: &str) -> String {
    let lines = text.split(['\n', '\r']).map(|line| format!("> {line}\n"));
    let above = "On Thu, Aug 20, 2026 at 10:15 AM Clerk <clerk@clerk.example> wrote:\n\n".to_owned();
    std::iter::once(above).chain(lines).collect()
}
