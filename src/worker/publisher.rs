//! Store → merge → render → the published set. Only feeds that may have changed are made anew.

use super::drafts::{self, Draft, EN, ZH, draft};
use super::kept::Kept;
use super::listing::compute;
use crate::config::{Channel, Config, FeedSpec};
use crate::merge::{self, ChannelInput};
use crate::model::{ChannelId, Feed, FeedId, Withdrawn};
use crate::publish::{ConfigStatus, Published, Shelf, Shelved};
use crate::render::{self, Document, Form};
use crate::store::{Store, StoreError};
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Makes the published set.
pub(super) struct Publisher {
    store: Arc<dyn Store>,
    shelf: Arc<Shelf>,
    /// One at a time: two that read the same old set would each lose what the other adds.
    turn: tokio::sync::Mutex<Workbench>,
    /// Whether anything that changed could not be published.
    owes: AtomicBool,
}

/// What is kept between two publications.
struct Workbench {
    kept: Kept,
    /// Documents that are published but not compressed yet.
    plain: Vec<Arc<Document>>,
    /// What could not be published the last time; `None` when it was everything.
    owed: Option<BTreeSet<ChannelId>>,
    /// Feeds that could not be made the last time: those that they are made of may have moved on.
    failed: BTreeSet<FeedId>,
}

/// Which feeds are to be made anew.
pub(super) enum Scope<'a> {
    /// All of them.
    All,
    /// Those that hold one of these channels.
    Channels(&'a BTreeSet<ChannelId>),
}

impl Publisher {
    pub(super) fn new(store: Arc<dyn Store>, shelf: Arc<Shelf>) -> Self {
        let bench = Workbench {
            kept: Kept::default(),
            plain: Vec::new(),
            owed: Some(BTreeSet::new()),
            failed: BTreeSet::new(),
        };
        Self { store, shelf, turn: tokio::sync::Mutex::new(bench), owes: AtomicBool::new(false) }
    }

    /// Whether anything that changed could not be published; the next [`Publisher::refresh`] tries it again.
    pub(super) fn owes(&self) -> bool {
        self.owes.load(Ordering::Relaxed)
    }

    /// Brings the published set up to date. What cannot be read from the store stays as it is published.
    ///
    /// # Errors
    /// The first error of the store; feeds that could be read are published all the same.
    pub(super) async fn refresh(
        &self,
        current: impl FnOnce() -> (Arc<Config>, Arc<ConfigStatus>),
        scope: Scope<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut turn = self.turn.lock().await;
        // Who has waited for another one publishes what is in use now.
        let (config, status) = current();
        let before = Arc::clone(&self.shelf.get());
        let touched: Option<BTreeSet<ChannelId>> = match scope {
            Scope::All => None,
            Scope::Channels(ids) => turn.owed.as_ref().map(|owed| owed.union(ids).cloned().collect()),
        };
        let touched = touched.as_ref();
        let mut made = self.make_all(&config, &before, (&mut turn, touched)).await;
        if touched.is_some() && made.shows_nothing_new() && Arc::ptr_eq(&before.config, &config) {
            self.owes.store(false, Ordering::Relaxed);
            (turn.owed, turn.failed) = (Some(BTreeSet::new()), BTreeSet::new());
            return Ok(());
        }
        let common = drafts::of_all(&config, &made.ordered(&config));
        made.drafts.extend(common);
        // One transaction for everything: what a publication costs on disk does not grow with the number of documents.
        let drafts = std::mem::take(&mut made.drafts);
        let paths: Vec<String> = drafts.iter().map(|draft| draft.path.clone()).collect();
        match self.stamped(drafts, now).await {
            Ok(stamped) => made.documents.extend(stamped),
            Err(error) => made.fall_back(&before, &paths, error),
        }
        for (path, shelved) in &mut made.documents {
            settle(shelved, before.documents.get(path), &mut turn.plain);
        }
        turn.failed = std::mem::take(&mut made.failed);
        let (feeds, documents, health) = (made.ordered(&config), made.documents, before.health.clone());
        self.shelf.put(Published { config, status, feeds, documents, health });
        self.owes.store(made.trouble.is_some(), Ordering::Relaxed);
        turn.owed = if made.trouble.is_some() { touched.cloned() } else { Some(BTreeSet::new()) };
        made.trouble.map_or(Ok(()), Err)
    }

    /// All feeds; those that hold none of the channels that were `touched` stay as they are published.
    async fn make_all(
        &self,
        config: &Arc<Config>,
        before: &Published,
        (bench, touched): (&mut Workbench, Option<&BTreeSet<ChannelId>>),
    ) -> Made {
        // In another configuration the same feed may be written in another way.
        let same = touched.is_some() && Arc::ptr_eq(&before.config, config);
        let mut made = Made::default();
        let published: HashMap<_, _> = before.feeds.iter().map(|feed| (&feed.id, feed)).collect();
        let channels: HashMap<_, _> = config.channels.iter().map(|channel| (&channel.id, &**channel)).collect();
        bench.kept.retain(|id| config.feeds.iter().any(|spec| spec.id == *id));
        for spec in config.inner_first() {
            let old = published.get(&spec.id).copied();
            let affected = touched.is_none_or(|ids| spec.channels.iter().any(|channel| ids.contains(channel)));
            let affected = affected || spec.feeds.iter().any(|inner| made.moved.contains(inner));
            let affected = affected || bench.failed.contains(&spec.id);
            if let Some(old) = old.filter(|_| !affected) {
                made.keep(before, old);
                continue;
            }
            let members: Vec<&Channel> = spec.channels.iter().filter_map(|id| channels.get(id).copied()).collect();
            let inner: Vec<&Feed> = spec.feeds.iter().filter_map(|id| made.feeds.get(id).map(AsRef::as_ref)).collect();
            match self.make(config, (spec, &members, &inner), (&mut bench.kept, touched)).await {
                Ok(feed) => match old.filter(|old| same && ***old == feed) {
                    // Nothing of what changed is shown in it.
                    Some(old) => made.keep(before, old),
                    None => made.take(old, feed, config),
                },
                Err(error) => {
                    made.trouble.get_or_insert(error);
                    made.failed.insert(spec.id.clone());
                    if let Some(old) = old {
                        made.keep(before, old);
                    }
                }
            }
        }
        made
    }

    /// Compresses what was published since the last time. Compression takes ten times as long as all the rest, so new
    /// documents are on the shelf before it; until it is done they are served as they are.
    pub(super) async fn press(&self) {
        let plain = std::mem::take(&mut self.turn.lock().await.plain);
        if plain.is_empty() {
            return;
        }
        let pressed =
            compute(move || plain.into_iter().map(|one| (Arc::new(one.pressed()), one)).collect::<Vec<_>>()).await;
        let _turn = self.turn.lock().await;
        let pressed: HashMap<_, _> = pressed.iter().map(|(pressed, plain)| (Arc::as_ptr(plain), pressed)).collect();
        let mut set = (**self.shelf.get()).clone();
        let mut replace = |document: &mut Arc<Document>| {
            if let Some(pressed) = pressed.get(&Arc::as_ptr(document)) {
                *document = Arc::clone(pressed);
            }
        };
        for shelved in set.documents.values_mut() {
            shelved.documents_mut().for_each(&mut replace);
        }
        set.health.iter_mut().for_each(&mut replace);
        self.shelf.put(set);
    }

    /// Puts another status of the configuration beside the documents that are published.
    pub(super) async fn restate(&self, status: &Arc<ConfigStatus>) {
        let _turn = self.turn.lock().await;
        let before = Arc::clone(&self.shelf.get());
        self.shelf.put(Published { status: Arc::clone(status), ..(*before).clone() });
    }

    /// When the ledger was created.
    pub(super) async fn created(&self) -> Result<DateTime<Utc>, StoreError> {
        self.store.created().await
    }

    /// Puts the feed of incidents beside the documents that are published.
    pub(super) async fn put_health(&self, text: String, language: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut turn = self.turn.lock().await;
        let path = format!("/{}", render::HEALTH_PATH);
        let stamped = self.stamped(vec![draft(path, render::ATOM_TYPE, language, text, None)], now).await?;
        let Some((_, mut shelved)) = stamped.into_iter().next() else { return Ok(()) };
        let before = Arc::clone(&self.shelf.get());
        let old = before.health.clone().map(Shelved::One);
        settle(&mut shelved, old.as_ref(), &mut turn.plain);
        let health = shelved.documents_mut().next().map(|document| Arc::clone(document));
        self.shelf.put(Published { health, ..(*before).clone() });
        Ok(())
    }

    /// One feed; `inner` are the feeds that it is made of besides its channels.
    async fn make(
        &self,
        config: &Config,
        (spec, members, inner): (&FeedSpec, &[&Channel], &[&Feed]),
        (kept, touched): (&mut Kept, Option<&BTreeSet<ChannelId>>),
    ) -> Result<Feed, StoreError> {
        let mut withdrawn: Vec<_> = inner.iter().flat_map(|feed| feed.tombstones.iter().cloned()).collect();
        for channel in members.iter().filter(|channel| channel.trust.withdrawn == Withdrawn::Remove) {
            withdrawn.extend(self.store.tombstones(&channel.id, MOST_TOMBSTONES).await?);
        }
        let mut feed = match kept.feed(&*self.store, (spec, members), touched).await? {
            Some(feed) => feed,
            None => self.anew(config, (spec, members, inner)).await?,
        };
        if feed.entries.is_empty() {
            // Of a damaged ledger nothing may have been readable: that is no reason to publish an empty feed.
            self.store.ready().await?;
        }
        feed.bury(withdrawn);
        Ok(feed)
    }

    /// A feed that is made from nothing.
    async fn anew(
        &self,
        config: &Config,
        (spec, members, inner): (&FeedSpec, &[&Channel], &[&Feed]),
    ) -> Result<Feed, StoreError> {
        let mut inputs = Vec::new();
        for channel in members {
            let reach = merge::reach(spec, channel);
            let records = self.store.latest_under(&channel.id, reach, channel.trust.withdrawn).await?;
            inputs.push(ChannelInput::new(channel, records));
        }
        merge::add_inner(&mut inputs, inner, |id| {
            config.channels.iter().find(|channel| channel.id == *id).map(AsRef::as_ref)
        });
        Ok(merge::feed(spec, &inputs, self.store.created().await?))
    }

    /// Documents with their stamps from the store, so that `Last-Modified` outlives a restart.
    async fn stamped(&self, mut drafts: Vec<Draft>, now: DateTime<Utc>) -> Result<Vec<(String, Shelved)>, StoreError> {
        let plain = |draft: &mut Draft| {
            let text = std::mem::take(&mut draft.text);
            Document::plain(text, draft.media_type, &draft.language, now, draft.links.take())
        };
        let mut documents: Vec<Document> = drafts.iter_mut().map(plain).collect();
        let name = |draft: &Draft| format!("{}{}", draft.path, draft.variant);
        let names = drafts.iter().zip(&documents).map(|(draft, document)| (name(draft), document.hash().to_owned()));
        let stamps = self.store.stamps(&names.collect::<Vec<_>>(), now.trunc_subsecs(0)).await?;
        for (document, stamp) in documents.iter_mut().zip(stamps) {
            document.last_modified = stamp.modified;
        }
        let mut shelved = Vec::new();
        let mut zh = None;
        for (draft, document) in drafts.into_iter().zip(documents.into_iter().map(Arc::new)) {
            match (draft.variant, zh.take()) {
                (ZH, _) => zh = Some(document),
                (EN, Some(zh)) => shelved.push((draft.path, Shelved::Page { zh, en: document })),
                _ => shelved.push((draft.path, Shelved::One(document))),
            }
        }
        Ok(shelved)
    }
}

/// What a publication has made so far.
#[derive(Default)]
struct Made {
    feeds: HashMap<FeedId, Arc<Feed>>,
    /// Documents that stay as they are on the shelf.
    documents: HashMap<String, Shelved>,
    /// Documents that still need their stamps.
    drafts: Vec<Draft>,
    /// Feeds that differ from what is published.
    moved: HashSet<FeedId>,
    /// Feeds that could not be made.
    failed: BTreeSet<FeedId>,
    /// The first error of the store.
    trouble: Option<StoreError>,
}

impl Made {
    /// Whether everything was read, and no feed is to be written.
    fn shows_nothing_new(&self) -> bool {
        self.drafts.is_empty() && self.trouble.is_none()
    }

    /// Leaves a feed as it is published.
    fn keep(&mut self, before: &Published, old: &Arc<Feed>) {
        self.documents.extend(shelved(before, old));
        self.feeds.insert(old.id.clone(), Arc::clone(old));
    }

    /// Writes a feed anew.
    fn take(&mut self, old: Option<&Arc<Feed>>, feed: Feed, config: &Config) {
        if old.is_none_or(|old| **old != feed) {
            self.moved.insert(feed.id.clone());
        }
        self.drafts.extend(drafts::of_feed(&feed, &drafts::site(config)));
        self.feeds.insert(feed.id.clone(), Arc::new(feed));
    }

    /// Leaves everything that has no stamp as it is published.
    fn fall_back(&mut self, before: &Published, paths: &[String], error: StoreError) {
        self.trouble.get_or_insert(error);
        let old = paths.iter().filter_map(|path| Some((path.clone(), before.documents.get(path)?.clone())));
        self.documents.extend(old);
        let lost: HashSet<&String> = paths.iter().collect();
        self.feeds.retain(|_, feed| Form::ALL.iter().all(|form| !lost.contains(&format!("/{}", form.path(feed)))));
        for old in &before.feeds {
            if Form::ALL.iter().any(|form| lost.contains(&format!("/{}", form.path(old)))) {
                self.feeds.insert(old.id.clone(), Arc::clone(old));
            }
        }
    }

    /// The feeds in the order of feeds.yaml.
    fn ordered(&self, config: &Config) -> Vec<Arc<Feed>> {
        config.feeds.iter().filter_map(|spec| self.feeds.get(&spec.id).cloned()).collect()
    }
}

/// Keeps a document that is on the shelf already, compressed; notes the others down to be compressed.
fn settle(new: &mut Shelved, old: Option<&Shelved>, plain: &mut Vec<Arc<Document>>) {
    let mut old = old.cloned();
    let mut old = old.iter_mut().flat_map(Shelved::documents_mut);
    for document in new.documents_mut() {
        match old.next() {
            Some(old) if Arc::ptr_eq(old, document) => {}
            Some(old) if old.is_of(document) => *document = Arc::clone(old),
            _ => plain.push(Arc::clone(document)),
        }
    }
}

/// How many withdrawals of a channel are looked at.
const MOST_TOMBSTONES: usize = 200;

/// The documents of a feed as they are published.
fn shelved(set: &Published, feed: &Feed) -> Vec<(String, Shelved)> {
    Form::ALL
        .iter()
        .map(|form| format!("/{}", form.path(feed)))
        .filter_map(|path| Some((path.clone(), set.documents.get(&path)?.clone())))
        .collect()
}
