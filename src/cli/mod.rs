//! The command line: stable, since others script against it. Exit codes: 0 done, 1 refused or found wanting,
//! 2 usage.

pub mod assemble;
mod ballots;
pub mod cases;
pub mod daemon;
mod demo;
mod doctor;
pub mod import;
mod letters;
mod quarantine;
mod rows;
mod simulate;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// The clerk of the At-Large community: reads a mailbox, moves every matter forward by the rules, writes to
/// everyone in their own language.
#[derive(Debug, Parser)]
#[command(name = "atlarged", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where the configuration is.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigArg {
    /// The configuration file.
    #[arg(long, value_name = "FILE", env = "ATLARGED_CONFIG", default_value = "/etc/atlarged/atlarged.toml")]
    pub config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play the village's story on real servers, or leave them running for you.
    Demo(demo::DemoArgs),
    /// Run the daemon until told to stop.
    Run(ConfigArg),
    /// One turn of the crank, then exit.
    Turn(ConfigArg),
    /// Bring the database to this build's schema.
    Migrate(ConfigArg),
    /// Check that everything the daemon needs is there and works; say what to do where it is not.
    Doctor(ConfigArg),
    /// What the daemon has done and what waits.
    Status(daemon::StatusArgs),
    /// Let a daemon run whose database was restored from a backup.
    Resume(daemon::ResumeArgs),
    /// Every notice to come if nobody answers.
    Forecast(cases::ForecastArgs),
    /// People, organisations and their roles.
    #[command(subcommand)]
    Register(import::RegisterCommand),
    /// Running matters.
    #[command(subcommand)]
    Case(cases::CaseCommand),
    /// What a mail says: pure, no database.
    Inspect(letters::InspectArgs),
    /// A template with its sample data, as a person would see it.
    Preview(letters::PreviewArgs),
    /// Years of a village in memory, with seeded faults.
    Simulate(simulate::SimulateArgs),
    /// Verify a published tally from the file alone.
    Recount(ballots::RecountArgs),
    /// Mail and letters that wait for a person.
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineCommand),
    /// Print the manual page or a shell's completions.
    #[command(subcommand, hide = true)]
    Generate(letters::GenerateCommand),
}

/// How a command ended.
pub enum Ended {
    Done,
    /// Refused or found wanting; what was said already.
    Wanting,
}

/// What an operator reads: what, where, and what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

impl Trouble {
    pub fn new(what: impl std::fmt::Display) -> Trouble {
        Trouble(what.to_string())
    }
}

impl From<crate::ports::Fault> for Trouble {
    fn from(fault: crate::ports::Fault) -> Trouble {
        Trouble::new(fault)
    }
}

impl From<crate::config::ConfigError> for Trouble {
    fn from(error: crate::config::ConfigError) -> Trouble {
        Trouble::new(error)
    }
}

/// Prints a line. Whoever reads may have seen enough, as `head` has: that is no fault of ours.
fn print_line(line: std::fmt::Arguments<'_>, out: &mut impl std::io::Write) -> std::io::Result<()> {
    match writeln!(out, "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// `println!` that a closed pipe does not kill; what else hinders it is told.
macro_rules! say {
    ($($line:tt)*) => {
        if let Err(error) = $crate::cli::print_line(format_args!($($line)*), &mut std::io::stdout().lock()) {
            eprintln!("atlarged: cannot print: {error}");
        }
    };
}
use say;

pub type Outcome = Result<Ended, Trouble>;

/// Carries out one command line. `clock` is the only clock of the program.
pub fn main(clock: crate::daemon::Clock) -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Inspect(args) => letters::inspect(&args),
        Command::Preview(args) => letters::preview(&args),
        Command::Recount(args) => ballots::recount(&args),
        Command::Generate(command) => letters::generate(&command),
        Command::Simulate(args) => simulate::simulate(&args, &clock),
        other => in_runtime(other, &clock),
    };
    match outcome {
        Ok(Ended::Done) => ExitCode::SUCCESS,
        Ok(Ended::Wanting) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("atlarged: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn in_runtime(command: Command, clock: &crate::daemon::Clock) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Trouble::new(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        match command {
            Command::Demo(args) => demo::demo(args, clock).await,
            Command::Run(config) => daemon::run(&config, clock).await,
            Command::Turn(config) => daemon::turn(&config, clock).await,
            Command::Migrate(config) => daemon::migrate(&config).await,
            Command::Doctor(config) => doctor::doctor(&config, clock).await,
            Command::Status(args) => daemon::status(&args, clock).await,
            Command::Resume(args) => daemon::resume(&args, clock).await,
            Command::Forecast(args) => cases::forecast(&args, clock).await,
            Command::Register(command) => import::register(command, clock).await,
            Command::Case(command) => cases::case(command, clock).await,
            Command::Quarantine(command) => quarantine::quarantine(command, clock).await,
            Command::Inspect(_)
            | Command::Preview(_)
            | Command::Recount(_)
            | Command::Generate(_)
            | Command::Simulate(_) => Ok(Ended::Done),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind, Write};

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(Error::from(self.0))
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_who_has_seen_enough_is_no_fault() {
        let mut out = Vec::new();
        assert!(print_line(format_args!("{} lines", 2), &mut out).is_ok());
        assert_eq!(out, b"2 lines\n");
        assert!(print_line(format_args!("x"), &mut Broken(ErrorKind::BrokenPipe)).is_ok());
        assert!(print_line(format_args!("x"), &mut Broken(ErrorKind::StorageFull)).is_err());
    }
}
