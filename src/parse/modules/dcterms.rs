//! Dublin Core terms: the qualified dates above all.

use super::Module;
use crate::parse::draft::{EntryDraft, FeedDraft, date_rank};
use crate::parse::text;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::DcTerms], entry, feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    match element.name() {
        "issued" | "available" => draft.date(date_rank::ISSUED, element.some_text()),
        "created" => draft.date(date_rank::CREATED, element.some_text()),
        "date" => draft.date(date_rank::DATE, element.some_text()),
        "modified" => draft.changed(1, element.some_text()),
        "abstract" => draft.summary.offer(3, text::guessed(element)),
        "rights" | "license" => draft.rights.offer(2, text::guessed(element)),
        _ => {}
    }
}

fn feed(element: Element<'_, '_>, draft: &mut FeedDraft) {
    match element.name() {
        "issued" | "created" => draft.published.offer(2, element.some_text()),
        "modified" => draft.updated.offer(2, element.some_text()),
        "rights" | "license" => draft.rights.offer(2, text::guessed(element)),
        _ => {}
    }
}
