//! Slash and the comment API (wfw): number and feed of comments.

use super::{Module, no_feed};
use crate::parse::draft::EntryDraft;
use crate::parse::rss;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Slash, Namespace::Wfw], entry, feed: no_feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    match element.name() {
        "comments" => draft.entry.comment_count = draft.entry.comment_count.or(element.text().parse().ok()),
        "commentrss" => draft.links(rss::replies(element, "application/rss+xml")),
        _ => {}
    }
}
