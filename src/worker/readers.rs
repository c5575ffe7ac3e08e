//! The threads on which documents of foreign hands are read, and what becomes of one that panics or does not end.
//!
//! A thread cannot be stopped from outside. So one that takes too long is left to itself: its poll goes on without it,
//! it keeps its seat and is counted until it ends, and there are only so many seats. What bounds the depth of the
//! recursion, which no thread survives, are the limits of `xml`, `extract` and `normalise` themselves.

use crate::model::{Flaw, FlawCode};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// How long reading one document may take: hundreds of times what the largest honest one takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How many documents are read at once, those that do not end among them: one for each group that may be polled at
/// once, and as many again as may be lost before anybody has to wait.
const SEATS: usize = 64;

/// What tests do at the beginning of each reading, on its thread: panic, or not end.
pub(super) type Disturb = Arc<dyn Fn(&'static str, &str) + Send + Sync>;

/// The seats. Clones share them.
#[derive(Clone)]
pub(super) struct Readers {
    seats: Arc<Semaphore>,
    lost: Arc<AtomicUsize>,
    disturb: Arc<Mutex<Option<Disturb>>>,
    /// Whether everything is read on the thread that asks, in one order: for simulations.
    in_line: Arc<AtomicBool>,
}

/// Why a poll was given up: carried by a panic that nobody has to see.
pub(super) struct GivenUp(pub(super) Flaw);

impl Default for Readers {
    fn default() -> Self {
        Self::with_seats(SEATS)
    }
}

impl Readers {
    fn with_seats(seats: usize) -> Self {
        Self {
            seats: Arc::new(Semaphore::new(seats)),
            lost: Arc::default(),
            disturb: Arc::default(),
            in_line: Arc::default(),
        }
    }

    /// From now on reads everything on the thread that asks.
    pub(super) fn stay_in_line(&self) {
        self.in_line.store(true, Ordering::Relaxed);
    }

    /// Lets a test disturb every reading from now on.
    pub(super) fn disturb(&self, how: Disturb) {
        *self.disturb.lock().unwrap_or_else(PoisonError::into_inner) = Some(how);
    }

    /// How many readings were given up and have not ended.
    pub(super) fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }

    /// Does one step of reading the document at `address`. The flaw says that it panicked, that it took too long, or
    /// that no seat was free for as long.
    pub(super) async fn try_read<T: Send + 'static>(
        &self,
        step: &'static str,
        address: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Flaw> {
        if self.in_line.load(Ordering::Relaxed) {
            return Ok(work());
        }
        let seat = Arc::clone(&self.seats).acquire_owned();
        let Ok(Ok(seat)) = tokio::time::timeout(PATIENCE, seat).await else {
            let detail = format!("{address}: {} documents before it are still being read", self.lost());
            return Err(Flaw::new(FlawCode::Crowded, detail));
        };
        let disturb = self.disturb.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let place = address.to_owned();
        let mut task = tokio::task::spawn_blocking(move || {
            let _seat = seat;
            if let Some(disturb) = disturb {
                disturb(step, &place);
            }
            work()
        });
        match tokio::time::timeout(PATIENCE, &mut task).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => match error.try_into_panic() {
                Ok(panic) => Err(Flaw::new(FlawCode::Panicked, format!("{}, at {address}", text_of(&*panic)))),
                // The runtime is being shut down; the task that awaits this is being dropped too.
                Err(_) => std::future::pending().await,
            },
            Err(_) => {
                self.lose(task);
                let detail = format!("{address}: to {step} it took longer than {} s", PATIENCE.as_secs());
                tracing::error!(address, step, lost = self.lost(), "a document takes too long to read and is given up");
                Err(Flaw::new(FlawCode::Overrun, detail))
            }
        }
    }

    /// The same, where the poll as a whole cannot go on without.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        step: &'static str,
        address: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        match self.try_read(step, address, work).await {
            Ok(result) => result,
            // Not a panic of ours: the hook has nothing to print.
            Err(flaw) => std::panic::resume_unwind(Box::new(GivenUp(flaw))),
        }
    }

    /// Counts a reading that was given up until it ends.
    fn lose<T: Send + 'static>(&self, task: JoinHandle<T>) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        let lost = Arc::clone(&self.lost);
        tokio::spawn(async move {
            let _ = task.await;
            lost.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// What a panic said.
pub(super) fn text_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Waits until `what` holds; other tasks run meanwhile.
    async fn until(what: impl Fn() -> bool) {
        while !what() {
            tokio::task::yield_now().await;
        }
    }

    /// Lets the patience of whoever waits run out, and nothing else.
    async fn run_out() {
        tokio::time::pause();
        tokio::time::advance(PATIENCE + Duration::from_secs(1)).await;
        tokio::time::resume();
    }

    #[tokio::test]
    async fn a_reading_that_does_not_end_is_given_up_counted_and_keeps_its_seat() {
        let readers = Readers::with_seats(1);
        let (end, ended) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel::<()>();
        let own = readers.clone();
        let endless = tokio::spawn(async move {
            let work = move || {
                begin.send(()).ok();
                ended.recv().ok();
            };
            own.try_read("parse", "http://a.example/", work).await
        });
        until(|| begun.try_recv().is_ok()).await;
        run_out().await;
        let flaw = endless.await.unwrap().unwrap_err();
        assert_eq!(flaw.to_string(), "overrun: http://a.example/: to parse it took longer than 30 s");
        assert_eq!((readers.lost(), readers.seats.available_permits()), (1, 0));
        // Nobody gets its seat.
        let own = readers.clone();
        let next = tokio::spawn(async move { own.try_read("parse", "http://b.example/", || 1).await });
        tokio::task::yield_now().await;
        run_out().await;
        let flaw = next.await.unwrap().unwrap_err();
        assert_eq!(flaw.to_string(), "crowded: http://b.example/: 1 documents before it are still being read");
        // Until it ends.
        end.send(()).unwrap();
        until(|| readers.lost() == 0).await;
        assert_eq!(readers.try_read("parse", "http://b.example/", || 1).await, Ok(1));
    }

    #[tokio::test]
    async fn a_panic_is_a_flaw_and_gives_the_seat_back() {
        let readers = Readers::with_seats(1);
        for (panic, said) in [("a", "panicked: a, at http://a.example/"), ("b", "panicked: b, at http://a.example/")] {
            let work = move || -> u8 { std::panic::resume_unwind(Box::new(panic)) };
            let flaw = readers.try_read("parse", "http://a.example/", work).await.unwrap_err();
            assert_eq!(flaw.to_string(), said);
            assert_eq!(readers.seats.available_permits(), 1);
        }
    }
}
