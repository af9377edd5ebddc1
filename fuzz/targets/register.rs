//! Any text as a file of people and organisations, TOML and CSV: changes or errors by line, and what was imported
//! once changes nothing the second time.
#![no_main]

use atlarged::cli::import::changes;
use atlarged::kernel::register::Register;

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let Ok(text) = std::str::from_utf8(raw) else { return };
    for csv in [false, true] {
        let register = Register::default();
        let first = changes(text, csv, &register);
        assert_eq!(first, changes(text, csv, &register), "reading twice gives the same");
        match first {
            Ok(imported) => {
                let register = Register::fold(&imported);
                assert_eq!(changes(text, csv, &register), Ok(Vec::new()), "a second import changes nothing");
            }
            Err(wrong) => {
                let lines = text.lines().count() + 1;
                assert!(!wrong.is_empty() && wrong.iter().all(|wrong| wrong.line <= lines), "{wrong:?}");
            }
        }
    }
});
