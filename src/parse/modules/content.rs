//! The content module of RSS 1.0: `content:encoded`, used in every RSS.

use super::{Module, no_feed};
use crate::parse::draft::EntryDraft;
use crate::parse::text;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Content], entry, feed: no_feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    if element.name() == "encoded" {
        let content = text::html(element).map(|text| draft.place.mark(text, element));
        draft.content.offer(0, content);
    }
}
