//! What keeps the store from recording: noted when a write fails, over when one succeeds.

use crate::store::StoreError;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the answer of the last try stands.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// The trouble that the store is in, if any.
#[derive(Debug, Default)]
pub(super) struct Trouble(Mutex<Option<Now>>);

#[derive(Debug)]
struct Now {
    error: StoreError,
    tried: Instant,
    /// A damaged file does not mend itself.
    lasting: bool,
}

impl Trouble {
    /// Trouble that stays for as long as the process runs.
    pub(super) fn for_good(error: StoreError) -> Self {
        Self(Mutex::new(Some(Now { error, tried: Instant::now(), lasting: true })))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Now>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes why a write failed. The first damage is what counts: what follows it is its consequence.
    pub(super) fn note(&self, lasting: bool, error: StoreError) -> StoreError {
        let mut now = self.lock();
        if !now.as_ref().is_some_and(|now| now.lasting) {
            *now = Some(Now { error: error.clone(), tried: Instant::now(), lasting });
        }
        error
    }

    /// Notes that a write succeeded.
    pub(super) fn over(&self) {
        self.lock().take_if(|now| !now.lasting);
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
            Some(now) if now.lasting || now.tried.elapsed() < TRY_EVERY => Err(now.error.clone()),
            Some(now) => {
                now.tried = Instant::now();
                Ok(true)
            }
        }
    }
}
