//! What a letter brings that a form can be read from: its lines, told apart into the author's and the
//! quoted, and the text of the files that came along. It is kept with the letter, so that a replay reads
//! the same.

use super::files;
use super::scan::CELL;
use crate::kernel::form::{Line, Page, Part, Place, Sheet};
use crate::letters::body::unflow;
use crate::letters::html;
use crate::letters::mime::{self, Part as MimePart};
use crate::letters::quote::{self, Line as QuoteLine, Part as QuotePart};
use crate::letters::sieve::Skeleton;
use crate::letters::signature::{self, Sender};

/// Bytes of all pages that are kept.
const MAX_ALL: usize = 384 << 10;
/// Bytes of one page that are kept.
const MAX_PAGE: usize = 128 << 10;
/// Lines of one page that are kept.
const MAX_LINES: usize = 4_000;
/// Files of one letter that are read.
const MAX_FILES: usize = 5;

/// Takes the pages out of a mail. Never fails; what is kept is bounded.
pub fn sheet(raw: &[u8]) -> Sheet {
    sheet_of(&mime::parse(raw))
}

/// The same of what a sieve left; a file that is not wholly there is too large.
pub fn sheet_of_skeleton(skeleton: &Skeleton) -> Sheet {
    sheet_of(&mime::parse_skeleton(skeleton))
}

fn sheet_of(tree: &mime::Tree<'_>) -> Sheet {
    let from = tree.root.headers.addresses("from").into_iter().next();
    let name = from.as_ref().and_then(|f| f.name.as_deref());
    let sender = Sender::new(name, from.as_ref().map(|f| f.address.as_str()));
    let mut sheet = Sheet::default();
    let (mut plain, mut rich) = (String::new(), String::new());
    let mut files = 0;
    for part in tree.root.walk().filter(|part| !part.is_multipart()) {
        let inline = part.is_text() && !part.attached && (part.name.is_none() || part.media == "text/html");
        match part.media.as_str() {
            "text/plain" | "text/enriched" if inline => join(&mut plain, part, &mut sheet.cut),
            "text/html" if inline => join(&mut rich, part, &mut sheet.cut),
            _ if files < MAX_FILES => files += usize::from(read_file(part, &mut sheet)),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if !plain.trim().is_empty() {
        body.push(page(Place::Plain, plain_lines(&plain, &sender), &mut sheet.cut));
    }
    if !rich.trim().is_empty() {
        body.push(page(Place::Html, html_lines(&rich, &sender), &mut sheet.cut));
    }
    sheet.pages.splice(0..0, body);
    let mut used = 0;
    let size = |page: &Page| page.lines.iter().map(|line| line.text.len() + 1).sum::<usize>();
    let count = sheet.pages.len();
    sheet.pages.retain(|page| {
        used += size(page);
        used <= MAX_ALL
    });
    sheet.cut |= sheet.pages.len() < count;
    sheet
}

/// A page of text that has no mail around it: every line is the author's.
pub fn page_of(place: Place, text: &str, cut: &mut bool) -> Page {
    let own = |text: &str| Line { text: text.to_owned(), part: Part::Own, level: 0 };
    page(place, text.lines().map(own), cut)
}

fn page(place: Place, lines: impl IntoIterator<Item = Line>, cut: &mut bool) -> Page {
    let mut kept = Vec::new();
    let mut used = 0;
    for mut line in lines {
        let room = MAX_PAGE.saturating_sub(used);
        if room == 0 || kept.len() >= MAX_LINES {
            *cut = true;
            break;
        }
        if line.text.len() > room {
            let end = (0..=room).rev().find(|n| line.text.is_char_boundary(*n)).unwrap_or(0);
            line.text.truncate(end);
            *cut = true;
        }
        used += line.text.len() + 1;
        kept.push(line);
    }
    Page { place, lines: kept }
}

fn join(text: &mut String, part: &MimePart<'_>, cut: &mut bool) {
    let (next, was_cut) = part.text();
    *cut |= was_cut;
    if text.len() + next.len() > mime::MAX_TEXT {
        *cut = true;
        return;
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&if part.flowed { unflow(&next, part.delsp) } else { next });
}

/// Reads a part that is a file; tells whether it was one a form could be in.
fn read_file(part: &MimePart<'_>, sheet: &mut Sheet) -> bool {
    let name = part.name.as_deref().unwrap_or_default();
    let Some(kind) = files::kind(&part.media, name) else { return false };
    match files::read(kind, part) {
        Ok(text) => sheet.pages.push(page_of(Place::File, &text, &mut sheet.cut)),
        Err(why) => sheet.unread.push(why),
    }
    true
}

fn plain_lines(text: &str, sender: &Sender) -> Vec<Line> {
    let mut lines = quote::lines(text);
    lines.truncate(mime::MAX_LINES);
    quote::separate(&mut lines);
    signature::mark(&mut lines, sender, &|_| false);
    lines.iter().map(line).collect()
}

fn html_lines(source: &str, sender: &Sender) -> Vec<Line> {
    let page = html::read(&cells(source));
    let mut lines: Vec<QuoteLine<'_>> = page
        .text
        .split('\n')
        .zip(page.parts.iter().chain(std::iter::repeat(&None)))
        .take(mime::MAX_LINES)
        .map(|(text, part)| QuoteLine::told(text, *part))
        .collect();
    quote::separate(&mut lines);
    signature::mark(&mut lines, sender, &|_| false);
    lines.iter().map(line).collect()
}

fn line(line: &QuoteLine<'_>) -> Line {
    let part = match line.part {
        QuotePart::Own => Part::Own,
        QuotePart::Quote => Part::Quote,
        QuotePart::Signature => Part::Signature,
    };
    Line { text: line.text.trim_end().to_owned(), part, level: u8::try_from(line.level).unwrap_or(u8::MAX) }
}

/// Marks where the cells of a table begin: the reader of HTML leaves but a space between them.
fn cells(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + 64);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').map_or(rest.len(), |n| at + n + 1);
        let tag = &rest[at..end];
        out.push_str(&rest[..end]);
        let name: Vec<u8> = tag.bytes().skip(1).take(3).map(|b| b.to_ascii_lowercase()).collect();
        if matches!(name.as_slice(), [b't', b'd' | b'h', b'>' | b' ' | b'\n' | b'\t' | b'\r']) {
            out.push(CELL);
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart_and_kept_in_their_order() {
        let raw =
            "From: Ann <ann@x.org>\nContent-Type: text/plain\n\n3. France\n> 1. Name: \n  inline\n> 2. x\n";
        let sheet = sheet(raw.as_bytes());
        let shown: Vec<(&str, Part, u8)> =
            sheet.pages[0].lines.iter().map(|l| (l.text.as_str(), l.part, l.level)).collect();
        assert_eq!(shown[0], ("3. France", Part::Own, 0));
        assert_eq!(shown[1], ("> 1. Name:", Part::Quote, 1));
        assert_eq!(shown[2], ("  inline", Part::Own, 0));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut cut = false;
        let page = page_of(Place::File, &"x\n".repeat(100_000), &mut cut);
        assert!(cut && page.lines.len() == MAX_LINES);
        let mut cut = false;
        let page = page_of(Place::File, &"é".repeat(1 << 20), &mut cut);
        assert!(cut && page.lines[0].text.len() <= MAX_PAGE);
    }

    #[test]
    fn cells_of_tables_are_marked() {
        assert_eq!(cells("<tr><td>a</td><th x=1>b<tbody>"), "<tr><td>\u{1f}a</td><th x=1>\u{1f}b<tbody>");
        assert_eq!(cells("<TR><TD>é<"), "<TR><TD>\u{1f}é<", "some mail programs shout");
    }
}
