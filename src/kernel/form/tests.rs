//! Forms, drafts and conversations by themselves.

use super::*;
use chrono::{DateTime, Utc};

fn tongues(text: &str) -> String {
    let pairs: Vec<String> = Language::ALL.iter().map(|l| format!("{l} = \"{text}\"")).collect();
    format!("{{ {} }}", pairs.join(", "))
}

fn field(id: &str, kind: &str, required: bool) -> String {
    format!(
        "[[field]]\nid = \"{id}\"\nkind = {kind}\nrequired = {required}\nsees = \"public\"\nlabel = {}\nhelp = {}\n",
        tongues(id),
        tongues("help")
    )
}

fn form() -> Form {
    let text = format!(
        "id = \"test\"\ntitle = {}\n{}{}{}",
        tongues("Test"),
        field("name", "{ text = { max = 20 } }", true),
        field("members", "\"number\"", true),
        field("remarks", "{ text = { max = 200 } }", false),
    );
    Form::parse(&text).unwrap()
}

fn at(minute: u32) -> DateTime<Utc> {
    format!("2026-11-02T10:{minute:02}:00Z").parse().unwrap()
}

fn letter(n: u32) -> Source {
    Source::Letter { letter: format!("l{n}"), at: at(n) }
}

fn says(answers: &[(&str, Found)]) -> Reading {
    let found = answers.iter().map(|(id, found)| ((*id).to_owned(), found.clone())).collect();
    Reading { found, ..Reading::default() }
}

fn text(text: &str) -> Found {
    Found::Answer(Value::Text(text.to_owned()))
}

fn number(n: u64) -> Found {
    Found::Answer(Value::Number(Amount::exactly(n)))
}

fn unreadable() -> Found {
    Found::Trouble(Trouble { why: Why::NoNumber, said: "many".to_owned(), could_be: Vec::new() })
}

fn check_refused(change: impl FnOnce(&mut Form), expected: &str) {
    let mut form = form();
    change(&mut form);
    let error = form.check().unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_form_that_lacks_anything_is_refused() {
    check_refused(|f| f.fields[1].id = "name".to_owned(), "stands twice");
    check_refused(|f| f.fields[1].label = f.fields[0].label.clone(), "the label of two fields");
    check_refused(|f| drop(f.fields[0].help.0.remove(&Language::Zh)), "is not written in zh");
    check_refused(|f| f.fields[0].kind = Kind::Choice, "0 options");
    check_refused(|f| f.fields.clear(), "1 to 100");
    check_refused(|f| f.fields[0].id = "a b".to_owned(), "cannot name a field");
}

#[test]
fn a_later_answer_replaces_the_earlier_one_of_its_question_alone() {
    let first = Draft::default().merged(&says(&[("name", text("A")), ("members", number(9))]), &letter(1));
    let second = first.merged(&says(&[("name", text("B")), ("remarks", Found::Same)]), &letter(2));
    assert_eq!(second.value("name"), Some(&Value::Text("B".to_owned())));
    assert_eq!(second.entry("name").unwrap().before, [Value::Text("A".to_owned())]);
    assert_eq!(second.entry("members"), first.entry("members"));
    assert_eq!(second.entry("remarks"), None);
    let third = second.merged(&says(&[("name", Found::Nothing), ("members", unreadable())]), &letter(3));
    assert_eq!(third.value("name"), None);
    assert_eq!(third.value("members"), Some(&Value::Number(Amount::exactly(9))));
}

#[test]
fn merging_the_same_letter_twice_changes_nothing_more() {
    let reading = says(&[("name", text("A")), ("members", Found::Nothing), ("remarks", unreadable())]);
    let known = Draft::prefilled([("members".to_owned(), Value::Number(Amount::exactly(3)))]);
    let once = known.merged(&reading, &letter(1));
    assert_eq!(once.merged(&reading, &letter(2)), once);
}

#[test]
fn a_form_is_complete_when_what_is_required_is_there() {
    let form = form();
    let talk = FormTalk::new(&form, Language::Fr, Draft::default());
    let (talk, outcome) =
        talk.reply(&form, &says(&[("name", text("A")), ("members", unreadable())]), &letter(1), at(1));
    let Outcome::StillMissing { lacks, changed } = outcome else { panic!("{outcome:?}") };
    assert_eq!(changed, ["name"]);
    assert_eq!((lacks.len(), lacks[0].field.as_str(), lacks[0].trouble.is_some()), (1, "members", true));
    let (talk, outcome) = talk.reply(&form, &says(&[("members", number(5))]), &letter(2), at(2));
    assert_eq!(outcome, Outcome::Complete { changed: vec!["members".to_owned()] });
    let confirms = Reading { confirms: true, ..Reading::default() };
    let (same, outcome) = talk.reply(&form, &confirms, &letter(3), at(3));
    assert_eq!(outcome, Outcome::Complete { changed: Vec::new() });
    assert_eq!(same.draft, talk.draft);
    let stored = serde_json::to_string(&same).unwrap();
    assert_eq!(serde_json::from_str::<FormTalk>(&stored).unwrap(), same);
}

#[test]
fn what_is_not_understood_twice_leads_to_the_offer_of_questions() {
    let form = form();
    let talk = FormTalk::new(&form, Language::En, Draft::default());
    let (talk, first) = talk.reply(&form, &Reading::default(), &letter(1), at(1));
    assert_eq!(first, Outcome::NothingUnderstood { offer_questions: false });
    let (talk, second) = talk.reply(&form, &says(&[("name", Found::Same)]), &letter(2), at(2));
    assert_eq!(second, Outcome::NothingUnderstood { offer_questions: true });
    assert_eq!(talk.draft, Draft::default());
}

#[test]
fn one_question_per_mail_goes_through_all_that_is_open() {
    let form = form();
    let talk = FormTalk::new(&form, Language::En, Draft::default());
    let asks = |outcome: &Outcome| match outcome {
        Outcome::Ask { field, .. } => field.clone(),
        other => format!("{other:?}"),
    };
    let wants = Reading { wants_questions: true, ..Reading::default() };
    let (talk, outcome) = talk.reply(&form, &wants, &letter(1), at(1));
    assert_eq!(asks(&outcome), "name");
    let skip = Reading { skips: true, ..Reading::default() };
    let (talk, outcome) = talk.reply(&form, &skip, &letter(2), at(2));
    assert_eq!(asks(&outcome), "members");
    let (talk, outcome) = talk.reply(&form, &says(&[("members", unreadable())]), &letter(3), at(3));
    assert_eq!(asks(&outcome), "members");
    let (talk, outcome) = talk.reply(&form, &says(&[("members", number(4))]), &letter(4), at(4));
    assert_eq!(asks(&outcome), "remarks");
    let (talk, outcome) = talk.reply(&form, &skip, &letter(5), at(5));
    assert_eq!(asks(&outcome), "name");
    let (whole, outcome) =
        talk.reply(&form, &Reading { wants_whole: true, ..Reading::default() }, &letter(6), at(6));
    assert_eq!((whole.mode, outcome), (Mode::Whole, Outcome::SendWhole));
    let (_, outcome) = talk.reply(&form, &says(&[("name", text("A"))]), &letter(6), at(6));
    assert_eq!(outcome, Outcome::Complete { changed: vec!["name".to_owned()] });
}
