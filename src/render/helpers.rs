//! What a template can say besides plain variables: times, names, choices, lists, quotes. Every helper
//! fails on a missing value, so that a typo in a template is found by rendering its sample.

use super::clean;
use super::words::Words;
use crate::kernel::choice::Choice;
use crate::kernel::language::Language;
use chrono::{DateTime, NaiveDate, Utc};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason, Renderable,
};
use serde_json::Value;
use std::sync::Arc;

/// Bytes of one plain value shown at most.
const LINE_CAP: usize = 2_000;

/// One use of a helper.
struct Call<'a> {
    h: &'a Helper<'a>,
    /// The data of the whole mail; keys with an underscore are ours.
    root: &'a Value,
    words: &'a Words,
    rtl: bool,
}

type Inline = fn(&Call<'_>) -> Result<String, RenderError>;

const INLINE: &[(&str, Inline)] = &[
    ("text", text),
    ("quote", quote),
    ("choice", choice),
    ("time", time),
    ("date", date),
    ("name", name),
    ("names", names),
    ("number", number),
    ("plural", plural),
    ("select", select),
    ("language", language),
    ("word", word),
    ("code", code),
    ("link", link),
    ("answer", answer),
    ("languages", languages),
];

/// Gives a registry of templates in one language its helpers.
pub(super) fn register(bars: &mut Handlebars<'static>, words: &Arc<Words>, rtl: bool) {
    for &(name, inline) in INLINE {
        let words = Arc::clone(words);
        bars.register_helper(
            name,
            Box::new(
                move |h: &Helper<'_>,
                      _: &Handlebars<'_>,
                      context: &Context,
                      _: &mut RenderContext<'_, '_>,
                      out: &mut dyn Output|
                      -> HelperResult {
                    let written = inline(&Call { h, root: context.data(), words: &words, rtl })?;
                    Ok(out.write(&written)?)
                },
            ),
        );
    }
    bars.register_helper("when", Box::new(When));
    bars.register_escape_fn(move |value| markdown(value, rtl));
}

/// A value as Markdown that shows it letter for letter.
fn markdown(value: &str, rtl: bool) -> String {
    let line = clean::line(value, LINE_CAP);
    clean::isolate(&clean::escape(&line), rtl).into_owned()
}

fn wrong(what: impl AsRef<str>) -> RenderError {
    RenderErrorReason::Other(what.as_ref().to_owned()).into()
}

impl Call<'_> {
    /// The n-th parameter; an error if the data have no such value.
    fn value(&self, n: usize) -> Result<&Value, RenderError> {
        let param = self.h.param(n).ok_or_else(|| wrong(format!("{} lacks a parameter", self.h.name())))?;
        if param.is_value_missing() {
            return Err(RenderError::strict_error(param.relative_path()));
        }
        Ok(param.value())
    }

    fn string(&self, n: usize) -> Result<&str, RenderError> {
        let value = self.value(n)?;
        value.as_str().ok_or_else(|| self.unfit(value))
    }

    fn unfit(&self, value: &Value) -> RenderError {
        let kind = match value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "a text of another form",
            Value::Array(_) => "a list",
            Value::Object(_) => "a map",
        };
        wrong(format!("{} cannot show {kind}", self.h.name()))
    }

    fn integer(&self, n: usize) -> Result<i64, RenderError> {
        let value = self.value(n)?;
        value.as_i64().ok_or_else(|| self.unfit(value))
    }

    fn markdown(&self, value: &str) -> String {
        markdown(value, self.rtl)
    }

    /// What a party is called: a name of the register, else its number.
    fn called(&self, party: &str) -> String {
        let known = self.root.get("_names").and_then(|names| names.get(party)).and_then(Value::as_str);
        self.markdown(known.unwrap_or(party))
    }

    fn option(&self, key: &str) -> Option<&str> {
        self.h.hash_get(key).and_then(|value| value.value().as_str())
    }

    /// A map from language to text, in the mail's language, else in English; a plain text as it is.
    fn translated<'v>(&self, value: &'v Value) -> Result<&'v str, RenderError> {
        let language = self.root.get("_language").and_then(Value::as_str).unwrap_or("en");
        match value {
            Value::String(text) => Some(text.as_str()),
            Value::Object(map) => map.get(language).or_else(|| map.get("en")).and_then(Value::as_str),
            _ => None,
        }
        .ok_or_else(|| self.unfit(value))
    }
}

/// `{{text question}}`: a text kept in several languages.
fn text(call: &Call<'_>) -> Result<String, RenderError> {
    Ok(call.markdown(call.translated(call.value(0)?)?))
}

/// `{{quote comment}}`, alone on its line: what somebody wrote, as a block quote, cut at the mail's cap.
fn quote(call: &Call<'_>) -> Result<String, RenderError> {
    let cap = call.root.get("_cap").and_then(Value::as_u64).unwrap_or(4_000);
    let source = call.translated(call.value(0)?)?;
    let (mut lines, left_out) = clean::lines(source, usize::try_from(cap).unwrap_or(usize::MAX));
    if left_out > 0 {
        lines.push(call.words.left_out(left_out));
    }
    let mut out = String::new();
    for (i, line) in lines.iter().enumerate() {
        let broken = lines.get(i + 1).is_some_and(|next| !next.is_empty()) && !line.is_empty();
        out.push_str("> ");
        out.push_str(&clean::escape(line));
        out.push_str(if broken { "\\\n" } else { "\n" });
    }
    Ok(out)
}

/// `{{choice answer}}`: **OUI** (YES).
fn choice(call: &Call<'_>) -> Result<String, RenderError> {
    let name = call.string(0)?;
    let constant = Choice::ALL
        .into_iter()
        .find(|choice| choice.word().eq_ignore_ascii_case(name))
        .ok_or_else(|| wrong("choice shows \"yes\", \"no\" or \"abstain\""))?
        .word();
    let word = call.words.word(&name.to_ascii_lowercase()).unwrap_or(constant);
    if word == constant {
        return Ok(format!("**{word}**"));
    }
    Ok(format!("**{word}**{}", call.words.bracketed(constant)))
}

/// `{{time closes}}`: an instant, local first, then UTC.
fn time(call: &Call<'_>) -> Result<String, RenderError> {
    let at: DateTime<Utc> = call.string(0)?.parse().map_err(|_| call.unfit(&Value::String(String::new())))?;
    let zone = call.root.get("_zone").and_then(Value::as_str).and_then(|zone| zone.parse().ok());
    Ok(clean::escape(&call.words.time(at, zone.unwrap_or(chrono_tz::Tz::UTC))).into_owned())
}

/// `{{date day}}`: a day without time. An instant gives its day where the reader lives.
fn date(call: &Call<'_>) -> Result<String, RenderError> {
    let source = call.string(0)?;
    let zone = call.root.get("_zone").and_then(Value::as_str).and_then(|zone| zone.parse().ok());
    let zone: chrono_tz::Tz = zone.unwrap_or(chrono_tz::Tz::UTC);
    let day = source
        .parse::<NaiveDate>()
        .or_else(|_| source.parse::<DateTime<Utc>>().map(|at| at.with_timezone(&zone).date_naive()))
        .map_err(|_| call.unfit(&Value::String(String::new())))?;
    Ok(clean::escape(&call.words.date(day)).into_owned())
}

/// `{{name voter}}`: who "p17" is.
fn name(call: &Call<'_>) -> Result<String, RenderError> {
    Ok(call.called(call.string(0)?))
}

/// `{{names voters}}`: "A, B and C", of a list of parties.
fn names(call: &Call<'_>) -> Result<String, RenderError> {
    let value = call.value(0)?;
    let parties = value.as_array().ok_or_else(|| call.unfit(value))?;
    let called = parties
        .iter()
        .map(|party| party.as_str().map(|party| call.called(party)).ok_or_else(|| call.unfit(party)))
        .collect::<Result<Vec<String>, RenderError>>()?;
    Ok(call.words.join(&called))
}

/// `{{number sitting}}`: grouped as the language does.
fn number(call: &Call<'_>) -> Result<String, RenderError> {
    Ok(call.words.number(call.integer(0)?))
}

/// `{{plural days one="# day" other="# days"}}`: the words the number wants; `#` becomes the number.
fn plural(call: &Call<'_>) -> Result<String, RenderError> {
    let n = call.integer(0)?;
    let words = call.option(call.words.plural(n)).or_else(|| call.option("other"));
    let words = words.ok_or_else(|| wrong("plural lacks other=\"…\""))?;
    Ok(words.replace('#', &call.words.number(n)))
}

/// `{{select secrecy open="…" non-public="…"}}`: words by a value; an unforeseen value is an error.
fn select(call: &Call<'_>) -> Result<String, RenderError> {
    let key = match call.value(0)? {
        Value::String(key) => key.clone(),
        Value::Bool(truth) => truth.to_string(),
        other => return Err(call.unfit(other)),
    };
    let words = call.option(&key).ok_or_else(|| wrong("select has no words for this value"))?;
    Ok(words.to_owned())
}

/// `{{language l}}`: "French", of "fr".
fn language(call: &Call<'_>) -> Result<String, RenderError> {
    let code = call.string(0)?;
    Ok(call.markdown(call.words.language(code).unwrap_or(code)))
}

/// `{{word "withdraw"}}`: a word people may write to the clerk, in their language.
fn word(call: &Call<'_>) -> Result<String, RenderError> {
    let word = call.words.word(call.string(0)?);
    Ok(word.ok_or_else(|| wrong("no such word in _words"))?.to_owned())
}

/// `{{code hash}}`: letters and figures to compare or copy.
fn code(call: &Call<'_>) -> Result<String, RenderError> {
    let value = clean::line(call.string(0)?, LINE_CAP);
    let plain =
        !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:+@/ ".contains(c));
    if plain { Ok(format!("`{value}`")) } else { Ok(call.markdown(&value)) }
}

/// `{{link url}}`: an address of our own pages, as a link.
fn link(call: &Call<'_>) -> Result<String, RenderError> {
    let url = call.string(0)?;
    let safe = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$&'()*+,;=%".contains(c);
    if (url.starts_with("https://") || url.starts_with("http://")) && url.chars().all(safe) {
        Ok(format!("<{url}>"))
    } else {
        Ok(call.markdown(url))
    }
}

/// `{{answer "yes"}}`: a button, in text a line, that opens a mail holding that word.
fn answer(call: &Call<'_>) -> Result<String, RenderError> {
    let constant = call.string(0)?;
    let word = call.words.word(constant).ok_or_else(|| wrong("no such word in _words"))?;
    let link = |key: &str| {
        let links = call.root.get("_answers").and_then(|answers| answers.get(constant));
        let link = links.and_then(|links| links.get(key)).and_then(Value::as_str);
        link.ok_or_else(|| wrong("this mail has no such answer"))
    };
    Ok(format!("[{word}]({} \"{}\")", link("long")?, link("short")?))
}

/// `{{languages}}`: "FR (français), ES (español)…", what may follow the word LANGUAGE.
fn languages(call: &Call<'_>) -> Result<String, RenderError> {
    let items = Language::ALL.map(|l| {
        let item = format!("{}\u{a0}({})", l.code().to_uppercase(), l.autonym());
        call.markdown(&item)
    });
    Ok(items.join(call.words.separator()))
}

/// `{{#when x}}…{{else}}…{{/when}}`: like `#if`, but a missing value is an error. `is="…"` compares.
struct When;

impl HelperDef for When {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        bars: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let param = h.param(0).ok_or_else(|| wrong("when lacks a parameter"))?;
        if param.is_value_missing() {
            return Err(RenderError::strict_error(param.relative_path()));
        }
        let holds = match h.hash_get("is") {
            Some(expected) => param.value() == expected.value(),
            None => match param.value() {
                Value::Null => false,
                Value::Bool(truth) => *truth,
                Value::Number(number) => number.as_f64() != Some(0.0),
                Value::String(text) => !text.is_empty(),
                Value::Array(list) => !list.is_empty(),
                Value::Object(map) => !map.is_empty(),
            },
        };
        match if holds { h.template() } else { h.inverse() } {
            Some(template) => template.render(bars, context, render, out),
            None => Ok(()),
        }
    }
}
