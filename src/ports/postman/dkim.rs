//! DKIM signatures (RFC 6376; Ed25519: RFC 8463), put on before the rendered bytes are kept.

use crate::ports::Fault;
use mail_auth::{
    common::{
        crypto::{Ed25519Key, RsaKey, Sha256},
        headers::HeaderWriter,
    },
    dkim::{Canonicalization, DkimSigner, Done},
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use serde::Deserialize;
use std::path::PathBuf;

/// Signing of outgoing mail.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct DkimConfig {
    /// The signing domain, that of our From address.
    pub domain: String,
    /// The public key is published as TXT at `<selector>._domainkey.<domain>`.
    pub selector: String,
    /// PEM file with the private key, RSA (2048 bits or more) or Ed25519; a bare name is a systemd
    /// credential.
    pub key_file: PathBuf,
}

/// Every field that a reader sees or answers to. From is named twice: then none can be added (RFC 6376,
/// 8.15).
const SIGNED: [&str; 17] = [
    "From",
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// Signs mail for one domain and selector.
pub struct Signer(Key);

enum Key {
    Ed25519(DkimSigner<Ed25519Key, Done>),
    Rsa(DkimSigner<RsaKey<Sha256>, Done>),
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Key::Ed25519(_) => "Signer(ed25519)",
            Key::Rsa(_) => "Signer(rsa)",
        })
    }
}

impl Signer {
    /// A signer from a private key in PEM.
    ///
    /// # Errors
    /// The text holds no RSA or Ed25519 private key.
    pub fn new(domain: &str, selector: &str, key_pem: &str) -> Result<Signer, Fault> {
        let what = format!("reading the DKIM key of {selector}._domainkey.{domain}");
        let wrong = |why: &str| Fault::new(&*what, format!("{why}; make one with openssl genpkey"));
        let key =
            PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| wrong("no private key in PEM"))?;
        if let PrivateKeyDer::Pkcs8(der) = &key
            && let Ok(key) = Ed25519Key::from_pkcs8_maybe_unchecked_der(der.secret_pkcs8_der())
        {
            return Ok(Signer(Key::Ed25519(prepare(key, domain, selector))));
        }
        let key =
            RsaKey::<Sha256>::from_key_der(key).map_err(|_| wrong("neither an RSA nor an Ed25519 key"))?;
        Ok(Signer(Key::Rsa(prepare(key, domain, selector))))
    }

    /// A signer as configured.
    ///
    /// # Errors
    /// The key file cannot be read or holds no key.
    pub async fn load(config: &DkimConfig) -> Result<Signer, Fault> {
        let pem = crate::ports::net::read_credential(&config.key_file).await?;
        Signer::new(&config.domain, &config.selector, &pem)
    }

    /// The mail with a `DKIM-Signature` field in front. Line ends become CRLF first, as they will travel.
    ///
    /// # Errors
    /// The mail has no header fields to sign.
    pub fn sign(&self, raw: &[u8]) -> Result<Vec<u8>, Fault> {
        let raw = super::smtp::with_crlf(raw);
        let signature = match &self.0 {
            Key::Ed25519(signer) => signer.sign(&raw),
            Key::Rsa(signer) => signer.sign(&raw),
        };
        let header = signature.map_err(|e| Fault::new("signing a mail with DKIM", e))?.to_header();
        let mut signed = Vec::with_capacity(header.len() + raw.len());
        signed.extend_from_slice(header.as_bytes());
        signed.extend_from_slice(&raw);
        Ok(signed)
    }
}

fn prepare<K: mail_auth::common::crypto::SigningKey>(
    key: K,
    domain: &str,
    selector: &str,
) -> DkimSigner<K, Done> {
    DkimSigner::from_key(key)
        .domain(domain)
        .selector(selector)
        .headers(SIGNED)
        .header_canonicalization(Canonicalization::Relaxed)
        .body_canonicalization(Canonicalization::Relaxed)
}
