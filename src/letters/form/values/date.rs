//! Days as people write them in seven languages. Where day and month could be either way round, nothing is
//! read.

use super::super::words::{ascii_digit, squash, words};
use super::Fault;
use crate::kernel::form::{Value, Why};
use crate::letters::fold::{fold, is_unspaced};
use chrono::NaiveDate;

const MAX_LENGTH: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    /// A number, and how many digits it was written with.
    Number(u32, usize),
    Month(u32),
    /// 年, 月, 日 after a number.
    Year,
    MonthSign,
    Day,
}

/// Reads one day.
pub fn read(text: &str) -> Result<NaiveDate, Fault> {
    if text.chars().count() > MAX_LENGTH {
        return Err(Why::NoDate.into());
    }
    let parts = parts(text).ok_or(Why::NoDate)?;
    if let Some(day) = signed(&parts) {
        return day;
    }
    let numbers: Vec<(u32, usize)> = parts
        .iter()
        .filter_map(|p| if let Part::Number(n, digits) = p { Some((*n, *digits)) } else { None })
        .collect();
    let months: Vec<u32> =
        parts.iter().filter_map(|p| if let Part::Month(m) = p { Some(*m) } else { None }).collect();
    match (months.as_slice(), numbers.as_slice()) {
        ([month], [a, b]) => named(*month, *a, *b),
        ([_], [_]) | ([_], []) | ([], [_]) | ([], [_, _]) => Err(Why::DateIncomplete.into()),
        ([], [a, b, c]) => numeric(*a, *b, *c),
        _ => Err(Why::NoDate.into()),
    }
}

fn day(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    let year = i32::try_from(year).ok().filter(|y| (1800..=2200).contains(y))?;
    NaiveDate::from_ymd_opt(year, month, day)
}

/// 2024年3月5日.
fn signed(parts: &[Part]) -> Option<Result<NaiveDate, Fault>> {
    let before = |sign: Part| {
        parts.windows(2).find_map(|pair| match pair {
            [Part::Number(n, _), after] if *after == sign => Some(*n),
            _ => None,
        })
    };
    let (y, m, d) = (before(Part::Year), before(Part::MonthSign), before(Part::Day));
    let signs = [y, m, d].iter().flatten().count();
    if signs == 0 || parts.iter().any(|p| matches!(p, Part::Month(_))) {
        return None;
    }
    let (Some(y), Some(m), Some(d)) = (y, m, d) else { return Some(Err(Why::DateIncomplete.into())) };
    Some(day(y, m, d).ok_or_else(|| Why::NoDate.into()))
}

/// A month in letters beside two numbers: the one of four digits is the year.
fn named(month: u32, a: (u32, usize), b: (u32, usize)) -> Result<NaiveDate, Fault> {
    let (year, date) = match (a.1, b.1) {
        (4, 1..=2) => (a.0, b.0),
        (1..=2, 4) => (b.0, a.0),
        // Two digits could be any century, and either could be the year.
        (1..=2, 1..=2) => return Err(Why::DateIncomplete.into()),
        _ => return Err(Why::NoDate.into()),
    };
    day(year, month, date).ok_or_else(|| Why::NoDate.into())
}

/// Three numbers. The year has four digits; before it day and month are told only by a number above twelve.
fn numeric(a: (u32, usize), b: (u32, usize), c: (u32, usize)) -> Result<NaiveDate, Fault> {
    let none = || Fault::from(Why::NoDate);
    match (a.1, b.1, c.1) {
        (4, 1..=2, 1..=2) => day(a.0, b.0, c.0).ok_or_else(none),
        (1..=2, 1..=2, 4) => match (day(c.0, b.0, a.0), day(c.0, a.0, b.0)) {
            (Some(one), Some(other)) if one != other => {
                Err(Fault { why: Why::DayOrMonth, could_be: vec![Value::Date(one), Value::Date(other)] })
            }
            (Some(one), _) | (None, Some(one)) => Ok(one),
            (None, None) => Err(none()),
        },
        (1..=2, 1..=2, 1..=2) => Err(Why::DateIncomplete.into()),
        _ => Err(none()),
    }
}

/// Numbers and months in their order; other words, ordinals and weekdays are passed over.
fn parts(text: &str) -> Option<Vec<Part>> {
    let folded: Vec<char> = fold(text).chars().map(ascii_digit).collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < folded.len() {
        let c = folded[at];
        if c.is_ascii_digit() {
            let digits = folded[at..].iter().take_while(|c| c.is_ascii_digit()).count();
            let number: String = folded[at..at + digits].iter().collect();
            out.push(Part::Number(number.parse().ok()?, digits));
            at += digits;
        } else if is_unspaced(c) {
            at += unspaced(&folded, at, &mut out);
        } else if c.is_alphabetic() {
            at += word(&folded, at, &mut out);
        } else {
            at += 1;
        }
        if out.len() > 12 {
            return None;
        }
    }
    Some(out)
}

fn unspaced(text: &[char], at: usize, out: &mut Vec<Part>) -> usize {
    for length in (2..=3).rev() {
        let Some(slice) = text.get(at..at + length) else { continue };
        let name: String = slice.iter().collect();
        if let Some(month) = words().months.get(&name) {
            out.push(Part::Month(*month));
            return length;
        }
    }
    match text[at] {
        '年' => out.push(Part::Year),
        '月' => out.push(Part::MonthSign),
        '日' | '号' => out.push(Part::Day),
        _ => {}
    }
    1
}

/// A month of one word or two ("كانون الثاني"); the letters right after a digit are an ordinal ("5th").
fn word(text: &[char], at: usize, out: &mut Vec<Part>) -> usize {
    let run =
        |from: usize| text[from..].iter().take_while(|c| c.is_alphabetic() && !is_unspaced(**c)).count();
    let first = run(at);
    let word: String = text[at..at + first].iter().collect();
    if text.get(at + first) == Some(&' ') {
        let second = run(at + first + 1);
        let both: String = text[at..at + first + 1 + second].iter().collect();
        if second > 0
            && let Some(month) = words().months.get(&squash(&both))
        {
            out.push(Part::Month(*month));
            return first + 1 + second;
        }
    }
    if let Some(month) = words().months.get(&word) {
        out.push(Part::Month(*month));
    }
    first
}
