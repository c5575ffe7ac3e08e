//! What is not believed at once: a page full of old entries that came under new ids.
//!
//! Readers would get all of it as news. So entries of such a page that do not lie clearly after everything known
//! are recorded but held back, and the flaw says why and what to do. A source that was silent and returns with
//! a page of news is published: its dates lie after all that is known.

use super::churn::FEW;
use super::matching::{Assignment, strangers};
use super::traits;
use super::{Known, Sighting};
use crate::model::{Candidate, DateRung, Entry, Flaw, FlawCode, KeyKind, Precision, Standing};
use crate::store::Seen;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeSet, HashSet};

/// How many of the newest entries are compared when a page looks strange.
pub(crate) const MEMORY: usize = 500;
/// The most entries of a channel that are held back; more are not recorded, for the page still has them.
const HELD_MOST: u64 = 2000;
/// Entries within this span were dated by a machine that dated them all at once.
const BATCH: TimeDelta = TimeDelta::seconds(60);

/// What is known of the channel as a whole, looked up only when a poll looks strange.
#[derive(Debug, Clone, Default)]
pub(crate) struct Past {
    /// The newest entries, also those that are held back or withdrawn; at most [`MEMORY`].
    pub(crate) recent: Vec<Known>,
    /// The entries of the instants that were asked for.
    pub(crate) same_instant: Vec<Known>,
    /// How many entries are held back.
    pub(crate) held: u64,
}

/// What lies behind it is not news.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Horizon {
    /// The newest publication that is known.
    newest: DateTime<Utc>,
    /// When a poll last brought something new.
    since: DateTime<Utc>,
}

impl Horizon {
    /// The horizon of a channel; `None` if it was never read or nothing of it is published.
    pub(crate) fn of(past: &Past, seen: &Seen) -> Option<Self> {
        let shown = past.recent.iter().filter(|row| !row.held && row.standing == Standing::Live);
        let newest = shown.map(|row| row.entry.published.at.to_utc()).max()?;
        Some(Self { newest, since: seen.guard.since? })
    }

    /// Whether an entry was published after all that is known and after the page last changed. A day counts to its end.
    pub(super) fn is_newer(&self, entry: &Entry) -> bool {
        let published = entry.published;
        let reach = if published.precision == Precision::Day { TimeDelta::hours(24) } else { TimeDelta::zero() };
        let at = published.at.to_utc().checked_add_signed(reach).unwrap_or(DateTime::<Utc>::MAX_UTC);
        published.rung != DateRung::FirstSeen && at > self.newest && at > self.since
    }
}

/// Whether so much of a poll stands under unknown ids that the newest entries are worth looking up.
pub(crate) fn looks_strange(known: &[Known], groups: &[Candidate], assigned: &[Assignment], seen: &Seen) -> bool {
    let read_before = seen.standing == Standing::Live && seen.guard.since.is_some();
    read_before && assigned.iter().any(|one| one.known.is_none()) && unknown(known, groups, assigned) >= FEW
}

/// The instants of unknown groups, in milliseconds since 1970: entries of the same instant are worth a look.
pub(crate) fn instants(groups: &[Candidate], assigned: &[Assignment], seen: &Seen) -> Vec<i64> {
    if seen.standing != Standing::Live || seen.guard.since.is_none() {
        return Vec::new();
    }
    let new = groups.iter().zip(assigned).filter(|(_, assignment)| assignment.known.is_none());
    let dated = new.map(|(group, _)| group.entry.published);
    let exact = dated.filter(|dated| dated.precision == Precision::Second && dated.rung != DateRung::FirstSeen);
    exact.map(|dated| dated.at.timestamp_millis()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// How many groups nobody knows by guid or link.
pub(super) fn unknown(known: &[Known], groups: &[Candidate], assigned: &[Assignment]) -> usize {
    let found: Vec<_> = assigned.iter().map(|assignment| assignment.known).collect();
    strangers(known, groups, &found)
}

/// What becomes of each group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict {
    /// The groups that are held back.
    pub(crate) held: HashSet<usize>,
    /// The groups that are not even recorded.
    pub(crate) left_out: HashSet<usize>,
    /// What an admin should know.
    pub(crate) flaws: Vec<Flaw>,
}

/// Judges a poll. `unknown` is how many groups no key and no title knew, `page` how many stood on the page.
pub(crate) fn judge(
    past: &Past,
    groups: &[Candidate],
    assigned: &[Assignment],
    unknown: usize,
    seen: &Seen,
    sighting: Sighting,
) -> Verdict {
    let mut verdict = Verdict::default();
    let Some(horizon) = Horizon::of(past, seen).filter(|_| seen.guard.hold) else { return verdict };
    let page = super::intake(&seen.candidates[..seen.listed.min(seen.candidates.len())]).len().max(1);
    let new: Vec<usize> = (0..groups.len()).filter(|&group| assigned[group].known.is_none()).collect();
    if unknown < FEW || unknown * 5 < page * 4 || new.is_empty() {
        return verdict;
    }
    let newer = newer(past, groups, &new, horizon, sighting);
    let old: Vec<usize> = new.iter().copied().filter(|group| !newer.contains(group)).collect();
    let carried = unknown - new.len();
    // A late entry among many new ones is no flood.
    if old.is_empty() || carried == 0 && old.len() * 2 < new.len() {
        return verdict;
    }
    let room = usize::try_from(HELD_MOST.saturating_sub(past.held)).unwrap_or(usize::MAX);
    verdict.flaws.push(told(&groups[old[0]].entry, old.len(), page, horizon));
    if old.len() > room {
        let what = format!("{} entries are held back; {} more were not recorded", HELD_MOST, old.len() - room);
        verdict.flaws.push(Flaw::new(FlawCode::LimitReached, what));
    }
    verdict.left_out = old.iter().skip(room).copied().collect();
    verdict.held = old.into_iter().take(room).collect();
    verdict
}

fn told(entry: &Entry, held: usize, page: usize, horizon: Horizon) -> Flaw {
    let title: String = entry.title.chars().take(60).collect();
    let dated = match entry.published.rung {
        DateRung::FirstSeen => "without a date".to_owned(),
        _ => format!("dated {}", entry.published.at.format("%F %R")),
    };
    let newest = horizon.newest.format("%F %R");
    let what = format!(
        "{held} of {page} entries came under new ids and do not look new, for example {title:?}, {dated}; the newest known is of {newest} UTC. They are held back"
    );
    Flaw::new(FlawCode::Quarantined, what)
}

/// The groups that are believed to be news: dated after all that is known, not all in one instant (unless the
/// source always does that), and not with the titles or texts of known entries.
fn newer(past: &Past, groups: &[Candidate], new: &[usize], horizon: Horizon, sighting: Sighting) -> HashSet<usize> {
    let mut newer: HashSet<usize> = new
        .iter()
        .copied()
        .filter(|&group| {
            let entry = &groups[group].entry;
            horizon.is_newer(entry) && entry.published.at.to_utc() <= sighting.at + super::SKEW
        })
        .collect();
    let exact = newer.iter().map(|&group| groups[group].entry.published);
    let exact: Vec<_> =
        exact.filter(|dated| dated.precision != Precision::Day).map(|dated| dated.at.to_utc()).collect();
    let span = exact.iter().max().zip(exact.iter().min()).map(|(last, first)| *last - *first);
    let batch = exact.len() >= FEW && exact.len() == newer.len() && span.is_some_and(|span| span < BATCH);
    if batch && !dates_in_batches(past, horizon) {
        return HashSet::new();
    }
    let seen_before = overlapping(past, groups, &newer);
    if seen_before.len() >= FEW && seen_before.len() * 2 >= newer.len() {
        newer.retain(|group| !seen_before.contains(group));
    }
    newer
}

/// Whether the newest known entries share their date too: an issue of a newspaper, a nightly export.
fn dates_in_batches(past: &Past, horizon: Horizon) -> bool {
    let shown = past.recent.iter().filter(|row| !row.held && row.standing == Standing::Live);
    shown.filter(|row| horizon.newest - row.entry.published.at.to_utc() < BATCH).count() >= FEW
}

/// Those that say what a known entry says: the same text, or the same title where there is no text to compare.
fn overlapping(past: &Past, groups: &[Candidate], newer: &HashSet<usize>) -> HashSet<usize> {
    let (mut titles, mut bare) = (HashSet::new(), HashSet::new());
    let mut texts: HashSet<String> = HashSet::new();
    for row in &past.recent {
        let (title, of_row) = (traits::plain(&row.entry.title), traits::texts(&row.entry));
        if of_row.is_empty() {
            bare.insert(title.clone());
        }
        titles.insert(title);
        texts.extend(of_row);
    }
    let says_the_same = |group: &usize| {
        let entry = &groups[*group].entry;
        let own = traits::texts(entry);
        let title = traits::plain(&entry.title);
        let comparable = if own.is_empty() { &titles } else { &bare };
        own.iter().any(|text| texts.contains(text)) || !title.is_empty() && comparable.contains(&title)
    };
    newer.iter().copied().filter(says_the_same).collect()
}

/// Says so when a good part of the page stands under other ids than before.
pub(crate) fn changed_ids(known: &[Known], groups: &[Candidate], assigned: &[Assignment]) -> Option<Flaw> {
    let guid = |keys: &[crate::model::Key]| keys.iter().find(|key| key.kind == KeyKind::Guid).cloned();
    let mut changed = groups.iter().zip(assigned).filter_map(|(group, assignment)| {
        let row = &known[assignment.known?];
        let (old, new) = (guid(&row.keys)?, guid(&group.keys)?);
        (!row.held && !row.keys.contains(&new)).then_some((row.entry.id.0.clone(), old, new))
    });
    let (published, _, new) = changed.next()?;
    let count = 1 + changed.count();
    if count < FEW || count * 2 < groups.len() {
        return None;
    }
    let short = |text: &str| text.chars().take(80).collect::<String>();
    let what = format!(
        "{count} of {} entries stand under other ids than before; they keep those they were published with, for example {:?} and not {:?}",
        groups.len(),
        short(&published),
        short(&new.value)
    );
    Some(Flaw::new(FlawCode::IdsChanged, what))
}
