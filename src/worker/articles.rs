//! Follows entries to their own pages: for byline, source, editor, full text and pictures.
//!
//! A new entry's article is read before the entry is published, so that readers do not get it twice. An
//! article that could not be read, and one that is young enough to be corrected still, is asked for again
//! later, driven by the ledger and not by the list, which may well answer 304 for days.

use super::errand::{self, Errand, Page};
use super::listing::{compute, link_of};
use crate::config::{Channel, Origin};
use crate::model::{ArticleLayout, Flaw, FlawCode, Link, ParsedEntry, Record, Text};
use crate::net::Accept;
use crate::store::{FetchState, Store, StoreError};
use crate::{decode, extract, schedule};
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::Arc;
use url::Url;

/// The most articles that are read in one poll of a channel; further ones follow with the next polls.
const MOST_ARTICLES: usize = 40;

/// An article that could not be read is tried this often, then the entry stays as the list gave it.
const MOST_TRIES: u32 = 5;

/// How many of the newest entries are looked at for articles that are due again.
const LOOK_BACK: usize = 60;

type Layouts = Vec<(String, ArticleLayout)>;

/// What reading articles needs to know.
pub(super) struct Reader<'a> {
    pub store: &'a dyn Store,
    pub channel: &'a Arc<Channel>,
    pub now: DateTime<Utc>,
}

impl Reader<'_> {
    fn layouts(&self) -> Option<&Layouts> {
        match &self.channel.origin {
            Origin::Page { articles, .. } if !articles.is_empty() => Some(articles),
            _ => None,
        }
    }

    /// Joins to each unknown entry what its article's page says. `published` tells when the list says
    /// that an entry came out, which decides whether its article is read again later.
    pub(super) async fn complete(
        &self,
        errand: &mut Errand<'_>,
        entries: &mut [ParsedEntry],
        published: impl Fn(&str) -> Option<DateTime<Utc>>,
        flaws: &mut Vec<Flaw>,
    ) -> Result<(), StoreError> {
        let Some(layouts) = self.layouts() else { return Ok(()) };
        let links: Vec<_> = entries.iter().map(link_of).collect();
        let keys: Vec<_> = links.iter().flatten().map(|(key, _)| key.clone()).collect();
        let known = self.store.known_links(&self.channel.id, &keys).await?;
        let mut unknown: HashSet<String> =
            keys.iter().zip(&known).filter(|(_, known)| !**known).map(|(key, _)| key.clone()).collect();
        let urls: Vec<_> = links.iter().flatten().map(|(_, url)| url.to_string()).collect();
        errand.recall(self.store, &urls).await?;
        let mut left = MOST_ARTICLES;
        for (entry, link) in entries.iter_mut().zip(links) {
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
            let out = published(&key).unwrap_or(self.now);
            self.read(errand, layouts, &url, key, out, entry, false, flaws).await;
        }
        Ok(())
    }

    /// Reads again the articles of known entries that are due; yields entries that hold what was read.
    pub(super) async fn again(
        &self,
        errand: &mut Errand<'_>,
        flaws: &mut Vec<Flaw>,
    ) -> Result<Vec<ParsedEntry>, StoreError> {
        let Some(layouts) = self.layouts() else { return Ok(Vec::new()) };
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
            self.read(errand, layouts, &url, key, out, &mut entry, true, flaws).await;
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
        let due = state.not_before? <= self.now && state.checked != Some(self.now);
        let key = state.link_key.clone()?;
        due.then(|| Some((Url::parse(url).ok()?, key)))?
    }

    /// Reads one article, all its pages, into `entry`, and notes when to come back.
    #[expect(clippy::too_many_arguments, reason = "one step of two loops above, private to this file")]
    async fn read(
        &self,
        errand: &mut Errand<'_>,
        layouts: &Layouts,
        url: &Url,
        key: String,
        published: DateTime<Utc>,
        entry: &mut ParsedEntry,
        trust: bool,
        flaws: &mut Vec<Flaw>,
    ) {
        let failures = errand.state(url.as_str()).map_or(0, |state| state.failures);
        let outcome = pages(errand, layouts, url, trust).await;
        match outcome {
            Ok(read) => {
                if let Some(articles) = read {
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
                if !trust && comics(layouts) {
                    extract::comic(entry);
                }
                let failures = failures + 1;
                errand.note(url, |state: &mut FetchState| {
                    state.failures = failures;
                    state.checked = Some(self.now);
                    state.not_before = (failures < MOST_TRIES).then(|| schedule::article_retry(self.now, failures));
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
    layouts: &Layouts,
    first: &Url,
    trust: bool,
) -> Result<Option<Vec<extract::Article>>, Flaw> {
    let unread = |detail: String| Flaw::new(FlawCode::ArticleUnread, detail);
    let page =
        errand.get(first, Accept::Page, trust).await.map_err(|error| unread(errand::flaw(&error).to_string()))?;
    if page.unchanged {
        return Ok(None);
    }
    let (article, flaws) = extract_article(page, layouts.clone()).await;
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
        // A page that is missing would leave a text that ends in the middle: better none, and again later.
        let page = match errand.get(&url, Accept::Page, false).await {
            Ok(page) => page,
            Err(error) if error.status == Some(404) => break,
            Err(error) => return Err(unread(errand::flaw(&error).to_string())),
        };
        let (article, _) = extract_article(page, layouts.clone()).await;
        let Some(article) = article else { break };
        next.clone_from(&article.next);
        articles.push(article);
    }
    Ok(Some(articles))
}

async fn extract_article(page: Arc<Page>, layouts: Layouts) -> (Option<extract::Article>, Vec<Flaw>) {
    compute(move || {
        let decoded = decode::decode(&page.body, page.content_type.as_deref());
        extract::article(&decoded.text, &page.url, &layouts)
    })
    .await
}
