//! The loops of the daemon: one reader for each mailbox, one thinker, some senders. Each is the crank of one
//! kind of work, and wakes the next.

use super::alarm::{Alarm, Watch};
use super::errands::Errands;
use super::{Daemon, Thought};
use crate::ports::Fault;
use crate::ports::mailbox::Mailbox;
use crate::ports::postman::Postman;
use crate::ports::store::Store;
use chrono::{DateTime, Utc};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tracing::{error, info, warn};

/// Reads the clock; only `main` knows which.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// No loop sleeps longer, so that a lost wake costs seconds and the watchdog sees progress.
const LONGEST: Duration = Duration::from_secs(10);
/// After a fault a loop waits this long, doubling up to a minute.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often a due clock that letters hold up is looked at.
const HELD_UP: Duration = Duration::from_secs(2);

/// Says once, to everybody, that it is time to stop.
#[derive(Clone)]
pub struct Shutdown(watch::Sender<bool>);

impl Default for Shutdown {
    fn default() -> Shutdown {
        Shutdown(watch::channel(false).0)
    }
}

impl Shutdown {
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    pub fn stopping(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is time to stop.
    pub async fn wait(&self) {
        let mut seen = self.0.subscribe();
        // An error means that nobody can stop us any more, which cannot be while `self` lives.
        let _ = seen.wait_for(|stop| *stop).await;
    }
}

/// How the loops wake each other, and how the world wakes them.
#[derive(Default)]
pub struct Mailroom {
    think: Notify,
    /// Wakes one sender, who wakes the next when there was a mail: all at once would only stand in line.
    send: Notify,
    /// Turns of the thinker: the watchdog's sign of life.
    beats: AtomicU64,
}

impl Mailroom {
    /// Something was posted from outside: an order at the keyboard.
    pub fn wake(&self) {
        self.think.notify_one();
        self.send.notify_one();
    }

    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }
}

/// Everything `run` turns.
pub struct Crew<S, M, P> {
    pub daemon: Arc<Daemon<S>>,
    pub mailboxes: Vec<(String, M)>,
    pub postmen: Vec<P>,
    pub alarm: Option<Alarm>,
    pub clock: Clock,
    /// How often a mailbox is read even if nothing announces mail.
    pub poll: Duration,
    pub room: Arc<Mailroom>,
    pub shutdown: Shutdown,
}

/// Runs until `shutdown`; work in hand is finished first.
pub async fn run<S, M, P>(crew: Crew<S, M, P>)
where
    S: Store + 'static,
    M: Mailbox + 'static,
    P: Postman + 'static,
{
    let Crew { daemon, mailboxes, postmen, alarm, clock, poll, room, shutdown } = crew;
    let watch = Arc::new(Watch::default());
    let mut loops = JoinSet::new();
    for (name, mailbox) in mailboxes {
        let reader = Reader {
            daemon: daemon.clone(),
            clock: clock.clone(),
            room: room.clone(),
            watch: watch.clone(),
            rest: resting(&shutdown),
            shutdown: shutdown.clone(),
        };
        loops.spawn(reader.read(name, mailbox, poll));
    }
    let thinker = Thinker {
        daemon: daemon.clone(),
        clock: clock.clone(),
        room: room.clone(),
        watch: watch.clone(),
        longest: poll.clamp(SHORTEST_PAUSE, LONGEST),
        shutdown: shutdown.clone(),
    };
    loops.spawn(thinker.think());
    for postman in postmen {
        loops.spawn(sender(daemon.clone(), postman, clock.clone(), room.clone(), shutdown.clone()));
    }
    if let Some(alarm) = alarm {
        let ways = alarm.ways(&shutdown);
        loops.spawn(alarm.keep(daemon, clock, room, watch, ways, shutdown.clone()));
    }
    // A loop ends only at shutdown or by a bug; a bug must end the process, which restarts clean.
    while let Some(ended) = loops.join_next().await {
        if let Err(error) = ended {
            error!(%error, "a loop of the daemon died; stopping so that the service manager starts it anew");
            std::process::abort();
        }
    }
}

/// A pause that grows while the world stays unwell, and logs a fault once.
struct Patience {
    doing: &'static str,
    pause: Duration,
    unwell: bool,
}

impl Patience {
    fn new(doing: &'static str) -> Patience {
        Patience { doing, pause: SHORTEST_PAUSE, unwell: false }
    }

    fn well(&mut self) {
        if self.unwell {
            info!(doing = self.doing, "works again");
        }
        *self = Patience::new(self.doing);
    }

    async fn after(&mut self, fault: &Fault, shutdown: &Shutdown) {
        self.rests_after(fault, &resting(shutdown)).await;
    }

    async fn rests_after(&mut self, fault: &Fault, rest: &Rest) {
        if !self.unwell {
            warn!(doing = self.doing, %fault, "will be tried again until it works");
        }
        self.unwell = true;
        rest(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

/// How a loop rests: at most so long, and not beyond the time to stop. Tests let a clock of their own run instead.
pub(super) type Rest = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Rests by the real clock.
pub(super) fn resting(shutdown: &Shutdown) -> Rest {
    let shutdown = shutdown.clone();
    Arc::new(move |at_most| {
        let shutdown = shutdown.clone();
        Box::pin(async move { within(at_most, shutdown.wait()).await })
    })
}

/// Waits for something, at most so long.
async fn within(at_most: Duration, something: impl Future<Output = ()>) {
    let _ = tokio::time::timeout(at_most, something).await;
}

pub(super) struct Reader<S> {
    pub(super) daemon: Arc<Daemon<S>>,
    pub(super) clock: Clock,
    pub(super) room: Arc<Mailroom>,
    pub(super) watch: Arc<Watch>,
    pub(super) rest: Rest,
    pub(super) shutdown: Shutdown,
}

impl<S: Store> Reader<S> {
    pub(super) async fn read<M: Mailbox>(self, name: String, mut mailbox: M, poll: Duration) {
        let mut patience = Patience::new("reading a mailbox");
        while !self.shutdown.stopping() {
            let now = (self.clock)();
            match self.daemon.fetch(&name, &mut mailbox, now).await {
                Ok(brought) => {
                    if brought.complete {
                        self.watch.read(&name, now);
                    }
                    if brought.fresh > 0 {
                        self.room.think.notify_one();
                    }
                    if let Some(fault) = brought.unfinished {
                        patience.rests_after(&fault, &self.rest).await;
                        continue;
                    }
                    patience.well();
                }
                Err(fault) => {
                    patience.rests_after(&fault, &self.rest).await;
                    continue;
                }
            }
            let woken = tokio::select! {
                woken = mailbox.wait(poll) => woken,
                () = self.shutdown.wait() => return,
            };
            if let Err(fault) = woken {
                patience.rests_after(&fault, &self.rest).await;
            }
        }
    }
}

struct Thinker<S> {
    daemon: Arc<Daemon<S>>,
    clock: Clock,
    room: Arc<Mailroom>,
    watch: Arc<Watch>,
    /// The longest it sleeps: where mailboxes are read more often than that, as often as they are.
    longest: Duration,
    shutdown: Shutdown,
}

impl<S: Store> Thinker<S> {
    async fn think(self) {
        let Thinker { daemon, clock, room, watch, longest, shutdown } = self;
        let mut patience = Patience::new("thinking");
        let mut errands = Errands::default();
        while !shutdown.stopping() {
            room.beats.fetch_add(1, Ordering::Relaxed);
            let thought = daemon.think_some(clock(), || room.send.notify_one()).await;
            // Whatever became of thinking: keys that must go, go.
            errands.run(&daemon, &watch, clock()).await;
            let next = match thought {
                Ok(Thought { more: true, .. }) => continue,
                Ok(Thought { .. }) => daemon.store.next_event().await,
                Err(fault) => Err(fault),
            };
            match next {
                Ok(next) => {
                    patience.well();
                    // A clock that is due already waits for mail to be read: looked at again now and then.
                    let until = |next: DateTime<Utc>| (next - clock()).to_std().unwrap_or(HELD_UP);
                    let pause = next.map_or(longest, until).clamp(SHORTEST_PAUSE, longest);
                    tokio::select! {
                        () = within(pause, room.think.notified()) => {}
                        () = shutdown.wait() => {}
                    }
                }
                Err(fault) => patience.after(&fault, &shutdown).await,
            }
        }
        if let Err(fault) = daemon.witness().await {
            warn!(%fault, "the last steps are not witnessed beside the keys");
        }
    }
}

async fn sender<S: Store, P: Postman>(
    daemon: Arc<Daemon<S>>,
    mut postman: P,
    clock: Clock,
    room: Arc<Mailroom>,
    shutdown: Shutdown,
) {
    let mut patience = Patience::new("sending mail");
    while !shutdown.stopping() {
        // Registered before the outbox is looked at: a mail written meanwhile wakes us.
        let woken = room.send.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        match daemon.send_telling(&mut postman, clock(), || room.send.notify_one()).await {
            Ok(sent) => {
                patience.well();
                if sent > 0 {
                    room.think.notify_one();
                }
                tokio::select! {
                    () = within(LONGEST, woken) => {}
                    () = shutdown.wait() => {}
                }
            }
            Err(fault) => patience.after(&fault, &shutdown).await,
        }
    }
}
