//! Recording polls: what has queued up while the last transaction was being written goes into the next one together,
//! so that a hundred polls share the wait for the disk. Nobody is told that a poll is recorded before it is on disk.

use super::gate::Gate;
use super::{error, record};
use crate::store::{Change, Poll, StoreError};
use futures_util::FutureExt as _;
use sqlx::Connection as _;
use std::any::Any;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::{mpsc, oneshot};

/// The most polls in one transaction.
const MOST: usize = 128;
/// The most polls that wait for their turn; further ones wait before the door, with whoever brings them.
const WAITING: usize = 256;

/// Where polls are handed in.
#[derive(Debug)]
pub(super) struct Recorder {
    jobs: mpsc::Sender<Job>,
    /// How many transactions were begun.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests ask whether polls were recorded together"))]
    begun: Arc<AtomicUsize>,
}

/// A poll, and who waits for what it changed.
#[derive(Debug)]
struct Job {
    poll: Poll,
    done: oneshot::Sender<Outcome>,
}

/// What came of recording; a panic goes on in the task that brought the poll.
type Outcome = Result<Result<Change, StoreError>, Box<dyn Any + Send>>;

/// The task that writes.
struct Writer {
    /// Gone once the store is: the task must not keep the folder locked.
    gate: Weak<Gate>,
    begun: Arc<AtomicUsize>,
}

impl Recorder {
    /// Starts the task. It ends when this value is dropped.
    pub(super) fn start(gate: &Arc<Gate>) -> Self {
        let (sender, jobs) = mpsc::channel(WAITING);
        let begun = Arc::new(AtomicUsize::new(0));
        tokio::spawn(Writer { gate: Arc::downgrade(gate), begun: Arc::clone(&begun) }.work(jobs));
        Self { jobs: sender, begun }
    }

    /// Records a poll; returns when it is on disk. Of one that is given up before its turn nothing is recorded.
    pub(super) async fn record(&self, poll: &Poll) -> Result<Change, StoreError> {
        let (done, outcome) = oneshot::channel();
        self.jobs.send(Job { poll: poll.clone(), done }).await.map_err(|_| error::closed())?;
        outcome.await.map_err(|_| error::closed())?.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// How many transactions were begun so far.
    #[cfg(test)]
    pub(super) fn transactions(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }
}

impl Writer {
    async fn work(self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::new();
        while jobs.recv_many(&mut batch, MOST).await > 0 {
            batch.retain(|job| !job.done.is_closed());
            self.record(std::mem::take(&mut batch)).await;
        }
    }

    /// Records all of them in one transaction. When that fails, nothing of it was kept, and each of them is recorded in
    /// one of its own: what is wrong with a poll concerns no other.
    async fn record(&self, batch: Vec<Job>) {
        if batch.len() > 1 {
            let together = AssertUnwindSafe(self.transaction(&batch)).catch_unwind().await;
            if let Ok(Ok(changes)) = together {
                for (job, change) in batch.into_iter().zip(changes) {
                    // Whoever does not wait any more finds it in the ledger.
                    let _ = job.done.send(Ok(Ok(change)));
                }
                return;
            }
        }
        for job in batch {
            let alone = AssertUnwindSafe(self.transaction(std::slice::from_ref(&job))).catch_unwind().await;
            let change = |mut changes: Vec<Change>| changes.pop().unwrap_or_default();
            let _ = job.done.send(alone.map(|recorded| recorded.map(change)));
        }
    }

    async fn transaction(&self, batch: &[Job]) -> Result<Vec<Change>, StoreError> {
        let Some(gate) = self.gate.upgrade() else { return Err(error::closed()) };
        let mut connection = gate.writing().await?;
        let recorded = async {
            self.begun.fetch_add(1, Ordering::Relaxed);
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            let mut changes = Vec::with_capacity(batch.len());
            for job in batch {
                changes.push(record::record(&mut transaction, &job.poll).await?);
            }
            transaction.commit().await?;
            Ok(changes)
        };
        let recorded: sqlx::Result<Vec<Change>> = recorded.await;
        let changes = recorded.map_err(|failure| gate.failed(&mut connection, &failure))?;
        gate.trouble.over();
        if let Some(last) = changes.last() {
            gate.hold.note(last.seq);
        }
        Ok(changes)
    }
}
