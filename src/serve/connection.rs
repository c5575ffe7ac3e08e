//! One connection from accept to close: which protocol it speaks, its time limits, and rest.
//!
//! A connection that rests is *parked*: hyper's buffers (some 11 KB) are given back and only the socket is kept
//! until it becomes readable again. Parking and the first wait for bytes are the same thing.

use super::Options;
use super::desk::Desk;
use super::pulse::{Limits, Pulse, Timed};
use bytes::Bytes;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use std::fmt::Display;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

/// The most bytes of a request line with its headers; more is answered with 431.
const MAX_HEAD: usize = 16 * 1024;
/// How HTTP/2 with prior knowledge begins (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// What the first bytes tell; `None` while they may still become either.
fn sniff(start: &[u8]) -> Option<Protocol> {
    match start.len() {
        0 => None,
        n if n >= PREFACE.len() && start.starts_with(PREFACE) => Some(Protocol::Http2),
        n if n < PREFACE.len() && PREFACE.starts_with(start) => None,
        _ => Some(Protocol::Http1),
    }
}

/// How driving hyper ended.
enum End {
    /// The connection is over.
    Closed,
    /// Its time is over.
    Overdue,
    /// It rests.
    Resting,
}

/// Serves one connection to its end. Never fails: what goes wrong is logged.
pub(super) async fn serve(stream: TcpStream, options: &Options, desk: Desk, mut stop: watch::Receiver<()>) {
    let mut stream = stream;
    let mut left = Bytes::new();
    let mut patience = options.header_timeout;
    // Whether the connection has already answered something, that is, speaks HTTP/1.
    let mut known = false;
    loop {
        if left.is_empty() {
            let arrived = tokio::select! {
                arrived = timeout(patience, arrival(&stream, known)) => arrived.ok().flatten(),
                _ = stop.changed() => None,
            };
            match arrived {
                Some(Protocol::Http1) => {}
                Some(Protocol::Http2) => return second(stream, options, desk, stop).await,
                None => return,
            }
        }
        let Some(rest) = first(stream, left, options, desk.clone(), &mut stop).await else { return };
        (stream, left) = rest;
        patience = options.keep_alive.saturating_sub(options.park_after);
        known = true;
    }
}

/// Waits for the first bytes and tells what they are; `None` at the end of the stream.
async fn arrival(stream: &TcpStream, known: bool) -> Option<Protocol> {
    let mut start = [0; PREFACE.len()];
    loop {
        let n = stream.peek(&mut start).await.ok()?;
        if n == 0 {
            return None;
        }
        if known {
            return Some(Protocol::Http1);
        }
        if let Some(protocol) = sniff(&start[..n]) {
            return Some(protocol);
        }
        // A peek does not consume, so the socket stays readable: look again in a moment. Only a client that
        // sends HTTP/2's preface in pieces gets here.
        sleep(Duration::from_millis(5)).await;
    }
}

/// HTTP/1 until the connection ends (`None`) or rests (its socket and what hyper had read of it).
async fn first(
    stream: TcpStream,
    left: Bytes,
    options: &Options,
    desk: Desk,
    stop: &mut watch::Receiver<()>,
) -> Option<(TcpStream, Bytes)> {
    let pulse = Arc::new(Pulse::new(limits(options, options.park_after), false));
    let io = Timed::new(stream, left, Arc::clone(&pulse));
    let mut http = http1::Builder::new();
    // hyper's limit of 100 headers is its default and needs no allocation. Its header timer is replaced by `pulse`.
    http.timer(TokioTimer::new()).header_read_timeout(None).max_header_size(MAX_HEAD).max_buf_size(4 * MAX_HEAD);
    let mut http = Box::new(http.serve_connection(io, desk.on(&pulse)));
    match drive(http.as_mut(), &pulse, stop).await {
        End::Resting => {
            let parts = http.into_parts();
            Some((parts.io.into_stream(), parts.read_buf))
        }
        End::Closed | End::Overdue => None,
    }
}

/// HTTP/2 until the connection ends.
async fn second(stream: TcpStream, options: &Options, desk: Desk, mut stop: watch::Receiver<()>) {
    let pulse = Arc::new(Pulse::new(limits(options, options.keep_alive), true));
    let io = Timed::new(stream, Bytes::new(), Arc::clone(&pulse));
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .max_header_list_size(16 * 1024)
        .max_send_buf_size(64 * 1024);
    let mut http = Box::new(http.serve_connection(io, desk.on(&pulse)));
    drive(http.as_mut(), &pulse, &mut stop).await;
}

fn limits(options: &Options, rest: Duration) -> Limits {
    Limits { header: options.header_timeout, request: options.request_timeout, write: options.write_timeout, rest }
}

/// Runs hyper's connection under the pulse's limits and tells it when the server stops.
///
/// The timer is lazy: it is set anew only when it rings or when a limit comes nearer, so that a request on a
/// busy connection costs no timer operation at all.
async fn drive<C>(http: &mut C, pulse: &Pulse, stop: &mut watch::Receiver<()>) -> End
where
    C: GracefulConnection + Unpin,
    C::Error: Display,
{
    let mut timer = pin!(sleep_until(pulse.due()));
    let mut stopping = false;
    let mut stop = pin!(stop.changed());
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(result) = Pin::new(&mut *http).poll(cx) {
                if let Err(error) = result {
                    tracing::debug!(%error, "a connection ended early");
                }
                return Poll::Ready(End::Closed);
            }
            if stopping || stop.as_mut().poll(cx).is_pending() {
                break;
            }
            // Tell hyper and poll it once more, for it may be done now.
            stopping = true;
            Pin::new(&mut *http).graceful_shutdown();
        }
        ready!(ring(timer.as_mut(), pulse, cx));
        let rests = pulse.resting() && !stopping;
        Poll::Ready(if rests { End::Resting } else { End::Overdue })
    })
    .await
}

/// Ready when the pulse's limit has passed.
fn ring(mut timer: Pin<&mut Sleep>, pulse: &Pulse, cx: &mut std::task::Context<'_>) -> Poll<()> {
    loop {
        let due = pulse.due();
        if due < timer.deadline() {
            timer.as_mut().reset(due);
        }
        ready!(timer.as_mut().poll(cx));
        if pulse.due() <= Instant::now() {
            return Poll::Ready(());
        }
        timer.as_mut().reset(pulse.due());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_protocol() {
        let check = |start: &[u8], expected| assert_eq!(sniff(start), expected, "{start:?}");
        check(b"", None);
        check(b"P", None);
        check(b"PRI", None);
        check(PREFACE, Some(Protocol::Http2));
        check(&[PREFACE, b"xyz"].concat(), Some(Protocol::Http2));
        for other in ["G", "POST / HTTP/1.1", "PRO", "PRI * HTTP/1.1", "\0", "\r\n"] {
            check(other.as_bytes(), Some(Protocol::Http1));
        }
    }
}
