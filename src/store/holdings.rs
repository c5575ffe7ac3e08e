//! What is told of ledgers and backups as a whole.

use chrono::{DateTime, Utc};
use std::path::PathBuf;

/// What a backup or a ledger holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// Channels that were ever polled.
    pub channels: u64,
    /// Entries, held back and withdrawn ones among them.
    pub entries: u64,
    /// The last sequence number that was given out.
    pub seq: u64,
    /// When the youngest entry was first seen.
    pub newest: Option<DateTime<Utc>>,
    /// When the ledger was created.
    pub created: DateTime<Utc>,
    /// The version of the schema.
    pub version: i64,
    /// The size of a new backup in bytes; else 0.
    pub bytes: u64,
    /// The SHA-256 of a new backup in hexadecimal digits; else empty.
    pub sha256: String,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the ledger holds now.
    pub holdings: Holdings,
    /// Where the ledger is that was there before.
    pub kept: Option<PathBuf>,
    /// Whether the backup was compared with the checksum beside it.
    pub sealed: bool,
}

/// How large the files of the store are, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The ledger itself.
    pub file: u64,
    /// The write-ahead log beside it.
    pub log: u64,
}
