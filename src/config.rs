//! The configuration: one TOML file, every field documented in `config/atlarged.toml`, which a test parses.
//! Unknown fields are errors; secrets stand in files of their own.

use crate::daemon::AlarmConfig;
use crate::kernel::language::Language;
use crate::ports::mailbox::imap::ImapConfig;
use crate::ports::mailbox::maildir::MaildirConfig;
use crate::ports::net::credential_path;
use crate::ports::postman::dkim::DkimConfig;
use crate::ports::postman::smtp::SmtpConfig;
use crate::ports::resolver::DnsConfig;
use crate::workflows::Policies;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub clerk: ClerkConfig,
    pub database: DatabaseConfig,
    pub keys: KeysConfig,
    #[serde(default)]
    pub trust: TrustConfig,
    #[serde(default)]
    pub dns: DnsConfig,
    /// Mailboxes by IMAP, by a name of your choice.
    #[serde(default)]
    pub imap: BTreeMap<String, ImapConfig>,
    /// Mailboxes in directories of this machine.
    #[serde(default)]
    pub maildir: BTreeMap<String, MaildirConfig>,
    pub smtp: SmtpConfig,
    pub dkim: Option<DkimConfig>,
    #[serde(default)]
    pub daemon: DaemonConfig,
    pub public: Option<PublicConfig>,
    pub web: Option<WebConfig>,
    pub alarm: Option<AlarmConfig>,
    /// Numbers the rules leave open. A file of its own, since the committee decides them.
    pub policy_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClerkConfig {
    pub address: String,
    #[serde(default = "clerk_name")]
    pub name: String,
    pub domain: Option<String>,
    pub help: Option<String>,
    #[serde(default)]
    pub footer: BTreeMap<Language, String>,
    /// Files that replace templates of the same name.
    pub templates: Option<PathBuf>,
}

fn clerk_name() -> String {
    "At-Large clerk".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    pub url: Option<String>,
    /// File with the URL; a bare name is a systemd credential.
    pub url_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysConfig {
    pub directory: PathBuf,
    /// Days after which the keys of mails that are dealt with are destroyed.
    #[serde(default = "a_quarter")]
    pub intake_days: u32,
}

fn a_quarter() -> u32 {
    90
}

/// Whom to believe about who wrote a mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrustConfig {
    pub authserv_id: Option<String>,
    pub border_host: Option<String>,
    /// Whether SPF, DKIM, DMARC and ARC are checked by us too.
    pub check: bool,
    /// Domains whose ARC seals count.
    pub forwarders: Vec<String>,
}

impl Default for TrustConfig {
    fn default() -> TrustConfig {
        TrustConfig { authserv_id: None, border_host: None, check: true, forwarders: Vec::new() }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DaemonConfig {
    pub settle_seconds: u32,
    pub poll_seconds: u32,
    pub smtp_connections: u8,
    /// Seconds the daemon's clock runs ahead: for rehearsals only, refused unless `rehearsal = true`.
    pub offset_seconds: i64,
    pub rehearsal: bool,
}

impl Default for DaemonConfig {
    fn default() -> DaemonConfig {
        DaemonConfig {
            settle_seconds: 120,
            poll_seconds: 60,
            smtp_connections: 2,
            offset_seconds: 0,
            rehearsal: false,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicConfig {
    pub directory: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebConfig {
    pub listen: std::net::SocketAddr,
}

/// What is wrong with a configuration: what, where, and what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl Config {
    /// # Errors
    /// The file cannot be read or understood, or sets something unsafe.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError(format!("cannot read {}: {error}; name the file with --config", path.display()))
        })?;
        Config::parse(&text, path)
    }

    /// # Errors
    /// As `load`; `path` is named in the message.
    pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
        let config: Config =
            toml::from_str(text).map_err(|error| ConfigError(format!("{}: {error}", path.display())))?;
        config.check().map_err(|problem| ConfigError(format!("{}: {problem}", path.display())))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let names: Vec<&String> = self.imap.keys().chain(self.maildir.keys()).collect();
        if names.is_empty() {
            return Err("no mailbox is configured; add [imap.NAME] or [maildir.NAME]".to_owned());
        }
        if let Some(twice) = self.imap.keys().find(|name| self.maildir.contains_key(*name)) {
            return Err(format!("two mailboxes are called {twice}; rename one"));
        }
        if self.clerk.address.matches('@').count() != 1 || self.clerk.address.contains('+') {
            return Err(
                "[clerk] address must be a plain address without +; write clerk@example.org".to_owned()
            );
        }
        if self.database.url.is_some() == self.database.url_file.is_some() {
            return Err("[database] needs exactly one of url and url_file".to_owned());
        }
        if self.daemon.offset_seconds != 0 && !self.daemon.rehearsal {
            return Err(
                "[daemon] offset_seconds is for rehearsals; remove it, or set rehearsal = true".to_owned()
            );
        }
        if self.dns.zone_file.is_some() && !self.daemon.rehearsal {
            return Err("[dns] zone_file is for rehearsals; remove it, or set rehearsal = true".to_owned());
        }
        if !(1..=30).contains(&self.dns.timeout_seconds) || !(1..=60).contains(&self.dns.mail_seconds) {
            return Err("[dns] timeout_seconds must be from 1 to 30, mail_seconds from 1 to 60".to_owned());
        }
        if !(1..=3660).contains(&self.keys.intake_days) {
            return Err("[keys] intake_days must be from 1 to 3660; write 90".to_owned());
        }
        if self.daemon.smtp_connections == 0 {
            return Err("[daemon] smtp_connections must be at least 1".to_owned());
        }
        Ok(())
    }

    /// Names of all mailboxes.
    pub fn mailboxes(&self) -> Vec<String> {
        self.imap.keys().chain(self.maildir.keys()).cloned().collect()
    }

    /// # Errors
    /// The file with the address of the database cannot be read.
    pub fn database_url(&self) -> Result<String, ConfigError> {
        match (&self.database.url, &self.database.url_file) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(file)) => std::fs::read_to_string(credential_path(file))
                .map(|url| url.trim().to_owned())
                .map_err(|error| ConfigError(format!("[database] url_file {}: {error}", file.display()))),
            (None, None) => Err(ConfigError("[database] needs url or url_file".to_owned())),
        }
    }

    /// The policies in force: the file's, or what the rules suggest.
    ///
    /// # Errors
    /// The file cannot be read or understood, or sets a number beyond what makes sense.
    pub fn policies(&self) -> Result<Policies, ConfigError> {
        let Some(path) = &self.policy_file else { return Ok(Policies::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError(format!("policy_file {}: {error}", path.display())))?;
        let policies: Policies =
            toml::from_str(&text).map_err(|error| ConfigError(format!("{}: {error}", path.display())))?;
        policies.check().map_err(|problem| ConfigError(format!("{}: {problem}", path.display())))?;
        Ok(policies)
    }
}
