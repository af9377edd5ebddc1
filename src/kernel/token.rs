//! The token every notice carries: which matter, which mail, and a MAC that nobody else can make.
//! `epoch.case.seq.n` + MAC in base32, so that it survives mail programs that change letter case.

use super::ids::{CaseId, NoticeId};
use data_encoding::BASE32_NOPAD;
use ring::hmac;

/// Bytes of the MAC kept: a forger gets one try per mail sent, and 2^64 are enough.
const MAC: usize = 8;
const PLAIN: usize = 2 + 4 + 4 + 2;
/// Characters of a token as written.
pub const LENGTH: usize = 32;

/// Makes and checks tokens. One key per installation, kept in the key store.
#[derive(Clone)]
pub struct Minter {
    key: hmac::Key,
    epoch: u16,
}

impl Minter {
    /// `epoch` counts restores: a number given out again after one has another token than before.
    pub fn new(secret: &[u8], epoch: u16) -> Minter {
        Minter { key: hmac::Key::new(hmac::HMAC_SHA256, secret), epoch }
    }

    /// The epoch of the tokens made here.
    pub fn epoch(&self) -> u16 {
        self.epoch
    }

    /// The token of a notice, lower case, `LENGTH` characters. `None` where a number is out of range
    /// (a case beyond 2^32).
    pub fn mint(&self, notice: NoticeId) -> Option<String> {
        let case = u32::try_from(notice.case.0).ok()?;
        let mut bytes = Vec::with_capacity(PLAIN + MAC);
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&case.to_be_bytes());
        bytes.extend_from_slice(&notice.seq.to_be_bytes());
        bytes.extend_from_slice(&notice.n.to_be_bytes());
        let mac = hmac::sign(&self.key, &bytes);
        bytes.extend_from_slice(&mac.as_ref()[..MAC]);
        Some(BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
    }

    /// The epoch in which this token was made and the notice it then named; `None` for anything we did not
    /// write. After a restore the same number may name another notice.
    pub fn check(&self, token: &str) -> Option<(u16, NoticeId)> {
        if token.len() != LENGTH {
            return None;
        }
        let bytes = BASE32_NOPAD.decode(token.to_ascii_uppercase().as_bytes()).ok()?;
        let (plain, mac) = bytes.split_at_checked(PLAIN)?;
        let expected = hmac::sign(&self.key, plain);
        // The comparison's time says how many bytes agree; the sender learns nothing by mail, and a
        // truncated MAC cannot go through `hmac::verify`, so all bytes are compared without a branch.
        let differ = expected.as_ref()[..MAC].iter().zip(mac).fold(0, |acc, (a, b)| acc | (a ^ b));
        if mac.len() != MAC || differ != 0 {
            return None;
        }
        let epoch = u16::from_be_bytes(plain[..2].try_into().ok()?);
        let case = u32::from_be_bytes(plain[2..6].try_into().ok()?);
        let seq = u32::from_be_bytes(plain[6..10].try_into().ok()?);
        let n = u16::from_be_bytes(plain[10..12].try_into().ok()?);
        Some((epoch, NoticeId { case: CaseId(i64::from(case)), seq, n }))
    }

    /// A code derived from the same key for another purpose: `purpose` keeps the uses apart.
    pub fn keyed_hash(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        let mut hasher = self.keyed_hasher(purpose);
        hasher.update(data);
        hasher.finish()
    }

    /// The same of what comes in pieces.
    pub fn keyed_hasher(&self, purpose: &str) -> KeyedHasher {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        KeyedHasher(context)
    }
}

/// A keyed hash in the making.
#[derive(Clone)]
pub struct KeyedHasher(hmac::Context);

impl KeyedHasher {
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    pub fn finish(self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(self.0.sign().as_ref());
        out
    }
}

impl std::fmt::Debug for KeyedHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyedHasher")
    }
}

impl std::fmt::Debug for Minter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Minter(epoch {})", self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTICE: NoticeId = NoticeId { case: CaseId(42), seq: 7, n: 3 };

    #[test]
    fn a_token_is_read_back_in_any_letter_case() {
        let minter = Minter::new(b"secret", 1);
        let token = minter.mint(NOTICE).unwrap();
        assert_eq!(token.len(), LENGTH);
        assert_eq!(minter.check(&token), Some((1, NOTICE)));
        assert_eq!(minter.check(&token.to_uppercase()), Some((1, NOTICE)));
        assert_eq!(Minter::new(b"secret", 2).check(&token), Some((1, NOTICE)));
    }

    #[test]
    fn an_altered_token_is_nobodys() {
        let minter = Minter::new(b"secret", 1);
        let token = minter.mint(NOTICE).unwrap();
        for at in 0..LENGTH {
            let mut altered: Vec<char> = token.chars().collect();
            altered[at] = if altered[at] == 'a' { 'b' } else { 'a' };
            let altered: String = altered.into_iter().collect();
            assert_eq!(minter.check(&altered), None, "character {at}");
        }
        assert_eq!(minter.check(&token[1..]), None);
        assert_eq!(Minter::new(b"other", 1).check(&token), None);
    }
}
