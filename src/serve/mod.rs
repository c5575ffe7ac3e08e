//! The HTTP server: published documents before anything else, then pages, health and admin.
//!
//! One request walks this way: `listen` accepts the connection and counts it, `connection` finds out whether it
//! speaks HTTP/1.1 or HTTP/2 and watches its time limits (`pulse`), `desk` answers a published document at once
//! (`document`, with `negotiate` and `conditional`) and hands everything else to the `router`
//! (`health`, `admin`, `page`). Nothing here fetches, and nothing here writes.

mod access;
mod admin;
mod conditional;
mod connection;
mod desk;
mod document;
mod health;
mod listen;
mod negotiate;
mod page;
mod preview;
mod private;
mod pulse;
mod refusals;
mod router;
#[cfg(test)]
mod tests;

pub use preview::{NoPreview, Previews};

use crate::publish::Shelf;
use crate::store::Store;
use crate::telemetry::Metrics;
use chrono::{DateTime, Utc};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// What the server may spend on its clients. The time limits are those of checklist row X-08.
#[derive(Debug, Clone)]
pub struct Options {
    /// The token that opens `/admin`; `None` or empty: only direct loopback requests get in.
    pub admin_token: Option<String>,
    /// The most connections at one time; further ones get 503 with `Retry-After`. At least 1.
    pub max_connections: usize,
    /// The most connections of one IPv4 address or IPv6 /64; further ones get 503.
    pub max_connections_per_ip: usize,
    /// Whether loopback peers are free of the cap per address, for a reverse proxy on the same machine.
    pub exempt_loopback: bool,
    /// From the first byte of a request (or from accepting the connection) to the end of its headers.
    pub header_timeout: Duration,
    /// From a complete header to the answer; then 503.
    pub request_timeout: Duration,
    /// How long a client may read nothing of an answer. It must also take 1 KiB a second on average.
    pub write_timeout: Duration,
    /// How long a connection may rest between two requests.
    pub keep_alive: Duration,
    /// After this much rest a connection gives back its buffers and only its socket is kept.
    pub park_after: Duration,
    /// How long requests in flight may take to finish when the server stops.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            admin_token: None,
            max_connections: 8192,
            max_connections_per_ip: 1024,
            exempt_loopback: false,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_mins(1),
            park_after: Duration::from_secs(2),
            drain: Duration::from_secs(10),
        }
    }
}

/// Everything the server answers from.
pub struct Site {
    /// The published set.
    pub shelf: Arc<Shelf>,
    /// The ledger, read by `/admin` and `/readyz` only.
    pub store: Arc<dyn Store>,
    /// The limits and the admin token.
    pub options: Options,
    /// What time it is.
    pub clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// The version that `/healthz` tells.
    pub version: &'static str,
    /// What is counted, for `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Previews for `/admin/api/preview`; `None`: there are none.
    pub preview: Option<Previews>,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServeReport {
    /// Connections that were served.
    pub connections: u64,
    /// Connections that were turned away because a cap was reached.
    pub refused: u64,
    /// Connections that were cut off because they did not finish within [`Options::drain`].
    pub cut: usize,
}

/// Serves until `shutdown` completes, then stops accepting, lets requests in flight finish for at most
/// [`Options::drain`], and returns. Errors of single connections and of accepting are logged and never end it.
pub async fn run(
    listener: tokio::net::TcpListener,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()>,
) -> ServeReport {
    listen::run(listener, site, shutdown).await
}
