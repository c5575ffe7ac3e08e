//! What merging compares entries by: all that it needs to know of a record besides what is shown of it.

use super::link::page;
use super::print::Print;
use super::title::Title;
use crate::model::{EntryId, Record, Rung};
use chrono::{DateTime, Utc};

/// One record, as far as duplicates and order are concerned.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// How its owner finds the record again.
    pub(super) handle: u64,
    /// See [`Record::number`].
    pub(super) number: u64,
    pub(super) id: EntryId,
    pub(super) url: Option<String>,
    pub(super) name: String,
    /// When it was published; what claims the future was published when it was first seen.
    pub(super) at: DateTime<Utc>,
    pub(super) first_seen: DateTime<Utc>,
    pub(super) changed: DateTime<Utc>,
    pub(super) has_content: bool,
    /// Whether another channel of the feed is named as its source.
    pub(super) is_reprint: bool,
    pub(super) page: Option<String>,
    pub(super) title: Title,
    pub(super) print: Option<Print>,
}

/// When it was published; what claims the future was published when it was first seen.
pub(super) fn at(record: &Record) -> DateTime<Utc> {
    record.entry.published.at.with_timezone(&Utc).min(record.first_seen)
}

impl Head {
    /// The head of a record, with what `rungs` compare; [`Rung::Id`] needs nothing more.
    pub(super) fn of(record: &Record, handle: u64, is_reprint: bool, rungs: &[Rung]) -> Self {
        let entry = &record.entry;
        let wants = |rung| rungs.contains(&rung);
        let text = entry.content.as_deref().or(entry.summary.as_deref());
        Self {
            handle,
            number: record.number,
            id: entry.id.clone(),
            url: entry.url.clone(),
            name: entry.title.clone(),
            at: at(record),
            first_seen: record.first_seen,
            changed: record.changed,
            has_content: entry.content.is_some(),
            is_reprint,
            page: entry.url.as_deref().filter(|_| wants(Rung::Link)).and_then(page),
            title: Title::of(&entry.title),
            print: text.filter(|_| wants(Rung::Title) || wants(Rung::Text)).and_then(Print::of),
        }
    }

    /// The order in which entries win: the first seen is shown, so that no later one changes an id that was shown;
    /// of those first seen at one instant the original, then the earliest, then the first channel's.
    pub(super) fn turn(&self, place: usize) -> (DateTime<Utc>, bool, DateTime<Utc>, usize, &EntryId) {
        (self.first_seen, self.is_reprint, self.at, place, &self.id)
    }

    /// Whether merging cannot tell the two apart but by their last change.
    pub(super) fn weighs_like(&self, other: &Self) -> bool {
        let of = |one: &Self| (one.number, one.at, one.first_seen, one.has_content, one.is_reprint);
        of(self) == of(other)
            && (&self.id, &self.url, &self.name, &self.page) == (&other.id, &other.url, &other.name, &other.page)
            && self.title == other.title
            && self.print == other.print
    }
}
