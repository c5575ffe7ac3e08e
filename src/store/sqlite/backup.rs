//! A copy of the ledger in one file, made while Heliu runs and writes.
//!
//! `VACUUM INTO` reads one snapshot of the ledger in a read transaction: writers are not kept waiting, nor is it by
//! another reader, and what stands in the write-ahead log is in the copy. The copy is written beside its final name,
//! checked, synced and only then put in place: there is never half a backup under the name of a whole one.

use super::copy::{beside, blocking, holdings, io_error, read_only, sha256, sync_folder, unusable, whole};
use super::{error, open};
use crate::store::{Holdings, StoreError};
use sqlx::Connection as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Backs up the ledger in `folder` to `file`.
///
/// Beside it `file.sha256` is written, in the form of `sha256sum`; [`super::restore::restore`] looks at it.
///
/// # Errors
/// [`StoreError::Backup`] when the file is there already or cannot be written, [`StoreError::Damaged`] when the ledger
/// or the copy is not whole, [`StoreError::TooNew`], [`StoreError::Open`], [`StoreError::Full`]. None of them leaves a
/// file under the name, and none changes the ledger.
pub async fn back_up(folder: &Path, file: &Path) -> Result<Holdings, StoreError> {
    let source = std::path::absolute(folder).map_err(|e| io_error(folder, &e))?.join(open::FILE);
    let file = std::path::absolute(file).map_err(|e| io_error(file, &e))?;
    let place = file.clone();
    let part = blocking(move || Part::begin(&place)).await?;
    let Some(target) = part.path.to_str() else {
        return Err(unusable(&file, "the name is not Unicode", "Choose another name for the backup"));
    };

    let mut connection = read_only(&source).await?;
    let before = holdings(&mut connection, &source).await?;
    let copied = sqlx::query("VACUUM INTO ?1").bind(target).execute(&mut connection).await;
    copied.map_err(|e| error::in_use(&source, &e))?;
    let after = holdings(&mut connection, &source).await?;
    connection.close().await.map_err(|e| error::at_open(&source, &e))?;

    let held = whole(&part.path).await?;
    if !lies_between(&before, &held, &after) {
        let reason = format!("the copy holds {held:?}, the store {before:?} before and {after:?} after it");
        return Err(error::damaged(&source, reason));
    }
    blocking(move || part.finish(held)).await
}

/// Entries are never deleted and numbers never fall, so the copy holds no less than the ledger before it was made and
/// no more than after.
fn lies_between(before: &Holdings, copy: &Holdings, after: &Holdings) -> bool {
    let counts = |held: &Holdings| [held.seq, held.entries, held.channels];
    let rising = |low: &Holdings, high: &Holdings| counts(low).iter().zip(counts(high)).all(|(low, high)| *low <= high);
    rising(before, copy) && rising(copy, after) && copy.created == before.created
}

/// The backup while it is written; what is not finished goes when it is dropped.
struct Part {
    file: PathBuf,
    path: PathBuf,
    /// Locked, so that two backups to one name do not write into each other.
    lock: File,
}

impl Part {
    fn begin(file: &Path) -> Result<Self, StoreError> {
        vacant(file)?;
        let path = beside(file, ".part");
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(&path).map_err(|e| io_error(&path, &e))?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Err(unusable(file, "another backup is writing it", "Wait for that one, or choose another name"));
        }
        let part = Self { file: file.to_owned(), path, lock };
        // What a backup that was killed has left.
        part.remove_rest();
        part.lock.set_len(0).map_err(|e| io_error(&part.path, &e))?;
        Ok(part)
    }

    fn remove_rest(&self) {
        for ending in ["-journal", "-wal", "-shm"] {
            let _ = fs::remove_file(beside(&self.path, ending));
        }
    }

    /// Syncs the file and puts it in place.
    fn finish(self, held: Holdings) -> Result<Holdings, StoreError> {
        let failed = |e: std::io::Error| io_error(&self.file, &e);
        let (sha256, bytes) = sha256(&self.path).map_err(failed)?;
        self.lock.sync_all().map_err(failed)?;
        let folder = self.file.parent().unwrap_or_else(|| Path::new("/"));
        let seal = beside(&self.file, ".sha256");
        vacant(&self.file)?;
        // The seal of an earlier backup of this name would call this one damaged.
        match fs::remove_file(&seal) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(io_error(&seal, &e)),
            _ => sync_folder(folder).map_err(failed)?,
        }
        put(&self.path, &self.file)?;
        sync_folder(folder).map_err(failed)?;
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        write_seal(&seal, &format!("{sha256}  {name}\n")).map_err(|e| io_error(&seal, &e))?;
        sync_folder(folder).map_err(failed)?;
        Ok(Holdings { bytes, sha256, ..held })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.remove_rest();
        let _ = fs::remove_file(&self.path);
    }
}

/// Refuses a name that is taken.
fn vacant(file: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(file) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(io_error(file, &e)),
        Ok(meta) if meta.is_dir() => Err(unusable(file, "it is a folder", "Name a file in it")),
        Ok(_) => {
            Err(unusable(file, "it is there already", "A backup never overwrites; choose another name or remove it"))
        }
    }
}

/// Gives the part its name, unless that was taken meanwhile: a link fails where a rename would overwrite.
fn put(part: &Path, file: &Path) -> Result<(), StoreError> {
    match fs::hard_link(part, file) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => vacant(file),
        // A file system without links.
        Err(_) => vacant(file).and_then(|()| fs::rename(part, file).map_err(|e| io_error(file, &e))),
    }
}

fn write_seal(path: &Path, text: &str) -> std::io::Result<()> {
    let part = beside(path, ".part");
    let mut file = File::create(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)
}
