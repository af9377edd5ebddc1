//! Who sent a mail, by what the world publishes about its domains: SPF (RFC 7208), DKIM (RFC 6376), DMARC
//! (RFC 9989) and ARC (RFC 8617), checked by mail-auth with answers of DNS or of a zone file.
//!
//! What a mail can make us do is bounded: how many signatures are looked at, which domains are asked about, how
//! long that may take. No outcome is a fault: without an answer a method says "temperror".

mod bodies;
mod tables;
mod verify;
mod zone;

pub use bodies::{Bodies, BodyHashes};

use crate::letters::{Checked, Letter, Signed, Verdict, related};
use crate::ports::Fault;
use chrono::{DateTime, Utc};
use mail_auth::dmarc::Dmarc;
use mail_auth::hickory_resolver::TokioResolver;
use mail_auth::hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::net::runtime::TokioRuntimeProvider;
use mail_auth::hickory_resolver::system_conf::read_system_conf;
use mail_auth::{DnsError, Error, MessageAuthenticator};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tables::Tables;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use zone::Zone;

/// Answers kept by the resolver, and for how long at most: a key that was withdrawn is soon believed no more.
const CACHED: u64 = 4096;
const LONGEST_TTL: Duration = Duration::from_secs(3600);
/// How often each name server is asked.
const ATTEMPTS: usize = 2;

/// Where DNS is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DnsConfig {
    /// Addresses of resolvers, with a port where it is not 53; those of the system where none is named.
    pub servers: Vec<Server>,
    /// Seconds to wait for each answer.
    pub timeout_seconds: u32,
    /// Seconds that all questions about one mail may take together.
    pub mail_seconds: u32,
    /// A zone file in place of DNS: for rehearsals.
    pub zone_file: Option<PathBuf>,
}

impl Default for DnsConfig {
    fn default() -> DnsConfig {
        DnsConfig { servers: Vec::new(), timeout_seconds: 2, mail_seconds: 6, zone_file: None }
    }
}

/// `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Server(SocketAddr);

impl TryFrom<String> for Server {
    type Error = String;

    fn try_from(text: String) -> Result<Server, String> {
        let bare = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
        bare.or_else(|_| text.parse())
            .map(Server)
            .map_err(|_| format!("{text:?} is no address of a name server; write \"192.0.2.53\""))
    }
}

/// What is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Everything there is to say.
    Everything,
    /// Only what can prove that From is genuine: its own domains, and the seals of these forwarders. A stranger's
    /// mail cannot make us ask about whatever it names.
    FromAlone(&'a [String]),
}

/// Checks mails.
pub struct Resolver {
    verifier: MessageAuthenticator,
    tables: Tables,
    at_most: Duration,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolver")
    }
}

impl Resolver {
    /// As configured.
    ///
    /// # Errors
    /// The zone file cannot be read, or nothing tells which name servers there are.
    pub fn new(config: &DnsConfig) -> Result<Resolver, Fault> {
        if let Some(file) = &config.zone_file {
            return Resolver::from_file(file);
        }
        let what = "setting up DNS";
        let (mut servers, mut options) = if config.servers.is_empty() {
            read_system_conf().map_err(|why| Fault::new(what, format!("{why}; name [dns] servers")))?
        } else {
            let servers = config.servers.iter().map(name_server).collect();
            (ResolverConfig::from_parts(None, vec![], servers), ResolverOpts::default())
        };
        // Names in mails are whole; none is to be tried below a domain of ours.
        servers = ResolverConfig::from_parts(None, vec![], servers.name_servers().to_vec());
        options.timeout = Duration::from_secs(config.timeout_seconds.into());
        options.attempts = ATTEMPTS;
        options.cache_size = CACHED;
        options.positive_max_ttl = Some(LONGEST_TTL);
        options.negative_max_ttl = Some(LONGEST_TTL);
        options.use_hosts_file = ResolveHosts::Never;
        Resolver::build(servers, options, None, Duration::from_secs(config.mail_seconds.into()))
    }

    /// With the answers of a zone file alone.
    ///
    /// # Errors
    /// The file cannot be read; why, and in which line.
    pub fn from_file(file: &Path) -> Result<Resolver, Fault> {
        let what = || format!("reading the zone file {}", file.display());
        let text = std::fs::read_to_string(file).map_err(|why| Fault::new(what(), why))?;
        Resolver::from_zone(&text).map_err(|fault| Fault::new(what(), fault.why))
    }

    /// With the answers of a zone, given as text, alone.
    ///
    /// # Errors
    /// The text cannot be read.
    pub fn from_zone(text: &str) -> Result<Resolver, Fault> {
        let zone = Zone::parse(text).map_err(|why| Fault::new("reading a zone", why))?;
        let nobody = ResolverConfig::from_parts(None, vec![], vec![]);
        Resolver::build(nobody, ResolverOpts::default(), Some(&zone), Duration::from_secs(10))
    }

    fn build(
        servers: ResolverConfig,
        options: ResolverOpts,
        zone: Option<&Zone>,
        at_most: Duration,
    ) -> Result<Resolver, Fault> {
        let resolver = TokioResolver::builder_with_config(servers, TokioRuntimeProvider::default())
            .with_options(options)
            .with_tls_config(no_tls()?)
            .build()
            .map_err(|why| Fault::new("setting up DNS", why))?;
        Ok(Resolver { verifier: MessageAuthenticator(resolver), tables: Tables::of(zone), at_most })
    }

    /// Whether DNS answers at all; what it says of the domain does not matter.
    ///
    /// # Errors
    /// No answer in time.
    pub async fn answers(&self, domain: &str) -> Result<(), Fault> {
        let name = format!("_dmarc.{domain}.");
        let asked = self.verifier.txt_lookup::<Dmarc>(name, Some(&self.tables.txt));
        match tokio::time::timeout(self.at_most, asked).await {
            Ok(Err(Error::Dns(DnsError::Resolver(why)))) => Err(Fault::new("asking DNS", why)),
            Ok(_) => Ok(()),
            Err(_) => Err(Fault::new("asking DNS", "no answer in time; name a resolver in [dns] servers")),
        }
    }

    /// Checks a mail. `at` is the moment at which signatures expire or hold. Where `raw` is not the whole mail, its
    /// `bodies` were hashed when it came.
    pub async fn check(
        &self,
        raw: &[u8],
        bodies: Option<&BodyHashes>,
        letter: &Letter,
        scope: Scope<'_>,
        at: DateTime<Utc>,
    ) -> Checked {
        let looks = letter.checked.as_ref().map_or(0, |before| before.looks).saturating_add(1);
        let found = tokio::time::timeout(self.at_most, self.verify((raw, bodies), letter, scope, at)).await;
        let mut checked = found.unwrap_or_else(|_| no_answer(letter));
        checked.looks = looks;
        checked
    }
}

/// No name server is asked over TLS: nothing need be trusted, and the system's certificates not be read.
fn no_tls() -> Result<ClientConfig, Fault> {
    let ring = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
    let config = config.map_err(|why| Fault::new("setting up DNS", why))?;
    Ok(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn name_server(server: &Server) -> NameServerConfig {
    let mut config = NameServerConfig::udp_and_tcp(server.0.ip());
    config.connections.iter_mut().for_each(|connection| connection.port = server.0.port());
    config
}

/// What is said of a mail whose domains do not answer.
fn no_answer(letter: &Letter) -> Checked {
    let domain = letter.from.as_ref().and_then(|from| from.domain()).unwrap_or_default();
    let signed = Signed {
        verdict: Verdict::on("temperror", domain),
        why: Some("DNS gave no answer in time".to_owned()),
        aligned: true,
        whole: true,
        covers: Vec::new(),
    };
    Checked { dkim: vec![signed], ..Checked::default() }
}

/// Whether a domain is one that the scope asks about.
fn asks_about(scope: Scope<'_>, domain: &str, from: &str) -> bool {
    matches!(scope, Scope::Everything) || related(domain, from)
}
