//! The extension namespaces, one file each. A new one is a file and a line in [`MODULES`].

use super::draft::{EntryDraft, FeedDraft};
use crate::xml::{Element, Namespace};

mod at;
mod cc;
mod content;
mod dc;
mod dcterms;
mod enc;
mod feedburner;
mod fh;
mod georss;
mod itunes;
mod media;
mod podcast;
mod slash;
mod sy;
mod thr;
mod xhtml;

/// How one namespace is read.
pub(super) struct Module {
    /// The namespaces that the module answers for.
    namespaces: &'static [Namespace],
    /// Reads an element directly inside an entry.
    entry: fn(Element<'_, '_>, &mut EntryDraft),
    /// Reads an element directly inside the feed.
    feed: fn(Element<'_, '_>, &mut FeedDraft),
}

/// The registry, the commonest first.
const MODULES: &[Module] = &[
    dc::MODULE,
    content::MODULE,
    media::MODULE,
    itunes::MODULE,
    slash::MODULE,
    sy::MODULE,
    thr::MODULE,
    podcast::MODULE,
    dcterms::MODULE,
    georss::MODULE,
    cc::MODULE,
    feedburner::MODULE,
    at::MODULE,
    fh::MODULE,
    enc::MODULE,
    xhtml::MODULE,
];

fn module(namespace: Namespace) -> Option<&'static Module> {
    MODULES.iter().find(|module| module.namespaces.contains(&namespace))
}

/// Reads an element of an entry that the format itself does not know.
pub(super) fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    if let Some(module) = module(element.namespace()) {
        (module.entry)(element, draft);
    }
}

/// Reads an element of a feed that the format itself does not know.
pub(super) fn feed(element: Element<'_, '_>, draft: &mut FeedDraft) {
    if let Some(module) = module(element.namespace()) {
        (module.feed)(element, draft);
    }
}

/// For namespaces that say nothing about feeds.
fn no_feed(_: Element<'_, '_>, _: &mut FeedDraft) {}

/// For namespaces that say nothing about entries.
fn no_entry(_: Element<'_, '_>, _: &mut EntryDraft) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_namespace_has_two_modules() {
        let all: Vec<_> = MODULES.iter().flat_map(|module| module.namespaces).collect();
        let unique: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), unique.len());
    }
}
