//! Words that decide something in a matter, beyond YES and NO: what a Secretariat advises, what staff find of a
//! criterion, that a member wants a vote. `words/acts.toml` holds them in all seven languages.
//!
//! A word counts only at the start of a line of its own, whole: alone, or before a colon or a dash with a note.
//! "Accredit only if" is no advice.

use super::fold::fold;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("words/acts.toml");
/// Lines of a text that are looked at.
const MAX_LINES: usize = 500;

/// What a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Accredit,
    NotAccredit,
    NoAdvice,
    /// Comments reached the Secretariat on another way.
    Elsewhere,
    RequestVote,
    Met,
    NotMet,
    Unclear,
    Ask,
    Finish,
    Review,
    Release,
    /// That a structure be decertified.
    Propose,
    /// A requirement was not met.
    Failed,
    /// Why it is proposed all the same.
    Exception,
    /// Our structure wants to be none any more.
    Leave,
    NonPublic,
    Close,
    /// A document shows who somebody is.
    Proof,
}

static WORDS: LazyLock<HashMap<String, Act>> = LazyLock::new(|| {
    let table: HashMap<Act, Vec<String>> =
        toml::from_str(TABLE).expect("the built-in table is checked by a test");
    let words = table.iter().flat_map(|(act, words)| words.iter().map(move |word| (squash(word), *act)));
    words.collect()
});

/// A line that begins with one of the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// What stands before it: a number, a letter.
    pub item: Option<Item>,
    pub act: Act,
    /// What follows the word, as written.
    pub note: &'a str,
}

/// What a line is about: "3" or "c" at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    Number(u8),
    Letter(char),
}

fn squash(text: &str) -> String {
    let folded = fold(text);
    let words: Vec<&str> = folded.split_whitespace().collect();
    words.join(" ").trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

/// What ends a word and begins a note.
fn ends_word(c: char) -> bool {
    matches!(
        c,
        ':' | '.'
            | ';'
            | ','
            | '('
            | '-'
            | '\u{2013}'
            | '\u{2014}'
            | '\u{ff1a}'
            | '\u{3002}'
            | '\u{ff0c}'
            | '\u{60c}'
            | '\u{61b}'
            | '\u{ff08}'
    )
}

/// The act a line begins with, if it says one. A question says none.
pub fn line(text: &str) -> Option<Line<'_>> {
    let text = text.trim().trim_start_matches(['-', '*', '\u{2022}', '>']).trim_start();
    if text.ends_with(['?', '\u{ff1f}', '\u{61f}']) && !text.contains(ends_word) {
        return None;
    }
    let (item, rest) = item(text);
    let whole = rest.trim();
    if let Some(act) = WORDS.get(&squash(whole)) {
        return Some(Line { item, act: *act, note: "" });
    }
    let at = whole.find(ends_word)?;
    let act = *WORDS.get(&squash(&whole[..at]))?;
    let note = whole[at..].trim_start_matches(|c: char| ends_word(c) || c.is_whitespace());
    Some(Line { item, act, note: note.trim_end() })
}

/// Words that begin a note for staff alone, in all seven languages; the first ones are those that our mails print.
const NOTE: [&str; 13] = [
    "note",
    "nota",
    "заметка",
    "备注",
    "ملاحظة",
    "notes",
    "notas",
    "internal note",
    "note interne",
    "nota interna",
    "примечание",
    "備註",
    "ملاحظة داخلية",
];

/// What a mail notes, where its first line begins with the word for it; the rest of the mail belongs to it.
pub fn note(text: &str) -> Option<String> {
    let text = text.trim();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let is_note = |word: &str| NOTE.iter().any(|note| squash(note) == squash(word));
    let own = match first.find(ends_word) {
        _ if is_note(first) => "",
        Some(at) if is_note(&first[..at]) => {
            first[at..].trim_start_matches(|c: char| ends_word(c) || c.is_whitespace())
        }
        _ => return None,
    };
    Some([own.trim(), rest.trim()].join("\n").trim().to_owned())
}

/// Every line of a text that says something, in order, and the lines that do not.
pub fn lines(text: &str) -> (Vec<Line<'_>>, Vec<&str>) {
    let (mut acts, mut rest) = (Vec::new(), Vec::new());
    for written in text.lines().take(MAX_LINES) {
        match line(written) {
            Some(line) => acts.push(line),
            None => rest.push(written),
        }
    }
    (acts, rest)
}

/// The number or letter at the start of a line, and what follows it: "3. MET", "b) text".
pub fn item(text: &str) -> (Option<Item>, &str) {
    let folded_digit = |c: char| match c {
        '\u{660}'..='\u{669}' => char::from_digit(c as u32 - 0x660, 10).unwrap_or(c),
        '\u{ff10}'..='\u{ff19}' => char::from_digit(c as u32 - 0xff10, 10).unwrap_or(c),
        c => c,
    };
    let Some(first) = text.chars().next() else { return (None, text) };
    let rest = &text[first.len_utf8()..];
    let marked = rest.starts_with(|c: char| ends_word(c) || c.is_whitespace() || c == ')');
    let after = rest.trim_start_matches(|c: char| ends_word(c) || c.is_whitespace() || c == ')');
    match folded_digit(first) {
        digit @ '1'..='9' if marked => {
            (digit.to_digit(10).and_then(|n| n.try_into().ok()).map(Item::Number), after)
        }
        'a'..='z' | 'A'..='Z' if rest.starts_with(['.', ')', ':']) => {
            (Some(Item::Letter(first.to_ascii_lowercase())), after)
        }
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_word_says_two_things() {
        let table: HashMap<Act, Vec<String>> = toml::from_str(TABLE).unwrap();
        let all: Vec<String> = table.values().flatten().map(|word| squash(word)).collect();
        let acts = table.iter().flat_map(|(act, words)| words.iter().map(|w| (squash(w), *act)));
        let distinct: BTreeSet<(String, Act)> = acts.collect();
        let words: BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), words.len(), "a word stands under two acts");
        assert_eq!(table.len(), 19);
    }

    #[test]
    fn a_note_begins_with_its_word() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(note(text).as_deref(), expected, "{text}");
        check("NOTE: called them", Some("called them"));
        check("Nota – llamé\nVolverán a escribir.", Some("llamé\nVolverán a escribir."));
        check("备注：已致电", Some("已致电"));
        check("ملاحظة: اتصلت بهم", Some("اتصلت بهم"));
        check("note\n\nThey know Bo.", Some("They know Bo."));
        check("NOTE", Some(""));
        for text in ["Note that you need two representatives.", "Notes are kept.", "Hello\nNOTE: x", ""] {
            check(text, None);
        }
    }

    fn check(text: &str, expected: Option<(Option<Item>, Act, &str)>) {
        let found = line(text).map(|line| (line.item, line.act, line.note));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_word_counts_whole_and_at_the_start_of_its_line() {
        check("ACCREDIT", Some((None, Act::Accredit, "")));
        check(" not accredit. ", Some((None, Act::NotAccredit, "")));
        check("Ne pas accréditer", Some((None, Act::NotAccredit, "")));
        check("不予认证", Some((None, Act::NotAccredit, "")));
        check("عدم الاعتماد", Some((None, Act::NotAccredit, "")));
        check("3. NOT MET: no page", Some((Some(Item::Number(3)), Act::NotMet, "no page")));
        check("4 met", Some((Some(Item::Number(4)), Act::Met, "")));
        check("Ask: how many members?", Some((None, Act::Ask, "how many members?")));
        for text in
            ["Accredit only if they answer", "I would accredit", "Accredit?", "", "the vote", "10 MET"]
        {
            check(text, None);
        }
    }
}
