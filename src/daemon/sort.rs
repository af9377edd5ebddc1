//! At the desk: each stored mail is opened, read and addressed.

use super::confide::{Decided, in_confidence};
use super::fetch::TOLERANCE;
use super::large::Opened;
use super::think::{ASIDE, Did};
use super::{Daemon, OFFICE};
use crate::advance::{LetterBody, NewLetter};
use crate::desk::{self, Addressed, Asking, Counter, Outcome, Owed, Token};
use crate::kernel::form::Sheet;
use crate::kernel::ids::{CaseId, NoticeId, Party, StrangerId};
use crate::kernel::language::Language;
use crate::kernel::people::Person;
use crate::kernel::said::Command;
use crate::kernel::workflow::{Asks, Workflow};
use crate::letters::sieve::Limits;
use crate::letters::{self, Class, Letter, Place};
use crate::ports::store::{Admission, Answer, Mail, NoticeRow, Sorted, Store};
use crate::workflows::accreditation::Accreditation;
use crate::workflows::office::{News, Waits};
use chrono::{DateTime, Duration, Utc};
use data_encoding::HEXLOWER;

/// Why a mail is set aside that is one of too many: nobody is told of each.
pub(super) const FLOOD: &str =
    "more enquiries came today than are let in while nobody vouches for their writers";

/// Carriers that are looked up beside the first.
const CARRIERS: usize = 20;

impl<S: Store> Daemon<S> {
    /// Sorts the earliest mail not yet sorted.
    pub(super) async fn sort_one(&self, now: DateTime<Utc>) -> Answer<Did> {
        let Some(mail) = self.store.claim_mail(now).await? else { return Ok(Did::Nothing) };
        match self.address_and_sort(&mail, now).await {
            // DNS is unwell: the mail stands aside, as often as `check` allows.
            Ok(None) => {
                self.store.put_back_mail(mail.id, now + ASIDE).await?;
                Ok(Did::Other)
            }
            // A flood of mails is no flood of news: the digest counts it.
            Ok(Some(Sorted::Quarantined(why))) if why == FLOOD => Ok(Did::Other),
            Ok(Some(Sorted::Quarantined(why))) => {
                self.set_aside(&mail.id.to_string(), &mail.id.to_string(), mail.stays, why, now).await?;
                Ok(Did::Other)
            }
            Ok(Some(_)) => Ok(Did::Other),
            Err(fault) => {
                self.store.put_back_mail(mail.id, now + ASIDE).await?;
                Ok(Did::Aside(fault))
            }
        }
    }

    /// None where DNS must be asked again first.
    async fn address_and_sort(&self, mail: &Mail, now: DateTime<Utc>) -> Answer<Option<Sorted>> {
        let Some(mut decided) = self.address(mail, now).await? else { return Ok(None) };
        match decided.confidence.or(mail.confidential) {
            Some(case) => self.sort_confided(mail, case, &mut decided, now).await?,
            None => self.store.sort(mail.id, &decided.sorted, now).await?,
        }
        Ok(Some(decided.sorted))
    }

    /// Tells staff of something that waits for a person; once for each stay, however often it is said.
    async fn set_aside(
        &self,
        name: &str,
        what: &str,
        stays: u32,
        why: String,
        now: DateTime<Utc>,
    ) -> Answer<()> {
        let news = News::Quarantined { what: what.to_owned(), why };
        let key =
            if stays == 0 { format!("quarantined:{name}") } else { format!("quarantined:{name}:{stays}") };
        self.tell_office(&key, news, now).await
    }

    /// Tells staff of everything in quarantine they were not told of: what killed us was set aside by the
    /// store, while nobody was there to tell.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub async fn tell_quarantined(&self, now: DateTime<Utc>) -> Answer<()> {
        for item in self.store.quarantined().await?.into_iter().filter(|item| item.why != FLOOD) {
            let name = item.name();
            let clock = item.letter.is_none() && item.mail.is_none();
            let what = if clock { format!("the clock of {name}") } else { name.clone() };
            self.set_aside(&name, &what, item.stays, item.why, now).await?;
        }
        Ok(())
    }

    async fn address(&self, mail: &Mail, now: DateTime<Utc>) -> Answer<Option<Decided>> {
        let aside = |why: &str| Ok(Some(Sorted::Quarantined(why.to_owned()).into()));
        let Some(opened) = self.open_mail(mail)? else {
            return aside("its key is gone, or its bytes were altered");
        };
        let raw = &opened.skeleton.bytes;
        let mut letter = letters::read_skeleton(&opened.skeleton, &self.trust());
        let asks_verify = letter.class == Class::Reply && letter.commands.contains(&Command::Verify);
        let forwarded = if asks_verify { letters::forwarded::forwarded(raw) } else { None };
        if !mail.accepted && implausible(&letter, mail, now) {
            return aside("its times of arrival disagree or lie in the future");
        }
        let register = self.register().await?;
        let asked = self.token(&letter, mail.accepted).await?;
        if self.comes_home(&asked, &letter, mail).await? {
            return Ok(Some(Sorted::Silent("our own".to_owned()).into()));
        }
        let author = letter.from.as_ref().and_then(|from| register.owner(&from.address));
        let known = author.is_some() || matches!(asked, Token::Known(_));
        if !self.check(&opened, &mut letter, mail, known, now).await? {
            return Ok(None);
        }
        let identity = self.identity(&letter, raw);
        if matches!(&asked, Token::Known(asked) if asked.asks == Asks::Form) {
            let Some(sheet) = self.sheet(mail, &opened).await? else {
                return aside("a part of it is gone, or was altered");
            };
            letter.sheet = Some(sheet);
        }
        let answers_ours = matches!(asked, Token::Known(_));
        let (waits, answered) = self.owed(&letter, author, answers_ours, now).await?;
        let confidence = confidential_case(&asked).or(mail.confidential);
        // Of whoever writes in confidence no address is kept.
        let unknown = author.is_none() && confidence.is_none() && (asks_verify || asked == Token::None);
        let stranger = if unknown { self.stranger(&letter, now).await? } else { None };
        let asker = author.map(|person| Party::Person(person.id)).or(stranger.map(Party::Stranger));
        let verify = async || self.verify(forwarded.as_ref(), asker, &register).await.map(Some);
        let verified = if asks_verify { verify().await? } else { None };
        let repeated = self.store.message_id_seen(&identity, mail.id).await?;
        let counter = Counter {
            register: &register,
            office: OFFICE,
            clerk: &self.settings.clerk,
            arrived: mail.arrived,
            junk: mail.junk,
            repeated,
            header_only: mail.header_only,
            applying: self.applying(&letter, author, stranger).await?,
            own_stranger: self.is_own_stranger(&asked, &letter).await?,
            papers: self.papers(author.is_some(), &letter, &asked).await?,
            readable: self.readable(author, &letter, &asked, &register, mail.arrived).await?,
            asked,
            waits,
            answered,
            stranger,
            verified,
            nonce: &HEXLOWER.encode(&self.keys.random(16)?),
        };
        if let Some(case) = confidence {
            return self.confide(&letter, mail, case, &counter, now).await.map(Some);
        }
        let mut outcome = desk::desk(&letter, &counter);
        self.keep_documents(&mut outcome, &letter, (mail, &opened), now).await?;
        let knocks = opens_enquiry(&outcome) && !answers_ours;
        if knocks && !self.may_knock(&letter, mail, author.is_some(), now).await? {
            return aside(FLOOD);
        }
        Ok(Some(sorted(outcome, mail, &identity).into()))
    }

    /// What a form can be read from. None: a part of the mail is gone.
    async fn sheet(&self, mail: &Mail, opened: &Opened) -> Answer<Option<Sheet>> {
        let (Some(large), Some(upload)) = (&opened.large, mail.upload) else {
            return Ok(Some(letters::form::sheet_of_skeleton(&opened.skeleton)));
        };
        let files = self.sift(upload, large, Limits::FORMS).await?;
        Ok(files.map(|files| letters::form::sheet_of_skeleton(&files)))
    }

    /// Whether a mail that answers none of ours may become a task: of whoever is in the register and vouched for,
    /// and what a person looked at; of others so many a day.
    async fn may_knock(&self, letter: &Letter, mail: &Mail, known: bool, now: DateTime<Utc>) -> Answer<bool> {
        if mail.accepted || (known && letter.vouching.aligned) {
            return Ok(true);
        }
        let address = letter.from.as_ref().map_or("", |from| from.address.as_str());
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let policy = &self.policies.enquiry;
        let limits = Admission { per_domain: policy.unproven_per_domain, per_day: policy.unproven_per_day };
        self.store.admit(mail.id, domain, limits, now).await
    }

    /// Whether it is the mail by which we see that mail comes and goes; then that is noted.
    async fn comes_home(&self, asked: &Token, letter: &Letter, mail: &Mail) -> Answer<bool> {
        let Token::Known(asked) = asked else { return Ok(false) };
        let ours = asked.template == super::alarm::TEMPLATE && self.sent_by_ourselves(letter);
        if ours {
            self.came_home(asked.notice.case, mail.arrived).await?;
        }
        Ok(ours)
    }

    /// Our own mail, as it left; a bounce of it did not come home.
    fn sent_by_ourselves(&self, letter: &Letter) -> bool {
        let clerk = &self.settings.clerk;
        letter.class != Class::Bounce
            && letter.from.as_ref().is_some_and(|from| from.address.eq_ignore_ascii_case(clerk))
    }

    /// What the carriers say together: the reply address first, then the references, then the text. A bounce
    /// may name its mail only in what it returns. Every reply address counts, the nearest of the references, and
    /// the text where all of it is of other matters; where a person accepted the mail, the first carrier decides.
    pub(super) async fn token(&self, letter: &Letter, accepted: bool) -> Answer<Token> {
        let mut found: Vec<(Place, NoticeId)> = Vec::new();
        let mut epochs: Vec<u16> = Vec::new();
        for carrier in &letter.tokens {
            let counts = carrier.place != Place::Returned || letter.class == Class::Bounce;
            if let Some((epoch, notice)) = self.minter.check(&carrier.token).filter(|_| counts) {
                found.push((carrier.place, notice));
                epochs.push(epoch);
            }
        }
        let Some((_, first)) = found.first().copied() else { return Ok(Token::None) };
        let Some(asked) = self.store.notice(first).await? else { return Ok(Token::Unknown) };
        if !self.is_of_epoch(&asked, epochs[0]).await? {
            return Ok(Token::Unknown);
        }
        let recipients = found.iter().skip(1).filter(|(place, _)| *place == Place::Recipient);
        let thread = found.iter().skip(1).find(|(place, notice)| {
            *place == Place::Thread && found[0].0 != Place::Thread && *notice != first
        });
        let compared = recipients.chain(thread).filter(|_| !accepted && letter.class != Class::Bounce);
        let matters = |row: &NoticeRow| (row.row.id.case, row.row.to);
        for (_, other) in compared.filter(|(_, notice)| *notice != first).take(CARRIERS) {
            if self.store.notice(*other).await?.is_some_and(|other| matters(&other) != matters(&asked)) {
                return Ok(Token::Disagree);
            }
        }
        // Text that is quoted may be of several mails; one of them should be of the matter that is answered.
        let told = found.iter().filter(|(place, _)| *place == Place::Body).map(|(_, notice)| *notice);
        let told: Vec<NoticeId> = told.filter(|_| found[0].0 != Place::Body).take(CARRIERS).collect();
        if !told.is_empty() && !told.contains(&first) && !accepted && letter.class != Class::Bounce {
            let mut agrees = false;
            for other in told {
                let other = self.store.notice(other).await?;
                agrees |= other.is_none_or(|other| matters(&other) == matters(&asked));
            }
            if !agrees {
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
            confidential: in_confidence(asked.row.class, asked.row.asks),
        }))
    }

    /// Whether a notice is the one that a token of this epoch named: since a restore its number may have been
    /// given out again. A notice written before the restore is still the same.
    pub(super) async fn is_of_epoch(&self, notice: &NoticeRow, epoch: u16) -> Answer<bool> {
        if epoch == self.minter.epoch() {
            return Ok(true);
        }
        let Some(next) = epoch.checked_add(1) else { return Ok(false) };
        let since = self.store.fact(&epoch_since(next)).await?;
        let since = since.and_then(|since| since.parse::<DateTime<Utc>>().ok());
        Ok(since.is_some_and(|since| notice.created < since))
    }

    /// What waits for the author of a mail. An answer to one of ours goes where it belongs; what else waits is told
    /// only to who asks the office.
    async fn owed(
        &self,
        letter: &Letter,
        author: Option<&Person>,
        answers_ours: bool,
        now: DateTime<Utc>,
    ) -> Answer<(Vec<Owed>, Vec<Owed>)> {
        let worded = !letter.commands.is_empty() || !letter.near.is_empty();
        match author.filter(|_| worded || !answers_ours) {
            Some(person) => self.waits(Party::Person(person.id), now).await,
            None => Ok((Vec::new(), Vec::new())),
        }
    }

    /// What a person owes an answer to, and what she answered in matters that still take answers: what may be
    /// changed is not owed.
    async fn waits(&self, party: Party, now: DateTime<Utc>) -> Answer<(Vec<Owed>, Vec<Owed>)> {
        let (mut owed, mut answered) = (Vec::new(), Vec::new());
        for ask in self.store.open_asks(party).await? {
            if ask.not_after.is_some_and(|until| until < now) {
                continue;
            }
            let receipt = ask.label.starts_with("receipt:");
            if receipt && !self.takes_answers(ask.notice.case).await? {
                continue;
            }
            let title = self.titles(ask.notice.case, ask.title).await?;
            let waits = Waits { notice: ask.notice, title, until: ask.not_after };
            let list = if receipt { &mut answered } else { &mut owed };
            list.push(Owed { asks: ask.asks, waits });
        }
        for list in [&mut owed, &mut answered] {
            list.sort_by_key(|owed| owed.waits.notice);
            list.dedup_by_key(|owed| owed.waits.notice.case);
        }
        Ok((owed, answered))
    }

    /// The applications of whoever writes APPLY that are under way: those whose mails to her can still be answered.
    async fn applying(
        &self,
        letter: &Letter,
        author: Option<&Person>,
        stranger: Option<StrangerId>,
    ) -> Answer<Vec<Waits>> {
        let writes = author.map(|person| Party::Person(person.id)).or(stranger.map(Party::Stranger));
        let mut found: Vec<Waits> = Vec::new();
        let Some(party) = writes.filter(|_| letter.commands.contains(&Command::Apply)) else {
            return Ok(found);
        };
        for ask in self.store.open_asks(party).await? {
            let known = found.iter().any(|one| one.notice.case == ask.notice.case);
            if ask.kind != Accreditation::KIND || !Accreditation::to_applicant(&ask.label) || known {
                continue;
            }
            let row = self.store.case(ask.notice.case).await?;
            if row.is_some_and(|row| Accreditation::is_under_way(&row.phase)) {
                let title = self.titles(ask.notice.case, ask.title).await?;
                found.push(Waits { notice: ask.notice, title, until: None });
            }
        }
        Ok(found)
    }

    /// Whether answers to a case can still be changed.
    async fn takes_answers(&self, case: CaseId) -> Answer<bool> {
        let phase = self.store.case(case).await?.map(|case| case.phase);
        Ok(phase.is_some_and(|phase| matches!(phase.as_str(), "open" | "frozen" | "awaiting-confirmation")))
    }

    /// Whether a mail that answers one to a stranger comes from the address that one went to. What a list rewrote
    /// comes from nobody's.
    async fn is_own_stranger(&self, asked: &Token, letter: &Letter) -> Answer<bool> {
        let Token::Known(Asking { to: Party::Stranger(id), .. }) = asked else { return Ok(false) };
        let Some(from) = letter.from.as_ref().filter(|_| !letter.list) else { return Ok(false) };
        let known = self.store.stranger_address(*id).await?;
        Ok(known.is_some_and(|(address, _)| address.eq_ignore_ascii_case(&from.address)))
    }

    /// The number of a stranger who may be answered today; none for one who was.
    async fn stranger(&self, letter: &Letter, now: DateTime<Utc>) -> Answer<Option<StrangerId>> {
        let Some(from) = letter.from.as_ref().filter(|_| letter.vouching.aligned) else { return Ok(None) };
        if letter.class != Class::Reply || letter.list {
            return Ok(None);
        }
        let language = letter.language.unwrap_or(Language::En);
        let (stranger, last) = self.store.stranger(&from.address, language, now).await?;
        Ok(last.is_none_or(|last| now - last >= Duration::days(1)).then_some(stranger))
    }
}

/// The case whose confidential notice is answered.
fn confidential_case(asked: &Token) -> Option<CaseId> {
    match asked {
        Token::Known(asked) if asked.confidential => Some(asked.notice.case),
        _ => None,
    }
}

/// Whether a mail opens an enquiry: it becomes a task, and its writer is answered.
fn opens_enquiry(outcome: &Outcome) -> bool {
    let Outcome::Letters(letters) = outcome else { return false };
    letters.iter().any(|letter| matches!(letter, Addressed::Opens(opening) if opening.kind == "enquiry"))
}

/// The fact under which the store keeps when an epoch began, as RFC 3339.
pub fn epoch_since(epoch: u16) -> String {
    format!("epoch:{epoch}:since")
}

/// A mail whose clocks contradict each other decides nothing until a person has looked.
fn implausible(letter: &Letter, mail: &Mail, now: DateTime<Utc>) -> bool {
    let disagrees = letter.received.is_some_and(|received| (received - mail.arrived).abs() > TOLERANCE);
    disagrees || mail.arrived > now + TOLERANCE
}

fn sorted(outcome: Outcome, mail: &Mail, identity: &str) -> Sorted {
    match outcome {
        Outcome::Silent(why) => Sorted::Silent(why.to_owned()),
        Outcome::Quarantined(why) => Sorted::Quarantined(why.to_owned()),
        Outcome::Letters(addressed) => {
            let number = |(n, addressed)| new_letter(addressed, n, mail, identity);
            Sorted::Letters(addressed.into_iter().enumerate().map(number).collect())
        }
    }
}

fn new_letter(addressed: Addressed, n: usize, mail: &Mail, identity: &str) -> NewLetter {
    let body = match addressed {
        Addressed::ToCase(case, input) => LetterBody::ToCase(case, input),
        Addressed::Opens(opening) => LetterBody::Opens(opening),
    };
    NewLetter {
        key: format!("mail:{}:{n}", mail.id.0),
        body,
        arrived: mail.arrived,
        mail: Some(mail.id),
        message_id: Some(identity.to_owned()),
    }
}
