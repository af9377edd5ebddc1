//! Commands: lines above the quote that are nothing but a command word, in any of the seven languages.

use super::fold::fold;
use super::letter::Command;
use super::words::{Verb, words};
use crate::kernel::language::Language;

/// Commands taken from one mail; what follows is left alone.
const MAX_COMMANDS: usize = 20;

/// Reads the commands out of the author's own words, in order, each once.
pub fn read(text: &str) -> Vec<Command> {
    let mut found = Vec::new();
    for line in text.lines().take(500) {
        if let Some(command) = line_command(line)
            && !found.contains(&command)
            && found.len() < MAX_COMMANDS
        {
            found.push(command);
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
    let core = folded.trim_matches(|c: char| !c.is_alphanumeric());
    if let Some((verb, _)) = words().commands.get(core) {
        let asks = line.contains(['?', '\u{ff1f}', '\u{61f}']);
        return (!asks || *verb == Verb::Help).then(|| with_argument(*verb, ""));
    }
    let (head, rest) = core.split_once([' ', ':', '\u{ff1a}', '='])?;
    let rest = rest.trim_matches(|c: char| !c.is_alphanumeric());
    match words().commands.get(head)?.0 {
        verb @ (Verb::Language | Verb::Documents) if rest.split_whitespace().count() == 1 => {
            let command = with_argument(verb, rest);
            (command != Command::Documents(None)).then_some(command)
        }
        _ => None,
    }
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
        Verb::Documents => Command::Documents(argument.parse().ok()),
        Verb::MyData => Command::MyData,
        Verb::Erase => Command::Erase,
    }
}

/// A language by its code, its own name or its English name.
fn language(word: &str) -> Option<Language> {
    const ENGLISH: &[&str] = &["english", "french", "spanish", "portuguese", "russian", "chinese", "arabic"];
    Language::ALL
        .into_iter()
        .zip(ENGLISH)
        .find(|(l, english)| word == **english || word == l.code() || word == fold(l.autonym()))
        .map(|(l, _)| l)
        .or_else(|| if word.len() <= 5 && word.contains('-') { Language::from_code(word) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_lines_of_their_own() {
        assert_eq!(
            read("HELP\nlangue : fr\nLANGUAGE Português"),
            [Command::Help, Command::Language(Language::Fr), Command::Language(Language::Pt),]
        );
        assert_eq!(read("I need help\nПомощь\n帮助"), [Command::Help]);
        assert_eq!(read("documents 3"), [Command::Documents(Some(3))]);
        assert_eq!(read("Documents attached\nQuestions?"), []);
    }
}
