//! Any text as the configuration and as the policies: what is taken passes its own check, errors hold no panic.
#![no_main]

use atlarged::config::Config;
use atlarged::workflows::Policies;
use std::path::Path;

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let Ok(text) = std::str::from_utf8(raw) else { return };
    if let Ok(config) = Config::parse(text, Path::new("atlarged.toml")) {
        assert!(!config.mailboxes().is_empty());
    }
    if let Ok(policies) = toml::from_str::<Policies>(text)
        && policies.check().is_ok()
    {
        let written = toml::to_string(&policies).expect("policies are plain data");
        assert_eq!(toml::from_str::<Policies>(&written).as_ref(), Ok(&policies));
    }
});
