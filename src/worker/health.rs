//! What a poll says of its channel's health: noted in the channel's state, counted, logged, and told to the admin.

use super::brief::Brief;
use super::poll::Polled;
use super::publisher::Publisher;
use super::service::{Service, lock};
use crate::config::{self, Channel};
use crate::health::{self, Incidents, Sight};
use crate::model::{ChannelId, FlawCode};
use crate::render::{self, Told};
use crate::store::{PollState, StoreError};
use crate::telemetry::ChannelGauge;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How many channels' states are read from the ledger at once.
const AT_ONCE: usize = 500;

/// Notes what is usual, what is not, and what became of incidents. `state` is the channel's state after a poll that
/// brought `new` entries, `before` the one before it.
pub(super) fn note(channel: &Channel, before: &PollState, state: &mut PollState, new: usize, now: DateTime<Utc>) {
    // Judged anew; those of an unchanged list were carried over.
    state.flaws.retain(|flaw| !matches!(flaw.code, FlawCode::Drifted | FlawCode::Silent));
    if state.failures == 0 {
        let read = state.read_hash != before.read_hash;
        let sight = Sight {
            page: read.then_some(state.usual.page),
            articles: state.usual.read,
            new: u32::try_from(new).unwrap_or(u32::MAX),
            last_success: before.last_success,
        };
        let (usual, found) = health::judge(&state.usual, &sight, now);
        state.usual = usual;
        // That all are new says more than that nearly all are.
        let all_new = state.flaws.iter().any(|flaw| flaw.code == FlawCode::AllNew);
        state.flaws.extend(found.into_iter().filter(|flaw| flaw.code != FlawCode::OldGone || !all_new));
    }
    let (now_in, since) = state.health(channel.snapshot.is_some());
    state.incidents = before.incidents.follow(now_in, &state.flaws, since, now);
}

impl Service {
    /// What is counted; `/metrics` shows it.
    #[must_use]
    pub fn metrics(&self) -> Arc<crate::telemetry::Metrics> {
        Arc::clone(&self.metrics)
    }

    /// Reads from the ledger what is remembered of these channels; what is remembered already is newer and stays. Tells
    /// which of them were never read in the way that feeds.yaml says now.
    ///
    /// # Errors
    /// The ledger failed.
    pub(super) async fn recall(&self, channels: &[Arc<Channel>]) -> Result<BTreeSet<ChannelId>, StoreError> {
        let mut reread = BTreeSet::new();
        for some in channels.chunks(AT_ONCE) {
            let ids: Vec<_> = some.iter().map(|channel| channel.id.clone()).collect();
            let states = self.store.poll_states(&ids).await?;
            for channel in some {
                let state = states.get(&channel.id);
                if state.is_none_or(|state| state.config_hash != config::fingerprint(channel)) {
                    reread.insert(channel.id.clone());
                }
                let Some(state) = state else { continue };
                if !lock(&self.briefs).contains_key(&channel.id) {
                    self.note_state(channel, state);
                    lock(&self.rests).recall(state, self.clock.now(), |_| true);
                }
            }
        }
        Ok(reread)
    }

    /// Remembers what decides the channel's next poll and what is shown of it.
    pub(super) fn remember(&self, channel: &Channel, polled: &Polled) {
        let (id, state) = (&polled.channel, &polled.state);
        if polled.offline {
            lock(&self.tending.owed).insert(id.clone());
        }
        if polled.store_error.is_some() || polled.offline {
            // The ledger knows nothing of it.
            let nothing = || Brief::of(channel, &PollState::default(), self.clock.now());
            let mut briefs = lock(&self.briefs);
            let brief = briefs.entry(id.clone()).or_insert_with(nothing);
            brief.next_poll = state.next_poll;
            if polled.reached {
                // When it was asked decides what is believed of when it is due.
                brief.last_poll = Some(self.clock.now());
            }
            drop(briefs);
            // What it was told holds all the same.
            lock(&self.rests).recall(state, self.clock.now(), |rest| Some(rest.told) > state.last_poll);
            return;
        }
        lock(&self.rests).note(state, self.clock.now());
        self.note_state(channel, state);
    }

    /// Remembers a state as it stands in the ledger.
    pub(super) fn note_state(&self, channel: &Channel, state: &PollState) {
        lock(&self.briefs).insert(channel.id.clone(), Brief::of(channel, state, self.clock.now()));
        let mut incidents = lock(&self.incidents);
        if state.incidents.is_empty() {
            incidents.remove(&channel.id);
        } else {
            incidents.insert(channel.id.clone(), state.incidents.clone());
        }
    }

    /// Counts, logs and, when an incident began or ended, tells what became of a poll. `true` when one did.
    pub(super) fn report(&self, channel: &Channel, before: Option<&PollState>, polled: &Polled) -> bool {
        let unrecorded = polled.store_error.as_ref().map(ToString::to_string);
        self.shelf().note_unrecorded(&polled.channel, unrecorded.as_deref());
        let outcome = outcome(polled);
        let took = polled.state.last_attempt.as_ref().map_or(0, |attempt| attempt.millis);
        self.metrics.polled(outcome, Duration::from_millis(took));
        let change = &polled.change;
        for (what, ids) in [
            ("new", &change.new),
            ("updated", &change.updated),
            ("held", &change.held),
            ("withdrawn", &change.withdrawn),
            ("returned", &change.returned),
        ] {
            self.metrics.entries(what, ids.len());
        }
        let codes: BTreeSet<_> = polled.state.flaws.iter().map(|flaw| flaw.code).collect();
        for code in codes {
            self.metrics.flaw(code.as_str());
        }
        log(channel, outcome, took, polled);
        let none = Incidents::default();
        self.tell_apart(&polled.channel, before.map_or(&none, |before| &before.incidents), &polled.state.incidents)
    }

    /// Counts and logs what became of incidents; `true` when one was opened or closed.
    fn tell_apart(&self, channel: &ChannelId, before: &Incidents, after: &Incidents) -> bool {
        let mut told = false;
        let opened_at = |incidents: &Incidents| incidents.open.as_ref().map(|open| open.opened);
        if let Some(over) = before.open.as_ref().filter(|_| opened_at(before) != opened_at(after)) {
            self.metrics.incident(over.kind.as_str(), "closed");
            tracing::info!(%channel, state = %over.kind, since = %over.since.to_rfc3339(), "an incident is over");
            told = true;
        }
        if let Some(open) = after.open.as_ref().filter(|_| opened_at(before) != opened_at(after)) {
            self.metrics.incident(open.kind.as_str(), "opened");
            let since = open.since.to_rfc3339();
            tracing::warn!(%channel, state = %open.kind, since, evidence = open.evidence, "an incident: {}", open.advice);
            told = true;
        }
        told
    }

    /// Tells `/metrics` of the channels of the configuration in use.
    fn show_channels(&self, visit: &mut dyn FnMut(&str, ChannelGauge)) {
        let current = self.current.load();
        let now = self.clock.now();
        let unknown = |channel: &Channel| Brief::of(channel, &PollState::default(), now).gauge();
        // Polls go on between two of these.
        for some in current.config.channels.chunks(AT_ONCE) {
            let briefs = lock(&self.briefs);
            for one in some {
                visit(one.id.as_str(), briefs.get(&one.id).map_or_else(|| unknown(one), Brief::gauge));
            }
        }
    }

    /// From now on `/metrics` shows the channels.
    pub(super) fn count_channels(self: &Arc<Self>) {
        let service = Arc::downgrade(self);
        self.metrics.set_channels(Box::new(move |visit| {
            if let Some(service) = service.upgrade() {
                service.show_channels(visit);
            }
        }));
    }

    /// Publishes the feed of incidents, and compresses it.
    pub(super) async fn publish_incidents(&self) {
        self.put_incidents().await;
        if self.presses {
            self.press().await;
        }
    }

    /// Puts the incidents of the configured channels into the feed for the admin.
    pub(super) async fn put_incidents(&self) {
        let current = self.current.load_full();
        let incidents = lock(&self.incidents).clone();
        let mut told = Vec::new();
        for channel in &current.config.channels {
            let Some(of) = incidents.get(&channel.id) else { continue };
            let all = of.open.iter().chain(&of.closed);
            told.extend(all.map(|incident| Told { channel: &channel.id, title: &channel.title, incident }));
        }
        let told = self.publisher.tell(&current.config, &told, self.clock.now()).await;
        if let Err(error) = told {
            tracing::error!(%error, "the feed of incidents could not be published; the old one stays");
        }
    }
}

impl Publisher {
    /// Publishes the feed of incidents.
    async fn tell(
        &self,
        config: &crate::config::Config,
        told: &[Told<'_>],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let created = self.created().await?;
        let text = render::health_atom(told, &super::drafts::site(config), created);
        self.put_health(text, &config.service.language, now).await
    }
}

/// How a poll ended: the label of the metric and the field of the log line.
fn outcome(polled: &Polled) -> &'static str {
    match polled {
        Polled { store_error: Some(_), .. } => "unrecorded",
        Polled { offline: true, .. } => "offline",
        Polled { state, .. } if state.failures > 0 => "failed",
        Polled { change, .. } if change.is_empty() => "unchanged",
        Polled { .. } => "changed",
    }
}

fn log(configured: &Channel, outcome: &'static str, duration_ms: u64, polled: &Polled) {
    let Polled { channel, state, change, store_error, offline, .. } = polled;
    let next = state.next_poll.map(|at| at.to_rfc3339()).unwrap_or_default();
    let status = state.last_attempt.as_ref().and_then(|attempt| attempt.status);
    let health = state.health(configured.snapshot.is_some()).0.as_str();
    if let Some(error) = store_error {
        tracing::error!(%channel, outcome, %error, next, "the poll could not be recorded and will be repeated");
    } else if *offline {
        let error = state.error.as_deref().unwrap_or_default();
        // One line tells that there is no network, not one for each who finds that out.
        tracing::debug!(%channel, outcome, error, next, "there is no network: the poll will be repeated");
    } else if let Some(error) = &state.error {
        let failures = state.failures;
        tracing::warn!(
            %channel, outcome, state = health, status, duration_ms, error, failures, next,
            "the poll failed; what is published stays"
        );
    } else {
        let (new, updated) = (change.new.len(), change.updated.len());
        let layout = state.layout.as_deref().unwrap_or("-");
        let flaws = state.flaws.len();
        tracing::info!(
            %channel, outcome, state = health, status, duration_ms, new, updated, layout, flaws, next,
            "polled"
        );
        for flaw in &change.flaws {
            tracing::warn!(%channel, %flaw, "{}", flaw.code.advice());
        }
    }
}
