//! How far a source is trusted with what was published of it.

use serde::{Deserialize, Serialize};

/// What becomes of an entry that its source withdraws (RFC 6721, or by leaving a complete feed, RFC 5005 section 2).
/// A matter of showing: the ledger notes the withdrawal either way, and switching works backwards too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Withdrawn {
    /// It stays published.
    #[default]
    Keep,
    /// It leaves the feeds, and Atom carries a tombstone for it.
    Remove,
}

/// How far a channel's source is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trust {
    /// What becomes of entries that the source withdraws.
    pub withdrawn: Withdrawn,
    /// Whether a page that suddenly holds nothing but old entries under new ids is held back, and a mass
    /// withdrawal ignored. Off: whatever the source says is published, and what was held back is let go.
    pub quarantine: bool,
}

impl Default for Trust {
    fn default() -> Self {
        Self { withdrawn: Withdrawn::Keep, quarantine: true }
    }
}
