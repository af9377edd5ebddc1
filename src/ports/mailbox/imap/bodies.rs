//! The bodies of listed mails: many small ones at once, large ones in parts, and none left out because a
//! server stumbles over it.

use super::{
    super::{Body, PART_BYTES, Place},
    plan::{self, Listed},
    session::{Session, Trouble},
};
use std::collections::{BTreeMap, BTreeSet};

/// A server that hangs up this often while giving one mail alone cannot give it.
const STRIKES: u8 = 3;

/// Fetches bodies, and remembers which mails the server hung up over.
#[derive(Debug)]
pub struct Reader {
    /// Bytes; of a larger mail only the header is read.
    most: u64,
    /// Mails to be fetched alone, and how often the server hung up meanwhile.
    strikes: BTreeMap<Place, u8>,
}

/// What fetching one mail came to.
enum Single {
    Whole(Vec<u8>),
    Header,
    /// Another program removed it between listing and fetching.
    Gone,
}

impl Reader {
    pub fn new(most: u64) -> Reader {
        Reader { most, strikes: BTreeMap::new() }
    }

    /// The bodies of a batch, in its order. A mail that is gone meanwhile is left out; one that the server
    /// cannot give is passed on as far as it can, so that it stops nobody behind it.
    pub async fn bodies<'a>(
        &mut self,
        session: &mut Session,
        folder: &str,
        uid_validity: u32,
        batch: &'a [Listed],
    ) -> Result<Vec<(&'a Listed, Body)>, Trouble> {
        let place = |mail: &Listed| Place { folder: folder.into(), uid_validity, uid: mail.uid };
        let mut found = BTreeMap::new();
        let alone =
            plan::large(batch).is_some() || batch.iter().any(|m| self.strikes.contains_key(&place(m)));
        if !alone {
            let uids: Vec<u32> = batch.iter().map(|mail| mail.uid).collect();
            match session.sections(&plan::uid_set(&uids), "BODY.PEEK[]").await {
                Ok(bodies) => found.extend(bodies),
                // The others of the batch may be good: those not found are asked for one by one.
                Err(Trouble::Refused(_)) => {}
                Err(goodbye @ Trouble::Goodbye(_)) => {
                    self.strikes.extend(batch.iter().map(|mail| (place(mail), 0)));
                    return Err(goodbye);
                }
                Err(lost) => return Err(lost),
            }
        }
        let mut bodies = Vec::new();
        for mail in batch {
            let single = match found.remove(&mail.uid) {
                Some(bytes) => Single::Whole(bytes),
                None => self.alone(session, mail, &place(mail)).await?,
            };
            match single {
                Single::Whole(bytes) => bodies.push((mail, Body::Whole(bytes))),
                Single::Header => {
                    bodies.push((mail, Body::HeaderOnly(self.header(session, &place(mail)).await?)))
                }
                Single::Gone => {}
            }
        }
        let done: BTreeSet<Place> = batch.iter().map(place).collect();
        self.strikes.retain(|place, _| !done.contains(place));
        Ok(bodies)
    }

    fn given_up(&self, place: &Place) -> bool {
        self.strikes.get(place).is_some_and(|strikes| *strikes >= STRIKES)
    }

    /// Counts a goodbye against the mail that was being fetched alone.
    fn strike<T>(&mut self, place: &Place, result: Result<T, Trouble>) -> Result<T, Trouble> {
        if matches!(result, Err(Trouble::Goodbye(_))) {
            let strikes = self.strikes.entry(place.clone()).or_default();
            *strikes = strikes.saturating_add(1);
        }
        result
    }

    async fn alone(
        &mut self,
        session: &mut Session,
        mail: &Listed,
        place: &Place,
    ) -> Result<Single, Trouble> {
        if mail.size.is_some_and(|size| size > self.most) || self.given_up(place) {
            return Ok(Single::Header);
        }
        let parts = self.in_parts(session, mail).await;
        match self.strike(place, parts) {
            Err(Trouble::Refused(_)) => Ok(Single::Header),
            // Not given although it is there: that must not look like gone.
            Ok(Single::Gone) if !session.still_there(&mail.uid.to_string()).await?.is_empty() => {
                Ok(Single::Header)
            }
            other => other,
        }
    }

    /// Fetches until a part is short; the announced size is only a hint, servers get it wrong.
    async fn in_parts(&self, session: &mut Session, mail: &Listed) -> Result<Single, Trouble> {
        let room = mail.size.unwrap_or(0).min(self.most);
        let mut whole = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        loop {
            let section = format!("BODY.PEEK[]<{}.{PART_BYTES}>", whole.len());
            let found = session.sections(&mail.uid.to_string(), &section).await?;
            let Some((_, part)) = found.into_iter().find(|(uid, _)| *uid == mail.uid) else {
                return Ok(Single::Gone);
            };
            whole.extend_from_slice(&part);
            match part.len() as u64 {
                _ if whole.len() as u64 > self.most => return Ok(Single::Header),
                short if short < PART_BYTES => return Ok(Single::Whole(whole)),
                _ => {}
            }
        }
    }

    /// At most 1 MiB of header; none if the server cannot give it.
    async fn header(&mut self, session: &mut Session, place: &Place) -> Result<Vec<u8>, Trouble> {
        if self.given_up(place) {
            return Ok(Vec::new());
        }
        let section = format!("BODY.PEEK[HEADER]<0.{PART_BYTES}>");
        let found = session.sections(&place.uid.to_string(), &section).await;
        match self.strike(place, found) {
            Ok(found) => Ok(found.into_iter().next().map(|(_, bytes)| bytes).unwrap_or_default()),
            Err(Trouble::Refused(_)) => Ok(Vec::new()),
            Err(lost) => Err(lost),
        }
    }
}
