//! What is known of a channel between two polls.

use crate::health::{Incidents, Usual};
use crate::model::{Flaw, Hints, Moved, Rhythm};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many attempts of a channel are kept for `/admin`.
pub const ATTEMPTS_KEPT: usize = 50;

/// How one attempt to poll ended; the last [`ATTEMPTS_KEPT`] of each channel are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at: DateTime<Utc>,
    /// The address that was asked last.
    pub url: String,
    /// The HTTP status, when there was one.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// New and updated entries.
    pub changed: u32,
    /// The error, when there was one.
    pub error: Option<String>,
}

/// The wish of a host to be left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// The host that said so, with its port: `example.org:443`. A redirect may have led to it.
    pub host: String,
    /// When the poll began in which it was told; a millisecond later for what an article or a further page said.
    pub told: DateTime<Utc>,
    /// Until when it holds.
    pub until: DateTime<Utc>,
}

/// A further page of a list that could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// The address of the list in feeds.yaml.
    pub list: String,
    /// The address of the page.
    pub url: String,
    /// Its place: 1 for the page after the first.
    pub page: u32,
    /// How often it was asked for in vain.
    pub tries: u32,
}

/// Everything that decides the next poll of a channel and that `/admin` shows of it, but for earlier attempts. Persisted,
/// so that a restart never causes an early or an unconditional request. Read from the ledger when the channel is
/// polled and kept nowhere else: most channels rest most of the time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PollState {
    /// When it was last polled.
    pub last_poll: Option<DateTime<Utc>>,
    /// When a poll last succeeded, also with 304.
    pub last_success: Option<DateTime<Utc>>,
    /// When a poll last brought something new.
    pub last_change: Option<DateTime<Utc>>,
    /// When it is next due.
    pub next_poll: Option<DateTime<Utc>>,
    /// Failed polls since the last success.
    pub failures: u32,
    /// When the first live poll succeeded; until then the snapshot is served.
    pub live_since: Option<DateTime<Utc>>,
    /// The address in use.
    pub address: Option<String>,
    /// The layout in use.
    pub layout: Option<String>,
    /// The hash of the body that this channel last read (see [`super::FetchState::body_hash`]): a 304 vouches for
    /// the body that *some* channel last used, which may be one that no layout of this channel fits.
    pub read_hash: Option<String>,
    /// Entries on the page, last time.
    pub entries_on_page: u32,
    /// Entries usually on the page: the largest of the last polls, falling slowly.
    pub usual_entries: u32,
    /// Whether the host in use is inside `allow_networks` and so exempt from the minimum interval.
    pub exempt: bool,
    /// A hash of the channel's part of feeds.yaml; when it changes, stored body hashes are not trusted.
    pub config_hash: String,
    /// What the feed asks for, as it was last read: a 304 obeys it too.
    pub hints: Hints,
    /// When the source said that it is gone for good (410): it is not asked any more, unless its part of feeds.yaml
    /// changes.
    pub gone: Option<DateTime<Utc>>,
    /// What was learnt of when the source publishes.
    pub rhythm: Rhythm,
    /// Permanent redirects, by the address in feeds.yaml that they stand at.
    pub moved: BTreeMap<String, Moved>,
    /// When a whole document came last, or was asked for without validators although they were known.
    pub last_whole: Option<DateTime<Utc>>,
    /// The addresses whose hosts asked to be left alone (429, 503), as they were asked.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rests: BTreeMap<String, Rest>,
    /// The further page of the list that is to be asked for again, whatever is known of the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owed: Option<Owed>,
    /// The flaws of the last poll.
    pub flaws: Vec<Flaw>,
    /// The error of the last poll.
    pub error: Option<String>,
    /// How many attempts there were. They are kept in the ledger under their numbers, from 1 on.
    pub tries: u64,
    /// The last of them.
    pub last_attempt: Option<Attempt>,
    /// When the first of the failures in a row happened.
    pub failing_since: Option<DateTime<Utc>>,
    /// What is usual for the channel.
    pub usual: Usual,
    /// What was wrong for longer.
    pub incidents: Incidents,
}

impl PollState {
    /// Notes how an attempt ended.
    pub fn attempted(&mut self, attempt: Attempt) {
        self.failing_since = attempt.error.as_ref().map(|_| self.failing_since.unwrap_or(attempt.at));
        self.tries = self.tries.saturating_add(1);
        self.last_attempt = Some(attempt);
    }
}
