//! Text to clauses of words with their roles in an answer.

use std::borrow::Cow;

use super::fold::{fold, is_invisible, is_unspaced};
use super::words::{Entry, Role, Words, words};

/// Bytes of a text that are looked at for an answer.
const MAX_TEXT: usize = 60_000;

/// A word or phrase of the lexicon, or a word nobody listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Token {
    /// The bits of the roles it may play; none if it is not listed.
    roles: u32,
    /// The word as written has accents that distinguish it (Spanish "sí").
    pub accented: bool,
    /// Letters of another script were used to make it look like a listed word.
    pub disguised: bool,
    /// One letter.
    pub single: bool,
    pub number: bool,
    /// "And", written together with the word after it, as Arabic does.
    pub attached: bool,
}

impl Token {
    /// Means "yes" and "if" alike: "si" without its accent.
    fn is_bare_if(self) -> bool {
        self.may_be(Role::Yes) && self.may_be(Role::Condition) && !self.accented
    }

    pub fn may_be(self, role: Role) -> bool {
        self.roles & (1 << role as u32) != 0
    }

    /// The role that comes first in the order of [`Role`].
    pub fn first_role(self) -> Option<Role> {
        Role::ALL.into_iter().find(|r| self.may_be(*r))
    }
}

/// What stands between two marks of punctuation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clause {
    pub tokens: Vec<Token>,
    /// Number of the sentence it belongs to.
    pub sentence: usize,
    /// The sentence ends with a question mark.
    pub question: bool,
    /// It is left unfinished: an ellipsis follows.
    pub trails: bool,
}

/// What a character does to the words around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    /// A word of its own, in a script without spaces.
    Alone,
    /// Says something by itself, whatever words stand beside it.
    Picture,
    /// Inside a word if letters stand on both sides.
    Joint,
    Space,
    Comma,
    End,
    Question,
}

/// Of each character of ASCII, what it does.
const KINDS: [Kind; 128] = {
    let mut kinds = [Kind::Space; 128];
    let mut b = 0;
    while b < 128 {
        kinds[b] = match b as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => Kind::Word,
            b'\'' | b'-' => Kind::Joint,
            b',' | b':' | b'(' | b')' | b'"' | b'/' | b'|' | b'[' | b']' | b'*' | b'<' | b'>' => Kind::Comma,
            b'.' | b'!' | b';' | b'\n' => Kind::End,
            b'?' => Kind::Question,
            _ => Kind::Space,
        };
        b += 1;
    }
    kinds
};

fn kind(c: char) -> Kind {
    if let Some(kind) = KINDS.get(c as usize) {
        return *kind;
    }
    match c {
        '\u{2019}' | '\u{2bc}' | '\u{2010}' | '\u{2011}' | '\u{640}' => Kind::Joint,
        '\u{3001}' | '\u{ff0c}' | '\u{60c}' | '\u{ff1a}' | '\u{2013}' | '\u{2014}' => Kind::Comma,
        '\u{ab}' | '\u{bb}' | '\u{201c}'..='\u{201f}' | '\u{300c}'..='\u{300f}' => Kind::Comma,
        '\u{bf}' | '\u{a1}' => Kind::Comma,
        '\u{3002}' | '\u{ff01}' | '\u{ff1b}' | '\u{61b}' => Kind::End,
        '\u{2026}' | '\u{ff0e}' | '\u{6d4}' => Kind::End,
        '\u{ff1f}' | '\u{61f}' => Kind::Question,
        c if is_unspaced(c) => Kind::Alone,
        c if is_picture(c) => Kind::Picture,
        c if c.is_alphanumeric() || is_invisible(c) => Kind::Word,
        c if unicode_normalization::char::is_combining_mark(c) => Kind::Word,
        _ => Kind::Space,
    }
}

fn is_picture(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f300}'..='\u{1faff}' | '\u{2b00}'..='\u{2bff}')
}

struct Reader<'t> {
    text: &'t str,
    words: &'static Words,
    raw: Vec<&'t str>,
    sentence: Vec<Clause>,
    number: usize,
    out: Vec<Clause>,
}

/// Cuts a text into clauses.
pub fn clauses(text: &str) -> Vec<Clause> {
    let text = &text[..text.floor_char_boundary(MAX_TEXT)];
    let mut reader =
        Reader { text, words: words(), raw: Vec::new(), sentence: Vec::new(), number: 0, out: Vec::new() };
    let mut chars = text.char_indices().peekable();
    let mut from = None;
    let mut before = '\n';
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        let counts = matches!(c, '+' | '-') && next == Some('1') && (before.is_whitespace() || before == ':');
        before = c;
        let mut kind = kind(c);
        if kind == Kind::Joint {
            let inner = from.is_some() && next.is_some_and(char::is_alphabetic);
            kind = if inner || counts { Kind::Word } else { Kind::Comma };
        } else if counts || (c == '/' && abbreviates(text, from, at)) {
            kind = Kind::Word;
        } else if c == '.' && (next.is_some_and(char::is_alphanumeric) || shortens(text, from, at)) {
            kind = Kind::Space;
        }
        if kind == Kind::Word {
            from.get_or_insert(at);
            continue;
        }
        reader.close(&mut from, at);
        match kind {
            Kind::Alone => reader.raw.push(&text[at..at + c.len_utf8()]),
            Kind::Picture => {
                reader.finish_clause();
                reader.raw.push(&text[at..at + c.len_utf8()]);
                reader.finish_clause();
            }
            Kind::Comma => reader.finish_clause(),
            Kind::End if c == '\u{2026}' || (c == '.' && next == Some('.')) => {
                reader.finish_clause();
                reader.sentence.last_mut().into_iter().for_each(|s| s.trails = true);
                reader.finish_sentence(false);
            }
            Kind::End => reader.finish_sentence(false),
            Kind::Question => reader.finish_sentence(true),
            _ => {}
        }
    }
    reader.close(&mut from, text.len());
    reader.finish_sentence(false);
    settle_if(&mut reader.out);
    reader.out
}

/// Words that a stop shortens: the name behind belongs to them, and may be "No".
const TITLES: [&str; 9] = ["dr", "mr", "mrs", "ms", "prof", "sr", "sra", "mme", "st"];

/// Whether a stop at a place shortens the word before it: "No. 5", "Dr. No".
fn shortens(text: &str, word: Option<usize>, stop: usize) -> bool {
    let Some(word) = word.map(|from| &text[from..stop]).filter(|word| word.len() <= 4) else { return false };
    let next = text[stop + 1..].trim_start_matches(' ').chars().next();
    let title = || TITLES.iter().any(|title| word.eq_ignore_ascii_case(title));
    let rest = text[stop + 1..].trim_start_matches(' ');
    let counts = || ["de ", "del ", "of "].iter().any(|of| rest.starts_with(of));
    let codes = || {
        let (code, number) = rest.split_once(' ').unwrap_or_default();
        code.len() <= 4
            && code.bytes().all(|b| b.is_ascii_uppercase())
            && number.starts_with(|c: char| c.is_ascii_digit())
    };
    next.is_some_and(|next| match word.len() {
        2 if word.eq_ignore_ascii_case("no") => next.is_ascii_digit() || counts() || codes(),
        _ => next.is_alphabetic() && title(),
    })
}

/// Whether a slash stands between two single letters: "n/a".
fn abbreviates(text: &str, word: Option<usize>, slash: usize) -> bool {
    let mut next = text[slash + 1..].chars();
    word.is_some_and(|from| slash - from == 1)
        && next.next().is_some_and(char::is_alphabetic)
        && !next.next().is_some_and(char::is_alphanumeric)
}

/// A bare "si" that could as well be "yes" is "if" where it trails off or comes on top of an answer: "Oui,
/// si...", "Sí, si".
fn settle_if(clauses: &mut [Clause]) {
    let mut answered = false;
    for clause in clauses {
        let last = clause.tokens.len().saturating_sub(1);
        for i in 0..clause.tokens.len() {
            let token = clause.tokens[i];
            let answers = |t: Token| (t.may_be(Role::Yes) || t.may_be(Role::Abstain)) && !t.single;
            if !token.is_bare_if() {
                answered |= answers(token);
            } else if i == last {
                let follows = i.checked_sub(1).is_none_or(|b| answers(clause.tokens[b]));
                if clause.trails || (answered && follows) {
                    clause.tokens[i].roles &= !(1 << Role::Yes as u32);
                }
            }
        }
    }
}

impl<'t> Reader<'t> {
    fn close(&mut self, from: &mut Option<usize>, at: usize) {
        if let Some(start) = from.take() {
            self.raw.push(&self.text[start..at]);
        }
    }

    fn finish_clause(&mut self) {
        if self.raw.is_empty() {
            return;
        }
        let pieces = pieces(&self.raw, self.words);
        self.raw.clear();
        if !pieces.is_empty() {
            let tokens = assign(&pieces, self.words);
            self.sentence.push(Clause { tokens, sentence: self.number, ..Clause::default() });
        }
    }

    fn finish_sentence(&mut self, question: bool) {
        self.finish_clause();
        self.sentence.iter_mut().for_each(|s| s.question = question);
        self.out.append(&mut self.sentence);
        self.number += 1;
    }
}

struct Piece<'t> {
    raw: &'t str,
    folded: Cow<'t, str>,
    attached: bool,
}

/// The Arabic "and", which is written as one with the next word.
const AND: &str = "\u{648}";

/// The answer that follows an attached "and", if the whole is no listed word itself.
fn after_and(folded: &str, words: &Words) -> Option<String> {
    let rest = folded.strip_prefix(AND)?;
    let answers = |w: &str| words.lexicon.get(w).into_iter().flatten().any(|e| is_answer(e.role));
    (!words.lexicon.contains(folded) && answers(rest)).then(|| rest.to_string())
}

/// The folded words; of scripts without spaces the longest listed word at each place.
fn pieces<'t>(raw: &[&'t str], words: &Words) -> Vec<Piece<'t>> {
    let unspaced = |s: &str| !s.is_ascii() && s.chars().next().is_some_and(is_unspaced);
    let mut out = Vec::with_capacity(raw.len());
    let mut i = 0;
    while i < raw.len() {
        let mut length = 1;
        let mut folded = fold(raw[i]);
        if let Some(rest) = after_and(&folded, words) {
            out.push(Piece { raw: raw[i], folded: Cow::Borrowed(AND), attached: true });
            folded = Cow::Owned(rest);
        }
        if unspaced(raw[i]) {
            let run = raw[i..].iter().take(words.longest_unspaced).take_while(|s| unspaced(s)).count();
            for n in (2..=run).rev() {
                let joined = fold(&raw[i..i + n].concat()).into_owned();
                if words.lexicon.contains(&joined) {
                    folded = Cow::Owned(joined);
                    length = n;
                    break;
                }
            }
        }
        if !folded.is_empty() {
            out.push(Piece { raw: raw[i], folded, attached: false });
        }
        i += length;
    }
    out
}

/// Whether a role is one of the three answers or speaks for or against.
pub fn is_answer(role: Role) -> bool {
    matches!(role, Role::Yes | Role::No | Role::Abstain | Role::Support | Role::Oppose)
}

/// Gives each word, or run of words that is a listed phrase, its roles.
fn assign(pieces: &[Piece<'_>], words: &Words) -> Vec<Token> {
    let mut out = Vec::with_capacity(pieces.len());
    let mut i = 0;
    while i < pieces.len() {
        let here = &pieces[i];
        let entries = words.lexicon.get(here.folded.as_ref()).map_or(&[][..], Vec::as_slice);
        let fits = |e: &&Entry| {
            e.tokens.len() <= pieces.len() - i
                && e.tokens.iter().zip(&pieces[i..]).all(|(want, have)| *want == have.folded)
        };
        let length = entries.iter().find(fits).map_or(1, |e| e.tokens.len());
        let mut token = Token { single: length == 1 && here.folded.len() == 1, ..Token::default() };
        for entry in entries.iter().filter(fits).filter(|e| e.tokens.len() == length) {
            token.roles |= 1 << entry.role as u32;
        }
        let ascii = here.raw.is_ascii();
        token.accented =
            !ascii && here.folded.is_ascii() && here.raw.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
        token.attached = here.attached;
        token.number = here.folded.chars().all(|c| c.is_numeric() || matches!(c, '+' | '-'));
        if token.roles == 0 && token.number {
            token.roles = 1 << Role::Filler as u32;
        }
        if token.roles == 0 && ascii && here.raw.bytes().all(|b| b.is_ascii_uppercase()) {
            token.disguised = is_disguised(here.raw, words);
        }
        if token.roles == 0 && !ascii {
            if here.folded.chars().all(|c| is_picture(c) || is_invisible(c)) {
                token.roles = 1 << Role::Courtesy as u32;
            } else {
                token.disguised = is_disguised(here.raw, words);
            }
        }
        out.push(token);
        i += length;
    }
    give_away(&mut out, pieces);
    out
}

/// "John's vote" is not the author's.
fn give_away(tokens: &mut [Token], pieces: &[Piece<'_>]) {
    let owns = |p: &Piece<'_>| p.folded.len() > 3 && p.folded.ends_with("'s");
    let whole = tokens.len() == pieces.len();
    for i in 1..if whole { tokens.len() } else { 0 } {
        if tokens[i].may_be(Role::Vote) && tokens[i - 1].roles == 0 && owns(&pieces[i - 1]) {
            tokens[i - 1].roles = 1 << Role::Other as u32;
        }
    }
}

/// Whether a word nobody listed looks like an answer once its letters are taken for those of another script.
fn is_disguised(raw: &str, words: &Words) -> bool {
    let answers = |w: &str| {
        let entries = words.lexicon.get(fold(w).as_ref()).into_iter().flatten();
        w.chars().count() > 1 && entries.into_iter().any(|e| e.tokens.len() == 1 && is_answer(e.role))
    };
    let seen = |to_latin| {
        let looks = skeleton(raw, to_latin);
        looks != raw && answers(&looks)
    };
    let foreign = raw.chars().any(|c| matches!(c, '\u{370}'..='\u{52f}'));
    (foreign && seen(true)) || (raw.bytes().any(|b| b.is_ascii_alphabetic()) && seen(false))
}

/// Letters of Cyrillic and Greek, and below them those of Latin that look the same in that letter case.
const FOREIGN: [char; 46] = [
    'а', 'е', 'о', 'р', 'с', 'у', 'х', 'ѕ', 'і', 'ј', 'һ', 'ԁ', 'ѡ', 'ӏ', 'А', 'В', 'Е', 'К', 'М', 'Н', 'О',
    'Р', 'С', 'Т', 'У', 'Х', 'Ѕ', 'І', 'Ј', 'ο', 'ι', 'α', 'Α', 'Β', 'Ε', 'Η', 'Ι', 'Κ', 'Μ', 'Ν', 'Ο', 'Ρ',
    'Τ', 'Υ', 'Χ', 'Ζ',
];
const LATIN: &[u8; 46] = b"aeopcyxsijhdwlABEKMHOPCTYXSIJoiaABEHIKMNOPTYXZ";

/// Letters replaced by those of Latin (or Cyrillic) that look the same in that letter case.
fn skeleton(word: &str, to_latin: bool) -> String {
    let pair = |c: char| match (c, to_latin) {
        ('\0'..='\u{7f}', false) => LATIN.iter().position(|l| *l as char == c).map_or(c, |n| FOREIGN[n]),
        ('\u{370}'..='\u{52f}', true) => FOREIGN.iter().position(|f| *f == c).map_or(c, |n| LATIN[n] as char),
        _ => c,
    };
    word.chars().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_end_at_punctuation_and_phrases_stay_together() {
        let found = clauses("Yes, I vote. No objection? \u{6211}\u{6295}\u{8d5e}\u{6210}\u{7968}");
        let shape: Vec<_> = found.iter().map(|c| (c.tokens.len(), c.sentence, c.question)).collect();
        assert_eq!(shape, [(1, 0, false), (2, 0, false), (1, 1, true), (2, 2, false)]);
        assert!(found[2].tokens[0].may_be(Role::Unopposed));
        assert!(found[3].tokens[1].may_be(Role::Yes));
    }
}
