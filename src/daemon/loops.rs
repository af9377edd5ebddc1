//! The loops that watch, on a clock of their own: a fault is told once by the other channel, its end once too,
//! and a mailbox that is away is neither forgotten nor hammered at.

use super::alarm::{Alarm, AlarmConfig, HOME, Told, Watch, Ways};
use super::run::{Clock, Mailroom, Reader, Rest, Shutdown};
use super::tests::daemon;
use super::*;
use crate::ports::keys::Keys;
use crate::ports::mailbox::{Cursor, Done, Fetched, Finished, Place, Woken};
use crate::ports::store::memory::MemoryStore;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// When something was told, "raised" or "recovered", and what.
type Message = (i64, &'static str, String);

/// A world whose clock moves only when a loop rests, and that ends on time.
#[derive(Clone)]
struct World {
    seconds: Arc<AtomicI64>,
    ends: i64,
    /// The mailbox cannot be read from the first minute until the second.
    away: (i64, i64),
    tries_while_away: Arc<AtomicUsize>,
    told: Arc<Mutex<Vec<Message>>>,
    /// So many messages do not get through.
    deaf: Arc<AtomicUsize>,
    shutdown: Shutdown,
}

impl World {
    fn new(away: (i64, i64), deaf: usize) -> World {
        World {
            seconds: Arc::default(),
            ends: 600,
            away,
            tries_while_away: Arc::default(),
            told: Arc::default(),
            deaf: Arc::new(AtomicUsize::new(deaf)),
            shutdown: Shutdown::default(),
        }
    }

    fn minute(&self) -> i64 {
        self.seconds.load(Ordering::SeqCst) / 60
    }

    fn is_away(&self) -> bool {
        (self.away.0..self.away.1).contains(&self.minute())
    }

    fn clock(&self) -> Clock {
        let seconds = self.seconds.clone();
        Arc::new(move || DateTime::UNIX_EPOCH + Duration::seconds(seconds.load(Ordering::SeqCst)))
    }

    fn pass(&self, time: std::time::Duration) {
        let passed = i64::try_from(time.as_secs()).unwrap_or(0).max(1);
        self.seconds.fetch_add(passed, Ordering::SeqCst);
        if self.minute() >= self.ends {
            self.shutdown.stop();
        }
    }

    fn rest(&self) -> Rest {
        let world = self.clone();
        Arc::new(move |time| {
            let world = world.clone();
            Box::pin(async move { world.pass(time) })
        })
    }

    fn ways(&self, daemon: &Arc<Daemon<MemoryStore>>, watch: &Arc<Watch>) -> Ways {
        let world = self.clone();
        let tell = move |what, message| -> Told {
            let heard = world.deaf.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
            if heard.is_err()
                && let Ok(mut told) = world.told.lock()
            {
                told.push((world.minute(), what, message));
            }
            Box::pin(async move { heard.is_err() })
        };
        let (world, daemon, watch) = (self.clone(), daemon.clone(), watch.clone());
        let rest = move |time| -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
            let (world, daemon, watch) = (world.clone(), daemon.clone(), watch.clone());
            Box::pin(async move {
                world.pass(time);
                let now = world.clock()();
                // The rest of the daemon: our own mail comes home, and the mailbox is read if it can be.
                daemon.store.set_fact(HOME, &now.to_rfc3339()).await.expect("kept");
                if !world.is_away() {
                    watch.read("main", now);
                }
            })
        };
        Ways { tell: Arc::new(tell), rest: Arc::new(rest) }
    }
}

/// A mailbox without mail, which is away as its world says.
struct Away(World);

impl Mailbox for Away {
    async fn fetch<F, Fut>(&mut self, _: &BTreeMap<String, Cursor>, _: F) -> Result<Fetched, Fault>
    where
        F: FnMut(crate::ports::mailbox::Batch) -> Fut + Send,
        Fut: Future<Output = Result<(), Fault>> + Send,
    {
        if self.0.is_away() {
            self.0.tries_while_away.fetch_add(1, Ordering::SeqCst);
            return Err(Fault::new("connecting to imap.a.example:993", "refused"));
        }
        Ok(Fetched::default())
    }

    async fn finish(&mut self, _: &[(Place, Done)]) -> Result<Finished, Fault> {
        Ok(Finished::default())
    }

    async fn wait(&mut self, at_most: std::time::Duration) -> Result<Woken, Fault> {
        self.0.pass(at_most);
        Ok(Woken::Timeout)
    }
}

async fn clerk() -> Arc<Daemon<MemoryStore>> {
    let mut clerk = daemon(MemoryStore::new(), &Arc::new(Keys::in_memory(1)), 1);
    clerk.settings.mailboxes = vec!["main".to_owned()];
    clerk.prepare(DateTime::UNIX_EPOCH).await.expect("an office");
    Arc::new(clerk)
}

/// Keeps the alarm for ten hours; what was told, when, and about what.
async fn check_told(away: (i64, i64), deaf: usize, expected: &[(i64, &str, &str)]) {
    let (world, daemon, watch) = (World::new(away, deaf), clerk().await, Arc::new(Watch::default()));
    let config = AlarmConfig { command: vec![], every_minutes: 60, patience_minutes: 20 };
    let (room, ways) = (Arc::new(Mailroom::default()), world.ways(&daemon, &watch));
    let alarm = Alarm { config };
    alarm.keep(daemon, world.clock(), room, watch, ways, world.shutdown.clone()).await;
    let told = world.told.lock().expect("nobody panicked").clone();
    let seen: Vec<(i64, &str)> = told.iter().map(|(minute, what, _)| (*minute, *what)).collect();
    let due: Vec<(i64, &str)> = expected.iter().map(|(minute, what, _)| (*minute, *what)).collect();
    assert_eq!(seen, due, "{told:?}");
    for ((.., message), (.., about)) in told.iter().zip(expected) {
        assert!(message.contains(about), "{message} does not tell {about}");
    }
}

#[tokio::test]
async fn while_all_is_well_the_alarm_is_silent() {
    check_told((9999, 9999), 0, &[]).await;
}

#[tokio::test]
async fn a_mailbox_that_is_away_for_hours_is_told_once_and_so_is_its_return() {
    let fault = (140, "raised", "mailbox main has not been read to its end since");
    check_told((120, 300), 0, &[fault, (300, "recovered", "all is well again")]).await;
}

#[tokio::test]
async fn a_short_absence_is_not_told() {
    check_told((120, 138), 0, &[]).await;
}

#[tokio::test]
async fn what_did_not_get_through_is_told_at_the_next_look() {
    let fault = (141, "raised", "mailbox main");
    check_told((120, 300), 3, &[fault, (300, "recovered", "all is well again")]).await;
}

#[tokio::test]
async fn a_mailbox_that_is_away_is_tried_again_with_growing_pauses_and_read_once_it_is_back() {
    let (world, daemon, watch) = (World::new((120, 300), 0), clerk().await, Arc::new(Watch::default()));
    let reader = Reader {
        daemon: daemon.clone(),
        clock: world.clock(),
        room: Arc::new(Mailroom::default()),
        watch: watch.clone(),
        rest: world.rest(),
        shutdown: world.shutdown.clone(),
    };
    reader.read("main".to_owned(), Away(world.clone()), std::time::Duration::from_secs(30)).await;
    let tries = world.tries_while_away.load(Ordering::SeqCst);
    assert!((180..200).contains(&tries), "about once a minute for three hours: {tries}");
    let last = watch.last("main").expect("read");
    assert!(world.clock()() - last <= Duration::seconds(60), "it is read again: {last}");
    let back = DateTime::UNIX_EPOCH + Duration::minutes(599);
    let up_to = daemon.store.claim_due(back, Duration::zero(), &["main".to_owned()]).await;
    assert!(up_to.expect("asked").is_none(), "nothing is due, and the mailbox holds no clock up");
}
