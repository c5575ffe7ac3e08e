//! Enclosures of RSS 1.0: `<enc:enclosure rdf:resource enc:type enc:length>`.

use super::{Module, no_feed};
use crate::model::Enclosure;
use crate::parse::draft::EntryDraft;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Enc], entry, feed: no_feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    let attribute = |name| element.any_attribute(name).map(|value| value.trim().to_owned());
    if element.name() == "enclosure" {
        draft.enclosure(Enclosure {
            url: attribute("resource").or_else(|| attribute("url")).unwrap_or_default(),
            media_type: attribute("type"),
            length: attribute("length").and_then(|length| length.parse().ok()).filter(|length| *length > 0),
            ..Enclosure::default()
        });
    }
}
