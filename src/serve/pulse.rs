//! The time limits of one connection.
//!
//! hyper's own header timer starts when the *previous* answer ends, so it cannot tell a resting connection (60 s)
//! from a dripping header (10 s), knows nothing of a client that stops reading, and allocates a timer for each
//! request. So the socket is wrapped: [`Timed`] tells the [`Pulse`] what happens on the wire, the pulse knows until
//! when the next thing has to happen, and `connection` ends connections whose time is over.

use bytes::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A client that takes an answer more slowly than this, in bytes per second, is holding a connection hostage.
const SLOWEST: u64 = 1024;

/// Between two requests; nothing has been read.
const RESTING: u8 = 0;
/// Some bytes of a request were read.
const READING: u8 = 1;
/// A request is being answered.
const ANSWERING: u8 = 2;

/// The limits that a pulse watches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// From the first byte to the end of the headers.
    pub(super) header: Duration,
    /// From the headers to the answer.
    pub(super) request: Duration,
    /// How long the client may read nothing of an answer.
    pub(super) write: Duration,
    /// How long the connection may rest.
    pub(super) rest: Duration,
}

/// What a connection is doing and until when it has to get on with it.
///
/// The parts are atomic because HTTP/2 answers run in tasks of their own; no order between them is needed, for a
/// value that is one step old only moves a limit by microseconds.
#[derive(Debug)]
pub(super) struct Pulse {
    began: Instant,
    limits: Limits,
    /// Whether several requests share the connection (HTTP/2). Then what is read may belong to a running answer
    /// (a window update), so reading starts no header limit, and every byte written counts as progress.
    shared: bool,
    phase: AtomicU8,
    /// Milliseconds after `began`.
    due: AtomicU64,
    /// Requests whose answer is still being made.
    busy: AtomicUsize,
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX / 2)
}

impl Pulse {
    /// A connection that is about to be read from: its first header is already running.
    pub(super) fn new(limits: Limits, shared: bool) -> Self {
        let due = AtomicU64::new(millis(limits.header));
        Self { began: Instant::now(), limits, shared, phase: AtomicU8::new(READING), due, busy: AtomicUsize::new(0) }
    }

    fn now(&self) -> u64 {
        millis(self.began.elapsed())
    }

    fn enter(&self, phase: u8, limit: Duration) {
        self.phase.store(phase, Relaxed);
        self.due.store(self.now() + millis(limit), Relaxed);
    }

    /// Until when something has to happen.
    pub(super) fn due(&self) -> Instant {
        self.began + Duration::from_millis(self.due.load(Relaxed))
    }

    /// Whether it is between two requests.
    pub(super) fn resting(&self) -> bool {
        self.phase.load(Relaxed) == RESTING
    }

    /// An answer is ready to be written.
    pub(super) fn answer(&self) {
        self.enter(ANSWERING, self.limits.write);
    }

    /// An answer is being made; it is ready when the guard is dropped.
    pub(super) fn work(self: &Arc<Self>) -> Working {
        self.busy.fetch_add(1, Relaxed);
        // The handler's own timeout answers first; this is the net below it.
        self.enter(ANSWERING, self.limits.request + self.limits.write);
        Working(Arc::clone(self))
    }

    fn read(&self) {
        if self.resting() && !self.shared {
            self.enter(READING, self.limits.header);
        }
    }

    /// A part of an answer was taken: the client earns time by the byte, never more than the limit.
    fn wrote(&self, bytes: usize) {
        let earned = bytes as u64 * 1000 / SLOWEST;
        let most = self.now() + millis(if self.shared { self.limits.rest } else { self.limits.write });
        let due = self.due.load(Relaxed);
        self.due.store(due.saturating_add(earned).min(most), Relaxed);
    }

    /// Everything that was to be written is written.
    fn flushed(&self) {
        if self.phase.load(Relaxed) == ANSWERING && self.busy.load(Relaxed) == 0 {
            self.enter(RESTING, self.limits.rest);
        }
    }
}

/// Held while an answer is being made.
pub(super) struct Working(Arc<Pulse>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Relaxed);
        self.0.answer();
    }
}

/// A socket that tells the pulse what happens on it.
pub(super) struct Timed {
    io: TokioIo<TcpStream>,
    pulse: Arc<Pulse>,
    /// Bytes that hyper had read before the connection was parked.
    left: Bytes,
}

impl Timed {
    /// Wraps a socket; `left` is read before it.
    pub(super) fn new(stream: TcpStream, left: Bytes, pulse: Arc<Pulse>) -> Self {
        Self { io: TokioIo::new(stream), pulse, left }
    }

    /// The socket again.
    pub(super) fn into_stream(self) -> TcpStream {
        self.io.into_inner()
    }

    fn took(&self, wanted: usize, result: &Poll<io::Result<usize>>) {
        // On HTTP/1 a full write is followed by a flush, which sets the next limit.
        if let Poll::Ready(Ok(bytes)) = result
            && (*bytes < wanted || self.pulse.shared)
        {
            self.pulse.wrote(*bytes);
        }
    }
}

impl Read for Timed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if !self.left.is_empty() {
            let some = self.left.len().min(buf.remaining());
            buf.put_slice(&self.left.split_to(some));
            self.pulse.read();
            return Poll::Ready(Ok(()));
        }
        let result = Pin::new(&mut self.io).poll_read(cx, buf);
        if result.is_ready() {
            self.pulse.read();
        }
        result
    }
}

impl Write for Timed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, buf);
        self.took(buf.len(), &result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.took(bufs.iter().map(|buf| buf.len()).sum(), &result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pulse.flushed();
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse(shared: bool) -> Arc<Pulse> {
        let seconds = Duration::from_secs;
        let limits = Limits { header: seconds(10), request: seconds(30), write: seconds(30), rest: seconds(60) };
        Arc::new(Pulse::new(limits, shared))
    }

    /// Seconds from now to the limit, rounded.
    fn left(pulse: &Pulse) -> u64 {
        (pulse.due() - Instant::now()).as_millis().div_ceil(1000).try_into().unwrap()
    }

    #[test]
    fn each_phase_has_its_limit() {
        let pulse = pulse(false);
        assert_eq!(left(&pulse), 10);
        pulse.answer();
        assert_eq!(left(&pulse), 30);
        pulse.flushed();
        assert!(pulse.resting() && left(&pulse) == 60);
        pulse.read();
        assert!(!pulse.resting() && left(&pulse) == 10);
        pulse.flushed();
        assert_eq!(left(&pulse), 10, "a flush between requests gives no time");
        let working = pulse.work();
        pulse.flushed();
        assert!(!pulse.resting() && left(&pulse) == 60, "request and write limit");
        drop(working);
        assert_eq!(left(&pulse), 30);
    }

    #[test]
    fn time_is_earned_by_the_byte() {
        let pulse = pulse(false);
        let before = pulse.due();
        for _ in 0..1000 {
            pulse.wrote(1);
        }
        assert_eq!(pulse.due(), before, "dripping earns nothing");
        pulse.wrote(5 * 1024);
        assert_eq!(left(&pulse), 15);
        pulse.wrote(1 << 30);
        assert_eq!(left(&pulse), 30, "never more than the limit");
    }

    #[test]
    fn window_updates_do_not_shorten_a_shared_connection() {
        let pulse = pulse(true);
        pulse.answer();
        pulse.flushed();
        pulse.read();
        assert!(pulse.resting() && left(&pulse) == 60);
    }
}
