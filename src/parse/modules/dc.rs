//! Dublin Core elements 1.1.

use super::Module;
use crate::model::{Category, Person, Source};
use crate::parse::draft::{EntryDraft, FeedDraft, date_rank};
use crate::parse::{person, text};
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Dc], entry, feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    match element.name() {
        "title" => draft.title.offer(1, text::guessed(element)),
        "creator" | "author" => draft.author(person_of(element)),
        "contributor" | "publisher" => draft.entry.contributors.extend(person_of(element)),
        "date" => draft.date(date_rank::DATE, element.some_text()),
        "subject" => draft.category(Category { term: text::words(element).into_owned(), ..Category::default() }),
        "description" => draft.summary.offer(3, text::guessed(element)),
        "identifier" => draft.id.offer(4, element.some_text()),
        "rights" => draft.rights.offer(1, text::guessed(element)),
        "language" => draft.entry.language = element.some_text().or(draft.entry.language.take()),
        "source" if draft.entry.source.is_none() => draft.entry.source = element.some_text().map(source),
        _ => {}
    }
}

/// An address is the source's page, anything else its name.
fn source(text: String) -> Source {
    let is_address = text.starts_with("http://") || text.starts_with("https://");
    Source { url: is_address.then(|| text.clone()), title: text, ..Source::default() }
}

/// RSS 1.0 may wrap the name: `<dc:creator><rdf:Description><rdf:value>`, `<foaf:name>`.
fn person_of(element: Element<'_, '_>) -> Option<Person> {
    if !element.text().is_empty() {
        return person::read(&text::words(element));
    }
    let mut inner = element;
    while let Some(child) = inner.children().next() {
        inner = child;
    }
    person::read(&inner.text())
}

fn feed(element: Element<'_, '_>, draft: &mut FeedDraft) {
    match element.name() {
        "title" => draft.title.offer(1, text::guessed(element)),
        "creator" | "author" => draft.author(person_of(element)),
        "contributor" | "publisher" => draft.feed.contributors.extend(person_of(element)),
        "date" => draft.updated.offer(3, element.some_text()),
        "subject" => draft.category(Category { term: text::words(element).into_owned(), ..Category::default() }),
        "description" => draft.subtitle.offer(3, text::guessed(element)),
        "rights" => draft.rights.offer(1, text::guessed(element)),
        "language" => draft.language.offer(1, element.some_text()),
        _ => {}
    }
}
