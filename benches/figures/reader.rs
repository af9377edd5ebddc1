//! How long a letter is read, beside mail-parser taking the same mail apart and doing nothing else.
//!
//! The mails are those of the tests: answers as forty mail programs lay them out, in seven languages, under
//! the trace fields a mail has when it arrives. `READER_MAILS=DIR` reads what has a From below DIR
//! as well.

use super::letters_mails::mails;
use super::rows::Row;
use super::stopwatch;
use atlarged::letters::{self, Trust};
use mail_parser::MessageParser;
use std::hint::black_box;
use std::path::Path;

/// Times each mail is read by each; the fastest counts, so that what else the machine does does not.
const RUNS: usize = 25;
/// Bytes of the largest mail that is measured: beyond them it is attachments that are.
const MAX_MAIL: u64 = 200_000;

/// What a mail gathers on its way before its own first field.
const TRACE: &str = "Return-Path: <ann@member.example>\r\n\
    Delivered-To: clerk@clerk.example\r\n\
    Received: from mx.clerk.example (mx.clerk.example [192.0.2.10])\r\n\tby store.clerk.example (Postfix) \
    with ESMTPS id 4abcDE1fgh\r\n\tfor <clerk@clerk.example>; Thu, 20 Aug 2026 10:20:05 +0000 (UTC)\r\n\
    Authentication-Results: mx.clerk.example; dkim=pass header.d=member.example header.s=s1;\r\n\tspf=pass \
    smtp.mailfrom=ann@member.example; dmarc=pass header.from=member.example\r\n\
    Received: from out.member.example (out.member.example [198.51.100.7])\r\n\tby mx.clerk.example (Postfix) \
    with ESMTPS id 4abcDC5xyz\r\n\tfor <clerk@clerk.example>; Thu, 20 Aug 2026 10:20:04 +0000 (UTC)\r\n\
    DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=member.example; s=s1;\r\n\t\
    h=from:to:subject:date:message-id:in-reply-to:references:mime-version;\r\n\t\
    bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\t\
    b=Y2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsg\r\n\t \
    Y2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsgY2xlcmsg\r\n\
    Received: from [203.0.113.5] (home.member.example [203.0.113.5])\r\n\tby out.member.example with \
    ESMTPSA id 77a8;\r\n\tThu, 20 Aug 2026 10:20:03 +0000\r\n\
    Date: Thu, 20 Aug 2026 12:20:02 +0200\r\n\
    Message-ID: <b7d1f3a2-55cd-4a10-9d0e-8f2f6a1c9b77@member.example>\r\n\
    User-Agent: Mozilla Thunderbird\r\n";

pub fn measure() -> Vec<Row> {
    let [plain, html] =
        mails().map(|set| set.into_iter().map(|mail| [TRACE.as_bytes(), &mail].concat()).collect::<Vec<_>>());
    let mut rows = vec![
        row("a plain mail read, of the tests", &plain, 2.0),
        row("an HTML mail read, of the tests", &html, 10.0),
    ];
    if let Some(folder) = std::env::var_os("READER_MAILS") {
        let mut found = Vec::new();
        gather(Path::new(&folder), &mut found);
        found.retain(|mail| MessageParser::default().parse(mail).is_some_and(|mail| mail.from().is_some()));
        let (html, plain): (Vec<_>, Vec<_>) = found.into_iter().partition(|mail| is_html(mail));
        rows.push(row("a plain mail read, of the folder", &plain, 2.0));
        rows.push(row("an HTML mail read, of the folder", &html, 10.0));
    }
    rows
}

/// Ours beside mail-parser's microseconds for a mail; `most`: how many times as long it may take.
fn row(name: &'static str, mails: &[Vec<u8>], most: f64) -> Row {
    let alone = average(mails, |mail| _ = black_box(MessageParser::default().parse(mail)));
    let whole = average(mails, |mail| _ = black_box(letters::read(mail, &Trust::default())));
    println!(
        "{name}: {} mails, {:.2} µs, mail-parser alone {alone:.2} µs; {:.2} of its mails a second",
        mails.len(),
        whole,
        alone / whole
    );
    Row::new(name, "µs", whole, alone, mails.len(), alone * most)
}

/// Microseconds for a mail.
#[expect(clippy::cast_precision_loss, reason = "a few thousand mails")]
fn average(mails: &[Vec<u8>], read: impl Fn(&[u8])) -> f64 {
    let fastest = |mail: &Vec<u8>| {
        let once = || {
            let begun = stopwatch::now();
            read(mail);
            begun.elapsed().as_secs_f64()
        };
        (0..RUNS).map(|_| once()).fold(f64::INFINITY, f64::min)
    };
    mails.iter().map(fastest).sum::<f64>() / mails.len().max(1) as f64 * 1e6
}

fn is_html(mail: &[u8]) -> bool {
    let parsed = MessageParser::default().parse(mail);
    parsed.is_some_and(|mail| mail.html_bodies().any(|part| part.is_text_html()))
}

fn gather(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let kind = entry.metadata().expect("a file or folder");
        if kind.is_dir() {
            gather(&entry.path(), found);
        } else if (1..=MAX_MAIL).contains(&kind.len()) {
            found.push(std::fs::read(entry.path()).expect("a mail"));
        }
    }
}
