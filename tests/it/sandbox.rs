//! The sandbox's servers are real: mail goes round by SMTP and IMAP over TLS, wrong addresses bounce, and what says
//! who sent a mail can be relied on.

use std::time::Duration;

use atlarged::kernel::language::Language;
use atlarged::sandbox::{AUTHSERV_ID, Account, CLERK, Durability, Endpoint, Sandbox};

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
async fn send(sandbox: &Sandbox, author: Option<&Account>, from: &str, to: &str, mail: &str) {
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
async fn an_outage_of_postgres_ends_with_every_committed_row_there() {
    let sandbox = Sandbox::start_scratch(Durability::None).await.expect("servers");
    let url = sandbox.database("first").await.expect("created");
    let pool = sqlx::PgPool::connect(&url).await.expect("connected");
    sqlx::raw_sql("create table t (n int); insert into t values (7)").execute(&pool).await.expect("stored");
    sandbox.postgres_stop().await;
    assert!(sqlx::query("select n from t").fetch_one(&pool).await.is_err(), "it answers during the outage");
    sandbox.postgres_start().await.expect("back again");
    let n: i32 = sqlx::query_scalar("select n from t").fetch_one(&pool).await.expect("the row is there");
    assert_eq!(n, 7);
    pool.close().await;
    let copy = sandbox.database_from("second", "first").await.expect("copied");
    let pool = sqlx::PgPool::connect(&copy).await.expect("connected");
    let n: i32 = sqlx::query_scalar("select n from t").fetch_one(&pool).await.expect("the row came along");
    assert_eq!(n, 7);
}

#[tokio::test]
async fn a_directory_is_used_by_one_sandbox_at_a_time_and_again_afterwards() {
    let base = tempfile::Builder::new().prefix("al").tempdir().expect("a directory");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(base.path(), open).expect("opened");
    let dir = base.path().join("demo");
    let first = Sandbox::start(&dir, &[]).await.expect("servers");
    let json = first.write_json("atlarged", None, &dir.join("atlarged.toml")).expect("written");
    let told: serde_json::Value = serde_json::from_slice(&std::fs::read(json).expect("read")).expect("JSON");
    assert_eq!(told["clerk"]["address"], CLERK);
    assert_eq!(told["imap"]["port"], first.imap().port);

    let second = Sandbox::start(&dir, &[]).await.err().expect("refused");
    assert!(second.to_string().contains("a running sandbox uses it"), "{second}");
    let port = first.imap().port;
    drop(first);
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "Dovecot is still there");
    Sandbox::start(&dir, &[]).await.expect("used again");

    std::fs::write(base.path().join("letter.txt"), "mine").expect("written");
    let foreign = Sandbox::start(base.path(), &[]).await.err().expect("refused");
    assert!(foreign.to_string().contains("holds other files"), "{foreign}");
}
