//! A feed: one document that is published, made of channels.

use super::{ChannelId, EntryId, FeedId, Record, Standing};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// An entry that was withdrawn (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tombstone {
    /// The id of the entry.
    pub id: EntryId,
    /// When it was withdrawn.
    pub when: DateTime<Utc>,
}

/// The evidence that told two entries to be one article, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Equal ids.
    Id,
    /// Links that lead to one page.
    Link,
    /// Equal titles at about the same time.
    Title,
    /// Nearly equal texts at about the same time.
    Text,
}

impl Rung {
    /// Every rung, strongest first.
    pub const ALL: [Self; 4] = [Self::Id, Self::Link, Self::Title, Self::Text];

    /// The name in feeds.yaml and in `_heliu`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Link => "link",
            Self::Title => "title",
            Self::Text => "text",
        }
    }
}

/// An entry that is not shown because another entry of the feed is the same article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Joined {
    /// The channel it belongs to.
    pub channel: ChannelId,
    /// Its id.
    pub id: EntryId,
    /// Its page, when it has one.
    pub url: Option<String>,
    /// Its title.
    pub title: String,
    /// What told that it is the same article.
    pub rung: Rung,
}

/// A feed ready to be rendered. The same ledger always yields the same `Feed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feed {
    /// The name in feeds.yaml and in URLs.
    pub id: FeedId,
    /// The title for people.
    pub title: String,
    /// One sentence about it.
    pub description: String,
    /// BCP 47 language, such as `zh-CN`.
    pub language: String,
    /// The page on the portal that the feed stands for, when there is one.
    pub home: Option<String>,
    /// When anything in it last changed, as the ledger recorded it; never the time of rendering.
    pub updated: DateTime<Utc>,
    /// `Snapshot` as long as any entry is known only from a snapshot.
    pub standing: Standing,
    /// The entries, newest first.
    pub entries: Vec<Record>,
    /// What was joined into which entry, in the order in which it was first seen. Entries without are absent.
    pub joined: BTreeMap<EntryId, Vec<Joined>>,
    /// Whether readers are shown where else an entry appeared.
    pub show_joined: bool,
    /// Whether a line under the content says so too.
    pub joined_in_content: bool,
    /// Withdrawn entries, as [`Feed::bury`] leaves them.
    pub tombstones: Vec<Tombstone>,
}

/// The most tombstones that a feed carries.
const TOMBSTONES: usize = 50;
/// Tombstones are carried for so long before the feed's newest change: longer than any reader stays away.
const BURIED: TimeDelta = TimeDelta::days(90);

impl Feed {
    /// Takes over what was withdrawn, of all channels in any order: the newest 50 of the last
    /// 90 days before the newest change, latest first, each id once, and none of an entry that is shown (the same
    /// article may come from another channel). Depends on no clock.
    pub fn bury(&mut self, mut tombstones: Vec<Tombstone>) {
        tombstones.sort_by(|a, b| b.when.cmp(&a.when).then_with(|| a.id.cmp(&b.id)));
        let newest = tombstones.first().map_or(self.updated, |first| first.when.max(self.updated));
        let mut told: HashSet<EntryId> = self.entries.iter().map(|record| record.entry.id.clone()).collect();
        tombstones.retain(|one| newest - one.when <= BURIED && told.insert(one.id.clone()));
        tombstones.truncate(TOMBSTONES);
        self.tombstones = tombstones;
    }

    /// The entries that were joined into an entry.
    #[must_use]
    pub fn joined_into(&self, id: &EntryId) -> &[Joined] {
        self.joined.get(id).map_or(&[], Vec::as_slice)
    }

    /// Where else an entry appeared, for readers; empty if the feed does not show it.
    pub fn also_at(&self, id: &EntryId) -> impl Iterator<Item = (&str, &str)> {
        let shown = if self.show_joined { self.joined_into(id) } else { &[] };
        shown.iter().filter_map(|one| Some((one.url.as_deref()?, one.title.as_str())))
    }
}
