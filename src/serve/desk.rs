//! The desk at which every request is answered: documents at once, everything else by the router.

use super::document::{self, Table};
use super::pulse::{Limits, Pulse};
use super::{Site, page, router};
use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Either, Ready, ready};
use http_body_util::{Either as EitherBody, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode, Version};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use tower::ServiceExt;

/// The most bytes of a request target; more is answered with 414.
const MAX_TARGET: usize = 8 * 1024;

type Body = EitherBody<Full<Bytes>, axum::body::Body>;
type Quick = Response<Full<Bytes>>;

/// The other end of the connection, as the socket tells it. Never taken from a header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// What all connections share.
pub(super) struct Hall {
    /// What is served.
    pub(super) site: Arc<Site>,
    router: axum::Router,
    table: ArcSwap<Table>,
}

impl Hall {
    /// Prepares the set of this moment and the routes.
    pub(super) fn new(site: Arc<Site>) -> Self {
        let table = Table::new(Arc::clone(&site.shelf.get()), None);
        Self { router: router::router(Arc::clone(&site)), table: ArcSwap::from_pointee(table), site }
    }

    /// The prepared form of what is on the shelf now. Made by the first request after a publication; when two
    /// make it at once, both are right and one is kept.
    fn table(&self) -> arc_swap::Guard<Arc<Table>> {
        let table = self.table.load();
        let set = self.site.shelf.get();
        if Arc::ptr_eq(&table.set, &set) {
            return table;
        }
        self.table.store(Arc::new(Table::new(Arc::clone(&set), Some(&table))));
        self.table.load()
    }

    /// The answer that needs no router: refusals and documents.
    fn quick<B: hyper::body::Body>(&self, request: &Request<B>) -> Option<Quick> {
        let uri = request.uri();
        let path = uri.path();
        if let Some(refusal) = refuse(request) {
            return Some(refusal);
        }
        let table = self.table();
        let answer = table.answer(request.method(), path, request.headers(), || (self.site.clock)());
        if answer.is_some() {
            return answer;
        }
        if path == "*" && request.method() == Method::OPTIONS {
            return Some(document::empty(StatusCode::NO_CONTENT));
        }
        let canonical = table.canonical(path)?;
        // From the configuration, never from Host.
        let location = format!("{}{}", table.set.config.service.base_url, canonical.trim_start_matches('/'));
        let mut response = document::empty(StatusCode::MOVED_PERMANENTLY);
        let headers = response.headers_mut();
        headers.remove(header::ALLOW);
        headers.insert(header::LOCATION, HeaderValue::from_str(&location).ok()?);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
        Some(response)
    }
}

/// Refuses what no part of Heliu takes.
fn refuse<B: hyper::body::Body>(request: &Request<B>) -> Option<Quick> {
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) > MAX_TARGET {
        return Some(plain(StatusCode::URI_TOO_LONG, "The address is longer than 8192 bytes.\n"));
    }
    // Exactly one Host (RFC 9112 section 3.2). HTTP/2 carries it in the target.
    if request.version() == Version::HTTP_11 && request.headers().get_all(header::HOST).iter().count() != 1 {
        return Some(plain(StatusCode::BAD_REQUEST, "A request needs exactly one Host header.\n"));
    }
    // Nothing here takes a body. What follows is not read, so the connection cannot be used again: that
    // leaves no room for a second request hidden in the first (request smuggling).
    if !request.body().is_end_stream() && matches!(*request.method(), Method::GET | Method::HEAD) {
        return Some(plain(StatusCode::BAD_REQUEST, "A request body is not expected here.\n"));
    }
    None
}

fn plain(status: StatusCode, text: &'static str) -> Quick {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    document::common(headers);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The desk for one connection.
#[derive(Clone)]
pub(super) struct Desk {
    hall: Arc<Hall>,
    peer: Peer,
    pulse: Arc<Pulse>,
}

impl Desk {
    /// A desk for a peer. Its pulse is that of the connection once [`Desk::on`] has been called.
    pub(super) fn new(hall: Arc<Hall>, peer: SocketAddr) -> Self {
        let options = &hall.site.options;
        let limits = Limits {
            header: options.header_timeout,
            request: options.request_timeout,
            write: options.write_timeout,
            rest: options.keep_alive,
        };
        Self { hall, peer: Peer(peer), pulse: Arc::new(Pulse::new(limits, false)) }
    }

    /// The same desk, telling `pulse` what it does.
    pub(super) fn on(self, pulse: &Arc<Pulse>) -> Self {
        Self { pulse: Arc::clone(pulse), ..self }
    }

    /// What all connections share.
    pub(super) fn options(&self) -> Arc<Hall> {
        Arc::clone(&self.hall)
    }

    /// Everything that is not a document.
    async fn slow(hall: Arc<Hall>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        // Dropped unread, and the connection closed after the answer.
        let unread = !body.is_end_stream();
        drop(body);
        parts.extensions.insert(peer);
        let request = Request::from_parts(parts, axum::body::Body::empty());
        let shown = (request.method().clone(), request.uri().path().to_owned());
        let answer = AssertUnwindSafe(hall.router.clone().oneshot(request)).catch_unwind();
        let mut response = match tokio::time::timeout(hall.site.options.request_timeout, answer).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Err(panic)) => {
                tracing::error!(method = %shown.0, path = ?shown.1, panic = panic_text(&*panic), "a handler panicked");
                page::failure(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Err(_) => {
                tracing::error!(method = %shown.0, path = ?shown.1, "a handler took too long");
                page::failure(StatusCode::SERVICE_UNAVAILABLE)
            }
        };
        document::common(response.headers_mut());
        if unread {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.map(EitherBody::Right)
    }
}

/// What a panic said.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}

type Slow = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl Service<Request<Incoming>> for Desk {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response<Body>, Infallible>>, Slow>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let quick = catch_unwind(AssertUnwindSafe(|| self.hall.quick(&request))).unwrap_or_else(|panic| {
            tracing::error!(path = ?request.uri().path(), panic = panic_text(&*panic), "answering a document panicked");
            Some(plain(StatusCode::INTERNAL_SERVER_ERROR, "Heliu failed here; it has been logged.\n"))
        });
        if let Some(mut response) = quick {
            if !request.body().is_end_stream() && request.version() < Version::HTTP_2 {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            self.pulse.answer();
            self.hall.site.metrics.answered(response.status().as_u16());
            return Either::Left(ready(Ok(response.map(EitherBody::Left))));
        }
        let (hall, peer, working) = (Arc::clone(&self.hall), self.peer, self.pulse.work());
        Either::Right(Box::pin(async move {
            let response = Self::slow(Arc::clone(&hall), peer, request).await;
            drop(working);
            hall.site.metrics.answered(response.status().as_u16());
            Ok(response)
        }))
    }
}
