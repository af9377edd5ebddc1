//! The register at the keyboard: import from TOML or CSV, list, show. An import says every error by its
//! line, changes all or nothing, and changes nothing a second time.

use super::rows::{self, Row};
use super::{ConfigArg, Ended, Outcome, Trouble, assemble, say};
use crate::daemon::Clock;
use crate::kernel::ids::{OrganisationId, Party, PersonId};
use crate::kernel::register::{Change, Register};
use crate::ports::store::Store;
use chrono::SecondsFormat;
use clap::Subcommand;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum RegisterCommand {
    /// Read people and organisations from a TOML or CSV file; all or nothing.
    Import(ImportArgs),
    /// Everybody in the register.
    List(ListArgs),
    /// One person or organisation: p17, o3.
    Show(ShowArgs),
}

#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArg,
    /// Say what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Who imports: a person of the register; recorded with the account at the operating system.
    #[arg(long, value_name = "PERSON")]
    by: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    config: ConfigArg,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    party: Party,
    #[command(flatten)]
    config: ConfigArg,
    #[arg(long)]
    json: bool,
}

pub async fn register(command: RegisterCommand, clock: &Clock) -> Outcome {
    match command {
        RegisterCommand::Import(args) => import(&args, clock).await,
        RegisterCommand::List(args) => list(&args).await,
        RegisterCommand::Show(args) => show(&args).await,
    }
}

/// One thing wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wrong {
    pub line: usize,
    pub what: String,
}

/// The changes that make the register say what the file says; none for what it says already.
///
/// # Errors
/// Everything that is wrong with the file, by line.
pub fn changes(text: &str, csv: bool, register: &Register) -> Result<Vec<Change>, Vec<Wrong>> {
    let rows = if csv { rows::from_csv(text) } else { rows::from_toml(text) };
    let (rows, mut wrong) = rows;
    check(&rows, register, &mut wrong);
    if !wrong.is_empty() {
        wrong.sort();
        return Err(wrong);
    }
    // What a file does not tell stays: the month of its report is given to a structure once.
    let kept = |(_, row): (usize, Row)| match row {
        Row::Organisation(mut organisation) => {
            let known = register.organisation(organisation.id);
            organisation.report = organisation.report.or(known.and_then(|known| known.report));
            Row::Organisation(organisation)
        }
        person @ Row::Person(_) => person,
    };
    let differs = |row: &Row| match row {
        Row::Person(person) => register.person(person.id) != Some(person),
        Row::Organisation(organisation) => register.organisation(organisation.id) != Some(organisation),
    };
    let change = |row: Row| match row {
        Row::Person(person) => Change::Person(person),
        Row::Organisation(organisation) => Change::Organisation(organisation),
    };
    Ok(rows.into_iter().map(kept).filter(differs).map(change).collect())
}

/// What only shows when the rows are seen together, and beside the register.
fn check(rows: &[(usize, Row)], register: &Register, wrong: &mut Vec<Wrong>) {
    let mut people: BTreeMap<PersonId, usize> = BTreeMap::new();
    let mut organisations: BTreeMap<OrganisationId, usize> = BTreeMap::new();
    let mut owners: BTreeMap<String, PersonId> = BTreeMap::new();
    let in_file: BTreeSet<PersonId> = rows
        .iter()
        .filter_map(|(_, row)| if let Row::Person(person) = row { Some(person.id) } else { None })
        .collect();
    for (line, row) in rows {
        let mut say = |what: String| wrong.push(Wrong { line: *line, what });
        match row {
            Row::Person(person) => {
                if let Some(first) = people.insert(person.id, *line) {
                    say(format!("{} stands on line {first} already; give each person one entry", person.id));
                }
                for address in &person.addresses {
                    let lower = address.to_lowercase();
                    let elsewhere = register.owner(&lower).map(|owner| owner.id);
                    let other = elsewhere.filter(|owner| *owner != person.id && !in_file.contains(owner));
                    let taken = owners.insert(lower, person.id).filter(|owner| *owner != person.id).or(other);
                    if let Some(owner) = taken {
                        say(format!(
                            "an address of {} belongs to {owner} too; an address names one person",
                            person.id
                        ));
                    }
                }
            }
            Row::Organisation(organisation) => {
                if let Some(first) = organisations.insert(organisation.id, *line) {
                    say(format!("{} stands on line {first} already", organisation.id));
                }
                for id in organisation.representatives.iter().chain(&organisation.prime) {
                    if !in_file.contains(id) && register.person(*id).is_none() {
                        say(format!(
                            "{} names {id}, who is neither in this file nor in the register",
                            organisation.id
                        ));
                    }
                }
                if organisation.prime.is_some_and(|prime| !organisation.representatives.contains(&prime)) {
                    say(format!("the prime of {} is not one of its representatives", organisation.id));
                }
                // A list that is older than a decision must not undo it.
                let ended = register.organisation(organisation.id).and_then(|known| known.until);
                if let Some(until) = ended.filter(|_| organisation.until.is_none()) {
                    let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
                    say(format!(
                        "{} is no longer accredited; leave it out, or write until = \"{until}\"",
                        organisation.id
                    ));
                }
            }
        }
    }
}

async fn import(args: &ImportArgs, clock: &Clock) -> Outcome {
    let (_, store) = assemble::store(&args.config).await?;
    let text = std::fs::read_to_string(&args.file)
        .map_err(|error| Trouble::new(format!("{}: {error}", args.file.display())))?;
    let csv = args.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let by = format!("{} ({})", args.by.as_deref().unwrap_or("unnamed"), super::cases::os_user());
    loop {
        let register = store.register().await?;
        let changes = match changes(&text, csv, &register) {
            Ok(changes) => changes,
            Err(wrong) => {
                for Wrong { line, what } in &wrong {
                    eprintln!("{}:{line}: {what}", args.file.display());
                }
                eprintln!(
                    "atlarged: {} errors; nothing was changed. Correct the file and import it again.",
                    wrong.len()
                );
                return Ok(Ended::Wanting);
            }
        };
        for change in &changes {
            say!("{}", describe(change, &register));
        }
        if args.dry_run {
            say!("{} changes would be made; nothing was changed", changes.len());
            return Ok(Ended::Done);
        }
        if changes.is_empty() || store.change_register(register.version, &changes, &by, clock()).await? {
            say!("{} changes made", changes.len());
            return Ok(Ended::Done);
        }
        // Somebody else changed the register meanwhile: looked at again.
    }
}

fn describe(change: &Change, register: &Register) -> String {
    let verb = |known: bool| if known { "change" } else { "add" };
    match change {
        Change::Person(person) => {
            format!("{} {} {}", verb(register.person(person.id).is_some()), person.id, person.name)
        }
        Change::Organisation(organisation) => {
            let known = register.organisation(organisation.id).is_some();
            format!("{} {} {}", verb(known), organisation.id, organisation.name)
        }
        Change::Language(id, language) => format!("{id} is written to in {language}"),
    }
}

async fn list(args: &ListArgs) -> Outcome {
    let (_, store) = assemble::store(&args.config).await?;
    let register = store.register().await?;
    if args.json {
        let people: Vec<_> = register.people().collect();
        let organisations: Vec<_> = register.organisations().collect();
        say!("{}", json!({ "version": register.version, "people": people, "organisations": organisations }));
        return Ok(Ended::Done);
    }
    for person in register.people() {
        say!("{}\t{}\t{}\t{}", person.id, person.name, person.language, person.zone);
    }
    for organisation in register.organisations() {
        say!("{}\t{}\t{}", organisation.id, organisation.name, organisation.country);
    }
    Ok(Ended::Done)
}

async fn show(args: &ShowArgs) -> Outcome {
    let (_, store) = assemble::store(&args.config).await?;
    let register = store.register().await?;
    let found = match args.party {
        Party::Person(id) => register.person(id).map(|person| json!(person)),
        Party::Organisation(id) => register.organisation(id).map(|organisation| json!(organisation)),
        Party::Stranger(_) | Party::Anonymous(_) => None,
    };
    let Some(found) = found else {
        return Err(Trouble::new(format!(
            "{} is not in the register; see: atlarged register list",
            args.party
        )));
    };
    say!("{}", if args.json { found.to_string() } else { format!("{found:#}") });
    Ok(Ended::Done)
}
