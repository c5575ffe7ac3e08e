//! What keeps the store from recording: noted when a write fails, over when one succeeds.

use crate::store::StoreError;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the answer of the last try stands.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// How often a file that was found damaged is looked at again.
const DOUBT_EVERY: Duration = Duration::from_mins(1);

/// The trouble that the store is in, if any.
#[derive(Debug, Default)]
pub(super) struct Trouble(Mutex<Option<Now>>);

#[derive(Debug)]
struct Now {
    error: StoreError,
    /// `None`: damage that nobody has confirmed yet.
    tried: Option<Instant>,
    /// A damaged file does not mend itself.
    lasting: bool,
}

impl Trouble {
    /// Trouble that stays for as long as the process runs.
    pub(super) fn for_good(error: StoreError) -> Self {
        Self(Mutex::new(Some(Now { error, tried: Some(Instant::now()), lasting: true })))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Now>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes why a write failed. The first damage is what counts: what follows it is its consequence.
    pub(super) fn note(&self, lasting: bool, error: StoreError) -> StoreError {
        let mut now = self.lock();
        if !now.as_ref().is_some_and(|now| now.lasting) {
            *now = Some(Now { error: error.clone(), tried: (!lasting).then(Instant::now), lasting });
        }
        error
    }

    /// Notes that a write succeeded.
    pub(super) fn over(&self) {
        self.lock().take_if(|now| !now.lasting);
    }

    /// Whether it is time to look whether the file is damaged indeed: SQLite takes some errors of the disk for it.
    pub(super) fn is_to_be_doubted(&self) -> bool {
        let mut now = self.lock();
        let Some(now) = now.as_mut().filter(|now| now.lasting) else { return false };
        let due = now.tried.is_none_or(|tried| tried.elapsed() >= DOUBT_EVERY);
        if due {
            now.tried = Some(Instant::now());
        }
        due
    }

    /// Notes that the file is whole after all.
    pub(super) fn mistaken(&self) {
        self.lock().take();
    }

    pub(super) fn is_none(&self) -> bool {
        self.lock().is_none()
    }

    /// Fails with what will not pass.
    pub(super) fn lasting(&self) -> Result<(), StoreError> {
        match self.lock().as_ref().filter(|now| now.lasting) {
            Some(now) => Err(now.error.clone()),
            None => Ok(()),
        }
    }

    /// Whether it is time to try whether the trouble is over; fails while it stands, and with what will not pass.
    pub(super) fn is_to_be_tried(&self) -> Result<bool, StoreError> {
        match self.lock().as_mut() {
            None => Ok(false),
            Some(now) if now.lasting || now.tried.is_some_and(|tried| tried.elapsed() < TRY_EVERY) => {
                Err(now.error.clone())
            }
            Some(now) => {
                now.tried = Some(Instant::now());
                Ok(true)
            }
        }
    }
}
