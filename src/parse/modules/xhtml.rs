//! `xhtml:body` and `xhtml:div`: full text as inline markup.

use super::{Module, no_feed};
use crate::parse::draft::EntryDraft;
use crate::parse::text;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Xhtml], entry, feed: no_feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    if matches!(element.name(), "body" | "div") {
        let content = text::html(element).map(|text| draft.place.mark(text, element));
        draft.content.offer(2, content);
    }
}
