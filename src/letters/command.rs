//! Commands: lines above the quote that are nothing but a command word, in any of the seven languages.
//!
//! A mail has one budget of such lines. A line that is no command and nearly one is noted, so that its writer
//! can be told the word.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold::{fold, is_unspaced};
use super::letter::{Command, Near};
use super::words::{Verb, words};
use crate::kernel::language::Language;

/// Commands taken from one mail; what follows is left alone.
const MAX_COMMANDS: usize = 20;
/// Lines nearly a command that are noted.
const MAX_NEAR: usize = 5;
/// Lines of a mail that are looked at.
const MAX_LINES: usize = 500;
/// Characters of a line nearly a command.
const NEAR_LENGTH: std::ops::RangeInclusive<usize> = 4..=24;

/// The commands of a mail, in order, each once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Commands {
    pub all: Vec<Command>,
    pub near: Vec<Near>,
    /// There were more than one mail may hold.
    pub over: bool,
}

/// Reads the commands out of the author's own words.
pub fn read(text: &str) -> Commands {
    let mut found = Commands::default();
    for line in text.lines().take(MAX_LINES) {
        if let Some(command) = line_command(line) {
            if found.all.contains(&command) {
                continue;
            }
            found.over |= found.all.len() >= MAX_COMMANDS;
            if !found.over {
                found.all.push(command);
            }
        } else if found.near.len() < MAX_NEAR
            && let Some(near) = near(line)
            && !found.near.contains(&near)
        {
            found.near.push(near);
        }
    }
    found
}

/// The command a line is, if it is one and nothing else.
pub fn line_command(line: &str) -> Option<Command> {
    let line = line.trim();
    if line.is_empty() || line.chars().count() > 60 {
        return None;
    }
    let folded = fold(line);
    let core = core(&folded);
    if let Some((verb, _)) = words().commands.get(core) {
        let asks = line.contains(['?', '\u{ff1f}', '\u{61f}']);
        return (!asks || *verb == Verb::Help).then(|| with_argument(*verb, ""));
    }
    let (head, rest) = core.split_once([' ', ':', '\u{ff1a}', '=']).or_else(|| unspaced(core))?;
    let rest = self::core(rest);
    match words().commands.get(head)?.0 {
        verb @ (Verb::Language | Verb::Documents) if rest.split_whitespace().count() == 1 => {
            let command = with_argument(verb, rest);
            (command != Command::Documents(None)).then_some(command)
        }
        _ => None,
    }
}

/// A line without what surrounds its words: bullets, quotes, full stops.
fn core(folded: &str) -> &str {
    folded.trim_matches(|c: char| !c.is_alphanumeric())
}

/// A word of a script without spaces and what follows it at once: "\u{6587}\u{4ef6}3".
fn unspaced(core: &str) -> Option<(&str, &str)> {
    let ends = core.char_indices().skip(1).take(6).map(|(at, _)| at);
    let heads = ends.take_while(|at| core[..*at].chars().all(is_unspaced));
    heads.filter(|at| words().commands.contains(&core[..*at])).last().map(|at| core.split_at(at))
}

/// A word of command, and its letters.
struct Meant {
    word: &'static str,
    letters: Vec<char>,
    verb: Verb,
}

/// The words of command long enough to be told from others, by first letter.
static MEANT: LazyLock<HashMap<char, Vec<Meant>>> = LazyLock::new(|| {
    let mut all: HashMap<char, Vec<Meant>> = HashMap::new();
    for word in words().commands.words() {
        let (letters, verb) = (word.chars().collect::<Vec<_>>(), words().commands.get(word));
        if let (Some(first), Some((verb, _))) = (letters.first(), verb)
            && letters.len() >= *NEAR_LENGTH.start()
        {
            all.entry(*first).or_default().push(Meant { word, letters, verb: *verb });
        }
    }
    all
});

/// The command a line nearly is: one or two slips of the hand, never in its first letter.
fn near(line: &str) -> Option<Near> {
    if line.len() > 4 * NEAR_LENGTH.end() {
        return None;
    }
    let folded = fold(line);
    let core = core(&folded);
    if core.len() < *NEAR_LENGTH.start() || !core.chars().all(|c| c.is_alphabetic() || c == ' ') {
        return None;
    }
    let written: Vec<char> = core.chars().collect();
    if !NEAR_LENGTH.contains(&written.len()) {
        return None;
    }
    let slips = 1 + usize::from(written.len() > 6);
    let mut best: Option<(usize, &str, Verb)> = None;
    for meant in written.first().and_then(|first| MEANT.get(first)).into_iter().flatten() {
        if meant.letters.len().abs_diff(written.len()) > slips {
            continue;
        }
        let distance = distance(&written, &meant.letters);
        if distance <= slips && best.is_none_or(|(least, other, _)| (distance, meant.word) < (least, other)) {
            best = Some((distance, meant.word, meant.verb));
        }
    }
    let (_, _, verb) = best?;
    Some(Near { wrote: written.into_iter().collect(), meant: with_argument(verb, "").key().to_owned() })
}

/// How many letters must be put in, left out, changed or swapped with the next to make one word the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// A whole number in the figures of any of our scripts.
fn number(written: &str) -> Option<u32> {
    let figure = |c: char| match c {
        '\u{660}'..='\u{669}' => char::from_digit(c as u32 - 0x660, 10),
        '\u{6f0}'..='\u{6f9}' => char::from_digit(c as u32 - 0x6f0, 10),
        c => Some(c),
    };
    written.chars().map(figure).collect::<Option<String>>()?.parse().ok()
}

fn with_argument(verb: Verb, argument: &str) -> Command {
    match verb {
        Verb::Help => Command::Help,
        Verb::Status => Command::Status,
        Verb::Language => {
            let named = language(argument);
            named.map_or_else(
                || Command::LanguageUnknown(argument.chars().take(40).collect()),
                Command::Language,
            )
        }
        Verb::Withdraw => Command::Withdraw,
        Verb::Recuse => Command::Recuse,
        Verb::Confirm => Command::Confirm,
        Verb::Decline => Command::Decline,
        Verb::Suspend => Command::Suspend,
        Verb::Resume => Command::Resume,
        Verb::Certify => Command::Certify,
        Verb::Questions => Command::Questions,
        Verb::Verify => Command::Verify,
        // A matter's number stands in our mails as "c7".
        Verb::Documents => Command::Documents(number(argument.strip_prefix('c').unwrap_or(argument))),
        Verb::Comments => Command::Comments,
        Verb::Named => Command::Named,
        Verb::MyData => Command::MyData,
        Verb::Erase => Command::Erase,
        Verb::Apply => Command::Apply,
    }
}

/// A language by its code or by its name in any of the seven.
fn language(word: &str) -> Option<Language> {
    let named = words().languages.get(word).copied();
    let code = |word: &str| Language::ALL.into_iter().find(|language| language.code() == word);
    let tagged = || word.len() <= 5 && word.contains('-');
    named.or_else(|| code(word)).or_else(|| if tagged() { Language::from_code(word) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_lines_of_their_own() {
        assert_eq!(
            read("HELP\nlangue : fr\nLANGUAGE Portugu\u{ea}s").all,
            [Command::Help, Command::Language(Language::Fr), Command::Language(Language::Pt),]
        );
        assert_eq!(
            read("I need help\n\u{41f}\u{43e}\u{43c}\u{43e}\u{449}\u{44c}\n\u{5e2e}\u{52a9}").all,
            [Command::Help]
        );
        assert_eq!(read("Documents attached\nQuestions?").all, []);
    }

    #[test]
    fn documents_are_numbered_in_the_figures_of_any_script() {
        for line in [
            "documents 3",
            "DOCUMENTS: 3.",
            "\u{6587}\u{4ef6}3",
            "\u{6587}\u{4ef6}\u{ff13}",
            "\u{648}\u{62b}\u{627}\u{626}\u{642} \u{663}",
        ] {
            assert_eq!(read(line).all, [Command::Documents(Some(3))], "{line}");
        }
    }

    #[test]
    fn a_language_is_known_by_its_name_in_every_language() {
        for line in [
            "LANGUE anglais",
            "IDIOMA ingl\u{e9}s",
            "\u{42f}\u{417}\u{42b}\u{41a} \u{430}\u{43d}\u{433}\u{43b}\u{438}\u{439}\u{441}\u{43a}\u{438}\u{439}",
            "\u{8bed}\u{8a00}\u{ff1a}\u{82f1}\u{6587}",
            "\u{8bed}\u{8a00}\u{82f1}\u{6587}",
            "LANGUAGE en-GB",
        ] {
            assert_eq!(read(line).all, [Command::Language(Language::En)], "{line}");
        }
        assert_eq!(read("LANGUAGE klingon").all, [Command::LanguageUnknown("klingon".to_owned())]);
    }

    #[test]
    fn a_slip_of_the_hand_is_noted_and_does_nothing() {
        let near = |line: &str| read(line).near.into_iter().map(|near| near.meant).collect::<String>();
        for (line, meant) in [
            ("STATSU", "status"),
            ("Statuss", "status"),
            ("WITHDRAAW", "withdraw"),
            ("v\u{e9}rifer", "verify"),
            ("\u{43f}\u{43e}\u{43c}\u{43e}\u{449}", "help"),
            ("MY DTAA", "my_data"),
        ] {
            assert_eq!(near(line), meant, "{line}");
            assert!(read(line).all.is_empty(), "{line}");
        }
        for line in ["Hello", "Thanks", "Statuses are shown", "yes", "Ann", "no", "Regards"] {
            assert_eq!(near(line), "", "{line}");
        }
    }

    #[test]
    fn a_mail_has_one_budget_of_commands() {
        let many: String = (0..50).map(|n| format!("DOCUMENTS {n}\n")).collect();
        let found = read(&many);
        assert_eq!((found.all.len(), found.over), (MAX_COMMANDS, true));
        let again = "HELP\n".repeat(50);
        assert_eq!(read(&again), Commands { all: vec![Command::Help], ..Commands::default() });
    }
}
