//! The templates of one language: found, checked and compiled once.

use super::helpers;
use super::words::Words;
use crate::kernel::language::Language;
use handlebars::{Context, Handlebars};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every file under templates/ as (path, text), embedded by build.rs.
pub(super) const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// What may not stand in a template: conditions that a typo satisfies, unescaped data, partials.
const BANNED: [(&str, &str); 6] = [
    ("{{#if", "a misspelt name would be false; use {{#when}}"),
    ("{{#unless", "a misspelt name would be true; use {{#when}}…{{else}}"),
    ("{{{", "data must be escaped; use two braces"),
    ("{{&", "data must be escaped; use {{x}}"),
    ("{{>", "there are no partials"),
    ("{{*", "there are no decorators"),
];

/// A template or word list that cannot be used. Says which file and what to do.
#[derive(Debug, thiserror::Error)]
#[error("templates/{path}: {problem}")]
pub struct TemplateError {
    path: String,
    problem: String,
}

impl TemplateError {
    fn new(path: &str, problem: impl Into<String>) -> TemplateError {
        TemplateError { path: path.to_owned(), problem: problem.into() }
    }
}

/// Everything written in one language, ready to use.
pub(super) struct Tongue {
    pub language: Language,
    pub words: Arc<Words>,
    bars: Handlebars<'static>,
}

/// A template after its variables are filled in, still Markdown.
pub(super) struct Filled {
    pub subject: String,
    pub body: String,
}

/// Every template in every language, compiled once and shared by all who write mail.
pub struct Templates(Vec<Tongue>);

impl Templates {
    /// Compiles every template. `overrides` replaces or adds single files by their path under templates/:
    /// "ballot/ballot/fr.hbs".
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn compile(overrides: &BTreeMap<String, String>) -> Result<Templates, TemplateError> {
        let mut files: BTreeMap<&str, &str> = EMBEDDED.iter().copied().collect();
        files.extend(overrides.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let tongues = Language::ALL.into_iter().map(|language| Tongue::new(language, &files));
        tongues.collect::<Result<Vec<Tongue>, TemplateError>>().map(Templates)
    }

    /// The language if the template is written in it, else English.
    pub(super) fn tongue(&self, template: &str, language: Language) -> Option<&Tongue> {
        let wanted = self.0.iter().find(|tongue| tongue.language == language && tongue.has(template));
        wanted.or_else(|| self.0.iter().find(|tongue| tongue.has(template)))
    }
}

impl Tongue {
    /// Compiles every template of a language out of (path, text).
    fn new(language: Language, files: &BTreeMap<&str, &str>) -> Result<Tongue, TemplateError> {
        let code = language.code();
        let path = format!("_words/{code}.toml");
        let source = files.get(path.as_str()).ok_or_else(|| TemplateError::new(&path, "is missing"))?;
        let words = Arc::new(Words::parse(code, source).map_err(|e| TemplateError::new(&path, e))?);
        let mut bars = Handlebars::new();
        bars.set_strict_mode(true);
        helpers::register(&mut bars, &words, language.is_rtl());
        let ending = format!("/{code}.hbs");
        for (path, source) in files {
            if let Some(name) = path.strip_suffix(&ending) {
                compile(&mut bars, name, path, source)?;
            }
        }
        Ok(Tongue { language, words, bars })
    }

    pub(super) fn has(&self, template: &str) -> bool {
        self.bars.has_template(template)
    }

    /// The Markdown of a notice.
    pub(super) fn fill(&self, template: &str, data: Value) -> Result<Filled, handlebars::RenderError> {
        let data = Context::from(data);
        Ok(Filled {
            subject: self.bars.render_with_context(&subject_of(template), &data)?,
            body: self.bars.render_with_context(template, &data)?,
        })
    }

    /// The Markdown of a part that every mail shares.
    pub(super) fn part(&self, part: &str, data: &Context) -> Result<String, handlebars::RenderError> {
        self.bars.render_with_context(&format!("_shared/{part}"), data)
    }
}

/// The words by which readers know a kind of mail: what stands in its subject around the data, in each language.
pub fn subjects(template: &str) -> Vec<Vec<&'static str>> {
    let of = |(path, source): &(&'static str, &'static str)| {
        let (name, _) = path.strip_suffix(".hbs")?.rsplit_once('/')?;
        let subject = source.lines().next()?.strip_prefix("Subject: ")?;
        let mut pieces = subject.split("{{");
        let first = pieces.next().into_iter();
        let rest = pieces.map(|piece| piece.split_once("}}").map_or("", |(_, rest)| rest));
        (name == template).then(|| first.chain(rest).collect())
    };
    EMBEDDED.iter().filter_map(of).collect()
}

fn subject_of(template: &str) -> String {
    format!("{template}#subject")
}

/// Checks and compiles one file; a notice's first line is its subject.
fn compile(
    bars: &mut Handlebars<'static>,
    name: &str,
    path: &str,
    source: &str,
) -> Result<(), TemplateError> {
    let packed: String = source.replace(['~', ' '], "");
    if let Some((_, reason)) = BANNED.iter().find(|(banned, _)| packed.contains(banned)) {
        return Err(TemplateError::new(path, *reason));
    }
    let broken = |e: handlebars::TemplateError| TemplateError::new(path, e.to_string());
    if name.starts_with("_shared/") {
        return bars.register_template_string(name, source).map_err(broken);
    }
    let (head, body) = source.split_once('\n').unwrap_or((source, ""));
    let subject = head.trim_end().strip_prefix("Subject: ");
    let subject = subject.ok_or_else(|| TemplateError::new(path, "must begin with \"Subject: …\""))?;
    let body = body.trim_start_matches('\r').strip_prefix('\n').or_else(|| body.strip_prefix("\r\n"));
    let body = body.ok_or_else(|| TemplateError::new(path, "needs an empty line after the subject"))?;
    bars.register_template_string(&subject_of(name), subject).map_err(broken)?;
    bars.register_template_string(name, body).map_err(broken)
}
