//! feeds.yaml → [`Config`].
//!
//! `tree` reads the YAML into nodes that know their place, `keys` is the table of every key, `decode` turns nodes
//! into values, resolves names and collects every mistake, `check` judges single values, `diagnostic` prints
//! mistakes with the line of the file under them, `schema` and `reference` write the JSON Schema and the manual
//! from the table, `diff` tells what a reload changes. `insert` adds channels and feeds to the text, whose places
//! `written` knows.

mod check;
mod decode;
mod diagnostic;
mod diff;
mod insert;
mod keys;
mod quote;
mod reference;
mod schema;
mod suggest;
mod tree;
mod types;
mod width;
mod written;

#[cfg(test)]
mod tests;

pub use check::{Validators, selector};
pub use diagnostic::{Diagnostic, Severity, render_diagnostics};
pub use diff::{Changes, Diff, diff, fingerprint};
pub use insert::{Additions, Insertion, NewChannel, NewFeed, Written, inserted};
pub use reference::reference;
pub use schema::schema;
pub use tree::MAX_BYTES;
pub use types::{
    Address, Channel, Config, DEFAULT_LIMIT, Duplicates, FeedSpec, ListPage, Origin, PageAddress, Service, Snapshot,
};

use diagnostic::Place;
use std::path::Path;

/// What became of a feeds.yaml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration; `Some` exactly if no diagnostic is an error.
    pub config: Option<Config>,
    /// Every mistake and every doubt, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a feeds.yaml. Files it names are taken as relative to `folder`; nothing is opened.
/// `file_name` is not read either: it is what `text` is called where diagnostics carry no text.
#[must_use]
pub fn load(text: &str, file_name: &str, folder: &Path, validators: &Validators) -> Loaded {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (config, mut diagnostics) = match tree::read(text) {
        Ok(tree) => decode::config(&tree, folder, *validators),
        Err(mut diagnostics) => {
            for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.message == "the file is empty") {
                diagnostic.message = format!("{file_name} is empty");
            }
            (None, diagnostics)
        }
    };
    width::hint(&mut diagnostics, text);
    Loaded { config, diagnostics }
}

/// [`load`] for the bytes of a file; bytes that are not UTF-8 are one error.
#[must_use]
pub fn load_bytes(bytes: &[u8], file_name: &str, folder: &Path, validators: &Validators) -> Loaded {
    match std::str::from_utf8(bytes) {
        Ok(text) => load(text, file_name, folder, validators),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = good.matches('\n').count() + 1;
            let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let message = format!("{file_name} is not UTF-8");
            let diagnostic = Diagnostic::error("", Place::point(line, column), message).help("save the file as UTF-8");
            Loaded { config: None, diagnostics: vec![diagnostic] }
        }
    }
}
