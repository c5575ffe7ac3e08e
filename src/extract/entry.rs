//! Raw fields of a list → entries.

use super::address::{Rules, resolve};
use super::{credits, is_template};
use crate::model::{Category, DateRung, Flaw, FlawCode, Image, Link, ParsedEntry, Person, RawDate, Source, Text};
use std::collections::HashMap;
use url::Url;

/// The most entries of one document.
const MAX_ENTRIES: usize = 5000;

/// What a list gave for one entry.
#[derive(Default)]
pub(super) struct Raw {
    pub(super) title: Option<String>,
    pub(super) link: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) body: Option<String>,
    pub(super) image: Option<Image>,
    pub(super) date: Option<String>,
    pub(super) author: Option<String>,
    pub(super) editor: Option<String>,
    pub(super) source: Option<String>,
    pub(super) categories: Vec<String>,
}

/// Gathers the entries of one document.
pub(super) struct Gatherer<'a> {
    base: &'a Url,
    rules: &'a Rules,
    entries: Vec<ParsedEntry>,
    places: HashMap<String, usize>,
    without_link: usize,
    refused: usize,
    cut: bool,
}

impl<'a> Gatherer<'a> {
    pub(super) fn new(base: &'a Url, rules: &'a Rules) -> Self {
        Self { base, rules, entries: vec![], places: HashMap::new(), without_link: 0, refused: 0, cut: false }
    }

    /// Takes one in. Returns whether there is room for more.
    pub(super) fn add(&mut self, raw: Raw) -> bool {
        let marked = |field: &Option<String>| field.as_deref().is_some_and(is_template);
        if marked(&raw.title) || marked(&raw.link) {
            return true;
        }
        let Some(href) = raw.link.as_deref() else {
            self.without_link += usize::from(raw.title.is_some());
            return true;
        };
        let Some(url) = resolve(self.base, href) else {
            let inert = href.starts_with('#') || href.to_ascii_lowercase().starts_with("javascript:");
            self.refused += usize::from(!inert);
            return true;
        };
        if (raw.title.is_none() && raw.image.is_none()) || !self.rules.admits(&url) {
            return true;
        }
        if self.entries.len() == MAX_ENTRIES {
            self.cut = true;
            return false;
        }
        let entry = entry(raw, &url, self.rules);
        let key = entry.identity.clone().unwrap_or_else(|| url.to_string());
        if let Some(&place) = self.places.get(&key) {
            // A picture and a headline that lead to the same article are one entry.
            merge(&mut self.entries[place], entry);
        } else {
            self.places.insert(key, self.entries.len());
            self.entries.push(entry);
        }
        true
    }

    /// The entries and what was wrong; `None` when no entry has both title and link.
    pub(super) fn finish(self) -> Option<(Vec<ParsedEntry>, Vec<Flaw>)> {
        if !self.entries.iter().any(|entry| entry.title.is_some()) {
            return None;
        }
        let mut flaws = Vec::new();
        let mut note = |count: usize, code, what: &str| {
            if count > 0 {
                flaws.push(Flaw::new(code, format!("{count} {what} on {}", self.base)));
            }
        };
        note(self.without_link, FlawCode::EntryWithoutLink, "entries have no link");
        note(self.refused, FlawCode::LinkRefused, "links are not http or https");
        note(usize::from(self.cut) * MAX_ENTRIES, FlawCode::LimitReached, "entries were read, the rest left out");
        Some((self.entries, flaws))
    }
}

fn entry(raw: Raw, url: &Url, rules: &Rules) -> ParsedEntry {
    let date = raw.date.map(|text| RawDate { text, rung: DateRung::List });
    let named = |text: Option<String>| text.map(|text| credits::people(&text)).unwrap_or_default();
    ParsedEntry {
        identity: rules.identity(url),
        links: vec![Link { href: url.to_string(), ..Link::default() }],
        title: raw.title.map(Text::plain),
        summary: raw.summary.map(Text::plain),
        content: raw.body.map(Text::html),
        dates: date.into_iter().chain(rules.dates(url)).collect(),
        authors: named(raw.author),
        contributors: raw.editor.and_then(|text| credits::editor(&text)).map(Person::named).into_iter().collect(),
        categories: raw.categories.into_iter().map(|term| Category { term, ..Category::default() }).collect(),
        images: raw.image.into_iter().collect(),
        source: raw.source.and_then(|text| credits::source(&text)).map(|title| Source { title, ..Source::default() }),
        ..ParsedEntry::default()
    }
}

/// Fills what the first sight of an entry did not have.
fn merge(kept: &mut ParsedEntry, other: ParsedEntry) {
    kept.title = kept.title.take().or(other.title);
    kept.summary = kept.summary.take().or(other.summary);
    kept.content = kept.content.take().or(other.content);
    kept.source = kept.source.take().or(other.source);
    if kept.images.is_empty() {
        kept.images = other.images;
    }
    if kept.dates.iter().all(|date| date.rung != DateRung::List) {
        kept.dates = other.dates;
    }
}
