//! The text of files people send a form back in: plain text, Markdown, Word (.docx) and OpenDocument
//! (.odt). Other kinds that often hold a form are refused by kind.
//!
//! Archives are opened in memory with limits on their size, on what one entry may unpack to, and on how
//! much more it may unpack to than it was packed in.
//!
//! PDF is refused by kind, and its sender asked for another form, because no library reads hostile ones
//! within such limits (looked at in November 2026). `pdf-extract` 0.12 panics where it meets what it does not
//! know. `lopdf` 0.47, below it, is careful with depth and with the size of one stream, but has no limit on
//! all streams together, unpacks every stream of objects while it opens a file, and keeps each number of one
//! as an object dozens of times its size: a file of one megabyte can take gigabytes. `hayro-syntax` 0.9 parses
//! lazily and without unsafe code, but unpacks without any limit, one filter on top of the other. A panic
//! could be caught; memory that is gone cannot, and these modules have no process of their own to lose. Once
//! one of them takes a limit for a whole file, a kind is added here.

use super::scan::CELL;
use crate::kernel::form::Unread;
use crate::letters::charset;
use crate::letters::mime::Part;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::io::{Cursor, Read};

/// Bytes of a file that is opened.
const MAX_FILE: usize = 8 << 20;
/// Bytes of plain text taken from a file.
const MAX_TEXT: usize = 1 << 20;
/// Bytes the document inside an archive may unpack to.
const MAX_UNPACKED: u64 = 4 << 20;
/// How many times larger than packed.
const MAX_RATIO: u64 = 200;
/// Entries of an archive.
const MAX_ENTRIES: usize = 2_000;
/// Bytes of text taken out of a document.
const MAX_OUT: usize = 256 << 10;
/// The document inside a Word file.
const DOCX: &str = "word/document.xml";
/// Elements that may nest.
const MAX_DEPTH: usize = 256;

/// A kind of file a form may come back in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Docx,
    Odt,
    /// Often holds a form, and is not read.
    Other,
}

/// The kind of a file by what its sender calls it; nothing for a file no form comes in (a picture, a
/// calendar).
pub fn kind(media: &str, name: &str) -> Option<Kind> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    match (ending.as_str(), media) {
        ("txt" | "md" | "text" | "markdown", _) => Some(Kind::Text),
        ("docx", _) => Some(Kind::Docx),
        ("odt", _) => Some(Kind::Odt),
        ("pdf" | "doc" | "rtf" | "pages" | "xls" | "xlsx" | "ods" | "wps" | "zip", _) => Some(Kind::Other),
        (_, "application/vnd.openxmlformats-officedocument.wordprocessingml.document") => Some(Kind::Docx),
        (_, "application/vnd.oasis.opendocument.text") => Some(Kind::Odt),
        (_, "text/plain" | "text/markdown") => Some(Kind::Text),
        (_, "application/pdf" | "application/msword" | "application/rtf" | "text/rtf") => Some(Kind::Other),
        _ => None,
    }
}

/// The text of a file.
///
/// # Errors
/// Why there is none.
pub fn read(kind: Kind, part: &Part<'_>) -> Result<String, Unread> {
    if part.whole.is_some() && kind != Kind::Other {
        return Err(Unread::TooLarge);
    }
    let bytes = part.bytes(MAX_FILE + 1);
    if bytes.len() > MAX_FILE {
        return Err(Unread::TooLarge);
    }
    match kind {
        Kind::Text => plain(&bytes, part.charset.as_deref()),
        Kind::Docx => document(&bytes, DOCX),
        Kind::Odt => document(&bytes, "content.xml"),
        Kind::Other => Err(Unread::Kind),
    }
}

fn plain(bytes: &[u8], charset: Option<&str>) -> Result<String, Unread> {
    if bytes.len() > MAX_TEXT {
        return Err(Unread::TooLarge);
    }
    let text = charset::decode(bytes, charset);
    let odd = text.chars().take(4_000).filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')).count();
    if odd > 40 { Err(Unread::Broken) } else { Ok(text.replace("\r\n", "\n").replace('\r', "\n")) }
}

/// The text of the XML document inside an archive.
fn document(bytes: &[u8], name: &str) -> Result<String, Unread> {
    let xml = unpack(bytes, name)?;
    // In WordprocessingML only runs hold text; what stands between them is the file's own layout.
    text(&xml, name == DOCX)
}

fn unpack(bytes: &[u8], name: &str) -> Result<Vec<u8>, Unread> {
    // The directory at the end tells the number of entries; reading it is what costs.
    let claims = bytes.windows(4).filter(|w| *w == b"PK\x01\x02").count();
    if claims > MAX_ENTRIES {
        return Err(Unread::TooLarge);
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| Unread::Broken)?;
    let entry = archive.by_name(name).map_err(|_| Unread::Broken)?;
    let packed = entry.compressed_size().max(1);
    if entry.size() > MAX_UNPACKED || entry.size() / packed > MAX_RATIO {
        return Err(Unread::TooLarge);
    }
    // What the directory says need not be true: the bytes are counted as they come.
    let limit = MAX_UNPACKED.min(packed.saturating_mul(MAX_RATIO).max(64 << 10));
    let mut out = Vec::new();
    entry.take(limit + 1).read_to_end(&mut out).map_err(|_| Unread::Broken)?;
    if out.len() as u64 > limit { Err(Unread::TooLarge) } else { Ok(out) }
}

/// The words of a WordprocessingML or OpenDocument text, one paragraph per line, cells of a table apart.
fn text(xml: &[u8], runs: bool) -> Result<String, Unread> {
    let source = std::str::from_utf8(xml).map_err(|_| Unread::Broken)?;
    let mut reader = Reader::from_str(source);
    let mut page = Writer { runs, ..Writer::default() };
    let mut depth = 0_usize;
    loop {
        match reader.read_event().map_err(|_| Unread::Broken)? {
            Event::Start(tag) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Unread::TooLarge);
                }
                page.open(&tag, depth);
            }
            Event::Empty(tag) => {
                page.open(&tag, depth + 1);
                page.close(tag.local_name().as_ref(), depth + 1);
            }
            Event::End(tag) => {
                page.close(tag.local_name().as_ref(), depth);
                depth = depth.saturating_sub(1);
            }
            Event::Text(text) => page.words(&text),
            Event::GeneralRef(entity) => page.entity(&entity),
            // A document type could declare entities; none of these formats has one.
            Event::DocType(_) => return Err(Unread::Broken),
            Event::Eof => break,
            _ => {}
        }
        if page.out.len() > MAX_OUT {
            return Err(Unread::TooLarge);
        }
    }
    Ok(page.out)
}

#[derive(Default)]
struct Writer {
    out: String,
    runs: bool,
    /// Text counts inside these alone.
    inside: usize,
    /// Cells of tables that are open: paragraphs in them do not end the line.
    cells: usize,
    /// The depth of an element whose text is not read: deletions, notes, what a field computes from.
    skip: Option<usize>,
}

impl Writer {
    fn open(&mut self, tag: &BytesStart<'_>, depth: usize) {
        if self.skip.is_some() {
            return;
        }
        match tag.local_name().as_ref() {
            "del" | "instrText" | "annotation" | "tracked-changes" | "footnote" | "delText" | "note" => {
                self.skip = Some(depth);
            }
            "t" => self.inside += 1,
            "p" | "h" => self.inside += usize::from(!self.runs),
            "tab" => self.out.push('\t'),
            "br" | "line-break" | "cr" => self.out.push('\n'),
            "s" => self.out.push(' '),
            "tc" | "table-cell" => {
                self.cells += 1;
                self.out.push(CELL);
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str, depth: usize) {
        if let Some(at) = self.skip {
            if at == depth {
                self.skip = None;
            }
            return;
        }
        match name {
            "t" => self.inside = self.inside.saturating_sub(1),
            "p" | "h" => {
                self.inside = self.inside.saturating_sub(usize::from(!self.runs));
                self.out.push(if self.cells > 0 { ' ' } else { '\n' });
            }
            "tc" | "table-cell" => self.cells = self.cells.saturating_sub(1),
            "tr" | "table-row" => self.out.push('\n'),
            _ => {}
        }
    }

    fn words(&mut self, text: &str) {
        if self.skip.is_some() || self.inside == 0 {
            return;
        }
        // Line breaks between elements are the file's, not the author's.
        self.out.extend(text.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }));
    }

    /// One of the five entities of XML, or a character by number; nothing else is one.
    fn entity(&mut self, entity: &quick_xml::events::BytesRef<'_>) {
        let named = match &**entity {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => entity.resolve_char_ref().ok().flatten(),
        };
        if let Some(c) = named {
            self.words(c.encode_utf8(&mut [0; 4]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn packed(name: &str, content: &[u8]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
        zip.finish().unwrap().into_inner()
    }

    fn check(name: &str, xml: &str, expected: Result<&str, Unread>) {
        let found = document(&packed(name, xml.as_bytes()), name);
        assert_eq!(found.as_deref().map(str::trim).map_err(|e| *e), expected, "{xml}");
    }

    #[test]
    fn paragraphs_and_tables_of_documents_become_lines() {
        check(
            "word/document.xml",
            "<w:document xmlns:w='w'><w:body><w:p><w:r><w:t>1. Name:</w:t></w:r><w:r><w:t xml:space='preserve'> A \
             &amp; \
             B</w:t></w:r></w:p><w:p><w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:r><w:t>x</w:t><w:tab/>\
             <w:t>y</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>Country</w:t></w:r></w:p></w:tc><w:tc><w:p>\
             <w:r><w:t>France</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>",
            Ok("1. Name: A & B\nx\ty\n\u{1f}Country \u{1f}France"),
        );
        check(
            "content.xml",
            "<o:document-content xmlns:o='o' xmlns:t='t'><o:body><o:text><t:p>1. Nom :<t:s/><t:span>É</t:span></t:p>\
             <t:h>2. Pays</t:h></o:text></o:body></o:document-content>",
            Ok("1. Nom : É\n2. Pays"),
        );
    }

    #[test]
    fn broken_and_oversized_documents_are_refused() {
        check("word/document.xml", "<a><b></a>", Err(Unread::Broken));
        check("word/document.xml", "<!DOCTYPE x [<!ENTITY a 'aaaa'>]><p>&a;</p>", Err(Unread::Broken));
        let deep = "<a>".repeat(300) + &"</a>".repeat(300);
        check("word/document.xml", &deep, Err(Unread::TooLarge));
        assert_eq!(document(b"PK\x03\x04 no archive", "content.xml"), Err(Unread::Broken));
        assert_eq!(document(&packed("other.xml", b"<p/>"), "content.xml"), Err(Unread::Broken));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = packed("content.xml", &vec![b' '; 64 << 20]);
        assert!(bomb.len() < 100 << 10);
        assert_eq!(document(&bomb, "content.xml"), Err(Unread::TooLarge));
    }

    #[test]
    fn a_directory_that_lies_about_sizes_is_found_out() {
        let mut lying = packed("content.xml", &vec![b' '; 3 << 20]);
        // The size, unpacked, stands at byte 24 of the entry in the directory at the end, and at byte 22 of
        // the entry itself.
        let entry = lying.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
        lying[entry + 24..entry + 28].copy_from_slice(&100_u32.to_le_bytes());
        lying[22..26].copy_from_slice(&100_u32.to_le_bytes());
        assert!(document(&lying, "content.xml").is_err());
    }
}
