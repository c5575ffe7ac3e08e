//! Entries, candidates and polls for the tests of the store.

use super::{Poll, PollState, Seen};
use crate::model::{Candidate, ChannelId, DateRung, Dated, Entry, EntryId, Key, KeyKind, Person, Precision, Standing};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// So many hours after the morning of 2 November 2026.
pub(crate) fn instant(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_793_577_600, 0).unwrap() + TimeDelta::hours(hours)
}

pub(crate) fn channel(name: &str) -> ChannelId {
    name.parse().unwrap()
}

pub(crate) fn key(kind: KeyKind, value: &str) -> Key {
    Key { kind, value: value.to_owned() }
}

/// An entry with nothing but a title, published at hour 0.
pub(crate) fn entry(id: &str, title: &str) -> Entry {
    Entry {
        url: Some(format!("https://news.example/{id}")),
        authors: vec![Person::named("记者")],
        ..Entry::new(
            id,
            title,
            Dated { at: instant(0).fixed_offset(), precision: Precision::Day, rung: DateRung::List },
        )
    }
}

/// A candidate of a portal page: its link, its title and day.
pub(crate) fn linked(link: &str, title: &str) -> Candidate {
    let keys = vec![key(KeyKind::Link, link), key(KeyKind::TitleDay, &format!("{title}|2026-11-02"))];
    Candidate { keys, entry: entry(&format!("urn:x:{link}"), title) }
}

/// A candidate of an external feed: guid, link, title and day.
pub(crate) fn guided(guid: &str, link: &str, title: &str) -> Candidate {
    let mut candidate = linked(link, title);
    candidate.keys.insert(0, key(KeyKind::Guid, guid));
    candidate.entry.id = EntryId(guid.to_owned());
    candidate
}

pub(crate) fn poll_of(name: &str, hours: i64, standing: Standing, candidates: Vec<Candidate>) -> Poll {
    let live_since = (standing == Standing::Live).then(|| instant(hours));
    Poll {
        channel: channel(name),
        at: instant(hours),
        seen: Some(Seen::new(standing, candidates)),
        state: PollState { last_poll: Some(instant(hours)), live_since, ..PollState::default() },
        fetched: BTreeMap::new(),
    }
}

/// A live poll of the channel `a`.
pub(crate) fn live(hours: i64, candidates: Vec<Candidate>) -> Poll {
    poll_of("a", hours, Standing::Live, candidates)
}

/// The candidate with the text of its article.
pub(crate) fn with_content(mut candidate: Candidate, content: &str) -> Candidate {
    candidate.entry.content = Some(content.to_owned());
    candidate
}
