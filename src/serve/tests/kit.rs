//! A server with documents made by hand and a store that answers from memory.
#![expect(clippy::disallowed_methods, reason = "the tests ask their own server on loopback")]

use crate::config::{Channel, Config, Duplicates, FeedSpec, Origin, Service};
use crate::model::{ChannelId, Mark, Record, Tombstone, Withdrawn};
use crate::publish::{ConfigStatus, Published, Shelf, Shelved};
use crate::render::{Document, Encoding, Representation};
use crate::serve::{NoPreview, Options, Previews, ServeReport, Site};
use crate::store::{Attempt, Change, FetchState, Poll, PollState, Stamp, Store, StoreError};
use crate::telemetry::Metrics;
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Duration, timeout};

/// When the documents were modified: 2019-12-10 11:57:50 UTC.
pub(super) const MODIFIED: i64 = 1_575_979_070;

/// A store in memory.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) polls: Mutex<BTreeMap<ChannelId, PollState>>,
    pub(super) attempts: Mutex<BTreeMap<ChannelId, Vec<Attempt>>>,
    pub(super) broken: AtomicBool,
}

impl Memory {
    fn check(&self) -> Result<(), StoreError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(StoreError::Engine("it is gone".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Memory {
    async fn record(&self, _: &Poll) -> Result<Change, StoreError> {
        panic!("serve never writes")
    }
    async fn latest_under(&self, _: &ChannelId, _: usize, _: Withdrawn) -> Result<Vec<Record>, StoreError> {
        Ok(Vec::new())
    }
    async fn tombstones(&self, _: &ChannelId, _: usize) -> Result<Vec<Tombstone>, StoreError> {
        Ok(Vec::new())
    }
    async fn release(&self, _: &ChannelId, _: DateTime<Utc>) -> Result<u64, StoreError> {
        panic!("serve never writes")
    }
    async fn count(&self, _: &ChannelId) -> Result<u64, StoreError> {
        self.check().map(|()| 42)
    }
    async fn known_links(&self, _: &ChannelId, _: &[String]) -> Result<Vec<bool>, StoreError> {
        Ok(Vec::new())
    }
    async fn polls(&self) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        self.check()?;
        Ok(self.polls.lock().unwrap().clone())
    }
    async fn poll_states(&self, channels: &[ChannelId]) -> Result<BTreeMap<ChannelId, PollState>, StoreError> {
        let mut all = self.polls().await?;
        all.retain(|id, _| channels.contains(id));
        Ok(all)
    }
    async fn attempts(&self, channel: &ChannelId) -> Result<Vec<Attempt>, StoreError> {
        self.check()?;
        Ok(self.attempts.lock().unwrap().get(channel).cloned().unwrap_or_default())
    }
    async fn fetch_states(&self, _: &[String]) -> Result<BTreeMap<String, FetchState>, StoreError> {
        Ok(BTreeMap::new())
    }
    async fn marks(&self, _: &ChannelId, _: usize, _: Withdrawn) -> Result<Vec<Mark>, StoreError> {
        Ok(Vec::new())
    }
    async fn records(&self, _: &ChannelId, _: &[u64]) -> Result<Vec<Record>, StoreError> {
        Ok(Vec::new())
    }
    async fn stamps(&self, _: &[(String, String)], _: DateTime<Utc>) -> Result<Vec<Stamp>, StoreError> {
        panic!("serve never writes")
    }
    async fn created(&self) -> Result<DateTime<Utc>, StoreError> {
        Ok(now())
    }
    async fn ping(&self) -> Result<(), StoreError> {
        self.check()
    }
    async fn close(&self) {}
}

/// Now, for every test: a day after [`MODIFIED`].
pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(MODIFIED + 86_400, 0).unwrap()
}

/// A document whose "compressed" bytes say which coding they are, so that tests need no decoder.
pub(super) fn document(media_type: &'static str, language: &str, key: &str) -> Arc<Document> {
    let one = |encoding, name: &str, size| Representation {
        encoding,
        bytes: Bytes::from(format!("{key}/{name}/{}", "x".repeat(size))),
        etag: format!("\"{key}-{name}\""),
    };
    Arc::new(Document {
        media_type,
        language: language.into(),
        last_modified: DateTime::from_timestamp(MODIFIED, 0).unwrap(),
        link: Some("<https://feeds.example.org/feeds/shiping>; rel=\"alternate\"".into()),
        representations: vec![
            one(Encoding::Identity, "i", 400),
            one(Encoding::Gzip, "g", 100),
            one(Encoding::Brotli, "b", 80),
            one(Encoding::Zstd, "z", 90),
        ],
    })
}

fn channel(id: &str, title: &str) -> Channel {
    Channel {
        id: id.parse().unwrap(),
        title: title.into(),
        origin: Origin::Feed { url: "https://source.example/rss.xml".parse().unwrap() },
        every: None,
        timezone: chrono_tz::Asia::Shanghai,
        language: "zh-CN".into(),
        snapshot: None,
        rules: crate::rule::Rules::default(),
        obeys_robots: true,
        trust: crate::model::Trust::default(),
    }
}

/// A configuration with three channels.
pub(super) fn config() -> Config {
    Config {
        service: Service {
            title: "中工网订阅".into(),
            base_url: "https://feeds.example.org/".parse().unwrap(),
            language: "zh-CN".into(),
            timezone: chrono_tz::Asia::Shanghai,
            contact: None,
            allow_networks: Vec::new(),
        },
        channels: vec![
            Arc::new(channel("shiping", "中工时评")),
            Arc::new(channel("renwu", "<script>alert(1)</script>")),
            Arc::new(channel("xinhua", "新华社")),
        ],
        feeds: vec![FeedSpec {
            id: "shiping".parse().unwrap(),
            title: "中工时评".into(),
            description: String::new(),
            language: "zh-CN".into(),
            channels: vec!["shiping".parse().unwrap()],
            feeds: Vec::new(),
            limit: 50,
            duplicates: Duplicates::default(),
            quota: None,
            max_age: None,
            rules: crate::rule::Rules::default(),
        }],
    }
}

/// A published set with feeds in three formats, a page in two languages and a style sheet.
pub(super) fn published() -> Published {
    let one = |media_type, key: &str| Shelved::One(document(media_type, "zh-CN", key));
    let documents = HashMap::from([
        ("/feeds/shiping.rss".to_owned(), one("application/rss+xml; charset=utf-8", "rss")),
        ("/feeds/shiping.atom".to_owned(), one("application/atom+xml; charset=utf-8", "atom")),
        ("/feeds/shiping.json".to_owned(), one("application/feed+json; charset=utf-8", "json")),
        ("/style.css".to_owned(), one("text/css; charset=utf-8", "css")),
        (
            "/feeds/shiping".to_owned(),
            Shelved::Page {
                zh: document("text/html; charset=utf-8", "zh-CN", "zh"),
                en: document("text/html; charset=utf-8", "en", "en"),
            },
        ),
    ]);
    let health = Some(document("application/atom+xml; charset=utf-8", "zh-CN", "health"));
    let status = ConfigStatus { path: "feeds.yaml".into(), loaded: now(), rejected: None };
    Published { config: Arc::new(config()), status: Arc::new(status), feeds: Vec::new(), documents, health }
}

/// Limits short enough for tests.
pub(super) fn short() -> Options {
    let ms = Duration::from_millis;
    Options {
        header_timeout: ms(80),
        request_timeout: ms(400),
        write_timeout: ms(80),
        keep_alive: ms(160),
        park_after: ms(40),
        drain: ms(300),
        ..Options::default()
    }
}

/// Previews that answer by the path that is asked for, from no source at all. `/stay` never ends.
fn previews() -> Previews {
    Previews::new(|url| {
        Box::pin(async move {
            match url.path() {
                "/none" => Err(NoPreview::NoFeed("not-a-feed: a \"page\"".into())),
                "/private" => Err(NoPreview::BadAddress("the address is private".into())),
                "/down" => Err(NoPreview::SourceFailed("status 500".into())),
                "/stay" => std::future::pending().await,
                "/panic" => panic!("on purpose"),
                _ => Ok(format!("{{\"title\":\"{url}\"}}\n")),
            }
        })
    })
}

/// A running server.
pub(super) struct Server {
    pub(super) site: Arc<Site>,
    pub(super) store: Arc<Memory>,
    pub(super) address: SocketAddr,
    stop: oneshot::Sender<()>,
    run: JoinHandle<ServeReport>,
}

impl Server {
    /// A server with the hand-made set.
    pub(super) async fn start(options: Options) -> Self {
        Self::with(options, published()).await
    }

    /// A server with this set.
    pub(super) async fn with(options: Options, set: Published) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let store = Arc::new(Memory::default());
        let site = Arc::new(Site {
            shelf: Arc::new(Shelf::new(set)),
            store: Arc::clone(&store) as Arc<dyn Store>,
            options,
            clock: Arc::new(now),
            version: "0.0.0-test",
            metrics: Arc::new(Metrics::new("0.0.0-test")),
            preview: Some(previews()),
        });
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&site);
        let run = tokio::spawn(async move {
            crate::serve::run(listener, serving, async {
                let _ = stopped.await;
            })
            .await
        });
        Self { site, store, address, stop, run }
    }

    /// A connection.
    pub(super) async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Sends bytes on a new connection and reads until the server closes it.
    pub(super) async fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect().await;
        // The server may refuse and close before it has read everything.
        let _ = stream.write_all(bytes).await;
        read_all(&mut stream).await
    }

    /// One request that asks for the connection to be closed, and its answer.
    pub(super) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.push_str("Host: localhost\r\n");
        }
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        Answer::parse(&self.raw(head.as_bytes()).await)
    }

    /// GET.
    pub(super) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers).await
    }

    /// Stops the server.
    pub(super) async fn stop(self) -> ServeReport {
        let _ = self.stop.send(());
        timeout(Duration::from_secs(20), self.run).await.expect("the server stops").unwrap()
    }
}

/// Everything until the end; a reset counts as the end.
pub(super) async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let reading = async {
        let mut part = [0; 4096];
        while let Ok(n) = stream.read(&mut part).await {
            if n == 0 {
                break;
            }
            bytes.extend_from_slice(&part[..n]);
        }
    };
    timeout(Duration::from_secs(20), reading).await.expect("the server closes the connection");
    bytes
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    /// Reads the only answer in these bytes.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer in {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap_or((line, "")))
            .map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()));
        Self { status, headers: headers.collect(), body: body.to_owned() }
    }

    /// A header; empty when it is missing.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    /// All headers but `Date`, sorted.
    pub(super) fn sorted(&self) -> Vec<(String, String)> {
        let mut all: Vec<_> = self.headers.iter().filter(|(n, _)| n != "date").cloned().collect();
        all.sort();
        all
    }
}
