//! Heliu (合流) turns a portal's HTML channels into feeds, merges them with external feeds, and publishes
//! RSS 2.0, Atom 1.0 and JSON Feed 1.1 that keep their memory.
//!
//! The house, from the ground up (a module may only import from floors below its own; `tests/it/architecture.rs`
//! checks it):
//!
//! | floor | rooms | may |
//! |---|---|---|
//! | L0 | [`model`] | hold plain data |
//! | L1 | [`decode`] [`xml`] [`parse`] [`extract`] [`normalise`] [`rule`] [`merge`] [`render`] [`schedule`] [`health`] [`config`] [`import`] [`doctor`] | compute; no I/O, no clock |
//! | L2 | [`net`] [`store`] [`publish`] [`telemetry`] | touch the world; never each other |
//! | L3 | [`worker`] [`serve`] | put rooms together; meet only through the store and the published set |
//! | L4 | [`cli`] | talk to people |
//!
//! What happens to a page: `net` fetches it, `decode` finds its charset, `extract` (or `parse`) reads it,
//! `normalise` makes entries of it, `store` records what is new, `merge` puts feeds together, `render`
//! writes them, `publish` swaps them in, `serve` answers with them.

pub mod config;
pub mod decode;
pub mod doctor;
pub mod extract;
pub mod health;
pub mod import;
pub mod merge;
pub mod model;
pub mod net;
pub mod normalise;
pub mod parse;
pub mod publish;
pub mod render;
pub mod schedule;
pub mod serve;
pub mod store;
pub mod telemetry;
pub mod worker;
pub mod xml;

pub mod cli;
pub mod rule;
