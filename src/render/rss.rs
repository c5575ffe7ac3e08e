//! RSS 2.0 (RSS Advisory Board specification 2.0.11 and its best-practices profile), written by the `rss` crate.

use super::text::{
    address, content, cover, description, escape, feed_language, feed_title, file_type, guid, owned, pictures, rfc822,
    some_line,
};
use super::{Form, Site};
use crate::model::{Enclosure, Entry, Feed, Image, Person, Source};
use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Channel, Guid, Item};
use std::collections::BTreeMap;

/// The namespace of Media RSS. The crate declares the namespaces of its own modules, not this one.
const MEDIA: &str = "http://search.yahoo.com/mrss/";

/// How long a reader may keep the document without asking, in minutes: the default interval of polls.
const TTL_MINUTES: &str = "30";

/// The feed as RSS 2.0.
#[must_use]
pub fn rss(feed: &Feed, site: &Site<'_>) -> String {
    let page = Form::Page.address(feed, site);
    let channel = Channel {
        title: feed_title(feed),
        link: feed.home.as_deref().and_then(address).unwrap_or_else(|| page.clone()),
        description: description(feed),
        language: Some(feed_language(feed, site).to_lowercase()),
        last_build_date: Some(rfc822(feed.updated.fixed_offset())),
        // No version: an upgrade of Heliu alone must not change the bytes of every feed.
        generator: Some("Heliu".to_owned()),
        docs: Some("https://www.rssboard.org/rss-specification".to_owned()),
        ttl: Some(TTL_MINUTES.to_owned()),
        atom_ext: Some(AtomExtension { links: channel_links(feed, site, page) }),
        namespaces: BTreeMap::from([("media".to_owned(), MEDIA.to_owned())]),
        items: feed.entries.iter().map(|record| item(feed, &record.entry, &feed_language(feed, site))).collect(),
        ..Channel::default()
    };
    // Writing into memory cannot fail.
    let bytes = channel.pretty_write_to(Vec::new(), b' ', 1).unwrap_or_default();
    let mut text = String::from_utf8(bytes).unwrap_or_default();
    text.push('\n');
    text
}

fn channel_links(feed: &Feed, site: &Site<'_>, page: String) -> Vec<Link> {
    let link = |rel: &str, form: Form, href: String| Link {
        href,
        rel: rel.to_owned(),
        mime_type: Some(form.link_type().to_owned()),
        ..Link::default()
    };
    vec![link("self", Form::Rss, Form::Rss.address(feed, site)), link("alternate", Form::Page, page)]
}

fn item(feed: &Feed, entry: &Entry, feed_language: &str) -> Item {
    let link = entry.url.as_deref().and_then(address);
    let guid = guid(&entry.id);
    // The summary is plain text, `description` is HTML for every reader.
    let summary = entry.summary.as_deref().and_then(|text| some_text(text).map(|text| escape(&text)));
    let content = content(feed, entry);
    // With no summary the full text is the description; to say it twice would double the document.
    let (description, content) = match (summary, content) {
        (None, content) => (content, None),
        both => both,
    };
    let mut title = some_line(&entry.title);
    if title.is_none() && description.is_none() {
        title = Some(link.clone().unwrap_or_else(|| guid.clone()));
    }
    let source = entry.source.as_ref();
    let files: Vec<_> = entry.enclosures.iter().filter_map(|file| Some((address(&file.url)?, file))).collect();
    Item {
        title,
        guid: Some(Guid { permalink: link.as_deref() == Some(&guid), value: guid }),
        link,
        description,
        content,
        categories: categories(entry),
        pub_date: Some(rfc822(entry.published.at)),
        source: source.and_then(feed_source),
        enclosure: files.first().map(|(url, file)| enclosure(url, file)),
        extensions: media(entry, files.get(1..).unwrap_or_default()),
        dublin_core_ext: dublin_core(entry, feed_language),
        ..Item::default()
    }
}

/// Text with at least one visible character.
fn some_text(text: &str) -> Option<String> {
    let text = owned(text);
    (!text.trim().is_empty()).then_some(text)
}

fn categories(entry: &Entry) -> Vec<Category> {
    let category = |one: &crate::model::Category| {
        let name = one.label.as_deref().and_then(some_line).or_else(|| some_line(&one.term))?;
        Some(Category { name, domain: one.scheme.as_deref().and_then(some_line) })
    };
    entry.categories.iter().filter_map(category).collect()
}

/// RSS demands an address in `source`; a source without one is told by [`dublin_core`].
fn feed_source(source: &Source) -> Option<rss::Source> {
    let url = source.feed_url.as_deref().and_then(address).or_else(|| source.url.as_deref().and_then(address))?;
    let title = some_line(&source.title).unwrap_or_else(|| url.clone());
    Some(rss::Source { url, title: Some(title) })
}

/// RSS demands a length; 0 says that it is not known (RSS Advisory Board profile).
fn enclosure(url: &str, file: &Enclosure) -> rss::Enclosure {
    rss::Enclosure {
        url: url.to_owned(),
        length: file.length.unwrap_or(0).to_string(),
        mime_type: file_type(file.media_type.as_deref()),
    }
}

/// Names go into Dublin Core, since `author` of RSS must be an e-mail address.
fn dublin_core(entry: &Entry, feed_language: &str) -> Option<DublinCoreExtension> {
    let names = |people: &[Person]| people.iter().filter_map(|one| some_line(&one.name)).collect();
    let one = |text: Option<String>| text.into_iter().collect::<Vec<_>>();
    let unaddressed = entry.source.as_ref().filter(|source| feed_source(source).is_none());
    let dc = DublinCoreExtension {
        creators: names(&entry.authors),
        contributors: names(&entry.contributors),
        sources: one(unaddressed.and_then(|source| some_line(&source.title))),
        languages: one(super::text::entry_language(entry, feed_language)),
        rights: one(entry.rights.as_deref().and_then(some_line)),
        ..DublinCoreExtension::default()
    };
    (dc != DublinCoreExtension::default()).then_some(dc)
}

/// Further enclosures and the pictures as Media RSS: an item may hold one enclosure only.
fn media(entry: &Entry, further: &[(String, &Enclosure)]) -> ExtensionMap {
    let mut contents: Vec<Extension> = further.iter().map(|(url, file)| media_file(url, file)).collect();
    contents.extend(pictures(entry).into_iter().map(|(url, image)| media_image(&url, image)));
    let mut of_media = BTreeMap::new();
    if let Some((url, image)) = cover(entry) {
        let mut attrs = size(image);
        attrs.insert("url".to_owned(), url);
        of_media.insert("thumbnail".to_owned(), vec![element("media:thumbnail", attrs)]);
    }
    if !contents.is_empty() {
        of_media.insert("content".to_owned(), contents);
    }
    if of_media.is_empty() { ExtensionMap::new() } else { BTreeMap::from([("media".to_owned(), of_media)]) }
}

fn media_file(url: &str, file: &Enclosure) -> Extension {
    let mut attrs = BTreeMap::from([
        ("url".to_owned(), url.to_owned()),
        ("type".to_owned(), file_type(file.media_type.as_deref())),
    ]);
    attrs.extend(file.length.map(|length| ("fileSize".to_owned(), length.to_string())));
    attrs.extend(file.duration.map(|seconds| ("duration".to_owned(), seconds.to_string())));
    with_text(element("media:content", attrs), "title", file.title.as_deref())
}

fn media_image(url: &str, image: &Image) -> Extension {
    let mut attrs = size(Some(image));
    attrs.insert("url".to_owned(), url.to_owned());
    attrs.insert("medium".to_owned(), "image".to_owned());
    with_text(element("media:content", attrs), "description", image.alt.as_deref())
}

/// Width and height, when known.
fn size(image: Option<&Image>) -> BTreeMap<String, String> {
    let width = image.and_then(|image| image.width).map(|width| ("width".to_owned(), width.to_string()));
    let height = image.and_then(|image| image.height).map(|height| ("height".to_owned(), height.to_string()));
    width.into_iter().chain(height).collect()
}

fn element(name: &str, attrs: BTreeMap<String, String>) -> Extension {
    Extension { name: name.to_owned(), attrs, ..Extension::default() }
}

/// Puts a plain-text child into a Media RSS element.
fn with_text(mut parent: Extension, child: &str, text: Option<&str>) -> Extension {
    if let Some(value) = text.and_then(some_line) {
        let mut inner = element(&format!("media:{child}"), BTreeMap::from([("type".to_owned(), "plain".to_owned())]));
        inner.value = Some(value);
        parent.children.insert(child.to_owned(), vec![inner]);
    }
    parent
}
