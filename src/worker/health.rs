//! What a poll says of its channel's health, noted in the channel's state.

use crate::config::Channel;
use crate::health::{self, Sight};
use crate::model::FlawCode;
use crate::store::PollState;
use chrono::{DateTime, Utc};

/// Notes what is usual, what is not, and what became of incidents. `state` is the channel's state after a poll that
/// brought `new` entries, `before` the one before it.
pub(super) fn note(channel: &Channel, before: &PollState, state: &mut PollState, new: usize, now: DateTime<Utc>) {
    // Judged anew; those of an unchanged list were carried over.
    state.flaws.retain(|flaw| !matches!(flaw.code, FlawCode::Drifted | FlawCode::Silent));
    if state.failures == 0 {
        let read = state.read_hash != before.read_hash;
        let sight = Sight {
            page: read.then_some(state.usual.page),
            new: u32::try_from(new).unwrap_or(u32::MAX),
            last_success: before.last_success,
        };
        let (usual, found) = health::judge(&state.usual, &sight, now);
        state.usual = usual;
        // That all are new says more than that nearly all are.
        let all_new = state.flaws.iter().any(|flaw| flaw.code == FlawCode::AllNew);
        state.flaws.extend(found.into_iter().filter(|flaw| flaw.code != FlawCode::OldGone || !all_new));
    }
    let (now_in, since) = state.health(channel.snapshot.is_some());
    state.incidents = before.incidents.follow(now_in, &state.flaws, since, now);
}
