//! Recording a poll: a handful of statements in one transaction. Lists go in as one JSON array each, so that
//! the statements are few, constant and prepared once.

use super::{aside, attempt, instant, nanos};
use crate::model::{Entry, Key, KeyKind, Standing};
use crate::store::reconcile::{self, Decision, Known, Past, Roll, Sighting, Verdict, Write};
use crate::store::{Change, FetchState, Poll, Seen};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Writes everything that the poll brought. The caller commits, or drops all of it.
pub(super) async fn record(connection: &mut SqliteConnection, poll: &Poll) -> sqlx::Result<Change> {
    let state = json(&poll.state)?;
    let channel: i64 = sqlx::query_scalar(
        "INSERT INTO channel (name, live, poll) VALUES (?1, ?2, ?3) \
         ON CONFLICT (name) DO UPDATE SET live = excluded.live, poll = excluded.poll RETURNING number",
    )
    .bind(poll.channel.as_str())
    .bind(poll.state.live_since.is_some())
    .bind(state)
    .fetch_one(&mut *connection)
    .await?;
    let seq: i64 = sqlx::query_scalar("SELECT seq FROM ledger").fetch_one(&mut *connection).await?;
    let mut change = Change { seq: seq.cast_unsigned(), ..Change::default() };
    if let Some(seen) = &poll.seen {
        let sighting = Sighting { at: poll.at, standing: seen.standing, seq: change.seq };
        change = record_seen(connection, channel, seen, sighting).await?;
    }
    if change.seq != seq.cast_unsigned() {
        sqlx::query("UPDATE ledger SET seq = ?1").bind(change.seq.cast_signed()).execute(&mut *connection).await?;
    }
    let (held, title) = aside::held(connection, channel).await?;
    reconcile::remind(&mut change, held, &title);
    let settled = change.settle(&poll.state);
    if settled != poll.state {
        let query = sqlx::query("UPDATE channel SET poll = ?1 WHERE number = ?2").bind(json(&settled)?).bind(channel);
        query.execute(&mut *connection).await?;
    }
    attempt::write(connection, channel, &poll.state).await?;
    write_fetched(connection, &poll.fetched).await?;
    Ok(change)
}

async fn record_seen(
    connection: &mut SqliteConnection,
    channel: i64,
    seen: &Seen,
    sighting: Sighting,
) -> sqlx::Result<Change> {
    let mut groups = reconcile::intake(&seen.candidates);
    let keys: BTreeSet<&Key> = groups.iter().flat_map(|group| &group.keys).collect();
    let mut known = load(connection, channel, keys).await?;
    let mut assigned = reconcile::assign(&known, &mut groups, None);
    let mut verdict = Verdict::default();
    let strange = reconcile::looks_strange(&known, &groups, &assigned, seen);
    let instants = reconcile::instants(&groups, &assigned, seen);
    if strange || !instants.is_empty() {
        let past = Past {
            recent: if strange { recent(connection, channel).await? } else { Vec::new() },
            same_instant: same_instant(connection, channel, &instants).await?,
            held: aside::held(connection, channel).await?.0,
        };
        verdict = reconcile::reconsider(&past, &mut known, &mut groups, &mut assigned, seen, sighting);
    }
    verdict.flaws.extend(reconcile::changed_ids(&known, &groups, &assigned));
    let taken = taken_ids(connection, channel, &reconcile::wanted_ids(&groups, &assigned)).await?;
    let decision = reconcile::decide(&known, &groups, assigned, taken, verdict, sighting);
    for write in &decision.writes {
        write_entry(connection, channel, write).await?;
    }
    write_keys(connection, channel, &decision.writes).await?;
    aside::write(connection, channel, &decision).await?;
    withdraw(connection, channel, seen, decision, sighting).await
}

/// Notes what the source takes back, after its entries were written.
async fn withdraw(
    connection: &mut SqliteConnection,
    channel: i64,
    seen: &Seen,
    decision: Decision,
    sighting: Sighting,
) -> sqlx::Result<Change> {
    let Decision { present, mut change, .. } = decision;
    if seen.withdrawn.is_empty() && !seen.complete {
        return Ok(change);
    }
    let mut roll = Roll { named: named(connection, channel, &reconcile::names(seen)).await?, ..Roll::default() };
    if seen.complete || !roll.named.is_empty() {
        let shown = aside::shown(connection, channel).await?;
        roll.shown = shown.len() as u64;
        roll.absent = shown.into_iter().filter(|(number, _)| seen.complete && !present.contains(number)).collect();
    }
    let (gone, flaw) = reconcile::withdraw(&roll, seen, sighting.at);
    aside::withdraw(connection, channel, &gone).await?;
    change.flaws.extend(flaw);
    change.withdrawn.extend(gone.into_iter().map(|(_, id, _)| id));
    Ok(change)
}

/// The columns of [`known`], of `entry` and `aside`.
macro_rules! known {
    ($rest:literal) => {
        concat!(
            "SELECT entry.number, seq, first_seen, changed, standing, body, held, withdrawn, absent, \
             (SELECT json_group_array(json_array(kind, value)) FROM key WHERE key.entry = entry.number) AS keys \
             FROM entry LEFT JOIN aside ON aside.entry = entry.number ",
            $rest
        )
    };
}

/// Every entry of the channel that has one of these keys, with all its keys.
async fn load(connection: &mut SqliteConnection, channel: i64, keys: BTreeSet<&Key>) -> sqlx::Result<Vec<Known>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: Vec<(i64, &str)> = keys.into_iter().map(|key| (number_of(key.kind), key.value.as_str())).collect();
    let rows = sqlx::query(known!(
        "WHERE entry.number IN (SELECT key.entry FROM json_each(?2) AS wanted CROSS JOIN key \
         ON key.channel = ?1 AND key.kind = wanted.value ->> 0 AND key.value = wanted.value ->> 1) ORDER BY entry.number"
    ))
    .bind(channel)
    .bind(json(&wanted)?)
    .fetch_all(connection)
    .await?;
    rows.iter().map(known).collect()
}

/// The newest entries of the channel.
async fn recent(connection: &mut SqliteConnection, channel: i64) -> sqlx::Result<Vec<Known>> {
    let rows = sqlx::query(known!("WHERE entry.channel = ?1 ORDER BY published DESC, entry.number DESC LIMIT ?2"))
        .bind(channel)
        .bind(i64::try_from(reconcile::MEMORY).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    rows.iter().map(known).collect()
}

/// The entries of the channel that were published at one of these instants: lookups in the clustered key.
async fn same_instant(connection: &mut SqliteConnection, channel: i64, at: &[i64]) -> sqlx::Result<Vec<Known>> {
    if at.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(known!(
        "WHERE entry.channel = ?1 AND published IN (SELECT value FROM json_each(?2)) \
         ORDER BY published DESC, entry.number DESC LIMIT ?3"
    ))
    .bind(channel)
    .bind(json(at)?)
    .bind(i64::try_from(reconcile::MEMORY).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(known).collect()
}

/// The entries of the channel that have one of these ids, from the source or as published.
async fn named(connection: &mut SqliteConnection, channel: i64, ids: &[String]) -> sqlx::Result<Vec<Known>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(known!(
        "WHERE entry.number IN (SELECT key.entry FROM json_each(?2) AS wanted CROSS JOIN key \
         ON key.channel = ?1 AND key.kind = 0 AND key.value = wanted.value \
         UNION SELECT other.number FROM json_each(?2) AS wanted CROSS JOIN entry AS other INDEXED BY entry_id \
         ON other.channel = ?1 AND other.id = wanted.value) ORDER BY entry.number"
    ))
    .bind(channel)
    .bind(json(ids)?)
    .fetch_all(connection)
    .await?;
    rows.iter().map(known).collect()
}

fn known(row: &SqliteRow) -> sqlx::Result<Known> {
    let keys: Vec<(i64, String)> = from_json(row.try_get("keys")?)?;
    let kept = keys.into_iter().map(|(kind, value)| Key { kind: kind_of(kind), value });
    Ok(Known {
        number: row.try_get::<i64, _>("number")?.cast_unsigned(),
        seq: row.try_get::<i64, _>("seq")?.cast_unsigned(),
        first_seen: instant(row.try_get("first_seen")?),
        changed: instant(row.try_get("changed")?),
        standing: standing_of(row.try_get("standing")?),
        held: row.try_get::<Option<i64>, _>("held")? == Some(1),
        gone: aside::gone(row)?,
        keys: kept.collect(),
        entry: entry(row)?,
    })
}

/// The entry in the column `body`.
pub(super) fn entry(row: &SqliteRow) -> sqlx::Result<Entry> {
    from_json(row.try_get("body")?)
}

async fn taken_ids(connection: &mut SqliteConnection, channel: i64, ids: &[String]) -> sqlx::Result<HashSet<String>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let taken: Vec<String> = sqlx::query_scalar(
        "SELECT entry.id FROM json_each(?2) AS wanted CROSS JOIN entry INDEXED BY entry_id \
         ON entry.channel = ?1 AND entry.id = wanted.value",
    )
    .bind(channel)
    .bind(json(ids)?)
    .fetch_all(connection)
    .await?;
    Ok(taken.into_iter().collect())
}

async fn write_entry(connection: &mut SqliteConnection, channel: i64, write: &Write) -> sqlx::Result<()> {
    let sql = if write.new {
        "INSERT INTO entry (channel, number, published, seq, changed, standing, body, id, first_seen) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    } else {
        "UPDATE entry SET published = ?3, seq = ?4, changed = ?5, standing = ?6, body = ?7 \
         WHERE channel = ?1 AND number = ?2"
    };
    let row = &write.known;
    let query = sqlx::query(sql)
        .bind(channel)
        .bind(row.number.cast_signed())
        .bind(row.entry.published.at.timestamp_millis())
        .bind(row.seq.cast_signed())
        .bind(nanos(row.changed))
        .bind(i64::from(row.standing == Standing::Snapshot))
        .bind(json(&row.entry)?);
    let query = if write.new { query.bind(&row.entry.id.0).bind(nanos(row.first_seen)) } else { query };
    query.execute(connection).await.map(drop)
}

async fn write_keys(connection: &mut SqliteConnection, channel: i64, writes: &[Write]) -> sqlx::Result<()> {
    let keys = |write: &Write| {
        let entry = write.known.number;
        let key = |key: &Key| (number_of(key.kind), key.value.clone(), entry);
        write.new_keys.iter().map(key).collect::<Vec<_>>()
    };
    let keys: Vec<_> = writes.iter().flat_map(keys).collect();
    if keys.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO key (channel, kind, value, entry) \
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?2)",
    )
    .bind(channel)
    .bind(json(&keys)?)
    .execute(connection)
    .await
    .map(drop)
}

async fn write_fetched(connection: &mut SqliteConnection, fetched: &BTreeMap<String, FetchState>) -> sqlx::Result<()> {
    for (url, state) in fetched {
        sqlx::query(
            "INSERT INTO fetch_state (url, state) VALUES (?1, ?2) \
             ON CONFLICT (url) DO UPDATE SET state = excluded.state WHERE state <> excluded.state",
        )
        .bind(url)
        .bind(json(state)?)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

pub(super) fn number_of(kind: KeyKind) -> i64 {
    match kind {
        KeyKind::Guid => 0,
        KeyKind::Link => 1,
        KeyKind::TitleDay => 2,
    }
}

fn kind_of(number: i64) -> KeyKind {
    match number {
        0 => KeyKind::Guid,
        1 => KeyKind::Link,
        _ => KeyKind::TitleDay,
    }
}

pub(super) fn standing_of(number: i64) -> Standing {
    if number == 0 { Standing::Live } else { Standing::Snapshot }
}
