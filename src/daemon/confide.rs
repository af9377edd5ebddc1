//! What is told in confidence, between the mailbox and the first step: recognised before it is stored, sealed under a
//! key of its own until it is sorted, and then under the key of its case or not at all. Who wrote it is forgotten with
//! the same transaction. Nothing here is logged.

use super::Daemon;
use super::large::kind;
use crate::advance::{LetterBody, NewLetter, OutboxRow};
use crate::desk::{self, Confidence, Counter, Heard, Outcome, Token, Told};
use crate::kernel::confidential::{Bar, Comment, Sealed as Handle, day, may_read};
use crate::kernel::ids::{AnonymousId, CaseId, NoticeId, Party};
use crate::kernel::people::Person;
use crate::kernel::register::Register;
use crate::kernel::said::Command;
use crate::kernel::workflow::{Asks, Class, Input};
use crate::letters::{self, Letter};
use crate::ports::Fault;
use crate::ports::keys::KeyName;
use crate::ports::store::confidential::OVER;
use crate::ports::store::{Answer, Confided, Kept, Mail, Sorted, Store};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Numbers of ours in one mail that are looked up.
const NUMBERS: usize = 20;

/// Lists of comments that one mail without a token may ask for.
const LISTS: usize = 10;

/// What a mail was sorted into, and what of it is kept sealed.
pub(super) struct Decided {
    pub(super) sorted: Sorted,
    /// The case in whose confidence it was written.
    pub(super) confidence: Option<CaseId>,
    pub(super) kept: Vec<Kept>,
}

impl From<Sorted> for Decided {
    fn from(sorted: Sorted) -> Decided {
        Decided { sorted, confidence: None, kept: Vec::new() }
    }
}

impl<S: Store> Daemon<S> {
    /// The case whose confidential notice a mail answers or brings back, out of the cases that have written any.
    /// Every number of ours in it counts, wherever it stands: rather one mail too many than one too few.
    pub(super) async fn confidence(&self, raw: &[u8], cases: &BTreeSet<CaseId>) -> Answer<Option<CaseId>> {
        if cases.is_empty() {
            return Ok(None);
        }
        let letter = letters::read(raw, &self.trust());
        let ours = letter.tokens.iter().filter_map(|carrier| self.minter.check(&carrier.token));
        let notices: BTreeSet<NoticeId> =
            ours.map(|(_, notice)| notice).filter(|notice| cases.contains(&notice.case)).collect();
        for id in notices.into_iter().take(NUMBERS) {
            if self
                .store
                .notice(id)
                .await?
                .is_some_and(|notice| in_confidence(notice.row.class, notice.row.asks))
            {
                return Ok(Some(id.case));
            }
        }
        Ok(None)
    }

    /// Sorts a mail that was written in confidence of a case.
    pub(super) async fn confide(
        &self,
        letter: &Letter,
        mail: &Mail,
        case: CaseId,
        counter: &Counter<'_>,
        now: DateTime<Utc>,
    ) -> Answer<Decided> {
        if counter.asked == Token::Disagree {
            let why =
                "its reply address, references and text name different matters, one of them confidential";
            return Ok(Decided::from(Sorted::Quarantined(why.to_owned())).of(case));
        }
        let then = self.register_then(mail.arrived).await?;
        let row = self.store.case(case).await?;
        let held = row.map(|row| row.confidences).unwrap_or_default();
        let acts = &self.policies.acts;
        let of = Confidence { case, region: held.region, then: &then, acts };
        let decided = match desk::in_confidence(letter, counter, &of) {
            Heard::Else(outcome) => Decided::from(forgotten(outcome, mail)),
            Heard::Comment(mut told) => {
                // After a restore the record may be older than the keys.
                let over = held.over || self.keys.is_shredded(case)?;
                told.barred = told.barred.or(over.then_some(Bar::Over));
                self.seal(&told, case, mail, counter.nonce, now)?
            }
        };
        Ok(decided.of(case))
    }

    async fn register_then(&self, arrived: DateTime<Utc>) -> Answer<Arc<Register>> {
        let version = self.store.register_version_at(arrived).await?;
        self.store.register_at(version).await
    }

    /// A comment becomes handles. What is refused anyway has nothing behind them.
    fn seal(
        &self,
        told: &Told,
        case: CaseId,
        mail: &Mail,
        nonce: &str,
        now: DateTime<Utc>,
    ) -> Answer<Decided> {
        let mut kept = Vec::new();
        let mut keep = |handle: String, key: &KeyName, value: Value| -> Answer<()> {
            let sealed = self.keys.seal(key, value.to_string().as_bytes(), handle.as_bytes())?;
            kept.push(Kept { handle, sealed });
            Ok(())
        };
        let words = Handle::new(self.chance()?);
        let source = match told.named {
            Some(person) => Some((Handle::new(self.chance()?), person)),
            None => None,
        };
        if told.barred.is_none() {
            let key = KeyName::Case(case);
            keep(words.to_string(), &key, told.words.as_str().into())?;
            if let Some((handle, person)) = source {
                keep(handle.to_string(), &key, Party::Person(person).to_string().into())?;
            }
        }
        let author = Party::Anonymous(AnonymousId(u64::from_be_bytes(self.chance()?)));
        let once = self.keys.once(now.date_naive())?;
        keep(author.to_string(), &once, told.author.to_string().into())?;
        let comment = Comment {
            region: told.region,
            words,
            source: source.map(|(handle, _)| handle),
            author,
            label: told.label.clone(),
            arrived: day(mail.arrived),
            nonce: nonce.to_owned(),
            barred: told.barred,
        };
        let letter = letter(0, LetterBody::ToCase(case, Input::Comment(comment)), mail);
        Ok(Decided { sorted: Sorted::Letters(vec![letter]), confidence: Some(case), kept })
    }

    fn chance<const N: usize>(&self) -> Answer<[u8; N]> {
        let drawn = self.keys.random(N)?.try_into();
        drawn.map_err(|_| Fault::new("drawing random bytes", "the system has too few"))
    }

    /// Whose comments COMMENTS asks for in a mail by this person: those of the matter that the mail answers, or of the
    /// matter which that is part of; without a token, all that she may read now.
    pub(super) async fn readable(
        &self,
        author: Option<&Person>,
        letter: &Letter,
        asked: &Token,
        register: &Register,
        at: DateTime<Utc>,
    ) -> Answer<Vec<CaseId>> {
        let mut cases = Vec::new();
        let Some(person) = author.filter(|_| letter.commands.contains(&Command::Comments)) else {
            return Ok(cases);
        };
        if let Token::Known(asked) = asked {
            let row = self.store.case(asked.notice.case).await?;
            let parent = match row.as_ref().and_then(|row| row.parent) {
                Some(parent) => self.store.case(parent).await?,
                None => None,
            };
            let nearest = row.into_iter().chain(parent).find(|row| row.confidences.region.is_some());
            cases.extend(nearest.map(|row| row.id));
            return Ok(cases);
        }
        for case in self.store.confidential_cases().await? {
            let held = self.store.case(case).await?.map(|row| row.confidences).unwrap_or_default();
            let open = held.region.filter(|_| !held.over);
            if open.is_some_and(|region| may_read(register, person.id, region, at)) && cases.len() < LISTS {
                cases.push(case);
            }
        }
        Ok(cases)
    }

    /// Stores what became of a mail in confidence. One that waits for a person is sealed anew under the key of its
    /// case, and destroyed with that.
    pub(super) async fn sort_confided(
        &self,
        mail: &Mail,
        case: CaseId,
        decided: &mut Decided,
        now: DateTime<Utc>,
    ) -> Answer<()> {
        let mut raw = None;
        if let Sorted::Quarantined(_) = decided.sorted {
            let row = self.store.case(case).await?;
            let over = row.is_none_or(|row| row.confidences.over) || self.keys.is_shredded(case)?;
            let kind = kind(mail.upload);
            let opened = if over { None } else { self.keys.try_open(&mail.raw, kind)? };
            match opened {
                Some(bytes) => raw = Some(self.keys.seal(&KeyName::Case(case), &bytes, kind)?),
                None => decided.sorted = Sorted::Silent(OVER.to_owned()),
            }
        }
        let confided = Confided { case, kept: std::mem::take(&mut decided.kept), raw };
        self.store.sort_confided(mail.id, &decided.sorted, &confided, now).await
    }

    /// Whether a notice shows what is sealed, or goes to somebody who is to be forgotten: then no bytes of its mail
    /// are kept, nor anything by which words could be tried against it, and it is not logged.
    pub(super) fn keeps_nothing(row: &OutboxRow) -> bool {
        matches!(row.to, Party::Anonymous(_))
            || (row.class == Class::Confidential
                && (holds_handles(&row.data) || !super::documents::papers(&row.data).is_empty()))
    }

    /// The data of a notice with everything in it that is sealed opened. None: it is destroyed.
    pub(super) async fn opened(&self, data: &Value) -> Answer<Option<Value>> {
        let mut handles = BTreeSet::new();
        collect(data, &mut handles);
        let mut values = BTreeMap::new();
        for handle in handles {
            let Some(value) = self.open_handle(&handle).await? else { return Ok(None) };
            values.insert(handle, value);
        }
        let mut opened = data.clone();
        replace(&mut opened, &values);
        Ok(Some(opened))
    }

    /// Whom a notice to somebody who is to be forgotten goes to, as long as that is known.
    pub(super) async fn remembered(&self, party: Party) -> Answer<Option<Party>> {
        let value = self.open_handle(&party.to_string()).await?;
        Ok(value.and_then(|value| value.as_str()?.parse().ok()))
    }

    async fn open_handle(&self, handle: &str) -> Answer<Option<Value>> {
        let Some(sealed) = self.store.sealed(handle).await? else { return Ok(None) };
        let opened = self.keys.try_open(&sealed, handle.as_bytes())?;
        Ok(opened.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

impl Decided {
    fn of(self, case: CaseId) -> Decided {
        Decided { confidence: Some(case), ..self }
    }
}

/// Whether answers to a notice are confidential.
pub(super) fn in_confidence(class: Class, asks: Asks) -> bool {
    class == Class::Confidential || matches!(asks, Asks::Comment(_))
}

/// A letter without the Message-ID of its mail, and with the day alone of its arrival.
fn letter(n: usize, body: LetterBody, mail: &Mail) -> NewLetter {
    let key = format!("mail:{}:{n}", mail.id.0);
    NewLetter { key, body, arrived: day(mail.arrived), mail: Some(mail.id), message_id: None }
}

/// What any mail comes to, without its Message-ID.
fn forgotten(outcome: Outcome, mail: &Mail) -> Sorted {
    match outcome {
        Outcome::Silent(why) => Sorted::Silent(why.to_owned()),
        Outcome::Quarantined(why) => Sorted::Quarantined(why.to_owned()),
        Outcome::Letters(all) => {
            let body = |addressed| match addressed {
                desk::Addressed::ToCase(case, input) => LetterBody::ToCase(case, input),
                desk::Addressed::Opens(opening) => LetterBody::Opens(opening),
            };
            let letters = all.into_iter().enumerate().map(|(n, addressed)| NewLetter {
                arrived: mail.arrived,
                ..letter(n, body(addressed), mail)
            });
            Sorted::Letters(letters.collect())
        }
    }
}

fn is_handle(text: &str) -> bool {
    text.parse::<Handle<Value>>().is_ok()
}

fn holds_handles(data: &Value) -> bool {
    let mut handles = BTreeSet::new();
    collect(data, &mut handles);
    !handles.is_empty()
}

fn collect(data: &Value, handles: &mut BTreeSet<String>) {
    match data {
        Value::String(text) if is_handle(text) => {
            handles.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, handles)),
        Value::Object(map) => map.values().for_each(|item| collect(item, handles)),
        _ => {}
    }
}

fn replace(data: &mut Value, values: &BTreeMap<String, Value>) {
    match data {
        Value::String(text) => {
            if let Some(value) = values.get(text.as_str()) {
                *data = value.clone();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, values)),
        Value::Object(map) => map.values_mut().for_each(|item| replace(item, values)),
        _ => {}
    }
}
