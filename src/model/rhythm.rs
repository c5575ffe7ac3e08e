//! What was learnt of when a source publishes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How often new entries come, and at what hours. Kept with the channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rhythm {
    /// The usual time between two new entries in seconds: a mean in which the latest count most. `None` as long as too
    /// few were seen.
    pub gap_seconds: Option<u32>,
    /// How many new entries came in each hour of the day in UTC, midnight first; empty or 24 numbers. Old ones fade.
    pub hours: Vec<u8>,
}

/// A permanent redirect that was met, and the address that was adopted because of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Where the redirects lead.
    pub to: String,
    /// When they first led there.
    pub since: DateTime<Utc>,
    /// How often in a row they led there.
    pub seen: u32,
    /// The address that is asked instead of the one in feeds.yaml.
    pub adopted: Option<String>,
}
