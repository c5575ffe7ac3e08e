//! Which format is it? Decided by the outermost element that a feed format knows, wherever it stands.

use crate::model::Format;
use crate::xml::{Document, Element, Namespace, limits};

/// The two families of XML formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Rss(Format),
    Atom(Format),
}

/// Where the feed begins, and what it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root<'d, 'a> {
    pub(super) element: Element<'d, 'a>,
    pub(super) format: Family,
}

/// Finds the feed in a document: its root, or the first element that can be one.
pub(super) fn root<'d, 'a>(document: &'d Document<'a>) -> Option<Root<'d, 'a>> {
    document.elements().find_map(|element| family(element).map(|format| Root { element, format }))
}

fn family(element: Element<'_, '_>) -> Option<Family> {
    use Namespace::{Atom, Atom03, Core, Other, Rdf};
    let namespace = element.namespace();
    match (element.name(), namespace) {
        ("rss", _) => Some(Family::Rss(rss_version(element))),
        ("rdf", Rdf | Core) => Some(Family::Rss(rdf_version(element))),
        ("feed", Atom | Atom03 | Core | Other) | ("entry", Atom | Atom03) => Some(Family::Atom(atom_version(element))),
        ("channel" | "item", Core) if !inside_html(element) => Some(Family::Rss(Format::Rss20)),
        _ => None,
    }
}

fn inside_html(element: Element<'_, '_>) -> bool {
    std::iter::successors(element.parent(), |e| e.parent()).any(|e| e.name().eq_ignore_ascii_case("html"))
}

fn rss_version(rss: Element<'_, '_>) -> Format {
    let version = rss.attribute("version").unwrap_or_default();
    let version = version.trim();
    match version.get(..4).unwrap_or(version) {
        "0.90" | "0.9" => Format::Rss090,
        "0.91" => Format::Rss091,
        "0.92" | "0.93" | "0.94" => Format::Rss092,
        _ if version == "1.0" => Format::Rss10,
        _ => Format::Rss20,
    }
}

fn rdf_version(rdf: Element<'_, '_>) -> Format {
    let old = rdf.attribute("xmlns").is_some_and(|uri| uri.contains("netscape.com/rdf/simple/0.9"));
    if old { Format::Rss090 } else { Format::Rss10 }
}

fn atom_version(feed: Element<'_, '_>) -> Format {
    let declared = feed.attribute("version").is_some_and(|v| matches!(v.trim(), "0.1" | "0.2" | "0.3"));
    if feed.namespace() == Namespace::Atom03 || declared { Format::Atom03 } else { Format::Atom10 }
}

/// All entries of the document in order, at most 5,000; also of a second root and outside the channel.
pub(super) fn entries<'d, 'a>(root: Element<'d, 'a>) -> Vec<Element<'d, 'a>> {
    let document = root.document();
    let mut entries = Vec::new();
    for element in document.elements().filter(|element| is_entry(*element)) {
        if std::iter::successors(element.parent(), |e| e.parent()).any(is_entry) {
            continue;
        }
        if entries.len() == limits::ENTRIES {
            document.too_many_entries();
            break;
        }
        entries.push(element);
    }
    entries
}

/// Whether it is an entry of a feed.
pub(super) fn is_entry(element: Element<'_, '_>) -> bool {
    matches!(element.name(), "item" | "entry")
        && matches!(element.namespace(), Namespace::Core | Namespace::Atom | Namespace::Atom03)
}

/// Whether a document that is no feed is a page for people.
pub(super) fn is_html(text: &str) -> bool {
    let head = text.get(..text.floor_char_boundary(2048)).unwrap_or_default().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"].iter().any(|sign| head.contains(sign))
}
