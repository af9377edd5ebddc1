//! What is done beside thinking: destroying keys, writing the digest, publishing, bearing witness. Each fails for itself and is
//! tried again with growing pauses; none holds up letters, clocks or mail.

use super::Daemon;
use super::alarm::Watch;
use super::upkeep::Upkeep;
use crate::ports::store::{Answer, Store};
use chrono::{DateTime, Duration, Utc};
use tracing::{info, warn};

const SHORTEST_PAUSE: Duration = Duration::seconds(1);
const LONGEST_PAUSE: Duration = Duration::minutes(5);

/// One kind of errand and how it stands.
struct Errand {
    doing: &'static str,
    /// Since when it fails, how long it rests after a failure, and until when.
    failing: Option<(DateTime<Utc>, Duration, DateTime<Utc>)>,
}

impl Errand {
    fn new(doing: &'static str) -> Errand {
        Errand { doing, failing: None }
    }

    fn due(&self, now: DateTime<Utc>) -> bool {
        self.failing.is_none_or(|(_, _, rests_until)| rests_until <= now)
    }

    /// Notes how a try ended; a failure is logged once until it works again.
    fn ended<T>(&mut self, ended: Answer<T>, watch: &Watch, now: DateTime<Utc>) {
        match (ended, self.failing) {
            (Ok(_), None) => return,
            (Ok(_), Some(_)) => {
                info!(doing = self.doing, "works again");
                self.failing = None;
            }
            (Err(fault), None) => {
                warn!(doing = self.doing, %fault, "will be tried again until it works");
                self.failing = Some((now, SHORTEST_PAUSE, now + SHORTEST_PAUSE));
            }
            (Err(_), Some((since, pause, _))) => {
                let pause = (pause * 2).min(LONGEST_PAUSE);
                self.failing = Some((since, pause, now + pause));
            }
        }
        watch.fails(self.doing, self.failing.map(|(since, ..)| since));
    }
}

/// The errands in the order in which they are run.
pub(super) struct Errands {
    destroy: Errand,
    digest: Errand,
    publish: Errand,
    keep: Errand,
    upkeep: Upkeep,
}

impl Default for Errands {
    fn default() -> Errands {
        Errands {
            destroy: Errand::new("destroying keys"),
            digest: Errand::new("writing the digest"),
            publish: Errand::new("publishing"),
            keep: Errand::new("keeping the key store"),
            upkeep: Upkeep::default(),
        }
    }
}

impl Errands {
    pub(super) async fn run<S: Store>(&mut self, daemon: &Daemon<S>, watch: &Watch, now: DateTime<Utc>) {
        if self.destroy.due(now) {
            self.destroy.ended(daemon.destroy().await, watch, now);
        }
        if self.digest.due(now) {
            self.digest.ended(daemon.digest(now).await, watch, now);
        }
        if self.publish.due(now) {
            self.publish.ended(daemon.publish().await, watch, now);
        }
        if self.keep.due(now) {
            self.keep.ended(self.upkeep.keep(daemon, now).await, watch, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Fault;

    #[test]
    fn an_errand_that_fails_rests_longer_each_time_and_is_forgiven_at_once() {
        let (watch, start) = (Watch::default(), DateTime::UNIX_EPOCH);
        let failure = || Answer::<()>::Err(Fault::new("publishing", "disk full"));
        let at = |seconds| start + Duration::seconds(seconds);
        let mut errand = Errand::new("publishing");
        errand.ended(failure(), &watch, at(0));
        assert!(!errand.due(at(0)) && errand.due(at(1)));
        errand.ended(failure(), &watch, at(1));
        assert!(!errand.due(at(2)) && errand.due(at(3)));
        assert_eq!(watch.failing(), [("publishing", at(0))]);
        errand.ended(Ok(()), &watch, at(3));
        assert!(errand.due(at(3)) && watch.failing().is_empty());
    }
}
