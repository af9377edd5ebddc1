//! VERIFY: whether we wrote a mail that somebody forwards, from what the outbox has of it.
//!
//! Whoever holds a copy may learn whether its number, its links and its addresses are ours. Whether every word is,
//! only the one it was written to may: anybody else could try words until they fit, and so read a receipt. Of
//! confidential mail nobody else learns anything.

use super::Daemon;
use crate::kernel::ids::Party;
use crate::kernel::register::Register;
use crate::kernel::said::Differs;
use crate::kernel::workflow::Class;
use crate::letters::forwarded::{Forwarded, sent};
use crate::letters::print::Print;
use crate::ports::store::{Answer, NoticeRow, Store};
use crate::workflows::office::Verified;
use data_encoding::BASE64_NOPAD;

/// Bytes of a code: enough that no two of a mail are alike.
const CODE: usize = 6;
/// Numbers of ours in one copy that are looked up.
const NUMBERS: usize = 3;

impl<S: Store> Daemon<S> {
    fn code(&self, text: &str) -> String {
        BASE64_NOPAD.encode(&self.minter.keyed_hash("print", text.as_bytes())[..CODE])
    }

    /// The print of a mail about to be sent.
    pub(super) fn print_of(&self, bytes: &[u8]) -> Print {
        Print::of(&sent(bytes), &|text| self.code(text))
    }

    /// What we can say to `asker` about a forwarded mail.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) async fn verify(
        &self,
        copy: Option<&Forwarded>,
        asker: Option<Party>,
        register: &Register,
    ) -> Answer<Verified> {
        let Some(copy) = copy else { return Ok(Verified::Nothing) };
        let ours = copy.tokens.iter().filter_map(|token| self.minter.check(token));
        let numbers: Vec<_> = ours.take(NUMBERS).collect();
        // A whole mail without a number of ours, or a number we never gave out, is not ours.
        if numbers.is_empty() && (copy.enclosed || !copy.tokens.is_empty()) {
            return Ok(Verified::Other);
        }
        for (epoch, id) in numbers {
            let Some(notice) = self.store.notice(id).await? else { continue };
            if !self.is_of_epoch(&notice, epoch).await? || notice.status != "sent" {
                continue;
            }
            let print = self.store.print(id).await?;
            return Ok(self.judge(copy, &notice, print.as_ref(), is_addressee(&notice, asker, register)));
        }
        Ok(Verified::Unknown)
    }

    fn judge(&self, copy: &Forwarded, notice: &NoticeRow, print: Option<&Print>, hers: bool) -> Verified {
        if notice.row.class == Class::Confidential && !hers {
            return Verified::Unknown;
        }
        let (Some(print), Some(at)) = (print, notice.sent_at) else { return Verified::Unknown };
        let mut differs = print.differs(&copy.forms, &|text| self.code(text));
        if !hers {
            differs.retain(|kind| *kind == Differs::Links);
        }
        match (differs.is_empty(), hers) {
            (true, true) => Verified::Mine { at },
            (true, false) => Verified::Number,
            (false, _) => Verified::Altered { differs },
        }
    }
}

/// Whether the asker is the one a notice was written to, herself or for an organisation.
fn is_addressee(notice: &NoticeRow, asker: Option<Party>, register: &Register) -> bool {
    let written_to = match notice.row.to {
        Party::Stranger(stranger) => Some(Party::Stranger(stranger)),
        party => register.speaker(party).map(|person| Party::Person(person.id)),
    };
    asker.is_some() && asker == written_to
}
