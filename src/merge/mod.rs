//! Channels → one feed: duplicates, order, limits. A pure function of the records: their order on the way in
//! does not matter.

#[cfg(test)]
mod tests;

use crate::config::{Channel, FeedSpec, Origin};
use crate::model::{ChannelId, Feed, Record, Standing};
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// One channel of a feed with what the ledger holds of it.
#[derive(Debug, Clone)]
pub struct ChannelInput<'a> {
    /// The channel.
    pub channel: &'a Channel,
    /// Its records, in any order.
    pub records: Vec<Record>,
}

/// A record with the place of its channel in the feed's list.
struct Placed<'a> {
    place: usize,
    record: &'a Record,
}

/// Makes a feed of its channels, given in the order of the spec. `created` stands for `updated` as long as
/// there is no entry.
#[must_use]
pub fn feed(spec: &FeedSpec, channels: &[ChannelInput<'_>], created: DateTime<Utc>) -> Feed {
    let all = channels
        .iter()
        .enumerate()
        .flat_map(|(place, input)| input.records.iter().map(move |record| Placed { place, record }));
    let mut kept = unique(all.collect());
    kept.sort_by_cached_key(|one| {
        let Record { number, entry, .. } = one.record;
        (Reverse(entry.published.at), one.place, Reverse(*number), entry.id.clone())
    });
    kept.truncate(spec.limit);
    let entries: Vec<Record> = kept.into_iter().map(|one| one.record.clone()).collect();
    let is_snapshot = entries.iter().any(|record| record.standing == Standing::Snapshot);
    Feed {
        id: spec.id.clone(),
        title: spec.title.clone(),
        description: spec.description.clone(),
        language: spec.language.clone(),
        home: home(channels),
        updated: entries.iter().map(|record| record.changed).max().unwrap_or(created),
        standing: if is_snapshot { Standing::Snapshot } else { Standing::Live },
        entries,
        tombstones: Vec::new(),
    }
}

/// The page that the feed stands for: that of its only channel. A merged feed and an external feed have none.
fn home(channels: &[ChannelInput<'_>]) -> Option<String> {
    let [only] = channels else { return None };
    match &only.channel.origin {
        Origin::Page { addresses, .. } => addresses.first().map(|page| page.url.to_string()),
        Origin::Feed { .. } => None,
    }
}

/// Leaves one record of each article. The best come first: with content before without, then by the channel's
/// place, then the latest change; a record stays when it is no duplicate of one that stays already.
fn unique(mut all: Vec<Placed<'_>>) -> Vec<Placed<'_>> {
    all.sort_by_cached_key(|one| {
        let Record { seq, entry, channel, .. } = one.record;
        (entry.content.is_none(), one.place, Reverse(*seq), entry.id.clone(), channel.clone())
    });
    let mut seen = Seen::default();
    all.retain(|one| seen.is_new(one.record));
    all
}

/// What stays, by the evidence that tells duplicates. Further rungs of a ladder belong here.
#[derive(Default)]
struct Seen<'a> {
    ids: HashSet<&'a str>,
    urls: HashMap<&'a str, &'a ChannelId>,
}

impl<'a> Seen<'a> {
    /// Whether the record is none of those seen; it is remembered then.
    fn is_new(&mut self, record: &'a Record) -> bool {
        let url = record.entry.url.as_deref().map(without_scheme);
        // Inside one channel the ledger has told entries apart already: several may share one page.
        let elsewhere = |url| self.urls.get(url).is_some_and(|channel| **channel != record.channel);
        if url.is_some_and(elsewhere) || !self.ids.insert(record.entry.id.0.as_str()) {
            return false;
        }
        if let Some(url) = url {
            self.urls.entry(url).or_insert(&record.channel);
        }
        true
    }
}

/// One article is often served under http and https.
fn without_scheme(url: &str) -> &str {
    url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url)
}
