//! feeds.yaml → [`Config`].
//!
//! `tree` reads the YAML into nodes that know their place, `decode` turns nodes into values and collects
//! every mistake, `check` resolves names between sections, `diagnostic` prints mistakes with the line of
//! the file under them, `schema` is the JSON Schema, `diff` tells what a reload changes.

mod types;

pub use types::{Channel, Config, FeedSpec, Origin, PageAddress, Service, Snapshot};
