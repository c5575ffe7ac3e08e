//! The door: accepts connections, counts them, turns away what is too much, and drains at the end.

use super::desk::{Desk, Hall};
use super::{Options, ServeReport, Site, connection};
use std::collections::HashMap;
use std::future::Future;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\n\
    Cache-Control: no-store\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 25\r\n\r\n\
    Too many connections now\n";

/// How long accepting pauses after an error, so that a lack of file descriptors does not burn the processor.
const PAUSE: Duration = Duration::from_millis(50);

/// Where connections come from; a trait so that tests can make it fail.
pub(super) trait Door: Send {
    /// The next connection.
    fn accept(&mut self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Door for TcpListener {
    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self).await
    }
}

/// How many connections there are, in all and for each address.
#[derive(Debug, Default)]
struct Tally {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// One counted connection; leaving the tally is its drop.
struct Seat {
    tally: Arc<Mutex<Tally>>,
    peer: Option<IpAddr>,
}

/// The addresses that count as one peer: an IPv4 address, or an IPv6 /64, which is what one subscriber gets.
fn peer_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        other => other,
    }
}

impl Seat {
    /// Takes a seat; `None` when a cap is reached.
    fn take(tally: &Arc<Mutex<Tally>>, address: IpAddr, options: &Options) -> Option<Self> {
        let key = peer_key(address);
        let peer = (!(options.exempt_loopback && key.is_loopback())).then_some(key);
        let mut now = tally.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = peer.and_then(|peer| now.by_peer.get(&peer).copied()).unwrap_or(0);
        if now.all >= options.max_connections.max(1) || of_peer >= options.max_connections_per_ip.max(1) {
            return None;
        }
        now.all += 1;
        if let Some(peer) = peer {
            *now.by_peer.entry(peer).or_default() += 1;
        }
        Some(Self { tally: Arc::clone(tally), peer })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut now = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        now.all -= 1;
        let Some(peer) = self.peer else { return };
        if let Some(count) = now.by_peer.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                now.by_peer.remove(&peer);
            }
        }
    }
}

/// Accepts until `shutdown`, then drains.
pub(super) async fn run(mut door: impl Door, site: Arc<Site>, shutdown: impl Future<Output = ()>) -> ServeReport {
    let mut report = ServeReport::default();
    let hall = Arc::new(Hall::new(Arc::clone(&site)));
    let tally = Arc::new(Mutex::new(Tally::default()));
    let (stop, stopped) = watch::channel(());
    let mut served = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = shutdown.as_mut() => break,
            Some(_) = served.join_next(), if !served.is_empty() => continue,
            accepted = door.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or a client that was gone already: neither is a reason to stop.
                tracing::warn!(%error, "cannot accept a connection; Heliu goes on");
                sleep(PAUSE).await;
                continue;
            }
        };
        let Some(seat) = Seat::take(&tally, peer.ip(), &site.options) else {
            report.refused += 1;
            refuse(stream, peer);
            continue;
        };
        report.connections += 1;
        let desk = Desk::new(Arc::clone(&hall), peer);
        let stopped = stopped.clone();
        served.spawn(async move {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY was refused");
            }
            let options = desk.options();
            connection::serve(stream, &options.site.options, desk, stopped).await;
            drop(seat);
        });
    }
    drop(door);
    drop(stopped);
    report.cut = drain(served, &stop, site.options.drain).await;
    report
}

/// Answers 503 without waiting for the request. The kernel's buffer of a new socket always has room for it.
fn refuse(stream: TcpStream, peer: SocketAddr) {
    tracing::debug!(%peer, "turned away: too many connections");
    let answered = stream.into_std().and_then(|mut stream| stream.write_all(BUSY));
    if let Err(error) = answered {
        tracing::debug!(%error, "could not even say so");
    }
}

/// Lets requests in flight finish; how many were cut off in the end.
async fn drain(mut served: JoinSet<()>, stop: &watch::Sender<()>, limit: Duration) -> usize {
    stop.send_replace(());
    let all = async { while served.join_next().await.is_some() {} };
    if timeout(limit, all).await.is_ok() {
        return 0;
    }
    let cut = served.len();
    tracing::warn!(connections = cut, "cut off connections that did not finish in time");
    served.shutdown().await;
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_tells_its_true_length() {
        let text = std::str::from_utf8(BUSY).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())) || head.ends_with(&body.len().to_string())
        );
    }

    #[test]
    fn one_subscriber_is_one_peer() {
        let check = |a: &str, expected: &str| {
            assert_eq!(peer_key(a.parse().unwrap()), expected.parse::<IpAddr>().unwrap(), "{a}");
        };
        check("192.0.2.7", "192.0.2.7");
        check("::ffff:192.0.2.7", "192.0.2.7");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
        check("::1", "::1");
    }

    #[test]
    fn caps_hold_and_seats_come_back() {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let options = Options { max_connections: 3, max_connections_per_ip: 2, ..Options::default() };
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = Seat::take(&tally, ip("127.0.0.1"), &options);
        let second = Seat::take(&tally, ip("127.0.0.1"), &options);
        assert!(first.is_some() && second.is_some());
        assert!(Seat::take(&tally, ip("127.0.0.1"), &options).is_none(), "loopback counts by default");
        let other = Seat::take(&tally, ip("192.0.2.1"), &options);
        assert!(other.is_some());
        assert!(Seat::take(&tally, ip("192.0.2.2"), &options).is_none(), "all seats are taken");
        drop((first, second, other));
        assert!(tally.lock().unwrap().by_peer.is_empty());
        let exempt = Options { exempt_loopback: true, ..options };
        let seats: Vec<_> = (0..3).filter_map(|_| Seat::take(&tally, ip("::1"), &exempt)).collect();
        assert_eq!(seats.len(), 3);
    }
}
