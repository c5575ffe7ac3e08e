//! Reads a channel's list: the first address that answers and fits wins; its next pages follow (`further`).

use super::errand::{self, Errand, Page};
use super::external;
use super::further::{self, Joined};
use super::readers::{GivenUp, Readers};
use super::ready::ready_first;
use super::rests::asked;
use crate::config::{Address, Channel, ListPage, Origin};
use crate::model::{About, Candidate, Flaw, FlawCode, KeyKind, Layout, ParsedEntry, ParsedFeed, Source};
use crate::net::{Accept, FetchError};
use crate::normalise::{self, Context, Kind};
use crate::store::{PollState, Store, StoreError};
use crate::{decode, extract};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};
use url::Url;

/// What a channel's list yielded.
#[derive(Debug)]
pub(super) enum Listing {
    /// The list is the one that was last read.
    Unchanged {
        /// The address that said so.
        url: Url,
        /// Its status.
        status: u16,
        /// How long it stays fresh.
        fresh_for: Option<Duration>,
        /// Where its redirects lead, if every hop was permanent.
        moved: Option<Url>,
    },
    /// Entries were read.
    Read(Box<Read>),
    /// No address yielded anything.
    Nothing {
        /// The address that was asked last.
        url: Option<Url>,
        /// Its status, if it answered.
        status: Option<u16>,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
        /// Whether every address of the channel says that it is gone for good.
        gone: bool,
    },
}

impl Listing {
    /// The status of the answer that counts.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Unchanged { status, .. } => Some(*status),
            Self::Read(read) => Some(read.status),
            Self::Nothing { status, .. } => *status,
        }
    }
}

/// A list that was read.
#[derive(Debug)]
pub(super) struct Read {
    /// The address in feeds.yaml.
    pub address: Url,
    /// The address that answered.
    pub url: Url,
    /// Its status.
    pub status: u16,
    /// The hash of its body.
    pub hash: Option<String>,
    /// How long it stays fresh.
    pub fresh_for: Option<Duration>,
    /// Where its redirects lead, if every hop was permanent.
    pub moved: Option<Url>,
    /// What was read, all pages joined.
    pub joined: Joined,
}

/// What a listing needs to know.
pub(super) struct Desk<'a> {
    pub store: &'a dyn Store,
    pub channel: &'a Arc<Channel>,
    pub state: &'a PollState,
    /// What was last made of the pages was made with this very configuration.
    pub trust: bool,
    pub now: DateTime<Utc>,
}

/// How the channel's documents are normalised.
pub(super) fn context<'a>(channel: &'a Channel, base: &'a Url, now: DateTime<Utc>) -> Context<'a> {
    let kind = match channel.origin {
        Origin::Page(_) => Kind::Portal,
        Origin::Feed { .. } => Kind::External,
    };
    Context { now, timezone: channel.timezone, language: &channel.language, base, kind }
}

/// The strongest key of an entry of a portal page, and the address of its article.
pub(super) fn link_of(entry: &ParsedEntry) -> Option<(String, Url)> {
    let url = Url::parse(&entry.links.first()?.href).ok()?;
    Some((normalise::link_key(&url, entry.identity.as_deref(), Kind::Portal), url))
}

/// Reads the list of a channel.
pub(super) async fn read(
    desk: &Desk<'_>,
    errand: &mut Errand<'_>,
    flaws: &mut Vec<Flaw>,
) -> Result<Listing, StoreError> {
    errand.turn_to(desk.channel);
    let Origin::Page(list) = &desk.channel.origin else {
        return external::read(desk, errand, flaws).await;
    };
    let ListPage { addresses, layouts, .. } = &**list;
    let mut nothing = Listing::Nothing { url: None, status: None, retry_after: None, gone: false };
    let (ready, left_out) = ready_first(addresses, errand, desk);
    let mut gone = 0;
    for address in &ready {
        let (url, asked) = (&address.url.url(), asked(Some(desk.state), &address.url));
        let page = match errand.get(&asked, Accept::Page, desk.trust).await {
            Ok(page) => page,
            Err(error) => {
                flaws.push(errand::flaw(&error));
                gone += usize::from(error.status == Some(410));
                nothing = failed(url, &error, !left_out && gone == ready.len());
                continue;
            }
        };
        if already_read(desk, &page) {
            skipped(flaws);
            return Ok(Listing::Unchanged {
                url: url.clone(),
                status: page.status,
                fresh_for: page.fresh_for,
                moved: page.moved.clone(),
            });
        }
        if page.unchanged && page.body.is_empty() {
            let detail = format!("{url}: unchanged since the channels beside this one read it; no layout fitted then");
            flaws.push(Flaw::new(FlawCode::NoLayoutFits, detail));
            nothing =
                Listing::Nothing { url: Some(url.clone()), status: Some(page.status), retry_after: None, gone: false };
            continue;
        }
        let (parsed, found) = first_page(errand, &page, layouts).await;
        let wall = walled(desk, errand, (url, &page), &parsed).await?;
        if wall.is_some() || parsed.entries.is_empty() {
            flaws.extend(wall.map_or(found, |wall| vec![wall]));
            nothing =
                Listing::Nothing { url: Some(url.clone()), status: Some(page.status), retry_after: None, gone: false };
            continue;
        }
        skipped(flaws);
        flaws.extend(found);
        errand.used(&asked);
        let joined = further::pages(desk, errand, address, &page.url, parsed, flaws).await?;
        return Ok(Listing::Read(Box::new(Read {
            address: url.clone(),
            url: page.url.clone(),
            status: page.status,
            hash: page.hash.clone(),
            fresh_for: page.fresh_for,
            moved: page.moved.clone(),
            joined,
        })));
    }
    Ok(nothing)
}

/// A login or a captcha in place of the page. A layout may fit it all the same: its links are no entries. Only looked
/// for where no entry is known.
async fn walled(
    desk: &Desk<'_>,
    errand: &Errand<'_>,
    (asked, page): (&Url, &Arc<Page>),
    parsed: &ParsedFeed,
) -> Result<Option<Flaw>, StoreError> {
    if further::is_unknown(desk, parsed).await?.contains(&false) {
        return Ok(None);
    }
    let (asked, page) = (asked.clone(), Arc::clone(page));
    let address = page.url.to_string();
    let look = move || {
        let text = decode::decode(&page.body, page.content_type.as_deref()).text;
        extract::wall(&text, &page.url, &asked)
    };
    Ok(errand.readers.read("look at", &address, look).await)
}

/// What a failed fetch amounts to. Told is the address that failed, which a redirect may have led to.
pub(super) fn failed(url: &Url, error: &FetchError, gone: bool) -> Listing {
    let url = Url::parse(&error.url).unwrap_or_else(|_| url.clone());
    Listing::Nothing { url: Some(url), status: error.status, retry_after: error.retry_after, gone }
}

/// Whether the page is the one that this channel last read.
pub(super) fn already_read(desk: &Desk<'_>, page: &Page) -> bool {
    page.unchanged && page.hash.is_some() && page.hash == desk.state.read_hash
}

/// Alarms of addresses that were passed over become notes once a later address serves the channel.
fn skipped(flaws: &mut [Flaw]) {
    for flaw in flaws {
        *flaw = Flaw::new(FlawCode::AddressSkipped, format!("{}: {}", flaw.code, flaw.detail));
    }
}

/// Decodes and extracts on a blocking thread: DOMs are not `Send`, and a large page takes milliseconds.
pub(super) async fn extract_list(
    readers: &Readers,
    page: Arc<Page>,
    layouts: Arc<[Layout]>,
) -> Result<(ParsedFeed, Vec<Flaw>), Flaw> {
    let address = page.url.to_string();
    let read = move || {
        let decoded = decode::decode(&page.body, page.content_type.as_deref());
        let (parsed, found) = extract::list(&decoded.text, &page.url, &layouts);
        let mut flaws = decoded.flaws;
        flaws.extend(found);
        (parsed, flaws)
    };
    readers.try_read("extract", &address, read).await
}

/// Without its first page there is nothing to poll: then the poll is given up.
async fn first_page(errand: &Errand<'_>, page: &Arc<Page>, layouts: &Arc<[Layout]>) -> (ParsedFeed, Vec<Flaw>) {
    let read = extract_list(errand.readers, Arc::clone(page), Arc::clone(layouts)).await;
    read.unwrap_or_else(|flaw| std::panic::resume_unwind(Box::new(GivenUp(flaw))))
}

/// Runs a computation on a blocking thread; a panic in it goes on in the caller, who isolates it. A runtime of one
/// thread has nobody to keep waiting, and there everything happens in one order.
pub(super) async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is being shut down; the task that awaits this is being dropped too.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Normalises on a blocking thread: sanitising many long articles takes milliseconds.
pub(super) async fn normalise(
    readers: &Readers,
    channel: &Arc<Channel>,
    base: &Url,
    now: DateTime<Utc>,
    parsed: ParsedFeed,
) -> (Vec<Candidate>, Vec<Flaw>) {
    let (channel, base) = (Arc::clone(channel), base.clone());
    let address = base.to_string();
    let work = move || {
        let context = context(&channel, &base, now);
        let (mut candidates, flaws) = normalise::feed(&parsed, &context);
        if let Origin::Feed { url } = &channel.origin {
            let origin = origin(&channel, url, &normalise::about(&parsed, &context).0);
            for candidate in &mut candidates {
                candidate.entry.source.get_or_insert_with(|| origin.clone());
            }
        }
        (candidates, flaws)
    };
    readers.read("normalise", &address, work).await
}

/// Where the entries of an external feed come from, unless they say so themselves (RFC 4287 section 4.2.11). The
/// feed's address is the one in feeds.yaml: it works, which what a feed says of itself may not.
fn origin(channel: &Channel, url: &Address, about: &About) -> Source {
    Source {
        title: about.title.clone().unwrap_or_else(|| channel.title.to_string()),
        id: about.id.clone(),
        feed_url: Some(url.to_string()),
        url: about.home.clone(),
        rights: about.rights.clone(),
    }
}

/// The link key of a candidate.
pub(super) fn link_key_of(candidate: &Candidate) -> Option<&str> {
    candidate.keys.iter().find(|key| key.kind == KeyKind::Link).map(|key| key.value.as_str())
}
