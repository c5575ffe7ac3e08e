//! Paged and archived feeds (RFC 5005).

use super::{Module, no_entry};
use crate::parse::draft::FeedDraft;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Fh], entry: no_entry, feed };

fn feed(element: Element<'_, '_>, draft: &mut FeedDraft) {
    match element.name() {
        "complete" => draft.feed.complete = true,
        "archive" => draft.feed.archive = true,
        _ => {}
    }
}
