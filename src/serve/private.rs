//! What only the admin gets besides the pages under `/admin`: `/metrics` and the feed of incidents.

use super::{Site, document, page};
use crate::telemetry::{OPENMETRICS_TYPE, PROMETHEUS_TYPE};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::HeaderMap;
use hyper::header::{self, HeaderValue};
use std::sync::Arc;

/// The path of the feed of incidents.
pub(super) const HEALTH_FEED: &str = "/feeds/health.atom";

/// Whether a path is for the admin alone.
pub(super) fn is_private(path: &str) -> bool {
    path == "/admin" || path.starts_with("/admin/") || path == "/metrics" || path == HEALTH_FEED
}

/// `/metrics`: the OpenMetrics form for who asks for it, else that of Prometheus 0.0.4.
pub(super) async fn metrics(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let wanted = document::list(&headers, &header::ACCEPT);
    let modern = wanted.is_some_and(|types| types.contains("application/openmetrics-text"));
    let (kind, text) = if modern {
        (OPENMETRICS_TYPE, site.metrics.openmetrics())
    } else {
        (PROMETHEUS_TYPE, site.metrics.prometheus())
    };
    let vary = (header::VARY, HeaderValue::from_static("Accept"));
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), vary], text).into_response()
}

/// [`HEALTH_FEED`]: a published document like the others, except that nobody shares it.
pub(super) async fn incidents(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let set = Arc::clone(&site.shelf.get());
    let answer = set.health.as_ref().and_then(|one| document::alone(one, &headers, || (site.clock)()));
    match answer {
        Some(mut response) => {
            let headers = response.headers_mut();
            headers.remove(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            response.into_response()
        }
        None => page::missing(&site, &headers),
    }
}
