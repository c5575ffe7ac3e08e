//! The data folder while Heliu runs: one Heliu at a time, and the file that was opened is the one that stands there.

use super::error;
use crate::store::StoreError;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The file that is locked, beside the ledger: SQLite's own locks are taken anew for every transaction.
const LOCK: &str = "heliu.lock";

/// The lock on a data folder, and which file was opened in it.
#[derive(Debug)]
pub(super) struct Hold {
    /// Locked for as long as it is open; the system lets go of it also when the process dies.
    lock: Mutex<Option<File>>,
    identity: Mutex<Option<Identity>>,
}

impl Hold {
    /// Locks the folder, which must exist. A file system that knows no locks is used without one.
    pub(super) fn take(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(LOCK);
        // Not truncated and never written: it holds nothing.
        let opened = OpenOptions::new().create(true).write(true).truncate(false).open(&path);
        let file = opened.map_err(|e| error::folder(&path, &e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { folder: folder.display().to_string() }),
            Err(TryLockError::Error(error)) => {
                tracing::warn!(path = %path.display(), %error, "the data folder cannot be locked; take care that no second Heliu uses it");
            }
        }
        Ok(Self { lock: Mutex::new(Some(file)), identity: Mutex::new(None) })
    }

    /// Remembers the file as it stands there now.
    pub(super) fn remember(&self, path: &Path) {
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) =
            std::fs::metadata(path).ok().map(|meta| Identity::of(&meta));
    }

    /// Fails when the file was deleted or another one stands in its place: what is written goes into a file that
    /// nobody will ever find again.
    pub(super) async fn check(&self, path: &Path) -> Result<(), StoreError> {
        let found = tokio::fs::metadata(path).await;
        let known = *self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        let what = match (&found, known) {
            (Err(e), _) if e.kind() == std::io::ErrorKind::NotFound => "was deleted",
            (Err(_), Some(_)) => "cannot be found any more",
            (Ok(meta), Some(known)) if Identity::of(meta) != known => "was replaced by another file",
            _ => return Ok(()),
        };
        Err(StoreError::Gone { path: path.display().to_string(), what })
    }

    /// Lets go of the folder.
    pub(super) fn release(&self) {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// What tells one file from another under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    #[cfg(unix)]
    place: (u64, u64),
    #[cfg(not(unix))]
    created: Option<std::time::SystemTime>,
}

impl Identity {
    #[cfg(unix)]
    fn of(meta: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { place: (meta.dev(), meta.ino()) }
    }

    #[cfg(not(unix))]
    fn of(meta: &Metadata) -> Self {
        Self { created: meta.created().ok() }
    }
}
