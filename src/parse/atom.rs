//! Atom 1.0 (RFC 4287) and 0.3 (draft-nottingham-atom-format-02).

use super::draft::{EntryDraft, FeedDraft, Place, date_rank};
use super::rss::{number, some_attribute};
use super::{detect, modules, person, rss, text};
use crate::model::{Category, Enclosure, Format, Image, Link, ParsedEntry, ParsedFeed, Person, Source, Text, TextKind};
use crate::xml::{Element, Namespace};

/// Reads a feed whose outermost element is `feed`, or an entry document (RFC 4287 section 2).
pub(super) fn read(root: Element<'_, '_>, format: Format) -> ParsedFeed {
    let mut draft = FeedDraft::new(root);
    draft.feed.format = format;
    for element in root.children() {
        if root.name() == "entry" || detect::is_entry(element) {
            continue;
        }
        let known = matches!(element.namespace(), Namespace::Atom | Namespace::Atom03 | Namespace::Core);
        if !(known && (feed_element(element, &mut draft) || rss::channel_element(element, &mut draft))) {
            modules::feed(element, &mut draft);
        }
    }
    draft.feed.entries = detect::entries(root).into_iter().map(entry).collect();
    draft.finish()
}

fn entry(element: Element<'_, '_>) -> ParsedEntry {
    let mut draft = EntryDraft::new(element);
    for child in element.children() {
        let known = matches!(child.namespace(), Namespace::Atom | Namespace::Atom03 | Namespace::Core);
        if !(known && (entry_element(child, &mut draft) || rss::entry_element(child, &mut draft))) {
            modules::entry(child, &mut draft);
        }
    }
    draft.finish()
}

/// A text construct with its own base and language.
fn construct(element: Element<'_, '_>, place: &Place) -> Option<Text> {
    text::atom(element).map(|text| place.mark(text, text::holder(element)))
}

/// Reads one element of an entry; false when Atom does not know it.
pub(super) fn entry_element(element: Element<'_, '_>, draft: &mut EntryDraft) -> bool {
    match element.name() {
        "id" => draft.id.offer(1, element.some_text()),
        "title" => draft.title.offer(0, construct(element, &draft.place)),
        "summary" => draft.summary.offer(1, construct(element, &draft.place)),
        "content" => content(element, draft),
        "link" => entry_link(element, draft),
        "published" => draft.date(date_rank::PUBLISHED, element.some_text()),
        "issued" => draft.date(date_rank::ISSUED, element.some_text()),
        "created" => draft.date(date_rank::CREATED, element.some_text()),
        "updated" | "modified" => draft.changed(0, element.some_text()),
        "author" => draft.author(person_of(element)),
        "contributor" => draft.entry.contributors.extend(person_of(element)),
        "category" => draft.category(category(element)),
        "rights" | "copyright" => draft.rights.offer(0, construct(element, &draft.place)),
        "source" => source(element, draft),
        _ => return false,
    }
    true
}

fn content(element: Element<'_, '_>, draft: &mut EntryDraft) {
    draft.content.offer(1, construct(element, &draft.place));
    // RFC 4287 section 4.1.3.2: the content is elsewhere.
    if let Some(src) = some_attribute(element, "src") {
        let media_type = some_attribute(element, "type");
        if media_type.as_deref().is_none_or(|t| t.contains("html") || t == "text") {
            draft.permalink = Some(src);
        } else {
            draft.enclosure(Enclosure { url: src, media_type, ..Enclosure::default() });
        }
    }
}

/// A link, or `None` when it has no address.
pub(super) fn link(element: Element<'_, '_>) -> Option<Link> {
    let href = some_attribute(element, "href").or_else(|| element.some_text())?;
    let rel = some_attribute(element, "rel").unwrap_or_default().to_ascii_lowercase();
    let iana = "http://www.iana.org/assignments/relation/";
    let rel = rel.strip_prefix(iana).map_or(rel.clone(), str::to_owned);
    if rel == "replies" && !rss::is_one_word(&href) {
        return None;
    }
    Some(Link {
        href,
        rel,
        media_type: some_attribute(element, "type"),
        hreflang: some_attribute(element, "hreflang"),
        title: some_attribute(element, "title"),
        length: number(element, "length"),
    })
}

fn entry_link(element: Element<'_, '_>, draft: &mut EntryDraft) {
    let Some(link) = link(element) else { return };
    // RFC 4685 section 5.
    let count = element.any_attribute("count").and_then(|count| count.trim().parse().ok());
    if link.rel == "replies" {
        draft.entry.comment_count = draft.entry.comment_count.or(count);
    }
    if link.rel == "enclosure" {
        let Link { href: url, media_type, length, title, .. } = link;
        draft.enclosure(Enclosure { url, media_type, length, title, duration: None });
    } else {
        draft.links(Some(link));
    }
}

/// A person construct (RFC 4287 section 3.2); a line of text as in RSS is understood, too, with or without markup.
pub(super) fn person_of(element: Element<'_, '_>) -> Option<Person> {
    if !element.has_children() {
        return person::read(&element.text());
    }
    let inside = |name| element.child(name).and_then(text::some_words);
    let (name, email) = (inside("name"), inside("email"));
    let uri = inside("uri").or_else(|| inside("url")).or_else(|| inside("homepage"));
    match name.or_else(|| email.clone()).or_else(|| uri.clone()) {
        Some(name) => Some(Person { name, email, uri }),
        None => person::read(&text::words(element)),
    }
}

fn category(element: Element<'_, '_>) -> Category {
    let label = some_attribute(element, "label");
    let term = some_attribute(element, "term").or_else(|| text::some_words(element)).or_else(|| label.clone());
    Category { term: term.unwrap_or_default(), scheme: some_attribute(element, "scheme"), label }
}

/// RFC 4287 section 4.2.11: where the entry was copied from; its authors count when the entry has none.
fn source(element: Element<'_, '_>, draft: &mut EntryDraft) {
    let inside = |name| element.child(name).and_then(Element::some_text);
    let construct = |name| element.child(name).and_then(text::atom);
    let (title, rights) = (construct("title"), construct("rights"));
    let written = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
    let mut source = Source {
        title: written(&title).unwrap_or_default(),
        id: inside("id"),
        rights: written(&rights),
        ..Source::default()
    };
    draft.entry.source_title = title.filter(|text| text.kind == TextKind::Html);
    draft.entry.source_rights = rights.filter(|text| text.kind == TextKind::Html);
    for child in element.children() {
        match (child.name(), link(child)) {
            ("link", Some(link)) if link.rel == "self" => source.feed_url = source.feed_url.or(Some(link.href)),
            ("link", Some(link)) if matches!(link.rel.as_str(), "" | "alternate") => {
                source.url = source.url.or(Some(link.href));
            }
            ("author", _) => draft.other_authors.extend(person_of(child)),
            _ => {}
        }
    }
    draft.entry.source = Some(source);
}

/// Reads one element of a feed; false when Atom does not know it.
pub(super) fn feed_element(element: Element<'_, '_>, draft: &mut FeedDraft) -> bool {
    match element.name() {
        "id" => draft.id.offer(0, element.some_text()),
        "title" => draft.title.offer(0, construct(element, &draft.place)),
        "subtitle" | "tagline" => draft.subtitle.offer(0, construct(element, &draft.place)),
        "link" => draft.links(link(element)),
        "updated" | "modified" => draft.updated.offer(1, element.some_text()),
        "published" | "issued" => draft.published.offer(1, element.some_text()),
        "author" => draft.author(person_of(element)),
        "contributor" => draft.feed.contributors.extend(person_of(element)),
        "category" => draft.category(category(element)),
        "rights" | "copyright" => draft.rights.offer(0, construct(element, &draft.place)),
        "generator" => draft.generator.offer(0, generator(element)),
        "icon" => draft.feed.icon = element.some_text().or(draft.feed.icon.take()),
        "logo" => draft.image.offer(1, element.some_text().map(|url| Image { url, ..Image::default() })),
        _ => return false,
    }
    true
}

fn generator(element: Element<'_, '_>) -> Option<String> {
    let name =
        element.some_text().or_else(|| some_attribute(element, "uri")).or_else(|| some_attribute(element, "url"))?;
    Some(match some_attribute(element, "version") {
        Some(version) if !name.contains(&version) => format!("{name} {version}"),
        _ => name,
    })
}
