//! The ledger in memory: for tests and for simulation. The same rules, the same answers, nothing kept.

use super::reconcile::{self, Known, Past, Roll, Sighting, Verdict, Write};
use super::{ATTEMPTS_KEPT, Attempt, Change, FetchState, Poll, PollState, Seen, Stamp, Store, StoreError};
use crate::model::{ChannelId, FlawCode, Key, KeyKind, Mark, Record, Standing, Tombstone, Withdrawn};
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
    attempts: BTreeMap<u64, Attempt>,
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
        let mut known: Vec<Known> = hits.iter().filter_map(|number| self.rows.get(number).cloned()).collect();
        let mut assigned = reconcile::assign(&known, &mut groups, None);
        let sighting = Sighting { at, standing: seen.standing, seq };
        let mut verdict = Verdict::default();
        let strange = reconcile::looks_strange(&known, &groups, &assigned, seen);
        let instants = reconcile::instants(&groups, &assigned, seen);
        if strange || !instants.is_empty() {
            let past = Past {
                recent: if strange { self.newest(|_| true) } else { Vec::new() },
                same_instant: self.newest(|row| instants.contains(&row.entry.published.at.timestamp_millis())),
                held: self.held().0,
            };
            verdict = reconcile::reconsider(&past, &mut known, &mut groups, &mut assigned, seen, sighting);
        }
        verdict.flaws.extend(reconcile::changed_ids(&known, &groups, &assigned));
        let taken = reconcile::wanted_ids(&groups, &assigned).into_iter().filter(|id| self.ids.contains(id)).collect();
        let decision = reconcile::decide(&known, &groups, assigned, taken, verdict, sighting);
        for number in &decision.returned {
            if let Some(row) = self.rows.get_mut(number) {
                row.gone = None;
            }
        }
        for write in decision.writes {
            self.write(write, &decision.returned);
        }
        self.withdraw(seen, &decision.present, decision.change, at)
    }

    fn write(&mut self, mut write: Write, returned: &[u64]) {
        if returned.contains(&write.known.number) {
            write.known.gone = None;
        }
        for key in write.new_keys {
            self.keys.entry(key).or_default().insert(write.known.number);
        }
        self.ids.insert(write.known.entry.id.0.clone());
        self.rows.insert(write.known.number, write.known);
    }

    fn withdraw(&mut self, seen: &Seen, present: &HashSet<u64>, mut change: Change, at: DateTime<Utc>) -> Change {
        if seen.withdrawn.is_empty() && !seen.complete {
            return change;
        }
        let names: HashSet<String> = reconcile::names(seen).into_iter().collect();
        let is_named = |row: &&Known| {
            let mut guids = row.keys.iter().filter(|key| key.kind == KeyKind::Guid);
            names.contains(&row.entry.id.0) || guids.any(|key| names.contains(&key.value))
        };
        let is_shown = |row: &&Known| row.standing == Standing::Live && !row.held && row.gone.is_none();
        let shown: Vec<_> = self.rows.values().filter(is_shown).map(|row| (row.number, row.entry.id.clone())).collect();
        let roll = Roll {
            named: self.rows.values().filter(is_named).cloned().collect(),
            shown: shown.len() as u64,
            absent: shown.into_iter().filter(|(number, _)| seen.complete && !present.contains(number)).collect(),
        };
        let (gone, flaw) = reconcile::withdraw(&roll, seen, at);
        change.flaws.extend(flaw);
        for (number, id, gone) in gone {
            if let Some(row) = self.rows.get_mut(&number) {
                row.gone = Some(gone);
            }
            change.withdrawn.push(id);
        }
        change
    }

    /// The newest of some entries.
    fn newest(&self, wanted: impl Fn(&Known) -> bool) -> Vec<Known> {
        let mut rows: Vec<_> = self.rows.values().filter(|row| wanted(row)).collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.entry.published.at.timestamp_millis(), row.number)));
        rows.into_iter().take(reconcile::MEMORY).cloned().collect()
    }

    /// How many entries are held back, and the title of the last of them.
    fn held(&self) -> (u64, String) {
        let held: Vec<_> = self.rows.values().filter(|row| row.held).collect();
        (held.len() as u64, held.last().map(|row| row.entry.title.clone()).unwrap_or_default())
    }

    /// Whether documents may show a row: live ones, and all as long as nothing was read live.
    fn may_show(&self, row: &Known) -> bool {
        !row.held && (self.state.live_since.is_none() || row.standing == Standing::Live)
    }
}

fn record_of(channel: &ChannelId, row: &Known) -> Record {
    Record {
        channel: channel.clone(),
        number: row.number,
        seq: row.seq,
        first_seen: row.first_seen,
        changed: row.changed,
        standing: row.standing,
        withdrawn: row.gone.map(|gone| gone.at),
        entry: row.entry.clone(),
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
        let (held, title) = channel.held();
        reconcile::remind(&mut change, held, &title);
        channel.state = change.settle(&poll.state);
        if let Some(attempt) = &poll.state.last_attempt {
            channel.attempts.insert(poll.state.tries, attempt.clone());
            while channel.attempts.len() > ATTEMPTS_KEPT {
                channel.attempts.pop_first();
            }
        }
        ledger.seq = change.seq;
        ledger.fetched.extend(poll.fetched.clone());
        Ok(change)
    }

    async fn latest_under(
        &self,
        channel: &ChannelId,
        limit: usize,
        withdrawn: Withdrawn,
    ) -> Result<Vec<Record>, StoreError> {
        let ledger = self.ledger()?;
        let Some(found) = ledger.channels.get(channel) else { return Ok(Vec::new()) };
        let stays = |row: &&Known| withdrawn == Withdrawn::Keep || row.gone.is_none();
        let mut rows: Vec<_> = found.rows.values().filter(|row| found.may_show(row)).filter(stays).collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.entry.published.at.timestamp_millis(), row.number)));
        Ok(rows.into_iter().take(limit).map(|row| record_of(channel, row)).collect())
    }

    async fn marks(&self, channel: &ChannelId, limit: usize, withdrawn: Withdrawn) -> Result<Vec<Mark>, StoreError> {
        Ok(self.latest_under(channel, limit, withdrawn).await?.iter().map(Record::mark).collect())
    }

    async fn records(&self, channel: &ChannelId, numbers: &[u64]) -> Result<Vec<Record>, StoreError> {
        let ledger = self.ledger()?;
        let Some(found) = ledger.channels.get(channel) else { return Ok(Vec::new()) };
        Ok(numbers.iter().filter_map(|number| found.rows.get(number)).map(|row| record_of(channel, row)).collect())
    }

    async fn tombstones(&self, channel: &ChannelId, limit: usize) -> Result<Vec<Tombstone>, StoreError> {
        let ledger = self.ledger()?;
        let Some(found) = ledger.channels.get(channel) else { return Ok(Vec::new()) };
        let gone = |row: &Known| Some((row.gone?.at, row.number, row.entry.id.clone()));
        let mut all: Vec<_> = found.rows.values().filter(|row| found.may_show(row)).filter_map(gone).collect();
        all.sort_by_key(|(when, number, _)| std::cmp::Reverse((*when, *number)));
        Ok(all.into_iter().take(limit).map(|(when, _, id)| Tombstone { id, when }).collect())
    }

    async fn release(&self, channel: &ChannelId, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut guard = self.ledger()?;
        let ledger = &mut *guard;
        let Some(found) = ledger.channels.get_mut(channel) else { return Ok(0) };
        let mut count = 0;
        for row in found.rows.values_mut().filter(|row| row.held) {
            count += 1;
            ledger.seq += 1;
            *row = Known { held: false, seq: ledger.seq, changed: at, ..row.clone() };
        }
        if count > 0 {
            found.state.flaws.retain(|flaw| flaw.code != FlawCode::Quarantined);
        }
        Ok(count)
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

    async fn poll_states(&self, channels: &[ChannelId]) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        let ledger = self.ledger()?;
        let state = |name: &ChannelId| Some((name.clone(), ledger.channels.get(name)?.state.clone()));
        Ok(channels.iter().filter_map(state).collect())
    }

    async fn attempts(&self, channel: &ChannelId) -> Result<Vec<Attempt>, StoreError> {
        let ledger = self.ledger()?;
        let kept = ledger.channels.get(channel).into_iter().flat_map(|found| found.attempts.values().rev());
        Ok(kept.cloned().collect())
    }

    async fn fetch_states(&self, urls: &[String]) -> Result<BTreeMap<String, FetchState>, StoreError> {
        let ledger = self.ledger()?;
        let state = |url: &String| ledger.fetched.get(url).map(|state| (url.clone(), state.clone()));
        Ok(urls.iter().filter_map(state).collect())
    }

    async fn stamps(&self, documents: &[(String, String)], at: DateTime<Utc>) -> Result<Vec<Stamp>, StoreError> {
        let mut ledger = self.ledger()?;
        let mut stamp = |(document, hash): &(String, String)| {
            let stamp = super::next_stamp(ledger.stamps.get(document), hash, at);
            ledger.stamps.insert(document.clone(), stamp.clone());
            stamp
        };
        Ok(documents.iter().map(&mut stamp).collect())
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
