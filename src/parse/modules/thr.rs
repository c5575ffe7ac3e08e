//! Atom threading (RFC 4685): what the entry answers, and how many answers there are.

use super::{Module, no_feed};
use crate::model::Link;
use crate::parse::draft::EntryDraft;
use crate::parse::rss::some_attribute;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Thr], entry, feed: no_feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    match element.name() {
        "total" => draft.entry.comment_count = element.text().parse().ok().or(draft.entry.comment_count),
        "in-reply-to" => {
            // An entry without a page of its own is known by its id.
            let href = some_attribute(element, "href").or_else(|| some_attribute(element, "ref"));
            let (rel, media_type) = ("in-reply-to".to_owned(), some_attribute(element, "type"));
            draft.links(href.map(|href| Link { href, rel, media_type, ..Link::default() }));
        }
        _ => {}
    }
}
