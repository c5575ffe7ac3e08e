//! Follows entries to their own pages: for byline, source, editor, full text and pictures where `article` names
//! layouts, for the full text alone where the rule `full_text` asks for it.
//!
//! A new entry's article is read before the entry is published, so that readers do not get it twice. An
//! article that could not be read, and one that is young enough to be corrected still, is asked for again
//! later, driven by the ledger and not by the list, which may well answer 304 for days.

use super::errand::{self, Errand, Page};
use super::listing::{context, link_key_of, link_of};
use crate::config::{Channel, Origin};
use crate::model::{ArticleLayout, Candidate, Flaw, FlawCode, Link, ParsedEntry, ParsedFeed, Record, Text};
use crate::net::Accept;
use crate::rule::FullText;
use crate::store::{FetchState, Store, StoreError};
use crate::{decode, extract, normalise, schedule};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use url::Url;

/// The most articles that are read in one poll of a channel; further ones follow with the next polls.
const MOST_ARTICLES: usize = 40;

/// An article that could not be read is tried this often, then the entry stays as the list gave it.
const MOST_TRIES: u32 = 5;

/// How many of the newest entries are looked at for articles that are due again.
const LOOK_BACK: usize = 60;

type Layouts = Arc<[(String, ArticleLayout)]>;

/// How an article's page is read.
#[derive(Debug, Clone, Copy)]
enum How<'a> {
    /// By the channel's article layouts.
    Layouts(&'a Layouts),
    /// For its text alone.
    FullText(&'a FullText),
}

/// What the list alone says of an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    /// When it came out, which decides whether its article is read again later.
    published: DateTime<Utc>,
    /// Whether it came with a full text.
    has_text: bool,
}

/// What a list alone says of its entries, by their link keys.
pub(super) fn listed(candidates: &[Candidate]) -> HashMap<String, Listed> {
    let of = |candidate: &Candidate| Listed {
        published: candidate.entry.published.at.to_utc(),
        has_text: candidate.entry.content.is_some(),
    };
    candidates.iter().filter_map(|one| Some((link_key_of(one)?.to_owned(), of(one)))).collect()
}

/// What reading articles needs to know.
pub(super) struct Reader<'a> {
    pub store: &'a dyn Store,
    pub channel: &'a Arc<Channel>,
    pub now: DateTime<Utc>,
}

impl Reader<'_> {
    fn how(&self) -> Option<How<'_>> {
        match &self.channel.origin {
            Origin::Page(page) if !page.articles.is_empty() => Some(How::Layouts(&page.articles)),
            _ => self.channel.rules.full_text().map(How::FullText),
        }
    }

    /// Whether the channel's entries are followed to their own pages at all.
    pub(super) fn follows(&self) -> bool {
        self.how().is_some()
    }

    /// The link key and the page of each entry that has a page of its own.
    fn links(&self, parsed: &ParsedFeed, base: &Url) -> Vec<Option<(String, Url)>> {
        let Origin::Feed { .. } = self.channel.origin else { return parsed.entries.iter().map(link_of).collect() };
        let context = context(self.channel, base, self.now);
        let mut links: Vec<_> = parsed.entries.iter().map(|entry| normalise::page(entry, parsed, &context)).collect();
        // A link that several entries share, such as the site's front page, is no entry's article.
        let mut counts: HashMap<String, usize> = HashMap::new();
        for (key, _) in links.iter().flatten() {
            *counts.entry(key.clone()).or_default() += 1;
        }
        for link in &mut links {
            link.take_if(|(key, _)| counts.get(key).is_some_and(|count| *count > 1));
        }
        links
    }

    /// Joins to each unknown entry what its article's page says. Yields the link keys of those that were read.
    pub(super) async fn complete(
        &self,
        errand: &mut Errand<'_>,
        (base, parsed): (&Url, &mut ParsedFeed),
        listed: &HashMap<String, Listed>,
        flaws: &mut Vec<Flaw>,
    ) -> Result<HashSet<String>, StoreError> {
        let mut fresh = HashSet::new();
        let Some(how) = self.how() else { return Ok(fresh) };
        let mut links = self.links(parsed, base);
        if matches!(how, How::FullText(full_text) if !full_text.replace) {
            for link in &mut links {
                link.take_if(|(key, _)| listed.get(key).is_some_and(|entry| entry.has_text));
            }
        }
        let keys: Vec<_> = links.iter().flatten().map(|(key, _)| key.clone()).collect();
        let known = self.store.known_links(&self.channel.id, &keys).await?;
        let mut unknown: HashSet<String> =
            keys.iter().zip(&known).filter(|(_, known)| !**known).map(|(key, _)| key.clone()).collect();
        let urls: Vec<_> = links.iter().flatten().map(|(_, url)| url.to_string()).collect();
        errand.recall(self.store, &urls).await?;
        let mut left = MOST_ARTICLES;
        for (entry, link) in parsed.entries.iter_mut().zip(links) {
            let Some((key, url)) = link else { continue };
            if !unknown.remove(&key) {
                continue;
            }
            if left == 0 {
                // Its turn comes with the next poll.
                errand.note(&url, |state| {
                    state.not_before = Some(self.now);
                    state.link_key = Some(key);
                });
                continue;
            }
            left -= 1;
            let out = listed.get(&key).map_or(self.now, |entry| entry.published);
            self.read(errand, how, &url, key.clone(), out, entry, false, flaws).await;
            if entry.article_read {
                fresh.insert(key);
            }
        }
        Ok(fresh)
    }

    /// Takes from entries of a feed the text that it gave, where the ledger holds that of the page or is about to
    /// get it: else each poll would put the feed's in its place again. Not from those that `complete` just read.
    pub(super) fn spare(&self, errand: &Errand<'_>, fresh: &HashSet<String>, candidates: &mut [Candidate]) {
        let Some(How::FullText(_)) = self.how() else { return };
        let was_read = |url: &String| errand.state(url).is_some_and(|state| state.body_hash.is_some());
        for candidate in candidates {
            let is_fresh = link_key_of(candidate).is_some_and(|key| fresh.contains(key));
            if !is_fresh && candidate.entry.url.as_ref().is_some_and(was_read) {
                candidate.entry.content = None;
            }
        }
    }

    /// Reads again the articles of known entries that are due; yields entries that hold what was read. `listed` is what the
    /// list shows: if nothing of it is known, it may be known entries under other addresses, and what was read here of
    /// those would stand beside it as another article.
    pub(super) async fn again(
        &self,
        listed: &[Candidate],
        errand: &mut Errand<'_>,
        flaws: &mut Vec<Flaw>,
    ) -> Result<Vec<ParsedEntry>, StoreError> {
        let Some(how) = self.how() else { return Ok(Vec::new()) };
        let keys: Vec<_> = listed.iter().filter_map(link_key_of).map(str::to_owned).collect();
        let known = self.store.known_links(&self.channel.id, &keys).await?;
        if !known.is_empty() && !known.contains(&true) {
            return Ok(Vec::new());
        }
        let records = self.store.latest(&self.channel.id, LOOK_BACK).await?;
        let urls: Vec<_> = records.iter().filter_map(|record| record.entry.url.clone()).collect();
        errand.recall(self.store, &urls).await?;
        let mut entries = Vec::new();
        for record in &records {
            let Some((url, key)) = self.due(errand, record) else { continue };
            let mut entry = ParsedEntry {
                identity: Some(key.clone()),
                links: vec![Link { href: url.to_string(), ..Link::default() }],
                title: Some(Text::plain(record.entry.title.clone())),
                ..ParsedEntry::default()
            };
            let out = record.entry.published.at.to_utc();
            self.read(errand, how, &url, key, out, &mut entry, true, flaws).await;
            if entry.article_read {
                entries.push(entry);
            }
            if entries.len() == MOST_ARTICLES {
                break;
            }
        }
        Ok(entries)
    }

    /// The address and key of a record whose article is due, unless it was read in this very run.
    fn due(&self, errand: &Errand<'_>, record: &Record) -> Option<(Url, String)> {
        let url = record.entry.url.as_deref()?;
        let state = errand.state(url)?;
        let due = schedule::article_due(self.now, state.checked, state.not_before?) && state.checked != Some(self.now);
        let key = state.link_key.clone()?;
        due.then(|| Some((Url::parse(url).ok()?, key)))?
    }

    /// Reads one article, all its pages, into `entry`, and notes when to come back.
    #[expect(clippy::too_many_arguments, reason = "one step of two loops above, private to this file")]
    async fn read(
        &self,
        errand: &mut Errand<'_>,
        how: How<'_>,
        url: &Url,
        key: String,
        published: DateTime<Utc>,
        entry: &mut ParsedEntry,
        trust: bool,
        flaws: &mut Vec<Flaw>,
    ) {
        let failures = errand.state(url.as_str()).map_or(0, |state| state.failures);
        if errand.leaves_alone(url) {
            // It is not asked, which is no failure, and comes later.
            if !trust && matches!(how, How::Layouts(layouts) if comics(layouts)) {
                extract::comic(entry);
            }
            errand.note(url, |state| {
                state.not_before = Some(schedule::article_retry(self.now, 1));
                state.link_key = Some(key);
            });
            return;
        }
        let outcome = pages(errand, how, url, trust).await;
        match outcome {
            Ok(read) => {
                if let Some(mut articles) = read {
                    if trust && matches!(how, How::FullText(_)) {
                        // The summary is the feed's; this entry only does not know it.
                        for article in &mut articles {
                            article.paragraphs.clear();
                        }
                    }
                    extract::join(entry, &articles);
                    entry.article_read = true;
                    errand.used(url);
                }
                errand.note(url, |state| {
                    state.failures = 0;
                    state.not_before =
                        schedule::article_recheck(self.now, published, state.checked.unwrap_or(self.now));
                    state.link_key = Some(key);
                });
            }
            Err(flaw) => {
                flaws.push(flaw);
                if !trust && matches!(how, How::Layouts(layouts) if comics(layouts)) {
                    extract::comic(entry);
                }
                let failures = failures + 1;
                errand.note(url, |state: &mut FetchState| {
                    state.failures = failures;
                    state.checked = Some(self.now);
                    let told = state.not_before.filter(|told| *told < self.now + errand::GONE_FOR / 2);
                    let retry = schedule::article_retry(self.now, failures);
                    state.not_before = (failures < MOST_TRIES).then(|| told.map_or(retry, |told| told.max(retry)));
                    state.link_key = Some(key);
                });
            }
        }
    }
}

/// Whether a channel holds comics: its articles are read as such.
pub(super) fn comics(layouts: &[(String, ArticleLayout)]) -> bool {
    !layouts.is_empty() && layouts.iter().all(|(_, layout)| layout.comic)
}

/// All pages of an article; `None` when it has not changed since it was last read.
async fn pages(
    errand: &mut Errand<'_>,
    how: How<'_>,
    first: &Url,
    trust: bool,
) -> Result<Option<Vec<extract::Article>>, Flaw> {
    let unread = |detail: String| Flaw::new(FlawCode::ArticleUnread, detail);
    let page =
        errand.get(first, Accept::Page, trust).await.map_err(|error| unread(errand::flaw(&error).to_string()))?;
    if page.unchanged {
        return Ok(None);
    }
    let layouts = match how {
        How::Layouts(layouts) => layouts,
        How::FullText(full_text) => {
            return read_text(errand, page, full_text.clone()).await.map(|article| Some(vec![article]));
        }
    };
    let (article, flaws) = extract_article(errand, page, Arc::clone(layouts)).await?;
    let why = flaws.first().map_or_else(|| "no article layout fits".to_owned(), |flaw| flaw.detail.clone());
    let article = article.ok_or_else(|| unread(format!("{first}: {why}")))?;
    let most = layouts.iter().find(|(name, _)| *name == article.layout).map_or(1, |(_, layout)| layout.pages);
    let mut seen = HashSet::from([first.to_string()]);
    let mut next = article.next.clone();
    let mut articles = vec![article];
    while let Some(url) = next.take() {
        if articles.len() >= most as usize || !seen.insert(url.to_string()) {
            break;
        }
        if errand.leaves_alone(&url) {
            return Err(unread(format!("{url}: its host asked to be left alone; it is asked again later")));
        }
        // A page that is missing would leave a text that ends in the middle: better none, and again later.
        let page = match errand.get(&url, Accept::Page, false).await {
            Ok(page) => page,
            Err(error) if error.status == Some(404) => break,
            Err(error) => return Err(unread(errand::flaw(&error).to_string())),
        };
        let (article, _) = extract_article(errand, page, Arc::clone(layouts)).await?;
        let Some(article) = article else { break };
        next.clone_from(&article.next);
        articles.push(article);
    }
    Ok(Some(articles))
}

/// An article whose reading panics or does not end is one that could not be read: its entry is published all the same.
fn unread(flaw: &Flaw) -> Flaw {
    Flaw::new(FlawCode::ArticleUnread, flaw.to_string())
}

async fn read_text(errand: &Errand<'_>, page: Arc<Page>, how: FullText) -> Result<extract::Article, Flaw> {
    let address = page.url.to_string();
    let read = move || {
        let decoded = decode::decode(&page.body, page.content_type.as_deref());
        extract::readable(&decoded.text, &page.url, how.select.as_deref(), how.remove.as_deref())
    };
    let read = errand.readers.try_read("extract", &address, read).await;
    let (article, flaws) = read.map_err(|flaw| unread(&flaw))?;
    let why = || flaws.into_iter().next().unwrap_or_else(|| Flaw::new(FlawCode::ArticleUnread, "nothing was read"));
    article.ok_or_else(why)
}

async fn extract_article(
    errand: &Errand<'_>,
    page: Arc<Page>,
    layouts: Layouts,
) -> Result<(Option<extract::Article>, Vec<Flaw>), Flaw> {
    let address = page.url.to_string();
    let read = move || {
        let decoded = decode::decode(&page.body, page.content_type.as_deref());
        extract::article(&decoded.text, &page.url, &layouts)
    };
    errand.readers.try_read("extract", &address, read).await.map_err(|flaw| unread(&flaw))
}
