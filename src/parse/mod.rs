//! Text of an external feed → [`ParsedFeed`]: by content, not by media type; never fails.
//!
//! `feed` looks at the first character: `{` is a JSON Feed, anything else goes through the tolerant XML reader, and
//! the outermost element that a feed format knows decides which mapper reads it. What formats share is collected in
//! `draft`, where a better source of a field replaces a worse one. Each extension namespace is one file in
//! `modules` and one line in its registry.

mod atom;
mod base64;
mod cut;
mod detect;
mod discover;
mod draft;
mod json;
mod json_feed;
mod modules;
mod opml;
mod person;
mod rss;
mod text;

#[cfg(test)]
mod tests;

pub use cut::ends_inside_entry;
pub use discover::{Discovered, discover};
pub use opml::{Outline, opml};

use crate::model::{Flaw, FlawCode, ParsedFeed};
use crate::xml::{self, Document};
use std::borrow::Cow;

/// Reads a feed of any format: RSS 0.90 to 2.0, Atom 0.3 and 1.0, JSON Feed 1.0 and 1.1. Returns what could be read
/// and what was wrong; `None` only when the text is no feed at all (flaw `NotAFeed`, or `Empty`).
pub fn feed(text: &str) -> (Option<ParsedFeed>, Vec<Flaw>) {
    let (text, mut flaws) = prepared(text);
    let start = text.trim_start();
    if start.is_empty() {
        flaws.push(Flaw::new(FlawCode::Empty, "the document is empty"));
        return (None, flaws);
    }
    if start.starts_with(['{', '[']) {
        let (feed, more) = json_feed::read(start);
        flaws.extend(more);
        return (feed, flaws);
    }
    let document = Document::read(&text);
    let feed = detect::root(&document).map(|root| match root.format {
        detect::Family::Atom(format) => atom::read(root.element, format),
        detect::Family::Rss(format) => rss::read(root.element, format),
    });
    if feed.is_none() {
        let what = if detect::is_html(start) { "an HTML page" } else { "a document of another kind" };
        flaws.push(Flaw::new(FlawCode::NotAFeed, format!("{what} stands where a feed was expected")));
    } else {
        flaws.extend(document.flaws());
    }
    (feed, flaws)
}

/// The text without byte order mark, with `\n` line ends, without characters that XML forbids.
fn prepared(text: &str) -> (Cow<'_, str>, Vec<Flaw>) {
    let (text, illegal) = xml::cleaned(text.strip_prefix('\u{FEFF}').unwrap_or(text));
    let mut flaws = Vec::new();
    if illegal {
        flaws.push(Flaw::new(FlawCode::IllegalCharacters, "the document holds characters that XML forbids"));
    }
    (text, flaws)
}
