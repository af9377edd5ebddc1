//! Mail out: rendered once, kept, sent, and its outcome recorded before the next.

use super::courtesies::COURTESIES_A_DAY;
use super::{Daemon, OFFICE};
use crate::advance::{LetterBody, NewLetter, OutboxRow};
use crate::kernel::confidential::day;
use crate::kernel::ids::Party;
use crate::kernel::language::Language;
use crate::kernel::register::Register;
use crate::kernel::workflow::{ALSO_AT, Input, Note};
use crate::ports::keys::KeyName;
use crate::ports::postman::{Delivery, Outgoing as Mail, Postman};
use crate::ports::store::confidential::{UNSENT, anonymous};
use crate::ports::store::rules::courtesy;
use crate::ports::store::{Answer, Outgoing, Posted, Sealed, Store};
use crate::render::{Recipient, Rendered, Threading};
use crate::workflows::office::News;
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use std::borrow::Cow;
use tracing::{info, warn};

/// A mail that found no taker for so long is given up and becomes `Undelivered`.
const GIVE_UP: Duration = Duration::days(3);

/// Everything about one mail on its way out.
pub struct Sending {
    envelope_from: String,
    to: String,
    bytes: Vec<u8>,
}

/// Whom a notice goes to, as the register or the store knows them now.
struct Addressee {
    name: Option<String>,
    address: String,
    language: Language,
    zone: chrono_tz::Tz,
}

impl<S: Store> Daemon<S> {
    /// Sends everything that is due, one after the other over one connection. Returns how many were accepted.
    ///
    /// # Errors
    /// The store, the key store or the relay cannot be reached; what is unsent stays in the outbox.
    pub async fn send<P: Postman>(&self, postman: &mut P, now: DateTime<Utc>) -> Answer<usize> {
        self.send_telling(postman, now, || {}).await
    }

    /// As `send`; `begun` is told of each mail that is taken up, so that another sender looks for the next.
    ///
    /// # Errors
    /// As `send`.
    pub async fn send_telling<P: Postman>(
        &self,
        postman: &mut P,
        now: DateTime<Utc>,
        begun: impl Fn(),
    ) -> Answer<usize> {
        let mut sent = 0;
        while let Some(outgoing) = self.store.claim_outgoing(now).await? {
            begun();
            let id = outgoing.row.id;
            let posted = match self.post(postman, &outgoing, now).await {
                Ok(posted) => self.note_outcome(&outgoing, &posted, now).await.map(|()| posted),
                Err(fault) => Err(fault),
            };
            match posted {
                Ok(posted) => {
                    sent += usize::from(posted == Posted::Accepted);
                    // Of an answer to somebody who is to be forgotten only the day stays.
                    let when = if anonymous(outgoing.row.to) { day(now) } else { now };
                    self.store.posted(id, &posted, when).await?;
                }
                Err(fault) => {
                    let later = Posted::Later { at: next_try(&outgoing, now), why: fault.to_string() };
                    self.store.posted(id, &later, now).await?;
                    return Err(fault);
                }
            }
        }
        Ok(sent)
    }

    async fn post<P: Postman>(
        &self,
        postman: &mut P,
        outgoing: &Outgoing,
        now: DateTime<Utc>,
    ) -> Answer<Posted> {
        if outgoing.row.answers.is_some()
            && courtesy(&outgoing.row)
            && self.store.answered(outgoing.row.to, now - Duration::days(1)).await? >= COURTESIES_A_DAY
        {
            warn!(party = %outgoing.row.to, "answered often enough today; this answer is not sent");
            return Ok(Posted::Lapsed);
        }
        let register = self.register().await?;
        let row = &outgoing.row;
        let Some(to) = self.recipient(row.to).await? else { return Ok(Posted::Lapsed) };
        if anonymous(row.to) && row.refusal && !self.may_refuse(to, now).await? {
            return Ok(Posted::Lapsed);
        }
        let Some(addressee) = self.addressee(to, row, &register).await? else {
            return Ok(Posted::Never { status: None, why: "the register has no such address".to_owned() });
        };
        let sending = match self.bytes(outgoing, &addressee, &register, now).await? {
            Some(Ok(sending)) => sending,
            Some(Err(why)) => return Ok(Posted::Stuck { why }),
            None => return Ok(Posted::Lapsed),
        };
        let mail = Mail { envelope_from: &sending.envelope_from, to: &sending.to, bytes: &sending.bytes };
        let delivery = postman.send(mail).await?;
        Ok(match if anonymous(row.to) { wordless(delivery) } else { delivery } {
            Delivery::Accepted { .. } => Posted::Accepted,
            Delivery::Never { why, status } => Posted::Never { why, status },
            // No status: one of class 4 would promise that waiting helps, and it did not.
            Delivery::Later { why, .. } if now - outgoing.created >= give_up(outgoing) => {
                Posted::Never { why, status: None }
            }
            Delivery::Later { why, .. } => Posted::Later { at: next_try(outgoing, now), why },
        })
    }

    /// The bytes of the first try if there was one; else the mail is written, signed and kept. A mail that shows what
    /// is sealed is written anew for each try, and not at all where that is destroyed: then there is none.
    async fn bytes(
        &self,
        outgoing: &Outgoing,
        addressee: &Addressee,
        register: &Register,
        now: DateTime<Utc>,
    ) -> Answer<Option<Result<Sending, String>>> {
        let id = outgoing.row.id;
        let aad = id.to_string();
        if let Some(kept) = &outgoing.bytes {
            let bytes = self.keys.open(kept, aad.as_bytes())?;
            let envelope_from = self.renderer.reply_address_of(id).unwrap_or_default();
            return Ok(Some(Ok(Sending { envelope_from, to: addressee.address.clone(), bytes })));
        }
        let keeps_nothing = Self::keeps_nothing(&outgoing.row);
        let mut row = Cow::Borrowed(&outgoing.row);
        if keeps_nothing {
            let Some(data) = self.opened(&row.data).await? else { return Ok(None) };
            row.to_mut().data = data;
        }
        let recipient = Recipient {
            party: outgoing.row.to,
            name: addressee.name.as_deref(),
            address: &addressee.address,
            language: addressee.language,
            zone: addressee.zone,
        };
        // Letters are stored with the id alone; on the wire it stands in brackets (RFC 5322, 3.6.4).
        let in_reply_to = outgoing.in_reply_to.as_ref().map(|id| format!("<{id}>"));
        let Some(attached) = self.attached(&row.data).await? else { return Ok(None) };
        let threading = Threading { in_reply_to: in_reply_to.as_deref(), attached: &attached };
        let rendered = self.renderer.render(&row, &recipient, &threading, register, now);
        drop(attached);
        let Rendered { envelope_from, to, bytes, .. } = match rendered {
            Ok(rendered) => rendered,
            Err(error) => return Ok(Some(Err(error.to_string()))),
        };
        let bytes = match &self.signer {
            Some(signer) => signer.sign(&bytes)?,
            None => bytes,
        };
        if keeps_nothing {
            return Ok(Some(Ok(Sending { envelope_from, to, bytes })));
        }
        let sealed: Sealed = self.keys.seal(&KeyName::Intake(now.date_naive()), &bytes, aad.as_bytes())?;
        self.store.keep_bytes(id, &sealed, &self.print_of(&bytes)).await?;
        Ok(Some(Ok(Sending { envelope_from, to, bytes })))
    }

    /// Whom a notice is for; none where she is forgotten.
    async fn recipient(&self, to: Party) -> Answer<Option<Party>> {
        if anonymous(to) { self.remembered(to).await } else { Ok(Some(to)) }
    }

    async fn addressee(&self, to: Party, row: &OutboxRow, register: &Register) -> Answer<Option<Addressee>> {
        if let Party::Stranger(id) = to {
            let Some((own, language)) = self.store.stranger_address(id).await? else { return Ok(None) };
            // One that is the same again would come back again.
            let other = given(row, 1).filter(|other| !other.eq_ignore_ascii_case(&own));
            let address = if row.address == 0 { Some(own) } else { other.map(str::to_owned) };
            let zone = chrono_tz::UTC;
            return Ok(address.map(|address| Addressee { name: None, address, language, zone }));
        }
        let Some(person) = register.speaker(to) else { return Ok(None) };
        let other = given(row, person.addresses.len()).filter(|other| !person.owns(other));
        let address = person.addresses.get(usize::from(row.address)).map(String::as_str).or(other);
        Ok(address.map(|address| Addressee {
            name: Some(person.name.clone()),
            address: address.to_owned(),
            language: person.language,
            zone: person.zone,
        }))
    }

    /// What an operator and staff learn of an outcome. Never an address, never a word of the mail.
    async fn note_outcome(&self, outgoing: &Outgoing, posted: &Posted, now: DateTime<Utc>) -> Answer<()> {
        let (id, template) = (outgoing.row.id, outgoing.row.template.as_str());
        match posted {
            // A line at the moment of an answer leads to whom it went by way of the logs of mail servers.
            Posted::Stuck { .. } => {}
            _ if Self::keeps_nothing(&outgoing.row) => return Ok(()),
            _ => {}
        }
        match posted {
            Posted::Accepted => info!(notice = %id, template, "sent"),
            Posted::Lapsed => info!(notice = %id, template, "lapsed"),
            Posted::Later { why, .. } => {
                warn!(notice = %id, template, why, "not sent yet; tried again later")
            }
            Posted::Never { why, .. } => warn!(notice = %id, template, why, "refused for good"),
            Posted::Stuck { why } => {
                warn!(notice = %id, template, why, "cannot be written; mend the template, then resend");
                // A notice about a stuck notice that sticks itself would go round for ever.
                if outgoing.row.template != "office/stuck" {
                    self.tell_office(
                        &format!("stuck:{id}"),
                        News::Stuck { notice: id, why: why.clone() },
                        now,
                    )
                    .await?;
                }
            }
        }
        Ok(())
    }

    /// News for staff about the clerk itself. The key makes it one mail however often it is said.
    pub(super) async fn tell_office(&self, key: &str, news: News, now: DateTime<Utc>) -> Answer<()> {
        let note = Note { from: OFFICE, body: json!(news), arrived: now };
        let letter = NewLetter {
            key: key.to_owned(),
            body: LetterBody::ToCase(OFFICE, Input::Note(note)),
            arrived: now,
            mail: None,
            message_id: None,
        };
        self.store.post(&letter, now).await.map(|_| ())
    }
}

/// What a relay said of somebody who is to be forgotten, without its words: they may name her.
fn wordless(delivery: Delivery) -> Delivery {
    let why = UNSENT.to_owned();
    match delivery {
        Delivery::Accepted { .. } => delivery,
        Delivery::Never { status, .. } => Delivery::Never { why, status },
        Delivery::Later { status, .. } => Delivery::Later { why, status },
    }
}

/// How long a mail is tried. Where its time is short, a third of it: somebody must be left time to telephone.
fn give_up(outgoing: &Outgoing) -> Duration {
    let third = outgoing.row.not_after.map(|until| (until - outgoing.created) / 3);
    third.map_or(GIVE_UP, |third| third.min(GIVE_UP))
}

/// When it is tried again: the less time is left, the sooner.
fn next_try(outgoing: &Outgoing, now: DateTime<Utc>) -> DateTime<Utc> {
    let wait = backoff(outgoing.attempts);
    let Some(until) = outgoing.row.not_after else { return now + wait };
    now + wait.min(((until - now) / 8).max(Duration::minutes(1)))
}

/// The address of a recipient's that a notice names itself, beyond so many on file.
fn given(row: &OutboxRow, on_file: usize) -> Option<&str> {
    let number = usize::from(row.address).checked_sub(on_file)?;
    row.data.get(ALSO_AT)?.get(number)?.as_str()
}

/// 1, 2, 4 … minutes, at most 4 hours.
fn backoff(attempts: u32) -> Duration {
    Duration::minutes(1 << attempts.min(8)).min(Duration::hours(4))
}
