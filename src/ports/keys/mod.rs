//! The key store: what must never lie in the database. A directory outside Postgres and its backups, which
//! several hosts may share. Destroying a key here destroys what it sealed in every copy of the database.

mod directory;

use super::Fault;
use super::store::{Answer, Sealed};
use crate::kernel::ids::CaseId;
use crate::kernel::tally;
use crate::kernel::token::Minter;
use chrono::NaiveDate;
use directory::Directory;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// Octets of every key and of the installation's secret.
pub const KEY: usize = 32;

const SECRET: &str = "secret";
const SIGNING: &str = "signing";
const EPOCH: &str = "epoch";
const WITNESS: &str = "witness";

/// How far the journal had come when last looked at: its newest row, and that row's hash in hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    pub number: i64,
    pub hash: String,
}

/// The name of a key that seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyName {
    /// What arrived on a day (UTC); spent when everything of that day is dealt with.
    Intake(NaiveDate),
    /// What is confidential in a case, until the case is shredded.
    Case(CaseId),
    /// One thing alone, by the day (UTC) on which it was sealed and by chance; until it is dealt with.
    Once(NaiveDate, u128),
}

/// As a file's name: "intake-2026-03-01", "case-42", "once-2026-03-01-" and 32 figures.
impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyName::Intake(day) => write!(f, "intake-{}", day.format("%Y-%m-%d")),
            KeyName::Case(case) => write!(f, "case-{}", case.0),
            KeyName::Once(day, chance) => write!(f, "once-{}-{chance:032x}", day.format("%Y-%m-%d")),
        }
    }
}

impl FromStr for KeyName {
    type Err = Fault;

    fn from_str(name: &str) -> Answer<KeyName> {
        let date = |day: &str| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok();
        let day = |day: &str| date(day).map(KeyName::Intake);
        let once = |once: &str| {
            let (day, chance) = once.rsplit_once('-')?;
            Some(KeyName::Once(date(day)?, u128::from_str_radix(chance, 16).ok()?))
        };
        let case = |number: &str| number.parse().ok().map(|number| KeyName::Case(CaseId(number)));
        let read = name.strip_prefix("intake-").and_then(day);
        read.or_else(|| name.strip_prefix("case-").and_then(case))
            .or_else(|| name.strip_prefix("once-").and_then(once))
            .filter(|read| read.to_string() == name)
            .ok_or_else(|| Fault::new("reading the name of a key", "it is none of ours"))
    }
}

enum Vault {
    Directory(Directory),
    Memory(Mutex<BTreeMap<String, Vec<u8>>>),
}

enum Random {
    System(SystemRandom),
    Seeded(Box<Mutex<ChaCha20Rng>>),
}

/// The keys of one installation.
pub struct Keys {
    vault: Vault,
    random: Random,
    secret: Vec<u8>,
    signing: Ed25519KeyPair,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Opens the directory of an installation.
    ///
    /// # Errors
    /// Where it is missing or empty, unreadable, or open to others; the text says what to do.
    pub fn directory(dir: &Path) -> Answer<Keys> {
        Keys::load(Vault::Directory(Directory::open(dir)?), Random::System(SystemRandom::new()))
    }

    /// Opens the directory and makes what is missing: itself, the secret, the signing key. Keys that are
    /// there are never replaced, not even by another host that does the same at the same time.
    ///
    /// # Errors
    /// As `directory`, and where it cannot be written.
    pub fn create(dir: &Path) -> Answer<Keys> {
        let vault = Vault::Directory(Directory::create(dir)?);
        let random = Random::System(SystemRandom::new());
        for name in [SECRET, SIGNING] {
            vault.get_or_put(name, &random.bytes(KEY)?)?;
        }
        Keys::load(vault, random)
    }

    /// Keys for the simulator: the same seed gives the same keys, nonces and chance.
    pub fn in_memory(seed: u64) -> Keys {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut key = || {
            let mut key = vec![0; KEY];
            rng.fill_bytes(&mut key);
            key
        };
        let (secret, signing) = (key(), key());
        let random = Random::Seeded(Box::new(Mutex::new(rng)));
        let signing = Ed25519KeyPair::from_seed_unchecked(&signing).expect("a seed of 32 octets");
        Keys { vault: Vault::Memory(Mutex::default()), random, secret, signing }
    }

    fn load(vault: Vault, random: Random) -> Answer<Keys> {
        let missing = |name| {
            let why = format!(
                "{name} is missing; restore it from its backup; for a new installation run `atlarged migrate`"
            );
            Fault::new("opening the key store", why)
        };
        let secret = vault.get(SECRET)?.ok_or_else(|| missing(SECRET))?;
        let seed = vault.get(SIGNING)?.ok_or_else(|| missing(SIGNING))?;
        let damaged = |name| Fault::new("opening the key store", format!("{name} is damaged; restore it"));
        if secret.len() != KEY {
            return Err(damaged(SECRET));
        }
        let signing = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| damaged(SIGNING))?;
        Ok(Keys { vault, random, secret, signing })
    }

    /// Makes tokens and keyed hashes with the installation's secret.
    pub fn minter(&self, epoch: u16) -> Minter {
        Minter::new(&self.secret, epoch)
    }

    /// How often this installation was restored, as the key store remembers it; none before the first start.
    ///
    /// # Errors
    /// The key store cannot be read.
    pub fn epoch(&self) -> Answer<Option<u16>> {
        let Some(bytes) = self.vault.get(EPOCH)? else { return Ok(None) };
        let epoch = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
        epoch.map(Some).ok_or_else(|| Fault::new("reading the epoch", "the file holds no number; restore it"))
    }

    /// # Errors
    /// The key store cannot be written.
    pub fn set_epoch(&self, epoch: u16) -> Answer<()> {
        self.vault.replace(EPOCH, format!("{epoch}\n").as_bytes())
    }

    /// How far the journal had come, as the key store remembers it; none before the first step.
    ///
    /// # Errors
    /// The key store cannot be read.
    pub fn witness(&self) -> Answer<Option<Witness>> {
        let Some(bytes) = self.vault.get(WITNESS)? else { return Ok(None) };
        let read = std::str::from_utf8(&bytes).ok().and_then(|text| {
            let (number, hash) = text.trim().split_once(' ')?;
            Some(Witness { number: number.parse().ok()?, hash: hash.to_owned() })
        });
        let why = "the file holds no step of the journal; run `atlarged resume --restored`";
        read.map(Some).ok_or_else(|| Fault::new("reading the witness of the journal", why))
    }

    /// Remembers how far the journal has come; whole or not at all.
    ///
    /// # Errors
    /// The key store cannot be written.
    pub fn set_witness(&self, witness: &Witness) -> Answer<()> {
        self.vault.replace(WITNESS, format!("{} {}\n", witness.number, witness.hash).as_bytes())
    }

    /// Forgets it: the journal that comes next is taken as it is.
    ///
    /// # Errors
    /// The key store cannot be written.
    pub fn forget_witness(&self) -> Answer<()> {
        self.vault.remove(WITNESS).map(|_| ())
    }

    /// The Ed25519 public key, 32 octets.
    pub fn public_key(&self) -> &[u8] {
        self.signing.public_key().as_ref()
    }

    /// SHA-256 of the public key, in hex: what is published apart.
    pub fn fingerprint(&self) -> String {
        tally::fingerprint(self.public_key())
    }

    /// The Ed25519 signature (RFC 8032), 64 octets.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.signing.sign(bytes).as_ref().to_vec()
    }

    /// Bytes nobody can guess.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn random(&self, n: usize) -> Answer<Vec<u8>> {
        self.random.bytes(n)
    }

    /// The name of a key for one thing alone.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn once(&self, day: NaiveDate) -> Answer<KeyName> {
        let chance =
            self.random.bytes(16)?.try_into().map_err(|_| Fault::new("naming a key", "no chance"))?;
        Ok(KeyName::Once(day, u128::from_be_bytes(chance)))
    }

    /// Seals bytes under a key, which is made where there is none yet: ChaCha20-Poly1305 (RFC 8439), the
    /// random nonce in front. `aad` must be given again to open; the key's name is bound in with it.
    ///
    /// # Errors
    /// The key was destroyed with its case, or the key store cannot be read or written.
    pub fn seal(&self, name: &KeyName, bytes: &[u8], aad: &[u8]) -> Answer<Sealed> {
        let key = name.to_string();
        let fault = || Fault::new("sealing", "the bytes are too long");
        let sealing = match self.vault.get(&key)? {
            Some(bytes) => bytes,
            None => self.vault.get_or_put(&key, &self.random.bytes(KEY)?)?,
        };
        if sealing.is_empty() {
            return Err(Fault::new(
                "sealing",
                "the case was shredded, and nothing is sealed for it any more",
            ));
        }
        let nonce: [u8; NONCE_LEN] = self.random.bytes(NONCE_LEN)?.try_into().map_err(|_| fault())?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + bytes.len() + CHACHA20_POLY1305.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(bytes);
        let tag = cipher(&sealing)?.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            bound(&key, aad),
            &mut sealed[NONCE_LEN..],
        );
        sealed.extend_from_slice(tag.map_err(|_| fault())?.as_ref());
        Ok(Sealed { key, bytes: sealed })
    }

    /// What was sealed.
    ///
    /// # Errors
    /// The key is gone, as it should be once shredded or expired; or the bytes are not what was sealed
    /// with this `aad`; or the key store cannot be read.
    pub fn open(&self, sealed: &Sealed, aad: &[u8]) -> Answer<Vec<u8>> {
        self.try_open(sealed, aad)?.ok_or_else(|| {
            let why = "the key is gone (shredded, expired, in another key store), or the bytes were altered";
            Fault::new(format!("opening what {} sealed", sealed.key), why)
        })
    }

    /// What was sealed; none where no try will ever open it: its key is gone, or the bytes were altered.
    ///
    /// # Errors
    /// The key store cannot be read now.
    pub fn try_open(&self, sealed: &Sealed, aad: &[u8]) -> Answer<Option<Vec<u8>>> {
        let Ok(name) = sealed.key.parse::<KeyName>() else { return Ok(None) };
        let key = self.vault.get(&name.to_string())?.filter(|key| !key.is_empty());
        let Some(key) = key else { return Ok(None) };
        let Some((nonce, rest)) = sealed.bytes.split_at_checked(NONCE_LEN) else { return Ok(None) };
        let Ok(nonce) = Nonce::try_assume_unique_for_key(nonce) else { return Ok(None) };
        let mut bytes = rest.to_vec();
        let plain = cipher(&key)?.open_in_place(nonce, bound(&sealed.key, aad), &mut bytes);
        let Ok(length) = plain.map(|plain| plain.len()) else { return Ok(None) };
        bytes.truncate(length);
        Ok(Some(bytes))
    }

    /// Seals the `n`th part of something large under a key that is kept with what names it, not here: parts can be
    /// neither swapped, nor left out, nor moved to another thing.
    ///
    /// # Errors
    /// The key is none, or the system has no random bytes.
    pub fn seal_part(&self, key: &[u8], n: u32, last: bool, mut bytes: Vec<u8>) -> Answer<Vec<u8>> {
        let fault = || Fault::new("sealing a part", "it is too long, or there is no chance");
        let nonce: [u8; NONCE_LEN] = self.random.bytes(NONCE_LEN)?.try_into().map_err(|_| fault())?;
        let sealing = Nonce::assume_unique_for_key(nonce);
        cipher(key)?.seal_in_place_append_tag(sealing, part_aad(n, last), &mut bytes).map_err(|_| fault())?;
        bytes.extend_from_slice(&nonce);
        Ok(bytes)
    }

    /// What `seal_part` sealed; none where the bytes, the number or the key are others.
    ///
    /// # Errors
    /// The key is none.
    pub fn open_part(&self, key: &[u8], n: u32, last: bool, mut sealed: Vec<u8>) -> Answer<Option<Vec<u8>>> {
        let Some(end) = sealed.len().checked_sub(NONCE_LEN) else { return Ok(None) };
        let Ok(nonce) = Nonce::try_assume_unique_for_key(&sealed[end..]) else { return Ok(None) };
        sealed.truncate(end);
        let plain = cipher(key)?.open_in_place(nonce, part_aad(n, last), &mut sealed);
        let Ok(length) = plain.map(|plain| plain.len()) else { return Ok(None) };
        sealed.truncate(length);
        Ok(Some(sealed))
    }

    /// Destroys a case's key: nothing sealed under it can be opened any more, in any copy. An empty file stays in
    /// its place, so that nobody who comes late makes another. True where there was a key.
    ///
    /// # Errors
    /// The key store cannot be written.
    pub fn shred(&self, case: CaseId) -> Answer<bool> {
        let name = KeyName::Case(case).to_string();
        let there_was = self.vault.get(&name)?.is_some_and(|key| !key.is_empty());
        self.vault.replace(&name, &[])?;
        Ok(there_was)
    }

    /// Whether a case's key was destroyed. None is made again.
    ///
    /// # Errors
    /// The key store cannot be read.
    pub fn is_shredded(&self, case: CaseId) -> Answer<bool> {
        let key = self.vault.get(&KeyName::Case(case).to_string())?;
        Ok(key.is_some_and(|key| key.is_empty()))
    }

    /// Destroys a key that was for one thing alone; no other.
    ///
    /// # Errors
    /// The key store cannot be written.
    pub fn destroy(&self, name: &str) -> Answer<bool> {
        match name.parse() {
            Ok(KeyName::Once(..)) => self.vault.remove(name),
            _ => Ok(false),
        }
    }

    /// Destroys keys for one thing alone that were made before a day and that nothing needs: what they were for
    /// was never stored. Returns how many.
    ///
    /// # Errors
    /// The key store cannot be read or written.
    pub fn tidy(&self, before: NaiveDate, needed: &BTreeSet<String>) -> Answer<usize> {
        let mut gone = 0;
        for name in self.vault.names()? {
            let old = matches!(name.parse(), Ok(KeyName::Once(day, _)) if day < before);
            if old && !needed.contains(&name) {
                gone += usize::from(self.vault.remove(&name)?);
            }
        }
        Ok(gone)
    }

    /// Destroys the intake keys of the days before this one, and says how many there were.
    ///
    /// # Errors
    /// The key store cannot be read or written.
    pub fn expire_intake(&self, before: NaiveDate) -> Answer<usize> {
        let mut gone = 0;
        for name in self.vault.names()? {
            if matches!(name.parse(), Ok(KeyName::Intake(day)) if day < before) {
                gone += usize::from(self.vault.remove(&name)?);
            }
        }
        Ok(gone)
    }
}

fn cipher(key: &[u8]) -> Answer<LessSafeKey> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key);
    key.map(LessSafeKey::new).map_err(|_| Fault::new("reading a key", "it is damaged; restore the key store"))
}

fn bound(key: &str, aad: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([key.as_bytes(), &[0], aad].concat())
}

fn part_aad(n: u32, last: bool) -> Aad<[u8; 5]> {
    let [a, b, c, d] = n.to_be_bytes();
    Aad::from([a, b, c, d, u8::from(last)])
}

impl Random {
    fn bytes(&self, n: usize) -> Answer<Vec<u8>> {
        let mut bytes = vec![0; n];
        match self {
            Random::System(system) => system
                .fill(&mut bytes)
                .map_err(|_| Fault::new("drawing random bytes", "the system has none"))?,
            Random::Seeded(rng) => {
                rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
            }
        }
        Ok(bytes)
    }
}

impl Vault {
    fn get(&self, name: &str) -> Answer<Option<Vec<u8>>> {
        match self {
            Vault::Directory(directory) => directory.get(name),
            Vault::Memory(keys) => Ok(locked(keys).get(name).cloned()),
        }
    }

    /// Puts a key unless there is one, and returns the one there is.
    fn get_or_put(&self, name: &str, new: &[u8]) -> Answer<Vec<u8>> {
        match self {
            Vault::Directory(directory) => directory.get_or_put(name, new),
            Vault::Memory(keys) => {
                Ok(locked(keys).entry(name.to_owned()).or_insert_with(|| new.to_vec()).clone())
            }
        }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Answer<()> {
        match self {
            Vault::Directory(directory) => directory.replace(name, bytes),
            Vault::Memory(keys) => {
                locked(keys).insert(name.to_owned(), bytes.to_vec());
                Ok(())
            }
        }
    }

    fn remove(&self, name: &str) -> Answer<bool> {
        match self {
            Vault::Directory(directory) => directory.remove(name),
            Vault::Memory(keys) => Ok(locked(keys).remove(name).is_some()),
        }
    }

    fn names(&self) -> Answer<Vec<String>> {
        match self {
            Vault::Directory(directory) => directory.names(),
            Vault::Memory(keys) => Ok(locked(keys).keys().cloned().collect()),
        }
    }
}

fn locked(keys: &Mutex<BTreeMap<String, Vec<u8>>>) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
    keys.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
