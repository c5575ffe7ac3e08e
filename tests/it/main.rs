//! The integration tests: one binary, so that they link once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail where it stands")]
#![allow(clippy::format_collect, reason = "pages are put together for reading, not for speed")]

mod architecture;
mod bad_input;
mod binary;
mod durability;
mod hostile;
mod kit;
mod observability;
mod polite;
mod portal;
mod publish;
mod reload;
mod rules;
mod sources;
