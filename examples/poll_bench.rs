//! How many conditional polls one Heliu gets done, and what a 304 costs it.
//!
//! `cargo run --release --example poll_bench polls [CHANNELS] [SECONDS] [ROUNDS]` starts a farm of origins as a process of
//! its own that answers 304, lets a service poll so many channels of as many hosts under a clock that runs so fast
//! that there is always more due than it can do, and counts what is recorded in its SQLite ledger on disk, in turn
//! with the bare hyper-util client that asks the same farm and keeps nothing.
//!
//! `… fetch [SECONDS] [ROUNDS]` compares the fetcher alone with that client. `… memory [FEW] [MANY]` starts a service
//! with few and with many channels that were all polled and rest, each in a process of its own, and tells what one
//! channel costs (Linux: from /proc).

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that prints measurements")]
#![expect(clippy::disallowed_methods, reason = "the yardstick talks to its own farm on loopback")]
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use heliu::net::{self, Accept, Berth, Client, Request, Robots, Validators};
use heliu::store::{Attempt, Poll, PollState, SqliteStore, Store};
use heliu::worker::{Clock, Service, Setup};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// The addresses of the farm: so many that the ports of connections that ended lately do not run out.
const ADDRESSES: u8 = 32;
/// How many requests the yardstick has under way.
const AT_ONCE: usize = 30;
const ETAG: &str = "\"v1\"";

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| -> Result<u64> {
        arguments.get(at).map_or(Ok(default), |text| text.parse()).context("a number was expected")
    };
    match arguments.first().map(String::as_str) {
        Some("farm") => runtime.block_on(farm(u16::try_from(number(1, 0)?)?)),
        Some("fetch") => runtime.block_on(fetch(number(1, 3)?, number(2, 5)?)),
        Some("polls") | None => runtime.block_on(polls(number(1, 20_000)?, number(2, 5)?, number(3, 5)?)),
        Some("memory") => runtime.block_on(memory(number(1, 1_000)?, number(2, 100_000)?)),
        Some("rest") => runtime.block_on(rest(&arguments[1], number(2, 0)?)),
        Some(other) => bail!("{other}: polls, fetch or memory"),
    }
}

// --- the farm ---

fn address(number: u64, port: u16) -> SocketAddr {
    let last = 1 + u8::try_from(number % u64::from(ADDRESSES)).unwrap_or_default();
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), port)
}

/// Listens on a port of many loopback addresses.
async fn farm(port: u16) -> Result<()> {
    for number in 1..u64::from(ADDRESSES) {
        let listener = TcpListener::bind(address(number, port)).await?;
        tokio::spawn(accept(listener));
    }
    accept(TcpListener::bind(address(0, port)).await?).await
}

async fn accept(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: TcpStream) -> Result<()> {
    let document = "<rss version=\"2.0\"><channel><title>t</title><link>http://a.test/</link>\
        <item><guid>1</guid><title>One</title><link>http://a.test/1</link></item></channel></rss>";
    let whole = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nETag: {ETAG}\r\nContent-Length: {}\r\n\r\n{document}",
        document.len()
    );
    let same = format!("HTTP/1.1 304 Not Modified\r\nETag: {ETAG}\r\n\r\n");
    let mut buffer = vec![0; 4096];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        if !buffer[..filled].ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = buffer[..filled].to_ascii_lowercase();
        let conditional = head.windows(14).any(|window| window == b"if-none-match:");
        stream.write_all(if conditional { same.as_bytes() } else { whole.as_bytes() }).await?;
        filled = 0;
    }
}

/// The farm as a process that ends with this value.
struct Farm(Child, u16);

impl Farm {
    async fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let child = Command::new(std::env::current_exe()?)
            .args(["farm", &port.to_string()])
            .stdin(Stdio::null())
            .spawn()
            .context("the farm does not start")?;
        let farm = Self(child, port);
        for _ in 0..100 {
            if TcpStream::connect(address(0, port)).await.is_ok() {
                return Ok(farm);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the farm does not answer")
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The number in `h17.test`.
fn number_of(name: &str) -> u64 {
    name.trim_start_matches('h').split('.').next().and_then(|text| text.parse().ok()).unwrap_or_default()
}

struct Names;

impl net::Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move { Ok(vec![address(number_of(name), 0).ip()]) })
    }
}

fn options() -> Result<net::Options> {
    Ok(net::Options { resolver: Arc::new(Names), allow_networks: vec!["127.0.0.0/8".parse()?], ..Default::default() })
}

// --- the yardstick ---

type Bare = Pool<HttpConnector, Empty<Bytes>>;

fn bare() -> Bare {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Pool::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(15))
        .pool_max_idle_per_host(1)
        .build(connector)
}

async fn ask(pool: &Bare, url: String) -> Result<()> {
    let request = hyper::Request::get(url)
        .header("User-Agent", "bare")
        .header("Accept", "application/rss+xml, application/atom+xml;q=0.9, */*;q=0.1")
        .header("Accept-Encoding", "gzip, br")
        .header("If-None-Match", ETAG)
        .body(Empty::new())?;
    let answer = pool.request(request).await?;
    if answer.status() != 304 {
        bail!("{} instead of 304", answer.status());
    }
    answer.into_body().collect().await?;
    Ok(())
}

/// Requests per second of `one`, asked with the numbers from 0 on, over and over.
async fn rate<F>(seconds: u64, hosts: u64, one: impl Fn(u64) -> F) -> Result<f64>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let (next, began) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let end = began + Duration::from_secs(seconds);
    let mut lanes = Vec::new();
    for _ in 0..AT_ONCE {
        let (next, one) = (Arc::clone(&next), &one);
        lanes.push(async move {
            while Instant::now() < end {
                // In a task of its own, as the service has it.
                tokio::spawn(one(next.fetch_add(1, Ordering::Relaxed) % hosts)).await??;
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    futures_util::future::try_join_all(lanes).await?;
    Ok(next.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn told(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    format!("median {:.0}, from {least:.0} to {most:.0}", median(values.to_vec()))
}

// --- the fetcher alone ---

async fn fetch(seconds: u64, rounds: u64) -> Result<()> {
    let farm = Farm::start().await?;
    let port = farm.1;
    let (pool, client) = (bare(), Arc::new(Client::new(options()?)));
    // Few hosts, so that connections are kept; as many as are asked at once twice over.
    let hosts = 2 * AT_ONCE as u64;
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        let one = |number| {
            let pool = pool.clone();
            async move { ask(&pool, format!("http://{}/", address_of(number, port))).await }
        };
        rates[0].push(rate(seconds, hosts, one).await?);
        let one = |number| {
            let client = Arc::clone(&client);
            async move { fetched(&client, number, port).await }
        };
        rates[1].push(rate(seconds, hosts, one).await?);
    }
    println!("bare client, 304 a second:   {}", told(&rates[0]));
    println!("Heliu's client, 304 a second: {}", told(&rates[1]));
    let ratios: Vec<_> = rates[1].iter().zip(&rates[0]).map(|(ours, bare)| ours / bare).collect();
    println!("ratio, median of the rounds: {:.2}", median(ratios));
    Ok(())
}

/// Hosts of the yardstick are told apart by their addresses.
fn address_of(number: u64, port: u16) -> SocketAddr {
    address(number, port)
}

async fn fetched(client: &Client, number: u64, port: u16) -> Result<()> {
    let request = Request {
        url: format!("http://h{number}.test:{port}/").parse()?,
        validators: Validators { etag: Some(ETAG.as_bytes().to_vec()), last_modified: None },
        accept: Accept::Feed,
        limit: 10 << 20,
        robots: Robots::Ignore,
        berth: Berth::default(),
    };
    let response = client.fetch(request).await?;
    if !response.not_modified() {
        bail!("{} instead of 304", response.status);
    }
    Ok(())
}

// --- the whole service ---

/// A clock that runs faster than the world.
struct Fast {
    begin: DateTime<Utc>,
    began: Instant,
    /// Times as fast; may be changed while it stands at `begin`.
    speed: AtomicU64,
}

impl Clock for Fast {
    fn now(&self) -> DateTime<Utc> {
        let millis = self.began.elapsed().as_millis() * u128::from(self.speed.load(Ordering::Relaxed));
        self.begin + TimeDelta::milliseconds(i64::try_from(millis).unwrap_or(i64::MAX / 2))
    }

    fn sleep_until(&self, until: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            while let Ok(left) = (until - self.now()).to_std() {
                let speed = u32::try_from(self.speed.load(Ordering::Relaxed)).unwrap_or(1);
                tokio::time::sleep((left / speed).max(Duration::from_millis(1))).await;
            }
        })
    }
}

/// So many channels, and one feed.
fn config(channels: u64, port: u16, every: &str) -> String {
    let mut text =
        "service: { title: t, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }\nchannels:\n"
            .to_owned();
    for number in 0..channels {
        let _ = writeln!(text, "  c{number}: {{ feed: 'http://h{number}.test:{port}/'{every} }}");
    }
    text + "feeds:\n  all: { channels: [c0] }\n"
}

async fn service(
    folder: &Path,
    channels: u64,
    (port, every): (u16, &str),
    speed: u64,
) -> Result<(Arc<Service>, Arc<dyn Store>)> {
    let config_path = folder.join("feeds.yaml");
    std::fs::write(&config_path, config(channels, port, every))?;
    let begin = "2026-11-23T00:00:00Z".parse()?;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.join("data"), begin).await?);
    let clock = Arc::new(Fast { begin, began: Instant::now(), speed: AtomicU64::new(speed) });
    let setup = Setup { config_path, store: Arc::clone(&store), clock, net: options()?, chance: Arc::new(|| 0.5) };
    Ok((Service::start(setup).await?, store))
}

/// Polls so far: recorded, and that failed or were not recorded.
fn counted(service: &Service) -> (u64, u64) {
    let text = service.metrics().openmetrics();
    let of = |outcome: &str| {
        let name = format!("heliu_polls_total{{outcome=\"{outcome}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse::<u64>().ok()).unwrap_or_default()
    };
    (of("changed") + of("unchanged"), of("failed") + of("unrecorded"))
}

/// User and system time of this process so far, in seconds (Linux).
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |at: usize| after.split_whitespace().nth(at).and_then(|text| text.parse::<f64>().ok());
    (ticks(11).unwrap_or_default() + ticks(12).unwrap_or_default()) / 100.0
}

async fn polls(channels: u64, seconds: u64, rounds: u64) -> Result<()> {
    let farm = Farm::start().await?;
    let (port, pool) = (farm.1, bare());
    let folder = tempfile::tempdir()?;
    // Six times as much is due as can be hoped for.
    let speed = (900 * 8000 / channels).max(1);
    let (service, store) = service(folder.path(), channels, (port, ", every: 15m"), speed).await?;
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&service).run(stop.clone()));
    // The first polls fill the ledger.
    let began = Instant::now();
    while counted(&service).0 < channels {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("{channels} first polls: {:.0} a second", channels as f64 / began.elapsed().as_secs_f64());
    let (mut ours, mut costs, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (before, used, begin) = (counted(&service), cpu(), Instant::now());
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let (after, elapsed) = (counted(&service), begin.elapsed().as_secs_f64());
        if after.1 > before.1 {
            bail!("{} polls failed or were not recorded", after.1 - before.1);
        }
        let done = (after.0 - before.0) as f64;
        ours.push(done / elapsed);
        costs.push((cpu() - used) / done * 1e6);
    }
    stop.cancel();
    running.await?;
    store.close().await;
    for _ in 0..rounds {
        let one = |number| {
            let pool = pool.clone();
            async move { ask(&pool, format!("http://{}/", address(number, port))).await }
        };
        theirs.push(rate(seconds.min(3), channels, one).await?);
    }
    println!("conditional polls a second, recorded on disk: {}", told(&ours));
    println!("processor time a poll, microseconds: {}", told(&costs));
    println!(
        "bare client, 304 a second: {}; ratio of the medians {:.2}",
        told(&theirs),
        median(ours) / median(theirs.clone())
    );
    Ok(())
}

// --- memory ---

/// Bytes of memory that this process holds (Linux).
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1024
}

/// Fills a ledger with channels that were polled a minute ago and are due in hours.
async fn fill(folder: &Path, channels: u64) -> Result<()> {
    let now: DateTime<Utc> = "2026-11-23T00:00:00Z".parse()?;
    let store = Arc::new(SqliteStore::open(&folder.join("data"), now).await?);
    let numbers: Vec<u64> = (0..channels).collect();
    for some in numbers.chunks(500) {
        let polls = some.iter().map(|number| {
            let store = Arc::clone(&store);
            async move { store.record(&rested(*number, now)?).await.map_err(anyhow::Error::from) }
        });
        futures_util::future::try_join_all(polls).await?;
    }
    store.close().await;
    Ok(())
}

fn rested(number: u64, now: DateTime<Utc>) -> Result<Poll> {
    let at = now - TimeDelta::minutes(1);
    let url = format!("http://h{number}.test:80/");
    let mut state = PollState {
        last_poll: Some(at),
        last_success: Some(at),
        next_poll: Some(now + TimeDelta::hours(6)),
        live_since: Some(at),
        address: Some(url.clone()),
        ..PollState::default()
    };
    state.attempted(Attempt { at, url, status: Some(304), millis: 90, changed: 0, error: None });
    Ok(Poll { channel: format!("c{number}").parse()?, at, seen: None, state, fetched: BTreeMap::default() })
}

/// Starts on such a ledger and tells what it holds.
async fn rest(folder: &str, channels: u64) -> Result<()> {
    let (service, store) = service(Path::new(folder), channels, (80, ""), 1).await?;
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&service).run(stop.clone()));
    tokio::time::sleep(Duration::from_secs(3)).await;
    println!("{}", resident());
    stop.cancel();
    running.await?;
    store.close().await;
    Ok(())
}

async fn memory(few: u64, many: u64) -> Result<()> {
    let mut held = Vec::new();
    for channels in [few, many] {
        let folder = tempfile::tempdir()?;
        fill(folder.path(), channels).await?;
        let child = Command::new(std::env::current_exe()?)
            .arg("rest")
            .arg(folder.path())
            .arg(channels.to_string())
            .output()
            .context("the service does not start")?;
        let told = String::from_utf8_lossy(&child.stdout).trim().to_owned();
        let bytes: u64 = told.parse().with_context(|| String::from_utf8_lossy(&child.stderr).into_owned())?;
        println!("{channels} channels at rest: {:.1} MB", bytes as f64 / 1e6);
        held.push(bytes as f64);
    }
    println!("one channel: {:.0} bytes", (held[1] - held[0]) / (many - few) as f64);
    Ok(())
}
