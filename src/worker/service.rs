//! The running service: configuration, ledger, plan and published set, and what happens between them.

use super::brief::Briefs;
use super::clock::{Clock, LONGEST_POLL};
use super::given_up;
use super::plan::{Group, Plan};
use super::poll::{Polled, Poller};
use super::publisher::{Publisher, Scope};
use super::readers::Readers;
use super::reload::{configure, load};
use super::rests::Rests;
use super::slots::{Claim, Slots};
use super::tend::{LOOK_AT_CLOCK, Tending};
use super::watch::Watch;
use crate::config::{self, Config};
use crate::health::Incidents;
use crate::model::ChannelId;
use crate::net::{self, Client};
use crate::publish::{ConfigStatus, Published, Shelf};
use crate::store::{PollState, Store, StoreError};
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

/// How often the store is looked at while it cannot record.
const LOOK_AT_STORE: Duration = Duration::from_secs(15);

/// Who was left out of a poll of its group is not looked at again before this.
const LEFT_OUT: TimeDelta = TimeDelta::minutes(1);

/// What a service is made of.
pub struct Setup {
    /// The path of feeds.yaml.
    pub config_path: PathBuf,
    /// The ledger.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The client; `allow_networks` and the user agent are set from feeds.yaml, and its time is `clock`'s.
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
    pub(super) briefs: Mutex<Briefs>,
    /// The incidents of the channels that had any.
    pub(super) incidents: Mutex<BTreeMap<ChannelId, Incidents>>,
    pub(super) plan: Mutex<Plan>,
    pub(super) in_flight: Mutex<BTreeSet<ChannelId>>,
    pub(super) readers: Readers,
    pub(super) slots: Mutex<Slots>,
    pub(super) rests: Mutex<Rests>,
    /// When the clock was looked at last.
    pub(super) looked: Mutex<DateTime<Utc>>,
    pub(super) tending: Tending,
    watch: Mutex<Option<Watch>>,
    pub(super) wake: Notify,
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
        let current = Current { config: Arc::new(config) };
        let time = Arc::clone(&clock);
        let client = Client::new(net::Options { time: Arc::new(move || time.now().into()), ..net });
        configure(&client, &current.config);
        let shelf = Arc::new(Shelf::new(Published {
            config: Arc::clone(&current.config),
            status: Arc::clone(&status),
            feeds: Vec::new(),
            documents: HashMap::new(),
            health: None,
        }));
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
            briefs: Mutex::default(),
            incidents: Mutex::default(),
            plan: Mutex::default(),
            in_flight: Mutex::default(),
            readers: Readers::default(),
            slots: Mutex::default(),
            rests: Mutex::default(),
            looked: Mutex::new(now),
            tending: Tending::default(),
            watch: Mutex::new(Some(watch)),
            wake: Notify::new(),
        });
        let config = Arc::clone(&service.current.load().config);
        service.recall(&config.channels).await?;
        service.take_snapshots(&config.channels).await;
        service.release_held(&config.channels).await;
        // Compressing all of it may take long: [`Service::run`] does.
        match service.refresh(Scope::All).await {
            // What can be read of a damaged ledger is on the shelf.
            Err(error) if service.store.ready().await.is_err() && !service.shelf.get().feeds.is_empty() => {
                tracing::error!(%error, "not every feed could be published");
            }
            published => published?,
        }
        service.put_incidents().await;
        service.count_channels();
        service.store_is_well().await;
        service.make_plan();
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
        if self.presses {
            let service = Arc::clone(&self);
            tasks.spawn(async move { service.press().await });
        }
        loop {
            self.look_at_clock();
            let well = self.store_is_well().await;
            self.look_at_network();
            while well && let Some((group, claim)) = self.take_turn() {
                let service = Arc::clone(&self);
                tasks.spawn(async move { service.poll(&group, &claim).await });
            }
            // Groups that have to wait are not in there: they go on when a poll ends.
            let next = self.next_turn().filter(|_| well);
            let due = async {
                let look = self.clock.now() + if well { LOOK_AT_CLOCK } else { LOOK_AT_STORE };
                let sleep = self.clock.sleep_until(next.map_or(look, |next| next.min(look)));
                // Not by that clock alone: one that is set back would let everybody wait until it is where it was.
                let _ = tokio::time::timeout(LOOK_AT_CLOCK, sleep).await;
            };
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(_) = tasks.join_next() => {}
                () = self.wake.notified() => {}
                () = due => {}
            }
        }
        let rest = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_CALL, rest).await.is_err() {
            tracing::info!(
                "polls still running were cut; what they had not recorded is asked for again after the next start"
            );
        }
    }

    /// Polls everything that is due at this instant, one group after the other; tells how many groups that were.
    pub async fn poll_due(&self) -> usize {
        let mut count = 0;
        let well = self.store_is_well().await;
        self.look_at_network();
        while well && let Some((group, claim)) = self.take_turn() {
            self.poll(&group, &claim).await;
            self.look_at_network();
            count += 1;
        }
        count
    }

    /// Polls one group, publishes what changed, plans the next poll. A panic is caught, counted and shown.
    async fn poll(&self, group: &Group, claim: &Claim) {
        let ids: Vec<_> = group.iter().map(|channel| channel.id.clone()).collect();
        let poller = Poller {
            store: &*self.store,
            client: &self.client,
            metrics: &self.metrics,
            readers: &self.readers,
            rests: &self.rests,
            now: self.clock.now(),
            clock: &*self.clock,
            chance: self.chance(),
        };
        let (states, polled) = match self.store.poll_states(&ids).await {
            Ok(states) => {
                let polled = match AssertUnwindSafe(poller.group(group, &states)).catch_unwind().await {
                    Ok(polled) => polled,
                    Err(panic) => self.given_up(group, &states, &given_up::cause(panic)).await,
                };
                (states, polled)
            }
            // Asking without what is known would be asking unconditionally.
            Err(error) => (BTreeMap::new(), poller.unread(group, &error)),
        };
        let began = poller.now;
        let (changed, told) = self.take_note(group, &states, polled, began);
        if !changed.is_empty()
            && let Err(error) = self.publish(Scope::Channels(&changed)).await
        {
            tracing::error!(%error, "what changed could not be published; the old documents stay until the next try");
        }
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

    pub(super) fn chance(&self) -> f64 {
        (self.chance)()
    }

    /// Remembers what came of a poll and plans the next one. Tells which channels may look different now, and whether
    /// an incident began or ended.
    fn take_note(
        &self,
        group: &Group,
        states: &BTreeMap<ChannelId, PollState>,
        polled: Vec<Polled>,
        began: DateTime<Utc>,
    ) -> (BTreeSet<ChannelId>, bool) {
        let mut changed = BTreeSet::new();
        let mut told = false;
        let mut planned: BTreeMap<&ChannelId, Option<DateTime<Utc>>> = BTreeMap::new();
        let now = self.clock.now();
        // Whom one of the group has asked is not asked again by another one within the interval.
        let reached = polled.iter().any(|polled| polled.reached);
        let asked = polled.iter().any(|polled| !polled.offline);
        let again = now + if asked { self.interval(group) } else { LEFT_OUT };
        for mut polled in polled {
            if reached && polled.offline {
                polled.state.next_poll = Some(again);
            }
            let Some(configured) = group.iter().find(|channel| channel.id == polled.channel) else { continue };
            self.remember(configured, &polled);
            told |= self.report(configured, states.get(&polled.channel), &polled);
            let Polled { channel, state, change, store_error, offline, .. } = polled;
            let first_live =
                states.get(&channel).is_none_or(|before| before.live_since.is_none()) && state.live_since.is_some();
            // What the ledger says it could not record may stand in it all the same.
            if !change.is_empty() || first_live || store_error.is_some() {
                changed.insert(channel);
            }
            let is_owed = self.settle(configured, reached || !offline);
            planned.insert(&configured.id, if is_owed { Some(now) } else { state.next_poll });
        }
        for channel in group.iter() {
            planned.entry(&channel.id).or_insert_with(|| self.left_out(channel, again));
        }
        // Whoever was asked last may be asked first next time.
        let took = (now - began).max(TimeDelta::zero());
        if took <= LONGEST_POLL {
            planned.values_mut().flatten().for_each(|next| *next += took);
        } else {
            // Who was asked before the machine slept is due, but not those who were asked when it woke.
            planned.values_mut().flatten().for_each(|next| *next = (*next).max(again));
        }
        self.plan_next(&planned);
        (changed, told)
    }
}
