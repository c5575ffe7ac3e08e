//! The ledger in a SQLite file: one connection that writes, a few that read.
//!
//! Write-ahead logging, so that reading never waits for writing; `synchronous = FULL`, so that an id that was
//! published survives a power cut, `NORMAL` for stamps (docs/decisions/0001-ledger-on-sqlite.md). Every write begins with
//! `BEGIN IMMEDIATE`: a transaction that reads first and writes later could be refused half-way.

mod aside;
mod attempt;
mod backup;
#[cfg(test)]
mod backup_tests;
mod copy;
#[cfg(test)]
mod damage_tests;
mod error;
mod folder;
mod gate;
mod migrate;
mod open;
mod record;
mod restore;
mod salvage;
#[cfg(test)]
mod tests;
mod trouble;
mod writer;
#[cfg(test)]
mod writer_tests;

pub use backup::back_up;
pub use restore::restore;
pub use salvage::Salvage;

use super::{Attempt, Change, FetchState, Poll, PollState, Sizes, Stamp, Store, StoreError, reconcile};
use crate::model::{ChannelId, KeyKind, Mark, Record, Tombstone, Withdrawn};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Connection, Row, Sqlite, pool::PoolConnection};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// The ledger in the file `heliu.db` of the data folder.
#[derive(Debug)]
pub struct SqliteStore {
    gate: Arc<gate::Gate>,
    recorder: writer::Recorder,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the ledger in `folder`; makes the folder and the file when they are missing. `now` becomes the
    /// creation date of a new ledger.
    ///
    /// # Errors
    /// [`StoreError::Open`] when folder or file cannot be used, [`StoreError::InUse`], [`StoreError::TooNew`],
    /// [`StoreError::Damaged`], [`StoreError::Full`]. None of them changes the file.
    pub async fn open(folder: &Path, now: DateTime<Utc>) -> Result<Self, StoreError> {
        open::open(folder, now).await
    }

    /// Checks the whole file, also its indexes: about a second for 100 MB. [`SqliteStore::open`] does a shorter
    /// check, and only of files up to 64 MiB.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first thing that is wrong.
    pub async fn verify(&self) -> Result<(), StoreError> {
        let mut connection = self.readers.acquire().await.map_err(|e| self.error(&e))?;
        open::check(&mut connection, &self.gate.path, "integrity_check").await
    }

    fn error(&self, error: &sqlx::Error) -> StoreError {
        self.gate.error(error)
    }

    /// The channel and its state. Flaws with codes of a newer Heliu are left out rather than losing the state.
    fn poll_state(&self, (name, text): (String, String)) -> Result<(ChannelId, PollState), StoreError> {
        let name = name.parse().map_err(|e| error::damaged(&self.gate.path, format!("a channel's name: {e}")))?;
        let state = serde_json::from_str(&text).or_else(|_| {
            let damaged = |e: serde_json::Error| error::damaged(&self.gate.path, format!("a channel's state: {e}"));
            let mut value: serde_json::Value = serde_json::from_str(&text).map_err(damaged)?;
            if let Some(flaws) = value.get_mut("flaws").and_then(serde_json::Value::as_array_mut) {
                flaws.retain(|flaw| serde_json::from_value::<crate::model::Flaw>(flaw.clone()).is_ok());
            }
            serde_json::from_value(value).map_err(damaged)
        });
        Ok((name, state?))
    }
}

/// One range of the clustered table, read in its own order; a test looks at the plan.
const LATEST: &str = "SELECT e.number, e.seq, e.first_seen, e.changed, e.standing, e.body, a.withdrawn, a.absent \
    FROM channel AS c CROSS JOIN entry AS e ON e.channel = c.number LEFT JOIN aside AS a ON a.entry = e.number \
    WHERE c.name = ?1 AND (e.standing = 0 OR c.live = 0) \
    AND (a.entry IS NULL OR a.held = 0 AND (?3 = 0 OR a.withdrawn IS NULL)) \
    ORDER BY e.published DESC, e.number DESC LIMIT ?2";

/// The marks of the same rows; a test looks that both agree. They come as one JSON text, since a row of the driver
/// costs ten times what it costs SQLite.
const MARKS: &str = "SELECT json_group_array(json_array(number, seq, withdrawn)) FROM (\
    SELECT e.number, e.seq, a.withdrawn \
    FROM channel AS c CROSS JOIN entry AS e ON e.channel = c.number LEFT JOIN aside AS a ON a.entry = e.number \
    WHERE c.name = ?1 AND (e.standing = 0 OR c.live = 0) \
    AND (a.entry IS NULL OR a.held = 0 AND (?3 = 0 OR a.withdrawn IS NULL)) \
    ORDER BY e.published DESC, e.number DESC LIMIT ?2)";

/// Rows by their numbers.
const RECORDS: &str = "SELECT e.number, e.seq, e.first_seen, e.changed, e.standing, e.body, a.withdrawn, a.absent \
    FROM json_each(?2) AS wanted CROSS JOIN entry AS e ON e.number = wanted.value \
    LEFT JOIN aside AS a ON a.entry = e.number \
    WHERE e.channel = (SELECT number FROM channel WHERE name = ?1)";

async fn release_whole(
    connection: &mut PoolConnection<Sqlite>,
    channel: &ChannelId,
    at: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let count = aside::release(&mut transaction, channel.as_str(), at).await?;
    transaction.commit().await?;
    Ok(count)
}

async fn stamp_whole(
    connection: &mut PoolConnection<Sqlite>,
    documents: &[(String, String)],
    at: DateTime<Utc>,
) -> sqlx::Result<Vec<Stamp>> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut stamps = Vec::with_capacity(documents.len());
    for (document, hash) in documents {
        let row: Option<(String, i64)> = sqlx::query_as("SELECT hash, modified FROM stamp WHERE document = ?1")
            .bind(document)
            .fetch_optional(&mut *transaction)
            .await?;
        let stored = row.map(|(hash, seconds)| stamp_of(hash, seconds));
        let stamp = super::next_stamp(stored.as_ref(), hash, at);
        if stored.as_ref() != Some(&stamp) {
            sqlx::query("INSERT OR REPLACE INTO stamp (document, hash, modified) VALUES (?1, ?2, ?3)")
                .bind(document)
                .bind(hash)
                .bind(stamp.modified.timestamp())
                .execute(&mut *transaction)
                .await?;
        }
        stamps.push(stamp);
    }
    transaction.commit().await?;
    Ok(stamps)
}

/// A row of the table `stamp`.
fn stamp_of(hash: String, seconds: i64) -> Stamp {
    Stamp { hash, modified: DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH) }
}

fn record_of(channel: &ChannelId, row: &SqliteRow) -> sqlx::Result<Record> {
    Ok(Record {
        channel: channel.clone(),
        number: row.try_get::<i64, _>("number")?.cast_unsigned(),
        seq: row.try_get::<i64, _>("seq")?.cast_unsigned(),
        first_seen: instant(row.try_get("first_seen")?),
        changed: instant(row.try_get("changed")?),
        standing: record::standing_of(row.try_get("standing")?),
        withdrawn: aside::gone(row)?.map(|gone| gone.at),
        entry: record::entry(row)?,
    })
}

#[async_trait]
impl Store for SqliteStore {
    async fn record(&self, poll: &Poll) -> Result<Change, StoreError> {
        self.recorder.record(poll).await
    }

    async fn latest_under(
        &self,
        channel: &ChannelId,
        limit: usize,
        withdrawn: Withdrawn,
    ) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(LATEST)
            .bind(channel.as_str())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(withdrawn == Withdrawn::Remove)
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.error(&e))?;
        rows.iter().map(|row| record_of(channel, row)).collect::<sqlx::Result<_>>().map_err(|e| self.error(&e))
    }

    async fn marks(&self, channel: &ChannelId, limit: usize, withdrawn: Withdrawn) -> Result<Vec<Mark>, StoreError> {
        let marks: String = sqlx::query_scalar(MARKS)
            .bind(channel.as_str())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(withdrawn == Withdrawn::Remove)
            .fetch_one(&self.readers)
            .await
            .map_err(|e| self.error(&e))?;
        let marks: Vec<(i64, i64, Option<i64>)> = record::from_json(&marks).map_err(|e| self.error(&e))?;
        let mark = |(number, seq, gone): (i64, i64, Option<i64>)| Mark {
            number: number.cast_unsigned(),
            seq: seq.cast_unsigned(),
            withdrawn: gone.map(instant),
        };
        Ok(marks.into_iter().map(mark).collect())
    }

    async fn records(&self, channel: &ChannelId, numbers: &[u64]) -> Result<Vec<Record>, StoreError> {
        let numbers = record::json(numbers).map_err(|e| self.error(&e))?;
        let rows = sqlx::query(RECORDS).bind(channel.as_str()).bind(numbers).fetch_all(&self.readers).await;
        let rows = rows.map_err(|e| self.error(&e))?;
        rows.iter().map(|row| record_of(channel, row)).collect::<sqlx::Result<_>>().map_err(|e| self.error(&e))
    }

    async fn tombstones(&self, channel: &ChannelId, limit: usize) -> Result<Vec<Tombstone>, StoreError> {
        let query = sqlx::query(aside::TOMBSTONES).bind(channel.as_str());
        let rows = query.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(&self.readers).await;
        let rows = rows.map_err(|e| self.error(&e))?;
        rows.iter().map(aside::tombstone).collect::<sqlx::Result<_>>().map_err(|e| self.error(&e))
    }

    async fn release(&self, channel: &ChannelId, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut connection = self.gate.writing().await?;
        release_whole(&mut connection, channel, at).await.map_err(|e| self.gate.failed(&mut connection, &e))
    }

    async fn count(&self, channel: &ChannelId) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM entry INDEXED BY entry_id \
             WHERE channel = (SELECT number FROM channel WHERE name = ?1)",
        )
        .bind(channel.as_str())
        .fetch_one(&self.readers)
        .await
        .map_err(|e| self.error(&e))?;
        Ok(count.cast_unsigned())
    }

    async fn known_links(&self, channel: &ChannelId, links: &[String]) -> Result<Vec<bool>, StoreError> {
        let values: Vec<_> = links.iter().map(|link| reconcile::stored_value(link)).collect();
        let known: Vec<String> = sqlx::query_scalar(
            "SELECT key.value FROM json_each(?3) AS wanted CROSS JOIN key \
             ON key.channel = (SELECT number FROM channel WHERE name = ?1) AND key.kind = ?2 AND key.value = wanted.value",
        )
        .bind(channel.as_str())
        .bind(record::number_of(KeyKind::Link))
        .bind(record::json(&values).map_err(|e| self.error(&e))?)
        .fetch_all(&self.readers)
        .await
        .map_err(|e| self.error(&e))?;
        let known: HashSet<_> = known.into_iter().collect();
        Ok(values.iter().map(|value| known.contains(value.as_ref())).collect())
    }

    async fn polls(&self) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        let rows = sqlx::query_as("SELECT name, poll FROM channel").fetch_all(&self.readers).await;
        rows.map_err(|e| self.error(&e))?.into_iter().map(|row| self.poll_state(row)).collect()
    }

    async fn poll_states(&self, channels: &[ChannelId]) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        let names: Vec<_> = channels.iter().map(ChannelId::as_str).collect();
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT name, poll FROM json_each(?1) AS wanted CROSS JOIN channel ON name = wanted.value")
                .bind(record::json(&names).map_err(|e| self.error(&e))?)
                .fetch_all(&self.readers)
                .await
                .map_err(|e| self.error(&e))?;
        rows.into_iter().map(|row| self.poll_state(row)).collect()
    }

    async fn attempts(&self, channel: &ChannelId) -> Result<Vec<Attempt>, StoreError> {
        let rows = sqlx::query(attempt::ATTEMPTS).bind(channel.as_str()).fetch_all(&self.readers).await;
        let rows = rows.map_err(|e| self.error(&e))?;
        rows.iter().map(attempt::attempt).collect::<sqlx::Result<_>>().map_err(|e| self.error(&e))
    }

    async fn fetch_states(&self, urls: &[String]) -> Result<BTreeMap<String, FetchState>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT url, state FROM json_each(?1) AS wanted CROSS JOIN fetch_state ON url = wanted.value",
        )
        .bind(record::json(urls).map_err(|e| self.error(&e))?)
        .fetch_all(&self.readers)
        .await
        .map_err(|e| self.error(&e))?;
        let state = |(url, state): (String, String)| {
            let state = serde_json::from_str(&state);
            Ok((url, state.map_err(|e| error::damaged(&self.gate.path, format!("an address's state: {e}")))?))
        };
        rows.into_iter().map(state).collect()
    }

    async fn stamps(&self, documents: &[(String, String)], at: DateTime<Utc>) -> Result<Vec<Stamp>, StoreError> {
        // A stamp that the power took away is made anew: the same document with a later date.
        let mut connection = self.gate.writing_soon().await?;
        stamp_whole(&mut connection, documents, at).await.map_err(|e| self.gate.failed(&mut connection, &e))
    }

    async fn created(&self) -> Result<DateTime<Utc>, StoreError> {
        let created = sqlx::query_scalar("SELECT created FROM ledger").fetch_one(&self.readers).await;
        created.map(instant).map_err(|e| self.error(&e))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.gate.hold.check(&self.gate.path).await?;
        if self.gate.trouble.lasting().is_err() {
            self.gate.writing().await?;
        }
        if self.gate.trouble.is_to_be_tried()? {
            self.gate.try_to_write().await?;
        }
        self.created().await.map(drop)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        if self.gate.trouble.is_none() { Ok(()) } else { self.ping().await }
    }

    async fn sizes(&self) -> Option<Sizes> {
        let log = tokio::fs::metadata(copy::beside(&self.gate.path, "-wal")).await.map_or(0, |meta| meta.len());
        Some(Sizes { file: tokio::fs::metadata(&self.gate.path).await.ok()?.len(), log })
    }

    async fn close(&self) {
        if self.gate.trouble.lasting().is_err() {
            // The connections end with the process, without copying the log into a damaged file.
            std::mem::forget((self.readers.clone(), self.gate.writer.clone()));
            self.gate.hold.release();
            return;
        }
        self.readers.close().await;
        // The last one out copies the log into the file. That may be somebody else, who may never do it.
        if let Ok(mut connection) = self.gate.writing().await {
            let _ = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_optional(&mut *connection).await;
        }
        self.gate.writer.close().await;
        self.gate.hold.release();
    }
}

/// Nanoseconds since 1970; what lies beyond the years 1677 to 2262 is held at their ends.
fn nanos(at: DateTime<Utc>) -> i64 {
    at.timestamp_nanos_opt().unwrap_or(if at < DateTime::UNIX_EPOCH { i64::MIN } else { i64::MAX })
}

fn instant(nanos: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(nanos)
}
