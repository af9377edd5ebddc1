//! What a form prints: the notes under a question, answers as text. The reader of forms takes the same
//! texts out again, so that a form sent back as it was says nothing.

use super::words::{trouble, words};
use crate::kernel::form::{Amount, Draft, Field, Form, Lack, Person, Unread, Value};
use crate::kernel::language::Language;
use serde_json::{Map, Value as Json, json};

/// Characters of all long answers together that a form shows, and of one at least and at most; a longer one
/// is cut and says so. A mail has room for no more.
const SHOWN_ALL: usize = 2_400;
const SHOWN_MIN: usize = 120;
const SHOWN_MAX: usize = 600;
/// Ends an answer that was cut.
pub const CUT: char = '…';

/// An answer as text on one line.
pub fn shown(field: &Field, value: &Value, language: Language) -> String {
    let printed = &words().printed;
    match value {
        Value::Text(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Number(amount) => number(*amount, language),
        Value::YesNo(true) => printed.yes.get(language).to_owned(),
        Value::YesNo(false) => printed.no.get(language).to_owned(),
        Value::Email(text) | Value::Url(text) => text.clone(),
        Value::Country(country) => country.name(language).to_owned(),
        Value::Date(day) => day.to_string(),
        Value::Choice(id) => option(field, id, language),
        Value::Several(ids) => {
            ids.iter().map(|id| option(field, id, language)).collect::<Vec<_>>().join("; ")
        }
        Value::People(people) => people.iter().map(person).collect::<Vec<_>>().join("; "),
    }
}

/// How many characters of each answer a form has room to show.
fn room(form: &Form, draft: &Draft) -> usize {
    let length = |f: &Field| draft.value(&f.id).map_or(0, |v| shown(f, v, Language::En).chars().count());
    let long = form.fields.iter().filter(|f| length(f) > SHOWN_MIN).count();
    (SHOWN_ALL / long.max(1)).clamp(SHOWN_MIN, SHOWN_MAX)
}

/// An answer cut to the room there is.
fn cut(mut text: String, room: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(room) {
        text.truncate(at);
        text.push(CUT);
    }
    text
}

fn number(amount: Amount, language: Language) -> String {
    let printed = &words().printed;
    let n = if amount.low == amount.high {
        amount.low.to_string()
    } else {
        let range = printed.range.get(language);
        range.replace("{a}", &amount.low.to_string()).replace("{b}", &amount.high.to_string())
    };
    if amount.about { printed.about.get(language).replace("{n}", &n) } else { n }
}

fn option(field: &Field, id: &str, language: Language) -> String {
    let offer = field.options.iter().find(|offer| offer.id == id);
    offer.map_or(id, |offer| offer.label.get(language)).to_owned()
}

fn person(person: &Person) -> String {
    let email = person.email.as_ref().map(|email| format!(" ({email})")).unwrap_or_default();
    let role = person.role.as_ref().map(|role| format!(", {role}")).unwrap_or_default();
    format!("{}{email}{role}", person.name)
}

/// The note under a question: help, whether an answer is needed, who will see it.
pub fn note(field: &Field, language: Language) -> String {
    let printed = &words().printed;
    let need = if field.required { &printed.required } else { &printed.optional };
    let sees = printed.sees(field.sees);
    let gap = if language == Language::Zh { "" } else { " " };
    [field.help.get(language), need.get(language), sees.get(language)].join(gap)
}

/// The letter of an option.
pub fn letter(n: usize) -> char {
    u8::try_from(n).ok().filter(|n| *n < 26).map_or('?', |n| char::from(b'a' + n))
}

/// A text by language, for a template's `{{text …}}`.
fn by_language(text: impl Fn(Language) -> String) -> Json {
    let map: Map<String, Json> =
        Language::ALL.into_iter().map(|l| (l.code().to_owned(), text(l).into())).collect();
    Json::Object(map)
}

/// One question as the templates of forms show it.
pub fn field_data(form: &Form, field: &Field, draft: &Draft) -> Json {
    let number = form.field(&field.id).map_or(0, |(number, _)| number);
    let (value, room) = (draft.value(&field.id), room(form, draft));
    let shown_now =
        |language| value.map(|value| cut(shown(field, value, language), room)).unwrap_or_default();
    let options: Vec<Json> = field
        .options
        .iter()
        .enumerate()
        .map(|(n, offer)| json!({ "letter": letter(n).to_string(), "label": offer.label }))
        .collect();
    json!({
        "number": number,
        "label": field.label,
        "note": by_language(|language| note(field, language)),
        "value": by_language(shown_now),
        "options": options,
    })
}

/// The whole form as the template `form/whole` shows it.
pub fn form_data(form: &Form, draft: &Draft) -> Json {
    let fields: Vec<Json> = form.fields.iter().map(|field| field_data(form, field, draft)).collect();
    let known = draft.values().next().is_some();
    json!({ "title": form.title, "known": known, "fields": fields, "end": words().printed.end })
}

/// One thing that is missing or wrong, told to the writer.
fn problem_data(form: &Form, lack: &Lack) -> Option<Json> {
    let (_, field) = form.field(&lack.field)?;
    let sentence = trouble(lack.trouble.as_ref().map(|t| t.why))?;
    let text = |language| sentence.get(language).replace("{label}", field.label.get(language));
    let could_be = lack.trouble.iter().flat_map(|t| &t.could_be);
    let could_be: Vec<Json> =
        could_be.map(|value| by_language(|l| cut(shown(field, value, l), SHOWN_MIN))).collect();
    let said = lack.trouble.as_ref().map(|t| t.said.clone()).unwrap_or_default();
    Some(json!({ "text": by_language(text), "said": said, "could_be": could_be }))
}

/// What is missing or wrong, and the form with those questions only: `form/missing`. `unread` are files
/// that could not be read.
pub fn missing_data(form: &Form, draft: &Draft, lacks: &[Lack], unread: &[Unread]) -> Json {
    let problems: Vec<Json> = lacks.iter().filter_map(|lack| problem_data(form, lack)).collect();
    let asked = |lack: &Lack| form.field(&lack.field).map(|(_, field)| field_data(form, field, draft));
    let fields: Vec<Json> = lacks.iter().filter_map(asked).collect();
    json!({
        "title": form.title,
        "count": fields.len(),
        "problems": problems,
        "unread": unread,
        "fields": fields,
        "end": words().printed.end,
    })
}

/// One question alone: `form/question`. A trouble with the last answer is told first.
pub fn question_data(form: &Form, draft: &Draft, lack: &Lack) -> Json {
    let trouble = lack.trouble.is_some();
    let problems: Vec<Json> = problem_data(form, lack).into_iter().filter(|_| trouble).collect();
    let found = form.field(&lack.field);
    json!({
        "title": form.title,
        "problems": problems,
        "position": found.map_or(0, |(number, _)| number),
        "total": form.fields.len(),
        "optional": found.is_some_and(|(_, field)| !field.required),
        "fields": found.map(|(_, field)| field_data(form, field, draft)).into_iter().collect::<Vec<Json>>(),
    })
}

/// Nothing was understood: `form/lost`, with the form once more.
pub fn lost_data(form: &Form, draft: &Draft, offer_questions: bool, unread: &[Unread]) -> Json {
    let mut data = form_data(form, draft);
    data["offer"] = json!(offer_questions);
    data["unread"] = json!(unread);
    data
}

/// What was understood, question by question: `form/receipt`. `changed` names what the last letter changed.
pub fn receipt_data(form: &Form, draft: &Draft, changed: &[String]) -> Json {
    let row = |field: &Field| {
        let value = draft.value(&field.id)?;
        let number = form.field(&field.id).map_or(0, |(number, _)| number);
        Some(json!({
            "number": number,
            "label": field.label,
            "value": by_language(|language| cut(shown(field, value, language), SHOWN_MAX)),
            "changed": changed.contains(&field.id),
        }))
    };
    let answers: Vec<Json> = form.fields.iter().filter_map(row).collect();
    json!({ "title": form.title, "changed": changed.len(), "answers": answers, "end": words().printed.end })
}
