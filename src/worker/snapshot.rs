//! Snapshots: bundled pages of the portal that are served until a channel's first live poll succeeds.

use super::articles::comics;
use super::listing::{compute, context, link_of};
use crate::config::{Channel, ListPage, Origin, Snapshot};
use crate::model::{Candidate, Flaw, FlawCode};
use crate::{decode, extract, normalise};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `heliu init` writes: the default feeds.yaml with its schema and snapshots. The snapshots also stand
/// in where feeds.yaml names one that is not there, so that the default feeds.yaml works in any folder.
static BUNDLED: &[(&str, &[u8])] = &[
    ("feeds.yaml", include_bytes!("../../feeds.yaml")),
    ("feeds.schema.json", include_bytes!("../../feeds.schema.json")),
    ("snapshots/article-2019-12-10.shtml", include_bytes!("../../snapshots/article-2019-12-10.shtml")),
];

/// The files that are part of the program: path and content.
pub fn bundled() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    BUNDLED.iter().copied()
}

/// The largest snapshot file in bytes.
const LARGEST: u64 = 10 << 20;

/// The entries of a channel's snapshot.
pub(super) async fn read(channel: &Arc<Channel>, now: DateTime<Utc>) -> (Vec<Candidate>, Vec<Flaw>) {
    let channel = Arc::clone(channel);
    compute(move || match &channel.snapshot {
        Some(snapshot) => entries(&channel, snapshot, now),
        None => (Vec::new(), Vec::new()),
    })
    .await
}

fn entries(channel: &Channel, snapshot: &Snapshot, now: DateTime<Utc>) -> (Vec<Candidate>, Vec<Flaw>) {
    let Origin::Page(page) = &channel.origin else { return (Vec::new(), Vec::new()) };
    let ListPage { layouts, articles, .. } = &**page;
    let mut flaws = Vec::new();
    let Some(text) = text_of(snapshot, &snapshot.file, &mut flaws) else { return (Vec::new(), flaws) };
    let (mut parsed, found) = extract::list(&text, &snapshot.url, layouts);
    flaws.extend(found);
    let files: HashMap<_, _> = snapshot.articles.iter().map(|(url, file)| (url.as_str(), file)).collect();
    for entry in &mut parsed.entries {
        if comics(articles) {
            extract::comic(entry);
        }
        let Some((_, url)) = link_of(entry) else { continue };
        let Some(file) = files.get(url.as_str()) else { continue };
        let Some(text) = text_of(snapshot, file, &mut flaws) else { continue };
        let (article, found) = extract::article(&text, &url, articles);
        match article {
            Some(article) => extract::join(entry, &[article]),
            None => flaws.extend(found),
        }
    }
    let (candidates, found) = normalise::feed(&parsed, &context(channel, &snapshot.url, now));
    flaws.extend(found);
    (candidates, flaws)
}

/// A snapshot's text: the file, or the bundled one of that name when there is no such file.
fn text_of(snapshot: &Snapshot, path: &Path, flaws: &mut Vec<Flaw>) -> Option<String> {
    let bytes = file(&snapshot.folder, path).or_else(|reason| bundled_snapshot(path).map(<[u8]>::to_vec).ok_or(reason));
    match bytes {
        Ok(bytes) => Some(decode::decode(&bytes, None).text),
        Err(reason) => {
            flaws.push(Flaw::new(FlawCode::SnapshotUnread, format!("{}: {reason}", path.display())));
            None
        }
    }
}

/// Whether a snapshot can be read, or a bundled one stands in for it.
pub(super) fn is_there(folder: &Path, path: &Path) -> Result<(), String> {
    if bundled_snapshot(path).is_some() { Ok(()) } else { opened(folder, path).map(|_| ()) }
}

fn file(folder: &Path, path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    // It may grow while it is read.
    opened(folder, path)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST { Err(too_large()) } else { Ok(bytes) }
}

fn too_large() -> String {
    format!("not a file of at most {LARGEST} bytes")
}

/// Opens a file that really lies in the folder: links may lead about in it, as Kubernetes does it, but not out of it.
/// Nothing that is no file (a pipe, a device) is waited for.
fn opened(folder: &Path, path: &Path) -> Result<File, String> {
    let said = |error: std::io::Error| error.to_string();
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let root = folder.canonicalize().map_err(said)?;
    let real = path.canonicalize().map_err(said)?;
    let outside = || "it leads out of the folder of feeds.yaml".to_owned();
    if !real.starts_with(&root) {
        return Err(outside());
    }
    let file = open(&real).map_err(said)?;
    let meta = file.metadata().map_err(said)?;
    if !meta.is_file() || meta.len() > LARGEST {
        return Err(too_large());
    }
    // Someone may have swapped a folder on the way for a link: what counts is what was opened.
    if place_of(&file).is_some_and(|place| !place.starts_with(&root)) { Err(outside()) } else { Ok(file) }
}

#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

/// Where an open file lies, on systems that say so.
#[cfg(target_os = "linux")]
fn place_of(file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd as _;
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

#[cfg(not(target_os = "linux"))]
fn place_of(_: &File) -> Option<PathBuf> {
    None
}

fn bundled_snapshot(path: &Path) -> Option<&'static [u8]> {
    bundled().find(|(name, _)| name.starts_with("snapshots/") && path.ends_with(name)).map(|(_, bytes)| bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::process::Command;
    use std::sync::Arc as Shared;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// [`LARGEST`], as what vectors count in.
    const MOST: usize = 10 << 20;

    fn read(folder: &Path, name: &str) -> Result<Vec<u8>, String> {
        file(folder, &folder.join(name))
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn only_files_that_lie_in_the_folder_are_read() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("etc");
        let at = |name: &str| folder.join(name);
        std::fs::create_dir_all(at("..data/pages")).unwrap();
        std::fs::write(outer.path().join("secret"), "secret").unwrap();
        std::fs::write(at("page"), "page").unwrap();
        std::fs::write(at("..data/pages/one"), "one").unwrap();
        std::fs::write(at("large"), vec![b'a'; MOST + 1]).unwrap();
        std::fs::write(at("largest"), vec![b'a'; MOST]).unwrap();
        std::fs::write(at("%2e%2e"), "a name").unwrap();
        for (link, target) in [
            ("in", "page"),
            ("pages", "..data/pages"),
            ("chain", "in"),
            ("out", "../secret"),
            ("out-chain", "out"),
            ("up", ".."),
            ("absolute", "/etc/passwd"),
            ("proc", "/proc/self/environ"),
            ("proc-folder", "/proc/self"),
            ("zero", "/dev/zero"),
            ("full", "/dev/full"),
            ("terminal", "/dev/tty"),
            ("loop", "loop"),
            ("nowhere", "nothing"),
            ("root", "/"),
            ("standard-input", "/proc/self/fd/0"),
            ("memory", "/proc/self/mem"),
        ] {
            symlink(target, at(link)).unwrap();
        }
        assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let good = |text: &str| Ok(text.as_bytes().to_vec());
        let mut refused = 0;
        for (name, expected) in [
            ("page", good("page")),
            ("./page", good("page")),
            ("in", good("page")),
            ("chain", good("page")),
            ("pages/one", good("one")),
            ("..data/pages/one", good("one")),
            ("%2e%2e", good("a name")),
            ("largest", Ok(vec![b'a'; MOST])),
            ("../secret", Err("out of")),
            ("../etc/page", good("page")),
            ("pages/../../secret", Err("")),
            ("out", Err("out of")),
            ("out-chain", Err("out of")),
            ("up/secret", Err("out of")),
            ("absolute", Err("out of")),
            ("/etc/passwd", Err("out of")),
            ("proc", Err("out of")),
            ("proc-folder/environ", Err("out of")),
            ("zero", Err("out of")),
            ("full", Err("out of")),
            ("root/etc/passwd", Err("out of")),
            ("memory", Err("out of")),
            ("terminal", Err("")),
            ("standard-input", Err("")),
            ("pipe", Err("not a file")),
            ("socket", Err("")),
            ("", Err("not a file")),
            ("pages", Err("not a file")),
            ("large", Err("not a file")),
            ("loop", Err("")),
            ("nowhere", Err("")),
            ("nothing", Err("")),
            ("a\0b", Err("")),
            ("%2e%2e/secret", Err("")),
        ] {
            match (read(&folder, name), expected) {
                (Ok(bytes), Ok(expected)) => assert!(bytes == expected, "{name}"),
                (Err(said), Err(why)) => {
                    assert!(said.contains(why), "{name}: {said}");
                    refused += 1;
                }
                (found, expected) => {
                    panic!("{name}: {:?}, {:?}", found.map(|bytes| bytes.len()), expected.map(|bytes| bytes.len()))
                }
            }
        }
        assert_eq!(refused, 25);
        drop(socket);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_folder_that_is_swapped_for_a_link_while_a_file_is_opened_gains_nothing() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("etc");
        let at = |name: &str| folder.join(name);
        for (place, text) in [("etc/a", "good"), ("etc/b", "good"), ("secrets", "secret")] {
            std::fs::create_dir_all(outer.path().join(place)).unwrap();
            std::fs::write(outer.path().join(place).join("page"), text).unwrap();
        }
        symlink("a", at("now")).unwrap();
        let stop = Shared::new(AtomicBool::new(false));
        let (own, ours) = (Shared::clone(&stop), folder.clone());
        let swapper = std::thread::spawn(move || {
            let mut swaps = 0_u64;
            while !own.load(Ordering::Relaxed) {
                let target = ["a", "../secrets", "b"][usize::try_from(swaps % 3).unwrap()];
                let _ = std::fs::remove_file(ours.join("next"));
                symlink(target, ours.join("next")).unwrap();
                std::fs::rename(ours.join("next"), ours.join("now")).unwrap();
                // The folder itself as well: its real name is a link for a moment.
                if std::fs::rename(ours.join("b"), ours.join("away")).is_ok() {
                    symlink("../secrets", ours.join("b")).unwrap();
                    std::fs::remove_file(ours.join("b")).unwrap();
                    std::fs::rename(ours.join("away"), ours.join("b")).unwrap();
                }
                swaps += 1;
            }
            swaps
        });
        let (mut read_well, mut refused) = (0_u32, 0_u32);
        for _ in 0..20_000 {
            match read(&folder, "now/page") {
                Ok(bytes) => {
                    assert_eq!(bytes, b"good");
                    read_well += 1;
                }
                Err(_) => refused += 1,
            }
        }
        stop.store(true, Ordering::Relaxed);
        let swaps = swapper.join().unwrap();
        assert!(read_well > 0 && refused > 0 && swaps > 100, "{read_well} {refused} {swaps}");
    }
}
