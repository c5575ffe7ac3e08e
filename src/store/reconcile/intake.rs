//! The candidates of a poll, tidied: one for each entry, with keys that every engine can hold.

use super::{SKEW, fields};
use crate::model::{Candidate, Key, KeyKind};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;

/// The longest key in bytes that is stored as it stands; longer ones are stored as their hash.
const LONGEST_KEY: usize = 2048;

/// A key's value as it is stored: bounded, and without U+0000, which SQLite's JSON functions cut text at.
pub(crate) fn stored_value(value: &str) -> Cow<'_, str> {
    if value.len() > LONGEST_KEY {
        let mut text = String::from("sha256:");
        for byte in Sha256::digest(value.as_bytes()) {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        }
        Cow::Owned(text)
    } else if value.contains('\0') {
        Cow::Owned(value.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(value)
    }
}

/// One candidate for each entry, in the order of the page. An entry that stands twice on the page (a headline
/// block and the list) is joined: the first wins, the others fill its gaps.
pub(crate) fn intake(candidates: &[Candidate]) -> Vec<Candidate> {
    let mut groups: Vec<Candidate> = Vec::with_capacity(candidates.len());
    let mut holder: HashMap<Key, usize> = HashMap::new();
    for candidate in candidates {
        let candidate = tidied(candidate);
        let index = if let Some(index) = twin(&groups, &holder, &candidate) {
            join(&mut groups[index], candidate);
            index
        } else {
            groups.push(candidate);
            groups.len() - 1
        };
        for key in &groups[index].keys {
            holder.entry(key.clone()).or_insert(index);
        }
    }
    groups
}

fn tidied(candidate: &Candidate) -> Candidate {
    let mut tidy = candidate.clone();
    fields::tidy(&mut tidy.entry);
    if tidy.entry.id.0.contains('\0') {
        tidy.entry.id.0 = tidy.entry.id.0.replace('\0', "\u{fffd}");
    }
    for key in &mut tidy.keys {
        if let Cow::Owned(value) = stored_value(&key.value) {
            key.value = value;
        }
    }
    if tidy.keys.is_empty() {
        // Against the contract, but an entry must not be lost, nor come back as new with every poll.
        let value = stored_value(&tidy.entry.id.0).into_owned();
        tidy.keys.push(Key { kind: KeyKind::Guid, value });
    }
    tidy.keys.sort();
    tidy.keys.dedup();
    tidy
}

/// The group that `candidate` is a second sight of: the same guid; or the same link unless two guids
/// say otherwise; or the same title and day when neither has anything better.
fn twin(groups: &[Candidate], holder: &HashMap<Key, usize>, candidate: &Candidate) -> Option<usize> {
    let found = |kind| {
        let mut keys = candidate.keys.iter().filter(move |key| key.kind == kind);
        keys.find_map(|key| holder.get(key).copied())
    };
    let best = strongest(candidate);
    found(KeyKind::Guid)
        .or_else(|| {
            found(KeyKind::Link)
                .filter(|&index| best != Some(KeyKind::Guid) || strongest(&groups[index]) != Some(KeyKind::Guid))
        })
        .or_else(|| {
            found(KeyKind::TitleDay)
                .filter(|&index| best == strongest(&groups[index]) && best == Some(KeyKind::TitleDay))
        })
}

/// The kind of a candidate's strongest key; keys are sorted, strongest first.
pub(super) fn strongest(candidate: &Candidate) -> Option<KeyKind> {
    candidate.keys.first().map(|key| key.kind)
}

/// Joins a second sight of the same entry into the first.
pub(super) fn join(first: &mut Candidate, second: Candidate) {
    first.keys.extend(second.keys);
    first.keys.sort();
    first.keys.dedup();
    let better = second.entry.published.rung < first.entry.published.rung;
    if better && second.entry.published.at.signed_duration_since(first.entry.published.at) <= SKEW {
        first.entry.published = second.entry.published;
    }
    first.entry.updated = first.entry.updated.max(second.entry.updated);
    fields::fill(&mut first.entry, &second.entry);
}
