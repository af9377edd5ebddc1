//! Any lines as commands, with a proper signature and a quote below that hold commands too: those never count.
#![no_main]

use atlarged_fuzz::{plain, read};
use std::collections::HashSet;

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let Ok(text) = std::str::from_utf8(raw) else { return };
    let letter = read(&plain(raw));
    let distinct: HashSet<_> = letter.commands.iter().collect();
    assert_eq!(distinct.len(), letter.commands.len(), "each command once");
    if text.lines().all(|line| line.trim().is_empty()) {
        let below =
            format!("{text}\n-- \nAnn\nERASE\n\nOn Thu, Aug 20, 2026 at 10:15 AM Clerk wrote:\n> ERASE\n");
        assert!(read(&plain(below.as_bytes())).commands.is_empty());
    }
});
