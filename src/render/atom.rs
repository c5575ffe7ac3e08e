//! Atom 1.0 (RFC 4287), written by the `atom_syndication` crate.

use super::text::{
    address, atom_id, content, cover, description, entry_language, escape, feed_id, feed_language, feed_title,
    file_type, language, line, media_type, minted, owned, pictures, printable, revised, rfc3339, some_line,
};
use super::{Form, Site};
use crate::model::{self, Entry, Feed};
use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{Category, Content, FixedDateTime, Generator, Link, Person, Source, Text, WriteConfig};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The namespace of Media RSS; the crate declares no namespace by itself.
const MEDIA: &str = "http://search.yahoo.com/mrss/";

/// The namespace of tombstones (RFC 6721).
const TOMBSTONES: &str = "http://purl.org/atompub/tombstones/1.0";

/// The crate writes no encoding into its declaration; ours says what the header says.
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

/// The feed as Atom 1.0.
#[must_use]
pub fn atom(feed: &Feed, site: &Site<'_>) -> String {
    let language = feed_language(feed, site);
    let document = atom_syndication::Feed {
        title: Text::plain(feed_title(feed)),
        id: feed_id(feed),
        updated: printable(changed(feed).fixed_offset()),
        // Every feed needs an author for the entries that name none (section 4.1.1).
        authors: vec![Person { name: line(site.title), ..Person::default() }],
        // No version: an upgrade of Heliu alone must not change the bytes of every feed.
        generator: Some(Generator { value: "Heliu".to_owned(), uri: None, version: None }),
        links: feed_links(feed, site),
        subtitle: Some(Text::plain(description(feed))),
        entries: feed.entries.iter().map(|record| entry(feed, &record.entry, &language)).collect(),
        namespaces: namespaces(feed),
        extensions: tombstones(feed),
        lang: Some(language),
        ..atom_syndication::Feed::default()
    };
    let form = WriteConfig { write_document_declaration: false, indent_size: Some(1) };
    // Writing into memory cannot fail.
    let bytes = document.write_with_config(DECLARATION.as_bytes().to_vec(), form).unwrap_or_default();
    let mut text = String::from_utf8(bytes).unwrap_or_default();
    text.push('\n');
    text
}

/// When this document last changed: a withdrawal changes it and no other form.
fn changed(feed: &Feed) -> DateTime<Utc> {
    feed.tombstones.iter().map(|one| one.when).fold(feed.updated, DateTime::max)
}

/// What is declared; the tombstones' namespace only where there are any, so that no other feed's bytes change.
fn namespaces(feed: &Feed) -> BTreeMap<String, String> {
    let tombstones = (!feed.tombstones.is_empty()).then(|| ("at".to_owned(), TOMBSTONES.to_owned()));
    tombstones.into_iter().chain([("media".to_owned(), MEDIA.to_owned())]).collect()
}

/// `at:deleted-entry` with `ref` and `when` (RFC 6721 section 3), in the order of the feed.
fn tombstones(feed: &Feed) -> ExtensionMap {
    let tombstone = |one: &model::Tombstone| Extension {
        name: "at:deleted-entry".to_owned(),
        // The crate writes the attributes of extensions as they stand.
        attrs: BTreeMap::from([
            ("ref".to_owned(), escape(&atom_id(&one.id))),
            ("when".to_owned(), rfc3339(one.when.fixed_offset())),
        ]),
        ..Extension::default()
    };
    let all: Vec<_> = feed.tombstones.iter().map(tombstone).collect();
    if all.is_empty() {
        return ExtensionMap::new();
    }
    BTreeMap::from([("at".to_owned(), BTreeMap::from([("deleted-entry".to_owned(), all)]))])
}

/// `self`, the page that the feed stands for, and the other forms. When the feed stands for a page of the
/// portal, our own page is `related`: there may be one `alternate` of each type (section 4.1.1).
fn feed_links(feed: &Feed, site: &Site<'_>) -> Vec<Link> {
    let link = |rel: &str, form: Form, href: String| Link {
        href,
        rel: rel.to_owned(),
        mime_type: Some(form.link_type().to_owned()),
        ..Link::default()
    };
    let page = Form::Page.address(feed, site);
    let mut links = vec![link("self", Form::Atom, Form::Atom.address(feed, site))];
    match feed.home.as_deref().and_then(address) {
        Some(home) => {
            links.push(link("alternate", Form::Page, home));
            links.push(link("related", Form::Page, page));
        }
        None => links.push(link("alternate", Form::Page, page)),
    }
    links.push(link("alternate", Form::Rss, Form::Rss.address(feed, site)));
    links.push(link("alternate", Form::Json, Form::Json.address(feed, site)));
    links
}

fn entry(feed: &Feed, entry: &Entry, feed_language: &str) -> atom_syndication::Entry {
    let own = entry_language(entry, feed_language);
    let published = printable(entry.published.at);
    let updated = revised(entry).map_or(published, printable);
    let plain = |text: &str| Text { lang: own.clone(), ..Text::plain(owned(text)) };
    let mut links = links(entry);
    for (url, title) in feed.also_at(&entry.id) {
        let Some(href) = address(url) else { continue };
        if !links.iter().any(|link| link.href == href) {
            links.push(Link { href, rel: "related".to_owned(), title: some_line(title), ..Link::default() });
        }
    }
    let source = entry.source.as_ref().map(|source| self::source(source, updated));
    let content = content(feed, entry).map(|html| Content {
        lang: own.clone(),
        value: Some(html),
        content_type: Some("html".to_owned()),
        ..Content::default()
    });
    // An entry without an alternate link must have content (section 4.1.2).
    let linked = links.iter().any(|link| link.rel == "alternate");
    let content = content.or_else(|| {
        let text = entry.summary.as_deref().unwrap_or(&entry.title);
        (!linked).then(|| Content { lang: own.clone(), value: Some(owned(text)), ..Content::default() })
    });
    atom_syndication::Entry {
        title: Text { lang: own.clone(), ..Text::plain(line(&entry.title)) },
        id: atom_id(&entry.id),
        updated,
        published: Some(published),
        authors: entry.authors.iter().filter_map(person).collect(),
        contributors: entry.contributors.iter().filter_map(person).collect(),
        categories: entry.categories.iter().filter_map(category).collect(),
        links,
        rights: entry.rights.as_deref().map(plain),
        source,
        summary: entry.summary.as_deref().filter(|text| !text.trim().is_empty()).map(plain),
        content,
        extensions: media(entry),
        ..atom_syndication::Entry::default()
    }
}

fn person(person: &model::Person) -> Option<Person> {
    // The grammar of an e-mail address is that of RFC 4287's schema: `.+@.+`.
    let is_mail = |text: &&String| text.split_once('@').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
    Some(Person {
        name: some_line(&person.name)?,
        email: person.email.as_ref().map(|mail| line(mail).trim().to_owned()).as_ref().filter(is_mail).cloned(),
        uri: person.uri.as_deref().and_then(address),
        ..Person::default()
    })
}

fn category(category: &model::Category) -> Option<Category> {
    Some(Category {
        term: some_line(&category.term)?,
        scheme: category.scheme.as_deref().filter(|iri| super::text::is_iri(iri)).map(line),
        label: category.label.as_deref().and_then(some_line),
    })
}

/// The page, the files, and the further links, each combination of relation and address once.
fn links(entry: &Entry) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    if let Some(href) = entry.url.as_deref().and_then(address) {
        links.push(Link { href, mime_type: Some("text/html".to_owned()), ..Link::default() });
    }
    for file in &entry.enclosures {
        links.extend(address(&file.url).map(|href| Link {
            href,
            rel: "enclosure".to_owned(),
            mime_type: Some(file_type(file.media_type.as_deref())),
            length: file.length.map(|length| length.to_string()),
            title: file.title.as_deref().and_then(some_line),
            ..Link::default()
        }));
    }
    for link in &entry.links {
        // A second page would break the rule of one alternate; `self` is this document's business.
        let rel = link.rel.to_ascii_lowercase();
        let told = rel.is_empty() || ["alternate", "self", "enclosure"].contains(&&*rel);
        let token = rel.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        let Some(href) = address(&link.href).filter(|_| !told && token) else { continue };
        links.push(Link {
            href,
            rel,
            mime_type: link.media_type.as_deref().and_then(media_type),
            hreflang: link.hreflang.as_deref().and_then(language),
            title: link.title.as_deref().and_then(some_line),
            length: link.length.map(|length| length.to_string()),
        });
    }
    let mut seen = std::collections::BTreeSet::new();
    links.retain(|link| seen.insert((link.rel.clone(), link.href.clone())));
    links
}

/// Where the entry first appeared. `atom:source` should hold id, title and updated (section 4.2.11); the
/// crate always writes them. A source that is no feed gets an id of its name. We do not know when the source last
/// changed; that it had changed by the time of this entry is certain, so that instant stands there.
fn source(source: &model::Source, updated: FixedDateTime) -> Source {
    let feed_url = source.feed_url.as_deref().and_then(address);
    let page = source.url.as_deref().and_then(address);
    let given = source.id.as_deref().map(line).filter(|id| super::text::is_iri(id));
    let id = given.or_else(|| feed_url.clone()).or_else(|| page.clone());
    let link = |rel: &str, href: String| Link { href, rel: rel.to_owned(), ..Link::default() };
    Source {
        title: Text::plain(line(&source.title)),
        id: id.unwrap_or_else(|| minted("source", &source.title)),
        updated,
        links: feed_url
            .map(|url| link("self", url))
            .into_iter()
            .chain(page.map(|url| link("alternate", url)))
            .collect(),
        rights: source.rights.as_deref().and_then(some_line).map(Text::plain),
        ..Source::default()
    }
}

/// The pictures as Media RSS.
fn media(entry: &Entry) -> ExtensionMap {
    let size = |image: Option<&model::Image>| {
        let width = image.and_then(|image| image.width).map(|width| ("width", width.to_string()));
        let height = image.and_then(|image| image.height).map(|height| ("height", height.to_string()));
        width.into_iter().chain(height)
    };
    let mut of_media = BTreeMap::new();
    if let Some((url, image)) = cover(entry) {
        of_media.insert("thumbnail".to_owned(), vec![element("thumbnail", size(image).chain([("url", url)]))]);
    }
    let contents: Vec<_> = pictures(entry)
        .into_iter()
        .map(|(url, image)| {
            let attrs = size(Some(image)).chain([("url", url), ("medium", "image".to_owned())]);
            let mut content = element("content", attrs);
            if let Some(alt) = image.alt.as_deref().and_then(some_line) {
                let mut text = element("description", [("type", "plain".to_owned())].into_iter());
                text.value = Some(alt);
                content.children.insert("description".to_owned(), vec![text]);
            }
            content
        })
        .collect();
    if !contents.is_empty() {
        of_media.insert("content".to_owned(), contents);
    }
    if of_media.is_empty() { ExtensionMap::new() } else { BTreeMap::from([("media".to_owned(), of_media)]) }
}

/// A Media RSS element. The crate writes the attributes of extensions as they stand, so they are escaped here.
fn element(name: &str, attrs: impl Iterator<Item = (&'static str, String)>) -> Extension {
    Extension {
        name: format!("media:{name}"),
        attrs: attrs.map(|(name, value)| (name.to_owned(), escape(&value))).collect(),
        ..Extension::default()
    }
}
