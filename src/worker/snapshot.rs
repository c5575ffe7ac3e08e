//! Snapshots: bundled pages of the portal that are served until a channel's first live poll succeeds.

use super::articles::comics;
use super::listing::{compute, context, link_of};
use crate::config::{Channel, Origin, Snapshot};
use crate::model::{Candidate, Flaw, FlawCode};
use crate::{decode, extract, normalise};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::path::Path;
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
    let Origin::Page { layouts, articles, .. } = &channel.origin else { return (Vec::new(), Vec::new()) };
    let mut flaws = Vec::new();
    let Some(text) = text_of(&snapshot.file, &mut flaws) else { return (Vec::new(), flaws) };
    let (mut parsed, found) = extract::list(&text, &snapshot.url, layouts);
    flaws.extend(found);
    let files: HashMap<_, _> = snapshot.articles.iter().map(|(url, file)| (url.as_str(), file)).collect();
    for entry in &mut parsed.entries {
        if comics(articles) {
            extract::comic(entry);
        }
        let Some((_, url)) = link_of(entry) else { continue };
        let Some(file) = files.get(url.as_str()) else { continue };
        let Some(text) = text_of(file, &mut flaws) else { continue };
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
fn text_of(path: &Path, flaws: &mut Vec<Flaw>) -> Option<String> {
    let bytes = file(path).or_else(|reason| bundled_snapshot(path).map(<[u8]>::to_vec).ok_or(reason));
    match bytes {
        Ok(bytes) => Some(decode::decode(&bytes, None).text),
        Err(reason) => {
            flaws.push(Flaw::new(FlawCode::SnapshotUnread, format!("{}: {reason}", path.display())));
            None
        }
    }
}

/// Whether a snapshot can be read, or a bundled one stands in for it.
pub(super) fn is_there(path: &Path) -> Result<(), String> {
    if bundled_snapshot(path).is_some() { Ok(()) } else { sized(path) }
}

fn file(path: &Path) -> Result<Vec<u8>, String> {
    sized(path)?;
    std::fs::read(path).map_err(|error| error.to_string())
}

fn sized(path: &Path) -> Result<(), String> {
    let meta = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !meta.is_file() || meta.len() > LARGEST {
        return Err(format!("not a file of at most {LARGEST} bytes"));
    }
    Ok(())
}

fn bundled_snapshot(path: &Path) -> Option<&'static [u8]> {
    bundled().find(|(name, _)| name.starts_with("snapshots/") && path.ends_with(name)).map(|(_, bytes)| bytes)
}
