//! Store → merge → render → the published set. Only feeds that may have changed are made anew.

use crate::config::{Channel, Config, FeedSpec};
use crate::merge::{self, ChannelInput};
use crate::model::{ChannelId, Feed, FeedId, Withdrawn};
use crate::publish::{ConfigStatus, Published, Shelf, Shelved};
use crate::render::{self, Document, Form, Lang, Site};
use crate::store::{Store, StoreError};
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Makes the published set.
pub(super) struct Publisher {
    store: Arc<dyn Store>,
    shelf: Arc<Shelf>,
    /// One at a time: two that read the same old set would each lose what the other adds.
    turn: tokio::sync::Mutex<()>,
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
        Self { store, shelf, turn: tokio::sync::Mutex::new(()) }
    }

    /// Brings the published set up to date. What cannot be read from the store stays as it is published.
    ///
    /// # Errors
    /// The first error of the store; feeds that could be read are published all the same.
    pub(super) async fn refresh(
        &self,
        config: &Arc<Config>,
        status: &Arc<ConfigStatus>,
        scope: Scope<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let before = Arc::clone(&self.shelf.get());
        let mut documents = HashMap::new();
        let mut feeds: HashMap<&FeedId, Arc<Feed>> = HashMap::new();
        let mut moved = HashSet::new();
        let mut trouble = None;
        let published: HashMap<_, _> = before.feeds.iter().map(|feed| (&feed.id, feed)).collect();
        let channels: HashMap<_, _> = config.channels.iter().map(|channel| (&channel.id, channel)).collect();
        for spec in config.inner_first() {
            let old = published.get(&spec.id).copied();
            let affected = match scope {
                Scope::All => true,
                Scope::Channels(ids) => spec.channels.iter().any(|channel| ids.contains(channel)),
            };
            let affected = affected || spec.feeds.iter().any(|inner| moved.contains(inner));
            let inner: Vec<&Feed> = spec.feeds.iter().filter_map(|id| feeds.get(id).map(AsRef::as_ref)).collect();
            let made = match old {
                Some(old) if !affected => Ok((Arc::clone(old), shelved(&before, old))),
                _ => self.make(config, &channels, (spec, &inner), now).await,
            };
            match (made, old) {
                (Ok((feed, made)), _) => {
                    if old.is_none_or(|old| **old != *feed) {
                        moved.insert(&spec.id);
                    }
                    documents.extend(made);
                    feeds.insert(&spec.id, feed);
                }
                (Err(error), old) => {
                    trouble.get_or_insert(error);
                    if let Some(old) = old {
                        documents.extend(shelved(&before, old));
                        feeds.insert(&spec.id, Arc::clone(old));
                    }
                }
            }
        }
        let feeds: Vec<Arc<Feed>> = config.feeds.iter().filter_map(|spec| feeds.remove(&spec.id)).collect();
        match self.common(config, &feeds, now).await {
            Ok(common) => documents.extend(common),
            Err(error) => {
                trouble.get_or_insert(error);
                let paths = [CATALOGUE, OPML, STYLE].into_iter();
                documents.extend(paths.filter_map(|path| Some((path.to_owned(), before.documents.get(path)?.clone()))));
            }
        }
        let (config, status) = (Arc::clone(config), Arc::clone(status));
        self.shelf.put(Published { config, status, feeds, documents });
        trouble.map_or(Ok(()), Err)
    }

    /// Puts another status of the configuration beside the documents that are published.
    pub(super) async fn restate(&self, status: &Arc<ConfigStatus>) {
        let _turn = self.turn.lock().await;
        let before = Arc::clone(&self.shelf.get());
        self.shelf.put(Published { status: Arc::clone(status), ..(*before).clone() });
    }

    /// One feed with its documents; `inner` are the feeds that it is made of besides its channels.
    async fn make(
        &self,
        config: &Config,
        channels: &HashMap<&ChannelId, &Channel>,
        (spec, inner): (&FeedSpec, &[&Feed]),
        now: DateTime<Utc>,
    ) -> Result<(Arc<Feed>, Vec<(String, Shelved)>), StoreError> {
        let (mut inputs, mut withdrawn) = (Vec::new(), Vec::new());
        for id in &spec.channels {
            let Some(&channel) = channels.get(id) else { continue };
            let policy = channel.trust.withdrawn;
            let records = self.store.latest_under(id, merge::reach(spec, channel), policy).await?;
            inputs.push(ChannelInput::new(channel, records));
            if policy == Withdrawn::Remove {
                withdrawn.extend(self.store.tombstones(id, MOST_TOMBSTONES).await?);
            }
        }
        merge::add_inner(&mut inputs, inner, |id| channels.get(id).copied());
        withdrawn.extend(inner.iter().flat_map(|feed| feed.tombstones.iter().cloned()));
        let mut feed = merge::feed(spec, &inputs, self.store.created().await?);
        feed.bury(withdrawn);
        let site = site(config);
        let rendered = [
            (Form::Rss, render::RSS_TYPE, render::rss(&feed, &site)),
            (Form::Atom, render::ATOM_TYPE, render::atom(&feed, &site)),
            (Form::Json, render::JSON_TYPE, render::json_feed(&feed, &site)),
        ];
        let mut documents = Vec::new();
        for (form, media_type, text) in rendered {
            let path = format!("/{}", form.path(&feed));
            let links = Some(render::links_of(&feed, &site, form));
            let document = self.document(&path, media_type, &feed.language, text, links, now).await?;
            documents.push((path, Shelved::One(document)));
        }
        let pages = |lang| render::feed_page(&feed, &site, lang);
        let path = format!("/{}", Form::Page.path(&feed));
        let links = Some(render::links_of(&feed, &site, Form::Page));
        documents.push((path.clone(), self.page(&path, pages, links, now).await?));
        Ok((Arc::new(feed), documents))
    }

    /// The documents that speak of all feeds.
    async fn common(
        &self,
        config: &Config,
        feeds: &[Arc<Feed>],
        now: DateTime<Utc>,
    ) -> Result<Vec<(String, Shelved)>, StoreError> {
        let site = site(config);
        let feeds: Vec<&Feed> = feeds.iter().map(AsRef::as_ref).collect();
        let opml = render::opml(&feeds, &site);
        let style = render::style().to_owned();
        Ok(vec![
            (
                CATALOGUE.to_owned(),
                self.page(CATALOGUE, |lang| render::catalogue(&feeds, &site, lang), None, now).await?,
            ),
            (
                OPML.to_owned(),
                Shelved::One(self.document(OPML, render::OPML_TYPE, &config.service.language, opml, None, now).await?),
            ),
            (STYLE.to_owned(), Shelved::One(self.document(STYLE, render::CSS_TYPE, "en", style, None, now).await?)),
        ])
    }

    async fn page(
        &self,
        path: &str,
        render: impl Fn(Lang) -> String,
        link: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Shelved, StoreError> {
        let zh = self
            .document(&format!("{path} zh"), render::HTML_TYPE, "zh-CN", render(Lang::Zh), link.clone(), now)
            .await?;
        let en = self.document(&format!("{path} en"), render::HTML_TYPE, "en", render(Lang::En), link, now).await?;
        Ok(Shelved::Page { zh, en })
    }

    /// A document with its stamp from the store, so that `Last-Modified` outlives a restart.
    async fn document(
        &self,
        name: &str,
        media_type: &'static str,
        language: &str,
        text: String,
        link: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Arc<Document>, StoreError> {
        let mut document = Document::new(text, media_type, language, now, link);
        document.last_modified = self.store.stamp(name, document.hash(), now.trunc_subsecs(0)).await?.modified;
        Ok(Arc::new(document))
    }
}

/// How many withdrawals of a channel are looked at.
const MOST_TOMBSTONES: usize = 200;

/// The path of the catalogue.
const CATALOGUE: &str = "/";
/// The path of the list of all feeds.
const OPML: &str = "/opml.xml";
/// The path of the style sheet.
const STYLE: &str = "/style.css";

fn site(config: &Config) -> Site<'_> {
    let service = &config.service;
    Site { base_url: &service.base_url, title: &service.title, language: &service.language }
}

/// The documents of a feed as they are published.
fn shelved(set: &Published, feed: &Feed) -> Vec<(String, Shelved)> {
    Form::ALL
        .iter()
        .map(|form| format!("/{}", form.path(feed)))
        .filter_map(|path| Some((path.clone(), set.documents.get(&path)?.clone())))
        .collect()
}
