//! Mail in: read, sealed, stored, and only then flagged in the mailbox.

use super::Daemon;
use crate::kernel::ids::CaseId;
use crate::kernel::token::{LENGTH, Minter};
use crate::letters::{self, Trust};
use crate::ports::Fault;
use crate::ports::keys::{KeyName, Keys};
use crate::ports::mailbox::{Arrival, Batch, Body, Done, Mailbox, Place};
use crate::ports::store::{Answer, NewMail, Store};
use chrono::{DateTime, Duration, Utc};
use std::sync::Mutex;
use tracing::{info, warn};

/// A Received time and the mailbox's own may differ by this much; beyond it a person looks.
pub(super) const TOLERANCE: Duration = Duration::minutes(10);
/// Bytes of a mail searched for a token without reading it.
const HINT: usize = 64 * 1024;

/// What turning an arrival into a stored mail needs.
pub struct Fetching<'a> {
    pub keys: &'a Keys,
    pub minter: &'a Minter,
    pub trust: Trust<'a>,
    pub now: DateTime<Utc>,
}

/// What a fetch brought.
#[derive(Debug, Default)]
pub struct Brought {
    /// Mails that were new.
    pub fresh: usize,
    /// Every folder was read to its end.
    pub complete: bool,
    /// What is stored could not be flagged or moved: the mails are safe, the mailbox is not tidy.
    pub unfinished: Option<Fault>,
}

impl<S: Store> Daemon<S> {
    pub(super) fn trust(&self) -> Trust<'_> {
        Trust {
            authserv_id: self.settings.authserv_id.as_deref(),
            border_host: self.settings.border_host.as_deref(),
            forwarders: &self.settings.forwarders,
        }
    }

    /// Reads every folder of a mailbox from its cursor on.
    ///
    /// # Errors
    /// The mailbox or the store cannot be reached; whatever was stored stays stored.
    pub async fn fetch<M: Mailbox>(
        &self,
        name: &str,
        mailbox: &mut M,
        now: DateTime<Utc>,
    ) -> Answer<Brought> {
        let cursors = self.store.cursors(name).await?;
        let done: Mutex<Vec<(Place, Done)>> = Mutex::new(Vec::new());
        let fresh = Mutex::new(0_usize);
        let fetching = Fetching { keys: &self.keys, minter: &self.minter, trust: self.trust(), now };
        let fetched =
            mailbox.fetch(&cursors, |batch| self.take(name, batch, &fetching, &done, &fresh)).await?;
        let done = done.into_inner().unwrap_or_default();
        for folder in &fetched.rescanned {
            info!(mailbox = name, folder, "the folder was renumbered; it was read again from the start");
        }
        for fault in &fetched.faults {
            warn!(mailbox = name, %fault, "a folder could not be read; no deadline falls until it can");
        }
        if fetched.complete() {
            self.store.fetched(name, now).await?;
        }
        // Last: whatever a mailbox makes of a flag, what was read is read.
        let unfinished = if done.is_empty() { None } else { mailbox.finish(&done).await.err() };
        let unfinished = self.expunge(name, mailbox).await?.or(unfinished);
        let fresh = fresh.into_inner().unwrap_or_default();
        Ok(Brought { fresh, complete: fetched.complete(), unfinished })
    }

    /// Removes what is confidential from the mailbox for good, as often as it takes until that is confirmed.
    async fn expunge<M: Mailbox>(&self, name: &str, mailbox: &mut M) -> Answer<Option<Fault>> {
        let places = self.store.expunges(name).await?;
        if places.is_empty() {
            return Ok(None);
        }
        let done: Vec<(Place, Done)> = places.iter().map(|place| (place.clone(), Done::Expunge)).collect();
        match mailbox.finish(&done).await {
            // What lies in a folder that was renumbered is found again by the re-scan, and asked for anew.
            Ok(_) => self.store.expunged(name, &places).await.map(|()| None),
            Err(fault) => Ok(Some(fault)),
        }
    }

    /// Makes one batch durable.
    async fn take(
        &self,
        name: &str,
        batch: Batch,
        fetching: &Fetching<'_>,
        done: &Mutex<Vec<(Place, Done)>>,
        fresh: &Mutex<usize>,
    ) -> Answer<()> {
        // Asked for each batch: whatever a mail in it answers left before it came.
        let cases = self.store.confidential_cases().await?;
        let mut mails = Vec::with_capacity(batch.arrivals.len());
        let mut handled = Vec::with_capacity(batch.arrivals.len());
        for arrival in batch.arrivals {
            let place = arrival.place.clone();
            let confidential = self.confidence(arrival.body.bytes(), &cases, fetching.now).await?;
            let mail = fetching.mail(arrival, confidential)?;
            let keep = mail.junk && mail.case_hint.is_none();
            // What is confidential the store asks to be expunged.
            if confidential.is_none() {
                handled.push((place, if keep { Done::Keep } else { Done::Handled }));
            }
            mails.push(mail);
        }
        let stored = self.store.receive(name, &batch.folder, &batch.cursor, &mails, fetching.now).await?;
        let new = stored.iter().filter(|(_, new)| *new).count();
        if let (Ok(mut done), Ok(mut fresh)) = (done.lock(), fresh.lock()) {
            done.extend(handled);
            *fresh += new;
        }
        Ok(())
    }
}

impl Fetching<'_> {
    /// A mail as it is stored: its arrival fixed, its bytes sealed under today's intake key, or under one of its own
    /// where it is confidential.
    fn mail(&self, arrival: Arrival, confidential: Option<CaseId>) -> Answer<NewMail> {
        let raw = arrival.body.bytes();
        let header_only = matches!(arrival.body, Body::HeaderOnly(_));
        let dedup = self.minter.keyed_hash("dedup", &without_trace(raw));
        let today = self.now.date_naive();
        let key = if confidential.is_some() { self.keys.once(today)? } else { KeyName::Intake(today) };
        Ok(NewMail {
            arrived: self.arrived(raw, arrival.internal_date),
            dedup,
            size: arrival.size,
            junk: arrival.junk,
            header_only,
            case_hint: hint(self.minter, raw).or(confidential),
            confidential,
            raw: self.keys.seal(&key, raw, b"mail")?,
            place: arrival.place,
        })
    }

    /// The border host's word where there is one and the mailbox agrees with it; else the mailbox's.
    fn arrived(&self, raw: &[u8], internal_date: DateTime<Utc>) -> DateTime<Utc> {
        if self.trust.border_host.is_none() {
            return internal_date;
        }
        let header = &raw[..header_end(raw)];
        match letters::read(header, &self.trust).received {
            Some(received) if (received - internal_date).abs() <= TOLERANCE => received,
            _ => internal_date,
        }
    }
}

/// Where the header block ends: past its last line break.
fn header_end(raw: &[u8]) -> usize {
    let crlf = raw.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 2);
    let lf = raw.windows(2).position(|w| w == b"\n\n").map(|at| at + 1);
    [crlf, lf].into_iter().flatten().min().unwrap_or(raw.len())
}

/// Fields that every hop adds: the same mail met in another place differs in them alone.
const TRACE: [&str; 10] = [
    "received",
    "return-path",
    "delivered-to",
    "envelope-to",
    "x-original-to",
    "authentication-results",
    "arc-authentication-results",
    "delivery-date",
    "x-spam-status",
    "x-spam-score",
];

/// The mail without trace headers: what makes two copies the same mail.
fn without_trace(raw: &[u8]) -> Vec<u8> {
    let end = header_end(raw);
    let mut kept = Vec::with_capacity(raw.len());
    let mut drops = false;
    for line in raw[..end].split_inclusive(|byte| *byte == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
            drops = TRACE.contains(&name.as_str());
        }
        if !drops {
            kept.extend_from_slice(line);
        }
    }
    kept.extend_from_slice(&raw[end..]);
    kept
}

/// The case of the first token of ours near the top of a mail.
fn hint(minter: &Minter, raw: &[u8]) -> Option<CaseId> {
    let top = &raw[..raw.len().min(HINT)];
    top.split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|word| word.len() == LENGTH)
        .filter_map(|word| std::str::from_utf8(word).ok())
        .find_map(|word| minter.check(word))
        .map(|(_, notice)| notice.case)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_mail_by_another_way_is_the_same_mail() {
        let one = b"Received: by a\r\n\twith SMTP\r\nSubject: x\r\nDelivered-To: c@d\r\n\r\nReceived: in the body\r\n";
        let two = b"Return-Path: <q@r>\r\nSubject: x\r\n\r\nReceived: in the body\r\n";
        assert_eq!(without_trace(one), without_trace(two));
        let other = b"Subject: y\r\n\r\nReceived: in the body\r\n";
        assert_ne!(without_trace(one), without_trace(other));
    }

    #[test]
    fn a_token_in_the_reply_address_names_the_case() {
        let minter = Minter::new(b"secret", 1);
        let notice = crate::kernel::ids::NoticeId { case: CaseId(42), seq: 1, n: 0 };
        let token = minter.mint(notice).unwrap_or_default();
        let raw = format!("To: clerk+{}@a.example\r\n\r\nyes", token.to_uppercase());
        assert_eq!(hint(&minter, raw.as_bytes()), Some(CaseId(42)));
        assert_eq!(hint(&minter, b"To: clerk@a.example\r\n\r\nyes"), None);
    }
}
