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
//! | `pace` | one request at a time to each host, with pauses |
//! | `redirect` | where a redirect may lead (pure) |
//! | `headers` | what is sent and what is read in headers (pure) |
//! | `coding` | gzip, br, zstd: bodies are unpacked in bounded memory (pure) |
//! | `error` | how failures are told |

mod client;
mod coding;
mod dial;
mod error;
pub mod guard;
mod headers;
mod pace;
mod redirect;
mod types;

#[cfg(test)]
mod tests;

pub use client::{Client, Deadlines, Options};
pub use dial::{Dial, Resolve, SystemDial, SystemResolve};
pub use types::{Accept, FetchError, FetchErrorKind, Request, Response, Validators};
