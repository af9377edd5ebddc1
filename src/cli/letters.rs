//! Commands that need no database: inspect, preview, generate.

use super::{Cli, Ended, Outcome, Trouble, say};
use crate::kernel::form::{Draft, Form};
use crate::kernel::language::Language;
use crate::kernel::token::Minter;
use crate::letters::{self, Trust};
use crate::ports::resolver::{Resolver, Scope};
use crate::render::{Letterhead, Renderer};
use chrono::{DateTime, Utc};
use clap::{CommandFactory, Subcommand};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct InspectArgs {
    /// Mails, one per file.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// DNS answers to check signatures with, in the form of a zone file.
    #[arg(long, value_name = "FILE")]
    zone: Option<PathBuf>,
    /// The moment to judge signatures at, RFC 3339.
    #[arg(long, value_name = "TIME")]
    now: Option<DateTime<Utc>>,
    /// Whose Authentication-Results count.
    #[arg(long, value_name = "ID")]
    authserv_id: Option<String>,
    /// Whose Received tells when a mail arrived and who handed it in.
    #[arg(long, value_name = "HOST")]
    border_host: Option<String>,
    /// A domain whose ARC seals count; may be given again.
    #[arg(long, value_name = "DOMAIN")]
    forwarder: Vec<String>,
    /// Read the mails as answers to this form, a file like those of templates/_forms (TOML or JSON).
    #[arg(long, value_name = "FILE")]
    form: Option<PathBuf>,
    /// The question of the form that was asked alone.
    #[arg(long, value_name = "ID", requires = "form")]
    question: Option<String>,
}

/// The form of a file.
fn form_of(path: &Path) -> Result<Form, Trouble> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| Trouble::new(format!("{name}: {error}")))?;
    if path.extension().is_some_and(|ending| ending == "json") {
        let form: Form =
            serde_json::from_str(&text).map_err(|error| Trouble::new(format!("{name}: {error}")))?;
        form.check().map_err(|error| Trouble::new(format!("{name}: {error}")))?;
        return Ok(form);
    }
    Form::parse(&text).map_err(|error| Trouble::new(format!("{name}: {error}")))
}

/// Puts what a mail says of a form beside what it says at all.
fn add_form(said: &mut Value, form: &Form, question: Option<&str>, raw: &[u8]) {
    let draft = Draft::default();
    let asked = letters::form::Asked { form, draft: &draft, question };
    let mut reading = letters::form::read(&asked, &letters::form::sheet(raw));
    said["fields"] = json!(std::mem::take(&mut reading.found));
    said["form"] = json!(reading);
}

pub fn inspect(args: &InspectArgs) -> Outcome {
    let trust = Trust {
        authserv_id: args.authserv_id.as_deref(),
        border_host: args.border_host.as_deref(),
        forwarders: &args.forwarder,
    };
    let resolver = args.zone.as_deref().map(Resolver::from_file).transpose()?;
    // The zone knows everything there is: nothing is ever waited for.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().enable_io().build();
    let runtime = runtime.map_err(|error| Trouble::new(format!("cannot start: {error}")))?;
    let form = args.form.as_deref().map(form_of).transpose()?;
    let mut out = std::io::stdout().lock();
    let broken = |error: std::io::Error| Trouble::new(format!("writing the answer: {error}"));
    for file in &args.files {
        let name = file.display().to_string();
        let raw = std::fs::read(file).map_err(|error| Trouble::new(format!("{name}: {error}")))?;
        let mut letter = letters::read(&raw, &trust);
        if let Some(resolver) = &resolver {
            let at = args.now.or_else(|| letters::arrival(&raw, &trust)).unwrap_or_default();
            let checked = runtime.block_on(resolver.check(&raw, None, &letter, Scope::Everything, at));
            letter.weigh(Some(checked), &trust);
        }
        let mut said = letters::inspect_json(&name, &letter);
        if let Some(form) = &form {
            add_form(&mut said, form, args.question.as_deref(), &raw);
        }
        if args.json {
            writeln!(out, "{said}").map_err(broken)?;
        } else {
            writeln!(out, "{said:#}").map_err(broken)?;
        }
    }
    Ok(Ended::Done)
}

#[derive(Debug, clap::Args)]
pub struct PreviewArgs {
    /// `ballot/receipt`; without one, all names are listed.
    template: Option<String>,
    /// en fr es pt ru zh ar
    language: Option<String>,
    /// The HTML instead of the text.
    #[arg(long)]
    html: bool,
}

pub fn preview(args: &PreviewArgs) -> Outcome {
    let letterhead = Letterhead {
        clerk: "clerk@atlarge.example".to_owned(),
        name: "At-Large clerk".to_owned(),
        domain: "atlarge.example".to_owned(),
        help: None,
        footer: BTreeMap::new(),
    };
    let renderer =
        Renderer::new(letterhead, Minter::new(b"preview", 0), &BTreeMap::new()).map_err(Trouble::new)?;
    let Some(template) = &args.template else {
        for name in renderer.templates() {
            say!("{name}");
        }
        return Ok(Ended::Done);
    };
    let code = args.language.as_deref().unwrap_or("en");
    let language = Language::from_code(code)
        .ok_or_else(|| Trouble::new(format!("{code:?} is none of en fr es pt ru zh ar")))?;
    let preview = renderer.preview(template, language).map_err(Trouble::new)?;
    if args.html {
        say!("{}", preview.html);
    } else {
        say!("Subject: {}\n\n{}", preview.subject, preview.text);
    }
    Ok(Ended::Done)
}

#[derive(Debug, Subcommand)]
pub enum GenerateCommand {
    /// The manual page, in roff; with a directory, one page for each command, with all its options.
    Man {
        /// Where the pages go: `atlarged.1`, `atlarged-case-open.1` and so on.
        directory: Option<PathBuf>,
    },
    /// Completions for a shell, with the options of every command.
    Completions { shell: clap_complete::Shell },
}

pub fn generate(command: &GenerateCommand) -> Outcome {
    let mut out = std::io::stdout().lock();
    let wrong = |error: std::io::Error| Trouble::new(format!("writing the manual page: {error}"));
    match command {
        GenerateCommand::Man { directory: None } => {
            clap_mangen::Man::new(Cli::command()).render(&mut out).map_err(wrong)?;
        }
        GenerateCommand::Man { directory: Some(directory) } => {
            std::fs::create_dir_all(directory).map_err(wrong)?;
            clap_mangen::generate_to(Cli::command(), directory).map_err(wrong)?;
        }
        GenerateCommand::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "atlarged", &mut out);
        }
    }
    Ok(Ended::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command there is with its long options, "case open" and so on; hidden ones are nobody's to read of.
    fn commands(of: &clap::Command, path: &str) -> Vec<(String, Vec<String>)> {
        let seen =
            of.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
        seen.flat_map(|command| {
            let name = format!("{path}-{}", command.get_name());
            let long = command.get_arguments().filter(|argument| !argument.is_hide_set());
            let long = long.filter_map(|argument| argument.get_long()).map(str::to_owned).collect();
            [(name.clone(), long)].into_iter().chain(commands(command, &name)).collect::<Vec<_>>()
        })
        .collect()
    }

    #[test]
    fn every_command_has_its_page_with_every_option_and_completions_know_them_too() {
        let directory = tempfile::tempdir().expect("a directory");
        let pages = GenerateCommand::Man { directory: Some(directory.path().to_owned()) };
        assert!(matches!(generate(&pages), Ok(Ended::Done)));
        let mut bash = Vec::new();
        let mut cli = Cli::command();
        clap_complete::generate(clap_complete::Shell::Bash, &mut cli, "atlarged", &mut bash);
        let bash = String::from_utf8(bash).expect("text");
        let all = commands(&Cli::command(), "atlarged");
        assert!(
            all.iter().any(|(name, options)| name == "atlarged-case-order" && options.contains(&"by".into()))
        );
        for (name, options) in all {
            let page = directory.path().join(format!("{name}.1"));
            let page = std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{name}: {error}"));
            for option in options {
                let shown = format!("\\-\\-{}", option.replace('-', "\\-"));
                assert!(page.contains(&shown), "{name} does not tell --{option}");
                assert!(bash.contains(&format!("--{option}")), "completions do not know --{option}");
            }
        }
    }
}
