//! What backup and restore share: opening a ledger that is not ours to change, looking whether it is whole, and files
//! that are there wholly or not at all.

use super::{error, instant, migrate, open};
use crate::store::{Holdings, StoreError};
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Connection as _, SqliteConnection};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// A path with something behind its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Work on files, on a thread that may wait.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| StoreError::Engine(e.to_string()))?
}

/// Something that went wrong with a file of a backup.
pub(super) fn unusable(path: &Path, reason: impl ToString, advice: &'static str) -> StoreError {
    StoreError::Backup { path: path.display().to_string(), reason: reason.to_string(), advice }
}

/// The same for an error of the system.
pub(super) fn io_error(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full(error.to_string()),
        io::ErrorKind::NotFound => unusable(path, error, "Check the path; the folder must exist"),
        _ => unusable(path, error, "Check the path, its permissions and its disk"),
    }
}

/// A ledger that is only read; it may be in use by a running Heliu.
pub(super) async fn read_only(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(open::PATIENCE);
    SqliteConnection::connect_with(&options).await.map_err(|e| error::at_open(path, &e))
}

/// Puts what stands in the log of a copy into the copy, which is then one file.
pub(super) async fn fold(path: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(path).journal_mode(SqliteJournalMode::Delete);
    let connection = SqliteConnection::connect_with(&options).await.map_err(|e| error::at_open(path, &e))?;
    connection.close().await.map_err(|e| error::at_open(path, &e))
}

/// What a ledger holds, as far as counting tells. Refuses what is no ledger and what a newer Heliu wrote.
pub(super) async fn holdings(connection: &mut SqliteConnection, path: &Path) -> Result<Holdings, StoreError> {
    let version = migrate::recognised(connection, path).await?;
    let counted: Result<(i64, i64, i64, i64, Option<i64>), _> = sqlx::query_as(
        "SELECT seq, created, (SELECT count(*) FROM channel), (SELECT count(*) FROM entry), \
         (SELECT first_seen FROM entry WHERE number = (SELECT max(number) FROM entry)) FROM ledger",
    )
    .fetch_one(connection)
    .await;
    let (seq, created, channels, entries, newest) = counted.map_err(|e| match error::in_use(path, &e) {
        StoreError::Engine(reason) => error::damaged(path, reason),
        other => other,
    })?;
    Ok(Holdings {
        channels: channels.cast_unsigned(),
        entries: entries.cast_unsigned(),
        seq: seq.cast_unsigned(),
        newest: newest.map(instant),
        created: instant(created),
        version,
        bytes: 0,
        sha256: String::new(),
    })
}

/// Checks all of a ledger that nobody uses: its pages and indexes, its tables, what stands in its rows.
pub(super) async fn whole(path: &Path) -> Result<Holdings, StoreError> {
    let mut connection = read_only(path).await?;
    open::check(&mut connection, path, "integrity_check").await?;
    let held = holdings(&mut connection, path).await?;
    migrate::complete(&mut connection, path).await?;
    // Pages have no checksums: this finds what flipped bits made unreadable.
    for (what, sql) in [
        ("an entry", "SELECT count(*) FROM entry WHERE NOT json_valid(body)"),
        ("a channel's state", "SELECT count(*) FROM channel WHERE NOT json_valid(poll)"),
        ("an address's state", "SELECT count(*) FROM fetch_state WHERE NOT json_valid(state)"),
        ("an entry's number", "SELECT count(*) FROM ledger WHERE seq < (SELECT max(number) FROM entry)"),
        ("a key", "SELECT count(*) FROM key WHERE entry NOT IN (SELECT number FROM entry)"),
    ] {
        let wrong: i64 =
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.map_err(|e| error::in_use(path, &e))?;
        if wrong > 0 {
            return Err(error::damaged(path, format!("{what} cannot be read or is not where it belongs ({wrong}×)")));
        }
    }
    connection.close().await.map_err(|e| error::at_open(path, &e))?;
    Ok(held)
}

/// The SHA-256 of a file in hexadecimal digits, and its size.
pub(super) fn sha256(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        size += read as u64;
    }
    let hex = hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}"); // writing to a String cannot fail
        hex
    });
    Ok((hex, size))
}

/// Makes what was written, created or renamed in a folder last.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Only Unix opens folders; elsewhere renaming is as lasting as it gets.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
