//! The bodies of listed mails: many small ones at once, large ones in parts, and none left out because a
//! server stumbles over it.

use super::{
    super::{LARGE_BYTES, PART_BYTES, Place},
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

/// What fetching one mail alone began with.
pub enum First {
    Whole(Vec<u8>),
    /// There is more of it than is held at once.
    Begins(Vec<u8>),
    Header,
    /// Another program removed it between listing and fetching.
    Gone,
}

impl Reader {
    pub fn new(most: u64) -> Reader {
        Reader { most, strikes: BTreeMap::new() }
    }

    /// The bodies of a batch that the server gives at once, by UID; none of a large mail, or of one it hung up over.
    pub async fn together(
        &mut self,
        session: &mut Session,
        places: &[Place],
        batch: &[Listed],
    ) -> Result<BTreeMap<u32, Vec<u8>>, Trouble> {
        if plan::large(batch).is_some() || places.iter().any(|place| self.strikes.contains_key(place)) {
            return Ok(BTreeMap::new());
        }
        let uids: Vec<u32> = batch.iter().map(|mail| mail.uid).collect();
        match session.sections(&plan::uid_set(&uids), "BODY.PEEK[]").await {
            Ok(bodies) => Ok(bodies.into_iter().collect()),
            // The others of the batch may be good: those not found are asked for one by one.
            Err(Trouble::Refused(_)) => Ok(BTreeMap::new()),
            Err(goodbye @ Trouble::Goodbye(_)) => {
                self.strikes.extend(places.iter().map(|place| (place.clone(), 0)));
                Err(goodbye)
            }
            Err(lost) => Err(lost),
        }
    }

    /// A batch is dealt with: whatever the server stumbled over in it.
    pub fn done(&mut self, places: &[Place]) {
        let done: BTreeSet<&Place> = places.iter().collect();
        self.strikes.retain(|place, _| !done.contains(place));
    }

    /// Bytes beyond which only the header of a mail is read.
    pub fn most(&self) -> u64 {
        self.most
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

    /// A mail by itself, as far as it is held at once.
    pub async fn first(
        &mut self,
        session: &mut Session,
        mail: &Listed,
        place: &Place,
    ) -> Result<First, Trouble> {
        if mail.size.is_some_and(|size| size > self.most) || self.given_up(place) {
            return Ok(First::Header);
        }
        let enough = if mail.large() { PART_BYTES } else { LARGE_BYTES };
        let mut bytes = Vec::new();
        loop {
            match self.part(session, place, bytes.len() as u64, false).await {
                Ok(Some(part)) => bytes.extend_from_slice(&part),
                Ok(None) => return self.missing(session, place).await,
                Err(Trouble::Refused(_)) => return Ok(First::Header),
                Err(lost) => return Err(lost),
            }
            if !(bytes.len() as u64).is_multiple_of(PART_BYTES) || bytes.is_empty() {
                return Ok(First::Whole(bytes));
            } else if bytes.len() as u64 >= enough {
                return Ok(First::Begins(bytes));
            }
        }
    }

    /// Not given although it is there: that must not look like gone.
    async fn missing(&self, session: &mut Session, place: &Place) -> Result<First, Trouble> {
        let gone = session.still_there(&place.uid.to_string()).await?.is_empty();
        Ok(if gone { First::Gone } else { First::Header })
    }

    /// The part of a mail that begins there, short or empty at its end: the announced size is only a hint, servers get
    /// it wrong. After one that was `short` comes nothing. None where the server gives none.
    pub async fn part(
        &mut self,
        session: &mut Session,
        place: &Place,
        from: u64,
        short: bool,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        if short {
            return Ok(Some(Vec::new()));
        }
        let section = format!("BODY.PEEK[]<{from}.{PART_BYTES}>");
        let found = session.sections(&place.uid.to_string(), &section).await;
        let found = self.strike(place, found)?;
        Ok(found.into_iter().find(|(uid, _)| *uid == place.uid).map(|(_, part)| part))
    }

    /// At most 1 MiB of header; none if the server cannot give it.
    pub async fn header(&mut self, session: &mut Session, place: &Place) -> Result<Vec<u8>, Trouble> {
        if self.given_up(place) {
            return Ok(Vec::new());
        }
        let section = format!("BODY.PEEK[HEADER]<0.{LARGE_BYTES}>");
        let found = session.sections(&place.uid.to_string(), &section).await;
        match self.strike(place, found) {
            Ok(found) => Ok(found.into_iter().next().map(|(_, bytes)| bytes).unwrap_or_default()),
            Err(Trouble::Refused(_)) => Ok(Vec::new()),
            Err(lost) => Err(lost),
        }
    }
}
