//! A published document: its bytes in every content coding, and the validators of each.

use bytes::Bytes;
use chrono::{DateTime, Utc};

/// A content coding that documents are kept in (RFC 9110 section 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Encoding {
    /// As rendered.
    Identity,
    /// gzip.
    Gzip,
    /// Brotli.
    Brotli,
    /// Zstandard.
    Zstd,
}

impl Encoding {
    /// Every coding, in the order in which representations are kept.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Brotli, Self::Zstd];
}

/// One representation: the bytes in one coding with their strong validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representation {
    /// The coding.
    pub encoding: Encoding,
    /// The bytes.
    pub bytes: Bytes,
    /// The strong ETag, quotes included; differs from that of every other representation.
    pub etag: String,
}

/// A document with its representations, ready to be served without further work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The media type with charset, such as `application/rss+xml; charset=utf-8`.
    pub media_type: &'static str,
    /// BCP 47 language for `Content-Language`.
    pub language: String,
    /// When these bytes were first published, to the second.
    pub last_modified: DateTime<Utc>,
    /// `Link` header value, when the document has one.
    pub link: Option<String>,
    /// The representations: identity always, others where they are smaller.
    pub representations: Vec<Representation>,
}
