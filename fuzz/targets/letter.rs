//! Any bytes as a mail: everything `inspect` reads.
#![no_main]

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    atlarged_fuzz::read(raw);
});
