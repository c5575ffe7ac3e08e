//! A clock that stands still until a test moves it.

use chrono::{DateTime, TimeDelta, Utc};
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use tokio::sync::Notify;

pub(crate) struct Clock {
    now: Mutex<DateTime<Utc>>,
    moved: Notify,
}

impl Clock {
    /// A clock that shows an RFC 3339 instant.
    pub(crate) fn at(instant: &str) -> Self {
        Self { now: Mutex::new(instant.parse().unwrap()), moved: Notify::new() }
    }

    /// Moves the clock on (or back).
    pub(crate) fn advance(&self, by: TimeDelta) {
        *self.now.lock().unwrap() += by;
        self.moved.notify_waiters();
    }
}

impl heliu::worker::Clock for Clock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }

    fn sleep_until(&self, until: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let moved = self.moved.notified();
                if *self.now.lock().unwrap() >= until {
                    return;
                }
                moved.await;
            }
        })
    }
}
