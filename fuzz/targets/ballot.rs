//! Any text as the file a ballot is opened with, and as a published tally: a matter or a refusal, the same twice.
#![no_main]

use atlarged::cli::{cases, import};
use atlarged::kernel::ids::CaseId;
use atlarged::kernel::register::Register;
use atlarged::kernel::tally;
use atlarged::kernel::workflow::{Input, Opening};
use atlarged::workflows::{Case, Kind, Policies, Surroundings};
use chrono::DateTime;
use std::sync::LazyLock;

static VILLAGE: LazyLock<Register> = LazyLock::new(|| {
    let text = include_str!("../../config/village/register.toml");
    Register::fold(&import::changes(text, false, &Register::default()).expect("the sample village"))
});

libfuzzer_sys::fuzz_target!(|raw: &[u8]| {
    let Ok(text) = std::str::from_utf8(raw) else { return };
    let now = DateTime::from_timestamp(1_787_000_000, 0).expect("a moment");
    let policies = Policies::default();
    let at = Surroundings { case: CaseId(9), now, policies: &policies, register: &VILLAGE };
    for json in [false, true] {
        let Ok(body) = cases::data(text, json) else { continue };
        let opening = Opening {
            kind: "ballot".into(),
            parent: None,
            by: None,
            body,
            arrived: now,
            nonce: "00".repeat(16),
        };
        let opened = Case::open(Kind::Ballot, &opening, &at);
        assert_eq!(opened, Case::open(Kind::Ballot, &opening, &at));
        let Ok(step) = opened else { continue };
        let stored = Case::load(Kind::Ballot, &step.state.save()).expect("what was stored loads");
        assert_eq!(stored, step.state);
        let wake = stored.wake_at().expect("an open ballot wakes");
        let woken = Surroundings { now: wake, ..at };
        stored.step(&Input::Wake, &woken).expect("a clock is never refused");
    }
    let _ = tally::recount(text, None);
});
