//! DKIM signatures are such as a receiver of our mail accepts, and such that changed mail is caught.

use atlarged::ports::postman::dkim::{DkimConfig, Signer};
use mail_auth::{
    AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt,
    common::{crypto::Ed25519Key, parse::TxtRecordParser, verify::DomainKey},
};
use std::{borrow::Borrow, collections::HashMap, hash::Hash, process::Command, sync::Arc, time::Instant};

/// The only DNS there is.
struct Zone(HashMap<Box<str>, Txt>);

impl ResolverCache<Box<str>, Txt> for Zone {
    fn get<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        self.0.get(name).cloned()
    }
    fn remove<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        None
    }
    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

const MAIL: &str = "From: The clerk <clerk@atlarge.example>\r\nTo: Ana <ana@als.example>\r\n\
     Subject: =?utf-8?Q?V=C3=B4te?=\r\n\
     Message-ID: <1@atlarge.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
     Please vote.\r\n.\r\nThank you.  \r\n\r\n";

fn base64(bytes: &[u8]) -> String {
    data_encoding::BASE64.encode(bytes)
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64(der))
}

fn openssl(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).output().expect("openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Signs, lets `travel` change the mail on its way, and verifies with the published key.
async fn check(key_pem: &str, record: &str, travel: impl Fn(String) -> String) -> DkimResult {
    let signer = Signer::new("atlarge.example", "s1", key_pem).expect("a signer");
    let signed = String::from_utf8(signer.sign(MAIL.as_bytes()).expect("signed")).expect("text");
    assert!(signed.starts_with("DKIM-Signature: ") && signed.ends_with(MAIL));
    let arrived = travel(signed);
    let key = DomainKey::parse(record.as_bytes()).expect("a record");
    let zone =
        Zone(HashMap::from([(Box::from("s1._domainkey.atlarge.example."), Txt::DomainKey(Arc::new(key)))]));
    let message = AuthenticatedMessage::parse(arrived.as_bytes()).expect("a mail");
    let verifier = MessageAuthenticator::new_cloudflare().expect("a verifier");
    let output = verifier.verify_dkim(Parameters::new(&message).with_txt_cache(&zone)).await;
    output.first().map_or(DkimResult::None, |first| first.result().clone())
}

fn ed25519() -> (String, String) {
    let der = Ed25519Key::generate_pkcs8().expect("a key");
    let public = Ed25519Key::from_pkcs8_der(&der).expect("a key").public_key();
    (pem(&der), format!("v=DKIM1; k=ed25519; p={}", base64(&public)))
}

fn rsa() -> (String, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("key").display().to_string();
    openssl(&["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &file]);
    let public = openssl(&["pkey", "-in", &file, "-pubout", "-outform", "DER"]);
    let private = std::fs::read_to_string(&file).expect("a key");
    (private, format!("v=DKIM1; k=rsa; p={}", base64(&public)))
}

#[tokio::test]
async fn signed_mail_passes_and_survives_refolding() {
    for (key, record) in [ed25519(), rsa()] {
        assert_eq!(check(&key, &record, |mail| mail).await, DkimResult::Pass);
        let refolded = |mail: String| {
            format!(
                "Received: by mx\r\n{}\r\n\r\n",
                mail.replace("To: Ana <", "To:  Ana\r\n <").replace("you.  ", "you.")
            )
        };
        assert_eq!(check(&key, &record, refolded).await, DkimResult::Pass);
    }
}

#[tokio::test]
async fn changed_mail_is_caught() {
    let (key, record) = ed25519();
    let body = |mail: String| mail.replace("Please vote.", "Please do not vote.");
    let subject = |mail: String| mail.replace("Subject: ", "Subject: [list] ");
    let second_from = |mail: String| format!("From: Eve <eve@als.example>\r\n{mail}");
    let reply_to = |mail: String| mail.replace("\r\nTo: ", "\r\nReply-To: eve@als.example\r\nTo: ");
    for travel in [body as fn(String) -> String, subject, second_from, reply_to] {
        let result = check(&key, &record, travel).await;
        assert_ne!(result, DkimResult::Pass);
    }
}

#[tokio::test]
async fn a_file_without_a_key_is_a_fault_that_tells_nothing_of_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let key_file = dir.path().join("dkim.pem");
    std::fs::write(&key_file, "not a key: s3cret").expect("a file");
    let text = format!("domain = \"atlarge.example\"\nselector = \"s1\"\nkey_file = {key_file:?}");
    let config: DkimConfig = toml::from_str(&text).expect("a configuration");
    let fault = Signer::load(&config).await.expect_err("no key").to_string();
    assert!(fault.contains("openssl genpkey") && !fault.contains("s3cret"), "{fault}");
    std::fs::write(&key_file, ed25519().0).expect("a file");
    let signer = Signer::load(&config).await.expect("a signer");
    assert_eq!(format!("{signer:?}"), "Signer(ed25519)");
}
