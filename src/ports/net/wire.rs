//! One TCP connection, with or without TLS (rustls with ring), Nagle's delay off.

use super::{Fault, io_words, within};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use serde::Deserialize;
use std::{
    fmt, io,
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::ring},
};

/// How a connection is protected.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Default)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte (RFC 8314).
    #[default]
    Tls,
    /// Plain text, then STARTTLS before anything is said; never a fall-back to plain text.
    Starttls,
    /// Plain text; only to a server on this very machine.
    None,
}

/// Where a mail server is and how its certificate is checked.
#[derive(Clone, Debug)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// PEM file with the only certificates to trust; `None`: those of the system.
    pub ca_file: Option<PathBuf>,
    pub timeout: Duration,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Server {
    /// Opens the connection; with [`Security::Tls`] the handshake is done, with STARTTLS it is yet to come.
    ///
    /// # Errors
    /// Nobody answers, the certificate is not trusted, or plain text was asked for over a network.
    pub async fn connect(&self) -> Result<Wire, Fault> {
        let what = format!("connecting to {self}");
        let tcp = within(self.timeout, &what, TcpStream::connect((self.host.as_str(), self.port)))
            .await?
            .and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp))
            .map_err(|e| Fault::new(&*what, format!("{}; is the server up?", io_words(&e))))?;
        if self.security == Security::None && !tcp.peer_addr().is_ok_and(|a| a.ip().is_loopback()) {
            return Err(Fault::new(
                what,
                "security = \"none\" is for servers on this machine only; use \"tls\"",
            ));
        }
        match self.security {
            Security::Tls => self.protect(Wire::Plain(tcp)).await,
            Security::Starttls | Security::None => Ok(Wire::Plain(tcp)),
        }
    }

    /// TLS on top of a plain connection (after STARTTLS).
    ///
    /// # Errors
    /// The handshake failed: most often a certificate that is not trusted.
    pub async fn protect(&self, wire: Wire) -> Result<Wire, Fault> {
        let what = format!("TLS handshake with {self}");
        let Wire::Plain(tcp) = wire else { return Ok(wire) };
        let name = ServerName::try_from(self.host.clone()).map_err(|e| Fault::new(&*what, e))?;
        let connector = TlsConnector::from(Arc::new(self.tls().await?));
        let tls = within(self.timeout, &what, connector.connect(name, tcp)).await?;
        tls.map(|tls| Wire::Tls(Box::new(tls)))
            .map_err(|e| Fault::new(what, format!("{}; is ca_file right for this server?", io_words(&e))))
    }

    /// The certificates of `ca_file`, as PEM; `None`: use those of the system.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn ca_pem(&self) -> Result<Option<Vec<u8>>, Fault> {
        let Some(file) = &self.ca_file else { return Ok(None) };
        let what = format!("reading ca_file {}", file.display());
        tokio::fs::read(file).await.map(Some).map_err(|e| Fault::new(what, e.kind()))
    }

    async fn tls(&self) -> Result<ClientConfig, Fault> {
        let what = "loading trusted certificates";
        let mut roots = RootCertStore::empty();
        match self.ca_pem().await? {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(&pem) {
                    let certificate = certificate.map_err(|_| Fault::new(what, "ca_file is not PEM"))?;
                    roots.add(certificate).map_err(|e| Fault::new(what, e))?;
                }
            }
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        }
        if roots.is_empty() {
            return Err(Fault::new(what, "none found; install ca-certificates or set ca_file"));
        }
        // The provider is named: with two in a build, rustls would panic at its default.
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|e| Fault::new(what, e))?;
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

/// A connection to a mail server.
pub enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    fn tcp(&self) -> &TcpStream {
        match self {
            Wire::Plain(tcp) => tcp,
            Wire::Tls(tls) => tls.get_ref().0,
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Wire::Plain(_)) { "Wire(plain)" } else { "Wire(TLS)" })
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Wire::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Wire::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Wire::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Wire::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Wire::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Wire::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Wire::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Wire::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

impl Wire {
    /// The server's address as the kernel knows it.
    ///
    /// # Errors
    /// The socket is no longer connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().peer_addr()
    }
}
