//! What the entries of one page carry.

use crate::model::{Candidate, DateRung};
use serde::{Deserialize, Serialize};

/// What an entry may carry besides title and link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A date that the source gave.
    Date,
    /// An image.
    Image,
    /// A summary or a text.
    Summary,
    /// Where it comes from, or who wrote it.
    Source,
}

impl Field {
    /// Every field, in the order of [`Tally::with`].
    pub const ALL: [Self; 4] = [Self::Date, Self::Image, Self::Summary, Self::Source];

    /// What it is called in evidence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Date => "dates",
            Self::Image => "images",
            Self::Summary => "summaries",
            Self::Source => "sources",
        }
    }
}

/// How many entries stand on a page, and how many of them carry each field of [`Field::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// All entries.
    pub entries: u32,
    /// Those that carry each field; never more than `entries`.
    pub with: [u32; 4],
}

impl Tally {
    /// Counts the entries of a list as it stands, before any article was read: what articles add depends on
    /// how many of them are new.
    #[must_use]
    pub fn of_list(listed: &[Candidate]) -> Self {
        Self::count(listed.iter(), |rung| rung != DateRung::FirstSeen)
    }

    /// Counts entries whose articles were read. A date counts when the article shows it.
    #[must_use]
    pub fn of_articles<'a>(read: impl Iterator<Item = &'a Candidate>) -> Self {
        Self::count(read, |rung| rung == DateRung::Article)
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = Self { entries: self.entries.saturating_add(other.entries), with: self.with };
        for (count, more) in sum.with.iter_mut().zip(other.with) {
            *count = count.saturating_add(more);
        }
        sum
    }

    fn count<'a>(entries: impl Iterator<Item = &'a Candidate>, dated: impl Fn(DateRung) -> bool) -> Self {
        let mut tally = Self::default();
        for Candidate { entry, .. } in entries {
            tally.entries = tally.entries.saturating_add(1);
            let carries = [
                dated(entry.published.rung),
                !entry.images.is_empty() || !entry.enclosures.is_empty(),
                entry.summary.is_some() || entry.content.is_some(),
                entry.source.is_some() || !entry.authors.is_empty(),
            ];
            for (count, carried) in tally.with.iter_mut().zip(carries) {
                *count = count.saturating_add(u32::from(carried));
            }
        }
        tally
    }
}
