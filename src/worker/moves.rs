//! Addresses that have moved for good: when the new one is adopted, and when it is given up again.

use super::listing::Listing;
use crate::config::Channel;
use crate::model::{ChannelId, Flaw, FlawCode, Moved};
use crate::schedule;
use crate::store::PollState;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use url::Url;

/// An adopted address is given up after so many failures in a row: then the one in feeds.yaml is asked again.
const GIVEN_UP: u32 = 3;

/// The states of channels that are polled together, with one opinion of where each of their addresses has moved: what one
/// of them has adopted the others adopt, be they new or once given it up, for else one poll would ask both addresses.
pub(super) fn agreed<'a>(
    channels: &[Arc<Channel>],
    states: &'a BTreeMap<ChannelId, PollState>,
) -> Cow<'a, BTreeMap<ChannelId, PollState>> {
    let of = |channel: &Channel| states.get(&channel.id).map(|state| &state.moved);
    let mut adopted: HashMap<&str, &Moved> = HashMap::new();
    for (address, moved) in channels.iter().filter_map(|channel| of(channel)).flatten() {
        if moved.adopted.is_some() {
            // Whoever saw it move last knows best; the address decides where that is no difference.
            let known = adopted.entry(address).or_insert(moved);
            if (moved.since, &moved.adopted) > (known.since, &known.adopted) {
                *known = moved;
            }
        }
    }
    let mut agreed = Cow::Borrowed(states);
    for channel in channels {
        for address in channel.addresses() {
            let Some(common) = adopted.get(address.as_str()) else { continue };
            let own = of(channel).and_then(|moved| moved.get(address.as_str()));
            if own.and_then(|own| own.adopted.as_ref()) != common.adopted.as_ref() {
                let state = agreed.to_mut().entry(channel.id.clone()).or_default();
                state.moved.insert(address.to_string(), (*common).clone());
            }
        }
    }
    agreed
}

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
