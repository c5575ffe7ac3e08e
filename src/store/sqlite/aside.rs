//! What is held back and what was withdrawn: the table `aside`.

use super::record::{from_json, json};
use super::{instant, nanos};
use crate::model::{EntryId, FlawCode, Tombstone};
use crate::store::PollState;
use crate::store::reconcile::{Decision, Gone};
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// How the entry of a row that was joined with `aside` was withdrawn.
pub(super) fn gone(row: &SqliteRow) -> sqlx::Result<Option<Gone>> {
    let at: Option<i64> = row.try_get("withdrawn")?;
    let absent: Option<i64> = row.try_get("absent")?;
    Ok(at.map(|at| Gone { at: instant(at), absent: absent == Some(1) }))
}

/// Notes which of the new rows are held back, and which rows are withdrawn no more.
pub(super) async fn write(connection: &mut SqliteConnection, channel: i64, decision: &Decision) -> sqlx::Result<()> {
    let held = decision.writes.iter().filter(|write| write.new && write.known.held);
    let held: Vec<u64> = held.map(|write| write.known.number).collect();
    if !held.is_empty() {
        sqlx::query("INSERT INTO aside (entry, channel, held) SELECT value, ?1, 1 FROM json_each(?2)")
            .bind(channel)
            .bind(json(&held)?)
            .execute(&mut *connection)
            .await?;
    }
    if !decision.returned.is_empty() {
        let numbers = json(&decision.returned)?;
        for sql in [
            "UPDATE aside SET withdrawn = NULL, absent = 0 WHERE entry IN (SELECT value FROM json_each(?1))",
            "DELETE FROM aside WHERE held = 0 AND withdrawn IS NULL AND entry IN (SELECT value FROM json_each(?1))",
        ] {
            sqlx::query(sql).bind(&numbers).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Notes that entries were withdrawn.
pub(super) async fn withdraw(
    connection: &mut SqliteConnection,
    channel: i64,
    gone: &[(u64, EntryId, Gone)],
) -> sqlx::Result<()> {
    for (number, _, gone) in gone {
        sqlx::query(
            "INSERT INTO aside (entry, channel, withdrawn, absent) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (entry) DO UPDATE SET withdrawn = excluded.withdrawn, absent = excluded.absent",
        )
        .bind(number.cast_signed())
        .bind(channel)
        .bind(nanos(gone.at))
        .bind(i64::from(gone.absent))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// How many entries of the channel are held back, and the title of the last of them.
pub(super) async fn held(connection: &mut SqliteConnection, channel: i64) -> sqlx::Result<(u64, String)> {
    let (count, last): (i64, Option<i64>) =
        sqlx::query_as("SELECT count(*), max(entry) FROM aside WHERE channel = ?1 AND held = 1")
            .bind(channel)
            .fetch_one(&mut *connection)
            .await?;
    let Some(last) = last else { return Ok((0, String::new())) };
    let title: Option<String> = sqlx::query_scalar("SELECT body ->> 'title' FROM entry WHERE number = ?1")
        .bind(last)
        .fetch_optional(connection)
        .await?;
    Ok((count.cast_unsigned(), title.unwrap_or_default()))
}

/// Number and id of every entry that is shown.
pub(super) async fn shown(connection: &mut SqliteConnection, channel: i64) -> sqlx::Result<Vec<(u64, EntryId)>> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT e.number, e.id FROM entry AS e LEFT JOIN aside AS a ON a.entry = e.number \
         WHERE e.channel = ?1 AND e.standing = 0 AND (a.entry IS NULL OR a.held = 0 AND a.withdrawn IS NULL)",
    )
    .bind(channel)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(number, id)| (number.cast_unsigned(), EntryId(id))).collect())
}

/// The tombstones of a channel, latest first.
pub(super) const TOMBSTONES: &str = "SELECT e.id, a.withdrawn FROM channel AS c \
    CROSS JOIN aside AS a ON a.channel = c.number CROSS JOIN entry AS e ON e.number = a.entry \
    WHERE c.name = ?1 AND a.withdrawn IS NOT NULL AND a.held = 0 AND (e.standing = 0 OR c.live = 0) \
    ORDER BY a.withdrawn DESC, a.entry DESC LIMIT ?2";

/// A row of [`TOMBSTONES`].
pub(super) fn tombstone(row: &SqliteRow) -> sqlx::Result<Tombstone> {
    Ok(Tombstone { id: EntryId(row.try_get("id")?), when: instant(row.try_get("withdrawn")?) })
}

/// Lets go of everything that is held back. Each entry counts as changed now, so that documents and pollers notice.
pub(super) async fn release(connection: &mut SqliteConnection, channel: &str, at: DateTime<Utc>) -> sqlx::Result<u64> {
    let found: Option<(i64, String)> = sqlx::query_as("SELECT number, poll FROM channel WHERE name = ?1")
        .bind(channel)
        .fetch_optional(&mut *connection)
        .await?;
    let Some((channel, state)) = found else { return Ok(0) };
    let held: Vec<i64> = sqlx::query_scalar("SELECT entry FROM aside WHERE channel = ?1 AND held = 1 ORDER BY entry")
        .bind(channel)
        .fetch_all(&mut *connection)
        .await?;
    if held.is_empty() {
        return Ok(0);
    }
    let mut seq: i64 = sqlx::query_scalar("SELECT seq FROM ledger").fetch_one(&mut *connection).await?;
    for number in &held {
        seq += 1;
        sqlx::query("UPDATE entry SET seq = ?1, changed = ?2 WHERE number = ?3")
            .bind(seq)
            .bind(nanos(at))
            .bind(number)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("UPDATE ledger SET seq = ?1").bind(seq).execute(&mut *connection).await?;
    for sql in [
        "DELETE FROM aside WHERE channel = ?1 AND held = 1 AND withdrawn IS NULL",
        "UPDATE aside SET held = 0 WHERE channel = ?1 AND held = 1",
    ] {
        sqlx::query(sql).bind(channel).execute(&mut *connection).await?;
    }
    // A state that cannot be read here is told of where it is read.
    if let Ok(mut state) = from_json::<PollState>(&state) {
        state.flaws.retain(|flaw| flaw.code != FlawCode::Quarantined);
        let query = sqlx::query("UPDATE channel SET poll = ?1 WHERE number = ?2").bind(json(&state)?).bind(channel);
        query.execute(&mut *connection).await?;
    }
    Ok(held.len() as u64)
}
