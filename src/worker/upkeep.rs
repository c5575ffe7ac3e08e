//! What a service does besides polling: it publishes, takes snapshots, lets go of what was held back.

use super::agenda;
use super::brief::Brief;
use super::publisher::Scope;
use super::service::{Service, Setup, StartError, lock};
use super::snapshot;
use crate::config::{self, Channel};
use crate::model::{ChannelId, Standing};
use crate::store::{Poll, PollState, Seen, StoreError};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Service {
    /// Reads feeds.yaml and the ledger, records snapshots, publishes what is known. Touches no network. What is
    /// published is compressed by [`Service::run`], and until then served as it is.
    ///
    /// # Errors
    /// feeds.yaml is unreadable or wrong, or the ledger fails.
    pub async fn start(setup: Setup) -> Result<Arc<Self>, StartError> {
        Self::begin(setup, true).await
    }

    /// The same, but nothing is compressed, which takes most of the time: for simulations.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub async fn start_plain(setup: Setup) -> Result<Arc<Self>, StartError> {
        Self::begin(setup, false).await
    }

    /// Publishes what may have changed in these channels; [`Service::press`] compresses it afterwards.
    ///
    /// # Errors
    /// The ledger failed; the old documents stay.
    pub async fn publish_channels(&self, channels: &BTreeSet<ChannelId>) -> Result<(), StoreError> {
        self.refresh(Scope::Channels(channels)).await
    }

    /// Compresses what was published lately. Until then it is served as it is.
    pub async fn press(&self) {
        self.publisher.press().await;
    }

    /// How much is remembered between polls, by name: numbers that the configuration explains, however long the
    /// service runs.
    #[must_use]
    pub fn remembered(&self) -> Vec<(&'static str, usize)> {
        let [sites, broken, robots] = self.client.remembered();
        let mut all = vec![("sites", sites), ("broken hosts", broken), ("robots.txt", robots)];
        let [queued, waiting] = lock(&self.plan).lengths();
        all.extend([("plan", queued), ("waiting", waiting)]);
        let rests = lock(&self.rests).len();
        all.extend([("rests", rests), ("busy", lock(&self.slots).sites())]);
        all.push(("in flight", lock(&self.in_flight).len()));
        all
    }

    /// Plans the next polls of channels that were polled together. The earliest comes first: the others then change
    /// nothing. One that is gone for good is not due again before its part of feeds.yaml changes. Whoever plans everything
    /// anew goes by these times too.
    pub(super) fn plan_next(&self, planned: &BTreeMap<&ChannelId, Option<DateTime<Utc>>>) {
        // Whoever locks two of these holds `briefs` meanwhile.
        let (mut briefs, mut in_flight, mut plan) = (lock(&self.briefs), lock(&self.in_flight), lock(&self.plan));
        let mut due = Vec::new();
        for (channel, next) in planned {
            in_flight.remove(*channel);
            due.extend(next.map(|next| (next, *channel)));
            if let Some(brief) = briefs.get_mut(*channel).filter(|_| next.is_some()) {
                brief.next_poll = *next;
            }
        }
        due.sort_unstable();
        for (next, channel) in &due {
            plan.schedule(channel, *next);
        }
        // An edit may have given the group others meanwhile, who could not be planned while it was being polled.
        let (owed, now) = (lock(&self.tending.owed), self.clock.now());
        if owed.is_empty() {
            return;
        }
        let mates = planned.keys().flat_map(|channel| plan.mates(channel)).cloned().collect::<Vec<_>>();
        let is_new = |mate: &Channel| {
            let gone = briefs.get(&mate.id).and_then(Brief::gone);
            let is_planned = due.iter().any(|(_, channel)| **channel == mate.id) || in_flight.contains(&mate.id);
            owed.contains(&mate.id) && !is_planned && gone.is_none_or(|print| print != config::fingerprint(mate))
        };
        for mate in mates.iter().filter(|mate| is_new(mate)) {
            let rests = lock(&self.rests).until(std::slice::from_ref(mate), agenda::asked(&briefs), now);
            plan.schedule(&mate.id, rests.unwrap_or(now));
        }
    }

    /// Publishes and compresses.
    pub(super) async fn publish(&self, scope: Scope<'_>) -> Result<(), StoreError> {
        let refreshed = self.refresh(scope).await;
        if self.presses {
            self.press().await;
        }
        refreshed
    }

    pub(super) async fn refresh(&self, scope: Scope<'_>) -> Result<(), StoreError> {
        let current = || (Arc::clone(&self.current.load().config), self.status.load_full());
        let began = std::time::Instant::now();
        let done = self.publisher.refresh(current, scope, self.clock.now()).await;
        self.metrics.published(began.elapsed());
        done
    }

    /// Records the snapshots of channels that were never read live.
    pub(super) async fn take_snapshots(&self, channels: &[Arc<Channel>]) {
        let now = self.clock.now();
        if self.store.ready().await.is_err() {
            return;
        }
        for channel in channels.iter().filter(|channel| channel.snapshot.is_some()) {
            let before = match self.store.poll_states(std::slice::from_ref(&channel.id)).await {
                Ok(mut states) => states.remove(&channel.id).unwrap_or_default(),
                Err(error) => {
                    tracing::error!(channel = %channel.id, %error, "whether the snapshot is needed cannot be read");
                    continue;
                }
            };
            if before.live_since.is_some() {
                continue;
            }
            let (candidates, flaws) = snapshot::read(channel, now).await;
            let entries = candidates.len();
            // What the last poll found matters more than what the old page lacks.
            let flaws = if before.last_poll.is_some() { before.flaws.clone() } else { flaws };
            let state = PollState { flaws, ..before };
            let seen = Some(Seen::new(Standing::Snapshot, candidates));
            let poll = Poll { channel: channel.id.clone(), at: now, seen, state, fetched: BTreeMap::new() };
            match self.store.record(&poll).await {
                Ok(_) => {
                    tracing::info!(channel = %channel.id, entries, "serving the snapshot until the first live poll succeeds");
                }
                Err(error) => tracing::error!(channel = %channel.id, %error, "the snapshot could not be recorded"),
            }
            self.note_state(channel, &poll.state);
        }
    }

    /// Lets go of what was held back in channels that have no quarantine any more.
    pub(super) async fn release_held(&self, channels: &[Arc<Channel>]) {
        for channel in channels.iter().filter(|channel| !channel.trust.quarantine) {
            match self.store.release(&channel.id, self.clock.now()).await {
                Ok(0) => {}
                Ok(entries) => {
                    tracing::info!(channel = %channel.id, entries, "what was held back is published");
                    if let Ok(states) = self.store.poll_states(std::slice::from_ref(&channel.id)).await
                        && let Some(state) = states.get(&channel.id)
                    {
                        self.note_state(channel, state);
                    }
                }
                Err(error) => {
                    tracing::error!(channel = %channel.id, %error, "what is held back could not be let go");
                }
            }
        }
    }
}
