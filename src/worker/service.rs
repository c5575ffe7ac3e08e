//! The running service: configuration, ledger, plan and published set, and what happens between them.

use super::clock::Clock;
use super::health;
use super::outcome::informed;
use super::plan::{Group, Plan};
use super::poll::{Polled, Poller};
use super::publisher::{Publisher, Scope};
use super::reload::{configure, load};
use super::rests::Rests;
use super::slots::{self, Claim, Slots};
use super::watch::Watch;
use crate::config::{self, Channel, Config};
use crate::model::{ChannelId, Flaw, FlawCode};
use crate::net::{self, Client};
use crate::publish::{ConfigStatus, Published, Shelf};
use crate::schedule::{self, Policy};
use crate::store::{Change, Poll, PollState, Store, StoreError};
use crate::telemetry::Metrics;
use arc_swap::ArcSwap;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long running polls get to end when the service stops.
const LAST_CALL: Duration = Duration::from_secs(5);

/// No poll takes longer, unless the clock was set meanwhile.
const LONGEST_POLL: TimeDelta = TimeDelta::minutes(10);

/// How often the clock is looked at when nothing else happens: it may be set, and the machine may sleep.
const LOOK_AT_CLOCK: Duration = Duration::from_mins(1);

/// What a service is made of.
pub struct Setup {
    /// The path of feeds.yaml.
    pub config_path: PathBuf,
    /// The ledger.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The client; `allow_networks` and the user agent are set from feeds.yaml.
    pub net: net::Options,
    /// Yields numbers from 0 to 1 that spread polls.
    pub chance: Arc<dyn Fn() -> f64 + Send + Sync>,
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// feeds.yaml cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// feeds.yaml has mistakes: the diagnostics.
    #[error("{0}")]
    Config(String),
    /// The ledger failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a reload ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reloaded {
    /// The new configuration is in use; what changed.
    Applied(config::Diff),
    /// The last good configuration stays in use; the diagnostics.
    Rejected(String),
}

/// A configuration in use.
pub(super) struct Current {
    pub(super) config: Arc<Config>,
    pub(super) channels: Vec<Arc<Channel>>,
}

impl Current {
    pub(super) fn new(config: Config) -> Self {
        let channels = config.channels.iter().cloned().map(Arc::new).collect();
        Self { config: Arc::new(config), channels }
    }
}

/// A running Heliu without its listener.
pub struct Service {
    pub(super) config_path: PathBuf,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) client: Client,
    chance: Arc<dyn Fn() -> f64 + Send + Sync>,
    pub(super) presses: bool,
    shelf: Arc<Shelf>,
    pub(super) publisher: Publisher,
    pub(super) metrics: Arc<Metrics>,
    pub(super) current: ArcSwap<Current>,
    pub(super) status: ArcSwap<ConfigStatus>,
    pub(super) states: Mutex<BTreeMap<ChannelId, PollState>>,
    pub(super) plan: Mutex<Plan>,
    pub(super) in_flight: Mutex<BTreeSet<ChannelId>>,
    pub(super) slots: Mutex<Slots>,
    pub(super) rests: Mutex<Rests>,
    /// Channels whose news may not be published, because the ledger failed.
    pub(super) unpublished: Mutex<BTreeSet<ChannelId>>,
    /// When the clock was looked at last.
    looked: Mutex<DateTime<Utc>>,
    watch: Mutex<Option<Watch>>,
    wake: Notify,
}

/// A lock whose data is whole at every moment: a panic elsewhere does not spoil it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    /// See [`Service::start`].
    pub(super) async fn begin(setup: Setup, presses: bool) -> Result<Arc<Self>, StartError> {
        let Setup { config_path, store, clock, net, chance } = setup;
        let bytes = super::watch::read(&config_path).map_err(StartError::Unreadable)?;
        let watch = Watch::new(&config_path, &bytes);
        let config = load(&bytes, &config_path).map_err(StartError::Config)?;
        let now = clock.now();
        let path = config_path.display().to_string();
        let status = Arc::new(ConfigStatus { path, loaded: now, rejected: None });
        let current = Current::new(config);
        let client = Client::new(net);
        configure(&client, &current.config);
        let shelf = Arc::new(Shelf::new(Published {
            config: Arc::clone(&current.config),
            status: Arc::clone(&status),
            feeds: Vec::new(),
            documents: HashMap::new(),
            health: None,
        }));
        let states = store.polls().await?;
        let service = Arc::new(Self {
            config_path,
            client,
            chance,
            presses,
            metrics: Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"))),
            publisher: Publisher::new(Arc::clone(&store), Arc::clone(&shelf)),
            store,
            clock,
            shelf,
            current: ArcSwap::from_pointee(current),
            status: ArcSwap::from(status),
            states: Mutex::new(states),
            plan: Mutex::default(),
            in_flight: Mutex::default(),
            slots: Mutex::default(),
            rests: Mutex::default(),
            unpublished: Mutex::default(),
            looked: Mutex::new(now),
            watch: Mutex::new(Some(watch)),
            wake: Notify::new(),
        });
        let channels = service.current.load().channels.clone();
        service.take_snapshots(&channels).await;
        service.release_held(&channels).await;
        service.publish(Scope::All).await?;
        service.publish_incidents().await;
        service.count_channels();
        service.make_plan(&BTreeSet::new());
        Ok(service)
    }

    /// What is served.
    #[must_use]
    pub fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.shelf)
    }

    /// The watch over feeds.yaml, begun with the very content that is in use: an edit while the service
    /// starts is not missed. Can be taken once.
    #[must_use]
    pub fn take_watch(&self) -> Option<Watch> {
        lock(&self.watch).take()
    }

    /// Polls whatever is due, for as long as the service runs.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut tasks = JoinSet::new();
        loop {
            self.look_at_clock();
            while let Some((group, claim)) = self.take_due() {
                let service = Arc::clone(&self);
                tasks.spawn(async move { service.poll(&group, &claim).await });
            }
            // Groups that have to wait are not in there: they go on when a poll ends.
            let next = lock(&self.plan).next_due();
            let due = async {
                let look = self.clock.now() + LOOK_AT_CLOCK;
                let sleep = self.clock.sleep_until(next.map_or(look, |next| next.min(look)));
                // Not by that clock alone: one that is set back would let everybody wait until it is where it was.
                let _ = tokio::time::timeout(LOOK_AT_CLOCK, sleep).await;
            };
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(_) = tasks.join_next() => {}
                () = self.wake.notified() => {}
                () = due => {
                    let service = Arc::clone(&self);
                    tasks.spawn(async move { service.publish_left_over().await });
                }
            }
        }
        let rest = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_CALL, rest).await.is_err() {
            tracing::info!("polls still running were cut; nothing of them was recorded");
        }
    }

    /// Plans everything anew if the clock was set or the machine slept since the last look, which [`Service::run`] takes
    /// every minute: what is overdue is spread, and what was planned under a clock that ran ahead is due.
    pub fn look_at_clock(&self) {
        let now = self.clock.now();
        let before = std::mem::replace(&mut *lock(&self.looked), now);
        if schedule::stepped(before, now, LOOK_AT_CLOCK) {
            tracing::info!(%before, %now, "the clock was set or the machine slept: everything is planned anew");
            self.make_plan(&BTreeSet::new());
        }
    }

    /// Polls everything that is due at this instant, one group after the other; tells how many groups that were.
    pub async fn poll_due(&self) -> usize {
        let mut count = 0;
        while let Some((group, claim)) = self.take_due() {
            self.poll(&group, &claim).await;
            count += 1;
        }
        count
    }

    /// When the next channel is due.
    #[must_use]
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        lock(&self.plan).next_due()
    }

    fn take_due(&self) -> Option<(Group, Claim)> {
        let states = lock(&self.states);
        let mut slots = lock(&self.slots);
        let now = self.clock.now();
        let rests = lock(&self.rests);
        let claim = |group: &Group| {
            let rests_until = rests.until(group, |channel| states.get(&channel.id), now);
            Claim { rests_until, ..slots::claim(group, &states) }
        };
        let (group, claim) = slots.next(&mut lock(&self.plan), now, claim)?;
        lock(&self.in_flight).extend(group.iter().map(|channel| channel.id.clone()));
        Some((group, claim))
    }

    /// Polls one group, publishes what changed, plans the next poll. A panic is caught, counted and shown.
    async fn poll(&self, group: &Group, claim: &Claim) {
        let now = self.clock.now();
        let states: BTreeMap<_, _> = {
            let all = lock(&self.states);
            group.iter().filter_map(|channel| Some((channel.id.clone(), all.get(&channel.id)?.clone()))).collect()
        };
        let policy = |channel: &Channel, exempt| policy(channel, exempt);
        let poller = Poller {
            store: &*self.store,
            client: &self.client,
            metrics: &self.metrics,
            now,
            clock: &*self.clock,
            policy: &policy,
            chance: (self.chance)(),
        };
        let awake = lock(&self.rests).awake(group, &states, now);
        let polled = match AssertUnwindSafe(poller.group(&awake, &states)).catch_unwind().await {
            Ok(polled) => polled,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                self.panicked(group, &states, text.or(panic.downcast_ref::<&str>().copied())).await
            }
        };
        let mut changed = BTreeSet::new();
        let mut told = false;
        let mut planned = BTreeMap::new();
        for polled in polled {
            let Some(configured) = group.iter().find(|one| one.id == polled.channel) else { continue };
            told |= self.report(configured, states.get(&polled.channel), &polled);
            let Polled { channel, state, change, store_error } = polled;
            let first_live =
                states.get(&channel).is_none_or(|before| before.live_since.is_none()) && state.live_since.is_some();
            if !change.is_empty() || first_live || store_error.is_some() {
                changed.insert(channel.clone());
            }
            planned.insert(&configured.id, state.next_poll);
            lock(&self.rests).note(&state);
            lock(&self.states).insert(channel, state);
        }
        // Those that were left out are due as before, but not before the others, with whom they share addresses.
        let earliest = planned.values().flatten().min().copied();
        for channel in group.iter() {
            let next = states.get(&channel.id).and_then(|state| state.next_poll);
            planned.entry(&channel.id).or_insert(next.max(earliest.filter(|_| next.is_some())));
        }
        // Whoever was asked last may be asked first next time.
        let took = (self.clock.now() - now).clamp(TimeDelta::zero(), LONGEST_POLL);
        planned.values_mut().flatten().for_each(|next| *next += took);
        self.plan_next(planned);
        self.publish_changed(changed).await;
        if told {
            self.publish_incidents().await;
        }
        let freed = lock(&self.slots).give_back(claim);
        let mut plan = lock(&self.plan);
        for wait in &freed {
            plan.go_on(wait);
        }
        drop(plan);
        self.wake.notify_one();
    }

    /// Turns a panic into a flaw of the group's channels.
    async fn panicked(
        &self,
        group: &Group,
        states: &BTreeMap<ChannelId, PollState>,
        panic: Option<&str>,
    ) -> Vec<Polled> {
        let flaw = Flaw::new(FlawCode::Panicked, panic.unwrap_or("no message"));
        let now = self.clock.now();
        let mut polled = Vec::new();
        for channel in group.iter() {
            let mut state = states.get(&channel.id).cloned().unwrap_or_default();
            let failed = schedule::Outcome::Failed { status: None, retry_after: None };
            let before = schedule::Before { failures: state.failures, hints: &state.hints };
            let policy = policy(channel, state.exempt);
            let next = schedule::next_poll(now, &policy, &before, &failed, None, (self.chance)());
            state.failures = state.failures.saturating_add(1);
            state.last_poll = Some(now);
            state.next_poll = next;
            state.error = Some(flaw.to_string());
            state.flaws = vec![flaw.clone()];
            let before = state.clone();
            health::note(channel, &before, &mut state, 0, now);
            let poll = Poll { channel: channel.id.clone(), at: now, seen: None, state, fetched: BTreeMap::new() };
            let store_error = self.store.record(&poll).await.err();
            let (state, change) = (poll.state, Change::default());
            polled.push(Polled { channel: channel.id.clone(), state, change, store_error });
        }
        polled
    }

    /// Plans all channels anew: what is being polled stays so, `at_once` is due now, the rest as stored.
    pub(super) fn make_plan(&self, at_once: &BTreeSet<ChannelId>) {
        let now = self.clock.now();
        let current = self.current.load();
        let states = lock(&self.states);
        let due = |channel: &Channel| {
            let state = states.get(&channel.id);
            if at_once.contains(&channel.id) {
                return Some(now);
            }
            let gone = state.filter(|state| state.gone.is_some());
            if gone.is_some_and(|state| state.config_hash == config::fingerprint(channel)) {
                return None;
            }
            let (last, next) = state.map_or((None, None), |state| (state.last_poll, state.next_poll));
            Some(schedule::first_poll(now, next, last, (self.chance)()))
        };
        let mut rests = Rests::default();
        let of_channels = current.channels.iter().filter_map(|channel| states.get(&channel.id));
        of_channels.filter(|state| state.host_rests.is_some()).for_each(|state| rests.note(state));
        *lock(&self.rests) = rests;
        let interval = |channel: &Channel| {
            let state = states.get(&channel.id);
            let policy = policy(channel, state.is_some_and(|state| state.exempt));
            state.map_or(policy, |state| informed(policy, state, now)).interval()
        };
        let rate = current.channels.iter().map(|channel| 1.0 / interval(channel).as_secs_f64()).sum();
        let mut plan = Plan::new(&current.channels, rate, due);
        for channel in lock(&self.in_flight).iter() {
            plan.in_flight(channel);
        }
        *lock(&self.plan) = plan;
        self.wake.notify_one();
    }
}

/// The bounds of a channel's interval. Hosts in allowed networks are exempt from the floor.
fn policy(channel: &Channel, exempt: bool) -> Policy {
    let policy = if exempt { Policy::exempt() } else { Policy::default() };
    Policy { every: channel.every, ..policy }
}
