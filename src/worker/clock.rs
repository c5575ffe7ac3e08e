//! The one place where the service learns what time it is.

use chrono::{DateTime, TimeDelta, Utc};
use std::future::Future;
use std::pin::Pin;

/// No poll takes longer, unless the clock was set or the machine slept meanwhile.
pub(super) const LONGEST_POLL: TimeDelta = TimeDelta::minutes(10);

/// A source of time that tests can hold still.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
    /// Ends when `until` has come; at once when it is past.
    fn sleep_until(&self, until: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// The longest single sleep in seconds: after it the wall clock is read anew, so that a step of the
/// clock or a suspended machine delays nothing for longer than this.
const LONGEST_NAP: i64 = 15;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn sleep_until(&self, until: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let left = until - Utc::now();
                if left <= chrono::TimeDelta::zero() {
                    return;
                }
                let nap = left.min(chrono::TimeDelta::seconds(LONGEST_NAP));
                tokio::time::sleep(nap.to_std().unwrap_or_default()).await;
            }
        })
    }
}
