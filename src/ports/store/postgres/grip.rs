//! What this instance knows itself to have in hand, beside what the database says. The two differ where an
//! answer was lost with a connection; the next claim makes them agree before it takes anything new.

use super::super::{Answer, Posted, rules::Item};
use super::{fault, outbox, within};
use crate::kernel::ids::NoticeId;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct State {
    known: BTreeSet<Item>,
    /// Something was let go and the database may not know.
    doubt: bool,
    /// A claim was begun and never answered. Claims are made one at a time.
    unanswered: bool,
    /// How sendings ended that could not be recorded yet. A mail that left is never sent again because the
    /// database was away for a minute.
    unrecorded: VecDeque<(NoticeId, Posted, DateTime<Utc>)>,
}

#[derive(Default)]
pub(super) struct Grip(Mutex<State>);

impl Grip {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A claim begins: until its answer is here, what is in hand is in doubt.
    pub(super) fn claiming(&self) {
        self.state().unanswered = true;
    }

    /// The answer to a claim.
    pub(super) fn claimed(&self, item: Option<Item>) {
        let mut state = self.state();
        state.unanswered = false;
        state.known.extend(item);
    }

    /// Lets go of an item; where the database could not be told, it is in doubt.
    pub(super) fn let_go<T>(&self, item: Item, told: Answer<T>) -> Answer<T> {
        let mut state = self.state();
        state.known.remove(&item);
        state.doubt |= told.is_err();
        told
    }

    /// What is known to be in hand, if that is in doubt; it no longer is.
    pub(super) fn doubted(&self) -> Option<BTreeSet<Item>> {
        let mut state = self.state();
        let doubt = std::mem::take(&mut state.doubt) | std::mem::take(&mut state.unanswered);
        doubt.then(|| state.known.clone())
    }

    pub(super) fn doubt(&self) {
        self.state().doubt = true;
    }

    /// Records how a sending ended, now or, where the database is away, before the next notice is claimed.
    pub(super) async fn posted(
        &self,
        pool: &PgPool,
        hand: i64,
        (id, outcome, now): (NoticeId, &Posted, DateTime<Utc>),
    ) -> Answer<()> {
        let told = within(outbox::posted(pool, hand, id, outcome, now)).await;
        if told.is_err() {
            self.state().unrecorded.push_back((id, outcome.clone(), now));
        } else {
            self.state().known.remove(&Item::Notice(id));
        }
        told.map_err(fault("recording a sending"))
    }

    /// Records what could not be recorded, first to last.
    pub(super) async fn catch_up(&self, pool: &PgPool, hand: i64) -> Answer<()> {
        loop {
            let Some((id, outcome, now)) = self.state().unrecorded.front().cloned() else { return Ok(()) };
            let told = within(outbox::posted(pool, hand, id, &outcome, now)).await;
            told.map_err(fault("recording a sending"))?;
            let mut state = self.state();
            state.known.remove(&Item::Notice(id));
            // Senders may catch up side by side: recording twice is harmless, forgetting another's is not.
            if state.unrecorded.front().is_some_and(|(first, ..)| *first == id) {
                state.unrecorded.pop_front();
            }
        }
    }
}
