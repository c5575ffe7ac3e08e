//! A store on a bad disk.

use super::{Clock, Site};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use heliu::model::{ChannelId, Mark, Record, Tombstone, Withdrawn};
use heliu::store::{Attempt, Change, FetchState, MemoryStore, Poll, PollState, Stamp, Store, StoreError};
use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// A store whose disk can be full, or full for stamps alone: between a poll and its publication; or that takes for ever.
pub(crate) struct Full {
    inner: MemoryStore,
    pub(crate) stalled: watch::Sender<bool>,
    pub(crate) no_room: AtomicBool,
    /// All is well but for polls that are to be recorded.
    pub(crate) no_records: AtomicBool,
    pub(crate) no_stamps: AtomicBool,
    /// The entries of this channel cannot be read.
    pub(crate) unreadable: Mutex<Option<ChannelId>>,
}

impl Full {
    fn refuse(&self) -> Result<(), StoreError> {
        if self.no_room.load(Ordering::SeqCst) {
            Err(StoreError::Full("no space left on device".to_owned()))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Store for Full {
    async fn record(&self, poll: &Poll) -> Result<Change, StoreError> {
        self.refuse()?;
        if self.no_records.load(Ordering::SeqCst) {
            return Err(StoreError::Full("no space left on device".to_owned()));
        }
        let _ = self.stalled.subscribe().wait_for(|stalled| !stalled).await;
        self.inner.record(poll).await
    }
    async fn latest_under(&self, channel: &ChannelId, limit: usize, how: Withdrawn) -> Result<Vec<Record>, StoreError> {
        if self.unreadable.lock().unwrap().as_ref() == Some(channel) {
            return Err(StoreError::Engine("a page of the file cannot be read".to_owned()));
        }
        self.inner.latest_under(channel, limit, how).await
    }
    async fn tombstones(&self, channel: &ChannelId, limit: usize) -> Result<Vec<Tombstone>, StoreError> {
        self.inner.tombstones(channel, limit).await
    }
    async fn release(&self, channel: &ChannelId, at: DateTime<Utc>) -> Result<u64, StoreError> {
        self.refuse()?;
        self.inner.release(channel, at).await
    }
    async fn count(&self, channel: &ChannelId) -> Result<u64, StoreError> {
        self.inner.count(channel).await
    }
    async fn known_links(&self, channel: &ChannelId, links: &[String]) -> Result<Vec<bool>, StoreError> {
        self.inner.known_links(channel, links).await
    }
    async fn polls(&self) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        self.inner.polls().await
    }
    async fn poll_states(&self, channels: &[ChannelId]) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        self.inner.poll_states(channels).await
    }
    async fn attempts(&self, channel: &ChannelId) -> Result<Vec<Attempt>, StoreError> {
        self.inner.attempts(channel).await
    }
    async fn fetch_states(&self, urls: &[String]) -> Result<BTreeMap<String, FetchState>, StoreError> {
        self.inner.fetch_states(urls).await
    }
    async fn marks(&self, channel: &ChannelId, limit: usize, how: Withdrawn) -> Result<Vec<Mark>, StoreError> {
        self.inner.marks(channel, limit, how).await
    }
    async fn records(&self, channel: &ChannelId, numbers: &[u64]) -> Result<Vec<Record>, StoreError> {
        self.inner.records(channel, numbers).await
    }
    async fn stamps(&self, documents: &[(String, String)], at: DateTime<Utc>) -> Result<Vec<Stamp>, StoreError> {
        self.refuse()?;
        if self.no_stamps.load(Ordering::SeqCst) {
            return Err(StoreError::Full("no space left on device".to_owned()));
        }
        self.inner.stamps(documents, at).await
    }
    async fn created(&self) -> Result<DateTime<Utc>, StoreError> {
        self.inner.created().await
    }
    async fn ping(&self) -> Result<(), StoreError> {
        self.refuse()
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

/// A site on such a store, on which all is well until it is told otherwise.
pub(crate) async fn site_on_a_bad_disk(config: &str) -> (Site, Arc<Full>) {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    fs::write(folder.path().join("feeds.yaml"), config).unwrap();
    let clock = Arc::new(Clock::at("2026-11-23T00:00:00Z"));
    let store = Arc::new(Full {
        inner: MemoryStore::new("2026-11-23T00:00:00Z".parse().unwrap()),
        stalled: watch::Sender::new(false),
        no_room: false.into(),
        no_records: false.into(),
        no_stamps: false.into(),
        unreadable: Mutex::default(),
    });
    let site = Site::with_store(folder, clock, Arc::clone(&store) as Arc<dyn Store>).await.unwrap();
    (site, store)
}
