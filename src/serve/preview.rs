//! `/admin/api/preview?url=…`: what an address would yield. The fetching is handed in ([`Previews`]), since nothing
//! here fetches; errors are problem details (RFC 9457).

use super::Site;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::Semaphore;
use url::Url;

/// How many previews may run at one time: each may hold a document of 10 MiB and a tree of it.
const AT_ONE_TIME: usize = 2;

/// What is asked of a preview: JSON Feed 1.1 as text, or why there is none.
type Answer = Pin<Box<dyn Future<Output = Result<String, NoPreview>> + Send>>;

/// Why there is no preview; each with a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPreview {
    /// The address may not be fetched: 400.
    #[error("{0}")]
    BadAddress(String),
    /// What it yields is neither a feed nor a page that a layout fits: 422.
    #[error("{0}")]
    NoFeed(String),
    /// The source failed: 502.
    #[error("{0}")]
    SourceFailed(String),
}

/// Makes previews, a few at a time.
#[derive(Clone)]
pub struct Previews {
    make: Arc<dyn Fn(Url) -> Answer + Send + Sync>,
    places: Arc<Semaphore>,
}

impl Previews {
    /// Previews made by `make`, which is given http and https addresses and guards which of them are fetched.
    #[must_use]
    pub fn new(make: impl Fn(Url) -> Answer + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), places: Arc::new(Semaphore::new(AT_ONE_TIME)) }
    }
}

/// Answers `/admin/api/preview`.
pub(super) async fn answer(State(site): State<Arc<Site>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    // A page of another site can make the browser of someone at this machine ask, though not read the answer.
    if headers.get("sec-fetch-site").is_some_and(|from| from == "cross-site" || from == "same-site") {
        return problem(StatusCode::FORBIDDEN, "A page of another site may not ask for previews.");
    }
    let Some(previews) = &site.preview else {
        return problem(StatusCode::NOT_FOUND, "This server makes no previews.");
    };
    let url = match address(query.as_deref().unwrap_or_default()) {
        Ok(url) => url,
        Err(reason) => return problem(StatusCode::BAD_REQUEST, &reason),
    };
    let Ok(place) = Arc::clone(&previews.places).try_acquire_owned() else {
        let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "Two previews are running; ask again in a moment.");
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        return response;
    };
    let making = (previews.make)(url);
    // A task of its own: it keeps its place until it is really done, also when the client has gone away.
    let task = tokio::spawn(async move {
        let made = making.await;
        drop(place);
        made
    });
    // Before the desk gives up on the request and says that Heliu failed.
    let patience = site.options.request_timeout.mul_f32(0.9);
    match tokio::time::timeout(patience, task).await {
        Ok(Ok(Ok(json))) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static(crate::render::JSON_TYPE))], json).into_response()
        }
        Ok(Ok(Err(why))) => problem(status(&why), &why.to_string()),
        Ok(Err(error)) => {
            tracing::error!(%error, "a preview panicked");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "Heliu failed here; it has been logged.")
        }
        Err(_) => problem(StatusCode::BAD_GATEWAY, "The source took too long to answer."),
    }
}

fn status(why: &NoPreview) -> StatusCode {
    match why {
        NoPreview::BadAddress(_) => StatusCode::BAD_REQUEST,
        NoPreview::NoFeed(_) => StatusCode::UNPROCESSABLE_ENTITY,
        NoPreview::SourceFailed(_) => StatusCode::BAD_GATEWAY,
    }
}

/// The one `url` of the query.
fn address(query: &str) -> Result<Url, String> {
    const HELP: &str = "ask as /admin/api/preview?url=https%3A%2F%2Fexample.org%2Frss.xml";
    let mut all = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "url");
    let (Some((_, text)), None) = (all.next(), all.next()) else {
        return Err(format!("The address to preview is missing or given twice: {HELP}."));
    };
    let url = Url::parse(text.trim()).map_err(|error| format!("{text:?} is no address ({error}): {HELP}."))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("The address begins with {}:, not with http: or https:.", url.scheme()));
    }
    Ok(url)
}

/// Problem details (RFC 9457); without a `type` of its own, the title is that of the status.
fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = serde_json::json!({ "title": title, "status": status.as_u16(), "detail": detail });
    let kind = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, kind)], format!("{body}\n")).into_response()
}
