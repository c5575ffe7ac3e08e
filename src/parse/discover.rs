//! Feed addresses that an HTML page announces (`<link rel="alternate" type="application/rss+xml" href>`).

use crate::xml;
use url::Url;

/// A feed that a page announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// The absolute address, http or https.
    pub url: Url,
    /// The media type as announced, in lower case; empty for `rel="feed"` without one.
    pub media_type: String,
    /// The title, when given.
    pub title: Option<String>,
}

/// Longest address that is taken over, in bytes.
const LONGEST: usize = 8000;

/// The most that one page can announce: what is beyond is no choice for a person.
const MOST: usize = 50;

const FEED_TYPES: &[&str] = &[
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/json",
    "application/rdf+xml",
    "application/x.atom+xml",
    "application/xml",
    "text/xml",
    "text/rss",
];

/// Finds the feeds that an HTML page announces, in order, each once. `base` is the page's address; a `<base href>` in
/// the page is obeyed.
pub fn discover(html: &str, base: &Url) -> Vec<Discovered> {
    let mut base = base.clone();
    let mut based = false;
    let mut found: Vec<Discovered> = Vec::new();
    xml::tags(html, &["base", "link"], |name, attributes| {
        let get = |wanted: &str| {
            attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim()).filter(|v| !v.is_empty())
        };
        let Some(href) = get("href").filter(|href| href.len() <= LONGEST) else { return true };
        if name == "base" {
            // Only the first counts (WHATWG HTML, the base element).
            if let (false, Ok(joined)) = (based, base.join(href)) {
                base = joined;
                based = true;
            }
            return true;
        }
        let media_type =
            get("type").unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !announces(get("rel").unwrap_or_default(), &media_type) {
            return true;
        }
        if let Ok(url) = base.join(href)
            && matches!(url.scheme(), "http" | "https")
            && found.iter().all(|other| other.url != url)
        {
            found.push(Discovered { url, media_type, title: get("title").map(str::to_owned) });
        }
        found.len() < MOST
    });
    found
}

fn announces(rel: &str, media_type: &str) -> bool {
    let has = |wanted: &str| rel.split_ascii_whitespace().any(|r| r.eq_ignore_ascii_case(wanted));
    let is_feed = FEED_TYPES.contains(&media_type);
    (has("alternate") && is_feed && !has("stylesheet")) || (has("feed") && (is_feed || media_type.is_empty()))
}
