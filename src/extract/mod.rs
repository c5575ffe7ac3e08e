//! A page of the portal → [`ParsedFeed`], by layouts; an article's page → [`Article`]. Never fails.
//!
//! `list` and `article` try the layouts in order; the first that fits wins. When none does, nothing is made
//! up: the result is empty and one flaw says whether the page was empty, a file, a login or a redesign.

mod address;
mod article;
mod credits;
mod dom;
mod edit;
mod entry;
mod field;
mod html;
mod image;
mod join;
mod list;
mod pattern;
mod readable;
mod text;
mod wall;

#[cfg(test)]
mod tests;

pub use address::next_list_page;
pub use article::{Article, article};
pub use edit::{Cut, Edited, cut, map_text, picture, pictures, selects, without, without_picture};
pub use join::{comic, join};
pub use list::{list, list_or_article};
pub use readable::readable;
pub use wall::wall;

#[cfg(doc)]
use crate::model::ParsedFeed;

/// Checks a CSS selector as layouts use them; `""`, the entry itself, is good too.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn check_selector(css: &str) -> Result<(), String> {
    if css.is_empty() { Ok(()) } else { dom::Selector::new(css).map(|_| ()) }
}

/// How long parsing alone takes, for the benchmark: the number of limits that were hit.
#[doc(hidden)]
#[must_use]
pub fn parse_only(text: &str) -> usize {
    usize::from(dom::Page::parse(text).limit.is_some())
}

/// Whether a value still holds the marks of a page template that a script was to fill in.
fn is_template(value: &str) -> bool {
    ["{{", "}}", "<%", "%>", "${"].iter().any(|mark| value.contains(mark))
}
