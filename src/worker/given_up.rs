//! What becomes of a poll that panicked or whose document did not end: a flaw, a failure, and after three in a row a
//! long pause.

use super::health;
use super::outcome::policy;
use super::plan::Group;
use super::poll::Polled;
use super::readers::{GivenUp, text_of};
use super::service::Service;
use crate::model::{ChannelId, Flaw, FlawCode};
use crate::schedule;
use crate::store::{Attempt, Change, Poll, PollState};
use chrono::{DateTime, TimeDelta, Utc};
use std::any::Any;
use std::collections::BTreeMap;

/// So many in a row, and the source is left alone for [`PAUSE`].
const MOST: usize = 3;

/// How long a source is left alone whose documents make Heliu fail.
const PAUSE: TimeDelta = TimeDelta::days(1);

impl Service {
    /// Turns what a poll died of into a flaw of the group's channels.
    pub(super) async fn given_up(
        &self,
        group: &Group,
        states: &BTreeMap<ChannelId, PollState>,
        flaw: &Flaw,
    ) -> Vec<Polled> {
        let now = self.clock.now();
        let mut polled = Vec::new();
        for channel in group.iter() {
            let mut state = states.get(&channel.id).cloned().unwrap_or_default();
            let failed = schedule::Outcome::Failed { status: None, retry_after: None };
            let before = schedule::Before { failures: state.failures, hints: &state.hints };
            let policy = policy(channel, state.exempt);
            let next = schedule::next_poll(now, &policy, &before, &failed, None, self.chance());
            state.failures = state.failures.saturating_add(1);
            state.last_poll = Some(now);
            let url = channel.addresses().next().map(ToString::to_string);
            let earlier = self.store.attempts(&channel.id).await.unwrap_or_default();
            let row = 1 + earlier.iter().take_while(|attempt| is_ours(attempt.error.as_deref())).count();
            note(&mut state, (url, row), flaw, next, now);
            let before = state.clone();
            health::note(channel, &before, &mut state, 0, now);
            let poll = Poll { channel: channel.id.clone(), at: now, seen: None, state, fetched: BTreeMap::new() };
            let store_error = self.store.record(&poll).await.err();
            let (state, change) = (poll.state, Change::default());
            let channel = channel.id.clone();
            polled.push(Polled { channel, state, change, store_error, offline: false, reached: true });
        }
        self.metrics.lost_readings(self.readers.lost());
        polled
    }

    /// Counts the documents that are still being read although their polls were given up.
    #[doc(hidden)]
    #[must_use]
    pub fn lost_readings(&self) -> usize {
        self.readers.lost()
    }

    /// For simulations: every document is read on the thread that polls, so that everything happens in one order.
    #[doc(hidden)]
    pub fn read_in_line(&self) {
        self.readers.stay_in_line();
    }

    /// For tests: called at the beginning of each step of reading a document, on its thread, with the name of the step
    /// and the document's address. It may panic or not end.
    #[doc(hidden)]
    pub fn disturb_readings(&self, how: impl Fn(&'static str, &str) + Send + Sync + 'static) {
        self.readers.disturb(std::sync::Arc::new(how));
    }
}

/// What a poll died of.
pub(super) fn cause(panic: Box<dyn Any + Send>) -> Flaw {
    match panic.downcast::<GivenUp>() {
        Ok(given_up) => given_up.0,
        Err(panic) => Flaw::new(FlawCode::Panicked, text_of(&*panic)),
    }
}

/// Writes down what happened, and leaves the source alone when it happens time and again: `row` times by now.
fn note(
    state: &mut PollState,
    (url, row): (Option<String>, usize),
    flaw: &Flaw,
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) {
    let error = Some(flaw.to_string());
    state.attempted(Attempt { at: now, url: url.unwrap_or_default(), status: None, millis: 0, changed: 0, error });
    state.next_poll = next;
    state.flaws = vec![flaw.clone()];
    if row >= MOST && is_ours(Some(&flaw.to_string())) {
        let until = now + PAUSE;
        state.next_poll = next.map(|next| next.max(until));
        let detail =
            format!("{row} polls in a row ended so: the source is left alone until {}", until.format("%F %R UTC"));
        state.flaws.push(Flaw::new(flaw.code, detail));
    }
    state.error = Some(flaw.to_string());
}

/// Whether an attempt ended in a defect of ours that its document brought out.
fn is_ours(error: Option<&str>) -> bool {
    let codes = [FlawCode::Panicked, FlawCode::Overrun];
    error.is_some_and(|error| codes.iter().any(|code| error.split(':').next() == Some(code.as_str())))
}
