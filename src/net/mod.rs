//! The one egress gate: every request that Heliu makes goes through [`Client`].
//!
//! The address guard judges the address that is connected to, after DNS, at each hop. Redirects are
//! followed here, not by the HTTP library; bodies are limited on the wire and after decoding.
//!
//! | file | holds |
//! |---|---|
//! | `client` | one fetch from start to end |
//! | `guard` | which addresses may be connected to (pure) |
//! | `dial` | name → checked address → connection → TLS |
//! | `socket` | a connection, over TCP or simulated |
//! | `options` | how to fetch |
//! | `pace` | one request at a time to each site, with pauses |
//! | `breaker` | which hosts are down and are left alone |
//! | `reach` | whether there is a network at all |
//! | `robots` | what a robots.txt says (pure) |
//! | `permits` | the robots.txt of each host, fetched and kept |
//! | `redirect` | where a redirect may lead (pure) |
//! | `headers` | what is sent and what is read in headers (pure) |
//! | `body` | the body of an answer, whole |
//! | `room` | few large bodies at a time |
//! | `coding` | gzip, br, zstd: bodies are unpacked in bounded memory (pure) |
//! | `error` | how failures are told |

mod body;
mod breaker;
mod client;
mod coding;
mod dial;
mod error;
pub mod guard;
mod headers;
mod options;
mod pace;
mod permits;
mod reach;
mod redirect;
mod robots;
mod room;
mod socket;
mod types;

#[cfg(test)]
mod tests;

pub use client::Client;
pub use dial::{Dial, Resolve, SystemDial, SystemResolve};
pub use options::{Deadlines, Options};
pub use pace::site;
pub use room::Berth;
pub use socket::{Duplex, Socket};
pub use types::{Accept, FetchError, FetchErrorKind, LeftAlone, Request, Response, Robots, Validators};
