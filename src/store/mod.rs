//! The ledger: every entry ever seen, what is known of each channel, and the validators of each address.
//!
//! [`Store`] is the contract; every engine runs the same contract test (`store/contract.rs`).
//! What makes one candidate the same entry as a known one is decided in `reconcile`, a pure function
//! that all engines share.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod flood;
mod health;
mod holdings;
#[cfg(test)]
mod laws;
mod memory;
mod reconcile;
#[cfg(test)]
mod samples;
mod sqlite;
mod stamp;
mod state;
#[cfg(test)]
mod trust;

pub use holdings::{Holdings, Restored, Sizes};
pub use memory::MemoryStore;
pub use sqlite::{Salvage, SqliteStore, back_up, restore};
pub use stamp::Stamp;
pub use state::{ATTEMPTS_KEPT, Attempt, Owed, PollState, Rest};

use crate::model::{Candidate, ChannelId, EntryId, Flaw, FlawCode, Mark, Record, Standing, Tombstone, Withdrawn};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stamp::next_stamp;
use std::collections::BTreeMap;

/// What went wrong in the store, with what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The file or its folder cannot be opened or created.
    #[error("cannot open the store {path}: {reason}. {advice}")]
    Open {
        /// The path that was tried.
        path: String,
        /// What the engine said.
        reason: String,
        /// What the admin can do.
        advice: &'static str,
    },
    /// The store was written by a newer Heliu.
    #[error(
        "the store {path} has schema version {found}, this Heliu knows up to {known}. Start the newer Heliu that wrote it, or restore a backup"
    )]
    TooNew {
        /// The path.
        path: String,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// Another Heliu has the data folder open.
    #[error(
        "another Heliu is running with the data folder {folder}. Stop it, or give this one a folder of its own with --data"
    )]
    InUse {
        /// The folder.
        folder: String,
    },
    /// The file was deleted or replaced while it was in use.
    #[error(
        "the store {path} {what} while Heliu runs; nothing more is recorded, what is published keeps being served. Put the file or a backup in its place and restart Heliu; a restart without it starts an empty ledger"
    )]
    Gone {
        /// The path.
        path: String,
        /// What happened to it.
        what: &'static str,
    },
    /// The file is damaged.
    #[error(
        "the store {path} is damaged: {reason}. Stop Heliu, keep a copy of the file, and restore a backup or move it away to start afresh"
    )]
    Damaged {
        /// The path.
        path: String,
        /// What the check said.
        reason: String,
    },
    /// A backup cannot be made or used.
    #[error("{path}: {reason}. {advice}")]
    Backup {
        /// The file of the backup.
        path: String,
        /// What is wrong.
        reason: String,
        /// What the admin can do.
        advice: &'static str,
    },
    /// The disk is full.
    #[error(
        "the disk of the store is full: {0}. Free some space; what is published keeps being served and polling goes on by itself"
    )]
    Full(String),
    /// The store can be read but not written.
    #[error(
        "the store cannot be written: {0}. Check the permissions of the data folder; what is published keeps being served"
    )]
    ReadOnly(String),
    /// Anything else the engine said.
    #[error("the store failed: {0}")]
    Engine(String),
}

/// The validators and the state of one address, byte for byte as the server sent them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchState {
    /// The `ETag` of the last body that was used.
    pub etag: Option<Vec<u8>>,
    /// The `Last-Modified` of the last body that was used.
    pub last_modified: Option<Vec<u8>>,
    /// SHA-256 of the last decoded body that was used, as hexadecimal digits.
    pub body_hash: Option<String>,
    /// When it was last asked for.
    pub checked: Option<DateTime<Utc>>,
    /// When it last yielded a body or a 304.
    pub succeeded: Option<DateTime<Utc>>,
    /// Failures since the last success.
    pub failures: u32,
    /// After a failure, and for articles that are to be read again: not to be asked for before this.
    pub not_before: Option<DateTime<Utc>>,
    /// For articles: the link key of the entry that the page belongs to.
    pub link_key: Option<String>,
}

/// What one poll of one channel brought, recorded as one transaction: either all of it is kept or none.
#[derive(Debug, Clone)]
pub struct Poll {
    /// The channel.
    pub channel: ChannelId,
    /// When it was polled.
    pub at: DateTime<Utc>,
    /// What was seen; `None` when nothing could be used (304, failure, unchanged body).
    pub seen: Option<Seen>,
    /// The channel's new state.
    pub state: PollState,
    /// The new state of every address that was asked for. Validators are stored with the entries
    /// they vouch for, never before them.
    pub fetched: BTreeMap<String, FetchState>,
}

/// The entries that a poll saw, in the order of the page.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Live or snapshot.
    pub standing: Standing,
    /// The entries; those that stand on the page come first.
    pub candidates: Vec<Candidate>,
    /// How many of them stand on the page; the rest are articles that were read again.
    pub listed: usize,
    /// What the source says it has withdrawn: the ids as it wrote them.
    pub withdrawn: Vec<Tombstone>,
    /// The document holds every entry that there is (RFC 5005 section 2), and all of it was read.
    pub complete: bool,
    /// What is believed of the source.
    pub guard: Guard,
}

impl Seen {
    /// Entries of a page, nothing withdrawn, nothing guarded.
    #[must_use]
    pub fn new(standing: Standing, candidates: Vec<Candidate>) -> Self {
        let listed = candidates.len();
        Self { standing, candidates, listed, withdrawn: Vec::new(), complete: false, guard: Guard::default() }
    }
}

/// What a channel was like before a poll, and what its source is not believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guard {
    /// When a poll last brought something new; `None` if none did: then everything is believed. Not the last poll:
    /// a source that is rebuilt once a day shows entries that are older than polls in between.
    pub since: Option<DateTime<Utc>>,
    /// How many entries usually stand on its page; 0 if that is not known.
    pub usual: u32,
    /// Whether a page full of old entries under new ids is held back and a mass withdrawal ignored.
    pub hold: bool,
}

/// What recording changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Entries that were never seen before.
    pub new: Vec<EntryId>,
    /// Entries whose visible content changed.
    pub updated: Vec<EntryId>,
    /// Entries whose stored form changed invisibly (a better date, a new key, live instead of snapshot).
    pub touched: Vec<EntryId>,
    /// Entries that were written but are held back: no document shows them.
    pub held: Vec<EntryId>,
    /// Entries that the source withdrew now.
    pub withdrawn: Vec<EntryId>,
    /// Withdrawn entries that are back.
    pub returned: Vec<EntryId>,
    /// What recording found wrong. Stored with the channel's state; [`Change::settle`] says how.
    pub flaws: Vec<Flaw>,
    /// Whether any entry of the channel is held back now.
    pub holding: bool,
    /// Entries that were known and unchanged.
    pub unchanged: usize,
    /// The ledger's sequence number after recording.
    pub seq: u64,
}

impl Change {
    /// Whether any published document may look different now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let written = [&self.new, &self.updated, &self.touched, &self.withdrawn, &self.returned];
        written.iter().all(|ids| ids.is_empty())
    }

    /// The state with what recording found, as it is stored: the quarantine shows for as long as it holds anything.
    #[must_use]
    pub fn settle(&self, state: &PollState) -> PollState {
        let mut state = state.clone();
        state.flaws.retain(|flaw| flaw.code != FlawCode::Quarantined || self.holding);
        let shown = state.flaws.iter().any(|flaw| flaw.code == FlawCode::Quarantined);
        let news = self.flaws.iter().filter(|flaw| flaw.code != FlawCode::Quarantined || self.holding && !shown);
        state.flaws.extend(news.cloned());
        state
    }
}

/// The ledger. One writer at a time; reading never waits for writing.
#[async_trait]
pub trait Store: Send + Sync {
    /// Records what a poll brought, atomically. Recording the same poll twice changes nothing the second time.
    async fn record(&self, poll: &Poll) -> Result<Change, StoreError>;

    /// The newest entries of one channel, withdrawn ones among them; see [`Store::latest_under`].
    async fn latest(&self, channel: &ChannelId, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.latest_under(channel, limit, Withdrawn::Keep).await
    }

    /// The newest entries of one channel, newest first (published descending, then number descending), at most
    /// `limit`. A change of an entry never moves it among entries of one date. Entries that are only known from
    /// a snapshot are left out once the channel is live.
    /// Entries that are held back are left out, and with [`Withdrawn::Remove`] those that their source withdrew.
    async fn latest_under(
        &self,
        channel: &ChannelId,
        limit: usize,
        withdrawn: Withdrawn,
    ) -> Result<Vec<Record>, StoreError>;

    /// The marks of the very entries that [`Store::latest_under`] yields, in its order: which are there, and which
    /// changed since they were last read.
    async fn marks(&self, channel: &ChannelId, limit: usize, withdrawn: Withdrawn) -> Result<Vec<Mark>, StoreError>;

    /// These entries of a channel, by their numbers; unknown ones are left out. In any order.
    async fn records(&self, channel: &ChannelId, numbers: &[u64]) -> Result<Vec<Record>, StoreError>;

    /// The entries that the source withdrew, under the ids they were published with, latest withdrawal first.
    async fn tombstones(&self, channel: &ChannelId, limit: usize) -> Result<Vec<Tombstone>, StoreError>;

    /// Lets go of everything that is held back: from now on it is published like any other entry, for good.
    /// Tells how many entries that were.
    async fn release(&self, channel: &ChannelId, at: DateTime<Utc>) -> Result<u64, StoreError>;

    /// How many entries the channel has in all.
    async fn count(&self, channel: &ChannelId) -> Result<u64, StoreError>;

    /// Which of these link keys (`KeyKind::Link` values) the channel already knows.
    async fn known_links(&self, channel: &ChannelId, links: &[String]) -> Result<Vec<bool>, StoreError>;

    /// The state of every channel that was ever polled.
    async fn polls(&self) -> Result<BTreeMap<ChannelId, PollState>, StoreError>;

    /// The state of these channels; those that were never polled are left out.
    async fn poll_states(&self, channels: &[ChannelId]) -> Result<BTreeMap<ChannelId, PollState>, StoreError>;

    /// The last attempts to poll a channel, newest first, at most [`ATTEMPTS_KEPT`].
    async fn attempts(&self, channel: &ChannelId) -> Result<Vec<Attempt>, StoreError>;

    /// The state of these addresses; unknown ones are left out.
    async fn fetch_states(&self, urls: &[String]) -> Result<BTreeMap<String, FetchState>, StoreError>;

    /// Stamps a document: when `hash` differs from what is stored under `document`, stores it with
    /// `max(at, stored + 1 s)`, else leaves the stored stamp; returns the stamp that is then stored.
    async fn stamp(&self, document: &str, hash: &str, at: DateTime<Utc>) -> Result<Stamp, StoreError> {
        let stamps = self.stamps(&[(document.to_owned(), hash.to_owned())], at).await?;
        stamps.into_iter().next().ok_or_else(|| StoreError::Engine("no stamp came back".to_owned()))
    }

    /// Stamps documents, each `(document, hash)` as [`Store::stamp`] does, in one transaction; the stamps come back in
    /// the order of the documents.
    async fn stamps(&self, documents: &[(String, String)], at: DateTime<Utc>) -> Result<Vec<Stamp>, StoreError>;

    /// When the ledger was created: the `updated` of a feed that has no entries yet.
    async fn created(&self) -> Result<DateTime<Utc>, StoreError>;

    /// A short check that the store answers and that the last write succeeded, for `/readyz`. After a failed write it
    /// tries one, at most once a second.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Fails while nothing can be recorded, so that no source is asked in vain. Costs nothing while all is well.
    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// How large its files are; `None` for a store without files.
    async fn sizes(&self) -> Option<Sizes> {
        None
    }

    /// Flushes and closes; further calls fail.
    async fn close(&self);
}
