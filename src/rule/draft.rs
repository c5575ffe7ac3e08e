//! An entry on its way through the rules.

use super::pattern::fold;
use crate::model::{Entry, Record};
use crate::normalise::{html, text};
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::cell::OnceCell;
use url::Url;

/// An entry with what rules found out about it. Cloned only when a rule changes it.
pub(super) struct Draft<'r> {
    record: Cow<'r, Record>,
    /// The folded plain text of the content, read at most once per change.
    text: OnceCell<String>,
    /// What rules could not do, when somebody wants to know.
    notes: Option<Vec<String>>,
}

impl<'r> Draft<'r> {
    pub(super) fn new(record: Cow<'r, Record>, with_notes: bool) -> Self {
        Self { record, text: OnceCell::new(), notes: with_notes.then(Vec::new) }
    }

    pub(super) fn finish(self) -> (Cow<'r, Record>, Vec<String>) {
        (self.record, self.notes.unwrap_or_default())
    }

    pub(super) fn entry(&self) -> &Entry {
        &self.record.entry
    }

    /// When it was published; what claims the future was published when it was first seen.
    pub(super) fn at(&self) -> DateTime<Utc> {
        published(&self.record)
    }

    /// For everything but the content, which [`set_content`](Self::set_content) guards. Never the id.
    pub(super) fn edit(&mut self) -> &mut Entry {
        &mut self.record.to_mut().entry
    }

    /// The plain text of the content, in half width; empty without content.
    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let content = self.entry().content.as_deref().map(html::text).unwrap_or_default();
            match fold(&content) {
                Cow::Borrowed(_) => content,
                Cow::Owned(folded) => folded,
            }
        })
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(notes) = &mut self.notes {
            notes.push(what());
        }
    }

    /// The base of relative addresses in the content. All are absolute already; what a rule makes relative
    /// belongs to the entry's page, and without one is left out.
    pub(super) fn base(&self) -> Option<Url> {
        let url = self.entry().url.as_deref().and_then(|url| Url::parse(url).ok());
        url.or_else(|| Url::parse("data:,").ok())
    }

    /// Puts a title in place, unless nothing would be left.
    pub(super) fn set_title(&mut self, title: &str) {
        match text::title(&crate::model::Text::plain(title)) {
            Some(title) if title == self.entry().title => {}
            Some(title) => self.edit().title = title,
            None => self.note(|| "the title would be empty; it stays".to_owned()),
        }
    }

    /// Puts a content in place: sanitised again, whatever made it.
    pub(super) fn set_content(&mut self, content: &str) {
        let Some(base) = self.base() else { return };
        let content = html::sanitise(content, &base);
        let content = content.trim();
        if self.entry().content.as_deref().unwrap_or_default() != content {
            self.text = OnceCell::new();
            self.edit().content = (!content.is_empty()).then(|| content.to_owned());
        }
    }
}

/// When an entry was published; what claims the future was published when it was first seen.
pub(super) fn published(record: &Record) -> DateTime<Utc> {
    record.entry.published.at.to_utc().min(record.first_seen)
}
