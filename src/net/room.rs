//! Room for large bodies: few are read at a time, so that memory stays bounded whatever sources send all at once. Small
//! ones never wait.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Bodies up to so many bytes need no room: most feeds and pages.
pub(super) const SMALL: usize = 256 * 1024;
/// So many runs may have larger ones at a time.
const LARGE: usize = 8;

/// The place of one run of fetches, whose bodies are kept until all were read: with the first large one it takes
/// room, and leaves it when it is dropped. One place for all of them, else two runs could wait for each other.
#[derive(Clone, Default)]
pub struct Berth(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

/// The room of a client.
#[derive(Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// How long a fetch has waited for room: that is not the server's fault, and counts against no deadline.
#[derive(Debug, Default)]
pub(super) struct Waited(Mutex<(Duration, Option<Instant>)>);

impl Berth {
    fn lock(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Berth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Berth").field(&self.lock().is_some()).finish()
    }
}

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LARGE)))
    }
}

impl Room {
    /// Waits until there is room for a large body.
    pub(super) async fn admit(&self, berth: &Berth, waited: &Waited) {
        if berth.lock().is_some() {
            return;
        }
        waited.begin();
        // Nobody closes it.
        let permit = Arc::clone(&self.0).acquire_owned().await.ok();
        waited.end();
        *berth.lock() = permit;
    }
}

impl Waited {
    fn lock(&self) -> MutexGuard<'_, (Duration, Option<Instant>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        self.lock().1 = Some(Instant::now());
    }

    fn end(&self) {
        let mut waited = self.lock();
        let last = waited.1.take().map_or(Duration::ZERO, |since| since.elapsed());
        waited.0 += last;
    }

    /// So far.
    pub(super) fn total(&self) -> Duration {
        let waited = self.lock();
        waited.0 + waited.1.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Does the work within a deadline that does not count what it waited; `None` when it did not end.
    pub(super) async fn within<T>(&self, deadline: Duration, work: impl Future<Output = T>) -> Option<T> {
        let begin = Instant::now();
        let mut work = std::pin::pin!(work);
        loop {
            let until = begin + deadline + self.total();
            if let Ok(done) = timeout_at(until, &mut work).await {
                return Some(done);
            }
            if Instant::now() >= begin + deadline + self.total() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    /// Works for so many seconds before and after it waits for room, which it gets after so many. Whether it ends within
    /// half a minute of work.
    fn check(before: u64, room_after: u64, after: u64, expected: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let ended = runtime.block_on(async {
            let (room, others, waited) = (Room::default(), [(); LARGE].map(|()| Berth::default()), Waited::default());
            for other in &others {
                room.admit(other, &waited).await;
            }
            let work = async {
                sleep(Duration::from_secs(before)).await;
                room.admit(&Berth::default(), &waited).await;
                sleep(Duration::from_secs(after)).await;
            };
            let leave = async {
                sleep(Duration::from_secs(room_after)).await;
                drop(others);
                std::future::pending::<()>().await;
            };
            tokio::select! {
                ended = waited.within(Duration::from_secs(30), work) => ended.is_some(),
                () = leave => false,
            }
        });
        assert_eq!(ended, expected, "{before} s, room after {room_after} s, {after} s");
    }

    #[test]
    fn waiting_for_room_counts_against_no_deadline() {
        for (before, room_after, after, expected) in [
            (1, 0, 1, true),
            (1, 600, 1, true),
            (29, 30, 0, true),
            (20, 600, 9, true),
            (20, 600, 11, false),
            (31, 0, 0, false),
            (1, 86_400, 28, true),
            (1, 86_400, 30, false),
        ] {
            check(before, room_after, after, expected);
        }
    }
}
