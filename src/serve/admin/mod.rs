//! `/admin`: how the channels are doing, for the person who runs the service. Reads only; everything that came
//! from a source is text, escaped by the templates.

mod chart;
mod view;
mod words;

use super::{Site, page};
use crate::model::ChannelId;
use crate::store::StoreError;
use crate::telemetry::MOST_CHANNELS;
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use std::collections::BTreeMap;
use std::sync::Arc;
use view::{ChannelPage, Known, ListPage};

/// What is asked of the store.
enum Wanted<'a> {
    /// All channels as they are.
    Channels,
    /// All channels, with their last attempts unless they are very many.
    Attempts,
    /// One channel, with its last attempts.
    Channel(&'a ChannelId),
}

/// Asks the store for everything the pages show.
async fn known(site: &Site, wanted: Wanted<'_>) -> Result<Known, StoreError> {
    let set = Arc::clone(&site.shelf.get());
    let (polls, ids) = match wanted {
        Wanted::Channel(id) => (site.store.poll_states(std::slice::from_ref(id)).await?, vec![id]),
        _ => (site.store.polls().await?, set.config.channels.iter().map(|channel| &channel.id).collect()),
    };
    let with_attempts = match wanted {
        Wanted::Channel(_) => true,
        Wanted::Channels => false,
        Wanted::Attempts => ids.len() <= MOST_CHANNELS,
    };
    let (mut counts, mut attempts) = (BTreeMap::new(), BTreeMap::new());
    for id in ids {
        counts.insert(id.clone(), site.store.count(id).await?);
        if with_attempts {
            attempts.insert(id.clone(), site.store.attempts(id).await?);
        }
    }
    let now = (site.clock)();
    let (unrecorded, offline) = (site.shelf.unrecorded(), site.shelf.offline());
    Ok(Known { set, polls, counts, unrecorded, offline, attempts, now })
}

fn store_failed(error: &StoreError) -> Response {
    tracing::error!(%error, "the store did not answer /admin");
    (StatusCode::SERVICE_UNAVAILABLE, format!("The store did not answer: {error}\n")).into_response()
}

/// `/admin`: all channels.
pub(super) async fn list(State(site): State<Arc<Site>>, request: Request) -> Response {
    let language = page::language(request.headers(), &site);
    match known(&site, Wanted::Channels).await {
        Ok(known) => page::html(StatusCode::OK, language, &ListPage::new(&known, site.version, language)),
        Err(error) => store_failed(&error),
    }
}

/// `/admin/channels/{id}`: one channel.
pub(super) async fn channel(State(site): State<Arc<Site>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let language = page::language(&headers, &site);
    let Ok(id) = id.parse::<ChannelId>() else { return page::missing(&site, &headers) };
    match known(&site, Wanted::Channel(&id)).await {
        Ok(known) => match ChannelPage::new(&known, &id, site.version, language) {
            Some(shown) => page::html(StatusCode::OK, language, &shown),
            None => page::missing(&site, &headers),
        },
        Err(error) => store_failed(&error),
    }
}

/// `/admin/api/channels`: the same as JSON. Of more than [`MOST_CHANNELS`] channels only the last attempt is told.
pub(super) async fn api(State(site): State<Arc<Site>>) -> Response {
    match known(&site, Wanted::Attempts).await {
        Ok(known) => Json(view::json(&known)).into_response(),
        Err(error) => store_failed(&error),
    }
}

/// `/admin/style.css`.
pub(super) async fn style() -> Response {
    let css = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, css)], include_str!("../../../templates/serve/admin.css")).into_response()
}
