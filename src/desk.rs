//! The desk: one letter as it was read becomes the letters to the cases it is for, silence on purpose, or a
//! question for a person. Pure: whatever must be looked up has been looked up.

mod confidential;

pub use confidential::{Confidence, Heard, Told, in_confidence};

use crate::kernel::assurance::Assurance;
use crate::kernel::ids::{CaseId, NoticeId, Party, PersonId, StrangerId};
use crate::kernel::register::Register;
use crate::kernel::said::{Command, Problem, Said};
use crate::kernel::workflow::{Answers, Asks, Input, Opening, Reply, Undelivered};
use crate::letters::{Class, Letter};
use crate::workflows::Kind;
use crate::workflows::enquiry::Asked;
use crate::workflows::office::{Brought, Verified, Waits, Why};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Characters of a person's own words that are kept in a case.
const TEXT: usize = 16_000;
const SUBJECT: usize = 200;

/// Everything the desk may look at besides the letter.
pub struct Counter<'a> {
    pub register: &'a Register,
    /// The clerk's own case.
    pub office: CaseId,
    pub clerk: &'a str,
    pub arrived: DateTime<Utc>,
    /// It lay in the Junk folder.
    pub junk: bool,
    /// Its Message-ID was seen in another mail: a signature that was replayed proves nothing.
    pub repeated: bool,
    /// Too large: only its header was fetched.
    pub header_only: bool,
    /// The notice its token names.
    pub asked: Token,
    /// Applications of whoever writes APPLY that are under way.
    pub applying: Vec<Waits>,
    /// What waits for the person whose address it came from.
    pub waits: Vec<Owed>,
    /// Ballots still open that she has answered: she may change or take back what she said.
    pub answered: Vec<Owed>,
    /// Somebody outside the register who may be answered today.
    pub stranger: Option<StrangerId>,
    /// It answers a mail to somebody outside the register and comes from the address that mail went to.
    pub own_stranger: bool,
    /// What was found of the mail forwarded below VERIFY.
    pub verified: Option<Verified>,
    /// Cases whose comments COMMENTS may mean in this mail.
    pub readable: Vec<CaseId>,
    /// Cases whose documents DOCUMENTS may mean in this mail.
    pub papers: Vec<CaseId>,
    /// 128 random bits, hex.
    pub nonce: &'a str,
}

/// What the carriers of a token say together.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    None,
    /// Ours by its MAC, but no such notice is on record.
    Unknown,
    /// Carriers name different matters or people.
    Disagree,
    Known(Asking),
}

/// The notice that was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    pub notice: NoticeId,
    pub label: String,
    pub template: String,
    pub to: Party,
    pub address: u8,
    pub asks: Asks,
    /// Whether its notice was confidential.
    pub confidential: bool,
}

/// A question a person has not answered yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Owed {
    pub asks: Asks,
    pub waits: Waits,
}

/// Where a letter goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Addressed {
    ToCase(CaseId, Input),
    Opens(Opening),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Letters(Vec<Addressed>),
    /// On purpose without an answer; the word stands in the books.
    Silent(&'static str),
    /// A person must look.
    Quarantined(&'static str),
}

impl Outcome {
    /// The same and one letter more.
    fn and(self, more: Addressed) -> Outcome {
        match self {
            Outcome::Letters(letters) => Outcome::Letters(letters.into_iter().chain([more]).collect()),
            Outcome::Silent(_) | Outcome::Quarantined(_) => Outcome::Letters(vec![more]),
        }
    }
}

/// Sends a letter where it belongs.
pub fn desk(letter: &Letter, at: &Counter<'_>) -> Outcome {
    if letter.from.as_ref().is_some_and(|from| from.address.eq_ignore_ascii_case(at.clerk)) {
        return Outcome::Silent("our own");
    }
    match letter.class {
        Class::Bounce => return bounce(letter, at),
        Class::AutoReply => return Outcome::Silent("automatic reply"),
        Class::Feedback => return Outcome::Silent("feedback"),
        Class::ListCopy => return Outcome::Silent("list copy"),
        Class::Unreadable => return Outcome::Quarantined("the mail cannot be read"),
        Class::Reply => {}
    }
    if at.junk && !matches!(at.asked, Token::Known(_)) {
        return Outcome::Silent("junk");
    }
    let author = author(letter, at.register);
    if at.header_only {
        return match author {
            Some(_) => to_office(letter, at, author, Why::TooLarge),
            None => Outcome::Silent("unsolicited"),
        };
    }
    // A mail forwarded below VERIFY brings its own token, and its writer answers nothing by it.
    if letter.commands.contains(&Command::Verify) && letter.answer.choice.is_none() {
        return to_office(letter, at, author, Why::Commands);
    }
    if let Some(person) = author
        && letter.commands.iter().any(|command| match command {
            Command::Comments => !at.readable.is_empty(),
            Command::Documents(_) => !at.papers.is_empty(),
            _ => false,
        })
    {
        return confidential::asked_to_read(letter, at, person);
    }
    match &at.asked {
        Token::Disagree => {
            Outcome::Quarantined("its reply address, references and text name different matters")
        }
        Token::Unknown if author.is_some() => to_office(letter, at, author, Why::UnknownToken),
        Token::Known(asked) => answered(letter, at, asked, author),
        Token::Unknown | Token::None => unasked(letter, at, author),
    }
}

/// A bounce becomes news for the case whose mail came back; a delay is no news.
fn bounce(letter: &Letter, at: &Counter<'_>) -> Outcome {
    let Token::Known(asked) = &at.asked else { return Outcome::Silent("bounce of an unknown mail") };
    let Some(failure) = letter.bounces.iter().find(|bounce| bounce.permanent) else {
        return Outcome::Silent("delay");
    };
    let undelivered = Undelivered {
        notice: asked.notice,
        label: asked.label.clone(),
        to: asked.to,
        address: asked.address,
        permanent: true,
        status: failure.status.clone(),
        at: at.arrived,
    };
    Outcome::Letters(vec![Addressed::ToCase(asked.notice.case, Input::Undelivered(undelivered))])
}

/// The person whose address the mail came from. A From that a list rewrote names nobody.
fn author(letter: &Letter, register: &Register) -> Option<PersonId> {
    let from = letter.from.as_ref().filter(|_| !letter.list)?;
    register.owner(&from.address).map(|person| person.id)
}

/// A mail that carries a token of ours.
fn answered(letter: &Letter, at: &Counter<'_>, asked: &Asking, author: Option<PersonId>) -> Outcome {
    let written_to = match asked.to {
        Party::Stranger(stranger) => Some(Party::Stranger(stranger)),
        party => at.register.speaker(party).map(|person| Party::Person(person.id)),
    };
    // An unknown address with somebody's token: she may have forwarded it, or written from elsewhere.
    let Some(from) = author.map(Party::Person).or(written_to) else {
        return Outcome::Quarantined("nobody answers any more for the party this mail was written to");
    };
    let assurance = Assurance {
        token: written_to == Some(from),
        from_on_file: author.is_some() || (at.own_stranger && written_to == Some(from)),
        aligned: sure(letter, at),
        confirmed: only_on_file(asked) && written_to == Some(from) && !at.repeated,
    };
    let mut said = said(letter);
    let answers = Some(Answers { notice: asked.notice, label: asked.label.clone(), to: asked.to });
    let kind = asked.template.split('/').next().and_then(Kind::from_name);
    let (office, own): (Vec<_>, Vec<_>) = said.commands.drain(..).partition(|command| {
        // A form may be asked for one question at a time.
        let of_form = asked.asks == Asks::Form && *command == Command::Questions;
        for_office(command, kind) && !of_form
    });
    said.commands = own;
    let answers_it = said.choice.is_some() || !said.commands.is_empty();
    // A line of an answer to an enquiry may well read "Status"; a mail of nothing else is a command.
    let commands_alone = lines(&said.text) <= office.len();
    let to_office = (!office.is_empty()
        && (commands_alone || !matches!(asked.asks, Asks::Text | Asks::Form)))
    .then(|| to_office(letter, at, author, Why::Commands));
    if let Some(to_office) = to_office {
        if !answers_it {
            return to_office;
        }
        let reply = Reply {
            from,
            answers,
            said,
            arrived: at.arrived,
            assurance,
            nonce: at.nonce.into(),
            desk: Value::Null,
        };
        return to_office.and(Addressed::ToCase(asked.notice.case, Input::Reply(reply)));
    }
    let thanks = asked.asks == Asks::Nothing || asked.label.starts_with("receipt:");
    let silent = matches!(said.problem, Problem::NoAnswer | Problem::Empty) && said.commands.is_empty();
    if thanks && silent {
        let empty = said.text.trim().is_empty();
        return if empty { Outcome::Silent("empty") } else { enquiry(letter, at, from, true) };
    }
    let reply = Reply {
        from,
        answers,
        said,
        arrived: at.arrived,
        assurance,
        nonce: at.nonce.into(),
        desk: Value::Null,
    };
    Outcome::Letters(vec![Addressed::ToCase(asked.notice.case, Input::Reply(reply))])
}

/// Whether the mail that was answered asked, at the address on file and nowhere else, whether something was
/// written there: a question to confirm, or a task's request to send the same once more.
fn only_on_file(asked: &Asking) -> bool {
    const ONCE_MORE: [&str; 4] =
        ["ballot/task-unsure", "enquiry/unsure", "accreditation/unsure", "decertification/unsure"];
    asked.asks == Asks::Confirm || ONCE_MORE.contains(&asked.template.as_str())
}

/// A mail without a token: commands, an answer to the one thing owed, or an enquiry.
fn unasked(letter: &Letter, at: &Counter<'_>, author: Option<PersonId>) -> Outcome {
    let Some(person) = author else {
        let commands_alone = !letter.commands.is_empty() && lines(&letter.text) <= letter.commands.len();
        return match at.stranger.filter(|_| sure(letter, at)) {
            Some(_) if commands_alone || letter.commands.contains(&Command::Apply) => {
                to_office(letter, at, None, Why::Commands)
            }
            Some(stranger) => enquiry(letter, at, Party::Stranger(stranger), true),
            None => Outcome::Silent("unsolicited"),
        };
    };
    let mut said = said(letter);
    let votes: Vec<&Owed> = at.waits.iter().filter(|owed| owed.asks == Asks::Vote).collect();
    // Without a token and with nothing owed: what she answered last, if it can be only one.
    let votes = if votes.is_empty() { at.answered.iter().collect() } else { votes };
    let kind = (!votes.is_empty()).then_some(Kind::Ballot);
    let (office, own): (Vec<_>, Vec<_>) = said.commands.drain(..).partition(|c| for_office(c, kind));
    said.commands = own;
    let answers = said.choice.is_some() || !said.commands.is_empty();
    if !office.is_empty() && !answers {
        return to_office(letter, at, author, Why::Commands);
    }
    match votes.as_slice() {
        [one] if answers => {
            let aligned = sure(letter, at);
            let assurance = Assurance { from_on_file: true, aligned, ..Assurance::default() };
            let reply = Reply {
                from: Party::Person(person),
                answers: None,
                said,
                arrived: at.arrived,
                assurance,
                nonce: at.nonce.to_owned(),
                desk: Value::Null,
            };
            let vote = Addressed::ToCase(one.waits.notice.case, Input::Reply(reply));
            if office.is_empty() {
                return Outcome::Letters(vec![vote]);
            }
            to_office(letter, at, author, Why::Commands).and(vote)
        }
        [_, _, ..] if answers => to_office(letter, at, author, Why::WhichMatter),
        _ if !office.is_empty() => to_office(letter, at, author, Why::Commands),
        _ if !letter.near.is_empty() && lines(&said.text) <= letter.near.len() => {
            to_office(letter, at, author, Why::Commands)
        }
        _ => enquiry(letter, at, Party::Person(person), true),
    }
}

/// Whether a command is the office's to answer: about the person or the clerk, or one that the matter at hand
/// does not know.
fn for_office(command: &Command, kind: Option<Kind>) -> bool {
    use Command::{Erase, Help, Language, LanguageUnknown, MyData, Status, Verify};
    let own = matches!(command, Help | Status | Language(_) | LanguageUnknown(_) | MyData | Erase | Verify);
    own || kind.is_none_or(|kind| !kind.takes(command))
}

/// How many lines hold anything.
fn lines(text: &str) -> usize {
    text.lines().filter(|line| !line.trim().is_empty()).count()
}

fn to_office(letter: &Letter, at: &Counter<'_>, author: Option<PersonId>, why: Why) -> Outcome {
    let party = match (author, &at.asked) {
        (Some(person), _) => Party::Person(person),
        (None, Token::Known(asked)) if at.verified.is_none() => asked.to,
        _ => match at.stranger.filter(|_| sure(letter, at)) {
            Some(stranger) => Party::Stranger(stranger),
            None => return Outcome::Silent("unsolicited"),
        },
    };
    let token = matches!(&at.asked, Token::Known(asked) if asked.to == party);
    let assurance =
        Assurance { token, from_on_file: author.is_some(), aligned: sure(letter, at), confirmed: false };
    let brought = Brought {
        why,
        waits: at.waits.iter().map(|owed| owed.waits.clone()).collect(),
        near: letter.near.clone(),
        over_budget: letter.over_budget,
        verified: at.verified.clone(),
        applying: at.applying.clone(),
    };
    let reply = Reply {
        from: party,
        answers: None,
        said: said(letter),
        arrived: at.arrived,
        assurance,
        nonce: at.nonce.to_owned(),
        desk: json!(brought),
    };
    Outcome::Letters(vec![Addressed::ToCase(at.office, Input::Reply(reply))])
}

fn enquiry(letter: &Letter, at: &Counter<'_>, from: Party, acknowledge: bool) -> Outcome {
    let said = said(letter);
    let asked = Asked { from, subject: cut(&letter.subject, SUBJECT), text: said.text, acknowledge };
    Outcome::Letters(vec![Addressed::Opens(Opening {
        kind: "enquiry".to_owned(),
        parent: None,
        by: None,
        body: json!(asked),
        arrived: at.arrived,
        nonce: at.nonce.to_owned(),
    })])
}

/// What workflows see of a letter.
fn said(letter: &Letter) -> Said {
    Said {
        text: cut(&letter.text, TEXT),
        choice: letter.answer.choice,
        problem: letter.answer.problem,
        commands: letter.commands.clone(),
        language: letter.language,
        sheet: letter.sheet.clone(),
    }
}

/// The first characters of a text.
fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// Whether it is proven that this very mail was sent by its author now.
fn sure(letter: &Letter, at: &Counter<'_>) -> bool {
    letter.vouching.aligned && !at.repeated
}
