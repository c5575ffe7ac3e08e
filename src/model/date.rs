//! A date with where it came from and how exactly it was known.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

/// How exactly a date was given. A date-only entry is kept at local midnight of its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// To the second or finer.
    Second,
    /// To the minute.
    Minute,
    /// Only the day.
    Day,
}

/// The date ladder, best rung first: a date from a better rung replaces one from a worse rung,
/// never the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateRung {
    /// Shown on the article's own page.
    Article,
    /// Shown in the list, or given by an external feed.
    List,
    /// The moment of creation in the article's URL, to the second.
    Stamp,
    /// The day in the article's URL.
    UrlDay,
    /// Nothing was given: the instant at which Heliu first saw the entry.
    FirstSeen,
}

/// An instant in its zone, how exactly it was known, and from which rung of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated {
    /// The instant, with the offset it is shown in (the channel's zone unless the source gave one).
    pub at: DateTime<FixedOffset>,
    /// How exactly it was known.
    pub precision: Precision,
    /// Where it came from.
    pub rung: DateRung,
}
