//! The published set: what is served at this moment, swapped as a whole.
//!
//! `worker` puts a new set in, `serve` reads it; neither knows the other.

use crate::config::Config;
use crate::model::{ChannelId, Feed};
use crate::render::Document;
use arc_swap::{ArcSwap, ArcSwapOption};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What stands under one path.
#[derive(Debug, Clone)]
pub enum Shelved {
    /// One document for everybody.
    One(Arc<Document>),
    /// A page for people in two languages, chosen by `Accept-Language`.
    Page {
        /// Simplified Chinese.
        zh: Arc<Document>,
        /// English.
        en: Arc<Document>,
    },
}

impl Shelved {
    /// Its documents, in a fixed order.
    pub fn documents_mut(&mut self) -> impl Iterator<Item = &mut Arc<Document>> {
        let (first, second) = match self {
            Self::One(document) => (document, None),
            Self::Page { zh, en } => (zh, Some(en)),
        };
        std::iter::once(first).chain(second)
    }
}

/// Whether the configuration in use is that of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigStatus {
    /// The file, as named on the command line.
    pub path: String,
    /// When the configuration in use was loaded.
    pub loaded: DateTime<Utc>,
    /// When the file was last found to be wrong, and its diagnostics; `None` when the file is in use as it stands.
    pub rejected: Option<(DateTime<Utc>, String)>,
}

/// Everything that is served at one moment.
#[derive(Debug, Clone)]
pub struct Published {
    /// The configuration in use.
    pub config: Arc<Config>,
    /// Whether it is that of the file.
    pub status: Arc<ConfigStatus>,
    /// The feeds, in the order of feeds.yaml.
    pub feeds: Vec<Arc<Feed>>,
    /// The documents by path, such as `/feeds/shiping.rss`, `/`, `/opml.xml`.
    pub documents: HashMap<String, Shelved>,
    /// The feed of incidents, for the admin alone; `None` until it was first made.
    pub health: Option<Arc<Document>>,
}

/// The one place where the published set hangs.
#[derive(Debug)]
pub struct Shelf {
    set: ArcSwap<Published>,
    unrecorded: ArcSwap<BTreeMap<ChannelId, String>>,
    offline: ArcSwapOption<DateTime<Utc>>,
}

impl Shelf {
    /// A shelf with a first set.
    #[must_use]
    pub fn new(first: Published) -> Self {
        Self { set: ArcSwap::from_pointee(first), unrecorded: ArcSwap::default(), offline: ArcSwapOption::empty() }
    }

    /// The channels whose last poll could not be recorded, each with what the ledger said: the ledger itself cannot tell.
    #[must_use]
    pub fn unrecorded(&self) -> Arc<BTreeMap<ChannelId, String>> {
        self.unrecorded.load_full()
    }

    /// Says whether the last poll of a channel could be recorded: `None` when it was.
    pub fn note_unrecorded(&self, channel: &ChannelId, error: Option<&str>) {
        let changes = |all: &BTreeMap<ChannelId, String>| all.get(channel).map(String::as_str) != error;
        if changes(&self.unrecorded.load()) {
            self.unrecorded.rcu(|all| {
                let mut all = BTreeMap::clone(all);
                match error {
                    Some(error) => all.insert(channel.clone(), error.to_owned()),
                    None => all.remove(channel),
                };
                all
            });
        }
    }

    /// Since when there is no network; `None` while there is one.
    #[must_use]
    pub fn offline(&self) -> Option<DateTime<Utc>> {
        self.offline.load().as_deref().copied()
    }

    /// Says since when there is no network, or that there is one.
    pub fn note_offline(&self, since: Option<DateTime<Utc>>) {
        self.offline.store(since.map(Arc::new));
    }

    /// The set of this moment; stays whole for as long as it is held.
    #[must_use]
    pub fn get(&self) -> arc_swap::Guard<Arc<Published>> {
        self.set.load()
    }

    /// Puts a new set in place of the old one, at once and for everybody.
    pub fn put(&self, next: Published) {
        self.set.store(Arc::new(next));
    }
}
