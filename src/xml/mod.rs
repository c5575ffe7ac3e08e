//! The tolerant XML reader: text → tokens → a small element tree, and the one table of prefixes and namespace URIs.
//!
//! Reading never fails. What is not well-formed is repaired by rules that a person would use (an `item` that opens
//! inside an `item` ends the first one), counted in `Troubles`, and handed out as flaws.
//! Every step takes linear time and every list has a hard limit, so that a hostile document costs no more than an
//! honest one of the same size. Document type declarations are skipped: no entity is ever expanded beyond the named
//! characters of HTML.

mod build;
mod entity;
mod namespace;
mod recover;
mod scan;
mod tree;
mod trouble;

#[cfg(test)]
mod tests;

pub use entity::unescape;
pub use namespace::Namespace;
pub use recover::cleaned;
pub use scan::tags;
pub use tree::{Document, Element};
pub use trouble::limits;
