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
    loop {
        let mut step = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|e| error::at_open(path, &e))?;
        let found = ours(&mut step, path, steps.len()).await?;
        let Some(sql) = usize::try_from(found).ok().and_then(|done| steps.get(done)) else { return Ok(()) };
        apply(&mut step, sql, found + 1, now).await.map_err(|e| error::at_open(path, &e))?;
        step.commit().await.map_err(|e| error::at_open(path, &e))?;
        tracing::info!(path = %path.display(), version = found + 1, "the store's schema was brought up to date");
    }
}

/// The version of a ledger that is up to `known`, 0 for an empty file.
async fn ours(connection: &mut SqliteConnection, path: &Path, known: usize) -> Result<i64, StoreError> {
    let known = i64::try_from(known).unwrap_or(i64::MAX);
    let found = version(connection).await.map_err(|e| error::at_open(path, &e))?;
    if is_foreign(connection, found).await.map_err(|e| error::at_open(path, &e))? {
        let advice = "It is the database of another program; move it away or name another data folder";
        return Err(error::open(path, "not a ledger", advice));
    }
    if found > known {
        return Err(StoreError::TooNew { path: path.display().to_string(), found, known });
    }
    Ok(found)
}

/// The version of a ledger; refuses that of a newer Heliu, an empty file and the database of another program.
pub(super) async fn recognised(connection: &mut SqliteConnection, path: &Path) -> Result<i64, StoreError> {
    match ours(connection, path, STEPS.len()).await? {
        0 => Err(error::open(path, "it is empty", "There is no ledger in it; check the path")),
        version => Ok(version),
    }
}

/// Every table with its columns, and every index.
const SCHEMA: &str = "SELECT s.type || ' ' || s.name || ' ' || \
    coalesce((SELECT group_concat(name) FROM pragma_table_info(s.name) WHERE s.type = 'table'), '') \
    FROM sqlite_schema AS s WHERE s.name NOT LIKE 'sqlite_%'";

/// Checks that everything is there that the ledger's version has; more does no harm.
pub(super) async fn complete(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let wrong = |e: sqlx::Error| error::in_use(path, &e);
    let found = version(connection).await.map_err(wrong)?;
    let there: Vec<String> = sqlx::query_scalar(SCHEMA).fetch_all(connection).await.map_err(wrong)?;
    let mut sample = SqliteConnection::connect("sqlite::memory:").await.map_err(wrong)?;
    for sql in STEPS.iter().take(usize::try_from(found).unwrap_or(0)) {
        sqlx::raw_sql(*sql).execute(&mut sample).await.map_err(wrong)?;
    }
    let wanted: Vec<String> = sqlx::query_scalar(SCHEMA).fetch_all(&mut sample).await.map_err(wrong)?;
    sample.close().await.map_err(wrong)?;
    match wanted.iter().find(|one| !there.contains(one)) {
        Some(missing) => Err(error::damaged(path, format!("its schema lacks: {}", missing.trim_end()))),
        None => Ok(()),
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
