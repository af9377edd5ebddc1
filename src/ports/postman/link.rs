//! One SMTP connection: opened, protected, logged in; then one mail after the other.

use crate::ports::{
    Fault,
    net::{Login, Proof, Security, Server, Timer, Wire, plain},
};
use lettre::{
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters},
        commands::{Data, Ehlo, Mail, Noop, Quit, Rcpt, Rset},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::Response,
    },
};
use std::{fmt, future::Future, io, net::SocketAddr, time::Duration};
use tokio::time::timeout;

/// After this long without a mail, NOOP asks whether the relay is still there.
const IDLE: Duration = Duration::from_secs(30);
/// Bodies are escaped and written in pieces of this size, not copied whole.
const PIECE: usize = 64 * 1024;

/// A negative answer of the relay.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub code: u16,
    /// One line, without addresses.
    pub text: String,
}

impl Reply {
    /// The enhanced status code (RFC 3463) at the start of the text.
    pub fn status(&self) -> Option<String> {
        let word = self.text.split_whitespace().next()?;
        let parts: Vec<&str> = word.split('.').collect();
        let numbers =
            parts.iter().all(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()));
        (parts.len() == 3 && numbers && matches!(parts[0], "2" | "4" | "5")).then(|| word.to_string())
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// Which part of a mail the relay refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Mail,
    Rcpt,
    Data,
}

/// A refusal and where it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub step: Step,
    pub reply: Reply,
}

/// How the offer of one mail ended.
#[derive(Debug)]
pub enum Offer {
    Accepted(String),
    Refused(Refusal),
    /// The connection ended before the relay had the mail: offering again is harmless.
    NotOffered(String),
    /// The connection ended after the mail was sent: it may have been taken.
    Lost(String),
    /// This relay cannot carry this recipient's address.
    BadAddress(String),
    /// This relay cannot carry what we write.
    Unfit(String),
}

/// Why a command had no positive answer.
enum Failure {
    No(Reply),
    Lost(String),
}

/// A connection ready for mail.
pub struct Link {
    connection: AsyncSmtpConnection,
    limit: Duration,
    pipelining: bool,
    size: bool,
    /// The relay is in the middle of something; only closing helps.
    broken: bool,
    /// Runs since the last mail.
    quiet: Timer,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("pipelining", &self.pipelining).finish_non_exhaustive()
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Wire::peer_addr(self)
    }
}

impl Link {
    /// Connects, protects the connection and logs in.
    ///
    /// # Errors
    /// Nobody answers, the certificate is not trusted, the login is refused.
    pub async fn open(server: &Server, login: Option<&Login>, hello: Option<&str>) -> Result<Link, Fault> {
        let what = format!("greeting {server}");
        let hello = hello.map_or_else(ClientId::default, |name| ClientId::Domain(name.into()));
        let wire = Box::new(server.connect().await?);
        let greeting = AsyncSmtpConnection::connect_with_transport(wire, &hello);
        let mut connection = answer(server.timeout, greeting).await.map_err(|f| Fault::new(&*what, f))?;
        if server.security == Security::Starttls {
            let tls = parameters(server).await?;
            let starttls = answer(server.timeout, connection.starttls(tls, &hello)).await;
            let advice = "is STARTTLS offered, and ca_file right for this server?";
            starttls.map_err(|f| Fault::new(format!("STARTTLS with {server}"), format!("{f}; {advice}")))?;
        }
        // lettre keeps only the extensions it uses itself: PIPELINING and SIZE are read from an EHLO of our
        // own.
        let ehlo = answer(server.timeout, connection.command(Ehlo::new(hello))).await;
        let ehlo = ehlo.map_err(|f| Fault::new(&*what, f))?;
        let offers = |name: &str| {
            ehlo.message()
                .skip(1)
                .filter_map(|l| l.split_whitespace().next())
                .any(|w| w.eq_ignore_ascii_case(name))
        };
        let (pipelining, size) = (offers("PIPELINING"), offers("SIZE"));
        if let Some(login) = login {
            prove(&mut connection, server, login).await?;
        }
        Ok(Link {
            connection,
            limit: server.timeout,
            pipelining,
            size,
            broken: false,
            quiet: Timer::start(IDLE),
        })
    }

    /// Offers one mail: MAIL, RCPT and DATA together where the relay allows it (RFC 2920), then the mail.
    pub async fn offer(&mut self, envelope: &Envelope, bytes: &[u8], data_limit: Duration) -> Offer {
        if let Err(why) = self.alive().await {
            return Offer::NotOffered(why);
        }
        let parameters = match self.parameters(envelope, bytes) {
            Ok(parameters) => parameters,
            Err(cannot) => return cannot,
        };
        let mut commands = vec![(Step::Mail, Mail::new(envelope.from().cloned(), parameters).to_string())];
        commands
            .extend(envelope.to().iter().map(|to| (Step::Rcpt, Rcpt::new(to.clone(), vec![]).to_string())));
        commands.push((Step::Data, Data.to_string()));
        let opened =
            if self.pipelining { self.together(&commands).await } else { self.in_turn(&commands).await };
        match opened {
            Ok(()) => {}
            Err((step, Failure::No(reply))) if reply.code == 421 => {
                self.broken = true;
                return Offer::NotOffered(format!("{step:?}: {reply}"));
            }
            Err((step, Failure::No(reply))) => return Offer::Refused(Refusal { step, reply }),
            Err((_, Failure::Lost(why))) => return Offer::NotOffered(why),
        }
        let body = self.connection.message_iter(bytes.chunks(PIECE));
        let outcome = answer(data_limit, body).await;
        self.quiet = Timer::start(IDLE);
        match outcome {
            Ok(response) => Offer::Accepted(plain(response.first_line().unwrap_or_default())),
            Err(Failure::No(reply)) => Offer::Refused(Refusal { step: Step::Data, reply }),
            Err(Failure::Lost(why)) => {
                Offer::Lost(format!("{why}, after the mail was sent: it may have been taken"))
            }
        }
    }

    async fn alive(&mut self) -> Result<(), String> {
        if !self.quiet.is_over() {
            return Ok(());
        }
        let noop = answer(self.limit, self.connection.command(Noop)).await;
        noop.map(drop).map_err(|f| f.to_string())
    }

    fn parameters(&self, envelope: &Envelope, bytes: &[u8]) -> Result<Vec<MailParameter>, Offer> {
        let info = self.connection.server_info();
        let mut parameters = Vec::new();
        let mut addresses = envelope.to().iter().chain(envelope.from());
        if addresses.any(|address| !<lettre::Address as AsRef<str>>::as_ref(address).is_ascii()) {
            if !info.supports_feature(Extension::SmtpUtfEight) {
                let why = "the relay carries no addresses outside ASCII (SMTPUTF8)".into();
                return Err(Offer::BadAddress(why));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !bytes.is_ascii() {
            if !info.supports_feature(Extension::EightBitMime) {
                return Err(Offer::Unfit("the relay carries no 8-bit mail (8BITMIME)".into()));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        if self.size {
            parameters.push(MailParameter::Size(bytes.len()));
        }
        Ok(parameters)
    }

    /// One command, one answer.
    async fn in_turn(&mut self, commands: &[(Step, String)]) -> Result<(), (Step, Failure)> {
        for (step, command) in commands {
            answer(self.limit, self.connection.command(command)).await.map_err(|f| (*step, f))?;
        }
        Ok(())
    }

    /// All commands in one write, then all answers; the first refusal is the one that counts.
    async fn together(&mut self, commands: &[(Step, String)]) -> Result<(), (Step, Failure)> {
        let group: String = commands.iter().map(|(_, command)| command.as_str()).collect();
        let mut refused = None;
        for (n, (step, _)) in commands.iter().enumerate() {
            let reply = if n == 0 {
                answer(self.limit, self.connection.command(&group)).await
            } else {
                answer(self.limit, self.connection.read_response()).await
            };
            match reply {
                Ok(_) => {
                    // A relay that takes DATA without a recipient waits for a body: hang up instead.
                    self.broken |= *step == Step::Data && refused.is_some();
                }
                Err(Failure::No(reply)) => refused = refused.or(Some((*step, Failure::No(reply)))),
                Err(lost) => return Err(refused.unwrap_or((*step, lost))),
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Back to the state before MAIL; `false`: the connection is of no more use.
    pub async fn reset(&mut self) -> bool {
        !self.broken && answer(self.limit, self.connection.command(Rset)).await.is_ok()
    }

    /// Says goodbye.
    pub async fn quit(mut self) {
        // The connection is over either way.
        let _ = answer(self.limit, self.connection.command(Quit)).await;
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::No(reply) => reply.fmt(f),
            Failure::Lost(why) => f.write_str(why),
        }
    }
}

/// Waits for an answer, for at most `limit`; errors in words without addresses or secrets.
async fn answer<T>(limit: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    let error = match timeout(limit, work).await {
        Err(_) => return Err(Failure::Lost(format!("no answer within {} s", limit.as_secs()))),
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
    };
    let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    Err(match error.status() {
        Some(code) => Failure::No(Reply { code: code.into(), text: plain(&text) }),
        None if error.is_response() && text == "incomplete response" => {
            Failure::Lost("the relay closed the connection".into())
        }
        None if error.is_client() => Failure::Lost(plain(&text)),
        None => Failure::Lost(format!("the connection failed: {}", plain(&text))),
    })
}

async fn parameters(server: &Server) -> Result<TlsParameters, Fault> {
    let what = "loading trusted certificates";
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(pem) = server.ca_pem().await? {
        let certificate = Certificate::from_pem(&pem).map_err(|_| Fault::new(what, "ca_file is not PEM"))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|e| Fault::new(what, e))
}

async fn prove(connection: &mut AsyncSmtpConnection, server: &Server, login: &Login) -> Result<(), Fault> {
    let what = format!("logging in at {server}");
    let (mechanisms, secret): (&[Mechanism], _) = match login.proof().await? {
        Proof::Password(secret) => (&[Mechanism::Plain, Mechanism::Login], secret),
        Proof::Bearer(secret) => (&[Mechanism::Xoauth2], secret),
    };
    let credentials = Credentials::new(login.user.clone(), secret.reveal().into());
    let outcome: Result<Response, Failure> =
        answer(server.timeout, connection.auth(mechanisms, &credentials)).await;
    match outcome {
        Ok(_) => Ok(()),
        Err(Failure::No(reply)) => {
            Err(Fault::new(what, format!("login refused ({reply}); check user and password or token")))
        }
        Err(Failure::Lost(why)) => Err(Fault::new(what, why)),
    }
}
