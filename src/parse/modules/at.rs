//! Tombstones (RFC 6721): entries that the source withdrew.

use super::{Module, no_entry};
use crate::parse::draft::FeedDraft;
use crate::parse::rss::some_attribute;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::At], entry: no_entry, feed };

fn feed(element: Element<'_, '_>, draft: &mut FeedDraft) {
    if element.name() == "deleted-entry" {
        let id = some_attribute(element, "ref");
        draft.feed.withdrawn.extend(id.map(|id| (id, some_attribute(element, "when"))));
    }
}
