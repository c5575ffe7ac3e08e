//! When a channel is due: intervals, hints of the source, backoff. Pure; `now` and chance are arguments.
//!
//! The one rule above all others: nobody is asked earlier than was promised. Chance only ever adds time, so
//! that a gap is never shorter than its interval, and what is stored survives a restart.
//!
//! | file | answers |
//! |---|---|
//! | `poll` | when is a channel asked next, after an answer or after a start |
//! | `hints` | when does the feed itself say that it is not to be asked |
//! | `rhythm` | how often is a source worth asking, learnt from when it published |
//! | `moved` | when is a permanent redirect believed |
//! | `rota` | how many polls fall into one second |
//! | `article` | when is an article's page read again |

mod article;
mod hints;
mod moved;
mod poll;
mod rhythm;
mod rota;

#[cfg(test)]
mod tests;

pub use article::{article_due, article_recheck, article_retry, rests};
pub use moved::moved;
pub use poll::{Before, Outcome, Policy, first_poll, is_ahead, next_poll, stepped};
pub use rhythm::{learn, learnt, stuck};
pub use rota::Rota;

use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// `now + delay`, at most the end of time.
fn after(now: DateTime<Utc>, delay: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(delay).ok().and_then(|delay| now.checked_add_signed(delay)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// `first` doubled `times` times, at most `most`.
fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    // 2³¹ seconds are past any `most`, so more doublings change nothing.
    first.saturating_mul(1 << times.min(31)).min(most)
}

/// A chance between 0 and 1, whatever was given.
fn unit(chance: f64) -> f64 {
    if chance.is_nan() { 0.5 } else { chance.clamp(0.0, 1.0) }
}
