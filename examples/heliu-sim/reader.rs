//! A reader of what is published: remembers every id, date, byte and validator, as readers and aggregators do.

use crate::script::Script;
use crate::source::{Dates, FLOOD, FNV, fnv};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use heliu::config::Config;
use heliu::model::{Entry, Feed, Record};
use heliu::publish::{Published, Shelved};
use heliu::render::Document;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// An article: its stream and number.
type Token = (usize, u32);

/// A date that was shown may be made better by so much: clocks differ.
const SKEW: TimeDelta = TimeDelta::minutes(15);

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Channel and article → id and date.
    entries: BTreeMap<(String, Token), (String, DateTime<Utc>)>,
    /// Channel and id → article.
    articles: BTreeMap<(String, String), Token>,
    /// The feeds of the last look.
    feeds: Vec<Arc<Feed>>,
    /// Document → validator, bytes, date.
    documents: BTreeMap<String, (String, Bytes, DateTime<Utc>)>,
    /// When each article came out; streams whose every address says so honestly.
    true_dates: BTreeMap<Token, DateTime<Utc>>,
    honest: BTreeSet<usize>,
    /// The feeds that hold a channel directly and have room for all.
    roomy: BTreeMap<String, Vec<String>>,
    /// Documents that were other ones since the last look.
    stamped: BTreeSet<String>,
    /// The hash of each document that was stamped last.
    hashes: BTreeMap<String, String>,
    pub(crate) publications: u64,
}

fn token(title: &str) -> Option<Token> {
    let (stream, n) = title.rsplit_once("[s")?.1.strip_suffix(']')?.split_once('-')?;
    Some((stream.parse().ok()?, n.parse().ok()?))
}

impl Reader {
    pub(crate) fn new(script: &Script) -> Self {
        let mut true_dates = BTreeMap::new();
        for (n, stream) in script.streams.iter().enumerate() {
            true_dates.extend((0..).zip(&stream.articles).map(|(m, article)| ((n, m), article.at)));
        }
        let dishonest: BTreeSet<_> =
            script.sources.iter().filter(|source| source.dates != Dates::Honest).map(|source| source.stream).collect();
        Self {
            entries: BTreeMap::new(),
            articles: BTreeMap::new(),
            feeds: Vec::new(),
            documents: BTreeMap::new(),
            true_dates,
            honest: (0..script.streams.len()).filter(|stream| !dishonest.contains(stream)).collect(),
            roomy: BTreeMap::new(),
            stamped: BTreeSet::new(),
            hashes: BTreeMap::new(),
            publications: 0,
        }
    }

    pub(crate) fn configure(&mut self, config: &Config) {
        self.roomy.clear();
        for feed in config.feeds.iter().filter(|feed| feed.limit >= 100) {
            for channel in &feed.channels {
                self.roomy.entry(channel.to_string()).or_default().push(feed.id.to_string());
            }
        }
    }

    /// Reads everything; what is wrong comes back by the name of the invariant.
    pub(crate) fn read(&mut self, set: &Published) -> Vec<(&'static str, String)> {
        self.publications += 1;
        let mut wrong = Vec::new();
        let mut fresh = BTreeSet::new();
        let seen = std::mem::replace(&mut self.feeds, set.feeds.clone());
        // Most are the very feed of the last look.
        for feed in set.feeds.iter().filter(|feed| !seen.iter().any(|seen| Arc::ptr_eq(seen, feed))) {
            let mut there = BTreeSet::new();
            fresh.insert(feed.id.as_str());
            for record in &feed.entries {
                let Some(token) = token(&record.entry.title) else {
                    wrong.push(("I3", format!("{} shows {:?}", feed.id, record.entry.title)));
                    continue;
                };
                if !there.insert((record.channel.to_string(), token)) {
                    wrong.push(("I4", format!("{} shows {token:?} of {} twice", feed.id, record.channel)));
                }
                wrong.extend(self.entry(record, token));
            }
        }
        let mut paths: Vec<_> = set.documents.iter().collect();
        paths.sort_by_key(|(path, _)| *path);
        let feeds: HashMap<_, _> = set.feeds.iter().map(|feed| (feed.id.as_str(), feed)).collect();
        let feed_of = |path: &str| feeds.get(path.strip_prefix("/feeds/")?.rsplit_once('.')?.0).copied();
        for (path, shelved) in paths {
            match shelved {
                Shelved::One(document) => {
                    let feed = feed_of(path);
                    let other = feed.is_some_and(|feed| fresh.contains(feed.id.as_str()));
                    wrong.extend(self.document(path, document, feed.map(|feed| (feed, other))));
                }
                Shelved::Page { zh, en } => {
                    wrong.extend(self.document(&format!("{path} zh"), zh, None));
                    wrong.extend(self.document(&format!("{path} en"), en, None));
                }
            }
        }
        self.stamped.clear();
        wrong
    }

    /// I3: one article has one id for ever. I4: its date never moves up.
    fn entry(&mut self, record: &Record, token: Token) -> Option<(&'static str, String)> {
        let (channel, id) = (record.channel.to_string(), record.entry.id.0.clone());
        let date = record.entry.published.at.to_utc();
        let article = self.articles.entry((channel.clone(), id.clone())).or_insert(token);
        if *article != token {
            return Some(("I3", format!("{id} of {channel} was {article:?} and is {token:?}")));
        }
        if let Some(true_date) = self.true_dates.get(&token).filter(|_| self.honest.contains(&token.0))
            && date > *true_date + TimeDelta::minutes(1)
        {
            return Some(("I4", format!("{token:?} of {channel} came out at {true_date} and is dated {date}")));
        }
        let known = self.entries.entry((channel.clone(), token)).or_insert((id.clone(), date));
        if known.0 != id {
            return Some(("I3", format!("{token:?} of {channel} had the id {} and has {id}", known.0)));
        }
        let before = std::mem::replace(&mut known.1, date);
        (date > before + SKEW).then(|| ("I4", format!("{token:?} of {channel} was dated {before} and is {date}")))
    }

    /// I3: what was shown is not held back as another entry.
    pub(crate) fn held(&self, channel: &str, entry: &Entry) -> Option<String> {
        let token = token(&entry.title)?;
        let (id, _) = self.entries.get(&(channel.to_owned(), token)).filter(|(id, _)| *id != entry.id.0)?;
        Some(format!("{token:?} of {channel} had the id {id} and is held back as {}", entry.id.0))
    }

    /// I5: the validators change if and only if the bytes do. And what is served is well-formed, and of its feed, which may be
    /// another one than at the last look.
    fn document(
        &mut self,
        path: &str,
        document: &Document,
        feed: Option<(&Arc<Feed>, bool)>,
    ) -> Option<(&'static str, String)> {
        let identity = document.representations.first()?;
        let is_that = |(etag, bytes, date): &(String, Bytes, DateTime<Utc>)| {
            let all = (bytes.as_ptr(), bytes.len(), *date, etag.as_str());
            all == (identity.bytes.as_ptr(), identity.bytes.len(), document.last_modified, identity.etag.as_str())
        };
        // Most are the very document of the last look, of the very feed.
        let other = feed.is_some_and(|(_, other)| other);
        if !other && self.documents.get(path).is_some_and(is_that) {
            return None;
        }
        let (etag, bytes, date) = (identity.etag.clone(), identity.bytes.clone(), document.last_modified);
        let before = self.documents.insert(path.to_owned(), (etag.clone(), bytes.clone(), date));
        if let Some((old_etag, old_bytes, old_date)) = before {
            let same = old_bytes == bytes;
            if same != (old_etag == etag) {
                return Some(("I5", format!("{path}: {old_etag} became {etag}, the bytes are the same: {same}")));
            }
            let moved = same && old_date != date && !self.stamped.contains(path);
            if moved || old_date > date || !same && old_date == date {
                return Some(("I5", format!("{path}: the bytes are the same: {same}; {old_date} became {date}")));
            }
            if same && !other {
                return None;
            }
        }
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        well_formed(path, text, feed.map(|(feed, _)| &**feed))
            .err()
            .map(|why| ("well-formed", format!("{path}: {why}")))
    }

    /// A document was stamped: what was published between two looks is seen here.
    pub(crate) fn stamp(&mut self, document: &str, hash: &str) {
        let before = self.hashes.insert(document.to_owned(), hash.to_owned());
        if before.is_some_and(|before| before != hash) {
            self.stamped.insert(document.to_owned());
        }
    }

    /// A hash of all validators.
    pub(crate) fn hash(&self) -> u64 {
        self.documents.values().fold(FNV, |hash, (etag, ..)| fnv(etag.as_bytes(), hash))
    }

    /// Nothing is lost: the first recorded article of a channel that a feed with room for it lacks.
    pub(crate) fn lost(&self, set: &Published, channel: &str, expected: &BTreeSet<Token>) -> Option<String> {
        for name in self.roomy.get(channel).into_iter().flatten() {
            let Some(feed) = set.feeds.iter().find(|feed| feed.id.as_str() == name.as_str()) else { continue };
            if feed.entries.len() >= 100 {
                continue;
            }
            let shown: BTreeSet<_> = feed.entries.iter().filter_map(|one| token(&one.entry.title)).collect();
            if let Some(lost) = expected.iter().find(|token| token.1 < FLOOD && !shown.contains(token)) {
                return Some(format!("{lost:?} of {channel} was read and is not in {name}"));
            }
        }
        None
    }
}

/// The bytes of all documents.
pub(crate) fn bytes(set: &Published) -> BTreeMap<String, Bytes> {
    let mut all = BTreeMap::new();
    let mut put = |path: String, document: &Document| {
        let identity = document.representations.first();
        all.insert(path, identity.map(|identity| identity.bytes.clone()).unwrap_or_default());
    };
    for (path, shelved) in &set.documents {
        match shelved {
            Shelved::One(document) => put(path.clone(), document),
            Shelved::Page { zh, en } => {
                put(format!("{path} zh"), zh);
                put(format!("{path} en"), en);
            }
        }
    }
    all
}

/// Which documents differ, and where the first of them does.
pub(crate) fn differs(before: &BTreeMap<String, Bytes>, after: &BTreeMap<String, Bytes>) -> Option<String> {
    let paths: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let paths: Vec<_> = paths.into_iter().filter(|path| before.get(*path) != after.get(*path)).cloned().collect();
    let [old, new] =
        [before, after].map(|set| paths.first().and_then(|path| set.get(path)).cloned().unwrap_or_default());
    let place = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let around = |bytes: &Bytes| {
        let from = place.saturating_sub(40);
        String::from_utf8_lossy(&bytes[from..bytes.len().min(place + 80)]).into_owned()
    };
    (!paths.is_empty()).then(|| {
        let (old, new) = (around(&old), around(&new));
        format!("{} have other bytes after a restart, the first at {place}: {old:?}, then {new:?}", paths.join(", "))
    })
}

/// All of it is read, and thrown away.
#[derive(serde::Deserialize)]
struct JsonFeed {
    items: Vec<serde::de::IgnoredAny>,
}

fn well_formed(path: &str, text: &str, feed: Option<&Feed>) -> Result<(), String> {
    let ending = path.rsplit('.').next().unwrap_or_default();
    let count = if ending == "json" {
        let json: JsonFeed = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Some(json.items.len())
    } else if matches!(ending, "rss" | "atom" | "xml") {
        let mut reader = quick_xml::Reader::from_str(text);
        let (mut depth, mut count) = (0_i32, 0);
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                quick_xml::events::Event::Start(tag) => {
                    depth += 1;
                    count += usize::from(matches!(tag.name().as_ref(), b"item" | b"entry"));
                }
                quick_xml::events::Event::End(_) => depth -= 1,
                quick_xml::events::Event::Eof if depth == 0 => break,
                quick_xml::events::Event::Eof => return Err("ends in the middle".to_owned()),
                _ => {}
            }
        }
        Some(count)
    } else {
        let whole = !text.starts_with('<') || text.trim_end().ends_with("</html>");
        return if whole { Ok(()) } else { Err("ends in the middle".to_owned()) };
    };
    match (count, feed) {
        (Some(count), Some(feed)) if count != feed.entries.len() => {
            Err(format!("{count} entries are written, {} are in the feed", feed.entries.len()))
        }
        _ => Ok(()),
    }
}
