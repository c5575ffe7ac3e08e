//! Compares Heliu's server with a bare hyper server that answers with the same prepared bytes.
//!
//! `cargo run --release --example serve_bench [SECONDS] [ROUNDS]` starts both as processes of their own, drives them
//! in turn with the same 64 keep-alive connections, and prints for identity, gzip and 304 the ratio of
//! requests per second and of processor time per request (Linux: from /proc).

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints measurements")]
#![expect(clippy::disallowed_methods, reason = "the load generator talks to its own servers on loopback")]
use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use heliu::config::{Config, Service};
use heliu::model::{ChannelId, Record, Tombstone, Withdrawn};
use heliu::publish::{ConfigStatus, Published, Shelf, Shelved};
use heliu::render::{Document, Encoding, Representation};
use heliu::serve::{Options, Site};
use heliu::store::{Change, FetchState, Poll, PollState, Store, StoreError};
use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PATH: &str = "/feeds/bench.rss";
const CONNECTIONS: usize = 64;
/// The three ways of asking: a name and the headers.
const WAYS: [(&str, &str); 3] = [
    ("identity", ""),
    ("gzip", "Accept-Encoding: gzip, deflate\r\n"),
    ("304", "Accept-Encoding: gzip, deflate\r\nIf-None-Match: \"bench-gzip\"\r\n"),
];

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("bare") => runtime.block_on(bare(&arguments[1])),
        Some("heliu") => runtime.block_on(heliu(&arguments[1])),
        seconds => {
            let seconds = seconds.map_or(Ok(3), str::parse).context("SECONDS is a number")?;
            let rounds = arguments.get(1).map_or(Ok(5), |text| text.parse()).context("ROUNDS is a number")?;
            runtime.block_on(compare(Duration::from_secs(seconds), rounds))
        }
    }
}

/// 42 KB as it is, 13.5 KB compressed: what a feed of 50 entries has.
fn bytes(encoding: Encoding) -> Bytes {
    Bytes::from(vec![b'x'; if encoding == Encoding::Identity { 42_000 } else { 13_529 }])
}

// --- the servers ---

async fn bare(address: &str) -> Result<()> {
    let (plain, gzip) = (bytes(Encoding::Identity), bytes(Encoding::Gzip));
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (plain, gzip) = (plain.clone(), gzip.clone());
        let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
            let response = bare_answer(&request, &plain, &gzip);
            async move { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(async move {
            let io = hyper_util::rt::TokioIo::new(stream);
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
        });
    }
}

fn bare_answer<B>(request: &Request<B>, plain: &Bytes, gzip: &Bytes) -> Response<Full<Bytes>> {
    let headers = request.headers();
    let fixed = HeaderValue::from_static;
    let wants = headers.get(header::ACCEPT_ENCODING).is_some_and(|v| v.as_bytes().starts_with(b"gzip"));
    let etag = if wants { "\"bench-gzip\"" } else { "\"bench-identity\"" };
    let held = headers.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == etag.as_bytes());
    let body = match (held, wants) {
        (true, _) => Bytes::new(),
        (_, true) => gzip.clone(),
        _ => plain.clone(),
    };
    let mut response = Response::new(Full::new(body));
    let out = response.headers_mut();
    out.insert(header::ETAG, fixed(etag));
    out.insert(header::VARY, fixed("Accept-Encoding"));
    out.insert(header::CACHE_CONTROL, fixed("public, max-age=300"));
    if held {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    out.insert(header::CONTENT_TYPE, fixed("application/rss+xml; charset=utf-8"));
    if wants {
        out.insert(header::CONTENT_ENCODING, fixed("gzip"));
    }
    response
}

async fn heliu(address: &str) -> Result<()> {
    let one =
        |encoding, name: &str| Representation { encoding, bytes: bytes(encoding), etag: format!("\"bench-{name}\"") };
    let document = Document {
        media_type: "application/rss+xml; charset=utf-8",
        language: "zh-CN".into(),
        last_modified: Utc::now(),
        link: Some("<http://127.0.0.1/feeds/bench.rss>; rel=\"self\"".into()),
        representations: vec![
            one(Encoding::Identity, "identity"),
            one(Encoding::Gzip, "gzip"),
            one(Encoding::Brotli, "br"),
        ],
    };
    let service = Service {
        title: "bench".into(),
        base_url: "http://127.0.0.1/".parse()?,
        language: "zh-CN".into(),
        timezone: chrono_tz::Asia::Shanghai,
        contact: None,
        allow_networks: Vec::new(),
    };
    let set = Published {
        config: Arc::new(Config { service, channels: Vec::new(), feeds: Vec::new() }),
        status: Arc::new(ConfigStatus { path: "feeds.yaml".into(), loaded: Utc::now(), rejected: None }),
        feeds: Vec::new(),
        documents: HashMap::from([(PATH.to_owned(), Shelved::One(Arc::new(document)))]),
        health: None,
    };
    let site = Arc::new(Site {
        shelf: Arc::new(Shelf::new(set)),
        store: Arc::new(NoStore),
        options: Options::default(),
        clock: Arc::new(Utc::now),
        version: "bench",
        metrics: Arc::new(heliu::telemetry::Metrics::new("bench")),
        preview: None,
    });
    let listener = TcpListener::bind(address).await?;
    heliu::serve::run(listener, site, std::future::pending()).await;
    Ok(())
}

/// Serving documents never asks the store.
struct NoStore;

fn unasked<T>() -> Result<T, StoreError> {
    Err(StoreError::Engine("there is none".into()))
}

#[async_trait]
impl Store for NoStore {
    async fn record(&self, _: &Poll) -> Result<Change, StoreError> {
        unasked()
    }
    async fn latest_under(&self, _: &ChannelId, _: usize, _: Withdrawn) -> Result<Vec<Record>, StoreError> {
        Ok(Vec::new())
    }
    async fn tombstones(&self, _: &ChannelId, _: usize) -> Result<Vec<Tombstone>, StoreError> {
        Ok(Vec::new())
    }
    async fn release(&self, _: &ChannelId, _: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(0)
    }
    async fn count(&self, _: &ChannelId) -> Result<u64, StoreError> {
        unasked()
    }
    async fn known_links(&self, _: &ChannelId, _: &[String]) -> Result<Vec<bool>, StoreError> {
        unasked()
    }
    async fn polls(&self) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        unasked()
    }
    async fn poll_states(&self, _: &[ChannelId]) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        Ok(BTreeMap::new())
    }
    async fn attempts(&self, _: &ChannelId) -> Result<Vec<heliu::store::Attempt>, StoreError> {
        Ok(Vec::new())
    }
    async fn fetch_states(&self, _: &[String]) -> Result<BTreeMap<String, FetchState>, StoreError> {
        unasked()
    }
    async fn marks(&self, _: &ChannelId, _: usize, _: Withdrawn) -> Result<Vec<heliu::model::Mark>, StoreError> {
        unasked()
    }
    async fn records(&self, _: &ChannelId, _: &[u64]) -> Result<Vec<Record>, StoreError> {
        unasked()
    }
    async fn stamps(&self, _: &[(String, String)], _: DateTime<Utc>) -> Result<Vec<heliu::store::Stamp>, StoreError> {
        unasked()
    }
    async fn created(&self) -> Result<DateTime<Utc>, StoreError> {
        unasked()
    }
    async fn ping(&self) -> Result<(), StoreError> {
        unasked()
    }
    async fn close(&self) {}
}

// --- the comparison ---

/// A server process; ends with us.
struct Server {
    name: &'static str,
    address: String,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    async fn start(name: &'static str) -> Result<Self> {
        // A free port: bound and given back.
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.to_string();
        let child = Command::new(std::env::current_exe()?).args([name, &address]).spawn()?;
        let server = Self { name, address, child };
        for _ in 0..200 {
            if TcpStream::connect(&server.address).await.is_ok() {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bail!("{name} did not start")
    }

    /// Processor time so far, in microseconds: fields 14 and 15 of /proc/PID/stat, in hundredths of a second.
    fn processor(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        let (_, after) = stat.rsplit_once(") ")?;
        let ticks = |n: usize| after.split(' ').nth(n).and_then(|text| text.parse::<u64>().ok());
        Some((ticks(11)? + ticks(12)?) * 10_000)
    }
}

/// Requests per second, and processor microseconds per request.
#[derive(Clone, Copy, Default)]
struct Figures {
    rate: f64,
    cpu: f64,
}

async fn load(server: &Server, headers: &str, span: Duration) -> Result<Figures> {
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    let size = answer_size(&server.address, &request).await?;
    let done = Arc::new(AtomicU64::new(0));
    let (before, begun) = (server.processor(), Instant::now());
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (address, request, done) = (server.address.clone(), request.clone(), Arc::clone(&done));
        clients.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut answer = vec![0; size];
            while begun.elapsed() < span {
                stream.write_all(request.as_bytes()).await?;
                stream.read_exact(&mut answer).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    let requests = done.load(Ordering::Relaxed) as f64;
    let cpu = before.zip(server.processor()).map_or(f64::NAN, |(before, after)| (after - before) as f64);
    Ok(Figures { rate: requests / begun.elapsed().as_secs_f64(), cpu: cpu / requests })
}

/// Every answer to the same request has the same length.
async fn answer_size(address: &str, request: &str) -> Result<usize> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer.len() - "connection: close\r\n".len())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

async fn compare(span: Duration, rounds: usize) -> Result<()> {
    let servers = [Server::start("bare").await?, Server::start("heliu").await?];
    println!("{CONNECTIONS} connections, {rounds} rounds of {span:?}; medians");
    for (way, headers) in WAYS {
        let mut all = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            // Taking turns, so that what else the machine does hits both alike.
            for at in [round % 2, 1 - round % 2] {
                all[at].push(load(&servers[at], headers, span).await?);
            }
        }
        let of = |at: usize, pick: fn(&Figures) -> f64| median(all[at].iter().map(pick).collect());
        for (at, server) in servers.iter().enumerate() {
            println!(
                "{way:>8} {:>5}: {:>8.0} requests/s {:>6.2} µs CPU",
                server.name,
                of(at, |f| f.rate),
                of(at, |f| f.cpu)
            );
        }
        let ratio = |pick: fn(&Figures) -> f64| {
            median(all[1].iter().zip(&all[0]).map(|(ours, bare)| pick(ours) / pick(bare)).collect())
        };
        println!("{way:>8} ratio: requests/s {:.2}, CPU per request {:.2}", ratio(|f| f.rate), ratio(|f| f.cpu));
    }
    Ok(())
}
