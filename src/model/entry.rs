//! Entries: as normalised, as recorded, and the keys that identify them.

use super::{ChannelId, Dated};
use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The permanent identifier of an entry, as published in `atom:id`, `guid` and JSON Feed's `id`.
/// Minted once or taken over from the source, then stored and never derived again; compared
/// character by character (RFC 4287 section 4.2.6.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub String);

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of evidence a [`Key`] is, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// The guid or id that an external feed gave.
    Guid,
    /// The path of the link (portal pages), or the canonical link (external feeds).
    Link,
    /// Title and day: carries identity over a change of URL scheme, see `store::reconcile`.
    TitleDay,
}

/// One piece of evidence of identity, unique inside its channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// What it was made from.
    pub kind: KeyKind,
    /// The normal form that is compared.
    pub value: String,
}

/// A person: an author, an editor, a contributor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Person {
    /// The name as shown.
    pub name: String,
    /// An e-mail address, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A page about the person, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}

impl Person {
    /// A person of whom only the name is known.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// A link with its relation (RFC 4287 section 4.2.7). `href` is absolute after `normalise`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The address.
    pub href: String,
    /// The relation; empty means `alternate`.
    pub rel: String,
    /// The media type, when given.
    pub media_type: Option<String>,
    /// The language of the target, when given.
    pub hreflang: Option<String>,
    /// A title, when given.
    pub title: Option<String>,
    /// The length in bytes, when given.
    pub length: Option<u64>,
}

/// A file that belongs to the entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    /// Absolute http or https address.
    pub url: String,
    /// The media type, given or told from the file name.
    pub media_type: Option<String>,
    /// The length in bytes, when known; 0 is never invented here (render writes 0 where RSS demands a number).
    pub length: Option<u64>,
    /// A title, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The playing time in seconds, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
}

/// A picture shown with the entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Absolute http or https address.
    pub url: String,
    /// The alternative text, when given.
    pub alt: Option<String>,
    /// Width in pixels, when given.
    pub width: Option<u32>,
    /// Height in pixels, when given.
    pub height: Option<u32>,
}

/// A category (RFC 4287 section 4.2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Category {
    /// The term.
    pub term: String,
    /// The scheme the term belongs to (`domain` in RSS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// A label for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// Where an entry first appeared (`atom:source`, RSS `source`, 来源 on the portal).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The name for people, such as 金羊网 or 新华社.
    pub title: String,
    /// The source's own id, when it is a feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The source feed's address, when it is a feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed_url: Option<String>,
    /// The source's page, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its rights statement, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
}

/// A normalised entry: everything a reader of a feed gets to see. All text is legal XML
/// ([`legal`](super::legal())), all HTML is sanitised, all addresses are absolute http(s).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The permanent id. `normalise` proposes one; the ledger keeps the first that it stored.
    pub id: EntryId,
    /// The page of the entry. `None` only for external entries that have no link.
    pub url: Option<String>,
    /// The title as plain text, never with markup.
    pub title: String,
    /// A short plain-text summary.
    pub summary: Option<String>,
    /// The full text as sanitised HTML.
    pub content: Option<String>,
    /// When it was published.
    pub published: Dated,
    /// When its visible content last changed; `None` until it does, or when the source gave no date.
    pub updated: Option<DateTime<FixedOffset>>,
    /// Authors (byline).
    pub authors: Vec<Person>,
    /// Contributors; on the portal the editor (编辑).
    pub contributors: Vec<Person>,
    /// Categories.
    pub categories: Vec<Category>,
    /// Enclosures; for a comic its picture.
    pub enclosures: Vec<Enclosure>,
    /// Pictures.
    pub images: Vec<Image>,
    /// Where it first appeared, when it is a reprint or comes from an external feed.
    pub source: Option<Source>,
    /// BCP 47 language, when it differs from the feed's.
    pub language: Option<String>,
    /// Rights statement.
    pub rights: Option<String>,
    /// Further links (`related`, `via`, `enclosure`s excepted).
    pub links: Vec<Link>,
}

impl Entry {
    /// An entry that says nothing but this.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>, published: Dated) -> Self {
        Self {
            id: EntryId(id.into()),
            url: None,
            title: title.into(),
            summary: None,
            content: None,
            published,
            updated: None,
            authors: Vec::new(),
            contributors: Vec::new(),
            categories: Vec::new(),
            enclosures: Vec::new(),
            images: Vec::new(),
            source: None,
            language: None,
            rights: None,
            links: Vec::new(),
        }
    }
}

/// A normalised entry on its way into the ledger, with its keys, strongest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The evidence of identity; never empty.
    pub keys: Vec<Key>,
    /// What is to be recorded. Fields that this poll did not see (`None`, empty) leave what the
    /// ledger knows untouched.
    pub entry: Entry,
}

/// Whether an entry was read from a live source or from a bundled snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Read from the source itself, at least once.
    Live,
    /// Known only from the channel's snapshot.
    Snapshot,
}

/// An entry as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The channel it belongs to.
    pub channel: ChannelId,
    /// The sequence number at which it was born; it never changes. Of entries of one date the later born is the newer.
    pub number: u64,
    /// The sequence number of its last change; unique and monotone over the whole ledger.
    pub seq: u64,
    /// When Heliu first saw it.
    pub first_seen: DateTime<Utc>,
    /// When the ledger last changed it.
    pub changed: DateTime<Utc>,
    /// Snapshot or live.
    pub standing: Standing,
    /// When its source withdrew it; it is shown all the same unless the channel says otherwise.
    pub withdrawn: Option<DateTime<Utc>>,
    /// What it says.
    pub entry: Entry,
}

/// Which state of a record this is: two records with equal marks are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// See [`Record::number`].
    pub number: u64,
    /// See [`Record::seq`].
    pub seq: u64,
    /// See [`Record::withdrawn`].
    pub withdrawn: Option<DateTime<Utc>>,
}

impl Record {
    /// Its mark.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { number: self.number, seq: self.seq, withdrawn: self.withdrawn }
    }
}
