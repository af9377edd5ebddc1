//! Text to clauses of words with their roles in an answer.

use super::fold::{fold, is_invisible, is_unspaced};
use super::words::{Role, Words, words};

/// Characters of a text that are looked at for an answer.
const MAX_TEXT: usize = 60_000;

/// A word or phrase of the lexicon, or a word nobody listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Folded; a phrase is joined by spaces.
    pub text: String,
    /// What the word may be; empty if it is not listed.
    pub roles: Vec<Role>,
    /// The word as written has accents that distinguish it (Spanish "sí").
    pub accented: bool,
    /// Letters of another script were used to make it look like a listed word.
    pub disguised: bool,
}

/// What stands between two marks of punctuation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clause {
    pub tokens: Vec<Token>,
    /// Number of the sentence it belongs to.
    pub sentence: usize,
    /// The sentence ends with a question mark.
    pub question: bool,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_invisible(c) || unicode_normalization::char::is_combining_mark(c)
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f300}'..='\u{1faff}' | '\u{2b00}'..='\u{2bff}')
}

fn ends_sentence(c: char) -> bool {
    matches!(
        c,
        '.' | '!'
            | '?'
            | ';'
            | '\n'
            | '\u{3002}'
            | '\u{ff01}'
            | '\u{ff1f}'
            | '\u{ff1b}'
            | '\u{61f}'
            | '\u{61b}'
            | '\u{2026}'
            | '\u{bf}'
            | '\u{ff0e}'
            | '\u{6d4}'
    )
}

fn is_question(c: char) -> bool {
    matches!(c, '?' | '\u{ff1f}' | '\u{61f}' | '\u{bf}')
}

/// Cuts a text into clauses.
pub fn clauses(text: &str) -> Vec<Clause> {
    let words = words();
    let mut out = Vec::new();
    let mut sentence: Vec<Clause> = Vec::new();
    let mut number = 0;
    let mut raw: Vec<&str> = Vec::new();
    let text = text.char_indices().nth(MAX_TEXT).map_or(text, |(n, _)| &text[..n]);
    let mut chars = text.char_indices().peekable();
    let mut from = None;
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        let inner = matches!(c, '\'' | '\u{2019}' | '\u{2bc}' | '-' | '\u{2010}' | '\u{2011}' | '\u{640}')
            && from.is_some()
            && next.is_some_and(char::is_alphabetic);
        let sign = matches!(c, '+' | '-') && from.is_none() && next == Some('1');
        if is_unspaced(c) || is_emoji(c) {
            close(&mut from, at, text, &mut raw);
            raw.push(&text[at..at + c.len_utf8()]);
        } else if is_word(c) || inner || sign {
            from.get_or_insert(at);
        } else {
            close(&mut from, at, text, &mut raw);
            let decimal = c == '.' && next.is_some_and(|n| n.is_alphanumeric());
            let comma = matches!(
                c,
                ',' | '\u{3001}'
                    | '\u{ff0c}'
                    | '\u{60c}'
                    | ':'
                    | '\u{ff1a}'
                    | '('
                    | ')'
                    | '"'
                    | '\u{2013}'
                    | '\u{2014}'
                    | '/'
                    | '|'
                    | '\u{ab}'
                    | '\u{bb}'
                    | '-'
                    | '['
                    | ']'
                    | '*'
                    | '<'
                    | '>'
            );
            if (ends_sentence(c) && !decimal) || comma {
                finish_clause(&mut raw, number, &mut sentence, words);
            }
            if ends_sentence(c) && !decimal {
                let question = is_question(c) && c != '\u{bf}';
                sentence.iter_mut().for_each(|s| s.question |= question);
                out.append(&mut sentence);
                number += 1;
            }
        }
    }
    close(&mut from, text.len(), text, &mut raw);
    finish_clause(&mut raw, number, &mut sentence, words);
    out.append(&mut sentence);
    out
}

fn close<'t>(from: &mut Option<usize>, at: usize, text: &'t str, raw: &mut Vec<&'t str>) {
    if let Some(start) = from.take() {
        raw.push(&text[start..at]);
    }
}

fn finish_clause(raw: &mut Vec<&str>, sentence: usize, out: &mut Vec<Clause>, words: &Words) {
    if raw.is_empty() {
        return;
    }
    let tokens = assign(&merge_unspaced(raw, words), words);
    raw.clear();
    if !tokens.is_empty() {
        out.push(Clause { tokens, sentence, question: false });
    }
}

struct Piece {
    folded: String,
    accented: bool,
    disguised: bool,
}

/// Words of scripts without spaces: the longest listed word at each place.
fn merge_unspaced(raw: &[&str], words: &Words) -> Vec<Piece> {
    let unspaced = |s: &str| s.chars().next().is_some_and(is_unspaced);
    let mut out = Vec::new();
    let mut i = 0;
    while i < raw.len() {
        if !unspaced(raw[i]) {
            out.push(piece(raw[i], words));
            i += 1;
            continue;
        }
        let run = raw[i..].iter().take(words.longest_unspaced).take_while(|s| unspaced(s)).count().max(1);
        let length =
            (1..=run).rev().find(|n| words.lexicon.contains_key(fold(&raw[i..i + n].concat()).as_ref()));
        let length = length.unwrap_or(1);
        let folded = fold(&raw[i..i + length].concat()).into_owned();
        out.push(Piece { folded, accented: false, disguised: false });
        i += length;
    }
    out.retain(|p| !p.folded.is_empty());
    out
}

fn piece(raw: &str, words: &Words) -> Piece {
    let folded = fold(raw).into_owned();
    let accented =
        !raw.is_ascii() && folded.is_ascii() && raw.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
    let answers = |w: &str| {
        let entries = words.lexicon.get(w).into_iter().flatten();
        entries.into_iter().any(|e| e.tokens.len() == 1 && is_answer(e.role))
    };
    let disguised = !raw.is_ascii() && !words.lexicon.contains_key(&folded) && {
        let (latin, cyrillic) = (skeleton(&folded, true), skeleton(&folded, false));
        (latin != folded && answers(&latin)) || (cyrillic != folded && answers(&cyrillic))
    };
    Piece { folded, accented, disguised }
}

/// Whether a role is one of the three answers or speaks for or against.
pub fn is_answer(role: Role) -> bool {
    matches!(role, Role::Yes | Role::No | Role::Abstain | Role::Support | Role::Oppose)
}

/// Letters replaced by those of Latin (or Cyrillic) that look the same.
fn skeleton(word: &str, to_latin: bool) -> String {
    const PAIRS: [(char, char); 26] = [
        ('а', 'a'),
        ('е', 'e'),
        ('о', 'o'),
        ('р', 'p'),
        ('с', 'c'),
        ('у', 'y'),
        ('х', 'x'),
        ('ѕ', 's'),
        ('і', 'i'),
        ('ј', 'j'),
        ('һ', 'h'),
        ('в', 'b'),
        ('н', 'h'),
        ('к', 'k'),
        ('м', 'm'),
        ('т', 't'),
        ('п', 'n'),
        ('и', 'u'),
        ('ο', 'o'),
        ('ε', 'e'),
        ('υ', 'y'),
        ('ν', 'n'),
        ('α', 'a'),
        ('ι', 'i'),
        ('ѵ', 'v'),
        ('г', 'r'),
    ];
    word.chars()
        .map(|c| {
            let pair =
                PAIRS.iter().find(|(foreign, latin)| if to_latin { *foreign == c } else { *latin == c });
            pair.map_or(c, |(foreign, latin)| if to_latin { *latin } else { *foreign })
        })
        .collect()
}

/// Gives each word, or run of words that is a listed phrase, its roles.
fn assign(pieces: &[Piece], words: &Words) -> Vec<Token> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < pieces.len() {
        let here = &pieces[i];
        let entries = words.lexicon.get(&here.folded).map_or(&[][..], Vec::as_slice);
        let fits = |e: &&super::words::Entry| {
            e.tokens.len() <= pieces.len() - i
                && e.tokens.iter().zip(&pieces[i..]).all(|(want, have)| *want == have.folded)
        };
        let length = entries.iter().find(fits).map_or(1, |e| e.tokens.len());
        let mut roles: Vec<Role> =
            entries.iter().filter(fits).filter(|e| e.tokens.len() == length).map(|e| e.role).collect();
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() && here.folded.chars().all(|c| c.is_numeric() || matches!(c, '+' | '-')) {
            roles.push(Role::Filler);
        }
        if roles.is_empty() && here.folded.chars().all(|c| is_emoji(c) || is_invisible(c)) {
            roles.push(Role::Courtesy);
        }
        let text = pieces[i..i + length].iter().map(|p| p.folded.as_str()).collect::<Vec<_>>().join(" ");
        let disguised = pieces[i..i + length].iter().any(|p| p.disguised);
        out.push(Token { text, roles, accented: here.accented, disguised });
        i += length;
    }
    out
}
