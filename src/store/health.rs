//! The state that a channel is in, from what is stored of it.

use super::PollState;
use crate::health::{self, Facts, State};
use chrono::{DateTime, Utc};

impl PollState {
    /// How the channel is doing and, when that is not well, since when as far as is known. `snapshot` says whether it
    /// has one.
    #[must_use]
    pub fn health(&self, snapshot: bool) -> (State, Option<DateTime<Utc>>) {
        let state = health::state(&Facts {
            snapshot,
            live: self.live_since.is_some(),
            failures: self.failures,
            gone: self.gone.is_some(),
            status: self.last_attempt.as_ref().and_then(|attempt| attempt.status),
            flaws: &self.flaws,
        });
        let known = self.incidents.since(state).or_else(|| match state {
            State::Silent => self.usual.last_new,
            State::Drifted if self.failures == 0 => self.usual.odd_since().or(self.last_poll),
            _ => self.failing_since.or(self.last_poll),
        });
        (state, known.filter(|_| state.is_trouble()))
    }
}
