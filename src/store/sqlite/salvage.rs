//! A ledger that cannot be used as it should, opened to serve what can still be read of it.
//!
//! Nothing is written, neither to the ledger nor beside it (but for what SQLite needs to read a log), and nothing is
//! recorded. Rows that cannot be read are left out. See docs/decisions/0009-damaged-store.md.

use super::folder::Hold;
use super::gate::Gate;
use super::trouble::Trouble;
use super::writer::Recorder;
use super::{LATEST, SqliteStore, open, record_of};
use crate::model::{ChannelId, Mark, Record, Tombstone, Withdrawn};
use crate::store::{Attempt, Change, FetchState, Poll, PollState, Sizes, Stamp, Store, StoreError, next_stamp};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteConnectOptions;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The newest entries from the other end: what lies behind a page that cannot be read.
const OLDEST: &str = "SELECT e.number, e.seq, e.first_seen, e.changed, e.standing, e.body, \
    a.withdrawn, a.absent \
    FROM channel AS c CROSS JOIN entry AS e ON e.channel = c.number LEFT JOIN aside AS a ON a.entry = e.number \
    WHERE c.name = ?1 AND (e.standing = 0 OR c.live = 0) \
    AND (a.entry IS NULL OR a.held = 0 AND (?2 = 0 OR a.withdrawn IS NULL)) ORDER BY e.published, e.number";

/// What can be read of a ledger, and why that is not all.
#[derive(Debug)]
pub struct Salvage {
    inner: SqliteStore,
    why: StoreError,
    opened: DateTime<Utc>,
    /// Stamps of documents that are not as they were.
    stamps: Mutex<BTreeMap<String, Stamp>>,
}

impl Salvage {
    /// Opens what [`SqliteStore::open`] refused for the reason `why`, to read it.
    ///
    /// # Errors
    /// `why`, when that is no reason to read on (another Heliu uses the folder, a newer one wrote it, there is no
    /// ledger) or when nothing can be read.
    pub async fn open(folder: &Path, why: StoreError, now: DateTime<Utc>) -> Result<Self, StoreError> {
        use StoreError::{Damaged, Engine, Full, Open, ReadOnly};
        if !matches!(why, Damaged { .. } | Engine(_) | Full(_) | Open { .. } | ReadOnly(_)) {
            return Err(why);
        }
        let Ok(path) = std::path::absolute(folder.join(open::FILE)) else { return Err(why) };
        // Where it can be locked it is: a second Heliu must not begin to write here.
        let mut hold = match Hold::take(folder) {
            Err(StoreError::InUse { folder }) => return Err(StoreError::InUse { folder }),
            hold => hold.unwrap_or_default(),
        };
        let options = SqliteConnectOptions::new().filename(&path).read_only(true).busy_timeout(open::PATIENCE);
        // Where nothing may be written the log cannot be read: SQLite would share its index with others.
        for options in [options.clone(), options.immutable(true)] {
            let pool = || open::pool(2).connect_lazy_with(options.clone());
            let trouble = Trouble::for_good(why.clone());
            let gate = Arc::new(Gate { path: path.clone(), hold, trouble, writer: pool() });
            let inner = SqliteStore { recorder: Recorder::start(&gate), gate, readers: pool() };
            let salvage = Self { inner, why: why.clone(), opened: now, stamps: Mutex::default() };
            if salvage.holds_anything().await {
                return Ok(salvage);
            }
            let Self { inner, .. } = salvage;
            inner.readers.close().await;
            // Nobody else has it: nothing is recorded here.
            hold = Arc::into_inner(inner.gate).map(|gate| gate.hold).unwrap_or_default();
        }
        Err(why)
    }

    /// Why the ledger cannot be used.
    #[must_use]
    pub fn why(&self) -> &StoreError {
        &self.why
    }

    async fn holds_anything(&self) -> bool {
        for channel in self.polls().await.unwrap_or_default().keys() {
            if !self.readable(channel, 1, Withdrawn::Keep).await.is_empty() {
                return true;
            }
        }
        false
    }

    /// The readable ones of the newest entries: from the newest on until something cannot be read, then from the
    /// oldest on.
    async fn readable(&self, channel: &ChannelId, limit: usize, withdrawn: Withdrawn) -> Vec<Record> {
        let newest = sqlx::query(LATEST).bind(channel.as_str()).bind(i64::MAX).bind(withdrawn == Withdrawn::Remove);
        let mut rows = newest.fetch(&self.inner.readers);
        let mut records = Vec::new();
        let broken = loop {
            match rows.try_next().await {
                Ok(Some(row)) => records.extend(record_of(channel, &row).ok()),
                Ok(None) => break false,
                Err(_) => break true,
            }
            if records.len() >= limit {
                break false;
            }
        };
        drop(rows);
        if broken {
            let known: HashSet<u64> = records.iter().map(|record| record.number).collect();
            let oldest = sqlx::query(OLDEST).bind(channel.as_str()).bind(withdrawn == Withdrawn::Remove);
            let mut rows = oldest.fetch(&self.inner.readers);
            let mut rest = VecDeque::new();
            while let Ok(Some(row)) = rows.try_next().await {
                let record = record_of(channel, &row).ok().filter(|record| !known.contains(&record.number));
                rest.extend(record);
                if rest.len() > limit {
                    rest.pop_front();
                }
            }
            records.extend(rest.into_iter().rev());
            records.truncate(limit);
        }
        records
    }
}

#[async_trait]
impl Store for Salvage {
    async fn record(&self, _: &Poll) -> Result<Change, StoreError> {
        Err(self.why.clone())
    }

    async fn latest_under(
        &self,
        channel: &ChannelId,
        limit: usize,
        withdrawn: Withdrawn,
    ) -> Result<Vec<Record>, StoreError> {
        if let Ok(records) = self.inner.latest_under(channel, limit, withdrawn).await {
            return Ok(records);
        }
        Ok(self.readable(channel, limit, withdrawn).await)
    }

    async fn marks(&self, channel: &ChannelId, limit: usize, withdrawn: Withdrawn) -> Result<Vec<Mark>, StoreError> {
        let records = self.latest_under(channel, limit, withdrawn).await?;
        let mark = |record: &Record| Mark { number: record.number, seq: record.seq, withdrawn: record.withdrawn };
        Ok(records.iter().map(mark).collect())
    }

    async fn records(&self, channel: &ChannelId, numbers: &[u64]) -> Result<Vec<Record>, StoreError> {
        if let Ok(records) = self.inner.records(channel, numbers).await {
            return Ok(records);
        }
        let wanted: HashSet<&u64> = numbers.iter().collect();
        let records = self.readable(channel, usize::MAX, Withdrawn::Keep).await;
        Ok(records.into_iter().filter(|record| wanted.contains(&record.number)).collect())
    }

    async fn tombstones(&self, channel: &ChannelId, limit: usize) -> Result<Vec<Tombstone>, StoreError> {
        Ok(self.inner.tombstones(channel, limit).await.unwrap_or_default())
    }

    async fn release(&self, _: &ChannelId, _: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(0) // what is held back stays so until the ledger is whole
    }

    async fn count(&self, channel: &ChannelId) -> Result<u64, StoreError> {
        match self.inner.count(channel).await {
            Ok(count) => Ok(count),
            Err(_) => Ok(self.readable(channel, usize::MAX, Withdrawn::Keep).await.len() as u64),
        }
    }

    async fn known_links(&self, _: &ChannelId, _: &[String]) -> Result<Vec<bool>, StoreError> {
        Err(self.why.clone())
    }

    async fn polls(&self) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        let mut rows =
            sqlx::query_as::<_, (String, String)>("SELECT name, poll FROM channel").fetch(&self.inner.readers);
        let mut polls = BTreeMap::new();
        while let Ok(Some((name, state))) = rows.try_next().await {
            polls.extend(self.inner.poll_state((name, state)).ok());
        }
        Ok(polls)
    }

    async fn poll_states(&self, channels: &[ChannelId]) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        if let Ok(states) = self.inner.poll_states(channels).await {
            return Ok(states);
        }
        let mut all = self.polls().await?;
        all.retain(|channel, _| channels.contains(channel));
        Ok(all)
    }

    async fn attempts(&self, channel: &ChannelId) -> Result<Vec<Attempt>, StoreError> {
        Ok(self.inner.attempts(channel).await.unwrap_or_default())
    }

    async fn fetch_states(&self, urls: &[String]) -> Result<BTreeMap<String, FetchState>, StoreError> {
        Ok(self.inner.fetch_states(urls).await.unwrap_or_default())
    }

    async fn stamps(&self, documents: &[(String, String)], at: DateTime<Utc>) -> Result<Vec<Stamp>, StoreError> {
        let mut stamps = Vec::new();
        for (document, hash) in documents {
            let row: Result<Option<(String, i64)>, _> =
                sqlx::query_as("SELECT hash, modified FROM stamp WHERE document = ?1")
                    .bind(document)
                    .fetch_optional(&self.inner.readers)
                    .await;
            let stored = row.ok().flatten().map(|(hash, seconds)| super::stamp_of(hash, seconds));
            let mut known = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
            let stamp = next_stamp(known.get(document).or(stored.as_ref()), hash, at);
            known.insert(document.clone(), stamp.clone());
            stamps.push(stamp);
        }
        Ok(stamps)
    }

    async fn created(&self) -> Result<DateTime<Utc>, StoreError> {
        Ok(self.inner.created().await.unwrap_or(self.opened))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Err(self.why.clone())
    }

    async fn ready(&self) -> Result<(), StoreError> {
        Err(self.why.clone())
    }

    async fn sizes(&self) -> Option<Sizes> {
        self.inner.sizes().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
