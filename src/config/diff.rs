//! What a reload changes.

use super::types::{Channel, Config, ListPage, Origin};
use crate::model::{ChannelId, FeedId, Layout, NextPage};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// What happened to the members of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes<Id> {
    /// Only in the new file, in its order.
    pub added: Vec<Id>,
    /// Only in the old file, in its order.
    pub removed: Vec<Id>,
    /// In both, with another content, in the new file's order.
    pub changed: Vec<Id>,
}

impl<Id> Changes<Id> {
    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// What differs between two configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// Whether the section `service` differs.
    pub service_changed: bool,
    /// What happened to channels; a changed layout changes the channels that use it.
    pub channels: Changes<ChannelId>,
    /// What happened to feeds.
    pub feeds: Changes<FeedId>,
}

impl Diff {
    /// Whether the two are the same but for their order.
    pub fn is_empty(&self) -> bool {
        !self.service_changed && self.channels.is_empty() && self.feeds.is_empty()
    }
}

/// What `new` changes against `old`.
#[must_use]
pub fn diff(old: &Config, new: &Config) -> Diff {
    Diff {
        service_changed: old.service != new.service,
        channels: changes(&old.channels, &new.channels, |channel| &channel.id),
        feeds: changes(&old.feeds, &new.feeds, |feed| &feed.id),
    }
}

fn changes<T: PartialEq, Id: Clone + Ord>(old: &[T], new: &[T], id: fn(&T) -> &Id) -> Changes<Id> {
    let before: std::collections::BTreeMap<&Id, &T> = old.iter().map(|member| (id(member), member)).collect();
    let after: std::collections::BTreeSet<&Id> = new.iter().map(id).collect();
    let ids = |members: Vec<&T>| members.into_iter().map(|member| id(member).clone()).collect();
    Changes {
        added: ids(new.iter().filter(|member| !before.contains_key(id(member))).collect()),
        removed: ids(old.iter().filter(|member| !after.contains(id(member))).collect()),
        changed: ids(new.iter().filter(|member| before.get(id(member)).is_some_and(|old| old != member)).collect()),
    }
}

/// What is hashed: written as JSON in the order of these fields. A change of this form needs a new `version`.
#[derive(Serialize)]
struct Extraction<'a> {
    version: u32,
    addresses: Vec<(&'a str, Option<&'a NextPage>)>,
    feed: Option<&'a str>,
    layouts: &'a [Layout],
    articles: Vec<(&'a str, &'a crate::model::ArticleLayout)>,
    timezone: &'a str,
    language: &'a str,
    /// The only rule that decides what is read. Absent without one, so that ledgers from before know their hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    full_text: Option<&'a crate::rule::FullText>,
}

/// A hash (SHA-256 in hexadecimal) of all that decides what is read from a channel: origin, zone, language,
/// and the rule `full_text`. Other rules work on what is in the ledger and need no fetch.
/// The same in every process, on every machine and in every version with the same form.
#[must_use]
pub fn fingerprint(channel: &Channel) -> String {
    let mut form = Extraction {
        version: 1,
        addresses: Vec::new(),
        feed: None,
        layouts: &[],
        articles: Vec::new(),
        timezone: channel.timezone.name(),
        language: &channel.language,
        full_text: channel.rules.full_text(),
    };
    match &channel.origin {
        Origin::Feed { url } => form.feed = Some(url.as_str()),
        Origin::Page(page) => {
            let ListPage { addresses, layouts, articles } = &**page;
            form.addresses = addresses.iter().map(|page| (page.url.as_str(), page.next.as_ref())).collect();
            form.layouts = layouts;
            form.articles = articles.iter().map(|(name, layout)| (name.as_str(), layout)).collect();
        }
    }
    // The form holds nothing but text, numbers and lists, which JSON always takes.
    let json = serde_json::to_vec(&form).unwrap_or_default();
    Sha256::digest(json).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
