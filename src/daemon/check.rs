//! Who wrote a mail: our own check of it is asked for, kept with the mail, and weighed.

use super::Daemon;
use super::large::{Manifest, Opened};
use crate::letters::{Checked, Class, Letter};
use crate::ports::keys::KeyName;
use crate::ports::resolver::Scope;
use crate::ports::store::{Answer, Mail, Store};
use chrono::{DateTime, Utc};
use data_encoding::BASE64;

/// How often DNS is asked about one mail, a minute apart, before the mail goes on without its answer. Its author
/// is then asked to confirm.
const LOOKS: u8 = 5;

impl<S: Store> Daemon<S> {
    /// Weighs what DNS says of a mail's sender. False: DNS is unwell and must be asked again in a while.
    ///
    /// Only what matters is asked: for a person's mail, and for somebody who is `known` more than once.
    pub(super) async fn check(
        &self,
        opened: &Opened,
        letter: &mut Letter,
        mail: &Mail,
        known: bool,
        now: DateTime<Utc>,
    ) -> Answer<bool> {
        let Some(resolver) = &self.resolver else { return Ok(true) };
        let alone = letter.authors == 1 && !letter.list && !mail.header_only;
        if letter.class != Class::Reply || !alone || (mail.junk && !known) {
            return Ok(true);
        }
        let before = self.checked_before(mail)?;
        let settled = before.as_ref().is_some_and(|b| !b.unsettled() || b.looks >= LOOKS);
        letter.checked = before;
        if !settled {
            let scope = Scope::FromAlone(&self.settings.forwarders);
            // What held when it arrived counts, however late it is read.
            let (raw, bodies) = (&opened.skeleton.bytes, opened.large.as_ref().map(Manifest::bodies));
            letter.checked = Some(resolver.check(raw, bodies, letter, scope, mail.arrived).await);
            self.keep(letter.checked.as_ref(), mail, now).await?;
        }
        let checked = letter.checked.take();
        letter.weigh(checked, &self.trust());
        let again = letter.checked.as_ref().is_some_and(|c| c.unsettled() && c.looks < LOOKS);
        Ok(!(again && known && !letter.vouching.aligned))
    }

    /// What was found before. Where its key is gone, nothing was.
    pub fn checked_before(&self, mail: &Mail) -> Answer<Option<Checked>> {
        let Some(sealed) = &mail.checked else { return Ok(None) };
        let opened = self.keys.try_open(sealed, b"checked")?;
        Ok(opened.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Kept sealed, as the mail is: it names domains. A mail that nobody signed has nothing to keep.
    async fn keep(&self, checked: Option<&Checked>, mail: &Mail, now: DateTime<Utc>) -> Answer<()> {
        let said = |c: &&Checked| !c.dkim.is_empty() || c.spf.is_some() || c.arc.is_some();
        let Some(checked) = checked.filter(said) else { return Ok(()) };
        let body = serde_json::to_vec(checked).unwrap_or_default();
        // Of a mail that is sealed under a key of its own nothing outlives that.
        let key = match mail.raw.key.parse() {
            Ok(own @ (KeyName::Once(..) | KeyName::Case(_))) => own,
            _ => KeyName::Intake(now.date_naive()),
        };
        self.store.keep_checked(mail.id, &self.keys.seal(&key, &body, b"checked")?).await
    }

    /// What makes a mail the same mail when it is sent again. Its Message-ID, as long as nobody on the way could
    /// change that; else its author, date and text, whatever the line ends and spaces.
    pub(super) fn identity(&self, letter: &Letter, raw: &[u8]) -> String {
        let signed = letter.checked.iter().flat_map(|c| &c.dkim).filter(|s| s.aligned && s.verdict.passes());
        let open =
            signed.clone().count() > 0 && !signed.clone().all(|s| s.covers.iter().any(|c| c == "message-id"));
        if let Some(id) = letter.message_id.as_ref().filter(|_| !open) {
            return id.clone();
        }
        let body = raw.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4);
        let body = body.or_else(|| raw.windows(2).position(|w| w == b"\n\n").map(|at| at + 2)).unwrap_or(0);
        let from = letter.from.as_ref().map_or("", |from| &from.address);
        let date = letter.date.map_or(0, |date| date.timestamp());
        let mut whole = format!("{from} {date} ").into_bytes();
        whole.extend(raw[body..].iter().filter(|byte| !byte.is_ascii_whitespace()));
        format!("text:{}", BASE64.encode(&self.minter.keyed_hash("identity", &whole)))
    }
}
