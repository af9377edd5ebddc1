//! The crank: fetch, think, send. The real clock, a test and the simulator differ only in who turns it and
//! with which `now`.

mod alarm;
mod check;
mod confide;
mod courtesies;
mod digest;
mod documents;
mod errands;
mod fetch;
mod large;
mod publish;
mod run;
mod send;
mod sort;
mod think;
mod trace;
mod upkeep;
mod verify;

pub use alarm::{Alarm, AlarmConfig};
pub use fetch::{Brought, Fetching};
pub use publish::public_path;
pub use run::{Clock, Crew, Mailroom, Shutdown, run};
pub use send::Sending;
pub use sort::epoch_since;
pub use think::Thought;

use crate::advance::{LetterBody, NewLetter};
use crate::kernel::ids::CaseId;
use crate::kernel::register::Register;
use crate::kernel::token::Minter;
use crate::kernel::workflow::Opening;
use crate::ports::Fault;
use crate::ports::keys::Keys;
use crate::ports::mailbox::Mailbox;
use crate::ports::postman::{Postman, dkim};
use crate::ports::resolver::Resolver;
use crate::ports::store::{Answer, Store};
use crate::render::Renderer;
use crate::workflows::{Case, Kind, Policies};
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use tracing::warn;

/// The first case of every installation: the clerk's own desk.
pub const OFFICE: CaseId = CaseId(1);
/// The key of the letter that opens it: no other letter can have it.
const OFFICE_KEY: &str = "office";

/// What this program calls itself in the journal.
pub const BUILD: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// What the crank needs to know of the installation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// "clerk@atlarge.example".
    pub clerk: String,
    /// Whose Authentication-Results count.
    pub authserv_id: Option<String>,
    /// Whose Received counts as arrival.
    pub border_host: Option<String>,
    /// Whose ARC seal is believed about the mail it took in: domains.
    pub forwarders: Vec<String>,
    /// Every mailbox that must have been read before a clock may fire.
    pub mailboxes: Vec<String>,
    /// How long mail may take from the sender's server into the mailbox.
    pub settle: Duration,
    /// Days after which the keys of mails that are dealt with are destroyed.
    pub intake_days: u32,
    /// Where published files go.
    pub public: Option<PathBuf>,
}

/// The crank. Every method is one kind of work; none reads a clock.
pub struct Daemon<S> {
    pub store: S,
    pub keys: Arc<Keys>,
    pub minter: Minter,
    pub renderer: Arc<Renderer>,
    pub signer: Option<Arc<dkim::Signer>>,
    pub policies: Policies,
    pub settings: Settings,
    /// Checks who sent a mail; none where only the border server's word counts.
    pub resolver: Option<Arc<Resolver>>,
}

/// What a turn did: zero everywhere when there was nothing to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turned {
    pub fetched: usize,
    pub steps: usize,
    pub sent: usize,
}

impl<S: Store> Daemon<S> {
    /// What must be so before the first turn: the policies in force are on record, the office is open.
    pub async fn prepare(&self, now: DateTime<Utc>) -> Answer<()> {
        self.put_policies().await?;
        if self.store.case(OFFICE).await?.is_none() {
            let opening = Opening {
                kind: "office".to_owned(),
                parent: None,
                by: None,
                body: Value::Null,
                arrived: now,
                nonce: String::new(),
            };
            let letter = NewLetter {
                key: OFFICE_KEY.to_owned(),
                body: LetterBody::Opens(opening),
                arrived: now,
                mail: None,
                message_id: None,
            };
            self.store.post(&letter, now).await?;
            self.think(now).await?;
        }
        match self.store.case(OFFICE).await? {
            Some(case) if case.kind == "office" => self.tell_quarantined(now).await,
            _ => Err(Fault::new(
                "opening the clerk's own desk",
                "case c1 is not the office; this database was not made by atlarged migrate and run",
            )),
        }
    }

    async fn put_policies(&self) -> Answer<()> {
        let body = crate::kernel::canonical::canonical(&self.policies);
        self.store.put_policy(&self.policies.digest(), &body).await
    }

    /// One turn: everything that is due at `now`, in the order letters, clocks, mail out.
    pub async fn turn<M: Mailbox, P: Postman>(
        &self,
        mailboxes: &mut [(String, M)],
        postman: &mut P,
        now: DateTime<Utc>,
    ) -> Answer<Turned> {
        let mut turned = Turned::default();
        for (name, mailbox) in mailboxes {
            let brought = self.fetch(name, mailbox, now).await?;
            turned.fetched += brought.fresh;
            if let Some(fault) = brought.unfinished {
                warn!(mailbox = name, %fault, "what was read could not be flagged in the mailbox");
            }
        }
        turned.steps = self.think(now).await?;
        turned.sent = self.send(postman, now).await?;
        self.destroy().await?;
        self.publish().await?;
        self.witness().await?;
        Ok(turned)
    }

    /// Destroys the keys of cases that a committed step wanted shredded, and those for one thing alone that is
    /// dealt with.
    ///
    /// # Errors
    /// The store or the key store cannot be reached; what is not destroyed yet is tried again.
    pub async fn destroy(&self) -> Answer<usize> {
        let cases = self.store.shreds().await?;
        for case in &cases {
            self.keys.shred(*case)?;
            self.store.shredded(*case).await?;
        }
        let spent = self.store.spent().await?;
        for key in &spent {
            self.keys.destroy(key)?;
            self.store.destroyed(key).await?;
        }
        Ok(cases.len() + spent.len())
    }

    /// What a case is called, in every language it has; the title of the lists where this build cannot read it.
    async fn titles(&self, case: CaseId, otherwise: String) -> Answer<Value> {
        let Some(row) = self.store.case(case).await? else { return Ok(Value::String(otherwise)) };
        let read = Kind::from_name(&row.kind).and_then(|kind| Case::load(kind, &row.state).ok());
        Ok(read.map_or(Value::String(otherwise), |case| case.titles()))
    }

    async fn register(&self) -> Answer<Arc<Register>> {
        self.store.register().await
    }
}

#[cfg(test)]
mod loops;
#[cfg(test)]
mod tests;
