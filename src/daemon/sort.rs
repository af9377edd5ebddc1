//! At the desk: each stored mail is opened, read and addressed.

use super::fetch::TOLERANCE;
use super::{Daemon, OFFICE};
use crate::advance::{LetterBody, NewLetter};
use crate::desk::{self, Addressed, Asking, Counter, Outcome, Owed, Token};
use crate::kernel::ids::{NoticeId, Party, StrangerId};
use crate::kernel::language::Language;
use crate::letters::{self, Class, Letter, Place};
use crate::ports::store::{Answer, Mail, NoticeRow, Sorted, Store};
use crate::workflows::office::{News, Waits};
use chrono::{DateTime, Duration, Utc};
use data_encoding::HEXLOWER;

impl<S: Store> Daemon<S> {
    /// Sorts the earliest mail not yet sorted. False: there is none.
    pub(super) async fn sort_one(&self, now: DateTime<Utc>) -> Answer<bool> {
        let Some(mail) = self.store.claim_mail(now).await? else { return Ok(false) };
        match self.address(&mail, now).await {
            Ok(sorted) => {
                self.store.sort(mail.id, &sorted, now).await?;
                if let Sorted::Quarantined(why) = sorted {
                    self.set_aside(&mail.id.to_string(), why, now).await?;
                }
            }
            Err(fault) => {
                self.store.put_back_mail(mail.id, now).await?;
                return Err(fault);
            }
        }
        Ok(true)
    }

    /// Tells staff of something that waits for a person; once, however often it is said.
    async fn set_aside(&self, what: &str, why: String, now: DateTime<Utc>) -> Answer<()> {
        let news = News::Quarantined { what: what.to_owned(), why };
        self.tell_office(&format!("quarantined:{what}"), news, now).await
    }

    /// Tells staff of everything in quarantine they were not told of: what killed us was set aside by the
    /// store, while nobody was there to tell.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub async fn tell_quarantined(&self, now: DateTime<Utc>) -> Answer<()> {
        for item in self.store.quarantined().await? {
            let what = match (item.letter, item.mail, item.case) {
                (Some(letter), _, _) => letter.to_string(),
                (None, Some(mail), _) => mail.to_string(),
                (None, None, Some(case)) => format!("the clock of {case}"),
                (None, None, None) => continue,
            };
            self.set_aside(&what, item.why, now).await?;
        }
        Ok(())
    }

    async fn address(&self, mail: &Mail, now: DateTime<Utc>) -> Answer<Sorted> {
        let Some(raw) = self.keys.try_open(&mail.raw, b"mail")? else {
            return Ok(Sorted::Quarantined("its key is gone, or its bytes were altered".to_owned()));
        };
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
            Some(person) => self.waits(Party::Person(person.id), now).await?,
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

    /// What a person owes an answer to; an answer that may be changed is not owed.
    async fn waits(&self, party: Party, now: DateTime<Utc>) -> Answer<Vec<Owed>> {
        let mut owed = Vec::new();
        for ask in self.store.open_asks(party).await? {
            if ask.label.starts_with("receipt:") || ask.not_after.is_some_and(|until| until < now) {
                continue;
            }
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
