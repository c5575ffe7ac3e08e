//! Small pages that belong to no feed: errors, the icon, robots.txt.

use super::Site;
use super::document::{self, CACHE, CSP};
use super::negotiate::{self, Language};
use askama::Template;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use std::sync::Arc;

/// A page that says what went wrong.
#[derive(Template)]
#[template(path = "serve/error.html")]
struct ErrorPage {
    language: &'static str,
    title: &'static str,
    text: &'static str,
    home: &'static str,
}

/// The language this client reads.
pub(super) fn language(headers: &HeaderMap, site: &Site) -> Language {
    let wanted = document::list(headers, &header::ACCEPT_LANGUAGE);
    negotiate::language(wanted.as_deref(), negotiate::home(&site.shelf.get().config.service.language))
}

/// An HTML answer.
pub(super) fn html(status: StatusCode, language: Language, page: &impl Template) -> Response {
    let Ok(text) = page.render() else { return failure(StatusCode::INTERNAL_SERVER_ERROR) };
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.insert(header::CONTENT_SECURITY_POLICY, CSP);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Language"));
    response
}

/// An error as a page for browsers and as one line for everybody else. Nothing of the request is repeated.
fn error(
    site: &Site,
    headers: &HeaderMap,
    status: StatusCode,
    chinese: [&'static str; 2],
    english: [&'static str; 2],
) -> Response {
    let language = language(headers, site);
    let ([title, text], home) = match language {
        Language::Chinese => (chinese, "回到目录"),
        Language::English => (english, "To the catalogue"),
    };
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    if accept.contains("text/html") {
        return html(status, language, &ErrorPage { language: language.tag(), title, text, home });
    }
    let mut response = (status, format!("{title}. {text}\n")).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Language"));
    response
}

/// 404; 503 for a feed that is configured but could not be read from a damaged ledger: a feed reader must not take it
/// for gone.
pub(super) async fn not_found(State(site): State<Arc<Site>>, request: Request) -> Response {
    let name = request.uri().path().strip_prefix("/feeds/").map(|name| name.split('.').next().unwrap_or(name));
    let set = site.shelf.get();
    if name.is_some_and(|name| set.config.feeds.iter().any(|spec| spec.id.as_str() == name))
        && !set.feeds.iter().any(|feed| Some(feed.id.as_str()) == name)
        && site.store.ready().await.is_err()
    {
        let chinese = ["暂时读不到", "这个订阅源的存储有损坏，修好之后会照常提供。"];
        let english =
            ["Not readable now", "The store of this feed is damaged; it will be served again once it is mended."];
        let mut response = error(&site, request.headers(), StatusCode::SERVICE_UNAVAILABLE, chinese, english);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("600"));
        return response;
    }
    missing(&site, request.headers())
}

/// 404 as an answer.
pub(super) fn missing(site: &Site, headers: &HeaderMap) -> Response {
    let chinese = ["没有这个页面", "这个地址没有内容；订阅目录列出了全部订阅源。"];
    let english = ["Not found", "There is nothing at this address; the catalogue lists every feed."];
    error(site, headers, StatusCode::NOT_FOUND, chinese, english)
}

/// 405; the router adds `Allow`.
pub(super) async fn not_allowed(State(site): State<Arc<Site>>, request: Request) -> Response {
    let chinese = ["不支持这种请求", "这个地址只能读取(GET 或 HEAD)。"];
    let english = ["Method not allowed", "This address can only be read (GET or HEAD)."];
    error(&site, request.headers(), StatusCode::METHOD_NOT_ALLOWED, chinese, english)
}

/// What is said when Heliu itself failed.
pub(super) fn failure(status: StatusCode) -> Response {
    let mut response = (status, "Heliu failed here; it has been logged.\n").into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Two streams that become one: 合流.
const ICON: &str = concat!(
    r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b5c6b"/>"##,
    r##"<path d="M8 6c0 8 8 8 8 14v6M24 6c0 8-8 8-8 14" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round"/></svg>"##,
    "\n"
);

/// Search engines may read everything but the admin's pages.
const ROBOTS: &str = "User-agent: *\nDisallow: /admin\n";

fn fixed(media_type: &'static str, text: &'static str) -> Response {
    let media_type = HeaderValue::from_static(media_type);
    ([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, CACHE)], text).into_response()
}

/// `/favicon.svg`.
pub(super) async fn icon() -> Response {
    fixed("image/svg+xml", ICON)
}

/// `/robots.txt`.
pub(super) async fn robots() -> Response {
    fixed("text/plain; charset=utf-8", ROBOTS)
}
