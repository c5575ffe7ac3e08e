//! A feed: one document that is published, made of channels.

use super::{EntryId, FeedId, Record, Standing};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// An entry that was withdrawn (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tombstone {
    /// The id of the entry.
    pub id: EntryId,
    /// When it was withdrawn.
    pub when: DateTime<Utc>,
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
    /// Withdrawn entries.
    pub tombstones: Vec<Tombstone>,
}
