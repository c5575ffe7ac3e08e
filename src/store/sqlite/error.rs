//! What SQLite said, as a [`StoreError`] that tells the admin what to do.

use crate::store::StoreError;
use std::io::ErrorKind;
use std::path::Path;

// Primary result codes, https://www.sqlite.org/rescode.html
const PERM: i32 = 3;
const BUSY: i32 = 5;
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const NOTADB: i32 = 26;

/// SQLite's primary result code, when the error came from SQLite.
fn code(error: &sqlx::Error) -> Option<i32> {
    let sqlx::Error::Database(error) = error else { return None };
    error.code()?.parse::<i32>().ok().map(|extended| extended & 0xff)
}

/// Whether the file itself is damaged, and not just one of its rows.
pub(super) fn is_damage(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(CORRUPT | NOTADB))
}

/// An error while the store is in use.
pub(super) fn in_use(path: &Path, error: &sqlx::Error) -> StoreError {
    let reason = error.to_string();
    match (code(error), error) {
        (Some(FULL), _) => StoreError::Full(reason),
        (Some(READONLY | PERM), _) => StoreError::ReadOnly(reason),
        (Some(CORRUPT | NOTADB), _) => StoreError::Damaged { path: path.display().to_string(), reason },
        (Some(BUSY), _) => StoreError::Engine(format!("{reason}; another program keeps {} locked", path.display())),
        (_, sqlx::Error::PoolClosed) => closed(),
        _ => StoreError::Engine(reason),
    }
}

/// The store was closed.
pub(super) fn closed() -> StoreError {
    StoreError::Engine("the store is closed".to_owned())
}

/// An error while the store is being opened.
pub(super) fn at_open(path: &Path, error: &sqlx::Error) -> StoreError {
    match (code(error), error) {
        (Some(READONLY | PERM | CANTOPEN), _) => {
            open(path, error, "Make the data folder and the files in it writable by the user that runs Heliu")
        }
        (Some(BUSY), _) => {
            open(path, error, "Another program keeps it locked; is Heliu already running with this data folder?")
        }
        (Some(IOERR), _) => open(path, error, "The disk reports errors; check it, then start Heliu again"),
        (_, sqlx::Error::Io(error)) => folder(path, error),
        _ => in_use(path, error),
    }
}

/// The folder could not be made, or a file in it not be read.
pub(super) fn folder(path: &Path, error: &std::io::Error) -> StoreError {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => return StoreError::Full(error.to_string()),
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            "A file stands where the data folder should be; move it away or name another folder"
        }
        ErrorKind::IsADirectory => "A folder stands where the store's file should be; move it away",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "Make the data folder and the files in it writable by the user that runs Heliu"
        }
        _ => "Check that the path is right and its disk is mounted",
    };
    open(path, error, advice)
}

pub(super) fn open(path: &Path, reason: &(impl ToString + ?Sized), advice: &'static str) -> StoreError {
    StoreError::Open { path: path.display().to_string(), reason: reason.to_string(), advice }
}

pub(super) fn damaged(path: &Path, reason: impl Into<String>) -> StoreError {
    StoreError::Damaged { path: path.display().to_string(), reason: reason.into() }
}
