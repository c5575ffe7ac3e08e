//! Channels → one feed: duplicates, order, limits. A pure function of the records: their order on the way in
//! does not matter.

mod head;
mod inner;
mod ladder;
mod link;
mod merger;
mod postings;
mod print;
mod quota;
mod title;

#[cfg(test)]
mod tests;

pub use inner::add_inner;
pub use merger::Merger;

use crate::config::{Channel, FeedSpec, Origin};
use crate::model::{EntryId, Feed, Joined, Record, Rung, Standing};
use crate::rule::{self, Around};
use chrono::{DateTime, Utc};
use head::Head;
use ladder::Winner;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

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
    let members: Vec<&Channel> = channels.iter().map(|input| input.channel).collect();
    let mut heads = Vec::new();
    for (place, records) in ruled.iter().enumerate() {
        for (handle, record) in (0..).zip(records) {
            let is_reprint = is_reprint(record, members[place], &members);
            heads.push((place, Arc::new(Head::of(record, handle, is_reprint, &rungs(spec, channels.len())))));
        }
    }
    heads.sort_by(|(place, head), (other_place, other)| head.turn(*place).cmp(&other.turn(*other_place)));
    let names = members.iter().map(|channel| channel.id.clone()).collect();
    let mut winners = ladder::climb(&spec.duplicates, names, heads).winners;
    winners.sort_by(|one, other| shown_order(one).cmp(&shown_order(other)));
    let of = |place: usize, head: &Head| ruled[place].get(usize::try_from(head.handle).ok()?).map(AsRef::as_ref);
    let shown = winners.into_iter().filter_map(|winner| {
        let record: Cow<'_, Record> = Cow::Borrowed(of(winner.place, &winner.head)?);
        let twin = winner.twin.as_ref().and_then(|(place, head)| of(*place, head));
        let content = twin.and_then(|twin| twin.entry.content.as_deref());
        let joined = inner::joined_in_all(&record, winner.joined, channels);
        Some(Shown { place: winner.place, at: winner.head.at, record, content, joined, changed: winner.changed })
    });
    let home = home(channels);
    assemble(spec, &members, home, shown.collect(), created)
}

/// The order of a feed: newest first, then the first channel's, then the last recorded.
fn shown_order(one: &Winner) -> (Reverse<DateTime<Utc>>, usize, Reverse<u64>, &EntryId) {
    (Reverse(one.head.at), one.place, Reverse(one.head.number), &one.head.id)
}

/// What is compared: with one channel nothing but ids.
fn rungs(spec: &FeedSpec, places: usize) -> Vec<Rung> {
    if places > 1 { spec.duplicates.by.clone() } else { Vec::new() }
}

/// A winner with its record, after the rules of its channel.
struct Shown<'r> {
    place: usize,
    at: DateTime<Utc>,
    record: Cow<'r, Record>,
    /// The content of its twin.
    content: Option<&'r str>,
    joined: Vec<Joined>,
    changed: DateTime<Utc>,
}

/// What readers get: the rules of the feed, then its limits, then what its rules say of the list. `all` is
/// in the order of the feed.
fn assemble(
    spec: &FeedSpec,
    members: &[&Channel],
    home: Option<String>,
    all: Vec<Shown<'_>>,
    created: DateTime<Utc>,
) -> Feed {
    let newest = rule::newest(all.iter().map(|one| &*one.record));
    let dressed = all.into_iter().filter_map(|mut one| {
        one.record = spec.rules.entry(dated(&one), &around(members[one.place], newest))?;
        Some(one)
    });
    let kept = quota::fit(spec, dressed.collect(), |one| (one.place, one.at));
    let (mut records, mut notes) = (Vec::new(), Vec::new());
    for Shown { record, joined, changed, .. } in kept {
        notes.push((record.entry.id.clone(), joined, changed));
        records.push(record.into_owned());
    }
    let entries = spec.rules.list(records);
    let ids: HashSet<&EntryId> = entries.iter().map(|record| &record.entry.id).collect();
    notes.retain(|(id, ..)| ids.contains(id));
    let updated = notes.iter().map(|(.., changed)| *changed).max().unwrap_or(created);
    let joined = notes.into_iter().filter(|(_, joined, _)| !joined.is_empty());
    let joined = joined.map(|(id, joined, _)| (id, joined)).collect();
    let is_snapshot = entries.iter().any(|record| record.standing == Standing::Snapshot);
    Feed {
        id: spec.id.clone(),
        title: spec.title.clone(),
        description: spec.description.clone(),
        language: spec.language.clone(),
        home,
        updated,
        standing: if is_snapshot { Standing::Snapshot } else { Standing::Live },
        entries,
        joined,
        show_joined: spec.duplicates.show,
        joined_in_content: spec.duplicates.show && spec.duplicates.in_content,
        tombstones: Vec::new(),
    }
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
fn dated<'r>(one: &Shown<'r>) -> Cow<'r, Record> {
    let mut record = one.record.clone();
    if record.entry.published.at > one.at {
        let published = &mut record.to_mut().entry.published.at;
        *published = one.at.with_timezone(published.offset());
    }
    if record.entry.content.is_none()
        && let Some(content) = one.content
    {
        record.to_mut().entry.content = Some(content.to_owned());
    }
    record
}

/// Whether the record names another channel of the feed as its source.
fn is_reprint(record: &Record, own: &Channel, members: &[&Channel]) -> bool {
    let Some(source) = &record.entry.source else { return false };
    let is_named = |channel: &Channel| {
        let feed = source.feed_url.as_deref();
        *channel.title == *source.title || channel.addresses().any(|url| Some(url.as_str()) == feed)
    };
    !is_named(own) && members.iter().any(|channel| is_named(channel))
}

/// The page that the feed stands for: that of its only channel. A merged feed and an external feed have none.
fn home(channels: &[ChannelInput<'_>]) -> Option<String> {
    let [only @ ChannelInput { inner: false, .. }] = channels else { return None };
    match &only.channel.origin {
        Origin::Page(page) => page.addresses.first().map(|page| page.url.to_string()),
        Origin::Feed { .. } => None,
    }
}
