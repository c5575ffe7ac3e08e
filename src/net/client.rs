//! One fetch from start to end: turns, hops, deadlines, status, body.

use super::breaker::Breakers;
use super::dial::{self, Connector, garbled, late};
use super::error::{self, Failure};
use super::options::{Deadlines, Options};
use super::pace::{self, Pace, Turn};
use super::permits::Permits;
use super::room::{Room, Waited};
use super::socket::Peer;
use super::types::FetchErrorKind::{self, Body, Empty, Protocol, Redirect, Status};
use super::types::{FetchError, LeftAlone, Request, Response, Robots, Validators};
use super::{guard, headers, redirect};
use arc_swap::ArcSwap;
use bytes::Bytes;
use http_body_util::Empty as NoBody;
use hyper::Uri;
use hyper::body::Incoming;
use hyper::http::{HeaderMap, HeaderValue, header};
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{self, Client as Pool};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ipnet::IpNet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout};
use url::Url;

/// The most bytes of headers in an answer.
const HEADERS: u32 = 64 * 1024;
/// How long an unused connection is kept.
const KEPT: Duration = Duration::from_secs(15);

/// The client; cheap to share behind an `Arc`.
pub struct Client {
    user_agent: ArcSwap<HeaderValue>,
    pub(super) deadlines: Deadlines,
    host_gap: Duration,
    max_redirects: usize,
    pace: Pace,
    pub(super) permits: Permits,
    breakers: Breakers,
    pub(super) room: Room,
    time: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    way: ArcSwap<Way>,
}

/// The networks and the connections that were made under them, replaced together.
struct Way {
    connector: Connector,
    pool: Pool<Connector, NoBody<Bytes>>,
}

/// One fetch under way.
struct Trip<'a> {
    request: &'a Request,
    /// The address that is asked now.
    url: Url,
    /// The addresses that were asked before.
    visited: Vec<Url>,
    /// Whether every redirect so far was permanent.
    permanent: bool,
    /// Whether there was a connection to whoever is asked now.
    reached: AtomicBool,
}

/// What one hop led to.
enum Hop {
    Arrived(Box<Response>),
    Onwards { to: Url, status: u16 },
}

impl Client {
    /// A client that goes by these options. Must be called inside a Tokio runtime.
    ///
    /// # Panics
    /// Never: ring always offers the cipher suites that are asked for.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut tls = options.tls.unwrap_or_else(|| dial::tls().expect("ring has TLS 1.2 and 1.3"));
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let breakers = Breakers::new(options.chance);
        let connector = Connector {
            resolver: options.resolver,
            dialer: options.dialer,
            allow: options.allow_networks.into(),
            ports: options.ports.into(),
            deadlines: options.deadlines,
            tls: Arc::new(tls),
            reach: Arc::clone(&breakers.reach),
        };
        Self {
            user_agent: ArcSwap::from_pointee(headers::user_agent(&options.user_agent)),
            deadlines: options.deadlines,
            host_gap: options.host_gap,
            max_redirects: options.max_redirects,
            pace: Pace::default(),
            permits: Permits::default(),
            breakers,
            room: Room::default(),
            time: options.time,
            way: ArcSwap::from_pointee(Way::new(connector)),
        }
    }

    /// Replaces the networks that may be fetched from although they are not public. Kept connections
    /// are dropped; fetches under way end under the old networks.
    pub fn set_allow_networks(&self, networks: Vec<IpNet>) {
        let connector = Connector { allow: networks.into(), ..self.way.load().connector.clone() };
        self.way.store(Arc::new(Way::new(connector)));
    }

    /// How many sites, hosts that failed, and robots.txt are remembered.
    #[must_use]
    pub fn remembered(&self) -> [usize; 3] {
        [self.pace.hosts(), self.breakers.hosts(), self.permits.origins()]
    }

    /// Whether there is no network: sites that answered before cannot be reached, and nobody answers. Ends with the first
    /// answer of anybody, and after a day.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.breakers.reach.is_offline()
    }

    /// Replaces what is sent as `User-Agent`.
    pub fn set_user_agent(&self, user_agent: &str) {
        self.user_agent.store(Arc::new(headers::user_agent(user_agent)));
    }

    /// Fetches one document: a whole, unpacked 2xx body, or a 304.
    ///
    /// # Errors
    /// [`FetchError`], whose message says what was wrong and what to do, in one line.
    pub async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        self.fetch_minding(request, &|_| None).await
    }

    /// As [`Client::fetch`], but no redirect is followed to an address whose host asked to be left alone. `rests` says for
    /// how long it still does.
    ///
    /// # Errors
    /// As [`Client::fetch`]; such a redirect is one that asks to wait for so long.
    pub async fn fetch_minding(&self, request: Request, rests: LeftAlone<'_>) -> Result<Response, FetchError> {
        let mut url = request.url.clone();
        url.set_fragment(None);
        let mut trip =
            Trip { request: &request, url, visited: Vec::new(), permanent: true, reached: AtomicBool::new(false) };
        redirect::check(&trip.url).map_err(|failure| failure.at(&trip.url))?;
        let mut left = self.deadlines.total;
        loop {
            // Asked of robots.txt before the turn is taken, since fetching robots.txt takes one itself.
            let delay = if request.robots == Robots::Obey {
                self.permitted(&trip.url).await.map_err(|failure| failure.at(&trip.url))?
            } else {
                Duration::ZERO
            };
            // Whoever redirected was reached.
            let on_the_way = !trip.visited.is_empty();
            let hop = self.step(&trip, delay, &mut left).await;
            match hop.map_err(|error| FetchError { reached: error.reached || on_the_way, ..error })? {
                Hop::Arrived(response) => return Ok(*response),
                Hop::Onwards { to, status } => {
                    if let Some(wait) = rests(&to) {
                        return Err(trip.alone(&to, status, wait));
                    }
                    trip.onwards(to, redirect::permanent(status), self.max_redirects)?;
                }
            }
        }
    }

    /// Waits for the turn at the host and asks one address, unless its host is known to be down.
    async fn step(&self, trip: &Trip<'_>, delay: Duration, left: &mut Duration) -> Result<Hop, FetchError> {
        let at = |failure: Failure| failure.at(&trip.url);
        let way = self.way.load_full();
        self.breakers.check(&trip.url).map_err(at)?;
        let lane = pace::lane(&trip.url, &way.connector.allow);
        let mut turn = self.pace.turn(lane, self.host_gap.max(delay)).await;
        // The host may have gone down while others had their turn.
        let pass = self.breakers.enter(&trip.url).map_err(at)?;
        let begin = Instant::now();
        let waited = Waited::default();
        trip.reached.store(false, Relaxed);
        let hop = waited.within(*left, self.hop(&way, trip, delay, (&mut turn, &waited))).await;
        drop(turn);
        *left = left.saturating_sub(begin.elapsed().saturating_sub(waited.total()));
        let hop = hop.unwrap_or_else(|| Err(late("the fetch did not end", self.deadlines.total).at(&trip.url)));
        let hop = hop.map_err(|error| FetchError { reached: error.reached || trip.reached.load(Relaxed), ..error });
        pass.end(hop.as_ref().err());
        hop
    }

    /// Asks one address.
    async fn hop(
        &self,
        way: &Way,
        trip: &Trip<'_>,
        delay: Duration,
        (turn, waited): (&mut Turn, &Waited),
    ) -> Result<Hop, FetchError> {
        let at = |failure: Failure| failure.at(&trip.url);
        let answer = self.ask(way, trip).await.map_err(at)?;
        let peer = answer.extensions().get::<Peer>().map(|peer| peer.0.ip());
        let exempt = peer.is_some_and(|ip| guard::inside(ip, &way.connector.allow));
        if exempt {
            turn.set_gap(delay);
        }
        let (head, body) = answer.into_parts();
        let status = head.status.as_u16();
        if redirect::follows(status) {
            let location = head.headers.get(header::LOCATION).map(HeaderValue::as_bytes);
            let to = redirect::target(&trip.url, location).map_err(at)?;
            // "The minimum time that the user agent is asked to wait before issuing the redirected request"
            // (RFC 9110 section 10.2.3).
            let wait = headers::retry_after(&head.headers, (self.time)()).filter(|wait| !wait.is_zero());
            if wait.is_some() {
                let failure = Failure::new(
                    Redirect,
                    "the server redirects and asks to wait before following; it is asked again then",
                );
                return Err(FetchError { status: Some(status), retry_after: wait, ..at(failure) });
            }
            return Ok(Hop::Onwards { to, status });
        }
        let body = match status {
            200 | 203 => self.body(body, &head.headers, trip.request, waited).await.map_err(at)?,
            304 if trip.conditional() => Bytes::new(),
            _ => return Err(refused(status, &head.headers, trip, (self.time)())),
        };
        Ok(Hop::Arrived(Box::new(Response { exempt, ..trip.response(status, &head.headers, body, (self.time)()) })))
    }

    /// Sends the request and waits for the headers of the answer.
    async fn ask(&self, way: &Way, trip: &Trip<'_>) -> Result<hyper::Response<Incoming>, Failure> {
        let mut message = hyper::Request::new(NoBody::new());
        *message.uri_mut() = uri(&trip.url)?;
        *message.headers_mut() = headers::request(&self.user_agent.load(), trip.request.accept, &trip.validators());
        let mut connection = capture_connection(&mut message);
        let mut answer = way.pool.request(message);
        // Connecting has its own deadlines; the clock of the first byte starts when it is done.
        let answer = tokio::select! {
            biased;
            answer = &mut answer => answer,
            made = async { connection.wait_for_connection_metadata().await.is_some() } => {
                trip.reached.store(made, Relaxed);
                match timeout(self.deadlines.first_byte, answer).await {
                    Ok(answer) => answer,
                    Err(_) => return Err(late("the server did not answer", self.deadlines.first_byte)),
                }
            }
        };
        trip.reached.fetch_or(answer.is_ok(), Relaxed);
        answer.map_err(|failed| error::find(&failed).unwrap_or_else(|told| garbled(&told)))
    }
}

impl Way {
    fn new(connector: Connector) -> Self {
        let pool = builder().build(connector.clone());
        Self { connector, pool }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the gate that the lint sends everybody to")]
fn builder() -> legacy::Builder {
    let mut builder = Pool::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(KEPT)
        .pool_max_idle_per_host(1)
        .http1_title_case_headers(true)
        .http1_max_buf_size(HEADERS as usize)
        .http2_max_header_list_size(HEADERS);
    builder
}

impl Trip<'_> {
    /// What may be sent to the address that is asked now.
    fn validators(&self) -> Validators {
        if redirect::same_party(&self.request.url, &self.url) {
            self.request.validators.clone()
        } else {
            Validators::default()
        }
    }

    /// Whether a 304 makes sense here.
    fn conditional(&self) -> bool {
        self.validators() != Validators::default()
    }

    /// The redirect leads to a host that asked to be left alone.
    fn alone(&self, to: &Url, status: u16, wait: Duration) -> FetchError {
        let message = format!(
            "the server redirects to {}, which asked to be left alone; it is asked again then",
            to.host_str().unwrap_or_default()
        );
        let failure = Failure::new(FetchErrorKind::LeftAlone, message).reached();
        FetchError { status: Some(status), retry_after: Some(wait), ..failure.at(&self.url) }
    }

    /// Goes on to the target of a redirect.
    fn onwards(&mut self, to: Url, permanent: bool, most: usize) -> Result<(), FetchError> {
        self.visited.push(std::mem::replace(&mut self.url, to));
        self.permanent &= permanent;
        if self.visited.contains(&self.url) {
            let message = "the redirects lead in a circle; open the address in a browser and use the one it ends at";
            return Err(Failure::new(Redirect, message).at(&self.url));
        }
        if self.visited.len() > most {
            let message = format!(
                "more than {most} redirects in a row; open the address in a browser and use the one it ends at"
            );
            return Err(Failure::new(Redirect, message).at(&self.url));
        }
        Ok(())
    }

    fn response(&self, status: u16, headers: &HeaderMap, body: Bytes, now: SystemTime) -> Response {
        let mut validators = headers::validators(headers);
        if status == 304 {
            let sent = self.validators();
            validators.etag = validators.etag.or(sent.etag);
            validators.last_modified = validators.last_modified.or(sent.last_modified);
        }
        if !redirect::same_party(&self.request.url, &self.url) {
            validators = Validators::default();
        }
        let content_type = headers.get(header::CONTENT_TYPE);
        Response {
            status,
            url: self.url.clone(),
            moved: (self.permanent && !self.visited.is_empty()).then(|| self.url.clone()),
            validators,
            content_type: content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
            body,
            fresh_for: headers::fresh_for(headers, now),
            exempt: false,
        }
    }
}

/// The address as the HTTP library wants it. `Url` leaves a few characters that `Uri` does not take.
fn uri(url: &Url) -> Result<Uri, Failure> {
    let escaped = || {
        let legal = |c: char| !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}');
        let escape = |c: char| if legal(c) { c.to_string() } else { format!("%{:02X}", u32::from(c)) };
        url.as_str().chars().map(escape).collect::<String>()
    };
    Uri::try_from(url.as_str()).or_else(|_| Uri::try_from(escaped())).map_err(|error| {
        Failure::new(super::FetchErrorKind::Refused, format!("the address cannot be sent in a request ({error})"))
    })
}

/// The error of a status that brings no document.
fn refused(status: u16, headers: &HeaderMap, trip: &Trip<'_>, now: SystemTime) -> FetchError {
    let (kind, message) = match status {
        200..=299 if matches!(status, 204 | 205) => (Empty, "the server says that there is no content".to_owned()),
        200..=299 => (Body, format!("status {status} is no whole document; none of it was used")),
        304 => (
            Protocol,
            "the server says \"not modified\" although nothing was known; it is tried again later".to_owned(),
        ),
        404 | 410 => (Status, format!("status {status}: the page is gone; change or remove the address")),
        401 | 403 => (Status, format!("status {status}: the server refuses access; choose a public address")),
        429 | 503 => (Status, format!("status {status}: the server asks to be left alone; it is tried again later")),
        500..=599 => (Status, format!("status {status}: the server has a fault; it is tried again later")),
        _ => (Status, format!("status {status}: open the address in a browser and check it")),
    };
    let retry_after = headers::retry_after(headers, now);
    FetchError { status: Some(status), retry_after, ..Failure::new(kind, message).at(&trip.url) }
}
