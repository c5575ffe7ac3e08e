//! Addresses that have moved for good: when the new one is adopted, and when it is given up again.

use super::listing::Listing;
use crate::config::Channel;
use crate::model::{Flaw, FlawCode};
use crate::schedule;
use crate::store::PollState;
use chrono::{DateTime, Utc};
use url::Url;

/// An adopted address is given up after so many failures in a row: then the one in feeds.yaml is asked again.
const GIVEN_UP: u32 = 3;

/// Takes note of where a poll was led, after its outcome was noted. feeds.yaml itself is never touched: a flaw says
/// what should stand there.
pub(super) fn note(
    channel: &Channel,
    listing: &Listing,
    now: DateTime<Utc>,
    flaws: &mut Vec<Flaw>,
    state: &mut PollState,
) {
    let (address, target) = match listing {
        Listing::Unchanged { url, moved, .. } => (url, moved),
        Listing::Read(read) => (&read.address, &read.moved),
        Listing::Nothing { .. } => return failed(now, state),
    };
    let before = state.moved.remove(address.as_str());
    let target = target.as_ref().map(Url::as_str).filter(|target| *target != address.as_str());
    if let Some(after) = schedule::moved(before.as_ref(), target, now) {
        state.moved.insert(address.to_string(), after);
    }
    state.moved.retain(|address, _| channel.addresses().any(|url| url.as_str() == address));
    for (address, moved) in &state.moved {
        if let Some(adopted) = &moved.adopted {
            flaws.push(Flaw::new(FlawCode::Moved, format!("{address} has moved to {adopted}")));
        }
    }
}

/// A failed poll ends what was observed; an adopted address has some more tries.
fn failed(now: DateTime<Utc>, state: &mut PollState) {
    let gone = state.gone.is_some();
    let give_up = gone || state.failures >= GIVEN_UP;
    let adopted = state.moved.values().any(|moved| moved.adopted.is_some());
    state.moved.retain(|_, moved| moved.adopted.is_some() && !give_up);
    if adopted && gone {
        // Only the new address is gone; the one in feeds.yaml is asked before that is believed.
        state.gone = None;
        state.next_poll = Some(now + chrono::TimeDelta::days(1));
    }
}
