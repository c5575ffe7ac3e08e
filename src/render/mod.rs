//! Feed → bytes: RSS 2.0, Atom 1.0, JSON Feed 1.1, OPML and pages for people. Byte-identical for an
//! identical ledger; nothing here asks for the time.
//!
//! One file per format; what they share is in `text`. `normalise` promises legal text, sanitised HTML and
//! absolute addresses; the writers here keep their documents well-formed even if it did not.

mod atom;
mod document;
mod health;
mod json_feed;
mod opml;
mod page;
mod preview;
mod rss;
mod text;
mod words;

#[cfg(test)]
mod tests;

pub use atom::atom;
pub use document::{Document, Encoding, Representation};
pub use health::{HEALTH_PATH, Told, health_atom};
pub use json_feed::json_feed;
pub use opml::{Folder, opml, sources as opml_sources};
pub use page::{catalogue, feed_page, style};
pub use preview::{Explanation, Preview, preview_json};
pub use rss::rss;
pub use words::Lang;

use crate::model::Feed;
use url::Url;

/// The media type of RSS documents.
pub const RSS_TYPE: &str = "application/rss+xml; charset=utf-8";
/// The media type of Atom documents (RFC 4287 section 2).
pub const ATOM_TYPE: &str = "application/atom+xml; charset=utf-8";
/// The media type of JSON Feed documents (JSON Feed 1.1). JSON is UTF-8 always and takes no charset.
pub const JSON_TYPE: &str = "application/feed+json";
/// The media type of OPML documents.
pub const OPML_TYPE: &str = "text/x-opml; charset=utf-8";
/// The media type of pages for people.
pub const HTML_TYPE: &str = "text/html; charset=utf-8";
/// The media type of the style sheet.
pub const CSS_TYPE: &str = "text/css; charset=utf-8";

/// What a document must know about the service it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// Every absolute address starts with it. Ends in `/`.
    pub base_url: &'a Url,
    /// The title of the service; author of feeds whose entries name none.
    pub title: &'a str,
    /// BCP 47 language of the service.
    pub language: &'a str,
}

impl Site<'_> {
    /// The absolute address of a path that does not begin with `/`.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }
}

/// The forms in which a feed is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// RSS 2.0.
    Rss,
    /// Atom 1.0.
    Atom,
    /// JSON Feed 1.1.
    Json,
    /// The page for people.
    Page,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 4] = [Self::Page, Self::Rss, Self::Atom, Self::Json];

    /// The path on the service, without a leading `/`.
    #[must_use]
    pub fn path(self, feed: &Feed) -> String {
        let ending = match self {
            Self::Rss => ".rss",
            Self::Atom => ".atom",
            Self::Json => ".json",
            Self::Page => "",
        };
        format!("feeds/{}{ending}", feed.id)
    }

    /// The absolute address.
    #[must_use]
    pub fn address(self, feed: &Feed, site: &Site<'_>) -> String {
        site.address(&self.path(feed))
    }

    /// The media type as links name it, without charset.
    #[must_use]
    pub fn link_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml",
            Self::Atom => "application/atom+xml",
            Self::Json => "application/feed+json",
            Self::Page => "text/html",
        }
    }
}

/// The value of the HTTP `Link` header (RFC 8288) that fits every form of a feed: each form as `alternate`.
/// It holds no `self`, since `self` differs by form; see [`links_of`].
#[must_use]
pub fn links(feed: &Feed, site: &Site<'_>) -> String {
    Form::ALL.map(|form| link_value(feed, site, form, "alternate")).join(", ")
}

/// The value of the HTTP `Link` header of one form: itself as `self`, the others as `alternate`.
#[must_use]
pub fn links_of(feed: &Feed, site: &Site<'_>, own: Form) -> String {
    let others = Form::ALL.into_iter().filter(|form| *form != own);
    let mut values = vec![link_value(feed, site, own, "self")];
    values.extend(others.map(|form| link_value(feed, site, form, "alternate")));
    values.join(", ")
}

fn link_value(feed: &Feed, site: &Site<'_>, form: Form, rel: &str) -> String {
    format!("<{}>; rel=\"{rel}\"; type=\"{}\"", form.address(feed, site), form.link_type())
}
