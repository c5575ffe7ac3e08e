//! The podcast namespace: alternate files, transcripts, chapters, persons.

use super::Module;
use crate::model::{Enclosure, Image, Link, Person};
use crate::parse::draft::{EntryDraft, FeedDraft, add_person};
use crate::parse::rss::{number, some_attribute};
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Podcast], entry, feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    match element.name() {
        "transcript" => draft.links(file(element, "transcript")),
        "chapters" => draft.links(file(element, "chapters")),
        "person" => add_person(&mut draft.entry.contributors, person(element)),
        "alternateenclosure" => alternate(element, draft),
        "image" => {
            let url = some_attribute(element, "href").unwrap_or_default();
            draft.image(Image { url, alt: some_attribute(element, "alt"), ..Image::default() });
        }
        _ => {}
    }
}

fn feed(element: Element<'_, '_>, draft: &mut FeedDraft) {
    match element.name() {
        "person" => add_person(&mut draft.feed.contributors, person(element)),
        "guid" => draft.id.offer(4, element.some_text().map(|guid| format!("urn:uuid:{guid}"))),
        _ => {}
    }
}

fn file(element: Element<'_, '_>, rel: &str) -> Option<Link> {
    Some(Link {
        href: some_attribute(element, "url")?,
        rel: rel.to_owned(),
        media_type: some_attribute(element, "type"),
        hreflang: some_attribute(element, "language"),
        ..Link::default()
    })
}

fn person(element: Element<'_, '_>) -> Option<Person> {
    Some(Person { name: element.some_text()?, email: None, uri: some_attribute(element, "href") })
}

/// `<podcast:alternateEnclosure type length title><podcast:source uri/></…>`.
fn alternate(element: Element<'_, '_>, draft: &mut EntryDraft) {
    let Some(url) = element.child("source").and_then(|source| some_attribute(source, "uri")) else { return };
    draft.enclosure(Enclosure {
        url,
        media_type: some_attribute(element, "type"),
        length: number(element, "length"),
        title: some_attribute(element, "title"),
        duration: None,
    });
}
