//! Brings the schema of an older store up to date. The version stands in the file's header (`user_version`)
//! and is written in the same transaction as the change: a step is done wholly or not at all.

use super::error;
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use sqlx::{Connection, SqliteConnection};
use std::path::Path;

/// One step for each version, the first for version 1. A step that was released is never edited.
pub(super) const STEPS: &[&str] = &[
    include_str!("../migrations/0001_ledger.sql"),
    include_str!("../migrations/0002_aside.sql"),
    include_str!("../migrations/0003_attempt.sql"),
];

/// "Heli", as the first step writes it.
const APPLICATION: i64 = 0x4865_6c69;

/// Brings the store up to `steps.len()`. Refuses a store of a newer Heliu and the database of another program.
pub(super) async fn migrate(
    connection: &mut SqliteConnection,
    path: &Path,
    steps: &'static [&'static str],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    loop {
        let mut step = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|e| error::at_open(path, &e))?;
        let found = version(&mut step).await.map_err(|e| error::at_open(path, &e))?;
        let foreign = is_foreign(&mut step, found).await.map_err(|e| error::at_open(path, &e))?;
        if foreign {
            let advice = "It is the database of another program; move it away or name another data folder";
            return Err(error::open(path, "not a ledger", advice));
        }
        if found > known {
            return Err(StoreError::TooNew { path: path.display().to_string(), found, known });
        }
        let Some(sql) = usize::try_from(found).ok().and_then(|done| steps.get(done)) else { return Ok(()) };
        apply(&mut step, sql, found + 1, now).await.map_err(|e| error::at_open(path, &e))?;
        step.commit().await.map_err(|e| error::at_open(path, &e))?;
        tracing::info!(path = %path.display(), version = found + 1, "the store's schema was brought up to date");
    }
}

async fn version(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await
}

async fn is_foreign(connection: &mut SqliteConnection, version: i64) -> sqlx::Result<bool> {
    let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
    if version == 0 {
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(connection).await?;
        return Ok(tables > 0 || application != 0);
    }
    Ok(application != APPLICATION)
}

async fn apply(
    connection: &mut SqliteConnection,
    sql: &'static str,
    version: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::raw_sql(sql).execute(&mut *connection).await?;
    if version == 1 {
        sqlx::query("INSERT INTO ledger (one, created, seq) VALUES (1, ?1, 0)")
            .bind(super::nanos(now))
            .execute(&mut *connection)
            .await?;
    }
    // A pragma takes no parameters; the version is a number of ours.
    let set = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {version}"));
    sqlx::raw_sql(set).execute(connection).await?;
    Ok(())
}
