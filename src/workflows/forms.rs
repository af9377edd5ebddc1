//! Forms inside workflows: a workflow keeps a `FormTalk` in its state, sends what `ask` gives, and hands
//! every reply about it to `answer`, which gives the talk after it, what came of it, and the mail to send.
//!
//! ```text
//! let talk = FormTalk::new(&form, language, Draft::prefilled(known));
//! let step = Step::to(state).tell(forms::ask(&form, &talk, "form", to));
//! // Then, for each reply:
//! let turn = forms::answer(&form, &talk, reply, "form", cx.now);
//! match turn.outcome {
//!     Outcome::Complete { .. } => the next phase,
//!     _ => the same phase, with turn.talk,
//! }.tell(turn.notice)
//! ```

use crate::kernel::form::{Draft, Form, FormTalk, Lack, Mode, Outcome, Place, Reading, Sheet, Source};
use crate::kernel::ids::Party;
use crate::kernel::workflow::{Asks, Notice, Reply};
use crate::letters::form::{self, Asked};
use chrono::{DateTime, Utc};

const WHOLE: &str = "form/whole";
const MISSING: &str = "form/missing";
const QUESTION: &str = "form/question";
const RECEIPT: &str = "form/receipt";
const LOST: &str = "form/lost";

/// What a reply came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub talk: FormTalk,
    pub outcome: Outcome,
    /// What the letter says, question by question.
    pub reading: Reading,
    /// What to send: the receipt, the form with what is missing, the next question. To whom the form was
    /// sent.
    pub notice: Notice,
}

/// The mail that asks: the form, what is left of it, or the question whose turn it is. Reminders are the
/// same mail under another label.
pub fn ask(form: &Form, talk: &FormTalk, label: &str, to: Party) -> Notice {
    let (template, data) = match &talk.mode {
        Mode::Whole => (WHOLE, form::form_data(form, &talk.draft)),
        Mode::Missing(_) => (MISSING, form::missing_data(form, &talk.draft, &talk.lacks(form), &[])),
        Mode::Question(field) => (QUESTION, form::question_data(form, &talk.draft, &lack(talk, field))),
    };
    Notice::new(label, to, template, data).asking(Asks::Form)
}

fn lack(talk: &FormTalk, field: &str) -> Lack {
    Lack { field: field.to_owned(), trouble: talk.troubles.get(field).cloned() }
}

/// What a reply says of the form, by the lines of the letter; by its text alone where there are none.
pub fn read(form: &Form, draft: &Draft, question: Option<&str>, reply: &Reply) -> Reading {
    let asked = Asked { form, draft, question };
    match &reply.said.sheet {
        Some(sheet) => form::read(&asked, sheet),
        None => {
            let mut sheet = Sheet::default();
            let page = form::page_of(Place::Plain, &reply.said.text, &mut sheet.cut);
            sheet.pages.push(page);
            form::read(&asked, &sheet)
        }
    }
}

/// Takes a reply. `label` is that of the mails that ask; the receipt's is `receipt:` and that.
pub fn answer(form: &Form, talk: &FormTalk, reply: &Reply, label: &str, now: DateTime<Utc>) -> Turn {
    let reading = read(form, &talk.draft, talk.question(), reply);
    let letter = reply.answers.as_ref().map_or_else(|| "unasked".to_owned(), |a| a.notice.to_string());
    let source = Source::Letter { letter, at: reply.arrived };
    let (next, outcome) = talk.reply(form, &reading, &source, now);
    let to = reply.answers.as_ref().map_or(reply.from, |answers| answers.to);
    let notice = match &outcome {
        Outcome::Complete { changed } => {
            let data = form::receipt_data(form, &next.draft, changed);
            Notice::new(&format!("receipt:{label}"), to, RECEIPT, data).asking(Asks::Form)
        }
        Outcome::StillMissing { lacks, .. } => {
            let data = form::missing_data(form, &next.draft, lacks, &reading.unread);
            Notice::new(label, to, MISSING, data).asking(Asks::Form)
        }
        Outcome::NothingUnderstood { offer_questions } if next.mode == Mode::Whole => {
            let data = form::lost_data(form, &next.draft, *offer_questions, &reading.unread);
            Notice::new(label, to, LOST, data).asking(Asks::Form)
        }
        Outcome::Ask { .. } | Outcome::SendWhole | Outcome::NothingUnderstood { .. } => {
            ask(form, &next, label, to)
        }
    };
    Turn { talk: next, outcome, reading, notice }
}
