//! One mail through mail-auth. The library reads the clock for expiry; here the moment is given, so that
//! expired signatures are sorted out before it sees them.

use super::tables::{Table, Tables};
use super::{BodyHashes, Resolver, Scope, asks_about};
use crate::letters::{Chain, Checked, Letter, Sealer, Signed, Verdict, related, sealed, speaks_for};
use chrono::{DateTime, Utc};
use mail_auth::common::crypto::Algorithm;
use mail_auth::common::headers::Header;
use mail_auth::dkim::{DkimError, Signature};
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcResult, Error, MX, Parameters, RecordSet, SpfOutput,
    SpfResult, Txt,
};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Fields of signatures and seals in one mail; one that has more is not checked.
const MAX_SIGNATURES: usize = 16;
const MAX_SEALS: usize = 60;
/// Header fields of one mail; as above.
const MAX_FIELDS: usize = 1000;

type Asked<'x, P> = Parameters<
    'x,
    P,
    Table<Box<str>, Txt>,
    Table<Box<str>, RecordSet<MX>>,
    Table<Box<str>, RecordSet<Ipv4Addr>>,
    Table<Box<str>, RecordSet<Ipv6Addr>>,
    Table<IpAddr, RecordSet<Box<str>>>,
>;

fn asked<P>(params: P, tables: &Tables) -> Asked<'_, P> {
    Parameters {
        params,
        cache_txt: Some(&tables.txt),
        cache_mx: Some(&tables.mx),
        cache_ptr: Some(&tables.ptr),
        cache_ipv4: Some(&tables.ipv4),
        cache_ipv6: Some(&tables.ipv6),
    }
}

impl Resolver {
    pub(super) async fn verify(
        &self,
        (raw, bodies): (&[u8], Option<&BodyHashes>),
        letter: &Letter,
        scope: Scope<'_>,
        at: DateTime<Utc>,
    ) -> Checked {
        let Some(from) = letter.from.as_ref().and_then(|from| from.domain()) else {
            return Checked::default();
        };
        let now = u64::try_from(at.timestamp()).unwrap_or(0);
        let spf = self.spf(letter, scope, from).await;
        let raw = with_crlf(raw);
        if let Some(too_many) = too_many(&raw) {
            return Checked {
                spf: spf.as_ref().map(spf_verdict),
                dkim: vec![too_many],
                ..Checked::default()
            };
        }
        let Some(mut message) = AuthenticatedMessage::parse_with_opts(&raw, None, false) else {
            return Checked::default();
        };
        if let Some(bodies) = bodies {
            let hashes = message.body_hashes.iter_mut();
            hashes.for_each(|(form, with, length, hash)| *hash = bodies.of(*form, *with, *length));
        }
        let mut dkim = unfit(&mut message, scope, from, now);
        let arc_expired = expire_seals(&mut message, now);
        let message = &message;
        let outputs = self.verifier.verify_dkim(asked(message, &self.tables)).await;
        dkim.extend(outputs.iter().map(signed));
        let dmarc = self.dmarc(message, &outputs, spf.as_ref(), letter, scope).await;
        for signed in &mut dkim {
            let domain = signed.verdict.subject.as_deref().unwrap_or("");
            signed.aligned = domain == from
                || match dmarc.as_ref().map(|v| v.result.as_str()) {
                    Some("pass") => related(domain, from),
                    Some("none") | None => speaks_for(domain, from),
                    Some(_) => false,
                };
        }
        let arc = match scope {
            Scope::FromAlone(forwarders) if !sealed_by(message, forwarders) => None,
            _ if arc_expired => Some(Chain { result: "fail".to_owned(), sealers: Vec::new() }),
            _ => self.arc(message).await,
        };
        Checked { looks: 0, spf: spf.as_ref().map(spf_verdict), dkim, dmarc, arc }
    }

    /// SPF for the envelope sender, where the border noted who handed the mail in.
    async fn spf(&self, letter: &Letter, scope: Scope<'_>, from: &str) -> Option<SpfOutput> {
        let client = letter.client.as_ref().filter(|client| is_global(client.ip))?;
        let sender = client.sender.as_deref().filter(|sender| sender.contains('@'))?;
        let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
        if !asks_about(scope, domain, from) {
            return None;
        }
        let helo = if client.helo.is_empty() { domain } else { &client.helo };
        let params = SpfParameters::verify_mail_from(client.ip, helo, domain, sender);
        Some(self.verifier.verify_spf(asked(params, &self.tables)).await)
    }

    /// DMARC, where it can change anything: without a passing signature or sender it could only fail.
    async fn dmarc(
        &self,
        message: &AuthenticatedMessage<'_>,
        dkim: &[DkimOutput<'_>],
        spf: Option<&SpfOutput>,
        letter: &Letter,
        scope: Scope<'_>,
    ) -> Option<Verdict> {
        let none = SpfOutput::default();
        let spf = spf.unwrap_or(&none);
        let hopeful = dkim.iter().any(|o| matches!(o.result(), DkimResult::Pass | DkimResult::TempError(_)))
            || spf.result() != SpfResult::None;
        if !hopeful && scope != Scope::Everything {
            return None;
        }
        let sender = letter.client.as_ref().and_then(|client| client.sender.as_deref()).unwrap_or("");
        let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
        let params = DmarcParameters::new(message, dkim, &domain, spf);
        let output = self.verifier.verify_dmarc(asked(params, &self.tables)).await;
        let result = match output.result() {
            DmarcResult::Pass => "pass",
            DmarcResult::Fail(_) => "fail",
            DmarcResult::TempError(_) => "temperror",
            DmarcResult::PermError(_) => "permerror",
            DmarcResult::None => "none",
        };
        Some(Verdict::on(result, output.domain()))
    }

    async fn arc(&self, message: &AuthenticatedMessage<'_>) -> Option<Chain> {
        let output = self.verifier.verify_arc(asked(message, &self.tables)).await;
        let (result, _) = told(output.result());
        let sealer = |set: &mail_auth::arc::Set<'_>| Sealer {
            domain: set.seal.header.d.to_lowercase(),
            saw: sealed(set.results.value),
        };
        let sealers = output.sets().iter().rev().map(sealer).collect();
        (result != "none").then(|| Chain { result: result.to_owned(), sealers })
    }
}

/// Takes out the signatures that need no DNS: those beside the question, and those that cannot hold at `now`.
fn unfit(message: &mut AuthenticatedMessage<'_>, scope: Scope<'_>, from: &str, now: u64) -> Vec<Signed> {
    let mut unfit = Vec::new();
    message.dkim_headers.retain_mut(|header| {
        let signature = &mut header.header;
        signature.d.make_ascii_lowercase();
        // Neither reports to third parties nor their signatures (RFC 6651, RFC 6541) are of use here.
        signature.r = false;
        signature.atps = None;
        let wrong = if signature.a == Algorithm::RsaSha1 {
            Some(("permerror", "SHA-1 proves nothing (RFC 8301)"))
        } else if signature.x != 0 && (signature.x <= signature.t || signature.x <= now) {
            Some(("fail", "the signature has expired"))
        } else {
            None
        };
        signature.x = 0;
        if let Some((result, why)) = wrong {
            unfit.push(Signed { why: Some(why.to_owned()), ..about(result, signature) });
        }
        wrong.is_none() && asks_about(scope, &signature.d, from)
    });
    unfit
}

/// Whether the last seal has expired at `now`; otherwise its expiry is of no more interest.
fn expire_seals(message: &mut AuthenticatedMessage<'_>, now: u64) -> bool {
    let last = message.ams_headers.last().map(|header: &Header<'_, _>| &header.header);
    let expired = last.is_some_and(|s| s.x != 0 && (s.x <= s.t || s.x <= now));
    message.ams_headers.iter_mut().for_each(|header| header.header.x = 0);
    expired
}

/// Whether the last of the forwarders is one of these.
fn sealed_by(message: &AuthenticatedMessage<'_>, forwarders: &[String]) -> bool {
    let last = message.as_headers.last().map(|header| &header.header.d);
    last.is_some_and(|domain| forwarders.iter().any(|forwarder| forwarder.eq_ignore_ascii_case(domain)))
}

fn about(result: &str, signature: &Signature) -> Signed {
    Signed {
        verdict: Verdict::on(result, &signature.d),
        why: None,
        aligned: false,
        whole: signature.l == 0,
        covers: signature.h.iter().map(|name| name.to_ascii_lowercase()).collect(),
    }
}

fn signed(output: &DkimOutput<'_>) -> Signed {
    let (result, why) = told(output.result());
    let unread =
        Signed { verdict: Verdict { result: result.to_owned(), subject: None }, ..Signed::default() };
    let signed = output.signature().map_or(unread, |signature| about(result, signature));
    Signed { why, ..signed }
}

/// The word of RFC 8601 section 2.7.1 for a result, and the reason. What mail-auth calls neutral is mostly a
/// signature that does not hold.
fn told(result: &DkimResult) -> (&'static str, Option<String>) {
    match result {
        DkimResult::Pass => ("pass", None),
        DkimResult::Neutral(
            why @ Error::Dkim(DkimError::FailedBodyHashMatch | DkimError::SignatureExpired),
        )
        | DkimResult::Fail(why) => ("fail", Some(why.to_string())),
        DkimResult::Neutral(why @ Error::Arc(_)) => ("fail", Some(why.to_string())),
        DkimResult::Neutral(why) => ("neutral", Some(why.to_string())),
        DkimResult::PermError(why) => ("permerror", Some(why.to_string())),
        DkimResult::TempError(_) => ("temperror", Some("DNS gave no answer".to_owned())),
        DkimResult::None => ("none", None),
    }
}

fn spf_verdict(output: &SpfOutput) -> Verdict {
    let result = match output.result() {
        SpfResult::Pass => "pass",
        SpfResult::Fail => "fail",
        SpfResult::SoftFail => "softfail",
        SpfResult::Neutral => "neutral",
        SpfResult::TempError => "temperror",
        SpfResult::PermError => "permerror",
        SpfResult::None => "none",
    };
    Verdict::on(result, output.domain())
}

/// A host of our own network, or this one, proves nothing about anybody's domain.
fn is_global(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local()),
    }
}

/// A mail as it travelled. One that was kept with bare line feeds gets its carriage returns back.
fn with_crlf(raw: &[u8]) -> Cow<'_, [u8]> {
    let first = raw.iter().position(|byte| *byte == b'\n');
    if first.is_none_or(|at| at > 0 && raw[at - 1] == b'\r') {
        return Cow::Borrowed(raw);
    }
    let mut whole = Vec::with_capacity(raw.len() + raw.len() / 32);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(bare) => {
                whole.extend_from_slice(bare.strip_suffix(b"\r").unwrap_or(bare));
                whole.extend_from_slice(b"\r\n");
            }
            None => whole.extend_from_slice(line),
        }
    }
    Cow::Owned(whole)
}

/// Why a mail's signatures are not looked at: each costs time, and there are too many.
fn too_many(raw: &[u8]) -> Option<Signed> {
    let (mut fields, mut signatures, mut seals) = (0, 0, 0);
    for line in raw.split(|byte| *byte == b'\n').take_while(|line| !line.trim_ascii().is_empty()) {
        let starts = |name: &[u8]| line.len() > name.len() && line[..name.len()].eq_ignore_ascii_case(name);
        fields += usize::from(!line.starts_with(b" ") && !line.starts_with(b"\t"));
        signatures += usize::from(starts(b"dkim"));
        seals += usize::from(starts(b"arc-"));
    }
    (fields > MAX_FIELDS || signatures > MAX_SIGNATURES || seals > MAX_SEALS).then(|| Signed {
        verdict: Verdict { result: "permerror".to_owned(), subject: None },
        why: Some("too many header fields or signatures".to_owned()),
        ..Signed::default()
    })
}
