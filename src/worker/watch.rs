//! Notices that feeds.yaml has changed, by whatever method it was changed.
//!
//! It looks at the file four times a second instead of asking the kernel for events: writing in place,
//! renaming over, swapping a symbolic link (also that of a parent folder, as Kubernetes does), network
//! file systems and bind mounts all look the same to it. `docs/decisions/0002-reload-by-looking.md` says more.

use sha2::{Digest, Sha256};
use std::fs::Metadata;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the file is looked at.
pub const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A file that keeps changing is read all the same after this many looks.
const PATIENCE: u32 = 4;

/// Every so many looks the content is hashed although nothing about the file seems to have changed:
/// an edit in place can leave size and time as they were.
const DEEP_LOOK: u32 = 8;

/// The most that is read of a feeds.yaml, in bytes: one more than `config` takes, so that it can refuse it.
const LARGEST: u64 = crate::config::MAX_BYTES as u64 + 1;

/// What the file looked like from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outside {
    Gone(String),
    There { size: u64, modified: Option<std::time::SystemTime>, inode: u64 },
}

/// What was found under the path.
type Content = Result<Vec<u8>, String>;

/// Watches one file.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    outside: Outside,
    hash: [u8; 32],
    unsettled: u32,
    looks: u32,
}

impl Watch {
    /// Begins to watch; `known` is the content that is already in use.
    #[must_use]
    pub fn new(path: &Path, known: &[u8]) -> Self {
        let outside = look_at(path);
        Self { path: path.to_owned(), outside, hash: Sha256::digest(known).into(), unsettled: 0, looks: 0 }
    }

    /// One look, to be repeated every [`LOOK_EVERY`]. Yields the content when it differs from the last
    /// one and the file has been at rest for one look (or has been restless for `PATIENCE` looks).
    /// A burst of edits thus causes few reloads. An unreadable file is yielded once, as the reason.
    pub fn look(&mut self) -> Option<Result<Vec<u8>, String>> {
        self.looks = self.looks.wrapping_add(1);
        let outside = look_at(&self.path);
        if outside != self.outside {
            self.outside = outside;
            self.unsettled += 1;
            if self.unsettled < PATIENCE {
                return None;
            }
        } else if self.unsettled == 0 && !self.looks.is_multiple_of(DEEP_LOOK) {
            return None;
        }
        self.unsettled = 0;
        self.changed()
    }

    /// Reads the file now, whatever it looks like from outside (SIGHUP).
    pub fn look_now(&mut self) -> Option<Result<Vec<u8>, String>> {
        self.outside = look_at(&self.path);
        self.unsettled = 0;
        self.changed()
    }

    fn changed(&mut self) -> Option<Content> {
        let content = read(&self.path);
        let hash = match &content {
            Ok(bytes) => Sha256::digest(bytes).into(),
            Err(reason) => Sha256::digest(format!("unreadable: {reason}")).into(),
        };
        if hash == self.hash {
            return None;
        }
        self.hash = hash;
        Some(content)
    }
}

/// Reads a feeds.yaml, at most `LARGEST` bytes of it.
///
/// # Errors
/// A sentence that says why it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| reason(path, &error))?;
    file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| reason(path, &error))?;
    Ok(bytes)
}

fn reason(path: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be read: {error}", path.display())
}

fn look_at(path: &Path) -> Outside {
    match std::fs::metadata(path) {
        Ok(meta) => Outside::There { size: meta.len(), modified: meta.modified().ok(), inode: inode(&meta) },
        Err(error) => Outside::Gone(error.kind().to_string()),
    }
}

#[cfg(unix)]
fn inode(meta: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Looks until something is yielded, at most as often as two seconds allow.
    fn within_two_seconds(watch: &mut Watch) -> Option<Content> {
        (0..8).find_map(|_| watch.look())
    }

    /// Carries out one way of changing a file and expects the new content within two seconds of looks.
    fn check(method: &str, change: impl Fn(&Path)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feeds.yaml");
        fs::write(&path, "old").unwrap();
        let mut watch = Watch::new(&path, b"old");
        assert_eq!(within_two_seconds(&mut watch), None, "{method}: nothing changed yet");
        change(&path);
        assert_eq!(within_two_seconds(&mut watch), Some(Ok(b"new".to_vec())), "{method}");
        assert_eq!(within_two_seconds(&mut watch), None, "{method}: once is enough");
    }

    #[test]
    fn every_way_of_editing_is_noticed() {
        check("written in place", |path| fs::write(path, "new").unwrap());
        check("renamed over", |path| {
            let other = path.with_extension("tmp");
            fs::write(&other, "new").unwrap();
            fs::rename(other, path).unwrap();
        });
        check("backup, then new file, as editors do", |path| {
            fs::rename(path, path.with_extension("yaml~")).unwrap();
            fs::write(path, "new").unwrap();
        });
        check("deleted and made again", |path| {
            fs::remove_file(path).unwrap();
            fs::write(path, "new").unwrap();
        });
        check("same size and time", |path| {
            let time = fs::metadata(path).unwrap().modified().unwrap();
            fs::write(path, "new").unwrap();
            fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        });
        check("truncated, then written", |path| {
            let file = fs::File::create(path).unwrap();
            file.set_len(0).unwrap();
            fs::write(path, "new").unwrap();
        });
    }

    #[cfg(unix)]
    #[test]
    fn swapped_links_are_noticed() {
        use std::os::unix::fs::symlink;
        check("the file is a link that is swapped", |path| {
            let target = path.with_file_name("feeds-2.yaml");
            fs::write(&target, "new").unwrap();
            let link = path.with_file_name("link");
            symlink(&target, &link).unwrap();
            fs::rename(link, path).unwrap();
        });
        // Kubernetes: feeds.yaml -> ..data/feeds.yaml, ..data -> ..2026_1; the folder link is swapped.
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, content) in [("..2026_1", "old"), ("..2026_2", "new")] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("feeds.yaml"), content).unwrap();
        }
        symlink("..2026_1", at("..data")).unwrap();
        symlink("..data/feeds.yaml", at("feeds.yaml")).unwrap();
        let mut watch = Watch::new(&at("feeds.yaml"), b"old");
        assert_eq!(within_two_seconds(&mut watch), None);
        symlink("..2026_2", at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        assert_eq!(within_two_seconds(&mut watch), Some(Ok(b"new".to_vec())));
    }

    #[test]
    fn a_touch_is_no_change_and_a_loss_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feeds.yaml");
        fs::write(&path, "old").unwrap();
        let mut watch = Watch::new(&path, b"old");
        let later = fs::metadata(&path).unwrap().modified().unwrap() + Duration::from_mins(1);
        fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        assert_eq!(within_two_seconds(&mut watch), None, "touch");
        fs::remove_file(&path).unwrap();
        let lost = within_two_seconds(&mut watch);
        assert!(matches!(&lost, Some(Err(reason)) if reason.contains("feeds.yaml cannot be read")), "{lost:?}");
        assert_eq!(within_two_seconds(&mut watch), None, "told once");
        fs::write(&path, "back").unwrap();
        assert_eq!(within_two_seconds(&mut watch), Some(Ok(b"back".to_vec())));
    }

    #[test]
    fn a_burst_of_edits_causes_few_reloads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feeds.yaml");
        fs::write(&path, "0").unwrap();
        let mut watch = Watch::new(&path, b"0");
        let mut reloads = 0;
        // A hundred edits within a second and a half: sixteen to a look.
        for edit in 1..=100 {
            fs::write(&path, format!("{edit:0edit$}")).unwrap();
            if edit % 16 == 0 {
                reloads += u32::from(watch.look().is_some());
            }
        }
        while let Some(content) = within_two_seconds(&mut watch) {
            reloads += 1;
            assert_eq!(content, Ok(format!("{:0100}", 100).into_bytes()));
        }
        assert!((1..=2).contains(&reloads), "{reloads} reloads");
    }
}
