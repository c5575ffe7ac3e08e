//! What is sent in headers, and what answers say in theirs. Pure; `now` is an argument.

use super::types::{Accept, Validators};
use hyper::http::header::{
    ACCEPT, ACCEPT_ENCODING, AGE, CACHE_CONTROL, DATE, ETAG, EXPIRES, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER, USER_AGENT,
};
use std::time::{Duration, SystemTime};

/// The largest number of seconds that is told apart (RFC 9111 section 1.2.2).
const FOREVER: u64 = 1 << 31;
/// The longest validator that is kept, in bytes: longer ones would make the next request fail.
const LONGEST_VALIDATOR: usize = 8192;

const ACCEPT_FEED: &str = "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, \
     application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1";
const ACCEPT_PAGE: &str = "text/html, application/xhtml+xml, application/json;q=0.9, application/xml;q=0.8, */*;q=0.1";

/// The headers of a request, except `Host`, which the HTTP library writes. Nothing else is sent.
pub(super) fn request(user_agent: &HeaderValue, accept: Accept, validators: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    let accept = match accept {
        Accept::Page => ACCEPT_PAGE,
        Accept::Feed => ACCEPT_FEED,
    };
    headers.insert(USER_AGENT, user_agent.clone());
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
    for (name, value) in [(IF_NONE_MATCH, &validators.etag), (IF_MODIFIED_SINCE, &validators.last_modified)] {
        if let Some(value) = value.as_deref().and_then(sendable) {
            headers.insert(name, value);
        }
    }
    headers
}

/// A User-Agent that can be sent: control characters are left out.
pub(super) fn user_agent(text: &str) -> HeaderValue {
    let legal: String = text.chars().filter(|c| !c.is_control()).collect();
    HeaderValue::from_str(legal.trim()).ok().filter(|value| !value.is_empty()).unwrap_or_else(default_agent)
}

fn default_agent() -> HeaderValue {
    HeaderValue::from_static(concat!("heliu/", env!("CARGO_PKG_VERSION")))
}

/// A validator as a header, byte for byte; `None` for what a header cannot hold (CR, LF, NUL, other controls)
/// and for what would not come back as it was sent (outer blanks, which HTTP does not transmit).
fn sendable(value: &[u8]) -> Option<HeaderValue> {
    let usable = !value.is_empty() && value.len() <= LONGEST_VALIDATOR && value.trim_ascii().len() == value.len();
    usable.then(|| HeaderValue::from_bytes(value).ok()).flatten()
}

/// The validators of an answer.
pub(super) fn validators(headers: &HeaderMap) -> Validators {
    let take = |name: HeaderName| {
        let value = headers.get(name)?.as_bytes();
        sendable(value).map(|_| value.to_vec())
    };
    Validators { etag: take(ETAG), last_modified: take(LAST_MODIFIED) }
}

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date in any of the three forms. A date in the
/// past is zero; what cannot be read (negative, fractional, words) is `None`; seconds end at 2³¹.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    seconds(value).or_else(|| Some(since(date(value)?, now)))
}

/// How long the answer is fresh (RFC 9111 section 4.2.1): `max-age` less `Age`, else `Expires` less `Date`.
/// `None` when it does not say, says `no-cache` or `no-store`, or cannot be read.
pub(super) fn fresh_for(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let directives = cache_control(headers);
    let has = |name: &str| directives.iter().any(|(key, _)| key == name);
    if has("no-cache") || has("no-store") {
        return None;
    }
    // The first readable one counts when there are several.
    let max_age = directives.iter().filter(|(key, _)| key == "max-age").find_map(|(_, value)| seconds(value));
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(lifetime) = max_age {
        let age = text(AGE).and_then(seconds).unwrap_or_default();
        return Some(lifetime.saturating_sub(age));
    }
    let expires = text(EXPIRES).and_then(date)?;
    let from = text(DATE).and_then(date).unwrap_or(now);
    Some(since(expires, from))
}

/// The directives of `Cache-Control`, names in lower case, values without quotes.
fn cache_control(headers: &HeaderMap) -> Vec<(String, String)> {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(|directive| {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned())
        })
        .collect()
}

/// A delta of digits only, at most [`FOREVER`].
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Digits only fail to parse by being too many.
    digits.then(|| Duration::from_secs(text.parse().unwrap_or(FOREVER).min(FOREVER)))
}

fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

fn since(later: SystemTime, earlier: SystemTime) -> Duration {
    later.duration_since(earlier).unwrap_or_default().min(Duration::from_secs(FOREVER))
}
