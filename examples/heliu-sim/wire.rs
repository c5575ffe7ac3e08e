//! The simulated network: names, connections, and the servers at their other ends.

use crate::rng::Rng;
use crate::source::{self, Article, Manners, Outage, Reply, Trouble, Wait, within};
use crate::world::{Stage, World};
use chrono::{DateTime, TimeDelta, Utc};
use heliu::config::{Address, Channel};
use heliu::net::{Dial, Resolve, Socket};
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The network as the client sees it.
pub(crate) struct Net(pub(crate) Arc<Stage>);

/// How much of an answer is under way at once.
const PIPE: usize = 256 * 1024;

impl Resolve for Net {
    fn resolve<'a>(&'a self, name: &'a str) -> Boxed<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            self.0.step().await;
            let truth = self.0.truth();
            let world = self.0.world();
            let place = world.script.hosts.iter().position(|host| host.name == name);
            let down = place.is_some_and(|place| outage(&world, place, truth) == Some(Outage::NoName));
            let Some(place) = place.filter(|_| !down).and_then(|place| u8::try_from(place).ok()) else {
                return Err(io::ErrorKind::NotFound.into());
            };
            Ok(vec![IpAddr::V4(Ipv4Addr::new(93, 184, 216, place + 1))])
        })
    }
}

/// How a host cannot be reached, if so; without a network none can.
fn outage(world: &World, host: usize, at: chrono::DateTime<chrono::Utc>) -> Option<Outage> {
    if let Some((_, how)) = world.cut.filter(|(back, _)| at < *back) {
        return Some(how);
    }
    world.script.hosts[host].outages.iter().find(|(span, _)| within(*span, at)).map(|(_, outage)| *outage)
}

/// Whether the host of any of these channels takes connections.
pub(crate) fn anybody_is_up(world: &World, channels: &[&Arc<Channel>], at: chrono::DateTime<chrono::Utc>) -> bool {
    let names: Vec<_> = channels.iter().flat_map(|channel| channel.addresses()).map(Address::url).collect();
    let is_up = |host: usize| outage(world, host, at).is_none();
    (0..world.script.hosts.len())
        .any(|host| is_up(host) && names.iter().any(|url| url.host_str() == Some(&*world.script.hosts[host].name)))
}

impl Dial for Net {
    fn dial(&self, address: SocketAddr) -> Boxed<'static, io::Result<Socket>> {
        let stage = Arc::clone(&self.0);
        Box::pin(async move {
            stage.step().await;
            let down = {
                let truth = stage.truth();
                let world = stage.world();
                let IpAddr::V4(ip) = address.ip() else { return Err(io::ErrorKind::AddrNotAvailable.into()) };
                let place = usize::from(ip.octets()[3]) - 1;
                outage(&world, place, truth)
            };
            match down {
                Some(Outage::NoAnswer) => std::future::pending().await,
                Some(_) => Err(io::ErrorKind::ConnectionRefused.into()),
                None => {
                    let (near, far) = tokio::io::duplex(PIPE);
                    tokio::spawn(async move { serve(far, &stage).await });
                    Ok(Socket::new(near, address))
                }
            }
        })
    }
}

/// Answers the requests of one connection until either side ends it.
async fn serve(mut stream: DuplexStream, stage: &Stage) {
    let cut = stage.cut.notified();
    tokio::select! {
        biased;
        () = cut => {}
        _ = converse(&mut stream, stage) => return,
    }
    let truth = stage.truth();
    let silent = stage.world().cut.is_some_and(|(back, how)| truth < back && how == Outage::NoAnswer);
    let mut unheard = Vec::new();
    // Without a network a connection does not end, it falls silent.
    while silent && stream.read_buf(&mut unheard).await.is_ok_and(|bytes| bytes > 0) {}
}

async fn converse(stream: &mut DuplexStream, stage: &Stage) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8(bytes.drain(..end + 4).collect()).ok()?;
        let asked = Asked::read(&head)?;
        stage.step().await;
        let (reply, delay) = stage.answer(&asked);
        let open = Open { stage, host: &asked.host };
        tokio::select! {
            biased;
            _ = stream.read_buf(&mut bytes) => return None,
            () = tokio::time::sleep(delay) => {}
        }
        stage.step().await;
        stage.sends(&asked, &reply);
        send(stream, &reply, open).await?;
        if asked.path == "/robots.txt" {
            let truth = stage.truth();
            stage.world().judge.robots(&asked.host, truth);
        }
    }
}

/// A request that is being answered.
struct Open<'a> {
    stage: &'a Stage,
    host: &'a str,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let truth = self.stage.truth();
        self.stage.world().judge.answered(self.host, truth);
    }
}

async fn send(stream: &mut DuplexStream, reply: &Reply, open: Open<'_>) -> Option<()> {
    let bytes = bytes(reply);
    let half = bytes.len() - bytes.len().min(reply.body.len() / 2);
    let mut nothing = Vec::new();
    match reply.manners {
        Manners::Good => stream.write_all(&bytes).await.ok()?,
        Manners::HangUp => return None,
        Manners::Garbage => stream.write_all(b"220 mail.test ESMTP\r\n\r\n").await.ok()?,
        Manners::Cut => stream.write_all(&bytes[..half]).await.ok()?,
        Manners::Hang => {
            let _ = stream.read_buf(&mut nothing).await;
        }
        Manners::Stall => {
            stream.write_all(&bytes[..half]).await.ok()?;
            let _ = stream.read_buf(&mut nothing).await;
        }
    }
    drop(open);
    (reply.manners == Manners::Good).then_some(())
}

fn bytes(reply: &Reply) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Simulated\r\n", reply.status);
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if reply.status != 304 {
        let _ = write!(head, "Content-Length: {}\r\n", reply.body.len());
    }
    let mut bytes = (head + "\r\n").into_bytes();
    if reply.status != 304 {
        bytes.extend(reply.body.as_bytes());
    }
    bytes
}

/// A request as it came in.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) etag: Option<String>,
    pub(crate) since: Option<String>,
}

impl Asked {
    fn read(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let path = lines.next()?.split(' ').nth(1)?.to_owned();
        let mut asked = Self { host: String::new(), path, etag: None, since: None };
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            match name.to_ascii_lowercase().as_str() {
                "host" => value.clone_into(&mut asked.host),
                "if-none-match" => asked.etag = Some(value.to_owned()),
                "if-modified-since" => asked.since = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(asked)
    }

    pub(crate) fn conditional(&self) -> bool {
        self.etag.is_some() || self.since.is_some()
    }

    /// Whether a server that has `reply` would say that nothing changed (RFC 9110 section 13.2.2).
    fn matches(&self, reply: &Reply) -> bool {
        match &self.etag {
            Some(etag) if reply.header("ETag").is_some() => reply.header("ETag") == Some(etag),
            _ => self.since.is_some() && reply.header("Last-Modified") == self.since.as_deref(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.host, self.path)
    }
}

impl Stage {
    /// What a request is answered with, and after how long.
    fn answer(&self, asked: &Asked) -> (Reply, Duration) {
        let (truth, wall) = (self.truth(), self.wall());
        let mut world = self.world();
        let world = &mut *world;
        world.judge.asked(asked, truth, wall);
        let mut reply = world.reply(asked, truth);
        if reply.status == 200 && reply.manners == Manners::Good && asked.conditional() && asked.matches(&reply) {
            reply.status = 304;
        }
        let delay = Duration::from_millis(20 + world.rng.below(700));
        let conditional = if asked.conditional() { " conditional" } else { "" };
        let (status, manners) = (reply.status, reply.manners);
        world.trace.note(truth, format_args!("GET {}{conditional} -> {status} {manners:?}", asked.url()));
        (reply, delay)
    }

    /// What a connection that ended before would have brought was said to nobody.
    fn sends(&self, asked: &Asked, reply: &Reply) {
        let (truth, wall) = (self.truth(), self.wall());
        self.world().judge.answering(asked, reply, truth, wall);
    }
}

impl World {
    fn reply(&mut self, asked: &Asked, truth: DateTime<Utc>) -> Reply {
        let Some(host) = self.script.hosts.iter().find(|host| host.name == asked.host) else {
            return Reply::new(421, "");
        };
        if asked.path == "/robots.txt" {
            return host.robots.map_or_else(|| Reply::new(404, "none"), |text| Reply::new(200, text));
        }
        let mut parts = asked.path.trim_start_matches('/').split('/');
        let kind = parts.next().unwrap_or_default();
        let mut number = || parts.next().and_then(|part| part.trim_end_matches(".html").parse::<u32>().ok());
        match (kind, number(), number()) {
            ("a" | "b", Some(stream), Some(n)) => {
                let article = self.script.streams.get(stream as usize).and_then(|one| one.articles.get(n as usize));
                let refusal = article.and_then(|article| refusal(article, truth));
                refusal.unwrap_or_else(|| source::article(stream as usize, n))
            }
            ("list" | "moved", Some(n), None) => {
                let source = &self.script.sources[n as usize];
                let host = &self.script.hosts[source.host].name;
                let stream = &self.script.streams[source.stream];
                let plain = kind == "moved" && matches!(source.trouble(truth), Some(Trouble::Redirect(..)));
                let mut reply = source.reply(stream, host, truth, plain, &mut self.rng);
                if source.trouble(truth) == Some(&Trouble::Stuck) && asked.conditional() {
                    reply.status = 304;
                }
                reply
            }
            _ => Reply::new(404, "nothing here"),
        }
    }
}

/// Some articles ask to be left alone for some hours after they came out, or say that they cannot be had.
fn refusal(article: &Article, at: DateTime<Utc>) -> Option<Reply> {
    let mut rng = Rng::new(article.at.timestamp().unsigned_abs() ^ 0xa57);
    let wait = if rng.percent(60) { Wait::Seconds(rng.between(60, 20_000)) } else { Wait::Untold };
    let status = rng.pick(&[429, 503]);
    let refuses = at < article.at + TimeDelta::hours(4) && rng.percent(4);
    refuses.then(|| source::refusal(&Trouble::Status(status, wait), at)).flatten()
}
