//! Any bytes as a mail forwarded below VERIFY, and as the mail that was sent: a mail is always its own copy, and
//! nothing that was read twice reads differently.
#![no_main]

use atlarged::kernel::said::Differs;
use atlarged::letters::forwarded::{forwarded, sent};
use atlarged::letters::print::Print;

fn code(text: &str) -> String {
    text.to_owned()
}

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let found = forwarded(raw);
    assert_eq!(found, forwarded(raw), "reading twice gives the same");
    let forms = sent(raw);
    assert!(forms.len() <= 2 && forms.iter().all(|form| form.len() <= 20_010), "few forms, bounded each");
    let print = Print::of(&forms, &code);
    let differs = print.differs(&forms, &code);
    assert!(!differs.contains(&Differs::Addresses), "an address of its own is foreign: {differs:?}");
    assert!(!differs.contains(&Differs::Links), "a link of its own is foreign: {differs:?}");
    if let Some(copy) = found {
        print.differs(&copy.forms, &code);
    }
});
