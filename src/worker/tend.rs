//! What a service looks after between polls: the clock, and the store's health and size.

use super::publisher::Scope;
use super::service::{Service, lock};
use crate::model::ChannelId;
use crate::schedule;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// How often the clock is looked at when nothing else happens: it may be set, and the machine may sleep. The store's
/// size is looked at as often.
pub(super) const LOOK_AT_CLOCK: Duration = Duration::from_mins(1);

/// A write-ahead log of more bytes than this is told of. It is cut back to 16 MiB whenever all of it was copied.
const LARGE_LOG: u64 = 64 << 20;

/// What was found at the last look.
#[derive(Debug, Default)]
pub(super) struct Tending {
    /// Nothing could be recorded.
    unwell: AtomicBool,
    large: AtomicBool,
    offline: AtomicBool,
    /// When somebody was last asked although there was no network.
    pub(super) probed: Mutex<Option<DateTime<Utc>>>,
    /// Channels that are owed a poll until they have had one: there was no network for them, or an edit of feeds.yaml makes
    /// them be read in another way.
    pub(super) owed: Mutex<BTreeSet<ChannelId>>,
    sized: Mutex<Option<DateTime<Utc>>>,
}

impl Service {
    /// Plans everything anew if the clock was set or the machine slept since the last look, which [`Service::run`] takes
    /// every minute: what is overdue is spread, and what was planned under a clock that ran ahead is due.
    pub fn look_at_clock(&self) {
        let now = self.clock.now();
        let before = std::mem::replace(&mut *lock(&self.looked), now);
        if schedule::stepped(before, now, LOOK_AT_CLOCK) {
            tracing::info!(%before, %now, "the clock was set or the machine slept: everything is planned anew");
            self.make_plan();
        }
    }

    /// Whether anything can be recorded; while not, no source is asked in vain. When it can be again, what is recorded but
    /// not published is, and what has become overdue is spread.
    pub(super) async fn store_is_well(&self) -> bool {
        let ready = self.store.ready().await;
        self.metrics.writable(ready.is_ok());
        let was_unwell = self.tending.unwell.swap(ready.is_err(), Relaxed);
        match &ready {
            Err(error) if !was_unwell => {
                tracing::error!(%error, "nothing can be recorded: no source is asked, what is published keeps being served");
            }
            Ok(()) if was_unwell => {
                tracing::info!("the store records again");
                self.make_plan();
            }
            _ => {}
        }
        if ready.is_ok()
            && self.publisher.owes()
            && let Err(error) = self.publish(Scope::Channels(&BTreeSet::new())).await
        {
            tracing::error!(%error, "not everything that is recorded could be published");
        }
        self.size_store().await;
        ready.is_ok()
    }

    /// Notices that the network went away, and that it is back: then who could not be asked is due, and spread.
    pub(super) fn look_at_network(&self) {
        let offline = self.client.is_offline();
        let was_offline = self.tending.offline.swap(offline, Relaxed);
        if offline == was_offline {
            return;
        }
        self.metrics.online(!offline);
        self.shelf().note_offline(offline.then(|| self.clock.now()));
        if offline {
            tracing::warn!(
                "no site can be reached: the network or the resolver of this machine is down; what is published keeps \
                 being served, and one site is tried every half minute"
            );
            return;
        }
        let channels = lock(&self.tending.owed).len();
        tracing::info!(channels, "the network is back, or was away for a day: who could not be asked is");
        self.make_plan();
    }

    /// Tells how large the store is, once a minute. A log that grows and grows means that somebody keeps an old view of
    /// the ledger open: what is younger cannot be copied into the file.
    async fn size_store(&self) {
        let now = self.clock.now();
        let just = |sized: &mut DateTime<Utc>| (now - *sized).abs() < chrono::TimeDelta::minutes(1);
        if lock(&self.tending.sized).as_mut().is_some_and(just) {
            return;
        }
        *lock(&self.tending.sized) = Some(now);
        let Some(sizes) = self.store.sizes().await else { return };
        self.metrics.sized(sizes.file, sizes.log);
        let large = sizes.log > LARGE_LOG;
        match (self.tending.large.swap(large, Relaxed), large) {
            (false, true) => tracing::warn!(
                bytes = sizes.log,
                "the write-ahead log heliu.db-wal is large: another program (sqlite3, a backup) may keep an old view of the ledger open; the log grows until that ends"
            ),
            (true, false) => tracing::info!(bytes = sizes.log, "the write-ahead log is small again"),
            _ => {}
        }
    }
}
