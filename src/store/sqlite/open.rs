//! Opening the file: every way in which it can be unusable gets its own answer, and none of them harms the file.

use super::folder::Hold;
use super::gate::Gate;
use super::trouble::Trouble;
use super::writer::Recorder;
use super::{SqliteStore, error, migrate, restore};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, SqliteConnection};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The file in the data folder.
pub(super) const FILE: &str = "heliu.db";
/// Up to this size the whole file is checked when it is opened (some hundred milliseconds); beyond it only
/// the header and the schema are, and `SqliteStore::verify` does the rest when asked.
const CHECKED_AT_OPEN: u64 = 64 << 20;
/// How long a write waits for another process before it fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

pub(super) async fn open(folder: &Path, now: DateTime<Utc>) -> Result<SqliteStore, StoreError> {
    // Absolute, because SQLite would read a relative path that begins with `file:` as a URI.
    let folder = std::path::absolute(folder).map_err(|e| error::folder(folder, &e))?;
    let path = folder.join(FILE);
    let (hold, size) = prepare(folder, path.clone()).await?;

    let options = SqliteConnectOptions::new()
        .filename(&path)
        .busy_timeout(PATIENCE)
        .foreign_keys(true)
        .pragma("cache_size", "-8000");
    let writing = options
        .clone()
        .create_if_missing(true)
        .page_size(8192)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // After a burst the log is cut back to this, so that it does not stay as large as it ever was.
        .pragma("journal_size_limit", "16777216");
    let writer = pool(1).connect_lazy_with(writing);
    let readers = pool(READERS).connect_lazy_with(options.pragma("query_only", "1"));
    let gate = Arc::new(Gate { path, hold, trouble: Trouble::default(), writer });
    let recorder = Recorder::start(&gate);
    let store = SqliteStore { gate, recorder, readers };

    match make_ready(&store, size, now).await {
        Ok(()) => {
            store.gate.hold.remember(&store.gate.path);
            Ok(store)
        }
        Err(error) => {
            store.readers.close().await;
            store.gate.writer.close().await;
            Err(error)
        }
    }
}

pub(super) fn pool(size: u32) -> PoolOptions<sqlx::Sqlite> {
    PoolOptions::new().max_connections(size).test_before_acquire(false).idle_timeout(None).max_lifetime(None)
}

/// Makes and locks the folder and looks at the file before SQLite does; returns the file's size.
async fn prepare(folder: PathBuf, path: PathBuf) -> Result<(Hold, u64), StoreError> {
    let work = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&folder).map_err(|e| error::folder(&folder, &e))?;
        let hold = Hold::take(&folder)?;
        if let Some(kept) = restore::finish(&folder, &hold)? {
            tracing::warn!(before = %kept.display(), "finished a restore that had been interrupted");
        }
        let size = match std::fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => Err(error::folder(&path, &ErrorKind::IsADirectory.into())),
            Ok(meta) => is_whole(&path, meta.len()).map(|()| meta.len()),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(0),
            Err(e) => Err(error::folder(&path, &e)),
        };
        size.map(|size| (hold, size))
    });
    work.await.map_err(|e| StoreError::Engine(e.to_string()))?
}

/// SQLite reads a last page that was cut off as if zeros followed. Without a log beside it, which could hold
/// that page, such a file has lost something.
pub(super) fn is_whole(path: &Path, size: u64) -> Result<(), StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        return Ok(());
    }
    let mut header = [0; 18];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(()), // SQLite says what it thinks of it
        Err(e) => return Err(error::folder(path, &e)),
        Ok(()) => {}
    }
    // https://www.sqlite.org/fileformat2.html#the_database_header: bytes 16 and 17 hold the page size, 1 for 65536.
    let page = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65536,
        size => size,
    };
    if header.starts_with(b"SQLite format 3\0") && page > 0 && !size.is_multiple_of(page) {
        return Err(error::damaged(path, format!("it ends inside a page of {page} bytes")));
    }
    Ok(())
}

async fn make_ready(store: &SqliteStore, size: u64, now: DateTime<Utc>) -> Result<(), StoreError> {
    let path = &store.gate.path;
    let mut connection = store.gate.writer.acquire().await.map_err(|e| error::at_open(path, &e))?;
    if (1..CHECKED_AT_OPEN).contains(&size) {
        check(&mut connection, path, "quick_check").await?;
    }
    migrate::migrate(&mut connection, path, migrate::STEPS, now).await?;
    migrate::complete(&mut connection, path).await?;
    rewrite(&mut connection).await.map_err(|e| error::at_open(path, &e))?;
    let seq: Option<i64> = sqlx::query_scalar("SELECT seq FROM ledger")
        .fetch_optional(&store.readers)
        .await
        .map_err(|e| error::at_open(path, &e))?;
    let seq = seq.ok_or_else(|| error::damaged(path, "its table ledger is empty"))?.cast_unsigned();
    if size == 0 {
        store.gate.hold.forget();
    }
    match store.gate.hold.noted() {
        Some(noted) if noted > seq => Err(error::damaged(path, lost(seq, noted))),
        _ => Ok(()),
    }
}

/// What was recorded last is gone although SQLite finds nothing wrong: it was in the log.
fn lost(seq: u64, noted: u64) -> String {
    format!(
        "it ends at number {seq}, but {noted} numbers were given out; the write-ahead log heliu.db-wal beside it was \
         deleted or is damaged, or an older file was put in its place. To go on without what is lost, delete heliu.lock"
    )
}

/// Asks SQLite to check the file; `what` is `quick_check` or `integrity_check`.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    path: &Path,
    what: &'static str,
) -> Result<(), StoreError> {
    let pragma = AssertSqlSafe(format!("PRAGMA {what}(1)"));
    let found: String = sqlx::query_scalar(pragma).fetch_one(connection).await.map_err(|e| error::at_open(path, &e))?;
    if found == "ok" { Ok(()) } else { Err(error::damaged(path, found)) }
}

/// SQLite opens a file that may not be written without a word; a write that changes nothing tells. An UPDATE would not
/// do: rows that stay the same are not written.
pub(super) async fn rewrite(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    let same = AssertSqlSafe(format!("PRAGMA user_version = {version}"));
    sqlx::raw_sql(same).execute(connection).await.map(drop)
}
