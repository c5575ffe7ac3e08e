//! The data folder while Heliu runs: one Heliu at a time, and the file that was opened is the one that stands there.

use super::error;
use crate::store::StoreError;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// The file that is locked, beside the ledger: SQLite's own locks are taken anew for every transaction. It holds the last
/// sequence number that was recorded, so that a log which was taken away is noticed.
const LOCK: &str = "heliu.lock";

/// The lock on a data folder, and which file was opened in it. By default on none.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// Locked for as long as it is open; the system lets go of it also when the process dies.
    lock: Mutex<Option<File>>,
    identity: Mutex<Option<Identity>>,
    /// The last number that was noted here; 0 for none.
    seq: AtomicU64,
}

impl Hold {
    /// Locks the folder, which must exist. A file system that knows no locks is used without one.
    pub(super) fn take(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(LOCK);
        let opened = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(&path);
        let mut file = opened.map_err(|e| error::folder(&path, &e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { folder: folder.display().to_string() }),
            Err(TryLockError::Error(error)) => {
                tracing::warn!(path = %path.display(), %error, "the data folder cannot be locked; take care that no second Heliu uses it");
            }
        }
        // What cannot be read (a power cut may have torn it) says nothing.
        let mut text = String::new();
        let _ = file.read_to_string(&mut text);
        let seq = text.trim().parse().unwrap_or(0).into();
        Ok(Self { lock: Mutex::new(Some(file)), identity: Mutex::new(None), seq })
    }

    /// The last number that was noted here, also by a Heliu before this one.
    pub(super) fn noted(&self) -> Option<u64> {
        Some(self.seq.load(Relaxed)).filter(|seq| *seq > 0)
    }

    /// Notes the last number that was recorded for good. Not synced: it never says more than the ledger itself.
    pub(super) fn note(&self, seq: u64) {
        if self.seq.fetch_max(seq, Relaxed) < seq {
            self.write(&format!("{seq:020}\n"));
        }
    }

    /// Notes that the ledger is another one.
    pub(super) fn forget(&self) {
        self.seq.store(0, Relaxed);
        self.write(&format!("{:020}\n", 0));
    }

    /// Failing to is no trouble: the file then says less than it could.
    fn write(&self, text: &str) {
        if let Some(file) = self.lock.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            let _ = file.rewind().and_then(|()| file.write_all(text.as_bytes()));
        }
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

    /// Lets go of the folder. Closing the file would not be enough: a process that is being started holds a copy of it
    /// for a moment.
    pub(super) fn release(&self) {
        if let Some(file) = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = file.unlock();
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.release();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_free_at_once_although_a_process_that_is_being_started_has_a_copy_of_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let take = || Hold::take(folder.path());
        let copy_of = |hold: &Hold| hold.lock.lock().unwrap().as_ref().unwrap().try_clone().unwrap();
        let first = take().unwrap();
        let copy = copy_of(&first);
        assert!(matches!(take(), Err(StoreError::InUse { .. })));
        first.release();
        let second = take().unwrap();
        let another = copy_of(&second);
        drop(second);
        assert!(take().is_ok());
        drop((copy, another));
    }
}
