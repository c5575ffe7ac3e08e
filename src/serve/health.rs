//! `/healthz`: the process answers. `/readyz`: it has something to serve and its store works.

use super::Site;
use crate::model::Standing;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

fn answer(status: StatusCode, body: Value) -> Response {
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (status, [no_store], Json(body)).into_response()
}

/// Always 200. What was wrong in a rejected file is told under `/admin` only, for this page is public.
pub(super) async fn alive(State(site): State<Arc<Site>>) -> Response {
    let set = site.shelf.get();
    let feeds: Vec<_> = set
        .feeds
        .iter()
        .map(|feed| {
            let standing = match feed.standing {
                // Never read, or nothing there: nobody can tell from here that it is live.
                Standing::Live if feed.entries.is_empty() => "empty",
                Standing::Live => "live",
                Standing::Snapshot => "snapshot",
            };
            json!({"id": feed.id.as_str(), "standing": standing, "entries": feed.entries.len(), "updated": feed.updated})
        })
        .collect();
    let rejected = set.status.rejected.as_ref().map(|(at, _)| at);
    let config = json!({"in_use_since": set.status.loaded, "rejected": rejected});
    answer(StatusCode::OK, json!({"status": "ok", "version": site.version, "config": config, "feeds": feeds}))
}

/// 200 when requests may be sent here, 503 with the reasons otherwise.
pub(super) async fn ready(State(site): State<Arc<Site>>) -> Response {
    let mut why = Vec::new();
    if site.shelf.get().documents.is_empty() {
        why.push("nothing has been published yet".to_owned());
    }
    match tokio::time::timeout(PATIENCE, site.store.ping()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => why.push(error.to_string()),
        Err(_) => why.push("the store does not answer within 2 seconds".to_owned()),
    }
    let status = if why.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, json!({"ready": why.is_empty(), "why": why}))
}
