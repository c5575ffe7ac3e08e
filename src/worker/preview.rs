//! Shows what a channel, a feed, an address or a file would yield, through the very pipeline that the
//! running service uses, without recording anything.

use super::explain::{self, Explained};
use super::poll::Poller;
use super::readers::{GivenUp, Readers};
use super::service::Service;
use crate::config::{Channel, Config, FeedSpec, Origin};
use crate::merge::{self, ChannelInput};
use crate::model::{
    About, ArticleLayout, Candidate, ChannelId, Feed, FeedId, Flaw, FlawCode, Format, Layout, Link, ParsedEntry,
    ParsedFeed, Record, Standing,
};
use crate::net::{Accept, Berth, Client, FetchError, Request, Robots, Validators};
use crate::normalise::{self, Context, Kind};
use crate::store::{MemoryStore, Store, StoreError};
use crate::telemetry::Metrics;
use crate::{decode, extract, parse, render};
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex};
use url::Url;

/// What a preview shows.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The entries as a feed.
    pub feed: Feed,
    /// What the source says about itself.
    pub about: About,
    /// The one document that was read; `None` for channels and feeds of feeds.yaml.
    pub document: Option<Document>,
    /// What each part was read from: a channel or address, the format or layout, the charset.
    pub read: Vec<String>,
    /// The flaws, each with the channel or address it belongs to.
    pub flaws: Vec<(String, Flaw)>,
    /// What rules and duplicates made of each entry; `None` for what is not a channel or feed of feeds.yaml.
    pub explained: Option<Vec<Explained>>,
}

/// A document that was read.
#[derive(Debug, Clone)]
pub struct Document {
    /// The address that answered.
    pub url: Url,
    /// What it was.
    pub format: Format,
    /// The layout that fitted, for pages.
    pub layout: Option<String>,
    /// The charset that it was read in.
    pub charset: String,
}

impl Preview {
    /// Whether there was a feed, or a page that a layout fits. A feed without entries is one.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        !self.feed.entries.is_empty() || self.document.as_ref().is_some_and(|read| read.format != Format::Page)
    }

    /// The preview as JSON Feed 1.1.
    #[must_use]
    pub fn json(&self) -> String {
        self.as_json(None)
    }

    /// [`json`](Self::json) with the steps of each rule under `_heliu.rules`, and the entries that are not shown
    /// under `_heliu.left_out`.
    #[must_use]
    pub fn json_explained(&self) -> String {
        let explanation = self.explained.as_deref().map(explain::as_json);
        self.as_json(explanation.as_ref())
    }

    fn as_json(&self, explanation: Option<&render::Explanation>) -> String {
        let read = self.document.as_ref();
        render::preview_json(&render::Preview {
            feed: &self.feed,
            about: &self.about,
            address: read.map(|read| read.url.as_str()),
            format: read.map(|read| read.format),
            layout: read.and_then(|read| read.layout.as_deref()),
            charset: read.map(|read| read.charset.as_str()),
            flaws: &self.flaws,
            explanation,
        })
    }
}

impl Service {
    /// Previews an address with the configuration in use, through the client that polls: the same guard, the same
    /// manners towards the host. Nothing is recorded.
    ///
    /// # Errors
    /// The address cannot be fetched.
    pub async fn preview(&self, address: &Url) -> Result<Preview, PreviewError> {
        let config = Arc::clone(&self.current.load().config);
        read_url(address, &config, &self.client, &self.readers, self.clock.now()).await
    }
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The address cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Reading it took too long or met a defect; the flaw says so.
    #[error("{0}")]
    Unread(Flaw),
    /// The ledger in memory failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Previews channels as if they were one feed: polls them once, into a ledger that is thrown away.
///
/// # Errors
/// Only if the ledger in memory fails; sources that fail are flaws.
pub async fn channels(
    spec: &FeedSpec,
    config: &Config,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<Preview, PreviewError> {
    let mut polled = Polls { store: MemoryStore::new(now), client, now, flaws: Vec::new(), read: Vec::new() };
    // What it is made of, feeds inside feeds first; a channel is polled once.
    let mut wanted: HashSet<&FeedId> = spec.feeds.iter().collect();
    let order = config.inner_first();
    for feed in order.iter().rev() {
        if wanted.contains(&feed.id) {
            wanted.extend(&feed.feeds);
        }
    }
    let mut inner: HashMap<&FeedId, Feed> = HashMap::new();
    for feed in order.into_iter().filter(|feed| wanted.contains(&feed.id)) {
        let made = polled.feed(feed, config, &inner).await?.0;
        inner.insert(&feed.id, made);
    }
    let (feed, inputs) = polled.feed(spec, config, &inner).await?;
    let Polls { flaws, read, .. } = polled;
    let explained = Some(explain::explain(spec, &inputs, &feed, now));
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let about = About {
        title: some(&feed.title),
        subtitle: some(&feed.description),
        home: feed.home.clone(),
        language: some(&feed.language),
        updated: (!feed.entries.is_empty()).then(|| feed.updated.fixed_offset()),
        ..About::default()
    };
    Ok(Preview { feed, about, document: None, read, flaws, explained })
}

/// Channels that are polled once, into a ledger that is thrown away.
struct Polls<'a> {
    store: MemoryStore,
    client: &'a Client,
    now: DateTime<Utc>,
    flaws: Vec<(String, Flaw)>,
    read: Vec<String>,
}

impl Polls<'_> {
    /// Polls what was not polled yet and makes the feed; with what it was made of.
    async fn feed<'c>(
        &mut self,
        spec: &FeedSpec,
        config: &'c Config,
        inner: &HashMap<&FeedId, Feed>,
    ) -> Result<(Feed, Vec<ChannelInput<'c>>), PreviewError> {
        let channel_of = |id: &ChannelId| config.channels.iter().find(|channel| channel.id == *id).map(AsRef::as_ref);
        let (mut inputs, mut tombstones) = (Vec::new(), Vec::new());
        for channel in spec.channels.iter().filter_map(channel_of) {
            self.poll(channel).await?;
            let (id, reach) = (&channel.id, merge::reach(spec, channel));
            let records = self.store.latest_under(id, reach, channel.trust.withdrawn).await?;
            tombstones.extend(self.store.tombstones(id, reach).await?);
            inputs.push(ChannelInput::new(channel, records));
        }
        let inner: Vec<&Feed> = spec.feeds.iter().filter_map(|id| inner.get(id)).collect();
        merge::add_inner(&mut inputs, &inner, channel_of);
        tombstones.extend(inner.iter().flat_map(|feed| feed.tombstones.iter().cloned()));
        let mut feed = merge::feed(spec, &inputs, self.now);
        feed.bury(tombstones);
        Ok((feed, inputs))
    }

    async fn poll(&mut self, channel: &Channel) -> Result<(), PreviewError> {
        if !self.store.poll_states(std::slice::from_ref(&channel.id)).await?.is_empty() {
            return Ok(());
        }
        // Nobody asks what a preview counted.
        let (metrics, readers, rests) = (&Metrics::new("preview"), &Readers::default(), &Mutex::default());
        let (store, client, now) = (&self.store, self.client, self.now);
        let poller = Poller { store, client, metrics, readers, rests, now, clock: &super::SystemClock, chance: 0.5 };
        let (group, none) = ([Arc::new(channel.clone())], BTreeMap::new());
        let polled = match AssertUnwindSafe(poller.group(&group, &none)).catch_unwind().await {
            Ok(polled) => polled,
            Err(panic) => {
                let GivenUp(flaw) = *panic.downcast::<GivenUp>().unwrap_or_else(|panic| resume_unwind(panic));
                self.flaws.push((channel.id.to_string(), flaw));
                return Ok(());
            }
        };
        for polled in polled {
            let (id, state) = (&channel.id, polled.state);
            let address = state.address.as_deref().unwrap_or("no address");
            let layout = state.layout.as_deref().unwrap_or("-");
            let entries = state.entries_on_page;
            self.read.push(format!("{id}: {address} (layout {layout}, {entries} entries on the page)"));
            self.flaws.extend(state.flaws.into_iter().map(|flaw| (id.to_string(), flaw)));
        }
        Ok(())
    }
}

/// Previews an address: an external feed, a list page or an article that one of the configured layouts fits.
///
/// # Errors
/// The address cannot be fetched.
pub async fn url(url: &Url, config: &Config, client: &Client, now: DateTime<Utc>) -> Result<Preview, PreviewError> {
    read_url(url, config, client, &Readers::default(), now).await
}

async fn read_url(
    url: &Url,
    config: &Config,
    client: &Client,
    readers: &Readers,
    now: DateTime<Utc>,
) -> Result<Preview, PreviewError> {
    let request = Request {
        url: url.clone(),
        validators: Validators::default(),
        accept: Accept::Feed,
        limit: 10 << 20,
        robots: Robots::Ignore,
        berth: Berth::default(),
    };
    let response = client.fetch(request).await?;
    let config = config.clone();
    let read = move || document(&response.body, response.content_type.as_deref(), &response.url, &config, now);
    readers.try_read("read", url.as_str(), read).await.map_err(PreviewError::Unread)
}

/// Previews a document that is already at hand.
#[must_use]
pub fn document(bytes: &[u8], content_type: Option<&str>, url: &Url, config: &Config, now: DateTime<Utc>) -> Preview {
    let decoded = decode::decode(bytes, content_type);
    let mut flaws = decoded.flaws;
    let (parsed, found) = parse::feed(&decoded.text);
    let (parsed, kind) = if let Some(parsed) = parsed {
        flaws.extend(found);
        (parsed, Kind::External)
    } else {
        (page(&decoded.text, url, config, &mut flaws), Kind::Portal)
    };
    let what = parsed.layout.clone().map_or_else(|| format!("{:?}", parsed.format), |name| format!("layout {name}"));
    let read = vec![format!("{url} ({what}, {}, {} entries)", decoded.charset, parsed.entries.len())];
    let context =
        Context { now, timezone: config.service.timezone, language: &config.service.language, base: url, kind };
    let (about, found) = normalise::about(&parsed, &context);
    flaws.extend(found);
    // An entry tells its language where it differs from what the document as a whole says.
    let context = Context { language: about.language.as_deref().unwrap_or_default(), ..context };
    let (candidates, found) = normalise::feed(&parsed, &context);
    flaws.extend(found);
    let (tombstones, found) = normalise::withdrawn(&parsed, &context);
    flaws.extend(found);
    let mut feed = feed_of(&about, candidates, url, config, now);
    // What one document says of an entry that it also holds (RFC 6721 section 3).
    for record in &mut feed.entries {
        let laid = tombstones.iter().filter(|one| one.id == record.entry.id).map(|one| one.when).max();
        let stated = record.entry.updated.unwrap_or(record.entry.published.at);
        record.withdrawn = laid.filter(|when| *when >= stated);
    }
    feed.tombstones = tombstones;
    let charset = decoded.charset.to_string();
    let document = Some(Document { url: url.clone(), format: parsed.format, layout: parsed.layout, charset });
    let flaws = flaws.into_iter().map(|flaw| (url.to_string(), flaw)).collect();
    Preview { feed, about, document, read, flaws, explained: None }
}

/// Reads a page with every layout that the configuration has: as a list, else as an article.
fn page(text: &str, url: &Url, config: &Config, flaws: &mut Vec<Flaw>) -> ParsedFeed {
    let (lists, articles) = layouts(config);
    let (parsed, article, found) = extract::list_or_article(text, url, &lists, &articles);
    flaws.extend(found);
    if !parsed.entries.is_empty() {
        return parsed;
    }
    let Some(article) = article else {
        for link in parse::discover(text, url) {
            flaws.push(Flaw::new(FlawCode::NotAFeed, format!("the page announces the feed {}", link.url)));
        }
        return parsed;
    };
    let mut entry =
        ParsedEntry { links: vec![Link { href: url.to_string(), ..Link::default() }], ..ParsedEntry::default() };
    let layout = Some(article.layout.clone());
    extract::join(&mut entry, &[article]);
    ParsedFeed { layout, entries: vec![entry], ..ParsedFeed::default() }
}

/// Every layout that a channel uses, each once.
fn layouts(config: &Config) -> (Vec<Layout>, Vec<(String, ArticleLayout)>) {
    let (mut lists, mut articles): (Vec<Layout>, Vec<(String, ArticleLayout)>) = Default::default();
    for channel in &config.channels {
        if let Origin::Page(page) = &channel.origin {
            lists.extend(page.layouts.iter().cloned());
            articles.extend(page.articles.iter().cloned());
        }
    }
    let mut seen = std::collections::HashSet::new();
    lists.retain(|layout| seen.insert(layout.name.clone()));
    articles.retain(|(name, _)| seen.insert(name.clone()));
    (lists, articles)
}

fn feed_of(about: &About, candidates: Vec<Candidate>, url: &Url, config: &Config, now: DateTime<Utc>) -> Feed {
    let channel = preview_name::<ChannelId>();
    let count = candidates.len() as u64;
    let record = |(index, candidate): (usize, Candidate)| Record {
        channel: channel.clone(),
        number: count - index as u64,
        seq: count - index as u64,
        first_seen: now,
        changed: now,
        standing: Standing::Live,
        withdrawn: None,
        entry: candidate.entry,
    };
    Feed {
        id: preview_name::<FeedId>(),
        title: about.title.clone().unwrap_or_else(|| url.to_string()),
        description: about.subtitle.clone().unwrap_or_default(),
        language: about.language.clone().unwrap_or_else(|| config.service.language.clone()),
        home: about.home.clone().or_else(|| Some(url.to_string())),
        updated: now,
        standing: Standing::Live,
        entries: candidates.into_iter().enumerate().map(record).collect(),
        joined: std::collections::BTreeMap::new(),
        show_joined: true,
        joined_in_content: false,
        tombstones: Vec::new(),
    }
}

fn preview_name<T: std::str::FromStr>() -> T {
    "preview".parse().unwrap_or_else(|_| unreachable!("'preview' is a valid name"))
}
