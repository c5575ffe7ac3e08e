//! Plain data that every other room of the house speaks in. No I/O, no clock, no parsing.
//!
//! What a source said is a [`ParsedFeed`]; what we make of it is an [`Entry`] with the [`Key`]s
//! that tell it from others; what the ledger keeps is a [`Record`]; what is published is a [`Feed`].

mod about;
mod advice;
mod date;
mod entry;
mod feed;
mod flaw;
mod hints;
mod key;
mod layout;
mod legal;
mod name;
mod parsed;
mod rhythm;
mod trust;

pub use about::About;
pub use date::{DateRung, Dated, Precision};
pub use entry::{
    Candidate, Category, Enclosure, Entry, EntryId, Image, Key, KeyKind, Link, Mark, Person, Record, Source, Standing,
};
pub use feed::{Feed, Joined, Rung, Tombstone};
pub use flaw::{Flaw, FlawCode, Severity};
pub use hints::Hints;
pub use key::{Key as ConfigKey, Kind as ConfigKind, Section, key};
pub use layout::{ArticleLayout, Clean, Field, Fields, JsonLayout, Layout, LayoutKind, ListLayout, NextPage, UrlRules};
pub use legal::{is_legal, legal};
pub use name::{ChannelId, FeedId, NameError};
pub use parsed::{Format, ParsedEntry, ParsedFeed, RawDate, Text, TextKind};
pub use rhythm::{Moved, Rhythm};
pub use trust::{Trust, Withdrawn};
