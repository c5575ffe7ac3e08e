//! The last attempts to poll each channel: a ring of rows, of which a poll writes one.

use super::{instant, nanos};
use crate::store::{ATTEMPTS_KEPT, Attempt, PollState};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// The attempts of a channel, newest first: one range of the clustered table.
pub(super) const ATTEMPTS: &str = "SELECT at, url, status, millis, changed, error FROM attempt \
    WHERE channel = (SELECT number FROM channel WHERE name = ?1) ORDER BY number DESC";

/// Writes the last attempt in the place of the one that is too old.
pub(super) async fn write(connection: &mut SqliteConnection, channel: i64, state: &PollState) -> sqlx::Result<()> {
    let Some(attempt) = &state.last_attempt else { return Ok(()) };
    sqlx::query(
        "INSERT OR REPLACE INTO attempt (channel, slot, number, at, url, status, millis, changed, error) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(channel)
    .bind((state.tries % ATTEMPTS_KEPT as u64).cast_signed())
    .bind(state.tries.cast_signed())
    .bind(nanos(attempt.at))
    .bind(&attempt.url)
    .bind(attempt.status.map(i64::from))
    .bind(attempt.millis.cast_signed())
    .bind(i64::from(attempt.changed))
    .bind(&attempt.error)
    .execute(connection)
    .await
    .map(drop)
}

/// The attempt in a row of [`ATTEMPTS`].
pub(super) fn attempt(row: &SqliteRow) -> sqlx::Result<Attempt> {
    let status: Option<i64> = row.try_get("status")?;
    Ok(Attempt {
        at: instant(row.try_get("at")?),
        url: row.try_get("url")?,
        status: status.and_then(|status| u16::try_from(status).ok()),
        millis: row.try_get::<i64, _>("millis")?.cast_unsigned(),
        changed: u32::try_from(row.try_get::<i64, _>("changed")?).unwrap_or(u32::MAX),
        error: row.try_get("error")?,
    })
}
