//! Pictures: the address that a lazy-loading page hides, never its placeholder.

use super::address::resolve;
use super::dom::{Node, Step};
use super::text::{squeeze, trim};
use crate::model::Image;
use url::Url;

/// Where lazy-loading scripts keep the real address.
const LAZY: [&str; 6] = ["data-src", "data-original", "data-lazy-src", "data-url", "data-actualsrc", "data-echo"];

/// File names that stand in for a picture until it is loaded.
const PLACEHOLDERS: [&str; 16] = [
    "loading",
    "lazy",
    "lazyload",
    "placeholder",
    "blank",
    "spacer",
    "space",
    "pixel",
    "transparent",
    "grey",
    "gray",
    "1x1",
    "dot",
    "load",
    "nopic",
    "default",
];

/// The picture at or below a node.
pub(super) fn of(node: Node<'_>, base: &Url) -> Option<Image> {
    all(node, base).into_iter().next()
}

/// The most pictures of one entry; the search for repetitions must stay short.
const MOST: usize = 200;

/// Every picture at or below a node, in order, none twice.
pub(super) fn all(node: Node<'_>, base: &Url) -> Vec<Image> {
    let mut images: Vec<Image> = Vec::new();
    for step in node.walk() {
        if let Step::Enter(at) = step
            && at.name() == "img"
            && let Some(url) = source(at, base)
            && !images.iter().any(|image| image.url == url)
        {
            images.push(Image { url, ..described(at) });
            if images.len() == MOST {
                break;
            }
        }
    }
    images
}

/// The picture whose address stands in a given attribute.
pub(super) fn from_attribute(node: Node<'_>, attribute: &str, base: &Url) -> Option<Image> {
    let value = node.attribute(attribute)?;
    let value = if attribute == "srcset" { largest(&value)? } else { value };
    Some(Image { url: real(&value, base)?, ..described(node) })
}

/// The absolute address of an `img`: lazy attributes, then `srcset`, then `src`.
pub(super) fn source(img: Node<'_>, base: &Url) -> Option<String> {
    let set = |name: &str| img.attribute(name).and_then(|value| largest(&value));
    LAZY.iter()
        .find_map(|name| img.attribute(name).and_then(|value| real(&value, base)))
        .or_else(|| set("data-srcset").and_then(|value| real(&value, base)))
        .or_else(|| set("srcset").and_then(|value| real(&value, base)))
        .or_else(|| img.attribute("src").and_then(|value| real(&value, base)))
}

/// The address, absolute, unless it is a placeholder.
pub(super) fn real(value: &str, base: &Url) -> Option<String> {
    let value = trim(value);
    if value.is_empty() || super::is_template(value) {
        return None;
    }
    let url = resolve(base, value)?;
    let name = url.path().rsplit('/').next()?.to_ascii_lowercase();
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let loader = stem.starts_with("loading") && name == format!("{stem}.gif");
    (!stem.is_empty() && !loader && !PLACEHOLDERS.contains(&stem)).then(|| url.into())
}

/// The candidate with the largest width or density (HTML Standard, `srcset` attributes).
fn largest(srcset: &str) -> Option<String> {
    let mut best: Option<(f64, &str)> = None;
    let mut rest = srcset.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (mut url, mut after) = rest.split_at(end);
        let mut size = 1.0;
        if url.ends_with(',') {
            url = url.trim_end_matches(',');
        } else {
            let stop = after.find(',').unwrap_or(after.len());
            let descriptor = after[..stop].trim();
            size = descriptor.trim_end_matches(['w', 'x']).parse().unwrap_or(1.0);
            after = &after[stop..];
        }
        if !url.starts_with("data:") && best.is_none_or(|(most, _)| size > most) {
            best = Some((size, url));
        }
        rest = after.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
    }
    best.map(|(_, url)| url.to_owned())
}

fn described(node: Node<'_>) -> Image {
    let number = |name: &str| node.attribute(name).and_then(|value| value.trim().parse().ok()).filter(|n| *n > 0);
    Image {
        url: String::new(),
        alt: node.attribute("alt").map(|alt| squeeze(&alt)).filter(|alt| !alt.is_empty()),
        width: number("width"),
        height: number("height"),
    }
}
