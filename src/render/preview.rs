//! A preview as JSON Feed 1.1: what one document said, with everything that JSON Feed has no place for in `_heliu`.
//! Unlike a published feed nothing is filled in: a date that the source did not give is not there.

use super::json_feed::{Author, Grave, Item, authors, graves, item, source};
use super::text::{language, rfc3339};
use crate::model::{
    About, Category, DateRung, EntryId, Feed, Flaw, Format, Image, Link, Person, Precision, Record, Severity, Source,
};
use chrono::{DateTime, FixedOffset};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a preview shows.
#[derive(Debug, Clone, Copy)]
pub struct Preview<'a> {
    /// The entries.
    pub feed: &'a Feed,
    /// What the source says about itself.
    pub about: &'a About,
    /// The address that answered, when it was one.
    pub address: Option<&'a str>,
    /// What kind of document it was, when it was one.
    pub format: Option<Format>,
    /// The layout that fitted, for pages.
    pub layout: Option<&'a str>,
    /// The charset that it was read in.
    pub charset: Option<&'a str>,
    /// What was wrong: a channel or address, and the flaw.
    pub flaws: &'a [(String, Flaw)],
    /// What rules made of the entries, when that was asked for.
    pub explanation: Option<&'a Explanation>,
}

/// What rules made of the entries, in JSON.
#[derive(Debug, Clone, Default)]
pub struct Explanation {
    /// The steps of each entry that is shown.
    pub shown: BTreeMap<EntryId, Value>,
    /// The entries that are not shown, with their steps and why.
    pub left_out: Vec<Value>,
}

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    home_page_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    favicon: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Author>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    _heliu: FeedExtension<'a>,
    items: Vec<Item<EntryExtension<'a>>>,
}

/// What `_heliu` says about the document. Every member is always there; what was not said is `null` or empty.
#[derive(Serialize)]
struct FeedExtension<'a> {
    id: Option<&'a str>,
    title: Option<&'a str>,
    published: Option<String>,
    updated: Option<String>,
    rights: Option<&'a str>,
    generator: Option<&'a str>,
    authors: &'a [Person],
    contributors: &'a [Person],
    categories: &'a [Category],
    links: &'a [Link],
    image: Option<&'a Image>,
    address: Option<&'a str>,
    format: Option<Format>,
    layout: Option<&'a str>,
    charset: Option<&'a str>,
    /// Entries that the source says it withdrew.
    tombstones: Vec<Grave>,
    flaws: Vec<FlawLine<'a>>,
    /// Only when an explanation was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<&'a [Value]>,
}

#[derive(Serialize)]
struct FlawLine<'a> {
    place: &'a str,
    code: &'static str,
    severity: Severity,
    detail: &'a str,
    advice: &'static str,
}

/// What `_heliu` says about an entry.
#[derive(Serialize)]
struct EntryExtension<'a> {
    updated: Option<String>,
    /// How exactly the date of publication was given; `null` when it was not given.
    precision: Option<Precision>,
    /// When the source withdrew it; `null` unless it did.
    withdrawn: Option<String>,
    rights: Option<&'a str>,
    source: Option<Source>,
    authors: &'a [Person],
    contributors: &'a [Person],
    categories: &'a [Category],
    links: &'a [Link],
    images: &'a [Image],
    /// Only when an explanation was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<&'a Value>,
}

/// The preview as JSON Feed 1.1. The same document always gives the same bytes, whenever it is read.
#[must_use]
pub fn preview_json(preview: &Preview<'_>) -> String {
    let about = preview.about;
    let tag = about.language.as_deref().filter(|tag| language(tag).is_some());
    let title = about.title.as_deref().or(preview.address).unwrap_or(&preview.feed.title);
    let entry = |record| entry(record, tag.unwrap_or_default(), preview.explanation);
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title,
        home_page_url: about.home.as_deref(),
        feed_url: about.feed_url.as_deref().or(preview.address),
        description: about.subtitle.as_deref(),
        icon: about.image.as_ref().map(|image| image.url.as_str()),
        favicon: about.icon.as_deref(),
        authors: authors(&about.authors),
        language: tag,
        _heliu: extension(preview),
        items: preview.feed.entries.iter().map(entry).collect(),
    };
    // Plain structs of strings and numbers always serialise.
    let mut text = serde_json::to_string(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn extension<'a>(preview: &Preview<'a>) -> FeedExtension<'a> {
    let about = preview.about;
    let line = |(place, flaw): &'a (String, Flaw)| FlawLine {
        place,
        code: flaw.code.as_str(),
        severity: flaw.code.severity(),
        detail: &flaw.detail,
        advice: flaw.code.advice(),
    };
    FeedExtension {
        id: about.id.as_deref(),
        title: about.title.as_deref(),
        published: instant(about.published),
        updated: instant(about.updated),
        rights: about.rights.as_deref(),
        generator: about.generator.as_deref(),
        authors: &about.authors,
        contributors: &about.contributors,
        categories: &about.categories,
        links: &about.links,
        image: about.image.as_ref(),
        address: preview.address,
        format: preview.format,
        layout: preview.layout,
        charset: preview.charset,
        tombstones: graves(preview.feed),
        flaws: preview.flaws.iter().map(line).collect(),
        left_out: preview.explanation.map(|explanation| explanation.left_out.as_slice()),
    }
}

fn entry<'a>(
    record: &'a Record,
    feed_language: &str,
    explanation: Option<&'a Explanation>,
) -> Item<EntryExtension<'a>> {
    let entry = &record.entry;
    let given = entry.published.rung != DateRung::FirstSeen;
    let extension = EntryExtension {
        updated: instant(entry.updated),
        precision: given.then_some(entry.published.precision),
        withdrawn: record.withdrawn.map(|at| rfc3339(at.fixed_offset())),
        rights: entry.rights.as_deref(),
        source: entry.source.as_ref().map(source),
        authors: &entry.authors,
        contributors: &entry.contributors,
        categories: &entry.categories,
        links: &entry.links,
        images: &entry.images,
        rules: explanation.and_then(|explanation| explanation.shown.get(&entry.id)),
    };
    let content = entry.content.as_deref().map(super::text::owned).filter(|html| !html.trim().is_empty());
    let mut item = item(record, content, feed_language, extension);
    item.date_published = item.date_published.filter(|_| given);
    item.date_modified = instant(entry.updated);
    item
}

fn instant(at: Option<DateTime<FixedOffset>>) -> Option<String> {
    at.map(rfc3339)
}
