//! How we prove who we are to a mail server: a password or an OAuth2 token, read anew at each connect.

use super::{Fault, within};
use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

/// No password or token is longer; a longer file is not what it should be.
const LONGEST: usize = 16 * 1024;
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// A text that never shows in Debug output.
#[derive(Clone, PartialEq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, for the wire only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is shown to the server, read at the moment of connecting.
#[derive(Debug, Clone)]
pub enum Proof {
    Password(Secret),
    /// OAuth2 access token for XOAUTH2.
    Bearer(Secret),
}

/// Who we are at a mail server and where the proof is kept. Exactly one of the three sources is set.
#[derive(Debug, Clone)]
pub struct Login {
    pub user: String,
    pub password_file: Option<PathBuf>,
    pub oauth2_token_file: Option<PathBuf>,
    /// Program and arguments, run without a shell; prints the token.
    pub oauth2_token_command: Vec<String>,
}

impl Login {
    /// Reads the proof now: a rotated password or a renewed token is picked up at the next connect.
    ///
    /// # Errors
    /// The file is missing, empty or too long, or the command failed; the text names the file, never its
    /// content.
    pub async fn proof(&self) -> Result<Proof, Fault> {
        match (&self.password_file, &self.oauth2_token_file, self.oauth2_token_command.as_slice()) {
            (Some(file), None, []) => Ok(Proof::Password(read(file).await?)),
            (None, Some(file), []) => Ok(Proof::Bearer(read(file).await?)),
            (None, None, [program, arguments @ ..]) => Ok(Proof::Bearer(run(program, arguments).await?)),
            _ => Err(Fault::new(
                "logging in to a mail server",
                "set exactly one of password_file, oauth2_token_file, oauth2_token_command",
            )),
        }
    }
}

/// A bare file name means a systemd credential (`LoadCredential=`); anything else is a path.
fn locate(file: &Path, credentials: Option<&Path>) -> PathBuf {
    match credentials {
        Some(directory) if file.components().count() == 1 && file.is_relative() => directory.join(file),
        _ => file.to_path_buf(),
    }
}

/// Where a secret lies: a bare name is a systemd credential.
pub fn credential_path(file: &Path) -> PathBuf {
    let directory = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    locate(file, directory.as_deref())
}

/// Reads a secret file as it is. A bare name is a systemd credential.
///
/// # Errors
/// The file cannot be read or is no text; the fault names it, never its content.
pub async fn read_credential(file: &Path) -> Result<String, Fault> {
    let path = credential_path(file);
    tokio::fs::read_to_string(&path).await.map_err(|e| {
        let what = format!("reading the secret {}", path.display());
        Fault::new(what, format!("{}; create it, readable by the daemon alone", e.kind()))
    })
}

/// A password or token from a file: trailing line ends are not part of it.
async fn read(file: &Path) -> Result<Secret, Fault> {
    let what = || format!("reading the secret {}", file.display());
    tidy(&read_credential(file).await?).map_err(|why| Fault::new(what(), why))
}

async fn run(program: &str, arguments: &[String]) -> Result<Secret, Fault> {
    let what = format!("getting an OAuth2 token from {program}");
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = within(COMMAND_LIMIT, &what, command.output())
        .await?
        .map_err(|e| Fault::new(&*what, format!("{}; check oauth2_token_command", e.kind())))?;
    if !output.status.success() {
        return Err(Fault::new(what, format!("it ended with {}", output.status)));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| Fault::new(&*what, "its output is not text"))?;
    tidy(&text).map_err(|why| Fault::new(what, why))
}

fn tidy(text: &str) -> Result<Secret, &'static str> {
    let text = text.trim_end_matches(['\r', '\n']);
    match text {
        "" => Err("it is empty"),
        _ if text.len() > LONGEST => Err("it is longer than 16 KiB: not a password or token"),
        _ if text.contains(['\r', '\n', '\0']) => Err("it has more than one line"),
        _ => Ok(Secret::new(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows() {
        assert_eq!(format!("{:?}", Proof::Password(Secret::new("hunter2"))), "Password(Secret(…))");
    }

    #[test]
    fn a_bare_name_is_a_systemd_credential() {
        let at = |file: &str| locate(Path::new(file), Some(Path::new("/run/credentials/atlarged.service")));
        assert_eq!(at("imap"), PathBuf::from("/run/credentials/atlarged.service/imap"));
        assert_eq!(at("/etc/imap"), PathBuf::from("/etc/imap"));
        assert_eq!(locate(Path::new("imap"), None), PathBuf::from("imap"));
    }

    #[test]
    fn line_ends_are_no_part_of_a_secret_and_empty_files_are_refused() {
        assert_eq!(tidy("s3cret\r\n"), Ok(Secret::new("s3cret")));
        assert!(tidy("\n").is_err());
        assert!(tidy("two\nlines\n").is_err());
    }
}
