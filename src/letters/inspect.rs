//! The stable JSON object of `atlarged inspect --json`.

use serde_json::{Value, json};

use super::letter::{Command, Letter};

/// What `inspect --json` prints of one letter read from `file`.
pub fn inspect_json(file: &str, letter: &Letter) -> Value {
    let result = |v: &Option<super::letter::Verdict>| v.as_ref().map(|v| v.result.clone());
    json!({
        "file": file,
        "class": letter.class,
        "text": letter.text,
        "signature": letter.signature,
        "quoted": letter.quoted,
        "language": letter.language.map(|l| l.code()),
        "choice": letter.answer.choice,
        "choice_problem": letter.answer.problem,
        "fields": {},
        "commands": letter.commands.iter().map(command).collect::<Vec<_>>(),
        "token": letter.tokens.first().map(|c| &c.token),
        "from": letter.from.as_ref().map(|f| &f.address),
        "assurance": {
            "spf": result(&letter.authentication.spf),
            "dkim": letter.authentication.dkim.iter().find(|v| v.result == "pass")
                .or(letter.authentication.dkim.first()).map(|v| &v.result),
            "dmarc": result(&letter.authentication.dmarc),
        },
        "bounces": letter.bounces,
        "attachments": letter.attachments,
        "problems": letter.problems,
    })
}

fn command(command: &Command) -> Value {
    match command {
        Command::Language(l) => json!({ "language": l.code() }),
        other => serde_json::to_value(other).unwrap_or(Value::Null),
    }
}
