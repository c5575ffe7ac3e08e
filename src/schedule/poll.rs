//! When a channel is asked next.

use super::{DAY, HOUR, MINUTE, after, doubled, unit};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// The most that chance adds to an interval, as a part of it.
const JITTER: f64 = 0.1;
/// The pause after a 429 that does not say how long.
const UNTOLD_429: Duration = Duration::from_hours(4);
/// Pauses of sources that are gone (410, or silent for about a month), in ceilings.
const GONE: u32 = 7;
/// So many failures in a row take about a month: six doublings from 30 minutes take two days, then one failure a day.
const SILENT: u32 = 34;
/// Over how long channels are spread that are due when the service starts.
const SPREAD: Duration = Duration::from_secs(5);
/// A stored time further ahead than this comes from a wrong clock: the longest pause is a week.
const FAR: TimeDelta = TimeDelta::days(8);

/// How often a channel may be asked. A channel without `every` is asked every `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The configured interval.
    pub every: Option<Duration>,
    /// The interval where none is configured.
    pub default: Duration,
    /// No interval is shorter: 15 minutes, 1 second for hosts inside `allow_networks`.
    pub floor: Duration,
    /// No interval is longer; sources that are gone are asked once in seven ceilings.
    pub ceiling: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { every: None, default: 30 * MINUTE, floor: 15 * MINUTE, ceiling: DAY }
    }
}

impl Policy {
    /// The policy for hosts inside `allow_networks`: tests and intranets may poll every second.
    #[must_use]
    pub fn exempt() -> Self {
        Self { floor: Duration::from_secs(1), ..Self::default() }
    }

    /// The interval between two polls while all is well.
    fn interval(&self) -> Duration {
        self.every.unwrap_or(self.default).min(self.ceiling).max(self.floor)
    }

    /// The ceiling, where it is not below the floor.
    fn top(&self) -> Duration {
        self.ceiling.max(self.floor)
    }
}

/// How a poll ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Something new was there.
    Changed,
    /// Nothing new: 304 or the same body.
    Unchanged,
    /// It failed.
    Failed {
        /// The status, when there was an answer.
        status: Option<u16>,
        /// What `Retry-After` said.
        retry_after: Option<Duration>,
    },
}

/// When a channel is asked next.
///
/// After a success: the interval, or `fresh_for` if that is longer. After the first failure: the interval;
/// after each further one twice as long. `Retry-After` is honoured on any status; a 429 without it waits 4 hours,
/// doubling; a 503 without it an hour, or four floors if they are shorter. All of it ends at the
/// ceiling; a source that is gone (410) or was silent for about a month is asked once in seven ceilings.
/// `failures_before` are the failures in a row before this poll. `chance` (0 to 1) adds up to a tenth.
#[must_use]
pub fn next_poll(
    now: DateTime<Utc>,
    policy: &Policy,
    failures_before: u32,
    outcome: &Outcome,
    fresh_for: Option<Duration>,
    chance: f64,
) -> DateTime<Utc> {
    let top = policy.top();
    let (base, most) = match *outcome {
        Outcome::Changed | Outcome::Unchanged => (policy.interval().max(fresh_for.unwrap_or_default()), top),
        Outcome::Failed { status, retry_after } => {
            let base = pause(policy, failures_before, status).max(retry_after.unwrap_or_default().min(top));
            (base, base.max(top))
        }
    };
    let base = base.min(most);
    after(now, base.saturating_add(base.mul_f64(JITTER * unit(chance))).min(most))
}

/// The pause after a failure, without what the server asked for.
fn pause(policy: &Policy, failures_before: u32, status: Option<u16>) -> Duration {
    let top = policy.top();
    let gone = top.saturating_mul(GONE);
    if status == Some(410) || failures_before >= SILENT && policy.floor >= MINUTE {
        return gone;
    }
    let backoff = doubled(policy.interval(), failures_before, top);
    match status {
        Some(429) => backoff.max(doubled(UNTOLD_429, failures_before, top)),
        Some(503) => backoff.max(HOUR.min(policy.floor.saturating_mul(4)).min(top)),
        _ => backoff,
    }
}

/// When a channel is asked first after the service has started. A stored time is kept, so that a restart
/// never asks early; what is overdue, was never polled, or was stored under a clock that ran days ahead is due at
/// once, spread over a few seconds.
#[must_use]
pub fn first_poll(
    now: DateTime<Utc>,
    stored_next: Option<DateTime<Utc>>,
    never_polled: bool,
    chance: f64,
) -> DateTime<Utc> {
    match stored_next {
        Some(next) if !never_polled && next > now && next.signed_duration_since(now) <= FAR => next,
        _ => after(now, SPREAD.mul_f64(unit(chance))),
    }
}
