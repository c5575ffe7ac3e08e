//! From a name to a connection: resolve, check every address, connect to a checked address, TLS.
//!
//! There is no other way out: addresses written as numbers and names pass the same check, and what is
//! dialled is the very address that was checked, so a name that changes its mind (rebinding) gains nothing.

use super::error::Failure;
use super::guard;
use super::options::Deadlines;
use super::reach::Reach;
use super::socket::Socket;
use super::types::FetchErrorKind::{Connect, Dns, Protocol, Refused, Timeout, Tls};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use hyper::Uri;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::ClientConfig;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

/// The next address is tried when the one before has not answered for this long (RFC 8305 section 5).
const HEAD_START: Duration = Duration::from_millis(250);
/// The most addresses of one name that are tried.
const TRIED: usize = 8;

/// Turns names into addresses.
pub trait Resolve: Send + Sync {
    /// The addresses of `name`, which is never an address itself.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// Connects to an address that the guard has let through.
pub trait Dial: Send + Sync {
    /// Connects.
    fn dial(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Socket>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolve;

impl Resolve for SystemResolve {
    #[expect(clippy::disallowed_methods, reason = "this is the gate that the lint sends everybody to")]
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// TCP.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDial;

impl Dial for SystemDial {
    #[expect(clippy::disallowed_methods, reason = "this is the gate that the lint sends everybody to")]
    fn dial(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Socket>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Socket::tcp(stream)
        })
    }
}

/// What decides where connections may go.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) dialer: Arc<dyn Dial>,
    pub(super) allow: Arc<[IpNet]>,
    pub(super) ports: Arc<[u16]>,
    pub(super) deadlines: Deadlines,
    pub(super) tls: Arc<ClientConfig>,
    /// Told of every connection.
    pub(super) reach: Arc<Reach>,
}

type Stream = MaybeHttpsStream<TokioIo<Socket>>;

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Stream, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(uri).await })
    }
}

impl Connector {
    async fn connect(&self, uri: Uri) -> Result<Stream, Failure> {
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let addresses = self.checked(host, port).await?;
        let tcp = match timeout(self.deadlines.connect, self.race(&addresses)).await {
            Ok(tcp) => tcp.map_err(|error| unreachable(host, port, &error))?,
            Err(_) => return Err(late("the host did not take the connection", self.deadlines.connect)),
        };
        let mut tls = HttpsConnector::from((Connected(Some(tcp)), Arc::clone(&self.tls)));
        match timeout(self.deadlines.tls, tls.call(uri)).await {
            Ok(stream) => stream.map_err(|error| {
                Failure::new(Tls, format!("no secure connection ({error}); check the certificate in a browser"))
                    .reached()
            }),
            Err(_) => Err(late("the TLS handshake did not end", self.deadlines.tls).reached()),
        }
    }

    /// The addresses of `host` that may be connected to; never empty.
    async fn checked(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let found = match literal {
            Ok(ip) => vec![ip],
            Err(_) => self.lookup(host).await?,
        };
        let mut addresses: Vec<SocketAddr> = Vec::new();
        let public = found.iter().filter(|ip| guard::allowed(**ip, &self.allow));
        for ip in public.filter(|ip| self.ports.contains(&port) || guard::inside(**ip, &self.allow)) {
            let address = SocketAddr::new(*ip, port);
            if addresses.len() < TRIED && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() { Err(self.refusal(host, port, &found)) } else { Ok(addresses) }
    }

    async fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let advice = "check the spelling, and that this machine can resolve names";
        match timeout(self.deadlines.dns, self.resolver.resolve(name)).await {
            Ok(Ok(found)) if found.is_empty() => Err(Failure::new(Dns, format!("{name} has no address; {advice}"))),
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(Failure::new(Dns, format!("{name} does not resolve ({error}); {advice}"))),
            Err(_) => Err(late(&format!("{name} did not resolve"), self.deadlines.dns)),
        }
    }

    fn refusal(&self, host: &str, port: u16, found: &[IpAddr]) -> Failure {
        let public = found.iter().any(|ip| guard::allowed(*ip, &self.allow));
        Failure::new(
            Refused,
            if public {
                format!(
                    "port {port} is not allowed; use port 80 or 443, or list the host's network under service.allow_networks"
                )
            } else {
                format!(
                    "{host} is not on the public internet; if that is meant, list its network under service.allow_networks"
                )
            },
        )
    }

    /// Connects to the first address that answers: each gets a head start before the next is tried as well.
    async fn race(&self, addresses: &[SocketAddr]) -> io::Result<Socket> {
        let mut running = FuturesUnordered::new();
        let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
        let mut waiting = addresses.iter();
        loop {
            match waiting.next() {
                Some(address) => running.push(self.dialer.dial(*address)),
                None if running.is_empty() => return Err(error),
                None => {}
            }
            let patience = if waiting.len() > 0 { HEAD_START } else { self.deadlines.connect };
            match timeout(patience, running.next()).await {
                Ok(Some(Ok(stream))) => {
                    self.reach.answered();
                    return Ok(stream);
                }
                Ok(Some(Err(refused))) => error = refused,
                Ok(None) | Err(_) => {}
            }
        }
    }
}

/// Hands a finished connection to the TLS connector, once.
struct Connected(Option<Socket>);

impl Service<Uri> for Connected {
    type Response = TokioIo<Socket>;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<TokioIo<Socket>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        std::future::ready(self.0.take().map(TokioIo::new).ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

/// TLS with the web's roots, HTTP/2 where the server speaks it.
///
/// # Errors
/// When the provider has no usable cipher suites, which ring's always has.
pub(super) fn tls() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_webpki_roots().with_no_client_auth())
}

fn unreachable(host: &str, port: u16, error: &io::Error) -> Failure {
    Failure::new(Connect, format!("no connection to {host} port {port} ({error}); check that the host is up"))
}

/// A deadline that passed.
pub(super) fn late(what: &str, deadline: Duration) -> Failure {
    Failure::new(Timeout, format!("{what} within {} s; it is tried again later", deadline.as_secs_f64()))
}

/// An answer that is not HTTP.
pub(super) fn garbled(told: &str) -> Failure {
    Failure::new(Protocol, format!("the answer is not proper HTTP ({told}); check the address"))
}
