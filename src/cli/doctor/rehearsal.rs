//! The rehearsal: the whole service with its real client on scripted sources, in virtual time.

use super::origin::{self, Reply, Sources};
use super::{FLOOR, Report, Scorer};
use crate::net::{self, Dial, Resolve, Socket, SystemDial};
use crate::store::{MemoryStore, Store};
use crate::worker::{Clock, Service, Setup};
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The service is restarted every so many days.
const RESTART: TimeDelta = TimeDelta::days(3);
/// Heads of requests are no longer.
const LONGEST_LINE: u64 = 16 << 10;

/// A clock that stands still between two polls.
struct Virtual(Mutex<DateTime<Utc>>);

impl Clock for Virtual {
    fn now(&self) -> DateTime<Utc> {
        *lock(&self.0)
    }

    fn sleep_until(&self, until: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move { *lock(&self.0) = until.max(self.now()) })
    }
}

/// Every name is one public number, and every number is the scripted sources: what is asked is asked as if it stood
/// in the world, and nothing leaves this machine.
struct Stage(SocketAddr);

impl Resolve for Stage {
    fn resolve<'a>(&'a self, _name: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9))]) })
    }
}

impl Dial for Stage {
    fn dial(&self, _address: SocketAddr) -> Pin<Box<dyn Future<Output = io::Result<Socket>> + Send + 'static>> {
        SystemDial.dial(self.0)
    }
}

/// A folder that goes away in the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Polls `channels` scripted sources for so many virtual days and judges what they saw.
pub(super) async fn run(days: u32, channels: u32, seed: u64) -> anyhow::Result<Report> {
    // A Thursday evening, so that a weekend is soon in the way.
    let began: DateTime<Utc> = DateTime::from_timestamp(1_795_723_200, 0).context("an instant")?;
    let clock = Arc::new(Virtual(Mutex::new(began)));
    let judge = Arc::new(Mutex::new(Scorer::new(FLOOR)));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let stage = Arc::new(Stage(listener.local_addr()?));
    let accepting = tokio::spawn(accept(listener, Sources { seed, began }, Arc::clone(&clock), Arc::clone(&judge)));
    let folder = Folder(std::env::temp_dir().join(format!(
        "heliu-rehearsal-{}-{:x}",
        std::process::id(),
        rand::random::<u64>()
    )));
    std::fs::create_dir(&folder.0).with_context(|| format!("cannot make {}", folder.0.display()))?;
    let config = folder.0.join("feeds.yaml");
    std::fs::write(&config, feeds_yaml(channels))?;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(began));
    let mut next_chance = seed;
    let end = began + TimeDelta::days(days.into());
    while clock.now() < end {
        next_chance = next_chance.wrapping_add(1);
        let chance = Mutex::new(next_chance);
        let setup = Setup {
            config_path: config.clone(),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            net: net::Options {
                resolver: Arc::clone(&stage) as Arc<dyn Resolve>,
                dialer: Arc::clone(&stage) as Arc<dyn Dial>,
                host_gap: Duration::ZERO,
                ..net::Options::default()
            },
            chance: Arc::new(move || draw(&mut lock(&chance))),
        };
        let service = Service::start(setup).await?;
        live(&service, &clock, end.min(clock.now() + RESTART)).await;
    }
    accepting.abort();
    let mut judge = lock(&judge);
    Ok(std::mem::replace(&mut *judge, Scorer::new(FLOOR)).finish())
}

async fn live(service: &Service, clock: &Virtual, until: DateTime<Utc>) {
    while let Some(due) = service.next_due().filter(|due| *due < until) {
        clock.sleep_until(due).await;
        service.poll_due().await;
    }
    clock.sleep_until(until).await;
}

/// A number from 0 to 1.
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let high = u32::try_from(*state >> 32).unwrap_or_default();
    f64::from(high) / f64::from(u32::MAX)
}

fn feeds_yaml(channels: u32) -> String {
    let mut text = "service: { title: Rehearsal, base_url: 'http://127.0.0.1:8080/' }\nchannels:\n".to_owned();
    for n in 0..channels {
        let every = origin::every(n).map_or_else(String::new, |every| format!(", every: {every}"));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  c{n}: {{ feed: '{}'{every} }}", origin::address(n));
    }
    text + "feeds:\n  all: { channels: [c0] }\n"
}

async fn accept(listener: TcpListener, sources: Sources, clock: Arc<Virtual>, judge: Arc<Mutex<Scorer>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (clock, judge) = (Arc::clone(&clock), Arc::clone(&judge));
        tokio::spawn(async move { converse(stream, sources, &clock, &judge).await });
    }
}

/// Answers the requests of one connection; the judge sees each before it is answered.
async fn converse(mut stream: TcpStream, sources: Sources, clock: &Virtual, judge: &Mutex<Scorer>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    loop {
        let first = line(&mut read).await?;
        let path = String::from_utf8(first).ok()?.split(' ').nth(1)?.to_owned();
        let mut headers = Vec::new();
        loop {
            let line = line(&mut read).await?;
            if line.is_empty() {
                break;
            }
            let colon = line.iter().position(|byte| *byte == b':')?;
            let value = line.get(colon + 1..)?.strip_prefix(b" ").unwrap_or_default();
            headers.push((String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase(), value.to_vec()));
        }
        let host = headers.iter().find(|(name, _)| name == "host").map(|(_, value)| value.clone())?;
        let reply = sources.answer(clock.now(), &String::from_utf8(host).ok()?, &path, headers);
        lock(judge).see(&reply.asked);
        if reply.status == 0 {
            return None;
        }
        write.write_all(&bytes(&reply)).await.ok()?;
    }
}

/// A line without its end; `None` at the end of the connection.
async fn line(read: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> Option<Vec<u8>> {
    use tokio::io::AsyncReadExt as _;
    let mut line = Vec::new();
    read.take(LONGEST_LINE).read_until(b'\n', &mut line).await.ok()?;
    line.pop().filter(|last| *last == b'\n')?;
    line.pop_if(|last| *last == b'\r');
    Some(line)
}

fn bytes(reply: &Reply) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} Scripted\r\nContent-Type: application/rss+xml\r\n", reply.status).into_bytes();
    for (name, value) in &reply.headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    if reply.status != 304 {
        bytes.extend(format!("Content-Length: {}\r\n", reply.body.len()).into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(reply.body.as_bytes());
    bytes
}
