//! What a source said, before anything is made of it: raw strings, unresolved addresses.

use super::{Category, DateRung, Enclosure, Hints, Image, Link, Person, Source};
use serde::Serialize;

/// How a piece of text is to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextKind {
    /// Plain text: `<` means itself.
    Plain,
    /// HTML, already unescaped once.
    Html,
}

/// A text construct (RFC 4287 section 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text {
    /// The text.
    pub value: String,
    /// How it is to be understood.
    pub kind: TextKind,
    /// Base for relative addresses inside, when it differs from the entry's.
    pub base: Option<String>,
    /// Language, when it differs from the entry's.
    pub language: Option<String>,
}

impl Text {
    /// Plain text.
    #[must_use]
    pub fn plain(value: impl Into<String>) -> Self {
        Self { value: value.into(), kind: TextKind::Plain, base: None, language: None }
    }

    /// HTML.
    #[must_use]
    pub fn html(value: impl Into<String>) -> Self {
        Self { value: value.into(), kind: TextKind::Html, base: None, language: None }
    }
}

/// A date as it was written, with the rung of the ladder it stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RawDate {
    /// As written, such as `2019-12-10 20:57:50  来源:金羊网`.
    pub text: String,
    /// Where it was written.
    pub rung: DateRung,
}

/// What kind of document was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A portal's page, read by a layout.
    #[default]
    Page,
    /// A portal's JSON list, read by a layout.
    JsonList,
    /// RSS 0.90.
    Rss090,
    /// RSS 0.91.
    Rss091,
    /// RSS 0.92.
    Rss092,
    /// RSS 1.0 (RDF).
    Rss10,
    /// RSS 2.0, also without a version.
    Rss20,
    /// Atom 0.3.
    Atom03,
    /// Atom 1.0.
    Atom10,
    /// JSON Feed 1.0.
    JsonFeed10,
    /// JSON Feed 1.1.
    JsonFeed11,
}

/// A feed or a list page as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ParsedFeed {
    /// What it was.
    pub format: Format,
    /// The layout that fitted, for pages.
    pub layout: Option<String>,
    /// The feed's own id.
    pub id: Option<String>,
    /// Its title.
    pub title: Option<Text>,
    /// Its subtitle or description.
    pub subtitle: Option<Text>,
    /// Its links, as written.
    pub links: Vec<Link>,
    /// When it was last changed, as written.
    pub updated: Option<String>,
    /// When it was published, as written.
    pub published: Option<String>,
    /// Authors.
    pub authors: Vec<Person>,
    /// Contributors.
    pub contributors: Vec<Person>,
    /// Categories.
    pub categories: Vec<Category>,
    /// Rights statement.
    pub rights: Option<Text>,
    /// The program that made it.
    pub generator: Option<String>,
    /// Its picture or logo, as written.
    pub image: Option<Image>,
    /// Its icon, as written.
    pub icon: Option<String>,
    /// BCP 47 language.
    pub language: Option<String>,
    /// Base for relative addresses (`xml:base`, `<base href>`), as written.
    pub base: Option<String>,
    /// When it asks to be left alone.
    #[serde(skip_serializing_if = "Hints::is_empty")]
    pub hints: Hints,
    /// The entries, in the order of the document.
    pub entries: Vec<ParsedEntry>,
    /// Entries that the source withdrew: id and date as written.
    pub withdrawn: Vec<(String, Option<String>)>,
    /// The next page of the list, as written.
    pub next_page: Option<String>,
    /// The document holds every entry that there is (`fh:complete`, RFC 5005 section 2): others are gone.
    pub complete: bool,
    /// The document is an archive that no longer changes (`fh:archive`, RFC 5005 section 4).
    pub archive: bool,
}

/// An entry as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ParsedEntry {
    /// guid or id, as written.
    pub id: Option<String>,
    /// For portal pages: what a layout's `identity` pattern took from the link.
    pub identity: Option<String>,
    /// Links as written; the first with an empty or `alternate` relation is the entry's page.
    pub links: Vec<Link>,
    /// Title.
    pub title: Option<Text>,
    /// Summary or description.
    pub summary: Option<Text>,
    /// Full text.
    pub content: Option<Text>,
    /// Every date that was found, best rung first; `normalise` takes the first that it can read.
    pub dates: Vec<RawDate>,
    /// When it was last changed, as written.
    pub updated: Option<String>,
    /// Authors.
    pub authors: Vec<Person>,
    /// Contributors; on the portal the editor.
    pub contributors: Vec<Person>,
    /// Categories.
    pub categories: Vec<Category>,
    /// Enclosures, addresses as written.
    pub enclosures: Vec<Enclosure>,
    /// Pictures, addresses as written.
    pub images: Vec<Image>,
    /// Where it first appeared.
    pub source: Option<Source>,
    /// The source's title, where it is not plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_title: Option<Text>,
    /// The source's rights statement, where it is not plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_rights: Option<Text>,
    /// Rights statement.
    pub rights: Option<Text>,
    /// BCP 47 language.
    pub language: Option<String>,
    /// Base for relative addresses, as written.
    pub base: Option<String>,
    /// How many comments there are, when given (slash:comments, thr:total).
    pub comment_count: Option<u32>,
    /// Where it happened: latitude and longitude in degrees, as written, one space between (georss:point).
    pub location: Option<String>,
    /// Whether the article's own page has been read into this entry.
    pub article_read: bool,
}
