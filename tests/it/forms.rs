//! Forms sent out, filled in as people and their mail programs do, and read back: ways of answering times seven
//! languages.

use crate::render::{parsed, recipient, renderer_with, row, send};
use atlarged::kernel::form::{Amount, Country, Draft, Form, Found, Person, Reading, Value};
use atlarged::kernel::language::Language;
use atlarged::kernel::workflow::Asks;
use atlarged::letters::form::{Asked, form_data, read, sheet};
use atlarged::render::Renderer;
use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::sync::LazyLock;

/// Compiling every template takes a while.
pub(crate) static RENDERER: LazyLock<Renderer> = LazyLock::new(|| renderer_with(&[]));

pub(crate) fn application() -> Form {
    Form::parse(include_str!("../../templates/_forms/application.toml")).expect("a form")
}

/// What a person of a language writes for each question, in the form's order, and what it means.
pub(crate) fn answers(language: Language) -> Vec<(&'static str, String, Value)> {
    let at = language as usize;
    let of = |words: [&'static str; 7]| words[at].to_owned();
    let text = |t: &str| Value::Text(t.to_owned());
    let person = |name: &str, email: Option<&str>, role: Option<&str>| Person {
        name: name.to_owned(),
        email: email.map(str::to_owned),
        role: role.map(str::to_owned),
    };
    let yes = of(["Yes", "Oui", "Sí", "Sim", "Да", "是", "نعم"]);
    let name = of([
        "Open Net",
        "Réseau ouvert",
        "Red abierta",
        "Rede aberta",
        "Открытая сеть",
        "开放网络",
        "الشبكة المفتوحة",
    ]);
    let country = of(["Senegal", "Côte d'Ivoire", "México", "Moçambique", "Казахстан", "中国", "مصر"]);
    let code = ["SN", "CI", "MX", "MZ", "KZ", "CN", "EG"][at];
    let founded = of([
        "5 March 2012",
        "5 mars 2012",
        "5 de marzo de 2012",
        "5 de março de 2012",
        "5 марта 2012 г.",
        "2012年3月5日",
        "٥ مارس ٢٠١٢",
    ]);
    let members = of(["150-200", "environ 200", "unos 200", "de 150 a 200", "около 200", "约两百", "٢٠٠"]);
    let low = if matches!(at, 0 | 3) { 150 } else { 200 };
    let amount = Amount { low, high: 200, about: matches!(at, 1 | 2 | 4 | 5) };
    let goals = of([
        "Safe access for all. We teach.",
        "L'accès sûr pour tous.",
        "Acceso seguro para todos.",
        "Acesso seguro para todos.",
        "Безопасный доступ для всех.",
        "让所有人安全上网。",
        "وصول آمن للجميع.",
    ]);
    let plain = of([
        "By vote of all",
        "Par vote de tous",
        "Por voto de todos",
        "Por voto de todos",
        "Голосованием",
        "由全体表决",
        "بتصويت الجميع",
    ]);
    let other = of(["none", "aucune", "ninguna", "nenhuma", "нет", "无", "لا يوجد"]);
    let mut out = vec![
        ("name", name.clone(), text(&name)),
        ("kind", "b".to_owned(), Value::Choice("academic".into())),
        ("country", country, Value::Country(Country::from_code(code).expect("a code"))),
        ("founded", founded, Value::Date("2012-03-05".parse().expect("a day"))),
        ("web", "www.open-net.example".to_owned(), Value::Url("https://www.open-net.example".into())),
        ("contact", "info@open-net.example".to_owned(), Value::Email("info@open-net.example".into())),
        (
            "submitter",
            "Amina Diallo, amina@open-net.example, secretary".to_owned(),
            Value::People(vec![person("Amina Diallo", Some("amina@open-net.example"), Some("secretary"))]),
        ),
        (
            "leaders",
            "Bo Chen, president".to_owned(),
            Value::People(vec![person("Bo Chen", None, Some("president"))]),
        ),
        ("leaders-know", yes.clone(), Value::YesNo(true)),
        ("goals", goals.clone(), text(&goals)),
        ("structure", plain.clone(), text(&plain)),
        ("members", members, Value::Number(amount)),
        ("membership", plain.clone(), text(&plain)),
        ("region", yes.clone(), Value::YesNo(true)),
        ("discussion", goals.clone(), text(&goals)),
        ("funding", plain.clone(), text(&plain)),
        ("self-supporting", yes.clone(), Value::YesNo(true)),
        ("intersection", goals.clone(), text(&goals)),
        ("other-icann", other, Value::Text(String::new())),
        ("updates", "a, b".to_owned(), Value::Several(vec!["redistribute".into(), "direct".into()])),
        ("updates-address", "list@open-net.example".to_owned(), Value::Email("list@open-net.example".into())),
        ("languages", "b".to_owned(), Value::Several(vec!["fr".into()])),
    ];
    let two = "Amina Diallo, amina@open-net.example; Bo Chen, bo@open-net.example";
    let people = vec![
        person("Amina Diallo", Some("amina@open-net.example"), None),
        person("Bo Chen", Some("bo@open-net.example"), None),
    ];
    out.push(("representatives", two.to_owned(), Value::People(people)));
    out.push(("certifies", yes, Value::YesNo(true)));
    out
}

/// The form mail in a language: subject, text and HTML.
pub(crate) fn mail(form: &Form, draft: &Draft, language: Language) -> (String, String) {
    let row = row("form/whole", form_data(form, draft), Asks::Form);
    let mail = send(&RENDERER, &row, &recipient(language)).expect("it renders");
    let message = parsed(&mail);
    let text = message.body_text(0).expect("a text part").replace("\r\n", "\n");
    (text, message.body_html(0).expect("an HTML part").into_owned())
}

pub(crate) fn plain(body: &str) -> Vec<u8> {
    message("text/plain; charset=utf-8", body)
}

fn message(kind: &str, body: &str) -> Vec<u8> {
    format!(
        "From: Amina Diallo <amina@open-net.example>\r\nTo: <clerk@atlarge.example>\r\nSubject: Re: form\r\n\
         MIME-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
        body.replace('\n', "\r\n")
    )
    .into_bytes()
}

fn with_file(name: &str, kind: &str, bytes: &[u8]) -> Vec<u8> {
    let encoded = data_encoding::BASE64.encode(bytes);
    let lines: Vec<String> =
        encoded.as_bytes().chunks(76).map(|l| String::from_utf8_lossy(l).into_owned()).collect();
    let body = format!(
        "--b\nContent-Type: text/plain; charset=utf-8\n\nHello, here is the form.\n--b\nContent-Type: {kind}; \
         name=\"{name}\"\nContent-Disposition: attachment; filename=\"{name}\"\n\
         Content-Transfer-Encoding: base64\n\n{}\n--b--\n",
        lines.join("\n")
    );
    message("multipart/mixed; boundary=b", &body)
}

pub(crate) fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}\n")).collect()
}

/// The form with each answer typed behind its label's colon.
pub(crate) fn filled(form: &Form, text: &str, language: Language, mark: &str, typed: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        out.push_str(mark);
        out.push_str(line.trim_end());
        // Foreign words in a label are set apart by marks that are not seen.
        let line: String = line.chars().filter(|c| !('\u{2066}'..='\u{2069}').contains(c)).collect();
        for (id, answer, _) in answers(language) {
            let (number, field) = form.field(id).expect("a question");
            if line.starts_with(&format!("{number}. {}", field.label.get(language))) {
                out.push_str(typed);
                out.push_str(&answer);
            }
        }
        out.push('\n');
    }
    out
}

/// Breaks lines at so many characters, as a mail program wraps them.
fn wrapped(text: &str, width: usize, mark: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut length = 0;
        out.push_str(mark);
        for word in line.split_inclusive(' ') {
            if length + word.chars().count() > width && length > 0 {
                out.push('\n');
                out.push_str(mark);
                length = 0;
            }
            out.push_str(word);
            length += word.chars().count();
        }
        out.push('\n');
    }
    out
}

fn document(path: &str, paragraph: (&str, &str), frame: (&str, &str), lines: &str) -> Vec<u8> {
    let escape = |line: &str| line.replace('&', "&amp;").replace('<', "&lt;");
    let body: String =
        lines.lines().map(|line| format!("{}{}{}", paragraph.0, escape(line), paragraph.1)).collect();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(path, zip::write::SimpleFileOptions::default()).expect("an entry");
    zip.write_all(format!("{}{body}{}", frame.0, frame.1).as_bytes()).expect("bytes");
    zip.finish().expect("an archive").into_inner()
}

const ATTRIBUTION: &str = "On Mon, 23 Nov 2026 at 10:00, At-Large Clerk <clerk@atlarge.example> wrote:\n";
const OUTLOOK: &str = "________________________________\nFrom: At-Large Clerk <clerk@atlarge.example>\nSent: Monday, \
    23 November 2026 10:00\nTo: Amina Diallo <amina@open-net.example>\nSubject: Please fill in\n\n";

fn by(form: &Form, language: Language, line: impl Fn(usize, &str, &str) -> String) -> String {
    let lines = answers(language).into_iter().map(|(id, answer, _)| {
        let (number, field) = form.field(id).expect("a question");
        line(number, field.label.get(language), &answer)
    });
    lines.collect()
}

fn page(html: &str, language: Language, form: &Form) -> String {
    let mut out = html.to_owned();
    for (id, answer, _) in answers(language) {
        let (number, field) = form.field(id).expect("a question");
        let label = field
            .label
            .get(language)
            .replace('\'', "&#39;")
            .replace('&', "&amp;")
            .replace("&amp;#39;", "&#39;");
        let at = out.find(&format!("<strong>{number}. ")).unwrap_or_else(|| panic!("{number} {label}"));
        let end = at + out[at..].find("</strong>").expect("an end") + "</strong>".len();
        out.insert_str(end, &format!(" <span style=\"color:blue\">{answer}</span>"));
    }
    out
}

/// The ways people answer: a name for each, and the mail.
fn ways(form: &Form, language: Language) -> Vec<(&'static str, Vec<u8>)> {
    let (text, html) = mail(form, &Draft::default(), language);
    let other = if language == Language::Fr { Language::Ru } else { Language::Fr };
    let numbers = by(form, language, |n, _, a| format!("{n}. {a}\n"));
    let labels = by(form, language, |_, l, a| format!("{l}: {a}\n"));
    let foreign: String = answers(language)
        .iter()
        .map(|(id, a, _)| format!("{}\u{ff1a}{a}\n", form.field(id).expect("a question").1.label.get(other)))
        .collect();
    let typed = filled(form, &text, language, "", " ");
    let in_place = filled(form, &text, language, "> ", " ");
    let inline: String = filled(form, &text, language, "> ", "\u{1}").replace('\u{1}', "\n");
    let rows = by(form, language, |n, l, a| format!("<tr><td>{n}</td><td>{l}</td><td>{a}</td></tr>"));
    let cells = by(form, language, |_, l, a| format!("<tr><td><p>{l}</p></td><td><p>{a}</p></td></tr>"));
    let docx = document(
        "word/document.xml",
        ("<w:p><w:r><w:t>", "</w:t></w:r></w:p>"),
        ("<w:document xmlns:w=\"w\"><w:body>", "</w:body></w:document>"),
        &typed,
    );
    let odt = document(
        "content.xml",
        ("<text:p>", "</text:p>"),
        (
            "<office:document-content xmlns:office=\"o\" xmlns:text=\"t\"><office:body><office:text>",
            "</office:text></office:body></office:document-content>",
        ),
        &typed,
    );
    let html_page = page(&html, language, form);
    vec![
        ("numbers above the quote", plain(&format!("Hello,\n\n{numbers}\n{ATTRIBUTION}{}", quoted(&text)))),
        ("numbers in brackets", plain(&by(form, language, |n, _, a| format!("({n}) {a}\n")))),
        ("numbers with colons", plain(&by(form, language, |n, _, a| format!("{n}: {a}\n\n")))),
        ("labels above the quote", plain(&format!("{labels}\n{ATTRIBUTION}{}", quoted(&text)))),
        ("labels in another language", plain(&foreign)),
        ("numbers and labels", plain(&by(form, language, |n, l, a| format!("{n}) {l} - {a}\n")))),
        ("in place in a marked quote", plain(&format!("{ATTRIBUTION}{in_place}"))),
        ("in place below a header", plain(&format!("Done.\n\n{OUTLOOK}{typed}"))),
        ("in place without any mark", plain(&typed)),
        ("between the quoted lines", plain(&format!("{ATTRIBUTION}{inline}"))),
        ("in place and wrapped again", plain(&format!("{ATTRIBUTION}{}", wrapped(&typed, 60, "> ")))),
        ("in place, the wrapped lines unmarked", plain(&wrapped(&typed, 60, ""))),
        ("flowed", message("text/plain; charset=utf-8; format=flowed", &wrapped(&numbers, 40, ""))),
        (
            "HTML in place",
            message(
                "text/html; charset=utf-8",
                &format!("<div>See below</div><blockquote type=\"cite\">{html_page}</blockquote>"),
            ),
        ),
        ("HTML in place without a mark", message("text/html; charset=utf-8", &html_page)),
        ("an HTML table", message("text/html; charset=utf-8", &format!("<p>Hi</p><table>{rows}</table>"))),
        (
            "an HTML table of paragraphs",
            message("text/html; charset=utf-8", &format!("<table>{cells}</table>")),
        ),
        ("a .txt file", with_file("form.txt", "application/octet-stream", typed.as_bytes())),
        ("a .md file", with_file("form.md", "text/markdown; charset=utf-8", typed.as_bytes())),
        ("a .docx file", with_file("form.docx", "application/octet-stream", &docx)),
        ("an .odt file", with_file("form.odt", "application/vnd.oasis.opendocument.text", &odt)),
    ]
}

pub(crate) fn read_mail(form: &Form, draft: &Draft, question: Option<&str>, raw: &[u8]) -> Reading {
    read(&Asked { form, draft, question }, &sheet(raw))
}

/// The answers in a reading that differ from what was meant.
pub(crate) fn differences(language: Language, reading: &Reading) -> Vec<String> {
    let mut found = Vec::new();
    for (id, answer, value) in answers(language) {
        let expected = if id == "other-icann" { Found::Nothing } else { Found::Answer(value) };
        if reading.found.get(id) != Some(&expected) {
            found.push(format!("  {id} {answer:?}: {:?}", reading.found.get(id)));
        }
    }
    found
}

#[test]
fn every_form_there_is_can_be_sent_in_every_language() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/_forms");
    for file in std::fs::read_dir(folder).expect("forms").flatten() {
        let text = std::fs::read_to_string(file.path()).expect("a form file");
        let form = Form::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", file.path().display()));
        for language in Language::ALL {
            let (text, _) = mail(&form, &Draft::default(), language);
            for field in &form.fields {
                let plain: String = text.chars().filter(|c| !('\u{2066}'..='\u{2069}').contains(c)).collect();
                assert!(plain.contains(field.label.get(language)), "{} in {language}", field.id);
            }
        }
    }
}

#[test]
fn every_way_of_answering_is_read_in_every_language() {
    let form = application();
    let mut wrong = Vec::new();
    for language in Language::ALL {
        for (way, raw) in ways(&form, language) {
            let reading = read_mail(&form, &Draft::default(), None, &raw);
            let differences = differences(language, &reading);
            if !differences.is_empty() {
                wrong.push(format!("{way} in {language}:\n{}", differences.join("\n")));
            }
            assert_eq!(read_mail(&form, &Draft::default(), None, &raw), reading, "{way} in {language}");
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), 21 * 7, wrong.join("\n"));
}

#[test]
fn a_form_sent_back_as_it_came_says_nothing() {
    let form = application();
    let known: BTreeMap<String, Value> =
        answers(Language::En).into_iter().map(|(id, _, value)| (id.to_owned(), value)).collect();
    for draft in [Draft::default(), Draft::prefilled(known)] {
        for language in Language::ALL {
            let (text, html) = mail(&form, &draft, language);
            let bodies = [
                plain(&format!("{ATTRIBUTION}{}", quoted(&text))),
                plain(&text),
                plain(&wrapped(&text, 50, "> ")),
                plain(&format!("{OUTLOOK}{text}")),
                message("text/html; charset=utf-8", &format!("<blockquote>{html}</blockquote>")),
                with_file("form.txt", "text/plain", text.as_bytes()),
            ];
            for (n, raw) in bodies.iter().enumerate() {
                let reading = read_mail(&form, &draft, None, raw);
                let odd: Vec<_> = reading.found.iter().filter(|(_, found)| **found != Found::Same).collect();
                assert!(odd.is_empty(), "{n} in {language}: {odd:?}");
            }
        }
    }
}
