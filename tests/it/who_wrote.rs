//! Who wrote a mail: what our own check finds, what the border server says, and what both come to.

use crate::signing::{Signing, USUAL, sealed, signed, zone};
use atlarged::letters::{Trust, inspect_json, read};
use atlarged::ports::resolver::{DnsConfig, Resolver, Scope};
use chrono::{DateTime, TimeZone, Utc};

const BORDER: &str = "mx.atlarge.example";
const TOKEN: &str = "mfrggzdfmztwq2lknnwg23tpobyxe43u";

/// A mail of Ann's; `headers` end in line breaks.
fn ann(headers: &str) -> String {
    format!(
        "{headers}From: Ann <ann@a.example>\nTo: clerk+{TOKEN}@atlarge.example\nSubject: Re: a question\n\
         Date: Tue, 1 Dec 2026 10:00:00 +0000\nMessage-ID: <1@a.example>\n\nYES\n"
    )
}

fn by(domain: &str) -> Signing<'_> {
    Signing { domain, ..Signing::default() }
}

/// What is made of a mail: the results of SPF, DKIM, DMARC and ARC, "+" where From is vouched for, the grounds.
async fn found(mail: &str, records: &str, at: DateTime<Utc>, scope: Scope<'_>) -> String {
    let forwarders = ["list.example".to_owned()];
    let trust = Trust { authserv_id: Some(BORDER), border_host: Some(BORDER), forwarders: &forwarders };
    let mut letter = read(mail.as_bytes(), &trust);
    let resolver = Resolver::from_zone(&zone(records)).expect("a resolver");
    let checked = resolver.check(mail.as_bytes(), None, &letter, scope, at).await;
    letter.weigh(Some(checked), &trust);
    let said = inspect_json("a", &letter);
    let results =
        ["spf", "dkim", "dmarc", "arc"].map(|m| said["assurance"][m].as_str().unwrap_or("-").to_owned());
    let grounds = said["assurance"]["grounds"].as_array().expect("grounds");
    let grounds: Vec<_> = grounds.iter().filter_map(|ground| ground.as_str()).collect();
    let sign = if letter.vouching.aligned { "+" } else { "-" };
    format!("{} {sign} {}", results.join(" "), grounds.join(" "))
}

async fn check_with(mail: &str, records: &str, expected: &str) {
    let at = Utc.with_ymd_and_hms(2026, 12, 1, 10, 0, 0).unwrap();
    assert_eq!(found(mail, records, at, Scope::Everything).await, expected, "{mail}");
}

async fn check(mail: &str, expected: &str) {
    check_with(mail, "", expected).await;
}

#[tokio::test]
async fn a_signature_of_the_authors_domain_vouches_for_her_whichever_the_key() {
    check(&signed(&ann(""), Signing::default()), "none pass none none + signed").await;
    check(&signed(&ann(""), Signing { rsa: true, ..Signing::default() }), "none pass none none + signed")
        .await;
    let kept = signed(&ann(""), Signing::default()).replace("\r\n", "\n");
    check(&kept, "none pass none none + signed").await;
    check(&ann(""), "none none none none - nothing").await;
}

#[tokio::test]
async fn what_was_changed_on_the_way_is_not_vouched_for() {
    let whole = signed(&ann(""), Signing::default());
    for changed in [
        whole.replace("\r\nYES", "\r\nNO"),
        whole.replace("Re: a question", "Re: another"),
        whole.replace("<1@a.example>", "<2@a.example>"),
    ] {
        check(&changed, "none fail none none - signature-fails").await;
    }
    let two = format!("From: Bob <bob@b.example>\r\n{whole}");
    check(&two, "none pass none none - not-aligned several-authors").await;
    let forged = signed(&ann(""), Signing { by_eve: true, ..Signing::default() });
    check(&forged, "none fail none none - signature-fails").await;
}

#[tokio::test]
async fn a_signature_holds_until_it_expires_by_the_given_clock() {
    let mail = signed(&ann(""), Signing { expires: Some(3600), ..Signing::default() });
    let years = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
    let before = found(&mail, "", years(2001), Scope::Everything).await;
    assert_eq!(before, "none pass none none + signed");
    let after = found(&mail, "", years(2100), Scope::Everything).await;
    assert_eq!(after, "none fail none none - signature-fails");
}

#[tokio::test]
async fn a_signature_that_leaves_something_open_proves_nothing() {
    let open = signed(&ann(""), Signing { open: true, ..Signing::default() });
    check(&open, "none pass none none - partly-signed").await;
    check(&format!("{open}NO\r\n"), "none pass none none - partly-signed").await;
    for left_out in ["To", "Subject"] {
        let fields: Vec<&str> = USUAL.iter().copied().filter(|field| *field != left_out).collect();
        let mail = signed(&ann(""), Signing { fields: &fields, ..Signing::default() });
        check(&mail, "none pass none none - fields-unsigned").await;
    }
    let neither: Vec<&str> = USUAL.iter().copied().filter(|f| !matches!(*f, "Date" | "Message-ID")).collect();
    let mail = signed(&ann(""), Signing { fields: &neither, ..Signing::default() });
    check(&mail, "none pass none none - fields-unsigned").await;
}

#[tokio::test]
async fn a_mail_to_somebody_else_is_no_answer_because_a_token_was_written_onto_it() {
    let elsewhere = ann("").replace(&format!("clerk+{TOKEN}@atlarge.example"), "bob@b.example");
    let mail = signed(&elsewhere, Signing::default());
    let replayed = format!("Delivered-To: clerk+{TOKEN}@atlarge.example\r\n{mail}");
    check(&replayed, "none pass none none - token-unsigned").await;
}

#[tokio::test]
async fn a_signature_of_another_domain_says_nothing_of_from() {
    let eve = signed(&ann(""), Signing { by_eve: true, ..by("eve.example") });
    check(&eve, "none pass none none - not-aligned").await;
    let both = signed(&eve, Signing::default());
    check(&both, "none pass none none + signed").await;
}

#[tokio::test]
async fn alignment_is_relaxed_unless_the_domain_wants_it_strict() {
    let below = ann("").replace("ann@a.example", "ann@sub.a.example");
    let mail = signed(&below, Signing::default());
    check(&mail, "none pass none none + signed").await;
    check_with(&mail, "_dmarc.a.example v=DMARC1; p=reject", "none pass pass none + signed").await;
    check_with(&mail, "_dmarc.a.example v=DMARC1; p=reject; adkim=s", "none pass fail none - not-aligned")
        .await;
    let above = signed(&ann(""), by("sub.a.example"));
    check(&above, "none pass none none - not-aligned").await;
    check_with(&above, "_dmarc.a.example v=DMARC1; p=none", "none pass pass none + signed").await;
}

/// As the border host notes where a mail came from.
fn received(from: &str, by: &str) -> String {
    format!("Received: from {from} by {by}; Tue, 1 Dec 2026 10:00:00 +0000\n")
}

#[tokio::test]
async fn spf_goes_by_what_the_border_host_noted_and_nobody_else() {
    let records = "a.example v=spf1 ip4:192.0.2.7 exists:%{i}.ok.a.example -all\n198.51.100.9.ok.a.example. A 127.0.0.2";
    let from = |ip: &str, by: &str| {
        let received = received(&format!("a.example (mail.a.example [{ip}])"), by);
        ann(&format!("Return-Path: <ann@a.example>\n{received}"))
    };
    check_with(&from("192.0.2.7", BORDER), records, "pass none none none + sent").await;
    check_with(&from("198.51.100.9", BORDER), records, "pass none none none + sent").await;
    check_with(&from("192.0.2.8", BORDER), records, "fail none none none - nothing").await;
    check_with(&from("192.0.2.7", "mx.elsewhere"), records, "none none none none - nothing").await;
    check_with(&from("10.0.0.1", BORDER), records, "none none none none - nothing").await;
    let strict = format!("{records}\n_dmarc.a.example v=DMARC1; p=reject");
    check_with(&from("192.0.2.8", BORDER), &strict, "fail none fail none - signature-fails").await;
    check_with(&from("192.0.2.7", BORDER), &strict, "pass none pass none + sent").await;
}

#[tokio::test]
async fn who_handed_a_mail_in_is_read_from_what_servers_write_and_not_from_its_greeting() {
    let records = "a.example v=spf1 ip4:192.0.2.7 -all";
    for from in [
        "[192.0.2.7]",
        "[192.0.2.7] (helo=[198.51.100.1])",
        "mail.a.example ([192.0.2.7] helo=[198.51.100.1])",
        "[198.51.100.1] (mail.a.example [192.0.2.7])",
        "a.example (unknown [IPv6:::ffff:192.0.2.7])",
    ] {
        let mail = ann(&format!("Return-Path: <ann@a.example>\n{}", received(from, BORDER)));
        check_with(&mail, records, "pass none none none + sent").await;
    }
    let late = ann(&format!("{}Return-Path: <ann@a.example>\n", received("[192.0.2.7]", BORDER)));
    check_with(&late, records, "none none none none - nothing").await;
}

#[tokio::test]
async fn the_borders_word_and_ours_must_agree() {
    let says = |word: &str| format!("Authentication-Results: {BORDER}; {word}\r\n{}", received("x", BORDER));
    let with = |word: &str, mail: String| says(word).replace("\r\n", "\n").replace('\n', "\r\n") + &mail;
    let good = || signed(&ann(""), Signing::default());
    let bad = || good().replace("\r\nYES", "\r\nNO");
    let pass = "dkim=pass header.d=a.example";
    check(&with(pass, good()), "none pass none none + border-pass signed").await;
    check(&with(pass, ann("").replace('\n', "\r\n")), "none none none none + border-pass").await;
    check(&with(pass, bad()), "none fail none none - border-pass signature-fails disagreement").await;
    let fail = "dmarc=fail header.from=a.example";
    check(&with(fail, good()), "none pass none none - border-fail signed disagreement").await;
    check(&with("dkim=none", good()), "none pass none none + signed").await;
    let login = "auth=pass smtp.auth=ann@a.example";
    check(&with(login, bad()), "none fail none none + submitted signature-fails").await;
    let forged =
        format!("{}{}Authentication-Results: {BORDER}; {pass}\n", says("spf=none"), received("y", "far"));
    check(&ann(&forged.replace("\r\n", "\n")), "none none none none - nothing").await;
}

#[tokio::test]
async fn a_trusted_forwarder_lifts_a_broken_signature_and_no_other_does() {
    let broken = signed(&ann(""), Signing::default()).replace("\r\nYES", "\r\nYES\r\n-- \r\nvia the list");
    let saw = "dkim=pass header.d=a.example";
    let trusted = sealed(&broken, "list.example", saw);
    check(&trusted, "none fail none pass + forwarded").await;
    check(&sealed(&broken, "eve.example", saw), "none fail none pass - signature-fails").await;
    check(
        &sealed(&broken, "list.example", "dkim=fail header.d=a.example"),
        "none fail none pass - signature-fails",
    )
    .await;
    let changed = trusted.replace("via the list", "via Eve");
    check(&changed, "none fail none fail - signature-fails").await;
}

#[tokio::test]
async fn a_from_that_a_list_rewrote_is_not_the_authors() {
    let via = ann("").replace("Ann <ann@a.example>", "Ann via Talk <talk@list.example>");
    let mail = signed(&via, Signing { by_eve: true, ..by("list.example") });
    check(&mail, "none pass none none - signed from-rewritten").await;
    let told = signed(&ann("X-Original-From: Ann <ann@b.example>\n"), Signing::default());
    check(&told, "none pass none none - signed from-rewritten").await;
    let as_list = ann("Reply-To: Ann <ann@b.example>\n").replace("To: clerk", "Cc: ann@a.example\nTo: clerk");
    check(&as_list, "none none none none - from-rewritten").await;
    let elsewhere = signed(&ann("Reply-To: Ann <ann@b.example>\n"), Signing::default());
    check(&elsewhere, "none pass none none + signed").await;
}

#[tokio::test]
async fn only_what_concerns_from_is_asked_of_the_world() {
    let at = Utc.with_ymd_and_hms(2026, 12, 1, 10, 0, 0).unwrap();
    let both = signed(&signed(&ann(""), Signing { by_eve: true, ..by("eve.example") }), Signing::default());
    let mut letter = read(both.as_bytes(), &Trust::default());
    let resolver = Resolver::from_zone(&zone("")).expect("a resolver");
    let checked = resolver.check(both.as_bytes(), None, &letter, Scope::FromAlone(&[]), at).await;
    assert_eq!(checked.dkim.len(), 1, "{checked:?}");
    letter.weigh(Some(checked), &Trust::default());
    assert!(letter.vouching.aligned);
}

#[tokio::test]
async fn a_mail_with_too_many_signatures_is_not_looked_at() {
    let mut mail = ann("");
    for _ in 0..20 {
        mail = signed(&mail, Signing { by_eve: true, ..by("eve.example") });
    }
    check(&mail, "none permerror none none - nothing").await;
}

#[tokio::test]
async fn keys_that_are_missing_withdrawn_or_silent_are_told_apart() {
    let gone = |record: &str| zone("").replace("e1._domainkey.a.example v=DKIM1; k=ed25519; p=", record);
    let mail = signed(&ann(""), Signing::default());
    let letter = read(mail.as_bytes(), &Trust::default());
    let now = Utc.with_ymd_and_hms(2026, 12, 1, 10, 0, 0).unwrap();
    for record in ["elsewhere.example v=DKIM1; x=", "e1._domainkey.a.example v=DKIM1; p=; x="] {
        let resolver = Resolver::from_zone(&gone(record)).expect("a resolver");
        let checked = resolver.check(mail.as_bytes(), None, &letter, Scope::Everything, now).await;
        assert_eq!(checked.dkim[0].verdict.result, "permerror", "{record}");
    }
    // A socket that takes questions and never answers.
    let deaf = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let server = deaf.local_addr().expect("an address").to_string();
    let config = format!("servers = [\"{server}\"]\ntimeout_seconds = 1\nmail_seconds = 1");
    let config: DnsConfig = toml::from_str(&config).expect("a configuration");
    let resolver = Resolver::new(&config).expect("a resolver");
    let checked = resolver.check(mail.as_bytes(), None, &letter, Scope::FromAlone(&[]), now).await;
    assert!(checked.unsettled(), "{checked:?}");
}

/// The kind of the author's own signature, and her words without it.
fn check_own(content_type: &str, body: &str, expected: (&str, &str)) {
    let mail = ann(&format!("MIME-Version: 1.0\nContent-Type: {content_type}\n")).replace("YES\n", body);
    let said = inspect_json("a", &read(mail.as_bytes(), &Trust::default()));
    let kind = said["signed"].as_str().unwrap_or("none");
    assert_eq!((kind, said["text"].as_str().unwrap_or("").trim()), expected, "{mail}");
}

#[test]
fn an_authors_own_signature_is_told_and_is_none_of_her_words() {
    let armour = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nYES\n-----BEGIN PGP SIGNATURE-----\n\n\
                  iQEzBAEBCgAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n";
    check_own("text/plain", armour, ("openpgp", "YES"));
    check_own("text/plain", "YES\n", ("none", "YES"));
    let parts = |media: &str| {
        format!("--b\nContent-Type: text/plain\n\nYES\n--b\nContent-Type: {media}\n\nAAAA\n--b--\n")
    };
    let signed = |protocol: &str| format!("multipart/signed; boundary=b; protocol=\"{protocol}\"");
    for (media, kind) in [("application/pgp-signature", "openpgp"), ("application/pkcs7-signature", "smime")]
    {
        check_own(&signed(media), &parts(media), (kind, "YES"));
        check_own(&signed(media), "--b\nContent-Type: text/plain\n\nYES\n--b--\n", (kind, "YES"));
    }
    check_own("application/pkcs7-mime; smime-type=signed-data", "MIIB\n", ("smime", ""));
}

#[test]
fn inspect_checks_a_mail_against_a_zone_file_at_a_given_moment() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mail, keys) = (dir.path().join("a.eml"), dir.path().join("zone"));
    std::fs::write(&mail, signed(&ann(""), Signing { expires: Some(60), ..Signing::default() }))
        .expect("a mail");
    std::fs::write(&keys, zone("")).expect("a zone");
    for (now, expected) in [("2001-01-01T00:00:00Z", "pass"), ("2100-01-01T00:00:00Z", "fail")] {
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_atlarged"))
            .args(["inspect", "--json", "--now", now, "--zone"])
            .args([&keys, &mail])
            .output()
            .expect("a run");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let said: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
        assert_eq!(said["assurance"]["dkim"], expected, "{said}");
    }
}
