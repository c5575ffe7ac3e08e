//! Hosts that are down are left alone: after a few network failures in a row every request to a host fails at once,
//! and after a pause one request finds out whether it is back. Other hosts are never affected.

use super::error::Failure;
use super::pace;
use super::reach::Reach;
use super::types::FetchError;
use super::types::FetchErrorKind::{Body, Connect, Dns, Empty, Protocol, Resting, Timeout, Tls};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// After this many network failures in a row a host is left alone.
pub(super) const OPENS_AT: u32 = 5;
/// The first pause; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// The most hosts that are remembered; beyond, those that failed longest ago are forgotten.
const MOST_HOSTS: usize = 10_000;

type Host = (String, u16);

/// What is known of the hosts that failed last time. A host that answers is forgotten.
pub(super) struct Breakers {
    hosts: Mutex<HashMap<Host, Breaker>>,
    /// Spreads the pauses.
    chance: Arc<dyn Fn() -> f64 + Send + Sync>,
    /// Whether anybody can be reached.
    pub(super) reach: Arc<Reach>,
}

/// A host that failed.
#[derive(Debug, Clone)]
struct Breaker {
    /// How often in a row.
    failures: u32,
    /// Not asked before this.
    until: Instant,
    /// Somebody is finding out whether it is back.
    probing: bool,
    /// When it failed last.
    failed: Instant,
    /// What the last failure was.
    why: String,
}

/// Leave to ask a host. Dropping it without [`Pass::end`] (the fetch was cancelled) says nothing of the host.
pub(super) struct Pass<'a> {
    breakers: &'a Breakers,
    host: Option<Host>,
    site: String,
    is_probe: bool,
}

impl Breakers {
    /// No host has failed yet.
    pub(super) fn new(chance: Arc<dyn Fn() -> f64 + Send + Sync>) -> Self {
        Self { hosts: Mutex::default(), chance, reach: Arc::default() }
    }

    /// Refuses when the host is down; asks for nothing.
    pub(super) fn check(&self, url: &Url) -> Result<(), Failure> {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.get(&host(url)).map_or(Ok(()), Breaker::check)
    }

    /// Leave to ask the host of `url`.
    pub(super) fn enter(&self, url: &Url) -> Result<Pass<'_>, Failure> {
        let host = host(url);
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_probe = false;
        if let Some(breaker) = hosts.get_mut(&host) {
            breaker.check()?;
            is_probe = breaker.failures >= OPENS_AT;
            breaker.probing = is_probe;
        }
        Ok(Pass { breakers: self, host: Some(host), site: pace::site(url), is_probe })
    }

    /// Notes a failure; whether it is the first in a row.
    fn failed(&self, host: Host, why: &str) -> bool {
        let now = Instant::now();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MOST_HOSTS && !hosts.contains_key(&host) {
            forget_half(&mut hosts);
        }
        let failures = hosts.get(&host).map_or(0, |breaker| breaker.failures).saturating_add(1);
        let until = if failures < OPENS_AT { now } else { now + pause(failures, (self.chance)()) };
        hosts.insert(host, Breaker { failures, until, probing: false, failed: now, why: why.to_owned() });
        failures == 1
    }

    /// How many hosts are remembered.
    pub(super) fn hosts(&self) -> usize {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Breaker {
    fn check(&self) -> Result<(), Failure> {
        let now = Instant::now();
        if self.failures < OPENS_AT || now >= self.until && !self.probing {
            return Ok(());
        }
        let seconds = self.until.saturating_duration_since(now).as_secs();
        let Self { failures, why, .. } = self;
        let message = format!(
            "the host failed {failures} times in a row and was not asked; it is tried again in {seconds} s ({why})"
        );
        Err(Failure::new(Resting, message))
    }
}

impl Pass<'_> {
    /// Notes how it went. Any answer, be it an error status, says that the host is up.
    pub(super) fn end(mut self, error: Option<&FetchError>) {
        let Some(host) = self.host.clone() else { return };
        let dead = |error: &&FetchError| {
            error.status.is_none() && matches!(error.kind, Dns | Connect | Tls | Timeout | Protocol)
        };
        let reach = &self.breakers.reach;
        if error.is_none_or(|error| error.status.is_some() || matches!(error.kind, Tls | Protocol | Body | Empty)) {
            reach.answered();
        }
        match error.filter(dead) {
            // No fault of the host: dropping the pass says nothing of it.
            Some(_) if reach.is_offline() => return,
            Some(error) => {
                let first = self.breakers.failed(host, &error.message);
                // Who took the connection and fell silent says nothing of the network.
                if first && !error.reached && matches!(error.kind, Dns | Connect | Timeout) {
                    reach.lost(std::mem::take(&mut self.site));
                }
            }
            None => {
                self.breakers.hosts.lock().unwrap_or_else(PoisonError::into_inner).remove(&host);
            }
        }
        self.host = None;
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(host) = self.host.take().filter(|_| self.is_probe)
            && let Some(breaker) = self.breakers.hosts.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&host)
        {
            breaker.probing = false;
        }
    }
}

/// How long a host is left alone after so many failures; `chance` from 0 to 1 spreads it by a fifth each way.
pub(super) fn pause(failures: u32, chance: f64) -> Duration {
    let doublings = failures.saturating_sub(OPENS_AT).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE).mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0))
}

fn host(url: &Url) -> Host {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
    (host, url.port_or_known_default().unwrap_or_default())
}

/// Forgets the half that failed longest ago, so that forgetting costs little per failure.
fn forget_half(hosts: &mut HashMap<Host, Breaker>) {
    let mut times: Vec<_> = hosts.values().map(|breaker| breaker.failed).collect();
    let middle = times.len() / 2;
    let (_, cut, _) = times.select_nth_unstable(middle);
    let cut = *cut;
    let most = hosts.len() / 2;
    let mut kept = 0;
    hosts.retain(|_, breaker| {
        let keep = breaker.failed >= cut && kept < most;
        kept += usize::from(keep);
        keep
    });
}
