//! YES, NO or ABSTAIN in the author's own words, or the reason why none is credited.
//!
//! The worst outcome is a wrong choice credited, the second a needless question. So a choice is credited only
//! where a clause says nothing but the answer (with words that change nothing around it), or starts with a
//! word that cannot mean anything else; and any sign of a condition, a negation, a question or a second
//! answer asks.

use super::ballot;
use super::letter::{Answer, Problem};
use super::tokens::{Clause, Token, clauses};
use super::words::{Role, words};
use crate::kernel::choice::Choice;

/// A text longer than this is looked at where words of answer stand.
const LONG: usize = 300;

/// What one clause says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Saying {
    choice: Choice,
    /// By the very word asked for, not by a word of support or opposition.
    literal: bool,
    /// The clause is nothing but the answer.
    plain: bool,
    /// It stands where a vote is told: "I vote no", "... is no".
    framed: bool,
    /// A "no" that may as well deny a noun: "there is no doubt".
    particle: bool,
    /// It says that nobody is against it.
    unopposed: bool,
    trouble: Option<Problem>,
    sentence: usize,
    /// Number of the clause among all of them.
    clause: usize,
}

/// Reads an answer out of the author's own words.
pub fn read(text: &str) -> Answer {
    if text.trim().is_empty() {
        return none(Problem::Empty);
    }
    if let Some(ticked) = ballot::ticked(text) {
        let answer = read_words(&ticked);
        return if answer.choice.is_some() { answer } else { none(Problem::TwoAnswers) };
    }
    read_words(text)
}

fn read_words(text: &str) -> Answer {
    if text.is_ascii() && text.len() > LONG {
        let near = near_answers(text);
        if near.is_empty() {
            return none(Problem::NoAnswer);
        }
        let answer = if near.len() * 2 < text.len() { read_all(&near) } else { none(Problem::None) };
        if answer.choice.is_none() && answer.problem != Problem::None {
            return answer;
        }
    }
    read_all(text)
}

/// The lines of a text in ASCII that hold a word of answer, and the lines next to them. Nothing else can give
/// an answer; what is left out can at most take one back.
fn near_answers(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut near, mut taken, mut at) = (String::new(), 0, 0);
    while let Some(found) = words().answers.next_word(text, at) {
        let above = text[..found].rfind('\n').map_or(0, |n| text[..n].trim_ascii_end().len());
        let start = memchr::memrchr(b'\n', &bytes[..above]).map_or(0, |n| n + 1).max(taken);
        let end = memchr::memchr(b'\n', &bytes[found..]).map_or(text.len(), |n| found + n);
        let below = text.len() - text[end..].trim_ascii_start().len();
        let until = memchr::memchr(b'\n', &bytes[below..]).map_or(text.len(), |n| below + n + 1);
        near.push_str(&text[start.min(until)..until]);
        (taken, at) = (until, end);
    }
    near
}

fn read_all(text: &str) -> Answer {
    let clauses = clauses(text);
    let sayings = sayings(&clauses);
    let mut answer = weigh(&sayings, &clauses);
    let reversed = text.contains(['\u{202d}', '\u{202e}']);
    let disguised = clauses.iter().flat_map(|c| &c.tokens).any(|t| t.disguised);
    if (reversed && answer.problem != Problem::NoAnswer) || disguised {
        answer = none(Problem::Disguised);
    }
    answer
}

/// Whether a line is an answer and nothing else, so that it can be no part of a signature.
pub fn is_plain(line: &str) -> bool {
    line.len() <= 200
        && words().answers.stand_in(line)
        && sayings(&clauses(line)).iter().any(|s| s.plain && s.literal)
}

/// Whether an answer stands in a text on a short line of its own.
pub fn mentions(text: &str) -> bool {
    let short =
        text.lines().take(300).map(|l| l.trim_start_matches(['>', ' ', '|'])).filter(|l| l.len() <= 60);
    short.into_iter().any(|l| words().answers.stand_in(l) && is_plain(l))
}

/// Whether a text casts a vote whatever else it tells: with its first words, on a line of its own, or where it
/// speaks of voting.
pub fn casts(text: &str) -> bool {
    let near: String = text.lines().take(300).flat_map(|l| [l, "\n"]).collect();
    let clauses = clauses(&near);
    let votes = |sentence: usize| clauses.iter().any(|c| c.sentence == sentence && tells(c, Role::Vote));
    let alone = |line: &str| {
        line.len() <= 60
            && is_plain(line)
            && self::clauses(line).iter().all(|c| (0..c.tokens.len()).all(|i| role(&c.tokens, i).is_some()))
    };
    let said = |s: &Saying| s.literal && (s.plain || s.trouble == Some(Problem::Conditional));
    let cast = |s: &Saying| said(s) && (s.framed || s.clause == 0 || votes(s.sentence));
    sayings(&clauses).iter().any(cast) || near.lines().any(alone)
}

fn none(problem: Problem) -> Answer {
    Answer { choice: None, problem }
}

/// The one role a word plays here: some words are listed with several.
fn role(clause: &[Token], i: usize) -> Option<Role> {
    let token = &clause[i];
    let has = |r: Role| token.may_be(r);
    if has(Role::Yes) && has(Role::Condition) {
        let last = i + 1 == clause.len();
        return Some(if token.accented || last { Role::Yes } else { Role::Condition });
    }
    if has(Role::No) && has(Role::Negation) && clause.len() > 1 {
        return Some(Role::Negation);
    }
    if token.single && (has(Role::Yes) || has(Role::No)) && clause.len() > 1 {
        return (has(Role::Filler) || has(Role::After)).then_some(Role::Filler);
    }
    token.first_role()
}

fn choice_of(role: Role) -> Option<(Choice, bool)> {
    match role {
        Role::Yes => Some((Choice::Yes, true)),
        Role::No => Some((Choice::No, true)),
        Role::Abstain => Some((Choice::Abstain, true)),
        Role::Support => Some((Choice::Yes, false)),
        Role::Oppose => Some((Choice::No, false)),
        _ => None,
    }
}

fn sayings(clauses: &[Clause]) -> Vec<Saying> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < clauses.len() {
        let sentence = clauses[at].sentence;
        let end = clauses[at..].iter().position(|c| c.sentence != sentence).map_or(clauses.len(), |n| at + n);
        let whole = &clauses[at..end];
        let roles: Vec<Vec<Option<Role>>> =
            whole.iter().map(|c| (0..c.tokens.len()).map(|i| role(&c.tokens, i)).collect()).collect();
        let condition = roles.iter().flatten().any(|r| matches!(r, Some(Role::Condition | Role::Reserve)));
        let asks = whole[0].question || roles.iter().flatten().take(3).any(|r| *r == Some(Role::Question));
        let holds = |want: Role| roles.iter().flatten().any(|r| *r == Some(want));
        let guesses = roles.iter().any(|r| is_guess(r));
        let mut mood = Mood {
            condition: condition || guesses,
            asks,
            elsewhere: holds(Role::Elsewhere),
            change: holds(Role::Change),
            other: false,
            denied: roles.iter().any(|r| is_denial(r)),
            talks: roles.iter().flatten().any(Option::is_none),
        };
        for (n, (clause, roles)) in whole.iter().zip(&roles).enumerate() {
            say(clause, at + n, roles, mood, &mut out);
            mood.other |= roles.contains(&Some(Role::Other));
        }
        at = end;
    }
    out
}

/// What holds for the whole sentence a clause stands in.
#[derive(Debug, Clone, Copy)]
struct Mood {
    condition: bool,
    asks: bool,
    elsewhere: bool,
    change: bool,
    /// Somebody else was spoken of before the clause at hand.
    other: bool,
    /// A clause of it says "not" and nothing else.
    denied: bool,
    /// It has words nobody listed.
    talks: bool,
}

fn say(clause: &Clause, number: usize, roles: &[Option<Role>], mood: Mood, out: &mut Vec<Saying>) {
    let first = roles.iter().position(|r| r.and_then(choice_of).is_some()).unwrap_or(roles.len());
    let because = roles[first..].iter().position(|r| *r == Some(Role::Because));
    let until = because.map_or(roles.len(), |n| first + n);
    let said = &roles[..until];
    let unopposed = said.contains(&Some(Role::Unopposed));
    let double = unopposed || said.contains(&Some(Role::Double));
    let negated = double || said.contains(&Some(Role::Negation));
    let unknown = said.iter().filter(|r| is_unknown(**r)).count();
    let trouble = mood.trouble(negated);
    let saying = |choice, literal, plain, trouble| Saying {
        choice,
        literal,
        plain,
        framed: false,
        particle: false,
        unopposed: false,
        trouble,
        sentence: clause.sentence,
        clause: number,
    };
    let attached = clause.tokens[0].attached;
    let from = out.len();
    for (i, role) in said.iter().enumerate() {
        if let Some((choice, literal)) = role.and_then(choice_of) {
            let before = said[..i].iter().all(|r| is_light(*r));
            let framed = match i.checked_sub(1).and_then(|b| said[b]) {
                Some(Role::Vote) => true,
                Some(Role::Filler | Role::After) => i + 1 == said.len(),
                _ => false,
            };
            let other = mood.other || said[..i].contains(&Some(Role::Other));
            let aimed = said[0] == Some(Role::After) || said.get(i + 1) == Some(&Some(Role::Vote));
            let is_particle = |at: usize| clause.tokens[at].may_be(Role::Particle);
            let copula = choice == Choice::Yes && is_particle(i);
            let leads = before && literal && choice != Choice::No && !mood.change && !aimed && !copula;
            let leads = leads && said.last() != Some(&Some(Role::Guess));
            let led_up = framed && literal && said[0] == Some(Role::LeadIn) && i + 1 == said.len();
            let denies = choice == Choice::No && literal && is_particle(i);
            let next = said.get(i + 1).copied().flatten();
            let denied = (denies && may_be_denied(next) && !(framed && next == Some(Role::Filler)))
                || is_denied(&said[..i], !literal || choice == Choice::Abstain, is_particle);
            let sure = choice == Choice::No && mood.denied && trouble == Some(Problem::Negated) && !negated;
            let trouble = if sure { None } else { trouble };
            let trouble = if denied { trouble.or(Some(Problem::Negated)) } else { trouble };
            let aside = !literal && mood.talks && said[..i].iter().all(|r| *r == Some(Role::Because));
            let elsewhere = mood.elsewhere && !(choice == Choice::Abstain && literal && unknown == 0);
            let plain = (unknown == 0 || leads || led_up) && trouble.is_none() && !elsewhere;
            let plain = plain && !aside && !other && !attached;
            let negates = |at: usize| said[at] == Some(Role::Negation) && !is_particle(at);
            let unopposed = !literal && choice == Choice::No && unknown == 0;
            let unopposed = unopposed && (denied || (0..said.len()).any(negates));
            out.push(Saying {
                framed,
                particle: denies,
                unopposed,
                ..saying(choice, literal, plain, trouble)
            });
        }
    }
    unsay_mixed(&mut out[from..]);
    if double && !said.iter().flatten().any(|r| choice_of(*r).is_some()) {
        let unopposed = unopposed && unknown == 0;
        out.push(Saying { unopposed, ..saying(Choice::No, false, false, trouble) });
    }
}

impl Mood {
    /// What speaks against crediting an answer of the sentence; `negated`: so does its own clause.
    fn trouble(&self, negated: bool) -> Option<Problem> {
        if self.asks {
            Some(Problem::Question)
        } else if negated || self.denied {
            Some(Problem::Negated)
        } else {
            self.condition.then_some(Problem::Conditional)
        }
    }
}

/// What a "no" directly before it denies, rather than answering: "no vote", "não sou contra".
fn may_be_denied(role: Option<Role>) -> bool {
    matches!(role, Some(Role::Filler | Role::Vote | Role::Support | Role::Oppose | Role::Abstain))
}

/// Whether a "no" stands before an answer with nothing but fillers between.
fn is_denied(before: &[Option<Role>], may: bool, is_particle: impl Fn(usize) -> bool) -> bool {
    let no = before.iter().rposition(|r| *r != Some(Role::Filler));
    may && no.is_some_and(|at| before[at] == Some(Role::No) && is_particle(at))
}

/// A clause that says that the author supposes so, and nothing else.
fn is_guess(roles: &[Option<Role>]) -> bool {
    roles.contains(&Some(Role::Guess)) && roles.iter().all(|r| is_light(*r) || *r == Some(Role::Guess))
}

/// One clause that abstains and takes a side says neither.
fn unsay_mixed(sayings: &mut [Saying]) {
    let abstains = sayings.iter().any(|s| s.plain && s.choice == Choice::Abstain);
    if abstains && sayings.iter().any(|s| s.plain && !s.literal) {
        sayings.iter_mut().for_each(|s| s.plain = false);
    }
}

/// Words that may stand before an answer without changing it.
fn is_light(role: Option<Role>) -> bool {
    matches!(role, Some(Role::Filler | Role::After | Role::Courtesy | Role::Vote | Role::Because))
}

/// A clause that is a negation and nothing more.
fn is_denial(roles: &[Option<Role>]) -> bool {
    roles.contains(&Some(Role::Negation)) && roles.iter().all(|r| is_light(*r) || *r == Some(Role::Negation))
}

fn is_unknown(role: Option<Role>) -> bool {
    matches!(role, None | Some(Role::Elsewhere | Role::Question | Role::Other | Role::Guess | Role::LeadIn))
}

/// Weighs everything that was said.
fn weigh(sayings: &[Saying], clauses: &[Clause]) -> Answer {
    let plain = |literal: bool| -> Vec<Choice> {
        let mut found: Vec<Choice> =
            sayings.iter().filter(|s| s.plain && s.literal == literal).map(|s| s.choice).collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    let (literal, likely) = (plain(true), plain(false));
    if literal.len() > 1 {
        return none(Problem::TwoAnswers);
    }
    if let [choice] = literal[..] {
        return match objection(choice, sayings, clauses, &likely) {
            Some(problem) => none(problem),
            None => Answer { choice: Some(choice), problem: Problem::None },
        };
    }
    let mut said = sayings.iter().filter(|s| s.literal);
    let first = said.clone().next().map(|s| s.choice);
    if said.clone().all(|s| s.trouble == Some(Problem::Conditional)) && said.any(|s| Some(s.choice) != first)
    {
        return none(Problem::TwoAnswers);
    }
    if let Some(problem) = sayings.iter().filter(|s| s.literal).find_map(|s| s.trouble) {
        return none(problem);
    }
    if likely.len() > 1 {
        return none(Problem::TwoAnswers);
    }
    if let Some(problem) = sayings.iter().find_map(|s| s.trouble) {
        return none(problem);
    }
    if let [choice] = likely[..] {
        let sentence = sayings.iter().find(|s| s.plain).map_or(0, |s| s.sentence);
        if condition_beside(clauses, sentence) {
            return none(Problem::Conditional);
        }
        return Answer { choice: Some(choice), problem: Problem::SupportWord };
    }
    if sayings.iter().any(|s| s.literal) {
        return none(Problem::Unclear);
    }
    let digits = |c: &Clause| c.tokens.iter().all(|t| t.number);
    if !clauses.is_empty() && clauses.len() <= 2 && clauses.iter().all(digits) {
        return none(Problem::NumberOnly);
    }
    none(Problem::NoAnswer)
}

/// What speaks against crediting the one plain answer.
fn objection(choice: Choice, sayings: &[Saying], clauses: &[Clause], likely: &[Choice]) -> Option<Problem> {
    let answer = sayings.iter().find(|s| s.plain && s.literal)?;
    let (first, clause) = (answer.sentence, answer.clause);
    for s in sayings.iter().filter(|s| !(s.plain && s.literal)) {
        match s.trouble {
            Some(Problem::Negated) if s.choice == choice && s.literal => return Some(Problem::Negated),
            Some(Problem::Negated) if s.choice == choice && choice == Choice::Yes => {
                return Some(Problem::Negated);
            }
            Some(Problem::Negated) if s.unopposed && choice == Choice::No => return Some(Problem::Negated),
            Some(Problem::Conditional) if s.sentence == first => return Some(Problem::Conditional),
            Some(Problem::Question) if s.literal => return Some(Problem::Question),
            None if s.literal && s.choice != choice && (s.framed || !s.particle || s.clause == clause) => {
                return Some(Problem::TwoAnswers);
            }
            _ => {}
        }
    }
    if likely.iter().any(|c| *c != choice) && choice != Choice::Abstain {
        return Some(Problem::TwoAnswers);
    }
    if choice == Choice::No && clauses.iter().any(|c| tells(c, Role::Negation) && tells(c, Role::Elsewhere)) {
        return Some(Problem::Unclear);
    }
    condition_beside(clauses, first).then_some(Problem::Conditional)
}

fn tells(clause: &Clause, want: Role) -> bool {
    (0..clause.tokens.len()).any(|i| role(&clause.tokens, i) == Some(want))
}

/// A sentence next to the answer's that opens with a condition sets one for it.
fn condition_beside(clauses: &[Clause], sentence: usize) -> bool {
    let here = clauses.iter().position(|c| c.sentence == sentence).unwrap_or(0);
    let after = clauses[here..].iter().find(|c| c.sentence != sentence);
    let before = here.checked_sub(1).map(|b| clauses[b].sentence);
    let before = before.and_then(|s| clauses.iter().find(|c| c.sentence == s));
    [before, after].into_iter().flatten().any(|c| {
        let mut opening = (0..c.tokens.len().min(3)).map(|i| role(&c.tokens, i));
        opening.next().flatten().is_some_and(|first| {
            first == Role::Condition
                || (first == Role::Reserve && opening.any(|r| r == Some(Role::Condition)))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, choice: Option<Choice>, problem: Problem) {
        assert_eq!(read(text), Answer { choice, problem }, "{text}");
    }

    #[test]
    fn plain_answers_are_credited_in_seven_languages() {
        for text in [
            "Yes",
            "YES!",
            "yes please",
            "I vote yes",
            "Oui.",
            "s\u{ed}",
            "Si",
            "Sim, obrigado",
            "Да",
            "ДА!",
            "是",
            "نعم",
            "ＹＥＳ",
            "My vote is YES",
            "Hello,\n\nYes.\n\nThanks",
            "我投赞成票",
            "1. YES",
        ] {
            check(text, Some(Choice::Yes), Problem::None);
        }
        for text in ["No", "NON", "não", "Нет.", "否", "لا", "I vote no", "Voto no"] {
            check(text, Some(Choice::No), Problem::None);
        }
        for text in [
            "Abstain",
            "Je m'abstiens",
            "Je m\u{2019}abstiens",
            "Abstenci\u{f3}n",
            "Воздерживаюсь",
            "弃权",
            "أمتنع",
        ] {
            check(text, Some(Choice::Abstain), Problem::None);
        }
    }

    #[test]
    fn words_of_support_are_marked() {
        check("I support this motion", Some(Choice::Yes), Problem::SupportWord);
        check("同意", Some(Choice::Yes), Problem::SupportWord);
        check("Contre", Some(Choice::No), Problem::SupportWord);
    }

    #[test]
    fn doubt_is_never_a_choice() {
        check("yes, if the budget is cut", None, Problem::Conditional);
        check("no objection", None, Problem::Negated);
        check("I do not abstain", None, Problem::Negated);
        check("what if I vote yes?", None, Problem::Question);
        check("yes or no", None, Problem::TwoAnswers);
        check("Y\u{415}S", None, Problem::Disguised);
        check("", None, Problem::Empty);
        check("Thank you for this.", None, Problem::NoAnswer);
        check("2", None, Problem::NumberOnly);
    }
}
