//! Feeds as parts of feeds.

use super::ChannelInput;
use crate::config::Channel;
use crate::model::{ChannelId, EntryId, Feed, Joined, Record};
use std::collections::{HashMap, HashSet};

/// Puts what other feeds show behind the channels of a feed, sorted by the channels it is from, so that quota and
/// duplicates see sources and not feeds. What is there already is left out. `channel` knows every channel by name.
pub fn add_inner<'a>(
    inputs: &mut Vec<ChannelInput<'a>>,
    feeds: &[&Feed],
    channel: impl Fn(&ChannelId) -> Option<&'a Channel>,
) {
    let name = |record: &Record| (record.channel.clone(), record.entry.id.clone());
    let mut there: HashSet<_> = inputs.iter().flat_map(|input| input.records.iter().map(name)).collect();
    for feed in feeds {
        let mut places: HashMap<ChannelId, usize> = HashMap::new();
        for record in &feed.entries {
            let Some(channel) = channel(&record.channel).filter(|_| there.insert(name(record))) else { continue };
            let place = *places.entry(channel.id.clone()).or_insert_with(|| {
                inputs.push(ChannelInput { inner: true, ..ChannelInput::new(channel, Vec::new()) });
                inputs.len() - 1
            });
            let id = &record.entry.id;
            inputs[place].joined.extend(feed.joined.get(id).map(|joined| (id.clone(), joined.clone())));
            inputs[place].records.push(record.clone());
        }
    }
}

/// What was joined into a winner, here and in the feed that it or its twin came from; each once.
pub(super) fn joined_in_all(own: &Record, joined: Vec<Joined>, channels: &[ChannelInput<'_>]) -> Vec<Joined> {
    if channels.iter().all(|input| input.joined.is_empty()) {
        return joined;
    }
    let mut told = HashSet::from([(own.channel.clone(), own.entry.id.clone())]);
    let before = |channel: &ChannelId, id: &EntryId| {
        let of = |input: &&ChannelInput<'_>| input.channel.id == *channel && input.joined.contains_key(id);
        channels.iter().find(of).map_or(&[][..], |input| input.joined[id].as_slice())
    };
    let mut all = before(&own.channel, &own.entry.id).to_vec();
    for one in joined {
        let below = before(&one.channel, &one.id).to_vec();
        all.push(one);
        all.extend(below);
    }
    all.retain(|one| told.insert((one.channel.clone(), one.id.clone())));
    all
}
