//! The robots.txt of each host: fetched once a day, kept in memory, asked before a page is.
//!
//! After a restart each is fetched again. What is kept ends at [`MOST_BYTES`]; beyond, the oldest are forgotten.

use super::client::Client;
use super::error::Failure;
use super::robots::{self, Robots};
use super::types::FetchErrorKind::{
    Connect, Disallowed, Dns, Empty, Protocol, Redirect, Refused, Resting, Status, Timeout, Tls,
};
use super::types::{self, Accept, FetchError, Request, Response, Validators};
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex as Turn;
use tokio::time::Instant;
use url::Url;

/// How long a robots.txt is believed (RFC 9309 section 2.4).
const FRESH: Duration = Duration::from_hours(24);
/// The first pause after a robots.txt could not be had; it doubles up to [`FRESH`].
const FIRST_RETRY: Duration = Duration::from_mins(10);
/// A robots.txt that cannot be had for this long counts as missing (section 2.3.1.4), and an old copy is used no longer.
const GIVEN_UP: Duration = Duration::from_hours(30 * 24);
/// The largest robots.txt on the wire; of a smaller one the beginning is read.
const LARGEST: usize = 2 << 20;
/// The most memory that all together take, in bytes.
const MOST_BYTES: usize = 32 << 20;

/// What is known of every origin (scheme, host and port).
#[derive(Debug, Default)]
pub(super) struct Permits {
    origins: Mutex<HashMap<String, Arc<Origin>>>,
}

/// One origin. Whoever holds `turn` is fetching its robots.txt; the others wait for what comes of it.
#[derive(Debug)]
struct Origin {
    turn: Turn<()>,
    known: Mutex<Known>,
}

/// What is known of one origin's robots.txt.
#[derive(Debug, Clone)]
struct Known {
    robots: Arc<Robots>,
    /// When it was read; `None`: never.
    read: Option<Instant>,
    /// Not asked again before this.
    fresh_until: Instant,
    /// Since when it cannot be had, how often that was seen, and why.
    missing: Option<(Instant, u32, Failure)>,
}

impl Client {
    /// Whether robots.txt lets us fetch `url`, and the pause it asks for.
    ///
    /// Boxed, because fetching robots.txt is a fetch within a fetch.
    pub(super) fn permitted<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Duration, Failure>> {
        Box::pin(async move { self.ask_robots(url).await })
    }

    async fn ask_robots(&self, url: &Url) -> Result<Duration, Failure> {
        let origin = self.permits.origin(url.origin().ascii_serialization());
        if !origin.is_fresh() {
            let _turn = origin.turn.lock().await;
            // Somebody else may have fetched it while we waited.
            if !origin.is_fresh()
                && let Some(address) = robots::address(url)
            {
                let robots = types::Robots::Ignore;
                let validators = Validators::default();
                let (accept, limit, berth) = (Accept::Page, LARGEST, super::Berth::default());
                let request = Request { url: address, validators, accept, limit, robots, berth };
                let answer = self.fetch(request).await;
                origin.learn(answer);
                self.permits.trim();
            }
        }
        let known = origin.known();
        if known.robots.allows(url) {
            return Ok(known.robots.delay.unwrap_or_default());
        }
        let advice = "if you may fetch it all the same, set `robots: ignore` on the channel";
        Err(Failure::new(
            Disallowed,
            match known.missing.filter(|_| known.read.is_none()) {
                // A host that is down is not told apart by its robots.txt: the error is the one that it is.
                Some((.., why)) if is_down(&why) => {
                    let message = format!("robots.txt, which is asked first, cannot be had: {}", why.message);
                    return Err(Failure::new(why.kind, message));
                }
                Some((.., why)) => {
                    format!("robots.txt cannot be had, which forbids everything; {advice} ({})", why.message)
                }
                None => format!("robots.txt disallows this address; {advice}"),
            },
        ))
    }
}

impl Permits {
    fn origin(&self, name: String) -> Arc<Origin> {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(origins.entry(name).or_insert_with(|| Arc::new(Origin::new())))
    }

    /// Forgets the origins that were read longest ago until the rest is small enough.
    fn trim(&self) {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let weigh = |name: &String, origin: &Origin| name.len() + 256 + origin.known().robots.weight();
        let mut total: usize = origins.iter().map(|(name, origin)| weigh(name, origin)).sum();
        if total <= MOST_BYTES {
            return;
        }
        let mut oldest: Vec<_> = origins
            .iter()
            .filter(|(_, origin)| Arc::strong_count(origin) == 1)
            .map(|(name, origin)| (origin.known().fresh_until, name.clone(), weigh(name, origin)))
            .collect();
        oldest.sort();
        for (_, name, weight) in oldest {
            if total <= MOST_BYTES / 2 {
                break;
            }
            origins.remove(&name);
            total -= weight;
        }
    }

    /// How many origins are remembered.
    pub(super) fn origins(&self) -> usize {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Origin {
    fn new() -> Self {
        let known = Known { robots: Arc::default(), read: None, fresh_until: Instant::now(), missing: None };
        Self { turn: Turn::default(), known: Mutex::new(known) }
    }

    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_fresh(&self) -> bool {
        self.known().fresh_until > Instant::now()
    }

    fn learn(&self, answer: Result<Response, FetchError>) {
        let now = Instant::now();
        let before = self.known();
        let known = match verdict(answer) {
            Ok(robots) => Known { robots: Arc::new(robots), read: Some(now), fresh_until: now + FRESH, missing: None },
            Err(why) => {
                let (since, times) = before.missing.map_or((now, 0), |(since, times, _)| (since, times));
                // A host that is down is asked again as its pages are; the breaker bounds how often.
                let wait = if is_down(&why) { Duration::ZERO } else { FIRST_RETRY };
                let retry = wait.saturating_mul(1 << times.min(16)).min(FRESH);
                let given_up = now.duration_since(since) >= GIVEN_UP;
                let copy_holds = before.read.is_some_and(|read| now.duration_since(read) < GIVEN_UP);
                let robots = match (given_up, copy_holds) {
                    (true, _) => Arc::default(),
                    (false, true) => before.robots,
                    (false, false) => Arc::new(Robots::closed()),
                };
                let read = before.read.filter(|_| copy_holds);
                Known { robots, read, fresh_until: now + retry, missing: Some((since, times + 1, why)) }
            }
        };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

/// What an answer to the request for robots.txt means (RFC 9309 section 2.3.1): rules; "there is none", which allows
/// everything; or why it cannot be had, which forbids everything. 429 is no "there is none": it asks to be left alone.
fn verdict(answer: Result<Response, FetchError>) -> Result<Robots, Failure> {
    let error = match answer {
        Ok(response) => return Ok(Robots::read(&response.body)),
        Err(error) => error,
    };
    match (error.kind, error.status) {
        (Empty | Redirect | Refused, _) => Ok(Robots::default()),
        (Status, Some(status)) if status < 500 && status != 429 => Ok(Robots::default()),
        _ => Err(Failure::new(error.kind, error.message)),
    }
}

/// Whether the host gave no answer at all.
fn is_down(failure: &Failure) -> bool {
    matches!(failure.kind, Dns | Connect | Tls | Timeout | Protocol | Resting)
}
