//! What the key store promises.

use super::*;
use ring::signature::{ED25519, UnparsedPublicKey};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

const CASE: KeyName = KeyName::Case(CaseId(42));

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
}

/// Runs a test on both kinds of key store.
fn check(promise: impl Fn(&Keys)) {
    promise(&Keys::in_memory(7));
    let dir = tempfile::tempdir().unwrap();
    promise(&Keys::create(&dir.path().join("keys")).unwrap());
}

#[test]
fn what_was_sealed_opens_with_the_same_words() {
    check(|keys| {
        let sealed = keys.seal(&CASE, b"secret words", b"mail").unwrap();
        assert_eq!(sealed.key, "case-42");
        assert!(!sealed.bytes.windows(6).any(|w| w == b"secret"));
        assert_eq!(keys.open(&sealed, b"mail").unwrap(), b"secret words");
        assert!(keys.open(&sealed, b"page").is_err());
        let twice = keys.seal(&CASE, b"secret words", b"mail").unwrap();
        assert_ne!(twice.bytes, sealed.bytes);
    });
}

#[test]
fn parts_cannot_be_swapped_left_out_altered_or_opened_with_another_key() {
    check(|keys| {
        let (key, other) = (keys.random(KEY).unwrap(), keys.random(KEY).unwrap());
        let sealed = keys.seal_part(&key, 3, false, b"a part".to_vec()).unwrap();
        let open =
            |key: &[u8], n, last, sealed: &[u8]| keys.open_part(key, n, last, sealed.to_vec()).unwrap();
        assert_eq!(open(&key, 3, false, &sealed).as_deref(), Some(&b"a part"[..]));
        assert_eq!(open(&key, 2, false, &sealed), None, "in another place");
        assert_eq!(open(&key, 3, true, &sealed), None, "as the last");
        assert_eq!(open(&other, 3, false, &sealed), None);
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(open(&key, 3, false, &altered), None, "octet {at}");
        }
        assert_eq!(open(&key, 3, false, b"short"), None);
        assert!(keys.open_part(b"no key", 3, false, sealed).is_err());
    });
}

#[test]
fn altered_bytes_or_another_keys_name_open_nothing() {
    check(|keys| {
        let sealed = keys.seal(&CASE, b"x", b"").unwrap();
        for at in 0..sealed.bytes.len() {
            let mut altered = sealed.clone();
            altered.bytes[at] ^= 1;
            assert!(keys.open(&altered, b"").is_err(), "octet {at}");
        }
        assert!(keys.open(&Sealed { bytes: vec![1, 2], ..sealed.clone() }, b"").is_err());
        for name in ["case-43", "secret", "../secret", "case-042", "intake-2026-3-1"] {
            assert!(keys.open(&Sealed { key: name.into(), ..sealed.clone() }, b"").is_err(), "{name}");
        }
    });
}

#[test]
fn a_shredded_case_is_closed_for_ever() {
    check(|keys| {
        let sealed = keys.seal(&CASE, b"x", b"").unwrap();
        assert!(!keys.is_shredded(CaseId(42)).unwrap());
        assert!(keys.shred(CaseId(42)).unwrap());
        assert!(keys.is_shredded(CaseId(42)).unwrap());
        assert!(!keys.shred(CaseId(42)).unwrap());
        let fault = keys.open(&sealed, b"").unwrap_err();
        assert!(fault.to_string().contains("the key is gone"), "{fault}");
        assert!(keys.seal(&CASE, b"new", b"").unwrap_err().to_string().contains("shredded"));
        assert!(keys.open(&sealed, b"").is_err());
    });
}

#[test]
fn a_key_for_one_thing_is_destroyed_alone() {
    check(|keys| {
        let names = [1, 1, 2].map(|d| keys.once(day(d)).unwrap());
        assert!(names.iter().all(|name| name.to_string().parse::<KeyName>().unwrap() == *name));
        let sealed = names.map(|name| keys.seal(&name, b"x", b"").unwrap());
        assert!(keys.destroy(&sealed[0].key).unwrap());
        assert!(!keys.destroy(&sealed[0].key).unwrap());
        assert!(keys.open(&sealed[0], b"").is_err());
        assert!(keys.open(&sealed[1], b"").is_ok());
        keys.seal(&CASE, b"x", b"").unwrap();
        for name in ["secret", "case-42", "../secret"] {
            assert!(!keys.destroy(name).unwrap(), "{name}");
        }
    });
}

#[test]
fn keys_of_what_was_never_stored_are_tidied_away() {
    check(|keys| {
        let sealed = [1, 1, 2].map(|d| keys.seal(&keys.once(day(d)).unwrap(), b"x", b"").unwrap());
        let needed = BTreeSet::from([sealed[1].key.clone()]);
        assert_eq!(keys.tidy(day(2), &needed).unwrap(), 1);
        let opens = |sealed: &Sealed| keys.open(sealed, b"").is_ok();
        assert_eq!(sealed.each_ref().map(opens), [false, true, true]);
    });
}

#[test]
fn spent_days_are_forgotten() {
    check(|keys| {
        let sealed = [1, 2, 3].map(|d| keys.seal(&KeyName::Intake(day(d)), b"x", b"").unwrap());
        assert_eq!(keys.expire_intake(day(3)).unwrap(), 2);
        assert!(keys.open(&sealed[1], b"").is_err());
        assert!(keys.open(&sealed[2], b"").is_ok());
    });
}

#[test]
fn a_signature_is_checked_with_the_public_key() {
    check(|keys| {
        let signature = keys.sign(b"tally");
        let public = UnparsedPublicKey::new(&ED25519, keys.public_key());
        assert!(public.verify(b"tally", &signature).is_ok());
        assert!(public.verify(b"tallies", &signature).is_err());
        assert_eq!(keys.fingerprint().len(), 64);
    });
}

#[test]
fn the_epoch_is_remembered() {
    check(|keys| {
        assert_eq!(keys.epoch().unwrap(), None);
        keys.set_epoch(1).unwrap();
        keys.set_epoch(2).unwrap();
        assert_eq!(keys.epoch().unwrap(), Some(2));
    });
}

#[test]
fn the_witness_of_the_journal_is_remembered_until_it_is_forgotten() {
    check(|keys| {
        assert_eq!(keys.witness().unwrap(), None);
        for number in [1, 7] {
            let seen = Witness { number, hash: "ab".repeat(32) };
            keys.set_witness(&seen).unwrap();
            assert_eq!(keys.witness().unwrap(), Some(seen));
        }
        keys.forget_witness().unwrap();
        keys.forget_witness().unwrap();
        assert_eq!(keys.witness().unwrap(), None);
    });
}

#[test]
fn an_installation_keeps_its_keys() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("keys");
    assert!(Keys::directory(&dir).unwrap_err().to_string().contains("atlarged migrate"));
    let first = Keys::create(&dir).unwrap();
    let sealed = first.seal(&CASE, b"x", b"").unwrap();
    for again in [Keys::create(&dir).unwrap(), Keys::directory(&dir).unwrap()] {
        assert_eq!(again.public_key(), first.public_key());
        assert_eq!(again.minter(1).keyed_hash("dedup", b"m"), first.minter(1).keyed_hash("dedup", b"m"));
        assert_eq!(again.open(&sealed, b"").unwrap(), b"x");
    }
    fs::remove_file(dir.join("signing")).unwrap();
    assert!(Keys::directory(&dir).unwrap_err().to_string().contains("signing is missing"));
}

#[test]
fn hosts_that_make_a_key_at_the_same_time_get_the_same_one() {
    let dir = tempfile::tempdir().unwrap();
    let hosts: Vec<Keys> = (0..4).map(|_| Keys::create(dir.path().join("k").as_path()).unwrap()).collect();
    let sealed: Vec<Sealed> = std::thread::scope(|scope| {
        let sealing = |keys| scope.spawn(move || Keys::seal(keys, &CASE, b"x", b"").unwrap());
        let running: Vec<_> = hosts.iter().map(sealing).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for sealed in &sealed {
        assert!(hosts.iter().all(|keys| keys.open(sealed, b"").is_ok()));
    }
    let drafts = fs::read_dir(dir.path().join("k")).unwrap().flatten();
    assert_eq!(drafts.filter(|entry| entry.file_name().to_string_lossy().starts_with('.')).count(), 0);
}

#[test]
fn a_key_store_open_to_others_is_refused_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("keys");
    let keys = Keys::create(&dir).unwrap();
    fs::set_permissions(dir.join("secret"), Permissions::from_mode(0o640)).unwrap();
    assert!(Keys::directory(&dir).unwrap_err().to_string().contains("do: chmod 600"));
    fs::set_permissions(dir.join("secret"), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
    assert!(Keys::directory(&dir).unwrap_err().to_string().contains("do: chmod 700"));
    assert_eq!(keys.epoch().unwrap(), None);
}

#[test]
fn the_same_seed_gives_the_same_chance() {
    let (one, two, three) = (Keys::in_memory(1), Keys::in_memory(1), Keys::in_memory(2));
    assert_eq!(one.random(16).unwrap(), two.random(16).unwrap());
    assert_eq!(one.public_key(), two.public_key());
    assert_ne!(one.public_key(), three.public_key());
    assert_ne!(one.random(16).unwrap(), one.random(16).unwrap());
}
