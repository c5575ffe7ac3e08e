//! OPML 1.0 and 2.0: lists of subscriptions, nested, well-formed or not.

use super::prepared;
use super::rss::some_attribute;
use crate::model::{Flaw, FlawCode};
use crate::xml::{Document, Element};

/// One line of an outline: a folder, or a feed.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Outline {
    /// The name for people (`title`, else `text`).
    pub title: String,
    /// The feed's address (`xmlUrl`), as written; folders have none.
    pub xml_url: Option<String>,
    /// The page's address (`htmlUrl`), as written.
    pub html_url: Option<String>,
    /// The `type`, such as `rss` or `atom`.
    pub kind: Option<String>,
    /// What it is about (`description`).
    pub description: Option<String>,
    /// Its categories (`category`, separated by commas).
    pub categories: Vec<String>,
    /// What it contains.
    pub children: Vec<Outline>,
}

/// Reads an OPML document: its outermost outlines and what was wrong. A document without any outline is
/// `NotAFeed`; the tree is at most 256 deep, as every document.
pub fn opml(text: &str) -> (Vec<Outline>, Vec<Flaw>) {
    let (text, mut flaws) = prepared(text);
    let document = Document::read(&text);
    let outermost = document.elements().filter(|element| is_outline(*element) && !inside_outline(*element));
    let outlines: Vec<_> = outermost.map(outline).collect();
    if outlines.is_empty() && !document.elements().any(|element| element.name() == "opml") {
        flaws.push(Flaw::new(FlawCode::NotAFeed, "the document is not OPML"));
    } else {
        flaws.extend(document.flaws());
    }
    (outlines, flaws)
}

fn is_outline(element: Element<'_, '_>) -> bool {
    element.name() == "outline"
}

fn inside_outline(element: Element<'_, '_>) -> bool {
    element.parent().is_some_and(is_outline)
}

/// Recursion ends with the depth limit of the document.
fn outline(element: Element<'_, '_>) -> Outline {
    let attribute = |name| some_attribute(element, name);
    let categories = attribute("category").unwrap_or_default();
    Outline {
        title: attribute("title").or_else(|| attribute("text")).unwrap_or_default(),
        xml_url: attribute("xmlurl").or_else(|| attribute("url").filter(|_| is_feed(attribute("type").as_deref()))),
        html_url: attribute("htmlurl"),
        kind: attribute("type").map(|kind| kind.to_ascii_lowercase()),
        description: attribute("description"),
        categories: categories.split(',').map(str::trim).filter(|c| !c.is_empty()).map(str::to_owned).collect(),
        children: element.children().filter(|child| is_outline(*child)).map(outline).collect(),
    }
}

/// Whether `url` may name a feed: OPML 2.0 gives it to the types `link` and `include`, which name other things.
fn is_feed(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| !["link", "include"].contains(&kind.to_ascii_lowercase().as_str()))
}
