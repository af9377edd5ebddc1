//! What templates can say, what they may not, and that every notice is written in all seven languages.

use crate::render::{letterhead, minter, parsed, recipient, renderer_with, row, send, shown};
use atlarged::advance::OutboxRow;
use atlarged::kernel::language::Language;
use atlarged::kernel::workflow::Asks;
use atlarged::render::{RenderError, Renderer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn check_shown(body: &str, data: Value, language: Language, expected: &str) {
    let shown = shown(body, data, language).replace('\u{a0}', " ");
    assert_eq!(shown, expected, "{body} in {language}");
}

#[test]
fn helpers_speak_the_readers_language() {
    let closes = json!({ "t": "2026-12-01T23:30:00Z" });
    check_shown(
        "{{time t}}",
        closes.clone(),
        Language::Zh,
        "2026年12月2日（星期三）07:30 Asia/Shanghai（12月1日 23:30 UTC）",
    );
    check_shown("{{date t}}", closes, Language::Ru, "2 декабря 2026 г.");
    check_shown("{{date t}}", json!({ "t": "2026-12-01" }), Language::Pt, "1º de dezembro de 2026");
    check_shown("{{choice c}}", json!({ "c": "yes" }), Language::En, "YES");
    check_shown("{{choice c}}", json!({ "c": "abstain" }), Language::Es, "ABSTENCIÓN (ABSTAIN)");
    check_shown("{{name p}} {{name q}}", json!({ "p": "p17", "q": "p99" }), Language::En, "Amina Diallo p99");
    check_shown("{{name p}}", json!({ "p": "p18" }), Language::En, "[Bob](http://evil.example) <b>");
    check_shown(
        "{{#each v}}{{name @key}}: {{choice this}}{{/each}}",
        json!({ "v": { "p17": "no" } }),
        Language::Fr,
        "Amina Diallo: NON (NO)",
    );
    check_shown("{{number n}}", json!({ "n": 12345 }), Language::Es, "12.345");
    let votes = "{{plural n one=\"# голос\" few=\"# голоса\" many=\"# голосов\" other=\"# голоса\"}}";
    check_shown(votes, json!({ "n": 22 }), Language::Ru, "22 голоса");
    check_shown(
        "{{select s open=\"seen\" non-public=\"hidden\"}}",
        json!({ "s": "non-public" }),
        Language::En,
        "hidden",
    );
    check_shown("{{language l}}", json!({ "l": "zh" }), Language::Fr, "chinois");
    check_shown("{{word \"withdraw\"}}", json!({}), Language::Fr, "RETIRER");
    check_shown(
        "{{link u}}",
        json!({ "u": "https://a.example/x?y=1" }),
        Language::En,
        "https://a.example/x?y=1",
    );
    check_shown("{{link u}}", json!({ "u": "javascript:x" }), Language::En, "javascript:x");
    check_shown("{{#when x is=\"a\"}}A{{else}}B{{/when}}", json!({ "x": "b" }), Language::En, "B");
    check_shown("{{text x}}", json!({ "x": { "en": "hi", "fr": "salut" } }), Language::Es, "hi");
    check_shown(
        "{{#each xs}}{{text this}}{{/each}}",
        json!({ "xs": [{ "fr": "salut" }] }),
        Language::Fr,
        "salut",
    );
    check_shown("أجب {{x}}.", json!({ "x": "Bob (x)" }), Language::Ar, "أجب \u{2068}Bob (x)\u{2069}.");
}

#[test]
fn a_value_the_data_do_not_have_is_an_error_everywhere() {
    let uses = [
        "{{x}}",
        "{{text x}}",
        "{{quote x}}",
        "{{choice x}}",
        "{{time x}}",
        "{{date x}}",
        "{{name x}}",
        "{{names x}}",
        "{{number x}}",
        "{{plural x other=\"#\"}}",
        "{{select x a=\"b\"}}",
        "{{language x}}",
        "{{code x}}",
        "{{link x}}",
        "{{#when x}}a{{/when}}",
        "{{#each x}}a{{/each}}",
        "{{word \"nonsense\"}}",
        "{{answer \"yes\"}}",
        "{{time s}}",
        "{{choice s}}",
        "{{select s a=\"b\"}}",
        "{{name n}}",
        "{{s.t}}",
    ];
    for body in uses {
        let source = format!("Subject: s\n\n{body}\n");
        let renderer = renderer_with(&[("test/missing/en.hbs", &source)]);
        let row = row("test/missing", json!({ "s": "text", "n": 1 }), Asks::Nothing);
        let result = send(&renderer, &row, &recipient(Language::En));
        assert!(matches!(result, Err(RenderError::Template { .. })), "{body}: {result:?}");
    }
}

#[test]
fn a_template_that_hides_typos_or_lacks_a_subject_is_refused() {
    let sources = [
        "Subject: s\n\n{{#if x}}a{{/if}}",
        "Subject: s\n\n{{~ # unless x}}a{{/unless}}",
        "Subject: s\n\n{{{x}}}",
        "Subject: s\n\n{{& x}}",
        "Subject: s\n\n{{> other}}",
        "Subject: s\n\n{{x",
        "No subject\n\nx",
        "Subject: s\nx",
    ];
    for source in sources {
        let overrides = BTreeMap::from([("test/bad/en.hbs".to_owned(), source.to_owned())]);
        let error = Renderer::new(letterhead(), minter(), &overrides).err().expect("it is refused");
        assert!(error.to_string().starts_with("templates/test/bad/en.hbs: "), "{error}");
    }
}

#[test]
fn a_template_without_the_readers_language_is_sent_whole_in_english() {
    let renderer = renderer_with(&[("test/english/en.hbs", "Subject: s\n\nOnly English.\n")]);
    let row = row("test/english", json!({}), Asks::Confirm);
    let mail = send(&renderer, &row, &recipient(Language::Ar)).expect("it renders");
    let message = parsed(&mail);
    assert!(message.body_text(0).expect("text").contains("Dear Amina Diallo,"));
    assert!(message.body_html(0).expect("HTML").contains("<html lang=\"en\" dir=\"ltr\">"));
    let unknown = send(&renderer, &OutboxRow { template: "no/such".into(), ..row }, &recipient(Language::En));
    assert!(matches!(unknown, Err(RenderError::NoTemplate(_))));
}

/// Every notice under templates/, as `<workflow>/<notice>`.
fn notices() -> Vec<String> {
    let mut found = Vec::new();
    for workflow in folders(&templates()) {
        if workflow.starts_with('_') {
            continue;
        }
        for notice in folders(&templates().join(&workflow)) {
            found.push(format!("{workflow}/{notice}"));
        }
    }
    found
}

fn templates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")
}

fn folders(under: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(under)
        .expect("a folder of templates")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What a template takes from its data, and by which helper: every tag but the words chosen by `plural` and
/// `select`, which each language has its own of.
fn tags(source: &str) -> BTreeSet<String> {
    let tag = |inside: &str| {
        let inside = inside.trim_matches(['~', ' ']);
        match inside.split_once(' ') {
            Some((helper @ ("plural" | "select"), rest)) => {
                format!("{helper} {}", rest.split_whitespace().next().unwrap_or_default())
            }
            _ => inside.to_owned(),
        }
    };
    let after = source.split("{{").skip(1);
    after.filter_map(|rest| rest.split_once("}}")).map(|(inside, _)| tag(inside)).collect()
}

#[test]
fn every_notice_is_written_in_all_seven_languages_from_the_same_data() {
    let mut problems = Vec::new();
    let shared = folders(&templates().join("_shared")).into_iter().map(|part| format!("_shared/{part}"));
    for name in notices().into_iter().chain(shared) {
        let read = |file: &str| std::fs::read_to_string(templates().join(&name).join(file));
        let Ok(english) = read("en.hbs") else {
            problems.push(format!("{name} is not written in English"));
            continue;
        };
        for language in Language::ALL {
            match read(&format!("{language}.hbs")) {
                Err(_) => problems.push(format!("{name} is not written in {language}")),
                Ok(source) if tags(&source) != tags(&english) => {
                    let here: Vec<String> = tags(&source).difference(&tags(&english)).cloned().collect();
                    let there: Vec<String> = tags(&english).difference(&tags(&source)).cloned().collect();
                    problems.push(format!("{name} in {language} lacks {there:?} and has besides {here:?}"));
                }
                Ok(_) => {}
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_notice_can_be_looked_at_with_its_sample() {
    let renderer = renderer_with(&[]);
    let mut problems = Vec::new();
    for name in notices() {
        for language in Language::ALL {
            match renderer.preview(&name, language) {
                Err(error) => problems.push(format!("{name} in {language}: {error}")),
                Ok(preview) => {
                    let odd =
                        ["[object]", "{{", "}}", "**"].iter().filter(|odd| preview.text.contains(**odd));
                    problems.extend(odd.map(|odd| format!("{name} in {language} shows {odd}")));
                    if preview.subject.is_empty() || preview.subject.len() > 250 {
                        problems.push(format!("{name} in {language}: subject {:?}", preview.subject));
                    }
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_binary_holds_the_templates_of_the_folder() {
    assert_eq!(renderer_with(&[]).templates(), notices());
}

/// What a path of a template means where it stands; none where the data do not have it.
fn resolve<'a>(scopes: &[&'a Value], path: &str) -> Option<&'a Value> {
    let up = path.matches("../").count();
    let scope = scopes.get(scopes.len().checked_sub(up + 1)?)?;
    let path = path.trim_start_matches("../").trim_start_matches("this").trim_start_matches('.');
    path.split('.').filter(|key| !key.is_empty()).try_fold(*scope, |value, key| value.get(key))
}

/// The lists a template goes through that its sample does not have. `{{else}}` would hide them.
fn unknown_lists(source: &str, sample: &Value) -> Vec<String> {
    const ANYTHING: &Value = &Value::Null;
    let mut scopes = vec![sample];
    let mut unknown = Vec::new();
    let after = source.split("{{").skip(1);
    for tag in
        after.filter_map(|rest| rest.split_once("}}")).map(|(inside, _)| inside.trim_matches(['~', ' ']))
    {
        if tag == "/each" {
            scopes.pop();
        } else if let Some(path) = tag.strip_prefix("#each ") {
            // Inside an empty list nothing is known, nor checked.
            let inside_nothing = scopes.last() == Some(&ANYTHING);
            let list = resolve(&scopes, path.split_whitespace().next().unwrap_or_default());
            if list.is_none() && !inside_nothing {
                unknown.push(path.to_owned());
            }
            let first = match list {
                Some(Value::Array(list)) => list.first(),
                Some(Value::Object(map)) => map.values().next(),
                _ => None,
            };
            scopes.push(first.unwrap_or(ANYTHING));
        }
    }
    unknown
}

#[test]
fn every_list_a_template_goes_through_is_in_its_sample() {
    let data = json!({ "a": [{ "b": [1] }], "c": [] });
    let source =
        "{{#each a}}{{#each this.b}}{{/each}}{{#each ../c}}{{#each x}}{{/each}}{{/each}}{{/each}}{{#each d}}";
    assert_eq!(unknown_lists(source, &data), ["d"]);
    let mut problems = Vec::new();
    for name in notices() {
        let read =
            |file: &str| std::fs::read_to_string(templates().join(&name).join(file)).unwrap_or_default();
        let sample: Value = serde_json::from_str(&read("sample.json")).expect("a sample");
        let unknown = unknown_lists(&read("en.hbs"), &sample);
        problems.extend(unknown.into_iter().map(|path| format!("{name}: {path}")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
