//! Media RSS 1.5.1: files, groups of the same file, thumbnails.

use super::{Module, no_feed};
use crate::model::{Category, Enclosure, Image, Person};
use crate::parse::draft::EntryDraft;
use crate::parse::rss::{number, some_attribute};
use crate::parse::text;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Media], entry, feed: no_feed };

/// How deep `media:group` and `media:content` are looked into: group › content › thumbnail.
const DEEPEST: usize = 3;

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    read(element, draft, DEEPEST);
}

fn read(element: Element<'_, '_>, draft: &mut EntryDraft, depth: usize) {
    if element.namespace() != Namespace::Media {
        return;
    }
    let inside = |draft: &mut EntryDraft| {
        if depth > 0 {
            element.children().for_each(|child| read(child, draft, depth - 1));
        }
    };
    match element.name() {
        "group" => inside(draft),
        "content" => {
            file(element, draft);
            inside(draft);
        }
        "thumbnail" => draft.image(image(element)),
        "title" => draft.title.offer(3, text::guessed(element)),
        "description" => draft.summary.offer(4, text::guessed(element)),
        "credit" => credit(element, draft),
        "keywords" => {
            for term in element.text().split(',').map(str::trim) {
                draft.category(Category { term: term.to_owned(), ..Category::default() });
            }
        }
        "category" => draft.category(Category {
            term: element.text().into_owned(),
            scheme: some_attribute(element, "scheme"),
            label: some_attribute(element, "label"),
        }),
        "copyright" | "license" => draft.rights.offer(2, text::guessed(element)),
        _ => {}
    }
}

/// Writers and photographers: an author for entries that name nobody else.
fn credit(element: Element<'_, '_>, draft: &mut EntryDraft) {
    let role = some_attribute(element, "role").unwrap_or_default();
    if matches!(role.as_str(), "author" | "writer" | "reporter" | "") {
        draft.other_authors.extend(element.some_text().map(Person::named));
    }
}

fn image(element: Element<'_, '_>) -> Image {
    Image {
        url: some_attribute(element, "url").or_else(|| element.some_text()).unwrap_or_default(),
        alt: element.child("title").and_then(Element::some_text),
        width: number(element, "width"),
        height: number(element, "height"),
    }
}

/// A picture or an enclosure, by its medium, its type or its name.
fn file(element: Element<'_, '_>, draft: &mut EntryDraft) {
    let Some(url) = some_attribute(element, "url") else { return };
    let media_type = some_attribute(element, "type");
    let medium = some_attribute(element, "medium").unwrap_or_default();
    let typed_image = media_type.as_deref().map(|t| t.starts_with("image"));
    if medium == "image" || (medium.is_empty() && typed_image.unwrap_or_else(|| named_like_an_image(&url))) {
        return draft.image(image(element));
    }
    let title = element.child("title").and_then(Element::some_text);
    let (length, duration) = (number(element, "filesize"), seconds(element));
    draft.enclosure(Enclosure { url, media_type, length, title, duration });
}

/// `duration` in seconds; some write fractions.
fn seconds(element: Element<'_, '_>) -> Option<u64> {
    let text = some_attribute(element, "duration")?;
    text.split('.').next()?.parse().ok().filter(|seconds| *seconds > 0)
}

fn named_like_an_image(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or(url).to_ascii_lowercase();
    [".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"].iter().any(|end| path.ends_with(end))
}
