//! One request at a time to each site, first come first served, with a pause in between.
//!
//! A site is what one party runs: a registrable domain with all its hosts, by the public suffix list. On hosting
//! platforms (`github.io`) each customer's name is one. An address without a name is a site of its own.

use super::guard;
use ipnet::IpNet;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Lane, OwnedMutexGuard};
use tokio::time::Instant;
use url::{Host, Url};

/// Below this many sites the map is not swept.
const FEW: usize = 64;

/// The lanes of all sites that were asked lately.
#[derive(Debug, Default)]
pub(super) struct Pace {
    lanes: Mutex<Lanes>,
}

#[derive(Debug, Default)]
struct Lanes {
    /// Site → when the next request may begin. Whoever holds the lane has its turn.
    by_site: HashMap<String, Arc<Lane<Option<Instant>>>>,
    /// The map is swept when it reaches this size, so that sweeping costs little per request.
    sweep_at: usize,
}

/// A turn: as long as it lives, nobody else asks this site. The pause begins when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    lane: OwnedMutexGuard<Option<Instant>>,
    gap: Duration,
}

/// The site of an address: who waits for whom. Two addresses of one site are never asked at once.
#[must_use]
pub fn site(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    match url.host() {
        Some(Host::Domain(_)) => psl::domain_str(host).unwrap_or(host).to_owned(),
        _ => host.to_owned(),
    }
}

/// The lane of an address: its site, but for numbers inside `allow` also the port. There one machine often runs
/// several servers that have nothing to do with each other.
pub(super) fn lane(url: &Url, allow: &[IpNet]) -> String {
    let ip = match url.host() {
        Some(Host::Ipv4(ip)) => Some(ip.into()),
        Some(Host::Ipv6(ip)) => Some(ip.into()),
        _ => None,
    };
    let port = url.port_or_known_default().filter(|_| ip.is_some_and(|ip| guard::inside(ip, allow)));
    port.map_or_else(|| site(url), |port| format!("{} {port}", site(url)))
}

impl Pace {
    /// Waits for the turn in this lane. Callers hold one turn at a time, so no two wait for each other.
    pub(super) async fn turn(&self, lane: String, gap: Duration) -> Turn {
        let lane = self.lane(lane).lock_owned().await;
        if let Some(ready) = *lane {
            tokio::time::sleep_until(ready).await;
        }
        Turn { lane, gap }
    }

    fn lane(&self, site: String) -> Arc<Lane<Option<Instant>>> {
        // A poisoned map is still a whole map: no code panics half-way through changing it.
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.by_site.len() >= lanes.sweep_at.max(FEW) {
            lanes.sweep();
        }
        Arc::clone(lanes.by_site.entry(site).or_default())
    }

    /// How many sites are remembered.
    pub(super) fn hosts(&self) -> usize {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).by_site.len()
    }
}

impl Lanes {
    /// Forgets sites that nobody asks or waits for and whose pause is over.
    fn sweep(&mut self) {
        let now = Instant::now();
        self.by_site.retain(|_, lane| {
            let wanted = Arc::strong_count(lane) > 1;
            wanted || lane.try_lock().is_ok_and(|ready| ready.is_some_and(|ready| ready > now))
        });
        self.sweep_at = 2 * self.by_site.len();
    }
}

impl Turn {
    /// How long the next request to this site has to wait (hosts inside `allow_networks`: not at all, unless their
    /// robots.txt says so).
    pub(super) fn set_gap(&mut self, gap: Duration) {
        self.gap = gap;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.lane = (!self.gap.is_zero()).then(|| Instant::now() + self.gap);
    }
}
