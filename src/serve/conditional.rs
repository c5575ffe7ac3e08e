//! Conditional requests (RFC 9110 section 13): is what the client holds still what is published?

use chrono::{DateTime, Utc};
use hyper::HeaderMap;
use hyper::header::{HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use std::time::UNIX_EPOCH;

/// What proxies append to our ETag inside its quotes when they compress (Apache `-gzip`, Jetty `--gzip` …) and
/// forget to take off again when they ask us.
const SUFFIXES: [&str; 8] = ["--gzip", "-gzip", ";gzip", "-br", "-brotli", "-zstd", "-deflate", "-df"];

/// Which representation's 304 answers the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// None: the client needs the document.
    Nothing,
    /// Whichever is negotiated: the client named none (`*`, or a date).
    Current,
    /// The one with this index.
    One(usize),
}

/// Judges a request. `tags` are the opaque parts (without quotes) of the `ETag` values of all representations of the
/// document, of which `chosen` was negotiated; `modified` is in seconds since 1970.
///
/// If-None-Match wins over If-Modified-Since (section 13.2.2). A tag of *any* representation matches: they all
/// say the same, so a client that switched codings still holds the current document.
pub(super) fn held(headers: &HeaderMap, tags: &[String], chosen: usize, modified: i64, now: DateTime<Utc>) -> Held {
    let mut lines = headers.get_all(IF_NONE_MATCH).iter().peekable();
    if lines.peek().is_some() {
        return none_match(lines, tags, chosen);
    }
    match headers.get(IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok()).and_then(seconds) {
        // A date in the future is valid in form (section 13.1.3) but cannot be one that we sent: ignored.
        Some(since) if since <= now.timestamp() && modified <= since => Held::Current,
        _ => Held::Nothing,
    }
}

/// An HTTP date in any of its three forms.
fn seconds(text: &str) -> Option<i64> {
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

fn none_match<'a>(lines: impl Iterator<Item = &'a HeaderValue>, tags: &[String], chosen: usize) -> Held {
    let mut held = Held::Nothing;
    for line in lines {
        let mut rest = line.as_bytes();
        while let Some((member, after)) = next_member(rest) {
            rest = after;
            let Member::Tag(tag) = member else { return Held::Current };
            match position(tag, tags) {
                Some(at) if at == chosen => return Held::One(at),
                Some(at) => held = Held::One(at),
                None => {}
            }
        }
    }
    held
}

/// A member of the list.
enum Member<'a> {
    /// `*` without quotes.
    Any,
    /// A tag without `W/` and quotes.
    Tag(&'a [u8]),
}

/// The next member of the list and what follows. Commas may stand inside quotes. Tags without quotes are taken as
/// they are: some clients lose them.
fn next_member(list: &[u8]) -> Option<(Member<'_>, &[u8])> {
    let start = list.iter().position(|b| !matches!(b, b',' | b' ' | b'\t'))?;
    let list = &list[start..];
    let list = list.strip_prefix(b"W/").or_else(|| list.strip_prefix(b"w/")).unwrap_or(list);
    if let Some(quoted) = list.strip_prefix(b"\"") {
        let end = quoted.iter().position(|&b| b == b'"').unwrap_or(quoted.len());
        return Some((Member::Tag(&quoted[..end]), quoted.get(end + 1..).unwrap_or(&[])));
    }
    let end = list.iter().position(|&b| b == b',').unwrap_or(list.len());
    let tag = list[..end].trim_ascii();
    Some((if tag == b"*" { Member::Any } else { Member::Tag(tag) }, &list[end..]))
}

fn position(tag: &[u8], tags: &[String]) -> Option<usize> {
    let find = |tag: &[u8]| tags.iter().position(|ours| ours.as_bytes() == tag);
    find(tag).or_else(|| SUFFIXES.iter().filter_map(|suffix| tag.strip_suffix(suffix.as_bytes())).find_map(find))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: i64 = 1_575_979_070; // 2019-12-10 11:57:50 UTC

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(MODIFIED + 86_400, 0).unwrap()
    }

    fn tags() -> Vec<String> {
        ["k3-i", "k3-g", "k3-b", "k3-z"].map(String::from).to_vec()
    }

    fn check(headers: &[(&str, &str)], expected: Held) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = hyper::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        assert_eq!(held(&map, &tags(), 1, MODIFIED, now()), expected, "{headers:?}");
    }

    #[test]
    fn dates_in_three_forms() {
        for (value, expected) in [
            ("Tue, 10 Dec 2019 11:57:50 GMT", Held::Current),
            ("Tuesday, 10-Dec-19 11:57:50 GMT", Held::Current),
            ("Tue Dec 10 11:57:50 2019", Held::Current),
            ("Tue, 10 Dec 2019 11:57:51 GMT", Held::Current),
            ("Tue, 10 Dec 2019 11:57:49 GMT", Held::Nothing),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Held::Nothing),
            ("Thu, 10 Dec 2099 11:57:50 GMT", Held::Nothing),
            ("yesterday", Held::Nothing),
            ("", Held::Nothing),
            ("0", Held::Nothing),
            ("2019-12-10T11:57:50Z", Held::Nothing),
        ] {
            check(&[("if-modified-since", value)], expected);
        }
    }

    #[test]
    fn the_tag_wins_over_the_date() {
        let late = "Tue, 10 Dec 2019 12:57:50 GMT";
        check(&[("if-none-match", "\"other\""), ("if-modified-since", late)], Held::Nothing);
        check(&[("if-none-match", "\"k3-g\""), ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")], Held::One(1));
        check(&[("if-none-match", ""), ("if-modified-since", late)], Held::Nothing);
    }

    #[test]
    fn several_lines_are_one_list_and_the_chosen_one_is_preferred() {
        check(&[("if-none-match", "\"x\""), ("if-none-match", "\"k3-b\"")], Held::One(2));
        check(&[("if-none-match", "\"k3-b\", \"k3-g\"")], Held::One(1));
        check(&[("if-none-match", "\"a,k3-g,b\"")], Held::Nothing);
    }

    proptest::proptest! {
        /// No value panics, and none matches that does not hold one of our tags or a star.
        #[test]
        fn hostile_lists(value in "[ -~]{0,200}") {
            let line = HeaderValue::from_str(&value).unwrap();
            let held = none_match(std::iter::once(&line), &tags(), 0);
            if held != Held::Nothing {
                proptest::prop_assert!(value.contains("k3-") || value.contains('*'));
            }
        }
    }
}
