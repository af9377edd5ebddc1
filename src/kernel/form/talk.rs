//! The conversation about one form: what was asked, what came back, what is still needed. A workflow keeps
//! one of these in its state and asks it what to do with each letter.
//!
//! ```text
//! whole form ──reply──► complete
//!    │ ▲  └─ something missing or unclear ──► the form again, those fields only ──reply──► …
//!    │ └── FORM ──┐
//! QUESTIONS ──► one question per mail ──reply──► the next …──► complete
//! ```

use super::{Draft, Form, Found, Reading, Source, Trouble};
use crate::kernel::language::Language;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Letters in a row of which nothing was understood, after which one question per mail is offered.
const LOST_OFTEN: u32 = 2;

/// A form under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormTalk {
    /// The id of the form.
    pub form: String,
    /// The language it was sent in; letters may come in any.
    pub language: Language,
    pub draft: Draft,
    pub mode: Mode,
    /// Answers that could not be taken and have not been mended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub troubles: BTreeMap<String, Trouble>,
    /// When the form or the question left.
    #[serde(default)]
    pub asked_at: Option<DateTime<Utc>>,
    /// Since it left.
    #[serde(default)]
    pub reminders: u32,
    /// Letters in a row of which nothing was understood.
    #[serde(default)]
    pub lost: u32,
}

/// How it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// All questions in one mail.
    Whole,
    /// Those still open in one mail: their ids.
    Missing(Vec<String>),
    /// One question per mail: the id of the one that was asked.
    Question(String),
}

/// A question that still needs the writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lack {
    pub field: String,
    /// None: a required question without an answer.
    pub trouble: Option<Trouble>,
}

/// What a letter led to, and so what to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything needed is there: send the receipt and go on. `changed` names what this letter changed.
    Complete { changed: Vec<String> },
    /// Send the form again with these questions only.
    StillMissing { lacks: Vec<Lack>, changed: Vec<String> },
    /// Send this question.
    Ask { field: String, changed: Vec<String> },
    /// The writer wants the whole form back.
    SendWhole,
    /// Nothing the form has use for. The second time in a row, offer one question per mail.
    NothingUnderstood { offer_questions: bool },
}

impl FormTalk {
    /// A form that is to be sent whole.
    pub fn new(form: &Form, language: Language, draft: Draft) -> FormTalk {
        FormTalk {
            form: form.id.clone(),
            language,
            draft,
            mode: Mode::Whole,
            troubles: BTreeMap::new(),
            asked_at: None,
            reminders: 0,
            lost: 0,
        }
    }

    /// After the form, or a question, was sent.
    #[must_use]
    pub fn asked(self, now: DateTime<Utc>) -> FormTalk {
        FormTalk { asked_at: Some(now), reminders: 0, ..self }
    }

    /// After a reminder was sent.
    #[must_use]
    pub fn reminded(self) -> FormTalk {
        FormTalk { reminders: self.reminders.saturating_add(1), ..self }
    }

    /// The question that was asked alone: one of one, or the only one that was still open.
    pub fn question(&self) -> Option<&str> {
        match &self.mode {
            Mode::Question(field) => Some(field),
            Mode::Missing(fields) if fields.len() == 1 => fields.first().map(String::as_str),
            Mode::Whole | Mode::Missing(_) => None,
        }
    }

    fn one_by_one(&self) -> bool {
        matches!(self.mode, Mode::Question(_))
    }

    /// What is missing or wrong, in the form's order. Empty: complete.
    pub fn lacks(&self, form: &Form) -> Vec<Lack> {
        let lack =
            |id: &str, trouble: Option<&Trouble>| Lack { field: id.to_owned(), trouble: trouble.cloned() };
        let fields = form.fields.iter().filter_map(|field| {
            let trouble = self.troubles.get(&field.id);
            let missing = field.required && self.draft.value(&field.id).is_none();
            (missing || trouble.is_some()).then(|| lack(&field.id, trouble))
        });
        fields.collect()
    }

    /// The conversation after a letter. Pure: the same letter at the same state gives the same.
    #[must_use]
    pub fn reply(
        &self,
        form: &Form,
        reading: &Reading,
        source: &Source,
        now: DateTime<Utc>,
    ) -> (FormTalk, Outcome) {
        if !reading.says_something() {
            let mode = if self.one_by_one() { self.mode.clone() } else { Mode::Whole };
            let talk = FormTalk { lost: self.lost.saturating_add(1), mode, ..self.clone() }.asked(now);
            let offer_questions = talk.lost >= LOST_OFTEN && !talk.one_by_one();
            return (talk, Outcome::NothingUnderstood { offer_questions });
        }
        let mut talk = FormTalk { draft: self.draft.merged(reading, source), lost: 0, ..self.clone() };
        talk.weigh_troubles(reading);
        let changed: Vec<String> = form
            .fields
            .iter()
            .filter(|f| self.draft.value(&f.id) != talk.draft.value(&f.id))
            .map(|f| f.id.clone())
            .collect();
        let outcome = if reading.wants_whole {
            talk.mode = Mode::Whole;
            Outcome::SendWhole
        } else {
            talk.next(form, reading, source, changed)
        };
        if !matches!(outcome, Outcome::Complete { .. }) {
            talk = talk.asked(now);
        }
        (talk, outcome)
    }

    /// Troubles this letter mended go, those it brought come. Who confirms what stands there takes back
    /// what was unclear.
    fn weigh_troubles(&mut self, reading: &Reading) {
        for (id, found) in &reading.found {
            match found {
                Found::Trouble(trouble) => {
                    self.troubles.insert(id.clone(), trouble.clone());
                }
                Found::Answer(_) | Found::Nothing => {
                    self.troubles.remove(id);
                }
                Found::Same => {}
            }
        }
        if reading.confirms {
            self.troubles.clear();
        }
    }

    fn next(&mut self, form: &Form, reading: &Reading, source: &Source, changed: Vec<String>) -> Outcome {
        let skipped = self.question().filter(|_| reading.skips).map(str::to_owned);
        if let Some(id) = &skipped {
            self.troubles.remove(id);
            let optional = form.field(id).is_some_and(|(_, field)| !field.required);
            if optional && self.draft.value(id).is_none() {
                self.draft.set(id, None, source.clone());
            }
        }
        if self.one_by_one() || reading.wants_questions {
            let asked = self.question().map(str::to_owned);
            if let Some(field) = self.next_question(form, asked.as_deref(), skipped.as_deref()) {
                self.mode = Mode::Question(field.clone());
                return Outcome::Ask { field, changed };
            }
        }
        let lacks = self.lacks(form);
        if lacks.is_empty() {
            self.mode = Mode::Whole;
            return Outcome::Complete { changed };
        }
        self.mode = Mode::Missing(lacks.iter().map(|lack| lack.field.clone()).collect());
        Outcome::StillMissing { lacks, changed }
    }

    /// What to ask next: the question itself again where the answer was unclear, then the first open one
    /// below it, then those above. A skipped one comes last.
    pub fn next_question(&self, form: &Form, asked: Option<&str>, skipped: Option<&str>) -> Option<String> {
        let open = |id: &str| {
            self.draft.entry(id).is_none()
                || self.troubles.contains_key(id)
                || form.field(id).is_some_and(|(_, f)| f.required && self.draft.value(id).is_none())
        };
        let again = asked.filter(|id| self.troubles.contains_key(*id));
        if let Some(id) = again {
            return Some(id.to_owned());
        }
        let from = asked.and_then(|id| form.field(id)).map_or(0, |(number, _)| number);
        let ids = || form.fields.iter().map(|field| field.id.as_str());
        let in_turn = ids().skip(from).chain(ids().take(from));
        let mut last = None;
        for id in in_turn.filter(|id| open(id)) {
            if Some(id) != skipped {
                return Some(id.to_owned());
            }
            last = Some(id.to_owned());
        }
        last
    }
}
