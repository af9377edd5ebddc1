//! The faults of the world, drawn from a stream of their own, and counted. A crash kills the instance: from
//! then on nothing it asks for is done, until it is built anew.

use super::chance::{Chance, FAULTS};
use crate::ports::Fault;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What can go wrong, by the boundary at which it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The store is out of reach; nothing was done.
    StoreAway,
    /// The store did it, and the answer was lost.
    StoreAnswerLost,
    /// The process dies before a call to the store.
    CrashBefore,
    /// The process dies after a call to the store, before it knows.
    CrashAfter,
    /// The connection to the mailbox is lost in the middle of a fetch.
    FetchLost,
    /// The mailbox gives the same mails twice.
    SameUid,
    /// The mailbox numbers its mails anew.
    Renumbered,
    /// Marking handled mails fails.
    FinishLost,
    /// A mail is put into the junk folder.
    Junk,
    /// A mail is overtaken by a later one.
    Overtaken,
    /// A mail bears the Message-ID of another.
    ReusedId,
    /// The relay cannot be reached.
    RelayAway,
    /// The relay says 4xx.
    Later,
    /// The relay says 5xx.
    Never,
    /// The relay took the mail, and its 250 was lost.
    Lost250,
    /// The process dies after the relay took the mail.
    CrashSent,
    /// The machine's clock is set back by some minutes.
    ClockBack,
    /// The machine sleeps for hours.
    Sleep,
}

/// Calls to the store in one turn beyond which it has no end.
const CALLS: u64 = 200_000;

struct State {
    chance: Chance,
    per_million: u64,
    counts: BTreeMap<Kind, u64>,
    /// The process died; its successor is not there yet.
    dead: bool,
    /// Calls to the store in this turn.
    calls: u64,
    /// Crashes and lost answers that may have caused a second delivery.
    incidents: u64,
}

/// Shared by everything that can fail.
pub struct Faults(Mutex<State>);

impl Faults {
    /// `per_mille`: how many of a thousand calls fail, at each boundary.
    pub fn new(seed: u64, per_mille: f64) -> Faults {
        let per_million = (per_mille.clamp(0.0, 500.0) * 1_000.0).round() as u64;
        let chance = Chance::new(seed, FAULTS);
        Faults(Mutex::new(State {
            chance,
            per_million,
            counts: BTreeMap::new(),
            dead: false,
            calls: 0,
            incidents: 0,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the weather is fair.
    pub fn stop(&self) {
        self.state().per_million = 0;
    }

    /// Whether one of these happens now, and which. `often` weighs this place against the others.
    pub fn strike(&self, kinds: &[Kind], often: u64) -> Option<Kind> {
        let mut state = self.state();
        let likely = state.per_million * often;
        if state.per_million == 0 || !state.chance.permillion(likely) {
            return None;
        }
        let kind = *state.chance.pick(kinds)?;
        *state.counts.entry(kind).or_default() += 1;
        match kind {
            Kind::CrashBefore | Kind::CrashAfter | Kind::CrashSent => {
                state.incidents += 1;
                state.dead |= kind != Kind::CrashAfter && kind != Kind::CrashSent;
            }
            Kind::Lost250 => state.incidents += 1,
            _ => {}
        }
        Some(kind)
    }

    /// A number below `n`, for the details of a fault.
    pub fn below(&self, n: u64) -> u64 {
        self.state().chance.below(n)
    }

    /// The process dies now.
    pub fn die(&self) {
        self.state().dead = true;
    }

    pub fn dead(&self) -> bool {
        self.state().dead
    }

    /// A new process.
    pub fn live(&self) {
        self.state().dead = false;
    }

    /// Every call of a dead process fails.
    ///
    /// # Errors
    /// The process is dead.
    pub fn alive(&self) -> Result<(), Fault> {
        if self.dead() { Err(fault("the process is dead")) } else { Ok(()) }
    }

    /// A turn begins.
    pub fn turn(&self) {
        self.state().calls = 0;
    }

    /// A call to the store: one of too many is not made, so that a turn without end comes to one.
    ///
    /// # Errors
    /// The process is dead, or makes more calls in a turn than a village gives it reason to.
    pub fn call(&self) -> Result<(), Fault> {
        let mut state = self.state();
        state.calls += 1;
        match (state.dead, state.calls > CALLS) {
            (true, _) => Err(fault("the process is dead")),
            (_, true) => Err(fault("more calls in a turn than there can be")),
            _ => Ok(()),
        }
    }

    /// Whether the turn was cut short because it had no end.
    pub fn endless(&self) -> bool {
        self.state().calls > CALLS
    }

    pub fn incidents(&self) -> u64 {
        self.state().incidents
    }

    pub fn counts(&self) -> BTreeMap<Kind, u64> {
        self.state().counts.clone()
    }

    pub fn total(&self) -> u64 {
        self.state().counts.values().sum()
    }
}

/// A fault of the simulated world.
pub fn fault(why: &str) -> Fault {
    Fault::new("simulating", why)
}
