//! Which of the seven languages a text is written in.

use unicode_normalization::char::is_combining_mark;

use super::fold::is_invisible;
use super::words::words;
use crate::kernel::language::Language;

/// Characters that are looked at: a few sentences tell a language.
const MAX_TEXT: usize = 240;

/// A language that leads by so much is not overtaken any more.
const ENOUGH: u16 = 12;

/// By script where the script decides, else by common words; nothing where neither speaks clearly.
pub fn detect(text: &str) -> Option<Language> {
    let (mut latin, mut cyrillic, mut arabic, mut han, mut kana) = (0usize, 0usize, 0usize, 0usize, 0usize);
    let head = if text.is_ascii() { &text[..text.len().min(MAX_TEXT)] } else { start(text) };
    for c in head.chars() {
        match c {
            '\0'..='\u{7f}' => latin += usize::from(c.is_ascii_alphabetic()),
            '\u{c0}'..='\u{24f}' => latin += 1,
            '\u{400}'..='\u{52f}' => cyrillic += 1,
            '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{fb50}'..='\u{feff}' => arabic += 1,
            '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' => han += 1,
            '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7af}' => kana += 1,
            _ => {}
        }
    }
    let all = latin + cyrillic + arabic + han * 3 + kana * 3;
    if all == 0 {
        return None;
    }
    if cyrillic * 2 > all {
        return Some(Language::Ru);
    }
    if arabic * 2 > all {
        return Some(Language::Ar);
    }
    if (han + kana) * 6 > all {
        return (kana * 5 < han).then_some(Language::Zh);
    }
    let mut score = [0u16; 7];
    for word in words_of(head) {
        if score.iter().any(|n| *n >= ENOUGH && *n * 2 > score.iter().sum::<u16>() + ENOUGH) {
            break;
        }
        if let Some(told) = words().speech.look_up(word) {
            score.iter_mut().zip(told).for_each(|(sum, n)| *sum += u16::from(*n));
        }
    }
    let best = Language::ALL.into_iter().max_by_key(|l| (score[*l as usize], usize::MAX - *l as usize))?;
    let second =
        Language::ALL.into_iter().filter(|l| *l != best).map(|l| score[l as usize]).max().unwrap_or(0);
    (score[best as usize] > second).then_some(best)
}

fn start(text: &str) -> &str {
    text.char_indices().nth(MAX_TEXT).map_or(text, |(n, _)| &text[..n])
}

/// The words of a text as far as languages differ in them.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let mark = |c: char| c == '\u{2019}' || is_invisible(c) || is_combining_mark(c);
    let inside = move |c: char| match c {
        '\0'..='\u{7f}' => c.is_ascii_alphanumeric() || c == '\'',
        _ => c.is_alphanumeric() || mark(c),
    };
    text.split(move |c| !inside(c)).filter(|w| !w.is_empty())
}
