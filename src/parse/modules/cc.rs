//! Creative Commons licences, in both vocabularies.

use super::Module;
use crate::model::Text;
use crate::parse::draft::{EntryDraft, FeedDraft};
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::CreativeCommons, Namespace::Cc], entry, feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    draft.rights.offer(4, licence(element));
}

fn feed(element: Element<'_, '_>, draft: &mut FeedDraft) {
    draft.rights.offer(4, licence(element));
}

fn licence(element: Element<'_, '_>) -> Option<Text> {
    if !element.name().eq_ignore_ascii_case("license") {
        return None;
    }
    let address = element.some_text().or_else(|| element.any_attribute("resource").map(|r| r.trim().to_owned()));
    address.filter(|address| !address.is_empty()).map(Text::plain)
}
