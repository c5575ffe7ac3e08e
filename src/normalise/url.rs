//! Addresses: absolute ones from what a source wrote, and the normal form in which they are compared.

use percent::percent;
use std::fmt;
use url::Url;

mod percent;
mod tracking;

/// Longest address that is taken over, in bytes. RFC 9110 section 4.1 asks for at least 8,000.
const LONGEST: usize = 8000;

/// Why an address was not taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Nothing is written.
    Empty,
    /// It is no address at all, or too long.
    Invalid(String),
    /// It is neither http nor https; holds the scheme.
    Scheme(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the address is empty"),
            Self::Invalid(text) => write!(f, "{text:?} is not an address"),
            Self::Scheme(scheme) => write!(f, "{scheme}: is neither http nor https"),
        }
    }
}

/// An absolute http or https address without user name and password, as the WHATWG URL standard
/// resolves it; direction marks that could make it look like another are removed.
///
/// # Errors
/// [`Refused`] says why the text was not taken over.
pub fn resolve(base: &Url, href: &str) -> Result<Url, Refused> {
    let short = || href.chars().take(80).collect::<String>();
    if href.len() > LONGEST {
        return Err(Refused::Invalid(short()));
    }
    let text: String = href.chars().filter(|&c| !super::text::is_bidi_control(c)).collect();
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{FEFF}');
    if text.is_empty() {
        return Err(Refused::Empty);
    }
    let mut url = base.join(text).map_err(|_| Refused::Invalid(short()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refused::Scheme(url.scheme().chars().take(20).collect()));
    }
    // Both fail only for addresses that cannot have them; http has.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.as_str().len() > LONGEST * 3 || url.host_str().is_none_or(|host| host.trim_matches('.').is_empty()) {
        return Err(Refused::Invalid(short()));
    }
    Ok(url)
}

/// The base that an entry's addresses are resolved against: each of `bases` (outermost first) is itself
/// resolved against the one before; one that cannot be resolved is left out.
pub fn base(outermost: &Url, bases: &[Option<&str>]) -> Url {
    bases.iter().flatten().fold(outermost.clone(), |base, next| resolve(&base, next).unwrap_or(base))
}

/// The normal form in which links are compared: host without `www.`, then [`path`]. Scheme, user name,
/// fragment and default ports do not tell entries apart.
pub fn canonical(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let host = host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host);
    let port = match url.port() {
        None | Some(80 | 443) => String::new(),
        Some(port) => format!(":{port}"),
    };
    format!("{host}{port}{}", path(url))
}

/// The normal form of path and query: no empty segments, no trailing slash, no `index.html`, one form of
/// percent-encoding, parameters sorted and without those that only track.
pub fn path(url: &Url) -> String {
    let mut segments: Vec<String> = url.path().split('/').map(|part| percent(session(part), false)).collect();
    segments.retain(|segment| !segment.is_empty() && segment != ".");
    if segments.last().is_some_and(|last| is_index(last)) {
        segments.pop();
    }
    let mut out = String::from("/");
    out.push_str(&segments.join("/"));
    let query = query(url);
    if !query.is_empty() {
        out.push('?');
        out.push_str(&query);
    }
    out
}

/// A segment without its `;jsessionid=…`.
fn session(segment: &str) -> &str {
    segment
        .split_once(';')
        .filter(|(_, rest)| rest.to_ascii_lowercase().starts_with("jsessionid"))
        .map_or(segment, |(name, _)| name)
}

fn is_index(segment: &str) -> bool {
    let Some((stem, extension)) = segment.split_once('.') else { return false };
    matches!(stem, "index" | "default" | "Index" | "Default")
        && matches!(extension, "html" | "htm" | "shtml" | "shtm" | "xhtml" | "php" | "jsp" | "asp" | "aspx")
}

/// The significant parameters, sorted.
fn query(url: &Url) -> String {
    let mut pairs: Vec<String> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value)));
            let (name, value) = (percent(name, true), value.map(|value| percent(value, true)));
            let nothing = name.is_empty() && value.is_none();
            let kept = !nothing && !tracking::is_tracking(&name, value.as_deref().unwrap_or_default());
            kept.then(|| value.map_or(name.clone(), |value| format!("{name}={value}")))
        })
        .collect();
    pairs.sort();
    pairs.dedup();
    pairs.join("&")
}
