//! Since when a document has its bytes.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// The published state of one document, so that its `Last-Modified` survives a restart and never goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The hash of its bytes.
    pub hash: String,
    /// When these bytes were first published, to the second.
    pub modified: DateTime<Utc>,
}

/// The stamp that a document has after bytes with this hash were published `at`; the rule of [`super::Store::stamp`].
pub(super) fn next_stamp(stored: Option<&Stamp>, hash: &str, at: DateTime<Utc>) -> Stamp {
    let at = at.trunc_subsecs(0);
    let modified = match stored {
        Some(stored) if stored.hash == hash => stored.modified,
        Some(stored) => at.max(stored.modified + TimeDelta::seconds(1)),
        None => at,
    };
    Stamp { hash: hash.to_owned(), modified }
}
