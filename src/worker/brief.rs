//! What is remembered of a channel that rests: what decides when it is polled, and what `/metrics` shows. All the rest
//! of its state is read from the ledger when its turn comes, so that very many channels fit into memory.

use super::outcome::policy;
use crate::config::{Address, Channel};
use crate::health::State;
use crate::model::ChannelId;
use crate::schedule::{self, Policy};
use crate::store::PollState;
use crate::telemetry::ChannelGauge;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::time::Duration;
use url::Url;

/// The briefs of the channels that are configured and were polled before.
pub(super) type Briefs = HashMap<ChannelId, Brief>;

/// What is remembered of one channel.
#[derive(Debug, Clone)]
pub(super) struct Brief {
    /// When it was last polled.
    pub(super) last_poll: Option<DateTime<Utc>>,
    /// When it is next due.
    pub(super) next_poll: Option<DateTime<Utc>>,
    last_success: Option<DateTime<Utc>>,
    /// The interval that was learnt, in seconds.
    learnt: Option<u32>,
    /// Whether its host is inside `allow_networks`.
    pub(super) exempt: bool,
    /// Whether its host did not answer the last time.
    pub(super) suspect: bool,
    health: State,
    /// What few channels have.
    rare: Option<Box<Rare>>,
}

/// What is remembered of a channel that is gone or has moved.
#[derive(Debug, Clone)]
struct Rare {
    /// Of one that is gone for good: the fingerprint that its part of feeds.yaml had.
    gone: Option<Box<str>>,
    /// Addresses in feeds.yaml that moved for good, each with the one that is asked in its place.
    adopted: Box<[(String, Url)]>,
}

impl Brief {
    /// What is remembered of this state.
    pub(super) fn of(channel: &Channel, state: &PollState, now: DateTime<Utc>) -> Self {
        let attempt = state.last_attempt.as_ref();
        let adopted = |(from, moved): (&String, &crate::model::Moved)| {
            Some((from.clone(), Url::parse(moved.adopted.as_deref()?).ok()?))
        };
        let rare = Rare {
            gone: state.gone.map(|_| state.config_hash.as_str().into()),
            adopted: state.moved.iter().filter_map(adopted).collect(),
        };
        let is_rare = rare.gone.is_some() || !rare.adopted.is_empty();
        let learnt = schedule::learnt(&policy(channel, state.exempt), &state.rhythm, now, state.last_change);
        Self {
            last_poll: state.last_poll,
            next_poll: state.next_poll,
            last_success: state.last_success,
            learnt: learnt.map(|learnt| u32::try_from(learnt.as_secs()).unwrap_or(u32::MAX)),
            exempt: state.exempt,
            suspect: attempt.is_some_and(|attempt| attempt.error.is_some() && attempt.status.is_none()),
            health: state.health(channel.snapshot.is_some()).0,
            rare: is_rare.then(|| Box::new(rare)),
        }
    }

    /// Of one that is gone for good: the fingerprint that its part of feeds.yaml had.
    pub(super) fn gone(&self) -> Option<&str> {
        self.rare.as_ref()?.gone.as_deref()
    }

    /// The policy with the interval that was learnt when it was last polled.
    pub(super) fn informed(&self, policy: Policy) -> Policy {
        let learnt = self.learnt.map(|seconds| Duration::from_secs(seconds.into()));
        Policy { default: learnt.unwrap_or(policy.default), ..policy }
    }

    /// The address that is asked for one in feeds.yaml.
    pub(super) fn asked(&self, address: &Address) -> Option<Url> {
        let adopted = &self.rare.as_ref()?.adopted;
        adopted.iter().find(|(from, _)| from == address.as_str()).map(|(_, to)| to.clone())
    }

    /// What `/metrics` shows.
    pub(super) fn gauge(&self) -> ChannelGauge {
        ChannelGauge {
            state: self.health.as_str(),
            last_success: self.last_success.map(|at| at.timestamp()),
            next_poll: self.next_poll.map(|at| at.timestamp()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One is kept of each channel that was ever polled.
    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_brief_takes_little() {
        assert!(size_of::<Brief>() <= 56, "{}", size_of::<Brief>());
    }
}
