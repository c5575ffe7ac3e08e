//! One request at a time to each host and port, first come first served, with a pause in between.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Lane, OwnedMutexGuard};
use tokio::time::Instant;
use url::Url;

/// Below this many hosts the map is not swept.
const FEW: usize = 64;

/// The lanes of all hosts that were asked lately.
#[derive(Debug, Default)]
pub(super) struct Pace {
    lanes: Mutex<Lanes>,
}

#[derive(Debug, Default)]
struct Lanes {
    /// Host and port → when the next request may begin. Whoever holds the lane has its turn.
    by_host: HashMap<(String, u16), Arc<Lane<Option<Instant>>>>,
    /// The map is swept when it reaches this size, so that sweeping costs little per request.
    sweep_at: usize,
}

/// A turn: as long as it lives, nobody else asks this host. The pause begins when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    lane: OwnedMutexGuard<Option<Instant>>,
    gap: Duration,
}

impl Pace {
    /// Waits for the turn at the host of `url`. Callers hold one turn at a time, so no two wait for each other.
    pub(super) async fn turn(&self, url: &Url, gap: Duration) -> Turn {
        let lane = self.lane(url).lock_owned().await;
        if let Some(ready) = *lane {
            tokio::time::sleep_until(ready).await;
        }
        Turn { lane, gap }
    }

    fn lane(&self, url: &Url) -> Arc<Lane<Option<Instant>>> {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
        let port = url.port_or_known_default().unwrap_or_default();
        // A poisoned map is still a whole map: no code panics half-way through changing it.
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.by_host.len() >= lanes.sweep_at.max(FEW) {
            lanes.sweep();
        }
        Arc::clone(lanes.by_host.entry((host, port)).or_default())
    }

    /// How many hosts are remembered.
    #[cfg(test)]
    pub(super) fn hosts(&self) -> usize {
        self.lanes.lock().unwrap().by_host.len()
    }
}

impl Lanes {
    /// Forgets hosts that nobody asks or waits for and whose pause is over.
    fn sweep(&mut self) {
        let now = Instant::now();
        self.by_host.retain(|_, lane| {
            let wanted = Arc::strong_count(lane) > 1;
            wanted || lane.try_lock().is_ok_and(|ready| ready.is_some_and(|ready| ready > now))
        });
        self.sweep_at = 2 * self.by_host.len();
    }
}

impl Turn {
    /// The next request to this host need not wait (hosts inside `allow_networks`).
    pub(super) fn without_gap(&mut self) {
        self.gap = Duration::ZERO;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.lane = (!self.gap.is_zero()).then(|| Instant::now() + self.gap);
    }
}
