//! A Heliu in process: its own store and feeds.yaml in a temporary folder, a listener on port 0, a clock
//! that the test moves, and names that all resolve to loopback.

use super::{Clock, Origin};
use chrono::TimeDelta;
use heliu::net;
use heliu::serve;
use heliu::store::{SqliteStore, Store};
use heliu::worker::{Clock as _, Reloaded, Service, Setup, StartError};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

/// An answer of the site.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A running site.
pub(crate) struct Site {
    pub(crate) folder: Arc<TempDir>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) service: Arc<Service>,
    pub(crate) store: Arc<dyn Store>,
    /// While set, no name can be resolved: the line is cut.
    pub(crate) cut: Arc<AtomicBool>,
    address: SocketAddr,
    shutdown: CancellationToken,
    server: tokio::task::JoinHandle<()>,
}

/// Every name is this machine, unless the line is cut.
#[derive(Debug)]
struct Loopback(Arc<AtomicBool>);

impl net::Resolve for Loopback {
    fn resolve<'a>(
        &'a self,
        _name: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'a>> {
        let cut = self.0.load(Relaxed);
        Box::pin(async move {
            if cut {
                Err(std::io::Error::other("temporary failure"))
            } else {
                Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])
            }
        })
    }
}

impl Site {
    /// A site with this feeds.yaml, at 2026-11-23 08:00 in Shanghai.
    pub(crate) async fn start(config: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("feeds.yaml"), config).unwrap();
        Self::begin(folder, Arc::new(Clock::at("2026-11-23T00:00:00Z"))).await.unwrap()
    }

    /// Starts in a folder that has a feeds.yaml already.
    pub(crate) async fn begin(folder: Arc<TempDir>, clock: Arc<Clock>) -> Result<Self, StartError> {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.path().join("data"), clock.now()).await?);
        Self::with_store(folder, clock, store).await
    }

    /// Starts on a given store.
    pub(crate) async fn with_store(
        folder: Arc<TempDir>,
        clock: Arc<Clock>,
        store: Arc<dyn Store>,
    ) -> Result<Self, StartError> {
        let cut = Arc::new(AtomicBool::new(false));
        let resolver = Arc::new(Loopback(Arc::clone(&cut)));
        let setup = Setup {
            config_path: folder.path().join("feeds.yaml"),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock) as Arc<dyn heliu::worker::Clock>,
            net: net::Options { resolver, host_gap: Duration::ZERO, ..net::Options::default() },
            chance: Arc::new(|| 0.0),
        };
        let service = Service::start(setup).await?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let now = Arc::clone(&clock);
        let site = Arc::new(serve::Site {
            shelf: service.shelf(),
            store: Arc::clone(&store),
            options: serve::Options::default(),
            clock: Arc::new(move || now.now()),
            version: "test",
            metrics: service.metrics(),
            preview: None,
        });
        let stop = shutdown.clone();
        let server = tokio::spawn(async move {
            serve::run(listener, site, async move { stop.cancelled().await }).await;
        });
        Ok(Self { folder, clock, service, store, cut, address, shutdown, server })
    }

    /// Stops cleanly and starts again on the same folder, some seconds later.
    pub(crate) async fn restart(self) -> Self {
        let (folder, clock) = (Arc::clone(&self.folder), Arc::clone(&self.clock));
        self.stop().await;
        clock.advance(TimeDelta::seconds(5));
        Self::begin(folder, clock).await.unwrap()
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.server.await.unwrap();
        self.store.close().await;
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.folder.path().join("feeds.yaml")
    }

    /// Polls whatever is due now.
    pub(crate) async fn poll(&self) -> usize {
        self.service.poll_due().await
    }

    /// Moves the clock to the next poll and does it.
    pub(crate) async fn poll_next(&self) {
        let due = self.service.next_due().unwrap();
        self.clock.advance((due - self.clock.now()).max(TimeDelta::zero()));
        self.poll().await;
    }

    /// Moves the clock on and polls what has become due.
    pub(crate) async fn after(&self, by: TimeDelta) {
        self.clock.advance(by);
        self.poll().await;
    }

    /// Writes feeds.yaml and reloads it.
    pub(crate) async fn edit(&self, config: &str) -> Reloaded {
        std::fs::write(self.config_path(), config).unwrap();
        self.service.reload(Ok(config.as_bytes().to_vec())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        request(self.address, path, headers).await
    }

    /// The entries of a feed, newest first, from its JSON.
    pub(crate) async fn entries(&self, feed: &str) -> Vec<serde_json::Value> {
        let reply = self.get(&format!("/feeds/{feed}.json")).await;
        assert_eq!(reply.status, 200, "{feed}");
        reply.json()["items"].as_array().unwrap().clone()
    }

    pub(crate) async fn titles(&self, feed: &str) -> Vec<String> {
        self.entries(feed).await.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn ids(&self, feed: &str) -> Vec<String> {
        self.entries(feed).await.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The codes of a channel's flaws.
    pub(crate) async fn flaws(&self, channel: &str) -> Vec<&'static str> {
        let polls = self.store.polls().await.unwrap();
        polls[&channel.parse().unwrap()].flaws.iter().map(|flaw| flaw.code.as_str()).collect()
    }
}

/// One GET on a connection of its own.
#[expect(clippy::disallowed_methods, reason = "the test asks its own server")]
pub(crate) async fn request(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head += "\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<_> =
        lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let mut body = bytes[end + 4..].to_vec();
    if headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("transfer-encoding") && value == "chunked") {
        body = dechunk(&body);
    }
    Reply { status, headers, body }
}

fn dechunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap().trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        body.extend(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 2 + size + 2..];
    }
    body
}

/// The repository's feeds.yaml with every address of the portal on `origin`'s port and loopback allowed.
pub(crate) fn real_config(origin: &Origin) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("feeds.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let hosts = regex::Regex::new(r"https?://([a-z0-9]+\.)?workercn\.cn/").unwrap();
    let port = origin.port();
    let text = hosts.replace_all(&text, |found: &regex::Captures<'_>| {
        format!("http://{}workercn.cn:{port}/", found.get(1).map_or("", |host| host.as_str()))
    });
    text.replacen("service:\n", "service:\n  allow_networks: [127.0.0.0/8]\n", 1)
}
