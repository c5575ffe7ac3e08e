//! `FeedBurner`: the addresses that it replaced by its own.

use super::{Module, no_feed};
use crate::model::Enclosure;
use crate::parse::draft::EntryDraft;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Feedburner], entry, feed: no_feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    match element.name() {
        "origlink" => draft.original_link = element.some_text(),
        "origenclosurelink" => {
            if let (Some(url), Some(first)) = (element.some_text(), draft.entry.enclosures.first().cloned()) {
                // It is the same file: its type and length count here, too.
                draft.entry.enclosures[0] = Enclosure { url, ..first };
            }
        }
        _ => {}
    }
}
