//! Forms that are filled in by mail: what is asked, of which kind, and who will see it. The words of a form
//! stand in one file in all seven languages, `templates/_forms/<id>.toml`; this reads and checks it.

mod country;
mod draft;
mod reading;
mod sheet;
mod talk;
mod value;

pub use country::Country;
pub use draft::{Draft, Entry, Source};
pub use reading::{Found, Reading, Trouble, Unread, Why};
pub use sheet::{Line, Page, Part, Place, Sheet};
pub use talk::{FormTalk, Lack, Mode, Outcome};
pub use value::{Amount, Person, Value};

use super::language::Language;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Questions a form may have.
pub const MAX_FIELDS: usize = 100;
/// Options a choice may have: each is called by a letter.
pub const MAX_OPTIONS: usize = 26;
/// Characters of a label; longer ones are torn by mail programs.
pub const MAX_LABEL: usize = 60;
/// Characters of a help text.
pub const MAX_HELP: usize = 400;

/// One text in all seven languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(BTreeMap<Language, String>);

impl Words {
    /// The text in a language.
    pub fn get(&self, language: Language) -> &str {
        self.0.get(&language).map_or("", String::as_str)
    }

    /// Every language's text.
    pub fn all(&self) -> impl Iterator<Item = (Language, &str)> {
        self.0.iter().map(|(language, text)| (*language, text.as_str()))
    }

    fn check(&self, what: &str, longest: usize) -> Result<(), FormError> {
        for language in Language::ALL {
            let text = self.get(language);
            let length = text.chars().count();
            if text.trim().is_empty() {
                return Err(FormError(format!("{what} is not written in {language}")));
            }
            if text.contains('\n') || text.trim() != text || length > longest {
                let limits = format!("one line of at most {longest} characters, without space around it");
                return Err(FormError(format!("{what} in {language} must be {limits}")));
            }
        }
        Ok(())
    }
}

/// A form file that cannot be used: what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FormError(String);

/// A form: questions in the order they are asked. Their numbers count from one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Its name in states and files: "report".
    pub id: String,
    pub title: Words,
    #[serde(rename = "field")]
    pub fields: Vec<Field>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in drafts and records; never changes, whatever its number.
    pub id: String,
    pub label: Words,
    pub help: Words,
    pub kind: Kind,
    pub required: bool,
    pub sees: Sees,
    /// What a `choice` or `several` offers, in the order of its letters.
    #[serde(default, rename = "option", skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Offer>,
}

/// One thing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    pub id: String,
    pub label: Words,
}

/// What kind of answer a question takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Kind {
    /// Free text of at most so many characters.
    Text {
        max: u32,
    },
    /// A whole number, exact, about, or a range.
    Number,
    YesNo,
    Email,
    Url,
    /// A country or territory of ISO 3166-1.
    Country,
    /// A day of the Gregorian calendar.
    Date,
    /// One of the options.
    Choice,
    /// One or more of the options.
    Several,
    /// So many people; with `email` each needs an address.
    People {
        min: u32,
        max: u32,
        email: bool,
    },
}

impl Kind {
    /// Whether an answer may run over several lines that look like anything.
    pub fn runs_on(self) -> bool {
        matches!(self, Kind::Text { .. } | Kind::People { .. } | Kind::Several)
    }

    /// Whether the question offers options.
    pub fn offers(self) -> bool {
        matches!(self, Kind::Choice | Kind::Several)
    }
}

/// Who will see an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sees {
    Public,
    /// The members of the region's organisation, staff and the committee.
    Ralo,
    Staff,
    /// Staff, until the matter is decided; erased then.
    UntilDecided,
}

impl Form {
    /// Reads and checks a form file.
    ///
    /// # Errors
    /// What is missing or wrong, by question and language.
    pub fn parse(text: &str) -> Result<Form, FormError> {
        let form: Form = toml::from_str(text).map_err(|error| FormError(error.to_string()))?;
        form.check()?;
        Ok(form)
    }

    /// Whether everything is there in all languages and can be told apart.
    ///
    /// # Errors
    /// The first thing that is missing or wrong.
    pub fn check(&self) -> Result<(), FormError> {
        self.title.check("the title", MAX_LABEL * 2)?;
        if self.fields.is_empty() || self.fields.len() > MAX_FIELDS {
            return Err(FormError(format!("a form has 1 to {MAX_FIELDS} fields")));
        }
        let mut ids = BTreeSet::new();
        let mut labels: BTreeMap<String, &str> = BTreeMap::new();
        for field in &self.fields {
            check_id(&field.id)?;
            if !ids.insert(field.id.as_str()) {
                return Err(FormError(format!("field {:?} stands twice", field.id)));
            }
            field.check()?;
            for (language, label) in field.label.all() {
                let other = labels.insert(label.to_lowercase(), &field.id);
                if other.is_some_and(|other| other != field.id) {
                    return Err(FormError(format!(
                        "{label:?} in {language} is the label of two fields, {:?} too",
                        field.id
                    )));
                }
            }
        }
        Ok(())
    }

    /// The question of this id, and its number.
    pub fn field(&self, id: &str) -> Option<(usize, &Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.id == id).map(|(n, field)| (n + 1, field))
    }
}

impl Field {
    fn check(&self) -> Result<(), FormError> {
        self.label.check(&format!("the label of {:?}", self.id), MAX_LABEL)?;
        self.help.check(&format!("the help of {:?}", self.id), MAX_HELP)?;
        if self.label.all().any(|(_, label)| label.ends_with([':', '\u{ff1a}', '?', '.'])) {
            return Err(FormError(format!("the label of {:?} ends in a mark; leave it out", self.id)));
        }
        let count = self.options.len();
        let fits = if self.kind.offers() { (2..=MAX_OPTIONS).contains(&count) } else { count == 0 };
        if !fits {
            return Err(FormError(format!(
                "field {:?} has {count} options; choices have 2 to {MAX_OPTIONS}, other kinds none",
                self.id
            )));
        }
        let mut ids = BTreeSet::new();
        for option in &self.options {
            check_id(&option.id)?;
            option.label.check(&format!("option {:?} of {:?}", option.id, self.id), MAX_LABEL * 2)?;
            if !ids.insert(option.id.as_str()) {
                return Err(FormError(format!("option {:?} of {:?} stands twice", option.id, self.id)));
            }
        }
        match self.kind {
            Kind::People { min, max, .. } if min > max || max == 0 || max > 100 => {
                Err(FormError(format!("field {:?}: people are from min to max, at most 100", self.id)))
            }
            Kind::Text { max } if max == 0 || max > 20_000 => {
                Err(FormError(format!("field {:?}: a text has 1 to 20000 characters", self.id)))
            }
            _ => Ok(()),
        }
    }
}

fn check_id(id: &str) -> Result<(), FormError> {
    let plain = !id.is_empty() && id.len() <= 40;
    if plain && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Ok(());
    }
    Err(FormError(format!("{id:?} cannot name a field; use small letters, digits and -")))
}

#[cfg(test)]
mod tests;
