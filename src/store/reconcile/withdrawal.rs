//! What a source takes back: by a tombstone (RFC 6721), or by leaving it out of a complete feed (RFC 5005 section 2).
//!
//! A withdrawal is noted beside the entry and changes nothing of it, so that showing withdrawn entries or not is
//! a matter of reading. An id that was never seen has nothing to withdraw; its tombstone is not remembered.

use super::{Known, fields};
use crate::model::{DateRung, Entry, EntryId, Flaw, FlawCode, Standing, Tombstone};
use crate::store::Seen;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// So many withdrawals at once are always believed.
const FEW: usize = 2;

/// How an entry was withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone {
    /// When, as the source says, or when it was found missing.
    pub(crate) at: DateTime<Utc>,
    /// It left a complete feed; otherwise a tombstone named it.
    pub(crate) absent: bool,
}

/// What the engine knows of a channel after the poll's entries were written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roll {
    /// The entries that tombstones of this poll name, by guid or by published id.
    pub(crate) named: Vec<Known>,
    /// For a complete feed: number and id of every entry that is shown and was not in this poll.
    pub(crate) absent: Vec<(u64, EntryId)>,
    /// How many entries are shown: live, neither held back nor withdrawn.
    pub(crate) shown: u64,
}

/// When an entry says that it was last changed or published.
fn stated(entry: &Entry) -> Option<DateTime<Utc>> {
    let published = (entry.published.rung != DateRung::FirstSeen).then(|| entry.published.at.to_utc());
    entry.updated.map(|at| at.to_utc()).max(published)
}

/// Whether a withdrawn entry that stands on the page again is back: it left a complete feed and is in the feed
/// again; or it says that it is newer than its tombstone, or says nothing and looks different. An old copy of the
/// feed out of some cache does none of this.
pub(super) fn comes_back(gone: Gone, claimed: &Entry, visible: bool, at: DateTime<Utc>) -> bool {
    let said = claimed.updated.map(|updated| updated.to_utc()).filter(|updated| *updated <= at);
    gone.absent || said.map_or(visible, |updated| updated > gone.at)
}

/// Which entries are withdrawn now, in the order of their numbers. A tombstone that is older than its entry
/// withdraws nothing (RFC 6721 section 3). Most of the entries at once is an accident: then nothing is.
pub(crate) fn withdraw(roll: &Roll, seen: &Seen, at: DateTime<Utc>) -> (Vec<(u64, EntryId, Gone)>, Option<Flaw>) {
    let mut gone: BTreeMap<u64, (&EntryId, Gone)> = BTreeMap::new();
    for (number, id) in &roll.absent {
        gone.insert(*number, (id, Gone { at, absent: true }));
    }
    let mut held = 0;
    for row in &roll.named {
        let Some(when) = buried(row, &seen.withdrawn, at) else { continue };
        if row.gone.is_none_or(|gone| gone.absent) {
            held += usize::from(row.held || row.standing == Standing::Snapshot || row.gone.is_some());
            gone.insert(row.number, (&row.entry.id, Gone { at: when, absent: false }));
        }
    }
    let count = gone.len() - held;
    let usual = if seen.guard.usual == 0 { roll.shown } else { roll.shown.min(u64::from(seen.guard.usual)) };
    let empty = seen.candidates.is_empty() && !roll.absent.is_empty();
    if seen.guard.hold && (empty || count > FEW && count as u64 * 2 > usual) {
        let detail = format!("{count} of about {usual} entries would be withdrawn at once; none was");
        return (Vec::new(), Some(Flaw::new(FlawCode::MassWithdrawal, detail)));
    }
    (gone.into_iter().map(|(number, (id, gone))| (number, id.clone(), gone)).collect(), None)
}

/// When the entry was withdrawn, if one of the tombstones names it and is not older than the entry.
fn buried(row: &Known, tombstones: &[Tombstone], at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let names = |tombstone: &&Tombstone| {
        tombstone.id == row.entry.id || row.keys.iter().any(|key| *key == fields::guid_key(&tombstone.id))
    };
    let when = tombstones.iter().filter(names).map(|tombstone| tombstone.when.min(at)).max()?;
    stated(&row.entry).is_none_or(|stated| when >= stated).then_some(when)
}

/// The guid keys and the ids that the tombstones name, to be looked up.
pub(crate) fn names(seen: &Seen) -> Vec<String> {
    seen.withdrawn.iter().map(|tombstone| fields::guid_key(&tombstone.id).value).collect()
}
