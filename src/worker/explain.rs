//! What rules and duplicates made of each entry that the ledger holds, for `preview --explain`.

use crate::config::{Channel, FeedSpec};
use crate::merge::{self, ChannelInput};
use crate::model::{EntryId, Feed, Record, Rung};
use crate::render;
use crate::rule::{self, Around, Rules, Step};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;

/// One entry on its way from the ledger to the reader.
#[derive(Debug, Clone)]
pub struct Explained {
    /// As the ledger keeps it.
    pub record: Record,
    /// What each rule of its channel did.
    pub channel: Vec<Step>,
    /// What each rule of the feed did.
    pub feed: Vec<Step>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is in the feed.
    Shown,
    /// The last step dropped it.
    Dropped,
    /// It is the same article as another entry, which is shown in its place.
    Joined {
        /// The other entry.
        into: EntryId,
        /// The title of the other entry in the ledger.
        title: String,
        /// What told that it is the same article.
        rung: Rung,
    },
    /// A `limit` of its channel left it out.
    ChannelLimit,
    /// The feed has no room for it: limit, quota or age.
    NoRoom,
}

/// Follows every entry; in the order of the feed, those that did not get so far behind it, newest first.
pub(super) fn explain(
    spec: &FeedSpec,
    inputs: &[ChannelInput<'_>],
    feed: &Feed,
    created: DateTime<Utc>,
) -> Vec<Explained> {
    let mut all: Vec<Explained> = Vec::new();
    // Rules are applied here, one by one; `merge` is to join and to order, no more.
    let plain: Vec<Channel> =
        inputs.iter().map(|input| Channel { rules: Rules::default(), ..input.channel.clone() }).collect();
    let mut ruled = Vec::new();
    for (input, channel) in inputs.iter().zip(&plain) {
        let first = all.len();
        all.extend(of_channel(input));
        let left = all[first..].iter().filter(|one| one.fate == Fate::Shown).filter_map(Explained::after_channel);
        let records: Vec<Record> = left.cloned().collect();
        let records = if input.inner { records } else { input.channel.rules.list(records) };
        for one in all[first..].iter_mut().filter(|one| one.fate == Fate::Shown) {
            if !records.iter().any(|record| record.entry.id == one.record.entry.id) {
                one.fate = Fate::ChannelLimit;
            }
        }
        ruled.push(ChannelInput { records, inner: input.inner, ..ChannelInput::new(channel, Vec::new()) });
    }
    let bare = FeedSpec { limit: usize::MAX, quota: None, max_age: None, rules: Rules::default(), ..spec.clone() };
    let merged = merge::feed(&bare, &ruled, created);
    let order = of_feed(spec, inputs, &merged, feed, &mut all);
    all.sort_by_key(|one| order.get(&one.key()).copied().unwrap_or(usize::MAX));
    all
}

impl Explained {
    fn after_channel(&self) -> Option<&Record> {
        self.channel.last().map_or(Some(&self.record), |step| step.after.as_ref())
    }

    /// One id may be in several channels.
    fn key(&self) -> (String, EntryId) {
        (self.record.channel.to_string(), self.record.entry.id.clone())
    }
}

fn of_channel(input: &ChannelInput<'_>) -> Vec<Explained> {
    let channel = input.channel;
    let around =
        Around { newest: rule::newest(&input.records), channel_title: &channel.title, language: &channel.language };
    let of = |record: &Record| {
        // What another feed shows has been through the rules of its channel there.
        let steps = if input.inner { Vec::new() } else { channel.rules.explain(record, &around) };
        let dropped = steps.last().is_some_and(|step| step.after.is_none());
        let fate = if dropped { Fate::Dropped } else { Fate::Shown };
        Explained { record: record.clone(), channel: steps, feed: Vec::new(), fate }
    };
    let mut explained: Vec<_> = input.records.iter().map(of).collect();
    explained.sort_by_key(|one| std::cmp::Reverse((one.record.entry.published.at, one.record.number)));
    explained
}

/// Goes on with what the channels left: joined, dropped by a rule of the feed, without room, or shown. Yields the
/// order of the feed.
fn of_feed(
    spec: &FeedSpec,
    inputs: &[ChannelInput<'_>],
    merged: &Feed,
    feed: &Feed,
    all: &mut [Explained],
) -> HashMap<(String, EntryId), usize> {
    let places: HashMap<_, _> = all.iter().enumerate().map(|(place, one)| (one.key(), place)).collect();
    let newest = rule::newest(&merged.entries);
    let mut order = HashMap::new();
    for record in &merged.entries {
        let id = &record.entry.id;
        let key = (record.channel.to_string(), id.clone());
        let Some(place) = places.get(&key).copied() else { continue };
        let Some(channel) = inputs.iter().map(|input| input.channel).find(|channel| channel.id == record.channel)
        else {
            continue;
        };
        let around = Around { newest, channel_title: &channel.title, language: &channel.language };
        let title = all[place].record.entry.title.clone();
        order.insert(key, order.len());
        all[place].feed = spec.rules.explain(record, &around);
        if all[place].feed.last().is_some_and(|step| step.after.is_none()) {
            all[place].fate = Fate::Dropped;
        } else if !feed.entries.iter().any(|shown| shown.entry.id == *id) {
            all[place].fate = Fate::NoRoom;
        }
        for one in merged.joined_into(id) {
            let key = (one.channel.to_string(), one.id.clone());
            if let Some(place) = places.get(&key).copied() {
                all[place].fate = Fate::Joined { into: id.clone(), title: title.clone(), rung: one.rung };
                order.insert(key, order.len());
            }
        }
    }
    order
}

/// What the preview as JSON says: steps under each entry that is shown, and the entries that are not.
pub(super) fn as_json(explained: &[Explained]) -> render::Explanation {
    let mut explanation = render::Explanation::default();
    for one in explained {
        let id = &one.record.entry.id;
        let steps = steps(one);
        match left_out(&one.fate) {
            None => {
                explanation.shown.insert(id.clone(), steps);
            }
            Some(why) => explanation.left_out.push(json!({
                "id": id, "channel": one.record.channel, "title": one.record.entry.title,
                "url": one.record.entry.url, "why": why, "rules": steps,
            })),
        }
    }
    explanation
}

fn left_out(fate: &Fate) -> Option<Value> {
    match fate {
        Fate::Shown => None,
        Fate::Dropped => Some(json!("dropped")),
        Fate::ChannelLimit => Some(json!("limit of the channel")),
        Fate::NoRoom => Some(json!("limit, quota or age")),
        Fate::Joined { into, rung, .. } => Some(json!({ "joined_into": into, "by": rung.name() })),
    }
}

fn steps(one: &Explained) -> Value {
    let of = |place: &'static str, step: &Step| {
        let change = |change: rule::Change| json!({ "field": change.field, "old": change.old, "new": change.new });
        json!({
            "of": place, "number": step.number, "rule": step.rule, "dropped": step.after.is_none(),
            "changes": step.changes().into_iter().map(change).collect::<Vec<_>>(), "notes": step.notes,
        })
    };
    let (channel, feed) = (one.channel.iter(), one.feed.iter());
    Value::Array(channel.map(|step| of("channel", step)).chain(feed.map(|step| of("feed", step))).collect())
}
