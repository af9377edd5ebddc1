//! The stable JSON object of `atlarged inspect --json`.

use serde_json::{Value, json};

use super::letter::{Command, Letter};
use super::vouching::Signed;

/// What `inspect --json` prints of one letter read from `file`.
pub fn inspect_json(file: &str, letter: &Letter) -> Value {
    let [spf, dkim, dmarc, arc] = letter.results();
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
            "spf": spf,
            "dkim": dkim,
            "dmarc": dmarc,
            "arc": arc,
            "aligned": letter.vouching.aligned,
            "grounds": letter.vouching.grounds,
            "signatures": letter.checked.iter().flat_map(|c| &c.dkim).map(signature).collect::<Vec<_>>(),
        },
        "signed": letter.signed,
        "bounces": letter.bounces,
        "attachments": letter.attachments,
        "problems": letter.problems,
    })
}

fn signature(signed: &Signed) -> Value {
    json!({
        "domain": signed.verdict.subject,
        "result": signed.verdict.result,
        "why": signed.why,
        "aligned": signed.aligned,
    })
}

fn command(command: &Command) -> Value {
    match command {
        Command::Language(l) => json!({ "language": l.code() }),
        other => serde_json::to_value(other).unwrap_or(Value::Null),
    }
}
