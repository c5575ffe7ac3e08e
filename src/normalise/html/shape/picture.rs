//! Which address a picture really has.

use super::decode;
use crate::normalise::url::resolve;
use ::url::Url;

/// Where scripts find the address of a picture that is loaded lazily, the most telling first.
const LAZY: &[&str] = &[
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-actualsrc",
    "data-original-src",
    "data-lazy",
    "data-url",
    "data-echo",
    "data-hi-res-src",
    "lazysrc",
    "lazy-src",
    "original",
    "_src",
    "file",
    "zoomfile",
];

/// Parts of addresses that only count readers.
const PIXELS: &[&str] = &[
    "://pixel.",
    "://hm.baidu.com/",
    "://b.scorecardresearch.com/",
    "google-analytics.com/",
    "doubleclick.net/",
    "feedburner.com/~r/",
    "feeds.wordpress.com/1.0/",
    "stats.wordpress.com/",
    "cnzz.com/",
    "/1x1.gif",
    "/pixel.gif",
    "/pixel.png",
    "/spacer.gif",
    "/blank.gif",
];

/// Whether readers are not meant to see it: it is there to count them, or for a script to show.
pub(super) fn is_hidden(attributes: &[(String, &str)]) -> bool {
    let value = |name: &str| attributes.iter().find(|(known, _)| known == name).map(|(_, value)| decode(value));
    let tiny = ["width", "height"].iter().filter_map(|name| value(name)).any(|size| {
        let digits = size.trim().trim_end_matches("px");
        digits.parse::<f32>().is_ok_and(|pixels| pixels <= 1.0)
    });
    let style = value("style").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
    tiny || style.contains("display:none")
}

/// The address of a picture; `None` when it has none or is there to count readers.
pub(super) fn picture(attributes: &[(String, &str)], base: &Url) -> Option<Url> {
    let value = |name: &str| attributes.iter().find(|(known, _)| known == name).map(|(_, value)| decode(value));
    if is_hidden(attributes) {
        return None;
    }
    let lazy = LAZY.iter().filter_map(|name| value(name));
    let sets = ["data-srcset", "data-lazy-srcset"].iter().filter_map(|name| largest(&value(name)?));
    let candidates = lazy.chain(sets).chain(value("src")).chain(value("srcset").and_then(|set| largest(&set)));
    let url = candidates.filter(|text| looks_like_address(text)).find_map(|text| resolve(base, &text).ok())?;
    let lower = url.as_str().to_ascii_lowercase();
    (!PIXELS.iter().any(|part| lower.contains(part))).then_some(url)
}

/// `data-url` and the like hold other things too: flags, numbers, JSON.
fn looks_like_address(text: &str) -> bool {
    let text = text.trim();
    text.contains(['/', '.']) && !text.starts_with(['{', '['])
}

/// The largest candidate of a `srcset`.
fn largest(set: &str) -> Option<String> {
    let mut best: Option<(f32, &str)> = None;
    let mut rest = set;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (address, behind) = rest.split_at(end);
        if address.is_empty() {
            return best.map(|(_, address)| address.to_owned());
        }
        // An address that ends in a comma has no size behind it.
        let (size, next) =
            if address.ends_with(',') { ("", behind) } else { behind.split_once(',').unwrap_or((behind, "")) };
        let size = size.trim().trim_end_matches(['w', 'x', 'h']).parse().unwrap_or(1.0);
        if best.is_none_or(|(known, _)| size > known) {
            best = Some((size, address.trim_end_matches(',')));
        }
        rest = next;
    }
}
