//! The one egress gate: every request that Heliu makes goes through [`Client`].
//!
//! The address guard judges the address that is connected to, after DNS, at each hop. Redirects are
//! followed here, not by the HTTP library; bodies are limited on the wire and after decoding.

mod types;

pub use types::{Accept, FetchError, FetchErrorKind, Request, Response, Validators};
