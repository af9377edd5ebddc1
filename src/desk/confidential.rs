//! What is told in confidence: an answer to a confidential mail of ours, or a bounce of one. Who may comment is
//! looked up here, by the register as it was when the mail arrived; what the mail says goes into `Told` or nowhere.

use super::{Addressed, Asking, Counter, Outcome, TEXT, Token, author, cut, desk, lines, sure};
use crate::kernel::assurance::{Act, Assurance, Level, Matrix};
use crate::kernel::confidential::{Bar, Reading, is_member};
use crate::kernel::ids::{CaseId, Party, PersonId};
use crate::kernel::people::Region;
use crate::kernel::register::Register;
use crate::kernel::said::Command;
use crate::kernel::workflow::{Asks, Input};
use crate::letters::{Class, Letter, line_command};

/// The matter in whose confidence a mail was written.
pub struct Confidence<'a> {
    pub case: CaseId,
    /// Whose members were asked there.
    pub region: Option<Region>,
    /// The register as it was when the mail arrived.
    pub then: &'a Register,
    pub acts: &'a Matrix,
}

/// What a mail in confidence comes to.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// A comment, or what was meant as one.
    Comment(Told),
    /// It goes where any mail goes.
    Else(Outcome),
}

/// A comment before it is sealed.
#[derive(PartialEq)]
pub struct Told {
    pub region: Region,
    /// The author's own words.
    pub words: String,
    /// Whose name it is to bear.
    pub named: Option<PersonId>,
    /// Whom to answer; forgotten afterwards.
    pub author: Party,
    /// The label of the notice it answers.
    pub label: String,
    pub barred: Option<Bar>,
}

impl std::fmt::Debug for Told {
    /// Says that there is a comment, not what it says or whose it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Told({:?})", self.barred)
    }
}

/// Reads a mail that was written in confidence.
pub fn in_confidence(letter: &Letter, at: &Counter<'_>, of: &Confidence<'_>) -> Heard {
    let elsewhere = |letter: &Letter| Heard::Else(desk(letter, at));
    let Token::Known(asked) = &at.asked else { return elsewhere(&wordless(letter)) };
    let forgotten = matches!(asked.to, Party::Anonymous(_));
    if forgotten && letter.class == Class::Bounce {
        return Heard::Else(Outcome::Silent("bounce of a mail in confidence"));
    }
    let ours = letter.from.as_ref().is_some_and(|from| from.address.eq_ignore_ascii_case(at.clerk));
    if letter.class != Class::Reply || ours || letter.commands.contains(&Command::Verify) {
        return elsewhere(&wordless(letter));
    }
    let writer = author(letter, of.then);
    let written_to = at.register.speaker(asked.to).map(|person| person.id);
    let Some(answer) = writer.or(written_to) else {
        return Heard::Else(Outcome::Silent("unsolicited"));
    };
    let commands = &letter.commands;
    let alone = !commands.is_empty() && lines(&letter.text) <= commands.len();
    if alone && commands.contains(&Command::Comments) {
        let sure = assurance(letter, at, asked, writer).level() >= Level::TokenAndAddress;
        return Heard::Else(Outcome::Letters(vec![reading(of.case, answer, (sure, false), at)]));
    }
    if alone && !commands.contains(&Command::Named) {
        return elsewhere(&wordless(letter));
    }
    // Its text quotes a confidential mail; what it answers is another.
    if !asked.confidential {
        return elsewhere(letter);
    }
    match asked.asks {
        Asks::Comment(region) => Heard::Comment(comment(letter, at, of, asked, region)),
        Asks::Nothing => thanks(letter, of, asked, answer),
        _ => elsewhere(letter),
    }
}

/// A comment, and why it is not taken if it is not.
fn comment(letter: &Letter, at: &Counter<'_>, of: &Confidence<'_>, asked: &Asking, region: Region) -> Told {
    let writer = author(letter, of.then);
    let written_to = at.register.speaker(asked.to).map(|person| Party::Person(person.id));
    let named = |line: &&str| line_command(line) != Some(Command::Named);
    let words: Vec<&str> = letter.text.lines().filter(named).collect();
    let words = cut(words.join("\n").trim(), TEXT);
    let member = |person| is_member(of.then, person, region, at.arrived);
    let barred = match writer {
        None => Some(Bar::Unsure),
        Some(person) if !member(person) => Some(Bar::NotAMember),
        Some(_) if !of.acts.allows(Act::Comment, assurance(letter, at, asked, writer)) => Some(Bar::Unsure),
        Some(_) if words.is_empty() || at.header_only => Some(Bar::Empty),
        Some(_) => None,
    };
    let named = writer.filter(|_| letter.commands.contains(&Command::Named));
    Told {
        region,
        words,
        named,
        author: writer.map(Party::Person).or(written_to).unwrap_or(asked.to),
        label: asked.label.clone(),
        barred,
    }
}

/// A reply to a confidential mail that asked for nothing. Thanks need no answer, nor does an answer to a refusal.
fn thanks(letter: &Letter, of: &Confidence<'_>, asked: &Asking, answer: PersonId) -> Heard {
    let takes_none = matches!(asked.template.as_str(), "comment/receipt" | "comment/list");
    let Some(region) = of.region.filter(|_| takes_none) else {
        return Heard::Else(Outcome::Silent("answer to a mail in confidence that asks for none"));
    };
    if letter.text.trim().chars().count() <= THANKS {
        return Heard::Else(Outcome::Silent("thanks"));
    }
    Heard::Comment(Told {
        region,
        words: String::new(),
        named: None,
        author: Party::Person(answer),
        label: asked.label.clone(),
        barred: Some(Bar::NotHere),
    })
}

/// Characters of a mail that says nothing but thanks.
const THANKS: usize = 60;

/// The same mail without a word of it but its commands.
fn wordless(letter: &Letter) -> Letter {
    Letter {
        text: String::new(),
        signature: String::new(),
        quoted: String::new(),
        subject: String::new(),
        near: Vec::new(),
        attachments: Vec::new(),
        sheet: None,
        ..letter.clone()
    }
}

fn assurance(letter: &Letter, at: &Counter<'_>, asked: &Asking, writer: Option<PersonId>) -> Assurance {
    let written_to = at.register.speaker(asked.to).map(|person| person.id);
    Assurance {
        token: writer.or(written_to) == written_to,
        from_on_file: writer.is_some(),
        aligned: sure(letter, at),
        confirmed: false,
    }
}

fn reading(case: CaseId, by: PersonId, (sure, documents): (bool, bool), at: &Counter<'_>) -> Addressed {
    let nonce = at.nonce.to_owned();
    Addressed::ToCase(case, Input::Reading(Reading { by, sure, arrived: at.arrived, nonce, documents }))
}

/// COMMENTS or DOCUMENTS in a mail of any other matter: a list for each case whose comments or documents may be meant,
/// and whatever else the mail says where that goes.
pub(super) fn asked_to_read(letter: &Letter, at: &Counter<'_>, by: PersonId) -> Outcome {
    let hers = match &at.asked {
        Token::Known(asked) => at.register.speaker(asked.to).map(|person| person.id) == Some(by),
        _ => false,
    };
    let assurance =
        Assurance { token: hers, from_on_file: true, aligned: sure(letter, at), confirmed: false };
    let sure = assurance.level() >= Level::TokenAndAddress;
    let of = |cases: &[CaseId], documents| {
        cases.iter().map(|case| reading(*case, by, (sure, documents), at)).collect::<Vec<_>>()
    };
    let comments = letter.commands.contains(&Command::Comments);
    let readings = [of(if comments { &at.readable } else { &[] }, false), of(&at.papers, true)].concat();
    let mut rest = letter.clone();
    rest.commands.retain(|command| match command {
        Command::Comments => at.readable.is_empty(),
        Command::Documents(_) => at.papers.is_empty(),
        _ => true,
    });
    let more = lines(&letter.text) > letter.commands.len();
    if rest.commands.is_empty() && rest.answer.choice.is_none() && !more {
        return Outcome::Letters(readings);
    }
    readings.into_iter().fold(desk(&rest, at), Outcome::and)
}
