//! Mails over 1 MiB, which never stand whole in memory: each part is measured, sealed and stored as it comes, and a
//! sieve keeps what is read. Beside that the mail's own key is sealed, under which its parts are.

use super::Daemon;
use super::trace::{Readers, Trace};
use crate::kernel::token::{KeyedHasher, Minter};
use crate::letters::sieve::{Gone, Limits, Sieve, Skeleton};
use crate::ports::Fault;
use crate::ports::keys::{KEY, Keys};
use crate::ports::mailbox::Place;
use crate::ports::resolver::{Bodies, BodyHashes};
use crate::ports::store::{Answer, Mail, Store, Upload};
use serde::{Deserialize, Serialize};

/// What a stored mail is bound to: read as the other kind it does not open.
pub(super) fn kind(upload: Option<Upload>) -> &'static [u8] {
    if upload.is_some() { b"large mail" } else { b"mail" }
}

/// A mail that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The mail; of a large one what is read of it.
    pub skeleton: Skeleton,
    /// What leads to the rest of a large one.
    pub large: Option<Manifest>,
}

/// What is known of a large mail beside what is read of it.
#[derive(Serialize, Deserialize)]
pub struct Manifest {
    key: Vec<u8>,
    parts: u32,
    bodies: BodyHashes,
    gone: Vec<(usize, usize, Option<[u8; 32]>)>,
    cut: bool,
}

impl std::fmt::Debug for Manifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Manifest({} parts)", self.parts)
    }
}

impl Manifest {
    /// How many parts it has.
    pub(super) fn parts(&self) -> u32 {
        self.parts
    }

    /// What signatures have of the mail's body.
    pub(super) fn bodies(&self) -> &BodyHashes {
        &self.bodies
    }

    /// Four octets of its own length, itself as JSON, the mail.
    fn before(&self, mail: &[u8]) -> Answer<Vec<u8>> {
        let fault = || Fault::new("storing a large mail", "what is known of it cannot be written");
        let told = serde_json::to_vec(self).map_err(|_| fault())?;
        let length = u32::try_from(told.len()).map_err(|_| fault())?;
        Ok([&length.to_be_bytes()[..], &told, mail].concat())
    }

    fn split(bytes: &[u8]) -> Option<Opened> {
        let (length, rest) = bytes.split_at_checked(4)?;
        let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
        let (told, mail) = rest.split_at_checked(length)?;
        let manifest: Manifest = serde_json::from_slice(told).ok()?;
        let gone = manifest.gone.iter().map(|(at, size, hash)| Gone { at: *at, size: *size, hash: *hash });
        let skeleton = Skeleton { bytes: mail.to_vec(), gone: gone.collect(), cut: manifest.cut };
        Some(Opened { skeleton, large: Some(manifest) })
    }
}

/// What the parts of a mail are hashed for.
struct Hashers {
    dedup: KeyedHasher,
    bodies: Bodies,
}

impl Readers for Hashers {
    fn lasting(&mut self, bytes: &[u8]) {
        self.dedup.update(bytes);
    }

    fn body(&mut self, bytes: &[u8]) {
        self.bodies.push(bytes);
    }
}

/// A large mail while it comes.
pub(super) struct Coming {
    pub(super) place: Place,
    pub(super) upload: Upload,
    key: Vec<u8>,
    parts: u32,
    size: u64,
    trace: Trace,
    hashers: Hashers,
    sieve: Sieve,
}

/// A large mail that has come.
pub(super) struct Come {
    pub(super) dedup: [u8; 32],
    pub(super) size: u64,
    /// What is to be sealed in the mail's place.
    pub(super) whole: Vec<u8>,
    /// What is read of it.
    pub(super) skeleton: Skeleton,
}

impl Coming {
    /// # Errors
    /// The system has no random bytes.
    pub(super) fn new(place: Place, keys: &Keys, minter: &Minter) -> Answer<Coming> {
        let upload = keys.random(16)?.try_into();
        let upload = upload.map_err(|_| Fault::new("drawing random bytes", "the system has too few"))?;
        Ok(Coming {
            place,
            upload: Upload(upload),
            key: keys.random(KEY)?,
            parts: 0,
            size: 0,
            trace: Trace::default(),
            hashers: Hashers { dedup: minter.keyed_hasher("dedup"), bodies: Bodies::default() },
            sieve: Sieve::new(Limits::READ),
        })
    }

    /// Measures the next part: its number, and what of it is stored.
    ///
    /// # Errors
    /// It cannot be sealed.
    pub(super) fn part(&mut self, bytes: Vec<u8>, last: bool, keys: &Keys) -> Answer<(u32, Vec<u8>)> {
        let n = self.parts;
        self.parts += 1;
        self.size += bytes.len() as u64;
        self.trace.push(&bytes, &mut self.hashers);
        self.sieve.push(&bytes);
        Ok((n, keys.seal_part(&self.key, n, last, bytes)?))
    }

    /// # Errors
    /// What is known of it cannot be written.
    pub(super) fn finish(mut self) -> Answer<Come> {
        self.trace.finish(&mut self.hashers);
        let skeleton = self.sieve.finish();
        let manifest = Manifest {
            key: self.key,
            parts: self.parts,
            bodies: self.hashers.bodies.finish(),
            gone: skeleton.gone.iter().map(|gone| (gone.at, gone.size, gone.hash)).collect(),
            cut: skeleton.cut,
        };
        let whole = manifest.before(&skeleton.bytes)?;
        Ok(Come { dedup: self.hashers.dedup.finish(), size: self.size, whole, skeleton })
    }
}

impl<S: Store> Daemon<S> {
    /// Opens a mail. None: its key is gone, or its bytes were altered.
    ///
    /// # Errors
    /// The key store cannot be read.
    pub fn open_mail(&self, mail: &Mail) -> Answer<Option<Opened>> {
        let opened = self.keys.try_open(&mail.raw, kind(mail.upload))?;
        Ok(opened.and_then(|bytes| match mail.upload {
            Some(_) => Manifest::split(&bytes),
            None => Some(Opened { skeleton: bytes.into(), large: None }),
        }))
    }

    /// Lets the parts of a large mail through another sieve. None: they are gone, or were altered.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) async fn sift(
        &self,
        upload: Upload,
        manifest: &Manifest,
        limits: Limits,
    ) -> Answer<Option<Skeleton>> {
        let mut sieve = Sieve::new(limits);
        for n in 0..manifest.parts {
            let Some(part) = self.part_of(upload, manifest, n).await? else { return Ok(None) };
            sieve.push(&part);
        }
        Ok(Some(sieve.finish()))
    }

    /// A part of a large mail. None: it is gone, or was altered.
    pub(super) async fn part_of(
        &self,
        upload: Upload,
        manifest: &Manifest,
        n: u32,
    ) -> Answer<Option<Vec<u8>>> {
        let Some(sealed) = self.store.part(upload, n).await? else { return Ok(None) };
        self.keys.open_part(&manifest.key, n, n + 1 == manifest.parts, sealed)
    }
}
