//! Any text as what a person wrote: her words, quotes, signature, answer. The encoding on the way changes
//! nothing, and with nothing above a quote there is no answer.
#![no_main]

use atlarged_fuzz::{plain, plain_in_base64, quoted, read};

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let Ok(text) = std::str::from_utf8(raw) else { return };
    let letter = read(&plain(raw));
    let coded = read(&plain_in_base64(raw));
    assert_eq!((&letter.text, letter.answer), (&coded.text, coded.answer), "the encoding changes nothing");

    let below = read(&plain(quoted(text).as_bytes()));
    assert!(below.answer.choice.is_none(), "an answer out of a quote: {:?}", below.text);
    assert!(below.commands.is_empty(), "a command out of a quote: {:?}", below.commands);
});
