//! The village, the post and the clerk, turned from one interesting moment to the next.

use super::chance::{Chance, POST};
use super::check;
use super::faults::{Faults, Kind};
use super::incoming::Incoming;
use super::model::{Act, Done, Meaning, Model, What};
use super::outgoing::{BORDER, CLERK, Draft, Proof};
use super::post::{Delivered, Post, Shared, SimMailbox, SimPostman, lock};
use super::store::FaultyStore;
use super::story::{Event, story};
use super::village::Village;
use super::villager::Planned;
use super::{Failure, Plan, Planted, Report};
use crate::daemon::{Daemon, OFFICE, Settings, Turned};
use crate::kernel::choice::Choice;
use crate::kernel::ids::{CaseId, LetterId, Party, PersonId};
use crate::kernel::register::Change;
use crate::ports::Fault;
use crate::ports::keys::Keys;
use crate::ports::store::Store;
use crate::ports::store::memory::MemoryStore;
use crate::render::{Letterhead, Renderer, Templates};
use crate::workflows::Policies;
use crate::workflows::accreditation::OnNegativeAdvice;
use chrono::{DateTime, Duration, SubsecRound, Utc};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, LazyLock};

/// The one mailbox.
pub const MAILBOX: &str = "village";
/// How long mail may take into the mailbox before a deadline falls without it.
pub const SETTLE: Duration = Duration::minutes(2);
/// Turns in a row that may fail before something is taken to be stuck.
const PATIENCE: usize = 200;
/// Days after the last of the story by which everything must have come to rest.
const QUIET_DAYS: i64 = 150;

/// A Message-ID is used again after so many mails.
const OLD_IDS: usize = 20;

/// The templates, compiled once for all runs.
static TEMPLATES: LazyLock<Result<Arc<Templates>, String>> =
    LazyLock::new(|| Templates::compile(&BTreeMap::new()).map(Arc::new).map_err(|error| error.to_string()));

/// What comes at a moment.
pub enum Coming {
    Story(Event),
    /// A mail is sent to the clerk.
    Send(Box<Planned>),
    /// A mail appears in the clerk's mailbox.
    Appear {
        raw: Vec<u8>,
        junk: bool,
        header_only: bool,
    },
}

pub struct World {
    pub plan: Plan,
    /// A handle that never fails: what checkers and staff at the keyboard use.
    pub store: MemoryStore,
    pub keys: Arc<Keys>,
    pub village: Village,
    pub model: Model,
    pub post: Shared,
    pub faults: Arc<Faults>,
    pub now: DateTime<Utc>,
    /// The cases of ordered ballots.
    pub ballots: BTreeMap<u32, LetterId>,
    pub report: Report,
    pub wrong: Vec<String>,
    daemon: Option<Daemon<FaultyStore>>,
    renderer: Arc<Renderer>,
    chance: Chance,
    agenda: BTreeMap<(DateTime<Utc>, u64), Coming>,
    numbers: u64,
    ids: VecDeque<String>,
    quiet: bool,
}

impl World {
    /// Tells a whole story and checks it.
    pub async fn run(plan: &Plan) -> (Report, Option<Failure>) {
        let mut world = match World::new(plan) {
            Ok(world) => world,
            Err(why) => {
                let failure = Failure { plan: plan.clone(), at: plan.start, wrong: vec![why] };
                return (Report { runs: 1, wrong: 1, ..Report::default() }, Some(failure));
            }
        };
        world.live().await;
        check::at_the_end(&mut world).await;
        let World { report, wrong, now, .. } = world;
        let failure = (!wrong.is_empty()).then(|| Failure { plan: plan.clone(), at: now, wrong });
        (report, failure)
    }

    fn new(plan: &Plan) -> Result<World, String> {
        let keys = Keys::in_memory(plan.seed);
        let letterhead = Letterhead {
            clerk: CLERK.to_owned(),
            name: "At-Large clerk".to_owned(),
            domain: "atlarge.example".to_owned(),
            help: None,
            footer: BTreeMap::new(),
        };
        let renderer = Renderer::with(letterhead, keys.minter(1), TEMPLATES.clone()?);
        let village = Village::new(plan, plan.start - Duration::days(400));
        let mut world = World {
            plan: plan.clone(),
            store: MemoryStore::new(),
            keys: Arc::new(keys),
            model: Model::default(),
            post: Post::new(plan.start),
            faults: Arc::new(Faults::new(plan.seed, plan.faults)),
            now: plan.start,
            ballots: BTreeMap::new(),
            report: Report { runs: 1, ..Report::default() },
            wrong: Vec::new(),
            daemon: None,
            renderer: Arc::new(renderer),
            chance: Chance::new(plan.seed, POST),
            agenda: BTreeMap::new(),
            numbers: 0,
            ids: VecDeque::new(),
            quiet: false,
            village,
        };
        for change in &world.village.changes {
            if let Change::Organisation(organisation) = change
                && let Some(prime) = organisation.prime
            {
                world.model.speaks(Party::Organisation(organisation.id), prime, 0);
            }
        }
        for (at, event) in story(plan, world.days(), &world.village) {
            world.put(at, Coming::Story(event));
        }
        Ok(world)
    }

    fn days(&self) -> i64 {
        i64::from(self.plan.years) * 365
    }

    /// A number nobody had before.
    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub fn put(&mut self, at: DateTime<Utc>, coming: Coming) {
        let number = self.number();
        self.agenda.insert((at, number), coming);
    }

    async fn live(&mut self) {
        // The register is imported before the first day.
        let changes = std::mem::take(&mut self.village.changes);
        if self.store.change_register(0, &changes, "village", self.now).await.is_err() {
            self.wrong.push("the village has no register".to_owned());
        }
        self.village.changes = changes;
        self.crank().await;
        let end = self.plan.start + Duration::days(self.days());
        let last = end + Duration::days(QUIET_DAYS);
        while self.wrong.is_empty() {
            let Some(at) = self.next_moment().await else { break };
            if at > last {
                break;
            }
            if at > end && !self.quiet {
                self.quiet = true;
                self.faults.stop();
            }
            if at > end && self.agenda.is_empty() {
                self.put(at + Duration::days(1), Coming::Story(Event::Office));
            }
            self.now = self.now.max(at);
            self.happen().await;
            self.crank().await;
            if self.quiet && self.at_rest().await {
                break;
            }
        }
    }

    /// Nothing is to come but the routine of the office.
    async fn at_rest(&self) -> bool {
        let routine = self.agenda.values().all(|coming| matches!(coming, Coming::Story(Event::Office)));
        routine && self.store.next_event().await.is_ok_and(|next| next.is_none())
    }

    /// The next moment at which anything can happen: a clock is looked at when it is due, and again once
    /// letters have had time to come in.
    async fn next_moment(&self) -> Option<DateTime<Utc>> {
        let coming = self.agenda.keys().next().map(|(at, _)| *at);
        let due = self.store.next_event().await.ok().flatten();
        let due = due.and_then(|due| [due, due + SETTLE].into_iter().find(|at| *at > self.now));
        coming.into_iter().chain(due).min()
    }

    /// Everything that comes by now.
    async fn happen(&mut self) {
        if self.faults.strike(&[Kind::Sleep], 1).is_some() {
            let minutes = self.faults.below(12 * 60) as i64;
            self.now += Duration::minutes(minutes);
        }
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > self.now {
                return;
            }
            let ((at, _), coming) = entry.remove_entry();
            match coming {
                Coming::Story(event) => super::orders::carry_out(self, at, event).await,
                Coming::Send(planned) => self.send(at, *planned),
                Coming::Appear { raw, junk, header_only } => {
                    let mut post = lock(&self.post);
                    post.at(at);
                    post.put(raw, junk, header_only);
                }
            }
        }
    }

    /// A villager's mail leaves; it arrives at the border now and appears in the mailbox soon after.
    pub fn send(&mut self, at: DateTime<Utc>, planned: Planned) {
        let arrived = at.trunc_subsecs(0);
        let owner = self.village.addresses.get(&planned.draft.from).copied().unwrap_or(planned.by);
        let id = match self.village.people.get_mut(&owner) {
            Some(villager) => villager.message_id(&planned),
            None => format!("x{}@elsewhere.example", self.numbers),
        };
        let (id, meaning) = self.perhaps_reused(id, planned.meaning);
        let raw = planned.draft.bytes(&id, arrived);
        if let Some(deed) = planned.deed {
            let answers = planned.answers.clone();
            self.model.deeds.push(Done { deed, arrived, by: planned.by, proven: planned.proven, answers });
        }
        self.model.acts.push(Act {
            message_id: id,
            arrived,
            by: planned.by,
            meaning,
            answers: planned.answers,
            confirms: planned.confirms,
            paper: None,
        });
        let mut delay = self.chance.between(0, 40);
        if self.faults.strike(&[Kind::Overtaken], 10).is_some() {
            delay += 60;
        }
        let junk = self.faults.strike(&[Kind::Junk], 5).is_some();
        let header_only = planned.too_large;
        self.put(arrived + Duration::seconds(delay), Coming::Appear { raw, junk, header_only });
    }

    /// Some mail programs give a Message-ID twice. Nobody vouches for the second: it may be the first replayed.
    fn perhaps_reused(&mut self, id: String, meaning: Meaning) -> (String, Meaning) {
        let Meaning::Act(what) = meaning else { return (id, meaning) };
        let old = if self.ids.len() < OLD_IDS { None } else { self.ids.pop_front() };
        if let Some(old) = old
            && self.faults.strike(&[Kind::ReusedId], 3).is_some()
        {
            return (old, Meaning::Unsure(what));
        }
        self.ids.push_back(id.clone());
        (id, meaning)
    }

    /// Turns the crank until a turn finds nothing to do and nothing goes wrong.
    async fn crank(&mut self) {
        for _ in 0..PATIENCE {
            self.faults.turn();
            let turned = self.turn().await;
            self.collect();
            if self.faults.endless() {
                self.wrong.push("a turn makes call after call and has no end".to_owned());
                return;
            }
            match turned {
                Ok(turned) if turned == Turned::default() => {
                    check::after_a_turn(self).await;
                    return;
                }
                Ok(_) => {}
                Err(_) if self.faults.dead() => self.daemon = None,
                Err(_) => self.now += Duration::seconds(1),
            }
        }
        self.wrong.push(format!("the daemon found no rest in {PATIENCE} turns"));
    }

    async fn turn(&mut self) -> Result<Turned, Fault> {
        if self.daemon.is_none() {
            self.faults.live();
            let daemon = self.build();
            daemon.prepare(self.now).await?;
            self.daemon = Some(daemon);
        }
        let Some(daemon) = &self.daemon else { return Ok(Turned::default()) };
        let mut now = self.now;
        if self.faults.strike(&[Kind::ClockBack], 1).is_some() {
            now -= Duration::minutes(1 + self.faults.below(8) as i64);
        }
        lock(&self.post).at(self.now);
        let (post, faults, planted) = (self.post.clone(), self.faults.clone(), self.plan.planted);
        let mailbox = SimMailbox { post: post.clone(), faults: faults.clone(), planted };
        let mut postman = SimPostman { post, faults };
        daemon.digest(now).await?;
        daemon.turn(&mut [(MAILBOX.to_owned(), mailbox)], &mut postman, now).await
    }

    /// A new instance over the same record.
    fn build(&self) -> Daemon<FaultyStore> {
        let settings = Settings {
            clerk: CLERK.to_owned(),
            authserv_id: Some(BORDER.to_owned()),
            border_host: Some(BORDER.to_owned()),
            forwarders: Vec::new(),
            mailboxes: vec![MAILBOX.to_owned()],
            settle: SETTLE,
            intake_days: 90,
            public: None,
        };
        Daemon {
            store: FaultyStore::new(self.store.instance(), self.faults.clone(), self.plan.planted),
            keys: self.keys.clone(),
            minter: self.keys.minter(1),
            renderer: self.renderer.clone(),
            signer: None,
            policies: self.policies(),
            settings,
            resolver: None,
        }
    }

    /// The policies as they are; with one of the planted bugs, as they must not be.
    fn policies(&self) -> Policies {
        let mut policies = Policies::default();
        if self.plan.planted == Some(Planted::SilenceAgainstAdvice) {
            policies.accreditation.on_negative_advice = OnNegativeAdvice::AccreditLiteral;
        }
        policies
    }

    /// What the clerk sent reaches the villagers.
    fn collect(&mut self) {
        let delivered = std::mem::take(&mut lock(&self.post).delivered);
        for Delivered { at, to, envelope_from, bytes } in delivered {
            let Some(id) = self.village.addresses.get(&to) else { continue };
            let Some(villager) = self.village.people.get_mut(id) else { continue };
            let mail = Incoming::read(&bytes);
            super::confidence::reads(&mut self.model, *id, at, &mail);
            for planned in villager.receive(at, &mail, &bytes, &envelope_from) {
                self.put(planned.at, Coming::Send(Box::new(planned)));
            }
        }
    }

    /// The case of an ordered ballot.
    pub async fn case(&self, number: u32) -> Option<CaseId> {
        let letter = self.ballots.get(&number)?;
        self.store.ending(*letter).await.ok().flatten().and_then(|(_, case)| case)
    }

    /// Notes that a ballot came on paper.
    pub fn on_paper(&mut self, key: String, case: CaseId, voter: Party, choice: Choice, by: PersonId) {
        self.model.acts.push(Act {
            message_id: key,
            arrived: self.now,
            by,
            meaning: Meaning::Act(What::Vote(choice)),
            answers: None,
            confirms: None,
            paper: Some((case, voter)),
        });
    }

    /// A mail from outside.
    pub fn stranger(&mut self, at: DateTime<Utc>, vouched: bool, number: u64) {
        let from = format!("someone{}@outside{}.example", number % 40, number % 5);
        let text = if vouched { "How does one join At-Large?" } else { "Cheap watches, yes yes!" };
        let mut draft = Draft::fresh(&from, "Someone", "Hello", text);
        draft.proof = if vouched { Proof::Signed } else { Proof::None };
        self.send(at, Planned::plain(at, PersonId(0), draft));
    }

    /// The case under which parents speak.
    pub fn parent() -> CaseId {
        OFFICE
    }
}
