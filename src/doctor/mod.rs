//! Judges how Heliu asks: what is told of requests goes in, broken rules come out. Pure.
//!
//! The rules are those of public feed reader scores, written down anew here and not taken from `schedule`, so that
//! the judge does not repeat the mistakes of the judged.

mod score;

#[cfg(test)]
mod tests;

pub use score::{Report, Rule, Scorer, Tally};

use crate::model::Hints;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// One request and its answer, as whoever answered saw them.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// When.
    pub at: DateTime<Utc>,
    /// The address without its fragment.
    pub url: String,
    /// Its host and port: what a 429 stops.
    pub host: String,
    /// The headers of the request, names in lower case; `None` when they are not known.
    pub headers: Option<Vec<(String, Vec<u8>)>>,
    /// The status; `None` when there was no answer.
    pub status: Option<u16>,
    /// The `ETag` of the answer.
    pub etag: Option<Vec<u8>>,
    /// The `Last-Modified` of the answer.
    pub last_modified: Option<Vec<u8>>,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// How long the answer says it is fresh.
    pub fresh_for: Option<Duration>,
    /// What `Retry-After` says.
    pub retry_after: Option<Duration>,
    /// Whether its body is a feed, and what that asks for.
    pub hints: Option<Hints>,
}

impl Asked {
    /// A header of the request.
    fn header(&self, name: &str) -> Option<&[u8]> {
        let headers = self.headers.as_ref()?;
        headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }
}
