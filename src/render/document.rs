//! A published document: its bytes in every content coding, and the validators of each.

use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::io::Write;

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

impl Document {
    /// Makes a document of rendered text: compresses it in every coding and keeps the codings that
    /// make it smaller. The same text gives the same bytes and the same validators everywhere.
    #[must_use]
    pub fn new(
        text: impl Into<Bytes>,
        media_type: &'static str,
        language: &str,
        last_modified: DateTime<Utc>,
        link: Option<String>,
    ) -> Self {
        Self::plain(text, media_type, language, last_modified, link).pressed()
    }

    /// The same with nothing but the identity representation: ready at once. [`Document::pressed`] adds the others,
    /// which takes most of the time.
    #[must_use]
    pub fn plain(
        text: impl Into<Bytes>,
        media_type: &'static str,
        language: &str,
        last_modified: DateTime<Utc>,
        link: Option<String>,
    ) -> Self {
        let bytes: Bytes = text.into();
        let etag = format!("\"{}\"", fingerprint(&bytes));
        let representations = vec![Representation { encoding: Encoding::Identity, bytes, etag }];
        let last_modified = DateTime::from_timestamp(last_modified.timestamp(), 0).unwrap_or(last_modified);
        Self { media_type, language: language.to_owned(), last_modified, link, representations }
    }

    /// The document with every coding that makes it smaller.
    #[must_use]
    pub fn pressed(&self) -> Self {
        let mut document = self.clone();
        document.representations.retain(|one| one.encoding == Encoding::Identity);
        let Some(Representation { bytes: identity, .. }) = document.representations.first().cloned() else {
            return document;
        };
        for encoding in Encoding::ALL.into_iter().filter(|encoding| *encoding != Encoding::Identity) {
            let Some(bytes) = encoding.compress(&identity).filter(|bytes| bytes.len() < identity.len()) else {
                continue;
            };
            let etag = format!("\"{}{}\"", self.hash(), encoding.etag_suffix());
            document.representations.push(Representation { encoding, bytes, etag });
        }
        document
    }

    /// Whether both are the same but for their codings.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        let of = |one: &Self| (one.media_type, one.last_modified);
        of(self) == of(other)
            && (&self.language, &self.link, self.hash()) == (&other.language, &other.link, other.hash())
    }

    /// The fingerprint of the identity bytes: 32 hexadecimal digits, the first half of their SHA-256.
    /// Empty only for a document without an identity representation, which [`Document::new`] never makes.
    #[must_use]
    pub fn hash(&self) -> &str {
        let identity = self.representations.iter().find(|one| one.encoding == Encoding::Identity);
        identity.map_or("", |one| one.etag.trim_matches('"'))
    }
}

/// 128 bits are plenty to tell documents apart, and keep the header short.
fn fingerprint(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
        // Writing into a String cannot fail.
        let _ = std::fmt::Write::write_fmt(&mut hex, format_args!("{byte:02x}"));
        hex
    })
}

impl Encoding {
    /// Keeps the strong validators of the representations apart (RFC 9110 section 8.8.3.3).
    fn etag_suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-gz",
            Self::Brotli => "-br",
            Self::Zstd => "-zst",
        }
    }

    /// The bytes in this coding; `None` should the compressor fail, then the coding is left out.
    /// Levels: compression decides what a refresh costs, and these give most of the gain for little.
    #[must_use]
    pub fn compress(self, bytes: &Bytes) -> Option<Bytes> {
        match self {
            Self::Identity => Some(bytes.clone()),
            Self::Gzip => {
                // The encoder writes no name and no time into the header, so equal input gives equal bytes.
                let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
                encoder.write_all(bytes).ok()?;
                encoder.finish().ok().map(Bytes::from)
            }
            Self::Brotli => {
                // No larger than the document: else most of the time goes into clearing a window of 4 MiB.
                let lgwin = (usize::BITS - bytes.len().leading_zeros()).clamp(16, 22).cast_signed();
                let params = BrotliEncoderParams { quality: 5, lgwin, ..BrotliEncoderParams::default() };
                let mut out = Vec::new();
                brotli::BrotliCompress(&mut bytes.as_ref(), &mut out, &params).ok()?;
                Some(Bytes::from(out))
            }
            Self::Zstd => zstd::bulk::compress(bytes, 3).ok().map(Bytes::from),
        }
    }
}
