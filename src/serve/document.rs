//! Published documents as ready-made answers: every header of every representation is built once per
//! publication, so that a request costs one look-up, one negotiation and one copy of a header table.

use super::conditional::{self, Held};
use super::negotiate::{self, Language};
use crate::publish::{Published, Shelved};
use crate::render::{Document, Encoding};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body_util::Full;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Response, StatusCode};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long caches may use a document: five minutes without asking, ten more while they ask in the background, and
/// a day when Heliu cannot be reached. A new entry is thus seen by everybody within some five minutes, and a
/// restart of Heliu by nobody.
pub(super) const CACHE: HeaderValue =
    HeaderValue::from_static("public, max-age=300, stale-while-revalidate=600, stale-if-error=86400");

/// What a page may load: its own style sheet and pictures, nothing that runs.
pub(super) const CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src http: https: data:; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'",
);

/// What may be done with a document.
pub(super) const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const REFERRER: HeaderValue = HeaderValue::from_static("strict-origin-when-cross-origin");

/// The headers every answer carries.
pub(super) fn common(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(header::REFERRER_POLICY, REFERRER);
}

/// One representation with the headers of its 200 and of its 304.
#[derive(Debug)]
struct Prepared {
    encoding: Encoding,
    bytes: Bytes,
    ok: HeaderMap,
    not_modified: HeaderMap,
}

/// A document with everything prepared.
#[derive(Debug)]
pub(super) struct Ready {
    document: Arc<Document>,
    prepared: Vec<Prepared>,
    tags: Vec<String>,
    modified: i64,
    feed: bool,
}

/// What stands under a path.
#[derive(Debug, Clone)]
enum Place {
    One(Arc<Ready>),
    Page { zh: Arc<Ready>, en: Arc<Ready> },
}

/// Every document of one published set.
#[derive(Debug)]
pub(super) struct Table {
    /// The set it was made of.
    pub(super) set: Arc<Published>,
    home: Language,
    places: HashMap<String, Place>,
}

/// Whether web pages of other sites may read it.
fn is_feed(media_type: &str) -> bool {
    ["application/rss+xml", "application/atom+xml", "application/feed+json"].iter().any(|t| media_type.starts_with(t))
}

fn coding_name(encoding: Encoding) -> Option<HeaderValue> {
    match encoding {
        Encoding::Identity => None,
        Encoding::Gzip => Some(HeaderValue::from_static("gzip")),
        Encoding::Brotli => Some(HeaderValue::from_static("br")),
        Encoding::Zstd => Some(HeaderValue::from_static("zstd")),
    }
}

impl Ready {
    fn new(document: &Arc<Document>, page: bool) -> Self {
        let feed = is_feed(document.media_type);
        let prepared: Vec<_> = document
            .representations
            .iter()
            .map(|one| {
                let not_modified = validators(document, &one.etag, page, feed);
                let mut ok = not_modified.clone();
                common(&mut ok);
                ok.insert(header::CONTENT_TYPE, HeaderValue::from_static(document.media_type));
                put(&mut ok, header::CONTENT_LANGUAGE, &document.language);
                if document.media_type.starts_with("text/html") {
                    ok.insert(header::CONTENT_SECURITY_POLICY, CSP);
                }
                if let Some(name) = coding_name(one.encoding) {
                    ok.insert(header::CONTENT_ENCODING, name);
                }
                Prepared { encoding: one.encoding, bytes: one.bytes.clone(), ok, not_modified }
            })
            .collect();
        let tags = document.representations.iter().map(|one| one.etag.trim_matches('"').to_owned()).collect();
        Self { document: Arc::clone(document), prepared, tags, modified: document.last_modified.timestamp(), feed }
    }

    /// Which representation the client wants.
    fn choose(&self, headers: &HeaderMap) -> usize {
        let wanted = list(headers, &header::ACCEPT_ENCODING);
        let at = |encoding| self.prepared.iter().position(|one| one.encoding == encoding);
        let encoding = negotiate::coding(wanted.as_deref(), |encoding| at(encoding).is_some());
        at(encoding).unwrap_or(0)
    }

    /// The answer to GET and HEAD.
    fn answer(
        &self,
        head: bool,
        headers: &HeaderMap,
        now: impl FnOnce() -> DateTime<Utc>,
    ) -> Option<Response<Full<Bytes>>> {
        let chosen = self.choose(headers);
        let conditional =
            headers.contains_key(header::IF_NONE_MATCH) || headers.contains_key(header::IF_MODIFIED_SINCE);
        let held = if conditional {
            conditional::held(headers, &self.tags, chosen, self.modified, now())
        } else {
            Held::Nothing
        };
        let held = match held {
            Held::Nothing => None,
            Held::Current => Some(chosen),
            Held::One(at) => Some(at),
        };
        if let Some(at) = held {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.headers_mut() = self.prepared.get(at)?.not_modified.clone();
            return Some(response);
        }
        let one = self.prepared.get(chosen)?;
        let mut response = Response::new(if head { Full::default() } else { Full::new(one.bytes.clone()) });
        *response.headers_mut() = one.ok.clone();
        if head {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(one.bytes.len()));
        }
        Some(response)
    }
}

/// The answer to GET for a document that is on no table.
pub(super) fn alone(
    document: &Arc<Document>,
    headers: &HeaderMap,
    now: impl FnOnce() -> DateTime<Utc>,
) -> Option<Response<Full<Bytes>>> {
    Ready::new(document, false).answer(false, headers, now)
}

/// A list-valued header as one list, however many lines it came in (RFC 9110 section 5.3). Values that are not
/// ASCII count as empty.
pub(super) fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Cow<'a, str>> {
    let mut lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or(""));
    let first = lines.next()?;
    let rest: Vec<_> = lines.collect();
    Some(if rest.is_empty() { Cow::Borrowed(first) } else { Cow::Owned(format!("{first},{}", rest.join(","))) })
}

/// The headers that a 304 carries as the 200 would (RFC 9110 section 15.4.5).
fn validators(document: &Document, etag: &str, page: bool, feed: bool) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    put(&mut headers, header::ETAG, etag);
    headers.insert(header::CACHE_CONTROL, CACHE);
    let vary = if page { "Accept-Encoding, Accept-Language" } else { "Accept-Encoding" };
    headers.insert(header::VARY, HeaderValue::from_static(vary));
    let since = u64::try_from(document.last_modified.timestamp()).unwrap_or(0);
    let modified = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(since));
    put(&mut headers, header::LAST_MODIFIED, &modified);
    if let Some(link) = &document.link {
        put(&mut headers, header::LINK, link);
    }
    if feed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    headers
}

/// Sets a header whose value was made elsewhere; one that is no legal value is left out and logged, never sent.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    match HeaderValue::from_str(value) {
        Ok(value) => {
            headers.insert(name, value);
        }
        Err(error) => tracing::error!(%name, value, %error, "a document has an unusable header"),
    }
}

impl Table {
    /// Prepares a set; documents that `old` holds already are taken over.
    pub(super) fn new(set: Arc<Published>, old: Option<&Self>) -> Self {
        let known: HashMap<_, _> = old
            .into_iter()
            .flat_map(|old| old.places.values())
            .flat_map(|place| match place {
                Place::One(one) => vec![(false, one)],
                Place::Page { zh, en } => vec![(true, zh), (true, en)],
            })
            .map(|(page, ready)| ((Arc::as_ptr(&ready.document), page), ready))
            .collect();
        let ready = |document: &Arc<Document>, page| match known.get(&(Arc::as_ptr(document), page)) {
            Some(&known) => Arc::clone(known),
            None => Arc::new(Ready::new(document, page)),
        };
        let places = set.documents.iter().map(|(path, shelved)| {
            let place = match shelved {
                Shelved::One(document) => Place::One(ready(document, false)),
                Shelved::Page { zh, en } => Place::Page { zh: ready(zh, true), en: ready(en, true) },
            };
            (path.clone(), place)
        });
        let places = places.collect();
        let home = negotiate::home(&set.config.service.language);
        Self { set, home, places }
    }

    /// The answer to a request for `path`, when it is a document. `now` is asked for only when a date matters.
    pub(super) fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        now: impl FnOnce() -> DateTime<Utc>,
    ) -> Option<Response<Full<Bytes>>> {
        let ready = match self.places.get(path)? {
            Place::One(ready) => ready,
            Place::Page { zh, en } => {
                let wanted = list(headers, &header::ACCEPT_LANGUAGE);
                match negotiate::language(wanted.as_deref(), self.home) {
                    Language::Chinese => zh,
                    Language::English => en,
                }
            }
        };
        match *method {
            Method::GET => ready.answer(false, headers, now),
            Method::HEAD => ready.answer(true, headers, now),
            Method::OPTIONS => Some(options(ready.feed)),
            _ => Some(not_allowed()),
        }
    }

    /// Where a slightly wrong path leads: a trailing slash, or `.xml` for RSS.
    pub(super) fn canonical(&self, path: &str) -> Option<String> {
        let known = |path: &str| self.places.contains_key(path);
        let bare = path.trim_end_matches('/');
        if bare != path && known(bare) {
            return Some(bare.to_owned());
        }
        let stem = bare.strip_suffix(".xml").filter(|stem| stem.starts_with("/feeds/"))?;
        [".rss", ".atom"].iter().map(|kind| format!("{stem}{kind}")).find(|path| known(path))
    }
}

/// 204: what may be done, and for feeds what other sites' pages may do.
fn options(feed: bool) -> Response<Full<Bytes>> {
    let mut response = empty(StatusCode::NO_CONTENT);
    if feed {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
        let conditional = HeaderValue::from_static("If-None-Match, If-Modified-Since");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, conditional);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    response
}

fn not_allowed() -> Response<Full<Bytes>> {
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    *response.body_mut() = Full::from("This document can only be read: GET, HEAD or OPTIONS.\n");
    response
}

/// An answer without a body that says what may be done.
pub(super) fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response.headers_mut().insert(header::ALLOW, ALLOW);
    common(response.headers_mut());
    response
}
