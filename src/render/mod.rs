//! Feed → bytes: RSS 2.0, Atom 1.0, JSON Feed 1.1, OPML and pages for people. Byte-identical for an
//! identical ledger; nothing here asks for the time.

mod document;

pub use document::{Document, Encoding, Representation};
