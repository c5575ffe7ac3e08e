//! The server as clients see it: real sockets on loopback, raw bytes in and out.

mod documents;
mod kit;
mod pages;
mod preview;
mod wire;

/// A handler that fails, to see that only its own request does.
pub(super) async fn panic() -> &'static str {
    panic!("on purpose")
}
