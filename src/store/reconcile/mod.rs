//! What makes a candidate the same entry as a known one, and what changes when it is seen again.
//!
//! Pure: known rows, candidates and the instant go in; rows to write come out. Every engine walks the same
//! three steps:
//!
//! 1. `intake` tidies the candidates and joins those that are one entry twice on the page,
//! 2. [`assign`] finds the known entry of each, from the rows that the candidates' keys hit,
//! 3. [`decide`] merges the fields and says what is new, updated, touched or unchanged.
//!
//! When much of a poll is unknown (`looks_strange`), the engine looks up the channel's newest entries and repeats
//! step 2 with them: `churn` sees through a source that changed all its ids, and `judge` says what is held back.
//! Last, [`withdraw`] notes what the source takes back.

mod churn;
mod fields;
mod intake;
mod matching;
mod quarantine;
#[cfg(test)]
mod tests;
mod traits;
mod visible;
mod withdrawal;

pub(crate) use intake::{intake, stored_value};
pub(crate) use matching::{Assignment, assign};
pub(crate) use quarantine::{MEMORY, Past, Verdict, changed_ids, instants, looks_strange};

pub(crate) use visible::visible_hash;
pub(crate) use withdrawal::{Gone, Roll, names, withdraw};

use super::{Change, Seen};
use crate::model::{Candidate, Entry, EntryId, Flaw, FlawCode, Key, KeyKind, Standing};
use chrono::{DateTime, TimeDelta, Utc};
use quarantine::{Horizon, judge, unknown};
use std::collections::HashSet;
use uuid::Uuid;

/// How many ids are tried for a new entry before it is left out. More than two are only ever
/// needed by a source that forges the ids that would be minted.
const ID_TRIES: usize = 4;

/// An entry as the ledger holds it, with all its keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    /// The row's own number: the sequence number at which it was born.
    pub(crate) number: u64,
    /// The sequence number of its last change.
    pub(crate) seq: u64,
    /// When it was first seen.
    pub(crate) first_seen: DateTime<Utc>,
    /// When the ledger last changed it.
    pub(crate) changed: DateTime<Utc>,
    /// Snapshot or live.
    pub(crate) standing: Standing,
    /// Whether it is held back: recorded, but in no document.
    pub(crate) held: bool,
    /// Whether its source withdrew it.
    pub(crate) gone: Option<Gone>,
    /// All its keys.
    pub(crate) keys: Vec<Key>,
    /// What it says.
    pub(crate) entry: Entry,
}

impl Known {
    fn has(&self, kind: KeyKind) -> bool {
        self.keys.iter().any(|key| key.kind == kind)
    }
}

/// A row to write: everything of `known` replaces what stands under its number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Write {
    /// Whether the row must be inserted rather than replaced.
    pub(crate) new: bool,
    /// The row.
    pub(crate) known: Known,
    /// Those of its keys that are not stored yet.
    pub(crate) new_keys: Vec<Key>,
}

/// When and how a poll saw its candidates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sighting {
    /// When.
    pub(crate) at: DateTime<Utc>,
    /// Live or from a snapshot.
    pub(crate) standing: Standing,
    /// The ledger's sequence number before this poll.
    pub(crate) seq: u64,
}

enum Fate {
    New,
    Updated,
    Touched,
}

/// The ids that candidates without a known entry may get; the engine says which of them are taken.
pub(crate) fn wanted_ids(groups: &[Candidate], assigned: &[Assignment]) -> Vec<String> {
    groups
        .iter()
        .zip(assigned)
        .filter(|(_, assignment)| assignment.known.is_none())
        .flat_map(|(group, _)| (0..ID_TRIES).map(|n| proposal(group, n)))
        .collect()
}

/// The `n`-th id to try: the candidate's own, then variants that depend on nothing but its id and its link.
fn proposal(group: &Candidate, n: usize) -> String {
    let id = &group.entry.id.0;
    if n == 0 {
        return id.clone();
    }
    let link = group.keys.iter().find(|key| key.kind == KeyKind::Link).or_else(|| group.keys.first());
    let link = link.map_or("", |key| key.value.as_str());
    let suffix = if n == 1 { String::new() } else { format!("\n{n}") };
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{id}\n{link}{suffix}").as_bytes()).urn().to_string()
}

/// Looks at a poll again, with more of the channel's entries at hand.
pub(crate) fn reconsider(
    past: &Past,
    known: &mut Vec<Known>,
    groups: &mut Vec<Candidate>,
    assigned: &mut Vec<Assignment>,
    seen: &Seen,
    sighting: Sighting,
) -> Verdict {
    let unknown = unknown(known, groups, assigned);
    let mut numbers: HashSet<u64> = known.iter().map(|row| row.number).collect();
    let more = past.recent.iter().chain(&past.same_instant);
    known.extend(more.filter(|row| numbers.insert(row.number)).cloned());
    *groups = intake(&seen.candidates);
    *assigned = assign(known, groups, Horizon::of(past, seen));
    judge(past, groups, assigned, unknown, seen, sighting)
}

/// Says that entries are held back, for as long as any is.
pub(crate) fn remind(change: &mut Change, held: u64, last: &str) {
    change.holding = held > 0;
    if held > 0 && change.flaws.iter().all(|flaw| flaw.code != FlawCode::Quarantined) {
        let title: String = last.chars().take(60).collect();
        let detail = format!("{held} entries are held back, the last of them {title:?}");
        change.flaws.push(Flaw::new(FlawCode::Quarantined, detail));
    }
}

/// What is to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Decision {
    /// Rows, in the order of their sequence numbers.
    pub(crate) writes: Vec<Write>,
    /// The numbers of rows that are not withdrawn any more.
    pub(crate) returned: Vec<u64>,
    /// The numbers of all rows that the poll saw.
    pub(crate) present: HashSet<u64>,
    /// What is told.
    pub(crate) change: Change,
}

/// Decides what recording the candidates changes. `taken` holds those of [`wanted_ids`] that other entries
/// of the channel already have. Rows come out in the order of their sequence numbers: the bottom
/// of the page first, so that the top of the page is the newest.
pub(crate) fn decide(
    known: &[Known],
    groups: &[Candidate],
    assigned: Vec<Assignment>,
    mut taken: HashSet<String>,
    verdict: Verdict,
    sighting: Sighting,
) -> Decision {
    let Verdict { held, left_out, flaws } = verdict;
    let mut change = Change { flaws, ..Change::default() };
    let (mut writes, mut returned, mut present) = (Vec::new(), Vec::new(), HashSet::new());
    for (place, (group, assignment)) in groups.iter().zip(assigned).enumerate() {
        let row = assignment.known.map(|index| &known[index]);
        present.extend(row.map(|row| row.number));
        if let Some(row) = row.filter(|row| is_back(row, group, sighting)) {
            returned.push(row.number);
            change.returned.extend((!row.held).then(|| row.entry.id.clone()));
        }
        let decided = match row {
            Some(row) => seen_again(row, group, assignment.new_keys, sighting),
            None if left_out.contains(&place) => continue,
            None => first_sight(group, assignment.new_keys, &mut taken, held.contains(&place), sighting),
        };
        let Some((fate, write)) = decided else {
            change.unchanged += usize::from(row.is_some());
            continue;
        };
        let id = write.known.entry.id.clone();
        match fate {
            _ if write.known.held => change.held.push(id),
            Fate::New => change.new.push(id),
            Fate::Updated => change.updated.push(id),
            Fate::Touched => change.touched.push(id),
        }
        writes.push(write);
    }
    writes.reverse();
    change.seq = sighting.seq;
    for write in &mut writes {
        change.seq += 1;
        write.known.seq = change.seq;
        if write.new {
            write.known.number = change.seq;
            present.insert(change.seq);
        }
    }
    Decision { writes, returned, present, change }
}

/// Whether a withdrawn entry is on the page again with something new.
fn is_back(known: &Known, group: &Candidate, sighting: Sighting) -> bool {
    let Some(gone) = known.gone.filter(|_| sighting.standing == Standing::Live) else { return false };
    let entry = fields::overlay(&known.entry, &group.entry, known.first_seen);
    let visible = entry != known.entry && visibly_differs(&known.entry, &entry, false);
    withdrawal::comes_back(gone, &group.entry, visible, sighting.at)
}

fn first_sight(
    group: &Candidate,
    new_keys: Vec<Key>,
    taken: &mut HashSet<String>,
    held: bool,
    sighting: Sighting,
) -> Option<(Fate, Write)> {
    let id = (0..ID_TRIES).map(|n| proposal(group, n)).find(|id| !taken.contains(id))?;
    taken.insert(id.clone());
    let mut entry = group.entry.clone();
    entry.id = EntryId(id);
    entry.published = fields::not_in_the_future(entry.published, sighting.at);
    entry.updated = entry.updated.filter(|updated| *updated <= sighting.at);
    let known = Known {
        number: 0,
        seq: 0,
        first_seen: sighting.at,
        changed: sighting.at,
        standing: sighting.standing,
        held,
        gone: None,
        keys: new_keys.clone(),
        entry,
    };
    Some((Fate::New, Write { new: true, known, new_keys }))
}

fn seen_again(known: &Known, group: &Candidate, new_keys: Vec<Key>, sighting: Sighting) -> Option<(Fate, Write)> {
    if sighting.standing == Standing::Snapshot && known.standing == Standing::Live {
        return None; // an old copy has nothing to say about what was read from the source itself
    }
    let turns_live = sighting.standing != known.standing;
    let mut entry = fields::overlay(&known.entry, &group.entry, known.first_seen);
    let visible = entry != known.entry && visibly_differs(&known.entry, &entry, turns_live);
    if visible {
        entry.updated = Some(fields::moved_on(&known.entry, group.entry.updated, sighting.at));
    } else if is_back(known, group, sighting) {
        // Its return is news, and the date keeps the old tombstone from burying it again.
        entry.updated = entry.updated.max(group.entry.updated.filter(|updated| *updated <= sighting.at));
    }
    if !turns_live && new_keys.is_empty() && entry == known.entry {
        return None;
    }
    let mut keys = known.keys.clone();
    keys.extend(new_keys.iter().cloned());
    let row = Known { standing: sighting.standing, changed: sighting.at, keys, entry, ..known.clone() };
    let fate = if visible { Fate::Updated } else { Fate::Touched };
    Some((fate, Write { new: false, known: row, new_keys }))
}

/// Whether a reader would see a difference. What a snapshot lacked and the source has is not an update:
/// nobody changed it.
fn visibly_differs(before: &Entry, after: &Entry, turns_live: bool) -> bool {
    if turns_live {
        let mut before = before.clone();
        fields::fill(&mut before, after);
        visible_hash(&before) != visible_hash(after)
    } else {
        visible_hash(before) != visible_hash(after)
    }
}

/// How far a date may lie after the instant it was seen: clocks differ.
const SKEW: TimeDelta = TimeDelta::minutes(15);
