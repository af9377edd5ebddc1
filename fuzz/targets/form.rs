//! Any bytes as the answer to a form: as a mail, as its words, and as the files people send a form back in, one of
//! these at a time: the first byte says which. The same each time, bounded, and what is quoted below changes no answer
//! above it.
#![no_main]

use atlarged::kernel::form::{Draft, Form, Found, Page, Part, Reading, Sheet, Value};
use atlarged::kernel::language::Language;
use atlarged::letters::form::{self, Asked, form_data, sheet};
use atlarged_fuzz::plain;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::sync::LazyLock;

static FORM: LazyLock<Form> = LazyLock::new(|| {
    Form::parse(include_str!("../../templates/_forms/application.toml")).expect("our own form")
});
static KNOWN: LazyLock<Draft> = LazyLock::new(|| {
    let text = |text: &str| Value::Text(text.to_owned());
    Draft::prefilled([
        ("name".to_owned(), text("Open Net")),
        ("goals".to_owned(), text("Safe access for all:\n1. we teach\n2. we ask")),
        ("leaders-know".to_owned(), Value::YesNo(true)),
    ])
});
/// The form as a mail prints it: empty, and with what is known in another language.
static PRINTED: LazyLock<[String; 2]> =
    LazyLock::new(|| [printed(&Draft::default(), Language::En), printed(&KNOWN, Language::Ar)]);

fn printed(draft: &Draft, language: Language) -> String {
    let data = form_data(&FORM, draft);
    let code = language.code();
    let mut out = String::new();
    for field in data["fields"].as_array().expect("questions") {
        let of = |name: &str| field[name][code].as_str().expect("a text").to_owned();
        let _ = writeln!(out, "{}. {}: {}\n{}", field["number"], of("label"), of("value"), of("note"));
        for option in field["options"].as_array().expect("options") {
            let label = option["label"][code].as_str().expect("a text");
            let _ = writeln!(out, "[ ] {}) {label}", option["letter"].as_str().expect("a letter"));
        }
        out.push('\n');
    }
    out + data["end"][code].as_str().expect("the last line") + "\n"
}

/// Reads a sheet against the form, empty, known, and with one question asked alone.
fn answers(sheet: &Sheet) -> Vec<Reading> {
    let empty = Draft::default();
    let asked = |draft, question| Asked { form: &FORM, draft, question };
    let asked = [asked(&empty, None), asked(&KNOWN, None), asked(&empty, Some("country"))];
    let readings: Vec<Reading> = asked.iter().map(|asked| form::read(asked, sheet)).collect();
    assert_eq!(readings[0], form::read(&asked[0], sheet), "reading twice gives the same");
    readings.iter().for_each(bounded);
    readings
}

fn bounded(reading: &Reading) {
    assert!(reading.found.keys().all(|id| FORM.field(id).is_some()), "an answer to no question");
    for found in reading.found.values() {
        match found {
            Found::Trouble(trouble) => {
                assert!(trouble.could_be.len() <= 26 && trouble.said.chars().count() <= 400, "{trouble:?}");
            }
            Found::Answer(Value::Text(text)) => assert!(text.chars().count() <= 2_000),
            Found::Answer(Value::People(people)) => assert!(people.len() <= 100),
            _ => {}
        }
    }
}

/// The pages of a mail, held to what always holds.
fn pages(raw: &[u8]) -> Sheet {
    let taken = sheet(raw);
    assert_eq!(taken, sheet(raw), "reading twice gives the same");
    let kept: usize = taken.pages.iter().flat_map(|page| &page.lines).map(|line| line.text.len() + 1).sum();
    assert!(kept <= 384 << 10 && taken.unread.len() <= 5, "{kept} bytes are kept");
    taken
}

/// A mail that brings a file.
fn brings(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = "From: Ann <ann@member.example>\r\nContent-Type: multipart/mixed; boundary=b\r\n";
    let part = format!(
        "\r\n--b\r\n\r\nHere it is.\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: \
         attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    );
    let coded = data_encoding::BASE64_MIME.encode(bytes);
    [head, &part, &coded, "\r\n--b--\r\n"].concat().into_bytes()
}

fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file(name, stored).expect("an entry");
    zip.write_all(content).expect("memory");
    zip.finish().expect("an archive").into_inner()
}

/// The author's own lines, where a page has no others.
fn own(page: Option<&Page>) -> Option<&Page> {
    page.filter(|page| page.lines.iter().all(|line| line.part == Part::Own))
}

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let Some((way, rest)) = raw.split_first() else { return };
    let mail = match way % 8 {
        0 => rest.to_vec(),
        1 => brings("form.txt", rest),
        2 => brings("form.md", rest),
        3 => brings("form.docx", rest),
        4 => brings("form.docx", &archive("word/document.xml", rest)),
        5 => brings("form.odt", &archive("content.xml", rest)),
        6 => brings("form.pdf", rest),
        _ => return std::str::from_utf8(rest).map_or((), above_a_quote),
    };
    answers(&pages(&mail));
});

/// The form, quoted below what somebody writes, neither changes an answer nor gives one.
fn above_a_quote(text: &str) {
    let alone = pages(&plain(text.as_bytes()));
    let above = answers(&alone);
    // What a form shows as known is news to a reader who does not know it.
    for (n, form) in PRINTED.iter().enumerate() {
        let below: String = form.lines().map(|line| format!("> {line}\n")).collect();
        let quoted =
            format!("{text}\n\nOn Thu, Aug 20, 2026 at 10:15 AM Clerk <clerk@x.example> wrote:\n\n{below}");
        let both = pages(&plain(quoted.as_bytes()));
        if both.cut || !same_words(&alone, &both) {
            continue;
        }
        for (above, both) in above.iter().zip(answers(&both)).skip(n).take(3 - 2 * n) {
            for (id, found) in &above.found {
                assert_eq!(both.found.get(id), Some(found), "{id}: a quote below changes an answer");
            }
            let odd =
                |(id, found): &(&String, &Found)| **found != Found::Same && !above.found.contains_key(*id);
            assert!(!both.found.iter().any(|found| odd(&found)), "the form itself answers: {:?}", both.found);
        }
    }
}

/// Where the quote begins may be told otherwise with a quote there; the words above it then differ.
fn same_words(alone: &Sheet, both: &Sheet) -> bool {
    own(alone.pages.first()).is_some_and(|page| {
        let with = &both.pages[0].lines;
        let length = page.lines.iter().rposition(|line| !line.text.is_empty()).map_or(0, |last| last + 1);
        let own = with.iter().take_while(|line| line.part == Part::Own).count();
        with.get(..length) == Some(&page.lines[..length])
            && with[length.min(own)..own].iter().all(|line| line.text.trim().is_empty())
            && with[own..].iter().all(|line| line.part == Part::Quote || line.text.trim().is_empty())
    })
}
