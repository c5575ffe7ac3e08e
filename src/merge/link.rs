//! The page that a link leads to, whichever way it is reached: scheme, `www`, tracking parameters, trailing slash
//! and fragment (`normalise::url::canonical`), AMP, caches of AMP, and hosts for phones.

use crate::normalise::url::canonical;
use url::Url;

/// First labels of hosts that show the same pages to phones.
const MOBILE: &[&str] = &["www", "m", "wap", "mobile", "3g", "amp", "touch"];

/// The normal form of an address; equal forms are one page.
pub(super) fn page(address: &str) -> Option<String> {
    let mut url = Url::parse(address).ok()?;
    if let Some(inner) = cached(&url) {
        url = inner;
    }
    let host = url.host_str()?.to_owned();
    if let Some((label, rest)) = host.split_once('.')
        && MOBILE.contains(&label)
        && rest.contains('.')
        && url.domain().is_some()
    {
        url.set_host(Some(rest)).ok()?;
    }
    let is_amp = |part: &&str| !part.eq_ignore_ascii_case("amp");
    let path: Vec<&str> = url.path().split('/').collect();
    let last = path.len().saturating_sub(if path.last() == Some(&"") { 2 } else { 1 });
    // Only at the ends: `/guide/amp/design` is a page about AMP.
    let kept: Vec<&str> = path
        .iter()
        .enumerate()
        .filter(|(at, part)| (*at != 1 && *at != last) || is_amp(part))
        .map(|(_, part)| *part)
        .collect();
    let path = kept.join("/").replace(".amp.html", ".html").replace(".amp.shtml", ".shtml");
    url.set_path(&path);
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if pairs.iter().any(is_amp_flag) {
        url.query_pairs_mut().clear().extend_pairs(pairs.iter().filter(|pair| !is_amp_flag(pair)));
    }
    Some(canonical(&url))
}

fn is_amp_flag((name, value): &(String, String)) -> bool {
    matches!((name.as_str(), value.as_str()), ("amp", "" | "1" | "true") | ("outputType" | "output", "amp"))
}

/// The page behind a cache of AMP pages: `www.google.com/amp/s/HOST/…`, `….cdn.ampproject.org/c/s/HOST/…`.
fn cached(url: &Url) -> Option<Url> {
    let host = url.host_str()?;
    let rest = if host.ends_with(".cdn.ampproject.org") {
        url.path().strip_prefix("/c/").or_else(|| url.path().strip_prefix("/v/"))?
    } else if host == "www.google.com" {
        url.path().strip_prefix("/amp/")?
    } else {
        return None;
    };
    let rest = rest.strip_prefix("s/").unwrap_or(rest);
    Url::parse(&format!("https://{rest}")).ok()
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn one_page_however_it_is_reached() {
        let plain = page("https://example.org/news/1.html");
        for same in [
            "http://www.example.org/news/1.html",
            "https://m.example.org/news/1.html?utm_source=x#top",
            "https://wap.example.org/news/1.html",
            "https://example.org/news/1.html?from=app",
            "https://example.org/amp/news/1.html",
            "https://example.org/news/1.amp.html",
            "https://example.org/news/1.html/amp/",
            "https://example.org/news/1.html?amp=1",
            "https://www.google.com/amp/s/example.org/news/1.html",
            "https://example-org.cdn.ampproject.org/c/s/example.org/news/1.html",
        ] {
            assert_eq!(page(same), plain, "{same}");
        }
        for other in [
            "https://example.org/news/2.html",
            "https://example.com/news/1.html",
            "https://bbs.example.org/news/1.html",
            "https://example.org/news/1.html?page=2",
            "https://example.org/a/amp/news/1.html",
        ] {
            assert_ne!(page(other), plain, "{other}");
        }
        assert_eq!(page("no address"), None);
        assert!(page("https://m.cn/").is_some_and(|page| page.starts_with("m.cn")));
    }
}
