//! Making words comparable: letter case, accents, full-width forms, invisible characters.

use std::borrow::Cow;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Characters that take no room: zero-width spaces and joiners, soft hyphens, direction marks, variation
/// selectors, tag characters.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The form two words share when a reader would call them the same: compatibility forms resolved, lower case,
/// without accents, vowel points and invisible characters; Arabic letter variants made one.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            '`' => out.push('\''),
            c if c.is_ascii() || stays(c) => out.push(c),
            _ => decompose_compatible(c, |c| push(c, &mut out)),
        }
    }
    Cow::Owned(out)
}

/// Characters that are their own folded form: small Cyrillic, Han, Arabic letters without variants.
fn stays(c: char) -> bool {
    matches!(c, '\u{430}'..='\u{438}' | '\u{43a}'..='\u{44f}' | '\u{4e00}'..='\u{9fff}'
        | '\u{627}' | '\u{628}' | '\u{62a}'..='\u{63a}' | '\u{641}'..='\u{648}' | '\u{64a}')
}

/// Adds a character of a decomposed text, made comparable.
fn push(c: char, out: &mut String) {
    match c {
        '\u{640}' => {}
        '\u{649}' | '\u{6cc}' => out.push('\u{64a}'),
        '\u{629}' => out.push('\u{647}'),
        '\u{671}' => out.push('\u{627}'),
        '\u{6a9}' => out.push('\u{643}'),
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{b4}' | '`' => out.push('\''),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
        c if c.is_ascii() => out.push(c.to_ascii_lowercase()),
        c if stays(c) => out.push(c),
        c if is_invisible(c) || is_combining_mark(c) => {}
        c => out.extend(c.to_lowercase()),
    }
}

/// Shows the folded form of a text, without taking memory where the text is short and in ASCII.
pub fn with_folded<T>(text: &str, look: impl FnOnce(&str) -> T) -> T {
    let mut room = [0; 64];
    if let Some(room) = room.get_mut(..text.len()).filter(|_| text.is_ascii()) {
        room.copy_from_slice(text.as_bytes());
        room.make_ascii_lowercase();
        return look(std::str::from_utf8(room).unwrap_or_default());
    }
    look(&fold(text))
}

/// Whether words of this script are written without spaces between them.
pub fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn words_a_reader_calls_the_same_fold_alike() {
        for (a, b) in [
            ("Sí", "si"),
            ("ＹＥＳ", "yes"),
            ("Y\u{200b}ES", "yes"),
            ("нЁбо", "небо"),
            ("نَعَم", "نعم"),
            ("أمتنع", "امتنع"),
            ("m’abstiens", "m'abstiens"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
    }
}
