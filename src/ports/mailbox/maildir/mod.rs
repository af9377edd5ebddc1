//! Letters from a Maildir on this machine, where a mail server delivers without IMAP.

mod shelf;

use super::{
    Arrival, Batch, Body, Cursor, Done, Fetched, Finished, LARGE_BYTES, Mailbox, Offset, PART_BYTES, Place,
    Woken,
    plan::{self, Listed, Standing},
};
use crate::ports::Fault;
use serde::Deserialize;
use shelf::{Found, Scan};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    future::Future,
    io::{self, Read, Seek},
    path::{Path, PathBuf},
    time::Duration,
};

/// A mailbox in the file system.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct MaildirConfig {
    /// The Maildir: the directory that holds `new`, `cur` and `tmp`.
    pub path: PathBuf,
    /// Maildir++ folders for junk, such as `.Junk`, read as well.
    #[serde(default)]
    pub junk: Vec<String>,
    /// Maildir++ folder for mail that was dealt with, such as `.Handled`, created when missing; default: mail
    /// stays in `cur`, marked read.
    pub handled: Option<String>,
    /// Seconds between looks while waiting.
    #[serde(default = "default_poll")]
    pub poll_seconds: u64,
    /// Bytes; of a larger mail only the header is read.
    #[serde(default = "default_max_bytes")]
    pub max_mail_bytes: u64,
}

fn default_poll() -> u64 {
    2
}
fn default_max_bytes() -> u64 {
    60_000_000
}

/// The name of the Maildir itself among its folders.
pub const INBOX: &str = "INBOX";

/// The Maildir mailbox.
#[derive(Debug)]
pub struct Maildir {
    config: MaildirConfig,
    offset: Offset,
    /// What each folder held when last fetched.
    seen: BTreeMap<String, BTreeSet<String>>,
}

impl Maildir {
    pub fn new(config: MaildirConfig, offset: Offset) -> Maildir {
        Maildir { config, offset, seen: BTreeMap::new() }
    }

    fn folders(&self) -> Vec<String> {
        std::iter::once(INBOX.to_string()).chain(self.config.junk.clone()).collect()
    }

    /// A folder name comes from the configuration, or from places that we gave out.
    fn directory(&self, folder: &str) -> PathBuf {
        if folder == INBOX { self.config.path.clone() } else { self.config.path.join(folder) }
    }

    async fn read_folder<F, Fut>(
        &self,
        folder: &str,
        scan: &Scan,
        cursor: Option<Cursor>,
        take: &mut F,
    ) -> Result<bool, Fault>
    where
        F: FnMut(Batch) -> Fut + Send,
        Fut: Future<Output = Result<(), Fault>> + Send,
    {
        let uid_validity = scan.uid_validity;
        let exists = u32::try_from(scan.mails.len()).unwrap_or(u32::MAX);
        let now = Standing { exists, uid_validity, uid_next: Some(scan.next_uid) };
        let start = plan::start(cursor, now);
        let new = scan.mails.iter().filter(|mail| mail.uid >= start.from);
        let by_uid: BTreeMap<u32, &Found> = new.map(|mail| (mail.uid, mail)).collect();
        let listed: Vec<Listed> = by_uid.values().map(|mail| listed(mail)).collect();
        if listed.is_empty() && (start.rescan || cursor.is_none()) {
            let cursor = Cursor { uid_validity, next_uid: 1 };
            take(Batch { folder: folder.into(), arrivals: Vec::new(), cursor }).await?;
        }
        for batch in plan::batches(&listed) {
            let mut arrivals = Vec::new();
            for mail in batch {
                let Some(found) = by_uid.get(&mail.uid) else { continue };
                let arrival = |body| Arrival {
                    place: Place { folder: folder.into(), uid_validity, uid: mail.uid },
                    internal_date: self.offset.shift(mail.internal_date),
                    size: found.size,
                    junk: folder != INBOX,
                    body,
                };
                match self.body(&self.directory(folder), found).await? {
                    None => {}
                    Some(Opened::Body(body)) => arrivals.push(arrival(body)),
                    Some(Opened::Large(mut file)) => loop {
                        let (body, rest) = part(file).await?;
                        let last = matches!(body, Body::Part { last: true, .. });
                        let next_uid = if last { mail.uid.saturating_add(1) } else { mail.uid };
                        let cursor = Cursor { uid_validity, next_uid };
                        take(Batch { folder: folder.into(), arrivals: vec![arrival(body)], cursor }).await?;
                        if last {
                            break;
                        }
                        file = rest;
                    },
                }
            }
            let next_uid = batch.last().map_or(start.from, |mail| mail.uid.saturating_add(1));
            let cursor = Cursor { uid_validity, next_uid };
            if !arrivals.is_empty() {
                take(Batch { folder: folder.into(), arrivals, cursor }).await?;
            }
        }
        Ok(start.rescan)
    }

    /// The mail's bytes; `None`: it was removed meanwhile. A mail program may have moved it from `new` to
    /// `cur`.
    async fn body(&self, directory: &Path, found: &Found) -> Result<Option<Opened>, Fault> {
        let (directory, found, most) = (directory.to_path_buf(), found.clone(), self.config.max_mail_bytes);
        blocking("reading a mail from the Maildir", move || {
            let read = |path: &Path| {
                if found.size > most {
                    return shelf::header(path, LARGE_BYTES).map(Body::HeaderOnly).map(Opened::Body);
                }
                if found.size > LARGE_BYTES {
                    return fs::File::open(path).map(Opened::Large);
                }
                fs::read(path).map(Body::Whole).map(Opened::Body)
            };
            match read(&found.path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                done => return done.map(Some),
            }
            let scan = shelf::scan(&directory).map_err(|fault| io::Error::other(fault.why))?;
            match scan.mails.iter().find(|mail| mail.uid == found.uid) {
                Some(moved) => read(&moved.path).map(Some),
                None => Ok(None),
            }
        })
        .await
    }
}

/// A mail found, as far as it is held at once.
enum Opened {
    Body(Body),
    Large(fs::File),
}

/// The next part of a large mail, and the file for those after it.
async fn part(mut file: fs::File) -> Result<(Body, fs::File), Fault> {
    blocking("reading a mail from the Maildir", move || {
        let mut bytes = Vec::new();
        io::Read::by_ref(&mut file).take(PART_BYTES).read_to_end(&mut bytes)?;
        let last = file.stream_position()? >= file.metadata()?.len();
        Ok((Body::Part { bytes, last }, file))
    })
    .await
}

fn listed(mail: &Found) -> Listed {
    Listed { uid: mail.uid, size: Some(mail.size), internal_date: mail.written }
}

/// Runs file work where it does not hold up the daemon's other work.
async fn blocking<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|e| Fault::new(what, e)),
        Err(_) => Err(Fault::new(what, "the work was stopped")),
    }
}

async fn scan(directory: PathBuf) -> Result<Scan, Fault> {
    match tokio::task::spawn_blocking(move || shelf::scan(&directory)).await {
        Ok(done) => done,
        Err(_) => Err(Fault::new("listing the Maildir", "the work was stopped")),
    }
}

/// Into `target/cur` as read, or gone for good; the directories are synced.
fn put_away(found: &Found, target: Option<&Path>) -> io::Result<()> {
    let Some(target) = target else {
        fs::remove_file(&found.path)?;
        return found.path.parent().map_or(Ok(()), shelf::sync);
    };
    for sub in ["tmp", "new", "cur"] {
        fs::create_dir_all(target.join(sub))?;
    }
    let name = found.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (unique, info) = name.split_once(":2,").unwrap_or((name, ""));
    let mut flags: BTreeSet<char> = info.chars().collect();
    flags.insert('S');
    let to = target.join("cur").join(format!("{unique}:2,{}", flags.iter().collect::<String>()));
    if to != found.path {
        fs::rename(&found.path, &to)?;
        shelf::sync(&target.join("cur"))?;
        found.path.parent().map_or(Ok(()), shelf::sync)?;
    }
    Ok(())
}

impl Mailbox for Maildir {
    async fn fetch<F, Fut>(
        &mut self,
        cursors: &BTreeMap<String, Cursor>,
        mut take: F,
    ) -> Result<Fetched, Fault>
    where
        F: FnMut(Batch) -> Fut + Send,
        Fut: Future<Output = Result<(), Fault>> + Send,
    {
        let mut fetched = Fetched::default();
        for folder in self.folders() {
            let scan = match scan(self.directory(&folder)).await {
                Ok(scan) => scan,
                Err(fault) => {
                    fetched.faults.push(fault);
                    continue;
                }
            };
            let cursor = cursors.get(&folder).copied();
            if self.read_folder(&folder, &scan, cursor, &mut take).await? {
                fetched.rescanned.push(folder.clone());
            }
            self.seen.insert(folder, scan.names);
        }
        Ok(fetched)
    }

    async fn finish(&mut self, done: &[(Place, Done)]) -> Result<Finished, Fault> {
        let mut finished = Finished::default();
        let mut folders: BTreeMap<&str, Vec<&(Place, Done)>> = BTreeMap::new();
        for item in done.iter().filter(|(_, what)| *what != Done::Keep) {
            folders.entry(&item.0.folder).or_default().push(item);
        }
        for (folder, items) in folders {
            if !self.folders().iter().any(|known| known == folder) {
                finished.stale.extend(items.into_iter().map(|(place, _)| place.clone()));
                continue;
            }
            let directory = self.directory(folder);
            let scan = scan(directory.clone()).await?;
            let handled = self.config.handled.as_ref().map_or(directory, |name| self.config.path.join(name));
            for (place, what) in items {
                if place.uid_validity != scan.uid_validity {
                    finished.stale.push(place.clone());
                } else if let Some(found) = scan.mails.iter().find(|mail| mail.uid == place.uid).cloned() {
                    let target = (*what == Done::Handled).then(|| handled.clone());
                    let work = move || match put_away(&found, target.as_deref()) {
                        Err(e) if e.kind() == io::ErrorKind::NotFound && !found.path.exists() => Ok(()),
                        done => done,
                    };
                    blocking("tidying the Maildir", work).await?;
                }
            }
        }
        Ok(finished)
    }

    async fn wait(&mut self, at_most: Duration) -> Result<Woken, Fault> {
        let mut left = at_most;
        loop {
            for folder in self.folders() {
                let directory = self.directory(&folder);
                let work = move || shelf::names(&directory).map_err(|fault| io::Error::other(fault.why));
                let names = blocking("watching the Maildir", work).await?;
                let unseen = |name: &String| !self.seen.get(&folder).is_some_and(|seen| seen.contains(name));
                if names.iter().any(unseen) {
                    return Ok(Woken::Mail);
                }
            }
            if left.is_zero() {
                return Ok(Woken::Timeout);
            }
            let slice = left.min(Duration::from_secs(self.config.poll_seconds.max(1)));
            tokio::time::sleep(slice).await;
            left -= slice;
        }
    }
}
