//! `full_text`: the text of an article that a feed only announces, by following its link.
//!
//! ```yaml
//! channels:
//!   news:
//!     feed: https://example.org/rss.xml
//!     rules:
//!       - full_text: true
//! ```
//!
//! The worker carries it out when an entry is first seen; here is only what it is told.

use super::{Act, Mistake, Value};
use crate::model::{ConfigKey, ConfigKind, Section, key};
use serde::Serialize;
use std::sync::Arc;

pub(super) const KEY: ConfigKey = key(
    "full_text",
    ConfigKind::Switch(&SECTION),
    "Only on a channel without `article`: follows the link of each new entry and puts the text of that page into the \
     entry; its summary stays. At most 40 pages are read in one poll. A page that cannot be read is tried again; \
     until then, and after five tries, the entry stays as the source gave it.",
    "{ remove: '.share, .related' }",
);

pub(super) static SECTION: Section = Section {
    name: "`full_text`",
    doc: "How the text of the page is found. Without `select` the part of the page that reads like an article is taken.",
    keys: &[
        key(
            "select",
            ConfigKind::Selector,
            "A CSS selector of the page's text; of several elements all are taken.",
            "'div.article-content'",
        ),
        key(
            "remove",
            ConfigKind::Selector,
            "A CSS selector of what is removed from the page first.",
            "'.share, .related'",
        ),
        key(
            "replace",
            ConfigKind::Bool,
            "Whether entries that came with a full text get another; with `false` only those without are followed.",
            "false",
        )
        .default("true"),
    ],
};

/// How the text of an article's page is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FullText {
    /// A CSS selector of the text; without it, what reads like an article.
    pub select: Option<String>,
    /// A CSS selector of what is removed from the page first.
    pub remove: Option<String>,
    /// Whether entries that came with a full text get another.
    pub replace: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "what every rule has in the registry")]
pub(super) fn make(value: &Value) -> Result<Arc<dyn Act>, Mistake> {
    let values = value.map();
    let text = |name: &str| values.text(name).map(str::to_owned);
    let replace = values.flag("replace").unwrap_or(true);
    Ok(Arc::new(FullText { select: text("select"), remove: text("remove"), replace }))
}

impl Act for FullText {
    fn full_text(&self) -> Option<&FullText> {
        Some(self)
    }
}
