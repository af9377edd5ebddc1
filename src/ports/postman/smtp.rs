//! Mail out by SMTP submission (RFC 6409): one long-lived connection, opened when needed, opened anew when
//! stale.

use super::{
    Delivery, Outgoing, Postman,
    link::{Link, Offer, Refusal, Reply, Step},
};
use crate::ports::{
    Fault,
    net::{Backoff, Login, Security, Server},
};
use lettre::{Address, address::Envelope};
use serde::Deserialize;
use std::{borrow::Cow, path::PathBuf, time::Duration};

/// The relay that takes our mail.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    pub host: String,
    #[serde(default = "default_port")]
    pub port: u16,
    /// `tls` (default, port 465), `starttls` (port 587), or `none` for a relay on this machine.
    #[serde(default)]
    pub security: Security,
    /// PEM file with the only certificates to trust; default: those of the system.
    pub ca_file: Option<PathBuf>,
    /// Login; without it no AUTH is tried.
    pub user: Option<String>,
    /// File with the password; a bare name is a systemd credential.
    pub password_file: Option<PathBuf>,
    /// File with an OAuth2 access token, kept fresh by another program.
    pub oauth2_token_file: Option<PathBuf>,
    /// Program and arguments that print an OAuth2 access token.
    #[serde(default)]
    pub oauth2_token_command: Vec<String>,
    /// The name we greet with, best this host's full name; default: an address literal.
    pub hello: Option<String>,
    /// Seconds to wait for each answer of the relay.
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
    /// Seconds to wait for the answer to a whole mail (RFC 5321, 4.5.3.2.6 asks for ten minutes).
    #[serde(default = "default_data_timeout")]
    pub data_timeout_seconds: u64,
}

fn default_port() -> u16 {
    465
}
fn default_timeout() -> u64 {
    60
}
fn default_data_timeout() -> u64 {
    600
}

/// The SMTP postman. Several may work side by side, each with a connection of its own.
#[derive(Debug)]
pub struct Smtp {
    server: Server,
    login: Option<Login>,
    hello: Option<String>,
    data_limit: Duration,
    link: Option<Link>,
    backoff: Backoff,
}

impl Smtp {
    pub fn new(config: SmtpConfig) -> Smtp {
        let server = Server {
            host: config.host,
            port: config.port,
            security: config.security,
            ca_file: config.ca_file,
            timeout: Duration::from_secs(config.timeout_seconds.max(1)),
        };
        let login = config.user.map(|user| Login {
            user,
            password_file: config.password_file,
            oauth2_token_file: config.oauth2_token_file,
            oauth2_token_command: config.oauth2_token_command,
        });
        let data_limit = Duration::from_secs(config.data_timeout_seconds.max(1));
        Smtp { server, login, hello: config.hello, data_limit, link: None, backoff: Backoff::default() }
    }

    /// Opens the connection and logs in, to see whether that works; sends nothing.
    ///
    /// # Errors
    /// As `send`.
    pub async fn greet(&mut self) -> Result<(), Fault> {
        if self.link.is_none() {
            self.link = Some(self.connect().await?);
        }
        Ok(())
    }

    /// Says goodbye to the relay.
    pub async fn close(&mut self) {
        if let Some(link) = self.link.take() {
            link.quit().await;
        }
    }

    async fn connect(&mut self) -> Result<Link, Fault> {
        if let Some(pause) = self.backoff.pause() {
            let why = format!("it failed before; next attempt within {} s", pause.as_secs() + 1);
            return Err(Fault::new(format!("connecting to {}", self.server), why));
        }
        let link = Link::open(&self.server, self.login.as_ref(), self.hello.as_deref()).await;
        match &link {
            Ok(_) => self.backoff.success(),
            Err(_) => self.backoff.failure(),
        }
        link
    }

    fn judge(&self, refusal: Refusal) -> Result<Delivery, Fault> {
        let Refusal { step, reply } = refusal;
        let what = || format!("sending by {}", self.server);
        let advice = || format!("{reply}; check sender, login and relay permission");
        match reply.code {
            454 | 530 | 534 | 535 | 538 => Err(Fault::new(what(), advice())),
            400..500 => Ok(Delivery::Later { why: reply.to_string(), status: reply.status() }),
            // A sender that is refused is our trouble; a mail that is too large is not.
            code if step == Step::Mail && code != 552 && !too_large(&reply) => {
                Err(Fault::new(what(), advice()))
            }
            _ if step == Step::Rcpt && forbids_relaying(&reply) => Err(Fault::new(what(), advice())),
            _ => Ok(Delivery::Never { why: reply.to_string(), status: reply.status() }),
        }
    }
}

/// RFC 3463: mail too big for the system or the mailbox.
fn too_large(reply: &Reply) -> bool {
    reply.status().is_some_and(|s| s == "5.3.4" || s == "5.2.3")
}

/// 5.7.1 alone may be the policy of one recipient's host; only words about relaying show that it is about us.
fn forbids_relaying(reply: &Reply) -> bool {
    matches!(reply.code, 550 | 551 | 553 | 554) && reply.text.to_ascii_lowercase().contains("relay")
}

impl Postman for Smtp {
    async fn send(&mut self, mail: Outgoing<'_>) -> Result<Delivery, Fault> {
        let Ok(envelope) = envelope(mail) else {
            let why = "the address cannot be used in SMTP".into();
            return Ok(Delivery::Never { why, status: Some("5.1.3".into()) });
        };
        let bytes = with_crlf(mail.bytes);
        // A connection from before may have been closed by the relay meanwhile: then once more on a new one.
        loop {
            let reused = self.link.take();
            let fresh = reused.is_none();
            let mut link = match reused {
                Some(link) => link,
                None => self.connect().await?,
            };
            match link.offer(&envelope, &bytes, self.data_limit).await {
                Offer::Accepted(answer) => {
                    self.link = Some(link);
                    return Ok(Delivery::Accepted { answer });
                }
                Offer::NotOffered(_) if !fresh => continue,
                Offer::NotOffered(why) | Offer::Lost(why) => {
                    return Ok(Delivery::Later { why, status: None });
                }
                Offer::BadAddress(why) => {
                    self.link = Some(link);
                    return Ok(Delivery::Never { why, status: Some("5.6.7".into()) });
                }
                Offer::Unfit(why) => return Err(Fault::new(format!("sending by {}", self.server), why)),
                Offer::Refused(refusal) => {
                    if link.reset().await {
                        self.link = Some(link);
                    }
                    return self.judge(refusal);
                }
            }
        }
    }
}

fn envelope(mail: Outgoing<'_>) -> Result<Envelope, ()> {
    let from = match mail.envelope_from {
        "" => None,
        address => Some(address.parse::<Address>().map_err(drop)?),
    };
    Envelope::new(from, vec![mail.to.parse().map_err(drop)?]).map_err(drop)
}

/// The bytes with every line end as CRLF: a lone CR or LF is read differently by different servers (SMTP
/// smuggling).
pub(super) fn with_crlf(bytes: &[u8]) -> Cow<'_, [u8]> {
    let lone = |n: usize| match bytes[n] {
        b'\r' => bytes.get(n + 1) != Some(&b'\n'),
        b'\n' => n == 0 || bytes[n - 1] != b'\r',
        _ => false,
    };
    if !(0..bytes.len()).any(lone) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for (n, byte) in bytes.iter().enumerate() {
        if lone(n) { out.extend_from_slice(b"\r\n") } else { out.push(*byte) }
    }
    Cow::Owned(out)
}
