//! Numbers of things as people write them: "about 1,200", "entre 150 et 200", "2-3 тыс.", "约两百", "٢٠٠".

use super::super::words::{Near, ascii_digit, squash, words};
use super::Fault;
use crate::kernel::form::{Amount, Value, Why};
use crate::letters::fold::{fold, is_unspaced};

/// Characters looked at.
const MAX_LENGTH: usize = 300;
/// The largest number of anything that is counted here.
const MAX_NUMBER: u64 = 10_000_000_000;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A number in thousandths, so that "1.5 thousand" can be told.
    Number(u64),
    Dash,
    About,
    /// What a known word can do.
    Near(Vec<Near>),
    /// "Thousand" and its like.
    Scale(u64),
    Word,
}

/// Reads one number or one range.
pub fn read(text: &str) -> Result<Amount, Fault> {
    if text.chars().count() > MAX_LENGTH {
        return Err(Why::NoNumber.into());
    }
    let folded: String = fold(text).chars().map(ascii_digit).collect();
    if folded.contains(['%', '\u{66a}']) {
        return Err(Why::NoNumber.into());
    }
    let tokens = scaled(tokens(&folded).ok_or(Why::NoNumber)?).ok_or(Why::NoNumber)?;
    let at: Vec<usize> = (0..tokens.len()).filter(|n| matches!(tokens[*n], Token::Number(_))).collect();
    let number = |n: usize| match tokens[n] {
        Token::Number(thousandths) if thousandths % 1000 == 0 => Ok(thousandths / 1000),
        _ => Err(Fault::from(Why::NoNumber)),
    };
    let about = |some: &[Token]| some.iter().any(says_about);
    match at.as_slice() {
        [] => Err(Why::NoNumber.into()),
        [one] => {
            let n = number(*one)?;
            Ok(Amount { low: n, high: n, about: about(&tokens) })
        }
        [a, b] if b - a > 1 && b - a <= 3 && tokens[a + 1..*b].iter().all(joins) => {
            let (low, high) = (number(*a)?, number(*b)?);
            if low > high {
                return Err(Why::ManyNumbers.into());
            }
            Ok(Amount { low, high, about: about(&tokens[..*a]) || about(&tokens[b + 1..]) })
        }
        many => {
            let each = many.iter().filter_map(|n| number(*n).ok()).map(Amount::exactly).map(Value::Number);
            Err(Fault { why: Why::ManyNumbers, could_be: each.take(4).collect() })
        }
    }
}

/// Whether a token may stand between the ends of a range.
fn joins(token: &Token) -> bool {
    match token {
        Token::Dash | Token::About => true,
        Token::Near(can) => can.contains(&Near::Until),
        _ => false,
    }
}

fn says_about(token: &Token) -> bool {
    match token {
        Token::About => true,
        Token::Near(can) => can.contains(&Near::About),
        _ => false,
    }
}

/// What a word of the list does; "thousand" and its like only scale.
fn near(can: &[Near]) -> Token {
    if can.contains(&Near::Thousand) {
        Token::Scale(1000)
    } else if can.contains(&Near::Million) {
        Token::Scale(1_000_000)
    } else {
        Token::Near(can.to_vec())
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if c.is_ascii_digit() {
            let (number, end) = digits(&chars, at)?;
            out.push(Token::Number(number));
            at = end;
        } else if let Some((number, end)) = han_number(&chars, at) {
            out.push(Token::Number(number.checked_mul(1000)?));
            at = end;
        } else if is_unspaced(c) {
            let (token, end) = han_word(&chars, at);
            out.push(token);
            at = end;
        } else if c.is_alphabetic() {
            let (token, end) = word(&chars, at);
            out.push(token);
            at = end;
        } else {
            match c {
                '-' => out.push(Token::Dash),
                '~' | '+' | '>' | '<' | '\u{2248}' | '\u{b1}' => out.push(Token::About),
                _ => {}
            }
            at += 1;
        }
    }
    Some(out)
}

/// Digits with their groups: in thousandths, and where they end. "1.200" is grouped, "1.5" has a fraction.
fn digits(chars: &[char], at: usize) -> Option<(u64, usize)> {
    let run = |from: usize| chars[from.min(chars.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
    let first = run(at);
    let mut whole: String = chars[at..at + first].iter().collect();
    let mut end = at + first;
    let mut separator = None;
    while let Some(&c) = chars.get(end)
        && matches!(c, ' ' | ',' | '.' | '\'' | '_' | '\u{66c}' | '\u{60c}')
        && separator.is_none_or(|s| s == c)
        && first <= 3
        && run(end + 1) == 3
    {
        separator = Some(c);
        whole.extend(&chars[end + 1..end + 4]);
        end += 4;
    }
    let mut fraction = 0;
    if let Some(&c) = chars.get(end)
        && matches!(c, '.' | ',' | '\u{66b}')
        && separator != Some(c)
        && (1..=2).contains(&run(end + 1))
    {
        let count = run(end + 1);
        let shown: String = chars[end + 1..end + 1 + count].iter().collect();
        fraction = shown.parse::<u64>().ok()? * if count == 1 { 100 } else { 10 };
        end += 1 + count;
    }
    let whole: u64 = whole.parse().ok().filter(|n| *n <= MAX_NUMBER)?;
    Some((whole * 1000 + fraction, end))
}

/// A number in Chinese numerals. A lone digit counts only where something is counted: 一些 is no number.
fn han_number(chars: &[char], at: usize) -> Option<(u64, usize)> {
    let digit = |c: char| "〇一二三四五六七八九".chars().position(|d| d == c).map(|n| n as u64);
    let digit = |c: char| match c {
        '零' => Some(0),
        '两' | '兩' => Some(2),
        c => digit(c),
    };
    let unit = |c: char| match c {
        '十' => Some(10),
        '百' => Some(100),
        '千' => Some(1000),
        _ => None,
    };
    if digit(chars[at]).is_none() && chars[at] != '十' {
        return None;
    }
    let (mut total, mut section, mut last) = (0u64, 0u64, None);
    let mut end = at;
    while let Some(&c) = chars.get(end) {
        if let Some(n) = digit(c) {
            // 二〇二六 is a row of digits, no number of things.
            if last.is_some_and(|l| l != 0) {
                return None;
            }
            last = Some(n);
        } else if let Some(unit) = unit(c) {
            section += last.take().unwrap_or(1) * unit;
        } else if matches!(c, '万' | '萬') {
            total = (total + section + last.take().unwrap_or(0)) * 10_000;
            section = 0;
        } else {
            break;
        }
        end += 1;
        if end - at > 20 {
            return None;
        }
    }
    let counted = chars.get(end).is_none_or(|c| !is_unspaced(*c) || "个名位人家員员余多至到和".contains(*c));
    if end - at == 1 && last.is_some() && !counted {
        return None;
    }
    Some((total + section + last.unwrap_or(0), end)).filter(|(n, _)| *n <= MAX_NUMBER)
}

/// The longest known word that starts here, in a script without spaces.
fn han_word(chars: &[char], at: usize) -> (Token, usize) {
    for length in (1..=4).rev() {
        let Some(slice) = chars.get(at..at + length) else { continue };
        let word: String = slice.iter().collect();
        if let Some(near) = words().near.get(&word) {
            return (self::near(near), at + length);
        }
    }
    let scale = match chars[at] {
        '万' | '萬' => Token::Scale(10_000),
        '百' => Token::Scale(100),
        _ => Token::Word,
    };
    (scale, at + 1)
}

/// The longest known phrase of up to three words that starts here.
fn word(chars: &[char], at: usize) -> (Token, usize) {
    let letter = |c: char| (c.is_alphabetic() && !is_unspaced(c)) || c == '\'';
    let mut ends = Vec::new();
    let mut end = at;
    for _ in 0..3 {
        let length = chars[end..].iter().take_while(|c| letter(**c)).count();
        if length == 0 {
            break;
        }
        end += length;
        ends.push(end);
        if chars.get(end) != Some(&' ') {
            break;
        }
        end += 1;
    }
    for end in ends.iter().rev() {
        let phrase: String = chars[at..*end].iter().collect();
        if let Some(near) = words().near.get(&squash(&phrase)) {
            return (self::near(near), *end);
        }
    }
    (Token::Word, ends.first().copied().unwrap_or(at + 1))
}

/// Applies "thousand" and its like to the number before. In "2-3 thousand" both ends are thousands.
fn scaled(tokens: Vec<Token>) -> Option<Vec<Token>> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let Token::Scale(factor) = token else {
            out.push(token);
            continue;
        };
        match out.last_mut() {
            Some(Token::Number(n)) => {
                let before = *n;
                *n = n.checked_mul(factor).filter(|n| *n / 1000 <= MAX_NUMBER)?;
                let count = out.len();
                if count >= 3
                    && joins(&out[count - 2])
                    && let Token::Number(low) = out[count - 3]
                    && low < before
                {
                    out[count - 3] = Token::Number(low.checked_mul(factor)?);
                }
            }
            // "Thousands of members" is no number.
            _ => out.push(Token::Word),
        }
    }
    Some(out)
}
