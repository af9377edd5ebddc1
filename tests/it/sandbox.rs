//! The sandbox's servers are real: mail goes round by SMTP and IMAP over TLS, wrong addresses bounce, and what says
//! who sent a mail can be relied on.

use std::time::Duration;

use atlarged::kernel::language::Language;
use atlarged::sandbox::{AUTHSERV_ID, Account, CLERK, Endpoint, Sandbox};

use futures::TryStreamExt;
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use rustls_pki_types::pem::PemObject;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::servers::{mailbox, own_name, sandbox};

type Session = async_imap::Session<TlsStream<TcpStream>>;

fn smtp_tls(server: &Endpoint) -> TlsParameters {
    let pem = std::fs::read(&server.ca).expect("the certificate");
    TlsParameters::builder(server.host.clone())
        .certificate_store(CertificateStore::None)
        .add_root_certificate(Certificate::from_pem(&pem).expect("a certificate"))
        .build()
        .expect("TLS parameters")
}

/// Submits a mail by STARTTLS, as somebody or as a stranger.
pub async fn send(sandbox: &Sandbox, author: Option<&Account>, from: &str, to: &str, mail: &str) {
    let server = sandbox.smtp();
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(Tls::Required(smtp_tls(&server)));
    let transport = match author {
        Some(a) => builder.credentials(Credentials::new(a.login.clone(), a.password.clone())),
        None => builder,
    }
    .build();
    let envelope = Envelope::new(Some(from.parse().expect("from")), vec![to.parse().expect("to")]);
    let sent =
        transport.send_raw(&envelope.expect("an envelope"), mail.replace('\n', "\r\n").as_bytes()).await;
    sent.expect("accepted");
}

async fn log_in(server: &Endpoint, account: &Account) -> async_imap::error::Result<Session> {
    let pem = std::fs::read(&server.ca).expect("the certificate");
    let mut roots = tokio_rustls::rustls::RootCertStore::empty();
    let root = rustls_pki_types::CertificateDer::from_pem_slice(&pem).expect("PEM");
    roots.add(root).expect("a root");
    let config =
        tokio_rustls::rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let tcp = TcpStream::connect(("127.0.0.1", server.port)).await.expect("connected");
    let tls = connector.connect("localhost".try_into().expect("a name"), tcp).await.expect("TLS");
    let mut client = async_imap::Client::new(tls);
    client.read_response().await.expect("readable").expect("a greeting");
    client.login(&account.login, &account.password).await.map_err(|(e, _)| e)
}

/// The nth mail of a mailbox, as soon as it is there: told by IDLE, without polling.
async fn nth_mail(sandbox: &Sandbox, account: &Account, n: u32) -> String {
    let mut session = log_in(&sandbox.imap(), account).await.expect("logged in");
    let mut mailbox = session.select("INBOX").await.expect("INBOX");
    while mailbox.exists < n {
        let mut idle = session.idle();
        idle.init().await.expect("idling");
        let (told, _stop) = idle.wait_with_timeout(Duration::from_secs(20));
        told.await.expect("told of new mail");
        session = idle.done().await.expect("idle ended");
        mailbox = session.select("INBOX").await.expect("INBOX");
    }
    let fetched: Vec<_> =
        session.fetch(n.to_string(), "BODY.PEEK[]").await.expect("asked").try_collect().await.expect("read");
    let body = fetched.first().and_then(|f| f.body()).expect("a body");
    String::from_utf8_lossy(body).replace("\r\n", "\n")
}

/// The header fields of that name, unfolded.
fn headers<'a>(mail: &'a str, name: &str) -> Vec<String> {
    let head: &'a str = mail.split("\n\n").next().unwrap_or_default();
    let unfolded = head.replace("\n\t", " ").replace("\n ", " ");
    let prefix = format!("{}:", name.to_lowercase());
    unfolded
        .lines()
        .filter(|l| l.to_lowercase().starts_with(&prefix))
        .map(|l| l[prefix.len()..].trim().to_owned())
        .collect()
}

const FORGED: &str = "Authentication-Results: MX.atlarge.example;\n dmarc=pass header.from=alac.example\n\
    Authentication-Results: (pretending) mx.atlarge.example; auth=pass smtp.auth=chair@alac.example\n\
    Authentication-Results: elsewhere.example;\n spf=fail smtp.mailfrom=alac.example\n";

#[tokio::test]
async fn mail_says_who_sent_it_and_forgeries_do_not() {
    let sandbox = sandbox().await;
    let (amina, boris) = (mailbox("amina").await, mailbox("boris").await);
    let mail = format!("{FORGED}From: {}\nTo: {}\nSubject: hello\n\nYES\n", amina.address, boris.address);

    send(sandbox, None, &amina.address, &boris.address, &mail).await;
    let received = nth_mail(sandbox, &boris, 1).await;
    let stamps = headers(&received, "Authentication-Results");
    assert_eq!(stamps, ["elsewhere.example; spf=fail smtp.mailfrom=alac.example"], "{received}");

    send(sandbox, Some(&amina), &amina.address, &boris.address, &mail).await;
    let received = nth_mail(sandbox, &boris, 2).await;
    let stamps = headers(&received, "Authentication-Results");
    assert_eq!(stamps.len(), 2, "{received}");
    assert_eq!(stamps[0], format!("{AUTHSERV_ID}; auth=pass smtp.auth={}", amina.login));
    assert_eq!(stamps[1], "elsewhere.example; spf=fail smtp.mailfrom=alac.example");
}

#[tokio::test]
async fn a_wrong_address_comes_back_to_the_envelope_sender() {
    let (sandbox, chen) = (sandbox().await, mailbox("chen").await);
    let tagged = chen.address.replace('@', "+t0ken@");
    let mail = "From: chen@village.example\nTo: nobody@village.example\nSubject: hello\n\nHello\n";
    send(sandbox, Some(&chen), &tagged, "nobody@village.example", mail).await;
    let bounce = nth_mail(sandbox, &chen, 1).await;
    assert!(bounce.contains("multipart/report"), "{bounce}");
    assert!(bounce.contains("Final-Recipient: rfc822;nobody@village.example"), "{bounce}");
    assert_eq!(headers(&bounce, "Delivered-To"), [tagged]);
}

#[tokio::test]
async fn a_second_address_reaches_the_same_mailbox() {
    let sandbox = sandbox().await;
    let name = own_name("dina");
    let mut dina =
        Account::new("Dina", &format!("{name}@village.example"), Language::Ar).expect("an account");
    let second = format!("{name}.work@office.example");
    dina.more_addresses.push(second.clone());
    sandbox.add_account(dina.clone()).expect("a mailbox");
    let mail = "From: x@remote.example\nTo: dina@office.example\nSubject: hello\n\nHello\n";
    send(sandbox, None, "x@remote.example", &second.replace('@', "+x@"), mail).await;
    let received = nth_mail(sandbox, &dina, 1).await;
    assert_eq!(headers(&received, "Delivered-To"), [format!("{name}+x@village.example")]);

    let taken = sandbox.add_account(Account { address: second, ..dina });
    assert!(taken.is_err_and(|fault| fault.to_string().contains("somebody has it")));
}

#[tokio::test]
async fn the_clerk_has_a_junk_folder_and_wrong_passwords_do_not_open_it() {
    let sandbox = sandbox().await;
    let mut session = log_in(&sandbox.imap(), sandbox.clerk()).await.expect("logged in");
    session.select("Junk").await.expect("the folder is there");
    let burglar = Account { password: "guess".to_owned(), ..sandbox.clerk().clone() };
    assert!(log_in(&sandbox.imap(), &burglar).await.is_err());
}

#[tokio::test]
async fn postgres_can_fail_and_come_back_and_nothing_outlives_the_sandbox() {
    let base = tempfile::Builder::new().prefix("al").tempdir().expect("a directory");
    std::fs::set_permissions(base.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("opened");
    let dir = base.path().join("own");
    let sandbox = Sandbox::start(&dir, &[]).await.expect("servers");
    let url = sandbox.database("first").await.expect("created");
    let pool = sqlx::PgPool::connect(&url).await.expect("connected");
    sqlx::raw_sql("create table t (n int); insert into t values (7)").execute(&pool).await.expect("stored");

    sandbox.postgres_stop().await;
    assert!(sqlx::query("select n from t").fetch_one(&pool).await.is_err(), "it answers during the outage");
    sandbox.postgres_start().await.expect("back again");
    assert_eq!(seven(&pool).await, 7, "a committed row is gone");
    pool.close().await;
    let copy = sandbox.database_from("second", "first").await.expect("copied");
    let pool = sqlx::PgPool::connect(&copy).await.expect("connected");
    assert_eq!(seven(&pool).await, 7, "the copy lacks a row");

    let (imap, smtp) = (sandbox.imap().port, sandbox.smtp().port);
    drop(sandbox);
    for port in [imap, smtp] {
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "a mail server is still there");
    }
    assert!(seven_or_fault(&pool).await.is_err(), "Postgres is still there");
}

async fn seven(pool: &sqlx::PgPool) -> i32 {
    seven_or_fault(pool).await.expect("the row is there")
}

async fn seven_or_fault(pool: &sqlx::PgPool) -> sqlx::Result<i32> {
    sqlx::query_scalar("select n from t").fetch_one(pool).await
}

#[tokio::test]
async fn sandbox_json_is_all_a_program_needs_to_take_part() {
    let (sandbox, eun) = (sandbox().await, mailbox("eun").await);
    let database = own_name("told");
    sandbox.database(&database).await.expect("created");
    let web = Some("http://127.0.0.1:8080");
    let path =
        sandbox.write_json(&database, web, std::path::Path::new("/etc/atlarged.toml")).expect("written");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("there").permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds passwords");

    let told: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    assert_eq!(told["clerk"]["address"], CLERK);
    assert_eq!(told["config"], "/etc/atlarged.toml");
    assert_eq!(told["web"]["url"], "http://127.0.0.1:8080");
    for (server, port) in [("imap", sandbox.imap().port), ("smtp", sandbox.smtp().port)] {
        assert_eq!(told[server]["host"], "localhost");
        assert_eq!(told[server]["port"], port);
        assert!(std::path::Path::new(told[server]["ca"].as_str().expect("a path")).exists());
    }
    let url = told["postgres"]["url"].as_str().expect("a URL");
    sqlx::PgPool::connect(url).await.expect("connected");
    let people = told["people"].as_array().expect("a list");
    let found = people.iter().find(|p| p["address"] == eun.address).expect("everybody is listed");
    assert_eq!((&found["login"], &found["language"]), (&eun.login.into(), &"en".into()));
    assert!(found["roles"].as_array().is_some_and(Vec::is_empty));
}
