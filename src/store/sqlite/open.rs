//! Opening the file: every way in which it can be unusable gets its own answer, and none of them harms the file.

use super::folder::Hold;
use super::writer::Recorder;
use super::{SqliteStore, error, migrate};
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
const FILE: &str = "heliu.db";
/// Up to this size the whole file is checked when it is opened (some hundred milliseconds); beyond it only
/// the header and the schema are, and `SqliteStore::verify` does the rest when asked.
const CHECKED_AT_OPEN: u64 = 64 << 20;
/// How long a write waits for another process before it fails.
const PATIENCE: Duration = Duration::from_secs(5);
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
    let hold = Arc::new(hold);
    let recorder = Recorder::start(writer.clone(), path.clone(), &hold);
    let store = SqliteStore { path, hold, recorder, writer, readers };

    match make_ready(&store, size, now).await {
        Ok(()) => {
            store.hold.remember(&store.path);
            Ok(store)
        }
        Err(error) => {
            store.readers.close().await;
            store.writer.close().await;
            Err(error)
        }
    }
}

fn pool(size: u32) -> PoolOptions<sqlx::Sqlite> {
    PoolOptions::new().max_connections(size).test_before_acquire(false).idle_timeout(None).max_lifetime(None)
}

/// Makes and locks the folder and looks at the file before SQLite does; returns the file's size.
async fn prepare(folder: PathBuf, path: PathBuf) -> Result<(Hold, u64), StoreError> {
    let work = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&folder).map_err(|e| error::folder(&folder, &e))?;
        let hold = Hold::take(&folder)?;
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
fn is_whole(path: &Path, size: u64) -> Result<(), StoreError> {
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
    let path = &store.path;
    let mut connection = store.writer.acquire().await.map_err(|e| error::at_open(path, &e))?;
    if (1..CHECKED_AT_OPEN).contains(&size) {
        check(&mut connection, path, "quick_check").await?;
    }
    migrate::migrate(&mut connection, path, migrate::STEPS, now).await?;
    can_write(&mut connection).await.map_err(|e| error::at_open(path, &e))?;
    let read = sqlx::query("SELECT seq FROM ledger").fetch_one(&store.readers).await;
    read.map(drop).map_err(|e| error::at_open(path, &e))
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

/// SQLite opens a file that may not be written without a word; a write that changes nothing tells.
async fn can_write(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("UPDATE ledger SET seq = seq").execute(connection).await.map(drop)
}
