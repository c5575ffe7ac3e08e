//! What is asked for and what comes back.

use super::room::Berth;
use bytes::Bytes;
use std::time::Duration;
use url::Url;

/// The validators of an earlier body, byte for byte as the server sent them (RFC 9110 section 8.8).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<Vec<u8>>,
    /// `Last-Modified`.
    pub last_modified: Option<Vec<u8>>,
}

/// What kind of document is wanted; decides the `Accept` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// A page of the portal or a JSON list.
    Page,
    /// An RSS, Atom or JSON feed.
    Feed,
}

/// Whether robots.txt is asked first (RFC 9309).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Robots {
    /// What robots.txt disallows is not fetched, and its `Crawl-delay` is kept to: pages that are scraped.
    Obey,
    /// robots.txt is not asked: feeds, which are published to be fetched, and where the admin says so.
    Ignore,
}

/// One conditional GET.
#[derive(Debug, Clone)]
pub struct Request {
    /// The address; its fragment is never sent.
    pub url: Url,
    /// Sent as `If-None-Match` and `If-Modified-Since`, unless a redirect leads to another origin
    /// (from http to https of the same host counts as the same). What cannot stand in a header is dropped.
    pub validators: Validators,
    /// What is wanted.
    pub accept: Accept,
    /// The largest body in bytes, on the wire and decoded.
    pub limit: usize,
    /// Whether robots.txt is asked first, at each hop.
    pub robots: Robots,
    /// Where the body is kept if it is large; shared by the requests of one run.
    pub berth: Berth,
}

/// For how long the host of an address still asks to be left alone, if it does.
pub type LeftAlone<'a> = &'a (dyn Fn(&Url) -> Option<Duration> + Sync);

/// What the server answered: a whole decoded body with a 2xx status, or a 304.
#[derive(Debug, Clone)]
pub struct Response {
    /// The final status.
    pub status: u16,
    /// The address that answered, after redirects.
    pub url: Url,
    /// Where the chain of redirects leads, if every hop of it was permanent (301, 308).
    pub moved: Option<Url>,
    /// The validators to store for the address that was asked for. On a 304 those that were sent,
    /// where the answer brings no new ones; none when another party answered than was asked.
    pub validators: Validators,
    /// `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// The decoded body; empty for a 304.
    pub body: Bytes,
    /// How long the answer says it is fresh: `max-age` less `Age`, else `Expires` less `Date`
    /// (RFC 9111 section 4.2.1); `None` when it does not say or cannot be read.
    pub fresh_for: Option<Duration>,
    /// The host is inside `allow_networks`: it may be polled more often than others.
    pub exempt: bool,
}

impl Response {
    /// Whether the stored body still holds.
    #[must_use]
    pub fn not_modified(&self) -> bool {
        self.status == 304
    }
}

/// Why a fetch failed, as a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FetchErrorKind {
    /// The scheme, port or address is not allowed.
    Refused,
    /// robots.txt disallows the address, or cannot be had, which means the same.
    Disallowed,
    /// The host failed so often of late that it was not asked.
    Resting,
    /// The name does not resolve.
    Dns,
    /// No connection.
    Connect,
    /// The TLS handshake or the certificate failed.
    Tls,
    /// A deadline passed.
    Timeout,
    /// A redirect without a target, a loop, too many hops, or https → http.
    Redirect,
    /// A redirect to a host that asked to be left alone.
    LeftAlone,
    /// An error status.
    Status,
    /// The body was larger than allowed, on the wire or decoded.
    TooLarge,
    /// The body ended early or its coding is broken.
    Body,
    /// A success without any content: 204, 205, or a 200 of zero bytes.
    Empty,
    /// The answer is not HTTP.
    Protocol,
}

/// Why a fetch failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{url}: {message}")]
pub struct FetchError {
    /// The class.
    pub kind: FetchErrorKind,
    /// The address that failed, without user information.
    pub url: String,
    /// What happened, in a sentence without line breaks.
    pub message: String,
    /// The status, for `Status`.
    pub status: Option<u16>,
    /// How long the server asks to be left alone (`Retry-After`), unclamped.
    pub retry_after: Option<Duration>,
    /// Whether somebody took a connection, at any hop; then a server may have seen the request.
    pub reached: bool,
}
