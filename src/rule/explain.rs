//! What each rule did to an entry, for `preview --explain`.

use super::{Around, Draft, Rule};
use crate::model::{Entry, Record};
use std::borrow::Cow;

/// One rule and what it did to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The rule's place in its list, from 1.
    pub number: usize,
    /// The rule as it stands in feeds.yaml, in one line.
    pub rule: String,
    /// The record that the rule saw.
    pub before: Record,
    /// The record that it left; `None`: dropped.
    pub after: Option<Record>,
    /// What it could not do, and why.
    pub notes: Vec<String>,
}

/// A field that a rule changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field's name, as conditions call it.
    pub field: &'static str,
    /// What it was; empty: nothing.
    pub old: String,
    /// What it is; empty: nothing.
    pub new: String,
}

impl Step {
    /// The fields that differ, in a fixed order; none when the entry was dropped.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let Some(after) = &self.after else { return Vec::new() };
        let (old, new) = (fields(&self.before.entry), fields(&after.entry));
        let differing = old.into_iter().zip(new).filter(|((_, old), (_, new))| old != new);
        differing.map(|((field, old), (_, new))| Change { field, old, new }).collect()
    }
}

/// The fields that rules can change.
fn fields(entry: &Entry) -> [(&'static str, String); 8] {
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let names = |people: &[crate::model::Person]| {
        people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let categories = entry.categories.iter().map(|category| category.term.as_str()).collect::<Vec<_>>();
    let images = entry.images.iter().map(|image| image.url.as_str()).collect::<Vec<_>>();
    [
        ("title", entry.title.clone()),
        ("link", some(&entry.url)),
        ("summary", some(&entry.summary)),
        ("content", some(&entry.content)),
        ("author", names(&entry.authors)),
        ("category", categories.join(", ")),
        ("image", images.join(", ")),
        ("language", some(&entry.language)),
    ]
}

pub(super) fn steps(rules: &[Rule], record: &Record, around: &Around<'_>) -> Vec<Step> {
    let mut now = record.clone();
    let mut steps = Vec::new();
    for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| !rule.is_of_list()) {
        let before = now.clone();
        let mut draft = Draft::new(Cow::Owned(now), true);
        let stays = rule.act.entry(&mut draft, around);
        let (after, notes) = draft.finish();
        now = after.into_owned();
        let after = stays.then(|| now.clone());
        steps.push(Step { number: index + 1, rule: rule.to_string(), before, after, notes });
        if !stays {
            break;
        }
    }
    steps
}
