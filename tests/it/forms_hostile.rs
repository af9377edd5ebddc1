//! Forms read from letters that mean harm, or are merely odd: bounded, never wrong, and never changed by what is
//! quoted below.

use crate::forms::{answers, application, mail, plain, quoted, read_mail};
use atlarged::kernel::form::{Draft, Found, Source, Unread, Value, Why};
use atlarged::kernel::language::Language;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn text(found: Option<&Found>) -> Option<&str> {
    match found {
        Some(Found::Answer(Value::Text(text))) => Some(text),
        _ => None,
    }
}

fn attached(name: &str, bytes: &[u8]) -> Vec<u8> {
    let encoded = data_encoding::BASE64.encode(bytes);
    format!(
        "From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: \
         application/octet-stream; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{encoded}\r\n--b--\r\n"
    )
    .into_bytes()
}

fn check_unread(name: &str, bytes: &[u8], expected: Unread) {
    let reading = read_mail(&application(), &Draft::default(), None, &attached(name, bytes));
    assert_eq!(reading.unread, [expected], "{name}");
    assert!(!reading.says_something(), "{name}");
}

#[test]
fn files_that_cannot_be_read_are_named_and_nothing_else_happens() {
    check_unread("form.pdf", b"%PDF-1.7\n1. x", Unread::Kind);
    check_unread("form.docx", b"PK\x03\x04broken", Unread::Broken);
    check_unread("form.odt", b"", Unread::Broken);
    check_unread("form.doc", b"\xd0\xcf\x11\xe0", Unread::Kind);
    check_unread("form.txt", &[0_u8; 5_000], Unread::Broken);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).expect("an entry");
    for _ in 0..64 {
        std::io::Write::write_all(&mut zip, &vec![b' '; 1 << 20]).expect("bytes");
    }
    let bomb = zip.finish().expect("an archive").into_inner();
    check_unread("form.docx", &bomb, Unread::TooLarge);
}

#[test]
fn thousands_of_answers_are_bounded_and_asked_back() {
    let form = application();
    let many: String = (0..10_000).map(|n| format!("1. name {n}\n2. b\n")).collect();
    let reading = read_mail(&form, &Draft::default(), None, &plain(&many));
    let Some(Found::Trouble(trouble)) = reading.found.get("name") else { panic!("{reading:?}") };
    assert_eq!((trouble.why, trouble.could_be.len()), (Why::TwoAnswers, 4));
    assert_eq!(reading.found.get("kind"), Some(&Found::Answer(Value::Choice("academic".into()))));
    let numbers: String = (0..10_000).map(|n| format!("{n}. x\n")).collect();
    assert!(read_mail(&form, &Draft::default(), None, &plain(&numbers)).found.len() <= form.fields.len());
}

#[test]
fn a_giant_line_is_too_long_and_costs_little() {
    let form = application();
    for body in ["a ".repeat(1 << 20), "1. ".repeat(300_000), "Name of the group ".repeat(60_000)] {
        let reading = read_mail(&form, &Draft::default(), None, &plain(&format!("1. {body}")));
        let found = reading.found.get("name");
        assert!(matches!(found, Some(Found::Trouble(t)) if t.why == Why::TooLong), "{found:?}");
    }
    let boxes = format!("1. {}", "[ ]".repeat(300_000));
    assert!(!read_mail(&form, &Draft::default(), None, &plain(&boxes)).says_something());
}

#[test]
fn numbers_and_labels_inside_a_long_answer_stay_inside() {
    let form = application();
    let body = "10. Goals: we want\n1. access for all\n2. safety\n3. fun\nCountry: any of them\n11. Structure: flat\n";
    let reading = read_mail(&form, &Draft::default(), None, &plain(body));
    let goals = text(reading.found.get("goals")).expect("goals");
    assert!(goals.ends_with("3. fun\nCountry: any of them"), "{goals}");
    assert_eq!(text(reading.found.get("structure")), Some("flat"));
    assert_eq!(reading.found.len(), 2, "{reading:?}");
}

#[test]
fn an_answer_that_looks_like_the_form_says_nothing_when_it_is_quoted() {
    let form = application();
    let trap = "We help.\n3. Country: Spain\n6. Public contact: evil@evil.example\nEnd of the form";
    let draft = Draft::prefilled([("goals".to_owned(), Value::Text(trap.to_owned()))]);
    for language in Language::ALL {
        let (shown, _) = mail(&form, &draft, language);
        for body in [quoted(&shown), shown.clone(), quoted(&quoted(&shown))] {
            let reading = read_mail(&form, &draft, None, &plain(&body));
            let odd: Vec<_> = reading.found.iter().filter(|(_, found)| **found != Found::Same).collect();
            assert!(odd.is_empty(), "{language}: {odd:?}");
        }
    }
}

#[test]
fn marks_of_direction_and_look_alikes_do_not_move_an_answer() {
    let form = application();
    let body = "\u{202e}3. Fra\u{200b}nce\u{202c}\n\u{200f}1. \u{2067}Open\u{202e}Net\u{2069}\n";
    let reading = read_mail(&form, &Draft::default(), None, &plain(body));
    assert_eq!(text(reading.found.get("name")), Some("OpenNet"));
    assert!(
        matches!(reading.found.get("country"), Some(Found::Answer(Value::Country(c))) if c.code() == "FR")
    );
}

#[test]
fn an_older_form_quoted_deeper_is_not_read() {
    let form = application();
    let (shown, _) = mail(&form, &Draft::default(), Language::En);
    let old = shown.replace("3. Country:", "3. Country: Spain");
    let body = format!("1. Open Net\n\n{}\n{}", quoted(&shown), quoted(&quoted(&old)));
    let reading = read_mail(&form, &Draft::default(), None, &plain(&body));
    assert_eq!(reading.found.keys().collect::<Vec<_>>(), ["name"], "{reading:?}");
}

#[test]
fn two_answers_in_one_mail_are_asked_back() {
    let form = application();
    let (shown, _) = mail(&form, &Draft::default(), Language::En);
    let typed = quoted(&shown.replace("3. Country:", "3. Country: Spain"));
    let reading = read_mail(&form, &Draft::default(), None, &plain(&format!("3. France\n\n{typed}")));
    let Some(Found::Trouble(trouble)) = reading.found.get("country") else { panic!("{reading:?}") };
    assert_eq!((trouble.why, trouble.could_be.len()), (Why::TwoAnswers, 2));
    let same = read_mail(&form, &Draft::default(), None, &plain(&format!("3. Spain\n\n{typed}")));
    assert!(matches!(same.found.get("country"), Some(Found::Answer(_))));
}

#[test]
fn an_old_mail_quoted_back_does_not_bring_its_answers_back() {
    let form = application();
    let before = Draft::prefilled([("name".to_owned(), Value::Text("Old Net".to_owned()))]);
    let (shown, _) = mail(&form, &before, Language::En);
    let mut after = before.clone();
    after.set("name", Some(Value::Text("New Net".to_owned())), Source::OnFile);
    let reading = read_mail(&form, &after, None, &plain(&quoted(&shown)));
    assert_eq!(reading.found.get("name"), Some(&Found::Same));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_quoted_below_never_changes_what_stands_above(
        chosen in proptest::collection::btree_set(0_usize..24, 1..8),
        known in proptest::collection::btree_set(0_usize..24, 0..8),
        language in 0_usize..7,
        quoted_in in 0_usize..7,
        marked in any::<bool>(),
    ) {
        let form = application();
        let language = Language::ALL[language];
        let all = answers(language);
        let other = answers(Language::ALL[quoted_in]);
        let above: String = chosen.iter().map(|n| {
            let (id, answer, _) = &all[*n];
            format!("{}. {answer}\n", form.field(id).expect("a question").0)
        }).collect();
        let known: BTreeMap<String, Value> = known.iter().map(|n| (other[*n].0.to_owned(), other[*n].2.clone())).collect();
        let draft = Draft::prefilled(known.into_iter().filter(|(_, v)| *v != Value::Text(String::new())));
        let (shown, _) = mail(&form, &draft, Language::ALL[quoted_in]);
        let below = if marked { quoted(&shown) } else { shown };
        let alone = read_mail(&form, &draft, None, &plain(&above));
        let both = read_mail(&form, &draft, None, &plain(&format!("{above}\n{below}")));
        for n in &chosen {
            let id = all[*n].0;
            prop_assert_eq!(both.found.get(id), alone.found.get(id), "{}", id);
        }
        prop_assert!(both.found.iter().all(|(id, f)| *f == Found::Same || alone.found.contains_key(id)), "{:?}", both);
        let source = Source::OnFile;
        let once = draft.merged(&both, &source);
        prop_assert_eq!(once.merged(&both, &source), once);
    }

    #[test]
    fn no_text_whatever_upsets_the_reader(body in "(\\PC{0,80}|[0-9]{1,2}[.):] ?|Country: |> |\\[x\\] |\n){0,60}") {
        let form = application();
        let raw = plain(&body);
        let reading = read_mail(&form, &Draft::default(), Some("country"), &raw);
        prop_assert_eq!(read_mail(&form, &Draft::default(), Some("country"), &raw), reading);
    }
}
