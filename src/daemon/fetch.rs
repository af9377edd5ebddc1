//! Mail in: read, sealed, stored, and only then flagged in the mailbox.

use super::Daemon;
use super::large::{Come, Coming, kind};
use super::trace::{Readers, Trace};
use crate::kernel::ids::CaseId;
use crate::kernel::token::{KeyedHasher, LENGTH, Minter};
use crate::letters::{self, Trust};
use crate::ports::Fault;
use crate::ports::keys::{KeyName, Keys};
use crate::ports::mailbox::{Arrival, Batch, Body, Cursor, Done, Mailbox, Place};
use crate::ports::store::{Answer, NewMail, Sealed, Store, Upload};
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

/// What has come of a fetch so far.
#[derive(Default)]
struct Taken {
    done: Vec<(Place, Done)>,
    fresh: usize,
    /// The mail whose parts are coming.
    coming: Option<Coming>,
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
        let taken = Mutex::new(Taken::default());
        let fetching = Fetching { keys: &self.keys, minter: &self.minter, trust: self.trust(), now };
        let fetched = mailbox.fetch(&cursors, |batch| self.take(name, batch, &fetching, &taken)).await;
        let Taken { done, fresh, coming } = taken.into_inner().unwrap_or_default();
        self.forget(coming).await?;
        let fetched = fetched?;
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
        let unfinished = if done.is_empty() { None } else { self.finish(name, mailbox, &done).await? };
        let unfinished = self.expunge(name, mailbox).await?.or(unfinished);
        Ok(Brought { fresh, complete: fetched.complete(), unfinished })
    }

    /// Tidies the mailbox, and notes where mails lie now.
    async fn finish<M: Mailbox>(
        &self,
        name: &str,
        mailbox: &mut M,
        done: &[(Place, Done)],
    ) -> Answer<Option<Fault>> {
        match mailbox.finish(done).await {
            Ok(finished) if finished.moved.is_empty() => Ok(None),
            Ok(finished) => self.store.moved(name, &finished.moved).await.map(|()| None),
            Err(fault) => Ok(Some(fault)),
        }
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
        mut batch: Batch,
        fetching: &Fetching<'_>,
        taken: &Mutex<Taken>,
    ) -> Answer<()> {
        let before = taken.lock().ok().and_then(|mut taken| taken.coming.take());
        if matches!(batch.arrivals.as_slice(), [Arrival { body: Body::Part { .. }, .. }])
            && let Some(arrival) = batch.arrivals.pop()
        {
            return self.take_part(name, arrival, batch.cursor, before, (fetching, taken)).await;
        }
        self.forget(before).await?;
        // Asked for each batch: whatever a mail in it answers left before it came.
        let cases = self.store.confidential_cases().await?;
        let mut mails = Vec::with_capacity(batch.arrivals.len());
        for arrival in batch.arrivals {
            let confidential = self.confidence(arrival.body.bytes(), &cases).await?;
            mails.push(fetching.mail(arrival, confidential)?);
        }
        self.store_all(name, (&batch.folder, &batch.cursor), &mails, (fetching, taken)).await
    }

    /// Stores mails and the cursor past them, and notes what becomes of them in the mailbox.
    async fn store_all(
        &self,
        name: &str,
        (folder, cursor): (&str, &Cursor),
        mails: &[NewMail],
        (fetching, taken): (&Fetching<'_>, &Mutex<Taken>),
    ) -> Answer<()> {
        let stored = self.store.receive(name, folder, cursor, mails, fetching.now).await?;
        let new = stored.iter().filter(|(_, new)| *new).count();
        // What is confidential the store asks to be expunged.
        let handled = mails.iter().filter(|mail| mail.confidential.is_none()).map(|mail| {
            let keep = mail.junk && mail.case_hint.is_none();
            (mail.place.clone(), if keep { Done::Keep } else { Done::Handled })
        });
        if let Ok(mut taken) = taken.lock() {
            taken.done.extend(handled);
            taken.fresh += new;
        }
        Ok(())
    }

    /// Makes one part of a large mail durable, where nobody sees it; with the last the mail is there.
    async fn take_part(
        &self,
        name: &str,
        arrival: Arrival,
        cursor: Cursor,
        before: Option<Coming>,
        (fetching, taken): (&Fetching<'_>, &Mutex<Taken>),
    ) -> Answer<()> {
        let Body::Part { bytes, last } = arrival.body else { return Ok(()) };
        let mut coming = match before {
            Some(coming) if coming.place == arrival.place => coming,
            other => {
                self.forget(other).await?;
                Coming::new(arrival.place.clone(), fetching.keys, fetching.minter)?
            }
        };
        let (n, sealed) = coming.part(bytes, last, fetching.keys)?;
        self.store.keep_part(coming.upload, n, &sealed, fetching.now).await?;
        if !last {
            if let Ok(mut taken) = taken.lock() {
                taken.coming = Some(coming);
            }
            return Ok(());
        }
        let upload = coming.upload;
        let come = coming.finish()?;
        let cases = self.store.confidential_cases().await?;
        let confidential = self.confidence(&come.skeleton.bytes, &cases).await?;
        let arrival = Arrival { body: Body::Whole(Vec::new()), ..arrival };
        let folder = arrival.place.folder.clone();
        let mail = fetching.large(arrival, come, upload, confidential)?;
        self.store_all(name, (&folder, &cursor), &[mail], (fetching, taken)).await
    }

    /// Forgets what came of a mail that did not come whole.
    async fn forget(&self, coming: Option<Coming>) -> Answer<()> {
        match coming {
            Some(coming) => self.store.forget_parts(coming.upload).await,
            None => Ok(()),
        }
    }
}

impl Fetching<'_> {
    /// A mail as it is stored: its arrival fixed, its bytes sealed under today's intake key, or under one of its own
    /// where it is confidential.
    fn mail(&self, arrival: Arrival, confidential: Option<CaseId>) -> Answer<NewMail> {
        let raw = arrival.body.bytes();
        let (mut trace, mut lasting) = (Trace::default(), Lasting(self.minter.keyed_hasher("dedup")));
        trace.push(raw, &mut lasting);
        trace.finish(&mut lasting);
        let sealed = self.keys.seal(&self.key(confidential)?, raw, kind(None))?;
        let header_only = matches!(arrival.body, Body::HeaderOnly(_));
        let mail = self.stored(&arrival, raw, lasting.0.finish(), confidential, sealed);
        Ok(NewMail { header_only, ..mail })
    }

    /// The same of a mail that came in parts.
    fn large(
        &self,
        arrival: Arrival,
        come: Come,
        upload: Upload,
        confidential: Option<CaseId>,
    ) -> Answer<NewMail> {
        let sealed = self.keys.seal(&self.key(confidential)?, &come.whole, kind(Some(upload)))?;
        let mail = self.stored(&arrival, &come.skeleton.bytes, come.dedup, confidential, sealed);
        Ok(NewMail { upload: Some(upload), size: come.size, ..mail })
    }

    fn key(&self, confidential: Option<CaseId>) -> Answer<KeyName> {
        let today = self.now.date_naive();
        if confidential.is_some() { self.keys.once(today) } else { Ok(KeyName::Intake(today)) }
    }

    fn stored(
        &self,
        arrival: &Arrival,
        read: &[u8],
        dedup: [u8; 32],
        confidential: Option<CaseId>,
        raw: Sealed,
    ) -> NewMail {
        NewMail {
            arrived: self.arrived(read, arrival.internal_date),
            dedup,
            size: arrival.size,
            junk: arrival.junk,
            header_only: false,
            case_hint: hint(self.minter, read).or(confidential),
            confidential,
            raw,
            upload: None,
            place: arrival.place.clone(),
        }
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

/// The hash by which a mail is known.
struct Lasting(KeyedHasher);

impl Readers for Lasting {
    fn lasting(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn body(&mut self, _: &[u8]) {}
}

/// Where the header block ends: past its last line break.
fn header_end(raw: &[u8]) -> usize {
    let crlf = raw.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 2);
    let lf = raw.windows(2).position(|w| w == b"\n\n").map(|at| at + 1);
    [crlf, lf].into_iter().flatten().min().unwrap_or(raw.len())
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
    fn a_token_in_the_reply_address_names_the_case() {
        let minter = Minter::new(b"secret", 1);
        let notice = crate::kernel::ids::NoticeId { case: CaseId(42), seq: 1, n: 0 };
        let token = minter.mint(notice).unwrap_or_default();
        let raw = format!("To: clerk+{}@a.example\r\n\r\nyes", token.to_uppercase());
        assert_eq!(hint(&minter, raw.as_bytes()), Some(CaseId(42)));
        assert_eq!(hint(&minter, b"To: clerk@a.example\r\n\r\nyes"), None);
    }
}
