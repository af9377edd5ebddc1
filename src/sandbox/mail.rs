//! The sandbox's mail servers: Dovecot keeps the mailboxes, Exim takes mail in, delivers it and sends bounces.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tokio::net::TcpStream;

use super::account::Account;
use super::keeper::{Keeper, Signal};
use super::place::{Identity, Place, free_ports, io, run};
use crate::ports::Fault;

const DOVECOT: &str = include_str!("dovecot.conf");
const EXIM: &str = include_str!("exim.conf");

/// The host that stamps `Authentication-Results` (RFC 8601) and `Received`: the one to configure as trusted.
pub const AUTHSERV_ID: &str = "mx.atlarge.example";

/// Where the clerk lives.
pub const DOMAIN: &str = "atlarge.example";

/// Domains for which mail is accepted even before anybody has a mailbox there: a wrong address bounces.
const DOMAINS: [&str; 1] = [DOMAIN];

/// The ports the servers listen on, all on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// IMAP with STARTTLS.
    pub imap: u16,
    /// IMAP with TLS from the first byte (RFC 8314).
    pub imaps: u16,
    /// LMTP, from Exim to Dovecot.
    pub lmtp: u16,
    /// SMTP with STARTTLS.
    pub smtp: u16,
    /// SMTP with TLS from the first byte (RFC 8314).
    pub smtps: u16,
}

/// Writes the configurations and starts both servers. Ports found free may be taken by others before they are ours,
/// so that a failed start is tried again with new ones.
///
/// # Errors
/// When a server is not installed or does not start.
pub async fn start(place: &Place, identity: &Identity, keeper: &Keeper) -> Result<Ports, Fault> {
    certificate(place, identity)?;
    let (dovecot, exim) = (program("dovecot")?, program("exim4")?);
    let exim = unprivileged_copy(&exim, place)?;
    let mut last = None;
    for _ in 0..3 {
        match start_once(place, identity, keeper, &dovecot, &exim).await {
            Ok(ports) => return Ok(ports),
            Err(fault) => last = Some(fault),
        }
        keeper.stop("exim", Signal::Term).await;
        keeper.stop("dovecot", Signal::Term).await;
    }
    Err(last.unwrap_or_else(|| Fault::new("starting the mail servers", "not tried")))
}

async fn start_once(
    place: &Place,
    identity: &Identity,
    keeper: &Keeper,
    dovecot: &Path,
    exim: &Path,
) -> Result<Ports, Fault> {
    let [imap, imaps, lmtp, smtp, smtps] = free_ports()?;
    let ports = Ports { imap, imaps, lmtp, smtp, smtps };
    let conf = place.write(identity, "dovecot.conf", &fill(DOVECOT, place, identity, ports))?;
    let mut command = identity.command(dovecot, Signal::Term);
    command.arg("-F").arg("-c").arg(conf);
    serve(place, keeper, "dovecot", command, &[imap, imaps, lmtp]).await?;
    let conf = place.write(identity, "exim.conf", &fill(EXIM, place, identity, ports))?;
    let mut command = identity.command(exim, Signal::Term);
    command.arg("-C").arg(conf).args(["-bdf", "-q1s"]);
    serve(place, keeper, "exim", command, &[smtp, smtps]).await?;
    Ok(ports)
}

/// Starts a server and waits until each of its ports takes a connection.
async fn serve(
    place: &Place,
    keeper: &Keeper,
    name: &'static str,
    mut command: Command,
    ports: &[u16],
) -> Result<(), Fault> {
    let log = place.dir.join(format!("log/{name}.out"));
    super::to_log(&mut command, &log)?;
    keeper.start(name, command, Signal::Term).await?;
    let what = format!("starting {name}");
    let ready = async {
        for port in ports {
            while TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], *port))).await.is_err() {
                if !keeper.lives(name).await {
                    return Err(Fault::new(&what, format!("it ended; see {}", log.display())));
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(())
    };
    let late = |_| Fault::new(&what, format!("no answer in 20 s; see {}", log.display()));
    tokio::time::timeout(Duration::from_secs(20), ready).await.map_err(late)?
}

/// Tells both servers about everybody's login, addresses and domains. They look at each use: no restart.
///
/// # Errors
/// When the files cannot be written.
pub fn write_accounts(place: &Place, identity: &Identity, accounts: &[Account]) -> Result<(), Fault> {
    let (mut logins, mut addresses) = (String::new(), String::new());
    let mut domains: Vec<&str> = DOMAINS.to_vec();
    for account in accounts {
        let login = format!("{}:{}\n", account.login, account.password);
        let own = format!("users/{}", account.login);
        if !place.dir.join(&own).exists() {
            place.write(identity, &own, &login)?;
        }
        logins += &login;
        for address in account.addresses() {
            if address != account.login {
                addresses += &format!("{address}: {}\n", account.login);
            }
            domains.extend(address.rsplit_once('@').map(|(_, domain)| domain));
        }
    }
    domains.sort_unstable();
    domains.dedup();
    place.write(identity, "logins", &logins)?;
    place.write(identity, "addresses", &addresses)?;
    place.write(identity, "domains", &(domains.join("\n") + "\n"))?;
    Ok(())
}

fn fill(template: &str, place: &Place, identity: &Identity, ports: Ports) -> String {
    let words = [
        ("@DIR@", place.dir.display().to_string()),
        ("@USER@", identity.user.clone()),
        ("@GROUP@", identity.group.clone()),
        ("@HOST@", AUTHSERV_ID.to_owned()),
        ("@DOMAIN@", DOMAIN.to_owned()),
        ("@IMAP@", ports.imap.to_string()),
        ("@IMAPS@", ports.imaps.to_string()),
        ("@LMTP@", ports.lmtp.to_string()),
        ("@SMTP@", ports.smtp.to_string()),
        ("@SMTPS@", ports.smtps.to_string()),
    ];
    words.iter().fold(template.to_owned(), |text, (word, value)| text.replace(word, value))
}

/// A certificate for localhost that is its own authority. It must say CA:FALSE: rustls takes no authority's
/// certificate for a server's.
fn certificate(place: &Place, identity: &Identity) -> Result<(), Fault> {
    let mut openssl = identity.command("openssl", Signal::Term);
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "3650",
    ]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "basicConstraints=critical,CA:FALSE"]);
    openssl.args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
    openssl.arg("-keyout").arg(place.dir.join("key.pem")).arg("-out").arg(place.dir.join("cert.pem"));
    run(openssl, "making the sandbox's certificate").map(|_| ())
}

fn program(name: &str) -> Result<PathBuf, Fault> {
    ["/usr/sbin", "/usr/local/sbin", "/usr/bin"]
        .iter()
        .map(|dir| Path::new(dir).join(name))
        .find(|path| path.exists())
        .ok_or_else(|| Fault::new(format!("finding {name}"), "it is not installed; `make setup` installs it"))
}

/// The installed Exim is set-uid root and would refuse a configuration file of ours; a copy is not and does not.
fn unprivileged_copy(exim: &Path, place: &Place) -> Result<PathBuf, Fault> {
    use std::os::unix::fs::PermissionsExt;
    let copy = place.dir.join("exim4");
    std::fs::copy(exim, &copy).map_err(|e| io("copying", exim, &e))?;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&copy, mode).map_err(|e| io("copying", &copy, &e))?;
    Ok(copy)
}
