//! RSS 0.90, 0.91, 0.92, 1.0 and 2.0: one mapper, since each is met with the elements of the others.
//! Sources: RSS 2.0 (rssboard.org), RSS 1.0 (purl.org/rss/1.0/spec), RSS 0.91 (Netscape), RSS 0.90.

use super::draft::{EntryDraft, FeedDraft, date_rank};
use super::{atom, detect, modules, person, text};
use crate::model::{Category, Enclosure, Format, Image, Link, ParsedEntry, ParsedFeed, Source};
use crate::xml::{Element, Namespace};

/// Reads a feed whose outermost element is `rss`, `rdf:RDF`, `channel` or `item`.
pub(super) fn read(root: Element<'_, '_>, format: Format) -> ParsedFeed {
    let channel = if root.name() == "channel" { Some(root) } else { root.child("channel") };
    let mut draft = FeedDraft::new(channel.unwrap_or(root));
    draft.feed.format = format;
    if let Some(channel) = channel {
        // The specification gives the feed of RSS 1.0 its own address as an identifier.
        draft.id.offer(3, channel.any_attribute("about").map(|about| about.trim().to_owned()));
        channel.children().for_each(|element| feed_element(element, &mut draft));
    }
    if !root.name().eq_ignore_ascii_case("channel") {
        // RSS 0.90 and 1.0: the picture is beside the channel. Titles there belong to nothing.
        let outside = root.children().filter(|e| !matches!(e.name(), "channel" | "title" | "link" | "description"));
        outside.for_each(|element| feed_element(element, &mut draft));
    }
    draft.feed.entries = detect::entries(root).into_iter().map(entry).collect();
    draft.finish()
}

fn entry(item: Element<'_, '_>) -> ParsedEntry {
    let mut draft = EntryDraft::new(item);
    if let Some(about) = item.any_attribute("about") {
        draft.id.offer(2, Some(about.trim().to_owned()).filter(|about| !about.is_empty()));
    }
    for element in item.children() {
        let done = match element.namespace() {
            Namespace::Core => entry_element(element, &mut draft) || atom::entry_element(element, &mut draft),
            Namespace::Atom | Namespace::Atom03 => {
                atom::entry_element(element, &mut draft) || entry_element(element, &mut draft)
            }
            _ => false,
        };
        if !done {
            modules::entry(element, &mut draft);
        }
    }
    draft.finish()
}

/// Reads one element of an item; false when RSS does not know it.
pub(super) fn entry_element(element: Element<'_, '_>, draft: &mut EntryDraft) -> bool {
    let name = element.name();
    match name {
        // Written as Atom writes them.
        "link" if element.attribute("href").is_some() => return false,
        "author" | "source" | "contributor" if element.has_children() => return false,
        "category" if element.attribute("term").is_some() => return false,
        "title" => {
            let title = text::guessed(element).map(|title| draft.place.mark(title, element));
            draft.title.offer(0, title);
        }
        "link" => draft.links(page(element)),
        "description" => {
            let summary = text::guessed(element).map(|text| draft.place.mark(text, element));
            draft.summary.offer(0, summary);
        }
        "guid" => guid(element, draft),
        "pubdate" => draft.date(date_rank::PUBLISHED, element.some_text()),
        "date" => draft.date(date_rank::DATE, element.some_text()),
        "author" | "creator" => draft.author(person::read(&text::words(element))),
        "category" => draft.category(category(element)),
        "enclosure" => draft.enclosure(enclosure(element)),
        "comments" => draft.links(replies(element, "text/html")),
        "source" => draft.entry.source = source(element).or(draft.entry.source.take()),
        "image" => picture(element).into_iter().for_each(|image| draft.image(image)),
        "copyright" => draft.rights.offer(0, text::guessed(element)),
        // Invented by writers of full-text feeds.
        "encoded" | "body" | "fullitem" => draft.content.offer(4, text::html(element)),
        _ => return false,
    }
    true
}

fn guid(element: Element<'_, '_>, draft: &mut EntryDraft) {
    let Some(guid) = element.some_text() else { return };
    // "If the guid element has an attribute named isPermaLink with a value of true, the reader may assume that it is
    // a permalink"; true is the default. Only an address can be one.
    let denied = element.attribute("ispermalink").is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
    if !denied && (guid.starts_with("http://") || guid.starts_with("https://")) {
        draft.permalink = Some(guid.clone());
    }
    draft.id.offer(0, Some(guid));
}

fn feed_element(element: Element<'_, '_>, draft: &mut FeedDraft) {
    if detect::is_entry(element) {
        return;
    }
    let done = match element.namespace() {
        Namespace::Core => channel_element(element, draft) || atom::feed_element(element, draft),
        Namespace::Atom | Namespace::Atom03 => atom::feed_element(element, draft) || channel_element(element, draft),
        _ => false,
    };
    if !done {
        modules::feed(element, draft);
    }
}

/// Reads one element of a channel; false when RSS does not know it.
pub(super) fn channel_element(element: Element<'_, '_>, draft: &mut FeedDraft) -> bool {
    match element.name() {
        "link" if element.attribute("href").is_some() => return false,
        "author" | "contributor" if element.has_children() => return false,
        "category" if element.attribute("term").is_some() => return false,
        "title" => draft.title.offer(0, text::guessed(element)),
        "description" => draft.subtitle.offer(0, text::guessed(element)),
        "link" => draft.links(page(element)),
        "language" => draft.language.offer(0, element.some_text()),
        "copyright" => draft.rights.offer(0, text::guessed(element)),
        "pubdate" => draft.published.offer(0, element.some_text()),
        "lastbuilddate" => draft.updated.offer(0, element.some_text()),
        "managingeditor" | "author" => draft.author(person::read(&text::words(element))),
        "webmaster" => draft.feed.contributors.extend(person::read(&text::words(element))),
        "category" => draft.category(category(element)),
        "generator" => draft.generator.offer(0, element.some_text()),
        "ttl" => draft.feed.hints.ttl_minutes = element.text().parse().ok().or(draft.feed.hints.ttl_minutes),
        "image" => draft.image.offer(0, picture(element)),
        "skiphours" => element.children().for_each(|hour| draft.feed.hints.skip_hour(&hour.text())),
        "skipdays" => element.children().for_each(|day| draft.feed.hints.skip_day(&day.text())),
        // Of no use to anybody today, but not Atom either.
        "docs" | "cloud" | "rating" | "textinput" | "items" => {}
        _ => return false,
    }
    true
}

/// `<link>address</link>`; RSS 0.90 writers also used `rdf:resource`.
fn page(element: Element<'_, '_>) -> Option<Link> {
    let href = element.some_text().or_else(|| element.any_attribute("resource").map(|r| r.trim().to_owned()));
    href.filter(|href| !href.is_empty()).map(|href| Link { href, ..Link::default() })
}

/// A page or feed of comments.
pub(super) fn replies(element: Element<'_, '_>, media_type: &str) -> Option<Link> {
    let href = element.some_text().filter(|href| is_one_word(href))?;
    Some(Link { href, rel: "replies".to_owned(), media_type: Some(media_type.to_owned()), ..Link::default() })
}

/// Whether it may be an address at all: where one of comments should be, some write how many there are.
pub(super) fn is_one_word(href: &str) -> bool {
    !href.contains(char::is_whitespace)
}

fn category(element: Element<'_, '_>) -> Category {
    Category { term: text::words(element).into_owned(), scheme: some_attribute(element, "domain"), label: None }
}

/// `url`, `length` and `type`; lengths that are no number, and 0, say nothing.
fn enclosure(element: Element<'_, '_>) -> Enclosure {
    let url =
        some_attribute(element, "url").or_else(|| some_attribute(element, "href")).or_else(|| element.some_text());
    Enclosure {
        url: url.unwrap_or_default(),
        media_type: some_attribute(element, "type"),
        length: number(element, "length"),
        ..Enclosure::default()
    }
}

fn source(element: Element<'_, '_>) -> Option<Source> {
    let (title, feed_url) = (element.text().into_owned(), some_attribute(element, "url"));
    (!title.is_empty() || feed_url.is_some()).then(|| Source { title, feed_url, ..Source::default() })
}

/// `<image><url/><title/><width/><height/></image>`, or an address alone.
fn picture(element: Element<'_, '_>) -> Option<Image> {
    let inside = |name| element.child(name).and_then(Element::some_text);
    let url = inside("url").or_else(|| element.some_text()).or_else(|| some_attribute(element, "href"))?;
    let size = |name| inside(name).and_then(|value| value.parse().ok());
    Some(Image { url, alt: inside("title"), width: size("width"), height: size("height") })
}

/// An attribute that is not empty.
pub(super) fn some_attribute(element: Element<'_, '_>, name: &str) -> Option<String> {
    let value = element.attribute(name)?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// An attribute that is a number above 0.
pub(super) fn number<N: std::str::FromStr + PartialOrd + Default>(element: Element<'_, '_>, name: &str) -> Option<N> {
    element.attribute(name)?.trim().parse().ok().filter(|n| *n > N::default())
}
