//! When a channel is asked next.

use super::{DAY, HOUR, MINUTE, after, doubled, hints, unit};
use crate::model::Hints;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// The most that chance adds to an interval, as a part of it.
const JITTER: f64 = 0.1;
/// The pause after a 429 that does not say how long.
const UNTOLD_429: Duration = Duration::from_hours(4);
/// Pauses of sources that were silent for about a month, in ceilings.
const DEAD: u32 = 7;
/// So many failures in a row take about a month: six doublings from 30 minutes take two days, then one failure a day.
const SILENT: u32 = 34;
/// Over how long channels are spread that are due when the service starts.
const SPREAD: Duration = Duration::from_secs(5);
/// A stored time further ahead than this comes from a wrong clock: the longest pause is a week, and the longest
/// window in which a feed may ask to be left alone is one too.
const FAR: TimeDelta = TimeDelta::days(15);
/// A poll that lies further ahead than this was made under a wrong clock. Less is the play of clocks that are set
/// right all the time, and shorter than any interval.
pub(super) const PLAY: TimeDelta = TimeDelta::minutes(5);

/// How often a channel may be asked. A channel without `every` is asked every `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The configured interval.
    pub every: Option<Duration>,
    /// The interval where none is configured.
    pub default: Duration,
    /// No interval is shorter: 15 minutes, 1 second for hosts inside `allow_networks`.
    pub floor: Duration,
    /// No interval is longer; sources that were silent for a month are asked once in seven ceilings.
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
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.every.unwrap_or(self.default).min(self.ceiling).max(self.floor)
    }

    /// The ceiling, where it is not below the floor.
    pub(super) fn top(&self) -> Duration {
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
    /// The source says that it is gone for good (410).
    Gone,
}

/// What was known of a channel before a poll.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// Failures in a row.
    pub failures: u32,
    /// What its feed asks for.
    pub hints: &'a Hints,
}

/// When a channel is asked next; `None` when it is not asked any more.
///
/// After a success: the interval, or what is longest of it, `fresh_for`, and what the feed itself says (`ttl`,
/// `sy:updatePeriod`). After the first failure: the interval; after each further one twice as long. `Retry-After`
/// is honoured on any status; a 429 without it waits 4 hours, doubling; a 503 without it an hour, or four floors if
/// they are shorter. All of it ends at the ceiling; a source that was silent for about a month is asked once in
/// seven ceilings. What falls into `skipHours` or `skipDays` waits for their end.
/// `chance` (0 to 1) adds up to a tenth; after a failure of the server or the network up to as much again, so that
/// those who failed together do not come back together.
#[must_use]
pub fn next_poll(
    now: DateTime<Utc>,
    policy: &Policy,
    before: &Before<'_>,
    outcome: &Outcome,
    fresh_for: Option<Duration>,
    chance: f64,
) -> Option<DateTime<Utc>> {
    let (top, chance) = (policy.top(), unit(chance));
    let quiet = hints::quiet_for(before.hints, now).min(top);
    let (base, most, jitter) = match *outcome {
        Outcome::Gone | Outcome::Failed { status: Some(410), .. } => return None,
        Outcome::Changed | Outcome::Unchanged => {
            (policy.interval().max(fresh_for.unwrap_or_default()).min(top), top, JITTER)
        }
        Outcome::Failed { status, retry_after } => {
            let base = pause(policy, before.failures, status).max(retry_after.unwrap_or_default().min(top));
            let whole_step = status.is_none_or(|status| status >= 500);
            (base, base.max(top), if whole_step { 1.0 } else { JITTER })
        }
    };
    let base = base.max(quiet);
    // Only what is at the end of time anyway is too long for a Duration.
    let added = Duration::try_from_secs_f64(base.as_secs_f64() * jitter * chance).unwrap_or(Duration::MAX);
    let at = after(now, base.saturating_add(added).min(most));
    Some(hints::outside(before.hints, at, chance))
}

/// The pause after a failure, without what the server asked for.
fn pause(policy: &Policy, failures_before: u32, status: Option<u16>) -> Duration {
    let top = policy.top();
    if failures_before >= SILENT && policy.floor >= MINUTE {
        return top.saturating_mul(DEAD);
    }
    let backoff = doubled(policy.interval(), failures_before, top);
    match status {
        Some(429) => backoff.max(doubled(UNTOLD_429, failures_before, top)),
        Some(503) => backoff.max(HOUR.min(policy.floor.saturating_mul(4)).min(top)),
        _ => backoff,
    }
}

/// When a channel is asked first after the service has started, slept, or had its clock set. A stored time is kept,
/// so that a restart never asks early. Due at once, spread over a few seconds, is what is overdue, what was never
/// polled, and what was polled or planned under a clock that ran ahead.
#[must_use]
pub fn first_poll(
    now: DateTime<Utc>,
    stored_next: Option<DateTime<Utc>>,
    last_poll: Option<DateTime<Utc>>,
    chance: f64,
) -> DateTime<Utc> {
    let believed = last_poll.is_some_and(|last| !is_ahead(last, now));
    match stored_next {
        Some(next) if believed && next > now && next.signed_duration_since(now) <= FAR => next,
        _ => after(now, SPREAD.mul_f64(unit(chance))),
    }
}

/// Whether something that was done at an instant was done under a clock that ran ahead: by more than five minutes.
#[must_use]
pub fn is_ahead(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    at.signed_duration_since(now) > PLAY
}

/// Whether the clock was set, or the machine slept, between two looks at it that were meant to be `apart` at most:
/// then everything is planned anew.
#[must_use]
pub fn stepped(before: DateTime<Utc>, now: DateTime<Utc>, apart: Duration) -> bool {
    let gone_by = now.signed_duration_since(before);
    let apart = TimeDelta::from_std(apart).unwrap_or(TimeDelta::MAX);
    gone_by < -PLAY || gone_by > apart.checked_add(&PLAY).unwrap_or(TimeDelta::MAX)
}
