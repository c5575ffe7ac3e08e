//! The ledger in memory: for tests and for simulation. The same rules, the same answers, nothing kept.

use super::reconcile::{self, Known, Sighting, Write};
use super::{Change, FetchState, Poll, PollState, Seen, Stamp, Store, StoreError};
use crate::model::{ChannelId, Key, KeyKind, Record, Standing};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A ledger that lives as long as the process.
#[derive(Debug)]
pub struct MemoryStore {
    ledger: Mutex<Ledger>,
    created: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct Ledger {
    seq: u64,
    closed: bool,
    channels: BTreeMap<ChannelId, Channel>,
    fetched: BTreeMap<String, FetchState>,
    stamps: BTreeMap<String, Stamp>,
}

#[derive(Debug, Default)]
struct Channel {
    state: PollState,
    rows: BTreeMap<u64, Known>,
    keys: HashMap<Key, BTreeSet<u64>>,
    ids: HashSet<String>,
}

impl MemoryStore {
    /// An empty ledger that was created `now`.
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { ledger: Mutex::default(), created: now }
    }

    /// A panic of another task cannot leave the ledger half-written: rows are written after all is decided.
    fn ledger(&self) -> Result<MutexGuard<'_, Ledger>, StoreError> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if ledger.closed { Err(StoreError::Engine("the store is closed".to_owned())) } else { Ok(ledger) }
    }
}

impl Channel {
    fn record(&mut self, seen: &Seen, at: DateTime<Utc>, seq: u64) -> Change {
        let mut groups = reconcile::intake(&seen.candidates);
        let hits: BTreeSet<u64> = groups
            .iter()
            .flat_map(|group| &group.keys)
            .filter_map(|key| self.keys.get(key))
            .flatten()
            .copied()
            .collect();
        let known: Vec<Known> = hits.iter().filter_map(|number| self.rows.get(number).cloned()).collect();
        let assigned = reconcile::assign(&known, &mut groups);
        let taken = reconcile::wanted_ids(&groups, &assigned).into_iter().filter(|id| self.ids.contains(id)).collect();
        let sighting = Sighting { at, standing: seen.standing, seq };
        let (writes, change) = reconcile::decide(&known, &groups, assigned, taken, sighting);
        for write in writes {
            self.write(write);
        }
        change
    }

    fn write(&mut self, write: Write) {
        for key in write.new_keys {
            self.keys.entry(key).or_default().insert(write.known.number);
        }
        self.ids.insert(write.known.entry.id.0.clone());
        self.rows.insert(write.known.number, write.known);
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn record(&self, poll: &Poll) -> Result<Change, StoreError> {
        let mut guard = self.ledger()?;
        let ledger = &mut *guard;
        let channel = ledger.channels.entry(poll.channel.clone()).or_default();
        let mut change = Change { seq: ledger.seq, ..Change::default() };
        if let Some(seen) = &poll.seen {
            change = channel.record(seen, poll.at, ledger.seq);
        }
        channel.state = poll.state.clone();
        ledger.seq = change.seq;
        ledger.fetched.extend(poll.fetched.clone());
        Ok(change)
    }

    async fn latest(&self, channel: &ChannelId, limit: usize) -> Result<Vec<Record>, StoreError> {
        let ledger = self.ledger()?;
        let Some(found) = ledger.channels.get(channel) else { return Ok(Vec::new()) };
        let live = found.state.live_since.is_some();
        let mut rows: Vec<_> = found.rows.values().filter(|row| !live || row.standing == Standing::Live).collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.entry.published.at.timestamp_millis(), row.number)));
        let record = |row: &Known| Record {
            channel: channel.clone(),
            number: row.number,
            seq: row.seq,
            first_seen: row.first_seen,
            changed: row.changed,
            standing: row.standing,
            entry: row.entry.clone(),
        };
        Ok(rows.into_iter().take(limit).map(record).collect())
    }

    async fn count(&self, channel: &ChannelId) -> Result<u64, StoreError> {
        Ok(self.ledger()?.channels.get(channel).map_or(0, |found| found.rows.len() as u64))
    }

    async fn known_links(&self, channel: &ChannelId, links: &[String]) -> Result<Vec<bool>, StoreError> {
        let ledger = self.ledger()?;
        let found = ledger.channels.get(channel);
        let knows = |link: &String| {
            let key = Key { kind: KeyKind::Link, value: reconcile::stored_value(link).into_owned() };
            found.is_some_and(|found| found.keys.contains_key(&key))
        };
        Ok(links.iter().map(knows).collect())
    }

    async fn polls(&self) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        let ledger = self.ledger()?;
        Ok(ledger.channels.iter().map(|(name, channel)| (name.clone(), channel.state.clone())).collect())
    }

    async fn fetch_states(&self, urls: &[String]) -> Result<BTreeMap<String, FetchState>, StoreError> {
        let ledger = self.ledger()?;
        let state = |url: &String| ledger.fetched.get(url).map(|state| (url.clone(), state.clone()));
        Ok(urls.iter().filter_map(state).collect())
    }

    async fn stamp(&self, document: &str, hash: &str, at: DateTime<Utc>) -> Result<Stamp, StoreError> {
        let mut ledger = self.ledger()?;
        let stamp = super::next_stamp(ledger.stamps.get(document), hash, at);
        ledger.stamps.insert(document.to_owned(), stamp.clone());
        Ok(stamp)
    }

    async fn created(&self) -> Result<DateTime<Utc>, StoreError> {
        self.ledger().map(|_| self.created)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.ledger().map(|_| ())
    }

    async fn close(&self) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{contract, samples};
    use std::sync::Arc;

    #[tokio::test]
    async fn keeps_the_contract() {
        contract::all(&|| Box::pin(async { Arc::new(MemoryStore::new(samples::instant(0))) as Arc<dyn Store> })).await;
    }
}
