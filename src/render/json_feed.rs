//! JSON Feed 1.1 (<https://www.jsonfeed.org/version/1.1/>), written by serde. What the format has no place for
//! stands in `_heliu`.

use super::text::{
    address, content, cover, description, entry_language, feed_id, feed_language, feed_title, file_type, guid, line,
    owned, revised, rfc3339, some_line,
};
use super::{Form, Site};
use crate::model::{Entry, Feed, Joined, Person, Record, Source, Standing, Tombstone};
use serde::Serialize;

#[derive(Serialize)]
struct Document {
    version: &'static str,
    title: String,
    home_page_url: String,
    feed_url: String,
    description: String,
    language: String,
    authors: Vec<Author>,
    _heliu: FeedExtension,
    items: Vec<Item<EntryExtension>>,
}

/// What `_heliu` says about the feed.
#[derive(Serialize)]
struct FeedExtension {
    id: String,
    updated: String,
    standing: Standing,
    /// The highest sequence number among the items; a poller that remembers it knows what it has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// Entries that their sources withdrew, latest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tombstones: Vec<Grave>,
}

/// A withdrawn entry.
#[derive(Serialize)]
pub(super) struct Grave {
    id: String,
    when: String,
}

/// The withdrawn entries of a feed.
pub(super) fn graves(feed: &Feed) -> Vec<Grave> {
    let grave = |one: &Tombstone| Grave { id: guid(&one.id), when: rfc3339(one.when.fixed_offset()) };
    feed.tombstones.iter().map(grave).collect()
}

#[derive(Serialize)]
pub(super) struct Author {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Item<E> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) date_published: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) date_modified: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Author>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment>,
    _heliu: E,
}

/// What `_heliu` says about an entry.
#[derive(Serialize)]
struct EntryExtension {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contributors: Vec<Author>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<String>,
    first_seen: String,
    standing: Standing,
    channel: String,
    /// Entries that are the same article, and what told so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    joined: Vec<JoinedEntry>,
}

#[derive(Serialize)]
struct JoinedEntry {
    channel: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    rung: &'static str,
}

#[derive(Serialize)]
struct Attachment {
    url: String,
    mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_in_seconds: Option<u64>,
}

/// The feed as JSON Feed 1.1.
#[must_use]
pub fn json_feed(feed: &Feed, site: &Site<'_>) -> String {
    let language = feed_language(feed, site);
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: feed_title(feed),
        home_page_url: feed.home.as_deref().and_then(address).unwrap_or_else(|| Form::Page.address(feed, site)),
        feed_url: Form::Json.address(feed, site),
        description: description(feed),
        authors: vec![Author { name: line(site.title), url: Some(site.address("")) }],
        _heliu: FeedExtension {
            id: feed_id(feed),
            updated: rfc3339(feed.updated.fixed_offset()),
            standing: feed.standing,
            sequence: feed.entries.iter().map(|record| record.seq).max(),
            tombstones: graves(feed),
        },
        items: feed
            .entries
            .iter()
            .map(|record| {
                let extension = extension(record, feed.joined_into(&record.entry.id));
                item(record, content(feed, &record.entry), &language, extension)
            })
            .collect(),
        language,
    };
    // Plain structs of strings and numbers always serialise.
    let mut text = serde_json::to_string(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn extension(record: &Record, joined: &[Joined]) -> EntryExtension {
    let entry = &record.entry;
    EntryExtension {
        source: entry.source.as_ref().map(source),
        contributors: authors(&entry.contributors),
        rights: entry.rights.as_deref().map(owned).filter(|text| !text.trim().is_empty()),
        first_seen: rfc3339(record.first_seen.fixed_offset()),
        standing: record.standing,
        channel: record.channel.to_string(),
        joined: joined.iter().map(joined_entry).collect(),
    }
}

/// An entry with what `_heliu` says about it.
pub(super) fn item<E>(record: &Record, content_html: Option<String>, feed_language: &str, extension: E) -> Item<E> {
    let entry = &record.entry;
    let some = |text: &str| Some(owned(text)).filter(|text| !text.trim().is_empty());
    let summary = entry.summary.as_deref().and_then(some);
    // An item must hold content_html or content_text.
    let text = || summary.clone().unwrap_or_else(|| line(&entry.title));
    Item {
        id: guid(&entry.id),
        url: entry.url.as_deref().and_then(address),
        title: some_line(&entry.title),
        content_text: content_html.is_none().then(text),
        content_html,
        image: cover(entry).map(|(url, _)| url),
        date_published: Some(rfc3339(entry.published.at)),
        date_modified: revised(entry).map(rfc3339),
        authors: authors(&entry.authors),
        tags: tags(entry),
        language: entry_language(entry, feed_language),
        attachments: attachments(entry),
        _heliu: extension,
        summary,
    }
}

fn joined_entry(one: &Joined) -> JoinedEntry {
    JoinedEntry {
        channel: one.channel.to_string(),
        id: line(&one.id.0),
        url: one.url.as_deref().and_then(address),
        rung: one.rung.name(),
    }
}

pub(super) fn authors(people: &[Person]) -> Vec<Author> {
    let author =
        |person: &Person| Some(Author { name: some_line(&person.name)?, url: person.uri.as_deref().and_then(address) });
    people.iter().filter_map(author).collect()
}

/// Plain words, each once.
fn tags(entry: &Entry) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let mut tags: Vec<String> = Vec::new();
    for category in &entry.categories {
        let word = category.label.as_deref().and_then(some_line).or_else(|| some_line(&category.term));
        tags.extend(word.filter(|word| seen.insert(word.clone())));
    }
    tags
}

fn attachments(entry: &Entry) -> Vec<Attachment> {
    let attachment = |file: &crate::model::Enclosure| {
        Some(Attachment {
            url: address(&file.url)?,
            mime_type: file_type(file.media_type.as_deref()),
            title: file.title.as_deref().and_then(some_line),
            size_in_bytes: file.length,
            duration_in_seconds: file.duration,
        })
    };
    entry.enclosures.iter().filter_map(attachment).collect()
}

pub(super) fn source(source: &Source) -> Source {
    Source {
        title: line(&source.title),
        id: source.id.as_deref().and_then(some_line),
        feed_url: source.feed_url.as_deref().and_then(address),
        url: source.url.as_deref().and_then(address),
        rights: source.rights.as_deref().and_then(some_line),
    }
}
