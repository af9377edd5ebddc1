//! Running matters at the keyboard: open, order, list, show, journal, replay, forecast. The daemon alone
//! moves cases; these commands post letters to it and wait for the outcome.

use super::{ConfigArg, Ended, Outcome, Trouble, assemble, say};
use crate::advance::{Ending, LetterBody, NewLetter};
use crate::daemon::Clock;
use crate::kernel::ids::{CaseId, PersonId};
use crate::kernel::workflow::{Input, Opening, Order};
use crate::ports::store::Store;
use crate::ports::store::postgres::PostgresStore;
use crate::replay;
use crate::workflows::{Case, Kind};
use clap::Subcommand;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub enum CaseCommand {
    /// Open a matter from a TOML or JSON file.
    Open(OpenArgs),
    /// Give an order. A ballot takes `annul`, `confirm-annul`, `refuse-annul`, `record`, `reached`, `run-again`,
    /// `leave`; an enquiry `answer`, `note`, `done`; an application `criterion`, `check`, `ask`, `region`, `release`,
    /// `finish`, `proof`, `advice`, `lapse`, `request-vote`, `vote-again`, `suspend`, `lift`, `withdraw`, `reached`,
    /// `review`, `done`, `withhold`, `page`, `publish-page`, `no-page`.
    Order(OrderArgs),
    /// Keep a note with an enquiry, for staff alone.
    Note(NoteArgs),
    /// All matters, newest last.
    List(ListArgs),
    /// One matter.
    Show(CaseArgs),
    /// Save a document of a matter as a file. Who did is on record; be careful with what it may hold.
    Save(SaveArgs),
    /// What happened to a matter, step by step.
    Journal(CaseArgs),
    /// Do every step of a matter again and compare with what is stored.
    Replay(CaseArgs),
}

#[derive(Debug, clap::Args)]
pub struct OpenArgs {
    /// The workflow: accreditation, ballot.
    kind: String,
    file: PathBuf,
    #[command(flatten)]
    posting: Posting,
}

#[derive(Debug, clap::Args)]
pub struct OrderArgs {
    case: CaseId,
    verb: String,
    /// Arguments as NAME=VALUE.
    arguments: Vec<String>,
    #[command(flatten)]
    posting: Posting,
}

#[derive(Debug, clap::Args)]
pub struct NoteArgs {
    case: CaseId,
    text: String,
    #[command(flatten)]
    posting: Posting,
}

#[derive(Debug, clap::Args)]
pub struct SaveArgs {
    case: CaseId,
    /// Its number in the list of documents.
    number: u32,
    /// Where to write it; nothing is overwritten.
    file: PathBuf,
    #[command(flatten)]
    posting: Posting,
}

/// What every command that posts a letter takes.
#[derive(Debug, clap::Args)]
struct Posting {
    #[command(flatten)]
    config: ConfigArg,
    /// Who orders it: a person of the register. Recorded with the account at the operating system.
    #[arg(long, value_name = "PERSON")]
    by: PersonId,
    /// Seconds to wait for the outcome.
    #[arg(long, default_value_t = 30)]
    wait: u64,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    config: ConfigArg,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct CaseArgs {
    case: CaseId,
    #[command(flatten)]
    config: ConfigArg,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct ForecastArgs {
    /// How far to look.
    #[arg(long)]
    days: u32,
    #[command(flatten)]
    config: ConfigArg,
    #[arg(long)]
    json: bool,
}

pub async fn case(command: CaseCommand, clock: &Clock) -> Outcome {
    match command {
        CaseCommand::Open(args) => open(&args, clock).await,
        CaseCommand::Order(args) => order(&args, clock).await,
        CaseCommand::Note(NoteArgs { case, text, posting }) => {
            let arguments = vec![format!("text={text}")];
            order(&OrderArgs { case, verb: "note".to_owned(), arguments, posting }, clock).await
        }
        CaseCommand::Save(args) => save(&args, clock).await,
        CaseCommand::List(args) => list(&args).await,
        CaseCommand::Show(args) => show(&args).await,
        CaseCommand::Journal(args) => journal(&args).await,
        CaseCommand::Replay(args) => replay_case(&args).await,
    }
}

/// Who runs this command, for the journal. The account is what the system says. Under sudo the name of the
/// account that called it stands in front: sudo's word, which whoever has this account could also make up.
pub fn os_user() -> String {
    let sudo = std::env::var("SUDO_USER").ok();
    called_by(sudo.as_deref(), account())
}

fn called_by(sudo: Option<&str>, account: String) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    match sudo.filter(|name| (1..=64).contains(&name.len()) && name.chars().all(plain) && *name != account) {
        Some(name) => format!("{name} via {account}"),
        None => account,
    }
}

/// The account this process runs under.
fn account() -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let uid = std::os::unix::fs::MetadataExt::uid;
    let Ok(own) = std::fs::metadata("/proc/self").map(|process| uid(&process)) else {
        return "unknown".to_owned();
    };
    let name = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        (fields.nth(1)?.parse::<u32>().ok()? == own).then_some(name)
    };
    passwd.lines().find_map(name).unwrap_or_else(|| format!("uid {own}"))
}

async fn open(args: &OpenArgs, clock: &Clock) -> Outcome {
    if Kind::from_name(&args.kind).is_none() {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        return Err(Trouble::new(format!(
            "no workflow is called {:?}; there are: {}",
            args.kind,
            known.join(", ")
        )));
    }
    let body = read(&args.file)?;
    let installation = assemble::installation(&args.posting.config).await?;
    let now = installation.offset.shift(clock());
    let nonce = data_encoding::HEXLOWER.encode(&installation.daemon.keys.random(16)?);
    let opening = Opening {
        kind: args.kind.clone(),
        parent: None,
        by: Some(args.posting.by),
        body,
        arrived: now,
        nonce: nonce.clone(),
    };
    let key = format!("open:{nonce}");
    let letter =
        NewLetter { key, body: LetterBody::Opens(opening), arrived: now, mail: None, message_id: None };
    post(&installation, &letter, &args.posting, clock).await
}

/// A TOML or JSON file as data.
fn read(file: &PathBuf) -> Result<Value, Trouble> {
    let wrong = |error: String| Trouble::new(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    data(&text, json).map_err(wrong)
}

/// The text of a TOML or JSON file as the data a matter is opened with.
///
/// # Errors
/// What cannot be understood, and where.
pub fn data(text: &str, json: bool) -> Result<Value, String> {
    if json {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    let value: toml::Value = toml::from_str(text).map_err(|error| error.to_string())?;
    Ok(plain(value))
}

/// TOML as JSON; a date becomes its text.
fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(datetime) => Value::String(datetime.to_string()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, plain(value))).collect(),
        other => serde_json::to_value(other).unwrap_or_default(),
    }
}

/// Notes who saves which document, and writes it once that is on record.
async fn save(args: &SaveArgs, clock: &Clock) -> Outcome {
    let installation = assemble::installation(&args.posting.config).await?;
    let arguments = json!({ "number": args.number.to_string() });
    let letter = ordered(&installation, (args.case, "save"), arguments, &args.posting, clock)?;
    let noted = post(&installation, &letter, &args.posting, clock).await?;
    let (daemon, now) = (&installation.daemon, installation.offset.shift(clock()));
    let (id, _) = daemon.store.post(&letter, now).await?;
    if !matches!(daemon.store.ending(id).await?, Some((Ending::Acted, _))) {
        return Ok(noted);
    }
    let gone = || Trouble::new(format!("{} has no document {} any more", args.case, args.number));
    let row = find(&daemon.store, args.case).await?;
    let kind = Kind::from_name(&row.kind).ok_or_else(gone)?;
    let case = Case::load(kind, &row.state).map_err(|_| gone())?;
    let shelf = case.shelf().ok_or_else(gone)?;
    let filed = shelf.folder.filed().iter().find(|filed| filed.number == args.number).ok_or_else(gone)?;
    let document = filed.document.as_ref().ok_or_else(gone)?;
    let bytes = daemon.document(&document.handle).await?.ok_or_else(gone)?;
    let name = args.file.display();
    let written = std::fs::File::create_new(&args.file).and_then(|mut file| file.write_all(&bytes));
    written
        .map_err(|error| Trouble::new(format!("writing {name}: {error}; name a file that is not there")))?;
    say!("{name}: {} bytes, SHA-256 {}", bytes.len(), document.hash);
    Ok(Ended::Done)
}

/// An order as a letter.
fn ordered(
    installation: &assemble::Installation,
    (case, verb): (CaseId, &str),
    args: Value,
    posting: &Posting,
    clock: &Clock,
) -> Result<NewLetter, Trouble> {
    let at = installation.offset.shift(clock());
    let nonce = data_encoding::HEXLOWER.encode(&installation.daemon.keys.random(16)?);
    let key = format!("order:{nonce}");
    let order = Order { by: posting.by, verb: verb.to_owned(), args, at, os_user: os_user(), nonce };
    let body = LetterBody::ToCase(case, Input::Order(order));
    Ok(NewLetter { key, body, arrived: at, mail: None, message_id: None })
}

async fn order(args: &OrderArgs, clock: &Clock) -> Outcome {
    let mut arguments = serde_json::Map::new();
    for argument in &args.arguments {
        let Some((name, value)) = argument.split_once('=') else {
            return Err(Trouble::new(format!("{argument:?} is no argument; write NAME=VALUE")));
        };
        arguments.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    let installation = assemble::installation(&args.posting.config).await?;
    let arguments = if arguments.is_empty() { Value::Null } else { Value::Object(arguments) };
    let letter = ordered(&installation, (args.case, &args.verb), arguments, &args.posting, clock)?;
    post(&installation, &letter, &args.posting, clock).await
}

/// Posts a letter and waits for what becomes of it; the daemon does the work.
async fn post(
    installation: &assemble::Installation,
    letter: &NewLetter,
    posting: &Posting,
    clock: &Clock,
) -> Outcome {
    let store = &installation.daemon.store;
    let (id, _) = store.post(letter, installation.offset.shift(clock())).await?;
    let waited = async {
        loop {
            if let Some(ended) = store.ending(id).await? {
                return Ok::<_, crate::ports::Fault>(ended);
            }
            store.wait(Duration::from_millis(250)).await;
        }
    };
    let Ok(ended) = tokio::time::timeout(Duration::from_secs(posting.wait), waited).await else {
        say!("queued; the daemon will take it when it runs: letter {id}");
        return Ok(Ended::Done);
    };
    let (ending, case) = ended?;
    let case_name = case.map_or_else(|| "no case".to_owned(), |case| case.to_string());
    if posting.json {
        say!("{}", json!({ "letter": id.to_string(), "case": case, "ending": ending }));
    }
    match ending {
        Ending::Acted | Ending::Silent(_) => {
            if !posting.json {
                say!("{case_name} done");
            }
            Ok(Ended::Done)
        }
        Ending::Refused(template) => {
            eprintln!("atlarged: {case_name} refused: {}", reason(store, case, &template).await?);
            Ok(Ended::Wanting)
        }
    }
}

/// Why an order was refused, as the journal has it.
async fn reason(store: &PostgresStore, case: Option<CaseId>, template: &str) -> Result<String, Trouble> {
    let Some(case) = case else { return Ok(template.to_owned()) };
    let journal = store.journal(Some(case)).await?;
    let outcome = journal.last().map(|row| row.entry.outcome.clone()).unwrap_or_default();
    Ok(outcome.strip_prefix("refused: ").unwrap_or(&outcome).to_owned())
}

async fn list(args: &ListArgs) -> Outcome {
    let (_, store) = assemble::store(&args.config).await?;
    let cases = store.cases().await?;
    if args.json {
        say!("{}", json!(cases));
        return Ok(Ended::Done);
    }
    for case in &cases {
        let wake = case.wake_at.map(|at| at.to_rfc3339()).unwrap_or_default();
        say!("{}\t{}\t{}\t{}\t{}", case.id, case.kind, case.phase, wake, case.title);
    }
    Ok(Ended::Done)
}

async fn find(store: &PostgresStore, id: CaseId) -> Result<crate::advance::CaseRow, Trouble> {
    store.case(id).await?.ok_or_else(|| Trouble::new(format!("there is no {id}; see: atlarged case list")))
}

async fn show(args: &CaseArgs) -> Outcome {
    let (_, store) = assemble::store(&args.config).await?;
    let case = json!(find(&store, args.case).await?);
    say!("{}", if args.json { case.to_string() } else { format!("{case:#}") });
    Ok(Ended::Done)
}

async fn journal(args: &CaseArgs) -> Outcome {
    let (_, store) = assemble::store(&args.config).await?;
    find(&store, args.case).await?;
    let rows = store.journal(Some(args.case)).await?;
    if args.json {
        say!("{}", json!(rows));
        return Ok(Ended::Done);
    }
    for row in &rows {
        let input = row.entry.input.as_object().and_then(|input| input.keys().next().cloned());
        let input = input.or_else(|| row.entry.input.as_str().map(str::to_owned)).unwrap_or_default();
        say!("{}\t{}\t{}\t{}\t{}", row.number, row.entry.at, row.entry.seq, input, row.entry.outcome);
    }
    Ok(Ended::Done)
}

async fn replay_case(args: &CaseArgs) -> Outcome {
    let (_, store) = assemble::store(&args.config).await?;
    let stored = find(&store, args.case).await?;
    let replayed = replay::replay(&store, args.case).await?;
    let same = replayed.mismatch.is_none() && replayed.state == stored.state;
    if args.json {
        say!("{}", json!({ "same": same, "steps": replayed.steps, "mismatch": replayed.mismatch }));
    } else if same {
        say!("{} steps done again: the state is the stored one", replayed.steps);
    } else {
        let where_ =
            replayed.mismatch.unwrap_or_else(|| "the state stored is not that of the last step".into());
        eprintln!("atlarged: {where_}");
    }
    Ok(if same { Ended::Done } else { Ended::Wanting })
}

pub async fn forecast(args: &ForecastArgs, clock: &Clock) -> Outcome {
    let installation = assemble::installation(&args.config).await?;
    let now = installation.offset.shift(clock());
    let until = now + chrono::Duration::days(i64::from(args.days));
    let coming = replay::forecast(&installation.daemon, now, until).await?;
    if args.json {
        say!("{}", json!(coming));
        return Ok(Ended::Done);
    }
    for notice in &coming {
        say!("{}\t{}\t{}\t{} to {}", notice.at, notice.case, notice.template, notice.label, notice.to);
    }
    say!("{} mails if nobody answers", coming.len());
    Ok(Ended::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_names_who_called_sudo_and_never_repeats_what_is_no_name() {
        let by = |sudo| called_by(sudo, "atlarged".to_owned());
        assert_eq!(by(None), "atlarged");
        assert_eq!(by(Some("maria.k")), "maria.k via atlarged");
        for sudo in ["", "atlarged", "a b", "x\ny", "é"] {
            assert_eq!(by(Some(sudo)), "atlarged", "{sudo:?}");
        }
    }
}
