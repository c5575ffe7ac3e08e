//! What is collected while a feed or an entry is read. Several elements may say the same thing (`description`,
//! `itunes:summary`, `media:description`): each offers its value with a rank, and the lowest rank wins.

use crate::model::{Category, DateRung, Enclosure, Image, Link, ParsedEntry, ParsedFeed, Person, RawDate, Text};
use crate::xml::Element;

/// A field with several sources.
#[derive(Debug)]
pub(super) struct Ranked<T> {
    rank: u8,
    value: Option<T>,
}

impl<T> Default for Ranked<T> {
    fn default() -> Self {
        Self { rank: u8::MAX, value: None }
    }
}

impl<T> Ranked<T> {
    /// Takes the value if there is one and none as good was offered before.
    pub(super) fn offer(&mut self, rank: u8, value: Option<T>) {
        if value.is_some() && rank < self.rank {
            *self = Self { rank, value };
        }
    }

    fn finish(self) -> Option<T> {
        self.value
    }
}

/// Where the relative addresses and the language of texts come from.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) base: Option<String>,
    pub(super) language: Option<String>,
}

impl Place {
    pub(super) fn of(element: Element<'_, '_>) -> Self {
        Self { base: element.base(), language: element.language() }
    }

    /// Gives the text its base and language where they differ from those here.
    pub(super) fn mark(&self, mut text: Text, element: Element<'_, '_>) -> Text {
        text.base = element.base().filter(|base| Some(base) != self.base.as_ref());
        text.language = element.language().filter(|language| Some(language) != self.language.as_ref());
        text
    }
}

/// An entry in the making.
#[derive(Debug, Default)]
pub(super) struct EntryDraft {
    /// What has only one source, and lists.
    pub(super) entry: ParsedEntry,
    pub(super) place: Place,
    pub(super) id: Ranked<String>,
    pub(super) title: Ranked<Text>,
    pub(super) summary: Ranked<Text>,
    pub(super) content: Ranked<Text>,
    pub(super) updated: Ranked<String>,
    pub(super) rights: Ranked<Text>,
    /// Dates with their ranks.
    pub(super) dates: Vec<(u8, String)>,
    /// The entry's page before a proxy such as `FeedBurner` changed the link.
    pub(super) original_link: Option<String>,
    /// A guid that is also an address: the link when there is no other.
    pub(super) permalink: Option<String>,
    /// Authors for an entry that names none otherwise.
    pub(super) other_authors: Vec<Person>,
    /// The playing time in seconds, for the first enclosure.
    pub(super) duration: Option<u64>,
}

/// Ranks of dates, best first; the last is a change, which stands in when nothing else is known.
pub(super) mod date_rank {
    pub(in crate::parse) const PUBLISHED: u8 = 0;
    pub(in crate::parse) const ISSUED: u8 = 1;
    pub(in crate::parse) const CREATED: u8 = 2;
    pub(in crate::parse) const DATE: u8 = 3;
    pub(in crate::parse) const UPDATED: u8 = 9;
}

impl EntryDraft {
    pub(super) fn new(element: Element<'_, '_>) -> Self {
        Self { place: Place::of(element), ..Self::default() }
    }

    pub(super) fn date(&mut self, rank: u8, text: Option<String>) {
        self.dates.extend(text.map(|text| (rank, text)));
    }

    /// A date of change: also the entry's `updated`.
    pub(super) fn changed(&mut self, rank: u8, text: Option<String>) {
        self.updated.offer(rank, text.clone());
        self.date(date_rank::UPDATED + rank, text);
    }

    pub(super) fn links(&mut self, links: impl IntoIterator<Item = Link>) {
        let room = MOST.saturating_sub(self.entry.links.len());
        self.entry.links.extend(links.into_iter().take(room));
    }

    pub(super) fn enclosure(&mut self, enclosure: Enclosure) {
        add_enclosure(&mut self.entry.enclosures, enclosure);
    }

    pub(super) fn image(&mut self, image: Image) {
        add_image(&mut self.entry.images, image);
    }

    pub(super) fn author(&mut self, person: Option<Person>) {
        add_person(&mut self.entry.authors, person);
    }

    pub(super) fn category(&mut self, category: Category) {
        add_category(&mut self.entry.categories, category);
    }

    pub(super) fn finish(mut self) -> ParsedEntry {
        let mut entry = self.entry;
        entry.base = self.place.base;
        entry.language = entry.language.or(self.place.language);
        entry.id = self.id.finish();
        entry.title = self.title.finish();
        entry.summary = self.summary.finish();
        entry.content = self.content.finish();
        entry.updated = self.updated.finish();
        entry.rights = self.rights.finish();
        self.dates.sort_by_key(|(rank, _)| *rank);
        entry.dates = self.dates.into_iter().map(|(_, text)| RawDate { text, rung: DateRung::List }).collect();
        if let Some(href) = self.original_link {
            entry.links.insert(0, Link { href, ..Link::default() });
        }
        let has_page = entry.links.iter().any(|link| matches!(link.rel.as_str(), "" | "alternate"));
        if let Some(href) = self.permalink.filter(|_| !has_page) {
            entry.links.insert(0, Link { href, ..Link::default() });
        }
        if entry.authors.is_empty() {
            entry.authors = self.other_authors;
        }
        if let Some(first) = entry.enclosures.first_mut() {
            first.duration = first.duration.or(self.duration);
        }
        entry
    }
}

/// A feed in the making.
#[derive(Debug, Default)]
pub(super) struct FeedDraft {
    /// What has only one source, and lists.
    pub(super) feed: ParsedFeed,
    pub(super) place: Place,
    pub(super) title: Ranked<Text>,
    pub(super) subtitle: Ranked<Text>,
    pub(super) updated: Ranked<String>,
    pub(super) published: Ranked<String>,
    pub(super) rights: Ranked<Text>,
    pub(super) generator: Ranked<String>,
    pub(super) image: Ranked<Image>,
    pub(super) language: Ranked<String>,
    pub(super) id: Ranked<String>,
    /// Authors for a feed that names none otherwise.
    pub(super) other_authors: Vec<Person>,
    /// `sy:updatePeriod` in minutes and `sy:updateFrequency`.
    pub(super) period: (Option<u32>, Option<u32>),
}

/// The period in minutes where only `sy:updateFrequency` is given.
const DAILY: u32 = 1_440;

impl FeedDraft {
    pub(super) fn new(element: Element<'_, '_>) -> Self {
        Self { place: Place::of(element), ..Self::default() }
    }

    pub(super) fn links(&mut self, links: impl IntoIterator<Item = Link>) {
        let room = MOST.saturating_sub(self.feed.links.len());
        self.feed.links.extend(links.into_iter().take(room));
    }

    pub(super) fn author(&mut self, person: Option<Person>) {
        add_person(&mut self.feed.authors, person);
    }

    pub(super) fn category(&mut self, category: Category) {
        add_category(&mut self.feed.categories, category);
    }

    pub(super) fn finish(mut self) -> ParsedFeed {
        if self.period != (None, None) {
            let minutes = self.period.0.unwrap_or(DAILY) / self.period.1.unwrap_or(1).max(1);
            self.feed.hints.period_minutes = Some(minutes.max(1));
        }
        self.language.offer(5, self.place.language);
        let mut feed = self.feed;
        feed.base = self.place.base;
        feed.id = self.id.finish();
        feed.title = self.title.finish();
        feed.subtitle = self.subtitle.finish();
        feed.updated = self.updated.finish();
        feed.published = self.published.finish();
        feed.rights = self.rights.finish();
        feed.generator = self.generator.finish();
        feed.image = self.image.finish();
        feed.language = self.language.finish();
        if feed.authors.is_empty() {
            feed.authors = self.other_authors;
        }
        feed
    }
}

/// The most members of one entry's list: more is an attack, and the search for duplicates must stay short.
const MOST: usize = 200;

/// Adds an enclosure, or what it knows to the one with the same address.
pub(super) fn add_enclosure(list: &mut Vec<Enclosure>, new: Enclosure) {
    if let Some(old) = list.iter_mut().find(|old| old.url == new.url) {
        old.media_type = old.media_type.take().or(new.media_type);
        old.length = old.length.or(new.length);
        old.title = old.title.take().or(new.title);
        old.duration = old.duration.or(new.duration);
    } else if !new.url.is_empty() && list.len() < MOST {
        list.push(new);
    }
}

/// Adds a picture, or what it knows to the one with the same address.
pub(super) fn add_image(list: &mut Vec<Image>, new: Image) {
    if let Some(old) = list.iter_mut().find(|old| old.url == new.url) {
        old.alt = old.alt.take().or(new.alt);
        old.width = old.width.or(new.width);
        old.height = old.height.or(new.height);
    } else if !new.url.is_empty() && list.len() < MOST {
        list.push(new);
    }
}

/// Adds a person, or the e-mail address and page to the one with the same name.
pub(super) fn add_person(list: &mut Vec<Person>, new: Option<Person>) {
    let Some(new) = new else { return };
    if let Some(old) = list.iter_mut().find(|old| old.name == new.name) {
        old.email = old.email.take().or(new.email);
        old.uri = old.uri.take().or(new.uri);
    } else if list.len() < MOST {
        list.push(new);
    }
}

/// Adds a category unless it is there already.
pub(super) fn add_category(list: &mut Vec<Category>, new: Category) {
    let known = |old: &Category| old.term == new.term && (old.scheme == new.scheme || new.scheme.is_none());
    if !new.term.is_empty() && list.len() < MOST && !list.iter().any(known) {
        list.push(new);
    }
}
