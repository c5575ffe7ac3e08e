//! What is done with entries between the ledger and the reader: `rules:` of a channel or a feed.
//!
//! Rules are pure functions of a record and of the list it stands in. The ledger keeps the raw entry, and ids never
//! change, so that a change of the rules works on old entries too and makes none look new. Only `full_text` happens
//! elsewhere: it needs the article's page, so the worker carries it out when an entry is first seen.
//!
//! A rule is one file with its keys and one line in `registry`. `config` checks values by the keys, and hands them
//! to [`Rule::new`].

mod chinese;
mod condition;
mod cut;
mod discard;
mod draft;
mod explain;
mod first_image;
mod full_text;
mod keep;
mod limit;
mod pattern;
mod prefix;
mod registry;
mod rewrite;
mod sort;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use chinese::simplified;
pub use condition::{CONDITION, MAX_DEPTH};
pub use explain::{Change, Step};
pub use full_text::FullText;
pub use registry::{RULE, sections};
pub use value::{Value, Values};

use crate::model::Record;
use chrono::{DateTime, Utc};
use draft::Draft;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a rule may ask about besides the record itself.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The publication of the newest entry of the channel or feed, see [`newest`]: ages count back from it, never
    /// from the clock, so that the same ledger gives the same bytes.
    pub newest: DateTime<Utc>,
    /// The title of the entry's channel.
    pub channel_title: &'a str,
    /// The BCP 47 language of entries that name none: that of the entry's channel.
    pub language: &'a str,
}

/// The publication of the newest record; what claims the future was published when it was first seen. Without
/// records the beginning of time, from which no age is counted.
pub fn newest<'r>(records: impl IntoIterator<Item = &'r Record>) -> DateTime<Utc> {
    records.into_iter().map(draft::published).max().unwrap_or(DateTime::UNIX_EPOCH)
}

/// What is wrong with a rule, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it, in one line.
    pub help: String,
}

impl Mistake {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// What a rule does.
trait Act: fmt::Debug + Send + Sync {
    /// Changes the entry, or answers `false`: it is dropped.
    fn entry(&self, _: &mut Draft<'_>, _: &Around<'_>) -> bool {
        true
    }
    /// Changes the list, which is newest first unless a rule before this one sorted it.
    fn list(&self, records: Vec<Record>) -> Vec<Record> {
        records
    }
    /// Whether it may drop entries.
    fn may_drop(&self) -> bool {
        false
    }
    /// Whether it is about the list, not about an entry.
    fn is_of_list(&self) -> bool {
        false
    }
    fn full_text(&self) -> Option<&FullText> {
        None
    }
}

/// One compiled rule. Rules are equal when they say the same.
#[derive(Clone)]
pub struct Rule {
    name: &'static str,
    value: Value,
    act: Arc<dyn Act>,
}

impl Rule {
    /// Makes the rule `name` of a value that was checked by the rule's key in [`RULE`].
    ///
    /// # Errors
    /// What is wrong with the value as a whole; or there is no such rule.
    pub fn new(name: &str, value: Value) -> Result<Self, Mistake> {
        let Some((key, make)) = registry::key(name) else {
            return Err(Mistake::new(format!("there is no rule `{name}`"), "see the manual"));
        };
        Ok(Self { name: key.name, act: make(&value)?, value })
    }

    /// The name of the rule.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the rule is about the list as a whole (`limit`, `sort`), not about one entry.
    pub fn is_of_list(&self) -> bool {
        self.act.is_of_list()
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        (self.name, &self.value) == (other.name, &other.value)
    }
}
impl Eq for Rule {}

/// As it stands in feeds.yaml, in one line.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.value)
    }
}
impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The rules of a channel or a feed, in order; compiled when feeds.yaml is read. `None` when there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::box_collection, reason = "most of very many channels have none: that should take one word")]
pub struct Rules(Option<Box<Vec<Rule>>>);

impl Rules {
    /// Rules in the order in which they apply.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self((!rules.is_empty()).then(|| Box::new(rules)))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The rules, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.all().iter()
    }

    fn all(&self) -> &[Rule] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }

    /// The entry as readers get it; `None`: it is dropped. Borrowed if no rule changed it. Its id, number and
    /// dates of the ledger never change.
    pub fn entry<'r>(&self, record: Cow<'r, Record>, around: &Around<'_>) -> Option<Cow<'r, Record>> {
        let mut draft = Draft::new(record, false);
        self.iter().all(|rule| rule.act.entry(&mut draft, around)).then(|| draft.finish().0)
    }

    /// The rules about the list as a whole (`limit` and `sort`), in their order, after all entries went through
    /// [`entry`](Self::entry). The records are newest first. So in `[limit, drop, sort]` the limit counts what
    /// `drop` left, and `sort` orders what the limit left.
    #[must_use]
    pub fn list(&self, records: Vec<Record>) -> Vec<Record> {
        self.iter().fold(records, |records, rule| rule.act.list(records))
    }

    /// Every rule about entries with the record before and after it, for `preview --explain`. Ends with the rule
    /// that drops the entry; the last state is that of [`entry`](Self::entry).
    #[must_use]
    pub fn explain(&self, record: &Record, around: &Around<'_>) -> Vec<Step> {
        explain::steps(self.all(), record, around)
    }

    /// The full-text rule of a channel, if it has one.
    pub fn full_text(&self) -> Option<&FullText> {
        self.iter().find_map(|rule| rule.act.full_text())
    }

    /// Whether a rule may drop entries: then more of the ledger must be read to fill a feed.
    pub fn may_drop(&self) -> bool {
        self.iter().any(|rule| rule.act.may_drop())
    }
}
