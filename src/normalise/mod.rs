//! What a source said → entries: identity, addresses, dates, safe HTML, language.

mod about;
pub mod date;
mod entry;
pub mod html;
mod identity;
mod ladder;
pub mod text;
pub mod url;
mod withdrawn;

#[cfg(test)]
mod tests;

use crate::model::{Candidate, Flaw, FlawCode, Format, Key, KeyKind, ParsedEntry, ParsedFeed};
use ::url::Url;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::collections::{HashMap, HashSet};

pub use about::about;
pub use identity::link_key;
pub use withdrawn::withdrawn;

/// What kind of source an entry comes from: it decides what identifies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A portal's page: the path identifies, under whatever host.
    Portal,
    /// Somebody else's feed: its ids identify, and are kept as they are.
    External,
}

/// What surrounds a document.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The instant of reading.
    pub now: DateTime<Utc>,
    /// The zone of dates that name none, and of days.
    pub timezone: Tz,
    /// BCP 47 language of the channel.
    pub language: &'a str,
    /// The address that answered; base of relative addresses.
    pub base: &'a Url,
    /// Portal or external feed.
    pub kind: Kind,
}

/// The most flaws that are noted of one document: after these nothing new is said.
const MOST_FLAWS: usize = 10_000;

/// Makes entries of what was read, in the order of the document. What cannot be told from other entries
/// is left out; everything that is wrong is said in a flaw.
pub fn feed(parsed: &ParsedFeed, context: &Context<'_>) -> (Vec<Candidate>, Vec<Flaw>) {
    let mut flaws = Vec::new();
    let mut drafts = Vec::new();
    let mut shared = entry::Shared::new(parsed, context, &mut flaws);
    for read in &parsed.entries {
        drafts.push(entry::draft(read, parsed, &mut shared, context, &mut flaws));
        flaws.truncate(MOST_FLAWS);
    }
    let candidates = identify(drafts, context, &mut flaws);
    (candidates, flaws)
}

/// The page of an entry and the value of its link key, as [`feed()`] reads them; `None` without a usable link.
pub fn page(read: &ParsedEntry, feed: &ParsedFeed, context: &Context<'_>) -> Option<(String, Url)> {
    let base = url::base(&document_base(feed, context.base), &[read.base.as_deref()]);
    let link = entry::links(&read.links, &mut entry::Addresses { base, flaws: &mut Vec::new() }).0?;
    Some((link_key(&link, read.identity.as_deref(), context.kind), link))
}

/// What the addresses of a document are resolved against: the base that it gives itself, else its own address. RSS knows
/// nothing of bases; where its channel lives on another host than the document, the document is a proxy's, and relative
/// addresses were written for the channel.
fn document_base(feed: &ParsedFeed, address: &Url) -> Url {
    let is_rss =
        matches!(feed.format, Format::Rss090 | Format::Rss091 | Format::Rss092 | Format::Rss10 | Format::Rss20);
    if feed.base.is_some() || !is_rss {
        return url::base(address, &[feed.base.as_deref()]);
    }
    let host = |url: &Url| url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host).to_owned());
    let home = feed.links.iter().find(|link| matches!(link.rel.as_str(), "" | "alternate"));
    home.map(|home| home.href.trim())
        .filter(|href| {
            let scheme = href.split_once("://").map_or("", |(scheme, _)| scheme);
            scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
        })
        .and_then(|href| url::resolve(address, href).ok())
        .filter(|home| host(home) != host(address))
        .unwrap_or_else(|| address.clone())
}

/// Gives every draft its keys and its id; merges repeated ones into the first.
fn identify(drafts: Vec<entry::Draft>, context: &Context<'_>, flaws: &mut Vec<Flaw>) -> Vec<Candidate> {
    let ambiguous = ambiguous_ids(&drafts, flaws);
    let shared = shared_links(&drafts, &ambiguous);
    let mut seen: HashMap<Key, usize> = HashMap::new();
    let mut out: Vec<Candidate> = Vec::new();
    for draft in drafts {
        let id = draft.guid.as_ref().filter(|id| !ambiguous.contains(*id));
        let link = draft.link_key.as_ref().filter(|link| id.is_none() || !shared.contains(*link));
        let day = draft.title_day.as_ref();
        let key = |kind, value: &String| Key { kind, value: value.clone() };
        let mut keys = Vec::new();
        keys.extend(id.map(|id| key(KeyKind::Guid, id)));
        keys.extend(link.map(|link| key(KeyKind::Link, link)));
        // Feeds need not give an entry more than a text (RSS 2.0, "elements of item"): then that is what it is known by.
        let text = draft.text_key.as_ref().filter(|_| keys.is_empty() && day.is_none());
        keys.extend(text.map(|text| key(KeyKind::Guid, text)));
        let strong = keys.first().cloned();
        keys.extend(day.map(|day| key(KeyKind::TitleDay, day)));
        let Some(first) = strong.or_else(|| keys.first().cloned()) else {
            let what = format!("{:?} has no link and nothing else that tells it from others", draft.entry.title);
            flaws.push(Flaw::new(FlawCode::EntryWithoutLink, what));
            continue;
        };
        // The same link again is the same entry again; so is the same evidence where there is no link.
        let same = keys.iter().find(|key| key.kind == KeyKind::Link).unwrap_or(&first).clone();
        if let Some(&at) = seen.get(&same) {
            entry::complete(&mut out[at].entry, draft.entry);
            continue;
        }
        seen.insert(same.clone(), out.len());
        // A title may stand twice on one day: then it tells nothing apart.
        keys.retain(|key| key.kind != KeyKind::TitleDay || *key == same || !seen.contains_key(key));
        for key in keys.iter().filter(|key| key.kind == KeyKind::TitleDay) {
            seen.entry(key.clone()).or_insert(out.len());
        }
        let mut entry = draft.entry;
        entry.id.0 = match (context.kind, id, &draft.link, link) {
            (Kind::Portal, _, Some(url), Some(link)) => identity::portal_id(url, link),
            (Kind::External, Some(id), ..) => id.clone(),
            (Kind::External, None, Some(url), _) => url.to_string(),
            _ if text == Some(&same.value) => same.value,
            _ => identity::mint(&same.value),
        };
        out.push(Candidate { keys, entry });
    }
    out
}

/// The ids that more than one entry carries, unless it is one entry that stands there twice.
fn ambiguous_ids(drafts: &[entry::Draft], flaws: &mut Vec<Flaw>) -> HashSet<String> {
    let mut first: HashMap<&str, &entry::Draft> = HashMap::new();
    let mut ambiguous = HashSet::new();
    for draft in drafts {
        let Some(id) = draft.guid.as_deref() else { continue };
        let Some(known) = first.get(id) else {
            first.insert(id, draft);
            continue;
        };
        let same =
            known.link_key == draft.link_key && (draft.link_key.is_some() || known.entry.title == draft.entry.title);
        if ambiguous.contains(id) {
            continue;
        }
        flaws.push(Flaw::new(
            FlawCode::DuplicateId,
            format!("{id:?} stands at {:?} and at {:?}", known.entry.title, draft.entry.title),
        ));
        if !same {
            ambiguous.insert(id.to_owned());
        }
    }
    ambiguous
}

/// The links that entries with different ids share, such as a feed's home page: they tell nothing apart.
fn shared_links(drafts: &[entry::Draft], ambiguous: &HashSet<String>) -> HashSet<String> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    let mut shared = HashSet::new();
    for draft in drafts {
        let (Some(id), Some(link)) =
            (draft.guid.as_deref().filter(|id| !ambiguous.contains(*id)), draft.link_key.as_deref())
        else {
            continue;
        };
        if *first.entry(link).or_insert(id) != id {
            shared.insert(link.to_owned());
        }
    }
    shared
}
