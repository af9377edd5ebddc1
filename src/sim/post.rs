//! The post between the clerk and the village: the clerk's mailbox, with its folders and numbers, and the
//! relay that takes what the clerk sends. Both fail as real ones do, and both keep count.

use super::Planted;
use super::faults::{Faults, Kind, fault};
use crate::kernel::canonical;
use crate::ports::Fault;
use crate::ports::mailbox::{Arrival, Batch, Body, Cursor, Done, Fetched, Finished, Mailbox, Place, Woken};
use crate::ports::postman::{Delivery, Outgoing, Postman};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub const INBOX: &str = "INBOX";
pub const JUNK: &str = "Junk";
/// Mails of one batch; small, so that a connection can be lost between two.
const BATCH: usize = 3;
/// Handled mails that stay in the folder; older ones are cleared away.
const KEPT: usize = 60;

struct Item {
    uid: u32,
    internal_date: DateTime<Utc>,
    raw: Vec<u8>,
    header_only: bool,
    handled: bool,
}

struct Folder {
    name: &'static str,
    uid_validity: u32,
    next_uid: u32,
    items: Vec<Item>,
}

impl Folder {
    fn new(name: &'static str) -> Folder {
        Folder { name, uid_validity: 1, next_uid: 1, items: Vec::new() }
    }

    fn renumber(&mut self) {
        self.uid_validity += 1;
        self.next_uid = 1;
        for item in &mut self.items {
            item.uid = self.next_uid;
            self.next_uid += 1;
        }
    }

    fn cursor(&self) -> Cursor {
        Cursor { uid_validity: self.uid_validity, next_uid: self.next_uid }
    }

    fn arrival(&self, item: &Item) -> Arrival {
        let end = item.raw.windows(4).position(|w| w == b"\r\n\r\n").map_or(item.raw.len(), |at| at + 4);
        let body = match item.header_only {
            true => Body::HeaderOnly(item.raw[..end].to_vec()),
            false => Body::Whole(item.raw.clone()),
        };
        Arrival {
            place: Place { folder: self.name.to_owned(), uid_validity: self.uid_validity, uid: item.uid },
            internal_date: item.internal_date,
            size: item.raw.len() as u64,
            junk: self.name == JUNK,
            body,
        }
    }
}

/// A mail that reached somebody.
pub struct Delivered {
    pub at: DateTime<Utc>,
    pub to: String,
    pub envelope_from: String,
    pub bytes: Vec<u8>,
}

/// What is known of one mail of the clerk's.
struct Sent {
    to: String,
    hash: String,
    /// Incidents there had been when it was last delivered.
    incidents: u64,
}

/// Both directions.
pub struct Post {
    now: DateTime<Utc>,
    folders: [Folder; 2],
    /// Different mails ever put into the mailbox.
    pub put: u64,
    pub delivered: Vec<Delivered>,
    sent: BTreeMap<String, Sent>,
    /// Mails that reached somebody once more.
    pub duplicates: u64,
    /// What the relay saw that must not be.
    pub wrong: Vec<String>,
}

impl Post {
    pub fn new(now: DateTime<Utc>) -> Shared {
        Arc::new(Mutex::new(Post {
            now,
            folders: [Folder::new(INBOX), Folder::new(JUNK)],
            put: 0,
            delivered: Vec::new(),
            sent: BTreeMap::new(),
            duplicates: 0,
            wrong: Vec::new(),
        }))
    }

    pub fn at(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }

    /// A mail for the clerk arrives in a folder.
    pub fn put(&mut self, raw: Vec<u8>, junk: bool, header_only: bool) {
        let now = self.now;
        let folder = &mut self.folders[usize::from(junk)];
        let uid = folder.next_uid;
        folder.next_uid += 1;
        folder.items.push(Item { uid, internal_date: now, raw, header_only, handled: false });
        self.put += 1;
    }

    /// Whether these octets stand in a mail that lies in the mailbox.
    pub fn holds(&self, octets: &str) -> bool {
        let mut items = self.folders.iter().flat_map(|folder| &folder.items);
        items.any(|item| super::incoming::text_of(&item.raw).contains(octets))
    }

    /// Mails the clerk has sent, each counted once.
    pub fn sent(&self) -> u64 {
        self.sent.len() as u64
    }

    /// Whether a mail of this Message-ID has reached its reader.
    pub fn has_sent(&self, token: &str) -> bool {
        self.sent.contains_key(token)
    }

    fn renumber(&mut self) {
        for folder in &mut self.folders {
            let handled = folder.items.iter().filter(|item| item.handled).count();
            let mut spare = handled.saturating_sub(KEPT);
            folder.items.retain(|item| {
                let goes = item.handled && spare > 0;
                spare -= usize::from(goes);
                !goes
            });
            folder.renumber();
        }
    }

    fn batches(
        &mut self,
        cursors: &BTreeMap<String, Cursor>,
        planted: Option<Planted>,
    ) -> (Vec<Batch>, Fetched) {
        let (mut batches, mut fetched) = (Vec::new(), Fetched::default());
        for folder in &mut self.folders {
            let known = cursors.get(folder.name);
            let valid = known.filter(|known| known.uid_validity == folder.uid_validity);
            if known.is_some() && valid.is_none() {
                fetched.rescanned.push(folder.name.to_owned());
            }
            let from = valid.map_or(1, |known| known.next_uid);
            let start = folder.items.partition_point(|item| item.uid < from);
            let fresh: Vec<Arrival> = folder.items[start..].iter().map(|item| folder.arrival(item)).collect();
            if fresh.is_empty() && valid.is_none() {
                batches.push(Batch {
                    folder: folder.name.to_owned(),
                    arrivals: vec![],
                    cursor: folder.cursor(),
                });
            }
            let mut fresh = fresh.into_iter().peekable();
            while fresh.peek().is_some() {
                let arrivals: Vec<Arrival> = fresh.by_ref().take(BATCH).collect();
                let last = arrivals.last().map_or(from, |arrival| arrival.place.uid);
                let cursor = Cursor { uid_validity: folder.uid_validity, next_uid: last + 1 };
                batches.push(Batch { folder: folder.name.to_owned(), arrivals, cursor });
            }
            if planted == Some(Planted::AcknowledgeFirst) {
                folder.items.clear();
            }
        }
        (batches, fetched)
    }

    fn finish(&mut self, done: &[(Place, Done)]) -> Finished {
        let mut finished = Finished::default();
        for (place, done) in done {
            let Some(folder) = self.folders.iter_mut().find(|folder| folder.name == place.folder) else {
                continue;
            };
            if folder.uid_validity != place.uid_validity {
                finished.stale.push(place.clone());
            } else if let Ok(index) = folder.items.binary_search_by_key(&place.uid, |item| item.uid) {
                match done {
                    Done::Expunge => {
                        folder.items.remove(index);
                    }
                    done => folder.items[index].handled = *done == Done::Handled,
                }
            }
        }
        finished
    }

    /// A mail reaches its reader.
    fn deliver(&mut self, mail: Outgoing<'_>, incidents: u64) {
        let id = message_id(mail.bytes);
        let hash = canonical::sha256(mail.bytes);
        match self.sent.get_mut(&id) {
            None => {
                let to = mail.to.to_owned();
                self.sent.insert(id, Sent { to, hash, incidents });
            }
            Some(sent) => {
                self.duplicates += 1;
                if sent.hash != hash || sent.to != mail.to {
                    self.wrong.push(format!("{id} was sent again with other bytes"));
                }
                if incidents <= sent.incidents {
                    self.wrong.push(format!("{id} was sent again though nothing had happened"));
                }
                sent.incidents = incidents;
            }
        }
        self.delivered.push(Delivered {
            at: self.now,
            to: mail.to.to_owned(),
            envelope_from: mail.envelope_from.to_owned(),
            bytes: mail.bytes.to_vec(),
        });
    }
}

/// The local part of a mail's Message-ID.
fn message_id(bytes: &[u8]) -> String {
    let text = super::incoming::text_of(bytes);
    let line = text.lines().find_map(|line| line.strip_prefix("Message-ID: <"));
    line.and_then(|line| line.split('@').next()).unwrap_or_default().to_owned()
}

/// The post as its users share it.
pub type Shared = Arc<Mutex<Post>>;

pub fn lock(post: &Shared) -> MutexGuard<'_, Post> {
    post.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The clerk's mailbox.
pub struct SimMailbox {
    pub post: Shared,
    pub faults: Arc<Faults>,
    pub planted: Option<Planted>,
}

impl Mailbox for SimMailbox {
    async fn fetch<F, Fut>(
        &mut self,
        cursors: &BTreeMap<String, Cursor>,
        mut take: F,
    ) -> Result<Fetched, Fault>
    where
        F: FnMut(Batch) -> Fut + Send,
        Fut: Future<Output = Result<(), Fault>> + Send,
    {
        self.faults.alive()?;
        let strike = self.faults.strike(&[Kind::FetchLost, Kind::SameUid, Kind::Renumbered], 1);
        if strike == Some(Kind::Renumbered) {
            lock(&self.post).renumber();
        }
        let (batches, fetched) = lock(&self.post).batches(cursors, self.planted);
        let count = batches.len();
        let lost = (strike == Some(Kind::FetchLost)).then(|| self.faults.below(count as u64 + 1));
        for (batch, number) in batches.into_iter().zip(0..) {
            if lost == Some(number) {
                return Err(fault("the connection was lost in the middle of a fetch"));
            }
            if strike == Some(Kind::SameUid) {
                let arrivals = batch.arrivals.clone();
                take(Batch { folder: batch.folder.clone(), arrivals, cursor: batch.cursor }).await?;
            }
            take(batch).await?;
        }
        match lost {
            Some(_) => Err(fault("the connection was lost at the end of a fetch")),
            None => Ok(fetched),
        }
    }

    async fn finish(&mut self, done: &[(Place, Done)]) -> Result<Finished, Fault> {
        self.faults.alive()?;
        if self.faults.strike(&[Kind::FinishLost], 1).is_some() {
            return Err(fault("the connection was lost while marking mails"));
        }
        Ok(lock(&self.post).finish(done))
    }

    async fn wait(&mut self, _: std::time::Duration) -> Result<Woken, Fault> {
        Ok(Woken::Timeout)
    }
}

/// The relay.
pub struct SimPostman {
    pub post: Shared,
    pub faults: Arc<Faults>,
}

const RELAY: [Kind; 5] = [Kind::RelayAway, Kind::Later, Kind::Never, Kind::Lost250, Kind::CrashSent];

impl Postman for SimPostman {
    async fn send(&mut self, mail: Outgoing<'_>) -> Result<Delivery, Fault> {
        self.faults.alive()?;
        let strike = self.faults.strike(&RELAY, 2);
        let why = || "simulated".to_owned();
        match strike {
            Some(Kind::RelayAway) => return Err(fault("the relay is out of reach")),
            Some(Kind::Later) => return Ok(Delivery::Later { why: why(), status: Some("4.2.1".to_owned()) }),
            Some(Kind::Never) => return Ok(Delivery::Never { why: why(), status: Some("5.7.1".to_owned()) }),
            _ => {}
        }
        // The incident of this very delivery explains the next one.
        let before = self.faults.incidents() - u64::from(strike.is_some());
        lock(&self.post).deliver(mail, before);
        match strike {
            Some(Kind::Lost250) => Ok(Delivery::Later { why: why(), status: None }),
            Some(_) => {
                self.faults.die();
                Err(fault("the process died after the relay took a mail"))
            }
            None => Ok(Delivery::Accepted { answer: "250 OK".to_owned() }),
        }
    }
}
