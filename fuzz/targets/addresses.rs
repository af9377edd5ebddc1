//! Any bytes as header fields: addresses, ids, dates, the way a mail came, tokens. No token is ours by chance.
#![no_main]

use atlarged::kernel::ids::{CaseId, NoticeId};
use atlarged::kernel::token::Minter;
use atlarged_fuzz::read;

const FIELDS: [&str; 12] = [
    "From",
    "To",
    "Cc",
    "Reply-To",
    "Delivered-To",
    "References",
    "In-Reply-To",
    "Date",
    "Received",
    "Subject",
    "Authentication-Results",
    "Return-Path",
];

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let mut mail = Vec::new();
    for (field, value) in FIELDS.iter().cycle().zip(raw.split(|byte| *byte == b'\n')).take(100) {
        mail.extend_from_slice(field.as_bytes());
        mail.extend_from_slice(b": ");
        mail.extend_from_slice(value);
        mail.push(b'\n');
    }
    mail.extend_from_slice(b"\nYES\n");
    let minter = Minter::new(b"a key nobody knows", 3);
    for carrier in read(&mail).tokens {
        assert!(minter.check(&carrier.token).is_none(), "a token out of thin air");
    }
    if let Some((numbers, _)) = raw.split_first_chunk::<10>() {
        let number = |from: usize| {
            u32::from_be_bytes([numbers[from], numbers[from + 1], numbers[from + 2], numbers[from + 3]])
        };
        let n = u16::from_be_bytes([numbers[8], numbers[9]]);
        let notice = NoticeId { case: CaseId(i64::from(number(0))), seq: number(4), n };
        let token = minter.mint(notice).expect("numbers in range");
        assert_eq!(minter.check(&token.to_ascii_uppercase()), Some((3, notice)));
        assert!(Minter::new(b"another key", 3).check(&token).is_none());
    }
    if let Ok(text) = std::str::from_utf8(raw) {
        assert!(minter.check(text).is_none());
    }
});
