//! `/admin`: how the channels are doing, for the person who runs the service. Reads only; everything that came
//! from a source is text, escaped by the templates.

mod advice;
mod chart;
mod view;
mod words;

use super::{Site, page};
use crate::model::ChannelId;
use crate::store::StoreError;
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use std::collections::BTreeMap;
use std::sync::Arc;
use view::{ChannelPage, Known, ListPage};

/// Asks the store for everything the pages show.
async fn known(site: &Site) -> Result<Known, StoreError> {
    let set = Arc::clone(&site.shelf.get());
    let polls = site.store.polls().await?;
    let mut counts = BTreeMap::new();
    for channel in &set.config.channels {
        counts.insert(channel.id.clone(), site.store.count(&channel.id).await?);
    }
    Ok(Known { set, polls, counts, unrecorded: site.shelf.unrecorded(), now: (site.clock)() })
}

fn store_failed(error: &StoreError) -> Response {
    tracing::error!(%error, "the store did not answer /admin");
    (StatusCode::SERVICE_UNAVAILABLE, format!("The store did not answer: {error}\n")).into_response()
}

/// `/admin`: all channels.
pub(super) async fn list(State(site): State<Arc<Site>>, request: Request) -> Response {
    let language = page::language(request.headers(), &site);
    match known(&site).await {
        Ok(known) => page::html(StatusCode::OK, language, &ListPage::new(&known, site.version, language)),
        Err(error) => store_failed(&error),
    }
}

/// `/admin/channels/{id}`: one channel.
pub(super) async fn channel(State(site): State<Arc<Site>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let language = page::language(&headers, &site);
    let Ok(id) = id.parse::<ChannelId>() else { return page::missing(&site, &headers) };
    match known(&site).await {
        Ok(known) => match ChannelPage::new(&known, &id, site.version, language) {
            Some(shown) => page::html(StatusCode::OK, language, &shown),
            None => page::missing(&site, &headers),
        },
        Err(error) => store_failed(&error),
    }
}

/// `/admin/api/channels`: the same as JSON.
pub(super) async fn api(State(site): State<Arc<Site>>) -> Response {
    match known(&site).await {
        Ok(known) => Json(view::json(&known)).into_response(),
        Err(error) => store_failed(&error),
    }
}

/// `/admin/style.css`.
pub(super) async fn style() -> Response {
    let css = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, css)], include_str!("../../../templates/serve/admin.css")).into_response()
}
