//! When trouble becomes an incident that the admin is told of, and when it is over.
//!
//! Told, not spammed. A failure becomes an incident after three failures in a row over at least an hour: most
//! failures are over before. Every other trouble is one at once, since it does not come from the weather. An
//! incident is over after two good polls in a row, so that a source that fails every other time is one incident
//! and not a hundred. It changes its kind only when the other kind has stood for three polls and an hour, except
//! that `gone` is believed at once.

use super::state::{self, State};
use crate::model::Flaw;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Failures in a row that are an incident, if they last.
const FAILURES: u32 = 3;
/// How long they must last.
const LASTING: TimeDelta = TimeDelta::hours(1);
/// Incidents that are kept after they are over.
const KEPT: usize = 10;
/// The longest evidence, in characters.
const EVIDENCE: usize = 300;

/// Something that was wrong with a channel for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// What was wrong.
    pub kind: State,
    /// When it began.
    pub since: DateTime<Utc>,
    /// When it was found to be an incident.
    pub opened: DateTime<Utc>,
    /// What showed it then: one line of at most 300 characters, often quoting the source.
    pub evidence: String,
    /// What the admin can do about it.
    pub advice: String,
    /// When it was over and when that was found; `None` while it lasts.
    pub closed: Option<Closed>,
}

/// How an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// When it was over.
    pub until: DateTime<Utc>,
    /// When that was found.
    pub at: DateTime<Utc>,
}

/// The incidents of a channel. Kept in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Incidents {
    /// The one that lasts.
    pub open: Option<Incident>,
    /// When the first good poll since the last bad one was.
    good_since: Option<DateTime<Utc>>,
    /// Trouble that is not an incident yet, or of another kind than the open one.
    turn: Option<Turn>,
    /// Those that are over, the latest first.
    pub closed: Vec<Incident>,
}

/// Trouble on its way to be an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Turn {
    kind: State,
    since: DateTime<Utc>,
    polls: u32,
}

impl Incidents {
    /// Whether there were none so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_none() && self.closed.is_empty()
    }

    /// Since when the channel is in this state of trouble.
    #[must_use]
    pub fn since(&self, state: State) -> Option<DateTime<Utc>> {
        let open = self.open.as_ref().filter(|open| open.kind == state).map(|open| open.since);
        open.or_else(|| self.turn.filter(|turn| turn.kind == state).map(|turn| turn.since))
    }

    /// The incidents after a poll that left the channel in this state, with these flaws. `since` is when the trouble
    /// began, where that is known to be before this poll.
    #[must_use]
    pub fn follow(&self, state: State, flaws: &[Flaw], since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        let mut next = self.clone();
        // A source that has nothing new to say answers all the same.
        let answers = state == State::Silent && self.open.as_ref().is_some_and(|open| open.kind.is_failure());
        if !state.is_trouble() || answers {
            next.turn = None;
            match next.good_since.filter(|_| next.open.is_some()) {
                Some(until) => next.close(until, now),
                None => next.good_since = next.open.as_ref().map(|_| now),
            }
            return next;
        }
        next.good_since = None;
        if next.open.as_ref().is_some_and(|open| open.kind == state) {
            next.turn = None;
            return next;
        }
        let turn = match next.turn {
            Some(turn) if turn.kind == state => Turn { polls: turn.polls.saturating_add(1), ..turn },
            _ => Turn { kind: state, since: since.map_or(now, |since| since.min(now)), polls: 1 },
        };
        let lasts = turn.polls >= FAILURES && now.signed_duration_since(turn.since) >= LASTING;
        let at_once = state == State::Gone || state != State::Failing && next.open.is_none();
        if !lasts && !at_once {
            next.turn = Some(turn);
            return next;
        }
        next.turn = None;
        next.close(turn.since, now);
        let (evidence, advice) = evidence(state, flaws);
        next.open = Some(Incident { kind: state, since: turn.since, opened: now, evidence, advice, closed: None });
        next
    }

    /// Closes the open incident, if there is one.
    fn close(&mut self, until: DateTime<Utc>, now: DateTime<Utc>) {
        self.good_since = None;
        if let Some(mut over) = self.open.take() {
            over.closed = Some(Closed { until: until.max(over.since), at: now });
            self.closed.insert(0, over);
            self.closed.truncate(KEPT);
        }
    }
}

/// What shows the trouble, and what to do about it.
fn evidence(state: State, flaws: &[Flaw]) -> (String, String) {
    match state::evidence(state, flaws) {
        Some(flaw) => (flaw.to_string().chars().take(EVIDENCE).collect(), flaw.code.advice().to_owned()),
        None => (format!("the channel is {state}"), String::new()),
    }
}
