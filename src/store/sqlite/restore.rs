//! A backup becomes the ledger of a data folder, and the ledger that was there is moved aside.
//!
//! Everything is prepared beside the old ledger; one rename then decides. Whoever opens the folder next, this very
//! call or a Heliu after a power cut, finishes what was decided. Before that rename the old ledger is untouched.

use super::copy::{beside, blocking, fold, io_error, sha256, sync_folder, unusable, whole};
use super::folder::Hold;
use super::open;
use crate::store::{Restored, StoreError};
use chrono::{DateTime, Utc};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A backup that is being copied and checked: of no account yet.
const COPYING: &str = "heliu.db.restoring";
/// A backup that is decided to be the ledger; behind it stands the name for the old one.
const DECIDED: &str = "heliu.db.restored-";

/// What to do about a backup that is not as it was made.
const ANOTHER: &str = "Nothing was changed; use another backup";

/// Makes the backup `file` the ledger of `folder`; `now` names the old one.
///
/// # Errors
/// [`StoreError::InUse`] while a Heliu runs on the folder, [`StoreError::Backup`] when the file is damaged or no
/// backup, [`StoreError::TooNew`], [`StoreError::Full`], [`StoreError::Open`]. None of them changes the ledger.
pub async fn restore(file: &Path, folder: &Path, now: DateTime<Utc>) -> Result<Restored, StoreError> {
    let file = std::path::absolute(file).map_err(|e| io_error(file, &e))?;
    let folder = std::path::absolute(folder).map_err(|e| io_error(folder, &e))?;
    let (from, to) = (file.clone(), folder.clone());
    let (hold, sealed) = blocking(move || {
        fs::metadata(&from).map_err(|e| io_error(&from, &e))?;
        fs::create_dir_all(&to).map_err(|e| io_error(&to, &e))?;
        let hold = Hold::take(&to)?;
        finish(&to, &hold)?;
        copy(&from, &to.join(COPYING)).map(|sealed| (hold, sealed))
    })
    .await?;
    let copy = folder.join(COPYING);
    let checked = async {
        fold(&copy).await?;
        whole(&copy).await
    };
    let held = match checked.await {
        Ok(held) => held,
        Err(error) => {
            discard(&copy);
            return Err(refused(&file, error));
        }
    };
    let kept = blocking(move || {
        let stamp = now.format("%Y%m%dT%H%M%SZ");
        decide(&folder, &copy, &format!("{DECIDED}before-restore-{stamp}"))?;
        let kept = finish(&folder, &hold)?;
        drop(hold);
        Ok(kept)
    })
    .await?;
    Ok(Restored { holdings: held, kept, sealed })
}

/// The error of the copy, told of the file that the admin knows.
fn refused(file: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged { reason, .. } => unusable(file, format!("the backup is damaged: {reason}"), ANOTHER),
        StoreError::TooNew { found, known, .. } => {
            StoreError::TooNew { path: file.display().to_string(), found, known }
        }
        StoreError::Open { reason, .. } => unusable(file, format!("it is no backup of Heliu: {reason}"), ANOTHER),
        other => other,
    }
}

fn discard(copy: &Path) {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(beside(copy, ending));
    }
}

/// Copies the backup, with its log if it is a plain copy of a data folder; tells whether its checksum was there.
fn copy(file: &Path, to: &Path) -> Result<bool, StoreError> {
    discard(to);
    let size = fs::copy(file, to).map_err(|e| io_error(file, &e))?;
    let done = open::is_whole(to, size).map_err(|e| refused(file, e)).and_then(|()| {
        let log = beside(file, "-wal");
        if log.exists() {
            fs::copy(&log, beside(to, "-wal")).map_err(|e| io_error(&log, &e))?;
        }
        seal_holds(file, to)
    });
    done.inspect_err(|_| discard(to))
}

/// Compares the copy with the checksum beside the backup; `false` if there is none.
fn seal_holds(file: &Path, copy: &Path) -> Result<bool, StoreError> {
    let seal = beside(file, ".sha256");
    let text = match fs::read_to_string(&seal) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(io_error(&seal, &e)),
    };
    let (found, _) = sha256(copy).map_err(|e| io_error(copy, &e))?;
    let wanted = text.split_whitespace().next().unwrap_or_default();
    if wanted == found {
        return Ok(true);
    }
    let reason = format!("the backup is damaged: its SHA-256 is {found}, {} says {wanted}", seal.display());
    Err(unusable(file, reason, ANOTHER))
}

/// From here on the backup is the ledger.
fn decide(folder: &Path, copy: &Path, name: &str) -> Result<(), StoreError> {
    let failed = |e: std::io::Error| io_error(copy, &e);
    belongs_like(copy, folder);
    File::open(copy).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(copy, folder.join(name)).map_err(failed)?;
    sync_folder(folder).map_err(failed)
}

/// A backup may be write-protected, and root may restore it for another user.
fn belongs_like(copy: &Path, folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
        let _ = fs::set_permissions(copy, fs::Permissions::from_mode(0o640));
        if let Ok(owner) = fs::metadata(folder) {
            let _ = chown(copy, Some(owner.uid()), Some(owner.gid()));
        }
    }
    #[cfg(not(unix))]
    let _ = (copy, folder);
}

/// Finishes a restore that was decided, however far it came: the old ledger goes aside, its log before it, so that the
/// log never stands beside the new one; then the new one takes its place. Tells where the old one is.
pub(super) fn finish(folder: &Path, hold: &Hold) -> Result<Option<PathBuf>, StoreError> {
    let Some(decided) = decided(folder)? else { return Ok(None) };
    let name = decided.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let aside = folder.join(format!("{}.db", name.trim_start_matches(DECIDED)));
    let ledger = folder.join(open::FILE);
    for ending in ["-wal", "-shm", ""] {
        let from = beside(&ledger, ending);
        match fs::rename(&from, beside(&aside, ending)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(io_error(&from, &e)),
            _ => {}
        }
    }
    // What it says was recorded is not in the backup.
    hold.forget();
    sync_folder(folder).map_err(|e| io_error(folder, &e))?;
    fs::rename(&decided, &ledger).map_err(|e| io_error(&decided, &e))?;
    sync_folder(folder).map_err(|e| io_error(folder, &e))?;
    Ok(aside.exists().then_some(aside))
}

/// The backup that is decided to be the ledger but not in its place yet.
fn decided(folder: &Path) -> Result<Option<PathBuf>, StoreError> {
    let entries = fs::read_dir(folder).map_err(|e| io_error(folder, &e))?;
    let names = entries.filter_map(Result::ok).map(|entry| entry.path());
    let is_decided = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(DECIDED));
    Ok(names.filter(is_decided).max())
}
