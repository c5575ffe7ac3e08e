//! How the fields of an entry that is seen again join those that are stored.

use super::{SKEW, stored_value};
use crate::model::{DateRung, Dated, Entry, EntryId, Key, KeyKind, Precision};
use chrono::{DateTime, FixedOffset, TimeDelta, Utc};

/// A better date that is later than the stored one by more than this would lift an old entry to the top.
const LIFT: TimeDelta = TimeDelta::hours(24);

/// The key under which an id that a source wrote is stored.
pub(super) fn guid_key(id: &EntryId) -> Key {
    Key { kind: KeyKind::Guid, value: stored_value(&id.0).into_owned() }
}

/// Fields that are only white space say nothing.
pub(super) fn tidy(entry: &mut Entry) {
    let Entry { url, summary, content, language, rights, .. } = entry;
    for field in [url, summary, content, language, rights] {
        if field.as_deref().is_some_and(|text| text.trim().is_empty()) {
            *field = None;
        }
    }
}

fn gap<T: Clone>(field: &mut Option<T>, other: Option<&T>) {
    if field.is_none() {
        *field = other.cloned();
    }
}

fn gaps<T: Clone>(field: &mut Vec<T>, other: &[T]) {
    if field.is_empty() {
        *field = other.to_vec();
    }
}

/// Fills what `entry` lacks from `other`; id and dates stay.
pub(super) fn fill(entry: &mut Entry, other: &Entry) {
    if entry.title.trim().is_empty() {
        entry.title.clone_from(&other.title);
    }
    gap(&mut entry.url, other.url.as_ref());
    gap(&mut entry.summary, other.summary.as_ref());
    gap(&mut entry.content, other.content.as_ref());
    gap(&mut entry.source, other.source.as_ref());
    gap(&mut entry.language, other.language.as_ref());
    gap(&mut entry.rights, other.rights.as_ref());
    gaps(&mut entry.authors, &other.authors);
    gaps(&mut entry.contributors, &other.contributors);
    gaps(&mut entry.categories, &other.categories);
    gaps(&mut entry.enclosures, &other.enclosures);
    gaps(&mut entry.images, &other.images);
    gaps(&mut entry.links, &other.links);
}

/// What is stored after `seen` was read: what `seen` lacks leaves the stored value. When the article was
/// read once and this time only the list was, the list may change title, summary and address; for the
/// rest the article knows better.
pub(super) fn overlay(stored: &Entry, seen: &Entry, first_seen: DateTime<Utc>) -> Entry {
    let list_only = stored.content.is_some() && seen.content.is_none();
    let mut entry = if list_only { stored.clone() } else { seen.clone() };
    if list_only {
        if !seen.title.trim().is_empty() && !is_cut_from(&seen.title, &stored.title) {
            entry.title.clone_from(&seen.title);
        }
        let cut = |text: &String| stored.summary.as_ref().is_some_and(|whole| is_cut_from(text, whole));
        if let Some(summary) = seen.summary.as_ref().filter(|text| !cut(text)) {
            entry.summary = Some(summary.clone());
        }
        entry.url = seen.url.clone().or(entry.url);
        fill(&mut entry, seen);
    } else {
        fill(&mut entry, stored);
    }
    if stored.url.as_deref().is_some_and(|old| entry.url.as_deref().is_some_and(|new| is_downgrade(old, new))) {
        entry.url.clone_from(&stored.url);
    }
    entry.id = stored.id.clone();
    entry.published = better_date(stored.published, seen.published, first_seen);
    entry.updated = stored.updated;
    entry
}

/// Whether `short` is the beginning of `whole`, as lists cut titles: `合流是一个…`.
fn is_cut_from(short: &str, whole: &str) -> bool {
    let start = short.trim().trim_end_matches(['…', '.', '。', '⋯']).trim_end();
    !start.is_empty() && start.len() < whole.trim().len() && whole.trim().starts_with(start)
}

/// Whether `new` is `old` under http instead of https: a mirror, not a move.
fn is_downgrade(old: &str, new: &str) -> bool {
    matches!((old.strip_prefix("https://"), new.strip_prefix("http://")), (Some(a), Some(b)) if a == b)
}

/// The date ladder over time: only a strictly better rung replaces a date, never with one that would make an
/// old entry look new or that lies after the entry was first seen.
pub(super) fn better_date(stored: Dated, seen: Dated, first_seen: DateTime<Utc>) -> Dated {
    let better = seen.rung < stored.rung;
    let lifted = seen.at.signed_duration_since(stored.at) > LIFT;
    let future = seen.at.signed_duration_since(first_seen) > SKEW;
    if better && !lifted && !future { seen } else { stored }
}

/// A second guard behind `normalise`: what claims to come from the future was published when it was first seen.
pub(super) fn not_in_the_future(dated: Dated, at: DateTime<Utc>) -> Dated {
    if dated.at.signed_duration_since(at) <= SKEW {
        return dated;
    }
    Dated { at: at.with_timezone(dated.at.offset()), precision: Precision::Second, rung: DateRung::FirstSeen }
}

/// When a visible change happened: as the source says, if that is newer than what is stored and not in the
/// future; else now. Never earlier than what is stored.
pub(super) fn moved_on(
    stored: &Entry,
    claimed: Option<DateTime<FixedOffset>>,
    at: DateTime<Utc>,
) -> DateTime<FixedOffset> {
    let last = stored.updated.unwrap_or(stored.published.at);
    if let Some(claimed) = claimed.filter(|claimed| *claimed > last && *claimed <= at) {
        return claimed;
    }
    let now = at.with_timezone(stored.published.at.offset());
    stored.updated.map_or(now, |updated| updated.max(now))
}
