//! The ledger in memory, with faults.

use crate::judge::Told;
use crate::script::Failing;
use crate::world::Stage;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use heliu::model::{ChannelId, Mark, Record, Tombstone, Withdrawn};
use heliu::store::{Attempt, Change, FetchState, MemoryStore, Poll, PollState, Stamp, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Passes everything on, unless it fails.
pub(crate) struct Ledger {
    pub(crate) stage: Arc<Stage>,
    pub(crate) inner: Arc<MemoryStore>,
}

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Record,
    Read,
    Stamp,
}

impl Ledger {
    /// Whether the ledger fails now: before or after it does what it is asked.
    fn fails(&self, deed: Deed) -> Option<Failing> {
        let (truth, wall) = (self.stage.truth(), self.stage.wall());
        let mut world = self.stage.world();
        let (_, failing) = world.failing.filter(|(until, _)| truth < *until)?;
        let concerned = match failing {
            Failing::Before | Failing::After => deed == Deed::Record,
            Failing::Reads => deed == Deed::Read,
            Failing::Stamps => deed == Deed::Stamp,
            Failing::All => true,
        };
        let fails = concerned && world.rng.percent(70);
        if fails {
            world.judge.ledger_fails(wall);
        }
        fails.then_some(failing)
    }

    async fn enter(&self, deed: Deed) -> Result<(), StoreError> {
        self.stage.step().await;
        match self.fails(deed) {
            Some(_) => Err(trouble()),
            None => Ok(()),
        }
    }
}

fn trouble() -> StoreError {
    StoreError::Engine("simulated".to_owned())
}

#[async_trait]
impl Store for Ledger {
    async fn record(&self, poll: &Poll) -> Result<Change, StoreError> {
        self.stage.step().await;
        let failing = self.fails(Deed::Record);
        let written = if failing.is_none() || failing == Some(Failing::After) {
            Some(self.inner.record(poll).await?)
        } else {
            None
        };
        let told = match (&written, failing) {
            (Some(_), None) => Told::Recorded,
            (Some(_), Some(_)) => Told::WrittenOnly,
            (None, _) => Told::Refused,
        };
        let (truth, wall) = (self.stage.truth(), self.stage.wall());
        {
            let mut world = self.stage.world();
            let state = &poll.state;
            let next = state.next_poll.map(|next| next.timestamp_millis());
            let new = written.as_ref().map_or(0, |change| change.new.len());
            let updated = written.as_ref().map_or(0, |change| change.updated.len());
            world.trace.note(
                truth,
                format_args!(
                    "record {} {told:?} new {new} updated {updated} failures {} next {next:?} {}",
                    poll.channel,
                    state.failures,
                    state.error.as_deref().unwrap_or_default()
                ),
            );
            // Written and not told is the worst moment to die: it is tried last.
            world.judge.written(poll, told == Told::Refused);
            let held = written.as_ref().map(|change| &*change.held).unwrap_or_default();
            world.judge.held(poll, held);
        }
        self.stage.step().await;
        let holds = written.as_ref().is_some_and(|change| change.holding);
        self.stage.world().judge.told(poll, (told, holds), truth, wall);
        match (written, failing) {
            (Some(change), None) => Ok(change),
            _ => Err(trouble()),
        }
    }

    async fn latest_under(
        &self,
        channel: &ChannelId,
        limit: usize,
        withdrawn: Withdrawn,
    ) -> Result<Vec<Record>, StoreError> {
        self.enter(Deed::Read).await?;
        self.inner.latest_under(channel, limit, withdrawn).await
    }

    async fn marks(&self, channel: &ChannelId, limit: usize, withdrawn: Withdrawn) -> Result<Vec<Mark>, StoreError> {
        self.enter(Deed::Read).await?;
        self.inner.marks(channel, limit, withdrawn).await
    }

    async fn records(&self, channel: &ChannelId, numbers: &[u64]) -> Result<Vec<Record>, StoreError> {
        self.enter(Deed::Read).await?;
        self.inner.records(channel, numbers).await
    }

    async fn tombstones(&self, channel: &ChannelId, limit: usize) -> Result<Vec<Tombstone>, StoreError> {
        self.enter(Deed::Read).await?;
        self.inner.tombstones(channel, limit).await
    }

    async fn release(&self, channel: &ChannelId, at: DateTime<Utc>) -> Result<u64, StoreError> {
        self.enter(Deed::Record).await?;
        self.inner.release(channel, at).await
    }

    async fn poll_states(&self, channels: &[ChannelId]) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        self.enter(Deed::Read).await?;
        self.inner.poll_states(channels).await
    }

    async fn attempts(&self, channel: &ChannelId) -> Result<Vec<Attempt>, StoreError> {
        self.enter(Deed::Read).await?;
        self.inner.attempts(channel).await
    }

    async fn count(&self, channel: &ChannelId) -> Result<u64, StoreError> {
        self.enter(Deed::Read).await?;
        self.inner.count(channel).await
    }

    async fn known_links(&self, channel: &ChannelId, links: &[String]) -> Result<Vec<bool>, StoreError> {
        self.enter(Deed::Read).await?;
        self.inner.known_links(channel, links).await
    }

    async fn polls(&self) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        self.enter(Deed::Read).await?;
        self.inner.polls().await
    }

    async fn fetch_states(&self, urls: &[String]) -> Result<BTreeMap<String, FetchState>, StoreError> {
        self.enter(Deed::Read).await?;
        self.inner.fetch_states(urls).await
    }

    async fn stamps(&self, documents: &[(String, String)], at: DateTime<Utc>) -> Result<Vec<Stamp>, StoreError> {
        self.enter(Deed::Stamp).await?;
        for (document, hash) in documents {
            self.stage.world().judge.reader.stamp(document, hash);
        }
        self.inner.stamps(documents, at).await
    }

    async fn created(&self) -> Result<DateTime<Utc>, StoreError> {
        self.enter(Deed::Read).await?;
        self.inner.created().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    async fn close(&self) {}
}
