//! At the desk: each stored mail is opened, read and addressed.

use super::fetch::TOLERANCE;
use super::{Daemon, OFFICE};
use crate::advance::{LetterBody, NewLetter};
use crate::desk::{self, Addressed, Asking, Counter, Outcome, Owed, Token};
use crate::kernel::ids::{NoticeId, Party, StrangerId};
use crate::kernel::language::Language;
use crate::letters::{self, Class, Letter, Place};
use crate::ports::store::{Answer, Mail, NoticeRow, Sorted, Store};
use crate::workflows::office::Waits;
use chrono::{DateTime, Duration, Utc};
use data_encoding::HEXLOWER;

/// A mail that could not be sorted because the world is unwell is tried again after this.
const RETRY: Duration = Duration::minutes(1);

impl<S: Store> Daemon<S> {
    /// Sorts the earliest mail not yet sorted. False: there is none.
    pub(super) async fn sort_one(&self, now: DateTime<Utc>) -> Answer<bool> {
        let Some(mail) = self.store.claim_mail(now).await? else { return Ok(false) };
        match self.address(&mail, now).await {
            Ok(sorted) => self.store.sort(mail.id, &sorted, now).await?,
            Err(fault) => {
                // Out of hand, and out of the way of other mail for a while; it holds up clocks all the same.
                self.store.put_back_mail(mail.id, now + RETRY).await?;
                return Err(fault);
            }
        }
        Ok(true)
    }

    async fn address(&self, mail: &Mail, now: DateTime<Utc>) -> Answer<Sorted> {
        let raw = self.keys.open(&mail.raw, b"mail")?;
        let letter = letters::read(&raw, &self.trust());
        drop(raw);
        if implausible(&letter, mail, now) {
            return Ok(Sorted::Quarantined("its times of arrival disagree or lie in the future".to_owned()));
        }
        let register = self.register().await?;
        let asked = self.token(&letter).await?;
        if let Token::Known(asked) = &asked
            && asked.template == super::alarm::TEMPLATE
        {
            self.came_home(asked.notice.case, mail.arrived).await?;
            return Ok(Sorted::Silent("our own".to_owned()));
        }
        let author = letter.from.as_ref().and_then(|from| register.owner(&from.address));
        let waits = match author {
            Some(person) => self.waits(Party::Person(person.id)).await?,
            None => Vec::new(),
        };
        let stranger = match (&asked, author) {
            (Token::None, None) => self.stranger(&letter, now).await?,
            _ => None,
        };
        let nonce = HEXLOWER.encode(&self.keys.random(16)?);
        let counter = Counter {
            register: &register,
            office: OFFICE,
            clerk: &self.settings.clerk,
            arrived: mail.arrived,
            junk: mail.junk,
            header_only: mail.header_only,
            asked,
            waits,
            stranger,
            nonce: &nonce,
        };
        Ok(match desk::desk(&letter, &counter) {
            Outcome::Silent(why) => Sorted::Silent(why.to_owned()),
            Outcome::Quarantined(why) => Sorted::Quarantined(why.to_owned()),
            Outcome::Letters(addressed) => {
                let number = |(n, addressed)| new_letter(addressed, n, mail, &letter);
                Sorted::Letters(addressed.into_iter().enumerate().map(number).collect())
            }
        })
    }

    /// What the carriers say together: the reply address first, then the references, then the text. A bounce
    /// may name its mail only in what it returns.
    async fn token(&self, letter: &Letter) -> Answer<Token> {
        let mut found: Vec<(Place, NoticeId)> = Vec::new();
        for carrier in &letter.tokens {
            let counts = carrier.place != Place::Returned || letter.class == Class::Bounce;
            if let Some(notice) = self.minter.check(&carrier.token).filter(|_| counts) {
                found.push((carrier.place, notice));
            }
        }
        let Some((_, first)) = found.first().copied() else { return Ok(Token::None) };
        let Some(asked) = self.store.notice(first).await? else { return Ok(Token::Unknown) };
        let other = found.iter().find(|(place, notice)| *place != found[0].0 && *notice != first);
        if let Some((Place::Thread, other)) = other
            && letter.class != Class::Bounce
        {
            let matters = |row: &NoticeRow| (row.row.id.case, row.row.to);
            if self.store.notice(*other).await?.is_some_and(|other| matters(&other) != matters(&asked)) {
                return Ok(Token::Disagree);
            }
        }
        Ok(Token::Known(Asking {
            notice: first,
            label: asked.row.label,
            template: asked.row.template,
            to: asked.row.to,
            address: asked.row.address,
            asks: asked.row.asks,
        }))
    }

    async fn waits(&self, party: Party) -> Answer<Vec<Owed>> {
        let mut owed = Vec::new();
        for ask in self.store.open_asks(party).await? {
            let Some(notice) = self.store.notice(ask.notice).await? else { continue };
            let waits = Waits { notice: ask.notice, title: ask.title, until: ask.not_after };
            owed.push(Owed { asks: notice.row.asks, waits });
        }
        owed.sort_by_key(|owed| owed.waits.notice);
        owed.dedup_by_key(|owed| owed.waits.notice.case);
        Ok(owed)
    }

    /// The number of a stranger who may be answered today; none for one who was.
    async fn stranger(&self, letter: &Letter, now: DateTime<Utc>) -> Answer<Option<StrangerId>> {
        let Some(from) = letter.from.as_ref().filter(|_| desk::aligned(letter)) else { return Ok(None) };
        if letter.class != Class::Reply || letter.list {
            return Ok(None);
        }
        let language = letter.language.unwrap_or(Language::En);
        let (stranger, last) = self.store.stranger(&from.address, language, now).await?;
        Ok(last.is_none_or(|last| now - last >= Duration::days(1)).then_some(stranger))
    }
}

/// A mail whose clocks contradict each other decides nothing until a person has looked.
fn implausible(letter: &Letter, mail: &Mail, now: DateTime<Utc>) -> bool {
    let disagrees = letter.received.is_some_and(|received| (received - mail.arrived).abs() > TOLERANCE);
    disagrees || mail.arrived > now + TOLERANCE
}

fn new_letter(addressed: Addressed, n: usize, mail: &Mail, letter: &Letter) -> NewLetter {
    let body = match addressed {
        Addressed::ToCase(case, input) => LetterBody::ToCase(case, input),
        Addressed::Opens(opening) => LetterBody::Opens(opening),
    };
    NewLetter {
        key: format!("mail:{}:{n}", mail.id.0),
        body,
        arrived: mail.arrived,
        mail: Some(mail.id),
        message_id: letter.message_id.clone(),
    }
}
