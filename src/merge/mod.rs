//! Channels → one feed: duplicates, order, limits. A pure function of the records: their order on the way in
//! does not matter.

mod ladder;
mod link;
mod print;
mod quota;
mod title;

#[cfg(test)]
mod tests;

use crate::config::{Channel, FeedSpec, Origin};
use crate::model::{ChannelId, EntryId, Feed, Joined, Record, Standing};
use crate::rule::{self, Around};
use chrono::{DateTime, Utc};
use ladder::Winner;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

/// One channel of a feed with what the ledger holds of it.
#[derive(Debug, Clone)]
pub struct ChannelInput<'a> {
    /// The channel.
    pub channel: &'a Channel,
    /// Its records, in any order.
    pub records: Vec<Record>,
    /// What another feed shows of it already: the rules of the channel are not applied again.
    pub inner: bool,
    /// What was joined into its records there.
    pub joined: BTreeMap<EntryId, Vec<Joined>>,
}

impl<'a> ChannelInput<'a> {
    /// A channel with records from the ledger.
    #[must_use]
    pub fn new(channel: &'a Channel, records: Vec<Record>) -> Self {
        Self { channel, records, inner: false, joined: BTreeMap::new() }
    }
}

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

/// A record with the place of its channel in the feed's list.
struct Placed<'a> {
    place: usize,
    record: &'a Record,
    /// Whether another channel of the feed is named as its source.
    is_reprint: bool,
}

impl Placed<'_> {
    /// When it was published; what claims the future was published when it was first seen.
    fn at(&self) -> DateTime<Utc> {
        self.record.entry.published.at.with_timezone(&Utc).min(self.record.first_seen)
    }
}

/// How many records of a channel are looked at if a rule may drop some.
const DEEP: usize = 1_000;

/// How many records of a channel [`feed`] wants to know: more than it shows, so that an entry that has left
/// does not come back as its own duplicate.
#[must_use]
pub fn reach(spec: &FeedSpec, channel: &Channel) -> usize {
    let usual = if spec.channels.len() + spec.feeds.len() > 1 { spec.limit.saturating_mul(4) } else { spec.limit };
    let may_drop = spec.rules.may_drop() || channel.rules.may_drop();
    if may_drop { usual.max(DEEP) } else { usual }
}

/// Makes a feed of its channels, given in the order of the spec. `created` stands for `updated` as long as
/// there is no entry.
///
/// Of duplicates the first seen is shown, so that no later one changes an id that was shown; among those first
/// seen at one instant the original (named as source), then the earliest published, then the first channel's.
#[must_use]
pub fn feed(spec: &FeedSpec, channels: &[ChannelInput<'_>], created: DateTime<Utc>) -> Feed {
    let ruled: Vec<Vec<Cow<'_, Record>>> = channels.iter().map(ruled).collect();
    let mut all: Vec<Placed<'_>> = Vec::new();
    for (place, records) in ruled.iter().enumerate() {
        let is_reprint = |record: &Record| is_reprint(record, place, channels);
        all.extend(records.iter().map(|record| Placed { place, record, is_reprint: is_reprint(record) }));
    }
    all.sort_by_cached_key(|one| {
        let Record { first_seen, entry, .. } = one.record;
        (*first_seen, one.is_reprint, one.at(), one.place, entry.id.clone())
    });
    let mut kept = ladder::climb(&spec.duplicates, all);
    kept.sort_by_cached_key(|one| {
        let Record { number, entry, .. } = one.placed.record;
        (Reverse(one.placed.at()), one.placed.place, Reverse(*number), entry.id.clone())
    });
    let newest = rule::newest(kept.iter().map(|one| one.placed.record));
    let dressed = kept.into_iter().filter_map(|mut one| {
        let around = around(channels[one.placed.place].channel, newest);
        one.record = spec.rules.entry(shown(&mut one), &around)?;
        Some(one)
    });
    let mut kept = quota::fit(spec, dressed.collect());
    let entries = spec.rules.list(kept.iter().map(|one| one.record.clone().into_owned()).collect());
    let ids: HashSet<&EntryId> = entries.iter().map(|record| &record.entry.id).collect();
    kept.retain(|one| ids.contains(&one.placed.record.entry.id));
    let updated = kept.iter().map(|one| one.changed).max().unwrap_or(created);
    let joined = kept.into_iter().map(|one| (one.placed.record.entry.id.clone(), of_inner(one, channels)));
    let joined = joined.filter(|(_, joined)| !joined.is_empty()).collect();
    let is_snapshot = entries.iter().any(|record| record.standing == Standing::Snapshot);
    Feed {
        id: spec.id.clone(),
        title: spec.title.clone(),
        description: spec.description.clone(),
        language: spec.language.clone(),
        home: home(channels),
        updated,
        standing: if is_snapshot { Standing::Snapshot } else { Standing::Live },
        entries,
        joined,
        show_joined: spec.duplicates.show,
        joined_in_content: spec.duplicates.show && spec.duplicates.in_content,
        tombstones: Vec::new(),
    }
}

/// What was joined into a winner, here and in the feed that it or its twin came from; each once.
fn of_inner(winner: Winner<'_>, channels: &[ChannelInput<'_>]) -> Vec<Joined> {
    if channels.iter().all(|input| input.joined.is_empty()) {
        return winner.joined;
    }
    let own = winner.placed.record;
    let mut told = HashSet::from([(own.channel.clone(), own.entry.id.clone())]);
    let before = |channel: &ChannelId, id: &EntryId| {
        let of = |input: &&ChannelInput<'_>| input.channel.id == *channel && input.joined.contains_key(id);
        channels.iter().find(of).map_or(&[][..], |input| input.joined[id].as_slice())
    };
    let mut all = before(&own.channel, &own.entry.id).to_vec();
    for one in winner.joined {
        let below = before(&one.channel, &one.id).to_vec();
        all.push(one);
        all.extend(below);
    }
    all.retain(|one| told.insert((one.channel.clone(), one.id.clone())));
    all
}

/// What the channel's rules leave of its records, newest first.
fn ruled<'r>(input: &'r ChannelInput<'_>) -> Vec<Cow<'r, Record>> {
    let rules = &input.channel.rules;
    if rules.is_empty() || input.inner {
        return input.records.iter().map(Cow::Borrowed).collect();
    }
    let around = around(input.channel, rule::newest(&input.records));
    let kept = input.records.iter().filter_map(|record| rules.entry(Cow::Borrowed(record), &around));
    let mut kept: Vec<Record> = kept.map(Cow::into_owned).collect();
    kept.sort_by_cached_key(|one| (Reverse(one.entry.published.at), Reverse(one.number), one.entry.id.clone()));
    rules.list(kept).into_iter().map(Cow::Owned).collect()
}

fn around(channel: &Channel, newest: DateTime<Utc>) -> Around<'_> {
    Around { newest, channel_title: &channel.title, language: &channel.language }
}

/// The record as it is shown before the rules of the feed: never from the future, and with the text of its twin.
fn shown<'a>(winner: &mut Winner<'a>) -> Cow<'a, Record> {
    let at = winner.placed.at();
    let mut record = Cow::Borrowed(winner.placed.record);
    if record.entry.published.at > at {
        let published = &mut record.to_mut().entry.published.at;
        *published = at.with_timezone(published.offset());
    }
    if record.entry.content.is_none() && winner.content.is_some() {
        record.to_mut().entry.content = winner.content.take();
    }
    record
}

/// Whether the record names another channel of the feed as its source.
fn is_reprint(record: &Record, place: usize, channels: &[ChannelInput<'_>]) -> bool {
    let Some(source) = &record.entry.source else { return false };
    let is_named = |channel: &Channel| {
        let feed = source.feed_url.as_deref();
        channel.title == source.title || channel.addresses().any(|url| Some(url.as_str()) == feed)
    };
    !is_named(channels[place].channel) && channels.iter().any(|input| is_named(input.channel))
}

/// The page that the feed stands for: that of its only channel. A merged feed and an external feed have none.
fn home(channels: &[ChannelInput<'_>]) -> Option<String> {
    let [only @ ChannelInput { inner: false, .. }] = channels else { return None };
    match &only.channel.origin {
        Origin::Page { addresses, .. } => addresses.first().map(|page| page.url.to_string()),
        Origin::Feed { .. } => None,
    }
}
