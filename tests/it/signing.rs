//! Mails with signatures of the tests' own making, and the zone in which their keys are published.

use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256, SigningKey};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use mail_auth::{AuthenticatedMessage, AuthenticationResults, arc::ArcSealer};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use std::process::Command;
use std::sync::LazyLock;

/// Of Ann's organisation, of Eve's, of a list.
static ANN: LazyLock<Vec<u8>> = LazyLock::new(|| Ed25519Key::generate_pkcs8().expect("a key"));
static EVE: LazyLock<Vec<u8>> = LazyLock::new(|| Ed25519Key::generate_pkcs8().expect("a key"));
static RSA: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let made = Command::new("openssl")
        .args(["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output()
        .expect("openssl");
    assert!(made.status.success());
    made.stdout
});

/// The fields that careful signers sign.
pub const USUAL: &[&str] = &["From", "To", "Subject", "Date", "Message-ID", "In-Reply-To"];

/// How a mail is signed.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    pub domain: &'a str,
    /// Eve's key in place of the domain's own.
    pub by_eve: bool,
    pub rsa: bool,
    pub fields: &'a [&'a str],
    /// The end of the text is left open.
    pub open: bool,
    /// Seconds for which it holds.
    pub expires: Option<u64>,
}

impl Default for Signing<'_> {
    fn default() -> Self {
        Signing { domain: "a.example", by_eve: false, rsa: false, fields: USUAL, open: false, expires: None }
    }
}

/// The mail with a DKIM-Signature on top. Line ends become CRLF.
pub fn signed(mail: &str, signing: Signing<'_>) -> String {
    let mail = mail.replace("\r\n", "\n").replace('\n', "\r\n");
    if signing.rsa {
        let der = PrivateKeyDer::from_pem_slice(&RSA).expect("a key");
        let key = RsaKey::<Sha256>::from_key_der(der).expect("a key");
        return sign(&mail, key, "r1", signing);
    }
    sign(&mail, ed25519(if signing.by_eve { &EVE } else { &ANN }), "e1", signing)
}

fn ed25519(der: &[u8]) -> Ed25519Key {
    Ed25519Key::from_pkcs8_der(der).expect("a key")
}

fn sign<K: SigningKey>(mail: &str, key: K, selector: &str, signing: Signing<'_>) -> String {
    let mut signer = DkimSigner::from_key(key)
        .domain(signing.domain)
        .selector(selector)
        .headers(signing.fields.iter().copied())
        .body_length(signing.open);
    if let Some(expires) = signing.expires {
        signer = signer.expiration(expires);
    }
    let header = signer.sign(mail.as_bytes()).expect("signed").to_header();
    format!("{header}{mail}")
}

/// The mail as a forwarder seals it, who found what `saw` says.
pub fn sealed(mail: &str, domain: &str, saw: &str) -> String {
    let message = AuthenticatedMessage::parse(mail.as_bytes()).expect("a mail");
    let host = format!("{domain}; {saw}");
    let results = AuthenticationResults::new(&host);
    let sealer =
        ArcSealer::from_key(ed25519(&EVE)).domain(domain).selector("e1").headers(["From", "Subject"]);
    let set = sealer.seal(&message, &results, &mail_auth::ArcOutput::default()).expect("sealed");
    format!("{}{mail}", set.to_header())
}

/// What DNS says: keys, and records more as lines.
pub fn zone(more: &str) -> String {
    let published = |der: &[u8]| data_encoding::BASE64.encode(&ed25519(der).public_key());
    let rsa = PrivateKeyDer::from_pem_slice(&RSA).expect("a key");
    let rsa = RsaKey::<Sha256>::from_key_der(rsa).expect("a key").public_key();
    let (ann, eve) = (published(&ANN), published(&EVE));
    format!(
        "e1._domainkey.a.example v=DKIM1; k=ed25519; p={ann}\n\
         e1._domainkey.village.example v=DKIM1; k=ed25519; p={ann}\n\
         e1._domainkey.sub.a.example v=DKIM1; k=ed25519; p={ann}\n\
         e1._domainkey.eve.example v=DKIM1; k=ed25519; p={eve}\n\
         e1._domainkey.list.example v=DKIM1; k=ed25519; p={eve}\n\
         r1._domainkey.a.example v=DKIM1; k=rsa; p={}\n{more}",
        data_encoding::BASE64.encode(&rsa)
    )
}
